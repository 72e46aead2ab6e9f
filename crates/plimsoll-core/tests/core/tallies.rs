//! What was refused is counted by the server, and added up every few seconds.

use expect_test::expect;

use crate::script::check;

/// Refusals are added up where they are counted; what is of no such tenant is left out.
#[test]
fn refusals_counted() {
    check(
        "
            refused acme p vm/disk 3 acme vm/disk 1 p vm/disk 2
            at 5s refused acme q vm/image@FRA-A 1 z vm/disk 7 nowhere vm/disk 7 q vm/disk 0
            refused acme z vm/disk 7
            refused p p vm/disk 1
            refused nowhere p vm/disk 1
            refused acme
            as eve@other refused acme p vm/disk 1
            quotas p vm/disk
            limit p vm/disk 0 warn
            reserve r1 p vm/disk 1 commit
            refused acme p vm/disk 1
            quotas p vm/disk
        ",
        expect![[r#"
            > refused acme p vm/disk 3 acme vm/disk 1 p vm/disk 2
              counted
              acme#4 RefusalsCounted by root at 0s: acme vm/disk refused 1 warned 0 observed 0 last at 0s; p vm/disk refused 5 warned 0 observed 0 last at 0s
            > at 5s refused acme q vm/image@FRA-A 1 z vm/disk 7 nowhere vm/disk 7 q vm/disk 0
              counted
              acme#5 RefusalsCounted by root at 5s: q vm/image@FRA-A refused 1 warned 0 observed 0 last at 5s
            > refused acme z vm/disk 7
              counted
            > refused p p vm/disk 1
              counted
            > refused nowhere p vm/disk 1
              counted
            > refused acme
              counted
            > as eve@other refused acme p vm/disk 1
              counted
            > quotas p vm/disk
              vm/disk count: unlimited used 0 held 0, available unlimited, over by 0 refused 5 warned 0 observed 0 last at 0s
                unlimited by default at p, leaves unlimited
            > limit p vm/disk 0 warn
              limit p vm/disk 0 that warns #6 by root at 5s ``
              acme#6 LimitPut by root at 5s: limit p vm/disk 0 that warns #6 by root at 5s ``
            > reserve r1 p vm/disk 1 commit
              r1 committed #7: 1 vm/disk of p
                WARNED at p vm/disk: 0 that warns by limit #6 vm/disk of root ``; used 0 held 0 asked 1, short by 1; 1 would do; fits never
              acme#7 Reserved by root at 5s past p vm/disk that warns: p vm/disk 1+0; acme vm/disk 1+0; r1 committed #7: 1 vm/disk of p; p vm/disk refused 5 warned 1 observed 0 last at 5s
            > refused acme p vm/disk 1
              counted
              acme#8 RefusalsCounted by root at 5s: p vm/disk refused 6 warned 1 observed 0 last at 5s
            > quotas p vm/disk
              vm/disk count: 0 that warns used 1 held 0, available unlimited, over by 1 refused 6 warned 1 observed 0 last at 5s
                unlimited by default at p, leaves unlimited
                0 that warns by limit #6 vm/disk of root `` at p, leaves 0
        "#]],
    );
}
