//! Use in another scope of the same tenant, as one step.

use expect_test::expect;

use crate::script::check;

/// To a sibling: what is above both is neither charged twice nor judged.
#[test]
fn to_a_sibling() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 vm/disk 5 commit
            limit acme vm/image@FRA-A 1
            limit acme vm/disk 0
            transfer r1 to q
            transfer r1 to q
            reserve r1 p vm/image@FRA-A 2 vm/disk 5 commit
            reserve r1 q vm/image@FRA-A 2 vm/disk 5 commit
            transfer r1 to p
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 vm/disk 5 commit
              r1 committed #4: 2 vm/image@FRA-A, 5 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; p vm/disk 5+0; acme vm/disk 5+0; r1 committed #4: 2 vm/image@FRA-A, 5 vm/disk of p
            > limit acme vm/image@FRA-A 1
              limit acme vm/image@FRA-A 1 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit acme vm/image@FRA-A 1 #5 by root at 0s ``
            > limit acme vm/disk 0
              limit acme vm/disk 0 #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit acme vm/disk 0 #6 by root at 0s ``
            > transfer r1 to q
              r1 committed #7: 2 vm/image@FRA-A, 5 vm/disk of q (asked 2 vm/image@FRA-A, 5 vm/disk of p)
              acme#7 Transferred by root at 0s: q vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; q vm/disk 5+0; acme vm/disk 5+0; p vm/image@FRA-A 0+0; p vm/disk 0+0; r1 committed #7: 2 vm/image@FRA-A, 5 vm/disk of q (asked 2 vm/image@FRA-A, 5 vm/disk of p)
            > transfer r1 to q
              r1 committed #7: 2 vm/image@FRA-A, 5 vm/disk of q (asked 2 vm/image@FRA-A, 5 vm/disk of p)
            > reserve r1 p vm/image@FRA-A 2 vm/disk 5 commit
              r1 committed #7: 2 vm/image@FRA-A, 5 vm/disk of q (asked 2 vm/image@FRA-A, 5 vm/disk of p)
            > reserve r1 q vm/image@FRA-A 2 vm/disk 5 commit
              DENIED id_conflict
            > transfer r1 to p
              r1 committed #8: 2 vm/image@FRA-A, 5 vm/disk of p (asked 2 vm/image@FRA-A, 5 vm/disk of p)
              acme#8 Transferred by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; p vm/disk 5+0; acme vm/disk 5+0; q vm/image@FRA-A 0+0; q vm/disk 0+0; r1 committed #8: 2 vm/image@FRA-A, 5 vm/disk of p (asked 2 vm/image@FRA-A, 5 vm/disk of p)
        "#]],
    );
}

/// Down and up: only where it becomes more is it judged.
#[test]
fn up_and_down() {
    check(
        "
            scope team under p
            limit p vm/image 0
            limit team vm/image 1
            reserve r1 acme vm/image@FRA-A 2 commit
            transfer r1 to team
            transfer r1 to p
            limit p vm/image 2
            limit team vm/image 2
            transfer r1 to team
            limit p vm/image 0
            limit acme vm/image 0
            transfer r1 to p
            transfer r1 to acme
            release r1 of team
        ",
        expect![[r#"
            > scope team under p
              scope team under p of acme depth 3 ``
              acme#4 ScopePut by root at 0s: scope team under p of acme depth 3 ``
            > limit p vm/image 0
              limit p vm/image 0 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/image 0 #5 by root at 0s ``
            > limit team vm/image 1
              limit team vm/image 1 #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit team vm/image 1 #6 by root at 0s ``
            > reserve r1 acme vm/image@FRA-A 2 commit
              r1 committed #7: 2 vm/image@FRA-A of acme
              acme#7 Reserved by root at 0s: acme vm/image@FRA-A 2+0; r1 committed #7: 2 vm/image@FRA-A of acme
            > transfer r1 to team
              DENIED quota_exceeded
                at team vm/image@FRA-A: 1 by limit #6 vm/image of root ``; used 0 held 0 asked 2, short by 1; 2 would do; fits never
                at p vm/image@FRA-A: 0 by limit #5 vm/image of root ``; used 0 held 0 asked 2, short by 2; 2 would do; fits never
            > transfer r1 to p
              DENIED quota_exceeded
                at p vm/image@FRA-A: 0 by limit #5 vm/image of root ``; used 0 held 0 asked 2, short by 2; 2 would do; fits never
            > limit p vm/image 2
              limit p vm/image 2 #8 by root at 0s ``
              acme#8 LimitPut by root at 0s: limit p vm/image 2 #8 by root at 0s ``
            > limit team vm/image 2
              limit team vm/image 2 #9 by root at 0s ``
              acme#9 LimitPut by root at 0s: limit team vm/image 2 #9 by root at 0s ``
            > transfer r1 to team
              r1 committed #10: 2 vm/image@FRA-A of team (asked 2 vm/image@FRA-A of acme)
              acme#10 Transferred by root at 0s: team vm/image@FRA-A 2+0; p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #10: 2 vm/image@FRA-A of team (asked 2 vm/image@FRA-A of acme)
            > limit p vm/image 0
              limit p vm/image 0 #11 by root at 0s ``
              acme#11 LimitPut by root at 0s: limit p vm/image 0 #11 by root at 0s ``
            > limit acme vm/image 0
              limit acme vm/image 0 #12 by root at 0s ``
              acme#12 LimitPut by root at 0s: limit acme vm/image 0 #12 by root at 0s ``
            > transfer r1 to p
              r1 committed #13: 2 vm/image@FRA-A of p (asked 2 vm/image@FRA-A of acme)
              acme#13 Transferred by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; team vm/image@FRA-A 0+0; r1 committed #13: 2 vm/image@FRA-A of p (asked 2 vm/image@FRA-A of acme)
            > transfer r1 to acme
              r1 committed #14: 2 vm/image@FRA-A of acme (asked 2 vm/image@FRA-A of acme)
              acme#14 Transferred by root at 0s: acme vm/image@FRA-A 2+0; p vm/image@FRA-A 0+0; r1 committed #14: 2 vm/image@FRA-A of acme (asked 2 vm/image@FRA-A of acme)
            > release r1 of team
              r1 released at 0s #15: 2 vm/image@FRA-A of acme (asked 2 vm/image@FRA-A of acme)
              acme#15 Released by root at 0s: acme vm/image@FRA-A 0+0; r1 released at 0s #15: 2 vm/image@FRA-A of acme (asked 2 vm/image@FRA-A of acme)
        "#]],
    );
}

/// The limit at the target, with all that is in the way; holds that are due make room.
#[test]
fn limits() {
    check(
        "
            limit q vm/image 2
            reserve r1 p vm/image@FRA-A 2 vm/image@HKG-A 3 commit
            reserve r2 q vm/image@FRA-A 1 hold 60s
            transfer r1 to q
            limit q vm/image@HKG-A 3
            at 60s transfer r1 to q
        ",
        expect![[r#"
            > limit q vm/image 2
              limit q vm/image 2 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit q vm/image 2 #4 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 2 vm/image@HKG-A 3 commit
              r1 committed #5: 2 vm/image@FRA-A, 3 vm/image@HKG-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; p vm/image@HKG-A 3+0; acme vm/image@HKG-A 3+0; r1 committed #5: 2 vm/image@FRA-A, 3 vm/image@HKG-A of p
            > reserve r2 q vm/image@FRA-A 1 hold 60s
              r2 held until 60s #6: 1 vm/image@FRA-A of q
              acme#6 Reserved by root at 0s: q vm/image@FRA-A 0+1; acme vm/image@FRA-A 2+1; r2 held until 60s #6: 1 vm/image@FRA-A of q
            > transfer r1 to q
              DENIED quota_exceeded
                at q vm/image@FRA-A: 2 by limit #4 vm/image of root ``; used 0 held 1 asked 2, short by 1; 3 would do; fits 60s
                at q vm/image@HKG-A: 2 by limit #4 vm/image of root ``; used 0 held 0 asked 3, short by 1; 3 would do; fits never
            > limit q vm/image@HKG-A 3
              limit q vm/image@HKG-A 3 #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit q vm/image@HKG-A 3 #7 by root at 0s ``
            > at 60s transfer r1 to q
              r1 committed #9: 2 vm/image@FRA-A, 3 vm/image@HKG-A of q (asked 2 vm/image@FRA-A, 3 vm/image@HKG-A of p)
              acme#8 Expired by root at 60s: q vm/image@FRA-A 0+0; acme vm/image@FRA-A 2+0; r2 expired at 60s #8: 1 vm/image@FRA-A of q
              acme#9 Transferred by root at 60s: q vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; q vm/image@HKG-A 3+0; acme vm/image@HKG-A 3+0; p vm/image@FRA-A 0+0; p vm/image@HKG-A 0+0; r1 committed #9: 2 vm/image@FRA-A, 3 vm/image@HKG-A of q (asked 2 vm/image@FRA-A, 3 vm/image@HKG-A of p)
        "#]],
    );
}

/// Not to another tenant, nor out of reach, nor from there.
#[test]
fn reach() {
    check(
        "
            scope team under p
            reserve r1 p vm/disk 1 commit
            reserve r2 z vm/disk 1 commit
            transfer r1 to z
            transfer r1 to nowhere
            transfer r2 to p
            transfer r2 of z to p
            as pat@p transfer r1 of p to q
            as pat@p transfer r1 of p to acme
            as pat@p transfer r1 of p to z
            as pat@p transfer r1 of team to team
            as sam@q transfer r1 of q to q
            as sam@q transfer r1 of p to q
        ",
        expect![[r#"
            > scope team under p
              scope team under p of acme depth 3 ``
              acme#4 ScopePut by root at 0s: scope team under p of acme depth 3 ``
            > reserve r1 p vm/disk 1 commit
              r1 committed #5: 1 vm/disk of p
              acme#5 Reserved by root at 0s: p vm/disk 1+0; acme vm/disk 1+0; r1 committed #5: 1 vm/disk of p
            > reserve r2 z vm/disk 1 commit
              r2 committed #3: 1 vm/disk of z
              other#3 Reserved by root at 0s: z vm/disk 1+0; other vm/disk 1+0; r2 committed #3: 1 vm/disk of z
            > transfer r1 to z
              DENIED other_tenant
            > transfer r1 to nowhere
              DENIED unknown_scope nowhere
            > transfer r2 to p
              DENIED not_found
            > transfer r2 of z to p
              DENIED other_tenant
            > as pat@p transfer r1 of p to q
              DENIED unknown_scope q
            > as pat@p transfer r1 of p to acme
              DENIED unknown_scope acme
            > as pat@p transfer r1 of p to z
              DENIED unknown_scope z
            > as pat@p transfer r1 of team to team
              r1 committed #6: 1 vm/disk of team (asked 1 vm/disk of p)
              acme#6 Transferred by pat at 0s: team vm/disk 1+0; p vm/disk 1+0; acme vm/disk 1+0; r1 committed #6: 1 vm/disk of team (asked 1 vm/disk of p)
            > as sam@q transfer r1 of q to q
              DENIED not_found
            > as sam@q transfer r1 of p to q
              DENIED unknown_scope p
        "#]],
    );
}

/// Only what is used.
#[test]
fn every_other_state() {
    check(
        "
            transfer r1 to q
            reserve r1 p vm/disk 1 hold 10s
            transfer r1 to q
            transfer r1 to p
            transfer r1 to z
            at 10s transfer r1 to q # its time is over, and so it is told
            transfer r1 to q
            reserve r2 p vm/disk 1 commit
            release r2
            transfer r2 to q
            transfer r2 to p
        ",
        expect![[r#"
            > transfer r1 to q
              DENIED not_found
            > reserve r1 p vm/disk 1 hold 10s
              r1 held until 10s #4: 1 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 0+1; acme vm/disk 0+1; r1 held until 10s #4: 1 vm/disk of p
            > transfer r1 to q
              DENIED state_conflict held
            > transfer r1 to p
              DENIED state_conflict held
            > transfer r1 to z
              DENIED other_tenant
            > at 10s transfer r1 to q
              DENIED state_conflict expired
              acme#5 Expired by root at 10s: p vm/disk 0+0; acme vm/disk 0+0; r1 expired at 10s #5: 1 vm/disk of p
            > transfer r1 to q
              DENIED state_conflict expired
            > reserve r2 p vm/disk 1 commit
              r2 committed #6: 1 vm/disk of p
              acme#6 Reserved by root at 10s: p vm/disk 1+0; acme vm/disk 1+0; r2 committed #6: 1 vm/disk of p
            > release r2
              r2 released at 10s #7: 1 vm/disk of p
              acme#7 Released by root at 10s: p vm/disk 0+0; acme vm/disk 0+0; r2 released at 10s #7: 1 vm/disk of p
            > transfer r2 to q
              DENIED state_conflict released
            > transfer r2 to p
              DENIED state_conflict released
        "#]],
    );
}

/// Many lines, and what they were asked for as.
#[test]
fn after_a_change() {
    check(
        "
            reserve r1 p vm/disk 5 vm/image@FRA-A 1 hold 60s
            commit r1 vm/disk 4
            transfer r1 to q
            release r1 vm/disk 1
            resize r1 vm/disk 2
            reserve r1 p vm/disk 5 vm/image@FRA-A 1 hold 60s
            quotas p vm/disk
            quotas q vm/disk
        ",
        expect![[r#"
            > reserve r1 p vm/disk 5 vm/image@FRA-A 1 hold 60s
              r1 held until 60s #4: 5 vm/disk, 1 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/disk 0+5; acme vm/disk 0+5; p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+1; r1 held until 60s #4: 5 vm/disk, 1 vm/image@FRA-A of p
            > commit r1 vm/disk 4
              r1 committed #5: 4 vm/disk of p (asked 5 vm/disk, 1 vm/image@FRA-A of p)
              acme#5 Committed by root at 0s: p vm/disk 4+0; acme vm/disk 4+0; p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 committed #5: 4 vm/disk of p (asked 5 vm/disk, 1 vm/image@FRA-A of p)
            > transfer r1 to q
              r1 committed #6: 4 vm/disk of q (asked 5 vm/disk, 1 vm/image@FRA-A of p)
              acme#6 Transferred by root at 0s: q vm/disk 4+0; acme vm/disk 4+0; p vm/disk 0+0; r1 committed #6: 4 vm/disk of q (asked 5 vm/disk, 1 vm/image@FRA-A of p)
            > release r1 vm/disk 1
              r1 committed #7: 3 vm/disk of q (asked 5 vm/disk, 1 vm/image@FRA-A of p)
              acme#7 Released by root at 0s: q vm/disk 3+0; acme vm/disk 3+0; r1 committed #7: 3 vm/disk of q (asked 5 vm/disk, 1 vm/image@FRA-A of p)
            > resize r1 vm/disk 2
              r1 committed #8: 2 vm/disk of q (asked 5 vm/disk, 1 vm/image@FRA-A of p)
              acme#8 Resized by root at 0s: q vm/disk 2+0; acme vm/disk 2+0; r1 committed #8: 2 vm/disk of q (asked 5 vm/disk, 1 vm/image@FRA-A of p)
            > reserve r1 p vm/disk 5 vm/image@FRA-A 1 hold 60s
              r1 committed #8: 2 vm/disk of q (asked 5 vm/disk, 1 vm/image@FRA-A of p)
            > quotas p vm/disk
              vm/disk count: unlimited used 0 held 0, available unlimited, over by 0
                unlimited by default at p, leaves unlimited
            > quotas q vm/disk
              vm/disk count: unlimited used 2 held 0, available unlimited, over by 0
                unlimited by default at q, leaves unlimited
        "#]],
    );
}
