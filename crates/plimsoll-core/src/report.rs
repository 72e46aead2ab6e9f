//! What a reader is told: limits, use and what is left.

use alloc::vec::Vec;

use crate::amount::{Amount, Ceiling};
use crate::ceilings::{self, Effective};
use crate::model::{Account, Item, Limit, Reach, Reservation, Resource, Scope};
use crate::names::{LocationId, ResourceName, ScopeId, Text};
use crate::outcome::Source;
use crate::rows::{Rows, path, scope_within};

/// What a scope may take of an item, and what it has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Of what.
    pub item: Item,
    /// What one is called.
    pub unit: Text,
    /// The limit that counts at the scope.
    pub ceiling: Ceiling,
    /// Taken for good, in the scope and below.
    pub used: Amount,
    /// Taken for now, in the scope and below.
    pub held: Amount,
    /// What the scope could take now, every scope above it counted; unlimited where nothing binds.
    pub available: Ceiling,
    /// How much more is taken than the limit allows: a limit may be lowered below use.
    pub over_by: Amount,
    /// The chain that led to the number: the default, the limits that were set, then the scopes
    /// above at which a limit binds.
    pub sources: Vec<QuotaSource>,
}

/// One link in the chain that led to a quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaSource {
    /// Where it is set.
    pub scope: ScopeId,
    /// What is set.
    pub ceiling: Ceiling,
    /// By whom, and why.
    pub source: Source,
    /// What is left at that scope.
    pub available: Ceiling,
}

/// Which quotas a reader wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuotaFilter {
    /// Only this resource.
    pub resource: Option<ResourceName>,
    /// Only this location.
    pub location: Option<LocationId>,
}

/// Which reservations a reader wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReservationFilter {
    /// Only those in the state of this name.
    pub state: Option<&'static str>,
    /// Only those with a line of this resource.
    pub resource: Option<ResourceName>,
    /// Only those with a line at this location; with a resource, the same line.
    pub location: Option<LocationId>,
}

impl ReservationFilter {
    /// Whether a reservation is wanted.
    pub fn admits(&self, reservation: &Reservation) -> bool {
        let admits_item = |item: &Item| {
            self.resource
                .as_ref()
                .is_none_or(|resource| *resource == item.resource)
                && (self.location.is_none() || self.location == item.location)
        };
        self.state
            .is_none_or(|state| state == reservation.state.name())
            && reservation.lines.iter().any(|line| admits_item(&line.item))
    }
}

/// The quotas of a scope in order of resource and location; `None` where the scope is not within
/// the reach.
///
/// A resource that is counted per location has one quota at each location.
pub fn quotas<'a, R: Rows>(
    rows: &'a R,
    reach: &Reach,
    scope: &ScopeId,
    filter: &'a QuotaFilter,
) -> Option<impl Iterator<Item = Quota> + 'a> {
    let scope = scope_within(rows, reach, scope)?;
    Some(items(rows, filter).map(move |(resource, item)| quota(rows, scope, resource, item)))
}

/// Every item that can be taken, in order: the resources that are not counted per location by
/// themselves, the others at each location.
pub fn items<'a, R: Rows>(
    rows: &'a R,
    filter: &'a QuotaFilter,
) -> impl Iterator<Item = (&'a Resource, Item)> {
    let wanted = |name: &ResourceName| filter.resource.as_ref().is_none_or(|it| it == name);
    let resources = rows
        .resources()
        .filter(move |resource| wanted(&resource.name));
    let items = resources.flat_map(move |resource| {
        let anywhere = (!resource.per_location).then_some(None);
        let locations = resource
            .per_location
            .then(|| rows.locations())
            .into_iter()
            .flatten();
        let locations = locations.map(|location| Some(location.id.clone()));
        anywhere.into_iter().chain(locations).map(move |location| {
            let item = Item {
                resource: resource.name.clone(),
                location,
            };
            (resource, item)
        })
    });
    items.filter(|(_, item)| filter.location.is_none() || filter.location == item.location)
}

/// The quota of one item at a scope.
pub fn quota<R: Rows>(rows: &R, scope: &Scope, resource: &Resource, item: Item) -> Quota {
    let account = rows.account(&scope.id, &item);
    let ceiling = ceilings::at_user(rows, scope, resource, &item).ceiling();
    let available = path(rows, scope)
        .skip(1)
        .map(|above| {
            let effective = ceilings::at_parent(rows, above, &item);
            left(effective.ceiling(), rows.account(&above.id, &item))
        })
        .fold(left(ceiling, account), smaller);
    // Where numbers end, they end at every scope above, whether anything is set there or not.
    let room = path(rows, scope)
        .map(|above| Amount::MAX.minus_or_zero(rows.account(&above.id, &item).taken()))
        .fold(Amount::MAX, Amount::min);
    let available = match available {
        Ceiling::Finite(amount) => Ceiling::Finite(amount.min(room)),
        Ceiling::Unlimited => Ceiling::Unlimited,
    };
    let sources = sources(rows, scope, resource, &item, account);
    Quota {
        unit: resource.unit.clone(),
        ceiling,
        used: account.used,
        held: account.held,
        available,
        over_by: account.taken().minus_or_zero(ceiling.amount()),
        sources,
        item,
    }
}

fn sources<R: Rows>(
    rows: &R,
    scope: &Scope,
    resource: &Resource,
    item: &Item,
    account: Account,
) -> Vec<QuotaSource> {
    let default = QuotaSource {
        scope: scope.id.clone(),
        ceiling: resource.default_ceiling,
        source: Source::Default,
        available: left(resource.default_ceiling, account),
    };
    let any = Item {
        resource: item.resource.clone(),
        location: None,
    };
    let any = item
        .location
        .is_some()
        .then(|| rows.limit(&scope.id, &any))
        .flatten();
    let set = any.into_iter().chain(rows.limit(&scope.id, item));
    let set = set.map(|limit| source(limit, account));
    let above = path(rows, scope).skip(1).filter_map(|above| {
        let limit = ceilings::set_limit(rows, above, item)?;
        Some(source(limit, rows.account(&above.id, item)))
    });
    core::iter::once(default).chain(set).chain(above).collect()
}

fn source(limit: &Limit, account: Account) -> QuotaSource {
    QuotaSource {
        scope: limit.scope.clone(),
        ceiling: limit.ceiling,
        source: Effective::Limit(limit).source(),
        available: left(limit.ceiling, account),
    }
}

/// What a ceiling leaves.
fn left(ceiling: Ceiling, account: Account) -> Ceiling {
    match ceiling {
        Ceiling::Finite(amount) => Ceiling::Finite(amount.minus_or_zero(account.taken())),
        Ceiling::Unlimited => Ceiling::Unlimited,
    }
}

fn smaller(one: Ceiling, other: Ceiling) -> Ceiling {
    match (one, other) {
        (Ceiling::Unlimited, it) | (it, Ceiling::Unlimited) => it,
        (Ceiling::Finite(one), Ceiling::Finite(other)) => Ceiling::Finite(one.min(other)),
    }
}
