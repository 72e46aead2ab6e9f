//! Decisions as people read them.

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::bounds::AMOUNT_MAX;
use plimsoll_core::decide::Admissible;
use plimsoll_core::event::{Change, Crossing, Event, Log, Mark};
use plimsoll_core::model::{
    Account, Asked, Item, Limit, Line, Lines, Mode, Principal, Reach, Reservation, Resource, Scope,
    State, Tally, Tier, Webhook, Window,
};
use plimsoll_core::names::RequestId;
use plimsoll_core::outcome::{Decision, Denial, Done, Exceeded, Outcome, Source};
use plimsoll_core::reconcile::Finding;
use plimsoll_core::report::{Over, Quota};

use crate::render_request::request;
use crate::world::START;

/// The answer, then each event with its post-values.
pub(crate) fn decision(decision: &Decision) -> String {
    let answer = match &decision.outcome {
        Outcome::Done(Done::Warned(row, limits)) => warned(&reservation(row), limits),
        Outcome::Done(it) => format!("  {}\n", done(it)),
        Outcome::Denied(it) => denial(it),
    };
    decision
        .events
        .iter()
        .fold(answer, |told, it| told + &event(it))
}

/// Why not, and every limit that is in the way.
pub(crate) fn denial(denial: &Denial) -> String {
    let code = denial.code();
    let what = match denial {
        Denial::UnknownScope(id) => format!(" {id}"),
        Denial::UnknownResource(name)
        | Denial::LocationRequired(name)
        | Denial::LocationNotApplicable(name)
        | Denial::NotAdjustable(name) => format!(" {name}"),
        Denial::UnknownLocation(id) => format!(" {id}"),
        Denial::UnknownTier(name) => format!(" {name}"),
        Denial::NotAnIncrease { present } => format!(" {} binds", ceiling(*present)),
        Denial::RequestPending(id) => format!(" {id}"),
        Denial::StateConflict { state } => format!(" {state}"),
        Denial::PreconditionFailed { actual: None } => " nothing is there".to_owned(),
        Denial::PreconditionFailed {
            actual: Some(revision),
        } => format!(" it is {revision}"),
        Denial::Immutable { field } => format!(" {field}"),
        Denial::TooMany { max } => format!(" {max}"),
        Denial::NotFound
        | Denial::IdConflict
        | Denial::NotAPart
        | Denial::OtherTenant
        | Denial::EndsInThePast
        | Denial::TooDeep
        | Denial::RoleTooWide
        | Denial::OwnPrincipal
        | Denial::QuotaExceeded(_) => String::new(),
    };
    let answer = format!("  DENIED {code}{what}\n");
    let exceeded = match denial {
        Denial::QuotaExceeded(exceeded) => exceeded.as_slice(),
        _ => &[],
    };
    exceeded
        .iter()
        .fold(answer, |told, limit| told + &passed(limit))
}

/// What would be granted.
pub(crate) fn admissible(admissible: &Admissible) -> String {
    let answer = format!("admissible: {}", lines(&admissible.lines));
    warned(&answer, &admissible.warnings)
}

/// An answer, and every limit that lets pass and says so.
fn warned(answer: &str, limits: &[Exceeded]) -> String {
    let answer = format!("  {answer}\n");
    limits.iter().fold(answer, |told, limit| {
        told + "    WARNED" + &passed(limit)[3..]
    })
}

fn passed(limit: &Exceeded) -> String {
    let Exceeded {
        scope,
        item,
        ceiling,
        mode: binds,
        source,
        used,
        held,
        asked,
        short_by,
        ..
    } = limit;
    let enough = limit
        .smallest_sufficient
        .map_or("nothing".to_owned(), units);
    let fits = limit.fits_at.map_or("never".to_owned(), instant);
    format!(
        "    at {scope} {}: {}{} by {}; used {} held {} asked {}, short by {}; \
         {enough} would do; fits {fits}\n",
        self::item(item),
        self::ceiling(*ceiling),
        mode(*binds),
        self::source(source),
        units(*used),
        units(*held),
        units(*asked),
        units(*short_by),
    )
}

/// One quota, and the chain that led to it.
pub(crate) fn quota(quota: &Quota) -> String {
    let mut told = format!(
        "  {} {}: {}{} used {} held {}, available {}, over by {}{}\n",
        item(&quota.item),
        quota.unit,
        ceiling(quota.ceiling),
        mode(quota.mode),
        units(quota.used),
        units(quota.held),
        ceiling(quota.available),
        units(quota.over_by),
        tally(&quota.tally),
    );
    for link in &quota.sources {
        told += &format!(
            "    {}{} by {} at {}, leaves {}\n",
            ceiling(link.ceiling),
            mode(link.mode),
            source(&link.source),
            link.scope,
            ceiling(link.available),
        );
    }
    told
}

/// What is over a limit.
pub(crate) fn over(over: &Over) -> String {
    let Over { scope, item, .. } = over;
    let (used, held, over_by) = (units(over.used), units(over.held), units(over.over_by));
    format!(
        "  {scope} {}: used {used} held {held}, over by {over_by}\n",
        self::item(item)
    )
}

/// One difference.
pub(crate) fn finding(finding: &Finding) -> String {
    format!(
        "  {} {}: here {}, there {}; {} to mend it\n",
        finding.holder,
        finding.difference.name(),
        units(finding.here),
        units(finding.there),
        finding.mends.len(),
    )
}

fn done(done: &Done) -> String {
    match done {
        Done::Reservation(row) | Done::Warned(row, _) => reservation(row),
        Done::Expired { holds } => format!("{holds} lapsed"),
        Done::Forgotten { reservations } => format!("{reservations} forgotten"),
        Done::Resource(row) => resource(row),
        Done::Location(row) => format!("location {} `{}`", row.id, row.name),
        Done::Scope(row) => scope(row),
        Done::Limit(row) => limit(row),
        Done::LimitGone | Done::PrincipalGone | Done::WebhookGone => "gone".to_owned(),
        Done::Tier(row) => tier(row),
        Done::RefusalsCounted => "counted".to_owned(),
        Done::Request(row) => request(row),
        Done::Webhook(row) => webhook(row),
        Done::Principal(row) => principal(row),
    }
}

fn event(event: &Event) -> String {
    let log = match &event.log {
        Log::Catalogue => "catalogue",
        Log::Tenant(tenant) => tenant.as_str(),
    };
    let Event {
        revision,
        cause,
        actor,
        ..
    } = event;
    let mark = match &event.mark {
        Mark::Enforced => String::new(),
        Mark::Forced { reason } => format!(" forced `{reason}`"),
        Mark::Mended { reason } => format!(" mended `{reason}`"),
        Mark::Passed { limits } => limits.iter().fold(" past".to_owned(), |told, limit| {
            let (scope, of, binds) = limit;
            format!("{told} {scope} {}{}", item(of), mode(*binds))
        }),
    };
    let why = event.reason.as_ref();
    let why = why.map_or(String::new(), |reason| format!(" because `{reason}`"));
    let crossed: String = event.crossed.iter().map(crossing).collect();
    let changes = event
        .changes
        .iter()
        .map(change)
        .collect::<Vec<_>>()
        .join("; ");
    format!(
        "  {log}#{revision} {cause:?} by {actor} at {}{mark}{why}: {changes}\n{crossed}",
        instant(event.at)
    )
}

fn change(change: &Change) -> String {
    match change {
        Change::Resource(row) => resource(row),
        Change::Location(row) => format!("location {} `{}`", row.id, row.name),
        Change::Scope(row) => scope(row),
        Change::Limits {
            scope,
            item,
            limits,
        } if limits.is_empty() => format!("no limit {scope} {}", self::item(item)),
        Change::Limits { limits, .. } => {
            let limits: Vec<String> = limits.iter().map(limit).collect();
            limits.join(" and ")
        }
        Change::Account {
            scope,
            item,
            account: Account { used, held },
        } => {
            format!(
                "{scope} {} {}+{}",
                self::item(item),
                units(*used),
                units(*held)
            )
        }
        Change::Reservation(row) => reservation(row),
        Change::ReservationGone(key) => format!("no {} of {}", key.id, key.tenant),
        Change::Principal(row) => principal(row),
        Change::PrincipalGone(id) => format!("no principal {id}"),
        Change::Tier(row) => tier(row),
        Change::Tally {
            scope,
            item,
            tally: figures,
        } => format!("{scope} {}{}", self::item(item), tally(figures)),
        Change::Request(row) => request(row),
        Change::RequestGone { tenant, id } => format!("no request {id} of {tenant}"),
        Change::Webhook(row) => webhook(row),
        Change::WebhookGone(id) => format!("no webhook {id}"),
    }
}

fn crossing(crossing: &Crossing) -> String {
    let Crossing { scope, percent, .. } = crossing;
    let (ceiling, taken) = (units(crossing.ceiling), units(crossing.taken));
    let item = item(&crossing.item);
    format!("    {percent} % of {ceiling} at {scope} {item}: {taken} taken\n")
}

/// What went past, where something did.
fn tally(tally: &Tally) -> String {
    if *tally == Tally::default() {
        return String::new();
    }
    let Tally {
        refused,
        warned,
        observed,
        last_at,
    } = tally;
    let last_at = instant(*last_at);
    format!(" refused {refused} warned {warned} observed {observed} last at {last_at}")
}

fn tier(row: &Tier) -> String {
    let limits = row.limits.iter();
    let limits = limits.map(|it| {
        format!(
            " {} {}{}",
            item(&it.item),
            ceiling(it.ceiling),
            mode(it.mode)
        )
    });
    format!("tier {}:{}", row.name, limits.collect::<Vec<_>>().join(","))
}

fn webhook(row: &Webhook) -> String {
    let topics: Vec<&str> = row.topics.iter().map(|topic| topic.name()).collect();
    let enabled = if row.enabled { "enabled" } else { "disabled" };
    let secret = String::from_utf8_lossy(&row.sealed_secret);
    format!(
        "webhook {} of {} to `{}` on {topics:?} with `{secret}` {enabled} told {} #{}",
        row.id,
        reach(&row.reach),
        row.url,
        row.delivered,
        row.revision
    )
}

fn reservation(row: &Reservation) -> String {
    let state = match row.state {
        State::Held { expires_at } => format!("held until {}", instant(expires_at)),
        State::Committed => "committed".to_owned(),
        State::Released { ended_at } => format!("released at {}", instant(ended_at)),
        State::Expired { ended_at } => format!("expired at {}", instant(ended_at)),
    };
    let original = row.original.as_ref().map_or(String::new(), |original| {
        format!(" (asked {} of {})", asked(&original.asked), original.scope)
    });
    let forced = row
        .forced
        .as_ref()
        .map_or(String::new(), |reason| format!(" forced `{reason}`"));
    format!(
        "{} {state} #{}: {} of {}{original}{forced}",
        row.id,
        row.revision,
        lines(&row.lines),
        row.scope
    )
}

/// Lines, as a reservation has them.
pub(crate) fn lines(lines: &Lines) -> String {
    lines.iter().map(line).collect::<Vec<_>>().join(", ")
}

fn asked(asked: &Asked) -> String {
    let line = |(it, least): (&Line, Amount)| {
        if least < it.amount {
            format!("{} or {}", units(least), line(it))
        } else {
            line(it)
        }
    };
    asked.iter().map(line).collect::<Vec<_>>().join(", ")
}

fn line(line: &Line) -> String {
    format!("{} {}", units(line.amount), item(&line.item))
}

fn resource(row: &Resource) -> String {
    let per = if row.per_location {
        " per location"
    } else {
        ""
    };
    format!(
        "resource {} in {}{per}, default {}",
        row.name,
        row.unit,
        ceiling(row.default_ceiling)
    )
}

fn scope(row: &Scope) -> String {
    let parent = row
        .parent
        .as_ref()
        .map_or(String::new(), |parent| format!(" under {parent}"));
    let tier = row
        .tier
        .as_ref()
        .map_or(String::new(), |tier| format!(" tier {tier}"));
    format!(
        "scope {}{parent} of {} depth {} `{}`{tier}",
        row.id, row.tenant, row.depth, row.kind
    )
}

fn limit(row: &Limit) -> String {
    let Limit {
        scope,
        revision,
        set_by,
        reason,
        ..
    } = row;
    let (item, ceiling, at) = (item(&row.item), ceiling(row.ceiling), instant(row.set_at));
    let (mode, window) = (mode(row.mode), window(row.window));
    let request = of_request(row.request.as_ref());
    format!(
        "limit {scope} {item} {ceiling}{mode}{window} #{revision} by {set_by} at {at} \
         `{reason}`{request}"
    )
}

fn of_request(id: Option<&RequestId>) -> String {
    id.map_or(String::new(), |id| format!(" for {id}"))
}

/// How a ceiling binds that does not simply bind.
fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Enforce => "",
        Mode::Warn => " that warns",
        Mode::Observe => " that observes",
    }
}

/// When a limit counts that does not always.
fn window(window: Window) -> String {
    let starts_at = window
        .starts_at()
        .map(|at| format!(" from {}", instant(at)));
    let ends_at = window.ends_at().map(|at| format!(" until {}", instant(at)));
    starts_at.unwrap_or_default() + &ends_at.unwrap_or_default()
}

fn reach(reach: &Reach) -> &str {
    match reach {
        Reach::Everything => "everything",
        Reach::Below(scope) => scope.as_str(),
    }
}

fn principal(row: &Principal) -> String {
    let reach = reach(&row.reach);
    let enabled = if row.enabled { "enabled" } else { "disabled" };
    format!(
        "principal {} {} of {reach} #{} {enabled}",
        row.id,
        row.role.name(),
        row.revision
    )
}

fn source(source: &Source) -> String {
    match source {
        Source::Default | Source::NumberSpace => source.name().to_owned(),
        Source::Limit {
            item,
            window: counts,
            set_by,
            reason,
            request,
            revision,
        } => {
            let (item, window) = (self::item(item), window(*counts));
            let request = of_request(request.as_ref());
            format!("limit #{revision} {item}{window} of {set_by} `{reason}`{request}")
        }
        Source::Tier { tier, item } => format!("tier {tier} {}", self::item(item)),
    }
}

/// An item.
pub(crate) fn item(item: &Item) -> String {
    match &item.location {
        None => item.resource.to_string(),
        Some(location) => format!("{}@{location}", item.resource),
    }
}

/// A ceiling.
pub(crate) fn ceiling(ceiling: Ceiling) -> String {
    match ceiling {
        Ceiling::Finite(amount) => units(amount),
        Ceiling::Unlimited => "unlimited".to_owned(),
    }
}

/// An amount; those at the end of the number space are told from there.
pub(crate) fn units(amount: Amount) -> String {
    match AMOUNT_MAX - amount.units() {
        0 => "MAX".to_owned(),
        less @ 1..1_000 => format!("MAX-{less}"),
        _ => amount.units().to_string(),
    }
}

/// An instant, from the start of the test.
pub(crate) fn instant(at: Timestamp) -> String {
    let ms = at.ms() - START.ms();
    if ms.is_multiple_of(1_000) {
        format!("{}s", ms / 1_000)
    } else {
        format!("{ms}ms")
    }
}
