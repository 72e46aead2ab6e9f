//! Links between the project's own pages.

use crate::tidy::Finding;
use crate::tidy::tree::Tree;

/// Relative links of Markdown pages lead to a file or folder that git knows.
pub(super) fn broken_links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts(".md") {
        for (line, target) in links(text) {
            let leads = resolve(path, &target).is_some_and(|resolved| tree.has(&resolved));
            if !leads {
                let message = format!("the link `{target}` leads nowhere: mend it");
                findings.push(Finding::at_line(path, line, message));
            }
        }
    }
    findings
}

/// Relative targets with their line numbers, outside of code.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            let line = without_code_spans(line);
            let targets = targets_in(&line).into_iter().filter_map(relative_path);
            found.extend(targets.map(|target| (index + 1, target.to_owned())));
        }
    }
    found
}

/// The line without what stands between backticks.
fn without_code_spans(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

/// Both `[text](target)` and `[label]: target`.
fn targets_in(line: &str) -> Vec<&str> {
    let inline = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'));
    let mut targets: Vec<&str> = inline.map(|(target, _)| target).collect();
    if line.starts_with('[') {
        targets.extend(line.split_once("]: ").map(|(_, target)| target));
    }
    targets
}

/// The path of a link into the project: no title, no fragment.
fn relative_path(target: &str) -> Option<&str> {
    let target = target.split_whitespace().next()?.trim_matches(['<', '>']);
    let path = target.split('#').next()?;
    let elsewhere = path.contains("://") || path.starts_with("mailto:");
    if path.is_empty() || elsewhere {
        None
    } else {
        Some(path)
    }
}

/// The target as a path from the root; nothing when it leaves the project.
fn resolve(page: &str, target: &str) -> Option<String> {
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}
