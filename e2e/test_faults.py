"""Whatever is wrong with the database: it is said clearly, nothing is lost or doubled, and the node
serves again by itself."""

import threading
from contextlib import ExitStack, closing

import pytest

from clients import Native, line
from conftest import admin_of
from database import Cluster
from faults import OldDatabase, frozen, let_files_grow_to, locked
from server import Place
from signing import modelarts, zenlayer
from test_nodes import SEAT, one_seat, seats, set_up
from waiting import until
from wire import exchange

IMPATIENT = "[postgres]\nstatement_timeout_seconds = 1\nconnect_timeout_seconds = 1\n"
KEY = "ab" * 32


@pytest.fixture
def lone_cluster():
    """A PostgreSQL that is maltreated without anybody else's harm."""
    with closing(Cluster()) as cluster:
        yield cluster


def is_refused_for_now(reply):
    assert (reply.status, reply.json()["code"]) in [(503, "unavailable"), (503, "outcome_unknown")]
    assert reply.headers["Retry-After"]
    return True


def is_taken(admin, name):
    reply = one_seat(admin, name)
    return reply.status == 200 or not is_refused_for_now(reply)


def test_wrong_credentials_are_said_to_be_wrong_and_may_become_right(tmp_path, lone_cluster):
    database = lone_cluster.take()
    name = database.rsplit("/", 1)[1]
    lone_cluster.sql(name, "CREATE ROLE caller LOGIN PASSWORD 'right'")
    lone_cluster.sql(name, f"GRANT CREATE ON DATABASE {name} TO caller")
    rules = lone_cluster.data / "pg_hba.conf"
    rules.write_text("local all caller scram-sha-256\n" + rules.read_text())
    lone_cluster.sql(name, "SELECT pg_reload_conf()")
    place = Place(tmp_path, database.replace("plimsoll@", "caller:wrong@", 1))
    until(lambda: "refuses the user or the password" in place.refusal())
    assert "wrong" not in place.stderr()
    place.database = database.replace("plimsoll@", "caller:right@", 1)
    with closing(place):
        admin = admin_of(place.serve(config=IMPATIENT))
        set_up(admin, 5)
        for password in ["changed", "right"]:
            lone_cluster.sql(name, f"ALTER ROLE caller PASSWORD '{password}'")
            end = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
            lone_cluster.sql(name, f"{end} WHERE usename = 'caller'")
            if password == "changed":
                is_refused_for_now(one_seat(admin, "r"))
                until(lambda: exchange(admin.address, "GET", "/readyz").status == 503)
                says_when_to_come_again(admin.address)
        until(lambda: is_taken(admin, "r"))
        assert seats(admin) == (1, 0, 5)


def says_when_to_come_again(address):
    """Outside the native API, while no database tells whose a key is."""
    key = ("unknown", "secret")
    vendors = [
        exchange(address, "GET", "/readyz"),
        exchange(address, "POST", "/api/v2/vm", zenlayer(address, key, b"{}"), b"{}"),
        exchange(address, "GET", "/v1/p/quotas", modelarts(address, key, "/v1/p/quotas")),
    ]
    assert [(reply.status, reply.headers["Retry-After"]) for reply in vendors] == [(503, "1")] * 3


def test_an_old_database_is_said_to_be_old(tmp_path):
    with closing(OldDatabase()) as old:
        said = Place(tmp_path, old.address).refusal()
    assert "runs version 140009 of PostgreSQL: 15 is the oldest that will do" in said


def test_nodes_that_start_at_the_same_moment_lay_out_one_database(tmp_path, cluster):
    for number in range(5):
        database = cluster.take()
        with ExitStack() as stack:
            servers = []

            def start(name, database=database, stack=stack, servers=servers, number=number):
                folder = tmp_path / f"{number}-{name}"
                folder.mkdir()
                (folder / "master.key").write_text(KEY)
                (folder / "master.key").chmod(0o600)
                place = stack.enter_context(closing(Place(folder, database)))
                key = f'master_key_file = "{folder / "master.key"}"\n'
                servers.append(place.serve(config=key))

            threads = [threading.Thread(target=start, args=[name]) for name in "abc"]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            assert len(servers) == 3
            admins = [admin_of(server) for server in servers]
            set_up(admins[0], 5)
            # Each may have made keys of its own: all are good at each.
            for server in servers:
                for admin in admins:
                    assert seats(Native(server, admin.token)) == (0, 0, 5)
        cluster.give_back(database)


def test_a_lock_that_is_held_up_is_not_waited_for_for_ever(tmp_path, lone_cluster):
    database = lone_cluster.take()
    name = database.rsplit("/", 1)[1]
    with closing(Place(tmp_path, database)) as place:
        admin = admin_of(place.serve(config=IMPATIENT))
        set_up(admin, 5)
        one_seat(admin, "before").ok()
        lock = "SELECT revision FROM plimsoll.log WHERE tenant = 'acme' FOR UPDATE"
        with locked(lone_cluster, name, lock):
            is_refused_for_now(one_seat(admin, "during"))
            # Reading needs no lock, nor do other tenants.
            assert seats(admin) == (1, 0, 5)
            admin.scope("other", kind="organisation")
        until(lambda: is_taken(admin, "during"))
        assert seats(admin) == (2, 0, 5)


def test_a_database_that_stands_still_is_waited_for(tmp_path, lone_cluster):
    with closing(Place(tmp_path, lone_cluster.take())) as place:
        admin = admin_of(place.serve(config=IMPATIENT))
        set_up(admin, 5)
        with frozen(lone_cluster):
            is_refused_for_now(one_seat(admin, "r"))
            until(lambda: exchange(admin.address, "GET", "/readyz").status == 503)
        until(lambda: is_taken(admin, "r"))
        assert one_seat(admin, "r").ok()["state"] == "committed"
        assert seats(admin) == (1, 0, 5)


def test_a_full_disk_loses_and_doubles_nothing(tmp_path):
    with closing(Cluster(["--wal-segsize=1"])) as cluster:
        with closing(Place(tmp_path, cluster.take())) as place:
            admin = admin_of(place.serve(config=IMPATIENT))
            set_up(admin, "unlimited")
            # Those of the write-ahead log have this size from the start.
            let_files_grow_to(cluster, 1 << 20)
            taken, asked = 0, 0
            while True:
                reply = fifty_seats(admin, asked)
                asked += 1
                if reply.status != 200:
                    break
                taken += 50
            is_refused_for_now(reply)
            assert seats(admin)[0] == taken
            let_files_grow_to(cluster, "unlimited")
            until(lambda: fifty_seats(admin, asked - 1).status == 200)
            assert seats(admin)[0] == taken + 50


def fifty_seats(admin, number):
    commands = [
        {
            "op": "reserve",
            "id": f"r-{number}-{index}",
            "scope": "web",
            "lines": [line(SEAT, 1)],
            "commit": True,
        }
        for index in range(50)
    ]
    return admin.call("POST", "/reservations:batch", {"commands": commands})
