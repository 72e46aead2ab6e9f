//! Where the logs of a database stand, as a file that is kept elsewhere.
//!
//! A line for each log, in the order of their names: revision, hash, tenant; the catalogue's, the
//! first, has no third word. The last line is the hash of all, as `plimsoll verify` prints it: a
//! file that was cut off or changed does not have it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use plimsoll_store::{LogTip, Tips};

use crate::secrets::{hex, unhex, write_private};

/// Before the hash of all.
const TIP: &str = "tip: ";

/// Writes the file, whole or not at all.
pub(super) fn write(path: &Path, tips: &Tips) -> Result<(), String> {
    let written = write_private(path, text(tips).as_bytes());
    written.map_err(|error| format!("`{}` cannot be written: {error}", path.display()))
}

/// Reads what was written before.
pub(super) fn read(path: &Path) -> Result<Tips, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
    parse(&text).ok_or_else(|| {
        format!(
            "`{}` is not what `--tips` has written, or was changed since",
            path.display()
        )
    })
}

/// The line that ends the file, and what is printed.
pub(super) fn line_of_all(tips: &Tips) -> String {
    format!("{TIP}{}", hex(&tips.hash()))
}

fn text(tips: &Tips) -> String {
    let mut text = String::new();
    for (name, LogTip { revision, chain }) in &tips.0 {
        let line = format!("{revision} {} {name}", hex(chain));
        // Writing to a text does not fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text + &line_of_all(tips) + "\n"
}

fn parse(text: &str) -> Option<Tips> {
    let (lines, _) = text.strip_suffix('\n')?.rsplit_once('\n')?;
    let mut tips = BTreeMap::new();
    for line in lines.lines() {
        let mut words = line.split(' ');
        let revision = words.next()?.parse().ok()?;
        let chain = *unhex(words.next()?)?;
        let name = words.next().unwrap_or_default();
        tips.insert(name.to_owned(), LogTip { revision, chain });
    }
    let tips = Tips(tips);
    // The last line and the order of the others, too.
    (self::text(&tips) == text).then_some(tips)
}

#[cfg(test)]
#[path = "tips_tests.rs"]
mod tests;
