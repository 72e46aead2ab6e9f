//! Reads a whole journal and makes sure that it holds together.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::OpenFlags;

use super::files::{self, Kind, damaged, sqlite_error};
use super::journal::JournalReader;
use super::load;
use super::pages;
use crate::StoreError;
use crate::audit::Audit;
use crate::record::{Hash, Record, chained};
use crate::replay::Place;
use crate::tables::Tables;

/// What a whole journal was found to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Records, each with its checksum, its hash and its place in the chain.
    pub records: u64,
    /// Events, each with the next revision of its log.
    pub events: u64,
    /// Logs, the catalogue's among them.
    pub logs: usize,
    /// Admissions that kept to every limit that was in force.
    pub admissions: u64,
    /// Admissions that did not have to, by the name of their mark: `forced`.
    pub marked: BTreeMap<&'static str, u64>,
    /// Reservations that are held or committed at the end.
    pub reservations_live: u64,
    /// The record that `ledger.db` has come to; `None` where there is no such file.
    pub ledger: Option<u64>,
    /// Pages of `journal.db`, each as SQLite lays out these records.
    pub pages: u32,
    /// The version of SQLite that wrote to it last: `3.54.1`.
    pub sqlite: String,
    /// The record whose hash was expected; `None` where none was.
    pub expected: Option<u64>,
    /// The hash of the last record: whoever keeps it elsewhere will know that nothing before it
    /// was changed or cut off.
    pub tip: Hash,
}

/// How far a verification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Records that were found to be right.
    pub records_done: u64,
    /// Records there were when it began.
    pub records_in_all: u64,
}

/// Replays the journal of a data directory from its first record: checksums, hashes, chains,
/// revisions, accounts that equal the sum of the reservations, and every admission against the
/// limits that were in force. Then looks at the file's pages: no byte but those that the records
/// account for.
///
/// The directory may be in use.
///
/// Errors: the first record that is wrong, and how; also where `ledger.db` holds a record that the
/// journal has not.
pub fn verify(directory: &Path) -> Result<Verified, StoreError> {
    verify_with(directory, None, |_| ())
}

/// [`verify()`], which also expects a record of a hash that was a tip once, and says how far it is.
///
/// Errors: also where no record has that hash: some were cut off or exchanged since.
pub fn verify_with(
    directory: &Path,
    expected_tip: Option<Hash>,
    progress: impl FnMut(Progress),
) -> Result<Verified, StoreError> {
    verify_whole(directory, expected_tip, progress).map(|(verified, _)| verified)
}

/// [`verify_with`], which also answers the rows at the end.
pub(super) fn verify_whole(
    directory: &Path,
    expected_tip: Option<Hash>,
    mut progress: impl FnMut(Progress),
) -> Result<(Verified, Tables), StoreError> {
    files::expect_own_journal(directory)?;
    let journal = JournalReader::open_what_is_left(directory)?;
    pages::expect_shown(&journal)?;
    // Looked at first: a server beside this may add to both.
    let watermark = watermark(directory)?;
    // For the bar alone: where it cannot be told, reading says why.
    let records_in_all = journal.last_sequence().unwrap_or_default();
    let mut replay = Replay {
        journal: &journal,
        watermark,
        expected_tip,
        expected: (expected_tip == Some(Place::default().hash)).then_some(0),
        tables: Tables::loading(),
        audit: Audit::default(),
        events: 0,
        place: Place::default(),
    };
    let mut told = |records_done| {
        progress(Progress {
            records_done,
            records_in_all,
        });
    };
    replay.read_on(&mut told)?;
    // What was added meanwhile, so that the pages are those of the records that were read.
    let snapshot = journal.snapshot()?;
    replay.read_on(&mut told)?;
    let place = replay.place;
    let file = pages::check(&journal, place.sequence)?;
    // A server that starts beside this must not be kept from moving what is in the log.
    drop(snapshot);
    load::finish(journal.path(), &mut replay.tables)?;
    if let Some(ledger) = watermark
        && place.sequence < ledger.sequence
    {
        let what = "`ledger.db` holds it, and it is missing here";
        return Err(journal.damaged(ledger.sequence, what));
    }
    if expected_tip.is_some() && replay.expected.is_none() {
        let what = "no record has the hash that is expected: some were cut off or exchanged";
        return Err(damaged(journal.path(), what));
    }
    let verified = Verified {
        records: place.sequence,
        events: replay.events,
        logs: replay.tables.logs().count(),
        admissions: replay.audit.admissions,
        reservations_live: replay.tables.reservations().live_count(),
        marked: replay.audit.marked,
        ledger: watermark.map(|place| place.sequence),
        pages: file.pages,
        sqlite: file.sqlite,
        expected: replay.expected,
        tip: place.hash,
    };
    Ok((verified, replay.tables))
}

/// The last record that `ledger.db` holds; `None` where there is no such file.
fn watermark(directory: &Path) -> Result<Option<Place>, StoreError> {
    let path = Kind::Ledger.path(directory);
    if !path.exists() {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let (ledger, _) = files::open_or_older(&path, Kind::Ledger, flags)?;
    let watermark = load::watermark(&ledger, &path)?;
    ledger
        .close()
        .map_err(|(_, error)| sqlite_error(&path)(error))?;
    Ok(Some(watermark.place))
}

/// A journal read so far.
struct Replay<'a> {
    journal: &'a JournalReader,
    watermark: Option<Place>,
    expected_tip: Option<Hash>,
    /// The record whose hash is the expected one.
    expected: Option<u64>,
    tables: Tables,
    audit: Audit,
    events: u64,
    place: Place,
}

impl Replay<'_> {
    /// Reads all records that are there, and tells of each.
    fn read_on(&mut self, told: &mut impl FnMut(u64)) -> Result<(), StoreError> {
        loop {
            let records = self.journal.records_after(self.place)?;
            if records.is_empty() {
                return Ok(());
            }
            for record in records {
                self.take(record)?;
                let Place { sequence, hash } = self.place;
                if self.expected_tip == Some(hash) {
                    self.expected = Some(sequence);
                }
                if let Some(ledger) = self.watermark
                    && ledger.sequence == sequence
                    && ledger.hash != hash
                {
                    let what = "`ledger.db` was filled from another journal";
                    return Err(self.journal.damaged(sequence, what));
                }
                told(sequence);
            }
        }
    }

    fn take(&mut self, record: Record) -> Result<(), StoreError> {
        let sequence = record.sequence;
        for (event, bytes) in record.events {
            let judged = self.audit.judge(&self.tables, &event);
            judged.map_err(|unsound| self.journal.damaged(sequence, &unsound.to_string()))?;
            let chain = chained(&self.tables.log(&event.log).chain, &bytes);
            let applied = self.tables.apply(event, chain);
            applied.map_err(|breach| self.journal.damaged(sequence, &breach.to_string()))?;
            self.events += 1;
        }
        self.place = Place {
            sequence,
            hash: record.hash,
        };
        Ok(())
    }
}
