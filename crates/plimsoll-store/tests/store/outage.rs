//! A journal that cannot be written: nobody is told what is not so, and the store comes back.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use expect_test::expect;
use plimsoll_core::rows::{Footprint, Rows};
use plimsoll_store::{Store, SubmitError, sqlite};
use rusqlite::Connection;

use crate::damage::told;
use crate::kill::{Child, say};
use crate::snapshot::{assert_sound, snapshot};
use crate::support::*;

/// Waits until the store serves again, for a while; whether it does.
fn comes_back(store: &Store) -> bool {
    let (_sender, never) = mpsc::channel::<()>();
    for _ in 0..3_000 {
        if store.is_ready() {
            return true;
        }
        let _ = never.recv_timeout(Duration::from_millis(10));
    }
    false
}

pub(crate) fn wait_until_ready(store: &Store) {
    assert!(comes_back(store), "the store has not come back");
}

/// Keeps the journal locked, as another program may.
pub(crate) fn lock(directory: &Path) -> Connection {
    let other = Connection::open(directory.join("journal.db")).expect("a database");
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    other
}

#[test]
fn a_store_that_cannot_write_refuses_and_comes_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    submit(&store, base());
    submit(
        &store,
        vec![reserve("before", "p", &[("vm/disk", 1)], None)],
    );
    let other = lock(directory.path());
    let during = vec![reserve("during", "p", &[("vm/disk", 2)], None)];
    assert_eq!(
        wait(store.submit(during.clone())),
        Err(SubmitError::Unknown)
    );
    assert!(!store.is_ready());
    assert_eq!(
        wait(store.submit(during.clone())),
        Err(SubmitError::Unavailable)
    );
    let read = wait(store.read(&Footprint::default(), |_| ()));
    assert_eq!(
        chain_of(&read.expect_err("an outage")),
        "the store is not available"
    );
    drop(other);
    wait_until_ready(&store);
    assert!(reserved(wait(store.submit(during))).is_some());
    let used = |store: &Store| {
        let used = wait(store.read(&Footprint::default(), |tables| {
            tables.account(&scope("acme"), &item("vm/disk")).used
        }));
        used.expect("the store serves")
    };
    assert_eq!(used(&store), amount(3));
    drop(store);
    let store = open(directory.path());
    assert_eq!(used(&store), amount(3));
    assert_sound(&store);
}

#[test]
fn a_store_that_cannot_write_can_still_be_dropped() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    submit(&store, base());
    let other = lock(directory.path());
    let during = vec![reserve("during", "p", &[("vm/disk", 2)], None)];
    assert_eq!(wait(store.submit(during)), Err(SubmitError::Unknown));
    drop(store);
    drop(other);
    assert_sound(&open(directory.path()));
}

#[test]
fn a_ledger_that_is_kept_busy_stops_nobody() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    submit(&store, base());
    let other = Connection::open(directory.path().join("ledger.db")).expect("a database");
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    for number in 0..20 {
        let command = reserve(&format!("r{number}"), "p", &[("vm/disk", 1)], None);
        assert!(reserved(wait(store.submit(vec![command]))).is_some());
    }
    let expected = snapshot(&store, 100);
    drop(store);
    assert_eq!(snapshot(&open(directory.path()), 100), expected);
    drop(other);
    assert_eq!(snapshot(&open(directory.path()), 100), expected);
}

#[test]
fn a_journal_that_another_program_reads_is_not_opened() {
    let directory = tempfile::tempdir().expect("a directory");
    drop(open(directory.path()));
    let other = Connection::open(directory.path().join("journal.db")).expect("a database");
    other
        .execute_batch("BEGIN; SELECT count(*) FROM journal; INSERT INTO journal VALUES (9, x'')")
        .expect("a transaction");
    let error = try_open(directory.path()).expect_err("a busy journal");
    expect![[r#"
        `DIR/journal.db` cannot be used:
        another program keeps it busy:
        Error code 5:
        database is locked
    "#]]
    .assert_eq(&told(directory.path(), &error));
    drop(other);
    drop(open(directory.path()));
}

/// Fills a file system that is too small: the write-ahead log fails first, and a checkpoint makes
/// room again until the journal itself does not fit any more.
pub(crate) fn write_in_a_cramped_place(directory: &Path) {
    let store = open(directory);
    submit(&store, base());
    let mut outages = 0;
    for number in 0..20_000 {
        let id = format!("r{number}");
        let mut tries = 0;
        let granted = loop {
            match wait(store.submit(vec![reserve(&id, "p", &[("vm/disk", 1)], None)])) {
                Ok(outcomes) => break reserved(Ok(outcomes)).expect("no limit"),
                Err(SubmitError::Unknown | SubmitError::Unavailable) => outages += 1,
                Err(other) => panic!("{other}"),
            }
            tries += 1;
            // While it reads its files again it refuses: that is no try.
            if 100 < tries || !comes_back(&store) {
                // The place is full for good: the store must still end.
                say(&format!("full after {outages} outages"));
                return;
            }
            let (_sender, never) = mpsc::channel::<()>();
            let _ = never.recv_timeout(Duration::from_millis(10));
        };
        say(&format!("{id} {}", granted.revision));
    }
    say("never full");
}

#[test]
fn a_full_disk_takes_nothing_that_was_acknowledged() {
    let parent = tempfile::tempdir().expect("a directory");
    let directory = parent.path().join("data");
    // No file may have more than 512 KiB, and to try is an error, not the end.
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().expect("this test binary"));
    let mut child = Child::of(shell, &directory, 0, "cramped");
    let mut acknowledged = Vec::new();
    let end = loop {
        let line = child.next_line().expect("the child says how it ends");
        match line.split_once(' ') {
            Some((id, revision)) if id.starts_with('r') => {
                acknowledged.push((id.to_owned(), revision.parse::<u64>().expect("a revision")));
            }
            _ => break line,
        }
    };
    child.end();
    assert!(end.starts_with("full after"), "{end}");
    assert!(100 < acknowledged.len(), "{}", acknowledged.len());
    let store = open(&directory);
    wait(store.read(&Footprint::default(), |tables| {
        for (id, revision) in &acknowledged {
            let row = tables.reservation(&scope("acme"), &reservation(id));
            assert_eq!(row.map(|row| row.revision), Some(*revision), "{id}");
        }
    }))
    .expect("the store serves");
    assert_sound(&store);
    assert!(
        reserved(wait(store.submit(vec![reserve(
            "after",
            "p",
            &[("vm/disk", 1)],
            None
        )])))
        .is_some()
    );
    drop(store);
    sqlite::verify(&directory).expect("a sound journal");
}
