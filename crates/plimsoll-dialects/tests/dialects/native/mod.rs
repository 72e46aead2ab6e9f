//! The native dialect: requests as text in, calls and problems out; core values in, JSON out.

use plimsoll_core::command::Reserve;
use plimsoll_core::model::Role;
use plimsoll_dialects::http::{Reply, Request};
use plimsoll_dialects::native::{self, BASE, Call, Problem, Route};

mod batch;
mod binary;
mod changes;
mod decode;
mod encode;
mod events;
mod hostile;
mod hostile_changes;
mod hostile_settings;
mod lists;
mod openapi;
mod problems;
mod roles;
mod samples;
mod settings;
mod wishes;

/// Decodes a request that is written as text: `METHOD /path?query`, header lines, a blank line,
/// the body. The path stands below the base unless it starts with two slashes.
fn decode(text: &str) -> Result<Call, Problem> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    decode_bytes(head, body.as_bytes())
}

fn decode_bytes(head: &str, body: &[u8]) -> Result<Call, Problem> {
    routed(head, body, |route| route?.decode())
}

/// The role that a request takes, known before anything but its path is read.
fn role(text: &str) -> Result<Role, Problem> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    routed(head, body.as_bytes(), |route| route.map(|it| it.role()))
}

fn routed<T>(head: &str, body: &[u8], then: impl FnOnce(Result<Route<'_>, Problem>) -> T) -> T {
    let mut lines = head.lines();
    let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
    let target = match target.strip_prefix("//") {
        Some(target) => format!("/{target}"),
        None => format!("{BASE}{target}"),
    };
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target.as_str(), None),
    };
    let headers: Vec<(&str, &[u8])> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name, value.as_bytes()))
        .collect();
    then(native::route(&Request {
        method,
        path,
        query,
        headers: &headers,
        body,
    }))
}

/// A reply as text: the status, the headers but for the ordinary content type, the body as it is.
fn show(reply: &Reply) -> String {
    let is_ordinary = |(name, value): &(&str, String)| {
        (*name, value.as_str()) == ("content-type", "application/json")
    };
    let headers: String = reply
        .headers
        .iter()
        .filter(|header| !is_ordinary(header))
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    let body = str::from_utf8(&reply.body).unwrap();
    format!("{}\n{headers}{body}\n", reply.status)
}

/// A problem in one line: the status, the code, the place, the detail.
fn in_a_line(problem: &Problem) -> String {
    let body: serde_json::Value = serde_json::from_slice(&problem.reply().body).unwrap();
    let place = ["pointer", "parameter", "header"]
        .into_iter()
        .find_map(|name| Some(format!(" {name} {}", body.get(name)?)))
        .unwrap_or_default();
    let detail = body["detail"].as_str().unwrap();
    format!("{} {}{place}: {detail}", problem.status(), problem.code())
}

/// What a request asks to be reserved.
fn reserve(text: &str) -> Reserve {
    match decode(text) {
        Ok(Call::Act(plimsoll_core::command::Action::Reserve(reserve))) => reserve,
        other => panic!("no reserve: {other:?}"),
    }
}
