//! The bodies of replies, borrowed from the values they show.
//!
//! Every member is always there; what does not apply is null. Field comments become the
//! descriptions of the OpenAPI document.

use std::collections::BTreeMap;

use plimsoll_core::model::Role;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::Kind;
use super::super::errors::codes_schema;
use super::leaf::{Limit, Next, Parsed, Time};
use super::words::{SourceName, StateName};

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
    /// Limits that it passed and that only warn.
    pub(crate) warnings: &'a [Exceeded<'a>],
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
#[derive(Serialize, JsonSchema)]
pub(crate) struct Batch<'a> {
    /// One for each command, in the order of the commands.
    pub(crate) outcomes: Vec<BatchOutcome<'a>>,
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
    /// Every limit that it would pass.
    pub(crate) exceeded: Vec<Exceeded<'a>>,
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
    /// Where the limit comes from.
    #[schemars(with = "Parsed<SourceName>")]
    pub(crate) limit_source: &'static str,
    /// Where somebody set the limit: who, why and for what.
    pub(crate) limit_set: Option<LimitSet<'a>>,
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
    /// Who.
    pub(crate) set_by: &'a str,
    /// Why.
    pub(crate) reason: &'a str,
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

/// What a scope may take, and what it has taken.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Quotas<'a> {
    /// The scope.
    pub(crate) scope: &'a str,
    /// The revision of the tenant's log at which this was true.
    pub(crate) revision: u64,
    /// In order of resource and location.
    pub(crate) quotas: Vec<Quota<'a>>,
    pub(crate) next_page_token: Next,
}

/// What a scope may take of a resource, and what it has taken.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Quota<'a> {
    /// The resource.
    pub(crate) resource: &'a str,
    /// The location, where the resource is counted per location.
    pub(crate) location: Option<&'a str>,
    /// What one is called.
    pub(crate) unit: &'a str,
    /// The limit that counts at the scope.
    pub(crate) limit: Limit,
    /// Taken for good, in the scope and below.
    pub(crate) used: u64,
    /// Taken for now, in the scope and below.
    pub(crate) held: u64,
    /// What the scope could take now, every scope above it counted.
    pub(crate) available: Limit,
    /// How much more is taken than the limit allows: a limit may be lowered below use.
    pub(crate) over_by: u64,
    /// The chain that led to the limit: the default, the limits that were set, the scopes above.
    pub(crate) sources: Vec<QuotaSource<'a>>,
}

/// One link in the chain that led to a quota.
#[derive(Serialize, JsonSchema)]
pub(crate) struct QuotaSource<'a> {
    /// Where it is set.
    pub(crate) scope: &'a str,
    /// How much there may be.
    pub(crate) limit: Limit,
    /// Where it comes from.
    #[schemars(with = "Parsed<SourceName>")]
    pub(crate) source: &'static str,
    /// Where somebody set it: who, why and for what.
    pub(crate) set: Option<LimitSet<'a>>,
    /// What is left at that scope.
    pub(crate) available: Limit,
}

/// A limit that somebody set.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Limit")]
pub(crate) struct SetLimit<'a> {
    /// Where it binds.
    pub(crate) scope: &'a str,
    /// The resource.
    pub(crate) resource: &'a str,
    /// The location; null for any.
    pub(crate) location: Option<&'a str>,
    /// How much there may be.
    pub(crate) limit: Limit,
    /// Who set it.
    pub(crate) set_by: &'a str,
    /// When.
    pub(crate) set_at: Time,
    /// Why.
    pub(crate) reason: &'a str,
    /// What an `If-Match` names.
    pub(crate) revision: u64,
}

/// The limits that are set at a scope.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Limits<'a> {
    /// The scope.
    pub(crate) scope: &'a str,
    /// In order of resource and location.
    pub(crate) limits: Vec<SetLimit<'a>>,
    pub(crate) next_page_token: Next,
}

/// A kind of thing that is limited.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Resource<'a> {
    /// `service/name`.
    pub(crate) name: &'a str,
    /// What one is called.
    pub(crate) unit: &'a str,
    /// What binds a scope that uses it and has no limit of its own.
    pub(crate) default_limit: Limit,
    /// Whether it is counted at each location by itself.
    pub(crate) per_location: bool,
    /// Whether tenants may ask for more.
    pub(crate) adjustable: bool,
    /// For people.
    pub(crate) description: &'a str,
}

/// All resources.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Resources<'a> {
    /// In order of name.
    pub(crate) resources: Vec<Resource<'a>>,
}

/// A zone or region at which resources are counted.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Location<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// For people.
    pub(crate) name: &'a str,
    /// What a vendor's API may show.
    pub(crate) attributes: BTreeMap<&'a str, &'a str>,
}

/// All locations.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Locations<'a> {
    /// In order of id.
    pub(crate) locations: Vec<Location<'a>>,
}

/// A node in a tenant's tree.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Scope<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// The node above; null at a tenant.
    pub(crate) parent: Option<&'a str>,
    /// The root of its tree.
    pub(crate) tenant: &'a str,
    /// Scopes on the way to the tenant, both counted.
    pub(crate) depth: u8,
    /// What its tenant calls it.
    pub(crate) kind: &'a str,
}

/// Scopes.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Scopes<'a> {
    /// In order of id.
    pub(crate) scopes: Vec<Scope<'a>>,
    pub(crate) next_page_token: Next,
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

/// Who calls.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Principal<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// How it proves itself.
    #[schemars(with = "Parsed<Kind>")]
    pub(crate) kind: &'static str,
    /// What it may do.
    #[schemars(with = "Parsed<Role>")]
    pub(crate) role: &'static str,
    /// Where: a scope and everything below it, or `*` for the whole server.
    pub(crate) scope: &'a str,
    /// Whether it may let reservations past the limits.
    pub(crate) force: bool,
    /// Whether it may call at all.
    pub(crate) enabled: bool,
    /// The first instant at which it may not.
    pub(crate) expires_at: Option<Time>,
    /// For people.
    pub(crate) description: &'a str,
    /// When it was made.
    pub(crate) created_at: Time,
    /// The revision of the catalogue's log at which it last changed.
    pub(crate) revision: u64,
}

/// A principal with its secret, which is shown this once.
#[derive(Serialize, JsonSchema)]
pub(crate) struct NewPrincipal<'a> {
    #[serde(flatten)]
    pub(crate) principal: Principal<'a>,
    /// Of an access key: what it signs with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<&'a str>,
    /// Of a token: what follows `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<&'a str>,
}

/// All principals.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Principals<'a> {
    /// In order of id.
    pub(crate) principals: Vec<Principal<'a>>,
    pub(crate) next_page_token: Next,
}

/// It is gone.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Gone {}

/// Why a request was not carried out: a problem document of RFC 9457.
///
/// Members that do not apply are left out.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Problem<'a> {
    /// `urn:plimsoll:problem:` and the code.
    pub(crate) r#type: String,
    /// What the code means.
    pub(crate) title: &'static str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// The stable code, to be compared by programs.
    #[schemars(schema_with = "codes_schema")]
    pub(crate) code: &'static str,
    /// What happened, and what to do; for people.
    pub(crate) detail: &'a str,
    /// Where in the body: a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pointer: Option<&'a str>,
    /// Which parameter of the path or the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parameter: Option<&'a str>,
    /// Which header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) header: Option<&'static str>,
    /// Every limit that would be exceeded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) exceeded: Vec<Exceeded<'a>>,
    /// The state that does not allow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Parsed<StateName>>")]
    pub(crate) state: Option<&'static str>,
    /// The revision of what is there, where another one was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revision: Option<u64>,
    /// How long to wait before the next try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after_seconds: Option<u32>,
    /// What the server's log knows the request by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<&'a str>,
}
