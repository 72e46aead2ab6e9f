//! Principals and webhooks.

use plimsoll_core::model::{Role, Topic};
use schemars::JsonSchema;
use serde::Serialize;

use super::super::super::Kind;
use super::super::leaf::{Next, Parsed, Time};

/// Who calls.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Principal<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// How it proves itself.
    #[schemars(with = "Parsed<Kind>")]
    pub(crate) kind: &'static str,
    /// What it may do.
    #[schemars(with = "Parsed<Role>")]
    pub(crate) role: &'static str,
    /// Where: a scope and everything below it, or `*` for the whole server.
    pub(crate) scope: &'a str,
    /// Whether it may let reservations past the limits.
    pub(crate) force: bool,
    /// Whether it may call at all.
    pub(crate) enabled: bool,
    /// The first instant at which it may not.
    pub(crate) expires_at: Option<Time>,
    /// For people.
    pub(crate) description: &'a str,
    /// When it was made.
    pub(crate) created_at: Time,
    /// The revision of the catalogue's log at which it last changed.
    pub(crate) revision: u64,
}

/// A principal with its secret, which is shown this once.
#[derive(Serialize, JsonSchema)]
pub(crate) struct NewPrincipal<'a> {
    #[serde(flatten)]
    pub(crate) principal: Principal<'a>,
    /// Of an access key: what it signs with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<&'a str>,
    /// Of a token: what follows `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<&'a str>,
}

/// All principals.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Principals<'a> {
    /// In order of id.
    pub(crate) principals: Vec<Principal<'a>>,
    pub(crate) next_page_token: Next,
}

/// It is gone.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Gone {}

/// An address that is told what happens.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Webhook<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// Where it listens.
    pub(crate) url: &'a str,
    /// Whose facts it is told: those of a scope and everything below it, or `*` for all.
    pub(crate) scope: &'a str,
    /// What it is told of.
    #[schemars(with = "Vec<Parsed<Topic>>")]
    pub(crate) topics: Vec<&'static str>,
    /// Whether it is told anything.
    pub(crate) enabled: bool,
    /// The place in the journal up to which it has been told.
    pub(crate) delivered: u64,
    /// The revision of the catalogue's log at which it last changed.
    pub(crate) revision: u64,
}

/// A webhook with the secret that signs what it is told, which is shown this once.
#[derive(Serialize, JsonSchema)]
pub(crate) struct NewWebhook<'a> {
    #[serde(flatten)]
    pub(crate) webhook: Webhook<'a>,
    /// Of a new one: what signs what it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<&'a str>,
}

/// A webhook, and how it goes with what it is told.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ShownWebhook<'a> {
    #[serde(flatten)]
    pub(crate) webhook: Webhook<'a>,
    /// Since the server was started; null where it was told nothing since.
    pub(crate) delivery: Option<Delivery<'a>>,
}

/// How it goes with what a webhook is told.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Delivery<'a> {
    /// When it last took something; null for never.
    pub(crate) taken_at: Option<Time>,
    /// When it last did not take something; null for never.
    pub(crate) failed_at: Option<Time>,
    /// Why it did not.
    pub(crate) failure: Option<&'a str>,
    /// How often in a row it has not taken what it is being told.
    pub(crate) failures: u32,
    /// When that is tried again; null where nothing is.
    pub(crate) next_try_at: Option<Time>,
}

/// All webhooks.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Webhooks<'a> {
    /// In order of id.
    pub(crate) webhooks: Vec<Webhook<'a>>,
}
