//! What each operation takes, known before the request is read, and what the rules ask for.

use plimsoll_core::command::{Action, Grounds, PutWebhook, Reserve, SubmitRequest};
use plimsoll_core::model::Role;
use plimsoll_dialects::native::{BatchItem, Call, operations};

use super::decode::REQUESTS;
use super::samples::{request_id, scope_id};
use super::{decode, role};

/// The path template that a path has the form of.
fn has_form(template: &str, path: &str) -> bool {
    let (templates, segments) = (template.split('/'), path.split('/'));
    template.split('/').count() == path.split('/').count()
        && templates
            .zip(segments)
            .all(|(template, segment)| template.starts_with('{') || template == segment)
}

#[test]
fn every_operation_is_reached_with_the_role_that_it_names() {
    for operation in operations() {
        let is_of_it = |text: &&&str| {
            let (method, target) = text.lines().next().unwrap().split_once(' ').unwrap();
            let path = target.split('?').next().unwrap();
            method == operation.method.name() && has_form(operation.path, path)
        };
        let texts: Vec<_> = REQUESTS.iter().filter(is_of_it).collect();
        assert_eq!(texts.len(), 1, "{}", operation.id);
        assert_eq!(role(texts[0]), Ok(operation.role), "{}", operation.id);
        assert!(decode(texts[0]).is_ok(), "{}", operation.id);
    }
    assert_eq!(REQUESTS.len(), operations().count());
}

/// A caller without the role learns nothing of what else is wrong with the request.
#[test]
fn the_role_is_known_whatever_else_is_wrong() {
    for text in REQUESTS {
        let (line, _) = text.split_once('\n').unwrap_or((text, ""));
        let (target, _) = line.split_once('?').unwrap_or((line, ""));
        let least = role(text).unwrap();
        for hostile in [
            format!("{target}?nonsense=%"),
            format!("{line}\ncontent-type: text/plain\n\nnonsense"),
            format!("{line}\nif-match: x\nif-match: y\n\n{{"),
        ] {
            assert_eq!(role(&hostile), Ok(least), "{hostile}");
            let has_a_body = line.starts_with('P');
            assert!(!has_a_body || decode(&hostile).is_err(), "{hostile}");
        }
    }
    assert_eq!(role("PUT /locations/%zz\n\n{"), Ok(Role::Admin));
}

/// The table says what the rules say: neither lets through what the other would not.
#[test]
fn the_rules_ask_for_the_same_roles() {
    let mut actions = 0;
    for text in REQUESTS {
        let action = match decode(text).unwrap() {
            Call::Act(action) => action,
            Call::Change(change) => change.action(scope_id("p-7")),
            Call::SubmitRequest(new) => Action::SubmitRequest(SubmitRequest {
                id: request_id("q-1"),
                scope: new.scope,
                item: new.item,
                ceiling: new.ceiling,
                reason: new.reason,
            }),
            Call::DryRun(put) => Action::PutLimit(put),
            Call::PutWebhook(new) => Action::PutWebhook(PutWebhook {
                id: new.id,
                reach: new.reach,
                url: new.url,
                topics: new.topics,
                sealed_secret: Vec::new(),
                enabled: new.enabled,
                delivered: 0,
            }),
            Call::Batch(..)
            | Call::Check { .. }
            | Call::CreatePrincipal(_)
            | Call::TestAutoApproval { .. }
            | Call::Reconcile(_)
            | Call::Read(_) => continue,
        };
        assert_eq!(role(text), Ok(action.role()), "{text}");
        actions += 1;
    }
    assert_eq!(actions, 21);
}

#[test]
fn no_command_of_a_batch_takes_more_than_the_batch() {
    let line = r#"[{"resource":"vm/image","amount":1}]"#;
    let text = format!(
        r#"POST /reservations:batch

{{"commands":[{{"op":"reserve","id":"r","scope":"p-7","lines":{line}}},
 {{"op":"commit","id":"r"}},{{"op":"release","id":"r"}},{{"op":"extend","id":"r","ttl_seconds":1}},
 {{"op":"resize","id":"r","lines":{line}}},{{"op":"transfer","id":"r","to":"p-8"}}]}}"#
    );
    let Ok(Call::Batch(items, _)) = decode(&text) else {
        panic!("no batch");
    };
    let least = role(&text).unwrap();
    for item in items {
        assert_eq!(action(item.unwrap()).role(), least);
    }
}

fn action(item: BatchItem) -> Action {
    match item {
        BatchItem::Reserve(reserve) => Action::Reserve(reserve),
        BatchItem::Change(change) => change.action(scope_id("p-7")),
    }
}

/// Whoever forces needs a permission: whatever carries a reason is known to force.
#[test]
fn what_is_forced_is_known_to_be() {
    let forced = |text: &str| match decode(text) {
        Ok(Call::Act(Action::Reserve(Reserve { grounds, .. }))) => grounds != Grounds::Limits,
        Ok(Call::Change(change)) => change.action(scope_id("p-7")).is_forced(),
        other => panic!("{other:?}"),
    };
    let lines = r#""lines":[{"resource":"vm/image","amount":1}]"#;
    for (head, members) in [
        ("PUT /reservations/r-1", format!(r#""scope":"p-7",{lines}"#)),
        ("POST /reservations/r-1/resize", lines.to_owned()),
        (
            "POST /reservations/r-1/transfer",
            r#""to":"p-8""#.to_owned(),
        ),
    ] {
        assert!(!forced(&format!("{head}\n\n{{{members}}}")));
        assert!(!forced(&format!("{head}\n\n{{{members},\"force\":null}}")));
        assert!(forced(&format!(
            "{head}\n\n{{{members},\"force\":{{\"reason\":\"x\"}}}}"
        )));
    }
}
