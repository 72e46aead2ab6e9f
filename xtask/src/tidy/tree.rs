//! What the checks look at: the files that git knows or would add, and the crates.

use std::path::Path;

use serde_json::Value;

use crate::step::{Failure, cargo, output, program};

/// The project as plain data.
pub(super) struct Tree {
    pub(super) files: Vec<File>,
    pub(super) packages: Vec<Package>,
}

/// One file. Its path is relative to the root, with `/` between the parts.
pub(super) struct File {
    pub(super) path: String,
    /// Nothing for what is not UTF-8, such as a picture.
    pub(super) text: Option<String>,
}

/// One crate of the workspace.
pub(super) struct Package {
    pub(super) name: String,
    pub(super) dependencies: Vec<Dependency>,
}

/// One line of a manifest's dependency tables.
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Cargo's word for where it comes from; nothing for a path in this workspace.
    pub(super) source: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Build,
    Dev,
}

impl Tree {
    pub(super) fn read(root: &Path) -> Result<Self, Failure> {
        Ok(Self {
            files: files(root)?,
            packages: packages(root)?,
        })
    }

    /// Files whose path ends with `ending`, with their text.
    pub(super) fn texts<'tree>(
        &'tree self,
        ending: &'tree str,
    ) -> impl Iterator<Item = (&'tree str, &'tree str)> {
        self.files
            .iter()
            .filter(move |file| file.path.ends_with(ending))
            .filter_map(|file| Some((file.path.as_str(), file.text.as_deref()?)))
    }

    /// Whether `path` is a file, or a folder with files in it.
    pub(super) fn has(&self, path: &str) -> bool {
        self.files.iter().any(|file| {
            file.path
                .strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || path.is_empty())
        })
    }
}

fn files(root: &Path) -> Result<Vec<File>, Failure> {
    let words = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let list = output(program("git", root).args(words))?;
    let list =
        String::from_utf8(list).map_err(|_| Failure::new("a file name is not UTF-8: rename it"))?;
    let mut files = Vec::new();
    for path in list.split_terminator('\0') {
        let full = root.join(path);
        // A file that was removed but not yet staged is still in the list.
        if !full.is_file() {
            continue;
        }
        let bytes = std::fs::read(&full)
            .map_err(|error| Failure::new(format!("cannot read `{path}`: {error}")))?;
        files.push(File {
            path: path.to_owned(),
            text: String::from_utf8(bytes).ok(),
        });
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn packages(root: &Path) -> Result<Vec<Package>, Failure> {
    let words = ["metadata", "--no-deps", "--format-version", "1", "--locked"];
    let metadata: Value = serde_json::from_slice(&output(&mut cargo(root, &words))?)
        .map_err(|error| Failure::new(format!("cannot read `cargo metadata`: {error}")))?;
    packages_in(&metadata).ok_or_else(|| Failure::new("`cargo metadata` has another shape now"))
}

fn packages_in(metadata: &Value) -> Option<Vec<Package>> {
    metadata
        .get("packages")?
        .as_array()?
        .iter()
        .map(package)
        .collect()
}

fn package(value: &Value) -> Option<Package> {
    let dependencies = value.get("dependencies")?.as_array()?;
    Some(Package {
        name: value.get("name")?.as_str()?.to_owned(),
        dependencies: dependencies.iter().map(dependency).collect::<Option<_>>()?,
    })
}

fn dependency(value: &Value) -> Option<Dependency> {
    let kind = match value.get("kind")?.as_str() {
        None => Kind::Normal,
        Some("build") => Kind::Build,
        Some("dev") => Kind::Dev,
        Some(_) => return None,
    };
    let source = value.get("source")?.as_str().map(str::to_owned);
    Some(Dependency {
        name: value.get("name")?.as_str()?.to_owned(),
        kind,
        source,
    })
}
