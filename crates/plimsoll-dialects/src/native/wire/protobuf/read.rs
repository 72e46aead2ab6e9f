//! Messages as their fields, borrowed from the body.

use std::fmt;

use super::super::leaf::{Parsed, Whole};
use super::super::words::Spelled;
use super::{BYTES, FIXED_32, FIXED_64, VARINT};

/// The largest number that a field may have.
const NUMBER_MAX: u64 = (1 << 29) - 1;

/// Why bytes are no message. `Display` completes the sentence "`/place` …".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// A value ends after its message.
    TooShort,
    /// A number has more than 64 bits.
    TooLarge,
    /// A key that no field has: of a group, say.
    Key,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Broken::TooShort => "is not protobuf: it ends too early",
            Broken::TooLarge => "is not protobuf: a number has more than 64 bits",
            Broken::Key => "is not protobuf: no field has such a key",
        })
    }
}

/// The value of a field, as its wire type tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// A whole number, a boolean or a word of an enum.
    Number(u64),
    /// A string or a message.
    Bytes(&'a [u8]),
    /// A number of a fixed size; no field of ours is one.
    Fixed,
}

/// The fields of a message, each with its number, in the order in which they were written.
///
/// Ends after the first that cannot be read.
pub(crate) fn fields(mut message: &[u8]) -> impl Iterator<Item = Result<(u64, Value<'_>), Broken>> {
    std::iter::from_fn(move || {
        if message.is_empty() {
            return None;
        }
        let read = field(&mut message);
        if read.is_err() {
            message = &[];
        }
        Some(read)
    })
}

fn field<'a>(rest: &mut &'a [u8]) -> Result<(u64, Value<'a>), Broken> {
    let key = varint(rest)?;
    let number = key >> 3;
    if !(1..=NUMBER_MAX).contains(&number) {
        return Err(Broken::Key);
    }
    let value = match key & 7 {
        VARINT => Value::Number(varint(rest)?),
        BYTES => {
            let length = usize::try_from(varint(rest)?).map_err(|_| Broken::TooShort)?;
            Value::Bytes(taken(rest, length)?)
        }
        FIXED_64 => taken(rest, 8).map(|_| Value::Fixed)?,
        FIXED_32 => taken(rest, 4).map(|_| Value::Fixed)?,
        _ => return Err(Broken::Key),
    };
    Ok((number, value))
}

fn taken<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Broken> {
    let (taken, behind) = rest.split_at_checked(length).ok_or(Broken::TooShort)?;
    *rest = behind;
    Ok(taken)
}

fn varint(rest: &mut &[u8]) -> Result<u64, Broken> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, behind) = rest.split_first().ok_or(Broken::TooShort)?;
        *rest = behind;
        let bits = u64::from(byte & 0x7f);
        let shifted = bits.wrapping_shl(shift);
        if shifted.wrapping_shr(shift) != bits {
            return Err(Broken::TooLarge);
        }
        number |= shifted;
        if *byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Broken::TooLarge)
}

/// Errors complete the sentence "`/place` …".
impl<'a> Value<'a> {
    /// An empty string, which is written by leaving it out.
    pub(crate) const EMPTY: Value<'static> = Value::Bytes(&[]);

    /// What a string spells.
    pub(crate) fn spelled<T: Spelled>(self) -> Result<Parsed<T>, String> {
        T::parse(self.text()?)
            .map(Parsed)
            .map_err(|error| error.to_string())
    }

    /// A string.
    pub(crate) fn text(self) -> Result<&'a str, String> {
        let Value::Bytes(bytes) = self else {
            return Err("must be a string, by its wire type too".to_owned());
        };
        str::from_utf8(bytes).map_err(|_| "must be UTF-8".to_owned())
    }

    /// A whole number within its bounds.
    pub(crate) fn whole<const MIN: u64, const MAX: u64>(self) -> Result<Whole<MIN, MAX>, String> {
        self.number().and_then(Whole::new)
    }

    /// Yes or no.
    pub(crate) fn flag(self) -> Result<bool, String> {
        match self.number()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err("must be true or false".to_owned()),
        }
    }

    /// A number, of whatever size.
    pub(crate) fn number(self) -> Result<u64, String> {
        match self {
            Value::Number(number) => Ok(number),
            Value::Bytes(_) | Value::Fixed => {
                Err("must be a varint, by its wire type too".to_owned())
            }
        }
    }

    /// The bytes of a message that is still to be read.
    pub(crate) fn message(self) -> Result<&'a [u8], String> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            Value::Number(_) | Value::Fixed => {
                Err("must be a message, by its wire type too".to_owned())
            }
        }
    }
}
