//! Pages of rows, in an order that does not move: by id.

use plimsoll_core::model::{Item, Limit, Principal, Reach, Request, Reservation, Scope};
use plimsoll_core::names::{PrincipalId, RequestId, ReservationId, ScopeId};
use plimsoll_core::report::ReservationFilter;
use plimsoll_core::rows::scope_within;

use crate::tables::Tables;

/// Reservations looked at for one page, so that a rare filter does not hold the rows for long.
const PAGE_SCAN_MAX: usize = 10_000;

/// Which part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<K> {
    /// Only what comes behind this key.
    pub after: Option<K>,
    /// At most so many rows.
    pub size: usize,
}

/// All limits that are set at a scope for an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitsOfItem {
    /// The item.
    pub item: Item,
    /// The limits, each with another window.
    pub limits: Vec<Limit>,
}

/// Some reservations, and where the next page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservationPage {
    /// The rows; fewer than the page's size where many had to be passed over.
    pub rows: Vec<Reservation>,
    /// The key to go on behind; `None` at the end of the list.
    pub next: Option<ReservationId>,
}

impl Tables {
    pub(crate) fn list_scopes(
        &self,
        reach: &Reach,
        parent: Option<&ScopeId>,
        page: &Page<ScopeId>,
    ) -> Vec<Scope> {
        let after = page.after.as_ref();
        let first =
            |rows: &mut dyn Iterator<Item = &Scope>| rows.take(page.size).cloned().collect();
        match (parent, reach) {
            (None, Reach::Everything) => first(&mut self.scopes.after(after)),
            (None, Reach::Below(top)) => first(&mut self.scopes.tree_after(top, after)),
            (Some(parent), _) if scope_within(self, reach, parent).is_some() => {
                first(&mut self.scopes.children_after(parent, after))
            }
            (Some(_), Reach::Everything) => Vec::new(),
            // Right below a scope that is out of reach there is at most the top of the reach.
            (Some(_), Reach::Below(top)) => {
                let top = self.scopes.find(top).into_iter();
                let is_listed = |scope: &&Scope| {
                    scope.parent.as_ref() == parent && after.is_none_or(|after| *after < scope.id)
                };
                first(&mut top.filter(is_listed))
            }
        }
    }

    pub(crate) fn list_limits(
        &self,
        reach: &Reach,
        scope: &ScopeId,
        page: &Page<Item>,
    ) -> Option<Vec<LimitsOfItem>> {
        scope_within(self, reach, scope)?;
        let rows = self.limits_after(scope, page.after.as_ref());
        let rows = rows.take(page.size).map(|(item, limits)| LimitsOfItem {
            item: item.clone(),
            limits: limits.to_vec(),
        });
        Some(rows.collect())
    }

    /// The requests of a scope and of everything below it.
    pub(crate) fn list_requests(
        &self,
        reach: &Reach,
        scope: &ScopeId,
        status: Option<&'static str>,
        page: &Page<RequestId>,
    ) -> Option<Vec<Request>> {
        let tenant = &scope_within(self, reach, scope)?.tenant;
        let below = Reach::Below(scope.clone());
        let rows = self.requests_after(tenant, page.after.as_ref());
        let rows = rows.filter(|row| {
            status.is_none_or(|status| status == row.status.name())
                && scope_within(self, &below, &row.scope).is_some()
        });
        Some(rows.take(page.size).cloned().collect())
    }

    /// The reservations of a scope and of everything below it.
    pub fn list_reservations(
        &self,
        reach: &Reach,
        scope: &ScopeId,
        filter: &ReservationFilter,
        page: &Page<ReservationId>,
    ) -> Option<ReservationPage> {
        let tenant = &scope_within(self, reach, scope)?.tenant;
        let below = Reach::Below(scope.clone());
        let mut found = ReservationPage {
            rows: Vec::new(),
            next: None,
        };
        let rows = self.reservations_after(tenant, page.after.as_ref());
        for (scanned, row) in rows.enumerate() {
            if found.rows.len() == page.size || scanned == PAGE_SCAN_MAX {
                return Some(found);
            }
            found.next = Some(row.id.clone());
            if filter.admits(&row) && scope_within(self, &below, &row.scope).is_some() {
                found.rows.push(row);
            }
        }
        found.next = None;
        Some(found)
    }

    pub(crate) fn list_principals(&self, page: &Page<PrincipalId>) -> Vec<Principal> {
        self.principals_after(page.after.as_ref())
            .take(page.size)
            .cloned()
            .collect()
    }
}
