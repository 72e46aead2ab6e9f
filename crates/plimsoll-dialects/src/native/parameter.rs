//! The parameters of queries.

use plimsoll_core::bounds::PAGE_ITEMS_MAX;
use plimsoll_core::event::Cause;
use plimsoll_core::names::{LocationId, ResourceName, ScopeId, Text};
use schemars::{Schema, json_schema};

use super::AsOf;
use super::wire::leaf::Time;
use super::wire::words::{Flag, Reason, Revision, Spelled, StateName, StatusName};

/// The most items of a page whose size the caller does not name.
pub(super) const PAGE_SIZE_DEFAULT: usize = 100;

/// A parameter of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    Scope,
    Parent,
    State,
    Status,
    Holder,
    Resource,
    LimitResource,
    Location,
    AsOf,
    StartsAt,
    EndsAt,
    DryRun,
    Reason,
    After,
    Cause,
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
            Parameter::Status => "status",
            Parameter::Holder => "holder",
            Parameter::Resource | Parameter::LimitResource => "resource",
            Parameter::Location => "location",
            Parameter::AsOf => "as_of",
            Parameter::StartsAt => "starts_at",
            Parameter::EndsAt => "ends_at",
            Parameter::DryRun => "dry_run",
            Parameter::Reason => "reason",
            Parameter::After => "after",
            Parameter::Cause => "cause",
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
            Parameter::Status => "Only the requests in this state.",
            Parameter::Holder => "Only the reservations of this thing.",
            Parameter::Resource => "Only this resource.",
            Parameter::LimitResource => "The resource of the limit.",
            Parameter::Location => "Only this location; of a limit, left out, any.",
            Parameter::AsOf => {
                "When: after the event with this revision of the tenant's log, or at this instant; left out, now."
            }
            Parameter::StartsAt => {
                "The first instant at which the limit counts; left out, from the beginning."
            }
            Parameter::EndsAt => {
                "The first instant at which the limit counts no more; left out, until further notice."
            }
            Parameter::DryRun => {
                "Whether to set nothing and to tell where more is taken than the limit would allow."
            }
            Parameter::Reason => "Why, for the log; not blank.",
            Parameter::After => {
                "The revision of the last event that you know; left out, from the first. A live reader's `last-event-id` goes before it."
            }
            Parameter::Cause => "Only the events with this cause.",
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
            Parameter::Status => StatusName::schema(),
            Parameter::Holder => Text::schema(),
            Parameter::AsOf => AsOf::schema(),
            Parameter::StartsAt | Parameter::EndsAt => <Time as Spelled>::schema(),
            Parameter::DryRun => Flag::schema(),
            Parameter::Reason => Reason::schema(),
            Parameter::After => Revision::schema(),
            Parameter::Cause => Cause::schema(),
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
