//! Which limit counts: by time, by place, by tier, by default.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::instant;
use super::model::{Ceiling, Item, Model};

/// How hard a limit binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Enforce,
    Warn,
    Observe,
}

impl Mode {
    pub(super) fn name(self) -> &'static str {
        match self {
            Mode::Enforce => "enforce",
            Mode::Warn => "warn",
            Mode::Observe => "observe",
        }
    }
}

/// From when until when: the end is the first instant at which it counts no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) starts_at: Option<u64>,
    pub(super) ends_at: Option<u64>,
}

impl Window {
    pub(super) fn is_open(self, at: u64) -> bool {
        let has_started = self.starts_at.is_none_or(|start| start <= at);
        has_started && !self.is_over(at)
    }

    pub(super) fn is_over(self, at: u64) -> bool {
        self.ends_at.is_some_and(|end| end <= at)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Limit {
    pub(super) ceiling: Ceiling,
    pub(super) mode: Mode,
    pub(super) window: Window,
    pub(super) set_by: String,
    pub(super) set_at: u64,
    pub(super) reason: String,
    /// The request whose approval it is.
    pub(super) request: Option<String>,
    pub(super) revision: u64,
}

impl Limit {
    /// The last to start counts, and of those the first to end; a standing one never ends. One
    /// without a start has started before all others.
    pub(super) fn rank(&self) -> (Option<u64>, Reverse<u64>, u64) {
        let Window { starts_at, ends_at } = self.window;
        (
            starts_at,
            Reverse(ends_at.unwrap_or(u64::MAX)),
            self.revision,
        )
    }
}

/// A named set of limits.
#[derive(Clone, Debug, Default)]
pub(super) struct Tier {
    pub(super) limits: BTreeMap<Item, (Ceiling, Mode)>,
}

/// What binds somewhere, and where that comes from.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) ceiling: Ceiling,
    pub(super) mode: Mode,
    pub(super) source: &'static str,
    pub(super) set: Value,
    pub(super) tier: Option<String>,
}

impl Bound {
    /// Nothing is set: numbers end all the same.
    pub(super) const NUMBERS: Bound = Bound {
        ceiling: Ceiling::Unlimited,
        mode: Mode::Enforce,
        source: "number_space",
        set: Value::Null,
        tier: None,
    };

    /// What may be taken at most: who lets pass does not bind.
    pub(super) fn binds(&self) -> Ceiling {
        match self.mode {
            Mode::Enforce => self.ceiling,
            Mode::Warn | Mode::Observe => Ceiling::Unlimited,
        }
    }

    fn of_limit(limit: &Limit, of: &Item) -> Bound {
        Bound {
            ceiling: limit.ceiling,
            mode: limit.mode,
            source: "limit",
            set: json!({
                "location": of.location, "set_by": limit.set_by, "reason": limit.reason,
                "starts_at": limit.window.starts_at.map(instant),
                "ends_at": limit.window.ends_at.map(instant),
                "request": limit.request, "revision": limit.revision,
            }),
            tier: None,
        }
    }
}

impl Item {
    /// The same at any location, where this is at one.
    pub(super) fn anywhere(&self) -> Option<Item> {
        self.location.as_ref().map(|_| Item {
            resource: self.resource.clone(),
            location: None,
        })
    }
}

impl Model {
    /// The limits set for exactly this, whether they count now or not.
    pub(super) fn limits_of(&self, scope: &str, item: &Item) -> &[Limit] {
        let limits = self.limits.get(&(scope.to_owned(), item.clone()));
        limits.map_or(&[], Vec::as_slice)
    }

    /// Those of them that are open, the one that counts last.
    fn open_limits(&self, scope: &str, item: &Item, now: u64) -> Vec<&Limit> {
        let limits = self.limits_of(scope, item).iter();
        let mut open: Vec<&Limit> = limits.filter(|limit| limit.window.is_open(now)).collect();
        open.sort_by_key(|limit| limit.rank());
        open
    }

    fn tier_bound(&self, scope: &str, item: &Item) -> Option<Bound> {
        let name = self.tier_of.get(scope)?;
        let limits = &self.tiers.get(name)?.limits;
        let found = limits.get(item);
        let (ceiling, mode) = *found.or_else(|| limits.get(&item.anywhere()?))?;
        Some(Bound {
            ceiling,
            mode,
            source: "tier",
            set: Value::Null,
            tier: Some(name.clone()),
        })
    }

    pub(super) fn default_bound(&self, item: &Item) -> Bound {
        Bound {
            ceiling: self.resources[&item.resource].ceiling,
            source: "default",
            ..Bound::NUMBERS
        }
    }

    /// What counts among what is set at a scope: a limit in force for the exact location, else one
    /// for any, else the tier's.
    pub(super) fn set_bound(&self, scope: &str, item: &Item, now: u64) -> Option<Bound> {
        let in_force = |item: Item| {
            let last = self.open_limits(scope, &item, now).last().copied();
            last.map(|limit| Bound::of_limit(limit, &item))
        };
        in_force(item.clone())
            .or_else(|| in_force(item.anywhere()?))
            .or_else(|| self.tier_bound(scope, item))
    }

    /// What binds an item at the scope that uses it: what is set, else the default.
    pub(super) fn user_bound(&self, scope: &str, item: &Item, now: u64) -> Bound {
        let set = self.set_bound(scope, item, now);
        set.unwrap_or_else(|| self.default_bound(item))
    }

    /// What binds an item at a scope until further notice: as if no limit had an end.
    pub(super) fn standing_bound(&self, scope: &str, item: &Item, now: u64) -> Bound {
        let standing = |item: Item| {
            let limit = self.standing_limit(scope, &item, now)?;
            Some(Bound::of_limit(limit, &item))
        };
        standing(item.clone())
            .or_else(|| standing(item.anywhere()?))
            .or_else(|| self.tier_bound(scope, item))
            .unwrap_or_else(|| self.default_bound(item))
    }

    /// The limit for exactly this that counts now and has no end.
    pub(super) fn standing_limit(&self, scope: &str, item: &Item, now: u64) -> Option<&Limit> {
        let mut open = self.open_limits(scope, item, now);
        open.retain(|limit| limit.window.ends_at.is_none());
        open.last().copied()
    }

    /// The chain that leads to a number at a scope, the weakest first: default, tier, limits.
    pub(super) fn chain(&self, scope: &str, item: &Item, now: u64) -> Vec<Bound> {
        let mut chain = vec![self.default_bound(item)];
        chain.extend(self.tier_bound(scope, item));
        for of in item.anywhere().iter().chain([item]) {
            let open = self.open_limits(scope, of, now);
            chain.extend(open.into_iter().map(|limit| Bound::of_limit(limit, of)));
        }
        chain
    }

    /// How many windows start or end between two instants.
    pub(super) fn windows_between(&self, after: u64, until: u64) -> usize {
        let turns = |limit: &&Limit| {
            let instants = [limit.window.starts_at, limit.window.ends_at];
            let mut instants = instants.into_iter().flatten();
            instants.any(|at| after < at && at <= until)
        };
        self.limits.values().flatten().filter(turns).count()
    }
}
