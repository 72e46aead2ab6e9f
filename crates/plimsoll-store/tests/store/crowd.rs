//! Many callers at once: nobody gets more than there is, and what is read is durable.

use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::task::{Context, Waker};

use plimsoll_core::event::Log;
use plimsoll_core::outcome::{Done, Outcome};
use plimsoll_core::rows::{Footprint, Rows};
use plimsoll_store::{BATCH_COMMANDS_MAX, Clock, QUEUED_COMMANDS_MAX, Store, SubmitError, sqlite};

use crate::snapshot::{assert_sound, snapshot};
use crate::support::*;

const CALLERS: u64 = 64;

/// All callers ask for one unit at the same moment; a limit leaves fewer.
fn race(store: &Store, round: u64, left: u64) {
    let of = format!("vm/round{round}");
    let set_up = vec![
        put_resource(&of, finite(9), false),
        put_limit("acme", &of, finite(left)),
        put_limit("p", &of, finite(1_000)),
    ];
    submit(store, set_up);
    let start = Barrier::new(usize::try_from(CALLERS).expect("few"));
    let granted: u64 = std::thread::scope(|threads| {
        let ask = |caller: u64| {
            let command = reserve(&format!("r{round}-{caller}"), "p", &[(&of, 1)], Some(9));
            let start = &start;
            threads.spawn(move || {
                start.wait();
                u64::from(reserved(wait(store.submit(vec![command]))).is_some())
            })
        };
        let callers: Vec<_> = (0..CALLERS).map(ask).collect();
        callers
            .into_iter()
            .map(|caller| caller.join().expect("a caller"))
            .sum()
    });
    assert_eq!(granted, left.min(CALLERS), "round {round}");
}

fn race_for_the_last_units(store: &Store, rounds: u64) {
    submit(store, base());
    let mut dice = Dice(rounds);
    for round in 0..rounds {
        let left = dice.below(CALLERS + 2);
        race(store, round, left);
    }
    assert_eq!(snapshot(store, 1_000).scopes.len(), 4);
}

#[test]
fn a_crowd_gets_exactly_what_is_left() {
    let memory = Store::memory(HandClock::default().clock());
    race_for_the_last_units(&memory, 40);
    let directory = tempfile::tempdir().expect("a directory");
    race_for_the_last_units(&open(directory.path()), 40);
    sqlite::verify(directory.path()).expect("a sound journal");
}

/// One caller's commands; answers the revisions of the reservations that it made or changed.
fn busy_caller(store: &Store, caller: u64) -> Vec<u64> {
    let mut dice = Dice(caller);
    let mut revisions = Vec::new();
    for number in 0..60 {
        let id = format!("c{caller}-{number}");
        let at = dice.pick(&["acme", "p", "p-q"]);
        let ttl_ms = (dice.below(2) == 0).then_some(1_000);
        let mut commands = vec![reserve(&id, at, &[("vm/image@FRA-A", 1)], ttl_ms)];
        match dice.below(4) {
            0 => commands.push(commit("acme", &id)),
            1 => commands.extend([commit("acme", &id), release("acme", &id)]),
            _ => commands.push(release("acme", &id)),
        }
        let outcomes = wait(store.submit(commands)).expect("the store serves");
        for outcome in outcomes {
            if let Outcome::Done(Done::Reservation(row)) = outcome {
                revisions.push(row.revision);
            }
        }
    }
    revisions
}

fn assert_dense(store: &Store, scopes_and_limit: u64) {
    submit(store, base());
    submit(store, vec![put_limit("acme", "vm/image", finite(20))]);
    let mut revisions: Vec<u64> = std::thread::scope(|threads| {
        let callers: Vec<_> = (0..24)
            .map(|caller| threads.spawn(move || busy_caller(store, caller)))
            .collect();
        callers
            .into_iter()
            .flat_map(|caller| caller.join().expect("a caller"))
            .collect()
    });
    revisions.sort_unstable();
    // A command that changes nothing answers the revision of the change before.
    revisions.dedup();
    let log = Log::Tenant(scope("acme"));
    let head = wait(store.read(&Footprint::default(), |tables| tables.head(&log)));
    let head = head.expect("the store serves").revision;
    let expected: Vec<u64> = (scopes_and_limit + 1..=head).collect();
    assert_eq!(revisions, expected);
    assert_sound(store);
}

#[test]
fn a_crowd_leaves_sums_that_are_right_and_logs_without_gaps() {
    // The tenant's log begins with three scopes and a limit.
    assert_dense(&Store::memory(HandClock::default().clock()), 4);
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    assert_dense(&store, 4);
    let before = snapshot(&store, 100);
    drop(store);
    assert_eq!(snapshot(&open(directory.path()), 100), before);
}

/// Whatever a reader has seen stands in the journal by then.
fn watch(store: &Store, directory: &Path, ends: &AtomicBool) -> u64 {
    let mut looks = 0;
    while !ends.load(Ordering::SeqCst) {
        let logs = [Log::Catalogue, Log::Tenant(scope("acme"))];
        let seen: u64 = wait(store.read(&Footprint::default(), |tables| {
            logs.iter().map(|log| tables.head(log).revision).sum()
        }))
        .expect("the store serves");
        let durable = sqlite::verify(directory).expect("a sound journal").events;
        assert!(seen <= durable, "{seen} seen, {durable} durable");
        looks += 1;
    }
    looks
}

#[test]
fn readers_see_only_what_is_durable() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    submit(&store, base());
    let ends = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let watcher = threads.spawn(|| watch(&store, directory.path(), &ends));
        let callers: Vec<_> = (0..4)
            .map(|caller| {
                threads.spawn({
                    let store = &store;
                    move || busy_caller(store, caller)
                })
            })
            .collect();
        for caller in callers {
            caller.join().expect("a caller");
        }
        ends.store(true, Ordering::SeqCst);
        assert!(0 < watcher.join().expect("the watcher"));
    });
}

/// A clock at which the lane waits until the gate is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn set(&self, is_open: bool) {
        *self.0.0.lock().expect("a gate") = is_open;
        self.0.1.notify_all();
    }

    fn clock(&self) -> Clock {
        let gate = self.clone();
        Clock::new(move || {
            let (is_open, changed) = &*gate.0;
            let is_open = is_open.lock().expect("a gate");
            drop(
                changed
                    .wait_while(is_open, |is_open| !*is_open)
                    .expect("a gate"),
            );
            at(0)
        })
    }
}

#[test]
fn a_full_queue_refuses_at_once_and_loses_nothing() {
    let gate = Gate::default();
    gate.set(true);
    let store = Store::memory(gate.clock());
    submit(&store, base());
    gate.set(false);
    let mut waiting: Vec<Pin<Box<_>>> = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    for batch in 0..QUEUED_COMMANDS_MAX / BATCH_COMMANDS_MAX {
        let command = reserve(&format!("r{batch}"), "p", &[("vm/disk", 1)], None);
        let mut submitted = Box::pin(store.submit(vec![command; BATCH_COMMANDS_MAX]));
        assert!(submitted.as_mut().poll(&mut context).is_pending());
        waiting.push(submitted);
    }
    let one_more = vec![expire("acme")];
    assert_eq!(
        wait(store.submit(one_more.clone())),
        Err(SubmitError::Overloaded)
    );
    // A caller who goes away leaves the command behind, and the place in the queue is free again
    // once it is decided.
    drop(waiting.pop());
    assert_eq!(
        wait(store.submit(one_more.clone())),
        Err(SubmitError::Overloaded)
    );
    gate.set(true);
    for submitted in waiting {
        let outcomes = wait(submitted).expect("the store serves");
        assert_eq!(outcomes.len(), BATCH_COMMANDS_MAX);
    }
    assert_eq!(submit(&store, one_more).len(), 1);
    let used = wait(store.read(&Footprint::default(), |tables| {
        tables.account(&scope("p"), &item("vm/disk")).used
    }));
    assert_eq!(used.expect("the store serves"), amount(8));
}

#[test]
fn a_lane_that_panics_leaves_nobody_waiting() {
    let store = Store::memory(Clock::new(|| {
        panic!("the clock is broken: this is the test")
    }));
    assert!(store.is_ready());
    assert_eq!(wait(store.submit(base())), Err(SubmitError::Unknown));
    // The answer may come a moment before the lane is gone.
    while store.is_ready() {
        std::thread::yield_now();
    }
    assert_eq!(wait(store.submit(base())), Err(SubmitError::Unavailable));
    assert!(wait(store.read(&Footprint::default(), |_| ())).is_err());
}
