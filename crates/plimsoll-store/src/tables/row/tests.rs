//! What was packed comes back as it was.

use super::*;
use crate::testing::Dice;

#[test]
fn a_row_is_unpacked_as_it_was_packed() {
    let mut names = Names::default();
    for seed in 0..2_000 {
        let row = Dice(seed).reservation();
        let packed = Row::pack(
            &row,
            row.id.clone(),
            names.tenants.given(&row.tenant),
            &mut names,
        );
        assert_eq!(packed.state(), row.state, "seed {seed}");
        assert_eq!(packed.unpack(&names), row, "seed {seed}");
    }
}

/// A reservation of one line, as most are: what the table in `reservations` says.
#[test]
fn a_row_has_eighty_bytes() {
    assert_eq!(size_of::<Option<Row>>(), 80);
}
