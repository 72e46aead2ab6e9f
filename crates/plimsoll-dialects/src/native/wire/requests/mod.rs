//! The bodies of requests.
//!
//! Each is read as an `Object`. Field comments become the descriptions of the OpenAPI document.

mod reservations;
mod settings;
mod wishes;

pub(crate) use reservations::{
    BatchBody, CommandBody, ExtendBody, ForceBody, LineBody, ReserveBody, ResizeBody, SettleBody,
    TTL_SECONDS_MAX, TakenLineBody, TransferBody,
};
pub(crate) use settings::{
    AutoApprovalBody, EmptyBody, LimitBody, LocationBody, PrincipalBody, ResourceBody, ScopeBody,
    TierBody, WebhookBody,
};
pub(crate) use wishes::{ApproveBody, CancelBody, DenyBody, ReconcileBody, SubmitBody, ThingBody};
