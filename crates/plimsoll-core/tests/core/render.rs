//! Decisions as people read them.

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::bounds::AMOUNT_MAX;
use plimsoll_core::event::{Change, Event, Log, Mark};
use plimsoll_core::model::{
    Account, Asked, Item, Limit, Line, Lines, Principal, Reach, Reservation, Resource, Scope, State,
};
use plimsoll_core::outcome::{Decision, Denial, Done, Exceeded, Outcome, Source};
use plimsoll_core::report::Quota;

use crate::world::START;

/// The answer, then each event with its post-values.
pub(crate) fn decision(decision: &Decision) -> String {
    let answer = match &decision.outcome {
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
        | Denial::LocationNotApplicable(name) => format!(" {name}"),
        Denial::UnknownLocation(id) => format!(" {id}"),
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

fn passed(limit: &Exceeded) -> String {
    let Exceeded {
        scope,
        item,
        ceiling,
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
        "    at {scope} {}: {} by {}; used {} held {} asked {}, short by {}; \
         {enough} would do; fits {fits}\n",
        self::item(item),
        self::ceiling(*ceiling),
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
        "  {} {}: {} used {} held {}, available {}, over by {}\n",
        item(&quota.item),
        quota.unit,
        ceiling(quota.ceiling),
        units(quota.used),
        units(quota.held),
        ceiling(quota.available),
        units(quota.over_by),
    );
    for link in &quota.sources {
        told += &format!(
            "    {} by {} at {}, leaves {}\n",
            ceiling(link.ceiling),
            source(&link.source),
            link.scope,
            ceiling(link.available),
        );
    }
    told
}

fn done(done: &Done) -> String {
    match done {
        Done::Reservation(row) => reservation(row),
        Done::Expired { holds } => format!("{holds} lapsed"),
        Done::Forgotten { reservations } => format!("{reservations} forgotten"),
        Done::Resource(row) => resource(row),
        Done::Location(row) => format!("location {} `{}`", row.id, row.name),
        Done::Scope(row) => scope(row),
        Done::Limit(row) => limit(row),
        Done::LimitGone | Done::PrincipalGone => "gone".to_owned(),
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
    };
    let changes = event
        .changes
        .iter()
        .map(change)
        .collect::<Vec<_>>()
        .join("; ");
    format!(
        "  {log}#{revision} {cause:?} by {actor} at {}{mark}: {changes}\n",
        instant(event.at)
    )
}

fn change(change: &Change) -> String {
    match change {
        Change::Resource(row) => resource(row),
        Change::Location(row) => format!("location {} `{}`", row.id, row.name),
        Change::Scope(row) => scope(row),
        Change::Limit(row) => limit(row),
        Change::LimitGone { scope, item } => format!("no limit {scope} {}", self::item(item)),
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
    }
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
    format!(
        "scope {}{parent} of {} depth {} `{}`",
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
    format!("limit {scope} {item} {ceiling} #{revision} by {set_by} at {at} `{reason}`")
}

fn principal(row: &Principal) -> String {
    let reach = match &row.reach {
        Reach::Everything => "everything",
        Reach::Below(scope) => scope.as_str(),
    };
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
            set_by,
            reason,
            revision,
        } => {
            format!(
                "limit #{revision} {} of {set_by} `{reason}`",
                self::item(item)
            )
        }
    }
}

fn item(item: &Item) -> String {
    match &item.location {
        None => item.resource.to_string(),
        Some(location) => format!("{}@{location}", item.resource),
    }
}

fn ceiling(ceiling: Ceiling) -> String {
    match ceiling {
        Ceiling::Finite(amount) => units(amount),
        Ceiling::Unlimited => "unlimited".to_owned(),
    }
}

/// An amount; those at the end of the number space are told from there.
fn units(amount: Amount) -> String {
    match AMOUNT_MAX - amount.units() {
        0 => "MAX".to_owned(),
        less @ 1..1_000 => format!("MAX-{less}"),
        _ => amount.units().to_string(),
    }
}

fn instant(at: Timestamp) -> String {
    let ms = at.ms() - START.ms();
    if ms.is_multiple_of(1_000) {
        format!("{}s", ms / 1_000)
    } else {
        format!("{ms}ms")
    }
}
