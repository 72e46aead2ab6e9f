"""The server's own API: holds, refusals, races, and who may see what."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from clients import BASE, Native, line
from conftest import admin_of, first_admin
from wire import exchange, exchange_large

CLIENTS = 64
AMOUNT_MAX = 2**53 - 1
IMAGE = "vm/image"


@pytest.fixture
def tenant(admin):
    """A tenant with one project in it."""
    admin.scope("acme", kind="organisation")
    admin.scope("acme-web", parent="acme")
    return "acme-web"


def check_problem(reply, status, code=None):
    """Every failure is a problem document with a stable code."""
    assert reply.status == status, reply
    assert reply.headers["Content-Type"].startswith("application/problem+json"), reply
    problem = reply.json()
    assert problem["status"] == status and problem["title"] and problem["code"], reply
    if code is not None:
        assert problem["code"] == code, reply
    return problem


# --- the life of a reservation


def test_figures_follow_the_reservation(admin, tenant):
    held = admin.reserve("r-1", tenant, [line(IMAGE, 2, "FRA-A")]).ok()
    assert (held["id"], held["state"], held["scope"]) == ("r-1", "held", tenant)
    assert held["lines"] == [line(IMAGE, 2, "FRA-A")]
    assert held["expires_at"].endswith("Z") and 0 < held["revision"]
    assert admin.figures(tenant, IMAGE, "FRA-A") == (0, 2, 5)
    assert admin.commit("r-1").ok()["state"] == "committed"
    assert admin.figures(tenant, IMAGE, "FRA-A") == (2, 0, 5)
    assert admin.release("r-1").ok()["state"] == "released"
    assert admin.figures(tenant, IMAGE, "FRA-A") == (0, 0, 5)


def test_a_reservation_can_be_committed_at_once(admin, tenant):
    answer = admin.reserve("r-1", tenant, [line(IMAGE, 5, "FRA-A")], commit=True).ok()
    assert answer["state"] == "committed"
    row = admin.quota(tenant, IMAGE, "FRA-A")
    assert (row["used"], row["held"], row["available"]) == (5, 0, 0)


def test_verbs_need_no_body(admin, tenant):
    admin.reserve("r-1", tenant, [line(IMAGE, 1, "FRA-A")]).ok()
    for verb, state in (("commit", "committed"), ("release", "released")):
        answer = admin.call("POST", f"/reservations/r-1/{verb}").ok()
        assert answer["state"] == state


def test_a_reservation_can_be_read(admin, tenant):
    admin.reserve("r-1", tenant, [line(IMAGE, 1, "FRA-A")]).ok()
    answer = admin.call("GET", "/reservations/r-1").ok()
    assert (answer["id"], answer["state"]) == ("r-1", "held")
    check_problem(admin.call("GET", "/reservations/r-2"), 404)


def test_a_hold_lapses(admin, tenant):
    admin.reserve("r-1", tenant, [line(IMAGE, 5, "FRA-A")], ttl_seconds=1).ok()
    check_problem(admin.reserve("r-2", tenant, [line(IMAGE, 1, "FRA-A")]), 422)
    # The next one asks again until the first has lapsed: no timer decides, a command does.
    replies = (admin.reserve("r-2", tenant, [line(IMAGE, 1, "FRA-A")]) for _ in range(100_000))
    assert next(reply for reply in replies if reply.status != 422).ok()["state"] == "held"
    assert admin.figures(tenant, IMAGE, "FRA-A") == (0, 1, 5)


def test_the_same_id_and_content_get_the_same_answer(admin, tenant):
    lines = [line(IMAGE, 2, "FRA-A")]
    first, again = (admin.reserve("r-1", tenant, lines).ok() for _ in range(2))
    assert first == again
    assert admin.figures(tenant, IMAGE, "FRA-A") == (0, 2, 5)
    first, again = (admin.commit("r-1").ok() for _ in range(2))
    assert first["state"] == again["state"] == "committed"
    first, again = (admin.release("r-1").ok() for _ in range(2))
    assert first["state"] == again["state"] == "released"
    assert admin.figures(tenant, IMAGE, "FRA-A") == (0, 0, 5)


@pytest.mark.parametrize(
    "lines",
    [
        [line(IMAGE, 1, "FRA-A")],
        [line(IMAGE, 2, "HKG-A")],
        [line("modelarts/pool", 2)],
        [line(IMAGE, 2, "FRA-A"), line(IMAGE, 1, "HKG-A")],
    ],
)
def test_the_same_id_with_other_content_is_a_conflict(admin, tenant, lines):
    admin.reserve("r-1", tenant, [line(IMAGE, 2, "FRA-A")]).ok()
    check_problem(admin.reserve("r-1", tenant, lines), 409)
    assert admin.figures(tenant, IMAGE, "FRA-A") == (0, 2, 5)


def test_a_released_reservation_cannot_be_committed(admin, tenant):
    admin.reserve("r-1", tenant, [line(IMAGE, 2, "FRA-A")]).ok()
    admin.release("r-1").ok()
    check_problem(admin.commit("r-1"), 409)


@pytest.mark.parametrize("verb", ["commit", "release"])
def test_an_unknown_reservation_is_not_found(admin, verb):
    check_problem(admin.call("POST", f"/reservations/nothing/{verb}", {}), 404)


# --- refusals


def test_a_refusal_names_every_limit_that_binds(admin, tenant):
    admin.limit("acme", IMAGE, 3, "FRA-A")
    admin.limit(tenant, IMAGE, 2, "FRA-A")
    admin.reserve("r-1", tenant, [line(IMAGE, 1, "FRA-A")]).ok()
    lines = [line(IMAGE, 4, "FRA-A"), line(IMAGE, 6, "HKG-A"), line("modelarts/pool", 1)]
    problem = check_problem(admin.reserve("r-2", tenant, lines), 422, "quota_exceeded")
    assert {exceeded_row(row) for row in problem["exceeded"]} == {
        ("acme", IMAGE, "FRA-A", 3, 0, 1, 4, 2, 5),
        (tenant, IMAGE, "FRA-A", 2, 0, 1, 4, 3, 5),
        (tenant, IMAGE, "HKG-A", 5, 0, 0, 6, 1, 6),
    }
    assert len(problem["exceeded"]) == 3
    assert admin.figures(tenant, IMAGE, "FRA-A") == (0, 1, 2)
    assert admin.figures(tenant, "modelarts/pool") == (0, 0, 15)


def exceeded_row(row):
    figures = ("limit", "used", "held", "asked", "short_by", "smallest_sufficient_limit")
    return (row["scope"], row["resource"], row["location"], *(row[name] for name in figures))


def test_a_refused_id_may_be_tried_again(admin, tenant):
    lines = [line(IMAGE, 6, "FRA-A")]
    check_problem(admin.reserve("r-1", tenant, lines), 422, "quota_exceeded")
    admin.limit(tenant, IMAGE, 6, "FRA-A")
    assert admin.reserve("r-1", tenant, lines).ok()["state"] == "held"


def test_a_limit_below_use_refuses_what_is_new_only(admin, tenant):
    admin.reserve("r-1", tenant, [line(IMAGE, 4, "FRA-A")], commit=True).ok()
    admin.limit(tenant, IMAGE, 1, "FRA-A")
    row = admin.quota(tenant, IMAGE, "FRA-A")
    assert (row["used"], row["limit"], row["available"], row["over_by"]) == (4, 1, 0, 3)
    check_problem(admin.reserve("r-2", tenant, [line(IMAGE, 1, "FRA-A")]), 422)


def test_a_parents_limit_binds_the_sum_of_its_children(admin, tenant):
    admin.scope("acme-shop", parent="acme")
    admin.limit("acme", IMAGE, 6, "FRA-A")
    admin.reserve("r-1", tenant, [line(IMAGE, 4, "FRA-A")]).ok()
    refusal = check_problem(admin.reserve("r-2", "acme-shop", [line(IMAGE, 3, "FRA-A")]), 422)
    assert [row["scope"] for row in refusal["exceeded"]] == ["acme"]
    admin.reserve("r-3", "acme-shop", [line(IMAGE, 2, "FRA-A")]).ok()


def test_unlimited_is_neither_zero_nor_unset(admin, tenant):
    admin.limit(tenant, IMAGE, "unlimited", "FRA-A")
    admin.reserve("r-1", tenant, [line(IMAGE, AMOUNT_MAX, "FRA-A")]).ok()
    assert admin.figures(tenant, IMAGE, "FRA-A") == (0, AMOUNT_MAX, "unlimited")
    admin.limit(tenant, IMAGE, 0, "HKG-A")
    check_problem(admin.reserve("r-2", tenant, [line(IMAGE, 1, "HKG-A")]), 422)


def test_check_tells_and_writes_nothing(admin, tenant):
    for amount, admissible in ((5, True), (6, False)):
        content = {"scope": tenant, "lines": [line(IMAGE, amount, "FRA-A")]}
        answer = admin.call("POST", "/check", content).ok()
        assert answer["admissible"] is admissible
        assert bool(answer["exceeded"]) is not admissible
    assert admin.figures(tenant, IMAGE, "FRA-A") == (0, 0, 5)


def test_a_batch_answers_each_command_in_its_place(admin, tenant):
    reserve = {"op": "reserve", "scope": tenant, "ttl_seconds": 300}
    commands = [
        reserve | {"id": "r-1", "lines": [line(IMAGE, 4, "FRA-A")]},
        {"op": "commit", "id": "r-1"},
        reserve | {"id": "r-2", "lines": [line(IMAGE, 4, "FRA-A")]},
        reserve | {"id": "r-3", "lines": [line(IMAGE, 1, "FRA-A")]},
    ]
    answer = admin.call("POST", "/reservations:batch", {"commands": commands}).ok()
    assert len(answer["outcomes"]) == 4
    assert admin.figures(tenant, IMAGE, "FRA-A") == (4, 1, 5)


# --- races


def at_once(work, count=CLIENTS):
    """Runs `work(number)` on threads that all start at the same moment."""
    barrier = threading.Barrier(count)

    def run(number):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.parametrize("left", [1, 2, 7, 31, 63])
def test_clients_that_race_get_exactly_what_is_left(admin, tenant, left):
    admin.location("RACE-A")
    admin.limit(tenant, IMAGE, left + 3, "RACE-A")
    admin.reserve("before", tenant, [line(IMAGE, 3, "RACE-A")], commit=True).ok()
    replies = at_once(
        lambda number: admin.reserve(f"race-{number}", tenant, [line(IMAGE, 1, "RACE-A")])
    )
    statuses = [reply.status for reply in replies]
    assert (statuses.count(200), statuses.count(422)) == (left, CLIENTS - left)
    assert admin.figures(tenant, IMAGE, "RACE-A") == (3, left, left + 3)


def test_clients_that_race_in_two_projects_share_the_parents_limit(admin, tenant):
    admin.scope("acme-shop", parent="acme")
    admin.location("RACE-A")
    admin.limit("acme", IMAGE, 5, "RACE-A")
    scopes = (tenant, "acme-shop")
    replies = at_once(
        lambda number: admin.reserve(
            f"race-{number}", scopes[number % 2], [line(IMAGE, 1, "RACE-A")], commit=True
        )
    )
    assert [reply.status for reply in replies].count(200) == 5
    assert sum(admin.figures(scope, IMAGE, "RACE-A")[0] for scope in scopes) == 5


def test_clients_that_race_with_one_id_take_it_once(admin, tenant):
    lines = [line(IMAGE, 2, "FRA-A")]
    replies = at_once(lambda _: admin.reserve("same", tenant, lines))
    answers = [reply.ok() for reply in replies]
    assert all(answer == answers[0] for answer in answers)
    assert admin.figures(tenant, IMAGE, "FRA-A") == (0, 2, 5)


def test_clients_that_take_and_give_back_never_pass_the_limit(admin, tenant):
    def take_and_give_back(number):
        for turn in range(4):
            name = f"turn-{number}-{turn}"
            if admin.reserve(name, tenant, [line(IMAGE, 1, "FRA-A")]).status == 200:
                row = admin.quota(tenant, IMAGE, "FRA-A")
                assert row["used"] + row["held"] <= 5
                admin.release(name).ok()

    at_once(take_and_give_back)
    assert admin.figures(tenant, IMAGE, "FRA-A") == (0, 0, 5)


# --- who calls


def test_no_token_and_an_unknown_token_are_refused(seeds):
    for token in (None, "nobody", ""):
        check_problem(Native(seeds, token).call("GET", "/scopes/zenlayer-demo/quotas"), 401)


@pytest.mark.parametrize("value", ["Bearer", "Basic eDp5", "bearer", "Bearer a b"])
def test_an_authorization_of_another_form_is_refused(seeds, value):
    headers = [("Authorization", value)]
    check_problem(exchange(seeds.address, "GET", f"{BASE}/scopes/x/quotas", headers), 401)


def test_what_another_tenant_has_does_not_exist(demo, admin, tenant):
    other = Native(demo, admin.principal("token", "viewer", "acme")["token"])
    own = other.call("GET", f"/scopes/{tenant}/quotas")
    foreign = other.call("GET", "/scopes/zenlayer-demo/quotas")
    nothing = other.call("GET", "/scopes/nothing/quotas")
    assert own.status == 200
    problems = [check_problem(reply, 404) for reply in (foreign, nothing)]
    assert problems[0]["code"] == problems[1]["code"]
    assert problems[0]["title"] == problems[1]["title"]


def test_a_scopes_principal_does_not_see_its_parent(demo, admin, tenant):
    inner = Native(demo, admin.principal("token", "viewer", tenant)["token"])
    assert inner.call("GET", f"/scopes/{tenant}/quotas").status == 200
    check_problem(inner.call("GET", "/scopes/acme/quotas"), 404)


@pytest.mark.parametrize(
    ("role", "may_reserve", "may_limit", "may_define"),
    [
        ("viewer", False, False, False),
        ("enforcer", True, False, False),
        ("manager", True, True, False),
    ],
)
def test_a_role_may_do_what_it_may(demo, admin, tenant, role, may_reserve, may_limit, may_define):
    caller = Native(demo, admin.principal("token", role, tenant)["token"])
    limit = {"resource": IMAGE, "limit": 4, "reason": "end-to-end test"}
    location = {"name": "New"}
    attempts = [
        (caller.reserve("r-1", tenant, [line(IMAGE, 1, "FRA-A")]), may_reserve),
        (caller.call("PUT", f"/scopes/{tenant}/limits", limit), may_limit),
        (caller.call("PUT", "/locations/NEW-A", location), may_define),
    ]
    for reply, allowed in attempts:
        if allowed:
            reply.ok()
        else:
            check_problem(reply, 403)


def test_two_tenants_may_use_the_same_reservation_id(demo, admin, tenant):
    admin.scope("umbrella", kind="organisation")
    for scope in ("acme", "umbrella"):
        caller = Native(demo, admin.principal("token", "enforcer", scope)["token"])
        caller.reserve("same", scope, [line(IMAGE, 1, "FRA-A")]).ok()
        assert caller.commit("same").ok()["scope"] == scope


def test_health_needs_no_token(seeds):
    for path in ("/healthz", "/readyz"):
        assert exchange(seeds.address, "GET", path).status == 200


def test_an_empty_ledger_is_filled_by_the_api(place):
    admin = first_admin(place.serve(demo=False))
    admin.resource("gpu/card", 8)
    admin.resource("gpu/seat", "unlimited", per_location=False)
    admin.location("FRA-A")
    admin.scope("acme", kind="organisation")
    lines = [line("gpu/card", 8, "FRA-A"), line("gpu/seat", 100)]
    admin.reserve("r-1", "acme", lines).ok()
    assert admin.figures("acme", "gpu/card", "FRA-A") == (0, 8, 8)
    assert admin.figures("acme", "gpu/seat") == (0, 100, "unlimited")
    check_problem(admin.reserve("r-2", "acme", [line("gpu/card", 1, "FRA-A")]), 422)


# --- bad input


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"5", b'"x"', b"\xff", b"{}", b'{"scope":"acme-web"}']
)
def test_a_body_that_is_no_reservation_is_malformed(admin, tenant, body):
    check_problem(admin.send("PUT", "/reservations/r-1", body), 400)


@pytest.mark.parametrize(
    "amount", [0, -1, 1.5, "1", None, True, AMOUNT_MAX + 1, 2**64, 10**30], ids=str
)
def test_an_amount_out_of_range_is_malformed(admin, tenant, amount):
    check_problem(admin.reserve("r-1", tenant, [line(IMAGE, amount, "FRA-A")]), 400)


@pytest.mark.parametrize("limit", [-1, 1.5, "5", "none", None, True, AMOUNT_MAX + 1], ids=str)
def test_a_limit_out_of_range_is_malformed(admin, tenant, limit):
    content = {"resource": IMAGE, "limit": limit, "reason": "end-to-end test"}
    check_problem(admin.call("PUT", f"/scopes/{tenant}/limits", content), 400)


def test_a_principal_that_has_expired_already_is_refused(admin):
    content = {"kind": "token", "role": "viewer", "scope": "*", "description": "end-to-end test"}
    past, future = ({"expires_at": f"{year}-01-01T00:00:00Z"} for year in (2020, 2999))
    problem = check_problem(admin.call("POST", "/principals", content | past), 400, "malformed")
    assert problem["pointer"] == "/expires_at"
    assert admin.call("POST", "/principals", content | future).ok()["enabled"]


@pytest.mark.parametrize(
    "reservation", ["x" * 1000, "new\nline", "nul\0", "tab\t"], ids=["long", "line", "nul", "tab"]
)
def test_a_name_out_of_shape_is_malformed(admin, tenant, reservation):
    check_problem(admin.reserve(reservation, tenant, [line(IMAGE, 1, "FRA-A")]), 400)


@pytest.mark.parametrize(
    ("scope", "asked"),
    [
        ("nothing", line(IMAGE, 1, "FRA-A")),
        ("acme-web", line("vm/nothing", 1, "FRA-A")),
        ("acme-web", line(IMAGE, 1, "MOON-1")),
    ],
)
def test_the_unknown_is_not_found(admin, tenant, scope, asked):
    check_problem(admin.reserve("r-1", scope, [asked]), 404)


@pytest.mark.parametrize("lines", [[], [line(IMAGE, 1, "FRA-A")] * 1000], ids=["none", "many"])
def test_too_few_and_too_many_lines_are_malformed(admin, tenant, lines):
    check_problem(admin.reserve("r-1", tenant, lines), 400)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("DELETE", "/reservations/r-1/commit"), ("POST", "/scopes/x/quotas")],
)
def test_an_unknown_path_or_method_is_a_problem_document(admin, method, path):
    reply = admin.call(method, path)
    assert reply.status in (404, 405)
    check_problem(reply, reply.status)


def test_a_body_over_one_mebibyte_is_a_problem_document(demo, admin):
    body = b'{"x":"' + b"x" * (1 << 20) + b'"}'
    head = (
        f"PUT {BASE}/reservations/r-1 HTTP/1.1\r\nHost: {demo.address}\r\n"
        f"Authorization: Bearer {admin.token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    reply = exchange_large(demo.address, head.encode(), body)
    assert reply.status in (400, 413)
    check_problem(reply, reply.status)


def test_the_demo_is_the_seeds(seeds):
    admin = admin_of(seeds)
    team = seeds.place.credentials()["zenlayer"]["scope"]
    project = seeds.place.credentials()["modelarts"]["project_id"]
    assert team == "zenlayer-demo" and project == "6f5da086876d4cd084d36f8bd3346036"
    assert admin.figures(team, IMAGE, "FRA-A") == (2, 0, 5)
    assert admin.figures(team, IMAGE, "HKG-A") == (3, 0, 5)
    assert admin.figures(project, "modelarts/pool") == (10, 0, 15)
    assert admin.figures(project, "modelarts/network") == (10, 0, 15)
