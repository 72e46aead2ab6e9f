//! The judge: knows the design and the log, and nothing of the code under test.
//!
//! It keeps no running figures. Whenever it needs one, it adds up the reservations that live.
//!
//! Its rules are those of the written model, in the simplest words: which limit counts, and what
//! can happen to a reservation.

use std::collections::BTreeMap;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::bounds::{FORGET_RESERVATIONS_MAX, HOLD_TTL_MS_MAX};
use plimsoll_core::command::Reserve;
use plimsoll_core::event::{Cause, Change, Crossing, Event, Log, Mark};
use plimsoll_core::model::{
    Asked, Item, Limit, Line, Mode, Original, Request, Reservation, Resource, Scope, State, Tally,
    Terms, Tier,
};
use plimsoll_core::names::{RequestId, ReservationId, ResourceName, ScopeId, TierName};

mod admission;
mod settings;

/// What the judge remembers of the logs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Auditor {
    resources: BTreeMap<ResourceName, Resource>,
    tiers: BTreeMap<TierName, Tier>,
    scopes: BTreeMap<ScopeId, Scope>,
    limits: BTreeMap<(ScopeId, Item), Vec<Limit>>,
    tallies: BTreeMap<(ScopeId, Item), Tally>,
    requests: BTreeMap<RequestId, Request>,
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
    /// Whether it refuses, or lets pass and how.
    pub(crate) mode: Mode,
}

/// When something is looked at, and what counts then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) at: Timestamp,
    /// Whether a hold that is due by then counts until the log says that it lapsed.
    pub(crate) counts_due: bool,
}

impl Moment {
    /// As the log tells it.
    fn of(event: &Event) -> Self {
        Self {
            at: event.at,
            counts_due: true,
        }
    }
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
                self.reservations.insert(key, (**new).clone());
                self.judge_figures(event, old.as_ref(), new);
                self.note_tallies(event);
            }
            Cause::Forgotten => self.judge_forgotten(event),
            _ => {
                assert!(moved.is_none(), "a reservation moved: {event:?}");
                assert_eq!(event.mark, Mark::Enforced);
                let before = self.parts_taken(event);
                self.judge_setting(event);
                let mut crossed = self.parts_taken(event);
                crossed.retain(|part| !before.iter().any(|it| is_same_part(it, part)));
                assert_eq!(event.crossed, crossed, "{event:?}");
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
        let moment = Moment::of(event);
        let fitting = self.fitting(&new.scope, &asked, new.forced.is_some(), moment);
        assert_eq!(*new.lines, *fitting, "granted (left) is what fits (right)");
        match &event.mark {
            Mark::Forced { reason } | Mark::Mended { reason } => {
                assert_eq!(new.forced.as_ref(), Some(reason));
            }
            Mark::Enforced | Mark::Passed { .. } => assert_eq!(new.forced, None),
        }
        self.judge_fit(event, None, new);
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
            (Cause::Resized | Cause::Transferred, _) => self.judge_fit(event, Some(old), new),
            (Cause::Committed | Cause::Released, Mark::Mended { .. }) => {}
            (_, mark) => assert_eq!(*mark, Mark::Enforced),
        }
        if ![Cause::Resized, Cause::Transferred].contains(&event.cause) {
            assert_eq!(event.crossed, [], "{event:?}");
            let is_tally = |change: &Change| matches!(change, Change::Tally { .. });
            assert!(!event.changes.iter().any(is_tally), "{event:?}");
        }
    }

    fn judge_place(&self, event: &Event, new: &Reservation) {
        assert_eq!(event.log, Log::Tenant(new.tenant.clone()));
        assert_eq!(self.chain(&new.scope).last(), Some(&new.tenant));
        assert_eq!(new.revision, event.revision);
    }

    /// Only what has ended is forgotten, the earliest first, and nothing else happens.
    fn judge_forgotten(&mut self, event: &Event) {
        assert_eq!((&event.mark, &event.crossed), (&Mark::Enforced, &vec![]));
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
                let figures: (u128, u128) =
                    (account.used.units().into(), account.held.units().into());
                let twice = posted.insert((scope.clone(), item.clone()), figures);
                assert!(twice.is_none(), "an account is posted twice: {event:?}");
            }
        }
        let mut expected = BTreeMap::new();
        let counted = old.into_iter().chain([new]);
        for row in counted.filter(|_| event.cause != Cause::Extended) {
            for line in row.lines.iter() {
                for scope in self.chain(&row.scope) {
                    let figures = self.figures(&scope, &line.item, Moment::of(event));
                    expected.insert((scope, line.item.clone()), figures);
                }
            }
        }
        assert_eq!(posted, expected, "{event:?}");
    }

    /// The instant at which a tenant's log would note something now.
    pub(crate) fn instant(&self, tenant: &ScopeId, now: Timestamp) -> Timestamp {
        let log = self.logs.get(&Log::Tenant(tenant.clone()));
        log.map_or(now, |(_, at)| now.max(*at))
    }

    /// What is used and held of an item in a scope and below.
    fn figures(&self, scope: &ScopeId, item: &Item, moment: Moment) -> (u128, u128) {
        let (mut used, mut held) = (0, 0);
        for reservation in self.reservations.values() {
            let amount = taken(reservation, item);
            if amount == 0 || !self.chain(&reservation.scope).contains(scope) {
                continue;
            }
            match reservation.state {
                State::Committed => used += amount,
                State::Held { expires_at } if moment.counts_due || moment.at < expires_at => {
                    held += amount;
                }
                State::Held { .. } | State::Released { .. } | State::Expired { .. } => {}
            }
        }
        (used, held)
    }

    /// Whether there is such a scope.
    pub(crate) fn exists(&self, scope: &ScopeId) -> bool {
        self.scopes.contains_key(scope)
    }

    /// A scope and all above it.
    pub(crate) fn chain(&self, scope: &ScopeId) -> Vec<ScopeId> {
        let mut chain = vec![scope.clone()];
        let parent = |below: &ScopeId| self.scopes.get(below).and_then(|row| row.parent.clone());
        while let Some(parent) = chain.last().and_then(parent) {
            chain.push(parent);
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

/// Whether two are of the same part of what counts at the same place.
fn is_same_part(one: &Crossing, other: &Crossing) -> bool {
    let key = |it: &Crossing| (it.scope.clone(), it.item.clone(), it.percent);
    key(one) == key(other)
}
