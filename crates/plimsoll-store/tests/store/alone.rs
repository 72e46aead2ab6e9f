//! One caller at a time: decided on its own thread, and all else is as with the lane.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::rows::Footprint;
use plimsoll_store::{Clock, Store, SubmitError};
use tokio::runtime::Builder;

use crate::outage::{lock, wait_until_ready};
use crate::snapshot::assert_sound;
use crate::support::*;

/// More than have to be alone.
const MANY: u64 = 20;

/// On which thread something was decided last; time goes on by so many milliseconds with each look.
#[derive(Default)]
struct Watch {
    last: Arc<Mutex<Option<ThreadId>>>,
    step_ms: u64,
    panics: Arc<AtomicBool>,
}

impl Watch {
    fn clock(&self) -> Clock {
        let (last, panics) = (Arc::clone(&self.last), Arc::clone(&self.panics));
        let (now, step) = (AtomicU64::new(1), self.step_ms);
        Clock::new(move || {
            *last.lock().expect("nobody panics there") = Some(std::thread::current().id());
            assert!(
                !panics.load(Ordering::Relaxed),
                "the clock is broken: this is the test"
            );
            Timestamp::from_ms(now.fetch_add(step, Ordering::Relaxed)).expect("an early time")
        })
    }

    fn was_here(&self) -> bool {
        *self.last.lock().expect("nobody panics there") == Some(std::thread::current().id())
    }
}

async fn take_one(store: &Store, number: u64) {
    let command = reserve(&format!("r{number}"), "p", &[("vm/disk", 1)], None);
    assert!(reserved(store.submit(vec![command]).await).is_some());
}

async fn take_many(store: &Store, from: u64) {
    for number in from..from + MANY {
        take_one(store, number).await;
    }
}

#[test]
fn who_is_alone_for_a_while_is_decided_for_on_its_own_thread() {
    let watch = Watch::default();
    let store = Store::memory(watch.clock());
    submit(&store, base());
    assert!(!watch.was_here());
    wait(take_one(&store, 1_000));
    assert!(!watch.was_here());
    wait(take_many(&store, 0));
    assert!(watch.was_here());
    // Several commands are the lane's.
    let one = |id| reserve(id, "p", &[("vm/disk", 1)], None);
    submit(&store, vec![one("one"), one("other")]);
    assert!(!watch.was_here());
}

#[test]
fn a_runtime_of_one_thread_is_not_held_up() {
    let watch = Watch::default();
    let store = Store::memory(watch.clock());
    submit(&store, base());
    let one = Builder::new_current_thread().build().expect("a runtime");
    one.block_on(take_many(&store, 0));
    assert!(!watch.was_here());
    let two = Builder::new_multi_thread().worker_threads(2).build();
    two.expect("a runtime").block_on(take_many(&store, MANY));
    assert!(watch.was_here());
}

#[test]
fn nobody_waits_for_a_slow_disk_on_its_own_thread() {
    let watch = Watch {
        step_ms: 2,
        ..Watch::default()
    };
    let store = Store::memory(watch.clock());
    submit(&store, base());
    wait(take_many(&store, 0));
    assert!(!watch.was_here());
}

#[test]
fn a_store_comes_back_after_one_who_is_alone_could_not_write() {
    let directory = tempfile::tempdir().expect("a directory");
    let watch = Watch::default();
    let store = Store::sqlite(directory.path(), watch.clock()).expect("a store");
    submit(&store, base());
    wait(take_many(&store, 0));
    let other = lock(directory.path());
    let during = vec![reserve("during", "p", &[("vm/disk", 2)], None)];
    assert_eq!(wait(store.submit(during)), Err(SubmitError::Unknown));
    assert!(watch.was_here());
    assert!(!store.is_ready());
    drop(other);
    // Nobody asks for anything meanwhile.
    wait_until_ready(&store);
    assert_sound(&store);
}

#[test]
fn a_step_that_panics_for_one_who_is_alone_is_the_last() {
    let watch = Watch::default();
    let store = Store::memory(watch.clock());
    submit(&store, base());
    wait(take_many(&store, 0));
    watch.panics.store(true, Ordering::Relaxed);
    let during = vec![reserve("during", "p", &[("vm/disk", 2)], None)];
    assert_eq!(
        wait(store.submit(during.clone())),
        Err(SubmitError::Unknown)
    );
    assert!(watch.was_here());
    watch.panics.store(false, Ordering::Relaxed);
    assert!(!store.is_ready());
    assert_eq!(wait(store.submit(during)), Err(SubmitError::Unavailable));
    assert!(wait(store.read(&Footprint::default(), |_| ())).is_err());
}
