"""A standby answers who asks for quotas, as long as nobody misses what they were told."""

from contextlib import ExitStack, closing

import pytest

from clients import zenlayer_of_demo
from conftest import admin_of
from database import Cluster
from server import Place
from test_nodes import one_seat, seats, set_up
from waiting import until

AGE = "plimsoll-read-age-ms"


@pytest.fixture
def pair():
    with ExitStack() as stack:
        primary = stack.enter_context(closing(Cluster()))
        database = primary.take()
        standby = stack.enter_context(closing(Cluster(following=primary)))
        yield primary, standby, database


def test_quotas_come_from_a_standby_and_own_writes_are_seen(tmp_path, pair):
    _, standby, database = pair
    replica = standby.address(database.rsplit("/", 1)[1])
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
