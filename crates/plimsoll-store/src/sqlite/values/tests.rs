use std::cell::Cell;
use std::collections::BTreeMap;

use plimsoll_core::amount::Amount;
use plimsoll_core::event::Change;
use plimsoll_core::model::{Account, Item};
use plimsoll_core::names::{ResourceName, ScopeId};

use super::super::history_schema;
use super::*;
use crate::record::change_bytes;

/// Numbers without a pattern, the same ones each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// An account, as a record spells it.
fn account(scope: u64, used: u64) -> Vec<u8> {
    let account = Account {
        used: Amount::new(used).expect("an amount"),
        held: Amount::new(0).expect("an amount"),
    };
    change_bytes(&Change::Account {
        scope: ScopeId::parse(&format!("scope-{scope}")).expect("a scope"),
        item: Item {
            resource: ResourceName::parse("vm/disk").expect("a resource"),
            location: None,
        },
        account,
    })
}

fn key_of(change: &[u8]) -> PastKey {
    let row = outline_of_row(change).ok();
    row.and_then(|row| PastKey::of_row(&row)).expect("a key")
}

/// A table of the past, and beside it what it should tell.
struct Written {
    connection: Connection,
    /// Of each scope's account: as it is, and where its past is.
    rows: BTreeMap<u64, (Vec<u8>, Vec<u8>)>,
    /// Of each: the rounds that left it, and how.
    expected: BTreeMap<u64, Vec<(u64, Vec<u8>)>>,
    last: u64,
}

impl Written {
    /// Rounds that change some of the scopes' accounts, each to one of few values: the first scope
    /// in nearly every round, and the last in few.
    fn new(seed: u64, rounds: u64, scopes: u64) -> Self {
        let mut connection = Connection::open_in_memory().expect("a database");
        let made = connection.execute_batch(history_schema::SCHEMA);
        made.expect("the tables");
        let mut dice = Dice(seed);
        let (mut rows, mut expected) = (BTreeMap::new(), BTreeMap::new());
        let mut sequence = 0;
        for _ in 0..rounds {
            sequence += 1 + dice.below(3);
            let transaction = connection.transaction().expect("a transaction");
            let mut appender = Appender::new(&transaction, sequence).expect("the table");
            for scope in 0..scopes {
                if dice.below(1 + scope * scope) != 0 {
                    continue;
                }
                let change = account(scope, dice.below(3));
                let before = rows.remove(&scope).map(|(_, past)| past);
                let past = appender.append(&key_of(&change), &change, before);
                let past = past.expect("a row").to_vec();
                let values: &mut Vec<_> = expected.entry(scope).or_default();
                values.push((sequence, change.clone()));
                rows.insert(scope, (change, past));
            }
            drop(appender);
            transaction.commit().expect("a round");
        }
        Self {
            connection,
            rows,
            expected,
            last: sequence,
        }
    }

    /// The account of a scope as a record up to `end` has left it.
    fn find(&self, scope: u64, end: u64) -> Result<Option<Vec<u8>>, RowError> {
        let (change, past) = &self.rows[&scope];
        self.find_from(scope, change, past, end)
    }

    fn find_from(
        &self,
        scope: u64,
        change: &[u8],
        past: &[u8],
        end: u64,
    ) -> Result<Option<Vec<u8>>, RowError> {
        let key = key_of(&account(scope, 0));
        let look = |number| Value::read(&self.connection, &key, number);
        let tops = Tops::read(&key, past)?;
        let found = tops.find(crc32fast::hash(change), end, look)?;
        Ok(found.map(|value| value.change))
    }

    fn expected(&self, scope: u64, end: u64) -> Option<Vec<u8>> {
        let values = &self.expected[&scope];
        let last = values.iter().rfind(|(sequence, _)| *sequence <= end);
        last.map(|(_, change)| change.clone())
    }

    /// All that is found, where it is right: how many answers were refused.
    fn refused(&self, what: &str) -> usize {
        let mut refused = 0;
        for scope in self.rows.keys() {
            for end in 0..=self.last + 1 {
                match self.find(*scope, end) {
                    Ok(found) => {
                        assert_eq!(found, self.expected(*scope, end), "{what}: {scope} {end}");
                    }
                    Err(_) => refused += 1,
                }
            }
        }
        refused
    }
}

#[test]
fn each_value_is_found_as_of_every_record() {
    for seed in 0..8 {
        let written = Written::new(seed, 40 * seed, 6);
        assert_eq!(written.refused(&format!("seed {seed}")), 0);
    }
}

#[test]
fn what_was_damaged_is_refused_and_never_a_wrong_value() {
    let written = Written::new(11, 60, 4);
    let count: u64 = written
        .connection
        .query_row("SELECT count(*) FROM past", [], |row| row.get(0))
        .expect("a number");
    assert!(100 < count, "{count}");
    let mut refused = 0;
    for number in 1..=count {
        let other = 1 + (number * 7) % count;
        for change in [
            "DELETE FROM past WHERE number = ?1".to_owned(),
            "UPDATE past SET sequence = sequence - 1 WHERE number = ?1".to_owned(),
            "UPDATE past SET earlier = earlier - 1 WHERE number = ?1 AND earlier IS NOT NULL"
                .to_owned(),
            "UPDATE past SET earlier = NULL WHERE number = ?1 AND earlier IS NOT NULL".to_owned(),
            "UPDATE past SET jump = jump - 1 WHERE number = ?1 AND jump IS NOT NULL".to_owned(),
            "UPDATE past SET jump = NULL WHERE number = ?1 AND jump IS NOT NULL".to_owned(),
            "UPDATE past SET change = x'05' WHERE number = ?1".to_owned(),
            "UPDATE past SET crc = crc + 1 WHERE number = ?1".to_owned(),
            "UPDATE past SET number = -number WHERE number = ?1".to_owned(),
            format!(
                "UPDATE past SET (sequence, change, earlier, jump, crc) =
                 (SELECT sequence, change, earlier, jump, crc FROM past WHERE number = {other})
                 WHERE number = ?1 AND number <> {other}"
            ),
        ] {
            let begun = written.connection.unchecked_transaction();
            let _rolled_back = begun.expect("a transaction");
            let changed = written.connection.execute(&change, [number]);
            if changed.expect(&change) != 0 {
                let what = format!("{change}: {number}");
                let found = written.refused(&what);
                assert_ne!(found, 0, "{what}");
                refused += found;
            }
        }
    }
    assert!(5_000 < refused, "{refused}");
}

/// A byte that differs, another row's, none, or one that was right before the row last changed.
#[test]
fn what_leads_to_a_row_is_refused_where_it_is_wrong() {
    let written = Written::new(12, 60, 4);
    let (change, past) = &written.rows[&0];
    let is_refused = |past: &[u8]| {
        let found = (0..=written.last).map(|end| written.find_from(0, change, past, end));
        found.map(|found| found.is_err()).collect::<Vec<_>>()
    };
    assert!(!is_refused(past).contains(&true));
    for index in 0..past.len() {
        for bit in 0..8 {
            let mut wrong = past.clone();
            wrong[index] ^= 1 << bit;
            assert!(!is_refused(&wrong).contains(&false), "{index} {bit}");
        }
    }
    for wrong in [
        &written.rows[&1].1,
        &past[..past.len() - 1],
        &past[..4],
        &[],
    ] {
        assert!(!is_refused(wrong).contains(&false), "{wrong:?}");
    }
    // As a round before the last one left it.
    let earlier = Written::new(12, 59, 4);
    let (earlier_change, earlier_past) = &earlier.rows[&0];
    assert_ne!(earlier_change, change, "another seed is needed");
    assert!(!is_refused(earlier_past).contains(&false));
}

/// What leads to a row was damaged when the row changed: it is not mended by that.
#[test]
fn what_is_damaged_stays_damaged() {
    let mut written = Written::new(13, 20, 2);
    let transaction = written.connection.transaction().expect("a transaction");
    let mut appender = Appender::new(&transaction, 99).expect("the table");
    let (change, past) = &written.rows[&0];
    let mut wrong = past.clone();
    wrong[0] ^= 1;
    for before in [wrong, Vec::new()] {
        let after = appender.append(&key_of(change), change, Some(before.clone()));
        assert_eq!(after.expect("a row"), before);
    }
}

/// Steps grow as the logarithm of the values, and so does what the row says.
#[test]
fn few_values_are_looked_at() {
    const COUNT: u64 = 300_000;
    let change = account(1, 1);
    let key = key_of(&change);
    let mut tops = Tops::default();
    let mut links = vec![Links::default()];
    let mut spelled = Vec::new();
    let mut dice = Dice(7);
    for number in 1..=COUNT {
        links.push(tops.push(number));
        if 0 < number % 997 && number != COUNT {
            continue;
        }
        let height = u64::from(number.ilog2()) + 1;
        tops.put(&key, &mut spelled);
        assert!(tops.0.len() as u64 <= height, "{number}");
        assert!(spelled.len() as u64 <= 4 + 4 * height, "{number}");
        let looks = Cell::new(0);
        let look = |number: u64| {
            looks.set(looks.get() + 1);
            Ok(Value {
                sequence: 2 * number,
                change: change.clone(),
                links: links[usize::try_from(number).expect("a place")],
            })
        };
        let near = [0, 1, 2, number - 1, number].map(|near| 2 * near);
        let anywhere = (0..20).map(|_| dice.below(2 * number + 2));
        for end in near.into_iter().chain(anywhere.collect::<Vec<_>>()) {
            looks.set(0);
            let found = tops.find(crc32fast::hash(&change), end, look);
            let found = found.ok().expect("nothing is damaged");
            let expected = (end / 2).min(number) * 2;
            assert_eq!(
                found.map_or(0, |value| value.sequence),
                expected,
                "{number} {end}"
            );
            assert!(looks.get() <= 4 * height, "{number} {end}: {}", looks.get());
        }
    }
}
