//! What connections and requests may take: bytes, places and time. docs/operators/running.md
//! tells operators the same.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Connections at once; beyond, new ones wait to be accepted.
const CONNECTIONS_MAX: u32 = 4_096;

/// Open files that are kept for other things than connections: databases, the listener, logs.
const OTHER_FILES_MAX: u32 = 64;

/// Bytes of a request's head.
pub(super) const HEAD_BYTES_MAX: usize = 32 << 10;

/// Bytes of a body that take nothing from [`BODY_BYTES_IN_FLIGHT_MAX`], so that large bodies
/// cannot keep small ones out. 4,096 connections × 16 KiB = 64 MiB.
pub(super) const BODY_BYTES_FREE: usize = 16 << 10;

/// Bytes of all bodies in memory, beside those that are free: eight of the largest batches.
pub(super) const BODY_BYTES_IN_FLIGHT_MAX: usize = 64 << 20;

/// How often a connection and a body are looked at, and what [`Patience`] is counted in.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// How long a peer that has been refused may go on sending. Closing at once would reset the
/// connection, and a reset can overtake the answer.
pub(super) const LINGER_MAX: Duration = Duration::from_secs(1);

/// How long a peer may take, in [ticks](TICK).
#[derive(Debug)]
pub(super) struct Patience {
    /// Between two requests.
    pub(super) idle: u32,
    /// For the head of a request.
    pub(super) head: u32,
    /// For the next byte of a body.
    pub(super) body_silent: u32,
    /// For a whole body.
    pub(super) body: u32,
    /// For taking an answer, once the system holds no more of it.
    pub(super) answer: u32,
}

/// While there is room.
const EASY: Patience = Patience {
    idle: 60,
    head: 10,
    body_silent: 5,
    body: 30,
    answer: 10,
};

/// While all places are taken, or the server is to stop: a peer that only waits is given up within
/// seconds, so that another gets its place.
const PRESSED: Patience = Patience {
    idle: 1,
    head: 2,
    body_silent: 2,
    body: 5,
    answer: 3,
};

/// What all connections share.
#[derive(Debug)]
pub(super) struct Limits {
    connections_max: u32,
    places: Arc<Semaphore>,
    body_bytes: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
}

impl Limits {
    pub(super) fn new(connections_max: u32, stop: watch::Receiver<bool>) -> Self {
        Self {
            connections_max,
            places: Arc::new(Semaphore::new(connections_max as usize)),
            body_bytes: Arc::new(Semaphore::new(BODY_BYTES_IN_FLIGHT_MAX)),
            stop,
        }
    }

    /// Waits for a place for one connection. `None` never comes: nobody closes the semaphore.
    pub(super) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// Waits until no connection is left.
    pub(super) async fn all_places(&self) {
        // Nobody closes the semaphore.
        let _ = self.places.acquire_many(self.connections_max).await;
    }

    /// Takes room for bytes of a body, where there is any.
    pub(super) fn body_room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes).ok()?;
        Arc::clone(&self.body_bytes)
            .try_acquire_many_owned(bytes)
            .ok()
    }

    /// Takes room for bytes of a body that have not come yet. Half of the room is kept for those
    /// that have: who declares much and sends little keeps nobody out.
    pub(super) fn body_room_ahead(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let left = self.body_bytes.available_permits().checked_sub(bytes)?;
        if left < BODY_BYTES_IN_FLIGHT_MAX / 2 {
            return None;
        }
        self.body_room(bytes)
    }

    /// Whether somebody waits for a place, or the server is to stop.
    pub(super) fn is_pressed(&self) -> bool {
        self.places.available_permits() == 0 || *self.stop.borrow()
    }

    pub(super) fn patience(&self) -> &'static Patience {
        if self.is_pressed() { &PRESSED } else { &EASY }
    }
}

/// Connections at once, as many as the system has files for.
pub(super) fn connections_max() -> u32 {
    let connections_max = connections_max_with(raised_files_max());
    if connections_max < CONNECTIONS_MAX {
        tracing::warn!(
            connections_max,
            "the limit of open files leaves room for few connections: raise it"
        );
    }
    connections_max
}

/// Open files that this process may have, after asking for as many as it may need.
fn raised_files_max() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let wanted = u64::from(CONNECTIONS_MAX + OTHER_FILES_MAX);
    let wanted = wanted.min(limit.maximum.unwrap_or(u64::MAX));
    if let Some(current) = limit.current
        && current < wanted
    {
        let raised = Rlimit {
            current: Some(wanted),
            ..limit
        };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::debug!(%error, "the limit of open files stays as it is");
        }
    }
    let limit = getrlimit(Resource::Nofile);
    limit.current.unwrap_or(u64::MAX)
}

fn connections_max_with(files_max: u64) -> u32 {
    let left = files_max.saturating_sub(u64::from(OTHER_FILES_MAX));
    // With almost no files it is better to fail at some than to serve none.
    let left = u32::try_from(left).unwrap_or(u32::MAX).max(8);
    left.min(CONNECTIONS_MAX)
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
