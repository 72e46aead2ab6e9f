//! What came of a batch as protobuf, for which `proto/plimsoll/v1/batch.proto` is the schema.
//!
//! Every wire type is taken apart whole: a member that the JSON gains must be told here too.

use super::super::wire::leaf::{Limit, Time};
use super::super::wire::protobuf::Writer;
use super::super::wire::replies;
use super::super::wire::replies::{
    Asked, AskedLine, Exceeded, IncreaseRequest, LimitSet, Line, Problem, Reservation,
};
use super::BatchOutcome;
use plimsoll_core::amount::Ceiling;

/// A `BatchResponse`, with room for so many bytes.
pub(super) fn batch(outcomes: &[BatchOutcome], bytes: usize) -> Vec<u8> {
    let mut to = Writer::with_capacity(bytes);
    for outcome in outcomes {
        to.message(1, |to| outcome.told(|told| write_outcome(to, &told)));
    }
    to.done()
}

fn write_outcome(to: &mut Writer, outcome: &replies::BatchOutcome<'_>) {
    let replies::BatchOutcome {
        status,
        reservation,
        problem,
    } = outcome;
    to.number(1, *status);
    if let Some(reservation) = reservation {
        to.message(2, |to| write_reservation(to, reservation));
    }
    if let Some(problem) = problem {
        to.message(3, |to| write_problem(to, problem));
    }
}

fn write_reservation(to: &mut Writer, reservation: &Reservation<'_>) {
    let Reservation {
        id,
        state,
        scope,
        tenant,
        lines,
        asked,
        forced,
        holder,
        attributes,
        created_at,
        expires_at,
        ended_at,
        revision,
        warnings,
    } = reservation;
    to.text(1, id);
    to.number(2, state_number(state));
    to.text(3, scope);
    to.text(4, tenant);
    for line in lines {
        to.message(5, |to| write_line(to, line));
    }
    if let Some(asked) = asked {
        to.message(6, |to| write_asked(to, asked));
    }
    to.optional_text(7, *forced);
    to.optional_text(8, *holder);
    for (name, text) in attributes {
        to.message(9, |to| {
            to.text(1, name);
            to.text(2, text);
        });
    }
    to.number(10, ms(created_at));
    to.optional_number(11, expires_at.as_ref().map(ms));
    to.optional_number(12, ended_at.as_ref().map(ms));
    to.number(13, *revision);
    for warning in warnings {
        to.message(14, |to| write_exceeded(to, warning));
    }
}

/// The number of a state, as `State::name` spells it.
fn state_number(name: &str) -> u64 {
    match name {
        "held" => 1,
        "committed" => 2,
        "released" => 3,
        "expired" => 4,
        _ => 0,
    }
}

fn write_line(to: &mut Writer, line: &Line<'_>) {
    let Line {
        resource,
        location,
        amount,
    } = line;
    to.text(1, resource);
    to.optional_text(2, *location);
    to.number(3, *amount);
}

fn write_asked(to: &mut Writer, asked: &Asked<'_>) {
    let Asked { scope, lines } = asked;
    to.text(1, scope);
    for line in lines {
        let AskedLine {
            resource,
            location,
            amount,
            at_least,
        } = line;
        to.message(2, |to| {
            to.text(1, resource);
            to.optional_text(2, *location);
            to.number(3, *amount);
            to.number(4, *at_least);
        });
    }
}

fn write_exceeded(to: &mut Writer, exceeded: &Exceeded<'_>) {
    let Exceeded {
        scope,
        resource,
        location,
        limit,
        mode,
        limit_source,
        limit_set,
        tier,
        used,
        held,
        asked,
        short_by,
        smallest_sufficient_limit,
        fits_at,
        increase_request,
    } = exceeded;
    to.text(1, scope);
    to.text(2, resource);
    to.optional_text(3, *location);
    to.message(4, |to| write_ceiling(to, *limit));
    to.text(5, mode);
    to.text(6, limit_source);
    if let Some(set) = limit_set {
        to.message(7, |to| write_limit_set(to, set));
    }
    to.optional_text(8, *tier);
    to.number(9, *used);
    to.number(10, *held);
    to.number(11, *asked);
    to.number(12, *short_by);
    to.optional_number(13, *smallest_sufficient_limit);
    to.optional_number(14, fits_at.as_ref().map(ms));
    if let Some(request) = increase_request {
        to.message(15, |to| write_increase_request(to, request));
    }
}

fn write_ceiling(to: &mut Writer, Limit(ceiling): Limit) {
    match ceiling {
        Ceiling::Finite(amount) => to.optional_number(1, Some(amount.units())),
        Ceiling::Unlimited => to.optional_number(2, Some(1)),
    }
}

fn write_limit_set(to: &mut Writer, set: &LimitSet<'_>) {
    let LimitSet {
        location,
        starts_at,
        ends_at,
        set_by,
        reason,
        request,
        revision,
    } = set;
    to.optional_text(1, *location);
    to.optional_number(2, starts_at.as_ref().map(ms));
    to.optional_number(3, ends_at.as_ref().map(ms));
    to.text(4, set_by);
    to.text(5, reason);
    to.optional_text(6, *request);
    to.number(7, *revision);
}

fn write_increase_request(to: &mut Writer, request: &IncreaseRequest<'_>) {
    let IncreaseRequest {
        scope,
        resource,
        location,
        limit,
    } = request;
    to.text(1, scope);
    to.text(2, resource);
    to.optional_text(3, *location);
    to.number(4, *limit);
}

fn write_problem(to: &mut Writer, problem: &Problem<'_>) {
    let Problem {
        r#type,
        title,
        status,
        code,
        detail,
        pointer,
        parameter,
        header,
        exceeded,
        state,
        request,
        present_limit,
        revision,
        retry_after_seconds,
        request_id,
    } = problem;
    to.text(1, r#type);
    to.text(2, title);
    to.number(3, *status);
    to.text(4, code);
    to.text(5, detail);
    to.optional_text(6, *pointer);
    to.optional_text(7, *parameter);
    to.optional_text(8, *header);
    for exceeded in exceeded {
        to.message(9, |to| write_exceeded(to, exceeded));
    }
    to.optional_text(10, *state);
    to.optional_text(11, *request);
    if let Some(limit) = present_limit {
        to.message(12, |to| write_ceiling(to, *limit));
    }
    to.optional_number(13, *revision);
    to.optional_number(14, retry_after_seconds.map(u64::from));
    to.optional_text(15, *request_id);
}

fn ms(Time(instant): &Time) -> u64 {
    instant.ms()
}
