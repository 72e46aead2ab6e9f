//! Laws on random batches: a batch and its twin are the same to the server, and no bytes break it.

use plimsoll_dialects::native::Call;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use super::super::{decode_bytes, in_a_line};
use super::{PROTOBUF, twin};

const CASES: u32 = 2_000;

fn runner() -> TestRunner {
    TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    })
}

fn texts(of: &'static [&'static str]) -> impl Strategy<Value = Value> {
    select(of.to_vec()).prop_map(Value::from)
}

fn id() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => texts(&["r-1", "p-7", "FRA-A", "a.b:c_d"]),
        1 => texts(&["", "r 1", "ü", "-r", "r\u{0}"]),
        1 => (127..130_usize).prop_map(|length| "r".repeat(length).into()),
    ]
}

fn free_text() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => texts(&["", " ", "image 1", "ü \"\\"]),
        1 => texts(&["\n", "\u{202e}x"]),
        1 => (511..514_usize).prop_map(|length| "t".repeat(length).into()),
    ]
}

fn whole() -> impl Strategy<Value = Value> {
    let bounds = [0, 2_592_000, 2_592_001, (1 << 53) - 1, 1 << 53, u64::MAX];
    prop_oneof![8 => 1..200_u64, 1 => select(bounds.to_vec())].prop_map(Value::from)
}

/// An object with those members that are there.
fn object(members: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    let members = members.into_iter();
    let there = members.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect())
}

fn line() -> impl Strategy<Value = Value> {
    let resource = texts(&[
        "vm/image", "vm/disk", "net/ip", "vm/image", "vm", "VM/a", "",
    ]);
    let parts = (
        option::weighted(0.95, resource),
        option::of(id()),
        option::weighted(0.95, whole()),
        option::weighted(0.3, whole()),
    );
    parts.prop_map(|(resource, location, amount, at_least)| {
        object([
            ("resource", resource),
            ("location", location),
            ("amount", amount),
            ("at_least", at_least),
        ])
    })
}

fn lines() -> impl Strategy<Value = Value> {
    let many = (63..67_usize).prop_map(|count| {
        let line = |number| json!({"resource": format!("vm/image-{number}"), "amount": 1});
        (0..count).map(line).collect()
    });
    prop_oneof![12 => vec(line(), 1..4), 1 => many].prop_map(Value::Array)
}

fn attributes() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        9 => (0..30_u8).prop_map(|number| format!("name-{number}")),
        1 => select(vec!["", "a/b~c", "\t"]).prop_map(str::to_owned),
    ];
    let entries = |size| btree_map(name.clone(), free_text(), size);
    let all = prop_oneof![9 => entries(1..4), 1 => entries(14..20)];
    all.prop_map(|all| Value::Object(Map::from_iter(all)))
}

/// Members that a command needs are mostly there, those that mean nothing for it mostly not.
fn command() -> impl Strategy<Value = Value> {
    let words = [
        "reserve", "commit", "release", "extend", "resize", "transfer", "renew",
    ];
    let force = || option::weighted(0.9, free_text()).prop_map(|it| object([("reason", it)]));
    let op = select(words.to_vec());
    let wanted = |op: &str, of: &[&str]| if of.contains(&op) { 0.8 } else { 0.03 };
    op.prop_flat_map(move |op| {
        let first = (
            Just(op),
            option::weighted(0.97, id()),
            option::weighted(0.9, id()),
            option::weighted(wanted(op, &["reserve", "resize"]), lines()),
            option::weighted(wanted(op, &["extend"]), whole()),
            option::weighted(wanted(op, &[]), any::<bool>().prop_map(Value::from)),
        );
        let second = (
            option::weighted(wanted(op, &["transfer"]) / 2.0, force()),
            option::weighted(wanted(op, &["reserve"]) / 2.0, free_text()),
            option::weighted(wanted(op, &["reserve"]) / 2.0, attributes()),
            option::weighted(wanted(op, &["transfer"]), id()),
            option::weighted(wanted(op, &["commit", "extend"]) / 2.0, whole()),
        );
        (first, second)
    })
    .prop_map(|((op, id, scope, lines, ttl, commit), second)| {
        let (force, holder, attributes, to, if_revision) = second;
        object([
            ("op", Some(op.into())),
            ("id", id),
            ("scope", scope),
            ("lines", lines),
            ("ttl_seconds", ttl),
            ("commit", commit),
            ("force", force),
            ("holder", holder),
            ("attributes", attributes),
            ("to", to),
            ("if_revision", if_revision),
        ])
    })
}

fn items(head: &str, body: &[u8]) -> Vec<String> {
    let Ok(Call::Batch(items, _)) = decode_bytes(head, body) else {
        panic!("no batch");
    };
    let shown = items.into_iter().map(|item| match item {
        Ok(item) => format!("{item:?}"),
        Err(problem) => in_a_line(&problem),
    });
    shown.collect()
}

#[test]
fn a_batch_and_its_twin_are_read_alike() {
    let law = |commands: Vec<Value>| {
        let json = json!({"commands": commands}).to_string();
        let told = items("POST /reservations:batch", json.as_bytes());
        let twin = items(PROTOBUF, &twin::batch(&commands));
        prop_assert_eq!(told, twin);
        Ok(())
    };
    if let Err(error) = runner().run(&vec(command(), 0..6), law) {
        panic!("{error}");
    }
}

#[test]
fn no_bytes_break_it() {
    let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let cut = option::weighted(0.3, any::<prop::sample::Index>());
    let changed = (vec(command(), 1..4), changes, cut).prop_map(|(commands, changes, cut)| {
        let mut bytes = twin::batch(&commands);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let length = bytes.len();
        bytes.truncate(cut.map_or(length, |cut| cut.index(length)));
        bytes
    });
    let bytes = prop_oneof![changed, vec(any::<u8>(), 0..200)];
    let law = |bytes: Vec<u8>| {
        match decode_bytes(PROTOBUF, &bytes) {
            Ok(Call::Batch(items, _)) => {
                for problem in items.iter().filter_map(|item| item.as_ref().err()) {
                    prop_assert!(
                        in_a_line(problem).starts_with("400 malformed pointer \"/commands/")
                    );
                }
            }
            Ok(other) => panic!("no batch: {other:?}"),
            Err(problem) => prop_assert!(in_a_line(&problem).starts_with("400 malformed pointer")),
        }
        Ok(())
    };
    if let Err(error) = runner().run(&bytes, law) {
        panic!("{error}");
    }
}
