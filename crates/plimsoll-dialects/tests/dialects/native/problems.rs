//! Every problem, as it travels.

mod exceeded;

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
