//! Reconcile: what is said to be used, and what is there.

use expect_test::expect;
use plimsoll_core::command::Command;
use plimsoll_core::model::Reach;
use plimsoll_core::outcome::{Denial, Outcome};
use plimsoll_core::reconcile::Inventory;

use crate::script::{check, command, run};
use crate::world::{START, amount, item, principal, scope, text};

/// Missing here, missing there, another amount; what is the same is not told. Once it is mended,
/// nothing differs.
#[test]
fn differences() {
    check(
        "
            reserve r1 p vm/disk 2 commit holder a
            reserve r2 p vm/disk 2 commit holder b
            reserve r3 p vm/disk 2 commit holder c
            reserve r4 p vm/disk 5 commit holder d
            reserve r5 q vm/disk 9 commit holder e # elsewhere
            reserve r6 p net/ip 9 commit force x holder f # something else
            reconcile p vm/disk as of 9 a 2 c 1 d 7 new 3
            mend p vm/disk as of 9 a 2 c 1 d 7 new 3
            reconcile p vm/disk as of 9 a 2 c 1 d 7 new 3
            mend p vm/disk as of 13 a 2 c 1 d 7 new 3
        ",
        expect![[r#"
            > reserve r1 p vm/disk 2 commit holder a
              r1 committed #4: 2 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 2+0; acme vm/disk 2+0; r1 committed #4: 2 vm/disk of p
            > reserve r2 p vm/disk 2 commit holder b
              r2 committed #5: 2 vm/disk of p
              acme#5 Reserved by root at 0s: p vm/disk 4+0; acme vm/disk 4+0; r2 committed #5: 2 vm/disk of p
            > reserve r3 p vm/disk 2 commit holder c
              r3 committed #6: 2 vm/disk of p
              acme#6 Reserved by root at 0s: p vm/disk 6+0; acme vm/disk 6+0; r3 committed #6: 2 vm/disk of p
            > reserve r4 p vm/disk 5 commit holder d
              r4 committed #7: 5 vm/disk of p
              acme#7 Reserved by root at 0s: p vm/disk 11+0; acme vm/disk 11+0; r4 committed #7: 5 vm/disk of p
            > reserve r5 q vm/disk 9 commit holder e
              r5 committed #8: 9 vm/disk of q
              acme#8 Reserved by root at 0s: q vm/disk 9+0; acme vm/disk 20+0; r5 committed #8: 9 vm/disk of q
            > reserve r6 p net/ip 9 commit force x holder f
              r6 committed #9: 9 net/ip of p forced `x`
              acme#9 Reserved by root at 0s forced `x`: p net/ip 9+0; acme net/ip 9+0; r6 committed #9: 9 net/ip of p forced `x`
            > reconcile p vm/disk as of 9 a 2 c 1 d 7 new 3
              b missing_there: here 2, there 0; 1 to mend it
              c amount_differs: here 2, there 1; 1 to mend it
              d amount_differs: here 5, there 7; 1 to mend it
              new missing_here: here 0, there 3; 1 to mend it
            > mend p vm/disk as of 9 a 2 c 1 d 7 new 3
              b missing_there: here 2, there 0; 1 to mend it
              c amount_differs: here 2, there 1; 1 to mend it
              d amount_differs: here 5, there 7; 1 to mend it
              new missing_here: here 0, there 3; 1 to mend it
              r2 released at 0s #10: 2 vm/disk of p
              acme#10 Released by root at 0s mended `inventory`: p vm/disk 9+0; acme vm/disk 18+0; r2 released at 0s #10: 2 vm/disk of p
              r3 committed #11: 1 vm/disk of p (asked 2 vm/disk of p)
              acme#11 Resized by root at 0s mended `inventory`: p vm/disk 8+0; acme vm/disk 17+0; r3 committed #11: 1 vm/disk of p (asked 2 vm/disk of p)
              r4 committed #12: 7 vm/disk of p (asked 5 vm/disk of p)
              acme#12 Resized by root at 0s mended `inventory`: p vm/disk 10+0; acme vm/disk 19+0; r4 committed #12: 7 vm/disk of p (asked 5 vm/disk of p)
              mend-new-9 committed #13: 3 vm/disk of p forced `inventory`
              acme#13 Reserved by root at 0s mended `inventory`: p vm/disk 13+0; acme vm/disk 22+0; mend-new-9 committed #13: 3 vm/disk of p forced `inventory`
            > reconcile p vm/disk as of 9 a 2 c 1 d 7 new 3
              nothing differs
            > mend p vm/disk as of 13 a 2 c 1 d 7 new 3
              nothing differs
        "#]],
    );
}

/// What has changed since the inventory was taken is in flight, whatever it has become: committed,
/// released, new, or lapsed; and what is held still.
#[test]
fn in_flight() {
    check(
        "
            reserve r1 p vm/disk 2 commit holder a
            reserve r2 p vm/disk 2 commit holder b
            reserve r3 p vm/disk 2 hold 10s holder c
            reserve r6 p vm/disk 2 hold 600s holder f # taken before, and held still
            release r1
            commit r3
            reserve r7 p vm/disk 2 commit holder g
            reserve r8 p vm/disk 2 hold 10s holder h
            at 10s expire acme
            reconcile p vm/disk as of 7 a 2 b 2
            reconcile p vm/disk as of 7 a 2 c 2 f 1 g 1 h 2
            reconcile p vm/disk as of 12 a 2 b 2 c 2 # looked at again
        ",
        expect![[r#"
            > reserve r1 p vm/disk 2 commit holder a
              r1 committed #4: 2 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 2+0; acme vm/disk 2+0; r1 committed #4: 2 vm/disk of p
            > reserve r2 p vm/disk 2 commit holder b
              r2 committed #5: 2 vm/disk of p
              acme#5 Reserved by root at 0s: p vm/disk 4+0; acme vm/disk 4+0; r2 committed #5: 2 vm/disk of p
            > reserve r3 p vm/disk 2 hold 10s holder c
              r3 held until 10s #6: 2 vm/disk of p
              acme#6 Reserved by root at 0s: p vm/disk 4+2; acme vm/disk 4+2; r3 held until 10s #6: 2 vm/disk of p
            > reserve r6 p vm/disk 2 hold 600s holder f
              r6 held until 600s #7: 2 vm/disk of p
              acme#7 Reserved by root at 0s: p vm/disk 4+4; acme vm/disk 4+4; r6 held until 600s #7: 2 vm/disk of p
            > release r1
              r1 released at 0s #8: 2 vm/disk of p
              acme#8 Released by root at 0s: p vm/disk 2+4; acme vm/disk 2+4; r1 released at 0s #8: 2 vm/disk of p
            > commit r3
              r3 committed #9: 2 vm/disk of p
              acme#9 Committed by root at 0s: p vm/disk 4+2; acme vm/disk 4+2; r3 committed #9: 2 vm/disk of p
            > reserve r7 p vm/disk 2 commit holder g
              r7 committed #10: 2 vm/disk of p
              acme#10 Reserved by root at 0s: p vm/disk 6+2; acme vm/disk 6+2; r7 committed #10: 2 vm/disk of p
            > reserve r8 p vm/disk 2 hold 10s holder h
              r8 held until 10s #11: 2 vm/disk of p
              acme#11 Reserved by root at 0s: p vm/disk 6+4; acme vm/disk 6+4; r8 held until 10s #11: 2 vm/disk of p
            > at 10s expire acme
              1 lapsed
              acme#12 Expired by root at 10s: p vm/disk 6+2; acme vm/disk 6+2; r8 expired at 10s #12: 2 vm/disk of p
            > reconcile p vm/disk as of 7 a 2 b 2
              a in_flight: here 0, there 2; 0 to mend it
              c in_flight: here 2, there 0; 0 to mend it
              f in_flight: here 2, there 0; 0 to mend it
              g in_flight: here 2, there 0; 0 to mend it
            > reconcile p vm/disk as of 7 a 2 c 2 f 1 g 1 h 2
              a in_flight: here 0, there 2; 0 to mend it
              b missing_there: here 2, there 0; 1 to mend it
              f in_flight: here 2, there 1; 0 to mend it
              g in_flight: here 2, there 1; 0 to mend it
              h in_flight: here 0, there 2; 0 to mend it
            > reconcile p vm/disk as of 12 a 2 b 2 c 2
              a missing_here: here 0, there 2; 1 to mend it
              f in_flight: here 2, there 0; 0 to mend it
              g missing_there: here 2, there 0; 1 to mend it
        "#]],
    );
}

/// So is what takes something else now, or is in another scope.
#[test]
fn in_flight_elsewhere() {
    check(
        "
            reserve r1 p vm/disk 2 net/ip 1 commit force x holder a
            reserve r2 p vm/disk 2 net/ip 1 commit force x holder b
            reserve r3 p vm/disk 2 commit holder c
            release r1 vm/disk 2
            resize r2 net/ip 1
            transfer r3 to q
            reconcile p vm/disk as of 6 a 2 b 2 c 2
            reconcile q vm/disk as of 6
            mend p vm/disk as of 9 c 2
            reconcile q vm/disk as of 9
        ",
        expect![[r#"
            > reserve r1 p vm/disk 2 net/ip 1 commit force x holder a
              r1 committed #4: 2 vm/disk, 1 net/ip of p forced `x`
              acme#4 Reserved by root at 0s forced `x`: p vm/disk 2+0; acme vm/disk 2+0; p net/ip 1+0; acme net/ip 1+0; r1 committed #4: 2 vm/disk, 1 net/ip of p forced `x`
            > reserve r2 p vm/disk 2 net/ip 1 commit force x holder b
              r2 committed #5: 2 vm/disk, 1 net/ip of p forced `x`
              acme#5 Reserved by root at 0s forced `x`: p vm/disk 4+0; acme vm/disk 4+0; p net/ip 2+0; acme net/ip 2+0; r2 committed #5: 2 vm/disk, 1 net/ip of p forced `x`
            > reserve r3 p vm/disk 2 commit holder c
              r3 committed #6: 2 vm/disk of p
              acme#6 Reserved by root at 0s: p vm/disk 6+0; acme vm/disk 6+0; r3 committed #6: 2 vm/disk of p
            > release r1 vm/disk 2
              r1 committed #7: 1 net/ip of p (asked 2 vm/disk, 1 net/ip of p) forced `x`
              acme#7 Released by root at 0s: p net/ip 2+0; acme net/ip 2+0; p vm/disk 4+0; acme vm/disk 4+0; r1 committed #7: 1 net/ip of p (asked 2 vm/disk, 1 net/ip of p) forced `x`
            > resize r2 net/ip 1
              r2 committed #8: 1 net/ip of p (asked 2 vm/disk, 1 net/ip of p) forced `x`
              acme#8 Resized by root at 0s: p net/ip 2+0; acme net/ip 2+0; p vm/disk 2+0; acme vm/disk 2+0; r2 committed #8: 1 net/ip of p (asked 2 vm/disk, 1 net/ip of p) forced `x`
            > transfer r3 to q
              r3 committed #9: 2 vm/disk of q (asked 2 vm/disk of p)
              acme#9 Transferred by root at 0s: q vm/disk 2+0; acme vm/disk 2+0; p vm/disk 0+0; r3 committed #9: 2 vm/disk of q (asked 2 vm/disk of p)
            > reconcile p vm/disk as of 6 a 2 b 2 c 2
              a in_flight: here 0, there 2; 0 to mend it
              b in_flight: here 0, there 2; 0 to mend it
              c in_flight: here 0, there 2; 0 to mend it
            > reconcile q vm/disk as of 6
              c in_flight: here 2, there 0; 0 to mend it
            > mend p vm/disk as of 9 c 2
              c missing_here: here 0, there 2; 1 to mend it
              mend-c-9 committed #10: 2 vm/disk of p forced `inventory`
              acme#10 Reserved by root at 0s mended `inventory`: p vm/disk 2+0; acme vm/disk 4+0; mend-c-9 committed #10: 2 vm/disk of p forced `inventory`
            > reconcile q vm/disk as of 9
              c in_flight: here 2, there 0; 0 to mend it
        "#]],
    );
}

/// Several reservations of one thing: each keeps what it has while there is enough, the last takes
/// what is left over.
#[test]
fn several() {
    check(
        "
            reserve r1 p vm/disk 2 commit holder a
            reserve r2 p vm/disk 3 commit holder a
            reserve r3 p vm/disk 4 commit holder a
            mend p vm/disk as of 6 a 10
            mend p vm/disk as of 7 a 4
            mend p vm/disk as of 9 a 1
            mend p vm/disk as of 11
            reserve r4 p vm/disk 1 commit holder b
            reserve r5 p vm/disk 1 hold 300s holder b # one is held: the thing is in flight
            mend p vm/disk as of 13 b 5
        ",
        expect![[r#"
            > reserve r1 p vm/disk 2 commit holder a
              r1 committed #4: 2 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 2+0; acme vm/disk 2+0; r1 committed #4: 2 vm/disk of p
            > reserve r2 p vm/disk 3 commit holder a
              r2 committed #5: 3 vm/disk of p
              acme#5 Reserved by root at 0s: p vm/disk 5+0; acme vm/disk 5+0; r2 committed #5: 3 vm/disk of p
            > reserve r3 p vm/disk 4 commit holder a
              r3 committed #6: 4 vm/disk of p
              acme#6 Reserved by root at 0s: p vm/disk 9+0; acme vm/disk 9+0; r3 committed #6: 4 vm/disk of p
            > mend p vm/disk as of 6 a 10
              a amount_differs: here 9, there 10; 1 to mend it
              r3 committed #7: 5 vm/disk of p (asked 4 vm/disk of p)
              acme#7 Resized by root at 0s mended `inventory`: p vm/disk 10+0; acme vm/disk 10+0; r3 committed #7: 5 vm/disk of p (asked 4 vm/disk of p)
            > mend p vm/disk as of 7 a 4
              a amount_differs: here 10, there 4; 2 to mend it
              r2 committed #8: 2 vm/disk of p (asked 3 vm/disk of p)
              acme#8 Resized by root at 0s mended `inventory`: p vm/disk 9+0; acme vm/disk 9+0; r2 committed #8: 2 vm/disk of p (asked 3 vm/disk of p)
              r3 released at 0s #9: 5 vm/disk of p (asked 4 vm/disk of p)
              acme#9 Released by root at 0s mended `inventory`: p vm/disk 4+0; acme vm/disk 4+0; r3 released at 0s #9: 5 vm/disk of p (asked 4 vm/disk of p)
            > mend p vm/disk as of 9 a 1
              a amount_differs: here 4, there 1; 2 to mend it
              r1 committed #10: 1 vm/disk of p (asked 2 vm/disk of p)
              acme#10 Resized by root at 0s mended `inventory`: p vm/disk 3+0; acme vm/disk 3+0; r1 committed #10: 1 vm/disk of p (asked 2 vm/disk of p)
              r2 released at 0s #11: 2 vm/disk of p (asked 3 vm/disk of p)
              acme#11 Released by root at 0s mended `inventory`: p vm/disk 1+0; acme vm/disk 1+0; r2 released at 0s #11: 2 vm/disk of p (asked 3 vm/disk of p)
            > mend p vm/disk as of 11
              a missing_there: here 1, there 0; 1 to mend it
              r1 released at 0s #12: 1 vm/disk of p (asked 2 vm/disk of p)
              acme#12 Released by root at 0s mended `inventory`: p vm/disk 0+0; acme vm/disk 0+0; r1 released at 0s #12: 1 vm/disk of p (asked 2 vm/disk of p)
            > reserve r4 p vm/disk 1 commit holder b
              r4 committed #13: 1 vm/disk of p
              acme#13 Reserved by root at 0s: p vm/disk 1+0; acme vm/disk 1+0; r4 committed #13: 1 vm/disk of p
            > reserve r5 p vm/disk 1 hold 300s holder b
              r5 held until 300s #14: 1 vm/disk of p
              acme#14 Reserved by root at 0s: p vm/disk 1+1; acme vm/disk 1+1; r5 held until 300s #14: 1 vm/disk of p
            > mend p vm/disk as of 13 b 5
              b in_flight: here 2, there 5; 0 to mend it
        "#]],
    );
}

/// A reservation without a holder is the thing of its own id.
#[test]
fn without_a_holder() {
    check(
        "
            reserve vm-1 p vm/disk 2 commit
            reserve vm-2 p vm/disk 2 commit
            reserve r3 p vm/disk 1 commit holder vm-1
            mend p vm/disk as of 6 vm-1 3 vm-3 0
            mend p vm/disk as of 7 vm-1 5
        ",
        expect![[r#"
            > reserve vm-1 p vm/disk 2 commit
              vm-1 committed #4: 2 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 2+0; acme vm/disk 2+0; vm-1 committed #4: 2 vm/disk of p
            > reserve vm-2 p vm/disk 2 commit
              vm-2 committed #5: 2 vm/disk of p
              acme#5 Reserved by root at 0s: p vm/disk 4+0; acme vm/disk 4+0; vm-2 committed #5: 2 vm/disk of p
            > reserve r3 p vm/disk 1 commit holder vm-1
              r3 committed #6: 1 vm/disk of p
              acme#6 Reserved by root at 0s: p vm/disk 5+0; acme vm/disk 5+0; r3 committed #6: 1 vm/disk of p
            > mend p vm/disk as of 6 vm-1 3 vm-3 0
              vm-2 missing_there: here 2, there 0; 1 to mend it
              vm-2 released at 0s #7: 2 vm/disk of p
              acme#7 Released by root at 0s mended `inventory`: p vm/disk 3+0; acme vm/disk 3+0; vm-2 released at 0s #7: 2 vm/disk of p
            > mend p vm/disk as of 7 vm-1 5
              vm-1 amount_differs: here 3, there 5; 1 to mend it
              vm-1 committed #8: 4 vm/disk of p (asked 2 vm/disk of p)
              acme#8 Resized by root at 0s mended `inventory`: p vm/disk 5+0; acme vm/disk 5+0; vm-1 committed #8: 4 vm/disk of p (asked 2 vm/disk of p)
        "#]],
    );
}

/// Of a reservation with several lines only the one is mended.
#[test]
fn lines() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 vm/disk 3 commit holder a
            mend p vm/image@FRA-A as of 4 a 3
            mend p vm/image@FRA-A as of 5
            mend p vm/disk as of 6 a 1
            mend p vm/disk as of 7
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 vm/disk 3 commit holder a
              r1 committed #4: 2 vm/image@FRA-A, 3 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; p vm/disk 3+0; acme vm/disk 3+0; r1 committed #4: 2 vm/image@FRA-A, 3 vm/disk of p
            > mend p vm/image@FRA-A as of 4 a 3
              a amount_differs: here 2, there 3; 1 to mend it
              r1 committed #5: 3 vm/image@FRA-A, 3 vm/disk of p (asked 2 vm/image@FRA-A, 3 vm/disk of p)
              acme#5 Resized by root at 0s mended `inventory`: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; p vm/disk 3+0; acme vm/disk 3+0; r1 committed #5: 3 vm/image@FRA-A, 3 vm/disk of p (asked 2 vm/image@FRA-A, 3 vm/disk of p)
            > mend p vm/image@FRA-A as of 5
              a missing_there: here 3, there 0; 1 to mend it
              r1 committed #6: 3 vm/disk of p (asked 2 vm/image@FRA-A, 3 vm/disk of p)
              acme#6 Released by root at 0s mended `inventory`: p vm/disk 3+0; acme vm/disk 3+0; p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 committed #6: 3 vm/disk of p (asked 2 vm/image@FRA-A, 3 vm/disk of p)
            > mend p vm/disk as of 6 a 1
              a amount_differs: here 3, there 1; 1 to mend it
              r1 committed #7: 1 vm/disk of p (asked 2 vm/image@FRA-A, 3 vm/disk of p)
              acme#7 Resized by root at 0s mended `inventory`: p vm/disk 1+0; acme vm/disk 1+0; r1 committed #7: 1 vm/disk of p (asked 2 vm/image@FRA-A, 3 vm/disk of p)
            > mend p vm/disk as of 7
              a missing_there: here 1, there 0; 1 to mend it
              r1 released at 0s #8: 1 vm/disk of p (asked 2 vm/image@FRA-A, 3 vm/disk of p)
              acme#8 Released by root at 0s mended `inventory`: p vm/disk 0+0; acme vm/disk 0+0; r1 released at 0s #8: 1 vm/disk of p (asked 2 vm/image@FRA-A, 3 vm/disk of p)
        "#]],
    );
}

/// Past every limit: it is there already.
#[test]
fn past_limits() {
    check(
        "
            limit acme vm/image 0
            limit p vm/image 0 warn
            mend p vm/image@FRA-A as of 5 a 4
            mend p vm/image@FRA-A as of 6 a 9
            reserve r1 p vm/image@FRA-A 1 commit
        ",
        expect![[r#"
            > limit acme vm/image 0
              limit acme vm/image 0 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit acme vm/image 0 #4 by root at 0s ``
            > limit p vm/image 0 warn
              limit p vm/image 0 that warns #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/image 0 that warns #5 by root at 0s ``
            > mend p vm/image@FRA-A as of 5 a 4
              a missing_here: here 0, there 4; 1 to mend it
              mend-a-5 committed #6: 4 vm/image@FRA-A of p forced `inventory`
              acme#6 Reserved by root at 0s mended `inventory`: p vm/image@FRA-A 4+0; acme vm/image@FRA-A 4+0; mend-a-5 committed #6: 4 vm/image@FRA-A of p forced `inventory`
            > mend p vm/image@FRA-A as of 6 a 9
              a amount_differs: here 4, there 9; 1 to mend it
              mend-a-5 committed #7: 9 vm/image@FRA-A of p (asked 4 vm/image@FRA-A of p) forced `inventory`
              acme#7 Resized by root at 0s mended `inventory`: p vm/image@FRA-A 9+0; acme vm/image@FRA-A 9+0; mend-a-5 committed #7: 9 vm/image@FRA-A of p (asked 4 vm/image@FRA-A of p) forced `inventory`
            > reserve r1 p vm/image@FRA-A 1 commit
              DENIED quota_exceeded
                at acme vm/image@FRA-A: 0 by limit #4 vm/image of root ``; used 9 held 0 asked 1, short by 10; 10 would do; fits never
        "#]],
    );
}

/// What makes no sense: unknown, at no location, or ahead of the log.
#[test]
fn senseless() {
    check(
        "
            reconcile nowhere vm/disk as of 0
            reconcile p vm/nothing as of 0
            reconcile p vm/image as of 0
            reconcile p vm/image@MOON as of 0
            reconcile p vm/disk@FRA-A as of 0
            reconcile p vm/disk as of 4
            reconcile p vm/disk as of 3
        ",
        expect![[r#"
            > reconcile nowhere vm/disk as of 0
              DENIED unknown_scope nowhere
            > reconcile p vm/nothing as of 0
              DENIED unknown_resource vm/nothing
            > reconcile p vm/image as of 0
              DENIED location_required vm/image
            > reconcile p vm/image@MOON as of 0
              DENIED unknown_location MOON
            > reconcile p vm/disk@FRA-A as of 0
              DENIED location_not_applicable vm/disk
            > reconcile p vm/disk as of 4
              DENIED precondition_failed it is 3
            > reconcile p vm/disk as of 3
              nothing differs
        "#]],
    );
}

/// A mend is for the reservation as it was compared: one that changes in between is left alone.
#[test]
fn changed_before_it_is_mended() {
    for (there, change) in [
        (0, "commit r1"),
        (0, "resize r1 vm/disk 3"),
        (1, "release r1 vm/disk 1"),
        (4, "transfer r1 to q"),
    ] {
        let mut bench = run("reserve r1 p vm/disk 2 commit holder a");
        let inventory = Inventory {
            scope: scope("p"),
            item: item("vm/disk"),
            revision: 4,
            things: [(text("a"), amount(there))].into(),
            reason: text("inventory"),
            passes: true,
        };
        let findings = bench.reconcile(&inventory).expect("what there is");
        let [mend] = &findings[0].mends[..] else {
            panic!("{findings:?}");
        };
        let mend = Command {
            actor: principal("root"),
            reach: Reach::Everything,
            action: mend.clone(),
        };
        let changed = bench.step(&command(change), START).events.len();
        let outcome = bench.step(&mend, START).outcome;
        if changed == 0 {
            assert!(matches!(outcome, Outcome::Done(_)), "{change}: {outcome:?}");
        } else {
            let actual = Some(5);
            let stale = Outcome::Denied(Denial::PreconditionFailed { actual });
            assert_eq!(outcome, stale, "{change}");
        }
    }
}
