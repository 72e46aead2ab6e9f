//! Reads the whole journal once behind a start, which itself reads only the tail: a bit that has
//! changed in an old record is found before it is needed.
//!
//! It checks what was written, not what it means: checksums, hashes and the chain. To replay all
//! of it is [`verify()`](super::verify())'s work.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::OpenFlags;

use super::journal::JournalReader;
use super::signal::Signal;
use crate::StoreError;
use crate::engine::Shared;
use crate::replay::Place;

/// The pause between two looks, which leaves the disk and the processor to those who wait.
const LOOK_PAUSE: Duration = Duration::from_millis(10);

/// The pause after a look that SQLite refused.
const ERROR_PAUSE: Duration = Duration::from_secs(10);

/// What it takes to read the journal once.
pub(crate) struct Scrubber {
    journal: JournalReader,
    /// The journal's end when the store was loaded: what comes behind it is new.
    end: Place,
}

/// The thread that reads. Dropping it ends it, wherever it is.
#[derive(Debug)]
pub(crate) struct Scrub {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
}

impl Scrubber {
    /// Prepares to read up to `end`.
    pub(super) fn open(directory: &Path, end: Place) -> Result<Self, StoreError> {
        let journal = JournalReader::open(directory, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        journal.accept()?;
        Ok(Self { journal, end })
    }

    /// Starts the thread: where it finds damage, nobody is served any more.
    pub(crate) fn start(self, shared: Arc<Shared>) -> Scrub {
        let signal = Arc::new(Signal::default());
        let stopping = Arc::clone(&signal);
        let thread = std::thread::Builder::new()
            .name("scrub".to_owned())
            .spawn(move || {
                if let Err(error) = self.run(&stopping) {
                    shared.stop_for_good();
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "the store serves no more: its journal is damaged");
                }
            })
            .expect("the system starts a thread at start-up");
        Scrub {
            signal,
            thread: Some(thread),
        }
    }

    /// Reads until the end, or until it is time to stop.
    ///
    /// Errors: the first record that is wrong, and how.
    fn run(&self, signal: &Signal) -> Result<(), StoreError> {
        let mut place = Place::default();
        while place.sequence < self.end.sequence {
            let pause = match self.journal.check_after(place, self.end) {
                Ok(next) => {
                    place = next;
                    LOOK_PAUSE
                }
                Err(error @ StoreError::Sqlite { .. }) => {
                    let error: &dyn std::error::Error = &error;
                    let behind = place.sequence;
                    tracing::error!(error, behind, "the journal cannot be read through yet");
                    ERROR_PAUSE
                }
                Err(error) => return Err(error),
            };
            if !signal.pause(pause) {
                return Ok(());
            }
        }
        let records = self.end.sequence;
        tracing::info!(records, "the journal was read through and holds together");
        Ok(())
    }
}

impl Drop for Scrub {
    fn drop(&mut self) {
        self.signal.stop();
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
