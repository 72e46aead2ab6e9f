//! Pages: the rows of one page are loaded, and listed as every store lists them.

use std::sync::Arc;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::event::Change;
use plimsoll_core::model::{Item, Principal, Reach, Request, Reservation, Scope};
use plimsoll_core::names::{PrincipalId, RequestId, ReservationId, ResourceName, ScopeId};
use plimsoll_core::report::ReservationFilter;
use plimsoll_core::rows::Footprint;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::Postgres;
use super::load::put_rows;
use super::names::{damaged, scope_id};
use super::session::{BY_INDEX, Fault, Parameter, Session, Transaction};
use crate::list::{LimitsOfItem, Page, ReservationPage};
use crate::record::read_change;
use crate::store::StoreError;
use crate::tables::Tables;

/// Reservations looked at for one page.
const RESERVATIONS_SCAN_MAX: i64 = 2_000;

fn size_of<K>(page: &Page<K>) -> i64 {
    i64::try_from(page.size).unwrap_or(i64::MAX)
}

fn one_text<'a>(value: &'a &'a str) -> Parameter<'a> {
    (value, Type::TEXT)
}

/// What a list starts behind: every name is behind the empty one.
fn after<'a, K>(page: &'a Page<K>, name: impl Fn(&'a K) -> &'a str) -> &'a str {
    page.after.as_ref().map_or("", name)
}

fn reservation_in(row: &Row) -> Result<Reservation, Fault> {
    match read_change(row.get(0)).map_err(damaged)? {
        Change::Reservation(row) => Ok(Arc::unwrap_or_clone(row)),
        _ => Err(damaged("a reservation is none")),
    }
}

/// A footprint of scopes alone.
fn scopes_alone<'a>(scopes: impl IntoIterator<Item = &'a ScopeId>) -> Footprint {
    Footprint {
        scopes: scopes.into_iter().cloned().collect(),
        ..Footprint::default()
    }
}

impl Postgres {
    /// Adds whole rows to some that were read.
    async fn add(
        &self,
        tables: &mut Tables,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<(), StoreError> {
        let put = |rows: Vec<Row>| put_rows(tables, &rows);
        self.select(sql, parameters, put).await
    }

    pub(crate) async fn list_scopes(
        &self,
        reach: &Reach,
        parent: Option<&ScopeId>,
        page: &Page<ScopeId>,
    ) -> Result<Vec<Scope>, StoreError> {
        let top = match reach {
            Reach::Everything => None,
            Reach::Below(top) => Some(top),
        };
        let named = scopes_alone(top.into_iter().chain(parent));
        let mut tables = self.read(named).await?;
        let (behind, size) = (after(page, ScopeId::as_str), size_of(page));
        // A page, with what is above it, the highest first.
        let listed = |which: &str| {
            format!(
                "SELECT row FROM plimsoll.scope WHERE id = ANY(ARRAY(SELECT unnest(p.above) FROM \
                 (SELECT above FROM plimsoll.scope WHERE $1 < id AND {which} ORDER BY id LIMIT $2) \
                 AS p)) ORDER BY cardinality(above)"
            )
        };
        let mut parameters = vec![one_text(&behind), (&size as _, Type::INT8)];
        let (parent_id, top_id, tenant);
        let sql = match (parent, top) {
            (Some(parent), _) => {
                parent_id = parent.as_str();
                parameters.push(one_text(&parent_id));
                listed("parent = $3")
            }
            (None, None) => listed("true"),
            (None, Some(top)) => {
                let Some(row) = tables.scopes.find(top) else {
                    return Ok(Vec::new());
                };
                tenant = row.tenant.clone();
                top_id = (top.as_str(), tenant.as_str());
                parameters.push(one_text(&top_id.0));
                parameters.push(one_text(&top_id.1));
                listed("tenant = $4 AND $3 = ANY(above)")
            }
        };
        self.add(&mut tables, &sql, &parameters).await?;
        Ok(tables.list_scopes(reach, parent, page))
    }

    pub(crate) async fn list_limits(
        &self,
        reach: &Reach,
        scope: &ScopeId,
        page: &Page<Item>,
    ) -> Result<Option<Vec<LimitsOfItem>>, StoreError> {
        let mut tables = self.read(scopes_alone([scope])).await?;
        let (id, size) = (scope.as_str(), size_of(page));
        let resource = after(page, |item| item.resource.as_str());
        let location = page.after.as_ref().and_then(|item| item.location.as_ref());
        let location = location.map_or("", |id| id.as_str());
        let sql = "SELECT row FROM plimsoll.limits WHERE scope = $1 \
                   AND ($2, $3) < (resource, location) ORDER BY resource, location LIMIT $4";
        let parameters = [
            one_text(&id),
            one_text(&resource),
            one_text(&location),
            (&size as _, Type::INT8),
        ];
        self.add(&mut tables, sql, &parameters).await?;
        Ok(tables.list_limits(reach, scope, page))
    }

    pub(crate) async fn list_requests(
        &self,
        reach: &Reach,
        scope: &ScopeId,
        status: Option<&'static str>,
        page: &Page<RequestId>,
    ) -> Result<Option<Vec<Request>>, StoreError> {
        // A tenant has few: `REQUESTS_OF_TENANT_MAX`.
        let mut tables = self.read(scopes_alone([scope])).await?;
        let id = scope.as_str();
        let of_tenant = "tenant = (SELECT tenant FROM plimsoll.scope WHERE id = $1)";
        let sql = format!(
            "SELECT row FROM plimsoll.scope WHERE id IN \
             (SELECT unnest(s.above) FROM plimsoll.scope s WHERE s.id IN \
             (SELECT scope FROM plimsoll.request WHERE {of_tenant})) ORDER BY cardinality(above)"
        );
        self.add(&mut tables, &sql, &[one_text(&id)]).await?;
        let sql = format!("SELECT row FROM plimsoll.request WHERE {of_tenant}");
        self.add(&mut tables, &sql, &[one_text(&id)]).await?;
        Ok(tables.list_requests(reach, scope, status, page))
    }

    pub(crate) async fn requests_for(
        &self,
        resource: &ResourceName,
    ) -> Result<Vec<Request>, StoreError> {
        let mut tables = Tables::default();
        let name = resource.as_str();
        let sql = "SELECT row FROM plimsoll.request WHERE resource = $1";
        self.add(&mut tables, sql, &[one_text(&name)]).await?;
        Ok(tables.all_requests().cloned().collect())
    }

    pub(crate) async fn list_reservations(
        &self,
        reach: &Reach,
        scope: &ScopeId,
        filter: &ReservationFilter,
        page: &Page<ReservationId>,
    ) -> Result<Option<ReservationPage>, StoreError> {
        let mut tables = self.read(scopes_alone([scope])).await?;
        let Some(tenant) = tables.scopes.find(scope).map(|row| row.tenant.clone()) else {
            return Ok(None);
        };
        let (tenant, behind) = (tenant.as_str(), after(page, ReservationId::as_str));
        let most = RESERVATIONS_SCAN_MAX;
        let parameters = [
            one_text(&tenant),
            one_text(&behind),
            (&most as _, Type::INT8),
        ];
        let some = "plimsoll.reservation WHERE tenant = $1 AND $2 < id ORDER BY id LIMIT $3";
        // Scopes first: a reservation may move to another between the two, never to another tenant.
        let sql = format!(
            "SELECT row FROM plimsoll.scope WHERE id IN (SELECT unnest(s.above) \
             FROM plimsoll.scope s WHERE s.id IN (SELECT scope FROM (SELECT scope FROM {some}) p)) \
             ORDER BY cardinality(above)"
        );
        self.add(&mut tables, &sql, &parameters).await?;
        let sql = format!("SELECT row FROM {some}");
        self.add(&mut tables, &sql, &parameters).await?;
        let ids = tables
            .reservations()
            .iter()
            .map(|row| row.id)
            .collect::<Vec<_>>();
        let is_end = i64::try_from(ids.len()).unwrap_or(most) < most;
        let last = ids.into_iter().max();
        let found = tables.list_reservations(reach, scope, filter, page);
        Ok(found.map(|found| ReservationPage {
            next: found.next.or(last.filter(|_| !is_end)),
            rows: found.rows,
        }))
    }

    /// The reservations of a scope's tenant with a greater id, in order of id: `max` at most.
    pub(crate) async fn reservations_after(
        &self,
        scope: &ScopeId,
        after: Option<&ReservationId>,
        max: usize,
    ) -> Result<Vec<Reservation>, StoreError> {
        let (scope, behind) = (scope.as_str(), after.map_or("", ReservationId::as_str));
        let most = i64::try_from(max).unwrap_or(i64::MAX);
        let sql = "SELECT row FROM plimsoll.reservation \
                   WHERE tenant = (SELECT tenant FROM plimsoll.scope WHERE id = $1) \
                   AND $2 < id ORDER BY id LIMIT $3";
        let parameters = [
            one_text(&scope),
            one_text(&behind),
            (&most as _, Type::INT8),
        ];
        let found = |rows: Vec<Row>| rows.iter().map(reservation_in).collect();
        self.select(sql, &parameters, found).await
    }

    pub(crate) async fn list_principals(
        &self,
        page: &Page<PrincipalId>,
    ) -> Result<Vec<Principal>, StoreError> {
        let mut tables = Tables::default();
        let (behind, size) = (after(page, PrincipalId::as_str), size_of(page));
        let sql = "SELECT row FROM plimsoll.principal WHERE $1 < id ORDER BY id LIMIT $2";
        let parameters = [one_text(&behind), (&size as _, Type::INT8)];
        self.add(&mut tables, sql, &parameters).await?;
        Ok(tables.list_principals(page))
    }

    async fn tenants(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<ScopeId>, StoreError> {
        let ids = |rows: Vec<Row>| rows.iter().map(|row| scope_id(row.get(0))).collect();
        self.select(sql, parameters, ids).await
    }

    pub(crate) async fn tenants_of(&self, id: &ReservationId) -> Result<Vec<ScopeId>, StoreError> {
        let id = id.as_str();
        let sql = "SELECT tenant FROM plimsoll.reservation WHERE id = $1";
        self.tenants(sql, &[one_text(&id)]).await
    }

    pub(crate) async fn tenants_due(&self, now: Timestamp) -> Result<Vec<ScopeId>, StoreError> {
        self.tenants_up_to("expires_at_ms", "<=", now).await
    }

    pub(crate) async fn tenants_with_ended_before(
        &self,
        instant: Timestamp,
    ) -> Result<Vec<ScopeId>, StoreError> {
        self.tenants_up_to("ended_at_ms", "<", instant).await
    }

    /// The tenants of the reservations whose instant has come, found by that instant's index: every
    /// node asks every second, and in a table without statistics the database would read all of it.
    ///
    /// The order is what no other index has; `OFFSET 0` keeps it.
    async fn tenants_up_to(
        &self,
        column: &str,
        is_up_to: &str,
        instant: Timestamp,
    ) -> Result<Vec<ScopeId>, StoreError> {
        let ms = i64::try_from(instant.ms()).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT DISTINCT tenant FROM (SELECT tenant FROM plimsoll.reservation \
             WHERE {column} {is_up_to} $1 ORDER BY {column} OFFSET 0) AS past"
        );
        self.here(async {
            let lease = self.lease().await?;
            let rows = rows_by_index(lease.session(), &sql, &[(&ms as _, Type::INT8)]).await;
            lease.end(rows.and_then(|rows| rows.iter().map(|it| scope_id(it.get(0))).collect()))
        })
        .await
    }
}

/// The rows of one statement, for which nothing is sorted and no table is read from end to end,
/// whatever the statistics say.
async fn rows_by_index(
    session: &Session,
    sql: &str,
    parameters: &[Parameter<'_>],
) -> Result<Vec<Row>, Fault> {
    // Sent in this order, in one round trip.
    let ((), (), rows, ()) = tokio::try_join!(
        session.begin(Transaction::Reading),
        session.run(BY_INDEX),
        session.rows(sql, parameters),
        session.run("COMMIT"),
    )?;
    Ok(rows)
}
