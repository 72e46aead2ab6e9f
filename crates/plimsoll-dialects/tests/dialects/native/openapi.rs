//! The OpenAPI document: whole, and the same list of operations as the table.

use std::collections::BTreeSet;

use expect_test::expect_file;
use plimsoll_dialects::native::{BASE, BATCH_COMMANDS_MAX, BATCH_LINES_MAX, openapi, operations};
use serde_json::Value;

#[test]
fn every_operation_is_described_and_no_other() {
    let document = openapi::document();
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(described.insert(id.clone()), "{id} is there twice");
            let Some(known) = operations().find(|known| known.id == id) else {
                assert!(!path.starts_with(BASE), "{id} is in no table");
                continue;
            };
            assert_eq!(*path, format!("{BASE}{}", known.path));
            assert_eq!(method.to_uppercase(), known.method.name());
            assert!(operation["responses"]["200"]["content"].is_object());
            for status in known.problems {
                assert!(
                    operation["responses"][status.to_string()].is_object(),
                    "{id} {status}"
                );
            }
        }
    }
    assert_eq!(described.len(), operations().count() + 3);
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(target) if name == "$ref" => {
                        found.insert(target.clone());
                    }
                    member => references(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = openapi::document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

/// Parts of the document, and the files that hold them.
const PARTS: &[(&str, &str)] = &[
    (
        "/components/schemas/LineRequest",
        "openapi_line_request.json",
    ),
    (
        "/components/schemas/ForceRequest",
        "openapi_force_request.json",
    ),
    (
        "/components/schemas/BatchCommand",
        "openapi_batch_command.json",
    ),
    (
        "/components/schemas/SettleRequest",
        "openapi_settle_request.json",
    ),
    (
        "/components/schemas/ExtendRequest",
        "openapi_extend_request.json",
    ),
    (
        "/components/schemas/ResizeRequest",
        "openapi_resize_request.json",
    ),
    (
        "/components/schemas/TransferRequest",
        "openapi_transfer_request.json",
    ),
    (
        "/components/schemas/Reservation",
        "openapi_reservation.json",
    ),
    ("/components/schemas/Asked", "openapi_asked.json"),
    ("/components/schemas/Check", "openapi_check.json"),
    (
        "/components/schemas/PrincipalRequest",
        "openapi_principal_request.json",
    ),
    ("/components/schemas/Quota", "openapi_quota.json"),
    (
        "/components/schemas/LimitRequest",
        "openapi_limit_request.json",
    ),
    (
        "/components/schemas/ResourceRequest",
        "openapi_resource_request.json",
    ),
    (
        "/components/schemas/ReconcileRequest",
        "openapi_reconcile_request.json",
    ),
    (
        "/components/schemas/WebhookRequest",
        "openapi_webhook_request.json",
    ),
    ("/components/schemas/Event", "openapi_event.json"),
    ("/components/schemas/Request", "openapi_request.json"),
    (
        "/paths/~1plimsoll~1v1~1scopes~1{scope}~1limits/delete",
        "openapi_delete_limit.json",
    ),
    (
        "/paths/~1plimsoll~1v1~1reservations~1{id}~1transfer/post",
        "openapi_transfer.json",
    ),
];

#[test]
fn schemas_have_bounds_enumerations_and_required_members() {
    let document = openapi::document();
    for (pointer, file) in PARTS {
        let described = document.pointer(pointer).unwrap();
        expect_file![file].assert_eq(&format!("{described:#}\n"));
    }
}

#[test]
fn events_are_described_as_a_stream_too() {
    let document = openapi::document();
    let events = &document["paths"][format!("{BASE}/scopes/{{scope}}/events")]["get"];
    let content = events["responses"]["200"]["content"].as_object().unwrap();
    let types: Vec<_> = content.keys().map(String::as_str).collect();
    assert_eq!(types, ["application/json", "text/event-stream"]);
    let parameters = events["parameters"].as_array().unwrap();
    let in_head = parameters.iter().find(|it| it["in"] == "header").unwrap();
    assert_eq!(in_head["name"], "last-event-id");
}

#[test]
fn the_document_never_varies() {
    assert_eq!(openapi::document(), openapi::document());
}

#[test]
fn the_page_for_users_names_every_code() {
    let page = include_str!("../../../../../docs/dialects/native.md");
    let document = openapi::document();
    let codes = &document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
    for code in codes.as_array().unwrap() {
        let code = code.as_str().unwrap();
        assert!(page.contains(&format!("`{code}`")), "{code}");
    }
}

#[test]
fn the_bounds_of_a_batch_are_told() {
    let page = include_str!("../../../../../docs/dialects/native.md");
    let document = openapi::document();
    let commands = &document["components"]["schemas"]["BatchRequest"]["properties"]["commands"];
    assert_eq!(commands["maxItems"], BATCH_COMMANDS_MAX);
    let described = commands["description"].as_str().unwrap();
    for (text, bound) in [
        (page, BATCH_COMMANDS_MAX),
        (page, BATCH_LINES_MAX),
        (described, BATCH_LINES_MAX),
    ] {
        assert!(text.contains(&format!(" {bound} ")), "{bound}");
    }
}
