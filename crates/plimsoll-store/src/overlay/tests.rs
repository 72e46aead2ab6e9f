//! The overlay answers as the tables do once they have applied the same events.

use std::fmt::Debug;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::model::State;
use plimsoll_core::names::{ResourceName, Text};

use super::*;
use crate::tables::Changes;
use crate::testing::{
    Dice, items, locations, name, principals, requests, reservations, scopes, tiers, webhooks,
};

fn logs() -> [Log; 5] {
    let [t, a, b, u] = scopes().map(Log::Tenant);
    [Log::Catalogue, t, a, b, u]
}

fn same<T: PartialEq + Debug>(overlay: T, tables: T, what: &str, seed: u64) {
    assert_eq!(overlay, tables, "{what}, seed {seed}");
}

/// Compares every method of [`Rows`] over every name that the dice know.
fn assert_same_rows(overlay: &Overlay<'_>, tables: &Tables, seed: u64) {
    for log in &logs() {
        same(overlay.head(log), tables.head(log), "head", seed);
        same(overlay.log(log), tables.log(log), "log", seed);
    }
    for resource in ["vm/image", "vm/disk", "vm/none"].map(|id| name(id, ResourceName::parse)) {
        let (one, other) = (overlay.resource(&resource), tables.resource(&resource));
        same(one, other, "resource", seed);
    }
    let resources: Vec<_> = tables.resources().collect();
    same(overlay.resources().collect(), resources, "resources", seed);
    let (one, other) = (overlay.resource_count(), tables.resource_count());
    same(one, other, "resource count", seed);
    for location in &locations() {
        let (one, other) = (overlay.location(location), tables.location(location));
        same(one, other, "location", seed);
    }
    let rows: Vec<_> = tables.locations().collect();
    same(overlay.locations().collect(), rows, "locations", seed);
    let (one, other) = (overlay.location_count(), tables.location_count());
    same(one, other, "location count", seed);
    for scope in &scopes() {
        same(overlay.scope(scope), tables.scope(scope), "scope", seed);
        for item in &items() {
            let (one, other) = (overlay.limits(scope, item), tables.limits(scope, item));
            same(one, other, "limits", seed);
            let (one, other) = (overlay.tally(scope, item), tables.tally(scope, item));
            same(one, other, "tally", seed);
            let (one, other) = (overlay.account(scope, item), tables.account(scope, item));
            same(one, other, "account", seed);
        }
        for id in &reservations() {
            let (one, other) = (
                overlay.reservation(scope, id),
                tables.reservation(scope, id),
            );
            same(one, other, "reservation", seed);
        }
        let holds: Vec<_> = tables.holds(scope).collect();
        same(overlay.holds(scope).collect(), holds, "holds", seed);
        let ended: Vec<_> = tables.ended(scope).collect();
        same(overlay.ended(scope).collect(), ended, "ended", seed);
    }
    assert_same_settings(overlay, tables, seed);
    for id in &principals() {
        same(
            overlay.principal(id),
            tables.principal(id),
            "principal",
            seed,
        );
    }
}

fn assert_same_settings(overlay: &Overlay<'_>, tables: &Tables, seed: u64) {
    for tier in &tiers() {
        same(overlay.tier(tier), tables.tier(tier), "tier", seed);
    }
    let (one, other) = (overlay.tier_count(), tables.tier_count());
    same(one, other, "tier count", seed);
    for id in &webhooks() {
        same(overlay.webhook(id), tables.webhook(id), "webhook", seed);
    }
    let (one, other) = (overlay.webhook_count(), tables.webhook_count());
    same(one, other, "webhook count", seed);
    for id in &requests() {
        same(overlay.request(id), tables.request(id), "request", seed);
    }
    for scope in &scopes() {
        let sorted = |mut rows: Vec<Request>| {
            rows.sort_by(|one, other| one.id.cmp(&other.id));
            rows
        };
        let one = sorted(overlay.requests(scope).cloned().collect());
        let other = sorted(tables.requests(scope).cloned().collect());
        same(one, other, "requests", seed);
    }
}

/// The orders of a tenant's reservations, ties in order of id, found without any index.
fn assert_in_order(tables: &Tables, seed: u64) {
    let expires_at = |state: State| match state {
        State::Held { expires_at } => Some(expires_at),
        State::Committed | State::Released { .. } | State::Expired { .. } => None,
    };
    for tenant in &scopes() {
        let reservations = tables.reservations();
        let of_tenant = || reservations.iter().filter(|row| row.tenant == *tenant);
        let check = |order, instant: &dyn Fn(State) -> Option<Timestamp>| {
            let mut expected: Vec<_> = of_tenant()
                .filter_map(|row| Some((instant(row.state)?, row.id)))
                .collect();
            expected.sort_unstable();
            let found = tables.in_time(tenant, order, |_| true);
            let found: Vec<_> = found
                .map(|row| (instant(row.state).expect("it has one"), row.id))
                .collect();
            assert_eq!(found, expected, "seed {seed}");
        };
        check(TimeOrder::Holds, &expires_at);
        check(TimeOrder::Ended, &State::ended_at);
        let mut ids: Vec<_> = of_tenant().map(|row| row.id).collect();
        ids.sort_unstable();
        let listed = tables.reservations_after(tenant, None).map(|row| row.id);
        assert_eq!(listed.collect::<Vec<_>>(), ids, "seed {seed}");
    }
}

/// The next event of a random log.
fn next_event(dice: &mut Dice, tables: &Overlay<'_>) -> Event {
    let log = dice.pick(&logs());
    let revision = tables.head(&log).revision + 1;
    let mut event = dice.event(log, revision);
    for change in &mut event.changes {
        if let Change::Account { account, .. } = change {
            account.held = account.used;
        }
    }
    event
}

#[test]
fn the_overlay_answers_as_the_tables_will() {
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let mut below = Tables::default();
        let mut above = Tables::default();
        for _ in 0..dice.below(40) {
            let event = next_event(&mut dice, &Overlay::new(&below));
            below.apply(event.clone(), [1; 32]).expect("the next one");
            above.apply(event, [1; 32]).expect("the next one");
        }
        let mut overlay = Overlay::new(&below);
        assert_same_rows(&overlay, &above, seed);
        for step in 0..30 {
            let event = next_event(&mut dice, &overlay);
            let chain = [step; 32];
            overlay
                .apply(event.clone(), |_, _| chain)
                .expect("the next one");
            above.apply(event, chain).expect("the next one");
            assert_same_rows(&overlay, &above, seed);
            assert_in_order(&above, seed);
        }
        let batch = overlay.into_batch();
        Tables::take(&mut below, Changes::of(batch));
        assert_same_rows(&Overlay::new(&below), &above, seed);
        assert_in_order(&below, seed);
    }
}

/// A scope's parent never changes, so it is not among the random rows.
#[test]
fn a_scope_has_those_below_it_in_the_tables_and_in_the_batch() {
    let scope = |id: &str, parent: Option<&str>| {
        Change::Scope(
            Scope {
                id: name(id, ScopeId::parse),
                parent: parent.map(|id| name(id, ScopeId::parse)),
                tenant: name("t", ScopeId::parse),
                depth: if parent.is_some() { 2 } else { 1 },
                kind: name("", Text::parse),
                tier: None,
            }
            .into(),
        )
    };
    let [t, a, ..] = scopes();
    let mut tables = Tables::default();
    tables.put(scope("t", None));
    let mut overlay = Overlay::new(&tables);
    assert!(!overlay.has_children(&t));
    overlay.put(&scope("t-a", Some("t")));
    assert!(overlay.has_children(&t) && !overlay.has_children(&a));
    tables.put(scope("t-a", Some("t")));
    let overlay = Overlay::new(&tables);
    assert!(overlay.has_children(&t) && !overlay.has_children(&a));
}

#[test]
fn an_event_out_of_turn_changes_nothing() {
    let mut tables = Tables::default();
    let mut dice = Dice(2);
    let mut event = next_event(&mut dice, &Overlay::new(&tables));
    event.revision = 2;
    assert!(
        Overlay::new(&tables)
            .apply(event.clone(), |_, _| [1; 32])
            .is_err()
    );
    let log = event.log.clone();
    assert!(tables.apply(event, [1; 32]).is_err());
    assert_eq!(tables.log(&log), LogHead::default());
    assert_same_rows(&Overlay::new(&Tables::default()), &tables, 2);
}
