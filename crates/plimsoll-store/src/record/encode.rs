//! Core values to bytes.

mod settings;

use plimsoll_core::amount::{Amount, Ceiling, Timestamp};
use plimsoll_core::event::{Cause, Change, Event, Log, Mark};
use plimsoll_core::model::{
    Attributes, Credential, Item, Location, Original, Principal, Reservation, Resource, Role,
    Scope, State, Terms,
};

use settings::{auto_approval, limit, mode, reach, request, tally, tier, webhook};

pub(super) fn event(out: &mut Vec<u8>, event: &Event) {
    match &event.log {
        Log::Catalogue => out.push(0),
        Log::Tenant(tenant) => {
            out.push(1);
            text(out, tenant.as_str());
        }
    }
    integer(out, event.revision);
    instant(out, event.at);
    text(out, event.actor.as_str());
    out.push(cause_number(event.cause));
    optional_text(out, event.reason.as_ref().map(|it| it.as_str()));
    match &event.mark {
        Mark::Enforced => out.push(0),
        Mark::Forced { reason } => {
            out.push(1);
            text(out, reason.as_str());
        }
        Mark::Mended { reason } => {
            out.push(2);
            text(out, reason.as_str());
        }
        Mark::Passed { limits } => {
            out.push(3);
            integer(out, limits.len() as u64);
            for (at, of, how) in limits {
                text(out, at.as_str());
                item(out, of);
                mode(out, *how);
            }
        }
    }
    integer(out, event.changes.len() as u64);
    for item in &event.changes {
        change(out, item);
    }
    integer(out, event.crossed.len() as u64);
    for crossing in &event.crossed {
        text(out, crossing.scope.as_str());
        item(out, &crossing.item);
        out.push(crossing.percent);
        amount(out, crossing.ceiling);
        amount(out, crossing.taken);
    }
}

/// The number of a cause in stored records.
fn cause_number(cause: Cause) -> u8 {
    match cause {
        Cause::Reserved => 0,
        Cause::Committed => 1,
        Cause::Released => 2,
        Cause::Expired => 3,
        Cause::ResourcePut => 4,
        Cause::LocationPut => 5,
        Cause::ScopePut => 6,
        Cause::LimitPut => 7,
        Cause::LimitDeleted => 8,
        Cause::PrincipalCreated => 9,
        Cause::PrincipalChanged => 10,
        Cause::PrincipalDeleted => 11,
        Cause::Extended => 12,
        Cause::Resized => 13,
        Cause::Transferred => 14,
        Cause::Forgotten => 15,
        Cause::TierPut => 16,
        Cause::RefusalsCounted => 17,
        Cause::RequestSubmitted => 18,
        Cause::RequestApproved => 19,
        Cause::RequestDenied => 20,
        Cause::RequestCancelled => 21,
        Cause::WebhookPut => 22,
        Cause::WebhookDeleted => 23,
        Cause::WebhookDelivered => 24,
    }
}

pub(super) fn change(out: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Resource(row) => tagged(out, 0, &**row, resource),
        Change::Location(row) => tagged(out, 1, row, location),
        Change::Scope(row) => tagged(out, 2, &**row, scope),
        Change::Limits {
            scope,
            item,
            limits,
        } => {
            out.push(3);
            text(out, scope.as_str());
            self::item(out, item);
            integer(out, limits.len() as u64);
            for row in limits {
                limit(out, row);
            }
        }
        Change::Tally {
            scope,
            item,
            tally: row,
        } => {
            out.push(4);
            text(out, scope.as_str());
            self::item(out, item);
            tally(out, *row);
        }
        Change::Account {
            scope,
            item,
            account,
        } => {
            out.push(5);
            text(out, scope.as_str());
            self::item(out, item);
            amount(out, account.used);
            amount(out, account.held);
        }
        Change::Reservation(row) => tagged(out, 6, &**row, reservation),
        Change::Principal(row) => tagged(out, 7, &**row, principal),
        Change::PrincipalGone(id) => {
            out.push(8);
            text(out, id.as_str());
        }
        Change::ReservationGone(key) => {
            out.push(9);
            text(out, key.tenant.as_str());
            text(out, key.id.as_str());
        }
        Change::Tier(row) => tagged(out, 10, row, tier),
        Change::Request(row) => tagged(out, 11, &**row, request),
        Change::RequestGone { tenant, id } => {
            out.push(12);
            text(out, tenant.as_str());
            text(out, id.as_str());
        }
        Change::Webhook(row) => tagged(out, 13, &**row, webhook),
        Change::WebhookGone(id) => {
            out.push(14);
            text(out, id.as_str());
        }
    }
}

fn tagged<T>(out: &mut Vec<u8>, tag: u8, row: &T, encode: fn(&mut Vec<u8>, &T)) {
    out.push(tag);
    encode(out, row);
}

fn resource(out: &mut Vec<u8>, row: &Resource) {
    text(out, row.name.as_str());
    text(out, row.unit.as_str());
    ceiling(out, row.default_ceiling);
    out.push(u8::from(row.per_location));
    out.push(u8::from(row.adjustable));
    text(out, row.description.as_str());
    optional(out, row.auto_approval, auto_approval);
    integer(out, row.alerts.iter().len() as u64);
    out.extend(row.alerts.iter());
}

fn location(out: &mut Vec<u8>, row: &Location) {
    text(out, row.id.as_str());
    text(out, row.name.as_str());
    attributes(out, &row.attributes);
}

fn scope(out: &mut Vec<u8>, row: &Scope) {
    text(out, row.id.as_str());
    optional_text(out, row.parent.as_ref().map(|parent| parent.as_str()));
    text(out, row.tenant.as_str());
    out.push(row.depth);
    text(out, row.kind.as_str());
    optional_text(out, row.tier.as_ref().map(|tier| tier.as_str()));
}

fn reservation(out: &mut Vec<u8>, row: &Reservation) {
    text(out, row.tenant.as_str());
    text(out, row.id.as_str());
    text(out, row.scope.as_str());
    integer(out, row.lines.len() as u64);
    for line in row.lines.iter() {
        item(out, &line.item);
        amount(out, line.amount);
    }
    match &row.original {
        None => out.push(0),
        Some(asked_for) => {
            out.push(1);
            original(out, asked_for);
        }
    }
    match row.terms {
        Terms::Hold { ttl_ms } => {
            out.push(0);
            integer(out, ttl_ms);
        }
        Terms::Commit => out.push(1),
    }
    optional_text(out, row.forced.as_ref().map(|reason| reason.as_str()));
    optional_text(out, row.holder.as_ref().map(|holder| holder.as_str()));
    attributes(out, &row.attributes);
    let (state, at) = match row.state {
        State::Held { expires_at } => (0, Some(expires_at)),
        State::Committed => (1, None),
        State::Released { ended_at } => (2, Some(ended_at)),
        State::Expired { ended_at } => (3, Some(ended_at)),
    };
    out.push(state);
    if let Some(at) = at {
        instant(out, at);
    }
    instant(out, row.created_at);
    integer(out, row.revision);
}

fn original(out: &mut Vec<u8>, row: &Original) {
    text(out, row.scope.as_str());
    integer(out, row.asked.lines().len() as u64);
    for (line, least) in row.asked.iter() {
        item(out, &line.item);
        amount(out, line.amount);
        amount(out, least);
    }
}

fn principal(out: &mut Vec<u8>, row: &Principal) {
    text(out, row.id.as_str());
    out.push(match row.role {
        Role::Viewer => 0,
        Role::Enforcer => 1,
        Role::Manager => 2,
        Role::Admin => 3,
    });
    reach(out, &row.reach);
    out.push(u8::from(row.may_force));
    match &row.credential {
        Credential::AccessKey { sealed_secret } => {
            out.push(0);
            bytes(out, sealed_secret);
        }
        Credential::Token { hash } => {
            out.push(1);
            out.extend_from_slice(hash);
        }
    }
    out.push(u8::from(row.enabled));
    optional(out, row.expires_at, instant);
    text(out, row.description.as_str());
    instant(out, row.created_at);
    integer(out, row.revision);
}

fn item(out: &mut Vec<u8>, item: &Item) {
    text(out, item.resource.as_str());
    optional_text(
        out,
        item.location.as_ref().map(|location| location.as_str()),
    );
}

fn attributes(out: &mut Vec<u8>, attributes: &Attributes) {
    integer(out, attributes.iter().len() as u64);
    for (name, value) in attributes.iter() {
        text(out, name.as_str());
        text(out, value.as_str());
    }
}

fn ceiling(out: &mut Vec<u8>, ceiling: Ceiling) {
    match ceiling {
        Ceiling::Finite(units) => {
            out.push(0);
            amount(out, units);
        }
        Ceiling::Unlimited => out.push(1),
    }
}

fn optional_text(out: &mut Vec<u8>, value: Option<&str>) {
    optional(out, value, text);
}

fn optional<T>(out: &mut Vec<u8>, value: Option<T>, encode: fn(&mut Vec<u8>, T)) {
    match value {
        None => out.push(0),
        Some(value) => {
            out.push(1);
            encode(out, value);
        }
    }
}

fn text(out: &mut Vec<u8>, value: &str) {
    bytes(out, value.as_bytes());
}

fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    integer(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn amount(out: &mut Vec<u8>, amount: Amount) {
    integer(out, amount.units());
}

fn instant(out: &mut Vec<u8>, at: Timestamp) {
    integer(out, at.ms());
}

pub(super) fn integer(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}
