//! The table of a reservation's states: each state × each command. The verbs with a part, a new
//! end, other amounts or another scope have files of their own.
//!
//! The world: `acme` with the projects `p` and `q`, `other` with `z`; see the base of the scripts.

use expect_test::expect;

use crate::script::check;

/// From nothing: held, or committed at once, or refused; there is nothing to commit or release.
#[test]
fn none() {
    check(
        "
            commit r1
            release r1
            commit r1 of p
            commit r1 of nowhere
            reserve r1 p vm/image@FRA-A 2 hold 300s holder img-1 tag x
            reserve r2 p vm/image@FRA-A 1 commit
            reserve r3 p vm/image@FRA-A 1 commit
        ",
        expect![[r#"
            > commit r1
              DENIED not_found
            > release r1
              DENIED not_found
            > commit r1 of p
              DENIED not_found
            > commit r1 of nowhere
              DENIED unknown_scope nowhere
            > reserve r1 p vm/image@FRA-A 2 hold 300s holder img-1 tag x
              r1 held until 300s #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r1 held until 300s #4: 2 vm/image@FRA-A of p
            > reserve r2 p vm/image@FRA-A 1 commit
              r2 committed #5: 1 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 1+2; acme vm/image@FRA-A 1+2; r2 committed #5: 1 vm/image@FRA-A of p
            > reserve r3 p vm/image@FRA-A 1 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 1 held 2 asked 1, short by 1; 4 would do; fits 300s
        "#]],
    );
}

/// From a hold: the same content has the same answer, other content is a conflict.
#[test]
fn held() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 hold 300s
            at 299s reserve r1 p vm/image@FRA-A 2 hold 300s
            reserve r1 q vm/image@FRA-A 2 hold 300s
            reserve r1 p vm/image@FRA-A 1 hold 300s
            reserve r1 p vm/image@HKG-A 2 hold 300s
            reserve r1 p vm/image@FRA-A 2 vm/disk 1 hold 300s
            reserve r1 p vm/image@FRA-A 2 hold 301s
            reserve r1 p vm/image@FRA-A 2 commit
            reserve r1 p vm/image@FRA-A 2 hold 300s holder img-1
            reserve r1 p vm/image@FRA-A 2 hold 300s tag x
            reserve r1 z vm/image@FRA-A 2 hold 300s # ids are unique within a tenant
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 hold 300s
              r1 held until 300s #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r1 held until 300s #4: 2 vm/image@FRA-A of p
            > at 299s reserve r1 p vm/image@FRA-A 2 hold 300s
              r1 held until 300s #4: 2 vm/image@FRA-A of p
            > reserve r1 q vm/image@FRA-A 2 hold 300s
              DENIED id_conflict
            > reserve r1 p vm/image@FRA-A 1 hold 300s
              DENIED id_conflict
            > reserve r1 p vm/image@HKG-A 2 hold 300s
              DENIED id_conflict
            > reserve r1 p vm/image@FRA-A 2 vm/disk 1 hold 300s
              DENIED id_conflict
            > reserve r1 p vm/image@FRA-A 2 hold 301s
              DENIED id_conflict
            > reserve r1 p vm/image@FRA-A 2 commit
              DENIED id_conflict
            > reserve r1 p vm/image@FRA-A 2 hold 300s holder img-1
              DENIED id_conflict
            > reserve r1 p vm/image@FRA-A 2 hold 300s tag x
              DENIED id_conflict
            > reserve r1 z vm/image@FRA-A 2 hold 300s
              r1 held until 599s #3: 2 vm/image@FRA-A of z
              other#3 Reserved by root at 299s: z vm/image@FRA-A 0+2; other vm/image@FRA-A 0+2; r1 held until 599s #3: 2 vm/image@FRA-A of z
        "#]],
    );
}

/// A hold becomes use; the figures move from held to used at every scope above.
#[test]
fn held_then_committed() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 hold 300s
            at 299999ms commit r1
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 hold 300s
              r1 held until 300s #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r1 held until 300s #4: 2 vm/image@FRA-A of p
            > at 299999ms commit r1
              r1 committed #5: 2 vm/image@FRA-A of p
              acme#5 Committed by root at 299999ms: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #5: 2 vm/image@FRA-A of p
        "#]],
    );
}

/// A hold is let go; the figures sink at every scope above.
#[test]
fn held_then_released() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 hold 300s
            at 1s release r1
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 hold 300s
              r1 held until 300s #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r1 held until 300s #4: 2 vm/image@FRA-A of p
            > at 1s release r1
              r1 released at 1s #5: 2 vm/image@FRA-A of p
              acme#5 Released by root at 1s: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 released at 1s #5: 2 vm/image@FRA-A of p
        "#]],
    );
}

/// A hold lapses at the very instant of `expires_at`, and not before.
#[test]
fn held_then_expired() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 hold 300s
            at 299999ms expire acme
            at 300s expire acme
            expire acme
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 hold 300s
              r1 held until 300s #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r1 held until 300s #4: 2 vm/image@FRA-A of p
            > at 299999ms expire acme
              0 lapsed
            > at 300s expire acme
              1 lapsed
              acme#5 Expired by root at 300s: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 expired at 300s #5: 2 vm/image@FRA-A of p
            > expire acme
              0 lapsed
        "#]],
    );
}

/// A hold that is due lapses when anybody speaks of it: no timer decides.
#[test]
fn due() {
    check(
        "
            reserve r1 p vm/image@FRA-A 1 hold 300s
            reserve r2 p vm/image@FRA-A 1 hold 300s
            reserve r3 p vm/image@FRA-A 1 hold 300s
            reserve r4 q vm/image@FRA-A 1 hold 300s
            at 300s reserve r1 p vm/image@FRA-A 2 hold 300s
            reserve r1 p vm/image@FRA-A 1 hold 300s
            commit r2
            release r3
            expire acme
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 1 hold 300s
              r1 held until 300s #4: 1 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+1; r1 held until 300s #4: 1 vm/image@FRA-A of p
            > reserve r2 p vm/image@FRA-A 1 hold 300s
              r2 held until 300s #5: 1 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r2 held until 300s #5: 1 vm/image@FRA-A of p
            > reserve r3 p vm/image@FRA-A 1 hold 300s
              r3 held until 300s #6: 1 vm/image@FRA-A of p
              acme#6 Reserved by root at 0s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; r3 held until 300s #6: 1 vm/image@FRA-A of p
            > reserve r4 q vm/image@FRA-A 1 hold 300s
              r4 held until 300s #7: 1 vm/image@FRA-A of q
              acme#7 Reserved by root at 0s: q vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+4; r4 held until 300s #7: 1 vm/image@FRA-A of q
            > at 300s reserve r1 p vm/image@FRA-A 2 hold 300s
              DENIED id_conflict
            > reserve r1 p vm/image@FRA-A 1 hold 300s
              r1 expired at 300s #8: 1 vm/image@FRA-A of p
              acme#8 Expired by root at 300s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+3; r1 expired at 300s #8: 1 vm/image@FRA-A of p
            > commit r2
              DENIED state_conflict expired
              acme#9 Expired by root at 300s: p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+2; r2 expired at 300s #9: 1 vm/image@FRA-A of p
            > release r3
              r3 expired at 300s #10: 1 vm/image@FRA-A of p
              acme#10 Expired by root at 300s: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+1; r3 expired at 300s #10: 1 vm/image@FRA-A of p
            > expire acme
              1 lapsed
              acme#11 Expired by root at 300s: q vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r4 expired at 300s #11: 1 vm/image@FRA-A of q
        "#]],
    );
}

/// From use: the same answers again; it is let go once; time does nothing.
#[test]
fn committed() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 commit
            reserve r1 p vm/image@FRA-A 2 commit
            reserve r1 p vm/image@FRA-A 2 hold 300s
            commit r1
            at 9999s expire acme
            release r1
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 commit
              r1 committed #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #4: 2 vm/image@FRA-A of p
            > reserve r1 p vm/image@FRA-A 2 commit
              r1 committed #4: 2 vm/image@FRA-A of p
            > reserve r1 p vm/image@FRA-A 2 hold 300s
              DENIED id_conflict
            > commit r1
              r1 committed #4: 2 vm/image@FRA-A of p
            > at 9999s expire acme
              0 lapsed
            > release r1
              r1 released at 9999s #5: 2 vm/image@FRA-A of p
              acme#5 Released by root at 9999s: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 released at 9999s #5: 2 vm/image@FRA-A of p
        "#]],
    );
}

/// The content stays that of the reserve: its repetition is told of the commit.
#[test]
fn committed_after_a_hold() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 hold 300s
            commit r1
            at 301s reserve r1 p vm/image@FRA-A 2 hold 300s
            expire acme
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 hold 300s
              r1 held until 300s #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r1 held until 300s #4: 2 vm/image@FRA-A of p
            > commit r1
              r1 committed #5: 2 vm/image@FRA-A of p
              acme#5 Committed by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #5: 2 vm/image@FRA-A of p
            > at 301s reserve r1 p vm/image@FRA-A 2 hold 300s
              r1 committed #5: 2 vm/image@FRA-A of p
            > expire acme
              0 lapsed
        "#]],
    );
}

/// From the end: it stays recorded, and its id is taken until it is forgotten.
#[test]
fn released() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 commit
            at 5s release r1
            at 6s release r1
            reserve r1 p vm/image@FRA-A 2 commit
            reserve r1 p vm/image@FRA-A 1 commit
            commit r1
            at 9999s expire acme
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 commit
              r1 committed #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #4: 2 vm/image@FRA-A of p
            > at 5s release r1
              r1 released at 5s #5: 2 vm/image@FRA-A of p
              acme#5 Released by root at 5s: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 released at 5s #5: 2 vm/image@FRA-A of p
            > at 6s release r1
              r1 released at 5s #5: 2 vm/image@FRA-A of p
            > reserve r1 p vm/image@FRA-A 2 commit
              r1 released at 5s #5: 2 vm/image@FRA-A of p
            > reserve r1 p vm/image@FRA-A 1 commit
              DENIED id_conflict
            > commit r1
              DENIED state_conflict released
            > at 9999s expire acme
              0 lapsed
        "#]],
    );
}

/// From the other end: the same.
#[test]
fn expired() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 hold 10s
            at 15s expire acme
            at 16s release r1
            reserve r1 p vm/image@FRA-A 2 hold 10s
            reserve r1 p vm/image@FRA-A 2 commit
            commit r1
            expire acme
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 hold 10s
              r1 held until 10s #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r1 held until 10s #4: 2 vm/image@FRA-A of p
            > at 15s expire acme
              1 lapsed
              acme#5 Expired by root at 15s: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 expired at 15s #5: 2 vm/image@FRA-A of p
            > at 16s release r1
              r1 expired at 15s #5: 2 vm/image@FRA-A of p
            > reserve r1 p vm/image@FRA-A 2 hold 10s
              r1 expired at 15s #5: 2 vm/image@FRA-A of p
            > reserve r1 p vm/image@FRA-A 2 commit
              DENIED id_conflict
            > commit r1
              DENIED state_conflict expired
            > expire acme
              0 lapsed
        "#]],
    );
}

/// Many lines are one decision: all or none, each at every scope above.
#[test]
fn lines() {
    check(
        "
            reserve r1 p vm/image@FRA-A 3 vm/image@HKG-A 1 vm/disk 100 hold 300s
            reserve r2 p vm/image@HKG-A 2 vm/image@FRA-A 1 commit
            reserve r2 p vm/image@HKG-A 2 commit
            commit r1
            release r1
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 3 vm/image@HKG-A 1 vm/disk 100 hold 300s
              r1 held until 300s #4: 3 vm/image@FRA-A, 1 vm/image@HKG-A, 100 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; p vm/image@HKG-A 0+1; acme vm/image@HKG-A 0+1; p vm/disk 0+100; acme vm/disk 0+100; r1 held until 300s #4: 3 vm/image@FRA-A, 1 vm/image@HKG-A, 100 vm/disk of p
            > reserve r2 p vm/image@HKG-A 2 vm/image@FRA-A 1 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 3 asked 1, short by 1; 4 would do; fits 300s
            > reserve r2 p vm/image@HKG-A 2 commit
              r2 committed #5: 2 vm/image@HKG-A of p
              acme#5 Reserved by root at 0s: p vm/image@HKG-A 2+1; acme vm/image@HKG-A 2+1; r2 committed #5: 2 vm/image@HKG-A of p
            > commit r1
              r1 committed #6: 3 vm/image@FRA-A, 1 vm/image@HKG-A, 100 vm/disk of p
              acme#6 Committed by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; p vm/image@HKG-A 3+0; acme vm/image@HKG-A 3+0; p vm/disk 100+0; acme vm/disk 100+0; r1 committed #6: 3 vm/image@FRA-A, 1 vm/image@HKG-A, 100 vm/disk of p
            > release r1
              r1 released at 0s #7: 3 vm/image@FRA-A, 1 vm/image@HKG-A, 100 vm/disk of p
              acme#7 Released by root at 0s: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; p vm/image@HKG-A 2+0; acme vm/image@HKG-A 2+0; p vm/disk 0+0; acme vm/disk 0+0; r1 released at 0s #7: 3 vm/image@FRA-A, 1 vm/image@HKG-A, 100 vm/disk of p
        "#]],
    );
}

/// A refusal burns nothing: the same id is decided anew.
#[test]
fn refused_then_granted() {
    check(
        "
            reserve r1 p vm/image@FRA-A 3 commit
            reserve r2 p vm/image@FRA-A 1 commit
            release r1
            reserve r2 p vm/image@FRA-A 1 commit
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 3 commit
              r1 committed #4: 3 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; r1 committed #4: 3 vm/image@FRA-A of p
            > reserve r2 p vm/image@FRA-A 1 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 3 held 0 asked 1, short by 1; 4 would do; fits never
            > release r1
              r1 released at 0s #5: 3 vm/image@FRA-A of p
              acme#5 Released by root at 0s: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 released at 0s #5: 3 vm/image@FRA-A of p
            > reserve r2 p vm/image@FRA-A 1 commit
              r2 committed #6: 1 vm/image@FRA-A of p
              acme#6 Reserved by root at 0s: p vm/image@FRA-A 1+0; acme vm/image@FRA-A 1+0; r2 committed #6: 1 vm/image@FRA-A of p
        "#]],
    );
}

/// Holds lapse in order of time, ties in order of id, one event each.
#[test]
fn order_of_lapse() {
    check(
        "
            reserve r3 p vm/disk 1 hold 20s
            reserve r2 q vm/disk 2 hold 10s
            reserve r1 p vm/disk 4 hold 20s
            reserve r4 p vm/disk 8 hold 21s
            reserve r5 z vm/disk 16 hold 1s
            at 20s expire acme
        ",
        expect![[r#"
            > reserve r3 p vm/disk 1 hold 20s
              r3 held until 20s #4: 1 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 0+1; acme vm/disk 0+1; r3 held until 20s #4: 1 vm/disk of p
            > reserve r2 q vm/disk 2 hold 10s
              r2 held until 10s #5: 2 vm/disk of q
              acme#5 Reserved by root at 0s: q vm/disk 0+2; acme vm/disk 0+3; r2 held until 10s #5: 2 vm/disk of q
            > reserve r1 p vm/disk 4 hold 20s
              r1 held until 20s #6: 4 vm/disk of p
              acme#6 Reserved by root at 0s: p vm/disk 0+5; acme vm/disk 0+7; r1 held until 20s #6: 4 vm/disk of p
            > reserve r4 p vm/disk 8 hold 21s
              r4 held until 21s #7: 8 vm/disk of p
              acme#7 Reserved by root at 0s: p vm/disk 0+13; acme vm/disk 0+15; r4 held until 21s #7: 8 vm/disk of p
            > reserve r5 z vm/disk 16 hold 1s
              r5 held until 1s #3: 16 vm/disk of z
              other#3 Reserved by root at 0s: z vm/disk 0+16; other vm/disk 0+16; r5 held until 1s #3: 16 vm/disk of z
            > at 20s expire acme
              3 lapsed
              acme#8 Expired by root at 20s: q vm/disk 0+0; acme vm/disk 0+13; r2 expired at 20s #8: 2 vm/disk of q
              acme#9 Expired by root at 20s: p vm/disk 0+9; acme vm/disk 0+9; r1 expired at 20s #9: 4 vm/disk of p
              acme#10 Expired by root at 20s: p vm/disk 0+8; acme vm/disk 0+8; r3 expired at 20s #10: 1 vm/disk of p
        "#]],
    );
}

/// The clock may run backwards; the time of a log does not, and holds last as long as promised.
#[test]
fn backwards() {
    check(
        "
            at 100s reserve r1 p vm/image@FRA-A 1 hold 10s
            at 50s reserve r2 p vm/image@FRA-A 1 hold 10s
            at 109s commit r2
            at 110s commit r1
            at 105s commit r1
            reserve r5 z vm/image@FRA-A 1 hold 10s # another log, another time
        ",
        expect![[r#"
            > at 100s reserve r1 p vm/image@FRA-A 1 hold 10s
              r1 held until 110s #4: 1 vm/image@FRA-A of p
              acme#4 Reserved by root at 100s: p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+1; r1 held until 110s #4: 1 vm/image@FRA-A of p
            > at 50s reserve r2 p vm/image@FRA-A 1 hold 10s
              r2 held until 110s #5: 1 vm/image@FRA-A of p
              acme#5 Reserved by root at 100s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r2 held until 110s #5: 1 vm/image@FRA-A of p
            > at 109s commit r2
              r2 committed #6: 1 vm/image@FRA-A of p
              acme#6 Committed by root at 109s: p vm/image@FRA-A 1+1; acme vm/image@FRA-A 1+1; r2 committed #6: 1 vm/image@FRA-A of p
            > at 110s commit r1
              DENIED state_conflict expired
              acme#7 Expired by root at 110s: p vm/image@FRA-A 1+0; acme vm/image@FRA-A 1+0; r1 expired at 110s #7: 1 vm/image@FRA-A of p
            > at 105s commit r1
              DENIED state_conflict expired
            > reserve r5 z vm/image@FRA-A 1 hold 10s
              r5 held until 115s #3: 1 vm/image@FRA-A of z
              other#3 Reserved by root at 105s: z vm/image@FRA-A 0+1; other vm/image@FRA-A 0+1; r5 held until 115s #3: 1 vm/image@FRA-A of z
        "#]],
    );
}
