//! Batches as protobuf: what is read, what is refused, and what is answered.

use std::fmt::Write;

use expect_test::{Expect, expect, expect_file};
use plimsoll_core::model::State;
use plimsoll_core::outcome::{Denial, Done, Outcome};
use plimsoll_dialects::native::{BATCH_COMMANDS_MAX, BatchOutcome, Call, Format, Problem, encode};
use serde_json::json;

use super::samples::{exceeded, reservation, warning};
use super::{decode_bytes, in_a_line};
use twin::{bytes, number, varint};

mod laws;
mod twin;

const PROTOBUF: &str = "POST /reservations:batch\ncontent-type: application/x-protobuf";

fn check(body: &[u8], expect: Expect) {
    let mut shown = String::new();
    match decode_bytes(PROTOBUF, body) {
        Ok(Call::Batch(items, format)) => {
            assert_eq!(format, Format::XProtobuf);
            for item in items {
                match item {
                    Ok(item) => writeln!(shown, "{item:?}").unwrap(),
                    Err(problem) => writeln!(shown, "{}", in_a_line(&problem)).unwrap(),
                }
            }
        }
        Ok(other) => panic!("no batch: {other:?}"),
        Err(problem) => writeln!(shown, "all of it: {}", in_a_line(&problem)).unwrap(),
    }
    expect.assert_eq(&shown);
}

fn of_commands(commands: &[Vec<u8>]) -> Vec<u8> {
    commands.iter().flat_map(|it| bytes(1, it)).collect()
}

#[test]
fn good_items() {
    let line = json!([{"resource": "vm/image", "location": "FRA-A", "amount": 3, "at_least": 2}]);
    let taken = json!([{"resource": "vm/image", "amount": 1}]);
    let commands = [
        json!({"op": "reserve", "id": "r-1", "scope": "p-7", "lines": line, "ttl_seconds": 7,
            "force": {"reason": "launch"}, "holder": "h", "attributes": {"a": "b", "c": ""}}),
        json!({"op": "reserve", "id": "r-2", "scope": "p-7", "lines": taken, "commit": true}),
        json!({"op": "commit", "id": "r-1"}),
        json!({"op": "release", "id": "r-1", "scope": "p-7", "lines": taken}),
        json!({"op": "extend", "id": "r-1", "ttl_seconds": 60, "if_revision": 0}),
        json!({"op": "resize", "id": "r-1", "lines": taken, "if_revision": 9007199254740991_u64}),
        json!({"op": "transfer", "id": "r-1", "to": "p-8", "force": {"reason": "launch"}}),
    ];
    check(
        &twin::batch(&commands),
        expect![[r#"
        Reserve(Reserve { id: r-1, scope: p-7, asked: Asked { lines: Lines(One([Line { item: Item { resource: vm/image, location: Some(FRA-A) }, amount: Amount(3) }])), at_least: Some([Amount(2)]) }, terms: Hold { ttl_ms: 7000 }, grounds: Force(launch), holder: Some(h), attributes: Attributes(Some({a: b, c: })) })
        Reserve(Reserve { id: r-2, scope: p-7, asked: Asked { lines: Lines(One([Line { item: Item { resource: vm/image, location: None }, amount: Amount(1) }])), at_least: None }, terms: Commit, grounds: Limits, holder: None, attributes: Attributes(None) })
        Change(Change { id: r-1, scope: None, verb: Commit { part: None }, expected: Whatever })
        Change(Change { id: r-1, scope: Some(p-7), verb: Release { part: Some(Lines(One([Line { item: Item { resource: vm/image, location: None }, amount: Amount(1) }]))) }, expected: Whatever })
        Change(Change { id: r-1, scope: None, verb: Extend { ttl_ms: 60000 }, expected: Revision(0) })
        Change(Change { id: r-1, scope: None, verb: Resize { lines: Lines(One([Line { item: Item { resource: vm/image, location: None }, amount: Amount(1) }])), grounds: Limits }, expected: Revision(9007199254740991) })
        Change(Change { id: r-1, scope: None, verb: Transfer { to: p-8, grounds: Force(launch) }, expected: Whatever })
    "#]],
    );
    check(b"", expect![""]);
}

#[test]
fn one_bad_item_leaves_the_rest() {
    let (commit, id) = (number(1, 2), bytes(2, "r-1"));
    let ended = |more: &[u8]| [&commit, &id, more].concat();
    let commands = [
        Vec::new(),
        id.clone(),
        [number(1, 0), id.clone()].concat(),
        [number(1, 7), id.clone()].concat(),
        [bytes(1, "commit"), id.clone()].concat(),
        commit.clone(),
        [commit.clone(), number(2, 1)].concat(),
        [commit.clone(), bytes(2, b"\xff")].concat(),
        ended(&id),
        ended(&bytes(12, "x")),
        ended(&[0x5b]),
        ended(&[0]),
        ended(&[0x80]),
        ended(&[0x58]),
        ended(&[0x59, 1, 2, 3, 4, 5, 6, 7, 8]),
        ended(&[0x5d, 1, 2, 3]),
        ended(&[0xff; 11]),
        ended(&[vec![0x1a], varint(u64::MAX)].concat()),
        ended(&number(11, u64::MAX)),
        ended(&number(6, 2)),
        ended(&bytes(4, number(5, 1))),
        ended(&number(4, 1)),
        ended(b""),
    ];
    check(
        &of_commands(&commands),
        expect![[r#"
        400 malformed pointer "/commands/0/op": `/commands/0/op` is missing: give it
        400 malformed pointer "/commands/1/op": `/commands/1/op` is missing: give it
        400 malformed pointer "/commands/2/op": `/commands/2/op` must be `reserve`, `commit`, `release`, `extend`, `resize` or `transfer`
        400 malformed pointer "/commands/3/op": `/commands/3/op` must be `reserve`, `commit`, `release`, `extend`, `resize` or `transfer`
        400 malformed pointer "/commands/4/op": `/commands/4/op` must be a varint, by its wire type too
        400 malformed pointer "/commands/5/id": `/commands/5/id` is missing: give it
        400 malformed pointer "/commands/6/id": `/commands/6/id` must be a string, by its wire type too
        400 malformed pointer "/commands/7/id": `/commands/7/id` must be UTF-8
        400 malformed pointer "/commands/8/id": `/commands/8/id` is there twice: give it once
        400 malformed pointer "/commands/9": `/commands/9` has a field `12`, which is unknown: leave it out
        400 malformed pointer "/commands/10": `/commands/10` is not protobuf: no field has such a key
        400 malformed pointer "/commands/11": `/commands/11` is not protobuf: no field has such a key
        400 malformed pointer "/commands/12": `/commands/12` is not protobuf: it ends too early
        400 malformed pointer "/commands/13": `/commands/13` is not protobuf: it ends too early
        400 malformed pointer "/commands/14/if_revision": `/commands/14/if_revision` must be a varint, by its wire type too
        400 malformed pointer "/commands/15": `/commands/15` is not protobuf: it ends too early
        400 malformed pointer "/commands/16": `/commands/16` is not protobuf: a number has more than 64 bits
        400 malformed pointer "/commands/17": `/commands/17` is not protobuf: it ends too early
        400 malformed pointer "/commands/18/if_revision": `/commands/18/if_revision` must be from `0` to `9007199254740991`, not `18446744073709551615`
        400 malformed pointer "/commands/19/commit": `/commands/19/commit` must be true or false
        400 malformed pointer "/commands/20/lines/0": `/commands/20/lines/0` has a field `5`, which is unknown: leave it out
        400 malformed pointer "/commands/21/lines/0": `/commands/21/lines/0` must be a message, by its wire type too
        Change(Change { id: r-1, scope: None, verb: Commit { part: None }, expected: Whatever })
    "#]],
    );
}

#[test]
fn what_is_wrong_further_inside() {
    let head = [number(1, 1), bytes(2, "r-1"), bytes(3, "p-7")].concat();
    let line = [bytes(1, "vm/image"), number(3, 1)].concat();
    let cases = [
        bytes(4, b""),
        bytes(4, bytes(1, "vm/image")),
        bytes(4, [bytes(1, "vm/image"), number(3, 0)].concat()),
        bytes(4, [line.clone(), number(3, 1)].concat()),
        bytes(4, &line).repeat(2),
        [bytes(4, &line), bytes(4, [0x22, 9])].concat(),
        bytes(7, b""),
        bytes(7, number(1, 1)),
        number(7, 1),
        bytes(9, [bytes(1, "a/b"), number(2, 1)].concat()),
        bytes(9, bytes(3, "a")),
        bytes(9, bytes(1, "a")).repeat(2),
        [bytes(4, &line), bytes(9, b"")].concat(),
    ];
    let commands = cases.map(|more| [head.clone(), more].concat());
    check(
        &of_commands(&commands),
        expect![[r#"
        400 malformed pointer "/commands/0/lines/0/resource": `/commands/0/lines/0/resource` is missing: give it
        400 malformed pointer "/commands/1/lines/0/amount": `/commands/1/lines/0/amount` is missing: give it
        400 malformed pointer "/commands/2/lines/0/amount": `/commands/2/lines/0/amount` must be from `1` to `9007199254740991`, not `0`
        400 malformed pointer "/commands/3/lines/0/amount": `/commands/3/lines/0/amount` is there twice: give it once
        400 malformed pointer "/commands/4/lines": `/commands/4/lines` must name each resource and location in one line only
        400 malformed pointer "/commands/5/lines/1": `/commands/5/lines/1` is not protobuf: it ends too early
        400 malformed pointer "/commands/6/force/reason": `/commands/6/force/reason` is missing: give it
        400 malformed pointer "/commands/7/force/reason": `/commands/7/force/reason` must be a string, by its wire type too
        400 malformed pointer "/commands/8/force": `/commands/8/force` must be a message, by its wire type too
        400 malformed pointer "/commands/9/attributes/a~1b": `/commands/9/attributes/a~1b` must be a string, by its wire type too
        400 malformed pointer "/commands/10/attributes": `/commands/10/attributes` has a field `3`, which is unknown: leave it out
        400 malformed pointer "/commands/11/attributes": `/commands/11/attributes` must have each name once
        Reserve(Reserve { id: r-1, scope: p-7, asked: Asked { lines: Lines(One([Line { item: Item { resource: vm/image, location: None }, amount: Amount(1) }])), at_least: None }, terms: Hold { ttl_ms: 300000 }, grounds: Limits, holder: None, attributes: Attributes(Some({: })) })
    "#]],
    );
}

#[test]
fn a_bad_envelope_is_all_of_it() {
    let good = bytes(1, [number(1, 2), bytes(2, "r-1")].concat());
    let huge = [vec![0x0a], varint(u64::MAX)].concat();
    check(
        &good[..good.len() - 1],
        expect![[r#"
        all of it: 400 malformed pointer "": the body is not protobuf: it ends too early
    "#]],
    );
    check(
        &[good.clone(), huge].concat(),
        expect![[r#"
        all of it: 400 malformed pointer "": the body is not protobuf: it ends too early
    "#]],
    );
    check(
        &[good.clone(), vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0x07]].concat(),
        expect![[r#"
            all of it: 400 malformed pointer "": the body is not protobuf: it ends too early
        "#]],
    );
    check(
        &number(1, 1),
        expect![[r#"
        all of it: 400 malformed pointer "/commands": `/commands` must be a message, by its wire type too
    "#]],
    );
    check(
        &[good.clone(), number(2, 1)].concat(),
        expect![[r#"
        all of it: 400 malformed pointer "": the body has a field `2`, which is unknown: leave it out
    "#]],
    );
    check(
        &[good.clone(), vec![0x0b]].concat(),
        expect![[r#"
        all of it: 400 malformed pointer "": the body is not protobuf: no field has such a key
    "#]],
    );
    check(
        br#"{"commands":[]}"#,
        expect![[r#"
        all of it: 400 malformed pointer "": the body is not protobuf: no field has such a key
    "#]],
    );
    check(
        &good.repeat(BATCH_COMMANDS_MAX + 1),
        expect![[r#"
        all of it: 400 malformed pointer "/commands": `/commands` must have at most `8192` items
    "#]],
    );
    let Ok(Call::Batch(items, _)) = decode_bytes(PROTOBUF, &good.repeat(BATCH_COMMANDS_MAX)) else {
        panic!("the largest batch is refused");
    };
    assert_eq!(items.len(), BATCH_COMMANDS_MAX);
}

#[test]
fn the_type_tells_the_form() {
    let good = bytes(1, [number(1, 2), bytes(2, "r-1")].concat());
    let told = |path: &str, content_type: &str, body: &[u8]| match decode_bytes(
        &format!("POST {path}\ncontent-type: {content_type}"),
        body,
    ) {
        Ok(Call::Batch(items, format)) => format!("{format:?}, {} items", items.len()),
        Ok(other) => format!("{other:?}"),
        Err(problem) => in_a_line(&problem),
    };
    let batch = "/reservations:batch";
    for (content_type, format) in [
        ("application/x-protobuf", "XProtobuf, 1 items"),
        ("application/protobuf", "Protobuf, 1 items"),
        (
            "Application/X-Protobuf ; messageType=\"x\"",
            "XProtobuf, 1 items",
        ),
    ] {
        assert_eq!(told(batch, content_type, &good), format);
    }
    assert_eq!(
        told(batch, "application/protobuf", b""),
        "Protobuf, 0 items"
    );
    expect![[r#"415 unsupported_media_type header "content-type": the body must be JSON: send `content-type: application/json`"#]].assert_eq(&told(batch, "application/octet-stream", &good));
    expect![[r#"415 unsupported_media_type header "content-type": the body must be JSON: send `content-type: application/json`"#]].assert_eq(&told(
        "/reservations/r-1/commit",
        "application/x-protobuf",
        &good,
    ));
    expect![[
        r#"400 malformed pointer "": the body is not JSON: expected value at line 2 column 1"#
    ]]
    .assert_eq(&told(batch, "application/json", &good));
}

#[test]
fn answers() {
    let it = || reservation(State::Committed).into();
    let outcomes = [
        BatchOutcome::Decided(Outcome::Done(Done::Reservation(it()))),
        BatchOutcome::Decided(Outcome::Done(Done::Warned(it(), vec![warning()]))),
        BatchOutcome::Decided(Outcome::Denied(Denial::QuotaExceeded(vec![exceeded()]))),
        BatchOutcome::Problem(Problem::outcome_unknown()),
    ];
    let reply = encode::batch(&outcomes, Format::Protobuf);
    assert_eq!(reply.status, 200);
    let headers = [("content-type", "application/protobuf".to_owned())];
    assert_eq!(reply.headers, headers);
    expect_file!["answers.txt"].assert_eq(&shown(&reply.body, 0));
    let none = encode::batch(&[], Format::XProtobuf);
    assert_eq!(
        (none.headers[0].1.as_str(), none.body.len()),
        ("application/x-protobuf", 0)
    );
}

/// A message, field by field; what does not look like a text is shown as a message.
fn shown(mut message: &[u8], depth: usize) -> String {
    let mut shown = String::new();
    while !message.is_empty() {
        let key = read(&mut message);
        let number = read(&mut message);
        write!(shown, "{}{}", "  ".repeat(depth), key >> 3).unwrap();
        if key & 7 == 0 {
            writeln!(shown, ": {number}").unwrap();
            continue;
        }
        assert_eq!(key & 7, 2);
        let (inside, rest) = message.split_at(usize::try_from(number).unwrap());
        message = rest;
        let text = str::from_utf8(inside).ok();
        match text.filter(|text| !text.chars().any(char::is_control)) {
            Some(text) => writeln!(shown, ": {text:?}").unwrap(),
            None => write!(shown, ":\n{}", self::shown(inside, depth + 1)).unwrap(),
        }
    }
    shown
}

fn read(rest: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, behind) = rest.split_first().unwrap();
        *rest = behind;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            break;
        }
    }
    number
}
