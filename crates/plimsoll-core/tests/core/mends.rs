//! A law on random worlds and inventories: what differs is told, and once it is mended nothing
//! differs but what is in flight.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::amount::Amount;
use plimsoll_core::command::Command;
use plimsoll_core::event::Log;
use plimsoll_core::model::{Reach, Reservation, State};
use plimsoll_core::names::Text;
use plimsoll_core::outcome::Outcome;
use plimsoll_core::reconcile::{Difference, Finding, Inventory};
use plimsoll_core::rows::Rows;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use crate::bench::Bench;
use crate::random::WORLD;
use crate::script::{command, run};
use crate::world::{after_start, amount, item, principal, scope, text};

/// Random scenarios, each with an inventory at its end.
const CASES: u32 = 800;

/// Reservations of few things, mostly committed, and what becomes of them.
fn line() -> impl Strategy<Value = String> {
    let id = || (0..9).prop_map(|number| format!("r{number}"));
    let scopes = || select(vec!["p", "p", "p", "q", "team"]);
    let lines = || {
        let lines = [
            "vm/disk 1",
            "vm/disk 2",
            "vm/disk 3 net/ip 1",
            "net/ip 1",
            "vm/image@FRA-A 1 vm/disk 1",
        ];
        select(lines.to_vec())
    };
    let terms = select(vec!["commit", "commit", "commit", "hold 20s"]);
    let holder = select(vec!["", " holder a", " holder b", " holder c"]);
    let reserve = (id(), scopes(), lines(), terms, holder);
    let reserve = reserve.prop_map(|(id, scope, lines, terms, holder)| {
        format!("reserve {id} {scope} {lines} {terms}{holder}")
    });
    let resize = (id(), lines()).prop_map(|(id, lines)| format!("resize {id} {lines}"));
    let transfer = (id(), scopes()).prop_map(|(id, to)| format!("transfer {id} to {to}"));
    let settle = (select(vec!["commit", "release"]), id());
    prop_oneof![
        12 => reserve,
        2 => resize,
        1 => transfer,
        2 => settle.prop_map(|(verb, id)| format!("{verb} {id}")),
    ]
}

/// Lines, each with the milliseconds that pass before it.
fn scenario() -> impl Strategy<Value = Vec<(u64, String)>> {
    proptest::collection::vec((0..3_000_u64, line()), 1..20)
}

/// Where, of what, how many revisions ago, and the things.
type Looked = (&'static str, &'static str, u64, Vec<(&'static str, u64)>);

fn looked() -> impl Strategy<Value = Looked> {
    let scopes = select(vec!["p", "p", "p", "q", "team"]);
    let items = select(vec!["vm/disk", "vm/disk", "vm/disk", "net/ip"]);
    let holder = select(vec!["a", "b", "c", "r0", "r1", "r2", "r3"]);
    let things = proptest::collection::vec((holder, 0..6_u64), 0..6);
    (scopes, items, 0..5_u64, things)
}

#[test]
fn mends_leave_what_is_in_flight() {
    let config = Config {
        cases: CASES,
        source_file: Some(file!()),
        ..Config::default()
    };
    let seen = std::cell::RefCell::new(BTreeMap::new());
    let cases = (scenario(), looked());
    let result = TestRunner::new(config).run(&cases, |(scenario, looked)| {
        let mut bench = run(WORLD);
        let mut now_ms: u64 = 0;
        for (pass_ms, line) in &scenario {
            now_ms += pass_ms;
            bench.step(&command(line), after_start(now_ms));
        }
        for finding in mended(&mut bench, &looked, now_ms) {
            *seen.borrow_mut().entry(finding.name()).or_insert(0) += 1;
        }
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    let seen = seen.into_inner();
    for name in [
        "in_flight",
        "missing_here",
        "missing_there",
        "amount_differs",
    ] {
        assert!(seen.get(name).is_some_and(|count| 20 <= *count), "{seen:?}");
    }
}

/// Compares, mends, and compares again.
fn mended(bench: &mut Bench, looked: &Looked, now_ms: u64) -> Vec<Difference> {
    let (at, of, ago, things) = looked;
    let tenant = bench.world.tenant_of(&scope(at));
    let head = bench.world.head(&Log::Tenant(tenant)).revision;
    let things = things
        .iter()
        .map(|(holder, units)| (text(holder), amount(*units)));
    let inventory = Inventory {
        scope: scope(at),
        item: item(of),
        revision: head.saturating_sub(*ago),
        things: things.collect(),
        reason: text("inventory"),
        passes: true,
    };
    let findings = bench.reconcile(&inventory);
    let findings = match findings {
        Ok(findings) => findings,
        Err(denial) => panic!("{denial:?}"),
    };
    let told: Vec<_> = findings.iter().map(summary).collect();
    assert_eq!(told, differences(bench, &inventory));
    for mend in findings.iter().flat_map(|finding| &finding.mends) {
        let command = Command {
            actor: principal("root"),
            reach: Reach::Everything,
            action: mend.clone(),
        };
        let outcome = bench.step(&command, after_start(now_ms)).outcome;
        assert!(matches!(outcome, Outcome::Done(_)), "{mend:?}: {outcome:?}");
    }
    let left = bench.reconcile(&inventory).expect("the same inventory");
    let left: Vec<_> = left.iter().map(summary).collect();
    let is_in_flight = |it: &&(Text, Difference, Amount, Amount)| it.1 == Difference::InFlight;
    let in_flight: Vec<_> = told.iter().filter(is_in_flight).cloned().collect();
    assert_eq!(left, in_flight, "left after the mends: what was in flight");
    told.into_iter()
        .map(|(_, difference, ..)| difference)
        .collect()
}

fn summary(finding: &Finding) -> (Text, Difference, Amount, Amount) {
    let Finding {
        holder,
        difference,
        here,
        there,
        mends,
    } = finding;
    assert_eq!(mends.is_empty(), *difference == Difference::InFlight);
    (holder.clone(), *difference, *here, *there)
}

/// What differs, in the simplest words.
fn differences(bench: &Bench, inventory: &Inventory) -> Vec<(Text, Difference, Amount, Amount)> {
    let tenant = bench.world.tenant_of(&inventory.scope);
    let rows = bench.world.reservations.values();
    let rows: Vec<&Reservation> = rows.filter(|row| row.tenant == tenant).collect();
    let holder = |row: &Reservation| row.holder.clone().unwrap_or_else(|| text(row.id.as_str()));
    let takes = |row: &Reservation| {
        let is_here = row.scope == inventory.scope && row.state.is_live();
        let lines = row.lines.iter().filter(|line| line.item == inventory.item);
        let units: u64 = lines.map(|line| line.amount.units()).sum();
        if is_here { units } else { 0 }
    };
    let holders = rows.iter().map(|row| holder(row));
    let holders: BTreeSet<Text> = holders.chain(inventory.things.keys().cloned()).collect();
    let differences = holders.into_iter().filter_map(|name| {
        let its = || rows.iter().filter(|row| holder(row) == name);
        let here: u64 = its().map(|row| takes(row)).sum();
        let there = inventory.things.get(&name).map_or(0, |it| it.units());
        let is_held =
            |row: &&&Reservation| 0 < takes(row) && matches!(row.state, State::Held { .. });
        let has_moved = |row: &&&Reservation| inventory.revision < row.revision;
        let difference = if here == there {
            return None;
        } else if its().any(|row| is_held(&row) || has_moved(&row)) {
            Difference::InFlight
        } else if here == 0 {
            Difference::MissingHere
        } else if there == 0 {
            Difference::MissingThere
        } else {
            Difference::AmountDiffers
        };
        let here = Amount::new(here).unwrap_or(Amount::MAX);
        Some((name, difference, here, amount(there)))
    });
    differences.collect()
}
