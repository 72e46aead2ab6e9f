//! The core's decisions, wrapped.

use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::{Action, Command};
use plimsoll_core::decide::decide as by_the_rules;
use plimsoll_core::event::{Cause, Change, Event, Head, Log};
use plimsoll_core::model::{
    Account, Item, Limit, Location, Principal, Request, Reservation, Resource, Scope, Tally, Tier,
    Webhook,
};
use plimsoll_core::names::{
    LocationId, PrincipalId, RequestId, ReservationId, ResourceName, ScopeId, TierName, WebhookId,
};
use plimsoll_core::outcome::{Breach, Decision};
use plimsoll_core::rows::Rows;

use super::Bug;

pub(super) fn decide<R: Rows>(
    bug: Bug,
    rows: &R,
    command: &Command,
    now: Timestamp,
) -> Result<Decision, Breach> {
    match (bug, &command.action) {
        (Bug::NoIdempotency, Action::Reserve(_)) => {
            by_the_rules(&WithoutReservations(rows), command, now)
        }
        (Bug::ParentNotCharged, _) => {
            let mut decision = by_the_rules(rows, command, now)?;
            for event in &mut decision.events {
                leave_the_tenant_out(event);
            }
            Ok(decision)
        }
        (Bug::NoIdempotency | Bug::AnswerBeforeFlush | Bug::JumpedClock, _) => {
            by_the_rules(rows, command, now)
        }
    }
}

/// Takes the tenant's own account out of a reservation that was granted below it.
fn leave_the_tenant_out(event: &mut Event) {
    let Log::Tenant(tenant) = &event.log else {
        return;
    };
    if event.cause != Cause::Reserved {
        return;
    }
    let is_above =
        |change: &Change| matches!(change, Change::Account { scope, .. } if scope == tenant);
    if !event
        .changes
        .iter()
        .all(|change| is_above(change) || matches!(change, Change::Reservation(_)))
    {
        event.changes.retain(|change| !is_above(change));
    }
}

/// Rows that know of no reservation by its id.
struct WithoutReservations<'a, R>(&'a R);

impl<R: Rows> Rows for WithoutReservations<'_, R> {
    fn head(&self, log: &Log) -> Head {
        self.0.head(log)
    }

    fn resource(&self, name: &ResourceName) -> Option<&Resource> {
        self.0.resource(name)
    }

    fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.0.resources()
    }

    fn resource_count(&self) -> usize {
        self.0.resource_count()
    }

    fn location(&self, id: &LocationId) -> Option<&Location> {
        self.0.location(id)
    }

    fn locations(&self) -> impl Iterator<Item = &Location> {
        self.0.locations()
    }

    fn location_count(&self) -> usize {
        self.0.location_count()
    }

    fn scope(&self, id: &ScopeId) -> Option<&Scope> {
        self.0.scope(id)
    }

    fn tier(&self, name: &TierName) -> Option<&Tier> {
        self.0.tier(name)
    }

    fn tier_count(&self) -> usize {
        self.0.tier_count()
    }

    fn webhook(&self, id: &WebhookId) -> Option<&Webhook> {
        self.0.webhook(id)
    }

    fn webhook_count(&self) -> usize {
        self.0.webhook_count()
    }

    fn has_children(&self, scope: &ScopeId) -> bool {
        self.0.has_children(scope)
    }

    fn limits(&self, scope: &ScopeId, item: &Item) -> &[Limit] {
        self.0.limits(scope, item)
    }

    fn tally(&self, scope: &ScopeId, item: &Item) -> Tally {
        self.0.tally(scope, item)
    }

    fn request(&self, id: &RequestId) -> Option<&Request> {
        self.0.request(id)
    }

    fn requests(&self, tenant: &ScopeId) -> impl Iterator<Item = &Request> {
        self.0.requests(tenant)
    }

    fn account(&self, scope: &ScopeId, item: &Item) -> Account {
        self.0.account(scope, item)
    }

    fn reservation(&self, _: &ScopeId, _: &ReservationId) -> Option<Reservation> {
        None
    }

    fn holds(&self, tenant: &ScopeId) -> impl Iterator<Item = Reservation> {
        self.0.holds(tenant)
    }

    fn ended(&self, tenant: &ScopeId) -> impl Iterator<Item = Reservation> {
        self.0.ended(tenant)
    }

    fn principal(&self, id: &PrincipalId) -> Option<&Principal> {
        self.0.principal(id)
    }
}
