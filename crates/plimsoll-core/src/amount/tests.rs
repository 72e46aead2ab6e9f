use super::*;

#[test]
fn amounts_end_where_doubles_do() {
    assert_eq!(Amount::new(AMOUNT_MAX), Some(Amount::MAX));
    assert_eq!(Amount::new(AMOUNT_MAX + 1), None);
    assert_eq!(Amount::MAX.plus(Amount(1)), None);
    assert_eq!(Amount::ZERO.minus(Amount(1)), None);
    assert_eq!(Amount(3).minus(Amount(1)), Some(Amount(2)));
    assert_eq!(Amount(3).minus_or_zero(Amount(5)), Amount::ZERO);
    assert_eq!(Amount::MAX.plus_or_max(Amount(5)), Amount::MAX);
}

#[test]
fn instants_end_with_the_year_9999() {
    assert_eq!(Timestamp::from_ms(TIMESTAMP_MS_MAX + 1), None);
    assert_eq!(Timestamp(5).after_ms(u64::MAX), Timestamp(TIMESTAMP_MS_MAX));
    assert_eq!(Timestamp(5).after_ms(7), Timestamp(12));
}
