//! What must come of a request to set something rather than to take it.

use std::rc::Rc;

use serde_json::{Value, json};

use super::ask::{DeleteLimit, PutLimit, PutScope};
use super::instant;
use super::limits::{Limit, Mode, Tier, Window};
use super::model::{Ceiling, Item, Model, Resource};
use super::verbs::{Answer, ok, problem};
use super::wishes::Rule;
use crate::step::Caller;

/// Windows that there may be of one scope, resource and location.
const WINDOWS_MAX: usize = 16;

impl Model {
    pub(super) fn put_resource(&mut self, name: &str, resource: &Resource) -> Answer {
        let known = self.resources.get(name);
        if known.is_some_and(|known| known.per_location != resource.per_location) {
            return problem(409, "immutable");
        }
        self.resources.insert(name.to_owned(), resource.clone());
        ok(json!({
            "name": name, "default_limit": resource.ceiling.json(),
            "adjustable": resource.adjustable,
        }))
    }

    pub(super) fn put_tier(&mut self, name: &str, limits: &[(Item, Ceiling, Mode)]) -> Answer {
        let mut tier = Tier::default();
        for (item, ceiling, mode) in limits {
            tier.limits.insert(item.clone(), (*ceiling, *mode));
        }
        for item in tier.limits.keys() {
            if let Err(denied) = self.limitable(item) {
                return denied;
            }
        }
        let told = tier_json(name, &tier);
        self.tiers.insert(name.to_owned(), tier);
        ok(told)
    }

    /// What a reader of the catalogue must be told: it has no revision, so a doubt about it shows
    /// nowhere else.
    pub(super) fn catalogue(&self) -> [Value; 2] {
        let resources = self.resources.iter().map(|(name, resource)| {
            let rule = resource.rule.as_ref().map(Rule::json);
            json!({
                "name": name, "default_limit": resource.ceiling.json(),
                "per_location": resource.per_location, "adjustable": resource.adjustable,
                "auto_approval": rule,
            })
        });
        let tiers = self.tiers.iter().map(|(name, tier)| tier_json(name, tier));
        [
            json!({"resources": resources.collect::<Vec<_>>()}),
            json!({"tiers": tiers.collect::<Vec<_>>()}),
        ]
    }

    /// Whether a limit can be set for an item: without a location it is for any.
    pub(super) fn limitable(&self, item: &Item) -> Result<(), Answer> {
        match self.senseless_item(item) {
            Err(denied) if denied.body["code"] != "location_required" => Err(denied),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    pub(super) fn put_limit(&mut self, caller: &Caller, put: &PutLimit, now: u64) -> Answer {
        if !self.sees(caller.reach.as_deref(), &put.scope) {
            return problem(404, "unknown_scope");
        }
        if let Err(denied) = self.limitable(&put.item) {
            return denied;
        }
        let tenant = self.tenant_of(&put.scope).to_owned();
        let now = self.time(&tenant, now);
        let mut limits = self.limits_of(&put.scope, &put.item).iter();
        let known = limits.find(|limit| limit.window == put.window);
        if let Err(failed) = expect_limit(known, put.expected) {
            return failed;
        }
        if let Some(known) = known
            && known.ceiling == put.ceiling
            && known.mode == put.mode
            && known.reason == put.reason
            && known.set_by == caller.name
        {
            // It is so already.
            return ok(limit_json(&put.scope, &put.item, known));
        }
        let limit = Limit {
            ceiling: put.ceiling,
            mode: put.mode,
            window: put.window,
            set_by: caller.name.clone(),
            set_at: now,
            reason: put.reason.clone(),
            request: None,
            revision: self.tenants[&tenant].revision + 1,
        };
        if let Err(denied) = self.set_limit(&put.scope, &put.item, limit.clone()) {
            return denied;
        }
        self.event(&tenant, now);
        ok(limit_json(&put.scope, &put.item, &limit))
    }

    /// Puts a limit in the place of the one with its window; those that are over leave. An
    /// approval also takes the place of approvals of less that would go before it.
    pub(super) fn set_limit(
        &mut self,
        scope: &str,
        item: &Item,
        limit: Limit,
    ) -> Result<(), Answer> {
        if limit.window.is_over(limit.set_at) {
            return Err(problem(400, "ends_in_the_past"));
        }
        let mut limits = self.others(scope, item, limit.window, limit.set_at);
        if limit.request.is_some() {
            limits.retain(|other| {
                let is_less = other.ceiling.units() <= limit.ceiling.units();
                !(other.request.is_some() && is_less && limit.rank() < other.rank())
            });
        }
        limits.push(limit);
        if WINDOWS_MAX < limits.len() {
            return Err(problem(409, "too_many"));
        }
        Rc::make_mut(&mut self.limits).insert((scope.to_owned(), item.clone()), limits);
        Ok(())
    }

    /// The limits with another window that are not over.
    fn others(&self, scope: &str, item: &Item, window: Window, now: u64) -> Vec<Limit> {
        let limits = self.limits_of(scope, item).iter();
        let others = limits.filter(|it| it.window != window && !it.window.is_over(now));
        others.cloned().collect()
    }

    pub(super) fn delete_limit(
        &mut self,
        reach: Option<&str>,
        delete: &DeleteLimit,
        now: u64,
    ) -> Answer {
        let DeleteLimit {
            scope,
            item,
            window,
            expected,
        } = delete;
        if !self.sees(reach, scope) {
            return problem(404, "unknown_scope");
        }
        let mut limits = self.limits_of(scope, item).iter();
        let known = limits.find(|limit| limit.window == *window);
        if known.is_none() {
            return problem(404, "not_found");
        }
        if let Err(failed) = expect_limit(known, *expected) {
            return failed;
        }
        let tenant = self.tenant_of(scope).to_owned();
        let now = self.time(&tenant, now);
        let others = self.others(scope, item, *window, now);
        Rc::make_mut(&mut self.limits).insert((scope.clone(), item.clone()), others);
        self.event(&tenant, now);
        ok(json!({}))
    }

    pub(super) fn put_scope(&mut self, put: &PutScope, now: u64) -> Answer {
        let PutScope {
            id,
            parent,
            kind,
            tier,
        } = put;
        let mut path = vec![id.clone()];
        if let Some(parent) = parent {
            match self.paths.get(parent) {
                Some(above) => path.extend(above.iter().cloned()),
                None => return problem(404, "unknown_scope"),
            }
        }
        if tier.as_ref().is_some_and(|it| !self.tiers.contains_key(it)) {
            return problem(404, "unknown_tier");
        }
        let known = self.paths.get(id);
        if known.is_some_and(|known| known.get(1) != path.get(1)) {
            return problem(409, "immutable");
        }
        let tenant = path.last().expect("it has the scope").clone();
        self.paths.insert(id.clone(), path);
        self.tenants.entry(tenant.clone()).or_default();
        let tier_before = match tier {
            Some(tier) => self.tier_of.insert(id.clone(), tier.clone()),
            None => self.tier_of.remove(id),
        };
        let kind_before = self.kinds.insert(id.clone(), kind.clone());
        if kind_before.as_ref() != Some(kind) || tier_before != *tier {
            self.event(&tenant, now);
        }
        ok(json!({"id": id, "parent": parent, "tenant": tenant, "kind": kind, "tier": tier}))
    }

    /// Refusals are added up.
    pub(super) fn count_refusals(&mut self, refused: &[((String, Item), u64)], now: u64) {
        let tenants: Vec<String> = self.tenants.keys().cloned().collect();
        for tenant in tenants {
            let of = refused.iter().filter(|((scope, _), _)| {
                let path = self.paths.get(scope);
                path.and_then(|path| path.last()) == Some(&tenant)
            });
            let of: Vec<_> = of.cloned().collect();
            if of.is_empty() {
                continue;
            }
            let at = self.time(&tenant, now);
            self.event(&tenant, at);
            for (place, count) in of {
                let tally = Rc::make_mut(&mut self.tallies).entry(place).or_default();
                tally.refused += count;
                tally.last_at = Some(at);
            }
        }
    }
}

fn tier_json(name: &str, tier: &Tier) -> Value {
    let limits = tier.limits.iter().map(|(item, (ceiling, mode))| {
        json!({
            "resource": item.resource, "location": item.location, "limit": ceiling.json(),
            "mode": mode.name(),
        })
    });
    json!({"name": name, "limits": limits.collect::<Vec<_>>()})
}

fn limit_json(scope: &str, item: &Item, limit: &Limit) -> Value {
    json!({
        "scope": scope, "resource": item.resource, "location": item.location,
        "limit": limit.ceiling.json(), "mode": limit.mode.name(),
        "starts_at": limit.window.starts_at.map(instant),
        "ends_at": limit.window.ends_at.map(instant),
        "set_by": limit.set_by, "revision": limit.revision, "set_at": instant(limit.set_at),
        "reason": limit.reason, "request": limit.request,
    })
}

fn expect_limit(known: Option<&Limit>, expected: Option<u64>) -> Result<(), Answer> {
    let actual = known.map(|limit| limit.revision);
    if expected.is_none() || expected == actual {
        return Ok(());
    }
    let mut failed = problem(412, "precondition_failed");
    if let Some(actual) = actual {
        failed.body["revision"] = json!(actual);
    }
    Err(failed)
}
