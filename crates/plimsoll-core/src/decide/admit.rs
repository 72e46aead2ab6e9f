//! The admission rule: what may be put on the accounts, and why not.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::draft::Draft;
use super::weight::Weight;
use crate::amount::{Amount, Ceiling};
use crate::bounds::{FITS_AT_HOLDS_MAX, FITS_AT_LINES_MAX};
use crate::ceilings::{self, Effective};
use crate::command::Grounds;
use crate::event::Crossing;
use crate::model::{Asked, Item, Line, Lines, Mode, Resource, Scope, State};
use crate::names::ScopeId;
use crate::outcome::{Breach, Denial, Exceeded};
use crate::rows::{Rows, path};

/// How a reservation is judged.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// By every limit on the way to the tenant.
    Limits,
    /// Let past them; only numbers end somewhere.
    Pass,
}

impl Rule {
    /// The rule of a command with these grounds.
    pub(super) fn of(grounds: &Grounds) -> Self {
        match grounds {
            Grounds::Limits | Grounds::Mend { passes: false, .. } => Rule::Limits,
            Grounds::Force(_) | Grounds::Mend { passes: true, .. } => Rule::Pass,
        }
    }

    /// What binds under this rule, where that would.
    fn bound(self, effective: Effective<'_>) -> Effective<'_> {
        match self {
            Rule::Limits => effective,
            Rule::Pass => Effective::Unbound,
        }
    }
}

/// What is taken, and where that weighs.
pub(super) type Admitted<'a> = (Lines, Vec<Weight<'a>>);

/// What is to be said of some weights.
#[derive(Default)]
pub(super) struct Verdict {
    /// Every limit that would be passed and does not let pass.
    refused: Vec<Exceeded>,
    /// Every limit that would be passed and lets pass.
    pub(super) passed: Vec<Exceeded>,
    /// The parts of limits that would be taken.
    pub(super) crossed: Vec<Crossing>,
}

impl Verdict {
    /// Whether no limit would be passed, not even one that lets pass.
    fn is_clear(&self) -> bool {
        self.refused.is_empty() && self.passed.is_empty()
    }
}

/// What of some lines a scope may take: all of each line, or at least as much as would do; and
/// where that weighs.
///
/// Before anything is refused, cut or let pass, the tenant's holds whose time is over lapse: what
/// observes counts what would be refused, and nothing else.
pub(super) fn admit<'a, R: Rows>(
    draft: &mut Draft<'a, R>,
    scope: &'a Scope,
    asked: &'a Asked,
    rule: Rule,
) -> Result<Result<Admitted<'a>, Denial>, Breach> {
    if let Some(denial) = first_senseless(draft.rows, asked.lines()) {
        return Ok(Err(denial));
    }
    let mut weights = draft.weights(scope, asked.lines())?;
    let verdict = judge(draft, scope, &weights, &[], rule);
    if verdict.is_clear() {
        draft.note(verdict);
        return Ok(Ok((asked.lines().clone(), weights)));
    }
    lapse(draft, scope)?;
    draft.look_again(&mut weights);
    let granted = granted(draft, scope, asked, &mut weights, rule)?;
    let verdict = judge(draft, scope, &weights, &[], rule);
    Ok(ended(draft, scope, verdict).map(|()| (granted, weights)))
}

/// Whether weights may be put where others are taken away: only an account that becomes heavier
/// is judged.
///
/// Before anything is refused or let pass, the tenant's holds whose time is over lapse.
pub(super) fn admit_swap<R: Rows>(
    draft: &mut Draft<'_, R>,
    scope: &Scope,
    put: &mut [Weight<'_>],
    taken: &mut [Weight<'_>],
    rule: Rule,
) -> Result<Result<(), Denial>, Breach> {
    let verdict = judge(draft, scope, put, taken, rule);
    if verdict.is_clear() {
        draft.note(verdict);
        return Ok(Ok(()));
    }
    lapse(draft, scope)?;
    draft.look_again(put);
    draft.look_again(taken);
    let verdict = judge(draft, scope, put, taken, rule);
    Ok(ended(draft, scope, verdict))
}

/// Why the first line that makes no sense does not.
pub(super) fn first_senseless<R: Rows>(rows: &R, lines: &Lines) -> Option<Denial> {
    lines
        .iter()
        .find_map(|line| resource_of(rows, &line.item).err())
}

/// The resource of an item, where the item makes sense.
pub(crate) fn resource_of<'a, R: Rows>(rows: &'a R, item: &Item) -> Result<&'a Resource, Denial> {
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
        draft.expire(&hold)?;
    }
    Ok(())
}

/// As much of each line as fits, but no less than would do; the weights become those of that.
fn granted<R: Rows>(
    draft: &Draft<'_, R>,
    scope: &Scope,
    asked: &Asked,
    weights: &mut [Weight<'_>],
    rule: Rule,
) -> Result<Lines, Breach> {
    if asked.is_whole() {
        return Ok(asked.lines().clone());
    }
    let levels = weights.chunks_mut(usize::from(scope.depth).max(1));
    let fitting = asked.iter().zip(levels).map(|((line, least), weights)| {
        let room = weights
            .iter()
            .map(|weight| {
                let bound = rule.bound(effective(draft, scope, weight)).bound();
                bound.amount().minus_or_zero(weight.account.taken())
            })
            .fold(Amount::MAX, Amount::min);
        let amount = line.amount.min(room).max(least);
        weights.iter_mut().for_each(|weight| weight.amount = amount);
        Line {
            item: line.item.clone(),
            amount,
        }
    });
    Lines::new(fitting.collect()).map_err(|_| draft.breach("a line that was asked for is none"))
}

/// What counts for an account on the way from `user` to its tenant.
fn effective<'a, R: Rows>(
    draft: &Draft<'a, R>,
    user: &Scope,
    weight: &Weight<'a>,
) -> Effective<'a> {
    let Weight {
        scope,
        resource,
        item,
        ..
    } = *weight;
    ceilings::at(draft.rows, scope, &user.id, resource, item, draft.now())
}

/// Takes note of what is admitted, or says which limits would be passed and when it would fit.
fn ended<R: Rows>(
    draft: &mut Draft<'_, R>,
    scope: &Scope,
    mut verdict: Verdict,
) -> Result<(), Denial> {
    if verdict.refused.is_empty() {
        draft.note(verdict);
        return Ok(());
    }
    set_fits_at(draft, &scope.tenant, &mut verdict.refused);
    Err(Denial::QuotaExceeded(verdict.refused))
}

/// Judges weights that are put where others are taken away, at every scope.
fn judge<R: Rows>(
    draft: &Draft<'_, R>,
    user: &Scope,
    put: &[Weight<'_>],
    taken: &[Weight<'_>],
    rule: Rule,
) -> Verdict {
    let taken: BTreeMap<_, _> = taken.iter().map(|it| (it.place(), it.amount)).collect();
    let mut verdict = Verdict::default();
    for weight in put {
        let relief = taken.get(&weight.place()).copied().unwrap_or_default();
        let more = weight.amount.minus_or_zero(relief);
        let effective = effective(draft, user, weight);
        let bound = rule.bound(effective);
        // Where a limit lets pass, numbers still end somewhere.
        let end = || exceeded(weight, more, Effective::Unbound);
        match exceeded(weight, more, bound) {
            None => {}
            Some(limit) if limit.mode == Mode::Enforce => verdict.refused.push(limit),
            Some(limit) => match end() {
                Some(end) => verdict.refused.push(end),
                None => verdict.passed.push(limit),
            },
        }
        let before = Filled {
            ceiling: effective.ceiling(),
            taken: weight.account.taken(),
        };
        let after = Filled {
            taken: before.taken.plus_or_max(more),
            ..before
        };
        let crossed = &mut verdict.crossed;
        cross(crossed, weight.place(), weight.resource, before, after);
    }
    verdict
}

/// One limit that would be passed by so much more, or `None` where it would not.
fn exceeded(weight: &Weight<'_>, more: Amount, effective: Effective<'_>) -> Option<Exceeded> {
    let account = weight.account;
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
        mode: effective.mode(),
        source: effective.source(),
        used: account.used,
        held: account.held,
        asked: more,
        is_adjustable: weight.resource.adjustable,
        short_by: more.minus_or_zero(room).plus_or_max(over),
        smallest_sufficient: account.taken().plus(more),
        fits_at: None,
    })
}

/// How much of a ceiling is taken.
#[derive(Clone, Copy)]
pub(super) struct Filled {
    pub(super) ceiling: Ceiling,
    pub(super) taken: Amount,
}

impl Filled {
    /// Whether it is so many hundredths, or more; where nothing is taken, it is none.
    fn reaches(self, percent: u8) -> bool {
        let Ceiling::Finite(ceiling) = self.ceiling else {
            return false;
        };
        // A hundred times an amount is less than 2^60.
        let part = ceiling.units().saturating_mul(u64::from(percent));
        Amount::ZERO < self.taken && part <= self.taken.units().saturating_mul(100)
    }
}

/// Adds the parts of a ceiling that are taken after a change and were not before it.
pub(super) fn cross(
    crossed: &mut Vec<Crossing>,
    (scope, item): (&ScopeId, &Item),
    resource: &Resource,
    before: Filled,
    after: Filled,
) {
    let Filled { ceiling, taken } = after;
    let Ceiling::Finite(ceiling) = ceiling else {
        return;
    };
    let percents = resource.alerts.iter();
    let reached = percents.filter(|it| after.reaches(*it) && !before.reaches(*it));
    crossed.extend(reached.map(|percent| Crossing {
        scope: scope.clone(),
        item: item.clone(),
        percent,
        ceiling,
        taken,
    }));
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
    let mut lines = FITS_AT_LINES_MAX;
    for hold in holds.take(FITS_AT_HOLDS_MAX) {
        let (State::Held { expires_at }, Some(scope)) = (hold.state, draft.rows.scope(&hold.scope))
        else {
            continue;
        };
        for line in hold.lines.iter().take(lines) {
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
        lines = lines.saturating_sub(hold.lines.len());
        if lines == 0 || waiting.is_empty() {
            return;
        }
    }
}
