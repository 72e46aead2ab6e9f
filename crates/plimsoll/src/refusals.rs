//! What was refused since the last count.
//!
//! A refusal changes nothing, so it is not written by itself: a flood of refusals would be a flood
//! of writes. They are counted here, by limit, and added up in the ledger every few seconds. What
//! was not added up yet when the process is killed is not counted.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use plimsoll_core::command::Action;
use plimsoll_core::model::Item;
use plimsoll_core::names::ScopeId;
use plimsoll_core::outcome::{Denial, Exceeded, Outcome};
use plimsoll_core::rows::{Footprint, Rows};
use plimsoll_store::{Store, Tables};

use crate::bootstrap::system_command;

/// Limits with a count that was not added up yet. What is refused by others then is not counted.
const LIMITS_MAX: usize = 100_000;

/// Limits in one command, so that one write stays small.
const COUNTS_MAX: usize = 1_000;

type Place = (ScopeId, Item);

/// Refusals by limit.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<HashMap<Place, u64>>);

impl Refusals {
    /// Takes note of what was answered.
    pub(crate) fn note(&self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            if let Outcome::Denied(Denial::QuotaExceeded(exceeded)) = outcome {
                self.note_limits(exceeded);
            }
        }
    }

    fn note_limits(&self, exceeded: &[Exceeded]) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for limit in exceeded {
            let place = (limit.scope.clone(), limit.item.clone());
            if LIMITS_MAX <= counts.len() && !counts.contains_key(&place) {
                continue;
            }
            let count = counts.entry(place).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Adds up in the ledger what was counted. What cannot be added up now is kept for the next
    /// time.
    pub(crate) async fn add_up(&self, store: &Store) {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if counts.is_empty() {
            return;
        }
        let footprint = Footprint {
            scopes: counts.keys().map(|(scope, _)| scope.clone()).collect(),
            ..Footprint::default()
        };
        let by_tenant = store
            .read(&footprint, |rows| by_tenant(rows, &counts))
            .await;
        let Ok(by_tenant) = by_tenant else {
            return self.give_back(counts);
        };
        for (tenant, refused) in by_tenant {
            for refused in refused.chunks(COUNTS_MAX) {
                let command = system_command(Action::CountRefusals {
                    tenant: tenant.clone(),
                    refused: refused.to_vec(),
                });
                if let Err(error) = store.submit(vec![command]).await {
                    tracing::warn!(%error, "refusals could not be counted yet");
                    let left = refused.iter().cloned();
                    let left = left.map(|(scope, item, count)| ((scope, item), count));
                    self.give_back(left);
                }
            }
        }
    }

    fn give_back(&self, left: impl IntoIterator<Item = (Place, u64)>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, more) in left {
            let count = counts.entry(place).or_default();
            *count = count.saturating_add(more);
        }
    }
}

/// Counts of refusals: where, of what, how often.
type Counts = Vec<(ScopeId, Item, u64)>;

fn by_tenant(rows: &Tables, counts: &HashMap<Place, u64>) -> BTreeMap<ScopeId, Counts> {
    let mut by_tenant: BTreeMap<ScopeId, Counts> = BTreeMap::new();
    for ((scope, item), count) in counts {
        if let Some(known) = rows.scope(scope) {
            let counts = by_tenant.entry(known.tenant.clone()).or_default();
            counts.push((scope.clone(), item.clone(), *count));
        }
    }
    by_tenant
}
