//! The server without its sockets: requests as bytes are routed, decoded, decided, made durable,
//! and answered as bytes, by the code that a server runs.
//!
//! Left out are sockets, who calls (every caller may do everything within its reach), and what a
//! request to the wrong place is told: a caller for the whole server always names a scope.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::bounds::{EXPIRE_HOLDS_MAX, FORGET_RESERVATIONS_MAX};
use plimsoll_core::command::{Action, Command, SubmitRequest};
use plimsoll_core::decide::check;
use plimsoll_core::event::Log;
use plimsoll_core::model::{Item, Reach, Reservation};
use plimsoll_core::names::{PrincipalId, RequestId, ReservationId, ScopeId, Text};
use plimsoll_core::outcome::{Denial, Outcome};
use plimsoll_core::reconcile::{Finding, Inventory, comparable, compare};
use plimsoll_core::report::{self, ReservationFilter};
use plimsoll_core::rows::{Rows, scope_within};
use plimsoll_dialects::http::{Reply, Request};
use plimsoll_dialects::native::{
    self, BatchItem, BatchOutcome, Call, Format, Problem, Read, Reconcile, Reconciled, encode,
};
use plimsoll_store::simulation::{Engine, StepError};
use plimsoll_store::{Page, SteadyClock, StoreError, Tables};

use crate::disk::{Disk, DiskJournal};
use crate::planted::{Bug, Decider};
use crate::stage::{Clocks, Groups};
use crate::step::{Ask, Caller, mend_id, request_id};

/// How long an ended reservation is remembered.
pub(crate) const RETENTION_MS: u64 = 20 * 60 * 1_000;

/// What the server answers while it cannot serve, in seconds.
const RETRY_AFTER_S: u32 = 1;

/// A process that serves, or one whose last write has failed.
pub(crate) struct Server {
    engine: Engine<DiskJournal, Decider>,
    clock: SteadyClock,
    /// Refusals that are not added up yet: what a machine that fails forgets.
    refused: BTreeMap<(ScopeId, Item), u64>,
    bug: Option<Bug>,
    /// What it was to decide, where somebody wants to know.
    groups: Option<Groups>,
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
    /// The mends of an inventory, each with the places of its commands.
    Mends(Inventory, Vec<(Finding, Range<usize>)>),
    /// The commands of a batch, `None` where one is among those decided.
    Batch(Vec<Option<BatchOutcome>>, Format),
}

impl Server {
    /// Starts from what the disk holds.
    pub(crate) fn start(
        disk: Rc<RefCell<Disk>>,
        clocks: Clocks,
        bug: Option<Bug>,
        groups: Option<Groups>,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            groups,
            engine: Engine::open(DiskJournal::new(disk), Decider { bug })?,
            clock: SteadyClock::start(clocks.wall, clocks.passed),
            refused: BTreeMap::new(),
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
        let decided = self.step(&group, now)?;
        self.note_refused(decided.iter().flatten());
        let mut decided = decided.into_iter();
        let answer = |slot| match slot {
            Slot::Answered(reply) => reply,
            Slot::Command => encode::outcome(&next(&mut decided).remove(0)),
            Slot::Mends(inventory, found) => self.mended(&inventory, found, &next(&mut decided)),
            Slot::Batch(slots, format) => {
                let mut outcomes = next(&mut decided).into_iter().map(BatchOutcome::Decided);
                let filled = slots
                    .into_iter()
                    .map(|slot| slot.or_else(|| outcomes.next()));
                let filled: Vec<BatchOutcome> = filled.flatten().collect();
                encode::batch(&filled, format)
            }
        };
        Ok(slots.into_iter().map(answer).collect())
    }

    /// Answers a read, whatever else goes on.
    pub(crate) fn read(&self, ask: &Ask, now: Timestamp) -> Reply {
        let told = decode(ask).and_then(|call| match call {
            Call::Read(read) => self
                .engine
                .read(|rows| tell(rows, &Reach::Everything, &read, now)),
            _ => Err(Problem::not_found()),
        });
        told.unwrap_or_else(|problem| problem.reply())
    }

    fn note_refused<'a>(&mut self, outcomes: impl Iterator<Item = &'a Outcome>) {
        for outcome in outcomes {
            let Outcome::Denied(Denial::QuotaExceeded(exceeded)) = outcome else {
                continue;
            };
            for limit in exceeded {
                let place = (limit.scope.clone(), limit.item.clone());
                *self.refused.entry(place).or_default() += 1;
            }
        }
    }

    /// Adds up what was refused; what may not have been added up is kept for the next time.
    pub(crate) fn count(&mut self, now: Timestamp) -> Result<(), Fell> {
        let mut by_tenant: BTreeMap<ScopeId, Vec<(ScopeId, Item, u64)>> = BTreeMap::new();
        for ((scope, item), count) in &self.refused {
            let tenant = self
                .engine
                .read(|rows| rows.scope(scope).map(|it| it.tenant.clone()));
            if let Some(tenant) = tenant {
                let refused = by_tenant.entry(tenant).or_default();
                refused.push((scope.clone(), item.clone(), *count));
            }
        }
        let actions = by_tenant
            .into_iter()
            .map(|(tenant, refused)| Action::CountRefusals { tenant, refused });
        self.step(&[system(actions)], now)?;
        self.refused.clear();
        Ok(())
    }

    /// Lets holds lapse whose time is over, and forgets what ended long ago.
    pub(crate) fn sweep(&mut self, now: Timestamp) -> Result<(), Fell> {
        let ended_before = Timestamp::default().after_ms(now.ms().saturating_sub(RETENTION_MS));
        let mut actions: Vec<(ScopeId, Action)> = self.engine.read(|rows| {
            let due = rows.tenants_due(now).into_iter().map(|tenant| {
                let action = Action::Expire {
                    tenant: tenant.clone(),
                };
                (tenant, action)
            });
            let old = rows.tenants_with_ended_before(ended_before).into_iter();
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
        let actions = actions.into_iter().map(|(_, action)| action);
        self.step(&[system(actions)], now).map(|_| ())
    }

    fn step(&mut self, group: &[Vec<Command>], now: Timestamp) -> Result<Vec<Vec<Outcome>>, Fell> {
        self.groups
            .iter()
            .for_each(|it| it.borrow_mut().push((now, group.to_vec())));
        self.engine.step(group, now).map_err(|error| match error {
            StepError::Breach(breach) => Fell::Breach(breach.to_string()),
            StepError::Write { .. } => Fell::Unknown,
        })
    }

    /// Compares an inventory with what is durable; the commands that mend it, where that is wanted.
    fn inventory(
        &self,
        reach: &Reach,
        wanted: Reconcile,
        command: impl Fn(Action) -> Command,
    ) -> Result<(Slot, Option<Vec<Command>>), Problem> {
        let Reconcile {
            mut inventory,
            repair,
        } = wanted;
        // Everybody here may pass the limits.
        inventory.passes = true;
        let mut commands = Vec::new();
        let mut found = Vec::new();
        for finding in self.compare(reach, &inventory)? {
            let first = commands.len();
            if repair {
                commands.extend(finding.mends.iter().cloned().map(&command));
            }
            found.push((finding, first..commands.len()));
        }
        if repair {
            return Ok((Slot::Mends(inventory, found), Some(commands)));
        }
        let told = self.mended(&inventory, found, &[]);
        Ok((Slot::Answered(told), None))
    }

    fn compare(&self, reach: &Reach, inventory: &Inventory) -> Result<Vec<Finding>, Problem> {
        let unknown = || Denial::UnknownScope(inventory.scope.clone());
        let Item { resource, location } = &inventory.item;
        let place = [
            inventory.scope.as_str(),
            resource.as_str(),
            location.as_ref().map_or("", |location| location.as_str()),
        ];
        let id_of = |holder: &Text| {
            let id = mend_id(place, holder.as_str(), inventory.revision);
            ReservationId::parse(&id).expect("it is an id")
        };
        let compared = self.engine.read(|rows| {
            let known = rows.scope(&inventory.scope).ok_or_else(unknown)?;
            let reservations = reservations_of(rows, &known.tenant);
            comparable(rows, reach, inventory)?;
            Ok(compare(inventory, reservations.iter(), id_of))
        });
        compared.map_err(|denial: Denial| Problem::from_denial(&denial))
    }

    /// What is told of an inventory, once its mends are decided.
    fn mended(
        &self,
        inventory: &Inventory,
        found: Vec<(Finding, Range<usize>)>,
        outcomes: &[Outcome],
    ) -> Reply {
        let reconciled = found.into_iter().map(|(finding, places)| {
            let outcomes = &outcomes[places];
            let denied = outcomes.iter().find_map(|outcome| match outcome {
                Outcome::Denied(denial) => Some(Problem::from_denial(denial)),
                Outcome::Done(_) => None,
            });
            let mend = (!outcomes.is_empty()).then_some(denied.map_or(Ok(()), Err));
            Reconciled { finding, mend }
        });
        let reconciled: Vec<Reconciled> = reconciled.collect();
        let revision = self.engine.read(|rows| {
            let scope = rows.scope(&inventory.scope).expect("it was compared");
            rows.head(&Log::Tenant(scope.tenant.clone())).revision
        });
        encode::reconciled(inventory, revision, &reconciled)
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
            Call::SubmitRequest(new) => Action::SubmitRequest(SubmitRequest {
                id: RequestId::parse(&request_id(ask.ticket)).expect("it is an id"),
                scope: new.scope,
                item: new.item,
                ceiling: new.ceiling,
                reason: new.reason,
            }),
            Call::Change(change) => {
                let scope = own_scope(change.scope.clone())?;
                change.action(scope)
            }
            Call::Batch(items, format) => {
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
                return Ok(Slot::Batch(slots, format));
            }
            Call::Reconcile(wanted) => {
                let (slot, commands) = self.inventory(&reach, wanted, command)?;
                group.extend(commands);
                return Ok(slot);
            }
            Call::Check { scope, asked } => {
                let checked = |rows: &Tables| check(rows, &actor, &reach, &scope, &asked, now);
                let checked = self.engine.read(checked);
                let checked = checked.map_err(|breach| Problem::internal(&breach.to_string()))?;
                return Ok(Slot::Answered(encode::checked(&checked)));
            }
            Call::Read(read) => {
                let told = self.engine.read(|rows| tell(rows, &reach, &read, now));
                return told.map(Slot::Answered);
            }
            other => panic!("the simulation asks for nothing like {other:?}"),
        };
        group.push(vec![command(action)]);
        Ok(Slot::Command)
    }
}

/// What the server does of its own accord.
fn system(actions: impl Iterator<Item = Action>) -> Vec<Command> {
    let actor = PrincipalId::parse("system").expect("it is an id");
    let commands = actions.map(|action| Command {
        actor: actor.clone(),
        reach: Reach::Everything,
        action,
    });
    commands.collect()
}

fn reservations_of(rows: &Tables, tenant: &ScopeId) -> Vec<Reservation> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = Page { after, size: 1_000 };
        let filter = ReservationFilter::default();
        let found = rows.list_reservations(&Reach::Everything, tenant, &filter, &page);
        let found = found.expect("the tenant is there");
        all.extend(found.rows);
        after = found.next;
        if after.is_none() {
            return all;
        }
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

fn tell(rows: &Tables, reach: &Reach, read: &Read, now: Timestamp) -> Result<Reply, Problem> {
    let unknown = |scope: &ScopeId| Problem::from_denial(&Denial::UnknownScope(scope.clone()));
    match read {
        Read::Quotas { scope, filter, .. } => {
            let known = scope_within(rows, reach, scope).ok_or_else(|| unknown(scope))?;
            let revision = rows.head(&Log::Tenant(known.tenant.clone())).revision;
            let quotas: Vec<_> = report::quotas(rows, reach, scope, filter, now)
                .ok_or_else(|| unknown(scope))?
                .collect();
            Ok(encode::quotas(scope, revision, None, &quotas, None))
        }
        Read::Reservation { id, scope } => {
            let scope = scope.as_ref().ok_or_else(Problem::ambiguous)?;
            let known = scope_within(rows, reach, scope).ok_or_else(|| unknown(scope))?;
            match rows.reservation(&known.tenant, id) {
                Some(row) if scope_within(rows, reach, &row.scope).is_some() => {
                    Ok(encode::reservation(&row))
                }
                Some(_) | None => Err(Problem::not_found()),
            }
        }
        Read::Request(id) => match rows.request(id) {
            Some(row) if scope_within(rows, reach, &row.scope).is_some() => {
                Ok(encode::request(row))
            }
            Some(_) | None => Err(Problem::not_found()),
        },
        Read::Resources => Ok(encode::resources(rows.resources())),
        Read::Tiers => Ok(encode::tiers(rows.tiers())),
        Read::Requests { scope, status, .. } => {
            let known = scope_within(rows, reach, scope).ok_or_else(|| unknown(scope))?;
            let below = Reach::Below(scope.clone());
            let requests = rows.requests(&known.tenant).filter(|row| {
                let is_meant = status.is_none_or(|status| row.status.name() == status);
                is_meant && scope_within(rows, &below, &row.scope).is_some()
            });
            let mut requests: Vec<_> = requests.collect();
            requests.sort_by(|one, other| one.id.cmp(&other.id));
            Ok(encode::requests(scope, requests, None))
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
