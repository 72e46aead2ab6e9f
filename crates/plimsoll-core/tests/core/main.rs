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
mod random;
mod render;
mod render_request;
mod script;
mod table;
mod words;
mod world;

mod at_least;
mod bounds;
mod breaches;
mod catalogue;
mod cost;
mod crossings;
mod denials;
mod extend;
mod force;
mod forget;
mod grounds;
mod laws;
mod limits;
mod mends;
mod modes;
mod number_space;
mod parts;
mod preconditions;
mod reach;
mod reconcile;
mod refusals;
mod reports;
mod requests;
mod requests_beside;
mod requests_decided;
mod reservations;
mod resize;
mod small_worlds;
mod tallies;
mod tiers;
mod transfer;
mod values;
mod webhooks;
mod windows;
