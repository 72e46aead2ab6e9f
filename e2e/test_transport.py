"""What is wrong before there is a request, and peers that take what they can get."""

import re
import resource
import signal
import socket
import time

import pytest

from clients import BASE, line
from conftest import admin_of
from raw import answers, connect, raw, send_until_blocked, wait_until_reset
from test_modelarts import check_error
from test_native import check_problem
from test_zenlayer import check_envelope
from waiting import until
from wire import exchange

NATIVE, ZENLAYER, MODELARTS = f"{BASE}/check", "/api/v2/vm", "/v1/p/quotas"

every_path = pytest.mark.parametrize("path", [NATIVE, ZENLAYER, MODELARTS, "/v2/x", "/v3/projects"])


def check_words(reply, path, status=None):
    """The answer is an error in the words of the API that the path belongs to."""
    assert 400 <= reply.status < 600, reply
    assert reply.headers["Connection"] == "close", reply
    assert reply.headers["Date"], reply
    if status is not None:
        assert reply.status == status, reply
    if path.startswith("/api/v2"):
        return check_envelope(reply)
    if path.startswith(("/v1", "/v2", "/v3")):
        check_error(reply, reply.status, "APIGW.0201")
        assert re.fullmatch(r"[0-9a-f]{32}", reply.headers["X-Request-Id"]), reply
        return reply.json()["error_code"]
    return check_problem(reply, reply.status)["code"]


# --- heads that are none


MALFORMED = {
    "two lengths": "POST {path} HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "negative length": "POST {path} HTTP/1.1\r\nContent-Length: -2\r\n\r\n",
    "length no number": "POST {path} HTTP/1.1\r\nContent-Length: two\r\n\r\n",
    "coding": "POST {path} HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
    "length, then chunks": "POST {path} HTTP/1.1\r\nContent-Length: 5\r\n"
    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks, then length": "POST {path} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
    "X: y\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "nul": "POST {path} HTTP/1.1\r\nX: a\0b\r\n\r\n",
    "path": "POST {path}/\x01 HTTP/1.1\r\n\r\n",
    "path no text": "POST {path}/\xff HTTP/1.1\r\n\r\n",
    "folded": "POST {path} HTTP/1.1\r\nX: a\r\n b\r\n\r\n",
    "space before colon": "POST {path} HTTP/1.1\r\nX : a\r\n\r\n",
    "version": "POST {path} HTTP/2.0\r\n\r\n",
    "version unknown": "POST {path} HTTP/9.9\r\n\r\n",
    "no version": "POST {path}\r\n\r\n",
}

TOO_LARGE = {
    "headers": ("POST {path} HTTP/1.1\r\n" + "X: y\r\n" * 300 + "\r\n"),
    "head": ("POST {path} HTTP/1.1\r\nX: " + "y" * 70_000 + "\r\n\r\n"),
    "path": ("POST {path}/" + "y" * 66_000 + " HTTP/1.1\r\n\r\n"),
}


@every_path
@pytest.mark.parametrize("head", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_head_is_answered_in_the_words_of_the_api(seeds, path, head):
    check_words(raw(seeds, head.format(path=path).encode("latin-1")), path, 400)


@every_path
@pytest.mark.parametrize("head", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_large_head_is_answered_in_the_words_of_the_api(seeds, path, head):
    reply = raw(seeds, head.format(path=path).encode())
    status = {"/api": 400, "/pli": 431}.get(path[:4], 494)
    check_words(reply, path, status)


@pytest.mark.parametrize("count", [40, 95])
def test_many_headers_are_fine(seeds, count):
    headers = [(f"X-{number}", "y") for number in range(count)]
    assert exchange(seeds.address, "GET", "/healthz", headers).status == 200


@every_path
@pytest.mark.parametrize("body", [b"x\r\n", b"5\r\nab\r\n0\r\n\r\n", b"fffffffffffffffff\r\n"])
def test_a_malformed_body_is_answered_in_the_words_of_the_api(seeds, path, body):
    token = seeds.place.credentials()["admin_token"]
    head = f"POST {path} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
    head += f"Authorization: Bearer {token}\r\n\r\n"
    check_words(raw(seeds, head.encode(), body), path, 400)


@pytest.mark.parametrize("pieces", [1, 7, 10_000])
def test_the_words_are_those_of_the_request_that_is_wrong(seeds, pieces):
    good = [
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"POST /v1/nowhere HTTP/1.1\r\nContent-Length: 44\r\n\r\nGET /v3 HTTP/1.1\r\n\r\n\r\n\r\nGET /v3 HTTP/1.1\r\n\r\n",
        b"GET /plimsoll/v1/nowhere HTTP/1.1\r\n\r\n",
    ]
    sent = b"".join(good) + b"POST /api/v2/vm HTTP/1.1\r\nContent-Length: -2\r\n\r\n"
    with connect(seeds) as connection:
        for start in range(0, len(sent), pieces):
            connection.sendall(sent[start : start + pieces])
        [health, modelarts, native, zenlayer], stream = answers(connection, *["GET"] * 4)
        assert health.json() == {"status": "ok"}
        check_error(modelarts, 404, "APIGW.0101")
        check_problem(native, 401)
        check_words(zenlayer, ZENLAYER, 400)
        assert stream.read() == b""


def test_large_answers_are_whole_when_requests_come_at_once(seeds):
    count = 20
    with connect(seeds) as connection:
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\n\r\n" * count)
        replies, _ = answers(connection, *["GET"] * count)
    assert len({reply.body for reply in replies}) == 1
    assert replies[0].json()["openapi"]


# --- bodies that are too large, or come without a name


@every_path
@pytest.mark.parametrize("more", ["", "Expect: 100-continue\r\n"], ids=["plain", "expect"])
def test_a_declared_length_is_refused_before_the_body(seeds, path, more):
    token = seeds.place.credentials()["admin_token"]
    head = f"POST {path} HTTP/1.1\r\nContent-Length: 99999999\r\n"
    head += f"Authorization: Bearer {token}\r\n{more}\r\n"
    status = 400 if path == ZENLAYER else 413
    check_words(raw(seeds, head.encode()), path, status)


@pytest.mark.parametrize("token", ["", "Authorization: Bearer nobody.1\r\n"], ids=["none", "wrong"])
@pytest.mark.parametrize(
    "length", ["Content-Length: 1000000\r\n", "Transfer-Encoding: chunked\r\n"]
)
def test_a_large_body_needs_a_token_first(seeds, token, length):
    head = f"POST {BASE}/reservations:batch HTTP/1.1\r\n{length}{token}"
    reply = raw(seeds, f"{head}Expect: 100-continue\r\n\r\n".encode())
    check_problem(reply, 401)
    assert reply.headers["Connection"] == "close"


def test_a_large_batch_is_still_taken(demo, admin):
    """More than other bodies may have, and more than half of what a batch may have."""
    commands = [
        {"op": "reserve", "id": f"r-{number}", "scope": "zenlayer-demo", "commit": True}
        | {"lines": [line("vm/image", 1, "FRA-A")], "attributes": {"x": "y" * 200}}
        for number in range(8_000)
    ]
    answer = admin.call("POST", "/reservations:batch", {"commands": commands}).ok()
    assert [outcome["status"] for outcome in answer["outcomes"][:4]] == [200, 200, 200, 422]


def test_bodies_in_memory_are_bounded(demo):
    """80 bodies of 1 MiB that never end: some are refused, and a small one is still answered."""
    head = f"POST {ZENLAYER} HTTP/1.1\r\nContent-Length: {1 << 20}\r\n\r\n".encode()
    connections = [connect(demo) for _ in range(80)]
    for connection in connections:
        try:
            connection.sendall(head + b"x" * ((1 << 20) - 1))
        except (BrokenPipeError, ConnectionResetError):
            pass
    small = exchange(demo.address, "POST", ZENLAYER, body=b"{}")
    assert check_envelope(small) == "AUTHFAILURE_INVALID_AUTHORIZATION"
    codes = []
    for connection in connections:
        [reply], _ = answers(connection, "POST")
        codes.append(check_words(reply, ZENLAYER, 503))
        if codes[-1] == "SERVICE_TEMPORARY_UNAVAILABLE":
            assert reply.headers["Retry-After"] == "1"
        connection.close()
    assert {"SERVICE_TEMPORARY_UNAVAILABLE", "REQUEST_TIMED_OUT"} == set(codes)


# --- peers that wait


def test_a_body_that_does_not_come_is_the_callers_fault(seeds):
    statuses = {NATIVE: 408, ZENLAYER: 503, MODELARTS: 408}
    connections = {path: connect(seeds) for path in statuses}
    for path, connection in connections.items():
        connection.sendall(f"POST {path} HTTP/1.1\r\nContent-Length: 10\r\n\r\nx".encode())
    codes = {}
    for path, connection in connections.items():
        [reply], _ = answers(connection, "POST")
        assert "body" in reply.body.decode()
        codes[path] = check_words(reply, path, statuses[path])
        connection.close()
    assert codes == {
        NATIVE: "request_timeout",
        ZENLAYER: "REQUEST_TIMED_OUT",
        MODELARTS: "APIGW.0201",
    }


def test_a_head_that_does_not_come_is_answered_too(seeds):
    with connect(seeds) as connection:
        connection.sendall(f"POST {ZENLAYER} HTTP/1.1\r\nHost".encode())
        [reply], stream = answers(connection, "POST")
        assert check_words(reply, ZENLAYER, 503) == "REQUEST_TIMED_OUT"
        assert stream.read() == b""


def test_peers_that_wait_do_not_keep_others_out(place):
    """160 files leave places for 96 connections, and 140 peers take all they can get."""
    files = (resource.RLIMIT_NOFILE, (160, 160))
    server = place.serve(limits=[files])
    silent = f"POST {ZENLAYER} HTTP/1.1\r\nContent-Length: 10\r\n\r\n".encode()
    kinds = [silent, b"", b"GET /x HT", b"GET /healthz HTTP/1.1\r\n\r\n"]
    connections = [connect(server) for _ in range(140)]
    try:
        for number, connection in enumerate(connections):
            connection.sendall(kinds[number % len(kinds)])
        started = time.monotonic()
        assert exchange(server.address, "GET", "/healthz").status == 200
        assert time.monotonic() - started < 20
    finally:
        for connection in connections:
            connection.close()
    assert "could not be accepted" not in place.stderr()


def test_a_peer_that_reads_nothing_is_given_up(seeds):
    with connect(seeds) as connection:
        sent = send_until_blocked(connection, b"GET /openapi.json HTTP/1.1\r\n\r\n")
        assert 0 < sent
        wait_until_reset(connection)
    assert exchange(seeds.address, "GET", "/healthz").status == 200


# --- the end


def send_awaited_head(connection, head):
    """Sends a head, and waits until the server asks for the body: the request is in flight."""
    connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
    expected = b"HTTP/1.1 100 Continue\r\n\r\n"
    assert connection.recv(len(expected), socket.MSG_WAITALL) == expected


def test_a_second_signal_ends_at_once(place):
    server = place.serve()
    admin_of(server).scope("acme", kind="organisation")
    with connect(server) as connection:
        send_awaited_head(connection, f"POST {ZENLAYER} HTTP/1.1\r\nContent-Length: 10\r\n")
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(60) == 1
    server.stop()
    assert admin_of(place.serve()).call("GET", "/scopes/acme").status == 200


BODY_SPACES = 2_000
"""More bytes than are sent one by one before a server has noticed a signal."""


def test_one_signal_lets_what_is_in_flight_end(place):
    server = place.serve()
    with connect(server) as connection:
        rest = iter(b'{"scope":"zenlayer-demo"}' + b" " * BODY_SPACES)
        token = place.credentials()["admin_token"]
        head = f"POST {NATIVE} HTTP/1.1\r\nAuthorization: Bearer {token}\r\n"
        send_awaited_head(connection, f"{head}Content-Length: {rest.__length_hint__()}\r\n")

        def says_so_while_the_body_comes():
            connection.sendall(bytes([next(rest)]))
            return "stopping" in place.stderr()

        says_so_while_the_body_comes()
        server.process.send_signal(signal.SIGTERM)
        until(says_so_while_the_body_comes)
        connection.sendall(bytes(rest))
        [reply], _ = answers(connection, "POST")
        check_problem(reply, 400)
    assert server.process.wait(60) == 0
