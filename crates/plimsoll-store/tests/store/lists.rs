//! Lists: their order, their pages, their filters and who may see them.

use std::num::NonZeroUsize;

use plimsoll_core::model::{Limit, Reach, Reservation, Scope};
use plimsoll_core::names::ScopeId;
use plimsoll_core::report::ReservationFilter;
use plimsoll_store::{Page, Store};

use crate::snapshot;
use crate::support::*;

fn first<K>(size: usize) -> Page<K> {
    Page { after: None, size }
}

/// Many scopes, limits and reservations, made in an order that is not theirs.
fn filled(store: &Store) {
    submit(store, base());
    let mut dice = Dice(3);
    let mut left: Vec<u64> = (0..60).collect();
    while !left.is_empty() {
        let number = left.swap_remove(dice.index(left.len()));
        let parent = dice.pick(&["acme", "p"]);
        let at = dice.pick(&["acme", "p", "p-q", "other"]);
        submit(
            store,
            vec![
                put_scope(&format!("s{number:02}"), Some(parent)),
                put_resource(&format!("vm/x{number:02}"), finite(1), false),
                put_limit("p", &format!("vm/x{number:02}"), finite(number)),
                reserve(
                    &format!("r{number:02}"),
                    at,
                    &[("vm/disk", 1)],
                    number.is_multiple_of(2).then_some(100),
                ),
            ],
        );
    }
}

fn scopes(
    store: &Store,
    reach: &Reach,
    parent: Option<&ScopeId>,
    size: NonZeroUsize,
) -> Vec<Scope> {
    snapshot::scopes(store, reach, parent, size).expect("served")
}

fn limits(store: &Store, at: &str, size: NonZeroUsize) -> Vec<Limit> {
    snapshot::limits(store, &scope(at), size).expect("served")
}

fn reservations(
    store: &Store,
    at: &str,
    filter: &ReservationFilter,
    size: NonZeroUsize,
) -> Vec<Reservation> {
    snapshot::reservations(store, &scope(at), filter, size).expect("served")
}

fn on_every_store(check: impl Fn(&Store)) {
    let directory = tempfile::tempdir().expect("a directory");
    let memory = Store::memory(HandClock::default().clock());
    filled(&memory);
    check(&memory);
    let sqlite = open(directory.path());
    filled(&sqlite);
    drop(sqlite);
    check(&open(directory.path()));
}

#[test]
fn pages_of_any_size_make_the_same_list() {
    on_every_store(|store| {
        let everything = Reach::Everything;
        let whole = NonZeroUsize::new(1_000).expect("a size");
        let any = ReservationFilter::default();
        let held = ReservationFilter {
            state: Some("held"),
            ..any.clone()
        };
        assert_eq!(scopes(store, &everything, None, whole).len(), 64);
        assert_eq!(limits(store, "p", whole).len(), 60);
        for size in (1..=70).filter_map(NonZeroUsize::new) {
            let all = scopes(store, &everything, None, whole);
            assert_eq!(scopes(store, &everything, None, size), all);
            let parent = scope("acme");
            let children: Vec<_> = all
                .into_iter()
                .filter(|row| row.parent.as_ref() == Some(&parent))
                .collect();
            assert_eq!(scopes(store, &everything, Some(&parent), size), children);
            let all = limits(store, "p", whole);
            assert_eq!(limits(store, "p", size), all);
            let all = reservations(store, "acme", &any, whole);
            assert_eq!(reservations(store, "acme", &any, size), all);
            let some: Vec<_> = all
                .into_iter()
                .filter(|row| row.state.name() == "held" && row.scope != scope("acme"))
                .collect();
            assert_eq!(reservations(store, "p", &held, size), some);
        }
    });
}

/// Every scope, every reach, every parent, every size of a page: the same as looking at each scope.
#[test]
fn a_reach_shows_its_own_tree_and_nothing_else() {
    on_every_store(|store| {
        submit(
            store,
            vec![
                put_scope("a-last", Some("s00")),
                put_scope("z-last", Some("s00")),
            ],
        );
        let whole = NonZeroUsize::new(1_000).expect("a size");
        let all = scopes(store, &Reach::Everything, None, whole);
        assert_eq!(all.len(), 66);
        let parent_of = |id: &ScopeId| all.iter().find(|row| row.id == *id)?.parent.as_ref();
        let is_within = |reach: &Reach, id: &ScopeId| match reach {
            Reach::Everything => true,
            Reach::Below(top) => {
                std::iter::successors(Some(id), |id| parent_of(id)).any(|id| id == top)
            }
        };
        let ids = [
            "acme", "p", "p-q", "other", "s00", "s01", "z-last", "nowhere",
        ]
        .map(scope);
        let below = ids.iter().cloned().map(Reach::Below);
        for reach in below.chain([Reach::Everything]) {
            for parent in ids.iter().map(Some).chain([None]) {
                let is_listed = |row: &&Scope| {
                    is_within(&reach, &row.id)
                        && (parent.is_none() || row.parent.as_ref() == parent)
                };
                let expected: Vec<Scope> = all.iter().filter(is_listed).cloned().collect();
                for size in [1, 2, 7, 1_000].map(|size| NonZeroUsize::new(size).expect("a size")) {
                    let found = scopes(store, &reach, parent, size);
                    assert_eq!(found, expected, "{reach:?}, {parent:?}, {size}");
                }
            }
        }
    });
}

#[test]
fn what_is_out_of_reach_is_not_there() {
    on_every_store(|store| {
        let reach = Reach::Below(scope("p"));
        let any = ReservationFilter::default();
        let seen = wait(store.list_scopes(&reach, None, &first(1_000))).expect("served");
        assert!(
            seen.iter()
                .all(|row| row.id == scope("p") || row.depth == 3)
        );
        for hidden in ["acme", "other", "nowhere"] {
            let page = first(10);
            let hidden_limits = wait(store.list_limits(&reach, &scope(hidden), &page));
            assert_eq!(hidden_limits.expect("served"), None);
            let page = first(10);
            let hidden_rows = wait(store.list_reservations(&reach, &scope(hidden), &any, &page));
            assert_eq!(hidden_rows.expect("served"), None);
        }
        let page = first(1_000);
        let seen = wait(store.list_reservations(&reach, &scope("p"), &any, &page));
        let seen = seen.expect("served").expect("a scope").rows;
        assert!(!seen.is_empty());
        assert!(
            seen.iter()
                .all(|row| ["p", "p-q"].contains(&row.scope.as_str()))
        );
    });
}

#[test]
fn the_tenants_of_an_id_of_due_holds_and_of_ended_ones_are_found() {
    on_every_store(|store| {
        submit(
            store,
            vec![
                reserve("twice", "p-q", &[("vm/disk", 1)], Some(50)),
                reserve("twice", "other", &[("vm/disk", 1)], Some(70)),
            ],
        );
        let tenants = |id| wait(store.tenants_of(&reservation(id))).expect("served");
        assert_eq!(tenants("twice"), [scope("acme"), scope("other")]);
        assert!(tenants("never").is_empty());
        let due = |ms| {
            let mut due = wait(store.tenants_due(at(ms))).expect("served");
            due.sort_unstable();
            due
        };
        assert!(due(49).is_empty());
        assert_eq!(due(50), [scope("acme")]);
        assert_eq!(due(70), [scope("acme"), scope("other")]);
        submit(
            store,
            vec![release("acme", "twice"), commit("other", "twice")],
        );
        assert!(due(70).is_empty());
        assert_eq!(due(100), [scope("acme"), scope("other")]);
        let ended_before = |ms| wait(store.tenants_with_ended_before(at(ms))).expect("served");
        assert!(ended_before(0).is_empty());
        assert_eq!(ended_before(1), [scope("acme")]);
        submit(store, vec![forget("acme", 1)]);
        assert!(ended_before(1).is_empty());
        assert_eq!(tenants("twice"), [scope("other")]);
    });
}
