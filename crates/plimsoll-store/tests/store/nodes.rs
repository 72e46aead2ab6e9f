//! Several nodes on one database: nobody gets more than there is, and each sees what any has done.

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

/// What all callers together were told while the server was killed under them, again and again.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) granted: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) ends: AtomicBool,
}

impl Counts {
    /// Waits until a count has grown by so many.
    pub(crate) fn wait_for(count: &AtomicU64, more: u64) {
        let wanted = count.load(Ordering::SeqCst) + more;
        until("calls go on", || wanted <= count.load(Ordering::SeqCst));
    }
}

/// Calls until it is told to end; answers what was granted.
pub(crate) fn call_until(store: &Store, caller: usize, counts: &Counts) -> Vec<String> {
    let mut granted = Vec::new();
    for number in 0.. {
        let id = format!("c{caller}-{number}");
        loop {
            if counts.ends.load(Ordering::SeqCst) {
                return granted;
            }
            let command = reserve(&id, "p", &[("vm/disk", 1)], None);
            match wait(store.submit(vec![command])).as_deref() {
                Ok([Outcome::Done(Done::Reservation(_))]) => {
                    granted.push(id);
                    counts.granted.fetch_add(1, Ordering::SeqCst);
                    break;
                }
                Ok(other) => panic!("{other:?}"),
                // The same id again: it may be there already.
                Err(SubmitError::Unknown | SubmitError::Unavailable | SubmitError::Overloaded) => {
                    counts.failed.fetch_add(1, Ordering::SeqCst);
                    std::thread::park_timeout(Duration::from_millis(20));
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
    granted
}

/// Waits until all nodes decide again.
pub(crate) fn until_back(nodes: &[Store]) {
    for node in nodes {
        until("the node decides again", || {
            wait(node.submit(vec![expire("acme")])).is_ok()
        });
    }
}

#[test]
fn a_killed_database_loses_and_doubles_nothing() {
    let cluster = Cluster::start();
    let database = cluster.create("db");
    let clock = HandClock::default();
    let nodes = [(); 2].map(|()| cluster::node(&database, clock.clock()));
    submit(&nodes[0], base());
    let counts = Counts::default();
    let granted: Vec<Vec<String>> = std::thread::scope(|threads| {
        let callers: Vec<_> = (0..8)
            .map(|caller| {
                let (node, counts) = (&nodes[caller % 2], &counts);
                threads.spawn(move || call_until(node, caller, counts))
            })
            .collect();
        for _ in 0..4 {
            Counts::wait_for(&counts.granted, 20);
            cluster.kill();
            Counts::wait_for(&counts.failed, 8);
            cluster.run();
            until_back(&nodes);
        }
        Counts::wait_for(&counts.granted, 20);
        counts.ends.store(true, Ordering::SeqCst);
        let callers = callers.into_iter();
        callers.map(|it| it.join().expect("a caller")).collect()
    });
    let all = snapshot(&nodes[0], 1_000);
    let kept: BTreeMap<&str, ()> = all
        .reservations
        .iter()
        .map(|row| (row.id.as_str(), ()))
        .collect();
    for id in granted.iter().flatten() {
        assert!(
            kept.contains_key(id.as_str()),
            "`{id}` was acknowledged and is lost"
        );
    }
    // Whoever was not answered last may or may not have got it.
    assert!(kept.len() <= granted.iter().flatten().count() + granted.len());
    assert_sound(&nodes[0]);
    assert_sound(&nodes[1]);
}

#[test]
fn faults_of_the_database_are_said_clearly() {
    let cluster = cluster::shared();
    let fails = |options: &PostgresOptions| {
        let clock = Clock::new(|| at(0));
        let error = wait(Store::postgres(options, clock))
            .map(drop)
            .expect_err("it cannot be used");
        chain_of(&error)
    };
    let missing = fails(&cluster.options("nowhere"));
    assert!(missing.contains("nowhere` does not exist"), "{missing}");
    let away = fails(&PostgresOptions::new("postgres://me:secret@127.0.0.1:1/db"));
    assert!(
        away.contains("`127.0.0.1:1/db` cannot be reached"),
        "{away}"
    );
    assert!(!away.contains("secret"), "{away}");
    let none = fails(&PostgresOptions::new("postgres://me:secret@[/db"));
    assert!(
        none.contains("is not an address") && !none.contains("secret"),
        "{none}"
    );
    let options = cluster::database();
    drop(cluster::node(&options, Clock::new(|| at(0))));
    let name = options.url.rsplit('=').next().expect("a name").to_owned();
    cluster.ask(&name, "INSERT INTO plimsoll.layout (version) VALUES (99)");
    let newer = fails(&options);
    assert!(newer.contains("newer build (layout 99"), "{newer}");
    let migrated = wait(Store::migrate(&options))
        .map(drop)
        .expect_err("it is too new");
    assert!(chain_of(&migrated).contains("newer build"));
    cluster.ask(&name, "DELETE FROM plimsoll.layout");
    cluster.ask(&name, "DROP SCHEMA plimsoll CASCADE");
    assert_eq!(
        wait(Store::migrate(&options)).expect("laid out"),
        (0, LAYOUT)
    );
    assert_eq!(
        wait(Store::migrate(&options)).expect("as it is"),
        (LAYOUT, LAYOUT)
    );
    cluster.ask(
        &name,
        &format!("ALTER DATABASE {name} SET synchronous_commit = off"),
    );
    let unsafe_one = fails(&options);
    assert!(
        unsafe_one.contains("`synchronous_commit` off"),
        "{unsafe_one}"
    );
}

/// A database that takes no writes refuses, and serves again as soon as it takes them.
#[test]
fn a_database_that_only_reads_is_waited_for() {
    let cluster = cluster::shared();
    let options = cluster::database();
    let name = options.url.rsplit('=').next().expect("a name").to_owned();
    let node = Arc::new(cluster::node(&options, Clock::new(|| at(0))));
    submit(&node, base());
    let end_sessions = format!(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '{name}' \
         AND pid <> pg_backend_pid()"
    );
    cluster.ask(
        "postgres",
        &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"),
    );
    cluster.ask("postgres", &end_sessions);
    let refused = wait(node.submit(vec![reserve("r1", "p", &[("vm/disk", 1)], None)]));
    assert_eq!(refused, Err(SubmitError::Unavailable));
    cluster.ask(
        "postgres",
        &format!("ALTER DATABASE {name} SET default_transaction_read_only = off"),
    );
    cluster.ask("postgres", &end_sessions);
    until_back(std::slice::from_ref(&*node));
    let command = reserve("r1", "p", &[("vm/disk", 1)], None);
    assert!(reserved(wait(node.submit(vec![command]))).is_some());
    assert_eq!(used(&node, "p").expect("served"), 1);
}

/// Makes a copy of a database that nobody uses any more.
fn copy(from: &str, to: &str) {
    let ended = format!(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '{from}'"
    );
    cluster::shared().ask("postgres", &ended);
    let copied = format!("CREATE DATABASE {to} TEMPLATE {from}");
    cluster::shared().ask("postgres", &copied);
}

/// As after a failover to a standby that was behind.
#[test]
fn a_database_that_has_lost_what_was_acknowledged_is_not_believed() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = PostgresOptions {
        acknowledged_file: Some(folder.path().join("acknowledged")),
        ..cluster::database()
    };
    let name = options.url.rsplit('=').next().expect("a name").to_owned();
    let at_database = |name: &str| PostgresOptions {
        url: cluster::shared().options(name).url,
        ..options.clone()
    };
    let open = |options: &PostgresOptions| cluster::node(options, HandClock::default().clock());
    let disk = |id: &str, at: &str| reserve(id, at, &[("vm/disk", 1)], None);
    let node = open(&options);
    submit(&node, base());
    submit(&node, vec![disk("r1", "p"), disk("r1", "other")]);
    drop(node);
    copy(&name, &format!("{name}_behind"));
    let node = open(&options);
    submit(&node, vec![disk("r2", "p")]);
    drop(node);
    copy(&name, &format!("{name}_whole"));

    let behind = at_database(&format!("{name}_behind"));
    let node = open(&behind);
    // In one group or not: nobody else's tenant is concerned.
    let (lost, other) = std::thread::scope(|threads| {
        let lost = threads.spawn(|| wait(node.submit(vec![disk("r2", "p-q")])));
        let other = threads.spawn(|| wait(node.submit(vec![disk("r2", "other")])));
        [lost, other].map(|it| it.join().expect("a caller")).into()
    });
    assert_eq!(lost, Err(SubmitError::Unavailable));
    assert!(reserved(other).is_some());
    assert!(matches!(used(&node, "p"), Err(StoreError::Unavailable)));
    assert_eq!(used(&node, "other").expect("served"), 2);
    drop(node);

    // One that was not told anything has nothing to miss, and makes another history.
    let stranger = PostgresOptions {
        acknowledged_file: None,
        ..behind.clone()
    };
    submit(&open(&stranger), vec![disk("r3", "p")]);
    assert_eq!(
        wait(open(&behind).submit(vec![disk("r4", "p")])),
        Err(SubmitError::Unavailable)
    );
    let whole = open(&at_database(&format!("{name}_whole")));
    assert_eq!(used(&whole, "p").expect("served"), 2);
    // The tenant that was told more elsewhere since is behind here.
    assert!(matches!(
        used(&whole, "other"),
        Err(StoreError::Unavailable)
    ));
    drop(whole);
    std::fs::remove_file(folder.path().join("acknowledged")).expect("a file");
    assert_eq!(used(&open(&behind), "p").expect("served"), 2);
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
