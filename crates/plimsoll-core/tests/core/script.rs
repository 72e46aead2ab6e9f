//! A language for scenarios: one command a line, and what came of each.
//!
//! ```text
//! resource vm/image [per-location] default 3|unlimited [unit GiB]     location FRA-A [named x]
//! scope acme [kind x]                                scope p under acme
//! limit acme vm/image@FRA-A 5|unlimited [if 7] [because reason]
//! unlimit acme vm/image@FRA-A [if 7]
//! reserve r1 p vm/image@FRA-A 2 [least 1] [vm/disk 1 ..] hold 300s|commit [force x] [holder x] [tag x]
//! commit r1 [of SCOPE] [vm/disk 1 ..] [if 7]         release r1 [of SCOPE] [vm/disk 1 ..] [if 7]
//! extend r1 [of SCOPE] 300s [if 7]                   transfer r1 [of SCOPE] to q [force x] [if 7]
//! resize r1 [of SCOPE] vm/disk 1 .. [force x] [if 7]
//! expire acme                                        forget acme before 300s
//! create k1 viewer|enforcer|manager|admin everything|SCOPE      enable|disable|delete k1
//! check p vm/image@FRA-A 2 [least 1] ..                        quotas p [vm/image] [at FRA-A]
//! ```
//!
//! `at 300s ..` sets the clock, which starts at `0s` and stands still otherwise. `as mia@p ..`
//! sends one command as `mia`, who reaches `p` and what is below; else `root` sends it, who
//! reaches everything. A reservation is one of `acme` unless it is said to be `of` another. `MAX` is the largest amount. A `#` begins a remark.

use std::collections::BTreeMap;
use std::str::SplitWhitespace;

use expect_test::Expect;
use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::command::{
    Action, Command, CreatePrincipal, DeleteLimit, Expected, Extend, PutLimit, PutScope,
    ReservationRef, Reserve, Resize, Settle, Transfer,
};
use plimsoll_core::decide::check as check_command;
use plimsoll_core::model::{
    Asked, Attributes, Credential, Line, Lines, Location, Reach, Resource, Role, Terms,
};
use plimsoll_core::outcome::{Decision, Outcome};
use plimsoll_core::report::QuotaFilter;
use plimsoll_core::rows::Footprint;

use crate::bench::Bench;
use crate::fence::Fenced;
use crate::render;
use crate::world::{
    after_start, amount, item, location, principal, reservation, resource, scope, text,
};

/// What every scenario starts from: its last revisions are acme#3, other#2 and catalogue#5.
const BASE: &str = "
    resource vm/image per-location default 3
    resource vm/disk default unlimited
    resource net/ip default 0
    location FRA-A
    location HKG-A
    scope acme
    scope p under acme
    scope q under acme
    scope other
    scope z under other
";

/// Runs a scenario on the usual world and compares its transcript.
pub(crate) fn check(scenario: &str, expect: Expect) {
    let mut player = Player::new();
    player.play(BASE);
    player.transcript.clear();
    player.play(scenario);
    expect.assert_eq(&player.transcript);
}

/// The bench after a scenario on the usual world.
pub(crate) fn run(scenario: &str) -> Bench {
    let mut player = Player::new();
    player.play(BASE);
    player.play(scenario);
    player.bench
}

/// The bench after a scenario on an empty world.
pub(crate) fn run_bare(scenario: &str) -> Bench {
    let mut player = Player::new();
    player.play(scenario);
    player.bench
}

/// What came last in a scenario on the usual world.
pub(crate) fn last(scenario: &str) -> Outcome {
    let mut player = Player::new();
    player.play(BASE);
    player.play(scenario);
    player.last.expect("a command").outcome
}

/// The command that one line stands for.
pub(crate) fn command(line: &str) -> Command {
    let mut words = Words(line.split_whitespace().peekable());
    let (actor, reach) = match words.after("as") {
        None => (principal("root"), Reach::Everything),
        Some(who) => {
            let (actor, top) = who.split_once('@').expect("who@scope");
            (principal(actor), Reach::Below(scope(top)))
        }
    };
    let action = action(&mut words);
    assert_eq!(words.0.next(), None, "left over in `{line}`");
    Command {
        actor,
        reach,
        action,
    }
}

struct Player {
    bench: Bench,
    now: Timestamp,
    transcript: String,
    last: Option<Decision>,
}

impl Player {
    fn new() -> Self {
        Self {
            bench: Bench::default(),
            now: after_start(0),
            transcript: String::new(),
            last: None,
        }
    }

    fn play(&mut self, scenario: &str) {
        let lines = scenario
            .lines()
            .map(|line| line.split('#').next().expect("one").trim());
        for line in lines.filter(|line| !line.is_empty()) {
            self.transcript += &format!("> {line}\n");
            let told = self.line(line);
            self.transcript += &told;
        }
    }

    fn line(&mut self, line: &str) -> String {
        let mut line = line;
        if let Some(timed) = line.strip_prefix("at ") {
            let (at, rest) = timed.split_once(' ').expect("at <time> <command>");
            self.now = after_start(milliseconds(at));
            line = rest;
        }
        if let Some(asked) = line.strip_prefix("check ") {
            return self.check(asked);
        }
        if let Some(asked) = line.strip_prefix("quotas ") {
            return self.quotas(asked);
        }
        let decision = self.bench.step(&command(line), self.now);
        let told = render::decision(&decision);
        self.last = Some(decision);
        told
    }

    fn check(&self, asked: &str) -> String {
        let mut words = Words(asked.split_whitespace().peekable());
        let (scope, asked) = (scope(words.next()), words.asked());
        let footprint = Footprint::of_check(&scope, asked.lines());
        let rows = Fenced::new(&self.bench.world, &footprint);
        let root = principal("root");
        let checked = check_command(&rows, &root, &Reach::Everything, &scope, &asked, self.now);
        match checked.expect("no breach") {
            Ok(lines) => format!("  admissible: {}\n", render::lines(&lines)),
            Err(denial) => render::denial(&denial),
        }
    }

    fn quotas(&self, asked: &str) -> String {
        let mut words = Words(asked.split_whitespace().peekable());
        let of = scope(words.next());
        let location = |words: &mut Words<'_>| words.after("at").map(location);
        let mut filter = QuotaFilter {
            resource: None,
            location: location(&mut words),
        };
        if let Some(name) = words.0.next() {
            filter.resource = Some(resource(name));
            filter.location = location(&mut words);
        }
        let quotas = self.bench.quotas(&Reach::Everything, &of, &filter);
        quotas.iter().map(render::quota).collect()
    }
}

fn action(words: &mut Words<'_>) -> Action {
    match words.next() {
        "resource" => Action::PutResource(Resource {
            name: resource(words.next()),
            per_location: words.take("per-location"),
            default_ceiling: ceiling(words.after("default").expect("a default")),
            unit: text(words.after("unit").unwrap_or("count")),
            adjustable: true,
            description: text(""),
        }),
        "location" => Action::PutLocation(Location {
            id: location(words.next()),
            name: text(words.after("named").unwrap_or("")),
            attributes: Attributes::default(),
        }),
        "scope" => Action::PutScope(PutScope {
            id: scope(words.next()),
            parent: words.after("under").map(scope),
            kind: text(words.after("kind").unwrap_or("")),
        }),
        "limit" => Action::PutLimit(PutLimit {
            scope: scope(words.next()),
            item: item(words.next()),
            ceiling: ceiling(words.next()),
            expected: words.expected(),
            reason: text(words.after("because").unwrap_or("")),
        }),
        "unlimit" => Action::DeleteLimit(DeleteLimit {
            scope: scope(words.next()),
            item: item(words.next()),
            expected: words.expected(),
        }),
        "reserve" => Action::Reserve(words.reserve()),
        "commit" => Action::Commit(words.settle()),
        "release" => Action::Release(words.settle()),
        "extend" => Action::Extend(words.extend()),
        "resize" => Action::Resize(words.resize()),
        "transfer" => Action::Transfer(words.transfer()),
        "forget" => Action::Forget {
            tenant: scope(words.next()),
            ended_before: after_start(milliseconds(words.after("before").expect("an instant"))),
        },
        "expire" => Action::Expire {
            tenant: scope(words.next()),
        },
        "create" => Action::CreatePrincipal(words.create()),
        "enable" => Action::EnablePrincipal {
            id: principal(words.next()),
            enabled: true,
        },
        "disable" => Action::EnablePrincipal {
            id: principal(words.next()),
            enabled: false,
        },
        "delete" => Action::DeletePrincipal {
            id: principal(words.next()),
        },
        verb => panic!("no command `{verb}`"),
    }
}

struct Words<'a>(std::iter::Peekable<SplitWhitespace<'a>>);

impl<'a> Words<'a> {
    fn next(&mut self) -> &'a str {
        self.0.next().expect("another word")
    }

    fn take(&mut self, word: &str) -> bool {
        self.0.next_if_eq(&word).is_some()
    }

    /// The word that follows a key word, where the key word comes next.
    fn after(&mut self, key: &str) -> Option<&'a str> {
        self.take(key).then(|| self.next())
    }

    fn expected(&mut self) -> Expected {
        let revision = self
            .after("if")
            .map(|word| word.parse().expect("a revision"));
        revision.map_or(Expected::Whatever, Expected::Revision)
    }

    /// Lines, each with what would do of it.
    fn pairs(&mut self) -> Vec<(Line, Amount)> {
        let mut pairs = Vec::new();
        while let Some(asked) = self.0.next_if(|word| word.contains('/')) {
            let (item, amount) = (item(asked), units(self.next()));
            let least = self.after("least").map_or(amount, units);
            pairs.push((Line { item, amount }, least));
        }
        pairs
    }

    fn lines(&mut self) -> Option<Lines> {
        let pairs = self.pairs();
        let lines: Vec<Line> = pairs.into_iter().map(|(line, _)| line).collect();
        (!lines.is_empty()).then(|| Lines::new(lines).expect("lines of one reservation"))
    }

    fn asked(&mut self) -> Asked {
        let (lines, least) = self.pairs().into_iter().unzip();
        let lines = Lines::new(lines).expect("lines of one reservation");
        Asked::at_least(lines, least).expect("no more than the lines")
    }

    fn reserve(&mut self) -> Reserve {
        Reserve {
            id: reservation(self.next()),
            scope: scope(self.next()),
            asked: self.asked(),
            terms: match self.next() {
                "commit" => Terms::Commit,
                "hold" => Terms::Hold {
                    ttl_ms: milliseconds(self.next()),
                },
                terms => panic!("neither hold nor commit: `{terms}`"),
            },
            force: self.after("force").map(text),
            holder: self.after("holder").map(text),
            attributes: {
                let tag = self.after("tag").map(|value| (text("tag"), text(value)));
                Attributes::new(tag.into_iter().collect::<BTreeMap<_, _>>()).expect("one")
            },
        }
    }

    fn of(&mut self) -> ReservationRef {
        let id = reservation(self.next());
        let scope = scope(self.after("of").unwrap_or("acme"));
        ReservationRef { scope, id }
    }

    fn settle(&mut self) -> Settle {
        Settle {
            of: self.of(),
            part: self.lines(),
            expected: self.expected(),
        }
    }

    fn extend(&mut self) -> Extend {
        Extend {
            of: self.of(),
            ttl_ms: milliseconds(self.next()),
            expected: self.expected(),
        }
    }

    fn resize(&mut self) -> Resize {
        Resize {
            of: self.of(),
            lines: self.lines().expect("some lines"),
            force: self.after("force").map(text),
            expected: self.expected(),
        }
    }

    fn transfer(&mut self) -> Transfer {
        Transfer {
            of: self.of(),
            to: scope(self.after("to").expect("a scope")),
            force: self.after("force").map(text),
            expected: self.expected(),
        }
    }

    fn create(&mut self) -> CreatePrincipal {
        CreatePrincipal {
            id: principal(self.next()),
            role: match self.next() {
                "viewer" => Role::Viewer,
                "enforcer" => Role::Enforcer,
                "manager" => Role::Manager,
                "admin" => Role::Admin,
                role => panic!("no role `{role}`"),
            },
            reach: match self.next() {
                "everything" => Reach::Everything,
                top => Reach::Below(scope(top)),
            },
            may_force: false,
            credential: Credential::Token { hash: [7; 32] },
            expires_at: None,
            description: text(""),
        }
    }
}

fn milliseconds(word: &str) -> u64 {
    match word.strip_suffix("ms") {
        Some(ms) => ms.parse().expect("milliseconds"),
        None => {
            let seconds = word.strip_suffix('s').expect("seconds");
            seconds.parse::<u64>().expect("seconds") * 1_000
        }
    }
}

fn units(word: &str) -> Amount {
    match word.strip_prefix("MAX") {
        None => amount(word.parse().expect("an amount")),
        Some("") => Amount::MAX,
        Some(less) => {
            let less = less
                .strip_prefix('-')
                .expect("MAX-n")
                .parse()
                .expect("a number");
            Amount::MAX.minus(amount(less)).expect("not below zero")
        }
    }
}

fn ceiling(word: &str) -> Ceiling {
    match word {
        "unlimited" => Ceiling::Unlimited,
        finite => Ceiling::Finite(units(finite)),
    }
}
