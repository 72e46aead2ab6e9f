//! Writes the journal's records into the tables of `ledger.db`, a round at a time.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::files::{self, Kind, sqlite_error};
use super::journal::JournalReader;
use super::ledger::{self, Watermark};
use super::round::{self, Room};
use super::rows::RowError;
use crate::StoreError;
use crate::record::KeptRecords;

/// Bytes of records in one round of a small ledger. Whoever asks for what was reads again what a
/// round has of a tenant, which takes some ten milliseconds where it is all of these.
const ROUND_BYTES_MIN: usize = 8 << 20;

/// The same of a large one, where this is a small part of memory; who asks for what was may read
/// eight times as much.
const ROUND_BYTES_MAX: usize = 64 << 20;

/// How many times the bytes of a round the ledger has, in between. Where rows change all over a
/// large ledger, each is alone on its page, and to write a page takes ten times as long as to
/// write a row: the more rows in a round, the more of them share one.
const LEDGER_IN_ROUNDS: u64 = 16;

/// Pages of the ledger kept in memory, in KiB; negative, as SQLite wants it. Rows are all over the
/// tables: with SQLite's own 2 MiB, most of the time goes into reading the same pages again.
const LEDGER_CACHE_KIB: i32 = -(32 << 10);

/// Pages that gather in the ledger's write-ahead log, for the same reason, before they are copied
/// to its file: 8 MiB. More at once would keep the journal's flushes waiting.
const LEDGER_LOG_PAGES: i32 = 2_048;

/// The ledger, and the journal that it is filled from.
pub(super) struct Fill {
    journal: JournalReader,
    ledger: Connection,
    ledger_path: PathBuf,
    /// Of the last round: their room is used again, as long as there is something to write.
    records: KeptRecords,
    room: Room,
}

/// What came of a round.
pub(super) struct Written {
    /// Bytes of records that were written.
    pub(super) bytes: usize,
    /// Bytes of records in a whole round: fewer were written at the journal's end.
    pub(super) whole: usize,
}

impl Fill {
    /// Opens both for writing.
    pub(super) fn open(directory: &Path) -> Result<Self, StoreError> {
        let journal = JournalReader::open(directory, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        journal.accept()?;
        let ledger_path = Kind::Ledger.path(directory);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let ledger = files::open(&ledger_path, Kind::Ledger, flags)?;
        files::accept(&ledger).map_err(sqlite_error(&ledger_path))?;
        ledger
            .pragma_update(None, "cache_size", LEDGER_CACHE_KIB)
            .map_err(sqlite_error(&ledger_path))?;
        ledger
            .pragma_update(None, "wal_autocheckpoint", LEDGER_LOG_PAGES)
            .map_err(sqlite_error(&ledger_path))?;
        // What a crash takes from these tables is in the journal: NORMAL keeps them consistent.
        ledger
            .pragma_update(None, "synchronous", "NORMAL")
            .map_err(sqlite_error(&ledger_path))?;
        Ok(Self {
            journal,
            ledger,
            ledger_path,
            records: KeptRecords::default(),
            room: Room::default(),
        })
    }

    /// Writes what comes next beyond the watermark.
    pub(super) fn round(&mut self) -> Result<Written, StoreError> {
        let whole = round_bytes(&self.ledger_path);
        let sqlite = sqlite_error(&self.ledger_path);
        let Watermark { place, tally } = ledger::watermark(&self.ledger).map_err(&sqlite)?;
        self.records.clear();
        let records = &mut self.records;
        let place = self.journal.keep_after(place, whole, records)?;
        if records.is_empty() {
            return Ok(Written { bytes: 0, whole });
        }
        let transaction = self.ledger.transaction().map_err(&sqlite)?;
        let room = &mut self.room;
        let written = round::write(&transaction, records, room, Watermark { place, tally });
        written.map_err(|error| match error {
            RowError::Sqlite(error) => sqlite(error),
            RowError::Value(what) => self.journal.damaged(place.sequence, what),
        })?;
        transaction.commit().map_err(&sqlite)?;
        Ok(Written {
            bytes: self.records.len(),
            whole,
        })
    }

    /// Gives memory back: there is nothing to write for now.
    pub(super) fn rest(&mut self) {
        (self.records, self.room) = Default::default();
    }
}

/// Bytes of records in one round of a ledger as large as this.
fn round_bytes(ledger: &Path) -> usize {
    // A file that cannot be looked at will soon be complained of.
    let bytes = std::fs::metadata(ledger).map_or(0, |file| file.len());
    let share = usize::try_from(bytes / LEDGER_IN_ROUNDS).unwrap_or(ROUND_BYTES_MAX);
    share.clamp(ROUND_BYTES_MIN, ROUND_BYTES_MAX)
}
