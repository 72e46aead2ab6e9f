//! Scopes, and the limits and quotas at them.

use plimsoll_core::command::{Action, DeleteLimit, PutLimit, PutScope};
use plimsoll_core::model::{Item, Mode, Window};
use plimsoll_core::report::QuotaFilter;

use super::super::parameter::Parameter;
use super::super::wire::leaf::{Parsed, Time};
use super::super::wire::requests::{LimitBody, ScopeBody};
use super::super::wire::words::{Flag, Reason};
use super::super::{Call, Problem, Read};
use super::catalogue::reason;
use super::lines::wrong;
use super::query::problem;
use super::{Input, body};

pub(in crate::native) fn put(input: &Input<'_>) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    let body: ScopeBody = body::read(input.body)?;
    Ok(Call::Act(Action::PutScope(PutScope {
        id,
        parent: body.parent.map(|Parsed(parent)| parent),
        kind: body.kind.0,
        tier: body.tier.map(|Parsed(tier)| tier),
        reason: reason(body.reason)?,
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

/// Sets a limit, or tries it out: a `dry_run` asks for what the same request would do.
pub(in crate::native) fn put_limit(input: &Input<'_>) -> Result<Call, Problem> {
    let scope = input.scope()?;
    let dry_run: Option<Flag> = input.query.value(Parameter::DryRun)?;
    let body: LimitBody = body::read(input.body)?;
    let window = window(body.starts_at, body.ends_at)
        .ok_or_else(|| wrong("/ends_at".to_owned(), EMPTY_WINDOW))?;
    let Parsed(Reason(reason)) = body.reason;
    let put = PutLimit {
        scope,
        item: Item {
            resource: body.resource.0,
            location: body.location.map(|Parsed(location)| location),
        },
        window,
        ceiling: body.limit.0,
        mode: body.mode.map_or(Mode::Enforce, |Parsed(mode)| mode),
        reason,
        expected: input.expected()?,
    };
    Ok(match dry_run {
        Some(Flag(true)) => Call::DryRun(put),
        Some(Flag(false)) | None => Call::Act(Action::PutLimit(put)),
    })
}

pub(in crate::native) fn delete_limit(input: &Input<'_>) -> Result<Call, Problem> {
    let starts_at: Option<Time> = input.query.value(Parameter::StartsAt)?;
    let ends_at: Option<Time> = input.query.value(Parameter::EndsAt)?;
    let why: Option<Reason> = input.query.value(Parameter::Reason)?;
    let window = window(starts_at.map(Parsed), ends_at.map(Parsed))
        .ok_or_else(|| problem(Parameter::EndsAt, EMPTY_WINDOW))?;
    Ok(Call::Act(Action::DeleteLimit(DeleteLimit {
        scope: input.scope()?,
        item: Item {
            resource: input.query.required(Parameter::LimitResource)?,
            location: input.query.value(Parameter::Location)?,
        },
        window,
        reason: reason(why.map(Parsed))?,
        expected: input.expected()?,
    })))
}

const EMPTY_WINDOW: &str = "must be later than `starts_at`: the limit would never count";

fn window(starts_at: Option<Parsed<Time>>, ends_at: Option<Parsed<Time>>) -> Option<Window> {
    let at = |time: Option<Parsed<Time>>| time.map(|Parsed(Time(at))| at);
    Window::new(at(starts_at), at(ends_at))
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
        as_of: input.query.value(Parameter::AsOf)?,
        page: input.query.page()?,
    }))
}
