//! Requests: asked, granted, denied, taken back.

use alloc::vec::Vec;

use super::draft::Draft;
use super::limits::{changed, limitable, with_limit};
use super::{Halt, unchanged};
use crate::amount::{Ceiling, Timestamp};
use crate::bounds::REQUESTS_OF_TENANT_MAX;
use crate::ceilings::{self, Effective};
use crate::command::{ApproveRequest, Command, RuleRequest, SubmitRequest};
use crate::event::{Cause, Change, Log};
use crate::model::{Limit, Request, RequestStatus, Ruling, Window};
use crate::names::{RequestId, ScopeId, Text};
use crate::outcome::{Decision, Denial, Done};
use crate::rows::{Rows, scope_within};

/// Asks for a higher limit; the resource's rule may grant it at once.
pub(super) fn submit<R: Rows>(
    rows: &R,
    command: &Command,
    submit: &SubmitRequest,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let unknown = || Denial::UnknownScope(submit.scope.clone());
    let scope = scope_within(rows, &command.reach, &submit.scope).ok_or_else(unknown)?;
    let resource = limitable(rows, &submit.item)?;
    if rows.request(&submit.id).is_some() {
        return Err(Denial::IdConflict.into());
    }
    if !resource.adjustable {
        return Err(Denial::NotAdjustable(resource.name.clone()).into());
    }
    let limits = rows.limits(&submit.scope, &submit.item);
    let same = || {
        let requests = rows.requests(&scope.tenant);
        requests.filter(|it| it.scope == submit.scope && it.item == submit.item)
    };
    if let Some(known) = same().find(|it| is_repeated(it, submit, limits)) {
        return Ok(unchanged(Done::Request(known.clone().into())));
    }
    if let Some(known) = same().find(is_pending) {
        return Err(Denial::RequestPending(known.id.clone()).into());
    }
    let mut draft = Draft::new(rows, Log::Tenant(scope.tenant.clone()), &command.actor, now);
    // It is asked for until further notice, so what ends is neither too much nor too little.
    let present = ceilings::standing(rows, scope, resource, &submit.item, draft.now()).ceiling();
    if submit.ceiling.amount() <= present.amount() {
        return Err(Denial::NotAnIncrease { present }.into());
    }
    let approved = same().filter_map(|it| match &it.status {
        RequestStatus::Approved { ruling, .. } => Some(ruling.at),
        RequestStatus::Pending | RequestStatus::Denied(_) | RequestStatus::Cancelled(_) => None,
    });
    let granted_before = limits.iter().filter(|limit| limit.request.is_some());
    let approved = approved.chain(granted_before.map(|limit| limit.set_at));
    let request = Request {
        id: submit.id.clone(),
        tenant: scope.tenant.clone(),
        scope: submit.scope.clone(),
        item: submit.item.clone(),
        ceiling: submit.ceiling,
        reason: submit.reason.clone(),
        submitted_by: command.actor.clone(),
        submitted_at: draft.now(),
        present,
        approved_before: approved.max(),
        status: RequestStatus::Pending,
        revision: draft.next_revision(),
    };
    let mut changes: Vec<Change> = oldest_too_many(rows, &scope.tenant)?.into_iter().collect();
    changes.push(Change::Request(request.clone().into()));
    draft.because(&request.reason);
    draft.push(Cause::RequestSubmitted, changes);
    // A first limit above others would bind them all: that is for people to decide.
    let binds_others = limits.is_empty() && rows.has_children(&submit.scope);
    let rule = resource.auto_approval.filter(|_| !binds_others);
    if rule.is_some_and(|rule| rule.approves(&request)) {
        let grant = Grant {
            ceiling: request.ceiling,
            ends_at: None,
            reason: Text::parse(AUTOMATIC).unwrap_or_else(|_| request.reason.clone()),
            automatic: true,
        };
        // A limit that cannot be set leaves the request to people.
        if let Ok(granted) = granted(&mut draft, command, &request, grant) {
            return Ok(draft.done(Done::Request(granted.into())));
        }
    }
    Ok(draft.done(Done::Request(request.into())))
}

/// Whether a caller asks again who has not heard the answer: for what is pending, or was granted in
/// full and is still in force.
fn is_repeated(known: &Request, submit: &SubmitRequest, limits: &[Limit]) -> bool {
    let is_open = match &known.status {
        RequestStatus::Pending => true,
        RequestStatus::Approved {
            ceiling, ends_at, ..
        } => {
            let in_full = *ceiling == known.ceiling && ends_at.is_none();
            let is_set = |limit: &Limit| limit.request.as_ref() == Some(&known.id);
            in_full && limits.iter().any(is_set)
        }
        RequestStatus::Denied(_) | RequestStatus::Cancelled(_) => false,
    };
    is_open && known.ceiling == submit.ceiling && known.reason == submit.reason
}

const AUTOMATIC: &str = "within the resource's rule for automatic approval";

/// The request that is to be forgotten for a new one, where there are as many as there may be.
fn oldest_too_many<R: Rows>(rows: &R, tenant: &ScopeId) -> Result<Option<Change>, Denial> {
    if rows.requests(tenant).count() < REQUESTS_OF_TENANT_MAX {
        return Ok(None);
    }
    let decided = rows.requests(tenant).filter(|it| !is_pending(it));
    // A limit names the request whose approval it is: those are the last to be forgotten.
    let is_approved = |it: &Request| matches!(it.status, RequestStatus::Approved { .. });
    let oldest = decided.min_by_key(|it| (is_approved(it), it.submitted_at, &it.id));
    let oldest = oldest.ok_or(Denial::TooMany {
        max: REQUESTS_OF_TENANT_MAX,
    })?;
    Ok(Some(Change::RequestGone {
        tenant: tenant.clone(),
        id: oldest.id.clone(),
    }))
}

/// What is granted.
struct Grant {
    ceiling: Ceiling,
    ends_at: Option<Timestamp>,
    reason: Text,
    automatic: bool,
}

/// Grants a request, fully or in part: the limit and the request carry each other's name.
pub(super) fn approve<R: Rows>(
    rows: &R,
    command: &Command,
    approve: &ApproveRequest,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let (mut draft, request) = find(rows, command, &approve.id, now)?;
    let wanted = approve.ceiling.unwrap_or(request.ceiling);
    match &request.status {
        RequestStatus::Pending => {}
        RequestStatus::Approved {
            ceiling, ends_at, ..
        } if *ceiling == wanted && *ends_at == approve.ends_at => {
            return Ok(unchanged(Done::Request(request.clone().into())));
        }
        RequestStatus::Approved { .. } | RequestStatus::Denied(_) | RequestStatus::Cancelled(_) => {
            return Err(state_conflict(&request.status));
        }
    }
    let grant = Grant {
        ceiling: wanted,
        ends_at: approve.ends_at,
        reason: approve.reason.clone(),
        automatic: false,
    };
    let granted = granted(&mut draft, command, request, grant)?;
    Ok(draft.done(Done::Request(granted.into())))
}

fn granted<R: Rows>(
    draft: &mut Draft<'_, R>,
    command: &Command,
    request: &Request,
    grant: Grant,
) -> Result<Request, Denial> {
    // Who asks for more is not bound harder than before.
    let resource = limitable(draft.rows, &request.item)?;
    let scope = draft.rows.scope(&request.scope);
    let scope = scope.ok_or_else(|| Denial::UnknownScope(request.scope.clone()))?;
    let present = ceilings::standing(draft.rows, scope, resource, &request.item, draft.now());
    // Where nothing is set, what is taken below is bound by nothing yet.
    let taken = draft.account(&request.scope, &request.item).taken();
    let least = match present {
        Effective::Default(_) => present.ceiling().amount().max(taken),
        Effective::Tier(..) | Effective::Limit(_) | Effective::Unbound => {
            present.ceiling().amount()
        }
    };
    if grant.ceiling.amount() <= present.ceiling().amount() {
        let present = present.ceiling();
        return Err(Denial::NotAnIncrease { present });
    }
    if grant.ceiling.amount() < least {
        let present = Ceiling::Finite(least);
        return Err(Denial::NotAnIncrease { present });
    }
    // It begins with the limit that it replaces, or else that one would go before it.
    let limits = draft.rows.limits(&request.scope, &request.item);
    let standing = Limit::standing(limits, draft.now());
    let starts_at = standing.and_then(|limit| limit.window.starts_at());
    let limit = Limit {
        scope: request.scope.clone(),
        item: request.item.clone(),
        window: Window::new(starts_at, grant.ends_at).ok_or(Denial::EndsInThePast)?,
        ceiling: grant.ceiling,
        mode: present.mode(),
        set_by: command.actor.clone(),
        set_at: draft.now(),
        reason: grant.reason.clone(),
        request: Some(request.id.clone()),
        revision: draft.next_revision(),
    };
    let limits = with_limit(draft.rows, &limit)?;
    let limits = changed(draft, scope, &request.item, limits);
    let granted = Request {
        status: RequestStatus::Approved {
            ruling: ruling(draft, command, &grant.reason),
            ceiling: grant.ceiling,
            ends_at: grant.ends_at,
            limit_revision: limit.revision,
            automatic: grant.automatic,
        },
        revision: draft.next_revision(),
        ..request.clone()
    };
    let changes = [limits, Change::Request(granted.clone().into())];
    draft.because(&grant.reason);
    draft.push(Cause::RequestApproved, changes.into());
    Ok(granted)
}

/// How a request ends that is not granted.
pub(super) type End = (Cause, fn(Ruling) -> RequestStatus);

/// It is not to be.
pub(super) const DENIED: End = (Cause::RequestDenied, RequestStatus::Denied);

/// It is taken back.
pub(super) const CANCELLED: End = (Cause::RequestCancelled, RequestStatus::Cancelled);

/// Ends a pending request; one that has ended so before stays as it is.
pub(super) fn close<R: Rows>(
    rows: &R,
    command: &Command,
    rule: &RuleRequest,
    now: Timestamp,
    (cause, status): End,
) -> Result<Decision, Halt> {
    let (mut draft, request) = find(rows, command, &rule.id, now)?;
    let status = status(ruling(&draft, command, &rule.reason));
    if request.status.name() == status.name() {
        return Ok(unchanged(Done::Request(request.clone().into())));
    }
    if !is_pending(&request) {
        return Err(state_conflict(&request.status));
    }
    let request = Request {
        status,
        revision: draft.next_revision(),
        ..request.clone()
    };
    draft.because(&rule.reason);
    draft.push(cause, [Change::Request(request.clone().into())].into());
    Ok(draft.done(Done::Request(request.into())))
}

/// The request, where it exists within the caller's reach.
fn find<'a, R: Rows>(
    rows: &'a R,
    command: &'a Command,
    id: &RequestId,
    now: Timestamp,
) -> Result<(Draft<'a, R>, &'a Request), Denial> {
    let request = rows.request(id).ok_or(Denial::NotFound)?;
    scope_within(rows, &command.reach, &request.scope).ok_or(Denial::NotFound)?;
    let log = Log::Tenant(request.tenant.clone());
    Ok((Draft::new(rows, log, &command.actor, now), request))
}

fn ruling<R: Rows>(draft: &Draft<'_, R>, command: &Command, reason: &Text) -> Ruling {
    Ruling {
        by: command.actor.clone(),
        at: draft.now(),
        reason: reason.clone(),
    }
}

fn is_pending(request: &&Request) -> bool {
    request.status == RequestStatus::Pending
}

fn state_conflict(status: &RequestStatus) -> Halt {
    Halt::Denied(Denial::StateConflict {
        state: status.name(),
    })
}
