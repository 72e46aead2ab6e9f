//! The journals that there are.

use crate::StoreError;
use crate::engine::Journal;
use crate::record::RecordWriter;
use crate::replay::Place;
use crate::sqlite::{self, Reopen};
use crate::tables::Tables;

/// What makes a store's records durable.
#[derive(Debug)]
pub(crate) enum Sink {
    /// Nothing does.
    Memory,
    /// The journal file.
    File(Box<sqlite::Journal>),
    /// The journal file, given up after a failed write and not opened anew yet.
    Closed(Reopen),
}

impl Journal for Sink {
    fn next_record(&self) -> RecordWriter {
        match self {
            Sink::Memory | Sink::Closed(_) => Place::default().next_record(),
            Sink::File(journal) => journal.next_record(),
        }
    }

    fn write(&mut self, record: RecordWriter) -> Result<(), StoreError> {
        match self {
            Sink::Memory => Ok(()),
            Sink::File(journal) => journal.write(record),
            Sink::Closed(_) => Err(StoreError::Unavailable),
        }
    }

    /// Gives the file up and opens it anew, so that nothing that was read before is trusted.
    fn reload(&mut self) -> Result<Tables, StoreError> {
        let reopen = match std::mem::replace(self, Sink::Memory) {
            Sink::Memory => return Err(StoreError::Unavailable),
            Sink::File(journal) => journal.close(),
            Sink::Closed(reopen) => reopen,
        };
        match reopen.load() {
            Ok((journal, tables)) => {
                *self = Sink::File(Box::new(journal));
                Ok(tables)
            }
            Err(error) => {
                *self = Sink::Closed(reopen);
                Err(error)
            }
        }
    }
}
