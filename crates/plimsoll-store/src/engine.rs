//! One step of a store: a group of submissions is decided, written as one record, and applied.
//!
//! An [`Engine`] has no thread, no queue and no clock: the lane drives it in a server, a simulation
//! drives it through every fault. What makes records durable is its [`Journal`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::Command;
use plimsoll_core::decide::decide;
use plimsoll_core::outcome::{Breach, Decision, Outcome};
use plimsoll_core::rows::Rows;

use crate::StoreError;
use crate::news::News;
use crate::overlay::Overlay;
use crate::record::RecordWriter;
use crate::tables::{Batch, Changes, Tables};

/// Bytes of a record after which a group is closed: what has not been decided by then forms the
/// next one. A record goes beyond by what one submission changes.
const RECORD_BYTES_MAX: usize = 64 << 20;

/// What makes records durable, and gives them back.
pub trait Journal {
    /// Starts the record that comes next.
    fn next_record(&self) -> RecordWriter;

    /// Adds a record: when this returns, it is durable.
    ///
    /// Errors: whatever happened, nobody knows whether the record is durable.
    fn write(&mut self, record: RecordWriter) -> Result<(), StoreError>;

    /// Reads back all rows, and makes durable what was read.
    fn reload(&mut self) -> Result<Tables, StoreError>;
}

/// How a command is decided.
pub trait Decide {
    /// Decides one command against the rows.
    ///
    /// Errors: [`Breach`] where the rows contradict each other.
    fn decide<R: Rows>(
        &self,
        rows: &R,
        command: &Command,
        now: Timestamp,
    ) -> Result<Decision, Breach>;
}

/// Decides as the core does: the only way in a server.
#[derive(Clone, Copy, Debug)]
pub struct ByTheRules;

impl Decide for ByTheRules {
    fn decide<R: Rows>(
        &self,
        rows: &R,
        command: &Command,
        now: Timestamp,
    ) -> Result<Decision, Breach> {
        decide(rows, command, now)
    }
}

/// Where an engine and its readers meet.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) tables: RwLock<Tables>,
    pub(crate) news: News,
    /// Set while the tables cannot be trusted: a write has failed, or the engine is gone.
    halted: AtomicBool,
    /// Set once the journal is known to be damaged.
    stopped: AtomicBool,
}

impl Shared {
    /// Serves from these rows.
    pub(crate) fn new(tables: Tables, news: News) -> Self {
        Self {
            tables: tables.into(),
            news,
            ..Self::default()
        }
    }

    /// Whether anybody is served.
    pub(crate) fn is_serving(&self) -> bool {
        !self.halted.load(Ordering::Acquire) && !self.is_stopped()
    }

    /// Serves nobody until the rows have been loaded anew.
    pub(crate) fn halt(&self) {
        self.halted.store(true, Ordering::Release);
    }

    /// Serves nobody until somebody has seen to the files and starts the process again.
    pub(crate) fn stop_for_good(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    fn resume(&self, tables: Tables, sequence: u64) {
        *self.tables.write().unwrap_or_else(PoisonError::into_inner) = tables;
        self.news.go_on_at(sequence);
        self.halted.store(false, Ordering::Release);
    }
}

/// Why a step came to nothing.
#[derive(Debug)]
pub enum StepError {
    /// The rows contradict each other. Nothing was written.
    Breach(Breach),
    /// The record may or may not be durable: nothing is served until it was [reloaded].
    ///
    /// [reloaded]: Engine::reload
    Write {
        /// How many submissions the record is about, from the first on. The others were not
        /// decided.
        decided: usize,
        /// What is wrong with the journal.
        error: StoreError,
    },
}

/// Rows, and what makes their changes durable.
#[derive(Debug)]
pub struct Engine<J, D = ByTheRules> {
    shared: Arc<Shared>,
    journal: J,
    decider: D,
}

/// Whatever ends the engine: nobody is served any more.
impl<J, D> Drop for Engine<J, D> {
    fn drop(&mut self) {
        self.shared.halt();
    }
}

/// A group that has been decided: the record to write and what to answer when it is durable.
struct Decided {
    record: RecordWriter,
    batch: Batch,
    /// For each submission of the group that was decided, in order.
    outcomes: Vec<Vec<Outcome>>,
}

impl<J: Journal, D: Decide> Engine<J, D> {
    /// An engine over what the journal holds.
    pub fn open(mut journal: J, decider: D) -> Result<Self, StoreError> {
        let tables = journal.reload()?;
        let shared = Shared::new(tables, News::of_journal(journal.next_record().place()));
        Ok(Self::new(Arc::new(shared), journal, decider))
    }

    /// An engine over rows that were loaded from the journal.
    pub(crate) fn new(shared: Arc<Shared>, journal: J, decider: D) -> Self {
        Self {
            shared,
            journal,
            decider,
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether the rows may be read and changed.
    pub fn is_serving(&self) -> bool {
        self.shared.is_serving()
    }

    /// Calls `report` with the rows: what is durable, and nothing else.
    pub fn read<T>(&self, report: impl FnOnce(&Tables) -> T) -> T {
        report(
            &self
                .shared
                .tables
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Decides submissions, each on top of the ones before it, and makes what they change durable
    /// at once. Answers their outcomes; where the record is full, those of the first ones only.
    pub fn step<S: AsRef<[Command]>>(
        &mut self,
        group: &[S],
        now: Timestamp,
    ) -> Result<Vec<Vec<Outcome>>, StepError> {
        let decided = self.decide(group, now).map_err(StepError::Breach)?;
        if decided.record.is_empty() {
            return Ok(decided.outcomes);
        }
        if let Err(error) = self.journal.write(decided.record) {
            self.shared.halt();
            return Err(StepError::Write {
                decided: decided.outcomes.len(),
                error,
            });
        }
        let news = self.shared.news.of(&decided.batch.events);
        let changes = Changes::of(decided.batch);
        let tables = self.shared.tables.write();
        let tables = tables.unwrap_or_else(PoisonError::into_inner);
        self.shared.news.add(news);
        Tables::take(tables, changes);
        // Not before: whoever is woken wants the tables, and would take the processor from this.
        self.shared.news.wake();
        Ok(decided.outcomes)
    }

    fn decide<S: AsRef<[Command]>>(&self, group: &[S], now: Timestamp) -> Result<Decided, Breach> {
        let tables = self
            .shared
            .tables
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let commands = group.iter().map(|commands| commands.as_ref().len()).sum();
        let mut overlay = Overlay::with_room_for(commands, &tables);
        let mut decided = Decided {
            record: self.journal.next_record(),
            batch: Batch::default(),
            outcomes: Vec::with_capacity(group.len()),
        };
        decided.record.make_room(commands);
        for commands in group.iter().map(AsRef::as_ref) {
            let mut outcomes = Vec::with_capacity(commands.len());
            for command in commands {
                let Decision { outcome, events } = self.decider.decide(&overlay, command, now)?;
                for event in events {
                    overlay.apply(event, |event, chain| decided.record.push(event, chain))?;
                }
                outcomes.push(outcome);
            }
            decided.outcomes.push(outcomes);
            if RECORD_BYTES_MAX <= decided.record.len() {
                break;
            }
        }
        decided.batch = overlay.into_batch();
        Ok(decided)
    }

    /// After a failed write nobody knows what is durable: serves again from what the journal then
    /// holds, and from nothing else.
    ///
    /// Errors: the journal cannot be read yet; nothing is served, and it may be tried again.
    pub fn reload(&mut self) -> Result<(), StoreError> {
        let tables = self.journal.reload()?;
        self.shared
            .resume(tables, self.journal.next_record().place());
        Ok(())
    }
}
