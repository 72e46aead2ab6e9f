"""HTTP as bytes: repeated headers, broken bodies and odd methods can be sent."""

import http.client
import json
import select
import socket
from dataclasses import dataclass

SECONDS_MAX = 60


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)

    def ok(self):
        assert 200 <= self.status < 300, f"{self.status} {self.body.decode(errors='replace')}"
        return self.json()


def exchange(address, method, target, headers=(), body=None):
    """One request on a connection of its own; `headers` are pairs, and may repeat."""
    host, port = address.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=SECONDS_MAX)
    names = {name.lower() for name, _ in headers}
    try:
        connection.putrequest(method, target, skip_host="host" in names, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None and not names & {"content-length", "transfer-encoding"}:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        return read_reply(connection.getresponse())
    finally:
        connection.close()


def exchange_large(address, head, body):
    """Sends a large body, but stops as soon as the server has answered."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=SECONDS_MAX) as connection:
        connection.sendall(head)
        for start in range(0, len(body), 65536):
            if select.select([connection], [], [], 0)[0]:
                break
            try:
                connection.sendall(body[start : start + 65536])
            except (BrokenPipeError, ConnectionResetError):
                break
        response = http.client.HTTPResponse(connection)
        response.begin()
        return read_reply(response)


def read_reply(response):
    return Reply(response.status, response.headers, response.read())
