//! Every denial has a scenario that produces it.

use plimsoll_core::bounds::{LOCATIONS_MAX, RESOURCES_MAX};
use plimsoll_core::outcome::{Denial, Outcome};

use crate::script::last;

/// One row per variant, and a match over all of them: a variant without a row does not compile,
/// and a row whose scenario does not produce it fails.
macro_rules! denials {
    ($($pattern:pat => $scenario:expr,)+) => {
        /// The scenario whose last command is denied like this.
        fn scenario(denial: &Denial) -> String {
            match denial {
                $($pattern => $scenario.into(),)+
            }
        }

        const PATTERNS: &[(&str, fn(&Denial) -> bool)] = &[
            $((stringify!($pattern), |denial| matches!(denial, $pattern)),)+
        ];

        fn scenarios() -> Vec<String> {
            vec![$($scenario.into(),)+]
        }
    };
}

denials! {
    Denial::UnknownScope(_) => "reserve r1 nowhere vm/disk 1 commit",
    Denial::UnknownResource(_) => "reserve r1 p vm/nothing 1 commit",
    Denial::UnknownLocation(_) => "reserve r1 p vm/image@MOON 1 commit",
    Denial::LocationRequired(_) => "reserve r1 p vm/image 1 commit",
    Denial::LocationNotApplicable(_) => "reserve r1 p vm/disk@FRA-A 1 commit",
    Denial::UnknownTier(_) => "scope p under acme tier gold",
    Denial::NotFound => "commit r1",
    Denial::IdConflict => "reserve r1 p vm/disk 1 commit\n reserve r1 p vm/disk 2 commit",
    Denial::StateConflict { .. } => "
        reserve r1 p vm/disk 1 commit
        release r1
        commit r1
    ",
    Denial::NotAdjustable(_) => "resource vm/disk default 1 fixed\n submit q1 p vm/disk 2",
    Denial::NotAnIncrease { .. } => "submit q1 p vm/image 3",
    Denial::RequestPending(_) => "submit q1 p vm/image 4\n submit q2 p vm/image 5",
    Denial::EndsInThePast => "at 10s limit p vm/disk 1 until 10s",
    Denial::NotAPart => "reserve r1 p vm/disk 1 commit\n release r1 vm/disk 2",
    Denial::OtherTenant => "reserve r1 p vm/disk 1 commit\n transfer r1 to z",
    Denial::PreconditionFailed { .. } => "limit p vm/disk 1 if 7",
    Denial::Immutable { .. } => "resource vm/disk per-location default 1",
    Denial::TooDeep => (3..=9).fold(String::from("scope s2 under acme"), |made, depth| {
        format!("{made}\n scope s{depth} under s{}", depth - 1)
    }),
    Denial::TooMany { .. } => (0..=LOCATIONS_MAX).fold(String::new(), |made, number| {
        format!("{made}\n location x{number}")
    }),
    Denial::RoleTooWide => "create k1 admin p",
    Denial::OwnPrincipal => "create root admin everything\n disable root",
    Denial::QuotaExceeded(_) => "reserve r1 p net/ip 1 commit",
}

#[test]
fn every_denial_is_produced_by_its_scenario() {
    let mut codes = Vec::new();
    for ((pattern, is_it), told) in PATTERNS.iter().zip(scenarios()) {
        let outcome = last(&told);
        let Outcome::Denied(denial) = outcome else {
            panic!("{pattern}: {outcome:?}");
        };
        assert!(is_it(&denial), "{pattern}: {denial:?}");
        assert_eq!(scenario(&denial), told);
        codes.push(denial.code());
    }
    let count = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!((codes.len(), count), (22, 22), "one code each: {codes:?}");
}

/// The catalogue is full at its bound and not before; what is there may still be changed.
#[test]
fn the_catalogue_is_bounded() {
    let check = |there: usize, max: usize, put: &dyn Fn(usize) -> String| {
        let put_all = |count| (there..count).map(put).collect::<Vec<_>>().join("\n");
        assert!(matches!(last(&put_all(max)), Outcome::Done(_)));
        assert_eq!(
            last(&put_all(max + 1)),
            Outcome::Denied(Denial::TooMany { max })
        );
        put_all(max)
    };
    let full = check(3, RESOURCES_MAX, &|number| {
        format!("resource many/x{number} default 0")
    });
    let changed = last(&(full + "\n resource vm/disk default 1"));
    assert!(matches!(changed, Outcome::Done(_)));
    let full = check(2, LOCATIONS_MAX, &|number| format!("location x{number}"));
    let changed = last(&(full + "\n location FRA-A named Frankfurt"));
    assert!(matches!(changed, Outcome::Done(_)));
}
