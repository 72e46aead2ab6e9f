//! The judge: knows the written design and what went over the wire, and nothing of the code.
//!
//! It keeps its own picture of what is there, decides every request by its own rules, and compares
//! each answer with its own, member by member. Where an answer says that the outcome is unknown,
//! or the machine failed before one was given, it keeps both pictures until the next look at
//! everything tells which of them is true: one record makes a group durable whole, or not at all.

mod admission;
mod ask;
mod change;
mod kinds;
mod limits;
mod model;
mod quotas;
mod reconcile;
mod settings;
mod verbs;
mod wishes;

use std::collections::BTreeMap;

use plimsoll_dialects::http::Reply;
use serde_json::{Value, json};

use self::ask::Question;
use self::model::{Item, Model};
use self::verbs::Answer;
use crate::step::{Ask, Caller};

/// What was found to be wrong: what was expected, and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding(pub String);

/// The clocks of the machine as somebody outside reads them, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outside {
    pub(crate) wall_ms: u64,
    pub(crate) passed_ms: u64,
}

/// What it knows.
#[derive(Default)]
pub(crate) struct Auditor {
    model: Model,
    /// The picture without the last group, while nobody knows whether that is durable.
    without: Option<Model>,
    /// Both clocks when the server was started, and the last time that it decided at.
    started: Outside,
    last_ms: u64,
    /// Refusals that the server has not added up yet.
    refused: BTreeMap<(String, Item), u64>,
}

/// A picture from before a group.
pub(crate) struct Before(Model);

/// Everything that can be read, as it was read.
pub(crate) struct Seen {
    /// When, by the server's clock.
    now_ms: u64,
    quotas: Vec<(String, Reply)>,
    wishes: Vec<(String, Reply)>,
    catalogue: Vec<Reply>,
    reservations: BTreeMap<String, BTreeMap<String, Value>>,
}

/// What the time of decisions may differ by from the time that has passed, beside 1 % of it.
const CLOCK_SLACK_MS: u64 = 200;

/// Reservations on one page of a list.
const PAGE_ITEMS: usize = 1_000;

impl Auditor {
    /// A server was started.
    pub(crate) fn started(&mut self, clocks: Outside) {
        self.started = clocks;
        self.last_ms = 0;
        self.refused.clear();
    }

    /// The server decides at this time. A jump of the machine's clock must not move it: holds
    /// would lapse too early, or too late.
    pub(crate) fn decides_at(&mut self, now_ms: u64, clocks: Outside) -> Result<(), Finding> {
        let elapsed_ms = clocks.passed_ms - self.started.passed_ms;
        let slack_ms = elapsed_ms / 100 + CLOCK_SLACK_MS;
        let steady_ms = self.started.wall_ms + elapsed_ms;
        if now_ms.abs_diff(steady_ms) > slack_ms {
            let early = self.model.holds_between(steady_ms + slack_ms, now_ms);
            let turns = self.model.windows_between(steady_ms + slack_ms, now_ms);
            return Err(Finding(format!(
                "{elapsed_ms} ms after a start at {}, decisions are made at {}: {}",
                instant(self.started.wall_ms),
                instant(now_ms),
                if now_ms < steady_ms {
                    "holds last too long".to_owned()
                } else {
                    format!("{early} holds lapse and {turns} windows turn too early")
                },
            )));
        }
        if now_ms < self.last_ms {
            return Err(Finding("the time of decisions runs backwards".to_owned()));
        }
        self.last_ms = now_ms;
        Ok(())
    }

    /// The picture as it is now.
    pub(crate) fn before(&self) -> Before {
        Before(self.model.clone())
    }

    /// What must be answered to requests that are decided as one group: those that change nothing
    /// first, from what is durable.
    pub(crate) fn expect(&mut self, asks: &[Ask], now_ms: u64) -> Vec<Expected> {
        let questions: Vec<Question> = asks.iter().map(ask::read).collect();
        let mut answers: Vec<Option<Answer>> = vec![None; asks.len()];
        let mut mends = BTreeMap::new();
        for (index, (question, ask)) in questions.iter().zip(asks).enumerate() {
            if question.is_read() {
                answers[index] = Some(self.model.answer(&ask.caller, question, now_ms));
            } else if let Question::Reconcile(inventory) = question {
                // It is compared with what is durable, and mended in its turn.
                let reach = ask.caller.reach.as_deref();
                mends.insert(index, self.model.compare(reach, inventory));
            }
        }
        for (index, (question, ask)) in questions.iter().zip(asks).enumerate() {
            if question.is_read() {
                continue;
            }
            answers[index] = Some(match (question, mends.remove(&index)) {
                (Question::Reconcile(_), Some(Err(denied))) => denied,
                (Question::Reconcile(inventory), Some(Ok(found))) => {
                    self.model.mend(inventory, &found, now_ms)
                }
                _ => self.model.answer(&ask.caller, question, now_ms),
            });
        }
        // The revision that an inventory is told is that of the log when all is decided.
        for (question, answer) in questions.iter().zip(&mut answers) {
            if let (Question::Reconcile(inventory), Some(answer)) = (question, answer)
                && inventory.repair
                && answer.status == 200
            {
                let tenant = self.model.tenant_of(&inventory.scope);
                answer.body["revision"] = json!(self.model.tenants[tenant].revision);
            }
        }
        answers.into_iter().flatten().map(Expected).collect()
    }

    /// What a sweep changes.
    pub(crate) fn expect_sweep(&mut self, now_ms: u64, retention_ms: u64) {
        self.model.sweep(now_ms, retention_ms);
    }

    /// The server adds up what it has refused: what that changes.
    pub(crate) fn expect_count(&mut self, now_ms: u64) {
        let refused: Vec<_> = self.refused.clone().into_iter().collect();
        self.model.count_refusals(&refused, now_ms);
    }

    /// What was refused is added up.
    pub(crate) fn counted(&mut self) {
        self.refused.clear();
    }

    /// These answers have been given: the server takes note of what it refused.
    pub(crate) fn answered(&mut self, answers: &[Expected]) {
        for Expected(answer) in answers {
            let outcomes = answer.body["outcomes"].as_array();
            let problems = outcomes.into_iter().flatten().map(|it| &it["problem"]);
            for problem in problems.chain([&answer.body]) {
                if problem["code"] != "quota_exceeded" {
                    continue;
                }
                for limit in problem["exceeded"].as_array().into_iter().flatten() {
                    let text = |name: &str| limit[name].as_str().map(str::to_owned);
                    let item = Item {
                        resource: text("resource").unwrap_or_default(),
                        location: text("location"),
                    };
                    let place = (text("scope").unwrap_or_default(), item);
                    *self.refused.entry(place).or_default() += 1;
                }
            }
        }
    }

    /// Nobody knows whether the last group is durable.
    pub(crate) fn doubt(&mut self, before: Before) {
        self.without = Some(before.0);
    }

    /// Whether a group is in doubt.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.without.is_some()
    }

    /// Reads everything.
    pub(crate) fn look(
        &self,
        now_ms: u64,
        mut read: impl FnMut(&Ask) -> Reply,
    ) -> Result<Seen, Finding> {
        let mut get = |target: String| {
            let ask = Ask {
                ticket: 0,
                caller: Caller {
                    name: "auditor".to_owned(),
                    reach: None,
                },
                method: "GET".to_owned(),
                target,
                if_match: None,
                body: String::new(),
            };
            read(&ask)
        };
        let mut seen = Seen {
            now_ms,
            quotas: Vec::new(),
            wishes: Vec::new(),
            catalogue: Vec::new(),
            reservations: BTreeMap::new(),
        };
        for list in ["resources", "tiers"] {
            seen.catalogue.push(get(format!("/plimsoll/v1/{list}")));
        }
        for scope in self.model.paths.keys() {
            let quotas = get(format!("/plimsoll/v1/scopes/{scope}/quotas?page_size=1000"));
            seen.quotas.push((scope.clone(), quotas));
        }
        for tenant in self.model.tenants.keys() {
            let wishes = get(format!(
                "/plimsoll/v1/scopes/{tenant}/requests?page_size=1000"
            ));
            seen.wishes.push((tenant.clone(), wishes));
            let rows = seen.reservations.entry(tenant.clone()).or_default();
            let list = format!("/plimsoll/v1/scopes/{tenant}/reservations?page_size={PAGE_ITEMS}");
            let mut target = list.clone();
            loop {
                let mut page = body(&get(target))?;
                let Value::Array(page_rows) = page["reservations"].take() else {
                    break;
                };
                for row in page_rows {
                    let id = row["id"].as_str().unwrap_or_default().to_owned();
                    rows.insert(id, row);
                }
                match page["next_page_token"].as_str() {
                    Some(token) => target = format!("{list}&page_token={token}"),
                    None => break,
                }
            }
        }
        Ok(seen)
    }

    /// Compares everything that was read with the picture; where a group is in doubt, finds out
    /// which picture is true.
    pub(crate) fn compare(&mut self, seen: &Seen) -> Result<(), Finding> {
        let Some(Finding(with)) = seen.differs_from(&self.model) else {
            self.without = None;
            return Ok(());
        };
        let Some(without) = self.without.take() else {
            return Err(Finding(with));
        };
        match seen.differs_from(&without) {
            None => {
                self.model = without;
                Ok(())
            }
            Some(Finding(without)) => Err(Finding(format!(
                "what was in doubt has neither happened nor not happened: with it, {with}; \
                 without it, {without}"
            ))),
        }
    }
}

impl Seen {
    fn differs_from(&self, model: &Model) -> Option<Finding> {
        for (expected, reply) in model.catalogue().into_iter().zip(&self.catalogue) {
            if let Err(Finding(what)) = Expected(verbs::ok(expected)).judge(reply) {
                return Some(Finding(format!("the catalogue: {what}")));
            }
        }
        for (scope, reply) in &self.quotas {
            let expected = if model.paths.contains_key(scope) {
                Answer {
                    status: 200,
                    body: model.quotas(scope, self.now_ms),
                }
            } else {
                verbs::problem(404, "unknown_scope")
            };
            if let Err(Finding(what)) = Expected(expected).judge(reply) {
                return Some(Finding(format!("the quotas of `{scope}`: {what}")));
            }
        }
        for (tenant, reply) in &self.wishes {
            let expected = if model.tenants.contains_key(tenant) {
                let wishes = model.wishes_json(tenant, None);
                verbs::ok(json!({"scope": tenant, "requests": wishes}))
            } else {
                verbs::problem(404, "unknown_scope")
            };
            if let Err(Finding(what)) = Expected(expected).judge(reply) {
                return Some(Finding(format!("the requests of `{tenant}`: {what}")));
            }
        }
        for (tenant, rows) in &self.reservations {
            let known = model.tenants.get(tenant);
            let ids = known.into_iter().flat_map(|known| known.taken.keys());
            let mut count = 0;
            for id in ids {
                count += 1;
                let expected = model.reservation(tenant, id);
                let row = rows.get(id).unwrap_or(&Value::Null);
                if let Some(what) = difference(&expected, row, id) {
                    return Some(Finding(format!("a reservation of `{tenant}`: {what}")));
                }
            }
            if count < rows.len() {
                let what = format!("`{tenant}` has reservations that nobody asked for");
                return Some(Finding(what));
            }
        }
        None
    }

    /// Whether another look saw the same, byte by byte.
    pub(crate) fn is_same(&self, other: &Seen) -> bool {
        self.quotas == other.quotas
            && self.wishes == other.wishes
            && self.catalogue == other.catalogue
            && self.reservations == other.reservations
    }
}

/// What must be answered.
pub(crate) struct Expected(Answer);

impl Expected {
    /// The status that must be answered.
    pub(crate) fn status(&self) -> u16 {
        self.0.status
    }

    /// Compares an answer with it.
    pub(crate) fn judge(&self, reply: &Reply) -> Result<(), Finding> {
        let came = body(reply)?;
        let Answer { status, body } = &self.0;
        let what = if reply.status == *status {
            difference(body, &came, "")
        } else {
            Some("the status is another".to_owned())
        };
        match what {
            None => Ok(()),
            Some(what) => Err(Finding(format!(
                "{what}\n  expected: {status} {body}\n  came:     {} {came}",
                reply.status
            ))),
        }
    }
}

fn body(reply: &Reply) -> Result<Value, Finding> {
    serde_json::from_slice(&reply.body).map_err(|_| Finding("a body is not JSON".to_owned()))
}

/// The first member that is not what was expected. Members that nothing is expected of may be
/// whatever they are, and the limits that were exceeded may stand in any order.
fn difference(expected: &Value, came: &Value, place: &str) -> Option<String> {
    let (path, what) = differs(expected, came)?;
    Some(format!("`{place}{path}` {what}"))
}

/// The way to the member, and what is wrong with it.
fn differs(expected: &Value, came: &Value) -> Option<(String, String)> {
    let below = |name: &str, found: Option<(String, String)>| {
        found.map(|(path, what)| (format!("/{name}{path}"), what))
    };
    match (expected, came) {
        (Value::Object(members), Value::Object(_)) => members.iter().find_map(|(name, member)| {
            let found = match name.as_str() {
                "exceeded" | "warnings" => differs(&in_order(member), &in_order(&came[name])),
                _ => differs(member, &came[name]),
            };
            below(name, found)
        }),
        (Value::Array(expected), Value::Array(came)) if expected.len() == came.len() => {
            let pairs = expected.iter().zip(came).enumerate();
            let mut found = pairs.filter_map(|(index, (expected, came))| {
                let found = differs(expected, came)?;
                below(&index.to_string(), Some(found))
            });
            found.next()
        }
        _ if expected == came => None,
        _ => {
            let what = format!("should be {expected}, and is {came}");
            Some((String::new(), what))
        }
    }
}

fn in_order(exceeded: &Value) -> Value {
    let mut list = exceeded.as_array().cloned().unwrap_or_default();
    list.sort_by_key(|limit| {
        let text = |name: &str| limit[name].as_str().unwrap_or_default().to_owned();
        (text("scope"), text("resource"), text("location"))
    });
    Value::Array(list)
}

/// An instant as RFC 3339 has it, to the millisecond.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
pub(crate) fn instant(ms: u64) -> String {
    let (days, ms) = (ms / 86_400_000, ms % 86_400_000);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (s, ms) = (ms / 1_000, ms % 1_000);
    let (hour, minute, second) = (s / 3_600, s / 60 % 60, s % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// The instant that an RFC 3339 text in UTC names, as this writes it.
///
/// Source: the same, `days_from_civil`.
fn ms_of(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let shifted = year - u64::from(month <= 2);
    let (era, year_of_era) = (shifted / 400, shifted % 400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let ms = number(20, 23)?;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_those_of_the_calendar() {
        for (ms, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_767_225_599_999, "2025-12-31T23:59:59.999Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(instant(ms), expected);
            assert_eq!(ms_of(expected), Some(ms));
        }
    }
}
