//! What every store must do, and what only a durable one can.

mod cluster;
mod conformance;
mod crowd;
mod damage;
mod durability;
mod flips;
mod history;
mod kill;
mod lists;
mod moving;
mod nodes;
mod order;
mod outage;
mod pages;
mod proof;
mod replica;
mod rounds;
mod settings;
mod silence;
mod snapshot;
mod standby;
mod support;
mod sweep;
mod tampering;
mod upgrade;
mod verify;
