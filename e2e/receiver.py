"""A receiver of webhooks on this machine: keeps what it is told, and answers as it is bidden."""

import base64
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECONDS_MAX = 60


@dataclass
class Told:
    """One request, as it came."""

    path: str
    headers: dict
    body: bytes

    @property
    def id(self):
        return self.headers["webhook-id"]

    @property
    def content(self):
        return json.loads(self.body)

    @property
    def topic(self):
        return self.content["topic"]

    @property
    def data(self):
        return self.content["data"]


def verify(told, secret):
    """As the documentation says that a receiver should."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{told.id}.{told.headers['webhook-timestamp']}.".encode() + told.body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert hmac.compare_digest(expected, told.headers["webhook-signature"])
    assert abs(time.time() - int(told.headers["webhook-timestamp"])) < SECONDS_MAX


class Receiver:
    """Listens from the start; may be down for a while, and comes back at the same port."""

    def __init__(self):
        self.answer = (204, {})
        self._told = []
        self._news = threading.Condition(threading.RLock())
        self._server = None
        self.port = 0
        self.up()

    def up(self):
        """Listens, and answers."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                length = int(self.headers["content-length"])
                headers = {name.lower(): value for name, value in self.headers.items()}
                told = Told(self.path, headers, self.rfile.read(length))
                status, more = receiver.take(told)
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        ThreadingHTTPServer.allow_reuse_address = True
        ThreadingHTTPServer.daemon_threads = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def wrap(self, context):
        """Speaks TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def down(self):
        """Connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def take(self, told):
        answer = self.answer(told) if callable(self.answer) else self.answer
        with self._news:
            self._told.append((told, answer[0]))
            self._news.notify_all()
        return answer

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def tried(self):
        """Everything that came, taken or not."""
        with self._news:
            return [told for told, _ in self._told]

    @property
    def taken(self):
        """Everything that was taken, repeats dropped as a receiver should."""
        with self._news:
            taken = [told for told, status in self._told if 200 <= status < 300]
        return list({told.id: told for told in taken}.values())

    def of_topic(self, topic):
        return [told for told in self.taken if told.topic == topic]

    def wait_until(self, is_so):
        """Waits until something is true of this receiver."""
        deadline = time.monotonic() + SECONDS_MAX
        with self._news:
            while not is_so():
                left = deadline - time.monotonic()
                heard = [(told.id, told.topic) for told in self.tried]
                assert 0 < left, f"not told in time; heard {heard}"
                self._news.wait(min(left, 1))

    def wait_for(self, topic, count=1):
        """The first notices of a topic that were taken."""
        self.wait_until(lambda: count <= len(self.of_topic(topic)))
        return self.of_topic(topic)
