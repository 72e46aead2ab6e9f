//! The databases of `deploy/ha` on one machine: three etcd, two PostgreSQL under Patroni, HAProxy.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::bench::free_port;
use crate::bench::postgres::make_folder;
use crate::drill::patroni;
use crate::drill::process::{Owner, Process, send, wait_until, working_in};
use crate::drill::proxy::{Network, Place};
use crate::drill::template::{Values, filled};
use crate::step::{Failure, output, program};

/// How many there are of each.
pub(super) const DATABASES: usize = 2;
const ETCDS: usize = 3;

/// How long the cluster may take to be whole. Failing over takes a Patroni `ttl` and some seconds.
const PATIENCE: Duration = Duration::from_secs(180);

/// How long a Patroni may take to answer.
const REST_PATIENCE: Duration = Duration::from_millis(1_500);

const PASSWORD: &str = "a-secret-of-this-drill";

/// Programs that the cluster is made of.
pub(super) struct Programs {
    pub(super) etcd: PathBuf,
    pub(super) haproxy: PathBuf,
    pub(super) patroni: PathBuf,
    /// The folder of PostgreSQL's.
    pub(super) postgres: PathBuf,
}

/// All of it; ended in the order of its parts.
pub(super) struct Cluster {
    databases: Vec<Database>,
    _haproxy: Process,
    etcds: Vec<Etcd>,
    pub(super) network: Network,
    tools: PathBuf,
    /// The nodes' configuration file.
    pub(super) config: String,
}

/// One machine with an etcd.
struct Etcd {
    running: Option<Process>,
    config: PathBuf,
    program: PathBuf,
    folder: PathBuf,
    owner: Owner,
}

/// One machine with a database.
struct Database {
    patroni: Option<Process>,
    config: PathBuf,
    program: PathBuf,
    folder: PathBuf,
    owner: Owner,
    /// Where it is asked directly, whatever the network does.
    rest: u16,
    postgres: u16,
}

impl Cluster {
    /// Starts all of it, and makes the nodes' database.
    pub(super) fn start(
        root: &Path,
        folder: &Path,
        programs: Programs,
        owner: Owner,
    ) -> Result<Self, Failure> {
        let mut network = Network::default();
        let mut values = Values::new();
        for name in [
            "PLIMSOLL_PASSWORD",
            "SUPERUSER_PASSWORD",
            "REPLICATION_PASSWORD",
        ] {
            values.insert(name, PASSWORD.to_owned());
        }
        values.insert("NETWORK", "127.0.0.1/32".to_owned());
        values.insert("POSTGRES_BIN", programs.postgres.display().to_string());
        values.insert("PLIMSOLL_DATABASE", local(free_port()?));
        let place = Ground {
            root,
            folder,
            owner,
        };
        let (etcds, ports) = place.start_etcds(&programs.etcd, &values)?;
        let mut databases = Vec::new();
        for index in 0..DATABASES {
            let values = values.clone();
            databases.push(place.lay_out(index, &programs, &ports, &mut network, values)?);
        }
        let names = [["DB_1", "DB_1_PATRONI_PORT"], ["DB_2", "DB_2_PATRONI_PORT"]];
        for (index, [at, rest]) in names.into_iter().enumerate() {
            let (to, database) = (Place::Database(index), &databases[index]);
            let port = network.link(Place::Nodes, to, database.postgres)?;
            values.insert(at, local(port));
            let port = network.link(Place::Checks, to, database.rest)?;
            values.insert(rest, port.to_string());
        }
        let haproxy = place.start_haproxy(&programs.haproxy, &values)?;
        for database in &mut databases {
            database.boot()?;
        }
        let it = Self {
            databases,
            _haproxy: haproxy,
            etcds,
            network,
            tools: programs.postgres,
            config: filled(root, "plimsoll.toml", &values)?,
        };
        it.wait_until_whole()?;
        for statement in filled(root, "database.sql", &values)?.split_inclusive(";\n") {
            it.sql("postgres", "postgres", statement)?;
        }
        Ok(it)
    }

    /// The database that is the primary, by its own Patroni's word.
    pub(super) fn primary(&self) -> Option<usize> {
        (0..DATABASES).find(|index| {
            let answer = get(self.databases[*index].rest, "/primary");
            answer.is_some_and(|(status, _)| status == 200)
        })
    }

    /// Waits until one is the primary, and the other its synchronous standby.
    pub(super) fn wait_until_whole(&self) -> Result<(), Failure> {
        wait_until("there is a primary with a standby", PATIENCE, || {
            let Some(primary) = self.primary() else {
                return Ok(false);
            };
            let told = get(self.databases[primary].rest, "/cluster");
            let members = told.map(|(_, body)| body["members"].clone());
            let members = members.as_ref().and_then(Value::as_array);
            Ok(members
                .into_iter()
                .flatten()
                .any(|member| member["role"] == "sync_standby" && member["state"] == "streaming"))
        })
    }

    /// Waits until this one is the primary.
    pub(super) fn wait_until_primary(&self, index: usize) -> Result<(), Failure> {
        wait_until("the other database is the primary", PATIENCE, || {
            Ok(self.primary() == Some(index))
        })
    }

    /// Ends a machine's processes as a power cut would.
    pub(super) fn kill(&mut self, index: usize) -> Result<(), Failure> {
        self.databases[index].kill()
    }

    /// Starts a machine again that was killed.
    pub(super) fn boot(&mut self, index: usize) -> Result<(), Failure> {
        self.databases[index].boot()
    }

    /// Ends an etcd as a power cut would.
    pub(super) fn kill_etcd(&mut self, index: usize) {
        if let Some(running) = self.etcds[index].running.take() {
            running.kill();
        }
    }

    /// Starts an etcd again that was killed.
    pub(super) fn boot_etcd(&mut self, index: usize) -> Result<(), Failure> {
        self.etcds[index].boot()
    }

    /// Sends a signal to a machine's Patroni.
    pub(super) fn signal_patroni(&self, index: usize, signal: &str) -> Result<(), Failure> {
        let patroni = self.databases[index].patroni.as_ref();
        let missing = || Failure::new("there is no Patroni to be told");
        patroni.ok_or_else(missing)?.signal(signal)
    }

    /// What a statement answers in the nodes' database.
    pub(super) fn ask(&self, sql: &str) -> Result<String, Failure> {
        self.sql("plimsoll", "plimsoll", sql)
    }

    fn sql(&self, user: &str, database: &str, sql: &str) -> Result<String, Failure> {
        let primary = self
            .primary()
            .ok_or_else(|| Failure::new("there is no primary"))?;
        let mut psql = program(self.tools.join("psql"), Path::new("/"));
        psql.env("PGPASSWORD", PASSWORD);
        psql.args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p"]);
        psql.arg(self.databases[primary].postgres.to_string());
        let answer = output(psql.args(["-U", user, "-d", database, "-c", sql]))?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

impl Etcd {
    fn boot(&mut self) -> Result<(), Failure> {
        let mut command = program(&self.program, &self.folder);
        command.arg("--config-file").arg(&self.config);
        let log = self.folder.with_extension("log");
        self.running = Some(Process::start(&command, self.owner, &log, "TERM")?);
        Ok(())
    }
}

impl Database {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn boot(&mut self) -> Result<(), Failure> {
        let mut command = program(&self.program, &self.folder);
        command
            .arg(&self.config)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let log = self.folder.with_extension("log");
        // Told to end, Patroni ends its PostgreSQL, too.
        let started = Process::start(&command, self.owner, &log, "TERM")?;
        self.patroni = Some(started);
        Ok(())
    }

    fn kill(&mut self) -> Result<(), Failure> {
        if let Some(patroni) = self.patroni.take() {
            patroni.kill();
        }
        self.kill_server()
    }

    fn kill_server(&self) -> Result<(), Failure> {
        let data = self.data();
        wait_until("its processes are gone", PATIENCE, || {
            let left = working_in(&data);
            for id in &left {
                // It may have gone by itself.
                let _ = send("KILL", *id);
            }
            Ok(left.is_empty())
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        drop(self.patroni.take());
        let _ = self.kill_server();
    }
}

/// Where all of it is laid out.
struct Ground<'a> {
    root: &'a Path,
    folder: &'a Path,
    owner: Owner,
}

impl Ground<'_> {
    /// Three processes, and the ports on which they serve.
    fn start_etcds(&self, etcd: &Path, values: &Values) -> Result<(Vec<Etcd>, Vec<u16>), Failure> {
        let mut ports = Vec::new();
        for _ in 0..ETCDS {
            ports.push((free_port()?, free_port()?));
        }
        let member = |(index, (_, peer)): (usize, &(u16, u16))| {
            format!("etcd-{}=http://{}", index + 1, local(*peer))
        };
        let members: Vec<String> = ports.iter().enumerate().map(member).collect();
        let mut running = Vec::new();
        for (index, (client, peer)) in ports.iter().enumerate() {
            let mut values = values.clone();
            let name = format!("etcd-{}", index + 1);
            let folder = self.make_folder(&name)?;
            values.insert("ETCD_NAME", name.clone());
            values.insert("ETCD_DATA", folder.join("data").display().to_string());
            values.insert("ETCD_CLIENT", local(*client));
            values.insert("ETCD_PEER", local(*peer));
            values.insert("ETCD_CLUSTER", members.join(","));
            let mut etcd = Etcd {
                running: None,
                config: self.write(&folder, "etcd.yml", &values)?,
                program: etcd.to_owned(),
                folder,
                owner: self.owner,
            };
            etcd.boot()?;
            running.push(etcd);
        }
        let ports: Vec<u16> = ports.into_iter().map(|it| it.0).collect();
        // A Patroni that finds no etcd gives up: elsewhere, systemd starts it anew.
        wait_until("etcd is well", PATIENCE, || {
            let mut answers = ports.iter().map(|port| get(*port, "/health"));
            Ok(answers.all(|it| it.is_some_and(|(_, body)| body["health"] == "true")))
        })?;
        Ok((running, ports))
    }

    /// A machine with a database that is not started yet.
    fn lay_out(
        &self,
        index: usize,
        programs: &Programs,
        etcds: &[u16],
        network: &mut Network,
        mut values: Values,
    ) -> Result<Database, Failure> {
        let name = format!("db-{}", index + 1);
        let folder = self.make_folder(&name)?;
        let (postgres, rest) = (free_port()?, free_port()?);
        let (here, other) = (Place::Database(index), Place::Database(1 - index));
        let mut hosts = Vec::new();
        for port in etcds {
            hosts.push(local(network.link(here, Place::Etcd, *port)?));
        }
        let inside = |file: &str| folder.join(file).display().to_string();
        values.insert("MACHINE", name);
        values.insert("ETCD_HOSTS", hosts.join(","));
        values.insert("PATRONI_LISTEN", local(rest));
        values.insert("PATRONI_ADDRESS", local(network.link(other, here, rest)?));
        values.insert("POSTGRES_LISTEN", local(postgres));
        values.insert(
            "POSTGRES_ADDRESS",
            local(network.link(other, here, postgres)?),
        );
        values.insert("POSTGRES_DATA", inside("data"));
        values.insert("POSTGRES_SOCKETS", folder.display().to_string());
        values.insert("PATRONI_PGPASS", inside("pgpass"));
        Ok(Database {
            patroni: None,
            config: self.write(&folder, "patroni.yml", &values)?,
            program: programs.patroni.clone(),
            folder,
            owner: self.owner,
            rest,
            postgres,
        })
    }

    fn start_haproxy(&self, haproxy: &Path, values: &Values) -> Result<Process, Failure> {
        let folder = self.make_folder("haproxy")?;
        let config = self.write(&folder, "haproxy.cfg", values)?;
        let mut command = program(haproxy, &folder);
        command.arg("-db").arg("-f").arg(config);
        Process::start(&command, self.owner, &folder.with_extension("log"), "TERM")
    }

    fn make_folder(&self, name: &str) -> Result<PathBuf, Failure> {
        let folder = self.folder.join(name);
        make_folder(&folder, self.owner)?;
        Ok(folder)
    }

    /// Fills a file in; its reader is not who we are.
    fn write(&self, folder: &Path, name: &str, values: &Values) -> Result<PathBuf, Failure> {
        let file = folder.join(name);
        let written = std::fs::write(&file, filled(self.root, name, values)?);
        let failed = |error| Failure::new(format!("cannot write `{}`: {error}", file.display()));
        written.map_err(failed)?;
        Ok(file)
    }
}

fn local(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// What a Patroni answers, where it does.
fn get(port: u16, path: &str) -> Option<(u16, Value)> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, REST_PATIENCE).ok()?;
    stream.set_read_timeout(Some(REST_PATIENCE)).ok()?;
    let request = format!("GET {path} HTTP/1.0\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.get(9..12)?.parse().ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    Some((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

impl Programs {
    /// Finds them, and installs what is missing.
    pub(super) fn find(
        root: &Path,
        folder: &Path,
        owner: Owner,
        postgres: PathBuf,
    ) -> Result<Self, Failure> {
        Ok(Self {
            etcd: patroni::packaged(root, "etcd", "etcd-server")?,
            haproxy: patroni::packaged(root, "haproxy", "haproxy")?,
            patroni: patroni::install(root, folder, owner)?,
            postgres,
        })
    }
}
