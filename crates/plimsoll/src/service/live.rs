//! Events as they happen: server-sent events, for as long as somebody listens.
//!
//! A stream holds no place of its own in the log: it asks for what is behind the last event that it
//! has sent, so a slow listener costs nobody anything, and one who comes back says where it was.

use std::sync::{Arc, Weak};
use std::time::Duration;

use hyper::body::Bytes;
use plimsoll_core::event::{Event, Log};
use plimsoll_core::names::ScopeId;
use plimsoll_core::rows::{Footprint, scope_within};
use plimsoll_dialects::http::Reply;
use plimsoll_dialects::native::{EventFilter, Problem, encode, visible};
use plimsoll_store::{Store, StoreError, Tables};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::native::read_problem;
use super::native_read::unknown_scope;
use super::past::scopes_in;
use super::{Answered, RETRY_AFTER_S, Service};
use crate::auth::{Caller, Verifier};
use crate::{clock, jobs};

/// Streams at once: each looks at its log after every write.
const STREAMS_MAX: usize = 1_000;

/// Pieces that wait for the listener to take them.
const PIECES_MAX: usize = 16;

/// Events looked at in one go.
const EVENTS_MAX: usize = 100;

/// The least time between two looks at the log, in which events gather.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// The longest silence. Proxies close what is silent, and a listener that is gone is noticed.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// The pieces of an answer, as they come.
pub(crate) type Pieces = mpsc::Receiver<Bytes>;

/// Places for streams, and the word to end them all.
pub(crate) struct Streams {
    places: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
}

impl Streams {
    /// As many places as there are, until `stop` says that it is over.
    pub(crate) fn new(stop: watch::Receiver<bool>) -> Self {
        Self {
            places: Arc::new(Semaphore::new(STREAMS_MAX)),
            stop,
        }
    }
}

/// What somebody wants to hear of.
pub(super) struct Watched {
    /// Without a scope, what happens to the catalogue.
    pub(super) scope: Option<ScopeId>,
    pub(super) filter: EventFilter,
    /// The revision behind which to start.
    pub(super) after: u64,
}

impl Service {
    /// Starts a stream of the events of a scope.
    pub(super) async fn watch(
        &self,
        caller: Caller,
        watched: Watched,
    ) -> Result<Answered, Problem> {
        let log = self.log_of(&caller, watched.scope.as_ref()).await?;
        let place = Arc::clone(&self.streams.places).try_acquire_owned();
        let place = place.map_err(|_| Problem::unavailable(RETRY_AFTER_S))?;
        let (pieces, live) = mpsc::channel(PIECES_MAX);
        let stream = Stream {
            store: Arc::downgrade(&self.store),
            verifier: Arc::clone(&self.verifier),
            caller,
            log,
            watched,
            pieces,
            _place: place,
        };
        jobs::start(stream.run(self.store.changes(), self.streams.stop.clone()));
        let headers = [
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store"),
        ];
        let headers = headers.map(|(name, value)| (name, value.to_owned()));
        Ok(Answered {
            reply: Reply {
                status: 200,
                headers: headers.into(),
                body: Vec::new(),
            },
            live: Some(live),
        })
    }

    /// The log that tells of a scope within the caller's reach; without a scope, the catalogue's.
    pub(super) async fn log_of(
        &self,
        caller: &Caller,
        scope: Option<&ScopeId>,
    ) -> Result<Log, Problem> {
        match scope {
            Some(scope) => self.tenant_of(caller, scope).await.map(Log::Tenant),
            None => Ok(Log::Catalogue),
        }
    }

    /// The tenant of a scope within the caller's reach.
    pub(super) async fn tenant_of(
        &self,
        caller: &Caller,
        scope: &ScopeId,
    ) -> Result<ScopeId, Problem> {
        let footprint = Footprint::of_scope(scope);
        let tenant = |rows: &Tables| {
            let known = scope_within(rows, caller.reach(), scope)?;
            Some(known.tenant.clone())
        };
        let tenant = self.store.read(&footprint, tenant).await;
        tenant
            .map_err(read_problem)?
            .ok_or_else(|| unknown_scope(scope))
    }
}

/// Somebody who listens.
struct Stream {
    store: Weak<Store>,
    verifier: Arc<Verifier>,
    caller: Caller,
    log: Log,
    watched: Watched,
    pieces: mpsc::Sender<Bytes>,
    /// Held for as long as it lasts.
    _place: OwnedSemaphorePermit,
}

impl Stream {
    /// Tells of events until the listener is gone, may listen no more, or the server stops.
    async fn run(mut self, mut changes: watch::Receiver<u64>, mut stop: watch::Receiver<bool>) {
        let stopped = async move {
            // Whoever could say so is gone: that is the end too.
            let _ = stop.wait_for(|stops| *stops).await;
        };
        let mut stopped = std::pin::pin!(stopped);
        loop {
            changes.mark_unchanged();
            let told = tokio::select! {
                told = self.tell() => told,
                () = &mut stopped => return,
            };
            if let Err(error) = told {
                tracing::debug!(%error, "a stream of events ends");
                return;
            }
            let silent = tokio::select! {
                changed = changes.changed() => changed.is_err(),
                () = tokio::time::sleep(SILENCE_MAX) => true,
                () = self.pieces.closed() => return,
                () = &mut stopped => return,
            };
            if silent && self.say(b": nothing new\n\n".to_vec()).await.is_err() {
                return;
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }

    /// Tells of everything that is there.
    async fn tell(&mut self) -> Result<(), Ended> {
        loop {
            let store = self.store.upgrade().ok_or(Ended::Gone)?;
            let after = self.watched.after;
            let events = store.events(&self.log, after, EVENTS_MAX).await?;
            // Asked behind the events: what happened after a listener was shut out is not told.
            let verifier = &self.verifier;
            if !verifier.may_still_call(&self.caller, clock::now()).await {
                return Err(Ended::Refused);
            }
            let Some(last) = events.last() else {
                return Ok(());
            };
            self.watched.after = last.revision;
            for event in self.shown(&store, events).await? {
                let mut piece = format!("id: {}\ndata: ", event.revision).into_bytes();
                piece.extend(encode::event_data(&event));
                piece.extend_from_slice(b"\n\n");
                self.say(piece).await?;
            }
        }
    }

    /// What of some events the listener may see and wants to.
    async fn shown(&self, store: &Store, events: Vec<Event>) -> Result<Vec<Event>, StoreError> {
        let Watched { scope, filter, .. } = &self.watched;
        let shown = |rows: &Tables| {
            let shown = events.iter();
            let shown = shown.filter_map(|event| visible(rows, event, scope.as_ref(), filter));
            shown.collect()
        };
        store.read(&scopes_in(&events, scope), shown).await
    }

    async fn say(&self, piece: Vec<u8>) -> Result<(), Ended> {
        self.pieces
            .send(piece.into())
            .await
            .map_err(|_| Ended::Gone)
    }
}

/// Why a stream ends.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("nobody listens any more")]
    Gone,
    #[error("its listener may not listen any more")]
    Refused,
    #[error("the store cannot be read")]
    Store(#[from] StoreError),
}
