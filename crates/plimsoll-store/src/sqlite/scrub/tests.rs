//! The whole journal is read, to its end or to the first record that is wrong.

use std::path::Path;

use expect_test::{Expect, expect};
use plimsoll_core::event::Log;
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::sqlite::{Opened, open};
use crate::testing::Dice;

/// A closed directory, and where its journal ends.
struct Closed {
    directory: TempDir,
    end: Place,
}

impl Closed {
    /// A journal of so many records, some of them large: it takes many looks to read it.
    fn new(records: u64) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let opened = open(directory.path()).expect("an empty directory");
        let Opened { mut journal, .. } = opened;
        let mut dice = Dice(records);
        for revision in 1..=records {
            let mut record = journal.next_record();
            let mut event = dice.event(Log::Catalogue, revision);
            let count = if revision % 3 == 0 { 5_000 } else { 5 };
            event.changes = (0..count).map(|_| dice.change(1)).collect();
            record.push(&event, &[0; 32]);
            journal.write(record).expect("a record");
        }
        let end = journal.tip();
        Self { directory, end }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn change(&self, sql: &str) {
        let journal = Connection::open(self.path().join("journal.db")).expect("a database");
        journal.execute_batch(sql).expect("a change");
    }

    /// Reads all of it, on this thread.
    fn read(&self) -> Result<(), StoreError> {
        let scrubber = Scrubber::open(self.path(), self.end).expect("a journal");
        scrubber.run(&Signal::default())
    }
}

#[test]
fn a_sound_journal_is_read_to_its_end() {
    for records in [0, 1, 2, 30] {
        let closed = Closed::new(records);
        assert_eq!(closed.end.sequence, records);
        closed.read().expect("a sound journal");
    }
}

#[test]
fn damage_is_found_wherever_it_is() {
    let closed = Closed::new(30);
    let file = closed.path().join("journal.db");
    let sound = std::fs::read(&file).expect("a file");
    let check = |change: &str, expect: Expect| {
        closed.change(change);
        let error = closed.read().expect_err("a damaged journal").to_string();
        let path = closed.path().display().to_string();
        let told = error.replace(&path, "DIR").replace(": ", ":\n");
        expect.assert_eq(&(told + "\n"));
        std::fs::write(&file, &sound).expect("a file");
        closed.read().expect("a sound journal");
    };
    check(
        "UPDATE journal SET record = zeroblob(length(record)) WHERE sequence = 1",
        expect![[r#"
            `DIR/journal.db` is damaged or foreign:
            record 1:
            the checksum does not match (byte 337); restore it from a backup
        "#]],
    );
    check(
        "UPDATE journal SET record = zeroblob(length(record)) WHERE sequence = 30",
        expect![[r#"
            `DIR/journal.db` is damaged or foreign:
            record 30:
            the checksum does not match (byte 501327); restore it from a backup
        "#]],
    );
    check(
        "DELETE FROM journal WHERE sequence = 17",
        expect![[r#"
        `DIR/journal.db` is damaged or foreign:
        record 18:
        the record before it is missing; restore it from a backup
    "#]],
    );
    check(
        "DELETE FROM journal WHERE sequence > 17",
        expect![[r#"
        `DIR/journal.db` is damaged or foreign:
        record 18:
        it was there at the start, and is gone; restore it from a backup
    "#]],
    );
    check(
        "DELETE FROM journal",
        expect![[r#"
        `DIR/journal.db` is damaged or foreign:
        record 1:
        it was there at the start, and is gone; restore it from a backup
    "#]],
    );
    check(
        "UPDATE journal SET record = (SELECT record FROM journal WHERE sequence = 4)
         WHERE sequence = 5",
        expect![[r#"
            `DIR/journal.db` is damaged or foreign:
            record 5:
            the record was written for another place; restore it from a backup
        "#]],
    );
}

#[test]
fn another_record_at_the_end_is_found() {
    let one = Closed::new(1);
    let mut other = Closed::new(2);
    other.change("DELETE FROM journal WHERE sequence = 2");
    other.end = one.end;
    let error = other.read().expect_err("the other's record");
    assert!(
        error
            .to_string()
            .contains("record 1: it is not the record that was there at the start")
    );
}

#[test]
fn one_that_is_told_to_stop_reads_no_further() {
    let closed = Closed::new(30);
    closed.change("DELETE FROM journal WHERE sequence = 30");
    let scrubber = Scrubber::open(closed.path(), closed.end).expect("a journal");
    let signal = Signal::default();
    signal.stop();
    scrubber.run(&signal).expect("it did not come so far");
}

#[test]
fn damage_stops_those_who_serve() {
    for is_damaged in [false, true] {
        let closed = Closed::new(3);
        if is_damaged {
            closed.change("DELETE FROM journal WHERE sequence = 2");
        }
        let shared = Arc::new(Shared::default());
        let scrubber = Scrubber::open(closed.path(), closed.end).expect("a journal");
        let mut scrub = scrubber.start(Arc::clone(&shared));
        let thread = scrub.thread.take().expect("a thread");
        thread.join().expect("it ends by itself");
        assert_eq!(shared.is_serving(), !is_damaged);
    }
}
