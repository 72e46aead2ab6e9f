//! The body of one request, bounded in bytes and time.

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Interval;

use super::limits::{BODY_BYTES_FREE, Limits, TICK};
use crate::service::TransportFault;

/// How many times what has come there is made room for, where so much is declared: a body of a
/// mebibyte is not moved at each doubling. It counts as if it had come, since what a body is to
/// have may be in memory from the start, where the system has large pages.
const BELIEVED_TIMES: usize = 16;

/// A whole body, and the room that it takes for as long as it is kept.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
    /// Bytes that are said to come; 0 where nothing is said.
    declared: usize,
}

/// Reads a body of at most `bytes_max` bytes.
pub(super) async fn read<B>(
    mut body: B,
    bytes_max: usize,
    limits: &Limits,
) -> Result<Held, TransportFault>
where
    B: Body<Data = Bytes> + Unpin,
{
    let declared = body.size_hint().lower();
    if u64::try_from(bytes_max).is_ok_and(|bytes_max| bytes_max < declared) {
        return Err(TransportFault::BodyTooLarge);
    }
    let mut held = Held {
        declared: usize::try_from(declared).unwrap_or(bytes_max),
        ..Held::default()
    };
    let mut ticks = None;
    let (mut silent, mut all) = (0, 0);
    loop {
        tokio::select! {
            biased;
            frame = body.frame() => {
                let Some(frame) = frame else {
                    return Ok(held);
                };
                let frame = frame.map_err(|_| TransportFault::BodyMalformed)?;
                silent = 0;
                // Trailers mean nothing to any of the APIs.
                if let Ok(data) = frame.into_data() {
                    held.add(&data, bytes_max, limits)?;
                }
            }
            () = tick(&mut ticks) => {
                (silent, all) = (silent + 1, all + 1);
                let patience = limits.patience();
                if patience.body_silent <= silent || patience.body <= all {
                    return Err(TransportFault::BodyTooSlow);
                }
            }
        }
    }
}

/// Waits for the next tick. The first wait starts the clock: most bodies are there already, and
/// need none.
async fn tick(ticks: &mut Option<Interval>) {
    let ticks = ticks.get_or_insert_with(|| {
        let mut ticks = tokio::time::interval(TICK);
        ticks.reset();
        ticks
    });
    ticks.tick().await;
}

impl Held {
    fn add(
        &mut self,
        data: &Bytes,
        bytes_max: usize,
        limits: &Limits,
    ) -> Result<(), TransportFault> {
        let len = self.bytes.len() + data.len();
        if bytes_max < len {
            return Err(TransportFault::BodyTooLarge);
        }
        let missing = self.missing(len);
        if 0 < missing {
            let more = limits.body_room(missing).ok_or(TransportFault::NoRoom)?;
            self.keep(more);
        }
        if self.bytes.capacity() < len {
            let believed = self.declared.min(len.saturating_mul(BELIEVED_TIMES));
            let size = if len < believed && self.takes_room_ahead(believed, limits) {
                believed
            } else {
                len
            };
            self.bytes.reserve(size - self.bytes.len());
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    /// Takes room for what is still to come, where there is plenty.
    fn takes_room_ahead(&mut self, size: usize, limits: &Limits) -> bool {
        let missing = self.missing(size);
        if missing == 0 {
            return true;
        }
        let more = limits.body_room_ahead(missing);
        more.map(|more| self.keep(more)).is_some()
    }

    /// Bytes for which a body of this size has no room yet.
    fn missing(&self, size: usize) -> usize {
        let has = self.room.as_ref().map_or(0, |room| room.num_permits());
        size.saturating_sub(BODY_BYTES_FREE).saturating_sub(has)
    }

    fn keep(&mut self, more: OwnedSemaphorePermit) {
        match &mut self.room {
            Some(room) => room.merge(more),
            None => self.room = Some(more),
        }
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
