//! What a reader is told: the chain that led to a number, and what a limit would leave over it.

use expect_test::expect;

use crate::script::check;

/// Default, tier, limits in force for any location and for the exact one, each stronger than the
/// ones before; then what is set above.
#[test]
fn chain() {
    check(
        "
            tier gold vm/image 4 vm/image@HKG-A 5
            tier org vm/image 40
            scope acme tier org
            scope p under acme tier gold
            limit p vm/image 6
            limit p vm/image@FRA-A 8 observe
            reserve r1 p vm/image@FRA-A 2 commit
            quotas p vm/image
        ",
        expect![[r#"
            > tier gold vm/image 4 vm/image@HKG-A 5
              tier gold: vm/image 4, vm/image@HKG-A 5
              catalogue#6 TierPut by root at 0s: tier gold: vm/image 4, vm/image@HKG-A 5
            > tier org vm/image 40
              tier org: vm/image 40
              catalogue#7 TierPut by root at 0s: tier org: vm/image 40
            > scope acme tier org
              scope acme of acme depth 1 `` tier org
              acme#4 ScopePut by root at 0s: scope acme of acme depth 1 `` tier org
            > scope p under acme tier gold
              scope p under acme of acme depth 2 `` tier gold
              acme#5 ScopePut by root at 0s: scope p under acme of acme depth 2 `` tier gold
            > limit p vm/image 6
              limit p vm/image 6 #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit p vm/image 6 #6 by root at 0s ``
            > limit p vm/image@FRA-A 8 observe
              limit p vm/image@FRA-A 8 that observes #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit p vm/image@FRA-A 8 that observes #7 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 2 commit
              r1 committed #8: 2 vm/image@FRA-A of p
              acme#8 Reserved by root at 0s: p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #8: 2 vm/image@FRA-A of p
            > quotas p vm/image
              vm/image@FRA-A count: 8 that observes used 2 held 0, available 38, over by 0
                3 by default at p, leaves 1
                4 by tier gold vm/image at p, leaves 2
                6 by limit #6 vm/image of root `` at p, leaves 4
                8 that observes by limit #7 vm/image@FRA-A of root `` at p, leaves 6
                40 by tier org vm/image at acme, leaves 38
              vm/image@HKG-A count: 6 used 0 held 0, available 6, over by 0
                3 by default at p, leaves 3
                5 by tier gold vm/image@HKG-A at p, leaves 5
                6 by limit #6 vm/image of root `` at p, leaves 6
                40 by tier org vm/image at acme, leaves 40
        "#]],
    );
}

/// Each for as long as it counts.
#[test]
fn chain_in_time() {
    check(
        "
            limit p vm/image 6
            limit p vm/image 7 from 10s until 20s because sale
            limit p vm/image@FRA-A 8 observe until 15s
            limit acme vm/image@FRA-A 30 warn from 12s
            quotas p vm/image at FRA-A
            at 12s quotas p vm/image at FRA-A
            at 15s quotas p vm/image at FRA-A
            at 20s quotas p vm/image at FRA-A
        ",
        expect![[r#"
            > limit p vm/image 6
              limit p vm/image 6 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/image 6 #4 by root at 0s ``
            > limit p vm/image 7 from 10s until 20s because sale
              limit p vm/image 7 from 10s until 20s #5 by root at 0s `sale`
              acme#5 LimitPut by root at 0s because `sale`: limit p vm/image 6 #4 by root at 0s `` and limit p vm/image 7 from 10s until 20s #5 by root at 0s `sale`
            > limit p vm/image@FRA-A 8 observe until 15s
              limit p vm/image@FRA-A 8 that observes until 15s #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit p vm/image@FRA-A 8 that observes until 15s #6 by root at 0s ``
            > limit acme vm/image@FRA-A 30 warn from 12s
              limit acme vm/image@FRA-A 30 that warns from 12s #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit acme vm/image@FRA-A 30 that warns from 12s #7 by root at 0s ``
            > quotas p vm/image at FRA-A
              vm/image@FRA-A count: 8 that observes used 0 held 0, available unlimited, over by 0
                3 by default at p, leaves 3
                6 by limit #4 vm/image of root `` at p, leaves 6
                8 that observes by limit #6 vm/image@FRA-A until 15s of root `` at p, leaves 8
            > at 12s quotas p vm/image at FRA-A
              vm/image@FRA-A count: 8 that observes used 0 held 0, available unlimited, over by 0
                3 by default at p, leaves 3
                6 by limit #4 vm/image of root `` at p, leaves 6
                7 by limit #5 vm/image from 10s until 20s of root `sale` at p, leaves 7
                8 that observes by limit #6 vm/image@FRA-A until 15s of root `` at p, leaves 8
                30 that warns by limit #7 vm/image@FRA-A from 12s of root `` at acme, leaves 30
            > at 15s quotas p vm/image at FRA-A
              vm/image@FRA-A count: 7 used 0 held 0, available 7, over by 0
                3 by default at p, leaves 3
                6 by limit #4 vm/image of root `` at p, leaves 6
                7 by limit #5 vm/image from 10s until 20s of root `sale` at p, leaves 7
                30 that warns by limit #7 vm/image@FRA-A from 12s of root `` at acme, leaves 30
            > at 20s quotas p vm/image at FRA-A
              vm/image@FRA-A count: 6 used 0 held 0, available 6, over by 0
                3 by default at p, leaves 3
                6 by limit #4 vm/image of root `` at p, leaves 6
                30 that warns by limit #7 vm/image@FRA-A from 12s of root `` at acme, leaves 30
        "#]],
    );
}

/// What lets pass leaves everything, but for what binds above and where numbers end.
#[test]
fn available() {
    check(
        "
            limit p vm/disk 2 warn
            limit acme vm/disk 5 observe
            reserve r1 p vm/disk 3 commit
            quotas p vm/disk
            limit acme vm/disk 5
            quotas p vm/disk
            limit acme vm/disk 5 observe
            limit p vm/disk 4
            quotas p vm/disk
            reserve r2 q vm/disk MAX-4 commit
            limit p vm/disk MAX
            quotas p vm/disk
        ",
        expect![[r#"
            > limit p vm/disk 2 warn
              limit p vm/disk 2 that warns #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/disk 2 that warns #4 by root at 0s ``
            > limit acme vm/disk 5 observe
              limit acme vm/disk 5 that observes #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit acme vm/disk 5 that observes #5 by root at 0s ``
            > reserve r1 p vm/disk 3 commit
              r1 committed #6: 3 vm/disk of p
                WARNED at p vm/disk: 2 that warns by limit #4 vm/disk of root ``; used 0 held 0 asked 3, short by 1; 3 would do; fits never
              acme#6 Reserved by root at 0s past p vm/disk that warns: p vm/disk 3+0; acme vm/disk 3+0; r1 committed #6: 3 vm/disk of p; p vm/disk refused 0 warned 1 observed 0 last at 0s
            > quotas p vm/disk
              vm/disk count: 2 that warns used 3 held 0, available unlimited, over by 1 refused 0 warned 1 observed 0 last at 0s
                unlimited by default at p, leaves unlimited
                2 that warns by limit #4 vm/disk of root `` at p, leaves 0
                5 that observes by limit #5 vm/disk of root `` at acme, leaves 2
            > limit acme vm/disk 5
              limit acme vm/disk 5 #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit acme vm/disk 5 #7 by root at 0s ``
            > quotas p vm/disk
              vm/disk count: 2 that warns used 3 held 0, available 2, over by 1 refused 0 warned 1 observed 0 last at 0s
                unlimited by default at p, leaves unlimited
                2 that warns by limit #4 vm/disk of root `` at p, leaves 0
                5 by limit #7 vm/disk of root `` at acme, leaves 2
            > limit acme vm/disk 5 observe
              limit acme vm/disk 5 that observes #8 by root at 0s ``
              acme#8 LimitPut by root at 0s: limit acme vm/disk 5 that observes #8 by root at 0s ``
            > limit p vm/disk 4
              limit p vm/disk 4 #9 by root at 0s ``
              acme#9 LimitPut by root at 0s: limit p vm/disk 4 #9 by root at 0s ``
            > quotas p vm/disk
              vm/disk count: 4 used 3 held 0, available 1, over by 0 refused 0 warned 1 observed 0 last at 0s
                unlimited by default at p, leaves unlimited
                4 by limit #9 vm/disk of root `` at p, leaves 1
                5 that observes by limit #8 vm/disk of root `` at acme, leaves 2
            > reserve r2 q vm/disk MAX-4 commit
              r2 committed #10: MAX-4 vm/disk of q
              acme#10 Reserved by root at 0s past acme vm/disk that observes: q vm/disk MAX-4+0; acme vm/disk MAX-1+0; r2 committed #10: MAX-4 vm/disk of q; acme vm/disk refused 0 warned 0 observed 1 last at 0s
            > limit p vm/disk MAX
              limit p vm/disk MAX #11 by root at 0s ``
              acme#11 LimitPut by root at 0s: limit p vm/disk MAX #11 by root at 0s ``
            > quotas p vm/disk
              vm/disk count: MAX used 3 held 0, available 1, over by 0 refused 0 warned 1 observed 0 last at 0s
                unlimited by default at p, leaves unlimited
                MAX by limit #11 vm/disk of root `` at p, leaves MAX-3
                5 that observes by limit #8 vm/disk of root `` at acme, leaves 0
        "#]],
    );
}

/// What is over a limit that is not set yet: at each location for which no other counts.
#[test]
fn over() {
    check(
        "
            reserve r1 p vm/image@FRA-A 3 commit
            reserve r2 p vm/image@HKG-A 2 hold 300s
            reserve r3 p vm/disk 5 commit
            over p vm/image 1
            over p vm/image 2
            over p vm/image 3
            over p vm/image@HKG-A 0
            over p vm/image@MOON 0
            over p vm/disk 4
            over p vm/disk unlimited
            over acme vm/image 0
            over q vm/image 0
            limit p vm/image@FRA-A 9 from 10s until 20s
            over p vm/image 1
            at 10s over p vm/image 1
            over p vm/image@FRA-A 1
            at 20s over p vm/image 1
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 3 commit
              r1 committed #4: 3 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; r1 committed #4: 3 vm/image@FRA-A of p
            > reserve r2 p vm/image@HKG-A 2 hold 300s
              r2 held until 300s #5: 2 vm/image@HKG-A of p
              acme#5 Reserved by root at 0s: p vm/image@HKG-A 0+2; acme vm/image@HKG-A 0+2; r2 held until 300s #5: 2 vm/image@HKG-A of p
            > reserve r3 p vm/disk 5 commit
              r3 committed #6: 5 vm/disk of p
              acme#6 Reserved by root at 0s: p vm/disk 5+0; acme vm/disk 5+0; r3 committed #6: 5 vm/disk of p
            > over p vm/image 1
              p vm/image@FRA-A: used 3 held 0, over by 2
              p vm/image@HKG-A: used 0 held 2, over by 1
            > over p vm/image 2
              p vm/image@FRA-A: used 3 held 0, over by 1
            > over p vm/image 3
            > over p vm/image@HKG-A 0
              p vm/image@HKG-A: used 0 held 2, over by 2
            > over p vm/image@MOON 0
            > over p vm/disk 4
              p vm/disk: used 5 held 0, over by 1
            > over p vm/disk unlimited
            > over acme vm/image 0
              acme vm/image@FRA-A: used 3 held 0, over by 3
              acme vm/image@HKG-A: used 0 held 2, over by 2
            > over q vm/image 0
            > limit p vm/image@FRA-A 9 from 10s until 20s
              limit p vm/image@FRA-A 9 from 10s until 20s #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit p vm/image@FRA-A 9 from 10s until 20s #7 by root at 0s ``
            > over p vm/image 1
              p vm/image@FRA-A: used 3 held 0, over by 2
              p vm/image@HKG-A: used 0 held 2, over by 1
            > at 10s over p vm/image 1
              p vm/image@HKG-A: used 0 held 2, over by 1
            > over p vm/image@FRA-A 1
              p vm/image@FRA-A: used 3 held 0, over by 2
            > at 20s over p vm/image 1
              p vm/image@FRA-A: used 3 held 0, over by 2
              p vm/image@HKG-A: used 0 held 2, over by 1
        "#]],
    );
}

/// A scope that does not exist has nothing over anything.
#[test]
fn over_nowhere() {
    check(
        "over nowhere vm/disk 0",
        expect![[r#"
        > over nowhere vm/disk 0
    "#]],
    );
}
