//! OpenAPI 3.1, built from the route table and the wire types.

mod oauth;
mod shapes;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use self::shapes::{Shape, schema, shape};
use crate::oauth::OAuthFault;
use crate::route::{BodyLimit, Gate, ROUTES, Route};
use crate::{ErrorCode, ErrorEnvelope, RouteId};
use skep_domain::RateClass;

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
    });
    let mut schemas = settings.into_generator();
    let error = schema::<ErrorEnvelope>(&mut schemas);
    schema::<OAuthFault>(&mut schemas);
    let mut paths = Map::new();
    for route in ROUTES.iter().filter(|route| !route.is_page()) {
        let operation = operation(route, shape(route.id, &mut schemas), &error);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Skep",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Memory that a team's coding agents share and nobody else can read.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "An access token, a personal access token or an API key; on loopback also the install token. The Unix socket needs none: it checks the peer's user." },
            },
        },
    })
}

fn operation(route: &Route, shape: Shape, error: &Value) -> Value {
    let mut parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    if let Some(query) = shape.query {
        parameters.push(json!({
            "name": "query", "in": "query", "style": "form", "explode": true, "schema": query,
        }));
    }
    let mut operation = json!({
        "operationId": format!("{:?}", route.id),
        "summary": route.summary,
        "parameters": parameters,
        "responses": responses(route, &shape.answer, error),
        "x-rate-class": route.rate.as_str(),
        "x-body-limit-bytes": route.body.bytes(),
    });
    if let Some(body) = shape.body {
        let kind = match route.body {
            BodyLimit::Form => "application/x-www-form-urlencoded",
            BodyLimit::Empty | BodyLimit::Json | BodyLimit::Batch | BodyLimit::Model => {
                "application/json"
            }
        };
        operation["requestBody"] =
            json!({ "required": true, "content": { kind: { "schema": body } } });
    }
    if route.gate == Gate::Public {
        operation["security"] = json!([]);
    } else {
        operation["security"] = json!([{ "token": [] }]);
    }
    match route.gate {
        Gate::Public | Gate::Oneself => {}
        Gate::InPerson => operation["x-in-person"] = json!(true),
        Gate::Install => operation["x-installation-only"] = json!(true),
        Gate::Permission(permission) => operation["x-permission"] = json!(permission.as_str()),
        Gate::SteppedUp(permission) => {
            operation["x-permission"] = json!(permission.as_str());
            operation["x-step-up"] = json!(true);
        }
    }
    if let Some(action) = route.audit {
        operation["x-audit-action"] = json!(action);
    }
    operation
}

/// The answer, and one entry per status that an error code may bring.
fn responses(route: &Route, answer: &Value, error: &Value) -> Value {
    if let Some(own) = oauth::responses(route, answer, error) {
        return Value::Object(own);
    }
    let mut responses = Map::new();
    let (status, done) = match route.id {
        RouteId::WorkspaceDelete | RouteId::WorkspaceInventory => {
            ("202", "Accepted, and done by a job.")
        }
        _ => ("200", "Done."),
    };
    let kind = match route.id {
        RouteId::Backup => "application/octet-stream",
        RouteId::AuditExport => "application/x-ndjson",
        _ => "application/json",
    };
    responses.insert(
        status.into(),
        json!({ "description": done, "content": { kind: { "schema": answer } } }),
    );
    // Probes say nothing else.
    if route.rate == RateClass::None {
        return Value::Object(responses);
    }
    for code in ErrorCode::ALL {
        let entry = responses.entry(code.status().to_string()).or_insert_with(
            || json!({ "description": "", "content": { "application/json": { "schema": error } } }),
        );
        let known = entry["description"].as_str().unwrap_or_default();
        let joined = if known.is_empty() {
            code.as_str().to_owned()
        } else {
            format!("{known}, {}", code.as_str())
        };
        entry["description"] = json!(joined);
    }
    Value::Object(responses)
}
