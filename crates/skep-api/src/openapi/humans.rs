//! The shapes of people's routes.

use schemars::SchemaGenerator;

use super::{Shape, schema};
use crate::RouteId;
use crate::page::{Page, PageQuery};
use crate::people;

/// Of logins, second factors, sessions, invitations and members.
#[expect(clippy::too_many_lines, reason = "one arm for each route")]
pub(super) fn shape(id: RouteId, s: &mut SchemaGenerator) -> Shape {
    let (query, body, answer) = match id {
        RouteId::Setup => (
            None,
            Some(schema::<people::SetupRequest>(s)),
            schema::<people::LoginResponse>(s),
        ),
        RouteId::AuthLogin => (
            None,
            Some(schema::<people::LoginRequest>(s)),
            schema::<people::LoginResponse>(s),
        ),
        RouteId::AuthSecond => (
            None,
            Some(schema::<people::SecondRequest>(s)),
            schema::<people::LoginResponse>(s),
        ),
        RouteId::AuthPasskey => (
            None,
            Some(schema::<people::BeginPasskeyRequest>(s)),
            schema::<people::Ceremony>(s),
        ),
        RouteId::AuthPasskeyFinish => (
            None,
            Some(schema::<people::FinishPasskeyRequest>(s)),
            schema::<people::LoginResponse>(s),
        ),
        RouteId::AuthInvite => (
            None,
            Some(schema::<people::AcceptRequest>(s)),
            schema::<people::LoginResponse>(s),
        ),
        RouteId::AuthReset => (
            None,
            Some(schema::<people::ResetRequest>(s)),
            schema::<people::Done>(s),
        ),
        RouteId::BrowserList => (None, None, schema::<people::Browsers>(s)),
        RouteId::PasswordChange => (
            None,
            Some(schema::<people::PasswordRequest>(s)),
            schema::<people::Done>(s),
        ),
        RouteId::StepUpPasskey => (None, None, schema::<people::Ceremony>(s)),
        RouteId::FactorList => (None, None, schema::<people::Factors>(s)),
        RouteId::TotpEnrol => (
            None,
            Some(schema::<people::AgainRequest>(s)),
            schema::<people::TotpEnrolment>(s),
        ),
        RouteId::TotpConfirm | RouteId::StepUp => (
            None,
            Some(schema::<people::CodeRequest>(s)),
            schema::<people::FactorResponse>(s),
        ),
        RouteId::RecoveryRenew => (None, None, schema::<people::FactorResponse>(s)),
        RouteId::PasskeyBegin => (
            None,
            Some(schema::<people::AgainRequest>(s)),
            schema::<people::Ceremony>(s),
        ),
        RouteId::PasskeyFinish | RouteId::StepUpPasskeyFinish => (
            None,
            Some(schema::<people::FinishPasskeyRequest>(s)),
            schema::<people::FactorResponse>(s),
        ),
        RouteId::InviteCreate => (
            None,
            Some(schema::<people::InviteRequest>(s)),
            schema::<people::Invited>(s),
        ),
        RouteId::InviteList => (None, None, schema::<people::Invites>(s)),
        RouteId::InviteWithdraw => (
            None,
            Some(schema::<people::WithdrawRequest>(s)),
            schema::<people::Done>(s),
        ),
        RouteId::MemberEdit => (
            None,
            Some(schema::<people::MemberRequest>(s)),
            schema::<people::Done>(s),
        ),
        RouteId::MemberList => (
            Some(schema::<PageQuery>(s)),
            None,
            schema::<Page<people::Member>>(s),
        ),
        RouteId::SetupToken | RouteId::MemberReset => (None, None, schema::<people::ResetToken>(s)),
        _ => (None, None, schema::<people::Done>(s)),
    };
    Shape {
        query,
        body,
        answer,
    }
}
