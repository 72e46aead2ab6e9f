//! Half of the peak, reads behind writes, ten times too many connections, and a power cut.

use std::path::Path;
use std::time::Instant;

use crate::bench::load::Span;
use crate::bench::paths::{CONNECTIONS, settle};
use crate::bench::plimsoll::{LOCATIONS, Plimsoll};
use crate::bench::report::{Bound, Report, Row};
use crate::bench::sample::{Figures, Sample};
use crate::bench::template::Accounts;
use crate::bench::{Effort, machine, progress};
use crate::step::Failure;

const PATH: &str = "Plimsoll under strain, three-level tree";
const FLUSHED: &str = "flushed before the answer";

const ACCOUNTS: Accounts = Accounts {
    count: 10_000,
    locations: LOCATIONS,
};

/// A server whose acknowledged reservations are counted, so that none can be lost unseen.
struct Trial {
    plimsoll: Plimsoll,
    span: Span,
    acknowledged: u64,
    start: Instant,
}

pub(super) fn measure(
    report: &mut Report,
    effort: Effort,
    binary: &Path,
    folder: &Path,
    start: Instant,
) -> Result<(), Failure> {
    progress(start, "starting a server to be strained");
    let plimsoll = Plimsoll::start(binary, &folder.join("strained"), None)?;
    plimsoll.fill_tree(ACCOUNTS.count / LOCATIONS, LOCATIONS)?;
    let mut trial = Trial {
        plimsoll,
        span: effort.span,
        acknowledged: 0,
        start,
    };
    let peak = trial.write(report, "64 connections: the peak", CONNECTIONS, None)?;
    let half = peak.per_second() / 2.0;
    let calm = trial.write(
        report,
        "64 connections, half of the peak",
        CONNECTIONS,
        Some(half),
    )?;
    let name = "p99 of a single reservation at half of the peak";
    report.target(
        name,
        Some(calm.percentile_ms(99)),
        Bound::AtMost(5.0),
        " ms",
    );
    reads(report, &mut trial, folder)?;
    let flood = trial.write(report, "640 connections: too many", 10 * CONNECTIONS, None)?;
    let kept = flood.per_second() / peak.per_second();
    let name = "ten times the connections: throughput kept of the peak";
    report.target(name, Some(kept), Bound::AtLeast(0.8), " x");
    let name = "ten times the connections: p99 of what is accepted";
    report.target(
        name,
        Some(flood.percentile_ms(99)),
        Bound::AtMost(100.0),
        " ms",
    );
    power_cut(report, trial)
}

impl Trial {
    fn write(
        &mut self,
        report: &mut Report,
        system: &str,
        connections: u32,
        pace: Option<f64>,
    ) -> Result<Sample, Failure> {
        settle(&[self.plimsoll.process.id()]);
        let mut load = self.plimsoll.many(ACCOUNTS, connections);
        load.pace = pace;
        let sample = load.run(self.span)?;
        self.acknowledged += sample.acknowledged;
        self.tell(report, system, FLUSHED, &sample);
        Ok(sample)
    }

    fn tell(&self, report: &mut Report, system: &str, durability: &'static str, sample: &Sample) {
        let (rate, busy) = (sample.per_second(), sample.busy);
        let mebibytes = sample.resident_bytes >> 20;
        progress(self.start, &format!("{system}: {rate:.0}/s"));
        report.rows.push(Row {
            path: PATH,
            system: format!("{system}; {busy} turned away, {mebibytes} MiB"),
            durability,
            figures: Figures::of(std::slice::from_ref(sample)),
        });
    }
}

/// One reader alone, and the same one beside writers that never rest.
fn reads(report: &mut Report, trial: &mut Trial, folder: &Path) -> Result<(), Failure> {
    let request = trial.plimsoll.native_read("s-000000");
    let reader = trial.plimsoll.read(&request, 1);
    settle(&[trial.plimsoll.process.id()]);
    let idle = reader.run(trial.span)?;
    trial.tell(
        report,
        "one reader, nobody writes",
        "nothing written",
        &idle,
    );
    let (span, writers) = (trial.span, trial.plimsoll.many(ACCOUNTS, CONNECTIONS));
    let writing = std::thread::spawn(move || writers.run(span));
    let beside = reader.run(span)?;
    let written = writing.join();
    let written = written.map_err(|_| Failure::new("the writers panicked"))??;
    trial.acknowledged += written.acknowledged;
    trial.tell(
        report,
        "one reader, 64 connections write",
        "nothing written",
        &beside,
    );
    let allowed = 2.0 * idle.percentile_ms(99) + machine::flush_ms(folder)?;
    let share = beside.percentile_ms(99) / allowed;
    let name = "p99 of a read beside writers / (2 x idle p99 + one flush)";
    report.target(name, Some(share), Bound::AtMost(1.0), " x");
    Ok(())
}

fn power_cut(report: &mut Report, trial: Trial) -> Result<(), Failure> {
    let acknowledged = trial.acknowledged;
    let plimsoll = trial.plimsoll.kill_and_restart()?;
    let kept = plimsoll.taken_in_tree()?;
    report.notes.push(format!(
        "after kill -9 behind the overload: {acknowledged} acknowledged, {kept} there"
    ));
    let lost = crate::bench::sample::decimal(acknowledged.saturating_sub(kept));
    let name = "acknowledged reservations that a kill -9 lost";
    report.target(name, Some(lost), Bound::AtMost(0.0), "");
    Ok(())
}
