//! One request end to end: which surface, who calls, what they want, what came of it.

mod changes;
pub(crate) mod live;
mod modelarts;
mod native;
mod native_read;
pub(crate) mod past;
mod zenlayer;

use std::sync::{Arc, LazyLock};

use plimsoll_dialects::http::{Reply, Request};
use plimsoll_dialects::native::{BATCH_PATH, Problem, RECONCILE_PATH};
use plimsoll_store::Store;
use tokio::sync::Mutex;

use crate::auth::Verifier;
use crate::clock;
use crate::refusals::Refusals;
use crate::webhooks::Webhooks;

/// The most bytes of a body of the native API whose sender has shown no token yet, and of a body
/// that means nothing.
pub(crate) const SMALL_BODY_BYTES_MAX: usize = 64 << 10;

/// The most bytes of a body.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 20;

/// The most bytes of a batch's body.
const BATCH_BODY_BYTES_MAX: usize = 8 << 20;

/// When to try again where the server cannot answer, in seconds.
const RETRY_AFTER_S: u32 = 1;

/// Everything that a request may need.
pub(crate) struct Service {
    pub(crate) store: Arc<Store>,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) zenlayer: plimsoll_dialects::zenlayer::Settings,
    pub(crate) modelarts: plimsoll_dialects::modelarts::Settings,
    /// What was refused and is still to be counted.
    pub(crate) refusals: Arc<Refusals>,
    /// Tells what happens to those who asked for it.
    pub(crate) webhooks: Arc<Webhooks>,
    /// The most bytes of an inventory's body.
    pub(crate) inventory_bytes_max: usize,
    /// One inventory is compared at a time: each may be as long as all others together.
    pub(crate) reconciles: Mutex<()>,
    /// How long what has ended is remembered.
    pub(crate) retention_ms: u64,
    /// Places for callers who watch what happens.
    pub(crate) streams: live::Streams,
}

/// What a request is answered.
pub(crate) struct Answered {
    /// The answer; where `live` is there, without a body.
    pub(crate) reply: Reply,
    /// The pieces of the body, as they come.
    pub(crate) live: Option<live::Pieces>,
}

impl From<Reply> for Answered {
    fn from(reply: Reply) -> Self {
        Self { reply, live: None }
    }
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
    /// The head is no HTTP, or can be understood in two ways.
    HeadMalformed,
    /// The head is longer than the server reads.
    HeadTooLarge,
    /// The head did not come in time.
    HeadTooSlow,
    /// The body is longer than the path allows.
    BodyTooLarge,
    /// The body is not framed as HTTP has it, or its sender is gone.
    BodyMalformed,
    /// The body did not come in time.
    BodyTooSlow,
    /// Other bodies take all the room there is.
    NoRoom,
}

impl Service {
    /// Answers one request.
    pub(crate) async fn handle(&self, request: &Request<'_>) -> Answered {
        match Surface::of(request.path) {
            Surface::Native => self.native(request).await,
            Surface::Zenlayer => with_retry_after(self.zenlayer(request).await).into(),
            Surface::ModelArts => self.modelarts(request).await.into(),
            Surface::Operations => with_retry_after(self.operations(request)).into(),
        }
    }

    /// The most bytes of a body on a path.
    pub(crate) fn body_bytes_max(&self, path: &str) -> usize {
        body_bytes_max(path, self.inventory_bytes_max)
    }

    /// Answers a request that could not be read whole.
    pub(crate) fn refuse(&self, path: &str, fault: TransportFault) -> Reply {
        with_retry_after(match Surface::of(path) {
            Surface::Native | Surface::Operations => {
                native_refusal(self.body_bytes_max(path), fault)
            }
            Surface::Zenlayer => zenlayer::refuse(fault),
            Surface::ModelArts => modelarts::refuse(fault),
        })
    }

    /// Lets a body of more than [`SMALL_BODY_BYTES_MAX`] come, where its head has to say who sends
    /// it: the native API. A vendor's signature covers the body, so it can only be checked later.
    ///
    /// Errors: the answer that the request gets instead.
    pub(crate) async fn admit_large_body(&self, head: &Request<'_>) -> Result<(), Reply> {
        match Surface::of(head.path) {
            Surface::Native => {
                let known = self.native_token_is_known(head).await;
                known.map_err(|problem| problem.reply())
            }
            Surface::Zenlayer | Surface::ModelArts | Surface::Operations => Ok(()),
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
            _ => (200, openapi().to_owned()),
        };
        let headers = vec![("content-type", "application/json".to_owned())];
        Reply {
            status,
            headers,
            body: body.into_bytes(),
        }
    }
}

/// Says when to come again, where the server cannot answer now and the surface does not say it.
fn with_retry_after(mut reply: Reply) -> Reply {
    let is_said = reply.headers.iter().any(|(name, _)| *name == "retry-after");
    if reply.status == 503 && !is_said {
        let seconds = RETRY_AFTER_S.to_string();
        reply.headers.push(("retry-after", seconds));
    }
    reply
}

/// The OpenAPI document, made once: it is the same for as long as the server runs.
fn openapi() -> &'static str {
    static DOCUMENT: LazyLock<String> =
        LazyLock::new(|| plimsoll_dialects::native::openapi::document().to_string());
    &DOCUMENT
}

/// The most bytes of a body on a path, and of that an inventory may have.
fn body_bytes_max(path: &str, inventory_bytes_max: usize) -> usize {
    match Surface::of(path) {
        Surface::Native if path == BATCH_PATH => BATCH_BODY_BYTES_MAX,
        Surface::Native if path == RECONCILE_PATH => inventory_bytes_max,
        Surface::Native | Surface::Zenlayer | Surface::ModelArts => BODY_BYTES_MAX,
        Surface::Operations => SMALL_BODY_BYTES_MAX,
    }
}

fn native_refusal(bytes_max: usize, fault: TransportFault) -> Reply {
    let problem = match fault {
        TransportFault::HeadMalformed => {
            Problem::malformed("the head of the request is not HTTP/1.1: see RFC 9112")
        }
        TransportFault::HeadTooLarge => Problem::head_too_large(),
        TransportFault::HeadTooSlow | TransportFault::BodyTooSlow => Problem::request_timeout(),
        TransportFault::BodyTooLarge => Problem::too_large(bytes_max),
        TransportFault::BodyMalformed => Problem::malformed(
            "the body ends early, or its chunks are malformed: send as many bytes as the head says",
        ),
        TransportFault::NoRoom => Problem::unavailable(RETRY_AFTER_S),
    };
    problem.reply()
}

/// The random part of a request's id. An id is for people who look for a request in a log: where
/// the system has no entropy, the request is answered all the same.
fn request_id_bytes() -> [u8; 16] {
    clock::random_id().unwrap_or_default()
}

#[cfg(test)]
mod tests;
