//! Callers of all nodes at once, for as long as a drill lasts; what they were told is its history.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::bench::{clock, interrupt};
use crate::drill::client::{Client, Told};
use crate::drill::history::{APP, Answer, Ask, Dice, End, Operation, WEB, scope_of};
use crate::step::Failure;

/// Tenants; every second call is about the first of them, through all nodes.
const TENANTS: [&str; 4] = ["hot", "t1", "t2", "t3"];

const CALLERS: u64 = 14;

/// The last of them only read: what waits for a database that takes no writes is not in their way.
const READERS: u64 = 2;

/// Of as many callers one never repeats what was not answered, and asks for something else.
const FORGETFUL: u64 = 3;

/// The pause between two calls, and after one that was not answered.
const PAUSE: Duration = Duration::from_millis(8);
const LONG_PAUSE: Duration = Duration::from_millis(100);

/// How long progress is waited for. It is not how long anything may take, but when nothing is
/// hoped for any more.
const PATIENCE: Duration = Duration::from_secs(180);

/// What callers and whoever watches them share.
pub(super) struct Shared {
    nodes: Mutex<Vec<SocketAddr>>,
    start: Instant,
    ends: AtomicBool,
    /// Changes that were acknowledged, and tries that nobody knows the outcome of.
    changes: AtomicU64,
    unknown: AtomicU64,
    not_done: AtomicU64,
    wrong: Mutex<Option<Failure>>,
}

/// Callers at work.
pub(super) struct Load {
    pub(super) shared: Arc<Shared>,
    callers: Vec<JoinHandle<Vec<Operation>>>,
}

/// What all of it was.
pub(super) struct Recorded {
    pub(super) history: Vec<Operation>,
    pub(super) unknown: u64,
    pub(super) not_done: u64,
}

/// The tenants that callers ask about.
pub(super) fn tenants() -> [&'static str; 4] {
    TENANTS
}

impl Load {
    pub(super) fn start(nodes: Vec<SocketAddr>, token: &str, seed: u64) -> Self {
        let shared = Arc::new(Shared {
            nodes: Mutex::new(nodes),
            start: clock::now(),
            ends: AtomicBool::new(false),
            changes: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
            not_done: AtomicU64::new(0),
            wrong: Mutex::default(),
        });
        let callers = (0..CALLERS).map(|number| {
            let caller = Caller {
                shared: Arc::clone(&shared),
                client: Client::new(token),
                dice: Dice(seed.wrapping_mul(1_000).wrapping_add(number)),
                number,
                asked: 0,
                mine: Vec::new(),
                history: Vec::new(),
            };
            std::thread::spawn(move || caller.run())
        });
        Self {
            callers: callers.collect(),
            shared,
        }
    }

    /// Waits until so many more changes were acknowledged.
    pub(super) fn wait_for_changes(&self, more: u64) -> Result<(), Failure> {
        self.wait_for(&self.shared.changes, more, "acknowledged changes")
    }

    /// Waits until so many more tries have an outcome that nobody knows, or none.
    pub(super) fn wait_for_unknown(&self, more: u64) -> Result<(), Failure> {
        self.wait_for(&self.shared.unknown, more, "calls without an answer")
    }

    fn wait_for(&self, counter: &AtomicU64, more: u64, what: &str) -> Result<(), Failure> {
        let wanted = counter.load(Ordering::SeqCst) + more;
        let start = clock::now();
        while counter.load(Ordering::SeqCst) < wanted {
            interrupt::none()?;
            if let Some(failure) = lock(&self.shared.wrong).take() {
                return Err(failure);
            }
            if PATIENCE < start.elapsed() {
                return Err(Failure::new(format!("no {more} more {what} came")));
            }
            clock::wait(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Ends it.
    pub(super) fn end(self) -> Result<Recorded, Failure> {
        self.shared.ends.store(true, Ordering::SeqCst);
        let mut history = Vec::new();
        for caller in self.callers {
            let told = caller.join();
            history.extend(told.map_err(|_| Failure::new("a caller panicked"))?);
        }
        if let Some(failure) = lock(&self.shared.wrong).take() {
            return Err(failure);
        }
        Ok(Recorded {
            history,
            unknown: self.shared.unknown.load(Ordering::SeqCst),
            not_done: self.shared.not_done.load(Ordering::SeqCst),
        })
    }
}

impl Shared {
    /// Nanoseconds since the start.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).expect("within five hundred years")
    }

    /// Where a node is from now on.
    pub(super) fn put_node(&self, index: usize, address: SocketAddr) {
        lock(&self.nodes)[index] = address;
    }

    fn node(&self, turn: u64) -> SocketAddr {
        let nodes = lock(&self.nodes);
        let count = u64::try_from(nodes.len()).expect("a few");
        nodes[usize::try_from(turn % count).expect("one of a few")]
    }

    fn ends(&self) -> bool {
        self.ends.load(Ordering::SeqCst)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A reservation of a caller's, as far as it knows.
struct Mine {
    tenant: &'static str,
    id: String,
    state: Known,
}

/// What a caller knows of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Held,
    Committed,
    /// It was not answered.
    Maybe,
}

/// One caller: one call at a time, each to whichever node.
struct Caller {
    shared: Arc<Shared>,
    client: Client,
    dice: Dice,
    number: u64,
    asked: u64,
    mine: Vec<Mine>,
    history: Vec<Operation>,
}

impl Caller {
    fn run(mut self) -> Vec<Operation> {
        while !self.shared.ends() {
            if let Err(failure) = self.next() {
                *lock(&self.shared.wrong) = Some(failure);
                break;
            }
            clock::wait(PAUSE);
        }
        self.history
    }

    fn is_forgetful(&self) -> bool {
        self.number.is_multiple_of(FORGETFUL)
    }

    /// Asks for one thing until it knows what came of it, or forgets about it.
    fn next(&mut self) -> Result<(), Failure> {
        let (tenant, ask) = self.choose();
        while !self.shared.ends() {
            let called = self.shared.now();
            let node = self.shared.node(self.dice.next());
            let told = self.client.ask(node, tenant, &ask)?;
            let at = self.shared.now();
            let end = match told {
                Told::Answer(answer) => Some(End { at, answer }),
                Told::NotDone => {
                    self.shared.not_done.fetch_add(1, Ordering::SeqCst);
                    clock::wait(LONG_PAUSE);
                    continue;
                }
                Told::Unknown => None,
            };
            let is_answered = end.is_some();
            let operation = Operation {
                tenant: tenant.to_owned(),
                ask: ask.clone(),
                called,
                end,
            };
            if operation.acknowledged().is_some() {
                self.shared.changes.fetch_add(1, Ordering::SeqCst);
            }
            self.learn(tenant, &operation);
            // What was only asked, and not answered, is of no interest.
            if is_answered || ask.is_change() {
                self.history.push(operation);
            }
            if is_answered {
                break;
            }
            self.shared.unknown.fetch_add(1, Ordering::SeqCst);
            if self.is_forgetful() {
                break;
            }
        }
        Ok(())
    }

    fn choose(&mut self) -> (&'static str, Ask) {
        let tenant = TENANTS[match self.dice.below(2) {
            0 => 0,
            _ => self.dice.index(TENANTS.len()),
        }];
        let what = match CALLERS <= self.number + READERS {
            true => 0,
            false => self.dice.below(10),
        };
        match what {
            0 => {
                let scope = match self.dice.below(2) {
                    0 => tenant.to_owned(),
                    _ => scope_of(tenant, APP),
                };
                (tenant, Ask::Figures { scope })
            }
            1..6 if !self.mine.is_empty() => self.choose_mine(),
            6 if !self.history.is_empty() => {
                let again = &self.history[self.dice.index(self.history.len())];
                let tenant = TENANTS.into_iter().find(|it| *it == again.tenant);
                match &again.ask {
                    Ask::Reserve { id, .. } if self.dice.below(2) == 0 => {
                        (tenant.expect("it was asked"), Ask::Look { id: id.clone() })
                    }
                    ask => (tenant.expect("it was asked"), ask.clone()),
                }
            }
            _ => {
                self.asked += 1;
                let part = [WEB, APP][self.dice.index(2)];
                let ask = Ask::Reserve {
                    id: format!("c{}-{}", self.number, self.asked),
                    scope: scope_of(tenant, part),
                    amount: 1 + self.dice.below(3),
                    for_good: self.is_forgetful() || self.dice.below(3) == 0,
                };
                (tenant, ask)
            }
        }
    }

    /// What to do with one of its own.
    fn choose_mine(&mut self) -> (&'static str, Ask) {
        let mine = &self.mine[self.dice.index(self.mine.len())];
        let id = mine.id.clone();
        let ask = match (mine.state, self.dice.below(4)) {
            (Known::Held, 0 | 1) => Ask::Commit { id },
            (Known::Held | Known::Committed, 2) => {
                let amount = 1 + self.dice.below(4);
                Ask::Resize { id, amount }
            }
            (Known::Held | Known::Committed | Known::Maybe, _) => Ask::Release { id },
        };
        (mine.tenant, ask)
    }

    /// Takes note of what an answer says about its own.
    fn learn(&mut self, tenant: &'static str, operation: &Operation) {
        let Some(id) = operation.ask.id().filter(|_| operation.ask.is_change()) else {
            return;
        };
        let state = match operation.end.as_ref().map(|end| &end.answer) {
            None => Some(Known::Maybe),
            Some(Answer::Row(row)) if row.state == "held" => Some(Known::Held),
            Some(Answer::Row(row)) if row.state == "committed" => Some(Known::Committed),
            // A refused resize leaves it as it was.
            Some(Answer::Denied(..)) if matches!(operation.ask, Ask::Resize { .. }) => return,
            Some(_) => None,
        };
        self.mine.retain(|mine| mine.id != id);
        self.mine.extend(state.map(|state| Mine {
            tenant,
            id: id.to_owned(),
            state,
        }));
    }
}
