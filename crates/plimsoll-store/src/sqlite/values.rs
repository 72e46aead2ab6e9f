//! The values that a row has had: table `past`, which a round appends to, and how one is found.
//!
//! A value names the one before it, and one that may be long before. The second is that of a
//! skew-binary list (Myers 1983): the values stand in trees of 1, 3, 7, 15, … of them, the newest
//! on top of each, and `jump` leads past a whole tree. Of values without number some dozens are
//! looked at. The row itself names the tops of its trees, so that a value is added without a look
//! at any other: each page of the table is written once, however large it has become.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, params};

use super::history_schema::PastKey;
use super::rows::RowError;
use crate::record::{integers, outline_of_row, put_integer};

/// The bytes of a checksum before the tops.
const CRC_BYTES: usize = 4;

/// The tops of the trees in which a row's values stand, the newest last.
#[derive(Debug, Default)]
pub(super) struct Tops(Vec<Top>);

/// The newest value of a tree.
#[derive(Clone, Copy, Debug)]
struct Top {
    /// How high the tree is: it has two to the power of it, less one, values.
    rank: u64,
    /// Where in `past` it stands.
    number: u64,
}

/// Where values before one stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Links {
    /// The one before it; `None`: there was none.
    earlier: Option<u64>,
    /// The one before its whole tree; `None`: there was none.
    jump: Option<u64>,
}

impl Tops {
    /// Reads what the row says.
    pub(super) fn read(key: &PastKey, bytes: &[u8]) -> Result<Self, RowError> {
        let mut tops = Self::default();
        if tops.take(key, bytes) {
            Ok(tops)
        } else {
            Err(RowError::Value("what leads to a row is damaged"))
        }
    }

    /// Takes what the row says; answers whether it is what was written there.
    fn take(&mut self, key: &PastKey, bytes: &[u8]) -> bool {
        let Some((crc, tops)) = bytes.split_first_chunk::<CRC_BYTES>() else {
            return false;
        };
        let mut numbers = integers(tops);
        let tops = std::iter::from_fn(|| {
            let rank = numbers.next()?;
            let number = numbers.next()?;
            Some(Top { rank, number })
        });
        self.0.clear();
        self.0.extend(tops);
        *crc == checksum_of_tops(key, &bytes[CRC_BYTES..]).to_le_bytes()
    }

    /// Puts them as the row says them.
    fn put(&self, key: &PastKey, bytes: &mut Vec<u8>) {
        bytes.clear();
        bytes.extend_from_slice(&[0; CRC_BYTES]);
        for top in &self.0 {
            put_integer(bytes, top.rank);
            put_integer(bytes, top.number);
        }
        let crc = checksum_of_tops(key, &bytes[CRC_BYTES..]);
        bytes[..CRC_BYTES].copy_from_slice(&crc.to_le_bytes());
    }

    /// Adds a value, newer than all others.
    fn push(&mut self, number: u64) -> Links {
        let earlier = self.newest();
        // Two trees of one height and a value above both make the next higher one.
        let rank = match self.0.as_slice() {
            [.., older, newer] if older.rank == newer.rank => newer.rank + 1,
            _ => 1,
        };
        if 1 < rank {
            self.0.truncate(self.0.len().saturating_sub(2));
        }
        let jump = self.newest();
        self.0.push(Top { rank, number });
        Links { earlier, jump }
    }

    fn newest(&self) -> Option<u64> {
        self.0.last().map(|top| top.number)
    }

    /// The row as a record up to `end` has left it; `None` where none has.
    ///
    /// `crc` is the checksum of the row as it is, and `look` reads a value.
    pub(super) fn find(
        &self,
        crc: u32,
        end: u64,
        look: impl Fn(u64) -> Result<Value, RowError>,
    ) -> Result<Option<Value>, RowError> {
        let newest = self.newest().ok_or(RowError::Value("a row is missing"))?;
        let mut value = look(newest)?;
        if crc32fast::hash(&value.change) != crc {
            return Err(RowError::Value("a row is missing"));
        }
        // All of them come later than `end`.
        while end < value.sequence {
            let Links { earlier, jump } = value.links;
            let Some(earlier) = earlier else {
                return Ok(None);
            };
            let jumped = jump.map(&look).transpose()?;
            let next = match jumped {
                Some(jumped) if jump == Some(earlier) || end < jumped.sequence => jumped,
                Some(_) | None => look(earlier)?,
            };
            if value.sequence <= next.sequence {
                return Err(RowError::Value("a row is out of order"));
            }
            value = next;
        }
        Ok(Some(value))
    }
}

fn checksum_of_tops(key: &PastKey, tops: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&key.0);
    hasher.update(tops);
    hasher.finalize()
}

/// A row as a round left it.
#[derive(Debug)]
pub(super) struct Value {
    /// The last record of the round.
    sequence: u64,
    /// As a record spells it.
    pub(super) change: Vec<u8>,
    links: Links,
}

impl Value {
    /// Reads the value of a row that stands at a number.
    pub(super) fn read(
        connection: &Connection,
        key: &PastKey,
        number: u64,
    ) -> Result<Self, RowError> {
        let select = "SELECT sequence, change, earlier, jump, crc FROM past WHERE number = ?1";
        let found = connection
            .prepare_cached(select)?
            .query_row([number], |row| {
                let value = Self {
                    sequence: row.get(0)?,
                    change: row.get(1)?,
                    links: Links {
                        earlier: row.get(2)?,
                        jump: row.get(3)?,
                    },
                };
                Ok((value, row.get::<_, u32>(4)?))
            });
        let found = found.optional()?;
        let (value, crc) = found.ok_or(RowError::Value("a row is missing"))?;
        if checksum(number, value.sequence, value.links, &value.change) != crc {
            return Err(RowError::Value("a row's checksum does not match"));
        }
        let row = outline_of_row(&value.change).map_err(|damage| RowError::Value(damage.what))?;
        if PastKey::of_row(&row).as_ref() == Some(key) {
            Ok(value)
        } else {
            Err(RowError::Value("a row is another's"))
        }
    }
}

/// Adds what a round leaves to `past`.
pub(super) struct Appender<'a> {
    insert: CachedStatement<'a>,
    /// The last record of the round.
    sequence: u64,
    next: u64,
    /// Those of the last row: their room is used again.
    tops: Tops,
    spelled: Vec<u8>,
}

impl<'a> Appender<'a> {
    /// Begins behind what is there.
    pub(super) fn new(transaction: &'a Transaction<'_>, sequence: u64) -> rusqlite::Result<Self> {
        let last: Option<u64> = transaction
            .prepare_cached("SELECT max(number) FROM past")?
            .query_row([], |row| row.get(0))?;
        Ok(Self {
            insert: transaction
                .prepare_cached("INSERT INTO past VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?,
            sequence,
            next: last.unwrap_or_default() + 1,
            tops: Tops::default(),
            spelled: Vec::new(),
        })
    }

    /// Adds a row in the place of one that said so of its values, `None` where there was none;
    /// answers what the row is to say.
    pub(super) fn append(
        &mut self,
        key: &PastKey,
        change: &[u8],
        before: Option<Vec<u8>>,
    ) -> rusqlite::Result<&[u8]> {
        self.tops.0.clear();
        if let Some(before) = before
            && !self.tops.take(key, &before)
        {
            // What is damaged stays so: whoever asks for the row's past is told.
            self.spelled = before;
            return Ok(&self.spelled);
        }
        let (number, sequence) = (self.next, self.sequence);
        let links = self.tops.push(number);
        let crc = checksum(number, sequence, links, change);
        let Links { earlier, jump } = links;
        self.insert
            .execute(params![number, sequence, change, earlier, jump, crc])?;
        self.next += 1;
        self.tops.put(key, &mut self.spelled);
        Ok(&self.spelled)
    }
}

fn checksum(number: u64, sequence: u64, links: Links, change: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    // Numbers begin at 1.
    let [earlier, jump] = [links.earlier, links.jump].map(Option::unwrap_or_default);
    for number in [number, sequence, earlier, jump] {
        hasher.update(&number.to_le_bytes());
    }
    hasher.update(change);
    hasher.finalize()
}

#[cfg(test)]
mod tests;
