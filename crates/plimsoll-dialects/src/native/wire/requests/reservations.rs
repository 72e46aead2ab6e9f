//! Reservations, one at a time and many.

use plimsoll_core::bounds::{AMOUNT_MAX, HOLD_TTL_MS_MAX, RESERVATION_LINES_MAX};
use plimsoll_core::names::{LocationId, ReservationId, ResourceName, ScopeId, Text};
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::super::BATCH_COMMANDS_MAX;
use super::super::leaf::{AtMost, Object, Parsed, Texts, Whole};
use super::super::words::{Op, Reason};

/// The longest hold, in seconds.
pub(crate) const TTL_SECONDS_MAX: u64 = HOLD_TTL_MS_MAX / 1_000;

/// Asks for a reservation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReserveRequest")]
pub(crate) struct ReserveBody {
    /// Where to take it.
    pub(crate) scope: Parsed<ScopeId>,
    /// What to take: all lines or none.
    #[schemars(extend("minItems" = 1))]
    pub(crate) lines: AtMost<Object<LineBody>, RESERVATION_LINES_MAX>,
    /// How long to hold it. 300 where it is left out; without meaning beside `"commit": true`.
    pub(crate) ttl_seconds: Option<Whole<1, TTL_SECONDS_MAX>>,
    /// Take it for good at once.
    pub(crate) commit: Option<bool>,
    /// Let it past the limits. Not in a check.
    pub(crate) force: Option<Object<ForceBody>>,
    /// The real thing behind it: an image id.
    pub(crate) holder: Option<Parsed<Text>>,
    /// Whatever the caller wants to find again.
    pub(crate) attributes: Option<Texts>,
}

/// One part of a reservation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LineRequest")]
pub(crate) struct LineBody {
    /// The resource.
    pub(crate) resource: Parsed<ResourceName>,
    /// The location, exactly where the resource is counted per location.
    pub(crate) location: Option<Parsed<LocationId>>,
    /// How much.
    pub(crate) amount: Whole<1, AMOUNT_MAX>,
    /// The least that will do: where `amount` does not fit, as much as fits is taken, but no less
    /// than this. `amount` itself where it is left out.
    pub(crate) at_least: Option<Whole<1, AMOUNT_MAX>>,
}

/// One part of a reservation that is there, or of what it is to become.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TakenLineRequest")]
pub(crate) struct TakenLineBody {
    /// The resource.
    pub(crate) resource: Parsed<ResourceName>,
    /// The location, exactly where the resource is counted per location.
    pub(crate) location: Option<Parsed<LocationId>>,
    /// How much.
    pub(crate) amount: Whole<1, AMOUNT_MAX>,
}

/// Lets a reservation past the limits. It takes a permission of its own, and the log says so.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ForceRequest")]
pub(crate) struct ForceBody {
    /// Why; not blank.
    pub(crate) reason: Parsed<Reason>,
}

/// Keeps a reservation or lets it go.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SettleRequest")]
pub(crate) struct SettleBody {
    /// How much of it; left out, all.
    #[schemars(extend("minItems" = 1))]
    pub(crate) lines: Option<AtMost<Object<TakenLineBody>, RESERVATION_LINES_MAX>>,
    /// A scope of the tenant, where more than one tenant that the caller sees has the id.
    pub(crate) scope: Option<Parsed<ScopeId>>,
}

/// Holds on for longer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ExtendRequest")]
pub(crate) struct ExtendBody {
    /// How long, from now on.
    pub(crate) ttl_seconds: Whole<1, TTL_SECONDS_MAX>,
    /// A scope of the tenant, where more than one tenant that the caller sees has the id.
    pub(crate) scope: Option<Parsed<ScopeId>>,
}

/// Takes other amounts instead.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ResizeRequest")]
pub(crate) struct ResizeBody {
    /// All that the reservation is to take from now on.
    #[schemars(extend("minItems" = 1))]
    pub(crate) lines: AtMost<Object<TakenLineBody>, RESERVATION_LINES_MAX>,
    /// Let it past the limits.
    pub(crate) force: Option<Object<ForceBody>>,
    /// A scope of the tenant, where more than one tenant that the caller sees has the id.
    pub(crate) scope: Option<Parsed<ScopeId>>,
}

/// Takes it in another scope of the same tenant instead.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TransferRequest")]
pub(crate) struct TransferBody {
    /// Where the reservation is to be taken from now on.
    pub(crate) to: Parsed<ScopeId>,
    /// Let it past the limits.
    pub(crate) force: Option<Object<ForceBody>>,
    /// A scope of the tenant, where more than one tenant that the caller sees has the id.
    pub(crate) scope: Option<Parsed<ScopeId>>,
}

/// Many commands, answered by index.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BatchRequest")]
pub(crate) struct BatchBody<C = AtMost<Object<CommandBody>, BATCH_COMMANDS_MAX>> {
    /// The commands, decided in order; 16384 lines at most over all of them.
    pub(crate) commands: C,
}

/// One command of a batch: the members of the single call, beside `op`, `id` and `if_revision`.
///
/// `reserve` needs `scope` and `lines`, `extend` needs `ttl_seconds`, `resize` needs `lines`, and
/// `transfer` needs `to`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BatchCommand")]
pub(crate) struct CommandBody {
    /// What to do.
    pub(crate) op: Parsed<Op>,
    /// The id of the reservation.
    pub(crate) id: Parsed<ReservationId>,
    /// Where to take it, or which tenant has it.
    pub(crate) scope: Option<Parsed<ScopeId>>,
    /// What to take, or how much of it to keep or to let go. `at_least` is for a `reserve` only.
    #[schemars(extend("minItems" = 1))]
    pub(crate) lines: Option<AtMost<Object<LineBody>, RESERVATION_LINES_MAX>>,
    /// Of a `reserve` or `extend`: how long to hold it.
    pub(crate) ttl_seconds: Option<Whole<1, TTL_SECONDS_MAX>>,
    /// Of a `reserve`: take it for good at once.
    pub(crate) commit: Option<bool>,
    /// Of a `reserve`, `resize` or `transfer`: let it past the limits.
    pub(crate) force: Option<Object<ForceBody>>,
    /// Of a `reserve`: the real thing behind it.
    pub(crate) holder: Option<Parsed<Text>>,
    /// Of a `reserve`: whatever the caller wants to find again.
    pub(crate) attributes: Option<Texts>,
    /// Of a `transfer`: where it is to be taken from now on.
    pub(crate) to: Option<Parsed<ScopeId>>,
    /// Of all but a `reserve`: the revision that must be there, as an `if-match` says it.
    pub(crate) if_revision: Option<Whole<0, AMOUNT_MAX>>,
}
