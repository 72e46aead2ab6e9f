//! Parts of limits that are newly taken: told once, at every scope, whatever binds.

use expect_test::expect;
use plimsoll_core::bounds::ALERTS_MAX;
use plimsoll_core::model::Alerts;

use crate::script::check;

/// Each part is told when it is reached, and not again until less was taken.
#[test]
fn reached() {
    check(
        "
            resource x/y default 10 alerts 50,80,100
            reserve r1 p x/y 4 commit
            reserve r2 p x/y 1 hold 300s
            reserve r3 p x/y 2 commit
            reserve r4 p x/y 1 commit
            release r3
            resize r4 x/y 3
            resize r4 x/y 5
            commit r2
        ",
        expect![[r#"
            > resource x/y default 10 alerts 50,80,100
              resource x/y in count, default 10
              catalogue#6 ResourcePut by root at 0s: resource x/y in count, default 10
            > reserve r1 p x/y 4 commit
              r1 committed #4: 4 x/y of p
              acme#4 Reserved by root at 0s: p x/y 4+0; acme x/y 4+0; r1 committed #4: 4 x/y of p
            > reserve r2 p x/y 1 hold 300s
              r2 held until 300s #5: 1 x/y of p
              acme#5 Reserved by root at 0s: p x/y 4+1; acme x/y 4+1; r2 held until 300s #5: 1 x/y of p
                50 % of 10 at p x/y: 5 taken
            > reserve r3 p x/y 2 commit
              r3 committed #6: 2 x/y of p
              acme#6 Reserved by root at 0s: p x/y 6+1; acme x/y 6+1; r3 committed #6: 2 x/y of p
            > reserve r4 p x/y 1 commit
              r4 committed #7: 1 x/y of p
              acme#7 Reserved by root at 0s: p x/y 7+1; acme x/y 7+1; r4 committed #7: 1 x/y of p
                80 % of 10 at p x/y: 8 taken
            > release r3
              r3 released at 0s #8: 2 x/y of p
              acme#8 Released by root at 0s: p x/y 5+1; acme x/y 5+1; r3 released at 0s #8: 2 x/y of p
            > resize r4 x/y 3
              r4 committed #9: 3 x/y of p (asked 1 x/y of p)
              acme#9 Resized by root at 0s: p x/y 7+1; acme x/y 7+1; r4 committed #9: 3 x/y of p (asked 1 x/y of p)
                80 % of 10 at p x/y: 8 taken
            > resize r4 x/y 5
              r4 committed #10: 5 x/y of p (asked 1 x/y of p)
              acme#10 Resized by root at 0s: p x/y 9+1; acme x/y 9+1; r4 committed #10: 5 x/y of p (asked 1 x/y of p)
                100 % of 10 at p x/y: 10 taken
            > commit r2
              r2 committed #11: 1 x/y of p
              acme#11 Committed by root at 0s: p x/y 10+0; acme x/y 10+0; r2 committed #11: 1 x/y of p
        "#]],
    );
}

/// At every scope at which something is set; several parts at once.
#[test]
fn everywhere() {
    check(
        "
            resource x/y default 10 alerts 50,100
            resource x/z default unlimited alerts 50,100
            limit acme x/y 4
            reserve r1 p x/y 4 x/z 100 commit
            reserve r2 q x/z 1 commit
        ",
        expect![[r#"
            > resource x/y default 10 alerts 50,100
              resource x/y in count, default 10
              catalogue#6 ResourcePut by root at 0s: resource x/y in count, default 10
            > resource x/z default unlimited alerts 50,100
              resource x/z in count, default unlimited
              catalogue#7 ResourcePut by root at 0s: resource x/z in count, default unlimited
            > limit acme x/y 4
              limit acme x/y 4 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit acme x/y 4 #4 by root at 0s ``
            > reserve r1 p x/y 4 x/z 100 commit
              r1 committed #5: 4 x/y, 100 x/z of p
              acme#5 Reserved by root at 0s: p x/y 4+0; acme x/y 4+0; p x/z 100+0; acme x/z 100+0; r1 committed #5: 4 x/y, 100 x/z of p
                50 % of 4 at acme x/y: 4 taken
                100 % of 4 at acme x/y: 4 taken
            > reserve r2 q x/z 1 commit
              r2 committed #6: 1 x/z of q
              acme#6 Reserved by root at 0s: q x/z 1+0; acme x/z 101+0; r2 committed #6: 1 x/z of q
        "#]],
    );
}

/// Where a limit lets pass or somebody says so, it is told all the same; what is above a limit
/// already is not.
#[test]
fn past() {
    check(
        "
            resource x/y default 2 alerts 100
            reserve r1 p x/y 5 commit force incident
            reserve r2 p x/y 1 commit force incident
            limit q x/y 2 warn
            reserve r3 q x/y 1 commit
            reserve r4 q x/y 2 commit
            reserve r5 acme x/y 1 commit mend inventory
        ",
        expect![[r#"
            > resource x/y default 2 alerts 100
              resource x/y in count, default 2
              catalogue#6 ResourcePut by root at 0s: resource x/y in count, default 2
            > reserve r1 p x/y 5 commit force incident
              r1 committed #4: 5 x/y of p forced `incident`
              acme#4 Reserved by root at 0s forced `incident`: p x/y 5+0; acme x/y 5+0; r1 committed #4: 5 x/y of p forced `incident`
                100 % of 2 at p x/y: 5 taken
            > reserve r2 p x/y 1 commit force incident
              r2 committed #5: 1 x/y of p forced `incident`
              acme#5 Reserved by root at 0s forced `incident`: p x/y 6+0; acme x/y 6+0; r2 committed #5: 1 x/y of p forced `incident`
            > limit q x/y 2 warn
              limit q x/y 2 that warns #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit q x/y 2 that warns #6 by root at 0s ``
            > reserve r3 q x/y 1 commit
              r3 committed #7: 1 x/y of q
              acme#7 Reserved by root at 0s: q x/y 1+0; acme x/y 7+0; r3 committed #7: 1 x/y of q
            > reserve r4 q x/y 2 commit
              r4 committed #8: 2 x/y of q
                WARNED at q x/y: 2 that warns by limit #6 x/y of root ``; used 1 held 0 asked 2, short by 1; 3 would do; fits never
              acme#8 Reserved by root at 0s past q x/y that warns: q x/y 3+0; acme x/y 9+0; r4 committed #8: 2 x/y of q; q x/y refused 0 warned 1 observed 0 last at 0s
                100 % of 2 at q x/y: 3 taken
            > reserve r5 acme x/y 1 commit mend inventory
              r5 committed #9: 1 x/y of acme forced `inventory`
              acme#9 Reserved by root at 0s mended `inventory`: acme x/y 10+0; r5 committed #9: 1 x/y of acme forced `inventory`
        "#]],
    );
}

/// Where nothing is taken no part is, not even of nothing; and a part is rounded up.
#[test]
fn small() {
    check(
        "
            resource x/y default 0 alerts 1,100
            resource x/z default 3 alerts 34,67
            reserve r1 p x/y 1 commit force f
            reserve r2 p x/z 1 commit
            reserve r3 p x/z 1 commit
            reserve r4 p x/z 1 commit
        ",
        expect![[r#"
            > resource x/y default 0 alerts 1,100
              resource x/y in count, default 0
              catalogue#6 ResourcePut by root at 0s: resource x/y in count, default 0
            > resource x/z default 3 alerts 34,67
              resource x/z in count, default 3
              catalogue#7 ResourcePut by root at 0s: resource x/z in count, default 3
            > reserve r1 p x/y 1 commit force f
              r1 committed #4: 1 x/y of p forced `f`
              acme#4 Reserved by root at 0s forced `f`: p x/y 1+0; acme x/y 1+0; r1 committed #4: 1 x/y of p forced `f`
                1 % of 0 at p x/y: 1 taken
                100 % of 0 at p x/y: 1 taken
            > reserve r2 p x/z 1 commit
              r2 committed #5: 1 x/z of p
              acme#5 Reserved by root at 0s: p x/z 1+0; acme x/z 1+0; r2 committed #5: 1 x/z of p
            > reserve r3 p x/z 1 commit
              r3 committed #6: 1 x/z of p
              acme#6 Reserved by root at 0s: p x/z 2+0; acme x/z 2+0; r3 committed #6: 1 x/z of p
                34 % of 3 at p x/z: 2 taken
            > reserve r4 p x/z 1 commit
              r4 committed #7: 1 x/z of p
              acme#7 Reserved by root at 0s: p x/z 3+0; acme x/z 3+0; r4 committed #7: 1 x/z of p
                67 % of 3 at p x/z: 3 taken
        "#]],
    );
}

/// At the end of numbers.
#[test]
fn large() {
    check(
        "
            resource x/y default MAX alerts 100
            reserve r1 p x/y MAX-1 commit
            reserve r2 p x/y 1 commit
        ",
        expect![[r#"
            > resource x/y default MAX alerts 100
              resource x/y in count, default MAX
              catalogue#6 ResourcePut by root at 0s: resource x/y in count, default MAX
            > reserve r1 p x/y MAX-1 commit
              r1 committed #4: MAX-1 x/y of p
              acme#4 Reserved by root at 0s: p x/y MAX-1+0; acme x/y MAX-1+0; r1 committed #4: MAX-1 x/y of p
            > reserve r2 p x/y 1 commit
              r2 committed #5: 1 x/y of p
              acme#5 Reserved by root at 0s: p x/y MAX+0; acme x/y MAX+0; r2 committed #5: 1 x/y of p
                100 % of MAX at p x/y: MAX taken
        "#]],
    );
}

/// What is transferred crosses where it comes to, and not where it counts already.
#[test]
fn transferred() {
    check(
        "
            resource x/y default 2 alerts 100
            limit acme x/y 2
            reserve r1 p x/y 2 commit
            transfer r1 to q
            transfer r1 to acme
            transfer r1 to q
        ",
        expect![[r#"
            > resource x/y default 2 alerts 100
              resource x/y in count, default 2
              catalogue#6 ResourcePut by root at 0s: resource x/y in count, default 2
            > limit acme x/y 2
              limit acme x/y 2 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit acme x/y 2 #4 by root at 0s ``
            > reserve r1 p x/y 2 commit
              r1 committed #5: 2 x/y of p
              acme#5 Reserved by root at 0s: p x/y 2+0; acme x/y 2+0; r1 committed #5: 2 x/y of p
                100 % of 2 at p x/y: 2 taken
                100 % of 2 at acme x/y: 2 taken
            > transfer r1 to q
              r1 committed #6: 2 x/y of q (asked 2 x/y of p)
              acme#6 Transferred by root at 0s: q x/y 2+0; acme x/y 2+0; p x/y 0+0; r1 committed #6: 2 x/y of q (asked 2 x/y of p)
                100 % of 2 at q x/y: 2 taken
            > transfer r1 to acme
              r1 committed #7: 2 x/y of acme (asked 2 x/y of p)
              acme#7 Transferred by root at 0s: acme x/y 2+0; q x/y 0+0; r1 committed #7: 2 x/y of acme (asked 2 x/y of p)
            > transfer r1 to q
              r1 committed #8: 2 x/y of q (asked 2 x/y of p)
              acme#8 Transferred by root at 0s: q x/y 2+0; acme x/y 2+0; r1 committed #8: 2 x/y of q (asked 2 x/y of p)
                100 % of 2 at q x/y: 2 taken
        "#]],
    );
}

/// What is cut crosses with what is granted; what lapses before makes room.
#[test]
fn cut_and_lapsed() {
    check(
        "
            resource x/y default 4 alerts 50,100
            reserve r1 p x/y 3 hold 10s
            at 10s reserve r2 p x/y 9 least 1 commit
            reserve r3 p x/y 1 commit
        ",
        expect![[r#"
            > resource x/y default 4 alerts 50,100
              resource x/y in count, default 4
              catalogue#6 ResourcePut by root at 0s: resource x/y in count, default 4
            > reserve r1 p x/y 3 hold 10s
              r1 held until 10s #4: 3 x/y of p
              acme#4 Reserved by root at 0s: p x/y 0+3; acme x/y 0+3; r1 held until 10s #4: 3 x/y of p
                50 % of 4 at p x/y: 3 taken
            > at 10s reserve r2 p x/y 9 least 1 commit
              r2 committed #6: 4 x/y of p (asked 1 or 9 x/y of p)
              acme#5 Expired by root at 10s: p x/y 0+0; acme x/y 0+0; r1 expired at 10s #5: 3 x/y of p
              acme#6 Reserved by root at 10s: p x/y 4+0; acme x/y 4+0; r2 committed #6: 4 x/y of p (asked 1 or 9 x/y of p)
                50 % of 4 at p x/y: 4 taken
                100 % of 4 at p x/y: 4 taken
            > reserve r3 p x/y 1 commit
              DENIED quota_exceeded
                at p x/y: 4 by default; used 4 held 0 asked 1, short by 1; 5 would do; fits never
        "#]],
    );
}

#[test]
fn parts() {
    let percents = |percents: &[u8]| {
        let alerts = Alerts::new(percents.to_vec())?;
        Some(alerts.iter().collect::<Vec<_>>())
    };
    assert_eq!(percents(&[]), Some(vec![]));
    assert_eq!(percents(&[100, 1]), Some(vec![1, 100]));
    assert_eq!(percents(&[0]), None);
    assert_eq!(percents(&[101]), None);
    assert_eq!(percents(&[5, 6, 5]), None);
    assert_eq!(ALERTS_MAX, 4);
    assert!(percents(&[1, 2, 3, 4]).is_some());
    assert_eq!(percents(&[1, 2, 3, 4, 5]), None);
    assert_eq!(Alerts::default().iter().collect::<Vec<_>>(), [80, 100]);
}

/// A limit that is lowered or begins to count: no more is taken, and a part is. What is told already
/// is not told again.
#[test]
fn by_a_limit_that_is_set() {
    check(
        "
            resource vm/image per-location default 10 alerts 50,100
            reserve r1 p vm/image@FRA-A 4 commit
            reserve r2 p vm/image@HKG-A 3 commit
            limit p vm/image 20 because launch
            limit p vm/image 6 because over
            limit p vm/image@FRA-A 4
            limit p vm/image 3
            limit acme vm/image@FRA-A 5
            limit acme vm/image@FRA-A 4
        ",
        expect![[r#"
            > resource vm/image per-location default 10 alerts 50,100
              resource vm/image in count per location, default 10
              catalogue#6 ResourcePut by root at 0s: resource vm/image in count per location, default 10
            > reserve r1 p vm/image@FRA-A 4 commit
              r1 committed #4: 4 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 4+0; acme vm/image@FRA-A 4+0; r1 committed #4: 4 vm/image@FRA-A of p
            > reserve r2 p vm/image@HKG-A 3 commit
              r2 committed #5: 3 vm/image@HKG-A of p
              acme#5 Reserved by root at 0s: p vm/image@HKG-A 3+0; acme vm/image@HKG-A 3+0; r2 committed #5: 3 vm/image@HKG-A of p
            > limit p vm/image 20 because launch
              limit p vm/image 20 #6 by root at 0s `launch`
              acme#6 LimitPut by root at 0s because `launch`: limit p vm/image 20 #6 by root at 0s `launch`
            > limit p vm/image 6 because over
              limit p vm/image 6 #7 by root at 0s `over`
              acme#7 LimitPut by root at 0s because `over`: limit p vm/image 6 #7 by root at 0s `over`
                50 % of 6 at p vm/image@FRA-A: 4 taken
                50 % of 6 at p vm/image@HKG-A: 3 taken
            > limit p vm/image@FRA-A 4
              limit p vm/image@FRA-A 4 #8 by root at 0s ``
              acme#8 LimitPut by root at 0s: limit p vm/image@FRA-A 4 #8 by root at 0s ``
                100 % of 4 at p vm/image@FRA-A: 4 taken
            > limit p vm/image 3
              limit p vm/image 3 #9 by root at 0s ``
              acme#9 LimitPut by root at 0s: limit p vm/image 3 #9 by root at 0s ``
                100 % of 3 at p vm/image@HKG-A: 3 taken
            > limit acme vm/image@FRA-A 5
              limit acme vm/image@FRA-A 5 #10 by root at 0s ``
              acme#10 LimitPut by root at 0s: limit acme vm/image@FRA-A 5 #10 by root at 0s ``
                50 % of 5 at acme vm/image@FRA-A: 4 taken
            > limit acme vm/image@FRA-A 4
              limit acme vm/image@FRA-A 4 #11 by root at 0s ``
              acme#11 LimitPut by root at 0s: limit acme vm/image@FRA-A 4 #11 by root at 0s ``
                100 % of 4 at acme vm/image@FRA-A: 4 taken
        "#]],
    );
}

/// What counts instead of a limit that is taken away may be taken already; at a scope above others
/// nothing does.
#[test]
fn by_a_limit_that_goes() {
    check(
        "
            resource vm/image per-location default 5 alerts 50,100
            limit p vm/image@FRA-A unlimited
            limit p vm/image 3
            limit acme vm/image@FRA-A 4
            reserve r1 p vm/image@FRA-A 4 commit
            unlimit p vm/image@FRA-A
            unlimit p vm/image because cleaned
            limit p vm/image 0
            unlimit acme vm/image@FRA-A
        ",
        expect![[r#"
            > resource vm/image per-location default 5 alerts 50,100
              resource vm/image in count per location, default 5
              catalogue#6 ResourcePut by root at 0s: resource vm/image in count per location, default 5
            > limit p vm/image@FRA-A unlimited
              limit p vm/image@FRA-A unlimited #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/image@FRA-A unlimited #4 by root at 0s ``
            > limit p vm/image 3
              limit p vm/image 3 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/image 3 #5 by root at 0s ``
            > limit acme vm/image@FRA-A 4
              limit acme vm/image@FRA-A 4 #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit acme vm/image@FRA-A 4 #6 by root at 0s ``
            > reserve r1 p vm/image@FRA-A 4 commit
              r1 committed #7: 4 vm/image@FRA-A of p
              acme#7 Reserved by root at 0s: p vm/image@FRA-A 4+0; acme vm/image@FRA-A 4+0; r1 committed #7: 4 vm/image@FRA-A of p
                50 % of 4 at acme vm/image@FRA-A: 4 taken
                100 % of 4 at acme vm/image@FRA-A: 4 taken
            > unlimit p vm/image@FRA-A
              gone
              acme#8 LimitDeleted by root at 0s: no limit p vm/image@FRA-A
                50 % of 3 at p vm/image@FRA-A: 4 taken
                100 % of 3 at p vm/image@FRA-A: 4 taken
            > unlimit p vm/image because cleaned
              gone
              acme#9 LimitDeleted by root at 0s because `cleaned`: no limit p vm/image
            > limit p vm/image 0
              limit p vm/image 0 #10 by root at 0s ``
              acme#10 LimitPut by root at 0s: limit p vm/image 0 #10 by root at 0s ``
                100 % of 0 at p vm/image@FRA-A: 4 taken
            > unlimit acme vm/image@FRA-A
              gone
              acme#11 LimitDeleted by root at 0s: no limit acme vm/image@FRA-A
        "#]],
    );
}

/// A window that is not open changes nothing yet.
#[test]
fn by_a_limit_that_counts() {
    check(
        "
            resource x/y default 10 alerts 50,100
            reserve r1 p x/y 4 commit
            limit p x/y 4 from 10s
            limit p x/y 4 until 10s
        ",
        expect![[r#"
            > resource x/y default 10 alerts 50,100
              resource x/y in count, default 10
              catalogue#6 ResourcePut by root at 0s: resource x/y in count, default 10
            > reserve r1 p x/y 4 commit
              r1 committed #4: 4 x/y of p
              acme#4 Reserved by root at 0s: p x/y 4+0; acme x/y 4+0; r1 committed #4: 4 x/y of p
            > limit p x/y 4 from 10s
              limit p x/y 4 from 10s #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p x/y 4 from 10s #5 by root at 0s ``
            > limit p x/y 4 until 10s
              limit p x/y 4 until 10s #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit p x/y 4 from 10s #5 by root at 0s `` and limit p x/y 4 until 10s #6 by root at 0s ``
                50 % of 4 at p x/y: 4 taken
                100 % of 4 at p x/y: 4 taken
        "#]],
    );
}
