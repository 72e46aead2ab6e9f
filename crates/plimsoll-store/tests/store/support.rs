//! Names, commands, a clock that is set by hand, and a way to wait for a future.

use std::fmt::Debug;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::command::{
    Action, Command, CreatePrincipal, DeleteLimit, Expected, Extend, Grounds, Put, PutLimit,
    PutScope, ReservationRef, Reserve, Resize, Settle, Transfer,
};
use plimsoll_core::model::{
    Alerts, Asked, Attributes, Credential, Item, Line, Lines, Location, Mode, Reach, Reservation,
    Resource, Role, Terms, Window,
};
use plimsoll_core::names::{
    LocationId, NameError, PrincipalId, ReservationId, ResourceName, ScopeId, Text,
};
use plimsoll_core::outcome::{Done, Outcome};
use plimsoll_store::{Clock, Store, SubmitError};

/// Wakes the thread that waits.
struct Waiting(Thread);

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future on this thread.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Waiting(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Looks again and again until something is so. It fails when that takes minutes: on a machine that
/// is busy with other things, what must happen may take long.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..12_000 {
        if is_so() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    panic!("{what}: not within two minutes");
}

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
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("less than a usize")
    }

    pub(crate) fn pick<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.index(values.len())].clone()
    }
}

/// A clock that stands still until it is set.
#[derive(Clone, Default)]
pub(crate) struct HandClock(Arc<AtomicU64>);

impl HandClock {
    pub(crate) fn set(&self, ms: u64) {
        self.0.store(ms, Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        let ms = Arc::clone(&self.0);
        Clock::new(move || at(ms.load(Ordering::SeqCst)))
    }
}

/// A store in a directory, with a clock at zero.
pub(crate) fn open(directory: &Path) -> Store {
    try_open(directory).unwrap_or_else(|error| panic!("{}", chain_of(&error)))
}

pub(crate) fn try_open(directory: &Path) -> Result<Store, plimsoll_store::StoreError> {
    Store::sqlite(directory, HandClock::default().clock())
}

/// An error with its causes.
pub(crate) fn chain_of(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}

/// What came of some commands, which must have been decided.
pub(crate) fn submit(store: &Store, commands: Vec<Command>) -> Vec<Outcome> {
    wait(store.submit(commands)).expect("the store serves")
}

/// The reservation that one command made or found.
pub(crate) fn reserved(outcomes: Result<Vec<Outcome>, SubmitError>) -> Option<Reservation> {
    match outcomes.expect("the store serves").pop() {
        Some(Outcome::Done(Done::Reservation(row))) => Some(Arc::unwrap_or_clone(row)),
        Some(Outcome::Denied(_)) => None,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn name<T: Debug>(text: &str, parse: fn(&str) -> Result<T, NameError>) -> T {
    parse(text).unwrap_or_else(|error| panic!("`{text}` {error}"))
}

pub(crate) fn scope(id: &str) -> ScopeId {
    name(id, ScopeId::parse)
}

pub(crate) fn reservation(id: &str) -> ReservationId {
    name(id, ReservationId::parse)
}

pub(crate) fn principal(id: &str) -> PrincipalId {
    name(id, PrincipalId::parse)
}

/// An item: `vm/image@FRA-A`, or `vm/disk` at none.
pub(crate) fn item(text: &str) -> Item {
    let (resource, location) = match text.split_once('@') {
        Some((resource, location)) => (resource, Some(location)),
        None => (text, None),
    };
    Item {
        resource: name(resource, ResourceName::parse),
        location: location.map(|id| name(id, LocationId::parse)),
    }
}

pub(crate) fn text(value: &str) -> Text {
    name(value, Text::parse)
}

pub(crate) fn finite(units: u64) -> Ceiling {
    Ceiling::Finite(amount(units))
}

pub(crate) fn amount(units: u64) -> Amount {
    Amount::new(units).expect("an amount")
}

pub(crate) fn at(ms: u64) -> Timestamp {
    Timestamp::from_ms(ms).expect("before the year 10000")
}

/// A command of somebody who may do anything.
pub(crate) fn by_root(action: Action) -> Command {
    Command {
        actor: principal("root"),
        reach: Reach::Everything,
        action,
    }
}

pub(crate) fn put_resource(resource: &str, default: Ceiling, per_location: bool) -> Command {
    put_whole_resource(Resource {
        name: name(resource, ResourceName::parse),
        unit: text("count"),
        default_ceiling: default,
        per_location,
        adjustable: true,
        description: text("for people: \"quoted\""),
        auto_approval: None,
        alerts: Alerts::default(),
    })
}

pub(crate) fn put_whole_resource(resource: Resource) -> Command {
    let reason = text("it is needed");
    by_root(Action::PutResource(Put {
        row: resource,
        reason,
    }))
}

pub(crate) fn put_location(id: &str, label: &str) -> Command {
    let entries = [(text("label"), text(label))].into();
    by_root(Action::PutLocation(Location {
        id: name(id, LocationId::parse),
        name: text(label),
        attributes: Attributes::new(entries).expect("one"),
    }))
}

pub(crate) fn put_scope(id: &str, parent: Option<&str>) -> Command {
    by_root(Action::PutScope(PutScope {
        id: scope(id),
        parent: parent.map(scope),
        kind: text("project"),
        tier: None,
        reason: text(""),
    }))
}

pub(crate) fn put_limit(at: &str, of: &str, ceiling: Ceiling) -> Command {
    by_root(Action::PutLimit(PutLimit {
        scope: scope(at),
        item: item(of),
        window: Window::ALWAYS,
        ceiling,
        mode: Mode::Enforce,
        reason: text("a test"),
        expected: Expected::Whatever,
    }))
}

pub(crate) fn delete_limit(at: &str, of: &str) -> Command {
    by_root(Action::DeleteLimit(DeleteLimit {
        scope: scope(at),
        item: item(of),
        window: Window::ALWAYS,
        reason: text("no longer needed"),
        expected: Expected::Whatever,
    }))
}

/// Asks for some units of some items, for good or for `ttl_ms`.
pub(crate) fn reserve(id: &str, at: &str, of: &[(&str, u64)], ttl_ms: Option<u64>) -> Command {
    by_root(Action::Reserve(Reserve {
        id: reservation(id),
        scope: scope(at),
        asked: Asked::whole(lines(of)),
        terms: ttl_ms.map_or(Terms::Commit, |ttl_ms| Terms::Hold { ttl_ms }),
        grounds: Grounds::Limits,
        holder: Some(text("")),
        attributes: Attributes::default(),
    }))
}

/// The same command, content with one unit of each line.
pub(crate) fn at_least_one(command: Command) -> Command {
    let Action::Reserve(reserve) = command.action else {
        panic!("{command:?}");
    };
    let lines = reserve.asked.lines().clone();
    let least = vec![amount(1); lines.len()];
    by_root(Action::Reserve(Reserve {
        asked: Asked::at_least(lines, least).expect("no more than the lines"),
        ..reserve
    }))
}

/// The same command, past the limits.
pub(crate) fn forced(mut command: Command) -> Command {
    let grounds = match &mut command.action {
        Action::Reserve(reserve) => &mut reserve.grounds,
        Action::Resize(resize) => &mut resize.grounds,
        Action::Transfer(transfer) => &mut transfer.grounds,
        other => panic!("{other:?}"),
    };
    *grounds = Grounds::Force(text("it must be"));
    command
}

pub(crate) fn commit(tenant: &str, id: &str) -> Command {
    by_root(Action::Commit(settle(tenant, id, None)))
}

pub(crate) fn release(tenant: &str, id: &str) -> Command {
    by_root(Action::Release(settle(tenant, id, None)))
}

pub(crate) fn commit_part(tenant: &str, id: &str, of: &[(&str, u64)]) -> Command {
    by_root(Action::Commit(settle(tenant, id, Some(lines(of)))))
}

pub(crate) fn release_part(tenant: &str, id: &str, of: &[(&str, u64)]) -> Command {
    by_root(Action::Release(settle(tenant, id, Some(lines(of)))))
}

fn settle(tenant: &str, id: &str, part: Option<Lines>) -> Settle {
    Settle {
        of: reservation_ref(tenant, id),
        part,
        grounds: Grounds::Limits,
        expected: Expected::Whatever,
    }
}

pub(crate) fn extend(tenant: &str, id: &str, ttl_ms: u64) -> Command {
    by_root(Action::Extend(Extend {
        of: reservation_ref(tenant, id),
        ttl_ms,
        expected: Expected::Whatever,
    }))
}

pub(crate) fn resize(tenant: &str, id: &str, of: &[(&str, u64)]) -> Command {
    by_root(Action::Resize(Resize {
        of: reservation_ref(tenant, id),
        lines: lines(of),
        grounds: Grounds::Limits,
        expected: Expected::Whatever,
    }))
}

pub(crate) fn transfer(tenant: &str, id: &str, to: &str) -> Command {
    by_root(Action::Transfer(Transfer {
        of: reservation_ref(tenant, id),
        to: scope(to),
        grounds: Grounds::Limits,
        expected: Expected::Whatever,
    }))
}

pub(crate) fn forget(tenant: &str, ended_before_ms: u64) -> Command {
    by_root(Action::Forget {
        tenant: scope(tenant),
        ended_before: at(ended_before_ms),
    })
}

fn reservation_ref(at: &str, id: &str) -> ReservationRef {
    ReservationRef {
        scope: scope(at),
        id: reservation(id),
    }
}

fn lines(of: &[(&str, u64)]) -> Lines {
    let lines = of.iter().map(|(of, units)| Line {
        item: item(of),
        amount: amount(*units),
    });
    Lines::new(lines.collect()).expect("lines")
}

pub(crate) fn expire(tenant: &str) -> Command {
    by_root(Action::Expire {
        tenant: scope(tenant),
    })
}

pub(crate) fn create_principal(id: &str, reach: Reach, credential: Credential) -> Command {
    by_root(Action::CreatePrincipal(CreatePrincipal {
        id: principal(id),
        role: Role::Manager,
        reach,
        may_force: id == "k2",
        credential,
        expires_at: Some(at(5_000)),
        description: text("Mia"),
    }))
}

pub(crate) fn enable_principal(id: &str, enabled: bool) -> Command {
    let id = principal(id);
    by_root(Action::EnablePrincipal { id, enabled })
}

pub(crate) fn delete_principal(id: &str) -> Command {
    by_root(Action::DeletePrincipal { id: principal(id) })
}

/// Two tenants: `acme` with `p` and, below it, `p-q`; and `other`.
pub(crate) fn base() -> Vec<Command> {
    vec![
        put_resource("vm/image", finite(5), true),
        put_resource("vm/disk", Ceiling::Unlimited, false),
        put_location("FRA-A", "Frankfurt"),
        put_location("HKG-A", "香港"),
        put_scope("acme", None),
        put_scope("p", Some("acme")),
        put_scope("p-q", Some("p")),
        put_scope("other", None),
    ]
}
