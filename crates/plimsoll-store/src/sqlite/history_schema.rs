//! The part of `ledger.db` that finds the past in the journal, and how the follower fills it.
//!
//! The journal holds everything that ever happened; these tables say where. What the follower
//! writes at once is a round: some records, one behind the other. `log_round` names the records of
//! a log in each round. `past` has each row that a quota depends on, as each round left it: the
//! last value in that round, not each one on the way.

use plimsoll_core::event::Head;
use plimsoll_core::model::Item;
use plimsoll_core::names::{LocationId, ScopeId};
use rusqlite::{Row, Transaction, params};

use super::rows::{self, RowError};
use crate::record::{RowKind, RowOutline, integers, put_integer};

/// The tables, beside those of [`schema`](super::schema). Their rows are not counted in the
/// watermark's sums: a start does not read them. `crc` finds a row that was changed; a log's
/// revisions have no gaps, so that a row of `log_round` is missed; and a row of `past` is led to by
/// its number, from the row itself and from one value to the one before: see
/// [`values`](super::values).
pub(super) const SCHEMA: &str = "
    CREATE TABLE log_round (
        tenant         TEXT NOT NULL,            -- empty: the catalogue
        first_revision INTEGER NOT NULL,         -- of the log's first event in the round
        first_at_ms    INTEGER NOT NULL,         -- of that event
        sequence       INTEGER NOT NULL,         -- the last journal record of the round
        records        BLOB NOT NULL,            -- the journal records of the round that have
                                                 -- events of the log, two numbers for each: how
                                                 -- many records behind the one before (the first:
                                                 -- behind none), and how many events; LEB128
        crc            INTEGER NOT NULL,
        PRIMARY KEY (tenant, first_revision)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE past (
        number   INTEGER PRIMARY KEY,            -- from 1, in the order of the rounds
        sequence INTEGER NOT NULL,               -- the last journal record of the round that left
                                                 -- the row so
        change   BLOB NOT NULL,                  -- the row, or that it is gone, as the record
                                                 -- spells it
        earlier  INTEGER,                        -- the number of its value before this one; NULL:
                                                 -- there was none
        jump     INTEGER,                        -- the number of one that may be long before;
                                                 -- NULL: there was none
        crc      INTEGER NOT NULL
    ) STRICT;
";

/// Room for the names of most rows.
const KEY_BYTES: usize = 48;

/// Which row a value in `past` is of: the kind's letter, then the names that tell it from
/// others, each with a zero byte behind it. So the rows of one scope stand side by side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PastKey(pub(super) Vec<u8>);

impl PastKey {
    /// All resources.
    pub(super) fn resources() -> Self {
        Self::of(b'r', [])
    }

    /// All locations.
    pub(super) fn locations() -> Self {
        Self::of(b'l', [])
    }

    /// A scope.
    pub(super) fn scope(id: &ScopeId) -> Self {
        Self::of(b's', [id.as_str().as_bytes()])
    }

    /// All limits of a scope.
    pub(super) fn limits(scope: &ScopeId) -> Self {
        Self::of(b'q', [scope.as_str().as_bytes()])
    }

    /// The limits of a scope for an item.
    pub(super) fn limits_of(scope: &ScopeId, item: &Item) -> Self {
        Self::at(b'q', scope, item)
    }

    /// All tiers.
    pub(super) fn tiers() -> Self {
        Self::of(b't', [])
    }

    /// All tallies of a scope.
    pub(super) fn tallies(scope: &ScopeId) -> Self {
        Self::of(b'n', [scope.as_str().as_bytes()])
    }

    /// The tally of a scope and an item.
    pub(super) fn tally(scope: &ScopeId, item: &Item) -> Self {
        Self::at(b'n', scope, item)
    }

    /// All accounts of a scope.
    pub(super) fn accounts(scope: &ScopeId) -> Self {
        Self::of(b'a', [scope.as_str().as_bytes()])
    }

    /// The account of a scope and an item.
    pub(super) fn account(scope: &ScopeId, item: &Item) -> Self {
        Self::at(b'a', scope, item)
    }

    /// The row that a change is about, where a quota depends on such a row.
    pub(super) fn of_row(row: &RowOutline<'_>) -> Option<Self> {
        let letter = match row.key.kind {
            RowKind::Resource => b'r',
            RowKind::Location => b'l',
            RowKind::Scope => b's',
            RowKind::Tier => b't',
            RowKind::Limits => b'q',
            RowKind::Tally => b'n',
            RowKind::Account => b'a',
            RowKind::Reservation | RowKind::Principal | RowKind::Request | RowKind::Webhook => {
                return None;
            }
        };
        Some(Self::of(letter, row.key.names()))
    }

    /// Whether the catalogue's log is the one that changes it.
    pub(super) fn is_of_catalogue(&self) -> bool {
        matches!(self.0.first(), Some(b'r' | b'l' | b't'))
    }

    fn at(kind: u8, scope: &ScopeId, item: &Item) -> Self {
        let location = item.location.as_ref().map_or("", LocationId::as_str);
        let names = [scope.as_str(), item.resource.as_str(), location];
        Self::of(kind, names.map(str::as_bytes))
    }

    fn of<'a>(kind: u8, names: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut key = Vec::with_capacity(KEY_BYTES);
        key.push(kind);
        for name in names {
            key.extend_from_slice(name);
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

/// Where the index says that the events of a log in a round are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Revision and instant of the first of them.
    pub(super) first: Head,
    /// The last record of the round.
    pub(super) sequence: u64,
    /// The records that have any, each with how many.
    pub(super) records: Records,
}

/// Records, each with how many events of a log it has, as the index spells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    bytes: Vec<u8>,
}

/// Some events of a log that stand in one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) sequence: u64,
    pub(super) first_revision: u64,
    /// At least one.
    pub(super) count: u64,
}

impl Records {
    /// Adds a record, so many behind the one before; the first is behind none.
    pub(super) fn push(&mut self, behind: u64, count: u64) {
        put_integer(&mut self.bytes, behind);
        put_integer(&mut self.bytes, count);
    }

    /// The numbers, up to the first that is none.
    fn numbers(&self) -> impl Iterator<Item = u64> {
        integers(&self.bytes)
    }
}

impl Entry {
    /// The events, record by record.
    pub(super) fn spans(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut numbers = self.records.numbers();
        let (mut sequence, mut revision) = (0_u64, self.first.revision);
        while let (Some(behind), Some(count)) = (numbers.next(), numbers.next()) {
            sequence = sequence.saturating_add(behind);
            spans.push(Span {
                sequence,
                first_revision: revision,
                count,
            });
            revision = revision.saturating_add(count);
        }
        spans
    }

    /// The revision behind the last of them.
    pub(super) fn end_revision(&self) -> u64 {
        let counts = self.records.numbers().skip(1).step_by(2);
        counts.fold(self.first.revision, u64::saturating_add)
    }

    /// The checksum of the row that says so.
    fn checksum(&self, tenant: &str) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(tenant.as_bytes());
        for number in [self.first.revision, self.first.at.ms(), self.sequence] {
            hasher.update(&number.to_le_bytes());
        }
        hasher.update(&self.records.bytes);
        hasher.finalize()
    }

    /// Adds it to the index.
    pub(super) fn put(&self, transaction: &Transaction<'_>, tenant: &str) -> rusqlite::Result<()> {
        transaction
            .prepare_cached("INSERT INTO log_round VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![
                tenant,
                self.first.revision,
                self.first.at.ms(),
                self.sequence,
                self.records.bytes,
                self.checksum(tenant),
            ])
            .map(|_| ())
    }

    /// Reads it back from the columns of its table.
    pub(super) fn read(row: &Row<'_>) -> Result<Self, RowError> {
        let entry = Self {
            first: Head {
                revision: row.get("first_revision")?,
                at: rows::instant(row, "first_at_ms")?,
            },
            sequence: row.get("sequence")?,
            records: Records {
                bytes: row.get("records")?,
            },
        };
        let tenant: String = row.get("tenant")?;
        if row.get::<_, u32>("crc")? == entry.checksum(&tenant) {
            Ok(entry)
        } else {
            Err(RowError::Value("a row's checksum does not match"))
        }
    }
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
        let names = names.iter().map(String::as_bytes);
        let letter = kind.0.first().copied().unwrap_or_default();
        Ok(PastKey::of(letter, names))
    }
}
