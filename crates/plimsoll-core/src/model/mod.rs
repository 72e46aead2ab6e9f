//! The rows: what the authority knows.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::amount::{Amount, Ceiling, Timestamp};
use crate::bounds::{ALERTS_MAX, ATTRIBUTES_MAX};
use crate::names::{LocationId, ResourceName, ScopeId, Text, TierName};

mod limit;
mod principal;
mod request;
mod reservation;

pub use limit::{Limit, Mode, Tier, TierLimit, TierLimits, Window};
pub use principal::{Credential, Principal, Reach, Role, Topic, Webhook};
pub use request::{AutoApproval, Request, RequestStatus, Ruling};
pub use reservation::{Asked, Line, Lines, LinesError, Original, Reservation, State, Terms};

/// A kind of thing that is limited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its name, `service/name`.
    pub name: ResourceName,
    /// What one is called: `count`, `GiB`.
    pub unit: Text,
    /// What binds a scope that uses it and has no limit of its own.
    pub default_ceiling: Ceiling,
    /// Whether it is counted at each location by itself. Never changes once it is set.
    pub per_location: bool,
    /// Whether tenants may ask for more.
    pub adjustable: bool,
    /// Which of their requests are approved at once.
    pub auto_approval: Option<AutoApproval>,
    /// At which parts of a limit somebody wants to know.
    pub alerts: Alerts,
    /// For people.
    pub description: Text,
}

/// A zone or region at which resources are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Its id.
    pub id: LocationId,
    /// For people.
    pub name: Text,
    /// What a dialect may show.
    pub attributes: Attributes,
}

/// A node in a tenant's tree.
///
/// Invariants: `parent` is `None` exactly where `tenant == id`; `depth` is 1 at the tenant and one
/// more than the parent's elsewhere, at most `SCOPE_DEPTH_MAX`; parent and tenant never change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Its id.
    pub id: ScopeId,
    /// The node above.
    pub parent: Option<ScopeId>,
    /// The root of its tree.
    pub tenant: ScopeId,
    /// Scopes on the way to the tenant, both counted.
    pub depth: u8,
    /// What the tenant calls it: `organisation`, `folder`, `project`.
    pub kind: Text,
    /// The limits that it has where none is set for it alone.
    pub tier: Option<TierName>,
}

/// What a limit or an account is about: a resource, at a location where it is counted so.
///
/// Shape: in an account, `location` is `Some` exactly where the resource is counted per location;
/// in a limit, `None` means any location.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// The resource.
    pub resource: ResourceName,
    /// The location.
    pub location: Option<LocationId>,
}

/// The running figures of a scope and an item: everything taken in the scope and below.
///
/// Invariants: `used` is the sum of the committed reservations, `held` that of the holds, each
/// over the scope and everything below it; together at most `AMOUNT_MAX`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Taken for good.
    pub used: Amount,
    /// Taken for now.
    pub held: Amount,
}

impl Account {
    /// Everything that is taken.
    pub fn taken(self) -> Amount {
        self.used.plus_or_max(self.held)
    }

    /// Both figures with those of another; `None` where one leaves the number space.
    pub fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            used: self.used.plus(other.used)?,
            held: self.held.plus(other.held)?,
        })
    }
}

/// What went past the limits of a scope and an item, or would have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Commands that were refused. Counted by the server that refused them and added up every few
    /// seconds: a refusal alone changes nothing.
    pub refused: u64,
    /// Commands that were admitted past a limit that warns.
    pub warned: u64,
    /// Commands that were admitted past a limit that observes.
    pub observed: u64,
    /// When that last happened.
    pub last_at: Timestamp,
}

/// Parts of a limit, in hundredths: whoever takes the last of one makes an event that says so.
///
/// Invariants: at most `ALERTS_MAX`, each from 1 to 100, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerts(Vec<u8>);

impl Alerts {
    /// Some parts in any order; `None` where they are too many, repeated or out of bounds.
    pub fn new(mut percents: Vec<u8>) -> Option<Self> {
        percents.sort_unstable();
        let differ = percents.is_sorted_by(|one, next| one < next);
        let are_parts = percents.iter().all(|it| (1..=100).contains(it));
        (percents.len() <= ALERTS_MAX && are_parts && differ).then_some(Self(percents))
    }

    /// The parts, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u8> {
        self.0.iter().copied()
    }
}

impl Default for Alerts {
    fn default() -> Self {
        Self([80, 100].into())
    }
}

/// A small map of names to texts.
///
/// Shape: one word where there are none, as in most reservations.
/// Invariants: at most `ATTRIBUTES_MAX` entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::box_collection, reason = "one word where there are none")]
pub struct Attributes(Option<Box<BTreeMap<Text, Text>>>);

impl Attributes {
    /// A map; `None` where there are too many entries.
    pub fn new(entries: BTreeMap<Text, Text>) -> Option<Self> {
        let fit = entries.len() <= ATTRIBUTES_MAX;
        fit.then(|| Self((!entries.is_empty()).then(|| Box::new(entries))))
    }

    /// The entries in order of name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Text)> {
        static NONE: BTreeMap<Text, Text> = BTreeMap::new();
        self.0.as_deref().unwrap_or(&NONE).iter()
    }

    /// The value of `name`.
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.iter().find(|(key, _)| key.as_str() == name);
        found.map(|(_, value)| value.as_str())
    }
}
