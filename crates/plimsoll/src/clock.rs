//! The only file that reads the clock or entropy.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use plimsoll_core::amount::Timestamp;
use plimsoll_store::SteadyClock;

/// The time by which the ledger decides: a step of the machine's clock lets no hold lapse early.
pub(crate) fn steady() -> Timestamp {
    static STEADY: LazyLock<(Instant, Mutex<SteadyClock>)> = LazyLock::new(|| {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        let start = Instant::now();
        (start, SteadyClock::start(now(), start.elapsed()).into())
    });
    let (start, clock) = &*STEADY;
    let mut clock = clock.lock().unwrap_or_else(PoisonError::into_inner);
    clock.read(now(), start.elapsed())
}

/// The machine's time, by which callers sign and credentials end. A clock before 1970 or past the year 9999 is taken for the nearest of the two.
pub(crate) fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let ms = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
    Timestamp::default().after_ms(ms)
}

/// An instant in whole seconds since 1970, as signatures count time.
pub(crate) fn seconds(at: Timestamp) -> i64 {
    i64::try_from(at.ms() / 1_000).unwrap_or(i64::MAX)
}

/// Unpredictable bytes.
///
/// Errors: where the system has none to give.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    #[expect(clippy::disallowed_methods, reason = "this is the source of entropy")]
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
