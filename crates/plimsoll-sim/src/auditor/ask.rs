//! Requests as the auditor reads them: from the bytes on the wire, with its own eyes.

use serde_json::Value;

use super::model::{Ceiling, Content, Item, Line};
use crate::step::Ask;

/// What a request asks for.
pub(super) enum Question {
    Verb(Verb),
    Batch(Vec<Verb>),
    Check(Content),
    Quotas {
        scope: String,
    },
    Reservation {
        id: String,
        scope: String,
    },
    PutLimit(PutLimit),
    DeleteLimit {
        scope: String,
        item: Item,
        expected: Option<u64>,
    },
    PutResource {
        name: String,
        ceiling: Ceiling,
        per_location: bool,
    },
    PutLocation {
        id: String,
    },
    PutScope {
        id: String,
        parent: Option<String>,
        kind: String,
    },
}

impl Question {
    /// Whether it is answered from what is durable, and changes nothing.
    pub(super) fn is_read(&self) -> bool {
        match self {
            Question::Check(_) | Question::Quotas { .. } | Question::Reservation { .. } => true,
            Question::Verb(_)
            | Question::Batch(_)
            | Question::PutLimit(_)
            | Question::DeleteLimit { .. }
            | Question::PutResource { .. }
            | Question::PutLocation { .. }
            | Question::PutScope { .. } => false,
        }
    }
}

/// A limit to be set.
pub(super) struct PutLimit {
    pub(super) scope: String,
    pub(super) item: Item,
    pub(super) ceiling: Ceiling,
    pub(super) reason: String,
    pub(super) expected: Option<u64>,
}

/// Something to be done with a reservation.
pub(super) struct Verb {
    pub(super) id: String,
    /// A scope of its tenant, where one is named.
    pub(super) scope: Option<String>,
    pub(super) expected: Option<u64>,
    pub(super) what: What,
}

/// What is to be done.
pub(super) enum What {
    Reserve(Content),
    Commit(Option<Vec<Line>>),
    Release(Option<Vec<Line>>),
    Extend { ttl_ms: u64 },
    Resize { lines: Vec<Line>, forced: bool },
    Transfer { to: String, forced: bool },
}

/// How long a hold lasts whose caller says nothing: five minutes.
const TTL_S_DEFAULT: u64 = 300;

/// Reads a request. The workload asks for nothing malformed.
pub(super) fn read(ask: &Ask) -> Question {
    let (path, query) = ask.target.split_once('?').unwrap_or((&ask.target, ""));
    let path = path
        .strip_prefix("/plimsoll/v1/")
        .expect("it is under the base");
    let parts: Vec<&str> = path.split('/').collect();
    let body: Value = match ask.body.as_str() {
        "" => Value::Null,
        text => serde_json::from_str(text).expect("the workload writes JSON"),
    };
    match (ask.method.as_str(), parts.as_slice()) {
        ("POST", ["reservations:batch"]) => {
            let commands = body["commands"].as_array().expect("it is a list");
            Question::Batch(commands.iter().map(command).collect())
        }
        ("POST", ["check"]) => Question::Check(content(&body)),
        ("PUT", ["reservations", id]) => Question::Verb(verb("reserve", id, &body, None)),
        ("POST", ["reservations", id, op]) => Question::Verb(verb(op, id, &body, ask.if_match)),
        ("GET", ["reservations", id]) => Question::Reservation {
            id: (*id).to_owned(),
            scope: parameter(query, "scope").expect("the workload names it"),
        },
        ("GET", ["scopes", scope, "quotas"]) => Question::Quotas {
            scope: (*scope).to_owned(),
        },
        ("PUT", ["scopes", scope, "limits"]) => Question::PutLimit(PutLimit {
            scope: (*scope).to_owned(),
            item: item(&body),
            ceiling: ceiling(&body["limit"]),
            reason: text(&body["reason"]).unwrap_or_default(),
            expected: ask.if_match,
        }),
        ("DELETE", ["scopes", scope, "limits"]) => Question::DeleteLimit {
            scope: (*scope).to_owned(),
            item: Item {
                resource: parameter(query, "resource").expect("the workload names it"),
                location: parameter(query, "location"),
            },
            expected: ask.if_match,
        },
        ("PUT", ["resources", service, name]) => Question::PutResource {
            name: format!("{service}/{name}"),
            ceiling: ceiling(&body["default_limit"]),
            per_location: body["per_location"] == Value::Bool(true),
        },
        ("PUT", ["locations", id]) => Question::PutLocation {
            id: (*id).to_owned(),
        },
        ("PUT", ["scopes", id]) => Question::PutScope {
            id: (*id).to_owned(),
            parent: text(&body["parent"]),
            kind: text(&body["kind"]).unwrap_or_default(),
        },
        (method, _) => panic!("the auditor does not know `{method} {path}`"),
    }
}

fn command(body: &Value) -> Verb {
    let op = body["op"].as_str().expect("it is a text");
    let id = body["id"].as_str().expect("it is a text");
    verb(op, id, body, body["if_revision"].as_u64())
}

fn verb(op: &str, id: &str, body: &Value, expected: Option<u64>) -> Verb {
    let forced = body["force"].is_object();
    let part = || body["lines"].as_array().map(|_| lines(body));
    let ttl_ms = || body["ttl_seconds"].as_u64().unwrap_or(TTL_S_DEFAULT) * 1_000;
    Verb {
        id: id.to_owned(),
        scope: text(&body["scope"]),
        expected,
        what: match op {
            "reserve" => What::Reserve(content(body)),
            "commit" => What::Commit(part()),
            "release" => What::Release(part()),
            "extend" => What::Extend { ttl_ms: ttl_ms() },
            "resize" => What::Resize {
                lines: lines(body),
                forced,
            },
            "transfer" => What::Transfer {
                to: text(&body["to"]).expect("the workload names it"),
                forced,
            },
            other => panic!("the auditor does not know `{other}`"),
        },
    }
}

fn content(body: &Value) -> Content {
    let least = |line: &Value| {
        let least = line["at_least"].as_u64();
        least
            .or_else(|| line["amount"].as_u64())
            .expect("it is a number")
    };
    let commit = body["commit"] == Value::Bool(true);
    Content {
        scope: text(&body["scope"]).expect("the workload names it"),
        lines: lines(body),
        at_least: body["lines"]
            .as_array()
            .into_iter()
            .flatten()
            .map(least)
            .collect(),
        ttl_ms: (!commit).then(|| body["ttl_seconds"].as_u64().unwrap_or(TTL_S_DEFAULT) * 1_000),
        forced: text(&body["force"]["reason"]),
        holder: text(&body["holder"]),
        attributes: match &body["attributes"] {
            Value::Null => Value::Object(serde_json::Map::new()),
            attributes => attributes.clone(),
        },
    }
}

fn lines(body: &Value) -> Vec<Line> {
    let lines = body["lines"].as_array().expect("it is a list");
    let line = |line: &Value| Line {
        item: item(line),
        amount: line["amount"].as_u64().expect("it is a number"),
    };
    lines.iter().map(line).collect()
}

fn item(body: &Value) -> Item {
    Item {
        resource: text(&body["resource"]).expect("the workload names it"),
        location: text(&body["location"]),
    }
}

fn ceiling(limit: &Value) -> Ceiling {
    limit.as_u64().map_or(Ceiling::Unlimited, Ceiling::Finite)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A parameter of a query. The workload's values need no escapes but for the slash of a resource.
fn parameter(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(key, _)| *key == name);
    found.next().map(|(_, value)| value.replace("%2F", "/"))
}
