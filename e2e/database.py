"""A PostgreSQL of the tests' own: in a folder that goes with it, on a socket in that folder."""

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from itertools import count
from pathlib import Path

FOLDERS = Path("/usr/lib/postgresql")
VERSION_MIN = 15
START_SECONDS_MAX = 120
USER = "plimsoll"


def binaries():
    """The folder of the newest server that distributions have put here, or the path's."""
    versions = [int(it.name) for it in FOLDERS.glob("*") if it.name.isdecimal()]
    if versions and VERSION_MIN <= max(versions):
        return FOLDERS / str(max(versions)) / "bin"
    found = shutil.which("initdb")
    assert found, f"PostgreSQL {VERSION_MIN} or newer is missing: `apt-get install postgresql`"
    return Path(found).parent


class Cluster:
    """A server process; it accepts no root, so root hands it to somebody else."""

    def __init__(self, more=(), following=None, disk=None):
        self.binaries = binaries()
        # Sockets have short names only, which pytest's folders are not.
        self.folder = Path(tempfile.mkdtemp(prefix="plimsoll-"))
        self.folder.chmod(0o755)
        self.user = None
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody")
            self.user = "nobody"
        self.disk = disk
        if disk:
            disk.take_the_place_of(self.data, self.user)
        self.process = None
        self._names = (f"db{number}" for number in count())
        self._free = []
        locale = ["--no-locale", "-E", "UTF8"]
        if following is None:
            words = ["initdb", "--no-sync", "-U", USER, "-A", "trust", *locale, *more]
        else:
            options = ["--no-sync", "--checkpoint=fast", "--write-recovery-conf"]
            words = ["pg_basebackup", *options, "-U", USER, "-h", following.folder]
        self._run(*words, "-D", self.data)
        self.start()

    @property
    def data(self):
        return self.folder / "data"

    def _run(self, program, *words):
        command = [self.binaries / program, *words]
        options = {"cwd": self.folder, "user": self.user, "extra_groups": []}
        if self.user is None:
            options = {"cwd": self.folder}
        done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self):
        settings = ["listen_addresses=", "fsync=off", "max_connections=300", "shared_buffers=64MB"]
        words = [word for setting in settings for word in ("-c", setting)]
        options = {} if self.user is None else {"user": self.user, "extra_groups": []}
        self.process = subprocess.Popen(
            [self.binaries / "postgres", "-D", self.data, "-k", self.folder, *words],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("ab"),
            **options,
        )
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._answers():
            written = (self.folder / "log").read_text()
            assert self.process.poll() is None and time.monotonic() < deadline, written
            time.sleep(0.02)

    def _answers(self):
        command = [self.binaries / "pg_isready", "-q", "-h", self.folder, "-d", "postgres"]
        return subprocess.run(command, check=False).returncode == 0

    def kill(self):
        """Ends it at once, as a crash would: what it acknowledged is there again at its next start."""
        self.process.send_signal(subprocess.signal.SIGQUIT)
        self.process.wait()

    def sql(self, database, statement):
        words = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", USER]
        where = ["-h", self.folder, "-d", database]
        return self._run("psql", *words, *where, "-c", statement).strip()

    @contextmanager
    def held(self, database, statement):
        """Somebody else's transaction, which has done a statement and stays open."""
        words = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", USER]
        psql = subprocess.Popen(
            [self.binaries / "psql", *words, "-h", self.folder, "-d", database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            psql.stdin.write(f"BEGIN;\n{statement};\n\\echo it is held\n")
            psql.stdin.flush()
            assert "it is held\n" in iter(psql.stdout.readline, ""), statement
            yield
        finally:
            psql.communicate("ROLLBACK;\n", timeout=START_SECONDS_MAX)

    def take(self):
        """The address of an empty database, until it is given back."""
        if self._free:
            return self._free.pop()
        name = next(self._names)
        self.sql("postgres", f"CREATE DATABASE {name}")
        return self.address(name)

    def address(self, name):
        return f"postgres://{USER}@{str(self.folder).replace('/', '%2F')}/{name}"

    def give_back(self, database):
        self.sql(database.rsplit("/", 1)[1], "DROP SCHEMA IF EXISTS plimsoll CASCADE")
        self._free.append(database)

    def close(self):
        self.kill()
        if self.disk:
            self.disk.close()
        shutil.rmtree(self.folder)
