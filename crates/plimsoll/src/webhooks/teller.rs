//! Tells one webhook what there is to tell, in order, until its row changes.
//!
//! Where the row changes is a place in the journal too: what lies before is told as the old row has
//! it, what lies behind as the new one does.

use std::sync::{Arc, Weak};
use std::time::Duration;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::Action;
use plimsoll_core::event::{Change, Event};
use plimsoll_core::model::{Reach, Webhook};
use plimsoll_core::names::ScopeId;
use plimsoll_core::rows::{Footprint, Rows, scope_within};
use plimsoll_dialects::native::{Notice, notices};
use plimsoll_store::{Store, StoreError, Tables};
use tokio::sync::watch;

use super::pages::Page;
use super::send::{Connection, Failure, Message};
use super::sign::Signer;
use super::{LOOK_PAUSE, Webhooks, backoff};
use crate::bootstrap::system_command;
use crate::clock;
use crate::service::past::scopes_in;

/// How long what was told may go without being noted: what a restart tells again at most, beside
/// the record that it ended in.
const NOTE_INTERVAL_MS: u64 = 1_000;

/// How often, and how far apart, places are noted up to which there was nothing to tell: what a
/// restart looks through again at most.
const IDLE_NOTE_INTERVAL_MS: u64 = 60_000;
const IDLE_RECORDS_MAX: u64 = 10_000;

/// Events looked at under one lock of the rows.
const EVENTS_AT_ONCE: usize = 64;

/// How long to leave a store alone that does not serve.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Who tells one webhook.
pub(super) struct Teller {
    webhooks: Arc<Webhooks>,
    store: Weak<Store>,
    row: Webhook,
    /// `None` where the secret cannot be opened.
    signer: Option<Signer>,
    progress: Progress,
    connection: Option<Connection>,
}

/// How far a webhook was told.
struct Progress {
    /// The place in the journal up to which it was.
    told: u64,
    /// The place that its row names.
    noted: u64,
    noted_at: Timestamp,
    /// Whether it was told anything since.
    is_owed: bool,
}

/// Why nothing more is told, for now or for good.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the webhook is another, or no more")]
    Changed,
    #[error("the server ends")]
    Stopped,
    #[error("the store cannot be read")]
    Store(#[from] StoreError),
}

impl Teller {
    pub(super) fn new(webhooks: Arc<Webhooks>, store: Weak<Store>, row: Webhook) -> Self {
        let opened = webhooks.master_key.open(&row.id, &row.sealed_secret);
        let opened = opened
            .inspect_err(|error| tracing::error!(webhook = %row.id, %error, "it cannot be told"));
        Self {
            signer: opened.ok().and_then(|secret| Signer::new(&secret)),
            progress: Progress::start(row.delivered),
            webhooks,
            store,
            row,
            connection: None,
        }
    }

    /// Tells until the row changes, it is another node's turn, or the server ends.
    pub(super) async fn run(
        mut self,
        mut turn: watch::Receiver<bool>,
        mut changes: watch::Receiver<u64>,
        mut stop: watch::Receiver<bool>,
    ) {
        tokio::select! {
            () = self.tell(&mut changes) => {}
            _ = turn.wait_for(|is_mine| !is_mine) => {}
            _ = stop.wait_for(|stops| *stops) => {}
        }
        if self.progress.is_owed {
            self.note().await;
        }
        self.webhooks.has_ended(&self.row.id);
    }

    async fn tell(&mut self, changes: &mut watch::Receiver<u64>) {
        loop {
            let told = match self.tell_what_is_there(changes).await {
                Ok(()) => self.wait(changes, None).await,
                Err(ended) => Err(ended),
            };
            match told {
                Ok(()) => {}
                Err(Ended::Store(error)) => {
                    tracing::debug!(webhook = %self.row.id, %error, "nothing can be told yet");
                    tokio::time::sleep(STORE_PAUSE).await;
                }
                Err(Ended::Changed | Ended::Stopped) => return,
            }
        }
    }

    async fn tell_what_is_there(
        &mut self,
        changes: &mut watch::Receiver<u64>,
    ) -> Result<(), Ended> {
        loop {
            let store = self.store()?;
            let page = self
                .webhooks
                .pages
                .behind(&store, self.progress.told)
                .await?;
            drop(store);
            if page.end <= self.progress.told {
                break;
            }
            self.tell_page(&page, changes).await?;
            self.note_if_due().await;
        }
        self.connection = None;
        Ok(())
    }

    async fn tell_page(
        &mut self,
        page: &Page,
        changes: &mut watch::Receiver<u64>,
    ) -> Result<(), Ended> {
        let is_of_interest =
            self.row_changes_in(&page.events) || !self.notices_of(&page.events).await?.is_empty();
        if !is_of_interest {
            self.progress.told = page.end;
            return Ok(());
        }
        // One record after the other: what was told can only be noted record by record.
        while self.progress.told < page.end {
            let (events, end) = self.store()?.events_behind(self.progress.told, 1).await?;
            if self.row_changes_in(&events) {
                return Err(Ended::Changed);
            }
            for notice in self.notices_of(&events).await? {
                self.tell_notice(notice, changes).await?;
                self.progress.is_owed = true;
            }
            self.progress.told = end;
            self.note_if_due().await;
        }
        Ok(())
    }

    /// Whether the webhook is another behind these events, or no more.
    fn row_changes_in(&self, events: &[Event]) -> bool {
        let Webhook { id, revision, .. } = &self.row;
        // One of this id may have gone just before this one was made.
        let later = events.iter().filter(|event| *revision < event.revision);
        let mut changes = later.flat_map(|event| &event.changes);
        changes.any(|change| match change {
            Change::Webhook(row) => row.id == *id && *revision < row.revision,
            Change::WebhookGone(gone) => gone == id,
            _ => false,
        })
    }

    async fn notices_of(&self, events: &[Event]) -> Result<Vec<Notice>, Ended> {
        let of_events = |events: &[Event], is_below: &dyn Fn(&ScopeId) -> bool| {
            let of_event = |event| notices(event, &self.row, is_below);
            events.iter().flat_map(of_event).collect::<Vec<_>>()
        };
        if self.row.reach == Reach::Everything {
            return Ok(of_events(events, &|_| true));
        }
        let store = self.store()?;
        let mut found = Vec::new();
        for events in events.chunks(EVENTS_AT_ONCE) {
            let of_events = |rows: &Tables| {
                of_events(events, &|scope| {
                    scope_within(rows, &self.row.reach, scope).is_some()
                })
            };
            let footprint = scopes_in(events, []);
            found.extend(store.read(&footprint, of_events).await?);
        }
        Ok(found)
    }

    /// Tells one thing, as often as it takes.
    async fn tell_notice(
        &mut self,
        notice: Notice,
        changes: &mut watch::Receiver<u64>,
    ) -> Result<(), Ended> {
        let body = notice.body.into();
        let mut message = Message {
            id: notice.id,
            timestamp: 0,
            signature: String::new(),
            body,
        };
        let mut failures = 0_u32;
        loop {
            self.expect_unchanged().await?;
            let Err(failure) = self.send(&mut message).await else {
                return Ok(());
            };
            failures = failures.saturating_add(1);
            let chance = u32::from_le_bytes(clock::random().unwrap_or_default());
            let wait = backoff::wait(failures, chance);
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            let now = clock::now();
            self.webhooks.note(&self.row.id, |delivery| {
                delivery.failure = Some((now, failure.to_string()));
                delivery.failures = failures;
                delivery.next_try_at = Some(now.after_ms(wait_ms));
            });
            tracing::warn!(
                webhook = %self.row.id,
                notice = %message.id,
                %failure,
                failures,
                wait_ms,
                "a webhook has not taken what it was told"
            );
            self.wait_to_retry(changes, wait).await?;
        }
    }

    async fn send(&mut self, message: &mut Message) -> Result<(), Failure> {
        let signer = self.signer.as_ref().ok_or(Failure::Secret)?;
        let now = clock::now();
        message.timestamp = clock::seconds(now);
        message.signature = signer.sign(&message.id, message.timestamp, &message.body);
        let Self { webhooks, row, .. } = self;
        let client = &webhooks.client;
        client
            .send(row.url.as_str(), &mut self.connection, message)
            .await?;
        webhooks.note(&row.id, |delivery| {
            delivery.taken_at = Some(now);
            delivery.failures = 0;
            delivery.next_try_at = None;
        });
        Ok(())
    }

    /// Waits for so long, but not past a change of the row.
    async fn wait_to_retry(
        &mut self,
        changes: &mut watch::Receiver<u64>,
        wait: Duration,
    ) -> Result<(), Ended> {
        let mut over = std::pin::pin!(tokio::time::sleep(wait));
        while !over.is_elapsed() {
            tokio::select! {
                () = over.as_mut() => {}
                waited = self.wait(changes, Some(wait)) => waited?,
            }
            self.expect_unchanged().await?;
        }
        Ok(())
    }

    /// Waits for a change in the journal, or so long; meanwhile what is owed is noted.
    async fn wait(
        &mut self,
        changes: &mut watch::Receiver<u64>,
        limit: Option<Duration>,
    ) -> Result<(), Ended> {
        loop {
            let due_in_ms = self.progress.due_in_ms(clock::steady());
            let due_in = due_in_ms.map(Duration::from_millis);
            tokio::select! {
                changed = changes.changed() => {
                    changed.map_err(|_| Ended::Stopped)?;
                    tokio::time::sleep(LOOK_PAUSE).await;
                    return Ok(());
                }
                () = tokio::time::sleep(due_in.unwrap_or_default()), if due_in.is_some() => {
                    self.note().await;
                }
                () = tokio::time::sleep(limit.unwrap_or_default()), if limit.is_some() => {
                    return Ok(());
                }
            }
        }
    }

    async fn expect_unchanged(&self) -> Result<(), Ended> {
        let Webhook { id, revision, .. } = &self.row;
        let is_same = |rows: &Tables| {
            let row = rows.webhook(id);
            row.is_some_and(|row| row.revision == *revision)
        };
        let is_same = self.store()?.read(&Footprint::default(), is_same).await?;
        if is_same { Ok(()) } else { Err(Ended::Changed) }
    }

    async fn note_if_due(&mut self) {
        if self.progress.due_in_ms(clock::steady()) == Some(0) {
            self.note().await;
        }
    }

    /// Makes durable how far the webhook was told. Where that fails, it is told again after a
    /// restart, and noted with what it is told next.
    async fn note(&mut self) {
        let Ok(store) = self.store() else { return };
        let delivered = self.progress.told;
        let command = system_command(Action::NoteDelivered {
            id: self.row.id.clone(),
            delivered,
        });
        self.progress.noted_at = clock::steady();
        match store.submit(vec![command]).await {
            Ok(_) => {
                self.progress.noted = delivered;
                self.progress.is_owed = false;
            }
            Err(error) => tracing::warn!(webhook = %self.row.id, %error, "nothing can be noted"),
        }
    }

    fn store(&self) -> Result<Arc<Store>, Ended> {
        self.store.upgrade().ok_or(Ended::Stopped)
    }
}

impl Progress {
    fn start(delivered: u64) -> Self {
        Self {
            told: delivered,
            noted: delivered,
            noted_at: clock::steady(),
            is_owed: false,
        }
    }

    /// When the place is to be noted: after so many milliseconds from now, or not at all yet.
    fn due_in_ms(&self, now: Timestamp) -> Option<u64> {
        let since_ms = now.ms().saturating_sub(self.noted_at.ms());
        let interval_ms = if self.is_owed && self.noted < self.told {
            NOTE_INTERVAL_MS
        } else if self.noted.saturating_add(IDLE_RECORDS_MAX) <= self.told {
            IDLE_NOTE_INTERVAL_MS
        } else {
            return None;
        };
        Some(interval_ms.saturating_sub(since_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_noted_once_a_second_while_something_is_told() {
        let at = |ms| Timestamp::default().after_ms(ms);
        let mut progress = Progress {
            told: 7,
            noted: 5,
            noted_at: at(10_000),
            is_owed: true,
        };
        for (now, due_in_ms) in [
            (9_000, 1_000),
            (10_000, 1_000),
            (10_400, 600),
            (11_000, 0),
            (99_000, 0),
        ] {
            assert_eq!(progress.due_in_ms(at(now)), Some(due_in_ms), "at {now}");
        }
        progress.is_owed = false;
        assert_eq!(progress.due_in_ms(at(99_000)), None, "nothing was told");
        progress.told = 5 + IDLE_RECORDS_MAX;
        assert_eq!(progress.due_in_ms(at(10_000)), Some(60_000), "far behind");
        assert_eq!(progress.due_in_ms(at(99_000)), Some(0));
    }
}
