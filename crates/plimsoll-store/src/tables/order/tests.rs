//! The order is that of a sorted set, whatever comes and goes.

use std::collections::BTreeSet;

use super::*;
use crate::testing::Dice;

/// Rows with their keys, some of them in an order.
#[derive(Default)]
struct World {
    keys: Vec<(u64, String)>,
    order: Order,
    sorted: BTreeSet<(u64, String, u32)>,
}

impl World {
    fn insert(&mut self, at: u64, id: &str) {
        let place = u32::try_from(self.keys.len()).expect("few");
        self.keys.push((at, id.to_owned()));
        self.order.insert(place, key_of(&self.keys));
        self.sorted.insert((at, id.to_owned(), place));
    }

    fn remove(&mut self, nth: usize) {
        let gone = self.sorted.iter().nth(nth).expect("one of them").clone();
        self.order.remove(gone.2, key_of(&self.keys));
        self.sorted.remove(&gone);
    }

    fn check(&self, dice: &mut Dice, what: &str) {
        let places = |from: Option<Key<'_>>| -> Vec<u32> {
            {
                let mut spot = self.order.start(from, key_of(&self.keys));
                std::iter::from_fn(|| self.order.step(&mut spot)).collect()
            }
        };
        let all: Vec<u32> = self.sorted.iter().map(|it| it.2).collect();
        assert!(places(None) == all, "{what}");
        for (at, id, _) in self.sorted.iter().skip(dice.below(50)).step_by(97) {
            // Behind one that is there, and behind one that is not.
            for id in [id.clone(), format!("{id}0"), id[1..].to_owned()] {
                let rest = self.sorted.iter();
                let rest = rest.filter(|it| (*at, &id) < (it.0, &it.1));
                let rest: Vec<u32> = rest.map(|it| it.2).collect();
                assert!(
                    places(Some(Key { at: *at, id: &id })) == rest,
                    "{what}, {at} {id}"
                );
            }
        }
    }
}

fn key_of<'a>(keys: &'a [(u64, String)]) -> impl Fn(u32) -> Key<'a> {
    |place| {
        let (at, id) = &keys[usize::try_from(place).expect("few")];
        Key { at: *at, id }
    }
}

/// Ids as callers make them: counted, random, of any length, with others as their beginning.
fn id(dice: &mut Dice, kind: usize, count: usize) -> String {
    match kind {
        0 => format!("order-2026-{count:08}"),
        1 => format!("r{}-{}", dice.below(4), count),
        2 => format!("{:016x}-{:016x}", dice.next(), dice.next()),
        3 => format!("{}{count}", "a".repeat(dice.below(30))),
        _ => format!("{:x}", dice.next() >> dice.below(60)),
    }
}

#[test]
fn an_order_is_that_of_a_sorted_set() {
    for seed in 0..40 {
        let mut dice = Dice(seed);
        let kind = dice.below(5);
        let instants = dice.pick(&[1, 3, 1_000, u64::MAX]);
        let mut world = World::default();
        for round in 0..4 {
            for count in 0..dice.below(2_000) {
                let id = id(&mut dice, kind, round * 2_000 + count);
                let at = dice.next() % instants;
                let key = (at, id.clone(), 0);
                let next = world.sorted.range(key..).next();
                if next.is_none_or(|it| (it.0, &it.1) != (at, &id)) {
                    world.insert(at, &id);
                }
            }
            world.check(&mut dice, &format!("seed {seed}, round {round}, grown"));
            if dice.below(2) == 0 {
                let places: Vec<u32> = world.sorted.iter().map(|it| it.2).collect();
                world.order = Order::of_sorted(&places, key_of(&world.keys));
                world.check(&mut dice, &format!("seed {seed}, round {round}, made anew"));
            }
            let keeps = dice.below(world.sorted.len() + 1);
            while keeps < world.sorted.len() {
                // Now from the front, as holds lapse; now from anywhere.
                let nth = dice.below(world.sorted.len()) * (round % 2);
                world.remove(nth);
            }
            world.check(&mut dice, &format!("seed {seed}, round {round}, shrunk"));
        }
        while !world.sorted.is_empty() {
            world.remove(0);
        }
        assert!(world.order.chunks.is_empty(), "seed {seed}");
    }
}

#[test]
fn places_are_sorted_by_their_ids() {
    for seed in 0..40 {
        let mut dice = Dice(seed);
        let kind = dice.below(5);
        let ids: BTreeSet<String> = (0..dice.below(3_000))
            .map(|count| id(&mut dice, kind, count))
            .collect();
        let mut ids: Vec<String> = ids.into_iter().collect();
        for index in (1..ids.len()).rev() {
            ids.swap(index, dice.below(index + 1));
        }
        let id_of = |place: u32| ids[usize::try_from(place).expect("few")].as_str();
        let mut places: Vec<u32> = (0..).take(ids.len()).collect();
        sort_by_id(&mut places, id_of);
        let ascend = |two: &[u32]| id_of(two[0]) < id_of(two[1]);
        assert!(places.windows(2).all(ascend), "seed {seed}");
    }
}

#[test]
fn ascending_keys_fill_their_chunks() {
    let mut world = World::default();
    for count in 0..4 * CHUNK_ENTRIES_MAX {
        world.insert(7, &format!("order-{count:06}"));
    }
    assert_eq!(world.order.chunks.len(), 4);
}

#[test]
fn what_goes_leaves_no_crowd_of_small_chunks() {
    let mut world = World::default();
    for count in 0..16 * CHUNK_ENTRIES_MAX {
        world.insert(7, &format!("order-{count:06}"));
    }
    let mut dice = Dice(1);
    while CHUNK_ENTRIES_MAX / 2 < world.sorted.len() {
        world.remove(dice.below(world.sorted.len()));
    }
    let chunks = world.order.chunks.len();
    assert!(chunks <= 8, "{chunks}");
    world.check(&mut dice, "thinned");
}
