//! Every route, and what it is read as.

use std::fmt::Write;

use expect_test::{Expect, expect, expect_file};

use super::{decode, role};

fn check(text: &str, expect: Expect) {
    let call = decode(text).unwrap_or_else(|problem| panic!("{}", super::in_a_line(&problem)));
    expect.assert_eq(&format!("{}: {call:?}", role(text).unwrap().name()));
}

/// One request of each operation.
pub(super) const REQUESTS: &[&str] = &[
    r#"PUT /reservations/r-1

{"scope":"p-7","lines":[{"resource":"vm/image","amount":1}]}"#,
    "GET /reservations/r-1",
    "POST /reservations/r-1/commit",
    "POST /reservations/r-1/release",
    "POST /reservations/r-1/extend\n\n{\"ttl_seconds\":60}",
    "POST /reservations/r-1/resize\n\n{\"lines\":[{\"resource\":\"vm/image\",\"amount\":2}]}",
    "POST /reservations/r-1/transfer\n\n{\"to\":\"p-8\"}",
    "POST /reservations:batch\n\n{\"commands\":[]}",
    "POST /check\n\n{\"scope\":\"p-7\",\"lines\":[{\"resource\":\"vm/image\",\"amount\":1}]}",
    "GET /scopes/p-7/reservations",
    "GET /scopes/p-7/quotas",
    "GET /scopes/p-7/limits",
    "PUT /scopes/p-7/limits\n\n{\"resource\":\"vm/image\",\"limit\":1,\"reason\":\"launch\"}",
    "DELETE /scopes/p-7/limits?resource=vm/image",
    "GET /scopes",
    "PUT /scopes/p-7\n\n{\"kind\":\"project\"}",
    "GET /scopes/p-7",
    "GET /resources",
    "PUT /resources/vm/image\n\n{\"unit\":\"count\",\"default_limit\":5,\"per_location\":true}",
    "GET /resources/vm/image",
    "GET /locations",
    "PUT /locations/FRA-A\n\n{\"name\":\"Frankfurt\"}",
    "GET /locations/FRA-A",
    "GET /principals",
    "POST /principals\n\n{\"kind\":\"token\",\"role\":\"viewer\",\"scope\":\"p-7\"}",
    "GET /principals/k-1",
    "DELETE /principals/k-1",
    "POST /principals/k-1/enable",
    "POST /principals/k-1/disable",
    "GET /scopes/p-7/events",
    "POST /requests\n\n{\"scope\":\"p-7\",\"resource\":\"vm/image\",\"limit\":9}",
    "GET /requests/q-1",
    "GET /scopes/p-7/requests",
    "POST /requests/q-1/approve\n\n{\"reason\":\"launch\"}",
    "POST /requests/q-1/deny\n\n{\"reason\":\"no room\"}",
    "POST /requests/q-1/cancel",
    "POST /reconcile\n\n{\"scope\":\"p-7\",\"resource\":\"vm/image\",\"revision\":42,\"things\":[]}",
    "POST /resources/vm/image/auto_approval:dry_run\n\n{\"limit\":20}",
    "GET /tiers",
    "PUT /tiers/starter\n\n{\"limits\":[]}",
    "GET /tiers/starter",
    "GET /events",
    "GET /webhooks",
    "PUT /webhooks/pager\n\n{\"url\":\"https://example.com\",\"scope\":\"*\"}",
    "GET /webhooks/pager",
    "DELETE /webhooks/pager",
];

#[test]
fn routes_at_their_least() {
    let mut calls = String::new();
    for text in REQUESTS {
        let call = decode(text).unwrap();
        let line = text.lines().next().unwrap();
        writeln!(calls, "{line}\n  {call:?}").unwrap();
    }
    expect_file!["routes.txt"].assert_eq(&calls);
}

#[test]
fn reserve_with_all_it_may_have() {
    check(
        r#"PUT /reservations/r-1
content-type: application/json; charset=utf-8

{"scope":"p-7","lines":[{"resource":"vm/image","location":"FRA-A","amount":4,"at_least":1},
 {"resource":"vpc/subnet","location":null,"amount":9007199254740991}],
 "ttl_seconds":2592000,"commit":false,"force":{"reason":"launch"},"holder":"img-1","attributes":{"b":"2","a":"ü"}}"#,
        expect![
            "enforcer: Act(Reserve(Reserve { id: r-1, scope: p-7, asked: Asked { lines: Lines(Many([Line { item: Item { resource: vm/image, location: Some(FRA-A) }, amount: Amount(4) }, Line { item: Item { resource: vpc/subnet, location: None }, amount: Amount(9007199254740991) }])), at_least: Some([Amount(1), Amount(9007199254740991)]) }, terms: Hold { ttl_ms: 2592000000 }, grounds: Force(launch), holder: Some(img-1), attributes: Attributes(Some({a: ü, b: 2})) }))"
        ],
    );
}

#[test]
fn a_line_that_must_be_whole_is_asked_for_whole() {
    let with = |at_least| {
        super::reserve(&format!(
            r#"PUT /reservations/r-1

{{"scope":"p-7","lines":[{{"resource":"vm/image","amount":3{at_least}}}]}}"#
        ))
    };
    assert_eq!(with(r#","at_least":3"#), with(""));
    assert_eq!(with(r#","at_least":null"#), with(""));
    assert_ne!(with(r#","at_least":2"#), with(""));
}

#[test]
fn what_is_committed_at_once_has_no_time_to_live() {
    check(
        r#"PUT /reservations/r-1

{"scope":"p-7","lines":[{"resource":"vm/image","amount":1}],"ttl_seconds":60,"commit":true}"#,
        expect![
            "enforcer: Act(Reserve(Reserve { id: r-1, scope: p-7, asked: Asked { lines: Lines(One([Line { item: Item { resource: vm/image, location: None }, amount: Amount(1) }])), at_least: None }, terms: Commit, grounds: Limits, holder: None, attributes: Attributes(None) }))"
        ],
    );
}

#[test]
fn a_reservation_with_a_scope() {
    check(
        "GET /reservations/r-1?scope=p-7",
        expect![[r#"viewer: Read(Reservation { id: r-1, scope: Some(p-7) })"#]],
    );
}

#[test]
fn limits_with_a_precondition() {
    check(
        r#"PUT /scopes/p-7/limits
if-match: "12"

{"resource":"vm/image","location":"FRA-A","limit":"unlimited","reason":"launch"}"#,
        expect![
            "manager: Act(PutLimit(PutLimit { scope: p-7, item: Item { resource: vm/image, location: Some(FRA-A) }, window: Window { starts_at: None, ends_at: None }, ceiling: Unlimited, mode: Enforce, reason: launch, expected: Revision(12) }))"
        ],
    );
    check(
        "DELETE /scopes/p-7/limits?resource=vm%2Fimage&location=FRA-A&reason=cleaned+up\nif-match: \"0\"",
        expect![
            "manager: Act(DeleteLimit(DeleteLimit { scope: p-7, item: Item { resource: vm/image, location: Some(FRA-A) }, window: Window { starts_at: None, ends_at: None }, reason: cleaned up, expected: Revision(0) }))"
        ],
    );
}

#[test]
fn reads_with_filters() {
    check(
        "GET /scopes/p-7/quotas?resource=vm/image&location=FRA-A&page_size=1",
        expect![
            "viewer: Read(Quotas { scope: p-7, filter: QuotaFilter { resource: Some(vm/image), location: Some(FRA-A) }, as_of: None, page: Page { after: None, size: 1 } })"
        ],
    );
    check(
        "GET /scopes/p-7/reservations?state=held&location=FRA%2dA&page_size=1000",
        expect![[
            r#"viewer: Read(Reservations { scope: p-7, filter: ReservationFilter { state: Some("held"), holder: None, resource: None, location: Some(FRA-A) }, page: Page { after: None, size: 1000 } })"#
        ]],
    );
    check(
        "GET /scopes/p-7/reservations?holder=img-1%20%C3%BC&resource=vm/image",
        expect![
            "viewer: Read(Reservations { scope: p-7, filter: ReservationFilter { state: None, holder: Some(img-1 ü), resource: Some(vm/image), location: None }, page: Page { after: None, size: 100 } })"
        ],
    );
    check(
        "GET /scopes/p-7/quotas?as_of=42",
        expect![
            "viewer: Read(Quotas { scope: p-7, filter: QuotaFilter { resource: None, location: None }, as_of: Some(Revision(42)), page: Page { after: None, size: 100 } })"
        ],
    );
    check(
        "GET /scopes/p-7/quotas?as_of=2026-01-31T12:00:00Z",
        expect![
            "viewer: Read(Quotas { scope: p-7, filter: QuotaFilter { resource: None, location: None }, as_of: Some(Instant(Timestamp(1769860800000))), page: Page { after: None, size: 100 } })"
        ],
    );
    check(
        "GET /scopes/p-7/requests?status=pending&page_size=7",
        expect![[
            r#"viewer: Read(Requests { scope: p-7, status: Some("pending"), page: Page { after: None, size: 7 } })"#
        ]],
    );
    check(
        "GET /scopes?parent=acme&&",
        expect![[
            r#"viewer: Read(Scopes { parent: Some(acme), page: Page { after: None, size: 100 } })"#
        ]],
    );
}

#[test]
fn catalogue_with_all_it_may_have() {
    check(
        r#"PUT /resources/vm/image

{"unit":"GiB","default_limit":"unlimited","per_location":false,"adjustable":false,"description":"images","reason":"a new product"}"#,
        expect![
            "admin: Act(PutResource(Put { row: Resource { name: vm/image, unit: GiB, default_ceiling: Unlimited, per_location: false, adjustable: false, auto_approval: None, alerts: Alerts([80, 100]), description: images }, reason: a new product }))"
        ],
    );
    check(
        r#"PUT /locations/FRA-A

{"name":"Frankfurt","attributes":{"zoneName":"Frankfurt A"}}"#,
        expect![
            "admin: Act(PutLocation(Location { id: FRA-A, name: Frankfurt, attributes: Attributes(Some({zoneName: Frankfurt A})) }))"
        ],
    );
    check(
        "PUT /scopes/p-7\n\n{\"kind\":\"project\",\"parent\":\"acme\",\"reason\":\"a new team\"}",
        expect![
            "manager: Act(PutScope(PutScope { id: p-7, parent: Some(acme), kind: project, tier: None, reason: a new team }))"
        ],
    );
}

#[test]
fn principals_with_all_they_may_have() {
    check(
        r#"POST /principals

{"kind":"access_key","id":"AK-1","role":"admin","scope":"*","force":true,"expires_at":"9999-12-31T23:59:59.999Z","description":"x"}"#,
        expect![[
            r#"admin: CreatePrincipal(NewPrincipal { kind: AccessKey, id: Some(AK-1), role: Admin, reach: Everything, may_force: true, expires_at: Some(Timestamp(253402300799999)), description: x })"#
        ]],
    );
    check(
        r#"POST /principals

{"kind":"token","role":"enforcer","scope":"acme","expires_at":"1970-01-01T00:00:01.5+00:00"}"#,
        expect![[
            r#"admin: CreatePrincipal(NewPrincipal { kind: Token, id: None, role: Enforcer, reach: Below(acme), may_force: false, expires_at: Some(Timestamp(1500)), description:  })"#
        ]],
    );
}

#[test]
fn paths_are_percent_decoded() {
    check(
        "GET /scopes/a%3Ab%2Ec",
        expect![[r#"viewer: Read(Scope(a:b.c))"#]],
    );
    check(
        "GET /resources/vm/%69mage",
        expect![[r#"viewer: Read(Resource(vm/image))"#]],
    );
}

#[test]
fn a_body_where_none_is_looked_at_is_ignored() {
    check(
        "GET /scopes/p-7\ncontent-type: text/plain\n\nnonsense",
        expect![[r#"viewer: Read(Scope(p-7))"#]],
    );
    check(
        "DELETE /principals/k-1\ncontent-type: text/plain\n\nnonsense",
        expect![[r#"admin: Act(DeletePrincipal { id: k-1 })"#]],
    );
}

#[test]
fn what_curl_sends_when_it_is_told_nothing_is_read_as_json() {
    let check_of = |head: &str| {
        let body = r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1}]}"#;
        decode(&format!("POST /check\n{head}\n{body}")).unwrap()
    };
    let plain = check_of("content-type: application/json\n");
    assert_eq!(check_of(""), plain);
    assert_eq!(
        check_of("content-type: application/x-www-form-urlencoded\n"),
        plain
    );
}

#[test]
fn only_an_admin_may_leave_its_scope_out() {
    check(
        "POST /principals\n\n{\"kind\":\"token\",\"role\":\"admin\"}",
        expect![[
            r#"admin: CreatePrincipal(NewPrincipal { kind: Token, id: None, role: Admin, reach: Everything, may_force: false, expires_at: None, description:  })"#
        ]],
    );
    for role in ["viewer", "enforcer", "manager"] {
        let text = format!("POST /principals\n\n{{\"kind\":\"token\",\"role\":\"{role}\"}}");
        let problem = decode(&text).unwrap_err();
        assert_eq!(
            (problem.status(), problem.code()),
            (400, "malformed"),
            "{role}"
        );
    }
}
