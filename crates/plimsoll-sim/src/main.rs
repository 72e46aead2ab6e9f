//! Runs the simulation: `cargo xtask sim --seed N --hours N`.

#![expect(
    clippy::print_stdout,
    reason = "a command line tool talks on its standard output"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use plimsoll_sim::planted::Bug;
use plimsoll_sim::runner::{self, Report};
use plimsoll_sim::{shrink, step::Step};

/// A deterministic simulation of the service and its store, with faults.
#[derive(Parser)]
#[command(name = "cargo xtask sim")]
struct Arguments {
    /// Where the randomness comes from; left out, the system gives a fresh one.
    #[arg(long)]
    seed: Option<u64>,
    /// How many simulated hours.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    hours: u64,
    /// Plants a bug, and fails when it is not found; `all` plants each in turn.
    #[arg(long)]
    planted: Option<String>,
    /// Takes the steps of a list instead.
    #[arg(long, conflicts_with_all = ["seed", "planted"])]
    steps: Option<PathBuf>,
    /// Writes the shortest list that finds what was found.
    #[arg(long)]
    keep: Option<PathBuf>,
}

fn main() -> ExitCode {
    // Panics of the code under test are findings, and told as such.
    std::panic::set_hook(Box::new(|_| {}));
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("sim: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool, String> {
    if let Some(path) = &arguments.steps {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
        let found = shrink::replay(&Step::parse_list(&text)?, None);
        return Ok(match found {
            None => {
                println!("nothing found");
                true
            }
            Some((index, finding)) => {
                println!("FOUND at step {index}: {}", finding.0);
                false
            }
        });
    }
    let seed = match arguments.seed {
        Some(seed) => seed,
        None => fresh_seed()?,
    };
    println!("seed {seed}");
    let bugs = match arguments.planted.as_deref() {
        None => return told(arguments, &runner::run(seed, arguments.hours, None)),
        Some("all") if !Bug::ALL.is_empty() => Bug::ALL.to_vec(),
        Some(name) => {
            let known = Bug::ALL.iter().find(|(known, _)| *known == name);
            vec![*known.ok_or_else(|| format!("`{name}` is no bug that is built in"))?]
        }
    };
    let mut is_well = true;
    for (name, bug) in bugs {
        is_well &= told(arguments, &runner::hunt(seed, name, bug))?;
    }
    Ok(is_well)
}

fn told(arguments: &Arguments, report: &Report) -> Result<bool, String> {
    print!("{}", report.text);
    if let (Some(path), Some(kept)) = (&arguments.keep, &report.kept) {
        std::fs::write(path, kept)
            .map_err(|error| format!("`{}` cannot be written: {error}", path.display()))?;
    }
    Ok(report.is_well)
}

fn fresh_seed() -> Result<u64, String> {
    let mut bytes = [0; 4];
    #[expect(
        clippy::disallowed_methods,
        reason = "a fresh seed is the one thing that does not follow from a seed"
    )]
    getrandom::fill(&mut bytes).map_err(|error| format!("the system has no entropy: {error}"))?;
    Ok(u32::from_le_bytes(bytes).into())
}
