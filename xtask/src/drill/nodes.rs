//! Three Plimsoll nodes on one database.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use crate::drill::client::Client;
use crate::drill::history::{APP, RESOURCE, TENANT_LIMIT, WEB, WEB_LIMIT, scope_of};
use crate::drill::load;
use crate::drill::process::{Process, wait_until};
use crate::step::{Failure, program};

pub(super) const COUNT: usize = 3;

/// How long a node may take until it listens.
const START_MAX: Duration = Duration::from_secs(120);

/// The nodes, and the way into them.
pub(super) struct Nodes {
    binary: PathBuf,
    folder: PathBuf,
    config: PathBuf,
    running: Vec<Option<Process>>,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) token: String,
}

impl Nodes {
    /// Starts them on an empty database and sets up what callers ask for.
    ///
    /// `config` is the content of their configuration file, which says where the database is.
    pub(super) fn start(binary: &Path, folder: &Path, config: &str) -> Result<Self, Failure> {
        let file = folder.join("plimsoll.toml");
        std::fs::write(&file, config).map_err(|error| failed(&file, &error))?;
        let mut it = Self {
            binary: binary.to_owned(),
            folder: folder.to_owned(),
            config: file,
            running: Vec::new(),
            addresses: Vec::new(),
            token: String::new(),
        };
        for index in 0..COUNT {
            if index != 0 {
                it.copy_key(index)?;
            }
            let (process, address) = it.start_one(index)?;
            it.running.push(Some(process));
            it.addresses.push(address);
            if index == 0 {
                it.token = it.said(0, "admin token: ", 0)?;
            }
        }
        it.set_up()?;
        Ok(it)
    }

    fn data(&self, index: usize) -> PathBuf {
        self.folder.join(format!("node-{index}"))
    }

    fn log(&self, index: usize) -> PathBuf {
        self.folder.join(format!("node-{index}.log"))
    }

    /// All nodes have one key: it is made by the first.
    fn copy_key(&self, index: usize) -> Result<(), Failure> {
        let (from, to) = (self.data(0).join("master.key"), self.data(index));
        let file = to.join("master.key");
        std::fs::create_dir(&to)
            .and_then(|()| std::fs::copy(&from, &file))
            .and_then(|_| std::fs::set_permissions(&file, Permissions::from_mode(0o600)))
            .map_err(|error| failed(&file, &error))
    }

    fn start_one(&self, index: usize) -> Result<(Process, SocketAddr), Failure> {
        let said_before = std::fs::read(self.log(index)).map_or(0, |text| text.len());
        let mut command = program(&self.binary, Path::new("/"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]);
        command
            .arg(self.data(index))
            .arg("--config")
            .arg(&self.config);
        let mut process = Process::start(&command, None, &self.log(index), "TERM")?;
        let mut address = None;
        wait_until("a node listens", START_MAX, || {
            if let Ok(text) = self.said(index, "listening on http://", said_before) {
                address = text.parse().ok();
            }
            if !process.is_running() {
                let log = std::fs::read_to_string(self.log(index)).unwrap_or_default();
                return Err(Failure::new(format!("a node has ended:\n{log}")));
            }
            Ok(address.is_some())
        })?;
        let address = address.ok_or_else(|| Failure::new("a node has no address"))?;
        Ok((process, address))
    }

    /// What follows on `start` in a whole line of a node's log, from a place in it on.
    fn said(&self, index: usize, start: &str, from: usize) -> Result<String, Failure> {
        let log = std::fs::read_to_string(self.log(index)).unwrap_or_default();
        let said = log.get(from..).unwrap_or_default();
        let whole = said
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let mut found = whole.filter_map(|line| line.trim_end().strip_prefix(start));
        let missing = || Failure::new(format!("a node did not say `{start}…`"));
        found.next().map(str::to_owned).ok_or_else(missing)
    }

    fn set_up(&self) -> Result<(), Failure> {
        let mut client = Client::new(&self.token);
        let mut put = |path: &str, body| {
            let told = client.call(self.addresses[0], "PUT", path, &body);
            told.map(|_| ())
        };
        put(
            &format!("/resources/{RESOURCE}"),
            json!({ "unit": "count", "default_limit": "unlimited", "per_location": false }),
        )?;
        let limit =
            |units: u64| json!({ "resource": RESOURCE, "limit": units, "reason": "a drill" });
        for tenant in load::tenants() {
            put(
                &format!("/scopes/{tenant}"),
                json!({ "kind": "organisation" }),
            )?;
            for part in [WEB, APP] {
                let body = json!({ "kind": "project", "parent": tenant });
                put(&format!("/scopes/{}", scope_of(tenant, part)), body)?;
            }
            put(&format!("/scopes/{tenant}/limits"), limit(TENANT_LIMIT))?;
            let web = scope_of(tenant, WEB);
            put(&format!("/scopes/{web}/limits"), limit(WEB_LIMIT))?;
        }
        Ok(())
    }

    /// Ends a node as a power cut would.
    pub(super) fn kill(&mut self, index: usize) {
        if let Some(process) = self.running[index].take() {
            process.kill();
        }
    }

    /// Ends a node in good order, so that nothing is left under way in it.
    pub(super) fn end(&mut self, index: usize) {
        drop(self.running[index].take());
    }

    /// Starts a node again; answers where it is now.
    pub(super) fn restart(&mut self, index: usize) -> Result<SocketAddr, Failure> {
        let (process, address) = self.start_one(index)?;
        self.running[index] = Some(process);
        self.addresses[index] = address;
        Ok(address)
    }
}

fn failed(file: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot write `{}`: {error}", file.display()))
}
