//! Core values as the bodies that show them.

use std::collections::BTreeMap;

use plimsoll_core::amount::Amount;
use plimsoll_core::model::{
    Attributes, Credential, Item, Limit, Line, Location, Original, Principal, Reach, Reservation,
    Resource, Scope, State,
};
use plimsoll_core::names::{LocationId, ScopeId, Text};
use plimsoll_core::outcome::{Exceeded, Source};
use plimsoll_core::report::{Quota, QuotaSource};

use super::super::Kind;
use super::super::wire::words::EVERYTHING;
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
            warnings: &[],
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
            limit_source: exceeded.source.name(),
            limit_set: set(&exceeded.source),
            used: exceeded.used.units(),
            held: exceeded.held.units(),
            asked: exceeded.asked.units(),
            short_by: exceeded.short_by.units(),
            smallest_sufficient_limit: sufficient,
            fits_at: exceeded.fits_at.map(leaf::Time),
            increase_request: sufficient.map(|limit| replies::IncreaseRequest {
                scope,
                resource,
                location,
                limit,
            }),
        }
    }
}

fn set(source: &Source) -> Option<replies::LimitSet<'_>> {
    match source {
        Source::Limit {
            item,
            set_by,
            reason,
            revision,
        } => Some(replies::LimitSet {
            location: location_of(item),
            set_by: set_by.as_str(),
            reason: reason.as_str(),
            revision: *revision,
        }),
        Source::Default | Source::NumberSpace => None,
    }
}

impl<'a> From<&'a Quota> for replies::Quota<'a> {
    fn from(quota: &'a Quota) -> Self {
        replies::Quota {
            resource: quota.item.resource.as_str(),
            location: location_of(&quota.item),
            unit: quota.unit.as_str(),
            limit: leaf::Limit(quota.ceiling),
            used: quota.used.units(),
            held: quota.held.units(),
            available: leaf::Limit(quota.available),
            over_by: quota.over_by.units(),
            sources: quota.sources.iter().map(Into::into).collect(),
        }
    }
}

impl<'a> From<&'a QuotaSource> for replies::QuotaSource<'a> {
    fn from(link: &'a QuotaSource) -> Self {
        replies::QuotaSource {
            scope: link.scope.as_str(),
            limit: leaf::Limit(link.ceiling),
            source: link.source.name(),
            set: set(&link.source),
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
            set_by: limit.set_by.as_str(),
            set_at: leaf::Time(limit.set_at),
            reason: limit.reason.as_str(),
            revision: limit.revision,
        }
    }
}

impl<'a> From<&'a Resource> for replies::Resource<'a> {
    fn from(resource: &'a Resource) -> Self {
        replies::Resource {
            name: resource.name.as_str(),
            unit: resource.unit.as_str(),
            default_limit: leaf::Limit(resource.default_ceiling),
            per_location: resource.per_location,
            adjustable: resource.adjustable,
            description: resource.description.as_str(),
        }
    }
}

impl<'a> From<&'a Location> for replies::Location<'a> {
    fn from(location: &'a Location) -> Self {
        replies::Location {
            id: location.id.as_str(),
            name: location.name.as_str(),
            attributes: texts(&location.attributes),
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
        }
    }
}

impl<'a> From<&'a Principal> for replies::Principal<'a> {
    fn from(principal: &'a Principal) -> Self {
        let kind = match principal.credential {
            Credential::AccessKey { .. } => Kind::AccessKey,
            Credential::Token { .. } => Kind::Token,
        };
        replies::Principal {
            id: principal.id.as_str(),
            kind: kind.name(),
            role: principal.role.name(),
            scope: match &principal.reach {
                Reach::Everything => EVERYTHING,
                Reach::Below(scope) => scope.as_str(),
            },
            force: principal.may_force,
            enabled: principal.enabled,
            expires_at: principal.expires_at.map(leaf::Time),
            description: principal.description.as_str(),
            created_at: leaf::Time(principal.created_at),
            revision: principal.revision,
        }
    }
}

fn texts(attributes: &Attributes) -> BTreeMap<&str, &str> {
    let text = |(name, value): (_, _)| (Text::as_str(name), Text::as_str(value));
    attributes.iter().map(text).collect()
}

fn location_of(item: &Item) -> Option<&str> {
    item.location.as_ref().map(LocationId::as_str)
}
