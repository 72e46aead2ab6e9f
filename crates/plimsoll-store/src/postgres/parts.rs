//! A large submission in parts, each of tenants of its own: a database has more than one processor,
//! and a transaction keeps one of them busy.
//!
//! Each command is decided by itself, and those of one tenant stay in their order.

use plimsoll_core::command::Command;
use plimsoll_core::names::ScopeId;
use plimsoll_core::outcome::Outcome;

use super::batch::lock_for;
use super::load::Lock;
use super::names::{ScopesKnown, scopes_of};
use super::spread;
use crate::lane::{BATCH_COMMANDS_MAX, Lane, SubmitError};

/// Parts, and lanes for them.
pub(super) const PARTS: usize = 2;

/// Commands of the least submission that is worth more than one transaction.
const DIVIDED_MIN: usize = 1_024;

/// Commands by part, each with its place in the submission.
pub(super) struct Parts {
    commands: [Vec<Command>; PARTS],
    places: [Vec<usize>; PARTS],
}

impl Parts {
    /// Divides a submission; hands it back where it is small, or where the tenant of a command is
    /// not known.
    pub(super) fn of(commands: Vec<Command>, known: &ScopesKnown) -> Result<Self, Vec<Command>> {
        if !(DIVIDED_MIN..=BATCH_COMMANDS_MAX).contains(&commands.len())
            || lock_for(commands.iter()) != Lock::Tenants
        {
            return Err(commands);
        }
        let parts = commands.iter().map(|command| part_of(command, known));
        let Some(parts) = parts.collect::<Option<Vec<usize>>>() else {
            return Err(commands);
        };
        let mut it = Self {
            commands: Default::default(),
            places: Default::default(),
        };
        for (place, (command, part)) in commands.into_iter().zip(parts).enumerate() {
            it.commands[part].push(command);
            it.places[part].push(place);
        }
        Ok(it)
    }

    /// Has all parts decided at once, and puts the outcomes in the order of the submission.
    ///
    /// Errors: where one part has come to nothing and another has not, nobody can say that
    /// nothing was done: [`SubmitError::Unknown`].
    pub(super) async fn submit(self, lanes: &[Lane]) -> Result<Vec<Outcome>, SubmitError> {
        let lengths = self.places.iter().map(Vec::len);
        let mut outcomes: Vec<Option<Outcome>> = vec![None; lengths.sum()];
        let [first, second] = self.commands;
        let (first, second) = tokio::join!(lanes[0].submit(first), lanes[1].submit(second));
        let decided = match (first, second) {
            (Ok(first), Ok(second)) => [first, second],
            (Err(first), Err(second)) => return Err(both(first, second)),
            (Ok(done), Err(error)) | (Err(error), Ok(done)) => {
                let is_alone = done.is_empty();
                return Err(if is_alone {
                    error
                } else {
                    SubmitError::Unknown
                });
            }
        };
        for (places, decided) in self.places.iter().zip(decided) {
            for (place, outcome) in places.iter().zip(decided) {
                outcomes[*place] = Some(outcome);
            }
        }
        let outcomes: Option<Vec<Outcome>> = outcomes.into_iter().collect();
        outcomes.ok_or(SubmitError::Unknown)
    }
}

/// What is to be said where two parts have come to nothing.
fn both(first: SubmitError, second: SubmitError) -> SubmitError {
    if first == SubmitError::Unknown {
        first
    } else {
        second
    }
}

/// Where a command belongs; `None` where it is not known that it concerns one tenant alone.
fn part_of(command: &Command, known: &ScopesKnown) -> Option<usize> {
    let footprint = command.footprint();
    if !footprint.requests.is_empty() || !footprint.principals.is_empty() {
        return None;
    }
    let mut tenants = scopes_of(&footprint).map(|scope| known.tenant(scope));
    let first: ScopeId = tenants.next()??;
    let is_alone = tenants.all(|tenant| tenant.as_ref() == Some(&first));
    is_alone.then(|| spread(&first) % PARTS)
}
