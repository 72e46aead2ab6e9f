//! The tables in memory: from `ledger.db`, then from the journal behind its watermark.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender};

use plimsoll_core::event::{Change, Head, Log};
use plimsoll_core::names::ScopeId;
use rusqlite::{Connection, OpenFlags, Row};

use super::files::{self, Kind, damaged, sqlite_error};
use super::journal::{Journal, JournalReader};
use super::ledger::{self, Tally, Watermark, log_checksum};
use super::rows::{self, RowError};
use crate::StoreError;
use crate::record::{Record, row_checksum};
use crate::replay::{self, Misfit, Place};
use crate::tables::{LogHead, Tables};

/// Pieces of what was read that may wait for who puts it into the tables, and rows in one.
const READ_AHEAD_MAX: usize = 1;
const CHUNK_ROWS: usize = 1_024;

/// Loads all rows and sets the journal's tip.
pub(super) fn load(directory: &Path, journal: &mut Journal) -> Result<Tables, StoreError> {
    let (mut tables, watermark) = load_ledger(directory, journal.reader())?;
    let tip = replay(journal.reader(), watermark, &mut tables)?;
    journal.set_tip(tip);
    finish(&Kind::Ledger.path(directory), &mut tables)?;
    Ok(tables)
}

/// Applies every record behind a place: one thread reads, another applies.
pub(super) fn replay(
    journal: &JournalReader,
    place: Place,
    tables: &mut Tables,
) -> Result<Place, StoreError> {
    let (read, records) = mpsc::sync_channel(READ_AHEAD_MAX);
    std::thread::scope(|threads| {
        let applying = threads.spawn(move || apply(records, place, tables));
        let read = read_all(journal, place, read);
        let applied = applying.join();
        let applied = applied.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // What is wrong there stands before what the other thread has met.
        let place =
            applied.map_err(|(sequence, misfit)| journal.damaged(sequence, &misfit.to_string()))?;
        read.map(|()| place)
    })
}

/// Hands all records behind a place over, as long as somebody takes them.
fn read_all(
    journal: &JournalReader,
    mut place: Place,
    read: SyncSender<Vec<Record>>,
) -> Result<(), StoreError> {
    loop {
        let records = journal.records_after(place)?;
        let Some(last) = records.last() else {
            return Ok(());
        };
        place = Place::behind(last);
        if read.send(records).is_err() {
            return Ok(());
        }
    }
}

/// Applies what comes.
///
/// Errors: the first record that does not fit.
fn apply(
    records: Receiver<Vec<Record>>,
    mut place: Place,
    tables: &mut Tables,
) -> Result<Place, (u64, Misfit)> {
    for record in records.into_iter().flatten() {
        let sequence = record.sequence;
        place = replay::apply(record, tables).map_err(|misfit| (sequence, misfit))?;
    }
    Ok(place)
}

/// Puts what was loaded in order, and makes sure that the rows, which came from the file at `path`,
/// do not contradict each other.
pub(super) fn finish(path: &Path, tables: &mut Tables) -> Result<(), StoreError> {
    let (sorted, checked) = std::thread::scope(|threads| {
        let sorting = threads.spawn(|| tables.reservations().sorted());
        let checked = replay::check(tables);
        let sorted = sorting.join();
        let sorted = sorted.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (sorted, checked)
    });
    tables.put_in_order(sorted);
    checked.map_err(|misfit| match misfit {
        Misfit::Rows(source) => StoreError::Breach {
            path: path.to_owned(),
            source,
        },
        other => damaged(path, other.to_string()),
    })
}

/// All rows of the ledger and how far they are, as of one moment, to be [finished](finish): none
/// where an older build has laid it out. The journal holds what it holds.
pub(super) fn load_ledger(
    directory: &Path,
    journal: &JournalReader,
) -> Result<(Tables, Place), StoreError> {
    let path = Kind::Ledger.path(directory);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let (mut connection, is_older) = files::open_or_older(&path, Kind::Ledger, flags)?;
    if is_older {
        let watermark = watermark(&connection, &path)?;
        journal.expect_place(watermark.place)?;
        return Ok((Tables::loading(), Place::default()));
    }
    let snapshot = connection.transaction().map_err(sqlite_error(&path))?;
    let mut tables = Tables::loading();
    let (heads, watermark) = std::thread::scope(|threads| {
        let (read, rows) = mpsc::sync_channel::<Vec<Change>>(READ_AHEAD_MAX);
        let tables = &mut tables;
        threads.spawn(move || rows.into_iter().flatten().for_each(|row| tables.put(row)));
        let mut loader = Loader {
            snapshot: &snapshot,
            read,
            chunk: Vec::new(),
            tally: Tally::default(),
        };
        loader.load_all(&path)
    })?;
    for (log, head) in heads {
        tables.put_log(log, head);
    }
    journal.expect_place(watermark.place)?;
    Ok((tables, watermark.place))
}

/// How far a ledger is: every layout that there has been says so in the same way.
pub(super) fn watermark(ledger: &Connection, path: &Path) -> Result<Watermark, StoreError> {
    ledger::watermark(ledger).map_err(|error| RowError::from(error).of(path, "watermark"))
}

/// Makes the ledger anew where an older build has laid it out; call it when all that it holds has
/// been read from the journal.
pub(super) fn renew_older_ledger(directory: &Path) -> Result<(), StoreError> {
    let path = Kind::Ledger.path(directory);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let (connection, is_older) = files::open_or_older(&path, Kind::Ledger, flags)?;
    connection
        .close()
        .map_err(|(_, error)| sqlite_error(&path)(error))?;
    if is_older {
        files::make_anew(directory, Kind::Ledger)?;
        tracing::info!(path = %path.display(), "the ledger's tables of an older build are made anew");
    }
    Ok(())
}

/// Reads one row of a table.
type RowParser<'a> = dyn FnMut(&Row<'_>) -> Result<Change, RowError> + 'a;

/// Reads the tables of the ledger.
struct Loader<'a> {
    snapshot: &'a Connection,
    /// To whoever puts the rows in their places.
    read: SyncSender<Vec<Change>>,
    chunk: Vec<Change>,
    /// Of the rows that were read.
    tally: Tally,
}

impl Loader<'_> {
    /// Reads all rows; answers where the logs stand, and how far the ledger is.
    fn load_all(&mut self, path: &Path) -> Result<(Vec<(Log, LogHead)>, Watermark), StoreError> {
        let mut load = |table, order, parse: &mut RowParser<'_>| {
            let select = format!("SELECT * FROM {table} {order}");
            self.load(&select, parse)
                .map_err(|error| error.of(path, table))
        };
        load("resource", "", &mut rows::resource)?;
        load("location", "", &mut rows::location)?;
        // A scope is put after the one above it.
        load("scope", "ORDER BY depth", &mut rows::scope)?;
        load("tier", "", &mut rows::stored)?;
        load("quota_limit", "", &mut rows::stored)?;
        load("tally", "", &mut rows::tally)?;
        load("request", "", &mut rows::stored)?;
        load("webhook", "", &mut rows::stored)?;
        load("account", "", &mut rows::account)?;
        load("principal", "", &mut rows::principal)?;
        load("reservation", "ORDER BY tenant, id", &mut rows::reservation)?;
        self.hand_over();
        let heads = self.load_logs().map_err(|error| error.of(path, "log"))?;
        let watermark = watermark(self.snapshot, path)?;
        if self.tally != watermark.tally {
            let what = "its rows are not those that were written: some are missing or too many";
            return Err(damaged(path, what));
        }
        Ok((heads, watermark))
    }

    fn load(&mut self, select: &str, parse: &mut RowParser<'_>) -> Result<(), RowError> {
        let mut select = self.snapshot.prepare(select)?;
        let crc = select.column_index("crc")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let change = parse(row)?;
            self.count(row.get(crc)?, row_checksum(&change))?;
            self.chunk.push(change);
            if self.chunk.len() == CHUNK_ROWS {
                self.hand_over();
            }
        }
        Ok(())
    }

    fn hand_over(&mut self) {
        let next = Vec::with_capacity(CHUNK_ROWS);
        // Only one who has panicked takes no more, and that is told when the threads are joined.
        let _ = self.read.send(std::mem::replace(&mut self.chunk, next));
    }

    fn load_logs(&mut self) -> Result<Vec<(Log, LogHead)>, RowError> {
        let mut select = self.snapshot.prepare("SELECT * FROM log")?;
        let mut rows = select.query([])?;
        let mut heads = Vec::new();
        while let Some(row) = rows.next()? {
            let tenant: String = row.get("tenant")?;
            let head = Head {
                revision: row.get("revision")?,
                at: rows::instant(row, "at_ms")?,
            };
            let head = LogHead {
                head,
                chain: row.get("chain")?,
            };
            self.count(row.get("crc")?, log_checksum(&tenant, &head))?;
            let log = match tenant.as_str() {
                "" => Log::Catalogue,
                tenant => Log::Tenant(rows::parse(tenant, ScopeId::parse)?),
            };
            heads.push((log, head));
        }
        Ok(heads)
    }

    /// Counts a row, where it has the checksum that it should.
    fn count(&mut self, crc: u32, expected: u32) -> Result<(), RowError> {
        self.tally.add(crc);
        if crc == expected {
            Ok(())
        } else {
            Err(RowError::Value("a row's checksum does not match"))
        }
    }
}
