//! The one place where anything is decided.
//!
//! A reservation moves like this, and in no other way:
//!
//! | from \ command | reserve | commit | release | extend | resize | transfer | time passes |
//! |---|---|---|---|---|---|---|---|
//! | *(none)* | held, or committed at once if asked; or refused | not found | not found | not found | not found | not found | – |
//! | held | same content: same answer; other: conflict | committed, all or part; the rest is freed | released, all or part | new expiry | swapped, admitted as a difference | conflict | expired |
//! | committed | same | same answer | released, all or part | conflict | swapped, admitted as a difference | in another scope | – |
//! | released, expired | same content: the recorded end; other: conflict | conflict | same answer | conflict | conflict | conflict | forgotten after the retention time |

mod admit;
mod catalogue;
mod draft;
mod limits;
mod moves;
mod requests;
mod reserve;
mod scopes;
mod settle;
mod weight;

pub(crate) use self::weight::Figure;

pub(crate) use admit::resource_of;
pub use reserve::{Admissible, check};

use draft::Draft;

use crate::amount::Timestamp;
use crate::command::{Action, Command, Grounds};
use crate::event::{Log, Mark};
use crate::outcome::{Breach, Decision, Denial, Done, Outcome};
use crate::rows::Rows;

/// Decides one command against the rows that its footprint names.
///
/// Pure: the same rows, command and time give the same decision, so a store may call it as often
/// as it must. `now` may run backwards; a log's time does not.
///
/// Errors: [`Breach`] where the rows contradict each other. Nothing of it may be written then.
pub fn decide<R: Rows>(rows: &R, command: &Command, now: Timestamp) -> Result<Decision, Breach> {
    let catalogue = || Draft::new(rows, Log::Catalogue, &command.actor, now);
    match &command.action {
        Action::Reserve(reserve) => reserve::reserve(rows, command, reserve, now),
        Action::Commit(settle) => ended(settle::commit(rows, command, settle, now)),
        Action::Release(settle) => ended(settle::release(rows, command, settle, now)),
        Action::Extend(extend) => ended(settle::extend(rows, command, extend, now)),
        Action::Resize(resize) => ended(moves::resize(rows, command, resize, now)),
        Action::Transfer(transfer) => ended(moves::transfer(rows, command, transfer, now)),
        Action::Expire { tenant } => settle::expire(rows, command, tenant, now),
        Action::Forget {
            tenant,
            ended_before,
        } => Ok(settle::forget(rows, command, tenant, *ended_before, now)),
        Action::PutScope(put) => Ok(scopes::put_scope(rows, command, put, now)),
        Action::PutLimit(put) => Ok(limits::put_limit(rows, command, put, now)),
        Action::DeleteLimit(delete) => Ok(limits::delete_limit(rows, command, delete, now)),
        Action::CountRefusals { tenant, refused } => {
            Ok(limits::count_refusals(rows, command, tenant, refused, now))
        }
        Action::SubmitRequest(submit) => ended(requests::submit(rows, command, submit, now)),
        Action::ApproveRequest(approve) => ended(requests::approve(rows, command, approve, now)),
        Action::DenyRequest(rule) => {
            ended(requests::close(rows, command, rule, now, requests::DENIED))
        }
        Action::CancelRequest(rule) => ended(requests::close(
            rows,
            command,
            rule,
            now,
            requests::CANCELLED,
        )),
        Action::PutResource(put) => Ok(catalogue::put_resource(catalogue(), put)),
        Action::PutLocation(put) => Ok(catalogue::put_location(catalogue(), put)),
        Action::PutTier(put) => Ok(catalogue::put_tier(catalogue(), put)),
        Action::CreatePrincipal(create) => {
            Ok(catalogue::create_principal(catalogue(), command, create))
        }
        Action::EnablePrincipal { id, enabled } => Ok(catalogue::enable_principal(
            catalogue(),
            command,
            id,
            *enabled,
        )),
        Action::DeletePrincipal { id } => Ok(catalogue::delete_principal(catalogue(), command, id)),
        Action::PutWebhook(put) => Ok(catalogue::put_webhook(catalogue(), put)),
        Action::DeleteWebhook { id } => Ok(catalogue::delete_webhook(catalogue(), id)),
        Action::NoteDelivered { id, delivered } => {
            Ok(catalogue::note_delivered(catalogue(), id, *delivered))
        }
    }
}

/// Why a decision ends before anything has changed.
enum Halt {
    /// The caller is told.
    Denied(Denial),
    /// The rows contradict each other.
    Breach(Breach),
}

impl From<Denial> for Halt {
    fn from(denial: Denial) -> Self {
        Halt::Denied(denial)
    }
}

impl From<Breach> for Halt {
    fn from(breach: Breach) -> Self {
        Halt::Breach(breach)
    }
}

fn ended(decision: Result<Decision, Halt>) -> Result<Decision, Breach> {
    decision.or_else(|halt| match halt {
        Halt::Denied(denial) => Ok(denied(denial)),
        Halt::Breach(breach) => Err(breach),
    })
}

/// How an event is marked that has these grounds.
fn mark_of(grounds: &Grounds) -> Mark {
    match grounds.clone() {
        Grounds::Limits => Mark::Enforced,
        Grounds::Force(reason) => Mark::Forced { reason },
        Grounds::Mend { reason, .. } => Mark::Mended { reason },
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
