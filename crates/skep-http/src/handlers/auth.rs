//! Coming in: setup, login, second factors, invitations, a forgotten password. Nobody is known yet.

use axum::response::Response;
use skep_api::people::{
    AcceptRequest, BeginPasskeyRequest, Ceremony, ConfirmRequest, Done, FinishPasskeyRequest,
    LoginRequest, LoginResponse, RegisterRequest, ResetRequest, SecondRequest, SetupRequest,
};
use skep_app::{
    Accepted, App, Credentials, FirstAdmin, LoggedIn, LoginStep, Newcomer, SecondFactor,
};

use crate::call::ok;
use crate::error::ApiError;
use crate::session;
use crate::visit::Visit;

pub(crate) async fn set_up(visit: Visit) -> Result<Response, ApiError> {
    let request: SetupRequest = from_our_page(&visit)?;
    let first = FirstAdmin::new(
        request.token,
        request.address,
        request.name,
        request.password,
    );
    let logged_in = visit.app().set_up(&first).await?;
    came_in(visit.app(), &LoginStep::In(logged_in))
}

pub(crate) async fn log_in(visit: Visit) -> Result<Response, ApiError> {
    let request: LoginRequest = from_our_page(&visit)?;
    let credentials = Credentials::new(request.address, request.password);
    came_in(visit.app(), &visit.app().log_in(&credentials).await?)
}

pub(crate) async fn second(visit: Visit) -> Result<Response, ApiError> {
    let request: SecondRequest = from_our_page(&visit)?;
    let shown = SecondFactor::code(request.code);
    let logged_in = visit.app().log_in_second(&request.pending, &shown).await?;
    came_in(visit.app(), &LoginStep::In(logged_in))
}

pub(crate) async fn begin_passkey(visit: Visit) -> Result<Response, ApiError> {
    let request: BeginPasskeyRequest = from_our_page(&visit)?;
    let app = visit.app();
    let ceremony = match &request.pending {
        None => app.begin_passkey_login().await?,
        Some(pending) => app.begin_passkey_second(pending).await?,
    };
    ok(&shown(&ceremony))
}

pub(crate) async fn finish_passkey(visit: Visit) -> Result<Response, ApiError> {
    let request: FinishPasskeyRequest = from_our_page(&visit)?;
    let (app, answer) = (visit.app(), &request.answer);
    let logged_in = match &request.pending {
        None => app.finish_passkey_login(&request.ceremony, answer).await?,
        Some(pending) => {
            app.finish_passkey_second(pending, &request.ceremony, answer)
                .await?
        }
    };
    came_in(app, &LoginStep::In(logged_in))
}

pub(crate) async fn accept(visit: Visit) -> Result<Response, ApiError> {
    let request: AcceptRequest = from_our_page(&visit)?;
    let accepted = Accepted::new(request.token, request.name, request.password);
    came_in(visit.app(), &visit.app().accept_invite(&accepted).await?)
}

pub(crate) async fn reset(visit: Visit) -> Result<Response, ApiError> {
    let request: ResetRequest = from_our_page(&visit)?;
    match (&request.address, &request.token, &request.password) {
        (Some(address), None, None) => {
            visit.count_address(address).await?;
            visit.app().ask_reset(address);
        }
        (None, Some(token), Some(password)) => visit.app().reset_password(token, password).await?,
        _ => {
            return Err(ApiError::field(
                "token",
                "INVALID",
                "send either an address, or a token and a password",
            ));
        }
    }
    done()
}

pub(crate) async fn register(visit: Visit) -> Result<Response, ApiError> {
    let request: RegisterRequest = from_our_page(&visit)?;
    let newcomer = Newcomer::new(request.address, request.name, request.password);
    visit.count_address(&newcomer.address).await?;
    visit.app().ask_account(&newcomer)?;
    done()
}

pub(crate) async fn confirm(visit: Visit) -> Result<Response, ApiError> {
    let request: ConfirmRequest = from_our_page(&visit)?;
    came_in(
        visit.app(),
        &visit.app().confirm_account(&request.code).await?,
    )
}

/// Another page shall not log somebody in as whom it likes.
fn from_our_page<T: serde::de::DeserializeOwned>(visit: &Visit) -> Result<T, ApiError> {
    if !session::own_page(visit.app(), &visit.parts.headers) {
        return Err(ApiError::new(
            skep_api::ErrorCode::PermissionDenied,
            "Requests from other pages are not served.",
        ));
    }
    visit.body()
}

fn came_in(app: &App, step: &LoginStep) -> Result<Response, ApiError> {
    match step {
        LoginStep::In(logged_in) => {
            let mut response = ok(&response(logged_in))?;
            session::set(app, &mut response, logged_in);
            Ok(response)
        }
        LoginStep::Owed { pending, kinds } => ok(&LoginResponse {
            status: "second_factor".into(),
            csrf_token: None,
            pending: Some(pending.expose().clone()),
            kinds: kinds.iter().map(|kind| kind.as_str().into()).collect(),
        }),
    }
}

fn response(logged_in: &LoggedIn) -> LoginResponse {
    LoginResponse {
        status: "in".into(),
        csrf_token: Some(logged_in.csrf.clone()),
        pending: None,
        kinds: Vec::new(),
    }
}

pub(super) fn shown(ceremony: &skep_app::Ceremony) -> Ceremony {
    Ceremony {
        ceremony: ceremony.ceremony.expose().clone(),
        options: ceremony.options.clone(),
    }
}

pub(super) fn done() -> Result<Response, ApiError> {
    ok(&Done {
        status: "ok".into(),
    })
}
