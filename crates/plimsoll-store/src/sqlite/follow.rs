//! Fills `ledger.db` from the journal, behind the lane, and does what else can be done for it.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use hashbrown::HashMap;
use plimsoll_core::command::ReservationKey;
use plimsoll_core::event::{Change, Head, Log};
use plimsoll_core::model::{Item, Request, Reservation, Webhook};
use plimsoll_core::names::{
    LocationId, PrincipalId, RequestId, ReservationId, ResourceName, ScopeId, TierName, WebhookId,
};
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::files::{self, DirectoryLock, Kind, sqlite_error};
use super::history_schema::{self, PastKey};
use super::journal::JournalReader;
use super::ledger::{self, Watermark};
use crate::StoreError;
use crate::record::{Hash, Record, chained};
use crate::replay::Place;
use crate::tables::LogHead;

/// The pause after each round, in which more records gather: rows that many of them change, and
/// pages on which many rows change, are written once. Readers look for what is missing in the
/// journal.
const ROUND_PAUSE: Duration = Duration::from_millis(250);

/// The pause after a round that failed.
const ERROR_PAUSE: Duration = Duration::from_secs(1);

/// Pages of the ledger kept in memory, in KiB; negative, as SQLite wants it. Rows are all over the
/// tables: with SQLite's own 2 MiB, most of the time goes into reading the same pages again.
const LEDGER_CACHE_KIB: i32 = -(32 << 10);

/// As little of a busy processor as a thread can ask for.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 19;

/// Pages that gather in the ledger's write-ahead log, for the same reason, before they are copied
/// to its file: 8 MiB. More at once would keep the journal's flushes waiting.
const LEDGER_LOG_PAGES: i32 = 2_048;

/// Wakes the follower.
#[derive(Debug, Default)]
pub(super) struct Signal {
    state: Mutex<SignalState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct SignalState {
    has_more: bool,
    stops: bool,
}

impl Signal {
    /// Says that the journal has a new record.
    pub(super) fn wake(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .has_more = true;
        self.changed.notify_one();
    }

    /// Says that it is time to stop.
    pub(super) fn stop(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stops = true;
        self.changed.notify_one();
    }

    /// Waits until there is more, and says whether to go on after that round.
    fn wait(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self
            .changed
            .wait_while(state, |state| !state.has_more && !state.stops)
            .unwrap_or_else(PoisonError::into_inner);
        state.has_more = false;
        !state.stops
    }

    /// Waits for a while, unless it is time to stop, and says whether to go on.
    pub(super) fn pause(&self, pause: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, _) = self
            .changed
            .wait_timeout_while(state, pause, |state| !state.stops)
            .unwrap_or_else(PoisonError::into_inner);
        !state.stops
    }
}

/// The thread that fills the ledger's tables. Dropping it fills in what is left and ends it.
#[derive(Debug)]
pub(crate) struct Follower {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
    /// Given back last: when the thread has closed the files.
    _lock: DirectoryLock,
}

impl Follower {
    /// Starts the thread, and keeps the directory's lock from now on.
    pub(super) fn start(
        directory: &Path,
        signal: Arc<Signal>,
        lock: DirectoryLock,
    ) -> Result<Self, StoreError> {
        let mut work = Work::open(directory)?;
        signal.wake();
        let waiting = Arc::clone(&signal);
        let thread = std::thread::Builder::new()
            .name("follower".to_owned())
            .spawn(move || {
                yield_to_others();
                loop {
                    let goes_on = waiting.wait();
                    let pause = match work.round() {
                        Ok(()) => ROUND_PAUSE,
                        Err(error) => {
                            let error: &dyn std::error::Error = &error;
                            tracing::error!(error, "the ledger's tables fall behind");
                            waiting.wake();
                            ERROR_PAUSE
                        }
                    };
                    if !goes_on {
                        return;
                    }
                    // Where it is time to stop, one more round writes what is left.
                    waiting.pause(pause);
                }
            })
            .expect("the system starts a thread at start-up");
        Ok(Self {
            signal,
            thread: Some(thread),
            _lock: lock,
        })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.signal.stop();
        if let Some(thread) = self.thread.take() {
            // A follower that panicked has said so; the next start replays the journal.
            let _ = thread.join();
        }
    }
}

/// Lets whoever answers somebody go first: this thread takes the time that they leave.
///
/// On Linux, where a niceness is a thread's; elsewhere it would be that of the whole process.
fn yield_to_others() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "the follower keeps its priority");
    }
}

struct Work {
    journal: JournalReader,
    ledger: Connection,
    ledger_path: std::path::PathBuf,
}

/// The row that a change is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum RowKey {
    Resource(ResourceName),
    Location(LocationId),
    Scope(ScopeId),
    Tier(TierName),
    Limits(ScopeId, Item),
    Tally(ScopeId, Item),
    Request(RequestId),
    Webhook(WebhookId),
    Account(ScopeId, Item),
    Reservation(ScopeId, ReservationId),
    Principal(PrincipalId),
}

impl Work {
    fn open(directory: &Path) -> Result<Self, StoreError> {
        let journal = JournalReader::open(directory, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        journal.accept()?;
        let ledger_path = Kind::Ledger.path(directory);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let ledger = files::open(&ledger_path, Kind::Ledger, flags)?;
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
        Ok(Self {
            journal,
            ledger,
            ledger_path,
        })
    }

    /// Writes everything that the journal has beyond the watermark.
    fn round(&mut self) -> Result<(), StoreError> {
        loop {
            let sqlite = sqlite_error(&self.ledger_path);
            let watermark = ledger::watermark(&self.ledger).map_err(&sqlite)?;
            let records = self.journal.records_after(watermark.place)?;
            let Some(last) = records.last() else {
                return Ok(());
            };
            let place = Place {
                sequence: last.sequence,
                hash: last.hash,
            };
            let tally = watermark.tally;
            self.write(&records, Watermark { place, tally })
                .map_err(&sqlite)?;
            self.journal.checkpoint()?;
        }
    }

    /// Writes what some records have changed, and that the tables then hold what they hold.
    fn write(&mut self, records: &[Record], mut end: Watermark) -> rusqlite::Result<()> {
        let transaction = self.ledger.transaction()?;
        let mut logs: HashMap<&Log, LogHead> = HashMap::new();
        let mut rows: HashMap<RowKey, &Change> = HashMap::new();
        for (event, bytes) in records.iter().flat_map(|record| &record.events) {
            let before = match logs.get(&event.log) {
                Some(head) => head.chain,
                None => chain_of(&transaction, &event.log)?,
            };
            let head = Head {
                revision: event.revision,
                at: event.at,
            };
            logs.insert(
                &event.log,
                LogHead {
                    head,
                    chain: chained(&before, bytes),
                },
            );
            rows.extend(event.changes.iter().map(|change| (key(change), change)));
        }
        let mut replaced = HashMap::new();
        // In the order of the tables: a page is then written once, and not for each of its rows.
        let mut rows: Vec<(&RowKey, &&Change)> = rows.iter().collect();
        rows.sort_unstable_by_key(|(key, _)| *key);
        for (_, change) in rows {
            let crc = ledger::put(&transaction, &mut end.tally, change)?;
            replaced.extend(PastKey::of_change(change).zip(crc));
        }
        for (log, head) in &logs {
            ledger::put_log(&transaction, &mut end.tally, log, head)?;
        }
        history_schema::put(&transaction, records, &replaced)?;
        ledger::put_watermark(&transaction, end)?;
        transaction.commit()
    }
}

fn chain_of(connection: &Connection, log: &Log) -> rusqlite::Result<Hash> {
    let chain = connection
        .prepare_cached("SELECT chain FROM log WHERE tenant = ?1")?
        .query_row([ledger::log_name(log)], |row| row.get(0))
        .optional()?;
    Ok(chain.unwrap_or_default())
}

fn key(change: &Change) -> RowKey {
    match change {
        Change::Resource(row) => RowKey::Resource(row.name.clone()),
        Change::Location(row) => RowKey::Location(row.id.clone()),
        Change::Scope(row) => RowKey::Scope(row.id.clone()),
        Change::Tier(row) => RowKey::Tier(row.name.clone()),
        Change::Limits { scope, item, .. } => RowKey::Limits(scope.clone(), item.clone()),
        Change::Tally { scope, item, .. } => RowKey::Tally(scope.clone(), item.clone()),
        Change::Request(Request { id, .. }) | Change::RequestGone { id, .. } => {
            RowKey::Request(id.clone())
        }
        Change::Webhook(Webhook { id, .. }) | Change::WebhookGone(id) => {
            RowKey::Webhook(id.clone())
        }
        Change::Account { scope, item, .. } => RowKey::Account(scope.clone(), item.clone()),
        Change::Reservation(Reservation { tenant, id, .. })
        | Change::ReservationGone(ReservationKey { tenant, id }) => {
            RowKey::Reservation(tenant.clone(), id.clone())
        }
        Change::Principal(row) => RowKey::Principal(row.id.clone()),
        Change::PrincipalGone(id) => RowKey::Principal(id.clone()),
    }
}
