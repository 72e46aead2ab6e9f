//! What was written is read back; what was changed is refused.

use expect_test::{Expect, expect};
use plimsoll_core::event::{Cause, Change, Event, Log, Mark};
use plimsoll_core::model::{State, Terms};
use plimsoll_core::names::{PrincipalId, ScopeId, Text};

use super::*;
use crate::testing::{CAUSES, CHANGE_KINDS, Dice, instant, name};

/// The place of a change's kind among those that [`Dice::change`] makes. A kind that is missing
/// here does not compile, and one that is missing there fails the round trip.
fn kind(change: &Change) -> usize {
    match change {
        Change::Resource(_) => 0,
        Change::Location(_) => 1,
        Change::Scope(_) => 2,
        Change::Limits { .. } => 3,
        Change::Tally { .. } => 4,
        Change::Account { .. } => 5,
        Change::Reservation(_) => 6,
        Change::Principal(_) => 7,
        Change::PrincipalGone(_) => 8,
        Change::ReservationGone(_) => 9,
        Change::Tier(_) => 10,
        Change::Request(_) => 11,
        Change::RequestGone { .. } => 12,
        Change::Webhook(_) => 13,
        Change::WebhookGone(_) => 14,
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
        Cause::Extended => 12,
        Cause::Resized => 13,
        Cause::Transferred => 14,
        Cause::Forgotten => 15,
        Cause::TierPut => 16,
        Cause::RefusalsCounted => 17,
        Cause::RequestSubmitted => 18,
        Cause::RequestApproved => 19,
        Cause::RequestDenied => 20,
        Cause::RequestCancelled => 21,
        Cause::WebhookPut => 22,
        Cause::WebhookDeleted => 23,
        Cause::WebhookDelivered => 24,
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
        reason: None,
        mark: Mark::Enforced,
        changes,
        crossed: Vec::new(),
    }
}

fn parse(bytes: &[u8]) -> Result<Record, Damage> {
    Sealed::check(bytes)?.read()
}

fn assert_round_trip(events: &[Event]) {
    let (bytes, hash) = record(events);
    let sealed = Sealed::check(&bytes).unwrap_or_else(|damage| panic!("{damage}: {events:?}"));
    assert_eq!((sealed.sequence, sealed.previous), (7, [9; 32]));
    let parsed = sealed
        .read()
        .unwrap_or_else(|damage| panic!("{damage}: {events:?}"));
    let read: Vec<&Event> = parsed.events.iter().map(|(event, _)| event).collect();
    assert_eq!(read, events.iter().collect::<Vec<_>>());
    assert_eq!((parsed.sequence, parsed.hash), (7, hash));
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
fn every_mark_is_read_back() {
    let mut dice = Dice(2);
    for _ in 0..40 {
        let mark = dice.mark();
        assert_round_trip(&[Event {
            mark,
            ..event(Cause::Reserved, vec![])
        }]);
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
            assert_round_trip(&[event(
                Cause::Committed,
                vec![Change::Reservation(row.into())],
            )]);
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
    let reason = name("rush", Text::parse);
    let (bytes, _) = record(&[Event {
        reason: Some(name("why", Text::parse)),
        mark: Mark::Forced { reason },
        ..event(Cause::Reserved, changes)
    }]);
    check_bytes(
        &bytes,
        expect![[r#"
            04 07 00 00 00 00 00 00 00 09 09 09 09 09 09 09
            09 09 09 09 09 09 09 09 09 09 09 09 09 09 09 09
            09 09 09 09 09 09 09 09 09 01 00 00 00 01 01 74
            03 e8 07 04 72 6f 6f 74 00 01 03 77 68 79 01 04
            72 75 73 68 0f 00 08 76 6d 2f 69 6d 61 67 65 01
            78 00 f3 ad e5 ad 9b a2 bb 03 00 01 0f 5a c3 bc
            72 69 63 68 2c 20 e6 97 a5 e6 9c ac 01 8f f5 eb
            92 ec b2 96 0b 00 fa dc 9f f4 cc f9 81 bb 3d 00
            01 05 46 52 41 2d 41 0f 5a c3 bc 72 69 63 68 2c
            20 e6 97 a5 e6 9c ac 01 02 6b 30 00 02 03 74 2d
            62 01 01 74 01 75 02 00 01 05 6c 61 72 67 65 03
            01 75 08 76 6d 2f 69 6d 61 67 65 01 05 46 52 41
            2d 41 01 00 00 00 87 c5 ff d3 b4 8c 83 03 02 03
            6d 69 61 bd 91 1b 00 01 02 71 31 00 04 01 75 08
            76 6d 2f 69 6d 61 67 65 01 05 46 52 41 2d 41 88
            90 f6 8e 90 b9 c3 cf 28 c3 e8 ca 04 00 80 01 05
            03 74 2d 61 08 76 6d 2f 69 6d 61 67 65 01 05 46
            52 41 2d 41 be 07 b2 de 80 9b a6 de bc 05 06 01
            75 02 72 34 01 75 03 08 76 6d 2f 69 6d 61 67 65
            01 05 46 52 41 2d 41 d8 e4 11 08 76 6d 2f 69 6d
            61 67 65 01 05 48 4b 47 2d 41 83 8b 0d 08 76 6d
            2f 69 6d 61 67 65 00 84 81 18 01 01 75 01 08 76
            6d 2f 69 6d 61 67 65 01 05 46 52 41 2d 41 c0 b0
            2c c0 b0 2c 00 a8 81 06 01 01 78 00 01 02 6b 30
            13 61 20 22 71 75 6f 74 65 64 22 20 5c 20 27 74
            65 78 74 27 02 01 a9 84 99 d9 f4 0d c7 cf 8e 80
            af b6 9a 03 07 02 6b 31 03 00 01 01 07 07 07 07
            07 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07
            07 07 07 07 07 07 07 07 07 07 07 07 00 01 80 01
            13 61 20 22 71 75 6f 74 65 64 22 20 5c 20 27 74
            65 78 74 27 a3 97 94 8c df c3 10 ff ff ff ff ff
            ff ff ff ff 01 08 02 6b 33 09 03 74 2d 61 02 72
            31 0a 05 73 6d 61 6c 6c 00 01 08 76 6d 2f 69 6d
            61 67 65 00 01 00 0b 02 71 33 01 75 03 74 2d 62
            08 76 6d 2f 69 6d 61 67 65 00 01 0f 5a c3 bc 72
            69 63 68 2c 20 e6 97 a5 e6 9c ac 03 74 6f 6d 80
            01 00 87 9b bb ce b0 cd c9 03 01 a9 f0 c8 c2 9b
            e5 31 02 03 6d 69 61 7f 01 78 91 ce e4 de a6 ab
            96 2e 0c 01 74 02 71 32 0d 02 77 32 01 03 74 2d
            62 01 78 03 00 03 04 30 6f 1b 00 f5 59 91 c8 00
            6f 1b 00 f5 59 91 c8 00 6f 1b 00 f5 59 91 c8 00
            6f 1b 00 f5 59 91 c8 00 6f 1b 00 f5 59 91 c8 00
            6f 1b 00 f5 59 91 c8 00 01 c5 84 d1 b7 dc dc 99
            db 2b c2 da e2 a6 ea c9 37 0e 02 77 31 00 0d 96
            da 51 01 f3 0b 9e 31 1e 2d ae 55 27 70 93 30 13
            49 2c 79 79 93 ea a4 42 e7 09 fd 65 4f 1c 1b 12
            b1 63
        "#]],
    );
}

#[test]
fn the_layout_without_events_stays() {
    let (bytes, _) = record(&[]);
    check_bytes(
        &bytes,
        expect![[r#"
            04 07 00 00 00 00 00 00 00 09 09 09 09 09 09 09
            09 09 09 09 09 09 09 09 09 09 09 09 09 09 09 09
            09 09 09 09 09 09 09 09 09 00 00 00 00 e1 6b ae
            5c 93 55 10 54 30 e3 df 5b c8 ce 0e 11 08 d3 de
            93 9a 1a a2 f2 81 41 63 7b 1c d7 ca 48 12 cb 72
            15
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
            assert!(parse(&bytes).is_err(), "byte {position} ^ {mask}");
        }
        bytes[position] = right;
    }
    assert!(parse(&bytes).is_ok());
}

#[test]
fn every_shorter_or_longer_record_is_refused() {
    let mut bytes = small_record();
    for len in 0..bytes.len() {
        assert!(parse(&bytes[..len]).is_err(), "{len} bytes");
    }
    bytes.push(0);
    assert!(parse(&bytes).is_err());
}

/// A record around any body, with a right checksum and a right hash.
fn sealed(body: &[u8]) -> Vec<u8> {
    let mut bytes = body.to_vec();
    bytes.extend_from_slice(&crc32fast::hash(body).to_le_bytes());
    bytes.extend_from_slice(&Sha256::digest(body));
    bytes
}

fn check_damage(body: &[u8], expect: Expect) {
    let damage = parse(&sealed(body)).expect_err("hostile bytes");
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
        [&[5][..], &header(0)[1..]].concat(),
        expect!["the record is of a version not known here (byte 0)"],
    );
    damage(
        [&[1][..], &header(0)[1..]].concat(),
        expect![
            "the record was written by an unreleased build, in a version not known here (byte 0)"
        ],
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
    let event = [0, 1, 1, 1, b'r', 0, 0, 0, 50, 8, 1, b'k'];
    damage(with(1, &event), expect!["a value is cut short (byte 57)"]);
    damage(
        with(1, &[0, 1, 1, 1, b'r', 25, 0, 0, 0]),
        expect!["a cause is of no known kind (byte 51)"],
    );
    damage(
        with(1, &[0, 1, 1, 1, b'r', 0, 0, 4, 0]),
        expect!["a mark is of no known kind (byte 53)"],
    );
    damage(
        with(1, &[0, 1, 1, 1, b'r', 0, 0, 0, 1, 15]),
        expect!["a change is of no known kind (byte 55)"],
    );
    damage(
        with(1, &[0, 1, 1, 1, b'\n', 0, 0, 0, 0]),
        expect!["a name is not one (byte 50)"],
    );
}

/// An original whose least is more than its line, or nothing.
#[test]
fn an_original_that_nobody_asked_for_is_refused() {
    let image = [
        8, b'v', b'm', b'/', b'i', b'm', b'a', b'g', b'e', 0, // vm/image at no location
    ];
    let body = |least: u8| {
        let head = [0, 1, 1, 1, b'r', 0, 0, 0, 1, 6, 1, b't', 1, b'r', 1, b't'];
        let lines = [&[1][..], &image, &[5]].concat();
        let original = [&[1, 1, b't', 1][..], &image, &[5, least]].concat();
        let rest = [1, 0, 0, 0, 1, 0, 0, 0];
        [&header(1)[..], &head, &lines, &original, &rest].concat()
    };
    for least in [0, 6] {
        check_damage(
            &body(least),
            expect!["an original's lines are none (byte 89)"],
        );
    }
    for least in 1..=5 {
        assert!(parse(&sealed(&body(least))).is_ok());
    }
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
        if let Ok(record) = parse(&sealed(&body)) {
            read += 1;
            let bytes: usize = record.events.iter().map(|(_, bytes)| bytes.len()).sum();
            assert_eq!(EVENTS_OFFSET + bytes, body.len());
        }
    }
    // The others were refused; some changes make another valid event.
    assert!((1..20_000).contains(&read), "{read}");
}
