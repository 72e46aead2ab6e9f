//! From rows to the answer to a [`Call`].

use plimsoll_core::amount::{Amount, Timestamp};
use plimsoll_core::model::{Item, Location, Resource, Scope};
use plimsoll_core::names::{ResourceName, ScopeId};
use plimsoll_core::report;
use plimsoll_core::rows::Rows;
use serde::Serialize;

use crate::http::Reply;
use crate::zenlayer::errors::{ZenlayerError, error_reply};
use crate::zenlayer::wire::{ImageQuotaInfo, ImageQuotas, Success, ZoneInfo, ZoneSet};
use crate::zenlayer::{Call, IMAGE_RESOURCE, RequestId, Settings, UnknownZone, Version, Zones};

/// Answers a call for `team`, from the rows that its footprint names, with the limits in force at
/// `now`.
pub fn answer<R: Rows>(
    call: &Call,
    rows: &R,
    team: &ScopeId,
    settings: &Settings,
    request_id: &RequestId,
    now: Timestamp,
) -> Reply {
    let id = request_id.as_str();
    let answered = match call {
        Call::DescribeImageQuota { zones } => {
            image_quotas(rows, team, zones, settings, now).map(|images| {
                let request_id = id;
                success(id, &ImageQuotas { request_id, images })
            })
        }
        Call::DescribeZones { zones, version } => {
            located(rows, zones, settings, |_| true).map(|locations| {
                let zone_set = locations
                    .into_iter()
                    .map(|location| zone_info(location, *version));
                let zone_set = ZoneSet {
                    request_id: id,
                    zone_set: zone_set.collect(),
                };
                success(id, &zone_set)
            })
        }
    };
    answered.unwrap_or_else(|error| error_reply(&error, request_id))
}

fn image_quotas<'a, R: Rows>(
    rows: &'a R,
    team: &ScopeId,
    zones: &Zones,
    settings: &Settings,
    now: Timestamp,
) -> Result<Vec<ImageQuotaInfo<'a>>, ZenlayerError> {
    let team = rows.scope(team).ok_or(ZenlayerError::NoTeam)?;
    let image = ResourceName::parse(IMAGE_RESOURCE).ok();
    let image = image
        .and_then(|image| rows.resource(&image))
        .filter(|image| image.per_location)
        .ok_or(ZenlayerError::ImageQuotaNotConfigured)?;
    let locations = located(rows, zones, settings, offers_images)?;
    let quota = |location| image_quota(rows, team, image, location, now);
    Ok(locations.into_iter().map(quota).collect())
}

/// A hold is an image that is being made: it counts.
fn image_quota<'a, R: Rows>(
    rows: &R,
    team: &Scope,
    image: &Resource,
    location: &'a Location,
    now: Timestamp,
) -> ImageQuotaInfo<'a> {
    let item = Item {
        resource: image.name.clone(),
        location: Some(location.id.clone()),
    };
    let quota = report::quota(rows, team, image, item, now);
    ImageQuotaInfo {
        count: int_32(quota.used.plus_or_max(quota.held)),
        zone_id: location.id.as_str(),
        max_count: int_32(quota.ceiling.amount()),
    }
}

/// The amount, or the largest 32-bit integer.
fn int_32(amount: Amount) -> i32 {
    i32::try_from(amount.units()).unwrap_or(i32::MAX)
}

/// The zones that a call is about; where it names none, those that `is_meant`, in order of id.
fn located<'a, R: Rows>(
    rows: &'a R,
    zones: &Zones,
    settings: &Settings,
    is_meant: fn(&Location) -> bool,
) -> Result<Vec<&'a Location>, ZenlayerError> {
    let Zones::Named(zone_ids) = zones else {
        let all = rows.locations().filter(|location| is_zone(location));
        return Ok(all.filter(|location| is_meant(location)).collect());
    };
    let mut locations = Vec::with_capacity(zone_ids.len());
    for zone_id in zone_ids {
        match rows.location(zone_id).filter(|location| is_zone(location)) {
            Some(location) => locations.push(location),
            None => match settings.unknown_zone {
                UnknownZone::RegionNotFound => {
                    return Err(ZenlayerError::RegionNotFound(zone_id.clone()));
                }
                UnknownZone::ZoneNotFound => {
                    return Err(ZenlayerError::ZoneNotFound(zone_id.clone()));
                }
                UnknownZone::Omit => {}
            },
        }
    }
    Ok(locations)
}

/// Whether a location is one of this vendor's zones: all are, unless they say otherwise.
fn is_zone(location: &Location) -> bool {
    flag(location, "zenlayer.zone").unwrap_or(true)
}

/// Whether images can be made in a zone: in all, unless they say otherwise.
fn offers_images(location: &Location) -> bool {
    flag(location, "zenlayer.supportImage").unwrap_or(true)
}

fn zone_info(location: &Location, version: Version) -> ZoneInfo<'_> {
    let name = location.name.as_str();
    let flag = |name| flag(location, name);
    ZoneInfo {
        zone_id: location.id.as_str(),
        zone_name: if name.is_empty() {
            location.id.as_str()
        } else {
            name
        },
        support_security_group: flag("zenlayer.supportSecurityGroup").unwrap_or(true),
        support_network_type: match location.attributes.value("zenlayer.supportNetworkType") {
            Some("CLASSICS") => "CLASSICS",
            Some(_) | None => "VPC",
        },
        support_ipv6: flag("zenlayer.supportIpv6").unwrap_or(false),
        support_cpu_pass_through: flag("zenlayer.supportCpuPassThrough").unwrap_or(false),
        network_line_type: match version {
            Version::V20230313 => None,
            Version::V20260401 => Some(network_line_type(location)),
        },
    }
}

fn network_line_type(location: &Location) -> &'static str {
    match location.attributes.value("zenlayer.networkLineType") {
        Some("CN2") => "CN2",
        Some("Cogent") => "Cogent",
        Some(_) | None => "BGP",
    }
}

/// What an attribute says, where it says `true` or `false`.
fn flag(location: &Location, attribute: &str) -> Option<bool> {
    location.attributes.value(attribute)?.parse().ok()
}

fn success<T: Serialize>(request_id: &str, response: &T) -> Reply {
    let success = Success {
        request_id,
        response,
    };
    reply(200, &success)
}

/// A reply with a JSON body.
pub(super) fn reply<T: Serialize>(status: u16, content: &T) -> Reply {
    #[expect(clippy::expect_used, reason = "texts, integers and lists of them")]
    let body = serde_json::to_vec(content).expect("texts, integers and lists of them are JSON");
    Reply {
        status,
        headers: vec![("content-type", "application/json;charset=UTF-8".to_owned())],
        body,
    }
}
