//! The disk: it keeps the bytes of records, and loses what a disk may lose.
//!
//! What was added is volatile until it is flushed. It stands for SQLite's journal: rows that are
//! added at the end, of which the last may be torn by a crash.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::rc::Rc;

use plimsoll_store::simulation::{Journal, Misfit, Place, RecordWriter, replay};
use plimsoll_store::{StoreError, Tables};

/// What becomes of the next write, or of the flush that makes read rows durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is wrong.
    None,
    /// The disk is full.
    Full,
    /// The write fails; so many thousandths of the record are there all the same.
    WriteFails {
        /// Thousandths.
        permille: u64,
    },
    /// The flush fails and what was not flushed is gone.
    FlushFailsAndDrops,
    /// The flush fails and what was not flushed can still be read.
    FlushFailsAndKeeps,
    /// The machine fails.
    Crash(Moment, Tail),
}

/// When the machine fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the record is whole.
    Write,
    /// Before the record is flushed.
    Flush,
    /// Before anybody is answered.
    Answer,
}

/// What a crash leaves of what was not flushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Nothing.
    Lost,
    /// Everything.
    Kept,
    /// So many thousandths; the rest is cut off.
    Torn(u64),
    /// So many thousandths; the rest of the record at that place is zeros.
    Garbled(u64),
}

impl fmt::Display for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tail::Lost => f.write_str("lost"),
            Tail::Kept => f.write_str("kept"),
            Tail::Torn(permille) => write!(f, "torn-{permille}"),
            Tail::Garbled(permille) => write!(f, "garbled-{permille}"),
        }
    }
}

impl Tail {
    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('-') {
            None if text == "lost" => Some(Tail::Lost),
            None if text == "kept" => Some(Tail::Kept),
            Some(("torn", permille)) => permille.parse().ok().map(Tail::Torn),
            Some(("garbled", permille)) => permille.parse().ok().map(Tail::Garbled),
            None | Some(_) => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::None => f.write_str("well"),
            Fault::Full => f.write_str("full"),
            Fault::WriteFails { permille } => write!(f, "write-fails {permille}"),
            Fault::FlushFailsAndDrops => f.write_str("flush-fails drops"),
            Fault::FlushFailsAndKeeps => f.write_str("flush-fails keeps"),
            Fault::Crash(Moment::Write, tail) => write!(f, "crash-in-write {tail}"),
            Fault::Crash(Moment::Flush, tail) => write!(f, "crash-before-flush {tail}"),
            Fault::Crash(Moment::Answer, tail) => write!(f, "crash-before-answer {tail}"),
        }
    }
}

impl Fault {
    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        Some(match (word, rest) {
            ("well", "") => Fault::None,
            ("full", "") => Fault::Full,
            ("write-fails", permille) => Fault::WriteFails {
                permille: permille.parse().ok()?,
            },
            ("flush-fails", "drops") => Fault::FlushFailsAndDrops,
            ("flush-fails", "keeps") => Fault::FlushFailsAndKeeps,
            ("crash-in-write", tail) => Fault::Crash(Moment::Write, Tail::parse(tail)?),
            ("crash-before-flush", tail) => Fault::Crash(Moment::Flush, Tail::parse(tail)?),
            ("crash-before-answer", tail) => Fault::Crash(Moment::Answer, Tail::parse(tail)?),
            _ => return None,
        })
    }
}

/// A disk with one journal on it.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    rows: Vec<Rc<[u8]>>,
    /// How many of the rows were flushed.
    flushed: usize,
    fault: Fault,
    crashed: bool,
    /// Says that it has flushed, and has not: a bug to be found.
    lies: bool,
}

impl Disk {
    pub(crate) fn new(lies: bool) -> Self {
        Self {
            rows: Vec::new(),
            flushed: 0,
            fault: Fault::None,
            crashed: false,
            lies,
        }
    }

    /// What will go wrong next.
    pub(crate) fn set_fault(&mut self, fault: Fault) {
        self.fault = fault;
    }

    /// Whether the machine has failed since the last time somebody asked.
    pub(crate) fn take_crash(&mut self) -> bool {
        std::mem::take(&mut self.crashed)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many of the rows were flushed.
    pub(crate) fn flushed(&self) -> usize {
        self.flushed
    }

    /// Changes one byte of a row.
    pub(crate) fn rot(&mut self, row: usize, permille: u64) {
        let mut bytes = self.rows[row].to_vec();
        let place = part_of(bytes.len(), permille).min(bytes.len() - 1);
        bytes[place] ^= 0x20;
        self.rows[row] = bytes.into();
    }

    fn append(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        match self.fault {
            Fault::Full => Err(io::ErrorKind::StorageFull.into()),
            Fault::WriteFails { permille } => {
                let part = part_of(bytes.len(), permille);
                self.rows.push(bytes[..part].into());
                Err(io::Error::other("the write failed"))
            }
            Fault::Crash(Moment::Write, tail) => {
                // A crash amid a write leaves a whole record only where all of it was written.
                let part = part_of(bytes.len(), 900);
                self.rows.push(bytes[..part].into());
                self.crash(tail);
                Err(io::Error::other("the machine failed"))
            }
            Fault::None
            | Fault::FlushFailsAndDrops
            | Fault::FlushFailsAndKeeps
            | Fault::Crash(Moment::Flush | Moment::Answer, _) => {
                self.rows.push(bytes.into());
                Ok(())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.fault {
            Fault::FlushFailsAndDrops => {
                self.rows.truncate(self.flushed);
                return Err(io::Error::other("the flush failed"));
            }
            Fault::FlushFailsAndKeeps => return Err(io::Error::other("the flush failed")),
            Fault::Crash(Moment::Write | Moment::Flush, tail) => {
                self.crash(tail);
                return Err(io::Error::other("the machine failed"));
            }
            Fault::None
            | Fault::Full
            | Fault::WriteFails { .. }
            | Fault::Crash(Moment::Answer, _) => {}
        }
        if !self.lies {
            self.flushed = self.rows.len();
        }
        if let Fault::Crash(_, tail) = self.fault {
            self.crash(tail);
        }
        Ok(())
    }

    /// The machine fails: what was not flushed may be lost, kept or torn.
    pub(crate) fn crash(&mut self, tail: Tail) {
        self.crashed = true;
        let kept = match tail {
            Tail::Lost => 0,
            Tail::Kept => return,
            Tail::Torn(permille) | Tail::Garbled(permille) => {
                let volatile = &self.rows[self.flushed..];
                part_of(volatile.iter().map(|row| row.len()).sum(), permille)
            }
        };
        let mut left = kept;
        for index in self.flushed..self.rows.len() {
            let row = &self.rows[index];
            if row.len() <= left {
                left -= row.len();
                continue;
            }
            let mut torn = row[..left].to_vec();
            if let Tail::Garbled(_) = tail {
                torn.resize(row.len(), 0);
            }
            self.rows[index] = torn.into();
            self.rows
                .truncate(if left == 0 { index } else { index + 1 });
            return;
        }
    }
}

/// Some thousandths of a length.
fn part_of(len: usize, permille: u64) -> usize {
    let permille = usize::try_from(permille.min(1_000)).expect("it is at most 1,000");
    len * permille / 1_000
}

/// The journal on the disk.
#[derive(Debug)]
pub(crate) struct DiskJournal {
    disk: Rc<RefCell<Disk>>,
    tip: Place,
}

impl DiskJournal {
    pub(crate) fn new(disk: Rc<RefCell<Disk>>) -> Self {
        Self {
            disk,
            tip: Place::default(),
        }
    }
}

impl Journal for DiskJournal {
    fn next_record(&self) -> RecordWriter {
        self.tip.next_record()
    }

    fn write(&mut self, record: RecordWriter) -> Result<(), StoreError> {
        let (bytes, hash) = record.finish();
        let mut disk = self.disk.borrow_mut();
        disk.append(bytes)
            .and_then(|()| disk.flush())
            .map_err(failed("written"))?;
        self.tip = self.tip.next(hash);
        Ok(())
    }

    /// Reads all records. The last one, where it is torn and was never flushed, is dropped; any
    /// other that is not as it was written is refused.
    fn reload(&mut self) -> Result<Tables, StoreError> {
        let mut disk = self.disk.borrow_mut();
        let read = |disk: &Disk| replay(disk.rows.iter().map(|row| &**row));
        let replayed = match read(&disk) {
            Err((sequence, Misfit::Damaged(_)))
                if disk.flushed < disk.rows.len() && is_last(&disk, sequence) =>
            {
                disk.rows.pop();
                read(&disk)
            }
            replayed => replayed,
        };
        let (tables, tip) = replayed.map_err(|(sequence, misfit)| StoreError::Damaged {
            path: "disk".into(),
            what: format!("record {sequence}: {misfit}"),
            remedy: "find out why",
        })?;
        disk.flush().map_err(failed("flushed"))?;
        self.tip = tip;
        Ok(tables)
    }
}

fn is_last(disk: &Disk, sequence: u64) -> bool {
    u64::try_from(disk.rows.len()).is_ok_and(|len| len == sequence)
}

fn failed(verb: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::File {
        path: "disk".into(),
        verb,
        source,
    }
}
