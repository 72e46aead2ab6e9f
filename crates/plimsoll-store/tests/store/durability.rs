//! What is found again: after a close, behind an old ledger, without one, and by whom.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use plimsoll_core::command::Command;
use plimsoll_core::model::{Credential, Reach};
use plimsoll_store::sqlite;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::kill::Child;
use crate::snapshot::{Snapshot, snapshot};
use crate::support::*;

/// A closed data directory with every kind of row, an older state of its ledger, and what the
/// store showed before it was closed.
pub(crate) struct Closed {
    pub(crate) directory: TempDir,
    pub(crate) expected: Snapshot,
    /// `ledger.db` as it was when the journal had this many records.
    pub(crate) older_ledger: Vec<u8>,
    /// `journal.db` then.
    pub(crate) older_journal: Vec<u8>,
    pub(crate) older_records: u64,
    pub(crate) records: u64,
}

impl Closed {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path();
        let first = open(path);
        submit(&first, base());
        for number in 0..6 {
            work(number, |commands| drop(submit(&first, commands)));
        }
        drop(first);
        let older_records = records(path);
        let [older_ledger, older_journal] =
            ["ledger.db", "journal.db"].map(|file| fs::read(path.join(file)).expect("a file"));
        let second = open(path);
        for number in 6..12 {
            work(number, |commands| drop(submit(&second, commands)));
        }
        let expected = snapshot(&second, 100);
        drop(second);
        Self {
            expected,
            older_ledger,
            older_journal,
            older_records,
            records: records(path),
            directory,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Puts the older ledger in the place of the last one.
    pub(crate) fn go_back(&self) {
        fs::write(self.path().join("ledger.db"), &self.older_ledger).expect("a file");
    }

    pub(crate) fn assert_opens_as_before(&self) {
        assert_eq!(snapshot(&open(self.path()), 100), self.expected);
    }
}

/// Submits two batches: reservations in several states, limits and principals.
pub(crate) fn work(number: u64, mut submit: impl FnMut(Vec<Command>)) {
    let id = |kind: &str| format!("{kind}{number}");
    let reach = Reach::Below(scope("p"));
    let token = Credential::Token { hash: [5; 32] };
    let place = match number % 2 {
        0 => "vm/image@FRA-A",
        _ => "vm/image@HKG-A",
    };
    let held = [("vm/image@FRA-A", 1), ("vm/disk", 3)];
    submit(vec![
        put_limit("p", "vm/image", finite(100 + number)),
        reserve(&id("held"), "p-q", &held, Some(99)),
        reserve(&id("kept"), "p", &[("vm/image@HKG-A", 3)], None),
        resize("p", &id("kept"), &[("vm/image@HKG-A", 2)]),
        forced(reserve(&id("gone"), "other", &[("vm/disk", 7)], Some(50))),
        reserve(&id("old"), "p", &[("vm/disk", 1)], Some(60)),
        release("acme", &id("old")),
        create_principal(&id("k"), reach, token),
        put_limit("p-q", place, finite(50)),
    ]);
    submit(vec![
        release("other", &id("gone")),
        forget("acme", 1),
        delete_principal(&id("k")),
    ]);
}

fn records(directory: &Path) -> u64 {
    sqlite::verify(directory).expect("a sound journal").records
}

#[test]
fn a_closed_store_is_opened_as_it_was() {
    let closed = Closed::new();
    for _ in 0..3 {
        closed.assert_opens_as_before();
    }
    let mut files: Vec<String> = fs::read_dir(closed.path())
        .expect("a directory")
        .map(|entry| {
            entry
                .expect("a file")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    files.sort_unstable();
    assert_eq!(files, ["journal.db", "ledger.db", "plimsoll.lock"]);
}

#[test]
fn a_closed_ledger_holds_everything() {
    let closed = Closed::new();
    let ledger = Connection::open(closed.path().join("ledger.db")).expect("a database");
    let number = |select: &str| -> u64 {
        ledger
            .query_row(select, [], |row| row.get(0))
            .expect("a number")
    };
    assert_eq!(number("SELECT sequence FROM watermark"), closed.records);
    let rows = closed.expected.reservations.len() as u64;
    assert_eq!(number("SELECT count(*) FROM reservation"), rows);
    assert_eq!(number("SELECT count(*) FROM scope"), 4);
    assert_eq!(
        number("SELECT used FROM account WHERE scope = 'acme' AND location = 'HKG-A'"),
        24
    );
    assert_eq!(
        number("SELECT held FROM account WHERE scope = 'p' AND resource = 'vm/disk'"),
        36
    );
    assert_eq!(number("SELECT count(*) FROM principal"), 0);
    let resized = "FROM reservation WHERE id = 'kept3' AND original ->> '$.lines[0].amount' = 3";
    assert_eq!(number(&format!("SELECT count(*) {resized}")), 1);
    let forced = "FROM reservation WHERE forced = 'it must be'";
    assert_eq!(number(&format!("SELECT count(*) {forced}")), 12);
    let forgotten = "FROM reservation WHERE id LIKE 'old%'";
    assert_eq!(number(&format!("SELECT count(*) {forgotten}")), 0);
    let of_two_lines = "FROM reservation WHERE more_lines ->> '$[0].amount' > 0";
    assert_eq!(number(&format!("SELECT count(*) {of_two_lines}")), 12);
}

#[test]
fn a_ledger_that_is_behind_catches_up() {
    let closed = Closed::new();
    closed.go_back();
    closed.assert_opens_as_before();
    closed.assert_opens_as_before();
}

#[test]
fn a_ledger_that_is_missing_is_made_anew() {
    let closed = Closed::new();
    let ledger = closed.path().join("ledger.db");
    fs::remove_file(&ledger).expect("a file");
    closed.assert_opens_as_before();
    // What is left of an older one does not come into the new one.
    let store = open(closed.path());
    submit(&store, vec![put_limit("p", "vm/image", finite(1))]);
    let wal = closed.path().join("ledger.db-wal");
    let left_over = fs::read(&wal).expect("a log");
    submit(&store, vec![put_limit("p", "vm/image", finite(2))]);
    let expected = snapshot(&store, 100);
    drop(store);
    fs::remove_file(&ledger).expect("a file");
    fs::write(&wal, left_over).expect("a file");
    assert_eq!(snapshot(&open(closed.path()), 100), expected);
}

#[test]
fn a_copy_of_the_journal_of_a_running_store_is_enough() {
    let closed = Closed::new();
    let store = open(closed.path());
    submit(&store, vec![reserve("last", "p", &[("vm/disk", 1)], None)]);
    let expected = snapshot(&store, 100);
    let copy = tempfile::tempdir().expect("a directory");
    let files = ["journal.db", "journal.db-wal"].map(|file| closed.path().join(file));
    // Another process copies: to open and close them here would drop this process's locks.
    let copied = std::process::Command::new("cp")
        .args(files)
        .arg(copy.path())
        .status();
    assert!(copied.expect("cp").success());
    assert_eq!(snapshot(&open(copy.path()), 100), expected);
    fs::remove_file(copy.path().join("ledger.db")).expect("a file");
    fs::write(copy.path().join("ledger.db"), &closed.older_ledger).expect("a file");
    assert_eq!(snapshot(&open(copy.path()), 100), expected);
}

#[test]
fn the_directory_is_closed_to_others() {
    let parent = tempfile::tempdir().expect("a directory");
    let directory = parent.path().join("made/here");
    drop(open(&directory));
    let mode = || {
        fs::metadata(&directory)
            .expect("a directory")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(), 0o700);
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).expect("our directory");
    drop(open(&directory));
    assert_eq!(mode(), 0o700);
}

fn assert_in_use(directory: &Path) {
    let error = try_open(directory).expect_err("a directory in use");
    assert!(chain_of(&error).contains("is in use by another process"));
}

#[test]
fn one_process_serves_a_directory() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    assert_in_use(directory.path());
    drop(store);
    let mut holder = Child::start(directory.path(), 0, "holder");
    assert_eq!(holder.next_line(), Some("open".to_owned()));
    assert_in_use(directory.path());
    holder.end();
    drop(open(directory.path()));
    let mut holder = Child::start(directory.path(), 0, "holder");
    assert_eq!(holder.next_line(), Some("open".to_owned()));
    assert_in_use(directory.path());
    holder.kill();
    drop(open(directory.path()));
}

#[test]
fn a_directory_that_others_use_is_refused_and_left_open() {
    let folder = tempfile::tempdir().expect("a directory");
    let open_to_all = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.path(), open_to_all).expect("our directory");
    fs::write(folder.path().join("letter.txt"), "dear all").expect("a letter");
    let error = try_open(folder.path()).expect_err("a directory with a letter in it");
    assert!(chain_of(&error).contains("name a directory of its own"));
    let metadata = fs::metadata(folder.path()).expect("our directory");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o755);
    let names = fs::read_dir(folder.path()).expect("our directory");
    assert_eq!(names.count(), 1);
}

/// Copies the journal of a store that is open.
pub(crate) fn copy_journal(from: &Path, to: &Path) {
    // Another process copies: to open and close them here would drop this process's locks.
    let copied = std::process::Command::new("cp")
        .args(["journal.db", "journal.db-wal"].map(|file| from.join(file)))
        .arg(to)
        .status();
    assert!(copied.expect("cp").success());
}

#[test]
fn the_first_records_find_room_in_the_log() {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("journal.db-wal");
    let bytes = || fs::metadata(&log).expect("a log").len();
    let store = open(directory.path());
    let made = bytes();
    assert_eq!(made, 8 << 20);
    submit(&store, base());
    for number in 0..20 {
        work(number, |commands| drop(submit(&store, commands)));
    }
    assert_eq!(bytes(), made);
    // As a crash leaves it: frames, and zeros behind them.
    let crashed = tempfile::tempdir().expect("a directory");
    copy_journal(directory.path(), crashed.path());
    let expected = snapshot(&store, 100);
    assert_eq!(snapshot(&open(crashed.path()), 100), expected);
    drop(store);
    assert!(!log.exists());
}
