//! A million live reservations: memory, restart, and what one more costs as they grow.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::bench::load::Span;
use crate::bench::paths::finish;
use crate::bench::plimsoll::{BATCH_COMMANDS, Plimsoll};
use crate::bench::process::{cpu_seconds, resident_bytes};
use crate::bench::report::{Bound, Report, Row};
use crate::bench::sample::{Figures, decimal};
use crate::bench::template::Accounts;
use crate::bench::{Effort, clock, progress};
use crate::step::Failure;

const PATH: &str = "Plimsoll as it grows, three-level tree, batches";
const FLUSHED: &str = "flushed before the answer";

/// Locations of each scope here: as many accounts with few scopes to make.
const LOCATIONS: u64 = 100;

/// Scopes below the folder.
const SCOPES: u64 = 10;

const FEW: Accounts = Accounts {
    count: SCOPES * LOCATIONS,
    locations: LOCATIONS,
};

/// Batches of each connection whose cost is taken, where there is little and where there is much: of
/// a large ledger some of the follower's rounds, as in the part of one hardly two rows share a page.
const FEW_BATCHES: u64 = 3;
const MANY_BATCHES: u64 = 32;

/// Reservations right before the power cut: the follower has hardly begun with them.
const LATE: u64 = 32 * BATCH_COMMANDS;

pub(super) fn measure(
    report: &mut Report,
    effort: Effort,
    binary: &Path,
    folder: &Path,
    start: Instant,
) -> Result<(), Failure> {
    progress(start, "starting a server to be filled");
    let plimsoll = Plimsoll::start(binary, &folder.join("filled"), None)?;
    plimsoll.fill_tree(effort.grown / LOCATIONS, LOCATIONS)?;
    // What is made once, buffers above all, is no reservation's.
    plimsoll.take(FEW, 4 * BATCH_COMMANDS)?;
    finish(report, plimsoll.process.id());
    let before = resident_bytes(plimsoll.process.id());
    let name = "1,000 accounts, almost empty";
    let small = cost(report, &plimsoll, FEW, FEW_BATCHES, name)?;
    let wanted = effort.live - LATE;
    let taken = plimsoll.take_for(FEW, wanted, effort.patience)?;
    finish(report, plimsoll.process.id());
    let live = plimsoll.taken_in_tree()?;
    let grown = resident_bytes(plimsoll.process.id()).saturating_sub(before);
    progress(start, &format!("{live} reservations are live"));
    let bytes = decimal(grown) / decimal(live - 4 * BATCH_COMMANDS);
    if taken < wanted {
        report.notes.push(format!(
            "only {live} reservations were taken in time, not {wanted}"
        ));
    }
    let name = format!("resident memory per live reservation, {live} live");
    report.target(name, Some(bytes), Bound::AtMost(250.0), " B");
    let plimsoll = restart(report, plimsoll, live)?;
    grow(report, effort, &plimsoll, small, start)
}

/// With a power cut before it that nothing was ready for: what the follower had not come to is
/// replayed.
fn restart(report: &mut Report, plimsoll: Plimsoll, live: u64) -> Result<Plimsoll, Failure> {
    let live = live + plimsoll.take(FEW, LATE)?;
    let plimsoll = plimsoll.kill_and_restart()?;
    let seconds = plimsoll.ready_seconds()?;
    let there = plimsoll.taken_in_tree()?;
    let mebibytes = resident_bytes(plimsoll.process.id()) >> 20;
    report.notes.push(format!(
        "restart after kill -9: {there} of {live} live reservations there, {mebibytes} MiB resident"
    ));
    let name = format!("restart until ready, {live} live, cut off at work");
    report.target(name, Some(seconds), Bound::AtMost(3.0), " s");
    Ok(plimsoll)
}

fn grow(
    report: &mut Report,
    effort: Effort,
    plimsoll: &Plimsoll,
    small: f64,
    start: Instant,
) -> Result<(), Failure> {
    let many = Accounts {
        count: effort.grown,
        locations: LOCATIONS,
    };
    let deadline = clock::now();
    plimsoll.take_for(many, effort.grown, effort.patience)?;
    let live = plimsoll.taken_in_tree()?;
    let seconds = deadline.elapsed().as_secs_f64();
    progress(
        start,
        &format!("{live} reservations are live, {seconds:.0} s"),
    );
    let name = format!("up to {} accounts, {live} live", many.count);
    let large = cost(report, plimsoll, many, MANY_BATCHES, &name)?;
    let name = format!("server's CPU per reservation, {live} live / almost none");
    report.target(name, Some(large / small), Bound::AtMost(2.0), " x");
    Ok(())
}

/// The server's CPU time per reservation, in microseconds, with what it does behind its answers.
fn cost(
    report: &mut Report,
    plimsoll: &Plimsoll,
    accounts: Accounts,
    batches: u64,
    name: &str,
) -> Result<f64, Failure> {
    let server = plimsoll.process.id();
    finish(report, server);
    let before = cpu_seconds(server);
    let span = Span {
        measure: Duration::from_secs(30),
        ..Span::requests(batches)
    };
    let mut sample = plimsoll.batch(accounts, 4).run(span)?;
    finish(report, server);
    sample.server_cpu_seconds = cpu_seconds(server) - before;
    let figures = Figures::of(std::slice::from_ref(&sample));
    let cost = figures.server_cpu_us;
    report.rows.push(Row {
        path: PATH,
        system: name.to_owned(),
        durability: FLUSHED,
        figures,
    });
    Ok(cost)
}
