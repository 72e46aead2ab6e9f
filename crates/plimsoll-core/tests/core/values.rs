//! Values that are valid because they exist, and the names that every surface shares.

use std::collections::BTreeMap;

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::bounds::{ATTRIBUTES_MAX, RESERVATION_LINES_MAX};
use plimsoll_core::event::{Cause, Mark};
use plimsoll_core::model::{Asked, Attributes, Line, Lines, LinesError, Mode, Role, State, Window};
use plimsoll_core::outcome::Source;
use plimsoll_core::report::ReservationFilter;

use crate::script::{command, run};
use crate::world::{START, after_start, amount, item, location, resource, text, tier};

fn lines(asked: &[(&str, u64)]) -> Result<Lines, LinesError> {
    let line = |(of, units): &(&str, u64)| Line {
        item: item(of),
        amount: amount(*units),
    };
    Lines::new(asked.iter().map(line).collect())
}

#[test]
fn lines_are_some_and_each_about_something_else() {
    assert_eq!(lines(&[]), Err(LinesError::None));
    assert_eq!(lines(&[("vm/disk", 0)]), Err(LinesError::ZeroAmount));
    let twice = [("vm/image@A", 1), ("vm/image@B", 1), ("vm/image@A", 2)];
    assert_eq!(lines(&twice), Err(LinesError::RepeatedItem));
    assert!(lines(&twice[..2]).is_ok());

    let names: Vec<String> = (0..=RESERVATION_LINES_MAX)
        .map(|n| format!("vm/x{n}"))
        .collect();
    let many: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    assert_eq!(lines(&many), Err(LinesError::TooMany));
    assert!(lines(&many[1..]).is_ok());
}

#[test]
fn what_would_do_is_something_and_no_more_than_all() {
    let whole = lines(&[("vm/disk", 3), ("net/ip", 1)]).expect("lines");
    let asked = |least: &[u64]| {
        let least = least.iter().map(|units| amount(*units)).collect();
        Asked::at_least(whole.clone(), least)
    };
    assert_eq!(asked(&[3]), None);
    assert_eq!(asked(&[3, 1, 1]), None);
    assert_eq!(asked(&[0, 1]), None);
    assert_eq!(asked(&[4, 1]), None);
    assert_eq!(asked(&[3, 1]), Some(Asked::whole(whole.clone())));
    let part = asked(&[2, 1]).expect("less than all");
    assert!(!part.is_whole() && *part.lines() == whole);
    let least: Vec<u64> = part.iter().map(|(_, least)| least.units()).collect();
    assert_eq!(least, [2, 1]);
}

#[test]
fn lines_less_lines() {
    let of = |asked: &[(&str, u64)]| lines(asked).expect("lines");
    let all = of(&[("vm/disk", 3), ("net/ip", 1)]);
    assert!(all.cover(&of(&[("net/ip", 1), ("vm/disk", 3)])));
    assert!(!all.cover(&of(&[("net/ip", 2)])));
    assert!(!all.cover(&of(&[("vm/disk", 1), ("vm/image", 1)])));
    assert_eq!(all.amount_of(&item("vm/image")), Amount::ZERO);
    assert_eq!(all.without(&all), None);
    assert_eq!(
        all.without(&of(&[("vm/disk", 1), ("net/ip", 1)])),
        Some(of(&[("vm/disk", 2)]))
    );
}

#[test]
fn attributes_are_few() {
    let entries = |count: usize| -> BTreeMap<_, _> {
        (0..count)
            .map(|n| (text(&format!("k{n}")), text("v")))
            .collect()
    };
    assert_eq!(Attributes::new(entries(ATTRIBUTES_MAX + 1)), None);
    let attributes = Attributes::new(entries(ATTRIBUTES_MAX)).expect("few enough");
    assert_eq!(attributes.value("k3"), Some("v"));
    assert_eq!(attributes.value("k"), None);
}

#[test]
fn unlimited_ends_where_numbers_do() {
    assert_eq!(Ceiling::Unlimited.amount(), Amount::MAX);
    assert_eq!(Ceiling::Finite(Amount::ZERO).amount(), Amount::ZERO);
    assert_ne!(Ceiling::Finite(Amount::MAX), Ceiling::Unlimited);
}

/// Who may ask for what: each role also all that the roles before it may.
#[test]
fn roles() {
    let roles = [
        (Role::Enforcer, "reserve r1 p vm/disk 1 commit"),
        (Role::Enforcer, "commit r1"),
        (Role::Enforcer, "release r1"),
        (Role::Enforcer, "extend r1 300s"),
        (Role::Enforcer, "resize r1 vm/disk 2"),
        (Role::Enforcer, "transfer r1 to q"),
        (Role::Enforcer, "expire acme"),
        (Role::Manager, "scope p under acme"),
        (Role::Manager, "limit p vm/disk 1"),
        (Role::Manager, "unlimit p vm/disk"),
        (Role::Admin, "resource vm/disk default 1"),
        (Role::Admin, "location FRA-A"),
        (Role::Admin, "create k1 viewer p"),
        (Role::Admin, "disable k1"),
        (Role::Admin, "delete k1"),
        (Role::Admin, "forget acme before 300s"),
        (Role::Enforcer, "submit q1 p vm/disk 1"),
        (Role::Enforcer, "cancel q1"),
        (Role::Manager, "approve q1"),
        (Role::Manager, "deny q1"),
        (Role::Admin, "tier gold vm/disk 1"),
        (Role::Admin, "refused acme p vm/disk 1"),
        (Role::Admin, "webhook w1 everything"),
        (Role::Admin, "unhook w1"),
        (Role::Admin, "told w1 1"),
    ];
    for (role, line) in roles {
        let action = command(line).action;
        assert_eq!((action.role(), action.is_forced()), (role, false), "{line}");
    }
    for line in [
        "reserve r1 p vm/disk 1 commit mend inventory",
        "resize r1 vm/disk 1 mend inventory",
        "transfer r1 to q mend inventory",
        "release r1 mend inventory",
        "reserve r1 p vm/disk 1 commit force incident",
        "resize r1 vm/disk 2 force incident",
        "transfer r1 to q force incident",
        "commit r1 force incident",
        "release r1 force incident",
    ] {
        assert!(command(line).action.is_forced(), "{line}");
    }
    let order = [Role::Viewer, Role::Enforcer, Role::Manager, Role::Admin];
    assert!(order.is_sorted());
    assert_eq!(
        order.map(Role::name),
        ["viewer", "enforcer", "manager", "admin"]
    );
}

/// A window starts before it ends, counts from its first instant, and no more from its last.
#[test]
fn windows() {
    let at = |ms: Option<u64>| ms.map(after_start);
    let window = |from: Option<u64>, until: Option<u64>| Window::new(at(from), at(until));
    assert_eq!(window(Some(5), Some(5)), None);
    assert_eq!(window(Some(5), Some(4)), None);
    assert_eq!(Window::new(None, Some(Timestamp::default())), None);
    assert_eq!(window(None, None), Some(Window::ALWAYS));
    let open = |window: Option<Window>| {
        let window = window.expect("it starts before it ends");
        [4, 5, 6, 7].map(|ms| {
            (
                window.is_open(after_start(ms)),
                window.is_over(after_start(ms)),
            )
        })
    };
    let (before, during, after) = ((false, false), (true, false), (false, true));
    let both = window(Some(5), Some(7));
    assert_eq!(open(both), [before, during, during, after]);
    assert_eq!(
        open(window(Some(6), None)),
        [before, before, during, during]
    );
    assert_eq!(open(window(None, Some(5))), [during, after, after, after]);
    assert_eq!(open(window(None, None)), [during; 4]);
    let both = both.expect("it starts before it ends");
    assert_eq!(
        (both.starts_at(), both.ends_at()),
        (at(Some(5)), at(Some(7)))
    );
}

/// The names that surfaces share: never reused.
#[test]
fn names_of_what_happens() {
    let modes = [Mode::Enforce, Mode::Warn, Mode::Observe];
    assert_eq!(modes.map(Mode::name), ["enforce", "warn", "observe"]);
    assert_eq!(Mode::default(), Mode::Enforce);
    let causes = [
        (Cause::TierPut, "tier_put"),
        (Cause::RefusalsCounted, "refusals_counted"),
        (Cause::RequestSubmitted, "request_submitted"),
        (Cause::RequestApproved, "request_approved"),
        (Cause::RequestDenied, "request_denied"),
        (Cause::RequestCancelled, "request_cancelled"),
        (Cause::WebhookPut, "webhook_put"),
        (Cause::WebhookDeleted, "webhook_deleted"),
        (Cause::WebhookDelivered, "webhook_delivered"),
    ];
    for (cause, name) in causes {
        assert_eq!(cause.name(), name);
    }
    let reason = text("why");
    let marks = [
        (Mark::Enforced, "enforced"),
        (
            Mark::Forced {
                reason: reason.clone(),
            },
            "forced",
        ),
        (Mark::Mended { reason }, "mended"),
        (Mark::Passed { limits: vec![] }, "passed"),
    ];
    for (mark, name) in marks {
        assert_eq!(mark.name(), name);
    }
    let tier = Source::Tier {
        tier: tier("gold"),
        item: item("vm/disk"),
    };
    assert_eq!(tier.name(), "tier");
}

#[test]
fn states() {
    let states = [
        (State::Held { expires_at: START }, "held", true, true),
        (State::Committed, "committed", true, false),
        (
            State::Released { ended_at: START },
            "released",
            false,
            false,
        ),
        (State::Expired { ended_at: START }, "expired", false, false),
    ];
    for (state, name, is_live, is_due) in states {
        assert_eq!(
            (state.name(), state.is_live(), state.is_due(START)),
            (name, is_live, is_due)
        );
        assert_eq!(state.ended_at(), (!is_live).then_some(START));
    }
}

/// A filter's resource and location must be met by one and the same line.
#[test]
fn reservations_are_found_by_state_and_line() {
    let bench = run("
        reserve r1 p vm/image@FRA-A 1 vm/disk 1 commit
        reserve r2 p vm/image@HKG-A 1 vm/disk 1 hold 300s
        reserve r3 p vm/disk 1 hold 300s
    ");
    let found = |state, name: Option<&str>, place: Option<&str>| {
        let filter = ReservationFilter {
            holder: None,
            state,
            resource: name.map(resource),
            location: place.map(location),
        };
        let rows = bench
            .world
            .reservations
            .values()
            .filter(|row| filter.admits(row));
        rows.map(|row| row.id.to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(found(None, None, None), "r1 r2 r3");
    assert_eq!(found(Some("held"), None, None), "r2 r3");
    assert_eq!(found(None, Some("vm/image"), None), "r1 r2");
    assert_eq!(found(None, None, Some("FRA-A")), "r1");
    assert_eq!(found(Some("held"), Some("vm/image"), Some("FRA-A")), "");
    assert_eq!(found(None, Some("vm/disk"), Some("FRA-A")), "");
}
