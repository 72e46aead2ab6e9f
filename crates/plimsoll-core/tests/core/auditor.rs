//! The judge: knows the design and the log, and nothing of the code under test.
//!
//! It keeps no running figures. Whenever it needs one, it adds up the reservations that live.
//!
//! Its rules are those of the written model, in the simplest words: which limit counts, and what
//! can happen to a reservation.

use std::collections::BTreeMap;

use plimsoll_core::amount::{Ceiling, Timestamp};
use plimsoll_core::bounds::AMOUNT_MAX;
use plimsoll_core::event::{Cause, Change, Event, Log};
use plimsoll_core::model::{Item, Line, Reservation, State, Terms};
use plimsoll_core::names::{LocationId, ReservationId, ResourceName, ScopeId};

/// What the judge remembers of the logs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Auditor {
    defaults: BTreeMap<ResourceName, Ceiling>,
    parents: BTreeMap<ScopeId, Option<ScopeId>>,
    limits: BTreeMap<(ScopeId, ResourceName, Option<LocationId>), Ceiling>,
    reservations: BTreeMap<(ScopeId, ReservationId), Reservation>,
    logs: BTreeMap<Log, (u64, Timestamp)>,
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
            Cause::Reserved | Cause::Committed | Cause::Released | Cause::Expired => {
                let moved = moved.expect("the reservation that moved");
                self.judge_move(event, moved);
                let key = (moved.tenant.clone(), moved.id.clone());
                self.reservations.insert(key, moved.clone());
                self.judge_figures(event, moved);
            }
            _ => {
                assert!(moved.is_none(), "a reservation moved: {event:?}");
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
                Change::Account { .. } | Change::Reservation(_) => panic!("taken: {event:?}"),
            }
        }
    }

    /// The table of a reservation's states.
    fn judge_move(&self, event: &Event, new: &Reservation) {
        let key = (new.tenant.clone(), new.id.clone());
        assert_eq!(event.log, Log::Tenant(new.tenant.clone()));
        assert_eq!(self.chain(&new.scope).last(), Some(&new.tenant));
        assert_eq!(new.revision, event.revision);
        let Some(old) = self.reservations.get(&key) else {
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
            let shortfalls = self.shortfalls(&new.scope, &new.lines, None);
            assert_eq!(shortfalls, [], "over a limit: {event:?}");
            return;
        };
        let ended_at = event.at;
        let is_due = matches!(old.state, State::Held { expires_at } if expires_at <= event.at);
        let state = match (old.state, event.cause) {
            (State::Held { .. }, Cause::Expired) if is_due => State::Expired { ended_at },
            (State::Held { .. }, Cause::Committed) if !is_due => State::Committed,
            (State::Held { .. }, Cause::Released) if !is_due => State::Released { ended_at },
            (State::Committed, Cause::Released) => State::Released { ended_at },
            (from, cause) => panic!("{cause:?} of a reservation that is {from:?}"),
        };
        let revision = event.revision;
        let expected = Reservation {
            state,
            revision,
            ..old.clone()
        };
        assert_eq!(*new, expected, "nothing but the state moves");
    }

    /// The post-values: every account that the reservation counts in, and no other.
    fn judge_figures(&self, event: &Event, moved: &Reservation) {
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
        for line in moved.lines.iter() {
            for scope in self.chain(&moved.scope) {
                let figures = self.figures(&scope, &line.item, None);
                expected.insert((scope, line.item.clone()), figures);
            }
        }
        assert_eq!(posted, expected, "{event:?}");
    }

    /// Every limit that some lines would pass in a scope.
    ///
    /// With an instant, holds that are due by then no longer count.
    pub(crate) fn shortfalls(
        &self,
        scope: &ScopeId,
        lines: &[Line],
        now: Option<Timestamp>,
    ) -> Vec<Shortfall> {
        let mut shortfalls = Vec::new();
        for line in lines {
            for above in self.chain(scope) {
                let ceiling = match self.set_at(&above, &line.item) {
                    Some(ceiling) => ceiling,
                    None if above == *scope => self.defaults[&line.item.resource],
                    None => Ceiling::Unlimited,
                };
                let ceiling = match ceiling {
                    Ceiling::Finite(amount) => u128::from(amount.units()),
                    Ceiling::Unlimited => u128::from(AMOUNT_MAX),
                };
                let (used, held) = self.figures(&above, &line.item, now);
                let wanted = used + held + u128::from(line.amount.units());
                if wanted > ceiling {
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
            let amounts = reservation.lines.iter().filter(|line| line.item == *item);
            let amount: u128 = amounts.map(|line| u128::from(line.amount.units())).sum();
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

    /// A scope and all above it.
    fn chain(&self, scope: &ScopeId) -> Vec<ScopeId> {
        let mut chain = vec![scope.clone()];
        while let Some(Some(parent)) = chain.last().and_then(|below| self.parents.get(below)) {
            chain.push(parent.clone());
        }
        chain
    }
}
