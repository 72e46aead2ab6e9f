//! The rows: what the authority knows.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use crate::amount::{Amount, Ceiling, Timestamp};
use crate::bounds::{ATTRIBUTES_MAX, RESERVATION_LINES_MAX};
use crate::names::{LocationId, PrincipalId, ReservationId, ResourceName, ScopeId, Text};

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

/// One part of a reservation.
///
/// Invariants: `amount > 0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What is taken.
    pub item: Item,
    /// How much.
    pub amount: Amount,
}

/// What a caller took.
///
/// Shape: one row per (tenant, id); all lines in one scope.
/// Invariants: the state moves only from `Held` to any other, and from `Committed` to `Released`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The root of the scope's tree.
    pub tenant: ScopeId,
    /// The caller's id for it.
    pub id: ReservationId,
    /// Where it was taken.
    pub scope: ScopeId,
    /// What was taken.
    pub lines: Lines,
    /// How it was asked for.
    pub terms: Terms,
    /// The real thing behind it: an image id.
    pub holder: Option<Text>,
    /// Whatever the caller wants to find again.
    pub attributes: Attributes,
    /// Where it stands.
    pub state: State,
    /// When it was granted.
    pub created_at: Timestamp,
    /// The revision of its last change.
    pub revision: u64,
}

/// How a reservation was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// Hold it for so many milliseconds, then let it lapse.
    Hold {
        /// At least 1, at most `HOLD_TTL_MS_MAX`.
        ttl_ms: u64,
    },
    /// Take it for good at once.
    Commit,
}

/// Where a reservation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Counts as `held`; lapses at `expires_at`.
    Held {
        /// The first instant at which it is no longer held.
        expires_at: Timestamp,
    },
    /// Counts as `used`.
    Committed,
    /// Counts no more: its caller let it go.
    Released {
        /// When.
        ended_at: Timestamp,
    },
    /// Counts no more: its time ran out.
    Expired {
        /// When the ledger took note of it.
        ended_at: Timestamp,
    },
}

impl State {
    /// The state's name, as every surface spells it.
    pub fn name(self) -> &'static str {
        match self {
            State::Held { .. } => "held",
            State::Committed => "committed",
            State::Released { .. } => "released",
            State::Expired { .. } => "expired",
        }
    }

    /// Whether it still counts.
    pub fn is_live(self) -> bool {
        match self {
            State::Held { .. } | State::Committed => true,
            State::Released { .. } | State::Expired { .. } => false,
        }
    }

    /// Whether it is a hold whose time has run out at `now`.
    pub fn is_due(self, now: Timestamp) -> bool {
        match self {
            State::Held { expires_at } => expires_at <= now,
            State::Committed | State::Released { .. } | State::Expired { .. } => false,
        }
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
    /// Also sets limits and makes scopes below its own.
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

/// The lines of one reservation.
///
/// Invariants: 1 to `RESERVATION_LINES_MAX` lines, no two with the same item, no amount zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines(Vec<Line>);

/// Why some lines are not the lines of one reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinesError {
    /// There are none.
    None,
    /// More than `RESERVATION_LINES_MAX`.
    TooMany,
    /// A line that asks for nothing.
    ZeroAmount,
    /// Two lines about the same resource and location.
    RepeatedItem,
}

impl fmt::Display for LinesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinesError::None => f.write_str("must have at least one line"),
            LinesError::TooMany => write!(f, "must have at most {RESERVATION_LINES_MAX} lines"),
            LinesError::ZeroAmount => f.write_str("must ask for more than nothing in each line"),
            LinesError::RepeatedItem => {
                f.write_str("must name each resource and location in one line only")
            }
        }
    }
}

impl core::error::Error for LinesError {}

impl Lines {
    /// Checks some lines.
    pub fn new(lines: Vec<Line>) -> Result<Self, LinesError> {
        let is_repeated = |(index, line): (usize, &Line)| {
            lines
                .iter()
                .take(index)
                .any(|earlier| earlier.item == line.item)
        };
        if lines.is_empty() {
            return Err(LinesError::None);
        }
        if lines.len() > RESERVATION_LINES_MAX {
            return Err(LinesError::TooMany);
        }
        if lines.iter().any(|line| line.amount == Amount::ZERO) {
            return Err(LinesError::ZeroAmount);
        }
        if lines.iter().enumerate().any(is_repeated) {
            return Err(LinesError::RepeatedItem);
        }
        Ok(Self(lines))
    }
}

impl Deref for Lines {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        &self.0
    }
}
