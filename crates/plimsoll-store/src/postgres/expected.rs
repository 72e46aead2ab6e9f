//! The rows that the events of one log make, to be compared with those that are there.

use std::collections::BTreeMap;

use plimsoll_core::event::Change;
use plimsoll_core::names::ScopeId;
use sha2::{Digest, Sha256};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::cursor::Cursor;
use super::names::damaged;
use super::rows::{Table, Value, key_of, row_of};
use super::session::{Fault, Session};
use crate::record::Hash;

/// Hashes of rows, by table and key. A row is named by what is in its key's columns.
#[derive(Debug, Default)]
pub(super) struct Expected {
    rows: BTreeMap<(Table, Vec<String>), Hash>,
    /// The parents of the scopes of the log: scopes are never moved.
    parents: BTreeMap<ScopeId, Option<ScopeId>>,
}

impl Expected {
    /// Takes note of what an event has made of a row.
    pub(super) fn note(&mut self, change: &Change) {
        if let Change::Scope(row) = change {
            self.parents.insert(row.id.clone(), row.parent.clone());
        }
        let (table, key, is_there) = key_of(change);
        let place = (table, key.iter().map(|it| (*it).to_owned()).collect());
        if is_there {
            let row = row_of(&key, change, &|scope| self.path(scope));
            self.rows.insert(place, hash(&row));
        } else {
            self.rows.remove(&place);
        }
    }

    /// A scope and those above it, apart by spaces.
    fn path(&self, scope: &ScopeId) -> String {
        let parent = |id: &&ScopeId| self.parents.get(*id)?.as_ref();
        let ids: Vec<&str> = std::iter::successors(Some(scope), parent)
            .map(ScopeId::as_str)
            .collect();
        ids.join(" ")
    }

    /// Compares the rows of a table that are of a tenant; answers how many there are.
    pub(super) async fn compare(
        &mut self,
        session: &Session,
        table: Table,
        cursor: &mut Cursor,
        tenant: &str,
    ) -> Result<u64, Fault> {
        let mut count = 0;
        while let Some(row) = cursor.next_of(session, tenant).await? {
            let values = values(&row)?;
            let key = key(table, &values);
            match self.rows.remove(&(table, key.clone())) {
                None => return Err(Self::foreign(table, &row)),
                Some(expected) if expected != hash(&values) => {
                    let what = format!("{} is not as its last event left it", told(table, &key));
                    return Err(damaged(what));
                }
                Some(_) => count += 1,
            }
        }
        Ok(count)
    }

    /// Makes sure that no row is missing.
    pub(super) fn expect_all_found(&self) -> Result<(), Fault> {
        match self.rows.first_key_value() {
            None => Ok(()),
            Some(((table, key), _)) => Err(damaged(format!("{} is missing", told(*table, key)))),
        }
    }

    /// What a row is told as that no event has made.
    pub(super) fn foreign(table: Table, row: &Row) -> Fault {
        match values(row) {
            Ok(values) => damaged(format!(
                "{} was made by no event",
                told(table, &key(table, &values))
            )),
            Err(fault) => fault,
        }
    }
}

/// A row's columns behind the first, which is the tenant.
fn values(row: &Row) -> Result<Vec<Value>, Fault> {
    let columns = row.columns().iter().enumerate().skip(1);
    let value = |(index, column): (usize, &tokio_postgres::Column)| match *column.type_() {
        Type::TEXT => Ok(Value::Text(row.get(index))),
        Type::INT8 => Ok(Value::Integer(row.get(index))),
        Type::BYTEA => Ok(Value::Bytes(row.get(index))),
        _ => Err(damaged(format!(
            "column `{}` is of another type",
            column.name()
        ))),
    };
    columns.map(value).collect()
}

fn key(table: Table, values: &[Value]) -> Vec<String> {
    let (_, _, keys) = table.layout();
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone().unwrap_or_default(),
        Value::Integer(_) | Value::Bytes(_) => String::new(),
    };
    values.iter().take(keys).map(text).collect()
}

fn told(table: Table, key: &[String]) -> String {
    let (name, _, _) = table.layout();
    let key: Vec<String> = key.iter().map(|it| format!("`{it}`")).collect();
    format!("the row {} of table `{name}`", key.join(", "))
}

fn hash(values: &[Value]) -> Hash {
    let mut digest = Sha256::new();
    let mut add = |kind: u8, bytes: Option<&[u8]>| {
        let bytes_len = bytes.map_or(u64::MAX, |it| it.len() as u64);
        digest.update([kind]);
        digest.update(bytes_len.to_le_bytes());
        digest.update(bytes.unwrap_or_default());
    };
    for value in values {
        match value {
            Value::Text(text) => add(0, text.as_deref().map(str::as_bytes)),
            Value::Integer(number) => {
                add(1, number.map(i64::to_le_bytes).as_ref().map(|it| &it[..]));
            }
            Value::Bytes(bytes) => add(2, Some(bytes)),
        }
    }
    digest.finalize().into()
}
