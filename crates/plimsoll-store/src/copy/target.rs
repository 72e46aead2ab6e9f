//! Where a copy goes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Ledger;
use crate::postgres::{Agreed, NewDatabase, Written};
use crate::record::Hash;
use crate::sqlite::NewJournal;
use crate::store::StoreError;
use crate::tables::LogHead;

/// An opened target.
pub(super) enum Target {
    Journal(Box<NewJournal>),
    Database(Box<NewDatabase>),
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Target")
    }
}

/// Where logs stand, by tenant.
type Heads = BTreeMap<String, LogHead>;

impl Target {
    pub(super) async fn open(to: &Ledger) -> Result<(Self, Heads), StoreError> {
        match to {
            Ledger::Directory(directory) => {
                let (journal, heads) = NewJournal::open(directory)?;
                Ok((Self::Journal(Box::new(journal)), heads))
            }
            Ledger::Database(options) => {
                let (database, heads) = NewDatabase::open(options).await?;
                Ok((Self::Database(Box::new(database)), heads))
            }
        }
    }

    /// Takes note of an event that is there already.
    pub(super) fn skip(&mut self, written: Written) -> Result<(), StoreError> {
        match self {
            Self::Journal(_) => Ok(()),
            Self::Database(database) => database.skip(written),
        }
    }

    /// Adds events: when this returns, they are durable.
    pub(super) async fn write(&mut self, events: Vec<Written>) -> Result<(), StoreError> {
        match self {
            Self::Journal(journal) => journal.write(events.iter().map(|it| &it.event)),
            Self::Database(database) => database.write(events).await,
        }
    }

    /// Proves what is there, and answers where its logs stand.
    pub(super) async fn verify(&self, progress: impl FnMut(u64, u64)) -> Result<Heads, StoreError> {
        match self {
            Self::Journal(journal) => journal.verify(progress),
            Self::Database(database) => database.verify(progress).await,
        }
    }

    /// Lets it be served. What `last` makes of the place behind all events, and of the places of
    /// those that are wanted, is added; or is there already, where the catalogue's log had the hash
    /// `noted` from an attempt that was ended right then.
    pub(super) async fn finish(
        self,
        agreed: &Agreed,
        wanted: BTreeSet<(String, u64)>,
        noted: Option<Hash>,
        last: impl FnOnce(u64, &BTreeMap<(String, u64), u64>) -> Vec<Written>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Journal(mut journal) => {
                let places = journal.places_of(&wanted)?;
                let next = journal.next_sequence();
                let end = if noted.is_some() { next - 1 } else { next };
                let events = last(end, &places);
                let Some(end) = events.last() else {
                    return journal.finish();
                };
                match noted {
                    None => journal.write(events.iter().map(|it| &it.event))?,
                    Some(noted) if noted == end.chain => {}
                    Some(_) => return Err(super::differs("", end.event.revision)),
                }
                journal.finish()
            }
            Self::Database(database) => {
                let wanted: Vec<(String, u64)> = wanted.into_iter().collect();
                database.finish(agreed, &wanted, last).await
            }
        }
    }
}
