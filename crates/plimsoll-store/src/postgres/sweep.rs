//! What is due is done by whoever comes first, and holds nobody up.
//!
//! A sweep has a transaction of its own, on a connection of the readers: no lane waits for the locks
//! that it waits for. Where somebody has the tenant's root row it goes on to the next tenant, as
//! whoever has it may be sweeping it; or it waits a little, with no lock of its own.

use plimsoll_core::command::Command;
use plimsoll_core::outcome::Outcome;
use tokio_postgres::error::SqlState;

use super::batch::decide_all;
use super::load::{Lock, load, load_ended, load_holds};
use super::names::Wanted;
use super::session::{BY_INDEX, CommitFault, Fault, Session, Transaction, texts};
use super::write::Writing;
use super::{Node, Postgres};
use crate::due::Wait;
use crate::store::StoreError;

/// How long a sweep waits for a lock at most.
const PATIENCE: &str = "SET LOCAL lock_timeout = '500ms'";

/// Why a sweep came to nothing.
enum Stop {
    /// Somebody else was in the way.
    Held,
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Again => Stop::Held,
            Fault::Refused(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                Stop::Held
            }
            fault => Stop::Fault(fault),
        }
    }
}

impl Postgres {
    /// Has a command decided that nobody waits for; `None` where the tenant is in use.
    pub(crate) async fn sweep(
        &self,
        command: Command,
        wait: Wait,
    ) -> Result<Option<Outcome>, StoreError> {
        self.here(async {
            let lease = self.lease().await?;
            let swept = swept(&self.node, lease.session(), command, wait).await;
            lease.end(swept)
        })
        .await
    }
}

async fn swept(
    node: &Node,
    session: &Session,
    command: Command,
    wait: Wait,
) -> Result<Option<Outcome>, Fault> {
    match once(node, session, command, wait).await {
        Ok(outcome) => Ok(outcome),
        Err(Stop::Fault(fault)) => Err(fault),
        Err(Stop::Held) => {
            session.run("ROLLBACK").await?;
            Ok(None)
        }
    }
}

/// One transaction. Where its commit is lost nobody was told of it: what is still due then is found
/// by the next sweep.
async fn once(
    node: &Node,
    session: &Session,
    command: Command,
    wait: Wait,
) -> Result<Option<Outcome>, Stop> {
    let wanted = Wanted::resolve(session, &node.scopes, vec![command.footprint()]).await?;
    begin(session, &wanted, wait).await?;
    let floor = node.acknowledged.floor(&wanted.tenants());
    let mut tables = load(session, node, &wanted, Lock::Taken).await?;
    floor.check(&tables)?;
    load_ended(session, &mut tables, &wanted).await?;
    let now = node.clock.now();
    let commands = [command];
    let decide = |tables: &_| {
        let decided = decide_all(tables, [commands.as_slice()].into_iter(), now);
        decided.map_err(|breach| Fault::Damaged(breach.to_string()))
    };
    let mut decided = decide(&tables)?;
    if decided.needs_holds {
        load_holds(session, &mut tables, &wanted, now).await?;
        decided = decide(&tables)?;
    }
    let writing = Writing::new(&tables, &decided.events, false);
    let committed = session.write_and_commit(&writing.statements()).await;
    committed.map_err(|fault| match fault {
        CommitFault::Refused(fault) => fault,
        CommitFault::Lost(error) => Fault::Lost(error),
        CommitFault::Warned => Fault::Lost(None),
    })?;
    node.has_committed(&decided.events);
    Ok(decided.outcomes.into_iter().flatten().next())
}

/// Begins a transaction that has the tenants' root rows.
async fn begin(session: &Session, wanted: &Wanted, wait: Wait) -> Result<(), Stop> {
    tokio::try_join!(
        session.begin(Transaction::Writing),
        session.run(PATIENCE),
        session.run(BY_INDEX)
    )?;
    let way = match wait {
        Wait::No => "SKIP LOCKED",
        Wait::Briefly => "",
    };
    let lock =
        format!("SELECT FROM plimsoll.log WHERE tenant = ANY($1) ORDER BY tenant FOR UPDATE {way}");
    let tenants = wanted.tenants();
    let locked = session.rows(&lock, &[texts(&tenants)]).await?;
    if locked.len() == tenants.len() {
        Ok(())
    } else {
        Err(Stop::Held)
    }
}
