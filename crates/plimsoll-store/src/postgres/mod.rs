//! The store for many nodes: PostgreSQL decides, and nothing else.
//!
//! A node keeps nothing that another needs. Each batch is one transaction that locks the root rows
//! of its tenants, loads what it needs, decides, writes and commits. Nothing outlives a
//! transaction on a connection, so that a pooler may stand in between.
//!
//! Modules, in reading order: `options` (which database), `session` and `tls` (one connection),
//! `build` and `schema` (the tables, and who may serve them), `names` and `load` (from the database
//! to rows), `batch`, `rows` and `write` (and back), `lane` (one transaction after the other),
//! `parts` (several beside each other), `principals` (who calls), `acknowledged` (what callers were
//! told), `sweep` (what is due), `read`, `list` and `past` (readers), `replica` (who answers them,
//! too), `cursor`, `expected` and `verify` (the proof that all of it holds together), `whole` (all
//! of it, to be copied).

mod acknowledged;
mod batch;
mod build;
mod cursor;
mod expected;
mod lane;
mod list;
mod load;
mod names;
mod options;
mod parts;
mod past;
mod principals;
mod read;
mod replica;
mod rows;
mod schema;
mod session;
mod sweep;
mod tips;
mod tls;
mod verify;
mod whole;
mod write;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plimsoll_core::command::Command;
use plimsoll_core::names::ScopeId;
use plimsoll_core::outcome::Outcome;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Notify, mpsc, watch};

pub(crate) use batch::Written;
pub use build::{Build, Migration};
pub use options::{PostgresOptions, ReplicaOptions};
pub use schema::LAYOUT;
pub use tips::{LogTip, Tips};
pub use verify::{VerifiedDatabase, verify, verify_with};
pub(crate) use whole::{Agreed, Moved, NewDatabase, WholeDatabase};

use self::acknowledged::Acknowledged;
use self::lane::Worker;
use self::load::CatalogueKnown;
use self::names::ScopesKnown;
use self::options::Target;
use self::parts::{PARTS, Parts};
use self::principals::{Asked, PrincipalsKnown};
use self::read::Readers;
use self::replica::Replica;
use self::session::{Fault, Session};
use crate::lane::{Lane, SubmitError};
use crate::news::News;
use crate::store::{Clock, StoreError};

/// How often a node looks for what others have written, and whether the database is there.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// How long it does not look again, whatever it writes itself: a look costs as much as some batches.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// How long a store that ends waits for commits.
const END_PATIENCE: Duration = Duration::from_secs(10);

/// What all tasks of a node share.
#[derive(Debug)]
pub(crate) struct Node {
    target: Target,
    clock: Clock,
    scopes: ScopesKnown,
    catalogue: CatalogueKnown,
    /// Shared with the node that reads the replica: it tells what that one must have.
    acknowledged: Arc<Acknowledged>,
    principals: PrincipalsKnown,
    replica: Option<Replica>,
    readers: Readers,
    pub(crate) news: News,
    /// Whether it is this node's turn to do what only one is to do.
    pub(crate) turn: watch::Sender<bool>,
    is_serving: AtomicBool,
    has_written: Notify,
    ends: Notify,
}

impl Node {
    fn new(
        target: Target,
        options: &PostgresOptions,
        clock: Clock,
        acknowledged: Arc<Acknowledged>,
    ) -> Self {
        Self {
            readers: Readers::new(options.readers),
            target,
            clock,
            scopes: ScopesKnown::default(),
            catalogue: CatalogueKnown::default(),
            acknowledged,
            principals: PrincipalsKnown::default(),
            replica: None,
            news: News::of_journal(0),
            turn: watch::Sender::new(false),
            is_serving: AtomicBool::new(true),
            has_written: Notify::new(),
            ends: Notify::new(),
        }
    }

    /// Looks at the database, and at its replica where one is named.
    async fn open(&mut self, options: &PostgresOptions) -> Result<Session, StoreError> {
        let session = schema::check(self.target.clone()).await?;
        let place = past::last_place(&session).await;
        let place = place.map_err(|_| StoreError::Unavailable)?;
        self.news.go_on_at(place);
        if let Some(replica) = &options.replica {
            let target = Target::replica(options, replica)?;
            let (clock, acknowledged) = (self.clock.clone(), Arc::clone(&self.acknowledged));
            let node = Arc::new(Self::new(target, options, clock, acknowledged));
            self.replica = Some(Replica::open(node, replica.age_max, &session).await?);
        }
        Ok(session)
    }

    /// A new connection. A server that accepts one and then says nothing is given up.
    async fn connect(&self) -> Result<Session, Fault> {
        let opening = Session::open(&self.target);
        let opened = tokio::time::timeout(self.target.open_patience(), opening).await;
        let opened = opened.map_err(|_| Fault::Lost(None))?;
        opened.map_err(|error| Fault::Lost(Some(error)))
    }

    fn statement_timeout(&self) -> Duration {
        self.target.statement_timeout
    }

    /// Takes note of what was written, before anybody is told.
    fn has_committed(&self, events: &[Written]) {
        if !events.is_empty() {
            self.acknowledged.note(events);
            self.has_written.notify_one();
        }
    }
}

/// The store on a database, as one node sees it.
#[derive(Debug)]
pub(crate) struct Postgres {
    pub(crate) node: Arc<Node>,
    /// Gone before the thread is waited for.
    lanes: Vec<Lane>,
    /// For the parts of large submissions.
    wide: Vec<Lane>,
    /// To who reads principals.
    asked: mpsc::Sender<Asked>,
    tasks: Handle,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Postgres {
    /// Connects, and makes sure that the layout is the one that this build knows; an empty
    /// database is laid out.
    pub(crate) async fn open(options: &PostgresOptions, clock: Clock) -> Result<Self, StoreError> {
        let target = Target::parse(options)?;
        let acknowledged = Acknowledged::open(options.acknowledged_file.as_deref())?;
        let acknowledged = Arc::new(acknowledged);
        let runtime = runtime(&target)?;
        let mut node = Node::new(target, options, clock, acknowledged);
        let options = options.clone();
        let lanes = options.lanes.max(1);
        let opening = runtime.spawn(async move {
            let session = node.open(&options).await?;
            Ok((node, session))
        });
        match opening.await.unwrap_or(Err(StoreError::Unavailable)) {
            Ok((node, session)) => Ok(Self::start(Arc::new(node), runtime, session, lanes)),
            Err(error) => {
                // It cannot be waited for here.
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    /// Makes the migrations that are missing; answers the layouts before and after.
    pub(crate) async fn migrate(options: &PostgresOptions) -> Result<(u64, u64), StoreError> {
        let target = Target::parse(options)?;
        let runtime = runtime(&target)?;
        let migrated = runtime.spawn(schema::bring_up(target)).await;
        runtime.shutdown_background();
        migrated.unwrap_or(Err(StoreError::Unavailable))
    }

    /// Lets nodes write rows of the version that this build reads; answers the versions before and
    /// after.
    pub(crate) async fn finish(options: &PostgresOptions) -> Result<(u64, u64), StoreError> {
        let target = Target::parse(options)?;
        let runtime = runtime(&target)?;
        let finished = runtime.spawn(schema::finish(target)).await;
        runtime.shutdown_background();
        finished.unwrap_or(Err(StoreError::Unavailable))
    }

    fn start(node: Arc<Node>, runtime: Runtime, session: Session, lanes: usize) -> Self {
        let tasks = runtime.handle().clone();
        let mut workers = Vec::new();
        let mut start_lane = || {
            let (front, arrivals) = Lane::queue();
            workers.push(tasks.spawn(Worker::new(Arc::clone(&node), arrivals).run()));
            front
        };
        let fronts = (0..lanes).map(|_| start_lane()).collect();
        let wide = (0..PARTS).map(|_| start_lane()).collect();
        let (asked, questions) = Asked::queue();
        tasks.spawn(principals::read_principals(Arc::clone(&node), questions));
        tasks.spawn(Replica::watch(Arc::clone(&node)));
        let watcher = tasks.spawn(past::watch(Arc::clone(&node), session));
        let ending = Arc::clone(&node);
        let all_answered = async move {
            for worker in workers {
                // A lane that panicked has said so already.
                let _ = worker.await;
            }
        };
        let too_long = async move {
            ending.ends.notified().await;
            tokio::time::sleep(END_PATIENCE).await;
        };
        let until_end = async {
            tokio::select! {
                () = all_answered => {}
                () = too_long => tracing::warn!("ended before all commits were answered"),
            }
        };
        let thread = std::thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || {
                runtime.block_on(until_end);
                watcher.abort();
                runtime.shutdown_background();
            })
            .expect("the system starts a thread at start-up");
        Self {
            node,
            lanes: fronts,
            wide,
            asked,
            tasks,
            thread: Some(thread),
        }
    }

    pub(crate) async fn submit(&self, commands: Vec<Command>) -> Result<Vec<Outcome>, SubmitError> {
        match Parts::of(commands, &self.node.scopes) {
            Ok(parts) => parts.submit(&self.wide).await,
            Err(whole) => self.lane_of(&whole).submit(whole).await,
        }
    }

    /// Commands of one tenant share a lane, so that they share a transaction and never wait for
    /// each other's locks; and so do those that concern several. That makes it fast; the locks
    /// make it right.
    fn lane_of(&self, commands: &[Command]) -> &Lane {
        let mut tenants = commands.iter().map(|command| self.tenant_of(command));
        let first = tenants.next().flatten();
        let is_alone = tenants.all(|tenant| tenant == first);
        let tenant = first.filter(|_| is_alone);
        let index = tenant.map_or(0, |id| spread(&id)) % self.lanes.len();
        &self.lanes[index]
    }

    fn tenant_of(&self, command: &Command) -> Option<ScopeId> {
        let footprint = command.footprint();
        let of_reservation = footprint.reservations.first().map(|(scope, _)| scope);
        let scope = footprint.scopes.first().or(of_reservation)?;
        let tenant = self.node.scopes.tenant(scope);
        Some(tenant.unwrap_or_else(|| scope.clone()))
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.node.is_serving.load(Ordering::Acquire)
    }
}

/// The threads on which a node talks to the database.
fn runtime(target: &Target) -> Result<Runtime, StoreError> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("postgres")
        .enable_all()
        .build();
    runtime.map_err(|error| {
        tracing::error!(%error, "no threads can be started");
        target.error("cannot be used: no threads can be started", None)
    })
}

/// A thread that waits for one thing, with all that it takes to talk to the database.
fn waiting_runtime(target: &Target) -> Result<Runtime, StoreError> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| {
        tracing::error!(%error, "no sockets can be used");
        target.error("cannot be used: no sockets can be used", None)
    })
}

/// A number that is the same for the same tenant, and likely another for another.
fn spread(tenant: &ScopeId) -> usize {
    let hash = crc32fast::hash(tenant.as_str().as_bytes());
    usize::try_from(hash).unwrap_or(0)
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.lanes.clear();
        self.wide.clear();
        self.node.ends.notify_one();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so already.
            let _ = thread.join();
        }
    }
}
