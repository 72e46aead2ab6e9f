//! A refusal in words: what, where, how much of how much, how short, what to do.

use std::fmt::Write;

use plimsoll_core::amount::Ceiling;
use plimsoll_core::bounds::AMOUNT_MAX;
use plimsoll_core::outcome::Exceeded;

use super::super::wire::leaf::Time;

/// The limits told in words; the others are counted. All of them stand in `exceeded`.
const TOLD_MAX: usize = 3;

/// Tells of the limits that a reservation would pass.
pub(in crate::native) fn explain(exceeded: &[Exceeded]) -> String {
    let told: Vec<String> = exceeded.iter().take(TOLD_MAX).map(sentence).collect();
    let mut text = told.join("; ");
    let untold = exceeded.len().saturating_sub(TOLD_MAX);
    if untold > 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, "; and `{untold}` more limits, see `exceeded`");
    }
    text
}

fn sentence(exceeded: &Exceeded) -> String {
    let Exceeded {
        scope,
        item,
        used,
        held,
        asked,
        short_by,
        ..
    } = exceeded;
    let place = match &item.location {
        Some(location) => format!("`{}` at `{location}` in scope `{scope}`", item.resource),
        None => format!("`{}` in scope `{scope}`", item.resource),
    };
    let ceiling = match exceeded.ceiling {
        Ceiling::Finite(amount) => format!("the limit of `{}`", amount.units()),
        Ceiling::Unlimited => format!("the `{AMOUNT_MAX}` that can be counted"),
    };
    let (used, held) = (used.units(), held.units());
    let (asked, short_by) = (asked.units(), short_by.units());
    format!(
        "{place}: of {ceiling}, `{used}` are used and `{held}` held; asked for `{asked}`, short by `{short_by}`: {}",
        advice(exceeded)
    )
}

fn advice(exceeded: &Exceeded) -> String {
    let mut advice = String::from("release some");
    if let Some(fits_at) = exceeded.fits_at {
        let _ = write!(advice, ", try again at {}", Time(fits_at));
    }
    if let Some(sufficient) = exceeded.smallest_sufficient {
        let _ = write!(advice, ", or ask for a limit of `{}`", sufficient.units());
    }
    advice
}
