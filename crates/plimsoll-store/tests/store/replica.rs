//! What a replica answers, and when it is not asked.

use std::time::Duration;

use plimsoll_core::rows::{Footprint, Rows};
use plimsoll_store::{PostgresOptions, ReplicaOptions, Store};

use crate::cluster::{self, Cluster, name_of};
use crate::support::*;

const AGE_MAX: Duration = Duration::from_secs(2);

/// A primary and its standby, for one test.
struct Pair {
    primary: Cluster,
    standby: Cluster,
    name: String,
}

impl Pair {
    fn start() -> Self {
        let primary = Cluster::start();
        let name = name_of(&primary.create("db"));
        let standby = primary.standby();
        Self {
            primary,
            standby,
            name,
        }
    }

    fn options(&self) -> PostgresOptions {
        with_replica(&self.primary.options(&self.name), &self.standby, &self.name)
    }

    fn node(&self, clock: &HandClock) -> Store {
        cluster::node(&self.options(), clock.clock())
    }

    /// What is committed from now on is not on the standby, until it goes on.
    fn pause(&self) {
        self.standby.ask("postgres", "SELECT pg_wal_replay_pause()");
        let state = "SELECT pg_get_wal_replay_pause_state()";
        until("the standby stands still", || {
            self.standby.ask("postgres", state) == "paused"
        });
    }

    fn go_on(&self) {
        self.standby
            .ask("postgres", "SELECT pg_wal_replay_resume()");
    }
}

fn with_replica(options: &PostgresOptions, replica: &Cluster, name: &str) -> PostgresOptions {
    PostgresOptions {
        replica: Some(ReplicaOptions {
            url: replica.options(name).url,
            age_max: AGE_MAX,
        }),
        ..options.clone()
    }
}

fn disk(id: &str, at: &str) -> plimsoll_core::command::Command {
    reserve(id, at, &[("vm/disk", 1)], None)
}

/// What is used at a scope, and how old that is; no scope has no use.
fn used(store: &Store, at: &str) -> (Option<u64>, Option<u64>) {
    let footprint = || Footprint {
        scopes: vec![scope(at)],
        items: vec![item("vm/disk")],
        ..Footprint::default()
    };
    let read = store.read_lately(footprint, |tables| {
        tables.scope(&scope(at))?;
        Some(tables.account(&scope(at), &item("vm/disk")).used.units())
    });
    wait(read).expect("served")
}

fn from_replica(store: &Store, at: &str) -> bool {
    used(store, at).1.is_some()
}

#[test]
fn a_replica_answers_as_long_as_it_is_young_enough() {
    let pair = Pair::start();
    let clock = HandClock::default();
    let (node, other) = (pair.node(&clock), {
        let options = pair.primary.options(&pair.name);
        cluster::node(&options, clock.clock())
    });
    submit(&other, base());
    submit(&other, vec![disk("r1", "p")]);
    // It follows a moment later.
    until("the replica answers", || {
        let (figure, age_ms) = used(&node, "p");
        assert!(age_ms.is_none_or(|it| it <= 2_000), "{age_ms:?}");
        figure == Some(1) && age_ms.is_some()
    });
    // One without a replica never says an age.
    assert_eq!(used(&other, "p"), (Some(1), None));

    // The clock stands: as of now, and of a moment ago, is the same.
    pair.pause();
    submit(&other, vec![disk("r2", "p")]);
    let (figure, age_ms) = used(&node, "p");
    assert_eq!(figure, Some(1), "what another node was told may come later");
    assert!(age_ms.is_some());
    // What the replica does not know may be new.
    submit(&other, vec![put_scope("new", None)]);
    assert_eq!(used(&node, "new"), (Some(0), None));
    assert_eq!(used(&node, "nowhere"), (None, None));

    clock.set(1_500);
    let (_, age_ms) = used(&node, "p");
    assert!(
        age_ms.is_some_and(|it| (1_500..=2_000).contains(&it)),
        "{age_ms:?}"
    );
    clock.set(2_500);
    assert_eq!(used(&node, "p"), (Some(2), None), "it is too old");
    pair.go_on();
    until("the replica answers", || from_replica(&node, "p"));
    let (figure, age_ms) = used(&node, "p");
    assert_eq!(figure, Some(2));
    assert!(age_ms.is_some_and(|it| it <= 2_000), "{age_ms:?}");
}

#[test]
fn a_caller_sees_what_its_node_has_acknowledged() {
    let pair = Pair::start();
    let clock = HandClock::default();
    let node = pair.node(&clock);
    submit(&node, base());
    until("the replica answers", || from_replica(&node, "p"));
    pair.pause();
    for number in 1..=5 {
        submit(&node, vec![disk(&format!("r{number}"), "p")]);
        assert_eq!(used(&node, "p"), (Some(number), None));
        // It is the tenant's log that must be there: of this one nothing is missing.
        assert!(from_replica(&node, "other"));
    }
    submit(&node, vec![put_scope("new", Some("other"))]);
    assert_eq!(used(&node, "new"), (Some(0), None));
    // What is of all tenants is missing to every one of them.
    submit(&node, vec![put_location("MUC-A", "Munich")]);
    assert_eq!(used(&node, "other"), (Some(0), None));
    pair.go_on();
    for at in ["p", "other", "new"] {
        until("the replica answers", || from_replica(&node, at));
    }
    assert_eq!(used(&node, "p").0, Some(5));
}

#[test]
fn a_replica_that_is_away_is_not_missed() {
    let pair = Pair::start();
    let clock = HandClock::default();
    pair.standby.kill();
    let node = pair.node(&clock);
    submit(&node, base());
    for round in 0..3 {
        submit(&node, vec![disk(&format!("r{round}"), "p")]);
        assert_eq!(used(&node, "p"), (Some(round + 1), None));
        pair.standby.run();
        until("the replica answers", || from_replica(&node, "p"));
        assert_eq!(used(&node, "p").0, Some(round + 1));
        pair.standby.kill();
        assert_eq!(used(&node, "p"), (Some(round + 1), None));
    }
}

/// It would answer for a ledger that goes another way.
#[test]
fn a_replica_that_was_promoted_is_not_read() {
    let pair = Pair::start();
    let clock = HandClock::default();
    let node = pair.node(&clock);
    submit(&node, base());
    until("the replica answers", || from_replica(&node, "p"));
    pair.standby.promote();
    for number in 1..=3 {
        assert_eq!(used(&node, "p"), (Some(number - 1), None));
        submit(&node, vec![disk(&format!("r{number}"), "p")]);
    }
    // Nor by a node that has acknowledged nothing.
    drop(node);
    let told = refusal(&pair.options());
    assert!(told.contains("is no replica, it takes writes"), "{told}");
}

/// A standby that has followed the old primary further than the one that was promoted: what it has
/// is longer, and not what came of the ledger.
#[test]
fn a_replica_that_went_another_way_is_not_read() {
    let primary = Cluster::start();
    let name = name_of(&primary.create("db"));
    let clock = HandClock::default();
    let open = |options: &PostgresOptions| cluster::node(options, clock.clock());
    let [heir, stray] = [primary.standby(), primary.standby()];
    let old = open(&with_replica(&primary.options(&name), &stray, &name));
    submit(&old, base());
    let has_base = "SELECT count(*) FROM plimsoll.scope WHERE id = 'p'";
    let is_there = "SELECT to_regclass('plimsoll.scope') IS NOT NULL";
    until("the heir has what there is", || {
        heir.ask(&name, is_there) == "t" && heir.ask(&name, has_base) == "1"
    });
    heir.kill();
    for number in 0..100 {
        submit(&old, vec![disk(&format!("lost{number}"), "p")]);
    }
    until("the stray one has it all", || {
        used(&old, "p").0 == Some(100) && from_replica(&old, "p")
    });
    drop(old);
    primary.kill();
    heir.run();
    heir.promote();
    let further = "SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')";
    let position = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')";
    let number = |text: String| text.parse::<u64>().expect("a number");
    let node = open(&with_replica(&heir.options(&name), &stray, &name));
    assert!(number(heir.ask(&name, position)) < number(stray.ask(&name, further)));
    for number in 0..20 {
        assert_eq!(used(&node, "other"), (Some(number), None));
        submit(&node, vec![disk(&format!("r{number}"), "other")]);
        assert_eq!(used(&node, "p"), (Some(0), None));
    }
}

fn refusal(options: &PostgresOptions) -> String {
    let opened = wait(Store::postgres(options, HandClock::default().clock()));
    chain_of(&opened.map(drop).expect_err("it must not serve"))
}

#[test]
fn what_is_no_replica_of_the_store_is_refused() {
    let pair = Pair::start();
    let store = pair.primary.options(&pair.name);
    drop(cluster::node(&store, HandClock::default().clock()));
    for (replica, name, expected) in [
        (cluster::shared(), "postgres", "is of another cluster"),
        (&pair.standby, "postgres", "is another database"),
        (
            &pair.primary,
            pair.name.as_str(),
            "is no replica, it takes writes",
        ),
    ] {
        let told = refusal(&with_replica(&store, replica, name));
        assert!(told.contains(expected), "{told}");
    }
    let mut none = pair.options();
    none.replica = Some(ReplicaOptions {
        url: "postgres://me:secret@[/db".to_owned(),
        age_max: AGE_MAX,
    });
    let told = refusal(&none);
    assert!(
        told.contains("is not an address") && !told.contains("secret"),
        "{told}"
    );
}
