//! What was measured, and the figures that are told of it.

/// One run of one load.
#[derive(Clone, Default)]
pub(super) struct Sample {
    pub(super) seconds: f64,
    pub(super) granted: u64,
    pub(super) refused: u64,
    pub(super) busy: u64,
    /// Granted, be it before, while or after it was measured.
    pub(super) acknowledged: u64,
    pub(super) server_cpu_seconds: f64,
    pub(super) load_cpu_seconds: f64,
    pub(super) resident_bytes: u64,
    /// How long each granted request took, shortest first.
    pub(super) nanoseconds: Vec<u32>,
}

/// Of several runs, figure by figure, the median.
#[derive(Clone, Default)]
pub(super) struct Figures {
    pub(super) per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) server_cpu_us: f64,
    pub(super) load_cpu_us: f64,
}

impl Sample {
    pub(super) fn per_second(&self) -> f64 {
        decimal(self.granted) / self.seconds
    }

    /// The time within which so many hundredths of the requests were answered.
    pub(super) fn percentile_ms(&self, percent: usize) -> f64 {
        let last = self.nanoseconds.len().saturating_sub(1);
        let at = self.nanoseconds.get(last * percent / 100);
        at.map_or(f64::NAN, |nanoseconds| f64::from(*nanoseconds) / 1e6)
    }
}

impl Figures {
    pub(super) fn of(samples: &[Sample]) -> Self {
        let middle = |figure: fn(&Sample) -> f64| median(samples.iter().map(figure).collect());
        Self {
            per_second: middle(Sample::per_second),
            p50_ms: middle(|sample| sample.percentile_ms(50)),
            p99_ms: middle(|sample| sample.percentile_ms(99)),
            server_cpu_us: middle(|sample| per_operation(sample, sample.server_cpu_seconds)),
            load_cpu_us: middle(|sample| per_operation(sample, sample.load_cpu_seconds)),
        }
    }
}

fn per_operation(sample: &Sample, seconds: f64) -> f64 {
    seconds * 1e6 / decimal((sample.granted + sample.refused + sample.busy).max(1))
}

/// The middle one, or the mean of the two in the middle.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        length => f64::midpoint(values[(length - 1) / 2], values[length / 2]),
    }
}

/// Counts here are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^53")]
pub(super) fn decimal(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]).to_bits(), 2.0_f64.to_bits());
        assert_eq!(median(vec![4.0, 1.0]).to_bits(), 2.5_f64.to_bits());
    }
}
