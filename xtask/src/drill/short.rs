//! The short drill: three nodes on one PostgreSQL that crashes, cut connections, killed nodes.
//!
//! Nothing in it is a matter of time: each fault waits until callers have got on with their work.

use std::path::Path;

use crate::drill::load::Load;
use crate::drill::nodes::{COUNT, Nodes};
use crate::drill::plain::Plain;
use crate::drill::process::Owner;
use crate::drill::report::{Fault, Report};
use crate::step::Failure;

/// How often everything fails, one after the other.
const ROUNDS: usize = 3;

/// Faults of a short drill.
pub(super) const FAULTS: usize = 3 * ROUNDS;

/// Changes that callers must get between two faults.
const CHANGES_BETWEEN: u64 = 200;

/// Starts everything, lets it fail, and tells what callers were told.
pub(super) fn run(
    binary: &Path,
    tools: &Path,
    folder: &Path,
    owner: Owner,
    seed: u64,
) -> Result<Report, Failure> {
    let mut database = Plain::start(tools, folder, owner)?;
    let mut nodes = Nodes::start(binary, folder, &database.config())?;
    let load = Load::start(nodes.addresses.clone(), &nodes.token, seed);
    load.wait_for_changes(CHANGES_BETWEEN)?;
    let mut faults = Vec::new();
    for round in 0..ROUNDS {
        faults.push(Fault::watch("a node is killed", &load, |load| {
            let index = round % COUNT;
            nodes.kill(index);
            load.wait_for_changes(CHANGES_BETWEEN)?;
            load.shared.put_node(index, nodes.restart(index)?);
            load.wait_for_changes(CHANGES_BETWEEN)
        })?);
        faults.push(Fault::watch("connections are cut", &load, |load| {
            if database.cut_connections()? == 0 {
                return Err(Failure::new("there were no connections to cut"));
            }
            load.wait_for_changes(CHANGES_BETWEEN)
        })?);
        faults.push(Fault::watch("PostgreSQL crashes", &load, |load| {
            database.crash_and_restart()?;
            load.wait_for_changes(CHANGES_BETWEEN)
        })?);
    }
    let recorded = load.end()?;
    Report::of(recorded, faults, &mut nodes, |sql| database.ask(sql), seed)
}
