//! The whole drill: a primary that is killed, frozen or cut off, a standby that is cut off, nodes
//! that are killed or hear nothing, while callers go on.

use std::path::Path;

use crate::drill::cluster::{Cluster, DATABASES, Programs};
use crate::drill::load::Load;
use crate::drill::nodes::Nodes;
use crate::drill::process::Owner;
use crate::drill::proxy::Place;
use crate::drill::report::{Fault, Report};
use crate::step::Failure;

/// Changes that callers must get behind each fault.
const CHANGES_BETWEEN: u64 = 200;

/// Calls that nobody answers before a silence is ended.
const UNKNOWN_MIN: u64 = 6;

/// Faults of a whole drill.
pub(super) const FAULTS: usize = 8;

/// Starts everything, lets it fail, and tells what callers were told.
pub(super) fn run(
    root: &Path,
    binary: &Path,
    folder: &Path,
    programs: Programs,
    owner: Owner,
    seed: u64,
) -> Result<Report, Failure> {
    println!("starting etcd, Patroni, PostgreSQL and HAProxy");
    let mut cluster = Cluster::start(root, folder, programs, owner)?;
    println!("starting nodes");
    let mut nodes = Nodes::start(binary, folder, &cluster.config)?;
    let load = Load::start(nodes.addresses.clone(), &nodes.token, seed);
    load.wait_for_changes(CHANGES_BETWEEN)?;
    let faults = vec![
        Fault::watch("a node is killed", &load, |load| {
            nodes.kill(1);
            load.wait_for_changes(CHANGES_BETWEEN)?;
            load.shared.put_node(1, nodes.restart(1)?);
            load.wait_for_changes(CHANGES_BETWEEN)
        })?,
        Fault::watch("an etcd is killed", &load, |load| {
            cluster.kill_etcd(0);
            load.wait_for_changes(CHANGES_BETWEEN)?;
            cluster.boot_etcd(0)?;
            load.wait_for_changes(CHANGES_BETWEEN)
        })?,
        kill_primary(&mut cluster, &load)?,
        freeze_primary(&cluster, &load)?,
        cut_primary_off(&cluster, &load)?,
        cut_standby_off(&cluster, &load)?,
        cut_nodes_off(&cluster, &load)?,
        kill_primary(&mut cluster, &load)?,
    ];
    let recorded = load.end()?;
    Report::of(recorded, faults, &mut nodes, |sql| cluster.ask(sql), seed)
}

fn primary(cluster: &Cluster) -> Result<(usize, usize), Failure> {
    let primary = cluster.primary();
    let primary = primary.ok_or_else(|| Failure::new("there is no primary"))?;
    Ok((primary, DATABASES - 1 - primary))
}

/// Its Patroni, its server and all its processes are gone at once; it comes back as a standby.
fn kill_primary(cluster: &mut Cluster, load: &Load) -> Result<Fault, Failure> {
    let (old, new) = primary(cluster)?;
    Fault::watch("the primary is killed, and comes back", load, |load| {
        cluster.kill(old)?;
        cluster.wait_until_primary(new)?;
        cluster.boot(old)?;
        cluster.wait_until_whole()?;
        load.wait_for_changes(CHANGES_BETWEEN)
    })
}

/// Its Patroni stands still until another database is the primary, its server goes on.
fn freeze_primary(cluster: &Cluster, load: &Load) -> Result<Fault, Failure> {
    let (old, new) = primary(cluster)?;
    Fault::watch("the primary's Patroni is frozen, and thaws", load, |load| {
        cluster.signal_patroni(old, "STOP")?;
        cluster.wait_until_primary(new)?;
        cluster.signal_patroni(old, "CONT")?;
        cluster.wait_until_whole()?;
        load.wait_for_changes(CHANGES_BETWEEN)?;
        if cluster.primary() == Some(new) {
            Ok(())
        } else {
            Err(Failure::new("the frozen primary has taken its place back"))
        }
    })
}

/// Nothing passes between it and all others until another database is the primary.
fn cut_primary_off(cluster: &Cluster, load: &Load) -> Result<Fault, Failure> {
    let (old, new) = primary(cluster)?;
    let links = |from, _| from == Place::Database(old);
    Fault::watch("the primary is cut off, and back", load, |load| {
        cluster.network.set(true, links);
        cluster.wait_until_primary(new)?;
        cluster.network.set(false, links);
        cluster.wait_until_whole()?;
        load.wait_for_changes(CHANGES_BETWEEN)
    })
}

/// Nothing passes between the databases: meanwhile nothing may be acknowledged.
fn cut_standby_off(cluster: &Cluster, load: &Load) -> Result<Fault, Failure> {
    let between = |from, to| matches!((from, to), (Place::Database(_), Place::Database(_)));
    let mut silence = None;
    let fault = Fault::watch("the standby is cut off, and back", load, |load| {
        cluster.network.set(true, between);
        let start = load.shared.now();
        load.wait_for_unknown(UNKNOWN_MIN)?;
        silence = Some((start, load.shared.now()));
        cluster.network.set(false, between);
        load.wait_for_changes(CHANGES_BETWEEN)
    })?;
    Ok(fault.without_changes_in(silence))
}

/// Nothing passes between the nodes and the primary's database, though its Patroni is well.
fn cut_nodes_off(cluster: &Cluster, load: &Load) -> Result<Fault, Failure> {
    let (now, _) = primary(cluster)?;
    let links = |from, to| from == Place::Nodes && to == Place::Database(now);
    Fault::watch("the nodes hear nothing, and again", load, |load| {
        cluster.network.set(true, links);
        load.wait_for_unknown(UNKNOWN_MIN)?;
        cluster.network.set(false, links);
        cluster.wait_until_whole()?;
        load.wait_for_changes(CHANGES_BETWEEN)
    })
}
