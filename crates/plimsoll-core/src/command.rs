//! What a caller may ask to be changed.

use crate::amount::{Ceiling, Timestamp};
use crate::model::{
    Asked, Attributes, Credential, Item, Lines, Location, Reach, Resource, Role, Terms,
};
use crate::names::{PrincipalId, ReservationId, ScopeId, Text};

/// One thing to be decided, with who asks and how far they reach.
///
/// What lies beyond the reach is answered as if it did not exist. Whether the caller's role allows
/// the action at all is settled before a command is made: see [`Action::role`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Who asks.
    pub actor: PrincipalId,
    /// Where they may act.
    pub reach: Reach,
    /// What they ask for.
    pub action: Action,
}

/// The kinds of command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Take something, all lines or none.
    Reserve(Reserve),
    /// Keep what is held, all or part; the rest of the hold is let go.
    Commit(Settle),
    /// Let go what is held or used, all or part.
    Release(Settle),
    /// Hold on for longer.
    Extend(Extend),
    /// Take other amounts instead, as one step: only what becomes more must be admitted.
    Resize(Resize),
    /// Take it in another scope of the same tenant instead, as one step.
    Transfer(Transfer),
    /// Let the tenant's holds lapse whose time is over, the earliest first, at most
    /// `EXPIRE_HOLDS_MAX` of them.
    Expire {
        /// Whose holds.
        tenant: ScopeId,
    },
    /// Forget the tenant's reservations that ended before an instant, the earliest first, at most
    /// `FORGET_RESERVATIONS_MAX` of them.
    Forget {
        /// Whose reservations.
        tenant: ScopeId,
        /// The first instant that is remembered.
        ended_before: Timestamp,
    },
    /// Define a resource or change it.
    PutResource(Resource),
    /// Define a location or change it.
    PutLocation(Location),
    /// Make a scope or change it.
    PutScope(PutScope),
    /// Set a limit.
    PutLimit(PutLimit),
    /// Take a limit away.
    DeleteLimit(DeleteLimit),
    /// Make a principal.
    CreatePrincipal(CreatePrincipal),
    /// Let a principal call, or not.
    EnablePrincipal {
        /// Which.
        id: PrincipalId,
        /// Whether it may.
        enabled: bool,
    },
    /// Forget a principal.
    DeletePrincipal {
        /// Which.
        id: PrincipalId,
    },
}

impl Action {
    /// The least role that may ask for it.
    pub fn role(&self) -> Role {
        match self {
            Action::Reserve(_)
            | Action::Commit(_)
            | Action::Release(_)
            | Action::Extend(_)
            | Action::Resize(_)
            | Action::Transfer(_)
            | Action::Expire { .. } => Role::Enforcer,
            Action::PutScope(_) | Action::PutLimit(_) | Action::DeleteLimit(_) => Role::Manager,
            Action::PutResource(_)
            | Action::PutLocation(_)
            | Action::CreatePrincipal(_)
            | Action::EnablePrincipal { .. }
            | Action::DeletePrincipal { .. }
            | Action::Forget { .. } => Role::Admin,
        }
    }

    /// Whether it is to pass the limits, which takes a permission of its own.
    pub fn is_forced(&self) -> bool {
        match self {
            Action::Reserve(reserve) => reserve.force.is_some(),
            Action::Resize(resize) => resize.force.is_some(),
            Action::Transfer(transfer) => transfer.force.is_some(),
            Action::Commit(_)
            | Action::Release(_)
            | Action::Extend(_)
            | Action::Expire { .. }
            | Action::Forget { .. }
            | Action::PutResource(_)
            | Action::PutLocation(_)
            | Action::PutScope(_)
            | Action::PutLimit(_)
            | Action::DeleteLimit(_)
            | Action::CreatePrincipal(_)
            | Action::EnablePrincipal { .. }
            | Action::DeletePrincipal { .. } => false,
        }
    }
}

/// Asks for a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserve {
    /// The caller's id for it.
    pub id: ReservationId,
    /// Where to take it.
    pub scope: ScopeId,
    /// What to take.
    pub asked: Asked,
    /// For how long.
    pub terms: Terms,
    /// Why it is to pass the limits, where it is.
    pub force: Option<Text>,
    /// The real thing behind it.
    pub holder: Option<Text>,
    /// Whatever the caller wants to find again.
    pub attributes: Attributes,
}

/// Means a reservation by its id and any scope of its tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservationRef {
    /// A scope of the reservation's tenant, within the caller's reach.
    pub scope: ScopeId,
    /// The caller's id for it.
    pub id: ReservationId,
}

/// Names a reservation: ids are unique within a tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReservationKey {
    /// The root of its scope's tree.
    pub tenant: ScopeId,
    /// The caller's id for it.
    pub id: ReservationId,
}

/// Asks to keep a reservation or to let it go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settle {
    /// Which reservation.
    pub of: ReservationRef,
    /// How much of it; `None` for all. To release a part once more is to release more: a caller
    /// who may repeat himself names the revision.
    pub part: Option<Lines>,
    /// What the caller believes to be there.
    pub expected: Expected,
}

/// Asks to hold on for longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extend {
    /// Which reservation.
    pub of: ReservationRef,
    /// From now on, in milliseconds: at least 1, at most `HOLD_TTL_MS_MAX`.
    pub ttl_ms: u64,
    /// What the caller believes to be there.
    pub expected: Expected,
}

/// Asks for other amounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resize {
    /// Which reservation.
    pub of: ReservationRef,
    /// What it is to take from now on.
    pub lines: Lines,
    /// Why it is to pass the limits, where it is.
    pub force: Option<Text>,
    /// What the caller believes to be there.
    pub expected: Expected,
}

/// Asks for another scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Which reservation.
    pub of: ReservationRef,
    /// Where it is to be taken from now on.
    pub to: ScopeId,
    /// Why it is to pass the limits, where it is.
    pub force: Option<Text>,
    /// What the caller believes to be there.
    pub expected: Expected,
}

/// Asks for a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutScope {
    /// Its id.
    pub id: ScopeId,
    /// The node above; `None` makes a tenant.
    pub parent: Option<ScopeId>,
    /// What the tenant calls it.
    pub kind: Text,
}

/// Asks for a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutLimit {
    /// Where it binds.
    pub scope: ScopeId,
    /// What it binds.
    pub item: Item,
    /// How much there may be.
    pub ceiling: Ceiling,
    /// Why.
    pub reason: Text,
    /// What the caller believes to be there.
    pub expected: Expected,
}

/// Asks for a limit to be taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteLimit {
    /// Where it binds.
    pub scope: ScopeId,
    /// What it binds.
    pub item: Item,
    /// What the caller believes to be there.
    pub expected: Expected,
}

/// What the caller of a compare-and-set believes to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing in particular.
    Whatever,
    /// The row with this revision.
    Revision(u64),
}

/// Asks for a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatePrincipal {
    /// Its id, made by the server.
    pub id: PrincipalId,
    /// What it may do.
    pub role: Role,
    /// Where it may do it.
    pub reach: Reach,
    /// Whether it may let a reservation past the limits.
    pub may_force: bool,
    /// How it proves itself.
    pub credential: Credential,
    /// The first instant at which it may not call.
    pub expires_at: Option<Timestamp>,
    /// For people.
    pub description: Text,
}
