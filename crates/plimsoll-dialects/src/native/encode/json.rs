//! What came of a batch as JSON: byte for byte what the wire types say of themselves.
//!
//! A batch has thousands of reservations that differ in little. What all have is written as it
//! stands, names need no escaping, and an instant is spelled once for all that follow with the
//! same. What few have is left to the wire types. They are taken apart whole: a member that they
//! gain must be told here too.

use plimsoll_core::amount::Timestamp;
use serde::Serialize;

use super::super::wire::leaf::Time;
use super::super::wire::replies;
use super::super::wire::replies::{Line, Reservation};
use super::{BatchOutcome, append};

/// A `replies::Batch`, with room for so many bytes.
pub(super) fn batch(outcomes: &[BatchOutcome], bytes: usize) -> Vec<u8> {
    let mut to = Writer {
        json: Vec::with_capacity(bytes),
        created_at: Instant::default(),
        expires_at: Instant::default(),
    };
    to.raw(r#"{"outcomes":["#);
    for (index, outcome) in outcomes.iter().enumerate() {
        if 0 < index {
            to.raw(",");
        }
        outcome.told(|told| to.outcome(&told));
    }
    to.raw("]}");
    to.json
}

struct Writer {
    json: Vec<u8>,
    created_at: Instant,
    expires_at: Instant,
}

/// An instant as it was spelled last.
#[derive(Default)]
struct Instant {
    at: Option<Timestamp>,
    json: Vec<u8>,
}

impl Instant {
    fn json(&mut self, time: Time) -> &[u8] {
        if self.at != Some(time.0) {
            self.at = Some(time.0);
            self.json.clear();
            append(&mut self.json, &time);
        }
        &self.json
    }
}

impl Writer {
    fn outcome(&mut self, told: &replies::BatchOutcome<'_>) {
        let replies::BatchOutcome {
            status,
            reservation,
            problem,
        } = told;
        match (reservation, problem) {
            (Some(reservation), None) => {
                self.member(r#"{"status":"#, status);
                self.reservation(r#","reservation":{"id":"#, reservation);
                self.raw("}");
            }
            _ => append(&mut self.json, told),
        }
    }

    fn reservation(&mut self, front: &str, reservation: &Reservation<'_>) {
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
        self.name(front, id);
        self.name(r#","state":"#, state);
        self.name(r#","scope":"#, scope);
        self.name(r#","tenant":"#, tenant);
        self.lines(lines);
        self.optional(r#","asked":"#, asked.as_ref());
        self.optional(r#","forced":"#, forced.as_ref());
        self.optional(r#","holder":"#, holder.as_ref());
        if attributes.is_empty() {
            self.raw(r#","attributes":{}"#);
        } else {
            self.member(r#","attributes":"#, attributes);
        }
        self.raw(r#","created_at":"#);
        self.json
            .extend_from_slice(self.created_at.json(*created_at));
        self.raw(r#","expires_at":"#);
        match expires_at {
            Some(time) => self.json.extend_from_slice(self.expires_at.json(*time)),
            None => self.raw("null"),
        }
        self.optional(r#","ended_at":"#, ended_at.as_ref());
        self.member(r#","revision":"#, revision);
        if warnings.is_empty() {
            self.raw(r#","warnings":[]}"#);
        } else {
            self.member(r#","warnings":"#, warnings);
            self.raw("}");
        }
    }

    fn lines(&mut self, lines: &[Line<'_>]) {
        self.raw(r#","lines":["#);
        let mut front = r#"{"resource":"#;
        for line in lines {
            let Line {
                resource,
                location,
                amount,
            } = line;
            self.name(front, resource);
            match location {
                Some(location) => self.name(r#","location":"#, location),
                None => self.raw(r#","location":null"#),
            }
            self.member(r#","amount":"#, amount);
            self.raw("}");
            front = r#",{"resource":"#;
        }
        self.raw("]");
    }

    fn raw(&mut self, json: &str) {
        self.json.extend_from_slice(json.as_bytes());
    }

    /// A name, or another word that is plain ASCII without quotes.
    fn name(&mut self, front: &str, name: &str) {
        self.raw(front);
        self.raw("\"");
        self.raw(name);
        self.raw("\"");
    }

    fn member(&mut self, front: &str, value: &impl Serialize) {
        self.raw(front);
        append(&mut self.json, value);
    }

    fn optional(&mut self, front: &str, value: Option<&impl Serialize>) {
        self.raw(front);
        match value {
            Some(value) => append(&mut self.json, value),
            None => self.raw("null"),
        }
    }
}
