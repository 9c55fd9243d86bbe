//! What the gate decided, for the record: every refusal, and every change that was allowed.
//!
//! Doors, which anybody may knock at, record themselves what came of it: only they learn for whom.

use axum::http::request::Parts;
use skep_api::{Gate, Route, RouteId};
use skep_app::{Asked, Decision, FOREIGN};
use skep_authz::Caller;

use crate::error::ApiError;
use crate::marks;
use crate::mount::{Edge, request_id};
use crate::peer::Peer;

/// Longer than any id of ours.
const MAX_TARGET: usize = 64;

/// Records a refusal, and passes the verdict on. What a use case refused after the gate had let it past
/// has an entry that says so beside this one, with the same request.
pub(crate) fn refusal<T>(
    edge: &Edge,
    route: &Route,
    path: &str,
    caller: Option<&Caller>,
    verdict: Result<T, ApiError>,
) -> Result<T, ApiError> {
    if let Err(error) = &verdict
        && matches!(error.code.status(), 401 | 403)
    {
        let mut decision = decision(route, path);
        let reason = if error.is_foreign {
            FOREIGN
        } else {
            error.code.as_str()
        };
        reason.clone_into(&mut decision.reason);
        edge.app.record_denied(decision, caller);
    }
    verdict
}

/// Records that a change was allowed, before it is made.
pub(crate) async fn allowance(
    edge: &Edge,
    route: &Route,
    path: &str,
    (caller, body): (Option<&Caller>, &[u8]),
) -> Result<(), ApiError> {
    // What is erased of the record is recorded in the transaction that erases it.
    let records_itself = matches!(route.id, RouteId::AuditErase);
    if !route.mutates() || route.gate == Gate::Public || records_itself {
        return Ok(());
    }
    let mut decision = decision(route, path);
    if let Some(marked) = caller.and_then(|caller| marks::of(&edge.app, caller, route.id, body)) {
        decision.target = Some(marked);
    }
    Ok(edge.app.record_allowed(decision, caller).await?)
}

/// Answers, and records what of others' content that shows the caller, by which route. What cannot be recorded
/// does not go out.
pub(crate) async fn shown<T>(
    edge: &Edge,
    (route, through): (&Route, &str),
    path: &str,
    caller: &Caller,
    answer: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ApiError> {
    let (answer, shown) = skep_app::showing(caller.principal(), answer).await;
    let answer = answer?;
    if shown.is_empty() {
        return Ok(answer);
    }
    let why = Decision {
        reason: format!("{} {}{through}", route.method.as_str(), route.path),
        target: target(route, path),
        ..Decision::default()
    };
    edge.app.record_shown(why, caller, &shown).await?;
    Ok(answer)
}

/// The action is the audit name of the row; of one that only reads, its method and path as in the
/// table, never as they were sent.
fn decision(route: &Route, path: &str) -> Decision {
    let action = route.audit.map_or_else(
        || format!("{} {}", route.method.as_str(), route.path),
        str::to_owned,
    );
    Decision {
        action,
        target: target(route, path),
        ..Decision::default()
    }
}

/// The id in the path, if it looks like one.
fn target(route: &Route, path: &str) -> Option<String> {
    let (before, after) = route.path.split_once("{id}")?;
    let id = path.strip_prefix(before)?.strip_suffix(after)?;
    let like_one = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!id.is_empty() && id.len() <= MAX_TARGET && id.bytes().all(like_one)).then(|| id.to_owned())
}

/// What is known of a request before anything is done about it.
pub(crate) fn asked(parts: &Parts) -> Asked {
    let peer = parts.extensions.get::<Peer>();
    Asked {
        request: request_id(&parts.extensions).0,
        peer: peer.map(|peer| match peer {
            Peer::Socket { uid } => format!("uid {uid}"),
            Peer::Tcp(address) => address.ip().to_string(),
        }),
    }
}
