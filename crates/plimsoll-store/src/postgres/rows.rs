//! The rows of the database: their tables, keys and columns, from the rows of the core.

use plimsoll_core::event::Change;
use plimsoll_core::model::{Item, State};
use plimsoll_core::names::ScopeId;

use crate::record::change_bytes;

/// The tables that hold rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    Log,
    Event,
    Catalogue,
    Principal,
    Scope,
    Limits,
    Account,
    Tally,
    Request,
    Reservation,
}

impl Table {
    /// Its name, its columns, and how many of those, from the first on, are the key.
    pub(super) fn layout(self) -> (&'static str, &'static [&'static str], usize) {
        match self {
            Table::Log => ("log", &["tenant", "revision", "at_ms", "chain"], 1),
            Table::Event => (
                "event",
                &["tenant", "revision", "at_ms", "catalogue", "chain", "event"],
                2,
            ),
            Table::Catalogue => ("catalogue", &["kind", "id", "row"], 2),
            Table::Principal => ("principal", &["id", "row"], 1),
            Table::Scope => ("scope", &["id", "tenant", "parent", "above", "row"], 1),
            Table::Limits => ("limits", &["scope", "resource", "location", "row"], 3),
            Table::Account => (
                "account",
                &["scope", "resource", "location", "used", "held", "row"],
                3,
            ),
            Table::Tally => ("tally", &["scope", "resource", "location", "row"], 3),
            Table::Request => ("request", &["id", "tenant", "scope", "resource", "row"], 1),
            Table::Reservation => (
                "reservation",
                &[
                    "id",
                    "tenant",
                    "scope",
                    "state",
                    "expires_at_ms",
                    "ended_at_ms",
                    "row",
                ],
                2,
            ),
        }
    }
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Bytes(Vec<u8>),
}

pub(super) fn text(value: &str) -> Value {
    Value::Text(Some(value.to_owned()))
}

pub(super) fn integer(value: u64) -> Value {
    // Revisions, instants and amounts have at most 53 bits.
    Value::Integer(Some(i64::try_from(value).unwrap_or(i64::MAX)))
}

fn of_item<'a>(scope: &'a ScopeId, item: &'a Item) -> Vec<&'a str> {
    let location = item.location.as_ref().map_or("", |id| id.as_str());
    vec![scope.as_str(), item.resource.as_str(), location]
}

/// The table and the key of a row, and whether there is one from now on.
pub(super) fn key_of(change: &Change) -> (Table, Vec<&str>, bool) {
    let of_catalogue = |kind, id, is_there| (Table::Catalogue, vec![kind, id], is_there);
    match change {
        Change::Resource(row) => of_catalogue("resource", row.name.as_str(), true),
        Change::Location(row) => of_catalogue("location", row.id.as_str(), true),
        Change::Tier(row) => of_catalogue("tier", row.name.as_str(), true),
        Change::Webhook(row) => of_catalogue("webhook", row.id.as_str(), true),
        Change::WebhookGone(id) => of_catalogue("webhook", id.as_str(), false),
        Change::Principal(row) => (Table::Principal, vec![row.id.as_str()], true),
        Change::PrincipalGone(id) => (Table::Principal, vec![id.as_str()], false),
        Change::Scope(row) => (Table::Scope, vec![row.id.as_str()], true),
        Change::Limits {
            scope,
            item,
            limits,
        } => (Table::Limits, of_item(scope, item), !limits.is_empty()),
        Change::Account { scope, item, .. } => (Table::Account, of_item(scope, item), true),
        Change::Tally { scope, item, .. } => (Table::Tally, of_item(scope, item), true),
        Change::Request(row) => (Table::Request, vec![row.id.as_str()], true),
        Change::RequestGone { id, .. } => (Table::Request, vec![id.as_str()], false),
        Change::Reservation(row) => {
            let key = vec![row.id.as_str(), row.tenant.as_str()];
            (Table::Reservation, key, true)
        }
        Change::ReservationGone(key) => {
            let key = vec![key.id.as_str(), key.tenant.as_str()];
            (Table::Reservation, key, false)
        }
    }
}

/// A whole row. `above` names a scope and those above it, apart by spaces, which no id has.
pub(super) fn row_of(
    key: &[&str],
    change: &Change,
    above: &dyn Fn(&ScopeId) -> String,
) -> Vec<Value> {
    let mut row: Vec<Value> = key.iter().map(|it| text(it)).collect();
    row.extend(columns_of(change, above));
    row.push(Value::Bytes(change_bytes(change)));
    row
}

/// The columns between a row's key and its bytes.
fn columns_of(change: &Change, above: &dyn Fn(&ScopeId) -> String) -> Vec<Value> {
    match change {
        Change::Scope(row) => vec![
            text(row.tenant.as_str()),
            Value::Text(row.parent.as_ref().map(ToString::to_string)),
            Value::Text(Some(above(&row.id))),
        ],
        Change::Account { account, .. } => {
            vec![integer(account.used.units()), integer(account.held.units())]
        }
        Change::Request(row) => vec![
            text(row.tenant.as_str()),
            text(row.scope.as_str()),
            text(row.item.resource.as_str()),
        ],
        Change::Reservation(row) => {
            let ms = |at: u64| i64::try_from(at).ok();
            let expires_at = match row.state {
                State::Held { expires_at } => ms(expires_at.ms()),
                State::Committed | State::Released { .. } | State::Expired { .. } => None,
            };
            let ended_at = row.state.ended_at().and_then(|at| ms(at.ms()));
            vec![
                text(row.scope.as_str()),
                text(row.state.name()),
                Value::Integer(expires_at),
                Value::Integer(ended_at),
            ]
        }
        Change::Resource(_)
        | Change::Location(_)
        | Change::Tier(_)
        | Change::Webhook(_)
        | Change::WebhookGone(_)
        | Change::Principal(_)
        | Change::PrincipalGone(_)
        | Change::Limits { .. }
        | Change::Tally { .. }
        | Change::RequestGone { .. }
        | Change::ReservationGone(_) => Vec::new(),
    }
}
