//! What a verification counts, what it expects, and what it finds cut off.

use std::fs;

use expect_test::expect;
use plimsoll_store::sqlite::{self, Progress, verify_with};

use crate::damage::{tamper, told};
use crate::durability::{Closed, work};
use crate::support::*;

#[test]
fn a_verification_counts_what_it_has_proved() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    submit(&store, base());
    let two = [("vm/image@FRA-A", 2)];
    submit(&store, vec![reserve("a", "p", &two, None)]);
    submit(&store, vec![reserve("b", "p", &two, Some(9))]);
    submit(&store, vec![reserve("refused", "p", &two, None)]);
    submit(&store, vec![forced(reserve("c", "p", &two, None))]);
    submit(&store, vec![release("p", "b"), transfer("p", "a", "p-q")]);
    let at_work = sqlite::verify(directory.path()).expect("a sound journal");
    assert_eq!((at_work.admissions, at_work.reservations_live), (3, 2));
    assert_eq!(at_work.marked, [("forced", 1)].into());
    assert_eq!((at_work.records, at_work.logs, at_work.events), (5, 3, 13));
    drop(store);
    let closed = sqlite::verify(directory.path()).expect("a sound journal");
    assert_eq!((closed.tip, closed.ledger), (at_work.tip, Some(5)));
    fs::remove_file(directory.path().join("ledger.db")).expect("a file");
    let alone = sqlite::verify(directory.path()).expect("a sound journal");
    assert_eq!((alone.tip, alone.ledger), (at_work.tip, None));
}

#[test]
fn a_verification_says_how_far_it_is() {
    let closed = Closed::new();
    let mut seen = Vec::new();
    verify_with(closed.path(), None, |progress| seen.push(progress)).expect("a sound journal");
    let expected = (1..=closed.records).map(|records_done| Progress {
        records_done,
        records_in_all: closed.records,
    });
    assert!(seen.into_iter().eq(expected));
}

#[test]
fn a_tip_that_was_kept_is_found_again_wherever_it_is_now() {
    let closed = Closed::new();
    let path = closed.path();
    let tip = sqlite::verify(path).expect("a sound journal").tip;
    let expect_tip = |tip| verify_with(path, Some(tip), |_| ());
    let found = expect_tip(tip).expect("a sound journal");
    assert_eq!(found.expected, Some(closed.records));
    let store = open(path);
    work(99, |commands| drop(submit(&store, commands)));
    drop(store);
    let found = expect_tip(tip).expect("a sound journal");
    assert_eq!(found.expected, Some(closed.records));
    assert!(closed.records < found.records);
    let found = expect_tip([0; 32]).expect("a sound journal");
    assert_eq!(found.expected, Some(0), "before everything");
    expect![[r#"
        `DIR/journal.db` is damaged or foreign:
        no record has the hash that is expected:
        some were cut off or exchanged;
        restore it from a backup
    "#]]
    .assert_eq(&told(
        path,
        &expect_tip([7; 32]).expect_err("no such record"),
    ));
}

/// Where the ledger is behind, nobody but who keeps the tip can know that a tail is gone.
#[test]
fn a_tail_that_was_cut_off_is_found_by_the_ledger_or_by_the_tip() {
    let closed = Closed::new();
    let path = closed.path();
    let tip = sqlite::verify(path).expect("a sound journal").tip;
    fs::write(path.join("journal.db"), &closed.older_journal).expect("a file");
    expect![[r#"
        `DIR/journal.db` is damaged or foreign:
        record 25:
        `ledger.db` holds it, and it is missing here;
        restore it from a backup
    "#]]
    .assert_eq(&told(
        path,
        &sqlite::verify(path).expect_err("a tail is gone"),
    ));
    closed.go_back();
    let found = sqlite::verify(path).expect("nobody can know");
    assert_eq!(found.records, closed.older_records);
    let found = verify_with(path, Some(tip), |_| ()).expect_err("a tail is gone");
    expect![[r#"
        `DIR/journal.db` is damaged or foreign:
        no record has the hash that is expected:
        some were cut off or exchanged;
        restore it from a backup
    "#]]
    .assert_eq(&told(path, &found));
}

#[test]
fn a_ledger_of_another_journal_is_found() {
    let closed = Closed::new();
    let path = closed.path();
    let swap = "UPDATE watermark SET hash = zeroblob(32)";
    tamper(path, "ledger.db")
        .execute_batch(swap)
        .expect("a change");
    expect![[r#"
        `DIR/journal.db` is damaged or foreign:
        record 25:
        `ledger.db` was filled from another journal;
        restore it from a backup
    "#]]
    .assert_eq(&told(
        path,
        &sqlite::verify(path).expect_err("another journal"),
    ));
}
