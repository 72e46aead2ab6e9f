//! The table of states and commands, as the design writes it: what must come of a command about a
//! reservation that may be there.

use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::{Action, Command, Expected, ReservationRef, Settle};
use plimsoll_core::event::Cause;
use plimsoll_core::model::{Lines, Reach, Reservation, State};
use plimsoll_core::names::ScopeId;
use plimsoll_core::outcome::{Decision, Denial, Done, Outcome};

use crate::auditor::Auditor;
use crate::bench::granted;

/// What must come of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Denied, and nothing happens.
    Denied(Denial),
    /// Its time is over: it lapses, and the caller is told so.
    Lapses,
    /// The same, and it is a denial.
    LapsesDenied,
    /// The caller is told what is there, and nothing happens.
    Same,
    /// It moves.
    Moves(Cause),
    /// It moves where the limits allow it, and where its lines make sense.
    Judged(Cause),
}

impl Verdict {
    /// Whether that is what came of it.
    pub(crate) fn is_met(&self, decision: &Decision, known: &Reservation) -> bool {
        let causes: Vec<Cause> = decision.events.iter().map(|event| event.cause).collect();
        let told = match &decision.outcome {
            Outcome::Done(done) => match granted(done) {
                Some((row, _)) => Ok(row),
                None => return false,
            },
            Outcome::Denied(denial) => Err(denial),
        };
        let expired = Denial::StateConflict { state: "expired" };
        match self {
            Verdict::Denied(denial) => causes.is_empty() && told == Err(denial),
            Verdict::Lapses => {
                causes == [Cause::Expired] && told.is_ok_and(|row| row.state.name() == "expired")
            }
            Verdict::LapsesDenied => causes == [Cause::Expired] && told == Err(&expired),
            Verdict::Same => {
                causes.is_empty()
                    && decision.outcome == Outcome::Done(Done::Reservation(known.clone().into()))
            }
            Verdict::Moves(cause) => causes == [*cause] && told.is_ok(),
            Verdict::Judged(cause) => match told {
                Ok(_) => causes.last() == Some(cause),
                Err(Denial::QuotaExceeded(_)) => true,
                Err(
                    Denial::UnknownResource(_)
                    | Denial::UnknownLocation(_)
                    | Denial::LocationRequired(_)
                    | Denial::LocationNotApplicable(_),
                ) => causes.is_empty(),
                Err(_) => false,
            },
        }
    }
}

/// What must come of a command about a reservation, with the reservation; nothing is said of other
/// commands, nor of a reservation that is not there.
pub(crate) fn verdict<'a>(
    auditor: &'a Auditor,
    command: &Command,
    now: Timestamp,
) -> Option<(Verdict, &'a Reservation)> {
    let within = |scope: &ScopeId| match &command.reach {
        Reach::Everything => true,
        Reach::Below(top) => auditor.chain(scope).contains(top),
    };
    if let Action::Reserve(ask) = &command.action {
        let tenant = auditor.chain(&ask.scope).pop()?;
        let key = (tenant, ask.id.clone());
        let known = auditor.reservations.get(&key)?;
        let verdict = match auditor.asked[&key] == *ask {
            _ if !within(&ask.scope) => Verdict::Denied(Denial::UnknownScope(ask.scope.clone())),
            false => Verdict::Denied(Denial::IdConflict),
            true if is_due(auditor, known, now) => Verdict::Lapses,
            true => Verdict::Same,
        };
        return Some((verdict, known));
    }
    let (of, expected) = about(&command.action)?;
    let tenant = auditor.chain(&of.scope).pop()?;
    let known = auditor.reservations.get(&(tenant, of.id.clone()))?;
    let actual = known.revision;
    let verdict = if !within(&of.scope) {
        Verdict::Denied(Denial::UnknownScope(of.scope.clone()))
    } else if !within(&known.scope) {
        Verdict::Denied(Denial::NotFound)
    } else if expected != Expected::Whatever && expected != Expected::Revision(actual) {
        let actual = Some(actual);
        Verdict::Denied(Denial::PreconditionFailed { actual })
    } else {
        let now = auditor.instant(&known.tenant, now);
        cell(auditor, &command.action, known, now, &within)
    };
    Some((verdict, known))
}

fn about(action: &Action) -> Option<(&ReservationRef, Expected)> {
    match action {
        Action::Commit(settle) | Action::Release(settle) => Some((&settle.of, settle.expected)),
        Action::Extend(extend) => Some((&extend.of, extend.expected)),
        Action::Resize(resize) => Some((&resize.of, resize.expected)),
        Action::Transfer(transfer) => Some((&transfer.of, transfer.expected)),
        _ => None,
    }
}

fn is_due(auditor: &Auditor, known: &Reservation, now: Timestamp) -> bool {
    let now = auditor.instant(&known.tenant, now);
    matches!(known.state, State::Held { expires_at } if expires_at <= now)
}

/// One cell of the table.
fn cell(
    auditor: &Auditor,
    action: &Action,
    known: &Reservation,
    now: Timestamp,
    within: &dyn Fn(&ScopeId) -> bool,
) -> Verdict {
    let conflict = Verdict::Denied(Denial::StateConflict {
        state: known.state.name(),
    });
    if let Action::Transfer(transfer) = action {
        let chain = auditor.chain(&transfer.to);
        if !auditor.exists(&transfer.to) || !within(&transfer.to) {
            return Verdict::Denied(Denial::UnknownScope(transfer.to.clone()));
        }
        if chain.last() != Some(&known.tenant) {
            return Verdict::Denied(Denial::OtherTenant);
        }
    }
    let is_due = is_due(auditor, known, now);
    match (known.state, action) {
        (State::Held { .. }, Action::Release(_)) if is_due => Verdict::Lapses,
        (State::Held { .. }, _) if is_due => Verdict::LapsesDenied,
        (State::Held { .. }, Action::Commit(settle)) => part(settle, known, Cause::Committed),
        (State::Committed, Action::Commit(_)) => Verdict::Same,
        (State::Held { .. } | State::Committed, Action::Release(settle)) => {
            part(settle, known, Cause::Released)
        }
        (State::Released { .. } | State::Expired { .. }, Action::Release(_)) => Verdict::Same,
        (State::Held { expires_at }, Action::Extend(extend)) => {
            if now.after_ms(extend.ttl_ms) == expires_at {
                Verdict::Same
            } else {
                Verdict::Moves(Cause::Extended)
            }
        }
        (State::Held { .. } | State::Committed, Action::Resize(resize)) => {
            if resize.lines == known.lines {
                Verdict::Same
            } else {
                Verdict::Judged(Cause::Resized)
            }
        }
        (State::Committed, Action::Transfer(transfer)) => {
            if transfer.to == known.scope {
                Verdict::Same
            } else {
                Verdict::Judged(Cause::Transferred)
            }
        }
        _ => conflict,
    }
}

/// What comes of a command about a part, where there is such a part.
fn part(settle: &Settle, known: &Reservation, cause: Cause) -> Verdict {
    let is_there = |part: &Lines| {
        part.iter().all(|line| {
            let mut there = known.lines.iter().filter(|it| it.item == line.item);
            there.any(|it| line.amount <= it.amount)
        })
    };
    match &settle.part {
        Some(part) if !is_there(part) => Verdict::Denied(Denial::NotAPart),
        _ => Verdict::Moves(cause),
    }
}
