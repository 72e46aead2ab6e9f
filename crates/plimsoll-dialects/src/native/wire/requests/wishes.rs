//! Requests for higher limits, and inventories.

use plimsoll_core::bounds::{AMOUNT_MAX, INVENTORY_THINGS_MAX};
use plimsoll_core::names::{LocationId, ResourceName, ScopeId, Text};
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::leaf::{AtMost, Limit, Object, Parsed, Time, Whole};
use super::super::words::Reason;

/// Asks for a higher limit: the `increase_request` of a refusal, as it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewRequest")]
pub(crate) struct SubmitBody {
    /// Where it is to bind.
    pub(crate) scope: Parsed<ScopeId>,
    /// The resource.
    pub(crate) resource: Parsed<ResourceName>,
    /// The location; left out, any.
    pub(crate) location: Option<Parsed<LocationId>>,
    /// How much there should be.
    pub(crate) limit: Limit,
    /// Why.
    pub(crate) reason: Option<Parsed<Text>>,
}

/// Grants a request, fully or in part.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ApproveRequest")]
pub(crate) struct ApproveBody {
    /// How much; left out, as much as was asked.
    pub(crate) limit: Option<Limit>,
    /// The first instant at which it counts no more; left out, until further notice.
    pub(crate) until: Option<Parsed<Time>>,
    /// Why; not blank.
    pub(crate) reason: Parsed<Reason>,
}

/// Does not grant a request.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DenyRequest")]
pub(crate) struct DenyBody {
    /// Why; not blank.
    pub(crate) reason: Parsed<Reason>,
}

/// Takes a request back.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CancelRequest")]
pub(crate) struct CancelBody {
    /// Why.
    pub(crate) reason: Option<Parsed<Text>>,
}

/// Says what is really there of a resource in a scope.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReconcileRequest")]
pub(crate) struct ReconcileBody {
    /// Where.
    pub(crate) scope: Parsed<ScopeId>,
    /// The resource.
    pub(crate) resource: Parsed<ResourceName>,
    /// The location, exactly where the resource is counted per location.
    pub(crate) location: Option<Parsed<LocationId>>,
    /// The revision of the tenant's log that was read before the things were listed.
    pub(crate) revision: Whole<0, AMOUNT_MAX>,
    /// All that is there, each thing once.
    pub(crate) things: AtMost<Object<ThingBody>, INVENTORY_THINGS_MAX>,
    /// Whether what differs and is not in flight is mended. False where it is left out.
    pub(crate) repair: Option<bool>,
    /// Beside `"repair": true`: nothing is there, and all of it is to be released. Without it an
    /// empty list is refused, which is likelier a listing that failed.
    pub(crate) allow_empty: Option<bool>,
    /// What showed it, for the log; not blank. `an inventory of revision …` where it is left out.
    pub(crate) reason: Option<Parsed<Reason>>,
}

/// One thing that is really there.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ThingRequest")]
pub(crate) struct ThingBody {
    /// The thing: the holder of its reservations, or the id of one without a holder.
    pub(crate) holder: Parsed<Text>,
    /// How much it uses.
    pub(crate) amount: Whole<1, AMOUNT_MAX>,
}
