//! The JSON of the ModelArts dialect. Keys stand in the order of the vendor's examples.

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct QuotasResponse {
    pub(super) quotas: Quotas,
}

#[derive(Serialize)]
pub(super) struct Quotas {
    pub(super) resources: Vec<ResourceQuota>,
}

#[derive(Serialize)]
pub(super) struct ResourceQuota {
    #[serde(rename = "type")]
    pub(super) resource_type: &'static str,
    pub(super) quota: Number,
    pub(super) used: Number,
}

/// One number in one of the two forms that the vendor's documents disagree about.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Number {
    Integer(i64),
    Text(String),
}

/// The vendor's Go SDK reads the two numbers as 32-bit integers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OsUserConfig {
    pub(super) network_cidrs: [&'static str; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) network_quota: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pool_quota: Option<i32>,
    pub(super) pool_high_available: bool,
}

#[derive(Serialize)]
pub(super) struct Projects<'a> {
    pub(super) projects: Vec<Project<'a>>,
    pub(super) links: Links,
}

#[derive(Serialize)]
pub(super) struct Project<'a> {
    pub(super) domain_id: &'a str,
    pub(super) is_domain: bool,
    pub(super) parent_id: &'a str,
    pub(super) name: &'a str,
    pub(super) description: &'static str,
    pub(super) links: Links,
    pub(super) id: &'a str,
    pub(super) enabled: bool,
}

#[derive(Serialize)]
pub(super) struct Links {
    pub(super) next: Option<&'static str>,
    pub(super) previous: Option<&'static str>,
    #[serde(rename = "self")]
    pub(super) own: String,
}

/// A failure in the gateway that stands before the vendor's services.
#[derive(Serialize)]
pub(super) struct GatewayFailure<'a> {
    pub(super) error_msg: &'a str,
    pub(super) error_code: &'a str,
    pub(super) request_id: &'a str,
}

/// A failure in the service itself.
#[derive(Serialize)]
pub(super) struct ServiceFailure<'a> {
    pub(super) error_code: &'a str,
    pub(super) error_msg: &'a str,
}
