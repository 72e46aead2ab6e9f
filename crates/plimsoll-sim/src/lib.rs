//! A deterministic simulation of the service and its store, with faults, and an auditor.
//!
//! ```text
//! world ──steps──► stage: one machine
//!   clients          server   the code that a server runs: native API, core, engine, records
//!   network          disk     simulated: loses what was not flushed, tears, fails, is full
//!   misfortune       clocks   simulated: the machine's clock jumps, the monotonic one does not
//!   ◄──answers──     auditor  its own picture, written from the design; judges every answer
//! ```
//!
//! A run follows from its seed alone: there is one source of randomness, no thread, no file and no
//! clock. What happens to the server is a list of [`Step`](step::Step)s; a run that finds something
//! is told as such a list, which reproduces it without the world, and which can be made shorter.
//!
//! What is left out: sockets and HTTP's bytes (`plimsoll`'s tests), who calls (its tests and the
//! dialects'), SQLite and its files (the store's crash, flip and tampering tests), threads (the
//! store's `crowd` tests), the ledger's tables.
//!
//! Modules, in reading order: [`random`], [`step`], [`disk`], `server`, `auditor`, [`stage`],
//! [`world`], [`planted`], [`shrink`], [`runner`].

mod auditor;
pub mod disk;
pub mod planted;
pub mod random;
pub mod runner;
mod server;
pub mod shrink;
pub mod stage;
pub mod step;
pub mod world;

pub use auditor::Finding;
