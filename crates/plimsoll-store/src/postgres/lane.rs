//! Group commit on a database: one transaction answers everything that arrived during the last one.
//!
//! ```text
//! lock the tenants' root rows in order, load what the footprints name     (one round trip)
//! the same for what has arrived meanwhile for these tenants               (none, or one)
//! read the time, decide                                                   (pure)
//! write, look at the catalogue's revision, commit                         (one round trip)
//! ```

use std::collections::{BTreeSet, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::command::Command;
use plimsoll_core::outcome::{Breach, Outcome};
use plimsoll_core::rows::Footprint;
use tokio::sync::mpsc;
use tokio_postgres::types::Type;

use super::Node;
use super::batch::{Decided, Written, decide_all, lock_for};
use super::load::{Lock, load, load_ended, load_holds, load_more};
use super::names::Wanted;
use super::session::{CommitFault, Fault, Session, Transaction, texts};
use super::write::Writing;
use crate::lane::{BATCH_COMMANDS_MAX, Submission, SubmitError, answer_all};
use crate::record::log_name;

/// Commands after which a group is closed: while one is decided, the next ones are read.
const GROUP_COMMANDS_MAX: usize = BATCH_COMMANDS_MAX / 2;

/// The size of a group behind which it pays to wait for as many, and how long.
const LINGER_MIN: usize = 8;
const LINGER: Duration = Duration::from_millis(1);

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
    /// What has arrived before the arrivals, and fitted into no group yet.
    waiting: VecDeque<Submission>,
    /// How many submissions the last group had.
    last_group: usize,
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
            waiting: VecDeque::new(),
            last_group: 0,
            session: None,
        }
    }

    pub(super) async fn run(mut self) {
        while let Some(first) = self.next().await {
            let group = self.gather(first).await;
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
                self.last_group = group.len();
                for (submission, outcomes) in group.into_iter().zip(outcomes) {
                    submission.answer(Ok(outcomes));
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

    /// Waits for a submission; `None` when nobody can ask any more.
    async fn next(&mut self) -> Option<Submission> {
        match self.waiting.pop_front() {
            Some(first) => Some(first),
            None => self.arrivals.recv().await,
        }
    }

    /// Takes what has arrived, up to the bound of a group.
    ///
    /// After a large group a moment is waited for as many again: who has just been answered asks
    /// anew, and would otherwise share two transactions in turn, each half as large.
    async fn gather(&mut self, first: Submission) -> Vec<Submission> {
        let mut count = first.commands.len();
        let mut group = vec![first];
        let expected = std::mem::take(&mut self.last_group);
        let deadline = tokio::time::sleep(LINGER);
        let mut deadline = pin!(deadline);
        while count < GROUP_COMMANDS_MAX {
            let next = match self.waiting.pop_front() {
                Some(next) => Some(next),
                None if expected < LINGER_MIN || expected <= group.len() => {
                    self.arrivals.try_recv().ok()
                }
                None => tokio::select! {
                    biased;
                    next = self.arrivals.recv() => next,
                    () = &mut deadline => self.arrivals.try_recv().ok(),
                },
            };
            let Some(next) = next else { break };
            count += next.commands.len();
            group.push(next);
        }
        group
    }

    /// Takes into a group what has arrived meanwhile for the tenants that are locked for it.
    ///
    /// So those who wait for another node's transaction gather, and share the next one.
    fn take_more(&mut self, group: &mut Vec<Submission>, tenants: &[&str]) -> Vec<Footprint> {
        while let Ok(next) = self.arrivals.try_recv() {
            self.waiting.push_back(next);
        }
        let mut count: usize = group.iter().map(|it| it.commands.len()).sum();
        let mut more = Vec::new();
        for submission in std::mem::take(&mut self.waiting) {
            let commands = &submission.commands;
            let footprints: Vec<Footprint> = commands.iter().map(Command::footprint).collect();
            let fits = |it: &Footprint| Wanted::leads_to(it, &self.node.scopes, tenants);
            if count + commands.len() <= GROUP_COMMANDS_MAX
                && lock_for(commands.iter()) == Lock::Tenants
                && footprints.iter().all(fits)
            {
                count += commands.len();
                more.extend(footprints);
                group.push(submission);
            } else {
                self.waiting.push_back(submission);
            }
        }
        more
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
        let decided = self.decide_on(&session, group).await;
        // It is kept where it may still be of use, or must be rolled back.
        self.session = Some(session);
        let (decided, writing) = decided?;
        let session = self.session.as_ref().expect("it was put there");
        let committed = commit(session, &writing, group).await;
        let fault = match committed {
            Ok(()) => {
                self.node.has_committed(&decided.events);
                return Ok(decided.outcomes);
            }
            Err(CommitFault::Refused(fault)) => return Err(fault.into()),
            Err(fault) => fault,
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
                self.node.has_committed(&decided.events);
                Ok(decided.outcomes)
            }
            Some(Look::NotDone) => Err(Stop::Fault(Fault::Again)),
            None => Err(Stop::Unknown),
        }
    }

    /// Loads and decides, and with it what more has arrived once the locks were there.
    async fn decide_on(
        &mut self,
        session: &Session,
        group: &mut Vec<Submission>,
    ) -> Result<(Decided, Writing), Stop> {
        let commands = group.iter().flat_map(|it| it.commands.iter());
        let lock = lock_for(commands.clone());
        let footprints = commands.map(Command::footprint).collect();
        let node = Arc::clone(&self.node);
        // Before the transaction: what once led to a tenant always does.
        let mut wanted = Wanted::resolve(session, &node.scopes, footprints).await?;
        let floor = node.acknowledged.floor(&wanted.tenants());
        let mut tables = load(session, &node, &wanted, lock).await?;
        floor.check(&tables)?;
        let more = self.take_more(group, &wanted.tenants());
        if !more.is_empty() {
            let more = Wanted::resolve(session, &node.scopes, more).await?;
            load_more(session, &node, &more, &mut tables).await?;
            wanted.extend(more);
        }
        load_ended(session, &mut tables, &wanted).await?;
        let now = node.clock.now();
        let commands = || group.iter().map(|it| it.commands.as_slice());
        let mut decided = decide_all(&tables, commands(), now).map_err(Stop::Breach)?;
        if decided.needs_holds {
            load_holds(session, &mut tables, &wanted, now).await?;
            decided = decide_all(&tables, commands(), now).map_err(Stop::Breach)?;
        }
        let is_locked = lock == Lock::TenantsAndCatalogue;
        let writing = Writing::new(&tables, &decided.events, is_locked);
        Ok((decided, writing))
    }

    /// Looks whether a commit was done; `None` where that cannot be found out for now.
    ///
    /// Every transaction that writes holds locks on the root rows of its tenants when its commit is
    /// sent, and on that of a new tenant or the catalogue at least on the catalogue's; so once this
    /// one has them all, the other has ended. And as this one's own commit waits for the standby,
    /// what was there before it is there as well.
    async fn look(&mut self, events: &[Written]) -> Option<Look> {
        let Some(first) = events.first() else {
            return Some(Look::NotDone);
        };
        for _ in 0..LOOKS_MAX {
            match self.look_once(first, events).await {
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

    async fn look_once(&mut self, first: &Written, events: &[Written]) -> Result<Look, Fault> {
        let session = self.node.connect().await?;
        session.begin(Transaction::Writing).await?;
        let logs: BTreeSet<&str> = events.iter().map(|it| log_name(&it.event.log)).collect();
        let tenants: Vec<&str> = logs.into_iter().filter(|log| !log.is_empty()).collect();
        let lock = "SELECT log FROM plimsoll.heads($1, true, true)";
        session.rows(lock, &[texts(&tenants)]).await?;
        let sql = "SELECT chain FROM plimsoll.event WHERE tenant = $1 AND revision = $2";
        let log = log_name(&first.event.log);
        let revision = i64::try_from(first.event.revision).unwrap_or(i64::MAX);
        let parameters = [(&log as _, Type::TEXT), (&revision as _, Type::INT8)];
        let rows = session.rows(sql, &parameters).await?;
        let is_there = rows.iter().any(|row| row.get::<_, &[u8]>(0) == first.chain);
        let patience = self.node.statement_timeout();
        let committed = tokio::time::timeout(patience, session.commit()).await;
        match committed {
            Ok(Ok(())) => {
                self.session = Some(session);
                Ok(if is_there { Look::Done } else { Look::NotDone })
            }
            Ok(Err(CommitFault::Lost(error))) => Err(Fault::Lost(error)),
            Ok(Err(CommitFault::Refused(fault))) => Err(fault),
            Ok(Err(CommitFault::Warned)) | Err(_) => Err(Fault::Lost(None)),
        }
    }
}

/// Writes and commits. Who waits too long is told that the outcome is unknown; the commit goes on.
async fn commit(
    session: &Session,
    writing: &Writing,
    group: &mut Vec<Submission>,
) -> Result<(), CommitFault> {
    let statements = writing.statements();
    if !writing.is_locked {
        // Nothing is held yet by which the commit could be looked for.
        let written = session.rows_of_each(&statements).await;
        written.map_err(CommitFault::Refused)?;
    }
    let rest = if writing.is_locked {
        statements.as_slice()
    } else {
        &[]
    };
    let mut committing = pin!(session.write_and_commit(rest));
    // A statement that takes too long is ended by the server; a commit is not.
    let patience = session.statement_timeout() * 2;
    match tokio::time::timeout(patience, committing.as_mut()).await {
        Ok(committed) => committed,
        Err(_) => {
            tracing::warn!("a commit takes long: is a standby missing?");
            answer_all(group.drain(..), &SubmitError::Unknown);
            committing.await
        }
    }
}
