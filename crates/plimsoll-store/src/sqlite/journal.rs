//! `journal.db`: one row per batch, flushed before anybody is answered.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, ffi, params};

use super::Reopen;
use super::files::{self, Kind, damaged, sqlite_error};
use super::fill::GivesUp;
use super::signal::Signal;
use crate::StoreError;
use crate::record::{Damage, KeptRecords, Record, RecordWriter, Sealed};
use crate::replay::{Place, stands_at};

/// Pages of the write-ahead log after which the lane copies to the file what the follower has left
/// over, and starts the log anew: 16 MiB.
const LOG_PAGES: i32 = 4_096;

/// Bytes that the write-ahead log has before its first record: about what it comes to between two
/// looks of the follower while records are small.
const LOG_BYTES_AT_START: usize = 8 << 20;

/// Bytes of records that one look at the journal takes into memory, unless one record alone is
/// larger.
const READ_BYTES_MAX: usize = 8 << 20;

/// Bytes of records that one look at the journal checks and forgets again: it takes a few
/// milliseconds, for which SQLite keeps the write-ahead log as it is.
const CHECK_BYTES_MAX: usize = 1 << 20;

/// The journal's end, where records are added.
#[derive(Debug)]
pub(crate) struct Journal {
    reader: JournalReader,
    directory: PathBuf,
    signal: Arc<Signal>,
    tip: Place,
}

impl Journal {
    /// Opens the journal for writing. Its records are read next, then it is
    /// [settled](Journal::settle).
    pub(super) fn open(directory: &Path, signal: Arc<Signal>) -> Result<Self, StoreError> {
        let reader = JournalReader::open(directory, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let sqlite = sqlite_error(&reader.path);
        reader
            .connection
            .pragma_update(None, "synchronous", "FULL")
            .map_err(&sqlite)?;
        reader
            .connection
            .pragma_update(None, "wal_autocheckpoint", LOG_PAGES)
            .map_err(&sqlite)?;
        files::overwrite_what_goes(&reader.connection).map_err(&sqlite)?;
        let directory = directory.to_owned();
        Ok(Self {
            reader,
            directory,
            signal,
            tip: Place::default(),
        })
    }

    /// Makes durable what was read.
    ///
    /// After a crash or a failed flush, what a read shows may stand in the system's memory only. A
    /// checkpoint writes it to the file and flushes it, or fails.
    ///
    /// Errors: also where another program keeps the file busy.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        let connection = &self.reader.connection;
        let settled = || {
            let is_busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                row.get::<_, bool>(0)
            })?;
            if is_busy {
                let busy = ffi::Error::new(ffi::SQLITE_BUSY);
                let what = "another program keeps it busy".to_owned();
                return Err(rusqlite::Error::SqliteFailure(busy, Some(what)));
            }
            files::accept(connection)
        };
        settled().map_err(sqlite_error(&self.reader.path))
    }

    /// Fills the write-ahead log, which is empty, with zeros: SQLite finds no frames there.
    ///
    /// A record that overwrites what a file has is flushed by itself; where it makes the file
    /// longer, the file system has to flush that as well, which takes twice as long.
    ///
    /// Errors: the log is empty as before, or holds some zeros.
    pub(super) fn fill_log(&self) -> io::Result<()> {
        let path = self.reader.path.with_extension("db-wal");
        let mut log = OpenOptions::new().write(true).open(path)?;
        if log.metadata()?.len() != 0 {
            return Ok(());
        }
        let zeros = vec![0; LOG_BYTES_AT_START];
        let filled = log.write_all(&zeros).and_then(|()| log.sync_all());
        // What little room there is may be needed for the first record itself.
        filled.or_else(|error| log.set_len(0).and(Err(error)))
    }

    /// Says where the journal's end is, once its records have been read.
    pub(super) fn set_tip(&mut self, tip: Place) {
        self.tip = tip;
    }

    /// Where the journal's end is.
    pub(super) fn tip(&self) -> Place {
        self.tip
    }

    /// The journal as its readers see it.
    pub(super) fn reader(&self) -> &JournalReader {
        &self.reader
    }

    /// Starts the record that comes next.
    pub(crate) fn next_record(&self) -> RecordWriter {
        self.tip.next_record()
    }

    /// Adds a record: when this returns, it is durable.
    ///
    /// Errors: whatever happened, nobody knows whether the record is durable.
    pub(crate) fn write(&mut self, record: RecordWriter) -> Result<(), StoreError> {
        let sequence = self.tip.sequence + 1;
        let (bytes, hash) = record.finish();
        self.reader
            .connection
            .prepare_cached("INSERT INTO journal (sequence, record) VALUES (?1, ?2)")
            .and_then(|mut insert| insert.execute(params![sequence, bytes]))
            .map_err(sqlite_error(&self.reader.path))?;
        self.tip = self.tip.next(hash);
        self.signal.add(bytes.len());
        Ok(())
    }

    /// The sequence of the record at its end.
    pub(crate) fn sequence(&self) -> u64 {
        self.tip.sequence
    }

    /// Gives the file up.
    pub(crate) fn close(self) -> Reopen {
        Reopen {
            directory: self.directory,
            signal: self.signal,
        }
    }
}

/// The journal, read only.
#[derive(Debug)]
pub(super) struct JournalReader {
    connection: Connection,
    path: PathBuf,
}

impl JournalReader {
    pub(super) fn open(directory: &Path, flags: OpenFlags) -> Result<Self, StoreError> {
        let path = Kind::Journal.path(directory);
        let connection = files::open(&path, Kind::Journal, flags)?;
        Ok(Self { connection, path })
    }

    /// Opens a journal of which a part may be missing.
    pub(super) fn open_what_is_left(directory: &Path) -> Result<Self, StoreError> {
        let path = Kind::Journal.path(directory);
        let connection = files::open_what_is_left(&path, Kind::Journal)?;
        Ok(Self { connection, path })
    }

    /// Says that what the journal holds is right.
    pub(super) fn accept(&self) -> Result<(), StoreError> {
        files::accept(&self.connection).map_err(sqlite_error(&self.path))
    }

    /// Copies what the write-ahead log has to the file, beside whoever adds to it; where somebody
    /// does, the file is not flushed.
    pub(super) fn checkpoint(&self) -> Result<(), StoreError> {
        self.connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
            .map_err(sqlite_error(&self.path))
    }

    /// Has what is read on this connection fail where a round is given up.
    pub(super) fn heed(&mut self, gives_up: &GivesUp) -> Result<(), StoreError> {
        gives_up
            .is_heeded_by(&mut self.connection)
            .map_err(sqlite_error(&self.path))
    }

    /// Shows the journal as it is at the next look, until it is dropped.
    pub(super) fn snapshot(&self) -> Result<Transaction<'_>, StoreError> {
        let snapshot = self.connection.unchecked_transaction();
        snapshot.map_err(sqlite_error(&self.path))
    }

    /// What reads the file.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The next records behind a place, checked to follow on it; none at the journal's end.
    pub(super) fn records_after(&self, place: Place) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::new();
        self.walk(place, READ_BYTES_MAX, |record| {
            records.push(record.read()?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(records)
    }

    /// Keeps the next records behind a place, checked to follow on it, until so many bytes were
    /// read; answers where it has come to.
    pub(super) fn keep_after(
        &self,
        place: Place,
        bytes_max: usize,
        records: &mut KeptRecords,
    ) -> Result<Place, StoreError> {
        self.walk(place, bytes_max, |record| {
            records.push(&record);
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Shows all records behind a place, checked to follow on it, until `show` has enough.
    pub(super) fn show_after(
        &self,
        mut place: Place,
        mut show: impl FnMut(&Sealed<'_>) -> Result<ControlFlow<()>, Damage>,
    ) -> Result<(), StoreError> {
        let mut has_enough = false;
        while !has_enough {
            let reached = self.walk(place, READ_BYTES_MAX, |record| {
                let flow = show(&record)?;
                has_enough = flow.is_break();
                Ok(flow)
            })?;
            if reached == place {
                break;
            }
            place = reached;
        }
        Ok(())
    }

    /// Checks that the next records behind a place are those that were written and follow on it,
    /// without a look at their events; answers where it has come to.
    ///
    /// Errors: also where the journal ends before `end`, or another record stands there.
    pub(super) fn check_after(&self, place: Place, end: Place) -> Result<Place, StoreError> {
        let reached = self.walk(place, CHECK_BYTES_MAX, |record| {
            if record.sequence == end.sequence && record.hash != end.hash {
                return Err(Damage {
                    offset: 0,
                    what: "it is not the record that was there at the start",
                });
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if reached == place {
            return Err(self.damaged(place.sequence + 1, "it was there at the start, and is gone"));
        }
        Ok(reached)
    }

    /// Shows the next records behind a place, each checked to follow on the one before, until so
    /// many bytes were read or `show` has enough.
    fn walk(
        &self,
        mut place: Place,
        bytes_max: usize,
        mut show: impl FnMut(Sealed<'_>) -> Result<ControlFlow<()>, Damage>,
    ) -> Result<Place, StoreError> {
        let sqlite = sqlite_error(&self.path);
        let mut select = self
            .connection
            .prepare_cached(
                "SELECT sequence, record FROM journal WHERE sequence > ?1 ORDER BY sequence",
            )
            .map_err(&sqlite)?;
        let mut rows = select.query([place.sequence]).map_err(&sqlite)?;
        let mut read = 0;
        while read < bytes_max
            && let Some(row) = rows
                .next()
                .map_err(|error| self.unreadable(place.sequence + 1, error))?
        {
            let sequence: u64 = row
                .get(0)
                .map_err(|error| self.unreadable(place.sequence + 1, error))?;
            let bytes = row
                .get_ref(1)
                .and_then(|blob| Ok(blob.as_blob()?))
                .map_err(|error| self.unreadable(sequence, error))?;
            read += bytes.len();
            let record = place
                .follow(sequence, bytes)
                .map_err(|misfit| self.damaged(sequence, &misfit.to_string()))?;
            place = Place {
                sequence,
                hash: record.hash,
            };
            let shown = show(record);
            if shown
                .map_err(|damage| self.damaged(sequence, &damage.to_string()))?
                .is_break()
            {
                break;
            }
        }
        Ok(place)
    }

    /// The record of a sequence, checked by itself: it is named by somebody who knows that it is
    /// there.
    pub(super) fn record(&self, sequence: u64) -> Result<Record, StoreError> {
        self.show(sequence, |record| record.read())
    }

    /// Shows the record of a sequence, checked by itself: it is named by somebody who knows that
    /// it is there.
    pub(super) fn show<T>(
        &self,
        sequence: u64,
        show: impl FnOnce(Sealed<'_>) -> Result<T, Damage>,
    ) -> Result<T, StoreError> {
        let sqlite = sqlite_error(&self.path);
        let mut select = self
            .connection
            .prepare_cached("SELECT record FROM journal WHERE sequence = ?1")
            .map_err(&sqlite)?;
        let mut rows = select.query([sequence]).map_err(&sqlite)?;
        let Some(row) = rows.next().map_err(&sqlite)? else {
            return Err(self.damaged(sequence, "it is missing"));
        };
        let bytes = row
            .get_ref(0)
            .and_then(|blob| Ok(blob.as_blob()?))
            .map_err(&sqlite)?;
        let record = stands_at(sequence, bytes)
            .map_err(|misfit| self.damaged(sequence, &misfit.to_string()))?;
        show(record).map_err(|damage| self.damaged(sequence, &damage.to_string()))
    }

    /// The sequence of the last record; 0 where there is none.
    pub(super) fn last_sequence(&self) -> Result<u64, StoreError> {
        let select = "SELECT coalesce(max(sequence), 0) FROM journal";
        let last = self.connection.query_row(select, [], |row| row.get(0));
        last.map_err(sqlite_error(&self.path))
    }

    /// Makes sure that the journal holds a place.
    pub(super) fn expect_place(&self, place: Place) -> Result<(), StoreError> {
        if place == Place::default() {
            return Ok(());
        }
        let bytes: Option<Vec<u8>> = self
            .connection
            .query_row(
                "SELECT record FROM journal WHERE sequence = ?1",
                [place.sequence],
                |row| row.get(0),
            )
            .optional()
            .map_err(sqlite_error(&self.path))?;
        let Some(bytes) = bytes else {
            return Err(self.damaged(
                place.sequence,
                "`ledger.db` holds it, and it is missing here",
            ));
        };
        let record = stands_at(place.sequence, &bytes)
            .map_err(|misfit| self.damaged(place.sequence, &misfit.to_string()))?;
        if record.hash == place.hash {
            Ok(())
        } else {
            Err(self.damaged(
                place.sequence,
                "`ledger.db` was filled from another journal",
            ))
        }
    }

    /// Says why a record cannot be read: a page of it may be missing, or a part of one.
    fn unreadable(&self, sequence: u64, error: rusqlite::Error) -> StoreError {
        let is_of_system = error.sqlite_error().is_some_and(|error| {
            error.code != ErrorCode::DatabaseCorrupt
                && error.extended_code != ffi::SQLITE_IOERR_SHORT_READ
        });
        if is_of_system {
            sqlite_error(&self.path)(error)
        } else {
            self.damaged(sequence, &format!("it cannot be read: {error}"))
        }
    }

    /// Says that a record is damaged.
    pub(super) fn damaged(&self, sequence: u64, what: &str) -> StoreError {
        damaged(&self.path, format!("record {sequence}: {what}"))
    }
}
