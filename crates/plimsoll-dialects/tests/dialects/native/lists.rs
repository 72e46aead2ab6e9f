//! Lists, batches and page tokens, as they travel.

use std::sync::Arc;

use expect_test::{Expect, expect};
use plimsoll_core::model::{Reservation, State};
use plimsoll_core::outcome::{Denial, Done, Outcome};
use plimsoll_dialects::http::Reply;
use plimsoll_dialects::native::{BatchOutcome, Call, Format, Problem, Read, encode};

use super::samples::*;
use super::{decode, show};

fn check(reply: &Reply, expect: Expect) {
    expect.assert_eq(&show(reply));
}

#[test]
fn batches() {
    let item = decode("POST /reservations:batch\n\n{\"commands\":[7]}");
    let Ok(Call::Batch(mut items, _)) = item else {
        panic!("no batch");
    };
    let unread = items.remove(0).unwrap_err();
    let outcomes = [
        BatchOutcome::Decided(Outcome::Done(Done::Reservation(
            reservation(State::Committed).into(),
        ))),
        BatchOutcome::Decided(Outcome::Denied(Denial::QuotaExceeded(vec![exceeded()]))),
        BatchOutcome::Decided(Outcome::Denied(Denial::NotFound)),
        BatchOutcome::Decided(Outcome::Done(Done::Warned(
            reservation(State::Committed).into(),
            vec![warning()],
        ))),
        BatchOutcome::Problem(unread),
        BatchOutcome::Problem(Problem::outcome_unknown()),
    ];
    check(
        &encode::batch(&outcomes, Format::Json),
        expect![[r#"
            200
            {"outcomes":[{"status":200,"reservation":{"id":"r-1","state":"committed","scope":"p-7","tenant":"acme","lines":[{"resource":"vm/image","location":"FRA-A","amount":1},{"resource":"vpc/subnet","location":null,"amount":2}],"asked":null,"forced":null,"holder":"img-1 \"ü\"","attributes":{"name":"x"},"created_at":"2026-01-31T12:00:00.000Z","expires_at":null,"ended_at":null,"revision":42,"warnings":[]}},{"status":422,"problem":{"type":"urn:plimsoll:problem:quota_exceeded","title":"a quota would be exceeded","status":422,"code":"quota_exceeded","detail":"`vm/image` at `FRA-A` in scope `p-7`: `5` of the default limit of `5` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`: release `1`, try again at 2026-01-31T12:05:00.000Z, when holds lapse, or send the `increase_request` to `POST /plimsoll/v1/requests`","exceeded":[{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":5,"mode":"enforce","limit_source":"default","limit_set":null,"tier":null,"used":3,"held":2,"asked":1,"short_by":1,"smallest_sufficient_limit":6,"fits_at":"2026-01-31T12:05:00.000Z","increase_request":{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":6}}]}},{"status":404,"problem":{"type":"urn:plimsoll:problem:not_found","title":"nothing is there","status":404,"code":"not_found","detail":"it does not exist, or not within your reach: look at the id"}},{"status":200,"reservation":{"id":"r-1","state":"committed","scope":"p-7","tenant":"acme","lines":[{"resource":"vm/image","location":"FRA-A","amount":1},{"resource":"vpc/subnet","location":null,"amount":2}],"asked":null,"forced":null,"holder":"img-1 \"ü\"","attributes":{"name":"x"},"created_at":"2026-01-31T12:00:00.000Z","expires_at":null,"ended_at":null,"revision":42,"warnings":[{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":8,"mode":"warn","limit_source":"limit","limit_set":{"location":"FRA-A","starts_at":"2026-01-31T12:00:00.000Z","ends_at":"2026-02-01T12:00:00.000Z","set_by":"ops","reason":"launch","request":"q-1","revision":12},"tier":null,"used":8,"held":0,"asked":1,"short_by":1,"smallest_sufficient_limit":9,"fits_at":null,"increase_request":{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":9}}]}},{"status":400,"problem":{"type":"urn:plimsoll:problem:malformed","title":"the request cannot be read","status":400,"code":"malformed","detail":"`/commands/0` must be an object, not a number","pointer":"/commands/0"}},{"status":503,"problem":{"type":"urn:plimsoll:problem:outcome_unknown","title":"it may or may not have been done","status":503,"code":"outcome_unknown","detail":"it may have been done: send the same request with the same id again to find out","retry_after_seconds":1}}]}
        "#]],
    );
}

/// Texts that JSON must escape, that scripts take for the end of a line, and that are long.
fn hostile(number: u64) -> String {
    const TEXTS: [&str; 8] = [
        "because \"\\ü\"",
        "\"},{\"status\":200",
        "\\",
        "\\u0022",
        "</script>\u{2028}\u{2029}",
        "\u{feff}\u{fffd}\u{10ffff}🦀",
        "'\u{a0}é/",
        "",
    ];
    let index = usize::try_from(number).unwrap() % (TEXTS.len() + 1);
    TEXTS
        .get(index)
        .map_or("\"\\".repeat(128), |text| (*text).to_owned())
}

/// A batch writes its own JSON: it must be that of the single calls, whatever a reservation has.
#[test]
fn a_batch_tells_of_each_command_what_it_is_told_by_itself() {
    let mut outcomes = vec![
        Outcome::Denied(Denial::NotFound),
        Outcome::Denied(Denial::QuotaExceeded(vec![exceeded()])),
    ];
    let expires = |ms| State::Held { expires_at: at(ms) };
    let ends = |ms| State::Released { ended_at: at(ms) };
    let ended_at = at(7);
    for state in [
        expires(1),
        expires(1),
        expires(300_000),
        State::Committed,
        ends(1),
        State::Expired { ended_at },
    ] {
        for has in 0..32_u64 {
            let it = reservation(state);
            let is_there = |bit: u64| has & bit != 0;
            let it = Arc::new(Reservation {
                lines: if is_there(1) {
                    lines(&[("vm/image@FRA-A", 1)])
                } else {
                    it.lines
                },
                original: is_there(2).then(|| original().into()),
                forced: is_there(4).then(|| text(&hostile(has))),
                holder: is_there(8).then(|| text(&hostile(has + 1))),
                attributes: if is_there(16) {
                    attributes(&[("x", &hostile(has + 2)), (&hostile(has + 3), "")])
                } else {
                    attributes(&[])
                },
                created_at: at(has / 4),
                revision: has,
                ..it
            });
            outcomes.push(Outcome::Done(Done::Reservation(Arc::clone(&it))));
            outcomes.push(Outcome::Done(Done::Warned(it, vec![warning()])));
        }
    }
    let alone = outcomes.iter().map(|outcome| {
        let reply = encode::outcome(outcome);
        let member = if reply.status == 200 {
            "reservation"
        } else {
            "problem"
        };
        let body = String::from_utf8(reply.body).unwrap();
        format!(r#"{{"status":{},"{member}":{body}}}"#, reply.status)
    });
    let alone: Vec<String> = alone.collect();
    let all: Vec<BatchOutcome> = outcomes.into_iter().map(BatchOutcome::Decided).collect();
    for count in [0, 1, all.len()] {
        let told = encode::batch(&all[..count], Format::Json).body;
        let expected = format!(r#"{{"outcomes":[{}]}}"#, alone[..count].join(","));
        assert_eq!(String::from_utf8(told).unwrap(), expected);
    }
}

#[test]
fn lists() {
    check(
        &encode::resources(&[resource()]),
        expect![[r#"
            200
            {"resources":[{"name":"vm/image","unit":"count","default_limit":5,"per_location":true,"adjustable":true,"auto_approval":null,"alerts":[80,100],"description":"machine images"}]}
        "#]],
    );
    check(
        &encode::locations(&[location()]),
        expect![[r#"
        200
        {"locations":[{"id":"FRA-A","name":"Frankfurt A","attributes":{"zoneName":"Frankfurt A"}}]}
    "#]],
    );
    let (tenant, project) = (scope(None), scope(Some("acme")));
    check(
        &encode::scopes([&tenant, &project], Some(&project.id)),
        expect![[r#"
            200
            {"scopes":[{"id":"acme","parent":null,"tenant":"acme","depth":1,"kind":"project","tier":null},{"id":"p-7","parent":"acme","tenant":"acme","depth":2,"kind":"project","tier":null}],"next_page_token":"s702d37"}
        "#]],
    );
}

#[test]
fn lists_at_a_scope() {
    let limits = [limit("vm/image", finite(7))];
    check(
        &encode::limits(&scope_id("p-7"), &limits, None),
        expect![[r#"
            200
            {"scope":"p-7","limits":[{"scope":"p-7","resource":"vm/image","location":null,"limit":7,"mode":"enforce","starts_at":null,"ends_at":null,"set_by":"ops","set_at":"2026-01-31T12:00:00.007Z","reason":"launch","request":null,"revision":12}],"next_page_token":null}
        "#]],
    );
    let quotas = vec![quota()];
    check(
        &encode::quotas(&scope_id("p-7"), 42, None, &quotas, Some(&quotas[0].item)),
        expect![[r#"
            200
            {"scope":"p-7","revision":42,"as_of":null,"quotas":[{"resource":"vm/image","location":"FRA-A","unit":"count","limit":5,"mode":"enforce","used":6,"held":1,"available":0,"over_by":2,"counts":{"refused":0,"warned":0,"observed":0,"last_at":null},"sources":[{"scope":"p-7","limit":5,"mode":"enforce","source":"default","set":null,"tier":null,"available":0},{"scope":"acme","limit":"unlimited","mode":"enforce","source":"limit","set":{"location":null,"starts_at":null,"ends_at":null,"set_by":"ops","reason":"launch","request":null,"revision":12},"tier":null,"available":"unlimited"}]}],"next_page_token":"i766d2f696d616765404652412d41"}
        "#]],
    );
    let kept = reservation(State::Committed);
    check(
        &encode::reservations(&scope_id("p-7"), [&kept], Some(&kept.id)),
        expect![[r#"
            200
            {"scope":"p-7","reservations":[{"id":"r-1","state":"committed","scope":"p-7","tenant":"acme","lines":[{"resource":"vm/image","location":"FRA-A","amount":1},{"resource":"vpc/subnet","location":null,"amount":2}],"asked":null,"forced":null,"holder":"img-1 \"ü\"","attributes":{"name":"x"},"created_at":"2026-01-31T12:00:00.000Z","expires_at":null,"ended_at":null,"revision":42,"warnings":[]}],"next_page_token":"r722d31"}
        "#]],
    );
}

#[test]
fn lists_of_principals() {
    let known = principal(access_key());
    check(
        &encode::principals([&known], Some(&known.id)),
        expect![[r#"
            200
            {"principals":[{"id":"k-1","kind":"access_key","role":"enforcer","scope":"acme","force":false,"enabled":true,"expires_at":"2026-01-31T12:00:00.999Z","description":"image service","created_at":"2026-01-31T12:00:00.000Z","revision":3}],"next_page_token":"p6b2d31"}
        "#]],
    );
    check(
        &encode::principals([], None),
        expect![[r#"
        200
        {"principals":[],"next_page_token":null}
    "#]],
    );
}

/// The token of a list's reply, sent back, asks for what follows the last row.
#[test]
fn page_tokens_come_back() {
    let token = |reply: Reply| {
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        body["next_page_token"].as_str().unwrap().to_owned()
    };
    for it in ["vm/image", "vm/image@FRA-A", "0/0@a.b_c:d-e"].map(item) {
        let scope = scope_id("p-7");
        let quotas = token(encode::quotas(&scope, 1, None, [], Some(&it)));
        let limits = token(encode::limits(&scope, [], Some(&it)));
        for (list, token) in [("quotas", quotas), ("limits", limits)] {
            let read = decode(&format!(
                "GET /scopes/p-7/{list}?page_token={token}&page_size=7"
            ));
            let page = match read {
                Ok(Call::Read(Read::Quotas { page, .. } | Read::Limits { page, .. })) => page,
                other => panic!("{other:?}"),
            };
            assert_eq!((page.after, page.size), (Some(it.clone()), 7));
        }
    }
    for id in ["a", "a.b_c:d-e", &"z".repeat(128)] {
        let scopes = token(encode::scopes([], Some(&scope_id(id))));
        match decode(&format!("GET /scopes?page_token={scopes}")) {
            Ok(Call::Read(Read::Scopes { page, .. })) => {
                assert_eq!(page.after, Some(scope_id(id)));
            }
            other => panic!("{other:?}"),
        }
        let requests = token(encode::requests(
            &scope_id("p-7"),
            [],
            Some(&request_id(id)),
        ));
        match decode(&format!("GET /scopes/p-7/requests?page_token={requests}")) {
            Ok(Call::Read(Read::Requests { page, .. })) => {
                assert_eq!(page.after, Some(request_id(id)));
            }
            other => panic!("{other:?}"),
        }
        let principals = token(encode::principals([], Some(&principal_id(id))));
        match decode(&format!("GET /principals?page_token={principals}")) {
            Ok(Call::Read(Read::Principals { page })) => {
                assert_eq!(page.after, Some(principal_id(id)));
            }
            other => panic!("{other:?}"),
        }
    }
}
