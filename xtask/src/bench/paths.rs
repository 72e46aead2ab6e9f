//! The same work through each system in turn, several rounds over.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::bench::ceiling::Ceiling;
use crate::bench::load::{Load, Span};
use crate::bench::plimsoll::{LOCATIONS, Plimsoll};
use crate::bench::postgres::Postgres;
use crate::bench::process::cpu_seconds;
use crate::bench::redis::Redis;
use crate::bench::report::{Bound, Race, Report, Row};
use crate::bench::sample::{Figures, Sample};
use crate::bench::template::Accounts;
use crate::bench::{Effort, clock, machine, progress};
use crate::step::Failure;

/// Connections of the loads that are not said to be otherwise.
pub(super) const CONNECTIONS: u32 = 64;

/// Accounts of the loads that go to many.
pub(super) const ACCOUNTS: Accounts = Accounts {
    count: 10_000,
    locations: LOCATIONS,
};

const RACE_LIMIT: u64 = 1_000;
const RACE_ASKED: u64 = 1_920;

const READS: &str = "signed quota read, 64 connections";
pub(super) const MANY: &str = "single reservations, 64 connections, 10,000 accounts";
pub(super) const HOT: &str = "single reservations, 64 connections, one account";
const ALONE: &str = "single reservations, one client, 10,000 accounts";
pub(super) const BATCH: &str = "batches of 8,192, JSON, 4 connections";
const BINARY: &str = "batches of 8,192, protobuf, 4 connections";

pub(super) const FLUSHED: &str = "flushed before the answer";
const READ_ONLY: &str = "nothing written";

/// Those that are on this machine.
struct Systems {
    plimsoll: Plimsoll,
    postgres: Option<Postgres>,
    redis: Option<Redis>,
}

/// One system on one path.
pub(super) struct Cell {
    path: &'static str,
    system: String,
    durability: &'static str,
    load: Load,
    pub(super) span: Span,
    samples: Vec<Sample>,
}

pub(super) fn measure(
    report: &mut Report,
    effort: Effort,
    binary: &Path,
    folder: &Path,
    start: Instant,
) -> Result<(), Failure> {
    progress(start, "starting the systems");
    let systems = Systems::start(binary, folder)?;
    for (name, is_there) in [
        ("PostgreSQL", systems.postgres.is_some()),
        ("Redis", systems.redis.is_some()),
    ] {
        if !is_there {
            report
                .notes
                .push(format!("{name}: not found on this machine"));
        }
    }
    reads(report, effort, &systems.plimsoll, folder, start)?;
    singles(report, effort, &systems, start)?;
    races(report, &systems, start)?;
    batches(report, effort, &systems, binary, start)?;
    judge(report);
    Ok(())
}

impl Systems {
    fn start(binary: &Path, folder: &Path) -> Result<Self, Failure> {
        let plimsoll = Plimsoll::start(binary, &folder.join("plimsoll"), None)?;
        plimsoll.fill(ACCOUNTS.count / LOCATIONS, LOCATIONS)?;
        plimsoll.make_race(RACE_LIMIT)?;
        Ok(Self {
            plimsoll,
            postgres: Postgres::start(folder, ACCOUNTS.count, RACE_LIMIT)?,
            redis: Redis::start(folder, ACCOUNTS.count, RACE_LIMIT)?,
        })
    }

    fn processes(&self) -> Vec<u32> {
        let loads = [
            self.postgres.as_ref().map(|peer| peer.load(1, None, 1)),
            self.redis.as_ref().map(|peer| peer.load(1, None, 1)),
        ];
        let peers = loads.into_iter().flatten().flat_map(|load| load.servers);
        peers.chain([self.plimsoll.process.id()]).collect()
    }
}

fn reads(
    report: &mut Report,
    effort: Effort,
    plimsoll: &Plimsoll,
    folder: &Path,
    start: Instant,
) -> Result<(), Failure> {
    let mut cells = Vec::new();
    let mut ceilings = Vec::new();
    for (name, request) in plimsoll.reads()? {
        let bytes = super::http::body_bytes(plimsoll.address, &request)?;
        let ceiling = Ceiling::start(folder, bytes)?;
        let mut bare = plimsoll.read(&request, CONNECTIONS);
        bare.addresses = vec![ceiling.address];
        bare.servers = vec![ceiling.process.id()];
        let load = plimsoll.read(&request, CONNECTIONS);
        let system = format!("bare hyper, {bytes} bytes, for {name}");
        cells.push(Cell::new(effort, READS, system, READ_ONLY, bare));
        let system = format!("Plimsoll, {name}");
        cells.push(Cell::new(effort, READS, system, READ_ONLY, load));
        ceilings.push(ceiling);
    }
    let idle = [plimsoll.process.id()];
    let rows = run_cells(cells, effort, &idle, start)?;
    for pair in rows.chunks(2) {
        if let [bare, ours] = pair {
            let name = format!("{} / bare hyper", ours.system);
            let ratio = ours.figures.per_second / bare.figures.per_second;
            report.target(name, Some(ratio), Bound::AtLeast(0.75), " x");
        }
    }
    report.rows.extend(rows);
    Ok(())
}

fn singles(
    report: &mut Report,
    effort: Effort,
    systems: &Systems,
    start: Instant,
) -> Result<(), Failure> {
    let mut cells = Vec::new();
    let paths = [
        (MANY, None, CONNECTIONS),
        (HOT, Some(0), CONNECTIONS),
        (ALONE, None, 1),
    ];
    for (path, account, connections) in paths {
        let plimsoll = &systems.plimsoll;
        let ours = match account {
            None => plimsoll.many(ACCOUNTS, connections),
            Some(_) => plimsoll.hot(ACCOUNTS, connections),
        };
        cells.push(Cell::new(effort, path, "Plimsoll", FLUSHED, ours));
        if let Some(peer) = &systems.postgres {
            let load = peer.load(ACCOUNTS.count, account, connections);
            let mode = "synchronous_commit=on";
            cells.push(Cell::new(effort, path, "PostgreSQL", mode, load));
        }
        if let Some(peer) = &systems.redis {
            let load = peer.load(ACCOUNTS.count, account, connections);
            let mode = "appendfsync always";
            cells.push(Cell::new(effort, path, "Redis", mode, load));
        }
    }
    let rows = run_cells(cells, effort, &systems.processes(), start)?;
    report.rows.extend(rows);
    Ok(())
}

/// More is asked than the limit allows, by many at once; what is granted is read afterwards.
fn races(report: &mut Report, systems: &Systems, start: Instant) -> Result<(), Failure> {
    progress(start, "racing to a limit");
    let span = Span::requests(RACE_ASKED / u64::from(CONNECTIONS));
    let account = ACCOUNTS.count;
    let mut tell = |system, granted| {
        report.races.push(Race {
            system,
            asked: RACE_ASKED,
            limit: RACE_LIMIT,
            granted,
        });
    };
    systems.plimsoll.race(ACCOUNTS, CONNECTIONS).run(span)?;
    tell("Plimsoll", systems.plimsoll.taken_in_race()?);
    if let Some(peer) = &systems.postgres {
        peer.load(1, Some(account), CONNECTIONS).run(span)?;
        tell("PostgreSQL", peer.held(account)?);
    }
    if let Some(peer) = &systems.redis {
        peer.load(1, Some(account), CONNECTIONS).run(span)?;
        tell("Redis", peer.held(account)?);
    }
    Ok(())
}

/// On the disk, and with the same files in memory, where a flush costs nothing.
fn batches(
    report: &mut Report,
    effort: Effort,
    systems: &Systems,
    binary: &Path,
    start: Instant,
) -> Result<(), Failure> {
    let plimsoll = &systems.plimsoll;
    let load = plimsoll.batch(ACCOUNTS, 4);
    let mut cells = vec![Cell::new(effort, BATCH, "Plimsoll", FLUSHED, load)];
    let mut idle = systems.processes();
    let memory = machine::folder_in_memory();
    let mut unflushed = None;
    if let Some(memory) = &memory {
        let server = Plimsoll::start(binary, &memory.path().join("plimsoll"), None)?;
        server.fill(ACCOUNTS.count / LOCATIONS, LOCATIONS)?;
        let load = server.batch(ACCOUNTS, 4);
        let mode = "off: files in memory";
        cells.push(Cell::new(effort, BATCH, "durability off", mode, load));
        idle.push(server.process.id());
        unflushed = Some(server);
    }
    let load = plimsoll.binary_batch(ACCOUNTS, 4);
    cells.push(Cell::new(effort, BINARY, "Plimsoll", FLUSHED, load));
    // By number, not by time: few batches end in a second, and parts of them would not count.
    for cell in &mut cells {
        cell.span = Span::requests(effort.batches);
    }
    let rows = run_cells(cells, effort, &idle, start)?;
    report.rows.extend(rows);
    drop(unflushed);
    Ok(())
}

impl Cell {
    pub(super) fn new(
        effort: Effort,
        path: &'static str,
        system: impl Into<String>,
        durability: &'static str,
        load: Load,
    ) -> Self {
        Self {
            path,
            system: system.into(),
            durability,
            load,
            span: effort.span,
            samples: Vec::new(),
        }
    }
}

/// Round by round, each in turn, so that what others do on the machine hits all alike.
pub(super) fn run_cells(
    mut cells: Vec<Cell>,
    effort: Effort,
    idle: &[u32],
    start: Instant,
) -> Result<Vec<Row>, Failure> {
    for round in 1..=effort.rounds {
        for cell in &mut cells {
            settle(idle);
            let sample = cell.load.run(cell.span)?;
            let rate = sample.per_second();
            let (path, system) = (cell.path, &cell.system);
            progress(
                start,
                &format!("{path}: round {round}, {system}: {rate:.0}/s"),
            );
            cell.samples.push(sample);
        }
    }
    let rows = cells.into_iter().map(|cell| Row {
        path: cell.path,
        system: cell.system,
        durability: cell.durability,
        figures: Figures::of(&cell.samples),
    });
    Ok(rows.collect())
}

/// Waits until the servers do nothing: what one does behind its answers must not slow the next.
pub(super) fn settle(servers: &[u32]) {
    wait_for_quiet(servers, Duration::from_millis(50), Duration::from_secs(5));
}

/// Waits until a server has done all that it does behind its answers, which it begins a second later
/// at most.
pub(super) fn finish(report: &mut Report, server: u32) {
    const PATIENCE: Duration = Duration::from_secs(60);
    if !wait_for_quiet(&[server], Duration::from_millis(1_500), PATIENCE) {
        let seconds = PATIENCE.as_secs();
        report.notes.push(format!(
            "what follows is doubtful: the server was still at work {seconds} s after its last answer"
        ));
    }
}

/// Waits until the servers have done nothing for so long, within reason; answers whether they have.
fn wait_for_quiet(servers: &[u32], quiet: Duration, patience: Duration) -> bool {
    const LOOK: Duration = Duration::from_millis(50);
    let busy = || servers.iter().map(|id| cpu_seconds(*id)).sum::<f64>();
    let start = clock::now();
    let (mut before, mut since) = (busy(), start);
    while start.elapsed() < patience {
        clock::wait(LOOK);
        let after = busy();
        // One tick of the kernel's clock in 50 ms is a fifth of a core.
        if 0.015 <= after - before {
            since = clock::now();
        } else if quiet <= since.elapsed() {
            return true;
        }
        before = after;
    }
    false
}

fn judge(report: &mut Report) {
    let ours = "Plimsoll";
    let many = report.per_second(MANY, ours);
    let hot = report.per_second(HOT, ours);
    let batch = report.per_second(BATCH, ours);
    for (path, peer, least) in [
        (MANY, "PostgreSQL", 5.0),
        (HOT, "PostgreSQL", 50.0),
        (MANY, "Redis", 3.0),
        (HOT, "Redis", 3.0),
        (ALONE, "PostgreSQL", 1.0),
    ] {
        let ratio = report.ratio(path, ours, peer);
        report.target(
            format!("{path} / {peer}"),
            ratio,
            Bound::AtLeast(least),
            " x",
        );
    }
    let evenness = hot.zip(many).map(|(hot, many)| hot / many);
    let name = "single reservations, one account / many accounts";
    report.target(name, evenness, Bound::AtLeast(0.9), " x");
    report.notes.extend(ceiling_note(report));
    report.target(BATCH, batch, Bound::AtLeast(400_000.0), "/s");
    let binary = report.per_second(BINARY, ours);
    report.target(BINARY, binary, Bound::AtLeast(1_000_000.0), "/s");
    let ratio = report.ratio(BATCH, ours, "durability off");
    let name = format!("{BATCH} / durability off");
    report.target(name, ratio, Bound::AtLeast(0.5), " x");
}

/// What no server over HTTP goes beyond with this load on this machine, as ratios like those of the
/// targets: a server that looks for nothing and writes nothing.
fn ceiling_note(report: &Report) -> Option<String> {
    let rates = report.rows.iter().filter(|row| row.path == READS);
    let bare = rates.filter(|row| row.system.starts_with("bare hyper"));
    let most = bare.map(|row| row.figures.per_second).reduce(f64::max)?;
    let to = |path, peer| Some(most / report.per_second(path, peer)?);
    let (many, hot) = (to(MANY, "PostgreSQL")?, to(HOT, "PostgreSQL")?);
    let redis = to(MANY, "Redis")?;
    Some(format!(
        "bare hyper answers {most:.0}/s at most, and does nothing for it: {many:.1} x PostgreSQL over \
         many accounts, {hot:.0} x on one, {redis:.1} x Redis"
    ))
}
