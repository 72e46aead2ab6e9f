//! The only file that reads the clock or entropy.

use std::cell::RefCell;
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

/// Bytes of entropy that a thread fetches at once for ids: 64 ids.
const ID_STOCK_BYTES: usize = 1_024;

/// Unpredictable bytes for an id that is no secret: fetched from the system many at a time, since
/// every request takes some.
///
/// Errors: where the system has none to give.
pub(crate) fn random_id() -> Result<[u8; 16], getrandom::Error> {
    thread_local! {
        static STOCK: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    STOCK.with_borrow_mut(|stock| {
        if stock.is_empty() {
            stock.extend(random::<ID_STOCK_BYTES>()?);
        }
        let id = stock.last_chunk().copied().expect("a whole number of ids");
        stock.truncate(stock.len() - id.len());
        Ok(id)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_id_comes_twice() {
        let ids: BTreeSet<_> = (0..200).map(|_| random_id().unwrap()).collect();
        assert_eq!(ids.len(), 200);
    }
}
