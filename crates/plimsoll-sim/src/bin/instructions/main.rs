//! A fixed piece of work for everything whose instructions `cargo xtask instructions` counts.
//!
//! Each case prepares what it needs, does it once uncounted so that what happens only the first
//! time is behind it, and then many times within [`counted_by_callgrind`]. Nothing here depends on
//! time, on chance or on threads. A line for each case says how many operations were counted:
//! callgrind's dumps come in the same order.

#![expect(
    clippy::print_stdout,
    reason = "what was counted is told on the standard output"
)]

mod dialects;
mod records;
mod rules;
mod tree;

/// As in the server: what it takes to allocate is part of what is counted.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    rules::reserve_one();
    rules::refuse();
    rules::commit_one();
    records::steps();
    records::encode();
    records::start();
    dialects::zenlayer_signature();
    dialects::modelarts_signature();
    dialects::one_reservation();
    dialects::batch();
}

/// What a case does, so often.
struct Case {
    name: &'static str,
    /// How often it is done, beside the time that does not count.
    times: usize,
    /// Operations that are done each time.
    operations: usize,
}

impl Case {
    /// Does the work of one time after the other: `0`, which does not count, to `times`.
    fn count(&self, mut work: impl FnMut(usize)) {
        work(0);
        counted_by_callgrind(self.times, &mut work);
        println!("{}\t{}", self.name, self.times * self.operations);
    }
}

/// Whatever happens in here is counted, and nothing else: callgrind is told this name.
#[inline(never)]
fn counted_by_callgrind(times: usize, work: &mut dyn FnMut(usize)) {
    for time in 1..=times {
        work(time);
    }
}
