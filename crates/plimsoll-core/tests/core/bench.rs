//! Where decisions are made in these tests: behind the fence, before the judge.

use plimsoll_core::amount::Timestamp;
use plimsoll_core::bounds::{
    AMOUNT_MAX, EXPIRE_HOLDS_MAX, FORGET_RESERVATIONS_MAX, TIMESTAMP_MS_MAX,
};
use plimsoll_core::command::{Action, Command, Expected, Grounds, ReservationRef, Reserve};
use plimsoll_core::decide::{Admissible, check, decide};
use plimsoll_core::event::{Cause, Change, Event, Mark};
use plimsoll_core::model::{Asked, Mode, Reach, Reservation, State};
use plimsoll_core::names::{PrincipalId, ReservationId, ScopeId, Text};
use plimsoll_core::outcome::{Decision, Denial, Done, Exceeded, Outcome};
use plimsoll_core::reconcile::{Finding, Inventory, comparable, compare};
use plimsoll_core::report::{Quota, QuotaFilter, quotas};
use plimsoll_core::rows::{Footprint, Rows, scope_within};

use crate::auditor::{Auditor, Moment, Shortfall, Want};
use crate::fence::Fenced;
use crate::table::verdict;
use crate::world::{World, principal, reservation};

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
        let decision = self.decide(command, now);
        self.judge_denial(&decision);
        self.judge_table(command, &decision, now);
        self.judge_check(command, &decision, now);
        self.judge_admission(command, &decision, now);
        judge_mark(command, &decision);
        for event in &decision.events {
            self.world.apply(event);
            self.auditor.witness(event);
            self.note_asked(command, event);
            assert_eq!(event.actor, command.actor);
        }
        self.log.extend(decision.events.iter().cloned());
        self.world.assert_sums();
        self.judge_again(command, &decision, now);
        self.judge_repeats(&decision, now);
        self.judge_promise(command, &decision, now);
        self.judge_time(command, &decision, now);
        decision
    }

    /// Decides behind the fence and changes nothing.
    pub(crate) fn decide(&self, command: &Command, now: Timestamp) -> Decision {
        let footprint = command.footprint();
        let rows = Fenced::new(&self.world, &footprint);
        decide(&rows, command, now).expect("rows that do not contradict each other")
    }

    /// The quotas of a scope, behind the fence of such a report.
    pub(crate) fn quotas(
        &self,
        reach: &Reach,
        scope: &ScopeId,
        filter: &QuotaFilter,
        now: Timestamp,
    ) -> Vec<Quota> {
        let footprint = Footprint {
            scopes: [scope.clone()].into(),
            all_items: true,
            ..Footprint::default()
        };
        let rows = Fenced::new(&self.world, &footprint);
        let report = quotas(&rows, reach, scope, filter, now);
        report.map(Iterator::collect).unwrap_or_default()
    }

    /// How an inventory differs from the books, behind the fence of such a comparison.
    pub(crate) fn reconcile(&self, inventory: &Inventory) -> Result<Vec<Finding>, Denial> {
        let footprint = Footprint {
            scopes: [inventory.scope.clone()].into(),
            ..Footprint::default()
        };
        let rows = Fenced::new(&self.world, &footprint);
        let tenant = self.world.tenant_of(&inventory.scope);
        let all = self.world.reservations.values();
        let all = all.filter(|row| row.tenant == tenant);
        let id_of = |holder: &Text| reservation(&format!("mend-{holder}-{}", inventory.revision));
        comparable(&rows, &Reach::Everything, inventory)?;
        Ok(compare(inventory, all, id_of))
    }

    /// The judge hears what was asked for when it was granted.
    fn note_asked(&mut self, command: &Command, event: &Event) {
        if let (Action::Reserve(ask), Cause::Reserved) = (&command.action, event.cause) {
            let key = (self.world.tenant_of(&ask.scope), ask.id.clone());
            self.auditor.asked.insert(key, ask.clone());
        }
    }

    /// A denial changes nothing but what time changes.
    fn judge_denial(&self, decision: &Decision) {
        if let Outcome::Denied(denial) = &decision.outcome {
            let mut causes = decision.events.iter().map(|event| event.cause);
            assert!(
                causes.all(|cause| cause == Cause::Expired),
                "{denial:?} changes more than time does: {:?}",
                decision.events
            );
            let expired = Denial::StateConflict { state: "expired" };
            assert!(
                decision.events.is_empty()
                    || matches!(denial, Denial::QuotaExceeded(_))
                    || *denial == expired,
                "{denial:?} lets holds lapse"
            );
        }
    }

    /// What comes of it is what the table says.
    fn judge_table(&self, command: &Command, decision: &Decision, now: Timestamp) {
        if let Some((verdict, known)) = verdict(&self.auditor, command, now) {
            assert!(
                verdict.is_met(decision, known),
                "{verdict:?} is due to {known:?}: {decision:#?}"
            );
        }
    }

    /// A reserve does what `check` says of it; `check` cannot know that an id is taken, and does
    /// not force.
    fn judge_check(&self, command: &Command, decision: &Decision, now: Timestamp) {
        let Action::Reserve(ask) = &command.action else {
            return;
        };
        if ask.grounds != Grounds::Limits || self.known(command, ask).is_some() {
            return;
        }
        let checked = self.check(&command.actor, &command.reach, ask, now);
        let done = match &decision.outcome {
            Outcome::Done(Done::Warned(_, warnings)) if warnings.is_empty() => panic!("of what?"),
            Outcome::Done(done) => {
                let (row, warnings) = granted(done).expect("a reservation");
                Ok(Admissible {
                    lines: row.lines.clone(),
                    warnings: warnings.to_vec(),
                })
            }
            Outcome::Denied(denial) => Err(denial.clone()),
        };
        assert_eq!(checked, done, "check and reserve disagree");
    }

    fn check(
        &self,
        actor: &PrincipalId,
        reach: &Reach,
        ask: &Reserve,
        now: Timestamp,
    ) -> Result<Admissible, Denial> {
        let footprint = Footprint::of_check(&ask.scope, ask.asked.lines());
        let rows = Fenced::new(&self.world, &footprint);
        check(&rows, actor, reach, &ask.scope, &ask.asked, now).expect("no breach")
    }

    /// The reservation that a reserve repeats.
    fn known(&self, command: &Command, ask: &Reserve) -> Option<&Reservation> {
        scope_within(&self.world, &command.reach, &ask.scope)?;
        let tenant = self.world.tenant_of(&ask.scope);
        self.world.row(&tenant, &ask.id)
    }

    /// What is asked for is granted exactly where the judge says that it fits, and refused with
    /// all that he finds short; what lets pass and warns is told with what is granted.
    fn judge_admission(&self, command: &Command, decision: &Decision, now: Timestamp) {
        let told: &[Exceeded] = match &decision.outcome {
            Outcome::Done(_) if decision.events.is_empty() => return,
            Outcome::Done(done) => granted(done).map_or(&[], |(_, warnings)| warnings),
            Outcome::Denied(Denial::QuotaExceeded(exceeded)) => {
                assert_ne!(*exceeded, [], "refused for nothing");
                exceeded
            }
            Outcome::Denied(_) => return,
        };
        let Some((known, to, asked, grounds)) = self.wanted(command) else {
            assert_eq!(told, []);
            return;
        };
        let is_forced = *grounds != Grounds::Limits;
        let moment = Moment {
            at: self.auditor.instant(&self.world.tenant_of(to), now),
            counts_due: false,
        };
        let lines = match known {
            None => self.auditor.fitting(to, &asked, is_forced, moment),
            Some(_) => asked.lines().to_vec(),
        };
        let row = match &decision.outcome {
            Outcome::Done(done) => granted(done).map(|(row, _)| row),
            Outcome::Denied(_) => None,
        };
        if let Some(row) = row {
            assert_eq!((&row.scope, row.lines.to_vec()), (to, lines.clone()));
        }
        let want = Want {
            scope: to,
            lines: &lines,
            instead_of: known,
            is_forced,
        };
        let is_told = |limit: &Shortfall| match limit.mode {
            Mode::Enforce => true,
            Mode::Warn => row.is_some(),
            Mode::Observe => false,
        };
        let mut expected = self.auditor.shortfalls(&want, moment);
        expected.retain(is_told);
        for shortfall in &mut expected {
            // What is short is told as an amount, and those end somewhere.
            shortfall.short_by = shortfall.short_by.min(AMOUNT_MAX.into());
        }
        let mut told: Vec<Shortfall> = told.iter().map(shortfall).collect();
        told.sort();
        assert_eq!(
            told, expected,
            "what is told (left) is what is short (right)"
        );
    }

    /// What a command wants to take: instead of what, where, how much, and why past the limits.
    fn wanted<'a>(
        &'a self,
        command: &'a Command,
    ) -> Option<(Option<&'a Reservation>, &'a ScopeId, Asked, &'a Grounds)> {
        let of = |of: &ReservationRef| {
            let tenant = self.world.tenant_of(&of.scope);
            let known = self.world.row(&tenant, &of.id);
            known.expect("a reservation that moves")
        };
        match &command.action {
            Action::Reserve(ask) if self.known(command, ask).is_none() => {
                Some((None, &ask.scope, ask.asked.clone(), &ask.grounds))
            }
            Action::Resize(resize) => {
                let known = of(&resize.of);
                let asked = Asked::whole(resize.lines.clone());
                Some((Some(known), &known.scope, asked, &resize.grounds))
            }
            Action::Transfer(transfer) => {
                let known = of(&transfer.of);
                let asked = Asked::whole(known.lines.clone());
                Some((Some(known), &transfer.to, asked, &transfer.grounds))
            }
            _ => None,
        }
    }

    /// A refusal says when it would be none: then and not before, or never. It is a promise for
    /// the case that no limit changes, so those that count now are made to count always.
    fn judge_promise(&self, command: &Command, decision: &Decision, now: Timestamp) {
        let Outcome::Denied(Denial::QuotaExceeded(exceeded)) = &decision.outcome else {
            return;
        };
        let frozen = Self {
            world: self.world.with_limits_as_of(now),
            ..Self::default()
        };
        let refused_at = |at_ms: u64| {
            let at = Timestamp::from_ms(at_ms).expect("an instant");
            matches!(frozen.decide(command, at).outcome, Outcome::Denied(_))
        };
        let fits_at: Option<Vec<Timestamp>> = exceeded.iter().map(|limit| limit.fits_at).collect();
        match fits_at.and_then(|each| each.into_iter().max()) {
            None => {
                assert!(refused_at(TIMESTAMP_MS_MAX), "it does fit: {exceeded:#?}");
                if let Some(end) = self.own_end(command) {
                    assert!(refused_at(end.ms() - 1), "it fits before: {exceeded:#?}");
                }
            }
            Some(last) => {
                assert!(!refused_at(last.ms()), "it does not fit: {exceeded:#?}");
                assert!(refused_at(last.ms() - 1), "it fits before: {exceeded:#?}");
            }
        }
    }

    /// When a hold that is to be resized lapses itself: from then on nothing fits.
    fn own_end(&self, command: &Command) -> Option<Timestamp> {
        let Action::Resize(resize) = &command.action else {
            return None;
        };
        let tenant = self.world.tenant_of(&resize.of.scope);
        match self.world.row(&tenant, &resize.of.id)?.state {
            State::Held { expires_at } => Some(expires_at),
            _ => None,
        }
    }

    /// The same command again, at the same time: the same answer, and nothing happens.
    fn judge_again(&self, command: &Command, first: &Decision, now: Timestamp) {
        let full = [
            Done::Expired {
                holds: EXPIRE_HOLDS_MAX,
            },
            Done::Forgotten {
                reservations: FORGET_RESERVATIONS_MAX,
            },
        ];
        if full.map(Outcome::Done).contains(&first.outcome) {
            return;
        }
        let changed = first.events.last().map(|event| event.revision);
        let expected = expected(&command.action);
        let is_part = matches!(&command.action, Action::Release(settle) if settle.part.is_some());
        if matches!(command.action, Action::CountRefusals { .. }) {
            // The same number once more is twice as many.
            return;
        }
        if is_part && changed.is_some() && expected == Expected::Whatever {
            // To let go of a part once more is to let go of more.
            return;
        }
        let again = self.decide(command, now);
        assert_eq!(again.events, [], "the same command again changes something");
        let is_quota = matches!(first.outcome, Outcome::Denied(Denial::QuotaExceeded(_)));
        let outcome = match (&command.action, &first.outcome) {
            (Action::CreatePrincipal(_), Outcome::Done(_)) => Outcome::Denied(Denial::IdConflict),
            (Action::SubmitRequest(_), Outcome::Done(_)) if changed.is_some() => {
                Outcome::Denied(Denial::IdConflict)
            }
            (
                Action::DeletePrincipal { .. }
                | Action::DeleteLimit(_)
                | Action::DeleteWebhook { .. },
                Outcome::Done(_),
            ) => Outcome::Denied(Denial::NotFound),
            (Action::Expire { .. }, Outcome::Done(_)) => Outcome::Done(Done::Expired { holds: 0 }),
            (Action::Forget { .. }, Outcome::Done(_)) => {
                Outcome::Done(Done::Forgotten { reservations: 0 })
            }
            (_, Outcome::Done(Done::Warned(row, _))) if expected == Expected::Whatever => {
                Outcome::Done(Done::Reservation(row.clone()))
            }
            (_, outcome) if changed.is_none() || is_quota || expected == Expected::Whatever => {
                outcome.clone()
            }
            _ => Outcome::Denied(Denial::PreconditionFailed { actual: changed }),
        };
        assert_eq!(
            again.outcome, outcome,
            "the same command again has another answer"
        );
    }

    /// Whatever became of a reservation: whoever asks for it again, as he did, is told of it; and
    /// who asks for anything else, is not.
    fn judge_repeats(&self, decision: &Decision, now: Timestamp) {
        for event in &decision.events {
            for change in &event.changes {
                match change {
                    Change::Reservation(row) => self.judge_repeat(&row.tenant, &row.id, now),
                    Change::ReservationGone(key) => {
                        assert_eq!(self.world.row(&key.tenant, &key.id), None);
                    }
                    _ => {}
                }
            }
        }
    }

    fn judge_repeat(&self, tenant: &ScopeId, id: &ReservationId, now: Timestamp) {
        let (row, ask) = match (
            self.world.row(tenant, id),
            self.auditor.asked.get(&(tenant.clone(), id.clone())),
        ) {
            (Some(row), Some(ask)) => (row, ask),
            (row, _) => panic!("nobody asked for {row:?}"),
        };
        let repeat = |ask: Reserve| {
            let command = Command {
                actor: principal("root"),
                reach: Reach::Everything,
                action: Action::Reserve(ask),
            };
            self.decide(&command, now)
        };
        let same = repeat(ask.clone());
        assert_eq!(same.events, [], "a repeat of {ask:?}");
        assert_eq!(
            same.outcome,
            Outcome::Done(Done::Reservation(row.clone().into())),
            "a repeat of {ask:?}"
        );
        let as_it_is = Reserve {
            scope: row.scope.clone(),
            asked: Asked::whole(row.lines.clone()),
            ..ask.clone()
        };
        if as_it_is != *ask {
            let other = repeat(as_it_is);
            assert_eq!(other.outcome, Outcome::Denied(Denial::IdConflict));
        }
    }

    /// What time has ended is ended, and what is to be forgotten is forgotten: all, or the most
    /// that one command may.
    fn judge_time(&self, command: &Command, decision: &Decision, now: Timestamp) {
        match (&command.action, &decision.outcome) {
            (Action::Expire { tenant }, Outcome::Done(Done::Expired { holds })) => {
                let now = self.auditor.instant(tenant, now);
                let is_due = self.world.holds(tenant).any(|row| row.state.is_due(now));
                assert!(!is_due || *holds == EXPIRE_HOLDS_MAX);
                assert_eq!(decision.events.len(), *holds);
            }
            (
                Action::Forget {
                    tenant,
                    ended_before,
                },
                Outcome::Done(Done::Forgotten { reservations }),
            ) => {
                let mut left = self.world.ended(tenant).map(|row| row.state.ended_at());
                let is_left = left.any(|at| at.is_some_and(|at| at < *ended_before));
                assert!(!is_left || *reservations == FORGET_RESERVATIONS_MAX);
                let gone = decision.events.iter().map(|event| event.changes.len());
                assert_eq!(gone.sum::<usize>(), *reservations);
                assert!(decision.events.len() <= 1);
            }
            _ => {}
        }
    }
}

/// The mark of what is done is that of the command's grounds, and of nothing that time does.
fn judge_mark(command: &Command, decision: &Decision) {
    let grounds = match &command.action {
        Action::Reserve(reserve) => &reserve.grounds,
        Action::Resize(resize) => &resize.grounds,
        Action::Transfer(transfer) => &transfer.grounds,
        Action::Commit(settle) | Action::Release(settle) => &settle.grounds,
        _ => &Grounds::Limits,
    };
    for event in &decision.events {
        let is_met = match (grounds, &event.mark) {
            _ if event.cause == Cause::Expired => event.mark == Mark::Enforced,
            (Grounds::Limits, Mark::Enforced | Mark::Passed { .. }) => true,
            (Grounds::Force(why), Mark::Forced { reason })
            | (Grounds::Mend { reason: why, .. }, Mark::Mended { reason }) => why == reason,
            _ => false,
        };
        assert!(is_met, "{grounds:?}: {event:?}");
    }
}

/// The reservation that was done something with, and the warnings.
pub(crate) fn granted(done: &Done) -> Option<(&Reservation, &[Exceeded])> {
    match done {
        Done::Reservation(row) => Some((row, &[])),
        Done::Warned(row, warnings) => Some((row, warnings)),
        _ => None,
    }
}

fn shortfall(limit: &Exceeded) -> Shortfall {
    Shortfall {
        scope: limit.scope.clone(),
        item: limit.item.clone(),
        used: limit.used.units().into(),
        held: limit.held.units().into(),
        short_by: limit.short_by.units().into(),
        mode: limit.mode,
    }
}

/// What the caller believes to be there.
fn expected(action: &Action) -> Expected {
    match action {
        Action::Commit(settle) | Action::Release(settle) => settle.expected,
        Action::Extend(extend) => extend.expected,
        Action::Resize(resize) => resize.expected,
        Action::Transfer(transfer) => transfer.expected,
        Action::PutLimit(put) => put.expected,
        _ => Expected::Whatever,
    }
}
