"""`plimsoll verify`: what it proves, what it finds, and what a script is told."""

import itertools
import os
import re
import sqlite3
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from clients import Native, line
from conftest import admin_of
from server import binary
from waiting import from_now, until

IMAGE = "vm/image"
ZONE = "FRA-A"
SECONDS_MAX = 60
PAGE = 4096

pytestmark = pytest.mark.files


def verify(data, *arguments):
    """The exit code, standard output and standard error."""
    command = [binary(), "verify", "--data", data, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX)
    return done.returncode, done.stdout, done.stderr


def proved(data, *arguments):
    code, stdout, stderr = verify(data, *arguments)
    assert (code, stderr) == (0, "")
    return dict(told.split(": ", 1) for told in stdout.splitlines())


def refused(data, *arguments):
    code, stdout, stderr = verify(data, *arguments)
    assert (code, stdout) == (1, "")
    assert "`" + str(data / "journal.db") + "`" in stderr
    return stderr


def number(told):
    return int(re.match(r"\d+", told)[0])


def named_record(told):
    return int(re.search(r"record (\d+): ", told)[1])


def change(data, file, sql, *values):
    with sqlite3.connect(data / file) as database:
        database.execute(sql, values)
    database.close()


@pytest.fixture
def closed(place):
    """The data of a server that has ended: a few admissions, one of them forced."""
    server = place.serve()
    admin = admin_of(server)
    team = place.credentials()["zenlayer"]["scope"]
    for name in ["a", "b"]:
        admin.reserve(name, team, [line(IMAGE, 1, "FRA-A")], commit=True).ok()
    server.stop()
    return place.data


def test_a_healthy_journal_is_proved(closed):
    told = proved(closed)
    assert re.fullmatch(r"[0-9a-f]{64}", told["tip"])
    assert 2 <= number(told["admissions"])
    assert number(told["records"]) == number(told["ledger.db"].removeprefix("up to record "))
    assert proved(closed) == told, "it changes nothing"


def test_a_server_may_run_beside_it(place):
    server = place.serve()
    before = proved(place.data)
    admin = admin_of(server)
    team = place.credentials()["zenlayer"]["scope"]
    admin.reserve("late", team, [line(IMAGE, 1, "FRA-A")], commit=True).ok()
    after = proved(place.data, "--expect-tip", before["tip"])
    assert number(after["admissions"]) == number(before["admissions"]) + 1
    assert after["tip"] != before["tip"]
    assert after["expected tip"] == f"record {number(before['records'])}"
    assert admin.call("GET", "/reservations/late").ok()["state"] == "committed"


def test_a_server_may_be_at_work_beside_it(place):
    admin = admin_of(place.serve())
    is_over = threading.Event()

    def work():
        for number in itertools.count():
            if is_over.is_set():
                return number
            admin.scope(f"busy-{number}")

    with ThreadPoolExecutor() as pool:
        working = pool.submit(work)
        try:
            seen = [number(proved(place.data)["records"]) for _ in range(8)]
        finally:
            is_over.set()
    assert seen == sorted(seen)
    assert working.result() < number(proved(place.data)["records"])


def test_a_changed_byte_is_found(closed):
    records = number(proved(closed)["records"])
    for sequence in {1, records // 2, records}:
        with sqlite3.connect(closed / "journal.db") as journal:
            select = "SELECT record FROM journal WHERE sequence = ?"
            [whole] = journal.execute(select, [sequence]).fetchone()
        journal.close()
        changed = bytearray(whole)
        changed[len(changed) // 2] ^= 1
        update = "UPDATE journal SET record = ? WHERE sequence = ?"
        change(closed, "journal.db", update, bytes(changed), sequence)
        assert f"record {sequence}: the checksum does not match" in refused(closed)
        change(closed, "journal.db", update, whole, sequence)
    proved(closed)


def test_a_tail_that_was_cut_off_is_found(place, closed):
    shorter, journal = proved(closed), (closed / "journal.db").read_bytes()
    records = number(shorter["records"])
    server = place.serve()
    admin_of(server).scope("late")
    server.stop()
    whole = proved(closed)
    last = number(whole["records"])
    assert records < last
    (closed / "journal.db").write_bytes(journal)
    assert f"record {last}: `ledger.db` holds it, and it is missing here" in refused(closed)
    (closed / "ledger.db").unlink()
    assert proved(closed)["tip"] == shorter["tip"]
    assert "no record has the hash that is expected" in refused(
        closed, "--expect-tip", whole["tip"]
    )
    proved(closed, "--expect-tip", shorter["tip"])


@pytest.mark.parametrize("cut", ["half", "a page", "a byte"])
def test_the_first_record_that_was_cut_off_is_named(closed, cut):
    records = number(proved(closed)["records"])
    journal = closed / "journal.db"
    size = journal.stat().st_size
    os.truncate(journal, {"half": size // 2, "a page": size - PAGE, "a byte": size - 1}[cut])
    assert 1 <= named_record(refused(closed)) <= records


def test_a_byte_that_belongs_to_no_record_is_found(closed):
    whole = proved(closed)
    journal = closed / "journal.db"
    right = journal.read_bytes()
    assert number(whole["journal.db"]) * PAGE == len(right)
    for page in range(len(right) // PAGE):
        # In an unused part, if there is one, and in the header.
        unused = right.find(bytes(16), page * PAGE + 100, (page + 1) * PAGE)
        for place in [page * PAGE + 5, unused + 8 if 0 <= unused else page * PAGE + 100]:
            changed = bytearray(right)
            changed[place] ^= 4
            journal.write_bytes(changed)
            refused(closed)
    journal.write_bytes(right)
    assert proved(closed) == whole


def test_a_backup_is_proved(place, closed, tmp_path):
    server = place.serve()
    admin_of(server).scope("late")
    folder = tmp_path / "backup"
    folder.mkdir()
    source = sqlite3.connect(closed / "journal.db")
    backup = sqlite3.connect(folder / "journal.db")
    source.backup(backup)
    backup.close()
    source.close()
    told = proved(folder)
    assert told["journal.db"].endswith(f"written by SQLite {sqlite3.sqlite_version}")
    proved(closed, "--expect-tip", told["tip"])


def test_a_missing_journal_is_found(closed):
    (closed / "journal.db").unlink()
    refused(closed)


@pytest.mark.parametrize("tip", ["", "12", "x" * 64, "é" * 32])
def test_a_tip_that_is_none_is_a_wrong_command_line(closed, tip):
    code, stdout, stderr = verify(closed, "--expect-tip", tip)
    assert (code, stdout) == (2, "")
    assert "a tip is 64 hexadecimal digits" in stderr


def test_a_directory_without_a_journal_is_a_wrong_command_line(tmp_path):
    for data in [tmp_path, tmp_path / "nowhere"]:
        code, stdout, stderr = verify(data)
        assert (code, stdout) == (2, "")
        assert f"`{data}` holds no journal" in stderr
    assert list(tmp_path.iterdir()) == [], "nothing is made"


# --- after all that may happen


def every_kind_of_history(admin):
    """What each verb leaves in the journal; how many admissions bear which mark."""
    admin.scope("acme", kind="organisation")
    admin.scope("web", parent="acme")
    admin.scope("ml", parent="acme")
    put_limit(admin, "acme", 12)
    put_limit(admin, "web", 6, ends_at=from_now(3600))
    put_limit(admin, "web", 7)
    admin.call("PUT", "/tiers/t", {"limits": [{"resource": IMAGE, "limit": 4}]}).ok()
    project = {"kind": "project", "parent": "acme", "tier": "t"}
    admin.call("PUT", "/scopes/ml", project).ok()
    take(admin, "a", "web", 3)
    take(admin, "b", "web", 4, at_least=2)
    take(admin, "m", "ml", 4, ttl_seconds=1)
    act(admin, "a", "extend", ttl_seconds=600)
    act(admin, "a", "commit", lines=[images(2)])
    act(admin, "a", "resize", lines=[images(3)])
    act(admin, "b", "release", lines=[images(1)])
    until(lambda: admin.call("GET", "/reservations/m").ok()["state"] == "expired")
    act(admin, "a", "transfer", to="ml")
    assert admin.reserve("refused", "web", [images(99)]).status == 422
    wish = {"scope": "web", "resource": IMAGE, "location": ZONE, "limit": 9}
    for verb in ["deny", "cancel", "approve"]:
        request = admin.call("POST", "/requests", wish).ok()["id"]
        admin.call("POST", f"/requests/{request}/{verb}", {"reason": "ruled"}).ok()
    # Twice forced, thrice past limits that do not enforce; of three mends, two take something.
    force = {"reason": "the launch"}
    take(admin, "f", "web", 20, force=force)
    act(admin, "f", "resize", lines=[images(21)], force=force)
    put_limit(admin, "acme", 12, mode="observe")
    put_limit(admin, "web", 0, mode="warn", location="HKG-A")
    put_limit(admin, "web", 7, mode="warn", ends_at=from_now(3000))
    for name, location in [("o", ZONE), ("p", "HKG-A"), ("q", ZONE)]:
        lines = [line(IMAGE, 1, location)]
        admin.reserve(name, "web", lines, commit=True, holder=f"img-{name}").ok()
    inventory = {"scope": "web", "resource": IMAGE, "location": ZONE, "repair": True}
    things = [{"holder": "img-o", "amount": 4}, {"holder": "img-new", "amount": 1}]
    held = [{"holder": "b", "amount": 1}, {"holder": "f", "amount": 21}]
    revision = admin.call("GET", "/scopes/web/quotas").ok()["revision"]
    content = inventory | {"revision": revision, "things": things + held}
    findings = admin.call("POST", "/reconcile", content).ok()["findings"]
    assert [finding["mend"] for finding in findings if finding["mend"]] == ["done"] * 3
    put_limit(admin, "web", 1)
    admin.call("DELETE", f"/scopes/web/limits?resource={IMAGE}&location={ZONE}").ok()
    return {"forced": 2, "passed": 3, "mended": 2}


def images(amount):
    return line(IMAGE, amount, ZONE)


def put_limit(admin, scope, limit, **more):
    content = {"resource": IMAGE, "location": ZONE, "limit": limit, "reason": "for the proof"}
    admin.call("PUT", f"/scopes/{scope}/limits", content | more).ok()


def take(admin, reservation, scope, amount, *, at_least=None, **more):
    asked = images(amount) if at_least is None else images(amount) | {"at_least": at_least}
    return admin.reserve(reservation, scope, [asked], **more).ok()


def act(admin, reservation, verb, **content):
    return admin.call("POST", f"/reservations/{reservation}/{verb}", content).ok()


@pytest.fixture
def eventful(place):
    """The data of a server on which everything has happened, and the marks that it left."""
    server = place.serve()
    body = {"kind": "token", "role": "admin", "force": True}
    token = admin_of(server).call("POST", "/principals", body).ok()["token"]
    marks = every_kind_of_history(Native(server, token))
    server.stop()
    return place, marks


def test_everything_that_may_happen_is_proved(eventful):
    place, marks = eventful
    told = proved(place.data)
    assert {mark: number(told[mark]) for mark in marks} == marks
    assert all(told[mark].endswith("not judged") for mark in marks)
    assert 10 <= number(told["admissions"])
    # And still after it was read in again, and went on.
    server = place.serve()
    admin_of(server).scope("late", parent="acme")
    server.kill()
    again = proved(place.data, "--expect-tip", told["tip"])
    assert number(again["records"]) == number(told["records"]) + 1
    assert {mark: number(again[mark]) for mark in marks} == marks


def test_any_record_of_it_that_is_changed_is_found(eventful):
    place, _ = eventful
    records = number(proved(place.data)["records"])
    for sequence in range(1, records + 1, 3):
        with sqlite3.connect(place.data / "journal.db") as journal:
            select = "SELECT record FROM journal WHERE sequence = ?"
            [whole] = journal.execute(select, [sequence]).fetchone()
        journal.close()
        changed = bytearray(whole)
        changed[-1] ^= 0x80
        update = "UPDATE journal SET record = ? WHERE sequence = ?"
        change(place.data, "journal.db", update, bytes(changed), sequence)
        assert f"record {sequence}:" in refused(place.data)
        change(place.data, "journal.db", update, whole, sequence)
    proved(place.data)


def test_a_record_that_was_taken_out_or_exchanged_is_found(eventful):
    place, _ = eventful
    data = place.data
    middle = number(proved(data)["records"]) // 2
    whole = (data / "journal.db").read_bytes()
    with sqlite3.connect(data / "journal.db") as journal:
        select = "SELECT record FROM journal WHERE sequence IN (?, ?) ORDER BY sequence"
        [[one], [other]] = journal.execute(select, [middle, middle + 1]).fetchall()
    journal.close()
    update = "UPDATE journal SET record = ? WHERE sequence = ?"
    change(data, "journal.db", update, other, middle)
    change(data, "journal.db", update, one, middle + 1)
    assert f"record {middle}:" in refused(data)
    (data / "journal.db").write_bytes(whole)
    proved(data)
    change(data, "journal.db", "DELETE FROM journal WHERE sequence = ?", middle)
    assert f"record {middle + 1}: the record before it is missing" in refused(data)
