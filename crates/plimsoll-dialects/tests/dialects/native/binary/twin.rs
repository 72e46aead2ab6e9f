//! A batch as JSON, and the same batch as protobuf: written from the schema in `proto/`, and by
//! nothing that the server has.

use serde_json::{Map, Value};

/// A field whose value is a number.
pub(super) fn number(field: u64, number: u64) -> Vec<u8> {
    [varint(field << 3), varint(number)].concat()
}

/// A field whose value is a string or a message.
pub(super) fn bytes(field: u64, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [
        varint(field << 3 | 2),
        varint(bytes.len() as u64),
        bytes.to_vec(),
    ]
    .concat()
}

pub(super) fn varint(mut number: u64) -> Vec<u8> {
    let mut written = Vec::new();
    while number >= 0x80 {
        written.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    written.push(number.to_le_bytes()[0]);
    written
}

/// A `BatchRequest`, from the commands of the JSON.
pub(super) fn batch(commands: &[Value]) -> Vec<u8> {
    let commands = commands
        .iter()
        .map(|it| bytes(1, command(it.as_object().unwrap())));
    commands.collect::<Vec<_>>().concat()
}

fn command(members: &Map<String, Value>) -> Vec<u8> {
    let member = |(name, value): (&String, &Value)| match name.as_str() {
        "op" => number(1, op(value.as_str().unwrap())),
        "id" => text(2, value),
        "scope" => text(3, value),
        "lines" => {
            let lines = value.as_array().unwrap().iter();
            lines.flat_map(|it| bytes(4, line(it))).collect()
        }
        "ttl_seconds" => whole(5, value),
        "commit" => number(6, value.as_bool().unwrap().into()),
        "force" => {
            let reason = value.get("reason");
            bytes(7, reason.map(|it| text(1, it)).unwrap_or_default())
        }
        "holder" => text(8, value),
        "attributes" => {
            let entries = value.as_object().unwrap().iter();
            let entry = |(name, value)| [bytes(1, name), text(2, value)].concat();
            entries.flat_map(|it| bytes(9, entry(it))).collect()
        }
        "to" => text(10, value),
        "if_revision" => whole(11, value),
        other => panic!("no member `{other}`"),
    };
    members.iter().flat_map(member).collect()
}

fn line(line: &Value) -> Vec<u8> {
    let member = |(name, value): (&String, &Value)| match name.as_str() {
        "resource" => text(1, value),
        "location" => text(2, value),
        "amount" => whole(3, value),
        "at_least" => whole(4, value),
        other => panic!("no member `{other}`"),
    };
    line.as_object().unwrap().iter().flat_map(member).collect()
}

/// A word that is no op is a number that is none.
fn op(word: &str) -> u64 {
    let words = [
        "reserve", "commit", "release", "extend", "resize", "transfer",
    ];
    let place = words.iter().position(|known| *known == word);
    place.map_or(7, |place| place as u64 + 1)
}

fn text(field: u64, value: &Value) -> Vec<u8> {
    bytes(field, value.as_str().unwrap())
}

fn whole(field: u64, value: &Value) -> Vec<u8> {
    number(field, value.as_u64().unwrap())
}
