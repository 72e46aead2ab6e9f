//! Which database, and how long to wait for it.

use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use super::build::Build;
use super::tls::Tls;

use crate::store::StoreError;

/// Which database to keep the ledger in, and how to use it.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port,host:port/database`, or `key=value` pairs.
    pub url: String,
    /// Certificates of the authorities to trust, in PEM form; by default those that browsers
    /// trust. The address asks for TLS by `sslmode=require`; the server is always proved then.
    pub authorities_file: Option<PathBuf>,
    /// Where this node notes what it has acknowledged; without it, only in memory.
    pub acknowledged_file: Option<PathBuf>,
    /// A standby that may answer readers, too.
    pub replica: Option<ReplicaOptions>,
    /// Transactions at the same time that change something.
    pub lanes: usize,
    /// Connections at the same time that only read.
    pub readers: usize,
    /// How long one statement may take, waiting for locks included. A commit may take any time.
    pub statement_timeout: Duration,
    /// How long to wait for a connection to one host.
    pub connect_timeout: Duration,
    /// What this build knows. Another one is for tests alone.
    #[doc(hidden)]
    pub build: Build,
}

impl PostgresOptions {
    /// The usual settings for a database.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            authorities_file: None,
            acknowledged_file: None,
            replica: None,
            lanes: 1,
            readers: 8,
            statement_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            build: Build::THIS,
        }
    }
}

/// A standby that may answer readers.
#[derive(Clone, Debug)]
pub struct ReplicaOptions {
    /// Its address, as that of the database.
    pub url: String,
    /// How old what it answers may be.
    pub age_max: Duration,
}

/// What the driver needs, checked.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) config: tokio_postgres::Config,
    /// For people: hosts and database, without user and password.
    pub(super) address: String,
    pub(super) statement_timeout: Duration,
    /// How to encrypt connections, where that is asked for.
    pub(super) tls: Option<Tls>,
    /// Who looks at it.
    pub(super) build: Build,
}

impl Target {
    /// Reads the options.
    ///
    /// Errors: [`StoreError::Database`] where the address is none. It never repeats the address,
    /// which may hold a password.
    pub(super) fn parse(options: &PostgresOptions) -> Result<Self, StoreError> {
        let parsed: Result<tokio_postgres::Config, _> = options.url.parse();
        let mut config = parsed.map_err(|source| StoreError::Database {
            address: "postgres://…".to_owned(),
            what: "is not an address that can be understood".to_owned(),
            source: Some(Box::new(source)),
        })?;
        config
            .application_name("plimsoll")
            .connect_timeout(options.connect_timeout)
            .tcp_user_timeout(options.statement_timeout * 3)
            .keepalives_idle(options.statement_timeout)
            .target_session_attrs(TargetSessionAttrs::ReadWrite);
        let mut it = Self {
            address: address(&config),
            config,
            statement_timeout: options.statement_timeout,
            tls: None,
            build: options.build,
        };
        if it.config.get_ssl_mode() == SslMode::Require {
            let tls = Tls::new(options.authorities_file.as_deref());
            let tls = tls.map_err(|why| it.error(format!("cannot be proved: {why}"), None))?;
            it.tls = Some(tls);
        } else {
            // Encryption without proof would be a promise that is not kept.
            it.config.ssl_mode(SslMode::Disable);
        }
        Ok(it)
    }

    /// [`Target::parse`] for whoever reads or writes all of it: each statement may take long.
    pub(super) fn patient(
        options: &PostgresOptions,
        patience: Duration,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            statement_timeout: patience,
            ..Self::parse(options)?
        })
    }

    /// [`Target::parse`] for a replica, which takes no writes.
    pub(super) fn replica(
        options: &PostgresOptions,
        replica: &ReplicaOptions,
    ) -> Result<Self, StoreError> {
        let options = PostgresOptions {
            url: replica.url.clone(),
            ..options.clone()
        };
        Ok(Self::parse(&options)?.also_read_only())
    }

    /// Where it may also be one that takes no writes.
    pub(super) fn also_read_only(mut self) -> Self {
        self.config.target_session_attrs(TargetSessionAttrs::Any);
        self
    }

    /// How long it may take to be connected: to try each host, and to be greeted by one.
    pub(super) fn open_patience(&self) -> Duration {
        let hosts = u32::try_from(self.config.get_hosts().len()).unwrap_or(u32::MAX);
        let each = self.config.get_connect_timeout().copied();
        let all = each.unwrap_or_default().saturating_mul(hosts);
        all.saturating_add(self.statement_timeout)
    }

    /// An error about this database.
    pub(super) fn error(
        &self,
        what: impl Into<String>,
        source: Option<tokio_postgres::Error>,
    ) -> StoreError {
        StoreError::Database {
            address: self.address.clone(),
            what: what.into(),
            source: source.map(Box::new),
        }
    }
}

fn address(config: &tokio_postgres::Config) -> String {
    let ports = config.get_ports();
    let port = |index: usize| ports.get(index).or(ports.first()).copied().unwrap_or(5432);
    let hosts = config.get_hosts().iter().enumerate();
    let hosts = hosts.map(|(index, host)| match host {
        Host::Tcp(name) => format!("{name}:{}", port(index)),
        Host::Unix(folder) => format!("{}:{}", folder.display(), port(index)),
    });
    let hosts: Vec<String> = hosts.collect();
    format!("{}/{}", hosts.join(","), config.get_dbname().unwrap_or(""))
}
