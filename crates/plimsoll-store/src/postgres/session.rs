//! One connection: statements that leave nothing behind, and commits that are believed only when
//! nothing was said against them.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Connection, Error, NoTls, Row};

use super::options::Target;

/// A parameter with its type: so a statement needs no preparation, and works through a pooler.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// A list of texts as a parameter.
pub(super) fn texts<T: ToSql + Sync>(values: &T) -> Parameter<'_> {
    (values, Type::TEXT_ARRAY)
}

/// A statement with its parameters.
pub(super) struct Statement<'a> {
    sql: &'a str,
    parameters: Vec<Parameter<'a>>,
}

impl<'a> Statement<'a> {
    pub(super) fn new(sql: &'a str, parameters: Vec<Parameter<'a>>) -> Self {
        Self { sql, parameters }
    }
}

/// How much longer than its time-out a statement is waited for.
const GRACE: Duration = Duration::from_secs(5);

/// A connection to the database.
#[derive(Debug)]
pub(super) struct Session {
    client: Client,
    /// Set when the server has warned of something.
    warned: Arc<AtomicBool>,
    statement_timeout: Duration,
}

/// Why a statement came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// Another transaction was in the way: the same may succeed at once.
    #[error("another transaction was in the way")]
    Again,
    /// The connection is of no use any more; nothing was committed on it.
    #[error("the connection to the database is lost")]
    Lost(#[source] Option<Error>),
    /// The database refuses.
    #[error("the database refuses")]
    Refused(#[source] Error),
    /// The database has lost what this node has acknowledged.
    #[error(
        "the database has lost what was acknowledged: {log} ends at revision {found} there, and \
         this node has acknowledged {noted}; bring the database back that has it, or, to go on \
         without, stop the node and remove `acknowledged` from its data directory"
    )]
    Behind {
        /// Whose log.
        log: String,
        /// Where it stands.
        found: u64,
        /// How far it was acknowledged.
        noted: u64,
    },
    /// What was read is not what was written.
    #[error("a row is damaged: {0}")]
    Damaged(String),
}

impl Fault {
    /// Whether the same may succeed on another connection.
    pub(super) fn is_lost(&self) -> bool {
        match self {
            Fault::Lost(_) => true,
            Fault::Again | Fault::Behind { .. } | Fault::Refused(_) | Fault::Damaged(_) => false,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let Some(code) = error.code() else {
            return Fault::Lost(Some(error));
        };
        let in_the_way = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::UNIQUE_VIOLATION,
        ];
        let gone = [
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ];
        if in_the_way.contains(code) {
            Fault::Again
        } else if gone.contains(code)
            || code.code().starts_with("08")
            || code.code().starts_with("57P")
        {
            Fault::Lost(Some(error))
        } else {
            Fault::Refused(error)
        }
    }
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Transaction {
    /// It takes locks and sees what was committed before it had them.
    Writing,
    /// It sees one moment.
    Reading,
}

/// Until the transaction ends, plans go by an index wherever there is one, whatever the statistics
/// say: without any, as of a table that has just grown, the planner reads all of it, with processes
/// that help.
pub(super) const BY_INDEX: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; \
     SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off";

/// Lifts the time-out first: a commit that is cancelled while it waits for a standby would be done
/// on this machine alone. Where the transaction has failed, it stays so.
const COMMIT: &str = "SET LOCAL statement_timeout = 0; COMMIT";

/// What is known of a commit that was not plainly done.
#[derive(Debug)]
pub(super) enum CommitFault {
    /// The server did it and warned: it may not be where it must be.
    Warned,
    /// No answer came.
    Lost(Option<Error>),
    /// What was to be written before was refused: nothing is committed.
    Refused(Fault),
}

impl Session {
    /// Connects to the first host that takes writes.
    pub(super) async fn open(target: &Target) -> Result<Self, Error> {
        let warned = Arc::new(AtomicBool::new(false));
        let client = match &target.tls {
            None => {
                let (client, connection) = target.config.connect(NoTls).await?;
                Handle::current().spawn(drive(connection, Arc::clone(&warned)));
                client
            }
            Some(tls) => {
                let (client, connection) = target.config.connect(tls.clone()).await?;
                Handle::current().spawn(drive(connection, Arc::clone(&warned)));
                client
            }
        };
        Ok(Self {
            client,
            warned,
            statement_timeout: target.statement_timeout,
        })
    }

    /// How long one statement may take.
    pub(super) fn statement_timeout(&self) -> Duration {
        self.statement_timeout
    }

    /// Whether it may be used again.
    pub(super) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    /// Statements without parameters.
    pub(super) async fn run(&self, sql: &str) -> Result<(), Fault> {
        Ok(self.within(self.client.batch_execute(sql)).await??)
    }

    /// The rows of one statement.
    pub(super) async fn rows(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Fault> {
        Ok(self
            .within(self.client.query_typed(sql, parameters))
            .await??)
    }

    /// The rows of each of some statements: all are sent before the first answer is waited for, and
    /// done in this order.
    pub(super) async fn rows_of_each(
        &self,
        statements: &[Statement<'_>],
    ) -> Result<Vec<Vec<Row>>, Fault> {
        let mut waiting: Vec<_> = statements
            .iter()
            .map(|it| Some(Box::pin(self.rows(it.sql, &it.parameters))))
            .collect();
        let mut found: Vec<Vec<Row>> = statements.iter().map(|_| Vec::new()).collect();
        std::future::poll_fn(|context| {
            let mut is_done = true;
            for (rows, slot) in found.iter_mut().zip(&mut waiting) {
                let Some(one) = slot else { continue };
                match one.as_mut().poll(context) {
                    Poll::Ready(Ok(those)) => {
                        *rows = those;
                        *slot = None;
                    }
                    Poll::Ready(Err(fault)) => return Poll::Ready(Err(fault)),
                    Poll::Pending => is_done = false,
                }
            }
            if is_done {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            }
        })
        .await?;
        Ok(found)
    }

    /// Starts a transaction. Whoever holds its locks and is heard of no more loses them after a
    /// while.
    pub(super) async fn begin(&self, kind: Transaction) -> Result<(), Fault> {
        let ms = self.statement_timeout.as_millis();
        let kind = match kind {
            Transaction::Writing => "READ COMMITTED",
            Transaction::Reading => "REPEATABLE READ READ ONLY",
        };
        self.run(&format!(
            "BEGIN ISOLATION LEVEL {kind}; SET LOCAL statement_timeout = {ms}; \
             SET LOCAL idle_in_transaction_session_timeout = {}",
            ms * 3
        ))
        .await
    }

    /// Commits. Nothing interrupts it.
    ///
    /// A wait for a standby that is cancelled is told as a success with a warning, so with any
    /// warning it is not believed.
    pub(super) async fn commit(&self) -> Result<(), CommitFault> {
        self.warned.store(false, Ordering::Release);
        let done = self.client.batch_execute(COMMIT).await;
        self.believe(done)
    }

    /// Writes, and commits in the same round trip.
    ///
    /// Whoever looks for what became of it must wait for a lock that was taken before: this may be
    /// done long after it was sent.
    pub(super) async fn write_and_commit(
        &self,
        statements: &[Statement<'_>],
    ) -> Result<(), CommitFault> {
        self.warned.store(false, Ordering::Release);
        let mut writing = pin!(self.rows_of_each(statements));
        let mut committing = pin!(self.client.batch_execute(COMMIT));
        let mut written = None;
        let done = std::future::poll_fn(|context| {
            if written.is_none()
                && let Poll::Ready(rows) = writing.as_mut().poll(context)
            {
                written = Some(rows.map(drop));
            }
            match written {
                // Either it could not be sent, and then no commit must be; or the commit fails too.
                Some(Err(_)) => Poll::Ready(None),
                Some(Ok(())) | None => committing.as_mut().poll(context).map(Some),
            }
        })
        .await;
        if let (None, Some(Err(_))) = (&written, &done) {
            // Why is in the answers before.
            written = Some(writing.await.map(drop));
        }
        match (written, done) {
            (Some(Err(Fault::Lost(error))), _) => Err(CommitFault::Lost(error)),
            (Some(Err(fault)), _) => Err(CommitFault::Refused(fault)),
            (_, Some(done)) => self.believe(done),
            (_, None) => Err(CommitFault::Lost(None)),
        }
    }

    fn believe(&self, done: Result<(), Error>) -> Result<(), CommitFault> {
        done.map_err(|error| CommitFault::Lost(Some(error)))?;
        if self.warned.load(Ordering::Acquire) {
            Err(CommitFault::Warned)
        } else {
            Ok(())
        }
    }

    async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, Fault> {
        let patience = self.statement_timeout + GRACE;
        let done = tokio::time::timeout(patience, work).await;
        done.map_err(|_| Fault::Lost(None))
    }
}

/// Moves bytes between the socket and the session, for as long as both are there.
async fn drive<S, T>(mut connection: Connection<S, T>, warned: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    std::future::poll_fn(|context| {
        loop {
            match ready!(connection.poll_message(context)) {
                Some(Ok(AsyncMessage::Notice(notice))) => match notice.parsed_severity() {
                    Some(Severity::Notice | Severity::Info | Severity::Log | Severity::Debug) => {}
                    _ => {
                        warned.store(true, Ordering::Release);
                        tracing::warn!(message = notice.message(), "the database warns");
                    }
                },
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::info!(error, "a connection to the database has ended");
                    return Poll::Ready(());
                }
                None => return Poll::Ready(()),
            }
        }
    })
    .await;
}
