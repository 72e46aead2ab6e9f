//! The bodies of replies, borrowed from the values they show.
//!
//! Every member is always there; what does not apply is null. Field comments become the
//! descriptions of the OpenAPI document.

mod access;
mod catalogue;
mod events;
mod problem;
mod requests;
mod reservations;
mod scopes;

pub(crate) use access::{
    Delivery, Gone, NewPrincipal, NewWebhook, Principal, Principals, ShownWebhook, Webhook,
    Webhooks,
};
pub(crate) use catalogue::{
    AutoApproval, Location, Locations, Resource, Resources, Tier, TierLimit, Tiers,
};
pub(crate) use events::{
    Account, Crossing, Event, Events, GoneOne, GoneRow, ItemLimits, Mark, Notice, NoticeData,
    PassedLimit, Row, Tally,
};
pub(crate) use problem::Problem;
pub(crate) use requests::{AutoApprovalTested, Finding, Reconciled, Request, Requests, Ruling};
pub(crate) use reservations::{
    Asked, AskedLine, Batch, BatchOutcome, Check, Exceeded, Expired, Forgotten, IncreaseRequest,
    LimitSet, Line, Reservation, Reservations,
};
pub(crate) use scopes::{
    Counts, DryRun, Limits, Over, Quota, QuotaSource, Quotas, Scope, Scopes, SetLimit,
};
