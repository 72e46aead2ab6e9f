//! The reservations of a round: most of its rows, and most of them there once.

use hashbrown::HashMap;

use crate::record::RowOutline;

/// Bytes of an id that stand in a place.
const ID_BYTES: usize = 12;

/// What reservations leave behind for those of the next round: room for as many. To ask the system
/// for it anew takes longer than to fill it.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Room {
    rows: Vec<Reservation<'static>>,
    order: Vec<(u128, u32)>,
}

/// Reservations, of which each may have changed several times.
#[derive(Default)]
pub(super) struct Reservations<'a> {
    /// One for each change, in their order.
    rows: Vec<Reservation<'a>>,
    /// For each of them the tenant's number and how its id begins, which tells most of them apart
    /// without a look at them, and where it stands in `rows`.
    order: Vec<(u128, u32)>,
    /// Their tenants, numbered as they come.
    tenants: HashMap<&'a [u8], u32>,
}

#[derive(Clone, Copy, Debug)]
struct Reservation<'a> {
    id: &'a [u8],
    row: RowOutline<'a>,
}

impl<'a> Reservations<'a> {
    /// None, where others have been.
    pub(super) fn within(room: Room) -> Self {
        Self {
            rows: room.rows,
            order: room.order,
            tenants: HashMap::new(),
        }
    }

    /// Leaves the room to others.
    pub(super) fn leave(mut self) -> Room {
        self.order.clear();
        // What is collected where it stood has the room that was there.
        let rows = self.rows.into_iter().map_while(|_| None).collect();
        Room {
            rows,
            order: self.order,
        }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, tenant: &'a [u8], id: &'a [u8], row: RowOutline<'a>) {
        let number = |count| u32::try_from(count).expect("a round has fewer than 2^32 rows");
        let next = number(self.tenants.len());
        let tenant = *self.tenants.entry(tenant).or_insert(next);
        let index = number(self.rows.len());
        self.order.push((place(tenant, id), index));
        self.rows.push(Reservation { id, row });
    }

    /// The last row of each reservation, in the order of their table: neighbours are then written
    /// one behind the other.
    pub(super) fn last_of_each(&mut self) -> impl Iterator<Item = &RowOutline<'a>> {
        let mut tenants: Vec<(&[u8], u32)> = self.tenants.drain().collect();
        tenants.sort_unstable();
        let mut ranks = vec![0_u32; tenants.len()];
        for (rank, (_, number)) in (0..).zip(tenants) {
            ranks[number as usize] = rank;
        }
        let rows = &self.rows;
        let id = |index: u32| rows[index as usize].id;
        for (place, _) in &mut self.order {
            let [a, b, c, d, begin @ ..] = place.to_be_bytes();
            let number = u32::from_be_bytes([a, b, c, d]);
            *place = self::place(ranks[number as usize], &begin);
        }
        self.order
            .sort_unstable_by(|(place, index), (other_place, other)| {
                let places = place.cmp(other_place);
                places.then_with(|| id(*index).cmp(id(*other)).then(index.cmp(other)))
            });
        let order = self.order.as_slice();
        let last = order.chunk_by(move |(place, index), (next_place, next)| {
            place == next_place && id(*index) == id(*next)
        });
        last.filter_map(|of_one| of_one.last())
            .map(|(_, index)| &rows[*index as usize].row)
    }
}

/// The tenant's number, then the beginning of an id.
fn place(tenant: u32, id: &[u8]) -> u128 {
    let mut begin = [0; ID_BYTES + 4];
    begin[..4].copy_from_slice(&tenant.to_be_bytes());
    for (place, byte) in begin[4..].iter_mut().zip(id) {
        *place = *byte;
    }
    u128::from_be_bytes(begin)
}
