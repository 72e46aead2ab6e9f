//! The naive reference: one map per kind of row, and nothing clever.

use std::collections::BTreeMap;

use plimsoll_core::amount::{Amount, Timestamp};
use plimsoll_core::event::{Change, Event, Head, Log};
use plimsoll_core::invariants::{accounts_of, may_follow};
use plimsoll_core::model::{
    Account, Item, Limit, Location, Principal, Reservation, Resource, Scope, State,
};
use plimsoll_core::names::{LocationId, PrincipalId, ReservationId, ResourceName, ScopeId, Text};
use plimsoll_core::rows::Rows;

/// All rows there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) heads: BTreeMap<Log, Head>,
    pub(crate) resources: BTreeMap<ResourceName, Resource>,
    pub(crate) locations: BTreeMap<LocationId, Location>,
    pub(crate) scopes: BTreeMap<ScopeId, Scope>,
    pub(crate) limits: BTreeMap<(ScopeId, Item), Limit>,
    pub(crate) accounts: BTreeMap<(ScopeId, Item), Account>,
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
                self.resources.insert(row.name.clone(), row);
            }
            Change::Location(row) => {
                self.locations.insert(row.id.clone(), row);
            }
            Change::Scope(row) => {
                self.scopes.insert(row.id.clone(), row);
            }
            Change::Limit(row) => {
                self.limits
                    .insert((row.scope.clone(), row.item.clone()), row);
            }
            Change::LimitGone { scope, item } => {
                self.limits
                    .remove(&(scope, item))
                    .expect("a limit that was there");
            }
            Change::Account {
                scope,
                item,
                account,
            } => {
                self.accounts.insert((scope, item), account);
            }
            Change::Reservation(row) => {
                self.reservations
                    .insert((row.tenant.clone(), row.id.clone()), row);
            }
            Change::ReservationGone(key) => {
                self.reservations
                    .remove(&(key.tenant, key.id))
                    .expect("a reservation that was there");
            }
            Change::Principal(row) => {
                self.principals.insert(row.id.clone(), row);
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

    /// Those reservations of a tenant that have an instant, in order of it, ties in order of id.
    fn in_order(
        &self,
        tenant: &ScopeId,
        instant: fn(State) -> Option<Timestamp>,
    ) -> impl Iterator<Item = &Reservation> {
        let rows = self.reservations.values();
        let rows = rows.filter(|row| row.tenant == *tenant);
        let mut rows: Vec<(Timestamp, &Reservation)> = rows
            .filter_map(|row| Some((instant(row.state)?, row)))
            .collect();
        rows.sort_by_key(|(at, row)| (*at, row.id.clone()));
        rows.into_iter().map(|(_, row)| row)
    }

    /// Asserts that the accounts are the sums of the live reservations, within the number space.
    pub(crate) fn assert_sums(&self) {
        let sums = accounts_of(self, self.reservations.values()).expect("no breach");
        let mut accounts = self.accounts.clone();
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

    fn limit(&self, scope: &ScopeId, item: &Item) -> Option<&Limit> {
        self.limits.get(&(scope.clone(), item.clone()))
    }

    fn account(&self, scope: &ScopeId, item: &Item) -> Account {
        let row = self.accounts.get(&(scope.clone(), item.clone()));
        row.copied().unwrap_or_default()
    }

    fn reservation(&self, tenant: &ScopeId, id: &ReservationId) -> Option<&Reservation> {
        self.reservations.get(&(tenant.clone(), id.clone()))
    }

    fn holds(&self, tenant: &ScopeId) -> impl Iterator<Item = &Reservation> {
        self.in_order(tenant, |state| match state {
            State::Held { expires_at } => Some(expires_at),
            _ => None,
        })
    }

    fn ended(&self, tenant: &ScopeId) -> impl Iterator<Item = &Reservation> {
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
