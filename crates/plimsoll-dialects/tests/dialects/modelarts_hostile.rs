//! ModelArts requests that make no sense, and what their senders are told.

use expect_test::expect;
use plimsoll_dialects::modelarts::{decode, error_reply, route};
use serde_json::Value;

use crate::modelarts::request_id;
use crate::transcript::request;

/// What comes of a request whose sender is known.
fn outcome(transcript: &str) -> String {
    let called = request(transcript).read(|request| route(request).and_then(|()| decode(request)));
    match called {
        Ok(call) => format!("{call:?}"),
        Err(error) => {
            let reply = error_reply(&error, &request_id());
            let content: Value = serde_json::from_slice(&reply.body).unwrap();
            let text = |key: &str| content[key].as_str().unwrap().to_owned();
            let (code, message) = (text("error_code"), text("error_msg"));
            format!("{} {code}: {message}", reply.status)
        }
    }
}

fn table<'a>(transcripts: impl IntoIterator<Item = &'a str>) -> String {
    let lines = transcripts
        .into_iter()
        .map(|transcript| format!("{} => {}\n", transcript.escape_debug(), outcome(transcript)));
    lines.collect()
}

#[test]
fn methods_and_paths() {
    expect![[r#"
        GET /v1/p-7/quotas => Quotas { project: p-7 }
        GET /v1/p-7/quotas/ => Quotas { project: p-7 }
        GET /v1/p-7/quotas// => 404 APIGW.0101: The API does not exist or has not been published in the environment.
        GET /v1/p-7/quotas/more => 404 APIGW.0101: The API does not exist or has not been published in the environment.
        GET /v1/p-7/Quotas => 404 APIGW.0101: The API does not exist or has not been published in the environment.
        GET /v1/p-7/%71uotas => 404 APIGW.0101: The API does not exist or has not been published in the environment.
        GET /v1/p-7 => 404 APIGW.0101: The API does not exist or has not been published in the environment.
        GET /v1//quotas => 404 APIGW.0101: The API does not exist or has not been published in the environment.
        GET /v1/quotas => 404 APIGW.0101: The API does not exist or has not been published in the environment.
        GET //v1/p-7/quotas => 404 APIGW.0101: The API does not exist or has not been published in the environment.
        GET /v2/p-7/quotas => 404 APIGW.0101: The API does not exist or has not been published in the environment.
        GET /v1/p-7/networks => 404 APIGW.0101: The API does not exist or has not been published in the environment.
        GET /v3/projects/p-7 => 404 APIGW.0101: The API does not exist or has not been published in the environment.
        GET /v3 => 404 APIGW.0101: The API does not exist or has not been published in the environment.
        GET / => 404 APIGW.0101: The API does not exist or has not been published in the environment.
        GET * => 404 APIGW.0101: The API does not exist or has not been published in the environment.
        HEAD /v1/p-7/quotas => 404 APIGW.0101: The API does not exist.
        POST /v1/p-7/quotas => 404 APIGW.0101: The API does not exist.
        DELETE /v1/p-7/os-user-config => 404 APIGW.0101: The API does not exist.
        get /v1/p-7/quotas => 404 APIGW.0101: The API does not exist.
        PUT /v3/projects => 404 APIGW.0101: The API does not exist.
        PUT /v3/nothing => 404 APIGW.0101: The API does not exist or has not been published in the environment.
    "#]].assert_eq(&table([
        "GET /v1/p-7/quotas",
        "GET /v1/p-7/quotas/",
        "GET /v1/p-7/quotas//",
        "GET /v1/p-7/quotas/more",
        "GET /v1/p-7/Quotas",
        "GET /v1/p-7/%71uotas",
        "GET /v1/p-7",
        "GET /v1//quotas",
        "GET /v1/quotas",
        "GET //v1/p-7/quotas",
        "GET /v2/p-7/quotas",
        "GET /v1/p-7/networks",
        "GET /v3/projects/p-7",
        "GET /v3",
        "GET /",
        "GET *",
        "HEAD /v1/p-7/quotas",
        "POST /v1/p-7/quotas",
        "DELETE /v1/p-7/os-user-config",
        "get /v1/p-7/quotas",
        "PUT /v3/projects",
        "PUT /v3/nothing",
    ]));
}

#[test]
fn projects() {
    let longest = format!("GET /v1/{}/quotas", "x".repeat(128));
    assert!(outcome(&longest).starts_with("Quotas"));
    let too_long = format!("GET /v1/{}/os-user-config", "x".repeat(129));
    expect!["400 ModelArts.0210: Invalid project ID."].assert_eq(&outcome(&too_long));
    expect![[r#"
        GET /v1/%70-7/quotas => Quotas { project: p-7 }
        GET /v1/a%3Ab/quotas => Quotas { project: a:b }
        GET /v1/{project_id}/quotas => 400 ModelArts.0210: Invalid project ID.
        GET /v1/%7Bproject_id%7D/os-user-config => 400 ModelArts.0210: Invalid project ID.
        GET /v1/../quotas => 400 ModelArts.0210: Invalid project ID.
        GET /v1/%2e%2e/quotas => 400 ModelArts.0210: Invalid project ID.
        GET /v1/a%2Fb/quotas => 400 ModelArts.0210: Invalid project ID.
        GET /v1/a%00/quotas => 400 ModelArts.0210: Invalid project ID.
        GET /v1/a%0A/quotas => 400 ModelArts.0210: Invalid project ID.
        GET /v1/a%/quotas => 400 ModelArts.0210: Invalid project ID.
        GET /v1/a%2/quotas => 400 ModelArts.0210: Invalid project ID.
        GET /v1/a%zz/quotas => 400 ModelArts.0210: Invalid project ID.
        GET /v1/a%ff/quotas => 400 ModelArts.0210: Invalid project ID.
        GET /v1/a+b/quotas => 400 ModelArts.0210: Invalid project ID.
        GET /v1/a%2525/quotas => 400 ModelArts.0210: Invalid project ID.
    "#]]
    .assert_eq(&table([
        "GET /v1/%70-7/quotas",
        "GET /v1/a%3Ab/quotas",
        "GET /v1/{project_id}/quotas",
        "GET /v1/%7Bproject_id%7D/os-user-config",
        "GET /v1/../quotas",
        "GET /v1/%2e%2e/quotas",
        "GET /v1/a%2Fb/quotas",
        "GET /v1/a%00/quotas",
        "GET /v1/a%0A/quotas",
        "GET /v1/a%/quotas",
        "GET /v1/a%2/quotas",
        "GET /v1/a%zz/quotas",
        "GET /v1/a%ff/quotas",
        "GET /v1/a+b/quotas",
        "GET /v1/a%2525/quotas",
    ]));
}

#[test]
fn names() {
    let too_long = format!("GET /v3/projects?name={}", "x".repeat(513));
    expect!["400 APIGW.0602: Bad request. `name` must be text in percent-encoded UTF-8"]
        .assert_eq(&outcome(&too_long));
    expect![[r#"
        GET /v3/projects? => Projects { name: None }
        GET /v3/projects?name => Projects { name: None }
        GET /v3/projects?name=a => Projects { name: Some(a) }
        GET /v3/projects?n%61me=a%26b => Projects { name: Some(a&b) }
        GET /v3/projects?name=a&name=b => 400 APIGW.0602: Bad request. send `name` once
        GET /v3/projects?name=&name=b => 400 APIGW.0602: Bad request. send `name` once
        GET /v3/projects?name=a=b => Projects { name: Some(a=b) }
        GET /v3/projects?Name=a => Projects { name: None }
        GET /v3/projects?name=a%0Ab => 400 APIGW.0602: Bad request. `name` must be text in percent-encoded UTF-8
        GET /v3/projects?name=a%7f => 400 APIGW.0602: Bad request. `name` must be text in percent-encoded UTF-8
        GET /v3/projects?name=%ff => 400 APIGW.0602: Bad request. `name` must be text in percent-encoded UTF-8
        GET /v3/projects?name=% => 400 APIGW.0602: Bad request. `name` must be text in percent-encoded UTF-8
        GET /v3/projects?%&name=a => Projects { name: Some(a) }
        GET /v3/projects?page=-1&per_page=x => Projects { name: None }
    "#]].assert_eq(&table([
        "GET /v3/projects?",
        "GET /v3/projects?name",
        "GET /v3/projects?name=a",
        "GET /v3/projects?n%61me=a%26b",
        "GET /v3/projects?name=a&name=b",
        "GET /v3/projects?name=&name=b",
        "GET /v3/projects?name=a=b",
        "GET /v3/projects?Name=a",
        "GET /v3/projects?name=a%0Ab",
        "GET /v3/projects?name=a%7f",
        "GET /v3/projects?name=%ff",
        "GET /v3/projects?name=%",
        "GET /v3/projects?%&name=a",
        "GET /v3/projects?page=-1&per_page=x",
    ]));
}

#[test]
fn what_is_not_read() {
    expect![[r#"
        GET /v1/p-7/quotas?type=vpc&type=vpc&% => Quotas { project: p-7 }
        GET /v1/p-7/quotas\nX-Project-Id: other\nX-Project-Id: another\n\n{\"not\": json => Quotas { project: p-7 }
    "#]].assert_eq(&table([
        "GET /v1/p-7/quotas?type=vpc&type=vpc&%",
        "GET /v1/p-7/quotas\nX-Project-Id: other\nX-Project-Id: another\n\n{\"not\": json",
    ]));
}
