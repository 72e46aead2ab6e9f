//! Counting with valgrind's callgrind: every instruction, the same number each time.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::baseline::{Cases, Count};
use crate::step::{Failure, output, program};

/// The function of the program in which is counted: its dumps are one for each call.
const COUNTED: &str = "instructions::counted_by_callgrind";

/// glibc chooses among its copying functions by the processor; these are the ones that all have.
const SAME_ON_ALL: (&str, &str) = (
    "GLIBC_TUNABLES",
    "glibc.cpu.hwcaps=-AVX2,-AVX2_Usable,-AVX512VL,-ERMS,-FSRM,-AVX_Fast_Unaligned_Load",
);

/// What one dump says: instructions in all, and those of SHA-256's compression among them.
#[derive(Debug, PartialEq, Eq)]
struct Dump {
    total: u64,
    sha256: u64,
}

/// Runs the program, and reads what it says of its cases and callgrind of their instructions.
pub(super) fn count(valgrind: &Path, binary: &Path) -> Result<Cases, Failure> {
    let (Some(folder), Some(name)) = (binary.parent(), binary.file_name()) else {
        return Err(Failure::new("the program has no folder"));
    };
    let dumps = tempfile::tempdir()
        .map_err(|error| Failure::new(format!("cannot make a folder: {error}")))?;
    let file = dumps.path().join("dump");
    // Hash tables are seeded with addresses: the stack's depends on the environment and the path.
    let mut command = program(valgrind, folder);
    command.env_clear().env(SAME_ON_ALL.0, SAME_ON_ALL.1);
    command
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--dump-after={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(Path::new(".").join(name));
    let said = output(&mut command)?;
    let mut cases = BTreeMap::new();
    for (index, line) in String::from_utf8_lossy(&said).lines().enumerate() {
        let strange = || Failure::new(format!("`{line}` names no case and its operations"));
        let (case, operations) = line.split_once('\t').ok_or_else(strange)?;
        let operations: u64 = operations.parse().map_err(|_| strange())?;
        let path = file.with_extension((index + 1).to_string());
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Failure::new(format!("callgrind left no `{case}`: {error}")))?;
        let dump = read(&text).map_err(|what| Failure::new(format!("`{case}`: {what}")))?;
        let per_operation = Count {
            ours: (dump.total - dump.sha256).div_ceil(operations),
            sha256: dump.sha256.div_ceil(operations),
        };
        cases.insert(case.to_owned(), per_operation);
    }
    Ok(cases)
}

/// Adds up a dump by function. A line of costs belongs to the `fn` before it; behind `calls` is
/// one that says again what was counted in the function that was called.
fn read(text: &str) -> Result<Dump, &'static str> {
    let mut names: HashMap<&str, bool> = HashMap::new();
    let mut dump = Dump {
        total: 0,
        sha256: 0,
    };
    let mut expected = None;
    let mut is_sha256 = false;
    let mut is_told_again = false;
    for line in text.lines() {
        if let Some(function) = line.strip_prefix("fn=") {
            is_sha256 = is_compression(function, &mut names);
        } else if let Some(function) = line.strip_prefix("cfn=") {
            is_compression(function, &mut names);
        } else if line.starts_with("calls=") {
            is_told_again = true;
        } else if let Some(total) = line.strip_prefix("totals: ") {
            expected = total.parse().ok();
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            if std::mem::take(&mut is_told_again) {
                continue;
            }
            let cost = line.split(' ').nth(1).and_then(|cost| cost.parse().ok());
            let cost: u64 = cost.ok_or("a line of costs has none")?;
            dump.total += cost;
            if is_sha256 {
                dump.sha256 += cost;
            }
        }
    }
    match expected {
        Some(total) if total == dump.total && total > 0 => Ok(dump),
        Some(0) => Err("nothing was counted"),
        Some(_) => Err("the functions do not add up to the total"),
        None => Err("the dump has no total"),
    }
}

/// `(17) name`, or `(17)` where it was named before: whether it compresses blocks of SHA-256.
fn is_compression<'a>(function: &'a str, names: &mut HashMap<&'a str, bool>) -> bool {
    let (number, name) = match function.split_once(' ') {
        Some((number, name)) => (number, Some(name)),
        None => (function, None),
    };
    if let Some(name) = name {
        let is_it = name.starts_with("sha2::sha256::") && name.contains("compress");
        names.insert(number, is_it);
    }
    names.get(number).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "\
version: 1
positions: line
events: Ir
summary: 1234

ob=(1) /tmp/program
fl=(1) ???
fn=(1) instructions::counted_by_callgrind
0 30
cfn=(2) sha2::sha256::soft::unroll::compress
calls=2 0
0 1200

fn=(2)
0 1000
+3 200

fn=(3) instructions::main::{{closure}}
-3 3
* 1
cfn=(2)
calls=1 0
* 600

totals: 1234
";

    #[test]
    fn functions_are_added_up_once_and_apart() {
        let expected = Dump {
            total: 1234,
            sha256: 1200,
        };
        assert_eq!(read(DUMP), Ok(expected));
        for (was, is, fault) in [
            ("* 1\n", "", "the functions do not add up to the total"),
            ("totals: 1234\n", "", "the dump has no total"),
            ("0 30", "0", "a line of costs has none"),
        ] {
            assert_eq!(read(&DUMP.replace(was, is)), Err(fault));
        }
        assert_eq!(read("totals: 0\n"), Err("nothing was counted"));
    }
}
