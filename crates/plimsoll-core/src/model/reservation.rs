//! Reservations: what callers took, and how they asked for it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use super::{Attributes, Item};
use crate::amount::{Amount, Timestamp};
use crate::bounds::RESERVATION_LINES_MAX;
use crate::names::{ReservationId, ScopeId, Text};

/// One part of a reservation.
///
/// Invariants: `amount > 0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What is taken.
    pub item: Item,
    /// How much.
    pub amount: Amount,
}

/// What a caller took.
///
/// Shape: one row per (tenant, id); all lines in one scope.
/// Invariants: the state moves only from `Held` to any other, and from `Committed` to `Released`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The root of the scope's tree.
    pub tenant: ScopeId,
    /// The caller's id for it.
    pub id: ReservationId,
    /// Where it was taken.
    pub scope: ScopeId,
    /// What it takes now; once it has ended, what it took last.
    pub lines: Lines,
    /// What was asked for, where that is not what it takes now.
    pub original: Option<Box<Original>>,
    /// How it was asked for.
    pub terms: Terms,
    /// Why it was granted past the limits, where it was. A later resize or transfer that was let
    /// past them says so in its event alone: this is part of what was asked for.
    pub forced: Option<Text>,
    /// The real thing behind it: an image id.
    pub holder: Option<Text>,
    /// Whatever the caller wants to find again.
    pub attributes: Attributes,
    /// Where it stands.
    pub state: State,
    /// When it was granted.
    pub created_at: Timestamp,
    /// The revision of its last change.
    pub revision: u64,
}

/// What a reservation was asked for as, where it has changed since: a repeat is compared with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// Where it was to be taken.
    pub scope: ScopeId,
    /// What was to be taken.
    pub asked: Asked,
}

/// What a caller asks for: lines, and what would do of each.
///
/// Invariants: `at_least`, where it is there, has an amount for each line: more than nothing, and
/// no more than the line's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    lines: Lines,
    at_least: Option<Box<[Amount]>>,
}

impl Asked {
    /// Asks for whole lines.
    pub fn whole(lines: Lines) -> Self {
        Self {
            lines,
            at_least: None,
        }
    }

    /// Asks for lines of which less would do; `None` where the amounts are not those of the lines.
    pub fn at_least(lines: Lines, at_least: Vec<Amount>) -> Option<Self> {
        let would_do =
            |(line, least): (&Line, &Amount)| Amount::ZERO < *least && *least <= line.amount;
        if at_least.len() != lines.len() || !lines.iter().zip(&at_least).all(would_do) {
            return None;
        }
        let is_whole = lines
            .iter()
            .zip(&at_least)
            .all(|(line, least)| line.amount == *least);
        let at_least = (!is_whole).then(|| at_least.into_boxed_slice());
        Some(Self { lines, at_least })
    }

    /// The lines.
    pub fn lines(&self) -> &Lines {
        &self.lines
    }

    /// Each line with the least of it that would do.
    pub fn iter(&self) -> impl Iterator<Item = (&Line, Amount)> {
        let least = |index: usize| {
            self.at_least
                .as_ref()
                .and_then(|all| all.get(index))
                .copied()
        };
        let lines = self.lines.iter().enumerate();
        lines.map(move |(index, line)| (line, least(index).unwrap_or(line.amount)))
    }

    /// Whether each line is asked for whole.
    pub fn is_whole(&self) -> bool {
        self.at_least.is_none()
    }
}

/// How a reservation was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// Hold it for so many milliseconds, then let it lapse.
    Hold {
        /// At least 1, at most `HOLD_TTL_MS_MAX`.
        ttl_ms: u64,
    },
    /// Take it for good at once.
    Commit,
}

/// Where a reservation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Counts as `held`; lapses at `expires_at`.
    Held {
        /// The first instant at which it is no longer held.
        expires_at: Timestamp,
    },
    /// Counts as `used`.
    Committed,
    /// Counts no more: its caller let it go.
    Released {
        /// When.
        ended_at: Timestamp,
    },
    /// Counts no more: its time ran out.
    Expired {
        /// When the ledger took note of it.
        ended_at: Timestamp,
    },
}

impl State {
    /// The state's name, as every surface spells it.
    pub fn name(self) -> &'static str {
        match self {
            State::Held { .. } => "held",
            State::Committed => "committed",
            State::Released { .. } => "released",
            State::Expired { .. } => "expired",
        }
    }

    /// When it ended, where it has.
    pub fn ended_at(self) -> Option<Timestamp> {
        match self {
            State::Held { .. } | State::Committed => None,
            State::Released { ended_at } | State::Expired { ended_at } => Some(ended_at),
        }
    }

    /// Whether it still counts.
    pub fn is_live(self) -> bool {
        match self {
            State::Held { .. } | State::Committed => true,
            State::Released { .. } | State::Expired { .. } => false,
        }
    }

    /// Whether it is a hold whose time has run out at `now`.
    pub fn is_due(self, now: Timestamp) -> bool {
        match self {
            State::Held { expires_at } => expires_at <= now,
            State::Committed | State::Released { .. } | State::Expired { .. } => false,
        }
    }
}

/// The lines of one reservation.
///
/// Invariants: 1 to `RESERVATION_LINES_MAX` lines, no two with the same item, no amount zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines(Kept);

/// Almost all reservations have one line: it needs no memory of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kept {
    One([Line; 1]),
    Many(Vec<Line>),
}

fn kept(lines: Vec<Line>) -> Kept {
    <[Line; 1]>::try_from(lines).map_or_else(Kept::Many, Kept::One)
}

/// Why some lines are not the lines of one reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinesError {
    /// There are none.
    None,
    /// More than `RESERVATION_LINES_MAX`.
    TooMany,
    /// A line that asks for nothing.
    ZeroAmount,
    /// Two lines about the same resource and location.
    RepeatedItem,
}

impl fmt::Display for LinesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinesError::None => f.write_str("must have at least one line"),
            LinesError::TooMany => write!(f, "must have at most {RESERVATION_LINES_MAX} lines"),
            LinesError::ZeroAmount => f.write_str("must ask for more than nothing in each line"),
            LinesError::RepeatedItem => {
                f.write_str("must name each resource and location in one line only")
            }
        }
    }
}

impl core::error::Error for LinesError {}

impl Lines {
    /// Checks some lines.
    pub fn new(lines: Vec<Line>) -> Result<Self, LinesError> {
        let is_repeated = |(index, line): (usize, &Line)| {
            lines
                .iter()
                .take(index)
                .any(|earlier| earlier.item == line.item)
        };
        if lines.is_empty() {
            return Err(LinesError::None);
        }
        if lines.len() > RESERVATION_LINES_MAX {
            return Err(LinesError::TooMany);
        }
        if lines.iter().any(|line| line.amount == Amount::ZERO) {
            return Err(LinesError::ZeroAmount);
        }
        if lines.iter().enumerate().any(is_repeated) {
            return Err(LinesError::RepeatedItem);
        }
        Ok(Self(kept(lines)))
    }

    /// One line; `None` where it asks for nothing.
    pub fn one(line: Line) -> Option<Self> {
        (Amount::ZERO < line.amount).then_some(Self(Kept::One([line])))
    }

    /// The amount of an item; zero where no line is about it.
    pub fn amount_of(&self, item: &Item) -> Amount {
        let line = self.iter().find(|line| line.item == *item);
        line.map_or(Amount::ZERO, |line| line.amount)
    }

    /// What is left of the lines without some others; `None` where nothing is.
    pub fn without(&self, others: &Lines) -> Option<Lines> {
        let left = self.iter().filter_map(|line| {
            let amount = line.amount.minus(others.amount_of(&line.item))?;
            let item = line.item.clone();
            (amount > Amount::ZERO).then_some(Line { item, amount })
        });
        let left: Vec<Line> = left.collect();
        (!left.is_empty()).then(|| Lines(kept(left)))
    }

    /// Whether all of some other lines are part of these.
    pub fn cover(&self, others: &Lines) -> bool {
        others
            .iter()
            .all(|other| other.amount <= self.amount_of(&other.item))
    }
}

impl Deref for Lines {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        match &self.0 {
            Kept::One(line) => line,
            Kept::Many(lines) => lines,
        }
    }
}
