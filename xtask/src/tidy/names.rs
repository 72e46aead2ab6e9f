//! Rules about the names of files.

use crate::tidy::Finding;
use crate::tidy::tree::Tree;

const DECISIONS: &str = "docs/decisions/";

/// `NNNN-title.md`, numbered from 0001 without a gap.
pub(super) fn decisions(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut expected = 1;
    for file in &tree.files {
        let Some(name) = file.path.strip_prefix(DECISIONS) else {
            continue;
        };
        match decision_number(name) {
            None => findings.push(Finding::in_file(
                &file.path,
                "name it `NNNN-title.md`: four digits, then small letters, digits and hyphens",
            )),
            Some(number) => {
                if number != expected {
                    let message = format!("its number should be {expected:04}: renumber");
                    findings.push(Finding::in_file(&file.path, message));
                }
                expected = number + 1;
            }
        }
    }
    findings
}

fn decision_number(name: &str) -> Option<u32> {
    let (digits, title) = name.strip_suffix(".md")?.split_once('-')?;
    let four_digits = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let titled = !title.is_empty() && title.bytes().all(plain);
    if four_digits && titled {
        digits.parse().ok()
    } else {
        None
    }
}

/// The vendors' SDKs are installed for the tests, never copied in.
pub(super) fn vendored_sdks(tree: &Tree) -> Vec<Finding> {
    let copied = tree
        .files
        .iter()
        .filter(|file| file.path.split('/').any(is_sdk));
    copied
        .map(|file| {
            let message = "a vendor's SDK must not be copied in: pin it in e2e/requirements.txt";
            Finding::in_file(&file.path, message)
        })
        .collect()
}

fn is_sdk(part: &str) -> bool {
    let sdk = part.starts_with("zenlayercloud") || part.starts_with("huaweicloudsdk");
    let package = part.ends_with(".whl") || part.ends_with(".tar.gz");
    sdk || package || part == "site-packages"
}
