//! The admission rule: what may be put on the accounts, and why not.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::draft::{Draft, Weight};
use crate::amount::Amount;
use crate::bounds::{FITS_AT_HOLDS_MAX, FITS_AT_LINES_MAX};
use crate::ceilings::{self, Effective};
use crate::model::{Account, Asked, Item, Line, Lines, Resource, Scope, State};
use crate::names::{ScopeId, Text};
use crate::outcome::{Breach, Denial, Exceeded};
use crate::rows::{Rows, path};

/// How a reservation is judged.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// By every limit on the way to the tenant.
    Limits,
    /// Let past them; only numbers end somewhere.
    Force,
}

impl Rule {
    /// The rule of a command that gives a reason to pass the limits, or none.
    pub(super) fn of(force: Option<&Text>) -> Self {
        if force.is_some() {
            Rule::Force
        } else {
            Rule::Limits
        }
    }
}

/// What of some lines a scope may take: all of each line, or at least as much as would do.
///
/// Before anything is refused or cut, the tenant's holds whose time is over lapse.
pub(super) fn admit<R: Rows>(
    draft: &mut Draft<'_, R>,
    scope: &Scope,
    asked: &Asked,
    rule: Rule,
) -> Result<Result<Lines, Denial>, Breach> {
    if let Some(denial) = first_senseless(draft.rows, asked.lines()) {
        return Ok(Err(denial));
    }
    let whole = draft.weights(scope, asked.lines())?;
    if exceeded(draft, scope, &whole, &[], rule).is_empty() {
        return Ok(Ok(asked.lines().clone()));
    }
    lapse(draft, scope)?;
    let granted = granted(draft, scope, asked, rule)?;
    let weights = draft.weights(scope, &granted)?;
    Ok(judged(draft, scope, &weights, &[], rule).map(|()| granted))
}

/// Whether weights may be put where others are taken away: only an account that becomes heavier
/// is judged.
///
/// Before anything is refused, the tenant's holds whose time is over lapse.
pub(super) fn admit_swap<R: Rows>(
    draft: &mut Draft<'_, R>,
    scope: &Scope,
    put: &[Weight<'_>],
    taken: &[Weight<'_>],
    rule: Rule,
) -> Result<Result<(), Denial>, Breach> {
    if exceeded(draft, scope, put, taken, rule).is_empty() {
        return Ok(Ok(()));
    }
    lapse(draft, scope)?;
    Ok(judged(draft, scope, put, taken, rule))
}

/// Why the first line that makes no sense does not.
pub(super) fn first_senseless<R: Rows>(rows: &R, lines: &Lines) -> Option<Denial> {
    lines
        .iter()
        .find_map(|line| resource_of(rows, &line.item).err())
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

/// Lets the tenant's holds lapse whose time is over.
fn lapse<R: Rows>(draft: &mut Draft<'_, R>, scope: &Scope) -> Result<(), Breach> {
    let rows = draft.rows;
    let now = draft.now();
    let due = rows.holds(&scope.tenant);
    for hold in due.take_while(|hold| hold.state.is_due(now)) {
        draft.expire(hold)?;
    }
    Ok(())
}

/// As much of each line as fits, but no less than would do.
fn granted<R: Rows>(
    draft: &Draft<'_, R>,
    scope: &Scope,
    asked: &Asked,
    rule: Rule,
) -> Result<Lines, Breach> {
    if asked.is_whole() {
        return Ok(asked.lines().clone());
    }
    let fitting = asked.iter().map(|(line, least)| {
        let room = path(draft.rows, scope)
            .map(|above| {
                let ceiling = ceiling_at(draft, scope, above, &line.item, rule).ceiling();
                let account = draft.account(&above.id, &line.item);
                ceiling.amount().minus_or_zero(account.taken())
            })
            .fold(Amount::MAX, Amount::min);
        Line {
            item: line.item.clone(),
            amount: line.amount.min(room).max(least),
        }
    });
    Lines::new(fitting.collect()).map_err(|_| draft.breach("a line that was asked for is none"))
}

/// What binds an account on the way from `user` to its tenant.
fn ceiling_at<'a, R: Rows>(
    draft: &Draft<'a, R>,
    user: &Scope,
    scope: &Scope,
    item: &Item,
    rule: Rule,
) -> Effective<'a> {
    match rule {
        Rule::Force => Effective::Unbound,
        Rule::Limits if scope.id == user.id => match draft.rows.resource(&item.resource) {
            Some(resource) => ceilings::at_user(draft.rows, scope, resource, item),
            None => ceilings::at_parent(draft.rows, scope, item),
        },
        Rule::Limits => ceilings::at_parent(draft.rows, scope, item),
    }
}

/// The denial that names every limit that would be passed, with when it would fit.
fn judged<R: Rows>(
    draft: &Draft<'_, R>,
    scope: &Scope,
    put: &[Weight<'_>],
    taken: &[Weight<'_>],
    rule: Rule,
) -> Result<(), Denial> {
    let mut exceeded = exceeded(draft, scope, put, taken, rule);
    if exceeded.is_empty() {
        return Ok(());
    }
    set_fits_at(draft, &scope.tenant, &mut exceeded);
    Err(Denial::QuotaExceeded(exceeded))
}

/// Every limit that would be passed, at every scope.
fn exceeded<R: Rows>(
    draft: &Draft<'_, R>,
    user: &Scope,
    put: &[Weight<'_>],
    taken: &[Weight<'_>],
    rule: Rule,
) -> Vec<Exceeded> {
    let taken: BTreeMap<_, _> = taken.iter().map(|it| (it.place(), it.amount)).collect();
    let passed = put.iter().filter_map(|weight| {
        let relief = if taken.is_empty() {
            None
        } else {
            taken.get(&weight.place())
        };
        let more = weight
            .amount
            .minus_or_zero(relief.copied().unwrap_or_default());
        let effective = ceiling_at(draft, user, weight.scope, weight.item, rule);
        let account = draft.account(&weight.scope.id, weight.item);
        passed(weight, more, effective, account)
    });
    passed.collect()
}

/// One limit that would be passed by so much more, or `None` where it would not.
fn passed(
    weight: &Weight<'_>,
    more: Amount,
    effective: Effective<'_>,
    account: Account,
) -> Option<Exceeded> {
    let ceiling = effective.ceiling();
    let room = ceiling.amount().minus_or_zero(account.taken());
    let over = account.taken().minus_or_zero(ceiling.amount());
    if more <= room {
        return None;
    }
    Some(Exceeded {
        scope: weight.scope.id.clone(),
        item: weight.item.clone(),
        ceiling,
        source: effective.source(),
        used: account.used,
        held: account.held,
        asked: more,
        short_by: more.minus_or_zero(room).plus_or_max(over),
        smallest_sufficient: account.taken().plus(more),
        fits_at: None,
    })
}

/// Says of each limit when the tenant's holds will have freed what is missing, if nothing else
/// changes: one look at the holds that lapse first, for all limits together.
fn set_fits_at<R: Rows>(draft: &Draft<'_, R>, tenant: &ScopeId, exceeded: &mut [Exceeded]) {
    let can_fit = |limit: &&mut Exceeded| {
        limit.asked <= limit.ceiling.amount() && limit.short_by <= limit.held
    };
    let waiting = exceeded.iter_mut().filter(can_fit).map(|limit| {
        let place = (limit.scope.clone(), limit.item.clone());
        (place, (Amount::ZERO, limit))
    });
    let mut waiting: BTreeMap<_, _> = waiting.collect();
    let now = draft.now();
    let holds = draft
        .rows
        .holds(tenant)
        .skip_while(|hold| hold.state.is_due(now));
    let lines = holds
        .take(FITS_AT_HOLDS_MAX)
        .flat_map(|hold| hold.lines.iter().map(move |line| (hold, line)));
    for (hold, line) in lines.take(FITS_AT_LINES_MAX) {
        if waiting.is_empty() {
            return;
        }
        let State::Held { expires_at } = hold.state else {
            continue;
        };
        let Some(scope) = draft.rows.scope(&hold.scope) else {
            continue;
        };
        for above in path(draft.rows, scope) {
            let place = (above.id.clone(), line.item.clone());
            let Some((freed, limit)) = waiting.get_mut(&place) else {
                continue;
            };
            *freed = freed.plus_or_max(line.amount);
            if limit.short_by <= *freed {
                limit.fits_at = Some(expires_at);
                waiting.remove(&place);
            }
        }
    }
}
