//! Which limit counts.
//!
//! At the scope that uses: a limit in force for the exact location, else one for any location,
//! else its tier's, else the resource's default. At every scope above: only a limit or a tier that
//! is set there. So a default binds each project, and a limit set on a parent binds the sum of
//! everything below it.

use crate::amount::{Ceiling, Timestamp};
use crate::model::{Item, Limit, Mode, Resource, Scope, Tier, TierLimit};
use crate::names::ScopeId;
use crate::outcome::Source;
use crate::rows::Rows;

/// A ceiling, with the row that it comes from.
#[derive(Clone, Copy, Debug)]
pub enum Effective<'a> {
    /// The resource's default.
    Default(&'a Resource),
    /// A ceiling of the scope's tier.
    Tier(&'a Tier, &'a TierLimit),
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
            Effective::Tier(_, limit) => limit.ceiling,
            Effective::Limit(limit) => limit.ceiling,
            Effective::Unbound => Ceiling::Unlimited,
        }
    }

    /// How hard it binds.
    pub fn mode(self) -> Mode {
        match self {
            Effective::Default(_) | Effective::Unbound => Mode::Enforce,
            Effective::Tier(_, limit) => limit.mode,
            Effective::Limit(limit) => limit.mode,
        }
    }

    /// The most that may be taken: a ceiling that lets pass is none.
    pub fn bound(self) -> Ceiling {
        match self.mode() {
            Mode::Enforce => self.ceiling(),
            Mode::Warn | Mode::Observe => Ceiling::Unlimited,
        }
    }

    /// Where it comes from, as a caller is told.
    pub fn source(self) -> Source {
        match self {
            Effective::Default(_) => Source::Default,
            Effective::Tier(tier, limit) => Source::Tier {
                tier: tier.name.clone(),
                item: limit.item.clone(),
            },
            Effective::Limit(limit) => Source::Limit {
                item: limit.item.clone(),
                window: limit.window,
                set_by: limit.set_by.clone(),
                reason: limit.reason.clone(),
                request: limit.request.clone(),
                revision: limit.revision,
            },
            Effective::Unbound => Source::NumberSpace,
        }
    }
}

/// What binds a scope, for one that uses the resource there or below.
pub fn at<'a, R: Rows>(
    rows: &'a R,
    scope: &Scope,
    user: &ScopeId,
    resource: &'a Resource,
    item: &Item,
    now: Timestamp,
) -> Effective<'a> {
    set_at(rows, scope, item, now).unwrap_or(if scope.id == *user {
        Effective::Default(resource)
    } else {
        Effective::Unbound
    })
}

/// What binds the scope that uses the resource until further notice: no limit that ends counts.
pub fn standing<'a, R: Rows>(
    rows: &'a R,
    scope: &Scope,
    resource: &'a Resource,
    item: &Item,
    now: Timestamp,
) -> Effective<'a> {
    let standing = |item: &Item| Limit::standing(rows.limits(&scope.id, item), now);
    let limit = standing(item).or_else(|| standing(&anywhere(item)?));
    limit
        .map(Effective::Limit)
        .or_else(|| of_tier(rows, scope, item))
        .unwrap_or(Effective::Default(resource))
}

/// What is set at a scope and counts there.
pub fn set_at<'a, R: Rows>(
    rows: &'a R,
    scope: &Scope,
    item: &Item,
    now: Timestamp,
) -> Option<Effective<'a>> {
    set_among(rows, scope, item, now, |item| rows.limits(&scope.id, item))
}

/// What counts at a scope where these are its limits.
pub fn set_among<'a, R: Rows>(
    rows: &'a R,
    scope: &Scope,
    item: &Item,
    now: Timestamp,
    limits: impl Fn(&Item) -> &'a [Limit],
) -> Option<Effective<'a>> {
    let limit = Limit::in_force(limits(item), now);
    let limit = limit.or_else(|| Limit::in_force(limits(&anywhere(item)?), now));
    limit
        .map(Effective::Limit)
        .or_else(|| of_tier(rows, scope, item))
}

/// What a scope's tier says of an item: for the exact location, else for any.
pub fn of_tier<'a, R: Rows>(rows: &'a R, scope: &Scope, item: &Item) -> Option<Effective<'a>> {
    let tier = rows.tier(scope.tier.as_ref()?)?;
    let exact = tier.limits.of(item);
    let limit = exact.or_else(|| tier.limits.of(&anywhere(item)?))?;
    Some(Effective::Tier(tier, limit))
}

/// The same resource at any location, where the item is at one.
pub fn anywhere(item: &Item) -> Option<Item> {
    item.location.as_ref().map(|_| Item {
        resource: item.resource.clone(),
        location: None,
    })
}
