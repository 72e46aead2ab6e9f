//! The workload of a world, decided by every store: the same answers, the same logs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use plimsoll_core::amount::Timestamp;
use plimsoll_core::event::Log;
use plimsoll_core::model::Reach;
use plimsoll_core::rows::Footprint;
use plimsoll_sim::stage::Stage;
use plimsoll_sim::world;
use plimsoll_store::{Clock, LogHead, Page, Store};

use crate::cluster;
use crate::support::wait;

const SEED: u64 = 71;

/// Where each log stands, with the hash that chains everything in it.
fn logs(store: &Store) -> Vec<(Log, LogHead)> {
    let page = Page {
        after: None,
        size: 10_000,
    };
    let scopes = wait(store.list_scopes(&Reach::Everything, None, &page)).expect("scopes");
    let tenants: BTreeSet<_> = scopes.into_iter().map(|row| row.tenant).collect();
    let footprint = Footprint {
        scopes: tenants.iter().cloned().collect(),
        ..Footprint::default()
    };
    let logs = tenants.into_iter().map(Log::Tenant);
    let logs: Vec<Log> = logs.chain([Log::Catalogue]).collect();
    let heads = wait(store.read(&footprint, |rows| {
        let heads = logs.into_iter().map(|log| {
            let head = rows.log(&log);
            (log, head)
        });
        heads.collect()
    }));
    heads.expect("the store serves")
}

#[test]
fn every_store_decides_the_workload_alike() {
    let mut stage = Stage::new(None);
    let groups = stage.keep_groups();
    for step in world::run(SEED, 1, None).steps {
        stage.apply(&step).expect("nothing is found");
    }
    let now = Arc::new(AtomicU64::new(0));
    let clock = Clock::new({
        let now = Arc::clone(&now);
        move || Timestamp::default().after_ms(now.load(Ordering::SeqCst))
    });
    let folder = tempfile::tempdir().expect("a folder");
    let memory = Store::memory(clock.clone());
    let sqlite = Store::sqlite(folder.path(), clock.clone()).expect("a store");
    let postgres = cluster::node(&cluster::database(), clock);
    let mut commands = 0;
    for (at, group) in groups.borrow().iter() {
        now.store(at.ms(), Ordering::SeqCst);
        for submission in group {
            commands += submission.len();
            let expected = wait(memory.submit(submission.clone())).expect("outcomes");
            for store in [&sqlite, &postgres] {
                let outcomes = wait(store.submit(submission.clone())).expect("outcomes");
                assert_eq!(outcomes, expected, "seed {SEED}");
            }
        }
    }
    assert!(1_000 < commands, "{commands}");
    let expected = logs(&memory);
    assert!(2 < expected.len());
    assert_eq!(logs(&sqlite), expected);
    assert_eq!(logs(&postgres), expected);
}
