"""Sockets without manners: half a request, two requests at once, no reading."""

import http.client
import select
import socket
import time

from wire import SECONDS_MAX, read_reply


def connect(server):
    host, port = server.address.split(":")
    return socket.create_connection((host, int(port)), timeout=SECONDS_MAX)


def answers(connection, *methods):
    """The next answers on a connection, one for each method."""
    replies = []
    stream = connection.makefile("rb")
    for method in methods:
        response = http.client.HTTPResponse(Stream(stream), method=method)
        response.begin()
        replies.append(read_reply(response))
    return replies, stream


def raw(server, *sent):
    """What the server answers to bytes: the answer, once it has closed the connection."""
    with connect(server) as connection:
        for part in sent:
            try:
                connection.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                break
        [reply], stream = answers(connection, "GET")
        assert stream.read() == b"", "more than one answer"
        return reply


class Stream:
    """A socket's reading side, which several answers are read from in turn."""

    def __init__(self, stream):
        self.stream = stream

    def makefile(self, _):
        return self

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def close(self):
        pass


def send_until_blocked(connection, part, silent_seconds=1):
    """Sends `part` again and again, until nobody takes it any more; answers how many times."""
    connection.setblocking(False)
    count, left = 0, b""
    while True:
        left = left or part
        if not select.select([], [connection], [], silent_seconds)[1]:
            return count
        left = left[connection.send(left) :]
        count += not left


def wait_until_reset(connection):
    """Waits until the server has given the connection up, without reading from it."""
    poller = select.poll()
    poller.register(connection, select.POLLERR | select.POLLHUP)
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        if poller.poll(1_000):
            return
    raise AssertionError("the server still waits")
