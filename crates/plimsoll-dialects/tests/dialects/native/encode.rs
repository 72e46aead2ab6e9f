//! Everything that can be answered, as it travels.

use expect_test::{Expect, expect};
use plimsoll_core::amount::{Ceiling, Timestamp};
use plimsoll_core::bounds::TIMESTAMP_MS_MAX;
use plimsoll_core::decide::Admissible;
use plimsoll_core::model::{Principal, Reach, Reservation, State};
use plimsoll_core::outcome::{Denial, Done, Outcome, Source};
use plimsoll_dialects::http::Reply;
use plimsoll_dialects::native::{Call, encode};

use super::samples::*;
use super::{decode, show};

fn check(reply: &Reply, expect: Expect) {
    expect.assert_eq(&show(reply));
}

fn check_done(done: Done, expect: Expect) {
    check(&encode::outcome(&Outcome::Done(done)), expect);
}

#[test]
fn done_reservation() {
    let expires_at = at(300_000);
    check_done(
        Done::Reservation(reservation(State::Held { expires_at }).into()),
        expect![[r#"
            200
            etag: "42"
            {"id":"r-1","state":"held","scope":"p-7","tenant":"acme","lines":[{"resource":"vm/image","location":"FRA-A","amount":1},{"resource":"vpc/subnet","location":null,"amount":2}],"asked":null,"forced":null,"holder":"img-1 \"ü\"","attributes":{"name":"x"},"created_at":"2026-01-31T12:00:00.000Z","expires_at":"2026-01-31T12:05:00.000Z","ended_at":null,"revision":42,"warnings":[]}
        "#]],
    );
    let ended_at = at(1);
    for (state, expect) in [
        (State::Committed, expect![[r#""committed" null null"#]]),
        (
            State::Released { ended_at },
            expect![[r#""released" null "2026-01-31T12:00:00.001Z""#]],
        ),
        (
            State::Expired { ended_at },
            expect![[r#""expired" null "2026-01-31T12:00:00.001Z""#]],
        ),
    ] {
        let reply = encode::reservation(&reservation(state));
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        let shown = format!(
            "{} {} {}",
            body["state"], body["expires_at"], body["ended_at"]
        );
        expect.assert_eq(&shown);
    }
}

#[test]
fn done_reservation_that_is_not_what_was_asked_for() {
    check_done(
        Done::Reservation(
            Reservation {
                original: Some(Box::new(original())),
                forced: Some(text("launch")),
                ..reservation(State::Committed)
            }
            .into(),
        ),
        expect![[r#"
            200
            etag: "42"
            {"id":"r-1","state":"committed","scope":"p-7","tenant":"acme","lines":[{"resource":"vm/image","location":"FRA-A","amount":1},{"resource":"vpc/subnet","location":null,"amount":2}],"asked":{"scope":"p-6","lines":[{"resource":"vm/image","location":"FRA-A","amount":4,"at_least":1},{"resource":"vpc/subnet","location":null,"amount":2,"at_least":2}]},"forced":"launch","holder":"img-1 \"ü\"","attributes":{"name":"x"},"created_at":"2026-01-31T12:00:00.000Z","expires_at":null,"ended_at":null,"revision":42,"warnings":[]}
        "#]],
    );
}

#[test]
fn done_with_warnings() {
    check_done(
        Done::Warned(reservation(State::Committed).into(), vec![warning()]),
        expect![[r#"
            200
            etag: "42"
            {"id":"r-1","state":"committed","scope":"p-7","tenant":"acme","lines":[{"resource":"vm/image","location":"FRA-A","amount":1},{"resource":"vpc/subnet","location":null,"amount":2}],"asked":null,"forced":null,"holder":"img-1 \"ü\"","attributes":{"name":"x"},"created_at":"2026-01-31T12:00:00.000Z","expires_at":null,"ended_at":null,"revision":42,"warnings":[{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":8,"mode":"warn","limit_source":"limit","limit_set":{"location":"FRA-A","starts_at":"2026-01-31T12:00:00.000Z","ends_at":"2026-02-01T12:00:00.000Z","set_by":"ops","reason":"launch","request":"q-1","revision":12},"tier":null,"used":8,"held":0,"asked":1,"short_by":1,"smallest_sufficient_limit":9,"fits_at":null,"increase_request":{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":9}}]}
        "#]],
    );
}

#[test]
fn done_other() {
    check_done(
        Done::Forgotten { reservations: 3 },
        expect![[r#"
        200
        {"forgotten":3}
    "#]],
    );
    check_done(
        Done::Expired { holds: 3 },
        expect![[r#"
        200
        {"expired":3}
    "#]],
    );
    check_done(
        Done::Resource(resource().into()),
        expect![[r#"
            200
            {"name":"vm/image","unit":"count","default_limit":5,"per_location":true,"adjustable":true,"auto_approval":null,"alerts":[80,100],"description":"machine images"}
        "#]],
    );
    check_done(
        Done::Location(location()),
        expect![[r#"
        200
        {"id":"FRA-A","name":"Frankfurt A","attributes":{"zoneName":"Frankfurt A"}}
    "#]],
    );
    check_done(
        Done::Scope(scope(None).into()),
        expect![[r#"
            200
            {"id":"acme","parent":null,"tenant":"acme","depth":1,"kind":"project","tier":null}
        "#]],
    );
    check_done(
        Done::Scope(scope(Some("acme")).into()),
        expect![[r#"
            200
            {"id":"p-7","parent":"acme","tenant":"acme","depth":2,"kind":"project","tier":null}
        "#]],
    );
}

#[test]
fn done_limits_and_principals() {
    check_done(
        Done::Limit(limit("vm/image@FRA-A", finite(0)).into()),
        expect![[r#"
            200
            etag: "12"
            {"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":0,"mode":"enforce","starts_at":null,"ends_at":null,"set_by":"ops","set_at":"2026-01-31T12:00:00.007Z","reason":"launch","request":null,"revision":12}
        "#]],
    );
    check_done(
        Done::Limit(limit("vm/image", Ceiling::Unlimited).into()),
        expect![[r#"
            200
            etag: "12"
            {"scope":"p-7","resource":"vm/image","location":null,"limit":"unlimited","mode":"enforce","starts_at":null,"ends_at":null,"set_by":"ops","set_at":"2026-01-31T12:00:00.007Z","reason":"launch","request":null,"revision":12}
        "#]],
    );
    check_done(
        Done::LimitGone,
        expect![[r#"
        200
        {}
    "#]],
    );
    check_done(
        Done::Principal(principal(token()).into()),
        expect![[r#"
            200
            {"id":"k-1","kind":"token","role":"enforcer","scope":"acme","force":false,"enabled":true,"expires_at":"2026-01-31T12:00:00.999Z","description":"image service","created_at":"2026-01-31T12:00:00.000Z","revision":3}
        "#]],
    );
    check_done(
        Done::PrincipalGone,
        expect![[r#"
        200
        {}
    "#]],
    );
}

#[test]
fn secrets_are_shown_once() {
    check(
        &encode::principal_created(&principal(access_key()), "s3cret"),
        expect![[r#"
            200
            cache-control: no-store
            {"id":"k-1","kind":"access_key","role":"enforcer","scope":"acme","force":false,"enabled":true,"expires_at":"2026-01-31T12:00:00.999Z","description":"image service","created_at":"2026-01-31T12:00:00.000Z","revision":3,"secret":"s3cret"}
        "#]],
    );
    let everything = Principal {
        reach: Reach::Everything,
        may_force: true,
        expires_at: None,
        ..principal(token())
    };
    check(
        &encode::principal_created(&everything, "k-1.t0ken"),
        expect![[r#"
            200
            cache-control: no-store
            {"id":"k-1","kind":"token","role":"enforcer","scope":"*","force":true,"enabled":true,"expires_at":null,"description":"image service","created_at":"2026-01-31T12:00:00.000Z","revision":3,"token":"k-1.t0ken"}
        "#]],
    );
    let later = encode::principal(&principal(access_key()));
    assert!(!show(&later).contains("secret"));
}

#[test]
fn checks() {
    check(
        &encode::checked(&Ok(Admissible {
            lines: lines(&[("vm/image@FRA-A", 3), ("vpc/subnet", 1)]),
            warnings: Vec::new(),
        })),
        expect![[r#"
            200
            {"admissible":true,"lines":[{"resource":"vm/image","location":"FRA-A","amount":3},{"resource":"vpc/subnet","location":null,"amount":1}],"exceeded":[],"warnings":[]}
        "#]],
    );
    check(
        &encode::checked(&Ok(Admissible {
            lines: lines(&[("vm/image@FRA-A", 3)]),
            warnings: vec![warning()],
        })),
        expect![[r#"
            200
            {"admissible":true,"lines":[{"resource":"vm/image","location":"FRA-A","amount":3}],"exceeded":[],"warnings":[{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":8,"mode":"warn","limit_source":"limit","limit_set":{"location":"FRA-A","starts_at":"2026-01-31T12:00:00.000Z","ends_at":"2026-02-01T12:00:00.000Z","set_by":"ops","reason":"launch","request":"q-1","revision":12},"tier":null,"used":8,"held":0,"asked":1,"short_by":1,"smallest_sufficient_limit":9,"fits_at":null,"increase_request":{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":9}}]}
        "#]],
    );
    let denial = Denial::QuotaExceeded(vec![exceeded()]);
    check(
        &encode::checked(&Err(denial)),
        expect![[r#"
            200
            {"admissible":false,"lines":null,"exceeded":[{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":5,"mode":"enforce","limit_source":"default","limit_set":null,"tier":null,"used":3,"held":2,"asked":1,"short_by":1,"smallest_sufficient_limit":6,"fits_at":"2026-01-31T12:05:00.000Z","increase_request":{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":6}}],"warnings":[]}
        "#]],
    );
    let denial = Denial::UnknownScope(scope_id("p-7"));
    check(
        &encode::checked(&Err(denial)),
        expect![[r#"
        404
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:unknown_scope","title":"no such scope","status":404,"code":"unknown_scope","detail":"the scope `p-7` does not exist, or not within your reach: look at the id"}
    "#]],
    );
}

#[test]
fn times_have_milliseconds_to_the_end_of_time() {
    for (ms, expect) in [
        (0, expect!["1970-01-01T00:00:00.000Z"]),
        (1, expect!["1970-01-01T00:00:00.001Z"]),
        (951_782_400_000, expect!["2000-02-29T00:00:00.000Z"]),
        (TIMESTAMP_MS_MAX, expect!["9999-12-31T23:59:59.999Z"]),
    ] {
        let expires_at = Timestamp::from_ms(ms).unwrap();
        let reply = encode::reservation(&reservation(State::Held { expires_at }));
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        let time = body["expires_at"].as_str().unwrap();
        expect.assert_eq(time);

        let text = format!(
            "POST /principals\n\n{{\"kind\":\"token\",\"role\":\"viewer\",\"scope\":\"*\",\"expires_at\":\"{time}\"}}"
        );
        let Ok(Call::CreatePrincipal(new)) = decode(&text) else {
            panic!("{time} is not read");
        };
        assert_eq!(new.expires_at, Some(expires_at));
    }
}

#[test]
fn sources_have_their_own_words() {
    let of_tier = Source::Tier {
        tier: tier_name("starter"),
        item: item("vm/image"),
    };
    for source in [
        Source::Default,
        of_tier,
        set_for("vm/image"),
        Source::NumberSpace,
    ] {
        let mut limit = exceeded();
        limit.source = source.clone();
        let reply = encode::checked(&Err(Denial::QuotaExceeded(vec![limit])));
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(body["exceeded"][0]["limit_source"], source.name());
        let is_set = !body["exceeded"][0]["limit_set"].is_null();
        assert_eq!(is_set, source.name() == "limit");
        let is_of_tier = body["exceeded"][0]["tier"] == "starter";
        assert_eq!(is_of_tier, source.name() == "tier");
    }
}
