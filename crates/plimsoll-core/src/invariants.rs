//! What must always be true of the rows. Checked after they are loaded and on every change.

use alloc::collections::BTreeMap;

use crate::event::{Change, Event, Head, Log};
use crate::model::{Account, Item, Reservation, State};
use crate::names::ScopeId;
use crate::outcome::Breach;
use crate::rows::{Rows, path};

/// What the accounts must be, given all reservations: each live one counts at its scope and at
/// every scope above. Accounts that are zero are left out.
///
/// Errors: [`Breach`] where a reservation's scope does not exist or a sum leaves the number space.
pub fn accounts_of<R: Rows>(
    rows: &R,
    reservations: impl Iterator<Item = Reservation>,
) -> Result<BTreeMap<(ScopeId, Item), Account>, Breach> {
    let mut accounts: BTreeMap<(ScopeId, Item), Account> = BTreeMap::new();
    for reservation in reservations.filter(|reservation| reservation.state.is_live()) {
        let breach = |what| Breach {
            log: Log::Tenant(reservation.tenant.clone()),
            what,
        };
        let scope = rows
            .scope(&reservation.scope)
            .ok_or_else(|| breach("a reservation is in a scope that does not exist"))?;
        for line in reservation.lines.iter() {
            for above in path(rows, scope) {
                let account = accounts
                    .entry((above.id.clone(), line.item.clone()))
                    .or_default();
                let figure = match reservation.state {
                    State::Held { .. } => &mut account.held,
                    State::Committed | State::Released { .. } | State::Expired { .. } => {
                        &mut account.used
                    }
                };
                *figure = figure
                    .plus(line.amount)
                    .ok_or_else(|| breach("the reservations add up to more than an amount"))?;
            }
        }
    }
    Ok(accounts)
}

/// Whether an event may follow on a log's head: the next revision, no earlier time, and accounts
/// within the number space.
///
/// Errors: [`Breach`] where it may not.
pub fn may_follow(head: Head, event: &Event) -> Result<(), Breach> {
    let breach = |what| {
        Err(Breach {
            log: event.log.clone(),
            what,
        })
    };
    if head.revision.checked_add(1) != Some(event.revision) {
        return breach("an event does not have the next revision");
    }
    if event.at < head.at {
        return breach("an event is earlier than the one before");
    }
    let fits = |change: &Change| match change {
        Change::Account { account, .. } => account.used.plus(account.held).is_some(),
        Change::Resource(_)
        | Change::Location(_)
        | Change::Scope(_)
        | Change::Tier(_)
        | Change::Limits { .. }
        | Change::Tally { .. }
        | Change::Request(_)
        | Change::RequestGone { .. }
        | Change::Webhook(_)
        | Change::WebhookGone(_)
        | Change::Reservation(_)
        | Change::ReservationGone(_)
        | Change::Principal(_)
        | Change::PrincipalGone(_) => true,
    };
    if event.changes.iter().all(fits) {
        Ok(())
    } else {
        breach("an account holds more than an amount")
    }
}
