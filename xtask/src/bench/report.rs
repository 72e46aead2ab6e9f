//! The table that people read and the file that machines read.

use std::path::Path;

use serde_json::{Value, json};

use crate::bench::sample::Figures;
use crate::step::Failure;

/// One line of the table: one system on one path.
pub(super) struct Row {
    pub(super) path: &'static str,
    pub(super) system: String,
    pub(super) durability: &'static str,
    pub(super) figures: Figures,
}

/// How far from the limit a race of many clients ended.
pub(super) struct Race {
    pub(super) system: &'static str,
    pub(super) asked: u64,
    pub(super) limit: u64,
    pub(super) granted: u64,
}

/// Which way a target lies.
#[derive(Clone, Copy)]
pub(super) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// One line of the requirement, and what was measured for it.
pub(super) struct Target {
    pub(super) name: String,
    /// `None` where it could not be measured.
    pub(super) value: Option<f64>,
    pub(super) bound: Bound,
    pub(super) unit: &'static str,
}

/// All that one run found.
#[derive(Default)]
pub(super) struct Report {
    pub(super) machine: Vec<(&'static str, String)>,
    pub(super) rows: Vec<Row>,
    pub(super) races: Vec<Race>,
    pub(super) targets: Vec<Target>,
    pub(super) notes: Vec<String>,
}

impl Target {
    /// Not measured is not met.
    pub(super) fn is_met(&self) -> bool {
        self.value.is_some_and(|value| match self.bound {
            Bound::AtLeast(least) => least <= value,
            Bound::AtMost(most) => value <= most,
        })
    }

    fn bound_text(&self) -> String {
        let unit = self.unit;
        match self.bound {
            Bound::AtLeast(least) => format!(">= {}{unit}", number(least)),
            Bound::AtMost(most) => format!("<= {}{unit}", number(most)),
        }
    }
}

impl Report {
    pub(super) fn target(
        &mut self,
        name: impl Into<String>,
        value: Option<f64>,
        bound: Bound,
        unit: &'static str,
    ) {
        self.targets.push(Target {
            name: name.into(),
            value: value.filter(|value| value.is_finite()),
            bound,
            unit,
        });
    }

    /// Operations per second of the first system with this name on this path.
    pub(super) fn per_second(&self, path: &str, system: &str) -> Option<f64> {
        let row = self
            .rows
            .iter()
            .find(|row| row.path == path && row.system.starts_with(system));
        row.map(|row| row.figures.per_second)
    }

    pub(super) fn ratio(&self, path: &str, system: &str, peer: &str) -> Option<f64> {
        Some(self.per_second(path, system)? / self.per_second(path, peer)?)
    }

    pub(super) fn print(&self) {
        for (name, value) in &self.machine {
            println!("{name:<18} {value}");
        }
        self.print_rows();
        println!("\nrace to a limit, 64 clients            granted of limit   asked");
        for race in &self.races {
            let (granted, limit, asked) = (race.granted, race.limit, race.asked);
            println!("{:<38} {granted:>7} of {limit:<6} {asked:>7}", race.system);
        }
        println!();
        for note in &self.notes {
            println!("{note}");
        }
        println!(
            "\n{:<66} {:>10} {:>12}  met",
            "target", "measured", "wanted"
        );
        for target in &self.targets {
            let value = target.value.map_or("-".to_owned(), |value| {
                format!("{}{}", number(value), target.unit)
            });
            let met = if target.is_met() { "yes" } else { "NO" };
            let (name, wanted) = (&target.name, target.bound_text());
            println!("{name:<66} {value:>10} {wanted:>12}  {met}");
        }
    }

    fn print_rows(&self) {
        let mut path = "";
        for row in &self.rows {
            if row.path != path {
                path = row.path;
                println!(
                    "\n{path:<48} {:>10} {:>8} {:>8} {:>9} {:>8}  durability",
                    "per second", "p50 ms", "p99 ms", "cpu us/op", "load us"
                );
            }
            let figures = &row.figures;
            println!(
                "  {:<46} {:>10.0} {:>8.3} {:>8.3} {:>9.1} {:>8.1}  {}",
                row.system,
                figures.per_second,
                figures.p50_ms,
                figures.p99_ms,
                figures.server_cpu_us,
                figures.load_cpu_us,
                row.durability
            );
        }
    }

    pub(super) fn write(&self, file: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(&self.json())
            .map_err(|error| Failure::new(format!("cannot write figures: {error}")))?;
        let folder = file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(file, text + "\n"))
            .map_err(|error| Failure::new(format!("cannot write `{}`: {error}", file.display())))
    }

    fn json(&self) -> Value {
        let machine: serde_json::Map<String, Value> = self
            .machine
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let rows = self.rows.iter().map(|row| {
            json!({
                "path": row.path, "system": row.system, "durability": row.durability,
                "per_second": rounded(row.figures.per_second),
                "p50_ms": rounded(row.figures.p50_ms), "p99_ms": rounded(row.figures.p99_ms),
                "server_cpu_us_per_operation": rounded(row.figures.server_cpu_us),
                "load_cpu_us_per_operation": rounded(row.figures.load_cpu_us),
            })
        });
        let races = self.races.iter().map(|race| {
            json!({"system": race.system, "asked": race.asked, "limit": race.limit,
                "granted": race.granted})
        });
        let targets = self.targets.iter().map(|target| {
            json!({"name": target.name, "value": target.value.map(rounded),
                "target": target.bound_text(), "met": target.is_met()})
        });
        json!({
            "machine": machine,
            "rows": rows.collect::<Vec<_>>(),
            "races": races.collect::<Vec<_>>(),
            "notes": self.notes,
            "targets": targets.collect::<Vec<_>>(),
        })
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// As many digits as tell something.
fn number(value: f64) -> String {
    match value.abs() {
        size if 1_000.0 <= size => format!("{value:.0}"),
        size if 10.0 <= size => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
