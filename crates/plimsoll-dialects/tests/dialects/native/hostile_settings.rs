//! Hostile settings, requests and inventories: each gets a problem that names the place.

use expect_test::expect_file;

use super::decode;
use super::hostile::{check, with_bodies};

const BODIES: &[(&str, &[&str])] = &[
    (
        "PUT /scopes/p-7/limits",
        &[
            r#"{"resource":"vm/image","limit":1,"reason":"","mode":"block"}"#,
            r#"{"resource":"vm/image","limit":1,"reason":"","mode":"Warn"}"#,
            r#"{"resource":"vm/image","limit":1,"reason":"","mode":true}"#,
            r#"{"resource":"vm/image","limit":1,"reason":"","starts_at":"tomorrow"}"#,
            r#"{"resource":"vm/image","limit":1,"reason":"","ends_at":1767225600}"#,
            r#"{"resource":"vm/image","limit":1,"reason":"","ends_at":"1970-01-01T00:00:00Z"}"#,
            r#"{"resource":"vm/image","limit":1,"reason":"","starts_at":"2026-01-31T12:00:00Z","ends_at":"2026-01-31T12:00:00Z"}"#,
            r#"{"resource":"vm/image","limit":1,"reason":"","starts_at":"2026-01-31T12:00:00Z","ends_at":"2026-01-30T12:00:00Z"}"#,
        ],
    ),
    (
        "PUT /tiers/starter",
        &[
            "",
            "{}",
            r#"{"limits":{}}"#,
            r#"{"limits":[null]}"#,
            r#"{"limits":[["vm/image",null,1,null]]}"#,
            r#"{"limits":[{"limit":1}]}"#,
            r#"{"limits":[{"resource":"vm/image"}]}"#,
            r#"{"limits":[{"resource":"vm/image","limit":-1}]}"#,
            r#"{"limits":[{"resource":"vm/image","limit":1,"mode":"off"}]}"#,
            r#"{"limits":[{"resource":"vm/image","limit":1,"reason":"x"}]}"#,
            r#"{"limits":[{"resource":"vm/image","limit":1},{"resource":"vm/image","location":"FRA-A","limit":1},{"resource":"vm/image","limit":2}]}"#,
            r#"{"limits":[],"name":"starter"}"#,
            r#"{"limits":[],"description":7}"#,
        ],
    ),
    (
        "PUT /resources/vm/image",
        &[
            r#"{"unit":"count","default_limit":5,"per_location":true,"alerts":80}"#,
            r#"{"unit":"count","default_limit":5,"per_location":true,"alerts":[0]}"#,
            r#"{"unit":"count","default_limit":5,"per_location":true,"alerts":[101]}"#,
            r#"{"unit":"count","default_limit":5,"per_location":true,"alerts":[80,80]}"#,
            r#"{"unit":"count","default_limit":5,"per_location":true,"alerts":[1,2,3,4,5]}"#,
            r#"{"unit":"count","default_limit":5,"per_location":true,"auto_approval":true}"#,
            r#"{"unit":"count","default_limit":5,"per_location":true,"auto_approval":{}}"#,
            r#"{"unit":"count","default_limit":5,"per_location":true,"auto_approval":{"limit":"unlimited"}}"#,
        ],
    ),
    (
        "POST /resources/vm/image/auto_approval:dry_run",
        &[
            "",
            "{}",
            "null",
            r#"{"limit":9007199254740992}"#,
            r#"{"limit":20,"factor_percent":99}"#,
            r#"{"limit":20,"factor_percent":1000001}"#,
            r#"{"limit":20,"factor_percent":1.5}"#,
            r#"{"limit":20,"cool_off_seconds":-1}"#,
            r#"{"limit":20,"cool_off_seconds":31622401}"#,
            r#"{"limit":20,"mode":"enforce"}"#,
        ],
    ),
    (
        "PUT /webhooks/pager",
        &[
            "{}",
            r#"{"url":"https://example.com"}"#,
            r#"{"url":"https://example.com","scope":""}"#,
            r#"{"url":"https://example.com","scope":"*","topics":[]}"#,
            r#"{"url":"https://example.com","scope":"*","topics":["limit","limit"]}"#,
            r#"{"url":"https://example.com","scope":"*","topics":["all"]}"#,
            r#"{"url":"https://example.com","scope":"*","topics":"limit"}"#,
            r#"{"url":"https://example.com","scope":"*","topics":["limit","limit","limit","limit","limit","limit"]}"#,
            r#"{"url":"https://example.com","scope":"*","enabled":1}"#,
            r#"{"url":"https://example.com","scope":"*","secret":"hunter2"}"#,
        ],
    ),
    (
        "PUT /webhooks/pager",
        &[
            r#"{"url":""}"#,
            r#"{"url":7}"#,
            r#"{"url":"example.com"}"#,
            r#"{"url":"ftp://example.com"}"#,
            r#"{"url":"HTTPS://example.com"}"#,
            r#"{"url":"https://"}"#,
            r#"{"url":"https:///path"}"#,
            r#"{"url":"https://?x"}"#,
            r#"{"url":"https://:443"}"#,
            r#"{"url":"https://example.com:"}"#,
            r#"{"url":"https://example.com:0"}"#,
            r#"{"url":"https://example.com:65536"}"#,
            r#"{"url":"https://example.com:+80"}"#,
            r#"{"url":"https://example.com:80:80"}"#,
            r#"{"url":"https://user@example.com"}"#,
            r#"{"url":"https://user:password@example.com/"}"#,
            r#"{"url":"https://example.com/#top"}"#,
            r#"{"url":"https://example.com/a b"}"#,
            r#"{"url":"https://example.com/\n"}"#,
            r#"{"url":"https://exämple.com"}"#,
            r#"{"url":"https://exa%6dple.com"}"#,
            r#"{"url":"https://[::1"}"#,
            r#"{"url":"https://[]"}"#,
            r#"{"url":"https://[1]"}"#,
            r#"{"url":"https://[::g]"}"#,
            r#"{"url":"https://[::1]80"}"#,
        ],
    ),
];

#[test]
fn settings() {
    let requests = BODIES
        .iter()
        .flat_map(|(head, bodies)| with_bodies(head, bodies));
    check(requests, expect_file!["hostile_settings.txt"]);
}

const WISHES: &[(&str, &[&str])] = &[
    (
        "POST /requests",
        &[
            "",
            "{}",
            r#"{"scope":"p-7","resource":"vm/image"}"#,
            r#"{"scope":"*","resource":"vm/image","limit":9}"#,
            r#"{"scope":"p-7","resource":"vm/image","limit":-1}"#,
            r#"{"scope":"p-7","resource":"vm/image","limit":"lots"}"#,
            r#"{"scope":"p-7","resource":"vm/image","limit":9,"reason":"a\nb"}"#,
            r#"{"scope":"p-7","resource":"vm/image","limit":9,"id":"q-1"}"#,
        ],
    ),
    (
        "POST /requests/q-1/approve",
        &[
            "",
            "{}",
            r#"{"reason":" "}"#,
            r#"{"reason":null}"#,
            r#"{"reason":"x","limit":"all"}"#,
            r#"{"reason":"x","until":"soon"}"#,
            r#"{"reason":"x","ends_at":"2026-01-31T12:00:00Z"}"#,
        ],
    ),
    (
        "POST /requests/q-1/deny",
        &["", "{}", r#"{"reason":""}"#, r#"{"reason":"x","limit":1}"#],
    ),
    (
        "POST /requests/q-1/cancel",
        &[r#"{"reason":7}"#, r#"{"why":"x"}"#],
    ),
    (
        "POST /reconcile",
        &[
            "",
            "{}",
            r#"{"scope":"p-7","resource":"vm/image","things":[]}"#,
            r#"{"scope":"p-7","resource":"vm/image","revision":42}"#,
            r#"{"scope":"p-7","resource":"vm/image","revision":-1,"things":[]}"#,
            r#"{"scope":"p-7","resource":"vm/image","revision":"42","things":[]}"#,
            r#"{"scope":"*","resource":"vm/image","revision":42,"things":[]}"#,
            r#"{"scope":"p-7","resource":"vm/image","revision":42,"things":{}}"#,
            r#"{"scope":"p-7","resource":"vm/image","revision":42,"things":["img-1"]}"#,
            r#"{"scope":"p-7","resource":"vm/image","revision":42,"things":[["img-1",1]]}"#,
            r#"{"scope":"p-7","resource":"vm/image","revision":42,"things":[{"holder":"img-1"}]}"#,
            r#"{"scope":"p-7","resource":"vm/image","revision":42,"things":[{"holder":"img-1","amount":0}]}"#,
            r#"{"scope":"p-7","resource":"vm/image","revision":42,"things":[{"holder":"a\tb","amount":1}]}"#,
            r#"{"scope":"p-7","resource":"vm/image","revision":42,"things":[{"holder":"img-1","amount":1},{"holder":"img-2","amount":1},{"holder":"img-1","amount":1}]}"#,
            r#"{"scope":"p-7","resource":"vm/image","revision":42,"things":[],"repair":"yes"}"#,
            r#"{"scope":"p-7","resource":"vm/image","revision":42,"things":[],"reason":" "}"#,
            r#"{"scope":"p-7","resource":"vm/image","revision":42,"things":[],"force":{"reason":"x"}}"#,
        ],
    ),
];

#[test]
fn wishes() {
    let requests = WISHES
        .iter()
        .flat_map(|(head, bodies)| with_bodies(head, bodies));
    check(requests, expect_file!["hostile_wishes.txt"]);
}

const REQUESTS: &[&str] = &[
    "PUT /scopes/p-7/limits?dry_run=yes\n\n{}",
    "PUT /scopes/p-7/limits?dry_run=\n\n{}",
    "DELETE /scopes/p-7/limits?resource=vm/image&starts_at=2026-01-31",
    "DELETE /scopes/p-7/limits?resource=vm/image&ends_at=never",
    "DELETE /scopes/p-7/limits?resource=vm/image&reason=",
    "DELETE /scopes/p-7/limits?resource=vm/image&reason=+%20",
    "PUT /scopes/p-7/limits\n\n{\"resource\":\"vm/image\",\"limit\":1,\"reason\":\" \"}",
    "PUT /scopes/p-7\n\n{\"kind\":\"project\",\"reason\":\"\"}",
    "PUT /tiers/starter\n\n{\"limits\":[],\"reason\":\"\"}",
    "PUT /resources/vm/image\n\n{\"unit\":\"count\",\"default_limit\":1,\"per_location\":true,\"reason\":\"\"}",
    "GET /events?resource=vm/image",
    "DELETE /scopes/p-7/limits?resource=vm/image&starts_at=2026-01-31T12:00:00Z&ends_at=2026-01-31T12:00:00Z",
    "GET /scopes/p-7/quotas?as_of=",
    "GET /scopes/p-7/quotas?as_of=-1",
    "GET /scopes/p-7/quotas?as_of=yesterday",
    "GET /scopes/p-7/quotas?as_of=99999999999999999999",
    "GET /scopes/p-7/quotas?as_of=2026-01-31T12:00:00+02:00",
    "GET /scopes/p-7/reservations?holder=a%09b",
    "GET /scopes/p-7/requests?status=open",
    "GET /scopes/p-7/requests?page_token=r722d31",
    "GET /scopes/p-7/events?after=-1",
    "GET /scopes/p-7/events?after=",
    "GET /scopes/p-7/events?cause=bought",
    "GET /scopes/p-7/events?cause=principal",
    "GET /scopes/p-7/events?page_size=0",
    "GET /scopes/p-7/events?page_token=r722d31",
    "GET /scopes/p-7/events?holder=img-1",
    "GET /scopes/p-7/events\naccept: text/event-stream\nlast-event-id: x",
    "GET /scopes/p-7/events\naccept: text/event-stream\nlast-event-id: +7",
    "GET /scopes/p-7/events\naccept: text/event-stream\nlast-event-id: 7\nlast-event-id: 8",
    "GET /requests",
    "DELETE /requests/q-1",
    "GET /requests/q%201",
    "POST /requests/q-1/grant",
    "GET /reconcile",
    "PUT /tiers/a%20b\n\n{\"limits\":[]}",
    "DELETE /tiers/starter",
    "PUT /webhooks/a%20b\n\n{\"url\":\"https://example.com\",\"scope\":\"*\"}",
    "POST /webhooks",
    "POST /resources/vm/image/auto_approval\n\n{\"limit\":1}",
    "GET /resources/vm/image/auto_approval:dry_run",
    "POST /requests/q-1/approve\nif-match: \"7\"\n\n{\"reason\":\"x\"}",
];

#[test]
fn paths_queries_and_headers() {
    let requests = REQUESTS
        .iter()
        .map(|request| (*request, (*request).to_owned()));
    check(requests, expect_file!["hostile_settings_requests.txt"]);
}

#[test]
fn bounds() {
    let limit = |index: usize| format!(r#"{{"resource":"vm/r{index}","limit":1}}"#);
    let tier = |count: usize| {
        let limits: Vec<_> = (0..count).map(limit).collect();
        format!("PUT /tiers/t\n\n{{\"limits\":[{}]}}", limits.join(","))
    };
    let thing = |index: usize| format!(r#"{{"holder":"img-{index}","amount":1}}"#);
    let inventory = |count: usize| {
        let things: Vec<_> = (0..count).map(thing).collect();
        format!(
            "POST /reconcile\n\n{{\"scope\":\"p-7\",\"resource\":\"vm/image\",\"revision\":42,\"things\":[{}]}}",
            things.join(",")
        )
    };
    let webhook = |len: usize| {
        let url = format!("https://example.com/{}", "a".repeat(len - 20));
        format!("PUT /webhooks/w\n\n{{\"url\":\"{url}\",\"scope\":\"*\"}}")
    };
    assert!(decode(&tier(1_000)).is_ok());
    assert!(decode(&inventory(100_000)).is_ok());
    assert!(decode(&webhook(512)).is_ok());
    check(
        [
            ("1,001 limits of a tier", tier(1_001)),
            ("100,001 things", inventory(100_001)),
            ("an address of 513 bytes", webhook(513)),
            (
                "a tier's name of 129 bytes",
                format!("GET /tiers/{}", "a".repeat(129)),
            ),
        ],
        expect_file!["hostile_settings_bounds.txt"],
    );
}
