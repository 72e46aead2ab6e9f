//! Somebody who counts what is really there, and tells.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::catalogue::{Draft, KINDS, LOCATIONS, TENANTS, scopes};
use crate::random::Random;

/// Where a census stands: first the revision is read, then what is there, then it is told.
#[derive(Default)]
pub(super) struct Census {
    scope: Option<String>,
    revision: Option<u64>,
    rows: Option<Vec<Value>>,
}

impl Census {
    pub(super) fn next(&mut self, random: &mut Random) -> Draft {
        let scope = self.scope.get_or_insert_with(|| {
            let tenant = *random.pick(&TENANTS);
            random.pick(&scopes(tenant)).clone()
        });
        let Some(revision) = self.revision else {
            return Draft::new("GET", &format!("/scopes/{scope}/quotas?page_size=1000"), "");
        };
        let Some(rows) = self.rows.take() else {
            let path = format!("/scopes/{scope}/reservations?state=committed&page_size=1000");
            return Draft::new("GET", &path, "");
        };
        let kind = random.pick(&KINDS[..3]);
        let location = kind.per_location.then(|| *random.pick(&LOCATIONS));
        let mut things: BTreeMap<String, u64> = BTreeMap::new();
        for row in rows.iter().filter(|row| row["scope"] == scope.as_str()) {
            let holder = row["holder"].as_str().or_else(|| row["id"].as_str());
            let of = |line: &&Value| {
                line["resource"] == kind.name && line["location"] == json!(location)
            };
            let line = row["lines"].as_array().into_iter().flatten().find(of);
            if let (Some(holder), Some(line)) = (holder, line) {
                let amount = line["amount"].as_u64().unwrap_or(1);
                *things.entry(holder.to_owned()).or_default() += amount;
            }
        }
        drift(random, &mut things);
        let things = things
            .iter()
            .map(|(holder, amount)| json!({"holder": holder, "amount": amount}));
        let mut body = json!({
            "scope": scope, "resource": kind.name, "location": location, "revision": revision,
            "things": things.collect::<Vec<_>>(), "repair": random.permille(700),
            "reason": "nightly inventory", "allow_empty": random.permille(900),
        });
        if random.permille(30) {
            body["revision"] = json!(revision + 10_000);
        }
        // Mostly the next one is of the same scope: what was mended is as it was said to be.
        self.revision = None;
        if random.permille(400) {
            self.scope = None;
        }
        Draft::new("POST", "/reconcile", body)
    }

    /// Takes note of an answer.
    pub(super) fn hear(&mut self, body: &Value) {
        if body["quotas"].is_array() {
            self.revision = body["revision"].as_u64();
        }
        if let Some(rows) = body["reservations"].as_array() {
            self.rows = Some(rows.clone());
        }
    }
}

/// What is there is not what was asked for: things are gone, have come, use more or less.
fn drift(random: &mut Random, things: &mut BTreeMap<String, u64>) {
    let holders: Vec<String> = things.keys().cloned().collect();
    if !holders.is_empty() {
        let holder = random.pick(&holders);
        match random.below(4) {
            0 => {
                things.remove(holder);
            }
            1 => {
                things.insert(holder.clone(), random.between(1, 4));
            }
            _ => {}
        }
    }
    if random.permille(300) {
        let holder = format!("found-{}", random.below(100));
        things.insert(holder, random.between(1, 3));
    }
}
