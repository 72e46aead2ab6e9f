//! What a verification finds in the file itself, between the records and where some are missing.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};

use expect_test::expect;
use plimsoll_core::command::Command;
use plimsoll_store::sqlite;

use crate::damage::{tamper, told};
use crate::durability::{Closed, work};
use crate::support::*;

const PAGE_BYTES: usize = 4_096;

/// One batch whose record takes several pages.
fn crowd(name: &str, count: u64) -> Vec<Command> {
    let one = [("vm/disk", 1)];
    (0..count)
        .map(|number| reserve(&format!("{name}{number}"), "p", &one, None))
        .collect()
}

/// A closed store with small records and large ones.
fn closed() -> Closed {
    let closed = Closed::new();
    let store = open(closed.path());
    submit(&store, crowd("crowd", 60));
    work(98, |commands| drop(submit(&store, commands)));
    drop(store);
    closed
}

#[test]
fn a_changed_byte_is_found_wherever_it_is_in_the_file() {
    let closed = closed();
    let path = closed.path().join("journal.db");
    let right = fs::read(&path).expect("a file");
    let write = |at: usize, byte: u8| {
        let file = OpenOptions::new().write(true).open(&path).expect("a file");
        file.write_all_at(&[byte], at as u64).expect("a byte");
    };
    let mut dice = Dice(5);
    let mut at = 0;
    let mut flips = 0;
    while at < right.len() {
        let byte = right[at] ^ 1 << dice.below(8);
        write(at, byte);
        // The version that wrote last: src/sqlite/pages/tests.rs tries each bit.
        if !(96..100).contains(&at) {
            let verified = sqlite::verify(closed.path());
            assert!(verified.is_err(), "byte {at} is {byte:#04x}");
            flips += 1;
        }
        write(at, right[at]);
        at += match at % PAGE_BYTES {
            0..40 => 1 + dice.index(4),
            _ => 1 + dice.index(200),
        };
    }
    assert!(300 < flips, "{flips}");
    sqlite::verify(closed.path()).expect("a sound journal");
}

/// As long as a record can be missing, the first that cannot be read is named.
#[test]
fn the_first_record_that_is_cut_off_is_named() {
    let closed = closed();
    let path = closed.path().join("journal.db");
    let right = fs::read(&path).expect("a file");
    let pages = right.len() / PAGE_BYTES;
    let mut named = Vec::new();
    let steps = (PAGE_BYTES..right.len()).step_by(1_024);
    for len in steps.chain([right.len() / 2, right.len() - 1]) {
        fs::write(&path, &right[..len]).expect("a file");
        let error = sqlite::verify(closed.path()).expect_err("a part is missing");
        let message = chain_of(&error);
        let record = message.split_once("foreign: record ");
        let number = record.and_then(|(_, rest)| rest.split_once(':')?.0.parse::<u64>().ok());
        named.push(number.unwrap_or_else(|| panic!("{len} of {pages} pages: {message}")));
    }
    assert!(named.iter().all(|record| *record <= closed.records + 3));
    assert_eq!(named.first(), Some(&1));
    let rising = named.iter().max();
    assert_eq!(named.last(), rising, "one byte less: {named:?}");
    fs::write(&path, &right).expect("a file");
    sqlite::verify(closed.path()).expect("a sound journal");
}

#[test]
fn a_table_that_another_tool_has_changed_is_found() {
    let mut transcript = String::new();
    for sql in [
        "CREATE INDEX own ON journal (sequence)",
        "PRAGMA auto_vacuum = FULL; VACUUM",
        "DELETE FROM journal WHERE sequence = 25; VACUUM",
        "PRAGMA journal_mode = DELETE",
    ] {
        let closed = Closed::new();
        fs::remove_file(closed.path().join("ledger.db")).expect("a file");
        let changed = tamper(closed.path(), "journal.db").execute_batch(sql);
        changed.expect("a change");
        let error = sqlite::verify(closed.path()).expect_err("another layout");
        transcript += &format!("{sql}\n{}\n", told(closed.path(), &error));
    }
    expect![[r#"
        CREATE INDEX own ON journal (sequence)
        `DIR/journal.db` is damaged or foreign:
        page 1 is not that of a journal (byte 43):
        another program has changed the schema, or a backup was made over an older one;
        restore it from a backup

        PRAGMA auto_vacuum = FULL; VACUUM
        `DIR/journal.db` is damaged or foreign:
        page 1 is not that of a journal (byte 43):
        another program has changed the schema, or a backup was made over an older one;
        restore it from a backup

        DELETE FROM journal WHERE sequence = 25; VACUUM
        `DIR/journal.db` is damaged or foreign:
        page 1 is not that of a journal (byte 43):
        another program has changed the schema, or a backup was made over an older one;
        restore it from a backup

        PRAGMA journal_mode = DELETE
        `DIR/journal.db` is damaged or foreign:
        page 1 is not that of a journal (byte 18);
        restore it from a backup

    "#]]
    .assert_eq(&transcript);
}

/// Pages that are being written are those of one moment.
#[test]
fn a_store_may_write_while_it_is_verified() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    submit(&store, base());
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..120 {
                submit(&store, crowd(&format!("{number}-"), 1 + number % 40));
            }
            is_over.store(true, Ordering::SeqCst);
        });
        let mut last = 0;
        while !is_over.load(Ordering::SeqCst) {
            let verified = sqlite::verify(directory.path());
            let records = verified
                .unwrap_or_else(|error| panic!("{}", chain_of(&error)))
                .records;
            assert!(last <= records);
            last = records;
        }
    });
    let verified = sqlite::verify(directory.path()).expect("a sound journal");
    assert_eq!(verified.records, 121);
}
