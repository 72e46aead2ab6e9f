//! The native API: JSON under [`BASE`], RFC 9457 problems, a generated OpenAPI document.
//!
//! [`route`] finds the operation that a request asks for and so the role that it takes;
//! [`Route::decode`] turns the request into one [`Call`] or a [`Problem`]; the functions of
//! [`encode`] turn what came of it into a reply. [`OPERATIONS`] is the only list of routes: routing,
//! the roles and [`openapi::document`] are read from it, so a route that is not documented, or that
//! takes another role than it says, cannot exist.
//!
//! Modules, in reading order: `operations`, `wire`, `decode`, [`encode`], `errors`, [`openapi`].

use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::{
    Action, Expected, Extend, ReservationRef, Reserve, Resize, Settle, Transfer,
};
use plimsoll_core::model::{Asked, Item, Lines, Reach, Role};
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
pub use decode::{Route, route};
pub use encode::BatchOutcome;
pub use errors::Problem;
pub use operations::{Method, OPERATIONS, Operation};

/// What every path of the native API starts with.
pub const BASE: &str = "/plimsoll/v1";

/// The path of a batch, whose body may be larger than others.
pub const BATCH_PATH: &str = "/plimsoll/v1/reservations:batch";

/// The most commands in one batch: at 1 KiB each, what fits into a body of 8 MiB.
pub const BATCH_COMMANDS_MAX: usize = 8 * 1024;

/// The most lines in the commands of one batch together: most reservations have one or two, and a
/// batch must not cost others their turn.
pub const BATCH_LINES_MAX: usize = 2 * BATCH_COMMANDS_MAX;

/// What a caller wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Something to be decided as it stands.
    Act(Action),
    /// A change of a reservation; a scope of its tenant is still to be found.
    Change(Change),
    /// Many of them. An item that could not be read is its own problem.
    Batch(Vec<Result<BatchItem, Problem>>),
    /// Whether a reservation would be granted.
    Check {
        /// Where it would be taken.
        scope: ScopeId,
        /// What would be taken.
        asked: Asked,
    },
    /// A new principal, without the secret that the server makes.
    CreatePrincipal(NewPrincipal),
    /// Something to be told.
    Read(Read),
}

/// One command of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchItem {
    /// Take something.
    Reserve(Reserve),
    /// Change what was taken.
    Change(Change),
}

impl BatchItem {
    /// The lines that it names.
    fn lines(&self) -> usize {
        let lines = match self {
            BatchItem::Reserve(reserve) => Some(reserve.asked.lines()),
            BatchItem::Change(change) => match &change.verb {
                Verb::Commit { part } | Verb::Release { part } => part.as_ref(),
                Verb::Resize { lines, .. } => Some(lines),
                Verb::Extend { .. } | Verb::Transfer { .. } => None,
            },
        };
        lines.map_or(0, |lines| lines.len())
    }
}

/// Asks for a change of a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which reservation.
    pub id: ReservationId,
    /// A scope of its tenant: needed where the caller sees more than one tenant with that id.
    pub scope: Option<ScopeId>,
    /// What becomes of it.
    pub verb: Verb,
    /// What the caller believes to be there.
    pub expected: Expected,
}

impl Change {
    /// What is to be decided, once a scope of the reservation's tenant is known: the one that the
    /// caller names, else one that the server finds.
    pub fn action(self, scope: ScopeId) -> Action {
        let Change { id, expected, .. } = self;
        let of = ReservationRef { scope, id };
        let settle = |of, part| Settle { of, part, expected };
        match self.verb {
            Verb::Commit { part } => Action::Commit(settle(of, part)),
            Verb::Release { part } => Action::Release(settle(of, part)),
            Verb::Extend { ttl_ms } => Action::Extend(Extend {
                of,
                ttl_ms,
                expected,
            }),
            Verb::Resize { lines, force } => Action::Resize(Resize {
                of,
                lines,
                force,
                expected,
            }),
            Verb::Transfer { to, force } => Action::Transfer(Transfer {
                of,
                to,
                force,
                expected,
            }),
        }
    }
}

/// What may become of a reservation by its caller's wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It becomes usage.
    Commit {
        /// How much of it, the rest is let go; `None` for all.
        part: Option<Lines>,
    },
    /// It is let go.
    Release {
        /// How much of it; `None` for all.
        part: Option<Lines>,
    },
    /// It is held for longer.
    Extend {
        /// From now on, in milliseconds.
        ttl_ms: u64,
    },
    /// It takes other amounts.
    Resize {
        /// What it is to take from now on.
        lines: Lines,
        /// Why it is to pass the limits, where it is.
        force: Option<Text>,
    },
    /// It is taken in another scope of its tenant.
    Transfer {
        /// Where it is to be taken from now on.
        to: ScopeId,
        /// Why it is to pass the limits, where it is.
        force: Option<Text>,
    },
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
    /// Whether it may let a reservation past the limits.
    pub may_force: bool,
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

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<K> {
    /// The key of the last row of the part before; `None` for the first part.
    pub after: Option<K>,
    /// The most rows: 1 to `PAGE_ITEMS_MAX`.
    pub size: usize,
}
