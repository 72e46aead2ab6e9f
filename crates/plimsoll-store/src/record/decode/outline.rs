//! Where the events and rows of a record stand, without reading what they say: for those who look
//! for a few of them, or pass rows on as they are.
//!
//! It is for bytes whose checksum and hash are right. Lengths are checked, names are not.

mod plain;

use plimsoll_core::event::Head;

pub(crate) use plain::{PlainAccount, PlainReservation};

use super::{Damage, EVENTS_OFFSET, Parsed, Reader};

/// An event, of which only the beginning was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventOutline<'a> {
    /// Its place in the record, from 0.
    pub(crate) index: usize,
    /// The name of its log: see [`log_name`](crate::record::log_name).
    pub(crate) log: &'a str,
    /// The log behind it.
    pub(crate) head: Head,
    /// All of it.
    pub(crate) bytes: &'a [u8],
}

/// A row, or that it is gone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowOutline<'a> {
    /// Which.
    pub(crate) key: RowKey<'a>,
    /// The change, as [`change_bytes`](crate::record::change_bytes) makes it.
    pub(crate) bytes: &'a [u8],
    /// Whether there is no such row any more.
    pub(crate) is_gone: bool,
}

/// What sort of row a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RowKind {
    Resource,
    Location,
    Scope,
    Limits,
    Tally,
    Account,
    Reservation,
    Principal,
    Tier,
    Request,
    Webhook,
}

impl RowKind {
    /// Whether quotas depend on such rows.
    pub(crate) fn is_of_quotas(self) -> bool {
        match self {
            RowKind::Resource
            | RowKind::Location
            | RowKind::Scope
            | RowKind::Limits
            | RowKind::Tally
            | RowKind::Account
            | RowKind::Tier => true,
            RowKind::Reservation | RowKind::Principal | RowKind::Request | RowKind::Webhook => {
                false
            }
        }
    }
}

/// Which row a change is about: two are equal where the row is the same. Their order is that of
/// the ledger's tables, and of the rows in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RowKey<'a> {
    pub(crate) kind: RowKind,
    /// The names that tell it from others of its kind, as the change spells them.
    spelled: &'a [u8],
}

impl<'a> RowKey<'a> {
    /// The names that tell it from others of its kind. A location that is not there is empty.
    pub(crate) fn names(self) -> impl Iterator<Item = &'a [u8]> {
        let has_item = matches!(
            self.kind,
            RowKind::Limits | RowKind::Tally | RowKind::Account
        );
        let mut reader = Reader {
            bytes: self.spelled,
            offset: 0,
        };
        let mut index = 0;
        std::iter::from_fn(move || {
            let is_location = has_item && index == 2;
            if !is_location && reader.bytes.len() <= reader.offset {
                return None;
            }
            index += 1;
            if is_location && !reader.flag().ok()? {
                return Some(&[][..]);
            }
            reader.byte_string().ok()
        })
    }

    /// The two names of a reservation's key, its tenant and its id; `None` where the row is none.
    pub(crate) fn of_reservation(self) -> Option<[&'a [u8]; 2]> {
        let mut reader = Reader {
            bytes: self.spelled,
            offset: 0,
        };
        let is_one = self.kind == RowKind::Reservation;
        let names = is_one.then(|| [reader.byte_string(), reader.byte_string()]);
        let [tenant, id] = names?;
        Some([tenant.ok()?, id.ok()?])
    }

    /// The beginning of the key as one number. It is in the order of the keys, and tells most of
    /// them apart: to sort by it and then by the key takes a fraction of the time.
    pub(crate) fn prefix(self) -> u128 {
        let mut prefix = [0; 16];
        let separated = self.names().flat_map(|name| name.iter().chain(&[0]));
        let bytes = [self.kind as u8].into_iter().chain(separated.copied());
        for (place, byte) in prefix.iter_mut().zip(bytes) {
            *place = byte;
        }
        u128::from_be_bytes(prefix)
    }
}

impl PartialOrd for RowKey<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RowKey<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let kinds = self.kind.cmp(&other.kind);
        kinds.then_with(|| self.names().cmp(other.names()))
    }
}

/// Shows the events of a record with their rows: `count` of them, and nothing behind them.
pub(in crate::record) fn outline<'a>(
    body: &'a [u8],
    count: u32,
    mut show: impl FnMut(EventOutline<'a>, &[RowOutline<'a>]),
) -> Parsed<()> {
    let mut reader = Reader {
        bytes: body,
        offset: EVENTS_OFFSET,
    };
    let mut rows = Vec::new();
    for index in 0..count as usize {
        let start = reader.offset;
        let (log, head) = reader.outline_of_event(&mut rows)?;
        let bytes = body.get(start..reader.offset).unwrap_or_default();
        let event = EventOutline {
            index,
            log,
            head,
            bytes,
        };
        show(event, &rows);
    }
    if reader.offset < body.len() {
        return Err(reader.damage("there are bytes behind the last event"));
    }
    Ok(())
}

/// Shows one row, and nothing behind it.
pub(in crate::record) fn row(bytes: &[u8]) -> Parsed<RowOutline<'_>> {
    let mut reader = Reader { bytes, offset: 0 };
    let row = reader.outline_of_row()?;
    if reader.offset < bytes.len() {
        return Err(reader.damage("there are bytes behind the change"));
    }
    Ok(row)
}

impl<'a> Reader<'a> {
    fn outline_of_event(&mut self, rows: &mut Vec<RowOutline<'a>>) -> Parsed<(&'a str, Head)> {
        let log = match self.byte()? {
            0 => "",
            1 => self.text()?,
            _ => return Err(self.damage("a log is of no known kind")),
        };
        let revision = self.integer()?;
        let at = self.instant()?;
        // Who, the cause, and the reason.
        self.byte_string()?;
        self.byte()?;
        self.optional(Self::byte_string)?;
        match self.byte()? {
            0 => {}
            1 | 2 => {
                self.byte_string()?;
            }
            3 => {
                for _ in 0..self.len()? {
                    self.byte_string()?;
                    self.pass_item()?;
                    self.byte()?;
                }
            }
            _ => return Err(self.damage("a mark is of no known kind")),
        }
        rows.clear();
        for _ in 0..self.len()? {
            rows.push(self.outline_of_row()?);
        }
        for _ in 0..self.len()? {
            self.byte_string()?;
            self.pass_item()?;
            self.byte()?;
            self.pass_integers(2)?;
        }
        Ok((log, Head { revision, at }))
    }

    fn outline_of_row(&mut self) -> Parsed<RowOutline<'a>> {
        let start = self.offset;
        let number = self.byte()?;
        let mut key_start = self.offset;
        let kind = match number {
            0 => RowKind::Resource,
            1 => RowKind::Location,
            2 => RowKind::Scope,
            3 => RowKind::Limits,
            4 => RowKind::Tally,
            5 => RowKind::Account,
            6 | 9 => RowKind::Reservation,
            7 | 8 => RowKind::Principal,
            10 => RowKind::Tier,
            11 | 12 => RowKind::Request,
            13 | 14 => RowKind::Webhook,
            _ => return Err(self.damage("a change is of no known kind")),
        };
        if number == 12 {
            // Its id is enough: the tenant before it is no part of the key.
            self.byte_string()?;
            key_start = self.offset;
        }
        self.byte_string()?;
        match kind {
            RowKind::Limits | RowKind::Tally | RowKind::Account => self.pass_item()?,
            RowKind::Reservation => {
                self.byte_string()?;
            }
            RowKind::Resource
            | RowKind::Location
            | RowKind::Scope
            | RowKind::Principal
            | RowKind::Tier
            | RowKind::Request
            | RowKind::Webhook => {}
        }
        let key_end = self.offset;
        let is_gone = match number {
            3 => self.pass_limits()?,
            8 | 9 | 12 | 14 => true,
            _ => {
                self.pass_row(kind)?;
                false
            }
        };
        let of = |start, end| self.bytes.get(start..end).unwrap_or_default();
        let spelled = of(key_start, key_end);
        Ok(RowOutline {
            key: RowKey { kind, spelled },
            bytes: of(start, self.offset),
            is_gone,
        })
    }

    /// Passes over what a row has behind its key.
    fn pass_row(&mut self, kind: RowKind) -> Parsed<()> {
        match kind {
            RowKind::Resource => self.resource_behind_name(),
            RowKind::Location => {
                self.byte_string()?;
                self.pass_attributes()
            }
            RowKind::Scope => {
                self.optional(Self::byte_string)?;
                self.byte_string()?;
                self.byte()?;
                self.byte_string()?;
                self.optional(Self::byte_string).map(drop)
            }
            RowKind::Limits => self.pass_limits().map(drop),
            RowKind::Tally => self.pass_integers(4),
            RowKind::Account => self.pass_integers(2),
            RowKind::Reservation => self.pass_reservation(),
            RowKind::Principal => self.pass_principal(),
            RowKind::Tier => {
                self.byte_string()?;
                for _ in 0..self.len()? {
                    self.pass_item()?;
                    self.ceiling()?;
                    self.byte()?;
                }
                Ok(())
            }
            RowKind::Request => self.pass_request(),
            RowKind::Webhook => self.pass_webhook(),
        }
    }

    fn resource_behind_name(&mut self) -> Parsed<()> {
        self.byte_string()?;
        self.ceiling()?;
        self.take(2)?;
        self.byte_string()?;
        self.optional(Self::auto_approval)?;
        self.byte_string().map(drop)
    }

    /// Answers whether there are none.
    fn pass_limits(&mut self) -> Parsed<bool> {
        let count = self.len()?;
        for _ in 0..count {
            self.optional(Self::integer)?;
            self.optional(Self::integer)?;
            self.ceiling()?;
            self.byte()?;
            self.byte_string()?;
            self.integer()?;
            self.byte_string()?;
            self.optional(Self::byte_string)?;
            self.integer()?;
        }
        Ok(count == 0)
    }

    fn pass_reservation(&mut self) -> Parsed<()> {
        self.byte_string()?;
        for _ in 0..self.len()? {
            self.pass_item()?;
            self.integer()?;
        }
        if self.flag()? {
            self.byte_string()?;
            for _ in 0..self.len()? {
                self.pass_item()?;
                self.pass_integers(2)?;
            }
        }
        if !self.flag()? {
            self.integer()?;
        }
        self.optional(Self::byte_string)?;
        self.optional(Self::byte_string)?;
        self.pass_attributes()?;
        // A state with its instant, the instant it was made, the revision.
        let numbers = if self.byte()? == 1 { 2 } else { 3 };
        self.pass_integers(numbers)
    }

    fn pass_principal(&mut self) -> Parsed<()> {
        self.byte()?;
        self.optional(Self::byte_string)?;
        self.byte()?;
        if self.flag()? {
            self.take(32)?;
        } else {
            self.byte_string()?;
        }
        self.byte()?;
        self.optional(Self::integer)?;
        self.byte_string()?;
        self.pass_integers(2)
    }

    fn pass_request(&mut self) -> Parsed<()> {
        self.byte_string()?;
        self.byte_string()?;
        self.pass_item()?;
        self.ceiling()?;
        self.byte_string()?;
        self.byte_string()?;
        self.integer()?;
        self.ceiling()?;
        self.optional(Self::integer)?;
        let status = self.byte()?;
        if status != 0 {
            self.byte_string()?;
            self.integer()?;
            self.byte_string()?;
        }
        if status == 1 {
            self.ceiling()?;
            self.optional(Self::integer)?;
            self.integer()?;
            self.byte()?;
        }
        self.integer().map(drop)
    }

    fn pass_webhook(&mut self) -> Parsed<()> {
        self.optional(Self::byte_string)?;
        self.byte_string()?;
        let topics = self.len()?;
        self.take(topics)?;
        self.byte_string()?;
        self.byte()?;
        self.pass_integers(2)
    }

    fn pass_item(&mut self) -> Parsed<()> {
        self.byte_string()?;
        self.optional(Self::byte_string).map(drop)
    }

    fn pass_attributes(&mut self) -> Parsed<()> {
        for _ in 0..self.len()? {
            self.byte_string()?;
            self.byte_string()?;
        }
        Ok(())
    }

    fn pass_integers(&mut self, count: usize) -> Parsed<()> {
        for _ in 0..count {
            let rest = self.bytes.get(self.offset..).unwrap_or_default();
            let last = rest.iter().position(|byte| *byte < 0x80);
            let last = last.ok_or_else(|| self.damage("a value is cut short"))?;
            self.offset += last + 1;
        }
        Ok(())
    }

    pub(super) fn text(&mut self) -> Parsed<&'a str> {
        let bytes = self.byte_string()?;
        str::from_utf8(bytes).map_err(|_| self.damage("a name is not one"))
    }
}

#[cfg(test)]
mod tests;
