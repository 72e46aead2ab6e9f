//! Patroni itself: a virtual environment with the packages that `deploy/ha` names.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::apt;
use crate::bench::found;
use crate::drill::process::{Owner, run_as};
use crate::step::{Failure, output, program, run as run_command};

const REQUIREMENTS: &str = "deploy/ha/requirements.txt";

/// The system's own first: others may lie where only their owner can run them.
const PYTHONS: [&str; 2] = ["/usr/bin/python3", "python3"];

/// Makes the environment in a folder; answers the program.
pub(super) fn install(root: &Path, folder: &Path, owner: Owner) -> Result<PathBuf, Failure> {
    let environment = folder.join("venv");
    let python = python(root, owner)?;
    let mut make = program(python, root);
    run_command(make.args(["-m", "venv"]).arg(&environment))?;
    let words = [
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    ];
    let mut pip = program(environment.join("bin/pip"), root);
    run_command(pip.args(words).args(["--requirement", REQUIREMENTS]))?;
    let mut pip = program(environment.join("bin/pip"), root);
    output(pip.arg("check"))?;
    Ok(environment.join("bin/patroni"))
}

fn python(root: &Path, owner: Owner) -> Result<&'static str, Failure> {
    let usable = || {
        let mut pythons = PYTHONS.into_iter();
        pythons.find(|python| {
            let mut probe = Command::new(python);
            probe
                .args(["-c", "import ensurepip, venv"])
                .current_dir("/");
            output(&mut run_as(probe, owner)).is_ok()
        })
    };
    if let Some(python) = usable() {
        return Ok(python);
    }
    if apt::can_install(root) {
        apt::install(root, "python3-venv")?;
    }
    let missing = "Python with `venv` is missing: run `apt-get install python3-venv` as root";
    usable().ok_or_else(|| Failure::new(missing))
}

/// A program of a package of Debian's; it is installed where it is missing and may be.
pub(super) fn packaged(root: &Path, name: &str, package: &str) -> Result<PathBuf, Failure> {
    let places = || {
        // Servers lie where only root's path leads.
        let system = Path::new("/usr/sbin").join(name);
        found(name).or_else(|| system.is_file().then_some(system))
    };
    if let Some(file) = places() {
        return Ok(file);
    }
    if apt::can_install(root) {
        apt::install_without_start(root, package)?;
    }
    let missing = || format!("`{name}` is missing: run `apt-get install {package}` as root");
    places().ok_or_else(|| Failure::new(missing()))
}
