//! Clients: each asks for one thing at a time, and asks again for as long as it hears nothing.

use serde_json::{Value, json};

use super::catalogue::{Draft, KINDS, LOCATIONS, TENANTS, scopes};
use super::census::Census;
use super::operator::Memory;
use crate::random::Random;
use crate::step::Caller;

/// Live reservations from which on a client rather lets go than takes.
const LIVE_MANY: usize = 5;

/// Earlier reserves that a client may ask for once more.
const HISTORY_MAX: usize = 12;

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// Takes things, and asks for more.
    Takes,
    /// Sets limits.
    Sets,
    /// Decides what others ask for.
    Decides,
    /// Tells what is really there.
    Counts,
}

/// Wishes that a client keeps in mind.
const WISHES_MAX: usize = 6;

/// Somebody who asks.
pub(super) struct Client {
    pub(super) caller: Caller,
    work: Work,
    memory: Memory,
    census: Census,
    /// Requests for more that a refusal has suggested.
    wishes: Vec<Value>,
    known: Vec<Known>,
    history: Vec<Draft>,
    made: u64,
}

/// A reservation as the client last saw it.
struct Known {
    id: String,
    scope: String,
    state: String,
    lines: Vec<Value>,
    revision: u64,
}

/// Everybody who asks.
pub(super) fn all() -> Vec<Client> {
    let mut clients = Vec::new();
    for (tenant, count) in TENANTS.into_iter().zip([5, 3, 2]) {
        for number in 0..count {
            clients.push(Client::new(
                &format!("{tenant}-{number}"),
                Some(tenant),
                Work::Takes,
            ));
        }
    }
    // One sees a folder only, one the whole server.
    clients.push(Client::new("folder", Some("acme-f1"), Work::Takes));
    clients.push(Client::new("hub", None, Work::Takes));
    clients.push(Client::new("operator", None, Work::Sets));
    clients.push(Client::new("warden", None, Work::Sets));
    clients.push(Client::new("desk", None, Work::Decides));
    clients.push(Client::new("census", None, Work::Counts));
    clients
}

impl Client {
    fn new(name: &str, reach: Option<&str>, work: Work) -> Self {
        Self {
            caller: Caller {
                name: name.to_owned(),
                reach: reach.map(str::to_owned),
            },
            work,
            memory: Memory::default(),
            census: Census::default(),
            wishes: Vec::new(),
            known: Vec::new(),
            history: Vec::new(),
            made: 0,
        }
    }

    /// What it asks for next.
    pub(super) fn next(&mut self, random: &mut Random, now_ms: u64) -> Draft {
        match self.work {
            Work::Takes => self.take(random, now_ms),
            Work::Sets => self.memory.set(random, now_ms),
            Work::Decides => self.memory.decide(random, now_ms),
            Work::Counts => self.census.next(random),
        }
    }

    fn take(&mut self, random: &mut Random, now_ms: u64) -> Draft {
        if random.permille(80) {
            return self.wish(random, now_ms);
        }
        let live = self.known.iter().filter(|it| it.is_live()).count();
        match random.below(100) {
            0..40 if live < LIVE_MANY => self.reserve(random),
            0..72 if !self.known.is_empty() => self.verb(random),
            72..79 if !self.history.is_empty() => self.repeat(random),
            79..84 => self.batch(random),
            84..89 => {
                let body = self.reserve_body(random, false);
                Draft::new("POST", "/check", body)
            }
            89..93 => {
                let scope = self.scope(random);
                Draft::new("GET", &format!("/scopes/{scope}/quotas?page_size=1000"), "")
            }
            93..96 if !self.known.is_empty() => {
                let known = random.pick(&self.known);
                let path = format!("/reservations/{}?scope={}", known.id, known.scope);
                Draft::new("GET", &path, "")
            }
            _ => self.reserve(random),
        }
    }

    /// Asks for more: mostly what a refusal has suggested; or looks what became of it.
    fn wish(&mut self, random: &mut Random, now_ms: u64) -> Draft {
        if random.permille(250) {
            return self.memory.look_after(random, now_ms);
        }
        if !self.wishes.is_empty() && random.permille(700) {
            let mut body = random.pick(&self.wishes).clone();
            if random.permille(300) {
                body["reason"] = json!("launch");
            }
            if let Some(limit) = body["limit"].as_u64()
                && random.permille(200)
            {
                body["limit"] = json!(limit.saturating_sub(random.below(4)));
            }
            return Draft::new("POST", "/requests", body);
        }
        let (mut body, most) = Self::item(random);
        if random.permille(300) {
            body["location"] = Value::Null;
        }
        body["scope"] = json!(self.scope(random));
        body["limit"] = json!(random.between(most, 5 * most).min((1 << 53) - 1));
        if random.permille(30) {
            body["limit"] = json!("unlimited");
        }
        Draft::new("POST", "/requests", body)
    }

    /// What it asks for once, when nothing goes wrong any more.
    pub(super) fn last(&mut self, random: &mut Random) -> Draft {
        self.reserve(random)
    }

    /// A scope within reach, mostly far down; sometimes one that is not.
    fn scope(&self, random: &mut Random) -> String {
        if random.permille(10) {
            return "nowhere".to_owned();
        }
        if random.permille(10) {
            return (*random.pick(&TENANTS)).to_owned();
        }
        match &self.caller.reach {
            Some(top) => {
                let tenant = top.split('-').next().unwrap_or(top);
                let mut below = scopes(tenant);
                below.retain(|scope| scope.starts_with(top.as_str()));
                random.pick(&below).clone()
            }
            None => {
                let tenant = *random.pick(&TENANTS);
                random.pick(&scopes(tenant)).clone()
            }
        }
    }

    fn item(random: &mut Random) -> (Value, u64) {
        // One account is hotter than all others.
        if random.permille(300) {
            return (json!({"resource": "gpu/h100", "location": "FRA-A"}), 3);
        }
        let kind = random.pick(&KINDS);
        let mut item = json!({"resource": kind.name});
        if random.permille(5) {
            item["resource"] = json!("no/such");
        }
        if kind.per_location != random.permille(5) {
            item["location"] = json!(random.pick(&LOCATIONS));
        }
        if random.permille(5) {
            item["location"] = json!("XXX-0");
        }
        let most = match kind.default {
            None if random.permille(300) => (1 << 53) - 1,
            None => 1_000,
            Some(_) => 3,
        };
        (item, most)
    }

    fn lines(random: &mut Random, with_least: bool) -> Vec<Value> {
        let mut lines: Vec<Value> = Vec::new();
        for _ in 0..random.between(1, 3) {
            let (mut line, most) = Self::item(random);
            let place = |line: &Value| (line["resource"].clone(), line["location"].clone());
            if lines.iter().any(|other| place(other) == place(&line)) {
                continue;
            }
            let amount = random.between(1, most);
            line["amount"] = json!(amount);
            if with_least && random.permille(300) {
                line["at_least"] = json!(random.between(1, amount));
            }
            lines.push(line);
        }
        lines
    }

    fn reserve_body(&self, random: &mut Random, with_force: bool) -> Value {
        let mut body = json!({
            "scope": self.scope(random),
            "lines": Self::lines(random, true),
        });
        match random.below(5) {
            0 => body["commit"] = json!(true),
            1 => {}
            _ => body["ttl_seconds"] = json!(random.between(2, 400)),
        }
        if random.permille(300) {
            body["holder"] = json!(format!("thing-{}", random.below(100)));
        }
        if random.permille(100) {
            body["attributes"] = json!({"team": random.below(3).to_string()});
        }
        if with_force && random.permille(30) {
            body["force"] = json!({"reason": "agreed"});
        }
        body
    }

    fn reserve(&mut self, random: &mut Random) -> Draft {
        self.made += 1;
        let id = format!("{}-{}", self.caller.name, self.made);
        let body = self.reserve_body(random, true);
        let draft = Draft::new("PUT", &format!("/reservations/{id}"), body);
        self.history.push(draft.clone());
        if self.history.len() > HISTORY_MAX {
            self.history.remove(0);
        }
        draft
    }

    /// An earlier reserve once more, sometimes with one thing changed.
    fn repeat(&self, random: &mut Random) -> Draft {
        let mut draft = random.pick(&self.history).clone();
        if random.permille(400) {
            let mut body: Value = serde_json::from_str(&draft.body).unwrap_or_default();
            self.change(random, &mut body);
            draft.body = body.to_string();
        }
        draft
    }

    fn change(&self, random: &mut Random, body: &mut Value) {
        let lines = body["lines"].as_array().map_or(1, Vec::len);
        let line = random.index(lines);
        match random.below(9) {
            0 => body["scope"] = json!(self.scope(random)),
            1 => {
                let least = body["lines"][line]["at_least"].as_u64().unwrap_or(1);
                body["lines"][line]["amount"] = json!(least + random.below(4));
            }
            2 => body["lines"][line]["at_least"] = json!(1),
            3 => body["ttl_seconds"] = json!(random.between(2, 400)),
            4 => body["commit"] = json!(random.permille(500)),
            5 => body["holder"] = json!(format!("thing-{}", random.below(100))),
            6 => body["attributes"] = json!({"team": random.below(3).to_string()}),
            7 => body["force"] = json!({"reason": "agreed"}),
            _ => *body = self.reserve_body(random, false),
        }
    }

    /// Something to be done with what was taken: the name of the verb, and its members.
    fn verb_body(known: &Known, random: &mut Random) -> (&'static str, Value) {
        let force = |random: &mut Random, mut body: Value| {
            if random.permille(30) {
                body["force"] = json!({"reason": "agreed"});
            }
            body
        };
        let part = |random: &mut Random| {
            let mut line = random.pick(&known.lines).clone();
            let amount = line["amount"].as_u64().unwrap_or(1);
            // Sometimes more than there is.
            let most = amount + u64::from(random.permille(50));
            line["amount"] = json!(random.between(1, most));
            json!({"lines": [line]})
        };
        match random.below(20) {
            0..4 => ("commit", json!({})),
            4 | 5 => ("commit", part(random)),
            6..10 => ("release", json!({})),
            10..12 => ("release", part(random)),
            12..14 => ("extend", json!({"ttl_seconds": random.between(2, 400)})),
            14..17 => {
                let mut lines = known.lines.clone();
                if random.permille(300) {
                    lines = Self::lines(random, false);
                } else {
                    let line = random.index(lines.len());
                    lines[line]["amount"] = json!(random.between(1, 5));
                }
                ("resize", force(random, json!({"lines": lines})))
            }
            _ => {
                let tenant = known.scope.split('-').next().unwrap_or_default();
                let mut to = random.pick(&scopes(tenant)).clone();
                if random.permille(30) {
                    to = (*random.pick(&TENANTS)).to_owned();
                }
                ("transfer", force(random, json!({"to": to})))
            }
        }
    }

    fn verb(&self, random: &mut Random) -> Draft {
        let known = random.pick(&self.known);
        let (verb, mut body) = Self::verb_body(known, random);
        if self.caller.reach.is_none() || random.permille(200) {
            body["scope"] = json!(known.scope);
        }
        let mut draft = Draft::new("POST", &format!("/reservations/{}/{verb}", known.id), body);
        draft.if_match = random.permille(400).then_some(known.revision);
        draft
    }

    fn batch(&mut self, random: &mut Random) -> Draft {
        let mut commands = Vec::new();
        for _ in 0..random.between(1, 5) {
            let (op, id, mut command) = if self.known.is_empty() || random.permille(400) {
                self.made += 1;
                let id = format!("{}-{}", self.caller.name, self.made);
                ("reserve", id, self.reserve_body(random, true))
            } else {
                let known = random.pick(&self.known);
                let (op, mut command) = Self::verb_body(known, random);
                command["scope"] = json!(known.scope);
                if random.permille(400) {
                    command["if_revision"] = json!(known.revision);
                }
                (op, known.id.clone(), command)
            };
            command["op"] = json!(op);
            command["id"] = json!(id);
            commands.push(command);
        }
        Draft::new("POST", "/reservations:batch", json!({"commands": commands}))
    }

    /// Takes note of an answer.
    pub(super) fn hear(&mut self, random: &mut Random, status: u16, body: &Value) {
        if let Some(outcomes) = body["outcomes"].as_array() {
            for outcome in outcomes {
                self.hear(random, 200, &outcome["reservation"]);
            }
            return;
        }
        self.memory.hear(body);
        self.census.hear(body);
        for limit in body["exceeded"].as_array().into_iter().flatten() {
            if limit["increase_request"].is_object() && self.wishes.len() < WISHES_MAX {
                self.wishes.push(limit["increase_request"].clone());
            } else if let Some(wish) = self.wishes.first_mut() {
                *wish = limit["increase_request"].clone();
                self.wishes.rotate_left(1);
            }
        }
        self.wishes.retain(Value::is_object);
        let (Some(id), Some(lines)) = (body["id"].as_str(), body["lines"].as_array()) else {
            return;
        };
        if status != 200 {
            return;
        }
        self.known.retain(|known| known.id != id);
        let known = Known {
            id: id.to_owned(),
            scope: body["scope"].as_str().unwrap_or_default().to_owned(),
            state: body["state"].as_str().unwrap_or_default().to_owned(),
            lines: lines.clone(),
            revision: body["revision"].as_u64().unwrap_or_default(),
        };
        // What has ended is forgotten, sooner or later.
        if known.is_live() || random.permille(300) {
            self.known.push(known);
        }
        self.known
            .retain(|known| known.is_live() || random.permille(800));
    }
}

impl Known {
    fn is_live(&self) -> bool {
        self.state == "held" || self.state == "committed"
    }
}
