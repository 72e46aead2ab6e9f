//! Hostile requests: each gets a problem that names the place and says what to do.

use std::fmt::Write;

use expect_test::{ExpectFile, expect_file};

use super::{decode, decode_bytes, in_a_line};

/// Sends each text and shows what it gets, line by line.
pub(super) fn check<'a>(requests: impl IntoIterator<Item = (&'a str, String)>, expect: ExpectFile) {
    let mut shown = String::new();
    for (title, request) in requests {
        match decode(&request) {
            Ok(call) => panic!("{title} was read as {call:?}"),
            Err(problem) => writeln!(shown, "{title}\n  {}", in_a_line(&problem)).unwrap(),
        }
    }
    expect.assert_eq(&shown);
}

/// The same request with each of the bodies; a body is its own title.
pub(super) fn with_bodies<'a>(
    head: &'a str,
    bodies: &'a [&'a str],
) -> impl Iterator<Item = (&'a str, String)> {
    bodies
        .iter()
        .map(move |body| (*body, format!("{head}\n\n{body}")))
}

const LINES: &str = r#""lines":[{"resource":"vm/image","amount":1}]"#;

const RESERVE_BODIES: &[&str] = &[
    // No JSON, or not an object.
    "",
    " \n ",
    "{",
    "{\"scope\"",
    "nonsense",
    "{'scope':'p-7'}",
    "{\"scope\":\"p-7\",}",
    "\u{feff}{}",
    "null",
    "[]",
    "7",
    "true",
    "\"p-7\"",
    r#"["p-7",[{"resource":"vm/image","amount":1}],null,null,null,null]"#,
    "{} {}",
    "{}",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    // The scope.
    r#"{"scope":"p-7"}"#,
    r#"{"lines":[]}"#,
    r#"{"scope":null,"lines":[{"resource":"vm/image","amount":1}]}"#,
    r#"{"scope":7,"lines":[]}"#,
    r#"{"scope":true,"lines":[]}"#,
    r#"{"scope":{},"lines":[]}"#,
    r#"{"scope":[],"lines":[]}"#,
    r#"{"scope":1.5,"lines":[]}"#,
    r#"{"scope":"","lines":[]}"#,
    r#"{"scope":"p 7","lines":[]}"#,
    r#"{"scope":"-p","lines":[]}"#,
    r#"{"scope":"p/7","lines":[]}"#,
    r#"{"scope":"*","lines":[]}"#,
    r#"{"scope":"p\u0000","lines":[]}"#,
    r#"{"scope":"p\n","lines":[]}"#,
    r#"{"scope":"рр","lines":[]}"#,
    r#"{"scope":"\ud800","lines":[]}"#,
    r#"{"scope":"p-7","scope":"p-7","lines":[]}"#,
    r#"{"scope":"p-7","tenant":"t","lines":[]}"#,
    r#"{"Scope":"p-7","lines":[]}"#,
    r#"{"":1}"#,
    r#"{"a/b~c":1}"#,
    r#"{"an unknown name that is much longer than anybody would ever want to read it":1}"#,
    // The lines.
    r#"{"scope":"p-7","lines":null}"#,
    r#"{"scope":"p-7","lines":{}}"#,
    r#"{"scope":"p-7","lines":"vm/image"}"#,
    r#"{"scope":"p-7","lines":[]}"#,
    r#"{"scope":"p-7","lines":[null]}"#,
    r#"{"scope":"p-7","lines":[[]]}"#,
    r#"{"scope":"p-7","lines":[["vm/image",null,1,null]]}"#,
    r#"{"scope":"p-7","lines":[{}]}"#,
    r#"{"scope":"p-7","lines":[{"amount":1}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image"}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"image","amount":1}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"VM/image","amount":1}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image/x","amount":1}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":["vm","image"],"amount":1}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","location":"","amount":1}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","location":7,"amount":1}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","zone":"FRA-A","amount":1}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1},{"resource":"vm/image","amount":2}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1},{"resource":"vm/disk","amount":0}]}"#,
    // The amount.
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":0}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":-1}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":-0}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1.0}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1.5}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1e0}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1E400}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":9007199254740992}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":18446744073709551615}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":18446744073709551616}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":-9223372036854775809}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":01}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":+1}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":0x1}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":NaN}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":Infinity}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":"1"}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":"unlimited"}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":null}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":true}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":[1]}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":{"units":1}}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1,"amount":2}]}"#,
    // The least that will do.
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1,"at_least":2}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1},{"resource":"vm/disk","amount":1,"at_least":9007199254740991}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1,"at_least":0}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1,"at_least":-1}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1,"at_least":0.5}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1,"at_least":9007199254740992}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1,"at_least":"1"}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1,"at_least":1,"at_least":1}]}"#,
    r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":0,"at_least":0}]}"#,
];

#[test]
fn reserve_bodies() {
    check(
        with_bodies("PUT /reservations/r-1", RESERVE_BODIES),
        expect_file!["hostile_reserve.txt"],
    );
}

#[test]
fn reserve_terms() {
    let members = [
        r#""ttl_seconds":0"#,
        r#""ttl_seconds":2592001"#,
        r#""ttl_seconds":-1"#,
        r#""ttl_seconds":1.5"#,
        r#""ttl_seconds":"300""#,
        r#""ttl_seconds":0,"commit":true"#,
        r#""ttl_seconds":1,"ttl_seconds":1"#,
        r#""commit":"yes""#,
        r#""commit":1"#,
        r#""holder":7"#,
        r#""holder":"a\tb""#,
        r#""holder":"\u0085""#,
        r#""attributes":[]"#,
        r#""attributes":"a=b""#,
        r#""attributes":{"a":1}"#,
        r#""attributes":{"a":null}"#,
        r#""attributes":{"a":{}}"#,
        r#""attributes":{"a":"b","a":"c"}"#,
        r#""attributes":{"a\n":"b"}"#,
        r#""attributes":{"a":"b\n"}"#,
        r#""force":true"#,
        r#""force":"launch""#,
        r#""force":[]"#,
        r#""force":["launch"]"#,
        r#""force":{}"#,
        r#""force":{"reason":null}"#,
        r#""force":{"reason":7}"#,
        r#""force":{"reason":""}"#,
        r#""force":{"reason":"  \u2003"}"#,
        r#""force":{"reason":"a\nb"}"#,
        r#""force":{"reason":"x","by":"ops"}"#,
        r#""force":{"reason":"x","reason":"x"}"#,
        r#""force":{"reason":"x"},"force":{"reason":"x"}"#,
        r#""forced":"launch""#,
        r#""if_revision":1"#,
        r#""id":"r-1""#,
    ];
    let request =
        |member| format!("PUT /reservations/r-1\n\n{{\"scope\":\"p-7\",{LINES},{member}}}");
    let requests = members.map(|member| (member, request(member)));
    check(requests, expect_file!["hostile_terms.txt"]);
}

#[test]
fn bounds() {
    let name = |len: usize| "a".repeat(len);
    let line = |index: usize| format!(r#"{{"resource":"vm/image-{index}","amount":1}}"#);
    let lines = |count: usize| (0..count).map(line).collect::<Vec<_>>().join(",");
    let entries = |count: usize| {
        let entry = |index: usize| format!(r#""a{index}":"""#);
        (0..count).map(entry).collect::<Vec<_>>().join(",")
    };
    let body = |scope: &str, lines: &str, rest: &str| {
        format!("PUT /reservations/r-1\n\n{{\"scope\":\"{scope}\",\"lines\":[{lines}]{rest}}}")
    };
    let texts = |len, count| {
        let (text, entries) = ("ü".repeat(len), entries(count));
        format!(r#","holder":"{text}","attributes":{{{entries}}}"#)
    };
    assert!(decode(&body(&name(128), &lines(64), &texts(256, 16))).is_ok());
    let resource = format!(r#"{{"resource":"vm/{}","amount":1}}"#, name(65));
    check(
        [
            ("a scope of 129 bytes", body(&name(129), &lines(1), "")),
            ("65 lines", body("p-7", &lines(65), "")),
            (
                "65 lines of a part",
                format!(
                    "POST /reservations/r-1/commit\n\n{{\"lines\":[{}]}}",
                    lines(65)
                ),
            ),
            (
                "a reason of 513 bytes",
                body(
                    "p-7",
                    &lines(1),
                    &format!(r#","force":{{"reason":"{}"}}"#, name(513)),
                ),
            ),
            ("100,000 lines", body("p-7", &lines(100_000), "")),
            ("a resource of 65 bytes", body("p-7", &resource, "")),
            (
                "a text of 514 bytes",
                body("p-7", &lines(1), &texts(257, 0)),
            ),
            ("17 attributes", body("p-7", &lines(1), &texts(1, 17))),
            ("a path of 129 bytes", format!("GET /scopes/{}", name(129))),
            (
                "10,000 levels",
                body(
                    "p-7",
                    &format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)),
                    "",
                ),
            ),
        ],
        expect_file!["hostile_bounds.txt"],
    );
}

#[test]
fn bytes_that_are_no_text() {
    let problem = decode_bytes("PUT /reservations/r-1", b"{\"scope\":\"\xff\"}").unwrap_err();
    expect_test::expect![[r#"400 malformed pointer "/scope": the body is not JSON: invalid unicode code point at line 1 column 11"#]].assert_eq(&in_a_line(&problem));
    let problem = decode_bytes("POST /reservations:batch", b"{\"commands\":[\"\xc3\x28\"]}");
    expect_test::expect![[r#"400 malformed pointer "/commands/0": the body is not JSON: invalid unicode code point at line 1 column 15"#]].assert_eq(&in_a_line(&problem.unwrap_err()));
}

const OTHER_BODIES: &[(&str, &[&str])] = &[
    (
        "POST /principals/k-1/disable",
        &[r#"{"enabled":false}"#, "7"],
    ),
    (
        "POST /check",
        &[
            "",
            "{}",
            r#"{"scope":"p-7","lines":[]}"#,
            r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1,"at_least":2}]}"#,
            r#"{"scope":"p-7","lines":[{"resource":"vm/image","amount":1}],"force":{"reason":"launch"}}"#,
        ],
    ),
    (
        "PUT /scopes/p-7/limits",
        &[
            r#"{"resource":"vm/image","reason":""}"#,
            r#"{"resource":"vm/image","limit":1}"#,
            r#"{"resource":"vm/image","limit":-1,"reason":""}"#,
            r#"{"resource":"vm/image","limit":1.5,"reason":""}"#,
            r#"{"resource":"vm/image","limit":"1","reason":""}"#,
            r#"{"resource":"vm/image","limit":"Unlimited","reason":""}"#,
            r#"{"resource":"vm/image","limit":null,"reason":""}"#,
            r#"{"resource":"vm/image","limit":9007199254740992,"reason":""}"#,
            r#"{"resource":"vm/image","limit":1,"reason":null}"#,
            r#"{"resource":"vm/image","limit":1,"reason":"","request":"q-1"}"#,
        ],
    ),
    (
        "PUT /resources/vm/image",
        &[
            "{}",
            r#"{"unit":"count","default_limit":5}"#,
            r#"{"unit":"count","default_limit":"5","per_location":true}"#,
            r#"{"unit":"count","default_limit":5,"per_location":"yes"}"#,
            r#"{"unit":7,"default_limit":5,"per_location":true}"#,
            r#"{"unit":"count","default_limit":5,"per_location":true,"adjustable":0}"#,
        ],
    ),
    (
        "PUT /locations/FRA-A",
        &[
            "{}",
            r#"{"name":"a\u0007"}"#,
            r#"{"name":"a","attributes":7}"#,
        ],
    ),
    (
        "PUT /scopes/p-7",
        &[
            "{}",
            r#"{"kind":"project","parent":7}"#,
            r#"{"kind":"project","parent":""}"#,
            r#"{"kind":"project","tier":""}"#,
            r#"{"kind":"project","tier":7}"#,
            r#"{"kind":"project","tiers":["starter"]}"#,
        ],
    ),
    (
        "POST /principals",
        &[
            "{}",
            r#"{"kind":"token","role":"viewer"}"#,
            r#"{"kind":"token","role":"viewer","scope":null}"#,
            r#"{"kind":"token","role":"viewer","scope":""}"#,
            r#"{"kind":"password","role":"viewer","scope":"*"}"#,
            r#"{"kind":{"token":null},"role":"viewer","scope":"*"}"#,
            r#"{"kind":"token","role":"root","scope":"*"}"#,
            r#"{"kind":"token","role":0,"scope":"*"}"#,
            r#"{"kind":"token","role":"viewer","scope":"*","secret":"hunter2"}"#,
            r#"{"kind":"token","role":"viewer","scope":"*","id":"a b"}"#,
            r#"{"kind":"token","role":"enforcer","scope":"*","force":"yes"}"#,
            r#"{"kind":"token","role":"enforcer","scope":"*","force":{"reason":"x"}}"#,
            r#"{"kind":"token","role":"enforcer","scope":"*","may_force":true}"#,
        ],
    ),
    (
        "POST /principals",
        &[
            r#"{"expires_at":"tomorrow"}"#,
            r#"{"expires_at":1767225600}"#,
            r#"{"expires_at":"2026-01-31"}"#,
            r#"{"expires_at":"2026-01-31T12:00:00"}"#,
            r#"{"expires_at":"2026-01-31T12:00:00+02:00"}"#,
            r#"{"expires_at":"2026-01-31 12:00:00Z"}"#,
            r#"{"expires_at":"2026-02-30T12:00:00Z"}"#,
            r#"{"expires_at":"2026-01-31T25:00:00Z"}"#,
            r#"{"expires_at":"1969-12-31T23:59:59Z"}"#,
            r#"{"expires_at":"+010000-01-01T00:00:00Z"}"#,
            r#"{"expires_at":"2026-01-31T12:00:00.Z"}"#,
            r#"{"expires_at":"2026-01-31T12:00:00[UTC]Z"}"#,
            r#"{"expires_at":"2026-01-31T12:00:0é"}"#,
        ],
    ),
];

#[test]
fn other_bodies() {
    let requests = OTHER_BODIES
        .iter()
        .flat_map(|(head, bodies)| with_bodies(head, bodies));
    check(requests, expect_file!["hostile_bodies.txt"]);
}

const REQUESTS: &[&str] = &[
    "GET //",
    "GET //plimsoll",
    "GET //plimsoll/v1",
    "GET //plimsoll/v1/",
    "GET //plimsoll/v2/scopes",
    "GET //plimsoll/v1scopes",
    "GET /Scopes",
    "GET /scopes/",
    "GET /scopes//quotas",
    "GET /scopes/p-7/",
    "GET /scopes/p-7/quotas/x",
    "GET /reservations",
    "POST /reservations:commit",
    "GET /resources/vm",
    "GET /%73copes",
    "GET /scopes/../principals",
    "GET /scopes/.",
    "GET /scopes/p%207",
    "GET /scopes/p%2F7",
    "GET /scopes/p%",
    "GET /scopes/p%2",
    "GET /scopes/p%zz",
    "GET /scopes/%ff",
    "GET /scopes/p%00",
    "GET /resources/VM/image",
    "GET /resources/v%2Fm/image",
    "PATCH /scopes/p-7",
    "get /scopes",
    "HEAD /scopes",
    "DELETE /scopes/p-7",
    "GET /reservations:batch",
    "POST /scopes/p-7/limits",
    "PUT /principals",
    "GET /check",
    "GET /scopes?x=1",
    "GET /resources?page_size=1",
    "PUT /scopes/p-7?dry_run=true\n\n{}",
    "GET /scopes?=",
    "GET /scopes?parent",
    "GET /scopes?parent=a&parent=a",
    "GET /scopes?parent=a+b",
    "GET /scopes?parent=%",
    "GET /scopes?%=1",
    "GET /scopes?parent=%ff",
    "GET /scopes?page_size=0",
    "GET /scopes?page_size=1001",
    "GET /scopes?page_size=-1",
    "GET /scopes?page_size=%2B5",
    "GET /scopes?page_size=1.0",
    "GET /scopes?page_size=",
    "GET /scopes?page_size=99999999999999999999",
    "GET /scopes?page_token=",
    "GET /scopes?page_token=x",
    "GET /scopes?page_token=s7",
    "GET /scopes?page_token=s7g",
    "GET /scopes?page_token=sff",
    "GET /scopes?page_token=s",
    "GET /scopes?page_token=r702d37",
    "GET /scopes?page_token=s702d3720",
    "GET /scopes/p-7/quotas?page_token=i766d",
    "GET /scopes/p-7/quotas?page_token=i766d2f69404040",
    "GET /scopes/p-7/quotas?resource=image",
    "GET /scopes/p-7/quotas?location=",
    "GET /scopes/p-7/reservations?state=gone",
    "GET /scopes/p-7/reservations?state=HELD",
    "GET /reservations/r-1?scope=",
    "DELETE /scopes/p-7/limits",
    "DELETE /scopes/p-7/limits?location=FRA-A",
    "DELETE /scopes/p-7/limits?resource=vm/image\nif-match: 7",
    "DELETE /scopes/p-7/limits?resource=vm/image\nif-match: *",
    "DELETE /scopes/p-7/limits?resource=vm/image\nif-match: W/\"7\"",
    "DELETE /scopes/p-7/limits?resource=vm/image\nif-match: \"7\", \"8\"",
    "DELETE /scopes/p-7/limits?resource=vm/image\nif-match: \"\"",
    "DELETE /scopes/p-7/limits?resource=vm/image\nif-match: \"",
    "DELETE /scopes/p-7/limits?resource=vm/image\nif-match: \"+7\"",
    "DELETE /scopes/p-7/limits?resource=vm/image\nif-match: \"99999999999999999999\"",
    "DELETE /scopes/p-7/limits?resource=vm/image\nif-match: \"7\"\nif-match: \"7\"",
    "DELETE /scopes/p-7/limits?resource=vm/image\nif-none-match: *",
    "PUT /scopes/p-7\nif-match: \"7\"\n\n{}",
    "PUT /reservations/r-1\nif-match: \"7\"\n\n{}",
    "POST /reservations:batch\nif-match: \"7\"\n\n{}",
    "POST /reservations/r-1/commit\nif-match: 7",
    "POST /reservations/r-1/release\nif-match: *",
    "POST /reservations/r-1/extend\nif-match: W/\"7\"\n\n{\"ttl_seconds\":1}",
    "POST /reservations/r-1/transfer\nif-match: \"7\", \"8\"\n\n{\"to\":\"p-8\"}",
    "POST /reservations/r-1/transfer\nif-match: \"7\"\nif-match: \"7\"\n\n{\"to\":\"p-8\"}",
    "POST /reservations/r-1/commit\nif-none-match: *",
    "POST /reservations/r-1/commit?scope=p-7",
    "POST /reservations/r%201/commit",
    "PUT /reservations/r-1/commit",
    "POST /reservations/r-1/renew",
    "PUT /locations/FRA-A\nif-none-match: *\n\n{}",
    "POST /check\ncontent-type: text/plain\n\n{}",
    "POST /check\ncontent-type: application/xml\n\n{}",
    "POST /check\ncontent-type: application/jsonp\n\n{}",
    "POST /check\ncontent-type: application/problem+json\n\n{}",
    "POST /check\ncontent-type: ;\n\n{}",
    "POST /check\ncontent-type: application/json\ncontent-type: application/json\n\n{}",
    "POST /check\ncontent-encoding: gzip\n\n{}",
    "POST /check\ncontent-encoding: identity\ncontent-encoding: gzip\n\n{}",
];

#[test]
fn paths_queries_and_headers() {
    let requests = REQUESTS
        .iter()
        .map(|request| (*request, (*request).to_owned()));
    check(requests, expect_file!["hostile_requests.txt"]);
}
