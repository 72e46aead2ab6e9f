"""Several servers on one PostgreSQL: they never admit more than there is, whoever is killed."""

import subprocess
import threading
from contextlib import ExitStack, closing

import pytest

from clients import line, zenlayer_of_demo
from conftest import admin_of
from database import Cluster
from receiver import Receiver
from server import Place, binary
from test_webhooks import LOCAL, hook, limits_told
from waiting import until

SEAT = "app/seat"
CALLERS = 12


class Nodes:
    """Servers that share a database and a master key, and nothing else."""

    def __init__(self, folder, database, stack):
        self.folder, self.database, self.stack = folder, database, stack
        self.places, self.servers = [], []

    def add(self, **settings):
        folder = self.folder / f"node-{len(self.places)}"
        folder.mkdir()
        place = self.stack.enter_context(closing(Place(folder, self.database)))
        if self.places:
            place.data.mkdir()
            key = place.data / "master.key"
            key.write_bytes((self.places[0].data / "master.key").read_bytes())
            key.chmod(0o600)
        self.places.append(place)
        self.servers.append(place.serve(**settings))
        return self.servers[-1]

    def admins(self):
        return [admin_of(server) for server in self.servers]


@pytest.fixture
def nodes(tmp_path, cluster):
    database = cluster.take()
    with ExitStack() as stack:
        nodes = Nodes(tmp_path, database, stack)
        for _ in range(3):
            nodes.add(config=LOCAL)
        yield nodes
    cluster.give_back(database)


@pytest.fixture
def lone_cluster():
    """A PostgreSQL that is killed, or refuses, without anybody else's harm."""
    with closing(Cluster()) as cluster:
        yield cluster


def set_up(admin, limit):
    admin.resource(SEAT, 0, per_location=False)
    admin.scope("acme", kind="organisation")
    admin.scope("web", parent="acme")
    admin.scope("app", parent="acme")
    for scope in ["acme", "web", "app"]:
        admin.limit(scope, SEAT, limit)


def seats(admin, scope="acme"):
    return admin.figures(scope, SEAT)


def one_seat(admin, name, scope="web"):
    return admin.reserve(name, scope, [line(SEAT, 1)], commit=True)


def test_what_any_node_was_told_every_node_knows_at_once(nodes):
    one, two, three = nodes.admins()
    assert {place.credentials()["admin_token"] for place in nodes.places} == {one.token}
    set_up(one, 10)
    for number in range(10):
        writer, reader = (one, two, three)[number % 3], (one, two, three)[(number + 1) % 3]
        one_seat(writer, f"r-{number}").ok()
        assert seats(reader) == (number + 1, 0, 10)
        assert reader.call("GET", f"/reservations/r-{number}").ok()["state"] == "committed"
    refused = one_seat(two, "r-10")
    assert (refused.status, refused.json()["code"]) == (422, "quota_exceeded")
    three.limit("acme", SEAT, 11)
    one.limit("web", SEAT, 11)
    assert one_seat(two, "r-10").ok()["state"] == "committed"
    logs = [admin.call("GET", "/scopes/acme/events").ok() for admin in nodes.admins()]
    assert logs[0] == logs[1] == logs[2] != []
    two.resource("app/other", 3)
    assert three.call("GET", "/resources/app/other").ok()["default_limit"] == 3


def test_a_key_that_one_node_makes_signs_at_every_node(nodes):
    figures = [zenlayer_of_demo(server).quotas() for server in nodes.servers]
    assert figures == [[("FRA-A", 2, 5), ("HKG-A", 3, 5)]] * 3


def test_a_hold_lapses_though_its_node_is_gone(nodes):
    one, two, _ = nodes.admins()
    set_up(one, 1)
    one.reserve("brief", "web", [line(SEAT, 1)], ttl_seconds=1).ok()
    nodes.servers[0].kill()
    until(lambda: seats(two) == (0, 0, 1))
    assert two.call("GET", "/reservations/brief").ok()["state"] == "expired"


def test_a_tenant_that_is_in_use_does_not_hold_up_what_is_due_elsewhere(nodes, cluster):
    one, two, _ = nodes.admins()
    set_up(one, 10)
    one.scope("solo", kind="organisation")
    one.limit("solo", SEAT, 10)
    name = nodes.database.rsplit("/", 1)[1]

    def state(reservation):
        where = f"id = '{reservation}'"
        return cluster.sql(name, f"SELECT state FROM plimsoll.reservation WHERE {where}")

    # On a slow machine a brief hold may be swept before its tenant is taken.
    for seconds in [1, 4, 16]:
        brief = f"brief-{seconds}"
        one.reserve(brief, "web", [line(SEAT, 1)], ttl_seconds=seconds).ok()
        in_use = "SELECT FROM plimsoll.log WHERE tenant = 'acme' FOR UPDATE"
        with cluster.held(name, in_use):
            if state(brief) != "held":
                continue
            one.reserve("elsewhere", "solo", [line(SEAT, 1)], ttl_seconds=1).ok()
            until(lambda: state("elsewhere") == "expired")
            one_seat(two, "at-once", "solo").ok()
            assert state(brief) == "held"
        until(lambda: state(brief) == "expired", 60)
        return
    raise AssertionError("it takes too long")


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.down()


def test_webhooks_are_told_by_one_node_after_the_other(nodes, receiver):
    one, two, three = nodes.admins()
    set_up(one, 10)
    hook(two, "ops", receiver.url, topics=["limit"]).ok()

    def told():
        return [limit for limit in limits_told(receiver) if 20 <= limit]

    for limit in range(20, 30):
        three.limit("acme", SEAT, limit)
    receiver.wait_until(lambda: 29 in told())
    assert told() == list(range(20, 30))
    for left, server in [(two, nodes.servers[0]), (three, nodes.servers[1])]:
        server.kill()
        limit = 40 if left is two else 50
        left.limit("acme", SEAT, limit)
        receiver.wait_until(lambda: limit in told())
    # What was told just before a node's end may be told again; nothing is left out.
    assert sorted(set(told())) == [*range(20, 30), 40, 50]


def verify(database, *arguments):
    """The exit code, standard output and standard error."""
    command = [binary(), "verify", "--store", database, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def test_a_database_is_proved_while_nodes_serve_and_damage_is_found(nodes, cluster):
    one, two, _ = nodes.admins()
    set_up(one, 10)
    for number in range(3):
        one_seat([one, two][number % 2], f"r-{number}").ok()
    code, stdout, stderr = verify(nodes.database)
    assert (code, stderr) == (0, "")
    told = dict(line.split(": ", 1) for line in stdout.splitlines())
    assert 3 <= int(told["admissions"].split(",")[0])
    name = nodes.database.rsplit("/", 1)[1]
    cluster.sql(name, "UPDATE plimsoll.event SET event = event || 'x' WHERE revision = 2")
    code, stdout, stderr = verify(nodes.database)
    assert (code, stdout) == (1, "")
    assert "is damaged: revision 2 of the catalogue: its hash is not" in stderr


def test_kept_tips_are_expected_later_and_name_what_was_cut_off(nodes, cluster, tmp_path):
    one, two, _ = nodes.admins()
    set_up(one, 10)
    one_seat(one, "before").ok()
    kept, later = tmp_path / "kept", tmp_path / "later"
    code, stdout, stderr = verify(nodes.database, "--tips", kept)
    assert (code, stderr) == (0, "")
    # The file ends with the line that ends what is printed; a script may keep either.
    assert kept.read_text().splitlines()[-1] == stdout.splitlines()[-1]
    older = cluster.take()
    for server in nodes.servers:
        server.stop()
    copy = [binary(), "copy", "--from", nodes.database, "--to", older]
    subprocess.run(copy, check=True, capture_output=True, timeout=120)
    admin = admin_of(nodes.places[1].serve())
    one_seat(admin, "after").ok()
    code, stdout, stderr = verify(nodes.database, "--expect-tip", kept, "--tips", later)
    assert (code, stderr) == (0, "")
    logs = len(kept.read_text().splitlines()) - 1
    assert f"\nexpected tip: {logs} logs, each still holds it\n" in stdout
    # The older database is sound, and holds what there was when the first tips were written.
    assert verify(older, "--expect-tip", kept)[0] == 0
    code, stdout, stderr = verify(older, "--expect-tip", later)
    assert (code, stdout) == (1, "")
    revision = admin.call("GET", "/scopes/acme/quotas").ok()["revision"]
    assert f"the log of `acme` ends at revision {revision - 1}, and the kept tip" in stderr
    cluster.give_back(older)


@pytest.mark.parametrize("content", [None, "", "tip: " + 64 * "0" + "\n", "cut"])
def test_tips_that_cannot_be_read_are_a_wrong_command_line(tmp_path, cluster, content):
    kept = tmp_path / "kept"
    if content is not None:
        kept.write_text(content)
    code, stdout, stderr = verify(cluster.address("nowhere"), "--expect-tip", kept)
    assert (code, stdout) == (2, "")
    assert f"`{kept}` " in stderr


class Callers:
    """Callers who want one seat after the other, each from any node, and repeat what failed."""

    def __init__(self, nodes):
        self.nodes = nodes
        self.taken, self.refused, self.failures = [], 0, []
        self.ends = threading.Event()
        self.threads = [threading.Thread(target=self._call, args=[it]) for it in range(CALLERS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        for thread in self.threads:
            thread.join(60)

    def _call(self, caller):
        number = turn = 0
        while not self.ends.is_set():
            name, turn = f"c{caller}-{number}", turn + 1
            admins = self.nodes.admins()
            try:
                admin = admins[(caller + turn) % len(admins)]
                reply = one_seat(admin, name, ["web", "app"][number % 2])
            except OSError:
                continue
            if reply.status == 200:
                self.taken.append(name)
            elif reply.status == 422:
                self.refused += 1
            else:
                self.failures.append(reply)
                self.ends.wait(0.05)
                continue
            number += 1

    def wait_for_more(self, counted, more):
        wanted = len(counted) + more
        until(lambda: wanted <= len(counted), 120)


def check_that_callers_get_exactly_what_there_is(nodes):
    admin = nodes.admins()[0]
    set_up(admin, 100)
    with Callers(nodes) as callers:
        until(lambda: CALLERS <= callers.refused, 120)
    assert callers.failures == []
    assert len(set(callers.taken)) == len(callers.taken) == 100
    assert {seats(it) for it in nodes.admins()} == {(100, 0, 100)}
    parts = [seats(admin, scope)[0] for scope in ["web", "app"]]
    assert sum(parts) == 100


def test_callers_of_all_nodes_get_exactly_what_there_is(nodes):
    check_that_callers_get_exactly_what_there_is(nodes)


def test_a_killed_node_and_a_killed_database_lose_and_double_nothing(tmp_path, lone_cluster):
    with ExitStack() as stack:
        nodes = Nodes(tmp_path, lone_cluster.take(), stack)
        for _ in range(3):
            nodes.add()
        admin = nodes.admins()[0]
        set_up(admin, "unlimited")
        with Callers(nodes) as callers:
            callers.wait_for_more(callers.taken, 30)
            nodes.servers[2].kill()
            callers.wait_for_more(callers.taken, 30)
            lone_cluster.kill()
            callers.wait_for_more(callers.failures, CALLERS)
            assert admin.call("GET", "/scopes/acme/quotas").status == 503
            lone_cluster.start()
            callers.wait_for_more(callers.taken, 30)
            nodes.servers[2] = nodes.places[2].serve()
            callers.wait_for_more(callers.taken, 30)
        codes = {(reply.status, reply.json()["code"]) for reply in callers.failures}
        assert codes <= {(503, "unavailable"), (503, "outcome_unknown")}
        assert all(reply.headers["Retry-After"] for reply in callers.failures)
        assert len(set(callers.taken)) == len(callers.taken)
        for name in callers.taken:
            assert admin.call("GET", f"/reservations/{name}").ok()["state"] == "committed"
        used, held, _ = seats(admin)
        # Whoever was not answered last may or may not have got it.
        assert held == 0 and len(callers.taken) <= used <= len(callers.taken) + CALLERS


def test_a_database_that_takes_no_writes_is_waited_for(tmp_path, lone_cluster):
    database = lone_cluster.take()
    name = database.rsplit("/", 1)[1]
    with closing(Place(tmp_path, database)) as place:
        admin = admin_of(place.serve())
        set_up(admin, 5)
        for read_only in ["on", "off"]:
            alter = f"ALTER DATABASE {name} SET default_transaction_read_only = {read_only}"
            lone_cluster.sql("postgres", alter)
            lone_cluster.sql(
                "postgres",
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
                f"WHERE datname = '{name}'",
            )
            if read_only == "on":
                reply = one_seat(admin, "r")
                assert (reply.status, reply.json()["code"]) == (503, "unavailable")
                assert reply.headers["Retry-After"]
        until(lambda: one_seat(admin, "r").status == 200)
        assert seats(admin) == (1, 0, 5)


def test_a_database_that_cannot_be_used_is_said_to_be_so(tmp_path, lone_cluster):
    database = lone_cluster.take()
    name = database.rsplit("/", 1)[1]
    place = Place(tmp_path, database)
    lone_cluster.sql("postgres", f"ALTER DATABASE {name} SET synchronous_commit = off")
    assert "`synchronous_commit` off" in place.refusal()
    lone_cluster.sql("postgres", f"ALTER DATABASE {name} RESET synchronous_commit")
    place.serve()
    place.close()
    (place.data / "master.key").rename(tmp_path / "master.key")
    assert "copy it from another node" in place.refusal()
    (tmp_path / "master.key").rename(place.data / "master.key")
    lone_cluster.sql(name, "INSERT INTO plimsoll.layout (version) VALUES (1000)")
    assert "was laid out by a newer build" in place.refusal()
    place.database = database + "-of-nobody"
    assert f"{name}-of-nobody` does not exist" in place.refusal()
    lone_cluster.kill()
    place.database = database
    assert "cannot be reached" in place.refusal()
    lone_cluster.start()
