//! Everything that a store shows, so that two stores can be compared.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use plimsoll_core::event::Log;
use plimsoll_core::invariants::{accounts_of, own_of};
use plimsoll_core::model::{
    Account, Item, Limit, Location, Principal, Reach, Request, Reservation, Resource, Scope, Tally,
    Tier, Webhook,
};
use plimsoll_core::names::ScopeId;
use plimsoll_core::report::ReservationFilter;
use plimsoll_core::rows::{Footprint, Rows};
use plimsoll_store::{LimitsOfItem, LogHead, Page, Store, StoreError, Tables};

use crate::support::{at, item, wait};

/// All rows, as lists show them page by page and as reads show them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) resources: Vec<Resource>,
    pub(crate) locations: Vec<Location>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) limits: Vec<Limit>,
    pub(crate) tiers: Vec<Tier>,
    pub(crate) webhooks: Vec<Webhook>,
    pub(crate) requests: Vec<Request>,
    pub(crate) tallies: BTreeMap<(ScopeId, Item), Tally>,
    pub(crate) accounts: BTreeMap<(ScopeId, Item), Account>,
    pub(crate) reservations: Vec<Reservation>,
    pub(crate) holds: Vec<Reservation>,
    pub(crate) principals: Vec<Principal>,
    pub(crate) logs: Vec<(Log, LogHead)>,
    pub(crate) ended: Vec<Reservation>,
    /// For a few instants, who has reservations that ended before.
    pub(crate) ended_before: Vec<Vec<ScopeId>>,
    /// For a few instants, who has holds that are due.
    pub(crate) due: Vec<Vec<ScopeId>>,
    /// For each reservation, the tenants that use its id.
    pub(crate) tenants_of: Vec<Vec<ScopeId>>,
}

/// Items at which accounts are looked up.
const ITEMS: [&str; 4] = ["vm/image@FRA-A", "vm/image@HKG-A", "vm/image", "vm/disk"];

/// Takes everything, in pages of a size.
pub(crate) fn snapshot(store: &Store, page_size: usize) -> Snapshot {
    try_snapshot(store, page_size).expect("the store serves")
}

/// Takes everything, unless the store stops serving meanwhile.
pub(crate) fn try_snapshot(store: &Store, page_size: usize) -> Result<Snapshot, StoreError> {
    let size = NonZeroUsize::new(page_size).expect("a size");
    let mut all = Snapshot {
        scopes: scopes(store, &Reach::Everything, None, size)?,
        principals: principals(store, size)?,
        webhooks: wait(store.webhooks())?,
        ..Snapshot::default()
    };
    for scope in &all.scopes {
        all.limits.extend(limits(store, &scope.id, size)?);
        if scope.parent.is_none() {
            all.requests.extend(requests(store, &scope.id, None, size)?);
            let rows = reservations(store, &scope.id, &ReservationFilter::default(), size)?;
            all.reservations.extend(rows);
        }
    }
    for row in &all.reservations {
        all.tenants_of.push(wait(store.tenants_of(&row.id))?);
    }
    for ms in [0, 10, 100, 1_000, 1_000_000] {
        let mut due = wait(store.tenants_due(at(ms)))?;
        due.sort_unstable();
        all.due.push(due);
        let mut ended = wait(store.tenants_with_ended_before(at(ms)))?;
        ended.sort_unstable();
        all.ended_before.push(ended);
    }
    let footprint = footprint(&all);
    wait(store.read(&footprint, |tables| add_rows(&mut all, tables)))?;
    Ok(all)
}

/// Everything that lists have shown.
fn footprint(all: &Snapshot) -> Footprint {
    let tenants = all.scopes.iter().filter(|scope| scope.parent.is_none());
    let tenants: Vec<ScopeId> = tenants.map(|tenant| tenant.id.clone()).collect();
    let reservations = all.reservations.iter();
    Footprint {
        scopes: all.scopes.iter().map(|row| row.id.clone()).collect(),
        items: ITEMS.map(item).into(),
        all_items: true,
        reservations: reservations
            .map(|row| (row.scope.clone(), row.id.clone()))
            .collect(),
        holds_of: tenants.clone(),
        ended_of: tenants.clone(),
        requests: all.requests.iter().map(|row| row.id.clone()).collect(),
        requests_of: tenants,
        principals: all.principals.iter().map(|row| row.id.clone()).collect(),
    }
}

fn add_rows(all: &mut Snapshot, tables: &Tables) {
    all.resources.extend(tables.resources().cloned());
    all.locations.extend(tables.locations().cloned());
    assert_eq!(all.resources.len(), tables.resource_count());
    assert_eq!(all.locations.len(), tables.location_count());
    let tenants = all.scopes.iter().filter(|scope| scope.parent.is_none());
    let logs = tenants.clone().map(|tenant| Log::Tenant(tenant.id.clone()));
    for log in [Log::Catalogue].into_iter().chain(logs) {
        assert_eq!(tables.head(&log), tables.log(&log).head);
        all.logs.push((log.clone(), tables.log(&log)));
    }
    for tenant in tenants {
        all.holds.extend(tables.holds(&tenant.id));
        all.ended.extend(tables.ended(&tenant.id));
    }
    for scope in &all.scopes {
        assert_eq!(tables.scope(&scope.id), Some(scope));
        for item in ITEMS.map(item) {
            let account = tables.account(&scope.id, &item);
            let tally = tables.tally(&scope.id, &item);
            let place = (scope.id.clone(), item);
            all.accounts.insert(place.clone(), account);
            all.tallies.insert(place, tally);
        }
    }
    for row in &all.reservations {
        assert_eq!(tables.reservation(&row.tenant, &row.id).as_ref(), Some(row));
    }
    for row in &all.limits {
        assert!(tables.limits(&row.scope, &row.item).contains(row));
    }
    all.tiers = tables.tiers().cloned().collect();
    for row in &all.tiers {
        assert_eq!(tables.tier(&row.name), Some(row));
    }
    for row in &all.webhooks {
        assert_eq!(tables.webhook(&row.id), Some(row));
    }
    for row in &all.requests {
        assert_eq!(tables.request(&row.id), Some(row));
    }
    for row in &all.principals {
        assert_eq!(tables.principal(&row.id), Some(row));
    }
}

/// Goes through a list page by page.
fn pages<K: Clone + Ord, T>(
    size: NonZeroUsize,
    key: impl Fn(&T) -> &K,
    list: impl Fn(&Page<K>) -> Result<Vec<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut all: Vec<T> = Vec::new();
    loop {
        let page = Page {
            after: all.last().map(|row| key(row).clone()),
            size: size.get(),
        };
        let rows = list(&page)?;
        assert!(rows.len() <= page.size);
        let is_last = rows.len() < page.size;
        all.extend(rows);
        assert!(all.is_sorted_by(|one, other| key(one) < key(other)));
        if is_last {
            return Ok(all);
        }
    }
}

pub(crate) fn scopes(
    store: &Store,
    reach: &Reach,
    parent: Option<&ScopeId>,
    size: NonZeroUsize,
) -> Result<Vec<Scope>, StoreError> {
    pages(
        size,
        |row: &Scope| &row.id,
        |page| wait(store.list_scopes(reach, parent, page)),
    )
}

pub(crate) fn limits(
    store: &Store,
    scope: &ScopeId,
    size: NonZeroUsize,
) -> Result<Vec<Limit>, StoreError> {
    let rows = pages(
        size,
        |row: &LimitsOfItem| &row.item,
        |page| {
            let found = wait(store.list_limits(&Reach::Everything, scope, page))?;
            Ok(found.expect("a scope"))
        },
    )?;
    Ok(rows.into_iter().flat_map(|row| row.limits).collect())
}

pub(crate) fn requests(
    store: &Store,
    scope: &ScopeId,
    status: Option<&'static str>,
    size: NonZeroUsize,
) -> Result<Vec<Request>, StoreError> {
    pages(
        size,
        |row: &Request| &row.id,
        |page| {
            let found = wait(store.list_requests(&Reach::Everything, scope, status, page))?;
            Ok(found.expect("a scope"))
        },
    )
}

fn principals(store: &Store, size: NonZeroUsize) -> Result<Vec<Principal>, StoreError> {
    pages(
        size,
        |row: &Principal| &row.id,
        |page| wait(store.list_principals(page)),
    )
}

/// The reservations of a scope and below, page by page as the store says where to go on.
pub(crate) fn reservations(
    store: &Store,
    scope: &ScopeId,
    filter: &ReservationFilter,
    size: NonZeroUsize,
) -> Result<Vec<Reservation>, StoreError> {
    let mut all: Vec<Reservation> = Vec::new();
    let mut after = None;
    loop {
        let page = Page {
            after,
            size: size.get(),
        };
        let found = wait(store.list_reservations(&Reach::Everything, scope, filter, &page))?;
        let found = found.expect("a scope");
        assert!(found.rows.len() <= page.size);
        all.extend(found.rows);
        assert!(all.is_sorted_by(|one, other| one.id < other.id));
        match found.next {
            None => return Ok(all),
            next => after = next,
        }
    }
}

/// Checks what must be true of any store: accounts are the sums of the live reservations, nothing
/// finite is passed, and every log has as many events as its revision says.
pub(crate) fn assert_sound(store: &Store) {
    let all = snapshot(store, 1_000);
    wait(store.read(&footprint(&all), |tables| {
        let own = all.reservations.iter().flat_map(own_of);
        let sums = accounts_of(tables, own).expect("no breach");
        for ((scope, item), account) in &all.accounts {
            let sum = sums.get(&(scope, item)).copied().unwrap_or_default();
            assert_eq!(*account, sum, "{scope} {item:?}");
        }
        let mut keys = sums
            .keys()
            .map(|(scope, item)| ((*scope).clone(), (*item).clone()));
        assert!(keys.all(|key| all.accounts.contains_key(&key)));
    }))
    .expect("the store serves");
}
