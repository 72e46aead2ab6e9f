//! Readers: each sees one moment of the database, in which every acknowledged write is.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use plimsoll_core::rows::Footprint;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::load::{Lock, load, load_ended, load_holds};
use super::names::Wanted;
use super::principals::{Asked, is_of_principals_alone};
use super::session::{Fault, Parameter, Session, Statement};
use super::{Node, Postgres};
use crate::store::StoreError;
use crate::tables::Tables;

/// Readers that wait for a connection. What comes beyond is refused at once.
pub(super) const WAITING_MAX: usize = 1_000;

/// Connections for readers.
#[derive(Debug)]
pub(super) struct Readers {
    queue: Semaphore,
    room: Semaphore,
    idle: Mutex<Vec<Session>>,
}

impl Readers {
    pub(super) fn new(connections: usize) -> Self {
        let connections = connections.max(1);
        Self {
            queue: Semaphore::new(WAITING_MAX + connections),
            room: Semaphore::new(connections),
            idle: Mutex::default(),
        }
    }
}

/// A connection while it is one reader's.
pub(super) struct Lease<'a> {
    node: &'a Node,
    session: Session,
    _places: [SemaphorePermit<'a>; 2],
}

impl Lease<'_> {
    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Gives the connection back, unless something went wrong on it.
    pub(super) fn end<T>(self, done: Result<T, Fault>) -> Result<T, StoreError> {
        match done {
            Ok(value) => {
                let idle = self.node.readers.idle.lock();
                idle.unwrap_or_else(PoisonError::into_inner)
                    .push(self.session);
                Ok(value)
            }
            Err(fault) => Err(unavailable(&fault)),
        }
    }
}

fn unavailable(fault: &Fault) -> StoreError {
    let error: &dyn std::error::Error = fault;
    tracing::error!(error, "the database could not be read");
    StoreError::Unavailable
}

impl Node {
    /// A connection to read on.
    pub(super) async fn lease(&self) -> Result<Lease<'_>, StoreError> {
        if !self.is_serving.load(Ordering::Acquire) {
            return Err(StoreError::Unavailable);
        }
        let readers = &self.readers;
        let queued = readers.queue.try_acquire();
        let queued = queued.map_err(|_| StoreError::Unavailable)?;
        let room = readers.room.acquire().await;
        let room = room.map_err(|_| StoreError::Unavailable)?;
        let idle = || {
            let mut idle = readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.pop()
        };
        let open = std::iter::from_fn(idle).find(Session::is_open);
        let session = match open {
            Some(session) => session,
            None => self.connect().await.map_err(|it| unavailable(&it))?,
        };
        Ok(Lease {
            node: self,
            session,
            _places: [queued, room],
        })
    }

    async fn read(&self, footprint: Footprint) -> Result<Tables, StoreError> {
        let lease = self.lease().await?;
        let rows = rows_of(self, lease.session(), footprint).await;
        lease.end(rows)
    }
}

impl Postgres {
    /// Does some work with the node's own sockets and timers, whoever waits for it.
    ///
    /// The work is large and has a place of its own: in that of its caller, every request would be
    /// as large as the largest read, on whatever store.
    pub(super) fn here<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = T> {
        let mut work = Box::pin(work);
        std::future::poll_fn(move |context| {
            let _here = self.tasks.enter();
            work.as_mut().poll(context)
        })
    }

    /// A connection to read on.
    pub(super) async fn lease(&self) -> Result<Lease<'_>, StoreError> {
        self.node.lease().await
    }

    /// The rows that a footprint names, as of one moment.
    pub(crate) async fn read(&self, footprint: Footprint) -> Result<Tables, StoreError> {
        self.here(self.node.read(footprint)).await
    }

    /// As [`read`](Self::read); principals may come with those that others have asked for.
    pub(crate) async fn read_shared(
        &self,
        footprint: Footprint,
    ) -> Result<Arc<Tables>, StoreError> {
        if !is_of_principals_alone(&footprint) {
            return Ok(Arc::new(self.read(footprint).await?));
        }
        Asked::ask(&self.asked, footprint.principals).await
    }

    /// As [`read_shared`](Self::read_shared), or from the replica: then also how many milliseconds
    /// old it is at most.
    pub(crate) async fn read_lately(
        &self,
        footprint: Footprint,
    ) -> Result<(Arc<Tables>, Option<u64>), StoreError> {
        if let Some(replica) = &self.node.replica
            && self.is_ready()
            && let Some((tables, age_ms)) = self.here(replica.read(&footprint)).await
        {
            return Ok((Arc::new(tables), Some(age_ms)));
        }
        Ok((self.read_shared(footprint).await?, None))
    }

    /// What is read from the rows of one statement.
    pub(super) async fn select<T>(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
        read: impl FnOnce(Vec<Row>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.here(async {
            let lease = self.lease().await?;
            let rows = lease.session().rows(sql, parameters).await;
            lease.end(rows.and_then(read))
        })
        .await
    }

    pub(crate) async fn agreed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT value FROM plimsoll.agreed WHERE name = $1";
        let parameters = [(&name as _, Type::TEXT)];
        let value = |rows: Vec<Row>| Ok(rows.first().map(|row| row.get(0)));
        self.select(sql, &parameters, value).await
    }

    pub(crate) async fn agree(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let sql = "INSERT INTO plimsoll.agreed (name, value) VALUES ($1, $2) \
                   ON CONFLICT (name) DO NOTHING";
        let parameters = [(&name as _, Type::TEXT), (&value as _, Type::BYTEA)];
        self.select(sql, &parameters, |_| Ok(())).await?;
        Ok(self.agreed(name).await?.unwrap_or(value))
    }
}

/// The rows that a footprint names, as of one moment.
///
/// Errors: [`Fault::Behind`] leaves the connection as it was.
pub(super) async fn rows_of(
    node: &Node,
    session: &Session,
    footprint: Footprint,
) -> Result<Tables, Fault> {
    let (tables, is_open) = rows_of_open(node, session, footprint).await?;
    if is_open {
        session.run("COMMIT").await?;
    }
    Ok(tables)
}

/// [`rows_of`], with the answer of the server from which they came to one more question; none where
/// what is named is of no tenant.
///
/// Errors: [`Fault::Behind`] leaves the connection as it was.
pub(super) async fn rows_of_one_server(
    node: &Node,
    session: &Session,
    footprint: Footprint,
    question: &str,
) -> Result<(Tables, Vec<Row>), Fault> {
    let (tables, is_open) = rows_of_open(node, session, footprint).await?;
    if !is_open {
        return Ok((tables, Vec::new()));
    }
    let end = [question, "COMMIT"].map(|sql| Statement::new(sql, Vec::new()));
    let mut answers = session.rows_of_each(&end).await?;
    Ok((tables, answers.swap_remove(0)))
}

/// [`rows_of`], and whether the transaction in which they were read is still open.
async fn rows_of_open(
    node: &Node,
    session: &Session,
    footprint: Footprint,
) -> Result<(Tables, bool), Fault> {
    let has_holds = !footprint.holds_of.is_empty();
    let wanted = Wanted::resolve(session, &node.scopes, vec![footprint]).await?;
    let floor = node.acknowledged.floor(&wanted.tenants());
    if wanted.tenants().is_empty() {
        let tables = load(session, node, &wanted, Lock::NoTenant).await?;
        floor.check(&tables)?;
        return Ok((tables, false));
    }
    let mut tables = load(session, node, &wanted, Lock::Nothing).await?;
    if let Err(behind) = floor.check(&tables) {
        session.run("COMMIT").await?;
        return Err(behind);
    }
    load_ended(session, &mut tables, &wanted).await?;
    if has_holds {
        load_holds(session, &mut tables, &wanted, node.clock.now()).await?;
    }
    Ok((tables, true))
}
