//! Requests for higher limits.

use plimsoll_core::model::Role;

use super::super::decode::wishes;
use super::super::parameter::Parameter;
use super::super::wire::replies;
use super::super::wire::requests::{ApproveBody, CancelBody, DenyBody, SubmitBody};
use super::{Body, Method, Operation, schema};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        method: Method::Post,
        path: "/requests",
        id: "submitRequest",
        summary: "Asks for a higher limit, as the `increase_request` of a refusal does",
        role: Role::Enforcer,
        query: &[],
        takes_if_match: false,
        request: Body::Required(schema::<SubmitBody>),
        response: schema::<replies::Request<'static>>,
        problems: &[404, 409],
        decode: wishes::submit,
    },
    Operation {
        method: Method::Get,
        path: "/requests/{id}",
        id: "getRequest",
        summary: "A request for a higher limit",
        role: Role::Viewer,
        query: &[],
        takes_if_match: false,
        request: Body::None,
        response: schema::<replies::Request<'static>>,
        problems: &[404],
        decode: wishes::one,
    },
    Operation {
        method: Method::Get,
        path: "/scopes/{scope}/requests",
        id: "listRequests",
        summary: "The requests for a scope and everything below it, in order of id",
        role: Role::Viewer,
        query: &[Parameter::Status, Parameter::PageSize, Parameter::PageToken],
        takes_if_match: false,
        request: Body::None,
        response: schema::<replies::Requests<'static>>,
        problems: &[404],
        decode: wishes::all,
    },
    Operation {
        method: Method::Post,
        path: "/requests/{id}/approve",
        id: "approveRequest",
        summary: "Grants a request, fully or in part: it becomes a limit",
        role: Role::Manager,
        query: &[],
        takes_if_match: false,
        request: Body::Required(schema::<ApproveBody>),
        response: schema::<replies::Request<'static>>,
        problems: &[404, 409],
        decode: wishes::approve,
    },
    Operation {
        method: Method::Post,
        path: "/requests/{id}/deny",
        id: "denyRequest",
        summary: "Does not grant a request",
        role: Role::Manager,
        query: &[],
        takes_if_match: false,
        request: Body::Required(schema::<DenyBody>),
        response: schema::<replies::Request<'static>>,
        problems: &[404, 409],
        decode: wishes::deny,
    },
    Operation {
        method: Method::Post,
        path: "/requests/{id}/cancel",
        id: "cancelRequest",
        summary: "Takes a request back",
        role: Role::Enforcer,
        query: &[],
        takes_if_match: false,
        request: Body::Optional(schema::<CancelBody>),
        response: schema::<replies::Request<'static>>,
        problems: &[404, 409],
        decode: wishes::cancel,
    },
];
