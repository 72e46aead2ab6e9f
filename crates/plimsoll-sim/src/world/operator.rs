//! Those who set limits, and those who decide what others ask for.

use serde_json::{Value, json};

use super::catalogue::{Draft, KINDS, Kind, LOCATIONS, TENANTS, TIERS, scopes};
use super::instant;
use crate::random::Random;

/// Windows start and end at full multiples of this, so that they meet, and are met.
pub(super) const TURN_MS: u64 = 300_000;

/// Things that are remembered.
const MEMORY_MAX: usize = 30;

/// What somebody who sets and decides has heard of.
#[derive(Default)]
pub(super) struct Memory {
    limits: Vec<Value>,
    wishes: Vec<Value>,
}

impl Memory {
    /// What is to be set next.
    pub(super) fn set(&self, random: &mut Random, now_ms: u64) -> Draft {
        // One tenant has more to do than the others.
        let tenant = if random.permille(500) {
            TENANTS[0]
        } else {
            *random.pick(&TENANTS)
        };
        match random.below(24) {
            0..3 => delete_limit(random, tenant),
            3..6 if !self.limits.is_empty() => self.delete_known(random),
            6 | 7 if !self.limits.is_empty() => self.put_again(random),
            8 | 9 => change_resource(random),
            10 | 11 => change_scope(random, tenant),
            12 => {
                let name = *random.pick(&TIERS);
                put_tier(random, name)
            }
            _ => put_limit(random, tenant, now_ms),
        }
    }

    /// What is to be decided next.
    pub(super) fn decide(&self, random: &mut Random, now_ms: u64) -> Draft {
        if self.wishes.is_empty() || random.permille(300) {
            let tenant = *random.pick(&TENANTS);
            let path = format!("/scopes/{tenant}/requests?page_size=1000");
            let status = *random.pick(&["&status=pending", "&status=pending", ""]);
            return Draft::new("GET", &format!("{path}{status}"), "");
        }
        let wish = random.pick(&self.wishes);
        let id = wish["id"].as_str().unwrap_or_default();
        let (verb, body) = match random.below(10) {
            0..7 => ("approve", approval(random, wish, now_ms)),
            7..9 => ("deny", json!({"reason": "no room"})),
            _ => ("cancel", json!({"reason": "done without"})),
        };
        Draft::new("POST", &format!("/requests/{id}/{verb}"), body)
    }

    /// What becomes of a request of one's own.
    pub(super) fn look_after(&self, random: &mut Random, now_ms: u64) -> Draft {
        if self.wishes.is_empty() {
            return self.decide(random, now_ms);
        }
        let wish = random.pick(&self.wishes);
        let id = wish["id"].as_str().unwrap_or_default();
        if random.permille(500) {
            return Draft::new("GET", &format!("/requests/{id}"), "");
        }
        let reason = *random.pick(&["", "done without"]);
        let body = json!({"reason": reason});
        Draft::new("POST", &format!("/requests/{id}/cancel"), body)
    }

    fn delete_known(&self, random: &mut Random) -> Draft {
        let known = random.pick(&self.limits);
        let text = |name: &str| known[name].as_str().unwrap_or_default();
        let mut path = format!(
            "/scopes/{}/limits?resource={}",
            text("scope"),
            text("resource").replace('/', "%2F")
        );
        for name in ["location", "starts_at", "ends_at"] {
            if known[name].is_string() {
                path = format!("{path}&{name}={}", text(name));
            }
        }
        let mut draft = Draft::new("DELETE", &path, "");
        let revision = known["revision"].as_u64();
        draft.if_match = revision.filter(|_| random.permille(300));
        draft
    }

    /// A limit once more, with another number or as it was.
    fn put_again(&self, random: &mut Random) -> Draft {
        let known = random.pick(&self.limits);
        let scope = known["scope"].as_str().unwrap_or_default();
        let mut body = json!({});
        for name in [
            "resource",
            "location",
            "limit",
            "mode",
            "starts_at",
            "ends_at",
            "reason",
        ] {
            body[name] = known[name].clone();
        }
        match random.below(3) {
            0 => {}
            1 => body["limit"] = json!(random.between(1, 15)),
            _ => body["mode"] = json!(mode(random)),
        }
        let mut draft = Draft::new("PUT", &format!("/scopes/{scope}/limits"), body);
        let revision = known["revision"].as_u64();
        draft.if_match = revision.filter(|_| random.permille(300));
        draft
    }

    /// Takes note of an answer.
    pub(super) fn hear(&mut self, body: &Value) {
        if body["set_by"].is_string() {
            self.limits.push(body.clone());
        }
        if body["submitted_by"].is_string() {
            self.hear_of(body);
        }
        for wish in body["requests"].as_array().into_iter().flatten() {
            self.hear_of(wish);
        }
        for known in [&mut self.limits, &mut self.wishes] {
            let surplus = known.len().saturating_sub(MEMORY_MAX);
            known.drain(..surplus);
        }
    }

    fn hear_of(&mut self, wish: &Value) {
        self.wishes.retain(|known| known["id"] != wish["id"]);
        self.wishes.push(wish.clone());
    }
}

fn approval(random: &mut Random, wish: &Value, now_ms: u64) -> Value {
    let mut body = json!({"reason": *random.pick(&["agreed", "for the launch"])});
    let asked = wish["limit"].as_u64();
    match random.below(6) {
        0 | 1 => {
            let asked = asked.unwrap_or(10);
            body["limit"] = json!(random.between(asked / 2, asked));
        }
        2 => body["limit"] = json!("unlimited"),
        _ => {}
    }
    if random.permille(400) {
        body["until"] = json!(turn(random, now_ms, 1, 5));
    }
    body
}

fn mode(random: &mut Random) -> &'static str {
    match random.below(10) {
        0 | 1 => "warn",
        2 | 3 => "observe",
        _ => "enforce",
    }
}

/// An instant so many turns from now; mostly a later one.
fn turn(random: &mut Random, now_ms: u64, first: u64, last: u64) -> String {
    if random.permille(50) {
        return instant(now_ms - random.below(600_000));
    }
    if random.permille(200) {
        return instant(now_ms + random.between(1_000, last * TURN_MS));
    }
    instant((now_ms / TURN_MS + random.between(first, last)) * TURN_MS)
}

/// From when until when: mostly until further notice, else a few turns around now.
fn add_window(random: &mut Random, body: &mut Value, now_ms: u64) {
    let kind = random.below(10);
    let early_ms = now_ms - 2 * TURN_MS;
    if matches!(kind, 5..8) {
        body["starts_at"] = json!(turn(random, early_ms, 0, 4));
    }
    if matches!(kind, 6..10) {
        let ends_at = turn(random, now_ms, 1, 5);
        // What would never count is malformed.
        if body["starts_at"]
            .as_str()
            .is_none_or(|start| *start < *ends_at)
        {
            body["ends_at"] = json!(ends_at);
        }
    }
}

fn limit_of(random: &mut Random, kind: &Kind, height: u64) -> Value {
    match random.below(20) {
        0 => json!("unlimited"),
        1 => json!(0),
        _ if kind.default.is_none() => json!(random.below(1 << 53)),
        _ => json!(random.between(1, 5) * height),
    }
}

pub(super) fn put_resource(kind: &Kind, more: &Value) -> Draft {
    let default = kind.default;
    let limit = default.map_or_else(|| json!("unlimited"), |units| json!(units));
    let mut body = json!({
        "unit": "count", "default_limit": limit, "per_location": kind.per_location,
    });
    for (name, member) in more.as_object().into_iter().flatten() {
        body[name] = member.clone();
    }
    Draft::new("PUT", &format!("/resources/{}", kind.name), body)
}

/// Sets a default to something else, or the rule for requests; sometimes how it is counted, which
/// never changes.
fn change_resource(random: &mut Random) -> Draft {
    let kind = random.pick(&KINDS[..3]);
    let kind = Kind {
        per_location: kind.per_location != random.permille(100),
        default: Some(random.between(2, 8)),
        ..*kind
    };
    let mut more = json!({"adjustable": !random.permille(100)});
    if random.permille(600) {
        more["auto_approval"] = json!({"limit": random.between(4, 20)});
        if random.permille(500) {
            more["auto_approval"]["factor_percent"] = json!(random.between(100, 300));
        }
        if random.permille(700) {
            more["auto_approval"]["cool_off_seconds"] = json!(random.between(10, 2_000));
        }
    }
    put_resource(&kind, &more)
}

/// Says what a tier allows.
pub(super) fn put_tier(random: &mut Random, name: &str) -> Draft {
    let mut limits: Vec<Value> = Vec::new();
    for _ in 0..random.between(1, 5) {
        let kind = random.pick(&KINDS);
        let mut limit = json!({"resource": kind.name, "mode": mode(random)});
        if kind.per_location && random.permille(400) {
            limit["location"] = json!(random.pick(&LOCATIONS));
        }
        let place = |limit: &Value| (limit["resource"].clone(), limit["location"].clone());
        if limits.iter().any(|other| place(other) == place(&limit)) {
            continue;
        }
        let height = random.between(1, 3);
        limit["limit"] = limit_of(random, kind, height);
        limits.push(limit);
    }
    Draft::new("PUT", &format!("/tiers/{name}"), json!({"limits": limits}))
}

/// Calls a scope something else, or gives it another tier; sometimes puts it below another one,
/// which is refused.
fn change_scope(random: &mut Random, tenant: &str) -> Draft {
    let scopes = scopes(tenant);
    let scope = random.pick(&scopes);
    let mut parent = scope.rsplit_once('-').map(|(parent, _)| parent);
    if random.permille(100) {
        parent = Some(random.pick(&scopes).as_str());
    }
    let tier = match random.below(10) {
        0 => Some("no-such"),
        1..8 => Some(*random.pick(&TIERS)),
        _ => None,
    };
    let kind = *random.pick(&["node", "team"]);
    let body = json!({"kind": kind, "parent": parent, "tier": tier});
    Draft::new("PUT", &format!("/scopes/{scope}"), body)
}

/// Sets a limit somewhere in a tenant, higher the further up.
pub(super) fn put_limit(random: &mut Random, tenant: &str, now_ms: u64) -> Draft {
    let scopes = scopes(tenant);
    let scope = random.pick(&scopes);
    let is_hot = random.permille(400);
    let kind = if is_hot {
        &KINDS[0]
    } else {
        random.pick(&KINDS)
    };
    let height = 4 - scope.split('-').count() as u64;
    let mut body = json!({
        "resource": kind.name, "limit": limit_of(random, kind, height),
        "reason": *random.pick(&["launch", "cleanup"]),
    });
    if kind.per_location && random.permille(500) {
        let location = if is_hot {
            LOCATIONS[0]
        } else {
            random.pick(&LOCATIONS)
        };
        body["location"] = json!(location);
    }
    if random.permille(700) {
        body["mode"] = json!(mode(random));
    }
    add_window(random, &mut body, now_ms);
    let mut draft = Draft::new("PUT", &format!("/scopes/{scope}/limits"), body);
    draft.if_match = random.permille(50).then(|| random.between(1, 50));
    draft
}

/// Takes a standing limit away, where there is one.
fn delete_limit(random: &mut Random, tenant: &str) -> Draft {
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
