//! Many worlds: as many hours as were asked for, and what came of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::planted::Bug;
use crate::shrink::{replay, shrink};
use crate::stage::Counts;
use crate::step::Step;
use crate::world::{self, Run};

/// Hours in one world: a longer one finds no more, and replays ever longer journals.
pub const WORLD_HOURS: u64 = 1;

/// Worlds that run at the same time: CI has two cores.
const THREADS: usize = 2;

/// Seeds within which a planted bug must be found.
pub const PLANTED_SEEDS_MAX: u64 = 200;

/// Steps that are told before the one at which something was found.
const TOLD_STEPS: usize = 12;

/// Lines of the shortest list that are told.
const TOLD_KEPT_LINES_MAX: usize = 100;

/// What must have happened at least, in each hour: a run in which nothing happens proves nothing.
///
/// Shape: about a third of what happens on average.
const HOURLY_MIN: [(&str, u64); 49] = [
    ("requests", 800),
    ("requests acknowledged", 800),
    ("answers: done", 500),
    ("answers: refused by a quota", 100),
    ("answers: conflict", 30),
    ("answers: precondition failed", 5),
    ("groups in doubt", 5),
    ("doubts resolved", 5),
    ("crashes while idle", 1),
    ("crashes amid a write", 1),
    ("crashes before a flush", 1),
    ("crashes before an answer", 1),
    ("crashes amid a start", 1),
    ("failed starts", 1),
    ("torn tails", 1),
    ("failed writes", 1),
    ("failed flushes", 2),
    ("writes to a full disk", 1),
    ("damaged disks refused", 1),
    ("clock jumps ahead", 1),
    ("clock jumps back", 1),
    ("requests lost", 20),
    ("requests repeated on the way", 20),
    ("requests overtaken on the way", 10),
    ("answers lost", 20),
    ("answers repeated on the way", 20),
    ("limits set", 50),
    ("limits set for a time", 25),
    ("limits set that let pass", 15),
    ("limits taken away", 8),
    ("limits of a window taken away", 3),
    ("limits that end in the past", 1),
    ("tiers put", 4),
    ("scopes given a tier", 6),
    ("answers with warnings", 5),
    ("refusals by a tier", 5),
    ("refusals by a limit for a time", 10),
    ("refusals added up", 30),
    ("requests for more", 15),
    ("requests for no more", 10),
    ("requests pending already", 4),
    ("requests approved", 5),
    ("requests approved for a time", 1),
    ("requests approved by rule", 1),
    ("requests denied", 2),
    ("requests cancelled", 3),
    ("inventories compared", 15),
    ("inventories in which nothing differs", 8),
    ("inventories mended", 3),
];

/// What came of many worlds.
pub struct Report {
    /// For people: counts, or what was found and how to see it again.
    pub text: String,
    /// Whether all went well.
    pub is_well: bool,
    /// The shortest list of steps that finds what was found.
    pub kept: Option<String>,
}

/// Runs so many hours, the first world from `seed`, each other one from the next number.
pub fn run(seed: u64, hours: u64, bug: Option<Bug>) -> Report {
    let count = hours.div_ceil(WORLD_HOURS);
    let hours_of = |index: u64| WORLD_HOURS.min(hours - index * WORLD_HOURS);
    let seed_of = |index: u64| seed.wrapping_add(index);
    let runs = side_by_side(count, |index| {
        world::run(seed_of(index), hours_of(index), bug)
    });
    let mut counts = Counts::default();
    let mut trace = 0_u64;
    for (index, run) in runs {
        if run.finding.is_some() {
            return found(seed_of(index), hours_of(index), bug, run);
        }
        counts.merge(&run.counts);
        trace = trace.rotate_left(1) ^ run.trace;
    }
    let mut text = format!("seed {seed}, {hours} simulated hours, trace {trace:016x}\n");
    for (what, times) in &counts.0 {
        let _ = writeln!(text, "{times:>10} {what}");
    }
    let missing = shortfalls(&counts, hours);
    for line in &missing {
        let _ = writeln!(text, "{line}");
    }
    Report {
        text,
        is_well: missing.is_empty(),
        kept: None,
    }
}

/// What has happened less often than it must.
pub fn shortfalls(counts: &Counts, hours: u64) -> Vec<String> {
    let is_rare = |(what, least): &&(&str, u64)| counts.of(what) < least * hours;
    let told = |(what, least): &(&str, u64)| {
        let (least, times) = (least * hours, counts.of(what));
        format!("TOO FEW `{what}`: {times}, and {least} are needed")
    };
    HOURLY_MIN.iter().filter(is_rare).map(told).collect()
}

/// Runs seeds from `seed` on until a planted bug is found.
pub fn hunt(seed: u64, name: &str, bug: Bug) -> Report {
    for tried in 0..PLANTED_SEEDS_MAX {
        let seed = seed.wrapping_add(tried);
        let run = world::run(seed, WORLD_HOURS, Some(bug));
        if run.finding.is_some() {
            let report = found(seed, WORLD_HOURS, Some(bug), run);
            let text = format!(
                "planted `{name}`: found with seed {seed}, after {} of {PLANTED_SEEDS_MAX} seeds\n{}",
                tried + 1,
                report.text
            );
            return Report {
                text,
                is_well: true,
                kept: report.kept,
            };
        }
    }
    Report {
        text: format!("planted `{name}`: NOT FOUND in {PLANTED_SEEDS_MAX} seeds from {seed}\n"),
        is_well: false,
        kept: None,
    }
}

/// Worlds know nothing of each other, so some may run at the same time. Answers them in order, up
/// to the first in which something was found.
fn side_by_side(count: u64, run: impl Fn(u64) -> Run + Sync) -> BTreeMap<u64, Run> {
    let (next, end) = (AtomicU64::new(0), AtomicU64::new(count));
    let work = || {
        let mut runs = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if end.load(Ordering::Relaxed) <= index {
                return runs;
            }
            let mut run = run(index);
            if run.finding.is_some() {
                end.fetch_min(index, Ordering::Relaxed);
            } else {
                run.steps = Vec::new();
            }
            runs.push((index, run));
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let runs = threads.into_iter().flat_map(|thread| {
            let runs = thread.join();
            runs.expect("panics are findings")
        });
        runs.collect()
    })
}

/// Tells what was found, and the shortest list of steps that finds something still.
fn found(seed: u64, hours: u64, bug: Option<Bug>, run: Run) -> Report {
    let finding = run.finding.map_or_else(String::new, |finding| finding.0);
    let last = run.steps.len().saturating_sub(1);
    let mut text = format!(
        "FOUND with seed {seed} at step {last}: {finding}\n\
         again: cargo xtask sim --seed {seed} --hours {hours}{}\n\
         the steps before it:\n",
        Bug::name_of(bug).map_or_else(String::new, |name| format!(" --planted {name}"))
    );
    for step in run.steps.iter().rev().take(TOLD_STEPS).rev() {
        let _ = writeln!(text, "  {step}");
    }
    // What is found at the very end is found by no step: then there is nothing to make shorter.
    let kept = replay(&run.steps, bug).map(|_| list(&shrink(run.steps, bug), seed, bug));
    if let Some(kept) = &kept {
        let told: Vec<&str> = kept.lines().take(TOLD_KEPT_LINES_MAX).collect();
        let _ = writeln!(
            text,
            "the shortest list that finds something still ({} lines, `--keep FILE` writes all):\n{}",
            kept.lines().count(),
            told.join("\n")
        );
    }
    Report {
        text,
        is_well: false,
        kept,
    }
}

fn list(steps: &[Step], seed: u64, bug: Option<Bug>) -> String {
    let mut text = format!("# found with seed {seed}\n");
    if let Some(name) = Bug::name_of(bug) {
        let _ = writeln!(text, "# planted {name}");
    }
    if let Some((index, finding)) = replay(steps, bug) {
        let first = finding.0.lines().next().unwrap_or_default().to_owned();
        let _ = writeln!(text, "# step {index}: {first}");
    }
    for step in steps {
        let _ = writeln!(text, "{step}");
    }
    text
}
