//! Reservations by id.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use plimsoll_core::command::ReservationKey;
use plimsoll_core::model::Reservation;
use plimsoll_core::names::{ReservationId, ScopeId};

/// Reservations by id: hashed by the id alone, so that the tenants that use an id are found too.
#[derive(Debug, Default)]
pub(super) struct Reservations {
    table: HashTable<Box<Reservation>>,
    hasher: DefaultHashBuilder,
}

impl Reservations {
    pub(super) fn find(&self, tenant: &ScopeId, id: &ReservationId) -> Option<&Reservation> {
        let hash = self.hasher.hash_one(id);
        let found = self
            .table
            .find(hash, |row| row.id == *id && row.tenant == *tenant);
        found.map(|row| &**row)
    }

    /// All of them, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Reservation> {
        self.table.iter().map(|row| &**row)
    }

    pub(super) fn with_id(&self, id: &ReservationId) -> impl Iterator<Item = &Reservation> {
        let candidates = self.table.iter_hash(self.hasher.hash_one(id));
        candidates
            .map(|row| &**row)
            .filter(move |row| row.id == *id)
    }

    /// Puts a row in its place and answers the one that was there.
    pub(super) fn replace(&mut self, new: Reservation) -> Option<Reservation> {
        let hash = self.hasher.hash_one(&new.id);
        let same = self
            .table
            .find_mut(hash, |row| row.id == new.id && row.tenant == new.tenant);
        if let Some(row) = same {
            return Some(std::mem::replace(&mut **row, new));
        }
        self.table
            .insert_unique(hash, Box::new(new), |row| self.hasher.hash_one(&row.id));
        None
    }

    pub(super) fn remove(&mut self, key: &ReservationKey) -> Option<Reservation> {
        let hash = self.hasher.hash_one(&key.id);
        let entry = self
            .table
            .find_entry(hash, |row| row.id == key.id && row.tenant == key.tenant);
        let (row, _) = entry.ok()?.remove();
        Some(*row)
    }
}
