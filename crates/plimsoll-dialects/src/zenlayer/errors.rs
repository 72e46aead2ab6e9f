//! Why a Zenlayer request fails, and how that is answered: one table.
//!
//! Source: Zenlayer API reference, "Common error codes" and "Response"; the rate limit from the
//! README of zenlayercloud-sdk-python 2.0.77.

use std::borrow::Cow;

use plimsoll_core::names::LocationId;

use crate::http::Reply;
use crate::zenlayer::RequestId;
use crate::zenlayer::auth::AuthDenial;
use crate::zenlayer::encode::reply;
use crate::zenlayer::wire::Failure;

/// Why a request is not answered. In order of precedence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZenlayerError {
    /// The request is not well-formed HTTP.
    RequestMalformed,
    /// The head is longer than the server reads.
    HeadTooLarge,
    /// The body is longer than the server reads.
    BodyTooLarge {
        /// The most bytes that it reads.
        bytes_max: usize,
    },
    /// The method is not `POST`.
    MethodNotAllowed,
    /// The path is not `/api/v2/` and one segment.
    UnknownPath,
    /// The sender did not prove who it is.
    Auth(AuthDenial),
    /// The bearer token is unknown, disabled or expired.
    TokenUnknown,
    /// The sender has sent too many requests.
    Throttled,
    /// The principal is not bound to a team.
    NoTeam,
    /// The principal's role does not allow the action.
    PermissionMissing,
    /// There is no such service.
    UnknownService,
    /// A header that every request must have is missing.
    HeaderMissing {
        /// The header.
        name: &'static str,
    },
    /// A header that may be sent once was sent more than once.
    HeaderRepeated {
        /// The header.
        name: &'static str,
    },
    /// The service has no such version.
    UnknownVersion,
    /// The service has no such action.
    UnknownAction,
    /// `Content-Type` is not JSON.
    ContentTypeUnsupported,
    /// The body is no JSON object.
    BodyNotObject,
    /// The body starts as a JSON object and is none, or names a parameter twice.
    BodyMalformed {
        /// What is wrong with it, and where.
        detail: String,
    },
    /// A parameter is not what it must be.
    Parameter {
        /// Which.
        parameter: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The catalogue has no `vm/image`, or does not count it per location.
    ImageQuotaNotConfigured,
    /// There is no such zone, and the setting is `RegionNotFound`.
    RegionNotFound(LocationId),
    /// There is no such zone, and the setting is `ZoneNotFound`.
    ZoneNotFound(LocationId),
    /// The server cannot answer now.
    Unavailable,
    /// The head or the body did not come in time.
    TimedOut,
    /// The server failed.
    Internal,
}

/// What is wrong with a parameter. In order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has another type.
    WrongType {
        /// The type that it must have.
        expected: &'static str,
    },
    /// The list is too long.
    TooManyValues {
        /// The most values that it may have.
        values_max: usize,
    },
    /// The text is empty.
    Empty,
    /// The text is too long.
    TooLong {
        /// The most bytes that it may have.
        bytes_max: usize,
    },
    /// The text holds what no such text may hold.
    Pattern {
        /// What it may hold.
        allowed: &'static str,
    },
}

/// The answer to a request that failed.
pub fn error_reply(error: &ZenlayerError, request_id: &RequestId) -> Reply {
    let (status, code) = status_and_code(error);
    let failure = Failure {
        request_id: request_id.as_str(),
        code,
        message: &message(error),
    };
    reply(status, &failure)
}

/// The table: the status and the code of every failure.
fn status_and_code(error: &ZenlayerError) -> (u16, &'static str) {
    match error {
        ZenlayerError::Auth(denial) => (401, auth_code(*denial)),
        ZenlayerError::TokenUnknown => (401, "AUTHFAILURE_SIGNATURE_FAILURE"),
        ZenlayerError::MethodNotAllowed
        | ZenlayerError::UnknownPath
        | ZenlayerError::NoTeam
        | ZenlayerError::PermissionMissing
        | ZenlayerError::UnknownService
        | ZenlayerError::UnknownVersion
        | ZenlayerError::UnknownAction => (401, "AUTHFAILURE_UNAUTHORIZED_OPERATION"),
        ZenlayerError::Throttled => (429, "REQUEST_LIMIT_EXCEEDED"),
        ZenlayerError::RequestMalformed => (400, "INVALID_PARAMETER_VALUE"),
        ZenlayerError::HeadTooLarge => (400, "INVALID_PARAMETER_EXCEED_LENGTH"),
        ZenlayerError::BodyTooLarge { .. } => (400, "INVALID_PARAMETER_EXCEED_LENGTH"),
        ZenlayerError::HeaderMissing { .. } => (400, "MISSING_PARAMETER"),
        ZenlayerError::HeaderRepeated { .. } => (400, "INVALID_PARAMETER_VALUE"),
        ZenlayerError::ContentTypeUnsupported => (400, "INVALID_PARAMETER_VALUE"),
        ZenlayerError::BodyNotObject => (400, "INVALID_PARAMETER_TYPE"),
        ZenlayerError::BodyMalformed { .. } => (400, "INVALID_PARAMETER_TYPE"),
        ZenlayerError::Parameter { fault, .. } => (400, fault_code(*fault)),
        ZenlayerError::ImageQuotaNotConfigured => (404, "OPERATION_FAILED_RESOURCE_NOT_FOUND"),
        ZenlayerError::RegionNotFound(_) => (404, "INVALID_REGION_NOT_FOUND"),
        ZenlayerError::ZoneNotFound(_) => (404, "INVALID_ZONE_NOT_FOUND"),
        ZenlayerError::Unavailable => (503, "SERVICE_TEMPORARY_UNAVAILABLE"),
        ZenlayerError::TimedOut => (503, "REQUEST_TIMED_OUT"),
        ZenlayerError::Internal => (500, "INTERNAL_SERVER_ERROR"),
    }
}

fn auth_code(denial: AuthDenial) -> &'static str {
    match denial {
        AuthDenial::HeaderRepeated
        | AuthDenial::AuthorizationMissing
        | AuthDenial::InvalidAuthorization
        | AuthDenial::SignatureMethodUnsupported
        | AuthDenial::ContentTypeNotSigned
        | AuthDenial::HostNotSigned => "AUTHFAILURE_INVALID_AUTHORIZATION",
        AuthDenial::TimestampMissing
        | AuthDenial::TimestampMalformed
        | AuthDenial::SignatureExpired => "AUTHFAILURE_SIGNATURE_EXPIRED",
        AuthDenial::SignedHeaderMissing
        | AuthDenial::SignedHeaderRepeated
        | AuthDenial::SignatureFailure => "AUTHFAILURE_SIGNATURE_FAILURE",
    }
}

fn fault_code(fault: Fault) -> &'static str {
    match fault {
        Fault::WrongType { .. } => "INVALID_PARAMETER_TYPE",
        Fault::TooManyValues { .. } | Fault::TooLong { .. } => "INVALID_PARAMETER_EXCEED_LENGTH",
        Fault::Empty => "INVALID_PARAMETER_LESS_LENGTH",
        Fault::Pattern { .. } => "INVALID_PARAMETER_PATTERN_ERROR",
    }
}

/// The public text. It names what the caller sent only where that is known to be harmless.
fn message(error: &ZenlayerError) -> Cow<'static, str> {
    let text = match error {
        ZenlayerError::Auth(denial) => auth_message(*denial),
        ZenlayerError::TokenUnknown => "the token is not valid: check it",
        ZenlayerError::MethodNotAllowed => "there is no such operation: send `POST`",
        ZenlayerError::UnknownPath => "there is no such operation: send to `/api/v2/vm`",
        ZenlayerError::NoTeam => "the credential belongs to no team: use one bound to a scope",
        ZenlayerError::PermissionMissing => "the credential does not permit this: ask for access",
        ZenlayerError::UnknownService => "there is no such service: use `vm`",
        ZenlayerError::UnknownVersion => {
            "there is no such version: set `X-ZC-Version` to `2026-04-01` or `2023-03-13`"
        }
        ZenlayerError::UnknownAction => {
            "there is no such action: set `X-ZC-Action` to `DescribeImageQuota` or `DescribeZones`"
        }
        ZenlayerError::Throttled => "there are too many requests: retry after a second",
        ZenlayerError::RequestMalformed => {
            "the request is malformed: send head and body as HTTP/1.1 has them"
        }
        ZenlayerError::HeadTooLarge => "the head is too long: send fewer and shorter headers",
        ZenlayerError::BodyTooLarge { bytes_max } => {
            return format!("the body is too long: send at most `{bytes_max}` bytes").into();
        }
        ZenlayerError::HeaderMissing { name } => {
            return format!("the header `{name}` is missing: send it").into();
        }
        ZenlayerError::HeaderRepeated { name } => {
            return format!("the header `{name}` is repeated: send it once").into();
        }
        ZenlayerError::ContentTypeUnsupported => {
            "the body is not declared as JSON: set `Content-Type` to `application/json`"
        }
        ZenlayerError::BodyNotObject => "the body must be a JSON object",
        ZenlayerError::BodyMalformed { detail } => {
            return format!("the body must be valid JSON: {detail}").into();
        }
        ZenlayerError::Parameter { parameter, fault } => {
            return format!("`{parameter}` {}", fault_message(*fault)).into();
        }
        ZenlayerError::ImageQuotaNotConfigured => {
            "image quotas are not configured: define `vm/image`, counted per location"
        }
        ZenlayerError::RegionNotFound(zone_id) | ZenlayerError::ZoneNotFound(zone_id) => {
            return format!("The specified zoneId `{zone_id}` is not found").into();
        }
        ZenlayerError::Unavailable => "the service is not available: retry later",
        ZenlayerError::TimedOut => {
            "the head or the body did not come in time: send the request without a pause"
        }
        ZenlayerError::Internal => "the service failed: report the request id",
    };
    Cow::Borrowed(text)
}

fn auth_message(denial: AuthDenial) -> &'static str {
    match denial {
        AuthDenial::HeaderRepeated => "a header of the signature is repeated: send each once",
        AuthDenial::AuthorizationMissing => "the header `Authorization` is missing: send it",
        AuthDenial::InvalidAuthorization => {
            "the header `Authorization` must be `ZC2-HMAC-SHA256 Credential=<id>, \
             SignedHeaders=<names>, Signature=<hex>` or `Bearer <token>`"
        }
        AuthDenial::SignatureMethodUnsupported => {
            "the signature method is not supported: use `ZC2-HMAC-SHA256`"
        }
        AuthDenial::ContentTypeNotSigned => {
            "the header `Content-Type` is not signed: add it to `SignedHeaders`"
        }
        AuthDenial::HostNotSigned => "the header `Host` is not signed: add it to `SignedHeaders`",
        AuthDenial::TimestampMissing => "the header `X-ZC-Timestamp` is missing: send it",
        AuthDenial::TimestampMalformed => {
            "the header `X-ZC-Timestamp` must be seconds since 1970-01-01T00:00:00Z"
        }
        AuthDenial::SignatureExpired => {
            "the header `X-ZC-Timestamp` is more than five minutes off: set the clock"
        }
        AuthDenial::SignedHeaderMissing => "a signed header is missing: send it",
        AuthDenial::SignedHeaderRepeated => "a signed header is repeated: send it once",
        AuthDenial::SignatureFailure => "the signature does not match: check id, password and body",
    }
}

fn fault_message(fault: Fault) -> Cow<'static, str> {
    match fault {
        Fault::WrongType { expected } => format!("must be {expected}").into(),
        Fault::TooManyValues { values_max } => {
            format!("must have at most `{values_max}` values").into()
        }
        Fault::Empty => "must not be empty".into(),
        Fault::TooLong { bytes_max } => format!("must have at most `{bytes_max}` bytes").into(),
        Fault::Pattern { allowed } => format!("must be {allowed}").into(),
    }
}
