//! The pages between here and an organization's issuer.

use axum::http::StatusCode;
use axum::response::Response;
use skep_app::{AppError, SsoAnswer, SsoEnd, SsoStart};

use super::door::{came_in, failed};
use super::layout::{Html, go, leave, page};
use crate::error::ApiError;
use crate::form::{Form, encode};
use crate::session;
use crate::visit::Visit;

/// Sends the browser to the issuer of the organization that it names.
pub(crate) async fn begin(visit: Visit) -> Result<Response, ApiError> {
    let query = query(&visit);
    let organization = query.get("organization").unwrap_or_default();
    match visit.app().begin_sso(organization).await {
        Ok(start) => {
            let mut response = leave(&start.location);
            session::bind(visit.app(), &mut response, start.binding.expose());
            Ok(response)
        }
        Err(error) => told(error),
    }
}

/// Takes what the issuer answered.
pub(crate) async fn finish(visit: Visit) -> Result<Response, ApiError> {
    let query = query(&visit);
    let browser = session::browser(&visit.edge, &visit.parts).await?;
    let binding = session::binding(&visit.parts.headers).unwrap_or_default();
    let (_, organization) = visit.parts.uri.path().rsplit_once('/').unwrap_or_default();
    let answer = SsoAnswer {
        organization,
        state: query.get("state").unwrap_or_default(),
        code: query.get("code"),
        issuer: query.get("iss"),
        binding: &binding,
    };
    let outcome = visit.app().finish_sso(&answer, browser.as_ref()).await;
    let mut response = match outcome {
        Ok(SsoEnd::Step(step)) => came_in(&visit, &step),
        Ok(SsoEnd::Linked) => go("/account"),
        Err(error) => told(error)?,
    };
    session::unbind(visit.app(), &mut response);
    Ok(response)
}

/// The way to the issuer, for whoever links what it calls them: a link, since a form may lead to
/// ourselves alone.
pub(super) fn onward(visit: &Visit, start: &SsoStart) -> Response {
    let body = Html::new()
        .raw("<section class=\"card\"><h1>Link a sign-in</h1><p>Go on to your organization's sign-in. Whoever it says you are can come in as you from then on, to this organization alone.</p><p><a href=\"")
        .text(&start.location)
        .raw("\">Go on</a></p><p><a class=\"soft\" href=\"/account\">Do not link</a></p></section>");
    let mut response = page(StatusCode::OK, "Link a sign-in", false, &body);
    session::bind(visit.app(), &mut response, start.binding.expose());
    response
}

/// A link on the login page, for organizations that have an issuer.
pub(super) fn offer(html: Html, organization: &str, host: &str) -> Html {
    html.raw("<p><a class=\"button\" href=\"/login/sso?organization=")
        .text(&encode(organization))
        .raw("\">Sign in with ")
        .text(host)
        .raw("</a></p>")
}

/// The query; one that cannot be read says nothing.
pub(super) fn query(visit: &Visit) -> Form {
    let query = visit.parts.uri.query().unwrap_or_default();
    Form::parse(query.as_bytes()).unwrap_or_default()
}

fn told(error: AppError) -> Result<Response, ApiError> {
    let (status, text) = match error {
        AppError::NotFound(_) => (
            StatusCode::NOT_FOUND,
            "There is no single sign-on under this name.",
        ),
        AppError::Denied(_) => (
            StatusCode::UNAUTHORIZED,
            "This sign-in was not accepted. Begin again; if that does not help, your organization's administrators see why in its record.",
        ),
        AppError::Egress(_) | AppError::Unfit(_) | AppError::Upstream { .. } => (
            StatusCode::BAD_GATEWAY,
            "Your organization's sign-in did not answer as it should. Try again later; its administrators see why in its record.",
        ),
        error => {
            return failed(error, |status, problem| {
                again(status, problem.unwrap_or_default())
            });
        }
    };
    Ok(again(status, text))
}

fn again(status: StatusCode, text: &str) -> Response {
    let body = Html::new()
        .raw("<section class=\"card\"><h1>Sign in</h1>")
        .note(true, text)
        .raw("<p><a href=\"/login\">To the login</a></p></section>");
    page(status, "Sign in", false, &body)
}
