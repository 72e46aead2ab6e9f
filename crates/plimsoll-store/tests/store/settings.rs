//! Limits in time, tiers, modes, requests, counts and webhooks: the same in every store, and after
//! each start.

use std::num::NonZeroUsize;

use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::{
    Action, ApproveRequest, Command, Put, PutLimit, PutScope, PutWebhook, RuleRequest,
    SubmitRequest,
};
use plimsoll_core::event::{Cause, Log, Mark};
use plimsoll_core::model::{
    Alerts, AutoApproval, Mode, Reach, Request, Resource, Tier, TierLimit, TierLimits, Topic,
    Webhook, Window,
};
use plimsoll_core::names::{RequestId, TierName, WebhookId};
use plimsoll_core::outcome::{Done, Outcome};

use crate::conformance::{Stores, check};
use crate::snapshot::requests;
use crate::support::*;

pub(crate) fn limit_for(ceiling: u64, window: [Option<u64>; 2], mode: Mode) -> Command {
    let [starts_at, ends_at] = window.map(|ms| ms.map(at));
    let put = put_limit("p", "vm/image@FRA-A", finite(ceiling));
    let Action::PutLimit(put) = put.action else {
        panic!("it puts a limit");
    };
    by_root(Action::PutLimit(PutLimit {
        window: Window::new(starts_at, ends_at).expect("a window"),
        mode,
        ..put
    }))
}

fn put_tier(disks: u64) -> Command {
    let limit = TierLimit {
        item: item("vm/disk"),
        ceiling: finite(disks),
        mode: Mode::Enforce,
    };
    let tier = Tier {
        name: name("small", TierName::parse),
        description: text("a few"),
        limits: TierLimits::new(vec![limit]).expect("one"),
    };
    let reason = text("for a start");
    by_root(Action::PutTier(Put { row: tier, reason }))
}

fn give_tier(scope_id: &str) -> Command {
    let Action::PutScope(put) = put_scope(scope_id, Some("acme")).action else {
        panic!("it puts a scope");
    };
    by_root(Action::PutScope(PutScope {
        tier: Some(name("small", TierName::parse)),
        ..put
    }))
}

fn request(id: &str, at: &str, of: &str, ceiling: u64) -> Command {
    by_root(Action::SubmitRequest(SubmitRequest {
        id: name(id, RequestId::parse),
        scope: scope(at),
        item: item(of),
        ceiling: finite(ceiling),
        reason: text("more"),
    }))
}

fn rule(id: &str) -> RuleRequest {
    RuleRequest {
        id: name(id, RequestId::parse),
        reason: text("so it is"),
    }
}

fn approve(id: &str, ends_at: Option<Timestamp>) -> Command {
    by_root(Action::ApproveRequest(ApproveRequest {
        id: name(id, RequestId::parse),
        ceiling: None,
        ends_at,
        reason: text("fine"),
    }))
}

pub(crate) fn put_webhook(id: &str, enabled: bool) -> Command {
    by_root(Action::PutWebhook(PutWebhook {
        id: name(id, WebhookId::parse),
        reach: Reach::Below(scope("acme")),
        url: text("https://hooks.example/x"),
        topics: Topic::ALL.into(),
        sealed_secret: vec![1, 2, 3],
        enabled,
        delivered: 3,
    }))
}

fn is_granted(outcomes: &[Outcome]) -> bool {
    matches!(
        outcomes,
        [Outcome::Done(Done::Reservation(_) | Done::Warned(..))]
    )
}

#[test]
fn limits_count_in_their_time() {
    let image = |id, units| reserve(id, "p", &[("vm/image@FRA-A", units)], None);
    check(|stores| {
        stores.step(&base());
        stores.step(&[limit_for(2, [None, None], Mode::Enforce)]);
        stores.step(&[limit_for(5, [Some(50), Some(60)], Mode::Enforce)]);
        stores.step(&[limit_for(1, [Some(70), None], Mode::Observe)]);
        stores.clock.set(40);
        assert!(!is_granted(&stores.step(&[image("r1", 3)])));
        stores.clock.set(50);
        assert!(is_granted(&stores.step(&[image("r1", 3)])));
        stores.clock.set(60);
        assert!(!is_granted(&stores.step(&[image("r2", 1)])));
        stores.clock.set(70);
        assert!(is_granted(&stores.step(&[image("r2", 1)])));
        // What is over leaves the row when it is next written.
        stores.step(&[limit_for(3, [None, None], Mode::Warn)]);
        let rows = crate::snapshot::snapshot(stores.sqlite(), 10).limits;
        assert_eq!(rows.len(), 2);
    });
}

#[test]
fn a_limit_for_any_location_tells_what_is_taken_at_each() {
    check(|stores| {
        stores.step(&base());
        stores.step(&[reserve("r1", "p", &[("vm/image@FRA-A", 2)], None)]);
        stores.step(&[put_limit("p", "vm/image", finite(2))]);
        stores.step(&[delete_limit("p", "vm/image")]);
        let log = Log::Tenant(scope("acme"));
        let events = wait(stores.sqlite().events(&log, 0, 100)).expect("a log");
        let crossed: Vec<usize> = events.iter().map(|it| it.crossed.len()).collect();
        assert_eq!(crossed[crossed.len() - 3..], [0, 2, 0]);
    });
}

#[test]
fn tiers_bind_and_are_read_back() {
    let disks = |id, units| reserve(id, "p", &[("vm/disk", units)], None);
    check(|stores| {
        stores.step(&base());
        stores.step(&[put_tier(2), give_tier("p")]);
        assert!(!is_granted(&stores.step(&[disks("r1", 3)])));
        // A batch sees the tier as it has just changed it.
        let outcomes = stores.step(&[put_tier(3), disks("r1", 3)]);
        assert!(is_granted(&outcomes[1..]));
        let counted = Action::CountRefusals {
            tenant: scope("acme"),
            refused: vec![(scope("p"), item("vm/disk"), 7)],
        };
        stores.step(&[by_root(counted)]);
    });
}

fn pending(stores: &Stores) -> Vec<Request> {
    let size = NonZeroUsize::new(1).expect("a size");
    requests(stores.sqlite(), &scope("acme"), Some("pending"), size).expect("served")
}

#[test]
fn requests_go_their_way() {
    check(|stores| {
        stores.step(&base());
        stores.step(&[
            request("q1", "p", "vm/image@FRA-A", 9),
            request("q2", "p", "vm/image", 8),
            request("q3", "p-q", "vm/image", 7),
            request("q4", "other", "vm/image", 7),
        ]);
        assert_eq!(pending(stores).len(), 3);
        stores.step(&[request("q5", "p", "vm/image", 9)]);
        stores.step(&[approve("q1", Some(at(90)))]);
        stores.step(&[by_root(Action::DenyRequest(rule("q2")))]);
        stores.step(&[by_root(Action::CancelRequest(rule("q3")))]);
        assert!(pending(stores).is_empty());
        stores.step(&[request("q6", "p", "vm/image", 12), approve("q6", None)]);
        let image = Resource {
            name: item("vm/image").resource,
            unit: text("count"),
            default_ceiling: finite(5),
            per_location: true,
            adjustable: true,
            description: text(""),
            auto_approval: Some(AutoApproval {
                ceiling: amount(20),
                factor_percent: Some(200),
                cool_off_ms: 10,
            }),
            alerts: Alerts::new(vec![50]).expect("one"),
        };
        stores.step(&[put_whole_resource(image)]);
        stores.clock.set(100);
        let outcomes = stores.step(&[request("q7", "p", "vm/image", 20)]);
        let Some(Outcome::Done(Done::Request(approved))) = outcomes.first() else {
            panic!("{outcomes:?}");
        };
        assert_eq!(approved.status.name(), "approved");
    });
}

#[test]
fn what_is_let_past_is_marked_and_counted() {
    check(|stores| {
        stores.step(&base());
        stores.step(&[limit_for(1, [None, None], Mode::Warn)]);
        stores.step(&[reserve("r1", "p", &[("vm/image@FRA-A", 4)], None)]);
        let log = Log::Tenant(scope("acme"));
        let events = wait(stores.sqlite().events(&log, 0, 1_000)).expect("served");
        let last = events.last().expect("an event");
        assert_eq!(last.cause, Cause::Reserved);
        assert!(matches!(&last.mark, Mark::Passed { limits } if limits.len() == 1));
        let crossed: Vec<_> = last.crossed.iter().map(|it| it.percent).collect();
        assert_eq!(crossed, [80, 100]);
    });
}

#[test]
fn webhooks_are_kept_and_forgotten() {
    check(|stores| {
        stores.step(&base());
        stores.step(&[put_webhook("w1", true), put_webhook("w2", false)]);
        let told = |delivered| {
            by_root(Action::NoteDelivered {
                id: name("w1", WebhookId::parse),
                delivered,
            })
        };
        stores.step(&[told(9), told(4)]);
        let kept: Vec<Webhook> = wait(stores.sqlite().webhooks()).expect("served");
        assert_eq!(kept.first().map(|it| it.delivered), Some(9));
        let gone = Action::DeleteWebhook {
            id: name("w1", WebhookId::parse),
        };
        stores.step(&[by_root(gone)]);
    });
}
