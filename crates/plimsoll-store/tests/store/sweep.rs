//! What is due is done by whoever comes first, and by nobody who would have to wait for it.

use std::sync::Barrier;
use std::time::Duration;

use plimsoll_core::command::Command;
use plimsoll_core::outcome::{Done, Outcome};
use plimsoll_store::{PostgresOptions, Store, Wait};

use crate::cluster::{self, name_of, root_row};
use crate::snapshot::assert_sound;
use crate::support::*;

const TENANTS: usize = 24;

/// Holds of which a table is large enough for its pages to be read in order.
const HOLDS: usize = 5_000;

fn hold(id: &str, at: &str) -> Command {
    reserve(id, at, &[("vm/disk", 1)], Some(1_000))
}

fn sweep(store: &Store, command: Command, how: Wait) -> Option<Outcome> {
    wait(store.sweep(command, how)).expect("the store serves")
}

fn expired(holds: usize) -> Option<Outcome> {
    Some(Outcome::Done(Done::Expired { holds }))
}

fn forgotten(reservations: usize) -> Option<Outcome> {
    Some(Outcome::Done(Done::Forgotten { reservations }))
}

#[test]
fn a_tenant_that_is_in_use_is_left_to_the_next_sweep() {
    let options = PostgresOptions {
        // Whoever waited for the row would be noticed.
        statement_timeout: Duration::from_secs(600),
        ..cluster::database()
    };
    let clock = HandClock::default();
    let node = cluster::node(&options, clock.clock());
    submit(&node, base());
    submit(&node, vec![hold("h1", "p"), hold("h2", "other")]);
    clock.set(5_000);
    let due = |node: &Store| {
        let mut due = wait(node.tenants_due(at(5_000))).expect("the store serves");
        due.sort_unstable();
        due
    };
    assert_eq!(due(&node), [scope("acme"), scope("other")]);
    let in_use = || cluster::shared().hold(&name_of(&options), &root_row("acme"));
    let held = in_use();
    for how in [Wait::No, Wait::Briefly] {
        assert_eq!(sweep(&node, expire("acme"), how), None, "{how:?}");
    }
    assert_eq!(sweep(&node, expire("other"), Wait::No), expired(1));
    // No lane waits for what the sweep has found locked.
    submit(&node, vec![hold("h3", "other")]);
    assert_eq!(due(&node), [scope("acme")]);
    held.release();
    assert_eq!(sweep(&node, expire("acme"), Wait::No), expired(1));
    assert!(due(&node).is_empty());
    let held = in_use();
    assert_eq!(sweep(&node, forget("acme", 6_000), Wait::No), None);
    assert_eq!(sweep(&node, forget("other", 6_000), Wait::No), forgotten(1));
    held.release();
    assert_eq!(
        sweep(&node, forget("acme", 6_000), Wait::Briefly),
        forgotten(1)
    );
    assert_sound(&node);
}

/// In a table without statistics the planner would rather read all of it, each second on each node.
#[test]
fn what_is_due_is_found_by_an_index_whatever_the_statistics_say() {
    let database = cluster::database();
    let clock = HandClock::default();
    let ask = |sql: &str| cluster::shared().ask(&name_of(&database), sql);
    // Each connection tells of what it has read when it ends.
    let scans = |node: Store| {
        drop(node);
        until("all connections have ended", || {
            ask("SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()")
                == "0"
        });
        ask("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'reservation'")
    };
    let node = cluster::node(&database, clock.clock());
    submit(&node, base());
    ask("ALTER TABLE plimsoll.reservation SET (autovacuum_enabled = off)");
    let holds = (0..HOLDS).map(|it| hold(&format!("h{it}"), "p"));
    let holds: Vec<Command> = holds.collect();
    for some in holds.chunks(1_000) {
        submit(&node, some.to_vec());
    }
    let plan = ask("EXPLAIN SELECT DISTINCT tenant FROM plimsoll.reservation \
         WHERE expires_at_ms <= 5000");
    assert!(plan.contains("Seq Scan"), "left to itself: {plan}");
    let before = scans(node);
    let node = cluster::node(&database, clock.clock());
    clock.set(5_000);
    let due = || wait(node.tenants_due(at(5_000))).expect("the store serves");
    let ended = || wait(node.tenants_with_ended_before(at(6_000))).expect("the store serves");
    assert_eq!((due(), ended()), (vec![scope("acme")], Vec::new()));
    assert_eq!(sweep(&node, expire("acme"), Wait::No), expired(1_000));
    assert_eq!((due(), ended()), (vec![scope("acme")], vec![scope("acme")]));
    assert_eq!(
        sweep(&node, forget("acme", 6_000), Wait::No),
        forgotten(1_000)
    );
    assert_eq!(scans(node), before);
}

/// All nodes sweep; each thing is done once.
#[test]
fn nodes_that_sweep_at_once_share_what_is_due() {
    let database = cluster::database();
    let clock = HandClock::default();
    let nodes = [(); 3].map(|()| cluster::node(&database, clock.clock()));
    submit(&nodes[0], base());
    let tenants: Vec<String> = (0..TENANTS).map(|it| format!("t{it}")).collect();
    let made = tenants.iter().map(|tenant| put_scope(tenant, None));
    submit(&nodes[0], made.collect());
    let holds = tenants.iter().map(|tenant| hold("h", tenant));
    submit(&nodes[0], holds.collect());
    clock.set(5_000);
    let start = Barrier::new(nodes.len());
    let swept_by = |node: &Store| -> usize {
        let outcomes = tenants.iter().map(|it| sweep(node, expire(it), Wait::No));
        let holds = outcomes.map(|outcome| match outcome {
            Some(Outcome::Done(Done::Expired { holds })) => holds,
            None => 0,
            other => panic!("{other:?}"),
        });
        holds.sum()
    };
    let mut swept: Vec<usize> = std::thread::scope(|threads| {
        let sweeps = nodes.each_ref().map(|node| {
            let (start, swept_by) = (&start, &swept_by);
            threads.spawn(move || {
                start.wait();
                swept_by(node)
            })
        });
        let sweeps = sweeps.into_iter();
        sweeps.map(|it| it.join().expect("a sweep")).collect()
    });
    // What was left because somebody was in the way, comes with the next sweep.
    until("all is swept", || {
        swept.push(swept_by(&nodes[1]));
        let left = wait(nodes[1].tenants_due(at(5_000)));
        left.expect("the store serves").is_empty()
    });
    assert_eq!(swept.iter().sum::<usize>(), TENANTS, "{swept:?}");
    assert_sound(&nodes[2]);
}
