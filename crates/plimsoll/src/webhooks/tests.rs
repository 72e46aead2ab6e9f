//! A webhook from its row to its receiver, on a store in memory.

use std::time::Duration;

use plimsoll_core::amount::{Amount, Ceiling};
use plimsoll_core::command::{Action, Expected, Put, PutLimit, PutScope, PutWebhook};
use plimsoll_core::model::{Alerts, Item, Mode, Reach, Resource, Topic, Webhook, Window};
use plimsoll_core::names::{ResourceName, ScopeId, Text};
use plimsoll_core::rows::{Footprint, Rows};
use plimsoll_store::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::*;
use crate::{bootstrap, clock};

const WAIT: Duration = Duration::from_secs(30);

/// A server with a resource, two tenants and nobody who is told.
struct World {
    store: Arc<Store>,
    webhooks: Arc<Webhooks>,
    stop: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = MasterKey::load_or_create(&folder.path().join("key"), false).unwrap();
        let settings = Settings {
            policy: Policy {
                allow_plain_http: true,
                allow_private_targets: true,
            },
            authorities_file: None,
        };
        let world = Self {
            store: Arc::new(Store::memory(Clock::new(clock::steady))),
            webhooks: Webhooks::new(&settings, Arc::new(key)).unwrap(),
            stop: watch::Sender::new(false),
            _folder: folder,
        };
        let resource = Resource {
            name: ResourceName::parse("office/seat").unwrap(),
            unit: Text::parse("count").unwrap(),
            default_ceiling: Ceiling::Unlimited,
            per_location: false,
            adjustable: true,
            auto_approval: None,
            alerts: Alerts::default(),
            description: Text::parse("").unwrap(),
        };
        let resource = Action::PutResource(Put {
            row: resource,
            reason: Text::parse("").unwrap(),
        });
        let scope = |id| {
            Action::PutScope(PutScope {
                id: ScopeId::parse(id).unwrap(),
                parent: None,
                kind: Text::parse("tenant").unwrap(),
                tier: None,
                reason: Text::parse("").unwrap(),
            })
        };
        let actions = vec![resource, scope("acme"), scope("other")];
        world.submit(actions).await;
        world
    }

    async fn submit(&self, actions: Vec<Action>) {
        bootstrap::submit(&self.store, actions).await.unwrap();
    }

    /// Makes or changes a webhook at a port of this machine.
    async fn put(&self, port: u16, reach: Reach, topics: &[Topic], sealed_secret: Vec<u8>) {
        let put = PutWebhook {
            id: hook(),
            reach,
            url: Text::parse(&format!("http://127.0.0.1:{port}/")).unwrap(),
            topics: topics.to_vec(),
            sealed_secret,
            enabled: true,
            delivered: *self.store.changes().borrow(),
        };
        self.submit(vec![Action::PutWebhook(put)]).await;
    }

    fn sealed_secret(&self) -> Vec<u8> {
        let secret = new_secret().unwrap();
        self.webhooks.master_key.seal(&hook(), &secret).unwrap()
    }

    /// Sets a limit: the next one at the scope.
    async fn limit(&self, scope: &str, limit: u64) {
        let item = Item {
            resource: ResourceName::parse("office/seat").unwrap(),
            location: None,
        };
        let put = PutLimit {
            scope: ScopeId::parse(scope).unwrap(),
            item,
            window: Window::ALWAYS,
            ceiling: Ceiling::Finite(Amount::new(limit).unwrap()),
            mode: Mode::Enforce,
            reason: Text::parse("a test").unwrap(),
            expected: Expected::Whatever,
        };
        self.submit(vec![Action::PutLimit(put)]).await;
    }

    fn run(&self) {
        let webhooks = Arc::clone(&self.webhooks);
        jobs::start(webhooks.run(Arc::downgrade(&self.store), self.stop.subscribe()));
    }

    async fn row(&self) -> Webhook {
        let row = |rows: &plimsoll_store::Tables| rows.webhook(&hook()).cloned().unwrap();
        self.store.read(&Footprint::default(), row).await.unwrap()
    }

    /// Waits until the webhook's row is as it should be.
    async fn wait_until(&self, is_so: impl Fn(&Webhook) -> bool) {
        let mut changes = self.store.changes();
        let waited = timeout(WAIT, async {
            while !is_so(&self.row().await) {
                changes.changed().await.unwrap();
            }
        });
        waited.await.expect("the row is never so");
    }
}

fn hook() -> WebhookId {
    WebhookId::parse("hook").unwrap()
}

/// Takes everything that it is told: the ids, in order, each on a connection of its own.
async fn take(listener: &TcpListener, count: usize) -> Vec<String> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let (mut stream, _) = timeout(WAIT, listener.accept()).await.unwrap().unwrap();
        let mut request = String::new();
        while !request.contains("\r\n\r\n") {
            request.push(char::from(stream.read_u8().await.unwrap()));
        }
        let (_, id) = request.split_once("webhook-id: ").unwrap();
        taken.push(id.lines().next().unwrap().to_owned());
        let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        // Its body is read to the end, so that the answer is not lost with the connection.
        let mut rest = Vec::new();
        stream.shutdown().await.unwrap();
        let _ = stream.read_to_end(&mut rest).await;
    }
    taken
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn what_was_told_is_noted_and_not_told_again() {
    let world = World::new().await;
    let (listener, port) = listener().await;
    let reach = Reach::Below(ScopeId::parse("acme").unwrap());
    world
        .put(port, reach, &[Topic::Limit], world.sealed_secret())
        .await;
    world.limit("acme", 1).await;
    world.limit("other", 2).await;
    world.limit("acme", 3).await;
    let end = *world.store.changes().borrow();
    world.run();
    assert_eq!(take(&listener, 2).await, ["acme:2:0", "acme:3:0"]);
    world.wait_until(|row| row.delivered == end).await;
    world.stop.send_replace(true);
    world.webhooks.has_stopped().await;

    world.stop.send_replace(false);
    world.limit("acme", 4).await;
    world.run();
    assert_eq!(take(&listener, 1).await, ["acme:4:0"]);
}

#[tokio::test]
async fn what_comes_behind_a_change_is_told_as_the_new_row_has_it() {
    let world = World::new().await;
    let (listener, port) = listener().await;
    let secret = world.sealed_secret();
    world
        .put(port, Reach::Everything, &[Topic::Refused], secret.clone())
        .await;
    world.run();
    for limit in 1..=20 {
        // The row is another with each round, while the one before is being told.
        let topics: &[Topic] = match limit % 2 {
            0 => &[Topic::Limit],
            _ => &[Topic::Expired, Topic::Limit],
        };
        world
            .put(port, Reach::Everything, topics, secret.clone())
            .await;
        world.limit("acme", limit).await;
    }
    let mut told = std::collections::BTreeSet::new();
    while told.len() < 20 {
        told.extend(take(&listener, 1).await);
    }
    let expected = (2..=21).map(|revision| format!("acme:{revision}:0"));
    assert_eq!(told, expected.collect());
}

#[tokio::test]
async fn a_webhook_whose_secret_cannot_be_opened_is_told_nothing() {
    let world = World::new().await;
    let (_listener, port) = listener().await;
    world
        .put(
            port,
            Reach::Everything,
            &Topic::ALL,
            b"of another key".to_vec(),
        )
        .await;
    world.limit("acme", 1).await;
    world.run();
    let failed = timeout(WAIT, async {
        loop {
            let delivery = world.webhooks.delivery(&hook());
            match delivery.and_then(|delivery| delivery.failure) {
                Some((_, failure)) => return failure,
                None => tokio::task::yield_now().await,
            }
        }
    });
    let failure = failed.await.unwrap();
    assert!(
        failure.starts_with("its secret cannot be opened"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_page_is_read_once_for_all() {
    let world = World::new().await;
    let pages = Pages::default();
    let one = pages.behind(&world.store, 0).await.unwrap();
    let other = pages.behind(&world.store, 0).await.unwrap();
    assert!(Arc::ptr_eq(&one, &other));
    let end = pages.behind(&world.store, one.end).await.unwrap();
    assert!(end.events.is_empty());
    world.limit("acme", 1).await;
    let more = pages.behind(&world.store, one.end).await.unwrap();
    assert_eq!(more.events.len(), 1, "an empty page is not kept");
}
