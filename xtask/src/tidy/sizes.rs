//! Ratchets: what grew too long is split, the numbers stay. Functions are clippy's to count.

use crate::tidy::Finding;
use crate::tidy::tree::Tree;

const FILE_LINES_MAX: usize = 500;
const CORE_FILE_LINES_MAX: usize = 400;
/// An afternoon's read, where comments help and do not count: see
/// `docs/decisions/0006-the-core-counts-its-code.md`.
const CORE_CODE_LINES_MAX: usize = 4_100;
const CORE_SOURCE: &str = "crates/plimsoll-core/src/";

pub(super) fn long_files(tree: &Tree) -> Vec<Finding> {
    source_files(tree)
        .filter_map(|(path, text)| too_long(path, text.lines().count()))
        .collect()
}

fn too_long(path: &str, lines: usize) -> Option<Finding> {
    let lines_max = if path.starts_with(CORE_SOURCE) {
        CORE_FILE_LINES_MAX
    } else {
        FILE_LINES_MAX
    };
    let message = format!("{lines} lines, at most {lines_max}: split it by what it is about");
    (lines_max < lines).then(|| Finding::in_file(path, message))
}

pub(super) fn long_core(tree: &Tree) -> Vec<Finding> {
    let core = source_files(tree).filter(|(path, _)| path.starts_with(CORE_SOURCE));
    let total: usize = core.map(|(_, text)| code_lines(text)).sum();
    if total <= CORE_CODE_LINES_MAX {
        return vec![];
    }
    let message =
        format!("{total} lines of code in all, at most {CORE_CODE_LINES_MAX}: find what can go");
    vec![Finding::in_file(CORE_SOURCE, message)]
}

/// Lines that are neither blank nor comments.
fn code_lines(text: &str) -> usize {
    let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//");
    text.lines().map(str::trim).filter(is_code).count()
}

/// Rust files that are not tests.
fn source_files(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.texts(".rs").filter(|(path, _)| !is_test(path))
}

/// `tests.rs`, `…_tests.rs`, and all below a folder `tests` or `benches`.
pub(super) fn is_test(path: &str) -> bool {
    let in_test_folder = path
        .split('/')
        .any(|part| part == "tests" || part == "benches");
    in_test_folder || path.ends_with("/tests.rs") || path.ends_with("_tests.rs")
}
