//! `ledger.db`: every row in an ordinary table, for people, tools and a quick start.

use std::borrow::Cow;

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::event::Change;
use plimsoll_core::model::{Attributes, Credential, Item, Principal, Reach};
use plimsoll_core::names::LocationId;
use rusqlite::types::{FromSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Transaction, params, params_from_iter};

mod reservation;
mod settings;

use reservation::{Columns, Inserter, TOGETHER};

use super::history_schema::PastKey;
use super::rows::RowError;
pub(super) use super::schema::{SCHEMA, SCHEMA_VERSION};
use super::values::Appender;
pub(super) use crate::record::log_name;
use crate::record::{
    Damage, Hash, PlainAccount, PlainReservation, RowKey, RowKind, RowOutline, read_change,
};
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

/// Writes reservations in the place of what was there.
pub(super) fn put_reservations<'a, 'b: 'a>(
    transaction: &Transaction<'_>,
    tally: &mut Tally,
    rows: impl Iterator<Item = &'a RowOutline<'b>>,
) -> Result<(), RowError> {
    let mut inserter = Inserter::new(transaction)?;
    let mut set: Vec<Fresh<'_, '_>> = Vec::with_capacity(TOGETHER);
    for row in rows {
        let plain = row.plain_reservation().map_err(unreadable)?;
        let Some(plain) = plain.filter(PlainReservation::is_likely_new) else {
            put(transaction, tally, row)?;
            continue;
        };
        let crc = crc32fast::hash(row.bytes);
        inserter.set(set.len(), &Columns::of_plain(&plain)?, crc)?;
        set.push(Fresh { row, plain, crc });
        if set.len() == TOGETHER {
            let inserted = inserter.insert()?;
            count_inserted(transaction, tally, &set, inserted)?;
            set.clear();
        }
    }
    for it in set {
        put(transaction, tally, it.row)?;
    }
    Ok(())
}

/// A reservation that is likely to be new, among those that one statement writes.
struct Fresh<'a, 'b> {
    row: &'a RowOutline<'b>,
    plain: PlainReservation<'b>,
    crc: u32,
}

/// Counts rows of which so many were written; the others stood already, and are replaced.
fn count_inserted(
    transaction: &Transaction<'_>,
    tally: &mut Tally,
    set: &[Fresh<'_, '_>],
    inserted: usize,
) -> Result<(), RowError> {
    if inserted == set.len() {
        set.iter().for_each(|it| tally.add(it.crc));
        return Ok(());
    }
    for it in set {
        // Each change has a revision of its own: no row that stood already has this one, but where
        // the file was damaged. Then the count is wrong, and the next start says so.
        let revision: Option<u64> = stored(transaction, &it.row.key, REVISION)?;
        if revision == Some(it.plain.revision) {
            tally.add(it.crc);
        } else {
            put(transaction, tally, it.row)?;
        }
    }
    Ok(())
}

/// Writes one row that no quota depends on in the place of what was there.
pub(super) fn put(
    transaction: &Transaction<'_>,
    tally: &mut Tally,
    row: &RowOutline<'_>,
) -> Result<(), RowError> {
    let crc = crc32fast::hash(row.bytes);
    if let Some(replaced) = stored(transaction, &row.key, CRC)? {
        tally.remove(replaced);
    }
    if row.is_gone {
        return Ok(delete(transaction, &row.key)?);
    }
    if let Some(plain) = row.plain_reservation().map_err(unreadable)? {
        reservation::replace(transaction, &Columns::of_plain(&plain)?, crc)?;
    } else {
        let change = read_change(row.bytes).map_err(unreadable)?;
        insert(transaction, &change, &Kept { crc, past: &[] })?;
    }
    tally.add(crc);
    Ok(())
}

/// Writes one row that quotas depend on in the place of what was there, and adds it to its past.
/// One that is gone stays, as one that says so.
pub(super) fn put_with_past(
    transaction: &Transaction<'_>,
    tally: &mut Tally,
    row: &RowOutline<'_>,
    key: &PastKey,
    appender: &mut Appender<'_>,
) -> Result<(), RowError> {
    let crc = crc32fast::hash(row.bytes);
    let replaced = transaction
        .prepare_cached(select(row.key.kind))?
        .query_row(params_from_iter(names(&row.key)), |row| {
            Ok((row.get(0)?, row.get(1)?))
        });
    let (replaced, before) = replaced.optional()?.unzip();
    if let Some(crc) = replaced {
        tally.remove(crc);
    }
    let past = appender.append(key, row.bytes, before)?;
    let kept = Kept { crc, past };
    if let Some(account) = row.account().map_err(unreadable)? {
        put_account(transaction, &account, &kept)?;
    } else {
        let change = read_change(row.bytes).map_err(unreadable)?;
        insert(transaction, &change, &kept)?;
    }
    tally.add(crc);
    Ok(())
}

/// What a row has beside what it says.
struct Kept<'a> {
    crc: u32,
    /// Where its past is; empty for one that no quota depends on.
    past: &'a [u8],
}

fn unreadable(damage: Damage) -> RowError {
    RowError::Value(damage.what)
}

/// Where the statement that looks for a row has its checksum, and a reservation its revision.
const CRC: usize = 0;
const REVISION: usize = 1;

/// The statement that looks for a row.
fn select(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Resource => "SELECT crc, past FROM resource WHERE name = ?1",
        RowKind::Location => "SELECT crc, past FROM location WHERE id = ?1",
        RowKind::Scope => "SELECT crc, past FROM scope WHERE id = ?1",
        RowKind::Tier => "SELECT crc, past FROM tier WHERE name = ?1",
        RowKind::Tally => {
            "SELECT crc, past FROM tally WHERE scope = ?1 AND resource = ?2 AND location = ?3"
        }
        RowKind::Limits => {
            "SELECT crc, past FROM quota_limit WHERE scope = ?1 AND resource = ?2 AND location = ?3"
        }
        RowKind::Account => {
            "SELECT crc, past FROM account WHERE scope = ?1 AND resource = ?2 AND location = ?3"
        }
        RowKind::Reservation => {
            "SELECT crc, revision FROM reservation WHERE tenant = ?1 AND id = ?2"
        }
        RowKind::Principal => "SELECT crc FROM principal WHERE id = ?1",
        RowKind::Request => "SELECT crc FROM request WHERE id = ?1",
        RowKind::Webhook => "SELECT crc FROM webhook WHERE id = ?1",
    }
}

/// The statement that takes a row away; `None` where such rows never go.
fn delete_statement(kind: RowKind) -> Option<&'static str> {
    match kind {
        RowKind::Resource
        | RowKind::Location
        | RowKind::Scope
        | RowKind::Tier
        | RowKind::Tally
        | RowKind::Limits
        | RowKind::Account => None,
        RowKind::Reservation => Some("DELETE FROM reservation WHERE tenant = ?1 AND id = ?2"),
        RowKind::Principal => Some("DELETE FROM principal WHERE id = ?1"),
        RowKind::Request => Some("DELETE FROM request WHERE id = ?1"),
        RowKind::Webhook => Some("DELETE FROM webhook WHERE id = ?1"),
    }
}

/// A column of the row that stands there.
fn stored<T: FromSql>(
    transaction: &Transaction<'_>,
    key: &RowKey<'_>,
    column: usize,
) -> rusqlite::Result<Option<T>> {
    transaction
        .prepare_cached(select(key.kind))?
        .query_row(params_from_iter(names(key)), |row| row.get(column))
        .optional()
}

fn delete(transaction: &Transaction<'_>, key: &RowKey<'_>) -> rusqlite::Result<()> {
    if let Some(delete) = delete_statement(key.kind) {
        let mut delete = transaction.prepare_cached(delete)?;
        delete.execute(params_from_iter(names(key)))?;
    }
    Ok(())
}

fn names<'a>(key: &RowKey<'a>) -> impl Iterator<Item = ToSqlOutput<'a>> {
    key.names().map(text)
}

/// A text of a record.
fn text(bytes: &[u8]) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(ValueRef::Text(bytes))
}

fn put_account(
    transaction: &Transaction<'_>,
    row: &PlainAccount<'_>,
    kept: &Kept<'_>,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO account VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(params![
            text(row.scope),
            text(row.resource),
            text(row.location.unwrap_or_default()),
            row.used,
            row.held,
            kept.crc,
            kept.past,
        ])
        .map(|_| ())
}

/// Writes a row, in the place of what was there.
fn insert(transaction: &Transaction<'_>, change: &Change, kept: &Kept<'_>) -> rusqlite::Result<()> {
    let Kept { crc, past } = *kept;
    let execute = |sql, params: &[&dyn rusqlite::ToSql]| {
        transaction.prepare_cached(sql)?.execute(params).map(|_| ())
    };
    match change {
        Change::Location(row) => execute(
            "INSERT OR REPLACE INTO location VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                row.id.as_str(),
                row.name.as_str(),
                attributes(&row.attributes),
                crc,
                past,
            ],
        ),
        Change::Scope(row) => execute(
            "INSERT OR REPLACE INTO scope VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                row.id.as_str(),
                row.parent.as_ref().map(|parent| parent.as_str()),
                row.tenant.as_str(),
                row.depth,
                row.kind.as_str(),
                row.tier.as_ref().map(|tier| tier.as_str()),
                crc,
                past,
            ],
        ),
        Change::Resource(_)
        | Change::Tier(_)
        | Change::Limits { .. }
        | Change::Tally { .. }
        | Change::Request(_)
        | Change::Webhook(_) => settings::insert(transaction, change, kept),
        Change::Reservation(row) => reservation::replace(transaction, &Columns::of(row)?, crc),
        Change::Principal(row) => insert_principal(transaction, row, crc),
        // An account is put as it is, and what is gone is deleted.
        Change::Account { .. }
        | Change::ReservationGone(_)
        | Change::PrincipalGone(_)
        | Change::RequestGone { .. }
        | Change::WebhookGone(_) => Ok(()),
    }
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
            "INSERT OR REPLACE INTO principal
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

/// The hash of a log's last event, and the checksum of the row that says so.
pub(super) fn log_chain(
    transaction: &Transaction<'_>,
    tenant: &str,
) -> rusqlite::Result<Option<(Hash, u32)>> {
    transaction
        .prepare_cached("SELECT chain, crc FROM log WHERE tenant = ?1")?
        .query_row([tenant], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// Writes where a log stands, in the place of a row with the checksum `replaced`.
pub(super) fn put_log(
    transaction: &Transaction<'_>,
    tally: &mut Tally,
    tenant: &str,
    head: &LogHead,
    replaced: Option<u32>,
) -> rusqlite::Result<()> {
    if let Some(crc) = replaced {
        tally.remove(crc);
    }
    let crc = log_checksum(tenant, head);
    transaction
        .prepare_cached("INSERT OR REPLACE INTO log VALUES (?1, ?2, ?3, ?4, ?5)")?
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

fn attributes(attributes: &Attributes) -> Cow<'_, str> {
    if attributes.iter().len() == 0 {
        return Cow::Borrowed("{}");
    }
    let entries = attributes
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_str().into()));
    let json = serde_json::Value::Object(entries.collect());
    Cow::Owned(json.to_string())
}
