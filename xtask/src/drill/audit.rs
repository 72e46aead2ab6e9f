//! What must be true of the ledger in the end, whatever has failed meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::drill::client::{Client, row_of};
use crate::drill::history::{
    Answer, Ask, End, Operation, Row, TENANT_LIMIT, WEB, WEB_LIMIT, scope_of,
};
use crate::drill::load;
use crate::step::Failure;

/// One event about a reservation.
pub(super) struct Fact {
    tenant: String,
    id: String,
    cause: String,
    row: Row,
}

/// What the nodes' log tells of all tenants, as far as it is about reservations.
///
/// Errors: a revision is missing, or an account was over its limit after any event.
pub(super) fn facts(node: SocketAddr, token: &str) -> Result<Vec<Fact>, Failure> {
    let mut client = Client::new(token);
    let mut facts = Vec::new();
    for tenant in load::tenants() {
        let mut after = 0;
        let mut page = true;
        while page {
            let path = format!("/scopes/{tenant}/events?after={after}&page_size=1000");
            let answer = client.call(node, "GET", &path, &Value::Null)?;
            for event in answer["events"].as_array().into_iter().flatten() {
                after += 1;
                if event["revision"].as_u64() != Some(after) {
                    let text = format!("`{tenant}` has no event {after}, but {event}");
                    return Err(Failure::new(text));
                }
                facts.extend(fact_of(tenant, event)?);
            }
            page = !answer["next_after"].is_null();
        }
    }
    Ok(facts)
}

/// The reservation that an event changes; makes sure that no account is over its limit behind it.
fn fact_of(tenant: &str, event: &Value) -> Result<Option<Fact>, Failure> {
    let odd = || Failure::new(format!("an event of `{tenant}` is {event}"));
    let mut fact = None;
    for change in event["changes"].as_array().ok_or_else(odd)? {
        let row = &change["row"];
        match change["kind"].as_str() {
            Some("account") => {
                let scope = row["scope"].as_str().ok_or_else(odd)?;
                let figure = |name: &str| row[name].as_u64().ok_or_else(odd);
                let taken = figure("used")? + figure("held")?;
                let limit = if scope == scope_of(tenant, WEB) {
                    WEB_LIMIT
                } else {
                    TENANT_LIMIT
                };
                if limit < taken {
                    let text = format!("`{scope}` took {taken} of {limit}: {event}");
                    return Err(Failure::new(text));
                }
            }
            Some("reservation") => {
                fact = Some(Fact {
                    tenant: tenant.to_owned(),
                    id: row["id"].as_str().ok_or_else(odd)?.to_owned(),
                    cause: event["cause"].as_str().ok_or_else(odd)?.to_owned(),
                    row: row_of(row).ok_or_else(odd)?,
                });
            }
            _ => {}
        }
    }
    Ok(fact)
}

/// Makes sure that every acknowledged change is in the log as it was told, and that nothing is
/// there that nobody asked for; answers how many changes were acknowledged.
///
/// What was not answered gets its answer from the log, where it was done; where it was not, it is
/// left out. So a history has nothing left to guess.
pub(super) fn settle(history: &mut Vec<Operation>, facts: &[Fact]) -> Result<usize, Failure> {
    let mut logged: BTreeMap<(&str, &str, u64), &Fact> = BTreeMap::new();
    for fact in facts {
        logged.insert((&fact.tenant, &fact.id, fact.row.revision), fact);
    }
    let mut claimed = BTreeSet::new();
    let mut count = 0;
    for operation in history.iter() {
        let Some((id, row)) = operation.acknowledged() else {
            continue;
        };
        let key = (operation.tenant.as_str(), id, row.revision);
        if logged.get(&key).is_none_or(|fact| fact.row != *row) {
            let told = operation.told();
            return Err(Failure::new(format!(
                "an acknowledged change is lost: {told}"
            )));
        }
        claimed.insert((key.0.to_owned(), key.2));
        count += 1;
    }
    let answers = answers(history, facts, &mut claimed);
    if let Some(fact) = facts
        .iter()
        .find(|fact| !claimed.contains(&(fact.tenant.clone(), fact.row.revision)))
    {
        let text = format!("nobody asked for `{}`: {:?}", fact.id, fact.row);
        return Err(Failure::new(text));
    }
    let mut answers = answers.into_iter();
    history.retain_mut(|operation| {
        if operation.end.is_none() {
            operation.end = answers.next().flatten();
        }
        operation.end.is_some()
    });
    Ok(count)
}

/// What came of each operation without an answer, in order.
fn answers(
    history: &[Operation],
    facts: &[Fact],
    claimed: &mut BTreeSet<(String, u64)>,
) -> Vec<Option<End>> {
    let mut of_id: BTreeMap<&str, Vec<&Fact>> = BTreeMap::new();
    for fact in facts {
        of_id.entry(&fact.id).or_default().push(fact);
    }
    let unanswered = history.iter().filter(|it| it.end.is_none());
    let of = |operation: &Operation| {
        let id = operation.ask.id()?;
        let mut done = of_id.get(id).into_iter().flatten();
        let fact = done.find(|fact| {
            let place = (fact.tenant.clone(), fact.row.revision);
            is_made_by(fact, &operation.ask) && !claimed.contains(&place)
        });
        if let Some(fact) = fact {
            claimed.insert((fact.tenant.clone(), fact.row.revision));
            let answer = Answer::Row(fact.row.clone());
            // Nobody knows when it was over.
            return Some(End {
                at: u64::MAX - 1,
                answer,
            });
        }
        // Either it was done and its repeat was told so, or its repeat did it: then whatever came
        // of it later changed nothing.
        let mut repeats = history.iter().filter(|other| {
            other.ask == operation.ask
                && operation.called < other.called
                && other.acknowledged().is_some()
        });
        repeats.next().and_then(|repeat| repeat.end.clone())
    };
    unanswered.map(of).collect()
}

/// Whether an event may be what came of this.
fn is_made_by(fact: &Fact, ask: &Ask) -> bool {
    match ask {
        Ask::Reserve { .. } => fact.cause == "reserved",
        Ask::Commit { .. } => fact.cause == "committed",
        Ask::Release { .. } => fact.cause == "released",
        Ask::Resize { amount, .. } => fact.cause == "resized" && fact.row.amount == *amount,
        Ask::Figures { .. } | Ask::Look { .. } => false,
    }
}

/// What [`verify_chains`] reads: `tenant|revision|chain|event`, then `tenant|revision|chain` of
/// where each log stands, bytes in hexadecimal.
pub(super) const EVENTS: &str = "SELECT tenant, revision, encode(chain, 'hex'), \
     encode(event, 'hex') FROM plimsoll.event ORDER BY tenant, revision";
pub(super) const LOGS: &str =
    "SELECT tenant, revision, encode(chain, 'hex') FROM plimsoll.log ORDER BY tenant";

/// Works out the chain of every log from its events' bytes; answers how many events there are.
pub(super) fn verify_chains(events: &str, logs: &str) -> Result<usize, Failure> {
    let mut ends: BTreeMap<&str, (u64, String)> = BTreeMap::new();
    let mut count = 0;
    for line in events.lines() {
        let broken = || Failure::new(format!("the chain is broken at {line:.80}"));
        let [tenant, revision, chain, event] = fields(line).ok_or_else(broken)?;
        let before = ends.get(tenant).cloned();
        let (last, hash) = before.unwrap_or_else(|| (0, "00".repeat(32)));
        let hash = Sha256::new()
            .chain_update(bytes(&hash).ok_or_else(broken)?)
            .chain_update(bytes(event).ok_or_else(broken)?)
            .finalize();
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        if revision.parse() != Ok(last + 1) || hash != chain {
            return Err(broken());
        }
        ends.insert(tenant, (last + 1, hash));
        count += 1;
    }
    for line in logs.lines() {
        let wrong = || Failure::new(format!("a log does not stand where its events end: {line}"));
        let [tenant, revision, chain] = fields(line).ok_or_else(wrong)?;
        let end = ends.remove(tenant).ok_or_else(wrong)?;
        if (revision.parse(), chain) != (Ok(end.0), end.1.as_str()) {
            return Err(wrong());
        }
    }
    match ends.keys().next() {
        None => Ok(count),
        Some(tenant) => Err(Failure::new(format!("`{tenant}` has events and no log"))),
    }
}

fn fields<const N: usize>(line: &str) -> Option<[&str; N]> {
    line.split('|').collect::<Vec<_>>().try_into().ok()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pair = |at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    (0..hex.len()).step_by(2).map(pair).collect()
}
