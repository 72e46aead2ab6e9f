//! Every signed Zenlayer vector with one byte changed, at every position.

use expect_test::expect;

use crate::mutations::{Case, Change, Tally, every_change, telling_changes};
use crate::vectors;
use crate::wire::Wire;
use crate::zenlayer_auth::outcome;

/// The changes that leave a request the same.
///
/// - The signature is hexadecimal: the case of its digits says nothing.
/// - Header values may be signed in lower case: the case in which they are then sent is free.
///   All vectors' values are in lower case, so whoever signed may have meant either.
fn is_equivalent(_: &Wire, change: &Change<'_>) -> bool {
    matches!(change.part, "signature" | "host" | "content-type")
        && change.before.eq_ignore_ascii_case(change.after)
}

#[test]
fn one_changed_byte_is_refused_unless_it_says_the_same() {
    let mut tally = Tally::default();
    for (name, raw, zc2) in vectors::zenlayer_signed() {
        let (id, secret) = (&zc2.access_key_id, &zc2.access_key_password);
        let case = Case {
            name: &name,
            wire: Wire::parse(&raw),
            changes: if name == "official_doc_example" {
                every_change
            } else {
                telling_changes
            },
            answer: &|wire| outcome(wire, id, secret, zc2.signed_at_s),
            is_equivalent,
        };
        case.change_method_and_body(&mut tally);
        for name in [
            "host",
            "content-type",
            "x-zc-timestamp",
            "x-zc-signature-method",
        ] {
            case.change_header(&mut tally, name);
        }
        case.change_authorization(&mut tally, "Credential=");
    }
    assert!(tally.total() > 80_000, "{}", tally.total());
    expect![[r#"
        access key: InvalidAuthorization 3208
        access key: other access key 2750
        body: SignatureFailure 14752
        content-type: SignatureFailure 9494
        content-type: accepted 115
        form: InvalidAuthorization 19857
        host: SignatureFailure 6624
        host: accepted 18
        method: SignatureFailure 916
        signature: InvalidAuthorization 20633
        signature: SignatureFailure 2354
        signature: accepted 177
        signed headers: ContentTypeNotSigned 1600
        signed headers: HostNotSigned 428
        signed headers: InvalidAuthorization 4125
        x-zc-signature-method: SignatureMethodUnsupported 5421
        x-zc-timestamp: SignatureExpired 152
        x-zc-timestamp: SignatureFailure 40
        x-zc-timestamp: TimestampMalformed 3420
    "#]]
    .assert_eq(&tally.to_string());
}
