"""Reconcile over HTTP: what is really there against what is reserved, told and mended."""

import json
import re
import threading

import pytest

from clients import BASE, Native, line
from conftest import admin_of
from test_native import check_problem
from test_verify import number, proved
from wire import exchange, exchange_large

IMAGE = "vm/image"
ZONE = "FRA-A"
OTHER_ZONE = "HKG-A"
THINGS_MAX = 100_000


@pytest.fixture
def images(demo, admin):
    """The image service of a tenant, who may not set limits, and may mend past them."""
    admin.scope("acme", kind="organisation")
    admin.scope("web", parent="acme")
    admin.scope("ml", parent="acme")
    body = {"id": "images", "kind": "token", "role": "enforcer", "scope": "acme", "force": True}
    return Native(demo, admin.call("POST", "/principals", body).ok()["token"])


def revision(caller):
    return caller.call("GET", "/scopes/web/quotas").ok()["revision"]


def take(caller, name, amount, *, commit=True, **more):
    more = {"commit": commit} | more
    return caller.reserve(name, "web", [line(IMAGE, amount, ZONE)], **more).ok()


def things(amounts):
    return [{"holder": holder, "amount": amount} for holder, amount in amounts.items()]


def post(caller, amounts, at, **more):
    content = {"scope": "web", "resource": IMAGE, "location": ZONE, "revision": at}
    content["allow_empty"] = True
    content["things"] = amounts if isinstance(amounts, list) else things(amounts)
    return caller.call("POST", "/reconcile", content | more)


def told(answer):
    """{holder: (difference, here, there, mend)}"""
    return {
        it["holder"]: (it["difference"], it["here"], it["there"], it["mend"])
        for it in answer["findings"]
    }


def figures(caller, scope="web"):
    used, held, _ = caller.figures(scope, IMAGE, ZONE)
    return used, held


def events(caller, after):
    return caller.call("GET", f"/scopes/web/events?after={after}&page_size=1000").ok()["events"]


@pytest.fixture
def drifted(images):
    """Five in use, of which one is there no more and one has grown; another came unasked."""
    take(images, "same", 1, holder="img-same")
    take(images, "gone", 1, holder="img-gone")
    take(images, "grown", 1, holder="img-grown")
    take(images, "nameless", 1)
    take(images, "elsewhere", 1, holder="img-other")
    return images


TRUE_INVENTORY = {"img-same": 1, "img-grown": 3, "nameless": 1, "img-new": 2, "img-other": 1}
DRIFT = {
    "img-gone": ("missing_there", 1, 0),
    "img-grown": ("amount_differs", 1, 3),
    "img-new": ("missing_here", 0, 2),
}


def with_mend(mend):
    return {holder: (*difference, mend) for holder, difference in DRIFT.items()}


def test_a_report_changes_nothing(drifted):
    before = revision(drifted)
    for more in [{}, {"repair": False}]:
        answer = post(drifted, TRUE_INVENTORY, before, **more).ok()
        assert told(answer) == with_mend(None)
        assert answer["agreeing"] == 3
        assert (answer["revision"], answer["inventory_revision"]) == (before, before)
    assert revision(drifted) == before
    assert figures(drifted) == (5, 0)


def test_a_repair_mends_each_with_an_event_of_its_own(drifted):
    before = revision(drifted)
    more = {"repair": True, "reason": "nightly inventory"}
    answer = post(drifted, TRUE_INVENTORY, before, **more).ok()
    assert told(answer) == with_mend("done")
    assert all(finding["problem"] is None for finding in answer["findings"])
    assert answer["revision"] == before + 3 == revision(drifted)
    # 8 of 5: what is there is there, whatever the limits say.
    assert figures(drifted) == figures(drifted, "acme") == (8, 0)
    row = drifted.quota("web", IMAGE, ZONE)
    assert (row["over_by"], row["available"]) == (3, 0)
    mended = events(drifted, before)
    assert sorted(event["cause"] for event in mended) == ["released", "reserved", "resized"]
    for event in mended:
        mark = event["mark"]
        assert (mark["kind"], mark["reason"]) == ("mended", "nightly inventory")
        assert event["actor"] == "images"
    assert drifted.call("GET", "/reservations/gone").ok()["state"] == "released"
    assert drifted.call("GET", "/reservations/grown").ok()["lines"][0]["amount"] == 3
    query = "/scopes/web/reservations?state=committed&holder=img-new"
    [new] = drifted.call("GET", query).ok()["reservations"]
    assert (new["holder"], new["lines"]) == ("img-new", [line(IMAGE, 2, ZONE)])
    # It is a reservation like any other.
    assert drifted.release(new["id"]).ok()["state"] == "released"
    assert figures(drifted) == (6, 0)


def test_a_repeat_finds_nothing_left_to_mend(drifted):
    before = revision(drifted)
    answer = post(drifted, TRUE_INVENTORY, before, repair=True).ok()
    assert answer["agreeing"] == 3
    after = revision(drifted)
    for at in [before, after]:
        again = post(drifted, TRUE_INVENTORY, at, repair=True).ok()
        assert (again["findings"], again["agreeing"]) == ([], 5)
    assert revision(drifted) == after
    assert re.search(rf"\b{before}\b", events(drifted, before)[0]["mark"]["reason"])


def test_what_is_held_is_in_flight(images):
    take(images, "r", 2, commit=False, holder="img-1")
    before = revision(images)
    for inventory in [{}, {"img-1": 1}]:
        answer = post(images, inventory, before, repair=True).ok()
        assert told(answer) == {"img-1": ("in_flight", 2, inventory.get("img-1", 0), None)}
        assert answer["agreeing"] == 0
    assert post(images, {"img-1": 2}, before, repair=True).ok()["findings"] == []
    assert revision(images) == before
    # Once it is used, and was so before the inventory, it is mended.
    images.commit("r").ok()
    assert told(post(images, {}, revision(images), repair=True).ok()) == {
        "img-1": ("missing_there", 2, 0, "done")
    }


def test_what_has_changed_since_is_in_flight(images):
    take(images, "a", 1, holder="img-a")
    take(images, "b", 1, holder="img-b")
    take(images, "d", 1, holder="img-d")
    looked = revision(images)
    images.release("a").ok()
    images.call("POST", "/reservations/b/resize", {"lines": [line(IMAGE, 2, ZONE)]}).ok()
    take(images, "c", 1, holder="img-c")
    images.call("POST", "/reservations/d/transfer", {"to": "ml"}).ok()
    then = {"img-a": 1, "img-b": 1, "img-d": 1}
    before = revision(images)
    answer = post(images, then, looked, repair=True).ok()
    assert told(answer) == {
        "img-a": ("in_flight", 0, 1, None),
        "img-b": ("in_flight", 2, 1, None),
        "img-c": ("in_flight", 1, 0, None),
        "img-d": ("in_flight", 0, 1, None),
    }
    assert revision(images) == before
    # The same inventory, said to be of now, is a true one.
    answer = post(images, then, before, repair=False).ok()
    assert told(answer) == {
        "img-a": ("missing_here", 0, 1, None),
        "img-b": ("amount_differs", 2, 1, None),
        "img-c": ("missing_there", 1, 0, None),
        "img-d": ("missing_here", 0, 1, None),
    }


def test_a_thing_with_several_reservations_is_left_with_what_it_uses(images):
    for name, amount in [("a", 1), ("b", 2), ("c", 1)]:
        take(images, name, amount, holder="img-1")
    assert post(images, {"img-1": 4}, revision(images)).ok()["findings"] == []
    answer = post(images, {"img-1": 2}, revision(images), repair=True).ok()
    assert told(answer) == {"img-1": ("amount_differs", 4, 2, "done")}
    assert figures(images) == (2, 0)
    assert post(images, {"img-1": 2}, revision(images)).ok()["findings"] == []
    assert told(post(images, {}, revision(images), repair=True).ok()) == {
        "img-1": ("missing_there", 2, 0, "done")
    }
    assert figures(images) == (0, 0)


def test_a_mend_touches_nothing_but_its_own_resource_and_place(images):
    lines = [line(IMAGE, 1, ZONE), line(IMAGE, 2, OTHER_ZONE), line("modelarts/pool", 3)]
    images.reserve("r", "web", lines, commit=True, holder="img-1").ok()
    images.reserve("s", "ml", [line(IMAGE, 1, ZONE)], commit=True, holder="img-2").ok()
    assert told(post(images, {}, revision(images), repair=True).ok()) == {
        "img-1": ("missing_there", 1, 0, "done")
    }
    left = images.call("GET", "/reservations/r").ok()
    amounts = [(it["resource"], it["location"], it["amount"]) for it in left["lines"]]
    assert amounts == [(IMAGE, OTHER_ZONE, 2), ("modelarts/pool", None, 3)]
    assert left["state"] == "committed"
    assert figures(images, "ml") == (1, 0)
    assert images.figures("web", IMAGE, OTHER_ZONE) == (2, 0, 5)


def test_what_changes_while_it_is_compared_is_left_alone(images):
    take(images, "r", 1, holder="img-1")
    stop = threading.Event()

    def move():
        while not stop.is_set():
            for amount in [2, 3]:
                content = {"lines": [line(IMAGE, amount, ZONE)]}
                images.call("POST", "/reservations/r/resize", content).ok()

    mover = threading.Thread(target=move)
    mover.start()
    try:
        for _ in range(100):
            answer = post(images, {"img-1": 1}, revision(images), repair=True).ok()
            for finding in answer["findings"]:
                if finding["mend"] == "failed":
                    assert finding["problem"]["code"] == "precondition_failed"
    finally:
        stop.set()
        mover.join()
    # Each mend is of a reservation as it was compared, so the figures are those of the last step.
    amount = images.call("GET", "/reservations/r").ok()["lines"][0]["amount"]
    assert figures(images) == figures(images, "acme") == (amount, 0)
    mended = [event for event in events(images, 0) if event["mark"]["kind"] == "mended"]
    assert all(event["cause"] == "resized" for event in mended)


def test_a_thing_that_comes_back_is_taken_in_anew(images):
    for _ in range(3):
        assert told(post(images, {"img-1": 1}, revision(images), repair=True).ok()) == {
            "img-1": ("missing_here", 0, 1, "done")
        }
        assert figures(images) == (1, 0)
        assert told(post(images, {}, revision(images), repair=True).ok()) == {
            "img-1": ("missing_there", 1, 0, "done")
        }
        assert figures(images) == (0, 0)


def test_a_mend_of_a_zero_limit_is_no_admission(images, admin):
    admin.limit("acme", IMAGE, 0, ZONE)
    answer = post(images, {"img-1": 7}, revision(images), repair=True).ok()
    assert told(answer) == {"img-1": ("missing_here", 0, 7, "done")}
    assert images.quota("acme", IMAGE, ZONE)["over_by"] == 7
    check_problem(images.reserve("r", "web", [line(IMAGE, 1, ZONE)]), 422, "quota_exceeded")


def test_a_resource_that_is_counted_everywhere_has_no_place(images):
    place = {"resource": "modelarts/pool", "location": None}
    answer = post(images, {"pool-1": 2}, revision(images), repair=True, **place).ok()
    assert answer["location"] is None
    assert images.figures("web", "modelarts/pool") == (2, 0, 15)


@pytest.mark.parametrize("repair", [False, True])
def test_what_cannot_be_compared_is_refused(images, admin, repair):
    before = revision(images)
    beyond = check_problem(
        post(images, {}, before + 1, repair=repair), 412, "precondition_failed"
    )
    assert beyond["revision"] == before
    for more, code in [
        ({"scope": "nowhere"}, "unknown_scope"),
        ({"scope": "zenlayer-demo"}, "unknown_scope"),
        ({"resource": "vm/none"}, "unknown_resource"),
        ({"location": "nowhere"}, "unknown_location"),
    ]:
        check_problem(post(images, {}, before, repair=repair, **more), 404, code)
    missing = post(images, {}, before, repair=repair, location=None)
    check_problem(missing, 400, "location_required")
    needless = post(images, {}, before, repair=repair, resource="modelarts/pool")
    check_problem(needless, 400, "location_not_applicable")
    assert revision(images) == before


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (things({"a": 1}) + things({"a": 1}), "/things/1/holder"),
        (things({"a": 1, "b": 0}), "/things/1/amount"),
        (things({"a": -1}), "/things/0/amount"),
        (things({"a": 1.5}), "/things/0/amount"),
        ([{"holder": "a"}], "/things/0"),
        ([{"holder": "a", "amount": 1, "size": 2}], "/things/0"),
    ],
)
def test_an_inventory_that_cannot_be_read_says_where(images, content, pointer):
    before = revision(images)
    problem = check_problem(post(images, content, before, repair=True), 400, "malformed")
    assert problem["pointer"].startswith(pointer)
    assert revision(images) == before


def test_who_may_reconcile(demo, admin, images):
    body = {"kind": "token", "role": "viewer", "scope": "acme"}
    viewer = Native(demo, admin.call("POST", "/principals", body).ok()["token"])
    check_problem(post(viewer, {}, 1), 403, "forbidden")


# --- large ones


def large_inventory(count):
    return {f"img-{index:06}": 1 for index in range(count)}


def test_a_hundred_thousand_things_come_in_one_call(place, demo, images):
    inventory = large_inventory(THINGS_MAX)
    before = revision(images)
    answer = post(images, inventory, before, repair=True).ok()
    assert len(answer["findings"]) == THINGS_MAX
    assert {finding["mend"] for finding in answer["findings"]} == {"done"}
    assert figures(images) == figures(images, "acme") == (THINGS_MAX, 0)
    now = answer["revision"]
    again = post(images, inventory, now, repair=True).ok()
    assert (again["agreeing"], again["findings"], again["revision"]) == (THINGS_MAX, [], now)
    one_more = post(images, inventory | {"one-more": 1}, now)
    problem = check_problem(one_more, 400, "malformed")
    assert problem["pointer"] == "/things"
    if place.database is None:
        demo.stop()
        assert number(proved(place.data)["mended"]) == THINGS_MAX


def test_an_inventory_beyond_the_configured_size_is_too_large(place):
    server = place.serve(config="inventory_mib_max = 1\n")
    admin = admin_of(server)
    admin.scope("acme", kind="organisation")
    admin.scope("web", parent="acme")
    whole = json.dumps({
        "scope": "web",
        "resource": IMAGE,
        "location": ZONE,
        "revision": revision(admin),
        "things": things(large_inventory(40_000)),
    }).encode()
    assert 1 << 20 < len(whole)
    head = [
        f"POST {BASE}/reconcile HTTP/1.1",
        f"Host: {server.address}",
        f"Authorization: Bearer {admin.token}",
        "Content-Type: application/json",
        f"Content-Length: {len(whole)}",
        "\r\n",
    ]
    reply = exchange_large(server.address, "\r\n".join(head).encode(), whole)
    problem = check_problem(reply, 413, "too_large")
    assert f"`{1 << 20}` bytes" in problem["detail"]
    answer = post(admin, large_inventory(20_000), revision(admin)).ok()
    assert len(answer["findings"]) == 20_000
    anonymous = exchange(server.address, "POST", f"{BASE}/reconcile", [], b"x" * (100 << 10))
    assert anonymous.status == 401


def test_a_mend_past_a_limit_takes_the_permission_to_force(demo, images, admin):
    body = {"kind": "token", "role": "enforcer", "scope": "acme"}
    bound = Native(demo, admin.call("POST", "/principals", body).ok()["token"])
    answer = post(bound, {"img-1": 2, "img-2": 9}, revision(bound), repair=True).ok()
    assert told(answer) == {
        "img-1": ("missing_here", 0, 2, "done"),
        "img-2": ("missing_here", 0, 9, "failed"),
    }
    assert answer["findings"][1]["problem"]["code"] == "quota_exceeded"
    assert figures(images) == (2, 0)


def test_an_empty_list_mends_only_where_it_says_that_it_means_to(images):
    take(images, "r", 1, holder="img-1")
    at = revision(images)
    refused = post(images, {}, at, repair=True, allow_empty=False)
    assert check_problem(refused, 400, "malformed")["pointer"] == "/things"
    assert figures(images) == (1, 0)
    mended = told(post(images, {}, at, repair=True).ok())
    assert mended == {"img-1": ("missing_there", 1, 0, "done")}
