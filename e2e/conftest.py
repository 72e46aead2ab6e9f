"""Servers for the tests: one that nobody changes, and new ones for those who do."""

import os
import re

import pytest

from clients import Native
from server import Place, binary

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(scope="session", autouse=True)
def without_proxies():
    """Calls go to this machine; the SDKs would hand them to a proxy that is set."""
    for name in PROXIES:
        os.environ.pop(name, None)
        os.environ.pop(name.lower(), None)


@pytest.fixture(scope="session")
def seeds(tmp_path_factory, without_proxies):
    """A demo server whose figures stay as they are: tests only read from it."""
    assert binary().is_file(), f"no server at `{binary()}`: build it, or set PLIMSOLL_BIN"
    place = Place(tmp_path_factory.mktemp("seeds"))
    yield place.serve()
    place.close()


@pytest.fixture
def place(tmp_path):
    """An empty place, for tests that start servers themselves."""
    place = Place(tmp_path)
    yield place
    place.close()


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
