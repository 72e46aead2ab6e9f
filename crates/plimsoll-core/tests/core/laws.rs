//! Laws, on random commands over a world with everything in it.
//!
//! Most of them are held against every single step: see [`crate::bench`] and [`crate::auditor`].
//! A failure prints the seed, and the shortest scenario that still fails.

use std::cell::RefCell;
use std::collections::BTreeMap;

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::event::{Cause, Change, Event, Mark};
use plimsoll_core::model::{Item, Reach};
use plimsoll_core::names::ScopeId;
use plimsoll_core::outcome::{Decision, Denial, Done, Outcome};
use plimsoll_core::report::{Quota, QuotaFilter};
use plimsoll_core::rows::Rows;
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

/// Mostly of one tenant, so that much happens there.
fn scope() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => select(&SCOPES[..5]), 1 => select(SCOPES)]
}

fn id() -> impl Strategy<Value = String> {
    (0..6).prop_map(|number| format!("r{number}"))
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

/// Some lines, each with the words that follow its item.
fn lines_of(words: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let items = vec!["vm/image@FRA-A", "vm/image@HKG-A", "vm/disk", "net/ip"];
    subsequence(items, 1..=3).prop_flat_map(move |items| {
        let words = proptest::collection::vec(words.clone(), items.len());
        words.prop_map(move |words| {
            let line = items
                .iter()
                .zip(&words)
                .map(|(item, words)| format!("{item} {words}"));
            line.collect::<Vec<_>>().join(" ")
        })
    })
}

fn lines() -> impl Strategy<Value = String> {
    lines_of(units().boxed())
}

fn force() -> impl Strategy<Value = &'static str> {
    prop_oneof![9 => Just(""), 1 => Just(" force incident")]
}

fn reserve() -> impl Strategy<Value = String> {
    let words = prop_oneof![
        4 => units(),
        1 => (1..4_u32, 0..9_u32).prop_map(|(least, more)| format!("{} least {least}", least + more)),
    ];
    let terms = select(vec!["hold 10s", "hold 30s", "hold 90s", "commit"]);
    (id(), scope(), lines_of(words.boxed()), terms, force()).prop_map(
        |(id, scope, lines, terms, force)| format!("reserve {id} {scope} {lines} {terms}{force}"),
    )
}

/// The changes of a reservation, some of them with the revision that their caller believes in.
fn change() -> impl Strategy<Value = String> {
    let of = || (id(), scope()).prop_map(|(id, scope)| format!("{id} of {scope}"));
    let settle = (select(vec!["commit", "release"]), of());
    let settle = settle.prop_map(|(verb, of)| format!("{verb} {of}"));
    let part = (select(vec!["commit", "release"]), of(), lines());
    let part = part.prop_map(|(verb, of, lines)| format!("{verb} {of} {lines}"));
    let extend = (of(), select(vec!["5s", "30s", "90s"]));
    let extend = extend.prop_map(|(of, ttl)| format!("extend {of} {ttl}"));
    let resize = (of(), lines(), force());
    let resize = resize.prop_map(|(of, lines, force)| format!("resize {of} {lines}{force}"));
    let transfer = (of(), scope(), force());
    let transfer = transfer.prop_map(|(of, to, force)| format!("transfer {of} to {to}{force}"));
    let expected = prop_oneof![
        9 => Just(String::new()),
        1 => (3..40_u32).prop_map(|revision| format!(" if {revision}")),
    ];
    let verb = prop_oneof![5 => settle, 4 => part, 3 => extend, 5 => resize, 4 => transfer];
    (verb, expected).prop_map(|(verb, expected)| verb + &expected)
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
    let expire = select(SCOPES).prop_map(|scope| format!("expire {scope}"));
    let forget = (select(SCOPES), 0..200_u32);
    let forget = forget.prop_map(|(scope, before)| format!("forget {scope} before {before}s"));
    let line = prop_oneof![
        10 => reserve(),
        14 => change(),
        1 => expire,
        1 => forget,
        4 => limit(),
        2 => catalogue(),
    ];
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
        ("reserved", 500),
        ("cut", 50),
        ("committed", 60),
        ("released", 100),
        ("part kept or let go", 25),
        ("extended", 50),
        ("resized", 100),
        ("transferred", 50),
        ("forgotten", 10),
        ("forced", 100),
        ("refused to reserve", 500),
        ("refused to resize", 80),
        ("refused to transfer", 8),
        ("lapsed for others", 60),
        ("id_conflict", 100),
        ("state_conflict", 20),
        ("not_a_part", 20),
        ("other_tenant", 15),
        ("precondition_failed", 20),
        ("unknown_scope", 100),
    ] {
        assert!(
            seen.get(what).is_some_and(|count| least <= *count),
            "too few `{what}`: {seen:#?}"
        );
    }
}

fn play(scenario: &[(i64, String)], seen: &mut BTreeMap<&'static str, u32>) {
    let mut bench = run("
        scope team under p
        scope job under team
        resource net/ip default 3
    ");
    let mut now_ms: u64 = 0;
    for (pass_ms, line) in scenario {
        now_ms = now_ms.saturating_add_signed(*pass_ms);
        let decision = bench.step(&command(line), after_start(now_ms));
        for what in told(&decision, line) {
            *seen.entry(what).or_default() += 1;
        }
    }
    no_unmarked_event_passes_a_limit(&bench.log);
    assert_eq!(World::replay(&bench.log), bench.world, "the log tells all");
    quotas_keep_their_word(&mut bench, after_start(now_ms));
}

/// What has happened, in words.
fn told(decision: &Decision, line: &str) -> Vec<&'static str> {
    let verb = line
        .split_whitespace()
        .find(|word| !word.contains('@') && *word != "as");
    let mut told = match (&decision.outcome, verb) {
        (Outcome::Denied(Denial::QuotaExceeded(_)), Some("resize")) => vec!["refused to resize"],
        (Outcome::Denied(Denial::QuotaExceeded(_)), Some("transfer")) => {
            vec!["refused to transfer"]
        }
        (Outcome::Denied(Denial::QuotaExceeded(_)), _) => vec!["refused to reserve"],
        (Outcome::Denied(denial), _) => vec![denial.code()],
        (Outcome::Done(Done::Reservation(row)), _) => {
            let is_cut = row
                .original
                .as_ref()
                .is_some_and(|original| *original.asked.lines() != row.lines);
            match decision.events.last().map(|event| event.cause) {
                None => vec!["nothing to do"],
                Some(Cause::Reserved) if is_cut => vec!["reserved", "cut"],
                Some(Cause::Reserved) => vec!["reserved"],
                Some(Cause::Committed) if is_cut => vec!["committed", "part kept or let go"],
                Some(Cause::Committed) => vec!["committed"],
                Some(Cause::Released) if row.state.is_live() => vec!["part kept or let go"],
                Some(Cause::Released) => vec!["released"],
                Some(Cause::Extended) => vec!["extended"],
                Some(Cause::Resized) => vec!["resized"],
                Some(Cause::Transferred) => vec!["transferred"],
                Some(_) => vec!["done"],
            }
        }
        (Outcome::Done(Done::Forgotten { reservations: 1.. }), _) => vec!["forgotten"],
        (Outcome::Done(_), _) => vec!["done"],
    };
    let is_forced = |event: &Event| event.mark != Mark::Enforced;
    told.extend(decision.events.iter().any(is_forced).then_some("forced"));
    let lapsed = decision.events.first().map(|event| event.cause) == Some(Cause::Expired);
    told.extend((lapsed && 1 < decision.events.len()).then_some("lapsed for others"));
    told
}

/// From the log alone: an account becomes heavier than its limit only where the event says so;
/// and it becomes heavier only by what is reserved, resized or transferred.
fn no_unmarked_event_passes_a_limit(log: &[Event]) {
    let mut world = World::default();
    for event in log {
        let user = event.changes.iter().find_map(|change| match change {
            Change::Reservation(row) => Some(&row.scope),
            _ => None,
        });
        for change in &event.changes {
            let Change::Account {
                scope,
                item,
                account,
            } = change
            else {
                continue;
            };
            if account.taken() <= world.account(scope, item).taken() {
                continue;
            }
            let grows = [Cause::Reserved, Cause::Resized, Cause::Transferred];
            assert!(grows.contains(&event.cause), "{event:#?}");
            let limit = |location| {
                let resource = item.resource.clone();
                world.limit(scope, &Item { resource, location })
            };
            let limit = limit(item.location.clone()).or_else(|| limit(None));
            let default = (user == Some(scope)).then(|| &world.resources[&item.resource]);
            let ceiling = limit
                .map(|limit| limit.ceiling)
                .or(default.map(|resource| resource.default_ceiling));
            let within = ceiling.is_none_or(|ceiling| account.taken() <= ceiling.amount());
            assert!(within || event.mark != Mark::Enforced, "{event:#?}");
        }
        world.apply(event);
    }
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
