//! What is taken of each item in each scope, in a layout for very many accounts.

use hashbrown::HashMap;
use plimsoll_core::model::{Account, Item};
use plimsoll_core::names::ScopeId;

use super::symbols::{Symbol, Symbols};

/// Every account there is.
///
/// Shape: a table for each scope, so that none of them is large: the time that one takes to grow
/// is nobody's wait. One of millions of accounts is found by numbers; the names, of which there are
/// far fewer, are told here once more than in the reservations, which have scopes of their own.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    scopes: Symbols<ScopeId>,
    items: Symbols<Item>,
    /// By the number of the scope, then by that of the item.
    of_scopes: Vec<HashMap<Symbol, Account>>,
}

impl Accounts {
    /// The account of a scope and an item, where anything was ever taken.
    pub(super) fn find(&self, scope: &ScopeId, item: &Item) -> Option<Account> {
        let of_scope = &self.of_scopes[self.scopes.of(scope)?.index()];
        of_scope.get(&self.items.of(item)?).copied()
    }

    /// All of them, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&ScopeId, &Item, Account)> {
        let of_scopes = self.scopes.iter().zip(&self.of_scopes);
        of_scopes.flat_map(move |(scope, accounts)| {
            let named = move |(item, account): (&Symbol, &Account)| {
                (scope, self.items.name(*item), *account)
            };
            accounts.iter().map(named)
        })
    }

    /// Puts an account in its place.
    pub(super) fn put(&mut self, scope: &ScopeId, item: &Item, account: Account) {
        let scope = self.scopes.given(scope).index();
        if self.of_scopes.len() == scope {
            self.of_scopes.push(HashMap::new());
        }
        self.of_scopes[scope].insert(self.items.given(item), account);
    }
}
