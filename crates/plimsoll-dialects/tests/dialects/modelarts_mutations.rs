//! Every ModelArts vector that is accepted, with one byte changed, at every position.

use expect_test::expect;

use crate::modelarts_auth::outcome;
use crate::mutations::{Case, Change, Tally, every_change, telling_changes, text};
use crate::vectors;
use crate::wire::Wire;

/// The changes that leave a request the same, read off the text alone.
///
/// - The signature is hexadecimal: the case of its digits says nothing.
/// - So are the digits of a percent escape: `%2F` and `%2f` are one byte.
/// - `a=&b` and `a&&b` are the same parameters: `a` is empty, and nothing is no parameter.
/// - A body that is said to be `UNSIGNED-PAYLOAD`, under the signature, is free by agreement.
///
/// Headers that are not in the list are not covered, so they are not changed here.
fn is_equivalent(wire: &Wire, change: &Change<'_>) -> bool {
    let Change {
        part,
        before,
        after,
    } = *change;
    let is_other_case = before.eq_ignore_ascii_case(after);
    let index = before
        .iter()
        .zip(after)
        .position(|(one, other)| one != other)
        .unwrap();
    let is_escape = before[index.saturating_sub(2)..index].contains(&b'%');
    match part {
        "signature" => is_other_case,
        "path" => is_other_case && is_escape,
        "query" => {
            is_other_case && is_escape || before[index..].starts_with(b"=&") && after[index] == b'&'
        }
        "body" => wire
            .headers
            .iter()
            .any(|(name, value)| name == "x-sdk-content-sha256" && value == b"UNSIGNED-PAYLOAD"),
        _ => false,
    }
}

#[test]
fn one_changed_byte_is_refused_unless_it_says_the_same() {
    let mut tally = Tally::default();
    for vector in vectors::modelarts_accepted() {
        let (name, secret) = (&*vector.name, &vector.secret_key);
        let case = Case {
            name,
            wire: Wire::parse(&vector.raw_request),
            changes: if name == "official_doc_example" {
                every_change
            } else {
                telling_changes
            },
            answer: &|wire| outcome(wire, &vector.access_key, secret, vector.signed_at_s),
            is_equivalent,
        };
        case.change_method_and_body(&mut tally);
        change_target(&case, &mut tally);
        let signed_headers = vector.canonical_request.rsplit('\n').nth(1).unwrap();
        for name in signed_headers.split(';') {
            case.change_header(&mut tally, name);
        }
        case.change_authorization(&mut tally, "Access=");
    }
    assert!(tally.total() > 150_000, "{}", tally.total());
    expect![[r#"
        access key: AuthorizationMalformed 4865
        access key: other access key 5942
        body: SignatureFailure 11701
        body: accepted 1130
        content-type: SignatureFailure 8482
        form: AlgorithmUnsupported 6554
        form: AuthorizationMalformed 21751
        host: SignatureFailure 10470
        method: SignatureFailure 1466
        path: SignatureFailure 18620
        path: accepted 5
        query: SignatureFailure 8881
        query: accepted 9
        signature: AuthorizationMalformed 31022
        signature: SignatureFailure 4254
        signature: accepted 423
        signed headers: AuthorizationMalformed 11620
        signed headers: DateNotSigned 2670
        signed headers: PayloadNotSigned 224
        signed headers: SecurityTokenNotSigned 172
        signed headers: SignedHeaderMissing 8110
        user-agent: SignatureFailure 14847
        x-auth-token: SignatureFailure 124
        x-domain-id: SignatureFailure 52
        x-modelarts-user-id: SignatureFailure 52
        x-note: SignatureFailure 248
        x-project-id: SignatureFailure 8008
        x-sdk-content-sha256: PayloadMismatch 570
        x-sdk-date: DateMalformed 8416
        x-sdk-date: SignatureExpired 313
        x-sdk-date: SignatureFailure 100
        x-security-token: SignatureFailure 331
        x-security-token: TokenMalformed 98
    "#]]
    .assert_eq(&tally.to_string());
}

fn change_target(case: &Case<'_>, tally: &mut Tally) {
    case.change(tally, "path", case.wire.path.as_bytes(), |wire, path| {
        wire.path = text(path)?;
        Some(())
    });
    let query = case.wire.query.as_deref().unwrap_or_default();
    case.change(tally, "query", query.as_bytes(), |wire, query| {
        wire.query = Some(text(query)?);
        Some(())
    });
}
