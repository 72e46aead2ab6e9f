//! What may become of a reservation: how it is asked for, alone and in a batch.

use expect_test::{Expect, expect};
use plimsoll_dialects::native::{BatchItem, Call, Change};

use super::samples::scope_id;
use super::{decode, in_a_line};

fn change(text: &str) -> Change {
    match decode(text) {
        Ok(Call::Change(change)) => change,
        Ok(other) => panic!("no change: {other:?}"),
        Err(problem) => panic!("{}", in_a_line(&problem)),
    }
}

/// Shows a change as it is read, and as it is decided once its tenant is known.
fn check(text: &str, expect: Expect) {
    let change = change(text);
    let shown = format!(
        "{change:?}\n{:?}\n",
        change.clone().action(scope_id("found"))
    );
    expect.assert_eq(&shown);
}

#[test]
fn commit_and_release() {
    for text in [
        "POST /reservations/r-1/commit",
        "POST /reservations/r-1/commit\n\n{}",
        "POST /reservations/r-1/commit\n\n{\"lines\":null,\"scope\":null}",
    ] {
        assert_eq!(change(text), change("POST /reservations/r-1/commit"));
    }
    check(
        "POST /reservations/r-1/commit",
        expect![[r#"
            Change { id: r-1, scope: None, verb: Commit { part: None }, expected: Whatever }
            Commit(Settle { of: ReservationRef { scope: found, id: r-1 }, part: None, grounds: Limits, expected: Whatever })
        "#]],
    );
    check(
        r#"POST /reservations/r-1/commit
if-match: "42"

{"lines":[{"resource":"vm/image","location":"FRA-A","amount":1},{"resource":"vpc/subnet","amount":9007199254740991}],"scope":"p-7"}"#,
        expect![[r#"
            Change { id: r-1, scope: Some(p-7), verb: Commit { part: Some(Lines(Many([Line { item: Item { resource: vm/image, location: Some(FRA-A) }, amount: Amount(1) }, Line { item: Item { resource: vpc/subnet, location: None }, amount: Amount(9007199254740991) }]))) }, expected: Revision(42) }
            Commit(Settle { of: ReservationRef { scope: found, id: r-1 }, part: Some(Lines(Many([Line { item: Item { resource: vm/image, location: Some(FRA-A) }, amount: Amount(1) }, Line { item: Item { resource: vpc/subnet, location: None }, amount: Amount(9007199254740991) }]))), grounds: Limits, expected: Revision(42) })
        "#]],
    );
    check(
        r#"POST /reservations/r-1/release
if-match: "18446744073709551615"

{"lines":[{"resource":"vm/image","location":null,"amount":1}]}"#,
        expect![[r#"
            Change { id: r-1, scope: None, verb: Release { part: Some(Lines(One([Line { item: Item { resource: vm/image, location: None }, amount: Amount(1) }]))) }, expected: Revision(18446744073709551615) }
            Release(Settle { of: ReservationRef { scope: found, id: r-1 }, part: Some(Lines(One([Line { item: Item { resource: vm/image, location: None }, amount: Amount(1) }]))), grounds: Limits, expected: Revision(18446744073709551615) })
        "#]],
    );
}

#[test]
fn extend() {
    check(
        "POST /reservations/r-1/extend\n\n{\"ttl_seconds\":1}",
        expect![[r#"
            Change { id: r-1, scope: None, verb: Extend { ttl_ms: 1000 }, expected: Whatever }
            Extend(Extend { of: ReservationRef { scope: found, id: r-1 }, ttl_ms: 1000, expected: Whatever })
        "#]],
    );
    check(
        "POST /reservations/r-1/extend\nif-match: \"42\"\n\n{\"ttl_seconds\":2592000,\"scope\":\"p-7\"}",
        expect![[r#"
            Change { id: r-1, scope: Some(p-7), verb: Extend { ttl_ms: 2592000000 }, expected: Revision(42) }
            Extend(Extend { of: ReservationRef { scope: found, id: r-1 }, ttl_ms: 2592000000, expected: Revision(42) })
        "#]],
    );
}

#[test]
fn resize() {
    check(
        r#"POST /reservations/r-1/resize

{"lines":[{"resource":"vm/image","amount":3}]}"#,
        expect![[r#"
            Change { id: r-1, scope: None, verb: Resize { lines: Lines(One([Line { item: Item { resource: vm/image, location: None }, amount: Amount(3) }])), grounds: Limits }, expected: Whatever }
            Resize(Resize { of: ReservationRef { scope: found, id: r-1 }, lines: Lines(One([Line { item: Item { resource: vm/image, location: None }, amount: Amount(3) }])), grounds: Limits, expected: Whatever })
        "#]],
    );
    check(
        r#"POST /reservations/r-1/resize
if-match: "42"

{"lines":[{"resource":"vm/image","amount":3}],"force":{"reason":"launch"},"scope":"p-7"}"#,
        expect![[r#"
            Change { id: r-1, scope: Some(p-7), verb: Resize { lines: Lines(One([Line { item: Item { resource: vm/image, location: None }, amount: Amount(3) }])), grounds: Force(launch) }, expected: Revision(42) }
            Resize(Resize { of: ReservationRef { scope: found, id: r-1 }, lines: Lines(One([Line { item: Item { resource: vm/image, location: None }, amount: Amount(3) }])), grounds: Force(launch), expected: Revision(42) })
        "#]],
    );
}

#[test]
fn transfer() {
    check(
        "POST /reservations/r-1/transfer\n\n{\"to\":\"p-8\"}",
        expect![[r#"
            Change { id: r-1, scope: None, verb: Transfer { to: p-8, grounds: Limits }, expected: Whatever }
            Transfer(Transfer { of: ReservationRef { scope: found, id: r-1 }, to: p-8, grounds: Limits, expected: Whatever })
        "#]],
    );
    check(
        r#"POST /reservations/r-1/transfer
if-match: "42"

{"to":"p-8","force":{"reason":"launch"},"scope":"p-7"}"#,
        expect![[r#"
            Change { id: r-1, scope: Some(p-7), verb: Transfer { to: p-8, grounds: Force(launch) }, expected: Revision(42) }
            Transfer(Transfer { of: ReservationRef { scope: found, id: r-1 }, to: p-8, grounds: Force(launch), expected: Revision(42) })
        "#]],
    );
}

/// A change in a batch is what the single call is; `if_revision` stands for `if-match`.
#[test]
fn in_a_batch_as_alone() {
    let lines = r#""lines":[{"resource":"vm/image","location":"FRA-A","amount":3}]"#;
    let force = r#""force":{"reason":"launch"}"#;
    for (op, members) in [
        ("commit", lines.to_owned()),
        ("release", lines.to_owned()),
        ("extend", r#""ttl_seconds":7"#.to_owned()),
        ("resize", format!("{lines},{force}")),
        ("transfer", format!(r#""to":"p-8",{force}"#)),
    ] {
        let single = change(&format!(
            "POST /reservations/r-1/{op}\nif-match: \"42\"\n\n{{{members},\"scope\":\"p-7\"}}"
        ));
        let item =
            format!(r#"{{"op":"{op}","id":"r-1",{members},"scope":"p-7","if_revision":42}}"#);
        for rest in ["", ",null"] {
            let text = format!("POST /reservations:batch\n\n{{\"commands\":[{item}{rest}]}}");
            let Ok(Call::Batch(items, _)) = decode(&text) else {
                panic!("no batch");
            };
            assert_eq!(items[0], Ok(BatchItem::Change(single.clone())));
        }
    }
}
