//! The server without its sockets: requests as bytes are routed, decoded, decided, made durable,
//! and answered as bytes, by the code that a server runs.
//!
//! Left out are sockets, who calls (every caller may do everything within its reach), and what a
//! request to the wrong place is told: a caller for the whole server always names a scope.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::bounds::{EXPIRE_HOLDS_MAX, FORGET_RESERVATIONS_MAX};
use plimsoll_core::command::{Action, Command};
use plimsoll_core::decide::check;
use plimsoll_core::event::Log;
use plimsoll_core::model::Reach;
use plimsoll_core::names::{PrincipalId, ScopeId};
use plimsoll_core::outcome::{Denial, Outcome};
use plimsoll_core::report;
use plimsoll_core::rows::{Rows, scope_within};
use plimsoll_dialects::http::{Reply, Request};
use plimsoll_dialects::native::{self, BatchItem, BatchOutcome, Call, Problem, Read, encode};
use plimsoll_store::simulation::{Engine, StepError};
use plimsoll_store::{Page, SteadyClock, StoreError, Tables};

use crate::disk::{Disk, DiskJournal};
use crate::planted::{Bug, Decider};
use crate::step::{Ask, Caller};

/// How long an ended reservation is remembered.
pub(crate) const RETENTION_MS: u64 = 20 * 60 * 1_000;

/// What the server answers while it cannot serve, in seconds.
const RETRY_AFTER_S: u32 = 1;

/// A process that serves, or one whose last write has failed.
pub(crate) struct Server {
    engine: Engine<DiskJournal, Decider>,
    clock: SteadyClock,
    bug: Option<Bug>,
}

/// Both clocks of the machine, as they are now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    pub(crate) wall: Timestamp,
    pub(crate) passed: Duration,
}

/// Why nothing was answered.
#[derive(Debug)]
pub(crate) enum Fell {
    /// The rows contradict each other.
    Breach(String),
    /// The record may or may not be durable.
    Unknown,
}

/// What stands for a request until its group is durable.
enum Slot {
    Answered(Reply),
    /// One command of a submission of its own.
    Command,
    /// The commands of a batch, `None` where one is among those decided.
    Batch(Vec<Option<BatchOutcome>>),
}

impl Server {
    /// Starts from what the disk holds.
    pub(crate) fn start(
        disk: Rc<RefCell<Disk>>,
        clocks: Clocks,
        bug: Option<Bug>,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            engine: Engine::open(DiskJournal::new(disk), Decider { bug })?,
            clock: SteadyClock::start(clocks.wall, clocks.passed),
            bug,
        })
    }

    /// Loads all rows anew after a failed write.
    pub(crate) fn reload(&mut self) -> Result<(), StoreError> {
        self.engine.reload()
    }

    pub(crate) fn is_serving(&self) -> bool {
        self.engine.is_serving()
    }

    /// The time that decisions are made at.
    pub(crate) fn now(&mut self, clocks: Clocks) -> Timestamp {
        if Bug::follows_the_wall_clock(self.bug) {
            return clocks.wall;
        }
        self.clock.read(clocks.wall, clocks.passed)
    }

    /// What a request is answered while nothing can be served.
    pub(crate) fn unavailable() -> Reply {
        Problem::unavailable(RETRY_AFTER_S).reply()
    }

    /// What a request is answered whose record may or may not be durable.
    pub(crate) fn unknown() -> Reply {
        Problem::outcome_unknown().reply()
    }

    /// Answers requests: reads from what is durable, then everything else as one group.
    pub(crate) fn serve(&mut self, asks: &[Ask], now: Timestamp) -> Result<Vec<Reply>, Fell> {
        let mut group: Vec<Vec<Command>> = Vec::new();
        let mut slots = Vec::with_capacity(asks.len());
        for ask in asks {
            let slot = self.take(ask, now, &mut group);
            slots.push(slot.unwrap_or_else(|problem| Slot::Answered(problem.reply())));
        }
        let mut decided = self.step(&group, now)?.into_iter();
        let answer = |slot| match slot {
            Slot::Answered(reply) => reply,
            Slot::Command => encode::outcome(&next(&mut decided).remove(0)),
            Slot::Batch(slots) => {
                let mut outcomes = next(&mut decided).into_iter().map(BatchOutcome::Decided);
                let filled = slots
                    .into_iter()
                    .map(|slot| slot.or_else(|| outcomes.next()));
                let filled: Vec<BatchOutcome> = filled.flatten().collect();
                encode::batch(&filled)
            }
        };
        Ok(slots.into_iter().map(answer).collect())
    }

    /// Answers a read, whatever else goes on.
    pub(crate) fn read(&self, ask: &Ask) -> Reply {
        let told = decode(ask).and_then(|call| match call {
            Call::Read(read) => self
                .engine
                .read(|rows| tell(rows, &Reach::Everything, &read)),
            _ => Err(Problem::not_found()),
        });
        told.unwrap_or_else(|problem| problem.reply())
    }

    /// Lets holds lapse whose time is over, and forgets what ended long ago.
    pub(crate) fn sweep(&mut self, now: Timestamp) -> Result<(), Fell> {
        let ended_before = Timestamp::default().after_ms(now.ms().saturating_sub(RETENTION_MS));
        let mut actions: Vec<(ScopeId, Action)> = self.engine.read(|rows| {
            let due = rows.tenants_due(now).cloned().map(|tenant| {
                let action = Action::Expire {
                    tenant: tenant.clone(),
                };
                (tenant, action)
            });
            let old = rows.tenants_with_ended_before(ended_before).cloned();
            let old = old.map(|tenant| {
                let action = Action::Forget {
                    tenant: tenant.clone(),
                    ended_before,
                };
                (tenant, action)
            });
            due.chain(old).collect()
        });
        // Tables hand tenants out in no order; the sort keeps what is due before what is old.
        actions.sort_by(|(one, _), (other, _)| one.cmp(other));
        let actor = PrincipalId::parse("system").expect("it is an id");
        let commands = actions.into_iter().map(|(_, action)| Command {
            actor: actor.clone(),
            reach: Reach::Everything,
            action,
        });
        self.step(&[commands.collect::<Vec<_>>()], now).map(|_| ())
    }

    fn step(&mut self, group: &[Vec<Command>], now: Timestamp) -> Result<Vec<Vec<Outcome>>, Fell> {
        self.engine.step(group, now).map_err(|error| match error {
            StepError::Breach(breach) => Fell::Breach(breach.to_string()),
            StepError::Write { .. } => Fell::Unknown,
        })
    }

    /// Reads a request, and answers what needs no decision.
    fn take(
        &self,
        ask: &Ask,
        now: Timestamp,
        group: &mut Vec<Vec<Command>>,
    ) -> Result<Slot, Problem> {
        let call = decode(ask)?;
        let (actor, reach) = principal(&ask.caller);
        let command = |action| Command {
            actor: actor.clone(),
            reach: reach.clone(),
            action,
        };
        let own_scope = |named: Option<ScopeId>| match (named, &reach) {
            (Some(scope), _) => Ok(scope),
            (None, Reach::Below(scope)) => Ok(scope.clone()),
            (None, Reach::Everything) => Err(Problem::ambiguous()),
        };
        let action = match call {
            Call::Act(action) => action,
            Call::Change(change) => {
                let scope = own_scope(change.scope.clone())?;
                change.action(scope)
            }
            Call::Batch(items) => {
                let mut commands = Vec::new();
                let mut slots = Vec::new();
                for item in items {
                    let action = item.and_then(|item| match item {
                        BatchItem::Reserve(reserve) => Ok(Action::Reserve(reserve)),
                        BatchItem::Change(change) => {
                            let scope = own_scope(change.scope.clone())?;
                            Ok(change.action(scope))
                        }
                    });
                    slots.push(match action {
                        Ok(action) => {
                            commands.push(command(action));
                            None
                        }
                        Err(problem) => Some(BatchOutcome::Problem(problem)),
                    });
                }
                group.push(commands);
                return Ok(Slot::Batch(slots));
            }
            Call::Check { scope, asked } => {
                let checked = |rows: &Tables| check(rows, &actor, &reach, &scope, &asked, now);
                let checked = self.engine.read(checked);
                let checked = checked.map_err(|breach| Problem::internal(&breach.to_string()))?;
                return Ok(Slot::Answered(encode::checked(&checked)));
            }
            Call::Read(read) => {
                let told = self.engine.read(|rows| tell(rows, &reach, &read));
                return told.map(Slot::Answered);
            }
            other => panic!("the simulation asks for nothing like {other:?}"),
        };
        group.push(vec![command(action)]);
        Ok(Slot::Command)
    }
}

fn next(decided: &mut impl Iterator<Item = Vec<Outcome>>) -> Vec<Outcome> {
    decided.next().expect("no record here is ever full")
}

fn decode(ask: &Ask) -> Result<Call, Problem> {
    let (path, query) = match ask.target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (ask.target.as_str(), None),
    };
    let etag = ask.if_match.map(|revision| format!("\"{revision}\""));
    let mut headers: Vec<(&str, &[u8])> = Vec::new();
    if let Some(etag) = &etag {
        headers.push(("if-match", etag.as_bytes()));
    }
    native::route(&Request {
        method: &ask.method,
        path,
        query,
        headers: &headers,
        body: ask.body.as_bytes(),
    })?
    .decode()
}

fn principal(caller: &Caller) -> (PrincipalId, Reach) {
    let reach = match &caller.reach {
        None => Reach::Everything,
        Some(scope) => Reach::Below(ScopeId::parse(scope).expect("it is an id")),
    };
    (
        PrincipalId::parse(&caller.name).expect("it is an id"),
        reach,
    )
}

fn tell(rows: &Tables, reach: &Reach, read: &Read) -> Result<Reply, Problem> {
    let unknown = |scope: &ScopeId| Problem::from_denial(&Denial::UnknownScope(scope.clone()));
    match read {
        Read::Quotas { scope, filter, .. } => {
            let known = scope_within(rows, reach, scope).ok_or_else(|| unknown(scope))?;
            let revision = rows.head(&Log::Tenant(known.tenant.clone())).revision;
            let quotas: Vec<_> = report::quotas(rows, reach, scope, filter)
                .ok_or_else(|| unknown(scope))?
                .collect();
            Ok(encode::quotas(scope, revision, &quotas, None))
        }
        Read::Reservation { id, scope } => {
            let scope = scope.as_ref().ok_or_else(Problem::ambiguous)?;
            let known = scope_within(rows, reach, scope).ok_or_else(|| unknown(scope))?;
            match rows.reservation(&known.tenant, id) {
                Some(row) if scope_within(rows, reach, &row.scope).is_some() => {
                    Ok(encode::reservation(row))
                }
                Some(_) | None => Err(Problem::not_found()),
            }
        }
        Read::Reservations {
            scope,
            filter,
            page,
        } => {
            let page = Page {
                after: page.after.clone(),
                size: page.size,
            };
            let found = rows
                .list_reservations(reach, scope, filter, &page)
                .ok_or_else(|| unknown(scope))?;
            let next = found.next.as_ref();
            Ok(encode::reservations(scope, &found.rows, next))
        }
        other => panic!("the simulation reads nothing like {other:?}"),
    }
}

// One sweep of a simulated tenant never comes near what one command takes.
const _: () = assert!(EXPIRE_HOLDS_MAX >= 1_000 && FORGET_RESERVATIONS_MAX >= 1_000);
