//! The request line of the current head, however the bytes come.

use super::*;

/// Requests with the lengths of their bodies, then a head that nobody takes.
const STREAM: &[(&str, Option<u64>)] = &[
    ("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n", Some(0)),
    (
        "\r\nPOST /api/v2/vm?x=/v1 HTTP/1.1\r\nContent-LENGTH: 24\r\n\r\n\
         GET /v3 HTTP/1.1\r\n\r\n\r\n\r\n",
        Some(24),
    ),
    (
        "GET http://h:1/v1/p/quotas?x HTTP/1.1\nhost: x\n\n",
        Some(0),
    ),
];

/// The paths seen while the stream comes in pieces of `size`, each head handed over as soon as it
/// has come.
fn paths(size: usize) -> Vec<String> {
    let mut trace = Trace::default();
    let mut paths = Vec::new();
    let mut bodies = STREAM.iter().map(|(_, body)| *body);
    let bytes: String = STREAM.iter().map(|(text, _)| *text).collect();
    let bytes = bytes + "BAD /v2/\u{ff}/x\r\nbroken";
    for piece in bytes.as_bytes().chunks(size) {
        trace.received(piece);
        while trace.place == Place::BehindHead {
            paths.push(trace.path());
            trace.handed_over(bodies.next().unwrap());
        }
    }
    assert!(trace.is_in_head());
    paths.push(trace.path());
    paths
}

#[test]
fn the_path_is_that_of_the_current_head() {
    for size in 1..200 {
        assert_eq!(
            paths(size),
            ["/healthz", "/api/v2/vm", "/v1/p/quotas", "/v2/\u{ff}/x"],
            "pieces of {size}"
        );
    }
}

#[test]
fn a_path_is_told_from_whatever_has_come() {
    for (bytes, path) in [
        (&b""[..], ""),
        (b"\r\n", ""),
        (b"GET", ""),
        (b"GET /v1", "/v1"),
        (b"GET  /v1", "/v1"),
        (b"GET /v1#/api", "/v1"),
        (b"GET http://h", ""),
        (b"GET /v1/\xff HTTP/1.1\r\n", "/v1/\u{fffd}"),
        (b"\0", ""),
    ] {
        let mut trace = Trace::default();
        trace.received(bytes);
        assert_eq!(trace.path(), path, "{bytes:?}");
        let is_nothing = matches!(bytes, b"" | b"\r\n");
        assert_eq!(trace.is_in_head(), !is_nothing, "{bytes:?}");
    }
    let mut trace = Trace::default();
    for _ in 0..1_000 {
        trace.received(b"GET /v1/xxxxxxxxxxxxxx");
    }
    assert!(trace.path().starts_with("/v1/x"));
    assert!(trace.line.capacity() <= 2 * LINE_BYTES_MAX);
}

#[test]
fn both_lengths_are_seen() {
    let mut trace = Trace::default();
    trace.received(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n");
    assert!(!trace.has_content_length());
    trace.handed_over(None);
    assert!(trace.is_lost());
    let mut trace = Trace::default();
    trace.received(b"POST / HTTP/1.1\r\ncontent-Length:0\r\ntransfer-encoding: chunked\r\n\r\n");
    assert!(trace.has_content_length());
}
