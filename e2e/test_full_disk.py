"""A disk that is really full: nothing is acknowledged that is not kept, nothing is lost or doubled,
and with room again it goes on by itself."""

import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from conftest import admin_of
from database import Cluster
from faults import Disk, limit_files, processes_of
from server import Place, binary
from test_faults import IMPATIENT, fifty_seats, is_refused_for_now
from test_nodes import one_seat, seats, set_up
from waiting import until

BATCHES_MAX = 2_000
REPEATS = 20

# Bytes that are left at first. With none, PostgreSQL cannot extend a table and refuses; with fewer
# than the next file of its write-ahead log takes, it ends.
LEFT = [0, 900 << 10, 0]


def is_taken(admin, number):
    reply = fifty_seats(admin, number)
    return reply.status == 200 or not is_refused_for_now(reply)


def fill(disk, left, admin, first, *processes):
    """How many batches there are when one was refused, which is the next."""
    disk.fill(left, *processes)
    for number in range(first, first + BATCHES_MAX):
        if not is_taken(admin, number):
            break
    else:
        raise AssertionError("it is never full")
    # What is cleared away meanwhile may leave room for it after all.
    for _ in range(REPEATS):
        is_taken(admin, number)
    return number


def proved(*where):
    done = subprocess.run([binary(), "verify", *where], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return dict(told.split(": ", 1) for told in done.stdout.splitlines())


def has_followed(data):
    told = proved("--data", data)
    return told["ledger.db"] == "up to record " + told["records"].split(",")[0]


@pytest.mark.files
def test_a_full_disk_under_the_journal(tmp_path):
    with closing(Disk("48m")) as disk, closing(Place(tmp_path / "disk")) as place:
        # What the server logs goes to the same disk.
        disk.take_the_place_of(place.folder)
        server = place.serve()
        admin = admin_of(server)
        set_up(admin, "unlimited")
        taken = 0
        for left in LEFT:
            taken = fill(disk, left, admin, taken, server.process.pid)
            disk.make_room()
            until(lambda number=taken: is_taken(admin, number))
            taken += 1
            assert seats(admin) == (50 * taken, 0, "unlimited")
        until(lambda: has_followed(place.data))
        assert server.process.poll() is None
        server.kill()
        assert seats(admin_of(place.serve())) == (50 * taken, 0, "unlimited")


def test_a_log_that_cannot_be_written_stops_nobody(place):
    place.log_device = Path("/dev/full")
    admin = admin_of(place.serve())
    set_up(admin, 5)
    one_seat(admin, "r").ok()
    assert seats(admin) == (1, 0, 5)


def test_a_full_disk_under_the_database(tmp_path):
    with closing(Disk("160m")) as disk, closing(Cluster(["--wal-segsize=1"], disk=disk)) as cluster:
        with closing(Place(tmp_path, cluster.take())) as place:
            server = place.serve(config=IMPATIENT)
            admin = admin_of(server)
            set_up(admin, "unlimited")

            def those_there():
                return processes_of(cluster) if cluster.process.poll() is None else ()

            def is_taken_again(number):
                # Where there was no room to come back to, somebody must start it.
                if cluster.process.poll() is not None:
                    cluster.start()
                return is_taken(admin, number)

            taken = 0
            for left in LEFT:
                taken = fill(disk, left, admin, taken, *processes_of(cluster))
                disk.make_room(those_there)
                until(lambda number=taken: is_taken_again(number), 60)
                taken += 1
                assert seats(admin) == (50 * taken, 0, "unlimited")
            assert server.process.poll() is None
            proved("--store", place.database)


def test_what_could_not_be_noted_is_noted_later(tmp_path, cluster):
    database = cluster.take()
    with closing(Place(tmp_path, database)) as place:
        server = place.serve()
        admin = admin_of(server)
        set_up(admin, "unlimited")
        notes = place.data / "acknowledged"
        # Of the next line, one digit has room; then the rest has.
        limit_files(server.process.pid, notes.stat().st_size + 1)
        one_seat(admin, "unnoted").ok()
        limit_files(server.process.pid, "unlimited")
        one_seat(admin, "noted").ok()
        revision = admin.call("GET", "/scopes/acme/quotas").ok()["revision"]
        server.kill()
        noted = [line.split(" ") for line in notes.read_text().splitlines()]
        assert {len(words) for words in noted} == {3}
        assert max(int(words[0]) for words in noted if words[2] == "acme") == revision
        again = admin_of(place.serve())
        one_seat(again, "after").ok()
        assert seats(again) == (3, 0, "unlimited")
    cluster.give_back(database)
