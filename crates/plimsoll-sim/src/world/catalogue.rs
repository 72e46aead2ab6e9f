//! What there is to be taken, and where: the requests that make it.

use serde_json::json;

use super::operator;
use crate::random::Random;
use crate::stage::EPOCH_MS;
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

/// Named sets of limits.
pub(super) const TIERS: [&str; 2] = ["small", "large"];

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
        drafts.push(operator::put_resource(kind, &json!({})));
    }
    for location in LOCATIONS {
        let path = format!("/locations/{location}");
        drafts.push(Draft::new("PUT", &path, json!({"name": location})));
    }
    for tier in TIERS {
        drafts.push(operator::put_tier(random, tier));
    }
    for tenant in TENANTS {
        for scope in scopes(tenant) {
            let parent = scope.rsplit_once('-').map(|(parent, _)| parent);
            let tier = random.permille(300).then(|| *random.pick(&TIERS));
            let body = json!({"kind": "node", "parent": parent, "tier": tier});
            drafts.push(Draft::new("PUT", &format!("/scopes/{scope}"), body));
        }
        for _ in 0..6 {
            drafts.push(operator::put_limit(random, tenant, EPOCH_MS));
        }
    }
    drafts
}
