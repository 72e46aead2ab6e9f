//! What a decision may see: the rows that its command names, and no others.

use alloc::vec::Vec;

use crate::command::{
    Action, ApproveRequest, Command, DeleteLimit, PutLimit, ReservationRef, Reserve, RuleRequest,
};
use crate::event::{Head, Log};
use crate::model::{
    Account, Item, Limit, Lines, Location, Principal, Reach, Request, Reservation, Resource, Scope,
    Tally, Tier, Webhook,
};
use crate::names::{
    LocationId, PrincipalId, RequestId, ReservationId, ResourceName, ScopeId, TierName, WebhookId,
};

/// The rows as one decision sees them.
///
/// A store may answer from memory, or load first what the [`Footprint`] names: a decision asks for
/// nothing else. The catalogue (resources, locations, tiers and webhooks) is small and bounded; it
/// is always there.
pub trait Rows {
    /// Where a log stands.
    fn head(&self, log: &Log) -> Head;
    /// A resource.
    fn resource(&self, name: &ResourceName) -> Option<&Resource>;
    /// All resources, in order of name.
    fn resources(&self) -> impl Iterator<Item = &Resource>;
    /// How many resources there are.
    fn resource_count(&self) -> usize;
    /// A location.
    fn location(&self, id: &LocationId) -> Option<&Location>;
    /// All locations, in order of id.
    fn locations(&self) -> impl Iterator<Item = &Location>;
    /// How many locations there are.
    fn location_count(&self) -> usize;
    /// A tier.
    fn tier(&self, name: &TierName) -> Option<&Tier>;
    /// How many tiers there are.
    fn tier_count(&self) -> usize;
    /// A webhook.
    fn webhook(&self, id: &WebhookId) -> Option<&Webhook>;
    /// How many webhooks there are.
    fn webhook_count(&self) -> usize;
    /// A scope.
    fn scope(&self, id: &ScopeId) -> Option<&Scope>;
    /// Whether there are scopes right below one.
    fn has_children(&self, scope: &ScopeId) -> bool;
    /// The limits set for exactly this scope and item, in no order.
    fn limits(&self, scope: &ScopeId, item: &Item) -> &[Limit];
    /// The figures of a scope and an item; zero where nothing was ever taken.
    fn account(&self, scope: &ScopeId, item: &Item) -> Account;
    /// What went past the limits of a scope and an item.
    fn tally(&self, scope: &ScopeId, item: &Item) -> Tally;
    /// A request.
    fn request(&self, id: &RequestId) -> Option<&Request>;
    /// The requests of a tenant, in no order.
    fn requests(&self, tenant: &ScopeId) -> impl Iterator<Item = &Request>;
    /// A reservation.
    fn reservation(&self, tenant: &ScopeId, id: &ReservationId) -> Option<Reservation>;
    /// The holds of a tenant, those that lapse first in front, ties in order of id.
    fn holds(&self, tenant: &ScopeId) -> impl Iterator<Item = Reservation>;
    /// The ended reservations of a tenant, those that ended first in front, ties in order of id.
    fn ended(&self, tenant: &ScopeId) -> impl Iterator<Item = Reservation>;
    /// A principal.
    fn principal(&self, id: &PrincipalId) -> Option<&Principal>;
}

/// The rows that a command's decision may ask for.
///
/// At each scope here (those named, those of the reservations and of the requests, and every scope
/// above any of them), for each item here (those named, those of the reservations' lines and of the
/// requests): the limits for the exact item, those for the resource at any location, the account
/// and the tally; and whether there are scopes below it. A resource that is counted per location,
/// named without one, is named at each location.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Scopes, each with every scope above it and the log of its tenant.
    pub scopes: Vec<ScopeId>,
    /// Items.
    pub items: Vec<Item>,
    /// Whether every item counts as named: a report on all of them.
    pub all_items: bool,
    /// Reservations, each named by its id and a scope of its tenant; with its scope and its lines.
    pub reservations: Vec<(ScopeId, ReservationId)>,
    /// Scopes of whose tenants the holds may be needed, each hold with the rows of a reservation.
    ///
    /// Only a decision that would refuse, or let past a limit, asks for them. A store may leave them out at first, take
    /// note that [`Rows::holds`] was called, and decide again with them: those that are due, and
    /// `FITS_AT_HOLDS_MAX` more.
    pub holds_of: Vec<ScopeId>,
    /// Tenants of which the ended reservations may be needed, those alone.
    pub ended_of: Vec<ScopeId>,
    /// Requests, each with its scope, its item and the log of its tenant.
    pub requests: Vec<RequestId>,
    /// Scopes of whose tenants all requests may be needed, those alone.
    pub requests_of: Vec<ScopeId>,
    /// Principals.
    pub principals: Vec<PrincipalId>,
}

impl Footprint {
    /// One scope, with every scope above it and the log of its tenant.
    pub fn of_scope(scope: &ScopeId) -> Self {
        Self {
            scopes: [scope.clone()].into(),
            ..Self::default()
        }
    }

    /// What a reservation may touch.
    ///
    /// The holds and the reservation are named by the reservation's scope: a store takes that
    /// scope's tenant.
    pub fn of_reserve(reserve: &Reserve) -> Self {
        Self {
            reservations: [(reserve.scope.clone(), reserve.id.clone())].into(),
            ..Self::of_check(&reserve.scope, reserve.asked.lines())
        }
    }

    /// What a check of a reservation may touch.
    pub fn of_check(scope: &ScopeId, lines: &Lines) -> Self {
        Self {
            items: items(lines),
            holds_of: [scope.clone()].into(),
            ..Self::of_scope(scope)
        }
    }

    /// What a change of a reservation may touch.
    fn of_reservation(of: &ReservationRef) -> Self {
        Self {
            scopes: [of.scope.clone()].into(),
            reservations: [(of.scope.clone(), of.id.clone())].into(),
            ..Self::default()
        }
    }
}

fn items(lines: &Lines) -> Vec<Item> {
    lines.iter().map(|line| line.item.clone()).collect()
}

impl Command {
    /// The rows that [`decide`](crate::decide::decide) may ask for.
    pub fn footprint(&self) -> Footprint {
        let mut footprint = self.action.footprint();
        footprint.scopes.extend(below(&self.reach));
        footprint
    }
}

impl Action {
    fn footprint(&self) -> Footprint {
        let mut it = Footprint::default();
        match self {
            Action::Reserve(reserve) => return Footprint::of_reserve(reserve),
            Action::Commit(settle) | Action::Release(settle) => {
                return Footprint::of_reservation(&settle.of);
            }
            Action::Extend(extend) => return Footprint::of_reservation(&extend.of),
            Action::Resize(resize) => {
                it = Footprint::of_reservation(&resize.of);
                it.items = items(&resize.lines);
                it.holds_of.push(resize.of.scope.clone());
            }
            Action::Transfer(transfer) => {
                it = Footprint::of_reservation(&transfer.of);
                it.scopes.push(transfer.to.clone());
                it.holds_of.push(transfer.of.scope.clone());
            }
            Action::Forget { tenant, .. } => {
                it.scopes.push(tenant.clone());
                it.ended_of.push(tenant.clone());
            }
            Action::Expire { tenant } => {
                it.scopes.push(tenant.clone());
                it.holds_of.push(tenant.clone());
            }
            Action::CountRefusals { tenant, refused } => {
                it.scopes.push(tenant.clone());
                it.scopes.extend(refused.iter().map(|(at, ..)| at.clone()));
                it.items.extend(refused.iter().map(|(_, of, _)| of.clone()));
            }
            Action::PutScope(put) => {
                it.scopes.push(put.id.clone());
                it.scopes.extend(put.parent.clone());
            }
            Action::PutLimit(PutLimit { scope, item, .. })
            | Action::DeleteLimit(DeleteLimit { scope, item, .. }) => {
                it.scopes.push(scope.clone());
                it.items.push(item.clone());
            }
            Action::SubmitRequest(submit) => {
                it.scopes.push(submit.scope.clone());
                it.items.push(submit.item.clone());
                it.requests.push(submit.id.clone());
                it.requests_of.push(submit.scope.clone());
            }
            Action::ApproveRequest(ApproveRequest { id, .. })
            | Action::DenyRequest(RuleRequest { id, .. })
            | Action::CancelRequest(RuleRequest { id, .. }) => it.requests.push(id.clone()),
            Action::CreatePrincipal(create) => {
                it.scopes.extend(below(&create.reach));
                it.principals.push(create.id.clone());
            }
            Action::EnablePrincipal { id, .. } | Action::DeletePrincipal { id } => {
                it.principals.push(id.clone());
            }
            Action::PutWebhook(put) => it.scopes.extend(below(&put.reach)),
            Action::PutResource(_)
            | Action::PutLocation(_)
            | Action::PutTier(_)
            | Action::DeleteWebhook { .. }
            | Action::NoteDelivered { .. } => {}
        }
        it
    }
}

/// The scope that a reach is below.
fn below(reach: &Reach) -> Option<ScopeId> {
    match reach {
        Reach::Everything => None,
        Reach::Below(scope) => Some(scope.clone()),
    }
}

/// A scope and the scopes above it, the nearest first.
///
/// It ends after `SCOPE_DEPTH_MAX` steps, whatever the rows say.
pub fn path<'a, R: Rows>(rows: &'a R, scope: &'a Scope) -> impl Iterator<Item = &'a Scope> {
    core::iter::successors(Some(scope), |below| rows.scope(below.parent.as_ref()?))
        .take(usize::from(crate::bounds::SCOPE_DEPTH_MAX))
}

/// The scope `id`, where it exists and the reach covers it.
pub fn scope_within<'a, R: Rows>(rows: &'a R, reach: &Reach, id: &ScopeId) -> Option<&'a Scope> {
    let scope = rows.scope(id)?;
    match reach {
        Reach::Everything => Some(scope),
        Reach::Below(top) => path(rows, scope)
            .any(|above| above.id == *top)
            .then_some(scope),
    }
}
