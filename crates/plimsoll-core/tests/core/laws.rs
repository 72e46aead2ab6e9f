//! Laws, on random commands over a world with everything in it.
//!
//! Most of them are held against every single step: see [`crate::bench`] and [`crate::auditor`].
//! A failure prints the seed, and the shortest scenario that still fails.

use std::cell::RefCell;
use std::collections::BTreeMap;

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::model::Reach;
use plimsoll_core::names::ScopeId;
use plimsoll_core::outcome::{Denial, Outcome};
use plimsoll_core::report::{Quota, QuotaFilter};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};

use crate::bench::Bench;
use crate::script::{command, run};
use crate::world::{World, after_start};

/// Random scenarios.
const CASES: u32 = 1_000;

/// Steps of the longest scenario.
const STEPS_MAX: usize = 80;

/// Nodes of both tenants, and one that does not exist.
const SCOPES: &[&str] = &["acme", "p", "q", "team", "job", "other", "z", "nowhere"];

fn id() -> impl Strategy<Value = String> {
    (0..10).prop_map(|number| format!("r{number}"))
}

fn units() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => (1..5_u32).prop_map(|units| units.to_string()),
        1 => (0..5).prop_map(|less| format!("MAX-{less}")),
    ]
}

fn ceiling() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (0..9_u32).prop_map(|units| units.to_string()),
        1 => Just("unlimited".to_owned()),
        1 => (0..5).prop_map(|less| format!("MAX-{less}")),
    ]
}

fn reserve() -> impl Strategy<Value = String> {
    let items = vec!["vm/image@FRA-A", "vm/image@HKG-A", "vm/disk", "net/ip"];
    let lines = subsequence(items, 1..=3).prop_flat_map(|items| {
        let amounts = proptest::collection::vec(units(), items.len());
        amounts.prop_map(move |amounts| {
            let line = items
                .iter()
                .zip(&amounts)
                .map(|(item, units)| format!("{item} {units}"));
            line.collect::<Vec<_>>().join(" ")
        })
    });
    let terms = select(vec!["hold 10s", "hold 30s", "hold 90s", "commit"]);
    (id(), select(SCOPES), lines, terms)
        .prop_map(|(id, scope, lines, terms)| format!("reserve {id} {scope} {lines} {terms}"))
}

fn limit() -> impl Strategy<Value = String> {
    let items = [
        "vm/image",
        "vm/image@FRA-A",
        "vm/disk",
        "net/ip",
        "vm/disk@FRA-A",
        "vm/nothing",
    ];
    let at = || (select(SCOPES), select(items.to_vec()));
    prop_oneof![
        4 => (at(), ceiling()).prop_map(|((scope, item), to)| format!("limit {scope} {item} {to}")),
        1 => (at(), ceiling(), 3..30)
            .prop_map(|((scope, item), to, if_)| format!("limit {scope} {item} {to} if {if_}")),
        2 => at().prop_map(|(scope, item)| format!("unlimit {scope} {item}")),
    ]
}

fn catalogue() -> impl Strategy<Value = String> {
    let resources = vec!["vm/image per-location", "vm/image", "vm/disk", "net/ip"];
    let principals = vec![
        "create k1 admin everything",
        "create k1 viewer p",
        "create k2 admin q",
        "disable k1",
        "enable k1",
        "delete k1",
        "delete root",
    ];
    prop_oneof![
        (select(resources), ceiling()).prop_map(|(it, to)| format!("resource {it} default {to}")),
        (0..4, select(SCOPES)).prop_map(|(made, under)| format!("scope n{made} under {under}")),
        (select(SCOPES), select(vec!["x", "y"]))
            .prop_map(|(id, kind)| format!("scope {id} kind {kind}")),
        select(principals).prop_map(str::to_owned),
    ]
}

fn line() -> impl Strategy<Value = String> {
    let settle = (
        select(vec!["commit", "release"]),
        id(),
        select(vec!["acme", "other", "p"]),
    );
    let settle = settle.prop_map(|(verb, id, tenant)| format!("{verb} {id} of {tenant}"));
    let expire = select(SCOPES).prop_map(|scope| format!("expire {scope}"));
    let line =
        prop_oneof![10 => reserve(), 8 => settle, 1 => expire, 4 => limit(), 2 => catalogue()];
    let who = prop_oneof![9 => Just(String::new()), 1 => select(SCOPES).prop_map(|top| format!("as eve@{top} "))];
    (who, line).prop_map(|(who, line)| who + &line)
}

/// Lines, each with the milliseconds that pass before it. Clocks also run backwards.
fn scenario() -> impl Strategy<Value = Vec<(i64, String)>> {
    let pass = prop_oneof![4 => Just(0), 4 => 0..20_000_i64, 1 => -20_000..0_i64];
    proptest::collection::vec((pass, line()), 1..=STEPS_MAX)
}

#[test]
fn laws_hold_on_random_scenarios() {
    let config = Config {
        cases: CASES,
        source_file: Some(file!()),
        ..Config::default()
    };
    let seen = RefCell::new(BTreeMap::new());
    let result = TestRunner::new(config).run(&scenario(), |scenario| {
        play(&scenario, &mut seen.borrow_mut());
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    // The scenarios are worth something: all this has happened, and often.
    let seen = seen.into_inner();
    for (what, least) in [
        ("granted", 500),
        ("quota_exceeded", 500),
        ("lapsed for a reserve", 20),
        ("id_conflict", 100),
        ("state_conflict", 20),
        ("unknown_scope", 100),
    ] {
        assert!(
            seen.get(what).is_some_and(|count| least <= *count),
            "too few `{what}`: {seen:#?}"
        );
    }
}

fn play(scenario: &[(i64, String)], seen: &mut BTreeMap<&'static str, u32>) {
    let mut bench = run("scope team under p\n scope job under team");
    let mut now_ms: u64 = 0;
    for (pass_ms, line) in scenario {
        now_ms = now_ms.saturating_add_signed(*pass_ms);
        let decision = bench.step(&command(line), after_start(now_ms));
        let what = match &decision.outcome {
            Outcome::Done(_) if decision.events.is_empty() => "nothing to do",
            Outcome::Done(_) if line.starts_with("reserve") => "granted",
            Outcome::Done(_) => "done",
            Outcome::Denied(denial) => denial.code(),
        };
        *seen.entry(what).or_default() += 1;
        if line.starts_with("reserve") && 1 < decision.events.len() {
            *seen.entry("lapsed for a reserve").or_default() += 1;
        }
    }
    assert_eq!(World::replay(&bench.log), bench.world, "the log tells all");
    quotas_keep_their_word(&mut bench, after_start(now_ms));
}

/// What is said to be available is granted; one more is not.
///
/// A report takes no time as an argument: it counts holds until they have lapsed.
fn quotas_keep_their_word(bench: &mut Bench, now: Timestamp) {
    let tenants: Vec<ScopeId> = bench
        .world
        .scopes
        .values()
        .map(|row| row.tenant.clone())
        .collect();
    for tenant in tenants {
        bench.step(&command(&format!("expire {tenant}")), now);
    }
    let scopes: Vec<ScopeId> = bench.world.scopes.keys().cloned().collect();
    for scope in scopes {
        for quota in bench.quotas(&Reach::Everything, &scope, &QuotaFilter::default()) {
            keeps_its_word(bench, &scope, &quota, now);
        }
    }
}

fn keeps_its_word(bench: &Bench, scope: &ScopeId, quota: &Quota, now: Timestamp) {
    let place = quota
        .item
        .location
        .as_ref()
        .map_or(String::new(), |id| format!("@{id}"));
    let ask = |units: Amount| {
        let (resource, units) = (&quota.item.resource, units.units());
        let ask = command(&format!(
            "reserve asked {scope} {resource}{place} {units} commit"
        ));
        bench.decide(&ask, now).outcome
    };
    let one = Amount::new(1).expect("an amount");
    let over_by = match quota.ceiling {
        Ceiling::Finite(ceiling) => {
            (quota.used.units() + quota.held.units()).saturating_sub(ceiling.units())
        }
        Ceiling::Unlimited => 0,
    };
    assert_eq!(quota.over_by.units(), over_by, "{quota:#?}");
    match quota.available {
        Ceiling::Finite(available) => {
            if available != Amount::ZERO {
                let granted = ask(available);
                assert!(
                    matches!(granted, Outcome::Done(_)),
                    "{quota:#?}\n{granted:#?}"
                );
            }
            if let Some(more) = available.plus(one) {
                let refused = ask(more);
                let is_refused = matches!(refused, Outcome::Denied(Denial::QuotaExceeded(_)));
                assert!(is_refused, "{quota:#?}\n{refused:#?}");
            }
        }
        Ceiling::Unlimited => {
            if let Outcome::Denied(denial) = ask(one) {
                let Denial::QuotaExceeded(exceeded) = denial else {
                    panic!("{denial:?}");
                };
                let is_all = exceeded
                    .iter()
                    .all(|limit| limit.ceiling == Ceiling::Unlimited);
                assert!(is_all, "only the end of numbers binds: {exceeded:#?}");
            }
        }
    }
}
