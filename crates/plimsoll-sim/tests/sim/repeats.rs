//! A run follows from its seed.

use plimsoll_sim::runner::shortfalls;
use plimsoll_sim::stage::{Counts, Stage};
use plimsoll_sim::step::Step;
use plimsoll_sim::world;

#[test]
fn the_same_seed_makes_the_same_run_and_its_steps_make_it_again() {
    let (one, same) = std::thread::scope(|scope| {
        let one = scope.spawn(|| world::run(4712, 1, None));
        let same = scope.spawn(|| world::run(4712, 1, None));
        (one.join().unwrap(), same.join().unwrap())
    });
    assert_eq!(one.finding, None);
    assert_eq!(one.trace, same.trace);
    assert_eq!(one.counts, same.counts);
    assert!(one.steps == same.steps);
    assert_eq!(shortfalls(&one.counts, 1), Vec::<String>::new());

    let text: String = one.steps.iter().map(|step| format!("{step}\n")).collect();
    let read = Step::parse_list(&text).unwrap();
    assert!(read == one.steps);
    let mut stage = Stage::new(None);
    for step in &read {
        stage.apply(step).unwrap();
    }
    assert_eq!(stage.trace, one.trace);
}

#[test]
fn another_seed_makes_another_run() {
    let mut traces: Vec<u64> = (1..=3)
        .map(|seed| world::run(seed, 0, None).trace)
        .collect();
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), 3);
}

#[test]
fn a_run_in_which_nothing_happens_proves_nothing() {
    let mut counts = world::run(1, 0, None).counts;
    assert!(shortfalls(&counts, 1).len() > 20);
    counts.merge(&Counts::default());
    assert_eq!(shortfalls(&counts, 0), Vec::<String>::new());
}
