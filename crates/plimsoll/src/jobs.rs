//! What runs beside requests. Tasks are started here and nowhere else.

use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::bounds::{EXPIRE_HOLDS_MAX, FORGET_RESERVATIONS_MAX};
use plimsoll_core::command::Action;
use plimsoll_core::outcome::{Done, Outcome};
use plimsoll_store::{Store, Wait};

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
///
/// Every node does. A tenant that somebody is using is left to the next sweep, or to another node;
/// each time, one of those left is waited for a little, so that one that is always in use is swept
/// too.
pub(crate) async fn sweep(store: Weak<Store>, retention_ms: u64) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for round in 0_usize.. {
        interval.tick().await;
        let Some(store) = store.upgrade() else { return };
        let mut left = Vec::new();
        for action in due(&store, retention_ms).await {
            if repeat(&store, &action, Wait::No).await == Swept::Held {
                left.push(action);
            }
        }
        let turn = round.checked_rem(left.len());
        if let Some(action) = turn.and_then(|index| left.get(index)) {
            repeat(&store, action, Wait::Briefly).await;
        }
    }
}

/// What there is to sweep.
async fn due(store: &Store, retention_ms: u64) -> Vec<Action> {
    let now = clock::steady();
    let tenants = store.tenants_due(now).await.unwrap_or_default();
    let lapsing = tenants.into_iter().map(|tenant| Action::Expire { tenant });
    let mut actions: Vec<Action> = lapsing.collect();
    let past = now
        .ms()
        .checked_sub(retention_ms)
        .and_then(Timestamp::from_ms);
    if let Some(ended_before) = past {
        let tenants = store.tenants_with_ended_before(ended_before).await;
        let tenants = tenants.unwrap_or_default().into_iter();
        actions.extend(tenants.map(|tenant| Action::Forget {
            tenant,
            ended_before,
        }));
    }
    actions
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

/// What came of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Swept {
    /// There is nothing left to do for now.
    Done,
    /// Somebody is using the tenant.
    Held,
}

/// Has a bounded action decided until there is nothing left for it to do.
async fn repeat(store: &Store, action: &Action, wait: Wait) -> Swept {
    loop {
        let command = system_command(action.clone());
        match store.sweep(command, wait).await {
            Err(error) => {
                tracing::warn!(%error, "the ledger could not be swept yet");
                return Swept::Done;
            }
            Ok(None) => return Swept::Held,
            Ok(Some(Outcome::Done(Done::Expired {
                holds: EXPIRE_HOLDS_MAX,
            }))) => {}
            Ok(Some(Outcome::Done(Done::Forgotten {
                reservations: FORGET_RESERVATIONS_MAX,
            }))) => {}
            Ok(Some(_)) => return Swept::Done,
        }
    }
}
