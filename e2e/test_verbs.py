"""Every verb of a reservation over HTTP, and figures that follow it."""

import pytest

from clients import Native, line
from conftest import admin_of
from test_native import check_problem
from waiting import until

IMAGE = "vm/image"
ZONE = "FRA-A"


@pytest.fixture
def projects(admin):
    """Two projects of one tenant, and a tenant beside it."""
    admin.scope("acme", kind="organisation")
    admin.scope("acme-web", parent="acme")
    admin.scope("acme-ml", parent="acme")
    admin.scope("other", kind="organisation")
    return "acme-web", "acme-ml"


def images(amount, **more):
    return line(IMAGE, amount, ZONE) | more


def act(admin, verb, content=None, reservation="r", revision=None):
    headers = [] if revision is None else [("If-Match", f'"{revision}"')]
    return admin.call("POST", f"/reservations/{reservation}/{verb}", content, headers)


def figures(admin, scope):
    used, held, _ = admin.figures(scope, IMAGE, ZONE)
    return used, held


def test_a_hold_is_made_to_last_longer(admin, projects):
    web, _ = projects
    before = admin.reserve("r", web, [images(1)], ttl_seconds=60).ok()
    after = act(admin, "extend", {"ttl_seconds": 3600}).ok()
    assert before["expires_at"] < after["expires_at"]
    assert figures(admin, web) == (0, 1)
    admin.commit("r").ok()
    check_problem(act(admin, "extend", {"ttl_seconds": 60}), 409, "state_conflict")


def test_a_part_is_committed_and_the_rest_is_freed(admin, projects):
    web, _ = projects
    admin.reserve("r", web, [images(4)]).ok()
    answer = act(admin, "commit", {"lines": [images(3)]}).ok()
    assert (answer["state"], answer["lines"]) == ("committed", [images(3)])
    assert answer["asked"]["lines"][0]["amount"] == 4
    assert figures(admin, web) == (3, 0)
    assert act(admin, "commit").ok() == answer


def test_a_part_is_released_once_where_the_caller_says_what_it_saw(admin, projects):
    web, _ = projects
    seen = admin.reserve("r", web, [images(4)], commit=True).ok()["revision"]
    answer = act(admin, "release", {"lines": [images(1)]}, revision=seen).ok()
    assert (answer["state"], answer["lines"]) == ("committed", [images(3)])
    again = act(admin, "release", {"lines": [images(1)]}, revision=seen)
    check_problem(again, 412, "precondition_failed")
    assert figures(admin, web) == (3, 0)
    check_problem(act(admin, "release", {"lines": [images(4)]}), 409, "not_a_part")
    assert act(admin, "release", {"lines": [images(3)]}).ok()["state"] == "released"
    assert figures(admin, web) == (0, 0)


def test_a_resize_is_one_step_admitted_as_a_difference(admin, projects):
    web, _ = projects
    admin.reserve("r", web, [images(4)], commit=True).ok()
    refusal = check_problem(act(admin, "resize", {"lines": [images(6)]}), 422, "quota_exceeded")
    [limit] = refusal["exceeded"]
    assert (limit["used"], limit["asked"], limit["short_by"]) == (4, 2, 1)
    assert figures(admin, web) == (4, 0)
    assert act(admin, "resize", {"lines": [images(5)]}).ok()["lines"] == [images(5)]
    swapped = act(admin, "resize", {"lines": [line(IMAGE, 5, "HKG-A")]}).ok()
    assert swapped["lines"] == [line(IMAGE, 5, "HKG-A")]
    assert figures(admin, web) == (0, 0)


def test_a_line_takes_what_fits(admin, projects):
    web, _ = projects
    admin.reserve("first", web, [images(3)]).ok()
    body = [images(4, at_least=2)]
    answer = admin.reserve("r", web, body).ok()
    assert answer["lines"] == [images(2)]
    assert admin.reserve("r", web, body).ok() == answer
    check_problem(admin.reserve("s", web, [images(2, at_least=1)]), 422, "quota_exceeded")
    assert figures(admin, web) == (0, 5)


def test_force_passes_a_limit_and_takes_a_permission_of_its_own(demo, admin, projects):
    web, _ = projects
    force = {"reason": "the launch is today"}
    body = {"role": "enforcer", "scope": "acme", "kind": "token"}
    plain = Native(demo, admin.call("POST", "/principals", body).ok()["token"])
    strong = admin.call("POST", "/principals", body | {"force": True}).ok()
    strong = Native(demo, strong["token"])
    refused = plain.reserve("r", web, [images(9)], force=force)
    check_problem(refused, 403, "force_not_permitted")
    assert strong.reserve("r", web, [images(9)], force=force).ok()["forced"] == force["reason"]
    assert admin.quota(web, IMAGE, ZONE)["over_by"] == 4
    check_problem(strong.reserve("s", web, [images(1)]), 422, "quota_exceeded")


def test_use_moves_to_another_project_of_the_tenant(admin, projects):
    web, ml = projects
    admin.reserve("r", web, [images(5)]).ok()
    check_problem(act(admin, "transfer", {"to": ml}), 409, "state_conflict")
    admin.commit("r").ok()
    check_problem(act(admin, "transfer", {"to": "other", "scope": web}), 409, "other_tenant")
    assert act(admin, "transfer", {"to": ml}).ok()["scope"] == ml
    assert (figures(admin, web), figures(admin, ml)) == ((0, 0), (5, 0))
    assert figures(admin, "acme") == (5, 0)
    admin.limit(web, IMAGE, 4, ZONE)
    refusal = check_problem(act(admin, "transfer", {"to": web}), 422, "quota_exceeded")
    assert [limit["scope"] for limit in refusal["exceeded"]] == [web]


def test_a_hold_that_is_committed_too_late_has_expired(admin, projects):
    web, _ = projects
    admin.reserve("r", web, [images(5)], ttl_seconds=1).ok()
    # Nothing waits for a timer: the next reservation finds the room as soon as it is due.
    until(lambda: admin.reserve("s", web, [images(5)]).status == 200)
    problem = check_problem(admin.commit("r"), 409, "state_conflict")
    assert problem["state"] == "expired"


def test_ended_reservations_are_forgotten_after_the_retention(place):
    server = place.serve(config="ended_reservations_kept_hours = 0\n")
    admin = admin_of(server)
    admin.reserve("r", "zenlayer-demo", [images(1)]).ok()
    admin.release("r").ok()
    until(lambda: admin.call("GET", "/reservations/r").status == 404)
    check_problem(admin.release("r"), 404, "not_found")
    assert admin.reserve("r", "zenlayer-demo", [images(2)]).ok()["state"] == "held"


def test_a_batch_has_every_verb_and_reports_each(admin, projects):
    web, ml = projects
    commands = [
        {"op": "reserve", "id": "r", "scope": web, "lines": [images(2)]},
        {"op": "extend", "id": "r", "ttl_seconds": 600},
        {"op": "resize", "id": "r", "lines": [images(3)]},
        {"op": "commit", "id": "r", "lines": [images(2)]},
        {"op": "transfer", "id": "r", "to": ml},
        {"op": "release", "id": "r", "lines": [images(9)]},
        {"op": "release", "id": "r", "lines": [images(1)], "if_revision": 1},
        {"op": "release", "id": "r", "lines": [images(1)]},
    ]
    answer = admin.call("POST", "/reservations:batch", {"commands": commands}).ok()
    statuses = [outcome["status"] for outcome in answer["outcomes"]]
    assert statuses == [200, 200, 200, 200, 200, 409, 412, 200]
    assert figures(admin, ml) == (1, 0)
