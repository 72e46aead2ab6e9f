//! What ended long ago is remembered no more.

use expect_test::expect;

use crate::script::check;

/// Only what has ended, only what ended before the instant, the earliest first.
#[test]
fn order() {
    check(
        "
            reserve r1 p vm/disk 1 commit
            reserve r2 q vm/disk 1 hold 10s
            reserve r3 p vm/disk 1 hold 300s
            reserve r4 p vm/disk 1 commit
            reserve r5 z vm/disk 1 commit
            reserve r6 p vm/disk 1 hold 10s
            release r5 of z
            at 10s expire acme
            at 20s release r4
            forget acme before 10s
            forget acme before 20s
            forget acme before 20s
            forget acme before 20001ms
            forget acme before 9999s
            quotas acme vm/disk
        ",
        expect![[r#"
            > reserve r1 p vm/disk 1 commit
              r1 committed #4: 1 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 1+0; acme vm/disk 1+0; r1 committed #4: 1 vm/disk of p
            > reserve r2 q vm/disk 1 hold 10s
              r2 held until 10s #5: 1 vm/disk of q
              acme#5 Reserved by root at 0s: q vm/disk 0+1; acme vm/disk 1+1; r2 held until 10s #5: 1 vm/disk of q
            > reserve r3 p vm/disk 1 hold 300s
              r3 held until 300s #6: 1 vm/disk of p
              acme#6 Reserved by root at 0s: p vm/disk 1+1; acme vm/disk 1+2; r3 held until 300s #6: 1 vm/disk of p
            > reserve r4 p vm/disk 1 commit
              r4 committed #7: 1 vm/disk of p
              acme#7 Reserved by root at 0s: p vm/disk 2+1; acme vm/disk 2+2; r4 committed #7: 1 vm/disk of p
            > reserve r5 z vm/disk 1 commit
              r5 committed #3: 1 vm/disk of z
              other#3 Reserved by root at 0s: z vm/disk 1+0; other vm/disk 1+0; r5 committed #3: 1 vm/disk of z
            > reserve r6 p vm/disk 1 hold 10s
              r6 held until 10s #8: 1 vm/disk of p
              acme#8 Reserved by root at 0s: p vm/disk 2+2; acme vm/disk 2+3; r6 held until 10s #8: 1 vm/disk of p
            > release r5 of z
              r5 released at 0s #4: 1 vm/disk of z
              other#4 Released by root at 0s: z vm/disk 0+0; other vm/disk 0+0; r5 released at 0s #4: 1 vm/disk of z
            > at 10s expire acme
              2 lapsed
              acme#9 Expired by root at 10s: q vm/disk 0+0; acme vm/disk 2+2; r2 expired at 10s #9: 1 vm/disk of q
              acme#10 Expired by root at 10s: p vm/disk 2+1; acme vm/disk 2+1; r6 expired at 10s #10: 1 vm/disk of p
            > at 20s release r4
              r4 released at 20s #11: 1 vm/disk of p
              acme#11 Released by root at 20s: p vm/disk 1+1; acme vm/disk 1+1; r4 released at 20s #11: 1 vm/disk of p
            > forget acme before 10s
              0 forgotten
            > forget acme before 20s
              2 forgotten
              acme#12 Forgotten by root at 20s: no r2 of acme; no r6 of acme
            > forget acme before 20s
              0 forgotten
            > forget acme before 20001ms
              1 forgotten
              acme#13 Forgotten by root at 20s: no r4 of acme
            > forget acme before 9999s
              0 forgotten
            > quotas acme vm/disk
              vm/disk count: unlimited used 1 held 1, available unlimited, over by 0
                unlimited by default at acme, leaves unlimited
        "#]],
    );
}

/// Its id is free again: for anything.
#[test]
fn ids() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 commit
            release r1
            at 1s forget acme before 1s
            release r1
            commit r1
            extend r1 9s
            reserve r1 q vm/image@HKG-A 1 hold 60s
            forget acme before 9999s
            commit r1
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 commit
              r1 committed #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #4: 2 vm/image@FRA-A of p
            > release r1
              r1 released at 0s #5: 2 vm/image@FRA-A of p
              acme#5 Released by root at 0s: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 released at 0s #5: 2 vm/image@FRA-A of p
            > at 1s forget acme before 1s
              1 forgotten
              acme#6 Forgotten by root at 1s: no r1 of acme
            > release r1
              DENIED not_found
            > commit r1
              DENIED not_found
            > extend r1 9s
              DENIED not_found
            > reserve r1 q vm/image@HKG-A 1 hold 60s
              r1 held until 61s #7: 1 vm/image@HKG-A of q
              acme#7 Reserved by root at 1s: q vm/image@HKG-A 0+1; acme vm/image@HKG-A 0+1; r1 held until 61s #7: 1 vm/image@HKG-A of q
            > forget acme before 9999s
              0 forgotten
            > commit r1
              r1 committed #8: 1 vm/image@HKG-A of q
              acme#8 Committed by root at 1s: q vm/image@HKG-A 1+0; acme vm/image@HKG-A 1+0; r1 committed #8: 1 vm/image@HKG-A of q
        "#]],
    );
}

/// A hold that is due has not ended before somebody says so.
#[test]
fn due() {
    check(
        "
            reserve r1 p vm/disk 1 hold 10s
            at 9999s forget acme before 9999s
            expire acme
            forget acme before 9999s
            forget acme before 10000s
        ",
        expect![[r#"
            > reserve r1 p vm/disk 1 hold 10s
              r1 held until 10s #4: 1 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 0+1; acme vm/disk 0+1; r1 held until 10s #4: 1 vm/disk of p
            > at 9999s forget acme before 9999s
              0 forgotten
            > expire acme
              1 lapsed
              acme#5 Expired by root at 9999s: p vm/disk 0+0; acme vm/disk 0+0; r1 expired at 9999s #5: 1 vm/disk of p
            > forget acme before 9999s
              0 forgotten
            > forget acme before 10000s
              1 forgotten
              acme#6 Forgotten by root at 9999s: no r1 of acme
        "#]],
    );
}

/// Of tenants only, within the caller's reach.
#[test]
fn reach() {
    check(
        "
            reserve r1 p vm/disk 1 commit
            release r1
            forget p before 9s
            forget nowhere before 9s
            as eve@other forget acme before 9s
            as pat@p forget acme before 9s
            as mia@acme forget acme before 9s
        ",
        expect![[r#"
            > reserve r1 p vm/disk 1 commit
              r1 committed #4: 1 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 1+0; acme vm/disk 1+0; r1 committed #4: 1 vm/disk of p
            > release r1
              r1 released at 0s #5: 1 vm/disk of p
              acme#5 Released by root at 0s: p vm/disk 0+0; acme vm/disk 0+0; r1 released at 0s #5: 1 vm/disk of p
            > forget p before 9s
              DENIED unknown_scope p
            > forget nowhere before 9s
              DENIED unknown_scope nowhere
            > as eve@other forget acme before 9s
              DENIED unknown_scope acme
            > as pat@p forget acme before 9s
              DENIED unknown_scope acme
            > as mia@acme forget acme before 9s
              1 forgotten
              acme#6 Forgotten by mia at 0s: no r1 of acme
        "#]],
    );
}
