//! The fence around a decision: only what the footprint names is in memory.

use std::collections::BTreeSet;

use plimsoll_core::event::{Head, Log};
use plimsoll_core::model::{
    Account, Item, Limit, Location, Principal, Reservation, Resource, Scope,
};
use plimsoll_core::names::{LocationId, PrincipalId, ReservationId, ResourceName, ScopeId};
use plimsoll_core::rows::{Footprint, Rows};

use crate::world::World;

/// The rows that a footprint names. To ask for any other is a failure of the test.
///
/// The words of [`Footprint`] taken literally, and no more is allowed than they say.
pub(crate) struct Fenced<'a> {
    world: &'a World,
    footprint: &'a Footprint,
    /// Named scopes and all above them: their limits and accounts of the items are named too.
    chains: BTreeSet<ScopeId>,
    /// Scopes named only because a reservation is there.
    reserved_in: BTreeSet<ScopeId>,
    /// Accounts of the lines of named reservations.
    reserved: BTreeSet<(ScopeId, Item)>,
    /// Tenants whose log is named.
    tenants: BTreeSet<ScopeId>,
}

impl<'a> Fenced<'a> {
    pub(crate) fn new(world: &'a World, footprint: &'a Footprint) -> Self {
        let mut fenced = Self {
            world,
            footprint,
            chains: footprint
                .scopes
                .iter()
                .flat_map(|id| world.chain(id))
                .collect(),
            reserved_in: BTreeSet::new(),
            reserved: BTreeSet::new(),
            tenants: footprint
                .scopes
                .iter()
                .map(|id| world.tenant_of(id))
                .collect(),
        };
        for (scope, id) in &footprint.reservations {
            if let Some(reservation) = world.reservation(&world.tenant_of(scope), id) {
                fenced.name(reservation);
            }
        }
        for scope in &footprint.holds_of {
            for hold in world.holds(&world.tenant_of(scope)) {
                fenced.name(hold);
            }
        }
        fenced
    }

    /// Names a reservation's scope, all above it, and their accounts of its lines.
    fn name(&mut self, reservation: &Reservation) {
        for above in self.world.chain(&reservation.scope) {
            for line in reservation.lines.iter() {
                self.reserved.insert((above.clone(), line.item.clone()));
            }
            self.reserved_in.insert(above);
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

    /// Whether the footprint names an item, exactly.
    fn names_item(&self, item: &Item) -> bool {
        self.footprint.all_items || self.footprint.items.contains(item)
    }

    /// Whether the footprint names an item of the resource at any location.
    fn names_any_location(&self, item: &Item) -> bool {
        item.location.is_none()
            && self
                .footprint
                .items
                .iter()
                .any(|named| named.resource == item.resource)
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
        let is_named = self.chains.contains(id) || self.reserved_in.contains(id);
        self.assert(is_named, || format!("scope {id}"));
        self.world.scope(id)
    }

    fn limit(&self, scope: &ScopeId, item: &Item) -> Option<&Limit> {
        let is_named =
            self.chains.contains(scope) && (self.names_item(item) || self.names_any_location(item));
        self.assert(is_named, || format!("the limit of {scope} for {item:?}"));
        self.world.limit(scope, item)
    }

    fn account(&self, scope: &ScopeId, item: &Item) -> Account {
        let is_named = (self.chains.contains(scope) && self.names_item(item))
            || self.reserved.contains(&(scope.clone(), item.clone()));
        self.assert(is_named, || format!("the account of {scope} for {item:?}"));
        self.world.account(scope, item)
    }

    fn reservation(&self, tenant: &ScopeId, id: &ReservationId) -> Option<&Reservation> {
        let named = self
            .footprint
            .reservations
            .iter()
            .filter(|(_, named)| named == id);
        let is_named = self.names_tenant(named.map(|(scope, _)| scope), tenant);
        self.assert(is_named, || format!("reservation {id} of {tenant}"));
        self.world.reservation(tenant, id)
    }

    fn holds(&self, tenant: &ScopeId) -> impl Iterator<Item = &Reservation> {
        let is_named = self.names_tenant(self.footprint.holds_of.iter(), tenant);
        self.assert(is_named, || format!("the holds of {tenant}"));
        self.world.holds(tenant)
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
    use crate::world::{item, principal, reservation, scope};

    fn told(row: &dyn std::fmt::Debug) -> String {
        format!("{row:?}")
    }

    /// The fence itself stands: each of these rows is one step beyond a footprint.
    #[test]
    fn what_is_not_named_is_out_of_sight() {
        let bench = run("
            reserve r1 p vm/image@FRA-A 1 hold 300s
            reserve r2 q vm/disk 1 commit
        ");
        let footprint = Footprint {
            scopes: [scope("p")].into(),
            items: [item("vm/image@HKG-A")].into(),
            reservations: [(scope("p"), reservation("r1"))].into(),
            ..Footprint::default()
        };
        let asks: &[fn(&Fenced<'_>) -> String] = &[
            |rows| told(&rows.head(&Log::Tenant(scope("p")))),
            |rows| told(&rows.head(&Log::Tenant(scope("other")))),
            |rows| told(&rows.scope(&scope("q"))),
            |rows| told(&rows.limit(&scope("q"), &item("vm/image@HKG-A"))),
            |rows| told(&rows.limit(&scope("p"), &item("vm/image@FRA-A"))),
            |rows| told(&rows.limit(&scope("p"), &item("vm/disk"))),
            |rows| told(&rows.account(&scope("p"), &item("vm/disk"))),
            |rows| told(&rows.account(&scope("p"), &item("vm/image"))),
            |rows| told(&rows.reservation(&scope("acme"), &reservation("r2"))),
            |rows| told(&rows.holds(&scope("acme")).count()),
            |rows| told(&rows.principal(&principal("root"))),
        ];
        let named: &[fn(&Fenced<'_>) -> String] = &[
            |rows| told(&rows.head(&Log::Tenant(scope("acme")))),
            |rows| told(&rows.scope(&scope("acme"))),
            |rows| told(&rows.limit(&scope("acme"), &item("vm/image"))),
            |rows| told(&rows.account(&scope("acme"), &item("vm/image@HKG-A"))),
            |rows| told(&rows.account(&scope("acme"), &item("vm/image@FRA-A"))),
            |rows| told(&rows.reservation(&scope("acme"), &reservation("r1"))),
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
