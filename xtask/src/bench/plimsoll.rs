//! This build of Plimsoll with default settings, and the requests it is measured with.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::bench::framing::Framing;
use crate::bench::load::{Load, Span};
use crate::bench::process::Process;
use crate::bench::sign::{self, AccessKey};
use crate::bench::template::{Accounts, Template};
use crate::bench::{clock, http};
use crate::step::{Failure, program};

/// Commands in one batch, the most that the API takes.
pub(super) const BATCH_COMMANDS: u64 = 8_192;

/// How many locations each scope has accounts at.
pub(super) const LOCATIONS: u64 = 10;

/// Where the race to the limit is run; outside of what [`Accounts`] name.
const RACE: &str = "race";

/// The root of the three-level tree.
const TREE: &str = "tree";

/// The file that all servers on one database have in common.
const MASTER_KEY: &str = "master.key";

/// A project that has two ModelArts quotas and an image quota.
const READ: &str = "read";

/// A running server and the way into it.
pub(super) struct Plimsoll {
    pub(super) process: Process,
    pub(super) address: SocketAddr,
    pub(super) token: String,
    folder: PathBuf,
    binary: PathBuf,
    /// From its start until it says that it listens.
    pub(super) start_seconds: f64,
}

impl Plimsoll {
    /// Starts it on an empty or used folder; `token` is that of an earlier start, if there was one.
    pub(super) fn start(
        binary: &Path,
        folder: &Path,
        token: Option<&str>,
    ) -> Result<Self, Failure> {
        Self::start_with(binary, folder, token, &[])
    }

    /// One of several servers on a database; what they share comes from the first one.
    pub(super) fn start_node(
        binary: &Path,
        folder: &Path,
        database: &str,
        first: Option<&Self>,
    ) -> Result<Self, Failure> {
        if let Some(first) = first {
            let copied = std::fs::create_dir(folder).and_then(|()| {
                std::fs::copy(first.folder.join(MASTER_KEY), folder.join(MASTER_KEY))
            });
            copied.map_err(|error| Failure::new(format!("cannot copy a key: {error}")))?;
        }
        let token = first.map(|first| first.token.as_str());
        Self::start_with(binary, folder, token, &["--store", database])
    }

    fn start_with(
        binary: &Path,
        folder: &Path,
        token: Option<&str>,
        words: &[&str],
    ) -> Result<Self, Failure> {
        let mut command = program(binary, Path::new("/"));
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        command.args(words).arg("--data");
        let log = folder.with_extension("log");
        let start = clock::now();
        let mut process = Process::start(command.arg(folder), &log, "TERM")?;
        let lines = process.lines_until(|line| line.starts_with("listening on "))?;
        let start_seconds = start.elapsed().as_secs_f64();
        let said = |start: &str| lines.iter().find_map(|line| line.strip_prefix(start));
        let address = said("listening on http://").and_then(|text| text.parse().ok());
        let address = address.ok_or_else(|| Failure::new("Plimsoll has no address"))?;
        let token = token.or_else(|| said("admin token: "));
        let token = token.ok_or_else(|| Failure::new("Plimsoll made no token"))?;
        Ok(Self {
            process,
            address,
            token: token.to_owned(),
            folder: folder.to_owned(),
            binary: binary.to_owned(),
            start_seconds,
        })
    }

    /// Ends it as a power cut would, and starts it on what is there.
    pub(super) fn kill_and_restart(self) -> Result<Self, Failure> {
        self.process.kill();
        Self::start(&self.binary, &self.folder, Some(&self.token))
    }

    pub(super) fn call(&self, method: &str, path: &str, body: &str) -> Result<Value, Failure> {
        let path = format!("/plimsoll/v1/{path}");
        http::call(self.address, &self.token, method, &path, body)
    }

    /// The catalogue, and as many tenants as the accounts need.
    pub(super) fn fill(&self, scopes: u64, locations: u64) -> Result<(), Failure> {
        self.call(
            "PUT",
            "resources/vm/image",
            r#"{"unit":"count","default_limit":"unlimited","per_location":true}"#,
        )?;
        for location in 0..locations {
            let path = format!("locations/L-{location:03}");
            self.call("PUT", &path, r#"{"name":"a place"}"#)?;
        }
        self.make_scopes(scopes, None)
    }

    /// Tenants `s-000000` and on, or projects of that name below `parent`.
    pub(super) fn make_scopes(&self, scopes: u64, parent: Option<&str>) -> Result<(), Failure> {
        let parent = parent.map_or(String::new(), |parent| format!(r#","parent":"{parent}""#));
        for scope in 0..scopes {
            let path = format!("scopes/s-{scope:06}");
            let body = format!(r#"{{"kind":"project"{parent}}}"#);
            self.call("PUT", &path, &body)?;
        }
        Ok(())
    }

    /// An organisation, a folder in it, and projects in that.
    pub(super) fn fill_tree(&self, scopes: u64, locations: u64) -> Result<(), Failure> {
        self.fill(0, locations)?;
        self.call(
            "PUT",
            &format!("scopes/{TREE}"),
            r#"{"kind":"organisation"}"#,
        )?;
        let body = format!(r#"{{"kind":"folder","parent":"{TREE}"}}"#);
        self.call("PUT", "scopes/folder", &body)?;
        self.make_scopes(scopes, Some("folder"))
    }

    /// One scope with a limit that a race is run to.
    pub(super) fn make_race(&self, limit: u64) -> Result<(), Failure> {
        self.call("PUT", &format!("scopes/{RACE}"), r#"{"kind":"project"}"#)?;
        let body = format!(
            r#"{{"resource":"vm/image","location":"L-000","limit":{limit},"reason":"a race"}}"#
        );
        self.call("PUT", &format!("scopes/{RACE}/limits"), &body)?;
        Ok(())
    }

    /// Used and held in a scope, at all locations.
    fn taken(&self, scope: &str) -> Result<u64, Failure> {
        let path = format!("scopes/{scope}/quotas?resource=vm/image&page_size=1000");
        let answer = self.call("GET", &path, "")?;
        let quotas = answer["quotas"].as_array();
        let quotas = quotas.ok_or_else(|| Failure::new("quotas are no list"))?;
        let figures = quotas
            .iter()
            .flat_map(|quota| [&quota["used"], &quota["held"]]);
        Ok(figures.filter_map(Value::as_u64).sum())
    }

    pub(super) fn taken_in_race(&self) -> Result<u64, Failure> {
        self.taken(RACE)
    }

    pub(super) fn taken_in_tree(&self) -> Result<u64, Failure> {
        self.taken(TREE)
    }

    fn load(&self, request: Template, accounts: Accounts, connections: u32) -> Load {
        Load {
            addresses: vec![self.address],
            framing: Framing::Http,
            greeting: Vec::new(),
            request,
            accounts,
            weight: 1,
            connections,
            servers: vec![self.process.id()],
            pace: None,
        }
    }

    /// One reservation per request, of many accounts.
    pub(super) fn many(&self, accounts: Accounts, connections: u32) -> Load {
        let body = reservation("s-@@@@@@", "L-%%%");
        self.load(self.put(&body), accounts, connections)
    }

    /// One reservation per request, all of one account.
    pub(super) fn hot(&self, accounts: Accounts, connections: u32) -> Load {
        let body = reservation("s-000000", "L-000");
        self.load(self.put(&body), accounts, connections)
    }

    /// As [`hot`](Self::hot), where there is a limit.
    pub(super) fn race(&self, accounts: Accounts, connections: u32) -> Load {
        let body = reservation(RACE, "L-000");
        self.load(self.put(&body), accounts, connections)
    }

    fn put(&self, body: &str) -> Template {
        Template::with_slots(format!(
            "PUT /plimsoll/v1/reservations/r-################ HTTP/1.1\r\nhost: {}\r\n\
             authorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{{{body}}}",
            self.address,
            self.token,
            body.len() + 2
        ))
    }

    /// `BATCH_COMMANDS` reservations per request, of many accounts.
    pub(super) fn batch(&self, accounts: Accounts, connections: u32) -> Load {
        let command = format!(
            r#"{{"op":"reserve","id":"r-################",{}}}"#,
            reservation("s-@@@@@@", "L-%%%")
        );
        let count = usize::try_from(BATCH_COMMANDS).expect("a few thousand");
        let body = format!(r#"{{"commands":[{}]}}"#, vec![command; count].join(","));
        self.batch_of(body.as_bytes(), "application/json", accounts, connections)
    }

    /// As [`batch`](Self::batch), as protobuf.
    pub(super) fn binary_batch(&self, accounts: Accounts, connections: u32) -> Load {
        let line = [
            field(1, b"vm/image"),
            field(2, b"L-%%%"),
            vec![3 << 3, 1], // amount: 1
        ];
        let command = [
            vec![1 << 3, 1], // op: reserve
            field(2, b"r-################"),
            field(3, b"s-@@@@@@"),
            field(4, &line.concat()),
            vec![5 << 3, 0x90, 0x1c], // ttl_seconds: 3600
        ];
        let count = usize::try_from(BATCH_COMMANDS).expect("a few thousand");
        let body = field(1, &command.concat()).repeat(count);
        self.batch_of(&body, "application/x-protobuf", accounts, connections)
    }

    fn batch_of(
        &self,
        body: &[u8],
        content_type: &str,
        accounts: Accounts,
        connections: u32,
    ) -> Load {
        let head = format!(
            "POST /plimsoll/v1/reservations:batch HTTP/1.1\r\nhost: {}\r\n\
             authorization: Bearer {}\r\ncontent-type: {content_type}\r\n\
             content-length: {}\r\n\r\n",
            self.address,
            self.token,
            body.len()
        );
        let request = Template::with_slots([head.as_bytes(), body].concat());
        let mut load = self.load(request, accounts, connections);
        load.weight = BATCH_COMMANDS;
        load
    }

    /// Takes so many reservations, in whole batches; hands back how many.
    pub(super) fn take(&self, accounts: Accounts, reservations: u64) -> Result<u64, Failure> {
        let batches = reservations.div_ceil(BATCH_COMMANDS).div_ceil(4);
        self.batch(accounts, 4).run(Span::requests(batches))?;
        Ok(batches * 4 * BATCH_COMMANDS)
    }

    /// As [`take`](Self::take), in pieces, until there are so many or the time is over.
    pub(super) fn take_for(
        &self,
        accounts: Accounts,
        reservations: u64,
        time: Duration,
    ) -> Result<u64, Failure> {
        let start = clock::now();
        let mut taken = 0;
        while taken < reservations && start.elapsed() < time {
            let piece = (reservations - taken).min(16 * BATCH_COMMANDS);
            taken += self.take(accounts, piece)?;
        }
        Ok(taken)
    }

    /// The quotas of one scope in the native API.
    pub(super) fn native_read(&self, scope: &str) -> String {
        format!(
            "GET /plimsoll/v1/scopes/{scope}/quotas?resource=vm/image&location=L-000 HTTP/1.1\r\n\
             Host: {}\r\nAuthorization: Bearer {}\r\n\r\n",
            self.address, self.token
        )
    }

    /// The reads to be measured: name and whole request, signed now.
    pub(super) fn reads(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        self.call("PUT", &format!("scopes/{READ}"), r#"{"kind":"project"}"#)?;
        for name in ["pool", "network"] {
            let body = r#"{"unit":"count","default_limit":15,"per_location":false}"#;
            self.call("PUT", &format!("resources/modelarts/{name}"), body)?;
        }
        let key = self.principal("access_key")?;
        let token = self.principal("token")?.secret;
        let host = self.address.to_string();
        let path = format!("/v1/{READ}/quotas");
        let now = clock::epoch_seconds();
        Ok(vec![
            (
                "Zenlayer, ZC2-HMAC-SHA256",
                sign::zenlayer(&host, &key, r#"{"zoneIds":["L-000","L-001","L-002"]}"#, now),
            ),
            (
                "ModelArts, SDK-HMAC-SHA256",
                sign::modelarts(&host, &key, &path, now),
            ),
            (
                "ModelArts, X-Auth-Token",
                format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Auth-Token: {token}\r\n\r\n"),
            ),
            (
                "native, Bearer",
                format!(
                    "GET /plimsoll/v1/scopes/{READ}/quotas?resource=modelarts/pool HTTP/1.1\r\n\
                     Host: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"
                ),
            ),
        ])
    }

    /// Sends the same request again and again.
    pub(super) fn read(&self, request: &str, connections: u32) -> Load {
        let accounts = Accounts {
            count: 1,
            locations: 1,
        };
        self.load(Template::fixed(request), accounts, connections)
    }

    fn principal(&self, kind: &str) -> Result<AccessKey, Failure> {
        let body = format!(r#"{{"kind":"{kind}","role":"viewer","scope":"{READ}"}}"#);
        let made = self.call("POST", "principals", &body)?;
        let text = |name: &str| made[name].as_str().map(str::to_owned);
        let secret = text("secret").or_else(|| text("token"));
        text("id")
            .zip(secret)
            .map(|(id, secret)| AccessKey { id, secret })
            .ok_or_else(|| Failure::new("a principal without a secret"))
    }

    /// How long until it says that it is ready.
    pub(super) fn ready_seconds(&self) -> Result<f64, Failure> {
        let start = clock::now();
        let request = format!("GET /readyz HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        while http::body_bytes(self.address, &request).is_err() {
            if Duration::from_secs(60) < start.elapsed() {
                return Err(Failure::new("Plimsoll is not ready"));
            }
            clock::wait(Duration::from_millis(5));
        }
        Ok(self.start_seconds + start.elapsed().as_secs_f64())
    }
}

/// A short string or message as a field of protobuf: its key, its length, and itself.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).expect("short");
    assert!(length < 0x80, "its length takes a byte");
    [&[number << 3 | 2, length], content].concat()
}

/// The members that a single reservation and one of a batch share.
fn reservation(scope: &str, location: &str) -> String {
    format!(
        r#""scope":"{scope}","lines":[{{"resource":"vm/image","location":"{location}","amount":1}}],"ttl_seconds":3600"#
    )
}
