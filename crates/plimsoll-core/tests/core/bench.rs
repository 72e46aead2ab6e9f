//! Where decisions are made in these tests: behind the fence, before the judge.

use plimsoll_core::amount::Timestamp;
use plimsoll_core::bounds::{AMOUNT_MAX, EXPIRE_HOLDS_MAX, TIMESTAMP_MS_MAX};
use plimsoll_core::command::{Action, Command, Expected, Reserve};
use plimsoll_core::decide::{check, decide};
use plimsoll_core::event::{Cause, Event};
use plimsoll_core::model::Reach;
use plimsoll_core::names::PrincipalId;
use plimsoll_core::names::ScopeId;
use plimsoll_core::outcome::{Decision, Denial, Done, Outcome};
use plimsoll_core::report::{Quota, QuotaFilter, quotas};
use plimsoll_core::rows::{Footprint, Rows, scope_within};

use crate::auditor::{Auditor, Shortfall};
use crate::fence::Fenced;
use crate::world::World;

/// A world, its judge, and all that has happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) auditor: Auditor,
    pub(crate) log: Vec<Event>,
}

impl Bench {
    /// Decides a command, makes what happened so, and holds every law against it.
    pub(crate) fn step(&mut self, command: &Command, now: Timestamp) -> Decision {
        let checked = match &command.action {
            Action::Reserve(ask) => self.check(&command.actor, &command.reach, ask, now),
            _ => None,
        };
        let decision = self.decide(command, now);
        self.judge_denial(command, &decision);
        if let Action::Reserve(ask) = &command.action {
            self.judge_reserve(ask, checked, &decision, now);
        }
        for event in &decision.events {
            self.world.apply(event);
            self.auditor.witness(event);
            assert_eq!(event.actor, command.actor);
        }
        self.log.extend(decision.events.iter().cloned());
        self.world.assert_sums();
        self.judge_again(command, &decision, now);
        self.judge_promise(command, &decision);
        decision
    }

    /// Decides behind the fence and changes nothing.
    pub(crate) fn decide(&self, command: &Command, now: Timestamp) -> Decision {
        let footprint = command.footprint();
        let rows = Fenced::new(&self.world, &footprint);
        decide(&rows, command, now).expect("rows that do not contradict each other")
    }

    /// What `check` says; `None` where the reservation is known, which `check` cannot know.
    fn check(
        &self,
        actor: &PrincipalId,
        reach: &Reach,
        ask: &Reserve,
        now: Timestamp,
    ) -> Option<Result<(), Denial>> {
        let tenant = self.world.tenant_of(&ask.scope);
        let is_within = scope_within(&self.world, reach, &ask.scope).is_some();
        if is_within && self.world.reservation(&tenant, &ask.id).is_some() {
            return None;
        }
        let footprint = Footprint::of_check(&ask.scope, &ask.lines);
        let rows = Fenced::new(&self.world, &footprint);
        Some(check(&rows, actor, reach, &ask.scope, &ask.lines, now).expect("no breach"))
    }

    /// The quotas of a scope, behind the fence of such a report.
    pub(crate) fn quotas(
        &self,
        reach: &Reach,
        scope: &ScopeId,
        filter: &QuotaFilter,
    ) -> Vec<Quota> {
        let footprint = Footprint {
            scopes: [scope.clone()].into(),
            all_items: true,
            ..Footprint::default()
        };
        let rows = Fenced::new(&self.world, &footprint);
        let report = quotas(&rows, reach, scope, filter);
        report.map(Iterator::collect).unwrap_or_default()
    }

    /// A denial changes nothing but what time changes.
    fn judge_denial(&self, command: &Command, decision: &Decision) {
        if let Outcome::Denied(denial) = &decision.outcome {
            let lapsed = decision
                .events
                .iter()
                .all(|event| event.cause == Cause::Expired);
            assert!(
                lapsed,
                "{denial:?} changes more than time does: {:?}",
                decision.events
            );
            let action = &command.action;
            assert!(
                decision.events.is_empty()
                    || matches!(denial, Denial::QuotaExceeded(_))
                    || matches!(action, Action::Commit(_)),
                "{denial:?} lets holds lapse"
            );
        }
    }

    /// A reservation is granted exactly where the judge says that it fits, and as `check` says.
    fn judge_reserve(
        &self,
        ask: &Reserve,
        checked: Option<Result<(), Denial>>,
        decision: &Decision,
        now: Timestamp,
    ) {
        let Some(checked) = checked else {
            return;
        };
        let verdict = match &decision.outcome {
            Outcome::Done(_) => Ok(()),
            Outcome::Denied(denial) => Err(denial.clone()),
        };
        assert_eq!(checked, verdict, "check and reserve disagree");
        let exceeded = match &verdict {
            Ok(()) => &Vec::new(),
            Err(Denial::QuotaExceeded(exceeded)) => exceeded,
            Err(_) => return,
        };
        let told = exceeded.iter().map(|limit| Shortfall {
            scope: limit.scope.clone(),
            item: limit.item.clone(),
            used: limit.used.units().into(),
            held: limit.held.units().into(),
            short_by: limit.short_by.units().into(),
        });
        let mut told: Vec<Shortfall> = told.collect();
        told.sort();
        let now = self.auditor.instant(&self.world.tenant_of(&ask.scope), now);
        let mut expected = self.auditor.shortfalls(&ask.scope, &ask.lines, Some(now));
        for shortfall in &mut expected {
            // What is short is told as an amount, and those end somewhere.
            shortfall.short_by = shortfall.short_by.min(AMOUNT_MAX.into());
        }
        assert_eq!(
            told, expected,
            "what is told (left) is what is short (right)"
        );
        assert_eq!(verdict.is_err(), !exceeded.is_empty());
    }

    /// A refusal says when it would be none: then and not before, or never.
    fn judge_promise(&self, command: &Command, decision: &Decision) {
        let Outcome::Denied(Denial::QuotaExceeded(exceeded)) = &decision.outcome else {
            return;
        };
        let refused_at = |at_ms: u64| {
            let at = Timestamp::from_ms(at_ms).expect("an instant");
            matches!(self.decide(command, at).outcome, Outcome::Denied(_))
        };
        let fits_at: Option<Vec<Timestamp>> = exceeded.iter().map(|limit| limit.fits_at).collect();
        match fits_at.and_then(|each| each.into_iter().max()) {
            None => assert!(refused_at(TIMESTAMP_MS_MAX), "it does fit: {exceeded:#?}"),
            Some(last) => {
                assert!(!refused_at(last.ms()), "it does not fit: {exceeded:#?}");
                assert!(refused_at(last.ms() - 1), "it fits before: {exceeded:#?}");
            }
        }
    }

    /// The same command again, at the same time: the same answer, and nothing happens.
    fn judge_again(&self, command: &Command, first: &Decision, now: Timestamp) {
        if first.outcome
            == Outcome::Done(Done::Expired {
                holds: EXPIRE_HOLDS_MAX,
            })
        {
            return;
        }
        let again = self.decide(command, now);
        assert_eq!(again.events, [], "the same command again changes something");
        let changed = !first.events.is_empty();
        let outcome = match (&command.action, &first.outcome) {
            (Action::CreatePrincipal(_), Outcome::Done(_)) => Outcome::Denied(Denial::IdConflict),
            (Action::DeletePrincipal { .. } | Action::DeleteLimit(_), Outcome::Done(_)) => {
                Outcome::Denied(Denial::NotFound)
            }
            (Action::Expire { .. }, Outcome::Done(_)) => Outcome::Done(Done::Expired { holds: 0 }),
            (Action::PutLimit(put), Outcome::Done(Done::Limit(limit)))
                if changed && put.expected != Expected::Whatever =>
            {
                let actual = Some(limit.revision);
                Outcome::Denied(Denial::PreconditionFailed { actual })
            }
            (_, outcome) => outcome.clone(),
        };
        assert_eq!(
            again.outcome, outcome,
            "the same command again has another answer"
        );
    }
}
