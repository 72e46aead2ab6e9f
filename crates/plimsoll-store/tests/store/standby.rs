//! What a database says of its standbys, and how it is proved.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;

use plimsoll_core::rows::{Footprint, Rows};
use plimsoll_store::{PostgresOptions, Store, SubmitError, verify_postgres};

use crate::cluster::{self, Cluster};
use crate::nodes::faults::{Counts, call_until, until_back};
use crate::snapshot::{assert_sound, snapshot};
use crate::support::*;

/// Waits until a commit waits for the standby, and cancels the wait.
fn cancel_wait(cluster: &Cluster) {
    let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity \
                  WHERE wait_event = 'SyncRep' AND query LIKE '%COMMIT'";
    until("a commit waits for the standby", || {
        cluster.ask("postgres", cancel) != "0"
    });
}

/// The server calls that a success, with a warning.
#[test]
fn a_commit_that_is_not_on_the_standby_is_not_acknowledged() {
    let cluster = Cluster::start();
    let options = PostgresOptions {
        statement_timeout: Duration::from_secs(2),
        ..cluster.create("db")
    };
    let node = cluster::node(&options, HandClock::default().clock());
    submit(&node, base());
    drop(node);
    // In force from the start, as no reload would be.
    let set = "ALTER SYSTEM SET synchronous_standby_names = 'nobody'";
    cluster.ask("postgres", set);
    cluster.kill();
    cluster.run();
    let node = cluster::node(&options, HandClock::default().clock());
    let command = || vec![reserve("r1", "p", &[("vm/disk", 1)], None)];
    let answer = std::thread::scope(|threads| {
        let asks = threads.spawn(|| wait(node.submit(command())));
        cancel_wait(&cluster);
        asks.join().expect("a caller")
    });
    assert_eq!(answer, Err(SubmitError::Unknown));
    let reset = "ALTER SYSTEM RESET synchronous_standby_names";
    cluster.ask("postgres", reset);
    cluster.ask("postgres", "SELECT pg_reload_conf()");
    until_back(std::slice::from_ref(&node));
    assert!(reserved(wait(node.submit(command()))).is_some());
    let footprint = Footprint {
        scopes: vec![scope("p")],
        items: vec![item("vm/disk")],
        ..Footprint::default()
    };
    let account = wait(node.read(&footprint, |it| it.account(&scope("p"), &item("vm/disk"))));
    assert_eq!(account.expect("served").used, amount(1));
    assert_sound(&node);
}

/// From now on no commit is acknowledged that is not on the standby.
fn wait_for_standby(primary: &Cluster) {
    let set = "ALTER SYSTEM SET synchronous_standby_names = 'walreceiver'";
    primary.ask("postgres", set);
    primary.ask("postgres", "SELECT pg_reload_conf()");
    let states = "SELECT string_agg(sync_state, ' ') FROM pg_stat_replication";
    until("the standby is synchronous", || {
        primary.ask("postgres", states) == "sync"
    });
}

/// A node is told of both hosts, the standby first. It serves from the one that takes writes, and
/// from the other once that one does.
#[test]
fn a_node_goes_on_with_the_standby_that_was_promoted() {
    let primary = Cluster::start();
    let name = cluster::name_of(&primary.create("db"));
    let standby = primary.standby();
    wait_for_standby(&primary);
    let host = |cluster: &Cluster| {
        let folder = cluster.folder().display().to_string();
        folder.replace('/', "%2F")
    };
    let url = format!(
        "postgres://plimsoll@{}:5432,{}:5432/{name}?target_session_attrs=read-write",
        host(&standby),
        host(&primary)
    );
    let folder = tempfile::tempdir().expect("a folder");
    let options = PostgresOptions {
        // What it has acknowledged must be there, or it would not serve again.
        acknowledged_file: Some(folder.path().join("acknowledged")),
        ..PostgresOptions::new(url)
    };
    let node = cluster::node(&options, HandClock::default().clock());
    submit(&node, base());
    let url = format!("postgres://plimsoll@{}:5432/{name}", host(&standby));
    let alone = PostgresOptions::new(url);
    until("the standby is proved by itself", || {
        verify_postgres(&alone, |_, _| ()).is_ok_and(|it| 0 < it.events)
    });
    let counts = Counts::default();
    let granted: Vec<Vec<String>> = std::thread::scope(|threads| {
        let callers: Vec<_> = (0..8)
            .map(|caller| {
                let (node, counts) = (&node, &counts);
                threads.spawn(move || call_until(node, caller, counts))
            })
            .collect();
        Counts::wait_for(&counts.granted, 50);
        primary.kill();
        Counts::wait_for(&counts.failed, 8);
        standby.promote();
        until_back(std::slice::from_ref(&node));
        Counts::wait_for(&counts.granted, 50);
        counts.ends.store(true, Ordering::SeqCst);
        let callers = callers.into_iter();
        callers.map(|it| it.join().expect("a caller")).collect()
    });
    assert_eq!(standby.ask(&name, "SELECT pg_is_in_recovery()"), "f");
    let all = snapshot(&node, 10_000);
    let kept: BTreeSet<&str> = all.reservations.iter().map(|row| row.id.as_str()).collect();
    for id in granted.iter().flatten() {
        assert!(kept.contains(id.as_str()), "`{id}` was acknowledged");
    }
    // Whoever was not answered last may or may not have got it.
    assert!(kept.len() <= granted.iter().flatten().count() + granted.len());
    assert_sound(&node);
}

fn make_certificate(folder: &Path, name: &str) {
    let names = format!("subjectAltName=DNS:{name}");
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=plimsoll", "-addext", &names])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "server.key", "-out", "server.crt"])
        .current_dir(folder)
        .output()
        .expect("openssl makes certificates");
    assert!(made.status.success(), "{made:?}");
}

#[test]
fn a_database_is_proved_by_its_certificate() {
    let cluster = Cluster::start();
    make_certificate(cluster.folder(), "db.example");
    cluster.own("server.key");
    cluster.kill();
    let folder = cluster.folder().display();
    // An address of this machine that is this process's alone: so the port is free.
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let address = format!("127.{}.{middle}.{low}", 100 + high % 100);
    cluster.run_with(&format!(
        "-c ssl=on -c ssl_cert_file={folder}/server.crt -c ssl_key_file={folder}/server.key \
         -c listen_addresses={address}"
    ));
    cluster.ask("postgres", "CREATE DATABASE db");
    let open = |host: &str, authorities_file| {
        let options = PostgresOptions {
            authorities_file,
            ..PostgresOptions::new(format!(
                "host={host} hostaddr={address} user=plimsoll dbname=db sslmode=require"
            ))
        };
        wait(Store::postgres(&options, HandClock::default().clock()))
    };
    let refused = |host, authorities_file| {
        let error = open(host, authorities_file).map(drop);
        chain_of(&error.expect_err("it is not proved"))
    };
    let certificate = cluster.folder().join("server.crt");
    let unknown = refused("db.example", None);
    assert!(unknown.contains("certificate"), "{unknown}");
    let elsewhere = refused("other.example", Some(certificate.clone()));
    assert!(elsewhere.contains("certificate"), "{elsewhere}");
    let none = refused("db.example", Some("/nowhere/ca.pem".into()));
    assert!(none.contains("`/nowhere/ca.pem` cannot be read"), "{none}");
    let node = open("db.example", Some(certificate)).expect("it is proved");
    submit(&node, base());
    let encrypted = "SELECT bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) \
                     WHERE a.application_name = 'plimsoll'";
    assert_eq!(cluster.ask("db", encrypted), "t");
}
