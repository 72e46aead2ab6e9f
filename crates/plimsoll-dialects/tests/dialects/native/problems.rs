//! Every problem, as it travels.

use expect_test::{Expect, expect};
use plimsoll_core::amount::Ceiling;
use plimsoll_core::bounds::AMOUNT_MAX;
use plimsoll_core::model::Role;
use plimsoll_core::outcome::{Denial, Exceeded, Outcome, Source};
use plimsoll_dialects::native::{Problem, encode};

use super::samples::*;
use super::{decode, in_a_line, show};

fn check(problem: &Problem, expect: Expect) {
    expect.assert_eq(&show(&problem.reply()));
}

fn check_denial(denial: Denial, expect: Expect) {
    let code = denial.code();
    assert_eq!(Problem::from_denial(&denial).code(), code);
    expect.assert_eq(&show(&encode::outcome(&Outcome::Denied(denial))));
}

#[test]
fn of_the_transport() {
    check(
        &Problem::malformed("not HTTP"),
        expect![[r#"
        400
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:malformed","title":"the request cannot be read","status":400,"code":"malformed","detail":"not HTTP"}
    "#]],
    );
    check(
        &Problem::expired_already(),
        expect![[r#"
        400
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:malformed","title":"the request cannot be read","status":400,"code":"malformed","detail":"it lies in the past: give a time to come, or leave it out","pointer":"/expires_at"}
    "#]],
    );
    check(
        &Problem::request_timeout(),
        expect![[r#"
        408
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:request_timeout","title":"the request did not come in time","status":408,"code":"request_timeout","detail":"the head or the body did not come in time: send the request without a pause"}
    "#]],
    );
    check(
        &Problem::head_too_large(),
        expect![[r#"
        431
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:head_too_large","title":"the head is too large","status":431,"code":"head_too_large","detail":"the head has too many bytes or headers: send fewer"}
    "#]],
    );
}

#[test]
fn of_the_service() {
    check(
        &Problem::unauthenticated(),
        expect![[r#"
        401
        content-type: application/problem+json
        www-authenticate: Bearer
        {"type":"urn:plimsoll:problem:unauthenticated","title":"no valid credentials","status":401,"code":"unauthenticated","detail":"send `authorization: Bearer <token>` with a token that is enabled and not expired"}
    "#]],
    );
    check(
        &Problem::forbidden(Role::Manager),
        expect![[r#"
        403
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:forbidden","title":"the role does not allow it","status":403,"code":"forbidden","detail":"this takes the role `manager` or a higher one: call with another token"}
    "#]],
    );
    check(
        &Problem::forbidden(Role::Admin),
        expect![[r#"
        403
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:forbidden","title":"the role does not allow it","status":403,"code":"forbidden","detail":"this takes the role `admin`: call with another token"}
    "#]],
    );
    check(
        &Problem::force_not_permitted(),
        expect![[r#"
        403
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:force_not_permitted","title":"passing the limits is not permitted","status":403,"code":"force_not_permitted","detail":"to `force` takes a permission of its own: call with a token that has it, or leave `force` out"}
    "#]],
    );
    check(
        &Problem::too_large(1_048_576),
        expect![[r#"
        413
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:too_large","title":"the body is too large","status":413,"code":"too_large","detail":"the body may have `1048576` bytes at most: send it in parts"}
    "#]],
    );
    check(
        &Problem::not_found(),
        expect![[r#"
        404
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:not_found","title":"nothing is there","status":404,"code":"not_found","detail":"it does not exist, or not within your reach: look at the id"}
    "#]],
    );
    check(
        &Problem::ambiguous(),
        expect![[r#"
        409
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:ambiguous","title":"the id alone does not tell which","status":409,"code":"ambiguous","detail":"several tenants use this id: name a scope of the tenant as `scope`"}
    "#]],
    );
}

#[test]
fn of_the_service_for_now() {
    check(
        &Problem::unavailable(2),
        expect![[r#"
        503
        content-type: application/problem+json
        retry-after: 2
        {"type":"urn:plimsoll:problem:unavailable","title":"the server cannot answer now","status":503,"code":"unavailable","detail":"nothing was done: wait `2` s and try again","retry_after_seconds":2}
    "#]],
    );
    check(
        &Problem::outcome_unknown(),
        expect![[r#"
        503
        content-type: application/problem+json
        retry-after: 1
        {"type":"urn:plimsoll:problem:outcome_unknown","title":"it may or may not have been done","status":503,"code":"outcome_unknown","detail":"it may have been done: send the same request with the same id again to find out","retry_after_seconds":1}
    "#]],
    );
    check(
        &Problem::rate_limited(1),
        expect![[r#"
        429
        content-type: application/problem+json
        retry-after: 1
        {"type":"urn:plimsoll:problem:rate_limited","title":"too many requests","status":429,"code":"rate_limited","detail":"you ask too often: wait `1` s and try again","retry_after_seconds":1}
    "#]],
    );
    check(
        &Problem::internal("q-1"),
        expect![[r#"
        500
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:internal","title":"the server failed","status":500,"code":"internal","detail":"nothing was changed: tell who runs this server the request id `q-1`","request_id":"q-1"}
    "#]],
    );
}

#[test]
fn of_the_dialect() {
    let problem = |text| decode(text).unwrap_err();
    check(
        &problem("GET /nowhere"),
        expect![[r#"
        404
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:unknown_route","title":"no such operation","status":404,"code":"unknown_route","detail":"no operation has this path: see `/openapi.json` for all of them"}
    "#]],
    );
    check(
        &problem("PATCH /scopes/p-7/limits"),
        expect![[r#"
        405
        content-type: application/problem+json
        allow: GET, PUT, DELETE
        {"type":"urn:plimsoll:problem:method_not_allowed","title":"another method is needed","status":405,"code":"method_not_allowed","detail":"this path takes GET, PUT, DELETE"}
    "#]],
    );
    check(
        &problem("POST /check\ncontent-type: text/plain\n\n{}"),
        expect![[r#"
            415
            content-type: application/problem+json
            {"type":"urn:plimsoll:problem:unsupported_media_type","title":"the body is not JSON","status":415,"code":"unsupported_media_type","detail":"the body must be JSON: send `content-type: application/json`","header":"content-type"}
        "#]],
    );
    check(
        &problem("POST /check\n\n{\"scope\":\"p-7\",\"lines\":[{}]}"),
        expect![[r#"
            400
            content-type: application/problem+json
            {"type":"urn:plimsoll:problem:malformed","title":"the request cannot be read","status":400,"code":"malformed","detail":"`/lines/0/resource` is missing: give it","pointer":"/lines/0/resource"}
        "#]],
    );
    check(
        &problem("GET /scopes?page_size=x"),
        expect![[r#"
        400
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:malformed","title":"the request cannot be read","status":400,"code":"malformed","detail":"`page_size` in the query must be a whole number from `1` to `1000`","parameter":"page_size"}
    "#]],
    );
}

#[test]
fn of_the_rules() {
    check_denial(
        Denial::UnknownScope(scope_id("p-7")),
        expect![[r#"
        404
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:unknown_scope","title":"no such scope","status":404,"code":"unknown_scope","detail":"the scope `p-7` does not exist, or not within your reach: look at the id"}
    "#]],
    );
    check_denial(
        Denial::UnknownResource(resource_name("vm/image")),
        expect![[r#"
            404
            content-type: application/problem+json
            {"type":"urn:plimsoll:problem:unknown_resource","title":"no such resource","status":404,"code":"unknown_resource","detail":"the resource `vm/image` is not in the catalogue: an admin can define it"}
        "#]],
    );
    check_denial(
        Denial::UnknownLocation(location_id("X")),
        expect![[r#"
        404
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:unknown_location","title":"no such location","status":404,"code":"unknown_location","detail":"the location `X` is not in the catalogue: an admin can define it"}
    "#]],
    );
    check_denial(
        Denial::LocationRequired(resource_name("vm/image")),
        expect![[r#"
            400
            content-type: application/problem+json
            {"type":"urn:plimsoll:problem:location_required","title":"a location is needed","status":400,"code":"location_required","detail":"`vm/image` is counted per location: give a `location`"}
        "#]],
    );
    check_denial(
        Denial::LocationNotApplicable(resource_name("vm/image")),
        expect![[r#"
            400
            content-type: application/problem+json
            {"type":"urn:plimsoll:problem:location_not_applicable","title":"a location is too much","status":400,"code":"location_not_applicable","detail":"`vm/image` is not counted per location: leave `location` out"}
        "#]],
    );
}

#[test]
fn of_what_is_there() {
    check_denial(
        Denial::NotFound,
        expect![[r#"
        404
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:not_found","title":"nothing is there","status":404,"code":"not_found","detail":"it does not exist, or not within your reach: look at the id"}
    "#]],
    );
    check_denial(
        Denial::IdConflict,
        expect![[r#"
        409
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:id_conflict","title":"the id is taken","status":409,"code":"id_conflict","detail":"the id is taken, with other content: choose another id"}
    "#]],
    );
    check_denial(
        Denial::StateConflict { state: "expired" },
        expect![[r#"
        409
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:state_conflict","title":"the state does not allow it","status":409,"code":"state_conflict","detail":"the reservation is `expired`, which is its end: reserve under a new id","state":"expired"}
    "#]],
    );
    check_denial(
        Denial::StateConflict { state: "held" },
        expect![[r#"
        409
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:state_conflict","title":"the state does not allow it","status":409,"code":"state_conflict","detail":"the reservation is `held`, and only what is committed can be transferred: commit it first","state":"held"}
    "#]],
    );
    check_denial(
        Denial::StateConflict { state: "committed" },
        expect![[r#"
        409
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:state_conflict","title":"the state does not allow it","status":409,"code":"state_conflict","detail":"the reservation is `committed`, and only a hold can be extended: it lasts until you release it","state":"committed"}
    "#]],
    );
}

#[test]
fn of_what_is_named() {
    check_denial(
        Denial::NotAPart,
        expect![[r#"
        409
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:not_a_part","title":"it does not take that much","status":409,"code":"not_a_part","detail":"the lines are more than the reservation takes: read it and name a part of it"}
    "#]],
    );
    check_denial(
        Denial::OtherTenant,
        expect![[r#"
        409
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:other_tenant","title":"the scope is of another tenant","status":409,"code":"other_tenant","detail":"a reservation stays within its tenant: release it and reserve it there"}
    "#]],
    );
    check_denial(
        Denial::PreconditionFailed { actual: Some(13) },
        expect![[r#"
            412
            content-type: application/problem+json
            {"type":"urn:plimsoll:problem:precondition_failed","title":"it has changed","status":412,"code":"precondition_failed","detail":"the revision is `13`, not the one that you name: read it and decide anew","revision":13}
        "#]],
    );
    check_denial(
        Denial::PreconditionFailed { actual: None },
        expect![[r#"
            412
            content-type: application/problem+json
            {"type":"urn:plimsoll:problem:precondition_failed","title":"it has changed","status":412,"code":"precondition_failed","detail":"nothing is there: leave `if-match` out"}
        "#]],
    );
}

#[test]
fn of_what_may_not_be() {
    check_denial(
        Denial::Immutable { field: "parent" },
        expect![[r#"
        409
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:immutable","title":"it never changes","status":409,"code":"immutable","detail":"`parent` never changes once it is set: make a new one"}
    "#]],
    );
    check_denial(
        Denial::UnknownTier(tier_name("starter")),
        expect![[r#"
        404
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:unknown_tier","title":"no such tier","status":404,"code":"unknown_tier","detail":"the tier `starter` is not in the catalogue: an admin can define it"}
    "#]],
    );
    check_denial(
        Denial::NotAdjustable(resource_name("vm/image")),
        expect![[r#"
            409
            content-type: application/problem+json
            {"type":"urn:plimsoll:problem:not_adjustable","title":"the limit is not raised on request","status":409,"code":"not_adjustable","detail":"limits of `vm/image` are not raised on request: a manager may set one"}
        "#]],
    );
    check_denial(
        Denial::TooDeep,
        expect![[r#"
        409
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:too_deep","title":"the tree would be too deep","status":409,"code":"too_deep","detail":"a tree has `8` levels at most: choose a parent further up"}
    "#]],
    );
    check_denial(
        Denial::TooMany { max: 1_000 },
        expect![[r#"
            409
            content-type: application/problem+json
            {"type":"urn:plimsoll:problem:too_many","title":"there are as many as there may be","status":409,"code":"too_many","detail":"there may be `1000` of these at most: change one that is there"}
        "#]],
    );
    check_denial(
        Denial::RoleTooWide,
        expect![[r#"
        403
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:role_too_wide","title":"more than the reach allows","status":403,"code":"role_too_wide","detail":"new tenants and admins take the whole server: stay within a scope that you reach"}
    "#]],
    );
    check_denial(
        Denial::OwnPrincipal,
        expect![[r#"
        409
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:own_principal","title":"a principal cannot lock itself out","status":409,"code":"own_principal","detail":"you call with this principal: call with another one"}
    "#]],
    );
}

#[test]
fn of_requests_and_limits_in_time() {
    for (present, expect) in [
        (
            finite(9),
            expect![[r#"
            409
            content-type: application/problem+json
            {"type":"urn:plimsoll:problem:not_an_increase","title":"it is no more than what binds already","status":409,"code":"not_an_increase","detail":"the limit is `9` already: ask for more than that","present_limit":9}
        "#]],
        ),
        (
            Ceiling::Unlimited,
            expect![[r#"
            409
            content-type: application/problem+json
            {"type":"urn:plimsoll:problem:not_an_increase","title":"it is no more than what binds already","status":409,"code":"not_an_increase","detail":"nothing limits it already: no request is needed","present_limit":"unlimited"}
        "#]],
        ),
    ] {
        check_denial(Denial::NotAnIncrease { present }, expect);
    }
    check_denial(
        Denial::RequestPending(request_id("q-1")),
        expect![[r#"
        409
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:request_pending","title":"a request for the same is pending","status":409,"code":"request_pending","detail":"the request `q-1` is for the same and pending: wait for it, or cancel it and ask again","request":"q-1"}
    "#]],
    );
    check_denial(
        Denial::EndsInThePast,
        expect![[r#"
        400
        content-type: application/problem+json
        {"type":"urn:plimsoll:problem:ends_in_the_past","title":"the limit would be over already","status":400,"code":"ends_in_the_past","detail":"the limit would be over before it is set: give an end that is to come, or none"}
    "#]],
    );
    for (state, expect) in [
        (
            "approved",
            expect![[
                r#"409 state_conflict: the request is `approved`, which is its end: submit another one"#
            ]],
        ),
        (
            "denied",
            expect![[
                r#"409 state_conflict: the request is `denied`, which is its end: submit another one"#
            ]],
        ),
        (
            "cancelled",
            expect![[
                r#"409 state_conflict: the request is `cancelled`, which is its end: submit another one"#
            ]],
        ),
    ] {
        let problem = Problem::from_denial(&Denial::StateConflict { state });
        expect.assert_eq(&in_a_line(&problem));
        let body: serde_json::Value = serde_json::from_slice(&problem.reply().body).unwrap();
        assert_eq!(body["state"], state);
    }
}

#[test]
fn quota_exceeded() {
    let parent = Exceeded {
        scope: scope_id("acme"),
        item: item("vpc/subnet"),
        source: set_for("vpc/subnet"),
        fits_at: None,
        ..exceeded()
    };
    check_denial(
        Denial::QuotaExceeded(vec![exceeded(), parent]),
        expect![[r#"
            422
            content-type: application/problem+json
            {"type":"urn:plimsoll:problem:quota_exceeded","title":"a quota would be exceeded","status":422,"code":"quota_exceeded","detail":"`vm/image` at `FRA-A` in scope `p-7`: `5` of the default limit of `5` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`; `vpc/subnet` in scope `acme`: `5` of the limit of `5` set by `ops` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`: release some, or send each `increase_request` to `POST /plimsoll/v1/requests`","exceeded":[{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":5,"mode":"enforce","limit_source":"default","limit_set":null,"tier":null,"used":3,"held":2,"asked":1,"short_by":1,"smallest_sufficient_limit":6,"fits_at":"2026-01-31T12:05:00.000Z","increase_request":{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":6}},{"scope":"acme","resource":"vpc/subnet","location":null,"limit":5,"mode":"enforce","limit_source":"limit","limit_set":{"location":null,"starts_at":null,"ends_at":null,"set_by":"ops","reason":"launch","request":null,"revision":12},"tier":null,"used":3,"held":2,"asked":1,"short_by":1,"smallest_sufficient_limit":6,"fits_at":null,"increase_request":{"scope":"acme","resource":"vpc/subnet","limit":6}}]}
        "#]],
    );
}

#[test]
fn quota_exceeded_in_words() {
    let check = |exceeded: Vec<Exceeded>, expect: Expect| {
        let problem = Problem::from_denial(&Denial::QuotaExceeded(exceeded));
        expect.assert_eq(&in_a_line(&problem));
    };
    let without_end = Exceeded {
        ceiling: Ceiling::Unlimited,
        source: Source::NumberSpace,
        used: amount(AMOUNT_MAX),
        held: amount(0),
        smallest_sufficient: None,
        fits_at: None,
        ..exceeded()
    };
    check(
        vec![without_end],
        expect![[
            r#"422 quota_exceeded: `vm/image` at `FRA-A` in scope `p-7`: `9007199254740991` of the `9007199254740991` that can be counted are taken (`9007199254740991` used, `0` held), so `1` more is `1` too many: release `1`"#
        ]],
    );
    let of_tier = Exceeded {
        source: Source::Tier {
            tier: tier_name("starter"),
            item: item("vm/image"),
        },
        used: amount(9),
        held: amount(0),
        short_by: amount(5),
        smallest_sufficient: Some(amount(10)),
        fits_at: None,
        ..exceeded()
    };
    check(
        vec![of_tier.clone()],
        expect![
            "422 quota_exceeded: `vm/image` at `FRA-A` in scope `p-7`: `9` of the limit of `5` of tier `starter` are taken (`9` used, `0` held), so `1` more is `5` too many and takes a limit of `10`: release `5`, or send the `increase_request` to `POST /plimsoll/v1/requests`"
        ],
    );
    let of_parent = Exceeded {
        scope: scope_id("acme"),
        source: set_for("vm/image"),
        fits_at: Some(at(400_000)),
        ..exceeded()
    };
    check(
        vec![exceeded(), of_parent],
        expect![
            "422 quota_exceeded: `vm/image` at `FRA-A` in scope `p-7`: `5` of the default limit of `5` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`; `vm/image` at `FRA-A` in scope `acme`: `5` of the limit of `5` set by `ops` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`: release some, try again at 2026-01-31T12:06:40.000Z, when holds lapse, or send each `increase_request` to `POST /plimsoll/v1/requests`"
        ],
    );
    check(
        vec![exceeded(), of_tier],
        expect![
            "422 quota_exceeded: `vm/image` at `FRA-A` in scope `p-7`: `5` of the default limit of `5` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`; `vm/image` at `FRA-A` in scope `p-7`: `9` of the limit of `5` of tier `starter` are taken (`9` used, `0` held), so `1` more is `5` too many and takes a limit of `10`: release some, or send each `increase_request` to `POST /plimsoll/v1/requests`"
        ],
    );
    check(
        vec![exceeded(); 5],
        expect![
            "422 quota_exceeded: `vm/image` at `FRA-A` in scope `p-7`: `5` of the default limit of `5` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`; `vm/image` at `FRA-A` in scope `p-7`: `5` of the default limit of `5` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`; `vm/image` at `FRA-A` in scope `p-7`: `5` of the default limit of `5` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`; and `2` more limits, see `exceeded`: release some, try again at 2026-01-31T12:05:00.000Z, when holds lapse, or send each `increase_request` to `POST /plimsoll/v1/requests`"
        ],
    );
}

#[test]
fn nothing_is_proposed_where_a_limit_for_a_time_would_go_before_it() {
    let check = |exceeded: Exceeded, expect: Expect| {
        let problem = Problem::from_denial(&Denial::QuotaExceeded(vec![exceeded]));
        let body: serde_json::Value = serde_json::from_slice(&problem.reply().body).unwrap();
        let proposed = &body["exceeded"][0]["increase_request"];
        expect.assert_eq(&format!("{proposed}\n{}", in_a_line(&problem)));
    };
    let granted = warning();
    let mut set = warning();
    if let Source::Limit { request, .. } = &mut set.source {
        *request = None;
    }
    check(
        granted,
        expect![[r#"
        {"limit":9,"location":"FRA-A","resource":"vm/image","scope":"p-7"}
        422 quota_exceeded: `vm/image` at `FRA-A` in scope `p-7`: `8` of the limit of `8` set by `ops` are taken (`8` used, `0` held), so `1` more is `1` too many and takes a limit of `9`: release `1`, or send the `increase_request` to `POST /plimsoll/v1/requests`"#]],
    );
    check(
        set,
        expect![[r#"
        null
        422 quota_exceeded: `vm/image` at `FRA-A` in scope `p-7`: `8` of the limit of `8` set by `ops` are taken (`8` used, `0` held), so `1` more is `1` too many and takes a limit of `9`: release `1`"#]],
    );
}
