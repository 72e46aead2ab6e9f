//! Events: asked for, seen, shown, and told to webhooks.

use expect_test::{Expect, expect};
use plimsoll_core::command::ReservationKey;
use plimsoll_core::event::{Cause, Change, Crossing, Event, Log, Mark};
use plimsoll_core::model::{
    Account, Mode, Reach, RequestStatus, Reservation, State, Topic, Webhook,
};
use plimsoll_core::names::ReservationId;
use plimsoll_dialects::native::{Call, EventFilter, Read, encode, notices, visible};

use super::samples::*;
use super::{decode, in_a_line, show};
use crate::world::World;

/// Two projects of one tenant, and another tenant.
fn world() -> World {
    World::default()
        .scope("acme", None)
        .scope("p-7", Some("acme"))
        .scope("p-8", Some("acme"))
        .scope("other", None)
}

fn event(cause: Cause, changes: Vec<Change>) -> Event {
    Event {
        log: Log::Tenant(scope_id("acme")),
        revision: 42,
        at: at(5),
        actor: principal_id("k-1"),
        cause,
        reason: None,
        mark: Mark::Enforced,
        changes,
        crossed: Vec::new(),
    }
}

fn account(scope: &str) -> Change {
    Change::Account {
        scope: scope_id(scope),
        item: item("vm/image@FRA-A"),
        account: Account {
            used: amount(3),
            held: amount(1),
        },
    }
}

fn crossing(scope: &str) -> Crossing {
    Crossing {
        scope: scope_id(scope),
        item: item("vm/image@FRA-A"),
        percent: 80,
        ceiling: amount(5),
        taken: amount(4),
    }
}

/// Everything that an event of a tenant can change, in `p-7` and in `acme`.
fn eventful() -> Event {
    let passed = |scope| (scope_id(scope), item("vm/image@FRA-A"), Mode::Warn);
    let tallied = |scope| Change::Tally {
        scope: scope_id(scope),
        item: item("vm/image@FRA-A"),
        tally: tally(),
    };
    let changes = vec![
        account("p-7"),
        account("acme"),
        Change::Reservation(reservation(State::Committed).into()),
        Change::ReservationGone(ReservationKey {
            tenant: scope_id("acme"),
            id: ReservationId::parse("r-0").unwrap(),
        }),
        Change::Scope(scope(Some("acme")).into()),
        Change::Limits {
            scope: scope_id("p-7"),
            item: item("vm/image"),
            limits: vec![limit("vm/image", finite(5))],
        },
        tallied("p-7"),
        tallied("acme"),
        Change::Request(request(RequestStatus::Pending).into()),
        Change::RequestGone {
            tenant: scope_id("acme"),
            id: request_id("q-0"),
        },
        Change::Principal(principal(access_key()).into()),
        Change::Webhook(webhook(&Topic::ALL).into()),
    ];
    Event {
        mark: Mark::Passed {
            limits: vec![passed("p-7"), passed("acme")],
        },
        crossed: vec![crossing("p-7"), crossing("acme")],
        ..event(Cause::Reserved, changes)
    }
}

fn check_read(text: &str, expect: Expect) {
    let call = decode(text).unwrap_or_else(|problem| panic!("{}", in_a_line(&problem)));
    expect.assert_eq(&format!("{call:?}"));
}

/// What is seen of an event in one line: its mark, its changes by kind and place.
fn seen(event: &Event, scope: &str, filter: &EventFilter) -> String {
    let Some(event) = visible(&world(), event, Some(&scope_id(scope)), filter) else {
        return "nothing".to_owned();
    };
    let data: serde_json::Value = serde_json::from_slice(&encode::event_data(&event)).unwrap();
    let change = |change: &serde_json::Value| {
        let row = &change["row"];
        let place = row.get("scope").or(row.get("tenant")).unwrap();
        format!("{} {place}", change["kind"]).replace('"', "")
    };
    let changes: Vec<_> = data["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(change)
        .collect();
    format!(
        "{}, {} passed, {} crossed: {}",
        event.mark.name(),
        data["mark"]["limits"].as_array().unwrap().len(),
        event.crossed.len(),
        changes.join(", ")
    )
}

#[test]
fn events_are_asked_for() {
    check_read(
        "GET /scopes/p-7/events",
        expect![
            "Read(Events { scope: Some(p-7), filter: EventFilter { resource: None, location: None, cause: None }, after: 0, size: 100, live: false })"
        ],
    );
    check_read(
        "GET /events?after=41&page_size=7&cause=tier_put",
        expect![
            "Read(Events { scope: None, filter: EventFilter { resource: None, location: None, cause: Some(TierPut) }, after: 41, size: 7, live: false })"
        ],
    );
    check_read(
        "GET /scopes/p-7/events?after=41&page_size=7&resource=vm/image&location=FRA-A&cause=limit_put",
        expect![
            "Read(Events { scope: Some(p-7), filter: EventFilter { resource: Some(vm/image), location: Some(FRA-A), cause: Some(LimitPut) }, after: 41, size: 7, live: false })"
        ],
    );
}

/// Every cause can be asked for by the word that the events show.
#[test]
fn causes_have_one_word() {
    for cause in [
        Cause::Reserved,
        Cause::Committed,
        Cause::Released,
        Cause::Expired,
        Cause::Extended,
        Cause::Resized,
        Cause::Transferred,
        Cause::Forgotten,
        Cause::ScopePut,
        Cause::LimitPut,
        Cause::LimitDeleted,
        Cause::RefusalsCounted,
        Cause::RequestSubmitted,
        Cause::RequestApproved,
        Cause::RequestDenied,
        Cause::RequestCancelled,
        Cause::ResourcePut,
        Cause::LocationPut,
        Cause::TierPut,
        Cause::PrincipalCreated,
        Cause::PrincipalChanged,
        Cause::PrincipalDeleted,
        Cause::WebhookPut,
        Cause::WebhookDeleted,
        Cause::WebhookDelivered,
    ] {
        match decode(&format!("GET /scopes/p-7/events?cause={}", cause.name())) {
            Ok(Call::Read(Read::Events { filter, .. })) => assert_eq!(filter.cause, Some(cause)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_stream_is_asked_for_by_a_header() {
    let read = |head: &str| match decode(&format!("GET /scopes/p-7/events?after=3\n{head}")) {
        Ok(Call::Read(Read::Events { live, after, .. })) => (live, after),
        other => panic!("{other:?}"),
    };
    for (head, expected) in [
        ("accept: application/json", (false, 3)),
        ("accept: text/event-streams", (false, 3)),
        ("last-event-id: 41", (false, 3)),
        ("last-event-id: x", (false, 3)),
        ("accept: text/event-stream", (true, 3)),
        (
            "accept: application/json, Text/Event-Stream ;q=0.5",
            (true, 3),
        ),
        ("accept: */*\naccept: text/event-stream", (true, 3)),
        ("accept: text/event-stream\nlast-event-id: 41", (true, 41)),
        ("accept: text/event-stream\nlast-event-id: 0", (true, 0)),
    ] {
        assert_eq!(read(head), expected, "{head}");
    }
}

#[test]
fn a_reader_sees_what_lies_in_his_scope() {
    let whole = EventFilter::default();
    expect!["passed, 2 passed, 2 crossed: account p-7, account acme, reservation p-7, reservation_gone acme, scope acme, limits p-7, tally p-7, tally acme, request p-7, request_gone acme"].assert_eq(&seen(&eventful(), "acme", &whole));
    expect!["passed, 1 passed, 1 crossed: account p-7, reservation p-7, scope acme, limits p-7, tally p-7, request p-7"].assert_eq(&seen(&eventful(), "p-7", &whole));
    assert_eq!(seen(&eventful(), "p-8", &whole), "nothing");
    assert_eq!(seen(&eventful(), "other", &whole), "nothing");
    assert_eq!(seen(&eventful(), "nowhere", &whole), "nothing");
    let above = Event {
        mark: Mark::Passed {
            limits: vec![(scope_id("acme"), item("vm/image"), Mode::Observe)],
        },
        ..event(Cause::Reserved, vec![account("p-7"), account("acme")])
    };
    expect!["enforced, 0 passed, 0 crossed: account p-7"].assert_eq(&seen(&above, "p-7", &whole));
    let mended = Event {
        mark: Mark::Mended {
            reason: text("nightly"),
        },
        ..event(Cause::Released, vec![account("p-7")])
    };
    expect!["mended, 0 passed, 0 crossed: account p-7"].assert_eq(&seen(&mended, "p-7", &whole));
}

#[test]
fn a_transfer_is_seen_on_both_sides() {
    let moved = Reservation {
        scope: scope_id("p-8"),
        ..reservation(State::Committed)
    };
    let changes = vec![
        account("p-7"),
        account("p-8"),
        Change::Reservation(moved.into()),
    ];
    let transfer = event(Cause::Transferred, changes);
    let whole = EventFilter::default();
    expect!["enforced, 0 passed, 0 crossed: account p-7"]
        .assert_eq(&seen(&transfer, "p-7", &whole));
    expect!["enforced, 0 passed, 0 crossed: account p-8, reservation p-8"]
        .assert_eq(&seen(&transfer, "p-8", &whole));
}

#[test]
fn nobody_sees_the_catalogue_at_a_scope() {
    let changes = vec![
        Change::Principal(principal(access_key()).into()),
        Change::Webhook(webhook(&Topic::ALL).into()),
        Change::Resource(resource().into()),
        Change::Location(location()),
        Change::Tier(tier()),
        Change::PrincipalGone(principal_id("k-1")),
    ];
    let whole = EventFilter::default();
    let of_catalogue = Event {
        log: Log::Catalogue,
        ..event(Cause::ScopePut, eventful().changes)
    };
    for event in [of_catalogue, event(Cause::ScopePut, changes)] {
        assert_eq!(seen(&event, "acme", &whole), "nothing");
        let data = String::from_utf8(encode::event_data(&event)).unwrap();
        assert!(!data.contains("secret") && !data.contains("hash"), "{data}");
        assert!(notices(&event, &webhook(&Topic::ALL), |_| true).is_empty());
    }
}

/// The catalogue's log tells its events whole; a tenant's are not among them.
#[test]
fn the_catalogue_is_seen_without_a_scope() {
    let catalogue = Event {
        log: Log::Catalogue,
        reason: Some(text("grown")),
        ..event(
            Cause::TierPut,
            vec![
                Change::Tier(tier()),
                Change::PrincipalGone(principal_id("k-1")),
                Change::WebhookGone(webhook(&Topic::ALL).id),
                Change::Resource(resource().into()),
                Change::Location(location()),
            ],
        )
    };
    let of = |cause| EventFilter {
        cause,
        ..EventFilter::default()
    };
    let seen = |event: &Event, cause| visible(&world(), event, None, &of(cause));
    assert_eq!(seen(&catalogue, None), Some(catalogue.clone()));
    assert_eq!(
        seen(&catalogue, Some(Cause::TierPut)),
        Some(catalogue.clone())
    );
    assert_eq!(seen(&catalogue, Some(Cause::ResourcePut)), None);
    assert_eq!(seen(&eventful(), None), None);
    let noted = Event {
        cause: Cause::WebhookDelivered,
        ..catalogue.clone()
    };
    assert_eq!(seen(&noted, None), None);
    assert!(seen(&noted, Some(Cause::WebhookDelivered)).is_some());
    let page = encode::events(None, &[catalogue], None);
    expect![[r#"
        200
        {"scope":null,"events":[{"revision":42,"at":"2026-01-31T12:00:00.005Z","actor":"k-1","cause":"tier_put","reason":"grown","mark":{"kind":"enforced","reason":null,"limits":[]},"changes":[{"kind":"tier","row":{"name":"starter","description":"for a start","limits":[{"resource":"vm/image","location":"FRA-A","limit":8,"mode":"enforce"},{"resource":"vpc/subnet","location":null,"limit":"unlimited","mode":"observe"}]}},{"kind":"principal_gone","row":{"id":"k-1"}},{"kind":"webhook_gone","row":{"id":"pager"}},{"kind":"resource","row":{"name":"vm/image","unit":"count","default_limit":5,"per_location":true,"adjustable":true,"auto_approval":null,"alerts":[80,100],"description":"machine images"}},{"kind":"location","row":{"id":"FRA-A","name":"Frankfurt A","attributes":{"zoneName":"Frankfurt A"}}}],"crossed":[]}],"next_after":null}
    "#]].assert_eq(&show(&page));
}

#[test]
fn a_reader_sees_what_he_asks_for() {
    let of = |resource: Option<&str>, location: Option<&str>, cause| EventFilter {
        resource: resource.map(resource_name),
        location: location.map(location_id),
        cause,
    };
    let is_seen = |changes: Vec<Change>, filter| {
        seen(&event(Cause::Reserved, changes), "acme", &filter) != "nothing"
    };
    let kept = || vec![Change::Reservation(reservation(State::Committed).into())];
    let plain = || vec![Change::Scope(scope(Some("acme")).into())];
    for (changes, filter, expected) in [
        (kept(), of(None, None, Some(Cause::Reserved)), true),
        (kept(), of(None, None, Some(Cause::Released)), false),
        (kept(), of(Some("vm/image"), None, None), true),
        (kept(), of(Some("vpc/subnet"), None, None), true),
        (kept(), of(Some("vm/disk"), None, None), false),
        (kept(), of(None, Some("FRA-A"), None), true),
        (kept(), of(None, Some("HKG-A"), None), false),
        (kept(), of(Some("vm/image"), Some("FRA-A"), None), true),
        // The location is another line's.
        (kept(), of(Some("vpc/subnet"), Some("FRA-A"), None), false),
        (vec![account("p-7")], of(Some("vm/image"), None, None), true),
        (vec![account("p-7")], of(Some("vm/disk"), None, None), false),
        (plain(), of(None, None, None), true),
        (plain(), of(Some("vm/image"), None, None), false),
    ] {
        assert_eq!(is_seen(changes, filter.clone()), expected, "{filter:?}");
    }
}

#[test]
fn every_change_is_shown() {
    let scope = scope_id("acme");
    let shown = encode::events(Some(&scope), &[eventful()], Some(42));
    expect![[r#"
        200
        {"scope":"acme","events":[{"revision":42,"at":"2026-01-31T12:00:00.005Z","actor":"k-1","cause":"reserved","reason":null,"mark":{"kind":"passed","reason":null,"limits":[{"scope":"p-7","resource":"vm/image","location":"FRA-A","mode":"warn"},{"scope":"acme","resource":"vm/image","location":"FRA-A","mode":"warn"}]},"changes":[{"kind":"account","row":{"scope":"p-7","resource":"vm/image","location":"FRA-A","used":3,"held":1}},{"kind":"account","row":{"scope":"acme","resource":"vm/image","location":"FRA-A","used":3,"held":1}},{"kind":"reservation","row":{"id":"r-1","state":"committed","scope":"p-7","tenant":"acme","lines":[{"resource":"vm/image","location":"FRA-A","amount":1},{"resource":"vpc/subnet","location":null,"amount":2}],"asked":null,"forced":null,"holder":"img-1 \"ü\"","attributes":{"name":"x"},"created_at":"2026-01-31T12:00:00.000Z","expires_at":null,"ended_at":null,"revision":42,"warnings":[]}},{"kind":"reservation_gone","row":{"tenant":"acme","id":"r-0"}},{"kind":"scope","row":{"id":"p-7","parent":"acme","tenant":"acme","depth":2,"kind":"project","tier":null}},{"kind":"limits","row":{"scope":"p-7","resource":"vm/image","location":null,"limits":[{"scope":"p-7","resource":"vm/image","location":null,"limit":5,"mode":"enforce","starts_at":null,"ends_at":null,"set_by":"ops","set_at":"2026-01-31T12:00:00.007Z","reason":"launch","request":null,"revision":12}]}},{"kind":"tally","row":{"scope":"p-7","resource":"vm/image","location":"FRA-A","counts":{"refused":3,"warned":2,"observed":1,"last_at":"2026-01-31T12:00:00.005Z"}}},{"kind":"tally","row":{"scope":"acme","resource":"vm/image","location":"FRA-A","counts":{"refused":3,"warned":2,"observed":1,"last_at":"2026-01-31T12:00:00.005Z"}}},{"kind":"request","row":{"id":"q-1","state":"pending","scope":"p-7","resource":"vm/image","location":"FRA-A","limit":12,"reason":"launch","submitted_by":"k-1","submitted_at":"2026-01-31T12:00:00.000Z","present_limit":5,"ruling":null,"granted_limit":null,"until":null,"limit_revision":null,"automatic":null,"revision":43}},{"kind":"request_gone","row":{"tenant":"acme","id":"q-0"}},{"kind":"principal","row":{"id":"k-1","kind":"access_key","role":"enforcer","scope":"acme","force":false,"enabled":true,"expires_at":"2026-01-31T12:00:00.999Z","description":"image service","created_at":"2026-01-31T12:00:00.000Z","revision":3}},{"kind":"webhook","row":{"id":"pager","url":"https://example.com/hook","scope":"acme","topics":["threshold_crossed","refused","request","expired","limit"],"enabled":true,"delivered":41,"revision":9}}],"crossed":[{"scope":"p-7","resource":"vm/image","location":"FRA-A","percent":80,"limit":5,"taken":4},{"scope":"acme","resource":"vm/image","location":"FRA-A","percent":80,"limit":5,"taken":4}]}],"next_after":42}
    "#]].assert_eq(&show(&shown));
    let forced = Event {
        mark: Mark::Forced {
            reason: text("launch\u{2003}day"),
        },
        ..event(Cause::Resized, Vec::new())
    };
    let page = encode::events(Some(&scope), std::slice::from_ref(&forced), None);
    expect![[r#"
        200
        {"scope":"acme","events":[{"revision":42,"at":"2026-01-31T12:00:00.005Z","actor":"k-1","cause":"resized","reason":"launch day","mark":{"kind":"forced","reason":"launch day","limits":[]},"changes":[],"crossed":[]}],"next_after":null}
    "#]].assert_eq(&show(&page));
    let data = String::from_utf8(encode::event_data(&forced)).unwrap();
    assert!(show(&page).contains(&data));
    assert!(!data.contains('\n'));
}

fn told(event: &Event, webhook: &Webhook) -> String {
    let is_below = |scope: &_| *scope == scope_id("p-7");
    let notices = notices(event, webhook, is_below).into_iter();
    let lines = notices.map(|notice| {
        let body = String::from_utf8(notice.body).unwrap();
        format!("{} {}\n{body}\n", notice.topic.name(), notice.id)
    });
    lines.collect()
}

#[test]
fn webhooks_are_told() {
    let all = webhook(&Topic::ALL);
    let crossed = Event {
        crossed: vec![crossing("acme"), crossing("p-7")],
        ..event(Cause::Reserved, vec![account("p-7")])
    };
    expect![[r#"
        threshold_crossed acme:42:1
        {"id":"acme:42:1","topic":"threshold_crossed","at":"2026-01-31T12:00:00.005Z","tenant":"acme","revision":42,"data":{"scope":"p-7","resource":"vm/image","location":"FRA-A","percent":80,"limit":5,"taken":4}}
    "#]].assert_eq(&told(&crossed, &all));
    let tallied = Change::Tally {
        scope: scope_id("p-7"),
        item: item("vpc/subnet"),
        tally: tally(),
    };
    let refused = event(Cause::RefusalsCounted, vec![tallied]);
    expect![[r#"
        refused acme:42:0
        {"id":"acme:42:0","topic":"refused","at":"2026-01-31T12:00:00.005Z","tenant":"acme","revision":42,"data":{"scope":"p-7","resource":"vpc/subnet","location":null,"counts":{"refused":3,"warned":2,"observed":1,"last_at":"2026-01-31T12:00:00.005Z"}}}
    "#]].assert_eq(&told(&refused, &all));
    let lapsed = Reservation {
        state: State::Expired { ended_at: at(5) },
        ..reservation(State::Committed)
    };
    let lapsed = event(
        Cause::Expired,
        vec![account("p-7"), Change::Reservation(lapsed.into())],
    );
    expect![[r#"
        expired acme:42:0
        {"id":"acme:42:0","topic":"expired","at":"2026-01-31T12:00:00.005Z","tenant":"acme","revision":42,"data":{"id":"r-1","state":"expired","scope":"p-7","tenant":"acme","lines":[{"resource":"vm/image","location":"FRA-A","amount":1},{"resource":"vpc/subnet","location":null,"amount":2}],"asked":null,"forced":null,"holder":"img-1 \"ü\"","attributes":{"name":"x"},"created_at":"2026-01-31T12:00:00.000Z","expires_at":null,"ended_at":"2026-01-31T12:00:00.005Z","revision":42,"warnings":[]}}
    "#]].assert_eq(&told(&lapsed, &all));
    let limits = Change::Limits {
        scope: scope_id("p-7"),
        item: item("vm/image@FRA-A"),
        limits: vec![passing_limit()],
    };
    let set = event(Cause::LimitPut, vec![limits.clone()]);
    expect![[r#"
        limit acme:42:0
        {"id":"acme:42:0","topic":"limit","at":"2026-01-31T12:00:00.005Z","tenant":"acme","revision":42,"data":{"scope":"p-7","resource":"vm/image","location":"FRA-A","limits":[{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":8,"mode":"warn","starts_at":"2026-01-31T12:00:00.000Z","ends_at":"2026-02-01T12:00:00.000Z","set_by":"ops","set_at":"2026-01-31T12:00:00.007Z","reason":"launch","request":"q-1","revision":12}]}}
    "#]].assert_eq(&told(&set, &all));
    let granted = event(
        Cause::RequestApproved,
        vec![limits, Change::Request(request(approved()).into())],
    );
    expect![[r#"
        limit acme:42:0
        {"id":"acme:42:0","topic":"limit","at":"2026-01-31T12:00:00.005Z","tenant":"acme","revision":42,"data":{"scope":"p-7","resource":"vm/image","location":"FRA-A","limits":[{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":8,"mode":"warn","starts_at":"2026-01-31T12:00:00.000Z","ends_at":"2026-02-01T12:00:00.000Z","set_by":"ops","set_at":"2026-01-31T12:00:00.007Z","reason":"launch","request":"q-1","revision":12}]}}
        request acme:42:1
        {"id":"acme:42:1","topic":"request","at":"2026-01-31T12:00:00.005Z","tenant":"acme","revision":42,"data":{"id":"q-1","state":"approved","scope":"p-7","resource":"vm/image","location":"FRA-A","limit":12,"reason":"launch","submitted_by":"k-1","submitted_at":"2026-01-31T12:00:00.000Z","present_limit":5,"ruling":{"by":"ops","at":"2026-01-31T12:01:00.000Z","reason":"a big customer"},"granted_limit":10,"until":"2026-02-01T12:00:00.000Z","limit_revision":44,"automatic":false,"revision":43}}
    "#]].assert_eq(&told(&granted, &all));
}

/// A fact has one id, whoever else is told what else of the same event.
#[test]
fn webhooks_are_told_what_they_want_to_hear() {
    let crossed = Event {
        crossed: vec![crossing("acme"), crossing("p-7")],
        ..event(
            Cause::RequestApproved,
            vec![Change::Request(request(approved()).into())],
        )
    };
    let ids = |webhook: &Webhook, event: &Event| {
        let is_below = |scope: &_| *scope == scope_id("p-7");
        let ids = notices(event, webhook, is_below).into_iter();
        ids.map(|notice| notice.id).collect::<Vec<_>>()
    };
    let of_all = Webhook {
        reach: Reach::Everything,
        ..webhook(&Topic::ALL)
    };
    assert_eq!(
        ids(&of_all, &crossed),
        ["acme:42:0", "acme:42:1", "acme:42:2"]
    );
    let of_some = webhook(&Topic::ALL);
    assert_eq!(ids(&of_some, &crossed), ["acme:42:1", "acme:42:2"]);
    let of_requests = webhook(&[Topic::Request]);
    assert_eq!(ids(&of_requests, &crossed), ["acme:42:2"]);
    assert!(ids(&webhook(&[]), &crossed).is_empty());
    let off = Webhook {
        enabled: false,
        ..of_all
    };
    assert!(ids(&off, &crossed).is_empty());
    for cause in [
        Cause::RequestSubmitted,
        Cause::RequestDenied,
        Cause::RequestCancelled,
    ] {
        let ruled = event(cause, vec![Change::Request(request(approved()).into())]);
        assert_eq!(ids(&of_requests, &ruled), ["acme:42:0"]);
    }
}
