//! A whole database: read from its first event on, or filled anew.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_core::event::{Change, Log};
use plimsoll_core::model::Webhook;
use tokio_postgres::types::Type;

use super::batch::Written;
use super::cursor::Cursor;
use super::load::{log_head, unsigned};
use super::names::damaged;
use super::options::{PostgresOptions, Target};
use super::past::TURN;
use super::schema::{self, COPYING};
use super::session::{CommitFault, Fault, Session, Transaction};
use super::tips::Tips;
use super::verify::{STATEMENT_PATIENCE, told, verify_on};
use super::write::Writing;
use crate::record::{chained, log_name, read_change, read_event};
use crate::store::StoreError;
use crate::tables::{LogHead, Tables};

/// Events that are fetched at once.
const EVENTS_AT_ONCE: usize = 500;

/// How often to try whether a node is there, and the pause between.
const TURN_TRIES: u32 = 100;
const TURN_PAUSE: Duration = Duration::from_millis(100);

/// How long to wait for those who are writing.
const WRITERS_PATIENCE: &str = "SET LOCAL lock_timeout = '10s'";

/// A catalogue event comes before what was decided by it; else as it happened, each log in order.
const IN_ORDER: &str = "\
    SELECT tenant, revision, at_ms, catalogue, chain, event, transaction FROM plimsoll.event \
    ORDER BY CASE WHEN tenant = '' THEN revision ELSE catalogue END, tenant <> '', at_ms, \
    tenant, revision";

/// What all nodes have agreed upon, by name.
pub(crate) type Agreed = BTreeMap<String, Vec<u8>>;

/// An event, and the place that it has where it comes from.
pub(crate) struct Moved {
    pub(crate) written: Written,
    pub(crate) place: u64,
}

/// A database that is read as of one moment. Nobody writes to it meanwhile.
pub(crate) struct WholeDatabase {
    target: Target,
    session: Session,
    cursor: Cursor,
    heads: BTreeMap<String, LogHead>,
}

/// What is known of a database before its events are read.
pub(crate) struct Beforehand {
    pub(crate) agreed: Agreed,
    pub(crate) webhooks: Vec<Webhook>,
    /// How many events there are.
    pub(crate) events: u64,
}

impl WholeDatabase {
    /// Opens it.
    ///
    /// Errors: also where a node serves it.
    pub(crate) async fn open(options: &PostgresOptions) -> Result<(Self, Beforehand), StoreError> {
        let target = Target::patient(options, STATEMENT_PATIENCE)?;
        let session = schema::check_as_it_is(&target).await?;
        let begun = begin_reading(&session).await;
        let (cursor, beforehand) = match begun {
            Ok(Some(begun)) => begun,
            Ok(None) => return Err(target.error(SERVED, None)),
            Err(fault) => return Err(told(&target, fault)),
        };
        let it = Self {
            target,
            session,
            cursor,
            heads: BTreeMap::new(),
        };
        Ok((it, beforehand))
    }

    /// The events that come next, each checked to follow on the one before; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Vec<Moved>, StoreError> {
        let moved = self.some().await;
        moved.map_err(|fault| told(&self.target, fault))
    }

    async fn some(&mut self) -> Result<Vec<Moved>, Fault> {
        let mut some = Vec::new();
        while some.len() < EVENTS_AT_ONCE
            && let Some(row) = self.cursor.next(&self.session).await?
        {
            let (tenant, revision): (&str, i64) = (row.get(0), row.get(1));
            let wrong = |what: &dyn std::fmt::Display| {
                damaged(format!("revision {revision} of `{tenant}`: {what}"))
            };
            let head = self.heads.entry(tenant.to_owned()).or_default();
            let bytes: &[u8] = row.get(5);
            let chain = chained(&head.chain, bytes);
            let event = read_event(bytes).map_err(|damage| wrong(&damage))?;
            let follows = event.revision == head.head.revision + 1
                && event.revision == unsigned(revision)?
                && log_name(&event.log) == tenant
                && row.get::<_, &[u8]>(4) == chain;
            if !follows {
                return Err(wrong(&"it does not follow on the event before it"));
            }
            head.head.revision = event.revision;
            head.head.at = event.at;
            head.chain = chain;
            some.push(Moved {
                place: unsigned(row.get(6))?,
                written: Written {
                    event,
                    bytes: bytes.to_vec(),
                    chain,
                    catalogue: unsigned(row.get(3))?,
                },
            });
        }
        Ok(some)
    }
}

const SERVED: &str = "is being served by a node: stop all nodes first";

/// Keeps everybody from writing, and looks at what comes before the events; `None` where a node
/// is there.
async fn begin_reading(session: &Session) -> Result<Option<(Cursor, Beforehand)>, Fault> {
    session.begin(Transaction::Reading).await?;
    session.run(WRITERS_PATIENCE).await?;
    // Before anything is read, so that the moment lies behind what the last one wrote.
    let locked = session.run("LOCK TABLE plimsoll.log IN SHARE MODE").await;
    if matches!(locked, Err(Fault::Refused(_))) {
        return Ok(None);
    }
    locked?;
    if !has_turn(session).await? {
        return Ok(None);
    }
    let rows = session
        .rows("SELECT name, value FROM plimsoll.agreed", &[])
        .await?;
    let agreed = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let sql = "SELECT row FROM plimsoll.catalogue WHERE kind = 'webhook'";
    let mut webhooks = Vec::new();
    for row in session.rows(sql, &[]).await? {
        if let Change::Webhook(row) = read_change(row.get(0)).map_err(damaged)? {
            webhooks.push(*row);
        }
    }
    let sql = "SELECT coalesce(sum(revision), 0)::bigint FROM plimsoll.log";
    let rows = session.rows(sql, &[]).await?;
    let beforehand = Beforehand {
        agreed,
        webhooks,
        events: rows.first().map_or(Ok(0), |row| unsigned(row.get(0)))?,
    };
    let cursor = Cursor::open(session, "moved", IN_ORDER, EVENTS_AT_ONCE).await?;
    Ok(Some((cursor, beforehand)))
}

/// Takes the turn that one node of those who serve has, until the transaction ends; whether
/// nobody had it. A node that has just ended may have it for a moment.
async fn has_turn(session: &Session) -> Result<bool, Fault> {
    for _ in 0..TURN_TRIES {
        let rows = session.rows(TURN, &[]).await?;
        if rows.first().is_some_and(|row| row.get(0)) {
            return Ok(true);
        }
        tokio::time::sleep(TURN_PAUSE).await;
    }
    Ok(false)
}

/// A database that is being filled. Until it is whole, no node serves it.
pub(crate) struct NewDatabase {
    target: Target,
    session: Session,
    /// Has the turn, so that a node which runs already is noticed.
    _turn: Session,
    /// All rows as the events so far have left them.
    tables: Tables,
}

impl NewDatabase {
    /// Begins to fill it, or goes on; answers where its logs stand.
    ///
    /// Errors: also where it holds anything else, or a node serves it.
    pub(crate) async fn open(
        options: &PostgresOptions,
    ) -> Result<(Self, BTreeMap<String, LogHead>), StoreError> {
        let target = Target::patient(options, STATEMENT_PATIENCE)?;
        let session = schema::lay_out(&target).await?;
        let turn = schema::connect(&target).await?;
        let place = target.address.clone();
        let begun = begin_writing(&session, &turn).await;
        let heads = match begun.map_err(|fault| told(&target, fault))? {
            Begun::At(heads) => heads,
            Begun::Served => return Err(target.error(SERVED, None)),
            Begun::NotEmpty => return Err(StoreError::NotEmpty { place }),
        };
        let it = Self {
            target,
            session,
            _turn: turn,
            tables: Tables::default(),
        };
        Ok((it, heads))
    }

    /// Takes note of an event that is there already.
    pub(crate) fn skip(&mut self, written: Written) -> Result<(), StoreError> {
        let applied = self.tables.apply(written.event, written.chain);
        applied.map_err(|breach| told(&self.target, damaged(breach)))
    }

    /// Adds events in one transaction: when this returns, it is durable.
    pub(crate) async fn write(&mut self, events: Vec<Written>) -> Result<(), StoreError> {
        let done = async {
            self.begin_batch().await?;
            self.write_in_batch(&events).await?;
            commit(&self.session).await
        };
        let done = done.await;
        done.map_err(|fault| told(&self.target, fault))?;
        events
            .into_iter()
            .try_for_each(|written| self.skip(written))
    }

    /// Begins a transaction in which nobody else writes, and makes sure that nobody has.
    async fn begin_batch(&self) -> Result<(), Fault> {
        self.session.begin(Transaction::Writing).await?;
        let lock = "SELECT revision, at_ms, chain FROM plimsoll.log WHERE tenant = '' FOR UPDATE";
        let rows = self.session.rows(lock, &[]).await?;
        let row = rows
            .first()
            .ok_or_else(|| damaged("the catalogue's root row is missing"))?;
        if log_head(row, 0)? == self.tables.log(&Log::Catalogue) {
            Ok(())
        } else {
            Err(damaged("somebody else has written to it meanwhile"))
        }
    }

    async fn write_in_batch(&self, events: &[Written]) -> Result<(), Fault> {
        let writing = Writing::new(&self.tables, events, true);
        self.session.rows_of_each(&writing.statements()).await?;
        Ok(())
    }

    /// Proves it, as `plimsoll verify` does; answers where its logs stand.
    pub(crate) async fn verify(
        &self,
        progress: impl FnMut(u64, u64),
    ) -> Result<BTreeMap<String, LogHead>, StoreError> {
        let verified = verify_on(&self.session, Tips::default(), progress).await;
        let verified = verified.map_err(|fault| told(&self.target, fault))?;
        Ok(verified.logs)
    }

    /// Lets nodes serve it: adds what must be common to them, and what `last` makes of the place
    /// behind all events and of the places of some.
    pub(crate) async fn finish(
        self,
        agreed: &Agreed,
        wanted: &[(String, u64)],
        last: impl FnOnce(u64, &BTreeMap<(String, u64), u64>) -> Vec<Written>,
    ) -> Result<(), StoreError> {
        let done = self.finish_in_one(agreed, wanted, last).await;
        done.map_err(|fault| told(&self.target, fault))
    }

    async fn finish_in_one(
        &self,
        agreed: &Agreed,
        wanted: &[(String, u64)],
        last: impl FnOnce(u64, &BTreeMap<(String, u64), u64>) -> Vec<Written>,
    ) -> Result<(), Fault> {
        self.begin_batch().await?;
        let mut places = BTreeMap::new();
        let sql = "SELECT transaction FROM plimsoll.event WHERE tenant = $1 AND revision = $2";
        for (tenant, revision) in wanted {
            let number = i64::try_from(*revision).map_err(damaged)?;
            let parameters = [(tenant as _, Type::TEXT), (&number as _, Type::INT8)];
            if let Some(row) = self.session.rows(sql, &parameters).await?.first() {
                places.insert((tenant.clone(), *revision), unsigned(row.get(0))?);
            }
        }
        let sql = "SELECT pg_current_xact_id()::text::bigint";
        let rows = self.session.rows(sql, &[]).await?;
        let end = rows.first().map_or(Ok(0), |row| unsigned(row.get(0)))?;
        for (name, value) in agreed {
            let sql = "INSERT INTO plimsoll.agreed (name, value) VALUES ($1, $2)";
            let parameters = [(name as _, Type::TEXT), (value as _, Type::BYTEA)];
            self.session.rows(sql, &parameters).await?;
        }
        let sql = "DELETE FROM plimsoll.agreed WHERE name = $1";
        self.session
            .rows(sql, &[(&COPYING as _, Type::TEXT)])
            .await?;
        self.write_in_batch(&last(end, &places)).await?;
        commit(&self.session).await
    }
}

/// What was found where a ledger is to be.
enum Begun {
    /// Nothing, or the beginning of a copy.
    At(BTreeMap<String, LogHead>),
    NotEmpty,
    Served,
}

async fn begin_writing(session: &Session, turn: &Session) -> Result<Begun, Fault> {
    turn.begin(Transaction::Reading).await?;
    if !has_turn(turn).await? {
        return Ok(Begun::Served);
    }
    session.begin(Transaction::Writing).await?;
    let sql = "SELECT EXISTS (SELECT FROM plimsoll.agreed WHERE name = $1), \
               EXISTS (SELECT FROM plimsoll.agreed) OR EXISTS (SELECT FROM plimsoll.event) \
               OR EXISTS (SELECT FROM plimsoll.log WHERE tenant <> '')";
    let rows = session.rows(sql, &[(&COPYING as _, Type::TEXT)]).await?;
    let (is_begun, holds_any) = rows
        .first()
        .map_or((false, true), |row| (row.get(0), row.get(1)));
    if holds_any && !is_begun {
        return Ok(Begun::NotEmpty);
    }
    if !is_begun {
        let sql = "INSERT INTO plimsoll.agreed (name, value) VALUES ($1, '')";
        session.rows(sql, &[(&COPYING as _, Type::TEXT)]).await?;
    }
    let sql = "SELECT tenant, revision, at_ms, chain FROM plimsoll.log WHERE 0 < revision";
    let mut heads = BTreeMap::new();
    for row in session.rows(sql, &[]).await? {
        heads.insert(row.get(0), log_head(&row, 1)?);
    }
    commit(session).await?;
    Ok(Begun::At(heads))
}

async fn commit(session: &Session) -> Result<(), Fault> {
    session.commit().await.map_err(|fault| match fault {
        CommitFault::Lost(error) => Fault::Lost(error),
        // It may not be on a standby: what is there is looked at by the next attempt.
        CommitFault::Warned => Fault::Lost(None),
        CommitFault::Refused(fault) => fault,
    })
}
