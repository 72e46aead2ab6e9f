//! The store on one machine: two SQLite files in a data directory.
//!
//! | file | what | when it is written |
//! |---|---|---|
//! | `journal.db` | one row per batch: the truth | before anybody is answered, `synchronous=FULL` |
//! | `ledger.db` | ordinary tables for people and tools, with a watermark | behind, by the follower |
//! | `plimsoll.lock` | held by the process that serves the directory | – |
//!
//! At start the tables are loaded from `ledger.db`, and the journal behind the watermark is
//! replayed on top. Behind a start the whole journal is read through once: where an old record is
//! damaged, the store stops serving and the log says which. A file that is damaged or belongs to
//! something else is refused and left as it is. The one thing that is made anew is a `ledger.db`
//! that is missing altogether, or that an older build has laid out: everything in it stands in the
//! journal too.
//!
//! One thing cannot be noticed here: records cut off at the journal's end that `ledger.db` does not
//! hold yet, as when `journal.db-wal` is damaged after a crash. Whoever keeps the hash that
//! [`verify()`] answers notices that too.

mod as_of;
mod files;
mod fill;
mod follow;
mod history_schema;
mod journal;
mod ledger;
mod load;
mod pages;
mod past;
mod readers;
mod round;
mod rows;
mod schema;
mod scrub;
mod signal;
mod values;
mod verify;
mod whole;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use follow::Follower;
pub(crate) use journal::Journal;
pub(crate) use readers::PastReaders;
pub(crate) use scrub::{Scrub, Scrubber};
pub use verify::{Progress, Verified, verify, verify_with};
pub(crate) use whole::{NewJournal, WholeJournal};

use files::{DirectoryLock, Kind};
use signal::Signal;

use crate::StoreError;
use crate::tables::Tables;

/// An opened data directory.
pub(crate) struct Opened {
    pub(crate) journal: Journal,
    pub(crate) tables: Tables,
    /// Closed before the follower, which leaves the files in order.
    pub(crate) past: PastReaders,
    pub(crate) follower: Follower,
    pub(crate) scrubber: Scrubber,
}

/// Opens a data directory, made where it does not exist.
pub(crate) fn open(directory: &Path) -> Result<Opened, StoreError> {
    files::expect_own_journal(directory)?;
    files::prepare_directory(directory)?;
    let lock = DirectoryLock::take(directory)?;
    whole::expect_finished(directory)?;
    let journal_path = Kind::Journal.path(directory);
    let ledger_path = Kind::Ledger.path(directory);
    if !journal_path.exists() {
        for other in ["ledger.db", "journal.db-wal"] {
            if directory.join(other).exists() {
                let what = format!("it is missing, though `{other}` beside it is there");
                return Err(files::damaged(&journal_path, what));
            }
        }
        files::create(directory, Kind::Journal)?;
    }
    if !ledger_path.exists() {
        files::create(directory, Kind::Ledger)?;
        tracing::info!(path = %ledger_path.display(), "the ledger's tables are made anew");
    }
    let signal = Arc::new(Signal::default());
    let reopen = Reopen {
        directory: directory.to_owned(),
        signal: Arc::clone(&signal),
    };
    let (journal, tables) = reopen.load()?;
    load::renew_older_ledger(directory)?;
    let scrubber = Scrubber::open(directory, journal.tip())?;
    let past = PastReaders::open(directory)?;
    let follower = Follower::start(directory, signal, lock)?;
    Ok(Opened {
        journal,
        tables,
        follower,
        scrubber,
        past,
    })
}

/// What it takes to open the journal anew.
#[derive(Debug)]
pub(crate) struct Reopen {
    directory: PathBuf,
    signal: Arc<Signal>,
}

impl Reopen {
    /// Opens the journal, loads all rows, and makes durable what was loaded.
    pub(crate) fn load(&self) -> Result<(Journal, Tables), StoreError> {
        let mut journal = Journal::open(&self.directory, Arc::clone(&self.signal))?;
        let tables = load::load(&self.directory, &mut journal)?;
        journal.settle()?;
        if let Err(error) = journal.fill_log() {
            tracing::warn!(%error, "the first records will take longer: no room was made for them");
        }
        Ok((journal, tables))
    }
}
