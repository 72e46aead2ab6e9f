//! A hold is made to last until so long from now.

use expect_test::expect;

use crate::script::check;

/// Longer, shorter, the same; never past its end.
#[test]
fn held() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 hold 100s
            at 50s extend r1 100s
            extend r1 100s
            extend r1 10s
            at 59999ms extend r1 1ms
            extend r1 1s
            at 60999ms expire acme
            at 1800s extend r1 100s # too late
            extend r1 100s
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 hold 100s
              r1 held until 100s #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r1 held until 100s #4: 2 vm/image@FRA-A of p
            > at 50s extend r1 100s
              r1 held until 150s #5: 2 vm/image@FRA-A of p
              acme#5 Extended by root at 50s: r1 held until 150s #5: 2 vm/image@FRA-A of p
            > extend r1 100s
              r1 held until 150s #5: 2 vm/image@FRA-A of p
            > extend r1 10s
              r1 held until 60s #6: 2 vm/image@FRA-A of p
              acme#6 Extended by root at 50s: r1 held until 60s #6: 2 vm/image@FRA-A of p
            > at 59999ms extend r1 1ms
              r1 held until 60s #6: 2 vm/image@FRA-A of p
            > extend r1 1s
              r1 held until 60999ms #7: 2 vm/image@FRA-A of p
              acme#7 Extended by root at 59999ms: r1 held until 60999ms #7: 2 vm/image@FRA-A of p
            > at 60999ms expire acme
              1 lapsed
              acme#8 Expired by root at 60999ms: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 expired at 60999ms #8: 2 vm/image@FRA-A of p
            > at 1800s extend r1 100s
              DENIED state_conflict expired
            > extend r1 100s
              DENIED state_conflict expired
        "#]],
    );
}

/// The content of the reserve stays; so does everything but the end.
#[test]
fn repeats() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 hold 100s holder img-1 tag x
            at 50s extend r1 2592000s
            at 101s reserve r1 p vm/image@FRA-A 2 hold 100s holder img-1 tag x
            reserve r1 p vm/image@FRA-A 2 hold 2592000s holder img-1 tag x
            at 2592050s reserve r1 p vm/image@FRA-A 2 hold 100s holder img-1 tag x
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 hold 100s holder img-1 tag x
              r1 held until 100s #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r1 held until 100s #4: 2 vm/image@FRA-A of p
            > at 50s extend r1 2592000s
              r1 held until 2592050s #5: 2 vm/image@FRA-A of p
              acme#5 Extended by root at 50s: r1 held until 2592050s #5: 2 vm/image@FRA-A of p
            > at 101s reserve r1 p vm/image@FRA-A 2 hold 100s holder img-1 tag x
              r1 held until 2592050s #5: 2 vm/image@FRA-A of p
            > reserve r1 p vm/image@FRA-A 2 hold 2592000s holder img-1 tag x
              DENIED id_conflict
            > at 2592050s reserve r1 p vm/image@FRA-A 2 hold 100s holder img-1 tag x
              r1 expired at 2592050s #6: 2 vm/image@FRA-A of p
              acme#6 Expired by root at 2592050s: p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 expired at 2592050s #6: 2 vm/image@FRA-A of p
        "#]],
    );
}

/// Only what is held.
#[test]
fn every_other_state() {
    check(
        "
            extend r1 100s
            reserve r1 p vm/disk 1 commit
            extend r1 100s
            release r1
            extend r1 100s
            reserve r2 p vm/disk 1 hold 10s
            at 10s expire acme
            extend r2 100s
            extend r2 of nowhere 100s
        ",
        expect![[r#"
            > extend r1 100s
              DENIED not_found
            > reserve r1 p vm/disk 1 commit
              r1 committed #4: 1 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 1+0; acme vm/disk 1+0; r1 committed #4: 1 vm/disk of p
            > extend r1 100s
              DENIED state_conflict committed
            > release r1
              r1 released at 0s #5: 1 vm/disk of p
              acme#5 Released by root at 0s: p vm/disk 0+0; acme vm/disk 0+0; r1 released at 0s #5: 1 vm/disk of p
            > extend r1 100s
              DENIED state_conflict released
            > reserve r2 p vm/disk 1 hold 10s
              r2 held until 10s #6: 1 vm/disk of p
              acme#6 Reserved by root at 0s: p vm/disk 0+1; acme vm/disk 0+1; r2 held until 10s #6: 1 vm/disk of p
            > at 10s expire acme
              1 lapsed
              acme#7 Expired by root at 10s: p vm/disk 0+0; acme vm/disk 0+0; r2 expired at 10s #7: 1 vm/disk of p
            > extend r2 100s
              DENIED state_conflict expired
            > extend r2 of nowhere 100s
              DENIED unknown_scope nowhere
        "#]],
    );
}

/// The log's own time counts where the clock runs backwards.
#[test]
fn backwards() {
    check(
        "
            at 100s reserve r1 p vm/disk 1 hold 50s
            at 10s extend r1 50s
            extend r1 60s
        ",
        expect![[r#"
            > at 100s reserve r1 p vm/disk 1 hold 50s
              r1 held until 150s #4: 1 vm/disk of p
              acme#4 Reserved by root at 100s: p vm/disk 0+1; acme vm/disk 0+1; r1 held until 150s #4: 1 vm/disk of p
            > at 10s extend r1 50s
              r1 held until 150s #4: 1 vm/disk of p
            > extend r1 60s
              r1 held until 160s #5: 1 vm/disk of p
              acme#5 Extended by root at 100s: r1 held until 160s #5: 1 vm/disk of p
        "#]],
    );
}

/// What was given time is in the way for longer: a refusal says so.
#[test]
fn in_the_way() {
    check(
        "
            reserve r1 p vm/image@FRA-A 3 hold 10s
            reserve r2 p vm/image@FRA-A 1 commit
            extend r1 60s
            at 10s reserve r2 p vm/image@FRA-A 1 commit
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 3 hold 10s
              r1 held until 10s #4: 3 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; r1 held until 10s #4: 3 vm/image@FRA-A of p
            > reserve r2 p vm/image@FRA-A 1 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 3 asked 1, short by 1; 4 would do; fits 10s
            > extend r1 60s
              r1 held until 60s #5: 3 vm/image@FRA-A of p
              acme#5 Extended by root at 0s: r1 held until 60s #5: 3 vm/image@FRA-A of p
            > at 10s reserve r2 p vm/image@FRA-A 1 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 3 asked 1, short by 1; 4 would do; fits 60s
        "#]],
    );
}
