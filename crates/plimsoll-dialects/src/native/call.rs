//! What a caller may want to be done.

use plimsoll_core::amount::{Ceiling, Timestamp};
use plimsoll_core::command::{
    Action, Expected, Extend, Grounds, PutLimit, ReservationRef, Reserve, Resize, Settle, Transfer,
};
use plimsoll_core::model::{Asked, AutoApproval, Item, Lines, Reach, Role, Topic};
use plimsoll_core::names::{PrincipalId, ReservationId, ResourceName, ScopeId, Text, WebhookId};
use plimsoll_core::reconcile::Inventory;

use super::{Format, Problem, Read};

/// What a caller wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Something to be decided as it stands.
    Act(Action),
    /// A change of a reservation; a scope of its tenant is still to be found.
    Change(Change),
    /// Many of them, to be answered in the form in which they came. An item that could not be read
    /// is its own problem.
    Batch(Vec<Result<BatchItem, Problem>>, Format),
    /// Whether a reservation would be granted.
    Check {
        /// Where it would be taken.
        scope: ScopeId,
        /// What would be taken.
        asked: Asked,
    },
    /// Whether a limit would be set, and where more is taken than it would allow.
    DryRun(PutLimit),
    /// A wish for a higher limit, without the id that the server makes.
    SubmitRequest(NewRequest),
    /// Which requests for a resource a rule would have approved at once.
    TestAutoApproval {
        /// Of which resource.
        resource: ResourceName,
        /// Which rule.
        rule: AutoApproval,
    },
    /// What is really there, to be compared with what is reserved.
    Reconcile(Reconcile),
    /// A new principal, without the secret that the server makes.
    CreatePrincipal(NewPrincipal),
    /// A webhook, without the secret that the server makes for a new one.
    PutWebhook(NewWebhook),
    /// Something to be told.
    Read(Read),
}

/// One command of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchItem {
    /// Take something.
    Reserve(Reserve),
    /// Change what was taken.
    Change(Change),
}

impl BatchItem {
    /// The lines that it names.
    pub(super) fn lines(&self) -> usize {
        let lines = match self {
            BatchItem::Reserve(reserve) => Some(reserve.asked.lines()),
            BatchItem::Change(change) => match &change.verb {
                Verb::Commit { part } | Verb::Release { part } => part.as_ref(),
                Verb::Resize { lines, .. } => Some(lines),
                Verb::Extend { .. } | Verb::Transfer { .. } => None,
            },
        };
        lines.map_or(0, |lines| lines.len())
    }
}

/// Asks for a change of a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which reservation.
    pub id: ReservationId,
    /// A scope of its tenant: needed where the caller sees more than one tenant with that id.
    pub scope: Option<ScopeId>,
    /// What becomes of it.
    pub verb: Verb,
    /// What the caller believes to be there.
    pub expected: Expected,
}

impl Change {
    /// What is to be decided, once a scope of the reservation's tenant is known: the one that the
    /// caller names, else one that the server finds.
    pub fn action(self, scope: ScopeId) -> Action {
        let Change { id, expected, .. } = self;
        let of = ReservationRef { scope, id };
        let settle = |of, part| Settle {
            of,
            part,
            grounds: Grounds::Limits,
            expected,
        };
        match self.verb {
            Verb::Commit { part } => Action::Commit(settle(of, part)),
            Verb::Release { part } => Action::Release(settle(of, part)),
            Verb::Extend { ttl_ms } => Action::Extend(Extend {
                of,
                ttl_ms,
                expected,
            }),
            Verb::Resize { lines, grounds } => Action::Resize(Resize {
                of,
                lines,
                grounds,
                expected,
            }),
            Verb::Transfer { to, grounds } => Action::Transfer(Transfer {
                of,
                to,
                grounds,
                expected,
            }),
        }
    }
}

/// What may become of a reservation by its caller's wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It becomes usage.
    Commit {
        /// How much of it, the rest is let go; `None` for all.
        part: Option<Lines>,
    },
    /// It is let go.
    Release {
        /// How much of it; `None` for all.
        part: Option<Lines>,
    },
    /// It is held for longer.
    Extend {
        /// From now on, in milliseconds.
        ttl_ms: u64,
    },
    /// It takes other amounts.
    Resize {
        /// What it is to take from now on.
        lines: Lines,
        /// Whether it may pass the limits.
        grounds: Grounds,
    },
    /// It is taken in another scope of its tenant.
    Transfer {
        /// Where it is to be taken from now on.
        to: ScopeId,
        /// Whether it may pass the limits.
        grounds: Grounds,
    },
}

/// Asks for a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPrincipal {
    /// How it will prove itself.
    pub kind: Kind,
    /// The id that the caller wants it to have.
    pub id: Option<PrincipalId>,
    /// What it may do.
    pub role: Role,
    /// Where it may do it.
    pub reach: Reach,
    /// Whether it may let a reservation past the limits.
    pub may_force: bool,
    /// The first instant at which it may not call.
    pub expires_at: Option<Timestamp>,
    /// For people.
    pub description: Text,
}

/// How a principal proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It signs its requests.
    AccessKey,
    /// It shows a bearer token.
    Token,
}

impl Kind {
    /// The kind's name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::AccessKey => "access_key",
            Kind::Token => "token",
        }
    }
}

/// Asks for a higher limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRequest {
    /// Where it is to bind.
    pub scope: ScopeId,
    /// What it is to bind.
    pub item: Item,
    /// How much there should be.
    pub ceiling: Ceiling,
    /// Why; may be empty.
    pub reason: Text,
}

/// Says what is really there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconcile {
    /// The things.
    pub inventory: Inventory,
    /// Whether what differs is to be mended.
    pub repair: bool,
}

/// Asks for a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWebhook {
    /// Its id.
    pub id: WebhookId,
    /// Whose facts it is told.
    pub reach: Reach,
    /// Where it listens: of the form of an address, whether it may be called or not.
    pub url: Text,
    /// What it wants to hear of, in order, none twice.
    pub topics: Vec<Topic>,
    /// Whether it is told anything.
    pub enabled: bool,
}
