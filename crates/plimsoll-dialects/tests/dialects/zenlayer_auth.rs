//! Who sent a Zenlayer request.

use expect_test::{Expect, expect};
use plimsoll_dialects::sign::SigningKey;
use plimsoll_dialects::zenlayer::auth::{AuthDenial, Claim, claim};

use crate::signer::{self, sha256_hex};
use crate::vectors::{self, Sender};
use crate::wire::Wire;

const ID: &str = "AKTESTID0000000001";
const SECRET: &str = "skTestSecret0000000000000001";
pub(crate) const NOW_S: i64 = 1_763_783_700;

/// The answer to `wire` where only the access key `id` is known, and its secret is `secret`.
pub(crate) fn outcome(wire: &Wire, id: &str, secret: &str, now_s: i64) -> String {
    wire.read(|request| match claim(request) {
        Err(denial) => format!("{denial:?}"),
        Ok(Claim::Bearer(token)) => format!("bearer {token}"),
        Ok(Claim::Signed(claim)) if claim.access_key_id() != id => "other access key".to_owned(),
        Ok(Claim::Signed(claim)) => {
            match claim.verify(request, &SigningKey::new(secret.as_bytes()), now_s) {
                Ok(()) => "accepted".to_owned(),
                Err(denial) => format!("{denial:?}"),
            }
        }
    })
}

fn now(wire: &Wire) -> String {
    outcome(wire, ID, SECRET, NOW_S)
}

/// A request with what every signed request has, but no `Authorization`.
pub(crate) fn unsigned() -> Wire {
    Wire::parse(&format!(
        "POST /api/v2/vm HTTP/1.1\r\nHost: LocalHost:80\r\nContent-Type: application/json\r\n\
         X-Extra: One  Two\r\nX-ZC-Timestamp: {NOW_S}\r\n\r\n{{}}"
    ))
}

/// Signs `wire` as the documentation says, over `headers` and `list` as they are given.
fn signed(wire: Wire, headers: &str, list: &str) -> Wire {
    let method = &wire.method;
    let canonical = format!(
        "{method}\n/\n\n{headers}\n{list}\n{}",
        sha256_hex(&wire.body)
    );
    let timestamp = String::from_utf8(wire.clone().header("x-zc-timestamp").clone()).unwrap();
    let signature = signer::signature(SECRET, "ZC2-HMAC-SHA256", &timestamp, canonical);
    wire.and(
        "authorization",
        format!("ZC2-HMAC-SHA256 Credential={ID}, SignedHeaders={list}, Signature={signature}"),
    )
}

fn signed_as_sent(wire: Wire) -> Wire {
    signed(
        wire,
        "content-type:application/json\nhost:LocalHost:80\n",
        "content-type;host",
    )
}

#[test]
fn every_vector_is_accepted_at_its_own_time() {
    let mut accepted = Vec::new();
    for vector in vectors::zenlayer() {
        let wire = Wire::parse(&vector.raw_request);
        let answer = match &vector.sender {
            Sender::Zc2(zc2) => outcome(
                &wire,
                &zc2.access_key_id,
                &zc2.access_key_password,
                zc2.signed_at_s,
            ),
            Sender::Bearer { token } => outcome(&wire, "", "", 0).replace(token, "<its token>"),
        };
        accepted.push(format!("{}: {answer}\n", vector.name));
    }
    expect![[r#"
        quota_two_zones_2023: accepted
        quota_two_zones_2026: accepted
        quota_no_zoneIds: accepted
        quota_empty_list: accepted
        zones_two: accepted
        create_image: accepted
        bearer_quota: bearer <its token>
        official_doc_example: accepted
    "#]]
    .assert_eq(&accepted.concat());
}

/// The worked example of "Signature" in the Zenlayer API reference.
#[test]
fn the_documented_example_is_accepted() {
    let wire = Wire::parse(
        "POST /api/v2/bmc HTTP/1.1\r\nHost: console.zenlayer.com\r\n\
         Content-Type: application/json; charset=utf-8\r\nX-ZC-Timestamp: 1673361177\r\n\
         Authorization: ZC2-HMAC-SHA256 Credential=0D9UtpyKYcHxms5v, \
         SignedHeaders=content-type;host, \
         Signature=efb356c32e55c781e10dc676da59462c22596d82e91c57803666243379555b2f\r\n\r\n\
         {\"pageSize\":10,\"pageNum\":1,\"zoneId\":\"HKG-A\"}",
    );
    let answer = |id, secret| outcome(&wire, id, secret, 1_673_361_177);
    assert_eq!(
        answer("0D9UtpyKYcHxms5v", "Gu5t9xGARNpq86cd98joQYCN3"),
        "accepted"
    );
    assert_eq!(
        answer("0D9UtpyKYcHxms5v", "Gu5t9xGARNpq86cd98joQYCN4"),
        "SignatureFailure"
    );
    assert_eq!(
        answer("another", "Gu5t9xGARNpq86cd98joQYCN3"),
        "other access key"
    );
}

#[test]
fn a_signature_counts_for_five_minutes_either_way() {
    let wire = signed_as_sent(unsigned());
    let forged = signed_as_sent(unsigned()).with_body("{ }");
    for (offset_s, expected) in [
        (-301, "SignatureExpired"),
        (-300, "accepted"),
        (-1, "accepted"),
        (0, "accepted"),
        (1, "accepted"),
        (300, "accepted"),
        (301, "SignatureExpired"),
    ] {
        assert_eq!(
            outcome(&wire, ID, SECRET, NOW_S + offset_s),
            expected,
            "{offset_s}"
        );
        // Too old comes before forged.
        let expected = expected.replace("accepted", "SignatureFailure");
        assert_eq!(
            outcome(&forged, ID, SECRET, NOW_S + offset_s),
            expected,
            "{offset_s}"
        );
    }
    for now_s in [i64::MIN, -1, 0, i64::MAX] {
        assert_eq!(outcome(&wire, ID, SECRET, now_s), "SignatureExpired");
    }
}

#[test]
fn timestamps_are_plain_digits() {
    let long = format!("{NOW_S:018}");
    let too_long = format!("{NOW_S:019}");
    let rows = [
        "1763783700",
        "01763783700",
        &long,
        &too_long,
        "",
        "0",
        "-1763783700",
        "+1763783700",
        "1763783700.0",
        "1763783700 ",
        "0x6921",
        "1763783700000",
        "999999999999999999",
        "99999999999999999999",
        "１７６３７８３７００",
    ]
    .map(|text| {
        format!(
            "{text}: {}\n",
            now(&signed_as_sent(unsigned().with("x-zc-timestamp", text)))
        )
    });
    let bytes = signed_as_sent(unsigned()).with("x-zc-timestamp", b"176378370\xff");
    let none = signed_as_sent(unsigned()).without("x-zc-timestamp");
    expect![[r#"
        1763783700: accepted
        01763783700: accepted
        000000001763783700: accepted
        0000000001763783700: TimestampMalformed
        : TimestampMalformed
        0: SignatureExpired
        -1763783700: TimestampMalformed
        +1763783700: TimestampMalformed
        1763783700.0: TimestampMalformed
        1763783700 : TimestampMalformed
        0x6921: TimestampMalformed
        1763783700000: SignatureExpired
        999999999999999999: SignatureExpired
        99999999999999999999: TimestampMalformed
        １７６３７８３７００: TimestampMalformed
        \xff: TimestampMalformed
        none: TimestampMissing
    "#]]
    .assert_eq(&format!(
        "{}\\xff: {}\nnone: {}\n",
        rows.concat(),
        now(&bytes),
        now(&none)
    ));
}

#[test]
fn callers_choose_what_they_sign_beside_content_type_and_host() {
    let check = |headers: &str, list: &str, expected: Expect| {
        expected.assert_eq(&now(&signed(unsigned(), headers, list)));
    };
    let (content, host) = ("content-type:application/json\n", "host:LocalHost:80\n");
    check(
        &format!("{content}{host}"),
        "content-type;host",
        expect!["accepted"],
    );
    let all = format!("{content}{host}x-extra:One  Two\nx-zc-timestamp:{NOW_S}\n");
    check(
        &all,
        "content-type;host;x-extra;x-zc-timestamp",
        expect!["accepted"],
    );
    check(host, "host", expect!["ContentTypeNotSigned"]);
    check(content, "content-type", expect!["HostNotSigned"]);
    check(
        "x-extra:One  Two\n",
        "x-extra",
        expect!["ContentTypeNotSigned"],
    );
    check(
        &format!("{host}{content}"),
        "host;content-type",
        expect!["InvalidAuthorization"],
    );
    check(
        &format!("{content}{host}{host}"),
        "content-type;host;host",
        expect!["InvalidAuthorization"],
    );
    check(
        &format!("{content}{host}x-none:\n"),
        "content-type;host;x-none",
        expect!["SignedHeaderMissing"],
    );
    check(
        &format!("{content}{host}"),
        "content-type;host;x-none",
        expect!["SignedHeaderMissing"],
    );
}

#[test]
fn values_are_signed_as_sent_or_in_lower_case() {
    let check = |host: &str, extra: &str, expected: Expect| {
        let headers = format!("content-type:application/json\nhost:{host}\nx-extra:{extra}\n");
        expected.assert_eq(&now(&signed(
            unsigned(),
            &headers,
            "content-type;host;x-extra",
        )));
    };
    check("LocalHost:80", "One  Two", expect!["accepted"]);
    check("localhost:80", "one  two", expect!["accepted"]);
    check("localhost:80", "One  Two", expect!["SignatureFailure"]);
    check("LOCALHOST:80", "ONE  TWO", expect!["SignatureFailure"]);
    check("LocalHost:80", "One Two", expect!["SignatureFailure"]);
    check("LocalHost:80", " One  Two", expect!["SignatureFailure"]);
}

#[test]
fn a_header_that_counts_is_sent_once() {
    let check = |wire: Wire, expected: Expect| expected.assert_eq(&now(&wire));
    let wire = signed_as_sent(unsigned());
    let same = wire.clone().header("authorization").clone();
    check(
        wire.clone().and("authorization", same),
        expect!["HeaderRepeated"],
    );
    check(
        wire.clone().and("authorization", "Bearer token"),
        expect!["HeaderRepeated"],
    );
    check(
        wire.clone().and("x-zc-timestamp", NOW_S.to_string()),
        expect!["HeaderRepeated"],
    );
    check(
        wire.clone().and("host", "LocalHost:80"),
        expect!["SignedHeaderRepeated"],
    );
    check(
        wire.clone().and("content-type", "text/plain"),
        expect!["SignedHeaderRepeated"],
    );
    check(
        wire.clone().and("x-extra", "unsigned, so free"),
        expect!["accepted"],
    );
    let method = wire.and("x-zc-signature-method", "ZC2-HMAC-SHA256");
    check(method.clone(), expect!["accepted"]);
    check(
        method
            .clone()
            .and("x-zc-signature-method", "ZC2-HMAC-SHA256"),
        expect!["HeaderRepeated"],
    );
    check(
        method.with("x-zc-signature-method", "zc2-hmac-sha256"),
        expect!["SignatureMethodUnsupported"],
    );
}

/// What the vendor's signature leaves out: a captured request can be sent as another action.
#[test]
fn path_query_action_and_version_are_not_signed() {
    let mut wire = signed_as_sent(unsigned()).and("x-zc-action", "CreateImage");
    wire.path = "/api/v2/other".to_owned();
    wire.query = Some("a=b".to_owned());
    assert_eq!(now(&wire), "accepted");
    wire.method = "GET".to_owned();
    assert_eq!(now(&wire), "SignatureFailure");
}

#[test]
fn the_body_is_signed_byte_for_byte() {
    for (body, expected) in [
        (&b"{}"[..], "accepted"),
        (b"", "SignatureFailure"),
        (b"{", "SignatureFailure"),
        (b"{} ", "SignatureFailure"),
        (b"{}\n", "SignatureFailure"),
    ] {
        assert_eq!(
            now(&signed_as_sent(unsigned()).with_body(body)),
            expected,
            "{body:?}"
        );
    }
    for body in [&b""[..], b"\xff\0\n", &[b'x'; 100_000]] {
        assert_eq!(now(&signed_as_sent(unsigned().with_body(body))), "accepted");
    }
}

/// Requests with one more fault each: the denial is always that of the first in the enum.
#[test]
fn denials_stand_in_order_of_precedence() {
    use AuthDenial::*;
    let text = |id: &str, list: &str| {
        let signature = "a".repeat(64);
        format!("ZC2-HMAC-SHA256 Credential={id}, SignedHeaders={list}, Signature={signature}")
    };
    let mut wire = unsigned().and("x-zc-signature-method", "ZC2-HMAC-SHA256");
    let mut denials = Vec::new();
    let mut deny = |wire: &Wire| denials.push(now(wire));
    deny(
        &wire
            .clone()
            .and("authorization", text(ID, "content-type;host")),
    );
    wire = wire.and("host", "again");
    deny(
        &wire
            .clone()
            .and("authorization", text(ID, "content-type;host")),
    );
    deny(
        &wire
            .clone()
            .and("authorization", text(ID, "content-type;gone;host")),
    );
    wire = wire.with("x-zc-timestamp", "1");
    deny(
        &wire
            .clone()
            .and("authorization", text(ID, "content-type;gone;host")),
    );
    wire = wire.with("x-zc-timestamp", "x");
    deny(
        &wire
            .clone()
            .and("authorization", text(ID, "content-type;gone;host")),
    );
    wire = wire.without("x-zc-timestamp");
    deny(
        &wire
            .clone()
            .and("authorization", text(ID, "content-type;gone;host")),
    );
    deny(
        &wire
            .clone()
            .and("authorization", text(ID, "content-type;gone")),
    );
    deny(&wire.clone().and("authorization", text(ID, "gone")));
    wire = wire.with("x-zc-signature-method", "x");
    deny(&wire.clone().and("authorization", text(ID, "gone")));
    deny(&wire.clone().and("authorization", text("", "gone")));
    deny(&wire);
    wire = wire.and("authorization", "x").and("authorization", "x");
    deny(&wire);
    let expected = [
        SignatureFailure,
        SignedHeaderRepeated,
        SignedHeaderMissing,
        SignatureExpired,
        TimestampMalformed,
        TimestampMissing,
        HostNotSigned,
        ContentTypeNotSigned,
        SignatureMethodUnsupported,
        InvalidAuthorization,
        AuthorizationMissing,
        HeaderRepeated,
    ];
    assert_eq!(denials, expected.map(|denial| format!("{denial:?}")));
}
