//! A change where what is there is what its caller believed to be there.

use expect_test::expect;

use crate::script::check;

/// Every verb, with the revision that is there, an older one, and one that never was.
#[test]
fn every_verb() {
    check(
        "
            reserve r1 p vm/disk 5 hold 60s
            extend r1 90s if 3
            extend r1 90s if 4
            resize r1 vm/disk 4 if 4
            resize r1 vm/disk 4 if 5
            release r1 vm/disk 1 if 5
            release r1 vm/disk 1 if 6
            commit r1 vm/disk 2 if 6
            commit r1 vm/disk 2 if 7
            transfer r1 to q if 7
            transfer r1 to q if 99
            transfer r1 to q if 8
            release r1 if 8
            release r1 if 9
            release r1 if 9
            release r1 if 10 # the same answer, to who knows it
        ",
        expect![[r#"
            > reserve r1 p vm/disk 5 hold 60s
              r1 held until 60s #4: 5 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 0+5; acme vm/disk 0+5; r1 held until 60s #4: 5 vm/disk of p
            > extend r1 90s if 3
              DENIED precondition_failed it is 4
            > extend r1 90s if 4
              r1 held until 90s #5: 5 vm/disk of p
              acme#5 Extended by root at 0s: r1 held until 90s #5: 5 vm/disk of p
            > resize r1 vm/disk 4 if 4
              DENIED precondition_failed it is 5
            > resize r1 vm/disk 4 if 5
              r1 held until 90s #6: 4 vm/disk of p (asked 5 vm/disk of p)
              acme#6 Resized by root at 0s: p vm/disk 0+4; acme vm/disk 0+4; r1 held until 90s #6: 4 vm/disk of p (asked 5 vm/disk of p)
            > release r1 vm/disk 1 if 5
              DENIED precondition_failed it is 6
            > release r1 vm/disk 1 if 6
              r1 held until 90s #7: 3 vm/disk of p (asked 5 vm/disk of p)
              acme#7 Released by root at 0s: p vm/disk 0+3; acme vm/disk 0+3; r1 held until 90s #7: 3 vm/disk of p (asked 5 vm/disk of p)
            > commit r1 vm/disk 2 if 6
              DENIED precondition_failed it is 7
            > commit r1 vm/disk 2 if 7
              r1 committed #8: 2 vm/disk of p (asked 5 vm/disk of p)
              acme#8 Committed by root at 0s: p vm/disk 2+0; acme vm/disk 2+0; r1 committed #8: 2 vm/disk of p (asked 5 vm/disk of p)
            > transfer r1 to q if 7
              DENIED precondition_failed it is 8
            > transfer r1 to q if 99
              DENIED precondition_failed it is 8
            > transfer r1 to q if 8
              r1 committed #9: 2 vm/disk of q (asked 5 vm/disk of p)
              acme#9 Transferred by root at 0s: q vm/disk 2+0; acme vm/disk 2+0; p vm/disk 0+0; r1 committed #9: 2 vm/disk of q (asked 5 vm/disk of p)
            > release r1 if 8
              DENIED precondition_failed it is 9
            > release r1 if 9
              r1 released at 0s #10: 2 vm/disk of q (asked 5 vm/disk of p)
              acme#10 Released by root at 0s: q vm/disk 0+0; acme vm/disk 0+0; r1 released at 0s #10: 2 vm/disk of q (asked 5 vm/disk of p)
            > release r1 if 9
              DENIED precondition_failed it is 10
            > release r1 if 10
              r1 released at 0s #10: 2 vm/disk of q (asked 5 vm/disk of p)
        "#]],
    );
}

/// What is not there, or not to be seen, has no revision; what is due has the one it had.
#[test]
fn order() {
    check(
        "
            commit r1 if 4
            reserve r1 p vm/disk 5 hold 60s
            as sam@q commit r1 of q if 9
            as sam@q commit r1 of p if 9
            commit r1 vm/disk 9 if 9
            resize r1 vm/nothing 1 if 9
            transfer r1 to z if 9
            at 60s commit r1 if 9
            release r1 if 4
            release r1 if 4
        ",
        expect![[r#"
            > commit r1 if 4
              DENIED not_found
            > reserve r1 p vm/disk 5 hold 60s
              r1 held until 60s #4: 5 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 0+5; acme vm/disk 0+5; r1 held until 60s #4: 5 vm/disk of p
            > as sam@q commit r1 of q if 9
              DENIED not_found
            > as sam@q commit r1 of p if 9
              DENIED unknown_scope p
            > commit r1 vm/disk 9 if 9
              DENIED precondition_failed it is 4
            > resize r1 vm/nothing 1 if 9
              DENIED precondition_failed it is 4
            > transfer r1 to z if 9
              DENIED precondition_failed it is 4
            > at 60s commit r1 if 9
              DENIED precondition_failed it is 4
            > release r1 if 4
              r1 expired at 60s #5: 5 vm/disk of p
              acme#5 Expired by root at 60s: p vm/disk 0+0; acme vm/disk 0+0; r1 expired at 60s #5: 5 vm/disk of p
            > release r1 if 4
              DENIED precondition_failed it is 5
        "#]],
    );
}

/// Of two who saw the same, the second is told.
#[test]
fn raced() {
    check(
        "
            reserve r1 p vm/image@FRA-A 1 commit
            resize r1 vm/image@FRA-A 2 if 4
            resize r1 vm/image@FRA-A 3 if 4
            resize r1 vm/image@FRA-A 3 if 5
            resize r1 vm/image@FRA-A 4 if 6 # a refusal leaves the revision
            resize r1 vm/image@FRA-A 1 if 6
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 1 commit
              r1 committed #4: 1 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 1+0; acme vm/image@FRA-A 1+0; r1 committed #4: 1 vm/image@FRA-A of p
            > resize r1 vm/image@FRA-A 2 if 4
              r1 committed #5: 2 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
              acme#5 Resized by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #5: 2 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
            > resize r1 vm/image@FRA-A 3 if 4
              DENIED precondition_failed it is 5
            > resize r1 vm/image@FRA-A 3 if 5
              r1 committed #6: 3 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
              acme#6 Resized by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; r1 committed #6: 3 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
            > resize r1 vm/image@FRA-A 4 if 6
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 3 held 0 asked 1, short by 1; 4 would do; fits never
            > resize r1 vm/image@FRA-A 1 if 6
              r1 committed #7: 1 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
              acme#7 Resized by root at 0s: p vm/image@FRA-A 1+0; acme vm/image@FRA-A 1+0; r1 committed #7: 1 vm/image@FRA-A of p (asked 1 vm/image@FRA-A of p)
        "#]],
    );
}
