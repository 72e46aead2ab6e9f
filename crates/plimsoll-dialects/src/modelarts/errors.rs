//! Why a ModelArts request fails, and how that is answered: one table.
//!
//! Source: Huawei Cloud "API Request Signing Guide", "Error Codes" (`APIGW.…`); ModelArts API
//! reference, "Error Codes" (`ModelArts.…`). What the vendor does not document is marked in
//! `docs/dialects/modelarts.md`.

use std::borrow::Cow;

use plimsoll_core::names::ScopeId;

use crate::http::Reply;
use crate::modelarts::RequestId;
use crate::modelarts::auth::AuthDenial;
use crate::modelarts::encode::reply;
use crate::modelarts::wire::{GatewayFailure, ServiceFailure};

/// Why a request is not answered. In order of precedence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelArtsError {
    /// The request is not well-formed HTTP.
    RequestMalformed,
    /// The head is longer than the server reads.
    HeadTooLarge,
    /// The body is longer than the server reads.
    BodyTooLarge,
    /// No operation has this path.
    UnknownPath,
    /// No operation with this path has this method.
    UnknownMethod,
    /// The sender did not prove who it is.
    Auth(AuthDenial),
    /// The token is unknown, disabled or expired.
    TokenUnknown,
    /// The sender has sent too many requests.
    Throttled {
        /// How many it may send in a second.
        requests_per_s_max: u32,
    },
    /// The project in the path is no id.
    ProjectMalformed,
    /// The parameter `name` was sent more than once.
    NameRepeated,
    /// The parameter `name` is no name.
    NameMalformed,
    /// The project in the path is not the sender's.
    ProjectMismatch,
    /// The principal's role does not allow the operation.
    PermissionMissing,
    /// There is no such project.
    ProjectUnknown(ScopeId),
    /// The catalogue has no resource that the operation could tell about.
    QuotaNotConfigured(ScopeId),
    /// The server cannot answer now.
    Unavailable,
    /// The head or the body did not come in time.
    TimedOut,
    /// The server failed.
    Internal,
}

/// The answer to a request that failed.
///
/// A code of the gateway's comes with the request's id in the body, as the vendor's does.
pub fn error_reply(error: &ModelArtsError, request_id: &RequestId) -> Reply {
    let (status, code) = status_and_code(error);
    let text = message(error);
    let mut reply = if code.starts_with("APIGW.") {
        let failure = GatewayFailure {
            error_msg: &text,
            error_code: code,
            request_id: request_id.as_str(),
        };
        reply(status, &failure, request_id)
    } else {
        let failure = ServiceFailure {
            error_code: code,
            error_msg: &text,
        };
        reply(status, &failure, request_id)
    };
    if matches!(
        error,
        ModelArtsError::Throttled { .. } | ModelArtsError::Unavailable
    ) {
        // Without it the vendor's SDK retries the one at once and the other never.
        reply.headers.push(("retry-after", "1".to_owned()));
    }
    reply
}

/// The table: the status and the code of every failure.
fn status_and_code(error: &ModelArtsError) -> (u16, &'static str) {
    match error {
        ModelArtsError::RequestMalformed => (400, "APIGW.0201"),
        ModelArtsError::HeadTooLarge => (494, "APIGW.0201"),
        ModelArtsError::BodyTooLarge => (413, "APIGW.0201"),
        ModelArtsError::UnknownPath | ModelArtsError::UnknownMethod => (404, "APIGW.0101"),
        ModelArtsError::Auth(_) | ModelArtsError::TokenUnknown => (401, "APIGW.0301"),
        ModelArtsError::Throttled { .. } => (429, "APIGW.0308"),
        ModelArtsError::ProjectMalformed => (400, "ModelArts.0210"),
        ModelArtsError::NameRepeated | ModelArtsError::NameMalformed => (400, "APIGW.0602"),
        ModelArtsError::ProjectMismatch => (403, "ModelArts.0210"),
        ModelArtsError::PermissionMissing => (403, "ModelArts.0112"),
        ModelArtsError::ProjectUnknown(_) | ModelArtsError::QuotaNotConfigured(_) => {
            (404, "ModelArts.50004004")
        }
        ModelArtsError::Unavailable => (503, "APIGW.0201"),
        ModelArtsError::TimedOut => (408, "APIGW.0201"),
        ModelArtsError::Internal => (500, "ModelArts.50005000"),
    }
}

/// The public text: the vendor's own where it is known.
fn message(error: &ModelArtsError) -> Cow<'static, str> {
    let text = match error {
        ModelArtsError::RequestMalformed => "API request error.",
        ModelArtsError::HeadTooLarge => "Request headers too large.",
        ModelArtsError::BodyTooLarge => "Request entity too large.",
        ModelArtsError::UnknownPath => {
            "The API does not exist or has not been published in the environment."
        }
        ModelArtsError::UnknownMethod => "The API does not exist.",
        ModelArtsError::Auth(denial) => {
            let detail = auth_detail(*denial);
            return format!("Incorrect IAM authentication information: {detail}").into();
        }
        ModelArtsError::TokenUnknown => {
            "Incorrect IAM authentication information: decrypt token fail"
        }
        ModelArtsError::Throttled { requests_per_s_max } => {
            return format!(
                "The throttling threshold has been reached: policy user over \
                 ratelimit,limit:{requests_per_s_max},time:1 second"
            )
            .into();
        }
        ModelArtsError::ProjectMalformed => "Invalid project ID.",
        ModelArtsError::NameRepeated => "Bad request. send `name` once",
        ModelArtsError::NameMalformed => {
            "Bad request. `name` must be text in percent-encoded UTF-8"
        }
        ModelArtsError::ProjectMismatch => {
            "The project id in the request URL does not match the token."
        }
        ModelArtsError::PermissionMissing => "Policy doesn't allow this operation to be performed.",
        ModelArtsError::ProjectUnknown(project) => {
            return format!("Project `{project}` not found.").into();
        }
        ModelArtsError::QuotaNotConfigured(project) => {
            return format!("Quota of project `{project}` not configured.").into();
        }
        ModelArtsError::Unavailable => "Backend unavailable.",
        ModelArtsError::TimedOut => "API request error. the head or the body did not come in time",
        ModelArtsError::Internal => "internal error",
    };
    Cow::Borrowed(text)
}

fn auth_detail(denial: AuthDenial) -> &'static str {
    match denial {
        AuthDenial::HeaderRepeated => "a header of the signature is repeated: send each once",
        AuthDenial::CredentialsMissing => "x-auth-token not found",
        AuthDenial::TokenMalformed => "decrypt token fail",
        AuthDenial::AlgorithmUnsupported => "the algorithm must be `SDK-HMAC-SHA256`",
        AuthDenial::AuthorizationMalformed => {
            "`Authorization` must be `SDK-HMAC-SHA256 Access=<id>, SignedHeaders=<names>, \
             Signature=<hex>`"
        }
        AuthDenial::DateNotSigned => "`X-Sdk-Date` is not signed: add it to `SignedHeaders`",
        AuthDenial::DateMissing => "`X-Sdk-Date` is missing: send it",
        AuthDenial::DateMalformed => "`X-Sdk-Date` must have the form `20191115T033655Z`",
        AuthDenial::SecurityTokenNotSigned => {
            "`X-Security-Token` is not signed: add it to `SignedHeaders`"
        }
        AuthDenial::SignatureExpired => "calc ak sk signature fail:signature expired",
        AuthDenial::PayloadNotSigned => {
            "`X-Sdk-Content-Sha256` is not signed: add it to `SignedHeaders`"
        }
        AuthDenial::PayloadMismatch => "`X-Sdk-Content-Sha256` is not the digest of the body",
        AuthDenial::SignedHeaderMissing => "a signed header is missing: send it",
        AuthDenial::SignatureFailure => "verify aksk signature fail",
    }
}
