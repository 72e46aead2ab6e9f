//! Redis as people keep quotas in it today: one script per reservation, every write flushed.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::apt;
use crate::bench::framing::Framing;
use crate::bench::load::Load;
use crate::bench::process::Process;
use crate::bench::template::{Accounts, Template};
use crate::bench::{clock, found, free_port};
use crate::step::{Failure, program};

/// Known before? Fits? Take it, keep the reservation for an hour, append to the log.
const SCRIPT: &str = "\
if redis.call('EXISTS', 'r:' .. ARGV[1]) == 1 then return 1 end \
local account = 'a:' .. ARGV[2] \
local row = redis.call('HMGET', account, 'held', 'ceiling') \
local held = tonumber(row[1] or '0') + 1 \
if tonumber(row[2] or '9007199254740991') < held then return 0 end \
redis.call('HINCRBY', account, 'held', 1) \
redis.call('SET', 'r:' .. ARGV[1], ARGV[2] .. ':1:held', 'EX', 3600) \
redis.call('XADD', 'log', '*', 'r', ARGV[1], 'a', ARGV[2], 'held', held) \
return 1";

const ARGUMENTS: [&str; 16] = [
    "--bind",
    "127.0.0.1",
    "--daemonize",
    "no",
    "--save",
    "",
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
    "--auto-aof-rewrite-percentage",
    "0",
    "--loglevel",
    "warning",
    "--maxclients",
    "1000",
];

/// A server of its own, with its own files.
pub(super) struct Redis {
    process: Process,
    address: SocketAddr,
    script: String,
}

impl Redis {
    /// `None` where it is not on this machine.
    pub(super) fn start(folder: &Path, accounts: u64, limit: u64) -> Result<Option<Self>, Failure> {
        let Some(server) = server(folder) else {
            return Ok(None);
        };
        let data = folder.join("redis");
        std::fs::create_dir(&data)
            .map_err(|error| Failure::new(format!("cannot make Redis' folder: {error}")))?;
        let port = free_port()?;
        let mut command = program(server, &data);
        command.args(ARGUMENTS).args(["--port", &port.to_string()]);
        let process = Process::start(&mut command, &folder.join("redis.log"), "KILL")?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let start = clock::now();
        while TcpStream::connect(address).is_err() {
            if Duration::from_secs(20) < start.elapsed() {
                return Err(Failure::new("Redis does not answer"));
            }
            clock::wait(Duration::from_millis(50));
        }
        let answer = ask(address, &["SCRIPT", "LOAD", SCRIPT])?;
        let script = answer.lines().nth(1).unwrap_or_default().to_owned();
        let account = format!("a:{accounts:08}");
        ask(address, &["HSET", &account, "ceiling", &limit.to_string()])?;
        Ok(Some(Self {
            process,
            address,
            script,
        }))
    }

    /// What is held of the account with this number.
    pub(super) fn held(&self, account: u64) -> Result<u64, Failure> {
        let answer = ask(self.address, &["HGET", &format!("a:{account:08}"), "held"])?;
        let number = answer.lines().nth(1).and_then(|text| text.parse().ok());
        number.ok_or_else(|| Failure::new(format!("Redis says `{answer}`")))
    }

    /// Reservations of `account` alone, or of any where it is left out.
    pub(super) fn load(&self, accounts: u64, account: Option<u64>, connections: u32) -> Load {
        // In RESP `$` says a length, so only a bare run of eight is a slot's.
        let account = account.map_or("$".repeat(8), |account| format!("{account:08}"));
        let words = ["EVALSHA", &self.script, "0", "################", &account];
        Load {
            addresses: vec![self.address],
            framing: Framing::Redis,
            greeting: Vec::new(),
            request: Template::with_slots(command(&words)),
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

/// Installs it where it is missing: of Debian's packages, the one that has the program and not the
/// one that makes a service of it.
pub(super) fn make_sure(root: &Path) -> Result<(), Failure> {
    if found("redis-server").or_else(same_program).is_none() && apt::can_install(root) {
        apt::install(root, "redis-tools")?;
    }
    Ok(())
}

fn server(folder: &Path) -> Option<PathBuf> {
    found("redis-server").or_else(|| {
        let named = folder.join("redis-server");
        symlink(same_program()?, &named).ok()?;
        Some(named)
    })
}

/// One program under several names: it is the server where it is called so.
fn same_program() -> Option<PathBuf> {
    found("redis-check-rdb")
}

fn command(words: &[&str]) -> Vec<u8> {
    let mut text = format!("*{}\r\n", words.len());
    for word in words {
        text.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    text.into_bytes()
}

/// One command, one short answer.
fn ask(address: SocketAddr, words: &[&str]) -> Result<String, Failure> {
    let failed = |error| Failure::new(format!("Redis: {error}"));
    let mut stream = TcpStream::connect(address).map_err(failed)?;
    stream.write_all(&command(words)).map_err(failed)?;
    let mut answer = [0; 512];
    let read = stream.read(&mut answer).map_err(failed)?;
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    if answer.starts_with('-') {
        return Err(Failure::new(format!("Redis says `{answer}`")));
    }
    Ok(answer)
}
