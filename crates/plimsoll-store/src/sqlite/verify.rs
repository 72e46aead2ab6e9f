//! Reads a whole journal and makes sure that it holds together.

use std::path::Path;

use rusqlite::OpenFlags;

use super::journal::JournalReader;
use super::load::{check, replay};
use crate::StoreError;
use crate::record::Hash;
use crate::replay::Place;
use crate::tables::Tables;

/// What a whole journal was found to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Records, each with its checksum, its hash and its place in the chain.
    pub records: u64,
    /// Events, each with the next revision of its log.
    pub events: u64,
    /// Logs, the catalogue's among them.
    pub logs: usize,
    /// The hash of the last record: whoever knows it knows that nothing was cut off.
    pub tip: Hash,
}

/// Replays the journal of a data directory from its first record, the ledger's tables aside:
/// checksums, hashes, chains, revisions, and accounts that equal the sum of the reservations.
///
/// The directory may be in use.
///
/// Errors: the first record that is wrong, and how.
pub fn verify(directory: &Path) -> Result<Verified, StoreError> {
    let journal = JournalReader::open(directory, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mut tables = Tables::default();
    let mut events = 0;
    let end = replay(&journal, Place::default(), &mut tables, |record| {
        events += record.events.len() as u64;
        Ok(())
    })?;
    check(journal.path(), &tables)?;
    Ok(Verified {
        records: end.sequence,
        events,
        logs: tables.logs().count(),
        tip: end.hash,
    })
}
