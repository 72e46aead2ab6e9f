//! Requests: a wish for more, and what becomes of it.

use expect_test::expect;
use plimsoll_core::outcome::{Denial, Done, Outcome};

use crate::script::{check, last};

/// Granted fully: the limit and the request carry each other's name, and what was refused fits.
#[test]
fn granted() {
    check(
        "
            as pat@p submit q1 p vm/image@FRA-A 5 because launch
            at 5s approve q1 because fine
            reserve r1 p vm/image@FRA-A 6 commit
            reserve r1 p vm/image@FRA-A 5 commit
            quotas p vm/image at FRA-A
        ",
        expect![[r#"
            > as pat@p submit q1 p vm/image@FRA-A 5 because launch
              request q1 #4 of pat at 0s: p vm/image@FRA-A 5 over 3 `launch`; pending
              acme#4 RequestSubmitted by pat at 0s because `launch`: request q1 #4 of pat at 0s: p vm/image@FRA-A 5 over 3 `launch`; pending
            > at 5s approve q1 because fine
              request q1 #5 of pat at 0s: p vm/image@FRA-A 5 over 3 `launch`; approved 5 as limit #5 by root at 5s `fine`
              acme#5 RequestApproved by root at 5s because `fine`: limit p vm/image@FRA-A 5 #5 by root at 5s `fine` for q1; request q1 #5 of pat at 0s: p vm/image@FRA-A 5 over 3 `launch`; approved 5 as limit #5 by root at 5s `fine`
            > reserve r1 p vm/image@FRA-A 6 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 5 by limit #5 vm/image@FRA-A of root `fine` for q1; used 0 held 0 asked 6, short by 1; 6 would do; fits never
            > reserve r1 p vm/image@FRA-A 5 commit
              r1 committed #6: 5 vm/image@FRA-A of p
              acme#6 Reserved by root at 5s: p vm/image@FRA-A 5+0; acme vm/image@FRA-A 5+0; r1 committed #6: 5 vm/image@FRA-A of p
            > quotas p vm/image at FRA-A
              vm/image@FRA-A count: 5 used 5 held 0, available 0, over by 0
                3 by default at p, leaves 0
                5 by limit #5 vm/image@FRA-A of root `fine` for q1 at p, leaves 0
        "#]],
    );
}

/// In part, for a time, and past any number.
#[test]
fn granted_otherwise() {
    check(
        "
            submit q1 p vm/image 9
            approve q1 5 because enough
            submit q2 p vm/image 9 # of which this is more again
            approve q2 until 60s
            check p vm/image@FRA-A 10
            at 60s check p vm/image@FRA-A 10
            submit q3 p vm/image unlimited
            approve q3
            submit q4 p vm/image unlimited
            submit q5 q vm/image 4
            approve q5 until 60s
            approve q5 until dawn
            approve q5 until 60001ms
        ",
        expect![[r#"
            > submit q1 p vm/image 9
              request q1 #4 of root at 0s: p vm/image 9 over 3 ``; pending
              acme#4 RequestSubmitted by root at 0s: request q1 #4 of root at 0s: p vm/image 9 over 3 ``; pending
            > approve q1 5 because enough
              request q1 #5 of root at 0s: p vm/image 9 over 3 ``; approved 5 as limit #5 by root at 0s `enough`
              acme#5 RequestApproved by root at 0s because `enough`: limit p vm/image 5 #5 by root at 0s `enough` for q1; request q1 #5 of root at 0s: p vm/image 9 over 3 ``; approved 5 as limit #5 by root at 0s `enough`
            > submit q2 p vm/image 9
              request q2 #6 of root at 0s: p vm/image 9 over 5 ``, approved before at 0s; pending
              acme#6 RequestSubmitted by root at 0s: request q2 #6 of root at 0s: p vm/image 9 over 5 ``, approved before at 0s; pending
            > approve q2 until 60s
              request q2 #7 of root at 0s: p vm/image 9 over 5 ``, approved before at 0s; approved 9 until 60s as limit #7 by root at 0s ``
              acme#7 RequestApproved by root at 0s: limit p vm/image 5 #5 by root at 0s `enough` for q1 and limit p vm/image 9 until 60s #7 by root at 0s `` for q2; request q2 #7 of root at 0s: p vm/image 9 over 5 ``, approved before at 0s; approved 9 until 60s as limit #7 by root at 0s ``
            > check p vm/image@FRA-A 10
              DENIED quota_exceeded
                at p vm/image@FRA-A: 9 by limit #7 vm/image until 60s of root `` for q2; used 0 held 0 asked 10, short by 1; 10 would do; fits never
            > at 60s check p vm/image@FRA-A 10
              DENIED quota_exceeded
                at p vm/image@FRA-A: 5 by limit #5 vm/image of root `enough` for q1; used 0 held 0 asked 10, short by 5; 10 would do; fits never
            > submit q3 p vm/image unlimited
              request q3 #8 of root at 60s: p vm/image unlimited over 5 ``, approved before at 0s; pending
              acme#8 RequestSubmitted by root at 60s: request q3 #8 of root at 60s: p vm/image unlimited over 5 ``, approved before at 0s; pending
            > approve q3
              request q3 #9 of root at 60s: p vm/image unlimited over 5 ``, approved before at 0s; approved unlimited as limit #9 by root at 60s ``
              acme#9 RequestApproved by root at 60s: limit p vm/image unlimited #9 by root at 60s `` for q3; request q3 #9 of root at 60s: p vm/image unlimited over 5 ``, approved before at 0s; approved unlimited as limit #9 by root at 60s ``
            > submit q4 p vm/image unlimited
              request q3 #9 of root at 60s: p vm/image unlimited over 5 ``, approved before at 0s; approved unlimited as limit #9 by root at 60s ``
            > submit q5 q vm/image 4
              request q5 #10 of root at 60s: q vm/image 4 over 3 ``; pending
              acme#10 RequestSubmitted by root at 60s: request q5 #10 of root at 60s: q vm/image 4 over 3 ``; pending
            > approve q5 until 60s
              DENIED ends_in_the_past
            > approve q5 until dawn
              DENIED ends_in_the_past
            > approve q5 until 60001ms
              request q5 #11 of root at 60s: q vm/image 4 over 3 ``; approved 4 until 60001ms as limit #11 by root at 60s ``
              acme#11 RequestApproved by root at 60s: limit q vm/image 4 until 60001ms #11 by root at 60s `` for q5; request q5 #11 of root at 60s: q vm/image 4 over 3 ``; approved 4 until 60001ms as limit #11 by root at 60s ``
        "#]],
    );
}

/// Every command for every status.
#[test]
fn table() {
    let decided = [
        ("", "pending"),
        ("approve q1", "approved"),
        ("deny q1 because no", "denied"),
        ("cancel q1 because moot", "cancelled"),
    ];
    let verbs = [
        ("approve q1", "approved"),
        ("deny q1 because late", "denied"),
        ("cancel q1 because late", "cancelled"),
    ];
    for (first, status) in decided {
        for (verb, becomes) in verbs {
            let told = last(&format!("submit q1 p vm/image 5\n {first}\n {verb}"));
            if status == "pending" || status == becomes {
                let Outcome::Done(Done::Request(row)) = told else {
                    panic!("{verb} of {status}: {told:?}");
                };
                assert_eq!(row.status.name(), becomes, "{verb} of {status}");
                // What was decided first stays as it was.
                assert_eq!(row.revision, 5, "{verb} of {status}");
            } else {
                let state = status;
                assert_eq!(
                    told,
                    Outcome::Denied(Denial::StateConflict { state }),
                    "{verb} of {status}"
                );
            }
        }
        let again = last(&format!(
            "submit q1 p vm/image 5\n {first}\n submit q1 p vm/image 6"
        ));
        assert_eq!(again, Outcome::Denied(Denial::IdConflict), "{status}");
    }
    for verb in ["approve q1", "deny q1", "cancel q1"] {
        assert_eq!(last(verb), Outcome::Denied(Denial::NotFound));
    }
}

/// To approve once more is to be told, with the same terms alone.
#[test]
fn approved_again() {
    check(
        "
            submit q1 p vm/image 9
            approve q1 5 until 60s
            approve q1 5 until 60s because again
            approve q1 5
            approve q1 until 60s
            approve q1
            deny q1
            cancel q1
            submit q2 p vm/image 9
            deny q2 because no
            deny q2 because still
            cancel q2
            submit q3 p vm/image 9
            cancel q3 because moot
            cancel q3
        ",
        expect![[r#"
            > submit q1 p vm/image 9
              request q1 #4 of root at 0s: p vm/image 9 over 3 ``; pending
              acme#4 RequestSubmitted by root at 0s: request q1 #4 of root at 0s: p vm/image 9 over 3 ``; pending
            > approve q1 5 until 60s
              request q1 #5 of root at 0s: p vm/image 9 over 3 ``; approved 5 until 60s as limit #5 by root at 0s ``
              acme#5 RequestApproved by root at 0s: limit p vm/image 5 until 60s #5 by root at 0s `` for q1; request q1 #5 of root at 0s: p vm/image 9 over 3 ``; approved 5 until 60s as limit #5 by root at 0s ``
            > approve q1 5 until 60s because again
              request q1 #5 of root at 0s: p vm/image 9 over 3 ``; approved 5 until 60s as limit #5 by root at 0s ``
            > approve q1 5
              DENIED state_conflict approved
            > approve q1 until 60s
              DENIED state_conflict approved
            > approve q1
              DENIED state_conflict approved
            > deny q1
              DENIED state_conflict approved
            > cancel q1
              DENIED state_conflict approved
            > submit q2 p vm/image 9
              request q2 #6 of root at 0s: p vm/image 9 over 3 ``, approved before at 0s; pending
              acme#6 RequestSubmitted by root at 0s: request q2 #6 of root at 0s: p vm/image 9 over 3 ``, approved before at 0s; pending
            > deny q2 because no
              request q2 #7 of root at 0s: p vm/image 9 over 3 ``, approved before at 0s; denied by root at 0s `no`
              acme#7 RequestDenied by root at 0s because `no`: request q2 #7 of root at 0s: p vm/image 9 over 3 ``, approved before at 0s; denied by root at 0s `no`
            > deny q2 because still
              request q2 #7 of root at 0s: p vm/image 9 over 3 ``, approved before at 0s; denied by root at 0s `no`
            > cancel q2
              DENIED state_conflict denied
            > submit q3 p vm/image 9
              request q3 #8 of root at 0s: p vm/image 9 over 3 ``, approved before at 0s; pending
              acme#8 RequestSubmitted by root at 0s: request q3 #8 of root at 0s: p vm/image 9 over 3 ``, approved before at 0s; pending
            > cancel q3 because moot
              request q3 #9 of root at 0s: p vm/image 9 over 3 ``, approved before at 0s; cancelled by root at 0s `moot`
              acme#9 RequestCancelled by root at 0s because `moot`: request q3 #9 of root at 0s: p vm/image 9 over 3 ``, approved before at 0s; cancelled by root at 0s `moot`
            > cancel q3
              request q3 #9 of root at 0s: p vm/image 9 over 3 ``, approved before at 0s; cancelled by root at 0s `moot`
        "#]],
    );
}

/// One is pending at a time for a scope and an item; the same wish again is told of it.
#[test]
fn pending() {
    check(
        "
            submit q1 p vm/image 9 because x
            submit q2 p vm/image 9 because x
            submit q2 p vm/image 9 because y
            submit q2 p vm/image 8 because x
            submit q2 p vm/image@FRA-A 9
            submit q3 q vm/image 9
            deny q1
            submit q4 p vm/image 8
        ",
        expect![[r#"
            > submit q1 p vm/image 9 because x
              request q1 #4 of root at 0s: p vm/image 9 over 3 `x`; pending
              acme#4 RequestSubmitted by root at 0s because `x`: request q1 #4 of root at 0s: p vm/image 9 over 3 `x`; pending
            > submit q2 p vm/image 9 because x
              request q1 #4 of root at 0s: p vm/image 9 over 3 `x`; pending
            > submit q2 p vm/image 9 because y
              DENIED request_pending q1
            > submit q2 p vm/image 8 because x
              DENIED request_pending q1
            > submit q2 p vm/image@FRA-A 9
              request q2 #5 of root at 0s: p vm/image@FRA-A 9 over 3 ``; pending
              acme#5 RequestSubmitted by root at 0s: request q2 #5 of root at 0s: p vm/image@FRA-A 9 over 3 ``; pending
            > submit q3 q vm/image 9
              request q3 #6 of root at 0s: q vm/image 9 over 3 ``; pending
              acme#6 RequestSubmitted by root at 0s: request q3 #6 of root at 0s: q vm/image 9 over 3 ``; pending
            > deny q1
              request q1 #7 of root at 0s: p vm/image 9 over 3 `x`; denied by root at 0s ``
              acme#7 RequestDenied by root at 0s: request q1 #7 of root at 0s: p vm/image 9 over 3 `x`; denied by root at 0s ``
            > submit q4 p vm/image 8
              request q4 #8 of root at 0s: p vm/image 8 over 3 ``; pending
              acme#8 RequestSubmitted by root at 0s: request q4 #8 of root at 0s: p vm/image 8 over 3 ``; pending
        "#]],
    );
}

/// What makes no sense, in order.
#[test]
fn denied() {
    check(
        "
            submit q1 nowhere vm/image 9
            submit q1 p vm/nothing 9
            submit q1 p vm/image@MOON 9
            submit q1 p vm/disk@FRA-A 9
            resource net/ip default 0 fixed
            submit q1 p net/ip 9
            submit q1 p vm/image 3
            submit q1 p vm/disk unlimited
            limit p vm/disk MAX
            submit q1 p vm/disk unlimited
            submit q1 p vm/image 4
            submit q1 q vm/image 4
            resource vm/image per-location default 3 fixed
            approve q1 # what was asked while it could be
        ",
        expect![[r#"
            > submit q1 nowhere vm/image 9
              DENIED unknown_scope nowhere
            > submit q1 p vm/nothing 9
              DENIED unknown_resource vm/nothing
            > submit q1 p vm/image@MOON 9
              DENIED unknown_location MOON
            > submit q1 p vm/disk@FRA-A 9
              DENIED location_not_applicable vm/disk
            > resource net/ip default 0 fixed
              resource net/ip in count, default 0
              catalogue#6 ResourcePut by root at 0s: resource net/ip in count, default 0
            > submit q1 p net/ip 9
              DENIED not_adjustable net/ip
            > submit q1 p vm/image 3
              DENIED not_an_increase 3 binds
            > submit q1 p vm/disk unlimited
              DENIED not_an_increase unlimited binds
            > limit p vm/disk MAX
              limit p vm/disk MAX #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk MAX #4 by root at 0s ``
            > submit q1 p vm/disk unlimited
              DENIED not_an_increase MAX binds
            > submit q1 p vm/image 4
              request q1 #5 of root at 0s: p vm/image 4 over 3 ``; pending
              acme#5 RequestSubmitted by root at 0s: request q1 #5 of root at 0s: p vm/image 4 over 3 ``; pending
            > submit q1 q vm/image 4
              DENIED id_conflict
            > resource vm/image per-location default 3 fixed
              resource vm/image in count per location, default 3
              catalogue#7 ResourcePut by root at 0s: resource vm/image in count per location, default 3
            > approve q1
              request q1 #6 of root at 0s: p vm/image 4 over 3 ``; approved 4 as limit #6 by root at 0s ``
              acme#6 RequestApproved by root at 0s: limit p vm/image 4 #6 by root at 0s `` for q1; request q1 #6 of root at 0s: p vm/image 4 over 3 ``; approved 4 as limit #6 by root at 0s ``
        "#]],
    );
}

/// Other tenants and other projects do not see it.
#[test]
fn reach() {
    check(
        "
            as pat@p submit q1 p vm/image 9
            as pat@p submit q2 q vm/image 9
            as pat@p submit q2 acme vm/image 9
            as eve@other submit q2 p vm/image 9
            as eve@other submit q1 z vm/image 9 # the id is taken, and not to be seen
            as eve@other approve q1
            as eve@other deny q1
            as eve@other cancel q1
            as sam@q cancel q1
            as pat@p cancel q1
            as ann@acme submit q2 p vm/image 9
            as ann@acme approve q2
        ",
        expect![[r#"
            > as pat@p submit q1 p vm/image 9
              request q1 #4 of pat at 0s: p vm/image 9 over 3 ``; pending
              acme#4 RequestSubmitted by pat at 0s: request q1 #4 of pat at 0s: p vm/image 9 over 3 ``; pending
            > as pat@p submit q2 q vm/image 9
              DENIED unknown_scope q
            > as pat@p submit q2 acme vm/image 9
              DENIED unknown_scope acme
            > as eve@other submit q2 p vm/image 9
              DENIED unknown_scope p
            > as eve@other submit q1 z vm/image 9
              DENIED id_conflict
            > as eve@other approve q1
              DENIED not_found
            > as eve@other deny q1
              DENIED not_found
            > as eve@other cancel q1
              DENIED not_found
            > as sam@q cancel q1
              DENIED not_found
            > as pat@p cancel q1
              request q1 #5 of pat at 0s: p vm/image 9 over 3 ``; cancelled by pat at 0s ``
              acme#5 RequestCancelled by pat at 0s: request q1 #5 of pat at 0s: p vm/image 9 over 3 ``; cancelled by pat at 0s ``
            > as ann@acme submit q2 p vm/image 9
              request q2 #6 of ann at 0s: p vm/image 9 over 3 ``; pending
              acme#6 RequestSubmitted by ann at 0s: request q2 #6 of ann at 0s: p vm/image 9 over 3 ``; pending
            > as ann@acme approve q2
              request q2 #7 of ann at 0s: p vm/image 9 over 3 ``; approved 9 as limit #7 by ann at 0s ``
              acme#7 RequestApproved by ann at 0s: limit p vm/image 9 #7 by ann at 0s `` for q2; request q2 #7 of ann at 0s: p vm/image 9 over 3 ``; approved 9 as limit #7 by ann at 0s ``
        "#]],
    );
}

/// Of several things that are wrong the first is told.
#[test]
fn precedence() {
    check(
        "
            submit q1 p vm/image 4
            resource net/ip default 0 fixed
            submit q1 nowhere vm/nothing 4
            submit q1 p net/ip 0 # the id is taken, it is not adjustable, and no more than there is
            submit q2 p net/ip 0
            submit q2 p vm/image 3 # another is pending, and it is no more than there is
            limit p vm/image 9
            submit q2 p vm/image 4 # no increase any more, and still the same wish
            scope p under q tier tin # no such tier, and elsewhere
            at 5s limit p vm/disk 1 until 5s if 7
        ",
        expect![[r#"
            > submit q1 p vm/image 4
              request q1 #4 of root at 0s: p vm/image 4 over 3 ``; pending
              acme#4 RequestSubmitted by root at 0s: request q1 #4 of root at 0s: p vm/image 4 over 3 ``; pending
            > resource net/ip default 0 fixed
              resource net/ip in count, default 0
              catalogue#6 ResourcePut by root at 0s: resource net/ip in count, default 0
            > submit q1 nowhere vm/nothing 4
              DENIED unknown_scope nowhere
            > submit q1 p net/ip 0
              DENIED id_conflict
            > submit q2 p net/ip 0
              DENIED not_adjustable net/ip
            > submit q2 p vm/image 3
              DENIED request_pending q1
            > limit p vm/image 9
              limit p vm/image 9 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/image 9 #5 by root at 0s ``
            > submit q2 p vm/image 4
              request q1 #4 of root at 0s: p vm/image 4 over 3 ``; pending
            > scope p under q tier tin
              DENIED unknown_tier tin
            > at 5s limit p vm/disk 1 until 5s if 7
              DENIED precondition_failed nothing is there
        "#]],
    );
}
