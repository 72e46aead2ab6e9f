//! Numbers in place of names that many rows share.

use std::hash::Hash;

use hashbrown::HashMap;

/// A number in place of a name, good for the [`Symbols`] that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Symbol(u32);

/// The names that have a number. They are never forgotten: scopes and items are not either.
#[derive(Debug)]
pub(super) struct Symbols<T> {
    numbers: HashMap<T, Symbol>,
    names: Vec<T>,
}

impl<T> Default for Symbols<T> {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            names: Vec::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Symbols<T> {
    /// The number of a name, where it has one.
    pub(super) fn of(&self, name: &T) -> Option<Symbol> {
        self.numbers.get(name).copied()
    }

    /// The number of a name: a new one for a new name.
    pub(super) fn given(&mut self, name: &T) -> Symbol {
        if let Some(known) = self.of(name) {
            return known;
        }
        let new = u32::try_from(self.names.len()).expect("memory holds fewer than 2^32 names");
        self.names.push(name.clone());
        self.numbers.insert(name.clone(), Symbol(new));
        Symbol(new)
    }

    /// The names in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.names.iter()
    }

    /// The name of a number.
    pub(super) fn name(&self, symbol: Symbol) -> &T {
        &self.names[symbol.index()]
    }
}

impl Symbol {
    /// From zero on, without gaps.
    pub(super) fn index(self) -> usize {
        usize::try_from(self.0).expect("a number is less than a usize")
    }
}
