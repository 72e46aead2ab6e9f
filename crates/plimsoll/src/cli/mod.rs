//! The command line.

use std::error::Error;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

mod bar;
mod copy;
mod tips;
mod verify;

use crate::config::Config;
use crate::serve;

/// Plimsoll, the quota authority: knows every limit and every use, and never lets anyone over.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the native API and the vendors' APIs.
    Serve(ServeArguments),
    /// Lay out the tables of a PostgreSQL database, or bring them up to what this build needs.
    Migrate(MigrateArguments),
    /// Move a whole ledger between a data directory and a PostgreSQL database.
    Copy(copy::CopyArguments),
    /// Prove from the journal, or a database's events, alone that no admission passed its limits.
    Verify(verify::VerifyArguments),
    /// Print the OpenAPI document of the native API.
    Openapi,
}

/// How to serve.
#[derive(Args, Debug)]
pub(crate) struct ServeArguments {
    /// Where the ledger and its keys are kept; made where it does not exist. With `--store`, the
    /// keys alone.
    #[arg(long, value_name = "DIR", default_value = "plimsoll-data")]
    pub(crate) data: PathBuf,
    /// Keep the ledger in a PostgreSQL database, which other nodes may share:
    /// `postgres://user:password@host:port/database`.
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// A standby of that database, which may answer who asks for quotas.
    #[arg(long, value_name = "URL")]
    pub(crate) store_replica: Option<String>,
    /// How old what the standby answers may be.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) store_replica_max_age: Option<u32>,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// Fill an empty ledger with the vendors' documented examples.
    #[arg(long)]
    pub(crate) demo: bool,
    /// Settings that few need: see docs/operators/configuration.md.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Which database to migrate.
#[derive(Args, Debug)]
struct MigrateArguments {
    /// The database: `postgres://user:password@host:port/database`.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Once no older node is left: let nodes write rows that only builds from this one on can read.
    #[arg(long)]
    finish: bool,
    /// Settings that few need: see docs/operators/configuration.md.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Does what the command line asks for.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    match &arguments.command {
        Command::Serve(serve) => {
            let config = Config::load(serve.config.as_deref())?;
            serve::run(serve, config)
        }
        Command::Migrate(migrate) => {
            let config = Config::load(migrate.config.as_deref())?;
            if migrate.finish {
                serve::finish_migration(migrate.store.as_deref(), &config)
            } else {
                serve::migrate(migrate.store.as_deref(), &config)
            }
        }
        Command::Copy(arguments) => copy::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Openapi => {
            let document = plimsoll_dialects::native::openapi::document();
            let document = serde_json::to_string_pretty(&document)?;
            match print(&document) {
                // Whoever reads has read enough: `plimsoll openapi | head`.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
                printed => Ok(printed?),
            }
        }
    }
}

/// Says something to the user, on standard output.
///
/// Errors: where nobody listens.
pub(crate) fn print(text: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{text}")?;
    output.flush()
}
