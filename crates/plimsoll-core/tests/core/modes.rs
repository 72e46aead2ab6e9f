//! How hard a limit binds: what would pass it is refused, or let pass and told, or let pass and
//! counted.

use expect_test::expect;

use crate::script::check;

/// What warns lets pass and tells; what observes lets pass; both are named and counted.
#[test]
fn at_the_user() {
    check(
        "
            limit p vm/disk 2 warn
            reserve r1 p vm/disk 2 commit # up to it, nothing is said
            check p vm/disk 1
            reserve r2 p vm/disk 1 hold 300s
            reserve r2 p vm/disk 1 hold 300s # a repeat is told of the reservation alone
            limit p vm/disk 2 observe
            check p vm/disk 1
            reserve r3 p vm/disk 1 commit
            quotas p vm/disk
            limit p vm/disk 2
            check p vm/disk 1
            quotas p vm/disk
        ",
        expect![[r#"
            > limit p vm/disk 2 warn
              limit p vm/disk 2 that warns #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 2 that warns #4 by root at 0s ``
            > reserve r1 p vm/disk 2 commit
              r1 committed #5: 2 vm/disk of p
              acme#5 Reserved by root at 0s: p vm/disk 2+0; acme vm/disk 2+0; r1 committed #5: 2 vm/disk of p
            > check p vm/disk 1
              admissible: 1 vm/disk
                WARNED at p vm/disk: 2 that warns by limit #4 vm/disk of root ``; used 2 held 0 asked 1, short by 1; 3 would do; fits never
            > reserve r2 p vm/disk 1 hold 300s
              r2 held until 300s #6: 1 vm/disk of p
                WARNED at p vm/disk: 2 that warns by limit #4 vm/disk of root ``; used 2 held 0 asked 1, short by 1; 3 would do; fits never
              acme#6 Reserved by root at 0s past p vm/disk that warns: p vm/disk 2+1; acme vm/disk 2+1; r2 held until 300s #6: 1 vm/disk of p; p vm/disk refused 0 warned 1 observed 0 last at 0s
            > reserve r2 p vm/disk 1 hold 300s
              r2 held until 300s #6: 1 vm/disk of p
            > limit p vm/disk 2 observe
              limit p vm/disk 2 that observes #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit p vm/disk 2 that observes #7 by root at 0s ``
            > check p vm/disk 1
              admissible: 1 vm/disk
            > reserve r3 p vm/disk 1 commit
              r3 committed #8: 1 vm/disk of p
              acme#8 Reserved by root at 0s past p vm/disk that observes: p vm/disk 3+1; acme vm/disk 3+1; r3 committed #8: 1 vm/disk of p; p vm/disk refused 0 warned 1 observed 1 last at 0s
            > quotas p vm/disk
              vm/disk count: 2 that observes used 3 held 1, available unlimited, over by 2 refused 0 warned 1 observed 1 last at 0s
                unlimited by default at p, leaves unlimited
                2 that observes by limit #7 vm/disk of root `` at p, leaves 0
            > limit p vm/disk 2
              limit p vm/disk 2 #9 by root at 0s ``
              acme#9 LimitPut by root at 0s: limit p vm/disk 2 #9 by root at 0s ``
            > check p vm/disk 1
              DENIED quota_exceeded
                at p vm/disk: 2 by limit #9 vm/disk of root ``; used 3 held 1 asked 1, short by 3; 5 would do; fits never
            > quotas p vm/disk
              vm/disk count: 2 used 3 held 1, available 0, over by 2 refused 0 warned 1 observed 1 last at 0s
                unlimited by default at p, leaves unlimited
                2 by limit #9 vm/disk of root `` at p, leaves 0
        "#]],
    );
}

/// Each scope on the way by itself: one warns, one observes, one refuses, and the refusal names
/// only that one.
#[test]
fn on_the_way_up() {
    check(
        "
            scope team under p
            limit team vm/disk 1 warn
            limit p vm/disk 2 observe
            limit acme vm/disk 3
            reserve r1 team vm/disk 2 commit
            reserve r2 team vm/disk 1 commit
            reserve r3 team vm/disk 1 commit
            quotas team vm/disk
            quotas p vm/disk
        ",
        expect![[r#"
            > scope team under p
              scope team under p of acme depth 3 ``
              acme#4 ScopePut by root at 0s: scope team under p of acme depth 3 ``
            > limit team vm/disk 1 warn
              limit team vm/disk 1 that warns #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit team vm/disk 1 that warns #5 by root at 0s ``
            > limit p vm/disk 2 observe
              limit p vm/disk 2 that observes #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit p vm/disk 2 that observes #6 by root at 0s ``
            > limit acme vm/disk 3
              limit acme vm/disk 3 #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit acme vm/disk 3 #7 by root at 0s ``
            > reserve r1 team vm/disk 2 commit
              r1 committed #8: 2 vm/disk of team
                WARNED at team vm/disk: 1 that warns by limit #5 vm/disk of root ``; used 0 held 0 asked 2, short by 1; 2 would do; fits never
              acme#8 Reserved by root at 0s past team vm/disk that warns: team vm/disk 2+0; p vm/disk 2+0; acme vm/disk 2+0; r1 committed #8: 2 vm/disk of team; team vm/disk refused 0 warned 1 observed 0 last at 0s
            > reserve r2 team vm/disk 1 commit
              r2 committed #9: 1 vm/disk of team
                WARNED at team vm/disk: 1 that warns by limit #5 vm/disk of root ``; used 2 held 0 asked 1, short by 2; 3 would do; fits never
              acme#9 Reserved by root at 0s past team vm/disk that warns p vm/disk that observes: team vm/disk 3+0; p vm/disk 3+0; acme vm/disk 3+0; r2 committed #9: 1 vm/disk of team; team vm/disk refused 0 warned 2 observed 0 last at 0s; p vm/disk refused 0 warned 0 observed 1 last at 0s
            > reserve r3 team vm/disk 1 commit
              DENIED quota_exceeded
                at acme vm/disk: 3 by limit #7 vm/disk of root ``; used 3 held 0 asked 1, short by 1; 4 would do; fits never
            > quotas team vm/disk
              vm/disk count: 1 that warns used 3 held 0, available 0, over by 2 refused 0 warned 2 observed 0 last at 0s
                unlimited by default at team, leaves unlimited
                1 that warns by limit #5 vm/disk of root `` at team, leaves 0
                2 that observes by limit #6 vm/disk of root `` at p, leaves 0
                3 by limit #7 vm/disk of root `` at acme, leaves 0
            > quotas p vm/disk
              vm/disk count: 2 that observes used 3 held 0, available 0, over by 1 refused 0 warned 0 observed 1 last at 0s
                unlimited by default at p, leaves unlimited
                2 that observes by limit #6 vm/disk of root `` at p, leaves 0
                3 by limit #7 vm/disk of root `` at acme, leaves 0
        "#]],
    );
}

/// A limit that lets pass cuts nothing off.
#[test]
fn least() {
    check(
        "
            limit p vm/disk 1 warn
            reserve r1 p vm/disk 5 least 1 commit
            limit acme vm/disk 7
            reserve r2 p vm/disk 5 least 1 commit
            reserve r3 p vm/disk 5 least 1 commit
        ",
        expect![[r#"
            > limit p vm/disk 1 warn
              limit p vm/disk 1 that warns #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 1 that warns #4 by root at 0s ``
            > reserve r1 p vm/disk 5 least 1 commit
              r1 committed #5: 5 vm/disk of p (asked 1 or 5 vm/disk of p)
                WARNED at p vm/disk: 1 that warns by limit #4 vm/disk of root ``; used 0 held 0 asked 5, short by 4; 5 would do; fits never
              acme#5 Reserved by root at 0s past p vm/disk that warns: p vm/disk 5+0; acme vm/disk 5+0; r1 committed #5: 5 vm/disk of p (asked 1 or 5 vm/disk of p); p vm/disk refused 0 warned 1 observed 0 last at 0s
            > limit acme vm/disk 7
              limit acme vm/disk 7 #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit acme vm/disk 7 #6 by root at 0s ``
            > reserve r2 p vm/disk 5 least 1 commit
              r2 committed #7: 2 vm/disk of p (asked 1 or 5 vm/disk of p)
                WARNED at p vm/disk: 1 that warns by limit #4 vm/disk of root ``; used 5 held 0 asked 2, short by 6; 7 would do; fits never
              acme#7 Reserved by root at 0s past p vm/disk that warns: p vm/disk 7+0; acme vm/disk 7+0; r2 committed #7: 2 vm/disk of p (asked 1 or 5 vm/disk of p); p vm/disk refused 0 warned 2 observed 0 last at 0s
            > reserve r3 p vm/disk 5 least 1 commit
              DENIED quota_exceeded
                at acme vm/disk: 7 by limit #6 vm/disk of root ``; used 7 held 0 asked 1, short by 1; 8 would do; fits never
        "#]],
    );
}

/// One line is refused: nothing passes anything.
#[test]
fn lines() {
    check(
        "
            limit p vm/disk 0 warn
            reserve r1 p vm/disk 1 net/ip 1 commit
            reserve r1 p vm/disk 1 vm/image@FRA-A 3 commit
            quotas p vm/disk
        ",
        expect![[r#"
            > limit p vm/disk 0 warn
              limit p vm/disk 0 that warns #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 0 that warns #4 by root at 0s ``
            > reserve r1 p vm/disk 1 net/ip 1 commit
              DENIED quota_exceeded
                at p net/ip: 0 by default; used 0 held 0 asked 1, short by 1; 1 would do; fits never
            > reserve r1 p vm/disk 1 vm/image@FRA-A 3 commit
              r1 committed #5: 1 vm/disk, 3 vm/image@FRA-A of p
                WARNED at p vm/disk: 0 that warns by limit #4 vm/disk of root ``; used 0 held 0 asked 1, short by 1; 1 would do; fits never
              acme#5 Reserved by root at 0s past p vm/disk that warns: p vm/disk 1+0; acme vm/disk 1+0; p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; r1 committed #5: 1 vm/disk, 3 vm/image@FRA-A of p; p vm/disk refused 0 warned 1 observed 0 last at 0s
            > quotas p vm/disk
              vm/disk count: 0 that warns used 1 held 0, available unlimited, over by 1 refused 0 warned 1 observed 0 last at 0s
                unlimited by default at p, leaves unlimited
                0 that warns by limit #4 vm/disk of root `` at p, leaves 0
        "#]],
    );
}

/// Numbers end, however a limit binds.
#[test]
fn number_space() {
    check(
        "
            limit p vm/disk 1 warn
            limit acme vm/disk unlimited observe
            reserve r1 p vm/disk MAX commit
            reserve r2 p vm/disk 1 commit
            reserve r3 p vm/disk 2 least 1 commit
            reserve r4 p vm/disk 1 commit force f
        ",
        expect![[r#"
            > limit p vm/disk 1 warn
              limit p vm/disk 1 that warns #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 1 that warns #4 by root at 0s ``
            > limit acme vm/disk unlimited observe
              limit acme vm/disk unlimited that observes #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit acme vm/disk unlimited that observes #5 by root at 0s ``
            > reserve r1 p vm/disk MAX commit
              r1 committed #6: MAX vm/disk of p
                WARNED at p vm/disk: 1 that warns by limit #4 vm/disk of root ``; used 0 held 0 asked MAX, short by MAX-1; MAX would do; fits never
              acme#6 Reserved by root at 0s past p vm/disk that warns: p vm/disk MAX+0; acme vm/disk MAX+0; r1 committed #6: MAX vm/disk of p; p vm/disk refused 0 warned 1 observed 0 last at 0s
            > reserve r2 p vm/disk 1 commit
              DENIED quota_exceeded
                at p vm/disk: unlimited by number_space; used MAX held 0 asked 1, short by 1; nothing would do; fits never
                at acme vm/disk: unlimited by number_space; used MAX held 0 asked 1, short by 1; nothing would do; fits never
            > reserve r3 p vm/disk 2 least 1 commit
              DENIED quota_exceeded
                at p vm/disk: unlimited by number_space; used MAX held 0 asked 1, short by 1; nothing would do; fits never
                at acme vm/disk: unlimited by number_space; used MAX held 0 asked 1, short by 1; nothing would do; fits never
            > reserve r4 p vm/disk 1 commit force f
              DENIED quota_exceeded
                at p vm/disk: unlimited by number_space; used MAX held 0 asked 1, short by 1; nothing would do; fits never
                at acme vm/disk: unlimited by number_space; used MAX held 0 asked 1, short by 1; nothing would do; fits never
        "#]],
    );
}

/// Holds that are due lapse before anything is let pass: what observes counts what would have been
/// refused, and nothing else.
#[test]
fn due_holds_lapse_first() {
    check(
        "
            limit p vm/disk 2 observe
            reserve r1 p vm/disk 2 hold 10s
            at 10s reserve r2 p vm/disk 2 hold 10s
            limit p vm/disk 2 warn
            at 20s check p vm/disk 2
            reserve r3 p vm/disk 3 hold 10s
            at 30s reserve r4 p vm/disk 1 commit
            reserve r5 p vm/disk 1 hold 10s
            at 40s resize r4 vm/disk 2
            quotas p vm/disk
        ",
        expect![[r#"
            > limit p vm/disk 2 observe
              limit p vm/disk 2 that observes #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 2 that observes #4 by root at 0s ``
            > reserve r1 p vm/disk 2 hold 10s
              r1 held until 10s #5: 2 vm/disk of p
              acme#5 Reserved by root at 0s: p vm/disk 0+2; acme vm/disk 0+2; r1 held until 10s #5: 2 vm/disk of p
            > at 10s reserve r2 p vm/disk 2 hold 10s
              r2 held until 20s #7: 2 vm/disk of p
              acme#6 Expired by root at 10s: p vm/disk 0+0; acme vm/disk 0+0; r1 expired at 10s #6: 2 vm/disk of p
              acme#7 Reserved by root at 10s: p vm/disk 0+2; acme vm/disk 0+2; r2 held until 20s #7: 2 vm/disk of p
            > limit p vm/disk 2 warn
              limit p vm/disk 2 that warns #8 by root at 10s ``
              acme#8 LimitPut by root at 10s: limit p vm/disk 2 that warns #8 by root at 10s ``
            > at 20s check p vm/disk 2
              admissible: 2 vm/disk
            > reserve r3 p vm/disk 3 hold 10s
              r3 held until 30s #10: 3 vm/disk of p
                WARNED at p vm/disk: 2 that warns by limit #8 vm/disk of root ``; used 0 held 0 asked 3, short by 1; 3 would do; fits never
              acme#9 Expired by root at 20s: p vm/disk 0+0; acme vm/disk 0+0; r2 expired at 20s #9: 2 vm/disk of p
              acme#10 Reserved by root at 20s past p vm/disk that warns: p vm/disk 0+3; acme vm/disk 0+3; r3 held until 30s #10: 3 vm/disk of p; p vm/disk refused 0 warned 1 observed 0 last at 20s
            > at 30s reserve r4 p vm/disk 1 commit
              r4 committed #12: 1 vm/disk of p
              acme#11 Expired by root at 30s: p vm/disk 0+0; acme vm/disk 0+0; r3 expired at 30s #11: 3 vm/disk of p
              acme#12 Reserved by root at 30s: p vm/disk 1+0; acme vm/disk 1+0; r4 committed #12: 1 vm/disk of p
            > reserve r5 p vm/disk 1 hold 10s
              r5 held until 40s #13: 1 vm/disk of p
              acme#13 Reserved by root at 30s: p vm/disk 1+1; acme vm/disk 1+1; r5 held until 40s #13: 1 vm/disk of p
            > at 40s resize r4 vm/disk 2
              r4 committed #15: 2 vm/disk of p (asked 1 vm/disk of p)
              acme#14 Expired by root at 40s: p vm/disk 1+0; acme vm/disk 1+0; r5 expired at 40s #14: 1 vm/disk of p
              acme#15 Resized by root at 40s: p vm/disk 2+0; acme vm/disk 2+0; r4 committed #15: 2 vm/disk of p (asked 1 vm/disk of p)
            > quotas p vm/disk
              vm/disk count: 2 that warns used 2 held 0, available unlimited, over by 0 refused 0 warned 1 observed 0 last at 20s
                unlimited by default at p, leaves unlimited
                2 that warns by limit #8 vm/disk of root `` at p, leaves 0
        "#]],
    );
}

/// With what would do of it, where one limit lets pass and another cuts, and holds are due.
#[test]
fn due_holds_lapse_before_a_cut() {
    check(
        "
            limit p vm/disk 3 warn
            limit acme vm/disk 4
            reserve r1 p vm/disk 3 hold 10s
            at 10s reserve r2 p vm/disk 4 least 2 commit
            reserve r3 p vm/disk 4 least 2 commit
        ",
        expect![[r#"
            > limit p vm/disk 3 warn
              limit p vm/disk 3 that warns #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 3 that warns #4 by root at 0s ``
            > limit acme vm/disk 4
              limit acme vm/disk 4 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit acme vm/disk 4 #5 by root at 0s ``
            > reserve r1 p vm/disk 3 hold 10s
              r1 held until 10s #6: 3 vm/disk of p
              acme#6 Reserved by root at 0s: p vm/disk 0+3; acme vm/disk 0+3; r1 held until 10s #6: 3 vm/disk of p
            > at 10s reserve r2 p vm/disk 4 least 2 commit
              r2 committed #8: 4 vm/disk of p (asked 2 or 4 vm/disk of p)
                WARNED at p vm/disk: 3 that warns by limit #4 vm/disk of root ``; used 0 held 0 asked 4, short by 1; 4 would do; fits never
              acme#7 Expired by root at 10s: p vm/disk 0+0; acme vm/disk 0+0; r1 expired at 10s #7: 3 vm/disk of p
              acme#8 Reserved by root at 10s past p vm/disk that warns: p vm/disk 4+0; acme vm/disk 4+0; r2 committed #8: 4 vm/disk of p (asked 2 or 4 vm/disk of p); p vm/disk refused 0 warned 1 observed 0 last at 10s
            > reserve r3 p vm/disk 4 least 2 commit
              DENIED quota_exceeded
                at acme vm/disk: 4 by limit #5 vm/disk of root ``; used 4 held 0 asked 2, short by 2; 6 would do; fits never
        "#]],
    );
}

/// Resized and transferred: only an account that becomes heavier passes anything.
#[test]
fn swaps() {
    check(
        "
            reserve r1 p vm/disk 3 commit
            limit p vm/disk 1 warn
            limit acme vm/disk 2 observe
            resize r1 vm/disk 2
            resize r1 vm/disk 3
            limit q vm/disk 2 observe
            transfer r1 to q
            transfer r1 to acme
            transfer r1 to p
            release r1 vm/disk 1
            release r1
            quotas p vm/disk
            quotas q vm/disk
            quotas acme vm/disk
        ",
        expect![[r#"
            > reserve r1 p vm/disk 3 commit
              r1 committed #4: 3 vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk 3+0; acme vm/disk 3+0; r1 committed #4: 3 vm/disk of p
            > limit p vm/disk 1 warn
              limit p vm/disk 1 that warns #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/disk 1 that warns #5 by root at 0s ``
            > limit acme vm/disk 2 observe
              limit acme vm/disk 2 that observes #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit acme vm/disk 2 that observes #6 by root at 0s ``
            > resize r1 vm/disk 2
              r1 committed #7: 2 vm/disk of p (asked 3 vm/disk of p)
              acme#7 Resized by root at 0s: p vm/disk 2+0; acme vm/disk 2+0; r1 committed #7: 2 vm/disk of p (asked 3 vm/disk of p)
            > resize r1 vm/disk 3
              r1 committed #8: 3 vm/disk of p (asked 3 vm/disk of p)
                WARNED at p vm/disk: 1 that warns by limit #5 vm/disk of root ``; used 2 held 0 asked 1, short by 2; 3 would do; fits never
              acme#8 Resized by root at 0s past p vm/disk that warns acme vm/disk that observes: p vm/disk 3+0; acme vm/disk 3+0; r1 committed #8: 3 vm/disk of p (asked 3 vm/disk of p); p vm/disk refused 0 warned 1 observed 0 last at 0s; acme vm/disk refused 0 warned 0 observed 1 last at 0s
            > limit q vm/disk 2 observe
              limit q vm/disk 2 that observes #9 by root at 0s ``
              acme#9 LimitPut by root at 0s: limit q vm/disk 2 that observes #9 by root at 0s ``
            > transfer r1 to q
              r1 committed #10: 3 vm/disk of q (asked 3 vm/disk of p)
              acme#10 Transferred by root at 0s past q vm/disk that observes: q vm/disk 3+0; acme vm/disk 3+0; p vm/disk 0+0; r1 committed #10: 3 vm/disk of q (asked 3 vm/disk of p); q vm/disk refused 0 warned 0 observed 1 last at 0s
            > transfer r1 to acme
              r1 committed #11: 3 vm/disk of acme (asked 3 vm/disk of p)
              acme#11 Transferred by root at 0s: acme vm/disk 3+0; q vm/disk 0+0; r1 committed #11: 3 vm/disk of acme (asked 3 vm/disk of p)
            > transfer r1 to p
              r1 committed #12: 3 vm/disk of p (asked 3 vm/disk of p)
                WARNED at p vm/disk: 1 that warns by limit #5 vm/disk of root ``; used 0 held 0 asked 3, short by 2; 3 would do; fits never
              acme#12 Transferred by root at 0s past p vm/disk that warns: p vm/disk 3+0; acme vm/disk 3+0; r1 committed #12: 3 vm/disk of p (asked 3 vm/disk of p); p vm/disk refused 0 warned 2 observed 0 last at 0s
            > release r1 vm/disk 1
              r1 committed #13: 2 vm/disk of p (asked 3 vm/disk of p)
              acme#13 Released by root at 0s: p vm/disk 2+0; acme vm/disk 2+0; r1 committed #13: 2 vm/disk of p (asked 3 vm/disk of p)
            > release r1
              r1 released at 0s #14: 2 vm/disk of p (asked 3 vm/disk of p)
              acme#14 Released by root at 0s: p vm/disk 0+0; acme vm/disk 0+0; r1 released at 0s #14: 2 vm/disk of p (asked 3 vm/disk of p)
            > quotas p vm/disk
              vm/disk count: 1 that warns used 0 held 0, available unlimited, over by 0 refused 0 warned 2 observed 0 last at 0s
                unlimited by default at p, leaves unlimited
                1 that warns by limit #5 vm/disk of root `` at p, leaves 1
                2 that observes by limit #6 vm/disk of root `` at acme, leaves 2
            > quotas q vm/disk
              vm/disk count: 2 that observes used 0 held 0, available unlimited, over by 0 refused 0 warned 0 observed 1 last at 0s
                unlimited by default at q, leaves unlimited
                2 that observes by limit #9 vm/disk of root `` at q, leaves 2
                2 that observes by limit #6 vm/disk of root `` at acme, leaves 2
            > quotas acme vm/disk
              vm/disk count: 2 that observes used 0 held 0, available unlimited, over by 0 refused 0 warned 0 observed 1 last at 0s
                unlimited by default at acme, leaves unlimited
                2 that observes by limit #6 vm/disk of root `` at acme, leaves 2
        "#]],
    );
}

/// Who is let past by somebody passes nothing: no warning, no count.
#[test]
fn forced() {
    check(
        "
            limit p vm/disk 1 warn
            limit acme vm/disk 1 observe
            reserve r1 p vm/disk 2 commit force incident
            reserve r2 p vm/disk 2 commit mend inventory
            resize r1 vm/disk 3 force incident
            quotas p vm/disk
        ",
        expect![[r#"
            > limit p vm/disk 1 warn
              limit p vm/disk 1 that warns #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 1 that warns #4 by root at 0s ``
            > limit acme vm/disk 1 observe
              limit acme vm/disk 1 that observes #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit acme vm/disk 1 that observes #5 by root at 0s ``
            > reserve r1 p vm/disk 2 commit force incident
              r1 committed #6: 2 vm/disk of p forced `incident`
              acme#6 Reserved by root at 0s forced `incident`: p vm/disk 2+0; acme vm/disk 2+0; r1 committed #6: 2 vm/disk of p forced `incident`
            > reserve r2 p vm/disk 2 commit mend inventory
              r2 committed #7: 2 vm/disk of p forced `inventory`
              acme#7 Reserved by root at 0s mended `inventory`: p vm/disk 4+0; acme vm/disk 4+0; r2 committed #7: 2 vm/disk of p forced `inventory`
            > resize r1 vm/disk 3 force incident
              r1 committed #8: 3 vm/disk of p (asked 2 vm/disk of p) forced `incident`
              acme#8 Resized by root at 0s forced `incident`: p vm/disk 5+0; acme vm/disk 5+0; r1 committed #8: 3 vm/disk of p (asked 2 vm/disk of p) forced `incident`
            > quotas p vm/disk
              vm/disk count: 1 that warns used 5 held 0, available unlimited, over by 4
                unlimited by default at p, leaves unlimited
                1 that warns by limit #4 vm/disk of root `` at p, leaves 0
                1 that observes by limit #5 vm/disk of root `` at acme, leaves 0
        "#]],
    );
}

/// The default never lets pass, and a limit at any location lets pass at each.
#[test]
fn at_any_location() {
    check(
        "
            limit p vm/image 1 warn
            limit p vm/image@HKG-A 1
            reserve r1 p vm/image@FRA-A 2 commit
            reserve r2 p vm/image@HKG-A 2 commit
            reserve r3 q vm/image@FRA-A 4 commit
        ",
        expect![[r#"
            > limit p vm/image 1 warn
              limit p vm/image 1 that warns #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/image 1 that warns #4 by root at 0s ``
            > limit p vm/image@HKG-A 1
              limit p vm/image@HKG-A 1 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/image@HKG-A 1 #5 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 2 commit
              r1 committed #6: 2 vm/image@FRA-A of p
                WARNED at p vm/image@FRA-A: 1 that warns by limit #4 vm/image of root ``; used 0 held 0 asked 2, short by 1; 2 would do; fits never
              acme#6 Reserved by root at 0s past p vm/image@FRA-A that warns: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #6: 2 vm/image@FRA-A of p; p vm/image@FRA-A refused 0 warned 1 observed 0 last at 0s
            > reserve r2 p vm/image@HKG-A 2 commit
              DENIED quota_exceeded
                at p vm/image@HKG-A: 1 by limit #5 vm/image@HKG-A of root ``; used 0 held 0 asked 2, short by 1; 2 would do; fits never
            > reserve r3 q vm/image@FRA-A 4 commit
              DENIED quota_exceeded
                at q vm/image@FRA-A: 3 by default; used 0 held 0 asked 4, short by 1; 4 would do; fits never
        "#]],
    );
}
