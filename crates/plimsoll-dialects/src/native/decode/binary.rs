//! The bodies of batches as protobuf, for which `proto/plimsoll/v1/batch.proto` is the schema.
//!
//! They are read into what the JSON is read into, by the same leaves. As there, a field that is
//! unknown or there twice is refused: who sends it relies on more than would be done.

use std::fmt;

use plimsoll_core::names::Text;

use super::super::wire::leaf::{AtMost, Object, Parsed, SomeTexts};
use super::super::wire::protobuf::{Broken, Value, fields};
use super::super::wire::requests::{CommandBody, ForceBody, LineBody};
use super::super::wire::words::{Op, Spelled};
use super::super::{BATCH_COMMANDS_MAX, Problem};
use super::body;
use super::lines::{Place, wrong};

/// The commands of a batch, each still to be read: one of them may be wrong.
pub(super) fn commands(body: &[u8]) -> Result<AtMost<&[u8], BATCH_COMMANDS_MAX>, Problem> {
    let here = At::Top(Place::Body);
    let all = here.member("commands");
    let mut commands = AtMost::EMPTY;
    for field in fields(body) {
        let (number, value) = field.map_err(|broken| here.broken(broken))?;
        match number {
            1 => value.message().and_then(|command| commands.push(command)),
            _ => return Err(here.unknown(number)),
        }
        .map_err(|what| all.wrong(&what))?;
    }
    Ok(commands)
}

/// One of them.
pub(super) fn command(message: &[u8], place: Place) -> Result<CommandBody, Problem> {
    let here = At::Top(place);
    let (mut op, mut id, mut scope, mut ttl_seconds, mut commit) = Default::default();
    let (mut force, mut holder, mut to, mut if_revision) = Default::default();
    let mut lines: Option<AtMost<_, _>> = None;
    let mut attributes: Option<SomeTexts> = None;
    for field in fields(message) {
        let (number, value) = field.map_err(|broken| here.broken(broken))?;
        match number {
            1 => put(&mut op, here.member("op"), value.number().and_then(to_op)),
            2 => put(&mut id, here.member("id"), value.spelled()),
            3 => put(&mut scope, here.member("scope"), value.spelled()),
            4 => {
                let at = here.member("lines");
                let lines = lines.get_or_insert(AtMost::EMPTY);
                let line = line(value, at.index(lines.0.len()))?;
                lines.push(Object(line)).map_err(|what| at.wrong(&what))
            }
            5 => put(&mut ttl_seconds, here.member("ttl_seconds"), value.whole()),
            6 => put(&mut commit, here.member("commit"), value.flag()),
            7 => {
                let at = here.member("force");
                put(&mut force, at, Ok(Object(to_force(value, at)?)))
            }
            8 => put(&mut holder, here.member("holder"), value.spelled()),
            9 => {
                let texts = attributes.get_or_insert_default();
                attribute(texts, value, here.member("attributes"))
            }
            10 => put(&mut to, here.member("to"), value.spelled()),
            11 => put(&mut if_revision, here.member("if_revision"), value.whole()),
            _ => Err(here.unknown(number)),
        }?;
    }
    Ok(CommandBody {
        op: needed(op, here.member("op"))?,
        id: needed(id, here.member("id"))?,
        scope,
        lines,
        ttl_seconds,
        commit,
        force,
        holder,
        attributes: attributes.map(SomeTexts::all),
        to,
        if_revision,
    })
}

fn to_op(number: u64) -> Result<Parsed<Op>, String> {
    let op = match number {
        1 => Op::Reserve,
        2 => Op::Commit,
        3 => Op::Release,
        4 => Op::Extend,
        5 => Op::Resize,
        6 => Op::Transfer,
        _ => Op::parse("")?,
    };
    Ok(Parsed(op))
}

fn line(value: Value<'_>, here: At<'_>) -> Result<LineBody, Problem> {
    let (mut resource, mut location, mut amount, mut at_least) = Default::default();
    for field in fields(value.message().map_err(|what| here.wrong(&what))?) {
        let (number, value) = field.map_err(|broken| here.broken(broken))?;
        match number {
            1 => put(&mut resource, here.member("resource"), value.spelled()),
            2 => put(&mut location, here.member("location"), value.spelled()),
            3 => put(&mut amount, here.member("amount"), value.whole()),
            4 => put(&mut at_least, here.member("at_least"), value.whole()),
            _ => Err(here.unknown(number)),
        }?;
    }
    Ok(LineBody {
        resource: needed(resource, here.member("resource"))?,
        location,
        amount: needed(amount, here.member("amount"))?,
        at_least,
    })
}

fn to_force(value: Value<'_>, here: At<'_>) -> Result<ForceBody, Problem> {
    let mut reason = None;
    for field in fields(value.message().map_err(|what| here.wrong(&what))?) {
        let (number, value) = field.map_err(|broken| here.broken(broken))?;
        match number {
            1 => put(&mut reason, here.member("reason"), value.spelled()),
            _ => Err(here.unknown(number)),
        }?;
    }
    let reason = needed(reason, here.member("reason"))?;
    Ok(ForceBody { reason })
}

/// Reads one entry of a map, in which an empty text may be left out.
fn attribute(texts: &mut SomeTexts, value: Value<'_>, here: At<'_>) -> Result<(), Problem> {
    let (mut name, mut told) = Default::default();
    for field in fields(value.message().map_err(|what| here.wrong(&what))?) {
        let (number, value) = field.map_err(|broken| here.broken(broken))?;
        match number {
            1 => put(&mut name, here, value.text()),
            2 => put(&mut told, here, Ok(value)),
            _ => Err(here.unknown(number)),
        }?;
    }
    let name = name.unwrap_or_default();
    let entry = |what: String| wrong(body::member(&here.to_string(), name), &what);
    let key = Text::parse(name).map_err(|error| entry(error.to_string()))?;
    let Parsed(text) = told.unwrap_or(Value::EMPTY).spelled().map_err(entry)?;
    texts.insert(key, text).map_err(|what| here.wrong(&what))
}

fn put<T>(slot: &mut Option<T>, at: At<'_>, read: Result<T, String>) -> Result<(), Problem> {
    let read = read.map_err(|what| at.wrong(&what))?;
    match slot.replace(read) {
        None => Ok(()),
        Some(_) => Err(at.wrong("is there twice: give it once")),
    }
}

fn needed<T>(slot: Option<T>, at: At<'_>) -> Result<T, Problem> {
    slot.ok_or_else(|| at.wrong("is missing: give it"))
}

/// A place in the body; `Display` is its JSON pointer, made only where something is wrong there.
#[derive(Clone, Copy)]
enum At<'a> {
    Top(Place),
    Member(&'a At<'a>, &'static str),
    Index(&'a At<'a>, usize),
}

impl At<'_> {
    fn member(&self, name: &'static str) -> At<'_> {
        At::Member(self, name)
    }

    fn index(&self, index: usize) -> At<'_> {
        At::Index(self, index)
    }

    fn wrong(&self, what: &str) -> Problem {
        match self.to_string() {
            pointer if pointer.is_empty() => Problem::body(pointer, format!("the body {what}")),
            pointer => wrong(pointer, what),
        }
    }

    fn broken(&self, broken: Broken) -> Problem {
        self.wrong(&broken.to_string())
    }

    fn unknown(&self, number: u64) -> Problem {
        let what = format!("has a field `{number}`, which is unknown: leave it out");
        self.wrong(&what)
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Top(place) => place.fmt(f),
            At::Member(of, name) => write!(f, "{of}/{name}"),
            At::Index(of, index) => write!(f, "{of}/{index}"),
        }
    }
}
