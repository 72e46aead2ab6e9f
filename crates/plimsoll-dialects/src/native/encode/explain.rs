//! A refusal in words: what, where, how much of how much, how short, what to do.

use plimsoll_core::amount::{Amount, Ceiling};
use plimsoll_core::bounds::AMOUNT_MAX;
use plimsoll_core::outcome::{Exceeded, Source};

use super::super::wire::leaf::Time;
use super::shapes::limit_to_ask_for;

/// The limits told in words; the others are counted. All of them stand in `exceeded`.
const TOLD_MAX: usize = 3;

/// Tells of the limits that a reservation would pass, then what to do.
pub(in crate::native) fn explain(exceeded: &[Exceeded]) -> String {
    let mut told: Vec<String> = exceeded.iter().take(TOLD_MAX).map(sentence).collect();
    let untold = exceeded.len().saturating_sub(TOLD_MAX);
    if untold > 0 {
        told.push(format!("and `{untold}` more limits, see `exceeded`"));
    }
    format!("{}: {}", told.join("; "), advice(exceeded))
}

fn sentence(exceeded: &Exceeded) -> String {
    let Exceeded { scope, item, .. } = exceeded;
    let place = match &item.location {
        Some(location) => format!("`{}` at `{location}` in scope `{scope}`", item.resource),
        None => format!("`{}` in scope `{scope}`", item.resource),
    };
    let ceiling = ceiling(exceeded);
    let taken = exceeded.used.plus_or_max(exceeded.held).units();
    let (used, held) = (exceeded.used.units(), exceeded.held.units());
    let (asked, short_by) = (exceeded.asked.units(), exceeded.short_by.units());
    let sufficient = exceeded.smallest_sufficient.map(Amount::units);
    let sufficient = sufficient.map_or(String::new(), |it| format!(" and takes a limit of `{it}`"));
    format!(
        "{place}: `{taken}` of {ceiling} are taken (`{used}` used, `{held}` held), so `{asked}` more is `{short_by}` too many{sufficient}"
    )
}

fn ceiling(exceeded: &Exceeded) -> String {
    let Ceiling::Finite(amount) = exceeded.ceiling else {
        return format!("the `{AMOUNT_MAX}` that can be counted");
    };
    let limit = amount.units();
    match &exceeded.source {
        Source::Default => format!("the default limit of `{limit}`"),
        Source::Tier { tier, .. } => format!("the limit of `{limit}` of tier `{tier}`"),
        Source::Limit { set_by, .. } => format!("the limit of `{limit}` set by `{set_by}`"),
        Source::NumberSpace => format!("the limit of `{limit}`"),
    }
}

/// What the caller can do himself, when it will fit, and what somebody else can do.
fn advice(exceeded: &[Exceeded]) -> String {
    let could_fit = exceeded.iter().all(|it| it.asked <= it.ceiling.amount());
    let release = match exceeded {
        [only] if could_fit => format!("release `{}`", only.short_by.units()),
        _ if could_fit => "release some".to_owned(),
        _ => "ask for less".to_owned(),
    };
    let fits_at: Option<Vec<_>> = exceeded.iter().map(|limit| limit.fits_at).collect();
    let fits_at = fits_at.and_then(|all| all.into_iter().max());
    let wait = fits_at.map(|at| format!("try again at {}, when holds lapse", Time(at)));
    let is_curable = exceeded.iter().all(|it| limit_to_ask_for(it).is_some());
    let each = match exceeded {
        [_] => "the",
        _ => "each",
    };
    let ask = format!("send {each} `increase_request` to `POST /plimsoll/v1/requests`");
    let ask = is_curable.then_some(ask);
    let ways: Vec<String> = [Some(release), wait, ask].into_iter().flatten().collect();
    match ways.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{}, or {last}", first.join(", ")),
        ways => ways.concat(),
    }
}
