//! Whether something may be taken, and what stands in the way.

use serde_json::{Value, json};

use super::instant;
use super::model::{AMOUNT_MAX, Ceiling, Content, Item, Line, Model, State, Taken};

/// What is to be taken, where, and instead of what.
pub(super) struct Want<'a> {
    pub(super) scope: &'a str,
    pub(super) lines: &'a [Line],
    pub(super) instead_of: Option<&'a Taken>,
    pub(super) is_forced: bool,
}

/// A limit that would be passed.
pub(super) struct Exceeded {
    scope: String,
    item: Item,
    ceiling: Ceiling,
    source: &'static str,
    set: Value,
    used: u64,
    held: u64,
    asked: u64,
    short_by: u64,
}

impl Model {
    /// Every limit that would be passed, at every scope up to the tenant.
    pub(super) fn exceeded(&self, want: &Want<'_>) -> Vec<Exceeded> {
        let mut exceeded = Vec::new();
        for Line { item, amount } in want.lines {
            for above in &self.paths[want.scope] {
                let relief = want.instead_of.map_or(0, |taken| {
                    let counts = self.is_below(&taken.scope, above);
                    if counts { taken.amount_of(item) } else { 0 }
                });
                let asked = amount.saturating_sub(relief);
                let (ceiling, source, set) = self.binding(want, above, item);
                let (used, held) = self.figures(above, item);
                let needed = used + held + asked;
                if asked > 0 && needed > ceiling.units() {
                    exceeded.push(Exceeded {
                        scope: above.clone(),
                        item: item.clone(),
                        ceiling,
                        source,
                        set,
                        used,
                        held,
                        asked,
                        // Amounts end there, this one too.
                        short_by: (needed - ceiling.units()).min(AMOUNT_MAX),
                    });
                }
            }
        }
        exceeded
    }

    /// What binds an item at a scope on the way from the one that uses it: there the default too,
    /// above it only what is set.
    fn binding(&self, want: &Want<'_>, above: &str, item: &Item) -> (Ceiling, &'static str, Value) {
        if want.is_forced {
            return (Ceiling::Unlimited, "number_space", Value::Null);
        }
        if let Some((limit, of)) = self.set_limit(above, item) {
            let set = json!({
                "location": of.location, "set_by": limit.set_by, "reason": limit.reason,
                "revision": limit.revision,
            });
            return (limit.ceiling, "limit", set);
        }
        if above == want.scope {
            return (
                self.resources[&item.resource].ceiling,
                "default",
                Value::Null,
            );
        }
        (Ceiling::Unlimited, "number_space", Value::Null)
    }

    /// As much of each line as fits, but no less than would do.
    pub(super) fn fitting(&self, content: &Content) -> Vec<Line> {
        let fit = |(line, least): (&Line, &u64)| {
            let want = Want {
                scope: &content.scope,
                lines: &[],
                instead_of: None,
                is_forced: content.forced.is_some(),
            };
            let room = self.paths[&content.scope].iter().map(|above| {
                let (ceiling, _, _) = self.binding(&want, above, &line.item);
                let (used, held) = self.figures(above, &line.item);
                ceiling.units().saturating_sub(used + held)
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
        if exceeded.asked > exceeded.ceiling.units() {
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
            let sufficient = it.used + it.held + it.asked;
            let sufficient = (sufficient <= AMOUNT_MAX).then_some(sufficient);
            let request = sufficient.map(|limit| {
                let mut request = json!({
                    "scope": it.scope, "resource": it.item.resource, "limit": limit,
                });
                if let Some(location) = &it.item.location {
                    request["location"] = json!(location);
                }
                request
            });
            json!({
                "scope": it.scope, "resource": it.item.resource, "location": it.item.location,
                "limit": it.ceiling.json(), "limit_source": it.source, "limit_set": it.set,
                "used": it.used, "held": it.held, "asked": it.asked, "short_by": it.short_by,
                "smallest_sufficient_limit": sufficient,
                "fits_at": self.fits_at(it, own_end).map(instant),
                "increase_request": request,
            })
        });
        told.collect()
    }
}
