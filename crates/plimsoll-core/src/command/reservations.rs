//! What may be asked of reservations.

use super::{Expected, Grounds};
use crate::model::{Asked, Attributes, Lines, Terms};
use crate::names::{ReservationId, ScopeId, Text};

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
    /// Whether it may pass the limits.
    pub grounds: Grounds,
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
    /// Whether it is to be marked as the mend of a difference; it passes no limit.
    pub grounds: Grounds,
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
    /// Whether it may pass the limits.
    pub grounds: Grounds,
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
    /// Whether it may pass the limits.
    pub grounds: Grounds,
    /// What the caller believes to be there.
    pub expected: Expected,
}
