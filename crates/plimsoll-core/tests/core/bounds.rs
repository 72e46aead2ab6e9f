//! What is bounded, at its bound.

use plimsoll_core::amount::Timestamp;
use plimsoll_core::bounds::{
    AMOUNT_MAX, EXPIRE_HOLDS_MAX, FITS_AT_HOLDS_MAX, FITS_AT_LINES_MAX, FORGET_RESERVATIONS_MAX,
    HOLD_TTL_MS_MAX, RESERVATION_LINES_MAX, TIMESTAMP_MS_MAX,
};
use plimsoll_core::command::ReservationKey;
use plimsoll_core::event::{Cause, Change};
use plimsoll_core::model::{Account, State};
use plimsoll_core::outcome::{Decision, Denial, Done, Outcome};

use crate::bench::Bench;
use crate::script::{command, run};
use crate::world::{after_start, amount, item, reservation, scope};

/// A world in which `p` holds one `vm/disk` each second from 1 to `count`, up to its limit.
fn full_of_holds(count: usize) -> Bench {
    let mut bench = run(&format!(
        "limit p vm/disk {count}\n reserve r p vm/disk 1 hold 1s"
    ));
    let key = (scope("acme"), reservation("r"));
    let hold = bench.world.reservations.remove(&key).expect("the hold");
    for number in 1..=count {
        let mut hold = hold.clone();
        hold.id = reservation(&format!("r{number}"));
        hold.state = State::Held {
            expires_at: after_start(1_000 * number as u64),
        };
        bench
            .world
            .reservations
            .insert((scope("acme"), hold.id.clone()), hold);
    }
    for above in ["p", "acme"] {
        let account = Account {
            held: amount(count as u64),
            ..Account::default()
        };
        bench
            .world
            .accounts
            .insert((scope(above), item("vm/disk")), account);
    }
    bench.world.assert_sums();
    bench
}

fn fits_at(decision: &Decision) -> Option<Timestamp> {
    match &decision.outcome {
        Outcome::Denied(Denial::QuotaExceeded(exceeded)) => exceeded[0].fits_at,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_expire_lets_so_many_holds_lapse() {
    let mut bench = full_of_holds(EXPIRE_HOLDS_MAX + 1);
    let late = after_start(9_999_999);
    let expire = command("expire acme");
    for lapsed in [EXPIRE_HOLDS_MAX, 1, 0] {
        let decision = bench.decide(&expire, late);
        assert_eq!(
            decision.outcome,
            Outcome::Done(Done::Expired { holds: lapsed })
        );
        assert_eq!(decision.events.len(), lapsed);
        for event in &decision.events {
            bench.world.apply(event);
        }
        bench.world.assert_sums();
    }
}

/// The earliest first, as one event, and the rest another time.
#[test]
fn one_forget_forgets_so_many() {
    let mut bench = run("reserve r p vm/disk 1 commit\n release r");
    let tenant = scope("acme");
    let key = (tenant.clone(), reservation("r"));
    let ended = bench.world.reservations.remove(&key).expect("the end");
    let count = FORGET_RESERVATIONS_MAX + 1;
    for number in 1..=count {
        let mut ended = ended.clone();
        // Later ends have smaller ids: it is the end that counts.
        ended.id = reservation(&format!("r{}", 2 * count - number));
        ended.state = State::Released {
            ended_at: after_start(number as u64),
        };
        let key = (tenant.clone(), ended.id.clone());
        bench.world.reservations.insert(key, ended);
    }
    let forget = command("forget acme before 9999s");
    let mut next = 1;
    for reservations in [FORGET_RESERVATIONS_MAX, 1, 0] {
        let decision = bench.decide(&forget, after_start(9_999_000));
        assert_eq!(
            decision.outcome,
            Outcome::Done(Done::Forgotten { reservations })
        );
        assert_eq!(decision.events.len(), reservations.min(1));
        for event in &decision.events {
            for change in &event.changes {
                let id = reservation(&format!("r{}", 2 * count - next));
                let tenant = tenant.clone();
                assert_eq!(
                    *change,
                    Change::ReservationGone(ReservationKey { tenant, id })
                );
                next += 1;
            }
            bench.world.apply(event);
        }
    }
    assert!(bench.world.reservations.is_empty());
}

/// An admission lets all of them lapse: else it would refuse what fits.
#[test]
fn one_reserve_lets_all_holds_lapse() {
    let count = EXPIRE_HOLDS_MAX + 1;
    let bench = full_of_holds(count);
    let ask = command(&format!("reserve x p vm/disk {count} commit"));
    let decision = bench.decide(&ask, after_start(1_000 * count as u64));
    assert!(
        matches!(decision.outcome, Outcome::Done(_)),
        "{:?}",
        decision.outcome
    );
    let lapsed = decision
        .events
        .iter()
        .filter(|event| event.cause == Cause::Expired);
    assert_eq!(lapsed.count(), count);
}

#[test]
fn fits_at_looks_at_so_many_holds() {
    let bench = full_of_holds(FITS_AT_HOLDS_MAX + 2);
    let fits_at = |units: usize, now: u64| {
        let ask = command(&format!("reserve x p vm/disk {units} commit"));
        fits_at(&bench.decide(&ask, after_start(now)))
    };
    let last = FITS_AT_HOLDS_MAX as u64 * 1_000;
    assert_eq!(fits_at(1, 0), Some(after_start(1_000)));
    assert_eq!(fits_at(FITS_AT_HOLDS_MAX, 0), Some(after_start(last)));
    assert_eq!(fits_at(FITS_AT_HOLDS_MAX + 1, 0), None);
    // Holds that are due have lapsed and are not among those looked at.
    assert_eq!(
        fits_at(FITS_AT_HOLDS_MAX + 2, 2_000),
        Some(after_start(last + 2_000))
    );
}

/// And at so many of their lines, in the order in which they lapse.
#[test]
fn fits_at_looks_at_so_many_lines() {
    let holds = FITS_AT_LINES_MAX / RESERVATION_LINES_MAX;
    let line = |number: usize| format!(" many/x{number} 1");
    let lines: String = (0..RESERVATION_LINES_MAX).map(line).collect();
    let mut made: Vec<String> = (0..RESERVATION_LINES_MAX)
        .map(|number| format!("resource many/x{number} default {}", holds + 2))
        .collect();
    made.extend((1..=holds + 2).map(|number| format!("reserve r{number} p{lines} hold {number}s")));
    let bench = run(&made.join("\n"));
    let fits_at = |number: usize, units: usize| {
        let ask = command(&format!("reserve x p many/x{number} {units} commit"));
        fits_at(&bench.decide(&ask, after_start(0)))
    };
    let at = |hold: usize| Some(after_start(1_000 * hold as u64));
    // The hold after those whose lines are all looked at is looked at in part.
    let part = FITS_AT_LINES_MAX % RESERVATION_LINES_MAX;
    assert_eq!((holds, part), (31, 16));
    assert_eq!(fits_at(0, holds), at(holds));
    assert_eq!(fits_at(part, holds), at(holds));
    assert_eq!(fits_at(part - 1, holds + 1), at(holds + 1));
    assert_eq!(fits_at(part, holds + 1), None);
    assert_eq!(fits_at(0, holds + 2), None);
}

/// What is short is told as an amount; where it is more than one, nothing ever fits.
#[test]
fn what_can_never_fit_does_not_fit_in_the_end() {
    let mut bench = run("reserve r1 p vm/disk MAX hold 300s\n limit p vm/disk 5");
    let decision = bench.step(&command("reserve r2 p vm/disk MAX commit"), after_start(0));
    let Outcome::Denied(Denial::QuotaExceeded(exceeded)) = &decision.outcome else {
        panic!("{decision:?}");
    };
    assert_eq!(exceeded[0].short_by.units(), AMOUNT_MAX);
    assert_eq!(exceeded[0].fits_at, None);
    assert_eq!(
        exceeded[1].fits_at,
        Some(after_start(300_000)),
        "the tenant has no limit"
    );
}

/// The largest reservation there is: all lines, in the deepest scope.
#[test]
fn the_largest_reservation() {
    let mut bench = run("scope s2 under acme");
    let mut step = |line: &str| bench.step(&command(line), after_start(0));
    for depth in 3..=8 {
        step(&format!("scope s{depth} under s{}", depth - 1));
    }
    let mut ask = String::from("reserve r1 s8");
    for number in 0..RESERVATION_LINES_MAX {
        step(&format!("resource many/x{number} default 1"));
        ask += &format!(" many/x{number} 1");
    }
    let granted = step(&(ask.clone() + " hold 300s"));
    let accounts = granted.events[0].changes.iter();
    let accounts = accounts.filter(|change| matches!(change, Change::Account { .. }));
    assert_eq!(accounts.count(), 8 * RESERVATION_LINES_MAX);
    let refused = step(&(ask.replace("r1", "r2") + " commit"));
    let Outcome::Denied(Denial::QuotaExceeded(exceeded)) = refused.outcome else {
        panic!("{refused:?}");
    };
    assert_eq!(exceeded.len(), RESERVATION_LINES_MAX);
}

/// A hold near the end of time lapses at the end of time.
#[test]
fn the_end_of_time() {
    let mut bench = run("");
    let almost = Timestamp::from_ms(TIMESTAMP_MS_MAX - 1).expect("in range");
    let end = Timestamp::from_ms(TIMESTAMP_MS_MAX).expect("in range");
    let decision = bench.step(&command("reserve r1 p vm/disk 1 hold 300s"), almost);
    let Outcome::Done(Done::Reservation(row)) = decision.outcome else {
        panic!("{decision:?}");
    };
    assert_eq!(row.state, State::Held { expires_at: end });
    let decision = bench.step(&command("extend r1 300s"), almost);
    assert_eq!(decision.events, [], "there is no later end");
    let decision = bench.step(&command("expire acme"), end);
    assert_eq!(decision.outcome, Outcome::Done(Done::Expired { holds: 1 }));
}

/// The longest hold, extended to the longest again.
#[test]
fn the_longest_hold() {
    let mut bench = run("");
    let mut until = |line: String, at_ms: u64| {
        let decision = bench.step(&command(&line), after_start(at_ms));
        let Outcome::Done(Done::Reservation(row)) = decision.outcome else {
            panic!("{decision:?}");
        };
        row.state
    };
    let held = |ms: u64| State::Held {
        expires_at: after_start(ms),
    };
    let longest = HOLD_TTL_MS_MAX;
    let reserve = format!("reserve r1 p vm/disk 1 hold {longest}ms");
    assert_eq!(until(reserve, 0), held(longest));
    let extend = format!("extend r1 {longest}ms");
    assert_eq!(until(extend.clone(), longest - 1), held(2 * longest - 1));
    assert_eq!(until(extend, 2 * longest - 2), held(3 * longest - 2));
}
