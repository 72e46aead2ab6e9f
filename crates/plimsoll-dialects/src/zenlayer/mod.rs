//! The Zenlayer dialect: `POST /api/v2/{service}` with the action in a header.
//!
//! | service | action | versions | source |
//! |---|---|---|---|
//! | `vm` | `DescribeImageQuota` | 2023-03-13, 2026-04-01 | Zenlayer API reference, "DescribeImageQuota" |
//! | `vm` | `DescribeZones` | 2023-03-13, 2026-04-01 | zenlayercloud-sdk-python 2.0.77, `vm` |
//!
//! A request goes through [`route`], then [`auth`], then [`team`] and [`decode`]; the call that
//! comes of it names its rows with [`Call::footprint`] and is answered by [`answer`].
//! Every failure on the way is a [`ZenlayerError`] and becomes a reply in [`error_reply`].

use plimsoll_core::bounds::LOCATIONS_MAX;
use plimsoll_core::model::{Item, Reach};
use plimsoll_core::names::{LocationId, ResourceName, ScopeId};
use plimsoll_core::rows::Footprint;

pub mod auth;
mod decode;
mod encode;
mod errors;
mod wire;

pub use decode::{decode, route};
pub use encode::answer;
pub use errors::{Fault, ZenlayerError, error_reply};

/// The most ids that `zoneIds` may hold, repeats counted: as many as there may be locations.
pub const ZONE_IDS_MAX: usize = LOCATIONS_MAX;

/// The resource whose accounts are the image quotas; it must be counted per location.
pub const IMAGE_RESOURCE: &str = "vm/image";

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// The image quotas of the caller's team, zone by zone.
    DescribeImageQuota {
        /// Of which zones.
        zones: Zones,
    },
    /// The zones and what they offer.
    DescribeZones {
        /// Which zones.
        zones: Zones,
        /// In which version of the answer.
        version: Version,
    },
}

/// Which zones a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Zones {
    /// All that the action is about: no filter was given.
    All,
    /// These, in the order asked.
    ///
    /// Invariants: at least one, at most `ZONE_IDS_MAX`, none twice.
    Named(Vec<LocationId>),
}

/// A version of the `vm` service, as `X-ZC-Version` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `2023-03-13`.
    V20230313,
    /// `2026-04-01`: zones also have a `networkLineType`.
    V20260401,
}

impl Call {
    /// The rows that [`answer`] may ask for on behalf of `team`.
    pub fn footprint(&self, team: &ScopeId) -> Footprint {
        match self {
            Call::DescribeImageQuota { zones: Zones::All } => Footprint {
                scopes: [team.clone()].into(),
                all_items: true,
                ..Footprint::default()
            },
            Call::DescribeImageQuota {
                zones: Zones::Named(zone_ids),
            } => Footprint {
                scopes: [team.clone()].into(),
                items: image_items(zone_ids),
                ..Footprint::default()
            },
            Call::DescribeZones { .. } => Footprint::default(),
        }
    }
}

fn image_items(zone_ids: &[LocationId]) -> Vec<Item> {
    let Ok(resource) = ResourceName::parse(IMAGE_RESOURCE) else {
        return Vec::new();
    };
    let item = |zone_id: &LocationId| Item {
        resource: resource.clone(),
        location: Some(zone_id.clone()),
    };
    zone_ids.iter().map(item).collect()
}

/// The scope of the team that a principal calls for: the one that it is bound to.
///
/// Errors: [`ZenlayerError::NoTeam`] for a principal of the whole server.
pub fn team(reach: &Reach) -> Result<&ScopeId, ZenlayerError> {
    match reach {
        Reach::Everything => Err(ZenlayerError::NoTeam),
        Reach::Below(team) => Ok(team),
    }
}

/// What the operator may choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The answer about a zone that does not exist.
    pub unknown_zone: UnknownZone,
}

/// The answer about a zone that does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownZone {
    /// `INVALID_REGION_NOT_FOUND`: the one code that is documented for `DescribeImageQuota`.
    #[default]
    RegionNotFound,
    /// `INVALID_ZONE_NOT_FOUND`: as on the vendor's page about responses.
    ZoneNotFound,
    /// None: the zone is left out.
    Omit,
}

/// The id of a request: `T` and a version 4 UUID in capitals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The id that `random` makes; six of the 128 bits give way to the UUID's version and variant.
    pub fn from_bytes(random: [u8; 16]) -> RequestId {
        let version = 0x4000_u128 << 64;
        let variant = 0x8000_u128 << 48;
        let uuid = u128::from_be_bytes(random) & !(0xf000 << 64) & !(0xc000 << 48);
        let uuid = uuid | version | variant;
        RequestId(format!(
            "T{:08X}-{:04X}-{:04X}-{:04X}-{:012X}",
            uuid >> 96,
            uuid >> 80 & 0xffff,
            uuid >> 64 & 0xffff,
            uuid >> 48 & 0xffff,
            uuid & 0xffff_ffff_ffff,
        ))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
