//! Reads a whole database and makes sure that it holds together, tenant by tenant.
//!
//! All in one transaction that sees one moment: nodes may serve meanwhile. The catalogue's log is
//! read first. Each tenant's log is then replayed with the catalogue as each event was decided by
//! it, and what comes out is compared with the tenant's rows. No more than one tenant is in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_core::event::{Change, Event, Log};
use tokio_postgres::Row;

use super::cursor::Cursor;
use super::expected::Expected;
use super::load::{log_head, unsigned};
use super::names::{damaged, scope_id};
use super::options::{PostgresOptions, Target};
use super::rows::Table;
use super::schema;
use super::session::{Fault, Session, Transaction};
use super::tips::{LogTip, Tips};
use crate::audit::Audit;
use crate::record::{chained, log_name, read_event};
use crate::replay;
use crate::store::StoreError;
use crate::tables::{LogHead, Tables};

/// How long one statement may take: the first row of a table may come when all are sorted.
pub(super) const STATEMENT_PATIENCE: Duration = Duration::from_secs(60 * 60);

/// Events and rows that are fetched at once.
const EVENTS_AT_ONCE: usize = 500;
const ROWS_AT_ONCE: usize = 1_000;

/// What a whole database was found to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedDatabase {
    /// Events, each with the next revision of its log and chained to the one before.
    pub events: u64,
    /// Where its logs stand, by tenant; the catalogue's name is empty.
    pub logs: BTreeMap<String, LogHead>,
    /// Admissions that kept to every limit that was in force.
    pub admissions: u64,
    /// Admissions that did not have to, by the name of their mark: `forced`.
    pub marked: BTreeMap<&'static str, u64>,
    /// Reservations that are held or committed at the end.
    pub reservations_live: u64,
    /// Rows, each as the events have left it.
    pub rows: u64,
}

impl VerifiedDatabase {
    /// What to keep, and to expect later.
    pub fn tips(&self) -> Tips {
        Tips::of(&self.logs)
    }
}

/// Replays every log of a database from its first event, and compares every row with what comes
/// out; `progress` is told how many events were replayed, and of how many.
///
/// It waits, so it is not for a thread that answers others. Nodes may serve meanwhile.
///
/// Errors: [`StoreError::Database`] names the first thing that is wrong.
pub fn verify(
    options: &PostgresOptions,
    progress: impl FnMut(u64, u64),
) -> Result<VerifiedDatabase, StoreError> {
    verify_with(options, Tips::default(), progress)
}

/// [`verify()`], which also expects the events that were tips once.
pub fn verify_with(
    options: &PostgresOptions,
    expected: Tips,
    progress: impl FnMut(u64, u64),
) -> Result<VerifiedDatabase, StoreError> {
    let target = Target::patient(options, STATEMENT_PATIENCE)?;
    let runtime = super::waiting_runtime(&target)?;
    runtime.block_on(async {
        let session = schema::check_to_read(&target).await?;
        let verified = verify_on(&session, expected, progress).await;
        verified.map_err(|fault| told(&target, fault))
    })
}

/// What is wrong, for people.
pub(super) fn told(target: &Target, fault: Fault) -> StoreError {
    match fault {
        Fault::Damaged(what) => target.error(format!("is damaged: {what}"), None),
        Fault::Lost(source) => {
            let what = "was lost, or warned of something: run the same command again";
            target.error(what, source)
        }
        Fault::Refused(source) => target.error("refuses", Some(source)),
        fault @ (Fault::Again | Fault::Behind { .. }) => target.error(fault.to_string(), None),
    }
}

/// [`verify_with`] on a connection.
pub(super) async fn verify_on(
    session: &Session,
    expected: Tips,
    progress: impl FnMut(u64, u64),
) -> Result<VerifiedDatabase, Fault> {
    session.begin(Transaction::Reading).await?;
    let sql = "SELECT coalesce(sum(revision), 0)::bigint FROM plimsoll.log";
    let rows = session.rows(sql, &[]).await?;
    let in_all = rows.first().map_or(Ok(0), |row| unsigned(row.get(0)))?;
    let replay = Replay {
        session,
        streams: Streams::open(session).await?,
        catalogue: Catalogue::default(),
        audit: Audit::default(),
        expected,
        found: Found::default(),
        in_all,
        progress,
    };
    let verified = replay.run().await?;
    session.run("COMMIT").await?;
    Ok(verified)
}

/// Everything there is, each in the order of tenants; the catalogue's tenant is the empty one.
struct Streams {
    logs: Cursor,
    events: Cursor,
    rows: Vec<(Table, Cursor)>,
}

impl Streams {
    async fn open(session: &Session) -> Result<Self, Fault> {
        let logs = "SELECT tenant, revision, at_ms, chain FROM plimsoll.log ORDER BY tenant";
        let events = "SELECT tenant, revision, at_ms, catalogue, chain, event \
                      FROM plimsoll.event ORDER BY tenant, revision";
        let mut rows = Vec::new();
        for table in [
            Table::Catalogue,
            Table::Principal,
            Table::Scope,
            Table::Limits,
            Table::Account,
            Table::Tally,
            Table::Request,
            Table::Reservation,
        ] {
            let (name, columns, _) = table.layout();
            let columns: Vec<String> = columns.iter().map(|it| spelled(it)).collect();
            let columns = columns.join(", ");
            let of = |tenant: &str, from: &str, order: &str| {
                format!("SELECT {tenant}, {columns} FROM plimsoll.{name} t {from} ORDER BY {order}")
            };
            let select = match table {
                Table::Catalogue | Table::Principal => of("''", "", "1"),
                Table::Limits | Table::Account | Table::Tally => of(
                    "s.tenant",
                    "LEFT JOIN plimsoll.scope s ON s.id = t.scope",
                    "s.tenant, t.scope",
                ),
                Table::Scope | Table::Request | Table::Reservation | Table::Log | Table::Event => {
                    of("t.tenant", "", "t.tenant, t.id")
                }
            };
            let cursor = Cursor::open(session, name, &select, ROWS_AT_ONCE).await?;
            rows.push((table, cursor));
        }
        Ok(Self {
            logs: Cursor::open(session, "logs", logs, ROWS_AT_ONCE).await?,
            events: Cursor::open(session, "events", events, EVENTS_AT_ONCE).await?,
            rows,
        })
    }
}

/// A column as it is compared: a list of texts as one text.
fn spelled(column: &str) -> String {
    match column {
        "above" => "array_to_string(t.above, ' ')".to_owned(),
        column => format!("t.{column}"),
    }
}

/// The catalogue as it was at each of its revisions.
#[derive(Default)]
struct Catalogue {
    /// What has changed of what decisions go by, and with which revision.
    changes: Vec<(u64, Change)>,
    revision: u64,
}

impl Catalogue {
    fn note(&mut self, event: &Event) {
        let of_decisions = event.changes.iter().filter(|change| {
            matches!(
                change,
                Change::Resource(_) | Change::Location(_) | Change::Tier(_)
            )
        });
        let revision = event.revision;
        self.changes
            .extend(of_decisions.map(|change| (revision, change.clone())));
        self.revision = revision;
    }
}

/// What was counted so far.
#[derive(Default)]
struct Found {
    events: u64,
    logs: BTreeMap<String, LogHead>,
    reservations_live: u64,
    rows: u64,
}

/// A database read so far.
struct Replay<'a, P> {
    session: &'a Session,
    streams: Streams,
    catalogue: Catalogue,
    audit: Audit,
    expected: Tips,
    found: Found,
    in_all: u64,
    progress: P,
}

/// One log, replayed so far.
struct One {
    log: Log,
    tables: Tables,
    expected: Expected,
    /// The event that was its last once.
    tip: Option<LogTip>,
    /// How many of the catalogue's changes are in the tables.
    changes: usize,
    /// By which revision of the catalogue its last event was decided.
    decided_by: u64,
}

impl<P: FnMut(u64, u64)> Replay<'_, P> {
    async fn run(mut self) -> Result<VerifiedDatabase, Fault> {
        while let Some(root) = self.streams.logs.next(self.session).await? {
            self.log(&root).await?;
        }
        if self.found.logs.is_empty() {
            return Err(damaged("the catalogue's root row is missing"));
        }
        if let Some(row) = self.streams.events.peek(self.session).await? {
            return Err(damaged(format!("{} belongs to no log", place_of(row))));
        }
        self.expected.expect_none_before(None)?;
        for (table, cursor) in &mut self.streams.rows {
            if let Some(row) = cursor.peek(self.session).await? {
                return Err(Expected::foreign(*table, row));
            }
        }
        Ok(VerifiedDatabase {
            events: self.found.events,
            logs: self.found.logs,
            admissions: self.audit.admissions,
            marked: self.audit.marked,
            reservations_live: self.found.reservations_live,
            rows: self.found.rows,
        })
    }

    /// Replays one log and compares the rows that it makes.
    async fn log(&mut self, root: &Row) -> Result<(), Fault> {
        let name: &str = root.get(0);
        if self.found.logs.is_empty() && !name.is_empty() {
            return Err(damaged("the catalogue's root row is missing"));
        }
        let mut one = One {
            log: match name {
                "" => Log::Catalogue,
                tenant => Log::Tenant(scope_id(tenant)?),
            },
            tables: Tables::default(),
            expected: Expected::default(),
            tip: self.expected.take(name)?,
            changes: 0,
            decided_by: 0,
        };
        while let Some(row) = self.streams.events.next_of(self.session, name).await? {
            self.event(&mut one, &row)?;
        }
        if let Some(row) = self.streams.events.peek(self.session).await?
            && row.get::<_, &str>(0) < name
        {
            return Err(damaged(format!("{} belongs to no log", place_of(row))));
        }
        let head = one.tables.log(&one.log);
        if log_head(root, 1)? != head {
            let (found, kept) = (head.head.revision, unsigned(root.get(1))?);
            return Err(damaged(format!(
                "the log of {} ends at revision {found}, and its root row says that it ends at \
                 {kept}, or another hash or time",
                owner(name)
            )));
        }
        if let Some(tip) = &one.tip {
            tip.expect_reached(name, head.head.revision)?;
        }
        replay::check(&one.tables)
            .map_err(|misfit| damaged(format!("{}: {misfit}", owner(name))))?;
        for (table, cursor) in &mut self.streams.rows {
            self.found.rows += one
                .expected
                .compare(self.session, *table, cursor, name)
                .await?;
        }
        one.expected.expect_all_found()?;
        self.found.reservations_live += one.tables.reservations().live_count();
        self.found.logs.insert(name.to_owned(), head);
        Ok(())
    }

    /// Takes one event of a log.
    fn event(&mut self, one: &mut One, row: &Row) -> Result<(), Fault> {
        let wrong = |what: &dyn std::fmt::Display| damaged(format!("{}: {what}", place_of(row)));
        let head = one.tables.log(&one.log);
        let revision = unsigned(row.get(1))?;
        if revision != head.head.revision + 1 {
            let missing = head.head.revision + 1;
            let owner = owner(log_name(&one.log));
            return Err(damaged(format!("revision {missing} of {owner} is missing")));
        }
        let bytes: &[u8] = row.get(5);
        let chain = chained(&head.chain, bytes);
        if row.get::<_, &[u8]>(4) != chain {
            let what = "its hash is not that of its bytes and of the event before it";
            return Err(wrong(&what));
        }
        if let Some(tip) = &one.tip {
            tip.expect_event(log_name(&one.log), revision, &chain)?;
        }
        let event = read_event(bytes).map_err(|damage| wrong(&damage))?;
        let is_here = event.log == one.log && event.revision == revision;
        if !is_here || event.at.ms() != unsigned(row.get(2))? {
            return Err(wrong(&"its columns are not what its bytes say"));
        }
        let decided_by = unsigned(row.get(3))?;
        let last = match one.log {
            Log::Catalogue => revision - 1,
            Log::Tenant(_) => self.catalogue.revision,
        };
        if decided_by < one.decided_by || last < decided_by {
            return Err(wrong(
                &"it names a revision of the catalogue that was not in force",
            ));
        }
        one.decided_by = decided_by;
        if one.log == Log::Catalogue {
            self.catalogue.note(&event);
        } else {
            one.go_on_to(&self.catalogue);
        }
        let judged = self.audit.judge(&one.tables, &event);
        judged.map_err(damaged)?;
        for change in &event.changes {
            one.expected.note(change);
        }
        let applied = one.tables.apply(event, chain);
        applied.map_err(|breach| wrong(&breach))?;
        self.found.events += 1;
        (self.progress)(self.found.events, self.in_all);
        Ok(())
    }
}

impl One {
    /// Brings the catalogue to where it was when the event that comes next was decided.
    fn go_on_to(&mut self, catalogue: &Catalogue) {
        let rest = catalogue.changes.get(self.changes..).unwrap_or_default();
        let in_force = rest
            .iter()
            .take_while(|(revision, _)| *revision <= self.decided_by);
        for (_, change) in in_force {
            self.tables.put(change.clone());
            self.changes += 1;
        }
    }
}

fn place_of(row: &Row) -> String {
    format!("revision {} of {}", row.get::<_, i64>(1), owner(row.get(0)))
}

/// Whose a log is, for people.
pub(super) fn owner(name: &str) -> String {
    match name {
        "" => "the catalogue".to_owned(),
        tenant => format!("`{tenant}`"),
    }
}
