//! Requests for higher limits: what must come of them.

use std::rc::Rc;

use serde_json::{Value, json};

use super::ask::{Ruled, Ruling, Submit};
use super::instant;
use super::limits::{Limit, Window};
use super::model::{Ceiling, Item, Model};
use super::verbs::{Answer, Answered, ok, problem};
use crate::step::Caller;

/// Which requests for a resource are approved at once.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) limit: u64,
    pub(super) factor_percent: Option<u64>,
    pub(super) cool_off_ms: u64,
}

/// A request for a higher limit.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    scope: String,
    item: Item,
    limit: Ceiling,
    reason: String,
    by: String,
    at: u64,
    present: Ceiling,
    status: Status,
    /// When it was granted.
    approved_at: Option<u64>,
    revision: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Status {
    Pending,
    Approved { ruling: Value, granted: Granted },
    Denied(Value),
    Cancelled(Value),
}

/// What was granted, as a repeat must name it, and what it became.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Granted {
    limit: Ceiling,
    until: Option<u64>,
    revision: u64,
    automatic: bool,
}

/// The reason of an approval that nobody gives.
const AUTOMATIC: &str = "within the resource's rule for automatic approval";

impl Status {
    fn name(&self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Approved { .. } => "approved",
            Status::Denied(_) => "denied",
            Status::Cancelled(_) => "cancelled",
        }
    }
}

impl Wish {
    /// What a reader of it must be told.
    pub(super) fn json(&self, id: &str) -> Value {
        let (ruling, granted) = match &self.status {
            Status::Pending => (&Value::Null, None),
            Status::Approved { ruling, granted } => (ruling, Some(granted)),
            Status::Denied(ruling) | Status::Cancelled(ruling) => (ruling, None),
        };
        json!({
            "id": id, "state": self.status.name(), "scope": self.scope,
            "resource": self.item.resource, "location": self.item.location,
            "limit": self.limit.json(), "reason": self.reason, "submitted_by": self.by,
            "submitted_at": instant(self.at), "present_limit": self.present.json(),
            "ruling": ruling, "revision": self.revision,
            "granted_limit": granted.map(|it| it.limit.json()),
            "until": granted.and_then(|it| it.until).map(instant),
            "limit_revision": granted.map(|it| it.revision),
            "automatic": granted.map(|it| it.automatic),
        })
    }
}

impl Model {
    /// A request that the caller sees.
    pub(super) fn wish_of(&self, reach: Option<&str>, id: &str) -> Result<&Wish, Answer> {
        let wish = self.wishes.get(id);
        let seen = wish.filter(|wish| self.sees(reach, &wish.scope));
        seen.ok_or_else(|| problem(404, "not_found"))
    }

    /// The requests of a scope and everything below it, in order of id.
    pub(super) fn wishes_json(&self, scope: &str, status: Option<&str>) -> Value {
        let wishes = self.wishes.iter().filter(|(_, wish)| {
            let is_meant = status.is_none_or(|status| wish.status.name() == status);
            is_meant && self.is_below(&wish.scope, scope)
        });
        wishes.map(|(id, wish)| wish.json(id)).collect()
    }

    pub(super) fn submit(&mut self, caller: &Caller, submit: &Submit, now: u64) -> Answer {
        self.submitted(caller, submit, now)
            .unwrap_or_else(|denied| denied)
    }

    fn submitted(&mut self, caller: &Caller, submit: &Submit, now: u64) -> Answered {
        let Submit {
            id,
            scope,
            item,
            limit,
            reason,
        } = submit;
        if !self.sees(caller.reach.as_deref(), scope) {
            return Err(problem(404, "unknown_scope"));
        }
        self.limitable(item)?;
        let resource = self.resources[&item.resource].clone();
        if !resource.adjustable {
            return Err(problem(409, "not_adjustable"));
        }
        let same = || {
            let wishes = self.wishes.iter();
            wishes.filter(|(_, wish)| wish.scope == *scope && wish.item == *item)
        };
        let is_repeat = |(id, wish): &(&String, &Wish)| {
            wish.limit == *limit && wish.reason == *reason && self.is_open(id, wish)
        };
        if let Some((id, known)) = same().find(is_repeat) {
            return Ok(ok(known.json(id)));
        }
        if let Some((id, _)) = same().find(|(_, wish)| wish.status == Status::Pending) {
            let mut pending = problem(409, "request_pending");
            pending.body["request"] = json!(id);
            return Err(pending);
        }
        let tenant = self.tenant_of(scope).to_owned();
        let now = self.time(&tenant, now);
        let present = self.more_than_binds(scope, item, *limit, now)?;
        let is_cool = self.is_cool(scope, item, resource.rule.as_ref(), now);
        let wish = Wish {
            scope: scope.clone(),
            item: item.clone(),
            limit: *limit,
            reason: reason.clone(),
            by: caller.name.clone(),
            at: now,
            present,
            status: Status::Pending,
            approved_at: None,
            revision: self.event(&tenant, now),
        };
        Rc::make_mut(&mut self.wishes).insert(id.clone(), wish);
        if is_cool
            && let Some(rule) = &resource.rule
            && rule.is_within(*limit, present)
        {
            // Where it cannot be, people decide.
            let grant = Grant {
                id,
                limit: *limit,
                until: None,
                reason: AUTOMATIC,
                automatic: true,
            };
            drop(self.grant(caller, &grant, now));
        }
        Ok(ok(self.wishes[id].json(id)))
    }

    /// What binds until further notice; it must be raised.
    fn more_than_binds(
        &self,
        scope: &str,
        item: &Item,
        limit: Ceiling,
        now: u64,
    ) -> Result<Ceiling, Answer> {
        let present = self.standing_bound(scope, item, now).ceiling;
        if present.units() < limit.units() {
            return Ok(present);
        }
        let mut denied = problem(409, "not_an_increase");
        denied.body["present_limit"] = present.json();
        Err(denied)
    }

    /// Whether it is still to be decided, or was granted in full, until further notice, and is
    /// what the limit was set for.
    fn is_open(&self, id: &str, wish: &Wish) -> bool {
        match &wish.status {
            Status::Pending => true,
            Status::Approved { granted, .. } => {
                let limits = self.limits_of(&wish.scope, &wish.item).iter();
                let is_set = limits
                    .filter_map(|it| it.request.as_deref())
                    .any(|it| it == id);
                granted.limit == wish.limit && granted.until.is_none() && is_set
            }
            Status::Denied(_) | Status::Cancelled(_) => false,
        }
    }

    /// Whether the last approval for the same is long enough ago, and no limit would be set that
    /// binds others for the first time.
    fn is_cool(&self, scope: &str, item: &Item, rule: Option<&Rule>, now: u64) -> bool {
        let Some(rule) = rule else { return false };
        let limits = self.limits_of(scope, item).iter();
        let approved = limits.filter(|limit| limit.request.is_some());
        let wishes = self.wishes.values();
        let ruled = wishes.filter(|wish| wish.scope == scope && wish.item == *item);
        let ruled = ruled.filter_map(|wish| wish.approved_at);
        let last = approved.map(|limit| limit.set_at).chain(ruled).max();
        let binds_others = self.limits_of(scope, item).is_empty() && self.is_above_others(scope);
        !binds_others && last.is_none_or(|at| at + rule.cool_off_ms <= now)
    }

    fn is_above_others(&self, scope: &str) -> bool {
        let mut scopes = self.paths.keys();
        scopes.any(|it| it != scope && self.is_below(it, scope))
    }

    /// Somebody decides.
    pub(super) fn rule(&mut self, caller: &Caller, rule: &Ruling, now: u64) -> Answer {
        self.ruled(caller, rule, now)
            .unwrap_or_else(|denied| denied)
    }

    fn ruled(&mut self, caller: &Caller, rule: &Ruling, now: u64) -> Answered {
        let Ruling { id, what, reason } = rule;
        let wish = self.wish_of(caller.reach.as_deref(), id)?;
        let tenant = self.tenant_of(&wish.scope).to_owned();
        let now = self.time(&tenant, now);
        let is_repeat = match (&wish.status, what) {
            (Status::Approved { granted, .. }, Ruled::Approved { limit, until }) => {
                granted.limit == limit.unwrap_or(wish.limit) && granted.until == *until
            }
            (Status::Denied(_), Ruled::Denied) | (Status::Cancelled(_), Ruled::Cancelled) => true,
            _ => false,
        };
        if is_repeat {
            return Ok(ok(wish.json(id)));
        }
        if wish.status != Status::Pending {
            let mut conflict = problem(409, "state_conflict");
            conflict.body["state"] = json!(wish.status.name());
            return Err(conflict);
        }
        let ruling = ruling(caller, reason, now);
        let status = match what {
            Ruled::Approved { limit, until } => {
                let grant = Grant {
                    id,
                    limit: limit.unwrap_or(wish.limit),
                    until: *until,
                    reason,
                    automatic: false,
                };
                self.grant(caller, &grant, now)?;
                return Ok(ok(self.wishes[id].json(id)));
            }
            Ruled::Denied => Status::Denied(ruling),
            Ruled::Cancelled => Status::Cancelled(ruling),
        };
        self.close(&tenant, id, status, now);
        Ok(ok(self.wishes[id].json(id)))
    }

    fn close(&mut self, tenant: &str, id: &str, status: Status, now: u64) {
        let revision = self.event(tenant, now);
        let wish = Rc::make_mut(&mut self.wishes)
            .get_mut(id)
            .expect("it was looked up");
        if matches!(status, Status::Approved { .. }) {
            wish.approved_at = Some(now);
        }
        wish.status = status;
        wish.revision = revision;
    }

    /// Sets the limit and says so in the request, as one event.
    fn grant(&mut self, caller: &Caller, grant: &Grant<'_>, now: u64) -> Result<(), Answer> {
        let wish = self.wishes[grant.id].clone();
        let (scope, item) = (&wish.scope, &wish.item);
        self.limitable(item)?;
        self.more_than_binds(scope, item, grant.limit, now)?;
        // Where nothing is set, nothing bound what is taken below.
        let (used, held) = self.figures(scope, item);
        if self.standing_bound(scope, item, now).source == "default"
            && grant.limit.units() < used + held
        {
            let mut denied = problem(409, "not_an_increase");
            denied.body["present_limit"] = json!(used + held);
            return Err(denied);
        }
        let tenant = self.tenant_of(scope).to_owned();
        // It is to go before the standing limit that it raises, so it starts no earlier.
        let standing = self.standing_limit(scope, item, now);
        let window = Window {
            starts_at: standing.and_then(|limit| limit.window.starts_at),
            ends_at: grant.until,
        };
        let revision = self.tenants[&tenant].revision + 1;
        let limit = Limit {
            ceiling: grant.limit,
            mode: self.standing_bound(scope, item, now).mode,
            window,
            set_by: caller.name.clone(),
            set_at: now,
            reason: grant.reason.to_owned(),
            request: Some(grant.id.to_owned()),
            revision,
        };
        self.set_limit(scope, item, limit)?;
        let status = Status::Approved {
            ruling: ruling(caller, grant.reason, now),
            granted: Granted {
                limit: grant.limit,
                until: grant.until,
                revision,
                automatic: grant.automatic,
            },
        };
        self.close(&tenant, grant.id, status, now);
        Ok(())
    }
}

struct Grant<'a> {
    id: &'a str,
    limit: Ceiling,
    until: Option<u64>,
    reason: &'a str,
    automatic: bool,
}

impl Rule {
    pub(super) fn json(&self) -> Value {
        json!({
            "limit": self.limit, "factor_percent": self.factor_percent,
            "cool_off_seconds": self.cool_off_ms / 1_000,
        })
    }

    /// Whether so much may be granted where so much binds.
    fn is_within(&self, limit: Ceiling, present: Ceiling) -> bool {
        let (Ceiling::Finite(limit), Ceiling::Finite(present)) = (limit, present) else {
            return false;
        };
        let is_near = self.factor_percent.is_none_or(|factor| {
            u128::from(limit) * 100 <= u128::from(present) * u128::from(factor)
        });
        limit <= self.limit && is_near
    }
}

fn ruling(caller: &Caller, reason: &str, now: u64) -> Value {
    json!({"by": caller.name, "at": instant(now), "reason": reason})
}
