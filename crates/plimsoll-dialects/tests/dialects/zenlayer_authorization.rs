//! The forms that `Authorization` may have in a Zenlayer request.

use expect_test::{Expect, expect};

use crate::zenlayer_auth::{NOW_S, outcome, unsigned};

fn answer(authorization: impl AsRef<[u8]>) -> String {
    outcome(
        &unsigned().and("authorization", authorization),
        "K",
        "secret",
        NOW_S,
    )
}

/// Checks each of `texts`, put for `{}` into `form`. `<S>` is 64 hexadecimal digits, `<S-1>` 63.
fn check(form: &str, texts: &[&str], expected: Expect) {
    let signature = "a".repeat(64);
    let rows = texts.iter().map(|text| {
        let authorization = form
            .replace("{}", text)
            .replace("<S-1>", &signature[1..])
            .replace("<S>", &signature);
        format!("{text}: {}\n", answer(authorization))
    });
    expected.assert_eq(&rows.collect::<String>());
}

#[test]
fn the_scheme_is_the_vendors_or_bearer() {
    check(
        "{}",
        &[
            "",
            " ",
            "Bearer",
            "Bearer ",
            "Bearer token",
            "bearer token",
            "Bearer to ken",
            "Bearer  token",
            "Bearer t\u{f6}ken",
            "Basic dTpw",
            "ZC2-HMAC-SHA256",
            "ZC2-HMAC-SHA256 ",
            "ZC2-HMAC-SHA256 Credential=K, SignedHeaders=content-type;host, Signature=<S>",
            "zc2-hmac-sha256 Credential=K, SignedHeaders=content-type;host, Signature=<S>",
            "ZC2-HMAC-SHA512 Credential=K, SignedHeaders=content-type;host, Signature=<S>",
            "TC3-HMAC-SHA256 Credential=K, SignedHeaders=content-type;host, Signature=<S>",
            " Credential=K, SignedHeaders=content-type;host, Signature=<S>",
        ],
        expect![[r#"
            : InvalidAuthorization
             : InvalidAuthorization
            Bearer: InvalidAuthorization
            Bearer : InvalidAuthorization
            Bearer token: bearer token
            bearer token: bearer token
            Bearer to ken: InvalidAuthorization
            Bearer  token: InvalidAuthorization
            Bearer töken: InvalidAuthorization
            Basic dTpw: InvalidAuthorization
            ZC2-HMAC-SHA256: InvalidAuthorization
            ZC2-HMAC-SHA256 : InvalidAuthorization
            ZC2-HMAC-SHA256 Credential=K, SignedHeaders=content-type;host, Signature=<S>: SignatureFailure
            zc2-hmac-sha256 Credential=K, SignedHeaders=content-type;host, Signature=<S>: InvalidAuthorization
            ZC2-HMAC-SHA512 Credential=K, SignedHeaders=content-type;host, Signature=<S>: InvalidAuthorization
            TC3-HMAC-SHA256 Credential=K, SignedHeaders=content-type;host, Signature=<S>: InvalidAuthorization
             Credential=K, SignedHeaders=content-type;host, Signature=<S>: InvalidAuthorization
        "#]],
    );
}

#[test]
fn parameters_stand_in_one_order() {
    check(
        "ZC2-HMAC-SHA256 {}",
        &[
            "Credential=K, SignedHeaders=content-type;host, Signature=<S>",
            "Credential=K,SignedHeaders=content-type;host,Signature=<S>",
            "Credential=K,  SignedHeaders=content-type;host, Signature=<S>",
            " Credential=K, SignedHeaders=content-type;host, Signature=<S>",
            "Credential=K,\tSignedHeaders=content-type;host, Signature=<S>",
            "Credential=K; SignedHeaders=content-type;host; Signature=<S>",
            "credential=K, SignedHeaders=content-type;host, Signature=<S>",
            "Access=K, SignedHeaders=content-type;host, Signature=<S>",
            "SignedHeaders=content-type;host, Credential=K, Signature=<S>",
            "Credential=K, Signature=<S>, SignedHeaders=content-type;host",
            "Credential=K, Signature=<S>",
            "Credential=K, SignedHeaders=content-type;host",
            "Credential=K, SignedHeaders=content-type;host, Signature=<S>, More=1",
        ],
        expect![[r#"
            Credential=K, SignedHeaders=content-type;host, Signature=<S>: SignatureFailure
            Credential=K,SignedHeaders=content-type;host,Signature=<S>: SignatureFailure
            Credential=K,  SignedHeaders=content-type;host, Signature=<S>: InvalidAuthorization
             Credential=K, SignedHeaders=content-type;host, Signature=<S>: InvalidAuthorization
            Credential=K,	SignedHeaders=content-type;host, Signature=<S>: InvalidAuthorization
            Credential=K; SignedHeaders=content-type;host; Signature=<S>: InvalidAuthorization
            credential=K, SignedHeaders=content-type;host, Signature=<S>: InvalidAuthorization
            Access=K, SignedHeaders=content-type;host, Signature=<S>: InvalidAuthorization
            SignedHeaders=content-type;host, Credential=K, Signature=<S>: InvalidAuthorization
            Credential=K, Signature=<S>, SignedHeaders=content-type;host: InvalidAuthorization
            Credential=K, Signature=<S>: InvalidAuthorization
            Credential=K, SignedHeaders=content-type;host: InvalidAuthorization
            Credential=K, SignedHeaders=content-type;host, Signature=<S>, More=1: InvalidAuthorization
        "#]],
    );
}

#[test]
fn the_access_key_id_is_visible_text() {
    check(
        "ZC2-HMAC-SHA256 Credential={}, SignedHeaders=content-type;host, Signature=<S>",
        &["", "K", "K K", "K,", "\u{212a}", "K/2025/vm", "=", "a=b"],
        expect![[r#"
            : InvalidAuthorization
            K: SignatureFailure
            K K: InvalidAuthorization
            K,: InvalidAuthorization
            K: InvalidAuthorization
            K/2025/vm: other access key
            =: other access key
            a=b: other access key
        "#]],
    );
}

#[test]
fn the_signed_headers_are_sorted_names() {
    check(
        "ZC2-HMAC-SHA256 Credential=K, SignedHeaders={}, Signature=<S>",
        &[
            "",
            "content-type;host",
            "content-type;host;x",
            "a;content-type;host",
            ";content-type;host",
            "content-type;;host",
            "content-type;host;",
            "content-type;Host",
            "content-type; host",
            "content-type host",
            "host;content-type",
            "content-type;host;host",
            "content-type;host;\u{212a}",
            "content-type",
            "host",
        ],
        expect![[r#"
            : InvalidAuthorization
            content-type;host: SignatureFailure
            content-type;host;x: SignedHeaderMissing
            a;content-type;host: SignedHeaderMissing
            ;content-type;host: InvalidAuthorization
            content-type;;host: InvalidAuthorization
            content-type;host;: InvalidAuthorization
            content-type;Host: InvalidAuthorization
            content-type; host: InvalidAuthorization
            content-type host: InvalidAuthorization
            host;content-type: InvalidAuthorization
            content-type;host;host: InvalidAuthorization
            content-type;host;K: InvalidAuthorization
            content-type: HostNotSigned
            host: ContentTypeNotSigned
        "#]],
    );
}

#[test]
fn the_signature_is_64_hexadecimal_digits() {
    check(
        "ZC2-HMAC-SHA256 Credential=K, SignedHeaders=content-type;host, Signature={}",
        &[
            "",
            "a",
            "<S-1>",
            "<S>",
            "<S>a",
            "<S><S>",
            "<S-1>g",
            "<S-1>A",
            "<S-1> ",
            "<S>,",
            "<S> ",
            "<S-1>\u{e9}",
        ],
        expect![[r#"
            : InvalidAuthorization
            a: InvalidAuthorization
            <S-1>: InvalidAuthorization
            <S>: SignatureFailure
            <S>a: InvalidAuthorization
            <S><S>: InvalidAuthorization
            <S-1>g: InvalidAuthorization
            <S-1>A: SignatureFailure
            <S-1> : InvalidAuthorization
            <S>,: InvalidAuthorization
            <S> : InvalidAuthorization
            <S-1>é: InvalidAuthorization
        "#]],
    );
}

#[test]
fn authorization_may_be_missing_or_binary() {
    assert_eq!(
        outcome(&unsigned(), "K", "secret", NOW_S),
        "AuthorizationMissing"
    );
    assert_eq!(answer(b"\xff\xfe"), "InvalidAuthorization");
    assert_eq!(answer(b"Bearer t\xf6ken"), "InvalidAuthorization");
}

#[test]
fn every_part_has_its_bound() {
    let signed = |id: &str, list: &str| {
        let signature = "a".repeat(64);
        answer(format!(
            "ZC2-HMAC-SHA256 Credential={id}, SignedHeaders={list}, Signature={signature}"
        ))
    };
    let list = |names: usize| {
        let more: String = (2..names).map(|name| format!(";x-{name:02}")).collect();
        format!("content-type;host{more}")
    };
    assert_eq!(signed(&"K".repeat(128), &list(2)), "other access key");
    assert_eq!(signed(&"K".repeat(129), &list(2)), "InvalidAuthorization");
    assert_eq!(signed("K", &list(64)), "SignedHeaderMissing");
    assert_eq!(signed("K", &list(65)), "InvalidAuthorization");

    let bearer = |length| answer(format!("Bearer {}", "t".repeat(length)));
    assert_eq!(bearer(4096), format!("bearer {}", "t".repeat(4096)));
    assert_eq!(bearer(4097), "InvalidAuthorization");
}
