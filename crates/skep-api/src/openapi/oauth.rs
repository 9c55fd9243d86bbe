//! The answers of the OAuth routes: documents, pages, and errors in the RFCs' shape.

use serde_json::{Map, Value, json};

use crate::route::{Route, RouteId};

/// The answers of an OAuth route; `None` for any other.
pub(super) fn responses(
    route: &Route,
    answer: &Value,
    error: &Value,
) -> Option<Map<String, Value>> {
    let own = json!({ "$ref": "#/components/schemas/OAuthFault" });
    let json_of = |description: &str, schema: &Value| {
        json!({ "description": description,
                "content": { "application/json": { "schema": schema } } })
    };
    let page = |description: &str| {
        json!({ "description": description,
                "content": { "text/html": { "schema": { "type": "string" } } } })
    };
    let mut found = Map::new();
    match route.id {
        RouteId::OAuthServerMetadata | RouteId::OAuthResourceMetadata | RouteId::OAuthKeys => {
            found.insert("200".into(), json_of("The document.", answer));
        }
        RouteId::OAuthDeviceStart | RouteId::OAuthToken | RouteId::OAuthRevoke => {
            found.insert("200".into(), json_of("Done.", answer));
            found.insert(
                "400".into(),
                json_of("Refused, in the words of RFC 6749.", &own),
            );
        }
        RouteId::OAuthRegister => {
            found.insert("201".into(), json_of("Registered.", answer));
            found.insert(
                "400".into(),
                json_of("Refused, in the words of RFC 7591.", &own),
            );
        }
        RouteId::OAuthDevicePage
        | RouteId::OAuthDeviceDecide
        | RouteId::OAuthAuthorizePage
        | RouteId::OAuthAuthorizeDecide => {
            found.insert("200".into(), page("The page."));
            found.insert(
                "303".into(),
                json!({ "description": "To the login, or back to the client." }),
            );
            found.insert("400".into(), page("Why not."));
            found.insert("403".into(), page("Why not."));
            found.insert("401".into(), json_of("Two session cookies.", error));
        }
        _ => return None,
    }
    found.insert("503".into(), json_of("Try again in a moment.", &own));
    if route.body.bytes() > 0 {
        found.insert("413".into(), json_of("The body is too large.", error));
        found.insert("415".into(), json_of("The body is of another kind.", error));
    }
    Some(found)
}
