//! What a reader of quotas must be told.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::model::{AMOUNT_MAX, Ceiling, Item, Model, State};

impl Model {
    /// Every item that can be taken.
    fn items(&self) -> Vec<Item> {
        let mut items = Vec::new();
        for (name, resource) in &self.resources {
            let locations: Vec<Option<String>> = if resource.per_location {
                self.locations.iter().cloned().map(Some).collect()
            } else {
                vec![None]
            };
            items.extend(locations.into_iter().map(|location| Item {
                resource: name.clone(),
                location,
            }));
        }
        items
    }

    /// What a reader of the quotas of a scope must be told.
    pub(super) fn quotas(&self, scope: &str, now: u64) -> Value {
        let now = self.time(self.tenant_of(scope), now);
        let figures = self.all_figures(scope);
        let items = self.items();
        let quotas = items.iter().map(|item| {
            let figures = figures.get(item);
            let figures = figures.cloned().unwrap_or_default();
            self.quota(scope, item, &figures, now)
        });
        let quotas: Vec<Value> = quotas.collect();
        json!({
            "scope": scope,
            "revision": self.tenants[self.tenant_of(scope)].revision,
            "as_of": null,
            "quotas": quotas,
        })
    }

    /// What is used and held of every item, at each height of the way from a scope to its tenant.
    fn all_figures(&self, scope: &str) -> BTreeMap<Item, Vec<(u64, u64)>> {
        let path = &self.paths[scope];
        let tenant = &self.tenants[self.tenant_of(scope)];
        let mut figures: BTreeMap<Item, Vec<(u64, u64)>> = BTreeMap::new();
        for taken in tenant.live.iter().map(|id| &tenant.taken[id]) {
            for line in &taken.lines {
                let heights = figures.entry(line.item.clone());
                let heights = heights.or_insert_with(|| vec![(0, 0); path.len()]);
                for (above, (used, held)) in path.iter().zip(heights) {
                    if !self.is_below(&taken.scope, above) {
                        continue;
                    }
                    match taken.state {
                        State::Held { .. } => *held += line.amount,
                        _ => *used += line.amount,
                    }
                }
            }
        }
        figures
    }

    fn quota(&self, scope: &str, item: &Item, figures: &[(u64, u64)], now: u64) -> Value {
        let at = |height: usize| figures.get(height).copied().unwrap_or_default();
        let (used, held) = at(0);
        let bound = self.user_bound(scope, item, now);
        let mut available = bound.binds().left(used + held);
        let mut countable = AMOUNT_MAX;
        let mut sources = Vec::new();
        for (height, above) in self.paths[scope].iter().enumerate() {
            let (used, held) = at(height);
            countable = countable.min(AMOUNT_MAX - used - held);
            let chain = if above == scope {
                self.chain(scope, item, now)
            } else {
                let set = self.set_bound(above, item, now);
                if let Some(bound) = &set {
                    available = available.smaller(bound.binds().left(used + held));
                }
                set.into_iter().collect()
            };
            sources.extend(chain.into_iter().map(|bound| {
                json!({
                    "scope": above, "limit": bound.ceiling.json(), "mode": bound.mode.name(),
                    "source": bound.source, "set": bound.set, "tier": bound.tier,
                    "available": bound.ceiling.left(used + held).json(),
                })
            }));
        }
        if let Ceiling::Finite(units) = available {
            available = Ceiling::Finite(units.min(countable));
        }
        let tally = self.tallies.get(&(scope.to_owned(), item.clone()));
        json!({
            "resource": item.resource, "location": item.location, "limit": bound.ceiling.json(),
            "mode": bound.mode.name(), "used": used, "held": held, "available": available.json(),
            "over_by": (used + held).saturating_sub(bound.ceiling.units()),
            "counts": tally.cloned().unwrap_or_default().json(), "sources": sources,
        })
    }
}
