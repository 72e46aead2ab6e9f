//! The parameters of queries.

use plimsoll_core::bounds::PAGE_ITEMS_MAX;
use plimsoll_core::names::{LocationId, ResourceName, ScopeId};
use schemars::{Schema, json_schema};

use super::wire::words::{Spelled, StateName};

/// The most items of a page whose size the caller does not name.
pub(super) const PAGE_SIZE_DEFAULT: usize = 100;

/// A parameter of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    Scope,
    Parent,
    State,
    Resource,
    LimitResource,
    Location,
    PageSize,
    PageToken,
}

impl Parameter {
    /// The parameter as it travels.
    pub(super) fn name(self) -> &'static str {
        match self {
            Parameter::Scope => "scope",
            Parameter::Parent => "parent",
            Parameter::State => "state",
            Parameter::Resource | Parameter::LimitResource => "resource",
            Parameter::Location => "location",
            Parameter::PageSize => "page_size",
            Parameter::PageToken => "page_token",
        }
    }

    /// Whether it must be there.
    pub(super) fn is_required(self) -> bool {
        self == Parameter::LimitResource
    }

    /// What it does, for the OpenAPI document.
    pub(super) fn description(self) -> &'static str {
        match self {
            Parameter::Scope => {
                "A scope of the tenant, where more than one that you see has the id."
            }
            Parameter::Parent => "Only the scopes right below this one.",
            Parameter::State => "Only the reservations in this state.",
            Parameter::Resource => "Only this resource.",
            Parameter::LimitResource => "The resource of the limit.",
            Parameter::Location => "Only this location; of a limit, left out, any.",
            Parameter::PageSize => "The most rows.",
            Parameter::PageToken => "The `next_page_token` of the page before.",
        }
    }

    /// What it may be, for the OpenAPI document.
    pub(super) fn schema(self) -> Schema {
        match self {
            Parameter::Scope | Parameter::Parent => ScopeId::schema(),
            Parameter::State => StateName::schema(),
            Parameter::Resource | Parameter::LimitResource => ResourceName::schema(),
            Parameter::Location => LocationId::schema(),
            Parameter::PageSize => json_schema!({
                "type": "integer",
                "minimum": 1,
                "maximum": PAGE_ITEMS_MAX,
                "default": PAGE_SIZE_DEFAULT,
            }),
            Parameter::PageToken => json_schema!({"type": "string"}),
        }
    }
}
