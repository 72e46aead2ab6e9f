//! A language for scenarios: one command a line, and what came of each.
//!
//! ```text
//! resource vm/image [per-location] default 3|unlimited [unit GiB] [fixed]
//!          [auto 9 [factor 200] [cool 60s]] [alerts 80,100]
//! location FRA-A [named x]                           tier gold [vm/disk 5 [warn|observe] ..]
//! scope acme [kind x] [tier gold]                    scope p under acme
//! limit acme vm/image@FRA-A 5|unlimited [warn|observe] [from 10s] [until 20s] [if 7] [because x]
//! unlimit acme vm/image@FRA-A [from 10s] [until 20s] [if 7]
//! reserve r1 p vm/image@FRA-A 2 [least 1] [vm/disk 1 ..] hold 300s|commit [force x] [holder x] [tag x]
//! commit r1 [of SCOPE] [vm/disk 1 ..] [if 7]         release r1 [of SCOPE] [vm/disk 1 ..] [if 7]
//! extend r1 [of SCOPE] 300s [if 7]                   transfer r1 [of SCOPE] to q [force x] [if 7]
//! resize r1 [of SCOPE] vm/disk 1 .. [force x] [if 7] (wherever `force x` may be, so may `mend x`)
//! expire acme                                        forget acme before 300s
//! refused acme p vm/disk 3 ..                        submit q1 p vm/disk 9 [because x]
//! approve q1 [5] [until 20s] [because x]             deny|cancel q1 [because x]
//! webhook w1 everything|SCOPE [url x] [topics limit,..] [secret x] [disabled] [told 7]
//! unhook w1                                          told w1 9
//! create k1 viewer|enforcer|manager|admin everything|SCOPE      enable|disable|delete k1
//! check p vm/image@FRA-A 2 [least 1] ..              quotas p [vm/image] [at FRA-A]
//! over p vm/disk 3                                   reconcile|mend p vm/disk as of 7 [img-1 2 ..]
//! ```
//!
//! `at 300s ..` sets the clock, which starts at `0s` and stands still otherwise. `as mia@p ..`
//! sends one command as `mia`, who reaches `p` and what is below; else `root` sends it, who
//! reaches everything. A reservation is one of `acme` unless it is said to be `of` another. `MAX` is the largest amount. A `#` begins a remark.

use expect_test::Expect;
use plimsoll_core::amount::Timestamp;
use plimsoll_core::command::Command;
use plimsoll_core::decide::check as check_command;
use plimsoll_core::model::{Limit, Mode, Reach, Window};
use plimsoll_core::outcome::{Decision, Outcome};
use plimsoll_core::reconcile::{Finding, Inventory};
use plimsoll_core::report::{QuotaFilter, over};
use plimsoll_core::rows::Footprint;

use crate::bench::Bench;
use crate::fence::Fenced;
use crate::render;
use crate::words::{Words, action, ceiling, milliseconds, units};
use crate::world::{after_start, item, location, principal, resource, scope, text};

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
    let mut words = Words::of(line);
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
        if let Some(asked) = line.strip_prefix("over ") {
            return self.over(asked);
        }
        if let Some(asked) = line.strip_prefix("reconcile ") {
            return self.reconcile(asked).0;
        }
        if let Some(asked) = line.strip_prefix("mend ") {
            return self.mend(asked);
        }
        let decision = self.bench.step(&command(line), self.now);
        let told = render::decision(&decision);
        self.last = Some(decision);
        told
    }

    fn check(&self, asked: &str) -> String {
        let mut words = Words::of(asked);
        let (scope, asked) = (scope(words.next()), words.asked());
        let footprint = Footprint::of_check(&scope, asked.lines());
        let rows = Fenced::new(&self.bench.world, &footprint);
        let root = principal("root");
        let checked = check_command(&rows, &root, &Reach::Everything, &scope, &asked, self.now);
        match checked.expect("no breach") {
            Ok(admissible) => render::admissible(&admissible),
            Err(denial) => render::denial(&denial),
        }
    }

    fn quotas(&self, asked: &str) -> String {
        let mut words = Words::of(asked);
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
        let quotas = self
            .bench
            .quotas(&Reach::Everything, &of, &filter, self.now);
        quotas.iter().map(render::quota).collect()
    }

    /// What would be over a limit, if it were in force.
    fn over(&self, asked: &str) -> String {
        let mut words = Words::of(asked);
        let limit = Limit {
            scope: scope(words.next()),
            item: item(words.next()),
            window: Window::ALWAYS,
            ceiling: ceiling(words.next()),
            mode: Mode::Enforce,
            set_by: principal("root"),
            set_at: self.now,
            reason: text(""),
            request: None,
            revision: 0,
        };
        let footprint = Footprint {
            scopes: [limit.scope.clone()].into(),
            all_items: true,
            ..Footprint::default()
        };
        let rows = Fenced::new(&self.bench.world, &footprint);
        let over = over(&rows, &limit, self.now);
        over.iter().map(render::over).collect()
    }

    /// How an inventory differs from the books.
    fn reconcile(&self, asked: &str) -> (String, Vec<Finding>) {
        let mut words = Words::of(asked);
        let (scope, item) = (scope(words.next()), item(words.next()));
        assert!(words.take("as") && words.take("of"), "as of a revision");
        let revision = words.next().parse().expect("a revision");
        let mut things = std::collections::BTreeMap::new();
        while let Some(thing) = words.0.next() {
            things.insert(text(thing), units(words.next()));
        }
        let inventory = Inventory {
            scope,
            item,
            revision,
            things,
            reason: text("inventory"),
            passes: true,
        };
        match self.bench.reconcile(&inventory) {
            Err(denial) => (render::denial(&denial), Vec::new()),
            Ok(findings) if findings.is_empty() => ("  nothing differs\n".to_owned(), findings),
            Ok(findings) => (findings.iter().map(render::finding).collect(), findings),
        }
    }

    /// The same, and what mends it is done; then only what is in flight still differs.
    fn mend(&mut self, asked: &str) -> String {
        let (mut told, findings) = self.reconcile(asked);
        for mend in findings.into_iter().flat_map(|finding| finding.mends) {
            let command = Command {
                actor: principal("root"),
                reach: Reach::Everything,
                action: mend,
            };
            let decision = self.bench.step(&command, self.now);
            told += &render::decision(&decision);
        }
        told
    }
}
