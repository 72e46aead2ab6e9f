//! Scopes, their quotas and limits.

use plimsoll_core::model::Mode;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::leaf::{Limit, Next, Parsed, Time};
use super::super::words::SourceName;
use super::LimitSet;

/// What a scope may take, and what it has taken.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Quotas<'a> {
    /// The scope.
    pub(crate) scope: &'a str,
    /// The revision of the tenant's log at which this was true.
    pub(crate) revision: u64,
    /// When this was true; null for now.
    pub(crate) as_of: Option<Time>,
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
    /// How hard it binds.
    #[schemars(with = "Parsed<Mode>")]
    pub(crate) mode: &'static str,
    /// Taken for good, in the scope and below.
    pub(crate) used: u64,
    /// Taken for now, in the scope and below.
    pub(crate) held: u64,
    /// What the scope could take now, every scope above it counted. A limit that lets
    /// pass does not bind.
    pub(crate) available: Limit,
    /// How much more is taken than the limit allows: a limit may be lowered below use.
    pub(crate) over_by: u64,
    /// What went past the limit, or would have.
    pub(crate) counts: Counts,
    /// The chain that led to the limit: the default, the tier's, the limits in force, each stronger
    /// than the ones before; then the scopes above at which something is set.
    pub(crate) sources: Vec<QuotaSource<'a>>,
}

/// One link in the chain that led to a quota.
#[derive(Serialize, JsonSchema)]
pub(crate) struct QuotaSource<'a> {
    /// Where it is set.
    pub(crate) scope: &'a str,
    /// How much there may be.
    pub(crate) limit: Limit,
    /// How hard it binds.
    #[schemars(with = "Parsed<Mode>")]
    pub(crate) mode: &'static str,
    /// Where it comes from.
    #[schemars(with = "Parsed<SourceName>")]
    pub(crate) source: &'static str,
    /// Where somebody set it: who, why and for what.
    pub(crate) set: Option<LimitSet<'a>>,
    /// The tier, where it is one of a tier's.
    pub(crate) tier: Option<&'a str>,
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
    /// How hard it binds.
    #[schemars(with = "Parsed<Mode>")]
    pub(crate) mode: &'static str,
    /// The first instant at which it counts; null for from the beginning.
    pub(crate) starts_at: Option<Time>,
    /// The first instant at which it counts no more; null for until further notice.
    pub(crate) ends_at: Option<Time>,
    /// Who set it.
    pub(crate) set_by: &'a str,
    /// When.
    pub(crate) set_at: Time,
    /// Why.
    pub(crate) reason: &'a str,
    /// The request whose approval it is.
    pub(crate) request: Option<&'a str>,
    /// What an `If-Match` names.
    pub(crate) revision: u64,
}

/// The limits that are set at a scope.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Limits<'a> {
    /// The scope.
    pub(crate) scope: &'a str,
    /// In order of resource and location; those of one item, each with another window, together.
    pub(crate) limits: Vec<SetLimit<'a>>,
    pub(crate) next_page_token: Next,
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
    /// The tier whose limits it has where none is set for it alone.
    pub(crate) tier: Option<&'a str>,
}

/// Scopes.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Scopes<'a> {
    /// In order of id.
    pub(crate) scopes: Vec<Scope<'a>>,
    pub(crate) next_page_token: Next,
}

/// What went past a limit, or would have.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Counts {
    /// Commands that were refused, added up every few seconds.
    pub(crate) refused: u64,
    /// Commands that were admitted past a limit that warns.
    pub(crate) warned: u64,
    /// Commands that were admitted past a limit that observes.
    pub(crate) observed: u64,
    /// When that last happened; null for never.
    pub(crate) last_at: Option<Time>,
}

/// What would come of a limit.
#[derive(Serialize, JsonSchema)]
pub(crate) struct DryRun<'a> {
    /// The limit as it would be.
    pub(crate) limit: SetLimit<'a>,
    /// Where more is taken than it would allow.
    pub(crate) over: Vec<Over<'a>>,
}

/// What is taken beyond a limit.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Over<'a> {
    /// Where.
    pub(crate) scope: &'a str,
    /// The resource.
    pub(crate) resource: &'a str,
    /// The location, where the resource is counted per location.
    pub(crate) location: Option<&'a str>,
    /// Taken for good.
    pub(crate) used: u64,
    /// Taken for now.
    pub(crate) held: u64,
    /// How much more than the limit allows.
    pub(crate) over_by: u64,
}
