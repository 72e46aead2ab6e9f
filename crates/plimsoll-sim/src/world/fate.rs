//! What goes wrong, and when: a pack of cards, so that every kind comes up.

use crate::disk::{Fault, Moment, Tail};
use crate::random::Random;

/// A kind of misfortune.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Card {
    /// The machine fails while nothing is being written.
    CrashWhileIdle,
    /// The machine fails while a record is being written.
    CrashIn(Moment),
    /// The machine fails, and once more while it starts.
    CrashAmidStart,
    /// The machine fails, and the start cannot flush.
    StartFails,
    /// One write fails.
    WriteFails,
    /// One flush fails.
    FlushFailsAndDrops,
    /// One flush fails, and what was written can still be read.
    FlushFailsAndKeeps,
    /// The disk is full for a while.
    Full,
    /// The machine's clock is set ahead for a while.
    JumpAhead,
    /// The machine's clock is set back for a while.
    JumpBack,
    /// A byte on the disk is another one.
    Rot,
}

const PACK: [Card; 13] = [
    Card::CrashWhileIdle,
    Card::CrashIn(Moment::Write),
    Card::CrashIn(Moment::Flush),
    Card::CrashIn(Moment::Answer),
    Card::CrashAmidStart,
    Card::StartFails,
    Card::WriteFails,
    Card::FlushFailsAndDrops,
    Card::FlushFailsAndKeeps,
    Card::Full,
    Card::JumpAhead,
    Card::JumpBack,
    Card::Rot,
];

/// The pack.
#[derive(Default)]
pub(super) struct Fate {
    left: Vec<Card>,
}

impl Fate {
    /// The next card; an empty pack is shuffled anew.
    pub(super) fn draw(&mut self, random: &mut Random) -> Card {
        if self.left.is_empty() {
            self.left = PACK.to_vec();
            random.shuffle(&mut self.left);
        }
        self.left.pop().expect("a pack has cards")
    }
}

impl Card {
    /// What becomes of the next write.
    pub(super) fn fault(self, random: &mut Random) -> Option<Fault> {
        Some(match self {
            Card::CrashIn(moment) => Fault::Crash(moment, tail(random)),
            Card::WriteFails => Fault::WriteFails {
                permille: random.below(1_001),
            },
            Card::FlushFailsAndDrops => Fault::FlushFailsAndDrops,
            Card::FlushFailsAndKeeps => Fault::FlushFailsAndKeeps,
            Card::CrashWhileIdle
            | Card::CrashAmidStart
            | Card::StartFails
            | Card::Full
            | Card::JumpAhead
            | Card::JumpBack
            | Card::Rot => return None,
        })
    }
}

/// What a crash leaves.
pub(super) fn tail(random: &mut Random) -> Tail {
    match random.below(5) {
        0 => Tail::Lost,
        1 => Tail::Kept,
        2 => Tail::Garbled(random.below(1_000)),
        _ => Tail::Torn(random.below(1_000)),
    }
}
