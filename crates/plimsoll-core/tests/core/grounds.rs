//! Mends: past the limits because it is there already, marked with what showed it.

use expect_test::expect;

use crate::script::check;

/// Taken, resized and let go, each with the mark; past limits, and not past the end of numbers.
#[test]
fn mends() {
    check(
        "
            limit acme vm/disk 1
            reserve r1 p vm/disk 5 commit mend inventory holder img-1
            resize r1 vm/disk 7 mend inventory
            resize r1 vm/disk 6 mend inventory
            transfer r1 to q mend inventory
            release r1 vm/disk 1 mend inventory
            release r1 mend inventory
            reserve r2 p vm/disk 1 hold 60s
            commit r2 mend inventory
            reserve r3 p vm/disk MAX commit mend inventory
            reserve r4 nowhere vm/disk 1 commit mend inventory
        ",
        expect![[r#"
            > limit acme vm/disk 1
              limit acme vm/disk 1 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit acme vm/disk 1 #4 by root at 0s ``
            > reserve r1 p vm/disk 5 commit mend inventory holder img-1
              r1 committed #5: 5 vm/disk of p forced `inventory`
              acme#5 Reserved by root at 0s mended `inventory`: p vm/disk 5+0; acme vm/disk 5+0; r1 committed #5: 5 vm/disk of p forced `inventory`
            > resize r1 vm/disk 7 mend inventory
              r1 committed #6: 7 vm/disk of p (asked 5 vm/disk of p) forced `inventory`
              acme#6 Resized by root at 0s mended `inventory`: p vm/disk 7+0; acme vm/disk 7+0; r1 committed #6: 7 vm/disk of p (asked 5 vm/disk of p) forced `inventory`
            > resize r1 vm/disk 6 mend inventory
              r1 committed #7: 6 vm/disk of p (asked 5 vm/disk of p) forced `inventory`
              acme#7 Resized by root at 0s mended `inventory`: p vm/disk 6+0; acme vm/disk 6+0; r1 committed #7: 6 vm/disk of p (asked 5 vm/disk of p) forced `inventory`
            > transfer r1 to q mend inventory
              r1 committed #8: 6 vm/disk of q (asked 5 vm/disk of p) forced `inventory`
              acme#8 Transferred by root at 0s mended `inventory`: q vm/disk 6+0; acme vm/disk 6+0; p vm/disk 0+0; r1 committed #8: 6 vm/disk of q (asked 5 vm/disk of p) forced `inventory`
            > release r1 vm/disk 1 mend inventory
              r1 committed #9: 5 vm/disk of q (asked 5 vm/disk of p) forced `inventory`
              acme#9 Released by root at 0s mended `inventory`: q vm/disk 5+0; acme vm/disk 5+0; r1 committed #9: 5 vm/disk of q (asked 5 vm/disk of p) forced `inventory`
            > release r1 mend inventory
              r1 released at 0s #10: 5 vm/disk of q (asked 5 vm/disk of p) forced `inventory`
              acme#10 Released by root at 0s mended `inventory`: q vm/disk 0+0; acme vm/disk 0+0; r1 released at 0s #10: 5 vm/disk of q (asked 5 vm/disk of p) forced `inventory`
            > reserve r2 p vm/disk 1 hold 60s
              r2 held until 60s #11: 1 vm/disk of p
              acme#11 Reserved by root at 0s: p vm/disk 0+1; acme vm/disk 0+1; r2 held until 60s #11: 1 vm/disk of p
            > commit r2 mend inventory
              r2 committed #12: 1 vm/disk of p
              acme#12 Committed by root at 0s mended `inventory`: p vm/disk 1+0; acme vm/disk 1+0; r2 committed #12: 1 vm/disk of p
            > reserve r3 p vm/disk MAX commit mend inventory
              DENIED quota_exceeded
                at p vm/disk: unlimited by number_space; used 1 held 0 asked MAX, short by 1; nothing would do; fits never
                at acme vm/disk: unlimited by number_space; used 1 held 0 asked MAX, short by 1; nothing would do; fits never
            > reserve r4 nowhere vm/disk 1 commit mend inventory
              DENIED unknown_scope nowhere
        "#]],
    );
}

/// Why it was let past is part of what was asked for.
#[test]
fn repeats() {
    check(
        "
            reserve r1 p vm/image@FRA-A 5 commit mend inventory
            reserve r1 p vm/image@FRA-A 5 commit mend inventory
            reserve r1 p vm/image@FRA-A 5 commit mend other
            reserve r1 p vm/image@FRA-A 5 commit
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 5 commit mend inventory
              r1 committed #4: 5 vm/image@FRA-A of p forced `inventory`
              acme#4 Reserved by root at 0s mended `inventory`: p vm/image@FRA-A 5+0; acme vm/image@FRA-A 5+0; r1 committed #4: 5 vm/image@FRA-A of p forced `inventory`
            > reserve r1 p vm/image@FRA-A 5 commit mend inventory
              r1 committed #4: 5 vm/image@FRA-A of p forced `inventory`
            > reserve r1 p vm/image@FRA-A 5 commit mend other
              DENIED id_conflict
            > reserve r1 p vm/image@FRA-A 5 commit
              DENIED id_conflict
        "#]],
    );
}

/// Holds that are due lapse before the end of numbers stops a mend, and for nothing else.
#[test]
fn due_holds() {
    check(
        "
            limit p vm/disk 5
            reserve r1 p vm/disk 5 hold 10s
            at 10s reserve r2 p vm/disk 5 commit mend inventory
            reserve r3 q vm/disk MAX-5 commit mend inventory
        ",
        expect![[r#"
            > limit p vm/disk 5
              limit p vm/disk 5 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 5 #4 by root at 0s ``
            > reserve r1 p vm/disk 5 hold 10s
              r1 held until 10s #5: 5 vm/disk of p
              acme#5 Reserved by root at 0s: p vm/disk 0+5; acme vm/disk 0+5; r1 held until 10s #5: 5 vm/disk of p
            > at 10s reserve r2 p vm/disk 5 commit mend inventory
              r2 committed #6: 5 vm/disk of p forced `inventory`
              acme#6 Reserved by root at 10s mended `inventory`: p vm/disk 5+5; acme vm/disk 5+5; r2 committed #6: 5 vm/disk of p forced `inventory`
            > reserve r3 q vm/disk MAX-5 commit mend inventory
              r3 committed #8: MAX-5 vm/disk of q forced `inventory`
              acme#7 Expired by root at 10s: p vm/disk 5+0; acme vm/disk 5+0; r1 expired at 10s #7: 5 vm/disk of p
              acme#8 Reserved by root at 10s mended `inventory`: q vm/disk MAX-5+0; acme vm/disk MAX+0; r3 committed #8: MAX-5 vm/disk of q forced `inventory`
        "#]],
    );
}
