"""A refusal says what binds, where from, by how much, until when, and what would cure it."""

import pytest

from clients import Native, line
from test_native import check_problem
from waiting import from_now

IMAGE = "vm/image"
ZONE = "FRA-A"
PROJECT = "web"
BODY = {"scope": PROJECT, "lines": [line(IMAGE, 4, ZONE)], "ttl_seconds": 300}


def token(demo, admin, role, scope="acme"):
    body = {"id": f"a-{role}-of-{scope}", "kind": "token", "role": role, "scope": scope}
    return Native(demo, admin.call("POST", "/principals", body).ok()["token"])


def reserve(caller, reservation, content=BODY):
    return caller.call("PUT", f"/reservations/{reservation}", content)


def put_limit(caller, scope, limit, **more):
    content = {"resource": IMAGE, "location": ZONE, "limit": limit, "reason": f"for {scope}"}
    return caller.call("PUT", f"/scopes/{scope}/limits", content | more).ok()


@pytest.fixture
def ops(demo, admin):
    """Three levels: the organisation has a limit, its folder none, the project a limit."""
    admin.scope("acme", kind="organisation")
    admin.scope("products", parent="acme", kind="folder")
    admin.scope(PROJECT, parent="products")
    admin.scope("ml", parent="acme")
    ops = token(demo, admin, "manager")
    put_limit(ops, "acme", 7)
    put_limit(ops, PROJECT, 6)
    return ops


@pytest.fixture
def images(demo, admin, ops):
    """The image service of the tenant: 3 used and 1 held in the project, 2 used beside it."""
    images = token(demo, admin, "enforcer")
    images.reserve("used", PROJECT, [line(IMAGE, 3, ZONE)], commit=True).ok()
    images.reserve("held", PROJECT, [line(IMAGE, 1, ZONE)], ttl_seconds=900).ok()
    images.reserve("beside", "ml", [line(IMAGE, 2, ZONE)], commit=True).ok()
    return images


def test_a_refusal_names_every_level_that_binds(images):
    problem = check_problem(reserve(images, "r"), 422, "quota_exceeded")
    assert problem["type"] == "urn:plimsoll:problem:quota_exceeded"
    held = images.call("GET", "/reservations/held").ok()
    limits = {limit["scope"]: limit for limit in problem["exceeded"]}
    assert sorted(limits) == ["acme", PROJECT], "the folder has no limit, so it binds nothing"
    figures = ("limit", "used", "held", "asked", "short_by", "smallest_sufficient_limit")
    assert [limits[PROJECT][name] for name in figures] == [6, 3, 1, 4, 2, 8]
    assert [limits["acme"][name] for name in figures] == [7, 5, 1, 4, 3, 10]
    for scope, limit in limits.items():
        assert (limit["resource"], limit["location"]) == (IMAGE, ZONE)
        assert (limit["mode"], limit["limit_source"], limit["tier"]) == ("enforce", "limit", None)
        made = limit["limit_set"]
        assert (made["set_by"], made["reason"]) == ("a-manager-of-acme", f"for {scope}")
        assert (made["location"], made["starts_at"], made["ends_at"]) == (ZONE, None, None)
        assert made["request"] is None and 0 < made["revision"]
        # The one hold is not enough at either level.
        assert limit["fits_at"] is None
        assert limit["increase_request"] == {
            "scope": scope,
            "resource": IMAGE,
            "location": ZONE,
            "limit": limit["smallest_sufficient_limit"],
        }
    smaller = BODY | {"lines": [line(IMAGE, 3, ZONE)]}
    problem = check_problem(reserve(images, "r", smaller), 422, "quota_exceeded")
    fits_at = {limit["scope"]: limit["fits_at"] for limit in problem["exceeded"]}
    assert fits_at == {PROJECT: held["expires_at"], "acme": None}


def test_the_levels_between_bind_too(images, ops):
    put_limit(ops, "products", 5, location=None)
    problem = check_problem(reserve(images, "r"), 422, "quota_exceeded")
    assert sorted(limit["scope"] for limit in problem["exceeded"]) == [
        "acme",
        "products",
        PROJECT,
    ]
    [between] = [limit for limit in problem["exceeded"] if limit["scope"] == "products"]
    assert between["limit_set"]["location"] is None
    assert between["location"] == ZONE
    assert (between["used"], between["held"], between["short_by"]) == (3, 1, 3)


def test_a_refusal_reads_well(images):
    detail = check_problem(reserve(images, "r"), 422)["detail"]
    for said in [
        f"`{IMAGE}` at `{ZONE}` in scope `{PROJECT}`",
        "`4` of the limit of `6` set by `a-manager-of-acme` are taken (`3` used, `1` held)",
        "so `4` more is `2` too many and takes a limit of `8`",
        f"`{IMAGE}` at `{ZONE}` in scope `acme`",
        "`6` of the limit of `7` set by `a-manager-of-acme` are taken (`5` used, `1` held)",
        "so `4` more is `3` too many and takes a limit of `10`",
        "send each `increase_request` to `POST /plimsoll/v1/requests`",
    ]:
        assert said in detail, detail
    assert not detail.endswith(".") and "  " not in detail


def test_a_check_says_the_same_and_writes_nothing(images):
    before = images.call("GET", f"/scopes/{PROJECT}/quotas").ok()
    checked = images.call("POST", "/check", BODY).ok()
    assert (checked["admissible"], checked["lines"]) == (False, None)
    problem = check_problem(reserve(images, "r"), 422)
    assert checked["exceeded"] == problem["exceeded"]
    after = images.call("GET", f"/scopes/{PROJECT}/quotas").ok()
    assert after["revision"] == before["revision"]
    fits = BODY | {"lines": [line(IMAGE, 4, ZONE) | {"at_least": 1}]}
    checked = images.call("POST", "/check", fits).ok()
    taken = reserve(images, "r", fits).ok()
    assert (checked["admissible"], checked["lines"]) == (True, taken["lines"])
    assert taken["lines"] == [line(IMAGE, 1, ZONE)]


def test_the_requests_of_a_refusal_once_approved_admit(images, ops):
    problem = check_problem(reserve(images, "r"), 422)
    wishes = [limit["increase_request"] for limit in problem["exceeded"]]
    submitted = [images.call("POST", "/requests", wish).ok() for wish in wishes]
    assert [request["state"] for request in submitted] == ["pending"] * 2
    check_problem(reserve(images, "r"), 422, "quota_exceeded")
    first, second = (f"/requests/{request['id']}/approve" for request in submitted)
    ops.call("POST", first, {"reason": "agreed"}).ok()
    # One of two is not enough, and the refusal now names the other alone.
    problem = check_problem(reserve(images, "r"), 422)
    assert [limit["increase_request"] for limit in problem["exceeded"]] == wishes[1:]
    ops.call("POST", second, {"reason": "agreed"}).ok()
    assert images.call("POST", "/check", BODY).ok()["admissible"] is True
    taken = reserve(images, "r").ok()
    assert (taken["state"], taken["lines"]) == ("held", [line(IMAGE, 4, ZONE)])
    row = images.quota(PROJECT, IMAGE, ZONE)
    assert (row["limit"], row["held"], row["available"]) == (8, 5, 0)
    assert images.quota("acme", IMAGE, ZONE)["available"] == 0


def test_what_would_not_cure_is_not_proposed(images, ops):
    put_limit(ops, "acme", 100)
    put_limit(ops, PROJECT, 7, ends_at=from_now(3600), reason="maintenance")
    problem = check_problem(reserve(images, "r"), 422)
    [limit] = problem["exceeded"]
    assert (limit["limit"], limit["limit_set"]["reason"]) == (7, "maintenance")
    assert (limit["smallest_sufficient_limit"], limit["increase_request"]) == (8, None)
    assert "increase_request" not in problem["detail"]


def test_what_was_granted_for_a_time_is_raised_on_request(images, ops):
    put_limit(ops, "acme", 100)
    wish = {"scope": PROJECT, "resource": IMAGE, "location": ZONE, "limit": 7}
    ruling = {"reason": "for now", "until": from_now(3600)}
    for _ in range(2):
        request = images.call("POST", "/requests", wish).ok()
        ops.call("POST", f"/requests/{request['id']}/approve", ruling).ok()
        reply = reserve(images, "r")
        if reply.status == 422:
            [limit] = reply.json()["exceeded"]
            assert limit["limit_set"]["request"] == request["id"]
            wish, ruling = limit["increase_request"], {"reason": "for good"}
    assert reply.ok()["state"] == "held"


def test_the_chain_of_a_quota_leads_from_the_default_to_the_parents(images, ops, admin):
    tier = {"limits": [{"resource": IMAGE, "limit": 3}]}
    admin.call("PUT", "/tiers/starter", tier).ok()
    content = {"kind": "project", "parent": "products", "tier": "starter"}
    admin.call("PUT", f"/scopes/{PROJECT}", content).ok()
    until = from_now(3600)
    wish = {"scope": PROJECT, "resource": IMAGE, "location": ZONE, "limit": 9, "reason": "launch"}
    request = images.call("POST", "/requests", wish).ok()
    ruling = {"limit": 8, "until": until, "reason": "until the launch is over"}
    approved = ops.call("POST", f"/requests/{request['id']}/approve", ruling).ok()
    row = images.quota(PROJECT, IMAGE, ZONE)
    told = [(it["source"], it["scope"], it["limit"], it["tier"]) for it in row["sources"]]
    assert told == [
        ("default", PROJECT, 5, None),
        ("tier", PROJECT, 3, "starter"),
        ("limit", PROJECT, 6, None),
        ("limit", PROJECT, 8, None),
        ("limit", "acme", 7, None),
    ]
    assert row["sources"][0]["set"] is None and row["sources"][1]["set"] is None
    assert row["sources"][3]["set"] == {
        "location": ZONE,
        "starts_at": None,
        "ends_at": until,
        "set_by": "a-manager-of-acme",
        "reason": "until the launch is over",
        "request": request["id"],
        "revision": approved["limit_revision"],
    }
    assert row["sources"][2]["set"]["reason"] == f"for {PROJECT}"
    # 8 less the 4 that are taken here; 7 less the 6 that are taken below the organisation.
    assert [it["available"] for it in row["sources"][3:]] == [4, 1]
    assert (row["limit"], row["available"]) == (8, 1)


def test_a_folder_shows_its_own_chain(images):
    row = images.quota("products", IMAGE, ZONE)
    assert [(it["scope"], it["source"]) for it in row["sources"]] == [
        ("products", "default"),
        ("acme", "limit"),
    ]
    assert (row["used"], row["held"], row["available"]) == (3, 1, 1)


def test_a_reader_of_the_project_alone_is_told_why_it_is_refused(demo, admin, images):
    own = token(demo, admin, "enforcer", PROJECT)
    problem = check_problem(reserve(own, "r"), 422, "quota_exceeded")
    assert PROJECT in {limit["scope"] for limit in problem["exceeded"]}
    check_problem(own.call("GET", "/scopes/acme/quotas"), 404, "unknown_scope")


def test_a_refusal_for_several_things_names_them_all(images, ops):
    body = BODY | {
        "lines": [line(IMAGE, 6, "HKG-A"), line(IMAGE, 4, ZONE), line("modelarts/pool", 16)]
    }
    problem = check_problem(reserve(images, "r", body), 422)
    named = {(it["scope"], it["resource"], it["location"]) for it in problem["exceeded"]}
    assert named == {
        (PROJECT, IMAGE, "HKG-A"),
        (PROJECT, IMAGE, ZONE),
        ("acme", IMAGE, ZONE),
        (PROJECT, "modelarts/pool", None),
    }
    assert "and `1` more limits, see `exceeded`" in problem["detail"]
    for wish in [it["increase_request"] for it in problem["exceeded"]]:
        request = images.call("POST", "/requests", wish).ok()
        ops.call("POST", f"/requests/{request['id']}/approve", {"reason": "agreed"}).ok()
    assert reserve(images, "r", body).ok()["state"] == "held"
