//! What may be asked of everything that is set rather than taken.

use alloc::vec::Vec;

use super::Expected;
use crate::amount::{Ceiling, Timestamp};
use crate::model::{Credential, Item, Mode, Reach, Role, Topic, Window};
use crate::names::{PrincipalId, RequestId, ScopeId, Text, TierName, WebhookId};

/// Asks for a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutScope {
    /// Its id.
    pub id: ScopeId,
    /// The node above; `None` makes a tenant.
    pub parent: Option<ScopeId>,
    /// What the tenant calls it.
    pub kind: Text,
    /// The limits that it has where none is set for it alone.
    pub tier: Option<TierName>,
    /// Why; may be empty.
    pub reason: Text,
}

/// Asks for a row of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put<T> {
    /// As it is to be.
    pub row: T,
    /// Why; may be empty.
    pub reason: Text,
}

/// Asks for a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutLimit {
    /// Where it binds.
    pub scope: ScopeId,
    /// What it binds.
    pub item: Item,
    /// When it binds: the limit of the scope and the item with this window is replaced.
    pub window: Window,
    /// How much there may be.
    pub ceiling: Ceiling,
    /// How hard it binds.
    pub mode: Mode,
    /// Why.
    pub reason: Text,
    /// What the caller believes to be there.
    pub expected: Expected,
}

/// Asks for a limit to be taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteLimit {
    /// Where it binds.
    pub scope: ScopeId,
    /// What it binds.
    pub item: Item,
    /// When it binds.
    pub window: Window,
    /// Why; may be empty.
    pub reason: Text,
    /// What the caller believes to be there.
    pub expected: Expected,
}

/// Asks for a higher limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmitRequest {
    /// The request's id, made by the server.
    pub id: RequestId,
    /// Where it is to bind.
    pub scope: ScopeId,
    /// What it is to bind.
    pub item: Item,
    /// How much there should be.
    pub ceiling: Ceiling,
    /// Why.
    pub reason: Text,
}

/// Grants a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApproveRequest {
    /// Which.
    pub id: RequestId,
    /// How much; `None` for as much as was asked.
    pub ceiling: Option<Ceiling>,
    /// Until when; `None` for until further notice.
    pub ends_at: Option<Timestamp>,
    /// Why.
    pub reason: Text,
}

/// Ends a request in another way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRequest {
    /// Which.
    pub id: RequestId,
    /// Why.
    pub reason: Text,
}

/// Asks for a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutWebhook {
    /// Its id.
    pub id: WebhookId,
    /// Whose facts it is told. Never changes.
    pub reach: Reach,
    /// Where it listens.
    pub url: Text,
    /// What it wants to hear of, in order, none twice.
    pub topics: Vec<Topic>,
    /// The sealed secret of a new one; one that is there keeps its own.
    pub sealed_secret: Vec<u8>,
    /// Whether it is told anything.
    pub enabled: bool,
    /// The place in the journal from which a new one is told.
    pub delivered: u64,
}

/// Asks for a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatePrincipal {
    /// Its id, made by the server.
    pub id: PrincipalId,
    /// What it may do.
    pub role: Role,
    /// Where it may do it.
    pub reach: Reach,
    /// Whether it may let a reservation past the limits.
    pub may_force: bool,
    /// How it proves itself.
    pub credential: Credential,
    /// The first instant at which it may not call.
    pub expires_at: Option<Timestamp>,
    /// For people.
    pub description: Text,
}
