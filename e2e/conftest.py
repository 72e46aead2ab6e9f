"""Servers for the tests: one that nobody changes, and new ones for those who do."""

import os
import re
from contextlib import closing, contextmanager

import pytest

from clients import Native
from database import Cluster
from server import Place, binary

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(scope="session", autouse=True)
def without_proxies():
    """Calls go to this machine; the SDKs would hand them to a proxy that is set."""
    for name in PROXIES:
        os.environ.pop(name, None)
        os.environ.pop(name.lower(), None)


def pytest_addoption(parser):
    stores = {"choices": ["sqlite", "postgres"], "default": "sqlite"}
    parser.addoption("--store", **stores, help="where servers keep the ledger")


def pytest_collection_modifyitems(config, items):
    """Leaves out what is about the other store's files."""
    if config.getoption("store") == "postgres":
        left_out = [item for item in items if item.get_closest_marker("files")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL that all tests share."""
    cluster = Cluster()
    yield cluster
    cluster.close()


@contextmanager
def place_in(folder, request):
    """An empty place; its ledger is in a database where that was asked for."""
    if request.config.getoption("store") == "sqlite":
        with closing(Place(folder)) as place:
            yield place
        return
    cluster = request.getfixturevalue("cluster")
    with closing(Place(folder, cluster.take())) as place:
        yield place
    cluster.give_back(place.database)


@pytest.fixture(scope="session")
def seeds(tmp_path_factory, without_proxies, request):
    """A demo server whose figures stay as they are: tests only read from it."""
    assert binary().is_file(), f"no server at `{binary()}`: build it, or set PLIMSOLL_BIN"
    with place_in(tmp_path_factory.mktemp("seeds"), request) as place:
        yield place.serve()


@pytest.fixture
def place(tmp_path, request):
    """An empty place, for tests that start servers themselves."""
    with place_in(tmp_path, request) as place:
        yield place


@pytest.fixture
def demo(place):
    """A demo server of one's own, to be changed at will."""
    return place.serve()


@pytest.fixture
def admin(demo):
    return admin_of(demo)


def admin_of(server):
    return Native(server, server.place.credentials()["admin_token"])


def first_admin(server):
    """The principal whose token the first start prints, once."""
    token = re.search(r"admin token:?\s+(\S+)", server.stdout(), re.IGNORECASE)
    assert token, server.stdout()
    return Native(server, token[1])
