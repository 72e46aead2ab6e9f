//! The rate of one principal.

use super::*;

#[test]
fn admits_a_burst_of_one_second_and_then_the_rate() {
    let throttle = Throttle::new(2);
    let principal = PrincipalId::parse("p").unwrap();
    let at = |ms| Timestamp::from_ms(ms).unwrap();
    let admitted = |ms, tries| {
        (0..tries)
            .filter(|_| throttle.admits(&principal, at(ms)))
            .count()
    };
    assert_eq!(admitted(10_000, 50), 2);
    assert_eq!(admitted(10_499, 50), 0);
    assert_eq!(admitted(10_500, 50), 1);
    assert_eq!(admitted(60_000, 50), 2);
    let other = PrincipalId::parse("q").unwrap();
    assert!(
        throttle.admits(&other, at(60_000)),
        "each principal has its own meter"
    );
    assert!(Throttle::new(0).admits(&principal, at(0)));
}
