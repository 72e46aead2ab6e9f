//! What a caller is told.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::amount::{Amount, Ceiling, Timestamp};
use crate::event::{Event, Log};
use crate::model::{
    Item, Limit, Location, Mode, Principal, Request, Reservation, Resource, Scope, Tier, Webhook,
    Window,
};
use crate::names::{LocationId, PrincipalId, RequestId, ResourceName, ScopeId, Text, TierName};

/// What came of a command: the answer, and the facts to be made durable.
///
/// A denial may come with events: holds whose time was over are expired before anything is
/// refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What the caller is told, once the events are durable.
    pub outcome: Outcome,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// What a caller is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done, or had been done before.
    Done(Done),
    /// It was not done, and nothing changed but what time changes.
    Denied(Denial),
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// The reservation as it is now.
    Reservation(Arc<Reservation>),
    /// The reservation as it is now, and the limits that it has passed and that warn. A repeat is
    /// told of the reservation alone.
    Warned(Arc<Reservation>, Vec<Exceeded>),
    /// How many holds lapsed.
    Expired {
        /// The number of holds.
        holds: usize,
    },
    /// How many reservations were forgotten.
    Forgotten {
        /// The number of reservations.
        reservations: usize,
    },
    /// The resource as it is now.
    Resource(Box<Resource>),
    /// The location as it is now.
    Location(Location),
    /// The scope as it is now.
    Scope(Box<Scope>),
    /// The limit as it is now.
    Limit(Box<Limit>),
    /// The limit is gone.
    LimitGone,
    /// The principal as it is now.
    Principal(Box<Principal>),
    /// The principal is gone.
    PrincipalGone,
    /// The tier as it is now.
    Tier(Tier),
    /// The refusals are counted.
    RefusalsCounted,
    /// The request as it is now.
    Request(Box<Request>),
    /// The webhook as it is now.
    Webhook(Box<Webhook>),
    /// The webhook is gone.
    WebhookGone,
}

/// Why a command was not carried out, in order of precedence.
///
/// What is wrong with a reservation that is there is told before what is wrong with the lines that
/// it is to take, or with the scope that it is to take them in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// No such scope, or not within the caller's reach.
    UnknownScope(ScopeId),
    /// No such resource.
    UnknownResource(ResourceName),
    /// No such location.
    UnknownLocation(LocationId),
    /// The resource is counted per location, and none was named.
    LocationRequired(ResourceName),
    /// The resource is not counted per location, and one was named.
    LocationNotApplicable(ResourceName),
    /// No such tier.
    UnknownTier(TierName),
    /// No such reservation, limit, request, webhook or principal, or not within the caller's reach.
    NotFound,
    /// The id is taken: by a reservation with other content, by a request, by a principal.
    IdConflict,
    /// What is there is not what the caller believed to be there.
    PreconditionFailed {
        /// The revision of what is there; `None` where nothing is.
        actual: Option<u64>,
    },
    /// The scope is of another tenant than the reservation.
    OtherTenant,
    /// The reservation or request is in a state that does not allow it.
    StateConflict {
        /// The state's name.
        state: &'static str,
    },
    /// The part is no part of what the reservation takes.
    NotAPart,
    /// The resource's limits are not raised on request.
    NotAdjustable(ResourceName),
    /// Another request for the same scope and item is pending.
    RequestPending(RequestId),
    /// What is asked for is no more than what binds until further notice already.
    NotAnIncrease {
        /// What binds until further notice.
        present: Ceiling,
    },
    /// The limit would be over before it is set.
    EndsInThePast,
    /// Something that never changes would change: a scope's parent, how a resource is counted.
    Immutable {
        /// The field.
        field: &'static str,
    },
    /// The tree would be deeper than `SCOPE_DEPTH_MAX`.
    TooDeep,
    /// There are as many of them as there may be.
    TooMany {
        /// The bound.
        max: usize,
    },
    /// More than the reach allows: an admin of less than everything; a tenant, or a principal with
    /// the reach `Everything`, made by somebody who reaches less.
    RoleTooWide,
    /// A principal may not disable or delete itself.
    OwnPrincipal,
    /// One or more limits would be exceeded: all of them.
    QuotaExceeded(Vec<Exceeded>),
}

impl Denial {
    /// The stable code of the denial, as every surface spells it. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Denial::UnknownScope(_) => "unknown_scope",
            Denial::UnknownResource(_) => "unknown_resource",
            Denial::UnknownLocation(_) => "unknown_location",
            Denial::LocationRequired(_) => "location_required",
            Denial::LocationNotApplicable(_) => "location_not_applicable",
            Denial::UnknownTier(_) => "unknown_tier",
            Denial::NotAdjustable(_) => "not_adjustable",
            Denial::NotAnIncrease { .. } => "not_an_increase",
            Denial::RequestPending(_) => "request_pending",
            Denial::EndsInThePast => "ends_in_the_past",
            Denial::NotFound => "not_found",
            Denial::IdConflict => "id_conflict",
            Denial::StateConflict { .. } => "state_conflict",
            Denial::NotAPart => "not_a_part",
            Denial::OtherTenant => "other_tenant",
            Denial::PreconditionFailed { .. } => "precondition_failed",
            Denial::Immutable { .. } => "immutable",
            Denial::TooDeep => "too_deep",
            Denial::TooMany { .. } => "too_many",
            Denial::RoleTooWide => "role_too_wide",
            Denial::OwnPrincipal => "own_principal",
            Denial::QuotaExceeded(_) => "quota_exceeded",
        }
    }
}

/// One limit that a reservation would pass.
///
/// Invariants: `used + held + asked > ceiling`; `short_by` is the difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Where it binds: the scope that asked, or one above it.
    pub scope: ScopeId,
    /// What it binds.
    pub item: Item,
    /// How much there may be.
    pub ceiling: Ceiling,
    /// How hard it binds.
    pub mode: Mode,
    /// Where the ceiling comes from.
    pub source: Source,
    /// Taken for good.
    pub used: Amount,
    /// Taken for now.
    pub held: Amount,
    /// Asked for.
    pub asked: Amount,
    /// Whether the limit is raised on request.
    pub is_adjustable: bool,
    /// How much is missing.
    pub short_by: Amount,
    /// The smallest ceiling that would admit it; `None` where numbers end before.
    pub smallest_sufficient: Option<Amount>,
    /// When enough holds will have lapsed for it to fit here, if nothing else changes; `None`
    /// where the first holds of the tenant (`FITS_AT_HOLDS_MAX`, `FITS_AT_LINES_MAX`) do not free
    /// enough.
    pub fits_at: Option<Timestamp>,
}

/// Where a ceiling comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The resource's default.
    Default,
    /// The scope's tier.
    Tier {
        /// Which.
        tier: TierName,
        /// For the exact location, or for any.
        item: Item,
    },
    /// A limit that somebody set.
    Limit {
        /// For the exact location, or for any.
        item: Item,
        /// From when until when.
        window: Window,
        /// Who.
        set_by: PrincipalId,
        /// Why.
        reason: Text,
        /// The request whose approval it is.
        request: Option<RequestId>,
        /// At which revision of the tenant's log.
        revision: u64,
    },
    /// Nothing is set; only `AMOUNT_MAX`, where numbers end.
    NumberSpace,
}

impl Source {
    /// The source's name, as every surface spells it.
    pub fn name(&self) -> &'static str {
        match self {
            Source::Default => "default",
            Source::Tier { .. } => "tier",
            Source::Limit { .. } => "limit",
            Source::NumberSpace => "number_space",
        }
    }
}

/// A broken invariant: the rows contradict each other. The batch is dropped, nothing is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Whose rows.
    pub log: Log,
    /// What is wrong with them.
    pub what: &'static str,
}

impl core::fmt::Display for Breach {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match &self.log {
            Log::Catalogue => write!(f, "the catalogue is inconsistent: {}", self.what),
            Log::Tenant(tenant) => write!(f, "tenant `{tenant}` is inconsistent: {}", self.what),
        }
    }
}

impl core::error::Error for Breach {}
