//! Which surface a path belongs to, and what a request takes.

use std::sync::Arc;

use plimsoll_dialects::http::Request;
use plimsoll_store::{Clock, Store};
use tokio::sync::{Mutex, watch};

use super::{
    BATCH_BODY_BYTES_MAX, BODY_BYTES_MAX, SMALL_BODY_BYTES_MAX, Service, Surface, body_bytes_max,
    live, openapi,
};
use crate::auth::Verifier;
use crate::clock;
use crate::config::Config;
use crate::refusals::Refusals;
use crate::secrets::MasterKey;
use crate::throttle::Throttle;
use crate::webhooks::{self, Webhooks};

#[test]
fn a_path_belongs_to_one_surface() {
    for (path, surface) in [
        ("/plimsoll/v1/check", Surface::Native),
        ("/", Surface::Native),
        ("", Surface::Native),
        ("/api/v1/vm", Surface::Native),
        ("/api/v20/vm", Surface::Native),
        ("/v10/x", Surface::Native),
        ("/healthz/", Surface::Native),
        ("/api/v2", Surface::Zenlayer),
        ("/api/v2/", Surface::Zenlayer),
        ("/api/v2/vm", Surface::Zenlayer),
        ("/api/v2/vm/x", Surface::Zenlayer),
        ("/v1/p/quotas", Surface::ModelArts),
        ("/v2/p/pools", Surface::ModelArts),
        ("/v3/projects", Surface::ModelArts),
        ("/v1", Surface::ModelArts),
        ("/healthz", Surface::Operations),
        ("/readyz", Surface::Operations),
        ("/openapi.json", Surface::Operations),
    ] {
        assert_eq!(Surface::of(path), surface, "{path}");
    }
}

#[test]
fn only_batches_and_inventories_may_be_large() {
    for (path, bytes_max) in [
        ("/plimsoll/v1/reservations:batch", BATCH_BODY_BYTES_MAX),
        ("/plimsoll/v1/reservations:batch/", BODY_BYTES_MAX),
        ("/plimsoll/v1/reconcile", 77),
        ("/api/v2/vm", BODY_BYTES_MAX),
        ("/healthz", SMALL_BODY_BYTES_MAX),
    ] {
        assert_eq!(body_bytes_max(path, 77), bytes_max, "{path}");
    }
}

#[test]
fn the_openapi_document_is_made_once() {
    assert!(std::ptr::eq(openapi(), openapi()));
}

/// A request moves from one owner to the next a few times: what it may grow to is copied with it.
#[test]
fn a_request_under_way_is_small() {
    let folder = tempfile::tempdir().unwrap();
    let key = MasterKey::load_or_create(&folder.path().join("key"), false).unwrap();
    let key = Arc::new(key);
    let store = Arc::new(Store::memory(Clock::new(clock::steady)));
    let config = Config::default();
    let service = Service {
        verifier: Arc::new(Verifier::new(
            Arc::clone(&store),
            Arc::clone(&key),
            Throttle::new(1),
        )),
        store,
        zenlayer: config.zenlayer(),
        modelarts: config.modelarts(),
        refusals: Arc::new(Refusals::default()),
        webhooks: Webhooks::new(&webhooks::Settings::default(), key).unwrap(),
        inventory_bytes_max: 0,
        reconciles: Mutex::default(),
        retention_ms: 0,
        streams: live::Streams::new(watch::Sender::new(false).subscribe()),
    };
    let request = Request {
        method: "GET",
        path: "/",
        query: None,
        headers: &[],
        body: &[],
    };
    let bytes = size_of_val(&service.handle(&request));
    assert!(bytes <= 4 << 10, "{bytes} bytes");
}
