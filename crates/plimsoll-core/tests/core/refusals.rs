//! Refusals: what is in the way, everywhere, and when it will be gone.

use expect_test::expect;

use crate::script::check;

/// All limits in the way are told, at every scope, in order of lines and then upwards.
#[test]
fn every_limit() {
    check(
        "
            limit acme vm/image@FRA-A 4 because contract
            limit p vm/image 2
            reserve r1 p vm/image@FRA-A 2 commit
            reserve r2 q vm/image@FRA-A 1 hold 300s
            reserve r3 p vm/image@FRA-A 2 vm/image@HKG-A 3 vm/disk 1 net/ip 1 commit
            reserve r3 q vm/image@FRA-A 2 commit
            reserve r3 q vm/image@FRA-A 1 commit
        ",
        expect![[r#"
            > limit acme vm/image@FRA-A 4 because contract
              limit acme vm/image@FRA-A 4 #4 by root at 0s `contract`
              acme#4 LimitPut by root at 0s because `contract`: limit acme vm/image@FRA-A 4 #4 by root at 0s `contract`
            > limit p vm/image 2
              limit p vm/image 2 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/image 2 #5 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 2 commit
              r1 committed #6: 2 vm/image@FRA-A of p
              acme#6 Reserved by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #6: 2 vm/image@FRA-A of p
            > reserve r2 q vm/image@FRA-A 1 hold 300s
              r2 held until 300s #7: 1 vm/image@FRA-A of q
              acme#7 Reserved by root at 0s: q vm/image@FRA-A 0+1; acme vm/image@FRA-A 2+1; r2 held until 300s #7: 1 vm/image@FRA-A of q
            > reserve r3 p vm/image@FRA-A 2 vm/image@HKG-A 3 vm/disk 1 net/ip 1 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 2 by limit #5 vm/image of root ``; used 2 held 0 asked 2, short by 2; 4 would do; fits never
                at acme vm/image@FRA-A: 4 by limit #4 vm/image@FRA-A of root `contract`; used 2 held 1 asked 2, short by 1; 5 would do; fits 300s
                at p vm/image@HKG-A: 2 by limit #5 vm/image of root ``; used 0 held 0 asked 3, short by 1; 3 would do; fits never
                at p net/ip: 0 by default; used 0 held 0 asked 1, short by 1; 1 would do; fits never
            > reserve r3 q vm/image@FRA-A 2 commit
              DENIED quota_exceeded
                at acme vm/image@FRA-A: 4 by limit #4 vm/image@FRA-A of root `contract`; used 2 held 1 asked 2, short by 1; 5 would do; fits 300s
            > reserve r3 q vm/image@FRA-A 1 commit
              r3 committed #8: 1 vm/image@FRA-A of q
              acme#8 Reserved by root at 0s: q vm/image@FRA-A 1+1; acme vm/image@FRA-A 3+1; r3 committed #8: 1 vm/image@FRA-A of q
        "#]],
    );
}

/// Before anything is refused, the tenant's due holds lapse: also those in the way of others.
#[test]
fn due_holds_lapse_first() {
    check(
        "
            limit acme vm/image@FRA-A 4
            reserve r1 p vm/image@FRA-A 1 hold 10s
            reserve r2 p vm/image@FRA-A 1 hold 300s
            reserve r3 q vm/image@FRA-A 2 hold 10s
            reserve r4 q vm/disk 7 hold 10s
            reserve r5 z vm/disk 7 hold 10s
            at 9999ms reserve r6 p vm/image@FRA-A 2 commit
            at 10s reserve r6 p vm/image@FRA-A 2 commit
        ",
        expect![[r#"
            > limit acme vm/image@FRA-A 4
              limit acme vm/image@FRA-A 4 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit acme vm/image@FRA-A 4 #4 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 1 hold 10s
              r1 held until 10s #5: 1 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+1; r1 held until 10s #5: 1 vm/image@FRA-A of p
            > reserve r2 p vm/image@FRA-A 1 hold 300s
              r2 held until 300s #6: 1 vm/image@FRA-A of p
              acme#6 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r2 held until 300s #6: 1 vm/image@FRA-A of p
            > reserve r3 q vm/image@FRA-A 2 hold 10s
              r3 held until 10s #7: 2 vm/image@FRA-A of q
              acme#7 Reserved by root at 0s: q vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+4; r3 held until 10s #7: 2 vm/image@FRA-A of q
            > reserve r4 q vm/disk 7 hold 10s
              r4 held until 10s #8: 7 vm/disk of q
              acme#8 Reserved by root at 0s: q vm/disk 0+7; acme vm/disk 0+7; r4 held until 10s #8: 7 vm/disk of q
            > reserve r5 z vm/disk 7 hold 10s
              r5 held until 10s #3: 7 vm/disk of z
              other#3 Reserved by root at 0s: z vm/disk 0+7; other vm/disk 0+7; r5 held until 10s #3: 7 vm/disk of z
            > at 9999ms reserve r6 p vm/image@FRA-A 2 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 2 asked 2, short by 1; 4 would do; fits 10s
                at acme vm/image@FRA-A: 4 by limit #4 vm/image@FRA-A of root ``; used 0 held 4 asked 2, short by 2; 6 would do; fits 10s
            > at 10s reserve r6 p vm/image@FRA-A 2 commit
              r6 committed #12: 2 vm/image@FRA-A of p
              acme#9 Expired by root at 10s: p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+3; r1 expired at 10s #9: 1 vm/image@FRA-A of p
              acme#10 Expired by root at 10s: q vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+1; r3 expired at 10s #10: 2 vm/image@FRA-A of q
              acme#11 Expired by root at 10s: q vm/disk 0+0; acme vm/disk 0+0; r4 expired at 10s #11: 7 vm/disk of q
              acme#12 Reserved by root at 10s: p vm/image@FRA-A 2+1; acme vm/image@FRA-A 2+1; r6 committed #12: 2 vm/image@FRA-A of p
        "#]],
    );
}

/// Where it is refused all the same, the holds have lapsed all the same; once.
#[test]
fn due_holds_lapse_for_nothing() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 hold 10s
            reserve r2 p vm/image@FRA-A 1 hold 20s
            at 10s reserve r3 p vm/image@FRA-A 3 commit
            reserve r3 p vm/image@FRA-A 3 commit
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 hold 10s
              r1 held until 10s #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r1 held until 10s #4: 2 vm/image@FRA-A of p
            > reserve r2 p vm/image@FRA-A 1 hold 20s
              r2 held until 20s #5: 1 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; r2 held until 20s #5: 1 vm/image@FRA-A of p
            > at 10s reserve r3 p vm/image@FRA-A 3 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 1 asked 3, short by 1; 4 would do; fits 20s
              acme#6 Expired by root at 10s: p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+1; r1 expired at 10s #6: 2 vm/image@FRA-A of p
            > reserve r3 p vm/image@FRA-A 3 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 1 asked 3, short by 1; 4 would do; fits 20s
        "#]],
    );
}

/// What fits is granted at once: no hold is looked at.
#[test]
fn due_holds_that_are_in_nobodys_way_stay() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 hold 10s
            at 10s reserve r2 p vm/image@FRA-A 1 commit
            expire acme
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 hold 10s
              r1 held until 10s #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r1 held until 10s #4: 2 vm/image@FRA-A of p
            > at 10s reserve r2 p vm/image@FRA-A 1 commit
              r2 committed #5: 1 vm/image@FRA-A of p
              acme#5 Reserved by root at 10s: p vm/image@FRA-A 1+2; acme vm/image@FRA-A 1+2; r2 committed #5: 1 vm/image@FRA-A of p
            > expire acme
              1 lapsed
              acme#6 Expired by root at 10s: p vm/image@FRA-A 1+0; acme vm/image@FRA-A 1+0; r1 expired at 10s #6: 2 vm/image@FRA-A of p
        "#]],
    );
}

/// A refusal tells when enough holds will have lapsed, at each limit for itself.
#[test]
fn fits_at() {
    check(
        "
            limit acme vm/image@FRA-A 5
            reserve r1 p vm/image@FRA-A 1 hold 100s
            reserve r2 p vm/image@FRA-A 1 hold 200s
            reserve r3 p vm/image@FRA-A 1 commit
            reserve r4 q vm/image@FRA-A 2 hold 300s
            reserve r5 p vm/image@FRA-A 1 commit
            reserve r5 p vm/image@FRA-A 2 commit
            reserve r5 p vm/image@FRA-A 3 commit
            reserve r5 p vm/image@FRA-A 4 commit
            at 100s reserve r5 p vm/image@FRA-A 2 commit
        ",
        expect![[r#"
            > limit acme vm/image@FRA-A 5
              limit acme vm/image@FRA-A 5 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit acme vm/image@FRA-A 5 #4 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 1 hold 100s
              r1 held until 100s #5: 1 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+1; r1 held until 100s #5: 1 vm/image@FRA-A of p
            > reserve r2 p vm/image@FRA-A 1 hold 200s
              r2 held until 200s #6: 1 vm/image@FRA-A of p
              acme#6 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r2 held until 200s #6: 1 vm/image@FRA-A of p
            > reserve r3 p vm/image@FRA-A 1 commit
              r3 committed #7: 1 vm/image@FRA-A of p
              acme#7 Reserved by root at 0s: p vm/image@FRA-A 1+2; acme vm/image@FRA-A 1+2; r3 committed #7: 1 vm/image@FRA-A of p
            > reserve r4 q vm/image@FRA-A 2 hold 300s
              r4 held until 300s #8: 2 vm/image@FRA-A of q
              acme#8 Reserved by root at 0s: q vm/image@FRA-A 0+2; acme vm/image@FRA-A 1+4; r4 held until 300s #8: 2 vm/image@FRA-A of q
            > reserve r5 p vm/image@FRA-A 1 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 1 held 2 asked 1, short by 1; 4 would do; fits 100s
                at acme vm/image@FRA-A: 5 by limit #4 vm/image@FRA-A of root ``; used 1 held 4 asked 1, short by 1; 6 would do; fits 100s
            > reserve r5 p vm/image@FRA-A 2 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 1 held 2 asked 2, short by 2; 5 would do; fits 200s
                at acme vm/image@FRA-A: 5 by limit #4 vm/image@FRA-A of root ``; used 1 held 4 asked 2, short by 2; 7 would do; fits 200s
            > reserve r5 p vm/image@FRA-A 3 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 1 held 2 asked 3, short by 3; 6 would do; fits never
                at acme vm/image@FRA-A: 5 by limit #4 vm/image@FRA-A of root ``; used 1 held 4 asked 3, short by 3; 8 would do; fits 300s
            > reserve r5 p vm/image@FRA-A 4 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 1 held 2 asked 4, short by 4; 7 would do; fits never
                at acme vm/image@FRA-A: 5 by limit #4 vm/image@FRA-A of root ``; used 1 held 4 asked 4, short by 4; 9 would do; fits 300s
            > at 100s reserve r5 p vm/image@FRA-A 2 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 1 held 1 asked 2, short by 1; 4 would do; fits 200s
                at acme vm/image@FRA-A: 5 by limit #4 vm/image@FRA-A of root ``; used 1 held 3 asked 2, short by 1; 6 would do; fits 200s
              acme#9 Expired by root at 100s: p vm/image@FRA-A 1+1; acme vm/image@FRA-A 1+3; r1 expired at 100s #9: 1 vm/image@FRA-A of p
        "#]],
    );
}

/// Holds of a sibling and of another item free nothing here.
#[test]
fn fits_at_counts_only_what_is_below() {
    check(
        "
            reserve r1 q vm/image@FRA-A 3 hold 100s
            reserve r2 p vm/image@HKG-A 3 hold 200s
            reserve r3 p vm/image@FRA-A 2 commit
            reserve r4 p vm/image@FRA-A 1 hold 300s
            reserve r5 p vm/image@FRA-A 1 commit
        ",
        expect![[r#"
            > reserve r1 q vm/image@FRA-A 3 hold 100s
              r1 held until 100s #4: 3 vm/image@FRA-A of q
              acme#4 Reserved by root at 0s: q vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; r1 held until 100s #4: 3 vm/image@FRA-A of q
            > reserve r2 p vm/image@HKG-A 3 hold 200s
              r2 held until 200s #5: 3 vm/image@HKG-A of p
              acme#5 Reserved by root at 0s: p vm/image@HKG-A 0+3; acme vm/image@HKG-A 0+3; r2 held until 200s #5: 3 vm/image@HKG-A of p
            > reserve r3 p vm/image@FRA-A 2 commit
              r3 committed #6: 2 vm/image@FRA-A of p
              acme#6 Reserved by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+3; r3 committed #6: 2 vm/image@FRA-A of p
            > reserve r4 p vm/image@FRA-A 1 hold 300s
              r4 held until 300s #7: 1 vm/image@FRA-A of p
              acme#7 Reserved by root at 0s: p vm/image@FRA-A 2+1; acme vm/image@FRA-A 2+4; r4 held until 300s #7: 1 vm/image@FRA-A of p
            > reserve r5 p vm/image@FRA-A 1 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 2 held 1 asked 1, short by 1; 4 would do; fits 300s
        "#]],
    );
}

/// What is over the limit must lapse too before anything fits.
#[test]
fn fits_at_after_lowering() {
    check(
        "
            reserve r1 p vm/image@FRA-A 1 hold 100s
            reserve r2 p vm/image@FRA-A 1 hold 200s
            reserve r3 p vm/image@FRA-A 1 hold 300s
            limit p vm/image 1
            reserve r4 p vm/image@FRA-A 1 commit
            limit p vm/image 0
            reserve r4 p vm/image@FRA-A 1 commit
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 1 hold 100s
              r1 held until 100s #4: 1 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+1; r1 held until 100s #4: 1 vm/image@FRA-A of p
            > reserve r2 p vm/image@FRA-A 1 hold 200s
              r2 held until 200s #5: 1 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r2 held until 200s #5: 1 vm/image@FRA-A of p
            > reserve r3 p vm/image@FRA-A 1 hold 300s
              r3 held until 300s #6: 1 vm/image@FRA-A of p
              acme#6 Reserved by root at 0s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; r3 held until 300s #6: 1 vm/image@FRA-A of p
            > limit p vm/image 1
              limit p vm/image 1 #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit p vm/image 1 #7 by root at 0s ``
            > reserve r4 p vm/image@FRA-A 1 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 1 by limit #7 vm/image of root ``; used 0 held 3 asked 1, short by 3; 4 would do; fits 300s
            > limit p vm/image 0
              limit p vm/image 0 #8 by root at 0s ``
              acme#8 LimitPut by root at 0s: limit p vm/image 0 #8 by root at 0s ``
            > reserve r4 p vm/image@FRA-A 1 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 0 by limit #8 vm/image of root ``; used 0 held 3 asked 1, short by 4; 4 would do; fits never
        "#]],
    );
}

/// What does not exist is neither zero nor unlimited; it is told before any quota.
#[test]
fn unknown_first() {
    check(
        "
            reserve r1 nowhere vm/image@FRA-A 9 commit
            reserve r1 p vm/image@FRA-A 9 vm/nothing 9 commit
            reserve r1 p vm/image@MOON 9 commit
            reserve r1 p vm/image 9 commit
            reserve r1 p vm/disk@FRA-A 9 commit
            reserve r1 p vm/disk@MOON 9 commit
            limit nowhere vm/image 1
            limit p vm/nothing 1
            limit p vm/image@MOON 1
            limit p vm/disk@FRA-A 1
            unlimit nowhere vm/image
            unlimit p vm/image
            unlimit p vm/nothing
            expire nowhere
            expire p
            check nowhere vm/image@FRA-A 1
            check p vm/nothing 1
            quotas nowhere
            quotas p vm/nothing
        ",
        expect![[r#"
            > reserve r1 nowhere vm/image@FRA-A 9 commit
              DENIED unknown_scope nowhere
            > reserve r1 p vm/image@FRA-A 9 vm/nothing 9 commit
              DENIED unknown_resource vm/nothing
            > reserve r1 p vm/image@MOON 9 commit
              DENIED unknown_location MOON
            > reserve r1 p vm/image 9 commit
              DENIED location_required vm/image
            > reserve r1 p vm/disk@FRA-A 9 commit
              DENIED location_not_applicable vm/disk
            > reserve r1 p vm/disk@MOON 9 commit
              DENIED unknown_location MOON
            > limit nowhere vm/image 1
              DENIED unknown_scope nowhere
            > limit p vm/nothing 1
              DENIED unknown_resource vm/nothing
            > limit p vm/image@MOON 1
              DENIED unknown_location MOON
            > limit p vm/disk@FRA-A 1
              DENIED location_not_applicable vm/disk
            > unlimit nowhere vm/image
              DENIED unknown_scope nowhere
            > unlimit p vm/image
              DENIED not_found
            > unlimit p vm/nothing
              DENIED not_found
            > expire nowhere
              DENIED unknown_scope nowhere
            > expire p
              DENIED unknown_scope p
            > check nowhere vm/image@FRA-A 1
              DENIED unknown_scope nowhere
            > check p vm/nothing 1
              DENIED unknown_resource vm/nothing
            > quotas nowhere
            > quotas p vm/nothing
        "#]],
    );
}

/// A repetition is answered before anything is asked about its lines.
#[test]
fn a_known_reservation_first() {
    check(
        "
            reserve r1 p vm/image@FRA-A 3 commit
            limit p vm/image 0
            reserve r1 p vm/image@FRA-A 3 commit
            reserve r1 p vm/nothing 1 commit
            reserve r1 p vm/image@FRA-A 99 commit
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 3 commit
              r1 committed #4: 3 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; r1 committed #4: 3 vm/image@FRA-A of p
            > limit p vm/image 0
              limit p vm/image 0 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/image 0 #5 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 3 commit
              r1 committed #4: 3 vm/image@FRA-A of p
            > reserve r1 p vm/nothing 1 commit
              DENIED id_conflict
            > reserve r1 p vm/image@FRA-A 99 commit
              DENIED id_conflict
        "#]],
    );
}

/// A check decides as a reserve does and writes nothing, not even that holds lapsed.
#[test]
fn checked() {
    check(
        "
            reserve r1 p vm/image@FRA-A 3 hold 10s
            check p vm/image@FRA-A 1
            check q vm/image@FRA-A 3 vm/disk MAX
            at 10s check p vm/image@FRA-A 3
            check p vm/image@FRA-A 4
            expire acme
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 3 hold 10s
              r1 held until 10s #4: 3 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; r1 held until 10s #4: 3 vm/image@FRA-A of p
            > check p vm/image@FRA-A 1
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 3 asked 1, short by 1; 4 would do; fits 10s
            > check q vm/image@FRA-A 3 vm/disk MAX
              admissible: 3 vm/image@FRA-A, MAX vm/disk
            > at 10s check p vm/image@FRA-A 3
              admissible: 3 vm/image@FRA-A
            > check p vm/image@FRA-A 4
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 0 asked 4, short by 1; 4 would do; fits never
            > expire acme
              1 lapsed
              acme#5 Expired by root at 10s: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 expired at 10s #5: 3 vm/image@FRA-A of p
        "#]],
    );
}
