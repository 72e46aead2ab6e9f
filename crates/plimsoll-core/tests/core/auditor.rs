//! The judge: knows the design and the log, and nothing of the code under test.
//!
//! It keeps no running figures. Whenever it needs one, it adds up the reservations that live.
//!
//! Its rules are those of the written model, in the simplest words: which limit counts, and what
//! can happen to a reservation.

use std::collections::BTreeMap;

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::bounds::{AMOUNT_MAX, FORGET_RESERVATIONS_MAX, HOLD_TTL_MS_MAX};
use plimsoll_core::command::Reserve;
use plimsoll_core::event::{Cause, Change, Event, Log, Mark};
use plimsoll_core::model::{Asked, Item, Line, Original, Reservation, State, Terms};
use plimsoll_core::names::{LocationId, ReservationId, ResourceName, ScopeId, Text};

/// What the judge remembers of the logs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Auditor {
    defaults: BTreeMap<ResourceName, Ceiling>,
    parents: BTreeMap<ScopeId, Option<ScopeId>>,
    limits: BTreeMap<(ScopeId, ResourceName, Option<LocationId>), Ceiling>,
    pub(crate) reservations: BTreeMap<(ScopeId, ReservationId), Reservation>,
    /// What was asked for when it was granted: what happens to it later changes nothing here.
    pub(crate) asked: BTreeMap<(ScopeId, ReservationId), Reserve>,
    logs: BTreeMap<Log, (u64, Timestamp)>,
}

/// What somebody wants to take, and instead of what.
pub(crate) struct Want<'a> {
    pub(crate) scope: &'a ScopeId,
    pub(crate) lines: &'a [Line],
    pub(crate) instead_of: Option<&'a Reservation>,
    pub(crate) is_forced: bool,
}

/// A limit that would be passed: where, of what, and by how much.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shortfall {
    pub(crate) scope: ScopeId,
    pub(crate) item: Item,
    pub(crate) used: u128,
    pub(crate) held: u128,
    pub(crate) short_by: u128,
}

impl Auditor {
    /// Looks at an event, judges it, and remembers it.
    pub(crate) fn witness(&mut self, event: &Event) {
        let (revision, at) = self.logs.get(&event.log).copied().unwrap_or_default();
        assert_eq!(
            event.revision,
            revision + 1,
            "revisions are dense: {event:?}"
        );
        assert!(at <= event.at, "time does not run backwards: {event:?}");
        self.logs
            .insert(event.log.clone(), (event.revision, event.at));
        let moved = event.changes.iter().find_map(|change| match change {
            Change::Reservation(reservation) => Some(reservation),
            _ => None,
        });
        match event.cause {
            Cause::Reserved
            | Cause::Committed
            | Cause::Released
            | Cause::Expired
            | Cause::Extended
            | Cause::Resized
            | Cause::Transferred => {
                let new = moved.expect("the reservation that moved");
                let key = (new.tenant.clone(), new.id.clone());
                let old = self.reservations.get(&key).cloned();
                match &old {
                    None => self.judge_grant(event, new),
                    Some(old) => self.judge_move(event, old, new),
                }
                self.reservations.insert(key, new.clone());
                self.judge_figures(event, old.as_ref(), new);
            }
            Cause::Forgotten => self.judge_forgotten(event),
            _ => {
                assert!(moved.is_none(), "a reservation moved: {event:?}");
                assert_eq!(event.mark, Mark::Enforced);
                self.note_settings(event);
            }
        }
    }

    fn note_settings(&mut self, event: &Event) {
        for change in &event.changes {
            match change {
                Change::Resource(row) => {
                    self.defaults.insert(row.name.clone(), row.default_ceiling);
                }
                Change::Scope(row) => {
                    let known = self.parents.insert(row.id.clone(), row.parent.clone());
                    assert!(
                        known.is_none_or(|known| known == row.parent),
                        "moved: {row:?}"
                    );
                }
                Change::Limit(row) => {
                    let Item { resource, location } = row.item.clone();
                    self.limits
                        .insert((row.scope.clone(), resource, location), row.ceiling);
                }
                Change::LimitGone { scope, item } => {
                    let Item { resource, location } = item.clone();
                    let gone = self.limits.remove(&(scope.clone(), resource, location));
                    assert!(gone.is_some(), "a limit was never there: {event:?}");
                }
                Change::Location(_) | Change::Principal(_) | Change::PrincipalGone(_) => {}
                Change::Account { .. } | Change::Reservation(_) | Change::ReservationGone(_) => {
                    panic!("taken: {event:?}")
                }
            }
        }
    }

    /// From nothing: as much as fits of what was asked for, and all of it where that fits.
    fn judge_grant(&self, event: &Event, new: &Reservation) {
        self.judge_place(event, new);
        let state = match new.terms {
            Terms::Commit => State::Committed,
            Terms::Hold { ttl_ms } => State::Held {
                expires_at: event.at.after_ms(ttl_ms),
            },
        };
        assert_eq!(
            (event.cause, new.state, new.created_at),
            (Cause::Reserved, state, event.at)
        );
        let asked = match &new.original {
            None => Asked::whole(new.lines.clone()),
            Some(original) => {
                assert_eq!(original.scope, new.scope);
                assert!(!original.asked.is_whole(), "no more is kept than needed");
                original.asked.clone()
            }
        };
        let fitting = self.fitting(&new.scope, &asked, new.forced.is_some(), None);
        assert_eq!(*new.lines, *fitting, "granted (left) is what fits (right)");
        self.judge_fit(event, None, new, new.forced.as_ref());
    }

    /// The table of a reservation's states.
    fn judge_move(&self, event: &Event, old: &Reservation, new: &Reservation) {
        self.judge_place(event, new);
        let ended_at = event.at;
        let is_due = matches!(old.state, State::Held { expires_at } if expires_at <= event.at);
        let is_all = old.lines == new.lines;
        let is_part = !is_all && is_part(new, old);
        let state = match (old.state, event.cause) {
            (State::Held { .. }, Cause::Expired) if is_due && is_all => State::Expired { ended_at },
            (State::Held { .. }, Cause::Committed) if !is_due && (is_all || is_part) => {
                State::Committed
            }
            (State::Held { .. } | State::Committed, Cause::Released) if !is_due && is_all => {
                State::Released { ended_at }
            }
            (State::Held { .. } | State::Committed, Cause::Released) if !is_due && is_part => {
                old.state
            }
            (State::Held { expires_at }, Cause::Extended) if !is_due && is_all => {
                let State::Held { expires_at: until } = new.state else {
                    panic!("held no more: {event:?}");
                };
                assert!(until != expires_at && event.at < until, "{event:?}");
                assert!(until <= event.at.after_ms(HOLD_TTL_MS_MAX), "{event:?}");
                new.state
            }
            (State::Held { .. } | State::Committed, Cause::Resized) if !is_due && !is_all => {
                old.state
            }
            (State::Committed, Cause::Transferred) if old.scope != new.scope => old.state,
            (from, cause) => panic!("{cause:?} of a reservation that is {from:?}: {event:?}"),
        };
        let scope = if event.cause == Cause::Transferred {
            assert!(is_all, "{event:?}");
            new.scope.clone()
        } else {
            old.scope.clone()
        };
        let as_it_was = || {
            let (scope, asked) = (old.scope.clone(), Asked::whole(old.lines.clone()));
            Box::new(Original { scope, asked })
        };
        let takes_the_same = is_all && scope == old.scope;
        let expected = Reservation {
            state,
            lines: new.lines.clone(),
            original: if takes_the_same {
                old.original.clone()
            } else {
                Some(old.original.clone().unwrap_or_else(as_it_was))
            },
            scope,
            revision: event.revision,
            ..old.clone()
        };
        assert_eq!(*new, expected, "nothing else moves");
        match (event.cause, &event.mark) {
            (Cause::Resized | Cause::Transferred, Mark::Forced { reason }) => {
                self.judge_fit(event, Some(old), new, Some(reason));
            }
            (Cause::Resized | Cause::Transferred, Mark::Enforced) => {
                self.judge_fit(event, Some(old), new, None);
            }
            (_, mark) => assert_eq!(*mark, Mark::Enforced),
        }
    }

    fn judge_place(&self, event: &Event, new: &Reservation) {
        assert_eq!(event.log, Log::Tenant(new.tenant.clone()));
        assert_eq!(self.chain(&new.scope).last(), Some(&new.tenant));
        assert_eq!(new.revision, event.revision);
    }

    /// No limit is passed, unless the event says so and why; and never the end of numbers.
    fn judge_fit(
        &self,
        event: &Event,
        instead_of: Option<&Reservation>,
        new: &Reservation,
        force: Option<&Text>,
    ) {
        let mark = force.map_or(Mark::Enforced, |reason| Mark::Forced {
            reason: reason.clone(),
        });
        assert_eq!(event.mark, mark);
        let want = Want {
            scope: &new.scope,
            lines: &new.lines,
            instead_of,
            is_forced: force.is_some(),
        };
        assert_eq!(self.shortfalls(&want, None), [], "over a limit: {event:?}");
    }

    /// Only what has ended is forgotten, the earliest first, and nothing else happens.
    fn judge_forgotten(&mut self, event: &Event) {
        assert_eq!(event.mark, Mark::Enforced);
        assert!((1..=FORGET_RESERVATIONS_MAX).contains(&event.changes.len()));
        for change in &event.changes {
            let Change::ReservationGone(key) = change else {
                panic!("more than forgotten: {event:?}");
            };
            let key = (key.tenant.clone(), key.id.clone());
            let ended = |row: &Reservation| row.state.ended_at().map(|at| (at, row.id.clone()));
            let all = self.reservations.values();
            let first = all
                .filter(|row| row.tenant == key.0)
                .filter_map(ended)
                .min();
            let gone = self.reservations.remove(&key).expect("it was there");
            assert!(ended(&gone).is_some() && ended(&gone) == first, "{event:?}");
            self.asked.remove(&key);
        }
    }

    /// The post-values: every account that the reservation counts in or counted in, and no other.
    fn judge_figures(&self, event: &Event, old: Option<&Reservation>, new: &Reservation) {
        let mut posted = BTreeMap::new();
        for change in &event.changes {
            if let Change::Account {
                scope,
                item,
                account,
            } = change
            {
                let figures = (account.used.units().into(), account.held.units().into());
                let twice = posted.insert((scope.clone(), item.clone()), figures);
                assert!(twice.is_none(), "an account is posted twice: {event:?}");
            }
        }
        let mut expected = BTreeMap::new();
        let counted = old.into_iter().chain([new]);
        for row in counted.filter(|_| event.cause != Cause::Extended) {
            for line in row.lines.iter() {
                for scope in self.chain(&row.scope) {
                    let figures = self.figures(&scope, &line.item, None);
                    expected.insert((scope, line.item.clone()), figures);
                }
            }
        }
        assert_eq!(posted, expected, "{event:?}");
    }

    /// Every limit that would be passed. What is taken instead of something only counts where it
    /// is more.
    ///
    /// With an instant, holds that are due by then no longer count.
    pub(crate) fn shortfalls(&self, want: &Want<'_>, now: Option<Timestamp>) -> Vec<Shortfall> {
        let mut shortfalls = Vec::new();
        for line in want.lines {
            for above in self.chain(want.scope) {
                let before = want.instead_of.map_or(0, |old| {
                    let is_below = self.chain(&old.scope).contains(&above);
                    if is_below { taken(old, &line.item) } else { 0 }
                });
                let amount = u128::from(line.amount.units());
                let ceiling = self.ceiling(want.scope, &above, &line.item, want.is_forced);
                let (used, held) = self.figures(&above, &line.item, now);
                let wanted = used + held - before + amount;
                if before < amount && ceiling < wanted {
                    shortfalls.push(Shortfall {
                        scope: above,
                        item: line.item.clone(),
                        used,
                        held,
                        short_by: wanted - ceiling,
                    });
                }
            }
        }
        shortfalls.sort();
        shortfalls
    }

    /// Of each line as much as there is room for, at least what would do, at most all.
    pub(crate) fn fitting(
        &self,
        scope: &ScopeId,
        asked: &Asked,
        is_forced: bool,
        now: Option<Timestamp>,
    ) -> Vec<Line> {
        let fitting = asked.iter().map(|(line, least)| {
            let rooms = self.chain(scope).into_iter().map(|above| {
                let (used, held) = self.figures(&above, &line.item, now);
                self.ceiling(scope, &above, &line.item, is_forced)
                    .saturating_sub(used + held)
            });
            let room = rooms.min().expect("a scope at least");
            let room = u64::try_from(room).ok().and_then(Amount::new);
            let amount = line.amount.min(room.expect("an amount")).max(least);
            Line {
                amount,
                ..line.clone()
            }
        });
        fitting.collect()
    }

    /// The ceiling of an account at a scope, for somebody who uses it there or below.
    fn ceiling(&self, user: &ScopeId, scope: &ScopeId, item: &Item, is_forced: bool) -> u128 {
        let ceiling = match self.set_at(scope, item) {
            _ if is_forced => Ceiling::Unlimited,
            Some(ceiling) => ceiling,
            None if user == scope => self.defaults[&item.resource],
            None => Ceiling::Unlimited,
        };
        match ceiling {
            Ceiling::Finite(amount) => u128::from(amount.units()),
            Ceiling::Unlimited => u128::from(AMOUNT_MAX),
        }
    }

    /// The instant at which a tenant's log would note something now.
    pub(crate) fn instant(&self, tenant: &ScopeId, now: Timestamp) -> Timestamp {
        let log = self.logs.get(&Log::Tenant(tenant.clone()));
        log.map_or(now, |(_, at)| now.max(*at))
    }

    /// A limit for the exact location, else a limit for any.
    fn set_at(&self, scope: &ScopeId, item: &Item) -> Option<Ceiling> {
        let limit = |location: Option<LocationId>| {
            let key = (scope.clone(), item.resource.clone(), location);
            self.limits.get(&key).copied()
        };
        limit(item.location.clone()).or_else(|| limit(None))
    }

    /// What is used and held of an item in a scope and below.
    fn figures(&self, scope: &ScopeId, item: &Item, now: Option<Timestamp>) -> (u128, u128) {
        let (mut used, mut held) = (0, 0);
        for reservation in self.reservations.values() {
            let amount = taken(reservation, item);
            if amount == 0 || !self.chain(&reservation.scope).contains(scope) {
                continue;
            }
            match reservation.state {
                State::Committed => used += amount,
                State::Held { expires_at } if now.is_none_or(|now| now < expires_at) => {
                    held += amount;
                }
                State::Held { .. } | State::Released { .. } | State::Expired { .. } => {}
            }
        }
        (used, held)
    }

    /// Whether there is such a scope.
    pub(crate) fn exists(&self, scope: &ScopeId) -> bool {
        self.parents.contains_key(scope)
    }

    /// A scope and all above it.
    pub(crate) fn chain(&self, scope: &ScopeId) -> Vec<ScopeId> {
        let mut chain = vec![scope.clone()];
        while let Some(Some(parent)) = chain.last().and_then(|below| self.parents.get(below)) {
            chain.push(parent.clone());
        }
        chain
    }
}

/// What a reservation takes, or took, of an item.
fn taken(row: &Reservation, item: &Item) -> u128 {
    let amounts = row.lines.iter().filter(|line| line.item == *item);
    amounts.map(|line| u128::from(line.amount.units())).sum()
}

/// Whether what a reservation takes is part of what another does.
fn is_part(part: &Reservation, of: &Reservation) -> bool {
    let mut lines = part.lines.iter();
    lines.all(|line| taken(part, &line.item) <= taken(of, &line.item))
}
