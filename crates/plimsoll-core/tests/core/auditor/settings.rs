//! What is set: limits, tiers, requests, tallies.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::amount::{Amount, Ceiling};
use plimsoll_core::bounds::{LIMITS_OF_ITEM_MAX, REQUESTS_OF_TENANT_MAX};
use plimsoll_core::event::{Cause, Change, Crossing, Event, Log};
use plimsoll_core::model::{Item, Limit, Request, RequestStatus, Ruling, Tally};
use plimsoll_core::names::ScopeId;

use super::{Auditor, Moment};

impl Auditor {
    /// Judges what is set, and remembers it.
    pub(super) fn judge_setting(&mut self, event: &Event) {
        match event.cause {
            Cause::RequestSubmitted => self.judge_submitted(event),
            Cause::RequestApproved => self.judge_approved(event),
            Cause::RequestDenied | Cause::RequestCancelled => self.judge_closed(event),
            Cause::RefusalsCounted => self.judge_counted(event),
            Cause::LimitPut => {
                let (limit, rest) = self.judge_limits(event);
                let limit = limit.expect("the limit that was put");
                assert_eq!((&limit.request, rest), (&None, &[][..]), "{event:?}");
            }
            Cause::LimitDeleted => {
                let (limit, rest) = self.judge_limits(event);
                assert_eq!((limit, rest), (None, &[][..]), "{event:?}");
            }
            _ => self.note_catalogue(event),
        }
    }

    /// Every part that is taken of what counts where an event changes limits.
    pub(super) fn parts_taken(&self, event: &Event) -> Vec<Crossing> {
        let limits = event.changes.iter().find_map(|change| match change {
            Change::Limits { scope, item, .. } => Some((scope, item)),
            _ => None,
        });
        let Some((scope, item)) = limits else {
            return Vec::new();
        };
        let moment = Moment::of(event);
        // A default binds each scope below, and not their sum.
        let is_below = |id: &&ScopeId| self.chain(id).get(1) == Some(scope);
        let user = self.scopes.keys().find(is_below).unwrap_or(scope);
        let lines = self.reservations.values().flat_map(|row| row.lines.iter());
        let items: BTreeSet<&Item> = lines
            .map(|line| &line.item)
            .filter(|it| it.resource == item.resource)
            .filter(|it| item.location.is_none() || it.location == item.location)
            .collect();
        let mut parts = Vec::new();
        for of in items {
            let (used, held) = self.figures(scope, of, moment);
            let Ceiling::Finite(ceiling) = self.ceiling(user, scope, of, event.at).0 else {
                continue;
            };
            for percent in self.resources[&of.resource].alerts.iter() {
                let part = u128::from(ceiling.units()) * u128::from(percent);
                if 0 < used + held && part <= 100 * (used + held) {
                    let taken = u64::try_from(used + held).ok().and_then(Amount::new);
                    parts.push(Crossing {
                        scope: scope.clone(),
                        item: of.clone(),
                        percent,
                        ceiling,
                        taken: taken.expect("an amount"),
                    });
                }
            }
        }
        parts
    }

    fn note_catalogue(&mut self, event: &Event) {
        for change in &event.changes {
            match change {
                Change::Resource(row) => {
                    self.resources.insert(row.name.clone(), (**row).clone());
                }
                Change::Tier(row) => {
                    self.tiers.insert(row.name.clone(), row.clone());
                }
                Change::Scope(row) => {
                    if let Some(tier) = &row.tier {
                        assert!(self.tiers.contains_key(tier), "no such tier: {row:?}");
                    }
                    let known = self.scopes.insert(row.id.clone(), (**row).clone());
                    assert!(
                        known.is_none_or(|known| known.parent == row.parent),
                        "moved: {row:?}"
                    );
                }
                Change::Location(_)
                | Change::Principal(_)
                | Change::PrincipalGone(_)
                | Change::Webhook(_)
                | Change::WebhookGone(_) => {}
                Change::Account { .. }
                | Change::Reservation(_)
                | Change::ReservationGone(_)
                | Change::Limits { .. }
                | Change::Tally { .. }
                | Change::Request(_)
                | Change::RequestGone { .. } => panic!("not by this: {event:?}"),
            }
        }
    }

    /// A row of limits: those that were there and are not over stay, but for the one that is put
    /// or taken away; that one, where it is put; and what else happens.
    fn judge_limits<'a>(&mut self, event: &'a Event) -> (Option<&'a Limit>, &'a [Change]) {
        let [
            Change::Limits {
                scope,
                item,
                limits,
            },
            rest @ ..,
        ] = event.changes.as_slice()
        else {
            panic!("limits first: {event:?}");
        };
        let is_over = |limit: &Limit| limit.window.ends_at().is_some_and(|end| end <= event.at);
        assert!(limits.len() <= LIMITS_OF_ITEM_MAX && !limits.iter().any(is_over));
        let (new, kept): (Vec<&Limit>, Vec<&Limit>) = limits
            .iter()
            .partition(|limit| limit.revision == event.revision);
        let known = self
            .limits
            .insert((scope.clone(), item.clone()), limits.clone());
        let known = known.unwrap_or_default();
        let new = match new[..] {
            [] => None,
            [new] => Some(new),
            _ => panic!("more than one: {event:?}"),
        };
        if let Some(new) = new {
            let about = (&new.scope, &new.item, &new.set_by, new.set_at);
            assert_eq!(about, (scope, item, &event.actor, event.at));
        }
        let goes: Vec<&Limit> = known.iter().filter(|it| !kept.contains(it)).collect();
        assert!(kept.iter().all(|it| known.contains(it)), "{event:?}");
        match new {
            // One goes at most, but for those that are over.
            None => assert!(goes.iter().filter(|it| !is_over(it)).count() <= 1),
            Some(new) => {
                let is_same = |it: &&Limit| it.window == new.window;
                assert!(!kept.iter().any(is_same), "beside its successor: {event:?}");
                // What was granted goes where more is granted for longer.
                let is_outdone = |it: &Limit| {
                    let are_granted = new.request.is_some() && it.request.is_some();
                    let (start, end) = (new.window.starts_at(), new.window.ends_at());
                    let ends = |its| end.is_none_or(|end| its < end);
                    let ends_before = it.window.ends_at().is_some_and(ends);
                    let goes_before = it.window.starts_at() == start && ends_before;
                    are_granted && goes_before && it.ceiling.amount() <= new.ceiling.amount()
                };
                let may_go = |it: &Limit| is_same(&it) || is_over(it) || is_outdone(it);
                assert!(goes.iter().all(|it| may_go(it)), "{event:?}");
                assert!(!kept.iter().any(|it| is_outdone(it)), "{event:?}");
            }
        }
        (new, rest)
    }

    /// A wish for more than binds, and no other for the same; an old one may be forgotten for it.
    fn judge_submitted(&mut self, event: &Event) {
        let of_tenant = |row: &&Request| Log::Tenant(row.tenant.clone()) == event.log;
        let known: Vec<&Request> = self.requests.values().filter(of_tenant).collect();
        let is_pending = |row: &&&Request| row.status == RequestStatus::Pending;
        let (gone, new) = match event.changes.as_slice() {
            [Change::Request(new)] => (None, new),
            [Change::RequestGone { id, .. }, Change::Request(new)] => (Some(id.clone()), new),
            _ => panic!("more than submitted: {event:?}"),
        };
        let is_full = known.len() == REQUESTS_OF_TENANT_MAX;
        let oldest = known.iter().filter(|row| !is_pending(row));
        let is_approved = |row: &Request| matches!(row.status, RequestStatus::Approved { .. });
        let oldest = oldest.min_by_key(|row| (is_approved(row), row.submitted_at, row.id.clone()));
        let oldest = oldest.filter(|_| is_full).map(|row| row.id.clone());
        assert_eq!(
            gone, oldest,
            "the oldest, where there are as many as may be"
        );
        let mut pending = known.iter().filter(is_pending);
        assert!(!pending.any(|row| (&row.scope, &row.item) == (&new.scope, &new.item)));
        assert_eq!(new.status, RequestStatus::Pending);
        assert_eq!(
            (new.revision, new.submitted_at, &new.submitted_by),
            (event.revision, event.at, &event.actor)
        );
        let (present, _) = self.until_further_notice(&new.scope, &new.item, event.at);
        assert_eq!(new.present, present);
        let row = self.limits.get(&(new.scope.clone(), new.item.clone()));
        let granted = row.into_iter().flatten().filter(|it| it.request.is_some());
        let ruled = known
            .iter()
            .filter(|it| (&it.scope, &it.item) == (&new.scope, &new.item));
        let ruled = ruled.filter_map(|it| match &it.status {
            RequestStatus::Approved { ruling, .. } => Some(ruling.at),
            _ => None,
        });
        let approved = ruled.chain(granted.map(|it| it.set_at));
        assert_eq!(new.approved_before, approved.max());
        assert!(present.amount() < new.ceiling.amount(), "{event:?}");
        assert!(self.resources[&new.item.resource].adjustable);
        if let Some(id) = gone {
            self.requests.remove(&id);
        }
        let twice = self.requests.insert(new.id.clone(), (**new).clone());
        assert_eq!(twice, None);
    }

    /// A limit that carries the request's id, and a request that carries the limit's.
    fn judge_approved(&mut self, event: &Event) {
        let before = self.clone();
        let (limit, rest) = self.judge_limits(event);
        let limit = limit.expect("the limit that was granted");
        let [Change::Request(new)] = rest else {
            panic!("more than approved: {event:?}");
        };
        let old = self.requests.insert(new.id.clone(), (**new).clone());
        let old = old.expect("a request");
        assert_eq!(old.status, RequestStatus::Pending);
        let RequestStatus::Approved {
            ruling,
            ceiling,
            ends_at,
            limit_revision,
            automatic,
        } = &new.status
        else {
            panic!("not approved: {event:?}");
        };
        // Who asks for more is not bound harder than before.
        let (_, mode) = before.until_further_notice(&new.scope, &new.item, event.at);
        assert_eq!(
            (&limit.request, limit.ceiling, limit.mode),
            (&Some(new.id.clone()), *ceiling, mode)
        );
        assert_eq!((&limit.scope, &limit.item), (&new.scope, &new.item));
        assert_eq!(limit.window.ends_at(), *ends_at);
        assert_eq!(*limit_revision, event.revision);
        // Nothing that lasts goes before it any more.
        if ends_at.is_none() {
            let binds = self.until_further_notice(&new.scope, &new.item, event.at);
            assert_eq!(binds, (*ceiling, mode), "{event:?}");
        }
        self.judge_ruling(event, &old, new, ruling);
        if *automatic {
            self.judge_automatic(event, &old, *ceiling);
        }
    }

    /// The resource's rule says so.
    fn judge_automatic(&self, event: &Event, old: &Request, granted: Ceiling) {
        let rule = self.resources[&old.item.resource].auto_approval;
        let rule = rule.expect("a rule");
        let (Ceiling::Finite(asked), Ceiling::Finite(present)) = (old.ceiling, old.present) else {
            panic!("nothing to compare: {event:?}");
        };
        assert!(granted == old.ceiling && asked <= rule.ceiling);
        if let Some(factor) = rule.factor_percent {
            let most = u128::from(present.units()) * u128::from(factor);
            assert!(u128::from(asked.units()) * 100 <= most, "{event:?}");
        }
        if let Some(before) = old.approved_before {
            assert!(before.ms() + rule.cool_off_ms <= event.at.ms(), "{event:?}");
        }
    }

    /// No more than that it was denied or taken back.
    fn judge_closed(&mut self, event: &Event) {
        let [Change::Request(new)] = event.changes.as_slice() else {
            panic!("more than closed: {event:?}");
        };
        let old = self.requests.insert(new.id.clone(), (**new).clone());
        let old = old.expect("a request");
        assert_eq!(old.status, RequestStatus::Pending);
        match (&new.status, event.cause) {
            (RequestStatus::Denied(ruling), Cause::RequestDenied)
            | (RequestStatus::Cancelled(ruling), Cause::RequestCancelled) => {
                self.judge_ruling(event, &old, new, ruling);
            }
            other => panic!("{other:?}"),
        }
    }

    fn judge_ruling(&self, event: &Event, old: &Request, new: &Request, ruling: &Ruling) {
        assert_eq!((&ruling.by, ruling.at), (&event.actor, event.at));
        let expected = Request {
            status: new.status.clone(),
            revision: event.revision,
            ..old.clone()
        };
        assert_eq!(*new, expected, "nothing else changes");
        assert_eq!(event.log, Log::Tenant(new.tenant.clone()));
        assert_eq!(self.chain(&new.scope).last(), Some(&new.tenant));
    }

    /// Refusals are added, each place once, and nothing else.
    fn judge_counted(&mut self, event: &Event) {
        let mut seen: BTreeMap<(ScopeId, Item), Tally> = BTreeMap::new();
        for change in &event.changes {
            let Change::Tally { scope, item, tally } = change else {
                panic!("more than counted: {event:?}");
            };
            let key = (scope.clone(), item.clone());
            let known = self.tallies.get(&key).copied().unwrap_or_default();
            assert!(known.refused < tally.refused, "{event:?}");
            let expected = Tally {
                refused: tally.refused,
                last_at: event.at,
                ..known
            };
            assert_eq!(*tally, expected);
            assert_eq!(seen.insert(key, *tally), None, "posted twice: {event:?}");
        }
        assert!(!seen.is_empty(), "{event:?}");
        self.tallies.extend(seen);
    }

    /// Takes note of what went past limits that let pass.
    pub(super) fn note_tallies(&mut self, event: &Event) {
        for change in &event.changes {
            if let Change::Tally { scope, item, tally } = change {
                self.tallies.insert((scope.clone(), item.clone()), *tally);
            }
        }
    }
}
