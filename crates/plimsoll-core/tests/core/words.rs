//! The words of the language of [`crate::script`], and what they stand for.

use std::collections::BTreeMap;
use std::str::SplitWhitespace;

use plimsoll_core::amount::{Amount, Ceiling};
use plimsoll_core::command::{
    Action, ApproveRequest, CreatePrincipal, DeleteLimit, Expected, Extend, Grounds, Put, PutLimit,
    PutScope, PutWebhook, ReservationRef, Reserve, Resize, RuleRequest, Settle, SubmitRequest,
    Transfer,
};
use plimsoll_core::model::{
    Alerts, Asked, Attributes, AutoApproval, Credential, Item, Line, Lines, Location, Mode, Reach,
    Resource, Role, Terms, Tier, TierLimit, TierLimits, Topic, Window,
};
use plimsoll_core::names::ScopeId;

use crate::world::{
    after_start, amount, item, location, principal, request, reservation, resource, scope, text,
    tier, webhook,
};

/// What a command asks for.
pub(crate) fn action(words: &mut Words<'_>) -> Action {
    match words.next() {
        "resource" => Action::PutResource(Put {
            row: words.resource(),
            reason: words.reason(),
        }),
        "location" => Action::PutLocation(words.location()),
        "scope" => Action::PutScope(words.scope()),
        "tier" => Action::PutTier(Put {
            row: words.tier(),
            reason: words.reason(),
        }),
        "limit" => Action::PutLimit(words.limit()),
        "unlimit" => Action::DeleteLimit(DeleteLimit {
            scope: scope(words.next()),
            item: item(words.next()),
            window: words.window(),
            reason: words.reason(),
            expected: words.expected(),
        }),
        "refused" => Action::CountRefusals {
            tenant: scope(words.next()),
            refused: words.refused(),
        },
        "submit" => Action::SubmitRequest(SubmitRequest {
            id: request(words.next()),
            scope: scope(words.next()),
            item: item(words.next()),
            ceiling: ceiling(words.next()),
            reason: words.reason(),
        }),
        "approve" => Action::ApproveRequest(words.approve()),
        "deny" => Action::DenyRequest(words.rule()),
        "cancel" => Action::CancelRequest(words.rule()),
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
        "webhook" => Action::PutWebhook(words.webhook()),
        "unhook" => Action::DeleteWebhook {
            id: webhook(words.next()),
        },
        "told" => Action::NoteDelivered {
            id: webhook(words.next()),
            delivered: words.next().parse().expect("a place in the journal"),
        },
        verb => panic!("no command `{verb}`"),
    }
}

/// The words of a line that are still to come.
pub(crate) struct Words<'a>(pub(crate) std::iter::Peekable<SplitWhitespace<'a>>);

impl<'a> Words<'a> {
    pub(crate) fn of(line: &'a str) -> Self {
        Self(line.split_whitespace().peekable())
    }

    pub(crate) fn next(&mut self) -> &'a str {
        self.0.next().expect("another word")
    }

    pub(crate) fn take(&mut self, word: &str) -> bool {
        self.0.next_if_eq(&word).is_some()
    }

    /// The word that follows a key word, where the key word comes next.
    pub(crate) fn after(&mut self, key: &str) -> Option<&'a str> {
        self.take(key).then(|| self.next())
    }

    fn expected(&mut self) -> Expected {
        let revision = self
            .after("if")
            .map(|word| word.parse().expect("a revision"));
        revision.map_or(Expected::Whatever, Expected::Revision)
    }

    fn reason(&mut self) -> plimsoll_core::names::Text {
        text(self.after("because").unwrap_or(""))
    }

    fn mode(&mut self) -> Mode {
        let modes = [
            ("warn", Mode::Warn),
            ("observe", Mode::Observe),
            ("enforce", Mode::Enforce),
        ];
        let said = modes.into_iter().find(|(word, _)| self.take(word));
        said.map_or(Mode::Enforce, |(_, mode)| mode)
    }

    fn window(&mut self) -> Window {
        let instant = |word: &str| after_start(milliseconds(word));
        let starts_at = self.after("from").map(instant);
        let ends_at = self.after("until").map(instant);
        Window::new(starts_at, ends_at).expect("it starts before it ends")
    }

    fn resource(&mut self) -> Resource {
        Resource {
            name: resource(self.next()),
            per_location: self.take("per-location"),
            default_ceiling: ceiling(self.after("default").expect("a default")),
            unit: text(self.after("unit").unwrap_or("count")),
            adjustable: !self.take("fixed"),
            auto_approval: self.after("auto").map(|most| AutoApproval {
                ceiling: units(most),
                factor_percent: self.after("factor").map(|it| it.parse().expect("percent")),
                cool_off_ms: self.after("cool").map_or(0, milliseconds),
            }),
            alerts: self.after("alerts").map_or_else(no_alerts, |percents| {
                let percents = percents.split(',').map(|it| it.parse().expect("percent"));
                Alerts::new(percents.collect()).expect("parts of a limit")
            }),
            description: text(""),
        }
    }

    fn location(&mut self) -> Location {
        Location {
            id: location(self.next()),
            name: text(self.after("named").unwrap_or("")),
            attributes: Attributes::default(),
        }
    }

    fn scope(&mut self) -> PutScope {
        PutScope {
            id: scope(self.next()),
            parent: self.after("under").map(scope),
            kind: text(self.after("kind").unwrap_or("")),
            tier: self.after("tier").map(tier),
            reason: self.reason(),
        }
    }

    fn tier(&mut self) -> Tier {
        let name = tier(self.next());
        let mut limits = Vec::new();
        while let Some(of) = self.0.next_if(|word| word.contains('/')) {
            limits.push(TierLimit {
                item: item(of),
                ceiling: ceiling(self.next()),
                mode: self.mode(),
            });
        }
        Tier {
            name,
            description: text(""),
            limits: TierLimits::new(limits).expect("limits of one tier"),
        }
    }

    fn limit(&mut self) -> PutLimit {
        PutLimit {
            scope: scope(self.next()),
            item: item(self.next()),
            ceiling: ceiling(self.next()),
            mode: self.mode(),
            window: self.window(),
            expected: self.expected(),
            reason: self.reason(),
        }
    }

    fn refused(&mut self) -> Vec<(ScopeId, Item, u64)> {
        let mut refused = Vec::new();
        while let Some(at) = self.0.next() {
            let (of, count) = (item(self.next()), self.next());
            refused.push((scope(at), of, count.parse().expect("a count")));
        }
        refused
    }

    fn approve(&mut self) -> ApproveRequest {
        let id = request(self.next());
        let is_ceiling = |word: &&str| !["until", "because"].contains(word);
        let ends_at = |word: &str| match word {
            "dawn" => plimsoll_core::amount::Timestamp::default(),
            word => after_start(milliseconds(word)),
        };
        ApproveRequest {
            id,
            ceiling: self.0.next_if(is_ceiling).map(ceiling),
            ends_at: self.after("until").map(ends_at),
            reason: self.reason(),
        }
    }

    fn rule(&mut self) -> RuleRequest {
        RuleRequest {
            id: request(self.next()),
            reason: self.reason(),
        }
    }

    fn webhook(&mut self) -> PutWebhook {
        let topic = |word: &str| {
            let topic = Topic::ALL.into_iter().find(|topic| topic.name() == word);
            topic.expect("a topic")
        };
        PutWebhook {
            id: webhook(self.next()),
            reach: match self.next() {
                "everything" => Reach::Everything,
                top => Reach::Below(scope(top)),
            },
            url: text(self.after("url").unwrap_or("")),
            topics: {
                let topics = self.after("topics").map(|all| all.split(',').map(topic));
                topics.into_iter().flatten().collect()
            },
            sealed_secret: self.after("secret").unwrap_or("").as_bytes().to_vec(),
            enabled: !self.take("disabled"),
            delivered: self
                .after("told")
                .map_or(0, |it| it.parse().expect("a place")),
        }
    }

    fn grounds(&mut self) -> Grounds {
        let force = self.after("force").map(|why| Grounds::Force(text(why)));
        let mend = self.after("mend").map(|what| Grounds::Mend {
            reason: text(what),
            passes: true,
        });
        force.or(mend).unwrap_or_default()
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

    pub(crate) fn asked(&mut self) -> Asked {
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
            grounds: self.grounds(),
            holder: self.after("holder").map(text),
            attributes: {
                let tag = self.after("tag").map(|value| (text("tag"), text(value)));
                Attributes::new(tag.into_iter().collect::<BTreeMap<_, _>>()).expect("one")
            },
        }
    }

    fn named(&mut self) -> ReservationRef {
        let id = reservation(self.next());
        let scope = scope(self.after("of").unwrap_or("acme"));
        ReservationRef { scope, id }
    }

    fn settle(&mut self) -> Settle {
        Settle {
            of: self.named(),
            part: self.lines(),
            grounds: self.grounds(),
            expected: self.expected(),
        }
    }

    fn extend(&mut self) -> Extend {
        Extend {
            of: self.named(),
            ttl_ms: milliseconds(self.next()),
            expected: self.expected(),
        }
    }

    fn resize(&mut self) -> Resize {
        Resize {
            of: self.named(),
            lines: self.lines().expect("some lines"),
            grounds: self.grounds(),
            expected: self.expected(),
        }
    }

    fn transfer(&mut self) -> Transfer {
        Transfer {
            of: self.named(),
            to: scope(self.after("to").expect("a scope")),
            grounds: self.grounds(),
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

/// The base world knows no alerts: those who test them say so.
fn no_alerts() -> Alerts {
    Alerts::new(Vec::new()).expect("none")
}

/// A span of time.
pub(crate) fn milliseconds(word: &str) -> u64 {
    match word.strip_suffix("ms") {
        Some(ms) => ms.parse().expect("milliseconds"),
        None => {
            let seconds = word.strip_suffix('s').expect("seconds");
            seconds.parse::<u64>().expect("seconds") * 1_000
        }
    }
}

/// An amount.
pub(crate) fn units(word: &str) -> Amount {
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

/// A ceiling.
pub(crate) fn ceiling(word: &str) -> Ceiling {
    match word {
        "unlimited" => Ceiling::Unlimited,
        finite => Ceiling::Finite(units(finite)),
    }
}
