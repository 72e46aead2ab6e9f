"""A PgBouncer of the tests' own: callers share connections to the database, a transaction each."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from database import START_SECONDS_MAX, USER

# Debian puts it where only root looks.
FOLDERS = os.environ["PATH"] + os.pathsep + "/usr/sbin"
PORT = 6432


class Pooler:
    """Between some nodes and a cluster, on a socket in the cluster's folder; where there are more
    clusters, its connections go to one after the other."""

    def __init__(self, cluster, *more):
        self.binary = shutil.which("pgbouncer", path=FOLDERS)
        assert self.binary, "PgBouncer is missing: `apt-get install pgbouncer`"
        self.cluster = cluster
        self.folder = Path(cluster.folder)
        self.users = self.folder / "users.txt"
        self.users.write_text(f'"{USER}" ""\n')
        hosts = ",".join(str(it.folder) for it in [cluster, *more])
        self.settings = self.folder / "pgbouncer.ini"
        self.settings.write_text(
            f"[databases]\n* = host={hosts}\n"
            f"[pgbouncer]\nunix_socket_dir = {self.folder}\nlisten_port = {PORT}\n"
            f"auth_type = trust\nauth_file = {self.users}\n"
            "pool_mode = transaction\nmax_client_conn = 200\ndefault_pool_size = 12\n"
            "server_check_delay = 0\nserver_login_retry = 1\n"
        )
        self.process = None
        self.start()

    def start(self):
        user = self.cluster.user
        options = {} if user is None else {"user": user, "extra_groups": []}
        self.process = subprocess.Popen(
            [self.binary, self.settings],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "pgbouncer.log").open("ab"),
            **options,
        )
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._answers():
            written = (self.folder / "pgbouncer.log").read_text()
            assert self.process.poll() is None and time.monotonic() < deadline, written
            time.sleep(0.02)

    def _answers(self):
        command = [self.cluster.binaries / "pg_isready", "-q", "-h", self.folder, "-p", str(PORT)]
        return subprocess.run([*command, "-d", "postgres"], check=False).returncode == 0

    def through(self, database):
        """The address of a database, by way of the pooler."""
        address, name = database.rsplit("/", 1)
        return f"{address}:{PORT}/{name}"

    def kill(self):
        """Ends it, with every connection that goes through it."""
        self.process.kill()
        self.process.wait()
        for socket in self.folder.glob(f".s.PGSQL.{PORT}*"):
            socket.unlink()

    def close(self):
        if self.process.poll() is None:
            self.kill()
