//! Group commit: one thread decides and writes; whoever arrives meanwhile shares the next write.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use plimsoll_core::command::Command;
use plimsoll_core::decide::decide;
use plimsoll_core::event::Event;
use plimsoll_core::outcome::{Breach, Decision, Outcome};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::overlay::Overlay;
use crate::record::{Hash, RecordWriter};
use crate::sqlite::{Journal, Reopen};
use crate::store::Clock;
use crate::tables::Tables;

/// Commands in one submission.
pub const BATCH_COMMANDS_MAX: usize = 8_192;

/// Commands that wait to be decided. What comes beyond is refused at once.
pub const QUEUED_COMMANDS_MAX: usize = 8 * BATCH_COMMANDS_MAX;

/// Commands after which a group is closed, so that one write stays small.
const GROUP_COMMANDS_MAX: usize = 2 * BATCH_COMMANDS_MAX;

/// Bytes of a record after which a group is closed: what has not been decided by then forms the
/// next one. A record goes beyond by what one submission changes.
const RECORD_BYTES_MAX: usize = 64 << 20;

/// Why commands were not decided, or not known to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// More than `BATCH_COMMANDS_MAX` commands at once. Nothing was done.
    #[error("a submission has more than {BATCH_COMMANDS_MAX} commands")]
    TooMany,
    /// The queue is full. Nothing was done.
    #[error("too many commands wait already")]
    Overloaded,
    /// The store does not serve: a write has failed and it has not come back yet, or its journal
    /// is damaged. Nothing was done.
    #[error("the store is not available")]
    Unavailable,
    /// The write failed half-way: it may or may not be durable. Ask again with the same ids.
    #[error("the outcome is unknown")]
    Unknown,
    /// The rows contradict each other. Nothing was done.
    #[error("the store is inconsistent")]
    Breach(#[source] Breach),
}

/// Where the lane and its readers meet.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) tables: RwLock<Tables>,
    /// Set while the tables cannot be trusted: a write has failed, or the lane is gone.
    halted: AtomicBool,
    /// Set once the journal is known to be damaged.
    stopped: AtomicBool,
}

impl Shared {
    /// Serves from these rows.
    pub(crate) fn new(tables: Tables) -> Self {
        Self {
            tables: tables.into(),
            ..Self::default()
        }
    }

    /// Whether anybody is served.
    pub(crate) fn is_serving(&self) -> bool {
        !self.halted.load(Ordering::Acquire) && !self.is_stopped()
    }

    /// Serves nobody until somebody has seen to the files and starts the process again.
    pub(crate) fn stop_for_good(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}

/// The front of the queue.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    queue: mpsc::UnboundedSender<Submission>,
    room: Arc<Semaphore>,
}

struct Submission {
    commands: Vec<Command>,
    reply: oneshot::Sender<Result<Vec<Outcome>, SubmitError>>,
    /// Held until the submission is answered: the queue's bound.
    _room: OwnedSemaphorePermit,
}

/// What makes a record durable.
#[derive(Debug)]
pub(crate) enum Sink {
    /// Nothing does.
    Memory,
    /// The journal file.
    Journal(Box<Journal>),
}

impl Lane {
    /// Starts the thread. It ends when every front of the queue is gone.
    pub(crate) fn start(
        shared: Arc<Shared>,
        sink: Sink,
        clock: Clock,
    ) -> (Self, std::thread::JoinHandle<()>) {
        let (queue, arrivals) = mpsc::unbounded_channel();
        let worker = Worker {
            shared,
            sink,
            clock,
            waiting: VecDeque::new(),
            arrivals,
        };
        let thread = std::thread::Builder::new()
            .name("lane".to_owned())
            .spawn(move || worker.run())
            .expect("the system starts a thread at start-up");
        (
            Self {
                queue,
                room: Arc::new(Semaphore::new(QUEUED_COMMANDS_MAX)),
            },
            thread,
        )
    }

    /// Decides commands in their order and answers when what they changed is durable.
    pub(crate) async fn submit(&self, commands: Vec<Command>) -> Result<Vec<Outcome>, SubmitError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let count = u32::try_from(commands.len())
            .ok()
            .filter(|_| commands.len() <= BATCH_COMMANDS_MAX)
            .ok_or(SubmitError::TooMany)?;
        let room = Arc::clone(&self.room)
            .try_acquire_many_owned(count)
            .map_err(|_| SubmitError::Overloaded)?;
        let (reply, answer) = oneshot::channel();
        self.queue
            .send(Submission {
                commands,
                reply,
                _room: room,
            })
            .map_err(|_| SubmitError::Unavailable)?;
        answer.await.unwrap_or(Err(SubmitError::Unknown))
    }
}

struct Worker {
    shared: Arc<Shared>,
    sink: Sink,
    clock: Clock,
    /// What a closed group has left over; it comes before the arrivals.
    waiting: VecDeque<Submission>,
    arrivals: mpsc::UnboundedReceiver<Submission>,
}

/// Whatever ends the lane, a panic too: nobody is served any more.
impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.halted.store(true, Ordering::Release);
    }
}

/// A batch that has been decided: the record to write and what to answer when it is durable.
struct Decided {
    record: RecordWriter,
    events: Vec<(Event, Hash)>,
    /// For each submission of the group that was decided, in order.
    outcomes: Vec<Vec<Outcome>>,
}

impl Worker {
    fn run(mut self) {
        while let Some(first) = self.next() {
            let mut group = self.gather(first);
            if self.shared.is_stopped() {
                answer_all(group, &SubmitError::Unavailable);
                continue;
            }
            match self.decide(&group) {
                Err(breach) => {
                    tracing::error!(%breach, "a batch was dropped");
                    answer_all(group, &SubmitError::Breach(breach));
                }
                Ok(decided) => {
                    self.waiting = group.split_off(decided.outcomes.len()).into();
                    self.commit(group, decided);
                }
            }
        }
    }

    /// Waits for a submission; `None` when nobody can ask any more.
    fn next(&mut self) -> Option<Submission> {
        let left_over = self.waiting.pop_front();
        left_over.or_else(|| self.arrivals.blocking_recv())
    }

    /// Takes what has arrived, up to the bound of a group.
    fn gather(&mut self, first: Submission) -> Vec<Submission> {
        let mut count = first.commands.len();
        let mut group = vec![first];
        while count < GROUP_COMMANDS_MAX
            && let Some(next) = self
                .waiting
                .pop_front()
                .or_else(|| self.arrivals.try_recv().ok())
        {
            count += next.commands.len();
            group.push(next);
        }
        group
    }

    /// Decides the commands of a group, each on top of the ones before it, until the record is
    /// full.
    fn decide(&self, group: &[Submission]) -> Result<Decided, Breach> {
        let tables = self
            .shared
            .tables
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let mut overlay = Overlay::new(&tables);
        let mut decided = Decided {
            record: self.sink.next_record(),
            events: Vec::new(),
            outcomes: Vec::with_capacity(group.len()),
        };
        for submission in group {
            let mut outcomes = Vec::with_capacity(submission.commands.len());
            for command in &submission.commands {
                let Decision { outcome, events } = decide(&overlay, command, now)?;
                for event in events {
                    let chain = decided.record.push(&event, &overlay.log(&event.log).chain);
                    overlay.apply(&event, chain)?;
                    decided.events.push((event, chain));
                }
                outcomes.push(outcome);
            }
            decided.outcomes.push(outcomes);
            if RECORD_BYTES_MAX <= decided.record.len() {
                break;
            }
        }
        Ok(decided)
    }

    /// Makes a group durable, shows it to readers, answers.
    fn commit(&mut self, group: Vec<Submission>, decided: Decided) {
        if !decided.record.is_empty() {
            if let Err(error) = self.sink.write(decided.record) {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "the journal could not be written");
                return self.recover(group);
            }
            let mut tables = self
                .shared
                .tables
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            for (event, chain) in decided.events {
                tables
                    .apply(event, chain)
                    .expect("the overlay has applied the same event");
            }
        }
        for (submission, outcomes) in group.into_iter().zip(decided.outcomes) {
            // A caller who has gone away does not want the answer.
            let _ = submission.reply.send(Ok(outcomes));
        }
    }

    /// After a failed write nobody knows what is durable: says so, and serves again only from what
    /// the files then hold.
    fn recover(&mut self, group: Vec<Submission>) {
        self.shared.halted.store(true, Ordering::Release);
        answer_all(group, &SubmitError::Unknown);
        answer_all(self.waiting.drain(..), &SubmitError::Unavailable);
        let Some(reopen) = self.sink.take_reopen() else {
            return;
        };
        loop {
            match reopen.load() {
                Ok((journal, tables)) => {
                    *self
                        .shared
                        .tables
                        .write()
                        .unwrap_or_else(PoisonError::into_inner) = tables;
                    self.sink = Sink::Journal(Box::new(journal));
                    self.shared.halted.store(false, Ordering::Release);
                    tracing::warn!("the store was loaded anew and serves again");
                    return;
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "the store cannot be loaded yet");
                }
            }
            if !self.refuse_for(Reopen::PAUSE) {
                return;
            }
        }
    }

    /// Refuses what arrives within `pause`; `false` when nobody can ask any more.
    fn refuse_for(&mut self, pause: std::time::Duration) -> bool {
        std::thread::park_timeout(pause);
        loop {
            match self.arrivals.try_recv() {
                Ok(submission) => answer_all([submission], &SubmitError::Unavailable),
                Err(mpsc::error::TryRecvError::Empty) => return true,
                Err(mpsc::error::TryRecvError::Disconnected) => return false,
            }
        }
    }
}

fn answer_all(group: impl IntoIterator<Item = Submission>, error: &SubmitError) {
    for submission in group {
        // A caller who has gone away does not want the answer.
        let _ = submission.reply.send(Err(error.clone()));
    }
}

impl Sink {
    fn next_record(&self) -> RecordWriter {
        match self {
            Sink::Memory => RecordWriter::new(1, &Hash::default()),
            Sink::Journal(journal) => journal.next_record(),
        }
    }

    fn write(&mut self, record: RecordWriter) -> Result<(), crate::StoreError> {
        match self {
            Sink::Memory => Ok(()),
            Sink::Journal(journal) => journal.write(record),
        }
    }

    /// Gives up the journal; what is left can open it anew.
    fn take_reopen(&mut self) -> Option<Reopen> {
        match std::mem::replace(self, Sink::Memory) {
            Sink::Memory => None,
            Sink::Journal(journal) => Some(journal.close()),
        }
    }
}
