//! What must always be true of the rows. Checked after they are loaded and on every change.

use alloc::collections::BTreeMap;

use crate::amount::Amount;
use crate::decide::Figure;
use crate::event::{Change, Event, Head, Log};
use crate::model::{Account, Item, Reservation, State};
use crate::names::ScopeId;
use crate::outcome::Breach;
use crate::rows::{Rows, path};

/// What live reservations of a tenant in one scope, and not below it, take of an item.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// Whose they are.
    pub tenant: &'a ScopeId,
    /// Where they are.
    pub scope: &'a ScopeId,
    /// What they take.
    pub item: &'a Item,
    /// How much, all together.
    pub account: Account,
}

/// What one reservation takes, line by line.
pub fn own_of(reservation: &Reservation) -> impl Iterator<Item = Own<'_>> {
    reservation.lines.iter().map(|line| Own {
        tenant: &reservation.tenant,
        scope: &reservation.scope,
        item: &line.item,
        account: own_account(reservation.state, line.amount),
    })
}

/// What a line of a reservation in this state takes: nothing where it has ended.
pub fn own_account(state: State, amount: Amount) -> Account {
    let account = Figure::of(state).and_then(|figure| figure.more(Account::default(), amount));
    account.unwrap_or_default()
}

/// What the accounts must be, given what all reservations take, in as many parts as the caller
/// likes: each counts at its scope and at every scope above. Accounts that are zero are left out.
///
/// Errors: [`Breach`] where a reservation's scope does not exist or a sum leaves the number space.
pub fn accounts_of<'a, R: Rows>(
    rows: &'a R,
    own: impl Iterator<Item = Own<'a>>,
) -> Result<BTreeMap<(&'a ScopeId, &'a Item), Account>, Breach> {
    let mut accounts: BTreeMap<_, Account> = BTreeMap::new();
    for own in own.filter(|own| own.account != Account::default()) {
        let breach = |what| Breach {
            log: Log::Tenant(own.tenant.clone()),
            what,
        };
        let scope = rows
            .scope(own.scope)
            .ok_or_else(|| breach("a reservation is in a scope that does not exist"))?;
        for above in path(rows, scope) {
            let account = accounts.entry((&above.id, own.item)).or_default();
            *account = account
                .plus(own.account)
                .ok_or_else(|| breach("the reservations add up to more than an amount"))?;
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
    let is_beyond = |change: &Change| {
        matches!(change, Change::Account { account, .. }
            if account.used.plus(account.held).is_none())
    };
    if event.changes.iter().any(is_beyond) {
        return breach("an account holds more than an amount");
    }
    Ok(())
}
