//! Whether something may be taken, and what stands in the way.

use std::rc::Rc;

use serde_json::{Value, json};

use super::instant;
use super::limits::{Bound, Mode};
use super::model::{AMOUNT_MAX, Content, Item, Line, Model, State, Taken};

/// What is to be taken, where, and instead of what.
pub(super) struct Want<'a> {
    pub(super) scope: &'a str,
    pub(super) lines: &'a [Line],
    pub(super) instead_of: Option<&'a Taken>,
    pub(super) is_forced: bool,
    pub(super) now: u64,
}

/// What is to be said of it: every limit that would be passed.
#[derive(Default)]
pub(super) struct Verdict {
    /// Those that bind.
    pub(super) refused: Vec<Exceeded>,
    /// Those that let pass.
    pub(super) passed: Vec<Exceeded>,
}

impl Verdict {
    pub(super) fn is_clear(&self) -> bool {
        self.refused.is_empty() && self.passed.is_empty()
    }
}

/// A limit that would be passed.
pub(super) struct Exceeded {
    scope: String,
    item: Item,
    bound: Bound,
    used: u64,
    held: u64,
    asked: u64,
    short_by: u64,
    /// Whether the limit is raised on request.
    is_adjustable: bool,
}

impl Model {
    /// Every limit that would be passed, at every scope up to the tenant.
    pub(super) fn judge(&self, want: &Want<'_>) -> Verdict {
        let mut verdict = Verdict::default();
        for Line { item, amount } in want.lines {
            for above in &self.paths[want.scope] {
                let relief = want.instead_of.map_or(0, |taken| {
                    let counts = self.is_below(&taken.scope, above);
                    if counts { taken.amount_of(item) } else { 0 }
                });
                let asked = amount.saturating_sub(relief);
                let (used, held) = self.figures(above, item);
                let exceeded = |bound: Bound| {
                    let needed = used + held + asked;
                    let units = bound.ceiling.units();
                    (asked > 0 && needed > units).then(|| Exceeded {
                        scope: above.clone(),
                        item: item.clone(),
                        bound,
                        used,
                        held,
                        asked,
                        // Amounts end there, this one too.
                        short_by: (needed - units).min(AMOUNT_MAX),
                        is_adjustable: self.resources[&item.resource].adjustable,
                    })
                };
                let Some(limit) = exceeded(self.binding(want, above, item)) else {
                    continue;
                };
                if limit.bound.mode == Mode::Enforce {
                    verdict.refused.push(limit);
                } else if let Some(numbers) = exceeded(Bound::NUMBERS) {
                    // A limit may let pass; numbers do not.
                    verdict.refused.push(numbers);
                } else {
                    verdict.passed.push(limit);
                }
            }
        }
        verdict
    }

    /// What binds an item at a scope on the way from the one that uses it: there the default too,
    /// above it only what is set.
    fn binding(&self, want: &Want<'_>, above: &str, item: &Item) -> Bound {
        if want.is_forced {
            return Bound::NUMBERS;
        }
        if above == want.scope {
            return self.user_bound(above, item, want.now);
        }
        self.set_bound(above, item, want.now)
            .unwrap_or(Bound::NUMBERS)
    }

    /// Counts what lets pass, and tells the warnings.
    pub(super) fn note_passed(&mut self, passed: &[Exceeded], now: u64) -> Value {
        for it in passed {
            let place = (it.scope.clone(), it.item.clone());
            let tally = Rc::make_mut(&mut self.tallies).entry(place).or_default();
            tally.last_at = Some(now);
            match it.bound.mode {
                Mode::Enforce => unreachable!("it would be refused"),
                Mode::Warn => tally.warned += 1,
                Mode::Observe => tally.observed += 1,
            }
        }
        let warn = passed.iter().filter(|it| it.bound.mode == Mode::Warn);
        warn.map(Exceeded::json).collect()
    }

    /// As much of each line as fits, but no less than would do.
    pub(super) fn fitting(&self, content: &Content, now: u64) -> Vec<Line> {
        let fit = |(line, least): (&Line, &u64)| {
            let want = Want {
                scope: &content.scope,
                lines: &[],
                instead_of: None,
                is_forced: content.forced.is_some(),
                now,
            };
            let room = self.paths[&content.scope].iter().map(|above| {
                let binds = self.binding(&want, above, &line.item).binds();
                let (used, held) = self.figures(above, &line.item);
                binds.units().saturating_sub(used + held)
            });
            let room = room.min().unwrap_or(AMOUNT_MAX);
            Line {
                item: line.item.clone(),
                amount: line.amount.min(room).max(*least),
            }
        };
        content
            .lines
            .iter()
            .zip(&content.at_least)
            .map(fit)
            .collect()
    }

    /// When the holds of a tenant will have freed what is missing, if nothing else changes.
    ///
    /// `own_end` is when the hold itself lapses that is to take more: it fits nowhere then.
    fn fits_at(&self, exceeded: &Exceeded, own_end: Option<u64>) -> Option<u64> {
        if exceeded.asked > exceeded.bound.ceiling.units() {
            return None;
        }
        let tenant = &self.tenants[self.tenant_of(&exceeded.scope)];
        let mut holds = Vec::new();
        for taken in tenant.live.iter().map(|id| &tenant.taken[id]) {
            let amount = taken.amount_of(&exceeded.item);
            if let State::Held { expires_at } = taken.state
                && amount > 0
                && self.is_below(&taken.scope, &exceeded.scope)
            {
                holds.push((expires_at, amount));
            }
        }
        holds.sort_unstable();
        let mut freed = 0;
        for (expires_at, amount) in holds {
            freed += amount;
            if exceeded.short_by <= freed {
                return Some(expires_at).filter(|at| own_end.is_none_or(|end| *at < end));
            }
        }
        None
    }

    /// What a caller must be told who is refused.
    pub(super) fn exceeded_json(&self, exceeded: &[Exceeded], own_end: Option<u64>) -> Value {
        let told = exceeded.iter().map(|it| {
            let mut told = it.json();
            told["fits_at"] = json!(self.fits_at(it, own_end).map(instant));
            told
        });
        told.collect()
    }
}

impl Exceeded {
    fn json(&self) -> Value {
        let sufficient = self.used + self.held + self.asked;
        let sufficient = (sufficient <= AMOUNT_MAX).then_some(sufficient);
        // A limit for a time that somebody set goes before what is granted.
        let set = self.bound.set.as_object();
        let is_for_a_time =
            set.is_some_and(|set| !set["ends_at"].is_null() && set["request"].is_null());
        let may_ask = self.is_adjustable && !is_for_a_time;
        let request = sufficient.filter(|_| may_ask).map(|limit| {
            let mut request = json!({
                "scope": self.scope, "resource": self.item.resource, "limit": limit,
            });
            if let Some(location) = &self.item.location {
                request["location"] = json!(location);
            }
            request
        });
        json!({
            "scope": self.scope, "resource": self.item.resource, "location": self.item.location,
            "limit": self.bound.ceiling.json(), "mode": self.bound.mode.name(),
            "limit_source": self.bound.source, "limit_set": self.bound.set,
            "tier": self.bound.tier, "used": self.used, "held": self.held, "asked": self.asked,
            "short_by": self.short_by, "smallest_sufficient_limit": sufficient, "fits_at": null,
            "increase_request": request,
        })
    }
}
