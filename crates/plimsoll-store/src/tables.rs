//! All rows in memory, in the layout that decisions and reports read.

mod accounts;
mod order;
mod reservations;
mod row;
mod slab;
mod symbols;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::DerefMut;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hashbrown::{Equivalent, HashMap};
use plimsoll_core::amount::Timestamp;
use plimsoll_core::event::{Change, Event, Head, Log};
use plimsoll_core::invariants;
use plimsoll_core::model::{
    Account, Item, Limit, Location, Principal, Request, Reservation, Resource, Scope, State, Tally,
    Tier, Webhook,
};
use plimsoll_core::names::{
    LocationId, PrincipalId, RequestId, ReservationId, ResourceName, ScopeId, TierName, WebhookId,
};
use plimsoll_core::outcome::Breach;
use plimsoll_core::rows::Rows;

use self::accounts::Accounts;
use self::reservations::Walk;
pub(crate) use self::reservations::{Reservations, Sorted};
use crate::record::Hash;
use crate::scopes::Scopes;

/// Where a log stands, with the hash that its next event chains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogHead {
    /// Revision and time of its last event.
    pub head: Head,
    /// The hash of its last event; zeros before the first.
    pub chain: Hash,
}

/// Every row there is.
///
/// Shape: hash tables where decisions look rows up, trees where lists need an order. The catalogue
/// can be shared: the rows of a batch on a database stand beside one that was read before.
#[derive(Debug, Default)]
pub struct Tables {
    pub(crate) resources: Arc<BTreeMap<ResourceName, Resource>>,
    pub(crate) locations: Arc<BTreeMap<LocationId, Location>>,
    pub(crate) scopes: Scopes,
    pub(crate) tiers: Arc<BTreeMap<TierName, Tier>>,
    pub(crate) webhooks: Arc<BTreeMap<WebhookId, Webhook>>,
    limits: HashMap<(ScopeId, Item), Vec<Limit>>,
    limit_order: BTreeMap<ScopeId, BTreeSet<Item>>,
    accounts: Accounts,
    tallies: HashMap<(ScopeId, Item), Tally>,
    requests: HashMap<RequestId, Request>,
    request_order: BTreeMap<ScopeId, BTreeSet<RequestId>>,
    /// Behind a lock of their own, which is taken after that of the tables, never before: whoever
    /// puts thousands of them keeps nobody who asks for all else.
    reservations: Arc<RwLock<Reservations>>,
    principals: BTreeMap<PrincipalId, Principal>,
    logs: HashMap<Log, LogHead>,
}

/// What a batch has decided.
#[derive(Default)]
pub(crate) struct Batch {
    /// What was decided, each with the hash of its log behind it.
    pub(crate) events: Vec<(Event, Hash)>,
    /// What the events leave of the accounts that they change.
    pub(crate) accounts: HashMap<(ScopeId, Item), Account>,
    /// Where they leave their logs.
    pub(crate) logs: HashMap<Log, LogHead>,
}

/// What a batch leaves, to be [taken](Tables::take) by the tables once it is durable.
pub(crate) struct Changes {
    reservations: Vec<Change>,
    accounts: HashMap<(ScopeId, Item), Account>,
    logs: HashMap<Log, LogHead>,
    /// What few events change.
    others: Vec<Change>,
}

impl Changes {
    /// What there is to do beside the tables is done here, while others read them.
    pub(crate) fn of(batch: Batch) -> Self {
        let mut reservations = Vec::with_capacity(batch.events.len());
        let mut others = Vec::new();
        for change in batch.events.into_iter().flat_map(|(it, _)| it.changes) {
            match change {
                Change::Account { .. } => {}
                Change::Reservation(_) | Change::ReservationGone(_) => reservations.push(change),
                _ => others.push(change),
            }
        }
        Self {
            reservations,
            accounts: batch.accounts,
            logs: batch.logs,
            others,
        }
    }
}

/// An order in time of the reservations of one tenant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TimeOrder {
    /// Holds, by when they lapse.
    Holds,
    /// Those that have ended, by when they did.
    Ended,
}

/// Borrowed form of the key of what is told of a scope and an item.
#[derive(Hash)]
pub(crate) struct At<'a>(pub(crate) &'a ScopeId, pub(crate) &'a Item);

impl Equivalent<(ScopeId, Item)> for At<'_> {
    fn equivalent(&self, key: &(ScopeId, Item)) -> bool {
        *self.0 == key.0 && *self.1 == key.1
    }
}

impl TimeOrder {
    /// The order to which a state belongs.
    fn of(state: State) -> Option<Self> {
        match state {
            State::Held { .. } => Some(TimeOrder::Holds),
            State::Committed => None,
            State::Released { .. } | State::Expired { .. } => Some(TimeOrder::Ended),
        }
    }
}

impl Tables {
    /// No rows yet, to be loaded: reservations are in no list until they are
    /// [put in order](Tables::put_in_order), all at once.
    pub(crate) fn loading() -> Self {
        Self {
            reservations: Arc::new(RwLock::new(Reservations::loading())),
            ..Self::default()
        }
    }

    /// Takes the orders of the reservations that were loaded.
    pub(crate) fn put_in_order(&mut self, sorted: Sorted) {
        self.reservations_mut().put_in_order(sorted);
    }

    /// The reservations. They stay as they are as long as this is kept, or the tables are.
    pub(crate) fn reservations(&self) -> RwLockReadGuard<'_, Reservations> {
        let reservations = self.reservations.read();
        reservations.unwrap_or_else(PoisonError::into_inner)
    }

    fn reservations_mut(&mut self) -> RwLockWriteGuard<'_, Reservations> {
        let reservations = self.reservations.write();
        reservations.unwrap_or_else(PoisonError::into_inner)
    }

    /// The catalogue of others, shared until it is changed, and nothing else.
    pub(crate) fn with_catalogue_of(others: &Tables) -> Self {
        let mut it = Self {
            resources: Arc::clone(&others.resources),
            locations: Arc::clone(&others.locations),
            tiers: Arc::clone(&others.tiers),
            webhooks: Arc::clone(&others.webhooks),
            ..Self::default()
        };
        it.put_log(Log::Catalogue, others.log(&Log::Catalogue));
        it
    }

    /// Takes note of an event that is durable.
    ///
    /// Errors: [`Breach`] where the event does not follow on its log's head; nothing is changed.
    pub(crate) fn apply(&mut self, event: Event, chain: Hash) -> Result<(), Breach> {
        invariants::may_follow(self.head(&event.log), &event)?;
        for change in event.changes {
            self.put(change);
        }
        let head = Head {
            revision: event.revision,
            at: event.at,
        };
        self.put_log(event.log, LogHead { head, chain });
        Ok(())
    }

    /// Takes note of what is durable; gives the tables back before the reservations are put, which
    /// takes most of the time. Whoever looks for one waits until they are.
    pub(crate) fn take(mut tables: impl DerefMut<Target = Self>, changes: Changes) {
        let reservations = Arc::clone(&tables.reservations);
        // Kept before the tables are given back: nobody sees figures without their reservations.
        let mut reservations = reservations.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes.others {
            tables.put(change);
        }
        for ((scope, item), account) in &changes.accounts {
            tables.accounts.put(scope, item, *account);
        }
        tables.logs.extend(changes.logs);
        drop(tables);
        reservations.take(changes.reservations);
    }

    /// Sets where a log stands.
    pub(crate) fn put_log(&mut self, log: Log, head: LogHead) {
        self.logs.insert(log, head);
    }

    /// Sets one row.
    pub(crate) fn put(&mut self, change: Change) {
        match change {
            Change::Resource(row) => {
                Arc::make_mut(&mut self.resources).insert(row.name.clone(), *row);
            }
            Change::Location(row) => {
                Arc::make_mut(&mut self.locations).insert(row.id.clone(), row);
            }
            Change::Scope(row) => self.scopes.put(*row),
            Change::Tier(row) => {
                Arc::make_mut(&mut self.tiers).insert(row.name.clone(), row);
            }
            Change::Webhook(row) => {
                Arc::make_mut(&mut self.webhooks).insert(row.id.clone(), *row);
            }
            Change::WebhookGone(id) => {
                Arc::make_mut(&mut self.webhooks).remove(&id);
            }
            Change::Limits {
                scope,
                item,
                limits,
            } => self.put_limits(scope, item, limits),
            Change::Tally { scope, item, tally } => {
                self.tallies.insert((scope, item), tally);
            }
            Change::Request(row) => {
                let ids = self.request_order.entry(row.tenant.clone()).or_default();
                ids.insert(row.id.clone());
                self.requests.insert(row.id.clone(), *row);
            }
            Change::RequestGone { tenant, id } => {
                self.requests.remove(&id);
                if let Some(ids) = self.request_order.get_mut(&tenant) {
                    ids.remove(&id);
                }
            }
            Change::Account {
                scope,
                item,
                account,
            } => {
                self.accounts.put(&scope, &item, account);
            }
            Change::Reservation(row) => self.reservations_mut().put(&row),
            Change::ReservationGone(key) => self.reservations_mut().remove(&key),
            Change::Principal(row) => {
                self.principals.insert(row.id.clone(), *row);
            }
            Change::PrincipalGone(id) => {
                self.principals.remove(&id);
            }
        }
    }

    fn put_limits(&mut self, scope: ScopeId, item: Item, limits: Vec<Limit>) {
        let items = self.limit_order.entry(scope.clone()).or_default();
        if limits.is_empty() {
            items.remove(&item);
            self.limits.remove(&At(&scope, &item));
        } else {
            items.insert(item.clone());
            self.limits.insert((scope, item), limits);
        }
    }

    /// Where a log stands, with its hash.
    pub fn log(&self, log: &Log) -> LogHead {
        self.logs.get(log).copied().unwrap_or_default()
    }

    /// All logs.
    pub(crate) fn logs(&self) -> impl Iterator<Item = (&Log, &LogHead)> {
        self.logs.iter()
    }

    /// The items for which limits are set at a scope, in order, behind `after`, with the limits.
    pub(crate) fn limits_after(
        &self,
        scope: &ScopeId,
        after: Option<&Item>,
    ) -> impl Iterator<Item = (&Item, &[Limit])> {
        let items = self
            .limit_order
            .get(scope)
            .into_iter()
            .flat_map(move |items| items.range((behind(after), std::ops::Bound::Unbounded)));
        items.map(move |item| (item, self.limits(scope, item)))
    }

    /// The requests of a tenant in order of id, behind `after`.
    pub(crate) fn requests_after(
        &self,
        tenant: &ScopeId,
        after: Option<&RequestId>,
    ) -> impl Iterator<Item = &Request> {
        let ids = self.request_order.get(tenant).into_iter();
        let ids = ids.flat_map(move |ids| ids.range((behind(after), std::ops::Bound::Unbounded)));
        ids.filter_map(|id| self.requests.get(id))
    }

    /// All requests, in no order.
    pub(crate) fn all_requests(&self) -> impl Iterator<Item = &Request> {
        self.requests.values()
    }

    /// The reservations of a tenant in order of id, behind `after`.
    pub(crate) fn reservations_after(
        &self,
        tenant: &ScopeId,
        after: Option<&ReservationId>,
    ) -> impl Iterator<Item = Reservation> {
        let rows = self.reservations();
        let walk = rows.walk_by_id(tenant, after);
        walked(rows, walk, |_| true)
    }

    /// The principals in order of id, behind `after`.
    pub(crate) fn principals_after(
        &self,
        after: Option<&PrincipalId>,
    ) -> impl Iterator<Item = &Principal> {
        self.principals
            .range((behind(after), std::ops::Bound::Unbounded))
            .map(|(_, row)| row)
    }

    /// All tiers, in order of name.
    pub fn tiers(&self) -> impl Iterator<Item = &Tier> {
        self.tiers.values()
    }

    /// All webhooks, in order of id.
    pub fn webhooks(&self) -> impl Iterator<Item = &Webhook> {
        self.webhooks.values()
    }

    /// All accounts, in no order.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (&ScopeId, &Item, Account)> {
        self.accounts.iter()
    }

    /// The tenants that have a hold whose time is over at `now`, in no order.
    pub fn tenants_due(&self, now: Timestamp) -> Vec<ScopeId> {
        self.tenants_whose_first(TimeOrder::Holds, |expires_at| expires_at <= now)
    }

    /// The tenants that have a reservation that ended before an instant, in no order.
    pub fn tenants_with_ended_before(&self, instant: Timestamp) -> Vec<ScopeId> {
        self.tenants_whose_first(TimeOrder::Ended, |ended_at| ended_at < instant)
    }

    fn tenants_whose_first(
        &self,
        order: TimeOrder,
        is_wanted: impl Fn(Timestamp) -> bool,
    ) -> Vec<ScopeId> {
        let reservations = self.reservations();
        let tenants = reservations.tenants_whose_first(order, is_wanted);
        tenants.cloned().collect()
    }

    /// Those reservations of a tenant that are wanted, in one of its orders.
    pub(crate) fn in_time(
        &self,
        tenant: &ScopeId,
        order: TimeOrder,
        is_wanted: impl Fn(&ReservationId) -> bool,
    ) -> impl Iterator<Item = Reservation> {
        let rows = self.reservations();
        let walk = rows.walk_in_time(tenant, order);
        walked(rows, walk, is_wanted)
    }
}

/// What is wanted of an order of reservations, from where somebody is in it.
fn walked(
    rows: RwLockReadGuard<'_, Reservations>,
    mut walk: Walk,
    is_wanted: impl Fn(&ReservationId) -> bool,
) -> impl Iterator<Item = Reservation> {
    std::iter::from_fn(move || rows.step(&mut walk, &is_wanted))
}

pub(crate) fn behind<K>(after: Option<&K>) -> std::ops::Bound<&K> {
    after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded)
}

impl Rows for Tables {
    fn head(&self, log: &Log) -> Head {
        self.log(log).head
    }

    fn resource(&self, name: &ResourceName) -> Option<&Resource> {
        self.resources.get(name)
    }

    fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.resources.values()
    }

    fn resource_count(&self) -> usize {
        self.resources.len()
    }

    fn location(&self, id: &LocationId) -> Option<&Location> {
        self.locations.get(id)
    }

    fn locations(&self) -> impl Iterator<Item = &Location> {
        self.locations.values()
    }

    fn location_count(&self) -> usize {
        self.locations.len()
    }

    fn tier(&self, name: &TierName) -> Option<&Tier> {
        self.tiers.get(name)
    }

    fn tier_count(&self) -> usize {
        self.tiers.len()
    }

    fn webhook(&self, id: &WebhookId) -> Option<&Webhook> {
        self.webhooks.get(id)
    }

    fn webhook_count(&self) -> usize {
        self.webhooks.len()
    }

    fn scope(&self, id: &ScopeId) -> Option<&Scope> {
        self.scopes.find(id)
    }

    fn has_children(&self, scope: &ScopeId) -> bool {
        self.scopes.children_after(scope, None).next().is_some()
    }

    fn limits(&self, scope: &ScopeId, item: &Item) -> &[Limit] {
        self.limits
            .get(&At(scope, item))
            .map_or(&[], |limits| limits.as_slice())
    }

    fn tally(&self, scope: &ScopeId, item: &Item) -> Tally {
        self.tallies
            .get(&At(scope, item))
            .copied()
            .unwrap_or_default()
    }

    fn request(&self, id: &RequestId) -> Option<&Request> {
        self.requests.get(id)
    }

    fn requests(&self, tenant: &ScopeId) -> impl Iterator<Item = &Request> {
        self.requests_after(tenant, None)
    }

    fn account(&self, scope: &ScopeId, item: &Item) -> Account {
        self.accounts.find(scope, item).unwrap_or_default()
    }

    fn reservation(&self, tenant: &ScopeId, id: &ReservationId) -> Option<Reservation> {
        self.reservations().find(tenant, id)
    }

    fn holds(&self, tenant: &ScopeId) -> impl Iterator<Item = Reservation> {
        self.in_time(tenant, TimeOrder::Holds, |_| true)
    }

    fn ended(&self, tenant: &ScopeId) -> impl Iterator<Item = Reservation> {
        self.in_time(tenant, TimeOrder::Ended, |_| true)
    }

    fn principal(&self, id: &PrincipalId) -> Option<&Principal> {
        self.principals.get(id)
    }
}
