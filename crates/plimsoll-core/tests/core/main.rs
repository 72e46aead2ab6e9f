//! What the rules promise, tested from outside.
//!
//! Every decision of every test goes through [`bench::Bench`]: it sees only the rows that its
//! footprint names ([`fence`]), it is applied to a naive reference ([`world`]), and a judge that
//! knows the design but not the code ([`auditor`], [`table`]) looks on.
//!
//! Scenarios are scripts ([`script`]) with their expected transcript ([`render`]); then come small
//! worlds exhaustively, and laws on random commands.

mod auditor;
mod bench;
mod fence;
mod render;
mod script;
mod table;
mod world;

mod at_least;
mod bounds;
mod breaches;
mod catalogue;
mod cost;
mod denials;
mod extend;
mod force;
mod forget;
mod laws;
mod limits;
mod number_space;
mod parts;
mod preconditions;
mod reach;
mod refusals;
mod reservations;
mod resize;
mod small_worlds;
mod transfer;
mod values;
