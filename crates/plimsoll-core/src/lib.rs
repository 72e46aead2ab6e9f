//! The rules of a quota authority: who may take more, and why not.
//!
//! # The model in a page
//!
//! A **resource** (`vm/image`) is a kind of thing that is limited, perhaps per **location**
//! (`FRA-A`). A **scope** is a node in a tenant's tree; the root of the tree is the **tenant**.
//! A **limit** is a ceiling for (scope, resource, location or any). An **account** holds the
//! running figures of (scope, resource, location): `used` and `held`. A **reservation** is what
//! one caller took: it is held until it is committed, released or expired, and it counts at its
//! scope and at every scope above. Every change is an **event** in the log of one tenant, with
//! the log's next **revision** and the post-values of every row that it touched.
//!
//! # The shape
//!
//! ```text
//! Command --footprint--> the store loads Rows --decide(rows, command, now)--> Decision
//!                                                        outcome: what the caller is told
//!                                                        events:  what the store makes durable
//! ```
//!
//! [`decide`](decide::decide) is the only way in which anything changes, and it is a pure
//! function: time and ids are arguments, and it sees only the rows that the command's
//! [`Footprint`](rows::Footprint) names, so that a database may hold all the others.
//!
//! Modules, in reading order: [`bounds`], [`names`], [`amount`], [`model`], [`command`],
//! [`rows`], [`outcome`], [`event`], [`ceilings`], [`decide`], [`report`], [`reconcile`],
//! [`invariants`].

#![no_std]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::wildcard_enum_match_arm
    )
)]

extern crate alloc;

pub mod amount;
pub mod bounds;
pub mod ceilings;
pub mod command;
pub mod decide;
pub mod event;
pub mod invariants;
pub mod model;
pub mod names;
pub mod outcome;
pub mod reconcile;
pub mod report;
pub mod rows;
