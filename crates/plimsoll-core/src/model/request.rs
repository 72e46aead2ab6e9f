//! Requests: a tenant's wish for a higher limit, and what became of it.

use super::Item;
use crate::amount::{Amount, Ceiling, Timestamp};
use crate::names::{PrincipalId, RequestId, ScopeId, Text};

/// A tenant's wish for a higher limit.
///
/// Shape: at most `REQUESTS_OF_TENANT_MAX` rows a tenant; one pending per (scope, item).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its id, made by the server.
    pub id: RequestId,
    /// The root of the scope's tree.
    pub tenant: ScopeId,
    /// Where it is to bind.
    pub scope: ScopeId,
    /// What it is to bind.
    pub item: Item,
    /// How much there should be.
    pub ceiling: Ceiling,
    /// Why.
    pub reason: Text,
    /// Who asked.
    pub submitted_by: PrincipalId,
    /// When.
    pub submitted_at: Timestamp,
    /// What bound the scope until further notice when it asked.
    pub present: Ceiling,
    /// When a request for the same was last approved, as far as the limits still tell.
    pub approved_before: Option<Timestamp>,
    /// What became of it.
    pub status: RequestStatus,
    /// The revision of its last change.
    pub revision: u64,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestStatus {
    /// Nobody has decided yet.
    Pending,
    /// It was granted, fully or in part.
    Approved {
        /// Who, when and why.
        ruling: Ruling,
        /// How much was granted.
        ceiling: Ceiling,
        /// Until when; `None` for until further notice.
        ends_at: Option<Timestamp>,
        /// The revision of the limit that it became.
        limit_revision: u64,
        /// Whether the resource's rule approved it.
        automatic: bool,
    },
    /// It was not granted.
    Denied(Ruling),
    /// It was taken back.
    Cancelled(Ruling),
}

/// Who decided, when and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Who.
    pub by: PrincipalId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Text,
}

impl RequestStatus {
    /// The status' name, as every surface spells it.
    pub fn name(&self) -> &'static str {
        match self {
            RequestStatus::Pending => "pending",
            RequestStatus::Approved { .. } => "approved",
            RequestStatus::Denied(_) => "denied",
            RequestStatus::Cancelled(_) => "cancelled",
        }
    }
}

/// Which requests for a resource are approved at once.
///
/// Invariants: `factor_percent` is at least 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutoApproval {
    /// At most this much.
    pub ceiling: Amount,
    /// At most so many hundredths of what binds the scope until further notice; `None` for any factor.
    pub factor_percent: Option<u32>,
    /// At the earliest so long after the last approval for the same scope and item.
    pub cool_off_ms: u64,
}

impl AutoApproval {
    /// Whether the rule approves a request.
    pub fn approves(&self, request: &Request) -> bool {
        let (Ceiling::Finite(asked), Ceiling::Finite(present)) = (request.ceiling, request.present)
        else {
            return false;
        };
        // Both factors of each product are far below 2^64, their product is below 2^128.
        let hundredfold = u128::from(asked.units()).saturating_mul(100);
        let is_near = self.factor_percent.is_none_or(|factor| {
            hundredfold <= u128::from(present.units()).saturating_mul(u128::from(factor))
        });
        let is_cool = request
            .approved_before
            .is_none_or(|at| at.after_ms(self.cool_off_ms) <= request.submitted_at);
        asked <= self.ceiling && is_near && is_cool
    }
}
