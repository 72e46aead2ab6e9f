//! Limits, tiers, requests and webhooks to bytes.

use plimsoll_core::model::{
    AutoApproval, Limit, Mode, Reach, Request, RequestStatus, Ruling, Tally, Tier, Topic, Webhook,
    Window,
};

use super::{amount, bytes, ceiling, instant, integer, item, optional, text};

pub(super) fn limit(out: &mut Vec<u8>, row: &Limit) {
    window(out, row.window);
    ceiling(out, row.ceiling);
    mode(out, row.mode);
    text(out, row.set_by.as_str());
    instant(out, row.set_at);
    text(out, row.reason.as_str());
    optional(out, row.request.as_ref(), |out, id| text(out, id.as_str()));
    integer(out, row.revision);
}

fn window(out: &mut Vec<u8>, window: Window) {
    optional(out, window.starts_at(), instant);
    optional(out, window.ends_at(), instant);
}

pub(super) fn mode(out: &mut Vec<u8>, mode: Mode) {
    out.push(match mode {
        Mode::Enforce => 0,
        Mode::Warn => 1,
        Mode::Observe => 2,
    });
}

pub(super) fn auto_approval(out: &mut Vec<u8>, rule: AutoApproval) {
    amount(out, rule.ceiling);
    optional(out, rule.factor_percent, |out, percent| {
        integer(out, u64::from(percent));
    });
    integer(out, rule.cool_off_ms);
}

pub(super) fn tally(out: &mut Vec<u8>, row: Tally) {
    integer(out, row.refused);
    integer(out, row.warned);
    integer(out, row.observed);
    instant(out, row.last_at);
}

pub(super) fn tier(out: &mut Vec<u8>, row: &Tier) {
    text(out, row.name.as_str());
    text(out, row.description.as_str());
    integer(out, row.limits.iter().len() as u64);
    for limit in row.limits.iter() {
        item(out, &limit.item);
        ceiling(out, limit.ceiling);
        mode(out, limit.mode);
    }
}

pub(super) fn request(out: &mut Vec<u8>, row: &Request) {
    text(out, row.id.as_str());
    text(out, row.tenant.as_str());
    text(out, row.scope.as_str());
    item(out, &row.item);
    ceiling(out, row.ceiling);
    text(out, row.reason.as_str());
    text(out, row.submitted_by.as_str());
    instant(out, row.submitted_at);
    ceiling(out, row.present);
    optional(out, row.approved_before, instant);
    match &row.status {
        RequestStatus::Pending => out.push(0),
        RequestStatus::Approved {
            ruling: by,
            ceiling: granted,
            ends_at,
            limit_revision,
            automatic,
        } => {
            out.push(1);
            ruling(out, by);
            ceiling(out, *granted);
            optional(out, *ends_at, instant);
            integer(out, *limit_revision);
            out.push(u8::from(*automatic));
        }
        RequestStatus::Denied(by) => {
            out.push(2);
            ruling(out, by);
        }
        RequestStatus::Cancelled(by) => {
            out.push(3);
            ruling(out, by);
        }
    }
    integer(out, row.revision);
}

fn ruling(out: &mut Vec<u8>, row: &Ruling) {
    text(out, row.by.as_str());
    instant(out, row.at);
    text(out, row.reason.as_str());
}

pub(super) fn webhook(out: &mut Vec<u8>, row: &Webhook) {
    text(out, row.id.as_str());
    reach(out, &row.reach);
    text(out, row.url.as_str());
    integer(out, row.topics.len() as u64);
    for topic in &row.topics {
        out.push(match topic {
            Topic::ThresholdCrossed => 0,
            Topic::Refused => 1,
            Topic::Request => 2,
            Topic::Expired => 3,
            Topic::Limit => 4,
        });
    }
    bytes(out, &row.sealed_secret);
    out.push(u8::from(row.enabled));
    integer(out, row.delivered);
    integer(out, row.revision);
}

pub(super) fn reach(out: &mut Vec<u8>, reach: &Reach) {
    match reach {
        Reach::Everything => out.push(0),
        Reach::Below(scope) => {
            out.push(1);
            text(out, scope.as_str());
        }
    }
}
