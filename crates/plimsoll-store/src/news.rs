//! What has become durable: told to those who wait for it, and kept where no journal does.

use std::sync::{PoisonError, RwLock};

use plimsoll_core::event::Event;
use tokio::sync::watch;

use crate::history::Position;
use crate::record::Hash;

/// Where the journal ends, and its events where nobody else keeps them.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// The sequence of the last durable record.
    place: watch::Sender<u64>,
    kept: Option<RwLock<Kept>>,
}

/// All events there ever were, by record.
#[derive(Debug, Default)]
pub(crate) struct Kept(Vec<Vec<Event>>);

impl News {
    /// Of a store that writes nothing: the events are kept here.
    pub(crate) fn of_memory() -> Self {
        Self {
            place: watch::Sender::default(),
            kept: Some(RwLock::default()),
        }
    }

    /// Of a store whose journal ends here.
    pub(crate) fn of_journal(sequence: u64) -> Self {
        Self {
            place: watch::Sender::new(sequence),
            kept: None,
        }
    }

    /// What of events is to be told of them: nothing where a journal keeps them.
    pub(crate) fn of(&self, events: &[(Event, Hash)]) -> Vec<Event> {
        let events = events.iter().filter(|_| self.kept.is_some());
        events.map(|(event, _)| event.clone()).collect()
    }

    /// Takes note of the record that has just become durable, with what is [told](News::of) of it;
    /// those who wait are not [woken](News::wake) yet.
    pub(crate) fn add(&self, events: Vec<Event>) {
        if let Some(kept) = &self.kept {
            let mut kept = kept.write().unwrap_or_else(PoisonError::into_inner);
            kept.0.push(events);
        }
        self.place.send_if_modified(|place| {
            *place += 1;
            false
        });
    }

    /// Wakes those who wait.
    pub(crate) fn wake(&self) {
        self.place.send_modify(|_| {});
    }

    /// Tells where the journal was found to end, when it was opened anew.
    pub(crate) fn go_on_at(&self, sequence: u64) {
        self.place.send_replace(sequence);
    }

    /// Where the journal ends.
    pub(crate) fn place(&self) -> u64 {
        *self.place.borrow()
    }

    /// Ticks whenever a record has become durable.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.place.subscribe()
    }

    /// Calls `look` with what is kept: nothing where a journal keeps it.
    pub(crate) fn with_kept<T>(&self, look: impl FnOnce(&Kept) -> T) -> T {
        match &self.kept {
            Some(kept) => look(&kept.read().unwrap_or_else(PoisonError::into_inner)),
            None => look(&Kept::default()),
        }
    }
}

impl Kept {
    /// All events with their positions, in order.
    pub(crate) fn events(&self) -> impl DoubleEndedIterator<Item = (Position, &Event)> {
        let records = (1_u64..).zip(&self.0).collect::<Vec<_>>().into_iter();
        records.flat_map(|(sequence, events)| {
            let events = events.iter().enumerate();
            events.map(move |(index, event)| (Position { sequence, index }, event))
        })
    }

    /// The records behind a place, in order.
    pub(crate) fn records_after(&self, place: u64) -> impl Iterator<Item = &Vec<Event>> {
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        self.0.iter().skip(place)
    }
}
