//! One byte changed at a time: what changes, and how often which answer came.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use crate::wire::Wire;

/// All ways to put another byte in place of one byte of `bytes`.
pub(crate) fn every_change(bytes: &[u8]) -> Vec<Vec<u8>> {
    changes(bytes, |byte| {
        (0..=u8::MAX).filter(|other| *other != byte).collect()
    })
}

/// The changes of [`every_change`] that are likeliest to slip through: one bit, the other case,
/// the bytes that divide something.
pub(crate) fn telling_changes(bytes: &[u8]) -> Vec<Vec<u8>> {
    changes(bytes, |byte| {
        let others = [byte ^ 1, byte ^ 0x20, byte ^ 0x80]
            .into_iter()
            .chain(*b" %+/&=;,:.~\n\0A0");
        others.filter(|other| *other != byte).collect()
    })
}

fn changes(bytes: &[u8], others: impl Fn(u8) -> BTreeSet<u8>) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (index, byte) in bytes.iter().enumerate() {
        for other in others(*byte) {
            let mut changed = bytes.to_vec();
            changed[index] = other;
            all.push(changed);
        }
    }
    all
}

/// One text of a request before and after one byte of it changed.
pub(crate) struct Change<'a> {
    pub(crate) part: &'a str,
    pub(crate) before: &'a [u8],
    pub(crate) after: &'a [u8],
}

/// An accepted request, and what is known of it.
pub(crate) struct Case<'a> {
    pub(crate) name: &'a str,
    pub(crate) wire: Wire,
    /// What to put in place of a text.
    pub(crate) changes: fn(&[u8]) -> Vec<Vec<u8>>,
    /// The answer to a request at this one's time, where only its key is known.
    pub(crate) answer: &'a dyn Fn(&Wire) -> String,
    /// Whether a change to the request says nothing else than it said before.
    pub(crate) is_equivalent: fn(&Wire, &Change<'_>) -> bool,
}

impl Case<'_> {
    /// Changes `before` and puts it back with `put`, which says no where it cannot be sent.
    pub(crate) fn change(
        &self,
        tally: &mut Tally,
        part: &str,
        before: &[u8],
        put: impl Fn(&mut Wire, &[u8]) -> Option<()>,
    ) {
        for after in (self.changes)(before) {
            let mut changed = self.wire.clone();
            let Some(()) = put(&mut changed, &after) else {
                continue;
            };
            let answer = (self.answer)(&changed);
            let is_accepted = answer == "accepted";
            let change = Change {
                part,
                before,
                after: &after,
            };
            let is_equivalent = (self.is_equivalent)(&self.wire, &change);
            let text = after.escape_ascii();
            assert_eq!(is_accepted, is_equivalent, "{}: {part} {text}", self.name);
            tally.count(part, &answer);
        }
    }

    /// Changes the method and the body.
    pub(crate) fn change_method_and_body(&self, tally: &mut Tally) {
        self.change(
            tally,
            "method",
            self.wire.method.as_bytes(),
            |wire, method| {
                wire.method = text(method)?;
                Some(())
            },
        );
        self.change(tally, "body", &self.wire.body, |wire, body| {
            wire.body = body.to_vec();
            Some(())
        });
    }

    /// Changes the value of the header `name`.
    pub(crate) fn change_header(&self, tally: &mut Tally, name: &str) {
        let before = self.wire.clone().header(name).clone();
        self.change(tally, name, &before, |wire, value| {
            *wire.header(name) = value.to_vec();
            Some(())
        });
    }

    /// Changes all of `Authorization`, whose first parameter is `id`.
    pub(crate) fn change_authorization(&self, tally: &mut Tally, id: &str) {
        let before = text(self.wire.clone().header("authorization")).unwrap();
        for (part, range) in authorization_parts(&before, id) {
            self.change(
                tally,
                part,
                &before.as_bytes()[range.clone()],
                |wire, bytes| {
                    wire.header("authorization")[range.clone()].copy_from_slice(bytes);
                    Some(())
                },
            );
        }
    }
}

/// The method and the target are text: other bytes never become a request.
pub(crate) fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// The parts of an `Authorization`, by name: all of it, each byte once.
fn authorization_parts(text: &str, id: &str) -> Vec<(&'static str, Range<usize>)> {
    let value = |name: &str| {
        let start = text.find(name).expect("the parameter") + name.len();
        start..start + text[start..].find(',').unwrap_or(text.len() - start)
    };
    let (id, list, signature) = (value(id), value("SignedHeaders="), value("Signature="));
    vec![
        ("form", 0..id.start),
        ("access key", id.clone()),
        ("form", id.end..list.start),
        ("signed headers", list.clone()),
        ("form", list.end..signature.start),
        ("signature", signature),
    ]
}

/// How often which part, changed, got which answer.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<(String, String), usize>);

impl Tally {
    pub(crate) fn count(&mut self, part: &str, answer: &str) {
        *self
            .0
            .entry((part.to_owned(), answer.to_owned()))
            .or_default() += 1;
    }

    pub(crate) fn total(&self) -> usize {
        self.0.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|((part, answer), count)| writeln!(formatter, "{part}: {answer} {count}"))
    }
}
