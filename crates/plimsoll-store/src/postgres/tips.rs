//! Where the logs of a database stand: kept where nobody can reach it, and expected again later.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::names::damaged;
use super::session::Fault;
use super::verify::owner;
use crate::record::Hash;
use crate::tables::LogHead;

/// The last event of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogTip {
    /// Its revision; 0 where the log has no event.
    pub revision: u64,
    /// Its hash, which chains all events of the log before it.
    pub chain: Hash,
}

/// The last event of every log, by tenant; the catalogue's name is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tips(pub BTreeMap<String, LogTip>);

impl Tips {
    pub(super) fn of(heads: &BTreeMap<String, LogHead>) -> Self {
        let tips = heads.iter().map(|(name, head)| {
            let tip = LogTip {
                revision: head.head.revision,
                chain: head.chain,
            };
            (name.clone(), tip)
        });
        Self(tips.collect())
    }

    /// One hash of all: the same wherever all logs stand the same.
    pub fn hash(&self) -> Hash {
        let mut digest = Sha256::new();
        for (name, tip) in &self.0 {
            digest.update(name);
            digest.update([0]);
            digest.update(tip.revision.to_le_bytes());
            digest.update(tip.chain);
        }
        digest.finalize().into()
    }

    /// The tip that is expected of a log, which comes next in the order of tenants.
    ///
    /// Errors: where one was to come before.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<LogTip>, Fault> {
        self.expect_none_before(Some(name))?;
        Ok(self.0.remove(name))
    }

    /// Makes sure that none is left that was to come before a log, or before the end.
    pub(super) fn expect_none_before(&self, name: Option<&str>) -> Result<(), Fault> {
        match self.0.first_key_value() {
            Some((first, tip)) if name.is_none_or(|name| first.as_str() < name) => {
                Err(damaged(format!(
                    "the log of {} is missing, and the kept tip has its revision {}",
                    owner(first),
                    tip.revision
                )))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl LogTip {
    /// Makes sure that an event is the one that is expected, where it has that revision.
    pub(super) fn expect_event(
        &self,
        name: &str,
        revision: u64,
        chain: &Hash,
    ) -> Result<(), Fault> {
        if revision == self.revision && *chain != self.chain {
            return Err(damaged(format!(
                "revision {revision} of {} is not the one of the kept tip: it or one before it \
                 was exchanged",
                owner(name)
            )));
        }
        Ok(())
    }

    /// Makes sure that a log that ends at a revision has come as far.
    pub(super) fn expect_reached(&self, name: &str, end: u64) -> Result<(), Fault> {
        if end < self.revision {
            return Err(damaged(format!(
                "the log of {} ends at revision {end}, and the kept tip has its revision {}: what \
                 came last was cut off",
                owner(name),
                self.revision
            )));
        }
        Ok(())
    }
}
