//! The scopes, in the orders that lists need: a page costs what it shows, however many there are.

use std::collections::BTreeSet;
use std::ops::Bound;

use hashbrown::HashMap;
use plimsoll_core::bounds::SCOPE_DEPTH_MAX;
use plimsoll_core::model::Scope;
use plimsoll_core::names::ScopeId;

use crate::tables::behind;

/// Every scope there is.
///
/// Invariants: a scope is put after the one above it, and its parent never changes.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    rows: HashMap<ScopeId, Scope>,
    order: BTreeSet<ScopeId>,
    /// Right below a scope. Scopes with nothing below them are not here.
    children: HashMap<ScopeId, BTreeSet<ScopeId>>,
    /// Anywhere below a scope, itself aside.
    below: HashMap<ScopeId, BTreeSet<ScopeId>>,
}

impl Scopes {
    pub(crate) fn find(&self, id: &ScopeId) -> Option<&Scope> {
        self.rows.get(id)
    }

    pub(crate) fn put(&mut self, row: Scope) {
        if !self.rows.contains_key(&row.id) {
            self.put_in_order(&row);
        }
        self.rows.insert(row.id.clone(), row);
    }

    fn put_in_order(&mut self, row: &Scope) {
        self.order.insert(row.id.clone());
        if let Some(parent) = &row.parent {
            let children = self.children.entry_ref(parent).or_default();
            children.insert(row.id.clone());
        }
        let parent_of = |id: &ScopeId| self.rows.get(id)?.parent.as_ref();
        let above = std::iter::successors(row.parent.as_ref(), |id| parent_of(id));
        for id in above.take(usize::from(SCOPE_DEPTH_MAX)) {
            let below = self.below.entry_ref(id).or_default();
            below.insert(row.id.clone());
        }
    }

    /// All scopes in order of id, behind `after`.
    pub(crate) fn after(&self, after: Option<&ScopeId>) -> impl Iterator<Item = &Scope> {
        let ids = self.order.range((behind(after), Bound::Unbounded));
        ids.filter_map(|id| self.rows.get(id))
    }

    /// The scopes right below one, in order of id, behind `after`.
    pub(crate) fn children_after(
        &self,
        parent: &ScopeId,
        after: Option<&ScopeId>,
    ) -> impl Iterator<Item = &Scope> {
        let children = self.children.get(parent).into_iter();
        let ids = children.flat_map(move |ids| ids.range((behind(after), Bound::Unbounded)));
        ids.filter_map(|id| self.rows.get(id))
    }

    /// A scope and everything below it, in order of id, behind `after`.
    pub(crate) fn tree_after<'a>(
        &'a self,
        top: &'a ScopeId,
        after: Option<&'a ScopeId>,
    ) -> impl Iterator<Item = &'a Scope> {
        let starts_before_top = after.is_none_or(|after| after < top);
        let below = self.below.get(top);
        let before_top = below
            .filter(|_| starts_before_top)
            .into_iter()
            .flat_map(move |ids| ids.range((behind(after), Bound::Excluded(top))));
        let behind_top = below.into_iter().flat_map(move |ids| {
            let start = if starts_before_top { Some(top) } else { after };
            ids.range((behind(start), Bound::Unbounded))
        });
        let ids = before_top
            .chain(starts_before_top.then_some(top))
            .chain(behind_top);
        ids.filter_map(|id| self.rows.get(id))
    }
}
