//! The events of one decision while it is being made.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::admit::Verdict;
use super::weight::{Figure, Weight};
use crate::amount::Timestamp;
use crate::event::{Cause, Change, Crossing, Event, Head, Log, Mark};
use crate::model::{Account, Asked, Item, Lines, Mode, Original, Reservation, Scope, State, Tally};
use crate::names::{PrincipalId, ScopeId, Text};
use crate::outcome::{Breach, Decision, Denial, Done, Exceeded, Outcome};
use crate::rows::{Rows, path};

/// The rows of one log with the events of this decision on top of them.
pub(super) struct Draft<'a, R> {
    pub(super) rows: &'a R,
    log: Log,
    head: Head,
    actor: &'a PrincipalId,
    events: Vec<Event>,
    /// Why, as the caller says.
    reason: Option<Text>,
    /// Accounts that an earlier event of this decision changed.
    accounts: BTreeMap<(ScopeId, Item), Account>,
    /// Limits that let pass what the next event takes.
    passed: Vec<Exceeded>,
    /// Parts of limits that the next event takes.
    pub(super) crossed: Vec<Crossing>,
}

impl<'a, R: Rows> Draft<'a, R> {
    /// Starts a decision at `now`, or at the log's own last instant where that is later.
    pub(super) fn new(rows: &'a R, log: Log, actor: &'a PrincipalId, now: Timestamp) -> Self {
        let mut head = rows.head(&log);
        head.at = head.at.max(now);
        Self {
            rows,
            log,
            head,
            actor,
            events: Vec::new(),
            reason: None,
            accounts: BTreeMap::new(),
            passed: Vec::new(),
            crossed: Vec::new(),
        }
    }

    /// The time at which this decision is made.
    pub(super) fn now(&self) -> Timestamp {
        self.head.at
    }

    /// The revision that the next event will have.
    pub(super) fn next_revision(&self) -> u64 {
        self.head.revision.saturating_add(1)
    }

    /// The figures as they stand in this decision.
    pub(super) fn account(&self, scope: &ScopeId, item: &Item) -> Account {
        if self.accounts.is_empty() {
            return self.rows.account(scope, item);
        }
        let changed = self.accounts.get(&(scope.clone(), item.clone()));
        changed
            .copied()
            .unwrap_or_else(|| self.rows.account(scope, item))
    }

    /// Says why the events happen that are added from now on; an empty text says nothing.
    pub(super) fn because(&mut self, reason: &Text) {
        self.reason = (!reason.as_str().is_empty()).then(|| reason.clone());
    }

    /// Adds an event that kept to every limit.
    pub(super) fn push(&mut self, cause: Cause, changes: Vec<Change>) {
        self.push_marked(cause, Mark::Enforced, changes);
    }

    /// Adds an event.
    pub(super) fn push_marked(&mut self, cause: Cause, mark: Mark, changes: Vec<Change>) {
        self.head.revision = self.next_revision();
        self.events.push(Event {
            log: self.log.clone(),
            revision: self.head.revision,
            at: self.head.at,
            actor: self.actor.clone(),
            cause,
            reason: self.reason.clone(),
            mark,
            changes,
            crossed: core::mem::take(&mut self.crossed),
        });
    }

    /// Keeps what is to be said of what the next event takes.
    pub(super) fn note(&mut self, verdict: Verdict) {
        self.passed = verdict.passed;
        self.crossed = verdict.crossed;
    }

    /// Limits that have let pass what was taken, and that warn.
    pub(super) fn warnings(&self) -> Vec<Exceeded> {
        let warn = self.passed.iter().filter(|it| it.mode == Mode::Warn);
        warn.cloned().collect()
    }

    /// How an event is marked that passes limits which let pass, with the new counts of those.
    fn passing(&self) -> (Mark, Vec<Change>) {
        let limits = self.passed.iter();
        let limits = limits.map(|it| (it.scope.clone(), it.item.clone(), it.mode));
        let tallies = self.passed.iter().map(|limit| {
            let tally = self.rows.tally(&limit.scope, &limit.item);
            let warns = u64::from(limit.mode == Mode::Warn);
            let observes = u64::from(limit.mode == Mode::Observe);
            let tally = Tally {
                warned: tally.warned.saturating_add(warns),
                observed: tally.observed.saturating_add(observes),
                last_at: self.now(),
                ..tally
            };
            Change::Tally {
                scope: limit.scope.clone(),
                item: limit.item.clone(),
                tally,
            }
        });
        let mark = Mark::Passed {
            limits: limits.collect(),
        };
        (mark, tallies.collect())
    }

    /// Where a reservation weighs: its scope and every scope above it, line by line, with the
    /// figures as they stand in this decision.
    ///
    /// Errors: [`Breach`] where the scope does not lead to its tenant, or a resource is none.
    pub(super) fn weights<'w>(
        &self,
        scope: &'w Scope,
        lines: &'w Lines,
    ) -> Result<Vec<Weight<'w>>, Breach>
    where
        'a: 'w,
    {
        let rows = self.rows;
        let count = lines.len().saturating_mul(usize::from(scope.depth));
        let mut weights = Vec::with_capacity(count);
        for line in lines.iter() {
            let resource = rows
                .resource(&line.item.resource)
                .ok_or_else(|| self.breach("a line is of a resource that does not exist"))?;
            weights.extend(path(rows, scope).map(|above| Weight {
                scope: above,
                resource,
                item: &line.item,
                amount: line.amount,
                account: self.account(&above.id, &line.item),
            }));
        }
        if weights.len() == count {
            Ok(weights)
        } else {
            Err(self.breach("a scope does not lead to its tenant"))
        }
    }

    /// Looks the figures up again, after holds have lapsed.
    pub(super) fn look_again(&self, weights: &mut [Weight<'_>]) {
        for weight in weights {
            weight.account = self.account(&weight.scope.id, weight.item);
        }
    }

    /// The accounts after weights were taken from them and then put on them.
    pub(super) fn reweighed(
        &self,
        taken: &[Weight<'_>],
        taken_from: Figure,
        put: &[Weight<'_>],
        put_on: Figure,
    ) -> Result<Vec<Change>, Breach> {
        let wrong = || self.breach("an account is not what it counts");
        let mut lightened: BTreeMap<(&ScopeId, &Item), Account> = BTreeMap::new();
        for weight in taken {
            let account = taken_from.less(weight.account, weight.amount);
            let account = account.ok_or_else(wrong)?;
            lightened.insert(weight.place(), account);
        }
        let mut changes = Vec::with_capacity(put.len().saturating_add(1));
        for weight in put {
            let account = lightened.remove(&weight.place());
            let account = put_on.more(account.unwrap_or(weight.account), weight.amount);
            let account = account.ok_or_else(wrong)?;
            changes.push(change(weight.place(), account));
        }
        let rest = taken.iter().filter_map(|weight| {
            let account = lightened.remove(&weight.place())?;
            Some(change(weight.place(), account))
        });
        changes.extend(rest);
        Ok(changes)
    }

    /// Lets one hold lapse.
    pub(super) fn expire(&mut self, hold: &Reservation) -> Result<Arc<Reservation>, Breach> {
        let weights = self.weights(self.scope_of(hold)?, &hold.lines)?;
        let changes = self.reweighed(&weights, Figure::Held, &[], Figure::Held)?;
        for change in &changes {
            if let Change::Account {
                scope,
                item,
                account,
            } = change
            {
                self.accounts
                    .insert((scope.clone(), item.clone()), *account);
            }
        }
        let state = State::Expired {
            ended_at: self.now(),
        };
        let expired = Reservation {
            state,
            ..hold.clone()
        };
        Ok(self.write(Cause::Expired, Mark::Enforced, expired, changes))
    }

    /// Adds an event that leaves a reservation as `after`, with the accounts that it changes.
    pub(super) fn write(
        &mut self,
        cause: Cause,
        mark: Mark,
        after: Reservation,
        mut changes: Vec<Change>,
    ) -> Arc<Reservation> {
        let after = Arc::new(Reservation {
            revision: self.next_revision(),
            ..after
        });
        changes.push(Change::Reservation(Arc::clone(&after)));
        let mark = if self.passed.is_empty() {
            mark
        } else {
            let (mark, tallies) = self.passing();
            changes.extend(tallies);
            mark
        };
        self.push_marked(cause, mark, changes);
        after
    }

    /// Whether a reservation is held still: a hold whose time is over is not.
    pub(super) fn is_held(&self, reservation: &Reservation) -> bool {
        match reservation.state {
            State::Held { expires_at } => self.now() < expires_at,
            State::Committed | State::Released { .. } | State::Expired { .. } => false,
        }
    }

    /// Says that a reservation's state does not allow it; a hold whose time is over lapses first.
    pub(super) fn conflict(mut self, reservation: &Reservation) -> Result<Decision, Breach> {
        let state = if reservation.state.is_due(self.now()) {
            self.expire(reservation)?.state
        } else {
            reservation.state
        };
        Ok(self.denied(Denial::StateConflict {
            state: state.name(),
        }))
    }

    /// The scope of a reservation, which must exist.
    pub(super) fn scope_of(&self, reservation: &Reservation) -> Result<&'a Scope, Breach> {
        self.rows
            .scope(&reservation.scope)
            .ok_or_else(|| self.breach("a reservation is in a scope that does not exist"))
    }

    /// What to say where the rows contradict each other.
    pub(super) fn breach(&self, what: &'static str) -> Breach {
        Breach {
            log: self.log.clone(),
            what,
        }
    }

    /// Ends the decision with a reservation, and the warnings that go with it.
    pub(super) fn granted(self, reservation: Arc<Reservation>) -> Decision {
        let warnings = self.warnings();
        self.done(if warnings.is_empty() {
            Done::Reservation(reservation)
        } else {
            Done::Warned(reservation, warnings)
        })
    }

    /// Ends the decision well.
    pub(super) fn done(self, done: Done) -> Decision {
        Decision {
            outcome: Outcome::Done(done),
            events: self.events,
        }
    }

    /// Ends the decision with a denial; what time changed stays.
    pub(super) fn denied(self, denial: Denial) -> Decision {
        Decision {
            outcome: Outcome::Denied(denial),
            events: self.events,
        }
    }
}

fn change((scope, item): (&ScopeId, &Item), account: Account) -> Change {
    Change::Account {
        scope: scope.clone(),
        item: item.clone(),
        account,
    }
}

/// What a reservation was asked for as, once it is about to take something else.
pub(super) fn original_of(reservation: &Reservation) -> Option<Box<Original>> {
    let as_it_is = || {
        Box::new(Original {
            scope: reservation.scope.clone(),
            asked: Asked::whole(reservation.lines.clone()),
        })
    };
    Some(reservation.original.clone().unwrap_or_else(as_it_is))
}
