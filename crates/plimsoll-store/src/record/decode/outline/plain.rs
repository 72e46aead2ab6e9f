//! Rows of which there are many, as the texts and numbers that they are. The texts are bytes here:
//! a record whose hash is right has those that were written.

use super::{Damage, Reader, RowKind, RowOutline};

/// A reservation of one line, without attributes, that is as it was asked for: nearly all are, and
/// their values need not be made to be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlainReservation<'a> {
    pub(crate) tenant: &'a [u8],
    pub(crate) id: &'a [u8],
    pub(crate) scope: &'a [u8],
    pub(crate) resource: &'a [u8],
    pub(crate) location: Option<&'a [u8]>,
    pub(crate) amount: u64,
    pub(crate) hold_ttl_ms: Option<u64>,
    pub(crate) forced: Option<&'a [u8]>,
    pub(crate) holder: Option<&'a [u8]>,
    /// As the record numbers it.
    pub(crate) state: u8,
    /// When a hold lapses, or another has ended.
    pub(crate) at: Option<u64>,
    pub(crate) created_at: u64,
    pub(crate) revision: u64,
}

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlainAccount<'a> {
    pub(crate) scope: &'a [u8],
    pub(crate) resource: &'a [u8],
    pub(crate) location: Option<&'a [u8]>,
    pub(crate) used: u64,
    pub(crate) held: u64,
}

impl PlainReservation<'_> {
    /// Whether it is as it was made, for all that can be told: held, or committed at once.
    pub(crate) fn is_likely_new(&self) -> bool {
        self.state == 0 || (self.state == 1 && self.hold_ttl_ms.is_none())
    }
}

impl<'a> RowOutline<'a> {
    /// The reservation, where it is a plain one.
    pub(crate) fn plain_reservation(&self) -> Result<Option<PlainReservation<'a>>, Damage> {
        if self.is_gone || self.key.kind != RowKind::Reservation {
            return Ok(None);
        }
        let mut reader = self.behind_kind();
        let (tenant, id, scope) = (
            reader.byte_string()?,
            reader.byte_string()?,
            reader.byte_string()?,
        );
        if reader.len()? != 1 {
            return Ok(None);
        }
        let resource = reader.byte_string()?;
        let location = reader.optional(Reader::byte_string)?;
        let amount = reader.integer()?;
        if reader.flag()? {
            return Ok(None);
        }
        let hold_ttl_ms = if reader.flag()? {
            None
        } else {
            Some(reader.integer()?)
        };
        let forced = reader.optional(Reader::byte_string)?;
        let holder = reader.optional(Reader::byte_string)?;
        if reader.len()? != 0 {
            return Ok(None);
        }
        let state = reader.byte()?;
        Ok(Some(PlainReservation {
            tenant,
            id,
            scope,
            resource,
            location,
            amount,
            hold_ttl_ms,
            forced,
            holder,
            state,
            at: if state == 1 {
                None
            } else {
                Some(reader.integer()?)
            },
            created_at: reader.integer()?,
            revision: reader.integer()?,
        }))
    }

    /// The account, where it is one.
    pub(crate) fn account(&self) -> Result<Option<PlainAccount<'a>>, Damage> {
        if self.key.kind != RowKind::Account {
            return Ok(None);
        }
        let mut reader = self.behind_kind();
        Ok(Some(PlainAccount {
            scope: reader.byte_string()?,
            resource: reader.byte_string()?,
            location: reader.optional(Reader::byte_string)?,
            used: reader.integer()?,
            held: reader.integer()?,
        }))
    }

    fn behind_kind(&self) -> Reader<'a> {
        Reader {
            bytes: self.bytes,
            offset: 1,
        }
    }
}
