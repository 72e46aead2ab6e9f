//! One batch: decided on the rows that were loaded, and what of it is to be written.

use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::{Action, Command};
use plimsoll_core::decide::decide;
use plimsoll_core::event::{Event, Log};
use plimsoll_core::outcome::{Breach, Decision, Outcome};
use plimsoll_core::rows::Rows;

use super::load::Lock;
use crate::overlay::Overlay;
use crate::record::{Hash, chained, event_bytes};
use crate::tables::Tables;

/// An event as it is written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) event: Event,
    pub(crate) bytes: Vec<u8>,
    pub(crate) chain: Hash,
    /// The revision of the catalogue by which it was decided.
    pub(crate) catalogue: u64,
}

/// A group that has been decided.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) outcomes: Vec<Vec<Outcome>>,
    pub(super) events: Vec<Written>,
    /// Whether a decision has asked for holds.
    pub(super) needs_holds: bool,
}

/// Decides submissions, each on top of the ones before it.
///
/// Errors: [`Breach`] where the rows contradict each other. Nothing may be written then.
pub(super) fn decide_all<'a>(
    tables: &Tables,
    group: impl Iterator<Item = &'a [Command]>,
    now: Timestamp,
) -> Result<Decided, Breach> {
    let mut overlay = Overlay::new(tables);
    let mut decided = Decided {
        outcomes: Vec::new(),
        events: Vec::new(),
        needs_holds: false,
    };
    let mut written = Vec::new();
    for commands in group {
        let mut outcomes = Vec::with_capacity(commands.len());
        for command in commands {
            let Decision { outcome, events } = decide(&overlay, command, now)?;
            let catalogue = overlay.head(&Log::Catalogue).revision;
            for event in events {
                let bytes = event_bytes(&event);
                overlay.apply(event, |_, chain| chained(chain, &bytes))?;
                written.push((bytes, catalogue));
            }
            outcomes.push(outcome);
        }
        decided.outcomes.push(outcomes);
    }
    decided.needs_holds = overlay.has_asked_for_holds();
    let events = overlay.into_batch().events.into_iter().zip(written);
    let events = events.map(|((event, chain), (bytes, catalogue))| Written {
        event,
        bytes,
        chain,
        catalogue,
    });
    decided.events = events.collect();
    Ok(decided)
}

/// What some commands must lock: those that change the catalogue lock it too.
pub(super) fn lock_for<'a>(mut commands: impl Iterator<Item = &'a Command>) -> Lock {
    if commands.any(|command| changes_catalogue(&command.action)) {
        Lock::TenantsAndCatalogue
    } else {
        Lock::Tenants
    }
}

fn changes_catalogue(action: &Action) -> bool {
    match action {
        Action::PutTier(_)
        | Action::PutResource(_)
        | Action::PutLocation(_)
        | Action::CreatePrincipal(_)
        | Action::EnablePrincipal { .. }
        | Action::DeletePrincipal { .. }
        | Action::PutWebhook(_)
        | Action::DeleteWebhook { .. }
        | Action::NoteDelivered { .. } => true,
        Action::Reserve(_)
        | Action::Commit(_)
        | Action::Release(_)
        | Action::Extend(_)
        | Action::Resize(_)
        | Action::Transfer(_)
        | Action::Expire { .. }
        | Action::Forget { .. }
        | Action::CountRefusals { .. }
        | Action::SubmitRequest(_)
        | Action::ApproveRequest(_)
        | Action::DenyRequest(_)
        | Action::CancelRequest(_)
        | Action::PutScope(_)
        | Action::PutLimit(_)
        | Action::DeleteLimit(_) => false,
    }
}
