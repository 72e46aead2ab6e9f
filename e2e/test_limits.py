"""Limits over HTTP: for a time, in a mode, as a dry run, from a tier."""

from urllib.parse import urlencode

import pytest

from clients import Native, line
from test_native import check_problem
from waiting import before_it_ends, from_now, has_come, until

IMAGE = "vm/image"
ZONE = "FRA-A"
OTHER_ZONE = "HKG-A"


@pytest.fixture
def web(admin):
    """A project in a tenant; nothing is set there, so the default of 5 counts."""
    admin.scope("acme", kind="organisation")
    admin.scope("acme-web", parent="acme")
    return "acme-web"


def images(amount, location=ZONE, **more):
    return line(IMAGE, amount, location) | more


def set_limit(admin, scope, limit, *, match=None, dry_run=False, **more):
    content = {"resource": IMAGE, "location": ZONE, "limit": limit, "reason": "for the test"}
    headers = [] if match is None else [("If-Match", match)]
    query = "?dry_run=true" if dry_run else ""
    return admin.call("PUT", f"/scopes/{scope}/limits{query}", content | more, headers)


def delete_limit(admin, scope, *, match=None, **more):
    query = urlencode({"resource": IMAGE, "location": ZONE} | more)
    headers = [] if match is None else [("If-Match", match)]
    return admin.call("DELETE", f"/scopes/{scope}/limits?{query}", None, headers)


def limits(admin, scope):
    return admin.call("GET", f"/scopes/{scope}/limits").ok()["limits"]


def figures(admin, scope, *names, location=ZONE):
    row = admin.quota(scope, IMAGE, location)
    return tuple(row[name] for name in names)


def log(admin, scope):
    """The tenant's revision, and how many events a reader of the scope sees."""
    answer = admin.call("GET", f"/scopes/{scope}/quotas").ok()
    events = admin.call("GET", f"/scopes/{scope}/events?page_size=1000").ok()["events"]
    return answer["revision"], len(events)


def token(demo, admin, role, scope, **more):
    body = {"kind": "token", "role": role, "scope": scope} | more
    return Native(demo, admin.call("POST", "/principals", body).ok()["token"])


# --- for a time


def test_a_limit_begins_and_ends_by_itself(admin, web):
    set_limit(admin, web, 3).ok()

    def launch(ends_at):
        starts_at = from_now(0.5)
        put = set_limit(admin, web, 40, starts_at=starts_at, ends_at=ends_at)
        # Asked before and after: what is read lies between the two instants.
        seen = admin.quota(web, IMAGE, ZONE)["limit"]
        assert seen == 3 or has_come(starts_at)
        until(lambda: admin.quota(web, IMAGE, ZONE)["limit"] == 40 or has_come(ends_at))
        assert has_come(starts_at)
        taken = admin.reserve("big", web, [images(10)], commit=True)
        return put, starts_at, taken, admin.quota(web, IMAGE, ZONE)

    put, starts_at, taken, during = before_it_ends(launch)
    ends_at = put.ok()["ends_at"]
    assert put.ok()["starts_at"] == starts_at
    assert taken.ok()["state"] == "committed" and during["available"] == 30
    until(lambda: admin.quota(web, IMAGE, ZONE)["limit"] == 3)
    assert has_come(ends_at)
    # Nothing is taken away, and nothing new is admitted.
    assert figures(admin, web, "used", "available", "over_by") == (10, 0, 7)
    refusal = check_problem(admin.reserve("r", web, [images(1)]), 422, "quota_exceeded")
    assert (refusal["exceeded"][0]["limit"], refusal["exceeded"][0]["short_by"]) == (3, 8)


def test_a_refused_reservation_is_admitted_as_soon_as_the_limit_begins(admin, web):
    starts_at = from_now(1)
    set_limit(admin, web, 40, starts_at=starts_at, ends_at=from_now(3600)).ok()
    refused = admin.reserve("r", web, [images(6)])
    assert refused.status == 422 or has_come(starts_at)
    # Nothing is written when it begins: the next decision finds it in force.
    until(lambda: admin.reserve("r", web, [images(6)]).status == 200)
    assert has_come(starts_at)


def test_of_several_windows_the_last_to_start_counts_then_the_first_to_end(admin, web):
    set_limit(admin, web, 10).ok()
    set_limit(admin, web, 20, starts_at="2020-01-01T00:00:00Z").ok()
    assert admin.quota(web, IMAGE, ZONE)["limit"] == 20
    wide = {"starts_at": "2021-01-01T00:00:00Z", "ends_at": "2990-01-01T00:00:00Z"}
    narrow = wide | {"ends_at": "2980-01-01T00:00:00Z"}
    set_limit(admin, web, 30, **wide).ok()
    set_limit(admin, web, 40, **narrow).ok()
    set_limit(admin, web, 50, starts_at="2970-01-01T00:00:00Z").ok()
    assert admin.quota(web, IMAGE, ZONE)["limit"] == 40
    assert len(limits(admin, web)) == 5
    # Each is taken away by its window, and the next one counts.
    for window, next_limit in [(narrow, 30), (wide, 20)]:
        delete_limit(admin, web, **window).ok()
        assert admin.quota(web, IMAGE, ZONE)["limit"] == next_limit
    check_problem(delete_limit(admin, web, **wide), 404, "not_found")
    delete_limit(admin, web, starts_at="2020-01-01T00:00:00Z").ok()
    delete_limit(admin, web).ok()
    assert admin.quota(web, IMAGE, ZONE)["limit"] == 5
    assert [limit["limit"] for limit in limits(admin, web)] == [50]


def test_the_chain_shows_every_limit_in_force_the_one_that_counts_last(admin, web):
    set_limit(admin, web, 9, location=None).ok()
    set_limit(admin, web, 10).ok()
    set_limit(admin, web, 30, ends_at="2990-01-01T00:00:00Z", reason="the launch").ok()
    sources = admin.quota(web, IMAGE, ZONE)["sources"]
    told = [(source["source"], source["limit"]) for source in sources]
    assert told == [("default", 5), ("limit", 9), ("limit", 10), ("limit", 30)]
    assert sources[3]["set"]["ends_at"] == "2990-01-01T00:00:00.000Z"
    assert sources[3]["set"]["reason"] == "the launch"
    assert sources[1]["set"]["location"] is None


def test_a_limit_that_is_over_leaves_the_list_with_the_next_write(admin, web):
    put = before_it_ends(lambda ends: set_limit(admin, web, 40, ends_at=ends)).ok()
    ends_at = put["ends_at"]
    until(lambda: admin.quota(web, IMAGE, ZONE)["limit"] == 5)
    assert has_come(ends_at)
    set_limit(admin, web, 10).ok()
    assert [limit["limit"] for limit in limits(admin, web)] == [10]
    check_problem(delete_limit(admin, web, ends_at=ends_at), 404, "not_found")


def test_a_limit_that_would_be_over_is_refused(admin, web):
    before = log(admin, web)
    for dry_run in [False, True]:
        past = set_limit(admin, web, 40, ends_at="2020-01-01T00:00:00Z", dry_run=dry_run)
        problem = check_problem(past, 400, "ends_in_the_past")
        assert "give an end that is to come" in problem["detail"]
    backwards = {"starts_at": "2990-01-02T00:00:00Z", "ends_at": "2990-01-01T00:00:00Z"}
    check_problem(set_limit(admin, web, 40, **backwards), 400)
    at_once = {"starts_at": "2990-01-02T00:00:00Z", "ends_at": "2990-01-02T00:00:00Z"}
    check_problem(set_limit(admin, web, 40, **at_once), 400)
    check_problem(set_limit(admin, web, 40, ends_at="tomorrow"), 400, "malformed")
    assert limits(admin, web) == []
    assert log(admin, web) == before


def test_there_are_sixteen_windows_at_most(admin, web):
    for day in range(1, 17):
        set_limit(admin, web, day, starts_at=f"2990-01-{day:02}T00:00:00Z").ok()
    check_problem(set_limit(admin, web, 17, starts_at="2990-02-01T00:00:00Z"), 409, "too_many")
    set_limit(admin, web, 99, starts_at="2990-01-16T00:00:00Z").ok()
    set_limit(admin, web, 17, starts_at="2990-02-01T00:00:00Z", location=OTHER_ZONE).ok()
    assert len(limits(admin, web)) == 17


def test_each_window_has_its_own_etag(admin, web):
    window = {"ends_at": "2990-01-01T00:00:00Z"}
    standing = set_limit(admin, web, 10)
    launch = set_limit(admin, web, 40, **window)
    tags = [reply.headers["ETag"] for reply in (standing, launch)]
    assert tags == [f'"{reply.ok()["revision"]}"' for reply in (standing, launch)]
    problem = check_problem(
        set_limit(admin, web, 50, match=tags[0], **window), 412, "precondition_failed"
    )
    assert f'"{problem["revision"]}"' == tags[1]
    changed = set_limit(admin, web, 50, match=tags[1], **window)
    assert changed.ok()["limit"] == 50
    # The other one is as it was, and its tag is still good.
    wrong = delete_limit(admin, web, match=changed.headers["ETag"])
    check_problem(wrong, 412, "precondition_failed")
    delete_limit(admin, web, match=tags[0]).ok()
    gone = set_limit(admin, web, 10, match=tags[0])
    check_problem(gone, 412, "precondition_failed")
    assert [limit["limit"] for limit in limits(admin, web)] == [50]


# --- modes


def test_a_limit_that_warns_lets_pass_and_says_so(admin, web):
    set_limit(admin, web, 2, mode="warn").ok()
    assert admin.reserve("fits", web, [images(2)]).ok()["warnings"] == []
    check = admin.call("POST", "/check", {"scope": web, "lines": [images(3)]}).ok()
    reply = admin.reserve("over", web, [images(3)]).ok()
    [warning] = reply["warnings"]
    assert (warning["scope"], warning["mode"], warning["limit"]) == (web, "warn", 2)
    assert (warning["held"], warning["asked"], warning["short_by"]) == (2, 3, 3)
    assert warning["limit_set"]["reason"] == "for the test"
    assert (check["admissible"], check["warnings"]) == (True, [warning])
    assert check["lines"] == [images(3)] and check["exceeded"] == []
    command = {"op": "reserve", "id": "more", "scope": web, "lines": [images(1)]}
    [outcome] = admin.call("POST", "/reservations:batch", {"commands": [command]}).ok()["outcomes"]
    assert [it["short_by"] for it in outcome["reservation"]["warnings"]] == [4]
    row = admin.quota(web, IMAGE, ZONE)
    assert (row["mode"], row["over_by"], row["available"]) == ("warn", 4, "unlimited")
    assert (row["counts"]["warned"], row["counts"]["observed"]) == (2, 0)
    assert row["counts"]["last_at"] is not None
    events = admin.call("GET", f"/scopes/{web}/events?cause=reserved").ok()["events"]
    marks = [event["mark"] for event in events]
    assert [mark["kind"] for mark in marks] == ["enforced", "passed", "passed"]
    [passed] = marks[1]["limits"]
    assert (passed["scope"], passed["resource"], passed["mode"]) == (web, IMAGE, "warn")


def test_a_limit_that_observes_lets_pass_and_only_counts(admin, web):
    set_limit(admin, web, 0, mode="observe").ok()
    for name, amount in [("a", 1), ("b", 7)]:
        assert admin.reserve(name, web, [images(amount)]).ok()["warnings"] == []
    check = admin.call("POST", "/check", {"scope": web, "lines": [images(1)]}).ok()
    assert (check["admissible"], check["warnings"], check["exceeded"]) == (True, [], [])
    row = admin.quota(web, IMAGE, ZONE)
    assert (row["limit"], row["held"], row["available"]) == (0, 8, "unlimited")
    counts = row["counts"]
    assert (counts["refused"], counts["warned"], counts["observed"]) == (0, 0, 2)
    # Above it, a limit that enforces still does.
    admin.limit("acme", IMAGE, 9, ZONE)
    assert admin.quota(web, IMAGE, ZONE)["available"] == 1
    refusal = check_problem(admin.reserve("c", web, [images(2)]), 422, "quota_exceeded")
    assert [limit["scope"] for limit in refusal["exceeded"]] == ["acme"]
    assert admin.quota(web, IMAGE, ZONE)["counts"]["observed"] == 2, "a refusal passes nothing"


def test_a_limit_is_tried_out_before_it_binds(admin, web):
    set_limit(admin, web, 1, mode="observe").ok()
    admin.reserve("a", web, [images(2)], commit=True).ok()
    assert set_limit(admin, web, 1, mode="enforce").ok()["mode"] == "enforce"
    check_problem(admin.reserve("b", web, [images(1)]), 422, "quota_exceeded")
    # Left out, it enforces.
    set_limit(admin, web, 1, mode="warn").ok()
    assert set_limit(admin, web, 1).ok()["mode"] == "enforce"
    check_problem(set_limit(admin, web, 1, mode="hint"), 400, "malformed")


def test_a_repeat_passes_no_limit_again(admin, web):
    set_limit(admin, web, 0, mode="warn").ok()
    first, again = (admin.reserve("r", web, [images(1)]).ok() for _ in range(2))
    assert first["warnings"] and again["revision"] == first["revision"]
    assert admin.quota(web, IMAGE, ZONE)["counts"]["warned"] == 1, "a repeat takes nothing"


# --- lowered, and tried out


def test_a_limit_below_use_takes_nothing_away(admin, web):
    admin.reserve("r", web, [images(4)], commit=True).ok()
    admin.reserve("h", web, [images(1)]).ok()
    set_limit(admin, web, 2).ok()
    assert figures(admin, web, "used", "held", "available", "over_by") == (4, 1, 0, 3)
    check_problem(admin.reserve("s", web, [images(1)]), 422, "quota_exceeded")
    assert admin.commit("h").ok()["state"] == "committed"
    smaller = {"lines": [images(3)]}
    assert admin.call("POST", "/reservations/r/resize", smaller).ok()["lines"] == [images(3)]
    assert figures(admin, web, "used", "over_by") == (4, 2)
    admin.release("h").ok()
    admin.release("r").ok()
    assert figures(admin, web, "used", "available", "over_by") == (0, 2, 0)


def test_a_dry_run_tells_what_would_be_over_and_writes_nothing(admin, web):
    admin.reserve("r", web, [images(4)], commit=True).ok()
    admin.reserve("h", web, [images(1)]).ok()
    admin.reserve("o", web, [images(3, OTHER_ZONE)], commit=True).ok()
    before = log(admin, web)
    answer = set_limit(admin, web, 3, location=None, dry_run=True).ok()
    assert answer["limit"]["limit"] == 3 and answer["limit"]["location"] is None
    over = {"scope": web, "resource": IMAGE}
    fra = over | {"location": ZONE, "used": 4, "held": 1, "over_by": 2}
    assert answer["over"] == [fra]
    answer = set_limit(admin, web, 0, location=None, dry_run=True).ok()
    hkg = over | {"location": OTHER_ZONE, "used": 3, "held": 0, "over_by": 3}
    assert answer["over"] == [fra | {"over_by": 5}, hkg]
    assert set_limit(admin, web, 5, dry_run=True).ok()["over"] == []
    # At the tenant it is about the sum of all below.
    assert set_limit(admin, "acme", 4, dry_run=True).ok()["over"] == [
        fra | {"scope": "acme", "over_by": 1}
    ]
    assert log(admin, web) == before
    assert limits(admin, web) == []
    assert figures(admin, web, "limit", "over_by") == (5, 0)
    # Where another limit counts, the one for any location says nothing.
    set_limit(admin, web, 9).ok()
    over = set_limit(admin, web, 2, location=None, dry_run=True).ok()["over"]
    assert [row["location"] for row in over] == [OTHER_ZONE]


def test_a_dry_run_is_refused_as_the_limit_would_be(demo, admin, web):
    tag = set_limit(admin, web, 9).headers["ETag"]
    assert set_limit(admin, web, 3, match=tag, dry_run=True).ok()["limit"]["limit"] == 3
    stale = set_limit(admin, web, 3, match='"1"', dry_run=True)
    assert f'"{check_problem(stale, 412, "precondition_failed")["revision"]}"' == tag
    assert set_limit(admin, web, 3, match=tag, dry_run=True).status == 200, "it is as it was"
    check_problem(set_limit(admin, "nowhere", 3, dry_run=True), 404, "unknown_scope")
    unknown = set_limit(admin, web, 3, resource="vm/none", dry_run=True)
    check_problem(unknown, 404, "unknown_resource")
    manager = token(demo, admin, "manager", "acme")
    assert set_limit(manager, web, 3, dry_run=True).ok()["over"] == []
    check_problem(set_limit(manager, "zenlayer-demo", 3, dry_run=True), 404, "unknown_scope")
    for role in ["enforcer", "viewer"]:
        lower = token(demo, admin, role, "acme")
        check_problem(set_limit(lower, web, 3, dry_run=True), 403, "forbidden")
        check_problem(set_limit(lower, web, 3), 403, "forbidden")


# --- tiers


def put_tier(admin, name, *rows):
    return admin.call("PUT", f"/tiers/{name}", {"limits": list(rows)})


def row(limit, location=None, **more):
    place = {} if location is None else {"location": location}
    return {"resource": IMAGE, "limit": limit} | place | more


def put_scope(admin, name, **more):
    return admin.call("PUT", f"/scopes/{name}", {"kind": "project"} | more)


def test_a_tier_binds_every_scope_that_has_it(admin, web):
    put_tier(admin, "starter", row(3), row(1, OTHER_ZONE)).ok()
    for name in ["acme-ml", "acme-web"]:
        assert put_scope(admin, name, parent="acme", tier="starter").ok()["tier"] == "starter"
    [default, tier] = admin.quota(web, IMAGE, ZONE)["sources"]
    assert (default["source"], tier["source"], tier["tier"]) == ("default", "tier", "starter")
    assert admin.quota(web, IMAGE, OTHER_ZONE)["limit"] == 1
    problem = check_problem(admin.reserve("r", web, [images(4)]), 422, "quota_exceeded")
    [exceeded] = problem["exceeded"]
    assert (exceeded["limit_source"], exceeded["tier"]) == ("tier", "starter")
    assert "tier `starter`" in problem["detail"]
    # A change of the tier is felt by all of them at once.
    put_tier(admin, "starter", row(4)).ok()
    for name in ["acme-ml", "acme-web"]:
        assert figures(admin, name, "limit") == (4,)
        assert figures(admin, name, "limit", location=OTHER_ZONE) == (4,)
    assert admin.reserve("r", web, [images(4)]).ok()["state"] == "held"
    put_scope(admin, "acme-ml", parent="acme").ok()
    assert figures(admin, "acme-ml", "limit") == (5,)


def test_a_limit_goes_before_a_tier_and_a_tier_above_binds_the_sum(admin, web):
    put_tier(admin, "starter", row(3)).ok()
    put_tier(admin, "org", row(6)).ok()
    put_scope(admin, web, parent="acme", tier="starter").ok()
    put_scope(admin, "acme-ml", parent="acme").ok()
    put_scope(admin, "acme", kind="organisation", tier="org").ok()
    set_limit(admin, web, 5).ok()
    assert figures(admin, web, "limit", "available") == (5, 5)
    admin.reserve("ml", "acme-ml", [images(4)], commit=True).ok()
    assert figures(admin, web, "limit", "available") == (5, 2)
    problem = check_problem(admin.reserve("r", web, [images(3)]), 422, "quota_exceeded")
    [exceeded] = problem["exceeded"]
    assert (exceeded["scope"], exceeded["tier"], exceeded["short_by"]) == ("acme", "org", 1)
    delete_limit(admin, web).ok()
    assert figures(admin, web, "limit") == (3,)
    # Its limits have modes, too.
    put_tier(admin, "org", row(6, mode="warn")).ok()
    warned = admin.reserve("r", web, [images(3)]).ok()["warnings"]
    assert [(it["scope"], it["limit_source"], it["tier"]) for it in warned] == [
        ("acme", "tier", "org")
    ]


def test_an_unknown_tier_is_an_error_of_its_own(admin, web):
    check_problem(put_scope(admin, web, parent="acme", tier="none"), 404, "unknown_tier")
    check_problem(admin.call("GET", "/tiers/none"), 404, "unknown_tier")
    unknown = put_tier(admin, "odd", row(1) | {"resource": "vm/none"})
    check_problem(unknown, 404, "unknown_resource")
    check_problem(put_tier(admin, "odd", row(1, "nowhere")), 404, "unknown_location")
    assert [tier["name"] for tier in admin.call("GET", "/tiers").ok()["tiers"]] == []
