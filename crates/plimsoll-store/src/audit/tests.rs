//! Journals whose records are whole and whose events should not have been.

use expect_test::{Expect, expect};
use plimsoll_core::amount::Ceiling;
use plimsoll_core::event::{Cause, Change, Event, Log, Mark};
use plimsoll_core::model::{
    Account, Alerts, Attributes, Limit, Line, Lines, Mode, Reservation, Resource, Scope, State,
    Terms, Window,
};
use plimsoll_core::names::{PrincipalId, ReservationId, ResourceName, ScopeId, Text};

use crate::sqlite::{Opened, Verified, open, verify};
use crate::testing::{amount, instant, items, name};

fn scope(id: &str) -> ScopeId {
    name(id, ScopeId::parse)
}

/// `vm/disk`, five by default; `acme` and below it `p`.
fn world() -> Vec<(Cause, Mark, Vec<Change>)> {
    let put = |id: &str, parent: Option<&str>| {
        let scope = Scope {
            id: scope(id),
            parent: parent.map(scope),
            tenant: scope("acme"),
            depth: if parent.is_some() { 2 } else { 1 },
            kind: name("", Text::parse),
            tier: None,
        };
        (
            Cause::ScopePut,
            Mark::Enforced,
            vec![Change::Scope(scope.into())],
        )
    };
    let resource = Resource {
        name: name("vm/disk", ResourceName::parse),
        unit: name("count", Text::parse),
        default_ceiling: Ceiling::Finite(amount(5)),
        per_location: false,
        adjustable: true,
        description: name("", Text::parse),
        auto_approval: None,
        alerts: Alerts::default(),
    };
    let resource = Change::Resource(resource.into());
    vec![
        (Cause::ResourcePut, Mark::Enforced, vec![resource]),
        put("acme", None),
        put("p", Some("acme")),
    ]
}

fn limit(at: &str, units: u64) -> (Cause, Mark, Vec<Change>) {
    limit_with(at, units, Window::ALWAYS, Mode::Enforce)
}

fn limit_with(at: &str, units: u64, window: Window, mode: Mode) -> (Cause, Mark, Vec<Change>) {
    let [.., disk] = items();
    let limit = Limit {
        scope: scope(at),
        item: disk.clone(),
        window,
        ceiling: Ceiling::Finite(amount(units)),
        mode,
        set_by: name("root", PrincipalId::parse),
        set_at: instant(0),
        reason: name("", Text::parse),
        request: None,
        revision: 1,
    };
    let change = Change::Limits {
        scope: scope(at),
        item: disk,
        limits: vec![limit],
    };
    (Cause::LimitPut, Mark::Enforced, vec![change])
}

/// An event that leaves `p` and `acme` with what is used, and a reservation of so much.
fn takes(cause: Cause, id: &str, units: u64, used: u64) -> (Cause, Mark, Vec<Change>) {
    let [.., disk] = items();
    let line = Line {
        item: disk.clone(),
        amount: amount(units),
    };
    let reservation = Reservation {
        tenant: scope("acme"),
        id: name(id, ReservationId::parse),
        scope: scope("p"),
        lines: Lines::new(vec![line]).expect("a line"),
        original: None,
        terms: Terms::Commit,
        forced: None,
        holder: None,
        attributes: Attributes::default(),
        state: State::Committed,
        created_at: instant(0),
        revision: 1,
    };
    let account = |at| Change::Account {
        scope: scope(at),
        item: disk.clone(),
        account: Account {
            used: amount(used),
            held: amount(0),
        },
    };
    let changes = vec![
        account("p"),
        account("acme"),
        Change::Reservation(reservation.into()),
    ];
    (cause, Mark::Enforced, changes)
}

fn forced(event: (Cause, Mark, Vec<Change>)) -> (Cause, Mark, Vec<Change>) {
    let reason = name("it must be", Text::parse);
    (event.0, Mark::Forced { reason }, event.2)
}

/// Writes a journal of one event a record behind the world's, and verifies it.
fn verified(events: Vec<(Cause, Mark, Vec<Change>)>) -> Result<Verified, String> {
    let directory = tempfile::tempdir().expect("a directory");
    let Opened { mut journal, .. } = open(directory.path()).expect("an empty directory");
    let mut revisions = [0, 0];
    for (cause, mark, changes) in world().into_iter().chain(events) {
        let (log, revision) = match cause {
            Cause::ResourcePut => (Log::Catalogue, &mut revisions[0]),
            _ => (Log::Tenant(scope("acme")), &mut revisions[1]),
        };
        *revision += 1;
        let event = Event {
            log,
            revision: *revision,
            at: instant(7),
            actor: name("root", PrincipalId::parse),
            cause,
            reason: None,
            mark,
            changes,
            crossed: Vec::new(),
        };
        let mut record = journal.next_record();
        record.push(&event, &[0; 32]);
        journal.write(record).expect("a record");
    }
    drop(journal);
    verify(directory.path()).map_err(|error| {
        let path = directory.path().display().to_string();
        let told = error.to_string().replace(&path, "DIR");
        told.replace("; ", ";\n").replace(": ", ":\n") + "\n"
    })
}

fn check(events: Vec<(Cause, Mark, Vec<Change>)>, expect: Expect) {
    expect.assert_eq(&verified(events).expect_err("an unsound journal"));
}

#[test]
fn admissions_that_keep_to_the_limits_are_counted() {
    let found = verified(vec![
        takes(Cause::Reserved, "r1", 5, 5),
        limit("p", 9),
        takes(Cause::Reserved, "r2", 4, 9),
        limit("acme", 3),
        forced(takes(Cause::Reserved, "r3", 1, 10)),
        takes(Cause::Resized, "r1", 2, 7),
        takes(Cause::Released, "r1", 2, 7),
    ]);
    let found = found.expect("a sound journal");
    assert_eq!(found.admissions, 3);
    assert_eq!(found.marked, [("forced", 1)].into());
    assert_eq!((found.reservations_live, found.logs), (3, 2));
    assert_eq!((found.records, found.events), (10, 10));
}

#[test]
fn more_than_the_default_is_found() {
    check(
        vec![takes(Cause::Reserved, "r1", 6, 6)],
        expect![[r#"
        `DIR/journal.db` is damaged or foreign:
        record 4:
        revision 3 of `acme` lets `p` take 6 of `vm/disk`, and the ceiling is 5;
        restore it from a backup
    "#]],
    );
}

#[test]
fn more_than_a_limit_is_found_where_it_was_in_force() {
    let more = || takes(Cause::Reserved, "r1", 6, 6);
    assert_eq!(
        verified(vec![limit("p", 6), more()]).map(|it| it.admissions),
        Ok(1)
    );
    check(
        vec![more(), limit("p", 6)],
        expect![[r#"
        `DIR/journal.db` is damaged or foreign:
        record 4:
        revision 3 of `acme` lets `p` take 6 of `vm/disk`, and the ceiling is 5;
        restore it from a backup
    "#]],
    );
    check(
        vec![limit("p", 9), limit("p", 4), more()],
        expect![[r#"
        `DIR/journal.db` is damaged or foreign:
        record 6:
        revision 5 of `acme` lets `p` take 6 of `vm/disk`, and the ceiling is 4;
        restore it from a backup
    "#]],
    );
}

#[test]
fn more_than_a_limit_above_is_found() {
    check(
        vec![
            limit("p", 9),
            limit("acme", 7),
            takes(Cause::Reserved, "r1", 7, 7),
            takes(Cause::Transferred, "r2", 1, 8),
        ],
        expect![[r#"
            `DIR/journal.db` is damaged or foreign:
            record 7:
            revision 6 of `acme` lets `acme` take 8 of `vm/disk`, and the ceiling is 7;
            restore it from a backup
        "#]],
    );
}

/// Events happen at 7.
#[test]
fn a_limit_counts_while_its_window_is_open() {
    let window = |from, until| Window::new(Some(instant(from)), Some(instant(until)));
    let judged = |from, until| {
        let window = window(from, until).expect("a window");
        let raised = limit_with("p", 6, window, Mode::Enforce);
        verified(vec![raised, takes(Cause::Reserved, "r1", 6, 6)]).is_ok()
    };
    assert!(judged(7, 8) && judged(0, 9));
    assert!(!judged(8, 9) && !judged(0, 7));
}

#[test]
fn only_a_limit_that_lets_pass_is_passed_and_only_where_the_mark_says_so() {
    let [.., disk] = items();
    let passed = |at: &str, mode| Mark::Passed {
        limits: vec![(scope(at), disk.clone(), mode)],
    };
    let judged = |set: Mode, mark: Mark| {
        let lowered = limit_with("p", 3, Window::ALWAYS, set);
        let (cause, _, changes) = takes(Cause::Reserved, "r1", 6, 6);
        verified(vec![lowered, (cause, mark, changes)]).map(|it| (it.admissions, it.marked))
    };
    let found = Ok((0, [("passed", 1)].into()));
    assert_eq!(judged(Mode::Warn, passed("p", Mode::Warn)), found);
    assert_eq!(judged(Mode::Observe, passed("p", Mode::Observe)), found);
    for (set, mark) in [
        (Mode::Enforce, passed("p", Mode::Enforce)),
        (Mode::Enforce, passed("p", Mode::Warn)),
        (Mode::Warn, passed("p", Mode::Observe)),
        (Mode::Warn, passed("acme", Mode::Warn)),
        (Mode::Warn, Mark::Enforced),
    ] {
        let told = judged(set, mark).expect_err("an unsound journal");
        assert!(told.contains("and the ceiling is 3"), "{told}");
    }
}

#[test]
fn only_admissions_make_accounts_heavier() {
    for cause in [Cause::Committed, Cause::Extended, Cause::LimitPut] {
        let told = verified(vec![takes(cause, "r1", 1, 1)]).expect_err("an unsound journal");
        let what = "revision 3 of `acme` lets `p` take 1 of `vm/disk`, and is no admission;";
        assert!(told.contains(what), "{cause:?}: {told}");
    }
}

#[test]
fn an_admission_of_nothing_known_is_found() {
    let (cause, mark, mut changes) = takes(Cause::Reserved, "r1", 1, 1);
    changes.pop();
    check(
        vec![(cause, mark, changes)],
        expect![[r#"
        `DIR/journal.db` is damaged or foreign:
        record 4:
        revision 3 of `acme` admits no reservation;
        restore it from a backup
    "#]],
    );
    let (cause, mark, mut changes) = takes(Cause::Reserved, "r1", 1, 1);
    for change in &mut changes {
        if let Change::Account { item, .. } = change {
            item.resource = name("vm/gpu", ResourceName::parse);
        }
    }
    check(
        vec![(cause, mark, changes)],
        expect![[r#"
        `DIR/journal.db` is damaged or foreign:
        record 4:
        revision 3 of `acme` lets `p` take 1 of `vm/gpu`, of which there is no such thing;
        restore it from a backup
    "#]],
    );
}

/// An admission that puts less on the accounts than it grants.
#[test]
fn accounts_that_are_not_the_sum_are_found() {
    let told = verified(vec![takes(Cause::Reserved, "r1", 6, 5)]).expect_err("an unsound journal");
    assert!(
        told.contains("is not the sum of its reservations"),
        "{told}"
    );
}
