//! The pages of an account that somebody makes for themselves: asking for it, and the code of a letter.

use axum::http::StatusCode;
use axum::response::Response;
use skep_app::Newcomer;

use super::door::{ACCOUNT, TOKEN, came_in, card, failed, text};
use super::layout::{form, page};
use crate::error::ApiError;
use crate::visit::Visit;

const CLOSED: &str = "Accounts are made by invitation here: ask an administrator for one.";

pub(crate) async fn register(visit: Visit) -> Result<Response, ApiError> {
    if visit.app().is_open_to_all() {
        Ok(register_page(StatusCode::OK, None, None))
    } else {
        Ok(closed())
    }
}

fn register_page(status: StatusCode, problem: Option<&str>, news: Option<&str>) -> Response {
    let body = card("Make an account", problem)
        .when(news.is_some(), |html| {
            html.note(false, news.unwrap_or_default())
        })
        .raw("<p>A letter with a code goes to your address. You get an organization of your own.</p><form method=\"post\" action=\"/register\">")
        .raw(ACCOUNT)
        .raw("<button>Send me a code</button></form><p class=\"soft\"><br><a href=\"/register/confirm\">I have a code</a></p></section>");
    page(status, "Make an account", false, &body)
}

pub(crate) async fn send_register(visit: Visit) -> Result<Response, ApiError> {
    let form = form(&visit)?;
    if !visit.app().is_open_to_all() {
        return Ok(closed());
    }
    let newcomer = Newcomer::new(
        text(&form, "address"),
        text(&form, "name"),
        text(&form, "password"),
    );
    visit.count_address(&newcomer.address).await?;
    match visit.app().ask_account(&newcomer) {
        Ok(()) => {
            let news = "A letter is on its way to this address.";
            Ok(register_page(StatusCode::OK, None, Some(news)))
        }
        Err(error) => failed(error, |status, problem| {
            register_page(status, problem, None)
        }),
    }
}

pub(crate) async fn confirm(visit: Visit) -> Result<Response, ApiError> {
    if visit.app().is_open_to_all() {
        Ok(confirm_page(StatusCode::OK, None))
    } else {
        Ok(closed())
    }
}

fn confirm_page(status: StatusCode, problem: Option<&str>) -> Response {
    let body = card("Make an account", problem)
        .raw("<form method=\"post\" action=\"/register/confirm\">")
        .field("The code in the letter", "code", TOKEN)
        .raw("<button>Make the account</button></form></section>");
    page(status, "Make an account", false, &body)
}

pub(crate) async fn send_confirm(visit: Visit) -> Result<Response, ApiError> {
    let form = form(&visit)?;
    if !visit.app().is_open_to_all() {
        return Ok(closed());
    }
    match visit.app().confirm_account(&text(&form, "code")).await {
        Ok(step) => Ok(came_in(&visit, &step)),
        Err(error) => failed(error, confirm_page),
    }
}

fn closed() -> Response {
    let body = card("Make an account", Some(CLOSED))
        .raw("<p><a href=\"/login\">To the login</a></p></section>");
    page(StatusCode::FORBIDDEN, "Make an account", false, &body)
}
