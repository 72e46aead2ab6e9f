//! Reservations, and what is said of limits in their way.

use std::collections::BTreeMap;

use plimsoll_core::model::Mode;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::leaf::{Limit, Next, Parsed, Time};
use super::super::words::{SourceName, StateName};
use super::Problem;

/// What a caller took.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Reservation<'a> {
    /// The caller's id for it.
    pub(crate) id: &'a str,
    /// Where it stands.
    #[schemars(with = "Parsed<StateName>")]
    pub(crate) state: &'static str,
    /// Where it is taken.
    pub(crate) scope: &'a str,
    /// The root of the scope's tree, within which the id is unique.
    pub(crate) tenant: &'a str,
    /// What it takes; once it has ended, what it took last.
    pub(crate) lines: Vec<Line<'a>>,
    /// What was asked for, where it was not asked for as it is now: with an `at_least`, or before
    /// a part was let go, a resize or a transfer.
    pub(crate) asked: Option<Asked<'a>>,
    /// Why its reserve was let past the limits, where it was.
    pub(crate) forced: Option<&'a str>,
    /// The real thing behind it.
    pub(crate) holder: Option<&'a str>,
    /// What its caller wanted to find again.
    pub(crate) attributes: BTreeMap<&'a str, &'a str>,
    /// When it was granted.
    pub(crate) created_at: Time,
    /// While it is held: when it lapses.
    pub(crate) expires_at: Option<Time>,
    /// Once it is released or expired: since when.
    pub(crate) ended_at: Option<Time>,
    /// The revision of the tenant's log at which it last changed: the `etag`.
    pub(crate) revision: u64,
    /// Limits that it has passed and that warn: in the answer that grants it, not in later ones.
    pub(crate) warnings: Vec<Exceeded<'a>>,
}

/// One part of a reservation.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Line<'a> {
    /// The resource.
    pub(crate) resource: &'a str,
    /// The location, where the resource is counted per location.
    pub(crate) location: Option<&'a str>,
    /// How much.
    pub(crate) amount: u64,
}

/// What a reservation was asked for as.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Asked<'a> {
    /// Where it was to be taken.
    pub(crate) scope: &'a str,
    /// What was to be taken.
    pub(crate) lines: Vec<AskedLine<'a>>,
}

/// One part of what was asked for.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AskedLine<'a> {
    /// The resource.
    pub(crate) resource: &'a str,
    /// The location, where the resource is counted per location.
    pub(crate) location: Option<&'a str>,
    /// How much.
    pub(crate) amount: u64,
    /// The least that would do.
    pub(crate) at_least: u64,
}

/// How many holds lapsed.
#[derive(Serialize)]
pub(crate) struct Expired {
    pub(crate) expired: usize,
}

/// How many reservations were forgotten.
#[derive(Serialize)]
pub(crate) struct Forgotten {
    pub(crate) forgotten: usize,
}

/// What came of a batch.
// The shape of what `encode::json` writes.
#[derive(JsonSchema)]
#[schemars(rename = "Batch")]
#[expect(dead_code, reason = "only its schema is asked for")]
pub(crate) struct Batch<O> {
    /// One for each command, in the order of the commands.
    pub(crate) outcomes: O,
}

/// What came of one command: `reservation` where `status` is 200, else `problem`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct BatchOutcome<'a> {
    /// The status that the command would have had by itself.
    pub(crate) status: u16,
    /// The reservation as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reservation: Option<Reservation<'a>>,
    /// Why it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<Problem<'a>>,
}

/// Whether a reservation would be granted.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Check<'a> {
    /// Whether it would.
    pub(crate) admissible: bool,
    /// What it would take, where it would be granted.
    pub(crate) lines: Option<Vec<Line<'a>>>,
    /// Every limit that it would pass and that refuses it.
    pub(crate) exceeded: Vec<Exceeded<'a>>,
    /// Limits that it would pass and that warn.
    pub(crate) warnings: Vec<Exceeded<'a>>,
}

/// A limit that a reservation would pass.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Exceeded<'a> {
    /// Where the limit binds: the scope that asked, or one above it.
    pub(crate) scope: &'a str,
    /// The resource.
    pub(crate) resource: &'a str,
    /// The location, where the resource is counted per location.
    pub(crate) location: Option<&'a str>,
    /// How much there may be.
    pub(crate) limit: Limit,
    /// How hard it binds.
    #[schemars(with = "Parsed<Mode>")]
    pub(crate) mode: &'static str,
    /// Where the limit comes from.
    #[schemars(with = "Parsed<SourceName>")]
    pub(crate) limit_source: &'static str,
    /// Where somebody set the limit: who, why and for what.
    pub(crate) limit_set: Option<LimitSet<'a>>,
    /// The tier, where the limit is one of a tier's.
    pub(crate) tier: Option<&'a str>,
    /// Taken for good.
    pub(crate) used: u64,
    /// Taken for now.
    pub(crate) held: u64,
    /// Asked for.
    pub(crate) asked: u64,
    /// How much is missing.
    pub(crate) short_by: u64,
    /// The smallest limit that would admit it; null where numbers end before.
    pub(crate) smallest_sufficient_limit: Option<u64>,
    /// When enough holds will have lapsed for it to fit here; null where they do not.
    pub(crate) fits_at: Option<Time>,
    /// The request for a limit that would admit it; null where there is none.
    pub(crate) increase_request: Option<IncreaseRequest<'a>>,
}

/// How a limit came to be set.
#[derive(Serialize, JsonSchema)]
pub(crate) struct LimitSet<'a> {
    /// The location for which it is set; null for any.
    pub(crate) location: Option<&'a str>,
    /// The first instant at which it counts; null for from the beginning.
    pub(crate) starts_at: Option<Time>,
    /// The first instant at which it counts no more; null for until further notice.
    pub(crate) ends_at: Option<Time>,
    /// Who.
    pub(crate) set_by: &'a str,
    /// Why.
    pub(crate) reason: &'a str,
    /// The request whose approval it is.
    pub(crate) request: Option<&'a str>,
    /// The revision of the tenant's log at which it was set.
    pub(crate) revision: u64,
}

/// A wish for a higher limit.
#[derive(Serialize, JsonSchema)]
pub(crate) struct IncreaseRequest<'a> {
    /// Where.
    pub(crate) scope: &'a str,
    /// For what.
    pub(crate) resource: &'a str,
    /// At which location.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<&'a str>,
    /// How much.
    pub(crate) limit: u64,
}

/// The reservations in a scope.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Reservations<'a> {
    /// The scope.
    pub(crate) scope: &'a str,
    /// In order of id.
    pub(crate) reservations: Vec<Reservation<'a>>,
    pub(crate) next_page_token: Next,
}
