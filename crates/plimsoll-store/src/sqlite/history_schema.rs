//! The part of `ledger.db` that finds the past in the journal, and how the follower fills it.
//!
//! The journal holds everything that ever happened; these tables say where. `log_record` names the
//! records of a log. `past` has each row that a quota depends on, as each record left it: the last
//! value in that record, not each one on the way.

use hashbrown::{HashMap, HashSet};
use plimsoll_core::event::{Change, Event};
use plimsoll_core::model::Item;
use plimsoll_core::names::{LocationId, ResourceName, ScopeId};
use rusqlite::{Row, Transaction, params};

use super::ledger::log_name;
use crate::record::{Record, change_bytes};

/// The tables, beside those of [`schema`](super::schema). Their rows are not counted in the
/// watermark's sums: a start does not read them. `crc` finds a row that was changed, and `before`
/// one that is missing: each row says what the one before it is, and the table of the row itself
/// says what the last one is.
pub(super) const SCHEMA: &str = "
    CREATE TABLE log_record (
        tenant         TEXT NOT NULL,            -- empty: the catalogue
        first_revision INTEGER NOT NULL,         -- of the log's first event in the record
        first_at_ms    INTEGER NOT NULL,         -- of that event
        sequence       INTEGER NOT NULL,         -- the journal record
        crc            INTEGER NOT NULL,
        PRIMARY KEY (tenant, first_revision)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE past (
        key      BLOB NOT NULL,                  -- which row: a letter, then names, each with a
                                                 -- zero byte behind it
        sequence INTEGER NOT NULL,               -- the journal record that left the row so
        change   BLOB NOT NULL,                  -- the row, or that it is gone, as the record
                                                 -- spells it
        before   INTEGER,                        -- the crc of the row that it took the place of;
                                                 -- NULL: there was none
        crc      INTEGER NOT NULL,
        PRIMARY KEY (key, sequence)
    ) STRICT, WITHOUT ROWID;
";

/// Which row an entry of `past` is about: the kind's letter, then the names that tell it from
/// others, each with a zero byte behind it. So the rows of one scope stand side by side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PastKey(pub(super) Vec<u8>);

impl PastKey {
    /// All resources.
    pub(super) fn resources() -> Self {
        Self::of(b'r', &[])
    }

    /// All locations.
    pub(super) fn locations() -> Self {
        Self::of(b'l', &[])
    }

    /// A scope.
    pub(super) fn scope(id: &ScopeId) -> Self {
        Self::of(b's', &[id.as_str()])
    }

    /// All limits of a scope.
    pub(super) fn limits(scope: &ScopeId) -> Self {
        Self::of(b'q', &[scope.as_str()])
    }

    /// The limits of a scope for an item.
    pub(super) fn limits_of(scope: &ScopeId, item: &Item) -> Self {
        Self::at(b'q', scope, item)
    }

    /// All tiers.
    pub(super) fn tiers() -> Self {
        Self::of(b't', &[])
    }

    /// All tallies of a scope.
    pub(super) fn tallies(scope: &ScopeId) -> Self {
        Self::of(b'n', &[scope.as_str()])
    }

    /// The tally of a scope and an item.
    pub(super) fn tally(scope: &ScopeId, item: &Item) -> Self {
        Self::at(b'n', scope, item)
    }

    /// All accounts of a scope.
    pub(super) fn accounts(scope: &ScopeId) -> Self {
        Self::of(b'a', &[scope.as_str()])
    }

    /// The account of a scope and an item.
    pub(super) fn account(scope: &ScopeId, item: &Item) -> Self {
        Self::at(b'a', scope, item)
    }

    /// The row that a change is about, where a quota depends on such a row.
    pub(super) fn of_change(change: &Change) -> Option<Self> {
        Some(match change {
            Change::Resource(row) => Self::of(b'r', &[ResourceName::as_str(&row.name)]),
            Change::Location(row) => Self::of(b'l', &[row.id.as_str()]),
            Change::Scope(row) => Self::scope(&row.id),
            Change::Tier(row) => Self::of(b't', &[row.name.as_str()]),
            Change::Limits { scope, item, .. } => Self::limits_of(scope, item),
            Change::Tally { scope, item, .. } => Self::tally(scope, item),
            Change::Account { scope, item, .. } => Self::account(scope, item),
            Change::Reservation(_)
            | Change::ReservationGone(_)
            | Change::Principal(_)
            | Change::PrincipalGone(_)
            | Change::Request(_)
            | Change::RequestGone { .. }
            | Change::Webhook(_)
            | Change::WebhookGone(_) => return None,
        })
    }

    fn at(kind: u8, scope: &ScopeId, item: &Item) -> Self {
        let location = item.location.as_ref().map_or("", LocationId::as_str);
        Self::of(kind, &[scope.as_str(), item.resource.as_str(), location])
    }

    fn of(kind: u8, names: &[&str]) -> Self {
        let len: usize = names.iter().map(|name| name.len() + 1).sum();
        let mut key = Vec::with_capacity(1 + len);
        key.push(kind);
        for name in names {
            key.extend_from_slice(name.as_bytes());
            key.push(0);
        }
        Self(key)
    }

    /// The first key behind all that begin like this one.
    pub(super) fn end(&self) -> Self {
        let mut end = self.0.clone();
        // The last byte is a letter or a zero.
        if let Some(last) = end.last_mut() {
            *last = last.saturating_add(1);
        }
        Self(end)
    }
}

/// Writes where the events of some records are found, and the rows as each record left them.
///
/// Both in the order of their tables, which is several times as quick as any other.
///
/// `replaced` are the checksums of the rows that stood in the tables before these records.
pub(super) fn put(
    transaction: &Transaction<'_>,
    records: &[Record],
    replaced: &HashMap<PastKey, u32>,
) -> rusqlite::Result<()> {
    put_log_records(transaction, records)?;
    put_past(transaction, records, replaced)
}

fn put_log_records(transaction: &Transaction<'_>, records: &[Record]) -> rusqlite::Result<()> {
    let mut firsts: Vec<(&str, &Event, u64)> = Vec::new();
    for record in records {
        let mut seen = HashSet::new();
        let events = record.events.iter().map(|(event, _)| event);
        let first = events.filter(|event| seen.insert(&event.log));
        firsts.extend(first.map(|event| (log_name(&event.log), event, record.sequence)));
    }
    firsts.sort_by_key(|(tenant, first, _)| (*tenant, first.revision));
    let mut insert =
        transaction.prepare_cached("INSERT INTO log_record VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (tenant, first, sequence) in firsts {
        let (revision, at) = (first.revision, first.at.ms());
        let crc = log_record_checksum(tenant, [revision, at, sequence]);
        insert.execute(params![tenant, revision, at, sequence, crc])?;
    }
    Ok(())
}

fn put_past(
    transaction: &Transaction<'_>,
    records: &[Record],
    replaced: &HashMap<PastKey, u32>,
) -> rusqlite::Result<()> {
    let mut past: Vec<(PastKey, u64, &Change)> = Vec::new();
    for record in records {
        let changes = record.events.iter().flat_map(|(event, _)| &event.changes);
        let keyed = changes.filter_map(|change| {
            let key = PastKey::of_change(change)?;
            Some((key, record.sequence, change))
        });
        past.extend(keyed);
    }
    // Stable: of equals, the last one is what the record left.
    past.sort_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
    let mut insert = transaction.prepare_cached("INSERT INTO past VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let mut last: Option<(&PastKey, Option<u32>)> = None;
    for (index, (key, sequence, change)) in past.iter().enumerate() {
        let next = past.get(index + 1);
        if next.is_some_and(|next| next.0 == *key && next.1 == *sequence) {
            continue;
        }
        let before = match last {
            Some((same, crc)) if same == key => crc,
            Some(_) | None => replaced.get(key).copied(),
        };
        let bytes = change_bytes(change);
        let crc = past_checksum(key, *sequence, &bytes, before);
        insert.execute(params![key.0, sequence, bytes, before, crc])?;
        last = Some((key, row_crc(change, &bytes)));
    }
    Ok(())
}

/// The checksum of the row that a change leaves; `None` where it leaves none.
pub(super) fn row_crc(change: &Change, bytes: &[u8]) -> Option<u32> {
    let is_gone = matches!(change, Change::Limits { limits, .. } if limits.is_empty());
    (!is_gone).then(|| crc32fast::hash(bytes))
}

/// The checksum of a row of `log_record`: first revision, first instant, sequence.
pub(super) fn log_record_checksum(tenant: &str, numbers: [u64; 3]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(tenant.as_bytes());
    for number in numbers {
        hasher.update(&number.to_le_bytes());
    }
    hasher.finalize()
}

/// The checksum of a row of `past`.
pub(super) fn past_checksum(
    key: &PastKey,
    sequence: u64,
    change: &[u8],
    before: Option<u32>,
) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&key.0);
    hasher.update(&sequence.to_le_bytes());
    hasher.update(change);
    if let Some(before) = before {
        hasher.update(&before.to_le_bytes());
    }
    hasher.finalize()
}

/// The tables that hold the rows of each kind as they are, with the columns that a key names.
const TABLES: [(u8, &str, &[&str]); 7] = [
    (b'r', "resource", &["name"]),
    (b'l', "location", &["id"]),
    (b't', "tier", &["name"]),
    (b's', "scope", &["id"]),
    (b'q', "quota_limit", &["scope", "resource", "location"]),
    (b'n', "tally", &["scope", "resource", "location"]),
    (b'a', "account", &["scope", "resource", "location"]),
];

/// Where the rows are that a key, or the beginning of one, is about.
pub(super) struct Current<'a> {
    pub(super) table: &'static str,
    columns: &'static [&'static str],
    /// What the first of the columns must be.
    pub(super) names: Vec<&'a str>,
}

impl PastKey {
    /// Where the rows are, as they are; `None` for a key of no known kind.
    pub(super) fn current(&self) -> Option<Current<'_>> {
        let (kind, names) = self.0.split_first()?;
        let (_, table, columns) = TABLES.into_iter().find(|(letter, ..)| letter == kind)?;
        let names = str::from_utf8(names).ok()?.split_terminator('\0');
        let names: Vec<&str> = names.collect();
        (names.len() <= columns.len()).then_some(Current {
            table,
            columns,
            names,
        })
    }
}

impl Current<'_> {
    /// The statement that selects something of these rows.
    pub(super) fn select(&self, what: &str) -> String {
        let columns = self.columns.iter().zip(1..).take(self.names.len());
        let terms = columns.map(|(column, number)| format!("{column} = ?{number}"));
        let terms: Vec<String> = terms.collect();
        let filter = if terms.is_empty() { "" } else { " WHERE " };
        format!(
            "SELECT {what} FROM {}{filter}{}",
            self.table,
            terms.join(" AND ")
        )
    }

    /// The columns that a key names.
    pub(super) fn key_columns(&self) -> String {
        self.columns.join(", ")
    }

    /// The key of a row of those columns.
    pub(super) fn key_of(&self, kind: &PastKey, row: &Row<'_>) -> rusqlite::Result<PastKey> {
        let names = (0..self.columns.len()).map(|index| row.get(index));
        let names: Vec<String> = names.collect::<rusqlite::Result<_>>()?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Ok(PastKey::of(
            kind.0.first().copied().unwrap_or_default(),
            &names,
        ))
    }
}
