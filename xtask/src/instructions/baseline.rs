//! What was counted when somebody last looked, and what may have changed since.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::step::Failure;

const FILE: &str = "xtask/instructions.json";

/// How much more may be counted than before, and how much less before it is worth a new baseline,
/// in hundredths.
const CHANGE_PERCENT_MAX: u64 = 10;

/// Instructions per operation, those of SHA-256's compression apart: they are most of a signature,
/// and would hide what happens beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) ours: u64,
    pub(super) sha256: u64,
}

/// Counts by the name of the case.
pub(super) type Cases = BTreeMap<String, Count>;

/// The counts of one target: what a compiler for another makes is not comparable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Measured {
    pub(super) target: String,
    pub(super) rustc: String,
    pub(super) cases: Cases,
}

/// The committed counts, of each target on which somebody has looked.
#[derive(Debug, Default)]
pub(super) struct Baseline(Vec<Measured>);

/// What came of a comparison.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// For people: a line for each count.
    pub(super) lines: Vec<String>,
    /// Why the change must not land as it is.
    pub(super) faults: Vec<String>,
}

impl Baseline {
    /// Reads the committed file.
    pub(super) fn read(root: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(root.join(FILE))
            .map_err(|error| Failure::new(format!("cannot read `{FILE}`: {error}")))?;
        Self::parse(&text).ok_or_else(|| Failure::new(format!("`{FILE}` holds no counts")))
    }

    /// Writes it anew.
    pub(super) fn write(&self, root: &Path) -> Result<(), Failure> {
        std::fs::write(root.join(FILE), self.text())
            .map_err(|error| Failure::new(format!("cannot write `{FILE}`: {error}")))?;
        println!("wrote {FILE}");
        Ok(())
    }

    /// Takes the counts of one target in place of those it had.
    pub(super) fn put(&mut self, counted: Measured) {
        self.0.retain(|known| known.target != counted.target);
        self.0.push(counted);
    }

    /// Holds counts against those that the same target had.
    pub(super) fn compare(&self, counted: &Measured) -> Found {
        let mut found = Found::default();
        let known = self.0.iter().find(|known| known.target == counted.target);
        let Some(known) = known else {
            let target = &counted.target;
            found
                .faults
                .push(format!("`{FILE}` has no counts for `{target}`"));
            return found;
        };
        for (name, count) in &counted.cases {
            match known.cases.get(name) {
                None => found.faults.push(format!("`{name}` is not in `{FILE}`")),
                Some(before) => {
                    found.judge(name, before.ours, count.ours);
                    if before.sha256 > 0 || count.sha256 > 0 {
                        found.judge(&format!("{name}, SHA-256"), before.sha256, count.sha256);
                    }
                }
            }
        }
        for name in known.cases.keys() {
            if !counted.cases.contains_key(name) {
                found
                    .faults
                    .push(format!("`{name}` of `{FILE}` was not counted"));
            }
        }
        if known.rustc != counted.rustc && !found.faults.is_empty() {
            found.faults.push(format!(
                "the compiler is another, which may be why: `{}` then, `{}` now",
                known.rustc, counted.rustc
            ));
        }
        found
    }

    fn parse(text: &str) -> Option<Self> {
        let file: Value = serde_json::from_str(text).ok()?;
        let targets = file.as_object()?.iter().map(|(target, counts)| {
            let cases = counts["cases"].as_object()?.iter().map(|(name, count)| {
                let count = Count {
                    ours: count["instructions"].as_u64()?,
                    sha256: count["sha256"].as_u64()?,
                };
                Some((name.clone(), count))
            });
            Some(Measured {
                target: target.clone(),
                rustc: counts["rustc"].as_str()?.to_owned(),
                cases: cases.collect::<Option<_>>()?,
            })
        });
        Some(Self(targets.collect::<Option<_>>()?))
    }

    fn text(&self) -> String {
        let targets = self.0.iter().map(|known| {
            let cases = known.cases.iter().map(|(name, count)| {
                let count = json!({"instructions": count.ours, "sha256": count.sha256});
                (name.clone(), count)
            });
            let cases: serde_json::Map<String, Value> = cases.collect();
            let counts = json!({"rustc": known.rustc, "cases": cases});
            (known.target.clone(), counts)
        });
        let targets: serde_json::Map<String, Value> = targets.collect();
        format!("{:#}\n", Value::Object(targets))
    }
}

impl Found {
    fn judge(&mut self, what: &str, before: u64, now: u64) {
        let is_more = now * 100 > before * (100 + CHANGE_PERCENT_MAX);
        let is_less = now * 100 < before * (100 - CHANGE_PERCENT_MAX);
        let hint = if is_less {
            ", renew the baseline with `--bless`"
        } else {
            ""
        };
        let line = format!(
            "{what:<40} {now:>8} instructions, {before:>8} before{}{hint}",
            change(before, now)
        );
        if is_more {
            self.faults.push(format!(
                "`{what}` takes {now} instructions, {before} before{}: at most \
                 {CHANGE_PERCENT_MAX} % more is let pass",
                change(before, now)
            ));
        }
        self.lines.push(line);
    }
}

/// `, +3.5 %`.
fn change(before: u64, now: u64) -> String {
    let permille = (i128::from(now) - i128::from(before)) * 1_000 / i128::from(before.max(1));
    let sign = if permille < 0 { '-' } else { '+' };
    let permille = permille.unsigned_abs();
    format!(", {sign}{}.{} %", permille / 10, permille % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(cases: &[(&str, u64, u64)]) -> Measured {
        let cases = cases.iter().map(|(name, ours, sha256)| {
            let count = Count {
                ours: *ours,
                sha256: *sha256,
            };
            ((*name).to_owned(), count)
        });
        Measured {
            target: "here".to_owned(),
            rustc: "rustc 1".to_owned(),
            cases: cases.collect(),
        }
    }

    fn baseline() -> Baseline {
        Baseline(vec![counted(&[
            ("decide", 1_000, 0),
            ("signature", 500, 20_000),
        ])])
    }

    /// What is said of counts beside the baseline: `(faults, hints)`.
    fn said(cases: &[(&str, u64, u64)]) -> (Vec<String>, usize) {
        let found = baseline().compare(&counted(cases));
        let hints = found.lines.iter().filter(|line| line.contains("--bless"));
        (found.faults.clone(), hints.count())
    }

    #[test]
    fn a_tenth_more_passes_and_anything_above_fails() {
        assert_eq!(
            said(&[("decide", 1_000, 0), ("signature", 500, 20_000)]),
            (vec![], 0)
        );
        assert_eq!(
            said(&[("decide", 1_100, 0), ("signature", 550, 22_000)]),
            (vec![], 0)
        );
        for (cases, fault) in [
            (
                [("decide", 1_101, 0), ("signature", 500, 20_000)],
                "`decide` takes 1101 instructions, 1000 before, +10.1 %: at most 10 % more is let pass",
            ),
            (
                [("decide", 1_000, 0), ("signature", 551, 20_000)],
                "`signature` takes 551 instructions, 500 before, +10.2 %: at most 10 % more is let pass",
            ),
            (
                [("decide", 1_000, 0), ("signature", 500, 22_001)],
                "`signature, SHA-256` takes 22001 instructions, 20000 before, +10.0 %: at most 10 % more is let pass",
            ),
            (
                [("decide", 1_000, 1), ("signature", 500, 20_000)],
                "`decide, SHA-256` takes 1 instructions, 0 before, +100.0 %: at most 10 % more is let pass",
            ),
        ] {
            assert_eq!(said(&cases), (vec![fault.to_owned()], 0));
        }
    }

    #[test]
    fn more_than_a_tenth_less_passes_and_asks_for_a_new_baseline() {
        assert_eq!(
            said(&[("decide", 900, 0), ("signature", 450, 18_000)]),
            (vec![], 0)
        );
        assert_eq!(
            said(&[("decide", 899, 0), ("signature", 500, 17_999)]),
            (vec![], 2)
        );
    }

    #[test]
    fn what_is_in_one_of_both_only_fails() {
        let (faults, _) = said(&[("decide", 1_000, 0), ("new", 1, 0)]);
        assert_eq!(
            faults,
            [
                "`new` is not in `xtask/instructions.json`",
                "`signature` of `xtask/instructions.json` was not counted",
            ]
        );
        let mut elsewhere = counted(&[]);
        elsewhere.target = "elsewhere".to_owned();
        assert_eq!(
            baseline().compare(&elsewhere).faults,
            ["`xtask/instructions.json` has no counts for `elsewhere`"]
        );
    }

    #[test]
    fn another_compiler_is_named_where_something_fails() {
        let mut newer = counted(&[("decide", 1_000, 0), ("signature", 500, 20_000)]);
        newer.rustc = "rustc 2".to_owned();
        assert!(baseline().compare(&newer).faults.is_empty());
        newer.cases.insert(
            "decide".to_owned(),
            Count {
                ours: 2_000,
                sha256: 0,
            },
        );
        let faults = baseline().compare(&newer).faults;
        assert_eq!(faults.len(), 2);
        assert!(
            faults[1].contains("`rustc 1` then, `rustc 2` now"),
            "{faults:?}"
        );
    }

    #[test]
    fn what_is_written_is_read() {
        let mut written = baseline();
        let mut elsewhere = counted(&[("decide", 7, 3)]);
        elsewhere.target = "elsewhere".to_owned();
        written.put(elsewhere.clone());
        written.put(elsewhere.clone());
        let read = Baseline::parse(&written.text()).expect("it is what was written");
        assert_eq!(read.0.len(), 2);
        assert!(read.0.contains(&elsewhere) && read.0.contains(&baseline().0[0]));
        assert!(Baseline::parse(r#"{"here": {"cases": {}}}"#).is_none());
    }
}
