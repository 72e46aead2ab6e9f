//! What a denial is to a caller: a code and a text.

use plimsoll_core::amount::Ceiling;
use plimsoll_core::bounds::SCOPE_DEPTH_MAX;
use plimsoll_core::outcome::Denial;

use super::super::encode::explain::explain;
use super::{Code, NOT_FOUND, Problem};

impl Problem {
    /// What a denial is to a caller.
    pub fn from_denial(denial: &Denial) -> Problem {
        let problem = Problem::new(code_of(denial), detail_of(denial));
        match denial {
            Denial::StateConflict { state } => problem.with(|content| content.state = Some(state)),
            Denial::PreconditionFailed { actual } => {
                problem.with(|content| content.revision = *actual)
            }
            Denial::RequestPending(id) => {
                problem.with(|content| content.request = Some(id.clone()))
            }
            Denial::NotAnIncrease { present } => {
                problem.with(|content| content.present = Some(*present))
            }
            Denial::QuotaExceeded(exceeded) => {
                problem.with(|content| content.exceeded = exceeded.clone())
            }
            Denial::UnknownScope(_)
            | Denial::UnknownResource(_)
            | Denial::UnknownLocation(_)
            | Denial::UnknownTier(_)
            | Denial::NotAdjustable(_)
            | Denial::EndsInThePast
            | Denial::LocationRequired(_)
            | Denial::LocationNotApplicable(_)
            | Denial::NotFound
            | Denial::IdConflict
            | Denial::NotAPart
            | Denial::OtherTenant
            | Denial::Immutable { .. }
            | Denial::TooDeep
            | Denial::TooMany { .. }
            | Denial::RoleTooWide
            | Denial::OwnPrincipal => problem,
        }
    }
}

fn code_of(denial: &Denial) -> Code {
    match denial {
        Denial::UnknownScope(_) => Code::UnknownScope,
        Denial::UnknownResource(_) => Code::UnknownResource,
        Denial::UnknownLocation(_) => Code::UnknownLocation,
        Denial::UnknownTier(_) => Code::UnknownTier,
        Denial::NotAdjustable(_) => Code::NotAdjustable,
        Denial::NotAnIncrease { .. } => Code::NotAnIncrease,
        Denial::RequestPending(_) => Code::RequestPending,
        Denial::EndsInThePast => Code::EndsInThePast,
        Denial::LocationRequired(_) => Code::LocationRequired,
        Denial::LocationNotApplicable(_) => Code::LocationNotApplicable,
        Denial::NotFound => Code::NotFound,
        Denial::IdConflict => Code::IdConflict,
        Denial::StateConflict { .. } => Code::StateConflict,
        Denial::NotAPart => Code::NotAPart,
        Denial::OtherTenant => Code::OtherTenant,
        Denial::PreconditionFailed { .. } => Code::PreconditionFailed,
        Denial::Immutable { .. } => Code::Immutable,
        Denial::TooDeep => Code::TooDeep,
        Denial::TooMany { .. } => Code::TooMany,
        Denial::RoleTooWide => Code::RoleTooWide,
        Denial::OwnPrincipal => Code::OwnPrincipal,
        Denial::QuotaExceeded(_) => Code::QuotaExceeded,
    }
}

fn detail_of(denial: &Denial) -> String {
    match denial {
        Denial::UnknownScope(id) => {
            format!("the scope `{id}` does not exist, or not within your reach: look at the id")
        }
        Denial::UnknownResource(name) => {
            format!("the resource `{name}` is not in the catalogue: an admin can define it")
        }
        Denial::UnknownLocation(id) => {
            format!("the location `{id}` is not in the catalogue: an admin can define it")
        }
        Denial::LocationRequired(name) => {
            format!("`{name}` is counted per location: give a `location`")
        }
        Denial::LocationNotApplicable(name) => {
            format!("`{name}` is not counted per location: leave `location` out")
        }
        Denial::UnknownTier(name) => {
            format!("the tier `{name}` is not in the catalogue: an admin can define it")
        }
        Denial::NotFound => NOT_FOUND.to_owned(),
        Denial::IdConflict => "the id is taken, with other content: choose another id".to_owned(),
        Denial::StateConflict { state } => state_conflict(state),
        Denial::NotAPart => {
            "the lines are more than the reservation takes: read it and name a part of it"
                .to_owned()
        }
        Denial::OtherTenant => {
            "a reservation stays within its tenant: release it and reserve it there".to_owned()
        }
        Denial::PreconditionFailed {
            actual: Some(revision),
        } => format!(
            "the revision is `{revision}`, not the one that you name: read it and decide anew"
        ),
        Denial::PreconditionFailed { actual: None } => {
            "nothing is there: leave `if-match` out".to_owned()
        }
        Denial::NotAdjustable(name) => {
            format!("limits of `{name}` are not raised on request: a manager may set one")
        }
        Denial::NotAnIncrease { present } => not_an_increase(*present),
        Denial::RequestPending(id) => {
            format!(
                "the request `{id}` is for the same and pending: wait for it, or cancel it and ask again"
            )
        }
        Denial::EndsInThePast => {
            "the limit would be over before it is set: give an end that is to come, or none"
                .to_owned()
        }
        Denial::Immutable { field } => {
            format!("`{field}` never changes once it is set: make a new one")
        }
        Denial::TooDeep => {
            format!("a tree has `{SCOPE_DEPTH_MAX}` levels at most: choose a parent further up")
        }
        Denial::TooMany { max } => {
            format!("there may be `{max}` of these at most: change one that is there")
        }
        Denial::RoleTooWide => {
            "new tenants and admins take the whole server: stay within a scope that you reach"
                .to_owned()
        }
        Denial::OwnPrincipal => "you call with this principal: call with another one".to_owned(),
        Denial::QuotaExceeded(exceeded) => explain(exceeded),
    }
}

/// Why a request asks for too little.
fn not_an_increase(present: Ceiling) -> String {
    match present {
        Ceiling::Finite(amount) => format!(
            "the limit is `{}` already: ask for more than that",
            amount.units()
        ),
        Ceiling::Unlimited => "nothing limits it already: no request is needed".to_owned(),
    }
}

/// Why a state does not allow it: a hold cannot be transferred, what is used cannot be extended,
/// and what has ended, or is decided, stays as it is.
fn state_conflict(state: &str) -> String {
    match state {
        "held" => "the reservation is `held`, and only what is committed can be transferred: commit it first".to_owned(),
        "committed" => "the reservation is `committed`, and only a hold can be extended: it lasts until you release it".to_owned(),
        "approved" | "denied" | "cancelled" => {
            format!("the request is `{state}`, which is its end: submit another one")
        }
        _ => format!("the reservation is `{state}`, which is its end: reserve under a new id"),
    }
}
