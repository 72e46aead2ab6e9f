//! A shorter list of steps that still finds something.

use crate::auditor::Finding;
use crate::planted::Bug;
use crate::stage::Stage;
use crate::step::Step;

/// Steps that are taken in all while a list is made shorter: some seconds.
const STEPS_TAKEN_MAX: usize = 3_000_000;

/// Takes the steps of a list on a new machine; answers the number of the step at which something
/// was found, and what.
pub fn replay(steps: &[Step], bug: Option<Bug>) -> Option<(usize, Finding)> {
    let mut stage = Stage::new(bug);
    steps
        .iter()
        .enumerate()
        .find_map(|(index, step)| Some((index, stage.apply(step).err()?)))
}

/// Leaves out what is not needed, in ever smaller pieces.
pub fn shrink(mut steps: Vec<Step>, bug: Option<Bug>) -> Vec<Step> {
    let mut left = STEPS_TAKEN_MAX;
    let mut piece = steps.len() / 2;
    while 0 < piece {
        let mut start = 0;
        let before = steps.len();
        while start < steps.len() {
            let end = (start + piece).min(steps.len());
            let mut shorter = steps.clone();
            shorter.drain(start..end);
            let Some(rest) = left.checked_sub(shorter.len()) else {
                return steps;
            };
            left = rest;
            match replay(&shorter, bug) {
                Some((found_at, _)) => {
                    shorter.truncate(found_at + 1);
                    steps = shorter;
                }
                None => start = end,
            }
        }
        // A round that helped may make room for another one of the same size.
        if steps.len() == before || piece > 1 {
            piece /= 2;
        }
    }
    steps
}
