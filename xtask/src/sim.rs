//! The simulation of service and store: builds it and runs it.

use std::path::Path;

use crate::step::{Failure, cargo, run as run_command};

/// Simulated hours of fixed seeds, and of one fresh seed, that must pass before a change lands.
const FIXED_HOURS: &str = "200";
const FRESH_HOURS: &str = "12";
const FIXED_SEED: &str = "1";

/// Runs it with these arguments.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    simulate(root, &words)
}

/// Fixed seeds, a fresh one, and every planted bug, which must be found.
pub(crate) fn all(root: &Path) -> Result<(), Failure> {
    simulate(root, &["--seed", FIXED_SEED, "--hours", FIXED_HOURS])?;
    simulate(root, &["--hours", FRESH_HOURS])?;
    simulate(root, &["--seed", FIXED_SEED, "--planted", "all"])
}

fn simulate(root: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let words = [
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "plimsoll-sim",
        "--features",
        "planted-bugs",
        "--",
    ];
    run_command(cargo(root, &words).args(arguments))
}
