//! `kill -9` at any moment loses nothing that was acknowledged.
//!
//! The test starts its own binary again, as a writer: libtest takes the arguments that say so for
//! filters that match no test.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use plimsoll_core::rows::{Footprint, Rows};
use plimsoll_store::{Store, sqlite};
use tempfile::TempDir;

use crate::snapshot::assert_sound;
use crate::support::*;

const WRITERS: u64 = 8;
/// What the writers may take of `vm/image@FRA-A` and of `vm/disk` in all.
const LEFT: u64 = 40;

/// This test binary, started again to do something else.
pub(crate) struct Child {
    process: std::process::Child,
    lines: mpsc::Receiver<String>,
    stdin: Option<ChildStdin>,
}

impl Child {
    pub(crate) fn start(directory: &Path, seed: u64, role: &str) -> Self {
        let exe = std::env::current_exe().expect("this test binary");
        Self::of(Command::new(exe), directory, seed, role)
    }

    pub(crate) fn of(mut command: Command, directory: &Path, seed: u64, role: &str) -> Self {
        let mut process = command
            .args(["--exact", "kill::child", "--nocapture"])
            .arg(format!("role={role}"))
            .arg(format!("seed={seed}"))
            .arg(format!("directory={}", directory.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test binary starts");
        let stdout = process.stdout.take().expect("a pipe");
        let (said, lines) = mpsc::channel();
        std::thread::spawn(move || pass_on(stdout, &said));
        Self {
            lines,
            stdin: process.stdin.take(),
            process,
        }
    }

    /// The next line that the child itself wrote; `None` when there are no more.
    pub(crate) fn next_line(&mut self) -> Option<String> {
        self.lines.recv().ok()
    }

    /// Asks the child to end, and waits for it.
    pub(crate) fn end(&mut self) {
        drop(self.stdin.take());
        assert!(self.process.wait().expect("a child").success());
    }

    /// Ends the child without asking it.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("our child");
        self.process.wait().expect("our child");
    }
}

/// Passes on what a child says, so that its pipe is never full.
fn pass_on(stdout: ChildStdout, said: &mpsc::Sender<String>) {
    let mut stdout = BufReader::new(stdout);
    let mut line = String::new();
    while stdout.read_line(&mut line).expect("a pipe") != 0 {
        // The last line may be cut short, and libtest says something too.
        let whole = line.strip_suffix('\n');
        if let Some((_, what)) = whole.and_then(|line| line.split_once("child: ")) {
            // A parent who knows enough does not listen.
            let _ = said.send(what.to_owned());
        }
        line.clear();
    }
}

/// Says something to the parent. Ends the process when nobody listens.
pub(crate) fn say(what: &str) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "child: {what}").expect("a parent");
}

/// Not a test but what a child does; without the arguments it does nothing.
#[test]
fn child() {
    let argument =
        |name: &str| std::env::args().find_map(|it| Some(it.strip_prefix(name)?.to_owned()));
    let (Some(role), Some(seed), Some(directory)) =
        (argument("role="), argument("seed="), argument("directory="))
    else {
        return;
    };
    let seed: u64 = seed.parse().expect("a number");
    let directory = Path::new(&directory);
    match role.as_str() {
        "holder" => hold(directory),
        "writer" => write_until_killed(directory, seed),
        "cramped" => crate::outage::write_in_a_cramped_place(directory),
        other => panic!("no such role: {other}"),
    }
}

/// Keeps the store open until the parent closes the pipe.
fn hold(directory: &Path) {
    let _store = open(directory);
    say("open");
    let mut nothing = Vec::new();
    std::io::stdin().read_to_end(&mut nothing).expect("a pipe");
}

fn write_until_killed(directory: &Path, seed: u64) {
    let store = open(directory);
    submit(&store, base());
    submit(
        &store,
        vec![
            put_limit("acme", "vm/image", finite(LEFT)),
            put_limit("p", "vm/image", finite(LEFT)),
            put_limit("acme", "vm/disk", finite(LEFT)),
        ],
    );
    std::thread::scope(|threads| {
        for writer in 0..WRITERS {
            let store = &store;
            threads.spawn(move || write(store, seed, writer));
        }
    });
}

/// Reserves, commits and releases, and says what was acknowledged.
fn write(store: &Store, seed: u64, writer: u64) {
    let mut dice = Dice(seed * WRITERS + writer);
    for number in 0.. {
        let id = format!("r{seed}-{writer}-{number}");
        let of = dice.pick(&["vm/image@FRA-A", "vm/disk"]);
        let ttl_ms = (dice.below(2) == 0).then_some(1_000);
        let mut steps = vec![reserve(&id, "p", &[(of, 2)], ttl_ms)];
        match dice.below(4) {
            0 => steps.push(extend("p", &id, 2_000)),
            1 => steps.push(resize("p", &id, &[("vm/disk", 1), ("vm/image@FRA-A", 1)])),
            2 => steps.push(commit_part("p", &id, &[(of, 1)])),
            _ => steps.push(release_part("acme", &id, &[(of, 1)])),
        }
        steps.extend([commit("acme", &id), transfer("acme", &id, "p-q")]);
        if dice.below(10) != 0 {
            steps.push(release("acme", &id));
        }
        for step in steps {
            if let Some(row) = reserved(wait(store.submit(vec![step]))) {
                say(&format!("{id} {} {}", row.revision, row.state.name()));
            }
        }
        // Elsewhere, so that what was said stays to be found.
        submit(
            store,
            vec![
                reserve(&id, "other", &[("vm/disk", 1)], ttl_ms),
                release("other", &id),
                forget("other", 1),
            ],
        );
    }
}

/// What a data directory must hold.
struct Ledger {
    directory: TempDir,
    /// The revision and state of each reservation as they were last acknowledged.
    acknowledged: BTreeMap<String, (u64, String)>,
}

impl Ledger {
    fn new() -> Self {
        let parent = tempfile::tempdir().expect("a directory");
        Self {
            directory: parent,
            acknowledged: BTreeMap::new(),
        }
    }

    /// The data directory, which the first child makes.
    fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("data")
    }

    /// Starts a writer, kills it after a while and takes note of what it said.
    fn cycle(&mut self, seed: u64, delay: Duration) -> u64 {
        let mut child = Child::start(&self.path(), seed, "writer");
        // Nobody ever sends: this waits for the moment of the kill.
        let (_sender, never) = mpsc::channel::<()>();
        let _ = never.recv_timeout(delay);
        child.kill();
        let mut heard = 0;
        while let Some(line) = child.next_line() {
            let words: Vec<&str> = line.split(' ').collect();
            let [id, revision, state] = words[..] else {
                panic!("{line}");
            };
            let revision = revision.parse().expect("a revision");
            let last = self
                .acknowledged
                .insert(id.to_owned(), (revision, state.to_owned()));
            // To commit what is committed answers the revision of before.
            assert!(last.is_none_or(|(before, _)| before <= revision), "{line}");
            heard += 1;
        }
        heard
    }

    /// Opens the directory: everything acknowledged is there, and nothing is passed.
    fn check(&self) {
        let store = open(&self.path());
        wait(store.read(&Footprint::default(), |tables| {
            for (id, (revision, state)) in &self.acknowledged {
                let row = tables
                    .reservation(&scope("acme"), &reservation(id))
                    .unwrap_or_else(|| panic!("`{id}` was acknowledged and is lost"));
                assert!(*revision <= row.revision, "{row:?}");
                if *revision == row.revision {
                    assert_eq!(row.state.name(), state, "{row:?}");
                }
            }
            for of in ["vm/image@FRA-A", "vm/disk"] {
                let account = tables.account(&scope("acme"), &item(of));
                assert!(account.taken() <= amount(LEFT), "{account:?}");
            }
        }))
        .expect("the store serves");
        assert_sound(&store);
        drop(store);
        sqlite::verify(&self.path()).unwrap_or_else(|error| panic!("{}", chain_of(&error)));
    }
}

/// Kills early enough that the very first start is met, and checks once in a while only, so that
/// the next start recovers what the last kill has left.
fn kill_at_the_start(seed: u64) {
    let mut dice = Dice(seed);
    for round in 0..8 {
        let mut ledger = Ledger::new();
        for kill in 0..3 {
            let delay = Duration::from_micros(dice.below(30_000));
            ledger.cycle(1_000 * seed + 10 * round + kill, delay);
        }
        if ledger.path().exists() {
            ledger.check();
        }
    }
}

/// Fewer acknowledgements prove little.
const HEARD_MIN: u64 = 100;

fn kill_under_load(seed: u64, cycles: u64) -> u64 {
    let mut dice = Dice(seed);
    let mut ledger = Ledger::new();
    let mut heard = 0;
    // On a slow machine it takes more of them, and longer ones, until enough was acknowledged.
    for cycle in 0..5 * cycles {
        if cycles <= cycle && HEARD_MIN < heard {
            break;
        }
        let delay = Duration::from_millis(20 + dice.below(280) * (1 + cycle / cycles));
        heard += ledger.cycle(1_000 * seed + 10 * cycle, delay);
        if dice.below(3) == 0 {
            // Everything is to be replayed, and the next kill meets that.
            let _ = std::fs::remove_file(ledger.path().join("ledger.db"));
        }
        if dice.below(2) == 0 {
            let delay = Duration::from_millis(dice.below(25));
            heard += ledger.cycle(1_000 * seed + 10 * cycle + 1, delay);
        }
        ledger.check();
    }
    heard
}

#[test]
fn a_kill_at_the_very_start_leaves_a_directory_that_opens() {
    kill_at_the_start(1);
}

#[test]
fn a_kill_under_load_loses_nothing_acknowledged() {
    let heard = kill_under_load(2, 20);
    assert!(
        HEARD_MIN < heard,
        "only {heard} acknowledgements: that proves little"
    );
}

#[test]
fn another_kill_under_load_loses_nothing_acknowledged() {
    let heard = kill_under_load(3, 20);
    assert!(
        HEARD_MIN < heard,
        "only {heard} acknowledgements: that proves little"
    );
}
