//! Events, page by page or as they happen.

use plimsoll_core::names::ScopeId;

use super::super::parameter::Parameter;
use super::super::wire::words::{Revision, Spelled};
use super::super::{Call, EventFilter, Problem, Read};
use super::{Input, header};
use crate::http::Request;

/// Those of a scope and below.
pub(in crate::native) fn of_scope(input: &Input<'_>) -> Result<Call, Problem> {
    events(input, Some(input.scope()?))
}

/// Those of what belongs to no tenant.
pub(in crate::native) fn of_catalogue(input: &Input<'_>) -> Result<Call, Problem> {
    events(input, None)
}

fn events(input: &Input<'_>, scope: Option<ScopeId>) -> Result<Call, Problem> {
    let live = wants_stream(&input.request);
    let after: Option<Revision> = input.query.value(Parameter::After)?;
    // Who comes back to a stream sends the query of the first time again: what was told last goes
    // before it.
    let seen = if live {
        last_event_id(&input.request)?
    } else {
        None
    };
    Ok(Call::Read(Read::Events {
        scope,
        filter: EventFilter {
            resource: input.query.value(Parameter::Resource)?,
            location: input.query.value(Parameter::Location)?,
            cause: input.query.value(Parameter::Cause)?,
        },
        after: seen.or(after).map_or(0, |Revision(it)| it),
        size: input.query.page_size()?,
        live,
    }))
}

/// Whether an `accept` header asks for a stream of events.
fn wants_stream(request: &Request<'_>) -> bool {
    let accepts = request.headers.iter().filter(|(name, _)| *name == "accept");
    let mut types = accepts.flat_map(|(_, value)| value.split(|byte| *byte == b','));
    types.any(|accepted| {
        let essence = accepted.split(|byte| *byte == b';').next();
        essence.is_some_and(|it| it.trim_ascii().eq_ignore_ascii_case(b"text/event-stream"))
    })
}

fn last_event_id(request: &Request<'_>) -> Result<Option<Revision>, Problem> {
    let Some(value) = header(request, "last-event-id")? else {
        return Ok(None);
    };
    let revision = str::from_utf8(value).ok().map(Revision::parse);
    let revision = revision.and_then(Result::ok).map(Some);
    revision.ok_or_else(|| {
        let detail = "`last-event-id` must be the id of an event of this stream, in digits alone";
        Problem::header("last-event-id", detail)
    })
}
