//! What Debian has, where we may install it.

use std::path::Path;
use std::process::Command;

use crate::step::{Failure, output, program, run};

/// Whether packages can be installed: as root, on Debian and its like.
pub(crate) fn can_install(root: &Path) -> bool {
    let is_root = output(program("id", root).arg("-u")).is_ok_and(|answer| answer == b"0\n");
    is_root && output(&mut apt_get(root, &["--version"])).is_ok()
}

/// Installs a package.
pub(crate) fn install(root: &Path, package: &str) -> Result<(), Failure> {
    println!("installing `{package}`");
    run(&mut apt_get(root, &["update", "--quiet", "--quiet"]))?;
    run(apt_get(root, &["install", "--quiet", "--quiet", "--yes"])
        .args(["--no-install-recommends", package]))
}

fn apt_get(root: &Path, words: &[&str]) -> Command {
    let mut command = program("apt-get", root);
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
