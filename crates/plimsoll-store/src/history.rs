//! What was: the events of a log, and the rows as of an earlier moment.

use plimsoll_core::amount::Timestamp;
use plimsoll_core::event::{Event, Head, Log};
use plimsoll_core::model::Item;
use plimsoll_core::names::ScopeId;
use plimsoll_core::rows::Footprint;
use tokio::sync::watch;

use crate::local::Local;
use crate::news::{Kept, News};
use crate::store::{Backend, Store, StoreError};
use crate::tables::{LogHead, Tables};

/// Events in one page of a log.
pub const EVENTS_PAGE_MAX: usize = 1_000;

/// A moment in the past of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// Right after this event of the tenant's log.
    Revision(u64),
    /// Right after the tenant's last event at or before this instant, and after the catalogue's.
    Instant(Timestamp),
}

/// What is told of a moment in the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AsOfAnswer<T> {
    /// The moment is known.
    Found {
        /// The tenant's revision at that moment.
        revision: u64,
        /// What was to be told of the rows.
        answer: T,
    },
    /// The tenant's log has not come to that revision.
    Beyond {
        /// The revision that it has come to.
        head: u64,
    },
    /// The moment is before the tenant's first event.
    BeforeFirst,
}

/// An event's place in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// The record.
    pub(crate) sequence: u64,
    /// The event in the record, from 0.
    pub(crate) index: usize,
}

/// An event that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) position: Position,
    /// The log as the event left it.
    pub(crate) head: Head,
}

/// What is asked of the past.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) tenant: ScopeId,
    pub(crate) as_of: AsOf,
    /// Only these scopes, each with those above it.
    pub(crate) scopes: Vec<ScopeId>,
    pub(crate) items: Vec<Item>,
    pub(crate) all_items: bool,
    /// Where the logs of the tenant and of the catalogue stand: what comes later is not told.
    pub(crate) heads: Heads,
}

/// Where two logs stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heads {
    pub(crate) tenant: Head,
    pub(crate) catalogue: Head,
}

/// The rows at a moment that is known.
#[derive(Debug)]
pub(crate) struct RowsThen {
    pub(crate) tables: Tables,
    pub(crate) head: Head,
}

impl Store {
    /// The events of a log with a revision greater than `after`, in order: at most `max`, and at
    /// most `EVENTS_PAGE_MAX`.
    ///
    /// Every event is there that anybody was answered. Fewer than `max` may come where records are
    /// large; none come only at the log's end.
    ///
    /// Errors: [`StoreError`] where the store does not serve, too many wait already, or a file is
    /// damaged.
    pub async fn events(
        &self,
        log: &Log,
        after: u64,
        max: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let max = max.min(EVENTS_PAGE_MAX);
        let local = match &self.backend {
            Backend::Local(local) => local,
            Backend::Postgres(postgres) => return postgres.events(log, after, max).await,
        };
        let head = local.with_tables(|tables| tables.log(log).head)?;
        if head.revision <= after || max == 0 {
            return Ok(Vec::new());
        }
        let Some(past) = local.past() else {
            let of_log = |kept: &Kept| {
                let events = kept.events().map(|(_, event)| event);
                let wanted = events.filter(|event| event.log == *log && after < event.revision);
                wanted.take(max).cloned().collect()
            };
            return Ok(local.news().with_kept(of_log));
        };
        let log = log.clone();
        past.read(move |reader| reader.events(&log, after, head.revision, max))
            .await
    }

    /// The events of all logs behind a place, in the order in which they became durable, and the
    /// place behind them: whole records, at most `max` events unless the first record alone has
    /// more.
    ///
    /// Places are those of [`changes`](Self::changes); 0 is before everything. Behind the last
    /// record there are no events, and the place is the last record's.
    ///
    /// Errors: as for [`events`](Self::events).
    pub async fn events_behind(
        &self,
        place: u64,
        max: usize,
    ) -> Result<(Vec<Event>, u64), StoreError> {
        let local = match &self.backend {
            Backend::Local(local) => local,
            Backend::Postgres(postgres) => return postgres.events_behind(place, max).await,
        };
        let end = local.with_tables(|_| local.news().place())?;
        if end <= place {
            return Ok((Vec::new(), end));
        }
        let max = max.min(EVENTS_PAGE_MAX);
        let Some(past) = local.past() else {
            return Ok(local.news().with_kept(|kept| kept.behind(place, max)));
        };
        past.read(move |reader| reader.events_behind(place, end, max))
            .await
    }

    /// The place behind everything that has become durable, as it is now. On a database, what is
    /// durable by now may still lie behind it where other transactions are running.
    ///
    /// Errors: [`StoreError::Unavailable`] where the store does not serve.
    pub async fn place(&self) -> Result<u64, StoreError> {
        match &self.backend {
            Backend::Local(local) => local.with_tables(|_| local.news().place()),
            Backend::Postgres(postgres) => postgres.place().await,
        }
    }

    /// The place behind the last durable record; it ticks whenever there is a new one.
    ///
    /// Whoever sees the tick finds the record's events.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.news().subscribe()
    }

    /// Calls `report` with the rows that quotas need, as they were at a moment in the past, and
    /// with that moment: the instant that was asked for, or that of the revision's event.
    ///
    /// The rows are the whole catalogue, and of the tenant the footprint's scopes with all above
    /// them, their limits and their accounts for the footprint's items, and where the tenant's log
    /// stood (without its hash). What else there was is not there.
    ///
    /// Errors: as for [`events`](Self::events).
    pub async fn read_as_of<T>(
        &self,
        tenant: &ScopeId,
        as_of: AsOf,
        footprint: &Footprint,
        report: impl FnOnce(&Tables, Timestamp) -> T,
    ) -> Result<AsOfAnswer<T>, StoreError> {
        let log = Log::Tenant(tenant.clone());
        let heads = |tables: &Tables| Heads {
            tenant: tables.log(&log).head,
            catalogue: tables.log(&Log::Catalogue).head,
        };
        let heads = self.read(&Footprint::of_scope(tenant), heads).await?;
        if let AsOf::Revision(revision) = as_of
            && heads.tenant.revision < revision
        {
            let head = heads.tenant.revision;
            return Ok(AsOfAnswer::Beyond { head });
        }
        let then = match &self.backend {
            Backend::Local(local) => local.as_of(tenant, as_of, footprint, heads).await?,
            Backend::Postgres(postgres) => postgres.as_of(tenant, as_of).await?,
        };
        let Some(RowsThen { tables, head }) = then else {
            return Ok(AsOfAnswer::BeforeFirst);
        };
        let at = match as_of {
            AsOf::Revision(_) => head.at,
            AsOf::Instant(instant) => instant,
        };
        Ok(AsOfAnswer::Found {
            revision: head.revision,
            answer: report(&tables, at),
        })
    }

    fn news(&self) -> &News {
        match &self.backend {
            Backend::Local(local) => local.news(),
            Backend::Postgres(postgres) => &postgres.node.news,
        }
    }
}

impl Local {
    async fn as_of(
        &self,
        tenant: &ScopeId,
        as_of: AsOf,
        footprint: &Footprint,
        heads: Heads,
    ) -> Result<Option<RowsThen>, StoreError> {
        let question = Question {
            tenant: tenant.clone(),
            as_of,
            scopes: footprint.scopes.clone(),
            items: footprint.items.clone(),
            all_items: footprint.all_items,
            heads,
        };
        match self.past() {
            Some(past) => past.read(move |reader| reader.as_of(&question)).await,
            None => Ok(self.news().with_kept(|kept| kept.as_of(&question))),
        }
    }
}

impl RowsThen {
    /// Sets where the tenant's log stood.
    pub(crate) fn new(mut tables: Tables, tenant: ScopeId, found: Found) -> Self {
        let head = found.head;
        let log_head = LogHead {
            head,
            ..LogHead::default()
        };
        tables.put_log(Log::Tenant(tenant), log_head);
        Self { tables, head }
    }
}

/// The reference: everything is looked through from the start.
impl Kept {
    fn behind(&self, mut place: u64, max: usize) -> (Vec<Event>, u64) {
        let mut events = Vec::new();
        for record in self.records_after(place) {
            if !events.is_empty() && max < events.len() + record.len() {
                break;
            }
            events.extend(record.iter().cloned());
            place += 1;
        }
        (events, place)
    }

    fn as_of(&self, question: &Question) -> Option<RowsThen> {
        let log = Log::Tenant(question.tenant.clone());
        let Heads { tenant, catalogue } = question.heads;
        let (found, catalogue) = match question.as_of {
            AsOf::Revision(revision) => {
                let found = self.last(&log, tenant, |event| event.revision <= revision);
                (found?, None)
            }
            AsOf::Instant(instant) => {
                let is_then = |event: &Event| event.at <= instant;
                let found = self.last(&log, tenant, is_then)?;
                (found, self.last(&Log::Catalogue, catalogue, is_then))
            }
        };
        let end = catalogue.map_or(found.position, |it| it.position.max(found.position));
        let mut tables = Tables::default();
        for (position, event) in self.events() {
            let is_known = match &event.log {
                Log::Catalogue => position <= end,
                Log::Tenant(tenant) => *tenant == question.tenant && position <= found.position,
            };
            if is_known {
                for change in &event.changes {
                    tables.put(change.clone());
                }
            }
        }
        Some(RowsThen::new(tables, question.tenant.clone(), found))
    }

    /// The last event of a log, no later than its head, for which something is true.
    fn last(&self, log: &Log, head: Head, is_wanted: impl Fn(&Event) -> bool) -> Option<Found> {
        let is_known = |event: &Event| event.log == *log && event.revision <= head.revision;
        let mut events = self.events().rev();
        let (position, event) = events.find(|(_, event)| is_known(event) && is_wanted(event))?;
        let head = Head {
            revision: event.revision,
            at: event.at,
        };
        Some(Found { position, head })
    }
}
