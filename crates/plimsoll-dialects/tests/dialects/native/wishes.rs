//! Requests for higher limits and inventories: read and shown.

use expect_test::{Expect, expect};
use plimsoll_core::amount::Ceiling;
use plimsoll_core::model::RequestStatus;
use plimsoll_core::outcome::{Denial, Done, Outcome};
use plimsoll_core::reconcile::{Difference, Finding, Inventory};
use plimsoll_dialects::http::Reply;
use plimsoll_dialects::native::{Call, Problem, Reconciled, encode};

use super::samples::*;
use super::{decode, in_a_line, show};

fn check_read(text: &str, expect: Expect) {
    let call = decode(text).unwrap_or_else(|problem| panic!("{}", in_a_line(&problem)));
    expect.assert_eq(&format!("{call:?}"));
}

fn check(reply: &Reply, expect: Expect) {
    expect.assert_eq(&show(reply));
}

#[test]
fn requests_are_read() {
    check_read(
        r#"POST /requests

{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":"unlimited","reason":"launch"}"#,
        expect![
            "SubmitRequest(NewRequest { scope: p-7, item: Item { resource: vm/image, location: Some(FRA-A) }, ceiling: Unlimited, reason: launch })"
        ],
    );
    check_read(
        r#"POST /requests/q-1/approve

{"limit":10,"until":"2026-02-01T12:00:00Z","reason":"a big customer"}"#,
        expect![
            "Act(ApproveRequest(ApproveRequest { id: q-1, ceiling: Some(Finite(Amount(10))), ends_at: Some(Timestamp(1769947200000)), reason: a big customer }))"
        ],
    );
    check_read(
        r#"POST /requests/q-1/approve

{"limit":"unlimited","until":null,"reason":"a big customer"}"#,
        expect![
            "Act(ApproveRequest(ApproveRequest { id: q-1, ceiling: Some(Unlimited), ends_at: None, reason: a big customer }))"
        ],
    );
    check_read(
        "POST /requests/q-1/cancel\n\n{\"reason\":\"done without\"}",
        expect!["Act(CancelRequest(RuleRequest { id: q-1, reason: done without }))"],
    );
}

/// What a refusal offers can be sent back as it is.
#[test]
fn the_request_of_a_refusal_is_one() {
    for it in ["vm/image@FRA-A", "vpc/subnet"].map(item) {
        let mut limit = exceeded();
        limit.item = it.clone();
        let problem = Problem::from_denial(&Denial::QuotaExceeded(vec![limit]));
        let body: serde_json::Value = serde_json::from_slice(&problem.reply().body).unwrap();
        let offered = &body["exceeded"][0]["increase_request"];
        let Ok(Call::SubmitRequest(new)) = decode(&format!("POST /requests\n\n{offered}")) else {
            panic!("{offered} is no request");
        };
        assert_eq!((new.scope, new.item), (scope_id("p-7"), it));
        assert_eq!((new.ceiling, new.reason), (finite(6), text("")));
    }
}

#[test]
fn requests_are_shown() {
    check(
        &encode::outcome(&Outcome::Done(Done::Request(
            request(RequestStatus::Pending).into(),
        ))),
        expect![[r#"
            200
            {"id":"q-1","state":"pending","scope":"p-7","resource":"vm/image","location":"FRA-A","limit":12,"reason":"launch","submitted_by":"k-1","submitted_at":"2026-01-31T12:00:00.000Z","present_limit":5,"ruling":null,"granted_limit":null,"until":null,"limit_revision":null,"automatic":null,"revision":43}
        "#]],
    );
    check(
        &encode::request(&request(approved())),
        expect![[r#"
        200
        {"id":"q-1","state":"approved","scope":"p-7","resource":"vm/image","location":"FRA-A","limit":12,"reason":"launch","submitted_by":"k-1","submitted_at":"2026-01-31T12:00:00.000Z","present_limit":5,"ruling":{"by":"ops","at":"2026-01-31T12:01:00.000Z","reason":"a big customer"},"granted_limit":10,"until":"2026-02-01T12:00:00.000Z","limit_revision":44,"automatic":false,"revision":43}
    "#]],
    );
    let mut anywhere = request(RequestStatus::Denied(ruling()));
    anywhere.item = item("vm/image");
    anywhere.ceiling = Ceiling::Unlimited;
    let cancelled = request(RequestStatus::Cancelled(ruling()));
    check(
        &encode::requests(
            &scope_id("acme"),
            [&anywhere, &cancelled],
            Some(&cancelled.id),
        ),
        expect![[r#"
            200
            {"scope":"acme","requests":[{"id":"q-1","state":"denied","scope":"p-7","resource":"vm/image","location":null,"limit":"unlimited","reason":"launch","submitted_by":"k-1","submitted_at":"2026-01-31T12:00:00.000Z","present_limit":5,"ruling":{"by":"ops","at":"2026-01-31T12:01:00.000Z","reason":"a big customer"},"granted_limit":null,"until":null,"limit_revision":null,"automatic":null,"revision":43},{"id":"q-1","state":"cancelled","scope":"p-7","resource":"vm/image","location":"FRA-A","limit":12,"reason":"launch","submitted_by":"k-1","submitted_at":"2026-01-31T12:00:00.000Z","present_limit":5,"ruling":{"by":"ops","at":"2026-01-31T12:01:00.000Z","reason":"a big customer"},"granted_limit":null,"until":null,"limit_revision":null,"automatic":null,"revision":43}],"next_page_token":"q712d31"}
        "#]],
    );
    check(
        &encode::auto_approval_tested(7, &[request(RequestStatus::Pending)]),
        expect![[r#"
            200
            {"examined":7,"approved":[{"id":"q-1","state":"pending","scope":"p-7","resource":"vm/image","location":"FRA-A","limit":12,"reason":"launch","submitted_by":"k-1","submitted_at":"2026-01-31T12:00:00.000Z","present_limit":5,"ruling":null,"granted_limit":null,"until":null,"limit_revision":null,"automatic":null,"revision":43}]}
        "#]],
    );
}

#[test]
fn inventories_are_read() {
    check_read(
        r#"POST /reconcile

{"scope":"p-7","resource":"vm/image","location":"FRA-A","revision":42,"things":[{"holder":"img-2","amount":9007199254740991},{"holder":"img-1","amount":1}],"repair":true,"reason":"nightly"}"#,
        expect![
            "Reconcile(Reconcile { inventory: Inventory { scope: p-7, item: Item { resource: vm/image, location: Some(FRA-A) }, revision: 42, things: {img-1: Amount(1), img-2: Amount(9007199254740991)}, reason: nightly, passes: false }, repair: true })"
        ],
    );
    check_read(
        r#"POST /reconcile

{"scope":"p-7","resource":"vpc/subnet","location":null,"revision":0,"things":[]}"#,
        expect![
            "Reconcile(Reconcile { inventory: Inventory { scope: p-7, item: Item { resource: vpc/subnet, location: None }, revision: 0, things: {}, reason: an inventory of revision 0, passes: false }, repair: false })"
        ],
    );
}

#[test]
fn what_is_found_is_shown() {
    let things = [("img-1", 1), ("img-2", 2), ("img-3", 3), ("img-5", 1)];
    let things = things.map(|(holder, units)| (text(holder), amount(units)));
    let inventory = Inventory {
        scope: scope_id("p-7"),
        item: item("vm/image@FRA-A"),
        revision: 42,
        things: things.into(),
        passes: false,
        reason: text("nightly"),
    };
    let found = |holder, difference, here, there, mend| Reconciled {
        finding: Finding {
            holder: text(holder),
            difference,
            here: amount(here),
            there: amount(there),
            mends: Vec::new(),
        },
        mend,
    };
    let conflict = Denial::PreconditionFailed { actual: Some(44) };
    let failed = Err(Problem::from_denial(&conflict));
    check(
        &encode::reconciled(
            &inventory,
            45,
            &[
                found("img-2", Difference::AmountDiffers, 5, 2, Some(failed)),
                found("img-3", Difference::MissingHere, 0, 3, Some(Ok(()))),
                found("img-4", Difference::MissingThere, 1, 0, None),
                found("img-5", Difference::InFlight, 2, 1, None),
            ],
        ),
        expect![[r#"
            200
            {"scope":"p-7","resource":"vm/image","location":"FRA-A","revision":45,"inventory_revision":42,"agreeing":1,"findings":[{"holder":"img-2","difference":"amount_differs","here":5,"there":2,"reservations":[],"mend":"failed","problem":{"type":"urn:plimsoll:problem:precondition_failed","title":"it has changed","status":412,"code":"precondition_failed","detail":"the revision is `44`, not the one that you name: read it and decide anew","revision":44}},{"holder":"img-3","difference":"missing_here","here":0,"there":3,"reservations":[],"mend":"done","problem":null},{"holder":"img-4","difference":"missing_there","here":1,"there":0,"reservations":[],"mend":null,"problem":null},{"holder":"img-5","difference":"in_flight","here":2,"there":1,"reservations":[],"mend":null,"problem":null}]}
        "#]],
    );
    check(
        &encode::reconciled(&inventory, 42, &[]),
        expect![[r#"
        200
        {"scope":"p-7","resource":"vm/image","location":"FRA-A","revision":42,"inventory_revision":42,"agreeing":4,"findings":[]}
    "#]],
    );
}
