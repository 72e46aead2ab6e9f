//! A plain reservation is written as any other.

use plimsoll_core::event::{Change, Log};

use super::*;
use crate::record::{RecordWriter, Sealed};
use crate::testing::Dice;

#[test]
fn what_is_plain_has_the_columns_that_it_has_when_it_is_read() {
    let mut dice = Dice(31);
    let mut plain = 0;
    for _ in 0..4_000 {
        let row = dice.reservation();
        let is_plain =
            row.lines.len() == 1 && row.original.is_none() && row.attributes.iter().len() == 0;
        let mut event = dice.event(Log::Catalogue, 1);
        event.changes = vec![Change::Reservation(row.clone().into())];
        let mut writer = RecordWriter::new(1, &[0; 32]);
        writer.push(&event, &[0; 32]);
        let (bytes, _) = writer.finish();
        let shown = Sealed::check(&bytes).expect("a record").outline(|_, rows| {
            let found = rows[0].plain_reservation().expect("a reservation");
            assert_eq!(found.is_some(), is_plain, "{row:?}");
            let Some(found) = found else { return };
            let columns = Columns::of_plain(&found).unwrap_or_else(|_| panic!("{row:?}"));
            assert_eq!(columns, Columns::of(&row).expect("columns"));
            plain += 1;
        });
        shown.expect("an outline");
    }
    assert!(100 < plain, "{plain}");
}
