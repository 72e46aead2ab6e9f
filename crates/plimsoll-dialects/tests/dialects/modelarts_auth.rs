//! Who sent a ModelArts request.

use expect_test::{Expect, expect};
use plimsoll_dialects::modelarts::auth::{AuthDenial, Claim, claim};
use plimsoll_dialects::sign::SigningKey;

use crate::signer::{self, sha256_hex};
use crate::vectors;
use crate::wire::Wire;

pub(crate) const ACCESS_KEY: &str = "QTWAOYTTINDUT2QVKYUC";
pub(crate) const SECRET: &str = "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc";
const DATE: &str = "20251119T080000Z";
pub(crate) const NOW_S: i64 = 1_763_539_200;

/// The answer to `wire` where only `access_key` is known, and its secret is `secret`.
pub(crate) fn outcome(wire: &Wire, access_key: &str, secret: &str, now_s: i64) -> String {
    wire.read(|request| match claim(request) {
        Err(denial) => format!("{denial:?}"),
        Ok(Claim::Token(token)) => format!("token {token}"),
        Ok(Claim::Signed(claim)) if claim.access_key() != access_key => {
            "other access key".to_owned()
        }
        Ok(Claim::Signed(claim)) => {
            match claim.verify(request, &SigningKey::new(secret.as_bytes()), now_s) {
                Ok(()) => "accepted".to_owned(),
                Err(denial) => format!("{denial:?}"),
            }
        }
    })
}

pub(crate) fn now(wire: &Wire) -> String {
    outcome(wire, ACCESS_KEY, SECRET, NOW_S)
}

pub(crate) fn check(wire: &Wire, expected: Expect) {
    expected.assert_eq(&now(wire));
}

/// A request with what every signed request has, but no `Authorization`.
pub(crate) fn unsigned(target: &str) -> Wire {
    Wire::parse(&format!(
        "POST {target} HTTP/1.1\r\nHost: localhost:80\r\nX-Sdk-Date: {DATE}\r\n\r\n{{}}"
    ))
}

/// What goes into a canonical request, each part as the signer wrote it.
#[derive(Clone, Copy)]
pub(crate) struct Canonical<'a> {
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a str,
    pub(crate) list: &'a str,
    pub(crate) payload: &'a str,
}

/// Signs `wire` with the canonical request that `parts` make.
pub(crate) fn signed(wire: Wire, parts: Canonical<'_>) -> Wire {
    let Canonical {
        path,
        query,
        headers,
        list,
        payload,
    } = parts;
    let date = String::from_utf8(wire.clone().header("x-sdk-date").clone()).unwrap();
    let canonical = format!(
        "{}\n{path}\n{query}\n{headers}\n{list}\n{payload}",
        wire.method
    );
    let signature = signer::signature(SECRET, "SDK-HMAC-SHA256", &date, canonical);
    wire.and(
        "authorization",
        format!("SDK-HMAC-SHA256 Access={ACCESS_KEY}, SignedHeaders={list}, Signature={signature}"),
    )
}

/// Signs a request to `/v1/p/quotas` over `headers` and `list` as they are given.
fn signed_headers(wire: Wire, headers: &str, list: &str) -> Wire {
    let payload = sha256_hex(&wire.body);
    signed(
        wire,
        Canonical {
            path: "/v1/p/quotas/",
            query: "",
            headers,
            list,
            payload: &payload,
        },
    )
}

pub(crate) fn signed_date(wire: Wire) -> Wire {
    let date = String::from_utf8(wire.clone().header("x-sdk-date").clone()).unwrap();
    signed_headers(wire, &format!("x-sdk-date:{date}\n"), "x-sdk-date")
}

pub(crate) fn quotas() -> Wire {
    unsigned("/v1/p/quotas")
}

#[test]
fn every_vector_gets_its_answer_at_its_own_time() {
    let answers = vectors::modelarts().into_iter().map(|vector| {
        let wire = Wire::parse(&vector.raw_request);
        let answer = outcome(
            &wire,
            &vector.access_key,
            &vector.secret_key,
            vector.signed_at_s,
        );
        format!("{}: {answer}\n", vector.name)
    });
    expect![[r#"
        show_os_quota: accepted
        show_os_quota_custom_ua: accepted
        create_network: accepted
        delete_network: accepted
        create_pool: accepted
        patch_pool: accepted
        show_os_quota_security_token: accepted
        show_os_quota_v11_derived: AlgorithmUnsupported
        create_network_v11_derived: AlgorithmUnsupported
        patch_network_merge_patch: accepted
        header_with_underscore_unsigned: accepted
        iam_keystone_list_projects: accepted
        official_doc_example: accepted
        go_sdk_test1: accepted
        go_sdk_test2: accepted
        list_networks_reserved: accepted
        show_network_odd_name: accepted
        create_network_utf8: accepted
        patch_network_merge_patch_empty: accepted
        show_os_quota_domain_and_token: accepted
        show_os_quota_sm3: AlgorithmUnsupported
        show_os_quota_p256: AlgorithmUnsupported
        show_os_quota_sm2: AlgorithmUnsupported
    "#]]
    .assert_eq(&answers.collect::<String>());
}

/// The worked example of Huawei Cloud's API Request Signing Guide.
#[test]
fn the_documented_example_is_accepted() {
    let wire = Wire::parse(
        "GET /v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0 HTTP/1.1\r\n\
         Content-Type: application/json\r\nHost: service.region.example.com\r\n\
         X-Sdk-Date: 20191115T033655Z\r\n\
         Authorization: SDK-HMAC-SHA256 Access=QTWAOYTTINDUT2QVKYUC, \
         SignedHeaders=content-type;host;x-sdk-date, \
         Signature=7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe\r\n\r\n",
    );
    let answer = |access_key, secret| outcome(&wire, access_key, secret, 1_573_789_015);
    assert_eq!(answer(ACCESS_KEY, SECRET), "accepted");
    assert_eq!(
        answer(ACCESS_KEY, "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHC"),
        "SignatureFailure"
    );
    assert_eq!(answer("another", SECRET), "other access key");
}

#[test]
fn callers_choose_what_they_sign_beside_the_date() {
    let wire = quotas()
        .and("x-project-id", "p")
        .and("x_under", "u")
        .and("x-twice", "b");
    let wire = wire.and("x-twice", "a").and("x-note", b"caf\xe9");
    let date = &*format!("x-sdk-date:{DATE}\n");
    let check = |headers: String, list: &str, expected: Expect| {
        check(&signed_headers(wire.clone(), &headers, list), expected);
    };
    check(date.to_owned(), "x-sdk-date", expect!["accepted"]);
    check(
        format!("host:localhost:80\n{date}"),
        "host;x-sdk-date",
        expect!["accepted"],
    );
    check(
        format!("{date}x_under:u\n"),
        "x-sdk-date;x_under",
        expect!["accepted"],
    );
    check(
        "host:localhost:80\n".into(),
        "host",
        expect!["DateNotSigned"],
    );
    // The list is taken in the order it has; the guide tells signers to sort it.
    check(
        format!("{date}host:localhost:80\n"),
        "x-sdk-date;host",
        expect!["accepted"],
    );
    // One line per value, sorted, as Go's signer writes them; any other way is another request.
    check(
        format!("{date}x-twice:a\nx-twice:b\n"),
        "x-sdk-date;x-twice",
        expect!["accepted"],
    );
    check(
        format!("{date}x-twice:b\nx-twice:a\n"),
        "x-sdk-date;x-twice",
        expect!["SignatureFailure"],
    );
    check(
        format!("{date}x-twice:b,a\n"),
        "x-sdk-date;x-twice",
        expect!["SignatureFailure"],
    );
    check(
        format!("{date}x-twice:a\n"),
        "x-sdk-date;x-twice",
        expect!["SignatureFailure"],
    );
    check(
        format!("{date}x-none:\n"),
        "x-sdk-date;x-none",
        expect!["SignedHeaderMissing"],
    );
    check(
        date.to_owned(),
        "x-sdk-date;x-none",
        expect!["SignedHeaderMissing"],
    );
    check(
        format!("{date}{date}"),
        "x-sdk-date;x-sdk-date",
        expect!["AuthorizationMalformed"],
    );
    check(
        date.to_owned(),
        "X-Sdk-Date",
        expect!["AuthorizationMalformed"],
    );
}

/// Header values are bytes: what is no UTF-8 is signed as it was sent.
#[test]
fn header_values_are_signed_as_bytes() {
    let canonical = [
        b"POST\n/v1/p/quotas/\n\nx-note:caf\xe9\nx-sdk-date:20251119T080000Z\n\n".as_slice(),
        b"x-note;x-sdk-date\n",
        sha256_hex("{}").as_bytes(),
    ]
    .concat();
    let signature = signer::signature(SECRET, "SDK-HMAC-SHA256", DATE, canonical);
    let wire = quotas().and("x-note", b"caf\xe9").and(
        "authorization",
        format!(
            "SDK-HMAC-SHA256 Access={ACCESS_KEY}, SignedHeaders=x-note;x-sdk-date, Signature={signature}"
        ),
    );
    assert_eq!(now(&wire), "accepted");
    assert_eq!(now(&wire.with("x-note", "café")), "SignatureFailure");
}

#[test]
fn a_header_that_counts_is_sent_once() {
    let wire = signed_date(quotas());
    let same = wire.clone().header("authorization").clone();
    check(
        &wire.clone().and("authorization", same),
        expect!["HeaderRepeated"],
    );
    check(
        &wire.clone().and("x-sdk-date", DATE),
        expect!["HeaderRepeated"],
    );
    check(
        &wire.clone().and("host", "localhost:80"),
        expect!["HeaderRepeated"],
    );
    let digest = sha256_hex("{}");
    let digest = wire
        .clone()
        .and("x-sdk-content-sha256", &digest)
        .and("x-sdk-content-sha256", &digest);
    check(&digest, expect!["HeaderRepeated"]);
    check(
        &wire
            .clone()
            .and("x-security-token", "t")
            .and("x-security-token", "t"),
        expect!["HeaderRepeated"],
    );
    check(
        &quotas().and("x-auth-token", "t").and("x-auth-token", "t"),
        expect!["HeaderRepeated"],
    );
    check(
        &wire
            .clone()
            .and("x-project-id", "p")
            .and("x-project-id", "q"),
        expect!["accepted"],
    );
    check(
        &wire.and("x-auth-token", "t").and("x-auth-token", "t"),
        expect!["accepted"],
    );
}

#[test]
fn tokens_come_alone_or_with_a_signature() {
    check(&quotas(), expect!["CredentialsMissing"]);
    check(
        &quotas().and("x-auth-token", "token-1"),
        expect!["token token-1"],
    );
    check(&quotas().and("x-auth-token", ""), expect!["TokenMalformed"]);
    check(
        &quotas().and("x-auth-token", "to ken"),
        expect!["TokenMalformed"],
    );
    check(
        &quotas().and("x-auth-token", b"tok\xff"),
        expect!["TokenMalformed"],
    );
    let tokens = [4096, 4097].map(|length| now(&quotas().and("x-auth-token", "t".repeat(length))));
    assert_eq!(
        tokens,
        [
            format!("token {}", "t".repeat(4096)),
            "TokenMalformed".to_owned()
        ]
    );

    // `Authorization` wins, even where it is wrong and the token might be right.
    let wire = signed_date(quotas());
    check(
        &wire.clone().and("x-auth-token", "token-1"),
        expect!["accepted"],
    );
    check(
        &wire.clone().with_body("{ }").and("x-auth-token", "token-1"),
        expect!["SignatureFailure"],
    );
    check(
        &quotas()
            .and("authorization", "")
            .and("x-auth-token", "token-1"),
        expect!["AuthorizationMalformed"],
    );

    check(
        &wire.clone().and("x-security-token", "t"),
        expect!["SecurityTokenNotSigned"],
    );
    check(
        &wire.clone().and("x-security-token", b"\xff"),
        expect!["TokenMalformed"],
    );
    let headers = format!("x-sdk-date:{DATE}\nx-security-token:t\n");
    let list = "x-sdk-date;x-security-token";
    let temporary = signed_headers(quotas().and("x-security-token", "t"), &headers, list);
    check(&temporary, expect!["accepted"]);
    check(
        &temporary.clone().with("x-security-token", "u"),
        expect!["SignatureFailure"],
    );
    check(
        &temporary.clone().without("x-security-token"),
        expect!["SignedHeaderMissing"],
    );
    let token = |wire: &Wire| {
        wire.read(|request| match claim(request) {
            Ok(Claim::Signed(claim)) => claim.security_token().map(str::to_owned),
            Ok(Claim::Token(_)) | Err(_) => panic!("not signed"),
        })
    };
    assert_eq!(token(&temporary).as_deref(), Some("t"));
    assert_eq!(token(&wire), None);
}

/// Requests with one more fault each: the denial is always that of the first in the enum.
#[test]
fn denials_stand_in_order_of_precedence() {
    use AuthDenial::*;
    let text = |algorithm: &str, access_key: &str, list: &str| {
        let signature = "a".repeat(64);
        format!("{algorithm} Access={access_key}, SignedHeaders={list}, Signature={signature}")
    };
    let good = text("SDK-HMAC-SHA256", ACCESS_KEY, "x-sdk-date;x-security-token");
    let gone = text(
        "SDK-HMAC-SHA256",
        ACCESS_KEY,
        "x-gone;x-sdk-date;x-security-token",
    );
    let bare = text("SDK-HMAC-SHA256", ACCESS_KEY, "x-sdk-date");
    let host = text("SDK-HMAC-SHA256", ACCESS_KEY, "host");
    let none = text("SDK-HMAC-SHA256", "", "host");
    let other = text("SDK-HMAC-SM3", ACCESS_KEY, "host");
    let wire = quotas().and("x-security-token", "t");
    let unpaid = wire.clone().and("x-sdk-content-sha256", "UNSIGNED-PAYLOAD");
    let wrong = wire.clone().and("x-sdk-content-sha256", sha256_hex("x"));
    let old = unpaid.clone().with("x-sdk-date", "20251119T070000Z");
    let odd = old.clone().with("x-sdk-date", "today");
    let dateless = old.clone().without("x-sdk-date");
    let garbled = dateless.clone().with("x-security-token", "t t");
    let twice = garbled.clone().and("x-security-token", "t");
    for (wire, authorization, denial) in [
        (&wire, &good, SignatureFailure),
        (&wire, &gone, SignedHeaderMissing),
        (&wrong, &gone, PayloadMismatch),
        (&unpaid, &gone, PayloadNotSigned),
        (&old, &gone, SignatureExpired),
        (&old, &bare, SecurityTokenNotSigned),
        (&odd, &bare, DateMalformed),
        (&dateless, &bare, DateMissing),
        (&dateless, &host, DateNotSigned),
        (&dateless, &none, AuthorizationMalformed),
        (&dateless, &other, AlgorithmUnsupported),
        (&garbled, &other, TokenMalformed),
        (&twice, &other, HeaderRepeated),
    ] {
        let answer = now(&wire.clone().and("authorization", authorization));
        assert_eq!(answer, format!("{denial:?}"));
    }
    assert_eq!(now(&quotas()), format!("{CredentialsMissing:?}"));
}
