//! Notices: what a webhook is told of an event.

use plimsoll_core::amount::Timestamp;
use plimsoll_core::event::{Cause, Change, Event, Log};
use plimsoll_core::model::{Reach, Topic, Webhook};
use plimsoll_core::names::ScopeId;

use super::encode::events::{item_limits, tallied};
use super::encode::json;
use super::wire::leaf;
use super::wire::replies::{self, NoticeData};

/// One thing that a webhook is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it is about.
    pub topic: Topic,
    /// `<tenant>:<revision>:<n>`: the same however often it is told, and to whomever.
    pub id: String,
    /// The JSON that is sent.
    pub body: Vec<u8>,
}

/// How it goes with what a webhook is told, since the server was started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// When it last took something.
    pub taken_at: Option<Timestamp>,
    /// Why it last did not take something, and when that was.
    pub failure: Option<(Timestamp, String)>,
    /// How often in a row it has not taken what it is being told.
    pub failures: u32,
    /// When that is tried again.
    pub next_try_at: Option<Timestamp>,
}

/// What a webhook is told of an event, in the order of the event.
///
/// `is_below` says whether a scope is the one that the webhook is told of, or lies below it; it is
/// asked only where the webhook is not told of everything.
pub fn notices(
    event: &Event,
    webhook: &Webhook,
    is_below: impl Fn(&ScopeId) -> bool,
) -> Vec<Notice> {
    let Log::Tenant(tenant) = &event.log else {
        return Vec::new();
    };
    let is_within = |scope: &ScopeId| match &webhook.reach {
        Reach::Everything => true,
        Reach::Below(_) => is_below(scope),
    };
    let is_wanted = |fact: &Fact<'_>| {
        webhook.enabled && webhook.topics.contains(&fact.topic) && is_within(fact.scope)
    };
    // Numbered before any is left out: every webhook knows a fact by the same id.
    let numbered = facts(event).into_iter().enumerate();
    let wanted = numbered.filter(|(_, fact)| is_wanted(fact));
    let notices = wanted.map(|(index, fact)| {
        let id = format!("{tenant}:{}:{index}", event.revision);
        let body = json(&replies::Notice {
            id: &id,
            topic: fact.topic.name(),
            at: leaf::Time(event.at),
            tenant: tenant.as_str(),
            revision: event.revision,
            data: fact.data,
        });
        Notice {
            topic: fact.topic,
            id,
            body,
        }
    });
    notices.collect()
}

/// Something that somebody may want to hear of.
struct Fact<'a> {
    topic: Topic,
    scope: &'a ScopeId,
    data: NoticeData<'a>,
}

fn facts(event: &Event) -> Vec<Fact<'_>> {
    let crossed = event.crossed.iter().map(|crossing| Fact {
        topic: Topic::ThresholdCrossed,
        scope: &crossing.scope,
        data: NoticeData::Crossed(crossing.into()),
    });
    let changed = event.changes.iter();
    let changed = changed.filter_map(|change| fact(event.cause, change));
    crossed.chain(changed).collect()
}

fn fact(cause: Cause, change: &Change) -> Option<Fact<'_>> {
    let (topic, scope, data) = match (cause, change) {
        (Cause::RefusalsCounted, Change::Tally { scope, item, tally }) => {
            let tally = tallied(scope, item, *tally);
            (Topic::Refused, scope, NoticeData::Tally(tally))
        }
        (
            Cause::RequestSubmitted
            | Cause::RequestApproved
            | Cause::RequestDenied
            | Cause::RequestCancelled,
            Change::Request(request),
        ) => {
            let data = NoticeData::Request(Box::new((&**request).into()));
            (Topic::Request, &request.scope, data)
        }
        (Cause::Expired, Change::Reservation(row)) => {
            let data = NoticeData::Reservation(Box::new((&**row).into()));
            (Topic::Expired, &row.scope, data)
        }
        (
            Cause::LimitPut | Cause::LimitDeleted | Cause::RequestApproved,
            Change::Limits {
                scope,
                item,
                limits,
            },
        ) => {
            let limits = item_limits(scope, item, limits);
            (Topic::Limit, scope, NoticeData::Limits(limits))
        }
        _ => return None,
    };
    Some(Fact { topic, scope, data })
}
