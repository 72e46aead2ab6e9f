//! What one decision may cost: rows looked at, counted. A refusal must not cost others their turn.

use std::cell::Cell;

use plimsoll_core::bounds::{
    FITS_AT_HOLDS_MAX, FITS_AT_LINES_MAX, RESERVATION_LINES_MAX, SCOPE_DEPTH_MAX,
};
use plimsoll_core::decide::decide;
use plimsoll_core::event::{Change, Head, Log};
use plimsoll_core::model::{
    Account, Item, Limit, Location, Principal, Request, Reservation, Resource, Scope, State, Tally,
    Tier, Webhook,
};
use plimsoll_core::names::{
    LocationId, PrincipalId, RequestId, ReservationId, ResourceName, ScopeId, TierName, WebhookId,
};
use plimsoll_core::outcome::{Denial, Outcome};
use plimsoll_core::rows::Rows;

use crate::script::{command, run};
use crate::world::{World, after_start, amount, reservation, scope};

/// Rows that count how often they are asked for.
struct Counted<'a> {
    world: &'a World,
    lookups: Cell<usize>,
    holds: Cell<usize>,
}

impl Counted<'_> {
    fn count(&self) -> &World {
        self.lookups.set(self.lookups.get() + 1);
        self.world
    }
}

impl Rows for Counted<'_> {
    fn head(&self, log: &Log) -> Head {
        self.count().head(log)
    }

    fn resource(&self, name: &ResourceName) -> Option<&Resource> {
        self.count().resource(name)
    }

    fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.count().resources()
    }

    fn resource_count(&self) -> usize {
        self.count().resource_count()
    }

    fn location(&self, id: &LocationId) -> Option<&Location> {
        self.count().location(id)
    }

    fn locations(&self) -> impl Iterator<Item = &Location> {
        self.count().locations()
    }

    fn location_count(&self) -> usize {
        self.count().location_count()
    }

    fn scope(&self, id: &ScopeId) -> Option<&Scope> {
        self.count().scope(id)
    }

    fn tier(&self, name: &TierName) -> Option<&Tier> {
        self.count().tier(name)
    }

    fn tier_count(&self) -> usize {
        self.count().tier_count()
    }

    fn webhook(&self, id: &WebhookId) -> Option<&Webhook> {
        self.count().webhook(id)
    }

    fn webhook_count(&self) -> usize {
        self.count().webhook_count()
    }

    fn has_children(&self, scope: &ScopeId) -> bool {
        self.count().has_children(scope)
    }

    fn limits(&self, scope: &ScopeId, item: &Item) -> &[Limit] {
        self.count().limits(scope, item)
    }

    fn tally(&self, scope: &ScopeId, item: &Item) -> Tally {
        self.count().tally(scope, item)
    }

    fn request(&self, id: &RequestId) -> Option<&Request> {
        self.count().request(id)
    }

    fn requests(&self, tenant: &ScopeId) -> impl Iterator<Item = &Request> {
        self.count().requests(tenant)
    }

    fn account(&self, scope: &ScopeId, item: &Item) -> Account {
        self.count().account(scope, item)
    }

    fn reservation(&self, tenant: &ScopeId, id: &ReservationId) -> Option<Reservation> {
        self.count().reservation(tenant, id)
    }

    fn holds(&self, tenant: &ScopeId) -> impl Iterator<Item = Reservation> {
        let seen = |_: &Reservation| self.holds.set(self.holds.get() + 1);
        self.count().holds(tenant).inspect(seen)
    }

    fn ended(&self, tenant: &ScopeId) -> impl Iterator<Item = Reservation> {
        self.count().ended(tenant)
    }

    fn principal(&self, id: &PrincipalId) -> Option<&Principal> {
        self.count().principal(id)
    }
}

/// The lines of the largest reservation, each of so many.
fn lines(words: &str) -> String {
    let line = |number: usize| format!(" many/x{number} {words}");
    (0..RESERVATION_LINES_MAX).map(line).collect()
}

/// A world whose deepest scope holds one of each item so many times, the earliest for 1,001 s, and
/// has two of each in `mine`; no more than 10,000 of each may be there.
fn full_of_holds(count: usize) -> World {
    let resources = (0..RESERVATION_LINES_MAX).map(|n| format!("resource many/x{n} default 10000"));
    let scopes = (3..=SCOPE_DEPTH_MAX).map(|n| format!("scope s{n} under s{}", n - 1));
    let made: Vec<String> = ["scope s2 under acme".to_owned()]
        .into_iter()
        .chain(scopes)
        .chain(resources)
        .collect();
    let mut world = run(&format!(
        "{}\n reserve mine s8{} commit\n reserve r s8{} hold 1s",
        made.join("\n"),
        lines("2"),
        lines("1"),
    ))
    .world;
    let tenant = scope("acme");
    let key = (tenant.clone(), reservation("r"));
    let hold = world.reservations.remove(&key).expect("the hold");
    for number in 1..=count {
        let mut hold = hold.clone();
        hold.id = reservation(&format!("r{number}"));
        hold.state = State::Held {
            expires_at: after_start(1_000_000 + 1_000 * number as u64),
        };
        world
            .reservations
            .insert((tenant.clone(), hold.id.clone()), hold);
    }
    for account in world.accounts.values_mut() {
        account.held = amount(count as u64);
    }
    world
}

/// How many rows a refused command looks up, and how many holds it looks at.
fn cost(world: &World, line: &str) -> (usize, usize) {
    let rows = Counted {
        world,
        lookups: Cell::new(0),
        holds: Cell::new(0),
    };
    let decision = decide(&rows, &command(line), after_start(0)).expect("no breach");
    let Outcome::Denied(Denial::QuotaExceeded(exceeded)) = decision.outcome else {
        panic!("{:?}", decision.outcome);
    };
    assert_eq!(exceeded.len(), RESERVATION_LINES_MAX, "each line, here");
    (rows.lookups.get(), rows.holds.get())
}

/// Every account is judged twice at most, and cut once, by two limits, a default and its figures;
/// then a bounded number of lines of holds is looked at, each on the way to the tenant.
const LOOKUPS_MAX: usize =
    (3 * 5 * RESERVATION_LINES_MAX + FITS_AT_LINES_MAX + 8) * SCOPE_DEPTH_MAX as usize;

/// The holds to which so many lines belong, and the first to be found not due.
const HOLDS_MAX: usize = FITS_AT_LINES_MAX.div_ceil(RESERVATION_LINES_MAX) + 1;

#[test]
fn a_refusal_looks_at_a_bounded_number_of_rows() {
    let few = full_of_holds(HOLDS_MAX + 10);
    let many = full_of_holds(FITS_AT_HOLDS_MAX);
    for line in [
        format!("reserve new s8{} commit", lines("10000")),
        format!("reserve new s8{} commit", lines("10001 least 10000")),
        format!("resize mine{}", lines("10000")),
    ] {
        let (lookups, holds) = cost(&many, &line);
        assert!(
            (1..=LOOKUPS_MAX).contains(&lookups),
            "{lookups} of {LOOKUPS_MAX}"
        );
        assert!((1..=HOLDS_MAX).contains(&holds), "{holds} of {HOLDS_MAX}");
        // However many holds there are.
        let more = full_of_holds(2 * FITS_AT_HOLDS_MAX);
        assert_eq!(cost(&more, &line), (lookups, holds));
        assert!(cost(&few, &line).0 <= lookups);
    }
}

/// A reservation makes a change at each scope up to its tenant, and all are moved several times.
#[test]
fn a_change_is_small() {
    assert_eq!(size_of::<Change>(), 88);
}
