//! Moves a whole ledger from one store to another, event by event, and proves that it is the same.
//!
//! What counts is each log's own chain: the bytes of its events and their hashes are the same in
//! every store, so the copy holds the same events or it is found out. What is a store's own is made
//! anew: the records of a journal and their chain, the numbers of transactions, and with them the
//! places up to which webhooks were told.
//!
//! Modules: `source` and `target`.

mod source;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use plimsoll_core::event::{Cause, Change, Event, Log, Mark};
use plimsoll_core::model::{Principal, Webhook};
use plimsoll_core::names::PrincipalId;
use tokio::runtime::{Builder, Runtime};

use self::source::Source;
use self::target::Target;
use crate::postgres::{Moved, PostgresOptions, Written};
use crate::record::{chained, event_bytes, log_name};
use crate::store::StoreError;
use crate::tables::LogHead;

/// Events, and bytes of them, that are written at once.
const BATCH_EVENTS_MAX: usize = 500;
const BATCH_BYTES_MAX: usize = 1 << 20;

/// Where a ledger is, or is to be.
#[derive(Clone, Debug)]
pub enum Ledger {
    /// In the journal of a data directory.
    Directory(PathBuf),
    /// In a PostgreSQL database.
    Database(PostgresOptions),
}

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many events are there, of so many.
    Copied(u64, u64),
    /// So much of the copy has been proved, of so much.
    Proved(u64, u64),
}

/// What is known of the source before its events are read.
#[derive(Debug, Default)]
pub struct Known {
    /// What its nodes have agreed upon, by name: the master key's seal among it.
    pub agreed: BTreeMap<String, Vec<u8>>,
    /// The webhooks, whose secrets the master key has sealed.
    pub webhooks: Vec<Webhook>,
    /// A principal whose secret the master key has sealed; none where nodes have agreed upon it.
    pub access_key: Option<Principal>,
    /// How many events there are.
    pub events: u64,
}

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Events that the source has: the copy has the same.
    pub events: u64,
    /// How many of them were there already, from an attempt that did not come to its end.
    pub events_before: u64,
    /// Logs, the catalogue's among them.
    pub logs: usize,
    /// Webhooks of which the copy notes anew how far they were told: one event each.
    pub webhooks: usize,
}

/// A source that nobody writes to, and a target that nobody serves.
#[derive(Debug)]
pub struct Copier {
    runtime: Runtime,
    source: Source,
    target: Target,
    known: Known,
    /// Where the logs of the target stand.
    there: BTreeMap<String, LogHead>,
}

impl Copier {
    /// Opens both. It waits, so it is not for a thread that answers others.
    ///
    /// Errors: where the source is served or holds nothing, where the target holds anything but
    /// the beginning of a copy.
    pub fn open(from: &Ledger, to: &Ledger) -> Result<Self, StoreError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|source| StoreError::File {
            path: PathBuf::from("."),
            verb: "used: no sockets can be had",
            source,
        })?;
        let opened = runtime.block_on(async {
            let (source, known) = Source::open(from).await?;
            let (target, there) = Target::open(to).await?;
            Ok((source, known, target, there))
        });
        let (source, known, target, there) = opened?;
        Ok(Self {
            runtime,
            source,
            target,
            known,
            there,
        })
    }

    /// What is known of the source.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// Copies all events, proves the copy, and lets it be served. What all nodes must have in
    /// common is added as it stands in `known`, and in `agreed`.
    ///
    /// Errors: nothing is lost with what was copied so far: the same again goes on from there.
    pub fn run(
        self,
        agreed: BTreeMap<String, Vec<u8>>,
        progress: impl FnMut(Step),
    ) -> Result<Copied, StoreError> {
        let Self {
            runtime,
            source,
            target,
            mut known,
            there,
        } = self;
        known.agreed.extend(agreed);
        let copying = Copying {
            source,
            target,
            there,
            progress,
            untold: BTreeMap::new(),
            heads: BTreeMap::new(),
            copied: Copied {
                events: 0,
                events_before: 0,
                logs: 0,
                webhooks: known.webhooks.len(),
            },
            known,
        };
        runtime.block_on(copying.run())
    }
}

/// A copy so far.
struct Copying<P> {
    source: Source,
    target: Target,
    known: Known,
    there: BTreeMap<String, LogHead>,
    progress: P,
    /// By webhook: the first event that it has not been told of.
    untold: BTreeMap<usize, (String, u64)>,
    /// Where the logs stand in what was read.
    heads: BTreeMap<String, LogHead>,
    copied: Copied,
}

impl<P: FnMut(Step)> Copying<P> {
    async fn run(mut self) -> Result<Copied, StoreError> {
        self.copy().await?;
        let noted = self.noted();
        self.expect_no_more(noted)?;
        let progress = &mut self.progress;
        let proved = |done, in_all| progress(Step::Proved(done, in_all));
        let heads = self.target.verify(proved).await?;
        let catalogue = self.heads.get("").copied().unwrap_or_default();
        self.heads.extend(noted.map(|head| (String::new(), head)));
        expect_same(&self.heads, &heads)?;
        self.copied.logs = self.heads.len();
        let wanted: BTreeSet<(String, u64)> = self.untold.values().cloned().collect();
        let (webhooks, untold) = (self.known.webhooks, self.untold);
        let notes = |end: u64, places: &BTreeMap<(String, u64), u64>| {
            let told = webhooks.into_iter().enumerate().map(|(index, row)| {
                let first = untold.get(&index).and_then(|key| places.get(key));
                let delivered = first.map_or(end, |first| first.saturating_sub(1));
                Webhook { delivered, ..row }
            });
            notes(catalogue, told)
        };
        self.target
            .finish(&self.known.agreed, wanted, noted.map(|it| it.chain), notes)
            .await?;
        Ok(self.copied)
    }

    /// Where the catalogue's log stands in the target, if an attempt that was ended then may have
    /// added what it does last: it is compared once it is known. A database gets that together with
    /// the end of its copy.
    fn noted(&self) -> Option<LogHead> {
        let revision = |heads: &BTreeMap<String, LogHead>| heads.get("").map(|it| it.head.revision);
        let notes = self.known.webhooks.len() as u64;
        let noted = revision(&self.heads).unwrap_or_default() + notes;
        let may_be = 0 < notes && revision(&self.there) == Some(noted);
        let there = self.there.get("").copied();
        there.filter(|_| may_be && matches!(self.target, Target::Journal(_)))
    }

    async fn copy(&mut self) -> Result<(), StoreError> {
        let mut batch: Vec<Written> = Vec::new();
        let mut bytes = 0;
        loop {
            let some = self.source.next().await?;
            if some.is_empty() {
                return self.write(&mut batch).await;
            }
            for moved in some {
                let is_first_untold = self.note_untold(&moved);
                let written = moved.written;
                if self.is_there(&written)? {
                    self.target.skip(written)?;
                    self.copied.events_before += 1;
                    continue;
                }
                let is_full = BATCH_EVENTS_MAX <= batch.len() || BATCH_BYTES_MAX <= bytes;
                if is_full || is_first_untold {
                    self.write(&mut batch).await?;
                    bytes = 0;
                }
                bytes += written.bytes.len();
                batch.push(written);
            }
        }
    }

    async fn write(&mut self, batch: &mut Vec<Written>) -> Result<(), StoreError> {
        if !batch.is_empty() {
            self.target.write(std::mem::take(batch)).await?;
        }
        let step = Step::Copied(self.copied.events, self.known.events);
        (self.progress)(step);
        Ok(())
    }

    /// Takes note of an event that webhooks have not been told of yet; whether it is the first for
    /// any. It begins a batch, as whole batches are told.
    fn note_untold(&mut self, moved: &Moved) -> bool {
        let mut is_first = false;
        for (index, webhook) in self.known.webhooks.iter().enumerate() {
            if webhook.delivered < moved.place && !self.untold.contains_key(&index) {
                let event = &moved.written.event;
                let key = (log_name(&event.log).to_owned(), event.revision);
                self.untold.insert(index, key);
                is_first = true;
            }
        }
        is_first
    }

    /// Takes note of an event; whether the target has it already.
    ///
    /// Errors: where the target has another.
    fn is_there(&mut self, written: &Written) -> Result<bool, StoreError> {
        let name = log_name(&written.event.log);
        let head = self.heads.entry(name.to_owned()).or_default();
        head.head.revision = written.event.revision;
        head.head.at = written.event.at;
        head.chain = written.chain;
        self.copied.events += 1;
        let there = self.there.get(name).copied().unwrap_or_default();
        if there.head.revision == head.head.revision && there.chain != head.chain {
            return Err(differs(name, head.head.revision));
        }
        Ok(head.head.revision <= there.head.revision)
    }

    /// Makes sure that the target has nothing that the source has not, but for what was noted.
    fn expect_no_more(&self, noted: Option<LogHead>) -> Result<(), StoreError> {
        for (name, there) in &self.there {
            let here = self.heads.get(name).copied().unwrap_or_default();
            let is_noted = name.is_empty() && noted.is_some();
            if here.head.revision < there.head.revision && !is_noted {
                return Err(differs(name, there.head.revision));
            }
        }
        Ok(())
    }
}

fn differs(name: &str, revision: u64) -> StoreError {
    StoreError::NotTheSame {
        what: format!("revision {revision} of the log of `{name}` is not the source's"),
    }
}

/// Makes sure that all logs stand the same.
fn expect_same(
    here: &BTreeMap<String, LogHead>,
    there: &BTreeMap<String, LogHead>,
) -> Result<(), StoreError> {
    let none = LogHead::default();
    for name in here.keys().chain(there.keys()) {
        let [here, there] = [here, there].map(|heads| heads.get(name).unwrap_or(&none));
        if here != there {
            return Err(differs(name, here.head.revision));
        }
    }
    Ok(())
}

/// The events that note how far webhooks were told, where their places are others than before.
fn notes(mut catalogue: LogHead, webhooks: impl Iterator<Item = Webhook>) -> Vec<Written> {
    let actor = PrincipalId::parse("system").expect("the literal is an id");
    let mut notes = Vec::new();
    for row in webhooks {
        let decided_by = catalogue.head.revision;
        catalogue.head.revision += 1;
        let event = Event {
            log: Log::Catalogue,
            revision: catalogue.head.revision,
            at: catalogue.head.at,
            actor: actor.clone(),
            cause: Cause::WebhookDelivered,
            reason: None,
            mark: Mark::Enforced,
            changes: vec![Change::Webhook(row.into())],
            crossed: Vec::new(),
        };
        let bytes = event_bytes(&event);
        catalogue.chain = chained(&catalogue.chain, &bytes);
        notes.push(Written {
            event,
            bytes,
            chain: catalogue.chain,
            catalogue: decided_by,
        });
    }
    notes
}
