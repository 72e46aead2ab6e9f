//! Small worlds, exhaustively: every sequence of a few commands, under every mix of small limits.
//!
//! After each step every law of [`crate::bench`] holds; the judge looks on.

use plimsoll_core::command::Command;

use crate::bench::Bench;
use crate::script::{command, run_bare};
use crate::world::after_start;

/// One step of a sequence.
enum Letter {
    Command(Command),
    /// Nobody asks for anything; milliseconds pass.
    Time(u64),
}

/// Two reservations in two projects, with and without room for each other.
const HOLDS: [&str; 10] = [
    "reserve a p x/y 1 hold 10s",
    "reserve a p x/y 2 hold 20s",
    "reserve b q x/y 1 hold 10s",
    "reserve b p x/y 1 commit",
    "commit a",
    "commit b",
    "release a",
    "release b",
    "limit p x/y 1",
    "10s pass",
];

/// One reservation through every verb, and one that is in its way or makes room for it.
const VERBS: [&str; 14] = [
    "reserve a p x/y 1 hold 10s",
    "reserve a p x/y 3 least 2 commit",
    "reserve a p x/y 1 commit force f",
    "reserve b q x/y 2 least 1 hold 20s",
    "commit a x/y 1",
    "commit b",
    "release a x/y 1",
    "release b",
    "extend a 15s",
    "resize a x/y 2",
    "resize b x/y 1 force f",
    "transfer a to q",
    "forget acme before 20s",
    "10s pass",
];

/// Amounts, items and scopes in exchange for others, up and down the tree.
const SWAPS: [&str; 13] = [
    "reserve a p x/y 1 x/z 1 commit",
    "reserve b q x/y 2 hold 10s",
    "resize a x/y 2",
    "resize a x/z 2 x/y 1",
    "resize b x/z 1",
    "transfer a to q",
    "transfer a to acme",
    "transfer b to p",
    "release a x/z 1",
    "commit b x/y 1",
    "commit b if 7",
    "limit q x/y 1",
    "10s pass",
];

/// Fewer of them, for longer walks.
const LONGER: [&str; 10] = [
    "reserve a p x/y 2 hold 10s",
    "reserve b q x/y 2 least 1 commit",
    "commit a x/y 1",
    "release a x/y 1",
    "release b",
    "extend a 15s",
    "resize a x/y 3",
    "transfer a to q",
    "forget acme before 20s",
    "10s pass",
];

/// Limits that let pass, beside those that do not, and tiers that change.
const MODES: [&str; 12] = [
    "reserve a p x/y 1 hold 10s",
    "reserve a p x/y 2 commit",
    "reserve b q x/y 3 least 1 hold 20s",
    "reserve b p x/y 1 commit force f",
    "release a",
    "resize a x/y 3",
    "transfer a to q",
    "limit p x/y 1 warn",
    "limit acme x/y 1 observe",
    "limit acme x/y 2",
    "scope p under acme tier t",
    "10s pass",
];

/// Limits that begin and end while holds lapse.
const WINDOWS: [&str; 12] = [
    "reserve a p x/y 1 hold 10s",
    "reserve a p x/y 2 commit",
    "reserve b q x/y 2 least 1 commit",
    "resize a x/y 3",
    "transfer a to q",
    "limit p x/y 0 from 5s until 15s",
    "limit p x/y 2 until 10s",
    "limit p x/y 3 warn from 10s",
    "limit acme x/y 1 from 10s until 20s",
    "unlimit p x/y until 10s",
    "limit p x/y 1",
    "10s pass",
];

/// Wishes, what becomes of them, and what is set beside them.
const REQUESTS: [&str; 12] = [
    "submit w p x/y 2",
    "submit v p x/y 3",
    "approve w",
    "approve v until 10s",
    "approve v 2",
    "deny w",
    "cancel v",
    "limit p x/y 2",
    "limit p x/y 0 from 5s",
    "limit p x/y 5 until 10s",
    "reserve a p x/y 2 commit",
    "10s pass",
];

/// A walk over all sequences that begin alike; prefixes are decided once.
struct Walk {
    letters: Vec<Letter>,
    sequences: u64,
    events: u64,
}

impl Walk {
    fn new(letters: &[&str]) -> Self {
        let letter = |line: &&str| match *line {
            "10s pass" => Letter::Time(10_000),
            line => Letter::Command(command(line)),
        };
        Self {
            letters: letters.iter().map(letter).collect(),
            sequences: 0,
            events: 0,
        }
    }

    fn from(&mut self, bench: &Bench, now_ms: u64, steps: u32) {
        if steps == 0 {
            self.sequences += 1;
            return;
        }
        for letter in 0..self.letters.len() {
            match &self.letters[letter] {
                Letter::Time(ms) => self.from(bench, now_ms + ms, steps - 1),
                Letter::Command(command) => {
                    let mut bench = bench.clone();
                    bench.step(command, after_start(now_ms));
                    self.events += std::mem::take(&mut bench.log).len() as u64;
                    self.from(&bench, now_ms, steps - 1);
                }
            }
        }
    }
}

/// What may be set above.
const ABOVE: [&str; 4] = [
    "",
    "limit acme x/y 0",
    "limit acme x/y 1",
    "limit acme x/y 2",
];

/// All sequences of so many steps under some limits; and how many events they make, so that no
/// walk can come to nothing unseen.
fn check(letters: &[&str], here: &str, above: &[&str], steps: u32, events: u64) {
    let mut walk = Walk::new(letters);
    for above in above {
        let mut bench = run_bare(&format!(
            "resource x/y default 1 alerts 50,100
            resource x/z default 2
            scope acme
            scope p under acme
            scope q under acme
            {above}
            {here}"
        ));
        bench.log.clear();
        walk.from(&bench, 0, steps);
    }
    let sequences = above.len() as u64 * (letters.len() as u64).pow(steps);
    assert_eq!((walk.sequences, walk.events), (sequences, events));
}

#[test]
fn default_here() {
    check(&HOLDS, "", &ABOVE, 4, 11_501);
}

#[test]
fn nothing_here() {
    check(&HOLDS, "limit p x/y 0", &ABOVE, 4, 8_762);
}

#[test]
fn one_here() {
    check(&HOLDS, "limit p x/y 1", &ABOVE, 4, 8_221);
}

#[test]
fn two_here() {
    check(&HOLDS, "limit p x/y 2", &ABOVE, 4, 12_348);
}

#[test]
fn longer_where_most_is_possible() {
    check(&HOLDS, "limit p x/y 2", &["limit acme x/y 2"], 5, 36_650);
}

#[test]
fn every_verb() {
    check(&VERBS, "", &ABOVE, 4, 31_119);
}

#[test]
fn every_verb_where_more_is_possible() {
    check(&VERBS, "limit p x/y 2\n limit q x/y 2", &ABOVE, 4, 35_152);
}

#[test]
fn every_verb_for_longer() {
    check(
        &LONGER,
        "limit p x/y 3\n limit q x/y 2",
        &["limit acme x/y 3"],
        5,
        27_117,
    );
}

#[test]
fn swaps() {
    check(&SWAPS, "", &ABOVE, 4, 18_728);
}

#[test]
fn swaps_where_more_is_possible() {
    check(&SWAPS, "limit p x/y 2\n limit q x/y 2", &ABOVE, 4, 23_659);
}

#[test]
fn modes() {
    check(&MODES, "tier t x/y 1 observe", &ABOVE, 4, 38_123);
}

#[test]
fn modes_where_tiers_let_pass() {
    let here = "tier t x/y 0 warn\n scope p under acme tier t\n scope q under acme tier t";
    check(&MODES, here, &["limit acme x/y 2 warn"], 4, 10_336);
}

#[test]
fn windows() {
    check(&WINDOWS, "", &["", "limit acme x/y 2"], 4, 20_986);
}

#[test]
fn requests() {
    check(&REQUESTS, "", &[""], 4, 8_113);
}
