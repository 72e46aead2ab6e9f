//! Makes the core's decisions durable.
//!
//! A [`Store`] takes batches of commands, decides them with `plimsoll-core` and answers once the
//! events are durable. It knows nothing of HTTP, and no rule of the domain.
//!
//! ```text
//! submit ──queue──► lane: one thread
//!                     gather what has arrived           (group commit)
//!                     decide each on Overlay(Tables)    (pure)
//!                     write ONE journal record, flush   (sqlite only)
//!                     apply the events to Tables, answer
//! read ───────────► Tables: what is durable, and nothing else
//! ```
//!
//! | store | durable | for |
//! |---|---|---|
//! | memory | no | tests; the reference for all others |
//! | sqlite | yes | one machine, no set-up |
//! | postgres | yes | many nodes: rows are in the database, each batch is one transaction there |
//!
//! Modules, in reading order: `record` (the bytes), `replay` (from the bytes to the rows), `scopes`,
//! `tables` and `overlay` (the rows), `engine` (one step: decide, write, apply), `lane` (group
//! commit), `news` and `history` (what was), `due` (what is to be swept), `sqlite` (the files),
//! `sink` (which journal), `steady` (the time of decisions), `local` (what memory and SQLite have in
//! common), `postgres` (a node of many on one database), `copy` (from one store to another).

mod audit;
pub mod copy;
mod desk;
mod due;
mod engine;
mod history;
mod lane;
mod list;
mod local;
mod news;
mod overlay;
mod postgres;
mod record;
mod replay;
mod scopes;
#[doc(hidden)]
pub mod simulation;
mod sink;
pub mod sqlite;
mod steady;
mod store;
mod tables;
#[cfg(test)]
mod testing;

pub use due::Wait;
pub use history::{AsOf, AsOfAnswer, EVENTS_PAGE_MAX};
pub use lane::{BATCH_COMMANDS_MAX, QUEUED_COMMANDS_MAX, SubmitError};
pub use list::{LimitsOfItem, Page, ReservationPage};
#[doc(hidden)]
pub use postgres::{Build, Migration};
pub use postgres::{
    LAYOUT as POSTGRES_LAYOUT, LogTip, PostgresOptions, ReplicaOptions, Tips, VerifiedDatabase,
};
pub use postgres::{verify as verify_postgres, verify_with as verify_postgres_with};
pub use record::Hash;
pub use steady::SteadyClock;
pub use store::{Clock, Store, StoreError};
pub use tables::{LogHead, Tables};
