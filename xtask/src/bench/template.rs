//! Requests that are made once and differ in a few digits only, so that the generator costs little.

use std::sync::atomic::{AtomicU64, Ordering};

/// Ids that one connection may hand out before they could meet those of another.
const IDS_PER_BLOCK: u64 = 1_000_000_000;

/// Blocks that were given away; so no id comes twice in one run of the harness.
static BLOCKS: AtomicU64 = AtomicU64::new(1);

/// How many accounts the requests go to, and how they are named.
///
/// Shape: account `n` lies in scope `n / locations`, at location `n % locations`.
#[derive(Clone, Copy)]
pub(super) struct Accounts {
    pub(super) count: u64,
    pub(super) locations: u64,
}

#[derive(Clone, Copy)]
enum Field {
    Id,
    Account,
    Scope,
    Location,
}

#[derive(Clone, Copy)]
struct Slot {
    field: Field,
    start: usize,
    width: usize,
}

/// The bytes of a request, and where digits are to be put.
///
/// Shape: a run of two or more `#` is an id, of `$` an account, of `@` its scope, of `%` its location.
/// An id starts a new reservation: the fields after it belong to another account.
#[derive(Clone)]
pub(super) struct Template {
    bytes: Vec<u8>,
    slots: Vec<Slot>,
}

impl Template {
    /// A request that is always the same.
    pub(super) fn fixed(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let slots = Vec::new();
        Self { bytes, slots }
    }

    /// A request with slots.
    pub(super) fn with_slots(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let mut slots = Vec::new();
        let mut start = 0;
        for run in bytes.chunk_by(|one, next| one == next) {
            let width = run.len();
            let field = match run[0] {
                _ if width < 2 => None,
                b'#' => Some(Field::Id),
                b'$' => Some(Field::Account),
                b'@' => Some(Field::Scope),
                b'%' => Some(Field::Location),
                _ => None,
            };
            slots.extend(field.map(|field| Slot {
                field,
                start,
                width,
            }));
            start += width;
        }
        Self { bytes, slots }
    }
}

/// One connection's requests.
pub(super) struct Requests {
    template: Template,
    accounts: Accounts,
    next_id: u64,
    random: u64,
}

impl Requests {
    pub(super) fn new(template: Template, accounts: Accounts) -> Self {
        let block = BLOCKS.fetch_add(1, Ordering::Relaxed);
        Self {
            template,
            accounts,
            next_id: block * IDS_PER_BLOCK,
            random: block.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        }
    }

    pub(super) fn next(&mut self) -> &[u8] {
        let mut account = self.draw();
        for slot in &self.template.slots {
            let value = match slot.field {
                Field::Id => {
                    self.next_id += 1;
                    self.random = step(self.random);
                    account = draw(self.random, self.accounts);
                    self.next_id
                }
                Field::Account => account,
                Field::Scope => account / self.accounts.locations,
                Field::Location => account % self.accounts.locations,
            };
            write_digits(
                &mut self.template.bytes[slot.start..slot.start + slot.width],
                value,
            );
        }
        &self.template.bytes
    }

    fn draw(&mut self) -> u64 {
        self.random = step(self.random);
        draw(self.random, self.accounts)
    }
}

/// Knuth's multiplier: spread is all that is asked of it.
fn step(random: u64) -> u64 {
    random
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407)
}

fn draw(random: u64, accounts: Accounts) -> u64 {
    (random >> 33) % accounts.count
}

fn write_digits(place: &mut [u8], mut value: u64) {
    for digit in place.iter_mut().rev() {
        let last = u8::try_from(value % 10).expect("a digit is below ten");
        *digit = b'0' + last;
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_filled_with_as_many_digits_as_they_are_wide() {
        let accounts = Accounts {
            count: 1,
            locations: 1,
        };
        let mut requests = Requests::new(
            Template::with_slots("PUT /################ s-@@@ L-%%"),
            accounts,
        );
        let first = String::from_utf8(requests.next().to_vec()).expect("digits are text");
        let second = String::from_utf8(requests.next().to_vec()).expect("digits are text");
        assert!(first.ends_with(" s-000 L-00"), "{first}");
        assert!(!first.contains('#'), "{first}");
        assert_ne!(first, second);
    }

    #[test]
    fn digits_are_right_aligned() {
        let mut place = *b"#####";
        write_digits(&mut place, 42);
        assert_eq!(&place, b"00042");
    }
}
