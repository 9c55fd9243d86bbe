//! The pages at the door: login and its second step, setup, invitations, a forgotten password.

use axum::http::StatusCode;
use axum::response::Response;
use skep_app::{
    Accepted, AppError, Credentials, Decision, FirstAdmin, LoggedIn, LoginStep, SecondFactor,
};
use skep_domain::FactorKind;

use super::layout::{Html, form, go, page};
use super::sso;
use crate::error::ApiError;
use crate::form::Form;
use crate::session;
use crate::visit::Visit;

const ADDRESS: &str = "type=\"email\" autocomplete=\"username\" required maxlength=\"254\"";
const PASSWORD: &str = "type=\"password\" autocomplete=\"current-password\" required";
const NEW_PASSWORD: &str =
    "type=\"password\" autocomplete=\"new-password\" required minlength=\"12\" maxlength=\"1024\"";
pub(super) const TOKEN: &str = "class=\"code\" autocomplete=\"off\" spellcheck=\"false\" required";
const CODE: &str = "class=\"code\" autocomplete=\"one-time-code\" inputmode=\"text\" spellcheck=\"false\" autofocus required maxlength=\"16\"";
const PASSKEY: &str = "<button type=\"button\" class=\"plain\" data-passkey=\"show\" hidden>Use a passkey</button><p class=\"note bad\" role=\"alert\" data-passkey-note hidden></p>";

pub(crate) async fn login(visit: Visit) -> Result<Response, ApiError> {
    if session::browser(&visit.edge, &visit.parts).await?.is_some() {
        return Ok(go("/account"));
    }
    let query = sso::query(&visit);
    let organization = query.get("organization").unwrap_or_default();
    let host = match organization {
        "" => None,
        organization => visit.app().sso_host(organization).await?,
    };
    let issuer = host.as_deref().map(|host| (organization, host));
    Ok(login_page_with(StatusCode::OK, None, issuer))
}

fn login_page(status: StatusCode, problem: Option<&str>) -> Response {
    login_page_with(status, problem, None)
}

/// With the way to an issuer, for whoever came by the name of an organization that has one.
fn login_page_with(
    status: StatusCode,
    problem: Option<&str>,
    issuer: Option<(&str, &str)>,
) -> Response {
    let body = card("Log in", problem)
        .raw("<form method=\"post\" action=\"/login\">")
        .field("Mail address", "address", ADDRESS)
        .field("Password", "password", PASSWORD)
        .raw("<button>Log in</button></form>")
        .raw(PASSKEY);
    let body = match issuer {
        None => body,
        Some((organization, host)) => sso::offer(body, organization, host),
    };
    let body = body
        .raw("<p class=\"soft\"><br><a href=\"/reset\">Forgot your password?</a></p></section>")
        .raw("<script src=\"/assets/passkey.js\"></script>");
    page(status, "Log in", false, &body)
}

pub(crate) async fn log_in(visit: Visit) -> Result<Response, ApiError> {
    let form = form(&visit)?;
    let credentials = Credentials::new(text(&form, "address"), text(&form, "password"));
    match visit.app().log_in(&credentials).await {
        Ok(step) => Ok(came_in(&visit, &step)),
        Err(error) => failed(error, login_page),
    }
}

fn second_page(
    status: StatusCode,
    problem: Option<&str>,
    pending: &str,
    with_passkey: bool,
) -> Response {
    let body = card("One more step", problem)
        .raw("<p>Enter the six digits that your authenticator app shows, or one of your recovery codes.</p><form method=\"post\" action=\"/login/second\">")
        .hidden("pending", pending)
        .field("Code", "code", CODE)
        .raw("<button>Go on</button></form>")
        .when(with_passkey, |html| {
            html.raw("<button type=\"button\" class=\"plain\" data-passkey=\"show\" data-pending=\"")
                .text(pending)
                .raw("\" hidden>Use a passkey</button><p class=\"note bad\" role=\"alert\" data-passkey-note hidden></p>")
        })
        .raw("</section><script src=\"/assets/passkey.js\"></script>");
    page(status, "One more step", false, &body)
}

pub(crate) async fn second(visit: Visit) -> Result<Response, ApiError> {
    let form = form(&visit)?;
    let pending = text(&form, "pending");
    let shown = SecondFactor::code(text(&form, "code"));
    match visit.app().log_in_second(&pending, &shown).await {
        Ok(logged_in) => Ok(came_in(&visit, &LoginStep::In(logged_in))),
        Err(error) => failed(error, |status, problem| {
            second_page(status, problem, &pending, true)
        }),
    }
}

pub(crate) async fn setup(_: Visit) -> Result<Response, ApiError> {
    Ok(setup_page(StatusCode::OK, None))
}

fn setup_page(status: StatusCode, problem: Option<&str>) -> Response {
    let body = card("Set Skep up", problem)
        .raw("<p>Make the first administrator. The setup token is what the daemon printed at its first start.</p><form method=\"post\" action=\"/setup\">")
        .field("Setup token", "token", TOKEN)
        .raw(ACCOUNT)
        .raw("<button>Make the administrator</button></form></section>");
    page(status, "Set up", false, &body)
}

pub(super) const ACCOUNT: &str = concat!(
    "<label for=\"name\">Your name</label><input id=\"name\" name=\"name\" autocomplete=\"name\" required maxlength=\"128\">",
    "<label for=\"address\">Mail address</label><input id=\"address\" name=\"address\" type=\"email\" autocomplete=\"username\" required maxlength=\"254\">",
    "<label for=\"password\">Password</label><input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"new-password\" required minlength=\"12\" maxlength=\"1024\">",
    "<p class=\"soft\">At least twelve characters; several unrelated words do well.</p>"
);

pub(crate) async fn send_setup(visit: Visit) -> Result<Response, ApiError> {
    let form = form(&visit)?;
    let first = FirstAdmin::new(
        text(&form, "token"),
        text(&form, "address"),
        text(&form, "name"),
        text(&form, "password"),
    );
    match visit.app().set_up(&first).await {
        Ok(logged_in) => Ok(came_in(&visit, &LoginStep::In(logged_in))),
        Err(error) => failed(error, setup_page),
    }
}

pub(crate) async fn invite(_: Visit) -> Result<Response, ApiError> {
    Ok(invite_page(StatusCode::OK, None))
}

fn invite_page(status: StatusCode, problem: Option<&str>) -> Response {
    let body = card("Join", problem)
        .raw("<p>Enter the code of your invitation. If you have an account already, enter its password.</p><form method=\"post\" action=\"/invite\">")
        .field("Invitation code", "token", TOKEN)
        .field("Your name", "name", "autocomplete=\"name\" required maxlength=\"128\"")
        .field("Password", "password", NEW_PASSWORD)
        .raw("<button>Join</button></form></section>");
    page(status, "Join", false, &body)
}

pub(crate) async fn send_invite(visit: Visit) -> Result<Response, ApiError> {
    let form = form(&visit)?;
    let accepted = Accepted::new(
        text(&form, "token"),
        text(&form, "name"),
        text(&form, "password"),
    );
    match visit.app().accept_invite(&accepted).await {
        Ok(step) => Ok(came_in(&visit, &step)),
        Err(error) => failed(error, invite_page),
    }
}

pub(crate) async fn reset(_: Visit) -> Result<Response, ApiError> {
    Ok(reset_page(StatusCode::OK, None, None))
}

fn reset_page(status: StatusCode, problem: Option<&str>, news: Option<&str>) -> Response {
    let body = card("A new password", problem)
        .when(news.is_some(), |html| html.note(false, news.unwrap_or_default()))
        .raw("<form method=\"post\" action=\"/reset\">")
        .field("Code", "token", TOKEN)
        .field("New password", "password", NEW_PASSWORD)
        .raw("<button>Set the password</button></form></section><section class=\"card\"><h2>No code yet?</h2><p class=\"soft\">If mail is set up here, a letter with one goes to your address. Otherwise an administrator can give you one.</p><form method=\"post\" action=\"/reset\">")
        .field("Mail address", "address", ADDRESS)
        .raw("<button class=\"plain\">Send a letter</button></form></section>");
    page(status, "A new password", false, &body)
}

pub(crate) async fn send_reset(visit: Visit) -> Result<Response, ApiError> {
    let form = form(&visit)?;
    if let Some(address) = form.get("address") {
        visit.count_address(address).await?;
        visit.app().ask_reset(address);
        let news = "If somebody here has this address, a letter is on its way.";
        return Ok(reset_page(StatusCode::OK, None, Some(news)));
    }
    let (token, password) = (text(&form, "token"), text(&form, "password"));
    match visit.app().reset_password(&token, &password).await {
        Ok(()) => Ok(login_page(
            StatusCode::OK,
            Some("Your password is set. Log in with it."),
        )),
        Err(error) => failed(error, |status, problem| reset_page(status, problem, None)),
    }
}

pub(crate) async fn log_out(visit: Visit) -> Result<Response, ApiError> {
    let form = form(&visit)?;
    let mut response = go("/login");
    if let Some(caller) = session::browser(&visit.edge, &visit.parts).await? {
        let said = form.get("csrf").unwrap_or_default();
        session::check_form(visit.app(), &caller, &visit.parts.headers, said)?;
        let decision = Decision::of("auth.logout");
        visit.app().record_allowed(decision, Some(&caller)).await?;
        visit.app().log_out(&caller).await?;
    }
    session::clear(visit.app(), &mut response);
    Ok(response)
}

pub(super) fn card(title: &'static str, problem: Option<&str>) -> Html {
    let html = Html::new()
        .raw("<section class=\"card\"><h1>")
        .raw(title)
        .raw("</h1>");
    match problem {
        Some(problem) => html.note(true, problem),
        None => html,
    }
}

pub(super) fn came_in(visit: &Visit, step: &LoginStep) -> Response {
    match step {
        LoginStep::In(logged_in) => into(visit, logged_in),
        LoginStep::Owed { pending, kinds } => {
            let passkey = kinds.contains(&FactorKind::Passkey);
            second_page(StatusCode::OK, None, pending.expose(), passkey)
        }
    }
}

fn into(visit: &Visit, logged_in: &LoggedIn) -> Response {
    let mut response = go("/account");
    session::set(visit.app(), &mut response, logged_in);
    response
}

/// The page again, with what is wrong. Causes of the machine are the envelope's business.
pub(super) fn failed(
    error: AppError,
    again: impl FnOnce(StatusCode, Option<&str>) -> Response,
) -> Result<Response, ApiError> {
    match error {
        AppError::Denied(_) => Ok(again(
            StatusCode::UNAUTHORIZED,
            Some("That is not right, or no longer good."),
        )),
        AppError::RateLimited { retry_after_ms } => {
            let minutes = retry_after_ms.div_ceil(60_000);
            let text = format!("Too many attempts. Try again in {minutes} minutes.");
            Ok(again(StatusCode::TOO_MANY_REQUESTS, Some(&text)))
        }
        AppError::Invalid(invalid) => Ok(again(
            StatusCode::BAD_REQUEST,
            Some(&capital(&invalid.message)),
        )),
        AppError::Conflict(why) => Ok(again(StatusCode::CONFLICT, Some(&capital(why)))),
        error => Err(error.into()),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), chars.as_str())
}

pub(super) fn text(form: &Form, name: &str) -> String {
    form.get(name).unwrap_or_default().to_owned()
}
