//! Other amounts, as one step: what becomes less is freed, what becomes more must fit.

use expect_test::expect;

use crate::script::check;

/// More and less of a hold; it lapses when it would have.
#[test]
fn held() {
    check(
        "
            reserve r1 p vm/image@FRA-A 1 hold 300s
            at 10s resize r1 vm/image@FRA-A 3
            resize r1 vm/image@FRA-A 3
            resize r1 vm/image@FRA-A 4
            resize r1 vm/image@FRA-A 2
            reserve r1 p vm/image@FRA-A 1 hold 300s
            reserve r1 p vm/image@FRA-A 2 hold 300s
            commit r1
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 1 hold 300s
              r1 held until 300s #4: 1 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+1; r1 held until 300s #4: 1 vm/image@FRA-A of p
            > at 10s resize r1 vm/image@FRA-A 3
              r1 held until 300s #5: 3 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
              acme#5 Resized by root at 10s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; r1 held until 300s #5: 3 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
            > resize r1 vm/image@FRA-A 3
              r1 held until 300s #5: 3 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
            > resize r1 vm/image@FRA-A 4
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 3 asked 1, short by 1; 4 would do; fits never
            > resize r1 vm/image@FRA-A 2
              r1 held until 300s #6: 2 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
              acme#6 Resized by root at 10s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r1 held until 300s #6: 2 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
            > reserve r1 p vm/image@FRA-A 1 hold 300s
              r1 held until 300s #6: 2 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
            > reserve r1 p vm/image@FRA-A 2 hold 300s
              DENIED id_conflict
            > commit r1
              r1 committed #7: 2 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
              acme#7 Committed by root at 10s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #7: 2 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
        "#]],
    );
}

/// Use, at a limit above.
#[test]
fn committed() {
    check(
        "
            limit acme vm/image@FRA-A 4
            reserve r1 p vm/image@FRA-A 1 commit
            reserve r2 q vm/image@FRA-A 2 commit
            resize r1 vm/image@FRA-A 3
            resize r1 vm/image@FRA-A 2
            resize r2 vm/image@FRA-A 3
        ",
        expect![[r#"
            > limit acme vm/image@FRA-A 4
              limit acme vm/image@FRA-A 4 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit acme vm/image@FRA-A 4 #4 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 1 commit
              r1 committed #5: 1 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 1+0; acme vm/image@FRA-A 1+0; r1 committed #5: 1 vm/image@FRA-A of p
            > reserve r2 q vm/image@FRA-A 2 commit
              r2 committed #6: 2 vm/image@FRA-A of q
              acme#6 Reserved by root at 0s: q vm/image@FRA-A 2+0; acme vm/image@FRA-A 3+0; r2 committed #6: 2 vm/image@FRA-A of q
            > resize r1 vm/image@FRA-A 3
              DENIED quota_exceeded
                at acme vm/image@FRA-A: 4 by limit #4 vm/image@FRA-A of root ``; used 3 held 0 asked 2, short by 1; 5 would do; fits never
            > resize r1 vm/image@FRA-A 2
              r1 committed #7: 2 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
              acme#7 Resized by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 4+0; r1 committed #7: 2 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
            > resize r2 vm/image@FRA-A 3
              DENIED quota_exceeded
                at acme vm/image@FRA-A: 4 by limit #4 vm/image@FRA-A of root ``; used 4 held 0 asked 1, short by 1; 5 would do; fits never
        "#]],
    );
}

/// Both directions at once, and items that come and go: each account by itself.
#[test]
fn swapped() {
    check(
        "
            reserve r1 p vm/image@FRA-A 3 vm/image@HKG-A 1 commit
            resize r1 vm/image@FRA-A 1 vm/image@HKG-A 3
            resize r1 vm/image@FRA-A 3 vm/image@HKG-A 4
            resize r1 vm/image@FRA-A 3 vm/disk 7
            resize r1 vm/disk 7 vm/image@FRA-A 3 # another order is another content, and changes no account
            resize r1 net/ip 1
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 3 vm/image@HKG-A 1 commit
              r1 committed #4: 3 vm/image@FRA-A, 1 vm/image@HKG-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; p vm/image@HKG-A 1+0; acme vm/image@HKG-A 1+0; r1 committed #4: 3 vm/image@FRA-A, 1 vm/image@HKG-A of p
            > resize r1 vm/image@FRA-A 1 vm/image@HKG-A 3
              r1 committed #5: 1 vm/image@FRA-A, 3 vm/image@HKG-A of p (asked 3 vm/image@FRA-A, 1 vm/image@HKG-A of p)
              acme#5 Resized by root at 0s: p vm/image@FRA-A 1+0; acme vm/image@FRA-A 1+0; p vm/image@HKG-A 3+0; acme vm/image@HKG-A 3+0; r1 committed #5: 1 vm/image@FRA-A, 3 vm/image@HKG-A of p (asked 3 vm/image@FRA-A, 1 vm/image@HKG-A of p)
            > resize r1 vm/image@FRA-A 3 vm/image@HKG-A 4
              DENIED quota_exceeded
                at p vm/image@HKG-A: 3 by default; used 3 held 0 asked 1, short by 1; 4 would do; fits never
            > resize r1 vm/image@FRA-A 3 vm/disk 7
              r1 committed #6: 3 vm/image@FRA-A, 7 vm/disk of p (asked 3 vm/image@FRA-A, 1 vm/image@HKG-A of p)
              acme#6 Resized by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; p vm/disk 7+0; acme vm/disk 7+0; p vm/image@HKG-A 0+0; acme vm/image@HKG-A 0+0; r1 committed #6: 3 vm/image@FRA-A, 7 vm/disk of p (asked 3 vm/image@FRA-A, 1 vm/image@HKG-A of p)
            > resize r1 vm/disk 7 vm/image@FRA-A 3
              r1 committed #7: 7 vm/disk, 3 vm/image@FRA-A of p (asked 3 vm/image@FRA-A, 1 vm/image@HKG-A of p)
              acme#7 Resized by root at 0s: p vm/disk 7+0; acme vm/disk 7+0; p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; r1 committed #7: 7 vm/disk, 3 vm/image@FRA-A of p (asked 3 vm/image@FRA-A, 1 vm/image@HKG-A of p)
            > resize r1 net/ip 1
              DENIED quota_exceeded
                at p net/ip: 0 by default; used 0 held 0 asked 1, short by 1; 1 would do; fits never
        "#]],
    );
}

/// Refused as one: what would become less is not freed either.
#[test]
fn all_or_none() {
    check(
        "
            limit acme vm/disk 10
            reserve r1 p vm/image@FRA-A 3 vm/disk 5 commit
            reserve r2 q vm/disk 5 hold 60s
            resize r1 vm/image@FRA-A 1 vm/disk 6
            quotas p vm/image at FRA-A
            at 60s resize r1 vm/image@FRA-A 1 vm/disk 6
        ",
        expect![[r#"
            > limit acme vm/disk 10
              limit acme vm/disk 10 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit acme vm/disk 10 #4 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 3 vm/disk 5 commit
              r1 committed #5: 3 vm/image@FRA-A, 5 vm/disk of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; p vm/disk 5+0; acme vm/disk 5+0; r1 committed #5: 3 vm/image@FRA-A, 5 vm/disk of p
            > reserve r2 q vm/disk 5 hold 60s
              r2 held until 60s #6: 5 vm/disk of q
              acme#6 Reserved by root at 0s: q vm/disk 0+5; acme vm/disk 5+5; r2 held until 60s #6: 5 vm/disk of q
            > resize r1 vm/image@FRA-A 1 vm/disk 6
              DENIED quota_exceeded
                at acme vm/disk: 10 by limit #4 vm/disk of root ``; used 5 held 5 asked 1, short by 1; 11 would do; fits 60s
            > quotas p vm/image at FRA-A
              vm/image@FRA-A count: 3 used 3 held 0, available 0, over by 0
                3 by default at p, leaves 0
            > at 60s resize r1 vm/image@FRA-A 1 vm/disk 6
              r1 committed #8: 1 vm/image@FRA-A, 6 vm/disk of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
              acme#7 Expired by root at 60s: q vm/disk 0+0; acme vm/disk 5+0; r2 expired at 60s #7: 5 vm/disk of q
              acme#8 Resized by root at 60s: p vm/image@FRA-A 1+0; acme vm/image@FRA-A 1+0; p vm/disk 6+0; acme vm/disk 6+0; r1 committed #8: 1 vm/image@FRA-A, 6 vm/disk of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
        "#]],
    );
}

/// What is over its limit may become less, and stay while others become more.
#[test]
fn over_the_limit() {
    check(
        "
            reserve r1 p vm/image@FRA-A 3 vm/image@HKG-A 1 commit
            limit p vm/image@FRA-A 1
            limit acme vm/image@FRA-A 0
            resize r1 vm/image@FRA-A 2 vm/image@HKG-A 1
            resize r1 vm/image@FRA-A 2 vm/image@HKG-A 2
            resize r1 vm/image@FRA-A 3 vm/image@HKG-A 1
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 3 vm/image@HKG-A 1 commit
              r1 committed #4: 3 vm/image@FRA-A, 1 vm/image@HKG-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; p vm/image@HKG-A 1+0; acme vm/image@HKG-A 1+0; r1 committed #4: 3 vm/image@FRA-A, 1 vm/image@HKG-A of p
            > limit p vm/image@FRA-A 1
              limit p vm/image@FRA-A 1 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/image@FRA-A 1 #5 by root at 0s ``
            > limit acme vm/image@FRA-A 0
              limit acme vm/image@FRA-A 0 #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit acme vm/image@FRA-A 0 #6 by root at 0s ``
            > resize r1 vm/image@FRA-A 2 vm/image@HKG-A 1
              r1 committed #7: 2 vm/image@FRA-A, 1 vm/image@HKG-A of p (asked 3 vm/image@FRA-A, 1 vm/image@HKG-A of p)
              acme#7 Resized by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; p vm/image@HKG-A 1+0; acme vm/image@HKG-A 1+0; r1 committed #7: 2 vm/image@FRA-A, 1 vm/image@HKG-A of p (asked 3 vm/image@FRA-A, 1 vm/image@HKG-A of p)
            > resize r1 vm/image@FRA-A 2 vm/image@HKG-A 2
              r1 committed #8: 2 vm/image@FRA-A, 2 vm/image@HKG-A of p (asked 3 vm/image@FRA-A, 1 vm/image@HKG-A of p)
              acme#8 Resized by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; p vm/image@HKG-A 2+0; acme vm/image@HKG-A 2+0; r1 committed #8: 2 vm/image@FRA-A, 2 vm/image@HKG-A of p (asked 3 vm/image@FRA-A, 1 vm/image@HKG-A of p)
            > resize r1 vm/image@FRA-A 3 vm/image@HKG-A 1
              DENIED quota_exceeded
                at p vm/image@FRA-A: 1 by limit #5 vm/image@FRA-A of root ``; used 2 held 0 asked 1, short by 2; 3 would do; fits never
                at acme vm/image@FRA-A: 0 by limit #6 vm/image@FRA-A of root ``; used 2 held 0 asked 1, short by 3; 3 would do; fits never
        "#]],
    );
}

/// What makes no sense is told; what is there is not asked about again.
#[test]
fn senseless() {
    check(
        "
            reserve r1 p vm/disk 1 commit
            resize r1 vm/nothing 1
            resize r1 vm/image 1
            resize r1 vm/image@MOON 1
            resize r1 vm/disk@FRA-A 1
            resize r1 vm/disk 1
        ",
        expect![[r#"
            > reserve r1 p vm/disk 1 commit
              r1 committed #4: 1 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 1+0; acme vm/disk 1+0; r1 committed #4: 1 vm/disk of p
            > resize r1 vm/nothing 1
              DENIED unknown_resource vm/nothing
            > resize r1 vm/image 1
              DENIED location_required vm/image
            > resize r1 vm/image@MOON 1
              DENIED unknown_location MOON
            > resize r1 vm/disk@FRA-A 1
              DENIED location_not_applicable vm/disk
            > resize r1 vm/disk 1
              r1 committed #4: 1 vm/disk of p
        "#]],
    );
}

/// Not what has ended or is due.
#[test]
fn every_other_state() {
    check(
        "
            resize r1 vm/disk 2
            reserve r1 p vm/disk 1 commit
            release r1
            resize r1 vm/disk 2
            resize r1 vm/disk 1 # not even to what it was
            reserve r2 p vm/disk 1 hold 10s
            reserve r3 p vm/disk 1 hold 10s
            at 10s resize r2 vm/disk 2
            resize r2 vm/disk 2
            expire acme
            resize r3 vm/nothing 2
        ",
        expect![[r#"
            > resize r1 vm/disk 2
              DENIED not_found
            > reserve r1 p vm/disk 1 commit
              r1 committed #4: 1 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 1+0; acme vm/disk 1+0; r1 committed #4: 1 vm/disk of p
            > release r1
              r1 released at 0s #5: 1 vm/disk of p
              acme#5 Released by root at 0s: p vm/disk 0+0; acme vm/disk 0+0; r1 released at 0s #5: 1 vm/disk of p
            > resize r1 vm/disk 2
              DENIED state_conflict released
            > resize r1 vm/disk 1
              DENIED state_conflict released
            > reserve r2 p vm/disk 1 hold 10s
              r2 held until 10s #6: 1 vm/disk of p
              acme#6 Reserved by root at 0s: p vm/disk 0+1; acme vm/disk 0+1; r2 held until 10s #6: 1 vm/disk of p
            > reserve r3 p vm/disk 1 hold 10s
              r3 held until 10s #7: 1 vm/disk of p
              acme#7 Reserved by root at 0s: p vm/disk 0+2; acme vm/disk 0+2; r3 held until 10s #7: 1 vm/disk of p
            > at 10s resize r2 vm/disk 2
              DENIED state_conflict expired
              acme#8 Expired by root at 10s: p vm/disk 0+1; acme vm/disk 0+1; r2 expired at 10s #8: 1 vm/disk of p
            > resize r2 vm/disk 2
              DENIED state_conflict expired
            > expire acme
              1 lapsed
              acme#9 Expired by root at 10s: p vm/disk 0+0; acme vm/disk 0+0; r3 expired at 10s #9: 1 vm/disk of p
            > resize r3 vm/nothing 2
              DENIED state_conflict expired
        "#]],
    );
}

/// Other holds whose time is over make room; their own does not wait.
#[test]
fn due_holds_lapse_first() {
    check(
        "
            reserve r1 p vm/image@FRA-A 1 hold 300s
            reserve r2 p vm/image@FRA-A 2 hold 10s
            at 10s resize r1 vm/image@FRA-A 3
            reserve r3 p vm/image@FRA-A 1 hold 10s
            resize r1 vm/image@FRA-A 2
            reserve r3 p vm/image@FRA-A 1 hold 10s
            at 20s resize r1 vm/image@FRA-A 1
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 1 hold 300s
              r1 held until 300s #4: 1 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+1; r1 held until 300s #4: 1 vm/image@FRA-A of p
            > reserve r2 p vm/image@FRA-A 2 hold 10s
              r2 held until 10s #5: 2 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; r2 held until 10s #5: 2 vm/image@FRA-A of p
            > at 10s resize r1 vm/image@FRA-A 3
              r1 held until 300s #7: 3 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
              acme#6 Expired by root at 10s: p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+1; r2 expired at 10s #6: 2 vm/image@FRA-A of p
              acme#7 Resized by root at 10s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; r1 held until 300s #7: 3 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
            > reserve r3 p vm/image@FRA-A 1 hold 10s
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 3 asked 1, short by 1; 4 would do; fits 300s
            > resize r1 vm/image@FRA-A 2
              r1 held until 300s #8: 2 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
              acme#8 Resized by root at 10s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r1 held until 300s #8: 2 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
            > reserve r3 p vm/image@FRA-A 1 hold 10s
              r3 held until 20s #9: 1 vm/image@FRA-A of p
              acme#9 Reserved by root at 10s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; r3 held until 20s #9: 1 vm/image@FRA-A of p
            > at 20s resize r1 vm/image@FRA-A 1
              r1 held until 300s #10: 1 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
              acme#10 Resized by root at 20s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r1 held until 300s #10: 1 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
        "#]],
    );
}

/// A hold does not wait for itself: when it has lapsed, nothing of it fits.
#[test]
fn fits_before_it_lapses() {
    check(
        "
            reserve r1 p vm/image@FRA-A 1 hold 100s
            reserve r2 p vm/image@FRA-A 2 hold 50s
            resize r1 vm/image@FRA-A 3
            extend r2 100s # at one and the same instant
            resize r1 vm/image@FRA-A 3
            extend r2 200s
            resize r1 vm/image@FRA-A 2
            resize r1 vm/image@FRA-A 4
            commit r1
            resize r1 vm/image@FRA-A 2
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 1 hold 100s
              r1 held until 100s #4: 1 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+1; r1 held until 100s #4: 1 vm/image@FRA-A of p
            > reserve r2 p vm/image@FRA-A 2 hold 50s
              r2 held until 50s #5: 2 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; r2 held until 50s #5: 2 vm/image@FRA-A of p
            > resize r1 vm/image@FRA-A 3
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 3 asked 2, short by 2; 5 would do; fits 50s
            > extend r2 100s
              r2 held until 100s #6: 2 vm/image@FRA-A of p
              acme#6 Extended by root at 0s: r2 held until 100s #6: 2 vm/image@FRA-A of p
            > resize r1 vm/image@FRA-A 3
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 3 asked 2, short by 2; 5 would do; fits never
            > extend r2 200s
              r2 held until 200s #7: 2 vm/image@FRA-A of p
              acme#7 Extended by root at 0s: r2 held until 200s #7: 2 vm/image@FRA-A of p
            > resize r1 vm/image@FRA-A 2
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 3 asked 1, short by 1; 4 would do; fits never
            > resize r1 vm/image@FRA-A 4
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 3 asked 3, short by 3; 6 would do; fits never
            > commit r1
              r1 committed #8: 1 vm/image@FRA-A of p
              acme#8 Committed by root at 0s: p vm/image@FRA-A 1+2; acme vm/image@FRA-A 1+2; r1 committed #8: 1 vm/image@FRA-A of p
            > resize r1 vm/image@FRA-A 2
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 1 held 2 asked 1, short by 1; 4 would do; fits 200s
        "#]],
    );
}
