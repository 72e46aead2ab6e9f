//! Requests as the auditor reads them: from the bytes on the wire, with its own eyes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::limits::{Mode, Window};
use super::model::{Ceiling, Content, Item, Line, Resource};
use super::ms_of;
use super::reconcile::Inventory;
use super::wishes::Rule;
use crate::step::{Ask, request_id};

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
    Reservations {
        scope: String,
        state: Option<String>,
    },
    Reconcile(Inventory),
    PutLimit(PutLimit),
    DeleteLimit(DeleteLimit),
    PutResource {
        name: String,
        resource: Resource,
    },
    PutTier {
        name: String,
        limits: Vec<(Item, Ceiling, Mode)>,
    },
    PutLocation {
        id: String,
    },
    PutScope(PutScope),
    Submit(Submit),
    Rule(Ruling),
    Wish {
        id: String,
    },
    Wishes {
        scope: String,
        status: Option<String>,
    },
}

impl Question {
    /// Whether it is answered from what is durable, and changes nothing.
    pub(super) fn is_read(&self) -> bool {
        match self {
            Question::Check(_)
            | Question::Quotas { .. }
            | Question::Reservation { .. }
            | Question::Reservations { .. }
            | Question::Wish { .. }
            | Question::Wishes { .. } => true,
            Question::Reconcile(inventory) => !inventory.repair,
            Question::Verb(_)
            | Question::Batch(_)
            | Question::PutLimit(_)
            | Question::DeleteLimit(_)
            | Question::PutResource { .. }
            | Question::PutTier { .. }
            | Question::PutLocation { .. }
            | Question::PutScope(_)
            | Question::Submit(_)
            | Question::Rule(_) => false,
        }
    }
}

/// A limit to be set.
pub(super) struct PutLimit {
    pub(super) scope: String,
    pub(super) item: Item,
    pub(super) window: Window,
    pub(super) ceiling: Ceiling,
    pub(super) mode: Mode,
    pub(super) reason: String,
    pub(super) expected: Option<u64>,
}

/// A limit to be taken away.
pub(super) struct DeleteLimit {
    pub(super) scope: String,
    pub(super) item: Item,
    pub(super) window: Window,
    pub(super) expected: Option<u64>,
}

/// A scope to be made or changed.
pub(super) struct PutScope {
    pub(super) id: String,
    pub(super) parent: Option<String>,
    pub(super) kind: String,
    pub(super) tier: Option<String>,
}

/// A higher limit to be asked for.
pub(super) struct Submit {
    /// Made by the server, of the ticket.
    pub(super) id: String,
    pub(super) scope: String,
    pub(super) item: Item,
    pub(super) limit: Ceiling,
    pub(super) reason: String,
}

/// A request to be decided.
pub(super) struct Ruling {
    pub(super) id: String,
    pub(super) what: Ruled,
    pub(super) reason: String,
}

/// How it is decided.
pub(super) enum Ruled {
    Approved {
        limit: Option<Ceiling>,
        until: Option<u64>,
    },
    Denied,
    Cancelled,
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
        ("POST", ["requests"]) => Question::Submit(Submit {
            id: request_id(ask.ticket),
            scope: text(&body["scope"]).expect("the workload names it"),
            item: item(&body),
            limit: ceiling(&body["limit"]),
            reason: text(&body["reason"]).unwrap_or_default(),
        }),
        ("POST", ["requests", id, verb]) => Question::Rule(Ruling {
            id: (*id).to_owned(),
            what: ruled(verb, &body),
            reason: text(&body["reason"]).unwrap_or_default(),
        }),
        ("GET", ["scopes", scope, "reservations"]) => Question::Reservations {
            scope: (*scope).to_owned(),
            state: parameter(query, "state"),
        },
        ("POST", ["reconcile"]) => Question::Reconcile(inventory(&body)),
        ("GET", ["scopes", scope, "requests"]) => Question::Wishes {
            scope: (*scope).to_owned(),
            status: parameter(query, "status"),
        },
        ("GET", ["requests", id]) => Question::Wish {
            id: (*id).to_owned(),
        },
        ("PUT" | "DELETE", _) => setting(ask, &parts, query, &body),
        (method, _) => panic!("the auditor does not know `{method} {path}`"),
    }
}

/// Reads a request to set something.
fn setting(ask: &Ask, parts: &[&str], query: &str, body: &Value) -> Question {
    match (ask.method.as_str(), parts) {
        ("PUT", ["scopes", scope, "limits"]) => Question::PutLimit(PutLimit {
            scope: (*scope).to_owned(),
            item: item(body),
            window: window(text(&body["starts_at"]), text(&body["ends_at"])),
            ceiling: ceiling(&body["limit"]),
            mode: mode(body),
            reason: text(&body["reason"]).unwrap_or_default(),
            expected: ask.if_match,
        }),
        ("DELETE", ["scopes", scope, "limits"]) => Question::DeleteLimit(DeleteLimit {
            scope: (*scope).to_owned(),
            item: Item {
                resource: parameter(query, "resource").expect("the workload names it"),
                location: parameter(query, "location"),
            },
            window: window(parameter(query, "starts_at"), parameter(query, "ends_at")),
            expected: ask.if_match,
        }),
        ("PUT", ["resources", service, name]) => Question::PutResource {
            name: format!("{service}/{name}"),
            resource: resource(body),
        },
        ("PUT", ["tiers", name]) => Question::PutTier {
            name: (*name).to_owned(),
            limits: tier_limits(body),
        },
        ("PUT", ["locations", id]) => Question::PutLocation {
            id: (*id).to_owned(),
        },
        ("PUT", ["scopes", id]) => Question::PutScope(PutScope {
            id: (*id).to_owned(),
            parent: text(&body["parent"]),
            kind: text(&body["kind"]).unwrap_or_default(),
            tier: text(&body["tier"]),
        }),
        (method, _) => panic!("the auditor does not know `{method} {}`", ask.target),
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

fn inventory(body: &Value) -> Inventory {
    let things = body["things"].as_array().into_iter().flatten();
    let things = things.map(|thing| {
        let holder = text(&thing["holder"]).expect("it is a text");
        (holder, thing["amount"].as_u64().expect("it is a number"))
    });
    let things: BTreeMap<String, u64> = things.collect();
    let repair = body["repair"] == Value::Bool(true);
    Inventory {
        scope: text(&body["scope"]).expect("the workload names it"),
        item: item(body),
        revision: body["revision"].as_u64().expect("it is a number"),
        is_careless: repair && things.is_empty() && body["allow_empty"] != Value::Bool(true),
        things,
        repair,
        reason: text(&body["reason"]).expect("the workload says why"),
    }
}

fn mode(body: &Value) -> Mode {
    match body["mode"].as_str() {
        None | Some("enforce") => Mode::Enforce,
        Some("warn") => Mode::Warn,
        Some("observe") => Mode::Observe,
        Some(other) => panic!("the auditor does not know the mode `{other}`"),
    }
}

fn window(starts_at: Option<String>, ends_at: Option<String>) -> Window {
    let at = |text: Option<String>| text.map(|text| ms_of(&text).expect("it is an instant"));
    Window {
        starts_at: at(starts_at),
        ends_at: at(ends_at),
    }
}

fn resource(body: &Value) -> Resource {
    let rule = &body["auto_approval"];
    Resource {
        ceiling: ceiling(&body["default_limit"]),
        per_location: body["per_location"] == Value::Bool(true),
        adjustable: body["adjustable"] != Value::Bool(false),
        rule: rule["limit"].as_u64().map(|limit| Rule {
            limit,
            factor_percent: rule["factor_percent"].as_u64(),
            cool_off_ms: rule["cool_off_seconds"].as_u64().unwrap_or_default() * 1_000,
        }),
    }
}

fn tier_limits(body: &Value) -> Vec<(Item, Ceiling, Mode)> {
    let limits = body["limits"].as_array().expect("it is a list");
    let limits = limits
        .iter()
        .map(|limit| (item(limit), ceiling(&limit["limit"]), mode(limit)));
    limits.collect()
}

fn ruled(verb: &str, body: &Value) -> Ruled {
    match verb {
        "approve" => Ruled::Approved {
            limit: (!body["limit"].is_null()).then(|| ceiling(&body["limit"])),
            until: window(None, text(&body["until"])).ends_at,
        },
        "deny" => Ruled::Denied,
        "cancel" => Ruled::Cancelled,
        other => panic!("the auditor does not know `{other}`"),
    }
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
