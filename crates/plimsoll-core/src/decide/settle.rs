//! Commit, release and expire: what becomes of a reservation.

use super::draft::{Draft, Shift};
use super::{denied, unchanged};
use crate::amount::Timestamp;
use crate::bounds::EXPIRE_HOLDS_MAX;
use crate::command::{Command, ReservationKey};
use crate::event::{Cause, Log};
use crate::model::{Reservation, State};
use crate::names::ScopeId;
use crate::outcome::{Breach, Decision, Denial, Done};
use crate::rows::{Rows, scope_within};

/// Turns a hold into use.
pub(super) fn commit<R: Rows>(
    rows: &R,
    command: &Command,
    key: &ReservationKey,
    now: Timestamp,
) -> Result<Decision, Breach> {
    let Some(reservation) = find(rows, command, key) else {
        return Ok(denied(Denial::NotFound));
    };
    let mut draft = Draft::new(rows, Log::Tenant(key.tenant.clone()), &command.actor, now);
    match reservation.state {
        State::Held { .. } if reservation.state.is_due(draft.now()) => {
            let expired = draft.expire(reservation)?;
            Ok(draft.denied(Denial::StateConflict {
                state: expired.state.name(),
            }))
        }
        State::Held { .. } => {
            let scope = draft.scope_of(reservation)?;
            let changes = draft.shift(scope, &reservation.lines, Shift::Commit)?;
            let committed = draft.settle(reservation, Cause::Committed, State::Committed, changes);
            Ok(draft.done(Done::Reservation(committed)))
        }
        State::Committed => Ok(unchanged(Done::Reservation(reservation.clone()))),
        State::Released { .. } | State::Expired { .. } => Ok(denied(Denial::StateConflict {
            state: reservation.state.name(),
        })),
    }
}

/// Lets a reservation go.
pub(super) fn release<R: Rows>(
    rows: &R,
    command: &Command,
    key: &ReservationKey,
    now: Timestamp,
) -> Result<Decision, Breach> {
    let Some(reservation) = find(rows, command, key) else {
        return Ok(denied(Denial::NotFound));
    };
    let mut draft = Draft::new(rows, Log::Tenant(key.tenant.clone()), &command.actor, now);
    let shift = match reservation.state {
        State::Held { .. } if reservation.state.is_due(draft.now()) => {
            let expired = draft.expire(reservation)?;
            return Ok(draft.done(Done::Reservation(expired)));
        }
        State::Held { .. } => Shift::EndHold,
        State::Committed => Shift::EndUse,
        State::Released { .. } | State::Expired { .. } => {
            return Ok(unchanged(Done::Reservation(reservation.clone())));
        }
    };
    let scope = draft.scope_of(reservation)?;
    let changes = draft.shift(scope, &reservation.lines, shift)?;
    let ended_at = draft.now();
    let released = draft.settle(
        reservation,
        Cause::Released,
        State::Released { ended_at },
        changes,
    );
    Ok(draft.done(Done::Reservation(released)))
}

/// Lets the tenant's holds lapse whose time is over. A scope that is no tenant has no holds to
/// itself, so it is answered like one that does not exist.
pub(super) fn expire<R: Rows>(
    rows: &R,
    command: &Command,
    tenant: &ScopeId,
    now: Timestamp,
) -> Result<Decision, Breach> {
    let scope = scope_within(rows, &command.reach, tenant);
    if scope.is_none_or(|scope| scope.tenant != *tenant) {
        return Ok(denied(Denial::UnknownScope(tenant.clone())));
    }
    let mut draft = Draft::new(rows, Log::Tenant(tenant.clone()), &command.actor, now);
    let now = draft.now();
    let mut holds: usize = 0;
    let due = rows.holds(tenant).take_while(|hold| hold.state.is_due(now));
    for hold in due.take(EXPIRE_HOLDS_MAX) {
        draft.expire(hold)?;
        holds = holds.saturating_add(1);
    }
    Ok(draft.done(Done::Expired { holds }))
}

/// The reservation, where it exists and lies within the caller's reach.
fn find<'a, R: Rows>(
    rows: &'a R,
    command: &Command,
    key: &ReservationKey,
) -> Option<&'a Reservation> {
    let reservation = rows.reservation(&key.tenant, &key.id)?;
    scope_within(rows, &command.reach, &reservation.scope).map(|_| reservation)
}
