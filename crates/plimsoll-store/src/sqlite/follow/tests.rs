//! Who writes a round, and what becomes of one that is given up.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use plimsoll_core::event::Log;
use tempfile::TempDir;

use super::*;
use crate::sqlite::files::{self, Kind};
use crate::sqlite::{Opened, open};
use crate::testing::Dice;

/// Milliseconds in which it must be told.
const LOOKS_MAX: u32 = 20_000;

/// A closed directory whose ledger has nothing of what the journal has.
fn behind() -> TempDir {
    behind_by(50)
}

/// The same, with so many changes in each of its records.
fn behind_by(changes: usize) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let opened = open(directory.path()).expect("an empty directory");
    let Opened {
        mut journal,
        follower,
        ..
    } = opened;
    let mut dice = Dice(7);
    for revision in 1..=40 {
        let mut record = journal.next_record();
        let mut event = dice.event(Log::Catalogue, revision);
        event.changes = (0..changes).map(|_| dice.change(1)).collect();
        record.push(&event, &[0; 32]);
        journal.write(record).expect("a record");
    }
    drop((journal, follower));
    std::fs::remove_file(Kind::Ledger.path(directory.path())).expect("a ledger");
    files::create(directory.path(), Kind::Ledger).expect("a new one");
    directory
}

fn work(directory: &Path) -> Work {
    Work::open(directory).expect("both files")
}

#[test]
fn a_round_that_is_given_up_leaves_all_of_it_to_the_next() {
    let directory = behind();
    let work = work(directory.path());
    for give_up in [GivesUp::as_late, GivesUp::as_stopping] {
        give_up(&work.gives_up, true);
        assert!(work.fill().round().is_err());
        give_up(&work.gives_up, false);
    }
    let written = work.fill().round().expect("a round");
    assert!(0 < written.bytes && written.bytes < written.whole);
    assert_eq!(work.fill().round().expect("a round").bytes, 0);
}

/// An idle thread that never gets the processor until it is told to give up: what is late must not
/// wait for it.
#[test]
fn a_late_round_is_taken_from_the_idle_thread() {
    let directory = behind();
    let work = &work(directory.path());
    let (ask, asked) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    std::thread::scope(|threads| {
        let starved = threads.spawn(move || {
            let () = asked.recv().expect("somebody asks");
            for _ in 0..LOOKS_MAX {
                if work.gives_up.is_set() {
                    break;
                }
                // tidy: sleep SQLite asks for the flag, and nobody tells when it is set
                std::thread::sleep(Duration::from_millis(1));
            }
            let written = locked(&work.fill).round();
            let gave_up = written.is_err();
            tell.send(written).expect("it waits");
            gave_up
        });
        let signal = Signal::default();
        signal.add(BEHIND_MAX);
        let rounds = Rounds { work, ask, told };
        let written = rounds.round_when_idle(1, &signal).expect("a round");
        assert!(0 < written.bytes);
        assert!(starved.join().expect("it ends"));
        assert!(!work.gives_up.is_set());
    });
}

/// Who stops writes all that is left, whoever had begun to.
#[test]
fn a_stop_leaves_nothing_behind() {
    let directory = behind();
    let lock = DirectoryLock::take(directory.path()).expect("nobody else");
    let follower = Follower::start(directory.path(), Arc::default(), lock).expect("a follower");
    follower.work.gives_up.as_stopping(true);
    let work = Arc::clone(&follower.work);
    drop(follower);
    assert_eq!(work.fill().round().expect("a round").bytes, 0);
}

#[test]
fn a_stop_leaves_very_much_to_the_next_start() {
    let directory = behind_by(4_000);
    let work = work(directory.path());
    work.finish(1);
    let rest = work.fill().round().expect("a round");
    assert!(0 < rest.bytes);
}

#[test]
#[cfg(target_os = "linux")]
fn rounds_are_written_when_nobody_else_wants_the_processor() {
    use thread_priority::unix::{
        NormalThreadSchedulePolicy, ThreadSchedulePolicy, thread_schedule_policy,
    };

    let policy = std::thread::spawn(|| {
        take_what_is_left();
        thread_schedule_policy().expect("the system says how a thread is scheduled")
    });
    assert_eq!(
        policy.join().expect("the thread ends"),
        ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle)
    );
}
