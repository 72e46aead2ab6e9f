//! What a batch has decided and not yet made durable, on top of the tables.
//!
//! Readers see the tables, so they see only what is durable; the commands of a batch see the
//! overlay, so each sees what the ones before it did.

mod reservations;

use std::cell::Cell;
use std::collections::BTreeMap;

use hashbrown::HashMap;
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

use self::reservations::{Changed, Place};
use crate::record::Hash;
use crate::tables::{At, Batch, LogHead, Tables, TimeOrder};

/// The tables with the rows that a batch has changed.
pub(crate) struct Overlay<'a> {
    below: &'a Tables,
    /// The whole catalogue, once the batch has changed it: it is small, and that is rare.
    resources: Option<BTreeMap<ResourceName, Resource>>,
    locations: Option<BTreeMap<LocationId, Location>>,
    tiers: Option<BTreeMap<TierName, Tier>>,
    webhooks: Option<BTreeMap<WebhookId, Webhook>>,
    scopes: HashMap<ScopeId, Scope>,
    limits: HashMap<(ScopeId, Item), Vec<Limit>>,
    tallies: HashMap<(ScopeId, Item), Tally>,
    requests: HashMap<RequestId, Option<Request>>,
    accounts: HashMap<(ScopeId, Item), Account>,
    reservations: Changed,
    principals: HashMap<PrincipalId, Option<Principal>>,
    logs: HashMap<Log, LogHead>,
    /// What was decided.
    events: Vec<(Event, Hash)>,
    /// Whether a decision has asked for the holds of a tenant.
    asked_for_holds: Cell<bool>,
}

impl<'a> Overlay<'a> {
    /// Nothing on top of the tables.
    pub(crate) fn new(below: &'a Tables) -> Self {
        Self::with_room_for(0, below)
    }

    /// Nothing on top of the tables, with room for what so many commands change.
    pub(crate) fn with_room_for(commands: usize, below: &'a Tables) -> Self {
        Self {
            below,
            resources: None,
            locations: None,
            tiers: None,
            webhooks: None,
            scopes: HashMap::new(),
            limits: HashMap::new(),
            tallies: HashMap::new(),
            requests: HashMap::new(),
            accounts: HashMap::with_capacity(commands),
            reservations: Changed::with_room_for(commands),
            principals: HashMap::new(),
            logs: HashMap::new(),
            events: Vec::with_capacity(commands),
            asked_for_holds: Cell::new(false),
        }
    }

    /// Whether a decision has asked for the holds of a tenant.
    pub(crate) fn has_asked_for_holds(&self) -> bool {
        self.asked_for_holds.get()
    }

    /// Where a log stands, with its hash.
    pub(crate) fn log(&self, log: &Log) -> LogHead {
        self.logs
            .get(log)
            .copied()
            .unwrap_or_else(|| self.below.log(log))
    }

    /// Takes note of an event that the batch has decided; `chain` makes the hash of its log behind
    /// it from the one before it.
    ///
    /// Errors: [`Breach`] where the event does not follow on its log's head.
    pub(crate) fn apply(
        &mut self,
        event: Event,
        chain: impl FnOnce(&Event, &Hash) -> Hash,
    ) -> Result<(), Breach> {
        let log = self.logs.entry_ref(&event.log);
        let log = log.or_insert_with(|| self.below.log(&event.log));
        invariants::may_follow(log.head, &event)?;
        let chain = chain(&event, &log.chain);
        let head = Head {
            revision: event.revision,
            at: event.at,
        };
        *log = LogHead { head, chain };
        for change in &event.changes {
            self.put(change);
        }
        let changes = event.changes.len();
        self.events.push((event, chain));
        let event = self.events.len() - 1;
        for change in 0..changes {
            self.reservations.put(Place { event, change }, &self.events);
        }
        Ok(())
    }

    /// What was decided, and what it leaves.
    pub(crate) fn into_batch(self) -> Batch {
        Batch {
            events: self.events,
            accounts: self.accounts,
            logs: self.logs,
        }
    }

    fn put(&mut self, change: &Change) {
        match change {
            Change::Resource(row) => {
                let resources = self
                    .resources
                    .get_or_insert_with(|| BTreeMap::clone(&self.below.resources));
                resources.insert(row.name.clone(), (**row).clone());
            }
            Change::Location(row) => {
                let locations = self
                    .locations
                    .get_or_insert_with(|| BTreeMap::clone(&self.below.locations));
                locations.insert(row.id.clone(), row.clone());
            }
            Change::Scope(row) => {
                self.scopes.insert(row.id.clone(), (**row).clone());
            }
            Change::Tier(row) => {
                let tiers = self
                    .tiers
                    .get_or_insert_with(|| BTreeMap::clone(&self.below.tiers));
                tiers.insert(row.name.clone(), row.clone());
            }
            Change::Webhook(row) => {
                let below = || BTreeMap::clone(&self.below.webhooks);
                let webhooks = self.webhooks.get_or_insert_with(below);
                webhooks.insert(row.id.clone(), (**row).clone());
            }
            Change::WebhookGone(id) => {
                let below = || BTreeMap::clone(&self.below.webhooks);
                self.webhooks.get_or_insert_with(below).remove(id);
            }
            Change::Limits {
                scope,
                item,
                limits,
            } => {
                let key = (scope.clone(), item.clone());
                self.limits.insert(key, limits.clone());
            }
            Change::Tally { scope, item, tally } => {
                self.tallies.insert((scope.clone(), item.clone()), *tally);
            }
            Change::Request(row) => {
                self.requests.insert(row.id.clone(), Some((**row).clone()));
            }
            Change::RequestGone { id, .. } => {
                self.requests.insert(id.clone(), None);
            }
            Change::Account {
                scope,
                item,
                account,
            } => match self.accounts.get_mut(&At(scope, item)) {
                Some(known) => *known = *account,
                None => {
                    self.accounts
                        .insert((scope.clone(), item.clone()), *account);
                }
            },
            // They are found in the events.
            Change::Reservation(_) | Change::ReservationGone(_) => {}
            Change::Principal(row) => {
                self.principals
                    .insert(row.id.clone(), Some((**row).clone()));
            }
            Change::PrincipalGone(id) => {
                self.principals.insert(id.clone(), None);
            }
        }
    }

    /// One of a tenant's orders: the places below that the batch has not changed, with those that
    /// it has made.
    fn in_time(&self, tenant: &ScopeId, order: TimeOrder) -> impl Iterator<Item = Reservation> {
        let is_unchanged = move |id: &ReservationId| {
            let found = self.reservations.find(tenant, id, &self.events);
            found.is_none()
        };
        let unchanged = self.below.in_time(tenant, order, is_unchanged);
        let changed = self.reservations.in_time(tenant, order, &self.events);
        merged(unchanged, changed.cloned())
    }
}

impl Rows for Overlay<'_> {
    fn head(&self, log: &Log) -> Head {
        self.log(log).head
    }

    fn resource(&self, name: &ResourceName) -> Option<&Resource> {
        self.resources
            .as_ref()
            .unwrap_or(&self.below.resources)
            .get(name)
    }

    fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.resources
            .as_ref()
            .unwrap_or(&self.below.resources)
            .values()
    }

    fn resource_count(&self) -> usize {
        self.resources
            .as_ref()
            .unwrap_or(&self.below.resources)
            .len()
    }

    fn location(&self, id: &LocationId) -> Option<&Location> {
        self.locations
            .as_ref()
            .unwrap_or(&self.below.locations)
            .get(id)
    }

    fn locations(&self) -> impl Iterator<Item = &Location> {
        self.locations
            .as_ref()
            .unwrap_or(&self.below.locations)
            .values()
    }

    fn location_count(&self) -> usize {
        self.locations
            .as_ref()
            .unwrap_or(&self.below.locations)
            .len()
    }

    fn tier(&self, name: &TierName) -> Option<&Tier> {
        self.tiers.as_ref().unwrap_or(&self.below.tiers).get(name)
    }

    fn tier_count(&self) -> usize {
        self.tiers.as_ref().unwrap_or(&self.below.tiers).len()
    }

    fn webhook(&self, id: &WebhookId) -> Option<&Webhook> {
        self.webhooks
            .as_ref()
            .unwrap_or(&self.below.webhooks)
            .get(id)
    }

    fn webhook_count(&self) -> usize {
        self.webhooks.as_ref().unwrap_or(&self.below.webhooks).len()
    }

    fn scope(&self, id: &ScopeId) -> Option<&Scope> {
        self.scopes.get(id).or_else(|| self.below.scope(id))
    }

    fn has_children(&self, scope: &ScopeId) -> bool {
        let mut changed = self.scopes.values();
        changed.any(|it| it.parent.as_ref() == Some(scope)) || self.below.has_children(scope)
    }

    fn limits(&self, scope: &ScopeId, item: &Item) -> &[Limit] {
        match self.limits.get(&At(scope, item)) {
            Some(changed) => changed,
            None => self.below.limits(scope, item),
        }
    }

    fn tally(&self, scope: &ScopeId, item: &Item) -> Tally {
        let changed = self.tallies.get(&At(scope, item)).copied();
        changed.unwrap_or_else(|| self.below.tally(scope, item))
    }

    fn request(&self, id: &RequestId) -> Option<&Request> {
        match self.requests.get(id) {
            Some(changed) => changed.as_ref(),
            None => self.below.request(id),
        }
    }

    fn requests(&self, tenant: &ScopeId) -> impl Iterator<Item = &Request> {
        let below = self.below.requests(tenant);
        let unchanged = below.filter(|request| !self.requests.contains_key(&request.id));
        let changed = self.requests.values().flatten();
        unchanged.chain(changed.filter(move |request| request.tenant == *tenant))
    }

    fn account(&self, scope: &ScopeId, item: &Item) -> Account {
        let changed = self.accounts.get(&At(scope, item)).copied();
        changed.unwrap_or_else(|| self.below.account(scope, item))
    }

    fn reservation(&self, tenant: &ScopeId, id: &ReservationId) -> Option<Reservation> {
        match self.reservations.find(tenant, id, &self.events) {
            Some(changed) => changed.cloned(),
            None => self.below.reservation(tenant, id),
        }
    }

    fn holds(&self, tenant: &ScopeId) -> impl Iterator<Item = Reservation> {
        self.asked_for_holds.set(true);
        self.in_time(tenant, TimeOrder::Holds)
    }

    fn ended(&self, tenant: &ScopeId) -> impl Iterator<Item = Reservation> {
        self.in_time(tenant, TimeOrder::Ended)
    }

    fn principal(&self, id: &PrincipalId) -> Option<&Principal> {
        match self.principals.get(id) {
            Some(changed) => changed.as_ref(),
            None => self.below.principal(id),
        }
    }
}

/// Two orders in time as one.
fn merged(
    one: impl Iterator<Item = Reservation>,
    other: impl Iterator<Item = Reservation>,
) -> impl Iterator<Item = Reservation> {
    let mut one = one.peekable();
    let mut other = other.peekable();
    std::iter::from_fn(move || {
        let one_is_next = match (one.peek(), other.peek()) {
            (Some(one), Some(other)) => place_in_time(one) <= place_in_time(other),
            (Some(_), None) => true,
            (None, _) => false,
        };
        if one_is_next {
            one.next()
        } else {
            other.next()
        }
    })
}

fn place_in_time(row: &Reservation) -> (Timestamp, &ReservationId) {
    let at = match row.state {
        State::Held { expires_at } => expires_at,
        State::Committed => Timestamp::default(),
        State::Released { ended_at } | State::Expired { ended_at } => ended_at,
    };
    (at, &row.id)
}

#[cfg(test)]
mod tests;
