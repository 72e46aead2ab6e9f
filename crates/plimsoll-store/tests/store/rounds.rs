//! The past is the same in whatever rounds the ledger has followed.

use std::fs;
use std::path::Path;

use plimsoll_core::event::Log;
use plimsoll_store::{AsOf, AsOfAnswer, BATCH_COMMANDS_MAX, EVENTS_PAGE_MAX};
use rusqlite::Connection;

use crate::damage::tamper;
use crate::history::{Written, events, past, try_as_of};
use crate::snapshot::snapshot;
use crate::support::*;

/// Lets the ledger follow anew, in rounds that end with these records.
fn follow(written: &Written, ends: &[usize]) {
    let path = written.directory.path();
    fs::remove_file(path.join("ledger.db")).expect("a ledger");
    for end in ends {
        fs::write(path.join("journal.db"), &written.journals[*end]).expect("a file");
        // A start takes what is there for one round, and nothing comes after it.
        drop(written.open());
    }
    assert_eq!(rounds(path), ends.len());
}

/// How many rounds the ledger has followed in.
fn rounds(directory: &Path) -> usize {
    let ledger = Connection::open(directory.join("ledger.db")).expect("a database");
    let select = "SELECT count(DISTINCT sequence) FROM log_round";
    let count: u32 = ledger
        .query_row(select, [], |row| row.get(0))
        .expect("a number");
    count as usize
}

#[test]
fn the_past_is_the_same_in_any_rounds() {
    let written = Written::new();
    let expected = past(&written.memory);
    let last = written.journals.len() - 1;
    let mut dice = Dice(41);
    let random = (0..12).map(|_| {
        let ends = (1..last).filter(|_| dice.below(3) == 0);
        ends.chain([last]).collect()
    });
    for ends in [vec![last], vec![1, last], vec![last - 1, last]]
        .into_iter()
        .chain(random)
    {
        follow(&written, &ends);
        assert_eq!(past(&written.open()), expected, "{ends:?}");
    }
}

/// Whatever row of the past is taken away, or put in the place of another, what is told is right
/// or is refused.
#[test]
fn no_row_of_the_past_can_go_unnoticed() {
    let written = Written::new();
    let last = written.journals.len() - 1;
    follow(&written, &[4, 9, last]);
    let path = written.directory.path();
    let ledger = fs::read(path.join("ledger.db")).expect("a file");
    let moments: Vec<AsOf> = (1..=45).map(AsOf::Revision).collect();
    let tell = |moment: &AsOf| try_as_of(&written.memory, "p-q", *moment).expect("an answer");
    let expected: Vec<AsOfAnswer<_>> = moments.iter().map(tell).collect();
    let mut refused = 0;
    for (table, key, columns) in [
        (
            "log_round",
            "tenant, first_revision",
            "sequence, records, crc",
        ),
        ("past", "number", "sequence, change, earlier, jump, crc"),
        ("account", "scope, resource, location", "past"),
    ] {
        let nth = |number| format!("SELECT {key} FROM {table} LIMIT 1 OFFSET {number}");
        let select = format!("SELECT count(*) FROM {table}");
        let count: u32 = tamper(path, "ledger.db")
            .query_row(&select, [], |row| row.get(0))
            .expect("a number");
        assert!(5 < count, "{table}: {count}");
        for number in 0..count {
            let other = format!(
                "SELECT {columns} FROM {table} LIMIT 1 OFFSET {}",
                number / 2
            );
            let nth = nth(number);
            let exchange =
                format!("UPDATE {table} SET ({columns}) = ({other}) WHERE ({key}) = ({nth})");
            let remove = format!("DELETE FROM {table} WHERE ({key}) = ({nth})");
            // A start misses accounts.
            let remove = Some(remove).filter(|_| table != "account");
            for sql in [exchange].into_iter().chain(remove) {
                let change = tamper(path, "ledger.db");
                change.execute_batch(&sql).expect("a change");
                drop(change);
                let store = written.open();
                for (moment, expected) in moments.iter().zip(&expected) {
                    match try_as_of(&store, "p-q", *moment) {
                        Ok(found) => assert_eq!(&found, expected, "{sql}"),
                        Err(error) => {
                            assert!(chain_of(&error).contains("ledger.db"), "{sql}: {error}");
                            refused += 1;
                        }
                    }
                }
                drop(store);
                fs::write(path.join("ledger.db"), &ledger).expect("a file");
            }
        }
    }
    assert!(1_000 < refused, "{refused}");
}

/// Reservations that are new stand beside those that were there, and each may have changed more
/// than once in a round: all are written as they were left, whatever else is written with them.
#[test]
fn every_reservation_is_left_as_it_was() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let mut dice = Dice(43);
    drop(submit(&open(path), base()));
    let mut made = 0;
    for round in 0..8 {
        let store = open(path);
        for _ in 0..3 {
            let commands = (0..60).map(|_| {
                let at = dice.pick(&["p", "other"]);
                // Ids that differ at once, and ids that begin alike for longer than is sorted by.
                let id = |number: u64| match number % 2 {
                    0 => format!("r{number}"),
                    _ => format!("reservation-{number}"),
                };
                let known = id(dice.below(made + 1));
                match dice.below(8) {
                    0 => commit(at, &known),
                    1 => release(at, &known),
                    2 => extend(at, &known, 9_000 + round),
                    3 => forget(if at == "p" { "acme" } else { at }, 1),
                    kind => {
                        made += 1;
                        let ttl_ms = (kind < 7).then_some(1_000);
                        // Some were there before, and may have been forgotten.
                        let number = if kind == 4 { dice.below(made) } else { made };
                        reserve(&id(number), at, &[("vm/disk", 1)], ttl_ms)
                    }
                }
            });
            submit(&store, commands.collect());
        }
        let expected = snapshot(&store, 99);
        drop(store);
        // A start adds up what all rows hold, and reads nothing that the ledger has from elsewhere.
        assert_eq!(snapshot(&open(path), 99), expected, "{round}");
    }
    assert!(500 < made, "{made}");
}

/// A journal of more bytes than a round may have is followed in several.
#[test]
fn a_round_is_bounded() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    // Some 3.5 MiB in a record of these: three fill a round.
    let label = "x".repeat(200);
    let mut commands = base();
    commands.extend((0..5).flat_map(|_| {
        (0..BATCH_COMMANDS_MAX as u64).map(|number| {
            let mut name = label.clone();
            name.push_str(&number.to_string());
            put_location("SIN-A", &name)
        })
    }));
    let store = open(path);
    for batch in commands.chunks(BATCH_COMMANDS_MAX) {
        submit(&store, batch.to_vec());
    }
    drop(store);
    let expected = past_of_catalogue(path);
    fs::remove_file(path.join("ledger.db")).expect("a ledger");
    drop(open(path));
    assert_eq!(rounds(path), 2);
    assert_eq!(past_of_catalogue(path), expected);
}

/// All revisions of the catalogue's log, and its place at some of the tenant's.
fn past_of_catalogue(directory: &Path) -> (Vec<u64>, Vec<String>) {
    let store = open(directory);
    let events = events(&store, &Log::Catalogue, EVENTS_PAGE_MAX);
    let revisions: Vec<u64> = events.iter().map(|event| event.revision).collect();
    assert!(revisions.is_sorted_by(|one, other| one + 1 == *other));
    let told = (1..=3).map(|revision| {
        let told = try_as_of(&store, "acme", AsOf::Revision(revision));
        format!("{told:?}")
    });
    (revisions, told.collect())
}
