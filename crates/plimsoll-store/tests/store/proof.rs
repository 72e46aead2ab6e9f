//! The proof from a database alone: what it says, and that it finds what somebody has changed.

use expect_test::{Expect, expect};
use plimsoll_store::{
    PostgresOptions, Tips, VerifiedDatabase, verify_postgres, verify_postgres_with,
};

use crate::cluster;
use crate::durability::work;
use crate::support::*;

/// A database with every kind of row, which nobody uses any more; its name.
fn closed() -> (PostgresOptions, String) {
    let options = cluster::database();
    let node = cluster::node(&options, HandClock::default().clock());
    submit(&node, base());
    for number in 0..3 {
        work(number, |commands| drop(submit(&node, commands)));
    }
    // Decided by a catalogue that is another afterwards.
    submit(&node, vec![put_resource("vm/image", finite(1), true)]);
    let tight = reserve("tight", "other", &[("vm/image@FRA-A", 1)], None);
    assert!(reserved(wait(node.submit(vec![tight]))).is_some());
    submit(&node, vec![put_resource("vm/image", finite(0), true)]);
    drop(node);
    let name = options.url.rsplit('=').next().expect("a name").to_owned();
    (options, name)
}

fn verified(options: &PostgresOptions) -> Result<VerifiedDatabase, String> {
    verify_postgres(options, |_, _| ()).map_err(|error| chain_of(&error))
}

#[test]
fn a_sound_database_is_proved_while_nodes_serve() {
    let options = cluster::database();
    let node = cluster::node(&options, HandClock::default().clock());
    submit(&node, base());
    let mut last = verified(&options).expect("a sound database");
    assert_eq!((last.logs.len(), last.admissions), (3, 0));
    for number in 0..3 {
        work(number, |commands| drop(submit(&node, commands)));
        let mut seen = Vec::new();
        let next = verify_postgres(&options, |done, in_all| seen.push((done, in_all)));
        let next = next.expect("a sound database");
        assert!(
            seen.into_iter()
                .eq((1..=next.events).map(|done| (done, next.events)))
        );
        assert!(last.events < next.events && last.admissions < next.admissions);
        assert_eq!(next.marked["forced"], number + 1);
        assert_ne!(next.tips().hash(), last.tips().hash());
        assert_eq!(verified(&options).expect("a sound database"), next);
        last = next;
    }
}

/// Another database that holds what a closed one does.
fn copy_of(name: &str, copy: &str) -> PostgresOptions {
    let cluster = cluster::shared();
    let ended = format!(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '{name}'"
    );
    cluster.ask("postgres", &ended);
    let create = format!("CREATE DATABASE {copy} TEMPLATE {name}");
    cluster.ask("postgres", &create);
    cluster.options(copy)
}

/// Makes each change to a copy of its own, and lists what the user is told.
fn check(sqls: &[&str], expect: Expect) {
    let (options, name) = closed();
    verified(&options).expect("a sound database");
    let cluster = cluster::shared();
    let mut transcript = String::new();
    for (index, sql) in sqls.iter().enumerate() {
        let copy = format!("{name}_{index}");
        let options = copy_of(&name, &copy);
        cluster.ask(&copy, sql);
        let told = verified(&options).expect_err(sql);
        let told = told.split(" is damaged: ").nth(1).expect("it is damaged");
        transcript += &format!("{sql}\n    {told}\n");
        cluster.ask("postgres", &format!("DROP DATABASE {copy} WITH (FORCE)"));
    }
    expect.assert_eq(&transcript);
}

#[test]
fn events_that_were_changed_taken_away_or_reordered_are_found() {
    check(
        &[
            "UPDATE plimsoll.event SET event = set_byte(event, 9, get_byte(event, 9) # 1) \
             WHERE tenant = 'acme' AND revision = 7",
            "UPDATE plimsoll.event SET chain = set_byte(chain, 31, get_byte(chain, 31) # 128) \
             WHERE tenant = '' AND revision = 2",
            "DELETE FROM plimsoll.event WHERE tenant = 'acme' AND revision = 1",
            "DELETE FROM plimsoll.event WHERE tenant = 'acme' AND revision = 12",
            "DELETE FROM plimsoll.event WHERE tenant = 'other' AND revision = \
             (SELECT revision FROM plimsoll.log WHERE tenant = 'other')",
            "UPDATE plimsoll.event SET revision = 99 WHERE tenant = 'acme' AND revision = 8; \
             UPDATE plimsoll.event SET revision = 8 WHERE tenant = 'acme' AND revision = 9; \
             UPDATE plimsoll.event SET revision = 9 WHERE tenant = 'acme' AND revision = 99",
            "UPDATE plimsoll.event SET tenant = 'nobody' WHERE tenant = 'acme' AND revision = 3",
            "INSERT INTO plimsoll.event SELECT 'zz', revision, at_ms, catalogue, transaction, chain, \
             event FROM plimsoll.event WHERE tenant = 'other'",
            "INSERT INTO plimsoll.event SELECT tenant, 1 + revision, at_ms, catalogue, transaction, \
             chain, event FROM plimsoll.event WHERE tenant = 'other' ORDER BY revision DESC LIMIT 1",
            "UPDATE plimsoll.event SET at_ms = 9 WHERE tenant = 'acme' AND revision = 4",
            "UPDATE plimsoll.event SET catalogue = 0 WHERE tenant = 'acme' AND revision = 9",
            "UPDATE plimsoll.event SET catalogue = 999 WHERE tenant = 'other' AND revision = 2",
            // Decided as if nothing were left: the admission was one too many.
            "UPDATE plimsoll.event SET catalogue = \
             (SELECT revision FROM plimsoll.log WHERE tenant = '') WHERE tenant = 'other' \
             AND revision = (SELECT revision FROM plimsoll.log WHERE tenant = 'other')",
            "UPDATE plimsoll.log SET revision = revision - 1 WHERE tenant = 'acme'",
            "UPDATE plimsoll.log SET chain = decode(repeat('07', 32), 'hex') WHERE tenant = ''",
            "DELETE FROM plimsoll.log WHERE tenant = 'acme'",
            "DELETE FROM plimsoll.log WHERE tenant = ''",
        ],
        expect![[r#"
            UPDATE plimsoll.event SET event = set_byte(event, 9, get_byte(event, 9) # 1) WHERE tenant = 'acme' AND revision = 7
                revision 7 of `acme`: its hash is not that of its bytes and of the event before it
            UPDATE plimsoll.event SET chain = set_byte(chain, 31, get_byte(chain, 31) # 128) WHERE tenant = '' AND revision = 2
                revision 2 of the catalogue: its hash is not that of its bytes and of the event before it
            DELETE FROM plimsoll.event WHERE tenant = 'acme' AND revision = 1
                revision 1 of `acme` is missing
            DELETE FROM plimsoll.event WHERE tenant = 'acme' AND revision = 12
                revision 12 of `acme` is missing
            DELETE FROM plimsoll.event WHERE tenant = 'other' AND revision = (SELECT revision FROM plimsoll.log WHERE tenant = 'other')
                the log of `other` ends at revision 7, and its root row says that it ends at 8, or another hash or time
            UPDATE plimsoll.event SET revision = 99 WHERE tenant = 'acme' AND revision = 8; UPDATE plimsoll.event SET revision = 8 WHERE tenant = 'acme' AND revision = 9; UPDATE plimsoll.event SET revision = 9 WHERE tenant = 'acme' AND revision = 99
                revision 8 of `acme`: its hash is not that of its bytes and of the event before it
            UPDATE plimsoll.event SET tenant = 'nobody' WHERE tenant = 'acme' AND revision = 3
                revision 3 of `acme` is missing
            INSERT INTO plimsoll.event SELECT 'zz', revision, at_ms, catalogue, transaction, chain, event FROM plimsoll.event WHERE tenant = 'other'
                revision 1 of `zz` belongs to no log
            INSERT INTO plimsoll.event SELECT tenant, 1 + revision, at_ms, catalogue, transaction, chain, event FROM plimsoll.event WHERE tenant = 'other' ORDER BY revision DESC LIMIT 1
                revision 9 of `other`: its hash is not that of its bytes and of the event before it
            UPDATE plimsoll.event SET at_ms = 9 WHERE tenant = 'acme' AND revision = 4
                revision 4 of `acme`: its columns are not what its bytes say
            UPDATE plimsoll.event SET catalogue = 0 WHERE tenant = 'acme' AND revision = 9
                revision 9 of `acme`: it names a revision of the catalogue that was not in force
            UPDATE plimsoll.event SET catalogue = 999 WHERE tenant = 'other' AND revision = 2
                revision 2 of `other`: it names a revision of the catalogue that was not in force
            UPDATE plimsoll.event SET catalogue = (SELECT revision FROM plimsoll.log WHERE tenant = '') WHERE tenant = 'other' AND revision = (SELECT revision FROM plimsoll.log WHERE tenant = 'other')
                revision 8 of `other` lets `other` take 1 of `vm/image@FRA-A`, and the ceiling is 0
            UPDATE plimsoll.log SET revision = revision - 1 WHERE tenant = 'acme'
                the log of `acme` ends at revision 26, and its root row says that it ends at 25, or another hash or time
            UPDATE plimsoll.log SET chain = decode(repeat('07', 32), 'hex') WHERE tenant = ''
                the log of the catalogue ends at revision 12, and its root row says that it ends at 12, or another hash or time
            DELETE FROM plimsoll.log WHERE tenant = 'acme'
                revision 1 of `acme` belongs to no log
            DELETE FROM plimsoll.log WHERE tenant = ''
                the catalogue's root row is missing
        "#]],
    );
}

#[test]
fn rows_that_are_not_what_the_events_made_are_found() {
    check(
        &[
            "UPDATE plimsoll.account SET used = used + 1 WHERE scope = 'p'",
            "UPDATE plimsoll.account SET row = (SELECT row FROM plimsoll.account \
             WHERE scope = 'acme' AND resource = 'vm/disk') WHERE scope = 'p' AND resource = 'vm/disk'",
            "DELETE FROM plimsoll.account WHERE scope = 'p' AND resource = 'vm/disk'",
            "INSERT INTO plimsoll.account SELECT 'nowhere', resource, location, used, held, row \
             FROM plimsoll.account WHERE scope = 'other'",
            "UPDATE plimsoll.reservation SET state = 'released' WHERE id = 'kept1'",
            "UPDATE plimsoll.reservation SET expires_at_ms = NULL WHERE id = 'held2'",
            "DELETE FROM plimsoll.reservation WHERE id = 'kept1'",
            "UPDATE plimsoll.reservation SET tenant = 'nobody' WHERE id = 'kept1'",
            "INSERT INTO plimsoll.reservation SELECT tenant, 'one-more', scope, state, \
             expires_at_ms, ended_at_ms, row FROM plimsoll.reservation WHERE id = 'kept1'",
            "DELETE FROM plimsoll.limits WHERE scope = 'p'",
            "UPDATE plimsoll.scope SET parent = 'other' WHERE id = 'p'",
            "UPDATE plimsoll.scope SET above = '{p}' WHERE id = 'p'",
            "UPDATE plimsoll.scope SET row = set_byte(row, 1, 0) WHERE id = 'p'",
            "DELETE FROM plimsoll.catalogue WHERE id = 'vm/disk'",
            "UPDATE plimsoll.catalogue SET row = (SELECT row FROM plimsoll.catalogue \
             WHERE id = 'vm/disk') WHERE id = 'vm/image'",
            "INSERT INTO plimsoll.principal VALUES ('mallory', '')",
        ],
        expect![[r#"
            UPDATE plimsoll.account SET used = used + 1 WHERE scope = 'p'
                the row `p`, `vm/image`, `HKG-A` of table `account` is not as its last event left it
            UPDATE plimsoll.account SET row = (SELECT row FROM plimsoll.account WHERE scope = 'acme' AND resource = 'vm/disk') WHERE scope = 'p' AND resource = 'vm/disk'
                the row `p`, `vm/disk`, `` of table `account` is not as its last event left it
            DELETE FROM plimsoll.account WHERE scope = 'p' AND resource = 'vm/disk'
                the row `p`, `vm/disk`, `` of table `account` is missing
            INSERT INTO plimsoll.account SELECT 'nowhere', resource, location, used, held, row FROM plimsoll.account WHERE scope = 'other'
                the row `nowhere`, `vm/disk`, `` of table `account` was made by no event
            UPDATE plimsoll.reservation SET state = 'released' WHERE id = 'kept1'
                the row `kept1`, `acme` of table `reservation` is not as its last event left it
            UPDATE plimsoll.reservation SET expires_at_ms = NULL WHERE id = 'held2'
                the row `held2`, `acme` of table `reservation` is not as its last event left it
            DELETE FROM plimsoll.reservation WHERE id = 'kept1'
                the row `kept1`, `acme` of table `reservation` is missing
            UPDATE plimsoll.reservation SET tenant = 'nobody' WHERE id = 'kept1'
                the row `kept1`, `acme` of table `reservation` is missing
            INSERT INTO plimsoll.reservation SELECT tenant, 'one-more', scope, state, expires_at_ms, ended_at_ms, row FROM plimsoll.reservation WHERE id = 'kept1'
                the row `one-more`, `acme` of table `reservation` was made by no event
            DELETE FROM plimsoll.limits WHERE scope = 'p'
                the row `p`, `vm/image`, `` of table `limits` is missing
            UPDATE plimsoll.scope SET parent = 'other' WHERE id = 'p'
                the row `p` of table `scope` is not as its last event left it
            UPDATE plimsoll.scope SET above = '{p}' WHERE id = 'p'
                the row `p` of table `scope` is not as its last event left it
            UPDATE plimsoll.scope SET row = set_byte(row, 1, 0) WHERE id = 'p'
                the row `p` of table `scope` is not as its last event left it
            DELETE FROM plimsoll.catalogue WHERE id = 'vm/disk'
                the row `resource`, `vm/disk` of table `catalogue` is missing
            UPDATE plimsoll.catalogue SET row = (SELECT row FROM plimsoll.catalogue WHERE id = 'vm/disk') WHERE id = 'vm/image'
                the row `resource`, `vm/image` of table `catalogue` is not as its last event left it
            INSERT INTO plimsoll.principal VALUES ('mallory', '')
                the row `mallory` of table `principal` was made by no event
        "#]],
    );
}

#[test]
fn what_is_no_ledger_is_said_to_be_none() {
    let options = cluster::database();
    let told = verified(&options).expect_err("it is empty");
    assert!(told.ends_with("holds no ledger"), "{told}");
}

/// Reserves something for each of some tenants, a project apiece.
fn go_on(options: &PostgresOptions, id: &str, amount: u64, scopes: &[&str]) {
    let node = cluster::node(options, HandClock::default().clock());
    for scope in scopes {
        let lines = [("vm/disk", amount)];
        submit(&node, vec![reserve(id, scope, &lines, None)]);
    }
}

#[test]
fn a_kept_tip_gives_away_what_was_cut_off_or_exchanged() {
    let (options, name) = closed();
    let expecting = |options: &PostgresOptions, kept: &Tips| {
        let verified = verify_postgres_with(options, kept.clone(), |_, _| ());
        verified.map_err(|error| {
            let told = chain_of(&error);
            let what = told.split(" is damaged: ").nth(1);
            what.expect("it is damaged").to_owned()
        })
    };
    let early = verified(&options).expect("a sound database").tips();
    let [older, forked, shorter, other_catalogue] = ["older", "forked", "shorter", "catalogue"]
        .map(|it| copy_of(&name, &format!("{name}_{it}")));
    go_on(&options, "more", 1, &["p", "other"]);
    let node = cluster::node(&options, HandClock::default().clock());
    submit(&node, vec![put_scope("new", None)]);
    drop(node);
    let late = verified(&options).expect("a sound database");
    let late = late.tips();
    assert_eq!((early.0.len(), late.0.len()), (3, 4));
    assert_ne!(early.hash(), late.hash());
    let again = expecting(&options, &early).expect("it has only grown");
    assert_eq!(again.tips(), late);
    expecting(&options, &late).expect("nothing has happened since");

    // As after a restore of an older backup, with and without something new in the place.
    expecting(&older, &early).expect("it is as it was");
    let mut told = vec![expecting(&older, &late).expect_err("it is older")];
    go_on(&forked, "more", 2, &["p", "other"]);
    go_on(&forked, "and-more", 2, &["p", "other"]);
    verified(&forked).expect("by itself, it is sound");
    expecting(&forked, &early).expect("it has gone on from there");
    told.push(expecting(&forked, &late).expect_err("it went another way"));
    go_on(&shorter, "more", 1, &["p", "other"]);
    told.push(expecting(&shorter, &late).expect_err("a tenant is missing"));
    let node = cluster::node(&other_catalogue, HandClock::default().clock());
    submit(&node, vec![put_location("HKG-A", "another name")]);
    drop(node);
    let mut last_of_all = early.clone();
    last_of_all.0.insert("zz".to_owned(), early.0["other"]);
    told.push(expecting(&other_catalogue, &last_of_all).expect_err("a tenant is missing"));
    let other_way = verified(&other_catalogue).expect("a sound database").tips();
    told.push(expecting(&options, &other_way).expect_err("the catalogue is behind"));
    expect![[r#"
        the log of `acme` ends at revision 26, and the kept tip has its revision 27: what came last was cut off
        revision 27 of `acme` is not the one of the kept tip: it or one before it was exchanged
        the log of `new` is missing, and the kept tip has its revision 1
        the log of `zz` is missing, and the kept tip has its revision 8
        the log of the catalogue ends at revision 12, and the kept tip has its revision 13: what came last was cut off
    "#]].assert_eq(&(told.join("\n") + "\n"));
}
