//! One request end to end: which surface, who calls, what they want, what came of it.

mod modelarts;
mod native;
mod native_read;
mod zenlayer;

use std::sync::Arc;

use plimsoll_dialects::http::{Reply, Request};
use plimsoll_dialects::native::Problem;
use plimsoll_store::Store;

use crate::auth::Verifier;
use crate::clock;

/// The most bytes of a body.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 20;

/// The most bytes of a batch's body.
const BATCH_BODY_BYTES_MAX: usize = 8 << 20;

/// When to try again where the server cannot answer, in seconds.
const RETRY_AFTER_S: u32 = 1;

/// Everything that a request may need.
pub(crate) struct Service {
    pub(crate) store: Arc<Store>,
    pub(crate) verifier: Verifier,
    pub(crate) zenlayer: plimsoll_dialects::zenlayer::Settings,
    pub(crate) modelarts: plimsoll_dialects::modelarts::Settings,
}

/// Which API a path belongs to, and so which form every answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// `/plimsoll/v1/…`, and whatever belongs to no other.
    Native,
    /// `/api/v2/…`.
    Zenlayer,
    /// `/v1/…`, `/v2/…`, `/v3/…`.
    ModelArts,
    /// `/healthz`, `/readyz`, `/openapi.json`.
    Operations,
}

impl Surface {
    /// The surface of a path.
    pub(crate) fn of(path: &str) -> Self {
        let is_under = |folder: &str| {
            path.strip_prefix(folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if matches!(path, "/healthz" | "/readyz" | "/openapi.json") {
            Surface::Operations
        } else if is_under("/api/v2") {
            Surface::Zenlayer
        } else if is_under("/v1") || is_under("/v2") || is_under("/v3") {
            Surface::ModelArts
        } else {
            Surface::Native
        }
    }
}

/// Why a request does not even reach its surface.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TransportFault {
    /// The body is longer than the path allows.
    BodyTooLarge,
    /// The body did not come in time.
    BodyTooSlow,
}

impl Service {
    /// Answers one request.
    pub(crate) async fn handle(&self, request: &Request<'_>) -> Reply {
        match Surface::of(request.path) {
            Surface::Native => self.native(request).await,
            Surface::Zenlayer => self.zenlayer(request).await,
            Surface::ModelArts => self.modelarts(request).await,
            Surface::Operations => self.operations(request),
        }
    }

    /// Answers a request that could not be read whole.
    pub(crate) fn refuse(&self, path: &str, fault: TransportFault) -> Reply {
        match Surface::of(path) {
            Surface::Native | Surface::Operations => match fault {
                TransportFault::BodyTooLarge => Problem::too_large(body_bytes_max(path)).reply(),
                TransportFault::BodyTooSlow => Problem::unavailable(RETRY_AFTER_S).reply(),
            },
            Surface::Zenlayer => zenlayer::refuse(fault),
            Surface::ModelArts => modelarts::refuse(fault),
        }
    }

    fn operations(&self, request: &Request<'_>) -> Reply {
        if !matches!(request.method, "GET" | "HEAD") {
            return Problem::method_not_allowed("GET".to_owned()).reply();
        }
        let (status, body) = match request.path {
            "/healthz" => (200, r#"{"status":"ok"}"#.to_owned()),
            "/readyz" if self.store.is_ready() => (200, r#"{"status":"ready"}"#.to_owned()),
            "/readyz" => (503, r#"{"status":"unavailable"}"#.to_owned()),
            _ => (
                200,
                plimsoll_dialects::native::openapi::document().to_string(),
            ),
        };
        let headers = vec![("content-type", "application/json".to_owned())];
        Reply {
            status,
            headers,
            body: body.into_bytes(),
        }
    }
}

/// The most bytes of a body on a path.
pub(crate) fn body_bytes_max(path: &str) -> usize {
    if path == plimsoll_dialects::native::BATCH_PATH {
        BATCH_BODY_BYTES_MAX
    } else {
        BODY_BYTES_MAX
    }
}

/// The random part of a request's id. An id is for people who look for a request in a log: where
/// the system has no entropy, the request is answered all the same.
fn request_id_bytes() -> [u8; 16] {
    clock::random().unwrap_or_default()
}

#[cfg(test)]
mod tests;
