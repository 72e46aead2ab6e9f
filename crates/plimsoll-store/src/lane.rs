//! Group commit: one thread decides and writes; whoever arrives meanwhile shares the next write.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::command::Command;
use plimsoll_core::outcome::{Breach, Outcome};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::engine::{ByTheRules, Engine, Shared, StepError};
use crate::sink::Sink;
use crate::store::Clock;

/// Commands in one submission.
pub const BATCH_COMMANDS_MAX: usize = 8_192;

/// Commands that wait to be decided. What comes beyond is refused at once.
pub const QUEUED_COMMANDS_MAX: usize = 8 * BATCH_COMMANDS_MAX;

/// Commands after which a group is closed, so that one write stays small.
const GROUP_COMMANDS_MAX: usize = 2 * BATCH_COMMANDS_MAX;

/// The pause between two tries to load the store anew.
const RELOAD_PAUSE: Duration = Duration::from_millis(500);

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

/// The front of the queue.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    queue: mpsc::UnboundedSender<Submission>,
    room: Arc<Semaphore>,
}

/// Commands that wait to be decided, and who wants to know.
#[derive(Debug)]
pub(crate) struct Submission {
    /// Kept by who asks, too, until it is answered: to let go of thousands takes time that the lane
    /// does not have.
    pub(crate) commands: Arc<Vec<Command>>,
    pub(crate) reply: oneshot::Sender<Result<Vec<Outcome>, SubmitError>>,
    /// Held until the submission is answered: the queue's bound.
    _room: OwnedSemaphorePermit,
}

impl Lane {
    /// The front of a queue, and its end.
    pub(crate) fn queue() -> (Self, mpsc::UnboundedReceiver<Submission>) {
        let (queue, arrivals) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(QUEUED_COMMANDS_MAX));
        (Self { queue, room }, arrivals)
    }

    /// Starts the thread. It ends when every front of the queue is gone.
    pub(crate) fn start(
        shared: Arc<Shared>,
        sink: Sink,
        clock: Clock,
    ) -> (Self, std::thread::JoinHandle<()>) {
        let (lane, arrivals) = Self::queue();
        let worker = Worker {
            engine: Engine::new(shared, sink, ByTheRules),
            clock,
            waiting: VecDeque::new(),
            arrivals,
        };
        let thread = std::thread::Builder::new()
            .name("lane".to_owned())
            .spawn(move || worker.run())
            .expect("the system starts a thread at start-up");
        (lane, thread)
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
        let commands = Arc::new(commands);
        let (reply, answer) = oneshot::channel();
        self.queue
            .send(Submission {
                commands: Arc::clone(&commands),
                reply,
                _room: room,
            })
            .map_err(|_| SubmitError::Unavailable)?;
        answer.await.unwrap_or(Err(SubmitError::Unknown))
    }
}

struct Worker {
    engine: Engine<Sink>,
    clock: Clock,
    /// What a closed group has left over; it comes before the arrivals.
    waiting: VecDeque<Submission>,
    arrivals: mpsc::UnboundedReceiver<Submission>,
}

impl AsRef<[Command]> for Submission {
    fn as_ref(&self) -> &[Command] {
        &self.commands
    }
}

impl Worker {
    fn run(mut self) {
        while let Some(first) = self.next() {
            let group = self.gather(first);
            if self.engine.shared().is_stopped() {
                answer_all(group, &SubmitError::Unavailable);
                continue;
            }
            let now = self.clock.now();
            match self.engine.step(&group, now) {
                Ok(outcomes) => self.answer(group, outcomes),
                Err(StepError::Breach(breach)) => {
                    tracing::error!(%breach, "a batch was dropped");
                    answer_all(group, &SubmitError::Breach(breach));
                }
                Err(StepError::Write { decided, error }) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "the journal could not be written");
                    self.recover(group, decided);
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

    /// Answers what was decided; what was not waits for the next group.
    fn answer(&mut self, mut group: Vec<Submission>, outcomes: Vec<Vec<Outcome>>) {
        self.waiting = group.split_off(outcomes.len()).into();
        for (submission, outcomes) in group.into_iter().zip(outcomes) {
            drop(submission.commands);
            // A caller who has gone away does not want the answer.
            let _ = submission.reply.send(Ok(outcomes));
        }
    }

    /// After a failed write nobody knows what is durable: says so, and serves again only from what
    /// the files then hold.
    fn recover(&mut self, mut group: Vec<Submission>, decided: usize) {
        let undecided = group.split_off(decided);
        answer_all(group, &SubmitError::Unknown);
        answer_all(undecided, &SubmitError::Unavailable);
        loop {
            match self.engine.reload() {
                Ok(()) => {
                    tracing::warn!("the store was loaded anew and serves again");
                    return;
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "the store cannot be loaded yet");
                }
            }
            if !self.refuse_for(RELOAD_PAUSE) {
                return;
            }
        }
    }

    /// Refuses what arrives within `pause`; `false` when nobody can ask any more.
    fn refuse_for(&mut self, pause: Duration) -> bool {
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

pub(crate) fn answer_all(group: impl IntoIterator<Item = Submission>, error: &SubmitError) {
    for submission in group {
        // A caller who has gone away does not want the answer.
        let _ = submission.reply.send(Err(error.clone()));
    }
}
