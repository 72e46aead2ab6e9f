//! Rows of the ledger's tables, read back.

use std::collections::BTreeMap;
use std::path::Path;

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::event::Change;
use plimsoll_core::model::{
    Account, Alerts, Asked, Attributes, AutoApproval, Credential, Item, Line, Lines, Location,
    Original, Principal, Reach, Reservation, Resource, Role, Scope, State, Tally, Terms,
};
use plimsoll_core::names::{
    LocationId, NameError, PrincipalId, ReservationId, ResourceName, ScopeId, Text, TierName,
};
use rusqlite::{Row, RowIndex};
use serde_json::Value;

use super::files::{damaged, sqlite_error};
use crate::StoreError;
use crate::record::read_change;

/// Why a row is not one of ours.
pub(super) enum RowError {
    /// SQLite refuses.
    Sqlite(rusqlite::Error),
    /// A column holds something that it must not.
    Value(&'static str),
}

impl From<rusqlite::Error> for RowError {
    fn from(error: rusqlite::Error) -> Self {
        RowError::Sqlite(error)
    }
}

impl RowError {
    /// What the user is told.
    pub(super) fn of(self, path: &Path, table: &str) -> StoreError {
        match self {
            RowError::Sqlite(rusqlite::Error::QueryReturnedNoRows) => {
                damaged(path, format!("table `{table}`: its row is missing"))
            }
            RowError::Sqlite(source) if source.sqlite_error().is_none() => {
                damaged(path, format!("table `{table}`: {source}"))
            }
            RowError::Sqlite(source) => sqlite_error(path)(source),
            RowError::Value(what) => damaged(path, format!("table `{table}`: {what}")),
        }
    }
}

pub(super) fn resource(row: &Row<'_>) -> Result<Change, RowError> {
    Ok(Change::Resource(
        Resource {
            name: name(row, "name", ResourceName::parse)?,
            unit: name(row, "unit", Text::parse)?,
            default_ceiling: ceiling(row, "default_limit")?,
            per_location: row.get("per_location")?,
            adjustable: row.get("adjustable")?,
            description: name(row, "description", Text::parse)?,
            auto_approval: auto_approval(row)?,
            alerts: alerts(row)?,
        }
        .into(),
    ))
}

fn auto_approval(row: &Row<'_>) -> Result<Option<AutoApproval>, RowError> {
    let Some(ceiling) = row.get("auto_limit")? else {
        return Ok(None);
    };
    let cool_off_ms: Option<u64> = row.get("auto_cool_ms")?;
    Ok(Some(AutoApproval {
        ceiling: amount(ceiling)?,
        factor_percent: row.get("auto_percent")?,
        cool_off_ms: cool_off_ms.ok_or(RowError::Value("a cool-off is missing"))?,
    }))
}

fn alerts(row: &Row<'_>) -> Result<Alerts, RowError> {
    let json: String = row.get("alerts")?;
    let percents = serde_json::from_str(&json).ok();
    percents
        .and_then(Alerts::new)
        .ok_or(RowError::Value("alerts are not a JSON array of percents"))
}

/// A row that the ledger keeps as the journal spells it.
pub(super) fn stored(row: &Row<'_>) -> Result<Change, RowError> {
    let bytes: Vec<u8> = row.get("row")?;
    read_change(&bytes).map_err(|damage| RowError::Value(damage.what))
}

pub(super) fn tally(row: &Row<'_>) -> Result<Change, RowError> {
    Ok(Change::Tally {
        scope: name(row, "scope", ScopeId::parse)?,
        item: item(row)?,
        tally: Tally {
            refused: row.get("refused")?,
            warned: row.get("warned")?,
            observed: row.get("observed")?,
            last_at: instant(row, "last_at_ms")?,
        },
    })
}

pub(super) fn location(row: &Row<'_>) -> Result<Change, RowError> {
    Ok(Change::Location(Location {
        id: name(row, "id", LocationId::parse)?,
        name: name(row, "name", Text::parse)?,
        attributes: attributes(row, "attributes")?,
    }))
}

pub(super) fn scope(row: &Row<'_>) -> Result<Change, RowError> {
    Ok(Change::Scope(
        Scope {
            id: name(row, "id", ScopeId::parse)?,
            parent: optional_name(row, "parent", ScopeId::parse)?,
            tenant: name(row, "tenant", ScopeId::parse)?,
            depth: row.get("depth")?,
            kind: name(row, "kind", Text::parse)?,
            tier: optional_name(row, "tier", TierName::parse)?,
        }
        .into(),
    ))
}

pub(super) fn account(row: &Row<'_>) -> Result<Change, RowError> {
    let account = Account {
        used: amount(row.get("used")?)?,
        held: amount(row.get("held")?)?,
    };
    let scope = name(row, "scope", ScopeId::parse)?;
    Ok(Change::Account {
        scope,
        item: item(row)?,
        account,
    })
}

/// There are more of these than of all others: their columns are found by their order in the table,
/// which is several times as quick as by name.
pub(super) fn reservation(row: &Row<'_>) -> Result<Change, RowError> {
    let [
        tenant,
        id,
        scope,
        resource,
        location,
        units,
        more_lines,
        state,
        expires_at,
        ended_at,
        asked_first,
        hold_ttl_ms,
        forced,
        holder,
        entries,
        created_at,
        revision,
    ] = std::array::from_fn(|index| index);
    let mut lines = vec![Line {
        item: Item {
            resource: name(row, resource, ResourceName::parse)?,
            location: location_at(row, location)?,
        },
        amount: amount(row.get(units)?)?,
    }];
    lines.extend(other_lines(row, more_lines)?);
    Ok(Change::Reservation(
        Reservation {
            tenant: name(row, tenant, ScopeId::parse)?,
            id: name(row, id, ReservationId::parse)?,
            scope: name(row, scope, ScopeId::parse)?,
            lines: Lines::new(lines)
                .map_err(|_| RowError::Value("a reservation has no valid lines"))?,
            original: original(row, asked_first)?,
            terms: match row.get(hold_ttl_ms)? {
                Some(ttl_ms) => Terms::Hold { ttl_ms },
                None => Terms::Commit,
            },
            forced: optional_name(row, forced, Text::parse)?,
            holder: optional_name(row, holder, Text::parse)?,
            attributes: attributes(row, entries)?,
            state: match text(row, state)? {
                "held" => State::Held {
                    expires_at: instant(row, expires_at)?,
                },
                "committed" => State::Committed,
                "released" => State::Released {
                    ended_at: instant(row, ended_at)?,
                },
                "expired" => State::Expired {
                    ended_at: instant(row, ended_at)?,
                },
                _ => return Err(RowError::Value("a state is of no known kind")),
            },
            created_at: instant(row, created_at)?,
            revision: row.get(revision)?,
        }
        .into(),
    ))
}

pub(super) fn principal(row: &Row<'_>) -> Result<Change, RowError> {
    let role: String = row.get("role")?;
    let kind: String = row.get("kind")?;
    let expires_at: Option<u64> = row.get("expires_at_ms")?;
    Ok(Change::Principal(
        Principal {
            id: name(row, "id", PrincipalId::parse)?,
            role: [Role::Viewer, Role::Enforcer, Role::Manager, Role::Admin]
                .into_iter()
                .find(|known| known.name() == role)
                .ok_or(RowError::Value("a role is of no known kind"))?,
            reach: optional_name(row, "scope", ScopeId::parse)?
                .map_or(Reach::Everything, Reach::Below),
            may_force: row.get("may_force")?,
            credential: match kind.as_str() {
                "access_key" => Credential::AccessKey {
                    sealed_secret: row.get("credential")?,
                },
                "token" => Credential::Token {
                    hash: row.get("credential")?,
                },
                _ => return Err(RowError::Value("a credential is of no known kind")),
            },
            enabled: row.get("enabled")?,
            expires_at: expires_at
                .map(|_| instant(row, "expires_at_ms"))
                .transpose()?,
            description: name(row, "description", Text::parse)?,
            created_at: instant(row, "created_at_ms")?,
            revision: row.get("revision")?,
        }
        .into(),
    ))
}

fn item(row: &Row<'_>) -> Result<Item, RowError> {
    Ok(Item {
        resource: name(row, "resource", ResourceName::parse)?,
        location: location_at(row, "location")?,
    })
}

/// The location of an item; none where it is not counted per location.
fn location_at(row: &Row<'_>, column: impl RowIndex) -> Result<Option<LocationId>, RowError> {
    match text(row, column)? {
        "" => Ok(None),
        location => parse(location, LocationId::parse).map(Some),
    }
}

/// The lines of a reservation behind its first one.
fn other_lines(row: &Row<'_>, column: usize) -> Result<Vec<Line>, RowError> {
    let Some(json) = row.get::<_, Option<String>>(column)? else {
        return Ok(Vec::new());
    };
    let refused = RowError::Value("more lines are not a JSON array of lines");
    let parsed = serde_json::from_str(&json).ok().and_then(|json: Value| {
        let lines = json.as_array()?.iter();
        lines.map(parse_line).collect()
    });
    parsed.ok_or(refused)
}

fn original(row: &Row<'_>, column: usize) -> Result<Option<Box<Original>>, RowError> {
    let json: Option<String> = row.get(column)?;
    let Some(json) = json else {
        return Ok(None);
    };
    let parsed = serde_json::from_str(&json).ok().and_then(parse_original);
    let refused = RowError::Value("an original is not what a reservation is asked for as");
    parsed
        .map(|original| Some(Box::new(original)))
        .ok_or(refused)
}

fn parse_original(json: Value) -> Option<Original> {
    let mut lines = Vec::new();
    let mut at_least = Vec::new();
    for line in json.get("lines")?.as_array()? {
        lines.push(parse_line(line)?);
        at_least.push(parse_amount(line.get("at_least")?)?);
    }
    Some(Original {
        scope: ScopeId::parse(json.get("scope")?.as_str()?).ok()?,
        asked: Asked::at_least(Lines::new(lines).ok()?, at_least)?,
    })
}

fn parse_line(json: &Value) -> Option<Line> {
    let location = match json.get("location")? {
        Value::Null => None,
        location => Some(LocationId::parse(location.as_str()?).ok()?),
    };
    Some(Line {
        item: Item {
            resource: ResourceName::parse(json.get("resource")?.as_str()?).ok()?,
            location,
        },
        amount: parse_amount(json.get("amount")?)?,
    })
}

fn parse_amount(json: &Value) -> Option<Amount> {
    Amount::new(json.as_u64()?)
}

fn attributes(row: &Row<'_>, column: impl RowIndex) -> Result<Attributes, RowError> {
    let json = text(row, column)?;
    if json == "{}" {
        return Ok(Attributes::default());
    }
    let refused = RowError::Value("attributes are not a JSON object of strings");
    let Ok(entries) = serde_json::from_str::<BTreeMap<String, String>>(json) else {
        return Err(refused);
    };
    let parsed = entries
        .iter()
        .map(|(name, value)| Ok((parse(name, Text::parse)?, parse(value, Text::parse)?)))
        .collect::<Result<_, RowError>>()?;
    Attributes::new(parsed).ok_or(refused)
}

fn ceiling(row: &Row<'_>, column: &str) -> Result<Ceiling, RowError> {
    let units: Option<u64> = row.get(column)?;
    units.map_or(Ok(Ceiling::Unlimited), |units| {
        amount(units).map(Ceiling::Finite)
    })
}

fn amount(units: u64) -> Result<Amount, RowError> {
    Amount::new(units).ok_or(RowError::Value("an amount is too large"))
}

pub(super) fn instant(row: &Row<'_>, column: impl RowIndex) -> Result<Timestamp, RowError> {
    Timestamp::from_ms(row.get(column)?).ok_or(RowError::Value("an instant is too late"))
}

fn text<'a>(row: &'a Row<'_>, column: impl RowIndex) -> Result<&'a str, RowError> {
    let text = row.get_ref(column)?.as_str();
    text.map_err(|_| RowError::Value("a text is none"))
}

fn name<T>(
    row: &Row<'_>,
    column: impl RowIndex,
    parse: fn(&str) -> Result<T, NameError>,
) -> Result<T, RowError> {
    self::parse(text(row, column)?, parse)
}

fn optional_name<T>(
    row: &Row<'_>,
    column: impl RowIndex,
    parse: fn(&str) -> Result<T, NameError>,
) -> Result<Option<T>, RowError> {
    let text = row.get_ref(column)?.as_str_or_null();
    let text = text.map_err(|_| RowError::Value("a text is none"))?;
    text.map(|text| self::parse(text, parse)).transpose()
}

pub(super) fn parse<T>(text: &str, parse: fn(&str) -> Result<T, NameError>) -> Result<T, RowError> {
    parse(text).map_err(|_| RowError::Value("a name is not one"))
}
