//! Webhooks: what happens is told to those who asked for it, signed, in order, at least once.
//!
//! Delivery is a function of the journal: what a webhook is still to be told lies behind the place
//! that its row names. Nothing is queued, so nothing can be lost with a queue, and a restart goes on
//! where the place stands.
//!
//! Modules, in reading order: `addresses` and `target` (where a webhook may be), `sign`, `send` (one
//! connection), `backoff`, `teller` (one webhook's notices, in order), `pages` (one reading for all
//! of them).

mod addresses;
mod backoff;
mod pages;
mod send;
mod sign;
mod target;
mod teller;

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use plimsoll_core::names::{Text, WebhookId};
use plimsoll_dialects::native::Delivery;
use plimsoll_store::Store;
use tokio::sync::watch;

pub(crate) use self::send::RootsError;
pub(crate) use self::sign::new_secret;
pub(crate) use self::target::{Policy, TargetRefusal};

use self::pages::Pages;
use self::send::{Client, Names};
use self::teller::Teller;
use crate::jobs;
use crate::secrets::MasterKey;

/// The least time between two looks at the journal, in which events gather.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// How long it may take to note how far everybody was told, when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// What an operator sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// What webhooks may reach.
    pub(crate) policy: Policy,
    /// Certificates of authorities to trust beside those that browsers trust, in PEM form.
    pub(crate) authorities_file: Option<PathBuf>,
}

/// All webhooks' delivery.
pub(crate) struct Webhooks {
    policy: Policy,
    client: Client,
    master_key: Arc<MasterKey>,
    pages: Pages,
    deliveries: Mutex<BTreeMap<WebhookId, Delivery>>,
    /// Those that somebody tells.
    told: watch::Sender<HashSet<WebhookId>>,
}

impl Webhooks {
    /// Errors: where the authorities' file holds no certificates.
    pub(crate) fn new(
        settings: &Settings,
        master_key: Arc<MasterKey>,
    ) -> Result<Arc<Self>, RootsError> {
        Self::with_names(settings, master_key, Names::of_system())
    }

    fn with_names(
        settings: &Settings,
        master_key: Arc<MasterKey>,
        names: Names,
    ) -> Result<Arc<Self>, RootsError> {
        let policy = settings.policy;
        Ok(Arc::new(Self {
            policy,
            client: Client::new(policy, names, settings.authorities_file.as_ref())?,
            master_key,
            pages: Pages::default(),
            deliveries: Mutex::default(),
            told: watch::Sender::default(),
        }))
    }

    /// Refuses an address where it can be seen in it alone that nothing may be sent there. What
    /// counts is found out with each connection: a name can mean another address by then.
    pub(crate) fn check_target(&self, url: &Text) -> Result<(), TargetRefusal> {
        self.policy.target(url.as_str()).map(drop)
    }

    /// How it goes with a webhook; `None` where nothing was sent to it yet.
    pub(crate) fn delivery(&self, id: &WebhookId) -> Option<Delivery> {
        self.lock_deliveries().get(id).cloned()
    }

    /// Tells every webhook that is enabled, for as long as the server runs and it is this node's
    /// turn.
    pub(crate) async fn run(self: Arc<Self>, store: Weak<Store>, mut stop: watch::Receiver<bool>) {
        let followed = store.upgrade();
        let Some((mut changes, mut turn)) = followed.map(|it| (it.changes(), it.turn())) else {
            return;
        };
        let mut told = self.told.subscribe();
        loop {
            if *turn.borrow_and_update() {
                self.start_tellers(&store, &stop).await;
            }
            tokio::select! {
                changed = turn.changed() => if changed.is_err() { return },
                changed = changes.changed() => if changed.is_err() { return },
                _ = told.changed() => {}
                _ = stop.wait_for(|stops| *stops) => return,
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_PAUSE) => {}
                _ = stop.wait_for(|stops| *stops) => return,
            }
        }
    }

    /// Waits until it is noted how far everybody was told, once the server is to stop.
    pub(crate) async fn has_stopped(&self) {
        let mut told = self.told.subscribe();
        let all_ended = told.wait_for(HashSet::is_empty);
        if tokio::time::timeout(STOP_TIMEOUT, all_ended).await.is_err() {
            tracing::warn!("some webhooks will be told again what they were told last");
        }
    }

    /// Starts to tell those that nobody tells yet.
    async fn start_tellers(self: &Arc<Self>, store: &Weak<Store>, stop: &watch::Receiver<bool>) {
        let Some(reader) = store.upgrade() else {
            return;
        };
        // What cannot be read now is looked for again after the next change.
        let rows = reader.webhooks().await.unwrap_or_default();
        self.forget_deliveries(|id| rows.iter().any(|row| row.id == *id));
        for row in rows.into_iter().filter(|row| row.enabled) {
            let is_new = self
                .told
                .send_if_modified(|told| told.insert(row.id.clone()));
            if is_new {
                let teller = Teller::new(Arc::clone(self), store.clone(), row);
                jobs::start(teller.run(reader.turn(), reader.changes(), stop.clone()));
            }
        }
    }

    /// Says that nobody tells a webhook any more.
    fn has_ended(&self, id: &WebhookId) {
        self.told.send_modify(|told| {
            told.remove(id);
        });
    }

    fn lock_deliveries(&self) -> MutexGuard<'_, BTreeMap<WebhookId, Delivery>> {
        self.deliveries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, id: &WebhookId, note: impl FnOnce(&mut Delivery)) {
        let mut deliveries = self.lock_deliveries();
        note(deliveries.entry(id.clone()).or_default());
    }

    fn forget_deliveries(&self, is_there: impl Fn(&WebhookId) -> bool) {
        let mut deliveries = self.lock_deliveries();
        deliveries.retain(|id, _| is_there(id));
    }
}

#[cfg(test)]
mod tests;
