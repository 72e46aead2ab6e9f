//! Bugs that a simulation must find, or it is worth nothing.
//!
//! They stand around the code that is tested, never in it: a decision is changed on its way, rows
//! are hidden, the disk lies, the guard of the clock is taken off. Without the feature
//! `planted-bugs` there is none.

use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::Command;
use plimsoll_core::decide::decide;
use plimsoll_core::outcome::{Breach, Decision};
use plimsoll_core::rows::Rows;
use plimsoll_store::simulation::Decide;

#[cfg_attr(not(feature = "planted-bugs"), path = "planted/none.rs")]
mod wrapped;

/// A bug that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A write is answered before it is flushed.
    #[cfg(feature = "planted-bugs")]
    AnswerBeforeFlush,
    /// The same id again is decided anew.
    #[cfg(feature = "planted-bugs")]
    NoIdempotency,
    /// Holds lapse by a clock that has jumped.
    #[cfg(feature = "planted-bugs")]
    JumpedClock,
    /// What is taken in a scope is not put on the account above it.
    #[cfg(feature = "planted-bugs")]
    ParentNotCharged,
}

impl Bug {
    /// All of them, by name.
    pub const ALL: &[(&str, Bug)] = &[
        #[cfg(feature = "planted-bugs")]
        ("answer-before-flush", Bug::AnswerBeforeFlush),
        #[cfg(feature = "planted-bugs")]
        ("no-idempotency", Bug::NoIdempotency),
        #[cfg(feature = "planted-bugs")]
        ("jumped-clock", Bug::JumpedClock),
        #[cfg(feature = "planted-bugs")]
        ("parent-not-charged", Bug::ParentNotCharged),
    ];

    /// The bug of a name.
    pub fn named(name: &str) -> Option<Bug> {
        let found = Bug::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, bug)| *bug)
    }

    /// The name of a bug.
    pub fn name_of(bug: Option<Bug>) -> Option<&'static str> {
        let found = Bug::ALL.iter().find(|(_, known)| Some(*known) == bug);
        found.map(|(name, _)| *name)
    }

    /// Whether the guard of the clock is off.
    pub(crate) fn follows_the_wall_clock(bug: Option<Bug>) -> bool {
        Bug::named("jumped-clock").is_some_and(|jumped| bug == Some(jumped))
    }

    /// Whether the disk says that it has flushed, and has not.
    pub(crate) fn lies(bug: Option<Bug>) -> bool {
        Bug::named("answer-before-flush").is_some_and(|lying| bug == Some(lying))
    }
}

/// Decides as the core does, but for what is planted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decider {
    pub(crate) bug: Option<Bug>,
}

impl Decide for Decider {
    fn decide<R: Rows>(
        &self,
        rows: &R,
        command: &Command,
        now: Timestamp,
    ) -> Result<Decision, Breach> {
        match self.bug {
            None => decide(rows, command, now),
            Some(bug) => wrapped::decide(bug, rows, command, now),
        }
    }
}
