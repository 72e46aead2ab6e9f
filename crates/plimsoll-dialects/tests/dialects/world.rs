//! A small world of rows to answer from.

use std::collections::BTreeMap;

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::event::{Head, Log};
use plimsoll_core::model::{
    Account, Attributes, Item, Limit, Location, Principal, Reservation, Resource, Scope,
};
use plimsoll_core::names::{LocationId, PrincipalId, ReservationId, ResourceName, ScopeId, Text};
use plimsoll_core::rows::{Footprint, Rows, path};

#[derive(Clone, Default)]
pub(crate) struct World {
    resources: BTreeMap<ResourceName, Resource>,
    locations: BTreeMap<LocationId, Location>,
    scopes: BTreeMap<ScopeId, Scope>,
    limits: BTreeMap<(ScopeId, Item), Limit>,
    accounts: BTreeMap<(ScopeId, Item), Account>,
}

pub(crate) fn scope_id(id: &str) -> ScopeId {
    ScopeId::parse(id).unwrap()
}

fn amount(units: u64) -> Amount {
    Amount::new(units).unwrap()
}

fn text(text: &str) -> Text {
    Text::parse(text).unwrap()
}

/// `vm/image`, or `vm/image@FRA-A`.
fn item(item: &str) -> Item {
    let (resource, location) = match item.split_once('@') {
        Some((resource, location)) => (resource, Some(LocationId::parse(location).unwrap())),
        None => (item, None),
    };
    Item {
        resource: ResourceName::parse(resource).unwrap(),
        location,
    }
}

pub(crate) fn finite(units: u64) -> Ceiling {
    Ceiling::Finite(amount(units))
}

impl World {
    fn resource(mut self, name: &str, default: u64, per_location: bool) -> World {
        let name = ResourceName::parse(name).unwrap();
        let resource = Resource {
            name: name.clone(),
            unit: text("count"),
            default_ceiling: finite(default),
            per_location,
            adjustable: true,
            description: text(""),
        };
        self.resources.insert(name, resource);
        self
    }

    pub(crate) fn resource_per_location(self, name: &str, default: u64) -> World {
        self.resource(name, default, true)
    }

    pub(crate) fn resource_anywhere(self, name: &str, default: u64) -> World {
        self.resource(name, default, false)
    }

    pub(crate) fn location(mut self, id: &str, name: &str, attributes: &[(&str, &str)]) -> World {
        let id = LocationId::parse(id).unwrap();
        let attributes = attributes
            .iter()
            .map(|(name, value)| (text(name), text(value)))
            .collect();
        let location = Location {
            id: id.clone(),
            name: text(name),
            attributes: Attributes::new(attributes).unwrap(),
        };
        self.locations.insert(id, location);
        self
    }

    pub(crate) fn scope(mut self, id: &str, parent: Option<&str>) -> World {
        let id = scope_id(id);
        let parent = parent.map(|parent| self.scopes[&scope_id(parent)].clone());
        let scope = Scope {
            id: id.clone(),
            tenant: parent
                .as_ref()
                .map_or(id.clone(), |parent| parent.tenant.clone()),
            depth: parent.as_ref().map_or(1, |parent| parent.depth + 1),
            parent: parent.map(|parent| parent.id),
            kind: text("project"),
        };
        self.scopes.insert(id, scope);
        self
    }

    pub(crate) fn limit(mut self, scope: &str, about: &str, ceiling: Ceiling) -> World {
        let limit = Limit {
            scope: scope_id(scope),
            item: item(about),
            ceiling,
            set_by: PrincipalId::parse("admin").unwrap(),
            set_at: Timestamp::default(),
            reason: text("test"),
            revision: 1,
        };
        self.limits.insert((scope_id(scope), item(about)), limit);
        self
    }

    pub(crate) fn account(mut self, scope: &str, about: &str, used: u64, held: u64) -> World {
        let account = Account {
            used: amount(used),
            held: amount(held),
        };
        self.accounts
            .insert((scope_id(scope), item(about)), account);
        self
    }

    /// The catalogue and what the footprint names, and nothing else: what a database would load.
    pub(crate) fn loaded(&self, footprint: &Footprint) -> World {
        let mut scopes = BTreeMap::new();
        for scope in footprint.scopes.iter().filter_map(|id| self.scopes.get(id)) {
            for above in path(self, scope) {
                scopes.insert(above.id.clone(), above.clone());
            }
        }
        let is_named = |scope: &ScopeId, item: &Item| {
            let exactly = footprint.items.contains(item);
            let anywhere = footprint
                .items
                .iter()
                .any(|named| named.resource == item.resource && item.location.is_none());
            scopes.contains_key(scope) && (footprint.all_items || exactly || anywhere)
        };
        let mut limits = self.limits.clone();
        limits.retain(|(scope, item), _| is_named(scope, item));
        let mut accounts = self.accounts.clone();
        accounts.retain(|(scope, item), _| is_named(scope, item));
        World {
            resources: self.resources.clone(),
            locations: self.locations.clone(),
            scopes,
            limits,
            accounts,
        }
    }
}

impl Rows for World {
    fn head(&self, _: &Log) -> Head {
        unreachable!("a report needs no log")
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
        let account = self.accounts.get(&(scope.clone(), item.clone()));
        account.copied().unwrap_or_default()
    }

    fn reservation(&self, _: &ScopeId, _: &ReservationId) -> Option<&Reservation> {
        unreachable!("a report needs no reservation")
    }

    fn holds(&self, _: &ScopeId) -> impl Iterator<Item = &Reservation> {
        std::iter::empty()
    }

    fn ended(&self, _: &ScopeId) -> impl Iterator<Item = &Reservation> {
        std::iter::empty()
    }

    fn principal(&self, _: &PrincipalId) -> Option<&Principal> {
        unreachable!("a report needs no principal")
    }
}
