//! What the rules say: one tenant's rows, on which `plimsoll-core` decides, and which can be taken
//! back step by step.

mod rows;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::command::{
    Action, Command, Expected, Grounds, Put, PutLimit, PutScope, ReservationRef, Reserve, Resize,
    Settle,
};
use plimsoll_core::decide::decide;
use plimsoll_core::event::{Change, Event, Log};
use plimsoll_core::model::{
    Account, Alerts, Asked, Attributes, Item, Limit, Line, Lines, Mode, Reach, Reservation,
    Resource, Scope, Terms, Window,
};
use plimsoll_core::names::{NameError, PrincipalId, ReservationId, ResourceName, ScopeId, Text};
use plimsoll_core::outcome::{Denial, Done, Outcome};

use crate::drill::history::{
    APP, Answer, Ask, Exceeded, HOLD_SECONDS, RESOURCE, Row, TENANT_LIMIT, WEB, WEB_LIMIT, scope_of,
};

/// One tenant as the rules have it.
///
/// Its revisions are the least that they can be: the server also writes events that nobody asked
/// for (it counts refusals), and what was not answered has a revision that nobody was told.
pub(super) struct Model {
    tenant: ScopeId,
    item: Item,
    resource: Option<Resource>,
    scopes: BTreeMap<ScopeId, Scope>,
    limits: BTreeMap<ScopeId, Vec<Limit>>,
    accounts: BTreeMap<ScopeId, Account>,
    reservations: BTreeMap<ReservationId, Known>,
    revision: u64,
    fingerprint: u64,
}

/// A reservation, and whether the revision of its last change was told.
#[derive(Clone)]
struct Known {
    row: Reservation,
    is_told: bool,
}

/// What was there before a step.
pub(super) struct Undo {
    revision: u64,
    fingerprint: u64,
    accounts: Vec<(ScopeId, Option<Account>)>,
    reservations: Vec<(ReservationId, Option<Known>)>,
}

/// What a step does.
pub(super) enum Step {
    /// It cannot come next.
    Impossible,
    /// It can, and changes nothing.
    Unchanged,
    /// It has come next.
    Changed(Undo),
}

impl Model {
    /// A tenant as it is set up, with nothing taken.
    pub(super) fn new(tenant: &str) -> Self {
        let item = Item {
            resource: name(RESOURCE, ResourceName::parse),
            location: None,
        };
        let mut it = Self {
            tenant: name(tenant, ScopeId::parse),
            item,
            resource: None,
            scopes: BTreeMap::new(),
            limits: BTreeMap::new(),
            accounts: BTreeMap::new(),
            reservations: BTreeMap::new(),
            revision: 0,
            fingerprint: 0,
        };
        for action in it.set_up() {
            let (outcome, events) = it.decide(action);
            assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
            it.apply(events, true);
        }
        it
    }

    fn set_up(&self) -> Vec<Action> {
        let resource = Resource {
            name: self.item.resource.clone(),
            unit: name("count", Text::parse),
            default_ceiling: Ceiling::Unlimited,
            per_location: false,
            adjustable: false,
            auto_approval: None,
            alerts: Alerts::default(),
            description: name("", Text::parse),
        };
        let reason = name("", Text::parse);
        let scope = |id: ScopeId, parent| {
            Action::PutScope(PutScope {
                id,
                parent,
                kind: name("project", Text::parse),
                tier: None,
                reason: name("", Text::parse),
            })
        };
        let below = |part| name(&scope_of(self.tenant.as_str(), part), ScopeId::parse);
        let limit = |scope, units| {
            Action::PutLimit(PutLimit {
                scope,
                item: self.item.clone(),
                window: Window::ALWAYS,
                ceiling: Ceiling::Finite(amount(units)),
                mode: Mode::Enforce,
                reason: name("a drill", Text::parse),
                expected: Expected::Whatever,
            })
        };
        vec![
            Action::PutResource(Put {
                row: resource,
                reason,
            }),
            scope(self.tenant.clone(), None),
            scope(below(WEB), Some(self.tenant.clone())),
            scope(below(APP), Some(self.tenant.clone())),
            limit(self.tenant.clone(), TENANT_LIMIT),
            limit(below(WEB), WEB_LIMIT),
        ]
    }

    /// What it amounts to: two models with the same are the same, for all that comes.
    pub(super) fn fingerprint(&self) -> (u64, u64) {
        (self.revision, self.fingerprint)
    }

    /// Whether an operation with this answer can come next; does it, where it changes something.
    ///
    /// Without an answer, it is done as the rules say.
    pub(super) fn step(&mut self, ask: &Ask, answer: Option<&Answer>) -> Step {
        let action = match ask {
            Ask::Figures { scope } => return self.reads(ask, answer, &self.figures(scope)),
            Ask::Look { id } => return self.reads(ask, answer, &self.look(id)),
            Ask::Reserve { .. } | Ask::Commit { .. } | Ask::Release { .. } | Ask::Resize { .. } => {
                self.action(ask)
            }
        };
        let (outcome, events) = self.decide(action.clone());
        if events.is_empty() {
            return self.reads(ask, answer, &self.told(&outcome));
        }
        let before = self.revision;
        let revision = match answer {
            None => before + 1,
            Some(Answer::Row(row)) if before < row.revision => row.revision,
            Some(_) => return Step::Impossible,
        };
        // Others' events may lie between.
        self.revision = revision - 1;
        let (outcome, events) = self.decide(action);
        if answer.is_some_and(|answer| *answer != self.told(&outcome)) {
            self.revision = before;
            return Step::Impossible;
        }
        let mut undo = self.apply(events, answer.is_some());
        undo.revision = before;
        Step::Changed(undo)
    }

    /// Takes back the last step that was not taken back yet.
    pub(super) fn take_back(&mut self, undo: Undo) {
        for (scope, account) in undo.accounts.into_iter().rev() {
            put_or_remove(&mut self.accounts, scope, account);
        }
        for (id, known) in undo.reservations.into_iter().rev() {
            put_or_remove(&mut self.reservations, id, known);
        }
        self.revision = undo.revision;
        self.fingerprint = undo.fingerprint;
    }

    /// What an operation is answered now; it is done. For histories that are made up.
    #[cfg(test)]
    pub(super) fn answer(&mut self, ask: &Ask) -> Answer {
        match ask {
            Ask::Figures { scope } => self.figures(scope),
            Ask::Look { id } => self.look(id),
            _ => {
                let (outcome, events) = self.decide(self.action(ask));
                let answer = self.told(&outcome);
                self.apply(events, true);
                answer
            }
        }
    }

    /// Whether what changes nothing is answered so.
    fn reads(&self, ask: &Ask, answer: Option<&Answer>, expected: &Answer) -> Step {
        let is_so = match (answer, expected) {
            (Some(Answer::Row(row)), Answer::Row(ours)) if self.is_untold(ask) => {
                // Of the revision that nobody was told, only the least that it can be is known.
                let revision = row.revision.max(ours.revision);
                *row == Row {
                    revision,
                    ..ours.clone()
                }
            }
            (Some(answer), expected) => answer == expected,
            (None, _) => true,
        };
        if is_so {
            Step::Unchanged
        } else {
            Step::Impossible
        }
    }

    fn is_untold(&self, ask: &Ask) -> bool {
        let known = ask.id().map(|id| name(id, ReservationId::parse));
        let known = known.and_then(|id| self.reservations.get(&id));
        known.is_some_and(|known| !known.is_told)
    }

    fn figures(&self, scope: &str) -> Answer {
        let account = self.accounts.get(&name(scope, ScopeId::parse));
        let account = account.copied().unwrap_or_default();
        Answer::Figures {
            used: account.used.units(),
            held: account.held.units(),
        }
    }

    fn look(&self, id: &str) -> Answer {
        match self.reservations.get(&name(id, ReservationId::parse)) {
            None => Answer::Denied(Denial::NotFound.code().to_owned(), Vec::new()),
            Some(known) => self.row(&known.row),
        }
    }

    fn row(&self, row: &Reservation) -> Answer {
        Answer::Row(Row {
            scope: row.scope.as_str().to_owned(),
            state: row.state.name().to_owned(),
            amount: row.lines.amount_of(&self.item).units(),
            revision: row.revision,
        })
    }

    /// An outcome as callers hear it, without instants.
    fn told(&self, outcome: &Outcome) -> Answer {
        match outcome {
            Outcome::Done(Done::Reservation(row)) => self.row(row),
            Outcome::Done(other) => unreachable!("no caller asks for {other:?}"),
            Outcome::Denied(Denial::QuotaExceeded(exceeded)) => {
                let exceeded = exceeded.iter().map(|it| Exceeded {
                    scope: it.scope.as_str().to_owned(),
                    limit: it.ceiling.amount().units(),
                    used: it.used.units(),
                    held: it.held.units(),
                    asked: it.asked.units(),
                });
                Answer::Denied("quota_exceeded".to_owned(), exceeded.collect())
            }
            Outcome::Denied(denial) => Answer::Denied(denial.code().to_owned(), Vec::new()),
        }
    }

    fn action(&self, ask: &Ask) -> Action {
        let of = |id: &str| ReservationRef {
            scope: self.tenant.clone(),
            id: name(id, ReservationId::parse),
        };
        let settle = |id: &str| Settle {
            of: of(id),
            part: None,
            grounds: Grounds::Limits,
            expected: Expected::Whatever,
        };
        match ask {
            Ask::Reserve {
                id,
                scope,
                amount,
                for_good,
            } => Action::Reserve(Reserve {
                id: name(id, ReservationId::parse),
                scope: name(scope, ScopeId::parse),
                asked: Asked::whole(self.lines(*amount)),
                terms: match for_good {
                    true => Terms::Commit,
                    false => Terms::Hold {
                        ttl_ms: HOLD_SECONDS * 1_000,
                    },
                },
                grounds: Grounds::Limits,
                holder: None,
                attributes: Attributes::default(),
            }),
            Ask::Commit { id } => Action::Commit(settle(id)),
            Ask::Release { id } => Action::Release(settle(id)),
            Ask::Resize { id, amount } => Action::Resize(Resize {
                of: of(id),
                lines: self.lines(*amount),
                grounds: Grounds::Limits,
                expected: Expected::Whatever,
            }),
            Ask::Figures { .. } | Ask::Look { .. } => unreachable!("reads are no commands"),
        }
    }

    fn lines(&self, units: u64) -> Lines {
        let line = Line {
            item: self.item.clone(),
            amount: amount(units),
        };
        Lines::new(vec![line]).expect("one line of something")
    }

    fn decide(&self, action: Action) -> (Outcome, Vec<Event>) {
        let command = Command {
            actor: name("drill", PrincipalId::parse),
            reach: Reach::Everything,
            action,
        };
        // Time stands still: nothing lapses in a run, and no instant is compared.
        let decision = decide(self, &command, Timestamp::default());
        let decision = decision.expect("rows that the rules made agree");
        (decision.outcome, decision.events)
    }

    fn apply(&mut self, events: Vec<Event>, is_told: bool) -> Undo {
        let mut undo = Undo {
            revision: self.revision,
            fingerprint: self.fingerprint,
            accounts: Vec::new(),
            reservations: Vec::new(),
        };
        for event in events {
            if event.log != Log::Catalogue {
                self.revision = event.revision;
            }
            for change in event.changes {
                self.put(change, is_told, &mut undo);
            }
        }
        undo
    }

    fn put(&mut self, change: Change, is_told: bool, undo: &mut Undo) {
        match change {
            Change::Account { scope, account, .. } => {
                let before = self.accounts.insert(scope.clone(), account);
                undo.accounts.push((scope, before));
            }
            Change::Reservation(row) => {
                let row = Arc::unwrap_or_clone(row);
                let known = Known { row, is_told };
                self.fingerprint ^= fingerprint(&known);
                let id = known.row.id.clone();
                let before = self.reservations.insert(id.clone(), known);
                self.fingerprint ^= before.as_ref().map_or(0, fingerprint);
                undo.reservations.push((id, before));
            }
            Change::Resource(row) => self.resource = Some(*row),
            Change::Scope(row) => {
                self.scopes.insert(row.id.clone(), *row);
            }
            Change::Limits { scope, limits, .. } => {
                self.limits.insert(scope, limits);
            }
            other => unreachable!("nobody asks for what makes {other:?}"),
        }
    }
}

/// Accounts are the sums of these, so they need none.
fn fingerprint(known: &Known) -> u64 {
    let Known { row, is_told } = known;
    let mut hasher = DefaultHasher::new();
    row.id.as_str().hash(&mut hasher);
    row.scope.as_str().hash(&mut hasher);
    row.state.name().hash(&mut hasher);
    for line in row.lines.iter() {
        line.amount.units().hash(&mut hasher);
    }
    is_told.hash(&mut hasher);
    row.revision.hash(&mut hasher);
    hasher.finish()
}

fn put_or_remove<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

fn name<T>(text: &str, parse: fn(&str) -> Result<T, NameError>) -> T {
    parse(text).unwrap_or_else(|error| panic!("`{text}` {error}"))
}

fn amount(units: u64) -> Amount {
    Amount::new(units).expect("a small number")
}
