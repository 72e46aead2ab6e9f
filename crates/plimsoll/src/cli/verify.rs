//! `plimsoll verify`: the proof that the journal holds together, for people and scripts.

use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use clap::error::ErrorKind;
use indicatif::{ProgressBar, ProgressStyle};
use plimsoll_store::sqlite::{Progress, Verified, verify_with};
use plimsoll_store::{Hash, StoreError};

use super::print;
use crate::secrets::{hex, unhex};

/// Records from which on it takes long enough for somebody to wonder.
const LONG_RECORDS: u64 = 10_000;

/// What to verify.
#[derive(Args, Debug)]
pub(super) struct VerifyArguments {
    /// Where the ledger is kept; a server may be running on it.
    #[arg(long, value_name = "DIR", default_value = "plimsoll-data")]
    data: PathBuf,
    /// A tip that was printed before: the journal must still hold that record.
    #[arg(long, value_name = "HEX", value_parser = parse_hash)]
    expect_tip: Option<Hash>,
}

/// Reads the whole journal and says what is proved.
pub(super) fn run(arguments: &VerifyArguments) -> Result<(), Box<dyn Error>> {
    let directory = &arguments.data;
    let is_there = ["journal.db", "journal.db-wal", "ledger.db"]
        .iter()
        .any(|file| directory.join(file).exists());
    if !is_there {
        let what = format!("`{}` holds no journal", directory.display());
        // A wrong command line, and said like one: nothing was verified.
        clap::Error::raw(ErrorKind::ValueValidation, format!("{what}\n")).exit();
    }
    let mut bar: Option<ProgressBar> = None;
    let verified = verify_with(directory, arguments.expect_tip, |progress| {
        if LONG_RECORDS <= progress.records_in_all {
            show(bar.get_or_insert_with(|| new_bar(progress)), progress);
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    match verified {
        Ok(verified) => Ok(print(&told(&verified))?),
        // Like a wrong command line: nothing was verified.
        Err(error @ StoreError::NoPages) => {
            clap::Error::raw(ErrorKind::ValueValidation, format!("{error}\n")).exit()
        }
        Err(error) => Err(error.into()),
    }
}

/// A bar on standard error, which shows nothing where that is no terminal.
fn new_bar(progress: Progress) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} records, {eta} left");
    let bar = ProgressBar::new(progress.records_in_all);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn show(bar: &ProgressBar, progress: Progress) {
    // A server beside this may add records meanwhile.
    bar.set_length(progress.records_in_all.max(progress.records_done));
    bar.set_position(progress.records_done);
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
