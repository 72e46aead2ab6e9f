//! What the native API tells of the past.

use std::collections::BTreeSet;

use plimsoll_core::event::{Change, Event, Mark};
use plimsoll_core::names::ScopeId;
use plimsoll_core::rows::{Footprint, Rows};
use plimsoll_dialects::http::Reply;
use plimsoll_dialects::native::{AsOf, EventFilter, Problem, encode, visible};
use plimsoll_store::{self as store, AsOfAnswer, Tables};

use super::Service;
use super::native::read_problem;
use super::native_read::QuotasAsked;
use crate::auth::Caller;
use crate::clock;

impl Service {
    /// A page of the events of a scope: those of the tenant's log that lie at the scope or below.
    /// Without a scope, of those of the catalogue.
    pub(super) async fn events(
        &self,
        caller: &Caller,
        scope: Option<&ScopeId>,
        filter: &EventFilter,
        after: u64,
        size: usize,
    ) -> Result<Reply, Problem> {
        let log = self.log_of(caller, scope).await?;
        let events = self.store.events(&log, after, size).await;
        let events = events.map_err(read_problem)?;
        let last = events.last().map(|last| last.revision);
        let tell = |rows: &Tables| {
            let head = rows.head(&log).revision;
            let next = last.filter(|last| *last < head);
            let shown = events.iter();
            let shown = shown.filter_map(|event| visible(rows, event, scope, filter));
            let shown: Vec<_> = shown.collect();
            encode::events(scope, &shown, next)
        };
        let told = self.store.read(&scopes_in(&events, scope), tell).await;
        told.map_err(read_problem)
    }

    /// The quotas of a scope as they were.
    pub(super) async fn quotas_as_of(
        &self,
        caller: &Caller,
        asked: &QuotasAsked<'_>,
        as_of: AsOf,
    ) -> Result<Reply, Problem> {
        let tenant = self.tenant_of(caller, asked.scope).await?;
        let as_of = match as_of {
            AsOf::Revision(revision) => store::AsOf::Revision(revision),
            // What is to come can still change: nothing is told of it. Where the machine's clock was
            // moved, the ledger's follows slowly: neither of them has come there.
            AsOf::Instant(instant) if clock::steady().max(clock::now()) < instant => {
                return Err(Problem::not_yet());
            }
            AsOf::Instant(instant) => store::AsOf::Instant(instant),
        };
        let item = asked.only_item();
        let footprint = Footprint {
            all_items: item.is_none(),
            items: item.into_iter().collect(),
            ..Footprint::of_scope(asked.scope)
        };
        let report = |rows: &Tables, at| {
            // The scope may be younger than that, or have been elsewhere: it lies within the
            // caller's reach now, and its tenant never changes.
            let known = rows.scope(asked.scope)?;
            Some(asked.tell(rows, known, Some(at)))
        };
        let told = self
            .store
            .read_as_of(&tenant, as_of, &footprint, report)
            .await
            .map_err(read_problem)?;
        match told {
            AsOfAnswer::Found {
                answer: Some(reply),
                ..
            } => Ok(reply),
            AsOfAnswer::Found { answer: None, .. } | AsOfAnswer::BeforeFirst => {
                Err(Problem::before_first(asked.scope))
            }
            AsOfAnswer::Beyond { head } => Err(Problem::beyond_log(head)),
        }
    }
}

/// The scopes of which some events tell, and others.
pub(crate) fn scopes_in<'a>(
    events: &'a [Event],
    others: impl IntoIterator<Item = &'a ScopeId>,
) -> Footprint {
    let changes = events.iter().flat_map(|event| &event.changes);
    let scopes = changes.filter_map(|change| match change {
        Change::Scope(row) => Some(&row.id),
        Change::Limits { scope, .. }
        | Change::Account { scope, .. }
        | Change::Tally { scope, .. } => Some(scope),
        Change::Reservation(row) => Some(&row.scope),
        Change::Request(row) => Some(&row.scope),
        Change::ReservationGone(_)
        | Change::RequestGone { .. }
        | Change::Resource(_)
        | Change::Location(_)
        | Change::Tier(_)
        | Change::Webhook(_)
        | Change::WebhookGone(_)
        | Change::Principal(_)
        | Change::PrincipalGone(_) => None,
    });
    let crossed = events.iter().flat_map(|event| &event.crossed);
    let scopes = scopes.chain(crossed.map(|it| &it.scope));
    let passed = events.iter().flat_map(|event| match &event.mark {
        Mark::Passed { limits } => limits.as_slice(),
        Mark::Enforced | Mark::Forced { .. } | Mark::Mended { .. } => &[],
    });
    let scopes = scopes.chain(passed.map(|(scope, ..)| scope));
    let scopes: BTreeSet<&ScopeId> = scopes.chain(others).collect();
    Footprint {
        scopes: scopes.into_iter().cloned().collect(),
        ..Footprint::default()
    }
}
