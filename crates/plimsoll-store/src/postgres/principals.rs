//! Principals, whom every request names: read together, and remembered by where the catalogue's log
//! stands.

use std::sync::{Arc, Mutex, PoisonError};

use plimsoll_core::event::{Change, Log};
use plimsoll_core::names::PrincipalId;
use plimsoll_core::rows::{Footprint, Rows};
use tokio::sync::{mpsc, oneshot};

use super::Node;
use super::load::log_head;
use super::names::damaged;
use super::read::{WAITING_MAX, rows_of};
use super::session::{Fault, Session};
use crate::store::StoreError;
use crate::tables::{LogHead, Tables};

/// Principals that are read at once.
const PRINCIPALS_MAX: usize = 1_000;

/// Principals whom a node remembers.
const PRINCIPALS_KNOWN_MAX: usize = 10_000;

/// Principals whom somebody waits for.
pub(super) struct Asked {
    principals: Vec<PrincipalId>,
    reply: oneshot::Sender<Option<Arc<Tables>>>,
}

impl Asked {
    /// A queue of them.
    pub(super) fn queue() -> (mpsc::Sender<Self>, mpsc::Receiver<Self>) {
        mpsc::channel(WAITING_MAX)
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask(
        queue: &mpsc::Sender<Self>,
        principals: Vec<PrincipalId>,
    ) -> Result<Arc<Tables>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let queued = queue.try_send(Self { principals, reply });
        queued.map_err(|_| StoreError::Unavailable)?;
        let tables = answer.await.ok().flatten();
        tables.ok_or(StoreError::Unavailable)
    }
}

pub(super) fn is_of_principals_alone(footprint: &Footprint) -> bool {
    let principals = footprint.principals.clone();
    let alone = Footprint {
        principals,
        ..Footprint::default()
    };
    *footprint == alone && !alone.principals.is_empty()
}

/// The principals that were read, while the catalogue's log stands where it stood: whatever changes
/// a principal is in that log.
#[derive(Debug, Default)]
pub(super) struct PrincipalsKnown(Mutex<Arc<Tables>>);

impl PrincipalsKnown {
    /// What is known, if that is as of this moment and all of these are among it.
    fn at(&self, head: LogHead, principals: &[PrincipalId]) -> Option<Arc<Tables>> {
        let known = Arc::clone(&self.lock());
        let has = |id: &PrincipalId| known.principal(id).is_some();
        let is_enough = known.log(&Log::Catalogue) == head && principals.iter().all(has);
        is_enough.then_some(known)
    }

    /// Takes note of what was read, beside what is known as of the same moment.
    fn add(&self, read: &Tables) {
        let mut known = self.lock();
        let mut all = Tables::with_catalogue_of(read);
        let of_both = read.principals_after(None).count() + known.principals_after(None).count();
        if known.log(&Log::Catalogue) == read.log(&Log::Catalogue)
            && of_both <= PRINCIPALS_KNOWN_MAX
        {
            let before = known.principals_after(None).cloned();
            before.for_each(|row| all.put(Change::Principal(row.into())));
        }
        let these = read.principals_after(None).cloned();
        these.for_each(|row| all.put(Change::Principal(row.into())));
        *known = Arc::new(all);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Arc<Tables>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the principals that are asked for; all that are asked for during one read in the next.
///
/// So they are as fresh as if each were read alone, and cost the database next to nothing.
pub(super) async fn read_principals(node: Arc<Node>, mut asked: mpsc::Receiver<Asked>) {
    let mut group = Vec::new();
    while 0 < asked.recv_many(&mut group, PRINCIPALS_MAX).await {
        let mut principals: Vec<PrincipalId> = Vec::new();
        for id in group.iter().flat_map(|it| &it.principals) {
            if !principals.contains(id) {
                principals.push(id.clone());
            }
        }
        let tables = read(&node, principals).await.ok();
        for asked in group.drain(..) {
            // A caller who has gone away does not want the answer.
            let _ = asked.reply.send(tables.clone());
        }
    }
}

async fn read(node: &Node, principals: Vec<PrincipalId>) -> Result<Arc<Tables>, StoreError> {
    let lease = node.lease().await?;
    let found = find(node, lease.session(), principals).await;
    lease.end(found)
}

async fn find(
    node: &Node,
    session: &Session,
    principals: Vec<PrincipalId>,
) -> Result<Arc<Tables>, Fault> {
    let floor = node.acknowledged.floor(&[]);
    let sql = "SELECT revision, at_ms, chain FROM plimsoll.log WHERE tenant = ''";
    let rows = session.rows(sql, &[]).await?;
    let row = rows
        .first()
        .ok_or_else(|| damaged("the catalogue's root row is missing"))?;
    if let Some(known) = node.principals.at(log_head(row, 0)?, &principals) {
        floor.check(&known)?;
        return Ok(known);
    }
    let footprint = Footprint {
        principals,
        ..Footprint::default()
    };
    let read = rows_of(node, session, footprint).await?;
    node.principals.add(&read);
    Ok(Arc::new(read))
}
