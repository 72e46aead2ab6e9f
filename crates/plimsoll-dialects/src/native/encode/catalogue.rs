//! What belongs to no tenant, as the bodies that show it: resources, locations, tiers, principals,
//! webhooks.

use plimsoll_core::model::{
    AutoApproval, Credential, Location, Principal, Reach, Resource, Tier, TierLimit, Topic, Webhook,
};

use super::super::wire::words::EVERYTHING;
use super::super::wire::{leaf, replies};
use super::super::{Delivery, Kind};
use super::shapes::{location_of, texts};

impl<'a> From<&'a Resource> for replies::Resource<'a> {
    fn from(resource: &'a Resource) -> Self {
        replies::Resource {
            name: resource.name.as_str(),
            unit: resource.unit.as_str(),
            default_limit: leaf::Limit(resource.default_ceiling),
            per_location: resource.per_location,
            adjustable: resource.adjustable,
            auto_approval: resource.auto_approval.map(Into::into),
            alerts: resource.alerts.iter().collect(),
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

impl From<AutoApproval> for replies::AutoApproval {
    fn from(rule: AutoApproval) -> Self {
        replies::AutoApproval {
            limit: rule.ceiling.units(),
            factor_percent: rule.factor_percent,
            cool_off_seconds: rule.cool_off_ms.div_euclid(1_000),
        }
    }
}

impl<'a> From<&'a Tier> for replies::Tier<'a> {
    fn from(tier: &'a Tier) -> Self {
        replies::Tier {
            name: tier.name.as_str(),
            description: tier.description.as_str(),
            limits: tier.limits.iter().map(Into::into).collect(),
        }
    }
}

impl<'a> From<&'a TierLimit> for replies::TierLimit<'a> {
    fn from(limit: &'a TierLimit) -> Self {
        replies::TierLimit {
            resource: limit.item.resource.as_str(),
            location: location_of(&limit.item),
            limit: leaf::Limit(limit.ceiling),
            mode: limit.mode.name(),
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
            scope: reach(&principal.reach),
            force: principal.may_force,
            enabled: principal.enabled,
            expires_at: principal.expires_at.map(leaf::Time),
            description: principal.description.as_str(),
            created_at: leaf::Time(principal.created_at),
            revision: principal.revision,
        }
    }
}

impl<'a> From<&'a Delivery> for replies::Delivery<'a> {
    fn from(delivery: &'a Delivery) -> Self {
        let failure = delivery.failure.as_ref();
        replies::Delivery {
            taken_at: delivery.taken_at.map(leaf::Time),
            failed_at: failure.map(|(at, _)| leaf::Time(*at)),
            failure: failure.map(|(_, why)| why.as_str()),
            failures: delivery.failures,
            next_try_at: delivery.next_try_at.map(leaf::Time),
        }
    }
}

impl<'a> From<&'a Webhook> for replies::Webhook<'a> {
    fn from(webhook: &'a Webhook) -> Self {
        replies::Webhook {
            id: webhook.id.as_str(),
            url: webhook.url.as_str(),
            scope: reach(&webhook.reach),
            topics: webhook.topics.iter().copied().map(Topic::name).collect(),
            enabled: webhook.enabled,
            delivered: webhook.delivered,
            revision: webhook.revision,
        }
    }
}

fn reach(reach: &Reach) -> &str {
    match reach {
        Reach::Everything => EVERYTHING,
        Reach::Below(scope) => scope.as_str(),
    }
}
