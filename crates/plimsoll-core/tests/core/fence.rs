//! The fence around a decision: only what the footprint names is in memory.

use std::collections::BTreeSet;

use plimsoll_core::event::{Head, Log};
use plimsoll_core::model::{
    Account, Item, Limit, Location, Principal, Request, Reservation, Resource, Scope, Tally, Tier,
    Webhook,
};
use plimsoll_core::names::{
    LocationId, PrincipalId, RequestId, ReservationId, ResourceName, ScopeId, TierName, WebhookId,
};
use plimsoll_core::rows::{Footprint, Rows};

use crate::world::World;

/// The rows that a footprint names. To ask for any other is a failure of the test.
///
/// The words of [`Footprint`] taken literally, and no more is allowed than they say.
pub(crate) struct Fenced<'a> {
    world: &'a World,
    footprint: &'a Footprint,
    /// Named scopes, those of named reservations and requests, and all above any of them.
    scopes: BTreeSet<ScopeId>,
    /// Named items, those of the lines of named reservations and those of named requests: at each
    /// of the scopes.
    items: BTreeSet<Item>,
    /// Scopes named only because a hold is there.
    held_in: BTreeSet<ScopeId>,
    /// Where holds count, each by itself: at its scope and all above, its lines.
    held: BTreeSet<(ScopeId, Item)>,
    /// Tenants whose log is named.
    tenants: BTreeSet<ScopeId>,
}

impl<'a> Fenced<'a> {
    pub(crate) fn new(world: &'a World, footprint: &'a Footprint) -> Self {
        let named = footprint.scopes.iter();
        let mut fenced = Self {
            world,
            footprint,
            scopes: named.clone().flat_map(|id| world.chain(id)).collect(),
            items: footprint.items.iter().cloned().collect(),
            held_in: BTreeSet::new(),
            held: BTreeSet::new(),
            tenants: named.map(|id| world.tenant_of(id)).collect(),
        };
        for (scope, id) in &footprint.reservations {
            if let Some(row) = world.reservation(&world.tenant_of(scope), id) {
                fenced.scopes.extend(world.chain(&row.scope));
                let items = row.lines.iter().map(|line| line.item.clone());
                fenced.items.extend(items);
            }
        }
        for id in &footprint.requests {
            if let Some(row) = world.request(id) {
                fenced.scopes.extend(world.chain(&row.scope));
                fenced.items.insert(row.item.clone());
                fenced.tenants.insert(row.tenant.clone());
            }
        }
        for scope in &footprint.holds_of {
            for hold in world.holds(&world.tenant_of(scope)) {
                fenced.name(&hold);
            }
        }
        fenced
    }

    /// Names a hold's scope, all above it, and what is there of its lines.
    fn name(&mut self, hold: &Reservation) {
        for above in self.world.chain(&hold.scope) {
            for line in hold.lines.iter() {
                self.held.insert((above.clone(), line.item.clone()));
            }
            self.held_in.insert(above);
        }
    }

    fn assert(&self, is_named: bool, what: impl FnOnce() -> String) {
        assert!(
            is_named,
            "{} is beyond the footprint {:#?}",
            what(),
            self.footprint
        );
    }

    /// Whether an item is named at a scope: exactly, or the resource at each location.
    fn names_item(&self, scope: &ScopeId, item: &Item) -> bool {
        let anywhere = Item {
            resource: item.resource.clone(),
            location: None,
        };
        let is_named = self.items.contains(item) || self.items.contains(&anywhere);
        let at_scope = self.footprint.all_items || is_named;
        (self.scopes.contains(scope) && at_scope)
            || self.held.contains(&(scope.clone(), item.clone()))
    }

    /// Whether an item of the resource is named at a scope, at any location.
    fn names_any_location(&self, scope: &ScopeId, item: &Item) -> bool {
        let is_it = |named: &Item| named.resource == item.resource;
        let at_scope = self.scopes.contains(scope) && self.items.iter().any(is_it);
        let is_held = |(at, held): &(ScopeId, Item)| at == scope && is_it(held);
        item.location.is_none() && (at_scope || self.held.iter().any(is_held))
    }

    /// Whether a list of scopes names a tenant: by itself, or by a scope of its tree.
    fn names_tenant<'b>(&self, mut named: impl Iterator<Item = &'b ScopeId>, id: &ScopeId) -> bool {
        named.any(|scope| scope == id || self.world.tenant_of(scope) == *id)
    }
}

impl Rows for Fenced<'_> {
    fn head(&self, log: &Log) -> Head {
        match log {
            Log::Catalogue => {}
            Log::Tenant(tenant) => {
                self.assert(self.tenants.contains(tenant), || {
                    format!("the log of {tenant}")
                });
            }
        }
        self.world.head(log)
    }

    fn resource(&self, name: &ResourceName) -> Option<&Resource> {
        self.world.resource(name)
    }

    fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.world.resources()
    }

    fn resource_count(&self) -> usize {
        self.world.resource_count()
    }

    fn location(&self, id: &LocationId) -> Option<&Location> {
        self.world.location(id)
    }

    fn locations(&self) -> impl Iterator<Item = &Location> {
        self.world.locations()
    }

    fn location_count(&self) -> usize {
        self.world.location_count()
    }

    fn scope(&self, id: &ScopeId) -> Option<&Scope> {
        let is_named = self.scopes.contains(id) || self.held_in.contains(id);
        self.assert(is_named, || format!("scope {id}"));
        self.world.scope(id)
    }

    fn tier(&self, name: &TierName) -> Option<&Tier> {
        self.world.tier(name)
    }

    fn tier_count(&self) -> usize {
        self.world.tier_count()
    }

    fn webhook(&self, id: &WebhookId) -> Option<&Webhook> {
        self.world.webhook(id)
    }

    fn webhook_count(&self) -> usize {
        self.world.webhook_count()
    }

    fn has_children(&self, scope: &ScopeId) -> bool {
        let is_named = self.scopes.contains(scope);
        self.assert(is_named, || format!("what is below {scope}"));
        self.world.has_children(scope)
    }

    fn limits(&self, scope: &ScopeId, item: &Item) -> &[Limit] {
        let is_named = self.names_item(scope, item) || self.names_any_location(scope, item);
        self.assert(is_named, || format!("the limits of {scope} for {item:?}"));
        self.world.limits(scope, item)
    }

    fn account(&self, scope: &ScopeId, item: &Item) -> Account {
        let is_named = self.names_item(scope, item);
        self.assert(is_named, || format!("the account of {scope} for {item:?}"));
        self.world.account(scope, item)
    }

    fn tally(&self, scope: &ScopeId, item: &Item) -> Tally {
        let is_named = self.names_item(scope, item);
        self.assert(is_named, || format!("the tally of {scope} for {item:?}"));
        self.world.tally(scope, item)
    }

    fn request(&self, id: &RequestId) -> Option<&Request> {
        let is_named = self.footprint.requests.contains(id);
        self.assert(is_named, || format!("request {id}"));
        self.world.request(id)
    }

    fn requests(&self, tenant: &ScopeId) -> impl Iterator<Item = &Request> {
        let is_named = self.names_tenant(self.footprint.requests_of.iter(), tenant);
        self.assert(is_named, || format!("the requests of {tenant}"));
        self.world.requests(tenant)
    }

    fn reservation(&self, tenant: &ScopeId, id: &ReservationId) -> Option<Reservation> {
        let named = self
            .footprint
            .reservations
            .iter()
            .filter(|(_, named)| named == id);
        let is_named = self.names_tenant(named.map(|(scope, _)| scope), tenant);
        self.assert(is_named, || format!("reservation {id} of {tenant}"));
        self.world.reservation(tenant, id)
    }

    fn holds(&self, tenant: &ScopeId) -> impl Iterator<Item = Reservation> {
        let is_named = self.names_tenant(self.footprint.holds_of.iter(), tenant);
        self.assert(is_named, || format!("the holds of {tenant}"));
        self.world.holds(tenant)
    }

    fn ended(&self, tenant: &ScopeId) -> impl Iterator<Item = Reservation> {
        let is_named = self.names_tenant(self.footprint.ended_of.iter(), tenant);
        self.assert(is_named, || format!("the ended reservations of {tenant}"));
        self.world.ended(tenant)
    }

    fn principal(&self, id: &PrincipalId) -> Option<&Principal> {
        self.assert(self.footprint.principals.contains(id), || {
            format!("principal {id}")
        });
        self.world.principal(id)
    }
}

mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use plimsoll_core::event::Log;
    use plimsoll_core::rows::{Footprint, Rows};

    use super::Fenced;
    use crate::script::run;
    use crate::world::{item, principal, request, reservation, scope};

    fn told(row: &dyn std::fmt::Debug) -> String {
        format!("{row:?}")
    }

    /// The fence itself stands: each of these rows is one step beyond a footprint.
    #[test]
    fn what_is_not_named_is_out_of_sight() {
        let bench = run("
            reserve r1 p vm/image@FRA-A 1 hold 300s
            reserve r2 q vm/disk 1 commit
            reserve r3 z net/ip 1 hold 300s force test
            scope far
            submit q1 far net/ip 9
            submit q2 q net/ip 9
        ");
        let footprint = Footprint {
            scopes: [scope("p")].into(),
            items: [item("vm/image@HKG-A")].into(),
            reservations: [(scope("p"), reservation("r1"))].into(),
            requests: [request("q1")].into(),
            requests_of: [scope("z")].into(),
            holds_of: [scope("other")].into(),
            ..Footprint::default()
        };
        let asks: &[fn(&Fenced<'_>) -> String] = &[
            |rows| told(&rows.head(&Log::Tenant(scope("p")))),
            |rows| told(&rows.head(&Log::Tenant(scope("other")))),
            |rows| told(&rows.scope(&scope("q"))),
            |rows| told(&rows.limits(&scope("q"), &item("vm/image@HKG-A"))),
            |rows| told(&rows.limits(&scope("p"), &item("vm/disk"))),
            |rows| told(&rows.limits(&scope("q"), &item("net/ip"))),
            |rows| told(&rows.tally(&scope("z"), &item("vm/image@FRA-A"))),
            |rows| told(&rows.tally(&scope("p"), &item("vm/image"))),
            |rows| told(&rows.request(&request("q2"))),
            |rows| told(&rows.request(&request("nothing"))),
            |rows| told(&rows.requests(&scope("acme")).count()),
            |rows| told(&rows.requests(&scope("far")).count()),
            |rows| told(&rows.limits(&scope("z"), &item("vm/image"))),
            |rows| told(&rows.account(&scope("z"), &item("vm/image@FRA-A"))),
            |rows| told(&rows.account(&scope("q"), &item("net/ip"))),
            |rows| told(&rows.account(&scope("p"), &item("vm/disk"))),
            |rows| told(&rows.account(&scope("p"), &item("vm/image"))),
            |rows| told(&rows.reservation(&scope("acme"), &reservation("r2"))),
            |rows| told(&rows.holds(&scope("acme")).count()),
            |rows| told(&rows.ended(&scope("acme")).count()),
            |rows| told(&rows.ended(&scope("other")).count()),
            |rows| told(&rows.principal(&principal("root"))),
        ];
        let named: &[fn(&Fenced<'_>) -> String] = &[
            |rows| told(&rows.head(&Log::Tenant(scope("acme")))),
            |rows| told(&rows.scope(&scope("acme"))),
            |rows| told(&rows.limits(&scope("acme"), &item("vm/image"))),
            |rows| told(&rows.limits(&scope("p"), &item("vm/image@FRA-A"))),
            |rows| told(&rows.account(&scope("acme"), &item("vm/image@HKG-A"))),
            |rows| told(&rows.tally(&scope("acme"), &item("vm/image@HKG-A"))),
            |rows| told(&rows.request(&request("q1"))),
            |rows| told(&rows.head(&Log::Tenant(scope("far")))),
            |rows| told(&rows.limits(&scope("far"), &item("net/ip"))),
            |rows| told(&rows.tally(&scope("far"), &item("net/ip"))),
            |rows| told(&rows.requests(&scope("other")).count()),
            |rows| told(&rows.account(&scope("acme"), &item("vm/image@FRA-A"))),
            |rows| told(&rows.reservation(&scope("acme"), &reservation("r1"))),
            |rows| told(&rows.holds(&scope("other")).count()),
            |rows| told(&rows.scope(&scope("z"))),
            |rows| told(&rows.account(&scope("z"), &item("net/ip"))),
            |rows| told(&rows.account(&scope("other"), &item("net/ip"))),
        ];
        let fenced = Fenced::new(&bench.world, &footprint);
        for ask in named {
            assert!(!ask(&fenced).is_empty());
        }
        let is_seen = |ask: &fn(&Fenced<'_>) -> String| {
            catch_unwind(AssertUnwindSafe(|| ask(&fenced))).is_ok()
        };
        let seen: Vec<bool> = asks.iter().map(is_seen).collect();
        assert_eq!(seen, vec![false; asks.len()]);
    }
}
