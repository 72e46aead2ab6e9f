//! A ledger that moves from one store to another is the same there, and goes on.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use plimsoll_core::command::{Action, Command, PutWebhook};
use plimsoll_core::event::{Cause, Log};
use plimsoll_core::names::WebhookId;
use plimsoll_store::copy::{Copied, Copier, Ledger, Step};
use plimsoll_store::{PostgresOptions, Store, StoreError, sqlite};
use tempfile::TempDir;

use crate::cluster::{self, Cluster};
use crate::durability::work;
use crate::history::try_sample;
use crate::settings::put_webhook;
use crate::snapshot::{Snapshot, snapshot};
use crate::support::*;

fn try_copy(from: &Ledger, to: &Ledger, progress: impl FnMut(Step)) -> Result<Copied, StoreError> {
    Copier::open(from, to)?.run(BTreeMap::new(), progress)
}

fn copy(from: &Ledger, to: &Ledger) -> Copied {
    try_copy(from, to, |_| ()).unwrap_or_else(|error| panic!("{}", chain_of(&error)))
}

fn refusal(from: &Ledger, to: &Ledger) -> String {
    chain_of(&try_copy(from, to, |_| ()).expect_err("it must not be copied"))
}

fn in_directory(path: &Path) -> Ledger {
    Ledger::Directory(path.to_owned())
}

/// A place for a ledger, with a way to open it.
struct Place {
    ledger: Ledger,
    _directory: Option<TempDir>,
}

impl Place {
    fn directory() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Self {
            ledger: in_directory(directory.path()),
            _directory: Some(directory),
        }
    }

    fn database() -> Self {
        Self {
            ledger: Ledger::Database(cluster::database()),
            _directory: None,
        }
    }

    fn of_kind(is_database: bool) -> Self {
        if is_database {
            Self::database()
        } else {
            Self::directory()
        }
    }

    fn try_open(&self, clock: &HandClock) -> Result<Store, StoreError> {
        match &self.ledger {
            Ledger::Directory(path) => Store::sqlite(path, clock.clock()),
            Ledger::Database(options) => wait(Store::postgres(options, clock.clock())),
        }
    }

    fn open(&self, clock: &HandClock) -> Store {
        self.try_open(clock)
            .unwrap_or_else(|error| panic!("{}", chain_of(&error)))
    }
}

/// Fills a store with every kind of row; answers what it then shows.
fn fill(store: &Store, clock: &HandClock, rounds: u64) {
    submit(store, base());
    for number in 0..rounds {
        clock.set(10 * number);
        work(number, |commands| drop(submit(store, commands)));
        submit(store, vec![put_resource("vm/gpu", finite(number), false)]);
    }
}

/// What a conformance scenario has left is the same when it has moved, either way.
pub(crate) fn assert_same_elsewhere(
    directory: &Path,
    database: &PostgresOptions,
    expected: &Snapshot,
) {
    let clock = HandClock::default();
    let places = [Place::database(), Place::directory()];
    let sources = [in_directory(directory), Ledger::Database(database.clone())];
    for (from, to) in sources.iter().zip(&places) {
        let copied = copy(from, &to.ledger);
        let mut seen = snapshot(&to.open(&clock), 100);
        assert_eq!(copied.webhooks, expected.webhooks.len());
        if copied.webhooks != 0 {
            // How far they were told is another number here, which one event each notes.
            for (row, before) in seen.webhooks.iter_mut().zip(&expected.webhooks) {
                row.delivered = before.delivered;
            }
            seen.logs[0].1 = expected.logs[0].1;
        }
        assert_eq!(seen, *expected);
    }
}

#[test]
fn a_ledger_moves_there_and_back_and_goes_on() {
    let clock = HandClock::default();
    let places = [
        Place::directory(),
        Place::database(),
        Place::database(),
        Place::directory(),
    ];
    let memory = Store::memory(clock.clock());
    fill(&memory, &clock, 5);
    let first = places[0].open(&clock);
    clock.set(0);
    fill(&first, &clock, 5);
    drop(first);
    for (number, pair) in (5..).zip(places.windows(2)) {
        let copied = copy(&pair[0].ledger, &pair[1].ledger);
        let store = pair[1].open(&clock);
        let expected = snapshot(&memory, 100);
        let events: u64 = expected.logs.iter().map(|(_, log)| log.head.revision).sum();
        assert_eq!(
            (copied.events, copied.events_before, copied.logs),
            (events, 0, 3)
        );
        assert_eq!(snapshot(&store, 100), expected);
        let past = [&store, &memory].map(|store| try_sample(store).expect("served"));
        assert_eq!(past[0], past[1]);
        // The same again is the same, and what comes next is chained to what was.
        let again = reserve("kept1", "p", &[("vm/image@HKG-A", 3)], None);
        for store in [&memory, &store] {
            assert!(reserved(wait(store.submit(vec![again.clone()]))).is_some());
            work(number, |commands| drop(submit(store, commands)));
        }
        assert_eq!(snapshot(&store, 100), snapshot(&memory, 100));
    }
    let Ledger::Directory(last) = &places[3].ledger else {
        panic!("it is a directory");
    };
    sqlite::verify(last).expect("a sound journal");
}

/// All events with their places, apart from those that note places. They are told up to the
/// oldest transaction that is running in the whole server, and other tests run some.
fn all_places(store: &Store) -> Vec<(u64, Log, u64)> {
    let logs = snapshot(store, 100).logs;
    let in_all: u64 = logs.iter().map(|(_, log)| log.head.revision).sum();
    let (mut all, mut count, mut after) = (Vec::new(), 0, 0);
    until("every event can be told", || {
        let (events, next) = wait(store.events_behind(after, 1)).expect("served");
        for event in events {
            count += 1;
            if event.cause != Cause::WebhookDelivered {
                all.push((next, event.log, event.revision));
            }
        }
        after = next;
        count == in_all
    });
    all
}

/// What is told to a webhook that was told up to a place.
fn told_behind(all: &[(u64, Log, u64)], place: u64) -> Vec<(Log, u64)> {
    let behind = all.iter().filter(|(at, _, _)| place < *at);
    let mut told: Vec<_> = behind.map(|(_, log, it)| (log.clone(), *it)).collect();
    told.sort_unstable();
    told
}

fn last_place(store: &Store) -> u64 {
    all_places(store).last().expect("an event").0
}

#[test]
fn a_webhook_is_told_what_it_was_not_told_before() {
    let hook = |id: &str, delivered| {
        let Action::PutWebhook(put) = put_webhook(id, true).action else {
            panic!("it puts a webhook");
        };
        by_root(Action::PutWebhook(PutWebhook { delivered, ..put }))
    };
    for [from, to] in [[false, true], [true, false], [true, true]] {
        let (clock, places) = (HandClock::default(), [from, to].map(Place::of_kind));
        let store = places[0].open(&clock);
        fill(&store, &clock, 2);
        let middle = last_place(&store);
        fill(&store, &clock, 4);
        let end = last_place(&store);
        submit(
            &store,
            vec![hook("all", 0), hook("half", middle), hook("late", end)],
        );
        let expected = ["all", "half", "late"].map(|id| delivered(&store, id));
        let all = all_places(&store);
        let expected = expected.map(|place| told_behind(&all, place));
        assert!(expected[2].len() < expected[1].len() && expected[1].len() < expected[0].len());
        drop(store);
        assert_eq!(copy(&places[0].ledger, &places[1].ledger).webhooks, 3);
        let store = places[1].open(&clock);
        let all = all_places(&store);
        let told = ["all", "half", "late"].map(|id| told_behind(&all, delivered(&store, id)));
        assert_eq!(told, expected, "{from} {to}");
    }
}

#[test]
fn a_copy_that_was_ended_behind_its_last_event_goes_on() {
    let (clock, places) = (HandClock::default(), [true, false].map(Place::of_kind));
    let [source, target] = places.each_ref().map(|place| &place.ledger);
    let store = places[0].open(&clock);
    fill(&store, &clock, 2);
    submit(&store, vec![put_webhook("one", true)]);
    fill(&store, &clock, 1);
    submit(&store, vec![put_webhook("other", true)]);
    drop(store);
    let first = copy(source, target);
    let Ledger::Directory(directory) = target else {
        panic!("it is a directory");
    };
    let tip = || sqlite::verify(directory).expect("a sound journal").tip;
    let expected = tip();
    // All but its last step is undone: the journal is put where a server finds it.
    let undo = || {
        let unfinished = directory.join("copying");
        std::fs::create_dir(&unfinished).expect("a folder");
        for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
            let [from, to] = [directory, &unfinished].map(|it| it.join(name));
            if from.exists() {
                std::fs::rename(from, to).expect("it is moved");
            }
        }
    };
    undo();
    let second = copy(source, target);
    assert_eq!(
        (first.events_before, second.events_before),
        (0, second.events)
    );
    assert_eq!(
        (second.events, second.logs, second.webhooks),
        (first.events, first.logs, 2)
    );
    assert_eq!(tip(), expected);

    // Where the source has gone on meanwhile, they are not its events.
    undo();
    let store = places[0].open(&clock);
    submit(&store, vec![put_webhook("one", false)]);
    drop(store);
    let told = refusal(source, target);
    assert!(
        told.contains("of the log of `` is not the source's"),
        "{told}"
    );
}

fn delivered(store: &Store, id: &str) -> u64 {
    let id = WebhookId::parse(id).expect("an id");
    let rows = wait(store.webhooks()).expect("served");
    let row = rows.iter().find(|row| row.id == id).expect("a webhook");
    row.delivered
}

/// Many batches, so that a copy can end between two.
fn fill_much(store: &Store) {
    submit(store, base());
    submit(store, vec![put_limit("p", "vm/disk", finite(10_000))]);
    for number in 0..5 {
        let one = |index| reserve(&format!("r{number}-{index}"), "p", &[("vm/disk", 1)], None);
        let commands: Vec<Command> = (0..400).map(one).collect();
        submit(store, commands);
    }
}

#[test]
fn a_copy_that_was_ended_goes_on_and_is_not_served_before() {
    for [from, to] in [[false, true], [true, false]] {
        let (clock, places) = (HandClock::default(), [from, to].map(Place::of_kind));
        let store = places[0].open(&clock);
        fill_much(&store);
        let expected = snapshot(&store, 1_000);
        drop(store);
        let [source, target] = places.each_ref().map(|place| &place.ledger);
        for ends_at in [1, 2, 1] {
            let mut steps = 0;
            let ended = catch_unwind(AssertUnwindSafe(|| {
                try_copy(source, target, |step| {
                    steps += 1;
                    assert!(
                        steps < ends_at || matches!(step, Step::Proved(..)),
                        "the end"
                    );
                })
            }));
            assert!(ended.is_err(), "it was ended");
            let told = chain_of(&places[1].try_open(&clock).expect_err("it is not whole"));
            assert!(told.contains("holds a copy that is not whole"), "{told}");
        }
        // And once while the proof is made.
        let ended = catch_unwind(AssertUnwindSafe(|| {
            try_copy(source, target, |step| {
                assert!(matches!(step, Step::Copied(..)), "the end")
            })
        }));
        assert!(ended.is_err(), "it was ended");
        let copied = copy(source, target);
        assert_eq!(copied.events_before, copied.events);
        assert_eq!(snapshot(&places[1].open(&clock), 1_000), expected);
        let told = refusal(source, target);
        assert!(told.contains("holds a ledger already"), "{told}");
    }
}

#[test]
fn a_copy_goes_on_when_the_database_is_back() {
    let clock = HandClock::default();
    let from = Place::directory();
    let store = from.open(&clock);
    fill_much(&store);
    let expected = snapshot(&store, 1_000);
    drop(store);
    let cluster = Cluster::start();
    let to = Ledger::Database(cluster.create("db"));
    let mut has_died = false;
    let told = try_copy(&from.ledger, &to, |_| {
        if !has_died {
            cluster.kill();
            has_died = true;
        }
    });
    let told = chain_of(&told.expect_err("the database is away"));
    assert!(told.contains("run the same command again"), "{told}");
    cluster.run();
    let copied = copy(&from.ledger, &to);
    assert!(0 < copied.events_before && copied.events_before < copied.events);
    let Ledger::Database(options) = &to else {
        panic!("it is a database");
    };
    assert_eq!(
        snapshot(&cluster::node(options, clock.clock()), 1_000),
        expected
    );
}

#[test]
fn what_is_served_missing_or_not_empty_is_refused() {
    let clock = HandClock::default();
    let [journal, database] = [Place::directory(), Place::database()];
    let [empty_journal, empty_database] = [Place::directory(), Place::database()];
    let refuses = |from: &Place, to: &Place, expected: &str| {
        let told = refusal(&from.ledger, &to.ledger);
        assert!(told.contains(expected), "{told}");
    };
    refuses(&empty_journal, &empty_database, "holds no ledger");
    refuses(&empty_database, &empty_journal, "holds no ledger");
    let served = [&journal, &database].map(|place| {
        let store = place.open(&clock);
        submit(&store, base());
        store
    });
    until("a node has the turn", || *served[1].turn().borrow());
    refuses(&journal, &empty_database, "is in use by another process");
    refuses(&database, &empty_journal, "is being served by a node");
    // Nobody was harmed by the attempt.
    for store in &served {
        submit(store, vec![put_scope("one-more", None)]);
    }
    drop(served);
    refuses(&journal, &database, "holds a ledger already");
    refuses(&database, &journal, "holds a ledger already");
}

#[test]
fn the_beginning_of_another_copy_is_not_gone_on_with() {
    for is_database in [false, true] {
        let clock = HandClock::default();
        let [one, other] = [Place::directory(), Place::directory()];
        fill_much(&one.open(&clock));
        clock.set(7);
        fill_much(&other.open(&clock));
        let to = Place::of_kind(is_database);
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let mut steps = 0;
            try_copy(&one.ledger, &to.ledger, |_| {
                steps += 1;
                assert!(steps < 3, "the end");
            })
        }));
        assert!(ended.is_err(), "it was ended");
        let told = refusal(&other.ledger, &to.ledger);
        assert!(told.contains("the copy is not the same"), "{told}");
        copy(&one.ledger, &to.ledger);
    }
}
