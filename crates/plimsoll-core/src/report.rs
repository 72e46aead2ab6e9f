//! What a reader is told: limits, use and what is left.

use alloc::vec::Vec;

use crate::amount::{Amount, Ceiling, Timestamp};
use crate::ceilings::{self, Effective, anywhere};
use crate::event::Log;
use crate::model::{Account, Item, Limit, Mode, Reach, Reservation, Resource, Scope, Tally};
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
    /// How hard it binds.
    pub mode: Mode,
    /// Taken for good, in the scope and below.
    pub used: Amount,
    /// Taken for now, in the scope and below.
    pub held: Amount,
    /// What the scope could take now, every scope above it counted; unlimited where nothing binds.
    /// A limit that lets pass does not bind.
    pub available: Ceiling,
    /// How much more is taken than the limit allows: a limit may be lowered below use.
    pub over_by: Amount,
    /// What went past the limit, or would have.
    pub tally: Tally,
    /// The chain that led to the number: the default, the tier's ceiling, the limits in force, each
    /// stronger than the ones before; then the scopes above at which something is set.
    pub sources: Vec<QuotaSource>,
}

/// One link in the chain that led to a quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaSource {
    /// Where it is set.
    pub scope: ScopeId,
    /// What is set.
    pub ceiling: Ceiling,
    /// How hard it binds.
    pub mode: Mode,
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
    /// Only those of this thing: a reservation without a holder goes by its own id.
    pub holder: Option<Text>,
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
        let is_of_holder = self.holder.as_ref().is_none_or(|wanted| {
            let own_id = reservation.id.as_str();
            reservation.holder.as_ref().map_or(own_id, Text::as_str) == wanted.as_str()
        });
        is_of_holder
            && self
                .state
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
    now: Timestamp,
) -> Option<impl Iterator<Item = Quota> + 'a> {
    let scope = scope_within(rows, reach, scope)?;
    let quotas = items(rows, filter);
    Some(quotas.map(move |(resource, item)| quota(rows, scope, resource, item, now)))
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
pub fn quota<R: Rows>(
    rows: &R,
    scope: &Scope,
    resource: &Resource,
    item: Item,
    now: Timestamp,
) -> Quota {
    let now = time_of(rows, scope, now);
    let account = rows.account(&scope.id, &item);
    let effective = ceilings::at(rows, scope, &scope.id, resource, &item, now);
    let available = path(rows, scope)
        .skip(1)
        .map(|above| {
            let effective = ceilings::at(rows, above, &scope.id, resource, &item, now);
            left(effective.bound(), rows.account(&above.id, &item))
        })
        .fold(left(effective.bound(), account), smaller);
    // Where numbers end, they end at every scope above, whether anything is set there or not.
    let room = path(rows, scope)
        .map(|above| Amount::MAX.minus_or_zero(rows.account(&above.id, &item).taken()))
        .fold(Amount::MAX, Amount::min);
    let available = match available {
        Ceiling::Finite(amount) => Ceiling::Finite(amount.min(room)),
        Ceiling::Unlimited => Ceiling::Unlimited,
    };
    let ceiling = effective.ceiling();
    Quota {
        unit: resource.unit.clone(),
        ceiling,
        mode: effective.mode(),
        used: account.used,
        held: account.held,
        available,
        over_by: account.taken().minus_or_zero(ceiling.amount()),
        tally: rows.tally(&scope.id, &item),
        sources: sources(rows, scope, resource, &item, now),
        item,
    }
}

/// The time as a scope's tenant knows it: a log's time never runs backwards.
fn time_of<R: Rows>(rows: &R, scope: &Scope, now: Timestamp) -> Timestamp {
    rows.head(&Log::Tenant(scope.tenant.clone())).at.max(now)
}

fn sources<R: Rows>(
    rows: &R,
    scope: &Scope,
    resource: &Resource,
    item: &Item,
    now: Timestamp,
) -> Vec<QuotaSource> {
    let source_at = |above: &Scope, effective: Effective<'_>| QuotaSource {
        scope: above.id.clone(),
        ceiling: effective.ceiling(),
        mode: effective.mode(),
        source: effective.source(),
        available: left(effective.ceiling(), rows.account(&above.id, item)),
    };
    let of_tier = ceilings::of_tier(rows, scope, item);
    let limits = anywhere(item)
        .into_iter()
        .flat_map(|any| in_force(rows, scope, &any, now));
    let limits = limits.chain(in_force(rows, scope, item, now));
    let own = core::iter::once(Effective::Default(resource))
        .chain(of_tier)
        .chain(limits.map(Effective::Limit))
        .map(|effective| source_at(scope, effective));
    let above = path(rows, scope).skip(1).filter_map(|above| {
        let effective = ceilings::set_at(rows, above, item, now)?;
        Some(source_at(above, effective))
    });
    own.chain(above).collect()
}

/// The limits of a scope and an item whose window is open, the one that counts last.
fn in_force<'a, R: Rows>(
    rows: &'a R,
    scope: &Scope,
    item: &Item,
    now: Timestamp,
) -> Vec<&'a Limit> {
    let limits = rows.limits(&scope.id, item).iter();
    let mut open: Vec<&Limit> = limits.filter(|it| it.window.is_open(now)).collect();
    open.sort_by_key(|limit| limit.precedence());
    open
}

/// What is taken beyond a limit at its scope, now and with nothing else changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over {
    /// Where.
    pub scope: ScopeId,
    /// Of what.
    pub item: Item,
    /// Taken for good.
    pub used: Amount,
    /// Taken for now.
    pub held: Amount,
    /// How much more than the limit allows.
    pub over_by: Amount,
}

/// Where more would be taken than a limit allows, if it were in force: at its scope, at every
/// location for which no other limit counts.
pub fn over<R: Rows>(rows: &R, limit: &Limit, now: Timestamp) -> Vec<Over> {
    let Some(scope) = rows.scope(&limit.scope) else {
        return Vec::new();
    };
    let now = time_of(rows, scope, now);
    let filter = QuotaFilter {
        resource: Some(limit.item.resource.clone()),
        location: limit.item.location.clone(),
    };
    let over = items(rows, &filter).filter_map(|(_, item)| {
        let exact = Limit::in_force(rows.limits(&scope.id, &item), now);
        let is_bound = item == limit.item || exact.is_none();
        let account = rows.account(&scope.id, &item);
        let over_by = account.taken().minus_or_zero(limit.ceiling.amount());
        (is_bound && Amount::ZERO < over_by).then_some(Over {
            scope: scope.id.clone(),
            item,
            used: account.used,
            held: account.held,
            over_by,
        })
    });
    over.collect()
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
