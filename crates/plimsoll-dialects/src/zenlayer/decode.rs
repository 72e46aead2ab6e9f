//! From a request to a [`Call`].

use std::collections::BTreeSet;

use plimsoll_core::names::{LocationId, NameError};
use serde_json::Value;

use crate::http::{Repeated, Request};
use crate::zenlayer::auth::{Claim, claim};
use crate::zenlayer::errors::{Fault, ZenlayerError};
use crate::zenlayer::wire::ZonesRequest;
use crate::zenlayer::{Call, Version, ZONE_IDS_MAX, Zones};

/// Whether a request has the method and the form of path that every action has.
///
/// This comes before authentication, so that a stray request is not told to sign itself.
///
/// Errors: [`ZenlayerError::MethodNotAllowed`], [`ZenlayerError::UnknownPath`].
pub fn route(request: &Request<'_>) -> Result<(), ZenlayerError> {
    service(request).map(|_| ())
}

/// Reads what an authenticated request asks for.
///
/// Errors: in this order those of [`route`]; an unknown service, version or action, or a header
/// that names one missing or repeated; a body that is no JSON object; a wrong parameter.
pub fn decode(request: &Request<'_>) -> Result<Call, ZenlayerError> {
    if service(request)? != "vm" {
        return Err(ZenlayerError::UnknownService);
    }
    let version = version(request)?;
    let action = header(request, "X-ZC-Action")?.ok_or(ZenlayerError::HeaderMissing {
        name: "X-ZC-Action",
    })?;
    match action {
        b"DescribeImageQuota" => Ok(Call::DescribeImageQuota {
            zones: zones(request)?,
        }),
        b"DescribeZones" => Ok(Call::DescribeZones {
            zones: zones(request)?,
            version,
        }),
        _ => Err(ZenlayerError::UnknownAction),
    }
}

fn service<'a>(request: &Request<'a>) -> Result<&'a str, ZenlayerError> {
    if request.method != "POST" {
        return Err(ZenlayerError::MethodNotAllowed);
    }
    request
        .path
        .strip_prefix("/api/v2/")
        .filter(|service| !service.is_empty() && !service.contains('/'))
        .ok_or(ZenlayerError::UnknownPath)
}

/// The documented example of a bearer token sends no version, so there the newest one counts.
fn version(request: &Request<'_>) -> Result<Version, ZenlayerError> {
    let name = "X-ZC-Version";
    match header(request, name)? {
        Some(b"2023-03-13") => Ok(Version::V20230313),
        Some(b"2026-04-01") => Ok(Version::V20260401),
        Some(_) => Err(ZenlayerError::UnknownVersion),
        None if matches!(claim(request), Ok(Claim::Bearer(_))) => Ok(Version::V20260401),
        None => Err(ZenlayerError::HeaderMissing { name }),
    }
}

fn header<'a>(
    request: &Request<'a>,
    name: &'static str,
) -> Result<Option<&'a [u8]>, ZenlayerError> {
    request
        .header(&name.to_ascii_lowercase())
        .map_err(|Repeated| ZenlayerError::HeaderRepeated { name })
}

/// Absent, null and empty are one: the vendor's Go SDK cannot tell them apart either.
fn zones(request: &Request<'_>) -> Result<Zones, ZenlayerError> {
    let values = match body(request)?.zone_ids {
        Value::Null => return Ok(Zones::All),
        Value::Array(values) => values,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            let expected = "an array of strings";
            return Err(parameter("zoneIds", Fault::WrongType { expected }));
        }
    };
    if ZONE_IDS_MAX < values.len() {
        let values_max = ZONE_IDS_MAX;
        return Err(parameter("zoneIds", Fault::TooManyValues { values_max }));
    }
    let mut seen = BTreeSet::new();
    let mut zone_ids = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let zone_id =
            zone_id(value).map_err(|fault| parameter(&format!("zoneIds[{index}]"), fault))?;
        if seen.insert(zone_id.clone()) {
            zone_ids.push(zone_id);
        }
    }
    if zone_ids.is_empty() {
        Ok(Zones::All)
    } else {
        Ok(Zones::Named(zone_ids))
    }
}

fn zone_id(value: &Value) -> Result<LocationId, Fault> {
    let text = value.as_str().ok_or(Fault::WrongType {
        expected: "a string",
    })?;
    LocationId::parse(text).map_err(|error| match error {
        NameError::Empty => Fault::Empty,
        NameError::TooLong { max } => Fault::TooLong { bytes_max: max },
        NameError::Character { allowed } => Fault::Pattern { allowed },
    })
}

fn parameter(parameter: &str, fault: Fault) -> ZenlayerError {
    ZenlayerError::Parameter {
        parameter: parameter.to_owned(),
        fault,
    }
}

/// The parameters. No body at all stands for none of them.
fn body(request: &Request<'_>) -> Result<ZonesRequest, ZenlayerError> {
    let is_json = |content_type: &[u8]| {
        let media_type = content_type.split(|byte| *byte == b';').next();
        media_type.is_some_and(|media_type| {
            media_type
                .trim_ascii()
                .eq_ignore_ascii_case(b"application/json")
        })
    };
    if !header(request, "Content-Type")?.is_none_or(is_json) {
        return Err(ZenlayerError::ContentTypeUnsupported);
    }
    let body = if request.body.is_empty() {
        b"{}"
    } else {
        request.body
    };
    // A struct is also read from an array, so the object is asked for here.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(ZenlayerError::BodyNotObject);
    }
    serde_json::from_slice(body).map_err(|error| ZenlayerError::BodyMalformed {
        detail: error.to_string(),
    })
}
