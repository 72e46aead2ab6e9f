"""What was acknowledged is there after a crash, and secrets stay where they belong."""

import base64
import os
import subprocess
import threading

import pytest

from clients import Native, line, modelarts_of_demo, os_quotas, zenlayer_of_demo
from conftest import admin_of, first_admin
from server import binary

IMAGE = "vm/image"
WRITERS = 8


def modes(place):
    return {
        str(path.relative_to(place.folder)): path.stat().st_mode & 0o777
        for path in [place.data, *place.data.rglob("*")]
    }


def every_figure(server):
    return sorted(zenlayer_of_demo(server).quotas()), os_quotas(modelarts_of_demo(server))


# --- crashes


@pytest.mark.parametrize("demo_again", [True, False])
def test_a_killed_server_comes_back_with_its_figures(place, demo_again):
    server = place.serve()
    admin = admin_of(server)
    team = place.credentials()["zenlayer"]["scope"]
    admin.limit(team, IMAGE, 8, "FRA-A")
    admin.reserve("held", team, [line(IMAGE, 1, "FRA-A")]).ok()
    admin.reserve("used", team, [line(IMAGE, 2, "FRA-A")], commit=True).ok()
    before, credentials = every_figure(server), place.credentials()
    server.kill()
    server = place.serve(demo=demo_again)
    assert place.credentials() == credentials
    assert every_figure(server) == before
    assert ("FRA-A", 5, 8) in before[0]
    assert admin_of(server).figures(team, IMAGE, "FRA-A") == (4, 1, 8)
    assert admin_of(server).commit("held").ok()["state"] == "committed"


def test_an_answer_given_before_the_crash_is_given_again(place):
    server = place.serve()
    team = place.credentials()["zenlayer"]["scope"]
    lines = [line(IMAGE, 1, "FRA-A")]
    before = admin_of(server).reserve("once", team, lines).ok()
    server.kill()
    assert admin_of(place.serve()).reserve("once", team, lines).ok() == before


@pytest.mark.parametrize("acknowledged_min", [1, 50, 400])
def test_a_kill_under_load_loses_nothing_acknowledged(place, acknowledged_min):
    server = place.serve()
    team = place.credentials()["zenlayer"]["scope"]
    admin_of(server).limit(team, IMAGE, "unlimited", "FRA-A")
    names = load_until_killed(server, team, acknowledged_min)
    admin = admin_of(place.serve())
    states = {name: admin.call("GET", f"/reservations/{name}").ok()["state"] for name in names}
    assert set(states.values()) == {"committed"}
    used, held, _ = admin.figures(team, IMAGE, "FRA-A")
    in_flight_max = WRITERS
    assert 2 + len(names) <= used <= 2 + len(names) + in_flight_max
    assert held == 0


def load_until_killed(server, team, acknowledged_min):
    """Kills the server as soon as so many were acknowledged; hands back all that were."""
    admin = admin_of(server)
    acknowledged, enough = [], threading.Event()

    def write(writer):
        number = 0
        while True:
            name = f"load-{writer}-{number}"
            number += 1
            try:
                reply = admin.reserve(name, team, [line(IMAGE, 1, "FRA-A")], commit=True)
            except Exception:
                return
            if reply.status != 200:
                return
            acknowledged.append(name)
            if acknowledged_min <= len(acknowledged):
                enough.set()

    writers = [threading.Thread(target=write, args=[number]) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    assert enough.wait(60)
    server.kill()
    for writer in writers:
        writer.join(60)
    return acknowledged


def test_a_server_that_is_asked_to_end_does(place):
    server = place.serve()
    server.stop()
    assert server.process.returncode == 0
    assert every_figure(place.serve())[0] == [("FRA-A", 2, 5), ("HKG-A", 3, 5)]


def test_a_restart_adds_no_demo_figures(place):
    for _ in range(3):
        server = place.serve()
        assert every_figure(server)[0] == [("FRA-A", 2, 5), ("HKG-A", 3, 5)]
        server.stop()


# --- the data directory


@pytest.mark.files
def test_a_second_server_on_the_same_data_is_refused(place):
    server = place.serve()
    for demo in (True, False):
        assert str(place.data) in place.refusal(demo=demo)
    assert every_figure(server)[0] == [("FRA-A", 2, 5), ("HKG-A", 3, 5)]


@pytest.mark.files
def test_nobody_else_can_read_the_data(place):
    place.serve()
    found = modes(place)
    assert found["data"] == 0o700
    assert found["data/demo-credentials.json"] == 0o600
    databases = {path: mode for path, mode in found.items() if ".db" in path}
    assert {"data/journal.db", "data/journal.db-wal", "data/ledger.db"} <= set(databases)
    assert set(databases.values()) == {0o600}
    keys = [path for path in found if "key" in path]
    assert keys and {found[path] for path in keys} == {0o600}


def test_a_master_key_that_others_can_read_is_refused(place):
    place.serve().stop()
    [key] = [path for path in place.data.rglob("*") if "key" in path.name]
    key.chmod(0o644)
    assert key.name in place.refusal()
    key.chmod(0o600)
    place.serve()


def test_another_master_key_is_refused(place):
    place.serve().stop()
    key = place.data / "master.key"
    right = key.read_text()
    key.write_text(right[::-1])
    refusal = place.refusal()
    assert str(key) in refusal and "sealed the secret of" in refusal
    key.write_text(right)
    assert every_figure(place.serve())[0] == [("FRA-A", 2, 5), ("HKG-A", 3, 5)]


def test_the_demo_is_not_put_beside_something_else(place):
    server = place.serve(demo=False)
    token = first_admin(server).token
    server.stop()
    refusal = place.refusal(demo=True)
    assert str(place.data) in refusal and "--demo" in refusal
    admin = Native(place.serve(demo=False), token)
    assert admin.call("GET", "/resources").ok()["resources"] == []


def test_a_reader_that_has_read_enough_is_no_error():
    command = [binary(), "openapi"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, timeout=60)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_first_token_is_printed_once_and_works(place):
    server = place.serve(demo=False)
    admin = first_admin(server)
    admin.scope("acme", kind="organisation")
    server.kill()
    server = place.serve(demo=False)
    assert admin.token not in server.stdout()
    admin.address = server.address
    assert admin.call("GET", "/scopes/acme/quotas").status == 200
    assert not (place.data / "demo-credentials.json").exists()


# --- secrets


def spellings(secret):
    """How a secret might be written down by accident."""
    raw = secret.encode()
    encoded = [base64.b64encode(raw), base64.urlsafe_b64encode(raw)]
    hexadecimal = raw.hex().encode()
    return {raw, hexadecimal, hexadecimal.upper(), *(text.rstrip(b"=") for text in encoded)}


def test_secrets_are_in_no_file_and_no_log(place):
    server = place.serve(environment={"RUST_LOG": "trace"})
    secrets = [*demo_secrets(place), *new_secrets(server)]
    every_figure(server)
    server.kill()
    server = place.serve(environment={"RUST_LOG": "trace"})
    every_figure(server)
    server.stop()
    written = {"output": place.output().encode()} | files_of(place)
    for number, secret in enumerate(secrets):
        for name, content in written.items():
            found = any(spelling in content for spelling in spellings(secret))
            assert not found, f"secret {number} is in `{name}`"


def demo_secrets(place):
    credentials = place.credentials()
    return [
        credentials["admin_token"],
        credentials["zenlayer"]["access_key_password"],
        credentials["modelarts"]["sk"],
        credentials["modelarts"]["auth_token"],
    ]


def new_secrets(server):
    """Those that the API hands out, used once so that they pass through every layer."""
    admin = admin_of(server)
    team = server.place.credentials()["zenlayer"]["scope"]
    token = admin.principal("token", "viewer", team)["token"]
    _, secret = admin.access_key("viewer", team)
    admin.token = token
    admin.call("GET", f"/scopes/{team}/quotas").ok()
    return [token, secret]


def files_of(place):
    return {
        path.name: path.read_bytes()
        for path in place.data.rglob("*")
        if path.is_file() and path.name != "demo-credentials.json"
    }
