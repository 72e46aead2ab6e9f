//! The queue of those who want something decided: whoever arrives while one write is under way
//! shares the next one.

use std::sync::Arc;

use plimsoll_core::command::Command;
use plimsoll_core::outcome::{Breach, Outcome};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Commands in one submission.
pub const BATCH_COMMANDS_MAX: usize = 8_192;

/// Commands that wait to be decided. What comes beyond is refused at once.
pub const QUEUED_COMMANDS_MAX: usize = 8 * BATCH_COMMANDS_MAX;

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
    reply: oneshot::Sender<Result<Vec<Outcome>, SubmitError>>,
    /// Held until the submission is answered: the queue's bound.
    room: OwnedSemaphorePermit,
}

impl Lane {
    /// The front of a queue, and its end.
    pub(crate) fn queue() -> (Self, mpsc::UnboundedReceiver<Submission>) {
        let (queue, arrivals) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(QUEUED_COMMANDS_MAX));
        (Self { queue, room }, arrivals)
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
        // A copy stays here until the answer is there.
        let commands = Arc::new(commands);
        let answer = self.send(Arc::clone(&commands), room)?;
        answer.await.unwrap_or(Err(SubmitError::Unknown))
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.room.available_permits() == QUEUED_COMMANDS_MAX
    }

    /// Wakes who decides.
    pub(crate) fn wake(&self) {
        if let Ok(no_room) = Arc::clone(&self.room).try_acquire_many_owned(0) {
            // There is nobody to wake where the store is closed, and nobody waits for the answer.
            let _ = self.send(Arc::default(), no_room);
        }
    }

    fn send(
        &self,
        commands: Arc<Vec<Command>>,
        room: OwnedSemaphorePermit,
    ) -> Result<oneshot::Receiver<Result<Vec<Outcome>, SubmitError>>, SubmitError> {
        let (reply, answer) = oneshot::channel();
        let submission = Submission {
            commands,
            reply,
            room,
        };
        let sent = self.queue.send(submission);
        sent.map_err(|_| SubmitError::Unavailable)?;
        Ok(answer)
    }
}

impl Submission {
    /// Answers who asked, who finds the place in the queue free again.
    pub(crate) fn answer(self, outcomes: Result<Vec<Outcome>, SubmitError>) {
        drop((self.commands, self.room));
        // A caller who has gone away does not want the answer.
        let _ = self.reply.send(outcomes);
    }
}

impl AsRef<[Command]> for Submission {
    fn as_ref(&self) -> &[Command] {
        &self.commands
    }
}

pub(crate) fn answer_all(group: impl IntoIterator<Item = Submission>, error: &SubmitError) {
    for submission in group {
        submission.answer(Err(error.clone()));
    }
}
