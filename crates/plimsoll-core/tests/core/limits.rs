//! Which limit counts.

use expect_test::expect;

use crate::script::check;

/// A default binds each scope that uses, and nothing above it.
#[test]
fn defaults_bind_the_user() {
    check(
        "
            reserve r1 p vm/image@FRA-A 3 commit
            reserve r2 q vm/image@FRA-A 3 commit
            reserve r3 acme vm/image@FRA-A 1 commit # who uses, at the top: all below counts against him
            reserve r3 q vm/image@FRA-A 1 commit
            quotas p vm/image at FRA-A
            quotas acme vm/image at FRA-A
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 3 commit
              r1 committed #4: 3 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; r1 committed #4: 3 vm/image@FRA-A of p
            > reserve r2 q vm/image@FRA-A 3 commit
              r2 committed #5: 3 vm/image@FRA-A of q
              acme#5 Reserved by root at 0s: q vm/image@FRA-A 3+0; acme vm/image@FRA-A 6+0; r2 committed #5: 3 vm/image@FRA-A of q
            > reserve r3 acme vm/image@FRA-A 1 commit
              DENIED quota_exceeded
                at acme vm/image@FRA-A: 3 by default; used 6 held 0 asked 1, short by 4; 7 would do; fits never
            > reserve r3 q vm/image@FRA-A 1 commit
              DENIED quota_exceeded
                at q vm/image@FRA-A: 3 by default; used 3 held 0 asked 1, short by 1; 4 would do; fits never
            > quotas p vm/image at FRA-A
              vm/image@FRA-A count: 3 used 3 held 0, available 0, over by 0
                3 by default at p, leaves 0
            > quotas acme vm/image at FRA-A
              vm/image@FRA-A count: 3 used 6 held 0, available 0, over by 3
                3 by default at acme, leaves 0
        "#]],
    );
}

/// A limit that is set above binds the sum of everything below.
#[test]
fn parents_bind_the_sum() {
    check(
        "
            limit acme vm/image@FRA-A 4
            reserve r1 p vm/image@FRA-A 3 commit
            reserve r2 q vm/image@FRA-A 2 commit
            reserve r2 q vm/image@FRA-A 1 commit
            quotas q vm/image at FRA-A
            limit acme vm/image@FRA-A unlimited
            reserve r3 q vm/image@FRA-A 2 commit
            quotas q vm/image at FRA-A
        ",
        expect![[r#"
            > limit acme vm/image@FRA-A 4
              limit acme vm/image@FRA-A 4 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit acme vm/image@FRA-A 4 #4 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 3 commit
              r1 committed #5: 3 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; r1 committed #5: 3 vm/image@FRA-A of p
            > reserve r2 q vm/image@FRA-A 2 commit
              DENIED quota_exceeded
                at acme vm/image@FRA-A: 4 by limit #4 vm/image@FRA-A of root ``; used 3 held 0 asked 2, short by 1; 5 would do; fits never
            > reserve r2 q vm/image@FRA-A 1 commit
              r2 committed #6: 1 vm/image@FRA-A of q
              acme#6 Reserved by root at 0s: q vm/image@FRA-A 1+0; acme vm/image@FRA-A 4+0; r2 committed #6: 1 vm/image@FRA-A of q
            > quotas q vm/image at FRA-A
              vm/image@FRA-A count: 3 used 1 held 0, available 0, over by 0
                3 by default at q, leaves 2
                4 by limit #4 vm/image@FRA-A of root `` at acme, leaves 0
            > limit acme vm/image@FRA-A unlimited
              limit acme vm/image@FRA-A unlimited #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit acme vm/image@FRA-A unlimited #7 by root at 0s ``
            > reserve r3 q vm/image@FRA-A 2 commit
              r3 committed #8: 2 vm/image@FRA-A of q
              acme#8 Reserved by root at 0s: q vm/image@FRA-A 3+0; acme vm/image@FRA-A 6+0; r3 committed #8: 2 vm/image@FRA-A of q
            > quotas q vm/image at FRA-A
              vm/image@FRA-A count: 3 used 3 held 0, available 0, over by 0
                3 by default at q, leaves 0
                unlimited by limit #7 vm/image@FRA-A of root `` at acme, leaves unlimited
        "#]],
    );
}

/// A limit for any location binds each location by itself.
#[test]
fn any_location_binds_each() {
    check(
        "
            limit p vm/image 1
            reserve r1 p vm/image@FRA-A 1 commit
            reserve r2 p vm/image@HKG-A 1 commit
            reserve r3 p vm/image@HKG-A 1 commit
        ",
        expect![[r#"
            > limit p vm/image 1
              limit p vm/image 1 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/image 1 #4 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 1 commit
              r1 committed #5: 1 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 1+0; acme vm/image@FRA-A 1+0; r1 committed #5: 1 vm/image@FRA-A of p
            > reserve r2 p vm/image@HKG-A 1 commit
              r2 committed #6: 1 vm/image@HKG-A of p
              acme#6 Reserved by root at 0s: p vm/image@HKG-A 1+0; acme vm/image@HKG-A 1+0; r2 committed #6: 1 vm/image@HKG-A of p
            > reserve r3 p vm/image@HKG-A 1 commit
              DENIED quota_exceeded
                at p vm/image@HKG-A: 1 by limit #4 vm/image of root ``; used 1 held 0 asked 1, short by 1; 2 would do; fits never
        "#]],
    );
}

/// The exact location goes before any location, whether it is more or less.
#[test]
fn exact_before_any() {
    check(
        "
            limit p vm/image 1
            limit p vm/image@FRA-A 2
            limit p vm/image@HKG-A 0
            reserve r1 p vm/image@FRA-A 2 commit
            reserve r2 p vm/image@HKG-A 1 commit
            unlimit p vm/image@HKG-A
            reserve r2 p vm/image@HKG-A 1 commit
            unlimit p vm/image
            reserve r3 p vm/image@HKG-A 2 commit
            quotas p vm/image
        ",
        expect![[r#"
            > limit p vm/image 1
              limit p vm/image 1 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/image 1 #4 by root at 0s ``
            > limit p vm/image@FRA-A 2
              limit p vm/image@FRA-A 2 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/image@FRA-A 2 #5 by root at 0s ``
            > limit p vm/image@HKG-A 0
              limit p vm/image@HKG-A 0 #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit p vm/image@HKG-A 0 #6 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 2 commit
              r1 committed #7: 2 vm/image@FRA-A of p
              acme#7 Reserved by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #7: 2 vm/image@FRA-A of p
            > reserve r2 p vm/image@HKG-A 1 commit
              DENIED quota_exceeded
                at p vm/image@HKG-A: 0 by limit #6 vm/image@HKG-A of root ``; used 0 held 0 asked 1, short by 1; 1 would do; fits never
            > unlimit p vm/image@HKG-A
              gone
              acme#8 LimitDeleted by root at 0s: no limit p vm/image@HKG-A
            > reserve r2 p vm/image@HKG-A 1 commit
              r2 committed #9: 1 vm/image@HKG-A of p
              acme#9 Reserved by root at 0s: p vm/image@HKG-A 1+0; acme vm/image@HKG-A 1+0; r2 committed #9: 1 vm/image@HKG-A of p
            > unlimit p vm/image
              gone
              acme#10 LimitDeleted by root at 0s: no limit p vm/image
            > reserve r3 p vm/image@HKG-A 2 commit
              r3 committed #11: 2 vm/image@HKG-A of p
              acme#11 Reserved by root at 0s: p vm/image@HKG-A 3+0; acme vm/image@HKG-A 3+0; r3 committed #11: 2 vm/image@HKG-A of p
            > quotas p vm/image
              vm/image@FRA-A count: 2 used 2 held 0, available 0, over by 0
                3 by default at p, leaves 1
                2 by limit #5 vm/image@FRA-A of root `` at p, leaves 0
              vm/image@HKG-A count: 3 used 3 held 0, available 0, over by 0
                3 by default at p, leaves 0
        "#]],
    );
}

/// So it does above.
#[test]
fn exact_before_any_above() {
    check(
        "
            limit acme vm/image 1
            limit acme vm/image@FRA-A 2
            reserve r1 p vm/image@FRA-A 2 commit
            reserve r2 p vm/image@HKG-A 2 commit
            quotas p vm/image
        ",
        expect![[r#"
            > limit acme vm/image 1
              limit acme vm/image 1 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit acme vm/image 1 #4 by root at 0s ``
            > limit acme vm/image@FRA-A 2
              limit acme vm/image@FRA-A 2 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit acme vm/image@FRA-A 2 #5 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 2 commit
              r1 committed #6: 2 vm/image@FRA-A of p
              acme#6 Reserved by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #6: 2 vm/image@FRA-A of p
            > reserve r2 p vm/image@HKG-A 2 commit
              DENIED quota_exceeded
                at acme vm/image@HKG-A: 1 by limit #4 vm/image of root ``; used 0 held 0 asked 2, short by 1; 2 would do; fits never
            > quotas p vm/image
              vm/image@FRA-A count: 3 used 2 held 0, available 0, over by 0
                3 by default at p, leaves 1
                2 by limit #5 vm/image@FRA-A of root `` at acme, leaves 0
              vm/image@HKG-A count: 3 used 0 held 0, available 1, over by 0
                3 by default at p, leaves 3
                1 by limit #4 vm/image of root `` at acme, leaves 1
        "#]],
    );
}

/// Zero, unlimited and unset are three different things.
#[test]
fn zero_unlimited_unset() {
    check(
        "
            limit p vm/image 0
            limit q vm/image unlimited
            reserve r1 p vm/image@FRA-A 1 commit
            reserve r2 q vm/image@FRA-A 100 commit
            unlimit p vm/image
            reserve r1 p vm/image@FRA-A 1 commit
            reserve r3 p net/ip 1 commit
            limit p net/ip unlimited
            reserve r3 p net/ip 1 commit
            limit acme net/ip 1
            reserve r4 p net/ip 1 commit
            quotas p
        ",
        expect![[r#"
            > limit p vm/image 0
              limit p vm/image 0 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/image 0 #4 by root at 0s ``
            > limit q vm/image unlimited
              limit q vm/image unlimited #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit q vm/image unlimited #5 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 1 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 0 by limit #4 vm/image of root ``; used 0 held 0 asked 1, short by 1; 1 would do; fits never
            > reserve r2 q vm/image@FRA-A 100 commit
              r2 committed #6: 100 vm/image@FRA-A of q
              acme#6 Reserved by root at 0s: q vm/image@FRA-A 100+0; acme vm/image@FRA-A 100+0; r2 committed #6: 100 vm/image@FRA-A of q
            > unlimit p vm/image
              gone
              acme#7 LimitDeleted by root at 0s: no limit p vm/image
            > reserve r1 p vm/image@FRA-A 1 commit
              r1 committed #8: 1 vm/image@FRA-A of p
              acme#8 Reserved by root at 0s: p vm/image@FRA-A 1+0; acme vm/image@FRA-A 101+0; r1 committed #8: 1 vm/image@FRA-A of p
            > reserve r3 p net/ip 1 commit
              DENIED quota_exceeded
                at p net/ip: 0 by default; used 0 held 0 asked 1, short by 1; 1 would do; fits never
            > limit p net/ip unlimited
              limit p net/ip unlimited #9 by root at 0s ``
              acme#9 LimitPut by root at 0s: limit p net/ip unlimited #9 by root at 0s ``
            > reserve r3 p net/ip 1 commit
              r3 committed #10: 1 net/ip of p
              acme#10 Reserved by root at 0s: p net/ip 1+0; acme net/ip 1+0; r3 committed #10: 1 net/ip of p
            > limit acme net/ip 1
              limit acme net/ip 1 #11 by root at 0s ``
              acme#11 LimitPut by root at 0s: limit acme net/ip 1 #11 by root at 0s ``
            > reserve r4 p net/ip 1 commit
              DENIED quota_exceeded
                at acme net/ip: 1 by limit #11 net/ip of root ``; used 1 held 0 asked 1, short by 1; 2 would do; fits never
            > quotas p
              net/ip count: unlimited used 1 held 0, available 0, over by 0
                0 by default at p, leaves 0
                unlimited by limit #9 net/ip of root `` at p, leaves unlimited
                1 by limit #11 net/ip of root `` at acme, leaves 0
              vm/disk count: unlimited used 0 held 0, available unlimited, over by 0
                unlimited by default at p, leaves unlimited
              vm/image@FRA-A count: 3 used 1 held 0, available 2, over by 0
                3 by default at p, leaves 2
              vm/image@HKG-A count: 3 used 0 held 0, available 3, over by 0
                3 by default at p, leaves 3
        "#]],
    );
}

/// Lowering takes nothing away: what is there stays, may be committed and let go; new use is refused.
#[test]
fn lowered_below_use() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 commit
            reserve r2 p vm/image@FRA-A 1 hold 300s
            limit p vm/image@FRA-A 1
            quotas p vm/image at FRA-A
            reserve r3 p vm/image@FRA-A 1 commit
            commit r2
            release r1
            quotas p vm/image at FRA-A
            reserve r3 p vm/image@FRA-A 1 commit
            release r2
            reserve r3 p vm/image@FRA-A 1 commit
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 commit
              r1 committed #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #4: 2 vm/image@FRA-A of p
            > reserve r2 p vm/image@FRA-A 1 hold 300s
              r2 held until 300s #5: 1 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 2+1; acme vm/image@FRA-A 2+1; r2 held until 300s #5: 1 vm/image@FRA-A of p
            > limit p vm/image@FRA-A 1
              limit p vm/image@FRA-A 1 #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit p vm/image@FRA-A 1 #6 by root at 0s ``
            > quotas p vm/image at FRA-A
              vm/image@FRA-A count: 1 used 2 held 1, available 0, over by 2
                3 by default at p, leaves 0
                1 by limit #6 vm/image@FRA-A of root `` at p, leaves 0
            > reserve r3 p vm/image@FRA-A 1 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 1 by limit #6 vm/image@FRA-A of root ``; used 2 held 1 asked 1, short by 3; 4 would do; fits never
            > commit r2
              r2 committed #7: 1 vm/image@FRA-A of p
              acme#7 Committed by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; r2 committed #7: 1 vm/image@FRA-A of p
            > release r1
              r1 released at 0s #8: 2 vm/image@FRA-A of p
              acme#8 Released by root at 0s: p vm/image@FRA-A 1+0; acme vm/image@FRA-A 1+0; r1 released at 0s #8: 2 vm/image@FRA-A of p
            > quotas p vm/image at FRA-A
              vm/image@FRA-A count: 1 used 1 held 0, available 0, over by 0
                3 by default at p, leaves 2
                1 by limit #6 vm/image@FRA-A of root `` at p, leaves 0
            > reserve r3 p vm/image@FRA-A 1 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 1 by limit #6 vm/image@FRA-A of root ``; used 1 held 0 asked 1, short by 1; 2 would do; fits never
            > release r2
              r2 released at 0s #9: 1 vm/image@FRA-A of p
              acme#9 Released by root at 0s: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r2 released at 0s #9: 1 vm/image@FRA-A of p
            > reserve r3 p vm/image@FRA-A 1 commit
              r3 committed #10: 1 vm/image@FRA-A of p
              acme#10 Reserved by root at 0s: p vm/image@FRA-A 1+0; acme vm/image@FRA-A 1+0; r3 committed #10: 1 vm/image@FRA-A of p
        "#]],
    );
}

/// The same where the default is lowered.
#[test]
fn defaults_lowered() {
    check(
        "
            reserve r1 p vm/disk 5 commit
            resource vm/disk default 3
            quotas p vm/disk
            reserve r2 p vm/disk 1 commit
            resource vm/disk default 6
            reserve r2 p vm/disk 1 commit
        ",
        expect![[r#"
            > reserve r1 p vm/disk 5 commit
              r1 committed #4: 5 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 5+0; acme vm/disk 5+0; r1 committed #4: 5 vm/disk of p
            > resource vm/disk default 3
              resource vm/disk in count, default 3
              catalogue#6 ResourcePut by root at 0s: resource vm/disk in count, default 3
            > quotas p vm/disk
              vm/disk count: 3 used 5 held 0, available 0, over by 2
                3 by default at p, leaves 0
            > reserve r2 p vm/disk 1 commit
              DENIED quota_exceeded
                at p vm/disk: 3 by default; used 5 held 0 asked 1, short by 3; 6 would do; fits never
            > resource vm/disk default 6
              resource vm/disk in count, default 6
              catalogue#7 ResourcePut by root at 0s: resource vm/disk in count, default 6
            > reserve r2 p vm/disk 1 commit
              r2 committed #5: 1 vm/disk of p
              acme#5 Reserved by root at 0s: p vm/disk 6+0; acme vm/disk 6+0; r2 committed #5: 1 vm/disk of p
        "#]],
    );
}

/// Every scope on the way to the tenant is checked and charged, and no other.
#[test]
fn deep() {
    check(
        "
            scope team under p
            scope job under team
            scope side under p
            limit p vm/disk 5
            limit team vm/disk 3
            reserve r1 job vm/disk 3 hold 300s
            reserve r2 job vm/disk 1 commit
            reserve r3 side vm/disk 3 commit
            reserve r4 q vm/disk 100 commit
            quotas job vm/disk
        ",
        expect![[r#"
            > scope team under p
              scope team under p of acme depth 3 ``
              acme#4 ScopePut by root at 0s: scope team under p of acme depth 3 ``
            > scope job under team
              scope job under team of acme depth 4 ``
              acme#5 ScopePut by root at 0s: scope job under team of acme depth 4 ``
            > scope side under p
              scope side under p of acme depth 3 ``
              acme#6 ScopePut by root at 0s: scope side under p of acme depth 3 ``
            > limit p vm/disk 5
              limit p vm/disk 5 #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit p vm/disk 5 #7 by root at 0s ``
            > limit team vm/disk 3
              limit team vm/disk 3 #8 by root at 0s ``
              acme#8 LimitPut by root at 0s: limit team vm/disk 3 #8 by root at 0s ``
            > reserve r1 job vm/disk 3 hold 300s
              r1 held until 300s #9: 3 vm/disk of job
              acme#9 Reserved by root at 0s: job vm/disk 0+3; team vm/disk 0+3; p vm/disk 0+3; acme vm/disk 0+3; r1 held until 300s #9: 3 vm/disk of job
            > reserve r2 job vm/disk 1 commit
              DENIED quota_exceeded
                at team vm/disk: 3 by limit #8 vm/disk of root ``; used 0 held 3 asked 1, short by 1; 4 would do; fits 300s
            > reserve r3 side vm/disk 3 commit
              DENIED quota_exceeded
                at p vm/disk: 5 by limit #7 vm/disk of root ``; used 0 held 3 asked 3, short by 1; 6 would do; fits 300s
            > reserve r4 q vm/disk 100 commit
              r4 committed #10: 100 vm/disk of q
              acme#10 Reserved by root at 0s: q vm/disk 100+0; acme vm/disk 100+3; r4 committed #10: 100 vm/disk of q
            > quotas job vm/disk
              vm/disk count: unlimited used 0 held 3, available 0, over by 0
                unlimited by default at job, leaves unlimited
                3 by limit #8 vm/disk of root `` at team, leaves 0
                5 by limit #7 vm/disk of root `` at p, leaves 2
        "#]],
    );
}
