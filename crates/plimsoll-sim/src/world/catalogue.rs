//! What there is to be taken, and where: the requests that make it.

use serde_json::json;

use crate::random::Random;
use crate::step::{Ask, Caller};

/// What every path starts with.
pub(super) const BASE: &str = "/plimsoll/v1";

pub(super) const LOCATIONS: [&str; 3] = ["FRA-A", "LAX-C", "SIN-B"];

pub(super) const TENANTS: [&str; 3] = ["acme", "bolt", "crag"];

/// A resource: its name, whether it is counted per location, its default.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) per_location: bool,
    pub(super) default: Option<u64>,
}

pub(super) const KINDS: [Kind; 4] = [
    Kind {
        name: "gpu/h100",
        per_location: true,
        default: Some(6),
    },
    Kind {
        name: "vm/image",
        per_location: true,
        default: Some(4),
    },
    Kind {
        name: "net/vpc",
        per_location: false,
        default: Some(5),
    },
    // Where numbers end is a limit, too.
    Kind {
        name: "disk/bytes",
        per_location: false,
        default: None,
    },
];

/// A request before it is sent.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) method: &'static str,
    pub(super) target: String,
    pub(super) if_match: Option<u64>,
    pub(super) body: String,
}

impl Draft {
    pub(super) fn new(method: &'static str, path: &str, body: impl ToString) -> Self {
        Self {
            method,
            target: format!("{BASE}{path}"),
            if_match: None,
            body: body.to_string(),
        }
    }

    pub(super) fn by(self, caller: &Caller, ticket: u64) -> Ask {
        Ask {
            ticket,
            caller: caller.clone(),
            method: self.method.to_owned(),
            target: self.target,
            if_match: self.if_match,
            body: self.body,
        }
    }
}

/// The scopes of a tenant: itself, two folders, two projects in each.
pub(super) fn scopes(tenant: &str) -> Vec<String> {
    let mut scopes = vec![tenant.to_owned()];
    for folder in ["f1", "f2"] {
        scopes.push(format!("{tenant}-{folder}"));
        for project in ["p1", "p2"] {
            scopes.push(format!("{tenant}-{folder}-{project}"));
        }
    }
    scopes
}

/// The requests that make everything.
pub(super) fn set_up(random: &mut Random) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for kind in &KINDS {
        drafts.push(put_resource(kind, kind.default));
    }
    for location in LOCATIONS {
        let path = format!("/locations/{location}");
        drafts.push(Draft::new("PUT", &path, json!({"name": location})));
    }
    for tenant in TENANTS {
        for scope in scopes(tenant) {
            let parent = scope.rsplit_once('-').map(|(parent, _)| parent);
            let body = json!({"kind": "node", "parent": parent});
            drafts.push(Draft::new("PUT", &format!("/scopes/{scope}"), body));
        }
        for _ in 0..6 {
            drafts.push(put_limit(random, tenant));
        }
    }
    drafts
}

fn put_resource(kind: &Kind, default: Option<u64>) -> Draft {
    let limit = default.map_or_else(|| json!("unlimited"), |units| json!(units));
    let body = json!({
        "unit": "count", "default_limit": limit, "per_location": kind.per_location,
    });
    Draft::new("PUT", &format!("/resources/{}", kind.name), body)
}

/// Sets a default to something else; sometimes how it is counted, which never changes.
pub(super) fn change_default(random: &mut Random) -> Draft {
    let kind = random.pick(&KINDS[..3]);
    let kind = Kind {
        per_location: kind.per_location != random.permille(100),
        ..*kind
    };
    put_resource(&kind, Some(random.between(2, 8)))
}

/// Calls a scope something else; sometimes puts it below another one, which is refused.
pub(super) fn change_scope(random: &mut Random, tenant: &str) -> Draft {
    let scopes = scopes(tenant);
    let scope = random.pick(&scopes);
    let mut parent = scope.rsplit_once('-').map(|(parent, _)| parent);
    if random.permille(200) {
        parent = Some(random.pick(&scopes).as_str());
    }
    let body = json!({"kind": *random.pick(&["node", "team"]), "parent": parent});
    Draft::new("PUT", &format!("/scopes/{scope}"), body)
}

/// Sets a limit somewhere in a tenant, higher the further up.
pub(super) fn put_limit(random: &mut Random, tenant: &str) -> Draft {
    let scopes = scopes(tenant);
    let scope = random.pick(&scopes);
    let kind = random.pick(&KINDS);
    let height = 4 - scope.split('-').count() as u64;
    let limit = match random.below(20) {
        0 => json!("unlimited"),
        1 => json!(0),
        _ if kind.default.is_none() => json!(random.below(1 << 53)),
        _ => json!(random.between(1, 5) * height),
    };
    let mut body = json!({
        "resource": kind.name, "limit": limit,
        "reason": *random.pick(&["launch", "cleanup", ""]),
    });
    if kind.per_location && random.permille(500) {
        body["location"] = json!(random.pick(&LOCATIONS));
    }
    let mut draft = Draft::new("PUT", &format!("/scopes/{scope}/limits"), body);
    draft.if_match = random.permille(50).then(|| random.between(1, 50));
    draft
}

/// Takes a limit away, where there is one.
pub(super) fn delete_limit(random: &mut Random, tenant: &str) -> Draft {
    let scopes = scopes(tenant);
    let (scope, kind) = (random.pick(&scopes), random.pick(&KINDS));
    let mut path = format!(
        "/scopes/{scope}/limits?resource={}",
        kind.name.replace('/', "%2F")
    );
    if kind.per_location && random.permille(500) {
        path = format!("{path}&location={}", random.pick(&LOCATIONS));
    }
    let mut draft = Draft::new("DELETE", &path, "");
    draft.if_match = random.permille(300).then(|| random.between(1, 50));
    draft
}
