//! `plimsoll verify`: the proof that the ledger holds together, for people and scripts.

use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use clap::error::ErrorKind;
use plimsoll_store::sqlite::{Verified, verify_with};
use plimsoll_store::{Hash, PostgresOptions, StoreError, VerifiedDatabase, verify_postgres};

use super::bar::Bar;
use super::print;
use crate::config::Config;
use crate::secrets::{hex, unhex};

/// What to verify.
#[derive(Args, Debug)]
pub(super) struct VerifyArguments {
    /// Where the ledger is kept; a server may be running on it.
    #[arg(long, value_name = "DIR", default_value = "plimsoll-data")]
    data: PathBuf,
    /// Verify a PostgreSQL database instead; nodes may be running on it.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Settings that few need: see docs/operators/configuration.md.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A tip that was printed before: the journal must still hold that record.
    #[arg(long, value_name = "HEX", value_parser = parse_hash, conflicts_with = "store")]
    expect_tip: Option<Hash>,
}

/// Reads the whole ledger and says what is proved.
pub(super) fn run(arguments: &VerifyArguments) -> Result<(), Box<dyn Error>> {
    let config = Config::load(arguments.config.as_deref())?;
    match config.database(arguments.store.as_deref())? {
        Some(database) => of_database(&database),
        None => of_journal(arguments),
    }
}

fn of_database(options: &PostgresOptions) -> Result<(), Box<dyn Error>> {
    let mut bar = Bar::new("events");
    let verified = verify_postgres(options, |done, in_all| bar.show(done, in_all));
    bar.end();
    Ok(print(&told_of_database(&verified?))?)
}

fn of_journal(arguments: &VerifyArguments) -> Result<(), Box<dyn Error>> {
    let directory = &arguments.data;
    let is_there = ["journal.db", "journal.db-wal", "ledger.db"]
        .iter()
        .any(|file| directory.join(file).exists());
    if !is_there {
        let what = format!("`{}` holds no journal", directory.display());
        // A wrong command line, and said like one: nothing was verified.
        clap::Error::raw(ErrorKind::ValueValidation, format!("{what}\n")).exit();
    }
    let mut bar = Bar::new("records");
    let verified = verify_with(directory, arguments.expect_tip, |progress| {
        bar.show(progress.records_done, progress.records_in_all);
    });
    bar.end();
    match verified {
        Ok(verified) => Ok(print(&told(&verified))?),
        // Like a wrong command line: nothing was verified.
        Err(error @ StoreError::NoPages) => {
            clap::Error::raw(ErrorKind::ValueValidation, format!("{error}\n")).exit()
        }
        Err(error) => Err(error.into()),
    }
}

/// What was proved of a database, a line for each figure.
fn told_of_database(verified: &VerifiedDatabase) -> String {
    let VerifiedDatabase {
        events,
        logs,
        admissions,
        marked,
        reservations_live,
        rows,
        tip,
    } = verified;
    let mut lines = vec![
        format!("events: {events} in {logs} logs, each whole and chained to the one before"),
        format!("admissions: {admissions}, each within every limit then in force"),
    ];
    let marks = marked.iter();
    lines.extend(marks.map(|(mark, count)| format!("{mark}: {count}, not judged")));
    lines.push(format!(
        "reservations: {reservations_live} live, the accounts are their sum"
    ));
    lines.push(format!("rows: {rows}, each as the events left it"));
    lines.push(format!("tip: {}", hex(tip)));
    lines.join("\n")
}

/// What was proved, a line for each figure.
fn told(verified: &Verified) -> String {
    let Verified {
        records,
        events,
        logs,
        admissions,
        marked,
        reservations_live,
        ledger,
        pages,
        sqlite,
        expected,
        tip,
    } = verified;
    let mut lines = vec![
        format!("records: {records}, each whole and chained to the one before"),
        format!("events: {events} in {logs} logs, no revision missing"),
        format!("admissions: {admissions}, each within every limit then in force"),
    ];
    let marks = marked.iter();
    lines.extend(marks.map(|(mark, count)| format!("{mark}: {count}, not judged")));
    let sum = "the accounts are their sum";
    lines.push(format!("reservations: {reservations_live} live, {sum}"));
    lines.push(format!(
        "journal.db: {pages} pages, nothing changed between the records; last written by SQLite {sqlite}"
    ));
    match ledger {
        Some(sequence) => lines.push(format!("ledger.db: up to record {sequence}")),
        None => lines.push("ledger.db: not there".to_owned()),
    }
    if let Some(sequence) = expected {
        lines.push(format!("expected tip: record {sequence}"));
    }
    lines.push(format!("tip: {}", hex(tip)));
    lines.join("\n")
}

fn parse_hash(hex: &str) -> Result<Hash, &'static str> {
    match unhex(hex) {
        Some(hash) => Ok(*hash),
        None => Err("a tip is 64 hexadecimal digits"),
    }
}
