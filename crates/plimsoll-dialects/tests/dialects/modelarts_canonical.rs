//! What a ModelArts signature covers: path, query and body, and the spellings that are the same.

use crate::modelarts_auth::{Canonical, now, signed, unsigned};
use crate::signer::sha256_hex;
use crate::wire::Wire;

const HEADERS: &str = "x-sdk-date:20251119T080000Z\n";
const LIST: &str = "x-sdk-date";

/// A request to `target`, signed over a canonical path and query as they are given.
fn sent(target: &str, path: &str, query: &str) -> String {
    let payload = &sha256_hex("{}");
    now(&signed(
        unsigned(target),
        Canonical {
            path,
            query,
            headers: HEADERS,
            list: LIST,
            payload,
        },
    ))
}

#[test]
fn paths_are_decoded_and_encoded_segment_by_segment() {
    for (path, canonical) in [
        ("/", "/"),
        ("", "/"),
        ("/v1/p/quotas", "/v1/p/quotas/"),
        ("/v1/p/quotas/", "/v1/p/quotas/"),
        ("//v1//quotas", "//v1//quotas/"),
        ("/v1/./p/../quotas", "/v1/./p/../quotas/"),
        ("/-_.~aZ9", "/-_.~aZ9/"),
        ("/%7E%41%2d", "/~A-/"),
        ("/a%2Fb", "/a/b/"),
        ("/a%2F", "/a/"),
        ("/a+b", "/a%2Bb/"),
        ("/a%20b", "/a%20b/"),
        ("/a%2520b", "/a%2520b/"),
        (
            "/a:b@c!$&'()*,;=",
            "/a%3Ab%40c%21%24%26%27%28%29%2A%2C%3B%3D/",
        ),
        ("/%e9%95%9c", "/%E9%95%9C/"),
        ("/%ff", "/%FF/"),
        ("/100%", "/100%25/"),
        ("/%zz%4", "/%25zz%254/"),
        ("/%%41", "/%25A/"),
    ] {
        assert_eq!(sent(path, canonical, ""), "accepted", "{path}");
        assert_eq!(
            sent(path, &format!("{canonical}/"), ""),
            "SignatureFailure",
            "{path}"
        );
    }
    for (path, canonical) in [
        ("/v1/p/quotas", "/v1/p/quotas"),
        ("/a+b", "/a%20b/"),
        ("/a%2Fb", "/a%2Fb/"),
        ("/a%2520b", "/a%20b/"),
        ("/%e9", "/%e9/"),
        ("/v1/../quotas", "/quotas/"),
        ("/A", "/a/"),
    ] {
        assert_eq!(sent(path, canonical, ""), "SignatureFailure", "{path}");
    }
}

#[test]
fn queries_are_decoded_sorted_and_encoded() {
    for (query, canonical) in [
        ("?", ""),
        ("?a=1", "a=1"),
        ("?a", "a="),
        ("?a=", "a="),
        ("?=a", "=a"),
        ("?b=2&a=1", "a=1&b=2"),
        ("?a=2&a=1&a=10", "a=1&a=10&a=2"),
        ("?a=b=c", "a=b%3Dc"),
        ("?a+b=c+d", "a%20b=c%20d"),
        ("?a=%2B", "a=%2B"),
        ("?a=*~-_.", "a=%2A~-_."),
        ("?a=%7e", "a=~"),
        ("?a=/?:@", "a=%2F%3F%3A%40"),
        ("?a=%26b%3d1", "a=%26b%3D1"),
        ("?a=1&&b=2&", "a=1&b=2"),
        // Sorted as decoded: `!` stands before `-`, though `%21` would not.
        ("?a-=1&a%21=2", "a%21=2&a-=1"),
        ("?labelSelector=x&A=1&a=2", "A=1&a=2&labelSelector=x"),
        ("?a=%zz%", "a=%25zz%25"),
    ] {
        assert_eq!(
            sent(&format!("/v1{query}"), "/v1/", canonical),
            "accepted",
            "{query}"
        );
        let longer = format!("{canonical}&z=1");
        assert_eq!(
            sent(&format!("/v1{query}"), "/v1/", &longer),
            "SignatureFailure",
            "{query}"
        );
    }
    for (query, canonical) in [
        ("?b=2&a=1", "b=2&a=1"),
        ("?a", "a"),
        ("?a=1&a=1", "a=1"),
        ("?A=1", "a=1"),
        ("?a=%26b%3d1", "a=&b=1"),
        ("", "a=1"),
        ("?a=1", ""),
    ] {
        assert_eq!(
            sent(&format!("/v1{query}"), "/v1/", canonical),
            "SignatureFailure",
            "{query}"
        );
    }
}

/// How a body can be signed: who put what into `X-Sdk-Content-Sha256`, and was it signed.
#[derive(Clone, Copy, PartialEq)]
enum Listed {
    Yes,
    No,
}

fn with_payload(header: Option<&str>, listed: Listed, body: &str, payload: &str) -> Wire {
    let wire = unsigned("/v1").with_body(body);
    let wire = match header {
        Some(value) => wire.and("x-sdk-content-sha256", value),
        None => wire,
    };
    let (headers, list) = match (header, listed) {
        (Some(value), Listed::Yes) => (
            format!("x-sdk-content-sha256:{value}\n{HEADERS}"),
            "x-sdk-content-sha256;x-sdk-date",
        ),
        (_, _) => (HEADERS.to_owned(), LIST),
    };
    signed(
        wire,
        Canonical {
            path: "/v1/",
            query: "",
            headers: &headers,
            list,
            payload,
        },
    )
}

#[test]
fn a_body_is_signed_by_its_digest_or_openly_left_out() {
    let (digest, empty) = (&*sha256_hex("{}"), &*sha256_hex(""));
    let capitals = &*digest.to_uppercase();
    let left_out = "UNSIGNED-PAYLOAD";
    for (header, listed, body, payload, expected) in [
        (None, Listed::No, "{}", digest, "accepted"),
        (None, Listed::No, "{}", empty, "SignatureFailure"),
        (None, Listed::No, "{}", left_out, "SignatureFailure"),
        (None, Listed::No, "{}", capitals, "SignatureFailure"),
        (None, Listed::No, "", empty, "accepted"),
        (None, Listed::No, "", left_out, "SignatureFailure"),
        (Some(left_out), Listed::Yes, "{}", left_out, "accepted"),
        // A signer that signs the body all the same has signed more, not less.
        (Some(left_out), Listed::Yes, "{}", digest, "accepted"),
        (Some(left_out), Listed::Yes, "{}", empty, "SignatureFailure"),
        (Some(left_out), Listed::Yes, "", empty, "accepted"),
        (Some(left_out), Listed::Yes, "", left_out, "accepted"),
        (
            Some(left_out),
            Listed::No,
            "{}",
            left_out,
            "PayloadNotSigned",
        ),
        (Some(left_out), Listed::No, "{}", digest, "PayloadNotSigned"),
        (Some(left_out), Listed::No, "", empty, "accepted"),
        (Some(left_out), Listed::No, "", left_out, "SignatureFailure"),
        (
            Some("unsigned-payload"),
            Listed::Yes,
            "{}",
            "unsigned-payload",
            "PayloadMismatch",
        ),
        (Some(digest), Listed::Yes, "{}", digest, "accepted"),
        (Some(capitals), Listed::Yes, "{}", capitals, "accepted"),
        (Some(capitals), Listed::Yes, "{}", digest, "accepted"),
        (Some(digest), Listed::No, "{}", digest, "accepted"),
        (Some(digest), Listed::Yes, "{ }", digest, "PayloadMismatch"),
        (Some(digest), Listed::No, "{ }", digest, "PayloadMismatch"),
        (Some(digest), Listed::Yes, "", digest, "PayloadMismatch"),
        (Some(digest), Listed::Yes, "", empty, "PayloadMismatch"),
        (Some(empty), Listed::Yes, "", empty, "accepted"),
        (Some(empty), Listed::Yes, "{}", empty, "PayloadMismatch"),
        (Some(""), Listed::Yes, "{}", "", "PayloadMismatch"),
        (Some(""), Listed::Yes, "", "", "PayloadMismatch"),
        (
            Some("STREAMING"),
            Listed::Yes,
            "{}",
            "STREAMING",
            "PayloadMismatch",
        ),
    ] {
        let answer = now(&with_payload(header, listed, body, payload));
        assert_eq!(answer, expected, "{header:?} {body:?} {payload}");
    }
}

/// What someone who saw a request, and has no key, can do with `X-Sdk-Content-Sha256`.
#[test]
fn nobody_can_swap_a_signed_body() {
    let digest = sha256_hex("{}");
    let seen = with_payload(None, Listed::No, "{}", &digest);
    for added in [
        "UNSIGNED-PAYLOAD",
        &digest,
        &sha256_hex("{\"a\":1}"),
        &sha256_hex(""),
        "",
    ] {
        for body in ["{\"a\":1}", "", "{} "] {
            let forged = seen
                .clone()
                .with_body(body)
                .and("x-sdk-content-sha256", added);
            assert_ne!(now(&forged), "accepted", "{added} {body}");
        }
    }
    // Python signs no bytes where the header leaves out a body that is not there.
    let seen = with_payload(Some("UNSIGNED-PAYLOAD"), Listed::Yes, "", &sha256_hex(""));
    assert_eq!(now(&seen), "accepted");
    assert_eq!(now(&seen.with_body("{}")), "SignatureFailure");
}

#[test]
fn the_method_is_signed_as_sent() {
    let mut wire = with_payload(None, Listed::No, "{}", &sha256_hex("{}"));
    assert_eq!(now(&wire), "accepted");
    for method in ["post", "Post", "PUT", "GET", "", "POST "] {
        method.clone_into(&mut wire.method);
        assert_eq!(now(&wire), "SignatureFailure", "{method}");
    }
}
