//! The outline of a record is that of what it says.

use plimsoll_core::command::ReservationKey;
use plimsoll_core::event::{Change, Event, Log};
use plimsoll_core::model::Item;
use plimsoll_core::names::{LocationId, ScopeId};

use super::*;
use crate::record::{KeptRecords, RecordWriter, Sealed, change_bytes, event_bytes, log_name};
use crate::testing::{CHANGE_KINDS, Dice, scopes};

/// What an outline must say of a row.
fn expected(change: &Change) -> (RowKind, Vec<&str>, bool) {
    match change {
        Change::Resource(row) => (RowKind::Resource, vec![row.name.as_str()], false),
        Change::Location(row) => (RowKind::Location, vec![row.id.as_str()], false),
        Change::Scope(row) => (RowKind::Scope, vec![row.id.as_str()], false),
        Change::Tier(row) => (RowKind::Tier, vec![row.name.as_str()], false),
        Change::Limits {
            scope,
            item,
            limits,
        } => (RowKind::Limits, names_of(scope, item), limits.is_empty()),
        Change::Tally { scope, item, .. } => (RowKind::Tally, names_of(scope, item), false),
        Change::Account { scope, item, .. } => (RowKind::Account, names_of(scope, item), false),
        Change::Reservation(row) => {
            let names = vec![row.tenant.as_str(), row.id.as_str()];
            (RowKind::Reservation, names, false)
        }
        Change::ReservationGone(ReservationKey { tenant, id }) => {
            let names = vec![tenant.as_str(), id.as_str()];
            (RowKind::Reservation, names, true)
        }
        Change::Principal(row) => (RowKind::Principal, vec![row.id.as_str()], false),
        Change::PrincipalGone(id) => (RowKind::Principal, vec![id.as_str()], true),
        Change::Request(row) => (RowKind::Request, vec![row.id.as_str()], false),
        Change::RequestGone { id, .. } => (RowKind::Request, vec![id.as_str()], true),
        Change::Webhook(row) => (RowKind::Webhook, vec![row.id.as_str()], false),
        Change::WebhookGone(id) => (RowKind::Webhook, vec![id.as_str()], true),
    }
}

fn names_of<'a>(scope: &'a ScopeId, item: &'a Item) -> Vec<&'a str> {
    let location = item.location.as_ref().map_or("", LocationId::as_str);
    vec![scope.as_str(), item.resource.as_str(), location]
}

fn assert_outline(events: &[Event]) {
    let mut writer = RecordWriter::new(1, &[0; 32]);
    for event in events {
        writer.push(event, &[0; 32]);
    }
    let (bytes, _) = writer.finish();
    let record = Sealed::check(&bytes).expect("a record");
    assert_eq!(record.len(), bytes.len());
    let mut kept = KeptRecords::default();
    kept.push(&record);
    assert_eq!(kept.len(), bytes.len());
    let mut count = 0;
    let shown = kept
        .iter()
        .next()
        .expect("the record")
        .outline(|outline, rows| {
            let event = &events[count];
            let head = (outline.head.revision, outline.head.at);
            assert_eq!(outline.index, count);
            assert_eq!(outline.log, log_name(&event.log));
            assert_eq!(head, (event.revision, event.at));
            assert_eq!(outline.bytes, event_bytes(event));
            assert_eq!(rows.len(), event.changes.len());
            for (row, change) in rows.iter().zip(&event.changes) {
                let (kind, names, is_gone) = expected(change);
                let found: Vec<&[u8]> = row.key.names().collect();
                let names: Vec<&[u8]> = names.into_iter().map(str::as_bytes).collect();
                assert_eq!((row.key.kind, found), (kind, names), "{change:?}");
                assert_eq!(row.is_gone, is_gone, "{change:?}");
                assert_eq!(row.bytes, change_bytes(change));
            }
            count += 1;
        });
    shown.expect("an outline");
    assert_eq!(count, events.len());
}

#[test]
fn every_kind_of_row_has_its_outline() {
    let mut dice = Dice(21);
    for kind in 0..CHANGE_KINDS {
        for _ in 0..400 {
            let mut event = dice.event(Log::Catalogue, 1);
            event.changes = vec![dice.change(kind)];
            assert_outline(&[event]);
        }
    }
}

#[test]
fn many_events_have_their_outlines() {
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let tenant = Log::Tenant(dice.pick(&scopes()));
        let count = dice.below(12) as u64;
        let event = |revision| {
            let log = dice.pick(&[Log::Catalogue, tenant.clone()]);
            dice.event(log, revision)
        };
        let events: Vec<Event> = (0..count).map(event).collect();
        assert_outline(&events);
    }
}

/// Keys stand in the order of the tables: that of the names, not of how they are spelled.
#[test]
fn keys_are_ordered_as_tables_are() {
    let mut dice = Dice(22);
    let changes: Vec<Change> = (0..CHANGE_KINDS)
        .cycle()
        .take(600)
        .map(|kind| dice.change(kind))
        .collect();
    let mut event = dice.event(Log::Catalogue, 1);
    event.changes.clone_from(&changes);
    let mut writer = RecordWriter::new(1, &[0; 32]);
    writer.push(&event, &[0; 32]);
    let (bytes, _) = writer.finish();
    let record = Sealed::check(&bytes).expect("a record");
    let mut keys = Vec::new();
    let shown = record.outline(|_, rows| keys.extend(rows.iter().map(|row| row.key)));
    shown.expect("an outline");
    for (one, first) in keys.iter().zip(&changes) {
        for (other, second) in keys.iter().zip(&changes) {
            let (a, b) = (expected(first), expected(second));
            let expected = (a.0, &a.1).cmp(&(b.0, &b.1));
            assert_eq!(one.cmp(other), expected, "{first:?} {second:?}");
            assert_eq!(one == other, expected.is_eq(), "{first:?} {second:?}");
            let by_prefix = one.prefix().cmp(&other.prefix());
            assert_eq!(by_prefix.then(expected), expected, "{first:?} {second:?}");
        }
    }
}

#[test]
fn a_record_that_is_cut_off_has_no_outline() {
    let mut dice = Dice(23);
    let mut event = dice.event(Log::Catalogue, 1);
    event.changes = (0..CHANGE_KINDS).map(|kind| dice.change(kind)).collect();
    let mut writer = RecordWriter::new(1, &[0; 32]);
    writer.push(&event, &[0; 32]);
    let (bytes, _) = writer.finish();
    let body = &bytes[..Sealed::check(&bytes).expect("a record").body.len()];
    for len in EVENTS_OFFSET..body.len() {
        assert!(outline(&body[..len], 1, |_, _| ()).is_err(), "{len} bytes");
    }
    assert!(outline(body, 1, |_, _| ()).is_ok());
    assert!(outline(body, 0, |_, _| ()).is_err(), "an event too many");
}
