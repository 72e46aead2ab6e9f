//! The journal record: what one batch changed, as the bytes that make it durable.
//!
//! ```text
//! offset  bytes  field
//!      0      1  version, 4
//!      1      8  sequence, little endian, from 1
//!      9     32  previous: the hash of the record before; zeros in the first
//!     41      4  number of events, little endian
//!     45      …  the events, one behind the other
//!   len-36    4  checksum: CRC-32 of all bytes before it
//!   len-32   32  hash: SHA-256 of all bytes before the checksum
//! ```
//!
//! The checksum finds a damaged record cheaply; the hash chains the records, so that none can be
//! changed, dropped or put between unnoticed. Each event is chained once more in its own log, by
//! `SHA-256(hash of the log's event before ‖ event bytes)`: that chain is the same in every store.
//!
//! Integers inside events are LEB128 (seven bits a byte, the lowest first), texts and byte strings
//! are their length and their bytes, an option is a byte 0 or 1 before the value, and every enum
//! is one byte: see `encode.rs`. Numbers are never reused; a new layout is a new version.

mod decode;
mod encode;

use plimsoll_core::event::{Change, Event, Log};
use sha2::{Digest, Sha256};

pub use decode::Damage;
pub(crate) use decode::outline::{
    EventOutline, PlainAccount, PlainReservation, RowKey, RowKind, RowOutline,
};

/// The layout that this build writes. It reads this one only: those before were never released.
pub(crate) const VERSION: u8 = 4;
const EVENTS_OFFSET: usize = 45;
const TRAILER_LEN: usize = 36;

/// What a reservation takes in a record: 150 bytes at two scopes with ids of ten, 215 at three with
/// ids of eighteen. What is too much is never touched; too little has all of it moved.
const COMMAND_BYTES: usize = 256;

/// A SHA-256: of a record, or of an event in the chain of its log.
pub type Hash = [u8; 32];

/// One batch's events and their place in the journal.
#[derive(Debug)]
pub(crate) struct Record {
    /// Its place, from 1.
    pub(crate) sequence: u64,
    /// This record's hash.
    pub(crate) hash: Hash,
    /// What happened, each event with its bytes.
    pub(crate) events: Vec<(Event, Box<[u8]>)>,
}

/// Builds one record: events are added as they are decided.
#[derive(Debug)]
pub struct RecordWriter {
    bytes: Vec<u8>,
    events: u32,
}

impl RecordWriter {
    /// Starts the record that follows on `previous`.
    pub(crate) fn new(sequence: u64, previous: &Hash) -> Self {
        let mut bytes = Vec::with_capacity(512);
        bytes.push(VERSION);
        bytes.extend_from_slice(&sequence.to_le_bytes());
        bytes.extend_from_slice(previous);
        bytes.extend_from_slice(&0_u32.to_le_bytes());
        Self { bytes, events: 0 }
    }

    /// Makes room for so many commands, as if each made a reservation.
    pub(crate) fn make_room(&mut self, commands: usize) {
        self.bytes.reserve(commands.saturating_mul(COMMAND_BYTES));
    }

    /// Adds an event and answers its hash in the chain of its log.
    pub fn push(&mut self, event: &Event, chain: &Hash) -> Hash {
        let start = self.bytes.len();
        encode::event(&mut self.bytes, event);
        self.events += 1;
        chained(chain, &self.bytes[start..])
    }

    /// The place of the record before it; 0 where it is the first.
    pub(crate) fn place(&self) -> u64 {
        u64::from_le_bytes(field(&self.bytes, 1)).saturating_sub(1)
    }

    /// Whether nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// How many bytes it has so far.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Ends the record: its bytes and its hash.
    pub fn finish(mut self) -> (Vec<u8>, Hash) {
        self.bytes[EVENTS_OFFSET - 4..EVENTS_OFFSET].copy_from_slice(&self.events.to_le_bytes());
        let checksum = crc32fast::hash(&self.bytes);
        let hash: Hash = Sha256::digest(&self.bytes).into();
        self.bytes.extend_from_slice(&checksum.to_le_bytes());
        self.bytes.extend_from_slice(&hash);
        (self.bytes, hash)
    }
}

/// A record whose bytes are those that were written, its events not read yet.
#[derive(Debug)]
pub(crate) struct Sealed<'a> {
    /// Its place, from 1.
    pub(crate) sequence: u64,
    /// The hash of the record before.
    pub(crate) previous: Hash,
    /// This record's hash.
    pub(crate) hash: Hash,
    event_count: u32,
    body: &'a [u8],
}

impl<'a> Sealed<'a> {
    /// Checks a record's checksum and its hash.
    ///
    /// Errors: [`Damage`] says what is wrong and at which byte.
    pub(crate) fn check(bytes: &'a [u8]) -> Result<Self, Damage> {
        let (body, trailer) = bytes
            .len()
            .checked_sub(TRAILER_LEN)
            .filter(|body_len| *body_len >= EVENTS_OFFSET)
            .map(|body_len| bytes.split_at(body_len))
            .ok_or(Damage {
                offset: bytes.len(),
                what: "the record is cut short",
            })?;
        if crc32fast::hash(body).to_le_bytes() != trailer[..4] {
            return Err(Damage {
                offset: body.len(),
                what: "the checksum does not match",
            });
        }
        let hash: Hash = Sha256::digest(body).into();
        if hash != trailer[4..] {
            return Err(Damage {
                offset: body.len() + 4,
                what: "the hash does not match",
            });
        }
        match body[0] {
            VERSION => Ok(Self::of(body, hash)),
            1..=3 => Err(Damage {
                offset: 0,
                what: "the record was written by an unreleased build, in a version not known here",
            }),
            _ => Err(Damage {
                offset: 0,
                what: "the record is of a version not known here",
            }),
        }
    }

    /// Takes the header of a body that is long enough to have one.
    fn of(body: &'a [u8], hash: Hash) -> Self {
        Self {
            sequence: u64::from_le_bytes(field(body, 1)),
            previous: field(body, 9),
            hash,
            event_count: u32::from_le_bytes(field(body, EVENTS_OFFSET - 4)),
            body,
        }
    }

    /// Shows the events with their rows, without reading what they say.
    ///
    /// Errors: as for [`read`](Self::read), but names and numbers are not looked at.
    pub(crate) fn outline(
        &self,
        show: impl FnMut(EventOutline<'a>, &[RowOutline<'a>]),
    ) -> Result<(), Damage> {
        decode::outline::outline(self.body, self.event_count, show)
    }

    /// How many bytes it has.
    pub(crate) fn len(&self) -> usize {
        self.body.len() + TRAILER_LEN
    }

    /// Reads the events.
    ///
    /// Errors: [`Damage`] where they are none that this build could have written.
    pub(crate) fn read(self) -> Result<Record, Damage> {
        Ok(Record {
            sequence: self.sequence,
            hash: self.hash,
            events: decode::events(self.body, self.event_count)?,
        })
    }
}

/// Records that were checked, in memory, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct KeptRecords {
    bodies: Vec<u8>,
    /// Where the body of each ends, and its hash.
    ends: Vec<(usize, Hash)>,
}

impl KeptRecords {
    /// Keeps a copy of a record.
    pub(crate) fn push(&mut self, record: &Sealed<'_>) {
        self.bodies.extend_from_slice(record.body);
        self.ends.push((self.bodies.len(), record.hash));
    }

    /// Forgets all of them, but not the room that they took.
    pub(crate) fn clear(&mut self) {
        self.bodies.clear();
        self.ends.clear();
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many bytes they have.
    pub(crate) fn len(&self) -> usize {
        self.bodies.len() + self.ends.len() * TRAILER_LEN
    }

    /// The records.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Sealed<'_>> {
        let starts = [0].into_iter().chain(self.ends.iter().map(|(end, _)| *end));
        let each = starts.zip(&self.ends);
        each.map(|(start, (end, hash))| Sealed::of(&self.bodies[start..*end], *hash))
    }
}

/// The bytes of a header's field.
fn field<const N: usize>(body: &[u8], offset: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&body[offset..offset + N]);
    field
}

/// The hash of an event in the chain of its log.
pub(crate) fn chained(chain: &Hash, event: &[u8]) -> Hash {
    Sha256::new()
        .chain_update(chain)
        .chain_update(event)
        .finalize()
        .into()
}

/// What a log is called where logs are kept: nothing for the catalogue.
pub(crate) fn log_name(log: &Log) -> &str {
    match log {
        Log::Catalogue => "",
        Log::Tenant(tenant) => tenant.as_str(),
    }
}

/// The checksum of one row, as the ledger's tables keep it.
pub(crate) fn row_checksum(change: &Change) -> u32 {
    crc32fast::hash(&change_bytes(change))
}

/// One row as a record spells it.
pub(crate) fn change_bytes(change: &Change) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    encode::change(&mut bytes, change);
    bytes
}

/// Adds a number as a record spells it.
pub(crate) fn put_integer(out: &mut Vec<u8>, value: u64) {
    encode::integer(out, value);
}

/// The numbers that bytes hold one behind the other, as records spell them, up to the first that
/// is none.
pub(crate) fn integers(bytes: &[u8]) -> impl Iterator<Item = u64> {
    decode::integers(bytes)
}

/// One event as a record spells it.
pub(crate) fn event_bytes(event: &Event) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    encode::event(&mut bytes, event);
    bytes
}

/// Reads one event back, and nothing behind it.
///
/// Errors: [`Damage`] where the bytes are none that [`event_bytes`] could have made.
pub(crate) fn read_event(bytes: &[u8]) -> Result<Event, Damage> {
    decode::event(bytes)
}

/// Where one row's key stands, without reading what the row says.
///
/// Errors: [`Damage`] where the bytes are none that [`change_bytes`] could have made, but names and
/// numbers are not looked at.
pub(crate) fn outline_of_row(bytes: &[u8]) -> Result<RowOutline<'_>, Damage> {
    decode::outline::row(bytes)
}

/// Reads one row back, and nothing behind it.
///
/// Errors: [`Damage`] where the bytes are none that [`change_bytes`] could have made.
pub(crate) fn read_change(bytes: &[u8]) -> Result<Change, Damage> {
    decode::change(bytes)
}

#[cfg(test)]
mod tests;
