//! Histories that are wrong on purpose: a checker that is worth anything rejects them.

use crate::drill::history::{Answer, Ask, Dice, End, Operation};
use crate::drill::linear;

/// How many copies of a history are spoilt.
const COPIES: usize = 100;

/// How much a figure is changed by: more than what one operation takes, as some may be under way.
const UNITS: u64 = 9;

/// What is done to a copy.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// A read is answered with more than there was.
    Figure,
    /// A refusal shows less than there was.
    Refusal,
    /// Something that was granted was refused.
    Grant,
    /// What two changes were answered is told in the other order.
    Order,
    /// Something that was granted was never asked for.
    Ghost,
    /// A change is acknowledged whose revision is another's.
    Revision,
}

const KINDS: [Kind; 6] = [
    Kind::Figure,
    Kind::Refusal,
    Kind::Grant,
    Kind::Order,
    Kind::Ghost,
    Kind::Revision,
];

/// Spoils copies of a history of one tenant and checks them; answers how many were rejected.
///
/// Not all must be: a copy may by chance be what could have happened.
///
/// Errors: which copies were accepted, where fewer than so many hundredths were rejected.
pub(super) fn prove(
    history: &[Operation],
    seed: u64,
    rejected_percent_min: usize,
) -> Result<(usize, usize), String> {
    let mut dice = Dice(seed);
    let (mut made, mut accepted) = (0, Vec::new());
    for round in 0..COPIES {
        let kind = KINDS[round % KINDS.len()];
        let mut copy = history.to_vec();
        let Some(what) = spoil(&mut copy, kind, &mut dice) else {
            continue;
        };
        made += 1;
        if linear::check(&copy).is_ok() {
            accepted.push(format!("{kind:?}: {what}"));
        }
    }
    let rejected = made - accepted.len();
    if rejected * 100 < made * rejected_percent_min || made < COPIES / 2 {
        return Err(format!(
            "of {made} spoilt histories only {rejected} were rejected; accepted were\n{}",
            accepted.join("\n")
        ));
    }
    Ok((rejected, made))
}

/// Spoils a history; says what was done, where it has anything of the kind.
fn spoil(history: &mut Vec<Operation>, kind: Kind, dice: &mut Dice) -> Option<String> {
    // Near its end, a history may not show what was done to it.
    let half = &history[..history.len() / 2];
    let first = pick(half, dice, |it| is_of(it, kind) && is_alone(it, history))?;
    let told = history[first].told();
    match kind {
        Kind::Ghost => {
            let id = history[first].ask.id()?.to_owned();
            history.retain(|it| it.ask.id() != Some(&id));
        }
        Kind::Order => {
            let end = history[first].end.as_ref()?.at;
            let second = pick(history, dice, |it| {
                is_of(it, kind) && end < it.called && is_alone(it, history)
            })?;
            let (called, at) = (history[first].called, end);
            history[first].called = history[second].called;
            let later = history[second].end.as_ref()?.at;
            history[first].end.as_mut()?.at = later;
            history[second].called = called;
            history[second].end.as_mut()?.at = at;
        }
        Kind::Revision => {
            let revision = history[first].acknowledged()?.1.revision;
            let second = pick(history, dice, |it| {
                let other = it.acknowledged().map(|(_, row)| row.revision);
                is_of(it, kind) && other.is_some_and(|other| other != revision)
            })?;
            if let Answer::Row(row) = &mut history[second].end.as_mut()?.answer {
                row.revision = revision;
            }
        }
        Kind::Figure | Kind::Refusal | Kind::Grant => {
            spoil_answer(&mut history[first].end.as_mut()?.answer);
        }
    }
    Some(told)
}

fn spoil_answer(answer: &mut Answer) {
    match answer {
        Answer::Figures { used, .. } => *used += UNITS,
        Answer::Denied(_, exceeded) => exceeded.iter_mut().for_each(|it| it.used -= UNITS),
        Answer::Row(_) => *answer = Answer::Denied("quota_exceeded".to_owned(), Vec::new()),
    }
}

/// Whether an operation can be spoilt in this way.
fn is_of(operation: &Operation, kind: Kind) -> bool {
    let Some(End { answer, .. }) = &operation.end else {
        return false;
    };
    match (kind, &operation.ask, answer) {
        (Kind::Figure, Ask::Figures { .. }, _) => true,
        (Kind::Refusal, _, Answer::Denied(_, exceeded)) => {
            !exceeded.is_empty() && exceeded.iter().all(|it| UNITS <= it.used)
        }
        (
            Kind::Grant | Kind::Order | Kind::Ghost | Kind::Revision,
            Ask::Reserve { .. },
            Answer::Row(row),
        ) => row.state == "held" || row.state == "committed",
        _ => false,
    }
}

/// Whether nobody asked the same once more: a repeat would make it right again.
fn is_alone(operation: &Operation, history: &[Operation]) -> bool {
    let same = |it: &&Operation| operation.ask.is_change() && it.ask == operation.ask;
    history.iter().filter(same).count() <= 1
}

/// One of those that `is_wanted`.
fn pick(
    history: &[Operation],
    dice: &mut Dice,
    is_wanted: impl Fn(&Operation) -> bool,
) -> Option<usize> {
    let wanted: Vec<usize> = (0..history.len())
        .filter(|index| is_wanted(&history[*index]))
        .collect();
    (!wanted.is_empty()).then(|| wanted[dice.index(wanted.len())])
}
