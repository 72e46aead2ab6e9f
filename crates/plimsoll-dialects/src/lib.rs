//! Vendors' HTTP to core values and back, over plain requests and replies.
//!
//! A dialect turns one [`http::Request`] into one command or query of `plimsoll-core`, and the
//! outcome into one [`http::Reply`]. It knows no store, no socket and no clock.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
        clippy::wildcard_enum_match_arm,
    )
)]

pub mod http;
pub mod modelarts;
pub mod native;
pub mod sign;
pub mod zenlayer;
