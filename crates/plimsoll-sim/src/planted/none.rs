//! No bug is built in.

use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::Command;
use plimsoll_core::outcome::{Breach, Decision};
use plimsoll_core::rows::Rows;

use super::Bug;

pub(super) fn decide<R: Rows>(
    bug: Bug,
    _: &R,
    _: &Command,
    _: Timestamp,
) -> Result<Decision, Breach> {
    match bug {}
}
