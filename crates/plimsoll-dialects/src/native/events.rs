//! What of an event a reader may see.

use plimsoll_core::event::{Cause, Change, Crossing, Event, Log, Mark};
use plimsoll_core::model::{Item, Reach};
use plimsoll_core::names::ScopeId;
use plimsoll_core::rows::{Rows, scope_within};

use super::EventFilter;

/// An event as a reader of a scope sees it: what lies at the scope or below, and nothing else;
/// `None` where that is nothing, or where the filter does not ask for it.
///
/// `rows` must have every scope that the event names, with the scopes above. What is forgotten is
/// told at the tenant alone: where it was is not known any more. Without a scope, the catalogue's
/// events are told, whole; nobody else sees them.
pub fn visible<R: Rows>(
    rows: &R,
    event: &Event,
    scope: Option<&ScopeId>,
    filter: &EventFilter,
) -> Option<Event> {
    if filter.cause.is_some_and(|cause| cause != event.cause) {
        return None;
    }
    match (&event.log, scope) {
        // How far a webhook has been told is noted every second: who looks for more need not see it.
        (Log::Catalogue, None) => {
            let is_noise = event.cause == Cause::WebhookDelivered && filter.cause.is_none();
            (!is_noise).then(|| event.clone())
        }
        (Log::Tenant(tenant), Some(scope)) => visible_at(rows, event, tenant, scope, filter),
        (Log::Catalogue, Some(_)) | (Log::Tenant(_), None) => None,
    }
}

/// An event of a tenant, as a reader of one of its scopes sees it.
fn visible_at<R: Rows>(
    rows: &R,
    event: &Event,
    tenant: &ScopeId,
    scope: &ScopeId,
    filter: &EventFilter,
) -> Option<Event> {
    let reach = Reach::Below(scope.clone());
    let is_within = |id: &ScopeId| scope_within(rows, &reach, id).is_some();
    let is_seen = |change: &&Change| match change {
        Change::Scope(row) => is_within(&row.id),
        Change::Limits { scope, .. }
        | Change::Account { scope, .. }
        | Change::Tally { scope, .. } => is_within(scope),
        Change::Reservation(row) => is_within(&row.scope),
        Change::Request(row) => is_within(&row.scope),
        Change::ReservationGone(_) | Change::RequestGone { .. } => tenant == scope,
        Change::Resource(_)
        | Change::Location(_)
        | Change::Tier(_)
        | Change::Principal(_)
        | Change::PrincipalGone(_)
        | Change::Webhook(_)
        | Change::WebhookGone(_) => false,
    };
    let changes: Vec<Change> = event.changes.iter().filter(is_seen).cloned().collect();
    if !changes.iter().any(|change| is_about(filter, change)) {
        return None;
    }
    let is_crossed_within = |crossing: &&Crossing| is_within(&crossing.scope);
    let crossed = event.crossed.iter().filter(is_crossed_within);
    Some(Event {
        log: event.log.clone(),
        revision: event.revision,
        at: event.at,
        actor: event.actor.clone(),
        cause: event.cause,
        reason: event.reason.clone(),
        mark: seen_mark(&event.mark, is_within),
        crossed: crossed.cloned().collect(),
        changes,
    })
}

/// The mark without the limits of other scopes: where none is left, every limit in sight was kept.
fn seen_mark(mark: &Mark, is_within: impl Fn(&ScopeId) -> bool) -> Mark {
    match mark {
        Mark::Enforced | Mark::Forced { .. } | Mark::Mended { .. } => mark.clone(),
        Mark::Passed { limits } => {
            let limits = limits.iter().filter(|(scope, ..)| is_within(scope));
            let limits: Vec<_> = limits.cloned().collect();
            if limits.is_empty() {
                Mark::Enforced
            } else {
                Mark::Passed { limits }
            }
        }
    }
}

/// Whether a change is about what a filter asks for.
fn is_about(filter: &EventFilter, change: &Change) -> bool {
    let admits = |item: &Item| {
        let is_of_resource = filter
            .resource
            .as_ref()
            .is_none_or(|resource| *resource == item.resource);
        is_of_resource && (filter.location.is_none() || filter.location == item.location)
    };
    match change {
        Change::Limits { item, .. } | Change::Account { item, .. } | Change::Tally { item, .. } => {
            admits(item)
        }
        Change::Reservation(row) => row.lines.iter().any(|line| admits(&line.item)),
        Change::Request(row) => admits(&row.item),
        Change::Scope(_)
        | Change::ReservationGone(_)
        | Change::RequestGone { .. }
        | Change::Resource(_)
        | Change::Location(_)
        | Change::Tier(_)
        | Change::Principal(_)
        | Change::PrincipalGone(_)
        | Change::Webhook(_)
        | Change::WebhookGone(_) => filter.resource.is_none() && filter.location.is_none(),
    }
}
