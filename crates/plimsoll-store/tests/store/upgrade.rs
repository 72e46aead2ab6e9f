//! Builds of several versions on one database: callers notice nothing, and nobody guesses.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use plimsoll_core::event::Log;
use plimsoll_core::outcome::{Done, Outcome};
use plimsoll_store::{
    Build, Migration, POSTGRES_LAYOUT as LAYOUT, PostgresOptions, Store, SubmitError,
    verify_postgres,
};

use crate::cluster;
use crate::snapshot::snapshot;
use crate::support::*;

/// A build that is not written yet: it knows one migration more than this one.
fn next_build(sql: &'static str, serves_from: u64, record: u64) -> Build {
    build_after(Build::THIS, sql, serves_from, record)
}

fn build_after(build: Build, sql: &'static str, serves_from: u64, record: u64) -> Build {
    let next = Migration {
        sql,
        serves_from,
        record,
    };
    let mut migrations = build.migrations.to_vec();
    migrations.push(next);
    Build {
        migrations: migrations.leak(),
        ..build
    }
}

fn as_build(options: &PostgresOptions, build: Build) -> PostgresOptions {
    PostgresOptions {
        build,
        ..options.clone()
    }
}

fn open_as(options: &PostgresOptions, build: Build) -> Store {
    cluster::node(&as_build(options, build), HandClock::default().clock())
}

fn refusal(options: &PostgresOptions, build: Build) -> String {
    let clock = HandClock::default();
    let opened = wait(Store::postgres(&as_build(options, build), clock.clock()));
    chain_of(&opened.map(drop).expect_err("it must not serve"))
}

fn migrate(options: &PostgresOptions, build: Build) -> Result<(u64, u64), String> {
    let migrated = wait(Store::migrate(&as_build(options, build)));
    migrated.map_err(|error| chain_of(&error))
}

fn finish(options: &PostgresOptions, build: Build) -> Result<(u64, u64), String> {
    let finished = wait(Store::finish_migration(&as_build(options, build)));
    finished.map_err(|error| chain_of(&error))
}

fn sql(options: &PostgresOptions, sql: &str) {
    let name = options.url.rsplit('=').next().expect("a name");
    cluster::shared().ask(name, sql);
}

/// Callers that go on until they are told to end; none may be refused.
struct Load<'a> {
    granted: &'a AtomicU64,
    ends: &'a AtomicBool,
}

impl Load<'_> {
    fn call(&self, node: &Store, caller: &str) {
        for number in 0.. {
            if self.ends.load(Ordering::SeqCst) {
                return;
            }
            let id = format!("{caller}-{number}");
            let disk = reserve(&id, "p", &[("vm/disk", 1)], None);
            let outcomes = wait(node.submit(vec![disk]));
            let outcomes = outcomes.unwrap_or_else(|error| panic!("{id}: {error}"));
            assert!(matches!(
                outcomes[..],
                [Outcome::Done(Done::Reservation(_))]
            ));
            self.granted.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn go_on(&self, more: u64) {
        let wanted = more + self.granted.load(Ordering::SeqCst);
        until("calls go on", || {
            wanted <= self.granted.load(Ordering::SeqCst)
        });
    }
}

/// Ends the callers also where a check of the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn three_versions_serve_side_by_side_while_the_layout_changes() {
    let options = cluster::database();
    let more = "ALTER TABLE plimsoll.account ADD COLUMN more text; \
                ALTER TABLE plimsoll.reservation ADD COLUMN more bigint NOT NULL DEFAULT 7; \
                CREATE TABLE plimsoll.more (id text PRIMARY KEY)";
    let next = next_build("CREATE TABLE plimsoll.between (id text PRIMARY KEY)", 2, 4);
    let last = build_after(next, more, 2, 4);
    let first = open_as(&options, Build::THIS);
    submit(&first, base());
    let (granted, ends) = (AtomicU64::new(0), AtomicBool::new(false));
    let load = Load {
        granted: &granted,
        ends: &ends,
    };
    std::thread::scope(|threads| {
        let _end = End(&ends);
        // New nodes beside old ones, on the old layout.
        let nodes = [first, open_as(&options, next), open_as(&options, last)];
        let mut callers = Vec::new();
        for (index, node) in nodes.into_iter().enumerate() {
            let load = &load;
            callers.push(threads.spawn(move || load.call(&node, &format!("c{index}"))));
        }
        load.go_on(60);
        assert_eq!(migrate(&options, next), Ok((LAYOUT, LAYOUT + 1)));
        load.go_on(60);
        assert_eq!(migrate(&options, last), Ok((LAYOUT + 1, LAYOUT + 2)));
        load.go_on(60);
        // Old nodes that start meanwhile, as after a crash, or where the new one is not liked.
        for build in [Build::THIS, next, last] {
            let node = open_as(&options, build);
            submit(&node, vec![put_scope("again", Some("acme"))]);
        }
        load.go_on(60);
        ends.store(true, Ordering::SeqCst);
        for caller in callers {
            caller.join().expect("no call was refused");
        }
    });
    let seen = [Build::THIS, next, last].map(|build| {
        let verified = verify_postgres(&as_build(&options, build), |_, _| ());
        verified.expect("a sound database").admissions
    });
    assert_eq!(seen, [granted.load(Ordering::SeqCst); 3]);
}

#[test]
fn a_migration_that_shuts_nodes_out_is_not_made_while_they_serve() {
    let options = cluster::database();
    let node = open_as(&options, Build::THIS);
    submit(&node, base());
    until("a node has the turn", || *node.turn().borrow());
    let new = LAYOUT + 1;
    let next = next_build("ALTER TABLE plimsoll.tally RENAME TO count", new, 4);
    let told = migrate(&options, next).expect_err("a node serves");
    let expected = format!(
        "is being served by a node that knows layout {LAYOUT} at most, and needs {new} behind this"
    );
    assert!(told.contains(&expected), "{told}");
    submit(&node, vec![put_scope("one-more", None)]);
    drop(node);
    until("the node is gone", || {
        migrate(&options, next) == Ok((LAYOUT, new))
    });
    let told = refusal(&options, Build::THIS);
    let expected = format!("newer build (layout {new}, this build knows {LAYOUT})");
    assert!(told.contains(&expected), "{told}");
    let too_new = Build {
        layout_min: new + 1,
        ..next
    };
    let told = refusal(&options, too_new);
    let expected = format!("has layout {new}, this build needs {}", new + 1);
    assert!(told.contains(&expected), "{told}");
}

/// By whom ever: what a node cannot serve, it does not.
#[test]
fn a_node_whose_layout_is_taken_away_answers_that_it_is_not_available() {
    let options = cluster::database();
    let node = open_as(&options, Build::THIS);
    submit(&node, base());
    let new = LAYOUT + 1;
    let insert =
        format!("INSERT INTO plimsoll.layout (version, serves_from) VALUES ({new}, {new})");
    sql(&options, &insert);
    until("the node has noticed", || !node.is_ready());
    let call = || wait(node.submit(vec![reserve("r", "p", &[("vm/disk", 1)], None)]));
    assert_eq!(call(), Err(SubmitError::Unavailable));
    let update = |what: &str| {
        let update = format!("UPDATE plimsoll.layout SET {what} WHERE version = {new}");
        sql(&options, &update);
    };
    update(&format!("serves_from = {LAYOUT}"));
    until("the node has noticed", || node.is_ready());
    assert!(reserved(call()).is_some());
    update("record = 5");
    until("the node has noticed", || !node.is_ready());
    assert_eq!(call(), Err(SubmitError::Unavailable));
    let told = refusal(&options, Build::THIS);
    assert!(
        told.contains("may hold rows of version 5, this build reads up to 4"),
        "{told}"
    );
}

#[test]
fn newer_rows_are_not_written_before_every_node_can_read_them() {
    let options = cluster::database();
    let node = open_as(&options, Build::THIS);
    submit(&node, base());
    until("a node has the turn", || *node.turn().borrow());
    let next = next_build("CREATE TABLE plimsoll.more (id text PRIMARY KEY)", 2, 5);
    let told = finish(&options, next).expect_err("it is not migrated");
    assert!(told.contains("run `plimsoll migrate` first"), "{told}");
    assert_eq!(migrate(&options, next), Ok((LAYOUT, LAYOUT + 1)));
    let newer = open_as(&options, next);
    let told = finish(&options, next).expect_err("an older node serves");
    let expected = format!("knows layout {LAYOUT} at most, and needs {}", LAYOUT + 1);
    assert!(told.contains(&expected), "{told}");
    submit(&node, vec![put_scope("one-more", None)]);
    drop(node);
    until("the node is gone", || finish(&options, next) == Ok((4, 5)));
    assert_eq!(finish(&options, next), Ok((5, 5)));
    assert!(refusal(&options, Build::THIS).contains("may hold rows of version 5"));
    submit(&newer, vec![put_scope("two-more", None)]);
}

/// The last line of defence: bytes that this build does not know are no reason to guess.
#[test]
fn what_a_node_cannot_read_it_does_not_answer_from() {
    let options = cluster::database();
    let node = open_as(&options, Build::THIS);
    submit(&node, base());
    submit(&node, vec![put_limit("p", "vm/disk", finite(9))]);
    let before = snapshot(&node, 10);
    let disk = |at: &str| vec![reserve("r", at, &[("vm/disk", 1)], None)];
    let first_byte = |table: &str, column: &str, at: &str, byte: u8| {
        let set = format!("UPDATE plimsoll.{table} SET {column} = set_byte({column}, 0, {byte})");
        sql(&options, &format!("{set} WHERE {at}"));
    };
    first_byte("limits", "row", "scope = 'p'", 200);
    assert_eq!(wait(node.submit(disk("p"))), Err(SubmitError::Unavailable));
    assert!(reserved(wait(node.submit(disk("other")))).is_some());
    first_byte("limits", "row", "scope = 'p'", 3);
    let of_acme = "tenant = 'acme' AND revision = 2";
    first_byte("event", "event", of_acme, 77);
    let log = Log::Tenant(scope("acme"));
    assert!(wait(node.events(&log, 0, 10)).is_err());
    first_byte("event", "event", of_acme, 1);
    let events = wait(node.events(&log, 0, 10)).expect("served");
    assert_eq!(events.len() as u64, before.logs[1].1.head.revision);
    assert!(reserved(wait(node.submit(disk("p")))).is_some());
}
