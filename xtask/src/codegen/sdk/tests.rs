//! What the generator makes of a small document, and that it makes something of all of ours.

use serde_json::json;

use super::{Interface, python, typescript};

fn small() -> Interface {
    let document = json!({
        "paths": {
            "/oauth/token": { "post": {} },
            "/things/{id}": { "get": {
                "operationId": "ThingList", "summary": "Things.",
                "parameters": [
                    { "in": "path", "name": "id" },
                    { "in": "query", "schema": { "$ref": "#/components/schemas/Wish" } },
                ],
                "responses": { "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Page3" } } } } },
            } },
            "/things": { "post": {
                "operationId": "ThingPour", "summary": "Pours.", "x-audit-action": "pour",
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Wish" } } } },
                "responses": { "200": { "content": { "application/octet-stream": {} } } },
            } },
        },
        "components": { "schemas": {
            "ErrorEnvelope": { "type": "object", "properties": {} },
            "Page3": { "properties": { "items": { "type": "array", "items": { "$ref": "#/components/schemas/Thing" } }, "next": {} } },
            "Thing": { "description": "A thing.", "required": ["at", "shade"], "properties": {
                "at": { "$ref": "#/components/schemas/Instant" },
                "shade": { "$ref": "#/components/schemas/Shade" },
                "counts": { "type": "object", "additionalProperties": { "type": "integer" } },
            } },
            "Shade": { "description": "How dark.", "oneOf": [{ "const": "dim" }, { "const": "dark" }] },
            "Wish": { "properties": {
                "as": { "type": ["string", "null"] },
                "k": { "type": "integer", "default": 7 },
                "words": { "type": "array", "items": { "type": "string" } },
            } },
            "Unused": { "properties": { "odd": { "type": "nonsense" } } },
        } },
    });
    Interface::of(&document).unwrap()
}

#[test]
fn types_and_calls_are_made_of_a_document() {
    let interface = small();
    let models = python::models(&interface);
    for line in [
        "class Thing:",
        "    at: datetime",
        "    shade: Shade",
        "    counts: dict[str, int] = field(default_factory=dict)",
        "    as_: str | None = None",
        "    k: int = 7",
        "    words: list[str] = field(default_factory=list)",
        "Shade: TypeAlias = Literal[",
    ] {
        assert!(
            models.lines().any(|found| found == line),
            "{line}\n{models}"
        );
    }
    assert!(!models.contains("Unused") && !models.contains("Page3"));
    let operations = python::operations(&interface);
    assert!(
        operations.contains("THING_LIST: Operation[None, m.Wish, m.Page[m.Thing]] = Operation(")
    );
    assert!(operations.contains("THING_POUR: Stream[m.Wish, None] = Stream("));
    assert!(operations.contains("mutates=True") && !operations.contains("oauth"));

    let models = typescript::models(&interface);
    for line in [
        "export interface Thing {",
        "  at: Instant;",
        "  counts?: Record<string, number>;",
        "  as?: string | null;",
        "  words?: string[];",
    ] {
        assert!(
            models.lines().any(|found| found == line),
            "{line}\n{models}"
        );
    }
    let operations = typescript::operations(&interface);
    assert!(
        operations
            .contains("export const ThingList: Operation<undefined, m.Wish, m.Page<m.Thing>> = {")
    );
    assert!(operations.contains("export const ThingPour: Stream<m.Wish, undefined> = {"));
}

#[test]
fn every_call_of_a_program_is_in_both_sdks() {
    let interface = Interface::read().unwrap();
    let wanted = skep_api::ROUTES
        .iter()
        .filter(|route| !route.is_page() && super::is_for_programs(route.path));
    let (python, typescript) = (
        python::operations(&interface),
        typescript::operations(&interface),
    );
    for route in wanted {
        let name = format!("name={:?},", format!("{:?}", route.id));
        assert!(python.contains(&name), "{name}");
        assert!(
            typescript.contains(&format!("export const {:?}:", route.id)),
            "{name}"
        );
        let call = interface
            .calls
            .iter()
            .find(|call| call.path == route.path && call.method == route.method.as_str());
        assert_eq!(
            call.map(|call| call.mutates),
            Some(route.mutates()),
            "{name}"
        );
    }
}
