//! Reserve: take something, or hear why not.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::admit::{Admitted, Rule, admit};
use super::draft::Draft;
use super::weight::Figure;
use super::{denied, mark_of, unchanged};
use crate::amount::Timestamp;
use crate::command::{Command, Reserve};
use crate::event::{Cause, Log};
use crate::model::{Asked, Lines, Original, Reach, Reservation, Scope, State, Terms};
use crate::names::{PrincipalId, ScopeId};
use crate::outcome::{Breach, Decision, Denial, Done, Exceeded};
use crate::rows::{Rows, scope_within};

/// Decides a reservation: all lines at all scopes up to the tenant, or none.
pub(super) fn reserve<'a, R: Rows>(
    rows: &'a R,
    command: &'a Command,
    ask: &'a Reserve,
    now: Timestamp,
) -> Result<Decision, Breach> {
    let Some(scope) = scope_within(rows, &command.reach, &ask.scope) else {
        return Ok(denied(Denial::UnknownScope(ask.scope.clone())));
    };
    let log = Log::Tenant(scope.tenant.clone());
    let mut draft = Draft::new(rows, log, &command.actor, now);
    if let Some(known) = rows.reservation(&scope.tenant, &ask.id) {
        return repeat(draft, ask, &known);
    }
    match admit(&mut draft, scope, &ask.asked, Rule::of(&ask.grounds))? {
        Ok(admitted) => grant(draft, scope, ask, admitted),
        Err(denial) => Ok(draft.denied(denial)),
    }
}

/// What a reservation would be granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admissible {
    /// What it would take.
    pub lines: Lines,
    /// The limits that it would pass and that warn.
    pub warnings: Vec<Exceeded>,
}

/// Decides exactly as a reserve does, and changes nothing.
pub fn check<'a, R: Rows>(
    rows: &'a R,
    actor: &'a PrincipalId,
    reach: &Reach,
    scope: &ScopeId,
    asked: &'a Asked,
    now: Timestamp,
) -> Result<Result<Admissible, Denial>, Breach> {
    let Some(scope) = scope_within(rows, reach, scope) else {
        return Ok(Err(Denial::UnknownScope(scope.clone())));
    };
    let mut draft = Draft::new(rows, Log::Tenant(scope.tenant.clone()), actor, now);
    let admitted = admit(&mut draft, scope, asked, Rule::Limits)?;
    Ok(admitted.map(|(lines, _)| Admissible {
        lines,
        warnings: draft.warnings(),
    }))
}

/// The same id again: the same content gets the same answer, other content is a conflict.
fn repeat<R: Rows>(
    mut draft: Draft<'_, R>,
    ask: &Reserve,
    known: &Reservation,
) -> Result<Decision, Breach> {
    let same_take = match &known.original {
        Some(original) => original.scope == ask.scope && original.asked == ask.asked,
        None => {
            known.scope == ask.scope && ask.asked.is_whole() && known.lines == *ask.asked.lines()
        }
    };
    let same = same_take
        && known.terms == ask.terms
        && known.forced.as_ref() == ask.grounds.reason()
        && known.holder == ask.holder
        && known.attributes == ask.attributes;
    if !same {
        return Ok(denied(Denial::IdConflict));
    }
    if known.state.is_due(draft.now()) {
        let expired = draft.expire(known)?;
        return Ok(draft.done(Done::Reservation(expired)));
    }
    Ok(unchanged(Done::Reservation(known.clone().into())))
}

/// Takes what was admitted.
fn grant<R: Rows>(
    mut draft: Draft<'_, R>,
    scope: &Scope,
    ask: &Reserve,
    (lines, weights): Admitted<'_>,
) -> Result<Decision, Breach> {
    let created_at = draft.now();
    let (state, figure) = match ask.terms {
        Terms::Hold { ttl_ms } => {
            let expires_at = created_at.after_ms(ttl_ms);
            (State::Held { expires_at }, Figure::Held)
        }
        Terms::Commit => (State::Committed, Figure::Used),
    };
    let changes = draft.reweighed(&[], figure, &weights, figure)?;
    let original = (!ask.asked.is_whole()).then(|| {
        Box::new(Original {
            scope: ask.scope.clone(),
            asked: ask.asked.clone(),
        })
    });
    let reservation = Reservation {
        tenant: scope.tenant.clone(),
        id: ask.id.clone(),
        scope: ask.scope.clone(),
        lines,
        original,
        terms: ask.terms,
        forced: ask.grounds.reason().cloned(),
        holder: ask.holder.clone(),
        attributes: ask.attributes.clone(),
        state,
        created_at,
        revision: draft.next_revision(),
    };
    let mark = mark_of(&ask.grounds);
    let reservation = draft.write(Cause::Reserved, mark, reservation, changes);
    Ok(draft.granted(reservation))
}
