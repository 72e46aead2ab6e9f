//! Reads what was: the sparse index of `ledger.db` says in which records, the journal says what.
//!
//! Up to the watermark the index finds a record; what lies behind it is read from the journal. Both
//! are looked at on one snapshot of the ledger, and the index is never believed: a record that it
//! names must hold what it should.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use plimsoll_core::amount::Timestamp;
use plimsoll_core::event::{Event, Head, Log};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, params};

use super::files::{self, Kind, damaged, sqlite_error};
use super::history_schema::{Entry, Span};
use super::journal::JournalReader;
use super::ledger::{log_checksum, log_name};
use super::load;
use super::rows::{self, RowError};
use crate::StoreError;
use crate::history::{Found, Position};
use crate::record::{Damage, Sealed, read_event};
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
        let watermark = load::watermark(&ledger, path)?;
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
            log: log_name(log),
            after,
            head,
            max,
            events: Vec::new(),
            bytes: 0,
        };
        while !page.is_full() && page.after < indexed {
            let entry = view.entry(log, page.after + 1)?;
            for span in entry.spans() {
                let end = span.first_revision.saturating_add(span.count);
                if page.is_full() || end <= page.after + 1 {
                    continue;
                }
                let before = page.after;
                view.journal.show(span.sequence, |it| page.take(&it))?;
                if page.after == before {
                    return Err(view.wrong_index());
                }
            }
        }
        if !page.is_full() {
            view.journal.show_after(view.watermark, |record| {
                page.take(record)?;
                Ok(go_on_while(!page.is_full()))
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
    log: &'a str,
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
    fn take(&mut self, record: &Sealed<'_>) -> Result<(), Damage> {
        let mut wanted = Vec::new();
        record.outline(|event, _| {
            let comes_next = event.log == self.log && event.head.revision == self.after + 1;
            let fits = self.events.len() + wanted.len() < self.max && self.after < self.head;
            if comes_next && fits {
                self.after = event.head.revision;
                wanted.push(event.bytes);
            }
        })?;
        for event in wanted {
            self.events.push(read_event(event)?);
        }
        self.bytes += record.len();
        // A page that has nothing yet must go on.
        if self.events.is_empty() {
            self.bytes = 0;
        }
        Ok(())
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

/// An event that was looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Located {
    pub(super) found: Found,
    /// The last record of the round in which it is; `None` where it is behind the watermark.
    pub(super) round: Option<u64>,
}

const SELECT_ENTRY: &str = "
    SELECT tenant, first_revision, first_at_ms, sequence, records, crc FROM log_round
    WHERE tenant = ?1 AND first_revision <= ?2 ORDER BY first_revision DESC LIMIT 1";

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
    pub(super) fn find_revision(&self, log: &Log, revision: u64) -> Result<Located, StoreError> {
        let is_wanted = |head: Head| head.revision == revision;
        if revision <= self.log_head(log)?.revision {
            let entry = self.entry(log, revision)?;
            let spans = entry.spans();
            let later = spans.partition_point(|span| span.first_revision <= revision);
            let span = later.checked_sub(1).and_then(|index| spans.get(index));
            let sequence = span.ok_or_else(|| self.wrong_index())?.sequence;
            let found = self.last_of(log, sequence, is_wanted)?;
            return Ok(Located {
                found: found.ok_or_else(|| self.wrong_index())?,
                round: Some(entry.sequence),
            });
        }
        let mut found = None;
        self.journal.show_after(self.watermark, |record| {
            found = last_in(record, log, is_wanted)?;
            Ok(go_on_while(found.is_none()))
        })?;
        let found = found.ok_or_else(|| {
            let what = format!("revision {revision} of `{}` is missing", log_name(log));
            damaged(self.journal.path(), what)
        })?;
        Ok(Located { found, round: None })
    }

    /// The last event of a log at or before an instant, and no later than its head.
    pub(super) fn find_instant(
        &self,
        log: &Log,
        instant: Timestamp,
        head: Head,
    ) -> Result<Option<Located>, StoreError> {
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
        self.journal.show_after(self.watermark, |record| {
            found = last_in(record, log, |head| head.at <= instant)?.or(found);
            let is_later = last_in(record, log, |head| instant < head.at)?.is_some();
            Ok(go_on_while(!is_later))
        })?;
        match found {
            Some(found) => Ok(Some(Located { found, round: None })),
            None if indexed.revision == 0 => Ok(None),
            None => self.find_revision(log, indexed.revision).map(Some),
        }
    }

    /// The last event at or before an instant, of those up to a revision at which there is an
    /// event that comes later.
    fn indexed_instant(
        &self,
        log: &Log,
        instant: Timestamp,
        revision_max: u64,
    ) -> Result<Option<Located>, StoreError> {
        let is_then = |entry: &Entry| entry.first.at <= instant;
        let Some(entry) = self.last_entry(log, revision_max, is_then)? else {
            return Ok(None);
        };
        // At or before `low` a record begins no later than the instant; at `high` one begins later.
        let spans = entry.spans();
        let (mut low, mut high) = (0, spans.len());
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if self.begins(log, spans.get(middle))?.at <= instant {
                low = middle;
            } else {
                high = middle;
            }
        }
        let span = spans.get(low).ok_or_else(|| self.wrong_index())?;
        let found = self.last_of(log, span.sequence, |head| head.at <= instant)?;
        let found = found.ok_or_else(|| self.wrong_index())?;
        // What comes next must be there, or the search was led astray.
        let next = found.head.revision.saturating_add(1);
        if self.find_revision(log, next)?.found.head.at <= instant {
            return Err(self.wrong_index());
        }
        Ok(Some(Located {
            found,
            round: Some(entry.sequence),
        }))
    }

    /// The first event of a log in a record, which must be the one that the index says.
    fn begins(&self, log: &Log, span: Option<&Span>) -> Result<Head, StoreError> {
        let span = span.ok_or_else(|| self.wrong_index())?;
        let is_first = |head: Head| head.revision == span.first_revision;
        let found = self.last_of(log, span.sequence, is_first)?;
        Ok(found.ok_or_else(|| self.wrong_index())?.head)
    }

    /// The last event of a log in a record of the index for which something is true.
    fn last_of(
        &self,
        log: &Log,
        sequence: u64,
        is_wanted: impl Fn(Head) -> bool,
    ) -> Result<Option<Found>, StoreError> {
        let find = |record: Sealed<'_>| last_in(&record, log, is_wanted);
        self.journal.show(sequence, find)
    }

    /// The entry of a log with a revision that the ledger holds.
    pub(super) fn entry(&self, log: &Log, revision: u64) -> Result<Entry, StoreError> {
        let params = params![log_name(log), revision];
        let found = self.first("log_round", SELECT_ENTRY, params, Entry::read)?;
        let found = found.filter(|entry| revision < entry.end_revision());
        found.ok_or_else(|| self.wrong_index())
    }

    /// The last of the entries with revisions up to one that the ledger holds for which something
    /// is true, that is true for all before it.
    pub(super) fn last_entry(
        &self,
        log: &Log,
        revision_max: u64,
        is_before: impl Fn(&Entry) -> bool,
    ) -> Result<Option<Entry>, StoreError> {
        let mut last = None;
        // It is true for the entries of all revisions below `low`, and false from `high` on.
        let (mut low, mut high) = (1, revision_max.saturating_add(1));
        while low < high {
            let entry = self.entry(log, low + (high - low) / 2)?;
            if is_before(&entry) {
                low = entry.end_revision();
                last = Some(entry);
            } else {
                high = entry.first.revision;
            }
        }
        Ok(last)
    }

    /// The entry of a log in the round with this last record; `None` where the log has no event in
    /// that round.
    pub(super) fn entry_of_round(
        &self,
        log: &Log,
        sequence: u64,
    ) -> Result<Option<Entry>, StoreError> {
        // The search ends where one entry ends and the next begins: between them none is missing.
        let revision_max = self.log_head(log)?.revision;
        let last = self.last_entry(log, revision_max, |entry| entry.sequence <= sequence)?;
        Ok(last.filter(|entry| entry.sequence == sequence))
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
    pub(super) fn wrong_index(&self) -> StoreError {
        damaged(
            self.path,
            "table `log_round`: it does not lead to a log's next event",
        )
    }
}

/// The last event of a log in a record for which something is true.
fn last_in(
    record: &Sealed<'_>,
    log: &Log,
    is_wanted: impl Fn(Head) -> bool,
) -> Result<Option<Found>, Damage> {
    let (sequence, log) = (record.sequence, log_name(log));
    let mut found = None;
    record.outline(|event, _| {
        if event.log == log && is_wanted(event.head) {
            let index = event.index;
            found = Some(Found {
                position: Position { sequence, index },
                head: event.head,
            });
        }
    })?;
    Ok(found)
}

pub(super) fn go_on_while(there_is_more_to_do: bool) -> ControlFlow<()> {
    if there_is_more_to_do {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(())
    }
}
