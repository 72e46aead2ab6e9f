//! A small world of rows to answer from.

use std::collections::BTreeMap;

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::event::{Head, Log};
use plimsoll_core::model::{
    Account, Alerts, Attributes, Item, Limit, Location, Mode, Principal, Request, Reservation,
    Resource, Scope, Tally, Tier, Webhook, Window,
};
use plimsoll_core::names::{
    LocationId, PrincipalId, RequestId, ReservationId, ResourceName, ScopeId, Text, TierName,
    WebhookId,
};
use plimsoll_core::rows::{Footprint, Rows, path};

#[derive(Clone, Default)]
pub(crate) struct World {
    resources: BTreeMap<ResourceName, Resource>,
    locations: BTreeMap<LocationId, Location>,
    scopes: BTreeMap<ScopeId, Scope>,
    limits: BTreeMap<(ScopeId, Item), Vec<Limit>>,
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
            auto_approval: None,
            alerts: Alerts::default(),
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
            tier: None,
        };
        self.scopes.insert(id, scope);
        self
    }

    pub(crate) fn limit(self, scope: &str, about: &str, ceiling: Ceiling) -> World {
        self.limit_in(Window::ALWAYS, scope, about, ceiling)
    }

    /// A limit that counts from one instant until another, in milliseconds.
    pub(crate) fn limit_between(
        self,
        (start_ms, end_ms): (u64, u64),
        scope: &str,
        about: &str,
        ceiling: Ceiling,
    ) -> World {
        let window = Window::new(Timestamp::from_ms(start_ms), Timestamp::from_ms(end_ms));
        self.limit_in(window.unwrap(), scope, about, ceiling)
    }

    fn limit_in(mut self, window: Window, scope: &str, about: &str, ceiling: Ceiling) -> World {
        let limit = Limit {
            scope: scope_id(scope),
            item: item(about),
            window,
            ceiling,
            mode: Mode::Enforce,
            set_by: PrincipalId::parse("admin").unwrap(),
            set_at: Timestamp::default(),
            reason: text("test"),
            request: None,
            revision: 1,
        };
        let place = (scope_id(scope), item(about));
        self.limits.entry(place).or_default().push(limit);
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
        Head::default()
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

    fn tier(&self, _: &TierName) -> Option<&Tier> {
        None
    }

    fn tier_count(&self) -> usize {
        0
    }

    fn webhook(&self, _: &WebhookId) -> Option<&Webhook> {
        unreachable!("a report needs no webhook")
    }

    fn webhook_count(&self) -> usize {
        0
    }

    fn scope(&self, id: &ScopeId) -> Option<&Scope> {
        self.scopes.get(id)
    }

    fn has_children(&self, scope: &ScopeId) -> bool {
        let mut scopes = self.scopes.values();
        scopes.any(|it| it.parent.as_ref() == Some(scope))
    }

    fn limits(&self, scope: &ScopeId, item: &Item) -> &[Limit] {
        let limits = self.limits.get(&(scope.clone(), item.clone()));
        limits.map_or(&[], Vec::as_slice)
    }

    fn account(&self, scope: &ScopeId, item: &Item) -> Account {
        let account = self.accounts.get(&(scope.clone(), item.clone()));
        account.copied().unwrap_or_default()
    }

    fn tally(&self, _: &ScopeId, _: &Item) -> Tally {
        Tally::default()
    }

    fn request(&self, _: &RequestId) -> Option<&Request> {
        unreachable!("a report needs no request")
    }

    fn requests(&self, _: &ScopeId) -> impl Iterator<Item = &Request> {
        std::iter::empty()
    }

    fn reservation(&self, _: &ScopeId, _: &ReservationId) -> Option<Reservation> {
        unreachable!("a report needs no reservation")
    }

    fn holds(&self, _: &ScopeId) -> impl Iterator<Item = Reservation> {
        std::iter::empty()
    }

    fn ended(&self, _: &ScopeId) -> impl Iterator<Item = Reservation> {
        std::iter::empty()
    }

    fn principal(&self, _: &PrincipalId) -> Option<&Principal> {
        unreachable!("a report needs no principal")
    }
}
