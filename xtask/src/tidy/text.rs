//! Rules about what stands in files.

use crate::tidy::Finding;
use crate::tidy::sizes::is_test;
use crate::tidy::tree::Tree;

/// Kinds of files in which white space at the end of a line has no meaning.
/// Transcripts of HTTP are not among them: their lines may end in a carriage return.
const SPACE_ENDINGS: [&str; 11] = [
    ".rs",
    ".toml",
    ".md",
    ".py",
    ".json",
    ".yml",
    ".yaml",
    ".sh",
    ".service",
    "Dockerfile",
    ".ci/run",
];

/// The words lie here in pieces, so that this file has none of them.
fn forbidden() -> [(String, &'static str); 8] {
    let place = "a place on one machine: use a path relative to the project";
    let host = "a registry's host: name the registry, its client knows where it is";
    [
        (["/wo", "rk/"].concat(), place),
        (["/ro", "ot/"].concat(), place),
        (["../sha", "red"].concat(), place),
        (["crates", ".io"].concat(), host),
        (["py", "pi.org"].concat(), host),
        (["python", "hosted.org"].concat(), host),
        (["npm", "js."].concat(), host),
        (["deb.", "debian.org"].concat(), host),
    ]
}

pub(super) fn forbidden_words(tree: &Tree) -> Vec<Finding> {
    let forbidden = forbidden();
    let mut findings = Vec::new();
    for (path, text) in tree.texts("") {
        for (index, line) in text.lines().enumerate() {
            if is_written_by_cargo(path, line) {
                continue;
            }
            for (word, why) in forbidden.iter().filter(|(word, _)| line.contains(word)) {
                let message = format!("`{word}` is {why}");
                findings.push(Finding::at_line(path, index + 1, message));
            }
        }
    }
    findings
}

fn is_written_by_cargo(path: &str, line: &str) -> bool {
    path == "Cargo.lock" && line.starts_with("source = \"registry+")
}

/// No test is switched off; a test that needs the clock to pass says why.
pub(super) fn tests_that_wait(tree: &Tree) -> Vec<Finding> {
    let switched_off = ["#[ig", "nore"].concat();
    let waits = ["thread::", "sleep"].concat();
    let excuse = "// tidy: sleep ";
    let mut findings = Vec::new();
    for (path, text) in tree.texts(".rs") {
        let mut before = "";
        for (index, line) in text.lines().enumerate() {
            if line.contains(&switched_off) {
                let message = "a test that is switched off proves nothing: mend it or remove it";
                findings.push(Finding::at_line(path, index + 1, message));
            }
            let excused = line.contains(excuse) || before.trim_start().starts_with(excuse);
            if is_test(path) && line.contains(&waits) && !excused {
                let message = "wait for an event with a deadline instead of sleeping, or say why \
                               not in a comment `// tidy: sleep …`";
                findings.push(Finding::at_line(path, index + 1, message));
            }
            before = line;
        }
    }
    findings
}

pub(super) fn trailing_space(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in SPACE_ENDINGS.iter().flat_map(|ending| tree.texts(ending)) {
        for (index, line) in text.split('\n').enumerate() {
            if line.ends_with([' ', '\t', '\r']) {
                findings.push(Finding::at_line(
                    path,
                    index + 1,
                    "ends in white space: remove it",
                ));
            }
        }
    }
    findings
}
