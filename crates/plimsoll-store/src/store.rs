//! The one face of all stores.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::Command;
use plimsoll_core::model::{Item, Limit, Principal, Reach, Scope};
use plimsoll_core::names::{PrincipalId, ReservationId, ScopeId};
use plimsoll_core::outcome::{Breach, Outcome};
use plimsoll_core::report::ReservationFilter;
use plimsoll_core::rows::Footprint;

use crate::engine::Shared;
use crate::lane::{Lane, SubmitError};
use crate::list::{Page, ReservationPage};
use crate::sink::Sink;
use crate::sqlite::{self, Follower, Scrub};
use crate::tables::Tables;

/// Why a store cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder cannot be used.
    #[error("`{path}` cannot be {verb}")]
    File {
        /// Which.
        path: PathBuf,
        /// What was tried: `opened`, `created`.
        verb: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Another process serves this data directory.
    #[error("`{path}` is in use by another process: stop it, or name another data directory")]
    InUse {
        /// The data directory.
        path: PathBuf,
    },
    /// SQLite refuses.
    #[error("`{path}` cannot be used")]
    Sqlite {
        /// The database file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: rusqlite::Error,
    },
    /// A file holds something else than it should. It is left as it is.
    #[error("`{path}` is damaged or foreign: {what}; {remedy}")]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What is wrong, and where.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A file has a layout that this build does not know. It is left as it is.
    #[error(
        "`{path}` was made by {maker} build (layout {found}, this build knows {known}): {remedy}"
    )]
    Layout {
        /// The database file.
        path: PathBuf,
        /// `a newer`, `an older`.
        maker: &'static str,
        /// The layout that it has.
        found: i32,
        /// The layout that this build knows.
        known: i32,
        /// What to do.
        remedy: &'static str,
    },
    /// The data directory is open to others and holds other things.
    #[error("`{path}` holds other files and is open to others: name a directory of its own")]
    NotOurs {
        /// The data directory.
        path: PathBuf,
    },
    /// The rows contradict each other.
    #[error("`{path}` is damaged; restore it from a backup")]
    Breach {
        /// The database file.
        path: PathBuf,
        /// How.
        #[source]
        source: Breach,
    },
    /// A write has failed and the store has not come back yet, or its journal is damaged.
    #[error("the store is not available")]
    Unavailable,
}

/// What a store reads the time from.
///
/// Time is read once for each batch, when it is decided.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that asks `now`.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// Makes decisions durable and answers from what is durable.
///
/// Dropping it ends its threads once what was submitted is answered.
#[derive(Debug)]
pub struct Store {
    /// Gone before the threads are waited for.
    lane: Option<Lane>,
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
    /// Reads the journal through once.
    _scrub: Option<Scrub>,
    /// Fills the ledger's tables; declared last, so that it ends last.
    _follower: Option<Follower>,
}

impl Store {
    /// A store that forgets everything when it is dropped.
    pub fn memory(clock: Clock) -> Self {
        Self::start(Tables::default(), Sink::Memory, clock)
    }

    /// The store in a data directory, which is made where it does not exist.
    ///
    /// Errors: [`StoreError`] says which file, what is wrong with it and what to do. Nothing is
    /// repaired silently.
    pub fn sqlite(directory: &Path, clock: Clock) -> Result<Self, StoreError> {
        let sqlite::Opened {
            journal,
            tables,
            follower,
            scrubber,
        } = sqlite::open(directory)?;
        let mut store = Self::start(tables, Sink::File(Box::new(journal)), clock);
        store._scrub = Some(scrubber.start(Arc::clone(&store.shared)));
        store._follower = Some(follower);
        Ok(store)
    }

    fn start(tables: Tables, sink: Sink, clock: Clock) -> Self {
        let shared = Arc::new(Shared::new(tables));
        let (lane, thread) = Lane::start(Arc::clone(&shared), sink, clock);
        Self {
            lane: Some(lane),
            shared,
            thread: Some(thread),
            _scrub: None,
            _follower: None,
        }
    }

    /// Decides commands in their order and answers when what they changed is durable.
    ///
    /// Errors: [`SubmitError`] where nothing was decided, or where that is not known.
    pub async fn submit(&self, commands: Vec<Command>) -> Result<Vec<Outcome>, SubmitError> {
        match &self.lane {
            Some(lane) if self.is_ready() => lane.submit(commands).await,
            Some(_) | None => Err(SubmitError::Unavailable),
        }
    }

    /// Calls `report` with the rows that the footprint names, as of one moment.
    ///
    /// Errors: [`StoreError::Unavailable`] while the rows cannot be trusted.
    #[expect(
        clippy::unused_async,
        reason = "a store on a database waits for the rows"
    )]
    pub async fn read<T>(
        &self,
        footprint: &Footprint,
        report: impl FnOnce(&Tables) -> T,
    ) -> Result<T, StoreError> {
        // These stores keep all rows in memory: the footprint is there already.
        let _ = footprint;
        self.with_tables(report)
    }

    /// The scopes within the reach, in order of id; with a parent, only those right below it.
    pub async fn list_scopes(
        &self,
        reach: &Reach,
        parent: Option<&ScopeId>,
        page: &Page<ScopeId>,
    ) -> Result<Vec<Scope>, StoreError> {
        self.read(&Footprint::default(), |tables| {
            tables.list_scopes(reach, parent, page)
        })
        .await
    }

    /// The limits set at a scope, in order of item; `None` where the scope is not within reach.
    pub async fn list_limits(
        &self,
        reach: &Reach,
        scope: &ScopeId,
        page: &Page<Item>,
    ) -> Result<Option<Vec<Limit>>, StoreError> {
        self.read(&Footprint::default(), |tables| {
            tables.list_limits(reach, scope, page)
        })
        .await
    }

    /// The reservations of a scope and everything below it, in order of id; `None` where the
    /// scope is not within reach.
    pub async fn list_reservations(
        &self,
        reach: &Reach,
        scope: &ScopeId,
        filter: &ReservationFilter,
        page: &Page<ReservationId>,
    ) -> Result<Option<ReservationPage>, StoreError> {
        self.read(&Footprint::default(), |tables| {
            tables.list_reservations(reach, scope, filter, page)
        })
        .await
    }

    /// The principals, in order of id.
    pub async fn list_principals(
        &self,
        page: &Page<PrincipalId>,
    ) -> Result<Vec<Principal>, StoreError> {
        self.read(&Footprint::default(), |tables| tables.list_principals(page))
            .await
    }

    /// The tenants that use a reservation id, in order.
    pub async fn tenants_of(&self, id: &ReservationId) -> Result<Vec<ScopeId>, StoreError> {
        let mut tenants: Vec<_> = self.with_tables(|tables| {
            tables
                .reservations_with_id(id)
                .map(|row| row.tenant.clone())
                .collect()
        })?;
        tenants.sort_unstable();
        Ok(tenants)
    }

    /// The tenants that have a hold whose time is over at `now`.
    pub async fn tenants_due(&self, now: Timestamp) -> Result<Vec<ScopeId>, StoreError> {
        self.with_tables(|tables| tables.tenants_due(now).cloned().collect())
    }

    /// The tenants that have a reservation that ended before an instant.
    pub async fn tenants_with_ended_before(
        &self,
        instant: Timestamp,
    ) -> Result<Vec<ScopeId>, StoreError> {
        self.with_tables(|tables| tables.tenants_with_ended_before(instant).cloned().collect())
    }

    /// Whether the store serves: not while a failed write is being mended, and no more once the
    /// journal was found to be damaged.
    pub fn is_ready(&self) -> bool {
        self.shared.is_serving()
    }

    fn with_tables<T>(&self, report: impl FnOnce(&Tables) -> T) -> Result<T, StoreError> {
        if !self.is_ready() {
            return Err(StoreError::Unavailable);
        }
        Ok(report(
            &self
                .shared
                .tables
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.lane = None;
        if let Some(thread) = self.thread.take() {
            // It may be waiting to load the store anew.
            thread.thread().unpark();
            // A lane that panicked has said so already.
            let _ = thread.join();
        }
    }
}
