//! Reservations: one or a batch of them, and checks.

use std::fmt;

use plimsoll_core::bounds::{AMOUNT_MAX, HOLD_TTL_MS_DEFAULT};
use plimsoll_core::command::{Action, Reserve};
use plimsoll_core::model::{Item, Line, Lines, Terms};
use plimsoll_core::names::ReservationId;
use plimsoll_core::report::ReservationFilter;

use super::super::parameter::Parameter;
use super::super::wire::leaf::{Object, Parsed, Texts, Whole};
use super::super::wire::requests::{
    BatchBody, BatchEnvelope, CommandBody, LineBody, ReserveBody, SettleBody,
};
use super::super::wire::words::{Op, StateName};
use super::super::{BatchItem, Call, Problem, Read, Settle, Verb};
use super::{Input, body};

pub(in crate::native) fn reserve(input: &Input<'_>) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    let body: ReserveBody = body::read(input.body)?;
    to_reserve(id, body, Place::Body).map(|reserve| Call::Act(Action::Reserve(reserve)))
}

pub(in crate::native) fn check(input: &Input<'_>) -> Result<Call, Problem> {
    let body: ReserveBody = body::read(input.body)?;
    Ok(Call::Check {
        scope: body.scope.0,
        lines: to_lines(body.lines.0, Place::Body)?,
    })
}

pub(in crate::native) fn commit(input: &Input<'_>) -> Result<Call, Problem> {
    settle(input, Verb::Commit)
}

pub(in crate::native) fn release(input: &Input<'_>) -> Result<Call, Problem> {
    settle(input, Verb::Release)
}

fn settle(input: &Input<'_>, verb: Verb) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    let body: SettleBody = body::read_or_default(input.body)?;
    let scope = body.scope.map(|Parsed(scope)| scope);
    Ok(Call::Settle(Settle { verb, id, scope }))
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
            resource: input.query.value(Parameter::Resource)?,
            location: input.query.value(Parameter::Location)?,
        },
        page: input.query.page()?,
    }))
}

/// Reads a batch in one go; only where that fails, item by item, so that a bad item is its own
/// problem.
pub(in crate::native) fn batch(input: &Input<'_>) -> Result<Call, Problem> {
    let commands = match serde_json::from_slice(input.body) {
        Ok(Object(BatchBody { commands })) => at_places(commands.0)
            .map(|(Object(command), place)| to_item(command, place))
            .collect(),
        Err(_) => {
            let envelope: BatchEnvelope<'_> = body::read(input.body)?;
            at_places(envelope.commands.0)
                .map(|(command, place)| read_item(command.get().as_bytes(), place))
                .collect()
        }
    };
    Ok(Call::Batch(commands))
}

fn at_places<T>(commands: Vec<T>) -> impl Iterator<Item = (T, Place)> {
    let at_place = |(index, command)| (command, Place::Command(index));
    commands.into_iter().enumerate().map(at_place)
}

fn read_item(json: &[u8], place: Place) -> Result<BatchItem, Problem> {
    match serde_json::from_slice(json) {
        Ok(Object(command)) => to_item(command, place),
        Err(_) => Err(body::explain::<CommandBody>(json, &place.to_string())),
    }
}

/// Where a reservation stands in the body; `Display` is its JSON pointer.
#[derive(Clone, Copy)]
enum Place {
    Body,
    Command(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Body => Ok(()),
            Place::Command(index) => write!(f, "/commands/{index}"),
        }
    }
}

fn to_item(command: CommandBody, place: Place) -> Result<BatchItem, Problem> {
    let id = command.id.0;
    let missing = |name| {
        wrong(
            format!("{place}/{name}"),
            "is missing: a `reserve` needs it",
        )
    };
    match command.op.0 {
        Op::Reserve => {
            let body = ReserveBody {
                scope: command.scope.ok_or_else(|| missing("scope"))?,
                lines: command.lines.ok_or_else(|| missing("lines"))?,
                ttl_seconds: command.ttl_seconds,
                commit: command.commit,
                holder: command.holder,
                attributes: command.attributes,
            };
            to_reserve(id, body, place).map(BatchItem::Reserve)
        }
        Op::Settle(verb) => {
            let surplus = [
                ("lines", command.lines.is_some()),
                ("ttl_seconds", command.ttl_seconds.is_some()),
                ("commit", command.commit.is_some()),
                ("holder", command.holder.is_some()),
                ("attributes", command.attributes.is_some()),
            ];
            if let Some((name, _)) = surplus.into_iter().find(|(_, is_there)| *is_there) {
                let must = "belongs to a `reserve` only: leave it out";
                return Err(wrong(format!("{place}/{name}"), must));
            }
            let scope = command.scope.map(|Parsed(scope)| scope);
            Ok(BatchItem::Settle(Settle { verb, id, scope }))
        }
    }
}

/// A hold has a time to live; what is committed at once has none, whatever `ttl_seconds` says.
fn to_reserve(id: ReservationId, body: ReserveBody, place: Place) -> Result<Reserve, Problem> {
    let ttl_seconds = body.ttl_seconds.map(Whole::number);
    let terms = match body.commit {
        Some(true) => Terms::Commit,
        Some(false) | None => Terms::Hold {
            ttl_ms: ttl_seconds
                .map_or(HOLD_TTL_MS_DEFAULT, |seconds| seconds.saturating_mul(1_000)),
        },
    };
    Ok(Reserve {
        id,
        scope: body.scope.0,
        lines: to_lines(body.lines.0, place)?,
        terms,
        holder: body.holder.map(|Parsed(holder)| holder),
        attributes: body.attributes.map(|Texts(it)| it).unwrap_or_default(),
    })
}

fn to_lines(bodies: Vec<Object<LineBody>>, place: Place) -> Result<Lines, Problem> {
    let mut lines = Vec::with_capacity(bodies.len());
    for (index, Object(body)) in bodies.into_iter().enumerate() {
        let is_less = |least: Whole<1, AMOUNT_MAX>| least.number() != body.amount.number();
        if body.at_least.is_some_and(is_less) {
            let must = "must be `amount` itself: a line is taken whole or not at all";
            return Err(wrong(format!("{place}/lines/{index}/at_least"), must));
        }
        lines.push(Line {
            item: Item {
                resource: body.resource.0,
                location: body.location.map(|Parsed(location)| location),
            },
            amount: body.amount.into(),
        });
    }
    Lines::new(lines).map_err(|error| wrong(format!("{place}/lines"), &error.to_string()))
}

fn wrong(pointer: String, what: &str) -> Problem {
    let detail = format!("`{pointer}` {what}");
    Problem::body(pointer, detail)
}
