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
use rusqlite::{Row, Statement};
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

/// The lines of all reservations, taken in the order of their reservations.
pub(super) struct LineSource<'a> {
    rows: rusqlite::Rows<'a>,
    /// The line that comes next, with its tenant and id.
    next: Option<(String, String, Line)>,
}

impl<'a> LineSource<'a> {
    pub(super) const SELECT: &'static str =
        "SELECT * FROM reservation_line ORDER BY tenant, id, position";

    /// Starts at the first line that the statement yields.
    pub(super) fn new(select: &'a mut Statement<'_>) -> Result<Self, RowError> {
        let mut lines = Self {
            rows: select.query([])?,
            next: None,
        };
        lines.advance()?;
        Ok(lines)
    }

    /// The lines of the next reservation, if they are those of this one.
    fn of(&mut self, tenant: &str, id: &str) -> Result<Vec<Line>, RowError> {
        let mut lines = Vec::new();
        let is_of = |next: &mut (String, String, Line)| next.0 == tenant && next.1 == id;
        while let Some((_, _, line)) = self.next.take_if(is_of) {
            lines.push(line);
            self.advance()?;
        }
        Ok(lines)
    }

    /// Makes sure that no line is left over.
    pub(super) fn expect_end(&self) -> Result<(), RowError> {
        match self.next {
            None => Ok(()),
            Some(_) => Err(RowError::Value("a line belongs to no reservation")),
        }
    }

    fn advance(&mut self) -> Result<(), RowError> {
        self.next = match self.rows.next()? {
            None => None,
            Some(row) => {
                let line = Line {
                    item: item(row)?,
                    amount: amount(row.get("amount")?)?,
                };
                Some((row.get("tenant")?, row.get("id")?, line))
            }
        };
        Ok(())
    }
}

pub(super) fn resource(row: &Row<'_>) -> Result<Change, RowError> {
    Ok(Change::Resource(Resource {
        name: name(row, "name", ResourceName::parse)?,
        unit: name(row, "unit", Text::parse)?,
        default_ceiling: ceiling(row, "default_limit")?,
        per_location: row.get("per_location")?,
        adjustable: row.get("adjustable")?,
        description: name(row, "description", Text::parse)?,
        auto_approval: auto_approval(row)?,
        alerts: alerts(row)?,
    }))
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
        attributes: attributes(row)?,
    }))
}

pub(super) fn scope(row: &Row<'_>) -> Result<Change, RowError> {
    Ok(Change::Scope(Scope {
        id: name(row, "id", ScopeId::parse)?,
        parent: optional_name(row, "parent", ScopeId::parse)?,
        tenant: name(row, "tenant", ScopeId::parse)?,
        depth: row.get("depth")?,
        kind: name(row, "kind", Text::parse)?,
        tier: optional_name(row, "tier", TierName::parse)?,
    }))
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

pub(super) fn reservation(row: &Row<'_>, lines: &mut LineSource<'_>) -> Result<Change, RowError> {
    let (tenant, id): (String, String) = (row.get("tenant")?, row.get("id")?);
    let lines = lines.of(&tenant, &id)?;
    let state: String = row.get("state")?;
    Ok(Change::Reservation(Reservation {
        tenant: name(row, "tenant", ScopeId::parse)?,
        id: name(row, "id", ReservationId::parse)?,
        scope: name(row, "scope", ScopeId::parse)?,
        lines: Lines::new(lines)
            .map_err(|_| RowError::Value("a reservation has no valid lines"))?,
        original: original(row)?,
        terms: match row.get("hold_ttl_ms")? {
            Some(ttl_ms) => Terms::Hold { ttl_ms },
            None => Terms::Commit,
        },
        forced: optional_name(row, "forced", Text::parse)?,
        holder: optional_name(row, "holder", Text::parse)?,
        attributes: attributes(row)?,
        state: match state.as_str() {
            "held" => State::Held {
                expires_at: instant(row, "expires_at_ms")?,
            },
            "committed" => State::Committed,
            "released" => State::Released {
                ended_at: instant(row, "ended_at_ms")?,
            },
            "expired" => State::Expired {
                ended_at: instant(row, "ended_at_ms")?,
            },
            _ => return Err(RowError::Value("a state is of no known kind")),
        },
        created_at: instant(row, "created_at_ms")?,
        revision: row.get("revision")?,
    }))
}

pub(super) fn principal(row: &Row<'_>) -> Result<Change, RowError> {
    let role: String = row.get("role")?;
    let kind: String = row.get("kind")?;
    let expires_at: Option<u64> = row.get("expires_at_ms")?;
    Ok(Change::Principal(Principal {
        id: name(row, "id", PrincipalId::parse)?,
        role: [Role::Viewer, Role::Enforcer, Role::Manager, Role::Admin]
            .into_iter()
            .find(|known| known.name() == role)
            .ok_or(RowError::Value("a role is of no known kind"))?,
        reach: optional_name(row, "scope", ScopeId::parse)?.map_or(Reach::Everything, Reach::Below),
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
    }))
}

fn item(row: &Row<'_>) -> Result<Item, RowError> {
    let location: String = row.get("location")?;
    Ok(Item {
        resource: name(row, "resource", ResourceName::parse)?,
        location: match location.as_str() {
            "" => None,
            location => Some(parse(location, LocationId::parse)?),
        },
    })
}

fn original(row: &Row<'_>) -> Result<Option<Box<Original>>, RowError> {
    let json: Option<String> = row.get("original")?;
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
    let text = |value: &Value, key| Some(value.get(key)?.as_str()?.to_owned());
    let amount = |value: &Value, key| Amount::new(value.get(key)?.as_u64()?);
    let mut lines = Vec::new();
    let mut at_least = Vec::new();
    for line in json.get("lines")?.as_array()? {
        let location = match line.get("location")? {
            Value::Null => None,
            location => Some(LocationId::parse(location.as_str()?).ok()?),
        };
        let item = Item {
            resource: ResourceName::parse(&text(line, "resource")?).ok()?,
            location,
        };
        lines.push(Line {
            item,
            amount: amount(line, "amount")?,
        });
        at_least.push(amount(line, "at_least")?);
    }
    Some(Original {
        scope: ScopeId::parse(&text(&json, "scope")?).ok()?,
        asked: Asked::at_least(Lines::new(lines).ok()?, at_least)?,
    })
}

fn attributes(row: &Row<'_>) -> Result<Attributes, RowError> {
    let json: String = row.get("attributes")?;
    let refused = RowError::Value("attributes are not a JSON object of strings");
    let Ok(entries) = serde_json::from_str::<BTreeMap<String, String>>(&json) else {
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

pub(super) fn instant(row: &Row<'_>, column: &str) -> Result<Timestamp, RowError> {
    Timestamp::from_ms(row.get(column)?).ok_or(RowError::Value("an instant is too late"))
}

fn name<T>(
    row: &Row<'_>,
    column: &str,
    parse: fn(&str) -> Result<T, NameError>,
) -> Result<T, RowError> {
    self::parse(&row.get::<_, String>(column)?, parse)
}

fn optional_name<T>(
    row: &Row<'_>,
    column: &str,
    parse: fn(&str) -> Result<T, NameError>,
) -> Result<Option<T>, RowError> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| self::parse(&text, parse)).transpose()
}

pub(super) fn parse<T>(text: &str, parse: fn(&str) -> Result<T, NameError>) -> Result<T, RowError> {
    parse(text).map_err(|_| RowError::Value("a name is not one"))
}
