//! A tenant's reservations in the order of their time.

use std::collections::BTreeSet;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::model::State;
use plimsoll_core::names::ReservationId;

/// Reservations in order of an instant, ties in order of id.
type InTime = BTreeSet<(Timestamp, ReservationId)>;

/// The reservations of one tenant to which something will happen with time.
#[derive(Debug, Default)]
pub(crate) struct TimeOrders {
    holds: InTime,
    ended: InTime,
}

/// One of those orders.
#[derive(Clone, Copy)]
pub(crate) enum TimeOrder {
    /// Holds, by when they lapse.
    Holds,
    /// Those that have ended, by when they did.
    Ended,
}

impl TimeOrders {
    pub(crate) fn insert(&mut self, id: &ReservationId, state: State) {
        if let Some((order, at)) = self.place(state) {
            order.insert((at, id.clone()));
        }
    }

    pub(crate) fn remove(&mut self, id: &ReservationId, state: State) {
        if let Some((order, at)) = self.place(state) {
            order.remove(&(at, id.clone()));
        }
    }

    pub(crate) fn of(&self, order: TimeOrder) -> &InTime {
        match order {
            TimeOrder::Holds => &self.holds,
            TimeOrder::Ended => &self.ended,
        }
    }

    fn place(&mut self, state: State) -> Option<(&mut InTime, Timestamp)> {
        match state {
            State::Held { expires_at } => Some((&mut self.holds, expires_at)),
            State::Committed => None,
            State::Released { ended_at } | State::Expired { ended_at } => {
                Some((&mut self.ended, ended_at))
            }
        }
    }

    /// The first instant of an order.
    pub(super) fn first(&self, order: TimeOrder) -> Option<Timestamp> {
        self.of(order).first().map(|(at, _)| *at)
    }
}
