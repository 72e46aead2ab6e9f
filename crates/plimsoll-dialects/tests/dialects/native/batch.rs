//! Batches: an item that cannot be read is its own problem, an envelope that cannot is all of it.

use std::fmt::Write;

use expect_test::{Expect, expect};
use plimsoll_dialects::native::{BATCH_COMMANDS_MAX, BATCH_LINES_MAX, BatchItem, Call};

use super::{decode, in_a_line, reserve};

fn check(body: &str, expect: Expect) {
    let mut shown = String::new();
    match decode(&format!("POST /reservations:batch\n\n{body}")) {
        Ok(Call::Batch(items, _)) => {
            for item in items {
                match item {
                    Ok(BatchItem::Reserve(reserve)) => {
                        writeln!(shown, "reserve {} in {}", reserve.id, reserve.scope).unwrap();
                    }
                    Ok(BatchItem::Change(change)) => writeln!(shown, "{change:?}").unwrap(),
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
            {"id":"r-1","op":"release","scope":"p-7","lines":[{"resource":"vm/image","amount":1}]},
            {"op":"extend","id":"r-1","ttl_seconds":60,"if_revision":0},
            {"op":"resize","id":"r-1","lines":[{"resource":"vm/image","amount":1}],"if_revision":9007199254740991},
            {"op":"transfer","id":"r-1","to":"p-8","scope":"p-7"},
            {"op":"transfer","id":"r-1","to":"p-8","force":{"reason":"launch"},"lines":null,"if_revision":null}]}"#,
        expect![[r#"
            reserve r-1 in p-7
            Change { id: r-1, scope: None, verb: Commit { part: None }, expected: Whatever }
            Change { id: r-1, scope: Some(p-7), verb: Release { part: Some(Lines(One([Line { item: Item { resource: vm/image, location: None }, amount: Amount(1) }]))) }, expected: Whatever }
            Change { id: r-1, scope: None, verb: Extend { ttl_ms: 60000 }, expected: Revision(0) }
            Change { id: r-1, scope: None, verb: Resize { lines: Lines(One([Line { item: Item { resource: vm/image, location: None }, amount: Amount(1) }])), grounds: Limits }, expected: Revision(9007199254740991) }
            Change { id: r-1, scope: Some(p-7), verb: Transfer { to: p-8, grounds: Limits }, expected: Whatever }
            Change { id: r-1, scope: None, verb: Transfer { to: p-8, grounds: Force(launch) }, expected: Whatever }
        "#]],
    );
    check(r#"{"commands":[]}"#, expect![[r#""#]]);
}

#[test]
fn one_bad_item_leaves_the_rest() {
    check(
        r#"{"commands":[
            {"op":"commit","id":"r-1"},
            {"op":"renew","id":"r-1"},
            {"op":"commit"},
            {"op":"commit","id":"r 1"},
            {"op":"reserve","id":"r-1"},
            {"op":"reserve","id":"r-1","scope":"p-7"},
            {"op":"reserve","id":"r-1","scope":"p-7","lines":[]},
            {"op":"reserve","id":"r-1","scope":"p-7","lines":[{"resource":"vm/image","amount":1.5}]},
            {"op":"reserve","id":"r-1","scope":"p-7","lines":[{"resource":"vm/image","amount":1},{"resource":"vm/image","amount":1}]},
            {"op":"reserve","id":"r-1","scope":"p-7","lines":[{"resource":"vm/image","amount":2,"at_least":3}]},
            {"op":"commit","id":"r-1","op":"commit"},
            {"op":"commit","id":"\ud800"},
            {"op":"commit","id":1e999},
            {"op":"commit","id":"r-1","forced":true},
            ["commit","r-1",null,null,null,null,null,null],
            null, 7, -7, [], {}, "commit",
            {"op":"release","id":"r-2"}]}"#,
        expect![[r#"
            Change { id: r-1, scope: None, verb: Commit { part: None }, expected: Whatever }
            400 malformed pointer "/commands/1/op": `/commands/1/op` must be `reserve`, `commit`, `release`, `extend`, `resize` or `transfer`
            400 malformed pointer "/commands/2/id": `/commands/2/id` is missing: give it
            400 malformed pointer "/commands/3/id": `/commands/3/id` must be ASCII letters, digits, `.`, `_`, `:` and `-`, a letter or digit first
            400 malformed pointer "/commands/4/scope": `/commands/4/scope` is missing: `reserve` needs it
            400 malformed pointer "/commands/5/lines": `/commands/5/lines` is missing: `reserve` needs it
            400 malformed pointer "/commands/6/lines": `/commands/6/lines` must have at least one line
            400 malformed pointer "/commands/7/lines/0/amount": `/commands/7/lines/0/amount` must be a whole number from `1` to `9007199254740991`, in digits alone, not a number of another form or size
            400 malformed pointer "/commands/8/lines": `/commands/8/lines` must name each resource and location in one line only
            400 malformed pointer "/commands/9/lines/0/at_least": `/commands/9/lines/0/at_least` must be at most the `amount` of its line
            400 malformed pointer "/commands/10/op": `/commands/10/op` is there twice: give it once
            400 malformed pointer "/commands/11/id": `/commands/11/id` is not JSON: unexpected end of hex escape
            400 malformed pointer "/commands/12/id": `/commands/12/id` is not JSON: number out of range
            400 malformed pointer "/commands/13/forced": `/commands/13/forced` is unknown, known are `op`, `id`, `scope`, `lines`, `ttl_seconds`, `commit`, `force`, `holder`, `attributes`, `to`, `if_revision`: leave it out
            400 malformed pointer "/commands/14": `/commands/14` must be an object, not an array
            400 malformed pointer "/commands/15": `/commands/15` must be an object, not null
            400 malformed pointer "/commands/16": `/commands/16` must be an object, not a number
            400 malformed pointer "/commands/17": `/commands/17` must be an object, not a negative number
            400 malformed pointer "/commands/18": `/commands/18` must be an object, not an array
            400 malformed pointer "/commands/19/op": `/commands/19/op` is missing: give it
            400 malformed pointer "/commands/20": `/commands/20` must be an object, not a string
            Change { id: r-2, scope: None, verb: Release { part: None }, expected: Whatever }
        "#]],
    );
}

#[test]
fn what_a_command_needs_and_what_means_nothing_for_it() {
    check(
        r#"{"commands":[
            {"op":"commit","id":"r-1","lines":[]},
            {"op":"commit","id":"r-1","lines":[{"resource":"vm/image","amount":1,"at_least":1}]},
            {"op":"commit","id":"r-1","ttl_seconds":1},
            {"op":"commit","id":"r-1","to":"p-8"},
            {"op":"commit","id":"r-1","force":{"reason":"launch"}},
            {"op":"release","id":"r-1","commit":false},
            {"op":"release","id":"r-1","holder":"x"},
            {"op":"release","id":"r-1","attributes":{}},
            {"op":"release","id":"r-1","force":{"reason":"launch"}},
            {"op":"reserve","id":"r-1","scope":"p-7","lines":[{"resource":"vm/image","amount":1}],"if_revision":1},
            {"op":"reserve","id":"r-1","scope":"p-7","lines":[{"resource":"vm/image","amount":1}],"to":"p-8"},
            {"op":"extend","id":"r-1"},
            {"op":"extend","id":"r-1","ttl_seconds":1,"lines":[{"resource":"vm/image","amount":1}]},
            {"op":"extend","id":"r-1","ttl_seconds":1,"force":{"reason":"launch"}},
            {"op":"resize","id":"r-1"},
            {"op":"resize","id":"r-1","lines":[]},
            {"op":"resize","id":"r-1","lines":[{"resource":"vm/image","amount":2},{"resource":"vm/disk","amount":2,"at_least":1}]},
            {"op":"resize","id":"r-1","lines":[{"resource":"vm/image","amount":2}],"ttl_seconds":1},
            {"op":"transfer","id":"r-1"},
            {"op":"transfer","id":"r-1","to":"p-8","lines":[{"resource":"vm/image","amount":1}]},
            {"op":"transfer","id":"r-1","to":"p-8","holder":"x"}]}"#,
        expect![[r#"
            400 malformed pointer "/commands/0/lines": `/commands/0/lines` must have at least one line
            400 malformed pointer "/commands/1/lines/0/at_least": `/commands/1/lines/0/at_least` has no meaning for `commit`: leave it out
            400 malformed pointer "/commands/2/ttl_seconds": `/commands/2/ttl_seconds` has no meaning for `commit`: leave it out
            400 malformed pointer "/commands/3/to": `/commands/3/to` has no meaning for `commit`: leave it out
            400 malformed pointer "/commands/4/force": `/commands/4/force` has no meaning for `commit`: leave it out
            400 malformed pointer "/commands/5/commit": `/commands/5/commit` has no meaning for `release`: leave it out
            400 malformed pointer "/commands/6/holder": `/commands/6/holder` has no meaning for `release`: leave it out
            400 malformed pointer "/commands/7/attributes": `/commands/7/attributes` has no meaning for `release`: leave it out
            400 malformed pointer "/commands/8/force": `/commands/8/force` has no meaning for `release`: leave it out
            400 malformed pointer "/commands/9/if_revision": `/commands/9/if_revision` has no meaning for `reserve`: leave it out
            400 malformed pointer "/commands/10/to": `/commands/10/to` has no meaning for `reserve`: leave it out
            400 malformed pointer "/commands/11/ttl_seconds": `/commands/11/ttl_seconds` is missing: `extend` needs it
            400 malformed pointer "/commands/12/lines": `/commands/12/lines` has no meaning for `extend`: leave it out
            400 malformed pointer "/commands/13/force": `/commands/13/force` has no meaning for `extend`: leave it out
            400 malformed pointer "/commands/14/lines": `/commands/14/lines` is missing: `resize` needs it
            400 malformed pointer "/commands/15/lines": `/commands/15/lines` must have at least one line
            400 malformed pointer "/commands/16/lines/1/at_least": `/commands/16/lines/1/at_least` has no meaning for `resize`: leave it out
            400 malformed pointer "/commands/17/ttl_seconds": `/commands/17/ttl_seconds` has no meaning for `resize`: leave it out
            400 malformed pointer "/commands/18/to": `/commands/18/to` is missing: `transfer` needs it
            400 malformed pointer "/commands/19/lines": `/commands/19/lines` has no meaning for `transfer`: leave it out
            400 malformed pointer "/commands/20/holder": `/commands/20/holder` has no meaning for `transfer`: leave it out
        "#]],
    );
}

#[test]
fn members_of_changes() {
    check(
        r#"{"commands":[
            {"op":"transfer","id":"r-1","to":"p 8"},
            {"op":"transfer","id":"r-1","to":8},
            {"op":"transfer","id":"r-1","to":"p-8","force":{}},
            {"op":"transfer","id":"r-1","to":"p-8","force":{"reason":" "}},
            {"op":"extend","id":"r-1","ttl_seconds":0},
            {"op":"extend","id":"r-1","ttl_seconds":2592001},
            {"op":"commit","id":"r-1","if_revision":"42"},
            {"op":"commit","id":"r-1","if_revision":"\"42\""},
            {"op":"commit","id":"r-1","if_revision":-1},
            {"op":"commit","id":"r-1","if_revision":1.5},
            {"op":"commit","id":"r-1","if_revision":9007199254740992},
            {"op":"commit","id":"r-1","if_revision":[42]},
            {"op":"commit","id":"r-1","if-match":42}]}"#,
        expect![[r#"
            400 malformed pointer "/commands/0/to": `/commands/0/to` must be ASCII letters, digits, `.`, `_`, `:` and `-`, a letter or digit first
            400 malformed pointer "/commands/1/to": `/commands/1/to` must be a string, not a number
            400 malformed pointer "/commands/2/force/reason": `/commands/2/force/reason` is missing: give it
            400 malformed pointer "/commands/3/force/reason": `/commands/3/force/reason` must say why: it is blank
            400 malformed pointer "/commands/4/ttl_seconds": `/commands/4/ttl_seconds` must be from `1` to `2592000`, not `0`
            400 malformed pointer "/commands/5/ttl_seconds": `/commands/5/ttl_seconds` must be from `1` to `2592000`, not `2592001`
            400 malformed pointer "/commands/6/if_revision": `/commands/6/if_revision` must be a whole number from `0` to `9007199254740991`, in digits alone, not a string
            400 malformed pointer "/commands/7/if_revision": `/commands/7/if_revision` must be a whole number from `0` to `9007199254740991`, in digits alone, not a string
            400 malformed pointer "/commands/8/if_revision": `/commands/8/if_revision` must be a whole number from `0` to `9007199254740991`, in digits alone, not a negative number
            400 malformed pointer "/commands/9/if_revision": `/commands/9/if_revision` must be a whole number from `0` to `9007199254740991`, in digits alone, not a number of another form or size
            400 malformed pointer "/commands/10/if_revision": `/commands/10/if_revision` must be from `0` to `9007199254740991`, not `9007199254740992`
            400 malformed pointer "/commands/11/if_revision": `/commands/11/if_revision` must be a whole number from `0` to `9007199254740991`, in digits alone, not an array
            400 malformed pointer "/commands/12/if-match": `/commands/12/if-match` is unknown, known are `op`, `id`, `scope`, `lines`, `ttl_seconds`, `commit`, `force`, `holder`, `attributes`, `to`, `if_revision`: leave it out
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
    let Ok(Call::Batch(items, _)) = batch(BATCH_COMMANDS_MAX) else {
        panic!("the largest batch is refused");
    };
    assert_eq!(items.len(), BATCH_COMMANDS_MAX);
    let problem = batch(BATCH_COMMANDS_MAX + 1).unwrap_err();
    expect![[r#"400 malformed pointer "/commands": `/commands` must have at most `8192` items"#]]
        .assert_eq(&in_a_line(&problem));
}

#[test]
fn the_lines_of_a_batch_are_bounded() {
    let line = |index: usize| format!(r#"{{"resource":"vm/image-{index}","amount":1}}"#);
    let lines = |count: usize| (0..count).map(line).collect::<Vec<_>>().join(",");
    let most = lines(64);
    let items = |last: usize| {
        let ops = [
            r#""op":"reserve","scope":"p-7""#,
            r#""op":"commit""#,
            r#""op":"release""#,
            r#""op":"resize""#,
        ];
        let item = |index: usize| {
            let op = ops[index % ops.len()];
            format!(r#"{{{op},"id":"r-1","lines":[{most}]}}"#)
        };
        let mut items: Vec<String> = (0..BATCH_LINES_MAX / 64 - 1).map(item).collect();
        items.push(format!(
            r#"{{"op":"commit","id":"r-1","lines":[{}]}}"#,
            lines(last)
        ));
        items
    };
    let batch = |items: Vec<String>| {
        let items = items.join(",");
        decode(&format!(
            "POST /reservations:batch\n\n{{\"commands\":[{items}]}}"
        ))
    };
    assert!(batch(items(64)).is_ok());
    let mut too_many = items(64);
    too_many.push(format!(
        r#"{{"op":"resize","id":"r-1","lines":[{}]}}"#,
        lines(1)
    ));
    let problem = in_a_line(&batch(too_many.clone()).unwrap_err());
    expect![[r#"400 malformed pointer "/commands": `/commands` must have at most `16384` lines over all commands, not `16385`: send more requests"#]].assert_eq(&problem);

    too_many.push("null".to_owned());
    let with_a_bad_item = batch(too_many).unwrap_err();
    assert_eq!(in_a_line(&with_a_bad_item), problem);

    let mut as_many = items(63);
    as_many.push(format!(
        r#"{{"op":"resize","id":"r-1","lines":[{}]}}"#,
        lines(1)
    ));
    assert!(batch(as_many).is_ok());
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
    let members = r#""scope":"p-7","lines":[{"resource":"vm/image","location":"FRA-A","amount":3,"at_least":2}],"ttl_seconds":7,"force":{"reason":"launch"},"holder":"h","attributes":{"a":"b"}"#;
    let single = reserve(&format!("PUT /reservations/r-1\n\n{{{members}}}"));
    for rest in ["", ",null"] {
        let item = format!(r#"{{"op":"reserve","id":"r-1",{members}}}"#);
        let text = format!("POST /reservations:batch\n\n{{\"commands\":[{item}{rest}]}}");
        let Ok(Call::Batch(items, _)) = decode(&text) else {
            panic!("no batch");
        };
        assert_eq!(items[0], Ok(BatchItem::Reserve(single.clone())));
    }
}
