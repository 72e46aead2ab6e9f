//! The stores that keep all rows in this process: in memory alone, or with SQLite behind.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use plimsoll_core::command::Command;
use plimsoll_core::outcome::Outcome;
use tokio::sync::watch;

use crate::desk::Front;
use crate::engine::Shared;
use crate::lane::SubmitError;
use crate::news::News;
use crate::sink::Sink;
use crate::sqlite::{self, Follower, PastReaders, Scrub};
use crate::store::{Clock, StoreError};
use crate::tables::Tables;

/// Rows in this process, and the desk where they are changed.
#[derive(Debug)]
pub(crate) struct Local {
    /// Gone before the threads are waited for.
    front: Option<Front>,
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
    /// Reads the journal through once.
    _scrub: Option<Scrub>,
    /// Reads what was; `None` where the lane keeps it.
    past: Option<PastReaders>,
    /// There is no other node.
    pub(crate) turn: watch::Sender<bool>,
    /// Fills the ledger's tables; declared last, so that it ends last.
    _follower: Option<Follower>,
}

impl Local {
    pub(crate) fn memory(clock: Clock) -> Self {
        let shared = Shared::new(Tables::default(), News::of_memory());
        Self::start(shared, Sink::Memory, clock)
    }

    pub(crate) fn sqlite(directory: &Path, clock: Clock) -> Result<Self, StoreError> {
        let sqlite::Opened {
            journal,
            tables,
            follower,
            scrubber,
            past,
        } = sqlite::open(directory)?;
        let shared = Shared::new(tables, News::of_journal(journal.sequence()));
        let mut store = Self::start(shared, Sink::File(Box::new(journal)), clock);
        store.past = Some(past);
        store._scrub = Some(scrubber.start(Arc::clone(&store.shared)));
        store._follower = Some(follower);
        Ok(store)
    }

    fn start(shared: Shared, sink: Sink, clock: Clock) -> Self {
        let shared = Arc::new(shared);
        let (front, thread) = Front::start(Arc::clone(&shared), sink, clock);
        Self {
            front: Some(front),
            shared,
            thread: Some(thread),
            _scrub: None,
            past: None,
            turn: watch::Sender::new(true),
            _follower: None,
        }
    }

    pub(crate) async fn submit(&self, commands: Vec<Command>) -> Result<Vec<Outcome>, SubmitError> {
        match &self.front {
            Some(front) => front.submit(commands).await,
            None => Err(SubmitError::Unavailable),
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.shared.is_serving()
    }

    /// Tells what has become durable.
    pub(crate) fn news(&self) -> &News {
        &self.shared.news
    }

    /// Who reads what was; `None` where the lane keeps it.
    pub(crate) fn past(&self) -> Option<&PastReaders> {
        self.past.as_ref()
    }

    pub(crate) fn with_tables<T>(
        &self,
        report: impl FnOnce(&Tables) -> T,
    ) -> Result<T, StoreError> {
        if !self.is_ready() {
            return Err(StoreError::Unavailable);
        }
        Ok(report(
            &self
                .shared
                .tables
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.front = None;
        if let Some(thread) = self.thread.take() {
            // It may be waiting to load the store anew.
            thread.thread().unpark();
            // A lane that panicked has said so already.
            let _ = thread.join();
        }
    }
}
