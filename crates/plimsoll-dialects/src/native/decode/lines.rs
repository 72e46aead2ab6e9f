//! What the bodies about reservations share: lines, holds' times, the wish to pass the limits.

use std::fmt;

use plimsoll_core::amount::Amount;
use plimsoll_core::command::Grounds;
use plimsoll_core::model::{Asked, Item, Line, Lines, LinesError};
use plimsoll_core::names::{LocationId, ResourceName};

use super::super::Problem;
use super::super::wire::leaf::{Object, Parsed, Whole};
use super::super::wire::requests::{ForceBody, LineBody, TTL_SECONDS_MAX, TakenLineBody};

/// Where a command stands in the body; `Display` is its JSON pointer.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Body,
    Command(usize),
}

impl Place {
    /// The pointer to a member of the command.
    pub(super) fn member(self, name: &str) -> String {
        format!("{self}/{name}")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Body => Ok(()),
            Place::Command(index) => write!(f, "/commands/{index}"),
        }
    }
}

/// What a reserve or a check asks for.
pub(super) fn to_asked(bodies: Vec<Object<LineBody>>, place: Place) -> Result<Asked, Problem> {
    let is_whole = bodies.iter().all(|Object(body)| body.at_least.is_none());
    let mut at_least = Vec::new();
    for (index, Object(body)) in bodies.iter().enumerate().filter(|_| !is_whole) {
        let amount = Amount::from(body.amount);
        let least = body.at_least.map_or(amount, Amount::from);
        if amount < least {
            let pointer = place.member(&format!("lines/{index}/at_least"));
            return Err(wrong(pointer, "must be at most the `amount` of its line"));
        }
        at_least.push(least);
    }
    let lines = bodies
        .into_iter()
        .map(|Object(body)| line(body.resource, body.location, body.amount.into()));
    let lines = checked(lines, place)?;
    if is_whole {
        return Ok(Asked::whole(lines));
    }
    Asked::at_least(lines, at_least)
        .ok_or_else(|| wrong(place.member("lines"), "must ask for more than nothing"))
}

/// The lines of a reservation that is there, or some of them.
pub(super) fn to_lines(bodies: Vec<Object<TakenLineBody>>, place: Place) -> Result<Lines, Problem> {
    let lines = bodies
        .into_iter()
        .map(|Object(body)| line(body.resource, body.location, body.amount.into()));
    checked(lines, place)
}

fn line(
    resource: Parsed<ResourceName>,
    location: Option<Parsed<LocationId>>,
    amount: Amount,
) -> Line {
    let location = location.map(|Parsed(location)| location);
    Line {
        item: Item {
            resource: resource.0,
            location,
        },
        amount,
    }
}

/// Most have one line, for which no list has to be made.
fn checked(mut lines: impl ExactSizeIterator<Item = Line>, place: Place) -> Result<Lines, Problem> {
    let checked = match lines.next() {
        Some(line) if lines.len() == 0 => Lines::one(line).ok_or(LinesError::ZeroAmount),
        first => Lines::new(first.into_iter().chain(lines).collect()),
    };
    checked.map_err(|error| wrong(place.member("lines"), &error.to_string()))
}

/// Whether the limits may be passed.
pub(super) fn to_grounds(body: Option<Object<ForceBody>>) -> Grounds {
    body.map_or(Grounds::Limits, |Object(ForceBody { reason })| {
        Grounds::Force(reason.0.0)
    })
}

/// A hold's time in milliseconds.
pub(super) fn to_ttl_ms(seconds: Whole<1, TTL_SECONDS_MAX>) -> u64 {
    seconds.number().saturating_mul(1_000)
}

/// A problem at a place: a sentence whose subject is the place.
pub(super) fn wrong(pointer: String, what: &str) -> Problem {
    let detail = format!("`{pointer}` {what}");
    Problem::body(pointer, detail)
}
