//! What a build knows of databases: the layouts that it serves, and the rows that it reads.

use crate::record;

/// One change of the layout.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The statements.
    pub sql: &'static str,
    /// The layout that a build must know at least to serve behind it: an earlier one where the
    /// change takes nothing away that such a build needs.
    pub serves_from: u64,
    /// The version of rows and events that a build of this layout reads at most.
    pub record: u64,
}

/// A build. [`Build::THIS`] is the only one there is; tests make others, to stand side by side.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// All migrations, the first with number 1.
    pub migrations: &'static [Migration],
    /// The oldest layout that it serves, as long as nobody migrates.
    pub layout_min: u64,
}

impl Build {
    /// This one.
    pub const THIS: Self = Self {
        migrations: &[
            Migration {
                sql: include_str!("migrations/0001.sql"),
                serves_from: 1,
                record: record::VERSION as u64,
            },
            Migration {
                sql: include_str!("migrations/0002.sql"),
                serves_from: 1,
                record: record::VERSION as u64,
            },
            Migration {
                sql: include_str!("migrations/0003.sql"),
                serves_from: 2,
                record: record::VERSION as u64,
            },
            Migration {
                sql: include_str!("migrations/0004.sql"),
                serves_from: 2,
                record: record::VERSION as u64,
            },
        ],
        // It calls the functions of the fourth.
        layout_min: 4,
    };

    /// The layout that it makes.
    pub const fn layout(&self) -> u64 {
        self.migrations.len() as u64
    }

    /// The version of rows and events that it reads at most.
    pub fn record(&self) -> u64 {
        self.migrations.last().map_or(0, |last| last.record)
    }
}
