//! Batches: an item that cannot be read is its own problem, an envelope that cannot is all of it.

use std::fmt::Write;

use expect_test::{Expect, expect};
use plimsoll_dialects::native::{BATCH_COMMANDS_MAX, BatchItem, Call};

use super::{decode, in_a_line, reserve};

fn check(body: &str, expect: Expect) {
    let mut shown = String::new();
    match decode(&format!("POST /reservations:batch\n\n{body}")) {
        Ok(Call::Batch(items)) => {
            for item in items {
                match item {
                    Ok(BatchItem::Reserve(reserve)) => {
                        writeln!(shown, "reserve {} in {}", reserve.id, reserve.scope).unwrap();
                    }
                    Ok(BatchItem::Settle(settle)) => writeln!(shown, "{settle:?}").unwrap(),
                    Err(problem) => writeln!(shown, "{}", in_a_line(&problem)).unwrap(),
                }
            }
        }
        Ok(other) => panic!("no batch: {other:?}"),
        Err(problem) => writeln!(shown, "all of it: {}", in_a_line(&problem)).unwrap(),
    }
    expect.assert_eq(&shown);
}

#[test]
fn good_items() {
    check(
        r#"{"commands":[
            {"op":"reserve","id":"r-1","scope":"p-7","lines":[{"resource":"vm/image","amount":1}]},
            {"op":"commit","id":"r-1"},
            {"id":"r-1","op":"release","scope":"p-7"}]}"#,
        expect![[r#"
            reserve r-1 in p-7
            Settle { verb: Commit, id: r-1, scope: None }
            Settle { verb: Release, id: r-1, scope: Some(p-7) }
        "#]],
    );
    check(r#"{"commands":[]}"#, expect![[r#""#]]);
}

#[test]
fn one_bad_item_leaves_the_rest() {
    check(
        r#"{"commands":[
            {"op":"commit","id":"r-1"},
            {"op":"extend","id":"r-1"},
            {"op":"commit"},
            {"op":"commit","id":"r 1"},
            {"op":"commit","id":"r-1","lines":[]},
            {"op":"commit","id":"r-1","ttl_seconds":1},
            {"op":"release","id":"r-1","commit":false},
            {"op":"release","id":"r-1","holder":"x"},
            {"op":"release","id":"r-1","attributes":{}},
            {"op":"reserve","id":"r-1"},
            {"op":"reserve","id":"r-1","scope":"p-7"},
            {"op":"reserve","id":"r-1","scope":"p-7","lines":[]},
            {"op":"reserve","id":"r-1","scope":"p-7","lines":[{"resource":"vm/image","amount":1.5}]},
            {"op":"reserve","id":"r-1","scope":"p-7","lines":[{"resource":"vm/image","amount":1},{"resource":"vm/image","amount":1}]},
            {"op":"reserve","id":"r-1","scope":"p-7","lines":[{"resource":"vm/image","amount":2,"at_least":1}]},
            {"op":"commit","id":"r-1","op":"commit"},
            {"op":"commit","id":"\ud800"},
            {"op":"commit","id":1e999},
            {"op":"commit","id":"r-1","force":true},
            ["commit","r-1",null,null,null,null,null,null],
            null, 7, -7, [], {}, "commit",
            {"op":"release","id":"r-2"}]}"#,
        expect![[r#"
            Settle { verb: Commit, id: r-1, scope: None }
            400 malformed pointer "/commands/1/op": `/commands/1/op` must be `reserve`, `commit` or `release`
            400 malformed pointer "/commands/2/id": `/commands/2/id` is missing: give it
            400 malformed pointer "/commands/3/id": `/commands/3/id` must be ASCII letters, digits, `.`, `_`, `:` and `-`, a letter or digit first
            400 malformed pointer "/commands/4/lines": `/commands/4/lines` belongs to a `reserve` only: leave it out
            400 malformed pointer "/commands/5/ttl_seconds": `/commands/5/ttl_seconds` belongs to a `reserve` only: leave it out
            400 malformed pointer "/commands/6/commit": `/commands/6/commit` belongs to a `reserve` only: leave it out
            400 malformed pointer "/commands/7/holder": `/commands/7/holder` belongs to a `reserve` only: leave it out
            400 malformed pointer "/commands/8/attributes": `/commands/8/attributes` belongs to a `reserve` only: leave it out
            400 malformed pointer "/commands/9/scope": `/commands/9/scope` is missing: a `reserve` needs it
            400 malformed pointer "/commands/10/lines": `/commands/10/lines` is missing: a `reserve` needs it
            400 malformed pointer "/commands/11/lines": `/commands/11/lines` must have at least one line
            400 malformed pointer "/commands/12/lines/0/amount": `/commands/12/lines/0/amount` must be a whole number from `1` to `9007199254740991`, in digits alone, not a number of another form or size
            400 malformed pointer "/commands/13/lines": `/commands/13/lines` must name each resource and location in one line only
            400 malformed pointer "/commands/14/lines/0/at_least": `/commands/14/lines/0/at_least` must be `amount` itself: a line is taken whole or not at all
            400 malformed pointer "/commands/15/op": `/commands/15/op` is there twice: give it once
            400 malformed pointer "/commands/16/id": `/commands/16/id` is not JSON: unexpected end of hex escape
            400 malformed pointer "/commands/17/id": `/commands/17/id` is not JSON: number out of range
            400 malformed pointer "/commands/18/force": `/commands/18/force` is unknown, known are `op`, `id`, `scope`, `lines`, `ttl_seconds`, `commit`, `holder`, `attributes`: leave it out
            400 malformed pointer "/commands/19": `/commands/19` must be an object, not an array
            400 malformed pointer "/commands/20": `/commands/20` must be an object, not null
            400 malformed pointer "/commands/21": `/commands/21` must be an object, not a number
            400 malformed pointer "/commands/22": `/commands/22` must be an object, not a negative number
            400 malformed pointer "/commands/23": `/commands/23` must be an object, not an array
            400 malformed pointer "/commands/24/op": `/commands/24/op` is missing: give it
            400 malformed pointer "/commands/25": `/commands/25` must be an object, not a string
            Settle { verb: Release, id: r-2, scope: None }
        "#]],
    );
}

#[test]
fn a_bad_envelope_is_all_of_it() {
    for (body, expect) in [
        (
            "",
            expect![[r#"
            all of it: 400 malformed pointer "": the body is empty: send a JSON object
        "#]],
        ),
        (
            "[]",
            expect![[r#"
                all of it: 400 malformed pointer "": the body must be an object, not an array
            "#]],
        ),
        (
            "{}",
            expect![[r#"
            all of it: 400 malformed pointer "/commands": `/commands` is missing: give it
        "#]],
        ),
        (
            r#"{"commands":{}}"#,
            expect![[r#"
            all of it: 400 malformed pointer "/commands": `/commands` must be an array, not an object
        "#]],
        ),
        (
            r#"{"commands":null}"#,
            expect![[r#"
            all of it: 400 malformed pointer "/commands": `/commands` must be an array, not null
        "#]],
        ),
        (
            r#"{"commands":[],"commands":[]}"#,
            expect![[r#"
            all of it: 400 malformed pointer "/commands": `/commands` is there twice: give it once
        "#]],
        ),
        (
            r#"{"commands":[],"atomic":true}"#,
            expect![[r#"
                all of it: 400 malformed pointer "/atomic": `/atomic` is unknown, known are `commands`: leave it out
            "#]],
        ),
        (
            r#"{"commands":[{"op":"commit","id":"r-1"}"#,
            expect![[r#"
                all of it: 400 malformed pointer "/commands": the body ends too early: send all of it
            "#]],
        ),
        (
            r#"{"commands":[{"op":"commit","id":"r-1"},]}"#,
            expect![[r#"
                all of it: 400 malformed pointer "/commands": the body is not JSON: trailing comma at line 1 column 41
            "#]],
        ),
        (
            r#"{"commands":[]} {}"#,
            expect![[r#"
            all of it: 400 malformed pointer "": the body must end after its JSON value: leave the rest out
        "#]],
        ),
    ] {
        check(body, expect);
    }
}

#[test]
fn a_batch_is_bounded() {
    let item = r#"{"op":"commit","id":"r-1"}"#;
    let batch = |items: usize| {
        let items = vec![item; items].join(",");
        decode(&format!(
            "POST /reservations:batch\n\n{{\"commands\":[{items}]}}"
        ))
    };
    let Ok(Call::Batch(items)) = batch(BATCH_COMMANDS_MAX) else {
        panic!("the largest batch is refused");
    };
    assert_eq!(items.len(), BATCH_COMMANDS_MAX);
    let problem = batch(BATCH_COMMANDS_MAX + 1).unwrap_err();
    expect![[r#"400 malformed pointer "/commands": `/commands` must have at most `8192` items: send more requests"#]].assert_eq(&in_a_line(&problem));
}

#[test]
fn a_deep_item_is_only_a_bad_item() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    check(
        &format!(r#"{{"commands":[{deep},{{"op":"commit","id":{deep}}}]}}"#),
        expect![[r#"
            400 malformed pointer "/commands/0": `/commands/0` must be an object, not an array
            400 malformed pointer "/commands/1/id": `/commands/1/id` must be a string, not an array
        "#]],
    );
}

#[test]
fn an_item_is_read_as_the_single_call_is() {
    let members = r#""scope":"p-7","lines":[{"resource":"vm/image","location":"FRA-A","amount":3}],"ttl_seconds":7,"holder":"h","attributes":{"a":"b"}"#;
    let single = reserve(&format!("PUT /reservations/r-1\n\n{{{members}}}"));
    for rest in ["", ",null"] {
        let item = format!(r#"{{"op":"reserve","id":"r-1",{members}}}"#);
        let text = format!("POST /reservations:batch\n\n{{\"commands\":[{item}{rest}]}}");
        let Ok(Call::Batch(items)) = decode(&text) else {
            panic!("no batch");
        };
        assert_eq!(items[0], Ok(BatchItem::Reserve(single.clone())));
    }
}
