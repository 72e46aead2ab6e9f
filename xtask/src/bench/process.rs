//! Programs that the harness starts, watches and ends; no others.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::bench::clock;
use crate::step::{Failure, output, program};

/// How long a program may take to say that it is ready.
const START_MAX: Duration = Duration::from_secs(120);

/// How long it may take to end when it is told to; then it is ended.
const END_MAX: Duration = Duration::from_secs(10);

/// The kernel's unit of CPU time for programs: `USER_HZ`, 100 on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// A program that runs until this is dropped.
pub(super) struct Process {
    child: Child,
    signal: &'static str,
}

impl Process {
    /// Starts it; its log goes to `log`. `signal` is the one that ends it in good order.
    pub(super) fn start(
        command: &mut Command,
        log: &Path,
        signal: &'static str,
    ) -> Result<Self, Failure> {
        let log = File::create(log)
            .map_err(|error| Failure::new(format!("cannot write `{}`: {error}", log.display())))?;
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|error| Failure::new(format!("`{name}` could not be started: {error}")))?;
        Ok(Self { child, signal })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it says on its standard output, up to the line that `is_last` accepts.
    pub(super) fn lines_until(
        &mut self,
        is_last: impl Fn(&str) -> bool + Send + 'static,
    ) -> Result<Vec<String>, Failure> {
        let output = self.child.stdout.take();
        let output = output.ok_or_else(|| Failure::new("its output was read before"))?;
        let (told, heard) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            // Nobody listens any more once the time is over.
            let _ = told.send(read_until(&mut output, is_last));
            let _ = output.read_to_end(&mut Vec::new());
        });
        let lines = heard.recv_timeout(START_MAX).ok().flatten();
        lines.ok_or_else(|| Failure::new("a server did not say that it is ready"))
    }

    /// Ends it as a power cut would.
    pub(super) fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_until(
    output: &mut BufReader<ChildStdout>,
    is_last: impl Fn(&str) -> bool,
) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        lines.push(line.trim_end().to_owned());
        if is_last(line.trim_end()) {
            return Some(lines);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end(&mut self.child, &[self.signal], END_MAX);
    }
}

/// Sends a program that still runs some signals, the last of which ends it; ends it by force where
/// that takes longer than `patience`.
pub(crate) fn end(child: &mut Child, signals: &[&str], patience: Duration) {
    let is_running = |child: &mut Child| matches!(child.try_wait(), Ok(None));
    if !is_running(child) {
        return;
    }
    for signal in signals {
        let _ = send(signal, child.id());
    }
    let start = clock::now();
    while start.elapsed() < patience {
        if !is_running(child) {
            return;
        }
        clock::wait(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Sends a signal to a process.
pub(crate) fn send(signal: &str, id: u32) -> Result<(), Failure> {
    let mut kill = program("kill", Path::new("/"));
    output(kill.args(["-s", signal, &id.to_string()])).map(|_| ())
}

/// CPU time of a process and of its living children, in seconds.
pub(super) fn cpu_seconds(id: u32) -> f64 {
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
    let children = children.unwrap_or_default();
    let ids = children.split_whitespace().filter_map(|id| id.parse().ok());
    ids.chain([id]).map(own_cpu_seconds).sum()
}

pub(super) fn own_cpu_seconds(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name is in brackets and may hold blanks; user and system time are 12 and 13 after it.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|text| text.parse::<f64>().ok()).sum();
    ticks / TICKS_PER_SECOND
}

/// Resident memory of a process, in bytes.
pub(super) fn resident_bytes(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1_024
}
