//! Past the limits, by permission and for a reason: marked in the event and in the row.

use expect_test::expect;

use crate::script::check;

/// Past limits here and above; who is not forced is refused all the same.
#[test]
fn past_limits() {
    check(
        "
            limit acme vm/image 1
            reserve r1 p vm/image@FRA-A 5 net/ip 2 hold 60s force incident
            reserve r2 p vm/image@FRA-A 1 commit
            quotas p vm/image at FRA-A
            commit r1
            release r1 vm/image@FRA-A 1
            release r1
        ",
        expect![[r#"
            > limit acme vm/image 1
              limit acme vm/image 1 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit acme vm/image 1 #4 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 5 net/ip 2 hold 60s force incident
              r1 held until 60s #5: 5 vm/image@FRA-A, 2 net/ip of p forced `incident`
              acme#5 Reserved by root at 0s forced `incident`: p vm/image@FRA-A 0+5; acme vm/image@FRA-A 0+5; p net/ip 0+2; acme net/ip 0+2; r1 held until 60s #5: 5 vm/image@FRA-A, 2 net/ip of p forced `incident`
            > reserve r2 p vm/image@FRA-A 1 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 5 asked 1, short by 3; 6 would do; fits 60s
                at acme vm/image@FRA-A: 1 by limit #4 vm/image of root ``; used 0 held 5 asked 1, short by 5; 6 would do; fits 60s
            > quotas p vm/image at FRA-A
              vm/image@FRA-A count: 3 used 0 held 5, available 0, over by 2
                3 by default at p, leaves 0
                1 by limit #4 vm/image of root `` at acme, leaves 0
            > commit r1
              r1 committed #6: 5 vm/image@FRA-A, 2 net/ip of p forced `incident`
              acme#6 Committed by root at 0s: p vm/image@FRA-A 5+0; acme vm/image@FRA-A 5+0; p net/ip 2+0; acme net/ip 2+0; r1 committed #6: 5 vm/image@FRA-A, 2 net/ip of p forced `incident`
            > release r1 vm/image@FRA-A 1
              r1 committed #7: 4 vm/image@FRA-A, 2 net/ip of p (asked 5 vm/image@FRA-A, 2 net/ip of p) forced `incident`
              acme#7 Released by root at 0s: p vm/image@FRA-A 4+0; acme vm/image@FRA-A 4+0; p net/ip 2+0; acme net/ip 2+0; r1 committed #7: 4 vm/image@FRA-A, 2 net/ip of p (asked 5 vm/image@FRA-A, 2 net/ip of p) forced `incident`
            > release r1
              r1 released at 0s #8: 4 vm/image@FRA-A, 2 net/ip of p (asked 5 vm/image@FRA-A, 2 net/ip of p) forced `incident`
              acme#8 Released by root at 0s: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; p net/ip 0+0; acme net/ip 0+0; r1 released at 0s #8: 4 vm/image@FRA-A, 2 net/ip of p (asked 5 vm/image@FRA-A, 2 net/ip of p) forced `incident`
        "#]],
    );
}

/// It says so where it would not have been needed too.
#[test]
fn not_needed() {
    check(
        "
            reserve r1 p vm/image@FRA-A 1 commit force drill
            reserve r2 p vm/image@FRA-A 1 commit
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 1 commit force drill
              r1 committed #4: 1 vm/image@FRA-A of p forced `drill`
              acme#4 Reserved by root at 0s forced `drill`: p vm/image@FRA-A 1+0; acme vm/image@FRA-A 1+0; r1 committed #4: 1 vm/image@FRA-A of p forced `drill`
            > reserve r2 p vm/image@FRA-A 1 commit
              r2 committed #5: 1 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r2 committed #5: 1 vm/image@FRA-A of p
        "#]],
    );
}

/// Whether it was forced, and why, is part of the content.
#[test]
fn repeats() {
    check(
        "
            reserve r1 p vm/image@FRA-A 5 commit force incident
            reserve r1 p vm/image@FRA-A 5 commit force incident
            reserve r1 p vm/image@FRA-A 5 commit force drill
            reserve r1 p vm/image@FRA-A 5 commit
            reserve r2 p vm/disk 1 commit
            reserve r2 p vm/disk 1 commit force incident
            release r1
            reserve r1 p vm/image@FRA-A 5 commit force incident
            reserve r1 p vm/image@FRA-A 5 commit
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 5 commit force incident
              r1 committed #4: 5 vm/image@FRA-A of p forced `incident`
              acme#4 Reserved by root at 0s forced `incident`: p vm/image@FRA-A 5+0; acme vm/image@FRA-A 5+0; r1 committed #4: 5 vm/image@FRA-A of p forced `incident`
            > reserve r1 p vm/image@FRA-A 5 commit force incident
              r1 committed #4: 5 vm/image@FRA-A of p forced `incident`
            > reserve r1 p vm/image@FRA-A 5 commit force drill
              DENIED id_conflict
            > reserve r1 p vm/image@FRA-A 5 commit
              DENIED id_conflict
            > reserve r2 p vm/disk 1 commit
              r2 committed #5: 1 vm/disk of p
              acme#5 Reserved by root at 0s: p vm/disk 1+0; acme vm/disk 1+0; r2 committed #5: 1 vm/disk of p
            > reserve r2 p vm/disk 1 commit force incident
              DENIED id_conflict
            > release r1
              r1 released at 0s #6: 5 vm/image@FRA-A of p forced `incident`
              acme#6 Released by root at 0s: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 released at 0s #6: 5 vm/image@FRA-A of p forced `incident`
            > reserve r1 p vm/image@FRA-A 5 commit force incident
              r1 released at 0s #6: 5 vm/image@FRA-A of p forced `incident`
            > reserve r1 p vm/image@FRA-A 5 commit
              DENIED id_conflict
        "#]],
    );
}

/// Where numbers end it ends, here and above; what is unknown stays unknown.
#[test]
fn the_number_space() {
    check(
        "
            limit p vm/disk 0
            reserve r1 p vm/disk MAX commit force incident
            reserve r2 p vm/disk 1 commit force incident
            reserve r2 q vm/disk 1 commit force incident
            reserve r2 q vm/disk 9 least 1 commit force incident
            release r1 vm/disk 3
            reserve r2 q vm/disk 9 least 1 commit force incident
            reserve r3 p vm/nothing 1 commit force incident
            reserve r3 nowhere vm/disk 1 commit force incident
            reserve r3 p vm/image 1 commit force incident
        ",
        expect![[r#"
            > limit p vm/disk 0
              limit p vm/disk 0 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 0 #4 by root at 0s ``
            > reserve r1 p vm/disk MAX commit force incident
              r1 committed #5: MAX vm/disk of p forced `incident`
              acme#5 Reserved by root at 0s forced `incident`: p vm/disk MAX+0; acme vm/disk MAX+0; r1 committed #5: MAX vm/disk of p forced `incident`
            > reserve r2 p vm/disk 1 commit force incident
              DENIED quota_exceeded
                at p vm/disk: unlimited by number_space; used MAX held 0 asked 1, short by 1; nothing would do; fits never
                at acme vm/disk: unlimited by number_space; used MAX held 0 asked 1, short by 1; nothing would do; fits never
            > reserve r2 q vm/disk 1 commit force incident
              DENIED quota_exceeded
                at acme vm/disk: unlimited by number_space; used MAX held 0 asked 1, short by 1; nothing would do; fits never
            > reserve r2 q vm/disk 9 least 1 commit force incident
              DENIED quota_exceeded
                at acme vm/disk: unlimited by number_space; used MAX held 0 asked 1, short by 1; nothing would do; fits never
            > release r1 vm/disk 3
              r1 committed #6: MAX-3 vm/disk of p (asked MAX vm/disk of p) forced `incident`
              acme#6 Released by root at 0s: p vm/disk MAX-3+0; acme vm/disk MAX-3+0; r1 committed #6: MAX-3 vm/disk of p (asked MAX vm/disk of p) forced `incident`
            > reserve r2 q vm/disk 9 least 1 commit force incident
              r2 committed #7: 3 vm/disk of q (asked 1 or 9 vm/disk of q) forced `incident`
              acme#7 Reserved by root at 0s forced `incident`: q vm/disk 3+0; acme vm/disk MAX+0; r2 committed #7: 3 vm/disk of q (asked 1 or 9 vm/disk of q) forced `incident`
            > reserve r3 p vm/nothing 1 commit force incident
              DENIED unknown_resource vm/nothing
            > reserve r3 nowhere vm/disk 1 commit force incident
              DENIED unknown_scope nowhere
            > reserve r3 p vm/image 1 commit force incident
              DENIED location_required vm/image
        "#]],
    );
}

/// Holds that are due make room where numbers end, and are left alone elsewhere.
#[test]
fn due_holds() {
    check(
        "
            reserve r1 p vm/disk MAX hold 10s
            reserve r2 p vm/image@FRA-A 3 hold 10s
            at 10s reserve r3 p vm/image@FRA-A 3 commit force incident
            reserve r4 q vm/disk 1 commit force incident
        ",
        expect![[r#"
            > reserve r1 p vm/disk MAX hold 10s
              r1 held until 10s #4: MAX vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 0+MAX; acme vm/disk 0+MAX; r1 held until 10s #4: MAX vm/disk of p
            > reserve r2 p vm/image@FRA-A 3 hold 10s
              r2 held until 10s #5: 3 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; r2 held until 10s #5: 3 vm/image@FRA-A of p
            > at 10s reserve r3 p vm/image@FRA-A 3 commit force incident
              r3 committed #6: 3 vm/image@FRA-A of p forced `incident`
              acme#6 Reserved by root at 10s forced `incident`: p vm/image@FRA-A 3+3; acme vm/image@FRA-A 3+3; r3 committed #6: 3 vm/image@FRA-A of p forced `incident`
            > reserve r4 q vm/disk 1 commit force incident
              r4 committed #9: 1 vm/disk of q forced `incident`
              acme#7 Expired by root at 10s: p vm/disk 0+0; acme vm/disk 0+0; r1 expired at 10s #7: MAX vm/disk of p
              acme#8 Expired by root at 10s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; r2 expired at 10s #8: 3 vm/image@FRA-A of p
              acme#9 Reserved by root at 10s forced `incident`: q vm/disk 1+0; acme vm/disk 1+0; r4 committed #9: 1 vm/disk of q forced `incident`
        "#]],
    );
}

/// A resize may be forced: the event is marked, the content of the reserve stays.
#[test]
fn resize() {
    check(
        "
            reserve r1 p vm/image@FRA-A 3 commit
            resize r1 vm/image@FRA-A 5
            resize r1 vm/image@FRA-A 5 force incident
            resize r1 vm/image@FRA-A 5 force incident
            resize r1 vm/image@FRA-A 4
            reserve r1 p vm/image@FRA-A 3 commit
            resize r1 vm/disk MAX force incident
            reserve r2 q vm/disk 1 hold 60s
            resize r1 vm/image@FRA-A 1 vm/disk MAX force incident
            reserve r3 q vm/image@HKG-A 1 commit
            resize r3 vm/disk 1 force incident
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 3 commit
              r1 committed #4: 3 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; r1 committed #4: 3 vm/image@FRA-A of p
            > resize r1 vm/image@FRA-A 5
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 3 held 0 asked 2, short by 2; 5 would do; fits never
            > resize r1 vm/image@FRA-A 5 force incident
              r1 committed #5: 5 vm/image@FRA-A of p (asked 3 vm/image@FRA-A of p)
              acme#5 Resized by root at 0s forced `incident`: p vm/image@FRA-A 5+0; acme vm/image@FRA-A 5+0; r1 committed #5: 5 vm/image@FRA-A of p (asked 3 vm/image@FRA-A of p)
            > resize r1 vm/image@FRA-A 5 force incident
              r1 committed #5: 5 vm/image@FRA-A of p (asked 3 vm/image@FRA-A of p)
            > resize r1 vm/image@FRA-A 4
              r1 committed #6: 4 vm/image@FRA-A of p (asked 3 vm/image@FRA-A of p)
              acme#6 Resized by root at 0s: p vm/image@FRA-A 4+0; acme vm/image@FRA-A 4+0; r1 committed #6: 4 vm/image@FRA-A of p (asked 3 vm/image@FRA-A of p)
            > reserve r1 p vm/image@FRA-A 3 commit
              r1 committed #6: 4 vm/image@FRA-A of p (asked 3 vm/image@FRA-A of p)
            > resize r1 vm/disk MAX force incident
              r1 committed #7: MAX vm/disk of p (asked 3 vm/image@FRA-A of p)
              acme#7 Resized by root at 0s forced `incident`: p vm/disk MAX+0; acme vm/disk MAX+0; p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 committed #7: MAX vm/disk of p (asked 3 vm/image@FRA-A of p)
            > reserve r2 q vm/disk 1 hold 60s
              DENIED quota_exceeded
                at acme vm/disk: unlimited by number_space; used MAX held 0 asked 1, short by 1; nothing would do; fits never
            > resize r1 vm/image@FRA-A 1 vm/disk MAX force incident
              r1 committed #8: 1 vm/image@FRA-A, MAX vm/disk of p (asked 3 vm/image@FRA-A of p)
              acme#8 Resized by root at 0s forced `incident`: p vm/image@FRA-A 1+0; acme vm/image@FRA-A 1+0; p vm/disk MAX+0; acme vm/disk MAX+0; r1 committed #8: 1 vm/image@FRA-A, MAX vm/disk of p (asked 3 vm/image@FRA-A of p)
            > reserve r3 q vm/image@HKG-A 1 commit
              r3 committed #9: 1 vm/image@HKG-A of q
              acme#9 Reserved by root at 0s: q vm/image@HKG-A 1+0; acme vm/image@HKG-A 1+0; r3 committed #9: 1 vm/image@HKG-A of q
            > resize r3 vm/disk 1 force incident
              DENIED quota_exceeded
                at acme vm/disk: unlimited by number_space; used MAX held 0 asked 1, short by 1; nothing would do; fits never
        "#]],
    );
}

/// So may a transfer.
#[test]
fn transfer() {
    check(
        "
            limit q vm/image 0
            reserve r1 p vm/image@FRA-A 3 commit
            transfer r1 to q
            transfer r1 to q force incident
            transfer r1 to q force incident
            reserve r1 p vm/image@FRA-A 3 commit
            transfer r1 to z force incident
        ",
        expect![[r#"
            > limit q vm/image 0
              limit q vm/image 0 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit q vm/image 0 #4 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 3 commit
              r1 committed #5: 3 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; r1 committed #5: 3 vm/image@FRA-A of p
            > transfer r1 to q
              DENIED quota_exceeded
                at q vm/image@FRA-A: 0 by limit #4 vm/image of root ``; used 0 held 0 asked 3, short by 3; 3 would do; fits never
            > transfer r1 to q force incident
              r1 committed #6: 3 vm/image@FRA-A of q (asked 3 vm/image@FRA-A of p)
              acme#6 Transferred by root at 0s forced `incident`: q vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; p vm/image@FRA-A 0+0; r1 committed #6: 3 vm/image@FRA-A of q (asked 3 vm/image@FRA-A of p)
            > transfer r1 to q force incident
              r1 committed #6: 3 vm/image@FRA-A of q (asked 3 vm/image@FRA-A of p)
            > reserve r1 p vm/image@FRA-A 3 commit
              r1 committed #6: 3 vm/image@FRA-A of q (asked 3 vm/image@FRA-A of p)
            > transfer r1 to z force incident
              DENIED other_tenant
        "#]],
    );
}
