//! Limits: set, taken away, and what was refused because of them.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::admit::{Filled, cross, resource_of};
use super::draft::Draft;
use super::{denied, unchanged};
use crate::amount::Timestamp;
use crate::bounds::LIMITS_OF_ITEM_MAX;
use crate::ceilings::{self, Effective};
use crate::command::{Command, DeleteLimit, Expected, PutLimit};
use crate::event::{Cause, Change, Crossing, Log};
use crate::model::{Item, Limit, Resource, Scope, Tally};
use crate::names::ScopeId;
use crate::outcome::{Decision, Denial, Done};
use crate::report::{self, QuotaFilter};
use crate::rows::{Rows, scope_within};

/// Sets a limit.
pub(super) fn put_limit<R: Rows>(
    rows: &R,
    command: &Command,
    put: &PutLimit,
    now: Timestamp,
) -> Decision {
    let Some(scope) = scope_within(rows, &command.reach, &put.scope) else {
        return denied(Denial::UnknownScope(put.scope.clone()));
    };
    if let Err(denial) = limitable(rows, &put.item) {
        return denied(denial);
    }
    let limits = rows.limits(&put.scope, &put.item);
    let known = limits.iter().find(|limit| limit.window == put.window);
    if let Err(denial) = meets(put.expected, known) {
        return denied(denial);
    }
    if let Some(known) = known
        && known.ceiling == put.ceiling
        && known.mode == put.mode
        && known.reason == put.reason
        && known.set_by == command.actor
    {
        return unchanged(Done::Limit(known.clone().into()));
    }
    let mut draft = Draft::new(rows, Log::Tenant(scope.tenant.clone()), &command.actor, now);
    let limit = Limit {
        scope: put.scope.clone(),
        item: put.item.clone(),
        window: put.window,
        ceiling: put.ceiling,
        mode: put.mode,
        set_by: command.actor.clone(),
        set_at: draft.now(),
        reason: put.reason.clone(),
        request: None,
        revision: draft.next_revision(),
    };
    match with_limit(rows, &limit) {
        Err(denial) => denied(denial),
        Ok(limits) => {
            draft.because(&put.reason);
            let row = changed(&mut draft, scope, &put.item, limits);
            draft.push(Cause::LimitPut, [row].into());
            draft.done(Done::Limit(limit.into()))
        }
    }
}

/// The row of a scope and an item that the next event leaves with these limits, which is also to
/// say what of them is taken.
pub(super) fn changed<R: Rows>(
    draft: &mut Draft<'_, R>,
    scope: &Scope,
    item: &Item,
    limits: Vec<Limit>,
) -> Change {
    draft.crossed = crossed(draft, scope, item, &limits);
    Change::Limits {
        scope: scope.id.clone(),
        item: item.clone(),
        limits,
    }
}

/// The parts of limits that are taken, and were not before the limits of a scope and an item were
/// these.
fn crossed<R: Rows>(
    draft: &Draft<'_, R>,
    scope: &Scope,
    item: &Item,
    limits: &[Limit],
) -> Vec<Crossing> {
    let (rows, now) = (draft.rows, draft.now());
    let is_parent = rows.has_children(&scope.id);
    let filter = QuotaFilter {
        resource: Some(item.resource.clone()),
        location: item.location.clone(),
    };
    let mut crossed = Vec::new();
    for (resource, at) in report::items(rows, &filter) {
        // A default binds those below, each by itself, and not their sum.
        let unset = if is_parent {
            Effective::Unbound
        } else {
            Effective::Default(resource)
        };
        let then = |it: &Item| {
            if it == item {
                limits
            } else {
                rows.limits(&scope.id, it)
            }
        };
        let before = ceilings::set_at(rows, scope, &at, now).unwrap_or(unset);
        let after = ceilings::set_among(rows, scope, &at, now, then).unwrap_or(unset);
        let taken = rows.account(&scope.id, &at).taken();
        let [before, after] = [before, after].map(|it| Filled {
            ceiling: it.ceiling(),
            taken,
        });
        cross(&mut crossed, (&scope.id, &at), resource, before, after);
    }
    crossed
}

/// The limits of a scope and an item with one in the place of the one with its window. A request
/// that is granted also takes the place of those that were granted less, and would go before it.
pub(super) fn with_limit<R: Rows>(rows: &R, limit: &Limit) -> Result<Vec<Limit>, Denial> {
    if limit.window.is_over(limit.set_at) {
        return Err(Denial::EndsInThePast);
    }
    let mut limits = without(rows, limit);
    limits.retain(|it| {
        let are_granted = limit.request.is_some() && it.request.is_some();
        let is_less = it.ceiling.amount() <= limit.ceiling.amount();
        !(are_granted && is_less && limit.precedence() < it.precedence())
    });
    limits.push(limit.clone());
    if LIMITS_OF_ITEM_MAX < limits.len() {
        return Err(Denial::TooMany {
            max: LIMITS_OF_ITEM_MAX,
        });
    }
    Ok(limits)
}

/// The limits of a limit's row that have another window and are not over when it is set.
fn without<R: Rows>(rows: &R, limit: &Limit) -> Vec<Limit> {
    let others = rows.limits(&limit.scope, &limit.item).iter();
    let others = others.filter(|it| it.window != limit.window && !it.window.is_over(limit.set_at));
    others.cloned().collect()
}

/// Takes a limit away.
pub(super) fn delete_limit<R: Rows>(
    rows: &R,
    command: &Command,
    delete: &DeleteLimit,
    now: Timestamp,
) -> Decision {
    let Some(scope) = scope_within(rows, &command.reach, &delete.scope) else {
        return denied(Denial::UnknownScope(delete.scope.clone()));
    };
    let limits = rows.limits(&delete.scope, &delete.item);
    let Some(known) = limits.iter().find(|limit| limit.window == delete.window) else {
        return denied(Denial::NotFound);
    };
    if let Err(denial) = meets(delete.expected, Some(known)) {
        return denied(denial);
    }
    let mut draft = Draft::new(rows, Log::Tenant(scope.tenant.clone()), &command.actor, now);
    let gone = Limit {
        set_at: draft.now(),
        ..known.clone()
    };
    draft.because(&delete.reason);
    let rest = without(rows, &gone);
    let row = changed(&mut draft, scope, &delete.item, rest);
    draft.push(Cause::LimitDeleted, [row].into());
    draft.done(Done::LimitGone)
}

/// The resource of an item for which a limit may be set: as for a reservation, but any location
/// will do.
pub(super) fn limitable<'a, R: Rows>(rows: &'a R, item: &Item) -> Result<&'a Resource, Denial> {
    match resource_of(rows, item) {
        Err(Denial::LocationRequired(name)) => {
            rows.resource(&name).ok_or(Denial::UnknownResource(name))
        }
        found => found,
    }
}

/// Whether what is there is what the caller believed to be there.
fn meets(expected: Expected, known: Option<&Limit>) -> Result<(), Denial> {
    let actual = known.map(|limit| limit.revision);
    match expected {
        Expected::Whatever => Ok(()),
        Expected::Revision(revision) if actual == Some(revision) => Ok(()),
        Expected::Revision(_) => Err(Denial::PreconditionFailed { actual }),
    }
}

/// Adds up what was refused, each place once. What does not belong to the tenant is left out.
pub(super) fn count_refusals<R: Rows>(
    rows: &R,
    command: &Command,
    tenant: &ScopeId,
    refused: &[(ScopeId, Item, u64)],
    now: Timestamp,
) -> Decision {
    let is_there = |scope: &ScopeId| {
        let scope = scope_within(rows, &command.reach, scope);
        scope.is_some_and(|scope| scope.tenant == *tenant)
    };
    let mut counts: BTreeMap<(&ScopeId, &Item), u64> = BTreeMap::new();
    for (scope, item, count) in refused {
        if 0 < *count && is_there(scope) {
            let sum = counts.entry((scope, item)).or_default();
            *sum = sum.saturating_add(*count);
        }
    }
    if counts.is_empty() {
        return unchanged(Done::RefusalsCounted);
    }
    let mut draft = Draft::new(rows, Log::Tenant(tenant.clone()), &command.actor, now);
    let changes = counts.into_iter().map(|((scope, item), count)| {
        let tally = rows.tally(scope, item);
        Change::Tally {
            scope: scope.clone(),
            item: item.clone(),
            tally: Tally {
                refused: tally.refused.saturating_add(count),
                last_at: draft.now(),
                ..tally
            },
        }
    });
    let changes = changes.collect();
    draft.push(Cause::RefusalsCounted, changes);
    draft.done(Done::RefusalsCounted)
}
