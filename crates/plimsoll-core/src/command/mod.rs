//! What a caller may ask to be changed.

use alloc::vec::Vec;

use crate::amount::Timestamp;
use crate::model::{Item, Location, Reach, Resource, Role, Tier};
use crate::names::{PrincipalId, ScopeId, Text, WebhookId};

mod reservations;
mod settings;

pub use reservations::{Extend, ReservationKey, ReservationRef, Reserve, Resize, Settle, Transfer};
pub use settings::{
    ApproveRequest, CreatePrincipal, DeleteLimit, Put, PutLimit, PutScope, PutWebhook, RuleRequest,
    SubmitRequest,
};

/// One thing to be decided, with who asks and how far they reach.
///
/// What lies beyond the reach is answered as if it did not exist. Whether the caller's role allows
/// the action at all is settled before a command is made: see [`Action::role`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Who asks.
    pub actor: PrincipalId,
    /// Where they may act.
    pub reach: Reach,
    /// What they ask for.
    pub action: Action,
}

/// The kinds of command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Take something, all lines or none.
    Reserve(Reserve),
    /// Keep what is held, all or part; the rest of the hold is let go.
    Commit(Settle),
    /// Let go what is held or used, all or part.
    Release(Settle),
    /// Hold on for longer.
    Extend(Extend),
    /// Take other amounts instead, as one step: only what becomes more must be admitted.
    Resize(Resize),
    /// Take it in another scope of the same tenant instead, as one step.
    Transfer(Transfer),
    /// Let the tenant's holds lapse whose time is over, the earliest first, at most
    /// `EXPIRE_HOLDS_MAX` of them.
    Expire {
        /// Whose holds.
        tenant: ScopeId,
    },
    /// Forget the tenant's reservations that ended before an instant, the earliest first, at most
    /// `FORGET_RESERVATIONS_MAX` of them.
    Forget {
        /// Whose reservations.
        tenant: ScopeId,
        /// The first instant that is remembered.
        ended_before: Timestamp,
    },
    /// Add up what was refused since the last time.
    CountRefusals {
        /// Of which tenant.
        tenant: ScopeId,
        /// Where, of what, how often.
        refused: Vec<(ScopeId, Item, u64)>,
    },
    /// Ask for a higher limit.
    SubmitRequest(SubmitRequest),
    /// Grant a request, fully or in part.
    ApproveRequest(ApproveRequest),
    /// Do not grant a request.
    DenyRequest(RuleRequest),
    /// Take a request back.
    CancelRequest(RuleRequest),
    /// Define a tier or change it.
    PutTier(Put<Tier>),
    /// Define a resource or change it.
    PutResource(Put<Resource>),
    /// Define a location or change it.
    PutLocation(Location),
    /// Make a scope or change it.
    PutScope(PutScope),
    /// Set a limit.
    PutLimit(PutLimit),
    /// Take a limit away.
    DeleteLimit(DeleteLimit),
    /// Make a principal.
    CreatePrincipal(CreatePrincipal),
    /// Let a principal call, or not.
    EnablePrincipal {
        /// Which.
        id: PrincipalId,
        /// Whether it may.
        enabled: bool,
    },
    /// Forget a principal.
    DeletePrincipal {
        /// Which.
        id: PrincipalId,
    },
    /// Make a webhook or change it.
    PutWebhook(PutWebhook),
    /// Forget a webhook.
    DeleteWebhook {
        /// Which.
        id: WebhookId,
    },
    /// Take note of how far a webhook has been told.
    NoteDelivered {
        /// Which.
        id: WebhookId,
        /// The place in the journal.
        delivered: u64,
    },
}

impl Action {
    /// The least role that may ask for it.
    pub fn role(&self) -> Role {
        self.needs().0
    }

    /// Whether it is to pass the limits because its caller says so, which takes a permission of
    /// its own.
    pub fn is_forced(&self) -> bool {
        matches!(
            self.needs().1,
            Some(Grounds::Force(_) | Grounds::Mend { passes: true, .. })
        )
    }

    /// The least role that may ask for it, and on what grounds it may pass the limits.
    fn needs(&self) -> (Role, Option<&Grounds>) {
        match self {
            Action::Reserve(reserve) => (Role::Enforcer, Some(&reserve.grounds)),
            Action::Resize(resize) => (Role::Enforcer, Some(&resize.grounds)),
            Action::Transfer(transfer) => (Role::Enforcer, Some(&transfer.grounds)),
            Action::Commit(settle) | Action::Release(settle) => {
                (Role::Enforcer, Some(&settle.grounds))
            }
            Action::Extend(_)
            | Action::Expire { .. }
            | Action::SubmitRequest(_)
            | Action::CancelRequest(_) => (Role::Enforcer, None),
            Action::PutScope(_)
            | Action::PutLimit(_)
            | Action::DeleteLimit(_)
            | Action::ApproveRequest(_)
            | Action::DenyRequest(_) => (Role::Manager, None),
            Action::CountRefusals { .. }
            | Action::PutTier(_)
            | Action::PutWebhook(_)
            | Action::DeleteWebhook { .. }
            | Action::NoteDelivered { .. }
            | Action::PutResource(_)
            | Action::PutLocation(_)
            | Action::CreatePrincipal(_)
            | Action::EnablePrincipal { .. }
            | Action::DeletePrincipal { .. }
            | Action::Forget { .. } => (Role::Admin, None),
        }
    }
}

/// Whether a change of a reservation may pass the limits, and why it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Grounds {
    /// It may not.
    #[default]
    Limits,
    /// Its caller says so, and why.
    Force(Text),
    /// It says what is there already.
    Mend {
        /// What showed it: an inventory.
        reason: Text,
        /// Whether it may: its caller has the permission to pass the limits.
        passes: bool,
    },
}

impl Grounds {
    /// Why it may pass the limits, where it may.
    pub fn reason(&self) -> Option<&Text> {
        match self {
            Grounds::Limits => None,
            Grounds::Force(reason) | Grounds::Mend { reason, .. } => Some(reason),
        }
    }
}

/// What the caller of a compare-and-set believes to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing in particular.
    Whatever,
    /// The row with this revision.
    Revision(u64),
}
