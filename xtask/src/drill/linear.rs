//! Whether a history is linearizable: whether one after the other, in some order that keeps to what
//! was over before what began, the rules would have answered all of it just so.
//!
//! The search is Wing and Gong's with Lowe's memory of what was tried: tenants are independent of
//! each other, so each is checked by itself; a state that was reached by the same operations is
//! not tried twice. Two things make it fast, and neither leaves an order out:
//!
//! - What changes nothing and is answered so in the present state is taken at once: taken later, it
//!   could as well have been taken here.
//! - What changes something is tried in the order of the revisions that were told, and what was
//!   never answered after that.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};

use crate::drill::history::{Answer, Dice, Operation};
use crate::drill::model::{Model, Step, Undo};

/// Steps for each operation after which a search is given up. Histories that are in order need
/// little more than one.
const STEPS_MAX: usize = 200;

/// Steps that a search may take in any case.
const STEPS_MIN: usize = 100_000;

/// What is wrong with a history, for people.
#[derive(Debug)]
pub(super) struct Violation(pub(super) String);

/// Checks all tenants; answers how many steps it took.
pub(super) fn check(history: &[Operation]) -> Result<usize, Violation> {
    let mut tenants: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    for operation in history {
        let of = tenants.entry(&operation.tenant).or_default();
        of.push(operation);
    }
    let mut steps = 0;
    for (tenant, operations) in tenants {
        steps += Search::new(tenant, operations).run()?;
    }
    Ok(steps)
}

/// The history of one tenant, and how far the search has come.
struct Search<'a> {
    tenant: &'a str,
    operations: Vec<&'a Operation>,
    /// A number for each operation: those of some, combined, tell which they are.
    marks: Vec<u128>,
    pending: Pending,
    model: Model,
    seen: HashSet<(u128, (u64, u64))>,
    taken: u128,
    steps: usize,
    furthest: Furthest,
}

/// Where the search was when most had an order: what came next could not be explained.
#[derive(Default)]
struct Furthest {
    depth: usize,
    stuck: Option<usize>,
}

/// One operation that has its place, with the others that could have had it.
struct Choice {
    index: usize,
    undo: Option<Undo>,
    /// What else may stand here; the next one last.
    others: Vec<usize>,
}

impl<'a> Search<'a> {
    fn new(tenant: &'a str, mut operations: Vec<&'a Operation>) -> Self {
        operations.sort_by_key(|operation| operation.called);
        let mut dice = Dice(1);
        let mut mark = || (u128::from(dice.next()) << 64) | u128::from(dice.next());
        Self {
            tenant,
            marks: operations.iter().map(|_| mark()).collect(),
            pending: Pending::new(&operations),
            model: Model::new(tenant),
            seen: HashSet::new(),
            taken: 0,
            steps: 0,
            furthest: Furthest::default(),
            operations,
        }
    }

    fn run(mut self) -> Result<usize, Violation> {
        let mut path: Vec<Choice> = Vec::new();
        let mut candidates = self.candidates();
        while self.pending.has_answered() {
            self.steps += 1;
            if STEPS_MIN + STEPS_MAX * self.operations.len() < self.steps {
                return Err(self.violation("no order was found in time"));
            }
            if let Some(choice) = self.advance(candidates) {
                path.push(choice);
                self.furthest.note(path.len(), self.pending.first_to_end());
                candidates = self.candidates();
                continue;
            }
            let Some(last) = path.pop() else {
                return Err(self.violation("no order explains it"));
            };
            self.retreat(&last);
            if let Some(undo) = last.undo {
                self.model.take_back(undo);
            }
            candidates = last.others;
        }
        Ok(self.steps)
    }

    /// What may come next, the most likely one last: whatever began before anything that has no
    /// place yet ended.
    fn candidates(&self) -> Vec<usize> {
        let mut candidates = self.pending.first();
        candidates.sort_by_key(|index| std::cmp::Reverse(self.likelihood(*index)));
        candidates
    }

    /// Small is likely.
    fn likelihood(&self, index: usize) -> (u8, u64, usize) {
        match self.operations[index].end.as_ref().map(|end| &end.answer) {
            Some(Answer::Figures { .. } | Answer::Denied(..)) => (0, 0, index),
            Some(Answer::Row(row)) => (1, row.revision, index),
            None => (2, 0, index),
        }
    }

    /// Gives a place to the first candidate that can have it.
    fn advance(&mut self, mut candidates: Vec<usize>) -> Option<Choice> {
        while let Some(index) = candidates.pop() {
            let operation = self.operations[index];
            let answer = operation.end.as_ref().map(|end| &end.answer);
            let undo = match self.model.step(&operation.ask, answer) {
                Step::Impossible => continue,
                Step::Unchanged => {
                    if answer.is_none() {
                        // To do nothing it need not be done.
                        continue;
                    }
                    candidates.clear();
                    None
                }
                Step::Changed(undo) => Some(undo),
            };
            let taken = self.taken ^ self.marks[index];
            if self.seen.insert((taken, self.model.fingerprint())) {
                self.taken = taken;
                self.pending.take(index);
                return Some(Choice {
                    index,
                    undo,
                    others: candidates,
                });
            }
            if let Some(undo) = undo {
                self.model.take_back(undo);
            }
        }
        None
    }

    fn retreat(&mut self, choice: &Choice) {
        self.taken ^= self.marks[choice.index];
        self.pending.give_back(choice.index);
    }

    fn violation(&self, what: &str) -> Violation {
        let mut text = format!(
            "the history of `{}` is not linearizable: {what}, beyond {} of {} operations",
            self.tenant,
            self.furthest.depth,
            self.operations.len()
        );
        if let Some(stuck) = self.furthest.stuck {
            let end = |operation: &Operation| operation.end.as_ref().map_or(u64::MAX, |it| it.at);
            let stuck = self.operations[stuck];
            let beside = self
                .operations
                .iter()
                .filter(|other| stuck.called <= end(other) && other.called <= end(stuck));
            for operation in beside.take(40) {
                text.push_str("\n  ");
                text.push_str(&operation.told());
            }
        }
        Violation(text)
    }
}

impl Furthest {
    fn note(&mut self, depth: usize, stuck: Option<usize>) {
        if self.depth < depth {
            *self = Self { depth, stuck };
        }
    }
}

/// The operations without a place, in the order in which they began and in that in which they
/// ended: two rings of indices, in which each can be taken out and put back where it was.
struct Pending {
    began: Ring,
    ended: Ring,
    spans: Vec<(u64, u64)>,
}

impl Pending {
    fn new(operations: &[&Operation]) -> Self {
        let end = |operation: &&Operation| operation.end.as_ref().map_or(u64::MAX, |it| it.at);
        let spans: Vec<(u64, u64)> = operations.iter().map(|it| (it.called, end(it))).collect();
        let began: Vec<usize> = (0..spans.len()).collect();
        let mut ended: Vec<usize> = began.clone();
        ended.retain(|index| spans[*index].1 != u64::MAX);
        ended.sort_by_key(|index| spans[*index].1);
        Self {
            began: Ring::new(spans.len(), &began),
            ended: Ring::new(spans.len(), &ended),
            spans,
        }
    }

    fn has_answered(&self) -> bool {
        self.first_to_end().is_some()
    }

    fn first_to_end(&self) -> Option<usize> {
        self.ended.first()
    }

    /// What began before the first of all ended.
    fn first(&self) -> Vec<usize> {
        let end = self.first_to_end().map_or(u64::MAX, |it| self.spans[it].1);
        let began = self.began.iter();
        began.take_while(|it| self.spans[*it].0 <= end).collect()
    }

    fn take(&mut self, index: usize) {
        self.began.take(index);
        if self.spans[index].1 != u64::MAX {
            self.ended.take(index);
        }
    }

    /// In the reverse order of [`take`](Self::take).
    fn give_back(&mut self, index: usize) {
        self.began.give_back(index);
        if self.spans[index].1 != u64::MAX {
            self.ended.give_back(index);
        }
    }
}

/// A doubly linked list over indices, its head behind the last of them.
struct Ring {
    next: Vec<usize>,
    previous: Vec<usize>,
}

impl Ring {
    fn new(length: usize, order: &[usize]) -> Self {
        let mut it = Self {
            next: vec![length; length + 1],
            previous: vec![length; length + 1],
        };
        let mut last = length;
        for index in order {
            it.next[last] = *index;
            it.previous[*index] = last;
            last = *index;
        }
        it.next[last] = length;
        it.previous[length] = last;
        it
    }

    fn head(&self) -> usize {
        self.next.len() - 1
    }

    fn first(&self) -> Option<usize> {
        let first = self.next[self.head()];
        (first != self.head()).then_some(first)
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        std::iter::successors(self.first(), |index| {
            let next = self.next[*index];
            (next != self.head()).then_some(next)
        })
    }

    fn take(&mut self, index: usize) {
        let (previous, next) = (self.previous[index], self.next[index]);
        self.next[previous] = next;
        self.previous[next] = previous;
    }

    fn give_back(&mut self, index: usize) {
        let (previous, next) = (self.previous[index], self.next[index]);
        self.next[previous] = index;
        self.previous[next] = index;
    }
}
