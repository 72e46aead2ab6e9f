//! Events, and what webhooks are told of them.

use plimsoll_core::event::Cause;
use plimsoll_core::model::Mode;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::leaf::{Parsed, Time};
use super::super::words::MarkName;
use super::{
    Counts, Location, Principal, Request, Reservation, Resource, Scope, SetLimit, Tier, Webhook,
};

/// What has happened at a scope and everything below it, or to what belongs to no tenant.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Events<'a> {
    /// The scope; null where the events are of no tenant.
    pub(crate) scope: Option<&'a str>,
    /// In order of revision.
    pub(crate) events: Vec<Event<'a>>,
    /// The `after` of the next page; null where there is nothing more yet.
    pub(crate) next_after: Option<u64>,
}

/// One fact in a log: of what it changed, what lies within the scope.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Event<'a> {
    /// Its place in the log, from 1.
    pub(crate) revision: u64,
    /// When it happened.
    pub(crate) at: Time,
    /// Who caused it.
    pub(crate) actor: &'a str,
    /// What happened.
    #[schemars(with = "Parsed<Cause>")]
    pub(crate) cause: &'static str,
    /// Why, where whoever caused it said so.
    pub(crate) reason: Option<&'a str>,
    /// Whether it passed the limits.
    pub(crate) mark: Mark<'a>,
    /// The rows that it changed, as they are from then on.
    pub(crate) changes: Vec<Row<'a>>,
    /// The parts of limits that are taken since.
    pub(crate) crossed: Vec<Crossing<'a>>,
}

/// Whether an event passed the limits.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Mark<'a> {
    /// Whether, and on what grounds.
    #[schemars(with = "Parsed<MarkName>")]
    pub(crate) kind: &'static str,
    /// Why, where it was forced or mends a difference.
    pub(crate) reason: Option<&'a str>,
    /// The limits that let it pass.
    pub(crate) limits: Vec<PassedLimit<'a>>,
}

/// A limit that let something pass.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PassedLimit<'a> {
    /// Where it binds.
    pub(crate) scope: &'a str,
    /// The resource.
    pub(crate) resource: &'a str,
    /// The location, where the resource is counted per location.
    pub(crate) location: Option<&'a str>,
    /// How it lets pass.
    #[schemars(with = "Parsed<Mode>")]
    pub(crate) mode: &'static str,
}

/// More is taken than some part of a limit.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Crossing<'a> {
    /// Where the limit binds.
    pub(crate) scope: &'a str,
    /// The resource.
    pub(crate) resource: &'a str,
    /// The location, where the resource is counted per location.
    pub(crate) location: Option<&'a str>,
    /// The part, in hundredths.
    pub(crate) percent: u8,
    /// The limit.
    pub(crate) limit: u64,
    /// What is taken now.
    pub(crate) taken: u64,
}

/// A row as it is after an event.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "kind", content = "row", rename_all = "snake_case")]
pub(crate) enum Row<'a> {
    /// A scope.
    Scope(Scope<'a>),
    /// All limits of a scope for a resource and a location.
    Limits(ItemLimits<'a>),
    /// What is taken.
    Account(Account<'a>),
    /// A reservation.
    Reservation(Box<Reservation<'a>>),
    /// A reservation that is remembered no more.
    ReservationGone(GoneRow<'a>),
    /// What went past the limits.
    Tally(Tally<'a>),
    /// A request.
    Request(Box<Request<'a>>),
    /// A request that is remembered no more.
    RequestGone(GoneRow<'a>),
    /// A resource.
    Resource(Resource<'a>),
    /// A location.
    Location(Location<'a>),
    /// A tier.
    Tier(Tier<'a>),
    /// A principal, without its secret.
    Principal(Principal<'a>),
    /// A principal that is there no more.
    PrincipalGone(GoneOne<'a>),
    /// A webhook, without its secret.
    Webhook(Webhook<'a>),
    /// A webhook that is there no more.
    WebhookGone(GoneOne<'a>),
}

/// What belongs to no tenant, and is gone.
#[derive(Serialize, JsonSchema)]
pub(crate) struct GoneOne<'a> {
    /// Its id.
    pub(crate) id: &'a str,
}

/// All limits of a scope for a resource and a location.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ItemLimits<'a> {
    /// Where they bind.
    pub(crate) scope: &'a str,
    /// The resource.
    pub(crate) resource: &'a str,
    /// The location; null for any.
    pub(crate) location: Option<&'a str>,
    /// Each with another window; none where they are gone.
    pub(crate) limits: Vec<SetLimit<'a>>,
}

/// What is taken in a scope and below.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Account<'a> {
    /// The scope.
    pub(crate) scope: &'a str,
    /// The resource.
    pub(crate) resource: &'a str,
    /// The location, where the resource is counted per location.
    pub(crate) location: Option<&'a str>,
    /// Taken for good.
    pub(crate) used: u64,
    /// Taken for now.
    pub(crate) held: u64,
}

/// What went past the limits of a scope.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Tally<'a> {
    /// The scope.
    pub(crate) scope: &'a str,
    /// The resource.
    pub(crate) resource: &'a str,
    /// The location, where the resource is counted per location.
    pub(crate) location: Option<&'a str>,
    /// So far.
    pub(crate) counts: Counts,
}

/// What is remembered no more.
#[derive(Serialize, JsonSchema)]
pub(crate) struct GoneRow<'a> {
    /// Whose it was.
    pub(crate) tenant: &'a str,
    /// Its id.
    pub(crate) id: &'a str,
}

/// What a webhook is told.
#[derive(Serialize)]
pub(crate) struct Notice<'a> {
    pub(crate) id: &'a str,
    pub(crate) topic: &'static str,
    pub(crate) at: Time,
    pub(crate) tenant: &'a str,
    pub(crate) revision: u64,
    pub(crate) data: NoticeData<'a>,
}

/// The fact itself.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum NoticeData<'a> {
    Crossed(Crossing<'a>),
    Limits(ItemLimits<'a>),
    Reservation(Box<Reservation<'a>>),
    Tally(Tally<'a>),
    Request(Box<Request<'a>>),
}
