//! The rows of one tenant, as a decision sees them.

use std::iter;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::event::{Head, Log};
use plimsoll_core::model::{
    Account, Item, Limit, Location, Principal, Request, Reservation, Resource, Scope, Tally, Tier,
    Webhook,
};
use plimsoll_core::names::{
    LocationId, PrincipalId, RequestId, ReservationId, ResourceName, ScopeId, TierName, WebhookId,
};
use plimsoll_core::rows::Rows;

use super::Model;

impl Rows for Model {
    fn head(&self, log: &Log) -> Head {
        let revision = match log {
            Log::Catalogue => 0,
            Log::Tenant(_) => self.revision,
        };
        Head {
            revision,
            at: Timestamp::default(),
        }
    }

    fn resource(&self, name: &ResourceName) -> Option<&Resource> {
        self.resource.as_ref().filter(|row| row.name == *name)
    }

    fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.resource.iter()
    }

    fn resource_count(&self) -> usize {
        self.resource.iter().count()
    }

    fn location(&self, _: &LocationId) -> Option<&Location> {
        None
    }

    fn locations(&self) -> impl Iterator<Item = &Location> {
        iter::empty()
    }

    fn location_count(&self) -> usize {
        0
    }

    fn tier(&self, _: &TierName) -> Option<&Tier> {
        None
    }

    fn tier_count(&self) -> usize {
        0
    }

    fn webhook(&self, _: &WebhookId) -> Option<&Webhook> {
        None
    }

    fn webhook_count(&self) -> usize {
        0
    }

    fn scope(&self, id: &ScopeId) -> Option<&Scope> {
        self.scopes.get(id)
    }

    fn has_children(&self, scope: &ScopeId) -> bool {
        let mut scopes = self.scopes.values();
        scopes.any(|row| row.parent.as_ref() == Some(scope))
    }

    fn limits(&self, scope: &ScopeId, _: &Item) -> &[Limit] {
        self.limits.get(scope).map_or(&[], Vec::as_slice)
    }

    fn account(&self, scope: &ScopeId, _: &Item) -> Account {
        self.accounts.get(scope).copied().unwrap_or_default()
    }

    fn tally(&self, _: &ScopeId, _: &Item) -> Tally {
        Tally::default()
    }

    fn request(&self, _: &RequestId) -> Option<&Request> {
        None
    }

    fn requests(&self, _: &ScopeId) -> impl Iterator<Item = &Request> {
        iter::empty()
    }

    fn reservation(&self, _: &ScopeId, id: &ReservationId) -> Option<Reservation> {
        self.reservations.get(id).map(|known| known.row.clone())
    }

    /// None is ever due, and when something would fit is not compared: so none is needed.
    fn holds(&self, _: &ScopeId) -> impl Iterator<Item = Reservation> {
        iter::empty()
    }

    fn ended(&self, _: &ScopeId) -> impl Iterator<Item = Reservation> {
        iter::empty()
    }

    fn principal(&self, _: &PrincipalId) -> Option<&Principal> {
        None
    }
}
