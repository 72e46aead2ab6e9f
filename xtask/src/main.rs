//! The project's own chores, in one program: `cargo xtask ci`, `tidy`, `openapi`, `e2e`,
//! `sim`, `instructions`, `bench`, `drill`.
//!
//! Reading order: [`ci`] names the steps, [`step`] runs them, [`tidy`] holds the rules that a
//! machine can check, [`e2e`] makes the Python side, [`openapi`] keeps the generated document, [`sim`] runs the
//! simulation, [`instructions`] counts, [`bench`] measures, [`drill`] makes
//! nodes and their database fail; [`apt`] and [`postgres`] install what tests need.

#![expect(
    clippy::print_stdout,
    reason = "a command line tool talks on its standard output"
)]

mod apt;
mod bench;
mod ci;
mod drill;
mod e2e;
mod instructions;
mod openapi;
mod postgres;
mod sim;
mod step;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::step::Failure;

/// The project's own chores.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Everything that must pass before a change lands, in order; stops at the first failure.
    Ci,
    /// The rules of the source tree that a machine can check.
    Tidy,
    /// Writes `openapi/plimsoll.json` from the server's own description.
    Openapi {
        /// Write nothing; fail when the file differs from what the server says.
        #[arg(long)]
        check: bool,
    },
    /// Builds the server and calls it with the vendors' own SDKs.
    E2e {
        /// Handed to pytest, for example `-k race`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        pytest_arguments: Vec<String>,
    },
    /// Builds and runs the simulation of service and store, with faults.
    Sim {
        /// Handed to the simulation: `--seed N`, `--hours N`, `--planted NAME`, `--help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Counts what decisions, records and signatures take; fails where it is over a tenth more.
    Instructions {
        /// Make what is counted the baseline.
        #[arg(long)]
        bless: bool,
    },
    /// Measures this build beside a bare server, PostgreSQL and Redis; writes `bench/results.json`.
    Bench {
        /// Under two minutes instead of under ten.
        #[arg(long)]
        quick: bool,
        /// Only several nodes on one database, beside what people keep there today; writes
        /// `bench/nodes.json`.
        #[arg(long)]
        nodes: bool,
    },
    /// Three nodes on one database, callers of all of them, and everything fails; then an audit.
    Drill {
        /// One PostgreSQL and a quarter of a minute, instead of a failover cluster and some.
        #[arg(long)]
        short: bool,
    },
    /// The bare server of `bench`.
    #[command(name = bench::CEILING_CHORE, hide = true)]
    BenchCeiling {
        /// The length of every answer.
        body_bytes: usize,
    },
}

fn main() -> ExitCode {
    let root = project_root();
    match run(&root, Arguments::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(root: &Path, chore: Chore) -> Result<(), Failure> {
    match chore {
        Chore::Ci => ci::run(root),
        Chore::Tidy => tidy::run(root),
        Chore::Openapi { check: true } => openapi::check(root),
        Chore::Openapi { check: false } => openapi::write(root),
        Chore::E2e { pytest_arguments } => {
            e2e::build_server(root)?;
            e2e::run(root, &pytest_arguments)
        }
        Chore::Sim { arguments } => sim::run(root, &arguments),
        Chore::Instructions { bless: true } => instructions::bless(root),
        Chore::Instructions { bless: false } => instructions::check(root),
        Chore::Bench { quick, nodes } => bench::run(root, quick, nodes),
        Chore::Drill { short: true } => drill::short(root),
        Chore::Drill { short: false } => drill::run(root),
        Chore::BenchCeiling { body_bytes } => bench::serve_ceiling(body_bytes),
    }
}

fn project_root() -> PathBuf {
    let manifest_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest_folder
        .parent()
        .expect("xtask lies one folder below the root")
        .to_path_buf()
}
