//! Every check is shown a violation that was planted for it, and a clean neighbour.

use super::tree::{Dependency, File, Kind, Package, Tree};
use super::{Finding, arrows, links, names, sizes, text};

fn tree(files: &[(&str, &str)]) -> Tree {
    let files = files.iter().map(|(path, text)| File {
        path: (*path).to_owned(),
        text: Some((*text).to_owned()),
    });
    Tree {
        files: files.collect(),
        packages: vec![],
    }
}

fn package(name: &str, dependencies: &[(&str, Kind)]) -> Package {
    let dependencies = dependencies.iter().map(|(name, kind)| Dependency {
        name: (*name).to_owned(),
        kind: *kind,
        source: None,
    });
    Package {
        name: name.to_owned(),
        dependencies: dependencies.collect(),
    }
}

fn crates(packages: Vec<Package>) -> Tree {
    Tree {
        files: vec![],
        packages,
    }
}

/// The findings as `path` or `path:line`, in order.
#[track_caller]
fn check(findings: Vec<Finding>, expected: &[&str]) {
    let places: Vec<String> = findings
        .iter()
        .map(|finding| match finding.line {
            Some(line) => format!("{}:{line}", finding.path),
            None => finding.path.clone(),
        })
        .collect();
    assert_eq!(places, expected, "{findings:?}");
}

#[test]
fn an_arrow_upwards_is_found_in_every_table() {
    for kind in [Kind::Normal, Kind::Build, Kind::Dev] {
        let tree = crates(vec![
            package("plimsoll-core", &[]),
            package(
                "plimsoll-store",
                &[("plimsoll-core", Kind::Normal), ("rusqlite", kind)],
            ),
            package("plimsoll-dialects", &[("plimsoll-store", kind)]),
        ]);
        check(
            arrows::upward_dependencies(&tree),
            &["crates/plimsoll-dialects/Cargo.toml"],
        );
    }
}

#[test]
fn xtask_stands_apart() {
    let tree = crates(vec![
        package("plimsoll", &[]),
        package("xtask", &[("plimsoll", Kind::Normal)]),
    ]);
    check(arrows::upward_dependencies(&tree), &["xtask/Cargo.toml"]);
}

#[test]
fn a_crate_without_a_place_is_found() {
    let tree = crates(vec![package("plimsoll-extra", &[])]);
    check(
        arrows::upward_dependencies(&tree),
        &["crates/plimsoll-extra/Cargo.toml"],
    );
}

#[test]
fn the_core_may_have_test_dependencies_only() {
    let core = package("plimsoll-core", &[("proptest", Kind::Dev)]);
    check(arrows::core_dependencies(&crates(vec![core])), &[]);
    for kind in [Kind::Normal, Kind::Build] {
        let core = package("plimsoll-core", &[("serde", kind)]);
        let findings = arrows::core_dependencies(&crates(vec![core]));
        check(findings, &["crates/plimsoll-core/Cargo.toml"]);
    }
}

#[test]
fn a_core_with_std_is_found() {
    let door = "crates/plimsoll-core/src/lib.rs";
    check(
        arrows::core_without_no_std(&tree(&[(door, "//! Rules.\n#![no_std]\n")])),
        &[],
    );
    check(
        arrows::core_without_no_std(&tree(&[(door, "//! `#![no_std]`\n")])),
        &[door],
    );
    check(arrows::core_without_no_std(&tree(&[])), &[door]);
}

#[test]
fn git_dependencies_are_found_in_manifest_and_lock() {
    let mut tree = tree(&[(
        "Cargo.lock",
        "source = \"registry+x\"\nsource = \"git+y\"\n",
    )]);
    let mut package = package("plimsoll", &[("hyper", Kind::Dev)]);
    package.dependencies[0].source = Some("git+ssh://somewhere".to_owned());
    tree.packages.push(package);
    check(
        arrows::git_dependencies(&tree),
        &["crates/plimsoll/Cargo.toml", "Cargo.lock:2"],
    );
}

#[test]
fn long_files_are_found_outside_of_tests() {
    let (line_501, line_401) = ("x\n".repeat(501), "x\n".repeat(401));
    let tree = tree(&[
        ("crates/plimsoll/src/main.rs", &line_501),
        ("crates/plimsoll/src/config.rs", &line_401),
        ("crates/plimsoll/src/config/tests.rs", &line_501),
        ("crates/plimsoll/tests/it/main.rs", &line_501),
        ("crates/plimsoll-core/src/decide.rs", &line_401),
    ]);
    let long = [
        "crates/plimsoll/src/main.rs",
        "crates/plimsoll-core/src/decide.rs",
    ];
    check(sizes::long_files(&tree), &long);
}

#[test]
fn a_long_core_is_found() {
    let third = "x\n\n// Blank lines and comments are free.\n".repeat(1_366);
    let files: Vec<(&str, &str)> = [
        "crates/plimsoll-core/src/a.rs",
        "crates/plimsoll-core/src/b.rs",
        "crates/plimsoll-core/src/c.rs",
        "crates/plimsoll-core/src/tests.rs",
    ]
    .map(|path| (path, third.as_str()))
    .to_vec();
    check(sizes::long_core(&tree(&files)), &[]);
    let longer = [files, vec![("crates/plimsoll-core/src/d.rs", "x\nx\nx\n")]].concat();
    check(
        sizes::long_core(&tree(&longer)),
        &["crates/plimsoll-core/src/"],
    );
}

#[test]
fn decisions_have_consecutive_numbers_and_plain_names() {
    let tree = tree(&[
        ("docs/decisions/0001-one-file.md", ""),
        ("docs/decisions/0002-Two.md", ""),
        ("docs/decisions/0003-three.md", ""),
        ("docs/decisions/0004-four.md", ""),
        ("docs/decisions/notes.txt", ""),
    ]);
    check(
        names::decisions(&tree),
        &[
            "docs/decisions/0002-Two.md",
            "docs/decisions/0003-three.md",
            "docs/decisions/notes.txt",
        ],
    );
}

#[test]
fn copied_sdks_are_found() {
    let tree = tree(&[
        ("e2e/zenlayercloud/vm/models.py", ""),
        ("e2e/huaweicloudsdkcore-3.1.219.whl", ""),
        ("e2e/test_zenlayer.py", ""),
    ]);
    let copied = [
        "e2e/zenlayercloud/vm/models.py",
        "e2e/huaweicloudsdkcore-3.1.219.whl",
    ];
    check(names::vendored_sdks(&tree), &copied);
}

#[test]
fn traces_of_one_machine_are_found() {
    let place = ["see /wo", "rk/notes\n"].concat();
    let host = ["fine\nurl: https://py", "pi.org/simple\n"].concat();
    let registry = ["source = \"registry+https://crates", ".io\"\n"].concat();
    let tree = tree(&[
        ("a.md", &place),
        ("b.toml", &host),
        ("Cargo.lock", &registry),
        ("other/Cargo.toml", &registry),
    ]);
    check(
        text::forbidden_words(&tree),
        &["a.md:1", "b.toml:2", "other/Cargo.toml:1"],
    );
}

#[test]
fn tests_that_are_off_or_sleep_are_found() {
    let off = ["#[test]\n#[ig", "nore = \"slow\"]\nfn x() {}\n"].concat();
    let sleep = ["std::thread::", "sleep(pause);\n"].concat();
    let excused = ["// tidy: sleep the kernel has no event for this\n", &sleep].concat();
    let tree = tree(&[
        ("crates/plimsoll/src/lib.rs", &off),
        ("crates/plimsoll/src/jobs.rs", &sleep),
        ("crates/plimsoll/tests/it/main.rs", &sleep),
        ("crates/plimsoll/tests/it/kill.rs", &excused),
    ]);
    let found = [
        "crates/plimsoll/src/lib.rs:2",
        "crates/plimsoll/tests/it/main.rs:1",
    ];
    check(text::tests_that_wait(&tree), &found);
}

#[test]
fn white_space_at_the_end_of_a_line_is_found() {
    let tree = tree(&[
        ("a.rs", "fn x() {} \n"),
        ("b.md", "one\r\n"),
        ("c.py", "one\n\ttwo\n"),
        ("transcript.http", "GET / HTTP/1.1\r\n\r\n"),
    ]);
    check(text::trailing_space(&tree), &["a.rs:1", "b.md:1"]);
}

#[test]
fn broken_links_are_found() {
    let page = "\
[good](../README.md#start) and [folder](decisions/) and [out](https://example.com/a)
[here](#top) [bad](missing.md) `[code](missing.md)`
```
[code](missing.md)
```
![picture](pictures/ship.png \"Ship\")
[label]: ../CHANGELOG.md
[leaves](../../README.md)
";
    let tree = tree(&[
        (
            "README.md",
            "[guide](docs/guide.md) [docs](docs) [root](/README.md)\n",
        ),
        ("docs/guide.md", page),
        ("docs/decisions/0001-a.md", ""),
    ]);
    let broken = [
        "docs/guide.md:2",
        "docs/guide.md:6",
        "docs/guide.md:7",
        "docs/guide.md:8",
    ];
    check(links::broken_links(&tree), &broken);
}
