//! From the records of a journal back to the rows: each record where it belongs, every event
//! applied, and rows that do not contradict each other.

use std::fmt;

use plimsoll_core::invariants;
use plimsoll_core::model::Account;
use plimsoll_core::names::ScopeId;
use plimsoll_core::outcome::Breach;
use plimsoll_core::rows::Rows;

use crate::record::{Damage, Hash, Record, RecordWriter, Sealed, chained};
use crate::tables::Tables;

/// A place in the journal: behind the record of this sequence and hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub(crate) sequence: u64,
    pub(crate) hash: Hash,
}

/// Why bytes are not the record that comes next, or rows are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The bytes are none that were written.
    Damaged(Damage),
    /// They were written for another place in the journal, or after another record.
    Elsewhere(&'static str),
    /// An event does not follow on the one before in its log.
    Event(Breach),
    /// The rows contradict each other.
    Rows(Breach),
    /// The accounts are not the sums of the reservations.
    Accounts(String),
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::Damaged(damage) => damage.fmt(f),
            Misfit::Elsewhere(what) => f.write_str(what),
            Misfit::Event(breach) | Misfit::Rows(breach) => breach.fmt(f),
            Misfit::Accounts(what) => f.write_str(what),
        }
    }
}

impl From<Damage> for Misfit {
    fn from(damage: Damage) -> Self {
        Misfit::Damaged(damage)
    }
}

impl Place {
    /// The place behind a record.
    pub(crate) fn behind(record: &Record) -> Self {
        Self {
            sequence: record.sequence,
            hash: record.hash,
        }
    }

    /// Starts the record that follows.
    pub fn next_record(&self) -> RecordWriter {
        RecordWriter::new(self.sequence + 1, &self.hash)
    }

    /// The place behind the record that follows, once it has this hash.
    #[must_use]
    pub fn next(&self, hash: Hash) -> Self {
        Self {
            sequence: self.sequence + 1,
            hash,
        }
    }

    /// Checks that bytes which stand in the journal as record `sequence` are the one that follows.
    pub(crate) fn follow<'a>(&self, sequence: u64, bytes: &'a [u8]) -> Result<Sealed<'a>, Misfit> {
        let record = stands_at(sequence, bytes)?;
        if sequence != self.sequence + 1 {
            return Err(Misfit::Elsewhere("the record before it is missing"));
        }
        if record.previous != self.hash {
            let what = "it does not follow on the record before it";
            return Err(Misfit::Elsewhere(what));
        }
        Ok(record)
    }
}

/// Checks that bytes are the record that was written for a place.
pub(crate) fn stands_at(sequence: u64, bytes: &[u8]) -> Result<Sealed<'_>, Misfit> {
    let record = Sealed::check(bytes)?;
    if record.sequence == sequence {
        Ok(record)
    } else {
        let what = "the record was written for another place";
        Err(Misfit::Elsewhere(what))
    }
}

/// Applies the events of a record, and answers the place behind it.
pub(crate) fn apply(record: Record, tables: &mut Tables) -> Result<Place, Misfit> {
    let place = Place::behind(&record);
    for (event, bytes) in record.events {
        let chain = chained(&tables.log(&event.log).chain, &bytes);
        tables.apply(event, chain).map_err(Misfit::Event)?;
    }
    Ok(place)
}

/// The rows that a whole journal makes, from its first record on, and its end.
///
/// Errors: the first thing that is wrong.
pub fn replay<'a>(
    records: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Tables, Place), (u64, Misfit)> {
    let mut tables = Tables::default();
    let mut place = Place::default();
    for bytes in records {
        let sequence = place.sequence + 1;
        let sealed = place.follow(sequence, bytes);
        let record = sealed.and_then(|sealed| Ok(sealed.read()?));
        place = record
            .and_then(|record| apply(record, &mut tables))
            .map_err(|misfit| (sequence, misfit))?;
    }
    check(&tables).map_err(|misfit| (place.sequence, misfit))?;
    Ok((tables, place))
}

/// Makes sure that rows which were loaded do not contradict each other.
pub(crate) fn check(tables: &Tables) -> Result<(), Misfit> {
    let reservations = tables.reservations();
    let own = reservations.own().into_iter();
    let expected = invariants::accounts_of(tables, own).map_err(Misfit::Rows)?;
    for ((scope, item), account) in &expected {
        let found = tables.account(scope, item);
        if found == Account::default() {
            return Err(Misfit::Accounts("an account is missing".to_owned()));
        }
        if found != *account {
            return Err(not_the_sum(scope));
        }
    }
    let is_something = |account: Account| account != Account::default();
    let found = || tables.accounts().filter(|it| is_something(it.2));
    if found().count() == expected.len() {
        return Ok(());
    }
    let stray = found().find(|(scope, item, _)| !expected.contains_key(&(*scope, *item)));
    Err(match stray {
        Some((scope, ..)) => not_the_sum(scope),
        None => Misfit::Accounts("an account is there twice".to_owned()),
    })
}

fn not_the_sum(scope: &ScopeId) -> Misfit {
    Misfit::Accounts(format!(
        "the account of `{scope}` is not the sum of its reservations"
    ))
}
