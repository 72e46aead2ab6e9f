//! A PostgreSQL of the tests' own, in a temporary folder, that ends with them.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use plimsoll_store::{Clock, PostgresOptions, Store};
use tempfile::TempDir;

use crate::support::{chain_of, wait};

/// Where distributions put the server, which is seldom on the path.
const FOLDERS: &str = "/usr/lib/postgresql";
const VERSION_MIN: u32 = 15;

/// A server process.
pub(crate) struct Cluster {
    binaries: PathBuf,
    folder: TempDir,
    running: Mutex<Option<Child>>,
}

/// The server that most tests share: each has a database of its own.
pub(crate) fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(Cluster::start)
}

/// A new, empty database in the shared server.
pub(crate) fn database() -> PostgresOptions {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = format!("db{}", COUNT.fetch_add(1, Ordering::SeqCst));
    shared().create(&name)
}

/// A node on a database.
pub(crate) fn node(options: &PostgresOptions, clock: Clock) -> Store {
    let opened = wait(Store::postgres(options, clock));
    opened.unwrap_or_else(|error| panic!("{}", chain_of(&error)))
}

/// The name of the database that is meant.
pub(crate) fn name_of(options: &PostgresOptions) -> String {
    options.url.rsplit('=').next().expect("a name").to_owned()
}

/// A statement that locks a tenant's root row, as a batch of another node does.
pub(crate) fn root_row(tenant: &str) -> String {
    format!("SELECT FROM plimsoll.log WHERE tenant = '{tenant}' FOR UPDATE")
}

/// Somebody else's transaction, until it is released.
pub(crate) struct Held(Child);

impl Held {
    pub(crate) fn release(self) {
        drop(self);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut stdin = self.0.stdin.take().expect("it is piped");
        stdin.write_all(b"ROLLBACK;\n").expect("psql reads");
        // Without more to read it ends.
        drop(stdin);
        let ended = self.0.wait();
        assert!(ended.expect("psql ends").success());
    }
}

fn binaries() -> PathBuf {
    let versions = std::fs::read_dir(FOLDERS).into_iter().flatten().flatten();
    let versions = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let newest = versions.max().filter(|version| VERSION_MIN <= *version);
    let on_path = || {
        let output = Command::new("pg_config").arg("--bindir").output().ok()?;
        let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
        folder.join("initdb").exists().then_some(folder)
    };
    let packaged = newest.map(|version| Path::new(FOLDERS).join(version.to_string()).join("bin"));
    packaged.or_else(on_path).unwrap_or_else(|| {
        panic!(
            "PostgreSQL {VERSION_MIN} or newer is missing: install it (Debian: `apt-get install \
             postgresql-15`); its binaries are looked for in `{FOLDERS}` and by `pg_config`"
        )
    })
}

impl Cluster {
    /// Makes a cluster and starts it.
    pub(crate) fn start() -> Self {
        let it = Self {
            binaries: binaries(),
            folder: own_folder(),
            running: Mutex::default(),
        };
        let data = it.data();
        let made = it
            .tool("initdb")
            .args(["--no-sync", "-U", "plimsoll", "-A", "trust"])
            .args(["-E", "UTF8", "--no-locale", "-D"])
            .arg(&data)
            .output();
        expect_success(made.expect("initdb"));
        it.run();
        it
    }

    /// A server that follows this one, and answers those who only read.
    pub(crate) fn standby(&self) -> Self {
        let it = Self {
            binaries: binaries(),
            folder: own_folder(),
            running: Mutex::default(),
        };
        let made = it
            .tool("pg_basebackup")
            .args(["--no-sync", "--checkpoint=fast", "--write-recovery-conf"])
            .args(["-U", "plimsoll", "-h"])
            .arg(self.folder.path())
            .arg("-D")
            .arg(it.data())
            .output();
        expect_success(made.expect("pg_basebackup"));
        it.run();
        it
    }

    /// From now on it takes writes, and follows nobody.
    pub(crate) fn promote(&self) {
        assert_eq!(self.ask("postgres", "SELECT pg_promote(true, 120)"), "t");
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of PostgreSQL's, as a user that it accepts.
    fn tool(&self, name: &str) -> Command {
        let program = self.binaries.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            let id = ids();
            command.args([&format!("--reuid={}", id.0), &format!("--regid={}", id.1)]);
            command.arg("--clear-groups").arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Starts the server, and waits until it answers. A shell stands by that ends it when this
    /// process is no more, however that came, and takes the folder away then.
    pub(crate) fn run(&self) {
        self.run_with("");
    }

    /// Starts it with more settings.
    pub(crate) fn run_with(&self, settings: &str) {
        let server = self.tool("postgres");
        let words: Vec<_> = server
            .get_args()
            .map(|it| it.to_str().expect("text"))
            .collect();
        let program = server.get_program().to_str().expect("text");
        let script = format!(
            "{program} {} -D {} -k {} -c listen_addresses= -c fsync=off -c max_connections=400 \
             -c shared_buffers=64MB {settings} >> {}/log 2>&1 & pid=$!; echo $pid; \
             read line; kill -QUIT $pid; wait $pid; code=$?; \
             [ -n \"$line\" ] || rm -rf {}; exit $code",
            words.join(" "),
            self.data().display(),
            self.folder.path().display(),
            self.folder.path().display(),
            self.folder.path().display(),
        );
        let shell = Command::new("sh")
            .arg("-c")
            .arg(script)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        *self.lock() = Some(shell.expect("a shell"));
        let log = || std::fs::read_to_string(self.folder.path().join("log"));
        for _ in 0..2_400 {
            if self.sql("postgres", "SELECT 1").status.success() {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        panic!("the server does not start: {}", log().unwrap_or_default());
    }

    /// Ends the server at once, as a crash would.
    pub(crate) fn kill(&self) {
        if let Some(mut shell) = self.lock().take() {
            let mut stdin = shell.stdin.take().expect("it is piped");
            // The folder stays.
            stdin.write_all(b"end\n").expect("the shell listens");
            drop(stdin);
            let mut pid = String::new();
            let output = shell
                .stdout
                .take()
                .expect("it is piped")
                .read_to_string(&mut pid);
            output.expect("a process id");
            let ended = shell.wait().expect("the shell ends");
            // It ends as the server does that was told to.
            assert!(ended.code().is_some(), "{ended}");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A program that reads statements and runs them in a database.
    fn psql(&self, database: &str) -> Command {
        let mut command = Command::new(self.binaries.join("psql"));
        command
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
            .args(["-U", "plimsoll", "-d", database, "-h"])
            .arg(self.folder.path());
        command
    }

    /// Runs statements in a database.
    fn sql(&self, database: &str, sql: &str) -> Output {
        let command = self.psql(database).args(["-c", sql]).output();
        command.expect("psql")
    }

    /// Begins a transaction with a statement, and leaves it open; when this returns, the statement
    /// is done.
    pub(crate) fn hold(&self, database: &str, sql: &str) -> Held {
        let mut command = self.psql(database);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut held = Held(command.spawn().expect("psql"));
        let stdin = held.0.stdin.as_mut().expect("it is piped");
        let begin = format!("BEGIN;\n{sql};\n\\echo it is held\n");
        stdin.write_all(begin.as_bytes()).expect("psql reads");
        let stdout = held.0.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(stdout).lines();
        assert!(
            lines.any(|line| line.expect("text") == "it is held"),
            "`{sql}` was refused"
        );
        held
    }

    /// What a statement answers.
    pub(crate) fn ask(&self, database: &str, sql: &str) -> String {
        let output = expect_success(self.sql(database, sql));
        String::from_utf8(output.stdout)
            .expect("text")
            .trim()
            .to_owned()
    }

    pub(crate) fn create(&self, name: &str) -> PostgresOptions {
        self.ask("postgres", &format!("CREATE DATABASE {name}"));
        self.options(name)
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Gives a file in its folder to the server's user.
    pub(crate) fn own(&self, file: &str) {
        if is_root() {
            let path = self.folder.path().join(file);
            let owned = Command::new("chown").arg(user()).arg(path).status();
            assert!(owned.expect("chown").success());
        }
    }

    /// How to reach a database.
    pub(crate) fn options(&self, name: &str) -> PostgresOptions {
        let folder = self.folder.path().display();
        PostgresOptions::new(format!("host={folder} user=plimsoll dbname={name}"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A folder for the server's user.
fn own_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    if is_root() {
        let owned = Command::new("chown")
            .arg(user())
            .arg(folder.path())
            .status();
        assert!(owned.expect("chown").success());
    }
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).expect("the folder is ours");
    folder
}

fn expect_success(output: Output) -> Output {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    output
}

fn id(words: &[&str]) -> String {
    let output = Command::new("id").args(words).output().expect("id");
    String::from_utf8(output.stdout)
        .expect("text")
        .trim()
        .to_owned()
}

fn is_root() -> bool {
    id(&["-u"]) == "0"
}

/// A user that is not root.
fn user() -> &'static str {
    let has_postgres = !id(&["-u", "postgres"]).is_empty();
    if has_postgres { "postgres" } else { "nobody" }
}

fn ids() -> (String, String) {
    (id(&["-u", user()]), id(&["-g", user()]))
}
