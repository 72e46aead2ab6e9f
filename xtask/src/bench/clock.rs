//! Time, as the harness measures it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Now, for differences.
#[expect(clippy::disallowed_methods, reason = "a harness measures time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Seconds since the epoch, for signatures.
#[expect(
    clippy::disallowed_methods,
    reason = "a signature says when it was made"
)]
pub(super) fn epoch_seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Lets the machine go on.
pub(crate) fn wait(time: Duration) {
    std::thread::sleep(time);
}
