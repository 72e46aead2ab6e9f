//! Where numbers end.

use expect_test::expect;

use crate::script::check;

/// Unlimited still ends where numbers end.
#[test]
fn the_number_space_here() {
    check(
        "
            reserve r1 p vm/disk MAX commit
            reserve r2 p vm/disk 1 commit
            reserve r3 q vm/disk 1 commit
            quotas p vm/disk
            quotas q vm/disk
            release r1
            reserve r2 p vm/disk MAX-1 hold 60s
            reserve r3 q vm/disk 1 hold 90s
            reserve r4 q vm/disk 1 commit
            commit r2
            commit r3
        ",
        expect![[r#"
            > reserve r1 p vm/disk MAX commit
              r1 committed #4: MAX vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk MAX+0; acme vm/disk MAX+0; r1 committed #4: MAX vm/disk of p
            > reserve r2 p vm/disk 1 commit
              DENIED quota_exceeded
                at p vm/disk: unlimited by default; used MAX held 0 asked 1, short by 1; nothing would do; fits never
                at acme vm/disk: unlimited by number_space; used MAX held 0 asked 1, short by 1; nothing would do; fits never
            > reserve r3 q vm/disk 1 commit
              DENIED quota_exceeded
                at acme vm/disk: unlimited by number_space; used MAX held 0 asked 1, short by 1; nothing would do; fits never
            > quotas p vm/disk
              vm/disk count: unlimited used MAX held 0, available unlimited, over by 0
                unlimited by default at p, leaves unlimited
            > quotas q vm/disk
              vm/disk count: unlimited used 0 held 0, available unlimited, over by 0
                unlimited by default at q, leaves unlimited
            > release r1
              r1 released at 0s #5: MAX vm/disk of p
              acme#5 Released by root at 0s: p vm/disk 0+0; acme vm/disk 0+0; r1 released at 0s #5: MAX vm/disk of p
            > reserve r2 p vm/disk MAX-1 hold 60s
              r2 held until 60s #6: MAX-1 vm/disk of p
              acme#6 Reserved by root at 0s: p vm/disk 0+MAX-1; acme vm/disk 0+MAX-1; r2 held until 60s #6: MAX-1 vm/disk of p
            > reserve r3 q vm/disk 1 hold 90s
              r3 held until 90s #7: 1 vm/disk of q
              acme#7 Reserved by root at 0s: q vm/disk 0+1; acme vm/disk 0+MAX; r3 held until 90s #7: 1 vm/disk of q
            > reserve r4 q vm/disk 1 commit
              DENIED quota_exceeded
                at acme vm/disk: unlimited by number_space; used 0 held MAX asked 1, short by 1; nothing would do; fits 60s
            > commit r2
              r2 committed #8: MAX-1 vm/disk of p
              acme#8 Committed by root at 0s: p vm/disk MAX-1+0; acme vm/disk MAX-1+1; r2 committed #8: MAX-1 vm/disk of p
            > commit r3
              r3 committed #9: 1 vm/disk of q
              acme#9 Committed by root at 0s: q vm/disk 1+0; acme vm/disk MAX+0; r3 committed #9: 1 vm/disk of q
        "#]],
    );
}

/// A parent without a limit is bound by it too, whatever binds below.
#[test]
fn the_number_space_above() {
    check(
        "
            limit p vm/disk MAX
            limit q vm/disk MAX
            reserve r1 p vm/disk MAX-2 commit
            quotas q vm/disk
            reserve r2 q vm/disk 3 commit
            reserve r2 q vm/disk 2 commit
            limit q vm/disk 1
            reserve r3 q vm/disk MAX commit
        ",
        expect![[r#"
            > limit p vm/disk MAX
              limit p vm/disk MAX #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk MAX #4 by root at 0s ``
            > limit q vm/disk MAX
              limit q vm/disk MAX #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit q vm/disk MAX #5 by root at 0s ``
            > reserve r1 p vm/disk MAX-2 commit
              r1 committed #6: MAX-2 vm/disk of p
              acme#6 Reserved by root at 0s: p vm/disk MAX-2+0; acme vm/disk MAX-2+0; r1 committed #6: MAX-2 vm/disk of p
            > quotas q vm/disk
              vm/disk count: MAX used 0 held 0, available 2, over by 0
                unlimited by default at q, leaves unlimited
                MAX by limit #5 vm/disk of root `` at q, leaves MAX
            > reserve r2 q vm/disk 3 commit
              DENIED quota_exceeded
                at acme vm/disk: unlimited by number_space; used MAX-2 held 0 asked 3, short by 1; nothing would do; fits never
            > reserve r2 q vm/disk 2 commit
              r2 committed #7: 2 vm/disk of q
              acme#7 Reserved by root at 0s: q vm/disk 2+0; acme vm/disk MAX+0; r2 committed #7: 2 vm/disk of q
            > limit q vm/disk 1
              limit q vm/disk 1 #8 by root at 0s ``
              acme#8 LimitPut by root at 0s: limit q vm/disk 1 #8 by root at 0s ``
            > reserve r3 q vm/disk MAX commit
              DENIED quota_exceeded
                at q vm/disk: 1 by limit #8 vm/disk of root ``; used 2 held 0 asked MAX, short by MAX; nothing would do; fits never
                at acme vm/disk: unlimited by number_space; used MAX held 0 asked MAX, short by MAX; nothing would do; fits never
        "#]],
    );
}

/// Figures beyond a lowered limit stay exact at the end of the number space.
#[test]
fn over_and_over() {
    check(
        "
            reserve r1 p vm/disk MAX commit
            limit p vm/disk 0
            limit acme vm/disk MAX-7
            reserve r2 p vm/disk MAX commit
            quotas p vm/disk
        ",
        expect![[r#"
            > reserve r1 p vm/disk MAX commit
              r1 committed #4: MAX vm/disk of p
              acme#4 Reserved by root at 0s: p vm/disk MAX+0; acme vm/disk MAX+0; r1 committed #4: MAX vm/disk of p
            > limit p vm/disk 0
              limit p vm/disk 0 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/disk 0 #5 by root at 0s ``
            > limit acme vm/disk MAX-7
              limit acme vm/disk MAX-7 #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit acme vm/disk MAX-7 #6 by root at 0s ``
            > reserve r2 p vm/disk MAX commit
              DENIED quota_exceeded
                at p vm/disk: 0 by limit #5 vm/disk of root ``; used MAX held 0 asked MAX, short by MAX; nothing would do; fits never
                at acme vm/disk: MAX-7 by limit #6 vm/disk of root ``; used MAX held 0 asked MAX, short by MAX; nothing would do; fits never
            > quotas p vm/disk
              vm/disk count: 0 used MAX held 0, available 0, over by MAX
                unlimited by default at p, leaves unlimited
                0 by limit #5 vm/disk of root `` at p, leaves 0
                MAX-7 by limit #6 vm/disk of root `` at acme, leaves 0
        "#]],
    );
}
