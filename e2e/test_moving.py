"""`plimsoll copy`: a ledger moves to a database and back, and answers there as it did before."""

import subprocess
from contextlib import closing

import pytest

from clients import line, zenlayer_of_demo
from conftest import admin_of
from server import Place, binary

SEAT = "app/seat"
SECONDS_MAX = 120

pytestmark = pytest.mark.files


def copy(source, target, *arguments):
    command = [binary(), "copy", "--from", source, "--to", target, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )


def copied(source, target):
    done = copy(source, target)
    assert done.returncode == 0, done.stderr
    return dict(told.split(": ", 1) for told in done.stdout.splitlines())


def refused(source, target, *arguments):
    done = copy(source, target, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def carry(one, other, *files):
    """What no ledger holds: the user carries it."""
    other.data.mkdir(exist_ok=True)
    for name in files:
        (other.data / name).write_bytes((one.data / name).read_bytes())
        (other.data / name).chmod(0o600)


def answers(server):
    """What callers of all kinds are told."""
    admin = admin_of(server)
    events = [
        admin.call("GET", f"/scopes/{scope}/events").ok() for scope in ["acme", "zenlayer-demo"]
    ]
    then = [admin.call("GET", f"/scopes/acme/quotas?as_of={it}").ok() for it in range(1, 8)]
    reservations = [admin.call("GET", f"/reservations/{it}").ok() for it in ["kept", "gone"]]
    return {
        "events": events,
        "catalogue": admin.call("GET", "/events").ok(),
        "quotas": admin.call("GET", "/scopes/acme/quotas").ok(),
        "then": then,
        "reservations": reservations,
        "zenlayer": zenlayer_of_demo(server).quotas(),
    }


def fill(admin):
    admin.resource(SEAT, 0, per_location=False)
    admin.scope("acme", kind="organisation")
    admin.scope("web", parent="acme")
    for scope in ["acme", "web"]:
        admin.limit(scope, SEAT, 5)
    admin.reserve("kept", "web", [line(SEAT, 2)], commit=True).ok()
    admin.reserve("gone", "web", [line(SEAT, 1)], commit=True).ok()
    admin.call("POST", "/reservations/gone/release").ok()
    admin.reserve("held", "web", [line(SEAT, 1)], ttl_seconds=86_400).ok()


@pytest.fixture
def journal(tmp_path):
    folder = tmp_path / "journal"
    folder.mkdir()
    with closing(Place(folder)) as place:
        yield place


@pytest.fixture
def elsewhere(tmp_path, cluster):
    """A place with a database."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    with closing(Place(folder, cluster.take())) as place:
        yield place
    cluster.give_back(place.database)


def test_a_ledger_moves_to_a_database_and_back(tmp_path, journal, elsewhere):
    server = journal.serve()
    fill(admin_of(server))
    expected = answers(server)
    assert "in use by another process" in refused(journal.data, elsewhere.database)
    server.stop()

    told = copied(journal.data, elsewhere.database)
    assert "each log ends with the same hash" in told["events"]
    assert "copy it to every node's data directory" in told["master key"]
    assert "holds a ledger already" in refused(journal.data, elsewhere.database)
    carry(journal, elsewhere, "master.key")
    server = elsewhere.serve()
    assert answers(server) == expected
    admin = admin_of(server)
    again = admin.reserve("kept", "web", [line(SEAT, 2)], commit=True)
    assert again.ok()["revision"] == expected["reservations"][0]["revision"]
    admin.reserve("more", "web", [line(SEAT, 2)], commit=True).ok()
    expected = answers(server)
    server.stop()

    back = Place(tmp_path / "back")
    back.folder.mkdir()
    carry(elsewhere, back, "master.key", "demo-credentials.json")
    back.data.chmod(0o700)
    assert copied(elsewhere.database, back.data)["master key"].endswith("fits")
    with closing(back):
        server = back.serve()
        assert answers(server) == expected
        refusal = admin_of(server).reserve("one-more", "web", [line(SEAT, 1)], commit=True)
        assert (refusal.status, refusal.json()["code"]) == (422, "quota_exceeded")
    done = subprocess.run([binary(), "verify", "--data", back.data], check=False)
    assert done.returncode == 0


def test_a_copy_that_is_killed_goes_on(journal, elsewhere):
    server = journal.serve()
    admin = admin_of(server)
    admin.resource(SEAT, 100_000, per_location=False)
    admin.scope("acme")
    for batch in range(20):
        names = (f"r-{batch}-{number}" for number in range(100))
        content = {"op": "reserve", "scope": "acme", "lines": [line(SEAT, 1)], "commit": True}
        commands = [content | {"id": name} for name in names]
        admin.call("POST", "/reservations:batch", {"commands": commands}).ok()
    server.stop()
    carry(journal, elsewhere, "master.key")
    command = [binary(), "copy", "--from", journal.data, "--to", elsewhere.database]
    for _ in range(3):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        # It is under way, or has ended already.
        process.stderr.readline()
        process.kill()
        process.communicate()
    done = copy(journal.data, elsewhere.database)
    if done.returncode == 0:
        assert "of them there already" in done.stdout
    else:
        assert "holds a ledger already" in done.stderr, "it was whole when it was killed"
    assert admin_of(elsewhere.serve()).figures("acme", SEAT)[0] == 2_000


def test_a_key_that_does_not_fit_is_found_before_anything_is_copied(tmp_path, journal, elsewhere):
    journal.serve().stop()
    key = tmp_path / "another.key"
    key.write_text("ab" * 32)
    key.chmod(0o600)
    config = tmp_path / "config.toml"
    config.write_text(f'master_key_file = "{key}"\n')
    told = refused(journal.data, elsewhere.database, "--config", config)
    assert "does not hold the key that sealed" in told
    copied(journal.data, elsewhere.database)
    elsewhere.data.mkdir()
    (elsewhere.data / "master.key").write_text("ab" * 32)
    (elsewhere.data / "master.key").chmod(0o600)
    assert "does not hold the key that sealed" in elsewhere.refusal()
