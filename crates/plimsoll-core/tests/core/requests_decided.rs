//! Requests that nobody decides: by a resource's rule, and by forgetting.

use expect_test::expect;
use plimsoll_core::bounds::{LIMITS_OF_ITEM_MAX, REQUESTS_OF_TENANT_MAX};
use plimsoll_core::model::RequestStatus;
use plimsoll_core::outcome::{Denial, Done, Outcome};

use crate::bench::Bench;
use crate::script::{check, command, last, run};
use crate::world::{after_start, item, request, scope};

/// The resource's rule approves at its bounds, and not past them.
#[test]
fn automatic() {
    check(
        "
            resource x/y default 4 auto 10 factor 200 cool 60s
            submit q1 p x/y 9
            cancel q1
            submit q2 p x/y 8 # twice as much
            at 59999ms submit q3 p x/y 10
            cancel q3
            at 60s submit q4 p x/y 10
            at 120s submit q5 p x/y 11 # the most that is
        ",
        expect![[r#"
            > resource x/y default 4 auto 10 factor 200 cool 60s
              resource x/y in count, default 4
              catalogue#6 ResourcePut by root at 0s: resource x/y in count, default 4
            > submit q1 p x/y 9
              request q1 #4 of root at 0s: p x/y 9 over 4 ``; pending
              acme#4 RequestSubmitted by root at 0s: request q1 #4 of root at 0s: p x/y 9 over 4 ``; pending
            > cancel q1
              request q1 #5 of root at 0s: p x/y 9 over 4 ``; cancelled by root at 0s ``
              acme#5 RequestCancelled by root at 0s: request q1 #5 of root at 0s: p x/y 9 over 4 ``; cancelled by root at 0s ``
            > submit q2 p x/y 8
              request q2 #7 of root at 0s: p x/y 8 over 4 ``; approved at once 8 as limit #7 by root at 0s `within the resource's rule for automatic approval`
              acme#6 RequestSubmitted by root at 0s: request q2 #6 of root at 0s: p x/y 8 over 4 ``; pending
              acme#7 RequestApproved by root at 0s because `within the resource's rule for automatic approval`: limit p x/y 8 #7 by root at 0s `within the resource's rule for automatic approval` for q2; request q2 #7 of root at 0s: p x/y 8 over 4 ``; approved at once 8 as limit #7 by root at 0s `within the resource's rule for automatic approval`
            > at 59999ms submit q3 p x/y 10
              request q3 #8 of root at 59999ms: p x/y 10 over 8 ``, approved before at 0s; pending
              acme#8 RequestSubmitted by root at 59999ms: request q3 #8 of root at 59999ms: p x/y 10 over 8 ``, approved before at 0s; pending
            > cancel q3
              request q3 #9 of root at 59999ms: p x/y 10 over 8 ``, approved before at 0s; cancelled by root at 59999ms ``
              acme#9 RequestCancelled by root at 59999ms: request q3 #9 of root at 59999ms: p x/y 10 over 8 ``, approved before at 0s; cancelled by root at 59999ms ``
            > at 60s submit q4 p x/y 10
              request q4 #11 of root at 60s: p x/y 10 over 8 ``, approved before at 0s; approved at once 10 as limit #11 by root at 60s `within the resource's rule for automatic approval`
              acme#10 RequestSubmitted by root at 60s: request q4 #10 of root at 60s: p x/y 10 over 8 ``, approved before at 0s; pending
              acme#11 RequestApproved by root at 60s because `within the resource's rule for automatic approval`: limit p x/y 10 #11 by root at 60s `within the resource's rule for automatic approval` for q4; request q4 #11 of root at 60s: p x/y 10 over 8 ``, approved before at 0s; approved at once 10 as limit #11 by root at 60s `within the resource's rule for automatic approval`
            > at 120s submit q5 p x/y 11
              request q5 #12 of root at 120s: p x/y 11 over 10 ``, approved before at 60s; pending
              acme#12 RequestSubmitted by root at 120s: request q5 #12 of root at 120s: p x/y 11 over 10 ``, approved before at 60s; pending
        "#]],
    );
}

/// Where nothing binds or nothing may be taken, and where the rule says less.
#[test]
fn automatic_or_not() {
    check(
        "
            resource x/y default 0 auto 10 factor 200
            submit q1 q x/y unlimited
            cancel q1
            submit q5 p x/y 1 # twice nothing
            resource x/y default 0 auto 10
            submit q2 p x/y 1 # waits for people already
            cancel q5
            cancel q2 # of which nothing was made
            submit q3 p x/y 1
            submit q4 p x/y 2 # at once after the last
            approve q4
            deny q4
        ",
        expect![[r#"
            > resource x/y default 0 auto 10 factor 200
              resource x/y in count, default 0
              catalogue#6 ResourcePut by root at 0s: resource x/y in count, default 0
            > submit q1 q x/y unlimited
              request q1 #4 of root at 0s: q x/y unlimited over 0 ``; pending
              acme#4 RequestSubmitted by root at 0s: request q1 #4 of root at 0s: q x/y unlimited over 0 ``; pending
            > cancel q1
              request q1 #5 of root at 0s: q x/y unlimited over 0 ``; cancelled by root at 0s ``
              acme#5 RequestCancelled by root at 0s: request q1 #5 of root at 0s: q x/y unlimited over 0 ``; cancelled by root at 0s ``
            > submit q5 p x/y 1
              request q5 #6 of root at 0s: p x/y 1 over 0 ``; pending
              acme#6 RequestSubmitted by root at 0s: request q5 #6 of root at 0s: p x/y 1 over 0 ``; pending
            > resource x/y default 0 auto 10
              resource x/y in count, default 0
              catalogue#7 ResourcePut by root at 0s: resource x/y in count, default 0
            > submit q2 p x/y 1
              request q5 #6 of root at 0s: p x/y 1 over 0 ``; pending
            > cancel q5
              request q5 #7 of root at 0s: p x/y 1 over 0 ``; cancelled by root at 0s ``
              acme#7 RequestCancelled by root at 0s: request q5 #7 of root at 0s: p x/y 1 over 0 ``; cancelled by root at 0s ``
            > cancel q2
              DENIED not_found
            > submit q3 p x/y 1
              request q3 #9 of root at 0s: p x/y 1 over 0 ``; approved at once 1 as limit #9 by root at 0s `within the resource's rule for automatic approval`
              acme#8 RequestSubmitted by root at 0s: request q3 #8 of root at 0s: p x/y 1 over 0 ``; pending
              acme#9 RequestApproved by root at 0s because `within the resource's rule for automatic approval`: limit p x/y 1 #9 by root at 0s `within the resource's rule for automatic approval` for q3; request q3 #9 of root at 0s: p x/y 1 over 0 ``; approved at once 1 as limit #9 by root at 0s `within the resource's rule for automatic approval`
            > submit q4 p x/y 2
              request q4 #11 of root at 0s: p x/y 2 over 1 ``, approved before at 0s; approved at once 2 as limit #11 by root at 0s `within the resource's rule for automatic approval`
              acme#10 RequestSubmitted by root at 0s: request q4 #10 of root at 0s: p x/y 2 over 1 ``, approved before at 0s; pending
              acme#11 RequestApproved by root at 0s because `within the resource's rule for automatic approval`: limit p x/y 2 #11 by root at 0s `within the resource's rule for automatic approval` for q4; request q4 #11 of root at 0s: p x/y 2 over 1 ``, approved before at 0s; approved at once 2 as limit #11 by root at 0s `within the resource's rule for automatic approval`
            > approve q4
              request q4 #11 of root at 0s: p x/y 2 over 1 ``, approved before at 0s; approved at once 2 as limit #11 by root at 0s `within the resource's rule for automatic approval`
            > deny q4
              DENIED state_conflict approved
        "#]],
    );
}

/// The last approval counts, also beside one that granted more for a time.
#[test]
fn cool_off_after_the_last() {
    check(
        "
            resource x/y default 1 auto 10 cool 60s
            submit q1 p x/y 20
            approve q1 until 90s
            at 10s submit q2 p x/y 20
            approve q2 5
            at 69999ms submit q3 p x/y 10
            cancel q3
            at 70s submit q4 p x/y 10
        ",
        expect![[r#"
            > resource x/y default 1 auto 10 cool 60s
              resource x/y in count, default 1
              catalogue#6 ResourcePut by root at 0s: resource x/y in count, default 1
            > submit q1 p x/y 20
              request q1 #4 of root at 0s: p x/y 20 over 1 ``; pending
              acme#4 RequestSubmitted by root at 0s: request q1 #4 of root at 0s: p x/y 20 over 1 ``; pending
            > approve q1 until 90s
              request q1 #5 of root at 0s: p x/y 20 over 1 ``; approved 20 until 90s as limit #5 by root at 0s ``
              acme#5 RequestApproved by root at 0s: limit p x/y 20 until 90s #5 by root at 0s `` for q1; request q1 #5 of root at 0s: p x/y 20 over 1 ``; approved 20 until 90s as limit #5 by root at 0s ``
            > at 10s submit q2 p x/y 20
              request q2 #6 of root at 10s: p x/y 20 over 1 ``, approved before at 0s; pending
              acme#6 RequestSubmitted by root at 10s: request q2 #6 of root at 10s: p x/y 20 over 1 ``, approved before at 0s; pending
            > approve q2 5
              request q2 #7 of root at 10s: p x/y 20 over 1 ``, approved before at 0s; approved 5 as limit #7 by root at 10s ``
              acme#7 RequestApproved by root at 10s: limit p x/y 20 until 90s #5 by root at 0s `` for q1 and limit p x/y 5 #7 by root at 10s `` for q2; request q2 #7 of root at 10s: p x/y 20 over 1 ``, approved before at 0s; approved 5 as limit #7 by root at 10s ``
            > at 69999ms submit q3 p x/y 10
              request q3 #8 of root at 69999ms: p x/y 10 over 5 ``, approved before at 10s; pending
              acme#8 RequestSubmitted by root at 69999ms: request q3 #8 of root at 69999ms: p x/y 10 over 5 ``, approved before at 10s; pending
            > cancel q3
              request q3 #9 of root at 69999ms: p x/y 10 over 5 ``, approved before at 10s; cancelled by root at 69999ms ``
              acme#9 RequestCancelled by root at 69999ms: request q3 #9 of root at 69999ms: p x/y 10 over 5 ``, approved before at 10s; cancelled by root at 69999ms ``
            > at 70s submit q4 p x/y 10
              request q4 #11 of root at 70s: p x/y 10 over 5 ``, approved before at 10s; approved at once 10 as limit #11 by root at 70s `within the resource's rule for automatic approval`
              acme#10 RequestSubmitted by root at 70s: request q4 #10 of root at 70s: p x/y 10 over 5 ``, approved before at 10s; pending
              acme#11 RequestApproved by root at 70s because `within the resource's rule for automatic approval`: limit p x/y 20 until 90s #5 by root at 0s `` for q1 and limit p x/y 10 #11 by root at 70s `within the resource's rule for automatic approval` for q4; request q4 #11 of root at 70s: p x/y 10 over 5 ``, approved before at 10s; approved at once 10 as limit #11 by root at 70s `within the resource's rule for automatic approval`
        "#]],
    );
}

/// A rule that cannot set the limit leaves the request to people.
#[test]
fn automatic_where_the_row_is_full() {
    let put = |seconds: usize| format!("limit p x/y 1 until {seconds}s\n");
    let full: String = (1..=LIMITS_OF_ITEM_MAX).map(put).collect();
    let told = last(&format!(
        "resource x/y default 4 auto 10\n {full}\n submit q1 p x/y 9"
    ));
    let Outcome::Done(Done::Request(row)) = told else {
        panic!("{told:?}");
    };
    assert_eq!(row.status, RequestStatus::Pending);
    let told = last(&format!("{full}\n submit q1 p x/y 9\n approve q1").replace("x/y", "net/ip"));
    let max = LIMITS_OF_ITEM_MAX;
    assert_eq!(told, Outcome::Denied(Denial::TooMany { max }));
}

/// A tenant with as many requests as there may be, the last `pending` of them not decided.
fn full_of_requests(pending: usize) -> Bench {
    let mut bench = run("submit w p vm/image 9");
    let row = bench.world.requests.remove(&request("w")).expect("w");
    let denied = run("submit w p vm/image 9\n deny w").world.requests;
    for number in 0..REQUESTS_OF_TENANT_MAX {
        let mut row = row.clone();
        row.id = request(&format!("w{number}"));
        row.submitted_at = after_start(number as u64);
        if number + pending < REQUESTS_OF_TENANT_MAX {
            row.status = denied[&request("w")].status.clone();
        } else {
            row.item = item(&format!("many/x{number}"));
        }
        bench.world.requests.insert(row.id.clone(), row);
    }
    bench
}

/// The oldest that is decided is forgotten for a new one; those that are not stay, and are at last
/// too many.
#[test]
fn forgotten() {
    let submit = command("submit new p vm/image 9");
    let told = |bench: &Bench| {
        let decision = bench.decide(&submit, after_start(5_000));
        let mut world = bench.world.clone();
        for event in &decision.events {
            world.apply(event);
        }
        (decision.outcome, world)
    };
    let (outcome, world) = told(&full_of_requests(5));
    assert!(matches!(outcome, Outcome::Done(Done::Request(_))));
    assert_eq!(world.requests.len(), REQUESTS_OF_TENANT_MAX);
    assert!(!world.requests.contains_key(&request("w0")));
    assert!(world.requests.contains_key(&request("w1")));

    // One less, and none is forgotten; those of another tenant do not count.
    let mut bench = full_of_requests(5);
    let mut row = bench.world.requests.remove(&request("w7")).expect("w7");
    let (_, world) = told(&bench);
    assert!(world.requests.contains_key(&request("w0")));
    (row.tenant, row.scope) = (scope("other"), scope("z"));
    bench.world.requests.insert(row.id.clone(), row);
    let (_, world) = told(&bench);
    assert!(world.requests.contains_key(&request("w0")));

    let max = REQUESTS_OF_TENANT_MAX;
    let (outcome, _) = told(&full_of_requests(max));
    assert_eq!(outcome, Outcome::Denied(Denial::TooMany { max }));
}

/// An approval is remembered whatever became of its limit, and a first limit above others is for
/// people to decide.
#[test]
fn what_no_rule_approves() {
    check(
        "
        resource x/y default 1 auto 10 cool 60s
        submit q1 p x/y 2
        limit p x/y 3
        submit q2 p x/y 4
        submit q3 acme x/y 2
        reserve r1 p x/y 2 commit
        reserve r2 q x/y 1 commit
        approve q3 2
        approve q3 3
        ",
        expect![[r#"
            > resource x/y default 1 auto 10 cool 60s
              resource x/y in count, default 1
              catalogue#6 ResourcePut by root at 0s: resource x/y in count, default 1
            > submit q1 p x/y 2
              request q1 #5 of root at 0s: p x/y 2 over 1 ``; approved at once 2 as limit #5 by root at 0s `within the resource's rule for automatic approval`
              acme#4 RequestSubmitted by root at 0s: request q1 #4 of root at 0s: p x/y 2 over 1 ``; pending
              acme#5 RequestApproved by root at 0s because `within the resource's rule for automatic approval`: limit p x/y 2 #5 by root at 0s `within the resource's rule for automatic approval` for q1; request q1 #5 of root at 0s: p x/y 2 over 1 ``; approved at once 2 as limit #5 by root at 0s `within the resource's rule for automatic approval`
            > limit p x/y 3
              limit p x/y 3 #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit p x/y 3 #6 by root at 0s ``
            > submit q2 p x/y 4
              request q2 #7 of root at 0s: p x/y 4 over 3 ``, approved before at 0s; pending
              acme#7 RequestSubmitted by root at 0s: request q2 #7 of root at 0s: p x/y 4 over 3 ``, approved before at 0s; pending
            > submit q3 acme x/y 2
              request q3 #8 of root at 0s: acme x/y 2 over 1 ``; pending
              acme#8 RequestSubmitted by root at 0s: request q3 #8 of root at 0s: acme x/y 2 over 1 ``; pending
            > reserve r1 p x/y 2 commit
              r1 committed #9: 2 x/y of p
              acme#9 Reserved by root at 0s: p x/y 2+0; acme x/y 2+0; r1 committed #9: 2 x/y of p
            > reserve r2 q x/y 1 commit
              r2 committed #10: 1 x/y of q
              acme#10 Reserved by root at 0s: q x/y 1+0; acme x/y 3+0; r2 committed #10: 1 x/y of q
            > approve q3 2
              DENIED not_an_increase 3 binds
            > approve q3 3
              request q3 #11 of root at 0s: acme x/y 2 over 1 ``; approved 3 as limit #11 by root at 0s ``
              acme#11 RequestApproved by root at 0s: limit acme x/y 3 #11 by root at 0s `` for q3; request q3 #11 of root at 0s: acme x/y 2 over 1 ``; approved 3 as limit #11 by root at 0s ``
        "#]],
    );
}

/// A caller who did not hear the answer asks again.
#[test]
fn what_was_granted_in_full_is_told_again() {
    check(
        "
        resource x/y default 1 auto 10
        submit q1 p x/y 2
        submit q2 p x/y 2
        limit p x/y 1
        submit q3 p x/y 2
        ",
        expect![[r#"
            > resource x/y default 1 auto 10
              resource x/y in count, default 1
              catalogue#6 ResourcePut by root at 0s: resource x/y in count, default 1
            > submit q1 p x/y 2
              request q1 #5 of root at 0s: p x/y 2 over 1 ``; approved at once 2 as limit #5 by root at 0s `within the resource's rule for automatic approval`
              acme#4 RequestSubmitted by root at 0s: request q1 #4 of root at 0s: p x/y 2 over 1 ``; pending
              acme#5 RequestApproved by root at 0s because `within the resource's rule for automatic approval`: limit p x/y 2 #5 by root at 0s `within the resource's rule for automatic approval` for q1; request q1 #5 of root at 0s: p x/y 2 over 1 ``; approved at once 2 as limit #5 by root at 0s `within the resource's rule for automatic approval`
            > submit q2 p x/y 2
              request q1 #5 of root at 0s: p x/y 2 over 1 ``; approved at once 2 as limit #5 by root at 0s `within the resource's rule for automatic approval`
            > limit p x/y 1
              limit p x/y 1 #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit p x/y 1 #6 by root at 0s ``
            > submit q3 p x/y 2
              request q3 #8 of root at 0s: p x/y 2 over 1 ``, approved before at 0s; approved at once 2 as limit #8 by root at 0s `within the resource's rule for automatic approval`
              acme#7 RequestSubmitted by root at 0s: request q3 #7 of root at 0s: p x/y 2 over 1 ``, approved before at 0s; pending
              acme#8 RequestApproved by root at 0s because `within the resource's rule for automatic approval`: limit p x/y 2 #8 by root at 0s `within the resource's rule for automatic approval` for q3; request q3 #8 of root at 0s: p x/y 2 over 1 ``, approved before at 0s; approved at once 2 as limit #8 by root at 0s `within the resource's rule for automatic approval`
        "#]],
    );
}
