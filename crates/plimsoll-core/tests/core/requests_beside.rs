//! What a request asks for beside the limits that are there: some end, some have begun, some were
//! granted; some bind at another level.

use expect_test::expect;

use crate::script::check;

/// It is asked for until further notice, so what ends is neither too much nor too little: a higher
/// limit for a time may be made to last, a lower one does not make the standing one lower.
#[test]
fn beside_limits_for_a_time() {
    check(
        "
            limit p vm/disk 10
            limit p vm/disk 20 until 60s because sale
            submit q1 p vm/disk 10
            submit q1 p vm/disk 20
            approve q1
            at 60s check p vm/disk 21
            limit q vm/disk 10
            limit q vm/disk 5 until 120s because freeze
            submit q2 q vm/disk 8
            submit q2 q vm/disk 12
            approve q2
            check q vm/disk 6
            at 120s check q vm/disk 13
        ",
        expect![[r#"
            > limit p vm/disk 10
              limit p vm/disk 10 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 10 #4 by root at 0s ``
            > limit p vm/disk 20 until 60s because sale
              limit p vm/disk 20 until 60s #5 by root at 0s `sale`
              acme#5 LimitPut by root at 0s because `sale`: limit p vm/disk 10 #4 by root at 0s `` and limit p vm/disk 20 until 60s #5 by root at 0s `sale`
            > submit q1 p vm/disk 10
              DENIED not_an_increase 10 binds
            > submit q1 p vm/disk 20
              request q1 #6 of root at 0s: p vm/disk 20 over 10 ``; pending
              acme#6 RequestSubmitted by root at 0s: request q1 #6 of root at 0s: p vm/disk 20 over 10 ``; pending
            > approve q1
              request q1 #7 of root at 0s: p vm/disk 20 over 10 ``; approved 20 as limit #7 by root at 0s ``
              acme#7 RequestApproved by root at 0s: limit p vm/disk 20 until 60s #5 by root at 0s `sale` and limit p vm/disk 20 #7 by root at 0s `` for q1; request q1 #7 of root at 0s: p vm/disk 20 over 10 ``; approved 20 as limit #7 by root at 0s ``
            > at 60s check p vm/disk 21
              DENIED quota_exceeded
                at p vm/disk: 20 by limit #7 vm/disk of root `` for q1; used 0 held 0 asked 21, short by 1; 21 would do; fits never
            > limit q vm/disk 10
              limit q vm/disk 10 #8 by root at 60s ``
              acme#8 LimitPut by root at 60s: limit q vm/disk 10 #8 by root at 60s ``
            > limit q vm/disk 5 until 120s because freeze
              limit q vm/disk 5 until 120s #9 by root at 60s `freeze`
              acme#9 LimitPut by root at 60s because `freeze`: limit q vm/disk 10 #8 by root at 60s `` and limit q vm/disk 5 until 120s #9 by root at 60s `freeze`
            > submit q2 q vm/disk 8
              DENIED not_an_increase 10 binds
            > submit q2 q vm/disk 12
              request q2 #10 of root at 60s: q vm/disk 12 over 10 ``; pending
              acme#10 RequestSubmitted by root at 60s: request q2 #10 of root at 60s: q vm/disk 12 over 10 ``; pending
            > approve q2
              request q2 #11 of root at 60s: q vm/disk 12 over 10 ``; approved 12 as limit #11 by root at 60s ``
              acme#11 RequestApproved by root at 60s: limit q vm/disk 5 until 120s #9 by root at 60s `freeze` and limit q vm/disk 12 #11 by root at 60s `` for q2; request q2 #11 of root at 60s: q vm/disk 12 over 10 ``; approved 12 as limit #11 by root at 60s ``
            > check q vm/disk 6
              DENIED quota_exceeded
                at q vm/disk: 5 by limit #9 vm/disk until 120s of root `freeze`; used 0 held 0 asked 6, short by 1; 6 would do; fits never
            > at 120s check q vm/disk 13
              DENIED quota_exceeded
                at q vm/disk: 12 by limit #11 vm/disk of root `` for q2; used 0 held 0 asked 13, short by 1; 13 would do; fits never
        "#]],
    );
}

/// A limit for any location is what binds until further notice where one for the exact location
/// ends.
#[test]
fn beside_limits_for_a_time_at_one_location() {
    check(
        "
            limit p vm/image 10
            limit p vm/image@FRA-A 5 until 60s
            submit q1 p vm/image@FRA-A 8
            tier gold vm/image 7
            scope q under acme tier gold
            limit q vm/image@FRA-A 5 until 60s
            submit q1 q vm/image@FRA-A 7
            submit q1 q vm/image@FRA-A 8
        ",
        expect![[r#"
            > limit p vm/image 10
              limit p vm/image 10 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/image 10 #4 by root at 0s ``
            > limit p vm/image@FRA-A 5 until 60s
              limit p vm/image@FRA-A 5 until 60s #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/image@FRA-A 5 until 60s #5 by root at 0s ``
            > submit q1 p vm/image@FRA-A 8
              DENIED not_an_increase 10 binds
            > tier gold vm/image 7
              tier gold: vm/image 7
              catalogue#6 TierPut by root at 0s: tier gold: vm/image 7
            > scope q under acme tier gold
              scope q under acme of acme depth 2 `` tier gold
              acme#6 ScopePut by root at 0s: scope q under acme of acme depth 2 `` tier gold
            > limit q vm/image@FRA-A 5 until 60s
              limit q vm/image@FRA-A 5 until 60s #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit q vm/image@FRA-A 5 until 60s #7 by root at 0s ``
            > submit q1 q vm/image@FRA-A 7
              DENIED not_an_increase 7 binds
            > submit q1 q vm/image@FRA-A 8
              request q1 #8 of root at 0s: q vm/image@FRA-A 8 over 7 ``; pending
              acme#8 RequestSubmitted by root at 0s: request q1 #8 of root at 0s: q vm/image@FRA-A 8 over 7 ``; pending
        "#]],
    );
}

/// It begins with the limit that it replaces: or else that one would go before it for good.
#[test]
fn beside_limits_that_have_begun() {
    check(
        "
            limit p vm/disk 5 from 10s because year
            limit p vm/disk 3
            at 10s submit q1 p vm/disk 5
            submit q1 p vm/disk 9
            approve q1 8
            check p vm/disk 9
            submit q2 p vm/disk 20
            approve q2 until 20s
            check p vm/disk 21
            at 20s check p vm/disk 21
            limit p vm/disk 2 from 30s # not begun
            submit q3 p vm/disk 9
            approve q3
            submit q4 q vm/disk 1
        ",
        expect![[r#"
            > limit p vm/disk 5 from 10s because year
              limit p vm/disk 5 from 10s #4 by root at 0s `year`
              acme#4 LimitPut by root at 0s because `year`: limit p vm/disk 5 from 10s #4 by root at 0s `year`
            > limit p vm/disk 3
              limit p vm/disk 3 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/disk 5 from 10s #4 by root at 0s `year` and limit p vm/disk 3 #5 by root at 0s ``
            > at 10s submit q1 p vm/disk 5
              DENIED not_an_increase 5 binds
            > submit q1 p vm/disk 9
              request q1 #6 of root at 10s: p vm/disk 9 over 5 ``; pending
              acme#6 RequestSubmitted by root at 10s: request q1 #6 of root at 10s: p vm/disk 9 over 5 ``; pending
            > approve q1 8
              request q1 #7 of root at 10s: p vm/disk 9 over 5 ``; approved 8 as limit #7 by root at 10s ``
              acme#7 RequestApproved by root at 10s: limit p vm/disk 3 #5 by root at 0s `` and limit p vm/disk 8 from 10s #7 by root at 10s `` for q1; request q1 #7 of root at 10s: p vm/disk 9 over 5 ``; approved 8 as limit #7 by root at 10s ``
            > check p vm/disk 9
              DENIED quota_exceeded
                at p vm/disk: 8 by limit #7 vm/disk from 10s of root `` for q1; used 0 held 0 asked 9, short by 1; 9 would do; fits never
            > submit q2 p vm/disk 20
              request q2 #8 of root at 10s: p vm/disk 20 over 8 ``, approved before at 10s; pending
              acme#8 RequestSubmitted by root at 10s: request q2 #8 of root at 10s: p vm/disk 20 over 8 ``, approved before at 10s; pending
            > approve q2 until 20s
              request q2 #9 of root at 10s: p vm/disk 20 over 8 ``, approved before at 10s; approved 20 until 20s as limit #9 by root at 10s ``
              acme#9 RequestApproved by root at 10s: limit p vm/disk 3 #5 by root at 0s `` and limit p vm/disk 8 from 10s #7 by root at 10s `` for q1 and limit p vm/disk 20 from 10s until 20s #9 by root at 10s `` for q2; request q2 #9 of root at 10s: p vm/disk 20 over 8 ``, approved before at 10s; approved 20 until 20s as limit #9 by root at 10s ``
            > check p vm/disk 21
              DENIED quota_exceeded
                at p vm/disk: 20 by limit #9 vm/disk from 10s until 20s of root `` for q2; used 0 held 0 asked 21, short by 1; 21 would do; fits never
            > at 20s check p vm/disk 21
              DENIED quota_exceeded
                at p vm/disk: 8 by limit #7 vm/disk from 10s of root `` for q1; used 0 held 0 asked 21, short by 13; 21 would do; fits never
            > limit p vm/disk 2 from 30s
              limit p vm/disk 2 from 30s #10 by root at 20s ``
              acme#10 LimitPut by root at 20s: limit p vm/disk 3 #5 by root at 0s `` and limit p vm/disk 8 from 10s #7 by root at 10s `` for q1 and limit p vm/disk 2 from 30s #10 by root at 20s ``
            > submit q3 p vm/disk 9
              request q3 #11 of root at 20s: p vm/disk 9 over 8 ``, approved before at 10s; pending
              acme#11 RequestSubmitted by root at 20s: request q3 #11 of root at 20s: p vm/disk 9 over 8 ``, approved before at 10s; pending
            > approve q3
              request q3 #12 of root at 20s: p vm/disk 9 over 8 ``, approved before at 10s; approved 9 as limit #12 by root at 20s ``
              acme#12 RequestApproved by root at 20s: limit p vm/disk 3 #5 by root at 0s `` and limit p vm/disk 2 from 30s #10 by root at 20s `` and limit p vm/disk 9 from 10s #12 by root at 20s `` for q3; request q3 #12 of root at 20s: p vm/disk 9 over 8 ``, approved before at 10s; approved 9 as limit #12 by root at 20s ``
            > submit q4 q vm/disk 1
              DENIED not_an_increase unlimited binds
        "#]],
    );
}

/// What was granted less for less long does not go before what is granted now; what was granted
/// more, or is none of a request, stays.
#[test]
fn beside_what_was_granted() {
    check(
        "
            resource vm/disk default 1
            submit q1 p vm/disk 10
            approve q1 until 60s
            submit q2 p vm/disk 20
            approve q2 until 90s
            submit q3 p vm/disk 30
            approve q3 until 30s
            submit q4 p vm/disk 25
            limit p vm/disk 2 until 40s because freeze
            approve q4
            at 30s check p vm/disk 26
            at 40s check p vm/disk 26
        ",
        expect![[r#"
            > resource vm/disk default 1
              resource vm/disk in count, default 1
              catalogue#6 ResourcePut by root at 0s: resource vm/disk in count, default 1
            > submit q1 p vm/disk 10
              request q1 #4 of root at 0s: p vm/disk 10 over 1 ``; pending
              acme#4 RequestSubmitted by root at 0s: request q1 #4 of root at 0s: p vm/disk 10 over 1 ``; pending
            > approve q1 until 60s
              request q1 #5 of root at 0s: p vm/disk 10 over 1 ``; approved 10 until 60s as limit #5 by root at 0s ``
              acme#5 RequestApproved by root at 0s: limit p vm/disk 10 until 60s #5 by root at 0s `` for q1; request q1 #5 of root at 0s: p vm/disk 10 over 1 ``; approved 10 until 60s as limit #5 by root at 0s ``
            > submit q2 p vm/disk 20
              request q2 #6 of root at 0s: p vm/disk 20 over 1 ``, approved before at 0s; pending
              acme#6 RequestSubmitted by root at 0s: request q2 #6 of root at 0s: p vm/disk 20 over 1 ``, approved before at 0s; pending
            > approve q2 until 90s
              request q2 #7 of root at 0s: p vm/disk 20 over 1 ``, approved before at 0s; approved 20 until 90s as limit #7 by root at 0s ``
              acme#7 RequestApproved by root at 0s: limit p vm/disk 20 until 90s #7 by root at 0s `` for q2; request q2 #7 of root at 0s: p vm/disk 20 over 1 ``, approved before at 0s; approved 20 until 90s as limit #7 by root at 0s ``
            > submit q3 p vm/disk 30
              request q3 #8 of root at 0s: p vm/disk 30 over 1 ``, approved before at 0s; pending
              acme#8 RequestSubmitted by root at 0s: request q3 #8 of root at 0s: p vm/disk 30 over 1 ``, approved before at 0s; pending
            > approve q3 until 30s
              request q3 #9 of root at 0s: p vm/disk 30 over 1 ``, approved before at 0s; approved 30 until 30s as limit #9 by root at 0s ``
              acme#9 RequestApproved by root at 0s: limit p vm/disk 20 until 90s #7 by root at 0s `` for q2 and limit p vm/disk 30 until 30s #9 by root at 0s `` for q3; request q3 #9 of root at 0s: p vm/disk 30 over 1 ``, approved before at 0s; approved 30 until 30s as limit #9 by root at 0s ``
            > submit q4 p vm/disk 25
              request q4 #10 of root at 0s: p vm/disk 25 over 1 ``, approved before at 0s; pending
              acme#10 RequestSubmitted by root at 0s: request q4 #10 of root at 0s: p vm/disk 25 over 1 ``, approved before at 0s; pending
            > limit p vm/disk 2 until 40s because freeze
              limit p vm/disk 2 until 40s #11 by root at 0s `freeze`
              acme#11 LimitPut by root at 0s because `freeze`: limit p vm/disk 20 until 90s #7 by root at 0s `` for q2 and limit p vm/disk 30 until 30s #9 by root at 0s `` for q3 and limit p vm/disk 2 until 40s #11 by root at 0s `freeze`
            > approve q4
              request q4 #12 of root at 0s: p vm/disk 25 over 1 ``, approved before at 0s; approved 25 as limit #12 by root at 0s ``
              acme#12 RequestApproved by root at 0s: limit p vm/disk 30 until 30s #9 by root at 0s `` for q3 and limit p vm/disk 2 until 40s #11 by root at 0s `freeze` and limit p vm/disk 25 #12 by root at 0s `` for q4; request q4 #12 of root at 0s: p vm/disk 25 over 1 ``, approved before at 0s; approved 25 as limit #12 by root at 0s ``
            > at 30s check p vm/disk 26
              DENIED quota_exceeded
                at p vm/disk: 2 by limit #11 vm/disk until 40s of root `freeze`; used 0 held 0 asked 26, short by 24; 26 would do; fits never
            > at 40s check p vm/disk 26
              DENIED quota_exceeded
                at p vm/disk: 25 by limit #12 vm/disk of root `` for q4; used 0 held 0 asked 26, short by 1; 26 would do; fits never
        "#]],
    );
}

/// Who asks for more is not bound harder than before: what warned warns, a tier's ceiling too.
#[test]
fn beside_limits_that_let_pass() {
    check(
        "
            limit p vm/disk 5 warn
            limit p vm/disk 4 until 60s
            submit q1 p vm/disk 8
            approve q1
            tier gold net/ip 1 observe
            scope q under acme tier gold
            submit q2 q net/ip 2
            approve q2
        ",
        expect![[r#"
            > limit p vm/disk 5 warn
              limit p vm/disk 5 that warns #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 5 that warns #4 by root at 0s ``
            > limit p vm/disk 4 until 60s
              limit p vm/disk 4 until 60s #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/disk 5 that warns #4 by root at 0s `` and limit p vm/disk 4 until 60s #5 by root at 0s ``
            > submit q1 p vm/disk 8
              request q1 #6 of root at 0s: p vm/disk 8 over 5 ``; pending
              acme#6 RequestSubmitted by root at 0s: request q1 #6 of root at 0s: p vm/disk 8 over 5 ``; pending
            > approve q1
              request q1 #7 of root at 0s: p vm/disk 8 over 5 ``; approved 8 as limit #7 by root at 0s ``
              acme#7 RequestApproved by root at 0s: limit p vm/disk 4 until 60s #5 by root at 0s `` and limit p vm/disk 8 that warns #7 by root at 0s `` for q1; request q1 #7 of root at 0s: p vm/disk 8 over 5 ``; approved 8 as limit #7 by root at 0s ``
            > tier gold net/ip 1 observe
              tier gold: net/ip 1 that observes
              catalogue#6 TierPut by root at 0s: tier gold: net/ip 1 that observes
            > scope q under acme tier gold
              scope q under acme of acme depth 2 `` tier gold
              acme#8 ScopePut by root at 0s: scope q under acme of acme depth 2 `` tier gold
            > submit q2 q net/ip 2
              request q2 #9 of root at 0s: q net/ip 2 over 1 ``; pending
              acme#9 RequestSubmitted by root at 0s: request q2 #9 of root at 0s: q net/ip 2 over 1 ``; pending
            > approve q2
              request q2 #10 of root at 0s: q net/ip 2 over 1 ``; approved 2 as limit #10 by root at 0s ``
              acme#10 RequestApproved by root at 0s: limit q net/ip 2 that observes #10 by root at 0s `` for q2; request q2 #10 of root at 0s: q net/ip 2 over 1 ``; approved 2 as limit #10 by root at 0s ``
        "#]],
    );
}

/// A refusal names both levels that bind; the two wishes that cure it, once granted, admit what was
/// refused, and not one more.
#[test]
fn two_levels() {
    check(
        "
            scope team under p
            limit acme vm/disk 10
            limit p vm/disk 4
            limit team vm/disk 3
            reserve r1 team vm/disk 2 commit
            reserve r2 q vm/disk 7 commit
            reserve r3 team vm/disk 2 commit
            as pat@team submit q1 team vm/disk 4 because r3
            as pat@acme submit q2 acme vm/disk 11 because r3
            approve q1
            reserve r3 team vm/disk 2 commit
            approve q2
            check team vm/disk 3
            reserve r3 team vm/disk 2 commit
        ",
        expect![[r#"
            > scope team under p
              scope team under p of acme depth 3 ``
              acme#4 ScopePut by root at 0s: scope team under p of acme depth 3 ``
            > limit acme vm/disk 10
              limit acme vm/disk 10 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit acme vm/disk 10 #5 by root at 0s ``
            > limit p vm/disk 4
              limit p vm/disk 4 #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit p vm/disk 4 #6 by root at 0s ``
            > limit team vm/disk 3
              limit team vm/disk 3 #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit team vm/disk 3 #7 by root at 0s ``
            > reserve r1 team vm/disk 2 commit
              r1 committed #8: 2 vm/disk of team
              acme#8 Reserved by root at 0s: team vm/disk 2+0; p vm/disk 2+0; acme vm/disk 2+0; r1 committed #8: 2 vm/disk of team
            > reserve r2 q vm/disk 7 commit
              r2 committed #9: 7 vm/disk of q
              acme#9 Reserved by root at 0s: q vm/disk 7+0; acme vm/disk 9+0; r2 committed #9: 7 vm/disk of q
            > reserve r3 team vm/disk 2 commit
              DENIED quota_exceeded
                at team vm/disk: 3 by limit #7 vm/disk of root ``; used 2 held 0 asked 2, short by 1; 4 would do; fits never
                at acme vm/disk: 10 by limit #5 vm/disk of root ``; used 9 held 0 asked 2, short by 1; 11 would do; fits never
            > as pat@team submit q1 team vm/disk 4 because r3
              request q1 #10 of pat at 0s: team vm/disk 4 over 3 `r3`; pending
              acme#10 RequestSubmitted by pat at 0s because `r3`: request q1 #10 of pat at 0s: team vm/disk 4 over 3 `r3`; pending
            > as pat@acme submit q2 acme vm/disk 11 because r3
              request q2 #11 of pat at 0s: acme vm/disk 11 over 10 `r3`; pending
              acme#11 RequestSubmitted by pat at 0s because `r3`: request q2 #11 of pat at 0s: acme vm/disk 11 over 10 `r3`; pending
            > approve q1
              request q1 #12 of pat at 0s: team vm/disk 4 over 3 `r3`; approved 4 as limit #12 by root at 0s ``
              acme#12 RequestApproved by root at 0s: limit team vm/disk 4 #12 by root at 0s `` for q1; request q1 #12 of pat at 0s: team vm/disk 4 over 3 `r3`; approved 4 as limit #12 by root at 0s ``
            > reserve r3 team vm/disk 2 commit
              DENIED quota_exceeded
                at acme vm/disk: 10 by limit #5 vm/disk of root ``; used 9 held 0 asked 2, short by 1; 11 would do; fits never
            > approve q2
              request q2 #13 of pat at 0s: acme vm/disk 11 over 10 `r3`; approved 11 as limit #13 by root at 0s ``
              acme#13 RequestApproved by root at 0s: limit acme vm/disk 11 #13 by root at 0s `` for q2; request q2 #13 of pat at 0s: acme vm/disk 11 over 10 `r3`; approved 11 as limit #13 by root at 0s ``
            > check team vm/disk 3
              DENIED quota_exceeded
                at team vm/disk: 4 by limit #12 vm/disk of root `` for q1; used 2 held 0 asked 3, short by 1; 5 would do; fits never
                at p vm/disk: 4 by limit #6 vm/disk of root ``; used 2 held 0 asked 3, short by 1; 5 would do; fits never
                at acme vm/disk: 11 by limit #13 vm/disk of root `` for q2; used 9 held 0 asked 3, short by 1; 12 would do; fits never
            > reserve r3 team vm/disk 2 commit
              r3 committed #14: 2 vm/disk of team
              acme#14 Reserved by root at 0s: team vm/disk 4+0; p vm/disk 4+0; acme vm/disk 11+0; r3 committed #14: 2 vm/disk of team
        "#]],
    );
}
