//! What came of a call, as replies.

use plimsoll_core::amount::Timestamp;
use plimsoll_core::decide::Admissible;
use plimsoll_core::model::{
    Credential, Item, Limit, Location, Principal, Reservation, Resource, Scope, Tier, Webhook,
};
use plimsoll_core::names::{PrincipalId, ReservationId, ScopeId};
use plimsoll_core::outcome::{Denial, Done, Exceeded, Outcome};
use plimsoll_core::report::{Over, Quota};
use serde::Serialize;

use super::wire::leaf::{self, Next};
use super::wire::replies;
use super::{Delivery, Format, Problem};
use crate::http::Reply;

mod binary;
mod catalogue;
pub(super) mod events;
pub(super) mod explain;
mod json;
mod shapes;
mod wishes;

pub use events::{event_data, events};
pub use wishes::{Reconciled, auto_approval_tested, reconciled, request, requests};

/// Room for an answer, and for what a batch answers to one command: most need no more.
const BODY_BYTES: usize = 512;
const OUTCOME_BYTES: usize = 448;
const BINARY_OUTCOME_BYTES: usize = 160;

/// What came of one command of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchOutcome {
    /// It was decided.
    Decided(Outcome),
    /// It never came to a decision: it could not be read, say.
    Problem(Problem),
}

/// What came of a command.
pub fn outcome(outcome: &Outcome) -> Reply {
    match outcome {
        Outcome::Done(done) => self::done(done),
        Outcome::Denied(denial) => Problem::from_denial(denial).reply(),
    }
}

fn done(done: &Done) -> Reply {
    match done {
        Done::Reservation(it) => reservation(it),
        Done::Warned(it, warnings) => {
            let reply = ok(&warned(it, warnings));
            with_etag(reply, it.revision)
        }
        Done::Expired { holds } => ok(&replies::Expired { expired: *holds }),
        Done::Forgotten { reservations } => ok(&replies::Forgotten {
            forgotten: *reservations,
        }),
        Done::Resource(it) => resource(it),
        Done::Location(it) => location(it),
        Done::Scope(it) => scope(it),
        Done::Limit(it) => limit(it),
        Done::LimitGone | Done::PrincipalGone | Done::WebhookGone | Done::RefusalsCounted => {
            ok(&replies::Gone {})
        }
        Done::Principal(it) => principal(it),
        Done::Tier(it) => tier(it),
        Done::Request(it) => request(it),
        Done::Webhook(it) => webhook(it),
    }
}

/// What came of a batch, by index, in the form in which it was asked for.
///
/// Shape: `{"status":200,"reservation":{…}}` or `{"status":422,"problem":{…}}` for each, with what
/// the command by itself would have been answered.
pub fn batch(outcomes: &[BatchOutcome], format: Format) -> Reply {
    let bytes = |each: usize| outcomes.len().saturating_mul(each).max(BODY_BYTES);
    let body = match format {
        Format::Json => json::batch(outcomes, bytes(OUTCOME_BYTES)),
        Format::Protobuf | Format::XProtobuf => {
            binary::batch(outcomes, bytes(BINARY_OUTCOME_BYTES))
        }
    };
    ok_of(body, format)
}

impl BatchOutcome {
    /// As the API tells it: made when it is written, since a batch has thousands.
    fn told<T>(&self, write: impl FnOnce(replies::BatchOutcome<'_>) -> T) -> T {
        let denied = match self {
            Self::Decided(Outcome::Denied(denial)) => Some(Problem::from_denial(denial)),
            Self::Decided(Outcome::Done(_)) | Self::Problem(_) => None,
        };
        let (reservation, problem) = match self {
            Self::Decided(Outcome::Done(Done::Reservation(it))) => (Some((&**it).into()), None),
            Self::Decided(Outcome::Done(Done::Warned(it, warnings))) => {
                (Some(warned(it, warnings)), None)
            }
            Self::Decided(_) => (None, denied.as_ref()),
            Self::Problem(problem) => (None, Some(problem)),
        };
        write(replies::BatchOutcome {
            status: problem.map_or(200, Problem::status),
            reservation,
            problem: problem.map(Problem::document),
        })
    }
}

fn warned<'a>(reservation: &'a Reservation, warnings: &'a [Exceeded]) -> replies::Reservation<'a> {
    replies::Reservation {
        warnings: warnings.iter().map(Into::into).collect(),
        ..reservation.into()
    }
}

/// Whether a reservation would be granted, and what of it. A quota that it would exceed is an
/// answer; any other denial is a problem, as it would be for the reservation.
pub fn checked(result: &Result<Admissible, Denial>) -> Reply {
    match result {
        Ok(Admissible { lines, warnings }) => ok(&replies::Check {
            admissible: true,
            lines: Some(lines.iter().map(Into::into).collect()),
            exceeded: Vec::new(),
            warnings: warnings.iter().map(Into::into).collect(),
        }),
        Err(Denial::QuotaExceeded(exceeded)) => ok(&replies::Check {
            admissible: false,
            lines: None,
            exceeded: exceeded.iter().map(Into::into).collect(),
            warnings: Vec::new(),
        }),
        Err(denial) => Problem::from_denial(denial).reply(),
    }
}

/// A reservation, with the `etag` that an `if-match` may name.
pub fn reservation(reservation: &Reservation) -> Reply {
    let reply = ok(&replies::Reservation::from(reservation));
    with_etag(reply, reservation.revision)
}

/// A resource.
pub fn resource(resource: &Resource) -> Reply {
    ok(&replies::Resource::from(resource))
}

/// A location.
pub fn location(location: &Location) -> Reply {
    ok(&replies::Location::from(location))
}

/// A scope.
pub fn scope(scope: &Scope) -> Reply {
    ok(&replies::Scope::from(scope))
}

/// A limit, with the `etag` that an `if-match` may name.
pub fn limit(limit: &Limit) -> Reply {
    let reply = ok(&replies::SetLimit::from(limit));
    with_etag(reply, limit.revision)
}

/// What would come of a limit: the limit as it would be, and where more is taken than it allows.
pub fn dry_run(limit: &Limit, over: &[Over]) -> Reply {
    ok(&replies::DryRun {
        limit: limit.into(),
        over: over.iter().map(Into::into).collect(),
    })
}

/// A tier.
pub fn tier(tier: &Tier) -> Reply {
    ok(&replies::Tier::from(tier))
}

/// All tiers, in order of name.
pub fn tiers<'a>(tiers: impl IntoIterator<Item = &'a Tier>) -> Reply {
    ok(&replies::Tiers {
        tiers: tiers.into_iter().map(Into::into).collect(),
    })
}

/// A principal, without its secret.
pub fn principal(principal: &Principal) -> Reply {
    ok(&replies::Principal::from(principal))
}

/// A new principal with its secret, which no cache may keep.
///
/// `secret` is what an access key signs with, or the whole text of a bearer token.
pub fn principal_created(principal: &Principal, secret: &str) -> Reply {
    let (key, token) = match principal.credential {
        Credential::AccessKey { .. } => (Some(secret), None),
        Credential::Token { .. } => (None, Some(secret)),
    };
    not_kept(ok(&replies::NewPrincipal {
        principal: principal.into(),
        secret: key,
        token,
    }))
}

/// A webhook, without its secret.
fn webhook(webhook: &Webhook) -> Reply {
    ok(&replies::Webhook::from(webhook))
}

/// A webhook, and how it goes with what it is told.
pub fn shown_webhook(webhook: &Webhook, delivery: Option<&Delivery>) -> Reply {
    ok(&replies::ShownWebhook {
        webhook: webhook.into(),
        delivery: delivery.map(Into::into),
    })
}

/// A new webhook with the secret that signs what it is told, which no cache may keep.
pub fn webhook_created(webhook: &Webhook, secret: &str) -> Reply {
    not_kept(ok(&replies::NewWebhook {
        webhook: webhook.into(),
        secret: Some(secret),
    }))
}

/// All webhooks, in order of id.
pub fn webhooks<'a>(webhooks: impl IntoIterator<Item = &'a Webhook>) -> Reply {
    ok(&replies::Webhooks {
        webhooks: webhooks.into_iter().map(Into::into).collect(),
    })
}

/// All resources, in order of name.
pub fn resources<'a>(resources: impl IntoIterator<Item = &'a Resource>) -> Reply {
    ok(&replies::Resources {
        resources: resources.into_iter().map(Into::into).collect(),
    })
}

/// All locations, in order of id.
pub fn locations<'a>(locations: impl IntoIterator<Item = &'a Location>) -> Reply {
    ok(&replies::Locations {
        locations: locations.into_iter().map(Into::into).collect(),
    })
}

/// A page of scopes; `next` is the id of the last one where more follow.
pub fn scopes<'a>(scopes: impl IntoIterator<Item = &'a Scope>, next: Option<&ScopeId>) -> Reply {
    ok(&replies::Scopes {
        scopes: scopes.into_iter().map(Into::into).collect(),
        next_page_token: Next::after(next),
    })
}

/// A page of the limits set at a scope; `next` is the item of the last one where more follow.
pub fn limits<'a>(
    scope: &ScopeId,
    limits: impl IntoIterator<Item = &'a Limit>,
    next: Option<&Item>,
) -> Reply {
    ok(&replies::Limits {
        scope: scope.as_str(),
        limits: limits.into_iter().map(Into::into).collect(),
        next_page_token: Next::after(next),
    })
}

/// A page of a scope's quotas at a revision of its tenant's log, `as_of` a past instant or now;
/// `next` is the item of the last one where more follow.
pub fn quotas<'a>(
    scope: &ScopeId,
    revision: u64,
    as_of: Option<Timestamp>,
    quotas: impl IntoIterator<Item = &'a Quota>,
    next: Option<&Item>,
) -> Reply {
    ok(&replies::Quotas {
        scope: scope.as_str(),
        revision,
        as_of: as_of.map(leaf::Time),
        quotas: quotas.into_iter().map(Into::into).collect(),
        next_page_token: Next::after(next),
    })
}

/// A page of the reservations in a scope; `next` is the id of the last one where more follow.
pub fn reservations<'a>(
    scope: &ScopeId,
    reservations: impl IntoIterator<Item = &'a Reservation>,
    next: Option<&ReservationId>,
) -> Reply {
    ok(&replies::Reservations {
        scope: scope.as_str(),
        reservations: reservations.into_iter().map(Into::into).collect(),
        next_page_token: Next::after(next),
    })
}

/// A page of principals; `next` is the id of the last one where more follow.
pub fn principals<'a>(
    principals: impl IntoIterator<Item = &'a Principal>,
    next: Option<&PrincipalId>,
) -> Reply {
    ok(&replies::Principals {
        principals: principals.into_iter().map(Into::into).collect(),
        next_page_token: Next::after(next),
    })
}

fn ok(body: &impl Serialize) -> Reply {
    ok_of(json(body), Format::Json)
}

fn ok_of(body: Vec<u8>, format: Format) -> Reply {
    Reply {
        status: 200,
        headers: vec![("content-type", format.content_type().to_owned())],
        body,
    }
}

fn not_kept(mut reply: Reply) -> Reply {
    reply.headers.push(("cache-control", "no-store".to_owned()));
    reply
}

fn with_etag(mut reply: Reply, revision: u64) -> Reply {
    reply.headers.push(("etag", format!("\"{revision}\"")));
    reply
}

/// A wire value as JSON.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    let mut json = Vec::with_capacity(BODY_BYTES);
    append(&mut json, value);
    json
}

/// Adds a wire value as JSON.
fn append(json: &mut Vec<u8>, value: &impl Serialize) {
    #[expect(clippy::expect_used, reason = "wire values have only text for keys")]
    serde_json::to_writer(json, value).expect("wire values have only text for keys");
}
