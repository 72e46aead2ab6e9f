//! Where a copy comes from.

use std::collections::BTreeMap;
use std::fmt;

use plimsoll_core::model::Credential;

use super::{Known, Ledger};
use crate::postgres::{Moved, WholeDatabase, Written};
use crate::record::{chained, log_name};
use crate::sqlite::WholeJournal;
use crate::store::StoreError;
use crate::tables::{LogHead, Tables};

/// An opened source.
pub(super) enum Source {
    Journal {
        journal: WholeJournal,
        heads: BTreeMap<String, LogHead>,
    },
    Database(Box<WholeDatabase>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

impl Source {
    pub(super) async fn open(from: &Ledger) -> Result<(Self, Known), StoreError> {
        match from {
            Ledger::Directory(directory) => {
                let (journal, tables) = WholeJournal::open(directory)?;
                let heads = BTreeMap::new();
                Ok((Self::Journal { journal, heads }, known(&tables)))
            }
            Ledger::Database(options) => {
                let (database, beforehand) = WholeDatabase::open(options).await?;
                let known = Known {
                    agreed: beforehand.agreed,
                    webhooks: beforehand.webhooks,
                    access_key: None,
                    events: beforehand.events,
                };
                Ok((Self::Database(Box::new(database)), known))
            }
        }
    }

    /// The events that come next, in an order in which they can be applied; none at the end.
    pub(super) async fn next(&mut self) -> Result<Vec<Moved>, StoreError> {
        match self {
            Self::Database(database) => database.next().await,
            Self::Journal { journal, heads } => {
                let mut moved = Vec::new();
                for record in journal.next()? {
                    for (event, bytes) in record.events {
                        let catalogue = heads.get("").map_or(0, |head| head.head.revision);
                        let name = log_name(&event.log).to_owned();
                        let head = heads.entry(name).or_default();
                        head.head.revision = event.revision;
                        head.chain = chained(&head.chain, &bytes);
                        let written = Written {
                            event,
                            bytes: bytes.into(),
                            chain: head.chain,
                            catalogue,
                        };
                        let place = record.sequence;
                        moved.push(Moved { written, place });
                    }
                }
                Ok(moved)
            }
        }
    }
}

/// What is known of a journal.
fn known(tables: &Tables) -> Known {
    let mut principals = tables.principals_after(None);
    let is_sealed = |credential: &Credential| matches!(credential, Credential::AccessKey { .. });
    Known {
        agreed: BTreeMap::new(),
        webhooks: tables.webhooks().cloned().collect(),
        access_key: principals.find(|row| is_sealed(&row.credential)).cloned(),
        events: tables.logs().map(|(_, head)| head.head.revision).sum(),
    }
}
