//! What must come of a request: the table of what can happen to a reservation, and the rest.

use serde_json::{Value, json};

use super::admission::Want;
use super::ask::{PutLimit, Question, Verb, What};
use super::change::Change;
use super::instant;
use super::model::{Content, Item, Limit, Line, Model, Resource, State, Taken, line_json};
use crate::step::Caller;

/// What must be answered: the status, and members that the body must have.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

type Answered = Result<Answer, Answer>;

fn ok(body: Value) -> Answer {
    Answer { status: 200, body }
}

pub(super) fn problem(status: u16, code: &str) -> Answer {
    Answer {
        status,
        body: json!({"code": code, "status": status}),
    }
}

impl Model {
    /// What must be answered to a request that is decided at `now`, with everything that it
    /// changes.
    pub(super) fn answer(&mut self, caller: &Caller, question: &Question, now: u64) -> Answer {
        let reach = caller.reach.as_deref();
        match question {
            Question::Verb(verb) => self.verb(reach, verb, now),
            Question::Batch(verbs) => {
                let outcomes = verbs.iter().map(|verb| {
                    let Answer { status, body } = self.verb(reach, verb, now);
                    let name = if status == 200 {
                        "reservation"
                    } else {
                        "problem"
                    };
                    json!({"status": status, name: body})
                });
                ok(json!({"outcomes": outcomes.collect::<Vec<_>>()}))
            }
            Question::Check(content) => self.check(reach, content, now),
            Question::Quotas { scope } if self.sees(reach, scope) => ok(self.quotas(scope)),
            Question::Quotas { .. } => problem(404, "unknown_scope"),
            Question::Reservation { id, scope } => {
                let found = self.find(reach, scope, id);
                found.map_or_else(|denied| denied, |tenant| ok(self.reservation(&tenant, id)))
            }
            Question::PutLimit(put) => self.put_limit(caller, put, now),
            Question::DeleteLimit {
                scope,
                item,
                expected,
            } => self.delete_limit(reach, scope, item, *expected, now),
            Question::PutResource {
                name,
                ceiling,
                per_location,
            } => {
                let resource = Resource {
                    ceiling: *ceiling,
                    per_location: *per_location,
                };
                let known = self.resources.get(name);
                if known.is_some_and(|known| known.per_location != *per_location) {
                    return problem(409, "immutable");
                }
                self.resources.insert(name.clone(), resource);
                ok(json!({"name": name, "default_limit": ceiling.json()}))
            }
            Question::PutLocation { id } => {
                self.locations.insert(id.clone());
                ok(json!({"id": id}))
            }
            Question::PutScope { id, parent, kind } => {
                self.put_scope(id, parent.as_deref(), kind, now)
            }
        }
    }

    /// The time in a tenant's log, which does not run backwards.
    fn time(&self, tenant: &str, now: u64) -> u64 {
        self.tenants[tenant].at.max(now)
    }

    fn verb(&mut self, reach: Option<&str>, verb: &Verb, now: u64) -> Answer {
        let id = &verb.id;
        if let What::Reserve(content) = &verb.what {
            return self
                .reserve(reach, id, content, now)
                .unwrap_or_else(|it| it);
        }
        let named = verb
            .scope
            .as_deref()
            .or(reach)
            .expect("the workload names it");
        let changed = self.find(reach, named, id).and_then(|tenant| {
            let now = self.time(&tenant, now);
            let taken = self.tenants[&tenant].taken[id].clone();
            if verb
                .expected
                .is_some_and(|expected| expected != taken.revision)
            {
                let mut failed = problem(412, "precondition_failed");
                failed.body["revision"] = json!(taken.revision);
                return Err(failed);
            }
            let mut change = Change {
                model: self,
                tenant: &tenant,
                id,
                before: taken,
                now,
            };
            match &verb.what {
                What::Reserve(_) => unreachable!("it was answered above"),
                What::Commit(part) => change.commit(part.as_deref()),
                What::Release(part) => change.release(part.as_deref()),
                What::Extend { ttl_ms } => change.extend(*ttl_ms),
                What::Resize { lines, forced } => change.resize(lines, *forced),
                What::Transfer { to, forced } => change.transfer(reach, to, *forced),
            }?;
            Ok(ok(self.reservation(&tenant, id)))
        });
        changed.unwrap_or_else(|denied| denied)
    }

    /// The tenant of a reservation that the caller sees.
    fn find(&self, reach: Option<&str>, scope: &str, id: &str) -> Result<String, Answer> {
        if !self.sees(reach, scope) {
            return Err(problem(404, "unknown_scope"));
        }
        let tenant = self.tenant_of(scope);
        let taken = self.tenants[tenant].taken.get(id);
        match taken.filter(|taken| self.sees(reach, &taken.scope)) {
            Some(_) => Ok(tenant.to_owned()),
            None => Err(problem(404, "not_found")),
        }
    }

    fn reserve(&mut self, reach: Option<&str>, id: &str, content: &Content, now: u64) -> Answered {
        if !self.sees(reach, &content.scope) {
            return Err(problem(404, "unknown_scope"));
        }
        let tenant = self.tenant_of(&content.scope).to_owned();
        let now = self.time(&tenant, now);
        if let Some(known) = self.tenants[&tenant].taken.get(id) {
            if known.content != *content {
                return Err(problem(409, "id_conflict"));
            }
            if known.state.is_due(now) {
                self.lapse_one(&tenant, id, now);
            }
            return Ok(ok(self.reservation(&tenant, id)));
        }
        self.senseless(&content.lines)?;
        let lines = match self.admit(&tenant, content, now) {
            Ok(lines) => lines,
            Err(exceeded) => {
                let mut refused = problem(422, "quota_exceeded");
                refused.body["exceeded"] = exceeded;
                return Err(refused);
            }
        };
        let state = content
            .ttl_ms
            .map_or(State::Committed, |ttl_ms| State::Held {
                expires_at: now + ttl_ms,
            });
        let taken = Taken {
            scope: content.scope.clone(),
            lines,
            content: content.clone(),
            state,
            created_at: now,
            revision: 0,
        };
        let rows = self.tenant_mut(&tenant);
        rows.taken.insert(id.to_owned(), taken);
        self.put(&tenant, id, now, |_| {});
        Ok(ok(self.reservation(&tenant, id)))
    }

    /// The lines that are granted, or every limit in the way. Before anything is refused or cut,
    /// holds that are due lapse.
    fn admit(&mut self, tenant: &str, content: &Content, now: u64) -> Result<Vec<Line>, Value> {
        let want = |lines| Want {
            scope: &content.scope,
            lines,
            instead_of: None,
            is_forced: content.forced.is_some(),
        };
        if self.exceeded(&want(&content.lines)).is_empty() {
            return Ok(content.lines.clone());
        }
        self.lapse(tenant, now);
        let lines = self.fitting(content);
        let exceeded = self.exceeded(&want(&lines));
        if exceeded.is_empty() {
            Ok(lines)
        } else {
            Err(self.exceeded_json(&exceeded, None))
        }
    }

    fn check(&self, reach: Option<&str>, content: &Content, now: u64) -> Answer {
        if !self.sees(reach, &content.scope) {
            return problem(404, "unknown_scope");
        }
        if let Err(denied) = self.senseless(&content.lines) {
            return denied;
        }
        let tenant = self.tenant_of(&content.scope).to_owned();
        let now = self.time(&tenant, now);
        // It writes nothing: what lapses, lapses in a copy.
        match self.clone().admit(&tenant, content, now) {
            Ok(lines) => {
                let lines: Vec<Value> = lines.iter().map(line_json).collect();
                ok(json!({"admissible": true, "lines": lines, "exceeded": []}))
            }
            Err(exceeded) => ok(json!({"admissible": false, "lines": null, "exceeded": exceeded})),
        }
    }

    /// An unknown resource or location is an error of its own.
    pub(super) fn senseless(&self, lines: &[Line]) -> Result<(), Answer> {
        lines
            .iter()
            .try_for_each(|line| self.senseless_item(&line.item))
    }

    fn senseless_item(&self, item: &Item) -> Result<(), Answer> {
        let Some(resource) = self.resources.get(&item.resource) else {
            return Err(problem(404, "unknown_resource"));
        };
        match &item.location {
            Some(location) if !self.locations.contains(location) => {
                Err(problem(404, "unknown_location"))
            }
            Some(_) if !resource.per_location => Err(problem(400, "location_not_applicable")),
            None if resource.per_location => Err(problem(400, "location_required")),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn lapse_one(&mut self, tenant: &str, id: &str, now: u64) {
        self.put(tenant, id, now, |taken| {
            taken.state = State::Expired { ended_at: now };
        });
    }

    fn put_limit(&mut self, caller: &Caller, put: &PutLimit, now: u64) -> Answer {
        if !self.sees(caller.reach.as_deref(), &put.scope) {
            return problem(404, "unknown_scope");
        }
        match self.senseless_item(&put.item) {
            // A limit without a location is for any location.
            Err(denied) if denied.body["code"] != "location_required" => return denied,
            Ok(()) | Err(_) => {}
        }
        let key = (put.scope.clone(), put.item.clone());
        let known = self.limits.get(&key);
        if let Err(failed) = expect_limit(known, put.expected) {
            return failed;
        }
        let tenant = self.tenant_of(&put.scope).to_owned();
        let limit = match known {
            Some(known)
                if known.ceiling == put.ceiling
                    && known.reason == put.reason
                    && known.set_by == caller.name =>
            {
                known.clone()
            }
            Some(_) | None => Limit {
                ceiling: put.ceiling,
                set_by: caller.name.clone(),
                set_at: self.time(&tenant, now),
                reason: put.reason.clone(),
                revision: self.event(&tenant, now),
            },
        };
        self.limits.insert(key, limit.clone());
        ok(json!({
            "scope": put.scope, "resource": put.item.resource, "location": put.item.location,
            "limit": limit.ceiling.json(), "set_by": limit.set_by, "revision": limit.revision,
            "set_at": instant(limit.set_at), "reason": limit.reason,
        }))
    }

    fn delete_limit(
        &mut self,
        reach: Option<&str>,
        scope: &str,
        item: &Item,
        expected: Option<u64>,
        now: u64,
    ) -> Answer {
        if !self.sees(reach, scope) {
            return problem(404, "unknown_scope");
        }
        let key = (scope.to_owned(), item.clone());
        let known = self.limits.get(&key);
        if known.is_none() {
            return problem(404, "not_found");
        }
        if let Err(failed) = expect_limit(known, expected) {
            return failed;
        }
        self.limits.remove(&key);
        let tenant = self.tenant_of(scope).to_owned();
        self.event(&tenant, now);
        ok(json!({}))
    }

    fn put_scope(&mut self, id: &str, parent: Option<&str>, kind: &str, now: u64) -> Answer {
        let mut path = vec![id.to_owned()];
        if let Some(parent) = parent {
            match self.paths.get(parent) {
                Some(above) => path.extend(above.iter().cloned()),
                None => return problem(404, "unknown_scope"),
            }
        }
        let known = self.paths.get(id);
        if known.is_some_and(|known| known.get(1) != path.get(1)) {
            return problem(409, "immutable");
        }
        let tenant = path.last().expect("it has the scope").clone();
        self.paths.insert(id.to_owned(), path);
        self.tenants.entry(tenant.clone()).or_default();
        if self.kinds.insert(id.to_owned(), kind.to_owned()).as_deref() != Some(kind) {
            self.event(&tenant, now);
        }
        ok(json!({"id": id, "parent": parent, "tenant": tenant, "kind": kind}))
    }

    /// What a sweep changes: holds that are due lapse, and what ended long ago is forgotten.
    pub(super) fn sweep(&mut self, now: u64, retention_ms: u64) {
        let ended_before = now.saturating_sub(retention_ms);
        let tenants: Vec<String> = self.tenants.keys().cloned().collect();
        for tenant in tenants {
            let rows = &self.tenants[&tenant];
            if rows.live.iter().any(|id| rows.taken[id].state.is_due(now)) {
                self.lapse(&tenant, self.time(&tenant, now));
            }
            let at = self.time(&tenant, now);
            let is_old = |taken: &Taken| match taken.state {
                State::Released { ended_at } | State::Expired { ended_at } => {
                    ended_at < ended_before
                }
                State::Held { .. } | State::Committed => false,
            };
            if self.tenants[&tenant].taken.values().any(is_old) {
                let rows = self.tenant_mut(&tenant);
                rows.taken.retain(|_, taken| !is_old(taken));
                self.event(&tenant, at);
            }
        }
    }
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
