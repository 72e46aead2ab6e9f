//! What the native API tells.

use plimsoll_core::amount::Timestamp;
use plimsoll_core::event::Log;
use plimsoll_core::model::{Item, Scope};
use plimsoll_core::names::{
    LocationId, PrincipalId, RequestId, ReservationId, ResourceName, ScopeId, TierName, WebhookId,
};
use plimsoll_core::outcome::Denial;
use plimsoll_core::report::{self, Quota, QuotaFilter, ReservationFilter};
use plimsoll_core::rows::{Footprint, Rows, scope_within};
use plimsoll_dialects::http::Reply;
use plimsoll_dialects::native::{Page, Problem, Read, encode};
use plimsoll_store::{self as store, Tables};

use super::Service;
use super::native::read_problem;
use crate::auth::Caller;
use crate::clock;

/// The header that says how many milliseconds ago an answer was so, where it comes from a replica.
const READ_AGE: &str = "plimsoll-read-age-ms";

impl Service {
    /// Tells a caller what it asked for.
    pub(super) async fn read(&self, caller: &Caller, read: Read) -> Result<Reply, Problem> {
        match read {
            Read::Resources => self.rows(|rows| encode::resources(rows.resources())).await,
            Read::Resource(name) => self.resource(name).await,
            Read::Locations => self.rows(|rows| encode::locations(rows.locations())).await,
            Read::Location(id) => self.location(id).await,
            Read::Scope(id) => self.scope(caller, id).await,
            Read::Scopes { parent, page } => self.scopes(caller, parent.as_ref(), &page).await,
            Read::Limits { scope, page } => self.limits(caller, &scope, &page).await,
            Read::Quotas {
                scope,
                filter,
                as_of,
                page,
            } => {
                let asked = QuotasAsked {
                    scope: &scope,
                    filter: &filter,
                    page: &page,
                };
                match as_of {
                    Some(as_of) => self.quotas_as_of(caller, &asked, as_of).await,
                    None => self.quotas(caller, &asked).await,
                }
            }
            Read::Events {
                scope,
                filter,
                after,
                size,
                live: _,
            } => {
                let scope = scope.as_ref();
                self.events(caller, scope, &filter, after, size).await
            }
            Read::Request(id) => self.request(caller, &id).await,
            Read::Requests {
                scope,
                status,
                page,
            } => self.requests(caller, &scope, status, &page).await,
            Read::Tiers => self.rows(|rows| encode::tiers(rows.tiers())).await,
            Read::Tier(name) => self.tier(name).await,
            Read::Webhooks => self.rows(|rows| encode::webhooks(rows.webhooks())).await,
            Read::Webhook(id) => self.webhook(&id).await,
            Read::Reservation { id, scope } => self.reservation(caller, &id, scope).await,
            Read::Reservations {
                scope,
                filter,
                page,
            } => self.reservations(caller, &scope, &filter, page).await,
            Read::Principals { page } => self.principals(&page).await,
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

    async fn tier(&self, name: TierName) -> Result<Reply, Problem> {
        self.rows(|rows| match rows.tier(&name) {
            Some(row) => encode::tier(row),
            None => Problem::from_denial(&Denial::UnknownTier(name)).reply(),
        })
        .await
    }

    async fn webhook(&self, id: &WebhookId) -> Result<Reply, Problem> {
        let delivery = self.webhooks.delivery(id);
        self.rows(|rows| match rows.webhook(id) {
            Some(row) => encode::shown_webhook(row, delivery.as_ref()),
            None => Problem::not_found().reply(),
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
        let footprint = Footprint::of_scope(&id);
        let tell = |rows: &Tables| match scope_within(rows, caller.reach(), &id) {
            Some(row) => encode::scope(row),
            None => unknown_scope(&id).reply(),
        };
        self.store
            .read(&footprint, tell)
            .await
            .map_err(read_problem)
    }

    async fn scopes(
        &self,
        caller: &Caller,
        parent: Option<&ScopeId>,
        page: &Page<ScopeId>,
    ) -> Result<Reply, Problem> {
        let rows = self
            .store
            .list_scopes(caller.reach(), parent, &one_more(page))
            .await
            .map_err(read_problem)?;
        let (rows, next) = cut(rows, page.size, |row| &row.id);
        Ok(encode::scopes(&rows, next.as_ref()))
    }

    async fn limits(
        &self,
        caller: &Caller,
        scope: &ScopeId,
        page: &Page<Item>,
    ) -> Result<Reply, Problem> {
        let rows = self
            .store
            .list_limits(caller.reach(), scope, &one_more(page))
            .await
            .map_err(read_problem)?
            .ok_or_else(|| unknown_scope(scope))?;
        let (rows, next) = cut(rows, page.size, |row| &row.item);
        // A limit that is over leaves its row with the next write; it is not shown until then.
        let now = clock::steady();
        let limits = rows.iter().flat_map(|row| &row.limits);
        let limits = limits.filter(|limit| !limit.window.is_over(now));
        Ok(encode::limits(scope, limits, next.as_ref()))
    }

    async fn reservations(
        &self,
        caller: &Caller,
        scope: &ScopeId,
        filter: &ReservationFilter,
        page: Page<ReservationId>,
    ) -> Result<Reply, Problem> {
        let page = store::Page {
            after: page.after,
            size: page.size,
        };
        let found = self
            .store
            .list_reservations(caller.reach(), scope, filter, &page)
            .await
            .map_err(read_problem)?
            .ok_or_else(|| unknown_scope(scope))?;
        let next = found.next.as_ref();
        Ok(encode::reservations(scope, &found.rows, next))
    }

    async fn principals(&self, page: &Page<PrincipalId>) -> Result<Reply, Problem> {
        let rows = self.store.list_principals(&one_more(page)).await;
        let rows = rows.map_err(read_problem)?;
        let (rows, next) = cut(rows, page.size, |row| &row.id);
        Ok(encode::principals(&rows, next.as_ref()))
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

    async fn quotas(&self, caller: &Caller, asked: &QuotasAsked<'_>) -> Result<Reply, Problem> {
        let footprint = || Footprint {
            all_items: true,
            ..Footprint::of_scope(asked.scope)
        };
        let tell = |rows: &Tables| {
            let scope = scope_within(rows, caller.reach(), asked.scope)?;
            Some(asked.tell(rows, scope, None))
        };
        let told = self.store.read_lately(footprint, tell).await;
        let (told, age_ms) = told.map_err(read_problem)?;
        let mut reply = told.ok_or_else(|| unknown_scope(asked.scope))?;
        if let Some(age_ms) = age_ms {
            reply.headers.push((READ_AGE, age_ms.to_string()));
        }
        Ok(reply)
    }

    async fn request(&self, caller: &Caller, id: &RequestId) -> Result<Reply, Problem> {
        let footprint = Footprint {
            requests: vec![id.clone()],
            ..Footprint::default()
        };
        let tell = |rows: &Tables| match rows.request(id) {
            Some(row) if scope_within(rows, caller.reach(), &row.scope).is_some() => {
                encode::request(row)
            }
            Some(_) | None => Problem::not_found().reply(),
        };
        let told = self.store.read(&footprint, tell).await;
        told.map_err(read_problem)
    }

    async fn requests(
        &self,
        caller: &Caller,
        scope: &ScopeId,
        status: Option<&'static str>,
        page: &Page<RequestId>,
    ) -> Result<Reply, Problem> {
        let rows = self
            .store
            .list_requests(caller.reach(), scope, status, &one_more(page))
            .await
            .map_err(read_problem)?
            .ok_or_else(|| unknown_scope(scope))?;
        let (rows, next) = cut(rows, page.size, |row| &row.id);
        Ok(encode::requests(scope, &rows, next.as_ref()))
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
                    encode::reservation(&row)
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

pub(super) fn unknown_scope(scope: &ScopeId) -> Problem {
    Problem::from_denial(&Denial::UnknownScope(scope.clone()))
}

/// Which quotas a caller asks for.
pub(super) struct QuotasAsked<'a> {
    pub(super) scope: &'a ScopeId,
    filter: &'a QuotaFilter,
    page: &'a Page<Item>,
}

impl QuotasAsked<'_> {
    /// The one item that is asked for, where the question leaves no other.
    pub(super) fn only_item(&self) -> Option<Item> {
        let QuotaFilter { resource, location } = self.filter;
        Some(Item {
            resource: resource.clone()?,
            location: Some(location.clone()?),
        })
    }

    /// Tells them, as of a past moment or now.
    pub(super) fn tell(&self, rows: &Tables, scope: &Scope, as_of: Option<Timestamp>) -> Reply {
        let now = as_of.unwrap_or_else(clock::steady);
        let revision = rows.head(&Log::Tenant(scope.tenant.clone())).revision;
        let after = self.page.after.as_ref();
        let items = report::items(rows, self.filter);
        let items = items.filter(|(_, item)| after.is_none_or(|after| item > after));
        let items = items.take(self.page.size + 1);
        let quotas = items.map(|(resource, item)| report::quota(rows, scope, resource, item, now));
        let (quotas, next) = cut(quotas.collect(), self.page.size, |quota: &Quota| {
            &quota.item
        });
        encode::quotas(&scope.id, revision, as_of, &quotas, next.as_ref())
    }
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
