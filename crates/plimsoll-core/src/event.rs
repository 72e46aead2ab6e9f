//! What has happened: the facts that a store makes durable.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::amount::{Amount, Timestamp};
use crate::command::ReservationKey;
use crate::model::{
    Account, Item, Limit, Location, Mode, Principal, Request, Reservation, Resource, Scope, Tally,
    Tier, Webhook,
};
use crate::names::{PrincipalId, RequestId, ScopeId, Text, WebhookId};

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
    /// Why, where whoever caused it said so; an event that passed the limits says it in its mark.
    pub reason: Option<Text>,
    /// Whether it passed the limits, and why.
    pub mark: Mark,
    /// Every row that it changed, as it is from now on.
    pub changes: Vec<Change>,
    /// Which parts of which limits are taken since.
    pub crossed: Vec<Crossing>,
}

/// Some part of a limit is taken: as much, or more. Either more was taken, or the limit was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// Where it binds.
    pub scope: ScopeId,
    /// What it binds.
    pub item: Item,
    /// The part, in hundredths.
    pub percent: u8,
    /// The limit.
    pub ceiling: Amount,
    /// What is taken now, for good or for now.
    pub taken: Amount,
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
    /// It did not have to: it says what is there already.
    Mended {
        /// What showed it.
        reason: Text,
    },
    /// It passed limits that let pass, and no others.
    Passed {
        /// Which, and how each lets pass.
        limits: Vec<(ScopeId, Item, Mode)>,
    },
}

impl Mark {
    /// The mark's name, as every surface spells it.
    pub fn name(&self) -> &'static str {
        match self {
            Mark::Enforced => "enforced",
            Mark::Forced { .. } => "forced",
            Mark::Mended { .. } => "mended",
            Mark::Passed { .. } => "passed",
        }
    }
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
    /// A tier was defined or changed.
    TierPut,
    /// Refusals were counted.
    RefusalsCounted,
    /// Somebody asked for a higher limit.
    RequestSubmitted,
    /// It was granted, fully or in part.
    RequestApproved,
    /// It was not granted.
    RequestDenied,
    /// It was taken back.
    RequestCancelled,
    /// A webhook was made or changed.
    WebhookPut,
    /// A webhook was taken away.
    WebhookDeleted,
    /// A webhook was told what there was to tell.
    WebhookDelivered,
}

impl Cause {
    /// The cause's name, as every surface spells it.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Reserved => "reserved",
            Cause::Committed => "committed",
            Cause::Released => "released",
            Cause::Expired => "expired",
            Cause::ResourcePut => "resource_put",
            Cause::LocationPut => "location_put",
            Cause::ScopePut => "scope_put",
            Cause::LimitPut => "limit_put",
            Cause::LimitDeleted => "limit_deleted",
            Cause::PrincipalCreated => "principal_created",
            Cause::PrincipalChanged => "principal_changed",
            Cause::PrincipalDeleted => "principal_deleted",
            Cause::Extended => "extended",
            Cause::Resized => "resized",
            Cause::Transferred => "transferred",
            Cause::Forgotten => "forgotten",
            Cause::TierPut => "tier_put",
            Cause::RefusalsCounted => "refusals_counted",
            Cause::RequestSubmitted => "request_submitted",
            Cause::RequestApproved => "request_approved",
            Cause::RequestDenied => "request_denied",
            Cause::RequestCancelled => "request_cancelled",
            Cause::WebhookPut => "webhook_put",
            Cause::WebhookDeleted => "webhook_deleted",
            Cause::WebhookDelivered => "webhook_delivered",
        }
    }
}

/// One row as it is after an event.
///
/// Shape: 88 bytes; a reservation makes one of these at each scope up to its tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A resource.
    Resource(Box<Resource>),
    /// A location.
    Location(Location),
    /// A scope.
    Scope(Box<Scope>),
    /// The limits of a scope and an item.
    Limits {
        /// Where they bind.
        scope: ScopeId,
        /// What they bind.
        item: Item,
        /// All there are, each with another window; none where they are gone.
        limits: Vec<Limit>,
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
    /// A reservation, shared with the answer where the caller is told of it.
    Reservation(Arc<Reservation>),
    /// A reservation that is remembered no more.
    ReservationGone(ReservationKey),
    /// A principal.
    Principal(Box<Principal>),
    /// A principal that is no more.
    PrincipalGone(PrincipalId),
    /// A tier.
    Tier(Tier),
    /// What went past the limits of a scope and an item.
    Tally {
        /// Where.
        scope: ScopeId,
        /// Of what.
        item: Item,
        /// The new figures.
        tally: Tally,
    },
    /// A request.
    Request(Box<Request>),
    /// A request that is remembered no more.
    RequestGone {
        /// Whose.
        tenant: ScopeId,
        /// Which.
        id: RequestId,
    },
    /// A webhook.
    Webhook(Box<Webhook>),
    /// A webhook that is no more.
    WebhookGone(WebhookId),
}
