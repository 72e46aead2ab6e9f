//! What was: events page by page, and the rows as of every moment there ever was.

mod damaged;
mod pages;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use expect_test::{Expect, expect};
use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::Command;
use plimsoll_core::event::{Event, Log};
use plimsoll_core::model::{Account, Item, Limit, Mode, Reach, Tally};
use plimsoll_core::names::ScopeId;
use plimsoll_core::report::{Quota, QuotaFilter, quotas};
use plimsoll_core::rows::{Footprint, Rows};
use plimsoll_store::{AsOf, AsOfAnswer, EVENTS_PAGE_MAX, Store, StoreError, Tables};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::cluster;
use crate::damage::{files, tamper, told};
use crate::durability::work;
use crate::settings::limit_for;
use crate::support::*;

const SCOPES: [&str; 4] = ["acme", "p", "p-q", "other"];
const INSTANTS_MS: [u64; 9] = [0, 1, 9, 10, 11, 35, 60, 95, 1_000];

/// Everything that is told of a scope and the way to its tenant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    quotas: Option<Vec<Quota>>,
    revision: u64,
    rows: Vec<(ScopeId, Item, Vec<Limit>, Account, Tally)>,
}

fn tenant_of(id: &str) -> ScopeId {
    scope(if id == "other" { "other" } else { "acme" })
}

fn footprint(id: &str) -> Footprint {
    Footprint {
        scopes: vec![scope(id)],
        all_items: true,
        ..Footprint::default()
    }
}

fn tell(tables: &Tables, id: &str, at: Timestamp) -> Told {
    let all = QuotaFilter::default();
    let quotas = quotas(tables, &Reach::Everything, &scope(id), &all, at);
    let items = ["vm/image@FRA-A", "vm/image@HKG-A", "vm/image", "vm/disk"].map(item);
    let rows = items.map(|item| {
        let id = scope(id);
        let limits = tables.limits(&id, &item).to_vec();
        let tally = tables.tally(&id, &item);
        let account = tables.account(&id, &item);
        (id, item, limits, account, tally)
    });
    Told {
        quotas: quotas.map(Iterator::collect),
        revision: tables.head(&Log::Tenant(tenant_of(id))).revision,
        rows: rows.into(),
    }
}

fn as_of(store: &Store, id: &str, moment: AsOf) -> AsOfAnswer<(Told, Timestamp)> {
    try_as_of(store, id, moment).expect("an answer")
}

/// What is told of a scope as of a moment, unless a file is damaged.
pub(crate) fn try_as_of(
    store: &Store,
    id: &str,
    moment: AsOf,
) -> Result<AsOfAnswer<(Told, Timestamp)>, StoreError> {
    let report = |tables: &Tables, at| (tell(tables, id, at), at);
    wait(store.read_as_of(&tenant_of(id), moment, &footprint(id), report))
}

fn logs() -> Vec<Log> {
    let tenants = ["acme", "other", "nobody"].map(|id| Log::Tenant(scope(id)));
    [Log::Catalogue].into_iter().chain(tenants).collect()
}

/// A log in pages of a size.
pub(crate) fn events(store: &Store, log: &Log, max: usize) -> Vec<Event> {
    let mut all: Vec<Event> = Vec::new();
    loop {
        let after = all.last().map_or(0, |event| event.revision);
        let page = wait(store.events(log, after, max)).expect("a page");
        assert!(page.len() <= max);
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// The whole journal, in portions of about so many events.
fn journal(store: &Store, max: usize) -> Vec<Event> {
    let (mut all, mut place) = (Vec::new(), 0);
    loop {
        let (events, next) = wait(store.events_behind(place, max)).expect("a portion");
        all.extend(events);
        if next == place {
            assert_eq!(place, *store.changes().borrow());
            return all;
        }
        place = next;
    }
}

/// Everything that a store tells of the past.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Past {
    logs: Vec<Vec<Event>>,
    journal: Vec<Event>,
    moments: Vec<AsOfAnswer<(Told, Timestamp)>>,
}

pub(crate) fn past(store: &Store) -> Past {
    let logs = log_pages(store);
    Past {
        journal: journal(store, 5),
        moments: moments(store, &logs),
        logs,
    }
}

fn log_pages(store: &Store) -> Vec<Vec<Event>> {
    logs().iter().map(|log| events(store, log, 7)).collect()
}

fn moments(store: &Store, logs: &[Vec<Event>]) -> Vec<AsOfAnswer<(Told, Timestamp)>> {
    let mut moments = Vec::new();
    for id in SCOPES.into_iter().chain(["nobody"]) {
        let revisions = (0..=logs[1].len() as u64 + 1).map(AsOf::Revision);
        let instants = INSTANTS_MS.map(|ms| AsOf::Instant(at(ms)));
        let all = revisions.chain(instants);
        moments.extend(all.map(|moment| as_of(store, id, moment)));
    }
    moments
}

/// Some of what a store tells of the past.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    logs: Vec<Vec<Event>>,
    moments: Vec<AsOfAnswer<(Told, Timestamp)>>,
}

/// Some of what a store tells of the past, unless a file is damaged.
pub(crate) fn try_sample(store: &Store) -> Result<Sample, StoreError> {
    let mut sample = Sample::default();
    for log in logs() {
        let events = wait(store.events(&log, 0, EVENTS_PAGE_MAX))?;
        sample.logs.push(events);
    }
    for id in SCOPES {
        let (tenant, footprint) = (tenant_of(id), footprint(id));
        for revision in (1..=80).step_by(13) {
            let report = |tables: &Tables, at| (tell(tables, id, at), at);
            let moment = AsOf::Revision(revision);
            let told = store.read_as_of(&tenant, moment, &footprint, report);
            sample.moments.push(wait(told)?);
        }
    }
    Ok(sample)
}

fn open_at(directory: &Path, clock: &HandClock) -> Store {
    Store::sqlite(directory, clock.clock()).unwrap_or_else(|error| panic!("{}", chain_of(&error)))
}

/// Batches of one command and of many, at times that go back once.
fn batches() -> Vec<(u64, Vec<Command>)> {
    let image = [("vm/image@FRA-A", 2)];
    let mut batches = vec![(0, base())];
    for number in 0..3 {
        work(number, |commands| batches.push((10 * number, commands)));
    }
    batches.extend([
        (35, vec![put_resource("vm/image", finite(9), true)]),
        (36, vec![put_limit("acme", "vm/image", finite(40))]),
        (37, vec![reserve("a", "p-q", &image, Some(20))]),
        (20, vec![delete_limit("p", "vm/image")]),
        (20, vec![put_resource("vm/gpu", finite(1), false)]),
        (
            40,
            vec![
                resize("acme", "a", &[("vm/image@FRA-A", 3)]),
                put_resource("vm/disk", finite(7), false),
                transfer("acme", "a", "p"),
                reserve("b", "other", &[("vm/disk", 1)], None),
                put_resource("vm/disk", finite(8), false),
            ],
        ),
        (90, vec![expire("acme"), expire("other")]),
        (95, vec![put_scope("p-r", Some("p"))]),
        (99, vec![put_location("SIN-A", "Singapore")]),
        // What is let past is counted.
        (100, vec![limit_for(1, [None, None], Mode::Warn)]),
        (101, vec![reserve("c", "p", &image, None)]),
    ]);
    batches
}

/// Both stores after the same batches, and both files as they were after each.
pub(crate) struct Written {
    pub(crate) directory: TempDir,
    clock: HandClock,
    pub(crate) memory: Store,
    ledgers: Vec<Vec<u8>>,
    pub(crate) journals: Vec<Vec<u8>>,
}

impl Written {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let clock = HandClock::default();
        let memory = Store::memory(clock.clock());
        drop(open_at(directory.path(), &clock));
        let read = |file| fs::read(directory.path().join(file)).expect("a file");
        let mut ledgers = vec![read("ledger.db")];
        let mut journals = vec![read("journal.db")];
        for (ms, commands) in batches() {
            clock.set(ms);
            let outcomes = submit(&memory, commands.clone());
            let sqlite = open_at(directory.path(), &clock);
            assert_eq!(submit(&sqlite, commands), outcomes);
            drop(sqlite);
            ledgers.push(read("ledger.db"));
            journals.push(read("journal.db"));
        }
        Self {
            directory,
            clock,
            memory,
            ledgers,
            journals,
        }
    }

    pub(crate) fn open(&self) -> Store {
        open_at(self.directory.path(), &self.clock)
    }
}

#[test]
fn every_store_tells_the_same_past_at_every_moment() {
    let clock = HandClock::default();
    let directory = tempfile::tempdir().expect("a directory");
    let memory = Store::memory(clock.clock());
    let sqlite = open_at(directory.path(), &clock);
    let postgres = cluster::node(&cluster::database(), clock.clock());
    for (ms, commands) in batches() {
        clock.set(ms);
        for store in [&memory, &sqlite, &postgres] {
            submit(store, commands.clone());
        }
        assert_eq!(past(&sqlite), past(&memory));
    }
    // All logs together are in another order there, each log by itself is not.
    let logs = log_pages(&memory);
    assert_eq!(log_pages(&postgres), logs);
    assert_eq!(moments(&postgres, &logs), moments(&memory, &logs));
}

/// The ledger is kept from following, so that what is told comes from it up to a watermark, and
/// from the journal behind.
#[test]
fn the_past_is_the_same_at_every_watermark() {
    let written = Written::new();
    let expected = past(&written.memory);
    for ledger in &written.ledgers {
        let path = written.directory.path().join("ledger.db");
        fs::write(&path, ledger).expect("a file");
        let lock = Connection::open(&path).expect("a database");
        lock.execute_batch("BEGIN IMMEDIATE").expect("the lock");
        let store = written.open();
        assert_eq!(past(&store), expected);
        drop(lock);
        drop(store);
    }
    fs::remove_file(written.directory.path().join("ledger.db")).expect("a file");
    drop(written.open());
    assert_eq!(past(&written.open()), expected, "made anew");
}

/// What was told then is what is told now of then.
#[test]
fn the_past_is_what_was_seen() {
    let clock = HandClock::default();
    let directory = tempfile::tempdir().expect("a directory");
    let store = open_at(directory.path(), &clock);
    let mut seen = BTreeMap::new();
    for (ms, commands) in batches() {
        clock.set(ms);
        for command in commands {
            submit(&store, vec![command]);
            for id in SCOPES {
                let look = |tables: &Tables| {
                    let log = tables.log(&Log::Tenant(tenant_of(id)));
                    (tell(tables, id, log.head.at), log)
                };
                let (told, log) = wait(store.read(&Footprint::default(), look)).expect("rows");
                // The first look behind an event: later ones may have another catalogue.
                seen.entry((id, log.head.revision))
                    .or_insert((told, log.head.at));
            }
        }
    }
    assert!(60 < seen.len(), "{}", seen.len());
    for ((id, revision), expected) in seen {
        match as_of(&store, id, AsOf::Revision(revision)) {
            AsOfAnswer::Found {
                revision: found,
                answer,
            } => {
                assert_eq!((found, answer), (revision, expected));
            }
            AsOfAnswer::BeforeFirst => assert_eq!(revision, 0),
            AsOfAnswer::Beyond { head } => panic!("{revision} is beyond {head}"),
        }
    }
}

#[test]
fn an_instant_is_told_with_the_catalogue_of_the_instant() {
    let written = Written::new();
    let store = written.open();
    let default_at = |ms| match as_of(&store, "p-q", AsOf::Instant(at(ms))) {
        AsOfAnswer::Found { revision, answer } => {
            let quotas = answer.0.quotas.expect("a scope");
            assert_eq!(answer.1, at(ms));
            let image = quotas
                .iter()
                .find(|quota| quota.item == item("vm/image@HKG-A"));
            (revision, image.map(|quota| quota.sources[0].ceiling))
        }
        other => panic!("{other:?}"),
    };
    let before = default_at(34);
    assert_eq!(before.1, Some(finite(5)));
    assert_eq!(default_at(35), (before.0, Some(finite(9))));
    assert_eq!(default_at(36), (before.0 + 1, Some(finite(9))));
}

#[test]
fn moments_that_are_not_there_are_answers() {
    let clock = HandClock::default();
    clock.set(10);
    let directory = tempfile::tempdir().expect("a directory");
    let sqlite = open_at(directory.path(), &clock);
    for store in [&Store::memory(clock.clock()), &sqlite] {
        assert_eq!(
            as_of(store, "acme", AsOf::Revision(1)),
            AsOfAnswer::Beyond { head: 0 }
        );
        assert_eq!(
            as_of(store, "acme", AsOf::Instant(at(10))),
            AsOfAnswer::BeforeFirst
        );
        submit(store, base());
        assert_eq!(
            as_of(store, "acme", AsOf::Revision(4)),
            AsOfAnswer::Beyond { head: 3 }
        );
        assert_eq!(
            as_of(store, "acme", AsOf::Revision(0)),
            AsOfAnswer::BeforeFirst
        );
        assert_eq!(
            as_of(store, "acme", AsOf::Instant(at(9))),
            AsOfAnswer::BeforeFirst
        );
        let found = as_of(store, "acme", AsOf::Instant(at(10)));
        assert!(
            matches!(found, AsOfAnswer::Found { revision: 3, .. }),
            "{found:?}"
        );
        assert_eq!(
            wait(store.events_behind(99, 1)).expect("none"),
            (Vec::new(), 1)
        );
        let log = Log::Tenant(scope("acme"));
        assert!(wait(store.events(&log, 0, 0)).expect("none").is_empty());
        assert!(wait(store.events(&log, 3, 9)).expect("none").is_empty());
    }
}

/// Whoever was answered finds the event, however far behind the ledger is.
#[test]
fn an_acknowledged_event_is_found_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    submit(&store, base());
    let log = Log::Tenant(scope("acme"));
    for revision in 4..200 {
        submit(&store, vec![put_limit("p", "vm/disk", finite(revision))]);
        let found = wait(store.events(&log, revision - 1, 9)).expect("a page");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].revision, revision);
        let told = as_of(&store, "p", AsOf::Revision(revision));
        let AsOfAnswer::Found { answer, .. } = told else {
            panic!("{told:?}");
        };
        let limit = answer.0.rows[3].2.first().expect("a limit");
        assert_eq!(limit.revision, revision);
    }
}
