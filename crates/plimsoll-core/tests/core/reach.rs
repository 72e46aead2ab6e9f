//! What one may not see does not exist.

use expect_test::expect;
use plimsoll_core::model::Reach;
use plimsoll_core::report::QuotaFilter;

use crate::script::{check, run};
use crate::world::{START, scope};

/// Another tenant's scope is answered like one that does not exist.
#[test]
fn another_tenant() {
    check(
        "
            reserve r1 p vm/image@FRA-A 1 hold 300s
            as eve@other reserve r1 p vm/image@FRA-A 1 hold 300s
            as eve@other reserve r9 nowhere vm/image@FRA-A 1 hold 300s
            as eve@other commit r1
            as eve@other commit r1 of nowhere
            as eve@other release r1
            as eve@other expire acme
            as eve@other expire nowhere
            as eve@other limit p vm/image 0
            as eve@other limit p vm/nothing 0
            as eve@other unlimit p vm/image
            as eve@other scope x under p
            as eve@other scope x under nowhere
            as eve@other reserve r1 z vm/image@FRA-A 1 commit
            as eve@other commit r1 of other
            as eve@other scope acme
            as eve@other scope acme kind x
            as eve@other scope nowhere
            as eve@other scope p under other
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 1 hold 300s
              r1 held until 300s #4: 1 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+1; r1 held until 300s #4: 1 vm/image@FRA-A of p
            > as eve@other reserve r1 p vm/image@FRA-A 1 hold 300s
              DENIED unknown_scope p
            > as eve@other reserve r9 nowhere vm/image@FRA-A 1 hold 300s
              DENIED unknown_scope nowhere
            > as eve@other commit r1
              DENIED unknown_scope acme
            > as eve@other commit r1 of nowhere
              DENIED unknown_scope nowhere
            > as eve@other release r1
              DENIED unknown_scope acme
            > as eve@other expire acme
              DENIED unknown_scope acme
            > as eve@other expire nowhere
              DENIED unknown_scope nowhere
            > as eve@other limit p vm/image 0
              DENIED unknown_scope p
            > as eve@other limit p vm/nothing 0
              DENIED unknown_scope p
            > as eve@other unlimit p vm/image
              DENIED unknown_scope p
            > as eve@other scope x under p
              DENIED unknown_scope p
            > as eve@other scope x under nowhere
              DENIED unknown_scope nowhere
            > as eve@other reserve r1 z vm/image@FRA-A 1 commit
              r1 committed #3: 1 vm/image@FRA-A of z
              other#3 Reserved by eve at 0s: z vm/image@FRA-A 1+0; other vm/image@FRA-A 1+0; r1 committed #3: 1 vm/image@FRA-A of z
            > as eve@other commit r1 of other
              r1 committed #3: 1 vm/image@FRA-A of z
            > as eve@other scope acme
              DENIED role_too_wide
            > as eve@other scope acme kind x
              DENIED role_too_wide
            > as eve@other scope nowhere
              DENIED role_too_wide
            > as eve@other scope p under other
              DENIED role_too_wide
        "#]],
    );
}

/// So is a sibling project's, within one tenant, and what is above.
#[test]
fn a_sibling() {
    check(
        "
            reserve r1 p vm/image@FRA-A 1 hold 300s
            as sam@q reserve r1 p vm/image@FRA-A 1 hold 300s
            as sam@q commit r1
            as sam@q commit r1 of p
            as sam@q commit r1 of q # the id is taken, and not to be seen
            as sam@q release r1 of q
            as sam@q expire acme
            as sam@q limit p vm/image 9
            as sam@q limit acme vm/image 9
            as sam@q unlimit acme vm/image
            as sam@q scope x under acme
            as sam@q scope acme
            as sam@q scope p under q
            as sam@q reserve r1 q vm/image@FRA-A 1 hold 300s # the id is taken
        ",
        expect![[r#"
            > reserve r1 p vm/image@FRA-A 1 hold 300s
              r1 held until 300s #4: 1 vm/image@FRA-A of p
              acme#4 Reserved by root at 0s: p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+1; r1 held until 300s #4: 1 vm/image@FRA-A of p
            > as sam@q reserve r1 p vm/image@FRA-A 1 hold 300s
              DENIED unknown_scope p
            > as sam@q commit r1
              DENIED unknown_scope acme
            > as sam@q commit r1 of p
              DENIED unknown_scope p
            > as sam@q commit r1 of q
              DENIED not_found
            > as sam@q release r1 of q
              DENIED not_found
            > as sam@q expire acme
              DENIED unknown_scope acme
            > as sam@q limit p vm/image 9
              DENIED unknown_scope p
            > as sam@q limit acme vm/image 9
              DENIED unknown_scope acme
            > as sam@q unlimit acme vm/image
              DENIED unknown_scope acme
            > as sam@q scope x under acme
              DENIED unknown_scope acme
            > as sam@q scope acme
              DENIED role_too_wide
            > as sam@q scope p under q
              DENIED role_too_wide
            > as sam@q reserve r1 q vm/image@FRA-A 1 hold 300s
              DENIED id_conflict
        "#]],
    );
}

/// A reach covers its scope and everything below.
#[test]
fn oneself_and_below() {
    check(
        "
            as pat@acme scope team under p
            scope team under p
            as pat@p reserve r1 team vm/image@FRA-A 1 hold 300s
            as pat@p commit r1 of p
            as pat@p limit p vm/image 1
            as pat@p limit team vm/image 1
            as pat@p scope team under p kind team
            as pat@p scope p under acme kind project # above it there is nothing
            as pat@p scope job under team
            as pat@acme scope acme kind organisation
            as pat@acme expire acme
            as pat@p release r1 of team
        ",
        expect![[r#"
            > as pat@acme scope team under p
              DENIED role_too_wide
            > scope team under p
              scope team under p of acme depth 3 ``
              acme#4 ScopePut by root at 0s: scope team under p of acme depth 3 ``
            > as pat@p reserve r1 team vm/image@FRA-A 1 hold 300s
              r1 held until 300s #5: 1 vm/image@FRA-A of team
              acme#5 Reserved by pat at 0s: team vm/image@FRA-A 0+1; p vm/image@FRA-A 0+1; acme vm/image@FRA-A 0+1; r1 held until 300s #5: 1 vm/image@FRA-A of team
            > as pat@p commit r1 of p
              r1 committed #6: 1 vm/image@FRA-A of team
              acme#6 Committed by pat at 0s: team vm/image@FRA-A 1+0; p vm/image@FRA-A 1+0; acme vm/image@FRA-A 1+0; r1 committed #6: 1 vm/image@FRA-A of team
            > as pat@p limit p vm/image 1
              limit p vm/image 1 #7 by pat at 0s ``
              acme#7 LimitPut by pat at 0s: limit p vm/image 1 #7 by pat at 0s ``
            > as pat@p limit team vm/image 1
              limit team vm/image 1 #8 by pat at 0s ``
              acme#8 LimitPut by pat at 0s: limit team vm/image 1 #8 by pat at 0s ``
            > as pat@p scope team under p kind team
              scope team under p of acme depth 3 `team`
              acme#9 ScopePut by pat at 0s: scope team under p of acme depth 3 `team`
            > as pat@p scope p under acme kind project
              DENIED unknown_scope acme
            > as pat@p scope job under team
              DENIED role_too_wide
            > as pat@acme scope acme kind organisation
              scope acme of acme depth 1 `organisation`
              acme#10 ScopePut by pat at 0s: scope acme of acme depth 1 `organisation`
            > as pat@acme expire acme
              0 lapsed
            > as pat@p release r1 of team
              r1 released at 0s #11: 1 vm/image@FRA-A of team
              acme#11 Released by pat at 0s: team vm/image@FRA-A 0+0; p vm/image@FRA-A 0+0; acme vm/image@FRA-A 0+0; r1 released at 0s #11: 1 vm/image@FRA-A of team
        "#]],
    );
}

/// Readers see no further than anybody else.
#[test]
fn reports() {
    let bench = run("");
    let quotas = |top: &str, of: &str| {
        let reach = Reach::Below(scope(top));
        bench
            .quotas(&reach, &scope(of), &QuotaFilter::default(), START)
            .len()
    };
    assert_eq!(quotas("p", "p"), 4);
    assert_eq!(quotas("acme", "p"), 4);
    assert_eq!(quotas("q", "p"), 0);
    assert_eq!(quotas("other", "p"), 0);
    assert_eq!(quotas("p", "acme"), 0);
}
