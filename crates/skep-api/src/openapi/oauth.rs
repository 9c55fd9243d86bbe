//! The OAuth routes in the document: forms, pages, and errors in the RFCs' shape.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::{Shape, schema};
use crate::oauth::{
    DeviceAuthorization, DeviceAuthorizationForm, OAuthFault, RegistrationRequest,
    RegistrationResponse, ResourceMetadata, RevokeForm, ServerMetadata, TokenForm, TokenResponse,
};
use crate::route::{Route, RouteId};

pub(super) fn shape(id: RouteId, s: &mut SchemaGenerator) -> Shape {
    let (body, answer) = match id {
        RouteId::OAuthServerMetadata => (None, schema::<ServerMetadata>(s)),
        RouteId::OAuthResourceMetadata => (None, schema::<ResourceMetadata>(s)),
        RouteId::OAuthDeviceStart => (
            Some(schema::<DeviceAuthorizationForm>(s)),
            schema::<DeviceAuthorization>(s),
        ),
        RouteId::OAuthToken => (Some(schema::<TokenForm>(s)), schema::<TokenResponse>(s)),
        RouteId::OAuthRevoke => (Some(schema::<RevokeForm>(s)), json!({ "type": "object" })),
        RouteId::OAuthRegister => (
            Some(schema::<RegistrationRequest>(s)),
            schema::<RegistrationResponse>(s),
        ),
        RouteId::OAuthDeviceDecide | RouteId::OAuthAuthorizeDecide => (
            Some(json!({ "type": "object" })),
            json!({ "type": "string" }),
        ),
        RouteId::OAuthDevicePage | RouteId::OAuthAuthorizePage => {
            (None, json!({ "type": "string" }))
        }
        _ => (None, json!({ "type": "object" })),
    };
    let query = None;
    // Named here, so that the component is there whichever route is looked at first.
    schema::<OAuthFault>(s);
    Shape {
        query,
        body,
        answer,
    }
}

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
