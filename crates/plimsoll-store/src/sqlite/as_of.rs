//! The rows as they were: what `past` says of the rounds before a moment, with the events of the
//! journal on top that no round has up to there, or the round of the moment and what it has later.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use plimsoll_core::bounds::SCOPE_DEPTH_MAX;
use plimsoll_core::event::{Change, Head, Log};
use plimsoll_core::model::{Item, Scope};
use plimsoll_core::names::ScopeId;
use rusqlite::ToSql;

use super::history_schema::PastKey;
use super::ledger::log_name;
use super::past::{Located, PastReader, View, go_on_while};
use super::rows::RowError;
use super::values::{Tops, Value};
use crate::StoreError;
use crate::history::{AsOf, Position, Question, RowsThen};
use crate::record::{Damage, RowKey, RowOutline, Sealed, read_change};
use crate::tables::Tables;

impl PastReader {
    /// The rows as of a moment; `None` before the tenant's first event.
    pub(crate) fn as_of(&mut self, question: &Question) -> Result<Option<RowsThen>, StoreError> {
        let view = self.view()?;
        let log = Log::Tenant(question.tenant.clone());
        let heads = question.heads;
        let (of_tenant, of_catalogue) = match question.as_of {
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
        let later = of_catalogue.filter(|it| of_tenant.found.position < it.found.position);
        let catalogue = Moment::new(&Log::Catalogue, later.unwrap_or(of_tenant));
        let tenant = Moment::new(&log, of_tenant);
        let mut tables = Tables::default();
        let then = Then::new(&view, [catalogue, tenant])?;
        for prefix in [PastKey::resources(), PastKey::locations(), PastKey::tiers()] {
            then.put_all(&prefix, &mut tables)?;
        }
        for scope in then.scopes(question)?.into_values() {
            let id = scope.id.clone();
            tables.put(Change::Scope(scope.into()));
            then.put_quotas(&id, question, &mut tables)?;
        }
        let tenant = question.tenant.clone();
        Ok(Some(RowsThen::new(tables, tenant, of_tenant.found)))
    }
}

/// How far a log is to be looked at.
struct Moment<'a> {
    log: &'a Log,
    /// The last event; it may be one of another log.
    end: Position,
    /// The last record of the round in which it is; `None` where it is behind the watermark.
    round: Option<u64>,
}

impl<'a> Moment<'a> {
    fn new(log: &'a Log, at: Located) -> Self {
        Self {
            log,
            end: at.found.position,
            round: at.round,
        }
    }

    /// The record up to which `past` is to be believed: the last one of the rounds before.
    fn base(&self, view: &View<'_>) -> u64 {
        let end = self.round.map(|sequence| sequence.saturating_sub(1));
        end.unwrap_or(view.watermark.sequence)
    }
}

/// The rows of the catalogue and of one tenant, right after an event.
struct Then<'a> {
    view: &'a View<'a>,
    /// Of the catalogue and of the tenant.
    bases: [u64; 2],
    /// What events behind those records left, as the records spell it.
    on_top: BTreeMap<PastKey, Vec<u8>>,
}

impl<'a> Then<'a> {
    /// `moments` are those of the catalogue and of the tenant.
    fn new(view: &'a View<'a>, moments: [Moment<'_>; 2]) -> Result<Self, StoreError> {
        let mut on_top = OnTop::default();
        let mut behind = Vec::new();
        for moment in &moments {
            match moment.round {
                Some(round) => on_top.take_round(view, moment, round)?,
                None => behind.push(moment),
            }
        }
        let end = behind.iter().map(|moment| moment.end.sequence).max();
        if let Some(end) = end {
            view.journal.show_after(view.watermark, |record| {
                for moment in &behind {
                    on_top.take(record, moment)?;
                }
                Ok(go_on_while(record.sequence < end))
            })?;
        }
        Ok(Self {
            view,
            bases: moments.map(|moment| moment.base(view)),
            on_top: on_top.0,
        })
    }

    /// A row, or that it is gone; `None` where it never was.
    fn row(&self, key: &PastKey) -> Result<Option<Change>, StoreError> {
        let of = |error: RowError| error.of(self.view.path, "past");
        if let Some(bytes) = self.on_top.get(key) {
            return read(bytes).map(Some).map_err(of);
        }
        let [of_catalogue, of_tenant] = self.bases;
        let base = if key.is_of_catalogue() {
            of_catalogue
        } else {
            of_tenant
        };
        let Some((crc, tops)) = self.current(key)? else {
            return Ok(None);
        };
        let look = |number| Value::read(&self.view.ledger, key, number);
        let found = Tops::read(key, &tops).and_then(|tops| tops.find(crc, base, look));
        let change = found.and_then(|found| found.map(|it| read(&it.change)).transpose());
        change.map_err(of)
    }

    /// The checksum of a row as it is at the watermark, and where its past is.
    fn current(&self, key: &PastKey) -> Result<Option<(u32, Vec<u8>)>, StoreError> {
        let Some(current) = key.current() else {
            return Ok(None);
        };
        let names: Vec<&dyn ToSql> = current.names.iter().map(|it| it as &dyn ToSql).collect();
        self.view
            .first(current.table, &current.select("crc, past"), &names, |row| {
                Ok((row.get(0)?, row.get(1)?))
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
                    scopes.insert((scope.depth, id), *scope);
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

fn read(bytes: &[u8]) -> Result<Change, RowError> {
    read_change(bytes).map_err(|_| RowError::Value("a row is none that a record could hold"))
}

/// What events left, as the records spell it.
#[derive(Default)]
struct OnTop(BTreeMap<PastKey, Vec<u8>>);

impl OnTop {
    /// Takes what events of a log left in a round, up to a moment in it.
    fn take_round(
        &mut self,
        view: &View<'_>,
        moment: &Moment<'_>,
        round: u64,
    ) -> Result<(), StoreError> {
        let Some(entry) = view.entry_of_round(moment.log, round)? else {
            return Ok(());
        };
        for span in entry.spans() {
            if moment.end.sequence < span.sequence {
                break;
            }
            let heads = view
                .journal
                .show(span.sequence, |record| self.take(&record, moment))?;
            let is_whole = span.sequence < moment.end.sequence;
            let first = heads.first().map_or(span.first_revision, |it| it.revision);
            let count = heads.len() as u64;
            if first != span.first_revision || (is_whole && count != span.count) {
                return Err(view.wrong_index());
            }
        }
        Ok(())
    }

    /// Takes what events of a log left in a record, and answers where each left the log.
    fn take(&mut self, record: &Sealed<'_>, moment: &Moment<'_>) -> Result<Vec<Head>, Damage> {
        let log = log_name(moment.log);
        let index_max = (record.sequence == moment.end.sequence).then_some(moment.end.index);
        let is_over = moment.end.sequence < record.sequence;
        let mut heads = Vec::new();
        let mut last: HashMap<RowKey<'_>, RowOutline<'_>> = HashMap::new();
        record.outline(|event, rows| {
            let is_then = index_max.is_none_or(|max| event.index <= max) && !is_over;
            if is_then && event.log == log {
                heads.push(event.head);
                let rows = rows.iter().filter(|row| row.key.kind.is_of_quotas());
                last.extend(rows.map(|row| (row.key, *row)));
            }
        })?;
        let kept = last.values().filter_map(|row| {
            let key = PastKey::of_row(row)?;
            Some((key, row.bytes.to_vec()))
        });
        self.0.extend(kept);
        Ok(heads)
    }
}
