//! Rows and events at random, from a seed, for the tests of this crate.

use std::fmt::Debug;

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::command::ReservationKey;
use plimsoll_core::event::{Cause, Change, Crossing, Event, Log, Mark};
use plimsoll_core::model::{
    Account, Alerts, Asked, Attributes, Credential, Item, Line, Lines, Location, Original,
    Principal, Reach, Reservation, Resource, Role, Scope, State, Terms,
};
use plimsoll_core::names::{
    LocationId, NameError, PrincipalId, RequestId, ReservationId, ResourceName, ScopeId, Text,
    TierName, WebhookId,
};

mod settings;

/// Numbers that look random and are the same for the same seed (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("less than a usize")
    }

    pub(crate) fn flip(&mut self) -> bool {
        self.below(2) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }
}

pub(crate) fn name<T: Debug>(text: &str, parse: fn(&str) -> Result<T, NameError>) -> T {
    parse(text).unwrap_or_else(|error| panic!("`{text}` {error}"))
}

pub(crate) const CAUSES: [Cause; 25] = [
    Cause::Reserved,
    Cause::Committed,
    Cause::Released,
    Cause::Expired,
    Cause::ResourcePut,
    Cause::LocationPut,
    Cause::ScopePut,
    Cause::LimitPut,
    Cause::LimitDeleted,
    Cause::PrincipalCreated,
    Cause::PrincipalChanged,
    Cause::PrincipalDeleted,
    Cause::Extended,
    Cause::Resized,
    Cause::Transferred,
    Cause::Forgotten,
    Cause::TierPut,
    Cause::RefusalsCounted,
    Cause::RequestSubmitted,
    Cause::RequestApproved,
    Cause::RequestDenied,
    Cause::RequestCancelled,
    Cause::WebhookPut,
    Cause::WebhookDeleted,
    Cause::WebhookDelivered,
];

/// How many kinds of change [`Dice::change`] makes: `0..CHANGE_KINDS`.
pub(crate) const CHANGE_KINDS: usize = 15;

/// Rows over so few names that they meet again and again.
impl Dice {
    pub(crate) fn scope_id(&mut self) -> ScopeId {
        self.pick(&scopes())
    }

    pub(crate) fn item(&mut self) -> Item {
        self.pick(&items())
    }

    pub(crate) fn event(&mut self, log: Log, revision: u64) -> Event {
        let changes = (0..self.below(5)).map(|_| {
            let kind = self.below(CHANGE_KINDS);
            self.change(kind)
        });
        Event {
            log,
            changes: changes.collect(),
            revision,
            at: instant(revision),
            actor: name("root", PrincipalId::parse),
            cause: self.pick(&CAUSES),
            reason: (self.below(2) == 0).then(|| self.text()),
            mark: self.mark(),
            crossed: (0..self.below(3)).map(|_| self.crossing()).collect(),
        }
    }

    pub(crate) fn mark(&mut self) -> Mark {
        match self.below(4) {
            0 => Mark::Enforced,
            1 => Mark::Forced {
                reason: self.text(),
            },
            2 => Mark::Mended {
                reason: self.text(),
            },
            _ => Mark::Passed {
                limits: (0..self.below(3))
                    .map(|_| (self.scope_id(), self.item(), self.mode()))
                    .collect(),
            },
        }
    }

    fn crossing(&mut self) -> Crossing {
        Crossing {
            scope: self.scope_id(),
            item: self.item(),
            percent: self.pick(&[1, 80, 100]),
            ceiling: amount(self.next() >> 11),
            taken: amount(self.next() >> 11),
        }
    }

    pub(crate) fn change(&mut self, kind: usize) -> Change {
        match kind {
            0 => Change::Resource(
                Resource {
                    name: self.item().resource,
                    unit: self.text(),
                    default_ceiling: self.ceiling(),
                    per_location: self.flip(),
                    adjustable: self.flip(),
                    description: self.text(),
                    auto_approval: self.flip().then(|| self.auto_approval()),
                    alerts: self.pick(&[
                        Alerts::default(),
                        Alerts::new(Vec::new()).expect("no alerts"),
                    ]),
                }
                .into(),
            ),
            1 => Change::Location(Location {
                id: self.pick(&locations()),
                name: self.text(),
                attributes: self.attributes(),
            }),
            2 => Change::Scope(
                Scope {
                    id: self.scope_id(),
                    parent: self.flip().then(|| name("t", ScopeId::parse)),
                    tenant: self.scope_id(),
                    depth: self.pick(&[1, 2, 8, 255]),
                    kind: self.text(),
                    tier: self.flip().then(|| self.pick(&tiers())),
                }
                .into(),
            ),
            3 => self.limits(),
            4 => Change::Tally {
                scope: self.scope_id(),
                item: self.item(),
                tally: self.tally(),
            },
            5 => Change::Account {
                scope: self.scope_id(),
                item: self.item(),
                account: Account {
                    used: amount(self.next() % 1_000),
                    held: amount(self.next() >> 12),
                },
            },
            6 => Change::Reservation(self.reservation().into()),
            7 => Change::Principal(self.principal().into()),
            8 => Change::PrincipalGone(self.pick(&principals())),
            9 => Change::ReservationGone(ReservationKey {
                tenant: self.scope_id(),
                id: self.pick(&reservations()),
            }),
            10 => Change::Tier(self.tier()),
            11 => Change::Request(self.request().into()),
            12 => {
                let id = self.pick(&requests());
                Change::RequestGone {
                    tenant: tenant_of(&id),
                    id,
                }
            }
            13 => Change::Webhook(self.webhook().into()),
            _ => Change::WebhookGone(self.pick(&webhooks())),
        }
    }

    pub(crate) fn reservation(&mut self) -> Reservation {
        Reservation {
            tenant: self.scope_id(),
            id: self.pick(&reservations()),
            scope: self.scope_id(),
            lines: self.lines(),
            original: self.flip().then(|| Box::new(self.original())),
            terms: match self.flip() {
                true => Terms::Commit,
                false => Terms::Hold {
                    ttl_ms: self.integer(),
                },
            },
            forced: self.flip().then(|| self.text()),
            holder: self.flip().then(|| self.text()),
            attributes: self.attributes(),
            state: self.state(),
            created_at: self.instant(),
            revision: self.integer(),
        }
    }

    /// Few instants, so that holds often lapse at the same one, and others end then.
    fn state(&mut self) -> State {
        let at = instant(self.next() % 4);
        match self.below(6) {
            0 => State::Committed,
            1 => State::Released { ended_at: at },
            2 => State::Expired { ended_at: at },
            3 => State::Released {
                ended_at: self.instant(),
            },
            _ => State::Held { expires_at: at },
        }
    }

    fn lines(&mut self) -> Lines {
        let mut items = items().to_vec();
        items.truncate(1 + self.below(items.len()));
        let line = |item| Line {
            item,
            amount: amount(1 + self.next() % 1_000_000),
        };
        let lines: Vec<Line> = items.into_iter().map(line).collect();
        Lines::new(lines).expect("lines")
    }

    fn original(&mut self) -> Original {
        let lines = self.lines();
        let is_whole = self.flip();
        let least = lines.iter().map(|line| match is_whole {
            true => line.amount,
            false => amount(1 + self.next() % line.amount.units()),
        });
        let least = least.collect();
        Original {
            scope: self.scope_id(),
            asked: Asked::at_least(lines, least).expect("no more than the lines"),
        }
    }

    fn principal(&mut self) -> Principal {
        Principal {
            id: self.pick(&principals()),
            role: self.pick(&[Role::Viewer, Role::Enforcer, Role::Manager, Role::Admin]),
            reach: match self.flip() {
                true => Reach::Everything,
                false => Reach::Below(self.scope_id()),
            },
            may_force: self.flip(),
            credential: match self.flip() {
                true => Credential::Token { hash: [7; 32] },
                false => Credential::AccessKey {
                    sealed_secret: self.next().to_le_bytes().repeat(self.below(9)),
                },
            },
            enabled: self.flip(),
            expires_at: self.flip().then(|| self.instant()),
            description: self.text(),
            created_at: self.instant(),
            revision: self.integer(),
        }
    }

    fn ceiling(&mut self) -> Ceiling {
        match self.flip() {
            true => Ceiling::Unlimited,
            false => Ceiling::Finite(amount(self.next() >> 11)),
        }
    }

    fn attributes(&mut self) -> Attributes {
        let entries = (0..self.below(4)).map(|index| {
            let key = name(&format!("k{index}"), Text::parse);
            (key, self.text())
        });
        Attributes::new(entries.collect()).expect("few")
    }

    fn text(&mut self) -> Text {
        let texts = ["", "x", "Zürich, 日本", "a \"quoted\" \\ 'text'"];
        let mut text = self.pick(&texts).to_owned();
        if self.below(20) == 0 {
            text = "y".repeat(512);
        }
        name(&text, Text::parse)
    }

    fn instant(&mut self) -> Timestamp {
        let ms = self.integer() % (Timestamp::default().after_ms(u64::MAX).ms() + 1);
        instant(ms)
    }

    /// An integer of any length, the extremes among them.
    fn integer(&mut self) -> u64 {
        match self.below(8) {
            0 => 0,
            1 => u64::MAX,
            2 => 0x7f,
            3 => 0x80,
            _ => self.next() >> self.below(64),
        }
    }
}

pub(crate) fn scopes() -> [ScopeId; 4] {
    ["t", "t-a", "t-b", "u"].map(|id| name(id, ScopeId::parse))
}

pub(crate) fn items() -> [Item; 4] {
    [
        ("vm/image", Some("FRA-A")),
        ("vm/image", Some("HKG-A")),
        ("vm/image", None),
        ("vm/disk", None),
    ]
    .map(|(resource, location)| Item {
        resource: name(resource, ResourceName::parse),
        location: location.map(|id| name(id, LocationId::parse)),
    })
}

pub(crate) fn locations() -> [LocationId; 2] {
    ["FRA-A", "HKG-A"].map(|id| name(id, LocationId::parse))
}

pub(crate) fn reservations() -> [ReservationId; 6] {
    ["r1", "r2", "r3", "r4", "r5", "r6"].map(|id| name(id, ReservationId::parse))
}

pub(crate) fn principals() -> [PrincipalId; 3] {
    ["k1", "k2", "k3"].map(|id| name(id, PrincipalId::parse))
}

pub(crate) fn tiers() -> [TierName; 2] {
    ["small", "large"].map(|id| name(id, TierName::parse))
}

/// A request never changes its tenant.
pub(crate) fn requests() -> [RequestId; 3] {
    ["q1", "q2", "q3"].map(|id| name(id, RequestId::parse))
}

pub(crate) fn tenant_of(request: &RequestId) -> ScopeId {
    let tenant = if request.as_str() == "q3" { "u" } else { "t" };
    name(tenant, ScopeId::parse)
}

pub(crate) fn webhooks() -> [WebhookId; 2] {
    ["w1", "w2"].map(|id| name(id, WebhookId::parse))
}

pub(crate) fn amount(units: u64) -> Amount {
    Amount::new(units).expect("an amount")
}

pub(crate) fn instant(ms: u64) -> Timestamp {
    Timestamp::from_ms(ms).expect("before the year 10000")
}
