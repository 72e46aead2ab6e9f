//! Which limit counts.
//!
//! At the scope that uses: a limit for the exact location, else a limit for any location, else the
//! resource's default. At every scope above: only a limit that is set there. So a default binds
//! each project, and a limit set on a parent binds the sum of everything below it.

use crate::amount::Ceiling;
use crate::model::{Item, Limit, Resource, Scope};
use crate::outcome::Source;
use crate::rows::Rows;

/// A ceiling and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The ceiling.
    pub ceiling: Ceiling,
    /// Its source.
    pub source: Source,
}

impl Effective {
    /// What binds a scope above at which nothing is set: only the number space.
    pub const UNBOUND: Effective = Effective {
        ceiling: Ceiling::Unlimited,
        source: Source::NumberSpace,
    };
}

/// What binds the scope that uses the resource.
pub fn at_user<R: Rows>(rows: &R, scope: &Scope, resource: &Resource, item: &Item) -> Effective {
    at_parent(rows, scope, item).unwrap_or(Effective {
        ceiling: resource.default_ceiling,
        source: Source::Default,
    })
}

/// What binds a scope above: the limit that is set there, if any.
pub fn at_parent<R: Rows>(rows: &R, scope: &Scope, item: &Item) -> Option<Effective> {
    set_limit(rows, scope, item).map(|limit| Effective {
        ceiling: limit.ceiling,
        source: source_of(limit),
    })
}

/// How a limit is named as a source.
pub fn source_of(limit: &Limit) -> Source {
    Source::Limit {
        item: limit.item.clone(),
        set_by: limit.set_by.clone(),
        reason: limit.reason.clone(),
        revision: limit.revision,
    }
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
