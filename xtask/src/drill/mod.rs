//! `cargo xtask drill`: three nodes on one database, callers of all of them, and everything fails.
//!
//! Reading order: [`history`] is what callers were told, [`model`] and [`linear`] say whether it
//! can have been so, [`corrupt`] whether they would notice; [`client`] and [`load`] are the callers,
//! [`process`], [`nodes`] and [`plain`] what they call; [`short`] is the drill of `ci`.
//! [`cluster`] is what `deploy/ha` describes, from the same files ([`template`]), with [`patroni`]
//! and a network that can be cut ([`proxy`]); [`failover`] is its drill. [`audit`] looks at what is
//! left, [`report`] tells it.

mod audit;
mod client;
mod cluster;
mod corrupt;
mod failover;
mod history;
mod linear;
mod load;
mod model;
mod nodes;
mod patroni;
mod plain;
mod process;
mod proxy;
mod report;
mod short;
mod template;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

use crate::bench::{interrupt, postgres as tools};
use crate::drill::cluster::Programs;
use crate::step::Failure;
use crate::{e2e, postgres};

/// Fewer operations than this prove nothing. Faults wait for callers, so that there are always
/// more.
const SHORT_OPERATIONS_MIN: usize = 2_000;
const OPERATIONS_MIN: usize = 1_500;

const SERVER: &str = "target/release/plimsoll";

/// Where the logs of a drill that failed are kept.
const LOGS: &str = "target/drill-logs";

/// The drill of `ci`, which takes a quarter of a minute: no standby, no failover.
pub(crate) fn short(root: &Path) -> Result<(), Failure> {
    within_folder(root, |folder| {
        let (binaries, owner) = prepare(root, folder)?;
        let binary = root.join(SERVER);
        let report = short::run(&binary, &binaries, folder, owner, seed())?;
        report.tell(SHORT_OPERATIONS_MIN, short::FAULTS)
    })
}

/// The whole drill, which takes minutes.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    within_folder(root, |folder| {
        let (postgres, owner) = prepare(root, folder)?;
        let programs = Programs::find(root, folder, owner, postgres)?;
        let binary = root.join(SERVER);
        let report = failover::run(root, &binary, folder, programs, owner, seed())?;
        report.tell(OPERATIONS_MIN, failover::FAULTS)
    })
}

/// Does some work in a folder that goes with it; where the work fails, its logs are kept.
fn within_folder(
    root: &Path,
    work: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let folder = folder()?;
    work(folder.path()).map_err(|failure| {
        let kept = root.join(LOGS);
        let files = std::fs::read_dir(folder.path()).into_iter().flatten();
        let logs = files.flatten().map(|entry| entry.path());
        let logs = logs.filter(|path| path.extension().is_some_and(|it| it == "log"));
        let _ = std::fs::create_dir_all(&kept);
        for log in logs {
            let _ = std::fs::copy(&log, kept.join(log.file_name().unwrap_or_default()));
        }
        Failure::new(format!("{failure}\nthe logs are in `{LOGS}`"))
    })
}

/// Which calls are made in which order. The rest is up to the machine.
fn seed() -> u64 {
    u64::from(std::process::id())
}

/// What every drill needs: the server, PostgreSQL's programs, and a user that it accepts.
fn prepare(root: &Path, folder: &Path) -> Result<(std::path::PathBuf, process::Owner), Failure> {
    postgres::make_sure(root)?;
    e2e::build_server(root)?;
    interrupt::listen()?;
    let binaries = tools::programs().ok_or_else(|| Failure::new("PostgreSQL is missing"))?;
    Ok((binaries, tools::unprivileged(folder)?))
}

/// Files of a run, on a disk; gone when this is dropped.
fn folder() -> Result<TempDir, Failure> {
    let place = Path::new("/var/tmp");
    let made = tempfile::Builder::new()
        .prefix("plimsoll-drill-")
        // Others must be able to pass: PostgreSQL does not run as root.
        .permissions(Permissions::from_mode(0o755))
        .tempdir_in(place);
    made.map_err(|error| Failure::new(format!("cannot write `{}`: {error}", place.display())))
}
