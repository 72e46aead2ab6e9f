//! Amounts, ceilings and instants: exact integers, checked arithmetic, no floats.

use crate::bounds::{AMOUNT_MAX, TIMESTAMP_MS_MAX};

/// How much of a resource, in the resource's unit.
///
/// Invariants: at most `AMOUNT_MAX`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u64);

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);
    /// The largest amount.
    pub const MAX: Amount = Amount(AMOUNT_MAX);

    /// An amount; `None` above `AMOUNT_MAX`.
    pub const fn new(units: u64) -> Option<Self> {
        if units <= AMOUNT_MAX {
            Some(Self(units))
        } else {
            None
        }
    }

    /// The number of units.
    pub const fn units(self) -> u64 {
        self.0
    }

    /// The sum; `None` above `AMOUNT_MAX`.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::new)
    }

    /// The difference; `None` below zero.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The difference, or zero.
    #[must_use]
    pub fn minus_or_zero(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The sum, or `AMOUNT_MAX`.
    #[must_use]
    pub fn plus_or_max(self, other: Self) -> Self {
        self.plus(other).unwrap_or(Self::MAX)
    }
}

/// The most that an account may hold. Zero, unlimited and unset are three different things; unset
/// is `None` of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceiling {
    /// At most so many units.
    Finite(Amount),
    /// Whatever the number space holds.
    Unlimited,
}

impl Ceiling {
    /// The ceiling as an amount: unlimited still ends where numbers end.
    pub fn amount(self) -> Amount {
        match self {
            Ceiling::Finite(amount) => amount,
            Ceiling::Unlimited => Amount::MAX,
        }
    }
}

/// An instant.
///
/// Units: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
/// Invariants: at most `TIMESTAMP_MS_MAX`, so that every instant has an RFC 3339 form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// An instant from milliseconds since the epoch; `None` past the year 9999.
    pub const fn from_ms(ms: u64) -> Option<Self> {
        if ms <= TIMESTAMP_MS_MAX {
            Some(Self(ms))
        } else {
            None
        }
    }

    /// Milliseconds since the epoch.
    pub const fn ms(self) -> u64 {
        self.0
    }

    /// The instant `ms` milliseconds later, or the last one there is.
    #[must_use]
    pub fn after_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms).min(TIMESTAMP_MS_MAX))
    }
}

#[cfg(test)]
mod tests;
