//! The rules of the source tree that a machine can check.
//!
//! Every check is a function from the [`Tree`] to its findings, so each can be tested with a
//! planted violation. A rule that is said twice in a review becomes a check here.

mod arrows;
mod links;
mod names;
mod sizes;
mod text;
mod tree;

#[cfg(test)]
mod tests;

use std::fmt::{self, Display, Formatter};
use std::path::Path;

use crate::step::Failure;
use crate::tidy::tree::Tree;

/// One broken rule: where, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: Option<usize>,
    message: String,
}

impl Finding {
    fn in_file(path: &str, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line: None,
            message: message.into(),
        }
    }

    fn at_line(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line: Some(line),
            message: message.into(),
        }
    }
}

impl Display for Finding {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            message,
        } = self;
        match line {
            Some(line) => write!(formatter, "{path}:{line}: {message}"),
            None => write!(formatter, "{path}: {message}"),
        }
    }
}

/// A rule, and the function that finds where it is broken.
struct Check {
    rule: &'static str,
    find: fn(&Tree) -> Vec<Finding>,
}

const CHECKS: [Check; 12] = [
    Check {
        rule: "arrows between crates go down only",
        find: arrows::upward_dependencies,
    },
    Check {
        rule: "the core depends on nothing",
        find: arrows::core_dependencies,
    },
    Check {
        rule: "the core is no_std",
        find: arrows::core_without_no_std,
    },
    Check {
        rule: "every dependency is published",
        find: arrows::git_dependencies,
    },
    Check {
        rule: "files stay small",
        find: sizes::long_files,
    },
    Check {
        rule: "the core stays small",
        find: sizes::long_core,
    },
    Check {
        rule: "decisions are numbered",
        find: names::decisions,
    },
    Check {
        rule: "no vendor's SDK is copied in",
        find: names::vendored_sdks,
    },
    Check {
        rule: "no trace of one machine",
        find: text::forbidden_words,
    },
    Check {
        rule: "every test runs, and none waits for the clock",
        find: text::tests_that_wait,
    },
    Check {
        rule: "no white space at the end of a line",
        find: text::trailing_space,
    },
    Check {
        rule: "links lead somewhere",
        find: links::broken_links,
    },
];

/// Applies every check to the project.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    let tree = Tree::read(root)?;
    let mut total = 0;
    for Check { rule, find } in &CHECKS {
        let findings = find(&tree);
        total += findings.len();
        for finding in findings {
            println!("{finding} ({rule})");
        }
    }
    if 0 < total {
        return Err(Failure::new(format!("{total} places are not tidy")));
    }
    println!(
        "tidy: {} checks on {} files, nothing found",
        CHECKS.len(),
        tree.files.len()
    );
    Ok(())
}
