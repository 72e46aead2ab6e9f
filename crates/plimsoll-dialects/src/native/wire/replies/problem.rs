//! Problems.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::super::errors::codes_schema;
use super::super::leaf::{Limit, Parsed};
use super::super::words::AnyState;
use super::Exceeded;

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
    #[schemars(with = "Option<Parsed<AnyState>>")]
    pub(crate) state: Option<&'static str>,
    /// The request that is pending already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<&'a str>,
    /// What binds already, where a request asks for no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) present_limit: Option<Limit>,
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
