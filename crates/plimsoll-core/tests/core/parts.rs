//! A part of a reservation: kept while the rest is let go, or let go while the rest is kept.

use expect_test::expect;

use crate::script::check;

/// The part that is named is kept, the rest of the hold is freed; a repeat is told what was kept.
#[test]
fn commit() {
    check(
        "
            reserve r1 p vm/image@FRA-A 3 vm/disk 5 hold 300s
            commit r1 vm/image@FRA-A 2
            commit r1 vm/image@FRA-A 2
            commit r1
            commit r1 vm/disk 9 # what was kept was kept: same answer
            reserve r1 p vm/image@FRA-A 3 vm/disk 5 hold 300s
            reserve r1 p vm/image@FRA-A 2 hold 300s # as it is now is not as it was asked for
            reserve r2 p vm/image@FRA-A 1 commit
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 3 vm/disk 5 hold 300s
              r1 held until 300s #4: 3 vm/image@FRA-A, 5 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; p vm/disk 0+5; acme vm/disk 0+5; r1 held until 300s #4: 3 vm/image@FRA-A, 5 vm/disk of p
            > commit r1 vm/image@FRA-A 2
              r1 committed #5: 2 vm/image@FRA-A of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
              acme#5 Committed by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; p vm/disk 0+0; acme vm/disk 0+0; r1 committed #5: 2 vm/image@FRA-A of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
            > commit r1 vm/image@FRA-A 2
              r1 committed #5: 2 vm/image@FRA-A of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
            > commit r1
              r1 committed #5: 2 vm/image@FRA-A of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
            > commit r1 vm/disk 9
              r1 committed #5: 2 vm/image@FRA-A of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
            > reserve r1 p vm/image@FRA-A 3 vm/disk 5 hold 300s
              r1 committed #5: 2 vm/image@FRA-A of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
            > reserve r1 p vm/image@FRA-A 2 hold 300s
              DENIED id_conflict
            > reserve r2 p vm/image@FRA-A 1 commit
              r2 committed #6: 1 vm/image@FRA-A of p
              acme#6 Reserved by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; r2 committed #6: 1 vm/image@FRA-A of p
        "#]],
    );
}

/// To keep all by name is to keep all, and what was asked for is what is there.
#[test]
fn commit_all_by_name() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 vm/disk 5 hold 300s
            commit r1 vm/image@FRA-A 2 vm/disk 5
            reserve r2 q vm/image@FRA-A 2 vm/disk 5 hold 300s
            commit r2 vm/disk 5 vm/image@FRA-A 2 # in another order
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 vm/disk 5 hold 300s
              r1 held until 300s #4: 2 vm/image@FRA-A, 5 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; p vm/disk 0+5; acme vm/disk 0+5; r1 held until 300s #4: 2 vm/image@FRA-A, 5 vm/disk of p
            > commit r1 vm/image@FRA-A 2 vm/disk 5
              r1 committed #5: 2 vm/image@FRA-A, 5 vm/disk of p
              acme#5 Committed by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; p vm/disk 5+0; acme vm/disk 5+0; r1 committed #5: 2 vm/image@FRA-A, 5 vm/disk of p
            > reserve r2 q vm/image@FRA-A 2 vm/disk 5 hold 300s
              r2 held until 300s #6: 2 vm/image@FRA-A, 5 vm/disk of q
              acme#6 Reserved by root at 0s: q vm/image@FRA-A 0+2; acme vm/image@FRA-A 2+2; q vm/disk 0+5; acme vm/disk 5+5; r2 held until 300s #6: 2 vm/image@FRA-A, 5 vm/disk of q
            > commit r2 vm/disk 5 vm/image@FRA-A 2
              r2 committed #7: 5 vm/disk, 2 vm/image@FRA-A of q (asked 2 vm/image@FRA-A, 5 vm/disk of q)
              acme#7 Committed by root at 0s: q vm/disk 5+0; acme vm/disk 10+0; q vm/image@FRA-A 2+0; acme vm/image@FRA-A 4+0; r2 committed #7: 5 vm/disk, 2 vm/image@FRA-A of q (asked 2 vm/image@FRA-A, 5 vm/disk of q)
        "#]],
    );
}

/// Too much, or of something else: no part.
#[test]
fn commit_no_part() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 vm/disk 5 hold 300s
            commit r1 vm/image@FRA-A 3
            commit r1 vm/image@FRA-A 1 vm/disk 6
            commit r1 vm/image@HKG-A 1
            commit r1 vm/image 1
            commit r1 vm/nothing 1
            at 300s commit r1 vm/nothing 1 # its time is told before
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 vm/disk 5 hold 300s
              r1 held until 300s #4: 2 vm/image@FRA-A, 5 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; p vm/disk 0+5; acme vm/disk 0+5; r1 held until 300s #4: 2 vm/image@FRA-A, 5 vm/disk of p
            > commit r1 vm/image@FRA-A 3
              DENIED not_a_part
            > commit r1 vm/image@FRA-A 1 vm/disk 6
              DENIED not_a_part
            > commit r1 vm/image@HKG-A 1
              DENIED not_a_part
            > commit r1 vm/image 1
              DENIED not_a_part
            > commit r1 vm/nothing 1
              DENIED not_a_part
            > at 300s commit r1 vm/nothing 1
              DENIED state_conflict expired
              acme#5 Expired by root at 300s: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; p vm/disk 0+0; acme vm/disk 0+0; r1 expired at 300s #5: 2 vm/image@FRA-A, 5 vm/disk of p
        "#]],
    );
}

/// What is named of a hold is freed, the rest stays held as long as it was.
#[test]
fn release_held() {
    check(
        "
            reserve r1 p vm/image@FRA-A 3 vm/disk 5 hold 300s
            at 10s release r1 vm/image@FRA-A 1
            release r1 vm/disk 5 # a line that becomes nothing goes
            release r1 vm/image@FRA-A 3
            release r1 vm/disk 1
            release r1 vm/image@FRA-A 2
            release r1 vm/image@FRA-A 2 # ended: same answer
            reserve r1 p vm/image@FRA-A 3 vm/disk 5 hold 300s
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 3 vm/disk 5 hold 300s
              r1 held until 300s #4: 3 vm/image@FRA-A, 5 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; p vm/disk 0+5; acme vm/disk 0+5; r1 held until 300s #4: 3 vm/image@FRA-A, 5 vm/disk of p
            > at 10s release r1 vm/image@FRA-A 1
              r1 held until 300s #5: 2 vm/image@FRA-A, 5 vm/disk of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
              acme#5 Released by root at 10s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; p vm/disk 0+5; acme vm/disk 0+5; r1 held until 300s #5: 2 vm/image@FRA-A, 5 vm/disk of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
            > release r1 vm/disk 5
              r1 held until 300s #6: 2 vm/image@FRA-A of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
              acme#6 Released by root at 10s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; p vm/disk 0+0; acme vm/disk 0+0; r1 held until 300s #6: 2 vm/image@FRA-A of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
            > release r1 vm/image@FRA-A 3
              DENIED not_a_part
            > release r1 vm/disk 1
              DENIED not_a_part
            > release r1 vm/image@FRA-A 2
              r1 released at 10s #7: 2 vm/image@FRA-A of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
              acme#7 Released by root at 10s: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 released at 10s #7: 2 vm/image@FRA-A of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
            > release r1 vm/image@FRA-A 2
              r1 released at 10s #7: 2 vm/image@FRA-A of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
            > reserve r1 p vm/image@FRA-A 3 vm/disk 5 hold 300s
              r1 released at 10s #7: 2 vm/image@FRA-A of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
        "#]],
    );
}

/// So it is with use.
#[test]
fn release_committed() {
    check(
        "
            reserve r1 p vm/image@FRA-A 3 vm/disk 5 commit
            release r1 vm/image@FRA-A 1
            release r1 vm/image@FRA-A 1 # again is more, unless the caller says what he believes to be there
            release r1 vm/image@FRA-A 1 if 5
            release r1 vm/image@FRA-A 1 if 6
            release r1 vm/image@FRA-A 1 if 6
            release r1 vm/image@FRA-A 1
            release r1
            reserve r1 p vm/image@FRA-A 3 vm/disk 5 commit
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 3 vm/disk 5 commit
              r1 committed #4: 3 vm/image@FRA-A, 5 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; p vm/disk 5+0; acme vm/disk 5+0; r1 committed #4: 3 vm/image@FRA-A, 5 vm/disk of p
            > release r1 vm/image@FRA-A 1
              r1 committed #5: 2 vm/image@FRA-A, 5 vm/disk of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
              acme#5 Released by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; p vm/disk 5+0; acme vm/disk 5+0; r1 committed #5: 2 vm/image@FRA-A, 5 vm/disk of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
            > release r1 vm/image@FRA-A 1
              r1 committed #6: 1 vm/image@FRA-A, 5 vm/disk of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
              acme#6 Released by root at 0s: p vm/image@FRA-A 1+0; acme vm/image@FRA-A 1+0; p vm/disk 5+0; acme vm/disk 5+0; r1 committed #6: 1 vm/image@FRA-A, 5 vm/disk of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
            > release r1 vm/image@FRA-A 1 if 5
              DENIED precondition_failed it is 6
            > release r1 vm/image@FRA-A 1 if 6
              r1 committed #7: 5 vm/disk of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
              acme#7 Released by root at 0s: p vm/disk 5+0; acme vm/disk 5+0; p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 committed #7: 5 vm/disk of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
            > release r1 vm/image@FRA-A 1 if 6
              DENIED precondition_failed it is 7
            > release r1 vm/image@FRA-A 1
              DENIED not_a_part
            > release r1
              r1 released at 0s #8: 5 vm/disk of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
              acme#8 Released by root at 0s: p vm/disk 0+0; acme vm/disk 0+0; r1 released at 0s #8: 5 vm/disk of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
            > reserve r1 p vm/image@FRA-A 3 vm/disk 5 commit
              r1 released at 0s #8: 5 vm/disk of p (asked 3 vm/image@FRA-A, 5 vm/disk of p)
        "#]],
    );
}

/// Part of a part: what was asked for first is remembered.
#[test]
fn part_of_a_part() {
    check(
        "
            reserve r1 p vm/disk 5 hold 300s
            release r1 vm/disk 1
            commit r1 vm/disk 3
            release r1 vm/disk 2
            reserve r1 p vm/disk 5 hold 300s
            reserve r1 p vm/disk 4 hold 300s
            reserve r1 p vm/disk 1 hold 300s
        ",
        expect![[r#"
            > reserve r1 p vm/disk 5 hold 300s
              r1 held until 300s #4: 5 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 0+5; acme vm/disk 0+5; r1 held until 300s #4: 5 vm/disk of p
            > release r1 vm/disk 1
              r1 held until 300s #5: 4 vm/disk of p (asked 5 vm/disk of p)
              acme#5 Released by root at 0s: p vm/disk 0+4; acme vm/disk 0+4; r1 held until 300s #5: 4 vm/disk of p (asked 5 vm/disk of p)
            > commit r1 vm/disk 3
              r1 committed #6: 3 vm/disk of p (asked 5 vm/disk of p)
              acme#6 Committed by root at 0s: p vm/disk 3+0; acme vm/disk 3+0; r1 committed #6: 3 vm/disk of p (asked 5 vm/disk of p)
            > release r1 vm/disk 2
              r1 committed #7: 1 vm/disk of p (asked 5 vm/disk of p)
              acme#7 Released by root at 0s: p vm/disk 1+0; acme vm/disk 1+0; r1 committed #7: 1 vm/disk of p (asked 5 vm/disk of p)
            > reserve r1 p vm/disk 5 hold 300s
              r1 committed #7: 1 vm/disk of p (asked 5 vm/disk of p)
            > reserve r1 p vm/disk 4 hold 300s
              DENIED id_conflict
            > reserve r1 p vm/disk 1 hold 300s
              DENIED id_conflict
        "#]],
    );
}

/// A part of what is due is told of the end.
#[test]
fn due() {
    check(
        "
            reserve r1 p vm/disk 5 hold 10s
            reserve r2 p vm/disk 5 hold 10s
            at 10s release r1 vm/disk 1
            commit r2 vm/disk 1
            release r2 vm/disk 9
            commit r1 vm/disk 9
        ",
        expect![[r#"
            > reserve r1 p vm/disk 5 hold 10s
              r1 held until 10s #4: 5 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 0+5; acme vm/disk 0+5; r1 held until 10s #4: 5 vm/disk of p
            > reserve r2 p vm/disk 5 hold 10s
              r2 held until 10s #5: 5 vm/disk of p
              acme#5 Reserved by root at 0s: p vm/disk 0+10; acme vm/disk 0+10; r2 held until 10s #5: 5 vm/disk of p
            > at 10s release r1 vm/disk 1
              r1 expired at 10s #6: 5 vm/disk of p
              acme#6 Expired by root at 10s: p vm/disk 0+5; acme vm/disk 0+5; r1 expired at 10s #6: 5 vm/disk of p
            > commit r2 vm/disk 1
              DENIED state_conflict expired
              acme#7 Expired by root at 10s: p vm/disk 0+0; acme vm/disk 0+0; r2 expired at 10s #7: 5 vm/disk of p
            > release r2 vm/disk 9
              r2 expired at 10s #7: 5 vm/disk of p
            > commit r1 vm/disk 9
              DENIED state_conflict expired
        "#]],
    );
}
