//! Rows that are set rather than taken: columns for people, and the row as the journal spells it.

use plimsoll_core::amount::{Ceiling, Timestamp};
use plimsoll_core::event::Change;
use plimsoll_core::model::{Item, Limit, Reach, Resource, TierLimit, Webhook};
use plimsoll_core::names::{LocationId, RequestId};
use rusqlite::{Transaction, params};
use serde_json::{Value, json};

use super::{Kept, amount, ceiling, instant, location};
use crate::record::change_bytes;

/// Inserts a resource, a tier, limits, a tally, a request or a webhook.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    change: &Change,
    kept: &Kept<'_>,
) -> rusqlite::Result<()> {
    let Kept { crc, past } = *kept;
    let execute = |sql, params: &[&dyn rusqlite::ToSql]| {
        transaction.prepare_cached(sql)?.execute(params).map(|_| ())
    };
    // Of the rows that are kept as the journal spells them.
    let row_bytes = change_bytes(change);
    match change {
        Change::Resource(row) => insert_resource(transaction, row, kept),
        Change::Tally { scope, item, tally } => execute(
            "INSERT OR REPLACE INTO tally VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                scope.as_str(),
                item.resource.as_str(),
                location(item),
                tally.refused,
                tally.warned,
                tally.observed,
                instant(tally.last_at),
                crc,
                past,
            ],
        ),
        Change::Tier(row) => execute(
            "INSERT OR REPLACE INTO tier VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                row.name.as_str(),
                row.description.as_str(),
                Value::from_iter(row.limits.iter().map(tier_limit)).to_string(),
                row_bytes,
                crc,
                past,
            ],
        ),
        Change::Limits {
            scope,
            item,
            limits,
        } => execute(
            "INSERT OR REPLACE INTO quota_limit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                scope.as_str(),
                item.resource.as_str(),
                location(item),
                Value::from_iter(limits.iter().map(limit)).to_string(),
                row_bytes,
                crc,
                past,
            ],
        ),
        Change::Request(row) => execute(
            "INSERT OR REPLACE INTO request VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                row.id.as_str(),
                row.tenant.as_str(),
                row.scope.as_str(),
                row.item.resource.as_str(),
                location(&row.item),
                ceiling(row.ceiling),
                row.status.name(),
                row.reason.as_str(),
                row_bytes,
                crc,
            ],
        ),
        Change::Webhook(row) => insert_webhook(transaction, row, &row_bytes, crc),
        _ => Ok(()),
    }
}

fn insert_resource(
    transaction: &Transaction<'_>,
    row: &Resource,
    kept: &Kept<'_>,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO resource VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            row.name.as_str(),
            row.unit.as_str(),
            ceiling(row.default_ceiling),
            row.per_location,
            row.adjustable,
            row.description.as_str(),
            row.auto_approval.map(|rule| amount(rule.ceiling)),
            row.auto_approval.and_then(|rule| rule.factor_percent),
            row.auto_approval.map(|rule| rule.cool_off_ms),
            Value::from_iter(row.alerts.iter()).to_string(),
            kept.crc,
            kept.past,
        ])
        .map(|_| ())
}

fn insert_webhook(
    transaction: &Transaction<'_>,
    row: &Webhook,
    row_bytes: &[u8],
    crc: u32,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO webhook VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(params![
            row.id.as_str(),
            scope_of(&row.reach),
            row.url.as_str(),
            row.enabled,
            row.delivered,
            row_bytes,
            crc,
        ])
        .map(|_| ())
}

fn scope_of(reach: &Reach) -> Option<&str> {
    match reach {
        Reach::Everything => None,
        Reach::Below(scope) => Some(scope.as_str()),
    }
}

fn limit(limit: &Limit) -> Value {
    json!({
        "limit": ceiling_json(limit.ceiling),
        "mode": limit.mode.name(),
        "starts_at_ms": limit.window.starts_at().map(Timestamp::ms),
        "ends_at_ms": limit.window.ends_at().map(Timestamp::ms),
        "set_by": limit.set_by.as_str(),
        "set_at_ms": instant(limit.set_at),
        "reason": limit.reason.as_str(),
        "request": limit.request.as_ref().map(RequestId::as_str),
        "revision": limit.revision,
    })
}

fn tier_limit(limit: &TierLimit) -> Value {
    let Item { resource, location } = &limit.item;
    json!({
        "resource": resource.as_str(),
        "location": location.as_ref().map(LocationId::as_str),
        "limit": ceiling_json(limit.ceiling),
        "mode": limit.mode.name(),
    })
}

fn ceiling_json(ceiling: Ceiling) -> Value {
    match ceiling {
        Ceiling::Finite(units) => amount(units).into(),
        Ceiling::Unlimited => "unlimited".into(),
    }
}
