//! What must come of a request: the table of what can happen to a reservation, and the rest.

use serde_json::{Value, json};

use super::admission::{Verdict, Want};
use super::ask::{Question, Verb, What};
use super::change::Change;
use super::model::{Content, Item, Line, Model, State, Taken, line_json};
use crate::step::Caller;

/// What must be answered: the status, and members that the body must have.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

pub(super) type Answered = Result<Answer, Answer>;

pub(super) fn ok(body: Value) -> Answer {
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
            Question::Quotas { scope } if self.sees(reach, scope) => ok(self.quotas(scope, now)),
            Question::Quotas { .. } => problem(404, "unknown_scope"),
            Question::Reservation { id, scope } => {
                let found = self.find(reach, scope, id);
                found.map_or_else(|denied| denied, |tenant| ok(self.reservation(&tenant, id)))
            }
            Question::PutLimit(put) => self.put_limit(caller, put, now),
            Question::DeleteLimit(delete) => self.delete_limit(reach, delete, now),
            Question::PutResource { name, resource } => self.put_resource(name, resource),
            Question::PutTier { name, limits } => self.put_tier(name, limits),
            Question::PutLocation { id } => {
                self.locations.insert(id.clone());
                ok(json!({"id": id}))
            }
            Question::PutScope(put) => self.put_scope(put, now),
            Question::Submit(submit) => self.submit(caller, submit, now),
            Question::Rule(rule) => self.rule(caller, rule, now),
            Question::Reservations { scope, state } if self.sees(reach, scope) => {
                ok(self.reservations(scope, state.as_deref()))
            }
            Question::Reservations { .. } => problem(404, "unknown_scope"),
            Question::Reconcile(inventory) => match self.compare(reach, inventory) {
                Err(denied) => denied,
                Ok(found) => self.compared(inventory, &found),
            },
            Question::Wishes { scope, status } if self.sees(reach, scope) => {
                let wishes = self.wishes_json(scope, status.as_deref());
                ok(json!({"scope": scope, "requests": wishes}))
            }
            Question::Wishes { .. } => problem(404, "unknown_scope"),
            Question::Wish { id } => {
                let found = self.wish_of(reach, id);
                found.map_or_else(|denied| denied, |wish| ok(wish.json(id)))
            }
        }
    }

    /// The time in a tenant's log, which does not run backwards.
    pub(super) fn time(&self, tenant: &str, now: u64) -> u64 {
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
                warnings: json!([]),
            };
            match &verb.what {
                What::Reserve(_) => unreachable!("it was answered above"),
                What::Commit(part) => change.commit(part.as_deref()),
                What::Release(part) => change.release(part.as_deref()),
                What::Extend { ttl_ms } => change.extend(*ttl_ms),
                What::Resize { lines, forced } => change.resize(lines, *forced),
                What::Transfer { to, forced } => change.transfer(reach, to, *forced),
            }?;
            let warnings = change.warnings;
            let mut body = self.reservation(&tenant, id);
            body["warnings"] = warnings;
            Ok(ok(body))
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
        self.take(&tenant, id, content, now)
    }

    /// Takes it in a tenant, at the tenant's own time.
    pub(super) fn take(&mut self, tenant: &str, id: &str, content: &Content, now: u64) -> Answered {
        if let Some(known) = self.tenants[tenant].taken.get(id) {
            if known.content != *content {
                return Err(problem(409, "id_conflict"));
            }
            if known.state.is_due(now) {
                self.lapse_one(tenant, id, now);
            }
            return Ok(ok(self.reservation(tenant, id)));
        }
        self.senseless(&content.lines)?;
        let (lines, verdict) = self.admit(tenant, content, now);
        if !verdict.refused.is_empty() {
            let mut refused = problem(422, "quota_exceeded");
            refused.body["exceeded"] = self.exceeded_json(&verdict.refused, None);
            return Err(refused);
        }
        let warnings = self.note_passed(&verdict.passed, now);
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
        let rows = self.tenant_mut(tenant);
        rows.taken.insert(id.to_owned(), taken);
        self.put(tenant, id, now, |_| {});
        let mut body = self.reservation(tenant, id);
        body["warnings"] = warnings;
        Ok(ok(body))
    }

    /// The lines that would be granted, and what is to be said of them. Before anything is
    /// refused, cut or let pass, holds that are due lapse.
    fn admit(&mut self, tenant: &str, content: &Content, now: u64) -> (Vec<Line>, Verdict) {
        let want = |lines| Want {
            scope: &content.scope,
            lines,
            instead_of: None,
            is_forced: content.forced.is_some(),
            now,
        };
        let verdict = self.judge(&want(&content.lines));
        if verdict.is_clear() {
            return (content.lines.clone(), verdict);
        }
        self.lapse(tenant, now);
        let lines = self.fitting(content, now);
        let verdict = self.judge(&want(&lines));
        (lines, verdict)
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
        let mut copy = self.clone();
        let (lines, verdict) = copy.admit(&tenant, content, now);
        if verdict.refused.is_empty() {
            let lines: Vec<Value> = lines.iter().map(line_json).collect();
            let warnings = copy.note_passed(&verdict.passed, now);
            return ok(json!({
                "admissible": true, "lines": lines, "exceeded": [], "warnings": warnings,
            }));
        }
        let exceeded = copy.exceeded_json(&verdict.refused, None);
        ok(json!({"admissible": false, "lines": null, "exceeded": exceeded, "warnings": []}))
    }

    /// An unknown resource or location is an error of its own.
    pub(super) fn senseless(&self, lines: &[Line]) -> Result<(), Answer> {
        lines
            .iter()
            .try_for_each(|line| self.senseless_item(&line.item))
    }

    pub(super) fn senseless_item(&self, item: &Item) -> Result<(), Answer> {
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
