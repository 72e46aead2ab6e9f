//! Resources, locations and tiers.

use std::collections::BTreeSet;

use plimsoll_core::command::{Action, Put};
use plimsoll_core::model::{
    Alerts, AutoApproval, Item, Location, Mode, Resource, Tier, TierLimit, TierLimits,
};
use plimsoll_core::names::{ResourceName, Text};

use super::super::wire::leaf::{AtMost, Object, Parsed, Texts, Whole};
use super::super::wire::requests::{AutoApprovalBody, LocationBody, ResourceBody, TierBody};
use super::super::wire::words::Reason;
use super::super::{Call, Problem, Read};
use super::lines::wrong;
use super::{Input, body, parse};

pub(in crate::native) fn put_resource(input: &Input<'_>) -> Result<Call, Problem> {
    let name = resource_name(input)?;
    let body: ResourceBody = body::read(input.body)?;
    let resource = Resource {
        name,
        unit: body.unit.0,
        default_ceiling: body.default_limit.0,
        per_location: body.per_location,
        adjustable: body.adjustable.unwrap_or(true),
        auto_approval: body.auto_approval.map(|Object(rule)| to_rule(rule)),
        alerts: body.alerts.map_or(Ok(Alerts::default()), to_alerts)?,
        description: text(body.description)?,
    };
    let reason = reason(body.reason)?;
    Ok(Call::Act(Action::PutResource(Put {
        row: resource,
        reason,
    })))
}

fn to_alerts<const MAX: usize>(alerts: AtMost<Whole<1, 100>, MAX>) -> Result<Alerts, Problem> {
    let percents = alerts.0.iter();
    let percents = percents.map(|it| u8::try_from(it.number()).unwrap_or(u8::MAX));
    Alerts::new(percents.collect())
        .ok_or_else(|| wrong("/alerts".to_owned(), "must have each part once"))
}

fn to_rule(body: AutoApprovalBody) -> AutoApproval {
    let factor = body.factor_percent.map(Whole::number);
    AutoApproval {
        ceiling: body.limit.into(),
        factor_percent: factor.map(|it| u32::try_from(it).unwrap_or(u32::MAX)),
        cool_off_ms: body
            .cool_off_seconds
            .map_or(0, |it| it.number().saturating_mul(1_000)),
    }
}

pub(in crate::native) fn test_auto_approval(input: &Input<'_>) -> Result<Call, Problem> {
    let resource = resource_name(input)?;
    let body: AutoApprovalBody = body::read(input.body)?;
    let rule = to_rule(body);
    Ok(Call::TestAutoApproval { resource, rule })
}

pub(in crate::native) fn resource(input: &Input<'_>) -> Result<Call, Problem> {
    resource_name(input).map(|name| Call::Read(Read::Resource(name)))
}

pub(in crate::native) fn resources(_: &Input<'_>) -> Result<Call, Problem> {
    Ok(Call::Read(Read::Resources))
}

pub(in crate::native) fn put_location(input: &Input<'_>) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    let body: LocationBody = body::read(input.body)?;
    Ok(Call::Act(Action::PutLocation(Location {
        id,
        name: body.name.0,
        attributes: body.attributes.map(|Texts(it)| it).unwrap_or_default(),
    })))
}

pub(in crate::native) fn location(input: &Input<'_>) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    Ok(Call::Read(Read::Location(id)))
}

pub(in crate::native) fn locations(_: &Input<'_>) -> Result<Call, Problem> {
    Ok(Call::Read(Read::Locations))
}

pub(in crate::native) fn put_tier(input: &Input<'_>) -> Result<Call, Problem> {
    let name = input.path.first("name")?;
    let body: TierBody = body::read(input.body)?;
    let mut items = BTreeSet::new();
    let mut limits = Vec::with_capacity(body.limits.0.len());
    for (index, Object(limit)) in body.limits.0.into_iter().enumerate() {
        let item = Item {
            resource: limit.resource.0,
            location: limit.location.map(|Parsed(location)| location),
        };
        if !items.insert(item.clone()) {
            let must = "is about the same resource and location as one before: give it once";
            return Err(wrong(format!("/limits/{index}"), must));
        }
        limits.push(TierLimit {
            item,
            ceiling: limit.limit.0,
            mode: limit.mode.map_or(Mode::Enforce, |Parsed(mode)| mode),
        });
    }
    let limits = TierLimits::new(limits)
        .ok_or_else(|| wrong("/limits".to_owned(), "must have each limit once"))?;
    let tier = Tier {
        name,
        description: text(body.description)?,
        limits,
    };
    let reason = reason(body.reason)?;
    Ok(Call::Act(Action::PutTier(Put { row: tier, reason })))
}

pub(in crate::native) fn tier(input: &Input<'_>) -> Result<Call, Problem> {
    let name = input.path.first("name")?;
    Ok(Call::Read(Read::Tier(name)))
}

pub(in crate::native) fn tiers(_: &Input<'_>) -> Result<Call, Problem> {
    Ok(Call::Read(Read::Tiers))
}

fn resource_name(input: &Input<'_>) -> Result<ResourceName, Problem> {
    let [service, name] = input.path.both(["service", "name"])?;
    let text = match (service.contains('/'), name.contains('/')) {
        (false, false) => format!("{service}/{name}"),
        // A slash that came encoded parts nothing: make it as wrong as it is.
        (true, _) | (_, true) => format!("{service}//{name}"),
    };
    parse(&text, "service/name")
}

/// A reason that may be left out: then it is empty.
pub(super) fn reason(reason: Option<Parsed<Reason>>) -> Result<Text, Problem> {
    text(reason.map(|Parsed(Reason(text))| Parsed(text)))
}

/// A text that may be left out: then it is empty.
pub(super) fn text(text: Option<Parsed<Text>>) -> Result<Text, Problem> {
    match text {
        Some(Parsed(text)) => Ok(text),
        None => Text::parse("").map_err(|error| Problem::body(String::new(), error.to_string())),
    }
}
