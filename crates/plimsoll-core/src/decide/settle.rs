//! Commit, release and extend: what becomes of a reservation; and what time makes of all.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::draft::{Draft, original_of};
use super::weight::Figure;
use super::{Halt, denied, mark_of, unchanged};
use crate::amount::Timestamp;
use crate::bounds::{EXPIRE_HOLDS_MAX, FORGET_RESERVATIONS_MAX};
use crate::command::{Command, Expected, Extend, ReservationKey, ReservationRef, Settle};
use crate::event::{Cause, Change, Log, Mark};
use crate::model::{Lines, Reservation, State};
use crate::names::ScopeId;
use crate::outcome::{Breach, Decision, Denial, Done};
use crate::rows::{Rows, scope_within};

/// Turns a hold into use; the part that is not named is let go.
pub(super) fn commit<R: Rows>(
    rows: &R,
    command: &Command,
    settle: &Settle,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let (mut draft, reservation) = find(rows, command, &settle.of, settle.expected, now)?;
    if reservation.state == State::Committed {
        return Ok(unchanged(Done::Reservation(reservation.into())));
    }
    if !draft.is_held(&reservation) {
        return Ok(draft.conflict(&reservation)?);
    }
    let lines = part_of(&reservation, settle.part.as_ref())?;
    let committed = change(
        &mut draft,
        &reservation,
        settle,
        Cause::Committed,
        State::Committed,
        lines,
    )?;
    Ok(draft.done(Done::Reservation(committed)))
}

/// Lets a reservation go, or the part that is named.
pub(super) fn release<R: Rows>(
    rows: &R,
    command: &Command,
    settle: &Settle,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let (mut draft, reservation) = find(rows, command, &settle.of, settle.expected, now)?;
    if reservation.state.is_due(draft.now()) {
        let expired = draft.expire(&reservation)?;
        return Ok(draft.done(Done::Reservation(expired)));
    }
    if !reservation.state.is_live() {
        return Ok(unchanged(Done::Reservation(reservation.into())));
    }
    let gone = part_of(&reservation, settle.part.as_ref())?;
    let (state, lines) = match reservation.lines.without(gone) {
        Some(rest) => (reservation.state, rest),
        None => (
            State::Released {
                ended_at: draft.now(),
            },
            reservation.lines.clone(),
        ),
    };
    let released = change(
        &mut draft,
        &reservation,
        settle,
        Cause::Released,
        state,
        &lines,
    )?;
    Ok(draft.done(Done::Reservation(released)))
}

/// Makes a hold last until so long from now.
pub(super) fn extend<R: Rows>(
    rows: &R,
    command: &Command,
    extend: &Extend,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let (mut draft, reservation) = find(rows, command, &extend.of, extend.expected, now)?;
    if !draft.is_held(&reservation) {
        return Ok(draft.conflict(&reservation)?);
    }
    let until = draft.now().after_ms(extend.ttl_ms);
    let state = State::Held { expires_at: until };
    if state == reservation.state {
        return Ok(unchanged(Done::Reservation(reservation.into())));
    }
    let extended = Reservation {
        state,
        ..reservation
    };
    let extended = draft.write(Cause::Extended, Mark::Enforced, extended, Vec::new());
    Ok(draft.done(Done::Reservation(extended)))
}

/// Lets the tenant's holds lapse whose time is over.
pub(super) fn expire<R: Rows>(
    rows: &R,
    command: &Command,
    tenant: &ScopeId,
    now: Timestamp,
) -> Result<Decision, Breach> {
    if !is_tenant(rows, command, tenant) {
        return Ok(denied(Denial::UnknownScope(tenant.clone())));
    }
    let mut draft = Draft::new(rows, Log::Tenant(tenant.clone()), &command.actor, now);
    let now = draft.now();
    let mut holds: usize = 0;
    let due = rows.holds(tenant).take_while(|hold| hold.state.is_due(now));
    for hold in due.take(EXPIRE_HOLDS_MAX) {
        draft.expire(&hold)?;
        holds = holds.saturating_add(1);
    }
    Ok(draft.done(Done::Expired { holds }))
}

/// Forgets the tenant's reservations that ended before an instant.
pub(super) fn forget<R: Rows>(
    rows: &R,
    command: &Command,
    tenant: &ScopeId,
    ended_before: Timestamp,
    now: Timestamp,
) -> Decision {
    if !is_tenant(rows, command, tenant) {
        return denied(Denial::UnknownScope(tenant.clone()));
    }
    let mut draft = Draft::new(rows, Log::Tenant(tenant.clone()), &command.actor, now);
    let is_old = |row: &Reservation| row.state.ended_at().is_some_and(|at| at < ended_before);
    let gone = |row: Reservation| {
        Change::ReservationGone(ReservationKey {
            tenant: tenant.clone(),
            id: row.id,
        })
    };
    let old = rows
        .ended(tenant)
        .take_while(is_old)
        .take(FORGET_RESERVATIONS_MAX);
    let changes: Vec<Change> = old.map(gone).collect();
    let reservations = changes.len();
    if reservations > 0 {
        draft.push(Cause::Forgotten, changes);
    }
    draft.done(Done::Forgotten { reservations })
}

/// A scope that is no tenant has no log of its own, so it is answered like one that does not
/// exist.
fn is_tenant<R: Rows>(rows: &R, command: &Command, tenant: &ScopeId) -> bool {
    let scope = scope_within(rows, &command.reach, tenant);
    scope.is_some_and(|scope| scope.tenant == *tenant)
}

/// The reservation, where it exists, lies within the caller's reach and is what the caller
/// believes it to be.
pub(super) fn find<'a, R: Rows>(
    rows: &'a R,
    command: &'a Command,
    of: &ReservationRef,
    expected: Expected,
    now: Timestamp,
) -> Result<(Draft<'a, R>, Reservation), Denial> {
    let unknown = || Denial::UnknownScope(of.scope.clone());
    let tenant = &scope_within(rows, &command.reach, &of.scope)
        .ok_or_else(unknown)?
        .tenant;
    let reservation = rows.reservation(tenant, &of.id).ok_or(Denial::NotFound)?;
    scope_within(rows, &command.reach, &reservation.scope).ok_or(Denial::NotFound)?;
    let actual = Some(reservation.revision);
    match expected {
        Expected::Revision(revision) if actual != Some(revision) => {
            Err(Denial::PreconditionFailed { actual })
        }
        Expected::Whatever | Expected::Revision(_) => {
            let log = Log::Tenant(tenant.clone());
            Ok((Draft::new(rows, log, &command.actor, now), reservation))
        }
    }
}

/// The lines that a command is about: those that it names, else all.
fn part_of<'a>(reservation: &'a Reservation, part: Option<&'a Lines>) -> Result<&'a Lines, Denial> {
    let part = part.unwrap_or(&reservation.lines);
    if reservation.lines.cover(part) {
        Ok(part)
    } else {
        Err(Denial::NotAPart)
    }
}

/// Leaves a reservation in another state, with other lines.
fn change<R: Rows>(
    draft: &mut Draft<'_, R>,
    before: &Reservation,
    settle: &Settle,
    cause: Cause,
    state: State,
    lines: &Lines,
) -> Result<Arc<Reservation>, Breach> {
    let scope = draft.scope_of(before)?;
    let taken = draft.weights(scope, &before.lines)?;
    let taken_from = Figure::of(before.state).unwrap_or(Figure::Used);
    let put_on = Figure::of(state);
    let put = match put_on {
        Some(_) => draft.weights(scope, lines)?,
        None => Vec::new(),
    };
    let changes = draft.reweighed(&taken, taken_from, &put, put_on.unwrap_or(taken_from))?;
    let original = if *lines == before.lines {
        before.original.clone()
    } else {
        original_of(before)
    };
    let after = Reservation {
        state,
        lines: lines.clone(),
        original,
        ..before.clone()
    };
    Ok(draft.write(cause, mark_of(&settle.grounds), after, changes))
}
