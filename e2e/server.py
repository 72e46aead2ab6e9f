"""A real server process in a folder of its own, ended by its own pid."""

import json
import os
import queue
import resource
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from waiting import until

START_SECONDS_MAX = 30
END_SECONDS_MAX = 30
LISTENING = "listening on http://"


def binary():
    default = Path(__file__).parent.parent / "target" / "release" / "plimsoll"
    return Path(os.environ.get("PLIMSOLL_BIN", default)).resolve()


@dataclass
class Place:
    """A folder in which servers come and go: their data, their settings, what they wrote."""

    folder: Path
    database: str | None = None
    """Where the ledger is, where it is not in this folder."""
    servers: list = field(default_factory=list)
    log_device: Path | None = None
    """Where servers log, where it is not a file in this folder."""

    @property
    def log(self):
        return self.log_device or self.folder / "stderr.log"

    @property
    def data(self):
        return self.folder / "data"

    def credentials(self):
        return json.loads((self.data / "demo-credentials.json").read_text())

    def serve(self, *, demo=True, config="", environment=None, limits=()):
        process = self.start(demo=demo, config=config, environment=environment, limits=limits)
        server = Server(self, process)
        self.servers.append(server)
        server.wait_until_it_listens()
        return server

    def start(self, *, demo=True, config="", environment=None, limits=()):
        command = [binary(), "serve", "--data", self.data, "--listen", "127.0.0.1:0"]
        if self.database:
            command += ["--store", self.database]
        if demo:
            command.append("--demo")
        if config:
            (self.folder / "config.toml").write_text(config)
            command += ["--config", self.folder / "config.toml"]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=os.environ | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log.open("ab"),
            preexec_fn=lambda: self._prepare(limits),
        )

    @staticmethod
    def _prepare(limits):
        # Whoever writes beyond the size that a file may have is told so, as on a full disk.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        for limit in limits:
            resource.setrlimit(*limit)

    def refusal(self, **settings):
        """What a server says that must not start: everything it wrote until it ended."""
        process = self.start(**settings)
        try:
            stdout, _ = process.communicate(timeout=START_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("the server started, and should have refused to") from None
        assert process.returncode != 0, stdout
        return stdout.decode() + self.stderr()

    def wait_for(self, text):
        """Waits until the log has a text."""
        until(lambda: text in self.stderr(), START_SECONDS_MAX)

    def stderr(self):
        return "" if self.log_device else self.log.read_text()

    def output(self):
        """Everything that all servers of this place wrote."""
        return "".join(server.stdout() for server in self.servers) + self.stderr()

    def close(self):
        for server in self.servers:
            server.stop()


class Server:
    """One run of the server."""

    def __init__(self, place, process):
        self.place = place
        self.process = process
        self.address = None
        self._lines = []
        self._queue = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.append(line.decode())
            self._queue.put(self._lines[-1])
        self._queue.put(None)

    def wait_until_it_listens(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while self.address is None:
            line = self._next_line(deadline)
            if line is None:
                self.stop()
                written = self.stdout() + self.place.stderr()
                raise AssertionError(f"no `{LISTENING}…` in: {written}")
            if LISTENING in line:
                self.address = line.split(LISTENING)[1].split()[0].rstrip("/")

    def _next_line(self, deadline):
        try:
            return self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None

    @property
    def url(self):
        return f"http://{self.address}"

    def stdout(self):
        return "".join(self._lines)

    def kill(self):
        """As the power cut does it: SIGKILL, no farewell."""
        self.process.kill()
        self._reap()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self._reap()

    def _reap(self):
        try:
            self.process.wait(END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(END_SECONDS_MAX)
