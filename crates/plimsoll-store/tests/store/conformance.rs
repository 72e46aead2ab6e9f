//! One suite for every store: the same scenarios, the same answers.

use std::collections::BTreeMap;
use std::path::Path;

use plimsoll_core::command::Command;
use plimsoll_core::model::{Credential, Reach};
use plimsoll_core::outcome::{Denial, Done, Outcome};
use plimsoll_core::rows::{Footprint, Rows};
use plimsoll_store::{
    BATCH_COMMANDS_MAX, PostgresOptions, Store, SubmitError, sqlite, verify_postgres,
};
use tempfile::TempDir;

use crate::cluster;
use crate::moving;
use crate::snapshot::{assert_sound, snapshot};
use crate::support::*;

/// Stores that run the same commands.
pub(crate) struct Stores {
    pub(crate) clock: HandClock,
    memory: Store,
    sqlite: Option<Store>,
    directory: TempDir,
    postgres: Option<Store>,
    database: PostgresOptions,
    /// Every how many steps the database is looked through; its answers are compared always.
    looks_every: u64,
    steps: u64,
    /// Whether the durable store is closed and opened again before every step.
    reopens: bool,
}

impl Stores {
    fn new(reopens: bool) -> Self {
        let clock = HandClock::default();
        let directory = tempfile::tempdir().expect("a directory");
        let database = cluster::database();
        Self {
            memory: Store::memory(clock.clock()),
            sqlite: Some(open_at(directory.path(), &clock)),
            postgres: Some(cluster::node(&database, clock.clock())),
            database,
            looks_every: if reopens { 3 } else { 1 },
            steps: 0,
            clock,
            directory,
            reopens,
        }
    }

    pub(crate) fn sqlite(&self) -> &Store {
        self.sqlite.as_ref().expect("an open store")
    }

    pub(crate) fn postgres(&self) -> &Store {
        self.postgres.as_ref().expect("an open store")
    }

    fn reopen(&mut self) {
        self.sqlite = None;
        self.sqlite = Some(open_at(self.directory.path(), &self.clock));
        self.postgres = None;
        self.postgres = Some(cluster::node(&self.database, self.clock.clock()));
    }

    /// Submits the same commands to all and compares everything that can be seen.
    pub(crate) fn step(&mut self, commands: &[Command]) -> Vec<Outcome> {
        if self.reopens {
            self.reopen();
        }
        let outcomes = submit(&self.memory, commands.to_vec());
        assert_eq!(submit(self.sqlite(), commands.to_vec()), outcomes);
        assert_eq!(submit(self.postgres(), commands.to_vec()), outcomes);
        self.steps += 1;
        self.compare();
        outcomes
    }

    fn compare(&self) {
        let expected = snapshot(&self.memory, 3);
        assert_eq!(snapshot(self.sqlite(), 3), expected);
        if self.steps.is_multiple_of(self.looks_every) {
            assert_eq!(snapshot(self.postgres(), 3), expected);
        }
    }

    fn end(mut self) {
        self.reopen();
        self.looks_every = 1;
        self.compare();
        assert_sound(self.sqlite());
        assert_sound(self.postgres());
        let logs = snapshot(self.sqlite(), 100).logs;
        let written: u64 = logs.iter().map(|(_, log)| log.head.revision).sum();
        self.sqlite = None;
        let verified = sqlite::verify(self.directory.path()).expect("a sound journal");
        assert_eq!(verified.events, written, "every log is dense");
        let database = verify_postgres(&self.database, |_, _| ());
        let database = database.unwrap_or_else(|error| panic!("{}", chain_of(&error)));
        assert_eq!(database.events, written);
        assert_eq!(database.admissions, verified.admissions);
        assert_eq!(database.marked, verified.marked);
        assert_eq!(database.reservations_live, verified.reservations_live);
        if !self.reopens {
            self.postgres = None;
            let expected = snapshot(&self.memory, 100);
            moving::assert_same_elsewhere(self.directory.path(), &self.database, &expected);
        }
    }
}

fn open_at(directory: &Path, clock: &HandClock) -> Store {
    Store::sqlite(directory, clock.clock()).unwrap_or_else(|error| panic!("{}", chain_of(&error)))
}

/// Runs a scenario once with one store all the way, and once with a new one for each step.
pub(crate) fn check(scenario: impl Fn(&mut Stores)) {
    for reopens in [false, true] {
        let mut stores = Stores::new(reopens);
        scenario(&mut stores);
        stores.end();
    }
}

#[test]
fn an_empty_store_is_empty() {
    check(|stores| {
        assert!(stores.step(&[]).is_empty());
        assert!(snapshot(&stores.memory, 1).scopes.is_empty());
        assert!(stores.sqlite().is_ready() && stores.memory.is_ready());
    });
}

#[test]
fn a_reservation_lives_its_life() {
    let image = [("vm/image@FRA-A", 2)];
    check(|stores| {
        stores.step(&base());
        stores.step(&[put_limit("acme", "vm/image", finite(6))]);
        stores.step(&[reserve("r1", "p", &image, Some(100))]);
        stores.step(&[reserve(
            "r2",
            "p-q",
            &[("vm/image@FRA-A", 4), ("vm/disk", 9)],
            None,
        )]);
        let full = stores.step(&[reserve("r3", "p", &image, None)]);
        assert!(matches!(
            full[..],
            [Outcome::Denied(Denial::QuotaExceeded(_))]
        ));
        stores.step(&[commit("acme", "r1")]);
        stores.step(&[reserve("r1", "other", &image, Some(10))]);
        stores.step(&[release("acme", "r2"), release("acme", "nobody")]);
        stores.clock.set(50);
        stores.step(&[expire("acme"), expire("other")]);
        stores.step(&[put_limit("p", "vm/image@FRA-A", finite(3))]);
        stores.step(&[
            delete_limit("acme", "vm/image"),
            delete_limit("acme", "vm/image"),
        ]);
        stores.step(&[reserve("r3", "p", &image, None)]);
        // Time that runs backwards does not: a log's time stays.
        stores.clock.set(20);
        stores.step(&[release("acme", "r1")]);
    });
}

#[test]
fn a_reservation_changes_and_is_forgotten() {
    let images = |units| [("vm/image@FRA-A", units)];
    check(|stores| {
        stores.step(&base());
        stores.step(&[put_limit("p", "vm/image", finite(6))]);
        // As much as fits, past the limits, and for longer.
        let some = at_least_one(reserve("r1", "p", &images(9), Some(100)));
        stores.step(std::slice::from_ref(&some));
        stores.step(&[forced(reserve("r2", "p", &images(4), None))]);
        stores.step(&[extend("acme", "r1", 300), extend("p", "r2", 300)]);
        stores.clock.set(150);
        stores.step(&[some.clone(), expire("acme")]);
        stores.step(&[commit_part("p", "r1", &images(5))]);
        stores.step(&[release_part("acme", "r1", &images(2)), some]);
        // Less is always admitted, more only by force, and elsewhere where there is room.
        stores.step(&[resize("acme", "r2", &[("vm/disk", 3)])]);
        let more = resize("acme", "r2", &images(90));
        stores.step(&[more.clone(), forced(more)]);
        stores.step(&[transfer("acme", "r1", "p-q"), transfer("p", "r1", "other")]);
        stores.step(&[forced(transfer("p-q", "r2", "acme"))]);
        // What has ended is remembered for as long as is said.
        stores.step(&[release("acme", "r1"), forget("acme", 150)]);
        stores.clock.set(151);
        stores.step(&[release("acme", "r2")]);
        assert_eq!(snapshot(&stores.memory, 9).ended.len(), 2);
        stores.step(&[forget("acme", 151)]);
        assert_eq!(snapshot(&stores.memory, 9).ended.len(), 1);
        // In one batch: forgotten, made anew, and forgotten again.
        stores.step(&[
            forget("acme", 152),
            reserve("r2", "p", &images(1), Some(9)),
            release("acme", "r2"),
            forget("acme", 152),
            reserve("r1", "p", &images(1), Some(9)),
        ]);
        assert_eq!(snapshot(&stores.memory, 9).reservations.len(), 1);
    });
}

#[test]
fn principals_come_and_go() {
    let token = Credential::Token { hash: [3; 32] };
    let key = Credential::AccessKey {
        sealed_secret: vec![0, 255, 7],
    };
    check(|stores| {
        stores.step(&base());
        let below = Reach::Below(scope("p"));
        stores.step(&[create_principal("k1", below, token.clone())]);
        stores.step(&[create_principal("k2", Reach::Everything, key.clone())]);
        stores.step(&[enable_principal("k1", false)]);
        stores.step(&[delete_principal("k1"), delete_principal("k1")]);
        stores.step(&[create_principal("k1", Reach::Everything, key.clone())]);
        // Made and forgotten in one batch.
        let made = create_principal("k3", Reach::Everything, token.clone());
        stores.step(&[made, delete_principal("k3")]);
    });
}

#[test]
fn commands_of_one_submission_see_each_other() {
    check(|stores| {
        let mut commands = base();
        commands.push(put_limit("acme", "vm/disk", finite(2)));
        commands.push(reserve("r1", "p", &[("vm/disk", 2)], Some(10)));
        commands.push(reserve("r1", "p", &[("vm/disk", 2)], Some(10)));
        commands.push(reserve("r2", "p", &[("vm/disk", 1)], None));
        commands.push(release("acme", "r1"));
        commands.push(reserve("r2", "p", &[("vm/disk", 1)], None));
        let outcomes = stores.step(&commands);
        let [.., first, again, refused, _, granted] = &outcomes[..] else {
            panic!("{outcomes:?}");
        };
        assert_eq!(first, again);
        assert!(matches!(refused, Outcome::Denied(Denial::QuotaExceeded(_))));
        assert!(matches!(granted, Outcome::Done(Done::Reservation(_))));
    });
}

/// A command at random, over so few names that they meet.
fn random_command(dice: &mut Dice) -> Command {
    let scopes = ["acme", "p", "p-q", "other", "nowhere"];
    let items = ["vm/image@FRA-A", "vm/image@HKG-A", "vm/image", "vm/disk"];
    let (at, of) = (dice.pick(&scopes), dice.pick(&items));
    let id = format!("r{}", dice.below(12));
    let tenant = dice.pick(&["acme", "other"]);
    let units = dice.below(6);
    let ceiling = match units {
        0 => plimsoll_core::amount::Ceiling::Unlimited,
        units => finite(units),
    };
    let reach = match dice.below(2) {
        0 => Reach::Everything,
        _ => Reach::Below(scope(at)),
    };
    let who = dice.pick(&["k1", "k2", "root"]);
    match dice.below(32) {
        0..8 => {
            let ttl_ms = (dice.below(3) != 0).then(|| 1 + dice.below(400));
            let asked = [(of, 1 + units), ("vm/disk", 1)];
            let asked = &asked[..if of == "vm/disk" {
                1
            } else {
                1 + dice.index(2)
            }];
            let command = reserve(&id, at, asked, ttl_ms);
            match dice.below(8) {
                0..5 => command,
                5 | 6 => at_least_one(command),
                _ => forced(command),
            }
        }
        8..22 => random_change(dice, tenant, &id, of),
        22..24 => expire(tenant),
        24..26 => put_limit(at, of, ceiling),
        26 => delete_limit(at, of),
        27 => put_scope(&format!("s{}", dice.below(4)), Some(at)),
        28 => put_resource("vm/disk", ceiling, false),
        29 => put_location("HKG-A", dice.pick(&["", "Hong Kong"])),
        30 => create_principal(who, reach, Credential::Token { hash: [1; 32] }),
        _ => match dice.below(2) {
            0 => enable_principal(who, dice.below(2) == 0),
            _ => delete_principal(who),
        },
    }
}

/// A change of a reservation that may be there.
fn random_change(dice: &mut Dice, tenant: &str, id: &str, of: &str) -> Command {
    let some = [(of, 1 + dice.below(4))];
    let to = dice.pick(&["acme", "p", "p-q", "other"]);
    match dice.below(14) {
        0..2 => commit(tenant, id),
        2..4 => release(tenant, id),
        4 => commit_part(tenant, id, &some),
        5 => release_part(tenant, id, &some),
        6..8 => extend(tenant, id, 1 + dice.below(400)),
        8..10 => resize(tenant, id, &some),
        10 => forced(resize(tenant, id, &some)),
        11 => transfer(tenant, id, to),
        12 => forced(transfer(tenant, id, to)),
        _ => forget(tenant, dice.below(2_000)),
    }
}

/// How often a kind of command did what it was to do.
type Tally = BTreeMap<String, u64>;

fn count(tally: &mut Tally, commands: &[Command], outcomes: &[Outcome]) {
    for (command, outcome) in commands.iter().zip(outcomes) {
        let action = format!("{:?}", command.action);
        let kind = action.split(['(', ' ']).next().expect("a kind");
        *tally.entry(kind.to_owned()).or_default() +=
            u64::from(matches!(outcome, Outcome::Done(_)));
    }
}

fn play_random(seed: u64, steps: u64, reopens: bool, tally: &mut Tally) {
    let mut dice = Dice(seed);
    let mut stores = Stores::new(reopens);
    stores.looks_every = 10;
    let mut now = 0;
    stores.step(&base());
    for _ in 0..steps {
        now += dice.below(40);
        stores.clock.set(now);
        let commands: Vec<_> = (0..1 + dice.below(6))
            .map(|_| random_command(&mut dice))
            .collect();
        let outcomes = stores.step(&commands);
        count(tally, &commands, &outcomes);
    }
    stores.end();
}

#[test]
fn random_commands_have_the_same_outcomes() {
    let mut tally = Tally::new();
    for seed in 1..=8 {
        // Shown when the test fails.
        println!("seed {seed}");
        play_random(seed, 200, false, &mut tally);
    }
    println!("{tally:?}");
    assert!(tally.len() == 16 && tally.values().all(|done| 5 < *done));
}

#[test]
fn random_commands_have_the_same_outcomes_across_restarts() {
    for seed in 101..=103 {
        println!("seed {seed}");
        play_random(seed, 25, true, &mut Tally::new());
    }
}

#[test]
fn a_submission_is_bounded() {
    let clock = HandClock::default();
    let store = Store::memory(clock.clock());
    submit(&store, base());
    let commands = vec![expire("acme"); BATCH_COMMANDS_MAX + 1];
    assert_eq!(wait(store.submit(commands)), Err(SubmitError::TooMany));
    let commands = vec![expire("acme"); BATCH_COMMANDS_MAX];
    assert_eq!(submit(&store, commands).len(), BATCH_COMMANDS_MAX);
}

#[test]
fn an_acknowledged_write_is_seen_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let clock = HandClock::default();
    for store in [Store::memory(clock.clock()), open(directory.path())] {
        submit(&store, base());
        for round in 0..200 {
            let id = format!("r{round}");
            let made = reserved(wait(store.submit(vec![reserve(
                &id,
                "p",
                &[("vm/disk", 1)],
                None,
            )])));
            let seen = wait(store.read(&Footprint::default(), |tables| {
                let row = tables.reservation(&scope("acme"), &reservation(&id));
                assert_eq!(
                    tables.account(&scope("p"), &item("vm/disk")).used,
                    amount(round + 1)
                );
                row
            }));
            assert_eq!(seen.expect("the store serves"), made);
        }
    }
}
