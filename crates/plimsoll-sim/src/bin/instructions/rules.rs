//! The rules alone, on rows in memory: what one decision costs, whatever keeps it.

use std::hint::black_box;

use plimsoll_core::command::Command;
use plimsoll_core::decide::decide;
use plimsoll_core::outcome::Outcome;

use crate::Case;
use crate::tree::{HOLDS, TREES, Tree, commit, now, reserve, reserve_where_it_is_full};

/// So often on each tree.
const TIMES: usize = 64;

pub(crate) fn reserve_one() {
    count("decide: reserve", HOLDS, reserve, true);
}

/// Looks for when it would fit, among the holds.
pub(crate) fn refuse() {
    count("decide: refuse", HOLDS, reserve_where_it_is_full, false);
}

pub(crate) fn commit_one() {
    count("decide: commit", 0, commit, true);
}

/// Decides commands with the numbers from `first` on; nothing comes of them.
fn count(name: &'static str, first: usize, command: fn(usize) -> Command, is_granted: bool) {
    let case = Case {
        name,
        times: TREES * TIMES,
        operations: 1,
    };
    let trees = Tree::forest();
    let commands: Vec<Command> = (first..=first + TIMES).map(command).collect();
    case.count(|time| {
        trees[time % TREES].engine.read(|rows| {
            let decided = decide(rows, black_box(&commands[time / TREES]), now());
            let decision = decided.expect("rows that do not contradict each other");
            assert_eq!(matches!(decision.outcome, Outcome::Done(_)), is_granted);
            black_box(decision);
        });
    });
}
