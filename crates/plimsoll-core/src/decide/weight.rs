//! What a reservation weighs, and where.

use crate::amount::Amount;
use crate::model::{Account, Item, Resource, Scope, State};
use crate::names::ScopeId;

/// What one line weighs on one account.
#[derive(Clone, Copy)]
pub(super) struct Weight<'a> {
    pub(super) scope: &'a Scope,
    pub(super) resource: &'a Resource,
    pub(super) item: &'a Item,
    pub(super) amount: Amount,
    /// The account's figures as they stand; to be looked up again once holds lapse.
    pub(super) account: Account,
}

impl<'a> Weight<'a> {
    /// The account.
    pub(super) fn place(&self) -> (&'a ScopeId, &'a Item) {
        (&self.scope.id, self.item)
    }
}

/// One of the two figures of an account.
#[derive(Clone, Copy)]
pub(crate) enum Figure {
    /// What is taken for now.
    Held,
    /// What is taken for good.
    Used,
}

impl Figure {
    /// The figure on which a live reservation weighs.
    pub(crate) fn of(state: State) -> Option<Self> {
        match state {
            State::Held { .. } => Some(Figure::Held),
            State::Committed => Some(Figure::Used),
            State::Released { .. } | State::Expired { .. } => None,
        }
    }

    pub(crate) fn more(self, mut account: Account, amount: Amount) -> Option<Account> {
        let figure = self.figure(&mut account);
        *figure = figure.plus(amount)?;
        Some(account)
    }

    pub(super) fn less(self, mut account: Account, amount: Amount) -> Option<Account> {
        let figure = self.figure(&mut account);
        *figure = figure.minus(amount)?;
        Some(account)
    }

    fn figure(self, account: &mut Account) -> &mut Amount {
        match self {
            Figure::Held => &mut account.held,
            Figure::Used => &mut account.used,
        }
    }
}
