//! `cargo xtask bench`: Plimsoll beside what people use today, on this machine, in one run.
//!
//! Reading order: [`load`] is the generator, [`template`] and [`framing`] are its requests and
//! answers; [`plimsoll`], [`ceiling`], [`postgres`] and [`redis`] are the systems; [`paths`] runs
//! the same work through each in turn, [`strain`] and [`scale`] what only Plimsoll is asked;
//! [`nodes`] is several of them on one database; [`report`] tells it.
//! docs/decisions/0014-bench.md says why it is as it is.

mod ceiling;
pub(crate) mod clock;
mod framing;
mod http;
pub(crate) mod interrupt;
mod load;
mod machine;
mod nodes;
mod pace;
mod paths;
mod plimsoll;
pub(crate) mod postgres;
pub(crate) mod process;
mod redis;
mod report;
mod sample;
mod scale;
mod sign;
mod strain;
mod template;

use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::bench::load::Span;
use crate::bench::report::Report;
use crate::step::{Failure, cargo, run as run_command};

pub(crate) use ceiling::{CHORE as CEILING_CHORE, serve as serve_ceiling};

const RESULTS: &str = "bench/results.json";
const RESULTS_OF_NODES: &str = "bench/nodes.json";

/// How thorough a run is.
#[derive(Clone, Copy)]
struct Effort {
    rounds: u32,
    span: Span,
    /// How many batches each connection sends in a round.
    batches: u64,
    /// Live reservations to restart with, and the largest number for the cost of growth.
    live: u64,
    grown: u64,
    /// How long either may take to be made; then fewer must do.
    patience: Duration,
}

/// Under two minutes.
fn quick() -> Effort {
    Effort {
        rounds: 2,
        span: Span::seconds(0.3, 0.9),
        batches: 4,
        live: 1_000_000,
        grown: 100_000,
        patience: Duration::from_secs(10),
    }
}

/// Under ten.
fn whole() -> Effort {
    Effort {
        rounds: 5,
        span: Span::seconds(0.5, 2.0),
        batches: 10,
        live: 1_000_000,
        grown: 10_000_000.min(machine::reservations_in_memory()),
        patience: Duration::from_secs(75),
    }
}

/// Measures everything; the harness itself is built for speed first.
pub(crate) fn run(root: &Path, is_quick: bool, are_nodes: bool) -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        let words = [
            "run",
            "--quiet",
            "--release",
            "--locked",
            "--package",
            "xtask",
            "--",
            "bench",
        ];
        let mut again = cargo(root, &words);
        if is_quick {
            again.arg("--quick");
        }
        if are_nodes {
            again.arg("--nodes");
        }
        return run_command(&mut again);
    }
    run_command(&mut cargo(
        root,
        &[
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--package",
            "plimsoll",
        ],
    ))?;
    interrupt::listen()?;
    let start = clock::now();
    let effort = if is_quick { quick() } else { whole() };
    let folder = machine::folder()?;
    for made in [crate::postgres::make_sure(root), redis::make_sure(root)] {
        // Without a peer the rest is still worth measuring; the report says what is not there.
        if let Err(failure) = made {
            progress(start, &failure.to_string());
        }
    }
    let mut report = Report::default();
    machine::describe(&mut report, folder.path(), is_quick)?;
    let (binary, files) = (server_binary()?, folder.path());
    let results = if are_nodes {
        nodes::measure(&mut report, effort, &binary, files, start)?;
        RESULTS_OF_NODES
    } else {
        paths::measure(&mut report, effort, &binary, files, start)?;
        strain::measure(&mut report, effort, &binary, files, start)?;
        scale::measure(&mut report, effort, &binary, files, start)?;
        RESULTS
    };
    report
        .notes
        .push(format!("took {:.0} s", start.elapsed().as_secs_f64()));
    report.print();
    report.write(&root.join(results))?;
    println!("\nwritten to `{results}`");
    Ok(())
}

/// The server lies beside this program, since both are built for release.
fn server_binary() -> Result<PathBuf, Failure> {
    let myself = std::env::current_exe();
    let myself = myself.map_err(|error| Failure::new(format!("who am I: {error}")))?;
    Ok(myself.with_file_name("plimsoll"))
}

/// Says on standard error what is being done, so that nobody waits in the dark.
fn progress(start: Instant, text: &str) {
    let line = format!("[{:>4.0} s] {text}\n", start.elapsed().as_secs_f64());
    // Nobody may be reading any more; the figures are still written.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// A port that was free a moment ago, for servers that cannot choose one.
pub(crate) fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = listener.map_err(|error| Failure::new(format!("no free port: {error}")))?;
    Ok(address.port())
}

/// A program in the path.
#[expect(
    clippy::disallowed_methods,
    reason = "peers are looked for where the shell looks"
)]
pub(crate) fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut files = std::env::split_paths(&path).map(|folder| folder.join(name));
    files.find(|file| file.is_file())
}
