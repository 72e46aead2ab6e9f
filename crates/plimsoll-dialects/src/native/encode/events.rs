//! Events, as their readers and the webhooks are told of them.

use plimsoll_core::amount::Timestamp;
use plimsoll_core::event::{Change, Crossing, Event, Mark};
use plimsoll_core::model::{Account, Item, Limit, Mode, Tally};
use plimsoll_core::names::{ScopeId, Text};

use super::super::wire::{leaf, replies};
use super::shapes::location_of;
use super::{json, ok};
use crate::http::Reply;

/// A page of what has happened at a scope and below, or to the catalogue, each event as
/// [`visible`](super::visible) leaves it; `next_after` is the revision after which more follows.
pub fn events(scope: Option<&ScopeId>, events: &[Event], next_after: Option<u64>) -> Reply {
    ok(&replies::Events {
        scope: scope.map(ScopeId::as_str),
        events: events.iter().map(Into::into).collect(),
        next_after,
    })
}

/// One event on one line, for the `data` of a stream.
pub fn event_data(event: &Event) -> Vec<u8> {
    json(&replies::Event::from(event))
}

impl<'a> From<&'a Event> for replies::Event<'a> {
    fn from(event: &'a Event) -> Self {
        replies::Event {
            revision: event.revision,
            at: leaf::Time(event.at),
            actor: event.actor.as_str(),
            cause: event.cause.name(),
            reason: event
                .reason
                .as_ref()
                .or(reason_of(&event.mark))
                .map(Text::as_str),
            mark: (&event.mark).into(),
            changes: event.changes.iter().map(row).collect(),
            crossed: event.crossed.iter().map(Into::into).collect(),
        }
    }
}

fn reason_of(mark: &Mark) -> Option<&Text> {
    match mark {
        Mark::Forced { reason } | Mark::Mended { reason } => Some(reason),
        Mark::Enforced | Mark::Passed { .. } => None,
    }
}

impl<'a> From<&'a Mark> for replies::Mark<'a> {
    fn from(mark: &'a Mark) -> Self {
        let limits = match mark {
            Mark::Enforced | Mark::Forced { .. } | Mark::Mended { .. } => [].as_slice(),
            Mark::Passed { limits } => limits.as_slice(),
        };
        replies::Mark {
            kind: mark.name(),
            reason: reason_of(mark).map(Text::as_str),
            limits: limits.iter().map(Into::into).collect(),
        }
    }
}

impl<'a> From<&'a (ScopeId, Item, Mode)> for replies::PassedLimit<'a> {
    fn from((scope, item, mode): &'a (ScopeId, Item, Mode)) -> Self {
        replies::PassedLimit {
            scope: scope.as_str(),
            resource: item.resource.as_str(),
            location: location_of(item),
            mode: mode.name(),
        }
    }
}

impl<'a> From<&'a Crossing> for replies::Crossing<'a> {
    fn from(crossing: &'a Crossing) -> Self {
        replies::Crossing {
            scope: crossing.scope.as_str(),
            resource: crossing.item.resource.as_str(),
            location: location_of(&crossing.item),
            percent: crossing.percent,
            limit: crossing.ceiling.units(),
            taken: crossing.taken.units(),
        }
    }
}

/// A changed row. None has a credential or a secret in it.
fn row(change: &Change) -> replies::Row<'_> {
    match change {
        Change::Scope(it) => replies::Row::Scope((&**it).into()),
        Change::Limits {
            scope,
            item,
            limits,
        } => replies::Row::Limits(item_limits(scope, item, limits)),
        Change::Account {
            scope,
            item,
            account,
        } => replies::Row::Account(self::account(scope, item, *account)),
        Change::Reservation(it) => replies::Row::Reservation(Box::new((&**it).into())),
        Change::ReservationGone(key) => replies::Row::ReservationGone(replies::GoneRow {
            tenant: key.tenant.as_str(),
            id: key.id.as_str(),
        }),
        Change::Tally { scope, item, tally } => replies::Row::Tally(tallied(scope, item, *tally)),
        Change::Request(it) => replies::Row::Request(Box::new((&**it).into())),
        Change::RequestGone { tenant, id } => replies::Row::RequestGone(replies::GoneRow {
            tenant: tenant.as_str(),
            id: id.as_str(),
        }),
        Change::Resource(it) => replies::Row::Resource((&**it).into()),
        Change::Location(it) => replies::Row::Location(it.into()),
        Change::Tier(it) => replies::Row::Tier(it.into()),
        Change::Principal(it) => replies::Row::Principal((&**it).into()),
        Change::PrincipalGone(id) => {
            replies::Row::PrincipalGone(replies::GoneOne { id: id.as_str() })
        }
        Change::Webhook(it) => replies::Row::Webhook((&**it).into()),
        Change::WebhookGone(id) => replies::Row::WebhookGone(replies::GoneOne { id: id.as_str() }),
    }
}

/// All limits of a scope and an item.
pub(in crate::native) fn item_limits<'a>(
    scope: &'a ScopeId,
    item: &'a Item,
    limits: &'a [Limit],
) -> replies::ItemLimits<'a> {
    replies::ItemLimits {
        scope: scope.as_str(),
        resource: item.resource.as_str(),
        location: location_of(item),
        limits: limits.iter().map(Into::into).collect(),
    }
}

fn account<'a>(scope: &'a ScopeId, item: &'a Item, account: Account) -> replies::Account<'a> {
    replies::Account {
        scope: scope.as_str(),
        resource: item.resource.as_str(),
        location: location_of(item),
        used: account.used.units(),
        held: account.held.units(),
    }
}

/// What went past the limits of a scope and an item.
pub(in crate::native) fn tallied<'a>(
    scope: &'a ScopeId,
    item: &'a Item,
    tally: Tally,
) -> replies::Tally<'a> {
    replies::Tally {
        scope: scope.as_str(),
        resource: item.resource.as_str(),
        location: location_of(item),
        counts: tally.into(),
    }
}

impl From<Tally> for replies::Counts {
    fn from(tally: Tally) -> Self {
        let happened = tally.last_at != Timestamp::default();
        replies::Counts {
            refused: tally.refused,
            warned: tally.warned,
            observed: tally.observed,
            last_at: happened.then_some(leaf::Time(tally.last_at)),
        }
    }
}
