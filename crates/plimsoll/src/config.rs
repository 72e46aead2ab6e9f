//! Settings: the one file that reads the configuration and the environment.

use std::path::{Path, PathBuf};
use std::time::Duration;

use plimsoll_dialects::{modelarts, zenlayer};
use plimsoll_store::{PostgresOptions, ReplicaOptions};
use serde::Deserialize;

use crate::webhooks;

/// What an operator may set. Every setting has a default, so no file is needed.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Requests that one principal may send in a second; 0 for any number.
    pub(crate) requests_per_second_per_principal: u32,
    /// The file of the key that seals secrets; by default `master.key` in the data directory.
    pub(crate) master_key_file: Option<PathBuf>,
    /// How long a reservation is remembered after it has ended, in hours.
    ended_reservations_kept_hours: u32,
    /// The most MiB of the body of one reconcile.
    inventory_mib_max: u8,
    /// The database to keep the ledger in; by default the ledger is in the data directory.
    store: Option<String>,
    /// A standby of that database that may answer readers, and how old what it says may be.
    store_replica: Option<String>,
    store_replica_max_age_seconds: Option<u32>,
    postgres: PostgresConfig,
    zenlayer: ZenlayerConfig,
    modelarts: ModelArtsConfig,
    webhooks: WebhooksConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            requests_per_second_per_principal: 0,
            master_key_file: None,
            ended_reservations_kept_hours: 24,
            inventory_mib_max: 16,
            store: None,
            store_replica: None,
            store_replica_max_age_seconds: None,
            postgres: PostgresConfig::default(),
            zenlayer: ZenlayerConfig::default(),
            modelarts: ModelArtsConfig::default(),
            webhooks: WebhooksConfig::default(),
        }
    }
}

/// How to use a database.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PostgresConfig {
    /// Certificates of the authorities to trust, in PEM form.
    authorities_file: Option<PathBuf>,
    /// Transactions at the same time that change something.
    lanes: u16,
    /// Connections at the same time that only read.
    readers: u16,
    /// How long one statement may take, waiting for locks included.
    statement_timeout_seconds: u16,
    /// How long to wait for a connection to one host.
    connect_timeout_seconds: u16,
}

impl Default for PostgresConfig {
    fn default() -> Self {
        Self {
            authorities_file: None,
            lanes: 1,
            readers: 8,
            statement_timeout_seconds: 10,
            connect_timeout_seconds: 5,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ZenlayerConfig {
    unknown_zone: UnknownZone,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UnknownZone {
    #[default]
    RegionNotFound,
    ZoneNotFound,
    Omit,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ModelArtsConfig {
    numbers: Numbers,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Numbers {
    #[default]
    Integer,
    String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WebhooksConfig {
    allow_plain_http: bool,
    allow_private_targets: bool,
    authorities_file: Option<PathBuf>,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("the configuration `{path}` cannot be read")]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the store is none: give `postgres://user:password@host:port/database`")]
    Store,
    #[error(
        "the replica is not whole: give `--store`, `--store-replica postgres://…` and \
         `--store-replica-max-age` of at least 1 s together"
    )]
    Replica,
    #[error("the configuration `{path}` is wrong")]
    Content {
        path: PathBuf,
        #[source]
        source: toml::de::Error,
    },
}

impl Config {
    /// Reads the settings, or takes the defaults where no file is named.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File {
            path: path.to_owned(),
            source,
        })?;
        toml::from_str(&text).map_err(|source| ConfigError::Content {
            path: path.to_owned(),
            source,
        })
    }

    /// How long a reservation is remembered after it has ended, in milliseconds.
    pub(crate) fn ended_reservations_kept_ms(&self) -> u64 {
        u64::from(self.ended_reservations_kept_hours) * 60 * 60 * 1_000
    }

    /// The most bytes of the body of one reconcile: never more than there is room for all bodies.
    pub(crate) fn inventory_bytes_max(&self) -> usize {
        usize::from(self.inventory_mib_max.clamp(1, 64)) << 20
    }

    /// The database to keep the ledger in, where one is named here or on the command line.
    ///
    /// Errors: [`ConfigError::Store`] where it is none.
    pub(crate) fn database(
        &self,
        named: Option<&str>,
    ) -> Result<Option<PostgresOptions>, ConfigError> {
        let Some(url) = named.or(self.store.as_deref()) else {
            return Ok(None);
        };
        if !is_postgres(url) {
            return Err(ConfigError::Store);
        }
        let seconds = |count: u16| Duration::from_secs(u64::from(count.max(1)));
        Ok(Some(PostgresOptions {
            authorities_file: self.postgres.authorities_file.clone(),
            lanes: usize::from(self.postgres.lanes),
            readers: usize::from(self.postgres.readers),
            statement_timeout: seconds(self.postgres.statement_timeout_seconds),
            connect_timeout: seconds(self.postgres.connect_timeout_seconds),
            ..PostgresOptions::new(url)
        }))
    }

    /// As [`database`](Self::database), with the replica that is named here or on the command line.
    ///
    /// Errors: [`ConfigError::Replica`] where its address or its age is missing, or the store's.
    pub(crate) fn database_with_replica(
        &self,
        store: Option<&str>,
        replica: Option<&str>,
        age_max_seconds: Option<u32>,
    ) -> Result<Option<PostgresOptions>, ConfigError> {
        let replica = replica.or(self.store_replica.as_deref());
        let age_max_seconds = age_max_seconds.or(self.store_replica_max_age_seconds);
        let replica = match (replica, age_max_seconds) {
            (None, None) => return self.database(store),
            (Some(url), Some(seconds)) if is_postgres(url) && 0 < seconds => ReplicaOptions {
                url: url.to_owned(),
                age_max: Duration::from_secs(u64::from(seconds)),
            },
            (Some(_) | None, Some(_) | None) => return Err(ConfigError::Replica),
        };
        let options = self.database(store)?.ok_or(ConfigError::Replica)?;
        Ok(Some(PostgresOptions {
            replica: Some(replica),
            ..options
        }))
    }

    /// The settings of the Zenlayer dialect.
    pub(crate) fn zenlayer(&self) -> zenlayer::Settings {
        zenlayer::Settings {
            unknown_zone: match self.zenlayer.unknown_zone {
                UnknownZone::RegionNotFound => zenlayer::UnknownZone::RegionNotFound,
                UnknownZone::ZoneNotFound => zenlayer::UnknownZone::ZoneNotFound,
                UnknownZone::Omit => zenlayer::UnknownZone::Omit,
            },
        }
    }

    /// The settings of the ModelArts dialect.
    pub(crate) fn modelarts(&self) -> modelarts::Settings {
        modelarts::Settings {
            numbers: match self.modelarts.numbers {
                Numbers::Integer => modelarts::Numbers::Integer,
                Numbers::String => modelarts::Numbers::String,
            },
        }
    }

    /// What webhooks may reach.
    pub(crate) fn webhooks(&self) -> webhooks::Settings {
        webhooks::Settings {
            policy: webhooks::Policy {
                allow_plain_http: self.webhooks.allow_plain_http,
                allow_private_targets: self.webhooks.allow_private_targets,
            },
            authorities_file: self.webhooks.authorities_file.clone(),
        }
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// What to log, from `RUST_LOG`: `info` where nothing is said.
pub(crate) fn log_filter() -> tracing_subscriber::EnvFilter {
    tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing::level_filters::LevelFilter::INFO.into())
        .from_env_lossy()
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
