//! What has happened: the facts that a store makes durable.

use alloc::vec::Vec;

use crate::amount::Timestamp;
use crate::command::ReservationKey;
use crate::model::{Account, Item, Limit, Location, Principal, Reservation, Resource, Scope};
use crate::names::{PrincipalId, ScopeId, Text};

/// A sequence of events that has its own revisions and its own chain of hashes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Log {
    /// What belongs to no tenant: resources, locations, principals.
    Catalogue,
    /// What belongs to one.
    Tenant(ScopeId),
}

/// Where a log stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The revision of its last event; 0 before the first.
    pub revision: u64,
    /// When that was.
    pub at: Timestamp,
}

/// One fact in a log.
///
/// Invariants: `revision` is one more than that of the log's event before; `at` is never earlier.
/// The store chains the events of a log by their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose fact it is.
    pub log: Log,
    /// Its place in the log, from 1.
    pub revision: u64,
    /// When it happened.
    pub at: Timestamp,
    /// Who caused it.
    pub actor: PrincipalId,
    /// What happened.
    pub cause: Cause,
    /// Whether it passed the limits, and why.
    pub mark: Mark,
    /// Every row that it changed, as it is from now on.
    pub changes: Vec<Change>,
}

/// Whether an event passed the limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// It kept to every limit, or no limit was in question.
    #[default]
    Enforced,
    /// It did not have to: somebody with the permission said so.
    Forced {
        /// Why.
        reason: Text,
    },
}

/// What happened. The order is the numbers' order in stored records: append only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A reservation was granted.
    Reserved,
    /// A hold was committed.
    Committed,
    /// A reservation was let go.
    Released,
    /// A hold lapsed.
    Expired,
    /// A resource was defined or changed.
    ResourcePut,
    /// A location was defined or changed.
    LocationPut,
    /// A scope was made or changed.
    ScopePut,
    /// A limit was set.
    LimitPut,
    /// A limit was taken away.
    LimitDeleted,
    /// A principal was made.
    PrincipalCreated,
    /// A principal was enabled or disabled.
    PrincipalChanged,
    /// A principal was forgotten.
    PrincipalDeleted,
    /// A hold was made to last longer.
    Extended,
    /// A reservation takes other amounts.
    Resized,
    /// A reservation is in another scope.
    Transferred,
    /// Reservations that ended long ago were forgotten.
    Forgotten,
}

/// One row as it is after an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A resource.
    Resource(Resource),
    /// A location.
    Location(Location),
    /// A scope.
    Scope(Scope),
    /// A limit.
    Limit(Limit),
    /// A limit that is no more.
    LimitGone {
        /// Where it bound.
        scope: ScopeId,
        /// What it bound.
        item: Item,
    },
    /// An account.
    Account {
        /// Where.
        scope: ScopeId,
        /// Of what.
        item: Item,
        /// The new figures.
        account: Account,
    },
    /// A reservation.
    Reservation(Reservation),
    /// A reservation that is remembered no more.
    ReservationGone(ReservationKey),
    /// A principal.
    Principal(Principal),
    /// A principal that is no more.
    PrincipalGone(PrincipalId),
}
