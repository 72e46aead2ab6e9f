//! `plimsoll verify`: the proof that the ledger holds together, for people and scripts.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::error::ErrorKind;
use plimsoll_store::sqlite::{Verified, verify_with};
use plimsoll_store::{PostgresOptions, StoreError, Tips, VerifiedDatabase, verify_postgres_with};

use super::bar::Bar;
use super::{print, tips};
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
    /// A tip that was printed before: the journal must still hold that record. Of a database, a
    /// file that `--tips` has written: each log must still hold that event.
    #[arg(long, value_name = "HEX or FILE")]
    expect_tip: Option<String>,
    /// Write where each log of the database stands, to be kept elsewhere and expected later.
    #[arg(long, value_name = "FILE")]
    tips: Option<PathBuf>,
}

/// Reads the whole ledger and says what is proved.
pub(super) fn run(arguments: &VerifyArguments) -> Result<(), Box<dyn Error>> {
    let config = Config::load(arguments.config.as_deref())?;
    match config.database(arguments.store.as_deref())? {
        Some(database) => of_database(arguments, &database),
        None => of_journal(arguments),
    }
}

/// Ends like a wrong command line: nothing was verified.
fn nothing_verified(what: &str) -> ! {
    clap::Error::raw(ErrorKind::ValueValidation, format!("{what}\n")).exit()
}

fn of_database(
    arguments: &VerifyArguments,
    options: &PostgresOptions,
) -> Result<(), Box<dyn Error>> {
    let expected = arguments.expect_tip.as_ref().map(|file| {
        let read = tips::read(Path::new(file));
        read.unwrap_or_else(|what| nothing_verified(&what))
    });
    let expected_logs = expected.as_ref().map(|tips| tips.0.len());
    let mut bar = Bar::new("events");
    let verified = verify_postgres_with(options, expected.unwrap_or_default(), |done, in_all| {
        bar.show(done, in_all);
    });
    bar.end();
    let verified = verified?;
    let found = verified.tips();
    print(&told_of_database(&verified, expected_logs, &found))?;
    if let Some(file) = &arguments.tips {
        tips::write(file, &found)?;
    }
    Ok(())
}

fn of_journal(arguments: &VerifyArguments) -> Result<(), Box<dyn Error>> {
    let directory = &arguments.data;
    if arguments.tips.is_some() {
        nothing_verified("`--tips` is for a database: of a journal, keep the tip that is printed");
    }
    let expected_tip = arguments.expect_tip.as_deref().map(|tip| match unhex(tip) {
        Some(hash) => *hash,
        None => nothing_verified("a tip is 64 hexadecimal digits"),
    });
    let is_there = ["journal.db", "journal.db-wal", "ledger.db"]
        .iter()
        .any(|file| directory.join(file).exists());
    if !is_there {
        nothing_verified(&format!("`{}` holds no journal", directory.display()));
    }
    let mut bar = Bar::new("records");
    let verified = verify_with(directory, expected_tip, |progress| {
        bar.show(progress.records_done, progress.records_in_all);
    });
    bar.end();
    match verified {
        Ok(verified) => Ok(print(&told(&verified))?),
        Err(error @ StoreError::NoPages) => nothing_verified(&error.to_string()),
        Err(error) => Err(error.into()),
    }
}

/// What was proved of a database, a line for each figure.
fn told_of_database(
    verified: &VerifiedDatabase,
    expected_logs: Option<usize>,
    found: &Tips,
) -> String {
    let VerifiedDatabase {
        events,
        logs,
        admissions,
        marked,
        reservations_live,
        rows,
    } = verified;
    let logs = logs.len();
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
    if let Some(logs) = expected_logs {
        lines.push(format!("expected tip: {logs} logs, each still holds it"));
    }
    lines.push(tips::line_of_all(found));
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
