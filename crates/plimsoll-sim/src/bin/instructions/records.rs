//! The engine without a disk: decisions on top of each other, their records, and the way back.

use std::hint::black_box;

use plimsoll_core::command::Command;
use plimsoll_core::decide::decide;
use plimsoll_core::event::Event;
use plimsoll_store::simulation::{Place, replay};

use crate::Case;
use crate::tree::{GROUP, HOLDS, TREES, Tree, commit, groups, now, reserve};

/// So often on each tree.
const STEPS: usize = 4;
const RECORDS: usize = 32;

/// Decides, writes one record, and applies it.
pub(crate) fn steps() {
    let mut trees = Tree::forest();
    let reserves = groups(HOLDS..HOLDS + (STEPS + 1) * GROUP, reserve);
    count("engine: reserve, 64 at once", &mut trees, &reserves);
    let commits = groups(0..(STEPS + 1) * GROUP, commit);
    count("engine: commit, 64 at once", &mut trees, &commits);
}

fn count(name: &'static str, trees: &mut [Tree], groups: &[Vec<Command>]) {
    let case = Case {
        name,
        times: TREES * STEPS,
        operations: GROUP,
    };
    case.count(|time| trees[time % TREES].step(black_box(&groups[time / TREES])));
}

/// Each event hashed in the chain of its log, all in one record with its checksum and hash.
pub(crate) fn encode() {
    let tree = Tree::grown();
    let mut events: Vec<Event> = Vec::new();
    tree.engine.read(|rows| {
        for number in HOLDS..HOLDS + GROUP {
            let decided = decide(rows, &reserve(number), now());
            events.extend(
                decided
                    .expect("rows that do not contradict each other")
                    .events,
            );
        }
    });
    assert_eq!(events.len(), GROUP);
    let case = Case {
        name: "record: encode, 64 at once",
        times: RECORDS,
        operations: GROUP,
    };
    case.count(|_| {
        let mut record = Place::default().next_record();
        let mut chain = [0; 32];
        for event in black_box(&events) {
            chain = record.push(event, &chain);
        }
        black_box(record.finish());
    });
}

/// A start: records checked, read, applied, and the rows they make checked.
pub(crate) fn start() {
    let mut tree = Tree::grown();
    for group in groups(HOLDS..8 * HOLDS, reserve) {
        tree.step(&group);
    }
    let records = tree.journal.into_records();
    let case = Case {
        name: "record: replay",
        times: TREES,
        operations: 8 * HOLDS,
    };
    case.count(|_| {
        let replayed = replay(black_box(&records).iter().map(Vec::as_slice));
        black_box(replayed.expect("as it was written"));
    });
}
