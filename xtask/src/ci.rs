//! Everything that must pass before a change lands.

use std::path::Path;
use std::time::Duration;

use crate::step::{Failure, cargo, output, program, run as run_command, timed};
use crate::{drill, e2e, instructions, openapi, postgres, sim, tidy};

const PYTHON_VERSION_MIN: (u32, u32) = (3, 11);

/// What all steps write, with room to spare; a linker that finds the disk full only says `Bus error`.
const FREE_MIB_MIN: u64 = 4096;

/// One step's work, given the project's root.
struct Step {
    name: &'static str,
    work: fn(&Path) -> Result<(), Failure>,
}

/// In the order of what fails cheapest.
const STEPS: [Step; 12] = [
    Step {
        name: "tools",
        work: tools,
    },
    Step {
        name: "fmt",
        work: fmt,
    },
    Step {
        name: "tidy",
        work: tidy::run,
    },
    Step {
        name: "clippy",
        work: clippy,
    },
    Step {
        name: "openapi",
        work: openapi::check,
    },
    Step {
        name: "test",
        work: test,
    },
    Step {
        name: "sim",
        work: sim::all,
    },
    Step {
        name: "instructions",
        work: instructions::check,
    },
    Step {
        name: "build",
        work: e2e::build_server,
    },
    Step {
        name: "e2e",
        work: all_of_e2e,
    },
    Step {
        name: "e2e on PostgreSQL",
        work: e2e_on_postgres,
    },
    Step {
        name: "drill, short",
        work: drill::short,
    },
];

/// Runs all steps; the first that fails ends it.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    let mut total = Duration::ZERO;
    for step in &STEPS {
        total += timed(step.name, || (step.work)(root))?;
    }
    println!(
        "== ci: all {} steps passed in {:.0} s",
        STEPS.len(),
        total.as_secs_f64()
    );
    Ok(())
}

fn fmt(root: &Path) -> Result<(), Failure> {
    run_command(&mut cargo(root, &["fmt", "--all", "--check"]))
}

fn clippy(root: &Path) -> Result<(), Failure> {
    let words = [
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    run_command(&mut cargo(root, &words))
}

fn test(root: &Path) -> Result<(), Failure> {
    run_command(&mut cargo(
        root,
        &["test", "--quiet", "--workspace", "--locked"],
    ))
}

fn all_of_e2e(root: &Path) -> Result<(), Failure> {
    e2e::run(root, &[])
}

/// Again with the ledger in a database, but for what is not about the ledger, or has its own.
fn e2e_on_postgres(root: &Path) -> Result<(), Failure> {
    let others = ["transport", "signing", "nodes", "full_disk"];
    let others = others.map(|name| format!("--ignore=e2e/test_{name}.py"));
    let words = ["--store=postgres".to_owned()];
    e2e::run(root, &[words.as_slice(), others.as_slice()].concat())
}

/// Says at once what is missing, before anything is compiled.
fn tools(root: &Path) -> Result<(), Failure> {
    let rust_components = [
        ("rustfmt", cargo(root, &["fmt", "--version"])),
        ("clippy", cargo(root, &["clippy", "--version"])),
    ];
    for (component, mut probe) in rust_components {
        output(&mut probe).map_err(|failure| {
            Failure::new(format!(
                "`{component}` is missing: run `rustup component add {component}`\n{failure}"
            ))
        })?;
    }
    output(program("git", root).arg("--version"))
        .map_err(|failure| Failure::new(format!("git is missing: {failure}")))?;
    let version = output(program("python3", root).arg("--version"))
        .map_err(|failure| Failure::new(format!("Python is missing: {failure}")))?;
    python_is_new_enough(&String::from_utf8_lossy(&version))?;
    let free = output(program("df", root).args(["--output=avail", "--block-size=1M", "."]))?;
    disk_has_room(&String::from_utf8_lossy(&free))?;
    postgres::make_sure(root)?;
    instructions::make_sure(root)
}

/// What `df` answers: a heading, and how much is free.
fn disk_has_room(answer: &str) -> Result<(), Failure> {
    let free = answer
        .split_whitespace()
        .last()
        .and_then(|mib| mib.parse().ok());
    if free.is_some_and(|mib: u64| FREE_MIB_MIN <= mib) {
        return Ok(());
    }
    let found = answer.trim();
    Err(Failure::new(format!(
        "{FREE_MIB_MIN} MiB of disk are needed, `df` found `{found}`"
    )))
}

fn python_is_new_enough(answer: &str) -> Result<(), Failure> {
    let (major, minor) = PYTHON_VERSION_MIN;
    if python_version(answer).is_some_and(|version| PYTHON_VERSION_MIN <= version) {
        return Ok(());
    }
    let found = answer.trim();
    Err(Failure::new(format!(
        "Python {major}.{minor} or newer is needed, found `{found}`"
    )))
}

/// `Python 3.11.2` → `(3, 11)`.
fn python_version(answer: &str) -> Option<(u32, u32)> {
    let mut numbers = answer.trim().strip_prefix("Python ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_is_told() {
        for (answer, accepted) in [
            ("  Avail\n  50437\n", true),
            ("Avail\n 4096\n", true),
            ("Avail\n 4095\n", false),
            ("Avail\n", false),
        ] {
            assert_eq!(disk_has_room(answer).is_ok(), accepted, "{answer}");
        }
    }

    #[test]
    fn python_versions_are_read_as_numbers() {
        let cases = [
            ("Python 3.11.2\n", true),
            ("Python 3.9.18\n", false),
            ("Python 3.14.0rc1\n", true),
            ("Python 2.7.18\n", false),
            ("pypy\n", false),
        ];
        for (answer, accepted) in cases {
            assert_eq!(python_is_new_enough(answer).is_ok(), accepted, "{answer}");
        }
    }
}
