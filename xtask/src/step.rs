//! Running other programs, and saying what went wrong when they fail.

use std::fmt::{self, Display, Formatter};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Why a chore ended, in words for the person who called it.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl Display for Failure {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Runs one named piece of work; prints its name before and the time it took after.
pub(crate) fn timed(
    name: &str,
    work: impl FnOnce() -> Result<(), Failure>,
) -> Result<Duration, Failure> {
    say(&format!("== {name}"));
    let start = stopwatch();
    let outcome = work();
    let took = start.elapsed();
    match outcome {
        Ok(()) => {
            say(&format!("== {name}: ok, {:.1} s", took.as_secs_f64()));
            Ok(took)
        }
        Err(failure) => {
            let seconds = took.as_secs_f64();
            Err(Failure::new(format!(
                "step `{name}` failed after {seconds:.1} s: {failure}"
            )))
        }
    }
}

/// Prints a line at once, so that it stands in the right place among the output of children.
fn say(line: &str) {
    println!("{line}");
    // A closed pipe must not fail the work; the exit code still tells the result.
    let _ = std::io::stdout().flush();
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a step took is for people to read"
)]
fn stopwatch() -> Instant {
    Instant::now()
}

/// A program to be started in `folder`.
pub(crate) fn program(name: impl AsRef<Path>, folder: &Path) -> Command {
    let mut command = Command::new(name.as_ref());
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// Cargo, to be started in the project's root with these words.
pub(crate) fn cargo(root: &Path, words: &[&str]) -> Command {
    let mut command = program("cargo", root);
    command.args(words);
    command
}

/// Runs to the end; its output goes where ours goes.
///
/// Errors: it cannot be started, or it ends with another code than 0.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let line = command_line(command);
    let status = command
        .status()
        .map_err(|error| Failure::new(format!("`{line}` could not be started: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("`{line}` ended: {status}")))
    }
}

/// Runs to the end and hands back what it wrote on its standard output.
///
/// Errors: as [`run`], with what it wrote on its standard error.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let line = command_line(command);
    let output = command
        .output()
        .map_err(|error| Failure::new(format!("`{line}` could not be started: {error}")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!(
        "`{line}` ended: {}\n{}",
        output.status,
        complaint.trim_end()
    )))
}

fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
