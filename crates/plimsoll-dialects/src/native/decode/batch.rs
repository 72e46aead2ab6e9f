//! Batches: many commands, each read and answered by itself.

use plimsoll_core::command::Expected;
use plimsoll_core::model::Lines;
use serde_json::value::RawValue;

use super::super::wire::each::{Each, MadeOf};
use super::super::wire::leaf::{AtMost, Object, Parsed, Whole};
use super::super::wire::requests::{BatchBody, CommandBody, LineBody, ReserveBody, TakenLineBody};
use super::super::wire::words::Op;
use super::super::{
    BATCH_COMMANDS_MAX, BATCH_LINES_MAX, BatchItem, Call, Change, Format, Problem, Verb,
};
use super::lines::{Place, to_grounds, to_lines, to_ttl_ms, wrong};
use super::reservations::to_reserve;
use super::{Input, binary, body};

/// Reads a batch, where a bad item is its own problem.
pub(in crate::native) fn batch(input: &Input<'_>) -> Result<Call, Problem> {
    let items: Vec<Result<BatchItem, Problem>> = match input.format {
        Format::Json => from_json(input.body)?,
        Format::Protobuf | Format::XProtobuf => at_places(binary::commands(input.body)?.0)
            .map(|(message, place)| to_item(binary::command(message, place)?, place))
            .collect(),
    };
    let lines: usize = items.iter().flatten().map(BatchItem::lines).sum();
    if lines > BATCH_LINES_MAX {
        let must = format!(
            "must have at most `{BATCH_LINES_MAX}` lines over all commands, not `{lines}`: send more requests"
        );
        return Err(wrong("/commands".to_owned(), &must));
    }
    Ok(Call::Batch(items, input.format))
}

/// Reads it in one go; only where that fails, item by item.
fn from_json(json: &[u8]) -> Result<Vec<Result<BatchItem, Problem>>, Problem> {
    if let Some(items) = in_one_go(json) {
        return Ok(items);
    }
    let envelope: BatchBody<AtMost<&RawValue, BATCH_COMMANDS_MAX>> = body::read(json)?;
    let items = at_places(envelope.commands.0)
        .map(|(command, place)| read_item(command.get().as_bytes(), place));
    Ok(items.collect())
}

fn in_one_go(json: &[u8]) -> Option<Vec<Result<BatchItem, Problem>>> {
    type Items = Each<Object<CommandBody>, Result<BatchItem, Problem>, BATCH_COMMANDS_MAX>;
    // Whether it is UTF-8 is asked once, and not of each string by itself.
    let text = str::from_utf8(json).ok()?;
    let read: Object<BatchBody<Items>> = serde_json::from_str(text).ok()?;
    Some(read.0.commands.0)
}

impl MadeOf<Object<CommandBody>> for Result<BatchItem, Problem> {
    fn made_of(Object(command): Object<CommandBody>, index: usize) -> Self {
        to_item(command, Place::Command(index))
    }
}

fn at_places<T>(commands: Vec<T>) -> impl Iterator<Item = (T, Place)> {
    let at_place = |(index, command)| (command, Place::Command(index));
    commands.into_iter().enumerate().map(at_place)
}

fn read_item(json: &[u8], place: Place) -> Result<BatchItem, Problem> {
    match serde_json::from_slice(json) {
        Ok(Object(command)) => to_item(command, place),
        Err(_) => Err(body::explain::<CommandBody>(json, &place.to_string())),
    }
}

fn to_item(command: CommandBody, place: Place) -> Result<BatchItem, Problem> {
    let op = command.op.0;
    if let Some(name) = surplus(&command) {
        let must = format!("has no meaning for `{}`: leave it out", op.name());
        return Err(wrong(place.member(name), &must));
    }
    let missing = |name| {
        let must = format!("is missing: `{}` needs it", op.name());
        wrong(place.member(name), &must)
    };
    let verb = match op {
        Op::Reserve => {
            let body = ReserveBody {
                scope: command.scope.ok_or_else(|| missing("scope"))?,
                lines: command.lines.ok_or_else(|| missing("lines"))?,
                ttl_seconds: command.ttl_seconds,
                commit: command.commit,
                force: command.force,
                holder: command.holder,
                attributes: command.attributes,
            };
            return to_reserve(command.id.0, body, place).map(BatchItem::Reserve);
        }
        Op::Commit => Verb::Commit {
            part: to_part(command.lines, op, place)?,
        },
        Op::Release => Verb::Release {
            part: to_part(command.lines, op, place)?,
        },
        Op::Extend => {
            let ttl_seconds = command.ttl_seconds.ok_or_else(|| missing("ttl_seconds"))?;
            let ttl_ms = to_ttl_ms(ttl_seconds);
            Verb::Extend { ttl_ms }
        }
        Op::Resize => Verb::Resize {
            lines: to_part(command.lines, op, place)?.ok_or_else(|| missing("lines"))?,
            grounds: to_grounds(command.force),
        },
        Op::Transfer => Verb::Transfer {
            to: command.to.ok_or_else(|| missing("to"))?.0,
            grounds: to_grounds(command.force),
        },
    };
    let revision = command.if_revision.map(Whole::number);
    Ok(BatchItem::Change(Change {
        id: command.id.0,
        scope: command.scope.map(|Parsed(scope)| scope),
        verb,
        expected: revision.map_or(Expected::Whatever, Expected::Revision),
    }))
}

/// The first member that is there and means nothing for what the command does.
fn surplus(command: &CommandBody) -> Option<&'static str> {
    use Op::{Commit, Extend, Release, Reserve, Resize, Transfer};
    let members: [(&str, bool, &[Op]); 8] = [
        (
            "lines",
            command.lines.is_some(),
            &[Reserve, Commit, Release, Resize],
        ),
        (
            "ttl_seconds",
            command.ttl_seconds.is_some(),
            &[Reserve, Extend],
        ),
        ("commit", command.commit.is_some(), &[Reserve]),
        (
            "force",
            command.force.is_some(),
            &[Reserve, Resize, Transfer],
        ),
        ("holder", command.holder.is_some(), &[Reserve]),
        ("attributes", command.attributes.is_some(), &[Reserve]),
        ("to", command.to.is_some(), &[Transfer]),
        (
            "if_revision",
            command.if_revision.is_some(),
            &[Commit, Release, Extend, Resize, Transfer],
        ),
    ];
    let is_surplus =
        |(_, is_there, of): &(&str, bool, &[Op])| *is_there && !of.contains(&command.op.0);
    members.into_iter().find(is_surplus).map(|(name, ..)| name)
}

/// The lines of a command about a reservation that is there, which asks for them whole.
fn to_part<const MAX: usize>(
    lines: Option<AtMost<Object<LineBody>, MAX>>,
    op: Op,
    place: Place,
) -> Result<Option<Lines>, Problem> {
    let Some(AtMost(lines)) = lines else {
        return Ok(None);
    };
    let mut taken = Vec::with_capacity(lines.len());
    for (index, Object(line)) in lines.into_iter().enumerate() {
        if line.at_least.is_some() {
            let pointer = place.member(&format!("lines/{index}/at_least"));
            let must = format!("has no meaning for `{}`: leave it out", op.name());
            return Err(wrong(pointer, &must));
        }
        taken.push(Object(TakenLineBody {
            resource: line.resource,
            location: line.location,
            amount: line.amount,
        }));
    }
    to_lines(taken, place).map(Some)
}
