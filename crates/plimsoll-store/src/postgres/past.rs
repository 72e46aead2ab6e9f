//! What was, and what has become durable: on this node and on the others.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::event::{Change, Event, Head, Log};
use plimsoll_core::names::ScopeId;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::load::unsigned;
use super::names::damaged;
use super::replica::Standing;
use super::schema;
use super::session::{Fault, Session, Transaction};
use super::{LOOK_INTERVAL, LOOK_PAUSE, Node, Postgres};
use crate::history::{AsOf, EVENTS_PAGE_MAX, RowsThen};
use crate::record::log_name;
use crate::record::read_event;
use crate::store::StoreError;
use crate::tables::{LogHead, Tables};

/// Transactions that have ended, and with them all before: what a later one writes comes behind.
const ENDED: &str = "transaction < pg_snapshot_xmin(pg_current_snapshot())::text::bigint";

/// Whose turn it is. A lock of the transaction, so that it also works through a pooler; it takes no
/// number, so that it holds up nobody's order. The number is the project's first eight letters, and
/// one more.
pub(super) const TURN: &str = "SELECT pg_try_advisory_xact_lock(x'706c696d736f6c6d'::bigint)";

/// Keeps an eye on the database for as long as the node runs: whether it serves, what others have
/// written, and whether it is this node's turn to do what only one is to do.
///
/// All in one transaction: with it ends the turn. A node that is frozen loses it after a while.
pub(super) async fn watch(node: Arc<Node>, first: Session) {
    let mut session = begun(&node, first).await.ok();
    loop {
        // What is written one after the other is looked for once.
        tokio::time::sleep(LOOK_PAUSE).await;
        tokio::select! {
            () = tokio::time::sleep(LOOK_INTERVAL - LOOK_PAUSE) => {}
            () = node.has_written.notified() => {}
        }
        let looked = look(&node, &mut session).await;
        if looked.is_err() {
            node.turn.send_replace(false);
        }
        let was_serving = node.is_serving.swap(looked.is_ok(), Ordering::AcqRel);
        match looked {
            Ok(()) if was_serving => {}
            Ok(()) => tracing::warn!("the database is back: the node serves again"),
            Err(error) if was_serving => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(
                    error,
                    "the node does not serve: its database is away, or not for it"
                );
            }
            Err(_) => {}
        }
    }
}

/// A session in the transaction in which the database is watched.
async fn begun(node: &Node, session: Session) -> Result<Session, StoreError> {
    let begun = session.begin(Transaction::Writing).await;
    begun.map_err(|_| StoreError::Unavailable)?;
    let announced = schema::announce(&node.target, &session).await;
    announced.map_err(|_| StoreError::Unavailable)?;
    Ok(session)
}

async fn look(node: &Node, session: &mut Option<Session>) -> Result<(), StoreError> {
    let current = match session.take().filter(Session::is_open) {
        Some(session) => session,
        None => {
            node.turn.send_replace(false);
            if let Some(replica) = &node.replica {
                replica.forget();
            }
            let session = schema::check(node.target.clone()).await?;
            // It may be another database now, or an older state of this one.
            node.scopes.clear();
            begun(node, session).await?
        }
    };
    let unavailable = |_| StoreError::Unavailable;
    let asked_at = node.clock.now();
    let standing = async {
        match &node.replica {
            Some(_) => Standing::of_primary(&current).await.map(Some),
            None => Ok(None),
        }
    };
    // One round trip, behind which no lock of a table stays.
    let looked = tokio::join!(
        current.run("SAVEPOINT look"),
        last_place(&current),
        schema::still_serves(&node.target, &current),
        standing,
        current.run("ROLLBACK TO SAVEPOINT look"),
    );
    let (begun, place, serves, standing, ended) = looked;
    let place = begun.and(place).map_err(unavailable)?;
    serves?;
    let standing = standing.and_then(|standing| ended.map(|()| standing));
    if let (Some(standing), Some(replica)) = (standing.map_err(unavailable)?, &node.replica) {
        replica.mark(&standing, asked_at);
    }
    if !*node.turn.borrow() {
        let rows = current.rows(TURN, &[]).await.map_err(unavailable)?;
        let is_mine = rows.first().is_some_and(|row| row.get(0));
        node.turn
            .send_if_modified(|turn| std::mem::replace(turn, is_mine) != is_mine);
    }
    if node.news.place() < place {
        node.news.go_on_at(place);
    }
    *session = Some(current);
    Ok(())
}

/// The last transaction that wrote events and behind which none can come before it any more.
pub(super) async fn last_place(session: &Session) -> Result<u64, Fault> {
    // Planned in half of the time that `max()` takes.
    let sql = format!(
        "SELECT transaction FROM plimsoll.event WHERE {ENDED} ORDER BY transaction DESC LIMIT 1"
    );
    let rows = session.rows(&sql, &[]).await?;
    let last = rows.first().map(|row| unsigned(row.get(0)));
    last.unwrap_or(Ok(0))
}

fn event_in(row: &Row, column: usize) -> Result<Event, Fault> {
    read_event(row.get(column)).map_err(damaged)
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Postgres {
    pub(crate) async fn events(
        &self,
        log: &Log,
        after: u64,
        max: usize,
    ) -> Result<Vec<Event>, StoreError> {
        self.here(async {
            let lease = self.lease().await?;
            let head = u64::MAX;
            let events = page(lease.session(), log, after, head, max.min(EVENTS_PAGE_MAX)).await;
            lease.end(events)
        })
        .await
    }

    pub(crate) async fn events_behind(
        &self,
        place: u64,
        max: usize,
    ) -> Result<(Vec<Event>, u64), StoreError> {
        let end = self.node.news.place().max(place);
        let found = self
            .here(async {
                let lease = self.lease().await?;
                let found = behind(lease.session(), place, max.min(EVENTS_PAGE_MAX)).await;
                lease.end(found)
            })
            .await?;
        Ok(found.unwrap_or((Vec::new(), end)))
    }

    pub(crate) async fn place(&self) -> Result<u64, StoreError> {
        self.here(async {
            let lease = self.lease().await?;
            let place = last_place(lease.session()).await;
            lease.end(place)
        })
        .await
    }

    /// The rows at a moment of a tenant's log, and where the log then stood; `None` before its
    /// first event.
    pub(crate) async fn as_of(
        &self,
        tenant: &ScopeId,
        as_of: AsOf,
    ) -> Result<Option<RowsThen>, StoreError> {
        self.here(async {
            let lease = self.lease().await?;
            let rows = replayed(lease.session(), tenant, as_of).await;
            lease.end(rows)
        })
        .await
    }
}

/// Events of a log behind one revision and up to another.
async fn page(
    session: &Session,
    log: &Log,
    after: u64,
    head: u64,
    max: usize,
) -> Result<Vec<Event>, Fault> {
    let sql = "SELECT event FROM plimsoll.event WHERE tenant = $1 \
               AND $2 < revision AND revision <= $3 ORDER BY revision LIMIT $4";
    let (name, max) = (log_name(log), i64::try_from(max).unwrap_or(i64::MAX));
    let (after, head) = (number(after), number(head));
    let parameters = [
        (&name as _, Type::TEXT),
        (&after as _, Type::INT8),
        (&head as _, Type::INT8),
        (&max as _, Type::INT8),
    ];
    let rows = session.rows(sql, &parameters).await?;
    rows.iter().map(|row| event_in(row, 0)).collect()
}

/// Whole transactions behind one; `None` where there are none.
async fn behind(
    session: &Session,
    place: u64,
    max: usize,
) -> Result<Option<(Vec<Event>, u64)>, Fault> {
    let order = "ORDER BY transaction, tenant, revision";
    let some = format!(
        "SELECT transaction, event FROM plimsoll.event WHERE $1 < transaction AND {ENDED} {order} \
         LIMIT $2"
    );
    let (place, one_more) = (number(place), number(max as u64 + 1));
    let parameters = [(&place as _, Type::INT8), (&one_more as _, Type::INT8)];
    let mut rows = session.rows(&some, &parameters).await?;
    let transaction = |row: &Row| row.get::<_, i64>(0);
    let (Some(first), Some(last)) = (rows.first().map(transaction), rows.last().map(transaction))
    else {
        return Ok(None);
    };
    if max < rows.len() {
        // The last one may go on.
        rows.retain(|row| transaction(row) < last);
    }
    if rows.is_empty() {
        let all =
            format!("SELECT transaction, event FROM plimsoll.event WHERE transaction = $1 {order}");
        rows = session.rows(&all, &[(&first as _, Type::INT8)]).await?;
    }
    let place = rows.last().map_or(place, transaction);
    let events = rows.iter().map(|row| event_in(row, 1));
    Ok(Some((
        events.collect::<Result<_, Fault>>()?,
        unsigned(place)?,
    )))
}

/// Everything that a tenant's log and the catalogue's had made by then.
async fn replayed(
    session: &Session,
    tenant: &ScopeId,
    as_of: AsOf,
) -> Result<Option<RowsThen>, Fault> {
    let log = Log::Tenant(tenant.clone());
    let Some((head, mut catalogue)) = moment(session, &log, as_of).await? else {
        return Ok(None);
    };
    if let AsOf::Instant(_) = as_of
        && let Some((then, _)) = moment(session, &Log::Catalogue, as_of).await?
    {
        catalogue = catalogue.max(then.revision);
    }
    let mut tables = Tables::default();
    for (log, last) in [(&Log::Catalogue, catalogue), (&log, head.revision)] {
        let mut after = 0;
        while after < last {
            let events = page(session, log, after, last, EVENTS_PAGE_MAX).await?;
            let Some(end) = events.last() else {
                return Err(damaged("a log has a gap"));
            };
            after = end.revision;
            events
                .into_iter()
                .flat_map(|event| event.changes)
                .for_each(|change| {
                    if is_told(&change) {
                        tables.put(change);
                    }
                });
        }
    }
    let at = LogHead {
        head,
        ..LogHead::default()
    };
    tables.put_log(log, at);
    Ok(Some(RowsThen { tables, head }))
}

/// Where a log stood, and the catalogue's revision for it.
async fn moment(session: &Session, log: &Log, as_of: AsOf) -> Result<Option<(Head, u64)>, Fault> {
    let (what, value) = match as_of {
        AsOf::Revision(revision) => ("revision", revision),
        AsOf::Instant(instant) => ("at_ms", instant.ms()),
    };
    let sql = format!(
        "SELECT revision, at_ms, catalogue FROM plimsoll.event WHERE tenant = $1 \
         AND {what} <= $2 ORDER BY revision DESC LIMIT 1"
    );
    let (name, value) = (log_name(log), number(value));
    let parameters = [(&name as _, Type::TEXT), (&value as _, Type::INT8)];
    let rows = session.rows(&sql, &parameters).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let head = Head {
        revision: unsigned(row.get(0))?,
        at: Timestamp::default().after_ms(unsigned(row.get(1))?),
    };
    Ok(Some((head, unsigned(row.get(2))?)))
}

/// Whether a change is of what quotas need.
fn is_told(change: &Change) -> bool {
    match change {
        Change::Resource(_)
        | Change::Location(_)
        | Change::Scope(_)
        | Change::Tier(_)
        | Change::Limits { .. }
        | Change::Account { .. }
        | Change::Tally { .. } => true,
        Change::Webhook(_)
        | Change::WebhookGone(_)
        | Change::Request(_)
        | Change::RequestGone { .. }
        | Change::Reservation(_)
        | Change::ReservationGone(_)
        | Change::Principal(_)
        | Change::PrincipalGone(_) => false,
    }
}
