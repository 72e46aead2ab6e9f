//! Which limit counts.
//!
//! At the scope that uses: a limit for the exact location, else a limit for any location, else the
//! resource's default. At every scope above: only a limit that is set there. So a default binds
//! each project, and a limit set on a parent binds the sum of everything below it.

use crate::amount::Ceiling;
use crate::model::{Item, Limit, Resource, Scope};
use crate::outcome::Source;
use crate::rows::Rows;

/// A ceiling, with the row that it comes from.
#[derive(Clone, Copy, Debug)]
pub enum Effective<'a> {
    /// The resource's default.
    Default(&'a Resource),
    /// A limit that somebody set.
    Limit(&'a Limit),
    /// Nothing is set at a scope above: only the number space binds it.
    Unbound,
}

impl Effective<'_> {
    /// The ceiling.
    pub fn ceiling(self) -> Ceiling {
        match self {
            Effective::Default(resource) => resource.default_ceiling,
            Effective::Limit(limit) => limit.ceiling,
            Effective::Unbound => Ceiling::Unlimited,
        }
    }

    /// Where it comes from, as a caller is told.
    pub fn source(self) -> Source {
        match self {
            Effective::Default(_) => Source::Default,
            Effective::Limit(limit) => Source::Limit {
                item: limit.item.clone(),
                set_by: limit.set_by.clone(),
                reason: limit.reason.clone(),
                revision: limit.revision,
            },
            Effective::Unbound => Source::NumberSpace,
        }
    }
}

/// What binds the scope that uses the resource.
pub fn at_user<'a, R: Rows>(
    rows: &'a R,
    scope: &Scope,
    resource: &'a Resource,
    item: &Item,
) -> Effective<'a> {
    set_limit(rows, scope, item).map_or(Effective::Default(resource), Effective::Limit)
}

/// What binds a scope above it.
pub fn at_parent<'a, R: Rows>(rows: &'a R, scope: &Scope, item: &Item) -> Effective<'a> {
    set_limit(rows, scope, item).map_or(Effective::Unbound, Effective::Limit)
}

/// The limit that counts among those set at a scope: for the exact location, else for any.
pub fn set_limit<'a, R: Rows>(rows: &'a R, scope: &Scope, item: &Item) -> Option<&'a Limit> {
    let exact = rows.limit(&scope.id, item);
    if exact.is_some() || item.location.is_none() {
        return exact;
    }
    rows.limit(
        &scope.id,
        &Item {
            resource: item.resource.clone(),
            location: None,
        },
    )
}
