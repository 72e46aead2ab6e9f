//! The rows as they were: what `past` says of the records before a moment, with the events of the
//! journal on top that neither it nor the watermark has.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::bounds::SCOPE_DEPTH_MAX;
use plimsoll_core::event::{Change, Log};
use plimsoll_core::model::{Item, Scope};
use plimsoll_core::names::ScopeId;
use rusqlite::{Row, ToSql, params};

use super::files::damaged;
use super::history_schema::{PastKey, past_checksum, row_crc};
use super::past::{PastReader, View};
use super::rows::RowError;
use crate::StoreError;
use crate::history::{AsOf, Position, Question, RowsThen};
use crate::record::{Record, read_change};
use crate::tables::Tables;

impl PastReader {
    /// The rows as of a moment; `None` before the tenant's first event.
    pub(crate) fn as_of(&mut self, question: &Question) -> Result<Option<RowsThen>, StoreError> {
        let view = self.view()?;
        let log = Log::Tenant(question.tenant.clone());
        let heads = question.heads;
        let (found, catalogue) = match question.as_of {
            AsOf::Revision(0) => return Ok(None),
            AsOf::Revision(revision) => (view.find_revision(&log, revision)?, None),
            AsOf::Instant(instant) => {
                let Some(found) = view.find_instant(&log, instant, heads.tenant)? else {
                    return Ok(None);
                };
                let catalogue = view.find_instant(&Log::Catalogue, instant, heads.catalogue)?;
                (found, catalogue)
            }
        };
        let catalogue_end = catalogue.map_or(found.position, |it| it.position.max(found.position));
        let mut tables = Tables::default();
        let catalogue = Then::new(&view, &Log::Catalogue, catalogue_end)?;
        for prefix in [PastKey::resources(), PastKey::locations(), PastKey::tiers()] {
            catalogue.put_all(&prefix, &mut tables)?;
        }
        let then = Then::new(&view, &log, found.position)?;
        for scope in then.scopes(question)?.into_values() {
            let id = scope.id.clone();
            tables.put(Change::Scope(scope));
            then.put_quotas(&id, question, &mut tables)?;
        }
        let tenant = question.tenant.clone();
        Ok(Some(RowsThen::new(tables, tenant, found)))
    }
}

/// The rows of one log right after an event.
struct Then<'a> {
    view: &'a View<'a>,
    /// `past` is asked for what this record and those before it left.
    base: u64,
    /// What events behind that record changed.
    on_top: BTreeMap<PastKey, Change>,
}

impl<'a> Then<'a> {
    fn new(view: &'a View<'a>, log: &Log, end: Position) -> Result<Self, StoreError> {
        let mut on_top = BTreeMap::new();
        let mut take = |record: Record| {
            let is_last = record.sequence == end.sequence;
            let events = record.events.into_iter().enumerate();
            let until_end = events.take_while(|(index, _)| !is_last || *index <= end.index);
            for (_, (event, _)) in until_end {
                if event.log == *log {
                    let changes = event.changes.into_iter();
                    on_top.extend(changes.filter_map(|it| Some((PastKey::of_change(&it)?, it))));
                }
            }
            !is_last
        };
        let base = if end.sequence <= view.watermark.sequence {
            take(view.journal.record(end.sequence)?);
            end.sequence.saturating_sub(1)
        } else {
            view.walk(take)?;
            view.watermark.sequence
        };
        Ok(Self { view, base, on_top })
    }

    /// A row, or that it is gone; `None` where it never was.
    fn row(&self, key: &PastKey) -> Result<Option<Change>, StoreError> {
        if let Some(change) = self.on_top.get(key) {
            return Ok(Some(change.clone()));
        }
        let read = |row: &Row<'_>| read_past(key, row);
        let key_and_base = params![key.0, self.base];
        let found = self.view.first("past", SELECT_LAST, key_and_base, read)?;
        let next = self.view.first("past", SELECT_NEXT, key_and_base, read)?;
        let expected = match next {
            Some(next) => next.before,
            None => self.current_crc(key)?,
        };
        if found.as_ref().and_then(|found| found.crc) == expected {
            Ok(found.map(|found| found.change))
        } else {
            let what = "table `past`: a row is missing";
            Err(damaged(self.view.path, what))
        }
    }

    /// The checksum of a row as it is at the watermark.
    fn current_crc(&self, key: &PastKey) -> Result<Option<u32>, StoreError> {
        let Some(current) = key.current() else {
            return Ok(None);
        };
        let names: Vec<&dyn ToSql> = current.names.iter().map(|it| it as &dyn ToSql).collect();
        self.view
            .first(current.table, &current.select("crc"), &names, |row| {
                Ok(row.get(0)?)
            })
    }

    /// The keys of the rows that are there at the watermark and whose keys begin so.
    fn current_keys(&self, prefix: &PastKey) -> Result<Vec<PastKey>, StoreError> {
        let Some(current) = prefix.current() else {
            return Ok(Vec::new());
        };
        let select = current.select(&current.key_columns());
        let keys = || {
            let mut select = self.view.ledger.prepare_cached(&select)?;
            let names = rusqlite::params_from_iter(&current.names);
            let keys = select.query_map(names, |row| current.key_of(prefix, row))?;
            keys.collect::<rusqlite::Result<_>>()
        };
        keys().map_err(|error| RowError::from(error).of(self.view.path, current.table))
    }

    fn put(&self, key: &PastKey, tables: &mut Tables) -> Result<(), StoreError> {
        if let Some(change) = self.row(key)? {
            tables.put(change);
        }
        Ok(())
    }

    /// Puts every row whose key begins so.
    fn put_all(&self, prefix: &PastKey, tables: &mut Tables) -> Result<(), StoreError> {
        let end = prefix.end();
        let mut keys: BTreeSet<PastKey> = self.current_keys(prefix)?.into_iter().collect();
        let on_top = self.on_top.range(prefix..&end);
        keys.extend(on_top.map(|(key, _)| key.clone()));
        let select = "SELECT key FROM past WHERE ?1 < key AND key < ?2 ORDER BY key LIMIT 1";
        let mut after = prefix.clone();
        // One key at a time, so that the many values of one are passed over.
        while let Some(key) = self
            .view
            .first("past", select, params![after.0, end.0], |row| {
                Ok(PastKey(row.get(0)?))
            })?
        {
            after = key.clone();
            keys.insert(key);
        }
        for key in keys {
            self.put(&key, tables)?;
        }
        Ok(())
    }

    /// The tenant's scopes that are asked for and all above them, those above first.
    fn scopes(&self, question: &Question) -> Result<BTreeMap<(u8, ScopeId), Scope>, StoreError> {
        let mut scopes = BTreeMap::new();
        for id in &question.scopes {
            let mut next = Some(id.clone());
            for _ in 0..SCOPE_DEPTH_MAX {
                let Some(id) = next.take() else {
                    break;
                };
                if let Some(Change::Scope(scope)) = self.row(&PastKey::scope(&id))?
                    && scope.tenant == question.tenant
                {
                    next.clone_from(&scope.parent);
                    scopes.insert((scope.depth, id), scope);
                }
            }
        }
        Ok(scopes)
    }

    /// Puts the limits, the accounts and the tallies of a scope.
    fn put_quotas(
        &self,
        scope: &ScopeId,
        question: &Question,
        tables: &mut Tables,
    ) -> Result<(), StoreError> {
        if question.all_items {
            self.put_all(&PastKey::limits(scope), tables)?;
            self.put_all(&PastKey::tallies(scope), tables)?;
            return self.put_all(&PastKey::accounts(scope), tables);
        }
        for item in &question.items {
            let anywhere = Item {
                resource: item.resource.clone(),
                location: None,
            };
            self.put(&PastKey::limits_of(scope, &anywhere), tables)?;
            self.put(&PastKey::limits_of(scope, item), tables)?;
            self.put(&PastKey::tally(scope, item), tables)?;
            self.put(&PastKey::account(scope, item), tables)?;
        }
        Ok(())
    }
}

const SELECT_LAST: &str = "
    SELECT sequence, change, before, crc FROM past
    WHERE key = ?1 AND sequence <= ?2 ORDER BY sequence DESC LIMIT 1";

const SELECT_NEXT: &str = "
    SELECT sequence, change, before, crc FROM past
    WHERE key = ?1 AND sequence > ?2 ORDER BY sequence LIMIT 1";

/// A row of `past`.
struct PastRow {
    change: Change,
    /// Of the row that the change leaves.
    crc: Option<u32>,
    /// Of the row before.
    before: Option<u32>,
}

fn read_past(key: &PastKey, row: &Row<'_>) -> Result<PastRow, RowError> {
    let bytes: Vec<u8> = row.get("change")?;
    let before = row.get("before")?;
    if row.get::<_, u32>("crc")? != past_checksum(key, row.get("sequence")?, &bytes, before) {
        return Err(RowError::Value("a row's checksum does not match"));
    }
    let change = read_change(&bytes)
        .map_err(|_| RowError::Value("a row is none that a record could hold"))?;
    let crc = row_crc(&change, &bytes);
    Ok(PastRow {
        change,
        crc,
        before,
    })
}
