//! The forms that `Authorization` may have in a ModelArts request.

use expect_test::{Expect, expect};

use crate::modelarts_auth::{NOW_S, outcome, quotas};

fn answer(authorization: impl AsRef<[u8]>) -> String {
    outcome(
        &quotas().and("authorization", authorization),
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
fn other_algorithms_are_told_apart() {
    check(
        "{}",
        &[
            "",
            " ",
            "SDK-HMAC-SHA256",
            "SDK-HMAC-SHA256 ",
            "Bearer token",
            "Basic dTpw",
            "V11-HMAC-SHA256 Credential=K/20251119/r/s, SignedHeaders=x-sdk-date, Signature=<S>",
            "SDK-HMAC-SHA256 Access=K, SignedHeaders=x-sdk-date, Signature=<S>",
            "sdk-hmac-sha256 Access=K, SignedHeaders=x-sdk-date, Signature=<S>",
            "SDK-HMAC-SHA512 Access=K, SignedHeaders=x-sdk-date, Signature=<S>",
            "SDK-HMAC-SM3 Access=K, SignedHeaders=x-sdk-date, Signature=<S>",
            "SDK-ECDSA-P256-SHA256 Access=K, SignedHeaders=x-sdk-date, Signature=<S>",
            "SDK-SM2-SM3 Access=K, SignedHeaders=x-sdk-date, Signature=<S>",
        ],
        expect![[r#"
            : AuthorizationMalformed
             : AlgorithmUnsupported
            SDK-HMAC-SHA256: AuthorizationMalformed
            SDK-HMAC-SHA256 : AuthorizationMalformed
            Bearer token: AlgorithmUnsupported
            Basic dTpw: AlgorithmUnsupported
            V11-HMAC-SHA256 Credential=K/20251119/r/s, SignedHeaders=x-sdk-date, Signature=<S>: AlgorithmUnsupported
            SDK-HMAC-SHA256 Access=K, SignedHeaders=x-sdk-date, Signature=<S>: SignatureFailure
            sdk-hmac-sha256 Access=K, SignedHeaders=x-sdk-date, Signature=<S>: AlgorithmUnsupported
            SDK-HMAC-SHA512 Access=K, SignedHeaders=x-sdk-date, Signature=<S>: AlgorithmUnsupported
            SDK-HMAC-SM3 Access=K, SignedHeaders=x-sdk-date, Signature=<S>: AlgorithmUnsupported
            SDK-ECDSA-P256-SHA256 Access=K, SignedHeaders=x-sdk-date, Signature=<S>: AlgorithmUnsupported
            SDK-SM2-SM3 Access=K, SignedHeaders=x-sdk-date, Signature=<S>: AlgorithmUnsupported
        "#]],
    );
}

#[test]
fn parameters_stand_in_one_order() {
    check(
        "SDK-HMAC-SHA256 {}",
        &[
            "Access=K, SignedHeaders=x-sdk-date, Signature=<S>",
            "Access=K,SignedHeaders=x-sdk-date,Signature=<S>",
            " Access=K, SignedHeaders=x-sdk-date, Signature=<S>",
            "Access=K,  SignedHeaders=x-sdk-date, Signature=<S>",
            "Credential=K, SignedHeaders=x-sdk-date, Signature=<S>",
            "SignedHeaders=x-sdk-date, Access=K, Signature=<S>",
            "Access=K, Signature=<S>",
            "Access=K, SignedHeaders=x-sdk-date",
            "Access=K, SignedHeaders=x-sdk-date, Signature=<S>, More=1",
        ],
        expect![[r#"
            Access=K, SignedHeaders=x-sdk-date, Signature=<S>: SignatureFailure
            Access=K,SignedHeaders=x-sdk-date,Signature=<S>: SignatureFailure
             Access=K, SignedHeaders=x-sdk-date, Signature=<S>: AuthorizationMalformed
            Access=K,  SignedHeaders=x-sdk-date, Signature=<S>: AuthorizationMalformed
            Credential=K, SignedHeaders=x-sdk-date, Signature=<S>: AuthorizationMalformed
            SignedHeaders=x-sdk-date, Access=K, Signature=<S>: AuthorizationMalformed
            Access=K, Signature=<S>: AuthorizationMalformed
            Access=K, SignedHeaders=x-sdk-date: AuthorizationMalformed
            Access=K, SignedHeaders=x-sdk-date, Signature=<S>, More=1: AuthorizationMalformed
        "#]],
    );
}

#[test]
fn the_access_key_is_visible_text() {
    check(
        "SDK-HMAC-SHA256 Access={}, SignedHeaders=x-sdk-date, Signature=<S>",
        &["", "K", "K K", "K,", "\u{212a}", "K/2025/vm", "=", "a=b"],
        expect![[r#"
            : AuthorizationMalformed
            K: SignatureFailure
            K K: AuthorizationMalformed
            K,: AuthorizationMalformed
            K: AuthorizationMalformed
            K/2025/vm: other access key
            =: other access key
            a=b: other access key
        "#]],
    );
}

#[test]
fn the_signed_headers_are_names() {
    check(
        "SDK-HMAC-SHA256 Access=K, SignedHeaders={}, Signature=<S>",
        &[
            "",
            "x-sdk-date",
            "host;x-sdk-date",
            "x-sdk-date;host",
            "host",
            ";x-sdk-date",
            "x-sdk-date;",
            "host;;x-sdk-date",
            "host;host;x-sdk-date",
            "host;x-sdk-date;host",
            "X-Sdk-Date",
            "Host;x-sdk-date",
            "host; x-sdk-date",
        ],
        expect![[r#"
            : AuthorizationMalformed
            x-sdk-date: SignatureFailure
            host;x-sdk-date: SignatureFailure
            x-sdk-date;host: SignatureFailure
            host: DateNotSigned
            ;x-sdk-date: AuthorizationMalformed
            x-sdk-date;: AuthorizationMalformed
            host;;x-sdk-date: AuthorizationMalformed
            host;host;x-sdk-date: AuthorizationMalformed
            host;x-sdk-date;host: AuthorizationMalformed
            X-Sdk-Date: AuthorizationMalformed
            Host;x-sdk-date: AuthorizationMalformed
            host; x-sdk-date: AuthorizationMalformed
        "#]],
    );
}

#[test]
fn the_signature_is_64_hexadecimal_digits() {
    check(
        "SDK-HMAC-SHA256 Access=K, SignedHeaders=x-sdk-date, Signature={}",
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
            : AuthorizationMalformed
            a: AuthorizationMalformed
            <S-1>: AuthorizationMalformed
            <S>: SignatureFailure
            <S>a: AuthorizationMalformed
            <S><S>: AuthorizationMalformed
            <S-1>g: AuthorizationMalformed
            <S-1>A: SignatureFailure
            <S-1> : AuthorizationMalformed
            <S>,: AuthorizationMalformed
            <S> : AuthorizationMalformed
            <S-1>é: AuthorizationMalformed
        "#]],
    );
}

#[test]
fn authorization_may_be_binary() {
    assert_eq!(answer(b"\xff\xfe"), "AuthorizationMalformed");
    assert_eq!(
        answer(b"SDK-HMAC-SHA256 Access=\xff"),
        "AuthorizationMalformed"
    );
}

#[test]
fn every_part_has_its_bound() {
    let signed = |access_key: &str, list: &str| {
        let signature = "a".repeat(64);
        answer(format!(
            "SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={list}, Signature={signature}"
        ))
    };
    let list = |names: usize| {
        let more: String = (1..names).map(|name| format!(";x-{name:02}")).collect();
        format!("x-sdk-date{more}")
    };
    assert_eq!(signed(&"K".repeat(128), &list(1)), "other access key");
    assert_eq!(signed(&"K".repeat(129), &list(1)), "AuthorizationMalformed");
    assert_eq!(signed("K", &list(64)), "SignedHeaderMissing");
    assert_eq!(signed("K", &list(65)), "AuthorizationMalformed");
}
