//! Reconcile: what a scope is said to use, and what is really there.
//!
//! A service says which things there are, and as of which revision of the tenant's log it looked.
//! Whoever takes something reserves it first, so what is there at that revision is known here by
//! then; a difference that is younger, or that is still held, is in flight and left alone.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::amount::Amount;
use crate::command::{Action, Expected, Grounds, ReservationRef, Reserve, Resize, Settle};
use crate::event::Log;
use crate::model::{Asked, Attributes, Item, Line, Lines, Reach, Reservation, State, Terms};
use crate::names::{ReservationId, ScopeId, Text};
use crate::outcome::Denial;
use crate::rows::{Rows, scope_within};

/// What is really there of an item in a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// Where.
    pub scope: ScopeId,
    /// Of what.
    pub item: Item,
    /// The revision of the tenant's log that was read before the things were listed.
    pub revision: u64,
    /// The things by their ids, each with how much it uses; none uses nothing.
    pub things: BTreeMap<Text, Amount>,
    /// What showed it, for the marks of the mends.
    pub reason: Text,
    /// Whether the mends may pass the limits.
    pub passes: bool,
}

impl Inventory {
    fn grounds(&self) -> Grounds {
        Grounds::Mend {
            reason: self.reason.clone(),
            passes: self.passes,
        }
    }
}

/// How the reservations of one thing differ from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It is there, and nothing is reserved for it.
    MissingHere,
    /// Something is reserved for it, and it is not there.
    MissingThere,
    /// It uses more or less than is reserved for it.
    AmountDiffers,
    /// Its reservations are held, or have changed since.
    InFlight,
}

impl Difference {
    /// The difference's name, as every surface spells it.
    pub fn name(self) -> &'static str {
        match self {
            Difference::MissingHere => "missing_here",
            Difference::MissingThere => "missing_there",
            Difference::AmountDiffers => "amount_differs",
            Difference::InFlight => "in_flight",
        }
    }
}

/// One thing that is not as it is said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The thing: the holder of its reservations; for a reservation without one, its own id.
    pub holder: Text,
    /// How it differs.
    pub difference: Difference,
    /// How much is reserved for it.
    pub here: Amount,
    /// How much it uses.
    pub there: Amount,
    /// What would mend it; nothing where it is in flight.
    pub mends: Vec<Action>,
}

/// The reservations of one thing.
#[derive(Default)]
struct Group<'a> {
    live: Vec<&'a Reservation>,
    here: Amount,
    is_in_flight: bool,
}

/// Whether an inventory can be compared.
///
/// Errors: [`Denial`] where the scope or the item is unknown, or the log has not come as far as the
/// inventory's revision.
pub fn comparable<R: Rows>(rows: &R, reach: &Reach, inventory: &Inventory) -> Result<(), Denial> {
    let unknown = || Denial::UnknownScope(inventory.scope.clone());
    let scope = scope_within(rows, reach, &inventory.scope).ok_or_else(unknown)?;
    crate::decide::resource_of(rows, &inventory.item)?;
    let head = rows.head(&Log::Tenant(scope.tenant.clone())).revision;
    if head < inventory.revision {
        return Err(Denial::PreconditionFailed { actual: Some(head) });
    }
    Ok(())
}

/// Compares an inventory with the reservations of its tenant, ended ones among them: what was here
/// may be released or elsewhere since. In order of holder. The new reservation of a thing that
/// nothing is reserved for gets its id from `id_of`: another for each inventory, for an id that is
/// known is answered with what became of it.
pub fn compare<'a>(
    inventory: &Inventory,
    reservations: impl Iterator<Item = &'a Reservation>,
    id_of: impl Fn(&Text) -> ReservationId,
) -> Vec<Finding> {
    let groups = groups(inventory, reservations);
    let nothing = Group::default();
    let reserved = groups.keys();
    let unreserved = inventory.things.keys();
    let unreserved = unreserved.filter(|holder| !groups.contains_key(*holder));
    let mut holders: Vec<&Text> = reserved.chain(unreserved).collect();
    holders.sort_unstable();
    let findings = holders.into_iter().filter_map(|holder| {
        let group = groups.get(holder).unwrap_or(&nothing);
        let there = inventory.things.get(holder).copied().unwrap_or_default();
        let difference = match (group.here, there) {
            (here, there) if here == there => return None,
            _ if group.is_in_flight => Difference::InFlight,
            (Amount::ZERO, _) => Difference::MissingHere,
            (_, Amount::ZERO) => Difference::MissingThere,
            _ => Difference::AmountDiffers,
        };
        let mends = match difference {
            Difference::InFlight => Vec::new(),
            Difference::MissingHere => take(inventory, holder, there, &id_of),
            Difference::MissingThere | Difference::AmountDiffers => {
                share(inventory, &group.live, there)
            }
        };
        Some(Finding {
            holder: holder.clone(),
            difference,
            here: group.here,
            there,
            mends,
        })
    });
    findings.collect()
}

fn groups<'a>(
    inventory: &Inventory,
    reservations: impl Iterator<Item = &'a Reservation>,
) -> BTreeMap<Text, Group<'a>> {
    let mut groups: BTreeMap<Text, Group<'_>> = BTreeMap::new();
    for row in reservations {
        let is_here = row.state.is_live() && row.scope == inventory.scope;
        let amount = row.lines.amount_of(&inventory.item);
        let counts = is_here && Amount::ZERO < amount;
        // Whatever it has become, at the inventory's revision it may have been what is there.
        let has_moved = inventory.revision < row.revision;
        if !(counts || has_moved) {
            continue;
        }
        let own_id = || Text::parse(row.id.as_str()).ok();
        let Some(holder) = row.holder.clone().or_else(own_id) else {
            continue;
        };
        let group = groups.entry(holder).or_default();
        let is_held = matches!(row.state, State::Held { .. });
        group.is_in_flight |= has_moved || is_held;
        if counts {
            group.here = group.here.plus_or_max(amount);
            group.live.push(row);
        }
    }
    groups
}

/// Reserves for a thing that is there already.
fn take(
    inventory: &Inventory,
    holder: &Text,
    there: Amount,
    id_of: impl Fn(&Text) -> ReservationId,
) -> Vec<Action> {
    let line = Line {
        item: inventory.item.clone(),
        amount: there,
    };
    let lines = Lines::new([line].into()).ok();
    let reserve = lines.map(|lines| {
        Action::Reserve(Reserve {
            id: id_of(holder),
            scope: inventory.scope.clone(),
            asked: Asked::whole(lines),
            terms: Terms::Commit,
            grounds: inventory.grounds(),
            holder: Some(holder.clone()),
            attributes: Attributes::default(),
        })
    });
    reserve.into_iter().collect()
}

/// Leaves some reservations with so much in all: each keeps what it has while there is enough, the
/// last takes what is left over.
fn share(inventory: &Inventory, live: &[&Reservation], there: Amount) -> Vec<Action> {
    let mut left = there;
    let mut mends = Vec::new();
    for (index, row) in live.iter().enumerate() {
        let has = row.lines.amount_of(&inventory.item);
        let is_last = live.len() == index.saturating_add(1);
        let keeps = if is_last { left } else { has.min(left) };
        left = left.minus_or_zero(keeps);
        if keeps != has {
            mends.extend(leave(inventory, row, keeps));
        }
    }
    mends
}

/// Leaves a reservation with so much of the item.
fn leave(inventory: &Inventory, row: &Reservation, keeps: Amount) -> Option<Action> {
    let of = ReservationRef {
        scope: inventory.scope.clone(),
        id: row.id.clone(),
    };
    let line = |amount| Line {
        item: inventory.item.clone(),
        amount,
    };
    let grounds = inventory.grounds();
    let expected = Expected::Revision(row.revision);
    if keeps == Amount::ZERO {
        let all = line(row.lines.amount_of(&inventory.item));
        return Some(Action::Release(Settle {
            of,
            part: Lines::new([all].into()).ok(),
            grounds,
            expected,
        }));
    }
    let lines = row.lines.iter().map(|other| {
        if other.item == inventory.item {
            line(keeps)
        } else {
            other.clone()
        }
    });
    Some(Action::Resize(Resize {
        of,
        lines: Lines::new(lines.collect()).ok()?,
        grounds,
        expected,
    }))
}
