//! What a caller may want to be told.

use plimsoll_core::amount::Timestamp;
use plimsoll_core::event::Cause;
use plimsoll_core::model::Item;
use plimsoll_core::names::{
    LocationId, PrincipalId, RequestId, ReservationId, ResourceName, ScopeId, TierName, WebhookId,
};
use plimsoll_core::report::{QuotaFilter, ReservationFilter};

/// What a caller wants to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// All resources.
    Resources,
    /// One resource.
    Resource(ResourceName),
    /// All locations.
    Locations,
    /// One location.
    Location(LocationId),
    /// The scopes within the caller's reach.
    Scopes {
        /// Only those right below this one.
        parent: Option<ScopeId>,
        /// Which part of the list.
        page: Page<ScopeId>,
    },
    /// One scope.
    Scope(ScopeId),
    /// The limits that are set at a scope.
    Limits {
        /// The scope.
        scope: ScopeId,
        /// Which part of the list.
        page: Page<Item>,
    },
    /// What a scope may take and has taken.
    Quotas {
        /// The scope.
        scope: ScopeId,
        /// Which of them.
        filter: QuotaFilter,
        /// When; `None` for now.
        as_of: Option<AsOf>,
        /// Which part of the list.
        page: Page<Item>,
    },
    /// What has happened at a scope and everything below it, or to what belongs to no tenant.
    Events {
        /// The scope; `None` for what belongs to no tenant.
        scope: Option<ScopeId>,
        /// Which of them.
        filter: EventFilter,
        /// The revision of the last event that the caller knows; 0 before the first.
        after: u64,
        /// The most events of a page: 1 to `PAGE_ITEMS_MAX`.
        size: usize,
        /// Whether the caller waits for what is still to happen, as `text/event-stream`.
        live: bool,
    },
    /// One request for a higher limit.
    Request(RequestId),
    /// The requests for a scope and everything below it.
    Requests {
        /// The scope.
        scope: ScopeId,
        /// Only those with the status of this name.
        status: Option<&'static str>,
        /// Which part of the list.
        page: Page<RequestId>,
    },
    /// All tiers.
    Tiers,
    /// One tier.
    Tier(TierName),
    /// One reservation.
    Reservation {
        /// Its id.
        id: ReservationId,
        /// A scope of its tenant: needed where the caller sees more than one with that id.
        scope: Option<ScopeId>,
    },
    /// The reservations in a scope.
    Reservations {
        /// The scope.
        scope: ScopeId,
        /// Which of them.
        filter: ReservationFilter,
        /// Which part of the list.
        page: Page<ReservationId>,
    },
    /// All principals.
    Principals {
        /// Which part of the list.
        page: Page<PrincipalId>,
    },
    /// One principal.
    Principal(PrincipalId),
    /// All webhooks.
    Webhooks,
    /// One webhook.
    Webhook(WebhookId),
}

/// A past state of a tenant's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// After the event with this revision.
    Revision(u64),
    /// After the last event that had happened by then.
    Instant(Timestamp),
}

/// Which events a reader wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only those that changed something of this resource.
    pub resource: Option<ResourceName>,
    /// Only those that changed something at this location; with a resource, the same thing.
    pub location: Option<LocationId>,
    /// Only those with this cause.
    pub cause: Option<Cause>,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<K> {
    /// The key of the last row of the part before; `None` for the first part.
    pub after: Option<K>,
    /// The most rows: 1 to `PAGE_ITEMS_MAX`.
    pub size: usize,
}
