//! Which crate may know which.

use crate::tidy::Finding;
use crate::tidy::tree::{Kind, Package, Tree};

const CORE: &str = "plimsoll-core";
const CORE_DOOR: &str = "crates/plimsoll-core/src/lib.rs";

/// Every crate of the workspace, and the crates of the workspace that it may use, in tests too.
const ALLOWED: [(&str, &[&str]); 6] = [
    ("plimsoll-core", &[]),
    ("plimsoll-dialects", &["plimsoll-core"]),
    ("plimsoll-store", &["plimsoll-core"]),
    (
        "plimsoll",
        &["plimsoll-core", "plimsoll-dialects", "plimsoll-store"],
    ),
    (
        "plimsoll-sim",
        &["plimsoll-core", "plimsoll-dialects", "plimsoll-store"],
    ),
    ("xtask", &["plimsoll-core"]),
];

pub(super) fn upward_dependencies(tree: &Tree) -> Vec<Finding> {
    tree.packages
        .iter()
        .flat_map(|package| upward_of(package, &tree.packages))
        .collect()
}

fn upward_of(package: &Package, all: &[Package]) -> Vec<Finding> {
    let manifest = manifest(&package.name);
    let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == package.name) else {
        let message = "a crate without a place: put it in `ALLOWED` of xtask/src/tidy/arrows.rs";
        return vec![Finding::in_file(&manifest, message)];
    };
    let inside = package
        .dependencies
        .iter()
        .filter(|dependency| all.iter().any(|other| other.name == dependency.name));
    inside
        .filter(|dependency| !allowed.contains(&dependency.name.as_str()))
        .map(|dependency| {
            let name = &dependency.name;
            let message = format!("must not depend on `{name}`: move what both need further down");
            Finding::in_file(&manifest, message)
        })
        .collect()
}

pub(super) fn core_dependencies(tree: &Tree) -> Vec<Finding> {
    let core = tree.packages.iter().filter(|package| package.name == CORE);
    core.flat_map(|package| &package.dependencies)
        .filter(|dependency| dependency.kind != Kind::Dev)
        .map(|dependency| {
            let name = &dependency.name;
            let message = format!("depends on `{name}`: only [dev-dependencies] may have lines");
            Finding::in_file(&manifest(CORE), message)
        })
        .collect()
}

pub(super) fn core_without_no_std(tree: &Tree) -> Vec<Finding> {
    let door = tree.texts(CORE_DOOR).next();
    let pure = door.is_some_and(|(_, text)| text.lines().any(|line| line == "#![no_std]"));
    if pure {
        vec![]
    } else {
        vec![Finding::in_file(CORE_DOOR, "add the line `#![no_std]`")]
    }
}

/// Looks at the manifests and at the lock file, so that what dependencies bring counts too.
pub(super) fn git_dependencies(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &tree.packages {
        for dependency in &package.dependencies {
            if dependency
                .source
                .as_deref()
                .is_some_and(|source| source.starts_with("git+"))
            {
                let message = format!("`{}` comes from git: use a release", dependency.name);
                findings.push(Finding::in_file(&manifest(&package.name), message));
            }
        }
    }
    for (path, text) in tree.texts("Cargo.lock") {
        for (index, line) in text.lines().enumerate() {
            if line.starts_with("source = \"git+") {
                let message = "a dependency comes from git: use a release";
                findings.push(Finding::at_line(path, index + 1, message));
            }
        }
    }
    findings
}

fn manifest(package: &str) -> String {
    if package == "xtask" {
        "xtask/Cargo.toml".to_owned()
    } else {
        format!("crates/{package}/Cargo.toml")
    }
}
