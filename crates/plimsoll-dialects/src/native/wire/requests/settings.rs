//! What is set: the catalogue, scopes, limits, principals, webhooks.

use plimsoll_core::bounds::{ALERTS_MAX, AMOUNT_MAX, COOL_OFF_MS_MAX, TIER_LIMITS_MAX};
use plimsoll_core::model::{Mode, Reach, Role, Topic};
use plimsoll_core::names::{LocationId, PrincipalId, ResourceName, ScopeId, Text, TierName};
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::super::Kind;
use super::super::leaf::{AtMost, Limit, Object, Parsed, Texts, Time, Whole};
use super::super::url::Url;
use super::super::words::Reason;

/// The longest wait between two requests that are approved at once, in seconds.
pub(crate) const COOL_OFF_SECONDS_MAX: u64 = COOL_OFF_MS_MAX / 1_000;

/// The largest factor of a rule for automatic approval: ten thousand times what binds at present.
pub(crate) const FACTOR_PERCENT_MAX: u64 = 10_000 * 100;

/// As many as there are.
const TOPICS_MAX: usize = Topic::ALL.len();

/// A body without members.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EmptyRequest")]
pub(crate) struct EmptyBody {}

/// Defines a resource.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ResourceRequest")]
pub(crate) struct ResourceBody {
    /// What one is called: `count`, `GiB`.
    pub(crate) unit: Parsed<Text>,
    /// What binds a scope that uses it and has no limit of its own.
    pub(crate) default_limit: Limit,
    /// Whether it is counted at each location by itself. Never changes once it is set.
    pub(crate) per_location: bool,
    /// Whether tenants may ask for more. True where it is left out.
    pub(crate) adjustable: Option<bool>,
    /// Which requests for more are approved at once; left out or null, none.
    pub(crate) auto_approval: Option<Object<AutoApprovalBody>>,
    /// At which parts of a limit, in hundredths, an event and the webhooks say so. 80 and 100
    /// where it is left out.
    pub(crate) alerts: Option<AtMost<Whole<1, 100>, ALERTS_MAX>>,
    /// For people.
    pub(crate) description: Option<Parsed<Text>>,
    /// Why, for the log; not blank.
    pub(crate) reason: Option<Parsed<Reason>>,
}

/// Defines a location.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LocationRequest")]
pub(crate) struct LocationBody {
    /// For people.
    pub(crate) name: Parsed<Text>,
    /// What a vendor's API may show.
    pub(crate) attributes: Option<Texts>,
}

/// Makes a scope.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ScopeRequest")]
pub(crate) struct ScopeBody {
    /// The node above; left out, the scope is a tenant. Never changes once it is set.
    pub(crate) parent: Option<Parsed<ScopeId>>,
    /// What its tenant calls it: `organisation`, `folder`, `project`.
    pub(crate) kind: Parsed<Text>,
    /// The tier whose limits it has where none is set for it alone; left out, none.
    pub(crate) tier: Option<Parsed<TierName>>,
    /// Why, for the log; not blank.
    pub(crate) reason: Option<Parsed<Reason>>,
}

/// Sets a limit: the one with the same resource, location and window is replaced.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LimitRequest")]
pub(crate) struct LimitBody {
    /// The resource.
    pub(crate) resource: Parsed<ResourceName>,
    /// The location; left out, any.
    pub(crate) location: Option<Parsed<LocationId>>,
    /// How much there may be.
    pub(crate) limit: Limit,
    /// How hard it binds. `enforce` where it is left out.
    pub(crate) mode: Option<Parsed<Mode>>,
    /// The first instant at which it counts; left out, from the beginning.
    pub(crate) starts_at: Option<Parsed<Time>>,
    /// The first instant at which it counts no more; left out, until further notice.
    pub(crate) ends_at: Option<Parsed<Time>>,
    /// Why; not blank.
    pub(crate) reason: Parsed<Reason>,
}

/// Makes a principal.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PrincipalRequest")]
pub(crate) struct PrincipalBody {
    /// How it will prove itself: by signing requests, or by showing a token.
    pub(crate) kind: Parsed<Kind>,
    /// Its id; left out, the server makes one.
    pub(crate) id: Option<Parsed<PrincipalId>>,
    /// What it may do.
    pub(crate) role: Parsed<Role>,
    /// Where it may do it: a scope and everything below it, or `*` for the whole server. Only an
    /// `admin`, who is always of the whole server, may leave it out.
    pub(crate) scope: Option<Parsed<Reach>>,
    /// Whether it may let reservations past the limits. False where it is left out.
    pub(crate) force: Option<bool>,
    /// The first instant at which it may not call.
    pub(crate) expires_at: Option<Parsed<Time>>,
    /// For people.
    pub(crate) description: Option<Parsed<Text>>,
}

/// Says which requests are approved at once: those to which all of this applies.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AutoApprovalRequest")]
pub(crate) struct AutoApprovalBody {
    /// At most this much.
    pub(crate) limit: Whole<0, AMOUNT_MAX>,
    /// At most so many hundredths of what binds the scope at present; left out, any factor.
    pub(crate) factor_percent: Option<Whole<100, FACTOR_PERCENT_MAX>>,
    /// At the earliest so long after the last approval for the same scope, resource and location.
    /// 0 where it is left out.
    pub(crate) cool_off_seconds: Option<Whole<0, COOL_OFF_SECONDS_MAX>>,
}

/// Defines a tier.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TierRequest")]
pub(crate) struct TierBody {
    /// For people.
    pub(crate) description: Option<Parsed<Text>>,
    /// What it allows; no two limits for the same resource and location.
    pub(crate) limits: AtMost<Object<TierLimitBody>, TIER_LIMITS_MAX>,
    /// Why, for the log; not blank.
    pub(crate) reason: Option<Parsed<Reason>>,
}

/// One limit of a tier.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TierLimitRequest")]
pub(crate) struct TierLimitBody {
    /// The resource.
    pub(crate) resource: Parsed<ResourceName>,
    /// The location; left out, any.
    pub(crate) location: Option<Parsed<LocationId>>,
    /// How much there may be.
    pub(crate) limit: Limit,
    /// How hard it binds. `enforce` where it is left out.
    pub(crate) mode: Option<Parsed<Mode>>,
}

/// Makes a webhook or changes it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WebhookRequest")]
pub(crate) struct WebhookBody {
    /// Where it listens.
    pub(crate) url: Parsed<Url>,
    /// Whose facts it is told: those of a scope and everything below it, or `*` for all. Never
    /// changes once it is set.
    pub(crate) scope: Parsed<Reach>,
    /// What it is told of, each once; left out, everything.
    #[schemars(extend("minItems" = 1))]
    pub(crate) topics: Option<AtMost<Parsed<Topic>, TOPICS_MAX>>,
    /// Whether it is told anything. True where it is left out.
    pub(crate) enabled: Option<bool>,
}
