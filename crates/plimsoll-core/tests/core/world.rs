//! The naive reference: one map per kind of row, and nothing clever.

use std::collections::BTreeMap;
use std::sync::Arc;

use plimsoll_core::amount::{Amount, Timestamp};
use plimsoll_core::event::{Change, Event, Head, Log};
use plimsoll_core::invariants::{accounts_of, may_follow, own_of};
use plimsoll_core::model::{
    Account, Item, Limit, Location, Principal, Request, Reservation, Resource, Scope, State, Tally,
    Tier, Webhook, Window,
};
use plimsoll_core::names::{
    LocationId, PrincipalId, RequestId, ReservationId, ResourceName, ScopeId, Text, TierName,
    WebhookId,
};
use plimsoll_core::rows::Rows;

/// All rows there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) heads: BTreeMap<Log, Head>,
    pub(crate) resources: BTreeMap<ResourceName, Resource>,
    pub(crate) locations: BTreeMap<LocationId, Location>,
    pub(crate) scopes: BTreeMap<ScopeId, Scope>,
    pub(crate) tiers: BTreeMap<TierName, Tier>,
    pub(crate) webhooks: BTreeMap<WebhookId, Webhook>,
    pub(crate) limits: BTreeMap<(ScopeId, Item), Vec<Limit>>,
    pub(crate) accounts: BTreeMap<(ScopeId, Item), Account>,
    pub(crate) tallies: BTreeMap<(ScopeId, Item), Tally>,
    pub(crate) requests: BTreeMap<RequestId, Request>,
    pub(crate) reservations: BTreeMap<(ScopeId, ReservationId), Reservation>,
    pub(crate) principals: BTreeMap<PrincipalId, Principal>,
}

impl World {
    /// The rows after some events.
    pub(crate) fn replay(events: &[Event]) -> Self {
        let mut world = Self::default();
        for event in events {
            world.apply(event);
        }
        world
    }

    /// Writes what an event says.
    pub(crate) fn apply(&mut self, event: &Event) {
        assert_eq!(may_follow(self.head(&event.log), event), Ok(()));
        let head = Head {
            revision: event.revision,
            at: event.at,
        };
        self.heads.insert(event.log.clone(), head);
        for change in event.changes.iter().cloned() {
            self.write(change);
        }
    }

    fn write(&mut self, change: Change) {
        match change {
            Change::Resource(row) => {
                self.resources.insert(row.name.clone(), *row);
            }
            Change::Location(row) => {
                self.locations.insert(row.id.clone(), row);
            }
            Change::Scope(row) => {
                self.scopes.insert(row.id.clone(), *row);
            }
            Change::Limits {
                scope,
                item,
                limits,
            } => {
                for limit in &limits {
                    assert_eq!((&limit.scope, &limit.item), (&scope, &item));
                }
                if limits.is_empty() {
                    let gone = self.limits.remove(&(scope, item));
                    gone.expect("limits that were there");
                } else {
                    self.limits.insert((scope, item), limits);
                }
            }
            Change::Account {
                scope,
                item,
                account,
            } => {
                self.accounts.insert((scope, item), account);
            }
            Change::Reservation(row) => {
                let key = (row.tenant.clone(), row.id.clone());
                self.reservations.insert(key, Arc::unwrap_or_clone(row));
            }
            Change::ReservationGone(key) => {
                self.reservations
                    .remove(&(key.tenant, key.id))
                    .expect("a reservation that was there");
            }
            Change::Tier(row) => {
                self.tiers.insert(row.name.clone(), row);
            }
            Change::Tally { scope, item, tally } => {
                self.tallies.insert((scope, item), tally);
            }
            Change::Request(row) => {
                self.requests.insert(row.id.clone(), *row);
            }
            Change::RequestGone { tenant, id } => {
                let gone = self.requests.remove(&id).expect("a request that was there");
                assert_eq!(gone.tenant, tenant);
            }
            Change::Webhook(row) => {
                self.webhooks.insert(row.id.clone(), *row);
            }
            Change::WebhookGone(id) => {
                let gone = self.webhooks.remove(&id);
                gone.expect("a webhook that was there");
            }
            Change::Principal(row) => {
                self.principals.insert(row.id.clone(), *row);
            }
            Change::PrincipalGone(id) => {
                self.principals
                    .remove(&id)
                    .expect("a principal that was there");
            }
        }
    }

    /// The root of a scope's tree; a scope that does not exist is its own.
    pub(crate) fn tenant_of(&self, scope: &ScopeId) -> ScopeId {
        self.scopes
            .get(scope)
            .map_or_else(|| scope.clone(), |row| row.tenant.clone())
    }

    /// A scope and all scopes above it.
    pub(crate) fn chain(&self, scope: &ScopeId) -> Vec<ScopeId> {
        let mut chain = vec![scope.clone()];
        while let Some(parent) = self
            .scopes
            .get(chain.last().expect("one"))
            .and_then(|row| row.parent.clone())
        {
            chain.push(parent);
        }
        chain
    }

    /// A reservation, where it stands.
    pub(crate) fn row(&self, tenant: &ScopeId, id: &ReservationId) -> Option<&Reservation> {
        self.reservations.get(&(tenant.clone(), id.clone()))
    }

    /// Those reservations of a tenant that have an instant, in order of it, ties in order of id.
    fn in_order(
        &self,
        tenant: &ScopeId,
        instant: fn(State) -> Option<Timestamp>,
    ) -> impl Iterator<Item = Reservation> {
        let rows = self.reservations.values();
        let rows = rows.filter(|row| row.tenant == *tenant);
        let mut rows: Vec<(Timestamp, &Reservation)> = rows
            .filter_map(|row| Some((instant(row.state)?, row)))
            .collect();
        rows.sort_by_key(|(at, row)| (*at, row.id.clone()));
        rows.into_iter().map(|(_, row)| row.clone())
    }

    /// The same world, in which the limits that count at an instant count always, and no others.
    pub(crate) fn with_limits_as_of(&self, now: Timestamp) -> Self {
        let mut world = self.clone();
        for ((scope, _), limits) in &mut world.limits {
            let head = self.head(&Log::Tenant(self.tenant_of(scope)));
            let counts = Limit::in_force(limits, head.at.max(now)).cloned();
            *limits = counts.into_iter().collect();
            for limit in limits {
                limit.window = Window::ALWAYS;
            }
        }
        world
    }

    /// Asserts that the accounts are the sums of the live reservations, within the number space.
    pub(crate) fn assert_sums(&self) {
        let sums =
            accounts_of(self, self.reservations.values().flat_map(own_of)).expect("no breach");
        let accounts = self.accounts.iter();
        let accounts = accounts.map(|((scope, item), account)| ((scope, item), *account));
        let mut accounts: BTreeMap<_, _> = accounts.collect();
        accounts.retain(|_, account| *account != Account::default());
        assert_eq!(
            accounts, sums,
            "accounts (left) are the sums of the live reservations (right)"
        );
        for account in accounts.values() {
            assert!(account.used.plus(account.held).is_some(), "{account:?}");
        }
    }
}

impl Rows for World {
    fn head(&self, log: &Log) -> Head {
        self.heads.get(log).copied().unwrap_or_default()
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

    fn scope(&self, id: &ScopeId) -> Option<&Scope> {
        self.scopes.get(id)
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

    fn has_children(&self, scope: &ScopeId) -> bool {
        let mut scopes = self.scopes.values();
        scopes.any(|it| it.parent.as_ref() == Some(scope))
    }

    fn limits(&self, scope: &ScopeId, item: &Item) -> &[Limit] {
        let row = self.limits.get(&(scope.clone(), item.clone()));
        row.map_or(&[], Vec::as_slice)
    }

    fn account(&self, scope: &ScopeId, item: &Item) -> Account {
        let row = self.accounts.get(&(scope.clone(), item.clone()));
        row.copied().unwrap_or_default()
    }

    fn tally(&self, scope: &ScopeId, item: &Item) -> Tally {
        let row = self.tallies.get(&(scope.clone(), item.clone()));
        row.copied().unwrap_or_default()
    }

    fn request(&self, id: &RequestId) -> Option<&Request> {
        self.requests.get(id)
    }

    fn requests(&self, tenant: &ScopeId) -> impl Iterator<Item = &Request> {
        let rows = self.requests.values();
        rows.filter(|row| row.tenant == *tenant)
    }

    fn reservation(&self, tenant: &ScopeId, id: &ReservationId) -> Option<Reservation> {
        self.row(tenant, id).cloned()
    }

    fn holds(&self, tenant: &ScopeId) -> impl Iterator<Item = Reservation> {
        self.in_order(tenant, |state| match state {
            State::Held { expires_at } => Some(expires_at),
            _ => None,
        })
    }

    fn ended(&self, tenant: &ScopeId) -> impl Iterator<Item = Reservation> {
        self.in_order(tenant, |state| match state {
            State::Released { ended_at } | State::Expired { ended_at } => Some(ended_at),
            _ => None,
        })
    }

    fn principal(&self, id: &PrincipalId) -> Option<&Principal> {
        self.principals.get(id)
    }
}

/// A scope's id.
pub(crate) fn scope(id: &str) -> ScopeId {
    ScopeId::parse(id).unwrap_or_else(|error| panic!("scope `{id}` {error}"))
}

/// A reservation's id.
pub(crate) fn reservation(id: &str) -> ReservationId {
    ReservationId::parse(id).unwrap_or_else(|error| panic!("reservation `{id}` {error}"))
}

/// A principal's id.
pub(crate) fn principal(id: &str) -> PrincipalId {
    PrincipalId::parse(id).unwrap_or_else(|error| panic!("principal `{id}` {error}"))
}

/// A location's id.
pub(crate) fn location(id: &str) -> LocationId {
    LocationId::parse(id).unwrap_or_else(|error| panic!("location `{id}` {error}"))
}

/// A tier's name.
pub(crate) fn tier(name: &str) -> TierName {
    TierName::parse(name).unwrap_or_else(|error| panic!("tier `{name}` {error}"))
}

/// A request's id.
pub(crate) fn request(id: &str) -> RequestId {
    RequestId::parse(id).unwrap_or_else(|error| panic!("request `{id}` {error}"))
}

/// A webhook's id.
pub(crate) fn webhook(id: &str) -> WebhookId {
    WebhookId::parse(id).unwrap_or_else(|error| panic!("webhook `{id}` {error}"))
}

/// A resource's name.
pub(crate) fn resource(name: &str) -> ResourceName {
    ResourceName::parse(name).unwrap_or_else(|error| panic!("resource `{name}` {error}"))
}

/// An item: `vm/image@FRA-A`, or `vm/disk` at none.
pub(crate) fn item(text: &str) -> Item {
    let (name, place) = text
        .split_once('@')
        .map_or((text, None), |(name, id)| (name, Some(id)));
    Item {
        resource: resource(name),
        location: place.map(location),
    }
}

/// A text.
pub(crate) fn text(text: &str) -> Text {
    Text::parse(text).expect("a text")
}

/// An amount.
pub(crate) fn amount(units: u64) -> Amount {
    Amount::new(units).expect("an amount")
}

/// The instant at which every test begins.
pub(crate) const START: Timestamp = Timestamp::from_ms(1_700_000_000_000).expect("before 9999");

/// An instant of a test.
pub(crate) fn after_start(ms: u64) -> Timestamp {
    START.after_ms(ms)
}
