//! The end-to-end tests: a virtual environment with pinned packages, then pytest in it.

use std::path::{Path, PathBuf};

use crate::apt;
use crate::postgres;
use crate::step::{Failure, cargo, output, program, run as run_command};

const REQUIREMENTS: &str = "e2e/requirements.txt";
const ENVIRONMENT: &str = "target/e2e-venv";
const SERVER: &str = "target/release/plimsoll";

/// Requests of the tests go to this machine only; a proxy would take them elsewhere.
const PROXY_VARIABLES: [&str; 6] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];

/// Builds the server that the tests call.
pub(crate) fn build_server(root: &Path) -> Result<(), Failure> {
    let words = [
        "build",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "plimsoll",
    ];
    run_command(cargo(root, &words).args(["--target-dir", "target"]))
}

/// Runs the tests against the server that [`build_server`] made.
pub(crate) fn run(root: &Path, pytest_arguments: &[String]) -> Result<(), Failure> {
    postgres::make_sure(root)?;
    let environment = prepare_environment(root)?;
    let mut pytest = program(environment.join("bin/python"), root);
    pytest.args(["-m", "pytest", "e2e"]).args(pytest_arguments);
    pytest
        .env("PLIMSOLL_BIN", root.join(SERVER))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    for variable in PROXY_VARIABLES {
        pytest.env_remove(variable);
    }
    run_command(&mut pytest)
}

/// Makes the virtual environment, unless the one that stands has just what is asked for.
///
/// The stamp is written last, so a half-made environment is made anew.
fn prepare_environment(root: &Path) -> Result<PathBuf, Failure> {
    let environment = root.join(ENVIRONMENT);
    let stamp = environment.join("stamp");
    let wanted = wanted_stamp(root)?;
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(environment);
    }
    make_sure_of_venv(root)?;
    println!("making `{ENVIRONMENT}`");
    let mut make = program("python3", root);
    run_command(make.args(["-m", "venv", "--clear"]).arg(&environment))?;
    install(root, &environment)?;
    std::fs::write(&stamp, wanted)
        .map_err(|error| Failure::new(format!("cannot write `{}`: {error}", stamp.display())))?;
    Ok(environment)
}

/// The pinned packages and the interpreter, told by their digest and version.
fn wanted_stamp(root: &Path) -> Result<String, Failure> {
    let requirements = std::fs::read(root.join(REQUIREMENTS))
        .map_err(|error| Failure::new(format!("cannot read `{REQUIREMENTS}`: {error}")))?;
    let version = output(program("python3", root).arg("--version"))?;
    let digest = digest(&requirements);
    Ok(format!(
        "{digest:016x} {}",
        String::from_utf8_lossy(&version)
    ))
}

/// FNV-1a, 64 bits: tells versions of one file apart; nothing here defends against an attacker.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The list is complete, so nothing is resolved; `pip check` proves that it is complete.
fn install(root: &Path, environment: &Path) -> Result<(), Failure> {
    let python = environment.join("bin/python");
    let words = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    ];
    run_command(
        program(&python, root)
            .args(words)
            .args(["--requirement", REQUIREMENTS]),
    )?;
    output(program(&python, root).args(["-m", "pip", "check"])).map(|_| ())
}

/// Debian ships Python without the parts that make an environment; as root we can add them.
fn make_sure_of_venv(root: &Path) -> Result<(), Failure> {
    if can_make_environments(root) {
        return Ok(());
    }
    if apt::can_install(root) {
        apt::install(root, "python3-venv")?;
    }
    if can_make_environments(root) {
        return Ok(());
    }
    Err(Failure::new(
        "Python cannot make virtual environments here: run `apt-get install python3-venv` as \
         root, or put a Python that has `venv` and `ensurepip` first in the path",
    ))
}

fn can_make_environments(root: &Path) -> bool {
    output(program("python3", root).args(["-c", "import ensurepip, venv"])).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_fnv_1a() {
        assert_eq!(digest(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(digest(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(digest(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
