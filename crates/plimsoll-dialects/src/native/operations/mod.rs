//! The operations: tables for routing, roles and the OpenAPI document.
//!
//! The busiest stand in front: a route is found by looking at them in order.

use plimsoll_core::model::Role;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::decode::Input;
use super::parameter::Parameter;
use super::{Call, Problem};

mod access;
mod catalogue;
mod requests;
mod reservations;
mod scopes;

/// One operation of the native API.
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path below the base, with its parameters in braces.
    pub path: &'static str,
    /// Its name in the OpenAPI document.
    pub id: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// The least role that may ask for it.
    pub role: Role,
    /// The statuses of its own problems, beside those that every operation has.
    pub problems: &'static [u16],
    pub(super) query: &'static [Parameter],
    pub(super) takes_if_match: bool,
    pub(super) request: Body,
    pub(super) response: fn(&mut SchemaGenerator) -> Schema,
    pub(super) decode: fn(&Input<'_>) -> Result<Call, Problem>,
}

/// The methods of the native API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `PUT`
    Put,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
}

impl Method {
    /// The method as it travels.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Put => "PUT",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        }
    }
}

/// What body a request has; what it holds, as a schema.
#[derive(Clone, Copy)]
pub(super) enum Body {
    /// None that is looked at.
    None,
    /// One that may be left out.
    Optional(fn(&mut SchemaGenerator) -> Schema),
    /// One that must be there.
    Required(fn(&mut SchemaGenerator) -> Schema),
    /// One that must be there, in any of the forms in which a batch may travel.
    RequiredOrBinary(fn(&mut SchemaGenerator) -> Schema),
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Every operation there is.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    let tables = [
        reservations::OPERATIONS,
        scopes::OPERATIONS,
        requests::OPERATIONS,
        catalogue::OPERATIONS,
        access::OPERATIONS,
    ];
    tables.into_iter().flatten()
}
