//! How the follower hears of new records.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Wakes the follower.
#[derive(Debug, Default)]
pub(super) struct Signal {
    state: Mutex<SignalState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct SignalState {
    /// Bytes of records that nobody has taken note of.
    fresh: usize,
    /// How many of them are worth waking up for.
    wanted: usize,
    stops: bool,
}

impl Signal {
    /// Says that the journal has a new record, of so many bytes.
    pub(super) fn add(&self, bytes: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let was_enough = state.wanted <= state.fresh;
        state.fresh = state.fresh.saturating_add(bytes);
        // To wake a thread takes longer than all the rest.
        if !was_enough && state.wanted <= state.fresh {
            self.changed.notify_one();
        }
    }

    /// Says that it is time to stop.
    pub(super) fn stop(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stops = true;
        self.changed.notify_one();
    }

    /// Waits until there is something new, and answers how many bytes, and whether to go on.
    pub(super) fn wait(&self) -> (usize, bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.wanted = 1;
        let state = self
            .changed
            .wait_while(state, |state| state.fresh == 0 && !state.stops)
            .unwrap_or_else(PoisonError::into_inner);
        take(state)
    }

    /// Waits for a while, or until there are so many new bytes, and answers as [`wait`](Self::wait).
    pub(super) fn gather(&self, bytes: usize, pause: Duration) -> (usize, bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.wanted = bytes;
        let (state, _) = self
            .changed
            .wait_timeout_while(state, pause, |state| state.fresh < bytes && !state.stops)
            .unwrap_or_else(PoisonError::into_inner);
        take(state)
    }

    /// Bytes of records that nobody has taken note of, nor does by this.
    pub(super) fn fresh(&self) -> usize {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.fresh
    }

    /// Whether it is time to stop.
    pub(super) fn stops(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.stops
    }

    /// Waits for a while, unless it is time to stop, and says whether to go on.
    pub(super) fn pause(&self, pause: Duration) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.wanted = usize::MAX;
        let (state, _) = self
            .changed
            .wait_timeout_while(state, pause, |state| !state.stops)
            .unwrap_or_else(PoisonError::into_inner);
        !state.stops
    }
}

fn take(mut state: MutexGuard<'_, SignalState>) -> (usize, bool) {
    (std::mem::take(&mut state.fresh), !state.stops)
}
