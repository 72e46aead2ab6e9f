//! Reads what was: the sparse index of `ledger.db` says in which records, the journal says what.
//!
//! Up to the watermark the index finds a record; what lies behind it is read from the journal. Both
//! are looked at on one snapshot of the ledger, and the index is never believed: a record that it
//! names must hold what it should.

use std::path::{Path, PathBuf};

use plimsoll_core::amount::Timestamp;
use plimsoll_core::event::{Event, Head, Log};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, params};

use super::files::{self, Kind, damaged, sqlite_error};
use super::history_schema::log_record_checksum;
use super::journal::JournalReader;
use super::ledger::{self, log_checksum, log_name};
use super::rows::{self, RowError};
use crate::StoreError;
use crate::history::{Found, Position};
use crate::record::Record;
use crate::replay::Place;
use crate::tables::LogHead;

/// Bytes of events after which a page ends, however few events it has.
const PAGE_BYTES_MAX: usize = 8 << 20;

/// Two files, read only.
#[derive(Debug)]
pub(crate) struct PastReader {
    journal: JournalReader,
    ledger: Connection,
    ledger_path: PathBuf,
}

impl PastReader {
    pub(super) fn open(directory: &Path) -> Result<Self, StoreError> {
        let journal = JournalReader::open(directory, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let ledger_path = Kind::Ledger.path(directory);
        let ledger = files::open(&ledger_path, Kind::Ledger, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        Ok(Self {
            journal,
            ledger,
            ledger_path,
        })
    }

    /// The ledger as of now, and the journal behind it.
    pub(super) fn view(&mut self) -> Result<View<'_>, StoreError> {
        let path = self.ledger_path.as_path();
        let ledger = self.ledger.transaction().map_err(sqlite_error(path))?;
        let watermark = ledger::watermark(&ledger)
            .map_err(|error| RowError::from(error).of(path, "watermark"))?;
        Ok(View {
            journal: &self.journal,
            ledger,
            path,
            watermark: watermark.place,
        })
    }

    /// The events of a log behind `after` and up to `head`, which is there.
    pub(crate) fn events(
        &mut self,
        log: &Log,
        after: u64,
        head: u64,
        max: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let view = self.view()?;
        let indexed = view.log_head(log)?.revision.min(head);
        let mut page = Page {
            log,
            after,
            head,
            max,
            events: Vec::new(),
            bytes: 0,
        };
        while !page.is_full() && page.after < indexed {
            let before = page.after;
            page.take(view.indexed_record(log, before + 1)?);
            if page.after == before {
                return Err(view.wrong_index());
            }
        }
        if !page.is_full() {
            view.walk(|record| {
                page.take(record);
                !page.is_full()
            })?;
        }
        Ok(page.events)
    }

    /// The events of the records behind a place, up to `end`, which is there.
    pub(crate) fn events_behind(
        &mut self,
        mut place: u64,
        end: u64,
        max: usize,
    ) -> Result<(Vec<Event>, u64), StoreError> {
        let mut events = Vec::new();
        let mut bytes = 0;
        while place < end && bytes < PAGE_BYTES_MAX {
            let record = self.journal.record(place + 1)?;
            if !events.is_empty() && max < events.len() + record.events.len() {
                break;
            }
            for (event, encoded) in record.events {
                bytes += encoded.len();
                events.push(event);
            }
            place = record.sequence;
        }
        Ok((events, place))
    }
}

/// What a page of a log's events has so far.
struct Page<'a> {
    log: &'a Log,
    /// The last revision that is not wanted any more.
    after: u64,
    head: u64,
    max: usize,
    events: Vec<Event>,
    bytes: usize,
}

impl Page<'_> {
    fn is_full(&self) -> bool {
        self.head <= self.after || self.max <= self.events.len() || PAGE_BYTES_MAX <= self.bytes
    }

    /// Takes what of a record comes next.
    fn take(&mut self, record: Record) {
        for (event, encoded) in record.events {
            let comes_next = event.log == *self.log && event.revision == self.after + 1;
            let fits = self.events.len() < self.max && self.after < self.head;
            if comes_next && fits {
                self.after = event.revision;
                self.events.push(event);
            }
            self.bytes += encoded.len();
        }
        // A page that has nothing yet must go on.
        if self.events.is_empty() {
            self.bytes = 0;
        }
    }
}

/// One moment of the ledger, and the journal behind it.
pub(super) struct View<'a> {
    pub(super) journal: &'a JournalReader,
    pub(super) ledger: Transaction<'a>,
    pub(super) path: &'a Path,
    /// The last record that the ledger holds.
    pub(super) watermark: Place,
}

/// Where the index says that a log goes on.
#[derive(Clone, Copy)]
struct Entry {
    first_revision: u64,
    first_at: Timestamp,
    sequence: u64,
}

const SELECT_ENTRY: &str = "
    SELECT tenant, first_revision, first_at_ms, sequence, crc FROM log_record
    WHERE tenant = ?1 AND first_revision <= ?2 ORDER BY first_revision DESC LIMIT 1";

const SELECT_NEXT_ENTRY: &str = "
    SELECT tenant, first_revision, first_at_ms, sequence, crc FROM log_record
    WHERE tenant = ?1 AND first_revision > ?2 ORDER BY first_revision LIMIT 1";

impl View<'_> {
    /// Where a log stood at the watermark.
    pub(super) fn log_head(&self, log: &Log) -> Result<Head, StoreError> {
        let tenant = log_name(log);
        let read = |row: &Row<'_>| {
            let head = Head {
                revision: row.get("revision")?,
                at: rows::instant(row, "at_ms")?,
            };
            let head = LogHead {
                head,
                chain: row.get("chain")?,
            };
            if row.get::<_, u32>("crc")? == log_checksum(tenant, &head) {
                Ok(head.head)
            } else {
                Err(RowError::Value("a row's checksum does not match"))
            }
        };
        let select = "SELECT revision, at_ms, chain, crc FROM log WHERE tenant = ?1";
        let found = self.first("log", select, params![tenant], read)?;
        Ok(found.unwrap_or_default())
    }

    /// The event of a revision, which is there.
    pub(super) fn find_revision(&self, log: &Log, revision: u64) -> Result<Found, StoreError> {
        let is_wanted = |event: &Event| event.revision == revision;
        if revision <= self.log_head(log)?.revision {
            let record = self.indexed_record(log, revision)?;
            return last_in(&record, log, is_wanted).ok_or_else(|| self.wrong_index());
        }
        let mut found = None;
        self.walk(|record| {
            found = last_in(&record, log, is_wanted);
            found.is_none()
        })?;
        found.ok_or_else(|| {
            let what = format!("revision {revision} of `{}` is missing", log_name(log));
            damaged(self.journal.path(), what)
        })
    }

    /// The last event of a log at or before an instant, and no later than its head.
    pub(super) fn find_instant(
        &self,
        log: &Log,
        instant: Timestamp,
        head: Head,
    ) -> Result<Option<Found>, StoreError> {
        if head.revision == 0 || head.at <= instant {
            return match head.revision {
                0 => Ok(None),
                revision => self.find_revision(log, revision).map(Some),
            };
        }
        let indexed = self.log_head(log)?;
        if instant < indexed.at {
            return self.indexed_instant(log, instant, indexed.revision.min(head.revision));
        }
        let mut found = None;
        self.walk(|record| {
            let is_wanted = |event: &Event| event.at <= instant;
            let is_later =
                |(event, _): &(Event, Box<[u8]>)| event.log == *log && instant < event.at;
            found = last_in(&record, log, is_wanted).or(found);
            !record.events.iter().any(is_later)
        })?;
        if found.is_none() && 0 < indexed.revision {
            return self.find_revision(log, indexed.revision).map(Some);
        }
        Ok(found)
    }

    /// The last event at or before an instant, of those up to a revision at which there is an
    /// event that comes later.
    fn indexed_instant(
        &self,
        log: &Log,
        instant: Timestamp,
        revision_max: u64,
    ) -> Result<Option<Found>, StoreError> {
        if revision_max == 0 {
            return Ok(None);
        }
        let mut entry = self.entry(log, 1)?;
        if instant < entry.first_at {
            return Ok(None);
        }
        // At or before `low` a record begins no later than the instant; at `high` one begins later.
        let (mut low, mut high) = (1, revision_max.saturating_add(1));
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            let candidate = self.entry(log, middle)?;
            if candidate.first_at <= instant {
                (entry, low) = (candidate, middle);
            } else {
                high = candidate.first_revision;
            }
        }
        let record = self.journal.record(entry.sequence)?;
        let found = last_in(&record, log, |event| event.at <= instant);
        let found = found.ok_or_else(|| self.wrong_index())?;
        // The record must hold what comes next, or the index another record that begins with it.
        let revision = found.head.revision + 1;
        let is_next = |event: &Event| event.revision == revision;
        if last_in(&record, log, is_next).is_none()
            && self.next_entry(log, entry.first_revision)?.first_revision != revision
        {
            return Err(self.wrong_index());
        }
        Ok(Some(found))
    }

    /// The record in which a revision is that the ledger holds.
    fn indexed_record(&self, log: &Log, revision: u64) -> Result<Record, StoreError> {
        self.journal.record(self.entry(log, revision)?.sequence)
    }

    /// The last entry of a log that begins no later than a revision.
    fn entry(&self, log: &Log, revision: u64) -> Result<Entry, StoreError> {
        let found = self.first(
            "log_record",
            SELECT_ENTRY,
            params![log_name(log), revision],
            read_entry,
        )?;
        found.ok_or_else(|| self.wrong_index())
    }

    /// The first entry of a log that begins later than a revision.
    fn next_entry(&self, log: &Log, revision: u64) -> Result<Entry, StoreError> {
        let found = self.first(
            "log_record",
            SELECT_NEXT_ENTRY,
            params![log_name(log), revision],
            read_entry,
        )?;
        found.ok_or_else(|| self.wrong_index())
    }

    /// Shows the records behind the watermark until `show` has enough.
    pub(super) fn walk(&self, mut show: impl FnMut(Record) -> bool) -> Result<(), StoreError> {
        let mut place = self.watermark;
        loop {
            let records = self.journal.records_after(place)?;
            if records.is_empty() {
                return Ok(());
            }
            for record in records {
                place = Place {
                    sequence: record.sequence,
                    hash: record.hash,
                };
                if !show(record) {
                    return Ok(());
                }
            }
        }
    }

    /// The first row of a query.
    pub(super) fn first<T>(
        &self,
        table: &str,
        select: &str,
        params: &[&dyn rusqlite::ToSql],
        read: impl FnOnce(&Row<'_>) -> Result<T, RowError>,
    ) -> Result<Option<T>, StoreError> {
        let first = || {
            let mut select = self.ledger.prepare_cached(select)?;
            let row = select.query_row(params, |row| Ok(read(row))).optional()?;
            row.transpose()
        };
        first().map_err(|error: RowError| error.of(self.path, table))
    }

    /// What to say where the index names a record that does not hold what it should.
    fn wrong_index(&self) -> StoreError {
        damaged(
            self.path,
            "table `log_record`: it does not lead to a log's next event",
        )
    }
}

fn read_entry(row: &Row<'_>) -> Result<Entry, RowError> {
    let tenant: String = row.get("tenant")?;
    let entry = Entry {
        first_revision: row.get("first_revision")?,
        first_at: rows::instant(row, "first_at_ms")?,
        sequence: row.get("sequence")?,
    };
    let numbers = [entry.first_revision, entry.first_at.ms(), entry.sequence];
    if row.get::<_, u32>("crc")? == log_record_checksum(&tenant, numbers) {
        Ok(entry)
    } else {
        Err(RowError::Value("a row's checksum does not match"))
    }
}

/// The last event of a log in a record for which something is true.
fn last_in(record: &Record, log: &Log, is_wanted: impl Fn(&Event) -> bool) -> Option<Found> {
    let mut events = record.events.iter().enumerate().rev();
    let (index, (event, _)) =
        events.find(|(_, (event, _))| event.log == *log && is_wanted(event))?;
    let position = Position {
        sequence: record.sequence,
        index,
    };
    let head = Head {
        revision: event.revision,
        at: event.at,
    };
    Some(Found { position, head })
}
