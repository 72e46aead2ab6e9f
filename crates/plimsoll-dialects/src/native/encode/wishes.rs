//! Requests for higher limits, and inventories.

use plimsoll_core::amount::Amount;
use plimsoll_core::command::Action;
use plimsoll_core::model::{Request, RequestStatus, Ruling};
use plimsoll_core::names::{RequestId, ScopeId};
use plimsoll_core::reconcile::{Finding, Inventory};

use super::super::Problem;
use super::super::wire::leaf::{self, Next};
use super::super::wire::replies;
use super::ok;
use super::shapes::location_of;
use crate::http::Reply;

/// A request for a higher limit.
pub fn request(request: &Request) -> Reply {
    ok(&replies::Request::from(request))
}

/// A page of the requests for a scope and everything below it; `next` is the id of the last one
/// where more follow.
pub fn requests<'a>(
    scope: &ScopeId,
    requests: impl IntoIterator<Item = &'a Request>,
    next: Option<&RequestId>,
) -> Reply {
    ok(&replies::Requests {
        scope: scope.as_str(),
        requests: requests.into_iter().map(Into::into).collect(),
        next_page_token: Next::after(next),
    })
}

/// What a rule for automatic approval would have granted of so many requests.
pub fn auto_approval_tested(examined: usize, approved: &[Request]) -> Reply {
    ok(&replies::AutoApprovalTested {
        examined,
        approved: approved.iter().map(Into::into).collect(),
    })
}

/// One thing that was not as it was said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// How it differed.
    pub finding: Finding,
    /// What came of its mends; `None` where none were asked for or there were none to make.
    pub mend: Option<Result<(), Problem>>,
}

/// How an inventory differs from what is reserved, and what was mended of it; `revision_now` is
/// that of the tenant's log after the mends.
pub fn reconciled(inventory: &Inventory, revision_now: u64, found: &[Reconciled]) -> Reply {
    let is_of_inventory = |it: &&Reconciled| Amount::ZERO < it.finding.there;
    let differing = found.iter().filter(is_of_inventory).count();
    ok(&replies::Reconciled {
        scope: inventory.scope.as_str(),
        resource: inventory.item.resource.as_str(),
        location: location_of(&inventory.item),
        revision: revision_now,
        inventory_revision: inventory.revision,
        agreeing: inventory.things.len().saturating_sub(differing),
        findings: found.iter().map(Into::into).collect(),
    })
}

impl<'a> From<&'a Reconciled> for replies::Finding<'a> {
    fn from(reconciled: &'a Reconciled) -> Self {
        let finding = &reconciled.finding;
        let (mend, problem) = match &reconciled.mend {
            None => (None, None),
            Some(Ok(())) => (Some("done"), None),
            Some(Err(problem)) => (Some("failed"), Some(problem.document())),
        };
        replies::Finding {
            holder: finding.holder.as_str(),
            difference: finding.difference.name(),
            here: finding.here.units(),
            there: finding.there.units(),
            reservations: finding.mends.iter().filter_map(reservation_of).collect(),
            mend,
            problem,
        }
    }
}

/// The reservation that a mend is about.
fn reservation_of(mend: &Action) -> Option<&str> {
    if let Action::Reserve(reserve) = mend {
        Some(reserve.id.as_str())
    } else if let Action::Release(settle) = mend {
        Some(settle.of.id.as_str())
    } else if let Action::Resize(resize) = mend {
        Some(resize.of.id.as_str())
    } else {
        None
    }
}

impl<'a> From<&'a Request> for replies::Request<'a> {
    fn from(request: &'a Request) -> Self {
        let ruling = match &request.status {
            RequestStatus::Pending => None,
            RequestStatus::Approved { ruling, .. }
            | RequestStatus::Denied(ruling)
            | RequestStatus::Cancelled(ruling) => Some(ruling.into()),
        };
        let granted_nothing = replies::Request {
            id: request.id.as_str(),
            state: request.status.name(),
            scope: request.scope.as_str(),
            resource: request.item.resource.as_str(),
            location: location_of(&request.item),
            limit: leaf::Limit(request.ceiling),
            reason: request.reason.as_str(),
            submitted_by: request.submitted_by.as_str(),
            submitted_at: leaf::Time(request.submitted_at),
            present_limit: leaf::Limit(request.present),
            ruling,
            granted_limit: None,
            until: None,
            limit_revision: None,
            automatic: None,
            revision: request.revision,
        };
        match &request.status {
            RequestStatus::Pending | RequestStatus::Denied(_) | RequestStatus::Cancelled(_) => {
                granted_nothing
            }
            RequestStatus::Approved {
                ceiling,
                ends_at,
                limit_revision,
                automatic,
                ..
            } => replies::Request {
                granted_limit: Some(leaf::Limit(*ceiling)),
                until: ends_at.map(leaf::Time),
                limit_revision: Some(*limit_revision),
                automatic: Some(*automatic),
                ..granted_nothing
            },
        }
    }
}

impl<'a> From<&'a Ruling> for replies::Ruling<'a> {
    fn from(ruling: &'a Ruling) -> Self {
        replies::Ruling {
            by: ruling.by.as_str(),
            at: leaf::Time(ruling.at),
            reason: ruling.reason.as_str(),
        }
    }
}
