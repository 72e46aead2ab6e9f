//! Where the run takes place.

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

use crate::bench::clock;
use crate::bench::report::Report;
use crate::bench::sample::median;
use crate::step::{Failure, output, program};

/// Files of all systems; on a disk, where `/tmp` may be none. Gone when this is dropped.
pub(super) fn folder() -> Result<TempDir, Failure> {
    let place = Path::new("/var/tmp");
    let made = tempfile::Builder::new()
        .prefix("plimsoll-bench-")
        // Others must be able to pass: PostgreSQL does not run as root.
        .permissions(Permissions::from_mode(0o755))
        .tempdir_in(place);
    made.map_err(|error| Failure::new(format!("cannot write `{}`: {error}", place.display())))
}

/// A folder of the same kind in memory, where a flush costs nothing; `None` where there is none.
pub(super) fn folder_in_memory() -> Option<TempDir> {
    tempfile::Builder::new()
        .prefix("plimsoll-bench-")
        .tempdir_in("/dev/shm")
        .ok()
}

/// How many reservations with an account each may be made here: half of the memory that is free,
/// at 2 KiB for both with the buffers of the load.
pub(super) fn reservations_in_memory() -> u64 {
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    // Never fewer than the quick run makes.
    (kibibytes.unwrap_or(0) / 2 / 2).max(100_000)
}

/// What a reader must know to compare: cores, load by others, the disk's flush.
pub(super) fn describe(report: &mut Report, folder: &Path, is_quick: bool) -> Result<(), Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split_whitespace().take(3).collect();
    let flush_ms = flush_ms(folder)?;
    let commit = output(program("git", Path::new(env!("CARGO_MANIFEST_DIR"))).args([
        "rev-parse",
        "--short",
        "HEAD",
    ]));
    let commit = commit.map_or("unknown".into(), |text| {
        String::from_utf8_lossy(&text).trim().to_owned()
    });
    report.machine = vec![
        ("mode", if is_quick { "quick" } else { "whole" }.to_owned()),
        ("commit", commit),
        ("cores", format!("{cores}, shared by server and generator")),
        ("load before", load.join(" ")),
        ("flush of 4 KiB", format!("{flush_ms:.3} ms")),
    ];
    Ok(())
}

/// The median of many small writes, each flushed.
pub(super) fn flush_ms(folder: &Path) -> Result<f64, Failure> {
    let failed = |error| Failure::new(format!("the disk cannot be tried: {error}"));
    let path = folder.join("flush");
    let mut file = File::create(&path).map_err(failed)?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let start = clock::now();
        file.write_all(&[0; 4_096]).map_err(failed)?;
        file.sync_data().map_err(failed)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    std::fs::remove_file(path).map_err(failed)?;
    Ok(median(times))
}
