//! The pages on which a human lets a program in. Showing one changes nothing; what decides is a form
//! that we showed to this human, sent from our own page, naming the workspace it is for.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use skep_app::{
    AppError, AuthorizeRefusal, AuthorizeRequest, DeviceReview, Home, OAuthCode, OAuthError,
};
use skep_authz::{Caller, Denied};
use skep_domain::{Id, OrganizationId, WorkspaceId};

use super::page::Page;
use crate::error::ApiError;
use crate::form::{Form, encode};
use crate::place;
use crate::session;
use crate::visit::Visit;

/// What the human agrees to, said before the buttons.
const CONSENT: &str = "<p>If you allow it, the program acts for you in that workspace until you revoke it: it reads and writes memories there with your rights, and the sessions of your coding agents that it is set up to capture are kept there, where other members may read what is shared.</p>";

/// `GET /oauth/device`: asks for the code, and looks nothing up.
pub(crate) async fn device(visit: Visit) -> Result<Response, ApiError> {
    let query = query_of(&visit);
    let code = query.get("user_code").unwrap_or_default();
    let Some(caller) = browser(&visit).await? else {
        return Ok(to_login(&visit));
    };
    let page = Page::new("Connect a device")
        .html("<p>Type the code that the device shows. Go on only if you began this yourself, just now: whoever sends you a code wants to act as you.</p>")
        .html("<form method=\"post\" action=\"/oauth/device\">")
        .html("<label for=\"user_code\">Code</label><input id=\"user_code\" name=\"user_code\" class=\"code\" required autofocus autocomplete=\"off\" autocapitalize=\"characters\" spellcheck=\"false\" maxlength=\"16\" value=\"")
        .text(code)
        .html("\">")
        .hidden("token", &visit.app().form_token(&caller, "review").map_err(known)?)
        .html("<button name=\"do\" value=\"review\">Go on</button></form>");
    Ok(page.respond(StatusCode::OK))
}

/// `POST /oauth/device`: shows who asks, then takes the decision.
pub(crate) async fn device_submit(visit: Visit) -> Result<Response, ApiError> {
    let Some(caller) = browser(&visit).await? else {
        return Ok(to_login(&visit));
    };
    // What is guessed at is counted for whoever guesses; a page of somebody else guesses nothing.
    if session::own_page(visit.app(), &visit.parts.headers)
        && Form::parse(&visit.body).is_some_and(|form| form.get("do") == Some("review"))
    {
        visit.count_account(&caller.principal().to_bytes()).await?;
    }
    Ok(match device_step(&visit, &caller).await {
        Ok(page) => page.respond(StatusCode::OK),
        Err(error) => refusal(&error),
    })
}

async fn device_step(visit: &Visit, caller: &Caller) -> Result<Page, OAuthError> {
    let form = own_form(visit)?;
    let app = visit.app();
    let code = form.get("user_code").unwrap_or_default();
    let token = form.get("token").unwrap_or_default();
    if form.get("do") == Some("review") {
        app.check_form(caller, "review", token)?;
        let review = app.review_device(caller, code).await?;
        let homes = app.list_homes(caller).await?;
        let token = app.form_token(caller, &review.user_code)?;
        return Ok(device_question(&review, &homes, &token));
    }
    app.check_form(caller, code, token)?;
    let allowed = form.get("do") == Some("allow");
    let home = if allowed { Some(home(&form)?) } else { None };
    app.decide_device(caller, code, home).await?;
    Ok(if allowed {
        Page::new("The device is connected")
            .html("<p>It goes on by itself. You can close this page.</p>")
    } else {
        Page::new("The device is refused")
            .html("<p>Nothing was given to it. You can close this page.</p>")
    })
}

fn device_question(review: &DeviceReview, homes: &[Home], token: &str) -> Page {
    let page = Page::new("Connect this device?")
        .html("<dl>")
        .term("Program", &program(&review.client, review.built_in))
        .term("Device", &review.device)
        .html("<dt>Code</dt><dd><code>")
        .text(&review.user_code)
        .html("</code></dd></dl><form method=\"post\" action=\"/oauth/device\">")
        .hidden("user_code", &review.user_code)
        .hidden("token", token);
    question(page, homes)
}

/// `GET /oauth/authorize`: shows who asks.
pub(crate) async fn authorize(visit: Visit) -> Result<Response, ApiError> {
    let request = asked(&query_of(&visit));
    let checked = visit.app().check_authorize(&request);
    let Some(caller) = browser(&visit).await? else {
        // Whoever is not logged in here is led nowhere else: anybody can register a client, and an
        // address of ours that leads to theirs would be worth something to them (RFC 9700, 4.11.2).
        return Ok(match checked {
            Ok(_) => to_login(&visit),
            Err(AuthorizeRefusal::Page(error) | AuthorizeRefusal::Redirect(error)) => {
                refusal(&error)
            }
        });
    };
    let client = match checked {
        Ok(client) => client,
        Err(refused) => return Ok(sent_back(&visit, &request, refused)),
    };
    let redirect = request.redirect.as_deref().unwrap_or_default();
    let homes = visit.app().list_homes(&caller).await.map_err(known)?;
    let token = visit.app().form_token(&caller, &purpose(&request));
    let mut page = Page::new("Let this program in?")
        .leading_to(redirect)
        .html("<dl>")
        .term("Program", &program(&client.name, client.built_in))
        .term("It is answered at", redirect)
        .html("</dl><form method=\"post\" action=\"/oauth/authorize\">")
        .hidden("token", &token.map_err(known)?);
    for (name, value) in fields(&request) {
        page = page.hidden(name, value);
    }
    Ok(question(page, &homes).respond(StatusCode::OK))
}

/// `POST /oauth/authorize`: takes the decision, and sends the browser back to the client.
pub(crate) async fn authorize_submit(visit: Visit) -> Result<Response, ApiError> {
    let Some(caller) = browser(&visit).await? else {
        return Ok(to_login(&visit));
    };
    let form = match own_form(&visit) {
        Ok(form) => form,
        Err(error) => return Ok(refusal(&error)),
    };
    let request = asked(&form);
    if let Err(refused) = visit.app().check_authorize(&request) {
        return Ok(sent_back(&visit, &request, refused));
    }
    let token = form.get("token").unwrap_or_default();
    if let Err(error) = visit.app().check_form(&caller, &purpose(&request), token) {
        return Ok(refusal(&error));
    }
    if form.get("do") != Some("allow") {
        let denied = OAuthError::Refused {
            code: OAuthCode::AccessDenied,
            description: "Whoever was asked said no.",
        };
        let refused = AuthorizeRefusal::Redirect(denied);
        return Ok(sent_back(&visit, &request, refused));
    }
    let granted = async {
        let home = home(&form)?;
        visit.app().grant_code(&caller, &request, home).await
    };
    Ok(match granted.await {
        Ok(code) => back(&visit, &request, &[("code", code.expose())]),
        Err(error) => refusal(&error),
    })
}

/// Which workspace, and the two buttons. Nothing is chosen beforehand.
fn question(page: Page, homes: &[Home]) -> Page {
    let mut page = page.html("<fieldset><legend>Organization and workspace</legend>");
    for home in homes {
        let id = format!("{}.{}", hex(home.organization), hex(home.workspace));
        page = page
            .html("<label class=\"choice\"><input type=\"radio\" required name=\"home\" value=\"")
            .text(&id)
            .html("\"><span>")
            .text(&home.organization_name)
            .html(" / ")
            .text(&home.workspace_name)
            .html("</span></label>");
    }
    page.html("</fieldset>")
        .html(CONSENT)
        .html("<button name=\"do\" value=\"allow\">Allow</button><button class=\"plain\" name=\"do\" value=\"deny\" formnovalidate>Refuse</button></form>")
}

fn program(name: &str, built_in: bool) -> String {
    if built_in {
        name.to_owned()
    } else {
        format!("{name} (so it calls itself; nobody has checked that)")
    }
}

/// The human at the browser, if there is one.
async fn browser(visit: &Visit) -> Result<Option<Caller>, ApiError> {
    let Some(cookie) = session::cookie(&visit.parts.headers)? else {
        return Ok(None);
    };
    match visit.app().authenticate_browser(cookie).await {
        Ok(caller) => Ok(Some(caller)),
        Err(AppError::Denied(Denied::InvalidCredential)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A form that our own page sent. Browsers say where a form comes from; what says nothing is held to
/// the token that the form carries.
fn own_form(visit: &Visit) -> Result<Form, OAuthError> {
    if !session::own_page(visit.app(), &visit.parts.headers) {
        return Err(OAuthError::Refused {
            code: OAuthCode::AccessDenied,
            description: "This form was sent from another page.",
        });
    }
    Form::parse(&visit.body).ok_or(OAuthError::Refused {
        code: OAuthCode::InvalidRequest,
        description: "The form is malformed.",
    })
}

fn query_of(visit: &Visit) -> Form {
    let query = visit.parts.uri.query().unwrap_or_default();
    Form::parse(query.as_bytes()).unwrap_or_default()
}

fn asked(form: &Form) -> AuthorizeRequest {
    let owned = |name| form.get(name).map(str::to_owned);
    AuthorizeRequest {
        response_type: owned("response_type"),
        client: owned("client_id"),
        redirect: owned("redirect_uri"),
        state: owned("state"),
        challenge: owned("code_challenge"),
        method: owned("code_challenge_method"),
        resource: owned("resource"),
        thumbprint: owned("dpop_jkt"),
    }
}

/// The request as the fields of a form, to be checked again when it comes back.
fn fields(request: &AuthorizeRequest) -> impl Iterator<Item = (&'static str, &str)> {
    [
        ("response_type", &request.response_type),
        ("client_id", &request.client),
        ("redirect_uri", &request.redirect),
        ("state", &request.state),
        ("code_challenge", &request.challenge),
        ("code_challenge_method", &request.method),
        ("resource", &request.resource),
        ("dpop_jkt", &request.thumbprint),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.as_deref().map(|value| (name, value)))
}

/// What a form for this request is about: all of it, so that none of it can be exchanged.
fn purpose(request: &AuthorizeRequest) -> String {
    let fields = fields(request).map(|(name, value)| format!("{name}={}", encode(value)));
    fields.collect::<Vec<_>>().join("&")
}

fn home(form: &Form) -> Result<(OrganizationId, WorkspaceId), OAuthError> {
    const MISSING: OAuthError = OAuthError::Refused {
        code: OAuthCode::InvalidRequest,
        description: "Choose an organization and a workspace.",
    };
    let (organization, workspace) = form
        .get("home")
        .and_then(|home| home.split_once('.'))
        .ok_or(MISSING)?;
    let bytes = |text: &str| u128::from_str_radix(text, 16).map(u128::to_be_bytes);
    match (bytes(organization), bytes(workspace)) {
        (Ok(organization), Ok(workspace)) => Ok((
            OrganizationId::from_bytes(organization),
            WorkspaceId::from_bytes(workspace),
        )),
        _ => Err(MISSING),
    }
}

fn hex(id: impl Id) -> String {
    format!("{:032x}", u128::from_be_bytes(id.to_bytes()))
}

/// Back to the client, or a page where the client is not known well enough.
fn sent_back(visit: &Visit, request: &AuthorizeRequest, refused: AuthorizeRefusal) -> Response {
    match refused {
        AuthorizeRefusal::Page(error) => refusal(&error),
        AuthorizeRefusal::Redirect(OAuthError::Refused { code, description }) => back(
            visit,
            request,
            &[("error", code.as_str()), ("error_description", description)],
        ),
        AuthorizeRefusal::Redirect(_) => back(
            visit,
            request,
            &[("error", OAuthCode::TemporarilyUnavailable.as_str())],
        ),
    }
}

/// To the client's redirect URI, with the state it sent and our name (RFC 9207).
fn back(visit: &Visit, request: &AuthorizeRequest, answer: &[(&str, &str)]) -> Response {
    let redirect = request.redirect.as_deref().unwrap_or_default();
    let mut target = redirect.to_owned();
    target.push(if redirect.contains('?') { '&' } else { '?' });
    for (name, value) in answer {
        target.push_str(&format!("{name}={}&", encode(value)));
    }
    if let Some(state) = &request.state {
        target.push_str(&format!("state={}&", encode(state)));
    }
    target.push_str(&format!(
        "iss={}",
        encode(visit.app().issuer().unwrap_or_default())
    ));
    see_other(&target)
}

/// To the login page, and from there back here. What was being sent is not carried along: it has to
/// be decided by whoever logs in.
fn to_login(visit: &Visit) -> Response {
    let mut response = see_other("/login");
    if visit.parts.method == "GET" {
        place::remember(visit.app(), &mut response, &visit.parts.uri);
    }
    response
}

fn see_other(target: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(target) = HeaderValue::try_from(target) {
        response.headers_mut().insert(header::LOCATION, target);
    }
    let headers = response.headers_mut();
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}

/// Says why not, on a page.
fn refusal(error: &OAuthError) -> Response {
    let (status, why) = match error {
        OAuthError::Refused {
            code: OAuthCode::AccessDenied,
            description,
        } => (StatusCode::FORBIDDEN, *description),
        OAuthError::Refused { description, .. } => (StatusCode::BAD_REQUEST, *description),
        OAuthError::App(AppError::Denied(_)) => (
            StatusCode::FORBIDDEN,
            "This organization or workspace is not yours to decide for. Nothing was changed.",
        ),
        _ => (
            StatusCode::SERVICE_UNAVAILABLE,
            "This cannot be decided now: try again in a moment.",
        ),
    };
    Page::new("This did not work")
        .html("<p>")
        .text(why)
        .html("</p>")
        .respond(status)
}

fn known(error: OAuthError) -> ApiError {
    match error {
        OAuthError::App(error) => error.into(),
        OAuthError::Store(error) => AppError::Store(error).into(),
        OAuthError::Refused { .. } | OAuthError::Unavailable => ApiError::internal(),
    }
}
