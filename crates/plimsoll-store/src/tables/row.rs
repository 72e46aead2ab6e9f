//! A reservation as it is kept.

use plimsoll_core::amount::{Amount, Timestamp};
use plimsoll_core::model::{Attributes, Item, Line, Lines, Original, Reservation, State, Terms};
use plimsoll_core::names::{ReservationId, ScopeId, Text};

use super::symbols::{Symbol, Symbols};

/// The names that rows share.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) tenants: Symbols<ScopeId>,
    pub(super) scopes: Symbols<ScopeId>,
    pub(super) items: Symbols<Item>,
}

/// A reservation with numbers in place of the names of others, its id beside it.
///
/// Shape: 80 bytes, and those of the id. Most reservations have one line and none of what is in
/// [`More`].
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: ReservationId,
    pub(super) tenant: Symbol,
    pub(super) scope: Symbol,
    /// Of the first line.
    item: Symbol,
    amount: Amount,
    more: Option<Box<More>>,
    stage: Stage,
    is_commit: bool,
    /// Of a hold.
    ttl_ms: u64,
    /// When the hold lapses, or when it ended.
    at: Timestamp,
    created_at: Timestamp,
    revision: u64,
}

/// A [`State`] without its instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Held,
    Committed,
    Released,
    Expired,
}

/// What few reservations have.
#[derive(Debug)]
struct More {
    /// The lines behind the first.
    lines: Box<[(Symbol, Amount)]>,
    original: Option<Box<Original>>,
    forced: Option<Text>,
    holder: Option<Text>,
    attributes: Attributes,
}

impl Row {
    /// Packs a row whose id is kept as `id`, which is the same, and whose tenant has this number.
    pub(super) fn pack(
        row: &Reservation,
        id: ReservationId,
        tenant: Symbol,
        names: &mut Names,
    ) -> Self {
        let mut lines = row.lines.iter();
        let mut packed = || {
            let line = lines.next()?;
            Some((names.items.given(&line.item), line.amount))
        };
        let (item, amount) = packed().expect("a reservation has a line");
        let lines: Box<[_]> = std::iter::from_fn(packed).collect();
        let is_plain = lines.is_empty()
            && row.original.is_none()
            && row.forced.is_none()
            && row.holder.is_none()
            && row.attributes.iter().len() == 0;
        let more = (!is_plain).then(|| {
            Box::new(More {
                lines,
                original: row.original.clone(),
                forced: row.forced.clone(),
                holder: row.holder.clone(),
                attributes: row.attributes.clone(),
            })
        });
        let (stage, at) = split(row.state);
        let (is_commit, ttl_ms) = match row.terms {
            Terms::Hold { ttl_ms } => (false, ttl_ms),
            Terms::Commit => (true, 0),
        };
        Self {
            id,
            tenant,
            scope: names.scopes.given(&row.scope),
            item,
            amount,
            more,
            stage,
            is_commit,
            ttl_ms,
            at,
            created_at: row.created_at,
            revision: row.revision,
        }
    }

    pub(super) fn unpack(&self, names: &Names) -> Reservation {
        let (original, forced, holder, attributes) = match &self.more {
            None => (None, None, None, Attributes::default()),
            Some(more) => (
                more.original.clone(),
                more.forced.clone(),
                more.holder.clone(),
                more.attributes.clone(),
            ),
        };
        Reservation {
            tenant: names.tenants.name(self.tenant).clone(),
            id: self.id.clone(),
            scope: names.scopes.name(self.scope).clone(),
            lines: self.lines(names),
            original,
            terms: match self.is_commit {
                true => Terms::Commit,
                false => Terms::Hold {
                    ttl_ms: self.ttl_ms,
                },
            },
            forced,
            holder,
            attributes,
            state: self.state(),
            created_at: self.created_at,
            revision: self.revision,
        }
    }

    fn lines(&self, names: &Names) -> Lines {
        let mut lines = self.packed_lines().map(|(item, amount)| Line {
            item: names.items.name(item).clone(),
            amount,
        });
        match self.more.as_ref().filter(|more| !more.lines.is_empty()) {
            None => lines.next().and_then(Lines::one),
            Some(_) => Lines::new(lines.collect()).ok(),
        }
        .expect("these were lines when they were packed")
    }

    /// Its lines, the first one first.
    pub(super) fn packed_lines(&self) -> impl Iterator<Item = (Symbol, Amount)> {
        let behind = self.more.iter().flat_map(|more| &more.lines).copied();
        std::iter::once((self.item, self.amount)).chain(behind)
    }

    /// When the hold lapses, or when it ended.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    pub(super) fn state(&self) -> State {
        match self.stage {
            Stage::Held => State::Held {
                expires_at: self.at,
            },
            Stage::Committed => State::Committed,
            Stage::Released => State::Released { ended_at: self.at },
            Stage::Expired => State::Expired { ended_at: self.at },
        }
    }
}

fn split(state: State) -> (Stage, Timestamp) {
    match state {
        State::Held { expires_at } => (Stage::Held, expires_at),
        State::Committed => (Stage::Committed, Timestamp::default()),
        State::Released { ended_at } => (Stage::Released, ended_at),
        State::Expired { ended_at } => (Stage::Expired, ended_at),
    }
}

#[cfg(test)]
mod tests;
