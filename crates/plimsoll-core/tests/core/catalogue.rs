//! What is set rather than taken: resources, locations, scopes, principals, limits.

use expect_test::expect;

use crate::script::check;

/// A resource may change, but never how it is counted.
#[test]
fn resources() {
    check(
        "
            resource vm/gpu default 0
            resource vm/gpu default 0
            at 1s resource vm/gpu default unlimited unit card
            resource vm/gpu per-location default unlimited unit card
            resource vm/image default 3
        ",
        expect![[r#"
            > resource vm/gpu default 0
              resource vm/gpu in count, default 0
              catalogue#6 ResourcePut by root at 0s: resource vm/gpu in count, default 0
            > resource vm/gpu default 0
              resource vm/gpu in count, default 0
            > at 1s resource vm/gpu default unlimited unit card
              resource vm/gpu in card, default unlimited
              catalogue#7 ResourcePut by root at 1s: resource vm/gpu in card, default unlimited
            > resource vm/gpu per-location default unlimited unit card
              DENIED immutable per_location
            > resource vm/image default 3
              DENIED immutable per_location
        "#]],
    );
}

/// A location may change.
#[test]
fn locations() {
    check(
        "
            location SGP-A named Singapore
            location SGP-A named Singapore
            location SGP-A named Singapur
        ",
        expect![[r#"
            > location SGP-A named Singapore
              location SGP-A `Singapore`
              catalogue#6 LocationPut by root at 0s: location SGP-A `Singapore`
            > location SGP-A named Singapore
              location SGP-A `Singapore`
            > location SGP-A named Singapur
              location SGP-A `Singapur`
              catalogue#7 LocationPut by root at 0s: location SGP-A `Singapur`
        "#]],
    );
}

/// A scope stays where it is; only its kind may change.
#[test]
fn scopes() {
    check(
        "
            scope team under p kind team
            scope team under p kind team
            scope team under p kind crew
            scope team under q kind crew
            scope team
            scope acme under other
            scope p under p
            scope self under self
            scope x under nowhere
            scope third kind organisation
        ",
        expect![[r#"
            > scope team under p kind team
              scope team under p of acme depth 3 `team`
              acme#4 ScopePut by root at 0s: scope team under p of acme depth 3 `team`
            > scope team under p kind team
              scope team under p of acme depth 3 `team`
            > scope team under p kind crew
              scope team under p of acme depth 3 `crew`
              acme#5 ScopePut by root at 0s: scope team under p of acme depth 3 `crew`
            > scope team under q kind crew
              DENIED immutable parent
            > scope team
              DENIED immutable parent
            > scope acme under other
              DENIED immutable parent
            > scope p under p
              DENIED immutable parent
            > scope self under self
              DENIED unknown_scope self
            > scope x under nowhere
              DENIED unknown_scope nowhere
            > scope third kind organisation
              scope third of third depth 1 `organisation`
              third#1 ScopePut by root at 0s: scope third of third depth 1 `organisation`
        "#]],
    );
}

/// A tree is eight scopes deep.
#[test]
fn depth() {
    check(
        "
            scope s3 under p
            scope s4 under s3
            scope s5 under s4
            scope s6 under s5
            scope s7 under s6
            scope s8 under s7
            scope s9 under s8
            scope s8 under s7 kind leaf
            limit acme vm/disk 1
            reserve r1 s8 vm/disk 1 commit
            reserve r2 s3 vm/disk 1 commit
        ",
        expect![[r#"
            > scope s3 under p
              scope s3 under p of acme depth 3 ``
              acme#4 ScopePut by root at 0s: scope s3 under p of acme depth 3 ``
            > scope s4 under s3
              scope s4 under s3 of acme depth 4 ``
              acme#5 ScopePut by root at 0s: scope s4 under s3 of acme depth 4 ``
            > scope s5 under s4
              scope s5 under s4 of acme depth 5 ``
              acme#6 ScopePut by root at 0s: scope s5 under s4 of acme depth 5 ``
            > scope s6 under s5
              scope s6 under s5 of acme depth 6 ``
              acme#7 ScopePut by root at 0s: scope s6 under s5 of acme depth 6 ``
            > scope s7 under s6
              scope s7 under s6 of acme depth 7 ``
              acme#8 ScopePut by root at 0s: scope s7 under s6 of acme depth 7 ``
            > scope s8 under s7
              scope s8 under s7 of acme depth 8 ``
              acme#9 ScopePut by root at 0s: scope s8 under s7 of acme depth 8 ``
            > scope s9 under s8
              DENIED too_deep
            > scope s8 under s7 kind leaf
              scope s8 under s7 of acme depth 8 `leaf`
              acme#10 ScopePut by root at 0s: scope s8 under s7 of acme depth 8 `leaf`
            > limit acme vm/disk 1
              limit acme vm/disk 1 #11 by root at 0s ``
              acme#11 LimitPut by root at 0s: limit acme vm/disk 1 #11 by root at 0s ``
            > reserve r1 s8 vm/disk 1 commit
              r1 committed #12: 1 vm/disk of s8
              acme#12 Reserved by root at 0s: s8 vm/disk 1+0; s7 vm/disk 1+0; s6 vm/disk 1+0; s5 vm/disk 1+0; s4 vm/disk 1+0; s3 vm/disk 1+0; p vm/disk 1+0; acme vm/disk 1+0; r1 committed #12: 1 vm/disk of s8
            > reserve r2 s3 vm/disk 1 commit
              DENIED quota_exceeded
                at acme vm/disk: 1 by limit #11 vm/disk of root ``; used 1 held 0 asked 1, short by 1; 2 would do; fits never
        "#]],
    );
}

/// Principals are made, disabled, enabled and forgotten; nobody locks himself out.
#[test]
fn principals() {
    check(
        "
            create k1 admin everything
            create k2 manager p
            create k1 viewer p
            create k3 admin p
            create k3 viewer nowhere
            create k3 admin nowhere
            disable k2
            disable k2
            enable k2
            disable k9
            delete k9
            delete k2
            create k2 viewer other
            as k2@other disable k2
            as k2@other delete k2
            as k2@other create k4 enforcer acme
            as k2@other create k4 enforcer everything
            as k2@other create k4 enforcer z
        ",
        expect![[r#"
            > create k1 admin everything
              principal k1 admin of everything #6 enabled
              catalogue#6 PrincipalCreated by root at 0s: principal k1 admin of everything #6 enabled
            > create k2 manager p
              principal k2 manager of p #7 enabled
              catalogue#7 PrincipalCreated by root at 0s: principal k2 manager of p #7 enabled
            > create k1 viewer p
              DENIED id_conflict
            > create k3 admin p
              DENIED role_too_wide
            > create k3 viewer nowhere
              DENIED unknown_scope nowhere
            > create k3 admin nowhere
              DENIED unknown_scope nowhere
            > disable k2
              principal k2 manager of p #8 disabled
              catalogue#8 PrincipalChanged by root at 0s: principal k2 manager of p #8 disabled
            > disable k2
              principal k2 manager of p #8 disabled
            > enable k2
              principal k2 manager of p #9 enabled
              catalogue#9 PrincipalChanged by root at 0s: principal k2 manager of p #9 enabled
            > disable k9
              DENIED not_found
            > delete k9
              DENIED not_found
            > delete k2
              gone
              catalogue#10 PrincipalDeleted by root at 0s: no principal k2
            > create k2 viewer other
              principal k2 viewer of other #11 enabled
              catalogue#11 PrincipalCreated by root at 0s: principal k2 viewer of other #11 enabled
            > as k2@other disable k2
              DENIED own_principal
            > as k2@other delete k2
              DENIED own_principal
            > as k2@other create k4 enforcer acme
              DENIED unknown_scope acme
            > as k2@other create k4 enforcer everything
              DENIED role_too_wide
            > as k2@other create k4 enforcer z
              principal k4 enforcer of z #12 enabled
              catalogue#12 PrincipalCreated by k2 at 0s: principal k4 enforcer of z #12 enabled
        "#]],
    );
}

/// A limit is set where what is there is what the caller believed to be there.
#[test]
fn compare_and_set() {
    check(
        "
            limit p vm/image 1 if 4
            limit p vm/image 1
            limit p vm/image 2 if 5
            limit p vm/image 2 if 4
            limit p vm/image 3 if 4
            unlimit p vm/image if 4
            unlimit p vm/image if 5
            unlimit p vm/image if 5
            limit p vm/image 1 if 5
            limit p vm/image@FRA-A 1
            limit p vm/image 1 if 7 # another location, another limit
        ",
        expect![[r#"
            > limit p vm/image 1 if 4
              DENIED precondition_failed nothing is there
            > limit p vm/image 1
              limit p vm/image 1 #4 by root at 0s ``
              acme#4 LimitPut by root at 0s: limit p vm/image 1 #4 by root at 0s ``
            > limit p vm/image 2 if 5
              DENIED precondition_failed it is 4
            > limit p vm/image 2 if 4
              limit p vm/image 2 #5 by root at 0s ``
              acme#5 LimitPut by root at 0s: limit p vm/image 2 #5 by root at 0s ``
            > limit p vm/image 3 if 4
              DENIED precondition_failed it is 5
            > unlimit p vm/image if 4
              DENIED precondition_failed it is 5
            > unlimit p vm/image if 5
              gone
              acme#6 LimitDeleted by root at 0s: no limit p vm/image
            > unlimit p vm/image if 5
              DENIED not_found
            > limit p vm/image 1 if 5
              DENIED precondition_failed nothing is there
            > limit p vm/image@FRA-A 1
              limit p vm/image@FRA-A 1 #7 by root at 0s ``
              acme#7 LimitPut by root at 0s: limit p vm/image@FRA-A 1 #7 by root at 0s ``
            > limit p vm/image 1 if 7
              DENIED precondition_failed nothing is there
        "#]],
    );
}

/// To set what is set changes nothing; another reason or another hand does.
#[test]
fn set_again() {
    check(
        "
            limit p vm/image 2 because contract
            at 9s limit p vm/image 2 because contract
            limit p vm/image 2 because goodwill
            as mia@acme limit p vm/image 2 because goodwill
        ",
        expect![[r#"
            > limit p vm/image 2 because contract
              limit p vm/image 2 #4 by root at 0s `contract`
              acme#4 LimitPut by root at 0s because `contract`: limit p vm/image 2 #4 by root at 0s `contract`
            > at 9s limit p vm/image 2 because contract
              limit p vm/image 2 #4 by root at 0s `contract`
            > limit p vm/image 2 because goodwill
              limit p vm/image 2 #5 by root at 9s `goodwill`
              acme#5 LimitPut by root at 9s because `goodwill`: limit p vm/image 2 #5 by root at 9s `goodwill`
            > as mia@acme limit p vm/image 2 because goodwill
              limit p vm/image 2 #6 by mia at 9s `goodwill`
              acme#6 LimitPut by mia at 9s because `goodwill`: limit p vm/image 2 #6 by mia at 9s `goodwill`
        "#]],
    );
}
