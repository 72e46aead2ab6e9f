//! Tiers: named sets of limits that a scope can be given.

use expect_test::expect;
use plimsoll_core::bounds::{TIER_LIMITS_MAX, TIERS_MAX};
use plimsoll_core::model::TierLimits;
use plimsoll_core::outcome::{Denial, Outcome};

use crate::script::{check, last};

/// A limit goes before a tier, the exact location before any, and a tier before the default.
#[test]
fn precedence() {
    check(
        "
            tier gold vm/image 5 vm/image@FRA-A 6 vm/disk 4
            scope p under acme tier gold
            check p vm/image@FRA-A 7 vm/image@HKG-A 6 vm/disk 5
            limit p vm/image 2
            check p vm/image@FRA-A 7
            limit p vm/image@FRA-A 1
            check p vm/image@FRA-A 7
            check p net/ip 1 # of which the tier says nothing
            quotas p
            unlimit p vm/image
            check p vm/image@HKG-A 6
            check q vm/image@HKG-A 6
        ",
        expect![[r#"
            > tier gold vm/image 5 vm/image@FRA-A 6 vm/disk 4
              tier gold: vm/disk 4, vm/image 5, vm/image@FRA-A 6
              catalogue#6 TierPut by root at 0s: tier gold: vm/disk 4, vm/image 5, vm/image@FRA-A 6
            > scope p under acme tier gold
              scope p under acme of acme depth 2 `` tier gold
              acme#4 ScopePut by root at 0s: scope p under acme of acme depth 2 `` tier gold
            > check p vm/image@FRA-A 7 vm/image@HKG-A 6 vm/disk 5
              DENIED quota_exceeded
                at p vm/image@FRA-A: 6 by tier gold vm/image@FRA-A; used 0 held 0 asked 7, short by 1; 7 would do; fits never
                at p vm/image@HKG-A: 5 by tier gold vm/image; used 0 held 0 asked 6, short by 1; 6 would do; fits never
                at p vm/disk: 4 by tier gold vm/disk; used 0 held 0 asked 5, short by 1; 5 would do; fits never
            > limit p vm/image 2
              limit p vm/image 2 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/image 2 #5 by root at 0s ``
            > check p vm/image@FRA-A 7
              DENIED quota_exceeded
                at p vm/image@FRA-A: 2 by limit #5 vm/image of root ``; used 0 held 0 asked 7, short by 5; 7 would do; fits never
            > limit p vm/image@FRA-A 1
              limit p vm/image@FRA-A 1 #6 by root at 0s ``
              acme#6 LimitPut by root at 0s: limit p vm/image@FRA-A 1 #6 by root at 0s ``
            > check p vm/image@FRA-A 7
              DENIED quota_exceeded
                at p vm/image@FRA-A: 1 by limit #6 vm/image@FRA-A of root ``; used 0 held 0 asked 7, short by 6; 7 would do; fits never
            > check p net/ip 1
              DENIED quota_exceeded
                at p net/ip: 0 by default; used 0 held 0 asked 1, short by 1; 1 would do; fits never
            > quotas p
              net/ip count: 0 used 0 held 0, available 0, over by 0
                0 by default at p, leaves 0
              vm/disk count: 4 used 0 held 0, available 4, over by 0
                unlimited by default at p, leaves unlimited
                4 by tier gold vm/disk at p, leaves 4
              vm/image@FRA-A count: 1 used 0 held 0, available 1, over by 0
                3 by default at p, leaves 3
                6 by tier gold vm/image@FRA-A at p, leaves 6
                2 by limit #5 vm/image of root `` at p, leaves 2
                1 by limit #6 vm/image@FRA-A of root `` at p, leaves 1
              vm/image@HKG-A count: 2 used 0 held 0, available 2, over by 0
                3 by default at p, leaves 3
                5 by tier gold vm/image at p, leaves 5
                2 by limit #5 vm/image of root `` at p, leaves 2
            > unlimit p vm/image
              gone
              acme#7 LimitDeleted by root at 0s: no limit p vm/image
            > check p vm/image@HKG-A 6
              DENIED quota_exceeded
                at p vm/image@HKG-A: 5 by tier gold vm/image; used 0 held 0 asked 6, short by 1; 6 would do; fits never
            > check q vm/image@HKG-A 6
              DENIED quota_exceeded
                at q vm/image@HKG-A: 3 by default; used 0 held 0 asked 6, short by 3; 6 would do; fits never
        "#]],
    );
}

/// A limit for a time goes before the tier for as long as it counts.
#[test]
fn limits_in_time_before_it() {
    check(
        "
            tier gold vm/disk 4
            scope p under acme tier gold
            limit p vm/disk 9 from 10s until 20s
            check p vm/disk 10
            at 10s check p vm/disk 10
            at 20s check p vm/disk 10
        ",
        expect![[r#"
            > tier gold vm/disk 4
              tier gold: vm/disk 4
              catalogue#6 TierPut by root at 0s: tier gold: vm/disk 4
            > scope p under acme tier gold
              scope p under acme of acme depth 2 `` tier gold
              acme#4 ScopePut by root at 0s: scope p under acme of acme depth 2 `` tier gold
            > limit p vm/disk 9 from 10s until 20s
              limit p vm/disk 9 from 10s until 20s #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/disk 9 from 10s until 20s #5 by root at 0s ``
            > check p vm/disk 10
              DENIED quota_exceeded
                at p vm/disk: 4 by tier gold vm/disk; used 0 held 0 asked 10, short by 6; 10 would do; fits never
            > at 10s check p vm/disk 10
              DENIED quota_exceeded
                at p vm/disk: 9 by limit #5 vm/disk from 10s until 20s of root ``; used 0 held 0 asked 10, short by 1; 10 would do; fits never
            > at 20s check p vm/disk 10
              DENIED quota_exceeded
                at p vm/disk: 4 by tier gold vm/disk; used 0 held 0 asked 10, short by 6; 10 would do; fits never
        "#]],
    );
}

/// A tier that a scope above has binds the sum of what is below; it is not handed down.
#[test]
fn above() {
    check(
        "
            tier gold vm/image 4 vm/disk 1
            scope acme tier gold
            reserve r1 p vm/image@FRA-A 3 commit
            reserve r2 q vm/image@FRA-A 2 commit
            reserve r2 q vm/image@HKG-A 3 commit
            quotas q vm/image at FRA-A
            limit acme vm/image@FRA-A 5
            reserve r3 q vm/image@FRA-A 2 commit
        ",
        expect![[r#"
            > tier gold vm/image 4 vm/disk 1
              tier gold: vm/disk 1, vm/image 4
              catalogue#6 TierPut by root at 0s: tier gold: vm/disk 1, vm/image 4
            > scope acme tier gold
              scope acme of acme depth 1 `` tier gold
              acme#4 ScopePut by root at 0s: scope acme of acme depth 1 `` tier gold
            > reserve r1 p vm/image@FRA-A 3 commit
              r1 committed #5: 3 vm/image@FRA-A of p
              acme#5 Reserved by root at 0s: p vm/image@FRA-A 3+0; acme vm/image@FRA-A 3+0; r1 committed #5: 3 vm/image@FRA-A of p
            > reserve r2 q vm/image@FRA-A 2 commit
              DENIED quota_exceeded
                at acme vm/image@FRA-A: 4 by tier gold vm/image; used 3 held 0 asked 2, short by 1; 5 would do; fits never
            > reserve r2 q vm/image@HKG-A 3 commit
              r2 committed #6: 3 vm/image@HKG-A of q
              acme#6 Reserved by root at 0s: q vm/image@HKG-A 3+0; acme vm/image@HKG-A 3+0; r2 committed #6: 3 vm/image@HKG-A of q
            > quotas q vm/image at FRA-A
              vm/image@FRA-A count: 3 used 0 held 0, available 1, over by 0
                3 by default at q, leaves 3
                4 by tier gold vm/image at acme, leaves 1
            > limit acme vm/image@FRA-A 5
              limit acme vm/image@FRA-A 5 #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit acme vm/image@FRA-A 5 #7 by root at 0s ``
            > reserve r3 q vm/image@FRA-A 2 commit
              r3 committed #8: 2 vm/image@FRA-A of q
              acme#8 Reserved by root at 0s: q vm/image@FRA-A 2+0; acme vm/image@FRA-A 5+0; r3 committed #8: 2 vm/image@FRA-A of q
        "#]],
    );
}

/// A scope has one tier at a time, or none; a tier that changes changes for all who have it.
#[test]
fn given_changed_taken_away() {
    check(
        "
            tier gold vm/disk 4
            tier lead vm/disk 0
            scope p under acme tier gold
            scope p under acme tier gold
            scope q under acme tier gold
            tier gold vm/disk 2
            tier gold vm/disk 2
            check p vm/disk 3
            check q vm/disk 3
            scope p under acme tier lead
            check p vm/disk 3
            scope p under acme
            check p vm/disk 3
            scope p under acme tier tin
            scope new under acme tier tin
            scope acme kind x tier gold
            check acme vm/disk 3
        ",
        expect![[r#"
            > tier gold vm/disk 4
              tier gold: vm/disk 4
              catalogue#6 TierPut by root at 0s: tier gold: vm/disk 4
            > tier lead vm/disk 0
              tier lead: vm/disk 0
              catalogue#7 TierPut by root at 0s: tier lead: vm/disk 0
            > scope p under acme tier gold
              scope p under acme of acme depth 2 `` tier gold
              acme#4 ScopePut by root at 0s: scope p under acme of acme depth 2 `` tier gold
            > scope p under acme tier gold
              scope p under acme of acme depth 2 `` tier gold
            > scope q under acme tier gold
              scope q under acme of acme depth 2 `` tier gold
              acme#5 ScopePut by root at 0s: scope q under acme of acme depth 2 `` tier gold
            > tier gold vm/disk 2
              tier gold: vm/disk 2
              catalogue#8 TierPut by root at 0s: tier gold: vm/disk 2
            > tier gold vm/disk 2
              tier gold: vm/disk 2
            > check p vm/disk 3
              DENIED quota_exceeded
                at p vm/disk: 2 by tier gold vm/disk; used 0 held 0 asked 3, short by 1; 3 would do; fits never
            > check q vm/disk 3
              DENIED quota_exceeded
                at q vm/disk: 2 by tier gold vm/disk; used 0 held 0 asked 3, short by 1; 3 would do; fits never
            > scope p under acme tier lead
              scope p under acme of acme depth 2 `` tier lead
              acme#6 ScopePut by root at 0s: scope p under acme of acme depth 2 `` tier lead
            > check p vm/disk 3
              DENIED quota_exceeded
                at p vm/disk: 0 by tier lead vm/disk; used 0 held 0 asked 3, short by 3; 3 would do; fits never
            > scope p under acme
              scope p under acme of acme depth 2 ``
              acme#7 ScopePut by root at 0s: scope p under acme of acme depth 2 ``
            > check p vm/disk 3
              admissible: 3 vm/disk
            > scope p under acme tier tin
              DENIED unknown_tier tin
            > scope new under acme tier tin
              DENIED unknown_tier tin
            > scope acme kind x tier gold
              scope acme of acme depth 1 `x` tier gold
              acme#8 ScopePut by root at 0s: scope acme of acme depth 1 `x` tier gold
            > check acme vm/disk 3
              DENIED quota_exceeded
                at acme vm/disk: 2 by tier gold vm/disk; used 0 held 0 asked 3, short by 1; 3 would do; fits never
        "#]],
    );
}

/// A tier's ceilings let pass where it says so.
#[test]
fn modes() {
    check(
        "
            tier gold vm/disk 1 warn vm/image 1 observe
            scope p under acme tier gold
            reserve r1 p vm/disk 2 vm/image@FRA-A 2 commit
            quotas p vm/disk
        ",
        expect![[r#"
            > tier gold vm/disk 1 warn vm/image 1 observe
              tier gold: vm/disk 1 that warns, vm/image 1 that observes
              catalogue#6 TierPut by root at 0s: tier gold: vm/disk 1 that warns, vm/image 1 that observes
            > scope p under acme tier gold
              scope p under acme of acme depth 2 `` tier gold
              acme#4 ScopePut by root at 0s: scope p under acme of acme depth 2 `` tier gold
            > reserve r1 p vm/disk 2 vm/image@FRA-A 2 commit
              r1 committed #5: 2 vm/disk, 2 vm/image@FRA-A of p
                WARNED at p vm/disk: 1 that warns by tier gold vm/disk; used 0 held 0 asked 2, short by 1; 2 would do; fits never
              acme#5 Reserved by root at 0s past p vm/disk that warns p vm/image@FRA-A that observes: p vm/disk 2+0; acme vm/disk 2+0; p vm/image@FRA-A 2+0; acme vm/image@FRA-A 2+0; r1 committed #5: 2 vm/disk, 2 vm/image@FRA-A of p; p vm/disk refused 0 warned 1 observed 0 last at 0s; p vm/image@FRA-A refused 0 warned 0 observed 1 last at 0s
            > quotas p vm/disk
              vm/disk count: 1 that warns used 2 held 0, available unlimited, over by 1 refused 0 warned 1 observed 0 last at 0s
                unlimited by default at p, leaves unlimited
                1 that warns by tier gold vm/disk at p, leaves 0
        "#]],
    );
}

/// It is about what there is; any location will do.
#[test]
fn senseless() {
    check(
        "
            tier gold vm/nothing 1
            tier gold vm/disk@FRA-A 1
            tier gold vm/image@MOON 1
            tier gold vm/disk 1 vm/image 1
            tier none
        ",
        expect![[r#"
            > tier gold vm/nothing 1
              DENIED unknown_resource vm/nothing
            > tier gold vm/disk@FRA-A 1
              DENIED location_not_applicable vm/disk
            > tier gold vm/image@MOON 1
              DENIED unknown_location MOON
            > tier gold vm/disk 1 vm/image 1
              tier gold: vm/disk 1, vm/image 1
              catalogue#6 TierPut by root at 0s: tier gold: vm/disk 1, vm/image 1
            > tier none
              tier none:
              catalogue#7 TierPut by root at 0s: tier none:
        "#]],
    );
}

#[test]
fn bounded() {
    let put_all = |count: usize| {
        let put = |number: usize| format!("tier t{number} vm/disk 1\n");
        (0..count).map(put).collect::<String>()
    };
    assert!(matches!(last(&put_all(TIERS_MAX)), Outcome::Done(_)));
    let more = last(&put_all(TIERS_MAX + 1));
    assert_eq!(more, Outcome::Denied(Denial::TooMany { max: TIERS_MAX }));
    let changed = last(&(put_all(TIERS_MAX) + "tier t0 vm/disk 2"));
    assert!(matches!(changed, Outcome::Done(_)));
}

/// In order of item, no two of the same, and not too many.
#[test]
fn limits_of_one_tier() {
    use plimsoll_core::amount::Ceiling;
    use plimsoll_core::model::{Mode, TierLimit};

    use crate::world::item;

    let limit = |of: &str| TierLimit {
        item: item(of),
        ceiling: Ceiling::Unlimited,
        mode: Mode::Enforce,
    };
    let limits = |of: &[&str]| TierLimits::new(of.iter().map(|of| limit(of)).collect());
    assert_eq!(limits(&["x/b", "x/a", "x/b"]), None);
    let some = limits(&["x/b", "x/a@Z", "x/a"]).expect("limits");
    let order: Vec<_> = some.iter().map(|limit| limit.item.clone()).collect();
    assert_eq!(order, [item("x/a"), item("x/a@Z"), item("x/b")]);
    assert_eq!(some.of(&item("x/a@Z")), Some(&limit("x/a@Z")));
    assert_eq!(some.of(&item("x/a@Y")), None);
    let many = |count: usize| (0..count).map(|n| limit(&format!("x/y{n}"))).collect();
    assert!(TierLimits::new(many(TIER_LIMITS_MAX)).is_some());
    assert_eq!(TierLimits::new(many(TIER_LIMITS_MAX + 1)), None);
}
