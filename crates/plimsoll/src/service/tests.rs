//! Which surface a path belongs to.

use super::{
    BATCH_BODY_BYTES_MAX, BODY_BYTES_MAX, SMALL_BODY_BYTES_MAX, Surface, body_bytes_max, openapi,
};

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
