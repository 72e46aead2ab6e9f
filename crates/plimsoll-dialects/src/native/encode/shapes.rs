//! Reservations, quotas, limits and scopes as the bodies that show them.

use std::collections::BTreeMap;

use plimsoll_core::amount::Amount;
use plimsoll_core::model::{Attributes, Item, Limit, Line, Original, Reservation, Scope, State};
use plimsoll_core::names::{LocationId, RequestId, ScopeId, Text, TierName};
use plimsoll_core::outcome::{Exceeded, Source};
use plimsoll_core::report::{Over, Quota, QuotaSource};

use super::super::wire::{leaf, replies};

impl<'a> From<&'a Reservation> for replies::Reservation<'a> {
    fn from(reservation: &'a Reservation) -> Self {
        let (expires_at, ended_at) = match reservation.state {
            State::Held { expires_at } => (Some(expires_at), None),
            State::Committed => (None, None),
            State::Released { ended_at } | State::Expired { ended_at } => (None, Some(ended_at)),
        };
        replies::Reservation {
            id: reservation.id.as_str(),
            state: reservation.state.name(),
            scope: reservation.scope.as_str(),
            tenant: reservation.tenant.as_str(),
            lines: reservation.lines.iter().map(Into::into).collect(),
            asked: reservation.original.as_deref().map(Into::into),
            forced: reservation.forced.as_ref().map(Text::as_str),
            holder: reservation.holder.as_ref().map(Text::as_str),
            attributes: texts(&reservation.attributes),
            created_at: leaf::Time(reservation.created_at),
            expires_at: expires_at.map(leaf::Time),
            ended_at: ended_at.map(leaf::Time),
            revision: reservation.revision,
            warnings: Vec::new(),
        }
    }
}

impl<'a> From<&'a Line> for replies::Line<'a> {
    fn from(line: &'a Line) -> Self {
        replies::Line {
            resource: line.item.resource.as_str(),
            location: location_of(&line.item),
            amount: line.amount.units(),
        }
    }
}

impl<'a> From<&'a Original> for replies::Asked<'a> {
    fn from(original: &'a Original) -> Self {
        let lines = original
            .asked
            .iter()
            .map(|(line, least)| replies::AskedLine {
                resource: line.item.resource.as_str(),
                location: location_of(&line.item),
                amount: line.amount.units(),
                at_least: least.units(),
            });
        replies::Asked {
            scope: original.scope.as_str(),
            lines: lines.collect(),
        }
    }
}

impl<'a> From<&'a Exceeded> for replies::Exceeded<'a> {
    fn from(exceeded: &'a Exceeded) -> Self {
        let scope = exceeded.scope.as_str();
        let resource = exceeded.item.resource.as_str();
        let location = location_of(&exceeded.item);
        let sufficient = exceeded.smallest_sufficient.map(Amount::units);
        replies::Exceeded {
            scope,
            resource,
            location,
            limit: leaf::Limit(exceeded.ceiling),
            mode: exceeded.mode.name(),
            limit_source: exceeded.source.name(),
            limit_set: set(&exceeded.source),
            tier: tier(&exceeded.source),
            used: exceeded.used.units(),
            held: exceeded.held.units(),
            asked: exceeded.asked.units(),
            short_by: exceeded.short_by.units(),
            smallest_sufficient_limit: sufficient,
            fits_at: exceeded.fits_at.map(leaf::Time),
            increase_request: limit_to_ask_for(exceeded).map(|limit| replies::IncreaseRequest {
                scope,
                resource,
                location,
                limit,
            }),
        }
    }
}

/// The limit that would admit it, once it is asked for and granted. `None` where numbers end before,
/// where limits are not raised on request, and where somebody has set a limit for a time: that one goes before what is granted.
pub(super) fn limit_to_ask_for(exceeded: &Exceeded) -> Option<u64> {
    let is_for_a_time = match &exceeded.source {
        Source::Limit {
            window, request, ..
        } => window.ends_at().is_some() && request.is_none(),
        Source::Default | Source::Tier { .. } | Source::NumberSpace => false,
    };
    let sufficient = exceeded.smallest_sufficient.map(Amount::units);
    sufficient.filter(|_| exceeded.is_adjustable && !is_for_a_time)
}

fn set(source: &Source) -> Option<replies::LimitSet<'_>> {
    match source {
        Source::Limit {
            item,
            window,
            set_by,
            reason,
            request,
            revision,
        } => Some(replies::LimitSet {
            location: location_of(item),
            starts_at: window.starts_at().map(leaf::Time),
            ends_at: window.ends_at().map(leaf::Time),
            set_by: set_by.as_str(),
            reason: reason.as_str(),
            request: request.as_ref().map(RequestId::as_str),
            revision: *revision,
        }),
        Source::Default | Source::Tier { .. } | Source::NumberSpace => None,
    }
}

fn tier(source: &Source) -> Option<&str> {
    match source {
        Source::Tier { tier, .. } => Some(tier.as_str()),
        Source::Default | Source::Limit { .. } | Source::NumberSpace => None,
    }
}

impl<'a> From<&'a Quota> for replies::Quota<'a> {
    fn from(quota: &'a Quota) -> Self {
        replies::Quota {
            resource: quota.item.resource.as_str(),
            location: location_of(&quota.item),
            unit: quota.unit.as_str(),
            limit: leaf::Limit(quota.ceiling),
            mode: quota.mode.name(),
            used: quota.used.units(),
            held: quota.held.units(),
            available: leaf::Limit(quota.available),
            over_by: quota.over_by.units(),
            counts: quota.tally.into(),
            sources: quota.sources.iter().map(Into::into).collect(),
        }
    }
}

impl<'a> From<&'a QuotaSource> for replies::QuotaSource<'a> {
    fn from(link: &'a QuotaSource) -> Self {
        replies::QuotaSource {
            scope: link.scope.as_str(),
            limit: leaf::Limit(link.ceiling),
            mode: link.mode.name(),
            source: link.source.name(),
            set: set(&link.source),
            tier: tier(&link.source),
            available: leaf::Limit(link.available),
        }
    }
}

impl<'a> From<&'a Limit> for replies::SetLimit<'a> {
    fn from(limit: &'a Limit) -> Self {
        replies::SetLimit {
            scope: limit.scope.as_str(),
            resource: limit.item.resource.as_str(),
            location: location_of(&limit.item),
            limit: leaf::Limit(limit.ceiling),
            mode: limit.mode.name(),
            starts_at: limit.window.starts_at().map(leaf::Time),
            ends_at: limit.window.ends_at().map(leaf::Time),
            set_by: limit.set_by.as_str(),
            set_at: leaf::Time(limit.set_at),
            reason: limit.reason.as_str(),
            request: limit.request.as_ref().map(RequestId::as_str),
            revision: limit.revision,
        }
    }
}

impl<'a> From<&'a Over> for replies::Over<'a> {
    fn from(over: &'a Over) -> Self {
        replies::Over {
            scope: over.scope.as_str(),
            resource: over.item.resource.as_str(),
            location: location_of(&over.item),
            used: over.used.units(),
            held: over.held.units(),
            over_by: over.over_by.units(),
        }
    }
}

impl<'a> From<&'a Scope> for replies::Scope<'a> {
    fn from(scope: &'a Scope) -> Self {
        replies::Scope {
            id: scope.id.as_str(),
            parent: scope.parent.as_ref().map(ScopeId::as_str),
            tenant: scope.tenant.as_str(),
            depth: scope.depth,
            kind: scope.kind.as_str(),
            tier: scope.tier.as_ref().map(TierName::as_str),
        }
    }
}

/// A small map as it travels.
pub(super) fn texts(attributes: &Attributes) -> BTreeMap<&str, &str> {
    let text = |(name, value): (_, _)| (Text::as_str(name), Text::as_str(value));
    attributes.iter().map(text).collect()
}

/// The location of an item.
pub(super) fn location_of(item: &Item) -> Option<&str> {
    item.location.as_ref().map(LocationId::as_str)
}
