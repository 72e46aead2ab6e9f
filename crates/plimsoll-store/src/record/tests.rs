//! What was written is read back; what was changed is refused.

use expect_test::{Expect, expect};
use plimsoll_core::event::{Cause, Change, Event, Log};
use plimsoll_core::model::{State, Terms};
use plimsoll_core::names::{PrincipalId, ScopeId};

use super::*;
use crate::testing::{CAUSES, CHANGE_KINDS, Dice, instant, name};

/// The place of a change's kind among those that [`Dice::change`] makes. A kind that is missing
/// here does not compile, and one that is missing there fails the round trip.
fn kind(change: &Change) -> usize {
    match change {
        Change::Resource(_) => 0,
        Change::Location(_) => 1,
        Change::Scope(_) => 2,
        Change::Limit(_) => 3,
        Change::LimitGone { .. } => 4,
        Change::Account { .. } => 5,
        Change::Reservation(_) => 6,
        Change::Principal(_) => 7,
        Change::PrincipalGone(_) => 8,
    }
}

/// The place of a cause in [`CAUSES`]. A cause that is missing here does not compile.
fn cause_place(cause: Cause) -> usize {
    match cause {
        Cause::Reserved => 0,
        Cause::Committed => 1,
        Cause::Released => 2,
        Cause::Expired => 3,
        Cause::ResourcePut => 4,
        Cause::LocationPut => 5,
        Cause::ScopePut => 6,
        Cause::LimitPut => 7,
        Cause::LimitDeleted => 8,
        Cause::PrincipalCreated => 9,
        Cause::PrincipalChanged => 10,
        Cause::PrincipalDeleted => 11,
    }
}

fn record(events: &[Event]) -> (Vec<u8>, Hash) {
    let mut writer = RecordWriter::new(7, &[9; 32]);
    for event in events {
        writer.push(event, &[1; 32]);
    }
    writer.finish()
}

fn event(cause: Cause, changes: Vec<Change>) -> Event {
    Event {
        log: Log::Tenant(name("t", ScopeId::parse)),
        revision: 3,
        at: instant(1_000),
        actor: name("root", PrincipalId::parse),
        cause,
        changes,
    }
}

fn assert_round_trip(events: &[Event]) {
    let (bytes, hash) = record(events);
    let parsed = Record::parse(&bytes).unwrap_or_else(|damage| panic!("{damage}: {events:?}"));
    let read: Vec<&Event> = parsed.events.iter().map(|(event, _)| event).collect();
    assert_eq!(read, events.iter().collect::<Vec<_>>());
    assert_eq!((parsed.sequence, parsed.previous), (7, [9; 32]));
    assert_eq!(parsed.hash, hash);
    for (event, bytes) in &parsed.events {
        let chain = RecordWriter::new(1, &Hash::default()).push(event, &[1; 32]);
        assert_eq!(chained(&[1; 32], bytes), chain, "{event:?}");
    }
}

#[test]
fn every_kind_of_change_is_read_back() {
    let mut dice = Dice(1);
    for wanted in 0..CHANGE_KINDS {
        for _ in 0..400 {
            let change = dice.change(wanted);
            assert_eq!(kind(&change), wanted);
            assert_round_trip(&[event(Cause::Reserved, vec![change])]);
        }
    }
}

#[test]
fn every_cause_is_read_back() {
    for (place, cause) in CAUSES.into_iter().enumerate() {
        assert_eq!(cause_place(cause), place);
        assert_round_trip(&[event(cause, vec![])]);
    }
}

#[test]
fn every_state_is_read_back() {
    let states = [
        State::Held {
            expires_at: instant(1),
        },
        State::Committed,
        State::Released {
            ended_at: instant(2),
        },
        State::Expired {
            ended_at: instant(3),
        },
    ];
    for state in states {
        for terms in [Terms::Commit, Terms::Hold { ttl_ms: u64::MAX }] {
            let mut row = Dice(5).reservation();
            (row.state, row.terms) = (state, terms);
            assert_round_trip(&[event(Cause::Committed, vec![Change::Reservation(row)])]);
        }
    }
}

#[test]
fn many_events_are_read_back_in_order() {
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let logs = [Log::Catalogue, Log::Tenant(name("t", ScopeId::parse))];
        let events: Vec<Event> = (0..dice.below(12))
            .map(|revision| {
                let log = dice.pick(&logs);
                dice.event(log, revision as u64)
            })
            .collect();
        assert_round_trip(&events);
    }
}

fn check_bytes(bytes: &[u8], expect: Expect) {
    let mut text = String::new();
    for row in bytes.chunks(16) {
        let hex: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        text.push_str(&hex.join(" "));
        text.push('\n');
    }
    expect.assert_eq(&text);
}

/// Whoever changes these bytes changes the layout: it needs a new version and a reader for the
/// old one.
#[test]
fn the_layout_stays() {
    let mut dice = Dice(3);
    let changes = (0..CHANGE_KINDS).map(|kind| dice.change(kind)).collect();
    let (bytes, _) = record(&[event(Cause::Reserved, changes)]);
    check_bytes(
        &bytes,
        expect![[r#"
        01 07 00 00 00 00 00 00 00 09 09 09 09 09 09 09
        09 09 09 09 09 09 09 09 09 09 09 09 09 09 09 09
        09 09 09 09 09 09 09 09 09 01 00 00 00 01 01 74
        03 e8 07 04 72 6f 6f 74 00 09 00 08 76 6d 2f 69
        6d 61 67 65 01 78 00 f3 ad e5 ad 9b a2 bb 03 00
        01 0f 5a c3 bc 72 69 63 68 2c 20 e6 97 a5 e6 9c
        ac 01 05 46 52 41 2d 41 00 00 02 01 75 01 01 74
        03 74 2d 62 08 01 78 03 03 74 2d 61 08 76 6d 2f
        69 6d 61 67 65 00 01 03 6d 69 61 80 01 01 78 01
        04 01 75 08 76 6d 2f 69 6d 61 67 65 01 05 46 52
        41 2d 41 05 03 74 2d 61 08 76 6d 2f 69 6d 61 67
        65 01 05 48 4b 47 2d 41 ad 04 c8 f2 ee 94 a5 b0
        98 07 06 01 74 02 72 34 01 74 04 08 76 6d 2f 69
        6d 61 67 65 01 05 46 52 41 2d 41 93 cb 39 08 76
        6d 2f 69 6d 61 67 65 01 05 48 4b 47 2d 41 ec 9b
        0f 08 76 6d 2f 69 6d 61 67 65 00 d9 8b 25 07 76
        6d 2f 64 69 73 6b 00 a5 95 17 00 00 01 13 61 20
        22 71 75 6f 74 65 64 22 20 5c 20 27 74 65 78 74
        27 01 02 6b 30 00 02 93 b0 a5 8c 11 d5 97 f4 b2
        93 c1 31 80 01 07 02 6b 33 00 01 01 74 00 20 8d
        92 60 f5 6a 50 51 6a 8d 92 60 f5 6a 50 51 6a 8d
        92 60 f5 6a 50 51 6a 8d 92 60 f5 6a 50 51 6a 00
        01 00 01 78 ff df f3 a3 d2 fa 0f ff ff ff ff ff
        ff ff ff ff 01 08 02 6b 33 c6 18 a2 a8 39 be 83
        a8 e9 dc 61 ed 5d e7 80 f2 1c 8b 97 e5 83 ed 45
        3d 50 4f 03 ae e4 ec ed 33 76 0f 96 8f
    "#]],
    );
    let (bytes, _) = record(&[]);
    check_bytes(
        &bytes,
        expect![[r#"
        01 07 00 00 00 00 00 00 00 09 09 09 09 09 09 09
        09 09 09 09 09 09 09 09 09 09 09 09 09 09 09 09
        09 09 09 09 09 09 09 09 09 00 00 00 00 5e e8 f3
        1c 5b a3 1a 3b 73 49 0c 31 97 b8 da e0 1e 6a 46
        b7 60 34 58 73 b0 c2 6e 54 c1 4d 73 08 16 db 24
        5e
    "#]],
    );
}

fn small_record() -> Vec<u8> {
    let mut dice = Dice(11);
    let changes = (0..CHANGE_KINDS).map(|kind| dice.change(kind)).collect();
    record(&[event(Cause::Reserved, changes)]).0
}

#[test]
fn every_changed_byte_is_refused() {
    let mut bytes = small_record();
    for position in 0..bytes.len() {
        let right = bytes[position];
        for mask in [0x01, 0x80, 0xff] {
            bytes[position] = right ^ mask;
            assert!(Record::parse(&bytes).is_err(), "byte {position} ^ {mask}");
        }
        bytes[position] = right;
    }
    assert!(Record::parse(&bytes).is_ok());
}

#[test]
fn every_shorter_or_longer_record_is_refused() {
    let mut bytes = small_record();
    for len in 0..bytes.len() {
        assert!(Record::parse(&bytes[..len]).is_err(), "{len} bytes");
    }
    bytes.push(0);
    assert!(Record::parse(&bytes).is_err());
}

/// A record around any body, with a right checksum and a right hash.
fn sealed(body: &[u8]) -> Vec<u8> {
    let mut bytes = body.to_vec();
    bytes.extend_from_slice(&crc32fast::hash(body).to_le_bytes());
    bytes.extend_from_slice(&Sha256::digest(body));
    bytes
}

fn check_damage(body: &[u8], expect: Expect) {
    let damage = Record::parse(&sealed(body)).expect_err("hostile bytes");
    expect.assert_eq(&damage.to_string());
}

/// The start of a record with `count` events.
fn header(count: u32) -> Vec<u8> {
    let mut body = vec![VERSION];
    body.extend_from_slice(&1_u64.to_le_bytes());
    body.extend_from_slice(&[0; 32]);
    body.extend_from_slice(&count.to_le_bytes());
    body
}

#[test]
fn hostile_records_are_refused_with_a_reason() {
    let with = |count, tail: &[u8]| [&header(count), tail].concat();
    let damage = |body: Vec<u8>, expect: Expect| check_damage(&body, expect);
    damage(vec![], expect!["the record is cut short (byte 36)"]);
    damage(
        [&[2][..], &header(0)[1..]].concat(),
        expect!["the record is of a version not known here (byte 0)"],
    );
    damage(
        with(u32::MAX, &[]),
        expect!["a value is cut short (byte 45)"],
    );
    damage(
        with(0, &[0]),
        expect!["there are bytes behind the last event (byte 45)"],
    );
    damage(
        with(1, &[2]),
        expect!["a log is of no known kind (byte 46)"],
    );
    // A text of 2^63 bytes.
    let long = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
    damage(
        with(1, &[&[1][..], &long].concat()),
        expect!["a length is greater than the record (byte 56)"],
    );
    // A number of eleven bytes, and one of more than 64 bits.
    damage(
        with(1, &[&[0][..], &[0x80; 11]].concat()),
        expect!["a number does not fit into 64 bits (byte 56)"],
    );
    let beyond = [&[0][..], &[0xff; 9], &[0x02]].concat();
    damage(
        with(1, &beyond),
        expect!["a number does not fit into 64 bits (byte 56)"],
    );
    // An event of as many changes as the record has bytes.
    let event = [0, 1, 1, 1, b'r', 0, 50, 8, 1, b'k'];
    damage(with(1, &event), expect!["a value is cut short (byte 55)"]);
    damage(
        with(1, &[0, 1, 1, 1, b'r', 12, 0]),
        expect!["a cause is of no known kind (byte 51)"],
    );
    damage(
        with(1, &[0, 1, 1, 1, b'r', 0, 1, 9]),
        expect!["a change is of no known kind (byte 53)"],
    );
    damage(
        with(1, &[0, 1, 1, 1, b'\n', 0, 0]),
        expect!["a name is not one (byte 50)"],
    );
}

/// Whatever the bytes are, the answer is an answer: no panic, and no more memory than the bytes
/// themselves justify, since no value is made before its bytes are there.
#[test]
fn random_bytes_never_panic() {
    let mut dice = Dice(17);
    let mut read = 0;
    for round in 0..40_000 {
        let mut body = header(1 + round % 3);
        if round % 2 == 0 {
            let event = dice.event(Log::Catalogue, 1);
            encode::event(&mut body, &event);
            for _ in 0..1 + dice.below(3) {
                let position = EVENTS_OFFSET + dice.below(body.len() - EVENTS_OFFSET);
                body[position] = dice.next().to_le_bytes()[0];
            }
        } else {
            let len = dice.below(200);
            body.extend((0..len).map(|_| dice.next().to_le_bytes()[0]));
        }
        if let Ok(record) = Record::parse(&sealed(&body)) {
            read += 1;
            let bytes: usize = record.events.iter().map(|(_, bytes)| bytes.len()).sum();
            assert_eq!(EVENTS_OFFSET + bytes, body.len());
        }
    }
    // The others were refused; some changes make another valid event.
    assert!((1..20_000).contains(&read), "{read}");
}
