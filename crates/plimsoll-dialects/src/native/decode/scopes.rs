//! Scopes, and the limits and quotas at them.

use plimsoll_core::command::{Action, DeleteLimit, PutLimit, PutScope};
use plimsoll_core::model::Item;
use plimsoll_core::report::QuotaFilter;

use super::super::parameter::Parameter;
use super::super::wire::leaf::Parsed;
use super::super::wire::requests::{LimitBody, ScopeBody};
use super::super::{Call, Problem, Read};
use super::{Input, body};

pub(in crate::native) fn put(input: &Input<'_>) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    let body: ScopeBody = body::read(input.body)?;
    Ok(Call::Act(Action::PutScope(PutScope {
        id,
        parent: body.parent.map(|Parsed(parent)| parent),
        kind: body.kind.0,
    })))
}

pub(in crate::native) fn one(input: &Input<'_>) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    Ok(Call::Read(Read::Scope(id)))
}

pub(in crate::native) fn all(input: &Input<'_>) -> Result<Call, Problem> {
    Ok(Call::Read(Read::Scopes {
        parent: input.query.value(Parameter::Parent)?,
        page: input.query.page()?,
    }))
}

pub(in crate::native) fn put_limit(input: &Input<'_>) -> Result<Call, Problem> {
    let scope = input.scope()?;
    let body: LimitBody = body::read(input.body)?;
    Ok(Call::Act(Action::PutLimit(PutLimit {
        scope,
        item: Item {
            resource: body.resource.0,
            location: body.location.map(|Parsed(location)| location),
        },
        ceiling: body.limit.0,
        reason: body.reason.0,
        expected: input.expected()?,
    })))
}

pub(in crate::native) fn delete_limit(input: &Input<'_>) -> Result<Call, Problem> {
    Ok(Call::Act(Action::DeleteLimit(DeleteLimit {
        scope: input.scope()?,
        item: Item {
            resource: input.query.required(Parameter::LimitResource)?,
            location: input.query.value(Parameter::Location)?,
        },
        expected: input.expected()?,
    })))
}

pub(in crate::native) fn limits(input: &Input<'_>) -> Result<Call, Problem> {
    Ok(Call::Read(Read::Limits {
        scope: input.scope()?,
        page: input.query.page()?,
    }))
}

pub(in crate::native) fn quotas(input: &Input<'_>) -> Result<Call, Problem> {
    Ok(Call::Read(Read::Quotas {
        scope: input.scope()?,
        filter: QuotaFilter {
            resource: input.query.value(Parameter::Resource)?,
            location: input.query.value(Parameter::Location)?,
        },
        page: input.query.page()?,
    }))
}
