//! The simulation, tested: it repeats itself exactly, what it has found stays mended, and it finds.

mod disk;
#[cfg(feature = "planted-bugs")]
mod planted;
mod regressions;
mod repeats;
