//! The OpenAPI document of the native API, generated from [`operations()`] and the wire types.

use std::collections::BTreeSet;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::errors::status_description;
use super::operations::{Body, Operation, operations};
use super::parameter::Parameter;
use super::wire::replies;
use super::wire::words::{id_schema, resource_part_schema};
use super::{BASE, Format};

/// The statuses of the problems that every operation may have.
const PROBLEMS: [u16; 8] = [400, 401, 403, 408, 429, 431, 500, 503];

/// The statuses of the problems that every operation with a body may have, beside those.
const PROBLEMS_OF_BODIES: [u16; 2] = [413, 415];

/// Where the definitions of schemas stand.
const DEFINITIONS: &str = "/components/schemas";

/// The document: OpenAPI 3.1, the same at every call.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = DEFINITIONS.into();
        settings.meta_schema = None;
    });
    let mut generators = Generators {
        requests: settings.clone().for_deserialize().into_generator(),
        replies: settings.for_serialize().into_generator(),
    };
    let mut paths = server_paths();
    for operation in operations() {
        let path = paths
            .entry(format!("{BASE}{}", operation.path))
            .or_insert_with(|| json!({}));
        if let Value::Object(path) = path {
            let method = operation.method.name().to_ascii_lowercase();
            path.insert(method, describe(operation, &mut generators));
        }
    }
    let problem = generators.replies.subschema_for::<replies::Problem<'_>>();
    let mut schemas = generators.requests.take_definitions(true);
    schemas.extend(generators.replies.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Plimsoll",
            "summary": "A quota authority: who may take more, and why not",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A token's text."},
            },
            "responses": problem_responses(&problem.to_value()),
            "schemas": schemas,
        },
    })
}

/// What may be sent and what is answered differ: a default may be left out of one only.
struct Generators {
    requests: SchemaGenerator,
    replies: SchemaGenerator,
}

fn describe(operation: &Operation, generators: &mut Generators) -> Value {
    let mut described = Map::from_iter([
        ("operationId".to_owned(), json!(operation.id)),
        ("summary".to_owned(), json!(operation.summary)),
        (
            "description".to_owned(),
            json!(format!("Takes the role `{}`.", operation.role.name())),
        ),
        ("parameters".to_owned(), parameters(operation)),
        ("responses".to_owned(), responses(operation, generators)),
    ]);
    let body = match operation.request {
        Body::None => None,
        Body::Optional(schema) => Some((schema, false)),
        Body::Required(schema) | Body::RequiredOrBinary(schema) => Some((schema, true)),
    };
    if let Some((schema, required)) = body {
        let schema = schema(&mut generators.requests);
        let content = content(operation, &schema.to_value(), "BatchRequest");
        described.insert(
            "requestBody".to_owned(),
            json!({"required": required, "content": content}),
        );
    }
    Value::Object(described)
}

fn parameters(operation: &Operation) -> Value {
    let in_path = operation.path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        let schema = match name {
            "service" | "name" => resource_part_schema(),
            _ => id_schema(),
        };
        Some(json!({"name": name, "in": "path", "required": true, "schema": schema}))
    });
    let in_query = operation.query.iter().map(|parameter: &Parameter| {
        json!({
            "name": parameter.name(),
            "in": "query",
            "required": parameter.is_required(),
            "description": parameter.description(),
            "schema": parameter.schema(),
        })
    });
    let if_match = operation.takes_if_match.then(|| {
        json!({
            "name": "if-match",
            "in": "header",
            "required": false,
            "description": "The `etag` that you read; where it is another one by now, the answer is 412.",
            "schema": {"type": "string", "pattern": "^\"[0-9]+\"$"},
        })
    });
    let last_event_id = is_live(operation).then(|| {
        json!({
            "name": "last-event-id",
            "in": "header",
            "required": false,
            "description": "Of a live reader: the id of the last event that he was told; it goes before `after`.",
            "schema": {"type": "string", "pattern": "^[0-9]+$"},
        })
    });
    let in_head = if_match.into_iter().chain(last_event_id);
    in_path.chain(in_query).chain(in_head).collect()
}

/// What is read after a revision can also be read as it grows, as a stream of events.
fn is_live(operation: &Operation) -> bool {
    operation.query.contains(&Parameter::After)
}

fn responses(operation: &Operation, generators: &mut Generators) -> Value {
    let schema = (operation.response)(&mut generators.replies);
    let mut content = content(operation, &schema.to_value(), "BatchResponse");
    if is_live(operation)
        && let Value::Object(content) = &mut content
    {
        let stream = json!({"schema": {"type": "string"}});
        content.insert("text/event-stream".to_owned(), stream);
    }
    let done = json!({"description": "Done, or done before.", "content": content});
    let of_body = match operation.request {
        Body::None => &[][..],
        Body::Optional(_) | Body::Required(_) | Body::RequiredOrBinary(_) => &PROBLEMS_OF_BODIES,
    };
    let statuses = PROBLEMS.iter().chain(of_body).chain(operation.problems);
    let problems = statuses.map(|status| {
        let response = json!({"$ref": format!("#/components/responses/Problem{status}")});
        (status.to_string(), response)
    });
    let all: Map<String, Value> = problems.chain([("200".to_owned(), done)]).collect();
    Value::Object(all)
}

/// JSON, and beside it protobuf where the operation takes that too.
fn content(operation: &Operation, schema: &Value, message: &str) -> Value {
    let mut forms = Map::from_iter([(
        Format::Json.content_type().to_owned(),
        json!({"schema": schema}),
    )]);
    if matches!(operation.request, Body::RequiredOrBinary(_)) {
        let description =
            format!("The message `plimsoll.v1.{message}` of `proto/plimsoll/v1/batch.proto`.");
        forms.extend(Format::BINARY.map(|format| {
            let form = json!({"schema": {"type": "string", "description": description}});
            (format.content_type().to_owned(), form)
        }));
    }
    Value::Object(forms)
}

fn problem_responses(problem: &Value) -> Value {
    let own = operations().flat_map(|operation| operation.problems);
    let statuses: BTreeSet<&u16> = PROBLEMS
        .iter()
        .chain(&PROBLEMS_OF_BODIES)
        .chain(own)
        .collect();
    let response = |status: &u16| {
        let response = json!({
            "description": status_description(*status),
            "content": {"application/problem+json": {"schema": problem}},
        });
        (format!("Problem{status}"), response)
    };
    let all: Map<String, Value> = statuses.into_iter().map(response).collect();
    Value::Object(all)
}

/// The paths beside the native API's that anybody may read.
fn server_paths() -> Map<String, Value> {
    let open = |id: &str, summary: &str, responses: Value| json!({"get": {"operationId": id, "summary": summary, "security": [], "responses": responses}});
    let ok = json!({"description": "Yes."});
    Map::from_iter([
        (
            "/healthz".to_owned(),
            open("healthz", "Whether the process lives", json!({"200": ok})),
        ),
        (
            "/readyz".to_owned(),
            open(
                "readyz",
                "Whether it can answer calls",
                json!({"200": ok, "503": {"description": "Not now."}}),
            ),
        ),
        (
            "/openapi.json".to_owned(),
            open(
                "openapi",
                "This document",
                json!({"200": {
                    "description": "The document.",
                    "content": {"application/json": {"schema": {"type": "object"}}},
                }}),
            ),
        ),
    ])
}
