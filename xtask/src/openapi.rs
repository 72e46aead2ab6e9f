//! The committed description of the native API is what the server itself says.

use std::path::{Path, PathBuf};

use crate::step::{Failure, cargo, output};

const DOCUMENT: &str = "openapi/plimsoll.json";

/// Writes the document anew.
pub(crate) fn write(root: &Path) -> Result<(), Failure> {
    let document = described_by_server(root)?;
    let path = path(root);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| cannot("create", folder, &error))?;
    }
    std::fs::write(&path, document).map_err(|error| cannot("write", &path, &error))?;
    println!("wrote {DOCUMENT}");
    Ok(())
}

/// Errors: the committed document is absent, or is not byte for byte what the server says.
pub(crate) fn check(root: &Path) -> Result<(), Failure> {
    let described = described_by_server(root)?;
    let path = path(root);
    let committed = std::fs::read(&path).map_err(|error| cannot("read", &path, &error))?;
    match first_difference(&committed, &described) {
        None => Ok(()),
        Some(line) => Err(Failure::new(format!(
            "{DOCUMENT}:{line}: differs from what the server says; run `cargo xtask openapi` and \
             commit the result"
        ))),
    }
}

fn described_by_server(root: &Path) -> Result<Vec<u8>, Failure> {
    let words = [
        "run",
        "--quiet",
        "--locked",
        "--package",
        "plimsoll",
        "--",
        "openapi",
    ];
    output(&mut cargo(root, &words))
}

fn path(root: &Path) -> PathBuf {
    root.join(DOCUMENT)
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot {verb} `{}`: {error}", path.display()))
}

/// The number of the first line that differs, counted from 1.
fn first_difference(left: &[u8], right: &[u8]) -> Option<usize> {
    if left == right {
        return None;
    }
    let same = left
        .iter()
        .zip(right)
        .take_while(|(one, other)| one == other);
    Some(1 + same.filter(|(byte, _)| **byte == b'\n').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_different_line_is_named() {
        let cases: [(&[u8], &[u8], Option<usize>); 4] = [
            (b"a\nb\n", b"a\nb\n", None),
            (b"a\nb\n", b"a\nc\n", Some(2)),
            (b"a\n", b"a\nb\n", Some(2)),
            (b"", b"a\n", Some(1)),
        ];
        for (left, right, line) in cases {
            assert_eq!(first_difference(left, right), line);
        }
    }
}
