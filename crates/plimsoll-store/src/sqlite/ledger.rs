//! `ledger.db`: every row in an ordinary table, for people, tools and a quick start.

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::command::ReservationKey;
use plimsoll_core::event::{Change, Log};
use plimsoll_core::model::{
    Attributes, Credential, Item, Line, Original, Principal, Reach, Request, Reservation, State,
    Terms, Webhook,
};
use plimsoll_core::names::LocationId;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

mod settings;

pub(super) use super::schema::{SCHEMA, SCHEMA_VERSION};
pub(super) use crate::record::log_name;
use crate::record::row_checksum;
use crate::replay::Place;
use crate::tables::LogHead;

/// How far the tables are, and what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Watermark {
    pub(super) place: Place,
    pub(super) tally: Tally,
}

/// All rows in two numbers, which a row that is missing, doubled or changed does not match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    row_count: i64,
    crc_sum: i64,
}

impl Tally {
    /// Counts a row.
    pub(super) fn add(&mut self, crc: u32) {
        self.row_count = self.row_count.wrapping_add(1);
        self.crc_sum = self.crc_sum.wrapping_add(i64::from(crc));
    }

    fn remove(&mut self, crc: u32) {
        self.row_count = self.row_count.wrapping_sub(1);
        self.crc_sum = self.crc_sum.wrapping_sub(i64::from(crc));
    }
}

/// Reads how far the tables are.
pub(super) fn watermark(connection: &Connection) -> rusqlite::Result<Watermark> {
    connection
        .prepare_cached("SELECT sequence, hash, row_count, crc_sum FROM watermark")?
        .query_row([], |row| {
            Ok(Watermark {
                place: Place {
                    sequence: row.get(0)?,
                    hash: row.get(1)?,
                },
                tally: Tally {
                    row_count: row.get(2)?,
                    crc_sum: row.get(3)?,
                },
            })
        })
}

/// Writes how far the tables are.
pub(super) fn put_watermark(
    transaction: &Transaction<'_>,
    watermark: Watermark,
) -> rusqlite::Result<()> {
    let Watermark { place, tally } = watermark;
    transaction
        .prepare_cached(
            "UPDATE watermark SET sequence = ?1, hash = ?2, row_count = ?3, crc_sum = ?4",
        )?
        .execute(params![
            place.sequence,
            place.hash,
            tally.row_count,
            tally.crc_sum
        ])
        .map(|_| ())
}

/// Writes one row in the place of what was there, and answers the checksum of that.
pub(super) fn put(
    transaction: &Transaction<'_>,
    tally: &mut Tally,
    change: &Change,
) -> rusqlite::Result<Option<u32>> {
    let crc = match change {
        Change::Limits { limits, .. } if limits.is_empty() => None,
        Change::ReservationGone(_)
        | Change::PrincipalGone(_)
        | Change::RequestGone { .. }
        | Change::WebhookGone(_) => None,
        Change::Resource(_)
        | Change::Location(_)
        | Change::Tier(_)
        | Change::Scope(_)
        | Change::Limits { .. }
        | Change::Tally { .. }
        | Change::Request(_)
        | Change::Webhook(_)
        | Change::Account { .. }
        | Change::Reservation(_)
        | Change::Principal(_) => Some(row_checksum(change)),
    };
    // Most reservations are new, and then there is nothing to look for.
    if let (Change::Reservation(row), Some(crc)) = (change, crc)
        && insert_reservation(transaction, row, crc)?
    {
        tally.add(crc);
        return Ok(None);
    }
    let replaced = delete(transaction, change)?;
    if let Some(crc) = replaced {
        tally.remove(crc);
    }
    if let Some(crc) = crc {
        insert(transaction, change, crc)?;
        tally.add(crc);
    }
    Ok(replaced)
}

/// Takes away the row that a change is about, and answers its checksum.
fn delete(transaction: &Transaction<'_>, change: &Change) -> rusqlite::Result<Option<u32>> {
    let delete = |sql, key: &[&dyn rusqlite::ToSql]| {
        transaction
            .prepare_cached(sql)?
            .query_row(key, |row| row.get(0))
            .optional()
    };
    match change {
        Change::Resource(row) => delete(
            "DELETE FROM resource WHERE name = ?1 RETURNING crc",
            params![row.name.as_str()],
        ),
        Change::Location(row) => delete(
            "DELETE FROM location WHERE id = ?1 RETURNING crc",
            params![row.id.as_str()],
        ),
        Change::Scope(row) => delete(
            "DELETE FROM scope WHERE id = ?1 RETURNING crc",
            params![row.id.as_str()],
        ),
        Change::Tier(row) => delete(
            "DELETE FROM tier WHERE name = ?1 RETURNING crc",
            params![row.name.as_str()],
        ),
        Change::Request(Request { id, .. }) | Change::RequestGone { id, .. } => delete(
            "DELETE FROM request WHERE id = ?1 RETURNING crc",
            params![id.as_str()],
        ),
        Change::Webhook(Webhook { id, .. }) | Change::WebhookGone(id) => delete(
            "DELETE FROM webhook WHERE id = ?1 RETURNING crc",
            params![id.as_str()],
        ),
        Change::Tally { scope, item, .. } => delete(
            "DELETE FROM tally WHERE scope = ?1 AND resource = ?2 AND location = ?3
             RETURNING crc",
            params![scope.as_str(), item.resource.as_str(), location(item)],
        ),
        Change::Limits { scope, item, .. } => delete(
            "DELETE FROM quota_limit WHERE scope = ?1 AND resource = ?2 AND location = ?3
             RETURNING crc",
            params![scope.as_str(), item.resource.as_str(), location(item)],
        ),
        Change::Account { scope, item, .. } => delete(
            "DELETE FROM account WHERE scope = ?1 AND resource = ?2 AND location = ?3
             RETURNING crc",
            params![scope.as_str(), item.resource.as_str(), location(item)],
        ),
        Change::Reservation(Reservation { tenant, id, .. })
        | Change::ReservationGone(ReservationKey { tenant, id }) => delete(
            "DELETE FROM reservation WHERE tenant = ?1 AND id = ?2 RETURNING crc",
            params![tenant.as_str(), id.as_str()],
        ),
        Change::Principal(Principal { id, .. }) | Change::PrincipalGone(id) => delete(
            "DELETE FROM principal WHERE id = ?1 RETURNING crc",
            params![id.as_str()],
        ),
    }
}

fn insert(transaction: &Transaction<'_>, change: &Change, crc: u32) -> rusqlite::Result<()> {
    let execute = |sql, params: &[&dyn rusqlite::ToSql]| {
        transaction.prepare_cached(sql)?.execute(params).map(|_| ())
    };
    match change {
        Change::Location(row) => execute(
            "INSERT INTO location VALUES (?1, ?2, ?3, ?4)",
            params![
                row.id.as_str(),
                row.name.as_str(),
                attributes(&row.attributes),
                crc
            ],
        ),
        Change::Scope(row) => execute(
            "INSERT INTO scope VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                row.id.as_str(),
                row.parent.as_ref().map(|parent| parent.as_str()),
                row.tenant.as_str(),
                row.depth,
                row.kind.as_str(),
                row.tier.as_ref().map(|tier| tier.as_str()),
                crc,
            ],
        ),
        Change::Resource(_)
        | Change::Tier(_)
        | Change::Limits { .. }
        | Change::Tally { .. }
        | Change::Request(_)
        | Change::Webhook(_) => settings::insert(transaction, change, crc),
        Change::Account {
            scope,
            item,
            account,
        } => execute(
            "INSERT INTO account VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                scope.as_str(),
                item.resource.as_str(),
                location(item),
                amount(account.used),
                amount(account.held),
                crc,
            ],
        ),
        Change::Reservation(row) => insert_reservation(transaction, row, crc).map(|_| ()),
        Change::Principal(row) => insert_principal(transaction, row, crc),
        Change::ReservationGone(_)
        | Change::PrincipalGone(_)
        | Change::RequestGone { .. }
        | Change::WebhookGone(_) => Ok(()),
    }
}

/// Answers whether there was room for it: not where it stands already.
fn insert_reservation(
    transaction: &Transaction<'_>,
    row: &Reservation,
    crc: u32,
) -> rusqlite::Result<bool> {
    let (expires_at, ended_at) = match row.state {
        State::Held { expires_at } => (Some(expires_at), None),
        State::Committed => (None, None),
        State::Released { ended_at } | State::Expired { ended_at } => (None, Some(ended_at)),
    };
    let hold_ttl_ms = match row.terms {
        Terms::Hold { ttl_ms } => Some(ttl_ms),
        Terms::Commit => None,
    };
    let [first, others @ ..] = &*row.lines else {
        // Lines are one at least.
        return Err(rusqlite::Error::InvalidQuery);
    };
    let inserted = transaction
        .prepare_cached(
            "INSERT INTO reservation
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                     ?18)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            row.tenant.as_str(),
            row.id.as_str(),
            row.scope.as_str(),
            first.item.resource.as_str(),
            location(&first.item),
            amount(first.amount),
            (!others.is_empty()).then(|| lines_json(others)),
            row.state.name(),
            expires_at.map(instant),
            ended_at.map(instant),
            row.original.as_deref().map(original),
            hold_ttl_ms,
            row.forced.as_ref().map(|reason| reason.as_str()),
            row.holder.as_ref().map(|holder| holder.as_str()),
            attributes(&row.attributes),
            instant(row.created_at),
            row.revision,
            crc,
        ])?;
    Ok(0 < inserted)
}

fn lines_json(lines: &[Line]) -> String {
    serde_json::Value::Array(lines.iter().map(line_json).collect()).to_string()
}

fn line_json(line: &Line) -> serde_json::Value {
    serde_json::json!({
        "resource": line.item.resource.as_str(),
        "location": line.item.location.as_ref().map(LocationId::as_str),
        "amount": amount(line.amount),
    })
}

fn insert_principal(
    transaction: &Transaction<'_>,
    row: &Principal,
    crc: u32,
) -> rusqlite::Result<()> {
    let (kind, credential) = match &row.credential {
        Credential::AccessKey { sealed_secret } => ("access_key", sealed_secret.as_slice()),
        Credential::Token { hash } => ("token", hash.as_slice()),
    };
    let scope = match &row.reach {
        Reach::Everything => None,
        Reach::Below(scope) => Some(scope.as_str()),
    };
    transaction
        .prepare_cached(
            "INSERT INTO principal
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            row.id.as_str(),
            row.role.name(),
            scope,
            row.may_force,
            kind,
            credential,
            row.enabled,
            row.expires_at.map(instant),
            row.description.as_str(),
            instant(row.created_at),
            row.revision,
            crc,
        ])
        .map(|_| ())
}

/// Writes where a log stands.
pub(super) fn put_log(
    transaction: &Transaction<'_>,
    tally: &mut Tally,
    log: &Log,
    head: &LogHead,
) -> rusqlite::Result<()> {
    let tenant = log_name(log);
    let replaced: Option<u32> = transaction
        .prepare_cached("DELETE FROM log WHERE tenant = ?1 RETURNING crc")?
        .query_row([tenant], |row| row.get(0))
        .optional()?;
    if let Some(crc) = replaced {
        tally.remove(crc);
    }
    let crc = log_checksum(tenant, head);
    transaction
        .prepare_cached("INSERT INTO log VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            tenant,
            head.head.revision,
            instant(head.head.at),
            head.chain,
            crc,
        ])?;
    tally.add(crc);
    Ok(())
}

/// The checksum of a log's row.
pub(super) fn log_checksum(tenant: &str, head: &LogHead) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(tenant.as_bytes());
    hasher.update(&head.head.revision.to_le_bytes());
    hasher.update(&head.head.at.ms().to_le_bytes());
    hasher.update(&head.chain);
    hasher.finalize()
}

fn location(item: &Item) -> &str {
    item.location.as_ref().map_or("", LocationId::as_str)
}

fn ceiling(ceiling: Ceiling) -> Option<u64> {
    match ceiling {
        Ceiling::Finite(units) => Some(amount(units)),
        Ceiling::Unlimited => None,
    }
}

fn amount(amount: Amount) -> u64 {
    amount.units()
}

fn instant(at: Timestamp) -> u64 {
    at.ms()
}

fn original(original: &Original) -> String {
    let line = |(line, at_least): (&Line, Amount)| {
        let mut json = line_json(line);
        json["at_least"] = amount(at_least).into();
        json
    };
    let lines: Vec<_> = original.asked.iter().map(line).collect();
    serde_json::json!({ "scope": original.scope.as_str(), "lines": lines }).to_string()
}

fn attributes(attributes: &Attributes) -> String {
    if attributes.iter().len() == 0 {
        return "{}".to_owned();
    }
    let entries = attributes
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_str().into()));
    serde_json::Value::Object(entries.collect()).to_string()
}
