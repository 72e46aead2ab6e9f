//! From the database to the few rows that a batch or a reader needs.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use plimsoll_core::amount::Timestamp;
use plimsoll_core::bounds::{EXPIRE_HOLDS_MAX, FITS_AT_HOLDS_MAX, FORGET_RESERVATIONS_MAX};
use plimsoll_core::event::{Change, Head, Log};
use plimsoll_core::names::ScopeId;
use plimsoll_core::rows::{Rows, path};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::Node;
use super::names::{Places, Wanted, damaged, scope_id};
use super::session::{Fault, Session, Transaction, texts};
use crate::record::read_change;
use crate::tables::{LogHead, Tables};

/// How the rows are to be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    /// As of now, without a transaction: what is of no tenant.
    NoTenant,
    /// As of the transaction's moment.
    Nothing,
    /// In a transaction that is under way and has locked the root rows of all tenants.
    Taken,
    /// The root rows of all tenants first, in order.
    Tenants,
    /// And then that of the catalogue.
    TenantsAndCatalogue,
}

/// The catalogue as a node remembers it.
#[derive(Debug, Default)]
pub(super) struct CatalogueKnown(Mutex<Arc<Tables>>);

impl CatalogueKnown {
    fn latest(&self) -> Arc<Tables> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&known)
    }

    fn replace(&self, tables: Arc<Tables>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = tables;
    }

    /// The catalogue where its log stands like this.
    async fn at(&self, session: &Session, head: LogHead) -> Result<Arc<Tables>, Fault> {
        let known = self.latest();
        if known.log(&Log::Catalogue) == head {
            return Ok(known);
        }
        let sql = "SELECT c.row, l.revision, l.at_ms, l.chain FROM plimsoll.log l \
                   LEFT JOIN plimsoll.catalogue c ON true WHERE l.tenant = ''";
        let mut tables = Tables::default();
        for row in session.rows(sql, &[]).await? {
            if let Some(bytes) = row.get::<_, Option<&[u8]>>(0) {
                tables.put(read_change(bytes).map_err(damaged)?);
            }
            tables.put_log(Log::Catalogue, log_head(&row, 1)?);
        }
        let tables = Arc::new(tables);
        self.replace(Arc::clone(&tables));
        Ok(tables)
    }
}

/// Where a log stands, from three columns.
pub(super) fn log_head(row: &Row, first: usize) -> Result<LogHead, Fault> {
    let head = Head {
        revision: unsigned(row.get(first))?,
        at: instant(row.get(first + 1))?,
    };
    let chain: &[u8] = row.get(first + 2);
    let chain = chain.try_into().map_err(damaged)?;
    Ok(LogHead { head, chain })
}

pub(super) fn unsigned(value: i64) -> Result<u64, Fault> {
    u64::try_from(value).map_err(damaged)
}

fn instant(ms: i64) -> Result<Timestamp, Fault> {
    let at = Timestamp::from_ms(unsigned(ms)?);
    at.ok_or_else(|| damaged("an instant is out of range"))
}

/// Where logs stand, as they were read.
#[derive(Debug, Default)]
struct Heads {
    catalogue: LogHead,
    tenants: Vec<(ScopeId, LogHead)>,
}

/// Starts a transaction and takes its locks; reads where the logs stand then.
async fn begin(session: &Session, wanted: &Wanted, lock: Lock) -> Result<Heads, Fault> {
    let kind = match lock {
        Lock::NoTenant | Lock::Taken => None,
        Lock::Nothing => Some(Transaction::Reading),
        Lock::Tenants | Lock::TenantsAndCatalogue => Some(Transaction::Writing),
    };
    let begin = async {
        match kind {
            Some(kind) => session.begin(kind).await,
            None => Ok(()),
        }
    };
    let tenants = wanted.tenants();
    // Sent in this order, in one round trip.
    let ((), heads) = tokio::try_join!(begin, heads(session, &tenants, lock))?;
    Ok(heads)
}

/// Starts a transaction and loads what the footprints name, holds and ended reservations aside.
pub(super) async fn load(
    session: &Session,
    node: &Node,
    wanted: &Wanted,
    lock: Lock,
) -> Result<Tables, Fault> {
    let foreseen = wanted.foreseen(&node.scopes, &node.catalogue.latest());
    // Sent in this order, in one round trip: what is loaded is loaded under the locks.
    let (heads, rows, of_places) = tokio::try_join!(
        begin(session, wanted, lock),
        named(session, wanted),
        place_rows(session, &foreseen)
    )?;
    let catalogue = node.catalogue.at(session, heads.catalogue).await?;
    let mut tables = Tables::with_catalogue_of(&catalogue);
    for (tenant, head) in heads.tenants {
        tables.put_log(Log::Tenant(tenant), head);
    }
    put_rows(&mut tables, &rows)?;
    put_rows(&mut tables, &of_places)?;
    load_unforeseen(session, node, wanted, &mut tables, &foreseen).await?;
    Ok(tables)
}

/// Loads more in the same transaction, of the tenants that are locked already.
pub(super) async fn load_more(
    session: &Session,
    node: &Node,
    wanted: &Wanted,
    tables: &mut Tables,
) -> Result<(), Fault> {
    let foreseen = wanted.foreseen(&node.scopes, tables);
    let (rows, of_places) =
        tokio::try_join!(named(session, wanted), place_rows(session, &foreseen))?;
    put_rows(tables, &rows)?;
    put_rows(tables, &of_places)?;
    load_unforeseen(session, node, wanted, tables, &foreseen).await
}

async fn load_unforeseen(
    session: &Session,
    node: &Node,
    wanted: &Wanted,
    tables: &mut Tables,
    foreseen: &Places,
) -> Result<(), Fault> {
    let others = wanted.places(tables, &node.scopes).without(foreseen);
    load_places(session, tables, &others).await
}

/// Where the logs stand, that of the catalogue last.
async fn heads(session: &Session, tenants: &[&str], lock: Lock) -> Result<Heads, Fault> {
    let locks_tenants = matches!(lock, Lock::Tenants | Lock::TenantsAndCatalogue);
    let locks_catalogue = lock == Lock::TenantsAndCatalogue;
    let sql = "SELECT log, revision, at_ms, chain FROM plimsoll.heads($1, $2, $3)";
    let parameters = [
        texts(&tenants),
        (&locks_tenants as _, Type::BOOL),
        (&locks_catalogue as _, Type::BOOL),
    ];
    let mut heads = Heads::default();
    for row in session.rows(sql, &parameters).await? {
        let head = log_head(&row, 1)?;
        match row.get(0) {
            "" => heads.catalogue = head,
            tenant => heads.tenants.push((scope_id(tenant)?, head)),
        }
    }
    Ok(heads)
}

/// The rows that are named by their ids, each scope with those above it, the highest first.
///
/// Only of the tenants whose root rows are locked: what appears meanwhile is not there.
async fn named(session: &Session, wanted: &Wanted) -> Result<Vec<Row>, Fault> {
    let (tenants, scopes) = (wanted.tenants(), wanted.scopes());
    let (of_tenant, ids) = wanted.reservations();
    let (requests, principals) = (wanted.requests(), wanted.principals());
    let requests_of = wanted.tenants_in(|it| &it.requests_of);
    let requests_of: Vec<&str> = requests_of.into_keys().collect();
    let lists = [
        &tenants,
        &scopes,
        &of_tenant,
        &ids,
        &requests,
        &requests_of,
        &principals,
    ];
    if lists.iter().all(|list| list.is_empty()) {
        return Ok(Vec::new());
    }
    let sql = "SELECT * FROM plimsoll.named($1, $2, $3, $4, $5, $6, $7)";
    session.rows(sql, &lists.map(texts)).await
}

/// Loads limits, accounts and tallies.
async fn load_places(session: &Session, tables: &mut Tables, places: &Places) -> Result<(), Fault> {
    put_rows(tables, &place_rows(session, places).await?)
}

/// Limits, accounts and tallies. Those for any location come along with those for one.
async fn place_rows(session: &Session, places: &Places) -> Result<Vec<Row>, Fault> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let mut keys = BTreeSet::new();
    for (scope, item) in &places.items {
        let location = item.location.as_ref().map_or("", |id| id.as_str());
        for location in [location, ""] {
            keys.insert([scope.as_str(), item.resource.as_str(), location]);
        }
    }
    let column = |index: usize| -> Vec<&str> { keys.iter().map(|key| key[index]).collect() };
    let whole: Vec<&str> = places.scopes.iter().map(|id| id.as_str()).collect();
    let lists = [&column(0), &column(1), &column(2), &whole];
    let sql = "SELECT * FROM plimsoll.places($1, $2, $3, $4)";
    session.rows(sql, &lists.map(texts)).await
}

/// Loads the holds that the footprints may need: those that are due, and some that will be, each
/// with its scopes and accounts.
///
/// In a batch each command may let some lapse, and take some away from those that will.
pub(super) async fn load_holds(
    session: &Session,
    tables: &mut Tables,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<(), Fault> {
    let commands = i64::try_from(wanted.footprints.len()).unwrap_or(i64::MAX);
    let counts = wanted.tenants_in(|it| &it.holds_of);
    let due_max = |count: i64| count.saturating_mul(i64::try_from(EXPIRE_HOLDS_MAX).unwrap_or(0));
    let other_max = commands.saturating_add(i64::try_from(FITS_AT_HOLDS_MAX).unwrap_or(0));
    let tenants: Vec<&str> = counts.keys().copied().collect();
    let due_max: Vec<i64> = counts.values().map(|count| due_max(*count)).collect();
    // The time of a log may be ahead of the clock.
    let heads = counts.keys().map(|tenant| {
        let log = scope_id(tenant).map(Log::Tenant)?;
        let at = tables.head(&log).at.max(now);
        i64::try_from(at.ms()).map_err(damaged)
    });
    let heads: Vec<i64> = heads.collect::<Result<_, Fault>>()?;
    let holds = "FROM plimsoll.reservation r \
                 WHERE r.tenant = k.tenant AND r.expires_at_ms IS NOT NULL";
    let order = "ORDER BY r.expires_at_ms, r.id";
    let found = format!(
        "SELECT h.scope, h.row FROM unnest($1, $2, $3) AS k (tenant, due_max, now_ms), \
         LATERAL ((SELECT r.scope, r.row {holds} AND r.expires_at_ms <= k.now_ms {order} \
                   LIMIT k.due_max) \
             UNION ALL (SELECT r.scope, r.row {holds} AND k.now_ms < r.expires_at_ms {order} \
                   LIMIT $4)) AS h"
    );
    let parameters = [
        texts(&tenants),
        (&due_max as _, Type::INT8_ARRAY),
        (&heads as _, Type::INT8_ARRAY),
        (&other_max as _, Type::INT8),
    ];
    let rows = session.rows(&found, &parameters).await?;
    let scopes: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    let sql = "SELECT row FROM plimsoll.scope WHERE id = ANY(ARRAY( \
               SELECT unnest(above) FROM plimsoll.scope WHERE id = ANY($1))) \
               ORDER BY cardinality(above)";
    put_rows(tables, &session.rows(sql, &[texts(&scopes)]).await?)?;
    let mut places = Places::default();
    for row in &rows {
        let Change::Reservation(hold) = read_change(row.get(1)).map_err(damaged)? else {
            return Err(damaged("a reservation is none"));
        };
        if let Some(scope) = tables.scope(&hold.scope) {
            for above in path(tables, scope) {
                let items = hold.lines.iter().map(|line| line.item.clone());
                places
                    .items
                    .extend(items.map(|item| (above.id.clone(), item)));
            }
        }
        tables.put(Change::Reservation(hold));
    }
    load_places(session, tables, &places).await
}

/// Loads the reservations that the footprints may need because they have ended, the earliest.
pub(super) async fn load_ended(
    session: &Session,
    tables: &mut Tables,
    wanted: &Wanted,
) -> Result<(), Fault> {
    let counts = wanted.tenants_in(|it| &it.ended_of);
    if counts.is_empty() {
        return Ok(());
    }
    let commands = i64::try_from(wanted.footprints.len()).unwrap_or(i64::MAX);
    let forgotten = |count: i64| {
        let each = i64::try_from(FORGET_RESERVATIONS_MAX).unwrap_or(0);
        count.saturating_mul(each).saturating_add(commands)
    };
    let tenants: Vec<&str> = counts.keys().copied().collect();
    let most: Vec<i64> = counts.values().map(|count| forgotten(*count)).collect();
    let sql = "SELECT e.row FROM unnest($1, $2) AS k (tenant, most), \
               LATERAL (SELECT r.row FROM plimsoll.reservation r \
                   WHERE r.tenant = k.tenant AND r.ended_at_ms IS NOT NULL \
                   ORDER BY r.ended_at_ms, r.id LIMIT k.most) AS e";
    let parameters = [texts(&tenants), (&most as _, Type::INT8_ARRAY)];
    put_rows(tables, &session.rows(sql, &parameters).await?)
}

/// Puts whole rows, each in its first column.
pub(super) fn put_rows(tables: &mut Tables, rows: &[Row]) -> Result<(), Fault> {
    for row in rows {
        tables.put(read_change(row.get(0)).map_err(damaged)?);
    }
    Ok(())
}
