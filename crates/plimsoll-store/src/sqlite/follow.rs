//! Has `ledger.db` filled from the journal, behind the lane, and does what else can be done for it.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::OpenFlags;

use super::files::{DirectoryLock, file_error};
use super::fill::{Fill, GivesUp, Written};
use super::journal::JournalReader;
use super::signal::Signal;
use crate::StoreError;

/// How often the journal is looked at: what the write-ahead log has by then is copied to its file.
const LOOK_PAUSE: Duration = Duration::from_millis(250);

/// Bytes of records after which it is looked at sooner.
const LOOK_BYTES: usize = 2 << 20;

/// Looks until the next round: a second at most, in which more records gather. Rows that many of
/// them change, and pages on which many rows change, are written once. Readers look for what is
/// missing in the journal.
const LOOKS: u32 = 4;

/// Bytes of records behind the watermark that may wait until nobody else wants the processor. A
/// start replays them, in a second or more, and who asks for what was reads them.
const BEHIND_MAX: usize = 64 << 20;

/// Bytes of records that a stop writes at most: more than may be behind a server at work. Only where
/// the tables are made anew, or a disk was full for long, is there more, and the next start replays
/// the rest as this one has.
const FINISH_MAX: usize = 2 * BEHIND_MAX;

/// The pause after a round that failed.
const ERROR_PAUSE: Duration = Duration::from_secs(1);

/// As little of a busy processor as a thread can ask for and still get some.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 19;

/// The threads that fill the ledger's tables. Dropping it ends them, and fills in what is left, but
/// where that is very much.
#[derive(Debug)]
pub(crate) struct Follower {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
    work: Arc<Work>,
    /// Given back last: when the threads have closed the files.
    _lock: DirectoryLock,
}

impl Follower {
    /// Starts the threads, and keeps the directory's lock from now on.
    pub(super) fn start(
        directory: &Path,
        signal: Arc<Signal>,
        lock: DirectoryLock,
    ) -> Result<Self, StoreError> {
        let work = Arc::new(Work::open(directory)?);
        let (waiting, working) = (Arc::clone(&signal), Arc::clone(&work));
        let thread = std::thread::Builder::new()
            .name("follower".to_owned())
            .spawn(move || working.follow(&waiting))
            .expect("the system starts a thread at start-up");
        Ok(Self {
            signal,
            thread: Some(thread),
            work,
            _lock: lock,
        })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.signal.stop();
        self.work.gives_up.as_stopping(true);
        if let Some(thread) = self.thread.take() {
            // A follower that panicked has said so; the next start replays the journal.
            if thread.join().is_ok() {
                self.work.finish(FINISH_MAX);
            }
        }
    }
}

/// Lets whoever answers somebody go first, but for a small share of the time.
///
/// On Linux, where a niceness is a thread's; elsewhere it would be that of the whole process.
fn yield_to_others() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "the follower keeps its priority");
    }
}

/// Takes the time that nobody else wants; where the system does not have that, little of it.
///
/// A niceness does not do that: a processor that runs a thread of the lowest priority counts as
/// busy, so that others crowd on the rest, and who wakes there waits for the next tick, some
/// milliseconds. One that runs an idle thread counts as free, and who wakes there goes first.
fn take_what_is_left() {
    #[cfg(target_os = "linux")]
    {
        use thread_priority::ThreadPriority;
        use thread_priority::unix::{
            NormalThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy,
            thread_native_id,
        };
        let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        let asked = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy);
        if let Err(error) = asked {
            tracing::debug!(
                ?error,
                "rounds may not wait until nobody wants the processor"
            );
            yield_to_others();
        }
    }
}

/// What the follower works on.
#[derive(Debug)]
struct Work {
    journal: Mutex<JournalReader>,
    /// Its handle of the journal is SQLite's last one to be closed: it has accepted the file, and
    /// takes the write-ahead log away.
    fill: Mutex<Fill>,
    /// Set where the idle thread is to leave its round to who gets some of the processor.
    gives_up: GivesUp,
    /// The journal's file once more, as SQLite has no way to flush it without a whole checkpoint.
    /// The first to close a file takes away what locks its process has on it, so it is closed last.
    journal_file: File,
}

impl Work {
    fn open(directory: &Path) -> Result<Self, StoreError> {
        let gives_up = GivesUp::default();
        let fill = Mutex::new(Fill::open(directory, gives_up.clone())?);
        let journal = JournalReader::open(directory, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let file = File::open(journal.path()).map_err(file_error(journal.path(), "opened"))?;
        Ok(Self {
            journal: Mutex::new(journal),
            fill,
            gives_up,
            journal_file: file,
        })
    }

    fn follow(&self, signal: &Signal) {
        let fill = &self.fill;
        let (ask, asked) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        std::thread::scope(|threads| {
            std::thread::Builder::new()
                .name("follower-idle".to_owned())
                .spawn_scoped(threads, move || {
                    take_what_is_left();
                    for () in asked {
                        // Free before it is told: who waits for it would wait for this thread.
                        let written = locked(fill).round();
                        if tell.send(written).is_err() {
                            return;
                        }
                    }
                })
                .expect("the system starts a thread at start-up");
            // Now, as the other thread could not put this off again.
            yield_to_others();
            let work = self;
            Rounds { work, ask, told }.follow(signal);
        });
    }

    /// Writes what is left, up to so many bytes of records, as soon as the caller can: nobody is
    /// answered any more whom this could keep waiting.
    fn finish(&self, mut bytes_max: usize) {
        self.gives_up.as_stopping(false);
        while 0 < bytes_max {
            match self.fill().round() {
                Ok(Written { bytes, whole }) if whole <= bytes => {
                    bytes_max = bytes_max.saturating_sub(bytes);
                }
                Ok(_) => return,
                Err(error) => return complain(&error),
            }
        }
    }

    fn fill(&self) -> MutexGuard<'_, Fill> {
        locked(&self.fill)
    }

    /// Copies what the journal's write-ahead log has to its file, and flushes that: the lane has
    /// the less to copy and to flush when the log is full, and nobody is answered meanwhile.
    ///
    /// SQLite itself flushes only where nobody has added to the log meanwhile.
    fn look_after_journal(&self) {
        let journal = locked(&self.journal);
        let copied = journal.checkpoint();
        let flush = || self.journal_file.sync_data();
        let flushed = copied.and_then(|()| flush().map_err(file_error(journal.path(), "flushed")));
        if let Err(error) = flushed {
            let error: &dyn std::error::Error = &error;
            tracing::error!(
                error,
                "the journal's file is not looked after beside the answers"
            );
        }
    }
}

/// Has rounds written, and knows who does it.
struct Rounds<'a> {
    work: &'a Work,
    /// Asks the idle thread for a round.
    ask: Sender<()>,
    /// What came of it.
    told: Receiver<Result<Written, StoreError>>,
}

impl Rounds<'_> {
    /// Writes what the journal has beyond the watermark, round by round, until it is time to stop;
    /// what is left then is for [`Work::finish`].
    fn follow(self, signal: &Signal) {
        // What the last run has left is not known: it counts as much.
        let mut backlog = usize::MAX;
        let mut enough = 0;
        loop {
            match self.write(backlog, signal) {
                Ok((left, whole)) => (backlog, enough) = (left, whole),
                // Whoever stops this meets with it, too, where it is not that a round is given up.
                Err(_) if signal.stops() => return,
                Err(error) => {
                    complain(&error);
                    backlog = usize::MAX;
                    signal.pause(ERROR_PAUSE);
                }
            }
            for _ in 0..LOOKS {
                let (fresh, goes_on) = signal.gather(LOOK_BYTES, LOOK_PAUSE);
                backlog = backlog.saturating_add(fresh);
                if !goes_on {
                    return;
                }
                if 0 < fresh {
                    self.work.look_after_journal();
                }
                if enough <= backlog {
                    break;
                }
            }
            if backlog == 0 {
                self.work.fill().rest();
                (backlog, _) = signal.wait();
            }
        }
    }

    /// Writes a round, and more of them while there are enough records for a whole one. `backlog` is
    /// how many bytes there may be; answers how many are left, and how many make a whole round.
    fn write(&self, mut backlog: usize, signal: &Signal) -> Result<(usize, usize), StoreError> {
        loop {
            let Written { bytes, whole } = if is_late(backlog, signal) {
                self.work.fill().round()?
            } else {
                self.round_when_idle(backlog, signal)?
            };
            if bytes < whole {
                return Ok((0, whole));
            }
            backlog = backlog.saturating_sub(bytes);
            if backlog < whole || signal.stops() {
                return Ok((backlog, whole));
            }
        }
    }

    /// Has the idle thread write a round, and looks after the journal meanwhile.
    ///
    /// Where others never leave it the processor it would be at it for minutes. It is told to give
    /// up where it is late: it cannot be raised again, as the system does not let it.
    fn round_when_idle(&self, backlog: usize, signal: &Signal) -> Result<Written, StoreError> {
        let gives_up = &self.work.gives_up;
        if self.ask.send(()).is_ok() {
            loop {
                match self.told.recv_timeout(LOOK_PAUSE) {
                    Ok(Err(_)) if gives_up.is_set() => break,
                    Ok(written) => {
                        gives_up.as_late(false);
                        return written;
                    }
                    Err(RecvTimeoutError::Timeout) => {
                        gives_up.as_late(is_late(backlog, signal));
                        self.work.look_after_journal();
                    }
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
        }
        // The idle thread has given up, or it has panicked, and said so.
        gives_up.as_late(false);
        self.work.fill().round()
    }
}

/// Whether too much is behind to wait until nobody wants the processor.
fn is_late(backlog: usize, signal: &Signal) -> bool {
    BEHIND_MAX < backlog.saturating_add(signal.fresh())
}

fn locked<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

fn complain(error: &StoreError) {
    let error: &dyn std::error::Error = error;
    tracing::error!(error, "the ledger's tables fall behind");
}

#[cfg(test)]
mod tests;
