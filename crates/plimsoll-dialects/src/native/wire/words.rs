//! Core values that travel as strings: names and closed sets of words.

use std::fmt;

use plimsoll_core::bounds::{ID_LEN_MAX, RESOURCE_PART_LEN_MAX, TEXT_LEN_MAX};
use plimsoll_core::event::Cause;
use plimsoll_core::model::{Mode, Reach, Role, Topic};
use plimsoll_core::names::{
    LocationId, NameError, PrincipalId, RequestId, ReservationId, ResourceName, ScopeId, Text,
    TierName, WebhookId,
};
use schemars::{Schema, json_schema};

use super::super::{AsOf, Kind};
use super::leaf::Time;

/// A value that a string spells.
pub(crate) trait Spelled: Sized + 'static {
    /// Completes the sentence "`/place` …".
    type Error: fmt::Display;

    /// Reads the string.
    fn parse(text: &str) -> Result<Self, Self::Error>;

    /// What the OpenAPI document says of the string.
    fn schema() -> Schema;
}

macro_rules! spelled_name {
    ($($name:ident => $schema:expr;)*) => {$(
        impl Spelled for $name {
            type Error = NameError;

            fn parse(text: &str) -> Result<Self, NameError> {
                $name::parse(text)
            }

            fn schema() -> Schema {
                $schema
            }
        }
    )*};
}

spelled_name! {
    LocationId => id_schema();
    PrincipalId => id_schema();
    RequestId => id_schema();
    ReservationId => id_schema();
    ScopeId => id_schema();
    TierName => id_schema();
    WebhookId => id_schema();
    ResourceName => json_schema!({
        "type": "string",
        "pattern": r"^[a-z0-9][a-z0-9_-]{0,63}/[a-z0-9][a-z0-9_-]{0,63}$",
    });
    Text => json_schema!({
        "type": "string",
        "maxLength": TEXT_LEN_MAX,
        "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$",
    });
}

/// An id as the OpenAPI document describes it.
pub(crate) fn id_schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": ID_LEN_MAX,
        "pattern": r"^[A-Za-z0-9][A-Za-z0-9._:-]*$",
    })
}

/// One half of a resource's name as the OpenAPI document describes it.
pub(crate) fn resource_part_schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": RESOURCE_PART_LEN_MAX,
        "pattern": r"^[a-z0-9][a-z0-9_-]*$",
    })
}

/// Why something is done: a text that says something.
pub(crate) struct Reason(pub(crate) Text);

impl Spelled for Reason {
    type Error = String;

    fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("must say why: it is blank".to_owned());
        }
        Text::parse(text)
            .map(Reason)
            .map_err(|error| error.to_string())
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": TEXT_LEN_MAX,
            "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$",
        })
    }
}

/// What one command of a batch does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    /// Takes something.
    Reserve,
    /// Keeps it.
    Commit,
    /// Lets it go.
    Release,
    /// Holds on for longer.
    Extend,
    /// Takes other amounts.
    Resize,
    /// Takes it in another scope.
    Transfer,
}

impl Op {
    /// The word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Op::Reserve => "reserve",
            Op::Commit => "commit",
            Op::Release => "release",
            Op::Extend => "extend",
            Op::Resize => "resize",
            Op::Transfer => "transfer",
        }
    }
}

/// The states of a reservation, as `State::name` spells them.
#[derive(Clone, Copy)]
pub(crate) struct StateName(pub(crate) &'static str);

/// The states of a request, as `RequestStatus::name` spells them.
#[derive(Clone, Copy)]
pub(crate) struct StatusName(pub(crate) &'static str);

/// The states that a problem may name.
#[derive(Clone, Copy)]
pub(crate) struct AnyState;

/// The sources of a ceiling, as `Source::name` spells them.
#[derive(Clone, Copy)]
pub(crate) struct SourceName;

/// The marks of events, as `Mark::name` spells them.
#[derive(Clone, Copy)]
pub(crate) struct MarkName;

/// The differences of an inventory, as `Difference::name` spells them.
#[derive(Clone, Copy)]
pub(crate) struct DifferenceName;

/// What came of the mend of a difference.
#[derive(Clone, Copy)]
pub(crate) struct MendName;

/// Yes or no.
#[derive(Clone, Copy)]
pub(crate) struct Flag(pub(crate) bool);

macro_rules! spelled_words {
    ($($type:ty, $error:literal: $($word:literal => $value:expr),*;)*) => {$(
        impl Spelled for $type {
            type Error = &'static str;

            fn parse(text: &str) -> Result<Self, &'static str> {
                match text {
                    $($word => Ok($value),)*
                    _ => Err($error),
                }
            }

            fn schema() -> Schema {
                json_schema!({"type": "string", "enum": [$($word),*]})
            }
        }
    )*};
}

spelled_words! {
    Op, "must be `reserve`, `commit`, `release`, `extend`, `resize` or `transfer`":
        "reserve" => Op::Reserve,
        "commit" => Op::Commit,
        "release" => Op::Release,
        "extend" => Op::Extend,
        "resize" => Op::Resize,
        "transfer" => Op::Transfer;
    Role, "must be `viewer`, `enforcer`, `manager` or `admin`":
        "viewer" => Role::Viewer,
        "enforcer" => Role::Enforcer,
        "manager" => Role::Manager,
        "admin" => Role::Admin;
    Kind, "must be `access_key` or `token`":
        "access_key" => Kind::AccessKey,
        "token" => Kind::Token;
    StateName, "must be `held`, `committed`, `released` or `expired`":
        "held" => StateName("held"),
        "committed" => StateName("committed"),
        "released" => StateName("released"),
        "expired" => StateName("expired");
    StatusName, "must be `pending`, `approved`, `denied` or `cancelled`":
        "pending" => StatusName("pending"),
        "approved" => StatusName("approved"),
        "denied" => StatusName("denied"),
        "cancelled" => StatusName("cancelled");
    AnyState, "must be a state":
        "held" => AnyState,
        "committed" => AnyState,
        "released" => AnyState,
        "expired" => AnyState,
        "approved" => AnyState,
        "denied" => AnyState,
        "cancelled" => AnyState;
    SourceName, "must be `default`, `tier`, `limit` or `number_space`":
        "default" => SourceName,
        "tier" => SourceName,
        "limit" => SourceName,
        "number_space" => SourceName;
    Mode, "must be `enforce`, `warn` or `observe`":
        "enforce" => Mode::Enforce,
        "warn" => Mode::Warn,
        "observe" => Mode::Observe;
    Topic, "must be `threshold_crossed`, `refused`, `request`, `expired` or `limit`":
        "threshold_crossed" => Topic::ThresholdCrossed,
        "refused" => Topic::Refused,
        "request" => Topic::Request,
        "expired" => Topic::Expired,
        "limit" => Topic::Limit;
    MarkName, "must be a mark":
        "enforced" => MarkName,
        "forced" => MarkName,
        "mended" => MarkName,
        "passed" => MarkName;
    DifferenceName, "must be a difference":
        "missing_here" => DifferenceName,
        "missing_there" => DifferenceName,
        "amount_differs" => DifferenceName,
        "in_flight" => DifferenceName;
    MendName, "must be `done` or `failed`":
        "done" => MendName,
        "failed" => MendName;
    Flag, "must be `true` or `false`":
        "true" => Flag(true),
        "false" => Flag(false);
    Cause, "must be what the `cause` of an event can be, as `reserved` or `limit_put`":
        "reserved" => Cause::Reserved,
        "committed" => Cause::Committed,
        "released" => Cause::Released,
        "expired" => Cause::Expired,
        "extended" => Cause::Extended,
        "resized" => Cause::Resized,
        "transferred" => Cause::Transferred,
        "forgotten" => Cause::Forgotten,
        "scope_put" => Cause::ScopePut,
        "limit_put" => Cause::LimitPut,
        "limit_deleted" => Cause::LimitDeleted,
        "refusals_counted" => Cause::RefusalsCounted,
        "request_submitted" => Cause::RequestSubmitted,
        "request_approved" => Cause::RequestApproved,
        "request_denied" => Cause::RequestDenied,
        "request_cancelled" => Cause::RequestCancelled,
        "resource_put" => Cause::ResourcePut,
        "location_put" => Cause::LocationPut,
        "tier_put" => Cause::TierPut,
        "principal_created" => Cause::PrincipalCreated,
        "principal_changed" => Cause::PrincipalChanged,
        "principal_deleted" => Cause::PrincipalDeleted,
        "webhook_put" => Cause::WebhookPut,
        "webhook_deleted" => Cause::WebhookDeleted,
        "webhook_delivered" => Cause::WebhookDelivered;
}

/// How the whole server is spelled where a scope could stand; no scope's id can be this.
pub(crate) const EVERYTHING: &str = "*";

impl Spelled for Reach {
    type Error = NameError;

    fn parse(text: &str) -> Result<Self, NameError> {
        if text == EVERYTHING {
            Ok(Reach::Everything)
        } else {
            ScopeId::parse(text).map(Reach::Below)
        }
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "A scope and everything below it, or `*` for the whole server.",
            "anyOf": [id_schema(), {"type": "string", "const": EVERYTHING}],
        })
    }
}

/// A revision of a tenant's log, in digits.
#[derive(Clone, Copy)]
pub(crate) struct Revision(pub(crate) u64);

impl Spelled for Revision {
    type Error = &'static str;

    fn parse(text: &str) -> Result<Self, &'static str> {
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let revision = text.parse().ok().filter(|_| is_digits);
        revision
            .map(Revision)
            .ok_or("must be a revision, in digits alone")
    }

    fn schema() -> Schema {
        json_schema!({"type": "integer", "format": "int64", "minimum": 0})
    }
}

impl Spelled for AsOf {
    type Error = &'static str;

    fn parse(text: &str) -> Result<Self, &'static str> {
        let revision = Revision::parse(text).map(|Revision(it)| AsOf::Revision(it));
        let instant = || <Time as Spelled>::parse(text).map(|Time(it)| AsOf::Instant(it));
        revision.or_else(|_| instant()).map_err(
            |_| "must be a revision, in digits alone, or an instant, as `2026-01-31T12:00:00Z`",
        )
    }

    fn schema() -> Schema {
        json_schema!({"anyOf": [Revision::schema(), <Time as Spelled>::schema()]})
    }
}
