//! What runs beside requests. Tasks are started here and nowhere else.

use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::bounds::{EXPIRE_HOLDS_MAX, FORGET_RESERVATIONS_MAX};
use plimsoll_core::command::Action;
use plimsoll_core::outcome::{Done, Outcome};
use plimsoll_store::Store;

use crate::bootstrap::system_command;
use crate::clock;
use crate::refusals::Refusals;

/// Has something worked out on a thread that answers nobody; `None` where it panicked.
pub(crate) async fn compute<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// How often the ledger is swept. Nothing depends on it: a decision that needs what due holds take
/// lets them lapse first.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// How often refusals are added up.
const COUNT_INTERVAL: Duration = Duration::from_secs(5);

/// Starts a task.
pub(crate) fn start(task: impl Future<Output = ()> + Send + 'static) {
    #[expect(clippy::disallowed_methods, reason = "this is where tasks are started")]
    tokio::spawn(task);
}

/// Lets holds lapse whose time is over, and forgets reservations that ended longer ago than
/// `retention_ms`, for as long as the server runs.
pub(crate) async fn sweep(store: Weak<Store>, retention_ms: u64) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let Some(store) = store.upgrade() else { return };
        let now = clock::steady();
        for tenant in store.tenants_due(now).await.unwrap_or_default() {
            repeat(&store, Action::Expire { tenant }).await;
        }
        let past = now
            .ms()
            .checked_sub(retention_ms)
            .and_then(Timestamp::from_ms);
        let Some(ended_before) = past else { continue };
        let tenants = store.tenants_with_ended_before(ended_before).await;
        for tenant in tenants.unwrap_or_default() {
            repeat(
                &store,
                Action::Forget {
                    tenant,
                    ended_before,
                },
            )
            .await;
        }
    }
}

/// Adds refusals up for as long as the server runs.
pub(crate) async fn count_refusals(store: Weak<Store>, refusals: Arc<Refusals>) {
    let mut interval = tokio::time::interval(COUNT_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let Some(store) = store.upgrade() else { return };
        refusals.add_up(&store).await;
    }
}

/// Has a bounded action decided until there is nothing left for it to do.
async fn repeat(store: &Store, action: Action) {
    loop {
        let command = system_command(action.clone());
        let outcomes = match store.submit(vec![command]).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                tracing::warn!(%error, "the ledger could not be swept yet");
                return;
            }
        };
        match outcomes.as_slice() {
            [
                Outcome::Done(Done::Expired {
                    holds: EXPIRE_HOLDS_MAX,
                }),
            ] => {}
            [
                Outcome::Done(Done::Forgotten {
                    reservations: FORGET_RESERVATIONS_MAX,
                }),
            ] => {}
            _ => return,
        }
    }
}
