"""Requests over HTTP: asked, listed, granted, denied, taken back; the rule that grants alone."""

import pytest

from clients import Native
from test_native import check_problem
from waiting import before_it_ends, has_come, until

IMAGE = "vm/image"
ZONE = "FRA-A"
OTHER_ZONE = "HKG-A"
RULING = {"reason": "agreed"}


def token(demo, admin, role, scope):
    body = {"id": f"{role}-of-{scope}", "kind": "token", "role": role, "scope": scope}
    return Native(demo, admin.call("POST", "/principals", body).ok()["token"])


@pytest.fixture
def web(admin):
    admin.scope("acme", kind="organisation")
    admin.scope("web", parent="acme")
    admin.scope("ml", parent="acme")
    admin.scope("other", kind="organisation")
    return "web"


@pytest.fixture
def images(demo, admin, web):
    return token(demo, admin, "enforcer", "acme")


@pytest.fixture
def ops(demo, admin, web):
    return token(demo, admin, "manager", "acme")


def wish(limit=12, scope="web", location=ZONE, resource=IMAGE, **more):
    place = {} if location is None else {"location": location}
    return {"scope": scope, "resource": resource, "limit": limit} | place | more


def submit(caller, *arguments, **more):
    return caller.call("POST", "/requests", wish(*arguments, **more))


def rule(caller, verb, request, content=RULING):
    return caller.call("POST", f"/requests/{request['id']}/{verb}", content)


def read(caller, request):
    return caller.call("GET", f"/requests/{request['id']}")


def listed(caller, scope="acme", query=""):
    answer = caller.call("GET", f"/scopes/{scope}/requests{query}").ok()
    return [request["id"] for request in answer["requests"]]


def limit_of(caller, location=ZONE):
    return caller.quota("web", IMAGE, location)["limit"]


# --- asked and shown


def test_a_request_is_shown_as_it_was_asked(images, ops):
    request = submit(images, 12, reason="launch in March").ok()
    figures = ("state", "scope", "resource", "location", "limit", "reason", "present_limit")
    assert [request[name] for name in figures] == [
        "pending",
        "web",
        IMAGE,
        ZONE,
        12,
        "launch in March",
        5,
    ]
    assert request["submitted_by"] == "enforcer-of-acme"
    for name in ("ruling", "granted_limit", "until", "limit_revision", "automatic"):
        assert request[name] is None
    assert read(ops, request).ok() == request
    assert submit(images, 12, reason="launch in March").ok() == request, "the same again"
    assert limit_of(images) == 5, "to ask changes nothing"


def test_requests_are_listed_by_state_and_page_by_page(images, ops):
    places = [("web", ZONE), ("web", OTHER_ZONE), ("ml", ZONE), ("acme", None)]
    made = [submit(images, 12, scope=scope, location=place).ok() for scope, place in places]
    ids = sorted(request["id"] for request in made)
    assert listed(images) == ids
    assert sorted(listed(images, "web")) == sorted(request["id"] for request in made[:2])
    rule(ops, "approve", made[0]).ok()
    rule(ops, "deny", made[1]).ok()
    rule(images, "cancel", made[2], {}).ok()
    for status, request in zip(["approved", "denied", "cancelled", "pending"], made, strict=True):
        assert listed(images, query=f"?status={status}") == [request["id"]]
    assert listed(images, "ml", "?status=approved") == []
    paged, token = [], ""
    while token is not None:
        answer = images.call("GET", f"/scopes/acme/requests?page_size=1{token}").ok()
        paged += [request["id"] for request in answer["requests"]]
        token = answer["next_page_token"] and f"&page_token={answer['next_page_token']}"
    assert paged == ids
    check_problem(images.call("GET", "/scopes/acme/requests?status=open"), 400, "malformed")
    check_problem(images.call("GET", "/scopes/nowhere/requests"), 404, "unknown_scope")


# --- decided


def test_an_approved_request_is_a_limit_and_each_names_the_other(images, ops):
    request = submit(images, 12).ok()
    approved = rule(ops, "approve", request).ok()
    assert (approved["state"], approved["granted_limit"]) == ("approved", 12)
    assert (approved["until"], approved["automatic"]) == (None, False)
    ruling = approved["ruling"]
    assert (ruling["by"], ruling["reason"]) == ("manager-of-acme", "agreed")
    [limit] = images.call("GET", "/scopes/web/limits").ok()["limits"]
    assert (limit["limit"], limit["request"]) == (12, request["id"])
    assert (limit["set_by"], limit["reason"]) == ("manager-of-acme", "agreed")
    assert limit["revision"] == approved["limit_revision"]
    assert limit_of(images) == 12
    events = images.call("GET", "/scopes/web/events?cause=request_approved").ok()["events"]
    [event] = events
    assert sorted(change["kind"] for change in event["changes"]) == ["limits", "request"]
    assert event["revision"] == approved["revision"]


def test_a_request_is_granted_in_part_and_for_a_time(images, ops):
    def approve(ends):
        request = submit(images, 40).ok()
        granted = rule(ops, "approve", request, RULING | {"limit": 20, "until": ends})
        return request, granted, limit_of(images)

    request, approved, limit = before_it_ends(approve)
    approved = approved.ok()
    ends = approved["until"]
    assert (approved["limit"], approved["granted_limit"], limit) == (40, 20, 20)
    until(lambda: limit_of(images) == 5)
    assert has_come(ends)
    assert read(images, request).ok() == approved, "the request stays what it was"
    # It is over, so there may be another one.
    again = submit(images, 40).ok()
    assert again["id"] != request["id"] and again["present_limit"] == 5


def test_more_than_was_asked_may_be_granted_but_not_less_than_there_is(images, ops):
    request = submit(images, 12).ok()
    less = rule(ops, "approve", request, RULING | {"limit": 5})
    assert check_problem(less, 409, "not_an_increase")["present_limit"] == 5
    past = RULING | {"until": "2020-01-01T00:00:00Z"}
    check_problem(rule(ops, "approve", request, past), 400, "ends_in_the_past")
    assert read(ops, request).ok() == request
    granted = rule(ops, "approve", request, RULING | {"limit": "unlimited"}).ok()
    assert granted["granted_limit"] == "unlimited"
    assert limit_of(images) == "unlimited"


def test_a_denial_says_why(images, ops):
    request = submit(images, 12).ok()
    for content in [{}, {"reason": ""}, {"reason": "   "}, {"reason": None}]:
        for verb in ["deny", "approve"]:
            problem = check_problem(rule(ops, verb, request, content), 400, "malformed")
            assert "reason" in problem["detail"]
    denied = rule(ops, "deny", request, {"reason": "no room before May"}).ok()
    assert (denied["state"], denied["granted_limit"]) == ("denied", None)
    assert denied["ruling"]["reason"] == "no room before May"
    assert limit_of(images) == 5
    assert submit(images, 12).ok()["id"] != request["id"], "it may be asked for again"


def test_a_request_is_taken_back(images, ops):
    for content in [None, {}, {"reason": "done without"}]:
        request = submit(images, 12).ok()
        cancelled = rule(images, "cancel", request, content).ok()
        assert cancelled["state"] == "cancelled"
        assert cancelled["ruling"]["by"] == "enforcer-of-acme"
        assert cancelled["ruling"]["reason"] == (content or {}).get("reason", "")
    check_problem(rule(ops, "approve", request), 409, "state_conflict")


@pytest.mark.parametrize("end", ["approve", "deny", "cancel"])
def test_what_is_decided_stays_so(images, ops, end):
    request = submit(images, 12).ok()
    ended = rule(ops, end, request).ok()
    before = images.call("GET", "/scopes/web/quotas").ok()["revision"]
    for verb in ["approve", "deny", "cancel"]:
        reply = rule(ops, verb, request)
        if verb == end:
            assert reply.ok() == ended, "the same again"
        else:
            problem = check_problem(reply, 409, "state_conflict")
            assert problem["state"] == ended["state"]
    assert read(ops, request).ok() == ended
    assert images.call("GET", "/scopes/web/quotas").ok()["revision"] == before
    if end == "approve":
        other = rule(ops, "approve", request, RULING | {"limit": 13})
        check_problem(other, 409, "state_conflict")


def test_conflicts_name_what_is_in_the_way(images, ops, admin):
    request = submit(images, 12).ok()
    for other in [wish(13), wish(12, reason="once more")]:
        problem = check_problem(images.call("POST", "/requests", other), 409, "request_pending")
        assert problem["request"] == request["id"]
    submit(images, 12, location=None).ok()
    submit(images, 12, scope="ml").ok()
    for limit in [5, 4, 0]:
        reply = submit(images, limit, location=OTHER_ZONE)
        assert check_problem(reply, 409, "not_an_increase")["present_limit"] == 5
    admin.limit("ml", IMAGE, "unlimited", OTHER_ZONE)
    reply = submit(images, "unlimited", scope="ml", location=OTHER_ZONE)
    assert check_problem(reply, 409, "not_an_increase")["present_limit"] == "unlimited"
    fixed = {"unit": "count", "default_limit": 5, "per_location": False, "adjustable": False}
    admin.call("PUT", "/resources/vm/fixed", fixed).ok()
    reply = submit(images, 6, resource="vm/fixed", location=None)
    check_problem(reply, 409, "not_adjustable")
    check_problem(submit(images, 6, resource="vm/none"), 404, "unknown_resource")
    check_problem(submit(images, 6, location="nowhere"), 404, "unknown_location")
    check_problem(submit(images, 6, scope="nowhere"), 404, "unknown_scope")


def test_a_request_waits_for_a_manager_who_sets_the_limit_himself(images, ops, admin):
    request = submit(images, 12).ok()
    admin.limit("web", IMAGE, 20, ZONE)
    late = rule(ops, "approve", request)
    assert check_problem(late, 409, "not_an_increase")["present_limit"] == 20
    assert rule(ops, "deny", request).ok()["state"] == "denied"
    assert limit_of(images) == 20


# --- who may


def test_who_may_ask_and_who_may_decide(demo, admin, images, ops):
    viewer = token(demo, admin, "viewer", "acme")
    check_problem(submit(viewer, 12), 403, "forbidden")
    request = submit(images, 12).ok()
    assert read(viewer, request).ok() == request
    assert listed(viewer) == [request["id"]]
    for verb in ["approve", "deny"]:
        check_problem(rule(images, verb, request), 403, "forbidden")
        check_problem(rule(viewer, verb, request), 403, "forbidden")
    check_problem(rule(viewer, "cancel", request), 403, "forbidden")
    assert rule(ops, "approve", request).ok()["state"] == "approved"


def test_what_lies_elsewhere_does_not_exist(demo, admin, images):
    request = submit(images, 12).ok()
    for scope in ["other", "ml"]:
        stranger = token(demo, admin, "manager", scope)
        check_problem(read(stranger, request), 404, "not_found")
        for verb in ["approve", "deny", "cancel"]:
            check_problem(rule(stranger, verb, request), 404, "not_found")
        check_problem(stranger.call("GET", "/scopes/web/requests"), 404, "unknown_scope")
        check_problem(submit(stranger, 12), 404, "unknown_scope")
    assert rule(stranger, "approve", {"id": "req-none"}).json()["code"] == "not_found"
    own = token(demo, admin, "manager", "web")
    check_problem(own.call("GET", "/scopes/acme/requests"), 404, "unknown_scope")
    assert listed(own, "web") == [request["id"]]


# --- decided by the rule


def put_rule(admin, approval):
    body = {"unit": "count", "default_limit": 5, "per_location": True, "auto_approval": approval}
    return admin.call("PUT", "/resources/vm/image", body).ok()


def test_the_rule_approves_what_is_small_near_and_not_too_soon(images, admin):
    put_rule(admin, {"limit": 20, "factor_percent": 200, "cool_off_seconds": 3600})
    near = submit(images, 10).ok()
    assert (near["state"], near["automatic"], near["granted_limit"]) == ("approved", True, 10)
    assert near["ruling"]["reason"] and near["limit_revision"] == near["revision"]
    assert limit_of(images) == 10
    # Too soon after it; more than twice as much; more than the rule's limit.
    soon = submit(images, 11).ok()
    assert soon["state"] == "pending"
    far = submit(images, 11, location=OTHER_ZONE).ok()
    assert far["state"] == "pending"
    admin.limit("ml", IMAGE, 15, ZONE)
    large = submit(images, 21, scope="ml").ok()
    assert (large["state"], large["present_limit"]) == ("pending", 15)
    rule(images, "cancel", large).ok()
    assert submit(images, 20, scope="ml").ok()["state"] == "approved"
    assert submit(images, "unlimited", scope="ml", location=OTHER_ZONE).ok()["state"] == "pending"
    shown = admin.call("GET", "/resources/vm/image").ok()["auto_approval"]
    assert shown == {"limit": 20, "factor_percent": 200, "cool_off_seconds": 3600}
    put_rule(admin, None)
    rule(images, "cancel", far).ok()
    assert submit(images, 10, location=OTHER_ZONE).ok()["state"] == "pending"


def test_a_second_request_waits_until_it_is_cool(images, admin):
    put_rule(admin, {"limit": 100, "cool_off_seconds": 1})
    assert submit(images, 10).ok()["state"] == "approved"

    def approved():
        request = submit(images, 20).ok()
        if request["state"] == "pending":
            rule(images, "cancel", request).ok()
        return request["state"] == "approved"

    until(approved)
    assert limit_of(images) == 20


def test_a_rule_is_tried_on_the_requests_that_there_were(demo, images, ops, admin):
    made = {
        "near": submit(images, 10).ok(),
        "far": submit(images, 19, location=OTHER_ZONE).ok(),
        "large": submit(images, 21, scope="ml").ok(),
        "denied": submit(images, 9, scope="ml", location=OTHER_ZONE).ok(),
    }
    rule(ops, "deny", made["denied"]).ok()
    path = "/resources/vm/image/auto_approval:dry_run"
    before = admin.call("GET", "/scopes/acme/quotas").ok()["revision"]

    def tried(content):
        answer = admin.call("POST", path, content).ok()
        assert answer["examined"] == 4
        return {request["id"] for request in answer["approved"]}

    ids = {name: request["id"] for name, request in made.items()}
    assert tried({"limit": 20}) == {ids["near"], ids["far"], ids["denied"]}
    assert tried({"limit": 20, "factor_percent": 200}) == {ids["near"], ids["denied"]}
    assert tried({"limit": 9}) == {ids["denied"]}
    assert tried({"limit": 5}) == set()
    assert admin.call("GET", "/scopes/acme/quotas").ok()["revision"] == before
    assert read(ops, made["near"]).ok()["state"] == "pending"
    assert admin.call("GET", "/resources/vm/image").ok()["auto_approval"] is None
    check_problem(ops.call("POST", path, {"limit": 20}), 403, "forbidden")
    unknown = "/resources/vm/none/auto_approval:dry_run"
    check_problem(admin.call("POST", unknown, {"limit": 20}), 404, "unknown_resource")
    check_problem(admin.call("POST", path, {"limit": 20, "factor_percent": 99}), 400, "malformed")


def test_requests_survive_a_restart(place, demo, images, ops):
    first = rule(ops, "approve", submit(images, 12).ok()).ok()
    second = submit(images, 13).ok()
    demo.stop()
    server = place.serve()
    images, ops = (Native(server, caller.token) for caller in (images, ops))
    assert read(images, first).ok() == first
    assert read(images, second).ok() == second
    assert listed(images, query="?status=pending") == [second["id"]]
    assert rule(ops, "approve", second).ok()["state"] == "approved"
    assert limit_of(images) == 13
