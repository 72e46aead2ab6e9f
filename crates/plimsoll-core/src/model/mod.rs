//! The rows: what the authority knows.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::amount::{Amount, Ceiling, Timestamp};
use crate::bounds::ATTRIBUTES_MAX;
use crate::names::{LocationId, PrincipalId, ResourceName, ScopeId, Text};

mod reservation;

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

/// A ceiling that somebody set for a scope and an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Where it binds.
    pub scope: ScopeId,
    /// What it binds.
    pub item: Item,
    /// How much there may be.
    pub ceiling: Ceiling,
    /// Who set it.
    pub set_by: PrincipalId,
    /// When.
    pub set_at: Timestamp,
    /// Why.
    pub reason: Text,
    /// The revision of the tenant's log at which it was set; a caller's compare-and-set names it.
    pub revision: u64,
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
}

/// Who calls: an access key or a token, with a role on a scope and everything below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Its id.
    pub id: PrincipalId,
    /// What it may do.
    pub role: Role,
    /// Where it may do it.
    pub reach: Reach,
    /// Whether it may let a reservation past the limits.
    pub may_force: bool,
    /// How it proves itself.
    pub credential: Credential,
    /// Whether it may call at all.
    pub enabled: bool,
    /// The first instant at which it may not.
    pub expires_at: Option<Timestamp>,
    /// For people.
    pub description: Text,
    /// When it was made.
    pub created_at: Timestamp,
    /// The catalogue's revision of its last change.
    pub revision: u64,
}

/// What a principal may do; each role may do all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Also reserves, commits and releases.
    Enforcer,
    /// Also sets limits and says what scopes are called; with the reach `Everything`, makes scopes.
    Manager,
    /// Also keeps the catalogue and the principals. Only with the reach `Everything`.
    Admin,
}

impl Role {
    /// The role's name, as every surface spells it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Enforcer => "enforcer",
            Role::Manager => "manager",
            Role::Admin => "admin",
        }
    }
}

/// Where a principal may act. What it does not cover does not exist for the principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The whole server.
    Everything,
    /// A scope and everything below it.
    Below(ScopeId),
}

/// How a principal proves itself. The bytes are opaque here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A signing secret, sealed under the server's master key.
    AccessKey {
        /// Nonce and ciphertext.
        sealed_secret: Vec<u8>,
    },
    /// A bearer token, kept as a hash.
    Token {
        /// SHA-256 of the token's secret part.
        hash: [u8; 32],
    },
}

/// A small map of names to texts.
///
/// Invariants: at most `ATTRIBUTES_MAX` entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(BTreeMap<Text, Text>);

impl Attributes {
    /// A map; `None` where there are too many entries.
    pub fn new(entries: BTreeMap<Text, Text>) -> Option<Self> {
        (entries.len() <= ATTRIBUTES_MAX).then_some(Self(entries))
    }

    /// The entries in order of name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Text)> {
        self.0.iter()
    }

    /// The value of `name`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(key, _)| key.as_str() == name)
            .map(|(_, value)| value.as_str())
    }
}
