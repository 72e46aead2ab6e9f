//! Group commit on a database: one transaction answers everything that arrived during the last one.
//!
//! ```text
//! lock the tenants' root rows in order, load what the footprints name     (one or two round trips)
//! read the time, decide                                                   (pure)
//! write, look at the catalogue's revision                                 (one round trip)
//! commit
//! ```

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::command::Command;
use plimsoll_core::outcome::{Breach, Outcome};
use tokio::sync::mpsc;
use tokio_postgres::types::Type;

use super::Node;
use super::batch::{Decided, Written, decide_all, lock_for};
use super::load::{Lock, load, load_ended, load_holds};
use super::names::Wanted;
use super::session::{CommitFault, Fault, LIFT_TIMEOUT, Session, Transaction};
use super::write::{log_name, write};
use crate::lane::{Submission, SubmitError, answer_all};

/// Commands after which a group is closed.
const GROUP_COMMANDS_MAX: usize = 2_048;

/// How often a group is decided before it is given up: each time, somebody else was faster.
const ATTEMPTS_MAX: u32 = 20;

/// How much longer than a statement may take a commit without an answer is looked for, how often,
/// and the pause between.
const LOOKS_PATIENCE: Duration = Duration::from_secs(5);
const LOOKS_MAX: u32 = 20;
const LOOK_PAUSE: Duration = Duration::from_millis(500);

/// Decides what arrives at one lane, for as long as somebody can ask.
pub(super) struct Worker {
    node: Arc<Node>,
    arrivals: mpsc::UnboundedReceiver<Submission>,
    session: Option<Session>,
}

/// Why a group was not decided.
enum Stop {
    /// Nothing was done.
    Fault(Fault),
    /// The rows contradict each other. Nothing was done.
    Breach(Breach),
    /// It may be done or not.
    Unknown,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Fault(fault)
    }
}

/// Why a group is not answered yet, or with what.
enum Undecided {
    /// All of it with the same.
    All(SubmitError),
    /// Some of it concerns a tenant of which the database has lost something.
    Behind,
}

/// What a look for a commit has found.
enum Look {
    Done,
    NotDone,
}

impl Worker {
    pub(super) fn new(node: Arc<Node>, arrivals: mpsc::UnboundedReceiver<Submission>) -> Self {
        Self {
            node,
            arrivals,
            session: None,
        }
    }

    pub(super) async fn run(mut self) {
        while let Some(first) = self.arrivals.recv().await {
            let group = self.gather(first);
            let Some(group) = self.answer(group).await else {
                continue;
            };
            for submission in group {
                if let Some(group) = self.answer(vec![submission]).await {
                    answer_all(group, &SubmitError::Unavailable);
                }
            }
        }
    }

    /// Decides a group and answers it; hands it back where some of it concerns a tenant of which
    /// the database has lost something.
    async fn answer(&mut self, mut group: Vec<Submission>) -> Option<Vec<Submission>> {
        match self.decide_group(&mut group).await {
            Ok(outcomes) => {
                for (submission, outcomes) in group.into_iter().zip(outcomes) {
                    // A caller who has gone away does not want the answer.
                    let _ = submission.reply.send(Ok(outcomes));
                }
                None
            }
            Err(Undecided::Behind) => Some(group),
            Err(Undecided::All(error)) => {
                answer_all(group, &error);
                None
            }
        }
    }

    /// Takes what has arrived, up to the bound of a group.
    fn gather(&mut self, first: Submission) -> Vec<Submission> {
        let mut count = first.commands.len();
        let mut group = vec![first];
        while count < GROUP_COMMANDS_MAX
            && let Ok(next) = self.arrivals.try_recv()
        {
            count += next.commands.len();
            group.push(next);
        }
        group
    }

    /// Decides a group, again where somebody else was in the way.
    async fn decide_group(
        &mut self,
        group: &mut Vec<Submission>,
    ) -> Result<Vec<Vec<Outcome>>, Undecided> {
        let mut may_reconnect = true;
        for _ in 0..ATTEMPTS_MAX {
            let fault = match self.attempt(group).await {
                Ok(outcomes) => return Ok(outcomes),
                Err(Stop::Breach(breach)) => {
                    self.session = None;
                    tracing::error!(%breach, "a batch was dropped");
                    return Err(Undecided::All(SubmitError::Breach(breach)));
                }
                Err(Stop::Unknown) => {
                    self.session = None;
                    return Err(Undecided::All(SubmitError::Unknown));
                }
                Err(Stop::Fault(fault)) => fault,
            };
            if matches!(fault, Fault::Again) {
                self.roll_back().await;
                continue;
            }
            self.session = None;
            if fault.is_lost() && may_reconnect {
                // It may have been lost long ago: nothing was committed, so nothing is doubled.
                may_reconnect = false;
                continue;
            }
            let error: &dyn std::error::Error = &fault;
            tracing::error!(error, "a batch could not be written");
            return Err(match fault {
                Fault::Behind { .. } => Undecided::Behind,
                _ => Undecided::All(SubmitError::Unavailable),
            });
        }
        tracing::warn!("a batch was given up: others were always faster");
        self.session = None;
        Err(Undecided::All(SubmitError::Overloaded))
    }

    /// Ends the transaction, so that the next one may begin.
    async fn roll_back(&mut self) {
        if let Some(session) = &self.session
            && session.run("ROLLBACK").await.is_err()
        {
            self.session = None;
        }
    }

    /// Decides a group in one transaction.
    async fn attempt(&mut self, group: &mut Vec<Submission>) -> Result<Vec<Vec<Outcome>>, Stop> {
        let session = match self.session.take().filter(Session::is_open) {
            Some(session) => session,
            None => self.node.connect().await?,
        };
        let session = self.session.insert(session);
        let decided = decide_in(session, &self.node, group).await?;
        let committed = commit(session, group).await;
        let Err(fault) = committed else {
            self.has_committed(&decided.events);
            return Ok(decided.outcomes);
        };
        tracing::warn!(
            ?fault,
            "a commit is not certain: looking whether it was done"
        );
        self.session = None;
        let patience = self.node.statement_timeout() + LOOKS_PATIENCE;
        let looked = tokio::time::timeout(patience, self.look(&decided.events)).await;
        match looked.unwrap_or(None) {
            Some(Look::Done) => {
                self.has_committed(&decided.events);
                Ok(decided.outcomes)
            }
            Some(Look::NotDone) => Err(Stop::Fault(Fault::Again)),
            None => Err(Stop::Unknown),
        }
    }

    fn has_committed(&self, events: &[Written]) {
        if !events.is_empty() {
            self.node.acknowledged.note(events);
            self.node.has_written.notify_one();
        }
    }

    /// Looks whether a commit was done; `None` where that cannot be found out for now.
    ///
    /// Every transaction that writes holds a lock on the catalogue's root row, so once this one
    /// has it, the other has ended. And as this one's own commit waits for the standby, what was
    /// there before it is there as well.
    async fn look(&mut self, events: &[Written]) -> Option<Look> {
        let Some(first) = events.first() else {
            return Some(Look::NotDone);
        };
        for _ in 0..LOOKS_MAX {
            match self.look_once(first).await {
                Ok(look) => return Some(look),
                Err(fault) => {
                    let error: &dyn std::error::Error = &fault;
                    tracing::warn!(error, "the commit cannot be looked for yet");
                }
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
        None
    }

    async fn look_once(&mut self, first: &Written) -> Result<Look, Fault> {
        let session = self.node.connect().await?;
        session.begin(Transaction::Writing).await?;
        let lock = "SELECT revision FROM plimsoll.log WHERE tenant = '' FOR UPDATE";
        session.rows(lock, &[]).await?;
        let sql = "SELECT chain FROM plimsoll.event WHERE tenant = $1 AND revision = $2";
        let log = log_name(&first.event.log);
        let revision = i64::try_from(first.event.revision).unwrap_or(i64::MAX);
        let parameters = [(&log as _, Type::TEXT), (&revision as _, Type::INT8)];
        let rows = session.rows(sql, &parameters).await?;
        let is_there = rows.iter().any(|row| row.get::<_, &[u8]>(0) == first.chain);
        session.run(LIFT_TIMEOUT).await?;
        let patience = self.node.statement_timeout();
        let committed = tokio::time::timeout(patience, session.commit()).await;
        match committed {
            Ok(Ok(())) => {
                self.session = Some(session);
                Ok(if is_there { Look::Done } else { Look::NotDone })
            }
            Ok(Err(CommitFault::Lost(error))) => Err(Fault::Lost(Some(error))),
            Ok(Err(CommitFault::Warned)) | Err(_) => Err(Fault::Lost(None)),
        }
    }
}

/// Loads, decides and writes, all but the commit.
async fn decide_in(session: &Session, node: &Node, group: &[Submission]) -> Result<Decided, Stop> {
    let commands = || group.iter().map(|it| it.commands.as_slice());
    let flat = || commands().flatten();
    let lock = lock_for(flat());
    let footprints = flat().map(Command::footprint).collect();
    // Before the transaction: what once led to a tenant always does.
    let wanted = Wanted::resolve(session, &node.tenants, footprints).await?;
    let floor = node.acknowledged.floor(&wanted.tenants());
    let mut tables = load(session, &node.catalogue, &wanted, lock).await?;
    floor.check(&tables)?;
    load_ended(session, &mut tables, &wanted).await?;
    let now = node.clock.now();
    let mut decided = decide_all(&tables, commands(), now).map_err(Stop::Breach)?;
    if decided.needs_holds {
        load_holds(session, &mut tables, &wanted, now).await?;
        decided = decide_all(&tables, commands(), now).map_err(Stop::Breach)?;
    }
    let is_locked = lock == Lock::TenantsAndCatalogue;
    write(session, &tables, &decided.events, is_locked).await?;
    Ok(decided)
}

/// Commits. Who waits too long is told that the outcome is unknown; the commit goes on.
async fn commit(session: &Session, group: &mut Vec<Submission>) -> Result<(), CommitFault> {
    let mut committing = pin!(session.commit());
    let patience = session.statement_timeout();
    match tokio::time::timeout(patience, committing.as_mut()).await {
        Ok(committed) => committed,
        Err(_) => {
            tracing::warn!("a commit takes long: is a standby missing?");
            answer_all(group.drain(..), &SubmitError::Unknown);
            committing.await
        }
    }
}
