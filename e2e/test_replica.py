"""A standby answers who asks for quotas, as long as nobody misses what they were told."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from clients import zenlayer_of_demo
from conftest import admin_of
from database import Cluster
from pooler import Pooler
from server import Place
from test_nodes import SEAT, Nodes, one_seat, seats, set_up
from waiting import until

AGE = "plimsoll-read-age-ms"


@pytest.fixture
def pair():
    with ExitStack() as stack:
        primary = stack.enter_context(closing(Cluster()))
        database = primary.take()
        standby = stack.enter_context(closing(Cluster(following=primary)))
        yield primary, standby, database


@pytest.fixture
def poolers(pair):
    """A PgBouncer before each of the two, in transaction mode."""
    primary, standby, _ = pair
    with closing(Pooler(primary)) as before_primary, closing(Pooler(standby)) as before_standby:
        yield before_primary, before_standby


def test_quotas_come_from_a_standby_and_own_writes_are_seen(tmp_path, pair):
    _, standby, database = pair
    replica = standby.address(database.rsplit("/", 1)[1])
    check_that_quotas_come_from_a_standby(tmp_path, standby, database, replica)


def test_both_may_be_behind_poolers(tmp_path, pair, poolers):
    _, standby, database = pair
    before_primary, before_standby = poolers
    replica = before_standby.through(standby.address(database.rsplit("/", 1)[1]))
    through = before_primary.through(database)
    check_that_quotas_come_from_a_standby(tmp_path, standby, through, replica)


def check_that_quotas_come_from_a_standby(tmp_path, standby, database, replica):
    config = f"store_replica = '{replica}'\nstore_replica_max_age_seconds = 600\n"
    with closing(Place(tmp_path, database)) as place:
        server = place.serve(config=config)
        admin = admin_of(server)
        set_up(admin, 5)

        def age():
            return admin.call("GET", "/scopes/acme/quotas").headers.get(AGE)

        assert int(until(age)) <= 600_000
        standby.sql("postgres", "SELECT pg_wal_replay_pause()")
        one_seat(admin, "r").ok()
        assert age() is None
        assert seats(admin) == (1, 0, 5)
        assert admin.call("GET", "/reservations/r").headers.get(AGE) is None
        standby.sql("postgres", "SELECT pg_wal_replay_resume()")
        assert until(age)
        assert seats(admin) == (1, 0, 5)
        assert zenlayer_of_demo(server).quotas() == [("FRA-A", 2, 5), ("HKG-A", 3, 5)]
        standby.kill()
        assert age() is None
        assert seats(admin) == (1, 0, 5)
        assert zenlayer_of_demo(server).quotas() == [("FRA-A", 2, 5), ("HKG-A", 3, 5)]
        standby.start()
        assert until(age)


READERS = 8
READ_SECONDS = 3


def test_a_pooler_before_several_standbys_makes_no_old_figure_young(tmp_path, pair):
    primary, standby, database = pair
    name = database.rsplit("/", 1)[1]
    with ExitStack() as stack:
        late = stack.enter_context(closing(Cluster(following=primary)))
        # Which of the two answers is another matter with each transaction.
        pooler = stack.enter_context(closing(Pooler(standby, late)))
        replica = pooler.through(standby.address(name))
        config = f"store_replica = '{replica}'\nstore_replica_max_age_seconds = 1\n"
        nodes = Nodes(tmp_path, database, stack)
        reader, writer = (admin_of(nodes.add(config=it)) for it in [config, ""])
        set_up(reader, 5)
        is_there = "SELECT count(*) FROM plimsoll.scope WHERE id = 'app'"
        until(lambda: late.sql(name, is_there) == "1")
        until(lambda: AGE in reader.call("GET", "/scopes/acme/quotas").headers)
        late.sql("postgres", "SELECT pg_wal_replay_pause()")
        until(lambda: late.sql("postgres", "SELECT pg_get_wal_replay_pause_state()") == "paused")
        one_seat(writer, "r").ok()
        written = time.monotonic()
        told = []

        def read():
            while time.monotonic() < written + READ_SECONDS:
                asked = time.monotonic()
                reply = reader.call("GET", f"/scopes/acme/quotas?resource={SEAT}")
                [quota] = reply.ok()["quotas"]
                told.append((asked, quota["used"], int(reply.headers.get(AGE, 0))))

        with ThreadPoolExecutor(READERS) as readers:
            for reading in [readers.submit(read) for _ in range(READERS)]:
                reading.result()
        # What is told is no older than it says.
        old = [it for it in told if it[1] == 0 and written < it[0] - it[2] / 1000]
        assert told and old == []


def test_a_replica_that_is_none_is_refused(tmp_path, pair):
    primary, standby, database = pair
    place = Place(tmp_path, database)

    def refusal(settings):
        lines = [f"{name} = {value!r}" for name, value in settings.items()]
        return place.refusal(config="\n".join(lines) + "\n")

    together = "`--store-replica-max-age` of at least 1 s together"
    assert together in refusal({"store_replica": database})
    assert together in refusal({"store_replica_max_age_seconds": 3})
    itself = {"store_replica": database, "store_replica_max_age_seconds": 3}
    assert "is no replica, it takes writes" in refusal(itself)
    another = standby.address("postgres")
    other = {"store_replica": another, "store_replica_max_age_seconds": 3}
    assert "is another database than the store" in refusal(other)
