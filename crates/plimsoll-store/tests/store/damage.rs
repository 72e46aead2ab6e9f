//! Files that are damaged or belong to something else are refused, and left as they are.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use expect_test::{Expect, expect};
use plimsoll_store::sqlite;
use rusqlite::Connection;

use crate::durability::Closed;
use crate::support::*;

/// The bytes of a directory's files; those that only coordinate processes aside.
pub(crate) fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).expect("a directory");
    entries
        .map(|entry| entry.expect("a file"))
        .filter(|entry| entry.path().is_file())
        .map(|entry| {
            (
                entry.file_name().into_string().expect("a name"),
                entry.path(),
            )
        })
        .filter(|(name, _)| !name.ends_with("-shm") && !name.ends_with(".lock"))
        .map(|(name, path)| (name, fs::read(path).expect("a file")))
        .filter(|(name, bytes)| !(name.ends_with("-wal") && bytes.is_empty()))
        .collect()
}

/// What the user is told, a clause a line.
pub(crate) fn told(directory: &Path, error: &dyn std::error::Error) -> String {
    let path = directory.display().to_string();
    let told = chain_of(error).replace(&path, "DIR");
    told.replace("; ", ";\n").replace(": ", ":\n") + "\n"
}

/// Why a directory is not opened; its files are the same after that.
fn refusal(directory: &Path) -> String {
    let before = files(directory);
    let error = try_open(directory).expect_err("a damaged directory");
    assert_eq!(files(directory), before, "repaired");
    told(directory, &error)
}

/// Another connection, which changes a database behind the store's back.
pub(crate) fn tamper(directory: &Path, file: &str) -> Connection {
    let connection = Connection::open(directory.join(file)).expect("a database");
    connection
        .pragma_update(None, "synchronous", "OFF")
        .expect("a setting");
    connection
}

fn check_refusal(damage: impl Fn(&Closed), expect: Expect) {
    let closed = Closed::new();
    damage(&closed);
    expect.assert_eq(&refusal(closed.path()));
}

/// Applies each change to a database of its own, and lists what the user is told.
fn check_changes(file: &str, sqls: &[&str], look: impl Fn(&Closed) -> String, expect: Expect) {
    let closed = Closed::new();
    assert_eq!((closed.older_records, closed.records), (13, 25));
    let before = files(closed.path());
    let mut transcript = String::new();
    for sql in sqls {
        let changed = tamper(closed.path(), file).execute_batch(sql);
        changed.expect("a change");
        transcript += &format!("{sql}\n{}\n", look(&closed));
        for (name, bytes) in &before {
            fs::write(closed.path().join(name), bytes).expect("a file");
        }
    }
    expect.assert_eq(&transcript);
}

pub(crate) fn check_ledger(sqls: &[&str], expect: Expect) {
    check_changes("ledger.db", sqls, |closed| refusal(closed.path()), expect);
}

/// The ledger is behind, so that the tail of the journal is read.
pub(crate) fn check_tail(sqls: &[&str], expect: Expect) {
    let look = |closed: &Closed| {
        closed.go_back();
        refusal(closed.path())
    };
    check_changes("journal.db", sqls, look, expect);
}

/// The ledger holds everything: a start reads the last record only.
pub(crate) fn check_verify(sqls: &[&str], expect: Expect) {
    let look = |closed: &Closed| {
        let before = files(closed.path());
        let error = sqlite::verify(closed.path()).expect_err("a damaged journal");
        assert_eq!(files(closed.path()), before, "repaired");
        told(closed.path(), &error)
    };
    check_changes("journal.db", sqls, look, expect);
}

/// Puts something in the place of each of the two databases.
fn check_foreign(put: impl Fn(&Path), expect: Expect) {
    let remedies = [
        ("journal.db", "restore it from a backup"),
        (
            "ledger.db",
            "move it away, and the next start makes it anew from `journal.db`",
        ),
    ];
    let [journal, ledger] = remedies.map(|(file, remedy)| {
        let closed = Closed::new();
        let path = closed.path().join(file);
        fs::remove_file(&path).expect("a file");
        put(&path);
        refusal(closed.path())
            .replace(remedy, "REMEDY")
            .replace(file, "FILE")
    });
    assert_eq!(journal, ledger);
    expect.assert_eq(&journal);
}

#[test]
fn foreign_files_are_refused() {
    let text = |path: &Path| fs::write(path, "Dear diary, ".repeat(99)).expect("a file");
    check_foreign(
        text,
        expect![[r#"
            `DIR/FILE` is damaged or foreign:
            it is no SQLite database;
            REMEDY
        "#]],
    );
    let empty = |path: &Path| fs::write(path, "").expect("a file");
    check_foreign(
        empty,
        expect![[r#"
            `DIR/FILE` is damaged or foreign:
            it is not a Plimsoll `FILE`;
            REMEDY
        "#]],
    );
    let other = |path: &Path| {
        let other = Connection::open(path).expect("a database");
        other
            .execute_batch("CREATE TABLE journal (x)")
            .expect("a table");
    };
    check_foreign(
        other,
        expect![[r#"
            `DIR/FILE` is damaged or foreign:
            it is not a Plimsoll `FILE`;
            REMEDY
        "#]],
    );
    let folder = |path: &Path| fs::create_dir(path).expect("a folder");
    check_foreign(
        folder,
        expect![[r#"
        `DIR/FILE` cannot be used:
        unable to open database file:
        DIR/FILE:
        Error code 14:
        unable to open database file
    "#]],
    );
}

/// Beside a `journal.db` that somebody else has made, nothing is made and nothing is closed.
fn check_anothers_journal(make: impl Fn(&Path), expect: Expect) {
    let folder = tempfile::tempdir().expect("a directory");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
    make(&folder.path().join("journal.db"));
    let names = || {
        let entries = fs::read_dir(folder.path()).expect("a directory");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
        names.sort();
        names
    };
    let before = names();
    expect.assert_eq(&refusal(folder.path()));
    assert_eq!(names(), before);
    let mode = fs::metadata(folder.path())
        .expect("a directory")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o755);
}

#[test]
fn nothing_is_made_or_closed_beside_anothers_journal() {
    check_anothers_journal(
        |path| {
            let connection = Connection::open(path).expect("a database");
            let made = connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x)");
            made.expect("a table");
        },
        expect![[r#"
            `DIR/journal.db` is damaged or foreign:
            it is not a Plimsoll `journal.db`;
            restore it from a backup
        "#]],
    );
    check_anothers_journal(
        |path| fs::write(path, "what somebody wrote").expect("a file"),
        expect![[r#"
            `DIR/journal.db` is damaged or foreign:
            it is no SQLite database;
            restore it from a backup
        "#]],
    );
}

#[test]
fn a_database_of_another_kind_or_layout_is_refused() {
    let swap = |closed: &Closed| {
        let [journal, ledger] = ["journal.db", "ledger.db"].map(|file| closed.path().join(file));
        fs::copy(journal, ledger).expect("a file");
    };
    check_refusal(
        swap,
        expect![[r#"
            `DIR/ledger.db` is damaged or foreign:
            it is not a Plimsoll `ledger.db`;
            move it away, and the next start makes it anew from `journal.db`
        "#]],
    );
    check_tail(
        &[
            "PRAGMA application_id = 1",
            "PRAGMA user_version = 2",
            "PRAGMA user_version = 0",
            "DROP TABLE journal",
        ],
        expect![[r#"
            PRAGMA application_id = 1
            `DIR/journal.db` is damaged or foreign:
            it is not a Plimsoll `journal.db`;
            restore it from a backup

            PRAGMA user_version = 2
            `DIR/journal.db` was made by a newer build (layout 2, this build knows 1):
            start that one, or a still newer one

            PRAGMA user_version = 0
            `DIR/journal.db` was made by an older build (layout 0, this build knows 1):
            CHANGELOG.md says how to bring it up to date

            DROP TABLE journal
            `DIR/journal.db` is damaged or foreign:
            no such table:
            journal;
            restore it from a backup

        "#]],
    );
    check_ledger(
        &[
            "PRAGMA application_id = 1",
            "PRAGMA user_version = 7",
            "DROP TABLE quota_limit",
        ],
        expect![[r#"
            PRAGMA application_id = 1
            `DIR/ledger.db` is damaged or foreign:
            it is not a Plimsoll `ledger.db`;
            move it away, and the next start makes it anew from `journal.db`

            PRAGMA user_version = 7
            `DIR/ledger.db` was made by a newer build (layout 7, this build knows 6):
            start that one, or a still newer one

            DROP TABLE quota_limit
            `DIR/ledger.db` is damaged or foreign:
            no such table:
            quota_limit;
            move it away, and the next start makes it anew from `journal.db`

        "#]],
    );
}

#[test]
fn a_journal_that_is_missing_is_refused() {
    let remove = |closed: &Closed| {
        fs::remove_file(closed.path().join("journal.db")).expect("a file");
    };
    check_refusal(
        remove,
        expect![[r#"
        `DIR/journal.db` is damaged or foreign:
        it is missing, though `ledger.db` beside it is there;
        restore it from a backup
    "#]],
    );
    let leave_the_log = |closed: &Closed| {
        fs::remove_file(closed.path().join("ledger.db")).expect("a file");
        let [journal, log] = ["journal.db", "journal.db-wal"].map(|file| closed.path().join(file));
        fs::rename(journal, log).expect("a file");
    };
    check_refusal(
        leave_the_log,
        expect![[r#"
        `DIR/journal.db` is damaged or foreign:
        it is missing, though `journal.db-wal` beside it is there;
        restore it from a backup
    "#]],
    );
}

#[test]
fn a_ledger_of_another_journal_is_refused() {
    let other_ledger = |closed: &Closed| {
        let other = tempfile::tempdir().expect("a directory");
        let store = open(other.path());
        submit(&store, vec![put_scope("elsewhere", None)]);
        drop(store);
        let [from, to] = [other.path(), closed.path()].map(|path| path.join("ledger.db"));
        fs::copy(from, to).expect("a file");
    };
    check_refusal(
        other_ledger,
        expect![[r#"
        `DIR/journal.db` is damaged or foreign:
        record 1:
        `ledger.db` was filled from another journal;
        restore it from a backup
    "#]],
    );
}
