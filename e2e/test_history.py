"""What has happened: events page by page and live, figures as they were, refusals counted."""

import json
import random
import threading
import time

import pytest

from clients import Native, line
from conftest import admin_of
from streams import Stream
from test_native import check_problem
from waiting import before_it_ends, from_now, instant_between, until

IMAGE = "vm/image"
POOL = "modelarts/pool"
ZONE = "FRA-A"
OTHER_ZONE = "HKG-A"
SCOPES = ["acme", "web", "ml"]
STOP_SECONDS_MAX = 8


@pytest.fixture
def tree(admin):
    admin.scope("acme", kind="organisation")
    admin.scope("web", parent="acme")
    admin.scope("ml", parent="acme")
    return admin


def images(amount, location=ZONE):
    return line(IMAGE, amount, location)


def token(server, admin, role, scope, **more):
    body = {"kind": "token", "role": role, "scope": scope} | more
    made = admin.call("POST", "/principals", body).ok()
    return made["id"], Native(server, made["token"])


def events(caller, scope, query=""):
    return caller.call("GET", f"/scopes/{scope}/events{query}").ok()


def revisions(events):
    return [event["revision"] for event in events]


def quotas(caller, scope, as_of=None):
    query = "" if as_of is None else f"?as_of={as_of}"
    return caller.call("GET", f"/scopes/{scope}/quotas{query}")


def act(admin, verb, reservation, content=None):
    return admin.call("POST", f"/reservations/{reservation}/{verb}", content)


# --- page by page


@pytest.fixture
def told(tree):
    """A short story: what happens in one project, in the other, and above both."""
    admin = tree
    admin.limit("web", IMAGE, 4, ZONE)
    admin.limit("acme", POOL, 9)
    admin.reserve("w", "web", [images(2)]).ok()
    admin.commit("w").ok()
    admin.reserve("x", "web", [images(1, OTHER_ZONE), line(POOL, 1)]).ok()
    admin.release("x").ok()
    admin.reserve("m", "ml", [images(3)], commit=True).ok()
    return admin


def test_every_event_is_told_once_in_order(told):
    whole = events(told, "acme", "?page_size=1000")["events"]
    causes = [event["cause"] for event in whole]
    made = ["scope_put"] * 3 + ["limit_put"] * 2
    taken = ["reserved", "committed", "reserved", "released", "reserved"]
    assert causes == made + taken
    assert revisions(whole) == list(range(1, 11))
    assert {event["actor"] for event in whole} == {whole[0]["actor"]}
    assert [event["at"] for event in whole] == sorted(event["at"] for event in whole)
    for size in [1, 3, 10]:
        paged, after = [], 0
        while after is not None:
            page = events(told, "acme", f"?page_size={size}&after={after}")
            assert len(page["events"]) <= size
            paged += page["events"]
            after = page["next_after"]
        assert paged == whole
    assert events(told, "acme", "?after=10") == {
        "scope": "acme",
        "events": [],
        "next_after": None,
    }
    assert events(told, "acme", "?page_size=10")["next_after"] is None, "there is nothing more"


def test_an_event_shows_the_rows_as_they_are_from_then_on(told):
    [event] = events(told, "web", "?cause=committed")["events"]
    rows = {change["kind"]: change["row"] for change in event["changes"]}
    assert rows["account"] == {
        "scope": "web",
        "resource": IMAGE,
        "location": ZONE,
        "used": 2,
        "held": 0,
    }
    assert rows["reservation"] == told.call("GET", "/reservations/w").ok()
    assert event["mark"] == {"kind": "enforced", "reason": None, "limits": []}


def test_events_are_filtered(told):
    def found(query):
        return revisions(events(told, "acme", query)["events"])

    assert found(f"?resource={POOL}") == [5, 8, 9]
    assert found(f"?resource={IMAGE}&location={OTHER_ZONE}") == [8, 9]
    assert found(f"?location={ZONE}") == [4, 6, 7, 10]
    assert found("?cause=reserved") == [6, 8, 10]
    assert found("?cause=reserved&after=6") == [8, 10]
    assert found(f"?cause=limit_put&resource={IMAGE}&after=3") == [4]
    assert found("?cause=transferred") == []
    check_problem(told.call("GET", "/scopes/acme/events?cause=odd"), 400, "malformed")
    check_problem(told.call("GET", "/scopes/acme/events?after=-1"), 400, "malformed")
    check_problem(told.call("GET", "/scopes/nowhere/events"), 404, "unknown_scope")


def test_a_filter_that_finds_nothing_on_a_page_leads_on(told):
    found, after, pages = [], 0, 0
    while after is not None:
        page = events(told, "acme", f"?cause=released&page_size=2&after={after}")
        found += revisions(page["events"])
        after, pages = page["next_after"], pages + 1
    assert found == [9] and 1 < pages


def test_a_reader_of_a_project_sees_nothing_of_its_parents_and_siblings(demo, told):
    tried = {"resource": IMAGE, "location": ZONE, "limit": 0, "mode": "warn", "reason": "tried out"}
    for scope in ["web", "acme"]:
        told.call("PUT", f"/scopes/{scope}/limits", tried).ok()
    told.reserve("passed", "web", [images(1)]).ok()
    _, reader = token(demo, told, "viewer", "web")
    seen = events(reader, "web")["events"]
    assert revisions(seen) == [2, 4, 6, 7, 8, 9, 11, 13]
    for event in seen:
        rows = [change["row"] for change in event["changes"]]
        scopes = [row.get("scope", row.get("id")) for row in rows]
        scopes += [crossing["scope"] for crossing in event["crossed"]]
        scopes += [limit["scope"] for limit in event["mark"]["limits"]]
        assert set(scopes) == {"web"}, event
    assert seen[-1]["mark"]["kind"] == "passed"
    for scope in ["acme", "ml", "zenlayer-demo"]:
        check_problem(reader.call("GET", f"/scopes/{scope}/events"), 404, "unknown_scope")
    assert Stream(reader, "acme").response.status == 404
    # The tenant's own reader sees both limits that were passed.
    [passed] = events(told, "acme", "?after=12")["events"]
    assert sorted(limit["scope"] for limit in passed["mark"]["limits"]) == ["acme", "web"]


def test_reservations_are_found_by_their_holder(tree):
    admin = tree
    admin.reserve("a", "web", [images(1)], holder="img-1").ok()
    admin.reserve("b", "web", [images(1)], holder="img-1", commit=True).ok()
    admin.reserve("img-1", "ml", [images(1)]).ok()
    admin.reserve("img-2", "web", [images(1)]).ok()
    admin.reserve("c", "ml", [images(1)], holder="img 2/ü").ok()

    def found(scope, query):
        answer = admin.call("GET", f"/scopes/{scope}/reservations?{query}").ok()
        return [reservation["id"] for reservation in answer["reservations"]]

    assert found("acme", "holder=img-1") == ["a", "b", "img-1"]
    assert found("web", "holder=img-1") == ["a", "b"]
    assert found("acme", "holder=img-1&state=committed") == ["b"]
    assert found("acme", "holder=img-2") == ["img-2"], "one without a holder goes by its id"
    assert found("acme", "holder=img%202%2F%C3%BC") == ["c"]
    assert found("acme", "holder=none") == []
    admin.release("b").ok()
    assert found("acme", "holder=img-1&state=released") == ["b"]


def reasons(events):
    return [(event["cause"], event["reason"], event["actor"]) for event in events]


def test_who_and_why_is_told_of_every_change_of_a_limit(demo, tree):
    admin = tree
    ops, manager = token(demo, admin, "manager", "acme")
    admin.call("PUT", "/tiers/t", {"limits": [{"resource": IMAGE, "limit": 7}]}).ok()
    after = events(admin, "acme")["events"][-1]["revision"]
    limit = {"resource": IMAGE, "limit": 4, "reason": "the pilot"}
    manager.call("PUT", "/scopes/web/limits", limit).ok()
    where = f"/scopes/web/limits?resource={IMAGE}"
    manager.call("DELETE", f"{where}&reason=the+pilot+is+over").ok()
    manager.call("PUT", "/scopes/web/limits", limit | {"reason": "again"}).ok()
    manager.call("DELETE", where).ok()
    project = {"kind": "project", "parent": "acme", "tier": "t", "reason": "grown up"}
    manager.call("PUT", "/scopes/web", project).ok()
    assert reasons(events(admin, "web", f"?after={after}")["events"]) == [
        ("limit_put", "the pilot", ops),
        ("limit_deleted", "the pilot is over", ops),
        ("limit_put", "again", ops),
        ("limit_deleted", None, ops),
        ("scope_put", "grown up", ops),
    ]
    blank = {"reason": " "}
    for method, path, content in [
        ("PUT", "/scopes/web/limits", limit | blank),
        ("DELETE", f"{where}&reason=", None),
        ("PUT", "/scopes/web", project | blank),
        ("PUT", "/tiers/t", {"limits": []} | blank),
    ]:
        problem = check_problem(admin.call(method, path, content), 400, "malformed")
        assert "must say why" in problem["detail"]


def catalogue(admin, query=""):
    return admin.call("GET", f"/events{query}").ok()


def test_what_belongs_to_no_tenant_has_a_log_of_its_own(demo, admin):
    with Stream(admin, None) as stream:
        known = catalogue(admin, "?page_size=1000")["events"]
        assert stream.take(len(known)) == known
        causes = {event["cause"] for event in known}
        assert {"resource_put", "location_put", "principal_created"} <= causes
        assert revisions(known) == list(range(1, len(known) + 1))
        resource = {"unit": "count", "default_limit": 3, "per_location": True}
        admin.call("PUT", f"/resources/{IMAGE}", resource | {"reason": "too dear"}).ok()
        tier = {"limits": [{"resource": IMAGE, "limit": 9}], "reason": "for the large"}
        admin.call("PUT", "/tiers/large", tier).ok()
        name, viewer = token(demo, admin, "viewer", "*")
        admin.call("DELETE", f"/principals/{name}").ok()
        whole = catalogue(admin, f"?after={len(known)}")
        assert stream.take(4) == whole["events"]
    assert whole["scope"] is None and whole["next_after"] is None
    told = [(event["cause"], event["reason"]) for event in whole["events"]]
    assert told == [
        ("resource_put", "too dear"),
        ("tier_put", "for the large"),
        ("principal_created", None),
        ("principal_deleted", None),
    ]
    [[put], [tier_put], [made], [gone]] = [event["changes"] for event in whole["events"]]
    assert put == {"kind": "resource", "row": admin.call("GET", f"/resources/{IMAGE}").ok()}
    assert tier_put == {"kind": "tier", "row": admin.call("GET", "/tiers/large").ok()}
    assert made["kind"] == "principal" and made["row"]["id"] == name
    assert gone == {"kind": "principal_gone", "row": {"id": name}}
    assert viewer.token not in json.dumps(whole)
    assert catalogue(admin, "?cause=tier_put")["events"] == [whole["events"][1]]
    paged, after = [], 0
    while after is not None:
        page = catalogue(admin, f"?page_size=3&after={after}")
        paged, after = paged + page["events"], page["next_after"]
    assert paged == known + whole["events"]


def test_the_catalogues_log_is_for_admins(demo, admin):
    for role in ["viewer", "enforcer", "manager"]:
        _, caller = token(demo, admin, role, "*")
        check_problem(caller.call("GET", "/events"), 403, "forbidden")
        assert Stream(caller, None).response.status == 403
    check_problem(admin.call("GET", f"/events?resource={IMAGE}"), 400, "malformed")


# --- live


def test_what_is_acknowledged_is_told_to_who_listens(told):
    with Stream(told, "acme") as stream:
        assert stream.take(10) == events(told, "acme")["events"], "first what has happened"
        for name in ["r-1", "r-2"]:
            revision = told.reserve(name, "ml", [images(1)]).ok()["revision"]
            event = stream.next()
            assert (event["revision"], event["cause"]) == (revision, "reserved")
            assert stream.last_event_id == str(revision)
            assert [event] == events(told, "acme", f"?after={revision - 1}")["events"]


def test_who_comes_back_misses_nothing_and_hears_nothing_twice(told):
    heard = []
    with Stream(told, "acme", "?after=3") as stream:
        heard += stream.take(4)
    told.reserve("late", "ml", [images(1)]).ok()
    # As browsers do: the same query again, and the last id, which goes before it.
    with Stream(told, "acme", "?after=3", stream.last_event_id) as stream:
        heard += stream.take(4)
        told.release("late").ok()
        heard += stream.take(1)
    assert revisions(heard) == list(range(4, 13))
    assert heard == events(told, "acme", "?after=3")["events"]
    broken = [("Accept", "text/event-stream"), ("Last-Event-ID", "x")]
    check_problem(told.call("GET", "/scopes/acme/events", None, broken), 400, "malformed")


def test_a_stream_tells_what_is_asked_for_and_within_reach(demo, told):
    _, reader = token(demo, told, "viewer", "web")
    with Stream(reader, "web", "?cause=reserved&after=6") as stream:
        told.reserve("m-2", "ml", [images(1)]).ok()
        told.release("w").ok()
        told.reserve("w-2", "web", [images(1)]).ok()
        told_events = stream.take(2)
        assert [event["cause"] for event in told_events] == ["reserved"] * 2
        ids = [
            change["row"]["id"]
            for event in told_events
            for change in event["changes"]
            if change["kind"] == "reservation"
        ]
        assert ids == ["x", "w-2"]


@pytest.mark.parametrize("how", ["disable", "delete"])
def test_who_may_listen_no_more_hears_no_more(demo, told, how):
    principal, reader = token(demo, told, "viewer", "web")
    with Stream(reader, "web", "?after=8") as stream:
        assert stream.next()["revision"] == 9
        if how == "disable":
            told.call("POST", f"/principals/{principal}/disable").ok()
        else:
            told.call("DELETE", f"/principals/{principal}").ok()
        told.reserve("secret", "web", [images(1)]).ok()
        assert stream.rest() == []


def test_a_server_that_stops_ends_its_streams(demo, told):
    whole = events(told, "web")["events"]
    with Stream(told, "acme") as idle, Stream(told, "web") as busy:
        idle.take(10)
        heard = busy.take(1)
        begun = time.monotonic()
        demo.stop()
        assert time.monotonic() - begun < STOP_SECONDS_MAX
        assert demo.process.returncode == 0
        assert idle.rest() == []
        # It may be cut short between two events, but within none.
        heard += busy.rest()
        assert heard == whole[: len(heard)]


def fill(admin, name, count):
    """Many events, each of some 8 kB."""
    content = {"op": "reserve", "scope": "web", "lines": [line("vm/cheap", 1)]}
    content["attributes"] = {f"attribute-{index}": "x" * 500 for index in range(14)}
    commands = [content | {"id": f"{name}-{index}"} for index in range(count)]
    answer = admin.call("POST", "/reservations:batch", {"commands": commands}).ok()
    assert {outcome["status"] for outcome in answer["outcomes"]} == {200}


def test_who_reads_slowly_costs_nobody_anything_and_misses_nothing(tree):
    count, batches = 1_000, 2
    tree.resource("vm/cheap", "unlimited", per_location=False)
    with Stream(tree, "acme", "?after=3") as slow:
        for index in range(batches):
            # Far more than fits between the two; nobody reads, and nobody waits for it.
            fill(tree, f"fill-{index}", count)
            with Stream(tree, "web", f"?after={3 + index * count}") as quick:
                assert len(quick.take(20)) == 20
        heard = slow.take(batches * count)
        assert revisions(heard) == list(range(4, 4 + batches * count))


def test_a_server_stops_in_time_though_nobody_reads(demo, tree):
    tree.resource("vm/cheap", "unlimited", per_location=False)
    with Stream(tree, "acme"):
        for index in range(3):
            fill(tree, f"fill-{index}", 1_000)
        begun = time.monotonic()
        demo.stop()
        assert time.monotonic() - begun < 3 * STOP_SECONDS_MAX
    assert demo.process.returncode == 0


# --- as it was


class Recorder:
    """What the quotas were after each operation, as they were told then."""

    def __init__(self, admin):
        self.admin = admin
        self.by_revision = {}
        self.by_instant = {}

    def record(self):
        while not self.record_what_stands():
            pass

    def record_what_stands(self):
        """Whether nothing was written meanwhile: refusals are counted by a job of its own."""
        revision = quotas(self.admin, "acme").ok()["revision"]
        instant = instant_between()
        answers = {scope: quotas(self.admin, scope).ok() for scope in SCOPES}
        if {answer["revision"] for answer in answers.values()} != {revision}:
            return False
        for scope, answer in answers.items():
            assert answer["as_of"] is None
            self.by_revision.setdefault((scope, revision), answer["quotas"])
            self.by_instant[scope, instant] = answer["quotas"]
        return True

    def check(self, admin):
        for (scope, revision), recorded in self.by_revision.items():
            then = quotas(admin, scope, revision).ok()
            assert then["quotas"] == recorded, (scope, revision)
            assert then["revision"] == revision and then["as_of"] is not None
        for (scope, instant), recorded in self.by_instant.items():
            then = quotas(admin, scope, instant).ok()
            assert then["quotas"] == recorded, (scope, instant)
            assert then["as_of"] == instant


def random_operation(admin, chance, number):
    """One operation, whatever comes of it."""
    scope, location = chance.choice(SCOPES), chance.choice([ZONE, OTHER_ZONE])
    known = f"r-{chance.randrange(max(1, number))}"
    some = chance.randint(1, 3)
    lines = [images(some, location), line(POOL, some)][: chance.randint(1, 2)]
    limit = {"resource": IMAGE, "reason": f"the {number}th", "limit": chance.choice([0, 4, 9])}
    limit |= chance.choice([{}, {"location": location}])
    limit |= {"mode": chance.choice(["enforce", "enforce", "warn", "observe"])}
    kind = {"kind": "project" if scope != "acme" else "organisation"}
    kind |= {} if scope == "acme" else {"parent": "acme"}
    tier = {"limits": [{"resource": IMAGE, "limit": some}]}
    resource = {"unit": "count", "default_limit": 4 + some, "per_location": True}
    reserve = {"commit": chance.choice([True, False])}

    def catalogue(path, content):
        # The catalogue is no part of the tenant's log: a revision of its own tells the two apart.
        reply = admin.call("PUT", path, content)
        admin.limit("acme", "modelarts/network", number)
        return reply

    operations = [
        *[lambda: admin.reserve(f"r-{number}", scope, lines, **reserve)] * 6,
        lambda: admin.commit(known),
        lambda: admin.release(known),
        lambda: act(admin, "resize", known, {"lines": [images(some, location)]}),
        lambda: act(admin, "transfer", known, {"to": scope}),
        *[lambda: admin.call("PUT", f"/scopes/{scope}/limits", limit)] * 2,
        lambda: admin.call("DELETE", f"/scopes/{scope}/limits?resource={IMAGE}"),
        lambda: admin.call("PUT", f"/scopes/{scope}", kind | chance.choice([{}, {"tier": "t"}])),
        lambda: catalogue("/tiers/t", tier),
        lambda: catalogue(f"/resources/{IMAGE}", resource),
    ]
    return chance.choice(operations)()


def test_quotas_of_any_moment_are_those_that_were_told_then(place, demo, tree):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    tree.call("PUT", "/tiers/t", {"limits": []}).ok()
    recorder = Recorder(tree)
    recorder.record()
    statuses = set()
    for number in range(40):
        statuses.add(random_operation(tree, chance, number).status)
        recorder.record()
    assert 200 in statuses and not statuses - {200, 404, 409, 422}, statuses
    recorder.check(tree)
    demo.stop()
    recorder.check(admin_of(place.serve()))


def test_a_revision_is_what_was_true_then_and_an_instant_counts_windows(tree):
    admin = tree
    window = {"resource": IMAGE, "location": ZONE, "limit": 40, "reason": "the launch"}

    def launch(ends):
        put = admin.call("PUT", "/scopes/web/limits", window | {"ends_at": ends})
        return put, instant_between()

    put, inside = before_it_ends(launch)
    put = put.ok()
    until(lambda: admin.quota("web", IMAGE, ZONE)["limit"] == 5)
    over = instant_between()
    admin.resource(IMAGE, 7)

    def limit(as_of):
        answer = quotas(admin, "web", as_of).ok()
        [row] = [it for it in answer["quotas"] if it["location"] == ZONE]
        return row["limit"]

    # Nothing was written when it ended: the instant alone tells.
    assert (limit(put["revision"]), limit(inside), limit(over)) == (40, 40, 5)
    assert limit(instant_between()) == 7


def test_what_was_never_is_a_clear_refusal(tree):
    admin = tree
    head = quotas(admin, "web").ok()["revision"]
    made = events(admin, "web")["events"][0]["revision"]
    assert quotas(admin, "web", made).ok()["quotas"]
    for as_of in [0, made - 1, "2020-01-01T00:00:00Z"]:
        problem = check_problem(quotas(admin, "web", as_of), 400, "malformed")
        assert problem["parameter"] == "as_of" and "ask for later" in problem["detail"]
    problem = check_problem(quotas(admin, "web", head + 1), 400, "malformed")
    assert problem["parameter"] == "as_of" and f"`{head}`" in problem["detail"]
    problem = check_problem(quotas(admin, "web", from_now(3600)), 400, "malformed")
    assert problem["parameter"] == "as_of" and "lies in the future" in problem["detail"]
    for as_of in ["", "yesterday", "-1", "1.5", "2026-01-31"]:
        assert check_problem(quotas(admin, "web", as_of), 400)["parameter"] == "as_of"
    check_problem(quotas(admin, "nowhere", head), 404, "unknown_scope")


def test_the_past_is_within_the_same_reach(demo, told):
    _, reader = token(demo, told, "viewer", "web")
    assert quotas(reader, "web", 8).ok()["revision"] == 8
    for scope in ["acme", "ml"]:
        check_problem(quotas(reader, scope, 8), 404, "unknown_scope")


# --- refusals counted


def refused(caller, scope="web", location=ZONE):
    return caller.quota(scope, IMAGE, location)["counts"]["refused"]


def test_refusals_are_counted_by_limit_and_survive_a_restart(place, demo, tree):
    admin = tree
    admin.limit("web", IMAGE, 1, ZONE)
    admin.limit("acme", IMAGE, 2, ZONE)
    admin.reserve("r", "web", [images(1)], commit=True).ok()
    check = {"scope": "web", "lines": [images(9)]}
    assert admin.call("POST", "/check", check).ok()["admissible"] is False
    # 3 that pass both limits, 4 in a batch that pass the project's alone, 1 resize of both.
    for _ in range(3):
        check_problem(admin.reserve("s", "web", [images(2)]), 422, "quota_exceeded")
    command = {"op": "reserve", "id": "s", "scope": "web", "lines": [images(1)]}
    admin.call("POST", "/reservations:batch", {"commands": [command] * 4}).ok()
    check_problem(act(admin, "resize", "r", {"lines": [images(5)]}), 422, "quota_exceeded")
    until(lambda: (refused(admin), refused(admin, "acme")) == (8, 4))
    assert refused(admin, location=OTHER_ZONE) == refused(admin, "ml") == 0
    counted = events(admin, "web", "?cause=refusals_counted")["events"]
    row = counted[-1]["changes"][-1]["row"]
    assert (row["scope"], row["counts"]["refused"]) == ("web", 8)
    assert row["counts"] == admin.quota("web", IMAGE, ZONE)["counts"]
    # A server that is asked to stop adds up what is left.
    for _ in range(5):
        check_problem(admin.reserve("s", "web", [images(1)]), 422, "quota_exceeded")
    demo.stop()
    admin = admin_of(place.serve())
    assert (refused(admin), refused(admin, "acme")) == (13, 4)


def test_a_flood_of_refusals_is_a_few_writes(tree):
    admin = tree
    admin.limit("web", IMAGE, 0, ZONE)
    before = quotas(admin, "web").ok()["revision"]
    command = {"op": "reserve", "id": "s", "scope": "web", "lines": [images(1)]}

    def flood():
        for _ in range(5):
            admin.call("POST", "/reservations:batch", {"commands": [command] * 1_000}).ok()

    threads = [threading.Thread(target=flood) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: refused(admin) == 10_000)
    assert quotas(admin, "web").ok()["revision"] - before < 20
