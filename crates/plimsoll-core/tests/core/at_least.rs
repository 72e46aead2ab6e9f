//! Taking what fits: all of a line, or as much as there is room for, but no less than would do.

use expect_test::expect;

use crate::script::check;

/// All, part, the least, not even that.
#[test]
fn one_line() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 least 1 commit
            reserve r2 p vm/image@FRA-A 2 least 1 commit
            reserve r3 p vm/image@FRA-A 2 least 1 commit # no room at all
            reserve r4 q vm/image@FRA-A 5 least 4 commit # room, and not enough
            reserve r4 q vm/image@FRA-A 5 least 3 commit
            reserve r5 q vm/image@HKG-A 3 least 3 hold 60s # all of it is what is asked for
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 least 1 commit
              r1 committed #4: 2 vm/image@FRA-A of p (asked 1 or 2 vm/image@FRA-A of p)
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #4: 2 vm/image@FRA-A of p (asked 1 or 2 vm/image@FRA-A of p)
            > reserve r2 p vm/image@FRA-A 2 least 1 commit
              r2 committed #5: 1 vm/image@FRA-A of p (asked 1 or 2 vm/image@FRA-A of p)
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; r2 committed #5: 1 vm/image@FRA-A of p (asked 1 or 2 vm/image@FRA-A of p)
            > reserve r3 p vm/image@FRA-A 2 least 1 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 3 held 0 asked 1, short by 1; 4 would do; fits never
            > reserve r4 q vm/image@FRA-A 5 least 4 commit
              DENIED quota_exceeded
                at q vm/image@FRA-A: 3 by default; used 0 held 0 asked 4, short by 1; 4 would do; fits never
            > reserve r4 q vm/image@FRA-A 5 least 3 commit
              r4 committed #6: 3 vm/image@FRA-A of q (asked 3 or 5 vm/image@FRA-A of q)
              acme#6 Reserved by root at 0s: q vm/image@FRA-A 3+0; acme vm/image@FRA-A 6+0; r4 committed #6: 3 vm/image@FRA-A of q (asked 3 or 5 vm/image@FRA-A of q)
            > reserve r5 q vm/image@HKG-A 3 least 3 hold 60s
              r5 held until 60s #7: 3 vm/image@HKG-A of q
              acme#7 Reserved by root at 0s: q vm/image@HKG-A 0+3; acme vm/image@HKG-A 0+3; r5 held until 60s #7: 3 vm/image@HKG-A of q
        "#]],
    );
}

/// Each line by itself, all lines or none.
#[test]
fn lines() {
    check(
        "
            limit acme vm/disk 10
            reserve r1 p vm/image@FRA-A 5 least 1 vm/disk 20 least 1 vm/image@HKG-A 2 hold 60s
            reserve r2 p vm/image@HKG-A 3 least 1 vm/disk 1 hold 60s
            reserve r2 p vm/image@HKG-A 3 least 1 net/ip 3 least 1 hold 60s
            reserve r2 p vm/image@HKG-A 3 least 1 hold 60s
        ",
        expect![[r#"
            > limit acme vm/disk 10
              limit acme vm/disk 10 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit acme vm/disk 10 #4 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 5 least 1 vm/disk 20 least 1 vm/image@HKG-A 2 hold 60s
              r1 held until 60s #5: 3 vm/image@FRA-A, 10 vm/disk, 2 vm/image@HKG-A of p (asked 1 or 5 vm/image@FRA-A, 1 or 20 vm/disk, 2 vm/image@HKG-A of p)
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; p vm/disk 0+10; acme vm/disk 0+10; p vm/image@HKG-A 0+2; acme vm/image@HKG-A 0+2; r1 held until 60s #5: 3 vm/image@FRA-A, 10 vm/disk, 2 vm/image@HKG-A of p (asked 1 or 5 vm/image@FRA-A, 1 or 20 vm/disk, 2 vm/image@HKG-A of p)
            > reserve r2 p vm/image@HKG-A 3 least 1 vm/disk 1 hold 60s
              DENIED quota_exceeded
                at acme vm/disk: 10 by limit #4 vm/disk of root ``; used 0 held 10 asked 1, short by 1; 11 would do; fits 60s
            > reserve r2 p vm/image@HKG-A 3 least 1 net/ip 3 least 1 hold 60s
              DENIED quota_exceeded
                at p net/ip: 0 by default; used 0 held 0 asked 1, short by 1; 1 would do; fits never
            > reserve r2 p vm/image@HKG-A 3 least 1 hold 60s
              r2 held until 60s #6: 1 vm/image@HKG-A of p (asked 1 or 3 vm/image@HKG-A of p)
              acme#6 Reserved by root at 0s: p vm/image@HKG-A 0+3; acme vm/image@HKG-A 0+3; r2 held until 60s #6: 1 vm/image@HKG-A of p (asked 1 or 3 vm/image@HKG-A of p)
        "#]],
    );
}

/// The least room on the way to the tenant is the room.
#[test]
fn above() {
    check(
        "
            scope team under p
            limit acme vm/disk 9
            limit p vm/disk 7
            limit team vm/disk 8
            reserve r1 q vm/disk 4 commit
            reserve r2 team vm/disk 100 least 1 commit
        ",
        expect![[r#"
            > scope team under p
              scope team under p of acme depth 3 ``
              acme#4 ScopePut by root at 0s: scope team under p of acme depth 3 ``
            > limit acme vm/disk 9
              limit acme vm/disk 9 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit acme vm/disk 9 #5 by root at 0s ``
            > limit p vm/disk 7
              limit p vm/disk 7 #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit p vm/disk 7 #6 by root at 0s ``
            > limit team vm/disk 8
              limit team vm/disk 8 #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit team vm/disk 8 #7 by root at 0s ``
            > reserve r1 q vm/disk 4 commit
              r1 committed #8: 4 vm/disk of q
              acme#8 Reserved by root at 0s: q vm/disk 4+0; acme vm/disk 4+0; r1 committed #8: 4 vm/disk of q
            > reserve r2 team vm/disk 100 least 1 commit
              r2 committed #9: 5 vm/disk of team (asked 1 or 100 vm/disk of team)
              acme#9 Reserved by root at 0s: team vm/disk 5+0; p vm/disk 5+0; acme vm/disk 9+0; r2 committed #9: 5 vm/disk of team (asked 1 or 100 vm/disk of team)
        "#]],
    );
}

/// Before anything is cut, what is due lapses.
#[test]
fn due_holds_lapse_first() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 hold 10s
            reserve r2 p vm/image@FRA-A 1 hold 20s
            at 10s reserve r3 p vm/image@FRA-A 3 least 1 commit
            at 20s reserve r4 p vm/image@FRA-A 3 least 2 commit
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 hold 10s
              r1 held until 10s #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r1 held until 10s #4: 2 vm/image@FRA-A of p
            > reserve r2 p vm/image@FRA-A 1 hold 20s
              r2 held until 20s #5: 1 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; r2 held until 20s #5: 1 vm/image@FRA-A of p
            > at 10s reserve r3 p vm/image@FRA-A 3 least 1 commit
              r3 committed #7: 2 vm/image@FRA-A of p (asked 1 or 3 vm/image@FRA-A of p)
              acme#6 Expired by root at 10s: p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+1; r1 expired at 10s #6: 2 vm/image@FRA-A of p
              acme#7 Reserved by root at 10s: p vm/image@FRA-A 2+1; acme vm/image@FRA-A 2+1; r3 committed #7: 2 vm/image@FRA-A of p (asked 1 or 3 vm/image@FRA-A of p)
            > at 20s reserve r4 p vm/image@FRA-A 3 least 2 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 2 held 0 asked 2, short by 1; 4 would do; fits never
              acme#8 Expired by root at 20s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r2 expired at 20s #8: 1 vm/image@FRA-A of p
        "#]],
    );
}

/// A refusal tells what the least is short by, and when that fits.
#[test]
fn refused() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 hold 10s
            reserve r2 p vm/image@FRA-A 1 hold 20s
            reserve r3 p vm/image@FRA-A 3 least 2 commit
            reserve r3 p vm/image@FRA-A 3 least 1 commit
            reserve r3 p vm/image@FRA-A 9 least 4 commit
            at 10s reserve r3 p vm/image@FRA-A 3 least 2 commit
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 hold 10s
              r1 held until 10s #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+2; acme vm/image@FRA-A 0+2; r1 held until 10s #4: 2 vm/image@FRA-A of p
            > reserve r2 p vm/image@FRA-A 1 hold 20s
              r2 held until 20s #5: 1 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 0+3; acme vm/image@FRA-A 0+3; r2 held until 20s #5: 1 vm/image@FRA-A of p
            > reserve r3 p vm/image@FRA-A 3 least 2 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 3 asked 2, short by 2; 5 would do; fits 10s
            > reserve r3 p vm/image@FRA-A 3 least 1 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 3 asked 1, short by 1; 4 would do; fits 10s
            > reserve r3 p vm/image@FRA-A 9 least 4 commit
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 0 held 3 asked 4, short by 4; 7 would do; fits never
            > at 10s reserve r3 p vm/image@FRA-A 3 least 2 commit
              r3 committed #7: 2 vm/image@FRA-A of p (asked 2 or 3 vm/image@FRA-A of p)
              acme#6 Expired by root at 10s: p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+1; r1 expired at 10s #6: 2 vm/image@FRA-A of p
              acme#7 Reserved by root at 10s: p vm/image@FRA-A 2+1; acme vm/image@FRA-A 2+1; r3 committed #7: 2 vm/image@FRA-A of p (asked 2 or 3 vm/image@FRA-A of p)
        "#]],
    );
}

/// A check tells what would be granted.
#[test]
fn checked() {
    check(
        "
            reserve r1 p vm/image@FRA-A 2 commit
            check p vm/image@FRA-A 3 least 1
            check p vm/image@FRA-A 3 least 2
            check p vm/image@FRA-A 3 least 1 vm/disk MAX least 5
            check q vm/image@FRA-A 3 least 1
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 2 commit
              r1 committed #4: 2 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #4: 2 vm/image@FRA-A of p
            > check p vm/image@FRA-A 3 least 1
              admissible: 1 vm/image@FRA-A
            > check p vm/image@FRA-A 3 least 2
              DENIED quota_exceeded
                at p vm/image@FRA-A: 3 by default; used 2 held 0 asked 2, short by 1; 4 would do; fits never
            > check p vm/image@FRA-A 3 least 1 vm/disk MAX least 5
              admissible: 1 vm/image@FRA-A, MAX vm/disk
            > check q vm/image@FRA-A 3 least 1
              admissible: 3 vm/image@FRA-A
        "#]],
    );
}

/// What was asked for is the content, whatever was granted.
#[test]
fn repeats() {
    check(
        "
            reserve r1 p vm/image@FRA-A 5 least 2 commit
            reserve r1 p vm/image@FRA-A 5 least 2 commit
            reserve r1 p vm/image@FRA-A 5 least 1 commit
            reserve r1 p vm/image@FRA-A 5 commit
            reserve r1 p vm/image@FRA-A 3 commit
            reserve r2 q vm/image@FRA-A 3 least 2 commit # all of it, and yet not asked for whole
            reserve r2 q vm/image@FRA-A 3 commit
            reserve r2 q vm/image@FRA-A 3 least 2 commit
            release r1 vm/image@FRA-A 1
            reserve r1 p vm/image@FRA-A 5 least 2 commit
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 5 least 2 commit
              r1 committed #4: 3 vm/image@FRA-A of p (asked 2 or 5 vm/image@FRA-A of p)
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; r1 committed #4: 3 vm/image@FRA-A of p (asked 2 or 5 vm/image@FRA-A of p)
            > reserve r1 p vm/image@FRA-A 5 least 2 commit
              r1 committed #4: 3 vm/image@FRA-A of p (asked 2 or 5 vm/image@FRA-A of p)
            > reserve r1 p vm/image@FRA-A 5 least 1 commit
              DENIED id_conflict
            > reserve r1 p vm/image@FRA-A 5 commit
              DENIED id_conflict
            > reserve r1 p vm/image@FRA-A 3 commit
              DENIED id_conflict
            > reserve r2 q vm/image@FRA-A 3 least 2 commit
              r2 committed #5: 3 vm/image@FRA-A of q (asked 2 or 3 vm/image@FRA-A of q)
              acme#5 Reserved by root at 0s: q vm/image@FRA-A 3+0; acme vm/image@FRA-A 6+0; r2 committed #5: 3 vm/image@FRA-A of q (asked 2 or 3 vm/image@FRA-A of q)
            > reserve r2 q vm/image@FRA-A 3 commit
              DENIED id_conflict
            > reserve r2 q vm/image@FRA-A 3 least 2 commit
              r2 committed #5: 3 vm/image@FRA-A of q (asked 2 or 3 vm/image@FRA-A of q)
            > release r1 vm/image@FRA-A 1
              r1 committed #6: 2 vm/image@FRA-A of p (asked 2 or 5 vm/image@FRA-A of p)
              acme#6 Released by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 5+0; r1 committed #6: 2 vm/image@FRA-A of p (asked 2 or 5 vm/image@FRA-A of p)
            > reserve r1 p vm/image@FRA-A 5 least 2 commit
              r1 committed #6: 2 vm/image@FRA-A of p (asked 2 or 5 vm/image@FRA-A of p)
        "#]],
    );
}

/// Where numbers end.
#[test]
fn the_number_space() {
    check(
        "
            reserve r1 p vm/disk MAX-2 commit
            reserve r2 q vm/disk MAX least 1 commit
            reserve r3 q vm/disk MAX least 1 commit
        ",
        expect![[r#"
            > reserve r1 p vm/disk MAX-2 commit
              r1 committed #4: MAX-2 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk MAX-2+0; acme vm/disk MAX-2+0; r1 committed #4: MAX-2 vm/disk of p
            > reserve r2 q vm/disk MAX least 1 commit
              r2 committed #5: 2 vm/disk of q (asked 1 or MAX vm/disk of q)
              acme#5 Reserved by root at 0s: q vm/disk 2+0; acme vm/disk MAX+0; r2 committed #5: 2 vm/disk of q (asked 1 or MAX vm/disk of q)
            > reserve r3 q vm/disk MAX least 1 commit
              DENIED quota_exceeded
                at acme vm/disk: unlimited by number_space; used MAX held 0 asked 1, short by 1; nothing would do; fits never
        "#]],
    );
}
