//! The time that decisions are made at: it follows the machine's clock, and does not jump with it.

use std::time::Duration;

use plimsoll_core::amount::Timestamp;

/// The machine's clock is approached by 1 ms in so many: a hold of five minutes lasts three
/// seconds less or more at worst, and a clock that was set by an hour is caught up within four
/// days.
const MS_PER_CORRECTED_MS: u64 = 100;

/// The most that one reading corrects, however long ago the last one was: 100 ms.
const CORRECTION_MS_MAX: u64 = 100;

/// A clock that starts with the machine's, and from then on goes as time passes.
///
/// A step of the machine's clock would let every hold lapse too early, or too late, at once. So
/// what has passed is taken from a monotonic clock, and what the machine's clock differs by is made
/// up for slowly.
///
/// Invariants: it never goes back; between two readings it goes by what has passed, 1 % and at most
/// `CORRECTION_MS_MAX` less or more.
#[derive(Clone, Debug)]
pub struct SteadyClock {
    ms: u64,
    /// The monotonic clock at the last reading.
    passed: Duration,
    /// Time that has passed and not been used for corrections.
    unused_ms: u64,
}

impl SteadyClock {
    /// Starts at what the machine's clock says, `passed` being what the monotonic one says.
    pub fn start(wall: Timestamp, passed: Duration) -> Self {
        Self {
            ms: wall.ms(),
            passed,
            unused_ms: 0,
        }
    }

    /// The time, given both clocks as they are now.
    pub fn read(&mut self, wall: Timestamp, passed: Duration) -> Timestamp {
        let elapsed = passed.saturating_sub(self.passed);
        // Whole milliseconds are counted; the rest is left for the next reading.
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        self.passed = self
            .passed
            .saturating_add(Duration::from_millis(elapsed_ms));
        let unused_ms = self.unused_ms.saturating_add(elapsed_ms);
        let unused_ms = unused_ms.min(CORRECTION_MS_MAX * MS_PER_CORRECTED_MS);
        let room_ms = unused_ms / MS_PER_CORRECTED_MS;
        let steady_ms = self.ms.saturating_add(elapsed_ms);
        let ahead_ms = wall.ms().saturating_sub(steady_ms).min(room_ms);
        let behind_ms = steady_ms.saturating_sub(wall.ms());
        let behind_ms = behind_ms.min(room_ms).min(elapsed_ms);
        self.unused_ms = unused_ms - (ahead_ms + behind_ms) * MS_PER_CORRECTED_MS;
        self.ms = steady_ms.saturating_add(ahead_ms) - behind_ms;
        Timestamp::default().after_ms(self.ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START_MS: u64 = 1_000_000;

    /// The steady time once each of these had passed, the machine's clock being off by so much.
    fn read(readings: &[(u64, i64)]) -> Vec<u64> {
        let at = |ms: u64| Timestamp::default().after_ms(ms);
        let mut clock = SteadyClock::start(at(START_MS), Duration::ZERO);
        let read = |(passed_ms, off_ms): &(u64, i64)| {
            let wall_ms = (START_MS + passed_ms).saturating_add_signed(*off_ms);
            let time = clock.read(at(wall_ms), Duration::from_millis(*passed_ms));
            time.ms() - START_MS
        };
        readings.iter().map(read).collect()
    }

    #[test]
    fn it_goes_as_time_passes() {
        let readings = [(0, 0), (1, 0), (1_000, 0), (3_600_000, 0)];
        assert_eq!(read(&readings), [0, 1, 1_000, 3_600_000]);
    }

    #[test]
    fn a_jump_of_the_machines_clock_is_made_up_for_slowly() {
        let hour_ms = 3_600_000;
        let jumped = [(1_000, hour_ms), (1_001, hour_ms), (2_000, hour_ms)];
        assert_eq!(read(&jumped), [1_010, 1_011, 2_020]);
        let jumped = [(1_000, -hour_ms), (1_001, -hour_ms), (2_000, -hour_ms)];
        assert_eq!(read(&jumped), [990, 991, 1_980]);
    }

    #[test]
    fn it_ends_where_the_machines_clock_is() {
        let steps: Vec<(u64, i64)> = (1..=200).map(|second| (second * 1_000, 1_500)).collect();
        assert_eq!(read(&steps).last(), Some(&(200_000 + 1_500)));
        let steps: Vec<(u64, i64)> = (1..=200).map(|second| (second * 1_000, -1_500)).collect();
        assert_eq!(read(&steps).last(), Some(&(200_000 - 1_500)));
    }

    #[test]
    fn it_never_goes_back_and_one_reading_corrects_little() {
        let readings: Vec<(u64, i64)> = (0..10_000).map(|ms| (ms, -500_000)).collect();
        assert!(read(&readings).is_sorted());
        assert_eq!(read(&[(86_400_000, 7_200_000)]), [86_400_100]);
    }

    #[test]
    fn readings_that_come_often_lose_nothing() {
        let at = Timestamp::default().after_ms(START_MS);
        let mut clock = SteadyClock::start(at, Duration::ZERO);
        let mut last = at;
        for micros in (0..=1_000_000).step_by(300) {
            let passed = Duration::from_micros(micros);
            last = clock.read(at.after_ms(micros / 1_000), passed);
        }
        assert_eq!(last, at.after_ms(999));
    }
}
