//! Zenlayer requests that make no sense, and what their senders are told.

use expect_test::expect;
use plimsoll_dialects::zenlayer::{ZONE_IDS_MAX, decode, error_reply, route};
use serde_json::Value;

use crate::wire::Wire;
use crate::zenlayer::{call, request_id};

/// What comes of a request whose sender is known, without the parts that every failure has.
fn outcome(wire: &Wire) -> String {
    let called = wire.read(|request| route(request).and_then(|()| decode(request)));
    match called {
        Ok(call) => format!("{call:?}"),
        Err(error) => {
            let reply = error_reply(&error, &request_id());
            let content: Value = serde_json::from_slice(&reply.body).unwrap();
            let text = |key: &str| content[key].as_str().unwrap().to_owned();
            format!("{} {}: {}", reply.status, text("code"), text("message"))
        }
    }
}

fn quota(body: impl AsRef<[u8]>) -> Wire {
    call("DescribeImageQuota", "").with_body(body)
}

fn zone_ids(count: usize) -> String {
    let zone_ids: Vec<String> = (0..count).map(|number| format!("\"Z-{number}\"")).collect();
    format!("{{\"zoneIds\":[{}]}}", zone_ids.join(","))
}

fn table(rows: impl IntoIterator<Item = (String, Wire)>) -> String {
    let lines = rows
        .into_iter()
        .map(|(name, wire)| format!("{name} => {}\n", outcome(&wire)));
    lines.collect()
}

#[test]
fn bodies() {
    let bodies: &[&[u8]] = &[
        b"[]",
        b"[[\"FRA-A\"]]",
        b"null",
        b"5",
        b"\"x\"",
        b" ",
        b"x=1",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"{",
        b"{}{}",
        b"{} x",
        b"{'zoneIds':[]}",
        b"{\"zoneIds\":[\"FRA-A\",]}",
        b"{\"zoneIds\":[\"FRA-A\"],\"zoneIds\":[\"HKG-A\"]}",
        b"{\"zoneIds\":[\"\\ud800\"]}",
        b"{\"zoneIds\":[\"\xff\"]}",
        b"{\"zoneIds\":[\"a\nb\"]}",
        b"{\"other\":1e999}",
        b"{\"other\":{\"zoneIds\":5}}",
    ];
    let rows = bodies
        .iter()
        .map(|body| (body.escape_ascii().to_string(), quota(body)));
    expect![[r#"
        [] => 400 INVALID_PARAMETER_TYPE: the body must be a JSON object
        [[\"FRA-A\"]] => 400 INVALID_PARAMETER_TYPE: the body must be a JSON object
        null => 400 INVALID_PARAMETER_TYPE: the body must be a JSON object
        5 => 400 INVALID_PARAMETER_TYPE: the body must be a JSON object
        \"x\" => 400 INVALID_PARAMETER_TYPE: the body must be a JSON object
          => 400 INVALID_PARAMETER_TYPE: the body must be a JSON object
        x=1 => 400 INVALID_PARAMETER_TYPE: the body must be a JSON object
        \xff => 400 INVALID_PARAMETER_TYPE: the body must be a JSON object
        \xef\xbb\xbf{} => 400 INVALID_PARAMETER_TYPE: the body must be a JSON object
        { => 400 INVALID_PARAMETER_TYPE: the body must be valid JSON: EOF while parsing an object at line 1 column 1
        {}{} => 400 INVALID_PARAMETER_TYPE: the body must be valid JSON: trailing characters at line 1 column 3
        {} x => 400 INVALID_PARAMETER_TYPE: the body must be valid JSON: trailing characters at line 1 column 4
        {\'zoneIds\':[]} => 400 INVALID_PARAMETER_TYPE: the body must be valid JSON: key must be a string at line 1 column 2
        {\"zoneIds\":[\"FRA-A\",]} => 400 INVALID_PARAMETER_TYPE: the body must be valid JSON: trailing comma at line 1 column 21
        {\"zoneIds\":[\"FRA-A\"],\"zoneIds\":[\"HKG-A\"]} => 400 INVALID_PARAMETER_TYPE: the body must be valid JSON: duplicate field `zoneIds` at line 1 column 30
        {\"zoneIds\":[\"\\ud800\"]} => 400 INVALID_PARAMETER_TYPE: the body must be valid JSON: unexpected end of hex escape at line 1 column 20
        {\"zoneIds\":[\"\xff\"]} => 400 INVALID_PARAMETER_TYPE: the body must be valid JSON: invalid unicode code point at line 1 column 14
        {\"zoneIds\":[\"a\nb\"]} => 400 INVALID_PARAMETER_TYPE: the body must be valid JSON: control character (\u0000-\u001F) found while parsing a string at line 2 column 0
        {\"other\":1e999} => DescribeImageQuota { zones: All }
        {\"other\":{\"zoneIds\":5}} => DescribeImageQuota { zones: All }
    "#]].assert_eq(&table(rows));
}

#[test]
fn deep_nesting_ends_before_the_stack_does() {
    let deep = "{\"zoneIds\":".to_owned() + &"[".repeat(500_000);
    expect!["400 INVALID_PARAMETER_TYPE: the body must be valid JSON: recursion limit exceeded at line 1 column 138"].assert_eq(&outcome(&quota(deep)));
}

#[test]
fn zones() {
    let values = [
        "\"FRA-A\"",
        "5",
        "1.5",
        "-1",
        "99999999999999999999999",
        "true",
        "{\"0\":\"FRA-A\"}",
        "[1]",
        "[null]",
        "[[\"FRA-A\"]]",
        "[\"FRA-A\",{}]",
        "[\"\"]",
        "[\"FRA-A\",\" \"]",
        "[\"FRA-A\\n\"]",
        "[\"FRA-A\\u0000\"]",
        "[\"../etc\"]",
        "[\"FRA`A\"]",
        "[\"Zürich\"]",
        "[\"-A\"]",
    ];
    let rows = values.iter().map(|value| {
        let body = format!("{{\"zoneIds\":{value}}}");
        ((*value).to_owned(), quota(body))
    });
    expect![[r#"
        "FRA-A" => 400 INVALID_PARAMETER_TYPE: `zoneIds` must be an array of strings
        5 => 400 INVALID_PARAMETER_TYPE: `zoneIds` must be an array of strings
        1.5 => 400 INVALID_PARAMETER_TYPE: `zoneIds` must be an array of strings
        -1 => 400 INVALID_PARAMETER_TYPE: `zoneIds` must be an array of strings
        99999999999999999999999 => 400 INVALID_PARAMETER_TYPE: `zoneIds` must be an array of strings
        true => 400 INVALID_PARAMETER_TYPE: `zoneIds` must be an array of strings
        {"0":"FRA-A"} => 400 INVALID_PARAMETER_TYPE: `zoneIds` must be an array of strings
        [1] => 400 INVALID_PARAMETER_TYPE: `zoneIds[0]` must be a string
        [null] => 400 INVALID_PARAMETER_TYPE: `zoneIds[0]` must be a string
        [["FRA-A"]] => 400 INVALID_PARAMETER_TYPE: `zoneIds[0]` must be a string
        ["FRA-A",{}] => 400 INVALID_PARAMETER_TYPE: `zoneIds[1]` must be a string
        [""] => 400 INVALID_PARAMETER_LESS_LENGTH: `zoneIds[0]` must not be empty
        ["FRA-A"," "] => 400 INVALID_PARAMETER_PATTERN_ERROR: `zoneIds[1]` must be ASCII letters, digits, `.`, `_`, `:` and `-`, a letter or digit first
        ["FRA-A\n"] => 400 INVALID_PARAMETER_PATTERN_ERROR: `zoneIds[0]` must be ASCII letters, digits, `.`, `_`, `:` and `-`, a letter or digit first
        ["FRA-A\u0000"] => 400 INVALID_PARAMETER_PATTERN_ERROR: `zoneIds[0]` must be ASCII letters, digits, `.`, `_`, `:` and `-`, a letter or digit first
        ["../etc"] => 400 INVALID_PARAMETER_PATTERN_ERROR: `zoneIds[0]` must be ASCII letters, digits, `.`, `_`, `:` and `-`, a letter or digit first
        ["FRA`A"] => 400 INVALID_PARAMETER_PATTERN_ERROR: `zoneIds[0]` must be ASCII letters, digits, `.`, `_`, `:` and `-`, a letter or digit first
        ["Zürich"] => 400 INVALID_PARAMETER_PATTERN_ERROR: `zoneIds[0]` must be ASCII letters, digits, `.`, `_`, `:` and `-`, a letter or digit first
        ["-A"] => 400 INVALID_PARAMETER_PATTERN_ERROR: `zoneIds[0]` must be ASCII letters, digits, `.`, `_`, `:` and `-`, a letter or digit first
    "#]].assert_eq(&table(rows));
}

#[test]
fn lengths() {
    let longest = "x".repeat(128);
    let rows = [
        ("longest zone", format!("{{\"zoneIds\":[\"{longest}\"]}}")),
        ("too long zone", format!("{{\"zoneIds\":[\"{longest}x\"]}}")),
        ("too many zones", zone_ids(ZONE_IDS_MAX + 1)),
    ];
    let rows = rows.map(|(name, body)| (name.to_owned(), quota(body)));
    expect![[r#"
        longest zone => DescribeImageQuota { zones: Named([xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx]) }
        too long zone => 400 INVALID_PARAMETER_EXCEED_LENGTH: `zoneIds[0]` must have at most `128` bytes
        too many zones => 400 INVALID_PARAMETER_EXCEED_LENGTH: `zoneIds` must have at most `1000` values
    "#]].assert_eq(&table(rows));
    let most = quota(zone_ids(ZONE_IDS_MAX));
    assert!(most.read(decode).is_ok());
}

#[test]
fn headers() {
    let good = || quota("{}");
    let rows = [
        ("no action", good().without("x-zc-action")),
        ("empty action", good().with("x-zc-action", "")),
        (
            "unknown action",
            good().with("x-zc-action", "DescribeNothing"),
        ),
        (
            "action in lower case",
            good().with("x-zc-action", "describezones"),
        ),
        (
            "action that is no text",
            good().with("x-zc-action", b"\xff\x00"),
        ),
        ("action twice", good().and("x-zc-action", "DescribeZones")),
        ("no version", good().without("x-zc-version")),
        ("unknown version", good().with("x-zc-version", "2022-11-20")),
        ("version twice", good().and("x-zc-version", "2023-03-13")),
        (
            "no version, another authorization",
            good()
                .without("x-zc-version")
                .and("authorization", "Basic eDp5"),
        ),
        (
            "no version, a token",
            good()
                .without("x-zc-version")
                .and("authorization", "bearer x"),
        ),
        ("no content type", good().without("content-type")),
        (
            "content type twice",
            good().and("content-type", "text/plain"),
        ),
        (
            "form",
            good().with("content-type", "application/x-www-form-urlencoded"),
        ),
        (
            "other case",
            good().with("content-type", "Application/JSON ; charset=utf-8"),
        ),
        (
            "nearly JSON",
            good().with("content-type", "application/jsonx"),
        ),
        ("another service header", good().and("x-zc-service", "bmc")),
    ];
    expect![[r#"
        no action => 400 MISSING_PARAMETER: the header `X-ZC-Action` is missing: send it
        empty action => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such action: set `X-ZC-Action` to `DescribeImageQuota` or `DescribeZones`
        unknown action => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such action: set `X-ZC-Action` to `DescribeImageQuota` or `DescribeZones`
        action in lower case => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such action: set `X-ZC-Action` to `DescribeImageQuota` or `DescribeZones`
        action that is no text => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such action: set `X-ZC-Action` to `DescribeImageQuota` or `DescribeZones`
        action twice => 400 INVALID_PARAMETER_VALUE: the header `X-ZC-Action` is repeated: send it once
        no version => 400 MISSING_PARAMETER: the header `X-ZC-Version` is missing: send it
        unknown version => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such version: set `X-ZC-Version` to `2026-04-01` or `2023-03-13`
        version twice => 400 INVALID_PARAMETER_VALUE: the header `X-ZC-Version` is repeated: send it once
        no version, another authorization => 400 MISSING_PARAMETER: the header `X-ZC-Version` is missing: send it
        no version, a token => DescribeImageQuota { zones: All }
        no content type => DescribeImageQuota { zones: All }
        content type twice => 400 INVALID_PARAMETER_VALUE: the header `Content-Type` is repeated: send it once
        form => 400 INVALID_PARAMETER_VALUE: the body is not declared as JSON: set `Content-Type` to `application/json`
        other case => DescribeImageQuota { zones: All }
        nearly JSON => 400 INVALID_PARAMETER_VALUE: the body is not declared as JSON: set `Content-Type` to `application/json`
        another service header => DescribeImageQuota { zones: All }
    "#]].assert_eq(&table(rows.map(|(name, wire)| (name.to_owned(), wire))));
}

#[test]
fn methods_and_paths() {
    let targets = [
        ("GET", "/api/v2/vm"),
        ("post", "/api/v2/vm"),
        ("PUT", "/api/v2/vm"),
        ("OPTIONS", "/api/v2/vm"),
        ("BREW", "/nowhere"),
        ("POST", "/api/v2"),
        ("POST", "/api/v2/"),
        ("POST", "/api/v2/vm/"),
        ("POST", "/api/v2/vm/more"),
        ("POST", "/api/v2//vm"),
        ("POST", "/api/v2/VM"),
        ("POST", "/api/v2/%76m"),
        ("POST", "/api/v2/bmc"),
        ("POST", "/api/v2/%00%ff"),
        ("POST", "/api/v2/vm?zoneIds=FRA-A"),
    ];
    let rows = targets.map(|(method, target)| {
        let mut wire = quota("{}");
        wire.method = method.to_owned();
        wire.path = target.to_owned();
        if let Some((path, query)) = target.split_once('?') {
            wire.path = path.to_owned();
            wire.query = Some(query.to_owned());
        }
        (format!("{method} {target}"), wire)
    });
    expect![[r#"
        GET /api/v2/vm => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such operation: send `POST`
        post /api/v2/vm => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such operation: send `POST`
        PUT /api/v2/vm => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such operation: send `POST`
        OPTIONS /api/v2/vm => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such operation: send `POST`
        BREW /nowhere => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such operation: send `POST`
        POST /api/v2 => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such operation: send to `/api/v2/vm`
        POST /api/v2/ => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such operation: send to `/api/v2/vm`
        POST /api/v2/vm/ => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such operation: send to `/api/v2/vm`
        POST /api/v2/vm/more => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such operation: send to `/api/v2/vm`
        POST /api/v2//vm => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such operation: send to `/api/v2/vm`
        POST /api/v2/VM => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such service: use `vm`
        POST /api/v2/%76m => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such service: use `vm`
        POST /api/v2/bmc => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such service: use `vm`
        POST /api/v2/%00%ff => 401 AUTHFAILURE_UNAUTHORIZED_OPERATION: there is no such service: use `vm`
        POST /api/v2/vm?zoneIds=FRA-A => DescribeImageQuota { zones: All }
    "#]].assert_eq(&table(rows));
}
