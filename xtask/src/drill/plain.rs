//! One PostgreSQL without a standby: for the short drill.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::bench;
use crate::drill::process::{Owner, Process, run_as, wait_until};
use crate::step::{Failure, output, program};

const START_MAX: Duration = Duration::from_secs(120);

const DATABASE: &str = "plimsoll";

/// A server of its own on a socket in its folder.
pub(super) struct Plain {
    binaries: PathBuf,
    folder: PathBuf,
    owner: Owner,
    running: Option<Process>,
}

impl Plain {
    pub(super) fn start(binaries: &Path, folder: &Path, owner: Owner) -> Result<Self, Failure> {
        let folder = folder.join("plain");
        bench::postgres::make_folder(&folder, owner)?;
        let mut it = Self {
            binaries: binaries.to_owned(),
            folder,
            owner,
            running: None,
        };
        let mut initdb = it.tool("initdb");
        initdb.args(["--no-sync", "-A", "trust", "-U", DATABASE]);
        initdb
            .args(["-E", "UTF8", "--no-locale", "-D"])
            .arg(it.data());
        output(&mut run_as(initdb, owner))?;
        it.run()?;
        it.sql("postgres", &format!("CREATE DATABASE {DATABASE}"))?;
        Ok(it)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn tool(&self, name: &str) -> Command {
        program(self.binaries.join(name), &self.folder)
    }

    fn run(&mut self) -> Result<(), Failure> {
        let mut server = self.tool("postgres");
        server
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(&self.folder);
        for setting in ["listen_addresses=", "fsync=off", "max_connections=200"] {
            server.args(["-c", setting]);
        }
        let log = self.folder.with_extension("log");
        // Immediate: as a crash would.
        self.running = Some(Process::start(&server, self.owner, &log, "QUIT")?);
        wait_until("PostgreSQL answers", START_MAX, || {
            Ok(self.sql("postgres", "SELECT 1").is_ok())
        })
    }

    /// Ends it as a crash would, and starts it again.
    pub(super) fn crash_and_restart(&mut self) -> Result<(), Failure> {
        self.running = None;
        self.run()
    }

    /// Cuts every connection of the nodes; answers how many there were.
    pub(super) fn cut_connections(&self) -> Result<u64, Failure> {
        let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                   WHERE application_name = 'plimsoll'";
        let answer = self.sql(DATABASE, cut)?;
        let odd = || Failure::new(format!("PostgreSQL says `{answer}`"));
        answer.trim().parse().map_err(|_| odd())
    }

    /// What a statement answers in the nodes' database.
    pub(super) fn ask(&self, sql: &str) -> Result<String, Failure> {
        self.sql(DATABASE, sql)
    }

    fn sql(&self, database: &str, sql: &str) -> Result<String, Failure> {
        let mut psql = self.tool("psql");
        psql.args([
            "-qAtX",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            DATABASE,
            "-d",
            database,
        ]);
        let answer = output(psql.arg("-h").arg(&self.folder).args(["-c", sql]))?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// The nodes' configuration file.
    pub(super) fn config(&self) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("store = \"postgres://{DATABASE}@{folder}/{DATABASE}\"\n")
    }
}
