//! Requests for higher limits, and inventories.

use std::collections::BTreeMap;

use plimsoll_core::command::{Action, ApproveRequest, RuleRequest};
use plimsoll_core::model::Item;
use plimsoll_core::names::{LocationId, ResourceName, Text};
use plimsoll_core::reconcile::Inventory;

use super::super::parameter::Parameter;
use super::super::wire::leaf::{Object, Parsed};
use super::super::wire::requests::{
    ApproveBody, CancelBody, DenyBody, ReconcileBody, SubmitBody, ThingBody,
};
use super::super::wire::words::StatusName;
use super::super::{Call, NewRequest, Problem, Read, Reconcile};
use super::catalogue::text;
use super::lines::wrong;
use super::{Input, body};

pub(in crate::native) fn submit(input: &Input<'_>) -> Result<Call, Problem> {
    let body: SubmitBody = body::read(input.body)?;
    Ok(Call::SubmitRequest(NewRequest {
        scope: body.scope.0,
        item: item(body.resource, body.location),
        ceiling: body.limit.0,
        reason: text(body.reason)?,
    }))
}

pub(in crate::native) fn one(input: &Input<'_>) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    Ok(Call::Read(Read::Request(id)))
}

pub(in crate::native) fn all(input: &Input<'_>) -> Result<Call, Problem> {
    let status: Option<StatusName> = input.query.value(Parameter::Status)?;
    Ok(Call::Read(Read::Requests {
        scope: input.scope()?,
        status: status.map(|StatusName(name)| name),
        page: input.query.page()?,
    }))
}

pub(in crate::native) fn approve(input: &Input<'_>) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    let body: ApproveBody = body::read(input.body)?;
    Ok(Call::Act(Action::ApproveRequest(ApproveRequest {
        id,
        ceiling: body.limit.map(|limit| limit.0),
        ends_at: body.until.map(|Parsed(time)| time.0),
        reason: body.reason.0.0,
    })))
}

pub(in crate::native) fn deny(input: &Input<'_>) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    let body: DenyBody = body::read(input.body)?;
    let reason = body.reason.0.0;
    Ok(Call::Act(Action::DenyRequest(RuleRequest { id, reason })))
}

pub(in crate::native) fn cancel(input: &Input<'_>) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    let body: CancelBody = body::read_or_default(input.body)?;
    let reason = text(body.reason)?;
    Ok(Call::Act(Action::CancelRequest(RuleRequest { id, reason })))
}

pub(in crate::native) fn reconcile(input: &Input<'_>) -> Result<Call, Problem> {
    let body: ReconcileBody = body::read(input.body)?;
    let revision = body.revision.number();
    let mut things = BTreeMap::new();
    for (index, Object(ThingBody { holder, amount })) in body.things.0.into_iter().enumerate() {
        if things.insert(holder.0, amount.into()).is_some() {
            let must = "is the holder of a thing before: give each thing once";
            return Err(wrong(format!("/things/{index}/holder"), must));
        }
    }
    let repair = body.repair.unwrap_or(false);
    if repair && things.is_empty() && body.allow_empty != Some(true) {
        let must = "is empty, so that everything would be released: where that is so, say `\"allow_empty\": true`";
        return Err(wrong("/things".to_owned(), must));
    }
    let reason = match body.reason {
        Some(Parsed(reason)) => reason.0,
        None => Text::parse(&format!("an inventory of revision {revision}"))
            .map_err(|error| wrong("/reason".to_owned(), &error.to_string()))?,
    };
    Ok(Call::Reconcile(Reconcile {
        inventory: Inventory {
            scope: body.scope.0,
            item: item(body.resource, body.location),
            revision,
            things,
            reason,
            // Who calls decides that.
            passes: false,
        },
        repair,
    }))
}

fn item(resource: Parsed<ResourceName>, location: Option<Parsed<LocationId>>) -> Item {
    Item {
        resource: resource.0,
        location: location.map(|Parsed(location)| location),
    }
}
