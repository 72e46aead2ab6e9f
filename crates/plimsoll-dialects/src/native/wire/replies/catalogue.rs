//! Resources, locations and tiers.

use std::collections::BTreeMap;

use plimsoll_core::model::Mode;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::leaf::{Limit, Parsed};

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
    /// Which requests for more are approved at once; null for none.
    pub(crate) auto_approval: Option<AutoApproval>,
    /// At which parts of a limit, in hundredths, an event and the webhooks say so.
    pub(crate) alerts: Vec<u8>,
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

/// Which requests are approved at once: those to which all of this applies.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AutoApproval {
    /// At most this much.
    pub(crate) limit: u64,
    /// At most so many hundredths of what binds the scope at present; null for any factor.
    pub(crate) factor_percent: Option<u32>,
    /// At the earliest so long after the last approval for the same scope, resource and location.
    pub(crate) cool_off_seconds: u64,
}

/// A named set of limits that a scope can be given.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Tier<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// For people.
    pub(crate) description: &'a str,
    /// In order of resource and location.
    pub(crate) limits: Vec<TierLimit<'a>>,
}

/// One limit of a tier.
#[derive(Serialize, JsonSchema)]
pub(crate) struct TierLimit<'a> {
    /// The resource.
    pub(crate) resource: &'a str,
    /// The location; null for any.
    pub(crate) location: Option<&'a str>,
    /// How much there may be.
    pub(crate) limit: Limit,
    /// How hard it binds.
    #[schemars(with = "Parsed<Mode>")]
    pub(crate) mode: &'static str,
}

/// All tiers.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Tiers<'a> {
    /// In order of name.
    pub(crate) tiers: Vec<Tier<'a>>,
}
