//! An order of rows by a key that only the rows have.

use std::cmp::Ordering;
use std::ops::Range;

/// Entries of one chunk: a chunk is moved by entries that come and go, and found among all chunks.
const CHUNK_ENTRIES_MAX: usize = 512;

/// Bytes of a digest that may be the same in all of a chunk: two of decimal digits tell a hundred
/// entries apart, and taking digests looks at every row.
const DIGEST_BYTES_DULL: usize = 2;

/// What rows are ordered by: an instant, then an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key<'a> {
    pub(super) at: u64,
    pub(super) id: &'a str,
}

/// Places of rows, in the order of the rows' keys.
///
/// Shape: sorted chunks of sorted entries. A chunk keeps what the keys of it have in common, an
/// entry the four bytes of its key behind that. These differ between almost any two, so that a
/// search reads memory in a row and looks at few rows; a tree of keys would look at one a step.
///
/// A place stands for the same key as long as it is in the order: `key_of` must say so.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// None is empty.
    chunks: Vec<Chunk>,
}

/// A place in an order, as long as nothing comes and goes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spot {
    chunk: usize,
    entry: usize,
}

#[derive(Debug)]
struct Chunk {
    /// The bytes in front that are the same in all its keys.
    shared: Box<[u8]>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    digest: u32,
    place: u32,
}

impl Order {
    /// The order of places that are sorted by their keys: its chunks are full.
    pub(super) fn of_sorted<'a>(places: &[u32], key_of: impl Fn(u32) -> Key<'a>) -> Self {
        let chunks = places.chunks(CHUNK_ENTRIES_MAX);
        Self {
            chunks: chunks
                .map(|places| Chunk::of_sorted(places, &key_of))
                .collect(),
        }
    }

    /// Adds a place whose key is not there yet.
    pub(super) fn insert<'a>(&mut self, place: u32, key_of: impl Fn(u32) -> Key<'a>) {
        let key = key_of(place);
        let mut index = self.chunk_of(key, &key_of);
        let count = self.chunks.len();
        let Some(mut chunk) = self.chunks.get_mut(index) else {
            self.chunks.push(Chunk::of_one(place, key));
            return;
        };
        let mut position = chunk.position(key, &key_of);
        if chunk.entries.len() == CHUNK_ENTRIES_MAX {
            // Keys that only ascend fill their chunks.
            let is_end = position == CHUNK_ENTRIES_MAX && index + 1 == count;
            if is_end {
                self.chunks.push(Chunk::of_one(place, key));
                return;
            }
            let upper = chunk.split(&key_of);
            self.chunks.insert(index + 1, upper);
            if CHUNK_ENTRIES_MAX / 2 < position {
                index += 1;
            }
            chunk = &mut self.chunks[index];
            position = chunk.position(key, &key_of);
        }
        let digest = key.digest(chunk.shared.len());
        chunk.entries.insert(position, Entry { digest, place });
        if key.cmp_front(&chunk.shared).is_ne() {
            chunk.digest_from(chunk.shared_now(&key_of), &key_of);
        }
    }

    /// Takes a place away; its row still has the key that it had.
    pub(super) fn remove<'a>(&mut self, place: u32, key_of: impl Fn(u32) -> Key<'a>) {
        let key = key_of(place);
        let index = self.chunk_of(key, &key_of);
        let Some(chunk) = self.chunks.get_mut(index) else {
            return;
        };
        let position = chunk.position(key, &key_of);
        if chunk
            .entries
            .get(position)
            .is_none_or(|it| it.place != place)
        {
            return;
        }
        chunk.entries.remove(position);
        if chunk.entries.is_empty() {
            self.chunks.remove(index);
        } else if chunk.entries.len() < CHUNK_ENTRIES_MAX / 4 {
            self.join(index, &key_of);
        }
    }

    /// Makes one chunk of a small one and the next, where they are no more than half of one.
    fn join<'a>(&mut self, index: usize, key_of: &impl Fn(u32) -> Key<'a>) {
        let count = |index: usize| self.chunks.get(index).map(|it| it.entries.len());
        let (Some(one), Some(next)) = (count(index), count(index + 1)) else {
            return;
        };
        if one + next <= CHUNK_ENTRIES_MAX / 2 {
            let next = self.chunks.remove(index + 1);
            let chunk = &mut self.chunks[index];
            chunk.entries.extend(next.entries);
            chunk.digest_from(chunk.shared_now(key_of), key_of);
        }
    }

    /// Where the places begin; behind a key where one is given.
    pub(super) fn start<'a>(
        &self,
        after: Option<Key<'_>>,
        key_of: impl Fn(u32) -> Key<'a>,
    ) -> Spot {
        let Some(key) = after else {
            return Spot::default();
        };
        let chunk = self.chunk_of(key, &key_of);
        let entry = self.chunks.get(chunk).map_or(0, |chunk| {
            let position = chunk.position(key, &key_of);
            let found = chunk.entries.get(position);
            position + usize::from(found.is_some_and(|it| key_of(it.place) == key))
        });
        Spot { chunk, entry }
    }

    /// The place at a spot, which goes on to the next one.
    pub(super) fn step(&self, spot: &mut Spot) -> Option<u32> {
        loop {
            let chunk = self.chunks.get(spot.chunk)?;
            if let Some(entry) = chunk.entries.get(spot.entry) {
                spot.entry += 1;
                return Some(entry.place);
            }
            *spot = Spot {
                chunk: spot.chunk + 1,
                entry: 0,
            };
        }
    }

    /// The chunk in which a key is or would be; for the first key of all, the first one, there or
    /// not.
    fn chunk_of<'a>(&self, key: Key<'_>, key_of: &impl Fn(u32) -> Key<'a>) -> usize {
        // Most new keys are behind all others, or near the end.
        match self.chunks.last() {
            Some(last) if last.starts_by(key, key_of) => self.chunks.len() - 1,
            _ => {
                let behind = |chunk: &Chunk| chunk.starts_by(key, key_of);
                self.chunks.partition_point(behind).saturating_sub(1)
            }
        }
    }
}

impl Chunk {
    fn of_one(place: u32, key: Key<'_>) -> Self {
        let shared = key.front(key.len());
        let digest = key.digest(shared.len());
        Self {
            shared,
            entries: vec![Entry { digest, place }],
        }
    }

    fn of_sorted<'a>(places: &[u32], key_of: &impl Fn(u32) -> Key<'a>) -> Self {
        let entry = |place: &u32| Entry {
            digest: 0,
            place: *place,
        };
        let mut chunk = Self {
            shared: Box::default(),
            entries: places.iter().map(entry).collect(),
        };
        chunk.digest_from(chunk.shared_now(key_of), key_of);
        chunk
    }

    fn first<'a>(&self, key_of: &impl Fn(u32) -> Key<'a>) -> Key<'a> {
        key_of(self.entries[0].place)
    }

    /// Whether its first key is no greater: mostly told without a look at the row.
    fn starts_by<'a>(&self, key: Key<'_>, key_of: &impl Fn(u32) -> Key<'a>) -> bool {
        let digest = || key.digest(self.shared.len()).cmp(&self.entries[0].digest);
        let mostly = key.cmp_front(&self.shared).then_with(digest);
        mostly.then_with(|| key.cmp(&self.first(key_of))).is_ge()
    }

    /// How many entries have a lesser key.
    fn position<'a>(&self, key: Key<'_>, key_of: &impl Fn(u32) -> Key<'a>) -> usize {
        match key.cmp_front(&self.shared) {
            Ordering::Less => return 0,
            Ordering::Greater => return self.entries.len(),
            Ordering::Equal => {}
        }
        let same = self.with_digest(key.digest(self.shared.len()));
        let lesser = self.entries[same.clone()].partition_point(|it| key_of(it.place) < key);
        same.start + lesser
    }

    fn with_digest(&self, digest: u32) -> Range<usize> {
        let start = self.entries.partition_point(|it| it.digest < digest);
        let rest = &self.entries[start..];
        let is_same = |it: &Entry| it.digest == digest;
        // Mostly one or none: a chunk of ids of two kinds may have hundreds.
        let count = match rest.get(1) {
            Some(next) if is_same(next) => rest.partition_point(is_same),
            _ => usize::from(rest.first().is_some_and(is_same)),
        };
        start..start + count
    }

    /// Leaves the lower half and answers the upper one.
    fn split<'a>(&mut self, key_of: &impl Fn(u32) -> Key<'a>) -> Self {
        let mut upper = Self {
            shared: self.shared.clone(),
            entries: self.entries.split_off(CHUNK_ENTRIES_MAX / 2),
        };
        upper.sharpen(key_of);
        self.sharpen(key_of);
        upper
    }

    /// Takes digests anew where too much of them has become the same.
    fn sharpen<'a>(&mut self, key_of: &impl Fn(u32) -> Key<'a>) {
        let shared = self.shared_now(key_of);
        if self.shared.len() + DIGEST_BYTES_DULL <= shared {
            self.digest_from(shared, key_of);
        }
    }

    /// What its keys have in common: what the first and the last have.
    fn shared_now<'a>(&self, key_of: &impl Fn(u32) -> Key<'a>) -> usize {
        let first = self.first(key_of);
        let last = self.entries.last().map(|it| key_of(it.place));
        last.map_or(first.len(), |last| first.shared(last))
    }

    /// Says that so many bytes are the same in all keys.
    fn digest_from<'a>(&mut self, shared: usize, key_of: &impl Fn(u32) -> Key<'a>) {
        self.shared = self.first(key_of).front(shared);
        for entry in &mut self.entries {
            entry.digest = key_of(entry.place).digest(shared);
        }
    }
}

/// Sorts places by the ids of their rows.
///
/// It compares the eight bytes behind what all have in common, and looks at the rows of few.
pub(super) fn sort_by_id<'a>(places: &mut [u32], id_of: impl Fn(u32) -> &'a str) {
    let Some((first, others)) = places.split_first() else {
        return;
    };
    let first = id_of(*first).as_bytes();
    let shared = others.iter().fold(first.len(), |shared, place| {
        shared_front(&first[..shared], id_of(*place).as_bytes())
    });
    let digest = |place: &u32| first_bytes(&id_of(*place).as_bytes()[shared..]);
    let digests = places.iter().map(|place| (digest(place), *place));
    let mut sorted: Vec<([u8; 8], u32)> = digests.collect();
    sorted.sort_unstable_by(|(one, one_place), (other, other_place)| {
        let of_rows = || id_of(*one_place).cmp(id_of(*other_place));
        one.cmp(other).then_with(of_rows)
    });
    for (place, (_, sorted)) in places.iter_mut().zip(sorted) {
        *place = sorted;
    }
}

/// The bytes of an instant in front of those of an id.
const INSTANT_BYTES: usize = size_of::<u64>();

impl Key<'_> {
    fn len(self) -> usize {
        INSTANT_BYTES + self.id.len()
    }

    /// So many bytes in front.
    fn front(self, len: usize) -> Box<[u8]> {
        let bytes = self.at.to_be_bytes().into_iter().chain(self.id.bytes());
        bytes.take(len).collect()
    }

    /// Where it is against keys that all begin so; `Equal` where it begins so, too.
    fn cmp_front(self, shared: &[u8]) -> Ordering {
        let at = self.at.to_be_bytes();
        match shared.split_at_checked(INSTANT_BYTES) {
            None => at[..shared.len()].cmp(shared),
            Some((of_at, of_id)) => {
                let id = self.id.as_bytes();
                let front = &id[..id.len().min(of_id.len())];
                at.as_slice().cmp(of_at).then_with(|| front.cmp(of_id))
            }
        }
    }

    /// How many bytes in front are the same.
    fn shared(self, other: Key<'_>) -> usize {
        if self.at == other.at {
            INSTANT_BYTES + shared_front(self.id.as_bytes(), other.id.as_bytes())
        } else {
            let bits = (self.at ^ other.at).leading_zeros();
            usize::try_from(bits / 8).expect("less than the bytes of an instant")
        }
    }

    /// Four bytes behind so many, in an order that is the keys' own where those are the same: an
    /// id has no zeros.
    fn digest(self, shared: usize) -> u32 {
        let id = self.id.as_bytes();
        let digest = match shared.checked_sub(INSTANT_BYTES) {
            Some(of_id) => first_bytes(id.get(of_id..).unwrap_or_default()),
            None => {
                let mut bytes = [0; INSTANT_BYTES + 4];
                bytes[..INSTANT_BYTES].copy_from_slice(&self.at.to_be_bytes());
                bytes[INSTANT_BYTES..].copy_from_slice(&first_bytes::<4>(id));
                first_bytes(&bytes[shared..])
            }
        };
        u32::from_be_bytes(digest)
    }
}

/// How many bytes in front are the same; it looks at eight at once.
fn shared_front(one: &[u8], other: &[u8]) -> usize {
    let (ones, _) = one.as_chunks::<8>();
    let (others, _) = other.as_chunks::<8>();
    let chunks = ones
        .iter()
        .zip(others)
        .take_while(|(one, other)| one == other);
    let start = 8 * chunks.count();
    let rest = one[start..].iter().zip(&other[start..]);
    start + rest.take_while(|(one, other)| one == other).count()
}

/// The first bytes, zeros where there are fewer.
fn first_bytes<const N: usize>(bytes: &[u8]) -> [u8; N] {
    match bytes.first_chunk() {
        Some(front) => *front,
        None => {
            let mut front = [0; N];
            front[..bytes.len()].copy_from_slice(bytes);
            front
        }
    }
}

#[cfg(test)]
mod tests;
