//! What Debian has, where we may install it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
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

/// Installs the package of a server that is not to run by itself.
pub(crate) fn install_without_start(root: &Path, package: &str) -> Result<(), Failure> {
    // Debian's packages ask this program whether they may; nobody else's is replaced.
    let policy = Path::new("/usr/sbin/policy-rc.d");
    let is_ours = !policy.exists();
    let failed = |error| Failure::new(format!("cannot write `{}`: {error}", policy.display()));
    if is_ours {
        std::fs::write(policy, "#!/bin/sh\nexit 101\n").map_err(failed)?;
        std::fs::set_permissions(policy, Permissions::from_mode(0o755)).map_err(failed)?;
    }
    let installed = install(root, package);
    if is_ours {
        std::fs::remove_file(policy).map_err(failed)?;
    }
    installed
}

fn apt_get(root: &Path, words: &[&str]) -> Command {
    let mut command = program("apt-get", root);
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
