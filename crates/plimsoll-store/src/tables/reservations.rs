//! Reservations, in a layout for very many of them.
//!
//! | what | bytes of each |
//! |---|---|
//! | its [`Row`] in a [`Slab`]: numbers for names that it shares, at a place of 32 bits | 80, and its id |
//! | a hash table from id to place | 8, up to twice that |
//! | the [`Order`] of its tenant's ids, for lists | 8, up to twice that |
//! | the one of its tenant's holds, or of what has ended, while it is one or has | the same |
//!
//! Everything but the rows knows them by their places alone, so nothing is told twice, and only
//! small things move when a table grows. A [`Reservation`] is made of a row when somebody asks.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::ReservationKey;
use plimsoll_core::event::Change;
use plimsoll_core::invariants::{Own, own_account};
use plimsoll_core::model::{Reservation, State};
use plimsoll_core::names::{ReservationId, ScopeId};

use super::TimeOrder;
use super::order::{self, Key, Order, Spot};
use super::row::{Names, Row};
use super::slab::Slab;
use super::symbols::Symbol;

/// Every reservation there is.
#[derive(Debug, Default)]
pub(crate) struct Reservations {
    names: Names,
    rows: Slab<Row>,
    /// Hashed by the id alone, so that the tenants that use an id are found too.
    by_id: HashTable<Entry>,
    hasher: DefaultHashBuilder,
    /// By the number of the tenant; nothing is in order while rows are loaded.
    tenants: Vec<Orders>,
    is_loading: bool,
}

/// A place, with as much of its id's hash as a table needs that grows: it looks at no row then.
#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    place: u32,
}

/// The orders of every tenant's reservations, by the number of the tenant.
pub(crate) struct Sorted(Vec<Orders>);

/// The reservations of one tenant, in the orders that lists, expiry and retention need.
#[derive(Debug, Default)]
struct Orders {
    ids: Order,
    holds: Order,
    ended: Order,
}

/// Where somebody is in one of a tenant's orders, as long as nothing is put.
#[derive(Debug)]
pub(crate) struct Walk {
    tenant: Option<usize>,
    /// `None`: that of ids.
    order: Option<TimeOrder>,
    spot: Spot,
}

impl Orders {
    /// The order in time to which a state belongs.
    fn of(&mut self, state: State) -> Option<&mut Order> {
        match TimeOrder::of(state)? {
            TimeOrder::Holds => Some(&mut self.holds),
            TimeOrder::Ended => Some(&mut self.ended),
        }
    }

    fn in_time(&self, order: TimeOrder) -> &Order {
        match order {
            TimeOrder::Holds => &self.holds,
            TimeOrder::Ended => &self.ended,
        }
    }

    /// The orders of the rows at these places.
    fn of_places(mut places: Vec<u32>, rows: &Slab<Row>) -> Self {
        order::sort_by_id(&mut places, |place| rows.at(place).id.as_str());
        let (mut holds, mut ended) = (Vec::new(), Vec::new());
        for place in &places {
            let row = rows.at(*place);
            match TimeOrder::of(row.state()) {
                Some(TimeOrder::Holds) => holds.push((row.at(), *place)),
                Some(TimeOrder::Ended) => ended.push((row.at(), *place)),
                None => {}
            }
        }
        let by_time = |mut places: Vec<(Timestamp, u32)>| {
            // A stable sort: at one instant they stay in the order of their ids.
            places.sort_by_key(|(at, _)| *at);
            let places: Vec<u32> = places.into_iter().map(|(_, place)| place).collect();
            Order::of_sorted(&places, in_time(rows))
        };
        Self {
            ids: Order::of_sorted(&places, by_id(rows)),
            holds: by_time(holds),
            ended: by_time(ended),
        }
    }
}

impl Reservations {
    /// None yet, to be put without orders, which are [made](Reservations::sorted) of all at once.
    pub(super) fn loading() -> Self {
        Self {
            is_loading: true,
            ..Self::default()
        }
    }

    /// The orders of what was loaded.
    pub(crate) fn sorted(&self) -> Sorted {
        let mut places = vec![Vec::new(); self.tenants.len()];
        for (place, row) in self.rows.iter() {
            places[row.tenant.index()].push(place);
        }
        let orders = |places| Orders::of_places(places, &self.rows);
        Sorted(places.into_iter().map(orders).collect())
    }

    /// Takes the orders of what was loaded: from here on they are kept.
    pub(super) fn put_in_order(&mut self, sorted: Sorted) {
        self.tenants = sorted.0;
        self.is_loading = false;
    }

    pub(super) fn find(&self, tenant: &ScopeId, id: &ReservationId) -> Option<Reservation> {
        let tenant = self.names.tenants.of(tenant)?;
        let entry = self.entry(self.hash(id), tenant, id)?;
        Some(self.rows.at(entry.place).unpack(&self.names))
    }

    fn entry(&self, hash: u32, tenant: Symbol, id: &ReservationId) -> Option<Entry> {
        let is_it = |entry: &Entry| {
            entry.hash == hash && {
                let row = self.rows.at(entry.place);
                row.tenant == tenant && row.id == *id
            }
        };
        self.by_id.find(spread(hash), is_it).copied()
    }

    /// All of them, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Reservation> {
        self.rows.iter().map(|(_, row)| row.unpack(&self.names))
    }

    /// How many are live.
    pub(crate) fn live_count(&self) -> u64 {
        let live = self.rows.iter().filter(|(_, row)| row.state().is_live());
        live.count() as u64
    }

    /// What the live ones take, added up where they are of one tenant, scope and item.
    pub(crate) fn own(&self) -> Vec<Own<'_>> {
        let mut indices: HashMap<(Symbol, Symbol, Symbol), usize> = HashMap::new();
        let mut own: Vec<Own<'_>> = Vec::new();
        let live = self.rows.iter().filter(|(_, row)| row.state().is_live());
        for (_, row) in live {
            for (item, amount) in row.packed_lines() {
                let account = own_account(row.state(), amount);
                let of = (row.tenant, row.scope, item);
                let index = *indices.entry(of).or_insert(own.len());
                // What leaves the number space is a part of its own.
                match own.get_mut(index) {
                    Some(known) if let Some(sum) = known.account.plus(account) => {
                        known.account = sum;
                    }
                    _ => own.push(Own {
                        tenant: self.names.tenants.name(row.tenant),
                        scope: self.names.scopes.name(row.scope),
                        item: self.names.items.name(item),
                        account,
                    }),
                }
            }
        }
        own
    }

    /// The tenants that use an id, in no order.
    pub(crate) fn tenants_of(&self, id: &ReservationId) -> impl Iterator<Item = &ScopeId> {
        let candidates = self.by_id.iter_hash(spread(self.hash(id)));
        let rows = candidates.map(|entry| self.rows.at(entry.place));
        rows.filter(move |row| row.id == *id)
            .map(|row| self.names.tenants.name(row.tenant))
    }

    /// Where those of a tenant begin in order of id, behind `after`.
    pub(super) fn walk_by_id(&self, tenant: &ScopeId, after: Option<&ReservationId>) -> Walk {
        let after = after.map(|id| Key {
            at: 0,
            id: id.as_str(),
        });
        let tenant = self.tenant(tenant);
        let orders = tenant.and_then(|tenant| self.tenants.get(tenant));
        let spot = orders.map(|orders| orders.ids.start(after, by_id(&self.rows)));
        Walk {
            tenant,
            order: None,
            spot: spot.unwrap_or_default(),
        }
    }

    /// Where those of a tenant begin in one of its orders.
    pub(super) fn walk_in_time(&self, tenant: &ScopeId, order: TimeOrder) -> Walk {
        Walk {
            tenant: self.tenant(tenant),
            order: Some(order),
            spot: Spot::default(),
        }
    }

    /// The next one that is wanted.
    pub(super) fn step(
        &self,
        walk: &mut Walk,
        is_wanted: impl Fn(&ReservationId) -> bool,
    ) -> Option<Reservation> {
        let orders = self.tenants.get(walk.tenant?)?;
        let order = match walk.order {
            None => &orders.ids,
            Some(order) => orders.in_time(order),
        };
        loop {
            let row = self.rows.at(order.step(&mut walk.spot)?);
            if is_wanted(&row.id) {
                return Some(row.unpack(&self.names));
            }
        }
    }

    /// The tenants of whose order the first instant is wanted, in no order.
    pub(super) fn tenants_whose_first(
        &self,
        order: TimeOrder,
        is_wanted: impl Fn(Timestamp) -> bool,
    ) -> impl Iterator<Item = &ScopeId> {
        let is_wanted = move |orders: &Orders| {
            let first = orders.in_time(order).step(&mut Spot::default());
            first.is_some_and(|place| is_wanted(self.rows.at(place).at()))
        };
        let tenants = self.names.tenants.iter().zip(&self.tenants);
        tenants.filter_map(move |(name, orders)| is_wanted(orders).then_some(name))
    }

    fn tenant(&self, tenant: &ScopeId) -> Option<usize> {
        Some(self.names.tenants.of(tenant)?.index())
    }

    /// Puts the reservations of some changes, and takes away those that are gone.
    pub(super) fn take(&mut self, changes: Vec<Change>) {
        let mut rows = Vec::with_capacity(changes.len());
        for change in changes {
            match change {
                Change::Reservation(row) => rows.push(row),
                Change::ReservationGone(key) => {
                    self.put_all(rows.drain(..));
                    self.remove(&key);
                }
                _ => {}
            }
        }
        self.put_all(rows.into_iter());
    }

    /// Puts rows in their places, one tenant's after the other's and each tenant's in their order:
    /// what a tenant's orders need is then fetched from memory once, not for each row.
    fn put_all(&mut self, rows: impl Iterator<Item = Arc<Reservation>>) {
        let tenants = &mut self.names.tenants;
        let rows = rows.map(|row| (tenants.given(&row.tenant).index(), row));
        let mut rows: Vec<(usize, Arc<Reservation>)> = rows.collect();
        // A stable sort: the last change of a row counts.
        rows.sort_by_key(|(tenant, _)| *tenant);
        for (_, row) in rows {
            self.put(&row);
        }
    }

    /// Puts a row in its place.
    pub(super) fn put(&mut self, row: &Reservation) {
        let tenant = self.names.tenants.given(&row.tenant);
        let hash = self.hash(&row.id);
        let known = self.entry(hash, tenant, &row.id);
        let id = match known {
            Some(Entry { place, .. }) => self.rows.at(place).id.clone(),
            // A copy: the text of a request stands among others that will soon be gone.
            None => ReservationId::parse(row.id.as_str()).expect("it is one"),
        };
        let row = Row::pack(row, id, tenant, &mut self.names);
        let (tenant, state) = (tenant.index(), row.state());
        if self.tenants.len() <= tenant {
            self.tenants.resize_with(tenant + 1, Orders::default);
        }
        let mut orders = (!self.is_loading).then_some(&mut self.tenants[tenant]);
        let place = match known {
            Some(Entry { place, .. }) => {
                let before = self.rows.at(place).state();
                if before == state {
                    *self.rows.at_mut(place) = row;
                    return;
                }
                if let Some(order) = orders.as_mut().and_then(|orders| orders.of(before)) {
                    order.remove(place, in_time(&self.rows));
                }
                *self.rows.at_mut(place) = row;
                place
            }
            None => {
                let place = self.rows.put(row);
                let new = Entry { hash, place };
                self.by_id
                    .insert_unique(spread(hash), new, |entry| spread(entry.hash));
                if let Some(orders) = &mut orders {
                    orders.ids.insert(place, by_id(&self.rows));
                }
                place
            }
        };
        if let Some(order) = orders.and_then(|orders| orders.of(state)) {
            order.insert(place, in_time(&self.rows));
        }
    }

    pub(super) fn remove(&mut self, key: &ReservationKey) {
        let hash = self.hash(&key.id);
        let tenant = self.names.tenants.of(&key.tenant);
        let known = tenant.and_then(|tenant| self.entry(hash, tenant, &key.id));
        let Some(Entry { place, .. }) = known else {
            return;
        };
        let of_place = |entry: &Entry| entry.place == place;
        if let Ok(entry) = self.by_id.find_entry(spread(hash), of_place) {
            entry.remove();
        }
        let row = self.rows.at(place);
        if !self.is_loading {
            let orders = &mut self.tenants[row.tenant.index()];
            orders.ids.remove(place, by_id(&self.rows));
            if let Some(order) = orders.of(row.state()) {
                order.remove(place, in_time(&self.rows));
            }
        }
        self.rows.take(place);
    }

    fn hash(&self, id: &ReservationId) -> u32 {
        let hash = self.hasher.hash_one(id);
        u32::try_from(hash >> 32).expect("half of its bits")
    }
}

/// The hash that a table takes, of what is kept of one: it looks at the upper bits and the lower.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// What the order of ids is by.
fn by_id<'a>(rows: &'a Slab<Row>) -> impl Fn(u32) -> Key<'a> {
    |place| Key {
        at: 0,
        id: rows.at(place).id.as_str(),
    }
}

/// What the orders in time are by.
fn in_time<'a>(rows: &'a Slab<Row>) -> impl Fn(u32) -> Key<'a> {
    |place| {
        let row = rows.at(place);
        Key {
            at: row.at().ms(),
            id: row.id.as_str(),
        }
    }
}

#[cfg(test)]
mod tests;
