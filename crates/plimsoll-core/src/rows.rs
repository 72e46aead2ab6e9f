//! What a decision may see: the rows that its command names, and no others.

use alloc::vec::Vec;

use crate::command::{Action, Command, ReservationRef, Reserve};
use crate::event::{Head, Log};
use crate::model::{
    Account, Item, Limit, Lines, Location, Principal, Reach, Reservation, Resource, Scope,
};
use crate::names::{LocationId, PrincipalId, ReservationId, ResourceName, ScopeId};

/// The rows as one decision sees them.
///
/// A store may answer from memory, or load first what the [`Footprint`] names: a decision asks for
/// nothing else. The catalogue (resources and locations) is small and bounded; it is always there.
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
    /// A scope.
    fn scope(&self, id: &ScopeId) -> Option<&Scope>;
    /// The limit set for exactly this scope and item.
    fn limit(&self, scope: &ScopeId, item: &Item) -> Option<&Limit>;
    /// The figures of a scope and an item; zero where nothing was ever taken.
    fn account(&self, scope: &ScopeId, item: &Item) -> Account;
    /// A reservation.
    fn reservation(&self, tenant: &ScopeId, id: &ReservationId) -> Option<&Reservation>;
    /// The holds of a tenant, those that lapse first in front, ties in order of id.
    fn holds(&self, tenant: &ScopeId) -> impl Iterator<Item = &Reservation>;
    /// The ended reservations of a tenant, those that ended first in front, ties in order of id.
    fn ended(&self, tenant: &ScopeId) -> impl Iterator<Item = &Reservation>;
    /// A principal.
    fn principal(&self, id: &PrincipalId) -> Option<&Principal>;
}

/// The rows that a command's decision may ask for.
///
/// At each scope here (those named, those of the reservations, and every scope above any of them),
/// for each item here (those named, and those of the reservations' lines): the limit for the exact
/// item, the limit for the resource at any location, and the account.
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
    /// Only a decision that would refuse asks for them. A store may leave them out at first, take
    /// note that [`Rows::holds`] was called, and decide again with them: those that are due, and
    /// `FITS_AT_HOLDS_MAX` more.
    pub holds_of: Vec<ScopeId>,
    /// Tenants of which the ended reservations may be needed, those alone.
    pub ended_of: Vec<ScopeId>,
    /// Principals.
    pub principals: Vec<PrincipalId>,
}

impl Footprint {
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
            scopes: [scope.clone()].into(),
            items: items(lines),
            holds_of: [scope.clone()].into(),
            ..Self::default()
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
        let mut footprint = match &self.action {
            Action::Reserve(reserve) => Footprint::of_reserve(reserve),
            Action::Commit(settle) | Action::Release(settle) => {
                Footprint::of_reservation(&settle.of)
            }
            Action::Extend(extend) => Footprint::of_reservation(&extend.of),
            Action::Resize(resize) => Footprint {
                items: items(&resize.lines),
                holds_of: [resize.of.scope.clone()].into(),
                ..Footprint::of_reservation(&resize.of)
            },
            Action::Transfer(transfer) => Footprint {
                scopes: [transfer.of.scope.clone(), transfer.to.clone()].into(),
                holds_of: [transfer.of.scope.clone()].into(),
                ..Footprint::of_reservation(&transfer.of)
            },
            Action::Forget { tenant, .. } => Footprint {
                scopes: [tenant.clone()].into(),
                ended_of: [tenant.clone()].into(),
                ..Footprint::default()
            },
            Action::Expire { tenant } => Footprint {
                scopes: [tenant.clone()].into(),
                holds_of: [tenant.clone()].into(),
                ..Footprint::default()
            },
            Action::PutScope(put) => Footprint {
                scopes: core::iter::once(&put.id)
                    .chain(&put.parent)
                    .cloned()
                    .collect(),
                ..Footprint::default()
            },
            Action::PutLimit(put) => Footprint {
                scopes: [put.scope.clone()].into(),
                items: [put.item.clone()].into(),
                ..Footprint::default()
            },
            Action::DeleteLimit(delete) => Footprint {
                scopes: [delete.scope.clone()].into(),
                items: [delete.item.clone()].into(),
                ..Footprint::default()
            },
            Action::PutResource(_) | Action::PutLocation(_) => Footprint::default(),
            Action::CreatePrincipal(create) => Footprint {
                scopes: match &create.reach {
                    Reach::Everything => Vec::new(),
                    Reach::Below(scope) => [scope.clone()].into(),
                },
                principals: [create.id.clone()].into(),
                ..Footprint::default()
            },
            Action::EnablePrincipal { id, .. } | Action::DeletePrincipal { id } => Footprint {
                principals: [id.clone()].into(),
                ..Footprint::default()
            },
        };
        if let Reach::Below(scope) = &self.reach {
            footprint.scopes.push(scope.clone());
        }
        footprint
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
