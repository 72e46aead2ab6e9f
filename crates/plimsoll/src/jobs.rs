//! What runs beside requests. Tasks are started here and nowhere else.

use std::future::Future;
use std::sync::Weak;
use std::time::Duration;

use plimsoll_core::bounds::EXPIRE_HOLDS_MAX;
use plimsoll_core::command::{Action, Command};
use plimsoll_core::model::Reach;
use plimsoll_core::names::ScopeId;
use plimsoll_core::outcome::{Done, Outcome};
use plimsoll_store::Store;

use crate::bootstrap::system_actor;
use crate::clock;

/// How often holds are looked at whose time may be over. Nothing depends on it: a decision that
/// needs what they hold lets them lapse first.
const EXPIRE_INTERVAL: Duration = Duration::from_secs(1);

/// Starts a task.
pub(crate) fn start(task: impl Future<Output = ()> + Send + 'static) {
    #[expect(clippy::disallowed_methods, reason = "this is where tasks are started")]
    tokio::spawn(task);
}

/// Lets holds lapse whose time is over, for as long as the server runs.
pub(crate) async fn expire_holds(store: Weak<Store>) {
    let mut interval = tokio::time::interval(EXPIRE_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let Some(store) = store.upgrade() else { return };
        let tenants = store.tenants_due(clock::now()).await.unwrap_or_default();
        for tenant in tenants {
            expire_holds_of(&store, tenant).await;
        }
    }
}

async fn expire_holds_of(store: &Store, tenant: ScopeId) {
    loop {
        let action = Action::Expire {
            tenant: tenant.clone(),
        };
        let command = Command {
            actor: system_actor(),
            reach: Reach::Everything,
            action,
        };
        let outcomes = match store.submit(vec![command]).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                tracing::warn!(%error, %tenant, "holds could not be expired yet");
                return;
            }
        };
        match outcomes.as_slice() {
            [Outcome::Done(Done::Expired { holds })] if *holds == EXPIRE_HOLDS_MAX => {}
            _ => return,
        }
    }
}
