//! How many requests one principal may send.
//!
//! The generic cell rate algorithm: each request moves the principal's *theoretical arrival time*
//! one interval on; a request that would move it more than a burst ahead of now is refused.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use plimsoll_core::amount::Timestamp;
use plimsoll_core::names::PrincipalId;

/// Principals that are remembered; beyond, those that have been quiet are forgotten.
const METERS_MAX: usize = 100_000;

/// A meter for each principal.
pub(crate) struct Throttle {
    /// Requests a second, which is the burst too; 0 for any number.
    per_second: u32,
    /// Theoretical arrival times in microseconds.
    meters: Mutex<HashMap<PrincipalId, u64>>,
}

impl Throttle {
    pub(crate) fn new(per_second: u32) -> Self {
        Self {
            per_second,
            meters: Mutex::default(),
        }
    }

    /// Whether a principal may send one more request now.
    pub(crate) fn admits(&self, principal: &PrincipalId, now: Timestamp) -> bool {
        if self.per_second == 0 {
            return true;
        }
        let now_us = now.ms().saturating_mul(1_000);
        let interval_us = 1_000_000 / u64::from(self.per_second);
        let burst_us = 1_000_000;
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        if meters.len() >= METERS_MAX {
            meters.retain(|_, arrival_us| *arrival_us > now_us);
        }
        let arrival_us = meters.get(principal).copied().unwrap_or(0).max(now_us);
        let next_us = arrival_us.saturating_add(interval_us);
        if next_us > now_us.saturating_add(burst_us) {
            return false;
        }
        meters.insert(principal.clone(), next_us);
        true
    }

    /// Requests a second that are admitted.
    pub(crate) fn per_second(&self) -> u32 {
        self.per_second
    }
}

#[cfg(test)]
#[path = "throttle_tests.rs"]
mod tests;
