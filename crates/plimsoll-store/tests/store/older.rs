//! A `ledger.db` of an older build: it is made anew from the journal, and nobody need do anything.

use std::fs;
use std::path::Path;

use plimsoll_store::sqlite;
use rusqlite::Connection;

use crate::damage::{files, tamper, told};
use crate::durability::Closed;
use crate::history::{Written, past};
use crate::support::*;

/// The tables of layout 5, as far as they differ from those of today.
const LAYOUT_5: &str = "
    ALTER TABLE resource DROP COLUMN past;
    ALTER TABLE location DROP COLUMN past;
    ALTER TABLE tier DROP COLUMN past;
    ALTER TABLE scope DROP COLUMN past;
    ALTER TABLE quota_limit DROP COLUMN past;
    ALTER TABLE tally DROP COLUMN past;
    ALTER TABLE account DROP COLUMN past;
    DROP TABLE past;
    CREATE TABLE past (
        key      BLOB NOT NULL,
        sequence INTEGER NOT NULL,
        change   BLOB NOT NULL,
        before   INTEGER,
        crc      INTEGER NOT NULL,
        PRIMARY KEY (key, sequence)
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 5;
";

/// Lays a ledger out so; until the connection is dropped, that stands in the write-ahead log.
fn make_older(directory: &Path) -> Connection {
    let ledger = tamper(directory, "ledger.db");
    ledger.execute_batch(LAYOUT_5).expect("older tables");
    ledger
}

/// The layout, the record up to which the tables go, and how many values of the past they have.
fn layout(directory: &Path) -> (u32, u64, u64) {
    let ledger = Connection::open(directory.join("ledger.db")).expect("a database");
    let select = "SELECT user_version, sequence, (SELECT count(*) FROM past)
                  FROM pragma_user_version, watermark";
    let read = ledger.query_row(select, [], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    });
    read.expect("a watermark")
}

#[test]
fn a_start_makes_an_older_ledger_anew() {
    let closed = Closed::new();
    let before = layout(closed.path());
    assert_eq!((before.0, before.1), (6, closed.records));
    drop(make_older(closed.path()));
    assert_eq!(layout(closed.path()).0, 5);
    for _ in 0..2 {
        closed.assert_opens_as_before();
        let (version, records, values) = layout(closed.path());
        assert_eq!((version, records), (6, closed.records));
        assert!(0 < values && values <= before.2, "{values}");
    }
}

/// Also where a part of the older one stands in its write-ahead log.
#[test]
fn the_past_is_told_from_the_journal_as_before() {
    let written = Written::new();
    let path = written.directory.path();
    let expected = past(&written.memory);
    let older = make_older(path);
    let log = fs::metadata(path.join("ledger.db-wal")).expect("a log");
    assert!(0 < log.len());
    assert_eq!(past(&written.open()), expected);
    drop(older);
    assert_eq!(past(&written.open()), expected, "once more");
    assert_eq!(layout(path).0, 6);
}

#[test]
fn a_journal_beside_an_older_ledger_is_verified() {
    let closed = Closed::new();
    let expected = sqlite::verify(closed.path());
    drop(make_older(closed.path()));
    let found = sqlite::verify(closed.path()).expect("a sound journal");
    assert_eq!(found, expected.expect("a sound journal"));
    assert_eq!(found.ledger, Some(closed.records));
}

/// An older ledger knows what the journal held, and is kept while the journal does not hold it.
#[test]
fn an_older_ledger_is_kept_where_the_journal_lacks_a_part() {
    for damage in [
        "DELETE FROM journal WHERE sequence = (SELECT max(sequence) FROM journal)",
        "UPDATE journal SET record = zeroblob(200) WHERE sequence = 3",
        "DELETE FROM journal WHERE sequence = 2",
    ] {
        let closed = Closed::new();
        drop(make_older(closed.path()));
        let changed = tamper(closed.path(), "journal.db").execute_batch(damage);
        changed.expect("a change");
        let before = files(closed.path());
        let error = try_open(closed.path()).expect_err(damage);
        assert_eq!(files(closed.path()), before, "{damage}");
        let told = told(closed.path(), &error);
        assert!(told.contains("DIR/journal.db"), "{damage}: {told}");
    }
}
