//! Who sent a request, and what it says, as the server asks for both.

use std::hint::black_box;

use plimsoll_core::outcome::{Done, Outcome};
use plimsoll_dialects::http::Request;
use plimsoll_dialects::native::{self, BatchOutcome, Format, encode};
use plimsoll_dialects::sign::SigningKey;
use plimsoll_dialects::{modelarts, zenlayer};
use serde_json::Value;

use crate::Case;
use crate::tree::{GROUP, Tree, content, now, path, reserve};

const TIMES: usize = 256;
const BATCHES: usize = 16;

const ZENLAYER: &str = include_str!("../../../../plimsoll-dialects/tests/vectors/zenlayer.json");
const MODELARTS: &str = include_str!("../../../../plimsoll-dialects/tests/vectors/modelarts.json");

/// A request that a vendor's SDK has signed: the first of the recorded ones.
struct Signed {
    vector: Value,
}

impl Signed {
    fn first_of(file: &str) -> Self {
        let mut file: Value = serde_json::from_str(file).expect("it is JSON");
        Self {
            vector: file["vectors"][0].take(),
        }
    }

    fn text(&self, field: &str) -> &str {
        self.vector[field].as_str().expect("it is text")
    }

    fn key(&self, field: &str) -> SigningKey {
        SigningKey::new(self.text(field).as_bytes())
    }

    fn signed_at_s(&self) -> i64 {
        self.vector["signed_at_s"].as_i64().expect("it is a number")
    }

    /// Hands the request to `work`, taken apart as the server's HTTP does.
    fn with_request(&self, work: impl FnOnce(&Request<'_>)) {
        let (head, body) = self
            .text("raw_request")
            .split_once("\r\n\r\n")
            .expect("a head");
        let mut lines = head.lines();
        let words: Vec<&str> = lines.next().expect("a line").split(' ').collect();
        let headers: Vec<(String, &str)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        let headers: Vec<(&str, &[u8])> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let (path, query) = match words[1].split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (words[1], None),
        };
        work(&Request {
            method: words[0],
            path,
            query,
            headers: &headers,
            body: body.as_bytes(),
        });
    }
}

pub(crate) fn zenlayer_signature() {
    let signed = Signed::first_of(ZENLAYER);
    let (opened, now_s) = (signed.key("access_key_password"), signed.signed_at_s());
    let case = Case {
        name: "signature: ZC2-HMAC-SHA256",
        times: TIMES,
        operations: 1,
    };
    signed.with_request(|request| {
        case.count(|_| {
            let Ok(zenlayer::auth::Claim::Signed(claim)) =
                zenlayer::auth::claim(black_box(request))
            else {
                panic!("it is signed");
            };
            black_box(claim.access_key_id());
            let verified = claim.verify(request, &opened.clone(), now_s);
            assert_eq!(black_box(verified), Ok(()));
        });
    });
}

pub(crate) fn modelarts_signature() {
    let signed = Signed::first_of(MODELARTS);
    let (opened, now_s) = (signed.key("secret_key"), signed.signed_at_s());
    let case = Case {
        name: "signature: SDK-HMAC-SHA256",
        times: TIMES,
        operations: 1,
    };
    signed.with_request(|request| {
        case.count(|_| {
            let Ok(modelarts::auth::Claim::Signed(claim)) =
                modelarts::auth::claim(black_box(request))
            else {
                panic!("it is signed");
            };
            black_box(claim.access_key());
            let verified = claim.verify(request, &opened.clone(), now_s);
            assert_eq!(black_box(verified), Ok(()));
        });
    });
}

/// Read from JSON, and its outcome told in JSON.
pub(crate) fn one_reservation() {
    let path = format!("{}/{}", native::BASE, path(0));
    let body = format!("{{{}}}", content(0));
    let outcome = outcome();
    let request = json("PUT", &path, &body);
    let case = Case {
        name: "native: reservation as JSON, alone",
        times: TIMES,
        operations: 1,
    };
    case.count(|_| {
        let call = native::route(black_box(&request)).and_then(|route| route.decode());
        black_box(call.expect("it can be read"));
        black_box(encode::outcome(black_box(&outcome)));
    });
}

/// The same of one batch.
pub(crate) fn batch() {
    let commands = (0..GROUP).map(|number| {
        let id = path(number).replace("reservations/", "");
        format!(r#"{{"op":"reserve","id":"{id}",{}}}"#, content(number))
    });
    let commands: Vec<String> = commands.collect();
    let body = format!(r#"{{"commands":[{}]}}"#, commands.join(","));
    let outcomes = vec![outcome(); GROUP];
    let outcomes: Vec<BatchOutcome> = outcomes.into_iter().map(BatchOutcome::Decided).collect();
    let request = json("POST", native::BATCH_PATH, &body);
    let case = Case {
        name: "native: reservation as JSON, 64 at once",
        times: BATCHES,
        operations: GROUP,
    };
    case.count(|_| {
        let call = native::route(black_box(&request)).and_then(|route| route.decode());
        black_box(call.expect("it can be read"));
        black_box(encode::batch(black_box(&outcomes), Format::Json));
    });
}

fn json<'a>(method: &'a str, path: &'a str, body: &'a str) -> Request<'a> {
    Request {
        method,
        path,
        query: None,
        headers: &[("content-type", b"application/json")],
        body: body.as_bytes(),
    }
}

/// What is told of a reservation that was granted.
fn outcome() -> Outcome {
    let group = [[reserve(0)]];
    let answered = Tree::empty().engine.step(&group, now());
    let mut outcomes = answered.expect("memory does not fail").concat();
    let outcome = outcomes.pop().expect("it was answered");
    assert!(
        matches!(outcome, Outcome::Done(Done::Reservation(_))),
        "{outcome:?}"
    );
    outcome
}
