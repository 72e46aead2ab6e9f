//! Hostile changes of reservations: each gets a problem that names the place.

use expect_test::expect_file;

use super::hostile::{check, with_bodies};

const CHANGES: &[(&str, &[&str])] = &[
    (
        "POST /reservations/r-1/commit",
        &[
            "null",
            "[]",
            "{",
            r#"{"scope":""}"#,
            r#"{"lines":[]}"#,
            r#"{"lines":{}}"#,
            r#"{"lines":[null]}"#,
            r#"{"lines":[["vm/image",null,1]]}"#,
            r#"{"lines":[{"amount":1}]}"#,
            r#"{"lines":[{"resource":"vm/image"}]}"#,
            r#"{"lines":[{"resource":"vm/image","amount":0}]}"#,
            r#"{"lines":[{"resource":"vm/image","amount":1.5}]}"#,
            r#"{"lines":[{"resource":"vm/image","amount":2,"at_least":1}]}"#,
            r#"{"lines":[{"resource":"vm/image","amount":1},{"resource":"vm/image","amount":1}]}"#,
            r#"{"ttl_seconds":1}"#,
            r#"{"force":{"reason":"x"}}"#,
            r#"{"if_revision":42}"#,
            r#"{"scope":"p-7","scope":"p-7"}"#,
        ],
    ),
    (
        "POST /reservations/r-1/release",
        &[r#"{"lines":[]}"#, r#"{"amount":1}"#, "7"],
    ),
    (
        "POST /reservations/r-1/extend",
        &[
            "",
            "{}",
            r#"{"ttl_seconds":null}"#,
            r#"{"ttl_seconds":0}"#,
            r#"{"ttl_seconds":-1}"#,
            r#"{"ttl_seconds":1.5}"#,
            r#"{"ttl_seconds":"60"}"#,
            r#"{"ttl_seconds":2592001}"#,
            r#"{"ttl_seconds":60,"scope":"*"}"#,
            r#"{"ttl_seconds":60,"expires_at":"2026-01-31T12:00:00Z"}"#,
            r#"{"ttl_seconds":60,"force":{"reason":"x"}}"#,
        ],
    ),
    (
        "POST /reservations/r-1/resize",
        &[
            "",
            "{}",
            r#"{"lines":null}"#,
            r#"{"lines":[]}"#,
            r#"{"lines":[{"resource":"vm/image","amount":0}]}"#,
            r#"{"lines":[{"resource":"vm/image","amount":2,"at_least":1}]}"#,
            r#"{"lines":[{"resource":"vm/image","amount":2},{"resource":"vm/image","amount":2}]}"#,
            r#"{"lines":[{"resource":"vm/image","amount":2}],"force":true}"#,
            r#"{"lines":[{"resource":"vm/image","amount":2}],"force":{}}"#,
            r#"{"lines":[{"resource":"vm/image","amount":2}],"force":{"reason":""}}"#,
            r#"{"lines":[{"resource":"vm/image","amount":2}],"to":"p-8"}"#,
            r#"{"lines":[{"resource":"vm/image","amount":2}],"scope":7}"#,
        ],
    ),
    (
        "POST /reservations/r-1/transfer",
        &[
            "",
            "{}",
            r#"{"to":null}"#,
            r#"{"to":""}"#,
            r#"{"to":"*"}"#,
            r#"{"to":["p-8"]}"#,
            r#"{"to":"p-8","to":"p-8"}"#,
            r#"{"to":"p-8","force":"launch"}"#,
            r#"{"to":"p-8","force":{"reason":null}}"#,
            r#"{"to":"p-8","lines":[{"resource":"vm/image","amount":2}]}"#,
            r#"{"to":"p-8","scope":{}}"#,
        ],
    ),
];

#[test]
fn changes() {
    let requests = CHANGES
        .iter()
        .flat_map(|(head, bodies)| with_bodies(head, bodies));
    check(requests, expect_file!["hostile_changes.txt"]);
}
