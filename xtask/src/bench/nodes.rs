//! Several nodes on one PostgreSQL, beside what people keep in that same server today.

use std::path::Path;
use std::time::Instant;

use crate::bench::load::{Load, Span};
use crate::bench::paths::{ACCOUNTS, BATCH, CONNECTIONS, Cell, FLUSHED, HOT, MANY, run_cells};
use crate::bench::plimsoll::{LOCATIONS, Plimsoll};
use crate::bench::postgres::Postgres;
use crate::bench::report::{Bound, Report};
use crate::bench::{Effort, progress};
use crate::step::Failure;

const NODES: usize = 3;

const PEER: &str = "PostgreSQL, one statement";
const ONE: &str = "1 node";
const ALL: &str = "3 nodes";

/// The database and who serves from it.
struct Cluster {
    postgres: Postgres,
    nodes: Vec<Plimsoll>,
}

pub(super) fn measure(
    report: &mut Report,
    effort: Effort,
    binary: &Path,
    folder: &Path,
    start: Instant,
) -> Result<(), Failure> {
    progress(start, "starting the database and the nodes");
    let Some(postgres) = Postgres::start(folder, ACCOUNTS.count, 1)? else {
        return Err(Failure::new("PostgreSQL was not found on this machine"));
    };
    let cluster = Cluster::start(postgres, binary, folder)?;
    let cells = cluster.cells(effort);
    let rows = run_cells(cells, effort, &cluster.processes(), start)?;
    report.rows.extend(rows);
    judge(report);
    Ok(())
}

impl Cluster {
    fn start(postgres: Postgres, binary: &Path, folder: &Path) -> Result<Self, Failure> {
        let database = postgres.make_database("plimsoll")?;
        let mut nodes: Vec<Plimsoll> = Vec::new();
        for number in 0..NODES {
            let folder = folder.join(format!("node-{number}"));
            let node = Plimsoll::start_node(binary, &folder, &database, nodes.first())?;
            nodes.push(node);
        }
        nodes[0].fill(ACCOUNTS.count / LOCATIONS, LOCATIONS)?;
        // As was done for the peer.
        postgres.analyze("plimsoll")?;
        Ok(Self { postgres, nodes })
    }

    fn processes(&self) -> Vec<u32> {
        let nodes = self.nodes.iter().map(|node| node.process.id());
        nodes.chain([self.postgres.process.id()]).collect()
    }

    /// A load that goes to the first of the nodes, and what it costs the database too.
    fn through(&self, nodes: usize, load: Load) -> Load {
        let nodes = &self.nodes[..nodes];
        let servers = nodes.iter().map(|node| node.process.id());
        Load {
            addresses: nodes.iter().map(|node| node.address).collect(),
            servers: servers.chain([self.postgres.process.id()]).collect(),
            ..load
        }
    }

    fn cells(&self, effort: Effort) -> Vec<Cell> {
        let node = &self.nodes[0];
        let mut cells = Vec::new();
        for (path, account) in [(MANY, None), (HOT, Some(0))] {
            let peer = self.postgres.load(ACCOUNTS.count, account, CONNECTIONS);
            cells.push(Cell::new(effort, path, PEER, "synchronous_commit=on", peer));
            for (name, nodes) in [(ONE, 1), (ALL, NODES)] {
                let load = match account {
                    None => node.many(ACCOUNTS, CONNECTIONS),
                    Some(_) => node.hot(ACCOUNTS, CONNECTIONS),
                };
                let load = self.through(nodes, load);
                cells.push(Cell::new(effort, path, name, FLUSHED, load));
            }
        }
        for (name, nodes) in [(ONE, 1), (ALL, NODES)] {
            let load = self.through(nodes, node.batch(ACCOUNTS, 4));
            let mut cell = Cell::new(effort, BATCH, name, FLUSHED, load);
            cell.span = Span::requests(effort.batches);
            cells.push(cell);
        }
        cells
    }
}

fn judge(report: &mut Report) {
    for (path, least) in [(MANY, 3.0), (HOT, 20.0)] {
        for name in [ONE, ALL] {
            let ratio = report.ratio(path, name, PEER);
            let target = format!("{path}: {name} / peer");
            report.target(target, ratio, Bound::AtLeast(least), " x");
        }
    }
    let evenness = report.ratio(HOT, ALL, ONE);
    let name = format!("{HOT}: {ALL} / {ONE}");
    report.target(name, evenness, Bound::AtLeast(1.0), " x");
    for name in [ONE, ALL] {
        let rate = report.per_second(BATCH, name);
        let target = format!("{BATCH}: {name}");
        report.target(target, rate, Bound::AtLeast(50_000.0), "/s");
    }
}
