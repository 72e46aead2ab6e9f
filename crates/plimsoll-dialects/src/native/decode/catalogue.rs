//! Resources and locations.

use plimsoll_core::command::Action;
use plimsoll_core::model::{Location, Resource};
use plimsoll_core::names::{ResourceName, Text};

use super::super::wire::leaf::{Parsed, Texts};
use super::super::wire::requests::{LocationBody, ResourceBody};
use super::super::{Call, Problem, Read};
use super::{Input, body, parse};

pub(in crate::native) fn put_resource(input: &Input<'_>) -> Result<Call, Problem> {
    let name = resource_name(input)?;
    let body: ResourceBody = body::read(input.body)?;
    Ok(Call::Act(Action::PutResource(Resource {
        name,
        unit: body.unit.0,
        default_ceiling: body.default_limit.0,
        per_location: body.per_location,
        adjustable: body.adjustable.unwrap_or(true),
        description: text(body.description)?,
    })))
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

fn resource_name(input: &Input<'_>) -> Result<ResourceName, Problem> {
    let [service, name] = input.path.both(["service", "name"])?;
    let text = match (service.contains('/'), name.contains('/')) {
        (false, false) => format!("{service}/{name}"),
        // A slash that came encoded parts nothing: make it as wrong as it is.
        (true, _) | (_, true) => format!("{service}//{name}"),
    };
    parse(&text, "service/name")
}

/// A text that may be left out: then it is empty.
pub(super) fn text(text: Option<Parsed<Text>>) -> Result<Text, Problem> {
    match text {
        Some(Parsed(text)) => Ok(text),
        None => Text::parse("").map_err(|error| Problem::body(String::new(), error.to_string())),
    }
}
