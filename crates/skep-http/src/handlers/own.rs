//! What is somebody's own: sessions, password, second factors.

use axum::response::Response;
use skep_api::Instant;
use skep_api::people::{
    AgainRequest, Browser, Browsers, CodeRequest, Factor, FactorResponse, Factors,
    FinishPasskeyRequest, PasswordRequest, ResetToken, TotpEnrolment,
};
use skep_app::{LoggedIn, RecoveryCodes};
use skep_domain::{CredentialId, FactorId};

use super::auth::{done, shown};
use crate::call::{Call, ok};
use crate::error::ApiError;
use crate::session;

pub(crate) async fn setup_token(call: Call) -> Result<Response, ApiError> {
    let made = call.app().renew_setup_token().await?;
    ok(&ResetToken {
        token: made.token.expose().clone(),
        expires_at: Instant(made.expires_at),
    })
}

pub(crate) async fn log_out(call: Call) -> Result<Response, ApiError> {
    call.app().log_out(&call.caller).await?;
    let mut response = done()?;
    session::clear(call.app(), &mut response);
    Ok(response)
}

pub(crate) async fn browsers(call: Call) -> Result<Response, ApiError> {
    let found = call.app().list_browsers(&call.caller).await?;
    let items = found.into_iter().map(|view| Browser {
        id: call.text(view.credential.id),
        kind: view.credential.kind.as_str().into(),
        label: view.credential.body.label,
        current: view.current,
        created_at: Instant(view.credential.created_at),
        used_at: view.credential.used_at.map(Instant),
        expires_at: view.credential.expires_at.map(Instant),
    });
    ok(&Browsers {
        items: items.collect(),
    })
}

pub(crate) async fn end_browser(call: Call) -> Result<Response, ApiError> {
    let id: CredentialId = call.path_id()?;
    call.app().end_browser(&call.caller, id).await?;
    done()
}

pub(crate) async fn password(call: Call) -> Result<Response, ApiError> {
    let request: PasswordRequest = call.body()?;
    let (old, new) = (&request.old, &request.new);
    call.app().change_password(&call.caller, old, new).await?;
    let mut response = done()?;
    session::clear(call.app(), &mut response);
    Ok(response)
}

pub(crate) async fn step_up(call: Call) -> Result<Response, ApiError> {
    let request: CodeRequest = call.body()?;
    let renewed = call.app().step_up(&call.caller, &request.code).await?;
    counts(&call, None, renewed.as_ref())
}

pub(crate) async fn begin_step_up(call: Call) -> Result<Response, ApiError> {
    ok(&shown(
        &call.app().begin_passkey_step_up(&call.caller).await?,
    ))
}

pub(crate) async fn finish_step_up(call: Call) -> Result<Response, ApiError> {
    let request: FinishPasskeyRequest = call.body()?;
    let renewed = call
        .app()
        .finish_passkey_step_up(&call.caller, &request.ceremony, &request.answer)
        .await?;
    counts(&call, None, renewed.as_ref())
}

pub(crate) async fn factors(call: Call) -> Result<Response, ApiError> {
    let found = call.app().list_factors(&call.caller).await?;
    let items = found.into_iter().map(|view| Factor {
        id: call.text(view.id),
        kind: view.kind.as_str().into(),
        label: view.label,
        confirmed: view.confirmed,
        left: view.left.map(|left| left as u64),
        created_at: Instant(view.created_at),
        used_at: view.used_at.map(Instant),
    });
    ok(&Factors {
        items: items.collect(),
    })
}

pub(crate) async fn enrol_totp(call: Call) -> Result<Response, ApiError> {
    let request: AgainRequest = call.body()?;
    let password = request.password.as_deref();
    let new = call.app().enrol_totp(&call.caller, password).await?;
    ok(&TotpEnrolment {
        id: call.text(new.id),
        uri: new.uri.expose().clone(),
        secret: new.secret.expose().clone(),
        qr_svg: new.qr_svg.expose().clone(),
        qr_terminal: new.qr_terminal.expose().clone(),
    })
}

pub(crate) async fn confirm_totp(call: Call) -> Result<Response, ApiError> {
    let request: CodeRequest = call.body()?;
    let (codes, renewed) = call.app().confirm_totp(&call.caller, &request.code).await?;
    counts(&call, codes, renewed.as_ref())
}

pub(crate) async fn recovery(call: Call) -> Result<Response, ApiError> {
    let codes = call.app().renew_recovery_codes(&call.caller).await?;
    counts(&call, Some(codes), None)
}

pub(crate) async fn remove_factor(call: Call) -> Result<Response, ApiError> {
    let id: FactorId = call.path_id()?;
    call.app().remove_factor(&call.caller, id).await?;
    done()
}

pub(crate) async fn begin_passkey(call: Call) -> Result<Response, ApiError> {
    let request: AgainRequest = call.body()?;
    let password = request.password.as_deref();
    ok(&shown(
        &call.app().begin_passkey(&call.caller, password).await?,
    ))
}

pub(crate) async fn finish_passkey(call: Call) -> Result<Response, ApiError> {
    let request: FinishPasskeyRequest = call.body()?;
    let label = request.label.as_deref().unwrap_or("passkey");
    let (codes, renewed) = call
        .app()
        .finish_passkey(&call.caller, &request.ceremony, label, &request.answer)
        .await?;
    counts(&call, codes, renewed.as_ref())
}

fn counts(
    call: &Call,
    codes: Option<RecoveryCodes>,
    renewed: Option<&LoggedIn>,
) -> Result<Response, ApiError> {
    let codes = codes.map(|codes| codes.0).unwrap_or_default();
    let mut response = ok(&FactorResponse {
        recovery_codes: codes.iter().map(|code| code.expose().clone()).collect(),
        csrf_token: renewed.map(|renewed| renewed.csrf.clone()),
    })?;
    if let Some(renewed) = renewed {
        session::set(call.app(), &mut response, renewed);
    }
    Ok(response)
}
