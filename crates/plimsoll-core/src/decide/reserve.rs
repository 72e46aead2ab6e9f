//! Reserve: the admission rule.

use alloc::vec::Vec;

use super::draft::{Draft, Shift};
use super::{denied, unchanged};
use crate::amount::{Amount, Timestamp};
use crate::bounds::FITS_AT_HOLDS_MAX;
use crate::ceilings::{self, Effective};
use crate::command::{Command, Reserve};
use crate::event::{Cause, Change, Log};
use crate::model::{Account, Item, Line, Lines, Reach, Reservation, Resource, Scope, State, Terms};
use crate::names::{PrincipalId, ScopeId};
use crate::outcome::{Breach, Decision, Denial, Done, Exceeded};
use crate::rows::{Rows, path, scope_within};

/// Decides a reservation: all lines at all scopes up to the tenant, or none.
pub(super) fn reserve<R: Rows>(
    rows: &R,
    command: &Command,
    ask: &Reserve,
    now: Timestamp,
) -> Result<Decision, Breach> {
    let Some(scope) = scope_within(rows, &command.reach, &ask.scope) else {
        return Ok(denied(Denial::UnknownScope(ask.scope.clone())));
    };
    let mut draft = Draft::new(rows, Log::Tenant(scope.tenant.clone()), &command.actor, now);
    if let Some(known) = rows.reservation(&scope.tenant, &ask.id) {
        return repeat(draft, ask, known);
    }
    match admit(&mut draft, scope, &ask.lines)? {
        Some(denial) => Ok(draft.denied(denial)),
        None => grant(draft, scope, ask),
    }
}

/// Whether a reservation would be granted: decides exactly as a reserve does and changes nothing.
pub fn check<R: Rows>(
    rows: &R,
    actor: &PrincipalId,
    reach: &Reach,
    scope: &ScopeId,
    lines: &Lines,
    now: Timestamp,
) -> Result<Result<(), Denial>, Breach> {
    let Some(scope) = scope_within(rows, reach, scope) else {
        return Ok(Err(Denial::UnknownScope(scope.clone())));
    };
    let mut draft = Draft::new(rows, Log::Tenant(scope.tenant.clone()), actor, now);
    Ok(admit(&mut draft, scope, lines)?.map_or(Ok(()), Err))
}

/// The same id again: the same content gets the same answer, other content is a conflict.
fn repeat<R: Rows>(
    mut draft: Draft<'_, R>,
    ask: &Reserve,
    known: &Reservation,
) -> Result<Decision, Breach> {
    let same = known.scope == ask.scope
        && known.lines == ask.lines
        && known.terms == ask.terms
        && known.holder == ask.holder
        && known.attributes == ask.attributes;
    if !same {
        return Ok(denied(Denial::IdConflict));
    }
    if known.state.is_due(draft.now()) {
        let expired = draft.expire(known)?;
        return Ok(draft.done(Done::Reservation(expired)));
    }
    Ok(unchanged(Done::Reservation(known.clone())))
}

/// Takes what was admitted.
fn grant<R: Rows>(
    mut draft: Draft<'_, R>,
    scope: &Scope,
    ask: &Reserve,
) -> Result<Decision, Breach> {
    let created_at = draft.now();
    let (state, shift) = match ask.terms {
        Terms::Hold { ttl_ms } => (
            State::Held {
                expires_at: created_at.after_ms(ttl_ms),
            },
            Shift::Hold,
        ),
        Terms::Commit => (State::Committed, Shift::Use),
    };
    let mut changes = draft.shift(scope, &ask.lines, shift)?;
    let reservation = Reservation {
        tenant: scope.tenant.clone(),
        id: ask.id.clone(),
        scope: scope.id.clone(),
        lines: ask.lines.clone(),
        terms: ask.terms,
        holder: ask.holder.clone(),
        attributes: ask.attributes.clone(),
        state,
        created_at,
        revision: draft.next_revision(),
    };
    changes.push(Change::Reservation(reservation.clone()));
    draft.push(Cause::Reserved, changes);
    Ok(draft.done(Done::Reservation(reservation)))
}

/// The admission rule: why some lines may not be taken in a scope, or `None` where they may.
///
/// Before anything is refused, the tenant's holds whose time is over lapse.
fn admit<R: Rows>(
    draft: &mut Draft<'_, R>,
    scope: &Scope,
    lines: &Lines,
) -> Result<Option<Denial>, Breach> {
    let mut resources = Vec::with_capacity(lines.len());
    for line in lines.iter() {
        match resource_of(draft.rows, &line.item) {
            Ok(resource) => resources.push(resource),
            Err(denial) => return Ok(Some(denial)),
        }
    }
    if exceeded(draft, scope, lines, &resources).is_empty() {
        return Ok(None);
    }
    let rows = draft.rows;
    let now = draft.now();
    for hold in rows
        .holds(&scope.tenant)
        .take_while(|hold| hold.state.is_due(now))
    {
        draft.expire(hold)?;
    }
    let mut exceeded = exceeded(draft, scope, lines, &resources);
    for limit in &mut exceeded {
        limit.fits_at = fits_at(draft, &scope.tenant, limit);
    }
    Ok((!exceeded.is_empty()).then_some(Denial::QuotaExceeded(exceeded)))
}

/// The resource of an item, where the item makes sense.
pub(super) fn resource_of<'a, R: Rows>(rows: &'a R, item: &Item) -> Result<&'a Resource, Denial> {
    let name = &item.resource;
    let resource = rows
        .resource(name)
        .ok_or_else(|| Denial::UnknownResource(name.clone()))?;
    match &item.location {
        Some(location) if rows.location(location).is_none() => {
            Err(Denial::UnknownLocation(location.clone()))
        }
        None if resource.per_location => Err(Denial::LocationRequired(name.clone())),
        Some(_) if !resource.per_location => Err(Denial::LocationNotApplicable(name.clone())),
        _ => Ok(resource),
    }
}

/// Every limit that the lines would pass, at every scope.
fn exceeded<R: Rows>(
    draft: &Draft<'_, R>,
    scope: &Scope,
    lines: &Lines,
    resources: &[&Resource],
) -> Vec<Exceeded> {
    let mut exceeded = Vec::new();
    for (line, resource) in lines.iter().zip(resources) {
        for above in path(draft.rows, scope) {
            let effective = if above.id == scope.id {
                ceilings::at_user(draft.rows, above, resource, &line.item)
            } else {
                ceilings::at_parent(draft.rows, above, &line.item)
            };
            let account = draft.account(&above.id, &line.item);
            exceeded.extend(passed(above, line, effective, account));
        }
    }
    exceeded
}

/// One limit that a line would pass, or `None` where it would not.
fn passed(
    scope: &Scope,
    line: &Line,
    effective: Effective<'_>,
    account: Account,
) -> Option<Exceeded> {
    let ceiling = effective.ceiling();
    let room = ceiling.amount().minus_or_zero(account.taken());
    let over = account.taken().minus_or_zero(ceiling.amount());
    if line.amount <= room {
        return None;
    }
    Some(Exceeded {
        scope: scope.id.clone(),
        item: line.item.clone(),
        ceiling,
        source: effective.source(),
        used: account.used,
        held: account.held,
        asked: line.amount,
        short_by: line.amount.minus_or_zero(room).plus_or_max(over),
        smallest_sufficient: account.taken().plus(line.amount),
        fits_at: None,
    })
}

/// When the tenant's holds will have freed what is missing, if nothing else changes.
fn fits_at<R: Rows>(draft: &Draft<'_, R>, tenant: &ScopeId, limit: &Exceeded) -> Option<Timestamp> {
    if limit.ceiling.amount() < limit.asked || limit.held < limit.short_by {
        return None;
    }
    let mut freed = Amount::ZERO;
    let now = draft.now();
    let holds = draft.rows.holds(tenant);
    let not_yet_due = holds.skip_while(|hold| hold.state.is_due(now));
    for hold in not_yet_due.take(FITS_AT_HOLDS_MAX) {
        let State::Held { expires_at } = hold.state else {
            continue;
        };
        let counts_here = || {
            draft
                .rows
                .scope(&hold.scope)
                .is_some_and(|scope| path(draft.rows, scope).any(|above| above.id == limit.scope))
        };
        let line = hold.lines.iter().find(|line| line.item == limit.item);
        if let Some(line) = line
            && counts_here()
        {
            freed = freed.plus_or_max(line.amount);
            if freed >= limit.short_by {
                return Some(expires_at);
            }
        }
    }
    None
}
