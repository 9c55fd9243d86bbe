//! OAuth from outside: attacks A13 to A17 on the device flow, codes, refresh tokens and proofs.

mod bindings;
pub(crate) mod client;
mod nodes;
mod rotation;
mod tools;

use serde_json::{Value, json};
use skep_domain::Id;
use skep_test_support::{Request, TestDaemon, Visitor};

use client::{Device, Program};

const REDIRECT: &str = "http://127.0.0.1:5999/cb";

async fn house() -> (TestDaemon, Visitor) {
    let daemon = TestDaemon::start_quiet().await;
    let visitor = Visitor::of(&daemon.store, &daemon.a).await.unwrap();
    (daemon, visitor)
}

fn home_of(daemon: &TestDaemon) -> String {
    let hex = |id: [u8; 16]| format!("{:032x}", u128::from_be_bytes(id));
    let tenant = &daemon.a;
    format!(
        "{}.{}",
        hex(tenant.organization.to_bytes()),
        hex(tenant.workspace.to_bytes())
    )
}

/// The hidden token of a page's form.
fn hidden(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let at = page.find(&mark).map(|at| at + mark.len());
    let rest = &page[at.unwrap_or_else(|| panic!("no {name} in {page}"))..];
    rest.split('"').next().unwrap_or_default().to_owned()
}

async fn page(daemon: &TestDaemon, path: &str, cookie: &str) -> skep_test_support::Reply {
    let request = Request::new("GET", path).header("Cookie", cookie);
    request.send(daemon.address).await.unwrap()
}

async fn submit(
    daemon: &TestDaemon,
    path: &str,
    cookie: &str,
    fields: &[(&str, &str)],
) -> skep_test_support::Reply {
    let request = Request::new("POST", path)
        .header("Cookie", cookie)
        .form(fields);
    request.send(daemon.address).await.unwrap()
}

/// Types a code and answers the question that follows.
async fn decide(daemon: &TestDaemon, visitor: &Visitor, code: &str, what: &str) -> u16 {
    let shown = page(daemon, "/oauth/device", &visitor.cookie).await.text();
    let token = hidden(&shown, "token");
    let fields = [("user_code", code), ("token", &token), ("do", "review")];
    let asked = submit(daemon, "/oauth/device", &visitor.cookie, &fields).await;
    if asked.status != 200 {
        return asked.status;
    }
    let question = asked.text();
    let (token, home) = (hidden(&question, "token"), home_of(daemon));
    let fields = [
        ("user_code", code),
        ("token", &token),
        ("do", what),
        ("home", &home),
    ];
    submit(daemon, "/oauth/device", &visitor.cookie, &fields)
        .await
        .status
}

async fn whoami(daemon: &TestDaemon, program: &Program, token: &str) -> u16 {
    program
        .call(daemon, "GET", "/api/v1/whoami", token)
        .await
        .status
}

#[tokio::test(flavor = "multi_thread")]
async fn a15_a_device_is_let_in_once_by_whoever_types_its_code() {
    let (daemon, visitor) = house().await;
    let program = Program::new(&daemon);
    let device = Device::start(&daemon).await;
    assert_eq!(
        program.poll(&daemon, &device).await.1,
        "authorization_pending"
    );
    assert_eq!(
        program.poll(&daemon, &device).await.1,
        "slow_down",
        "too early"
    );
    daemon.clock.advance_seconds(9);
    assert_eq!(
        program.poll(&daemon, &device).await.1,
        "slow_down",
        "five seconds more"
    );
    daemon.clock.advance_seconds(16);
    assert_eq!(
        program.poll(&daemon, &device).await.1,
        "authorization_pending"
    );
    assert_eq!(
        decide(&daemon, &visitor, &device.user_code, "allow").await,
        200
    );
    assert_ne!(
        decide(&daemon, &visitor, &device.user_code, "deny").await,
        200,
        "it is decided"
    );
    let (tokens, _) = program.poll(&daemon, &device).await;
    assert_eq!(tokens["token_type"], "DPoP");
    assert_eq!(tokens["expires_in"], 600);
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(whoami(&daemon, &program, access).await, 200);
    assert_eq!(
        program.poll(&daemon, &device).await.1,
        "invalid_grant",
        "once"
    );
    assert_ne!(
        decide(&daemon, &visitor, &device.user_code, "deny").await,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a15_a_refused_or_late_device_gets_nothing() {
    let (daemon, visitor) = house().await;
    let program = Program::new(&daemon);
    let refused = Device::start(&daemon).await;
    assert_eq!(
        decide(&daemon, &visitor, &refused.user_code, "deny").await,
        200
    );
    assert_eq!(program.poll(&daemon, &refused).await.1, "access_denied");
    assert_eq!(program.poll(&daemon, &refused).await.1, "invalid_grant");
    let late = Device::start(&daemon).await;
    daemon.clock.advance_seconds(601);
    let visitor = Visitor::of(&daemon.store, &daemon.a).await.unwrap();
    assert_eq!(
        decide(&daemon, &visitor, &late.user_code, "allow").await,
        400
    );
    assert_eq!(program.poll(&daemon, &late).await.1, "expired_token");
    let other = Device {
        device_code: "invented".into(),
        user_code: String::new(),
    };
    assert_eq!(program.poll(&daemon, &other).await.1, "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn a16_five_wrong_entries_end_every_code_that_waits() {
    let (daemon, visitor) = house().await;
    let device = Device::start(&daemon).await;
    for guess in ["BBBB-BBBB", "short", "CCCC-CCCC", "", "DDDDDDDDD"] {
        assert_eq!(decide(&daemon, &visitor, guess, "allow").await, 400);
    }
    let sixth = decide(&daemon, &visitor, &device.user_code, "allow").await;
    assert_eq!(sixth, 429, "and whoever guessed waits");
    let visitor = Visitor::of(&daemon.store, &daemon.a).await.unwrap();
    let right = decide(&daemon, &visitor, &device.user_code, "allow").await;
    assert_eq!(right, 400, "the right code is dead as well");
    // One that was decided before is beyond guessing.
    let program = Program::new(&daemon);
    let decided = Device::start(&daemon).await;
    assert_eq!(
        decide(&daemon, &visitor, &decided.user_code, "allow").await,
        200
    );
    for _ in 0..2 {
        let other = Visitor::of(&daemon.store, &daemon.b).await.unwrap();
        for _ in 0..3 {
            assert_eq!(decide(&daemon, &other, "BBBB-BBBB", "allow").await, 400);
        }
    }
    assert!(program.poll(&daemon, &decided).await.0["access_token"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a17_showing_a_page_changes_nothing_and_only_its_own_form_decides() {
    let (daemon, visitor) = house().await;
    let program = Program::new(&daemon);
    let device = Device::start(&daemon).await;
    let path = format!("/oauth/device?user_code={}", device.user_code);
    for _ in 0..8 {
        let shown = page(&daemon, &path, &visitor.cookie).await;
        assert_eq!(shown.status, 200);
        assert!(
            shown
                .header("Content-Security-Policy")
                .contains("frame-ancestors 'none'")
        );
        assert_eq!(shown.header("X-Frame-Options"), "DENY");
        assert_eq!(shown.header("Cache-Control"), "no-store");
        assert!(
            !shown.text().contains("Skep command line"),
            "nothing is looked up"
        );
    }
    for wrong in ["BBBB-BBBB", "ZZZZ-ZZZZ"] {
        for _ in 0..4 {
            let path = format!("/oauth/device?user_code={wrong}&do=allow");
            assert_eq!(page(&daemon, &path, &visitor.cookie).await.status, 200);
        }
    }
    let nobody = Request::new("GET", &path)
        .send(daemon.address)
        .await
        .unwrap();
    assert_eq!(
        (nobody.status, nobody.header("Location").as_str()),
        (303, "/login")
    );
    // Whoever logs in then comes back here, once.
    let place = nobody.header("Set-Cookie");
    let place = place.split(';').next().unwrap_or_default();
    assert_eq!(place, format!("skep-local-place={path}"));
    let both = format!("{}; {place}", visitor.cookie);
    let back = page(&daemon, "/account", &both).await;
    assert_eq!((back.status, back.header("Location")), (303, path.clone()));
    assert!(back.header("Set-Cookie").contains("Max-Age=0"));
    let planted = format!("{}; skep-local-place=//evil.example", visitor.cookie);
    assert_eq!(page(&daemon, "/account", &planted).await.status, 200);
    // Forms without the token, with another human's, with another code's.
    let other = Visitor::of(&daemon.store, &daemon.b).await.unwrap();
    let theirs = hidden(&page(&daemon, &path, &other.cookie).await.text(), "token");
    let home = home_of(&daemon);
    let own = hidden(&page(&daemon, &path, &visitor.cookie).await.text(), "token");
    for token in ["", "AAAA", &theirs, &own] {
        let fields = [
            ("user_code", device.user_code.as_str()),
            ("token", token),
            ("do", "allow"),
            ("home", &home),
        ];
        let reply = submit(&daemon, "/oauth/device", &visitor.cookie, &fields).await;
        assert_eq!(reply.status, 403, "{token}");
    }
    let fields = [
        ("user_code", device.user_code.as_str()),
        ("token", &own),
        ("do", "review"),
    ];
    for (name, value) in [
        ("Origin", "http://evil.example"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let forged = Request::new("POST", "/oauth/device")
            .header("Cookie", &visitor.cookie)
            .header(name, value)
            .form(&fields);
        assert_eq!(
            forged.send(daemon.address).await.unwrap().status,
            403,
            "{name}"
        );
    }
    assert_eq!(
        program.poll(&daemon, &device).await.1,
        "authorization_pending"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a17_the_question_names_the_program_and_no_home_but_ones_own_is_taken() {
    let (daemon, visitor) = house().await;
    let device = Device::start(&daemon).await;
    let own = hidden(
        &page(&daemon, "/oauth/device", &visitor.cookie).await.text(),
        "token",
    );
    let fields = [
        ("user_code", device.user_code.as_str()),
        ("token", &own),
        ("do", "review"),
    ];
    let question = submit(&daemon, "/oauth/device", &visitor.cookie, &fields)
        .await
        .text();
    for part in [
        "Skep command line",
        "a laptop",
        &device.user_code,
        "acts for you",
        "type=\"radio\" required",
    ] {
        assert!(question.contains(part), "{part}: {question}");
    }
    assert!(
        !question.contains("checked"),
        "nothing is chosen beforehand"
    );
    let token = hidden(&question, "token");
    let b = &daemon.b;
    let hex = |id: [u8; 16]| format!("{:032x}", u128::from_be_bytes(id));
    let foreign = format!(
        "{}.{}",
        hex(b.organization.to_bytes()),
        hex(b.workspace.to_bytes())
    );
    let mixed = format!(
        "{}.{}",
        hex(daemon.a.organization.to_bytes()),
        hex(b.workspace.to_bytes())
    );
    for home in [foreign.as_str(), mixed.as_str(), "", "x.y"] {
        let fields = [
            ("user_code", device.user_code.as_str()),
            ("token", &token),
            ("do", "allow"),
            ("home", home),
        ];
        let reply = submit(&daemon, "/oauth/device", &visitor.cookie, &fields).await;
        assert!(matches!(reply.status, 400 | 403), "{home}");
    }
    let program = Program::new(&daemon);
    assert_eq!(
        program.poll(&daemon, &device).await.1,
        "authorization_pending"
    );
}

/// Lets a program in by its code, as a browser would, and gives the code.
async fn authorize(
    daemon: &TestDaemon,
    visitor: &Visitor,
    program: &Program,
    client: &str,
) -> String {
    let path = program.authorize_path(client, REDIRECT);
    let shown = page(daemon, &path, &visitor.cookie).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    let text = shown.text();
    let home = home_of(daemon);
    let names = [
        "token",
        "response_type",
        "client_id",
        "redirect_uri",
        "state",
        "code_challenge",
        "code_challenge_method",
    ];
    let values: Vec<String> = names.iter().map(|name| hidden(&text, name)).collect();
    let mut fields: Vec<(&str, &str)> = names
        .iter()
        .zip(&values)
        .map(|(n, v)| (*n, v.as_str()))
        .collect();
    fields.extend([("do", "allow"), ("home", home.as_str())]);
    let reply = submit(daemon, "/oauth/authorize", &visitor.cookie, &fields).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    let location = reply.header("Location");
    assert!(
        location.starts_with(&format!("{REDIRECT}?code=")),
        "{location}"
    );
    assert!(
        location.contains("&state=s%20t&iss=http%3A%2F%2F127.0.0.1"),
        "{location}"
    );
    location[REDIRECT.len() + 6..]
        .split('&')
        .next()
        .unwrap()
        .to_owned()
}

async fn register(daemon: &TestDaemon, bound: bool) -> String {
    let metadata = json!({"client_name": "An editor", "redirect_uris": ["http://127.0.0.1/cb"],
        "token_endpoint_auth_method": "none", "dpop_bound_access_tokens": bound});
    let request = Request::new("POST", "/oauth/register").json(&metadata);
    let reply = request.send(daemon.address).await.unwrap();
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()["client_id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_for_its_client_its_verifier_and_once() {
    let (daemon, visitor) = house().await;
    let client = register(&daemon, false).await;
    let program = Program::new(&daemon);
    let redeem = async |code: &str, client: &str, redirect: &str, verifier: &str| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        program.token(&daemon, &fields, false).await
    };
    let another = register(&daemon, true).await;
    for (client_id, redirect, verifier) in [
        (
            client.as_str(),
            REDIRECT,
            "wrong-verifier-wrong-verifier-wrong-verifier",
        ),
        (
            client.as_str(),
            "http://127.0.0.1:5998/cb",
            program.verifier(),
        ),
        (another.as_str(), REDIRECT, program.verifier()),
    ] {
        let code = authorize(&daemon, &visitor, &program, &client).await;
        assert!(redeem(&code, client_id, redirect, verifier).await.0["access_token"].is_null());
        if client_id == client {
            let again = redeem(&code, &client, REDIRECT, program.verifier()).await;
            assert_eq!(again.1, "invalid_grant", "no second try");
        }
    }
    let late = authorize(&daemon, &visitor, &program, &client).await;
    daemon.clock.advance_seconds(61);
    assert_eq!(
        redeem(&late, &client, REDIRECT, program.verifier()).await.1,
        "invalid_grant"
    );
    let code = authorize(&daemon, &visitor, &program, &client).await;
    let (tokens, _) = redeem(&code, &client, REDIRECT, program.verifier()).await;
    assert_eq!(tokens["token_type"], "Bearer");
    let access = tokens["access_token"].as_str().unwrap();
    let bearer = Request::new("GET", "/api/v1/whoami").bearer(access);
    assert_eq!(bearer.send(daemon.address).await.unwrap().status, 200);
    // Seen again, the code takes with it what came of it.
    assert_eq!(
        redeem(&code, &client, REDIRECT, program.verifier()).await.1,
        "invalid_grant"
    );
    assert_eq!(bearer.send(daemon.address).await.unwrap().status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_sent_to_no_place_that_was_not_registered() {
    let (daemon, visitor) = house().await;
    let client = register(&daemon, false).await;
    let program = Program::new(&daemon);
    for redirect in ["http://evil.example/cb", "http://127.0.0.1:5999/other", ""] {
        let reply = page(
            &daemon,
            &program.authorize_path(&client, redirect),
            &visitor.cookie,
        )
        .await;
        assert_eq!(
            (reply.status, reply.header("Location").as_str()),
            (400, ""),
            "{redirect}"
        );
    }
    let good = program.authorize_path(&client, REDIRECT);
    for (from, to, error) in [
        (
            "response_type=code",
            "response_type=token",
            "unsupported_response_type",
        ),
        ("method=S256", "method=plain", "invalid_request"),
        ("code_challenge=", "other=", "invalid_request"),
        (
            "state=",
            "resource=https%3A%2F%2Fother.example&state=",
            "invalid_target",
        ),
    ] {
        let reply = page(&daemon, &good.replace(from, to), &visitor.cookie).await;
        let location = reply.header("Location");
        assert!(
            location.contains(&format!("?error={error}&")),
            "{to}: {location}"
        );
        assert!(location.contains("&iss="), "{location}");
        // Who is not logged in is led to nobody's address.
        let path = good.replace(from, to);
        let nobody = Request::new("GET", &path).send(daemon.address).await;
        let nobody = nobody.unwrap();
        assert_eq!(
            (nobody.status, nobody.header("Location")),
            (400, String::new()),
            "{to}"
        );
    }
}

async fn log_in(daemon: &TestDaemon, visitor: &Visitor, program: &Program) -> Value {
    let device = Device::start(daemon).await;
    assert_eq!(
        decide(daemon, visitor, &device.user_code, "allow").await,
        200
    );
    program.poll(daemon, &device).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a14_a_refresh_token_is_good_once_and_its_second_use_ends_the_login() {
    let (daemon, visitor) = house().await;
    let program = Program::new(&daemon);
    let first = log_in(&daemon, &visitor, &program).await;
    let second = program.refresh(&daemon, &first).await.0;
    assert!(second["refresh_token"].is_string());
    let access = second["access_token"].as_str().unwrap();
    assert_eq!(whoami(&daemon, &program, access).await, 200);
    assert_eq!(
        program.refresh(&daemon, &first).await.1,
        "invalid_grant",
        "used before"
    );
    assert_eq!(
        program.refresh(&daemon, &second).await.1,
        "invalid_grant",
        "the login is gone"
    );
    assert_eq!(
        whoami(&daemon, &program, access).await,
        401,
        "and its access tokens with it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a14_of_fifty_at_once_one_refresh_wins() {
    let (daemon, visitor) = house().await;
    let program = Program::new(&daemon);
    let tokens = log_in(&daemon, &visitor, &program).await;
    let tries = (0..50).map(|_| program.refresh(&daemon, &tokens));
    let outcomes = futures_util::future::join_all(tries).await;
    let won = outcomes
        .iter()
        .filter(|(body, _)| body["access_token"].is_string());
    assert_eq!(won.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a13_a_bound_login_is_worth_nothing_to_another_key() {
    let (daemon, visitor) = house().await;
    let (program, thief) = (Program::new(&daemon), Program::with_key(&daemon, 66));
    let tokens = log_in(&daemon, &visitor, &program).await;
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(whoami(&daemon, &thief, access).await, 401);
    let bearer = Request::new("GET", "/api/v1/whoami").bearer(access);
    assert_eq!(bearer.send(daemon.address).await.unwrap().status, 401);
    assert_eq!(thief.refresh(&daemon, &tokens).await.1, "invalid_grant");
    assert!(program.refresh(&daemon, &tokens).await.0["access_token"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a13_a_request_without_a_fresh_nonce_is_told_to_use_one() {
    let (daemon, visitor) = house().await;
    let program = Program::new(&daemon);
    let tokens = log_in(&daemon, &visitor, &program).await;
    let access = tokens["access_token"].as_str().unwrap();
    let proof = program.proof("GET", "/api/v1/whoami", Some(access), None, "j1");
    let ask = |proof: &str| {
        Request::new("GET", "/api/v1/whoami")
            .header("Authorization", &format!("DPoP {access}"))
            .header("DPoP", proof)
    };
    let reply = ask(&proof).send(daemon.address).await.unwrap();
    assert_eq!(reply.status, 401);
    assert!(reply.header("WWW-Authenticate").contains("use_dpop_nonce"));
    let nonce = reply.header("DPoP-Nonce");
    let proof = program.proof("GET", "/api/v1/whoami", Some(access), Some(&nonce), "j2");
    assert_eq!(ask(&proof).send(daemon.address).await.unwrap().status, 200);
    let replayed = ask(&proof).send(daemon.address).await.unwrap();
    assert_eq!(replayed.status, 401, "once");
    for (method, path) in [("POST", "/api/v1/whoami"), ("GET", "/api/v1/orgs")] {
        let proof = program.proof(method, path, Some(access), Some(&nonce), path);
        assert_eq!(
            ask(&proof).send(daemon.address).await.unwrap().status,
            401,
            "{path}"
        );
    }
    let two = program.proof("GET", "/api/v1/whoami", Some(access), Some(&nonce), "j3");
    let twice = ask(&two).header("DPoP", &two);
    assert_eq!(
        twice.send(daemon.address).await.unwrap().status,
        401,
        "two proofs"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_login_ends_at_once_and_a_stranger_revokes_nothing() {
    let (daemon, visitor) = house().await;
    let program = Program::new(&daemon);
    for which in ["access_token", "refresh_token"] {
        let tokens = log_in(&daemon, &visitor, &program).await;
        let access = tokens["access_token"].as_str().unwrap();
        let other = register(&daemon, false).await;
        let revoke = async |client: &str, token: &str| {
            let fields = [("token", token), ("client_id", client)];
            let request = Request::new("POST", "/oauth/revoke").form(&fields);
            request.send(daemon.address).await.unwrap().status
        };
        if which == "access_token" {
            assert_eq!(revoke(&other, tokens[which].as_str().unwrap()).await, 200);
            assert_eq!(whoami(&daemon, &program, access).await, 200);
        }
        assert_eq!(revoke("skep-cli", "no token").await, 200);
        assert_eq!(
            revoke("skep-cli", tokens[which].as_str().unwrap()).await,
            200
        );
        assert_eq!(whoami(&daemon, &program, access).await, 401, "{which}");
        assert_eq!(program.refresh(&daemon, &tokens).await.1, "invalid_grant");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a18_a_login_leads_to_its_own_organization_and_no_other() {
    let (daemon, visitor) = house().await;
    let program = Program::new(&daemon);
    let tokens = log_in(&daemon, &visitor, &program).await;
    let access = tokens["access_token"].as_str().unwrap();
    let own = program
        .call(&daemon, "GET", "/api/v1/whoami", access)
        .await
        .json();
    let mut parts: Vec<&str> = access.split('.').collect();
    let changed = client::respelt(parts[1], "\"org\":\"", "\"org\":\"0");
    parts[1] = &changed;
    assert_eq!(whoami(&daemon, &program, &parts.join(".")).await, 401);
    assert!(own["organization"].as_str().unwrap().starts_with("org_"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_malformed_is_answered_in_the_words_of_the_rfcs() {
    let (daemon, _) = house().await;
    let post = async |path: &str, fields: &[(&str, &str)]| {
        let reply = Request::new("POST", path)
            .form(fields)
            .send(daemon.address)
            .await
            .unwrap();
        assert_eq!(reply.header("Cache-Control"), "no-store");
        (
            reply.status,
            reply.json()["error"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let is = |code: &str| (400, code.to_owned());
    assert_eq!(post("/oauth/token", &[]).await, is("invalid_request"));
    let twice = [("client_id", "skep-cli"), ("client_id", "skep-cli")];
    assert_eq!(post("/oauth/token", &twice).await, is("invalid_request"));
    let unknown = [("client_id", "nobody"), ("grant_type", "refresh_token")];
    assert_eq!(post("/oauth/token", &unknown).await, is("invalid_client"));
    let bare = [("client_id", "skep-cli"), ("grant_type", "refresh_token")];
    assert_eq!(post("/oauth/token", &bare).await, is("invalid_dpop_proof"));
    let client = register(&daemon, false).await;
    let password = [("client_id", client.as_str()), ("grant_type", "password")];
    assert_eq!(
        post("/oauth/token", &password).await,
        is("unsupported_grant_type")
    );
    let refresh = [
        ("client_id", client.as_str()),
        ("grant_type", "refresh_token"),
        ("refresh_token", "skep_rt_x"),
    ];
    assert_eq!(post("/oauth/token", &refresh).await, is("invalid_grant"));
    assert_eq!(
        post("/oauth/device_authorization", &[]).await,
        is("invalid_client")
    );
    let foreign = [
        ("client_id", "skep-cli"),
        ("resource", "https://other.example"),
    ];
    assert_eq!(
        post("/oauth/device_authorization", &foreign).await,
        is("invalid_target")
    );
    let mut forged = client.clone().into_bytes();
    forged[20] ^= 1;
    let forged = String::from_utf8(forged).unwrap();
    assert_eq!(
        post("/oauth/device_authorization", &[("client_id", &forged)]).await,
        is("invalid_client")
    );
    for metadata in [
        json!({"redirect_uris": ["javascript:alert(1)"]}),
        json!({"client_name": ""}),
        json!([]),
    ] {
        let request = Request::new("POST", "/oauth/register").json(&metadata);
        assert_eq!(
            request.send(daemon.address).await.unwrap().status,
            400,
            "{metadata}"
        );
    }
}
