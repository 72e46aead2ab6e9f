//! PostgreSQL as people keep quotas in it today: one statement per reservation.
//!
//! Less work than Plimsoll does: one level, no chain of limits, no hash chain, no index by expiry.

use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::bench::framing::Framing;
use crate::bench::load::Load;
use crate::bench::process::Process;
use crate::bench::template::{Accounts, Template};
use crate::bench::{clock, found, free_port};
use crate::step::{Failure, output, program};

const USER: &str = "bench";

/// Where Debian keeps the programs that are not in the path, the wanted version first.
const FOLDERS: [&str; 4] = [
    "/usr/lib/postgresql/15/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/14/bin",
];

/// Each helps the peer: room for hot rows to be updated in place, few checkpoints, no vacuum.
const SETTINGS: [&str; 10] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=700",
    "shared_buffers=1GB",
    "synchronous_commit=on",
    "fsync=on",
    "full_page_writes=on",
    "max_wal_size=16GB",
    "checkpoint_timeout=30min",
    "autovacuum=off",
];

const TABLES: &str = "
CREATE TABLE account (id int PRIMARY KEY, held bigint NOT NULL, ceiling bigint NOT NULL)
  WITH (fillfactor = 50);
CREATE TABLE reservation (id text PRIMARY KEY, account int NOT NULL, amount bigint NOT NULL,
  state smallint NOT NULL, expires_at timestamptz NOT NULL);
CREATE TABLE event (revision bigserial PRIMARY KEY, reservation text NOT NULL,
  account int NOT NULL, held bigint NOT NULL, at timestamptz NOT NULL);
";

const RESERVE: &str = "
WITH taken AS (UPDATE account SET held = held + 1 WHERE id = $1 AND held + 1 <= ceiling
    RETURNING id, held),
  kept AS (INSERT INTO reservation SELECT $2, id, 1, 0, now() + interval '1 hour' FROM taken),
  told AS (INSERT INTO event (reservation, account, held, at) SELECT $2, id, held, now() FROM taken)
SELECT held FROM taken";

/// A server of its own, with its own files.
pub(super) struct Postgres {
    pub(super) process: Process,
    address: SocketAddr,
    psql: PathBuf,
}

impl Postgres {
    /// `None` where it is not on this machine.
    pub(super) fn start(folder: &Path, accounts: u64, limit: u64) -> Result<Option<Self>, Failure> {
        let Some(bin) = programs() else {
            return Ok(None);
        };
        let data = folder.join("postgres");
        let port = free_port()?;
        let owner = unprivileged(folder)?;
        make_folder(&data, owner)?;
        let mut initdb = program(bin.join("initdb"), &data);
        initdb.args([
            "--auth=trust",
            "--no-instructions",
            "--username",
            USER,
            "-D",
        ]);
        output(run_as(initdb.arg(&data), owner))?;
        let mut server = program(bin.join("postgres"), &data);
        server.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        for setting in SETTINGS {
            server.args(["-c", setting]);
        }
        // Immediate: nothing of it is kept.
        let log = folder.join("postgres.log");
        let process = Process::start(run_as(&mut server, owner), &log, "QUIT")?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let psql = bin.join("psql");
        let postgres = Self {
            process,
            address,
            psql,
        };
        postgres.fill(accounts, limit)?;
        Ok(Some(postgres))
    }

    fn fill(&self, accounts: u64, limit: u64) -> Result<(), Failure> {
        let start = clock::now();
        while self.sql("SELECT 1").is_err() {
            if Duration::from_secs(30) < start.elapsed() {
                return Err(Failure::new("PostgreSQL does not answer"));
            }
            clock::wait(Duration::from_millis(100));
        }
        self.sql(TABLES)?;
        self.sql(&format!(
            "INSERT INTO account SELECT n, 0, 1::bigint << 50 FROM generate_series(0, {accounts}) n"
        ))?;
        self.sql(&format!(
            "UPDATE account SET ceiling = {limit} WHERE id = {accounts}"
        ))?;
        self.sql("VACUUM ANALYZE; CHECKPOINT").map(|_| ())
    }

    /// An empty database beside that of the peer, and where it is.
    pub(super) fn make_database(&self, name: &str) -> Result<String, Failure> {
        self.sql(&format!("CREATE DATABASE {name}"))?;
        Ok(format!("postgres://{USER}@{}/{name}", self.address))
    }

    /// What is held of the account with this number.
    pub(super) fn held(&self, account: u64) -> Result<u64, Failure> {
        let text = self.sql(&format!("SELECT held FROM account WHERE id = {account}"))?;
        let number = text.trim().parse();
        number.map_err(|error| Failure::new(format!("PostgreSQL says `{text}`: {error}")))
    }

    /// Lets the planner know what is in a database.
    pub(super) fn analyze(&self, database: &str) -> Result<(), Failure> {
        self.sql_in(database, "VACUUM ANALYZE; CHECKPOINT")
            .map(|_| ())
    }

    fn sql(&self, text: &str) -> Result<String, Failure> {
        self.sql_in("postgres", text)
    }

    fn sql_in(&self, database: &str, text: &str) -> Result<String, Failure> {
        let mut psql = program(&self.psql, Path::new("/"));
        psql.args([
            "-qAtX",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-U",
            USER,
        ]);
        psql.args(["-p", &self.address.port().to_string()]);
        for statement in text.split(';') {
            psql.args(["-c", statement]);
        }
        let answer = output(psql.args(["-d", database]))?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// Reservations of `account` alone, or of any where it is left out.
    pub(super) fn load(&self, accounts: u64, account: Option<u64>, connections: u32) -> Load {
        let account = account.map_or("$".repeat(8), |account| format!("{account:08}"));
        let mut bind = b"\0reserve\0\0\0\0\x02".to_vec();
        for value in [account.as_str(), "################"] {
            let length = u32::try_from(value.len()).expect("a few digits");
            bind.extend(length.to_be_bytes());
            bind.extend(value.as_bytes());
        }
        bind.extend(b"\0\0");
        let execute = message(b'E', b"\0\0\0\0\0");
        let request = [message(b'B', &bind), execute, message(b'S', b"")].concat();
        let parse = message(b'P', format!("reserve\0{RESERVE}\0\0\0").as_bytes());
        Load {
            addresses: vec![self.address],
            framing: Framing::Postgres,
            greeting: vec![hello(), [parse, message(b'S', b"")].concat()],
            request: Template::with_slots(request),
            accounts: Accounts {
                count: accounts,
                locations: 1,
            },
            weight: 1,
            connections,
            servers: vec![self.process.id()],
            pace: None,
        }
    }
}

/// The first message of a connection; all that it needs where everybody is trusted.
fn hello() -> Vec<u8> {
    let parameters = format!("\0\x03\0\0user\0{USER}\0database\0postgres\0\0");
    message(b'?', parameters.as_bytes()).split_off(1)
}

/// Kind, length with itself, content.
fn message(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 4).expect("short");
    [&[kind], &length.to_be_bytes()[..], content].concat()
}

pub(crate) fn programs() -> Option<PathBuf> {
    let debian = FOLDERS.iter().map(PathBuf::from);
    let path = found("postgres").and_then(|file| Some(file.parent()?.to_owned()));
    debian
        .chain(path)
        .find(|folder| folder.join("postgres").exists() && folder.join("initdb").exists())
}

/// User and group to be; `None` where we are no root, whom PostgreSQL refuses to serve.
pub(crate) fn unprivileged(folder: &Path) -> Result<Option<(u32, u32)>, Failure> {
    if output(program("id", folder).arg("-u"))? != b"0\n" {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = ["postgres:", "nobody:"].iter().find_map(|name| {
        let line = users.lines().find(|line| line.starts_with(name))?;
        let mut numbers = line.split(':').skip(2);
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    });
    user.map(Some)
        .ok_or_else(|| Failure::new("neither `postgres` nor `nobody` is a user here"))
}

pub(crate) fn make_folder(data: &Path, owner: Option<(u32, u32)>) -> Result<(), Failure> {
    let made = std::fs::create_dir(data)
        .and_then(|()| std::fs::set_permissions(data, PermissionsExt::from_mode(0o700)))
        .and_then(|()| owner.map_or(Ok(()), |(user, group)| chown(data, Some(user), Some(group))));
    made.map_err(|error| Failure::new(format!("cannot make `{}`: {error}", data.display())))
}

fn run_as(command: &mut Command, owner: Option<(u32, u32)>) -> &mut Command {
    if let Some((user, group)) = owner {
        command.gid(group).uid(user);
    }
    command
}
