//! What every store must do, and what only a durable one can.

mod conformance;
mod crowd;
mod damage;
mod durability;
mod flips;
mod history;
mod kill;
mod lists;
mod outage;
mod pages;
mod settings;
mod snapshot;
mod support;
mod tampering;
mod verify;
