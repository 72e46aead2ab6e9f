//! How long to wait after a failure.

use std::time::Duration;

/// The wait after the first failure, which doubles with each further one.
const FIRST_MS: u64 = 1_000;

/// The longest wait, without and with what chance adds to it: up to half as much again.
const DOUBLED_MS_MAX: u64 = 200_000;
#[cfg(test)]
const WAIT_MS_MAX: u64 = 300_000;

/// How long to wait after so many failures in a row; `chance` keeps those apart who failed
/// together.
pub(super) fn wait(failures: u32, chance: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(63);
    let doubled = FIRST_MS.saturating_mul(1 << doublings).min(DOUBLED_MS_MAX);
    let more = u64::from(chance) * (doubled / 2) / u64::from(u32::MAX);
    Duration::from_millis(doubled + more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_a_second_to_five_minutes() {
        let least: Vec<_> = (1..=10)
            .map(|failures| wait(failures, 0).as_millis())
            .collect();
        assert_eq!(
            least,
            [
                1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 200_000, 200_000
            ]
        );
        let most = wait(1, u32::MAX);
        assert_eq!(most, Duration::from_millis(1_500));
        for failures in [0, 1, 9, 63, 64, 65, u32::MAX] {
            let longest = wait(failures, u32::MAX).as_millis();
            assert!(longest <= u128::from(WAIT_MS_MAX), "{failures}: {longest}");
        }
    }
}
