//! What a daemon does not do that asks another one about credentials.

use skep_api::{ErrorCode, Gate, Route, RouteId};
use skep_app::App;
use skep_authz::Caller;

use crate::error::ApiError;

/// Public routes that let nobody in.
const PROBES: [RouteId; 2] = [RouteId::Healthz, RouteId::Readyz];
/// What makes a credential, or something that one is made with. Nobody would take it: the other daemon
/// does not know it.
const MAKERS: [RouteId; 13] = [
    RouteId::KeyCreate,
    RouteId::TokenCreate,
    RouteId::SetupToken,
    RouteId::InviteCreate,
    RouteId::MemberReset,
    RouteId::PasswordChange,
    RouteId::StepUp,
    RouteId::StepUpPasskey,
    RouteId::StepUpPasskeyFinish,
    RouteId::TotpEnrol,
    RouteId::RecoveryRenew,
    RouteId::PasskeyBegin,
    RouteId::PasskeyFinish,
];

/// Refuses doors whose credentials would be worth nothing here.
pub(crate) fn check_door(app: &App, route: &Route) -> Result<(), ApiError> {
    let makes = route.gate == Gate::Public && !PROBES.contains(&route.id);
    if (makes || MAKERS.contains(&route.id)) && app.asks_elsewhere().is_some() {
        return Err(not_here());
    }
    Ok(())
}

/// Refuses whoever another daemon vouches for whatever is kept there: here is nothing of theirs.
pub(crate) fn check_caller(route: &Route, caller: &Caller) -> Result<(), ApiError> {
    if caller.is_vouched() && route.id != RouteId::Whoami {
        return Err(not_here());
    }
    Ok(())
}

pub(crate) fn not_here() -> ApiError {
    ApiError::new(
        ErrorCode::NotServedHere,
        "This node asks another daemon who somebody is, and keeps nothing of theirs: use that daemon. What is served here is in docs/grpc.md.",
    )
}
