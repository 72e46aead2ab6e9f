//! The JSON of the Zenlayer dialect. Keys stand in the order of the vendor's examples.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The parameters of every action that takes a list of zones. Others are ignored.
///
/// Its type is checked by hand: the vendor's codes tell a wrong type from malformed JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ZonesRequest {
    #[serde(default)]
    pub(super) zone_ids: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Success<'a, T> {
    pub(super) request_id: &'a str,
    pub(super) response: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Failure<'a> {
    pub(super) request_id: &'a str,
    pub(super) code: &'a str,
    pub(super) message: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImageQuotas<'a> {
    pub(super) request_id: &'a str,
    pub(super) images: Vec<ImageQuotaInfo<'a>>,
}

/// The vendor's Java SDK reads the two numbers as 32-bit integers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImageQuotaInfo<'a> {
    pub(super) count: i32,
    pub(super) zone_id: &'a str,
    pub(super) max_count: i32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ZoneSet<'a> {
    pub(super) request_id: &'a str,
    pub(super) zone_set: Vec<ZoneInfo<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ZoneInfo<'a> {
    pub(super) zone_id: &'a str,
    pub(super) zone_name: &'a str,
    pub(super) support_security_group: bool,
    pub(super) support_network_type: &'static str,
    pub(super) support_ipv6: bool,
    pub(super) support_cpu_pass_through: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) network_line_type: Option<&'static str>,
}
