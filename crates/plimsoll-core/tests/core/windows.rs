//! Limits in time: from when until when one counts, and which of several does.

use expect_test::expect;
use plimsoll_core::bounds::LIMITS_OF_ITEM_MAX;
use plimsoll_core::outcome::{Denial, Outcome};

use crate::script::{check, last, run};
use crate::world::{item, scope};

/// Before it, at its first instant, at its last, and after it: then the standing limit is back.
#[test]
fn for_a_time() {
    check(
        "
            limit p vm/disk 1
            limit p vm/disk 5 from 10s until 20s because sale
            at 9999ms check p vm/disk 2
            at 10s check p vm/disk 5
            check p vm/disk 6
            quotas p vm/disk
            at 19999ms reserve r1 p vm/disk 5 commit
            at 20s check p vm/disk 1
            quotas p vm/disk
            release r1 vm/disk 4
            check p vm/disk 1
            release r1
            check p vm/disk 1
        ",
        expect![[r#"
            > limit p vm/disk 1
              limit p vm/disk 1 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 1 #4 by root at 0s ``
            > limit p vm/disk 5 from 10s until 20s because sale
              limit p vm/disk 5 from 10s until 20s #5 by root at 0s `sale`
              acme#5 LimitPut by root at 0s because `sale`: limit p vm/disk 1 #4 by root at 0s `` and limit p vm/disk 5 from 10s until 20s #5 by root at 0s `sale`
            > at 9999ms check p vm/disk 2
              DENIED quota_exceeded
                at p vm/disk: 1 by limit #4 vm/disk of root ``; used 0 held 0 asked 2, short by 1; 2 would do; fits never
            > at 10s check p vm/disk 5
              admissible: 5 vm/disk
            > check p vm/disk 6
              DENIED quota_exceeded
                at p vm/disk: 5 by limit #5 vm/disk from 10s until 20s of root `sale`; used 0 held 0 asked 6, short by 1; 6 would do; fits never
            > quotas p vm/disk
              vm/disk count: 5 used 0 held 0, available 5, over by 0
                unlimited by default at p, leaves unlimited
                1 by limit #4 vm/disk of root `` at p, leaves 1
                5 by limit #5 vm/disk from 10s until 20s of root `sale` at p, leaves 5
            > at 19999ms reserve r1 p vm/disk 5 commit
              r1 committed #6: 5 vm/disk of p
              acme#6 Reserved by root at 19999ms: p vm/disk 5+0; acme vm/disk 5+0; r1 committed #6: 5 vm/disk of p
            > at 20s check p vm/disk 1
              DENIED quota_exceeded
                at p vm/disk: 1 by limit #4 vm/disk of root ``; used 5 held 0 asked 1, short by 5; 6 would do; fits never
            > quotas p vm/disk
              vm/disk count: 1 used 5 held 0, available 0, over by 4
                unlimited by default at p, leaves unlimited
                1 by limit #4 vm/disk of root `` at p, leaves 0
            > release r1 vm/disk 4
              r1 committed #7: 1 vm/disk of p (asked 5 vm/disk of p)
              acme#7 Released by root at 20s: p vm/disk 1+0; acme vm/disk 1+0; r1 committed #7: 1 vm/disk of p (asked 5 vm/disk of p)
            > check p vm/disk 1
              DENIED quota_exceeded
                at p vm/disk: 1 by limit #4 vm/disk of root ``; used 1 held 0 asked 1, short by 1; 2 would do; fits never
            > release r1
              r1 released at 20s #8: 1 vm/disk of p (asked 5 vm/disk of p)
              acme#8 Released by root at 20s: p vm/disk 0+0; acme vm/disk 0+0; r1 released at 20s #8: 1 vm/disk of p (asked 5 vm/disk of p)
            > check p vm/disk 1
              admissible: 1 vm/disk
        "#]],
    );
}

/// From an instant for good, and from the beginning until one.
#[test]
fn half_open() {
    check(
        "
            limit p vm/disk 4 from 10s
            check p vm/disk 9
            at 10s check p vm/disk 5
            at 99999s check p vm/disk 5
            limit q vm/disk 2 until 100000s
            check q vm/disk 3
            at 100000s check q vm/disk 3
        ",
        expect![[r#"
            > limit p vm/disk 4 from 10s
              limit p vm/disk 4 from 10s #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 4 from 10s #4 by root at 0s ``
            > check p vm/disk 9
              admissible: 9 vm/disk
            > at 10s check p vm/disk 5
              DENIED quota_exceeded
                at p vm/disk: 4 by limit #4 vm/disk from 10s of root ``; used 0 held 0 asked 5, short by 1; 5 would do; fits never
            > at 99999s check p vm/disk 5
              DENIED quota_exceeded
                at p vm/disk: 4 by limit #4 vm/disk from 10s of root ``; used 0 held 0 asked 5, short by 1; 5 would do; fits never
            > limit q vm/disk 2 until 100000s
              limit q vm/disk 2 until 100000s #5 by root at 99999s ``
              acme#5 LimitPut by root at 99999s: limit q vm/disk 2 until 100000s #5 by root at 99999s ``
            > check q vm/disk 3
              DENIED quota_exceeded
                at q vm/disk: 2 by limit #5 vm/disk until 100000s of root ``; used 0 held 0 asked 3, short by 1; 3 would do; fits never
            > at 100000s check q vm/disk 3
              admissible: 3 vm/disk
        "#]],
    );
}

/// Of several that are open, the last to start counts; of those, the first to end.
#[test]
fn several() {
    check(
        "
            limit p vm/disk 1 until 40s
            limit p vm/disk 2 from 10s
            limit p vm/disk 3 from 10s until 30s
            limit p vm/disk 4 from 10s until 20s
            limit p vm/disk 9 from 15s until 16s
            limit p vm/disk 5
            check p vm/disk 100
            at 10s check p vm/disk 100
            at 15s check p vm/disk 100
            quotas p vm/disk
            at 16s check p vm/disk 100
            at 20s check p vm/disk 100
            at 30s check p vm/disk 100
            at 40s quotas p vm/disk
        ",
        expect![[r#"
            > limit p vm/disk 1 until 40s
              limit p vm/disk 1 until 40s #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 1 until 40s #4 by root at 0s ``
            > limit p vm/disk 2 from 10s
              limit p vm/disk 2 from 10s #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/disk 1 until 40s #4 by root at 0s `` and limit p vm/disk 2 from 10s #5 by root at 0s ``
            > limit p vm/disk 3 from 10s until 30s
              limit p vm/disk 3 from 10s until 30s #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit p vm/disk 1 until 40s #4 by root at 0s `` and limit p vm/disk 2 from 10s #5 by root at 0s `` and limit p vm/disk 3 from 10s until 30s #6 by root at 0s ``
            > limit p vm/disk 4 from 10s until 20s
              limit p vm/disk 4 from 10s until 20s #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit p vm/disk 1 until 40s #4 by root at 0s `` and limit p vm/disk 2 from 10s #5 by root at 0s `` and limit p vm/disk 3 from 10s until 30s #6 by root at 0s `` and limit p vm/disk 4 from 10s until 20s #7 by root at 0s ``
            > limit p vm/disk 9 from 15s until 16s
              limit p vm/disk 9 from 15s until 16s #8 by root at 0s ``
              acme#8 LimitPut by root at 0s: limit p vm/disk 1 until 40s #4 by root at 0s `` and limit p vm/disk 2 from 10s #5 by root at 0s `` and limit p vm/disk 3 from 10s until 30s #6 by root at 0s `` and limit p vm/disk 4 from 10s until 20s #7 by root at 0s `` and limit p vm/disk 9 from 15s until 16s #8 by root at 0s ``
            > limit p vm/disk 5
              limit p vm/disk 5 #9 by root at 0s ``
              acme#9 LimitPut by root at 0s: limit p vm/disk 1 until 40s #4 by root at 0s `` and limit p vm/disk 2 from 10s #5 by root at 0s `` and limit p vm/disk 3 from 10s until 30s #6 by root at 0s `` and limit p vm/disk 4 from 10s until 20s #7 by root at 0s `` and limit p vm/disk 9 from 15s until 16s #8 by root at 0s `` and limit p vm/disk 5 #9 by root at 0s ``
            > check p vm/disk 100
              DENIED quota_exceeded
                at p vm/disk: 1 by limit #4 vm/disk until 40s of root ``; used 0 held 0 asked 100, short by 99; 100 would do; fits never
            > at 10s check p vm/disk 100
              DENIED quota_exceeded
                at p vm/disk: 4 by limit #7 vm/disk from 10s until 20s of root ``; used 0 held 0 asked 100, short by 96; 100 would do; fits never
            > at 15s check p vm/disk 100
              DENIED quota_exceeded
                at p vm/disk: 9 by limit #8 vm/disk from 15s until 16s of root ``; used 0 held 0 asked 100, short by 91; 100 would do; fits never
            > quotas p vm/disk
              vm/disk count: 9 used 0 held 0, available 9, over by 0
                unlimited by default at p, leaves unlimited
                5 by limit #9 vm/disk of root `` at p, leaves 5
                1 by limit #4 vm/disk until 40s of root `` at p, leaves 1
                2 by limit #5 vm/disk from 10s of root `` at p, leaves 2
                3 by limit #6 vm/disk from 10s until 30s of root `` at p, leaves 3
                4 by limit #7 vm/disk from 10s until 20s of root `` at p, leaves 4
                9 by limit #8 vm/disk from 15s until 16s of root `` at p, leaves 9
            > at 16s check p vm/disk 100
              DENIED quota_exceeded
                at p vm/disk: 4 by limit #7 vm/disk from 10s until 20s of root ``; used 0 held 0 asked 100, short by 96; 100 would do; fits never
            > at 20s check p vm/disk 100
              DENIED quota_exceeded
                at p vm/disk: 3 by limit #6 vm/disk from 10s until 30s of root ``; used 0 held 0 asked 100, short by 97; 100 would do; fits never
            > at 30s check p vm/disk 100
              DENIED quota_exceeded
                at p vm/disk: 2 by limit #5 vm/disk from 10s of root ``; used 0 held 0 asked 100, short by 98; 100 would do; fits never
            > at 40s quotas p vm/disk
              vm/disk count: 2 used 0 held 0, available 2, over by 0
                unlimited by default at p, leaves unlimited
                5 by limit #9 vm/disk of root `` at p, leaves 5
                2 by limit #5 vm/disk from 10s of root `` at p, leaves 2
        "#]],
    );
}

/// One for the exact location goes before one for any, whatever their times.
#[test]
fn exact_and_any() {
    check(
        "
            limit p vm/image@FRA-A 1 until 20s
            limit p vm/image 2 from 10s until 30s
            at 10s check p vm/image@FRA-A 9
            check p vm/image@HKG-A 9
            at 20s check p vm/image@FRA-A 9
            at 30s check p vm/image@FRA-A 9
        ",
        expect![[r#"
            > limit p vm/image@FRA-A 1 until 20s
              limit p vm/image@FRA-A 1 until 20s #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/image@FRA-A 1 until 20s #4 by root at 0s ``
            > limit p vm/image 2 from 10s until 30s
              limit p vm/image 2 from 10s until 30s #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/image 2 from 10s until 30s #5 by root at 0s ``
            > at 10s check p vm/image@FRA-A 9
              DENIED quota_exceeded
                at p vm/image@FRA-A: 1 by limit #4 vm/image@FRA-A until 20s of root ``; used 0 held 0 asked 9, short by 8; 9 would do; fits never
            > check p vm/image@HKG-A 9
              DENIED quota_exceeded
                at p vm/image@HKG-A: 2 by limit #5 vm/image from 10s until 30s of root ``; used 0 held 0 asked 9, short by 7; 9 would do; fits never
            > at 20s check p vm/image@FRA-A 9
              DENIED quota_exceeded
                at p vm/image@FRA-A: 2 by limit #5 vm/image from 10s until 30s of root ``; used 0 held 0 asked 9, short by 7; 9 would do; fits never
            > at 30s check p vm/image@FRA-A 9
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 0 asked 9, short by 6; 9 would do; fits never
        "#]],
    );
}

/// Above, they bind the sum of what is below, for as long as they count.
#[test]
fn above() {
    check(
        "
            limit acme vm/disk 3 from 10s until 20s
            reserve r1 p vm/disk 2 commit
            reserve r2 q vm/disk 2 commit
            at 10s reserve r3 p vm/disk 1 commit
            release r1
            reserve r3 p vm/disk 1 commit
            at 20s reserve r4 q vm/disk 100 commit
        ",
        expect![[r#"
            > limit acme vm/disk 3 from 10s until 20s
              limit acme vm/disk 3 from 10s until 20s #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit acme vm/disk 3 from 10s until 20s #4 by root at 0s ``
            > reserve r1 p vm/disk 2 commit
              r1 committed #5: 2 vm/disk of p
              acme#5 Reserved by root at 0s: p vm/disk 2+0; acme vm/disk 2+0; r1 committed #5: 2 vm/disk of p
            > reserve r2 q vm/disk 2 commit
              r2 committed #6: 2 vm/disk of q
              acme#6 Reserved by root at 0s: q vm/disk 2+0; acme vm/disk 4+0; r2 committed #6: 2 vm/disk of q
            > at 10s reserve r3 p vm/disk 1 commit
              DENIED quota_exceeded
                at acme vm/disk: 3 by limit #4 vm/disk from 10s until 20s of root ``; used 4 held 0 asked 1, short by 2; 5 would do; fits never
            > release r1
              r1 released at 10s #7: 2 vm/disk of p
              acme#7 Released by root at 10s: p vm/disk 0+0; acme vm/disk 2+0; r1 released at 10s #7: 2 vm/disk of p
            > reserve r3 p vm/disk 1 commit
              r3 committed #8: 1 vm/disk of p
              acme#8 Reserved by root at 10s: p vm/disk 1+0; acme vm/disk 3+0; r3 committed #8: 1 vm/disk of p
            > at 20s reserve r4 q vm/disk 100 commit
              r4 committed #9: 100 vm/disk of q
              acme#9 Reserved by root at 20s: q vm/disk 102+0; acme vm/disk 103+0; r4 committed #9: 100 vm/disk of q
        "#]],
    );
}

/// The time is the log's own where the clock lags behind it, for limits too.
#[test]
fn clocks_that_run_backwards() {
    check(
        "
            limit p vm/disk 1 until 20s
            at 20s scope p under acme kind x # the log's time
            at 5s check p vm/disk 9
            quotas p vm/disk
            reserve r1 p vm/disk 9 commit
            limit p vm/disk 1 until 15s
            limit p vm/disk 1 until 20s if 4 # what is there already
            limit p vm/disk 2 until 20s
            limit p vm/disk 1 until 21s
            quotas p vm/disk
        ",
        expect![[r#"
            > limit p vm/disk 1 until 20s
              limit p vm/disk 1 until 20s #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 1 until 20s #4 by root at 0s ``
            > at 20s scope p under acme kind x
              scope p under acme of acme depth 2 `x`
              acme#5 ScopePut by root at 20s: scope p under acme of acme depth 2 `x`
            > at 5s check p vm/disk 9
              admissible: 9 vm/disk
            > quotas p vm/disk
              vm/disk count: unlimited used 0 held 0, available unlimited, over by 0
                unlimited by default at p, leaves unlimited
            > reserve r1 p vm/disk 9 commit
              r1 committed #6: 9 vm/disk of p
              acme#6 Reserved by root at 20s: p vm/disk 9+0; acme vm/disk 9+0; r1 committed #6: 9 vm/disk of p
            > limit p vm/disk 1 until 15s
              DENIED ends_in_the_past
            > limit p vm/disk 1 until 20s if 4
              limit p vm/disk 1 until 20s #4 by root at 0s ``
            > limit p vm/disk 2 until 20s
              DENIED ends_in_the_past
            > limit p vm/disk 1 until 21s
              limit p vm/disk 1 until 21s #7 by root at 20s ``
              acme#7 LimitPut by root at 20s: limit p vm/disk 1 until 21s #7 by root at 20s ``
            > quotas p vm/disk
              vm/disk count: 1 used 9 held 0, available 0, over by 8
                unlimited by default at p, leaves unlimited
                1 by limit #7 vm/disk until 21s of root `` at p, leaves 0
        "#]],
    );
}

/// A limit that would be over before it is set is none; one that ends in a moment is.
#[test]
fn in_the_past() {
    check(
        "
            at 10s limit p vm/disk 1 from 5s until 9s
            limit p vm/disk 1 until 10s
            limit p vm/disk 1 until 10001ms
            limit p vm/disk 2 from 5s
            check p vm/disk 3
        ",
        expect![[r#"
            > at 10s limit p vm/disk 1 from 5s until 9s
              DENIED ends_in_the_past
            > limit p vm/disk 1 until 10s
              DENIED ends_in_the_past
            > limit p vm/disk 1 until 10001ms
              limit p vm/disk 1 until 10001ms #4 by root at 10s ``
              acme#4 LimitPut by root at 10s: limit p vm/disk 1 until 10001ms #4 by root at 10s ``
            > limit p vm/disk 2 from 5s
              limit p vm/disk 2 from 5s #5 by root at 10s ``
              acme#5 LimitPut by root at 10s: limit p vm/disk 1 until 10001ms #4 by root at 10s `` and limit p vm/disk 2 from 5s #5 by root at 10s ``
            > check p vm/disk 3
              DENIED quota_exceeded
                at p vm/disk: 2 by limit #5 vm/disk from 5s of root ``; used 0 held 0 asked 3, short by 1; 3 would do; fits never
        "#]],
    );
}

/// Those that are over leave the row when it is next written: by another, or when one is taken
/// away.
#[test]
fn over() {
    check(
        "
            limit p vm/disk 1 until 10s
            limit p vm/disk 2 until 20s
            limit p vm/disk 3 until 30s
            limit p vm/disk 4
            at 10s limit p vm/disk 5
            at 20s unlimit p vm/disk
            at 30s unlimit p vm/disk until 30s # over, and still there
            unlimit p vm/disk until 30s
            unlimit p vm/disk
        ",
        expect![[r#"
            > limit p vm/disk 1 until 10s
              limit p vm/disk 1 until 10s #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 1 until 10s #4 by root at 0s ``
            > limit p vm/disk 2 until 20s
              limit p vm/disk 2 until 20s #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/disk 1 until 10s #4 by root at 0s `` and limit p vm/disk 2 until 20s #5 by root at 0s ``
            > limit p vm/disk 3 until 30s
              limit p vm/disk 3 until 30s #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit p vm/disk 1 until 10s #4 by root at 0s `` and limit p vm/disk 2 until 20s #5 by root at 0s `` and limit p vm/disk 3 until 30s #6 by root at 0s ``
            > limit p vm/disk 4
              limit p vm/disk 4 #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit p vm/disk 1 until 10s #4 by root at 0s `` and limit p vm/disk 2 until 20s #5 by root at 0s `` and limit p vm/disk 3 until 30s #6 by root at 0s `` and limit p vm/disk 4 #7 by root at 0s ``
            > at 10s limit p vm/disk 5
              limit p vm/disk 5 #8 by root at 10s ``
              acme#8 LimitPut by root at 10s: limit p vm/disk 2 until 20s #5 by root at 0s `` and limit p vm/disk 3 until 30s #6 by root at 0s `` and limit p vm/disk 5 #8 by root at 10s ``
            > at 20s unlimit p vm/disk
              gone
              acme#9 LimitDeleted by root at 20s: limit p vm/disk 3 until 30s #6 by root at 0s ``
            > at 30s unlimit p vm/disk until 30s
              gone
              acme#10 LimitDeleted by root at 30s: no limit p vm/disk
            > unlimit p vm/disk until 30s
              DENIED not_found
            > unlimit p vm/disk
              DENIED not_found
        "#]],
    );
}

/// Compare-and-set is about the limit with the window, and no other.
#[test]
fn compare_and_set() {
    check(
        "
            limit p vm/disk 1
            limit p vm/disk 2 until 20s if 4
            limit p vm/disk 2 until 20s
            limit p vm/disk 3 until 20s if 4
            limit p vm/disk 3 until 20s if 5
            limit p vm/disk 3 warn until 20s # another mode is another limit
            limit p vm/disk 3 warn until 20s
            unlimit p vm/disk from 1s
            unlimit p vm/disk until 20s if 5
            unlimit p vm/disk until 20s if 7
            unlimit p vm/disk until 20s
            unlimit p vm/disk if 4
        ",
        expect![[r#"
            > limit p vm/disk 1
              limit p vm/disk 1 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 1 #4 by root at 0s ``
            > limit p vm/disk 2 until 20s if 4
              DENIED precondition_failed nothing is there
            > limit p vm/disk 2 until 20s
              limit p vm/disk 2 until 20s #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/disk 1 #4 by root at 0s `` and limit p vm/disk 2 until 20s #5 by root at 0s ``
            > limit p vm/disk 3 until 20s if 4
              DENIED precondition_failed it is 5
            > limit p vm/disk 3 until 20s if 5
              limit p vm/disk 3 until 20s #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit p vm/disk 1 #4 by root at 0s `` and limit p vm/disk 3 until 20s #6 by root at 0s ``
            > limit p vm/disk 3 warn until 20s
              limit p vm/disk 3 that warns until 20s #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit p vm/disk 1 #4 by root at 0s `` and limit p vm/disk 3 that warns until 20s #7 by root at 0s ``
            > limit p vm/disk 3 warn until 20s
              limit p vm/disk 3 that warns until 20s #7 by root at 0s ``
            > unlimit p vm/disk from 1s
              DENIED not_found
            > unlimit p vm/disk until 20s if 5
              DENIED precondition_failed it is 7
            > unlimit p vm/disk until 20s if 7
              gone
              acme#8 LimitDeleted by root at 0s: limit p vm/disk 1 #4 by root at 0s ``
            > unlimit p vm/disk until 20s
              DENIED not_found
            > unlimit p vm/disk if 4
              gone
              acme#9 LimitDeleted by root at 0s: no limit p vm/disk
        "#]],
    );
}

/// A row is full at its bound and not before: then one may still be replaced, and one that is over
/// makes room.
#[test]
fn full() {
    let put = |seconds: usize| format!("limit p vm/disk 1 until {seconds}s\n");
    let full: String = (1..=LIMITS_OF_ITEM_MAX).map(put).collect();
    let row = |scenario: &str| run(scenario).world.limits[&(scope("p"), item("vm/disk"))].len();
    assert_eq!(row(&full), LIMITS_OF_ITEM_MAX);
    let one_more = full.clone() + "limit p vm/disk 1";
    let max = LIMITS_OF_ITEM_MAX;
    assert_eq!(last(&one_more), Outcome::Denied(Denial::TooMany { max }));
    assert_eq!(row(&one_more), LIMITS_OF_ITEM_MAX);
    let replaced = full.clone() + "limit p vm/disk 2 until 9s";
    assert!(matches!(last(&replaced), Outcome::Done(_)));
    let later = full.clone() + "at 1s limit p vm/disk 1";
    assert!(matches!(last(&later), Outcome::Done(_)));
    assert_eq!(row(&later), LIMITS_OF_ITEM_MAX);
    let elsewhere = full + "limit q vm/disk 1";
    assert!(matches!(last(&elsewhere), Outcome::Done(_)));
}

/// A refusal promises for the case that the limits stay: one that ends sooner may admit sooner.
#[test]
fn promised() {
    check(
        "
            limit p vm/disk 1 until 20s
            reserve r1 p vm/disk 1 hold 300s
            reserve r2 p vm/disk 1 hold 300s
            at 20s reserve r2 p vm/disk 1 hold 300s
        ",
        expect![[r#"
            > limit p vm/disk 1 until 20s
              limit p vm/disk 1 until 20s #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 1 until 20s #4 by root at 0s ``
            > reserve r1 p vm/disk 1 hold 300s
              r1 held until 300s #5: 1 vm/disk of p
              acme#5 Reserved by root at 0s: p vm/disk 0+1; acme vm/disk 0+1; r1 held until 300s #5: 1 vm/disk of p
            > reserve r2 p vm/disk 1 hold 300s
              DENIED quota_exceeded
                at p vm/disk: 1 by limit #4 vm/disk until 20s of root ``; used 0 held 1 asked 1, short by 1; 2 would do; fits 300s
            > at 20s reserve r2 p vm/disk 1 hold 300s
              r2 held until 320s #6: 1 vm/disk of p
              acme#6 Reserved by root at 20s: p vm/disk 0+2; acme vm/disk 0+2; r2 held until 320s #6: 1 vm/disk of p
        "#]],
    );
}
