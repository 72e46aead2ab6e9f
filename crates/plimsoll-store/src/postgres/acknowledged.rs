//! What this node has acknowledged: a database that has lost any of it is not believed.
//!
//! After a failover to a standby that was behind, or a restore of an older backup, the database
//! knows less than callers were told. Whoever goes on then admits twice. So a node notes on its own
//! disk the last revision of each tenant that it acknowledged, and leaves a tenant alone whose log
//! does not reach that far.
//!
//! The file has a line for each note: the revision, the hash, the tenant. The last line of a tenant
//! counts, and one that was cut off does not. It is not flushed: it need not outlive the machine
//! and the database both, and a process that is killed leaves it whole.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use plimsoll_core::event::Log;

use super::batch::Written;
use super::names::scope_id;
use super::session::Fault;
use crate::record::log_name;
use crate::store::StoreError;
use crate::tables::Tables;

/// Tenants that are noted; those beyond are not.
const TENANTS_MAX: usize = 1_000_000;

/// Lines that are superfluous, beyond which the file is written anew.
const SUPERFLUOUS_MAX: usize = 200_000;

/// The last event of a log that was acknowledged.
#[derive(Clone, Debug)]
struct Noted {
    revision: u64,
    /// In hexadecimal digits.
    chain: String,
}

/// What was acknowledged.
#[derive(Debug, Default)]
pub(super) struct Acknowledged(Mutex<Notes>);

#[derive(Debug, Default)]
struct Notes {
    tenants: HashMap<String, Noted>,
    path: Option<PathBuf>,
    file: Option<File>,
    lines: usize,
    /// Whether the file may end within a line, which the next one would go on with.
    is_torn: bool,
}

impl Acknowledged {
    /// Reads what an earlier process has noted; without a file, nothing outlives this one.
    ///
    /// Errors: [`StoreError::File`] where the file cannot be used.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, StoreError> {
        let mut notes = Notes::default();
        if let Some(path) = path {
            let failed = |source| StoreError::File {
                path: path.to_owned(),
                verb: "read and written",
                source,
            };
            match std::fs::read_to_string(path) {
                Ok(text) => notes.read(&text),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
            notes.path = Some(path.to_owned());
            notes.rewrite().map_err(failed)?;
        }
        Ok(Self(Mutex::new(notes)))
    }

    /// Takes note of what is about to be acknowledged.
    pub(super) fn note(&self, events: &[Written]) {
        let mut notes = self.lock();
        let mut lines = String::new();
        let last: HashMap<&str, &Written> = events
            .iter()
            .map(|written| (log_name(&written.event.log), written))
            .collect();
        for (name, written) in last {
            let noted = Noted {
                revision: written.event.revision,
                chain: hex(&written.chain),
            };
            let has_room = notes.tenants.len() < TENANTS_MAX;
            let known = notes.tenants.get(name);
            let is_news = known.map_or(has_room, |known| known.revision < noted.revision);
            if is_news {
                line(&mut lines, name, &noted);
                notes.tenants.insert(name.to_owned(), noted);
                notes.lines += 1;
            }
        }
        if let Err(error) = notes.append(lines.as_bytes()) {
            tracing::error!(%error, "what is acknowledged could not be noted");
        }
    }

    /// How far the logs of tenants and the catalogue's must reach that are read from now on.
    pub(super) fn floor(&self, tenants: &[&str]) -> Floor {
        let notes = self.lock();
        let names = tenants.iter().copied().chain([""]);
        let noted =
            names.filter_map(|name| Some((name.to_owned(), notes.tenants.get(name)?.clone())));
        Floor(noted.collect())
    }

    /// Whether there may be tenants that are not noted.
    pub(super) fn is_full(&self) -> bool {
        TENANTS_MAX <= self.lock().tenants.len()
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far logs must reach.
pub(super) struct Floor(Vec<(String, Noted)>);

impl Floor {
    /// Makes sure that logs that were read since reach as far as was acknowledged.
    ///
    /// Errors: [`Fault::Behind`].
    pub(super) fn check(&self, tables: &Tables) -> Result<(), Fault> {
        for (name, noted) in &self.0 {
            let log = match name.as_str() {
                "" => Log::Catalogue,
                tenant => Log::Tenant(scope_id(tenant)?),
            };
            let found = tables.log(&log);
            let revision = found.head.revision;
            let is_other = revision == noted.revision && hex(&found.chain) != noted.chain;
            if revision < noted.revision || is_other {
                return Err(Fault::Behind {
                    log: format!("the log of `{name}`"),
                    found: revision,
                    noted: noted.revision,
                });
            }
        }
        Ok(())
    }
}

impl Notes {
    fn read(&mut self, text: &str) {
        for line in text.split_inclusive('\n') {
            let words: Vec<&str> = line.trim_end_matches('\n').split(' ').collect();
            let [revision, chain, tenant] = words[..] else {
                continue;
            };
            if let (true, Ok(revision)) = (line.ends_with('\n'), revision.parse()) {
                let chain = chain.to_owned();
                let noted = Noted { revision, chain };
                self.tenants.insert(tenant.to_owned(), noted);
            }
        }
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        if !self.is_torn {
            let written = file.write_all(lines);
            self.is_torn = written.is_err();
            written?;
        }
        if self.is_torn || self.tenants.len() + SUPERFLUOUS_MAX < self.lines {
            self.rewrite()?;
        }
        Ok(())
    }

    /// Writes the file anew, a line for each tenant.
    fn rewrite(&mut self) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let mut lines = String::new();
        for (name, noted) in &self.tenants {
            line(&mut lines, name, noted);
        }
        let unfinished = path.with_extension("new");
        let written = std::fs::write(&unfinished, lines);
        if written.is_err() {
            // Half of it would take what room there is.
            let _ = std::fs::remove_file(&unfinished);
        }
        written?;
        std::fs::rename(&unfinished, path)?;
        self.file = Some(OpenOptions::new().append(true).open(path)?);
        self.lines = self.tenants.len();
        self.is_torn = false;
        Ok(())
    }
}

fn line(lines: &mut String, name: &str, noted: &Noted) {
    lines.push_str(&format!("{} {} {name}\n", noted.revision, noted.chain));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
