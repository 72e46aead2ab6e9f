//! Problems: every answer that is not what was asked for, as RFC 9457 has it.

use plimsoll_core::amount::Ceiling;
use plimsoll_core::model::Role;
use plimsoll_core::names::RequestId;
use plimsoll_core::outcome::Exceeded;
use schemars::{Schema, SchemaGenerator, json_schema};

use super::encode::json;
use super::wire::{leaf, replies};
use crate::http::Reply;

mod denials;
mod server;

/// Why a request was not carried out: a status, a stable code, and a text for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(Box<Content>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Content {
    code: Code,
    detail: String,
    place: Place,
    exceeded: Vec<Exceeded>,
    state: Option<&'static str>,
    revision: Option<u64>,
    request: Option<RequestId>,
    present: Option<Ceiling>,
    retry_after_s: Option<u32>,
    request_id: Option<String>,
    allow: Option<String>,
}

/// Which part of the request is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Nowhere,
    Body { pointer: String },
    Parameter(String),
    Header(&'static str),
}

const NOT_FOUND: &str = "it does not exist, or not within your reach: look at the id";

macro_rules! codes {
    ($($code:ident: $status:literal, $name:literal, $title:literal;)*) => {
        /// The kinds of problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Code {
            $($code,)*
        }

        impl Code {
            const ALL: &[Code] = &[$(Code::$code,)*];

            fn row(self) -> (u16, &'static str, &'static str) {
                match self {
                    $(Code::$code => ($status, $name, $title),)*
                }
            }
        }
    };
}

// The table of problems: status, code, title. Codes are never reused.
codes! {
    Malformed: 400, "malformed", "the request cannot be read";
    LocationRequired: 400, "location_required", "a location is needed";
    LocationNotApplicable: 400, "location_not_applicable", "a location is too much";
    EndsInThePast: 400, "ends_in_the_past", "the limit would be over already";
    Unauthenticated: 401, "unauthenticated", "no valid credentials";
    Forbidden: 403, "forbidden", "the role does not allow it";
    ForceNotPermitted: 403, "force_not_permitted", "passing the limits is not permitted";
    RoleTooWide: 403, "role_too_wide", "more than the reach allows";
    UnknownRoute: 404, "unknown_route", "no such operation";
    UnknownScope: 404, "unknown_scope", "no such scope";
    UnknownResource: 404, "unknown_resource", "no such resource";
    UnknownLocation: 404, "unknown_location", "no such location";
    UnknownTier: 404, "unknown_tier", "no such tier";
    NotFound: 404, "not_found", "nothing is there";
    MethodNotAllowed: 405, "method_not_allowed", "another method is needed";
    IdConflict: 409, "id_conflict", "the id is taken";
    OtherTenant: 409, "other_tenant", "the scope is of another tenant";
    StateConflict: 409, "state_conflict", "the state does not allow it";
    NotAPart: 409, "not_a_part", "it does not take that much";
    NotAdjustable: 409, "not_adjustable", "the limit is not raised on request";
    NotAnIncrease: 409, "not_an_increase", "it is no more than what binds already";
    RequestPending: 409, "request_pending", "a request for the same is pending";
    Immutable: 409, "immutable", "it never changes";
    TooDeep: 409, "too_deep", "the tree would be too deep";
    TooMany: 409, "too_many", "there are as many as there may be";
    OwnPrincipal: 409, "own_principal", "a principal cannot lock itself out";
    Ambiguous: 409, "ambiguous", "the id alone does not tell which";
    RequestTimeout: 408, "request_timeout", "the request did not come in time";
    PreconditionFailed: 412, "precondition_failed", "it has changed";
    TooLarge: 413, "too_large", "the body is too large";
    UnsupportedMediaType: 415, "unsupported_media_type", "the body is not JSON";
    QuotaExceeded: 422, "quota_exceeded", "a quota would be exceeded";
    RateLimited: 429, "rate_limited", "too many requests";
    HeadTooLarge: 431, "head_too_large", "the head is too large";
    Internal: 500, "internal", "the server failed";
    Unavailable: 503, "unavailable", "the server cannot answer now";
    OutcomeUnknown: 503, "outcome_unknown", "it may or may not have been done";
}

/// All codes, for the OpenAPI document.
pub(super) fn codes_schema(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<&str> = Code::ALL.iter().map(|code| code.row().1).collect();
    json_schema!({"type": "string", "enum": names})
}

/// What a status means, for the OpenAPI document: the codes that have it.
pub(super) fn status_description(status: u16) -> String {
    let names: Vec<String> = Code::ALL
        .iter()
        .map(|code| code.row())
        .filter(|(its, ..)| *its == status)
        .map(|(_, name, title)| format!("`{name}`: {title}"))
        .collect();
    names.join("; ")
}

impl Problem {
    fn new(code: Code, detail: impl Into<String>) -> Problem {
        Problem(Box::new(Content {
            code,
            detail: detail.into(),
            place: Place::Nowhere,
            exceeded: Vec::new(),
            state: None,
            revision: None,
            request: None,
            present: None,
            retry_after_s: None,
            request_id: None,
            allow: None,
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Content)) -> Problem {
        change(&mut self.0);
        self
    }

    /// 401: the credentials are missing, unknown, disabled or expired.
    pub fn unauthenticated() -> Problem {
        Problem::new(
            Code::Unauthenticated,
            "send `authorization: Bearer <token>` with a token that is enabled and not expired",
        )
    }

    /// 403: it takes at least the role `least`.
    pub fn forbidden(least: Role) -> Problem {
        let role = least.name();
        let detail = match least {
            Role::Admin => format!("this takes the role `{role}`: call with another token"),
            Role::Viewer | Role::Enforcer | Role::Manager => {
                format!("this takes the role `{role}` or a higher one: call with another token")
            }
        };
        Problem::new(Code::Forbidden, detail)
    }

    /// 403: the caller may do it, but not past the limits.
    pub fn force_not_permitted() -> Problem {
        Problem::new(
            Code::ForceNotPermitted,
            "to `force` takes a permission of its own: call with a token that has it, or leave `force` out",
        )
    }

    /// 404: what was asked for does not exist, or not for this caller.
    pub fn not_found() -> Problem {
        Problem::new(Code::NotFound, NOT_FOUND)
    }

    /// 409: several tenants use this reservation id, and the caller sees them all.
    pub fn ambiguous() -> Problem {
        Problem::new(
            Code::Ambiguous,
            "several tenants use this id: name a scope of the tenant as `scope`",
        )
    }

    /// 400: the request is not what HTTP says it must be.
    pub fn malformed(detail: impl Into<String>) -> Problem {
        Problem::new(Code::Malformed, detail)
    }

    /// 400: a principal that could never call.
    pub fn expired_already() -> Problem {
        let detail = "it lies in the past: give a time to come, or leave it out";
        Problem::body("/expires_at".to_owned(), detail)
    }

    /// 408: the sender did not send all of the request in time.
    pub fn request_timeout() -> Problem {
        let detail = "the head or the body did not come in time: send the request without a pause";
        Problem::new(Code::RequestTimeout, detail)
    }

    /// 431: the head has too many bytes or too many headers.
    pub fn head_too_large() -> Problem {
        let detail = "the head has too many bytes or headers: send fewer";
        Problem::new(Code::HeadTooLarge, detail)
    }

    /// 413: the body has more than `bytes_max` bytes.
    pub fn too_large(bytes_max: usize) -> Problem {
        let detail = format!("the body may have `{bytes_max}` bytes at most: send it in parts");
        Problem::new(Code::TooLarge, detail)
    }

    /// 429: this caller asks too often.
    pub fn rate_limited(retry_after_s: u32) -> Problem {
        let detail = format!("you ask too often: wait `{retry_after_s}` s and try again");
        Problem::new(Code::RateLimited, detail)
            .with(|content| content.retry_after_s = Some(retry_after_s))
    }

    /// 500: a fault of the server, which its log tells of under `request_id`.
    pub fn internal(request_id: &str) -> Problem {
        let detail =
            format!("nothing was changed: tell who runs this server the request id `{request_id}`");
        Problem::new(Code::Internal, detail)
            .with(|content| content.request_id = Some(request_id.to_owned()))
    }

    /// 503: nothing was done, and later it may be.
    pub fn unavailable(retry_after_s: u32) -> Problem {
        let detail = format!("nothing was done: wait `{retry_after_s}` s and try again");
        Problem::new(Code::Unavailable, detail)
            .with(|content| content.retry_after_s = Some(retry_after_s))
    }

    /// 503: it may have been done.
    pub fn outcome_unknown() -> Problem {
        Problem::new(
            Code::OutcomeUnknown,
            "it may have been done: send the same request with the same id again to find out",
        )
        .with(|content| content.retry_after_s = Some(1))
    }

    /// 404: the path leads nowhere.
    pub(super) fn unknown_route() -> Problem {
        Problem::new(
            Code::UnknownRoute,
            "no operation has this path: see `/openapi.json` for all of them",
        )
    }

    /// 405: the path takes the methods `allow` only.
    pub fn method_not_allowed(allow: String) -> Problem {
        let detail = format!("this path takes {allow}");
        Problem::new(Code::MethodNotAllowed, detail).with(|content| content.allow = Some(allow))
    }

    /// 415: the header says that the body is something else than JSON.
    pub(super) fn unsupported_media_type(header: &'static str, detail: &str) -> Problem {
        Problem::new(Code::UnsupportedMediaType, detail)
            .with(|content| content.place = Place::Header(header))
    }

    /// 400: the body, at this JSON pointer.
    pub(super) fn body(pointer: String, detail: impl Into<String>) -> Problem {
        Problem::new(Code::Malformed, detail)
            .with(|content| content.place = Place::Body { pointer })
    }

    /// 400: a parameter of the path or the query.
    pub(super) fn parameter(name: &str, detail: impl Into<String>) -> Problem {
        Problem::new(Code::Malformed, detail)
            .with(|content| content.place = Place::Parameter(name.to_owned()))
    }

    /// 400: a header.
    pub(super) fn header(name: &'static str, detail: impl Into<String>) -> Problem {
        Problem::new(Code::Malformed, detail).with(|content| content.place = Place::Header(name))
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.0.code.row().0
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.0.code.row().1
    }

    /// The answer.
    pub fn reply(&self) -> Reply {
        let mut headers = vec![("content-type", "application/problem+json".to_owned())];
        if self.0.code == Code::Unauthenticated {
            headers.push(("www-authenticate", "Bearer".to_owned()));
        }
        if let Some(allow) = &self.0.allow {
            headers.push(("allow", allow.clone()));
        }
        if let Some(seconds) = self.0.retry_after_s {
            headers.push(("retry-after", seconds.to_string()));
        }
        Reply {
            status: self.status(),
            headers,
            body: json(&self.document()),
        }
    }

    /// The body of the answer.
    pub(super) fn document(&self) -> replies::Problem<'_> {
        let (status, code, title) = self.0.code.row();
        let (pointer, parameter, header) = match &self.0.place {
            Place::Nowhere => (None, None, None),
            Place::Body { pointer } => (Some(pointer.as_str()), None, None),
            Place::Parameter(name) => (None, Some(name.as_str()), None),
            Place::Header(name) => (None, None, Some(*name)),
        };
        replies::Problem {
            r#type: format!("urn:plimsoll:problem:{code}"),
            title,
            status,
            code,
            detail: &self.0.detail,
            pointer,
            parameter,
            header,
            exceeded: self.0.exceeded.iter().map(Into::into).collect(),
            state: self.0.state,
            revision: self.0.revision,
            request: self.0.request.as_ref().map(RequestId::as_str),
            present_limit: self.0.present.map(leaf::Limit),
            retry_after_seconds: self.0.retry_after_s,
            request_id: self.0.request_id.as_deref(),
        }
    }
}
