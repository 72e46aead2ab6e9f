//! A tree of three levels with limits at each, and what is asked of it.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::{Action, Command};
use plimsoll_core::model::Reach;
use plimsoll_core::names::{PrincipalId, ScopeId};
use plimsoll_core::outcome::Outcome;
use plimsoll_dialects::http::Request;
use plimsoll_dialects::native::{self, Call};
use plimsoll_store::simulation::{ByTheRules, Engine, Journal, Place, RecordWriter, replay};
use plimsoll_store::{StoreError, Tables};

/// Commands that are decided together, as when so many callers wait.
pub(crate) const GROUP: usize = 64;

/// Trees over which a count is spread.
pub(crate) const TREES: usize = 8;

/// Holds in a tree that has grown.
pub(crate) const HOLDS: usize = 2 * GROUP;

const FOLDERS: usize = 4;
const PROJECTS: usize = 32;
const LOCATIONS: usize = 2;

/// A project whose limit is taken.
const FULL: &str = "full";
const FIRST_IN_FULL: usize = 1_000_000;

/// A journal that keeps its records in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory(Rc<RefCell<Written>>);

#[derive(Debug, Default)]
struct Written {
    tip: Place,
    records: Vec<Vec<u8>>,
}

impl Memory {
    pub(crate) fn into_records(self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.0.borrow_mut().records)
    }
}

impl Journal for Memory {
    fn next_record(&self) -> RecordWriter {
        self.0.borrow().tip.next_record()
    }

    fn write(&mut self, record: RecordWriter) -> Result<(), StoreError> {
        let (bytes, hash) = record.finish();
        let mut written = self.0.borrow_mut();
        written.tip = written.tip.next(hash);
        written.records.push(bytes);
        Ok(())
    }

    fn reload(&mut self) -> Result<Tables, StoreError> {
        let mut written = self.0.borrow_mut();
        let replayed = replay(written.records.iter().map(Vec::as_slice));
        let (tables, tip) = replayed.expect("as it was written");
        written.tip = tip;
        Ok(tables)
    }
}

/// The instant of every decision: 2026-01-01T00:00:00Z.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_ms(1_767_225_600_000).expect("before the year 10000")
}

/// The path of a reservation: no two numbers have the same.
pub(crate) fn path(number: usize) -> String {
    format!("reservations/r-{number:016}")
}

/// What asks for one image, in one project after the other.
pub(crate) fn content(number: usize) -> String {
    taking(&format!("p-{}", number % PROJECTS), number % LOCATIONS)
}

fn taking(scope: &str, location: usize) -> String {
    format!(
        r#""scope":"{scope}","lines":[{{"resource":"vm/image","location":"L-{location}","amount":1}}],"ttl_seconds":3600"#
    )
}

pub(crate) fn reserve(number: usize) -> Command {
    act("PUT", &path(number), &format!("{{{}}}", content(number)))
}

/// Asks for an image in the project that has room for [`GROUP`].
pub(crate) fn reserve_where_it_is_full(number: usize) -> Command {
    act("PUT", &path(number), &format!("{{{}}}", taking(FULL, 0)))
}

pub(crate) fn commit(number: usize) -> Command {
    act("POST", &format!("{}/commit", path(number)), "{}")
}

/// What somebody asks for who may do everything.
fn act(method: &str, path: &str, body: &str) -> Command {
    let path = format!("{}/{path}", native::BASE);
    let request = Request {
        method,
        path: &path,
        query: None,
        headers: &[("content-type", b"application/json")],
        body: body.as_bytes(),
    };
    let call = native::route(&request).and_then(|route| route.decode());
    let action: Action = match call {
        Ok(Call::Act(action)) => action,
        Ok(Call::Change(change)) => change.action(ScopeId::parse("acme").expect("it is an id")),
        other => panic!("`{method} {path}` is read as {other:?}"),
    };
    Command {
        actor: PrincipalId::parse("admin").expect("it is an id"),
        reach: Reach::Everything,
        action,
    }
}

/// The catalogue and the tree; each project, each folder and the tenant have a limit.
fn settings() -> Vec<Command> {
    let mut made = vec![act(
        "PUT",
        "resources/vm/image",
        r#"{"unit":"count","default_limit":0,"per_location":true}"#,
    )];
    let scope = |id: &str, parent: Option<&str>, limit: usize| {
        let parent = parent.map_or(String::new(), |parent| format!(r#","parent":"{parent}""#));
        let body = format!(r#"{{"kind":"level"{parent}}}"#);
        let limit = format!(r#"{{"resource":"vm/image","limit":{limit},"reason":"counted"}}"#);
        [
            act("PUT", &format!("scopes/{id}"), &body),
            act("PUT", &format!("scopes/{id}/limits"), &limit),
        ]
    };
    for location in 0..LOCATIONS {
        let path = format!("locations/L-{location}");
        made.push(act("PUT", &path, r#"{"name":"a place"}"#));
    }
    made.extend(scope("acme", None, 1_000_000));
    for folder in 0..FOLDERS {
        made.extend(scope(&format!("f-{folder}"), Some("acme"), 1_000_000));
    }
    for project in 0..PROJECTS {
        let folder = format!("f-{}", project % FOLDERS);
        made.extend(scope(&format!("p-{project}"), Some(&folder), 100_000));
    }
    made.extend(scope(FULL, Some("f-0"), GROUP));
    made
}

/// Commands with these numbers, in groups.
pub(crate) fn groups(numbers: Range<usize>, command: fn(usize) -> Command) -> Vec<Vec<Command>> {
    let commands: Vec<Command> = numbers.map(command).collect();
    commands.chunks(GROUP).map(<[Command]>::to_vec).collect()
}

/// What keeps a tree.
pub(crate) struct Tree {
    pub(crate) engine: Engine<Memory>,
    pub(crate) journal: Memory,
}

impl Tree {
    /// A tree in which one project is full and the others have [`HOLDS`] together: the numbers
    /// from 0 on.
    pub(crate) fn grown() -> Self {
        let mut tree = Self::empty();
        let full = FIRST_IN_FULL..FIRST_IN_FULL + GROUP;
        for group in groups(full, reserve_where_it_is_full) {
            tree.step(&group);
        }
        for group in groups(0..HOLDS, reserve) {
            tree.step(&group);
        }
        tree
    }

    /// A tree in which nothing is taken.
    pub(crate) fn empty() -> Self {
        let journal = Memory::default();
        let engine = Engine::open(journal.clone(), ByTheRules).expect("nothing is there yet");
        let mut tree = Self { engine, journal };
        tree.step(&settings());
        tree
    }

    /// Several, each with a hash order of its own: what falls together in one does not in another.
    pub(crate) fn forest() -> Vec<Self> {
        (0..TREES).map(|_| Self::grown()).collect()
    }

    /// One step of the engine, each command from another caller. All of it is done.
    pub(crate) fn step(&mut self, group: &[Command]) {
        let submissions: Vec<&[Command]> = group.chunks(1).collect();
        let answered = self.engine.step(&submissions, now());
        let answered = answered.expect("memory does not fail");
        let is_done = |outcome: &Outcome| matches!(outcome, Outcome::Done(_));
        assert!(
            answered.iter().flatten().all(is_done),
            "all is granted: {answered:?}"
        );
    }
}
