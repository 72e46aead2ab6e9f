"""Through PgBouncer in transaction mode, where no two transactions need share a connection."""

from contextlib import ExitStack, closing

import pytest

from database import Cluster
from pooler import Pooler
from test_nodes import (
    CALLERS,
    Callers,
    Nodes,
    check_that_callers_get_exactly_what_there_is,
    seats,
    set_up,
)
from waiting import until
from wire import exchange


@pytest.fixture
def pooler():
    with closing(Cluster()) as cluster, closing(Pooler(cluster)) as pooler:
        yield pooler


@pytest.fixture
def nodes(tmp_path, pooler):
    with ExitStack() as stack:
        nodes = Nodes(tmp_path, pooler.through(pooler.cluster.take()), stack)
        for _ in range(3):
            nodes.add()
        yield nodes


def test_callers_get_exactly_what_there_is(nodes):
    check_that_callers_get_exactly_what_there_is(nodes)


def test_a_killed_pooler_loses_and_doubles_nothing(nodes, pooler):
    admin = nodes.admins()[0]
    set_up(admin, "unlimited")
    with Callers(nodes) as callers:
        for _ in range(3):
            callers.wait_for_more(callers.taken, 30)
            pooler.kill()
            callers.wait_for_more(callers.failures, CALLERS)
            pooler.start()
        callers.wait_for_more(callers.taken, 30)
    for server in nodes.servers:
        until(lambda server=server: exchange(server.address, "GET", "/readyz").status == 200)
    codes = {(reply.status, reply.json()["code"]) for reply in callers.failures}
    assert codes <= {(503, "unavailable"), (503, "outcome_unknown")}
    assert len(set(callers.taken)) == len(callers.taken)
    for name in callers.taken:
        assert admin.call("GET", f"/reservations/{name}").ok()["state"] == "committed"
    used, held, _ = seats(admin)
    # Whoever was not answered last, before each end, may or may not have got it.
    assert held == 0 and len(callers.taken) <= used <= len(callers.taken) + CALLERS
