//! Rows that contradict each other: nothing is decided on them.

use plimsoll_core::amount::Amount;
use plimsoll_core::decide::decide;
use plimsoll_core::event::{Cause, Change, Event, Head, Log, Mark};
use plimsoll_core::invariants::{accounts_of, may_follow, own_of};
use plimsoll_core::model::Account;
use plimsoll_core::outcome::{Breach, Decision};
use plimsoll_core::rows::Rows;

use crate::fence::Fenced;
use crate::script::{command, run};
use crate::world::{World, after_start, amount, item, principal, reservation, scope};

fn decided(world: &World, line: &str, at_ms: u64) -> Result<Decision, Breach> {
    let command = command(line);
    let footprint = command.footprint();
    decide(
        &Fenced::new(world, &footprint),
        &command,
        after_start(at_ms),
    )
}

fn breach(what: &'static str) -> Breach {
    let log = Log::Tenant(scope("acme"));
    Breach { log, what }
}

/// An account that is smaller than what it counts, at any scope.
#[test]
fn figures_that_do_not_hold_what_is_held() {
    for above in ["p", "acme"] {
        let mut world =
            run("reserve r1 p vm/disk 2 hold 10s\n reserve r2 p vm/disk 2 commit").world;
        let account = Account {
            used: amount(1),
            held: amount(1),
        };
        world
            .accounts
            .insert((scope(above), item("vm/disk")), account);
        let smaller = Err(breach("an account is not what it counts"));
        assert_eq!(decided(&world, "commit r1", 0), smaller);
        assert_eq!(decided(&world, "release r1", 0), smaller);
        assert_eq!(decided(&world, "release r2", 0), smaller);
        assert_eq!(decided(&world, "commit r1 vm/disk 1", 0), smaller);
        assert_eq!(decided(&world, "release r2 vm/disk 1", 0), smaller);
        assert_eq!(decided(&world, "resize r1 vm/disk 1", 0), smaller);
        assert_eq!(decided(&world, "resize r2 vm/disk 3 force f", 0), smaller);
        assert_eq!(decided(&world, "transfer r2 to q", 0), smaller);
        // Those that would let it lapse.
        assert_eq!(decided(&world, "expire acme", 10_000), smaller);
        assert_eq!(decided(&world, "commit r1", 10_000), smaller);
        assert_eq!(decided(&world, "release r1", 10_000), smaller);
        assert_eq!(decided(&world, "extend r1 9s", 10_000), smaller);
        assert_eq!(decided(&world, "resize r1 vm/disk 1", 10_000), smaller);
        assert_eq!(decided(&world, "transfer r1 to q", 10_000), smaller);
        assert_eq!(
            decided(&world, "reserve r1 p vm/disk 2 hold 10s", 10_000),
            smaller
        );
        assert_eq!(
            decided(&world, "reserve r3 p vm/disk MAX commit", 10_000),
            smaller
        );
    }
}

/// A way up that ends before the tenant: nobody is charged for half of it.
#[test]
fn a_scope_that_does_not_lead_to_its_tenant() {
    let mut world = run("scope team under p\n reserve r1 team vm/disk 2 hold 10s").world;
    world.scopes.remove(&scope("p"));
    let lost = Err(breach("a scope does not lead to its tenant"));
    assert_eq!(decided(&world, "reserve r2 team vm/disk 1 commit", 0), lost);
    assert_eq!(decided(&world, "commit r1", 0), lost);
    assert_eq!(decided(&world, "resize r1 vm/disk 1", 0), lost);
    assert_eq!(decided(&world, "expire acme", 10_000), lost);
}

#[test]
fn a_reservation_in_no_scope() {
    let mut world = run("reserve r1 p vm/disk 2 hold 10s").world;
    world.scopes.remove(&scope("p"));
    let lost = breach("a reservation is in a scope that does not exist");
    assert_eq!(decided(&world, "expire acme", 10_000), Err(lost.clone()));
    assert_eq!(
        accounts_of(&world, world.reservations.values().flat_map(own_of)),
        Err(lost.clone())
    );
    assert_eq!(
        lost.to_string(),
        "tenant `acme` is inconsistent: a reservation is in a scope that does not exist",
    );
}

#[test]
fn reservations_that_add_up_to_more_than_an_amount() {
    let mut world = run("reserve r1 p vm/disk MAX commit").world;
    let mut second = world.reservations.values().next().expect("r1").clone();
    second.id = reservation("r2");
    world
        .reservations
        .insert((scope("acme"), second.id.clone()), second);
    let more = breach("the reservations add up to more than an amount");
    assert_eq!(
        accounts_of(&world, world.reservations.values().flat_map(own_of)),
        Err(more)
    );
}

#[test]
fn events_that_may_not_follow() {
    let head = Head {
        revision: 7,
        at: after_start(10),
    };
    let account = |used: Amount, held: Amount| Change::Account {
        scope: scope("p"),
        item: item("vm/disk"),
        account: Account { used, held },
    };
    let event = |revision, at_ms, change| Event {
        log: Log::Tenant(scope("acme")),
        revision,
        at: after_start(at_ms),
        actor: principal("root"),
        cause: Cause::Reserved,
        reason: None,
        mark: Mark::Enforced,
        changes: vec![change],
        crossed: Vec::new(),
    };
    let full = || account(Amount::MAX, Amount::ZERO);
    let over = || account(Amount::MAX, amount(1));
    let gap = Err(breach("an event does not have the next revision"));
    assert_eq!(may_follow(head, &event(8, 10, full())), Ok(()));
    assert_eq!(may_follow(head, &event(9, 10, full())), gap);
    assert_eq!(may_follow(head, &event(7, 10, full())), gap);
    let early = Err(breach("an event is earlier than the one before"));
    assert_eq!(may_follow(head, &event(8, 9, full())), early);
    let much = Err(breach("an account holds more than an amount"));
    assert_eq!(may_follow(head, &event(8, 10, over())), much);
    let last = Head {
        revision: u64::MAX,
        ..head
    };
    assert_eq!(may_follow(last, &event(u64::MAX, 10, full())), gap);
}

/// At the last revision there is, a decision is still made; it is the check before the commit
/// that stops it.
#[test]
fn revisions_do_not_wrap() {
    let mut world = run("").world;
    let log = Log::Tenant(scope("acme"));
    let last = Head {
        revision: u64::MAX,
        ..world.head(&log)
    };
    world.heads.insert(log, last);
    let decision = decided(&world, "reserve r1 p vm/disk 1 commit", 0).expect("a decision");
    assert!(may_follow(last, &decision.events[0]).is_err());
}
