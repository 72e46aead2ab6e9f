"""What a database does to those who rely on it: it holds on to a lock, stands still, runs full, or
is another one than was thought."""

import errno
import os
import shutil
import socket
import struct
import subprocess
import threading
from contextlib import contextmanager


def processes_of(cluster):
    """The server's process and its children."""
    parent = cluster.process.pid
    with open(f"/proc/{parent}/task/{parent}/children") as children:
        return [parent, *map(int, children.read().split())]


@contextmanager
def frozen(cluster):
    """Stops every process of the server where it is; then they go on."""
    stopped = processes_of(cluster)
    for process in stopped:
        os.kill(process, subprocess.signal.SIGSTOP)
    try:
        yield
    finally:
        for process in reversed(stopped):
            os.kill(process, subprocess.signal.SIGCONT)


def let_files_grow_to(cluster, size):
    """As a full disk does it: no file of the server grows beyond this."""
    first, *children = processes_of(cluster)
    limit_files(first, size, cluster.user)
    for process in children:
        # They may have ended; those that come have the limit of the first.
        limit_files(process, size, cluster.user, check=False)


def limit_files(process, size, user=None, *, check=True):
    options = {} if user is None else {"user": user, "extra_groups": []}
    command = ["prlimit", "--pid", str(process), f"--fsize={size}:unlimited"]
    subprocess.run(command, check=check, **options)


class Disk:
    """A disk that runs full: a small file system of its own, where one may be mounted.

    Elsewhere no process that is named may write to a file beyond its first bytes.
    """

    def __init__(self, size):
        self.size = size
        self.folder = self.user = None
        self.is_mounted = False
        self.limited = ()

    def take_the_place_of(self, folder, user=None):
        folder.mkdir(mode=0o700)
        options = f"size={self.size},mode=0700"
        if user is not None:
            shutil.chown(folder, user)
            options += f",uid={folder.stat().st_uid}"
        self.folder, self.user = folder, user
        if shutil.which("mount"):
            command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
            mounted = subprocess.run(command, capture_output=True, check=False)
            self.is_mounted = mounted.returncode == 0

    def fill(self, left, *processes):
        """Leaves so many bytes, and where it is none of its own, none."""
        if not self.is_mounted:
            self.limited = processes
            self._limit("1024", processes)
            return
        with (self.folder / "filler").open("wb", buffering=0) as filler:
            for size in [1 << 20, 1 << 12]:
                self._fill_up(filler, bytes(size))
            filler.truncate(filler.tell() - left)

    def _limit(self, size, processes):
        for process in processes:
            # Those that have ended need none.
            limit_files(process, size, self.user, check=False)

    @staticmethod
    def _fill_up(filler, some):
        while True:
            try:
                filler.write(some)
            except OSError as error:
                assert error.errno == errno.ENOSPC, error
                return

    def make_room(self, those_there=lambda: ()):
        """Lets them write again that were named, then those that are there: children of theirs."""
        if self.is_mounted:
            (self.folder / "filler").unlink()
            return
        self._limit("unlimited", self.limited)
        self._limit("unlimited", those_there())

    def close(self):
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", self.folder], check=True)
            self.is_mounted = False


@contextmanager
def locked(cluster, database, statement):
    """Somebody else's transaction that holds what a statement has locked."""
    command = [cluster.binaries / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
    command += ["-U", "plimsoll", "-h", cluster.folder, "-d", database]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        other.stdin.write(f"BEGIN;\n{statement};\n\\echo it is locked\n")
        other.stdin.flush()
        while other.stdout.readline() != "it is locked\n":
            assert other.poll() is None
        yield
        other.stdin.write("ROLLBACK;\n")
        other.stdin.close()
        assert other.wait() == 0


TEXT, INTEGER, BOOLEAN = 25, 23, 16
LOOKED_AT = [(INTEGER, struct.pack("!i", 140_009)), (TEXT, b"on"), (TEXT, b"on"), (BOOLEAN, b"\0")]


def message(kind, content=b""):
    return kind + struct.pack("!i", len(content) + 4) + content


class OldDatabase:
    """Says that it is PostgreSQL 14, to whoever asks, and nothing else."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"postgres://somebody@127.0.0.1:{self.listener.getsockname()[1]}/old"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                self._talk(stream)

    def _talk(self, stream):
        length = struct.unpack("!i", stream.read(4))[0]
        stream.read(length - 4)
        version = message(b"S", b"server_version\x0014.9\0")
        self._say(stream, message(b"R", struct.pack("!i", 0)), version, self._ready())
        while kind := stream.read(1):
            stream.read(struct.unpack("!i", stream.read(4))[0] - 4)
            if kind == b"Q":
                writable = [(TEXT, b"off")]
                self._say(stream, *self._rows(writable, 0), self._ready())
            elif kind == b"S":
                prepared = [message(b"1"), message(b"2")]
                self._say(stream, *prepared, *self._rows(LOOKED_AT, 1), self._ready())

    @staticmethod
    def _say(stream, *messages):
        stream.write(b"".join(messages))
        stream.flush()

    @staticmethod
    def _ready():
        return message(b"Z", b"I")

    @staticmethod
    def _rows(values, is_binary):
        fields = [
            b"?\0" + struct.pack("!ihihih", 0, 0, kind, -1, -1, is_binary) for kind, _ in values
        ]
        row = [struct.pack("!i", len(value)) + value for _, value in values]
        count = struct.pack("!h", len(values))
        described = message(b"T", count + b"".join(fields))
        return [described, message(b"D", count + b"".join(row)), message(b"C", b"SELECT 1\0")]
