//! Journals of any shape are laid out as expected, and no byte of a page may be another one.

use std::collections::BTreeSet;
use std::sync::Arc;

use expect_test::expect;
use rusqlite::params;
use tempfile::TempDir;

use super::*;
use crate::sqlite::journal::Journal;
use crate::testing::Dice;

/// A journal whose records are bytes at random: only their lengths and pages matter here.
struct Sample {
    journal: Journal,
    dice: Dice,
    records: u64,
    _directory: TempDir,
}

impl Sample {
    fn new(seed: u64) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        files::create(directory.path(), Kind::Journal).expect("an empty directory");
        let journal = Journal::open(directory.path(), Arc::default()).expect("a new journal");
        let sample = Self {
            journal,
            dice: Dice(seed),
            records: 0,
            _directory: directory,
        };
        sample.run("PRAGMA synchronous = OFF");
        sample
    }

    fn connection(&self) -> &Connection {
        self.journal.reader().connection()
    }

    fn run(&self, sql: &str) {
        self.connection().execute_batch(sql).expect(sql);
    }

    fn add(&mut self, lens: &[usize]) {
        self.run("BEGIN");
        for len in lens {
            self.records += 1;
            let bytes: Vec<u8> = std::iter::repeat_with(|| self.dice.next().to_le_bytes())
                .flatten()
                .take(*len)
                .collect();
            let insert = "INSERT INTO journal VALUES (?1, ?2)";
            let mut insert = self.connection().prepare_cached(insert).expect(insert);
            let added = insert.execute(params![self.records, bytes]);
            added.expect("a new record");
        }
        self.run("COMMIT");
    }

    fn check(&self) -> Result<Pages, StoreError> {
        check(self.journal.reader(), self.records)
    }

    fn sound(&self) -> u32 {
        match self.check() {
            Ok(pages) => pages.pages,
            Err(error) => panic!("{} records: {error}", self.records),
        }
    }

    fn page(&self, number: u32) -> Vec<u8> {
        let mut select = select_page(self.connection()).expect("pages");
        let page = select.query_row([number], |row| row.get(0));
        page.expect("a page")
    }

    /// What a scan of the table shows; it stands for the replay, which knows each byte of it.
    fn scan(&self) -> Option<u32> {
        let select = "SELECT sequence, record FROM journal ORDER BY sequence";
        let mut select = self.connection().prepare_cached(select).ok()?;
        let mut rows = select.query([]).ok()?;
        let mut crc = crc32fast::Hasher::new();
        while let Some(row) = rows.next().ok()? {
            crc.update(&row.get::<_, u64>(0).ok()?.to_le_bytes());
            crc.update(row.get_ref(1).ok()?.as_blob().ok()?);
        }
        Some(crc.finalize())
    }

    /// What is said of a page with one bit changed; `None` where nobody notices.
    fn flipped(
        &self,
        number: u32,
        page: &[u8],
        at: usize,
        bit: usize,
        scan: u32,
    ) -> Option<String> {
        let mut changed = page.to_vec();
        changed[at] ^= 1 << bit;
        self.run("BEGIN");
        let update = "UPDATE sqlite_dbpage SET data = ?1 WHERE pgno = ?2";
        let mut update = self.connection().prepare_cached(update).expect(update);
        let changes = update.execute(params![changed, number]);
        assert_eq!(changes.expect("a page"), 1);
        let found = match self.check() {
            Err(StoreError::Damaged { what, .. }) => Some(what),
            Err(error) => Some(error.to_string()),
            Ok(_) if self.scan() != Some(scan) => Some("a record is another one".to_owned()),
            Ok(_) => None,
        };
        self.run("ROLLBACK");
        found
    }

    /// The places of a page where a changed bit goes unnoticed; the first bytes and every `step`th
    /// are tried.
    fn unnoticed(&mut self, number: u32, step: usize) -> BTreeSet<usize> {
        let scan = self.scan().expect("a sound journal");
        let page = self.page(number);
        let mut places = BTreeSet::new();
        for at in (0..16).chain((16..PAGE_BYTES).step_by(step)) {
            let bit = self.dice.below(8);
            if self.flipped(number, &page, at, bit, scan).is_none() {
                places.insert(at);
            }
        }
        places
    }
}

/// A small journal with pages of every kind: two of the records go on in other pages.
fn small() -> Sample {
    let mut sample = Sample::new(1);
    for len in [900, 60, 300, 58, 57, 700, 1, 500, 116, 117, 1_500] {
        sample.add(&[len]);
    }
    sample.add(&[
        LOCAL_BYTES_MAX - 4,
        LOCAL_BYTES_MAX - 3,
        10_000,
        200,
        40,
        3_000,
        80,
    ]);
    sample
}

#[test]
fn a_changed_bit_of_any_page_is_noticed() {
    let mut sample = small();
    let pages = sample.sound();
    let kinds: Vec<u8> = (1..=pages).map(|number| sample.page(number)[0]).collect();
    assert_eq!(
        kinds,
        [0x53, INTERIOR, LEAF, LEAF, LEAF, 0, LEAF, 0, 0, LEAF]
    );
    for number in 1..=pages {
        // All of the first, the root, a leaf with a gap, and the last page of a long record.
        let step = if [1, 2, 3, 9].contains(&number) {
            1
        } else {
            37
        };
        let unnoticed = sample.unnoticed(number, step);
        let version = 96..100_usize;
        let others = unnoticed
            .iter()
            .copied()
            .find(|at| number != 1 || !version.contains(at));
        assert_eq!(others, None, "page {number}");
    }
}

/// The version that wrote last is told; another one that may have written is taken for it.
#[test]
fn a_changed_bit_of_the_version_is_noticed_where_it_makes_none() {
    let sample = small();
    let scan = sample.scan().expect("a sound journal");
    let page = sample.page(1);
    let bits = (96..100).flat_map(|at| (0..8).map(move |bit| (at, bit)));
    let unnoticed: Vec<String> = bits
        .filter(|&(at, bit)| sample.flipped(1, &page, at, bit, scan).is_none())
        .map(|(at, bit)| format!("byte {at} bit {bit}"))
        .collect();
    expect![[r#"
        byte 98 bit 2
        byte 99 bit 0
        byte 99 bit 1
        byte 99 bit 2
        byte 99 bit 3
        byte 99 bit 6"#]]
    .assert_eq(&unnoticed.join("\n"));
    assert_eq!(sample.check().expect("sound").sqlite, rusqlite::version());
}

#[test]
fn a_page_is_named_with_its_first_record() {
    let sample = small();
    let scan = sample.scan().expect("a sound journal");
    let told: Vec<String> = [
        (1, 3_000),
        (1, 45),
        (2, 2_000),
        (2, 11),
        (3, 100),
        (4, 7),
        (9, 0),
        (9, 4_095),
    ]
    .map(|(number, at)| {
        let found = sample.flipped(number, &sample.page(number), at, 0, scan);
        format!("page {number} byte {at}: {}", found.unwrap_or_default())
    })
    .into();
    expect![[r#"
        page 1 byte 3000: page 1 is not that of a journal (byte 3000)
        page 1 byte 45: page 1 is not that of a journal (byte 45)
        page 2 byte 2000: record 1: page 2 holds bytes that no record wrote
        page 2 byte 11: record 17: page 11 is not there, or holds other records
        page 3 byte 100: record 1: page 3 holds bytes that no record wrote
        page 4 byte 7: record 11: page 4 holds bytes that no record wrote
        page 9 byte 0: record 14: page 9 holds bytes that no record wrote
        page 9 byte 4095: a record is another one"#]]
    .assert_eq(&told.join("\n"));
}

/// A record's last page may end with zeros that nobody reads, and a file with bytes that nobody
/// reads.
#[test]
fn a_file_that_is_a_byte_shorter_or_longer_is_noticed() {
    let mut sample = small();
    sample.add(&[LOCAL_BYTES_MIN + OVERFLOW_BYTES + 3_600]);
    sample.run("PRAGMA wal_checkpoint(TRUNCATE)");
    let whole = end_of(sample.sound());
    let told = [whole - 1, whole + 1].map(|bytes| {
        let mut options = File::options();
        let file = options.write(true).open(sample.journal.reader().path());
        file.and_then(|file| file.set_len(bytes)).expect("a file");
        match sample.check() {
            Err(StoreError::Damaged { what, .. }) => what,
            other => panic!("{:?}", other.map(|pages| pages.pages)),
        }
    });
    expect![[r#"
        record 19: page 12 is cut off
        page 13 belongs to no record"#]]
    .assert_eq(&told.join("\n"));
}

/// How many kinds of lengths there are.
const KINDS: usize = 6;

/// Lengths at random around those at which something changes.
fn lens(dice: &mut Dice, kind: usize) -> usize {
    match kind {
        0 => dice.below(60),
        1 => 40 + dice.below(600),
        2 => 1_200 + dice.below(800),
        3 => LOCAL_BYTES_MAX - 20 + dice.below(40),
        4 => dice.pick(&[0, 57, 58, 4_057, 4_058, 8_149, 8_150, 20_000]),
        _ => dice.below(2_200) + if dice.below(20) == 0 { 9_000 } else { 0 },
    }
}

#[test]
fn every_journal_is_laid_out_as_expected_at_every_size() {
    for (seed, kind) in (0..18).map(|seed| (seed, seed % KINDS)) {
        let mut sample = Sample::new(seed as u64);
        sample.sound();
        for _ in 0..40 {
            let count = sample.dice.pick(&[1, 1, 2, 9]);
            let lens: Vec<usize> = (0..count).map(|_| lens(&mut sample.dice, kind)).collect();
            sample.add(&lens);
            sample.sound();
        }
    }
}

/// A journal with so many pages between the root and the leaves.
fn deep(seed: u64, kind: usize, inner: usize) -> Sample {
    let mut sample = Sample::new(seed);
    while inner_pages(&sample).len() < inner {
        let lens: Vec<usize> = (0..997).map(|_| lens(&mut sample.dice, kind)).collect();
        sample.add(&lens);
    }
    sample.sound();
    sample
}

/// The pages between the root and the leaves.
fn inner_pages(sample: &Sample) -> Vec<u32> {
    let page = sample.page(ROOT);
    if page[0] == LEAF {
        return Vec::new();
    }
    let (children, last) = root(&page).expect("a root above leaves");
    let all = children.into_iter().map(|child| child.page).chain([last]);
    all.filter(|page| sample.page(*page)[0] == INTERIOR)
        .collect()
}

#[test]
fn a_large_journal_is_laid_out_as_expected() {
    for kind in 0..KINDS {
        deep(kind as u64, kind, 3);
    }
}

#[test]
fn a_changed_bit_between_root_and_leaves_is_noticed_but_for_leftovers() {
    let mut sample = deep(7, 2, 3);
    assert_eq!(sample.unnoticed(ROOT, 13), BTreeSet::new());
    let mut unnoticed_in_all = 0;
    for number in inner_pages(&sample) {
        let page = sample.page(number);
        let [count, content] = [3, 5].map(|at| usize::from(u16_at(&page, at).expect("a header")));
        let gap = INTERIOR_HEADER_BYTES + 2 * count..content;
        let unnoticed = sample.unnoticed(number, 29);
        unnoticed_in_all += unnoticed.len();
        let outside = unnoticed.iter().find(|at| !gap.contains(at));
        assert_eq!(outside, None, "page {number}");
    }
    assert!(0 < unnoticed_in_all, "no leftovers");
}

#[test]
fn numbers_are_written_as_sqlite_writes_them() {
    for (value, bytes) in [
        (0, &[0][..]),
        (0x7f, &[0x7f]),
        (0x80, &[0x81, 0]),
        (0x3fff, &[0xff, 0x7f]),
        (0x4000, &[0x81, 0x80, 0]),
        (
            0xff_ffff_ffff_ffff,
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ),
    ] {
        assert_eq!(varint(value), bytes);
        assert_eq!(varint_of(bytes), Some(value));
    }
    assert_eq!(varint_of(&[0xff; 9]), None);
    assert_eq!(varint_of(&[0x80]), None);
}
