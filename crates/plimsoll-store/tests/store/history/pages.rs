//! Events page by page, and as they come.

use super::*;

#[test]
fn a_page_is_bounded() {
    let clock = HandClock::default();
    let directory = tempfile::tempdir().expect("a directory");
    let sqlite = open_at(directory.path(), &clock);
    let number = EVENTS_PAGE_MAX as u64 + 1;
    for store in [&Store::memory(clock.clock()), &sqlite] {
        submit(store, base());
        let many = (0..number).map(|number| put_limit("p", "vm/disk", finite(number)));
        submit(store, many.collect());
        let log = Log::Tenant(scope("acme"));
        let page = wait(store.events(&log, 3, usize::MAX)).expect("a page");
        assert_eq!(page.len(), EVENTS_PAGE_MAX);
        let (all, place) = wait(store.events_behind(1, usize::MAX)).expect("a record");
        assert_eq!((all.len() as u64, place), (number, 2), "records are whole");
    }
}

#[test]
fn a_change_ticks_when_its_events_are_there() {
    let directory = tempfile::tempdir().expect("a directory");
    let sqlite = open(directory.path());
    for store in [&Store::memory(HandClock::default().clock()), &sqlite] {
        let mut changes = store.changes();
        assert_eq!(*changes.borrow_and_update(), 0);
        std::thread::scope(|threads| {
            threads.spawn(|| submit(store, base()));
            wait(changes.changed()).expect("the store is there");
            let place = *changes.borrow_and_update();
            assert_eq!(wait(store.events_behind(0, 99)).expect("events").1, place);
            assert_eq!(events(store, &Log::Tenant(scope("acme")), 99).len(), 3);
        });
        submit(store, vec![put_scope("acme", None)]);
        assert!(
            !changes.has_changed().expect("the store is there"),
            "nothing was written"
        );
    }
    drop(sqlite);
    assert_eq!(*open(directory.path()).changes().borrow(), 1);
}
