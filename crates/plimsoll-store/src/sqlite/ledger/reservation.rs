//! Reservations: there are more of these rows than of all others.

use std::borrow::Cow;

use plimsoll_core::amount::Amount;
use plimsoll_core::model::{Line, Original, Reservation, State, Terms};
use plimsoll_core::names::LocationId;
use rusqlite::types::ToSqlOutput;
use rusqlite::{CachedStatement, Transaction, params};

use super::{amount, attributes, instant, location, text};
use crate::record::PlainReservation;
use crate::sqlite::rows::RowError;

/// The columns of a reservation, but for its checksum.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns<'a> {
    tenant: &'a [u8],
    id: &'a [u8],
    scope: &'a [u8],
    resource: &'a [u8],
    location: &'a [u8],
    amount: u64,
    more_lines: Option<String>,
    state: &'static str,
    expires_at: Option<u64>,
    ended_at: Option<u64>,
    original: Option<String>,
    hold_ttl_ms: Option<u64>,
    forced: Option<&'a [u8]>,
    holder: Option<&'a [u8]>,
    attributes: Cow<'a, str>,
    created_at: u64,
    revision: u64,
}

impl<'a> Columns<'a> {
    pub(super) fn of(row: &'a Reservation) -> rusqlite::Result<Self> {
        let (expires_at, ended_at) = match row.state {
            State::Held { expires_at } => (Some(expires_at), None),
            State::Committed => (None, None),
            State::Released { ended_at } | State::Expired { ended_at } => (None, Some(ended_at)),
        };
        let [first, others @ ..] = &*row.lines else {
            // Lines are one at least.
            return Err(rusqlite::Error::InvalidQuery);
        };
        Ok(Self {
            tenant: row.tenant.as_str().as_bytes(),
            id: row.id.as_str().as_bytes(),
            scope: row.scope.as_str().as_bytes(),
            resource: first.item.resource.as_str().as_bytes(),
            location: location(&first.item).as_bytes(),
            amount: amount(first.amount),
            more_lines: (!others.is_empty()).then(|| lines_json(others)),
            state: row.state.name(),
            expires_at: expires_at.map(instant),
            ended_at: ended_at.map(instant),
            original: row.original.as_deref().map(original),
            hold_ttl_ms: match row.terms {
                Terms::Hold { ttl_ms } => Some(ttl_ms),
                Terms::Commit => None,
            },
            forced: row.forced.as_ref().map(|reason| reason.as_str().as_bytes()),
            holder: row.holder.as_ref().map(|holder| holder.as_str().as_bytes()),
            attributes: attributes(&row.attributes),
            created_at: instant(row.created_at),
            revision: row.revision,
        })
    }

    pub(super) fn of_plain(row: &PlainReservation<'a>) -> Result<Self, RowError> {
        let (state, expires_at, ended_at) = match row.state {
            0 => ("held", row.at, None),
            1 => ("committed", None, None),
            2 => ("released", None, row.at),
            3 => ("expired", None, row.at),
            _ => return Err(RowError::Value("a state is of no known kind")),
        };
        Ok(Self {
            tenant: row.tenant,
            id: row.id,
            scope: row.scope,
            resource: row.resource,
            location: row.location.unwrap_or_default(),
            amount: row.amount,
            more_lines: None,
            state,
            expires_at,
            ended_at,
            original: None,
            hold_ttl_ms: row.hold_ttl_ms,
            forced: row.forced,
            holder: row.holder,
            attributes: Cow::Borrowed("{}"),
            created_at: row.created_at,
            revision: row.revision,
        })
    }
}

/// Rows that one statement writes: what a statement takes beside its rows is shared by so many.
pub(super) const TOGETHER: usize = 16;

/// Parameters of a row among such.
const COLUMNS: usize = 15;

/// Writes plain rows that are likely to be new, many at once.
pub(super) struct Inserter<'a> {
    insert: CachedStatement<'a>,
    /// Which parameters hold something.
    is_set: [bool; TOGETHER * COLUMNS],
}

impl<'a> Inserter<'a> {
    pub(super) fn new(transaction: &'a Transaction<'_>) -> rusqlite::Result<Self> {
        let row = "(?,?,?,?,?,?,NULL,?,?,?,NULL,?,?,?,'{}',?,?,?)";
        let rows = [row; TOGETHER].join(",");
        let insert = format!("INSERT OR IGNORE INTO reservation VALUES {rows}");
        Ok(Self {
            insert: transaction.prepare_cached(&insert)?,
            is_set: [false; TOGETHER * COLUMNS],
        })
    }

    /// Sets the row in this place, below [`TOGETHER`], with its checksum. What a parameter held
    /// before is written over, and nothing is cleared in between.
    pub(super) fn set(
        &mut self,
        place: usize,
        row: &Columns<'_>,
        crc: u32,
    ) -> rusqlite::Result<()> {
        let values: [Option<ToSqlOutput<'_>>; COLUMNS] = [
            Some(text(row.tenant)),
            Some(text(row.id)),
            Some(text(row.scope)),
            Some(text(row.resource)),
            Some(text(row.location)),
            Some(number(row.amount)?),
            Some(text(row.state.as_bytes())),
            row.expires_at.map(number).transpose()?,
            row.ended_at.map(number).transpose()?,
            row.hold_ttl_ms.map(number).transpose()?,
            row.forced.map(text),
            row.holder.map(text),
            Some(number(row.created_at)?),
            Some(number(row.revision)?),
            Some(number(crc.into())?),
        ];
        let parameters = place * COLUMNS..;
        for (parameter, value) in parameters.zip(values) {
            if let Some(is_set) = self.is_set.get_mut(parameter)
                && (*is_set || value.is_some())
            {
                *is_set = value.is_some();
                self.insert.raw_bind_parameter(parameter + 1, value)?;
            }
        }
        Ok(())
    }

    /// Writes the [`TOGETHER`] rows that were set, but for those that stand already, and answers
    /// how many were written.
    pub(super) fn insert(&mut self) -> rusqlite::Result<usize> {
        self.insert.raw_execute()
    }
}

/// Puts it in the place of what was there.
pub(super) fn replace(
    transaction: &Transaction<'_>,
    row: &Columns<'_>,
    crc: u32,
) -> rusqlite::Result<()> {
    let replace = "INSERT OR REPLACE INTO reservation
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
    transaction
        .prepare_cached(replace)?
        .execute(params![
            text(row.tenant),
            text(row.id),
            text(row.scope),
            text(row.resource),
            text(row.location),
            row.amount,
            row.more_lines,
            row.state,
            row.expires_at,
            row.ended_at,
            row.original,
            row.hold_ttl_ms,
            row.forced.map(text),
            row.holder.map(text),
            row.attributes,
            row.created_at,
            row.revision,
            crc,
        ])
        .map(|_| ())
}

fn number(number: u64) -> rusqlite::Result<ToSqlOutput<'static>> {
    let number = i64::try_from(number).map(ToSqlOutput::from);
    number.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
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

fn original(original: &Original) -> String {
    let line = |(line, at_least): (&Line, Amount)| {
        let mut json = line_json(line);
        json["at_least"] = amount(at_least).into();
        json
    };
    let lines: Vec<_> = original.asked.iter().map(line).collect();
    serde_json::json!({ "scope": original.scope.as_str(), "lines": lines }).to_string()
}

#[cfg(test)]
mod tests;
