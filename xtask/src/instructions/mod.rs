//! A guard on speed that no clock has a say in: how many instructions decisions, records and
//! signatures take, beside what they took when somebody last looked.
//!
//! Reading order: [`callgrind`] counts, [`baseline`] keeps and compares.
//! docs/decisions/0019-instructions.md says why it is as it is.

mod baseline;
mod callgrind;

use std::path::{Path, PathBuf};

use crate::apt;
use crate::step::{Failure, cargo, output, program};

use baseline::{Baseline, Measured};

const PACKAGE: &str = "plimsoll-sim";
const PROGRAM: &str = "instructions";

/// Counts, and compares with the baseline.
///
/// Errors: anything takes over a tenth more than it did, or is not in the baseline.
pub(crate) fn check(root: &Path) -> Result<(), Failure> {
    let counted = count(root)?;
    let found = Baseline::read(root)?.compare(&counted);
    for line in &found.lines {
        println!("{line}");
    }
    if found.faults.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{}\nwhere that is as it must be, run `cargo xtask instructions --bless` and commit the \
         result",
        found.faults.join("\n")
    )))
}

/// Counts, and makes that the baseline of this target.
pub(crate) fn bless(root: &Path) -> Result<(), Failure> {
    let counted = count(root)?;
    let mut baseline = Baseline::read(root)?;
    for line in &baseline.compare(&counted).lines {
        println!("{line}");
    }
    baseline.put(counted);
    baseline.write(root)
}

/// Installs valgrind where it is missing, as root.
pub(crate) fn make_sure(root: &Path) -> Result<(), Failure> {
    if valgrind(root).is_ok() {
        return Ok(());
    }
    if apt::can_install(root) {
        apt::install(root, "valgrind")?;
    }
    valgrind(root).map(|_| ()).map_err(|failure| {
        Failure::new(format!(
            "valgrind is missing: run `apt-get install valgrind` as root\n{failure}"
        ))
    })
}

fn count(root: &Path) -> Result<Measured, Failure> {
    make_sure(root)?;
    let rustc = output(program("rustc", root).arg("--version"))?;
    let cases = callgrind::count(&valgrind(root)?, &build(root)?)?;
    Ok(Measured {
        target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        rustc: String::from_utf8_lossy(&rustc).trim().to_owned(),
        cases,
    })
}

/// Where it is: it is started without a search path.
fn valgrind(root: &Path) -> Result<PathBuf, Failure> {
    let place = output(program("sh", root).args(["-c", "command -v valgrind"]))?;
    Ok(PathBuf::from(String::from_utf8_lossy(&place).trim()))
}

/// Builds the program that is counted, of what the simulation is built of, and says where it is.
fn build(root: &Path) -> Result<PathBuf, Failure> {
    let words = [
        "build",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        PACKAGE,
        "--features",
        "planted-bugs",
        "--bin",
        PROGRAM,
        "--message-format=json-render-diagnostics",
    ];
    let messages = output(&mut cargo(root, &words))?;
    let messages = String::from_utf8_lossy(&messages);
    let built = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_it = message["target"]["name"] == PROGRAM;
        let file = message["executable"].as_str().filter(|_| is_it)?;
        Some(PathBuf::from(file))
    });
    built.ok_or_else(|| Failure::new(format!("cargo does not say where `{PROGRAM}` is")))
}
