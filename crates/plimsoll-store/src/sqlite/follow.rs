//! Has `ledger.db` filled from the journal, behind the lane, and does what else can be done for it.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::OpenFlags;

use super::files::{DirectoryLock, file_error};
use super::fill::{Fill, Written};
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
/// start replays them, in about half a second, and who asks for what was reads them.
const BEHIND_MAX: usize = 64 << 20;

/// The pause after a round that failed.
const ERROR_PAUSE: Duration = Duration::from_secs(1);

/// As little of a busy processor as a thread can ask for and still get some.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 19;

/// The threads that fill the ledger's tables. Dropping it fills in what is left and ends them.
#[derive(Debug)]
pub(crate) struct Follower {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
    /// Closed when no thread has SQLite's handle of it any more, see [`Work`].
    _journal_file: Arc<File>,
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
        let work = Work::open(directory)?;
        let journal_file = Arc::clone(&work.journal_file);
        let waiting = Arc::clone(&signal);
        let thread = std::thread::Builder::new()
            .name("follower".to_owned())
            .spawn(move || work.follow(&waiting))
            .expect("the system starts a thread at start-up");
        Ok(Self {
            signal,
            thread: Some(thread),
            _journal_file: journal_file,
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

/// Lets whoever answers somebody go first, but for a small share of the time.
///
/// On Linux, where a niceness is a thread's; elsewhere it would be that of the whole process.
fn yield_to_others() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "the follower keeps its priority");
    }
}

/// Takes the time that nobody else wants.
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
        }
    }
}

/// What the follower works on.
struct Work {
    journal: JournalReader,
    /// The journal's file once more, as SQLite has no way to flush it without a whole checkpoint.
    /// The first to close a file takes away what locks its process has on it, so it is closed last.
    journal_file: Arc<File>,
    fill: Mutex<Fill>,
}

impl Work {
    fn open(directory: &Path) -> Result<Self, StoreError> {
        let fill = Mutex::new(Fill::open(directory)?);
        let journal = JournalReader::open(directory, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let file = File::open(journal.path()).map_err(file_error(journal.path(), "opened"))?;
        Ok(Self {
            journal,
            journal_file: Arc::new(file),
            fill,
        })
    }

    fn follow(self, signal: &Signal) {
        let fill = &self.fill;
        let (ask, asked) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        std::thread::scope(|threads| {
            std::thread::Builder::new()
                .name("follower-idle".to_owned())
                .spawn_scoped(threads, move || {
                    take_what_is_left();
                    for () in asked {
                        if tell.send(locked(fill).round()).is_err() {
                            return;
                        }
                    }
                })
                .expect("the system starts a thread at start-up");
            // Now, as the other thread could not put this off again.
            yield_to_others();
            let work = &self;
            Rounds { work, ask, told }.follow(signal);
        });
    }

    fn fill(&self) -> MutexGuard<'_, Fill> {
        locked(&self.fill)
    }

    /// Copies what the journal's write-ahead log has to its file, and flushes that: the lane has
    /// the less to copy and to flush when the log is full, and nobody is answered meanwhile.
    ///
    /// SQLite itself flushes only where nobody has added to the log meanwhile.
    fn look_after_journal(&self) {
        let copied = self.journal.checkpoint();
        let flush = || self.journal_file.sync_data();
        let flushed =
            copied.and_then(|()| flush().map_err(file_error(self.journal.path(), "flushed")));
        if let Err(error) = flushed {
            complain(&error);
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
    /// Writes what the journal has beyond the watermark, round by round, until it is time to stop.
    fn follow(self, signal: &Signal) {
        // What the last run has left is not known: it counts as much.
        let mut backlog = usize::MAX;
        let mut enough = 0;
        let mut goes_on = true;
        loop {
            match self.write(backlog, !goes_on) {
                Ok((left, whole)) => (backlog, enough) = (left, whole),
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
                if 0 < fresh {
                    self.work.look_after_journal();
                }
                if !goes_on || enough <= backlog {
                    break;
                }
            }
            if goes_on && backlog == 0 {
                self.work.fill().rest();
                (backlog, goes_on) = signal.wait();
            }
        }
    }

    /// Writes a round, and more of them while there are enough records for a whole one, or all
    /// there are. `backlog` is how many bytes there may be; answers how many are left, and how many
    /// make a whole round.
    fn write(&self, mut backlog: usize, all: bool) -> Result<(usize, usize), StoreError> {
        loop {
            let Written { bytes, whole } = if all || BEHIND_MAX < backlog {
                self.work.fill().round()?
            } else {
                self.round_when_idle()?
            };
            if bytes < whole {
                return Ok((0, whole));
            }
            backlog = backlog.saturating_sub(bytes);
            if backlog < whole && !all {
                return Ok((backlog, whole));
            }
        }
    }

    /// Has the idle thread write a round, and looks after the journal meanwhile.
    fn round_when_idle(&self) -> Result<Written, StoreError> {
        if self.ask.send(()).is_ok() {
            loop {
                match self.told.recv_timeout(LOOK_PAUSE) {
                    Ok(written) => return written,
                    Err(RecvTimeoutError::Timeout) => self.work.look_after_journal(),
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
        }
        // The idle thread has panicked, and said so.
        self.work.fill().round()
    }
}

fn locked(fill: &Mutex<Fill>) -> MutexGuard<'_, Fill> {
    fill.lock().unwrap_or_else(PoisonError::into_inner)
}

fn complain(error: &StoreError) {
    let error: &dyn std::error::Error = error;
    tracing::error!(error, "the ledger's tables fall behind");
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use thread_priority::unix::{
        NormalThreadSchedulePolicy, ThreadSchedulePolicy, thread_schedule_policy,
    };

    #[test]
    fn rounds_are_written_when_nobody_else_wants_the_processor() {
        let policy = std::thread::spawn(|| {
            super::take_what_is_left();
            thread_schedule_policy().expect("the system says how a thread is scheduled")
        });
        assert_eq!(
            policy.join().expect("the thread ends"),
            ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle)
        );
    }
}
