//! The simulation, tested: it repeats itself exactly, what it has found stays mended, and it finds.

#[path = "../../../plimsoll-store/tests/store/cluster.rs"]
#[expect(dead_code, reason = "the store's tests need more of it")]
mod cluster;
mod disk;
#[cfg(feature = "planted-bugs")]
mod planted;
mod regressions;
mod repeats;
mod stores;
mod support;
