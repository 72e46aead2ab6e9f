//! Reservations are found as in plain maps, whatever becomes of them.

use std::collections::BTreeMap;

use plimsoll_core::amount::Amount;
use plimsoll_core::bounds::AMOUNT_MAX;
use plimsoll_core::model::{Line, Lines};

use super::*;
use crate::testing::{Dice, name, scopes};

type Plain = BTreeMap<(ScopeId, ReservationId), Reservation>;

fn instant(order: TimeOrder, state: State) -> Option<Timestamp> {
    match (order, state) {
        (TimeOrder::Holds, State::Held { expires_at }) => Some(expires_at),
        (TimeOrder::Ended, ended) => ended.ended_at(),
        (TimeOrder::Holds, _) => None,
    }
}

fn walked(rows: &Reservations, mut walk: Walk) -> impl Iterator<Item = Reservation> {
    std::iter::from_fn(move || rows.step(&mut walk, |_| true))
}

fn check(rows: &Reservations, plain: &Plain, dice: &mut Dice, seed: u64) {
    for tenant in &scopes() {
        let of_tenant = || plain.values().filter(|row| row.tenant == *tenant);
        let after = ReservationId::parse(&format!("r{}", dice.below(600))).expect("an id");
        for after in [None, Some(&after)] {
            let behind = of_tenant().filter(|row| after.is_none_or(|after| *after < row.id));
            let walk = rows.walk_by_id(tenant, after);
            assert!(walked(rows, walk).eq(behind.cloned()), "seed {seed}");
        }
        for order in [TimeOrder::Holds, TimeOrder::Ended] {
            let in_time = of_tenant().filter_map(|row| Some((instant(order, row.state)?, row)));
            let mut in_time: Vec<_> = in_time.collect();
            in_time.sort_by_key(|(at, row)| (*at, row.id.clone()));
            let in_time = in_time.into_iter().map(|(_, row)| row.clone());
            let walk = rows.walk_in_time(tenant, order);
            assert!(walked(rows, walk).eq(in_time), "seed {seed}");
        }
    }
    let is_early = |at: Timestamp| at.ms() < 2;
    for order in [TimeOrder::Holds, TimeOrder::Ended] {
        let mut found: Vec<_> = rows.tenants_whose_first(order, is_early).collect();
        found.sort_unstable();
        let is_wanted = |tenant: &&ScopeId| {
            let of_tenant = plain.values().filter(|row| row.tenant == **tenant);
            let mut instants = of_tenant.filter_map(|row| instant(order, row.state));
            instants.any(is_early)
        };
        let tenants = scopes();
        let expected: Vec<_> = tenants.iter().filter(is_wanted).collect();
        assert_eq!(found, expected, "seed {seed}");
    }
    let mut all: Vec<_> = rows.iter().collect();
    all.sort_by_key(|row| (row.tenant.clone(), row.id.clone()));
    assert!(all.iter().eq(plain.values()), "seed {seed}");
}

#[test]
fn reservations_are_found_as_in_plain_maps() {
    for seed in 0..12 {
        let mut dice = Dice(seed);
        let mut rows = dice.pick(&[Reservations::default, Reservations::loading])();
        let mut plain = Plain::new();
        for _ in 0..6 {
            // Now more come than go, now more go.
            let comes = dice.pick(&[2, 5, 9]);
            for _ in 0..800 {
                let id = name(&format!("r{}", dice.below(600)), ReservationId::parse);
                let row = Reservation {
                    id,
                    ..dice.reservation()
                };
                let key = (row.tenant.clone(), row.id.clone());
                assert_eq!(rows.find(&key.0, &key.1).as_ref(), plain.get(&key));
                let mut tenants: Vec<_> = rows.tenants_of(&key.1).cloned().collect();
                tenants.sort_unstable();
                let uses = |tenant: &ScopeId| plain.contains_key(&(tenant.clone(), key.1.clone()));
                let expected: Vec<_> = scopes().into_iter().filter(uses).collect();
                assert_eq!(tenants, expected, "seed {seed}");
                if dice.below(10) < comes {
                    rows.put(&row);
                    plain.insert(key, row);
                } else {
                    let (tenant, id) = key.clone();
                    rows.remove(&ReservationKey { tenant, id });
                    plain.remove(&key);
                }
            }
            if rows.is_loading {
                rows.put_in_order(rows.sorted());
            }
            check(&rows, &plain, &mut dice, seed);
        }
    }
}

#[test]
fn what_reservations_take_is_added_up_as_far_as_numbers_go() {
    let mut dice = Dice(3);
    let item = dice.item();
    let row = |id: &str, units| {
        let amount = Amount::new(units).expect("an amount");
        let line = Line {
            item: item.clone(),
            amount,
        };
        Reservation {
            tenant: scopes()[0].clone(),
            id: name(id, ReservationId::parse),
            scope: scopes()[0].clone(),
            lines: Lines::one(line).expect("a line"),
            state: State::Committed,
            ..Dice(3).reservation()
        }
    };
    let mut rows = Reservations::default();
    for (id, units) in [("a", 1), ("b", 2), ("c", AMOUNT_MAX)] {
        rows.put(&row(id, units));
    }
    rows.put(&Reservation {
        state: State::Released {
            ended_at: Timestamp::default(),
        },
        ..row("d", 4)
    });
    let used = rows
        .own()
        .iter()
        .map(|own| own.account.used.units())
        .collect::<Vec<_>>();
    assert_eq!(used, [3, AMOUNT_MAX]);
}
