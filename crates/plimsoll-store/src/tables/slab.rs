//! Values at places that do not move, in pieces of memory that do not grow.

/// Places in one piece: what grows by pieces never has itself twice in memory, as a vector has
/// while it moves.
const PIECE_PLACES: usize = 256;

/// Values by the place that each was given.
#[derive(Debug)]
pub(super) struct Slab<T> {
    pieces: Vec<Vec<Option<T>>>,
    /// Places that were left and are given again.
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self {
            pieces: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slab<T> {
    /// The value at a place that is taken.
    pub(super) fn at(&self, place: u32) -> &T {
        let (piece, index) = split(place);
        self.pieces[piece][index].as_ref().expect(TAKEN)
    }

    /// The same, to be changed.
    pub(super) fn at_mut(&mut self, place: u32) -> &mut T {
        let (piece, index) = split(place);
        self.pieces[piece][index].as_mut().expect(TAKEN)
    }

    /// Gives a value a place.
    pub(super) fn put(&mut self, value: T) -> u32 {
        if let Some(place) = self.free.pop() {
            let (piece, index) = split(place);
            self.pieces[piece][index] = Some(value);
            return place;
        }
        match self.pieces.last_mut() {
            Some(piece) if piece.len() < PIECE_PLACES => piece.push(Some(value)),
            Some(_) => {
                let mut piece = Vec::with_capacity(PIECE_PLACES);
                piece.push(Some(value));
                self.pieces.push(piece);
            }
            // The first piece grows like any vector: many slabs hold a row or two.
            None => self.pieces.push(vec![Some(value)]),
        }
        let full = (self.pieces.len() - 1) * PIECE_PLACES;
        let last = self.pieces.last().map_or(0, |piece| piece.len() - 1);
        u32::try_from(full + last).expect("memory holds fewer than 2^32 rows")
    }

    /// Takes the value from a place.
    pub(super) fn take(&mut self, place: u32) -> T {
        let (piece, index) = split(place);
        self.free.push(place);
        self.pieces[piece][index].take().expect(TAKEN)
    }

    /// All values with their places, in the order of these.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let places = (0..).zip(self.pieces.iter().flatten());
        places.filter_map(|(place, value)| Some((place, value.as_ref()?)))
    }
}

const TAKEN: &str = "a place is asked for as long as it is taken";

fn split(place: u32) -> (usize, usize) {
    let place = usize::try_from(place).expect("a place is less than a usize");
    (place / PIECE_PLACES, place % PIECE_PLACES)
}
