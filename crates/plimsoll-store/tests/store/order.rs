//! In which order all logs together are told, whatever their writers wait for.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_core::event::{Event, Log};
use plimsoll_store::{Build, PostgresOptions, Store};

use crate::cluster::{self, name_of, root_row};
use crate::support::*;

fn disk(id: &str, at: &str) -> plimsoll_core::command::Command {
    reserve(id, at, &[("vm/disk", 1)], None)
}

/// Everything that there is to tell, in portions of at most `max` events.
fn told(store: &Store, count: usize, max: usize) -> Vec<Event> {
    let (mut events, mut place) = (Vec::new(), 0);
    // Other tests run transactions in the same server, which hold up what is told.
    until("every event is told", || {
        let (more, next) = wait(store.events_behind(place, max)).expect("served");
        assert!(place < next || more.is_empty());
        place = next;
        events.extend(more);
        count <= events.len()
    });
    events
}

fn assert_in_order(events: &[Event]) {
    let mut heads: BTreeMap<&Log, u64> = BTreeMap::new();
    for event in events {
        let head = heads.entry(&event.log).or_default();
        let expected = *head + 1;
        assert_eq!(event.revision, expected, "of {:?} behind {head}", event.log);
        *head = event.revision;
    }
}

/// A batch gets its transaction's number with the first row that it locks. While it waits for
/// another, a later transaction may write to a log that it has not locked yet.
fn write_while_another_waits(builds: [Build; 2]) {
    let options = PostgresOptions {
        // Whatever else this machine does.
        statement_timeout: Duration::from_secs(120),
        ..cluster::database()
    };
    let database = name_of(&options);
    wait(Store::migrate(&options)).expect("an empty database");
    let nodes = builds.map(|build| {
        let options = PostgresOptions {
            build,
            ..options.clone()
        };
        cluster::node(&options, HandClock::default().clock())
    });
    submit(&nodes[0], base());
    submit(&nodes[0], vec![put_scope("middle", None)]);
    // The catalogue's log is locked behind those of tenants, so it can be overtaken, too.
    for (held, overtaken) in [("middle", "other"), ("other", "")] {
        let commands = |number: u64| {
            let id = format!("r{number}-behind-{held}");
            match overtaken {
                "" => vec![put_location(&format!("Z{number}"), "somewhere")],
                tenant => vec![disk(&id, tenant)],
            }
        };
        let mut waiting = vec![
            disk(held, "acme"),
            disk(held, "middle"),
            disk(held, "other"),
        ];
        waiting.extend(commands(0));
        let hold = cluster::shared().hold(&database, &root_row(held));
        std::thread::scope(|threads| {
            let waits = threads.spawn(|| submit(&nodes[0], waiting));
            let is_waiting = format!(
                "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = '{database}' AND wait_event_type = 'Lock'"
            );
            until("a batch waits for the row", || {
                cluster::shared().ask(&database, &is_waiting) == "1"
            });
            for number in 1..4 {
                submit(&nodes[1], commands(number));
            }
            hold.release();
            waits.join().expect("it was decided");
        });
    }
    let count = cluster::shared().ask(&database, "SELECT count(*) FROM plimsoll.event");
    let count: usize = count.parse().expect("a number");
    for node in &nodes {
        let all = told(node, count, 1_000);
        assert_in_order(&all);
        for max in [1, 2] {
            let portions = told(node, count, max);
            assert_eq!(portions, all, "in portions of {max}");
        }
    }
}

#[test]
fn a_log_is_told_in_order_whatever_its_writers_waited_for() {
    write_while_another_waits([Build::THIS; 2]);
}

/// The order is the database's: it needs no build that knows of it.
#[test]
fn what_an_older_build_writes_is_told_in_order_once_the_layout_is_new() {
    let older = Build {
        migrations: &Build::THIS.migrations[..2],
        ..Build::THIS
    };
    write_while_another_waits([older, Build::THIS]);
    write_while_another_waits([Build::THIS, older]);
}
