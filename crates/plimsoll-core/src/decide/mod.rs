//! The one place where anything is decided.
//!
//! A reservation moves like this, and in no other way:
//!
//! | from \ command | reserve | commit | release | time passes |
//! |---|---|---|---|---|
//! | *(none)* | held, or committed at once if asked; or refused | not found | not found | – |
//! | held | same content: same answer; other: conflict | committed | released | expired |
//! | committed | same | same answer | released | – |
//! | released, expired | same content: the recorded end; other: conflict | conflict | same answer | – |

mod catalogue;
mod draft;
mod reserve;
mod settle;

pub use reserve::check;

use draft::Draft;

use crate::amount::Timestamp;
use crate::command::{Action, Command};
use crate::event::Log;
use crate::outcome::{Breach, Decision, Denial, Done, Outcome};
use crate::rows::Rows;

/// Decides one command against the rows that its footprint names.
///
/// Pure: the same rows, command and time give the same decision, so a store may call it as often
/// as it must. `now` may run backwards; a log's time does not.
///
/// Errors: [`Breach`] where the rows contradict each other. Nothing of it may be written then.
pub fn decide<R: Rows>(rows: &R, command: &Command, now: Timestamp) -> Result<Decision, Breach> {
    match &command.action {
        Action::Reserve(reserve) => reserve::reserve(rows, command, reserve, now),
        Action::Commit(key) => settle::commit(rows, command, key, now),
        Action::Release(key) => settle::release(rows, command, key, now),
        Action::Expire { tenant } => settle::expire(rows, command, tenant, now),
        Action::PutScope(put) => Ok(catalogue::put_scope(rows, command, put, now)),
        Action::PutLimit(put) => Ok(catalogue::put_limit(rows, command, put, now)),
        Action::DeleteLimit(delete) => Ok(catalogue::delete_limit(rows, command, delete, now)),
        Action::PutResource(_)
        | Action::PutLocation(_)
        | Action::CreatePrincipal(_)
        | Action::EnablePrincipal { .. }
        | Action::DeletePrincipal { .. } => {
            let draft = Draft::new(rows, Log::Catalogue, &command.actor, now);
            Ok(catalogue::change(draft, command))
        }
    }
}

/// A denial that changes nothing.
fn denied(denial: Denial) -> Decision {
    Decision {
        outcome: Outcome::Denied(denial),
        events: alloc::vec::Vec::new(),
    }
}

/// A success that changes nothing: it had been done before.
fn unchanged(done: Done) -> Decision {
    Decision {
        outcome: Outcome::Done(done),
        events: alloc::vec::Vec::new(),
    }
}
