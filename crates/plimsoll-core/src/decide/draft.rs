//! The events of one decision while it is being made.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::amount::{Amount, Timestamp};
use crate::event::{Cause, Change, Event, Head, Log};
use crate::model::{Account, Item, Lines, Reservation, Scope, State};
use crate::names::{PrincipalId, ScopeId};
use crate::outcome::{Breach, Decision, Denial, Done, Outcome};
use crate::rows::{Rows, path};

/// The rows of one log with the events of this decision on top of them.
pub(super) struct Draft<'a, R> {
    pub(super) rows: &'a R,
    log: Log,
    head: Head,
    actor: &'a PrincipalId,
    events: Vec<Event>,
    /// Accounts that an earlier event of this decision changed.
    accounts: BTreeMap<(ScopeId, Item), Account>,
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
            accounts: BTreeMap::new(),
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

    /// Adds an event.
    pub(super) fn push(&mut self, cause: Cause, changes: Vec<Change>) {
        self.head.revision = self.next_revision();
        self.events.push(Event {
            log: self.log.clone(),
            revision: self.head.revision,
            at: self.head.at,
            actor: self.actor.clone(),
            cause,
            changes,
        });
    }

    /// Moves figures in the accounts of some lines, at a scope and at every scope above it.
    pub(super) fn shift(
        &self,
        scope: &Scope,
        lines: &Lines,
        shift: Shift,
    ) -> Result<Vec<Change>, Breach> {
        let accounts = lines.len().saturating_mul(usize::from(scope.depth));
        let mut changes = Vec::with_capacity(accounts.saturating_add(1));
        for line in lines.iter() {
            for above in path(self.rows, scope) {
                let before = self.account(&above.id, &line.item);
                let account = shift
                    .apply(before, line.amount)
                    .ok_or_else(|| self.breach("an account is smaller than what it counts"))?;
                changes.push(Change::Account {
                    scope: above.id.clone(),
                    item: line.item.clone(),
                    account,
                });
            }
        }
        if changes.len() != accounts {
            return Err(self.breach("a scope does not lead to its tenant"));
        }
        Ok(changes)
    }

    /// Lets one hold lapse.
    pub(super) fn expire(&mut self, hold: &Reservation) -> Result<Reservation, Breach> {
        let changes = self.shift(self.scope_of(hold)?, &hold.lines, Shift::EndHold)?;
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
        let ended_at = self.now();
        Ok(self.settle(hold, Cause::Expired, State::Expired { ended_at }, changes))
    }

    /// Moves a reservation to another state.
    pub(super) fn settle(
        &mut self,
        reservation: &Reservation,
        cause: Cause,
        state: State,
        mut changes: Vec<Change>,
    ) -> Reservation {
        let revision = self.next_revision();
        let reservation = Reservation {
            state,
            revision,
            ..reservation.clone()
        };
        changes.push(Change::Reservation(reservation.clone()));
        self.push(cause, changes);
        reservation
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

/// How a line moves the figures of an account.
#[derive(Clone, Copy)]
pub(super) enum Shift {
    /// Holds more.
    Hold,
    /// Uses more.
    Use,
    /// Uses what was held.
    Commit,
    /// Holds less.
    EndHold,
    /// Uses less.
    EndUse,
}

impl Shift {
    /// The figures after it; `None` where they would leave the number space.
    fn apply(self, Account { used, held }: Account, amount: Amount) -> Option<Account> {
        Some(match self {
            Shift::Hold => Account {
                used,
                held: held.plus(amount)?,
            },
            Shift::Use => Account {
                used: used.plus(amount)?,
                held,
            },
            Shift::Commit => Account {
                used: used.plus(amount)?,
                held: held.minus(amount)?,
            },
            Shift::EndHold => Account {
                used,
                held: held.minus(amount)?,
            },
            Shift::EndUse => Account {
                used: used.minus(amount)?,
                held,
            },
        })
    }
}
