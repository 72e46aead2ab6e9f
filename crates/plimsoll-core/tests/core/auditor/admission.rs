//! What may be admitted: which limit counts, how it binds, and what is said of it.

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::bounds::AMOUNT_MAX;
use plimsoll_core::event::{Change, Crossing, Event, Mark};
use plimsoll_core::model::{Asked, Item, Limit, Line, Mode, Reservation, Tally};
use plimsoll_core::names::ScopeId;

use super::{Auditor, Moment, Shortfall, Want, taken};

impl Auditor {
    /// No limit is passed that does not let pass, unless the event says so and why; and never the
    /// end of numbers. What lets pass is named, and counted.
    pub(super) fn judge_fit(
        &self,
        event: &Event,
        instead_of: Option<&Reservation>,
        new: &Reservation,
    ) {
        let is_forced = matches!(event.mark, Mark::Forced { .. } | Mark::Mended { .. });
        let want = Want {
            scope: &new.scope,
            lines: &new.lines,
            instead_of,
            is_forced,
        };
        let moment = Moment::of(event);
        let passed = self.shortfalls(&want, moment);
        let refusing = passed.iter().find(|limit| limit.mode == Mode::Enforce);
        assert_eq!(refusing, None, "over a limit: {event:?}");
        let mut named = match &event.mark {
            Mark::Passed { limits } => limits.clone(),
            Mark::Enforced | Mark::Forced { .. } | Mark::Mended { .. } => Vec::new(),
        };
        let is_passed = !named.is_empty();
        assert_eq!(matches!(event.mark, Mark::Passed { .. }), is_passed);
        named.sort();
        let expected: Vec<_> = passed
            .iter()
            .map(|it| (it.scope.clone(), it.item.clone(), it.mode))
            .collect();
        assert_eq!(named, expected, "named (left), passed (right)");
        self.judge_tallies(event, &passed);
        assert_eq!(event.crossed, self.crossings(&want, moment), "{event:?}");
    }

    /// Each limit that lets pass counts one more, and nothing else is counted.
    fn judge_tallies(&self, event: &Event, passed: &[Shortfall]) {
        let posted = event.changes.iter().filter_map(|change| match change {
            Change::Tally { scope, item, tally } => Some((scope.clone(), item.clone(), *tally)),
            _ => None,
        });
        let mut posted: Vec<(ScopeId, Item, Tally)> = posted.collect();
        posted.sort_by_key(|(scope, item, _)| (scope.clone(), item.clone()));
        let expected = passed.iter().map(|limit| {
            let key = (limit.scope.clone(), limit.item.clone());
            let mut tally = self.tallies.get(&key).copied().unwrap_or_default();
            match limit.mode {
                Mode::Enforce => panic!("refused: {limit:?}"),
                Mode::Warn => tally.warned += 1,
                Mode::Observe => tally.observed += 1,
            }
            tally.last_at = event.at;
            (key.0, key.1, tally)
        });
        assert_eq!(posted, expected.collect::<Vec<_>>(), "{event:?}");
    }

    /// Every limit that would be passed. What is taken instead of something only counts where it
    /// is more.
    pub(crate) fn shortfalls(&self, want: &Want<'_>, moment: Moment) -> Vec<Shortfall> {
        let mut shortfalls = Vec::new();
        for line in want.lines {
            for above in self.chain(want.scope) {
                let (used, held) = self.figures(&above, &line.item, moment);
                let more = self.more(want, line, &above);
                let wanted = used + held + more;
                let (ceiling, mode) = match self.ceiling(want.scope, &above, &line.item, moment.at)
                {
                    _ if want.is_forced => (Ceiling::Unlimited, Mode::Enforce),
                    (ceiling, Mode::Enforce) => (ceiling, Mode::Enforce),
                    _ if u128::from(AMOUNT_MAX) < wanted => (Ceiling::Unlimited, Mode::Enforce),
                    lets_pass => lets_pass,
                };
                let ceiling = u128::from(ceiling.amount().units());
                if 0 < more && ceiling < wanted {
                    shortfalls.push(Shortfall {
                        scope: above,
                        item: line.item.clone(),
                        used,
                        held,
                        short_by: wanted - ceiling,
                        mode,
                    });
                }
            }
        }
        shortfalls.sort();
        shortfalls
    }

    /// How much heavier an account becomes.
    fn more(&self, want: &Want<'_>, line: &Line, above: &ScopeId) -> u128 {
        let before = want.instead_of.map_or(0, |old| {
            let is_below = self.chain(&old.scope).contains(above);
            if is_below { taken(old, &line.item) } else { 0 }
        });
        u128::from(line.amount.units()).saturating_sub(before)
    }

    /// Every part of a limit that is not taken yet, and would be: whether it binds or not.
    fn crossings(&self, want: &Want<'_>, moment: Moment) -> Vec<Crossing> {
        let mut crossings = Vec::new();
        for line in want.lines {
            for above in self.chain(want.scope) {
                let (used, held) = self.figures(&above, &line.item, moment);
                let (before, more) = (used + held, self.more(want, line, &above));
                let Ceiling::Finite(ceiling) =
                    self.ceiling(want.scope, &above, &line.item, moment.at).0
                else {
                    continue;
                };
                for percent in self.resources[&line.item.resource].alerts.iter() {
                    let part = u128::from(ceiling.units()) * u128::from(percent);
                    let is_new = before == 0 || 100 * before < part;
                    if is_new && 0 < before + more && part <= 100 * (before + more) {
                        let taken = u64::try_from(before + more).ok().and_then(Amount::new);
                        crossings.push(Crossing {
                            scope: above.clone(),
                            item: line.item.clone(),
                            percent,
                            ceiling,
                            taken: taken.expect("an amount"),
                        });
                    }
                }
            }
        }
        crossings
    }

    /// Of each line as much as there is room for, at least what would do, at most all. A limit
    /// that lets pass leaves room for everything.
    pub(crate) fn fitting(
        &self,
        scope: &ScopeId,
        asked: &Asked,
        is_forced: bool,
        moment: Moment,
    ) -> Vec<Line> {
        let fitting = asked.iter().map(|(line, least)| {
            let rooms = self.chain(scope).into_iter().map(|above| {
                let (used, held) = self.figures(&above, &line.item, moment);
                let ceiling = match self.ceiling(scope, &above, &line.item, moment.at) {
                    (Ceiling::Finite(amount), Mode::Enforce) if !is_forced => amount.units(),
                    _ => AMOUNT_MAX,
                };
                u128::from(ceiling).saturating_sub(used + held)
            });
            let room = rooms.min().expect("a scope at least");
            let room = u64::try_from(room).ok().and_then(Amount::new);
            let amount = line.amount.min(room.expect("an amount")).max(least);
            Line {
                amount,
                ..line.clone()
            }
        });
        fitting.collect()
    }

    /// The ceiling of an account at a scope, for somebody who uses it there or below.
    pub(super) fn ceiling(
        &self,
        user: &ScopeId,
        scope: &ScopeId,
        item: &Item,
        at: Timestamp,
    ) -> (Ceiling, Mode) {
        let default = || {
            (
                self.resources[&item.resource].default_ceiling,
                Mode::Enforce,
            )
        };
        match self.set_at(scope, item, at) {
            Some(set) => set,
            None if user == scope => default(),
            None => (Ceiling::Unlimited, Mode::Enforce),
        }
    }

    /// The ceiling of a scope for itself, if no limit that ends were there, and how it binds.
    pub(super) fn until_further_notice(
        &self,
        scope: &ScopeId,
        item: &Item,
        at: Timestamp,
    ) -> (Ceiling, Mode) {
        let mut without = self.clone();
        for limits in without.limits.values_mut() {
            limits.retain(|limit| limit.window.ends_at().is_none());
        }
        without.ceiling(scope, scope, item, at)
    }

    /// A live limit for the exact location, else a live limit for any location, else its tier's.
    fn set_at(&self, scope: &ScopeId, item: &Item, at: Timestamp) -> Option<(Ceiling, Mode)> {
        let any = Item {
            resource: item.resource.clone(),
            location: None,
        };
        let limit = |item: &Item| self.live(scope, item, at);
        if let Some(limit) = limit(item).or_else(|| limit(&any)) {
            return Some((limit.ceiling, limit.mode));
        }
        let tier = &self.tiers[self.scopes.get(scope)?.tier.as_ref()?];
        let of_tier = |item: &Item| tier.limits.iter().find(|limit| limit.item == *item);
        let limit = of_tier(item).or_else(|| of_tier(&any))?;
        Some((limit.ceiling, limit.mode))
    }

    /// Of the limits that have begun and have not ended, the one that began last; of those, the
    /// one that ends first.
    fn live(&self, scope: &ScopeId, item: &Item, at: Timestamp) -> Option<&Limit> {
        let mut counts: Option<&Limit> = None;
        for limit in self.limits.get(&(scope.clone(), item.clone()))? {
            let (start, end) = (limit.window.starts_at(), limit.window.ends_at());
            if start.is_some_and(|start| at < start) || end.is_some_and(|end| end <= at) {
                continue;
            }
            let is_stronger = counts.is_none_or(|other| {
                let (other_start, other_end) = (other.window.starts_at(), other.window.ends_at());
                let ends_before = match (end, other_end) {
                    (None, _) => false,
                    (Some(_), None) => true,
                    (Some(end), Some(other_end)) => end < other_end,
                };
                other_start < start || (other_start == start && ends_before)
            });
            if is_stronger {
                counts = Some(limit);
            }
        }
        counts
    }
}
