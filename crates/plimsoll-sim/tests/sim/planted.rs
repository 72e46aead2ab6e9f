//! Every planted bug is found.

use plimsoll_sim::planted::Bug;
use plimsoll_sim::runner::hunt;

#[test]
fn every_planted_bug_is_found() {
    assert_eq!(Bug::ALL.len(), 4);
    for (name, bug) in Bug::ALL {
        let report = hunt(1, name, *bug);
        assert!(report.is_well, "{}", report.text);
    }
}
