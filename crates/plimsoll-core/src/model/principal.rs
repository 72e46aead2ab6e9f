//! Who calls, and who is told.

use alloc::vec::Vec;

use crate::amount::Timestamp;
use crate::names::{PrincipalId, ScopeId, Text, WebhookId};

/// Who calls: an access key or a token, with a role on a scope and everything below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Its id.
    pub id: PrincipalId,
    /// What it may do.
    pub role: Role,
    /// Where it may do it.
    pub reach: Reach,
    /// Whether it may let a reservation past the limits.
    pub may_force: bool,
    /// How it proves itself.
    pub credential: Credential,
    /// Whether it may call at all.
    pub enabled: bool,
    /// The first instant at which it may not.
    pub expires_at: Option<Timestamp>,
    /// For people.
    pub description: Text,
    /// When it was made.
    pub created_at: Timestamp,
    /// The catalogue's revision of its last change.
    pub revision: u64,
}

/// What a principal may do; each role may do all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Also reserves, commits and releases.
    Enforcer,
    /// Also sets limits and says what scopes are called; with the reach `Everything`, makes scopes.
    Manager,
    /// Also keeps the catalogue and the principals. Only with the reach `Everything`.
    Admin,
}

impl Role {
    /// The role's name, as every surface spells it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Enforcer => "enforcer",
            Role::Manager => "manager",
            Role::Admin => "admin",
        }
    }
}

/// Where a principal may act. What it does not cover does not exist for the principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The whole server.
    Everything,
    /// A scope and everything below it.
    Below(ScopeId),
}

/// How a principal proves itself. The bytes are opaque here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A signing secret, sealed under the server's master key.
    AccessKey {
        /// Nonce and ciphertext.
        sealed_secret: Vec<u8>,
    },
    /// A bearer token, kept as a hash.
    Token {
        /// SHA-256 of the token's secret part.
        hash: [u8; 32],
    },
}

/// An address that is told what happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Whose facts it is told.
    pub reach: Reach,
    /// Where it listens.
    pub url: Text,
    /// What it wants to hear of, in order, none twice.
    pub topics: Vec<Topic>,
    /// The secret that signs what it is told, sealed under the server's master key.
    pub sealed_secret: Vec<u8>,
    /// Whether it is told anything.
    pub enabled: bool,
    /// The place in the journal up to which it has been told.
    pub delivered: u64,
    /// The catalogue's revision of its last change.
    pub revision: u64,
}

/// What somebody may want to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Some part of a limit is taken: as much, or more.
    ThresholdCrossed,
    /// Something was refused.
    Refused,
    /// A request was submitted or decided.
    Request,
    /// A hold lapsed.
    Expired,
    /// A limit was set or taken away.
    Limit,
}

impl Topic {
    /// All of them, in order.
    pub const ALL: [Topic; 5] = [
        Topic::ThresholdCrossed,
        Topic::Refused,
        Topic::Request,
        Topic::Expired,
        Topic::Limit,
    ];

    /// The topic's name, as every surface spells it.
    pub fn name(self) -> &'static str {
        match self {
            Topic::ThresholdCrossed => "threshold_crossed",
            Topic::Refused => "refused",
            Topic::Request => "request",
            Topic::Expired => "expired",
            Topic::Limit => "limit",
        }
    }
}
