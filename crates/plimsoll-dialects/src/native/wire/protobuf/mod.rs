//! The protobuf encoding, as far as a batch needs it: read without a copy, written in one pass.

mod read;
mod write;

pub(crate) use read::{Broken, Value, fields};
pub(crate) use write::Writer;

/// How a field's value is laid out, the low three bits of its key.
const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const BYTES: u64 = 2;
const FIXED_32: u64 = 5;
