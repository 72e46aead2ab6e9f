//! Laws, on random commands over a world with everything in it.
//!
//! Most of them are held against every single step: see [`crate::bench`] and [`crate::auditor`].
//! A failure prints the seed, and the shortest scenario that still fails.

use std::cell::RefCell;
use std::collections::BTreeMap;

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::event::{Cause, Change, Event, Mark};
use plimsoll_core::model::{Item, Limit, Reach};
use plimsoll_core::names::ScopeId;
use plimsoll_core::outcome::{Decision, Denial, Done, Outcome};
use plimsoll_core::report::{Quota, QuotaFilter};
use plimsoll_core::rows::Rows;
use proptest::test_runner::{Config, TestRunner};

use crate::bench::{Bench, granted};
use crate::random::{WORLD, scenario};
use crate::script::{command, run};
use crate::world::{World, after_start};

/// Random scenarios.
const CASES: u32 = 2_000;

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
        ("reserved", 1000),
        ("cut", 50),
        ("committed", 60),
        ("released", 100),
        ("part kept or let go", 25),
        ("extended", 50),
        ("resized", 100),
        ("transferred", 50),
        ("forgotten", 10),
        ("forced", 100),
        ("mended", 50),
        ("passed", 100),
        ("warned", 50),
        ("crossed", 200),
        ("requested", 50),
        ("approved", 50),
        ("closed", 20),
        ("counted", 20),
        ("ends_in_the_past", 20),
        ("not_an_increase", 20),
        ("request_pending", 5),
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
    let mut bench = run(WORLD);
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
        (Outcome::Done(done), _) if granted(done).is_some() => {
            let (row, _) = granted(done).expect("a reservation");
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
    for event in &decision.events {
        told.extend(match (event.cause, &event.mark) {
            (_, Mark::Forced { .. }) => Some("forced"),
            (_, Mark::Mended { .. }) => Some("mended"),
            (_, Mark::Passed { .. }) => Some("passed"),
            (Cause::RequestSubmitted, _) => Some("requested"),
            (Cause::RequestApproved, _) => Some("approved"),
            (Cause::RequestDenied | Cause::RequestCancelled, _) => Some("closed"),
            (Cause::RefusalsCounted, _) => Some("counted"),
            _ => None,
        });
        told.extend((!event.crossed.is_empty()).then_some("crossed"));
    }
    let is_warned = matches!(decision.outcome, Outcome::Done(Done::Warned(..)));
    told.extend(is_warned.then_some("warned"));
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
            let any = Item {
                resource: item.resource.clone(),
                location: None,
            };
            let limit = |item: &Item| Limit::in_force(world.limits(scope, item), event.at);
            let limit = limit(item).or_else(|| limit(&any));
            let tier = world.scopes[scope].tier.as_ref().map(|it| &world.tiers[it]);
            let tier = tier.and_then(|it| it.limits.of(item).or_else(|| it.limits.of(&any)));
            let default = (user == Some(scope)).then(|| &world.resources[&item.resource]);
            let ceiling = limit
                .map(|limit| limit.ceiling)
                .or(tier.map(|limit| limit.ceiling))
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
        for quota in bench.quotas(&Reach::Everything, &scope, &QuotaFilter::default(), now) {
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
