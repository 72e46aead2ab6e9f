//! Resize and transfer: the same reservation, other amounts or another scope, as one step.

use super::admit::{Rule, admit_swap, first_senseless};
use super::draft::{Draft, original_of};
use super::settle::find;
use super::weight::Figure;
use super::{Halt, mark_of, unchanged};
use crate::amount::Timestamp;
use crate::command::{Command, Grounds, Resize, Transfer};
use crate::event::Cause;
use crate::model::{Lines, Reservation, Scope, State};
use crate::outcome::{Decision, Denial, Done};
use crate::rows::{Rows, scope_within};

/// Takes other amounts: what becomes less is freed, what becomes more must be admitted.
pub(super) fn resize<R: Rows>(
    rows: &R,
    command: &Command,
    resize: &Resize,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let (draft, reservation) = find(rows, command, &resize.of, resize.expected, now)?;
    if !draft.is_held(&reservation) && reservation.state != State::Committed {
        return Ok(draft.conflict(&reservation)?);
    }
    if reservation.lines == resize.lines {
        return Ok(unchanged(Done::Reservation(reservation.into())));
    }
    if let Some(denial) = first_senseless(rows, &resize.lines) {
        return Err(Halt::Denied(denial));
    }
    let scope = draft.scope_of(&reservation)?;
    let to = Place {
        scope,
        lines: &resize.lines,
    };
    swap(draft, &reservation, Cause::Resized, to, &resize.grounds)
}

/// Takes what is used in another scope of the same tenant.
pub(super) fn transfer<R: Rows>(
    rows: &R,
    command: &Command,
    transfer: &Transfer,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let (draft, reservation) = find(rows, command, &transfer.of, transfer.expected, now)?;
    let unknown = || Denial::UnknownScope(transfer.to.clone());
    let scope = scope_within(rows, &command.reach, &transfer.to).ok_or_else(unknown)?;
    if scope.tenant != reservation.tenant {
        return Err(Halt::Denied(Denial::OtherTenant));
    }
    if reservation.state != State::Committed {
        return Ok(draft.conflict(&reservation)?);
    }
    if reservation.scope == scope.id {
        return Ok(unchanged(Done::Reservation(reservation.into())));
    }
    let to = Place {
        scope,
        lines: &reservation.lines,
    };
    swap(
        draft,
        &reservation,
        Cause::Transferred,
        to,
        &transfer.grounds,
    )
}

/// What a reservation is to take from now on, and where.
struct Place<'a> {
    scope: &'a Scope,
    lines: &'a Lines,
}

/// Takes something else instead.
fn swap<'a, R: Rows>(
    mut draft: Draft<'a, R>,
    before: &'a Reservation,
    cause: Cause,
    to: Place<'a>,
    grounds: &Grounds,
) -> Result<Decision, Halt> {
    let figure = Figure::of(before.state).unwrap_or(Figure::Used);
    let mut taken = draft.weights(draft.scope_of(before)?, &before.lines)?;
    let mut put = draft.weights(to.scope, to.lines)?;
    let rule = Rule::of(grounds);
    if let Err(mut denial) = admit_swap(&mut draft, to.scope, &mut put, &mut taken, rule)? {
        if let (Denial::QuotaExceeded(exceeded), State::Held { expires_at }) =
            (&mut denial, before.state)
        {
            // A hold that has lapsed itself by then fits nowhere.
            for limit in exceeded {
                limit.fits_at = limit.fits_at.filter(|at| *at < expires_at);
            }
        }
        return Ok(draft.denied(denial));
    }
    let changes = draft.reweighed(&taken, figure, &put, figure)?;
    let after = Reservation {
        scope: to.scope.id.clone(),
        lines: to.lines.clone(),
        original: original_of(before),
        ..before.clone()
    };
    let after = draft.write(cause, mark_of(grounds), after, changes);
    Ok(draft.granted(after))
}
