//! From the database to the few rows that a batch or a reader needs.

use std::sync::{Arc, Mutex, PoisonError};

use plimsoll_core::amount::Timestamp;
use plimsoll_core::bounds::{EXPIRE_HOLDS_MAX, FITS_AT_HOLDS_MAX, FORGET_RESERVATIONS_MAX};
use plimsoll_core::event::{Change, Head, Log};
use plimsoll_core::rows::{Rows, path};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::names::{Places, Wanted, damaged, scope_id};
use super::session::{Fault, Session, Statement, Transaction, texts};
use crate::record::read_change;
use crate::tables::{LogHead, Tables};

/// How the rows are to be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    /// As of now, without a transaction: what is of no tenant.
    NoTenant,
    /// As of the transaction's moment.
    Nothing,
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

/// Starts a transaction and loads what the footprints name, holds and ended reservations aside.
pub(super) async fn load(
    session: &Session,
    catalogue: &CatalogueKnown,
    wanted: &Wanted,
    lock: Lock,
) -> Result<Tables, Fault> {
    let kind = match lock {
        Lock::NoTenant => None,
        Lock::Nothing => Some(Transaction::Reading),
        Lock::Tenants | Lock::TenantsAndCatalogue => Some(Transaction::Writing),
    };
    let begin = async {
        match kind {
            Some(kind) => session.begin(kind).await,
            None => Ok(()),
        }
    };
    let heads = heads(session, wanted, lock);
    let named = named(session, wanted);
    // Sent in this order, in one round trip.
    let ((), heads, rows) = tokio::try_join!(begin, heads, named)?;
    let mut at = LogHead::default();
    let mut logs = Vec::new();
    for row in &heads {
        let head = log_head(row, 1)?;
        match row.get(0) {
            "" => at = head,
            tenant => logs.push((Log::Tenant(scope_id(tenant)?), head)),
        }
    }
    let mut tables = Tables::with_catalogue_of(&*catalogue.at(session, at).await?);
    for (log, head) in logs {
        tables.put_log(log, head);
    }
    put_rows(&mut tables, &rows)?;
    let places = wanted.places(&tables);
    load_places(session, &mut tables, &places).await?;
    Ok(tables)
}

/// Where the logs stand, that of the catalogue last.
async fn heads(session: &Session, wanted: &Wanted, lock: Lock) -> Result<Vec<Row>, Fault> {
    let tenants = wanted.tenants();
    let of_tenants = "SELECT tenant, revision, at_ms, chain FROM plimsoll.log \
                      WHERE tenant = ANY($1) ORDER BY tenant";
    let of_catalogue = "SELECT tenant, revision, at_ms, chain FROM plimsoll.log WHERE tenant = ''";
    let locked = |sql: &str| format!("{sql} FOR UPDATE");
    let (of_tenants, of_catalogue) = match lock {
        Lock::NoTenant | Lock::Nothing => (of_tenants.to_owned(), of_catalogue.to_owned()),
        Lock::Tenants => (locked(of_tenants), of_catalogue.to_owned()),
        Lock::TenantsAndCatalogue => (locked(of_tenants), locked(of_catalogue)),
    };
    let mut statements = Vec::new();
    if !tenants.is_empty() {
        statements.push(Statement::new(&of_tenants, vec![texts(&tenants)]));
    }
    statements.push(Statement::new(&of_catalogue, Vec::new()));
    session.all_rows(&statements).await
}

/// The rows that are named by their ids, each scope with those above it, the highest first.
///
/// Only of the tenants whose root rows are locked: what appears meanwhile is not there.
async fn named(session: &Session, wanted: &Wanted) -> Result<Vec<Row>, Fault> {
    let tenants = wanted.tenants();
    let scopes = wanted.scopes();
    let (of_tenant, ids) = wanted.reservations();
    let (requests, principals) = (wanted.requests(), wanted.principals());
    let requests_of = wanted.tenants_in(|it| &it.requests_of);
    let requests_of: Vec<&str> = requests_of.into_keys().collect();
    let with_those_above = "SELECT s.row FROM plimsoll.scope s WHERE s.tenant = ANY($1) \
        AND s.id = ANY(ARRAY(SELECT unnest(named.above) FROM plimsoll.scope named \
            WHERE named.id = ANY($2) \
            OR named.id = ANY(ARRAY(SELECT r.scope FROM unnest($3, $4) AS k (tenant, id) \
                JOIN plimsoll.reservation r ON r.id = k.id AND r.tenant = k.tenant)) \
            OR named.id = ANY(ARRAY(SELECT q.scope FROM plimsoll.request q \
                WHERE q.id = ANY($5))))) \
        ORDER BY cardinality(s.above)";
    let lists = [&tenants, &scopes, &of_tenant, &ids, &requests];
    let mut statements = Vec::new();
    if !tenants.is_empty() {
        statements.push(Statement::new(with_those_above, lists.map(texts).into()));
    }
    if !scopes.is_empty() {
        // Whether there are scopes below one shows by any of them.
        let sql = "SELECT below.row FROM unnest($1) AS k (id), LATERAL \
                   (SELECT row FROM plimsoll.scope WHERE parent = k.id LIMIT 1) AS below";
        statements.push(Statement::new(sql, vec![texts(&scopes)]));
    }
    if !ids.is_empty() {
        let sql = "SELECT r.row FROM unnest($1, $2) AS k (tenant, id) \
                   JOIN plimsoll.reservation r ON r.id = k.id AND r.tenant = k.tenant";
        statements.push(Statement::new(sql, [&of_tenant, &ids].map(texts).into()));
    }
    if !requests.is_empty() || !requests_of.is_empty() {
        let sql = "SELECT row FROM plimsoll.request \
                   WHERE id = ANY($1) AND tenant = ANY($2) OR tenant = ANY($3)";
        let lists = [&requests, &tenants, &requests_of];
        statements.push(Statement::new(sql, lists.map(texts).into()));
    }
    if !principals.is_empty() {
        let sql = "SELECT row FROM plimsoll.principal WHERE id = ANY($1)";
        statements.push(Statement::new(sql, vec![texts(&principals)]));
    }
    session.all_rows(&statements).await
}

/// Loads limits, accounts and tallies.
///
/// Limits for any location come along with those for one.
async fn load_places(session: &Session, tables: &mut Tables, places: &Places) -> Result<(), Fault> {
    const OF: [&str; 3] = ["limits", "account", "tally"];
    let mut columns: [Vec<&str>; 3] = Default::default();
    for (scope, item) in &places.items {
        let location = item.location.as_ref().map_or("", |id| id.as_str());
        for location in [location, ""] {
            let key = [scope.as_str(), item.resource.as_str(), location];
            columns
                .iter_mut()
                .zip(key)
                .for_each(|(column, value)| column.push(value));
            if location.is_empty() {
                break;
            }
        }
    }
    let scopes: Vec<&str> = places.scopes.iter().map(|id| id.as_str()).collect();
    let by_item = OF.map(|of| {
        format!(
            "SELECT t.row FROM (SELECT DISTINCT * FROM unnest($1, $2, $3) \
                AS k (scope, resource, location)) AS k \
             JOIN plimsoll.{of} t ON t.scope = k.scope AND t.resource = k.resource \
                AND t.location = k.location"
        )
    });
    let by_scope = OF.map(|of| format!("SELECT row FROM plimsoll.{of} WHERE scope = ANY($1)"));
    let mut statements = Vec::new();
    if !places.items.is_empty() {
        let parameters = || columns.iter().map(texts).collect();
        statements.extend(by_item.iter().map(|sql| Statement::new(sql, parameters())));
    }
    if !scopes.is_empty() {
        let parameters = || vec![texts(&scopes)];
        statements.extend(by_scope.iter().map(|sql| Statement::new(sql, parameters())));
    }
    put_rows(tables, &session.all_rows(&statements).await?)
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
