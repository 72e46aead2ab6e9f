//! Which reservations a batch has changed: places in its events, where the rows are anyway.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use plimsoll_core::amount::Timestamp;
use plimsoll_core::event::{Change, Event};
use plimsoll_core::model::{Reservation, State};
use plimsoll_core::names::{ReservationId, ScopeId};

use crate::record::Hash;
use crate::tables::TimeOrder;

/// The events of a batch, each with the hash of its log behind it.
pub(super) type Events = [(Event, Hash)];

/// Where a change stands: which event of the batch, and which change of that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) event: usize,
    pub(super) change: usize,
}

/// The last change of each reservation that the batch has changed.
#[derive(Default)]
pub(super) struct Changed {
    /// By the hash of the id alone, which is kept: a table that grows looks at no event.
    last: HashTable<(u64, Place)>,
    hasher: DefaultHashBuilder,
    /// By tenant, once somebody has asked: most batches are decided without.
    in_time: OnceCell<HashMap<ScopeId, InTime>>,
}

/// One tenant's holds and ended reservations among them.
#[derive(Default)]
struct InTime {
    holds: ByInstant,
    ended: ByInstant,
}

/// Places by an instant, ties by id.
#[derive(Default)]
struct ByInstant(BTreeMap<(Timestamp, ReservationId), Place>);

impl InTime {
    fn of(&mut self, state: State) -> Option<(&mut ByInstant, Timestamp)> {
        match state {
            State::Held { expires_at } => Some((&mut self.holds, expires_at)),
            State::Committed => None,
            State::Released { ended_at } | State::Expired { ended_at } => {
                Some((&mut self.ended, ended_at))
            }
        }
    }

    fn insert(&mut self, row: &Reservation, place: Place) {
        if let Some((order, at)) = self.of(row.state) {
            order.0.insert((at, row.id.clone()), place);
        }
    }

    fn remove(&mut self, row: &Reservation) {
        if let Some((order, at)) = self.of(row.state) {
            order.0.remove(&(at, row.id.clone()));
        }
    }
}

impl Changed {
    /// Nothing, with room for so many.
    pub(super) fn with_room_for(count: usize) -> Self {
        Self {
            last: HashTable::with_capacity(count),
            ..Self::default()
        }
    }

    /// Takes note of a change.
    pub(super) fn put(&mut self, place: Place, events: &Events) {
        let Some((tenant, id, row)) = subject(events, place) else {
            return;
        };
        let hash = self.hasher.hash_one(id);
        let known = self.last.find_mut(hash, is_of(events, hash, tenant, id));
        if let Some(in_time) = self.in_time.get_mut() {
            let in_time = in_time.entry_ref(tenant).or_default();
            if let Some(before) = known.as_deref().and_then(|known| row_at(events, known.1)) {
                in_time.remove(before);
            }
            if let Some(row) = row {
                in_time.insert(row, place);
            }
        }
        match known {
            Some(known) => known.1 = place,
            None => {
                self.last
                    .insert_unique(hash, (hash, place), |(hash, _)| *hash);
            }
        }
    }

    /// What a reservation is now: a row, or gone; `None` where the batch has not changed it.
    pub(super) fn find<'e>(
        &self,
        tenant: &ScopeId,
        id: &ReservationId,
        events: &'e Events,
    ) -> Option<Option<&'e Reservation>> {
        if self.last.is_empty() {
            return None;
        }
        let hash = self.hasher.hash_one(id);
        let (_, place) = self.last.find(hash, is_of(events, hash, tenant, id))?;
        Some(row_at(events, *place))
    }

    /// Those of a tenant in one of its orders.
    pub(super) fn in_time<'e>(
        &self,
        tenant: &ScopeId,
        order: TimeOrder,
        events: &'e Events,
    ) -> impl Iterator<Item = &'e Reservation> {
        let in_time = self.in_time.get_or_init(|| {
            let mut all: HashMap<ScopeId, InTime> = HashMap::new();
            for (_, place) in &self.last {
                if let Some(row) = row_at(events, *place) {
                    let in_time = all.entry_ref(&row.tenant).or_default();
                    in_time.insert(row, *place);
                }
            }
            all
        });
        let places = in_time
            .get(tenant)
            .into_iter()
            .flat_map(move |in_time| match order {
                TimeOrder::Holds => in_time.holds.0.values(),
                TimeOrder::Ended => in_time.ended.0.values(),
            });
        places.filter_map(|place| row_at(events, *place))
    }
}

fn is_of(
    events: &Events,
    hash: u64,
    tenant: &ScopeId,
    id: &ReservationId,
) -> impl Fn(&(u64, Place)) -> bool {
    move |(known, place)| {
        let is_it = |(of, known, _): (&ScopeId, &ReservationId, _)| known == id && of == tenant;
        *known == hash && subject(events, *place).is_some_and(is_it)
    }
}

fn row_at(events: &Events, place: Place) -> Option<&Reservation> {
    subject(events, place)?.2
}

/// The reservation that a change is about: whose, which, and what it is from now on.
fn subject(
    events: &Events,
    place: Place,
) -> Option<(&ScopeId, &ReservationId, Option<&Reservation>)> {
    let (event, _) = events.get(place.event)?;
    match event.changes.get(place.change)? {
        Change::Reservation(row) => Some((&row.tenant, &row.id, Some(row))),
        Change::ReservationGone(key) => Some((&key.tenant, &key.id, None)),
        Change::Resource(_)
        | Change::Location(_)
        | Change::Scope(_)
        | Change::Tier(_)
        | Change::Limits { .. }
        | Change::Account { .. }
        | Change::Tally { .. }
        | Change::Request(_)
        | Change::RequestGone { .. }
        | Change::Webhook(_)
        | Change::WebhookGone(_)
        | Change::Principal(_)
        | Change::PrincipalGone(_) => None,
    }
}
