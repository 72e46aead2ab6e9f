//! Scopes, their quotas and limits, what has happened there.

use plimsoll_core::model::Role;
use schemars::{Schema, SchemaGenerator, json_schema};

use super::super::decode::{events, scopes};
use super::super::parameter::Parameter;
use super::super::wire::replies;
use super::super::wire::requests::{LimitBody, ScopeBody};
use super::{Body, Method, Operation, schema};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        method: Method::Get,
        path: "/scopes/{scope}/quotas",
        id: "listQuotas",
        summary: "What a scope may take, what it has taken, and why; now or as it was",
        role: Role::Viewer,
        query: &[
            Parameter::Resource,
            Parameter::Location,
            Parameter::AsOf,
            Parameter::PageSize,
            Parameter::PageToken,
        ],
        takes_if_match: false,
        request: Body::None,
        response: schema::<replies::Quotas<'static>>,
        problems: &[404],
        decode: scopes::quotas,
    },
    Operation {
        method: Method::Get,
        path: "/scopes/{scope}/limits",
        id: "listLimits",
        summary: "The limits that are set at a scope",
        role: Role::Viewer,
        query: &[Parameter::PageSize, Parameter::PageToken],
        takes_if_match: false,
        request: Body::None,
        response: schema::<replies::Limits<'static>>,
        problems: &[404],
        decode: scopes::limits,
    },
    Operation {
        method: Method::Put,
        path: "/scopes/{scope}/limits",
        id: "putLimit",
        summary: "Sets a limit, or tells what would come of it",
        role: Role::Manager,
        query: &[Parameter::DryRun],
        takes_if_match: true,
        request: Body::Required(schema::<LimitBody>),
        response: limit_or_dry_run,
        problems: &[404, 409, 412],
        decode: scopes::put_limit,
    },
    Operation {
        method: Method::Delete,
        path: "/scopes/{scope}/limits",
        id: "deleteLimit",
        summary: "Takes a limit away",
        role: Role::Manager,
        query: &[
            Parameter::LimitResource,
            Parameter::Location,
            Parameter::StartsAt,
            Parameter::EndsAt,
            Parameter::Reason,
        ],
        takes_if_match: true,
        request: Body::None,
        response: schema::<replies::Gone>,
        problems: &[404, 412],
        decode: scopes::delete_limit,
    },
    Operation {
        method: Method::Get,
        path: "/scopes/{scope}/events",
        id: "listEvents",
        summary: "What has happened at a scope and below; live where the `accept` header asks for `text/event-stream`",
        role: Role::Viewer,
        query: &[
            Parameter::Resource,
            Parameter::Location,
            Parameter::Cause,
            Parameter::After,
            Parameter::PageSize,
        ],
        takes_if_match: false,
        request: Body::None,
        response: schema::<replies::Events<'static>>,
        problems: &[404],
        decode: events::of_scope,
    },
    Operation {
        method: Method::Get,
        path: "/scopes",
        id: "listScopes",
        summary: "The scopes within your reach",
        role: Role::Viewer,
        query: &[Parameter::Parent, Parameter::PageSize, Parameter::PageToken],
        takes_if_match: false,
        request: Body::None,
        response: schema::<replies::Scopes<'static>>,
        problems: &[404],
        decode: scopes::all,
    },
    Operation {
        method: Method::Put,
        path: "/scopes/{id}",
        id: "putScope",
        summary: "Makes a scope, or changes its kind and its tier",
        role: Role::Manager,
        query: &[],
        takes_if_match: false,
        request: Body::Required(schema::<ScopeBody>),
        response: schema::<replies::Scope<'static>>,
        problems: &[404, 409],
        decode: scopes::put,
    },
    Operation {
        method: Method::Get,
        path: "/scopes/{id}",
        id: "getScope",
        summary: "A scope",
        role: Role::Viewer,
        query: &[],
        takes_if_match: false,
        request: Body::None,
        response: schema::<replies::Scope<'static>>,
        problems: &[404],
        decode: scopes::one,
    },
];

fn limit_or_dry_run(generator: &mut SchemaGenerator) -> Schema {
    let limit = schema::<replies::SetLimit<'static>>(generator);
    let dry_run = schema::<replies::DryRun<'static>>(generator);
    json_schema!({
        "description": "The limit; where `dry_run` is true, what would come of it.",
        "oneOf": [limit, dry_run],
    })
}
