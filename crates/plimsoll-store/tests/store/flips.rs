//! Single bits that change in any file: the store opens exactly as it was, or says why not.

use std::fs;
use std::sync::mpsc;
use std::time::Duration;

use plimsoll_core::rows::Footprint;
use plimsoll_store::{Store, SubmitError, sqlite};
use rusqlite::params;

use crate::damage::{files, tamper};
use crate::durability::{Closed, copy_journal, work};
use crate::history::{Sample, try_sample};
use crate::snapshot::{Snapshot, snapshot, try_snapshot};
use crate::support::*;

#[test]
fn every_changed_byte_of_every_record_is_found() {
    let closed = Closed::new();
    closed.go_back();
    let journal = tamper(closed.path(), "journal.db");
    let update = |sequence: u64, record: &[u8]| {
        journal
            .execute(
                "UPDATE journal SET record = ?2 WHERE sequence = ?1",
                params![sequence, record],
            )
            .expect("a change");
    };
    let mut changes = 0;
    for sequence in 1..=closed.records {
        let mut record: Vec<u8> = journal
            .query_row(
                "SELECT record FROM journal WHERE sequence = ?1",
                [sequence],
                |row| row.get(0),
            )
            .expect("a record");
        for position in (0..record.len()).step_by(1 + record.len() / 40) {
            record[position] ^= 1 << (position % 8);
            update(sequence, &record);
            record[position] ^= 1 << (position % 8);
            let found = sqlite::verify(closed.path()).expect_err("a changed byte");
            assert!(
                chain_of(&found).contains(&format!("record {sequence}: ")),
                "{found}"
            );
            if closed.older_records <= sequence {
                let refused = try_open(closed.path()).expect_err("a changed byte");
                assert_eq!(chain_of(&refused), chain_of(&found));
            }
            changes += 1;
        }
        update(sequence, &record);
    }
    assert!(700 < changes, "{changes}");
    drop(journal);
    closed.assert_opens_as_before();
}

/// Waits until the store serves no more.
fn wait_until_stopped(store: &Store) {
    let (_sender, never) = mpsc::channel::<()>();
    for _ in 0..3_000 {
        if !store.is_ready() {
            return;
        }
        let _ = never.recv_timeout(Duration::from_millis(10));
    }
    panic!("nobody has noticed");
}

#[test]
fn a_changed_bit_of_an_old_record_is_noticed_while_the_store_serves() {
    let closed = Closed::new();
    let flip = |sequence: u64| {
        let journal = tamper(closed.path(), "journal.db");
        let mut record: Vec<u8> = journal
            .query_row(
                "SELECT record FROM journal WHERE sequence = ?1",
                [sequence],
                |row| row.get(0),
            )
            .expect("a record");
        let middle = record.len() / 2;
        record[middle] ^= 0x10;
        journal
            .execute(
                "UPDATE journal SET record = ?2 WHERE sequence = ?1",
                params![sequence, record],
            )
            .expect("a change");
    };
    for sequence in [1, closed.older_records, closed.records - 1] {
        flip(sequence);
        let store = open(closed.path());
        wait_until_stopped(&store);
        let command = vec![reserve("late", "p", &[("vm/disk", 1)], None)];
        assert_eq!(wait(store.submit(command)), Err(SubmitError::Unavailable));
        assert!(wait(store.read(&Footprint::default(), |_| ())).is_err());
        drop(store);
        flip(sequence);
    }
    closed.assert_opens_as_before();
}

/// What became of openings with changed files.
#[derive(Default)]
struct Count {
    opened: u64,
    refused: u64,
    /// Opened, and then stopped: what a start does not read was changed.
    stopped: u64,
    /// Opened, and served on: what no record needs was changed.
    spare: u64,
    /// Opened, but with an error in the place of the past.
    pastless: u64,
}

/// Writes a file with a change, and opens: the store is exactly as before, or refused.
fn opens_right_or_not(
    (closed, past): (&Closed, &Sample),
    file: &str,
    bytes: &[u8],
    count: &mut Count,
    what: &str,
) {
    let path = closed.path();
    let before = files(path);
    for name in [
        "journal.db-wal",
        "journal.db-shm",
        "ledger.db-wal",
        "ledger.db-shm",
    ] {
        let _ = fs::remove_file(path.join(name));
    }
    fs::write(path.join(file), bytes).expect("a file");
    match try_open(path) {
        Ok(store) => {
            // It may stop at any moment, but shows nothing wrong until then.
            if let Ok(found) = try_snapshot(&store, 100) {
                assert_eq!(found, closed.expected, "{file}: {what}");
            }
            match try_sample(&store) {
                Ok(found) => assert!(found == *past, "{file}: {what}"),
                Err(_) => count.pastless += 1,
            }
            match sqlite::verify(path) {
                Ok(_) => {
                    assert!(store.is_ready(), "{file}: {what}");
                    count.opened += 1;
                }
                // Nobody but a verification looks at what is between the records.
                Err(error) if chain_of(&error).contains(": page ") => {
                    assert!(store.is_ready(), "{file}: {what}");
                    count.spare += 1;
                }
                Err(_) => {
                    wait_until_stopped(&store);
                    count.stopped += 1;
                }
            }
        }
        Err(error) => {
            count.refused += 1;
            let message = chain_of(&error);
            assert!(message.contains(".db`"), "{file}: {what}: {message}");
        }
    }
    for (name, bytes) in before {
        fs::write(path.join(name), bytes).expect("a file");
    }
}

fn closed_with_past() -> (Closed, Sample) {
    let closed = Closed::new();
    let past = try_sample(&open(closed.path())).expect("sound files");
    (closed, past)
}

fn change_bytes(file: &str, step: usize) -> Count {
    let (closed, past) = closed_with_past();
    let of = (&closed, &past);
    let right = fs::read(closed.path().join(file)).expect("a file");
    let mut count = Count::default();
    let mut dice = Dice(1);
    let mut position = 0;
    while position < right.len() {
        let mut bytes = right.clone();
        bytes[position] ^= 1 << dice.below(8);
        let what = format!("byte {position} is {:#04x}", bytes[position]);
        opens_right_or_not(of, file, &bytes, &mut count, &what);
        // The first bytes of a page say how to read it: most of them are tried.
        position += match position % 4_096 {
            0..24 => 1 + dice.index(4),
            _ => 1 + dice.index(step),
        };
    }
    opens_right_or_not(of, file, &right, &mut count, "as it was");
    count
}

#[test]
fn a_changed_byte_of_the_ledger_never_makes_a_wrong_figure() {
    let count = change_bytes("ledger.db", 200);
    println!(
        "{} opened as before ({} without the past), {} refused",
        count.opened, count.pastless, count.refused
    );
    assert!(50 < count.opened && 30 < count.refused);
    assert!(10 < count.pastless && count.pastless < count.opened);
}

#[test]
fn a_changed_byte_of_the_journal_file_never_makes_a_wrong_figure() {
    let count = change_bytes("journal.db", 200);
    println!(
        "{} opened as before, {} served on, {} refused, {} stopped",
        count.opened, count.spare, count.refused, count.stopped
    );
    assert!(1 <= count.opened && 10 < count.spare);
    assert!(3 < count.refused && 3 < count.stopped);
}

#[test]
fn a_file_that_was_cut_off_never_makes_a_wrong_figure() {
    for file in ["ledger.db", "journal.db"] {
        let (closed, past) = closed_with_past();
        let of = (&closed, &past);
        let right = fs::read(closed.path().join(file)).expect("a file");
        let mut count = Count::default();
        for len in (0..right.len()).step_by(1_000) {
            let what = format!("{len} bytes");
            opens_right_or_not(of, file, &right[..len], &mut count, &what);
        }
        println!(
            "{file}: {} opened as before ({} without the past), {} refused, {} stopped",
            count.opened, count.pastless, count.refused, count.stopped
        );
        // At the ledger's end are pages of the past, which a start does not read.
        assert!(count.opened < 6 && 5 < count.refused);
    }
}

/// A copy of a journal as a crash would leave it: its last batches stand in `journal.db-wal` alone.
struct Crashed {
    closed: Closed,
    directory: tempfile::TempDir,
    /// What the store showed before the first of those batches, and after each.
    states: Vec<Snapshot>,
    /// `ledger.db` when it holds all of them.
    last_ledger: Vec<u8>,
    files: [(&'static str, Vec<u8>); 2],
}

impl Crashed {
    fn new() -> Self {
        let closed = Closed::new();
        let store = open(closed.path());
        let mut states = vec![snapshot(&store, 100)];
        for number in 12..18 {
            work(number, |commands| {
                submit(&store, commands);
                states.push(snapshot(&store, 100));
            });
        }
        let directory = tempfile::tempdir().expect("a directory");
        copy_journal(closed.path(), directory.path());
        drop(store);
        let read = |file| (file, fs::read(directory.path().join(file)).expect("a file"));
        Self {
            last_ledger: fs::read(closed.path().join("ledger.db")).expect("a file"),
            files: ["journal.db", "journal.db-wal"].map(read),
            states,
            closed,
            directory,
        }
    }

    /// Puts the journal there with one bit of its write-ahead log changed, and a ledger.
    fn change(&self, dice: &mut Dice, ledger: &[u8]) -> usize {
        let path = self.directory.path();
        for file in ["journal.db-shm", "ledger.db-wal", "ledger.db-shm"] {
            let _ = fs::remove_file(path.join(file));
        }
        for (file, bytes) in &self.files {
            fs::write(path.join(file), bytes).expect("a file");
        }
        let mut log = self.files[1].1.clone();
        // Behind its frames are zeros that SQLite does not look at.
        let frames = log.iter().rposition(|byte| *byte != 0).expect("a frame");
        let position = dice.index(frames);
        log[position] ^= 1 << dice.below(8);
        fs::write(path.join("journal.db-wal"), log).expect("a file");
        fs::write(path.join("ledger.db"), ledger).expect("a file");
        position
    }
}

/// SQLite takes a damaged page for the end of an unfinished write: what comes behind it is gone.
/// A ledger that is behind cannot know; one that holds those batches does.
#[test]
fn a_changed_byte_of_the_write_ahead_log_makes_no_state_that_never_was() {
    let crashed = Crashed::new();
    let path = crashed.directory.path();
    let mut dice = Dice(4);
    for _ in 0..100 {
        let position = crashed.change(&mut dice, &crashed.closed.older_ledger);
        let found = snapshot(&open(path), 100);
        let was = crashed.states.contains(&found);
        assert!(was, "byte {position} makes a state that never was");
        sqlite::verify(path).expect("a sound journal");
    }
    for _ in 0..100 {
        crashed.change(&mut dice, &crashed.last_ledger);
        let error = try_open(path).expect_err("batches that are lost");
        assert!(chain_of(&error).contains("`ledger.db` holds it, and it is missing here"));
    }
}
