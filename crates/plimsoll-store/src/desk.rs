//! Where a store of this process decides and writes: on the lane's thread for all who wait, or on
//! the thread of a caller who is alone.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use plimsoll_core::command::Command;
use plimsoll_core::outcome::{Breach, Outcome};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::StoreError;
use crate::engine::{ByTheRules, Engine, Shared, StepError};
use crate::lane::{BATCH_COMMANDS_MAX, Lane, Submission, SubmitError, answer_all};
use crate::sink::Sink;
use crate::store::Clock;

/// Commands after which a group is closed, so that one write stays small.
const GROUP_COMMANDS_MAX: usize = 2 * BATCH_COMMANDS_MAX;

/// The pause between two tries to load the store anew.
const RELOAD_PAUSE: Duration = Duration::from_millis(500);

/// How many submissions in a row must have been alone before the next one is decided on its caller's
/// thread, and in how many milliseconds each of them must have been written.
const ALONE_MIN: u32 = 8;
const BRIEF_MS: u64 = 2;

/// The front of a desk, for those who want something decided.
#[derive(Debug)]
pub(crate) struct Front {
    lane: Lane,
    desk: Arc<Mutex<Desk>>,
}

/// What decides and writes.
#[derive(Debug)]
struct Desk {
    engine: Engine<Sink>,
    clock: Clock,
    /// How many submissions were alone since the last that was not, or that took long.
    alone: u32,
}

/// Serves nobody any more where a step panics, on whatever thread: what it has changed by then is
/// not known.
struct HaltsOnPanic<'a>(&'a Shared);

impl Drop for HaltsOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.halt();
        }
    }
}

/// The lane's thread.
struct Worker {
    /// What a closed group has left over; it comes before the arrivals.
    waiting: VecDeque<Submission>,
    arrivals: mpsc::UnboundedReceiver<Submission>,
}

impl Front {
    /// Starts the thread. It ends when the front is gone.
    pub(crate) fn start(shared: Arc<Shared>, sink: Sink, clock: Clock) -> (Self, JoinHandle<()>) {
        let (lane, arrivals) = Lane::queue();
        let worker = Worker {
            waiting: VecDeque::new(),
            arrivals,
        };
        let desk = Arc::new(Mutex::new(Desk {
            engine: Engine::new(shared, sink, ByTheRules),
            clock,
            alone: 0,
        }));
        let front = Self {
            lane,
            desk: Arc::clone(&desk),
        };
        let thread = std::thread::Builder::new()
            .name("lane".to_owned())
            .spawn(move || worker.run(&desk))
            .expect("the system starts a thread at start-up");
        (front, thread)
    }

    /// Decides commands in their order and answers when what they changed is durable.
    pub(crate) async fn submit(&self, commands: Vec<Command>) -> Result<Vec<Outcome>, SubmitError> {
        match self.decide_alone(&commands) {
            Some(decided) => decided,
            None => self.lane.submit(commands).await,
        }
    }

    /// Decides on this thread, where its command is the only one, as those before it were: to wake
    /// the lane and to be woken takes half as long as a flush. `None` where that is the lane's.
    fn decide_alone(&self, commands: &[Command]) -> Option<Result<Vec<Outcome>, SubmitError>> {
        if commands.len() != 1 || !self.lane.is_empty() || !may_block() {
            return None;
        }
        let step = || {
            let mut desk = self.desk.try_lock().ok()?;
            let is_alone = ALONE_MIN <= desk.alone && desk.engine.is_serving();
            is_alone.then(|| desk.step(&[commands]))
        };
        // A step that panics is not the caller's end, as it is not where the lane decides.
        let Ok(decided) = catch_unwind(AssertUnwindSafe(step)) else {
            return Some(Err(SubmitError::Unknown));
        };
        Some(match decided? {
            Ok(outcomes) => Ok(outcomes.into_iter().flatten().collect()),
            Err(StepError::Breach(breach)) => Err(dropped(breach)),
            Err(StepError::Write { error, .. }) => {
                not_written(&error);
                self.lane.wake();
                Err(SubmitError::Unknown)
            }
        })
    }
}

/// Whether others go on while this thread waits for a flush: another thread of its runtime takes
/// what comes for them.
fn may_block() -> bool {
    match Handle::try_current() {
        Ok(runtime) => 2 <= runtime.metrics().num_workers(),
        Err(_) => true,
    }
}

impl Desk {
    /// Decides a group and makes durable what it changes, as [`Engine::step`] does.
    fn step<S: AsRef<[Command]>>(&mut self, group: &[S]) -> Result<Vec<Vec<Outcome>>, StepError> {
        let shared = Arc::clone(self.engine.shared());
        let _halts = HaltsOnPanic(&shared);
        let now = self.clock.now();
        let decided = self.engine.step(group, now);
        let is_brief = self.clock.now() < now.after_ms(BRIEF_MS);
        self.alone = match group.len() {
            1 if is_brief => self.alone.saturating_add(1),
            _ => 0,
        };
        decided
    }
}

impl Worker {
    fn run(mut self, desk: &Mutex<Desk>) {
        while let Some(first) = self.next() {
            let group = self.gather(first);
            let Ok(mut desk) = desk.lock() else {
                // Somebody has panicked there, and nobody is served any more.
                answer_all(group, &SubmitError::Unavailable);
                return;
            };
            if desk.engine.shared().is_stopped() {
                answer_all(group, &SubmitError::Unavailable);
                continue;
            }
            if !desk.engine.is_serving() {
                // A caller who was alone could not write.
                self.recover(&mut desk, group, 0);
                continue;
            }
            match desk.step(&group) {
                Ok(outcomes) => {
                    drop(desk);
                    self.answer(group, outcomes);
                }
                Err(StepError::Breach(breach)) => answer_all(group, &dropped(breach)),
                Err(StepError::Write { decided, error }) => {
                    not_written(&error);
                    self.recover(&mut desk, group, decided);
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
            submission.answer(Ok(outcomes));
        }
    }

    /// After a failed write nobody knows what is durable: says so, and serves again only from what
    /// the files then hold.
    fn recover(&mut self, desk: &mut Desk, mut group: Vec<Submission>, decided: usize) {
        let undecided = group.split_off(decided);
        answer_all(group, &SubmitError::Unknown);
        answer_all(undecided, &SubmitError::Unavailable);
        loop {
            match desk.engine.reload() {
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

fn dropped(breach: Breach) -> SubmitError {
    tracing::error!(%breach, "a batch was dropped");
    SubmitError::Breach(breach)
}

fn not_written(error: &StoreError) {
    let error: &dyn std::error::Error = error;
    tracing::error!(error, "the journal could not be written");
}
