//! Which rows a batch or a reader needs, by name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use plimsoll_core::model::{Item, Reservation};
use plimsoll_core::names::{RequestId, ReservationId, ScopeId};
use plimsoll_core::rows::{Footprint, Rows, path};
use tokio_postgres::types::Type;

use super::session::{Fault, Session};
use crate::tables::Tables;

/// Scopes whose tenants a node remembers, and those above whom.
const SCOPES_KNOWN_MAX: usize = 100_000;

/// Where scopes lie, once looked up: a scope never leaves its tenant, nor those above it.
#[derive(Debug, Default)]
pub(super) struct ScopesKnown(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    tenants: HashMap<ScopeId, ScopeId>,
    /// The scope itself and those above it.
    above: HashMap<ScopeId, Arc<[ScopeId]>>,
}

impl ScopesKnown {
    pub(super) fn tenant(&self, scope: &ScopeId) -> Option<ScopeId> {
        self.lock().tenants.get(scope).cloned()
    }

    fn above(&self, scope: &ScopeId) -> Option<Arc<[ScopeId]>> {
        self.lock().above.get(scope).cloned()
    }

    fn add_tenants(&self, tenants: &BTreeMap<ScopeId, ScopeId>) {
        let mut known = self.lock();
        if SCOPES_KNOWN_MAX < known.tenants.len() + tenants.len() {
            known.tenants.clear();
        }
        let copied = tenants
            .iter()
            .map(|(scope, of)| (scope.clone(), of.clone()));
        known.tenants.extend(copied);
    }

    fn add_above(&self, scope: &ScopeId, above: Arc<[ScopeId]>) {
        let mut known = self.lock();
        if SCOPES_KNOWN_MAX <= known.above.len() {
            known.above.clear();
        }
        known.above.insert(scope.clone(), above);
    }

    /// Forgets everything: the database may be another one.
    pub(super) fn clear(&self) {
        *self.lock() = Known::default();
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Footprints, with the tenants that they lead to.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) footprints: Vec<Footprint>,
    tenants: BTreeMap<ScopeId, ScopeId>,
    tenants_of_requests: BTreeMap<RequestId, ScopeId>,
}

/// Accounts, tallies and limits by scope and item.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) items: BTreeSet<(ScopeId, Item)>,
    /// Scopes of which every item is wanted.
    pub(super) scopes: BTreeSet<ScopeId>,
}

impl Places {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.scopes.is_empty()
    }

    /// All but those that others have.
    pub(super) fn without(mut self, others: &Self) -> Self {
        self.items.retain(|place| !others.items.contains(place));
        self.scopes.retain(|scope| !others.scopes.contains(scope));
        self
    }

    fn add(&mut self, scopes: &[ScopeId], items: &[&Item], all_items: bool) {
        for scope in scopes {
            if all_items {
                self.scopes.insert(scope.clone());
            } else {
                let of = |item: &&Item| (scope.clone(), (*item).clone());
                self.items.extend(items.iter().map(of));
            }
        }
    }
}

pub(super) fn scopes_of(footprint: &Footprint) -> impl Iterator<Item = &ScopeId> {
    let of_reservations = footprint.reservations.iter().map(|(scope, _)| scope);
    let alone = [
        &footprint.scopes,
        &footprint.holds_of,
        &footprint.ended_of,
        &footprint.requests_of,
    ];
    alone.into_iter().flatten().chain(of_reservations)
}

impl Wanted {
    /// Finds the tenants of everything that the footprints name.
    pub(super) async fn resolve(
        session: &Session,
        known: &ScopesKnown,
        footprints: Vec<Footprint>,
    ) -> Result<Self, Fault> {
        let mut it = Self {
            footprints,
            ..Self::default()
        };
        let mut unknown = BTreeSet::new();
        for scope in it.footprints.iter().flat_map(scopes_of) {
            match known.tenant(scope) {
                Some(tenant) => {
                    it.tenants.insert(scope.clone(), tenant);
                }
                None => {
                    unknown.insert(scope.as_str());
                }
            }
        }
        let requests = it.footprints.iter().flat_map(|one| &one.requests);
        let requests: BTreeSet<&str> = requests.map(RequestId::as_str).collect();
        if !unknown.is_empty() {
            let ids: Vec<&str> = unknown.into_iter().collect();
            let sql = "SELECT id, tenant FROM plimsoll.scope WHERE id = ANY($1)";
            let mut found = BTreeMap::new();
            for row in session.rows(sql, &[(&ids, Type::TEXT_ARRAY)]).await? {
                found.insert(scope_id(row.get(0))?, scope_id(row.get(1))?);
            }
            known.add_tenants(&found);
            it.tenants.extend(found);
        }
        if !requests.is_empty() {
            let ids: Vec<&str> = requests.into_iter().collect();
            let sql = "SELECT id, tenant FROM plimsoll.request WHERE id = ANY($1)";
            for row in session.rows(sql, &[(&ids, Type::TEXT_ARRAY)]).await? {
                let id = RequestId::parse(row.get(0)).map_err(damaged)?;
                it.tenants_of_requests.insert(id, scope_id(row.get(1))?);
            }
        }
        Ok(it)
    }

    /// Whether a footprint leads to these tenants alone, by what is known.
    pub(super) fn leads_to(footprint: &Footprint, known: &ScopesKnown, tenants: &[&str]) -> bool {
        let is_there = |scope: &ScopeId| {
            let tenant = known.tenant(scope);
            tenant.is_some_and(|tenant| tenants.binary_search(&tenant.as_str()).is_ok())
        };
        footprint.requests.is_empty() && scopes_of(footprint).all(is_there)
    }

    /// Puts the footprints of others behind these.
    pub(super) fn extend(&mut self, others: Self) {
        self.footprints.extend(others.footprints);
        self.tenants.extend(others.tenants);
        self.tenants_of_requests.extend(others.tenants_of_requests);
    }

    /// All tenants, in order.
    pub(super) fn tenants(&self) -> Vec<&str> {
        let tenants = self.tenants.values();
        let tenants = tenants.chain(self.tenants_of_requests.values());
        let tenants: BTreeSet<&str> = tenants.map(ScopeId::as_str).collect();
        tenants.into_iter().collect()
    }

    /// The tenants of the scopes that some part of the footprints names, with how often.
    pub(super) fn tenants_in(
        &self,
        part: impl Fn(&Footprint) -> &Vec<ScopeId>,
    ) -> BTreeMap<&str, i64> {
        let mut counts = BTreeMap::new();
        for scope in self.footprints.iter().flat_map(part) {
            if let Some(tenant) = self.tenants.get(scope) {
                *counts.entry(tenant.as_str()).or_default() += 1;
            }
        }
        counts
    }

    /// The scopes that are named and exist.
    pub(super) fn scopes(&self) -> Vec<&str> {
        self.tenants.keys().map(ScopeId::as_str).collect()
    }

    /// The reservations that are named, by tenant and id.
    pub(super) fn reservations(&self) -> (Vec<&str>, Vec<&str>) {
        let named = self.footprints.iter().flat_map(|one| &one.reservations);
        let found =
            named.filter_map(|(scope, id)| Some((self.tenants.get(scope)?.as_str(), id.as_str())));
        let found: BTreeSet<(&str, &str)> = found.collect();
        found.into_iter().unzip()
    }

    /// The requests that are named and exist.
    pub(super) fn requests(&self) -> Vec<&str> {
        self.tenants_of_requests
            .keys()
            .map(RequestId::as_str)
            .collect()
    }

    /// The principals that are named.
    pub(super) fn principals(&self) -> Vec<&str> {
        let named = self.footprints.iter().flat_map(|one| &one.principals);
        let named: BTreeSet<&str> = named.map(|id| id.as_str()).collect();
        named.into_iter().collect()
    }

    /// The places of the footprints as far as they can be told before anything is loaded: some
    /// may be missing, and some may not be needed.
    pub(super) fn foreseen(&self, known: &ScopesKnown, catalogue: &Tables) -> Places {
        let mut places = Places::default();
        for footprint in &self.footprints {
            let mut items: Vec<&Item> = footprint.items.iter().collect();
            let everywhere: Vec<Item> =
                items.iter().flat_map(|it| at_each(catalogue, it)).collect();
            items.extend(&everywhere);
            for above in footprint.scopes.iter().filter_map(|id| known.above(id)) {
                places.add(&above, &items, footprint.all_items);
            }
        }
        places
    }

    /// The places of the footprints, given the scopes, reservations and requests that they name.
    pub(super) fn places(&self, tables: &Tables, known: &ScopesKnown) -> Places {
        let mut places = Places::default();
        for footprint in &self.footprints {
            self.add_places(&mut places, footprint, tables, known);
        }
        places
    }

    fn add_places(
        &self,
        places: &mut Places,
        footprint: &Footprint,
        tables: &Tables,
        known: &ScopesKnown,
    ) {
        let mut scopes: Vec<&ScopeId> = footprint.scopes.iter().collect();
        let mut items: Vec<&Item> = footprint.items.iter().collect();
        let rows = footprint.reservations.iter();
        let rows = rows.filter_map(|(scope, id)| self.reservation(tables, scope, id));
        let rows: Vec<Reservation> = rows.collect();
        for row in &rows {
            scopes.push(&row.scope);
            items.extend(row.lines.iter().map(|line| &line.item));
        }
        for request in footprint
            .requests
            .iter()
            .filter_map(|id| tables.request(id))
        {
            scopes.push(&request.scope);
            items.push(&request.item);
        }
        let everywhere: Vec<Item> = items.iter().flat_map(|it| at_each(tables, it)).collect();
        items.extend(&everywhere);
        for scope in scopes.into_iter().filter_map(|id| tables.scope(id)) {
            let above = known.above(&scope.id).unwrap_or_else(|| {
                let above = path(tables, scope).map(|it| it.id.clone()).collect();
                known.add_above(&scope.id, Arc::clone(&above));
                above
            });
            places.add(&above, &items, footprint.all_items);
        }
    }

    fn reservation(
        &self,
        tables: &Tables,
        scope: &ScopeId,
        id: &ReservationId,
    ) -> Option<Reservation> {
        tables.reservation(self.tenants.get(scope)?, id)
    }
}

/// An item at each location, where it is counted per location and names none.
fn at_each<'a>(tables: &'a Tables, item: &'a Item) -> impl Iterator<Item = Item> + 'a {
    let resource = tables.resource(&item.resource);
    let is_of_each = resource.is_some_and(|it| it.per_location) && item.location.is_none();
    let locations = is_of_each.then(|| tables.locations());
    locations.into_iter().flatten().map(|location| Item {
        resource: item.resource.clone(),
        location: Some(location.id.clone()),
    })
}

pub(super) fn scope_id(text: &str) -> Result<ScopeId, Fault> {
    ScopeId::parse(text).map_err(damaged)
}

pub(super) fn damaged(error: impl std::fmt::Display) -> Fault {
    Fault::Damaged(error.to_string())
}
