"""A database gets a new layout while nodes serve from it: no caller notices."""

import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from server import binary
from test_nodes import Callers, Nodes, one_seat, seats, set_up
from waiting import until

STORE = Path(__file__).parent.parent / "crates" / "plimsoll-store" / "src" / "postgres"
LAYOUT = len(list((STORE / "migrations").glob("*.sql")))
NEXT = LAYOUT + 1


def migrate(database, *arguments):
    command = [binary(), "migrate", "--store", database, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def first_layout(cluster):
    """A database as the first build has laid it out, and a way to run statements in it."""
    database = cluster.take()
    name = database.rsplit("/", 1)[1]

    def sql(statement):
        return cluster.sql(name, statement)

    sql("CREATE SCHEMA plimsoll")
    sql((STORE / "migrations" / "0001.sql").read_text())
    sql("INSERT INTO plimsoll.layout (version) VALUES (1)")
    yield database, sql
    cluster.give_back(database)


def test_layouts_change_while_nodes_serve_and_are_replaced(tmp_path, first_layout):
    database, sql = first_layout
    with ExitStack() as stack:
        assert f"had layout 1 and now has {LAYOUT}" in migrate(database)
        nodes = Nodes(tmp_path, database, stack)
        for _ in range(3):
            nodes.add()
        set_up(nodes.admins()[0], "unlimited")
        with Callers(nodes) as callers:
            callers.wait_for_more(callers.taken, 60)
            # As a build does that is not written yet.
            sql(
                "BEGIN; SET LOCAL lock_timeout = '1s'; "
                "ALTER TABLE plimsoll.reservation ADD COLUMN more bigint NOT NULL DEFAULT 7; "
                "ALTER TABLE plimsoll.event ADD COLUMN more text; "
                f"INSERT INTO plimsoll.layout (version, serves_from) VALUES ({NEXT}, {LAYOUT}); COMMIT"
            )
            callers.wait_for_more(callers.taken, 60)
            for number in range(3):
                nodes.servers[number].stop()
                nodes.servers[number] = nodes.places[number].serve()
                callers.wait_for_more(callers.taken, 30)
        assert callers.failures == []
        used, held, _ = seats(nodes.admins()[0])
        assert held == 0 and len(callers.taken) <= used <= len(callers.taken) + len(
            callers.threads
        )
        assert "rows of version 4 already" in migrate_finish(database, sql)
        # One that is not for these nodes, made by hand: they do not guess.
        sql(f"INSERT INTO plimsoll.layout (version, serves_from) VALUES ({NEXT}, {NEXT})")
        for node in nodes.admins():
            until(lambda node=node: one_seat(node, "last").status == 503)
        sql(f"DELETE FROM plimsoll.layout WHERE version = {NEXT}")
        for node in nodes.admins():
            until(lambda node=node: one_seat(node, "last").status == 200)


def migrate_finish(database, sql):
    sql(f"DELETE FROM plimsoll.layout WHERE version = {NEXT}")
    return migrate(database, "--finish")
