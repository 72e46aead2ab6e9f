//! Made-up histories of concurrent callers, from a seed: those that a faultless server could have
//! made are accepted, those of a faulty one and those that were spoilt are not.

use crate::drill::corrupt;
use crate::drill::history::{APP, Answer, Ask, Dice, End, Operation, WEB, scope_of};
use crate::drill::linear::check;
use crate::drill::model::{Model, Step};

const CALLERS: usize = 10;
const TENANT: &str = "t";

/// What a made-up server does wrong, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// It forgets a change that it has acknowledged.
    LosesAcknowledged,
    /// It answers a read with what was some changes ago.
    ReadsStale,
    /// It decides a reservation by what was some changes ago.
    DecidesStale,
}

/// A server with callers whose calls overlap.
struct Server {
    dice: Dice,
    model: Model,
    /// What was decided, in order; to decide again up to some point.
    decided: Vec<Ask>,
    fault: Fault,
    now: u64,
    ids: u64,
    history: Vec<Operation>,
}

/// A call on its way: the operation's index, whether it has been decided, its answer.
struct Call {
    index: usize,
    answer: Option<Answer>,
}

impl Server {
    fn history(seed: u64, fault: Fault, steps: usize) -> Vec<Operation> {
        let mut it = Self {
            dice: Dice(seed),
            model: Model::new(TENANT),
            decided: Vec::new(),
            fault: Fault::Nothing,
            now: 0,
            ids: 0,
            history: Vec::new(),
        };
        let mut calls: Vec<Option<Call>> = (0..CALLERS).map(|_| None).collect();
        for step in 0..steps {
            it.now += 1;
            if step == steps / 2 {
                it.fault = fault;
            }
            let caller = it.dice.index(CALLERS);
            calls[caller] = it.go_on(calls[caller].take());
        }
        it.history
    }

    fn go_on(&mut self, call: Option<Call>) -> Option<Call> {
        let Some(mut call) = call else {
            let ask = self.ask();
            self.history.push(Operation {
                tenant: TENANT.to_owned(),
                ask,
                called: self.now,
                end: None,
            });
            let index = self.history.len() - 1;
            return Some(Call {
                index,
                answer: None,
            });
        };
        // A few answers are lost, with what was asked or after it was done.
        if self.dice.below(100) == 0 {
            return None;
        }
        if let Some(answer) = call.answer {
            let at = self.now;
            self.history[call.index].end = Some(End { at, answer });
            return None;
        }
        let ask = self.history[call.index].ask.clone();
        call.answer = Some(self.decide(&ask));
        Some(call)
    }

    fn ask(&mut self) -> Ask {
        let part = [WEB, APP][self.dice.index(2)];
        let scope = scope_of(TENANT, part);
        let known = self.dice.below(self.ids + 1);
        let id = format!("r{known}");
        match self.dice.below(12) {
            0..4 => {
                self.ids += 1;
                Ask::Reserve {
                    id: format!("r{}", self.ids),
                    scope,
                    amount: 1 + self.dice.below(4),
                    for_good: self.dice.below(2) == 0,
                }
            }
            4 => Ask::Commit { id },
            5..8 => Ask::Release { id },
            8 => Ask::Resize {
                id,
                amount: 1 + self.dice.below(4),
            },
            9 => Ask::Look { id },
            _ => Ask::Figures {
                scope: TENANT.to_owned(),
            },
        }
    }

    fn decide(&mut self, ask: &Ask) -> Answer {
        let mut past = self.past();
        match (self.fault, ask) {
            (Fault::ReadsStale, Ask::Figures { .. })
                if past.answer(ask) != self.model.answer(ask) =>
            {
                self.fault = Fault::Nothing;
                return past.answer(ask);
            }
            (Fault::LosesAcknowledged, Ask::Reserve { .. }) => {
                let Step::Changed(undo) = self.model.step(ask, None) else {
                    return self.model.answer(ask);
                };
                self.model.take_back(undo);
                let answer = self.copy(self.decided.len()).answer(ask);
                if matches!(answer, Answer::Row(_)) {
                    self.fault = Fault::Nothing;
                }
                return answer;
            }
            (Fault::DecidesStale, Ask::Reserve { .. }) => {
                let stale = past.answer(ask);
                if let (Answer::Row(_), Answer::Denied(..)) =
                    (&stale, self.copy(self.decided.len()).answer(ask))
                {
                    self.fault = Fault::Nothing;
                    return stale;
                }
            }
            _ => {}
        }
        if ask.is_change() {
            self.decided.push(ask.clone());
        }
        self.model.answer(ask)
    }

    /// The rows as they were some time ago.
    fn past(&self) -> Model {
        match self.fault {
            Fault::Nothing => Model::new(TENANT),
            _ => self.copy(self.decided.len().saturating_sub(100)),
        }
    }

    fn copy(&self, decided: usize) -> Model {
        let mut model = Model::new(TENANT);
        for ask in &self.decided[..decided] {
            model.answer(ask);
        }
        model
    }
}

#[test]
fn what_can_have_happened_is_accepted() {
    for seed in 0..60 {
        let history = Server::history(seed, Fault::Nothing, 1_500);
        let checked = check(&history);
        assert!(
            checked.is_ok(),
            "seed {seed}: {}",
            checked.expect_err("wrong").0
        );
        assert!(history.iter().any(|it| it.end.is_none()), "seed {seed}");
    }
}

#[test]
fn what_a_faulty_server_answers_is_rejected() {
    for fault in [
        Fault::LosesAcknowledged,
        Fault::ReadsStale,
        Fault::DecidesStale,
    ] {
        let rejected = (0..20).filter(|seed| {
            let history = Server::history(*seed, fault, 1_500);
            check(&history).is_err()
        });
        // What is stale may by chance be so again.
        assert!(19 <= rejected.count(), "{fault:?}");
    }
}

#[test]
fn spoilt_histories_are_rejected() {
    let counts = (0..2).map(|seed| {
        let history = Server::history(seed, Fault::Nothing, 1_500);
        corrupt::prove(&history, seed, 95).unwrap_or_else(|error| panic!("seed {seed}: {error}"))
    });
    let (rejected, made) = counts.fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
    assert!(150 <= made, "{rejected} of {made}");
}

/// A change that was not answered may be seen or not, but not first seen and then not.
#[test]
fn what_was_not_answered_is_done_or_not_but_not_undone() {
    let operation = |called, ask, answer: Option<Answer>| Operation {
        tenant: TENANT.to_owned(),
        ask,
        called,
        end: answer.map(|answer| End {
            at: called + 1,
            answer,
        }),
    };
    let figures = |called, used| {
        let scope = TENANT.to_owned();
        operation(
            called,
            Ask::Figures { scope },
            Some(Answer::Figures { used, held: 0 }),
        )
    };
    let reserve = operation(
        0,
        Ask::Reserve {
            id: "r1".to_owned(),
            scope: scope_of(TENANT, WEB),
            amount: 2,
            for_good: true,
        },
        None,
    );
    let cases = [
        ([0, 0, 0], true),
        ([0, 2, 2], true),
        ([2, 2, 2], true),
        ([0, 2, 0], false),
        ([0, 1, 1], false),
    ];
    for (seen, is_legal) in cases {
        let reads = seen.iter().zip([10, 20, 30]);
        let reads = reads.map(|(used, called)| figures(called, *used));
        let history: Vec<Operation> = std::iter::once(reserve.clone()).chain(reads).collect();
        assert_eq!(check(&history).is_ok(), is_legal, "{seen:?}");
    }
}
