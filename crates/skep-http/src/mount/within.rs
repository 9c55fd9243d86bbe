//! A route asked from inside, by a handler for its own caller.

use std::sync::Arc;

use axum::response::Response;
use skep_api::{Gate, RouteId};

use crate::call::Call;
use crate::error::ApiError;
use crate::{gate, record};

use super::table::handler;
use super::{Handler, pass};

/// A route for a caller who was let in at another: all that stands in front of it but the credential,
/// which was shown with this very request. Nobody gets further by this than by asking themselves, and
/// doors, and what needs a person, are not asked for anybody.
pub(crate) async fn within(route: RouteId, call: Call) -> Result<Response, ApiError> {
    let row = route.row();
    let open = matches!(row.gate, Gate::Oneself | Gate::Permission(_)) && route != RouteId::Mcp;
    let (Handler::Known(handler), true) = (handler(route), open) else {
        return Err(skep_authz::Denied::MissingCredential.into());
    };
    let (edge, caller) = (Arc::clone(&call.edge), call.caller.clone());
    let uri = call.parts.uri.clone();
    pass((&edge, &call.told), row, &call.parts, &caller).await?;
    gate::check_size(row, call.body.len())?;
    record::allowance(&edge, row, uri.path(), (Some(&caller), &call.body)).await?;
    let through = (row, " through tools");
    let answer = record::shown(&edge, through, uri.path(), &caller, handler(call));
    record::refusal(&edge, row, uri.path(), Some(&caller), answer.await)
}
