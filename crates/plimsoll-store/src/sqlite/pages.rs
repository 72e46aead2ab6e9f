//! The proof that every byte of `journal.db` is one that its records account for.
//!
//! The pages are SQLite's own: <https://www.sqlite.org/fileformat2.html>. Since rows are only ever
//! added at the end, their layout is known to the byte:
//!
//! | page | what it holds |
//! |---|---|
//! | the first | what a new journal has there, but for a counter, the size, and who wrote last |
//! | a leaf | its records without gaps from the page's end downwards, zeros above them |
//! | of a long record | the next bytes of it, zeros behind the last |
//! | the root, above leaves | as a leaf, with the last record below each child in the place of records |
//! | between the root and leaves | the same in any order, and leftovers above them |
//!
//! Pages are read through SQLite, which shows one state of a journal that is being written, with
//! what still stands in the write-ahead log.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use rusqlite::{CachedStatement, Connection};

use super::files::{self, Kind, PAGE_BYTES, damaged, sqlite_error};
use super::journal::JournalReader;
use crate::StoreError;

/// The table's uppermost page: the first one after the schema's.
const ROOT: u32 = 2;

/// What a page of the table says that it is.
const LEAF: u8 = 0x0d;
const INTERIOR: u8 = 0x05;

/// Bytes at the beginning of a leaf, and of a page above leaves.
const LEAF_HEADER_BYTES: usize = 8;
const INTERIOR_HEADER_BYTES: usize = 12;

/// The most bytes of a record that stand in a leaf, and the fewest where it goes on elsewhere.
const LOCAL_BYTES_MAX: usize = PAGE_BYTES - 35;
const LOCAL_BYTES_MIN: usize = (PAGE_BYTES - 12) * 32 / 255 - 23;

/// Bytes of a record in a page that holds nothing else, behind the number of the next such page.
const OVERFLOW_BYTES: usize = PAGE_BYTES - 4;

/// Where SQLite locks a file: the page there is never used, nor shown.
const LOCK_OFFSET: usize = 1 << 30;

/// The versions of SQLite that can have written: the first that knows strict tables, and any of
/// the same file format. Backups are made with whatever version is there.
const SQLITE_VERSIONS: Range<u32> = 3_037_000..4_000_000;

/// Where in the first page the changes of the schema are counted.
const SCHEMA_CHANGES: Range<usize> = 40..44;

/// What was found of the file.
pub(super) struct Pages {
    pub(super) pages: u32,
    pub(super) sqlite: String,
}

/// Makes sure that SQLite shows pages.
pub(super) fn expect_shown(journal: &JournalReader) -> Result<(), StoreError> {
    let select = "SELECT sqlite_compileoption_used('ENABLE_DBPAGE_VTAB')";
    let shown = journal
        .connection()
        .query_row(select, [], |row| row.get(0))
        .map_err(sqlite_error(journal.path()))?;
    if shown {
        Ok(())
    } else {
        Err(StoreError::NoPages)
    }
}

/// Looks at every page of a journal that was found to hold so many records, in one snapshot.
///
/// Errors: the first page that is not as it was written, with the first record that it holds.
pub(super) fn check(journal: &JournalReader, records: u64) -> Result<Pages, StoreError> {
    let sqlite = sqlite_error(journal.path());
    let connection = journal.connection();
    let pages: u32 = connection
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .map_err(&sqlite)?;
    let mut walk = Walk {
        journal,
        select: select_page(connection).map_err(&sqlite)?,
        bytes_in_file: bytes_in_file(journal)?,
        is_seen: vec![false; pages as usize],
        records: 0,
    };
    let sqlite = walk.first(pages)?;
    walk.table(ROOT)?;
    if let Some(seen) = walk.is_seen.get_mut(LOCK_OFFSET / PAGE_BYTES) {
        *seen = is_zero_at_lock(journal)?;
    }
    let unseen = walk.is_seen.iter().position(|is_seen| !is_seen);
    let is_longer = walk
        .bytes_in_file
        .is_some_and(|bytes| end_of(pages) < bytes);
    if let Some(index) = unseen.or(is_longer.then_some(pages as usize)) {
        let what = format!("page {} belongs to no record", index + 1);
        return Err(damaged(journal.path(), what));
    }
    if walk.records != records {
        let what = "the pages do not hold as many records as were read";
        return Err(journal.damaged(walk.records.min(records) + 1, what));
    }
    Ok(Pages { pages, sqlite })
}

fn select_page(connection: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    connection.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")
}

/// The bytes of the file, where nothing stands in the write-ahead log.
fn bytes_in_file(journal: &JournalReader) -> Result<Option<u64>, StoreError> {
    let path = journal.path();
    match fs::metadata(path.with_extension("db-wal")) {
        Ok(log) if 0 < log.len() => return Ok(None),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(files::file_error(path, "read")(error));
        }
        Ok(_) | Err(_) => {}
    }
    let file = fs::metadata(path).map_err(files::file_error(path, "read"))?;
    Ok(Some(file.len()))
}

/// Where in the file a page ends.
fn end_of(page: u32) -> u64 {
    u64::from(page) * PAGE_BYTES as u64
}

/// Whether the page that SQLite never uses is empty.
fn is_zero_at_lock(journal: &JournalReader) -> Result<bool, StoreError> {
    let path = journal.path();
    let mut page = [0; PAGE_BYTES];
    let read = File::open(path).and_then(|file| {
        // Never closed: that would take away every lock which this process has on the file.
        let file = ManuallyDrop::new(file);
        file.read_at(&mut page, LOCK_OFFSET as u64)
    });
    read.map_err(files::file_error(path, "read"))?;
    Ok(is_zero(&page))
}

/// The pages that were seen so far.
struct Walk<'a> {
    journal: &'a JournalReader,
    select: CachedStatement<'a>,
    bytes_in_file: Option<u64>,
    is_seen: Vec<bool>,
    /// Records whose pages were seen.
    records: u64,
}

impl Walk<'_> {
    /// Makes sure of the page with the header and the schema; answers the version of SQLite.
    fn first(&mut self, pages: u32) -> Result<String, StoreError> {
        let found = self.page(1)?;
        let mut expected = first_of_new().map_err(sqlite_error(self.journal.path()))?;
        let counter = found.get(92..96).unwrap_or_default();
        for (at, bytes) in [
            (18, [2, 2].as_slice()), // a write-ahead log is used
            (24, counter),           // twice the same
            (92, counter),
            (28, &pages.to_be_bytes()),
        ] {
            expected.splice(at..at + bytes.len(), bytes.iter().copied());
        }
        let written = u32_at(&found, 96).filter(is_version);
        if let Some(version) = written {
            expected.splice(96..100, version.to_be_bytes());
        }
        let differ = found
            .iter()
            .zip(&expected)
            .position(|(found, expected)| found != expected);
        if let Some(byte) = differ {
            let hint = if SCHEMA_CHANGES.contains(&byte) {
                ": another program has changed the schema, or a backup was made over an older one"
            } else {
                ""
            };
            let what = format!("page 1 is not that of a journal (byte {byte}){hint}");
            return Err(damaged(self.journal.path(), what));
        }
        let version = written.unwrap_or_default();
        let [minor, patch] = [version / 1_000 % 1_000, version % 1_000];
        Ok(format!("{}.{minor}.{patch}", version / 1_000_000))
    }

    /// Sees a page of the table and all below it.
    fn table(&mut self, number: u32) -> Result<(), StoreError> {
        let next = self.records + 1;
        let page = self.page(number)?;
        let unlike = |journal: &JournalReader| unlike(journal, next, number);
        match page.first() {
            Some(&LEAF) => {
                let tails = leaf(&page, next).ok_or_else(|| unlike(self.journal))?;
                for tail in tails {
                    self.overflow(tail)?;
                    self.records += 1;
                }
                Ok(())
            }
            Some(&INTERIOR) => {
                let children = if number == ROOT {
                    root(&page)
                } else {
                    inner(&page)
                };
                let (children, last) = children.ok_or_else(|| unlike(self.journal))?;
                for child in children {
                    self.table(child.page)?;
                    if self.records != child.last_record {
                        return Err(unlike(self.journal));
                    }
                }
                self.table(last)
            }
            Some(_) | None => Err(unlike(self.journal)),
        }
    }

    /// Sees the pages that hold the rest of a record.
    fn overflow(&mut self, tail: Tail) -> Result<(), StoreError> {
        let Tail {
            mut page,
            mut bytes,
        } = tail;
        while 0 < bytes {
            let number = page;
            let content = self.page(number)?;
            let held = bytes.min(OVERFLOW_BYTES);
            bytes -= held;
            page = u32_at(&content, 0).unwrap_or_default();
            let is_last = bytes == 0;
            if !content.get(4 + held..).is_some_and(is_zero) || is_last != (page == 0) {
                return Err(unlike(self.journal, self.records + 1, number));
            }
        }
        Ok(())
    }

    /// The bytes of a page, which must not have been seen yet.
    fn page(&mut self, number: u32) -> Result<Vec<u8>, StoreError> {
        let record = self.records + 1;
        let index = (number as usize).wrapping_sub(1);
        match self.is_seen.get_mut(index) {
            Some(is_seen @ false) => *is_seen = true,
            Some(true) | None => {
                let what = format!("page {number} is not there, or holds other records");
                return Err(self.journal.damaged(record, &what));
            }
        }
        if self
            .bytes_in_file
            .is_some_and(|bytes| bytes < end_of(number))
        {
            let what = format!("page {number} is cut off");
            return Err(self.journal.damaged(record, &what));
        }
        let page = self.select.query_row([number], |row| row.get(0));
        page.map_err(sqlite_error(self.journal.path()))
    }
}

fn unlike(journal: &JournalReader, record: u64, page: u32) -> StoreError {
    let what = format!("page {page} holds bytes that no record wrote");
    journal.damaged(record, &what)
}

/// Whether a number can be that of a version that wrote: 3,054,001 is 3.54.1.
fn is_version(number: &u32) -> bool {
    let [minor, patch] = [number / 1_000 % 1_000, number % 1_000];
    SQLITE_VERSIONS.contains(number) && minor < 100 && patch < 100
}

/// The first page of a journal that has just been made.
fn first_of_new() -> rusqlite::Result<Vec<u8>> {
    let new = Connection::open_in_memory()?;
    files::fill(&new, Kind::Journal)?;
    select_page(&new)?.query_row([1], |row| row.get(0))
}

/// The bytes of a record that do not stand in its leaf; where there are none, no page.
struct Tail {
    page: u32,
    bytes: usize,
}

/// A page below another, and the last record on it or below it.
struct Child {
    page: u32,
    last_record: u64,
}

/// What a leaf holds of each of its records, of which `first` is the first; `None` where a byte is
/// not as it must be. The records' own bytes were looked at before.
fn leaf(page: &[u8], first: u64) -> Option<Vec<Tail>> {
    let mut tails = Vec::new();
    let mut end = PAGE_BYTES;
    for record in first..first + u64::from(u16_at(page, 3)?) {
        let start = usize::from(u16_at(page, LEAF_HEADER_BYTES + 2 * tails.len())?);
        let cell = page.get(start..end)?;
        let payload = u32::try_from(varint_of(cell)?).ok()?;
        let prefix = prefix(payload, record)?;
        let head = varint(u64::from(payload)).len() + varint(record).len();
        let (local, tail_bytes) = local_and_tail(payload as usize);
        let link = cell.get(head + local..)?;
        let tail = Tail {
            page: if link.is_empty() { 0 } else { u32_at(link, 0)? },
            bytes: tail_bytes,
        };
        let link_bytes = if tail_bytes == 0 { 0 } else { 4 };
        if !cell.starts_with(&prefix) || link.len() != link_bytes {
            return None;
        }
        tails.push(tail);
        end = start;
    }
    is_rest_zero(page, LEAF_HEADER_BYTES + 2 * tails.len(), end).then_some(tails)
}

/// How a record's cell begins: lengths, its sequence, and what the row's two columns hold: the
/// sequence's own place is empty, and the rest is bytes.
fn prefix(payload: u32, record: u64) -> Option<Vec<u8>> {
    let payload = u64::from(payload);
    let (header_bytes, kind) = (3..9).find_map(|header_bytes| {
        let kind = varint(12 + 2 * payload.checked_sub(header_bytes)?);
        (2 + kind.len() as u64 == header_bytes).then_some((header_bytes, kind))
    })?;
    let header_bytes = varint(header_bytes);
    Some([varint(payload), varint(record), header_bytes, vec![0], kind].concat())
}

/// How many bytes of a row stand in its leaf, and how many do not.
fn local_and_tail(payload: usize) -> (usize, usize) {
    if payload <= LOCAL_BYTES_MAX {
        return (payload, 0);
    }
    let full_pages = LOCAL_BYTES_MIN + (payload - LOCAL_BYTES_MIN) % OVERFLOW_BYTES;
    let local = if full_pages <= LOCAL_BYTES_MAX {
        full_pages
    } else {
        LOCAL_BYTES_MIN
    };
    (local, payload - local)
}

/// The children of the uppermost page, and the last of them.
fn root(page: &[u8]) -> Option<(Vec<Child>, u32)> {
    let cells = cells(page)?;
    let mut end = PAGE_BYTES;
    for (cell, _) in &cells {
        if cell.end != end {
            return None;
        }
        end = cell.start;
    }
    let is_rest_zero = is_rest_zero(page, INTERIOR_HEADER_BYTES + 2 * cells.len(), end);
    let children = cells.into_iter().map(|(_, child)| child).collect();
    is_rest_zero.then_some((children, u32_at(page, 8)?))
}

/// The children of a page between the uppermost and the leaves, and the last of them.
///
/// When SQLite moves children from one page to the next, what it no longer needs stays in the gap
/// above the cells, and cells that went leave holes, which hold zeros.
fn inner(page: &[u8]) -> Option<(Vec<Child>, u32)> {
    let (mut spans, children): (Vec<_>, Vec<_>) = cells(page)?.into_iter().unzip();
    let mut hole = usize::from(u16_at(page, 1)?);
    while hole != 0 {
        let next = usize::from(u16_at(page, hole)?);
        let end = hole + usize::from(u16_at(page, hole + 2)?);
        if !is_zero(page.get(hole + 4..end)?) || (next != 0 && next < end) {
            return None;
        }
        spans.push(hole..end);
        hole = next;
    }
    spans.push(PAGE_BYTES..PAGE_BYTES);
    spans.sort_unstable_by_key(|span| span.start);
    let mut end = usize::from(u16_at(page, 5)?);
    let mut fragments = 0;
    if end < INTERIOR_HEADER_BYTES + 2 * children.len() {
        return None;
    }
    for span in spans {
        let fragment = page.get(end..span.start)?;
        if !is_zero(fragment) {
            return None;
        }
        fragments += fragment.len();
        end = span.end;
    }
    let is_whole = usize::from(*page.get(7)?) == fragments;
    is_whole.then_some((children, u32_at(page, 8)?))
}

/// Where each child of a page above leaves is named, and which it is.
fn cells(page: &[u8]) -> Option<Vec<(Range<usize>, Child)>> {
    let count = usize::from(u16_at(page, 3)?);
    let cells = (0..count).map(|index| {
        let start = usize::from(u16_at(page, INTERIOR_HEADER_BYTES + 2 * index)?);
        let key = page.get(start + 4..)?;
        let child = Child {
            page: u32_at(page, start)?,
            last_record: varint_of(key)?,
        };
        let shortest = varint(child.last_record);
        let end = start + 4 + shortest.len();
        key.starts_with(&shortest).then_some((start..end, child))
    });
    cells.collect()
}

/// Whether a page has no freed parts, begins its content at `content`, and is zero between what it
/// lists, which ends at `listed`, and the content.
fn is_rest_zero(page: &[u8], listed: usize, content: usize) -> bool {
    u16_at(page, 1) == Some(0)
        && u16_at(page, 5).map(usize::from) == Some(content)
        && page.get(7) == Some(&0)
        && page.get(listed..content).is_some_and(is_zero)
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

fn u16_at(page: &[u8], at: usize) -> Option<u16> {
    let bytes = page.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*bytes))
}

fn u32_at(page: &[u8], at: usize) -> Option<u32> {
    let bytes = page.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*bytes))
}

/// The number that bytes begin with, seven bits in each; none of ours has more than eight.
fn varint_of(bytes: &[u8]) -> Option<u64> {
    let mut value = 0;
    for byte in bytes.iter().take(8) {
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A number in as few bytes as it takes.
fn varint(value: u64) -> Vec<u8> {
    let groups = (u64::BITS - value.leading_zeros()).div_ceil(7).max(1);
    let group = |group: u32| (value >> (7 * group)).to_le_bytes()[0] & 0x7f;
    let more = (1..groups).rev().map(|index| group(index) | 0x80);
    more.chain([group(0)]).collect()
}

#[cfg(test)]
mod tests;
