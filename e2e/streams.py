"""Server-sent events, read line by line."""

import http.client
import json

from clients import BASE
from wire import SECONDS_MAX


class Stream:
    """One stream of events, as a browser reads it."""

    def __init__(self, caller, scope, query="", last_event_id=None):
        """`scope` is `None` for what belongs to no tenant."""
        host, port = caller.address.split(":")
        self.connection = http.client.HTTPConnection(host, int(port), timeout=SECONDS_MAX)
        headers = {"Authorization": f"Bearer {caller.token}", "Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        path = BASE if scope is None else f"{BASE}/scopes/{scope}"
        self.connection.request("GET", f"{path}/events{query}", headers=headers)
        self.response = self.connection.getresponse()
        self.last_event_id = last_event_id

    def __enter__(self):
        assert self.response.status == 200, self.response.read()
        assert self.response.headers["Content-Type"] == "text/event-stream"
        return self

    def __exit__(self, *_):
        self.connection.close()

    def next(self):
        """The next event; `None` once the stream has ended as it should."""
        event = {}
        while line := self.response.readline():
            line = line.decode().rstrip("\n")
            if line == "" and event:
                self.last_event_id = event["id"]
                return json.loads(event["data"])
            if line and not line.startswith(":"):
                name, value = line.split(": ", 1)
                event[name] = value
        assert not event, "the stream ended within an event"
        return None

    def take(self, count):
        return [self.next() for _ in range(count)]

    def rest(self):
        """What comes until it ends."""
        return list(iter(self.next, None))
