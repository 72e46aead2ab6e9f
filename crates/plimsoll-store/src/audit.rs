//! Judges every admission once more, from the log alone.
//!
//! It does not ask [`decide`](plimsoll_core::decide::decide): it looks at what an event has made of
//! the accounts, and at the limits that were in force just before.
//!
//! | event | may make an account heavier |
//! |---|---|
//! | reserved, resized, transferred; enforced | up to the ceiling that counts for the account |
//! | reserved, resized, transferred; passed | beyond those ceilings alone that its mark names, which let pass |
//! | reserved, resized, transferred; forced or mended | as far as numbers go; it is counted |
//! | any other | never |

use std::collections::BTreeMap;
use std::fmt;

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::ceilings::{self, Effective};
use plimsoll_core::event::{Cause, Change, Event, Mark};
use plimsoll_core::model::{Item, Mode};
use plimsoll_core::names::{LocationId, ScopeId};
use plimsoll_core::rows::Rows;

use crate::record::log_name;
use crate::tables::Tables;

/// What was judged so far.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    /// Enforced admissions that were found to keep to every limit.
    pub(crate) admissions: u64,
    /// The other admissions, by the name of their mark.
    pub(crate) marked: BTreeMap<&'static str, u64>,
}

/// An event that should not have been.
#[derive(Debug)]
pub(crate) struct Unsound {
    tenant: String,
    revision: u64,
    what: String,
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tenant,
            revision,
            what,
        } = self;
        write!(f, "revision {revision} of `{tenant}` {what}")
    }
}

impl Audit {
    /// Judges an event by the rows as they were right before it.
    pub(crate) fn judge(&mut self, rows: &Tables, event: &Event) -> Result<(), Unsound> {
        let heavier = heavier(rows, event);
        let unsound = |what: String| Unsound {
            tenant: log_name(&event.log).to_owned(),
            revision: event.revision,
            what,
        };
        if !admits(event.cause) {
            return match heavier.first() {
                None => Ok(()),
                Some(more) => Err(unsound(format!("lets {more}, and is no admission"))),
            };
        }
        let passed: &[_] = match &event.mark {
            Mark::Enforced => {
                self.admissions += 1;
                &[]
            }
            Mark::Passed { limits } => {
                self.mark(event);
                limits
            }
            Mark::Forced { .. } | Mark::Mended { .. } => {
                self.mark(event);
                return Ok(());
            }
        };
        let user = user(event).ok_or_else(|| unsound("admits no reservation".to_owned()))?;
        for more in heavier {
            let effective = effective(rows, user, &more, event.at)
                .ok_or_else(|| unsound(format!("lets {more}, of which there is no such thing")))?;
            let ceiling = effective.ceiling();
            let mode = effective.mode();
            let is_named = passed
                .iter()
                .any(|(scope, item, how)| scope == more.scope && item == more.item && *how == mode);
            let lets_pass = mode != Mode::Enforce && is_named;
            if ceiling.amount() < more.taken && !lets_pass {
                let most = units(ceiling);
                return Err(unsound(format!("lets {more}, and the ceiling is {most}")));
            }
        }
        Ok(())
    }
}

impl Audit {
    /// Counts an admission that did not have to keep to every limit.
    fn mark(&mut self, event: &Event) {
        *self.marked.entry(event.mark.name()).or_default() += 1;
    }
}

/// An account that an event makes heavier.
struct More<'a> {
    scope: &'a ScopeId,
    item: &'a Item,
    taken: Amount,
}

impl fmt::Display for More<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, item, taken } = self;
        write!(f, "`{scope}` take {} of `{}", taken.units(), item.resource)?;
        if let Some(location) = item.location.as_ref().map(LocationId::as_str) {
            write!(f, "@{location}")?;
        }
        f.write_str("`")
    }
}

/// The accounts that an event makes heavier. Where it has several values of one, each counts.
fn heavier<'a>(rows: &Tables, event: &'a Event) -> Vec<More<'a>> {
    let more = event.changes.iter().filter_map(|change| {
        let Change::Account {
            scope,
            item,
            account,
        } = change
        else {
            return None;
        };
        let taken = account.taken();
        let before = rows.account(scope, item).taken();
        (before < taken).then_some(More { scope, item, taken })
    });
    more.collect()
}

/// Whether an event of this cause may let somebody take more.
fn admits(cause: Cause) -> bool {
    match cause {
        Cause::Reserved | Cause::Resized | Cause::Transferred => true,
        Cause::Committed
        | Cause::Released
        | Cause::Expired
        | Cause::Extended
        | Cause::Forgotten
        | Cause::ResourcePut
        | Cause::LocationPut
        | Cause::ScopePut
        | Cause::LimitPut
        | Cause::LimitDeleted
        | Cause::PrincipalCreated
        | Cause::PrincipalChanged
        | Cause::PrincipalDeleted
        | Cause::TierPut
        | Cause::RefusalsCounted
        | Cause::RequestSubmitted
        | Cause::RequestApproved
        | Cause::RequestDenied
        | Cause::RequestCancelled
        | Cause::WebhookPut
        | Cause::WebhookDeleted
        | Cause::WebhookDelivered => false,
    }
}

/// The scope that uses what an event admits.
fn user(event: &Event) -> Option<&ScopeId> {
    event.changes.iter().find_map(|change| {
        if let Change::Reservation(row) = change {
            Some(&row.scope)
        } else {
            None
        }
    })
}

/// What counted for an account at an instant; `None` where the scope or the resource does not
/// exist.
fn effective<'a>(
    rows: &'a Tables,
    user: &ScopeId,
    more: &More<'_>,
    at: Timestamp,
) -> Option<Effective<'a>> {
    let scope = rows.scope(more.scope)?;
    let resource = rows.resource(&more.item.resource)?;
    Some(ceilings::at(rows, scope, user, resource, more.item, at))
}

fn units(ceiling: Ceiling) -> String {
    match ceiling {
        Ceiling::Finite(amount) => amount.units().to_string(),
        Ceiling::Unlimited => "unlimited".to_owned(),
    }
}

#[cfg(test)]
mod tests;
