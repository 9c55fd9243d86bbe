//! One's own page: who one is, second factors, sessions.

use axum::http::StatusCode;
use axum::response::Response;
use skep_app::{Decision, FactorView, LoggedIn, NewTotp, RecoveryCodes, SessionView};
use skep_authz::Caller;
use skep_domain::FactorKind;

use super::door::failed;
use super::layout::{Html, form, go, page};
use super::sso::onward;
use crate::error::ApiError;
use crate::place;
use crate::session;
use crate::visit::Visit;

pub(crate) async fn account(visit: Visit) -> Result<Response, ApiError> {
    let Some(caller) = session::browser(&visit.edge, &visit.parts).await? else {
        return Ok(go("/login"));
    };
    if let Some(place) = place::of(visit.app(), &visit.parts.headers) {
        let mut response = go(&place);
        place::forget(visit.app(), &mut response);
        return Ok(response);
    }
    show(&visit, &caller, StatusCode::OK, None).await
}

/// Everything that the page's forms do; which, a field says.
pub(crate) async fn change(visit: Visit) -> Result<Response, ApiError> {
    let sent = form(&visit)?;
    let Some(caller) = session::browser(&visit.edge, &visit.parts).await? else {
        return Ok(go("/login"));
    };
    let (app, headers) = (visit.app(), &visit.parts.headers);
    session::check_form(app, &caller, headers, sent.get("csrf").unwrap_or_default())?;
    let code = sent.get("code").unwrap_or_default();
    let decision = Decision::of(recorded_as(sent.get("do")));
    app.record_allowed(decision, Some(&caller)).await?;
    let outcome = match sent.get("do") {
        Some("enrol") => match app.enrol_totp(&caller, sent.get("password")).await {
            Ok(new) => return Ok(enrol_page(&app.csrf_token(caller.credential()), &new)),
            Err(error) => Err(error),
        },
        Some("confirm") => match app.confirm_totp(&caller, code).await {
            Ok((codes, renewed)) => return Ok(counted(&visit, codes, renewed.as_ref())),
            Err(error) => Err(error),
        },
        Some("recovery") => match app.renew_recovery_codes(&caller).await {
            Ok(codes) => return Ok(counted(&visit, Some(codes), None)),
            Err(error) => Err(error),
        },
        Some("step-up") => match app.step_up(&caller, code).await {
            Ok(renewed) => return Ok(counted(&visit, None, renewed.as_ref())),
            Err(error) => Err(error),
        },
        Some("link") => match app.begin_sso_link(&caller, sent.get("password")).await {
            Ok(start) => return Ok(onward(&visit, &start)),
            Err(error) => Err(error),
        },
        Some("unlink") => app.end_sso_link(&caller, sent.get("password")).await,
        Some("others") => app.end_other_browsers(&caller).await,
        _ => Ok(()),
    };
    match outcome {
        Ok(()) => Ok(go("/account")),
        Err(skep_app::AppError::Denied(skep_authz::Denied::StepUpRequired)) => {
            let text = "This needs your second factor shown within the last five minutes: enter a code below, then try again.";
            show(&visit, &caller, StatusCode::FORBIDDEN, Some(text)).await
        }
        Err(skep_app::AppError::Denied(skep_authz::Denied::FactorOwed)) => {
            show(&visit, &caller, StatusCode::FORBIDDEN, None).await
        }
        Err(error) => {
            let mut told = (StatusCode::BAD_REQUEST, String::new());
            failed(error, |status, problem| {
                told = (status, problem.unwrap_or_default().to_owned());
                Response::default()
            })?;
            show(&visit, &caller, told.0, Some(&told.1)).await
        }
    }
}

/// What is recorded of a form of the page.
fn recorded_as(what: Option<&str>) -> &'static str {
    match what {
        Some("enrol") => "mfa.enrol",
        Some("confirm") => "mfa.confirm",
        Some("recovery") => "mfa.recovery",
        Some("step-up") => "auth.step_up",
        Some("link") => "sso.link",
        Some("unlink") => "sso.unlink",
        _ => "auth.session_end",
    }
}

async fn show(
    visit: &Visit,
    caller: &Caller,
    status: StatusCode,
    problem: Option<&str>,
) -> Result<Response, ApiError> {
    let app = visit.app();
    let factors = app.list_factors(caller).await?;
    let browsers = app.list_browsers(caller).await?;
    let csrf = app.csrf_token(caller.credential());
    let who = app.own_name(caller).await?;
    let html = Html::new()
        .raw("<section class=\"card\"><h1>")
        .text(&who)
        .raw("</h1>")
        .when(problem.is_some(), |html| {
            html.note(true, problem.unwrap_or_default())
        })
        .when(caller.require_factor().is_err(), |html| {
            html.note(true, "Your organization asks everybody for a second factor. Add one below: nothing else works until then.")
        })
        .raw("<p class=\"soft\">You are logged in.</p><form method=\"post\" action=\"/logout\">")
        .hidden("csrf", &csrf)
        .raw("<button class=\"plain\">Log out</button></form></section>");
    let html = second_factors(html, &csrf, &factors);
    let html = match app.sso_link(caller).await? {
        None => html,
        Some(linked) => sign_in(html, &csrf, linked, factors.iter().all(|f| !f.confirmed)),
    };
    let html = sessions(html, &csrf, &browsers);
    let html = html.raw("<script src=\"/assets/passkey.js\"></script>");
    Ok(page(status, "Your account", true, &html))
}

fn second_factors(html: Html, csrf: &str, factors: &[FactorView]) -> Html {
    let confirmed: Vec<&FactorView> = factors.iter().filter(|factor| factor.confirmed).collect();
    let none = confirmed.is_empty();
    let mut html = html.raw("<section class=\"card\"><h2>Second factors</h2>");
    if none {
        html = html.raw(
            "<p class=\"soft\">None yet. With one, a stolen password alone lets nobody in.</p>",
        );
    }
    html = html.raw("<ul class=\"rows\">");
    for factor in &confirmed {
        let kind = match factor.kind {
            FactorKind::Totp => "Authenticator app",
            FactorKind::Passkey => "Passkey",
            FactorKind::Recovery => "Recovery codes",
        };
        let left = factor
            .left
            .map(|left| format!("{left} left"))
            .unwrap_or_default();
        let label = if factor.kind == FactorKind::Passkey {
            &factor.label
        } else {
            &left
        };
        html = html
            .raw("<li><span>")
            .raw(kind)
            .raw("</span><span class=\"soft\">");
        html = html.text(label).raw("</span></li>");
    }
    html = html.raw("</ul>");
    if !none {
        html = action(html, csrf, "step-up")
            .raw("<label for=\"step-code\">A code, to change any of this</label><input id=\"step-code\" name=\"code\" class=\"code\" autocomplete=\"one-time-code\" maxlength=\"16\"><button class=\"plain\">Confirm it is you</button></form>");
        html = action(html, csrf, "recovery")
            .raw("<button class=\"plain\">Make new recovery codes</button></form>");
    }
    html = action(html, csrf, "enrol")
        .when(none, |html| html.raw("<label for=\"enrol-password\">Your password again</label><input id=\"enrol-password\" name=\"password\" type=\"password\" autocomplete=\"current-password\">"))
        .raw("<button>Add an authenticator app</button></form>");
    html.when(none, |html| html.raw("<label for=\"passkey-password\">Your password again, for a passkey</label><input id=\"passkey-password\" type=\"password\" autocomplete=\"current-password\">"))
        .raw("<label for=\"passkey-label\">What to call a passkey</label><input id=\"passkey-label\" maxlength=\"128\" value=\"this device\"><button type=\"button\" class=\"plain\" data-passkey=\"enrol\" data-csrf=\"")
        .text(csrf)
        .raw("\" hidden>Add a passkey</button><p class=\"note bad\" role=\"alert\" data-passkey-note hidden></p><div hidden><p class=\"note\">Write these recovery codes down. Each is good once, and they are not shown again.</p><ol class=\"codes\" data-passkey-codes></ol><a href=\"/account\">I have them</a></div></section>")
}

/// What the organization's issuer calls whoever is logged in, linked or not.
fn sign_in(html: Html, csrf: &str, linked: bool, by_password: bool) -> Html {
    let (what, text) = if linked {
        ("unlink", "Unlink it")
    } else {
        ("link", "Link it")
    };
    let html = html
        .raw("<section class=\"card\"><h2>Your organization's sign-in</h2><p class=\"soft\">")
        .text(if linked {
            "Linked: you can come in by it, to this organization alone."
        } else {
            "Not linked to this account."
        })
        .raw("</p>");
    action(html, csrf, what)
        .when(by_password, |html| html.raw("<label for=\"link-password\">Your password again</label><input id=\"link-password\" name=\"password\" type=\"password\" autocomplete=\"current-password\">"))
        .raw("<button class=\"plain\">")
        .text(text)
        .raw("</button></form></section>")
}

fn sessions(html: Html, csrf: &str, browsers: &[SessionView]) -> Html {
    let others = browsers.iter().filter(|view| !view.current).count();
    let mut html =
        html.raw("<section class=\"card\"><h2>Where you are logged in</h2><ul class=\"rows\">");
    for view in browsers {
        let here = if view.current {
            "this browser"
        } else {
            "elsewhere"
        };
        html = html.raw("<li><span>").text(&view.credential.body.label);
        html = html
            .raw("</span><span class=\"soft\">")
            .raw(here)
            .raw("</span></li>");
    }
    html = html.raw("</ul>");
    html.when(others > 0, |html| {
        action(html, csrf, "others")
            .raw("<button class=\"plain\">Log out everywhere else</button></form>")
    })
    .raw("</section>")
}

/// The beginning of a form that does one thing.
fn action(html: Html, csrf: &str, what: &'static str) -> Html {
    html.raw("<form method=\"post\" action=\"/account\">")
        .hidden("csrf", csrf)
        .hidden("do", what)
}

fn enrol_page(csrf: &str, new: &NewTotp) -> Response {
    let html = Html::new()
        .raw("<section class=\"card\"><h1>Add an authenticator app</h1><p>Let the app read this picture, or type the key into it. Then enter the six digits that it shows.</p><div class=\"qr\">")
        .made(new.qr_svg.expose())
        .raw("</div><p class=\"soft\">Key: <code>")
        .text(new.secret.expose())
        .raw("</code></p>");
    let html = action(html, csrf, "confirm")
        .field("Code", "code", "class=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" autofocus required maxlength=\"7\"")
        .raw("<button>Confirm</button></form></section>");
    page(StatusCode::OK, "Add an authenticator app", false, &html)
}

fn counted(visit: &Visit, codes: Option<RecoveryCodes>, renewed: Option<&LoggedIn>) -> Response {
    let mut response = match codes {
        None => go("/account"),
        Some(codes) => {
            let mut html = Html::new().raw("<section class=\"card\"><h1>Recovery codes</h1><p>Write these down. Each is good once in place of your second factor, and they are not shown again.</p><ol class=\"codes\">");
            for code in &codes.0 {
                html = html.raw("<li>").text(code.expose()).raw("</li>");
            }
            let html = html.raw("</ol><p><a href=\"/account\">I have them</a></p></section>");
            page(StatusCode::OK, "Recovery codes", false, &html)
        }
    };
    if let Some(renewed) = renewed {
        session::set(visit.app(), &mut response, renewed);
    }
    response
}
