//! Writes the journal's records into the tables of `ledger.db`, a round at a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::ffi::{Error as SqliteError, SQLITE_INTERRUPT};
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

/// Steps of SQLite's machine after which it asks whether a round is given up: some microseconds,
/// which are milliseconds to a thread that hardly ever has the processor.
const STEPS_BETWEEN_LOOKS: i32 = 500;

/// Says that whoever writes a round gives it up, so that another may write it sooner.
#[derive(Clone, Debug, Default)]
pub(super) struct GivesUp(Arc<Reasons>);

#[derive(Debug, Default)]
struct Reasons {
    late: AtomicBool,
    stops: AtomicBool,
}

impl GivesUp {
    /// Whether too much is behind.
    pub(super) fn as_late(&self, is_so: bool) {
        self.0.late.store(is_so, Ordering::Relaxed);
    }

    /// Whether it is time to stop.
    pub(super) fn as_stopping(&self, is_so: bool) {
        self.0.stops.store(is_so, Ordering::Relaxed);
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.late.load(Ordering::Relaxed) || self.0.stops.load(Ordering::Relaxed)
    }

    /// Errors: the one that SQLite has for a statement that is given up.
    pub(super) fn check(&self) -> rusqlite::Result<()> {
        if self.is_set() {
            let error = SqliteError::new(SQLITE_INTERRUPT);
            return Err(rusqlite::Error::SqliteFailure(error, None));
        }
        Ok(())
    }

    /// Has each statement of a connection fail.
    pub(super) fn is_heeded_by(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let gives_up = self.clone();
        connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || gives_up.is_set()))
    }
}

/// The ledger, and the journal that it is filled from.
#[derive(Debug)]
pub(super) struct Fill {
    journal: JournalReader,
    ledger: Connection,
    ledger_path: PathBuf,
    /// Of the last round: their room is used again, as long as there is something to write.
    records: KeptRecords,
    room: Room,
    gives_up: GivesUp,
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
    pub(super) fn open(directory: &Path, gives_up: GivesUp) -> Result<Self, StoreError> {
        let mut journal = JournalReader::open(directory, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        journal.accept()?;
        let ledger_path = Kind::Ledger.path(directory);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let mut ledger = files::open(&ledger_path, Kind::Ledger, flags)?;
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
        journal.heed(&gives_up)?;
        gives_up
            .is_heeded_by(&mut ledger)
            .map_err(sqlite_error(&ledger_path))?;
        Ok(Self {
            journal,
            ledger,
            ledger_path,
            records: KeptRecords::default(),
            room: Room::default(),
            gives_up,
        })
    }

    /// Writes what comes next beyond the watermark.
    ///
    /// Errors: also where the round is given up; then nothing of it is written.
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
        let end = Watermark { place, tally };
        let written = round::write(&transaction, records, room, end, &self.gives_up);
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
