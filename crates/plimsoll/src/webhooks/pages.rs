//! One reading of the journal for all webhooks.
//!
//! Those that keep up stand at the same places, one after another: what one has read is kept a
//! while for the others. One reads at a time, so that a hundred webhooks cost no more than one.

use std::collections::VecDeque;
use std::sync::Arc;

use plimsoll_core::event::Event;
use plimsoll_store::{EVENTS_PAGE_MAX, Store, StoreError};
use tokio::sync::Mutex;

/// Pages that are kept.
const PAGES_MAX: usize = 4;

/// Whole records of the journal.
#[derive(Debug)]
pub(super) struct Page {
    /// The place before them.
    start: u64,
    pub(super) events: Vec<Event>,
    /// The place behind them.
    pub(super) end: u64,
}

/// The last few pages that were read.
#[derive(Debug, Default)]
pub(super) struct Pages(Mutex<VecDeque<Arc<Page>>>);

impl Pages {
    /// What lies behind a place: nothing at the journal's end.
    pub(super) async fn behind(&self, store: &Store, place: u64) -> Result<Arc<Page>, StoreError> {
        let mut kept = self.0.lock().await;
        if let Some(page) = kept.iter().find(|page| page.start == place) {
            return Ok(Arc::clone(page));
        }
        let (events, end) = store.events_behind(place, EVENTS_PAGE_MAX).await?;
        let page = Arc::new(Page {
            start: place,
            events,
            end,
        });
        if place < end {
            if PAGES_MAX <= kept.len() {
                kept.pop_front();
            }
            kept.push_back(Arc::clone(&page));
        }
        Ok(page)
    }
}
