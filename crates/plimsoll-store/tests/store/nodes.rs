//! Several nodes on one database: nobody gets more than there is, and each sees what any has done.

pub(crate) mod faults;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use plimsoll_core::event::Log;
use plimsoll_core::outcome::{Done, Outcome};
use plimsoll_core::rows::{Footprint, Rows};
use plimsoll_store::{
    AsOf, AsOfAnswer, Clock, POSTGRES_LAYOUT as LAYOUT, PostgresOptions, Store, StoreError,
    SubmitError,
};

use crate::cluster::{self, Cluster};
use crate::snapshot::{assert_sound, snapshot};
use crate::support::*;

const CALLERS: usize = 64;

fn two_nodes() -> [Store; 2] {
    let database = cluster::database();
    let clock = HandClock::default();
    [(); 2].map(|()| cluster::node(&database, clock.clock()))
}

fn read_at(at: &str) -> Footprint {
    Footprint {
        scopes: vec![scope(at)],
        items: vec![item("vm/disk")],
        ..Footprint::default()
    }
}

fn used(store: &Store, at: &str) -> Result<u64, StoreError> {
    let account = |tables: &plimsoll_store::Tables| tables.account(&scope(at), &item("vm/disk"));
    wait(store.read(&read_at(at), account)).map(|account| account.used.units())
}

#[test]
fn callers_of_two_nodes_get_exactly_what_is_left() {
    let nodes = two_nodes();
    submit(&nodes[0], base());
    for (round, left) in [(0, 1), (1, 37), (2, 63), (3, 100), (4, 0)] {
        let of = format!("vm/round{round}");
        let set_up = [
            put_resource(&of, finite(900), false),
            put_limit("acme", &of, finite(left)),
        ];
        submit(&nodes[round % 2], set_up.into());
        let start = Barrier::new(CALLERS);
        let granted: u64 = std::thread::scope(|threads| {
            let callers: Vec<_> = (0..CALLERS)
                .map(|caller| {
                    let (node, start, of) = (&nodes[caller % 2], &start, &of);
                    // Two scopes of one tenant: the limit is above both.
                    let at = ["p", "p-q"][caller / 2 % 2];
                    let command = reserve(&format!("r{round}-{caller}"), at, &[(of, 1)], None);
                    threads.spawn(move || {
                        start.wait();
                        u64::from(reserved(wait(node.submit(vec![command]))).is_some())
                    })
                })
                .collect();
            let callers = callers.into_iter();
            callers.map(|it| it.join().expect("a caller")).sum()
        });
        assert_eq!(granted, left.min(64), "round {round}");
    }
    assert_eq!(snapshot(&nodes[0], 100), snapshot(&nodes[1], 100));
}

#[test]
fn the_same_reservation_at_two_nodes_is_one() {
    let nodes = two_nodes();
    submit(&nodes[0], base());
    submit(&nodes[0], vec![put_limit("acme", "vm/disk", finite(1_000))]);
    let start = Barrier::new(2);
    std::thread::scope(|threads| {
        for node in &nodes {
            let start = &start;
            threads.spawn(move || {
                for round in 0..50 {
                    let command = reserve(&format!("r{round}"), "p", &[("vm/disk", 2)], None);
                    start.wait();
                    let row = reserved(wait(node.submit(vec![command]))).expect("there is room");
                    assert_eq!(row.lines.iter().count(), 1);
                }
            });
        }
    });
    assert_eq!(used(&nodes[0], "acme").expect("served"), 100);
    assert_sound(&nodes[1]);
}

/// Tenants, their scopes and resources are made at both nodes at once: ids stay unique, and a
/// decision never goes by a catalogue that has changed.
#[test]
fn what_nodes_make_at_once_is_made_once() {
    let nodes = two_nodes();
    let start = Barrier::new(2);
    let done: Vec<u64> = std::thread::scope(|threads| {
        let both = [0_u64, 1].map(|number| {
            let (node, start) = (&nodes[usize::from(number == 1)], &start);
            threads.spawn(move || {
                let mut made = 0;
                for round in 0..30 {
                    // The same id under two tenants: only one may have it.
                    let tenant = format!("t{round}-{number}");
                    let shared = put_scope(&format!("s{round}"), Some(&tenant));
                    let of = format!("vm/r{round}");
                    start.wait();
                    let outcomes = submit(node, vec![put_scope(&tenant, None), shared]);
                    made += u64::from(matches!(outcomes[1], Outcome::Done(_)));
                    submit(node, vec![put_resource(&of, finite(number), false)]);
                }
                made
            })
        });
        let both = both.into_iter();
        both.map(|it| it.join().expect("a caller")).collect()
    });
    assert_eq!(done.iter().sum::<u64>(), 30, "{done:?}");
    let seen = nodes.each_ref().map(|node| snapshot(node, 100));
    assert_eq!(seen[0].scopes.len(), 90);
    assert_eq!(seen[0], seen[1]);
}

#[test]
fn each_node_sees_what_the_other_was_answered() {
    let nodes = two_nodes();
    submit(&nodes[0], base());
    for round in 0..40 {
        let (writes, reads) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
        let command = reserve(&format!("r{round}"), "p", &[("vm/disk", 1)], None);
        assert!(reserved(wait(writes.submit(vec![command]))).is_some());
        assert_eq!(used(reads, "acme").expect("served"), round as u64 + 1);
        let resource = format!("vm/new{round}");
        submit(writes, vec![put_resource(&resource, finite(1), false)]);
        let seen = wait(reads.read(&Footprint::default(), |tables| {
            tables.resource(&item(&resource).resource).is_some()
        }));
        assert!(seen.expect("served"));
    }
}

#[test]
fn events_are_told_in_one_order_and_as_of_any_moment() {
    let nodes = two_nodes();
    let memory = Store::memory(HandClock::default().clock());
    let mut rounds = vec![base()];
    for round in 0..20 {
        let disk = [("vm/disk", round % 3 + 1)];
        let [one, two] = ["p", "other"].map(|at| reserve(&format!("r{round}"), at, &disk, None));
        rounds.push(vec![
            one,
            put_resource("vm/image", finite(round), true),
            two,
        ]);
    }
    for (round, commands) in rounds.iter().enumerate() {
        let outcomes = submit(&nodes[round % 2], commands.clone());
        assert_eq!(outcomes, submit(&memory, commands.clone()));
    }
    for log in [
        Log::Catalogue,
        Log::Tenant(scope("acme")),
        Log::Tenant(scope("other")),
    ] {
        for (after, max) in [(0, 100), (3, 4), (99, 9)] {
            let expected = wait(memory.events(&log, after, max)).expect("kept");
            let told = wait(nodes[1].events(&log, after, max)).expect("served");
            assert_eq!(told, expected, "{log:?}");
        }
    }
    // In one order, each once: what both nodes tell is the same. It is told up to the oldest
    // transaction that is running in the whole server, and other tests run some.
    let (all, _) = wait(memory.events_behind(0, 1_000)).expect("kept");
    let told = nodes.each_ref().map(|node| {
        let (mut events, mut place) = (Vec::new(), 0);
        until("every event is told", || {
            let (more, next) = wait(node.events_behind(place, 5)).expect("served");
            assert!(place < next || more.is_empty());
            place = next;
            events.extend(more);
            all.len() <= events.len()
        });
        events
    });
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].len(), all.len());
    for revision in 1..=23 {
        let used = |tables: &plimsoll_store::Tables, _| {
            let image = tables.resource(&item("vm/image").resource).cloned();
            let account = tables.account(&scope("acme"), &item("vm/disk"));
            (image, account, tables.scope(&scope("p")).cloned())
        };
        let moment = AsOf::Revision(revision);
        let ask = |store: &Store| {
            wait(store.read_as_of(&scope("acme"), moment, &read_at("p"), used)).expect("served")
        };
        assert_eq!(ask(&nodes[0]), ask(&memory), "{revision}");
    }
    let beyond = AsOf::Revision(24);
    let told = wait(nodes[0].read_as_of(&scope("acme"), beyond, &read_at("p"), |_, _| ()));
    assert!(
        matches!(told, Ok(AsOfAnswer::Beyond { head: 23 })),
        "{told:?}"
    );
}

/// Exactly one node has the turn, and where it is gone, another gets it.
#[test]
fn one_node_at_a_time_has_the_turn() {
    let database = cluster::database();
    let clock = HandClock::default();
    let mut nodes: Vec<Store> = (0..3)
        .map(|_| cluster::node(&database, clock.clock()))
        .collect();
    let count = |nodes: &[Store]| {
        let turns = nodes.iter().map(|node| *node.turn().borrow());
        turns.filter(|is_mine| *is_mine).count()
    };
    while !nodes.is_empty() {
        until("a node has the turn", || count(&nodes) == 1);
        let has_turn = |node: &Store| *node.turn().borrow();
        let index = nodes.iter().position(has_turn).expect("one of them");
        let mut turn = nodes[index].turn();
        turn.mark_unchanged();
        let name = database.url.rsplit('=').next().expect("a name");
        if nodes.len() == 2 {
            // A lost connection is the end of a turn, too.
            cluster::shared().ask(
                "postgres",
                &format!(
                    "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity \
                     WHERE datname = '{name}'"
                ),
            );
            wait(turn.changed()).expect("the node is there");
            until("a node has the turn", || count(&nodes) == 1);
        }
        drop(nodes.remove(index));
    }
    assert!(*Store::memory(clock.clock()).turn().borrow());
}
