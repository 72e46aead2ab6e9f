//! The native API: JSON under [`BASE`], RFC 9457 problems, a generated OpenAPI document.
//!
//! [`decode`] turns a request into one [`Call`] or a [`Problem`]; the functions of [`encode`] turn
//! what came of it into a reply. [`OPERATIONS`] is the only list of routes: routing, the roles and
//! [`openapi::document`] are read from it, so a route that is not documented cannot exist.
//!
//! Modules, in reading order: `operations`, `wire`, `decode`, [`encode`], `errors`, [`openapi`].

use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::{Action, Reserve};
use plimsoll_core::model::{Item, Lines, Reach, Role};
use plimsoll_core::names::{LocationId, PrincipalId, ReservationId, ResourceName, ScopeId, Text};
use plimsoll_core::report::{QuotaFilter, ReservationFilter};

mod auth;
mod decode;
pub mod encode;
mod errors;
pub mod openapi;
mod operations;
mod page;
mod parameter;
mod wire;

pub use auth::bearer_token;
pub use decode::decode;
pub use encode::BatchOutcome;
pub use errors::Problem;
pub use operations::{Method, OPERATIONS, Operation};

/// What every path of the native API starts with.
pub const BASE: &str = "/plimsoll/v1";

/// The path of a batch, whose body may be larger than others.
pub const BATCH_PATH: &str = "/plimsoll/v1/reservations:batch";

/// The most commands in one batch: at 1 KiB each, what fits into a body of 8 MiB.
pub const BATCH_COMMANDS_MAX: usize = 8 * 1024;

/// What a caller wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Something to be decided as it stands.
    Act(Action),
    /// The end of a hold; its tenant is still to be found.
    Settle(Settle),
    /// Many of them. An item that could not be read is its own problem.
    Batch(Vec<Result<BatchItem, Problem>>),
    /// Whether a reservation would be granted.
    Check {
        /// Where it would be taken.
        scope: ScopeId,
        /// What would be taken.
        lines: Lines,
    },
    /// A new principal, without the secret that the server makes.
    CreatePrincipal(NewPrincipal),
    /// Something to be told.
    Read(Read),
}

impl Call {
    /// The least role that may ask for it.
    pub fn role(&self) -> Role {
        match self {
            Call::Act(action) => action.role(),
            Call::Settle(_) | Call::Batch(_) => Role::Enforcer,
            Call::Check { .. } => Role::Viewer,
            Call::CreatePrincipal(_) => Role::Admin,
            Call::Read(read) => read.role(),
        }
    }
}

/// One command of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchItem {
    /// Take something.
    Reserve(Reserve),
    /// Keep it or let it go.
    Settle(Settle),
}

/// Asks for the end of a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settle {
    /// Which end.
    pub verb: Verb,
    /// Of which reservation.
    pub id: ReservationId,
    /// A scope of the tenant: needed where the caller sees more than one tenant with that id.
    pub scope: Option<ScopeId>,
}

/// How a hold ends by its caller's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It becomes usage.
    Commit,
    /// It is let go.
    Release,
}

/// Asks for a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPrincipal {
    /// How it will prove itself.
    pub kind: Kind,
    /// The id that the caller wants it to have.
    pub id: Option<PrincipalId>,
    /// What it may do.
    pub role: Role,
    /// Where it may do it.
    pub reach: Reach,
    /// The first instant at which it may not call.
    pub expires_at: Option<Timestamp>,
    /// For people.
    pub description: Text,
}

/// How a principal proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It signs its requests.
    AccessKey,
    /// It shows a bearer token.
    Token,
}

impl Kind {
    /// The kind's name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::AccessKey => "access_key",
            Kind::Token => "token",
        }
    }
}

/// What a caller wants to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// All resources.
    Resources,
    /// One resource.
    Resource(ResourceName),
    /// All locations.
    Locations,
    /// One location.
    Location(LocationId),
    /// The scopes within the caller's reach.
    Scopes {
        /// Only those right below this one.
        parent: Option<ScopeId>,
        /// Which part of the list.
        page: Page<ScopeId>,
    },
    /// One scope.
    Scope(ScopeId),
    /// The limits that are set at a scope.
    Limits {
        /// The scope.
        scope: ScopeId,
        /// Which part of the list.
        page: Page<Item>,
    },
    /// What a scope may take and has taken.
    Quotas {
        /// The scope.
        scope: ScopeId,
        /// Which of them.
        filter: QuotaFilter,
        /// Which part of the list.
        page: Page<Item>,
    },
    /// One reservation.
    Reservation {
        /// Its id.
        id: ReservationId,
        /// A scope of its tenant: needed where the caller sees more than one with that id.
        scope: Option<ScopeId>,
    },
    /// The reservations in a scope.
    Reservations {
        /// The scope.
        scope: ScopeId,
        /// Which of them.
        filter: ReservationFilter,
        /// Which part of the list.
        page: Page<ReservationId>,
    },
    /// All principals.
    Principals {
        /// Which part of the list.
        page: Page<PrincipalId>,
    },
    /// One principal.
    Principal(PrincipalId),
}

impl Read {
    fn role(&self) -> Role {
        match self {
            Read::Resources
            | Read::Resource(_)
            | Read::Locations
            | Read::Location(_)
            | Read::Scopes { .. }
            | Read::Scope(_)
            | Read::Limits { .. }
            | Read::Quotas { .. }
            | Read::Reservation { .. }
            | Read::Reservations { .. } => Role::Viewer,
            Read::Principals { .. } | Read::Principal(_) => Role::Admin,
        }
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<K> {
    /// The key of the last row of the part before; `None` for the first part.
    pub after: Option<K>,
    /// The most rows: 1 to `PAGE_ITEMS_MAX`.
    pub size: usize,
}
