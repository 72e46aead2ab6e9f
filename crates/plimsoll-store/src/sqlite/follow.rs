//! Fills `ledger.db` from the journal, behind the lane, and does what else can be done for it.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::files::{self, DirectoryLock, Kind, sqlite_error};
use super::journal::JournalReader;
use super::ledger::{self, Watermark};
use super::round::{self, Room};
use super::rows::RowError;
use crate::StoreError;
use crate::record::KeptRecords;

/// Bytes of records in one round of a small ledger. Whoever asks for what was reads again what a
/// round has of a tenant, which takes some ten milliseconds where it is all of these.
const ROUND_BYTES_MIN: usize = 8 << 20;

/// The same of a large one, where this is a small part of memory; who asks for what was may read
/// eight times as much.
const ROUND_BYTES_MAX: usize = 64 << 20;

/// How many times the bytes of a round the ledger has, in between. Where rows change all over a
/// large ledger, each is alone on its page, and to write a page takes ten times as long as to
/// write a row: the more rows in a round, the more of them share one.
const LEDGER_IN_ROUNDS: u64 = 16;

/// How often the journal is looked at: what the write-ahead log has by then is copied to its file.
const LOOK_PAUSE: Duration = Duration::from_millis(250);

/// Bytes of records after which it is looked at sooner.
const LOOK_BYTES: usize = 2 << 20;

/// Looks until the next round: a second at most, in which more records gather. Rows that many of
/// them change, and pages on which many rows change, are written once. Readers look for what is
/// missing in the journal.
const LOOKS: u32 = 4;

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
    /// Bytes of records that nobody has taken note of.
    fresh: usize,
    /// How many of them are worth waking up for.
    wanted: usize,
    stops: bool,
}

impl Signal {
    /// Says that the journal has a new record, of so many bytes.
    pub(super) fn add(&self, bytes: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let was_enough = state.wanted <= state.fresh;
        state.fresh = state.fresh.saturating_add(bytes);
        // To wake a thread takes longer than all the rest.
        if !was_enough && state.wanted <= state.fresh {
            self.changed.notify_one();
        }
    }

    /// Says that it is time to stop.
    pub(super) fn stop(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stops = true;
        self.changed.notify_one();
    }

    /// Waits until there is something new, and answers how many bytes, and whether to go on.
    fn wait(&self) -> (usize, bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.wanted = 1;
        let state = self
            .changed
            .wait_while(state, |state| state.fresh == 0 && !state.stops)
            .unwrap_or_else(PoisonError::into_inner);
        take(state)
    }

    /// Waits for a while, or until there are so many new bytes, and answers as [`wait`](Self::wait).
    fn gather(&self, bytes: usize, pause: Duration) -> (usize, bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.wanted = bytes;
        let (state, _) = self
            .changed
            .wait_timeout_while(state, pause, |state| state.fresh < bytes && !state.stops)
            .unwrap_or_else(PoisonError::into_inner);
        take(state)
    }

    /// Waits for a while, unless it is time to stop, and says whether to go on.
    pub(super) fn pause(&self, pause: Duration) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.wanted = usize::MAX;
        let (state, _) = self
            .changed
            .wait_timeout_while(state, pause, |state| !state.stops)
            .unwrap_or_else(PoisonError::into_inner);
        !state.stops
    }
}

fn take(mut state: MutexGuard<'_, SignalState>) -> (usize, bool) {
    (std::mem::take(&mut state.fresh), !state.stops)
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
        let work = Work::open(directory)?;
        let waiting = Arc::clone(&signal);
        let thread = std::thread::Builder::new()
            .name("follower".to_owned())
            .spawn(move || {
                yield_to_others();
                work.follow(&waiting);
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
    /// Bytes of records in one round.
    round_bytes: usize,
    /// Of the last round: their room is used again, as long as there is something to write.
    records: KeptRecords,
    room: Room,
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
            round_bytes: ROUND_BYTES_MIN,
            records: KeptRecords::default(),
            room: Room::default(),
        })
    }

    /// Writes what the journal has beyond the watermark, round by round, until it is time to stop.
    fn follow(mut self, signal: &Signal) {
        // What the last run has left is not known: it counts as much.
        let mut backlog = usize::MAX;
        let mut goes_on = true;
        loop {
            match self.rounds(backlog, !goes_on) {
                Ok(left) => backlog = left,
                Err(error) => {
                    complain(&error);
                    backlog = usize::MAX;
                    signal.pause(ERROR_PAUSE);
                }
            }
            if !goes_on {
                return;
            }
            for _ in 0..LOOKS {
                let (fresh, more) = signal.gather(LOOK_BYTES, LOOK_PAUSE);
                backlog = backlog.saturating_add(fresh);
                goes_on = more;
                if 0 < fresh
                    && let Err(error) = self.journal.checkpoint()
                {
                    complain(&error);
                }
                if !goes_on || self.round_bytes <= backlog {
                    break;
                }
            }
            if goes_on && backlog == 0 {
                (self.records, self.room) = Default::default();
                (backlog, goes_on) = signal.wait();
            }
        }
    }

    /// Writes a round, and more of them while there are enough records for a whole one, or all
    /// there are. `backlog` is how many bytes there may be; answers how many are left.
    fn rounds(&mut self, mut backlog: usize, all: bool) -> Result<usize, StoreError> {
        loop {
            self.round_bytes = round_bytes(&self.ledger_path);
            let written = self.round()?;
            if written < self.round_bytes {
                return Ok(0);
            }
            backlog = backlog.saturating_sub(written);
            if backlog < self.round_bytes && !all {
                return Ok(backlog);
            }
        }
    }

    /// Writes what comes next beyond the watermark, and answers how many bytes of records that was:
    /// fewer than those of a round at the journal's end.
    fn round(&mut self) -> Result<usize, StoreError> {
        let sqlite = sqlite_error(&self.ledger_path);
        let Watermark { place, tally } = ledger::watermark(&self.ledger).map_err(&sqlite)?;
        self.records.clear();
        let records = &mut self.records;
        let place = self.journal.keep_after(place, self.round_bytes, records)?;
        if records.is_empty() {
            return Ok(0);
        }
        let transaction = self.ledger.transaction().map_err(&sqlite)?;
        let room = &mut self.room;
        let written = round::write(&transaction, records, room, Watermark { place, tally });
        written.map_err(|error| match error {
            RowError::Sqlite(error) => sqlite(error),
            RowError::Value(what) => self.journal.damaged(place.sequence, what),
        })?;
        transaction.commit().map_err(&sqlite)?;
        Ok(self.records.len())
    }
}

/// Bytes of records in one round of a ledger as large as this.
fn round_bytes(ledger: &Path) -> usize {
    // A file that cannot be looked at will soon be complained of.
    let bytes = std::fs::metadata(ledger).map_or(0, |file| file.len());
    let share = usize::try_from(bytes / LEDGER_IN_ROUNDS).unwrap_or(ROUND_BYTES_MAX);
    share.clamp(ROUND_BYTES_MIN, ROUND_BYTES_MAX)
}

fn complain(error: &StoreError) {
    let error: &dyn std::error::Error = error;
    tracing::error!(error, "the ledger's tables fall behind");
}
