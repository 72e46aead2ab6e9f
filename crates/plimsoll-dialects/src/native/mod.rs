//! The native API: JSON under [`BASE`], RFC 9457 problems, a generated OpenAPI document.
//!
//! [`route`] finds the operation that a request asks for and so the role that it takes;
//! [`Route::decode`] turns the request into one [`Call`] or a [`Problem`]; the functions of
//! [`encode`] turn what came of it into a reply. [`operations()`] is the only list of routes: routing,
//! the roles and [`openapi::document`] are read from it, so a route that is not documented, or that
//! takes another role than it says, cannot exist.
//!
//! Modules, in reading order: `operations`, `call`, `read`, `format`, `wire`, `decode`, [`encode`], `errors`,
//! `events`, `notices`, [`openapi`].

mod auth;
mod call;
mod decode;
pub mod encode;
mod errors;
mod events;
mod format;
mod notices;
pub mod openapi;
mod operations;
mod page;
mod parameter;
mod read;
mod wire;

pub use auth::bearer_token;
pub use call::{
    BatchItem, Call, Change, Kind, NewPrincipal, NewRequest, NewWebhook, Reconcile, Verb,
};
pub use decode::{Route, route};
pub use encode::{BatchOutcome, Reconciled};
pub use errors::Problem;
pub use events::visible;
pub use format::Format;
pub use notices::{Delivery, Notice, notices};
pub use operations::{Method, Operation, operations};
pub use read::{AsOf, EventFilter, Page, Read};

/// What every path of the native API starts with.
pub const BASE: &str = "/plimsoll/v1";

/// The path of a batch, whose body may be larger than others.
pub const BATCH_PATH: &str = "/plimsoll/v1/reservations:batch";

/// The path of a reconcile, whose body may be larger than others: `INVENTORY_THINGS_MAX` things.
pub const RECONCILE_PATH: &str = "/plimsoll/v1/reconcile";

/// The most commands in one batch: at 1 KiB each, what fits into a body of 8 MiB.
pub const BATCH_COMMANDS_MAX: usize = 8 * 1024;

/// The most lines in the commands of one batch together: most reservations have one or two, and a
/// batch must not cost others their turn.
pub const BATCH_LINES_MAX: usize = 2 * BATCH_COMMANDS_MAX;
