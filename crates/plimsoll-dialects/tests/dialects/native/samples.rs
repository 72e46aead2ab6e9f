//! Core values to be shown.

use std::collections::BTreeMap;

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::model::{
    Alerts, Asked, Attributes, AutoApproval, Credential, Item, Limit, Line, Lines, Location, Mode,
    Original, Principal, Reach, Request, RequestStatus, Reservation, Resource, Role, Ruling, Scope,
    State, Tally, Terms, Tier, TierLimit, TierLimits, Topic, Webhook, Window,
};
use plimsoll_core::names::{
    LocationId, PrincipalId, RequestId, ReservationId, ResourceName, ScopeId, Text, TierName,
    WebhookId,
};
use plimsoll_core::outcome::{Exceeded, Source};
use plimsoll_core::report::{Quota, QuotaSource};

pub(super) fn text(text: &str) -> Text {
    Text::parse(text).unwrap()
}

pub(super) fn scope_id(id: &str) -> ScopeId {
    ScopeId::parse(id).unwrap()
}

pub(super) fn location_id(id: &str) -> LocationId {
    LocationId::parse(id).unwrap()
}

pub(super) fn resource_name(name: &str) -> ResourceName {
    ResourceName::parse(name).unwrap()
}

pub(super) fn principal_id(id: &str) -> PrincipalId {
    PrincipalId::parse(id).unwrap()
}

/// 2026-01-31T12:00:00Z and some milliseconds.
pub(super) fn at(ms: u64) -> Timestamp {
    Timestamp::from_ms(1_769_860_800_000 + ms).unwrap()
}

pub(super) fn amount(units: u64) -> Amount {
    Amount::new(units).unwrap()
}

pub(super) fn finite(units: u64) -> Ceiling {
    Ceiling::Finite(amount(units))
}

/// `vm/image` or `vm/image@FRA-A`.
pub(super) fn item(text: &str) -> Item {
    let (resource, location) = text.split_once('@').unzip();
    Item {
        resource: resource_name(resource.unwrap_or(text)),
        location: location.map(location_id),
    }
}

pub(super) fn attributes(entries: &[(&str, &str)]) -> Attributes {
    let entries = entries
        .iter()
        .map(|(name, value)| (text(name), text(value)));
    Attributes::new(BTreeMap::from_iter(entries)).unwrap()
}

/// Lines as `vm/image@FRA-A` and how much of it.
pub(super) fn lines(lines: &[(&str, u64)]) -> Lines {
    let lines = lines.iter().map(|(it, units)| Line {
        item: item(it),
        amount: amount(*units),
    });
    Lines::new(lines.collect()).unwrap()
}

/// What a reservation in `p-6` may have been asked for as.
pub(super) fn original() -> Original {
    let lines = lines(&[("vm/image@FRA-A", 4), ("vpc/subnet", 2)]);
    Original {
        scope: scope_id("p-6"),
        asked: Asked::at_least(lines, vec![amount(1), amount(2)]).unwrap(),
    }
}

pub(super) fn reservation(state: State) -> Reservation {
    Reservation {
        tenant: scope_id("acme"),
        id: ReservationId::parse("r-1").unwrap(),
        scope: scope_id("p-7"),
        lines: lines(&[("vm/image@FRA-A", 1), ("vpc/subnet", 2)]),
        original: None,
        terms: Terms::Hold { ttl_ms: 300_000 },
        forced: None,
        holder: Some(text("img-1 \"ü\"")),
        attributes: attributes(&[("name", "x")]),
        state,
        created_at: at(0),
        revision: 42,
    }
}

pub(super) fn resource() -> Resource {
    Resource {
        name: resource_name("vm/image"),
        unit: text("count"),
        default_ceiling: finite(5),
        per_location: true,
        adjustable: true,
        auto_approval: None,
        alerts: Alerts::default(),
        description: text("machine images"),
    }
}

pub(super) fn location() -> Location {
    Location {
        id: location_id("FRA-A"),
        name: text("Frankfurt A"),
        attributes: attributes(&[("zoneName", "Frankfurt A")]),
    }
}

pub(super) fn scope(parent: Option<&str>) -> Scope {
    let id = if parent.is_some() { "p-7" } else { "acme" };
    Scope {
        id: scope_id(id),
        parent: parent.map(scope_id),
        tenant: scope_id("acme"),
        depth: if parent.is_some() { 2 } else { 1 },
        kind: text("project"),
        tier: None,
    }
}

pub(super) fn limit(it: &str, ceiling: Ceiling) -> Limit {
    Limit {
        scope: scope_id("p-7"),
        item: item(it),
        window: Window::ALWAYS,
        ceiling,
        mode: Mode::Enforce,
        set_by: principal_id("ops"),
        set_at: at(7),
        reason: text("launch"),
        request: None,
        revision: 12,
    }
}

pub(super) fn set_for(it: &str) -> Source {
    Source::Limit {
        item: item(it),
        window: Window::ALWAYS,
        set_by: principal_id("ops"),
        reason: text("launch"),
        request: None,
        revision: 12,
    }
}

pub(super) fn principal(credential: Credential) -> Principal {
    Principal {
        id: principal_id("k-1"),
        role: Role::Enforcer,
        reach: Reach::Below(scope_id("acme")),
        may_force: false,
        credential,
        enabled: true,
        expires_at: Some(at(999)),
        description: text("image service"),
        created_at: at(0),
        revision: 3,
    }
}

pub(super) fn token() -> Credential {
    Credential::Token { hash: [7; 32] }
}

pub(super) fn access_key() -> Credential {
    Credential::AccessKey {
        sealed_secret: vec![7; 48],
    }
}

pub(super) fn exceeded() -> Exceeded {
    Exceeded {
        scope: scope_id("p-7"),
        item: item("vm/image@FRA-A"),
        ceiling: finite(5),
        mode: Mode::Enforce,
        source: Source::Default,
        used: amount(3),
        held: amount(2),
        asked: amount(1),
        is_adjustable: true,
        short_by: amount(1),
        smallest_sufficient: Some(amount(6)),
        fits_at: Some(at(300_000)),
    }
}

pub(super) fn quota() -> Quota {
    Quota {
        item: item("vm/image@FRA-A"),
        unit: text("count"),
        ceiling: finite(5),
        mode: Mode::Enforce,
        used: amount(6),
        held: amount(1),
        available: finite(0),
        over_by: amount(2),
        tally: Tally::default(),
        sources: vec![
            QuotaSource {
                scope: scope_id("p-7"),
                ceiling: finite(5),
                mode: Mode::Enforce,
                source: Source::Default,
                available: finite(0),
            },
            QuotaSource {
                scope: scope_id("acme"),
                ceiling: Ceiling::Unlimited,
                mode: Mode::Enforce,
                source: set_for("vm/image"),
                available: Ceiling::Unlimited,
            },
        ],
    }
}

pub(super) fn window(starts_ms: u64, ends_ms: u64) -> Window {
    Window::new(Some(at(starts_ms)), Some(at(ends_ms))).unwrap()
}

/// One for a time that only warns, from the approval of a request.
pub(super) fn passing_limit() -> Limit {
    Limit {
        window: window(0, 86_400_000),
        mode: Mode::Warn,
        request: Some(request_id("q-1")),
        ..limit("vm/image@FRA-A", finite(8))
    }
}

pub(super) fn request_id(id: &str) -> RequestId {
    RequestId::parse(id).unwrap()
}

pub(super) fn tier_name(name: &str) -> TierName {
    TierName::parse(name).unwrap()
}

pub(super) fn auto_approval() -> AutoApproval {
    AutoApproval {
        ceiling: amount(20),
        factor_percent: Some(200),
        cool_off_ms: 86_400_000,
    }
}

pub(super) fn tier() -> Tier {
    let limit = |it, ceiling, mode| TierLimit {
        item: item(it),
        ceiling,
        mode,
    };
    let limits = TierLimits::new(vec![
        limit("vpc/subnet", Ceiling::Unlimited, Mode::Observe),
        limit("vm/image@FRA-A", finite(8), Mode::Enforce),
    ]);
    Tier {
        name: tier_name("starter"),
        description: text("for a start"),
        limits: limits.unwrap(),
    }
}

pub(super) fn request(status: RequestStatus) -> Request {
    Request {
        id: request_id("q-1"),
        tenant: scope_id("acme"),
        scope: scope_id("p-7"),
        item: item("vm/image@FRA-A"),
        ceiling: finite(12),
        reason: text("launch"),
        submitted_by: principal_id("k-1"),
        submitted_at: at(0),
        present: finite(5),
        approved_before: None,
        status,
        revision: 43,
    }
}

pub(super) fn ruling() -> Ruling {
    Ruling {
        by: principal_id("ops"),
        at: at(60_000),
        reason: text("a big customer"),
    }
}

pub(super) fn approved() -> RequestStatus {
    RequestStatus::Approved {
        ruling: ruling(),
        ceiling: finite(10),
        ends_at: Some(at(86_400_000)),
        limit_revision: 44,
        automatic: false,
    }
}

pub(super) fn webhook(topics: &[Topic]) -> Webhook {
    Webhook {
        id: WebhookId::parse("pager").unwrap(),
        reach: Reach::Below(scope_id("acme")),
        url: text("https://example.com/hook"),
        topics: topics.to_vec(),
        sealed_secret: vec![7; 48],
        enabled: true,
        delivered: 41,
        revision: 9,
    }
}

pub(super) fn tally() -> Tally {
    Tally {
        refused: 3,
        warned: 2,
        observed: 1,
        last_at: at(5),
    }
}

/// A limit for a time that was passed, and that warns.
pub(super) fn warning() -> Exceeded {
    let limit = passing_limit();
    Exceeded {
        ceiling: limit.ceiling,
        mode: limit.mode,
        source: Source::Limit {
            item: limit.item,
            window: limit.window,
            set_by: limit.set_by,
            reason: limit.reason,
            request: limit.request,
            revision: limit.revision,
        },
        used: amount(8),
        held: amount(0),
        smallest_sufficient: Some(amount(9)),
        fits_at: None,
        ..exceeded()
    }
}
