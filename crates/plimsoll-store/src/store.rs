//! The one face of all stores.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::Command;
use plimsoll_core::model::{Item, Principal, Reach, Request, Reservation, Scope, Webhook};
use plimsoll_core::names::{PrincipalId, RequestId, ReservationId, ResourceName, ScopeId};
use plimsoll_core::outcome::{Breach, Outcome};
use plimsoll_core::report::ReservationFilter;
use plimsoll_core::rows::Footprint;
use tokio::sync::watch;

use crate::lane::SubmitError;
use crate::list::{LimitsOfItem, Page, ReservationPage};
use crate::local::Local;
use crate::postgres::{Postgres, PostgresOptions};
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
    /// A database cannot be used.
    #[error("the database `{address}` {what}")]
    Database {
        /// Its hosts and its name.
        address: String,
        /// What is wrong, and what to do.
        what: String,
        /// What the driver says.
        #[source]
        source: Option<Box<tokio_postgres::Error>>,
    },
    /// There is nothing to copy.
    #[error("`{place}` holds no ledger")]
    NoLedger {
        /// A data directory, or a database.
        place: String,
    },
    /// A ledger can only be copied to where there is none.
    #[error("`{place}` holds a ledger already, or a part of another: name an empty place")]
    NotEmpty {
        /// A data directory, or a database.
        place: String,
    },
    /// A copy has not come to its end.
    #[error(
        "`{place}` holds a copy that is not whole: run the same `plimsoll copy` again, or remove it"
    )]
    Copying {
        /// A folder, or a database.
        place: String,
    },
    /// What was copied is not what it was copied from.
    #[error("the copy is not the same: {what}; remove it and copy again")]
    NotTheSame {
        /// What differs.
        what: String,
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
    /// SQLite was built without `sqlite_dbpage`: nothing was verified.
    #[error(
        "this build cannot verify: its SQLite does not show a file's pages; build it with \
         `LIBSQLITE3_FLAGS=-DSQLITE_ENABLE_DBPAGE_VTAB`, as `.cargo/config.toml` has it"
    )]
    NoPages,
    /// A write has failed and the store has not come back yet, or its journal is damaged; or too
    /// many wait for what was.
    #[error("the store is not available")]
    Unavailable,
}

/// Rows looked at under one lock, where there may be many.
const ROWS_AT_ONCE_MAX: usize = 5_000;

/// What a store reads the time from.
///
/// A batch has one time: when it is decided.
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
    pub(crate) backend: Backend,
}

/// The stores that there are.
#[derive(Debug)]
pub(crate) enum Backend {
    /// All rows in this process: memory, or SQLite.
    Local(Local),
    /// All rows in a database.
    Postgres(Postgres),
}

impl Store {
    /// A store that forgets everything when it is dropped.
    pub fn memory(clock: Clock) -> Self {
        Self {
            backend: Backend::Local(Local::memory(clock)),
        }
    }

    /// The store in a data directory, which is made where it does not exist.
    ///
    /// Errors: [`StoreError`] says which file, what is wrong with it and what to do. Nothing is
    /// repaired silently.
    pub fn sqlite(directory: &Path, clock: Clock) -> Result<Self, StoreError> {
        Ok(Self {
            backend: Backend::Local(Local::sqlite(directory, clock)?),
        })
    }

    /// The store in a PostgreSQL database, one node of any number. An empty database is laid out.
    ///
    /// Errors: [`StoreError::Database`] says what is wrong with it and what to do.
    pub async fn postgres(options: &PostgresOptions, clock: Clock) -> Result<Self, StoreError> {
        Ok(Self {
            backend: Backend::Postgres(Postgres::open(options, clock).await?),
        })
    }

    /// Makes the migrations that a PostgreSQL database lacks; answers the layouts before and
    /// after, 0 for none.
    ///
    /// Errors: [`StoreError::Database`], where a newer build has laid it out too.
    pub async fn migrate(options: &PostgresOptions) -> Result<(u64, u64), StoreError> {
        Postgres::migrate(options).await
    }

    /// Lets the nodes of a PostgreSQL database write rows of the version that this build reads;
    /// answers the versions before and after.
    ///
    /// Errors: [`StoreError::Database`] also where a node serves that could not read them.
    pub async fn finish_migration(options: &PostgresOptions) -> Result<(u64, u64), StoreError> {
        Postgres::finish(options).await
    }

    /// What the first node said about something that all nodes must have in common; `None` where
    /// none has said anything, or the store has one node only.
    pub async fn agreed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match &self.backend {
            Backend::Local(_) => Ok(None),
            Backend::Postgres(postgres) => postgres.agreed(name).await,
        }
    }

    /// Says something about which all nodes must agree, unless one was faster: answers what
    /// counts.
    pub async fn agree(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        match &self.backend {
            Backend::Local(_) => Ok(value),
            Backend::Postgres(postgres) => postgres.agree(name, value).await,
        }
    }

    /// Decides commands in their order and answers when what they changed is durable.
    ///
    /// Errors: [`SubmitError`] where nothing was decided, or where that is not known.
    pub async fn submit(&self, commands: Vec<Command>) -> Result<Vec<Outcome>, SubmitError> {
        if !self.is_ready() {
            return Err(SubmitError::Unavailable);
        }
        match &self.backend {
            Backend::Local(local) => local.submit(commands).await,
            Backend::Postgres(postgres) => postgres.submit(commands).await,
        }
    }

    /// Calls `report` with the rows that the footprint names, as of one moment, and the catalogue.
    /// What else there is may be there or not.
    ///
    /// Errors: [`StoreError::Unavailable`] while the rows cannot be trusted.
    pub async fn read<T>(
        &self,
        footprint: &Footprint,
        report: impl FnOnce(&Tables) -> T,
    ) -> Result<T, StoreError> {
        match &self.backend {
            // All rows are in memory: those of the footprint are there already.
            Backend::Local(local) => local.with_tables(report),
            Backend::Postgres(postgres) => {
                Ok(report(&*postgres.read_shared(footprint.clone()).await?))
            }
        }
    }

    /// As [`read`](Self::read), also from a read replica: then as of an earlier moment, by no more
    /// than the options allow, and never before what this store has acknowledged. Also tells how
    /// many milliseconds earlier at most; `None` is now.
    ///
    /// The footprint is made only where rows have to be loaded.
    pub async fn read_lately<T>(
        &self,
        footprint: impl FnOnce() -> Footprint,
        report: impl FnOnce(&Tables) -> T,
    ) -> Result<(T, Option<u64>), StoreError> {
        match &self.backend {
            Backend::Local(local) => Ok((local.with_tables(report)?, None)),
            Backend::Postgres(postgres) => {
                let (tables, age_ms) = postgres.read_lately(footprint()).await?;
                Ok((report(&tables), age_ms))
            }
        }
    }

    /// The scopes within the reach, in order of id; with a parent, only those right below it.
    pub async fn list_scopes(
        &self,
        reach: &Reach,
        parent: Option<&ScopeId>,
        page: &Page<ScopeId>,
    ) -> Result<Vec<Scope>, StoreError> {
        match &self.backend {
            Backend::Local(local) => {
                local.with_tables(|tables| tables.list_scopes(reach, parent, page))
            }
            Backend::Postgres(postgres) => postgres.list_scopes(reach, parent, page).await,
        }
    }

    /// The limits set at a scope, in order of item; `None` where the scope is not within reach.
    pub async fn list_limits(
        &self,
        reach: &Reach,
        scope: &ScopeId,
        page: &Page<Item>,
    ) -> Result<Option<Vec<LimitsOfItem>>, StoreError> {
        match &self.backend {
            Backend::Local(local) => {
                local.with_tables(|tables| tables.list_limits(reach, scope, page))
            }
            Backend::Postgres(postgres) => postgres.list_limits(reach, scope, page).await,
        }
    }

    /// The requests of a scope and everything below it, in order of id, those with the status of
    /// this name where one is given; `None` where the scope is not within reach.
    pub async fn list_requests(
        &self,
        reach: &Reach,
        scope: &ScopeId,
        status: Option<&'static str>,
        page: &Page<RequestId>,
    ) -> Result<Option<Vec<Request>>, StoreError> {
        match &self.backend {
            Backend::Local(local) => {
                local.with_tables(|tables| tables.list_requests(reach, scope, status, page))
            }
            Backend::Postgres(postgres) => postgres.list_requests(reach, scope, status, page).await,
        }
    }

    /// All requests for a resource, of whatever tenant, in no order.
    pub async fn requests_for(&self, resource: &ResourceName) -> Result<Vec<Request>, StoreError> {
        match &self.backend {
            Backend::Local(local) => local.with_tables(|tables| {
                let rows = tables.all_requests();
                let rows = rows.filter(|row| row.item.resource == *resource);
                rows.cloned().collect()
            }),
            Backend::Postgres(postgres) => postgres.requests_for(resource).await,
        }
    }

    /// All webhooks, in order of id.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        self.read(&Footprint::default(), |tables| {
            tables.webhooks().cloned().collect()
        })
        .await
    }

    /// The reservations of a scope's tenant that are remembered and wanted, in order of id; none
    /// where there is no such scope.
    ///
    /// They are looked at some at a time, so that nobody waits for all: each is as it was at some
    /// moment since the call.
    pub async fn reservations_of(
        &self,
        scope: &ScopeId,
        is_wanted: impl Fn(&Reservation) -> bool,
    ) -> Result<Vec<Reservation>, StoreError> {
        let mut wanted = Vec::new();
        let mut after: Option<ReservationId> = None;
        loop {
            let last = match &self.backend {
                Backend::Local(local) => local.with_tables(|tables| {
                    let tenant = &tables.scopes.find(scope)?.tenant;
                    let rows = tables.reservations_after(tenant, after.as_ref());
                    let mut last = None;
                    for row in rows.take(ROWS_AT_ONCE_MAX) {
                        last = Some(row.id.clone());
                        if is_wanted(&row) {
                            wanted.push(row);
                        }
                    }
                    last
                })?,
                Backend::Postgres(postgres) => {
                    let most = ROWS_AT_ONCE_MAX;
                    let rows = postgres.reservations_after(scope, after.as_ref(), most);
                    let rows = rows.await?;
                    let last = rows.last().map(|row| row.id.clone());
                    wanted.extend(rows.into_iter().filter(&is_wanted));
                    last
                }
            };
            if last.is_none() {
                return Ok(wanted);
            }
            after = last;
            tokio::task::yield_now().await;
        }
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
        match &self.backend {
            Backend::Local(local) => {
                local.with_tables(|tables| tables.list_reservations(reach, scope, filter, page))
            }
            Backend::Postgres(postgres) => {
                postgres.list_reservations(reach, scope, filter, page).await
            }
        }
    }

    /// The principals, in order of id.
    pub async fn list_principals(
        &self,
        page: &Page<PrincipalId>,
    ) -> Result<Vec<Principal>, StoreError> {
        match &self.backend {
            Backend::Local(local) => local.with_tables(|tables| tables.list_principals(page)),
            Backend::Postgres(postgres) => postgres.list_principals(page).await,
        }
    }

    /// The tenants that use a reservation id, in order.
    pub async fn tenants_of(&self, id: &ReservationId) -> Result<Vec<ScopeId>, StoreError> {
        let mut tenants: Vec<_> = match &self.backend {
            Backend::Local(local) => local
                .with_tables(|tables| tables.reservations().tenants_of(id).cloned().collect())?,
            Backend::Postgres(postgres) => postgres.tenants_of(id).await?,
        };
        tenants.sort_unstable();
        Ok(tenants)
    }

    /// Whether it is this node's turn to do what only one of several is to do; always, where there
    /// is no other. For a moment two may believe so.
    pub fn turn(&self) -> watch::Receiver<bool> {
        match &self.backend {
            Backend::Local(local) => local.turn.subscribe(),
            Backend::Postgres(postgres) => postgres.node.turn.subscribe(),
        }
    }

    /// Whether the store serves: not while a failed write is being mended, and no more once the
    /// journal was found to be damaged; not while its database is away.
    pub fn is_ready(&self) -> bool {
        match &self.backend {
            Backend::Local(local) => local.is_ready(),
            Backend::Postgres(postgres) => postgres.is_ready(),
        }
    }
}
