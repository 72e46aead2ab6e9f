//! How far something is that takes long, on standard error.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// Records or events from which on it takes long enough for somebody to wonder.
const LONG: u64 = 10_000;

/// Lines that a log is told while one thing takes its time.
const LINES: u64 = 10;

/// A bar where standard error is a terminal.
pub(super) struct Bar {
    /// What is counted.
    of: &'static str,
    bar: Option<ProgressBar>,
    /// How many lines were written, where lines are wanted and it is no terminal.
    lines: Option<u64>,
}

impl Bar {
    /// Shows nothing where standard error is no terminal.
    pub(super) fn new(of: &'static str) -> Self {
        Self {
            of,
            bar: None,
            lines: None,
        }
    }

    /// Writes a few lines where standard error is no terminal.
    pub(super) fn with_lines(of: &'static str) -> Self {
        let is_log = !std::io::stderr().is_terminal();
        Self {
            lines: is_log.then_some(0),
            ..Self::new(of)
        }
    }

    pub(super) fn show(&mut self, done: u64, in_all: u64) {
        // Where somebody else adds some meanwhile, there are more.
        let in_all = in_all.max(done);
        if let Some(lines) = &mut self.lines {
            let due = done.saturating_mul(LINES).checked_div(in_all);
            if due.is_some_and(|due| *lines < due) {
                *lines = due.unwrap_or(LINES);
                eprintln!("{done} of {in_all} {}", self.of);
            }
        }
        if in_all < LONG || self.lines.is_some() {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let template = format!("{{bar:40}} {{pos}}/{{len}} {}, {{eta}} left", self.of);
            let bar = ProgressBar::new(in_all);
            match ProgressStyle::with_template(&template) {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        bar.set_length(in_all);
        bar.set_position(done);
    }

    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
