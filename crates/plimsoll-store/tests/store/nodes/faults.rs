//! What nodes do when their database fails them.

use plimsoll_store::verify_postgres;

use super::*;

/// What all callers together were told while the server was killed under them, again and again.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) granted: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) ends: AtomicBool,
}

impl Counts {
    /// Waits until a count has grown by so many.
    pub(crate) fn wait_for(count: &AtomicU64, more: u64) {
        let wanted = count.load(Ordering::SeqCst) + more;
        until("calls go on", || wanted <= count.load(Ordering::SeqCst));
    }
}

/// Calls until it is told to end; answers what was granted.
pub(crate) fn call_until(store: &Store, caller: usize, counts: &Counts) -> Vec<String> {
    let mut granted = Vec::new();
    for number in 0.. {
        let id = format!("c{caller}-{number}");
        loop {
            if counts.ends.load(Ordering::SeqCst) {
                return granted;
            }
            let command = reserve(&id, "p", &[("vm/disk", 1)], None);
            match wait(store.submit(vec![command])).as_deref() {
                Ok([Outcome::Done(Done::Reservation(_))]) => {
                    granted.push(id);
                    counts.granted.fetch_add(1, Ordering::SeqCst);
                    break;
                }
                Ok(other) => panic!("{other:?}"),
                // The same id again: it may be there already.
                Err(SubmitError::Unknown | SubmitError::Unavailable | SubmitError::Overloaded) => {
                    counts.failed.fetch_add(1, Ordering::SeqCst);
                    std::thread::park_timeout(Duration::from_millis(20));
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
    granted
}

/// Waits until all nodes decide again.
pub(crate) fn until_back(nodes: &[Store]) {
    for node in nodes {
        until("the node decides again", || {
            wait(node.submit(vec![expire("acme")])).is_ok()
        });
    }
}

#[test]
fn a_killed_database_loses_and_doubles_nothing() {
    let cluster = Cluster::start();
    let database = cluster.create("db");
    let clock = HandClock::default();
    let nodes = [(); 2].map(|()| cluster::node(&database, clock.clock()));
    submit(&nodes[0], base());
    let counts = Counts::default();
    let granted: Vec<Vec<String>> = std::thread::scope(|threads| {
        let callers: Vec<_> = (0..8)
            .map(|caller| {
                let (node, counts) = (&nodes[caller % 2], &counts);
                threads.spawn(move || call_until(node, caller, counts))
            })
            .collect();
        for _ in 0..4 {
            Counts::wait_for(&counts.granted, 20);
            cluster.kill();
            Counts::wait_for(&counts.failed, 8);
            cluster.run();
            until_back(&nodes);
        }
        Counts::wait_for(&counts.granted, 20);
        counts.ends.store(true, Ordering::SeqCst);
        let callers = callers.into_iter();
        callers.map(|it| it.join().expect("a caller")).collect()
    });
    let all = snapshot(&nodes[0], 1_000);
    let kept: BTreeMap<&str, ()> = all
        .reservations
        .iter()
        .map(|row| (row.id.as_str(), ()))
        .collect();
    for id in granted.iter().flatten() {
        assert!(
            kept.contains_key(id.as_str()),
            "`{id}` was acknowledged and is lost"
        );
    }
    // Whoever was not answered last may or may not have got it.
    assert!(kept.len() <= granted.iter().flatten().count() + granted.len());
    assert_sound(&nodes[0]);
    assert_sound(&nodes[1]);
}

#[test]
fn faults_of_the_database_are_said_clearly() {
    let cluster = cluster::shared();
    let fails = |options: &PostgresOptions| {
        let clock = Clock::new(|| at(0));
        let error = wait(Store::postgres(options, clock))
            .map(drop)
            .expect_err("it cannot be used");
        chain_of(&error)
    };
    let missing = fails(&cluster.options("nowhere"));
    assert!(missing.contains("nowhere` does not exist"), "{missing}");
    let away = fails(&PostgresOptions::new("postgres://me:secret@127.0.0.1:1/db"));
    assert!(
        away.contains("`127.0.0.1:1/db` cannot be reached"),
        "{away}"
    );
    assert!(!away.contains("secret"), "{away}");
    let none = fails(&PostgresOptions::new("postgres://me:secret@[/db"));
    assert!(
        none.contains("is not an address") && !none.contains("secret"),
        "{none}"
    );
    let options = cluster::database();
    drop(cluster::node(&options, Clock::new(|| at(0))));
    let name = options.url.rsplit('=').next().expect("a name").to_owned();
    cluster.ask(&name, "INSERT INTO plimsoll.layout (version) VALUES (99)");
    let newer = fails(&options);
    assert!(newer.contains("newer build (layout 99"), "{newer}");
    let migrated = wait(Store::migrate(&options))
        .map(drop)
        .expect_err("it is too new");
    assert!(chain_of(&migrated).contains("newer build"));
    cluster.ask(&name, "DELETE FROM plimsoll.layout");
    cluster.ask(&name, "DROP SCHEMA plimsoll CASCADE");
    assert_eq!(
        wait(Store::migrate(&options)).expect("laid out"),
        (0, LAYOUT)
    );
    assert_eq!(
        wait(Store::migrate(&options)).expect("as it is"),
        (LAYOUT, LAYOUT)
    );
    cluster.ask(
        &name,
        &format!("ALTER DATABASE {name} SET synchronous_commit = off"),
    );
    let unsafe_one = fails(&options);
    assert!(
        unsafe_one.contains("`synchronous_commit` off"),
        "{unsafe_one}"
    );
}

/// A database that takes no writes refuses, and serves again as soon as it takes them.
#[test]
fn a_database_that_only_reads_is_waited_for() {
    let cluster = cluster::shared();
    let options = cluster::database();
    let name = options.url.rsplit('=').next().expect("a name").to_owned();
    let node = Arc::new(cluster::node(&options, Clock::new(|| at(0))));
    submit(&node, base());
    let end_sessions = format!(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '{name}' \
         AND pid <> pg_backend_pid()"
    );
    cluster.ask(
        "postgres",
        &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"),
    );
    cluster.ask("postgres", &end_sessions);
    let refused = wait(node.submit(vec![reserve("r1", "p", &[("vm/disk", 1)], None)]));
    assert_eq!(refused, Err(SubmitError::Unavailable));
    cluster.ask(
        "postgres",
        &format!("ALTER DATABASE {name} SET default_transaction_read_only = off"),
    );
    cluster.ask("postgres", &end_sessions);
    until_back(std::slice::from_ref(&*node));
    let command = reserve("r1", "p", &[("vm/disk", 1)], None);
    assert!(reserved(wait(node.submit(vec![command]))).is_some());
    assert_eq!(used(&node, "p").expect("served"), 1);
}

/// The same without a session that ends: a node says at once that it does not serve, and reads
/// nothing from sessions that would still let it.
#[test]
fn a_database_that_only_reads_from_now_on_is_waited_for() {
    let cluster = Cluster::start();
    let database = cluster.create("db");
    let node = cluster::node(&database, Clock::new(|| at(0)));
    submit(&node, base());
    let set = |value: &str| {
        let sql = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
        cluster.ask("postgres", &sql);
        cluster.ask("postgres", "SELECT pg_reload_conf()");
    };
    set("on");
    until("the node says that it does not serve", || !node.is_ready());
    assert!(matches!(used(&node, "p"), Err(StoreError::Unavailable)));
    // Whoever only reads may.
    verify_postgres(&database, |_, _| ()).expect("it holds together");
    set("off");
    until_back(std::slice::from_ref(&node));
    assert!(node.is_ready());
    assert_eq!(used(&node, "p").expect("served"), 0);
}

/// Makes a copy of a database that nobody uses any more.
fn copy(from: &str, to: &str) {
    let ended = format!(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '{from}'"
    );
    cluster::shared().ask("postgres", &ended);
    let copied = format!("CREATE DATABASE {to} TEMPLATE {from}");
    cluster::shared().ask("postgres", &copied);
}

/// As after a failover to a standby that was behind.
#[test]
fn a_database_that_has_lost_what_was_acknowledged_is_not_believed() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = PostgresOptions {
        acknowledged_file: Some(folder.path().join("acknowledged")),
        ..cluster::database()
    };
    let name = options.url.rsplit('=').next().expect("a name").to_owned();
    let at_database = |name: &str| PostgresOptions {
        url: cluster::shared().options(name).url,
        ..options.clone()
    };
    let open = |options: &PostgresOptions| cluster::node(options, HandClock::default().clock());
    let disk = |id: &str, at: &str| reserve(id, at, &[("vm/disk", 1)], None);
    let node = open(&options);
    submit(&node, base());
    submit(&node, vec![disk("r1", "p"), disk("r1", "other")]);
    drop(node);
    copy(&name, &format!("{name}_behind"));
    let node = open(&options);
    submit(&node, vec![disk("r2", "p")]);
    drop(node);
    copy(&name, &format!("{name}_whole"));

    let behind = at_database(&format!("{name}_behind"));
    let node = open(&behind);
    // In one group or not: nobody else's tenant is concerned.
    let (lost, other) = std::thread::scope(|threads| {
        let lost = threads.spawn(|| wait(node.submit(vec![disk("r2", "p-q")])));
        let other = threads.spawn(|| wait(node.submit(vec![disk("r2", "other")])));
        [lost, other].map(|it| it.join().expect("a caller")).into()
    });
    assert_eq!(lost, Err(SubmitError::Unavailable));
    assert!(reserved(other).is_some());
    assert!(matches!(used(&node, "p"), Err(StoreError::Unavailable)));
    assert_eq!(used(&node, "other").expect("served"), 2);
    drop(node);

    // One that was not told anything has nothing to miss, and makes another history.
    let stranger = PostgresOptions {
        acknowledged_file: None,
        ..behind.clone()
    };
    submit(&open(&stranger), vec![disk("r3", "p")]);
    assert_eq!(
        wait(open(&behind).submit(vec![disk("r4", "p")])),
        Err(SubmitError::Unavailable)
    );
    let whole = open(&at_database(&format!("{name}_whole")));
    assert_eq!(used(&whole, "p").expect("served"), 2);
    // The tenant that was told more elsewhere since is behind here.
    assert!(matches!(
        used(&whole, "other"),
        Err(StoreError::Unavailable)
    ));
    drop(whole);
    std::fs::remove_file(folder.path().join("acknowledged")).expect("a file");
    assert_eq!(used(&open(&behind), "p").expect("served"), 2);
}
