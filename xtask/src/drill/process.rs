//! Programs that a drill starts, stops, freezes and kills: those, by their ids, and no others.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::bench::process::end;
pub(super) use crate::bench::process::send;
use crate::bench::{clock, interrupt};
use crate::step::{Failure, program};

/// How long a program may take to end when it is told to; then it is ended.
const END_MAX: Duration = Duration::from_secs(20);

/// Who a program runs as: user and group, or whoever we are.
pub(super) type Owner = Option<(u32, u32)>;

/// A program that runs until this is dropped; where this process is no more, however that came,
/// the program is told to end.
pub(super) struct Process {
    child: Child,
    signal: &'static str,
}

impl Process {
    /// Starts it, to be ended by `signal`; all that it says goes to `log`.
    pub(super) fn start(
        command: &Command,
        owner: Owner,
        log: &Path,
        signal: &'static str,
    ) -> Result<Self, Failure> {
        let name = command.get_program().to_string_lossy().into_owned();
        let failed = |error| Failure::new(format!("`{name}` could not be started: {error}"));
        let log = File::options().create(true).append(true).open(log);
        let log = log.map_err(failed)?;
        let folder = command.get_current_dir().unwrap_or(Path::new("/"));
        // It sets what the signal is before it becomes the program.
        let mut keeper = program("setpriv", folder);
        keeper.args(["--pdeathsig", signal]);
        if let Some((user, group)) = owner {
            keeper.args([format!("--reuid={user}"), format!("--regid={group}")]);
            keeper.arg("--clear-groups");
        }
        keeper.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            keeper.env(name, value.unwrap_or_default());
        }
        let copy = log.try_clone().map_err(failed)?;
        let child = keeper.stdin(Stdio::null()).stdout(copy).stderr(log).spawn();
        Ok(Self {
            child: child.map_err(failed)?,
            signal,
        })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it as a power cut would.
    pub(super) fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, signal: &str) -> Result<(), Failure> {
        send(signal, self.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be frozen.
        end(&mut self.child, &["CONT", self.signal], END_MAX);
    }
}

/// The processes that work in a folder of ours: a database's server, and what serves its callers.
pub(super) fn working_in(folder: &Path) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| {
        let place = std::fs::read_link(format!("/proc/{id}/cwd"));
        place.is_ok_and(|place| place == folder)
    })
    .collect()
}

/// A command to be run to its end as somebody else.
pub(super) fn run_as(mut command: Command, owner: Owner) -> Command {
    if let Some((user, group)) = owner {
        command.gid(group).uid(user);
    }
    command
}

/// Waits until something is so.
///
/// Errors: it is still not so after `patience`, or somebody wants us to end.
pub(super) fn wait_until(
    what: &str,
    patience: Duration,
    mut is_so: impl FnMut() -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let start = clock::now();
    while !is_so()? {
        interrupt::none()?;
        if patience < start.elapsed() {
            let seconds = patience.as_secs();
            return Err(Failure::new(format!("after {seconds} s still not: {what}")));
        }
        clock::wait(Duration::from_millis(50));
    }
    Ok(())
}
