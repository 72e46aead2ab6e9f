//! A round of the follower: some records, one behind the other, of which only what they leave is
//! written.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry as Slot;
use plimsoll_core::event::Head;
use rusqlite::Transaction;

mod reservations;

pub(super) use reservations::Room;

use reservations::Reservations;

use super::fill::GivesUp;
use super::history_schema::{Entry, PastKey, Records};
use super::ledger::{self, Watermark};
use super::rows::RowError;
use super::values::Appender;
use crate::record::{EventOutline, Hash, KeptRecords, RowKey, RowOutline, Sealed, chained};
use crate::tables::LogHead;

/// Writes what some records have changed, and that the tables then hold what they hold: up to
/// `end`, which is behind the last of them.
///
/// Errors: also where the round is given up.
pub(super) fn write(
    transaction: &Transaction<'_>,
    records: &KeptRecords,
    room: &mut Room,
    mut end: Watermark,
    gives_up: &GivesUp,
) -> Result<(), RowError> {
    let sequence = end.place.sequence;
    let mut round = Round {
        transaction,
        logs: HashMap::new(),
        reservations: Reservations::within(std::mem::take(room)),
        others: HashMap::new(),
    };
    for record in records.iter() {
        gives_up.check()?;
        round.take(&record)?;
    }
    let reservations = round.reservations.last_of_each();
    ledger::put_reservations(transaction, &mut end.tally, reservations)?;
    *room = round.reservations.leave();
    // In the order of the tables: a page is then written once, and not for each of its rows.
    let mut appender = Appender::new(transaction, sequence)?;
    let rows = round.others.values();
    let mut rows: Vec<(u128, &RowOutline<'_>)> = rows.map(|row| (row.key.prefix(), row)).collect();
    rows.sort_unstable_by_key(|(prefix, row)| (*prefix, row.key));
    for (_, row) in rows {
        match PastKey::of_row(row) {
            Some(key) => {
                ledger::put_with_past(transaction, &mut end.tally, row, &key, &mut appender)?;
            }
            None => ledger::put(transaction, &mut end.tally, row)?,
        }
    }
    let mut logs: Vec<(&str, LogRound)> = round.logs.into_iter().collect();
    logs.sort_unstable_by_key(|(tenant, _)| *tenant);
    for (tenant, log) in logs {
        ledger::put_log(transaction, &mut end.tally, tenant, &log.head, log.replaced)?;
        log.entry(sequence).put(transaction, tenant)?;
    }
    ledger::put_watermark(transaction, end)?;
    Ok(())
}

/// What the records so far leave.
struct Round<'a> {
    transaction: &'a Transaction<'a>,
    logs: HashMap<&'a str, LogRound>,
    reservations: Reservations<'a>,
    /// All other rows.
    others: HashMap<RowKey<'a>, RowOutline<'a>>,
}

/// What the records so far leave of a log.
struct LogRound {
    head: LogHead,
    /// The checksum of the row that said where it stood before.
    replaced: Option<u32>,
    first: Head,
    /// Those before the last one that has events of this log.
    records: Records,
    /// Where the last but one of them is; 0 where there is none.
    before: u64,
    /// The last one, and how many events it has so far.
    last: (u64, u64),
}

impl<'a> Round<'a> {
    fn take(&mut self, record: &Sealed<'a>) -> Result<(), RowError> {
        let mut taken = Ok(());
        let shown = record.outline(|event, rows| {
            if taken.is_ok() {
                taken = self.take_event(record.sequence, &event);
            }
            for row in rows {
                match row.key.of_reservation() {
                    Some([tenant, id]) => self.reservations.push(tenant, id, *row),
                    None => {
                        self.others.insert(row.key, *row);
                    }
                }
            }
        });
        shown.map_err(|damage| RowError::Value(damage.what))?;
        Ok(taken?)
    }

    fn take_event(&mut self, sequence: u64, event: &EventOutline<'a>) -> rusqlite::Result<()> {
        let log = match self.logs.entry(event.log) {
            Slot::Occupied(slot) => slot.into_mut(),
            Slot::Vacant(slot) => {
                let stored = ledger::log_chain(self.transaction, event.log)?;
                slot.insert(LogRound::new(stored, sequence, event.head))
            }
        };
        log.take(sequence, event);
        Ok(())
    }
}

impl LogRound {
    fn new(stored: Option<(Hash, u32)>, sequence: u64, first: Head) -> Self {
        let (chain, replaced) = stored.unzip();
        Self {
            head: LogHead {
                head: Head::default(),
                chain: chain.unwrap_or_default(),
            },
            replaced,
            first,
            records: Records::default(),
            before: 0,
            last: (sequence, 0),
        }
    }

    fn take(&mut self, sequence: u64, event: &EventOutline<'_>) {
        self.head = LogHead {
            head: event.head,
            chain: chained(&self.head.chain, event.bytes),
        };
        if self.last.0 != sequence {
            self.end_record();
            self.last = (sequence, 0);
        }
        self.last.1 += 1;
    }

    fn end_record(&mut self) {
        let (sequence, count) = self.last;
        self.records.push(sequence - self.before, count);
        self.before = sequence;
    }

    /// What the index says of it, in a round with this last record.
    fn entry(mut self, sequence: u64) -> Entry {
        self.end_record();
        Entry {
            first: self.first,
            sequence,
            records: self.records,
        }
    }
}
