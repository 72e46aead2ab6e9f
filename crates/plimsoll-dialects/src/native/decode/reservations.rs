//! Reservations, one at a time, and checks.

use plimsoll_core::bounds::HOLD_TTL_MS_DEFAULT;
use plimsoll_core::command::{Action, Reserve};
use plimsoll_core::model::{Lines, Terms};
use plimsoll_core::names::{ReservationId, ScopeId};
use plimsoll_core::report::ReservationFilter;

use super::super::parameter::Parameter;
use super::super::wire::leaf::{Parsed, Texts};
use super::super::wire::requests::{ExtendBody, ReserveBody, ResizeBody, SettleBody, TransferBody};
use super::super::wire::words::StateName;
use super::super::{Call, Change, Problem, Read, Verb};
use super::lines::{Place, to_asked, to_grounds, to_lines, to_ttl_ms, wrong};
use super::{Input, body};

pub(in crate::native) fn reserve(input: &Input<'_>) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    let body: ReserveBody = body::read(input.body)?;
    to_reserve(id, body, Place::Body).map(|reserve| Call::Act(Action::Reserve(reserve)))
}

/// Reads the body of a reserve, but for a `force`: what passes the limits needs no check of them.
pub(in crate::native) fn check(input: &Input<'_>) -> Result<Call, Problem> {
    let body: ReserveBody = body::read(input.body)?;
    if body.force.is_some() {
        let must = "has no meaning in a check, which tells what the limits allow: leave it out";
        return Err(wrong(Place::Body.member("force"), must));
    }
    Ok(Call::Check {
        scope: body.scope.0,
        asked: to_asked(body.lines.0, Place::Body)?,
    })
}

pub(in crate::native) fn commit(input: &Input<'_>) -> Result<Call, Problem> {
    let (part, scope) = settled(input)?;
    change(input, scope, Verb::Commit { part })
}

pub(in crate::native) fn release(input: &Input<'_>) -> Result<Call, Problem> {
    let (part, scope) = settled(input)?;
    change(input, scope, Verb::Release { part })
}

fn settled(input: &Input<'_>) -> Result<(Option<Lines>, Option<Parsed<ScopeId>>), Problem> {
    let body: SettleBody = body::read_or_default(input.body)?;
    let part = body.lines.map(|lines| to_lines(lines.0, Place::Body));
    Ok((part.transpose()?, body.scope))
}

pub(in crate::native) fn extend(input: &Input<'_>) -> Result<Call, Problem> {
    let body: ExtendBody = body::read(input.body)?;
    let ttl_ms = to_ttl_ms(body.ttl_seconds);
    change(input, body.scope, Verb::Extend { ttl_ms })
}

pub(in crate::native) fn resize(input: &Input<'_>) -> Result<Call, Problem> {
    let body: ResizeBody = body::read(input.body)?;
    let verb = Verb::Resize {
        lines: to_lines(body.lines.0, Place::Body)?,
        grounds: to_grounds(body.force),
    };
    change(input, body.scope, verb)
}

pub(in crate::native) fn transfer(input: &Input<'_>) -> Result<Call, Problem> {
    let body: TransferBody = body::read(input.body)?;
    let verb = Verb::Transfer {
        to: body.to.0,
        grounds: to_grounds(body.force),
    };
    change(input, body.scope, verb)
}

fn change(input: &Input<'_>, scope: Option<Parsed<ScopeId>>, verb: Verb) -> Result<Call, Problem> {
    Ok(Call::Change(Change {
        id: input.path.first("id")?,
        scope: scope.map(|Parsed(scope)| scope),
        verb,
        expected: input.expected()?,
    }))
}

pub(in crate::native) fn one(input: &Input<'_>) -> Result<Call, Problem> {
    Ok(Call::Read(Read::Reservation {
        id: input.path.first("id")?,
        scope: input.query.value(Parameter::Scope)?,
    }))
}

pub(in crate::native) fn all(input: &Input<'_>) -> Result<Call, Problem> {
    let state: Option<StateName> = input.query.value(Parameter::State)?;
    Ok(Call::Read(Read::Reservations {
        scope: input.scope()?,
        filter: ReservationFilter {
            state: state.map(|StateName(name)| name),
            holder: input.query.value(Parameter::Holder)?,
            resource: input.query.value(Parameter::Resource)?,
            location: input.query.value(Parameter::Location)?,
        },
        page: input.query.page()?,
    }))
}

/// A hold has a time to live; what is committed at once has none, whatever `ttl_seconds` says.
pub(super) fn to_reserve(
    id: ReservationId,
    body: ReserveBody,
    place: Place,
) -> Result<Reserve, Problem> {
    let terms = match body.commit {
        Some(true) => Terms::Commit,
        Some(false) | None => Terms::Hold {
            ttl_ms: body.ttl_seconds.map_or(HOLD_TTL_MS_DEFAULT, to_ttl_ms),
        },
    };
    Ok(Reserve {
        id,
        scope: body.scope.0,
        asked: to_asked(body.lines.0, place)?,
        terms,
        grounds: to_grounds(body.force),
        holder: body.holder.map(|Parsed(holder)| holder),
        attributes: body.attributes.map(|Texts(it)| it).unwrap_or_default(),
    })
}
