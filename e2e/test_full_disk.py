"""A disk that is full: nothing is acknowledged that is not kept, nothing is lost or doubled, and with
room again it goes on by itself."""

from contextlib import closing
from pathlib import Path

from conftest import admin_of
from faults import limit_files
from server import Place
from test_nodes import one_seat, seats, set_up


def test_a_log_that_cannot_be_written_stops_nobody(place):
    place.log_device = Path("/dev/full")
    admin = admin_of(place.serve())
    set_up(admin, 5)
    one_seat(admin, "r").ok()
    assert seats(admin) == (1, 0, 5)


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
