//! What is set: limits in time, tiers, rules for requests, webhooks; read and shown.

use expect_test::{Expect, expect};
use plimsoll_core::amount::{Ceiling, Timestamp};
use plimsoll_core::command::Action;
use plimsoll_core::model::{Alerts, Mode, Reach, Resource, Scope, Topic, Webhook};
use plimsoll_core::outcome::{Done, Outcome, Source};
use plimsoll_core::report::{Over, Quota};
use plimsoll_dialects::http::Reply;
use plimsoll_dialects::native::{Call, Delivery, encode};

use super::samples::*;
use super::{decode, in_a_line, show};

fn check_read(text: &str, expect: Expect) {
    let call = decode(text).unwrap_or_else(|problem| panic!("{}", in_a_line(&problem)));
    expect.assert_eq(&format!("{call:?}"));
}

fn check(reply: &Reply, expect: Expect) {
    expect.assert_eq(&show(reply));
}

#[test]
fn limits_for_a_time_are_read() {
    check_read(
        r#"PUT /scopes/p-7/limits

{"resource":"vm/image","location":"FRA-A","limit":8,"mode":"warn","starts_at":"2026-01-31T12:00:00Z","ends_at":"2026-02-01T12:00:00Z","reason":"launch"}"#,
        expect![
            "Act(PutLimit(PutLimit { scope: p-7, item: Item { resource: vm/image, location: Some(FRA-A) }, window: Window { starts_at: Some(Timestamp(1769860800000)), ends_at: Some(Timestamp(1769947200000)) }, ceiling: Finite(Amount(8)), mode: Warn, reason: launch, expected: Whatever }))"
        ],
    );
    check_read(
        r#"PUT /scopes/p-7/limits?dry_run=false

{"resource":"vm/image","limit":8,"mode":"observe","starts_at":null,"ends_at":"2026-02-01T12:00:00Z","reason":"launch"}"#,
        expect![
            "Act(PutLimit(PutLimit { scope: p-7, item: Item { resource: vm/image, location: None }, window: Window { starts_at: None, ends_at: Some(Timestamp(1769947200000)) }, ceiling: Finite(Amount(8)), mode: Observe, reason: launch, expected: Whatever }))"
        ],
    );
    check_read(
        "PUT /scopes/p-7/limits?dry_run=true\nif-match: \"12\"\n\n{\"resource\":\"vm/image\",\"limit\":8,\"reason\":\"launch\"}",
        expect![
            "DryRun(PutLimit { scope: p-7, item: Item { resource: vm/image, location: None }, window: Window { starts_at: None, ends_at: None }, ceiling: Finite(Amount(8)), mode: Enforce, reason: launch, expected: Revision(12) })"
        ],
    );
    check_read(
        "DELETE /scopes/p-7/limits?resource=vm/image&starts_at=2026-01-31T12:00:00Z&ends_at=2026-02-01T12:00:00.000%2B00:00",
        expect![
            "Act(DeleteLimit(DeleteLimit { scope: p-7, item: Item { resource: vm/image, location: None }, window: Window { starts_at: Some(Timestamp(1769860800000)), ends_at: Some(Timestamp(1769947200000)) }, reason: , expected: Whatever }))"
        ],
    );
    check_read(
        "DELETE /scopes/p-7/limits?resource=vm/image&ends_at=2026-02-01T12:00:00Z",
        expect![
            "Act(DeleteLimit(DeleteLimit { scope: p-7, item: Item { resource: vm/image, location: None }, window: Window { starts_at: None, ends_at: Some(Timestamp(1769947200000)) }, reason: , expected: Whatever }))"
        ],
    );
}

/// What a mode and a topic are called is the same in requests and in answers.
#[test]
fn modes_and_topics_have_one_word() {
    for mode in [Mode::Enforce, Mode::Warn, Mode::Observe] {
        let body = format!(
            r#"{{"resource":"vm/image","limit":1,"reason":"launch","mode":"{}"}}"#,
            mode.name()
        );
        match decode(&format!("PUT /scopes/p-7/limits\n\n{body}")) {
            Ok(Call::Act(Action::PutLimit(put))) => assert_eq!(put.mode, mode),
            other => panic!("{other:?}"),
        }
    }
    for topic in Topic::ALL {
        let body = format!(
            r#"{{"url":"https://example.com","scope":"*","topics":["{}"]}}"#,
            topic.name()
        );
        match decode(&format!("PUT /webhooks/pager\n\n{body}")) {
            Ok(Call::PutWebhook(new)) => assert_eq!(new.topics, [topic]),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn limits_for_a_time_are_shown() {
    check(
        &encode::limit(&passing_limit()),
        expect![[r#"
        200
        etag: "12"
        {"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":8,"mode":"warn","starts_at":"2026-01-31T12:00:00.000Z","ends_at":"2026-02-01T12:00:00.000Z","set_by":"ops","set_at":"2026-01-31T12:00:00.007Z","reason":"launch","request":"q-1","revision":12}
    "#]],
    );
    let over = Over {
        scope: scope_id("p-7"),
        item: item("vm/image@FRA-A"),
        used: amount(9),
        held: amount(1),
        over_by: amount(2),
    };
    check(
        &encode::dry_run(&passing_limit(), &[over]),
        expect![[r#"
            200
            {"limit":{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":8,"mode":"warn","starts_at":"2026-01-31T12:00:00.000Z","ends_at":"2026-02-01T12:00:00.000Z","set_by":"ops","set_at":"2026-01-31T12:00:00.007Z","reason":"launch","request":"q-1","revision":12},"over":[{"scope":"p-7","resource":"vm/image","location":"FRA-A","used":9,"held":1,"over_by":2}]}
        "#]],
    );
    check(
        &encode::dry_run(&limit("vm/image", Ceiling::Unlimited), &[]),
        expect![[r#"
            200
            {"limit":{"scope":"p-7","resource":"vm/image","location":null,"limit":"unlimited","mode":"enforce","starts_at":null,"ends_at":null,"set_by":"ops","set_at":"2026-01-31T12:00:00.007Z","reason":"launch","request":null,"revision":12},"over":[]}
        "#]],
    );
}

#[test]
fn quotas_of_the_past_show_what_counted() {
    let mut then = quota();
    let shown = passing_limit();
    then.sources[0].mode = Mode::Warn;
    then.sources[0].source = Source::Limit {
        item: shown.item,
        window: shown.window,
        set_by: shown.set_by,
        reason: shown.reason,
        request: shown.request,
        revision: shown.revision,
    };
    then.sources[1].source = Source::Tier {
        tier: tier_name("starter"),
        item: item("vm/image"),
    };
    let then = Quota {
        mode: Mode::Warn,
        tally: tally(),
        ..then
    };
    check(
        &encode::quotas(&scope_id("p-7"), 41, Some(at(0)), [&then], None),
        expect![[r#"
            200
            {"scope":"p-7","revision":41,"as_of":"2026-01-31T12:00:00.000Z","quotas":[{"resource":"vm/image","location":"FRA-A","unit":"count","limit":5,"mode":"warn","used":6,"held":1,"available":0,"over_by":2,"counts":{"refused":3,"warned":2,"observed":1,"last_at":"2026-01-31T12:00:00.005Z"},"sources":[{"scope":"p-7","limit":5,"mode":"warn","source":"limit","set":{"location":"FRA-A","starts_at":"2026-01-31T12:00:00.000Z","ends_at":"2026-02-01T12:00:00.000Z","set_by":"ops","reason":"launch","request":"q-1","revision":12},"tier":null,"available":0},{"scope":"acme","limit":"unlimited","mode":"enforce","source":"tier","set":null,"tier":"starter","available":"unlimited"}]}],"next_page_token":null}
        "#]],
    );
}

#[test]
fn tiers_are_read_and_shown() {
    check_read(
        r#"PUT /tiers/starter

{"description":"for a start","limits":[{"resource":"vpc/subnet","limit":"unlimited","mode":"observe"},{"resource":"vm/image","location":"FRA-A","limit":8}],"reason":"for whom it may do"}"#,
        expect![
            "Act(PutTier(Put { row: Tier { name: starter, description: for a start, limits: TierLimits([TierLimit { item: Item { resource: vm/image, location: Some(FRA-A) }, ceiling: Finite(Amount(8)), mode: Enforce }, TierLimit { item: Item { resource: vpc/subnet, location: None }, ceiling: Unlimited, mode: Observe }]) }, reason: for whom it may do }))"
        ],
    );
    check_read(
        "PUT /scopes/p-7\n\n{\"kind\":\"project\",\"parent\":\"acme\",\"tier\":\"starter\"}",
        expect![
            "Act(PutScope(PutScope { id: p-7, parent: Some(acme), kind: project, tier: Some(starter), reason:  }))"
        ],
    );
    check(
        &encode::outcome(&Outcome::Done(Done::Tier(tier()))),
        expect![[r#"
            200
            {"name":"starter","description":"for a start","limits":[{"resource":"vm/image","location":"FRA-A","limit":8,"mode":"enforce"},{"resource":"vpc/subnet","location":null,"limit":"unlimited","mode":"observe"}]}
        "#]],
    );
    check(
        &encode::tiers([&tier()]),
        expect![[r#"
        200
        {"tiers":[{"name":"starter","description":"for a start","limits":[{"resource":"vm/image","location":"FRA-A","limit":8,"mode":"enforce"},{"resource":"vpc/subnet","location":null,"limit":"unlimited","mode":"observe"}]}]}
    "#]],
    );
    let scope = Scope {
        tier: Some(tier_name("starter")),
        ..scope(Some("acme"))
    };
    check(
        &encode::scope(&scope),
        expect![[r#"
        200
        {"id":"p-7","parent":"acme","tenant":"acme","depth":2,"kind":"project","tier":"starter"}
    "#]],
    );
}

#[test]
fn rules_for_requests_are_read_and_shown() {
    check_read(
        r#"PUT /resources/vm/image

{"unit":"count","default_limit":5,"per_location":true,"auto_approval":{"limit":20,"factor_percent":200,"cool_off_seconds":86400},"alerts":[100,50]}"#,
        expect![
            "Act(PutResource(Put { row: Resource { name: vm/image, unit: count, default_ceiling: Finite(Amount(5)), per_location: true, adjustable: true, auto_approval: Some(AutoApproval { ceiling: Amount(20), factor_percent: Some(200), cool_off_ms: 86400000 }), alerts: Alerts([50, 100]), description:  }, reason:  }))"
        ],
    );
    check_read(
        r#"PUT /resources/vm/image

{"unit":"count","default_limit":5,"per_location":true,"auto_approval":null,"alerts":[]}"#,
        expect![
            "Act(PutResource(Put { row: Resource { name: vm/image, unit: count, default_ceiling: Finite(Amount(5)), per_location: true, adjustable: true, auto_approval: None, alerts: Alerts([]), description:  }, reason:  }))"
        ],
    );
    check_read(
        r#"POST /resources/vm/image/auto_approval:dry_run

{"limit":9007199254740991,"factor_percent":1000000,"cool_off_seconds":31622400}"#,
        expect![
            "TestAutoApproval { resource: vm/image, rule: AutoApproval { ceiling: Amount(9007199254740991), factor_percent: Some(1000000), cool_off_ms: 31622400000 } }"
        ],
    );
    let resource = Resource {
        auto_approval: Some(auto_approval()),
        alerts: Alerts::new(vec![50]).unwrap(),
        ..resource()
    };
    check(
        &encode::resource(&resource),
        expect![[r#"
        200
        {"name":"vm/image","unit":"count","default_limit":5,"per_location":true,"adjustable":true,"auto_approval":{"limit":20,"factor_percent":200,"cool_off_seconds":86400},"alerts":[50],"description":"machine images"}
    "#]],
    );
}

#[test]
fn webhooks_are_read_and_shown() {
    check_read(
        r#"PUT /webhooks/pager

{"url":"https://example.com:8443/hook?key=a%20b","scope":"acme","topics":["limit","refused"],"enabled":false}"#,
        expect![
            "PutWebhook(NewWebhook { id: pager, reach: Below(acme), url: https://example.com:8443/hook?key=a%20b, topics: [Refused, Limit], enabled: false })"
        ],
    );
    let hook = webhook(&[Topic::Refused, Topic::Limit]);
    check(
        &encode::outcome(&Outcome::Done(Done::Webhook(hook.clone().into()))),
        expect![[r#"
            200
            {"id":"pager","url":"https://example.com/hook","scope":"acme","topics":["refused","limit"],"enabled":true,"delivered":41,"revision":9}
        "#]],
    );
    check(
        &encode::webhook_created(&hook, "s3cret"),
        expect![[r#"
        200
        cache-control: no-store
        {"id":"pager","url":"https://example.com/hook","scope":"acme","topics":["refused","limit"],"enabled":true,"delivered":41,"revision":9,"secret":"s3cret"}
    "#]],
    );
    let of_all = Webhook {
        reach: Reach::Everything,
        ..webhook(&Topic::ALL)
    };
    check(
        &encode::webhooks([&of_all]),
        expect![[r#"
        200
        {"webhooks":[{"id":"pager","url":"https://example.com/hook","scope":"*","topics":["threshold_crossed","refused","request","expired","limit"],"enabled":true,"delivered":41,"revision":9}]}
    "#]],
    );
    check(
        &encode::outcome(&Outcome::Done(Done::WebhookGone)),
        expect![[r#"
            200
            {}
        "#]],
    );
}

#[test]
fn a_webhook_is_shown_with_what_became_of_what_it_was_told() {
    let hook = webhook(&[Topic::Limit]);
    check(
        &encode::shown_webhook(&hook, None),
        expect![[r#"
        200
        {"id":"pager","url":"https://example.com/hook","scope":"acme","topics":["limit"],"enabled":true,"delivered":41,"revision":9,"delivery":null}
    "#]],
    );
    let at = |ms| Timestamp::from_ms(ms).unwrap();
    let delivery = Delivery {
        taken_at: Some(at(1_000)),
        failure: Some((at(2_000), "it answered `500`".to_owned())),
        failures: 3,
        next_try_at: Some(at(9_000)),
    };
    check(
        &encode::shown_webhook(&hook, Some(&delivery)),
        expect![[r#"
            200
            {"id":"pager","url":"https://example.com/hook","scope":"acme","topics":["limit"],"enabled":true,"delivered":41,"revision":9,"delivery":{"taken_at":"1970-01-01T00:00:01.000Z","failed_at":"1970-01-01T00:00:02.000Z","failure":"it answered `500`","failures":3,"next_try_at":"1970-01-01T00:00:09.000Z"}}
        "#]],
    );
    check(
        &encode::shown_webhook(&hook, Some(&Delivery::default())),
        expect![[r#"
            200
            {"id":"pager","url":"https://example.com/hook","scope":"acme","topics":["limit"],"enabled":true,"delivered":41,"revision":9,"delivery":{"taken_at":null,"failed_at":null,"failure":null,"failures":0,"next_try_at":null}}
        "#]],
    );
}

#[test]
fn addresses_of_webhooks_have_many_forms() {
    for url in [
        "http://localhost",
        "https://example.com",
        "https://example.com/",
        "https://example.com?x=/@",
        "https://EXAMPLE.com:65535/a/b;c=d?e=f&g",
        "https://[2001:db8::1]:8443/x",
        "http://127.0.0.1:1",
        "http://hooks_1.internal/%C3%BC",
    ] {
        let text = format!("PUT /webhooks/pager\n\n{{\"url\":\"{url}\",\"scope\":\"*\"}}");
        assert!(decode(&text).is_ok(), "{url}");
    }
}
