//! A read replica: it answers where what it has is provably no older than an operator allows.
//!
//! How old a standby's rows are cannot be asked of it: the time of the last transaction that it has
//! replayed is old wherever nothing is written. So the node notes, with each look at the primary,
//! when it asked and how far the primary's write-ahead log was flushed then. All that anybody was
//! told by then lies before that position. A replica that has replayed up to there is as of that
//! moment or a later one.
//!
//! Positions are compared only between servers of one cluster and one timeline, so that a server
//! which went another way after a failover is not believed. Position and rows must come from the
//! same server: behind a pooler, two transactions of one connection may have reached two of them.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::rows::{Footprint, Rows};
use tokio_postgres::Row;

use super::names::damaged;
use super::read::rows_of_one_server;
use super::session::{Fault, Session};
use super::{LOOK_INTERVAL, Node, schema};
use crate::store::StoreError;
use crate::tables::Tables;

/// How long a replica may take to answer before the primary is asked.
const PATIENCE: Duration = Duration::from_secs(2);

/// Moments that are noted of as long as rows may be old.
const MARKS_MAX: u64 = 32;

/// What the clock of decisions, by which ages are told, may be corrected by at once.
const CLOCK_ERROR_MS: u64 = 100;

/// A server, and how far its write-ahead log has come: flushed where it takes writes, replayed
/// where it follows.
const STANDING: &str = "\
    SELECT (SELECT system_identifier FROM pg_control_system()), \
    (SELECT oid::bigint FROM pg_database WHERE datname = current_database()), \
    (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint, ";
const SERVER: &str = "SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint";
const OF_PRIMARY: &str = "\
    ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::bigint, \
    pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint, true";
const OF_REPLICA: &str = "\
    (SELECT timeline_id::bigint FROM pg_control_checkpoint()), \
    coalesce(pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0'), 0)::bigint, \
    NOT pg_is_in_recovery()";

/// What two servers must have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ledger {
    system: i64,
    database: i64,
}

/// Where a server stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    ledger: Ledger,
    /// When it was started, in microseconds: no other server was then.
    server: i64,
    timeline: i64,
    position: i64,
    takes_writes: bool,
}

impl Standing {
    /// Of the server that takes writes.
    pub(super) async fn of_primary(session: &Session) -> Result<Self, Fault> {
        Self::read(session, OF_PRIMARY).await
    }

    async fn of_replica(session: &Session) -> Result<Self, Fault> {
        Self::read(session, OF_REPLICA).await
    }

    async fn read(session: &Session, which: &str) -> Result<Self, Fault> {
        let rows = session.rows(&format!("{STANDING}{which}"), &[]).await?;
        let row = rows.first().ok_or_else(|| damaged("no answer"))?;
        Ok(Self {
            ledger: Ledger {
                system: row.get(0),
                database: row.get(1),
            },
            server: row.get(2),
            timeline: row.get(3),
            position: row.get(4),
            takes_writes: row.get(5),
        })
    }

    /// Why it is no replica of another server; `None` where it is one.
    fn fault(&self, primary: Ledger) -> Option<&'static str> {
        if self.ledger.system != primary.system {
            Some("is of another cluster than the store: name a standby of the store's server")
        } else if self.ledger.database != primary.database {
            Some("is another database than the store: name the same one")
        } else if self.takes_writes {
            Some("is no replica, it takes writes: name a standby of the store's server")
        } else {
            None
        }
    }
}

/// How far the primary was, and when.
#[derive(Debug, Default)]
struct Marks {
    /// The last ones, the latest at the end. All of one ledger and timeline.
    marks: VecDeque<(i64, Timestamp)>,
    of: Option<(Ledger, i64)>,
}

/// The standby that may answer readers.
#[derive(Debug)]
pub(super) struct Replica {
    /// A node on the replica, which only reads. It serves while the replica does.
    node: Arc<Node>,
    age_max_ms: u64,
    marks: Mutex<Marks>,
}

impl Replica {
    /// Makes sure that it is a replica of the primary. One that is away is waited for.
    ///
    /// Errors: [`StoreError::Database`] where it is there and is none.
    pub(super) async fn open(
        node: Arc<Node>,
        age_max: Duration,
        primary: &Session,
    ) -> Result<Self, StoreError> {
        let standing = Standing::of_primary(primary).await;
        let standing = standing.map_err(|_| StoreError::Unavailable)?;
        let serves = match schema::connect(&node.target).await {
            Ok(session) => {
                let found = Standing::of_replica(&session).await;
                let found = found
                    .map_err(|fault| schema::cannot(&node.target, "be read as a replica", fault))?;
                if let Some(what) = found.fault(standing.ledger) {
                    return Err(node.target.error(what, None));
                }
                true
            }
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "the replica is away: the primary is read");
                false
            }
        };
        node.is_serving.store(serves, Ordering::Release);
        Ok(Self {
            node,
            age_max_ms: u64::try_from(age_max.as_millis()).unwrap_or(u64::MAX),
            marks: Mutex::default(),
        })
    }

    /// Looks for a replica that is away, for as long as the node runs.
    pub(super) async fn watch(primary: Arc<Node>) {
        let Some(replica) = &primary.replica else {
            return;
        };
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            if replica.node.is_serving.load(Ordering::Acquire) {
                continue;
            }
            let looked = tokio::time::timeout(PATIENCE, replica.look()).await;
            if looked.is_ok_and(|found| found.is_ok()) {
                replica.node.is_serving.store(true, Ordering::Release);
                tracing::warn!("the replica is back and is read");
            }
        }
    }

    async fn look(&self) -> Result<(), Fault> {
        let session = self.node.connect().await?;
        let found = Standing::of_replica(&session).await?;
        let primary = self.lock().of;
        let primary = primary.ok_or_else(|| damaged("the primary is away"))?.0;
        match found.fault(primary) {
            None => Ok(()),
            Some(what) => Err(damaged(what)),
        }
    }

    /// Notes how far the primary was no earlier than at a moment.
    pub(super) fn mark(&self, primary: &Standing, asked_at: Timestamp) {
        let mut marks = self.lock();
        let of = Some((primary.ledger, primary.timeline));
        if marks.of != of {
            marks.of = of;
            marks.marks.clear();
        }
        let age_ms = |at: Timestamp| asked_at.ms().saturating_sub(at.ms());
        let is_old = |at: &Timestamp| self.age_max_ms < age_ms(*at);
        while marks.marks.front().is_some_and(|(_, at)| is_old(at)) {
            marks.marks.pop_front();
        }
        let latest = marks.marks.back();
        if latest.is_none_or(|(_, at)| self.age_max_ms / MARKS_MAX <= age_ms(*at)) {
            marks.marks.push_back((primary.position, asked_at));
        }
    }

    /// Believes nothing that was noted: the primary is away, and another may follow.
    pub(super) fn forget(&self) {
        *self.lock() = Marks::default();
    }

    /// The rows that a footprint names, and how many milliseconds old they are at most; `None`
    /// where the primary must be asked.
    pub(super) async fn read(&self, footprint: &Footprint) -> Option<(Tables, u64)> {
        if !self.node.is_serving.load(Ordering::Acquire) {
            return None;
        }
        let found = tokio::time::timeout(PATIENCE, self.rows(footprint)).await;
        if let Ok(Ok(found)) = found {
            return found;
        }
        if self.node.is_serving.swap(false, Ordering::AcqRel) {
            tracing::warn!("the replica does not answer: the primary is read");
        }
        None
    }

    async fn rows(&self, footprint: &Footprint) -> Result<Option<(Tables, u64)>, StoreError> {
        let lease = self.node.lease().await?;
        let found = self.rows_on(lease.session(), footprint).await;
        lease.end(found)
    }

    async fn rows_on(
        &self,
        session: &Session,
        footprint: &Footprint,
    ) -> Result<Option<(Tables, u64)>, Fault> {
        // Before the rows: what is read then is no older.
        let standing = Standing::of_replica(session).await?;
        let Some(asked_at) = self.as_of(&standing)? else {
            return Ok(None);
        };
        let footprint_read = footprint.clone();
        let read = rows_of_one_server(&self.node, session, footprint_read, SERVER).await;
        let (tables, server) = match read {
            Ok(read) => read,
            // What this node has acknowledged, its callers see.
            Err(Fault::Behind { .. }) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let is_same = |row: &Row| row.get::<_, i64>(0) == standing.server;
        if !server.first().is_some_and(is_same) {
            return Ok(None);
        }
        // A scope that is not there yet may have been acknowledged, too.
        let is_there = |scope| tables.scope(scope).is_some();
        let age_ms = self.age_ms(asked_at);
        let is_told = footprint.scopes.iter().all(is_there) && age_ms <= self.age_max_ms;
        Ok(is_told.then_some((tables, age_ms)))
    }

    /// As of when a replica is at the earliest; `None` where that is not known, or too long ago.
    fn as_of(&self, standing: &Standing) -> Result<Option<Timestamp>, Fault> {
        // Acknowledgements that are not noted could not be looked for.
        if self.node.acknowledged.is_full() {
            return Ok(None);
        }
        let marks = self.lock();
        let Some((ledger, timeline)) = marks.of else {
            return Ok(None);
        };
        if let Some(what) = standing.fault(ledger) {
            return Err(self.no_replica(what));
        }
        if standing.timeline != timeline {
            return Ok(None);
        }
        let mut known = marks.marks.iter().rev();
        let reached = known.find(|(position, _)| *position <= standing.position);
        let at = reached.map(|(_, at)| *at);
        Ok(at.filter(|at| self.age_ms(*at) <= self.age_max_ms))
    }

    fn no_replica(&self, what: &str) -> Fault {
        let database = &self.node.target.address;
        tracing::error!(database, "the replica {what}; the primary is read");
        damaged(what)
    }

    /// The age of rows as of a moment, as much as it may be.
    fn age_ms(&self, at: Timestamp) -> u64 {
        let passed_ms = self.node.clock.now().ms().saturating_sub(at.ms());
        // The clock may go slower by a hundredth.
        passed_ms + passed_ms / 64 + CLOCK_ERROR_MS
    }

    fn lock(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
