//! A whole journal, read from a directory that nobody serves, or made anew in one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_core::event::{Event, Head};
use rusqlite::OpenFlags;

use super::files::{self, DirectoryLock, Kind, damaged, file_error};
use super::journal::{Journal, JournalReader};
use super::signal::Signal;
use super::{load, verify};
use crate::StoreError;
use crate::record::{Record, chained, log_name};
use crate::replay::Place;
use crate::tables::{LogHead, Tables};

/// Where in a directory a journal stands that is not whole yet.
const UNFINISHED: &str = "copying";

/// A journal to be read from its first record on. Nobody serves it meanwhile.
pub(crate) struct WholeJournal {
    reader: JournalReader,
    place: Place,
    _lock: DirectoryLock,
}

impl WholeJournal {
    /// Opens it, and answers all rows as they are at its end.
    ///
    /// Errors: also where a server runs on it, or where `ledger.db` holds a record that it lacks.
    pub(crate) fn open(directory: &Path) -> Result<(Self, Tables), StoreError> {
        let path = Kind::Journal.path(directory);
        if !path.exists() {
            return Err(StoreError::NoLedger {
                place: directory.display().to_string(),
            });
        }
        files::expect_own_journal(directory)?;
        let lock = DirectoryLock::take(directory)?;
        let reader = JournalReader::open(directory, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let (mut tables, watermark) = if Kind::Ledger.path(directory).exists() {
            load::load_ledger(directory, &reader)?
        } else {
            (Tables::loading(), Place::default())
        };
        load::replay(&reader, watermark, &mut tables)?;
        load::finish(&path, &mut tables)?;
        let it = Self {
            reader,
            place: Place::default(),
            _lock: lock,
        };
        Ok((it, tables))
    }

    /// The records that come next; none at its end.
    pub(crate) fn next(&mut self) -> Result<Vec<Record>, StoreError> {
        let records = self.reader.records_after(self.place)?;
        if let Some(last) = records.last() {
            self.place = Place::behind(last);
        }
        Ok(records)
    }
}

/// Makes sure that a directory does not hold a journal that is still being copied.
pub(super) fn expect_finished(directory: &Path) -> Result<(), StoreError> {
    if Kind::Journal.path(&directory.join(UNFINISHED)).exists() {
        return Err(StoreError::Copying {
            place: directory.join(UNFINISHED).display().to_string(),
        });
    }
    Ok(())
}

/// A journal that is being made. Until it is whole, it stands where no server looks.
pub(crate) struct NewJournal {
    directory: PathBuf,
    unfinished: PathBuf,
    journal: Journal,
    _lock: DirectoryLock,
}

impl NewJournal {
    /// Begins one, or goes on with one that was begun; answers where its logs stand.
    ///
    /// Errors: also where the directory holds a ledger.
    pub(crate) fn open(directory: &Path) -> Result<(Self, BTreeMap<String, LogHead>), StoreError> {
        for file in ["journal.db", "journal.db-wal", "ledger.db"] {
            if directory.join(file).exists() {
                return Err(StoreError::NotEmpty {
                    place: directory.display().to_string(),
                });
            }
        }
        files::prepare_directory(directory)?;
        let lock = DirectoryLock::take(directory)?;
        let unfinished = directory.join(UNFINISHED);
        files::prepare_directory(&unfinished)?;
        if !Kind::Journal.path(&unfinished).exists() {
            files::create(&unfinished, Kind::Journal)?;
        }
        let journal = Journal::open(&unfinished, Arc::new(Signal::default()))?;
        let mut it = Self {
            directory: directory.to_owned(),
            unfinished,
            journal,
            _lock: lock,
        };
        let mut heads: BTreeMap<String, LogHead> = BTreeMap::new();
        let tip = it.walk(|event, bytes, _| {
            let head = heads.entry(log_name(&event.log).to_owned()).or_default();
            *head = LogHead {
                head: Head {
                    revision: event.revision,
                    at: event.at,
                },
                chain: chained(&head.chain, bytes),
            };
        })?;
        it.journal.set_tip(tip);
        it.journal.settle()?;
        Ok((it, heads))
    }

    /// Shows all events that are there, each with its bytes and the sequence of its record.
    fn walk(&self, mut show: impl FnMut(&Event, &[u8], u64)) -> Result<Place, StoreError> {
        let mut place = Place::default();
        loop {
            let records = self.journal.reader().records_after(place)?;
            for record in &records {
                for (event, bytes) in &record.events {
                    show(event, bytes, record.sequence);
                }
                place = Place {
                    sequence: record.sequence,
                    hash: record.hash,
                };
            }
            if records.is_empty() {
                return Ok(place);
            }
        }
    }

    /// Adds events as one record: when this returns, it is durable.
    pub(crate) fn write<'a>(
        &mut self,
        events: impl Iterator<Item = &'a Event>,
    ) -> Result<(), StoreError> {
        let mut record = self.journal.next_record();
        for event in events {
            // The hash in the event's own log is compared when the whole is.
            record.push(event, &Default::default());
        }
        self.journal.write(record)
    }

    /// The record that comes next.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.journal.sequence() + 1
    }

    /// In which record each of some events stands.
    pub(crate) fn places_of(
        &self,
        wanted: &BTreeSet<(String, u64)>,
    ) -> Result<BTreeMap<(String, u64), u64>, StoreError> {
        let mut places = BTreeMap::new();
        if !wanted.is_empty() {
            self.walk(|event, _, sequence| {
                let key = (log_name(&event.log).to_owned(), event.revision);
                if wanted.contains(&key) {
                    places.insert(key, sequence);
                }
            })?;
        }
        Ok(places)
    }

    /// Proves it, as `plimsoll verify` does; answers where its logs stand.
    pub(crate) fn verify(
        &self,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<BTreeMap<String, LogHead>, StoreError> {
        let told = |it: verify::Progress| progress(it.records_done, it.records_in_all);
        let (_, tables) = verify::verify_whole(&self.unfinished, None, told)?;
        let heads = tables.logs();
        Ok(heads
            .map(|(log, head)| (log_name(log).to_owned(), *head))
            .collect())
    }

    /// Puts it where a server finds it.
    pub(crate) fn finish(self) -> Result<(), StoreError> {
        self.journal.settle()?;
        drop(self.journal);
        let from = Kind::Journal.path(&self.unfinished);
        let to = Kind::Journal.path(&self.directory);
        let log = self.unfinished.join("journal.db-wal");
        if log.exists() {
            return Err(damaged(&log, "another program keeps it busy"));
        }
        fs::rename(&from, &to).map_err(file_error(&to, "created"))?;
        files::flush_directory(&self.directory)?;
        fs::remove_dir_all(&self.unfinished).map_err(file_error(&self.unfinished, "removed"))
    }
}
