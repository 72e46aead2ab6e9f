//! Limits: what somebody set, for when, and how hard it binds.

use alloc::vec::Vec;
use core::cmp::Reverse;

use super::Item;
use crate::amount::{Ceiling, Timestamp};
use crate::bounds::TIER_LIMITS_MAX;
use crate::names::{PrincipalId, RequestId, ScopeId, Text, TierName};

/// How hard a ceiling binds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// What would pass it is refused.
    #[default]
    Enforce,
    /// What passes it is admitted, and its caller is told.
    Warn,
    /// What passes it is admitted, and counted.
    Observe,
}

impl Mode {
    /// The mode's name, as every surface spells it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Enforce => "enforce",
            Mode::Warn => "warn",
            Mode::Observe => "observe",
        }
    }
}

/// From when until when a limit counts.
///
/// Invariants: it starts before it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
}

impl Window {
    /// From the beginning until further notice: the window of a standing limit.
    pub const ALWAYS: Window = Window {
        starts_at: None,
        ends_at: None,
    };

    /// A window; `None` where it would end before it starts.
    pub fn new(starts_at: Option<Timestamp>, ends_at: Option<Timestamp>) -> Option<Self> {
        let is_empty = ends_at.is_some_and(|end| end <= starts_at.unwrap_or_default());
        (!is_empty).then_some(Self { starts_at, ends_at })
    }

    /// The first instant at which it counts; `None` for from the beginning.
    pub fn starts_at(self) -> Option<Timestamp> {
        self.starts_at
    }

    /// The first instant at which it counts no more; `None` for until further notice.
    pub fn ends_at(self) -> Option<Timestamp> {
        self.ends_at
    }

    /// Whether it is open at an instant.
    pub fn is_open(self, at: Timestamp) -> bool {
        self.starts_at.is_none_or(|start| start <= at) && !self.is_over(at)
    }

    /// Whether it will not open any more.
    pub fn is_over(self, at: Timestamp) -> bool {
        self.ends_at.is_some_and(|end| end <= at)
    }
}

/// A ceiling that somebody set for a scope, an item and a time.
///
/// Shape: one row holds all limits of a scope and an item, each with another window; at most
/// `LIMITS_OF_ITEM_MAX`. Those that are over leave the row when it is next written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Where it binds.
    pub scope: ScopeId,
    /// What it binds.
    pub item: Item,
    /// When it binds.
    pub window: Window,
    /// How much there may be.
    pub ceiling: Ceiling,
    /// How hard it binds.
    pub mode: Mode,
    /// Who set it.
    pub set_by: PrincipalId,
    /// When.
    pub set_at: Timestamp,
    /// Why.
    pub reason: Text,
    /// The request whose approval it is.
    pub request: Option<RequestId>,
    /// The revision of the tenant's log at which it was set; a caller's compare-and-set names it.
    pub revision: u64,
}

impl Limit {
    /// The one of a row's limits that counts at an instant.
    pub fn in_force(limits: &[Limit], at: Timestamp) -> Option<&Limit> {
        let open = limits.iter().filter(|limit| limit.window.is_open(at));
        open.max_by_key(|limit| limit.precedence())
    }

    /// The one that would count at an instant if none of those that end were there.
    pub fn standing(limits: &[Limit], at: Timestamp) -> Option<&Limit> {
        let open = limits.iter().filter(|limit| limit.window.is_open(at));
        let endless = open.filter(|limit| limit.window.ends_at.is_none());
        endless.max_by_key(|limit| limit.precedence())
    }

    /// Of several limits whose windows are open the highest counts: the last to start, then the
    /// first to end, then the last set. So one for a time goes before a standing one.
    pub fn precedence(&self) -> (Option<Timestamp>, Reverse<u64>, u64) {
        let ends_at = self.window.ends_at.map_or(u64::MAX, Timestamp::ms);
        (self.window.starts_at, Reverse(ends_at), self.revision)
    }
}

/// A named set of limits that a scope can be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Its name: `starter`.
    pub name: TierName,
    /// For people.
    pub description: Text,
    /// What it allows.
    pub limits: TierLimits,
}

/// One ceiling of a tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierLimit {
    /// What it binds.
    pub item: Item,
    /// How much there may be.
    pub ceiling: Ceiling,
    /// How hard it binds.
    pub mode: Mode,
}

/// The ceilings of a tier.
///
/// Invariants: at most `TIER_LIMITS_MAX`, in order of item, no two of the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TierLimits(Vec<TierLimit>);

impl TierLimits {
    /// Some ceilings in any order; `None` where they are too many or two are about the same item.
    pub fn new(mut limits: Vec<TierLimit>) -> Option<Self> {
        limits.sort_by(|one, other| one.item.cmp(&other.item));
        let is_repeated = limits
            .iter()
            .zip(limits.iter().skip(1))
            .any(|(one, next)| one.item == next.item);
        (limits.len() <= TIER_LIMITS_MAX && !is_repeated).then_some(Self(limits))
    }

    /// The ceilings in order of item.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &TierLimit> {
        self.0.iter()
    }

    /// The ceiling for exactly this item.
    pub fn of(&self, item: &Item) -> Option<&TierLimit> {
        let found = self.0.binary_search_by(|limit| limit.item.cmp(item));
        found.ok().and_then(|index| self.0.get(index))
    }
}
