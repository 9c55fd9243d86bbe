//! What the gate decided, for the record: every refusal, and every change that was allowed.

use axum::http::request::Parts;
use skep_api::Route;
use skep_app::Decision;
use skep_authz::Caller;

use crate::error::ApiError;
use crate::mount::{Edge, request_id};
use crate::peer::Peer;

/// Records a refusal, and passes the verdict on.
pub(crate) fn refusal<T>(
    edge: &Edge,
    route: &Route,
    parts: &Parts,
    caller: Option<&Caller>,
    verdict: Result<T, ApiError>,
) -> Result<T, ApiError> {
    if let Err(error) = &verdict
        && matches!(error.code.status(), 401 | 403)
    {
        let mut decision = decision(route, parts, caller.is_none());
        error.code.as_str().clone_into(&mut decision.reason);
        edge.app.record_denied(decision, caller);
    }
    verdict
}

/// Records that a change was allowed, before it is made.
pub(crate) async fn allowance(
    edge: &Edge,
    route: &Route,
    parts: &Parts,
    caller: Option<&Caller>,
) -> Result<(), ApiError> {
    if !route.mutates() {
        return Ok(());
    }
    let decision = decision(route, parts, caller.is_none());
    Ok(edge.app.record_allowed(decision, caller).await?)
}

/// The action is the audit name of the row; of one that only reads, its method and path as in the
/// table, never as they were sent.
fn decision(route: &Route, parts: &Parts, from_outside: bool) -> Decision {
    let action = route.audit.map_or_else(
        || format!("{} {}", route.method.as_str(), route.path),
        str::to_owned,
    );
    let peer = parts.extensions.get::<Peer>().filter(|_| from_outside);
    Decision {
        action,
        reason: String::new(),
        request: request_id(&parts.extensions).0,
        organization: None,
        peer: peer.map(|peer| match peer {
            Peer::Socket { uid } => format!("uid {uid}"),
            Peer::Tcp(address) => address.ip().to_string(),
        }),
    }
}
