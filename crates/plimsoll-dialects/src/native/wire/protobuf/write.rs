//! Messages, written field by field.

use super::{BYTES, VARINT};

/// A message as it is written.
///
/// What is zero, empty or not there is left out, as the schema has it; the `optional` fields, which
/// tell zero from nothing, are written by the methods that take an `Option`.
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty message, with room for so many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        let bytes = Vec::with_capacity(bytes);
        Self { bytes }
    }

    /// The message.
    pub(crate) fn done(self) -> Vec<u8> {
        self.bytes
    }

    /// A number.
    pub(crate) fn number(&mut self, field: u64, number: impl Into<u64>) {
        self.optional_number(field, Some(number.into()).filter(|number| *number != 0));
    }

    /// A number that may be zero or not there.
    pub(crate) fn optional_number(&mut self, field: u64, number: Option<u64>) {
        if let Some(number) = number {
            self.key(field, VARINT);
            self.varint(number);
        }
    }

    /// A string.
    pub(crate) fn text(&mut self, field: u64, text: &str) {
        self.optional_text(field, Some(text).filter(|text| !text.is_empty()));
    }

    /// A string that may be empty or not there.
    pub(crate) fn optional_text(&mut self, field: u64, text: Option<&str>) {
        if let Some(text) = text {
            self.key(field, BYTES);
            self.length(text.len());
            self.bytes.extend_from_slice(text.as_bytes());
        }
    }

    /// A message within this one; empty, it is still there.
    pub(crate) fn message(&mut self, field: u64, write: impl FnOnce(&mut Writer)) {
        self.key(field, BYTES);
        let start = self.bytes.len();
        self.bytes.push(0);
        write(self);
        let length = self.bytes.len().saturating_sub(start).saturating_sub(1);
        match (u8::try_from(length), self.bytes.get_mut(start)) {
            (Ok(length @ ..0x80), Some(room)) => *room = length,
            _ => self.make_room(start, length),
        }
    }

    /// Moves what was written from `start` on, since its length takes more than a byte.
    fn make_room(&mut self, start: usize, length: usize) {
        let mut prefix = Writer::with_capacity(10);
        prefix.length(length);
        self.bytes
            .splice(start..=start, prefix.bytes.iter().copied());
    }

    fn key(&mut self, field: u64, wire_type: u64) {
        self.varint(field << 3 | wire_type);
    }

    fn length(&mut self, length: usize) {
        self.varint(u64::try_from(length).unwrap_or(u64::MAX));
    }

    fn varint(&mut self, mut number: u64) {
        loop {
            let [low, ..] = number.to_le_bytes();
            number >>= 7;
            if number == 0 {
                return self.bytes.push(low & 0x7f);
            }
            self.bytes.push(low | 0x80);
        }
    }
}
