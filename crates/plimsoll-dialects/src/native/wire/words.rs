//! Core values that travel as strings: names and closed sets of words.

use std::fmt;

use plimsoll_core::bounds::{ID_LEN_MAX, RESOURCE_PART_LEN_MAX, TEXT_LEN_MAX};
use plimsoll_core::model::{Reach, Role};
use plimsoll_core::names::{
    LocationId, NameError, PrincipalId, ReservationId, ResourceName, ScopeId, Text,
};
use schemars::{Schema, json_schema};

use super::super::Kind;

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
    ReservationId => id_schema();
    ScopeId => id_schema();
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

/// The sources of a ceiling, as `Source::name` spells them.
#[derive(Clone, Copy)]
pub(crate) struct SourceName;

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
    SourceName, "must be `default`, `limit` or `number_space`":
        "default" => SourceName,
        "limit" => SourceName,
        "number_space" => SourceName;
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
