//! What is due: found by whoever looks, and done where nobody is in the way.

use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::Command;
use plimsoll_core::names::ScopeId;
use plimsoll_core::outcome::Outcome;

use crate::lane::SubmitError;
use crate::store::{Backend, Store, StoreError};

/// What to do where somebody else is using a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Nothing.
    No,
    /// Wait a little, longer than a decision takes.
    Briefly,
}

impl Store {
    /// Decides a command of the server's own that nobody waits for, and that comes again where
    /// nothing comes of it; `None` where its tenant is in use by another node or lane.
    ///
    /// Errors: as for [`submit`](Self::submit).
    pub async fn sweep(
        &self,
        command: Command,
        wait: Wait,
    ) -> Result<Option<Outcome>, SubmitError> {
        match &self.backend {
            Backend::Local(_) => Ok(self.submit(vec![command]).await?.pop()),
            Backend::Postgres(postgres) => {
                let swept = postgres.sweep(command, wait).await;
                swept.map_err(|_| SubmitError::Unavailable)
            }
        }
    }

    /// The tenants that have a hold whose time is over at `now`.
    pub async fn tenants_due(&self, now: Timestamp) -> Result<Vec<ScopeId>, StoreError> {
        match &self.backend {
            Backend::Local(local) => local.with_tables(|tables| tables.tenants_due(now)),
            Backend::Postgres(postgres) => postgres.tenants_due(now).await,
        }
    }

    /// The tenants that have a reservation that ended before an instant.
    pub async fn tenants_with_ended_before(
        &self,
        instant: Timestamp,
    ) -> Result<Vec<ScopeId>, StoreError> {
        match &self.backend {
            Backend::Local(local) => {
                local.with_tables(|tables| tables.tenants_with_ended_before(instant))
            }
            Backend::Postgres(postgres) => postgres.tenants_with_ended_before(instant).await,
        }
    }
}
