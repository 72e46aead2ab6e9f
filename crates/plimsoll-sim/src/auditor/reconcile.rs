//! What must come of an inventory.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::change::Change;
use super::model::{Content, Item, Line, Model, State, Taken};
use super::verbs::{Answer, ok, problem};
use crate::step::mend_id;

/// What is really there.
pub(super) struct Inventory {
    pub(super) scope: String,
    pub(super) item: Item,
    pub(super) revision: u64,
    pub(super) things: BTreeMap<String, u64>,
    pub(super) repair: bool,
    /// Whether it would release everything, and does not say that it means to.
    pub(super) is_careless: bool,
    pub(super) reason: String,
}

/// A thing that is not as it is said to be.
pub(super) struct Found {
    holder: String,
    difference: &'static str,
    here: u64,
    there: u64,
    /// The reservations for it, as they were compared.
    rows: Vec<(String, Taken)>,
}

impl Inventory {
    /// What must be answered, given what came of each mend.
    fn answer(
        &self,
        found: &[Found],
        mends: &[Option<Result<(), Answer>>],
        revision: u64,
    ) -> Value {
        let findings = found.iter().zip(mends).map(|(it, mend)| {
            let (mend, problem) = match mend {
                None => (None, &Value::Null),
                Some(Ok(())) => (Some("done"), &Value::Null),
                Some(Err(denied)) => (Some("failed"), &denied.body),
            };
            json!({
                "holder": it.holder, "difference": it.difference, "here": it.here,
                "there": it.there, "reservations": self.mended_rows(it), "mend": mend,
                "problem": problem,
            })
        });
        let differ = found.iter().filter(|it| it.there > 0).count();
        json!({
            "scope": self.scope, "resource": self.item.resource, "location": self.item.location,
            "revision": revision, "inventory_revision": self.revision,
            "agreeing": self.things.len() - differ, "findings": findings.collect::<Vec<_>>(),
        })
    }
}

impl Inventory {
    /// The reservations that mend a thing.
    fn mended_rows(&self, found: &Found) -> Vec<String> {
        match found.difference {
            "in_flight" => Vec::new(),
            "missing_here" => vec![self.new_id(found)],
            _ => {
                let rows = shares(found, &self.item).into_iter();
                let changed = rows.filter(|(_, has, keeps)| has != keeps);
                changed.map(|(id, ..)| id.to_owned()).collect()
            }
        }
    }

    /// The reservation for a thing that nothing is reserved for.
    fn new_id(&self, found: &Found) -> String {
        let Item { resource, location } = &self.item;
        let place = [&self.scope, resource, location.as_deref().unwrap_or("")];
        mend_id(place, &found.holder, self.revision)
    }
}

/// The reservations for a thing with what each has, and what it keeps: as much as it has while
/// there is enough, the last what is left over.
fn shares<'a>(found: &'a Found, item: &Item) -> Vec<(&'a str, u64, u64)> {
    let mut left = found.there;
    let rows = found.rows.iter().enumerate().map(|(index, (id, before))| {
        let has = before.amount_of(item);
        let is_last = index + 1 == found.rows.len();
        let keeps = if is_last { left } else { has.min(left) };
        left -= keeps;
        (id.as_str(), has, keeps)
    });
    rows.collect()
}

impl Model {
    /// Compares an inventory with what is reserved, thing by thing.
    pub(super) fn compare(
        &self,
        reach: Option<&str>,
        inventory: &Inventory,
    ) -> Result<Vec<Found>, Answer> {
        let Inventory { scope, item, .. } = inventory;
        if inventory.is_careless {
            return Err(problem(400, "malformed"));
        }
        if !self.sees(reach, scope) {
            return Err(problem(404, "unknown_scope"));
        }
        self.senseless_item(item)?;
        let tenant = &self.tenants[self.tenant_of(scope)];
        if tenant.revision < inventory.revision {
            let mut failed = problem(412, "precondition_failed");
            failed.body["revision"] = json!(tenant.revision);
            return Err(failed);
        }
        let mut found: BTreeMap<&str, Found> = BTreeMap::new();
        let mut in_flight: Vec<&str> = Vec::new();
        let nothing = |holder: &str| Found {
            holder: holder.to_owned(),
            difference: "",
            here: 0,
            there: 0,
            rows: Vec::new(),
        };
        for (id, taken) in &tenant.taken {
            let holder = taken.content.holder.as_ref().unwrap_or(id).as_str();
            let amount = taken.amount_of(item);
            let counts = taken.state.is_live() && taken.scope == *scope && amount > 0;
            let has_changed = inventory.revision < taken.revision;
            if has_changed || counts && matches!(taken.state, State::Held { .. }) {
                in_flight.push(holder);
            }
            if counts {
                let thing = found.entry(holder).or_insert_with(|| nothing(holder));
                thing.here += amount;
                thing.rows.push((id.clone(), taken.clone()));
            }
        }
        for (holder, amount) in &inventory.things {
            let thing = found.entry(holder).or_insert_with(|| nothing(holder));
            thing.there = *amount;
        }
        let mut found: Vec<Found> = found.into_values().collect();
        found.retain(|it| it.here != it.there);
        for it in &mut found {
            it.difference = match (it.here, it.there) {
                _ if in_flight.contains(&it.holder.as_str()) => "in_flight",
                (0, _) => "missing_here",
                (_, 0) => "missing_there",
                _ => "amount_differs",
            };
        }
        Ok(found)
    }

    /// The answer to an inventory that is not to be mended.
    pub(super) fn compared(&self, inventory: &Inventory, found: &[Found]) -> Answer {
        let mends: Vec<_> = found.iter().map(|_| None).collect();
        let revision = self.tenants[self.tenant_of(&inventory.scope)].revision;
        ok(inventory.answer(found, &mends, revision))
    }

    /// Mends what was found; what has changed since it was compared is left alone.
    pub(super) fn mend(&mut self, inventory: &Inventory, found: &[Found], now: u64) -> Answer {
        let tenant = self.tenant_of(&inventory.scope).to_owned();
        let now = self.time(&tenant, now);
        let mends: Vec<_> = found
            .iter()
            .map(|it| match it.difference {
                "in_flight" => None,
                "missing_here" => Some(self.mend_missing(&tenant, inventory, it, now)),
                _ => Some(self.mend_rows(&tenant, inventory, it, now)),
            })
            .collect();
        let revision = self.tenants[&tenant].revision;
        ok(inventory.answer(found, &mends, revision))
    }

    /// Reserves for a thing that is there already.
    fn mend_missing(
        &mut self,
        tenant: &str,
        inventory: &Inventory,
        found: &Found,
        now: u64,
    ) -> Result<(), Answer> {
        let line = Line {
            item: inventory.item.clone(),
            amount: found.there,
        };
        let content = Content {
            scope: inventory.scope.clone(),
            lines: vec![line],
            at_least: vec![found.there],
            ttl_ms: None,
            forced: Some(inventory.reason.clone()),
            holder: Some(found.holder.clone()),
            attributes: json!({}),
        };
        let id = inventory.new_id(found);
        self.take(tenant, &id, &content, now).map(|_| ())
    }

    /// Leaves the reservations for a thing with as much as it uses: each keeps what it has while
    /// there is enough, the last takes what is left over.
    fn mend_rows(
        &mut self,
        tenant: &str,
        inventory: &Inventory,
        found: &Found,
        now: u64,
    ) -> Result<(), Answer> {
        let mut done = Ok(());
        let shares = shares(found, &inventory.item);
        for ((id, before), (_, has, keeps)) in found.rows.iter().zip(shares) {
            if keeps == has {
                continue;
            }
            let left_alone = self.leave(tenant, id, before, (&inventory.item, keeps), now);
            done = done.and(left_alone);
        }
        done
    }

    fn leave(
        &mut self,
        tenant: &str,
        id: &str,
        before: &Taken,
        (item, keeps): (&Item, u64),
        now: u64,
    ) -> Result<(), Answer> {
        let Some(taken) = self.tenants[tenant].taken.get(id).cloned() else {
            return Err(problem(404, "not_found"));
        };
        if taken.revision != before.revision {
            let mut failed = problem(412, "precondition_failed");
            failed.body["revision"] = json!(taken.revision);
            return Err(failed);
        }
        let mut lines = taken.lines.clone();
        for line in &mut lines {
            if line.item == *item {
                line.amount = keeps;
            }
        }
        let mut change = Change {
            model: self,
            tenant,
            id,
            before: taken,
            now,
            warnings: json!([]),
        };
        if keeps > 0 {
            return change.resize(&lines, true);
        }
        let gone = Line {
            item: item.clone(),
            amount: before.amount_of(item),
        };
        change.release(Some(&[gone]))
    }
}
