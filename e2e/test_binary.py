"""The protobuf batch, read and written by the official runtime with the schema in `proto/`."""

import importlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clients import BASE, line
from test_native import check_problem
from wire import exchange

ROOT = Path(__file__).parent.parent
SCHEMA = "plimsoll/v1/batch.proto"
EXAMPLE = ROOT / "docs" / "dialects" / "batch.py"
BATCH = "/reservations:batch"
IMAGE, ZONE = "vm/image", "FRA-A"
COMMANDS_MAX = 8192


@pytest.fixture(scope="session")
def generated(tmp_path_factory):
    """Where protoc has written the module, as the documentation says to have it written."""
    folder = tmp_path_factory.mktemp("generated")
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={ROOT / 'proto'}"]
    subprocess.run([*protoc, f"--python_out={folder}", SCHEMA], check=True, timeout=60)
    return folder


@pytest.fixture(scope="session")
def schema(generated):
    sys.path.insert(0, str(generated))
    try:
        return importlib.import_module("plimsoll.v1.batch_pb2")
    finally:
        sys.path.remove(str(generated))


@pytest.fixture
def twins(admin):
    """Two tenants that are alike: what is done in one as JSON is done in the other as protobuf."""
    admin.resource("vm/disk", "unlimited", per_location=False)
    for tenant in ("left", "right"):
        admin.scope(tenant, kind="organisation")
        admin.scope(f"{tenant}-web", parent=tenant)
        admin.scope(f"{tenant}-ml", parent=tenant)
        admin.limit(f"{tenant}-ml", IMAGE, 3, ZONE)
        warns = {"resource": "vm/disk", "limit": 1, "mode": "warn", "reason": "watch"}
        admin.call("PUT", f"/scopes/{tenant}/limits", warns).ok()
    return admin


def send(admin, body, content_type="application/x-protobuf"):
    headers = [("Content-Type", content_type), ("Authorization", f"Bearer {admin.token}")]
    return exchange(admin.address, "POST", BASE + BATCH, headers, body)


def answered(admin, schema, body):
    reply = send(admin, body)
    assert reply.status == 200, reply
    assert reply.headers["Content-Type"] == "application/x-protobuf"
    return schema.BatchResponse.FromString(reply.body).outcomes


def encoded(schema, commands):
    """Commands of the JSON as a message, by names alone."""
    batch = schema.BatchRequest()
    for command in commands:
        message = batch.commands.add(op=schema.Op.Value(f"OP_{command['op'].upper()}"))
        for name, value in command.items():
            if name == "lines":
                for taken in value:
                    message.lines.add(**taken)
            elif name == "force":
                message.force.CopyFrom(schema.Force(**value))
            elif name == "attributes":
                message.attributes.update(value)
            elif name != "op":
                setattr(message, name, value)
    return batch.SerializeToString()


def plain(message):
    """A message as the JSON tells it; what is null or empty there is left out."""
    told = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.has_presence and not message.HasField(field.name):
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            value = dict(value)
        elif field.message_type is not None and field.is_repeated:
            value = [plain(each) for each in value]
        elif field.message_type is not None:
            value = plain(value) if field.message_type.name != "Ceiling" else ceiling(value)
        elif field.enum_type is not None:
            value = field.enum_type.values_by_number[value].name.split("_", 1)[1].lower()
        if value not in ([], {}):
            told[field.name.removesuffix("_ms")] = (
                instant(value) if field.name.endswith("_ms") else value
            )
    return told


def ceiling(message):
    return message.units if message.WhichOneof("ceiling") == "units" else "unlimited"


def instant(ms):
    at = datetime.fromtimestamp(ms // 1000, UTC) + timedelta(milliseconds=ms % 1000)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"


def without_nothing(value):
    if isinstance(value, list):
        return [without_nothing(each) for each in value]
    if isinstance(value, dict):
        members = {name: without_nothing(each) for name, each in value.items()}
        return {name: each for name, each in members.items() if each not in (None, [], {})}
    return value


def at_no_time(value):
    """The same, but for its instants: the twins act one after the other."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "an instant", json.dumps(value))
    return json.loads(text)


def images(amount, **more):
    return [line(IMAGE, amount, ZONE) | more]


def life(tenant):
    """Every op, granted and refused, and commands that cannot be read."""
    web, ml = f"{tenant}-web", f"{tenant}-ml"

    def on(op, name, scope=web, **more):
        return {"op": op, "id": name, "scope": scope} | more

    more = {"holder": "img-1 \u00fc", "attributes": {"name": "x", "empty": ""}}
    return [
        on("reserve", "r-1", lines=images(2), ttl_seconds=60, **more),
        on("reserve", "r-1", lines=images(2), ttl_seconds=60, **more),
        on("reserve", "r-1", lines=images(1)),
        on("reserve", "r-2", lines=images(1), commit=True),
        on("reserve", "r-3", lines=images(9)),
        on("reserve", "r-4", lines=images(9, at_least=1), ttl_seconds=600),
        on("reserve", "r-5", ml, lines=images(9)),
        on("reserve", "r-6", lines=images(3), force={"reason": "launch"}),
        on("reserve", "r-7", lines=[line("vm/disk", 2)]),
        on("reserve", "r-8", "nowhere", lines=images(1)),
        on("reserve", "r-9", lines=[line("vm/none", 1), line(IMAGE, 1, ZONE)]),
        on("extend", "r-1", ttl_seconds=3600),
        on("commit", "r-1", lines=images(1)),
        on("commit", "r-1", if_revision=0),
        on("commit", "r-none"),
        on("resize", "r-2", lines=images(1), force={"reason": "again"}),
        on("transfer", "r-2", to=ml),
        on("transfer", "r-2", to="nowhere"),
        on("release", "r-4"),
        on("extend", "r-4", ttl_seconds=1),
        on("release", "r-2", ml, lines=images(9)),
        on("reserve", "r 1", lines=images(1)),
        on("reserve", "r-a"),
        on("reserve", "r-a", lines=images(0)),
        on("reserve", "r-a", lines=images(1), ttl_seconds=0),
        on("reserve", "r-a", lines=images(1), force={"reason": " "}),
        on("reserve", "r-a", lines=images(1, at_least=2)),
        on("reserve", "r-a", lines=images(1), attributes={f"n{n}": "" for n in range(17)}),
        on("extend", "r-1"),
        on("commit", "r-1", to=ml),
        {"op": "transfer", "id": "r-1", "to": "\u00fc", "if_revision": 2**53},
    ]


def test_a_batch_and_its_twin_are_answered_alike(twins, schema):
    left = twins.call("POST", BATCH, {"commands": life("left")}).ok()["outcomes"]
    right = answered(twins, schema, encoded(schema, life("right")))
    left = json.loads(json.dumps(left).replace("left", "right"))
    for command, told, twin in zip(life("right"), left, right, strict=True):
        expected, answer = without_nothing(told), plain(twin)
        by_message = command.get("lines") == images(0)  # zero is written by leaving it out
        if by_message:
            assert answer["problem"]["detail"].endswith("is missing: give it")
            expected["problem"]["detail"] = answer["problem"]["detail"]
        assert at_no_time(answer) == at_no_time(expected), command
    statuses = Counter(outcome.status for outcome in right)
    assert set(statuses) == {200, 400, 404, 409, 412, 422}, statuses
    ops = {command["op"] for command, it in zip(life("right"), right) if it.status == 200}
    assert ops == {"reserve", "commit", "release", "extend", "resize", "transfer"}
    assert right[8].reservation.warnings and right[5].reservation.HasField("asked")


def test_instants_are_those_of_the_json(twins, schema):
    [held] = answered(twins, schema, encoded(schema, life("left")[:1]))
    read = twins.call("GET", "/reservations/r-1?scope=left").ok()
    assert plain(held.reservation) == without_nothing(read)


def test_the_answer_has_the_type_of_the_request(admin, schema):
    body = encoded(schema, [{"op": "commit", "id": "r"}])
    for content_type in ("application/protobuf", "application/x-protobuf"):
        reply = send(admin, body, content_type + "; charset=binary")
        assert (reply.status, reply.headers["Content-Type"]) == (200, content_type)
    check_problem(send(admin, body, "application/octet-stream"), 415, "unsupported_media_type")
    check_problem(send(admin, body, "application/json"), 400, "malformed")
    assert answered(admin, schema, b"") == []


def field(number, content):
    """One field by hand: a number, or bytes with their length in front."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(number):
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


COMMIT = field(1, 2) + field(2, b"r")


HOSTILE_COMMANDS = [
    (b"", "/op"),
    (field(2, b"r"), "/op"),
    (field(1, 0) + field(2, b"r"), "/op"),
    (field(1, 99) + field(2, b"r"), "/op"),
    (field(1, b"commit") + field(2, b"r"), "/op"),
    (field(1, 2), "/id"),
    (field(1, 2) + field(2, b"\xff\xfe"), "/id"),
    (field(1, 2) + field(2, 7), "/id"),
    (COMMIT + COMMIT, "/op"),
    (COMMIT + field(500, b"x"), ""),
    (COMMIT + field(0, b"x"), ""),
    (COMMIT + b"\x9b\x3f" * 1000, ""),
    (COMMIT + varint(3 << 3 | 2) + varint(2**64 - 1), ""),
    (COMMIT + varint(3 << 3 | 2) + varint(2**31), ""),
    (COMMIT + b"\xff" * 100, ""),
    (COMMIT + varint(11 << 3 | 1) + b"1234567", ""),
    (COMMIT + field(11, 2**64 - 1), "/if_revision"),
    (COMMIT + field(4, field(4, field(4, b"x" * 100))), "/lines/0/at_least"),
    (COMMIT + field(4, b"\x80"), "/lines/0"),
    (COMMIT + field(4, 1), "/lines/0"),
]


def test_a_hostile_command_is_its_own_problem(admin, schema):
    good = field(1, COMMIT)
    for command, place in HOSTILE_COMMANDS:
        outcomes = answered(admin, schema, good + field(1, command) + good)
        assert [outcome.status for outcome in outcomes] == [404, 400, 404], command
        problem = outcomes[1].problem
        assert (problem.code, problem.pointer) == ("malformed", f"/commands/1{place}"), command
        assert problem.type == "urn:plimsoll:problem:malformed", command
        assert problem.title and problem.detail, command


HOSTILE_BODIES = [
    field(1, COMMIT)[:-1],
    field(1, COMMIT) + b"\x0a" + varint(2**64 - 1),
    field(1, COMMIT) + b"\x0a" + varint(2**31 - 1),
    field(1, 1),
    field(1, COMMIT) + field(2, b"x"),
    field(1, COMMIT) + b"\x0b\x0c",
    b"\xff" * 1000,
    b'{"commands":[]}',
    field(1, COMMIT) * (COMMANDS_MAX + 1),
]


def test_a_hostile_body_is_a_problem(admin):
    for body in HOSTILE_BODIES:
        check_problem(send(admin, body), 400, "malformed")


def test_as_many_commands_as_there_may_be(admin, schema):
    assert len(answered(admin, schema, field(1, COMMIT) * COMMANDS_MAX)) == COMMANDS_MAX


def test_lines_are_counted_over_all_commands(admin, schema):
    lines = [line(f"vm/r-{number}", 1) for number in range(64)]
    commands = [{"op": "commit", "id": "r", "lines": lines}] * 257
    problem = check_problem(send(admin, encoded(schema, commands)), 400, "malformed")
    assert problem["pointer"] == "/commands"


def test_the_example_of_the_documentation(twins, generated):
    where = [f"http://{twins.address}", "left-web", IMAGE, ZONE, "8"]
    run = subprocess.run(
        [sys.executable, EXAMPLE, *where],
        cwd=generated,
        env=os.environ | {"PLIMSOLL_TOKEN": twins.token},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert [told.split()[1] for told in lines] == ["200"] * 5 + ["422"] * 3, run.stdout
    assert lines[0].startswith("example-0 200 STATE_HELD")
