//! What the native API tells.

use plimsoll_core::event::Log;
use plimsoll_core::model::Item;
use plimsoll_core::names::{LocationId, PrincipalId, ReservationId, ResourceName, ScopeId};
use plimsoll_core::outcome::Denial;
use plimsoll_core::report::{self, QuotaFilter};
use plimsoll_core::rows::{Footprint, Rows, scope_within};
use plimsoll_dialects::http::Reply;
use plimsoll_dialects::native::{Page, Problem, Read, encode};
use plimsoll_store::{self as store, Tables};

use super::Service;
use super::native::read_problem;
use crate::auth::Caller;

impl Service {
    /// Tells a caller what it asked for.
    pub(super) async fn read(&self, caller: &Caller, read: Read) -> Result<Reply, Problem> {
        match read {
            Read::Resources => self.rows(|rows| encode::resources(rows.resources())).await,
            Read::Resource(name) => self.resource(name).await,
            Read::Locations => self.rows(|rows| encode::locations(rows.locations())).await,
            Read::Location(id) => self.location(id).await,
            Read::Scope(id) => self.scope(caller, id).await,
            Read::Scopes { parent, page } => {
                let rows = self
                    .store
                    .list_scopes(caller.reach(), parent.as_ref(), &one_more(&page))
                    .await
                    .map_err(read_problem)?;
                let (rows, next) = cut(rows, page.size, |row| &row.id);
                Ok(encode::scopes(&rows, next.as_ref()))
            }
            Read::Limits { scope, page } => {
                let rows = self
                    .store
                    .list_limits(caller.reach(), &scope, &one_more(&page))
                    .await
                    .map_err(read_problem)?
                    .ok_or_else(|| unknown_scope(&scope))?;
                let (rows, next) = cut(rows, page.size, |row| &row.item);
                Ok(encode::limits(&scope, &rows, next.as_ref()))
            }
            Read::Quotas {
                scope,
                filter,
                page,
            } => self.quotas(caller, &scope, &filter, &page).await,
            Read::Reservation { id, scope } => self.reservation(caller, &id, scope).await,
            Read::Reservations {
                scope,
                filter,
                page,
            } => {
                let page = store::Page {
                    after: page.after,
                    size: page.size,
                };
                let found = self
                    .store
                    .list_reservations(caller.reach(), &scope, &filter, &page)
                    .await
                    .map_err(read_problem)?
                    .ok_or_else(|| unknown_scope(&scope))?;
                Ok(encode::reservations(
                    &scope,
                    &found.rows,
                    found.next.as_ref(),
                ))
            }
            Read::Principals { page } => {
                let rows = self
                    .store
                    .list_principals(&one_more(&page))
                    .await
                    .map_err(read_problem)?;
                let (rows, next) = cut(rows, page.size, |row| &row.id);
                Ok(encode::principals(&rows, next.as_ref()))
            }
            Read::Principal(id) => self.principal(id).await,
        }
    }

    /// Tells something of the catalogue.
    async fn rows(&self, tell: impl FnOnce(&Tables) -> Reply) -> Result<Reply, Problem> {
        self.store
            .read(&Footprint::default(), tell)
            .await
            .map_err(read_problem)
    }

    async fn resource(&self, name: ResourceName) -> Result<Reply, Problem> {
        self.rows(|rows| match rows.resource(&name) {
            Some(row) => encode::resource(row),
            None => Problem::from_denial(&Denial::UnknownResource(name)).reply(),
        })
        .await
    }

    async fn location(&self, id: LocationId) -> Result<Reply, Problem> {
        self.rows(|rows| match rows.location(&id) {
            Some(row) => encode::location(row),
            None => Problem::from_denial(&Denial::UnknownLocation(id)).reply(),
        })
        .await
    }

    async fn scope(&self, caller: &Caller, id: ScopeId) -> Result<Reply, Problem> {
        let footprint = Footprint {
            scopes: vec![id.clone()],
            ..Footprint::default()
        };
        let tell = |rows: &Tables| match scope_within(rows, caller.reach(), &id) {
            Some(row) => encode::scope(row),
            None => unknown_scope(&id).reply(),
        };
        self.store
            .read(&footprint, tell)
            .await
            .map_err(read_problem)
    }

    async fn principal(&self, id: PrincipalId) -> Result<Reply, Problem> {
        let footprint = Footprint {
            principals: vec![id.clone()],
            ..Footprint::default()
        };
        let tell = |rows: &Tables| match rows.principal(&id) {
            Some(row) => encode::principal(row),
            None => Problem::not_found().reply(),
        };
        self.store
            .read(&footprint, tell)
            .await
            .map_err(read_problem)
    }

    async fn quotas(
        &self,
        caller: &Caller,
        scope: &ScopeId,
        filter: &QuotaFilter,
        page: &Page<Item>,
    ) -> Result<Reply, Problem> {
        let footprint = Footprint {
            scopes: vec![scope.clone()],
            all_items: true,
            ..Footprint::default()
        };
        let told = |rows: &Tables| {
            let scope = scope_within(rows, caller.reach(), scope)?;
            let revision = rows.head(&Log::Tenant(scope.tenant.clone())).revision;
            let is_behind = |item: &Item| page.after.as_ref().is_none_or(|after| item > after);
            let items = report::items(rows, filter).filter(|(_, item)| is_behind(item));
            let items = items.take(page.size + 1);
            let quotas = items.map(|(resource, item)| report::quota(rows, scope, resource, item));
            let quotas: Vec<_> = quotas.collect();
            let (quotas, next) = cut(quotas, page.size, |quota| &quota.item);
            Some(encode::quotas(&scope.id, revision, &quotas, next.as_ref()))
        };
        let told = self
            .store
            .read(&footprint, told)
            .await
            .map_err(read_problem)?;
        told.ok_or_else(|| unknown_scope(scope))
    }

    async fn reservation(
        &self,
        caller: &Caller,
        id: &ReservationId,
        scope: Option<ScopeId>,
    ) -> Result<Reply, Problem> {
        let scope = self.scope_of(caller, id, scope).await?;
        let footprint = Footprint {
            reservations: vec![(scope.clone(), id.clone())],
            ..Footprint::default()
        };
        let tell = |rows: &Tables| {
            let Some(known) = scope_within(rows, caller.reach(), &scope) else {
                return unknown_scope(&scope).reply();
            };
            match rows.reservation(&known.tenant, id) {
                Some(row) if scope_within(rows, caller.reach(), &row.scope).is_some() => {
                    encode::reservation(row)
                }
                Some(_) | None => Problem::not_found().reply(),
            }
        };
        self.store
            .read(&footprint, tell)
            .await
            .map_err(read_problem)
    }
}

fn unknown_scope(scope: &ScopeId) -> Problem {
    Problem::from_denial(&Denial::UnknownScope(scope.clone()))
}

/// A page with one row more, which tells whether another page follows.
fn one_more<K: Clone>(page: &Page<K>) -> store::Page<K> {
    store::Page {
        after: page.after.clone(),
        size: page.size + 1,
    }
}

/// The rows of a page, and the key of its last row where more follow.
fn cut<T, K: Clone>(mut rows: Vec<T>, size: usize, key: fn(&T) -> &K) -> (Vec<T>, Option<K>) {
    let more_follow = rows.len() > size;
    rows.truncate(size);
    let next = rows
        .last()
        .filter(|_| more_follow)
        .map(|row| key(row).clone());
    (rows, next)
}
