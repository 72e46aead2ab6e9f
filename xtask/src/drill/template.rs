//! The files of `deploy/ha`, filled in as its readers do: each `${NAME}` by a value.

use std::collections::BTreeMap;
use std::path::Path;

use crate::step::Failure;

/// Names and values.
pub(super) type Values = BTreeMap<&'static str, String>;

/// A file of `deploy/ha` with all that it leaves open filled in.
pub(super) fn filled(root: &Path, name: &str, values: &Values) -> Result<String, Failure> {
    let file = root.join("deploy/ha").join(name);
    let text = std::fs::read_to_string(&file);
    let text = text.map_err(|error| Failure::new(format!("`{}`: {error}", file.display())))?;
    fill(&text, values).map_err(|open| Failure::new(format!("`{name}` wants a value for `{open}`")))
}

/// Errors: the first name that has no value.
fn fill(text: &str, values: &Values) -> Result<String, String> {
    // In its first lines a file says what these are.
    let text = text.replace("`${…}`", "`…`");
    let mut parts = text.split("${");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').ok_or(part)?;
        filled.push_str(values.get(name).ok_or(name)?);
        filled.push_str(rest);
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_value() {
        let values = Values::from([("A", "1".to_owned()), ("B_2", "x".to_owned())]);
        let cases = [
            ("a: ${A}${B_2}, ${A}\n", Ok("a: 1x, 1\n")),
            ("# `${…}` are filled in\n$A", Ok("# `…` are filled in\n$A")),
            ("${C}", Err("C")),
            ("${A", Err("A")),
        ];
        for (text, expected) in cases {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(fill(text, &values), expected, "{text}");
        }
    }
}
