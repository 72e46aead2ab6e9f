//! What the auditor believes to be there, and what follows from it.
//!
//! It keeps no running figures: whenever it needs one, it adds up the reservations that live.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Value, json};

use super::instant;
use super::limits::{Limit, Tier};
use super::wishes::{Rule, Wish};

/// The largest number that can be counted: exact in JSON in every client language.
pub(super) const AMOUNT_MAX: u64 = (1 << 53) - 1;

/// How much there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ceiling {
    Finite(u64),
    Unlimited,
}

impl Ceiling {
    pub(super) fn units(self) -> u64 {
        match self {
            Ceiling::Finite(units) => units,
            Ceiling::Unlimited => AMOUNT_MAX,
        }
    }

    pub(super) fn json(self) -> Value {
        match self {
            Ceiling::Finite(units) => json!(units),
            Ceiling::Unlimited => json!("unlimited"),
        }
    }

    /// What is left of it.
    pub(super) fn left(self, taken: u64) -> Ceiling {
        match self {
            Ceiling::Finite(units) => Ceiling::Finite(units.saturating_sub(taken)),
            Ceiling::Unlimited => Ceiling::Unlimited,
        }
    }

    pub(super) fn smaller(self, other: Ceiling) -> Ceiling {
        match (self, other) {
            (Ceiling::Finite(one), Ceiling::Finite(other)) => Ceiling::Finite(one.min(other)),
            (Ceiling::Unlimited, other) => other,
            (one, Ceiling::Unlimited) => one,
        }
    }
}

/// A resource, at a location where it is counted so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item {
    pub(super) resource: String,
    pub(super) location: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) item: Item,
    pub(super) amount: u64,
}

/// What was asked for when a reservation was made: a repeat is compared with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) scope: String,
    pub(super) lines: Vec<Line>,
    /// For each line, what would do.
    pub(super) at_least: Vec<u64>,
    /// `None` where it is to be committed at once.
    pub(super) ttl_ms: Option<u64>,
    pub(super) forced: Option<String>,
    pub(super) holder: Option<String>,
    pub(super) attributes: Value,
}

impl Content {
    /// How it was asked for, as it is told where it takes something else now.
    fn asked_json(&self) -> Value {
        let lines = self.lines.iter().zip(&self.at_least).map(|(line, least)| {
            let mut told = line_json(line);
            told["at_least"] = json!(least);
            told
        });
        json!({"scope": self.scope, "lines": lines.collect::<Vec<_>>()})
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Held { expires_at: u64 },
    Committed,
    Released { ended_at: u64 },
    Expired { ended_at: u64 },
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            State::Held { .. } => "held",
            State::Committed => "committed",
            State::Released { .. } => "released",
            State::Expired { .. } => "expired",
        }
    }

    pub(super) fn is_live(self) -> bool {
        matches!(self, State::Held { .. } | State::Committed)
    }

    pub(super) fn is_due(self, now: u64) -> bool {
        matches!(self, State::Held { expires_at } if expires_at <= now)
    }
}

/// A reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) scope: String,
    pub(super) lines: Vec<Line>,
    pub(super) content: Content,
    pub(super) state: State,
    pub(super) created_at: u64,
    pub(super) revision: u64,
}

impl Taken {
    pub(super) fn amount_of(&self, item: &Item) -> u64 {
        let line = self.lines.iter().find(|line| line.item == *item);
        line.map_or(0, |line| line.amount)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) ceiling: Ceiling,
    pub(super) per_location: bool,
    /// Whether its limits are raised on request.
    pub(super) adjustable: bool,
    pub(super) rule: Option<Rule>,
}

/// What went past the limits of an item at a scope, or would have.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) refused: u64,
    pub(super) warned: u64,
    pub(super) observed: u64,
    pub(super) last_at: Option<u64>,
}

impl Tally {
    pub(super) fn json(&self) -> Value {
        json!({
            "refused": self.refused, "warned": self.warned, "observed": self.observed,
            "last_at": self.last_at.map(instant),
        })
    }
}

/// One tenant: its log, and what was taken in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Tenant {
    /// The revision of its last event.
    pub(super) revision: u64,
    /// The time of its last event: a log's time does not run backwards.
    pub(super) at: u64,
    pub(super) taken: BTreeMap<String, Taken>,
    pub(super) live: BTreeSet<String>,
}

/// Everything there is.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) resources: BTreeMap<String, Resource>,
    pub(super) locations: BTreeSet<String>,
    /// Each scope with its way to the tenant, itself first.
    pub(super) paths: BTreeMap<String, Vec<String>>,
    /// What each scope is called.
    pub(super) kinds: BTreeMap<String, String>,
    /// For each scope and item, limits with different windows.
    pub(super) limits: Rc<BTreeMap<(String, Item), Vec<Limit>>>,
    pub(super) tiers: BTreeMap<String, Tier>,
    /// The tier of each scope that has one.
    pub(super) tier_of: BTreeMap<String, String>,
    pub(super) tallies: Rc<BTreeMap<(String, Item), Tally>>,
    pub(super) wishes: Rc<BTreeMap<String, Wish>>,
    pub(super) tenants: BTreeMap<String, Rc<Tenant>>,
}

impl Model {
    pub(super) fn tenant_of(&self, scope: &str) -> &str {
        self.paths[scope].last().expect("a path has its scope")
    }

    pub(super) fn is_below(&self, scope: &str, top: &str) -> bool {
        let path = self.paths.get(scope);
        path.is_some_and(|path| path.iter().any(|above| above == top))
    }

    /// Whether a caller sees a scope.
    pub(super) fn sees(&self, reach: Option<&str>, scope: &str) -> bool {
        self.paths.contains_key(scope) && reach.is_none_or(|top| self.is_below(scope, top))
    }

    /// What is used and held of an item in a scope and below.
    pub(super) fn figures(&self, scope: &str, item: &Item) -> (u64, u64) {
        let tenant = &self.tenants[self.tenant_of(scope)];
        let (mut used, mut held) = (0, 0);
        for taken in tenant.live.iter().map(|id| &tenant.taken[id]) {
            let amount = taken.amount_of(item);
            if amount == 0 || !self.is_below(&taken.scope, scope) {
                continue;
            }
            match taken.state {
                State::Held { .. } => held += amount,
                _ => used += amount,
            }
        }
        (used, held)
    }

    /// Lets a tenant's holds lapse that are due, the earliest first.
    pub(super) fn lapse(&mut self, tenant: &str, now: u64) {
        let rows = &self.tenants[tenant];
        let mut due: Vec<(u64, String)> = Vec::new();
        for id in &rows.live {
            if let State::Held { expires_at } = rows.taken[id].state
                && expires_at <= now
            {
                due.push((expires_at, id.clone()));
            }
        }
        due.sort();
        for (_, id) in due {
            self.put(tenant, &id, now, |taken| {
                taken.state = State::Expired { ended_at: now };
            });
        }
    }

    /// Changes a reservation, as one event.
    pub(super) fn put(
        &mut self,
        tenant: &str,
        id: &str,
        now: u64,
        change: impl FnOnce(&mut Taken),
    ) {
        let revision = self.event(tenant, now);
        let rows = self.tenant_mut(tenant);
        let taken = rows.taken.get_mut(id).expect("it was looked up");
        change(taken);
        taken.revision = revision;
        if taken.state.is_live() {
            rows.live.insert(id.to_owned());
        } else {
            rows.live.remove(id);
        }
    }

    /// A tenant, to be changed: other copies of the model keep theirs.
    pub(super) fn tenant_mut(&mut self, tenant: &str) -> &mut Tenant {
        Rc::make_mut(self.tenants.get_mut(tenant).expect("it was looked up"))
    }

    /// One more event in a tenant's log; its revision.
    pub(super) fn event(&mut self, tenant: &str, now: u64) -> u64 {
        let rows = self.tenant_mut(tenant);
        rows.revision += 1;
        rows.at = rows.at.max(now);
        rows.revision
    }

    /// How many holds would lapse between two instants.
    pub(super) fn holds_between(&self, after: u64, until: u64) -> usize {
        let live = self.tenants.values().flat_map(|tenant| {
            let taken = tenant.live.iter().map(|id| &tenant.taken[id]);
            taken.filter(|taken| match taken.state {
                State::Held { expires_at } => after < expires_at && expires_at <= until,
                _ => false,
            })
        });
        live.count()
    }

    /// What a reader of the reservations of a scope and everything below it must be told.
    pub(super) fn reservations(&self, scope: &str, state: Option<&str>) -> Value {
        let tenant = self.tenant_of(scope);
        let rows = self.tenants[tenant].taken.iter().filter(|(_, taken)| {
            let is_meant = state.is_none_or(|state| taken.state.name() == state);
            is_meant && self.is_below(&taken.scope, scope)
        });
        let rows: Vec<Value> = rows.map(|(id, _)| self.reservation(tenant, id)).collect();
        json!({"scope": scope, "reservations": rows})
    }

    /// What a reader of a reservation must be told.
    pub(super) fn reservation(&self, tenant: &str, id: &str) -> Value {
        let taken = &self.tenants[tenant].taken[id];
        let lines: Vec<Value> = taken.lines.iter().map(line_json).collect();
        let (expires_at, ended_at) = match taken.state {
            State::Held { expires_at } => (Some(expires_at), None),
            State::Committed => (None, None),
            State::Released { ended_at } | State::Expired { ended_at } => (None, Some(ended_at)),
        };
        let mut told = json!({
            "id": id, "state": taken.state.name(), "scope": taken.scope, "tenant": tenant,
            "lines": lines, "forced": taken.content.forced, "holder": taken.content.holder,
            "attributes": taken.content.attributes, "created_at": instant(taken.created_at),
            "expires_at": expires_at.map(instant), "ended_at": ended_at.map(instant),
            "revision": taken.revision, "warnings": [],
        });
        if taken.scope != taken.content.scope || taken.lines != taken.content.lines {
            told["asked"] = taken.content.asked_json();
        }
        told
    }
}

pub(super) fn line_json(line: &Line) -> Value {
    let Item { resource, location } = &line.item;
    json!({"resource": resource, "location": location, "amount": line.amount})
}
