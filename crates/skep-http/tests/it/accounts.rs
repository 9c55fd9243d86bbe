//! What somebody who is in may change about how they come in, what each secret is good for and how
//! long, and what pages of others can do with a browser.

use std::sync::{Arc, OnceLock};

use serde_json::json;
use skep_app::{App, AuditDesk, PeopleSettings, Settings, passkey};
use skep_crypto::PasswordCost;
use skep_http::{Edge, Listeners, Mode, Serving, Site};
use skep_index::StaticEmbedder;
use skep_test_support::{
    ManualClock, MemoryRootKey, Reply, Request, Scratch, StoppedWatch, Tenant, TestDaemon,
    open_store,
};
use tokio::net::{TcpListener, UnixListener};

use crate::crawler::log_everything;
use crate::logins::{
    ADDRESS, Browser, PASSWORD, code, cookie, enrol, form, id_of, joined, log_in, post, send,
    set_up,
};
use crate::oauth::client::{Device, Program};

fn empty(browser: &Browser, path: &str) -> Request {
    browser.post(path).header("Content-Length", "0")
}

async fn status(daemon: &TestDaemon, request: Request) -> u16 {
    send(daemon, request).await.status
}

async fn whoami(daemon: &TestDaemon, browser: &Browser) -> u16 {
    status(daemon, browser.get("/api/v1/whoami")).await
}

/// Takes the second step of a login with a code.
async fn second(daemon: &TestDaemon, code: &str) -> Reply {
    let owed = log_in(daemon, ADDRESS, PASSWORD).await;
    let body = json!({ "pending": owed.json()["pending"], "code": code });
    post(daemon, "/api/v1/auth/login/second", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_second_factors_are_changed_by_who_showed_one_lately() {
    let (daemon, before) = set_up().await;
    let (browser, secret, old) = enrol(&daemon, &before).await;
    let listed = send(&daemon, browser.get("/api/v1/auth/mfa")).await.json();
    let totp = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|factor| factor["kind"] == "totp");
    let remove = format!(
        "/api/v1/auth/mfa/{}/remove",
        totp.unwrap()["id"].as_str().unwrap()
    );
    daemon.clock.advance_seconds(301);
    for path in ["/api/v1/auth/mfa/recovery", &remove] {
        let reply = send(&daemon, empty(&browser, path)).await;
        let refused = (reply.status, reply.code());
        assert_eq!(refused, (403, "STEP_UP_REQUIRED".to_owned()), "{path}");
    }
    let step = |code: &str| {
        browser
            .post("/api/v1/auth/step-up")
            .json(&json!({ "code": code }))
    };
    assert_eq!(status(&daemon, step("000000")).await, 400);
    let renewed = send(&daemon, step(&code(&daemon, &secret))).await;
    let browser = Browser::of(&renewed);
    let codes = send(&daemon, empty(&browser, "/api/v1/auth/mfa/recovery")).await;
    let new = codes.json()["recovery_codes"][0]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(second(&daemon, &old[0]).await.status, 401, "void");
    assert_eq!(second(&daemon, &new).await.status, 200);
    assert_eq!(status(&daemon, empty(&browser, &remove)).await, 200);
    let reply = log_in(&daemon, ADDRESS, PASSWORD).await;
    assert_eq!(
        reply.json()["status"],
        "in",
        "recovery codes alone are none"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_guesses_at_step_up_are_five() {
    let (daemon, before) = set_up().await;
    let (browser, secret, _) = enrol(&daemon, &before).await;
    daemon.clock.advance_seconds(301);
    let right = code(&daemon, &secret);
    let mut statuses = Vec::new();
    for guess in 0..6 {
        let guess = (right.parse::<u32>().unwrap() + 1 + guess) % 1_000_000;
        let shown = json!({ "code": format!("{guess:06}") });
        let step = browser.post("/api/v1/auth/step-up").json(&shown);
        statuses.push(status(&daemon, step).await);
    }
    assert_eq!(statuses, [400, 400, 400, 400, 400, 429]);
    let step = browser.post("/api/v1/auth/step-up");
    let step = step.json(&json!({ "code": right }));
    assert_eq!(status(&daemon, step).await, 429, "the right one too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_a_factor_that_was_begun_and_not_confirmed_counts_for_nothing() {
    let (daemon, before) = set_up().await;
    let asking = |browser: &Browser| {
        let again = json!({ "password": PASSWORD });
        browser.post("/api/v1/auth/mfa/totp").json(&again)
    };
    send(&daemon, asking(&before)).await;
    let reply = log_in(&daemon, ADDRESS, PASSWORD).await;
    assert_eq!(reply.json()["status"], "in", "nothing is owed yet");
    let (browser, _, _) = enrol(&daemon, &before).await;
    let begun = send(&daemon, asking(&browser)).await.json();
    let other = code(&daemon, begun["secret"].as_str().unwrap());
    assert_eq!(second(&daemon, &other).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_a_pending_login_ends_after_five_minutes() {
    let (daemon, before) = set_up().await;
    let (_, _, recovery) = enrol(&daemon, &before).await;
    let owed = log_in(&daemon, ADDRESS, PASSWORD).await;
    let body = json!({ "pending": owed.json()["pending"], "code": recovery[0] });
    daemon.clock.advance_seconds(301);
    let late = post(&daemon, "/api/v1/auth/login/second", body).await;
    assert_eq!(late.status, 401);
    assert_eq!(second(&daemon, &recovery[0]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_another_password_needs_the_old_one_and_ends_all_else() {
    let (daemon, browser) = set_up().await;
    let other = Browser::of(&log_in(&daemon, ADDRESS, PASSWORD).await);
    let change = |old: &str| {
        let body = json!({ "old": old, "new": "seven quiet bees" });
        browser.post("/api/v1/auth/password").json(&body)
    };
    let mut statuses = Vec::new();
    for guess in 0..6 {
        let old = format!("guess number {guess}");
        statuses.push(status(&daemon, change(&old)).await);
    }
    assert_eq!(statuses, [400, 400, 400, 400, 400, 429]);
    assert_eq!(
        status(&daemon, change(PASSWORD)).await,
        429,
        "the right one"
    );
    daemon.clock.advance_seconds(15 * 60);
    assert_eq!(status(&daemon, change(PASSWORD)).await, 200);
    for ended in [&browser, &other] {
        assert_eq!(whoami(&daemon, ended).await, 401);
    }
    assert_eq!(log_in(&daemon, ADDRESS, PASSWORD).await.status, 401);
    let reply = log_in(&daemon, ADDRESS, "seven quiet bees").await;
    assert_eq!(reply.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_logging_out_everywhere_else_needs_the_pages_token_and_leaves_one() {
    let (daemon, browser) = set_up().await;
    let other = Browser::of(&log_in(&daemon, ADDRESS, PASSWORD).await);
    let out = |csrf: &str| {
        let fields = format!("do=others&csrf={csrf}");
        form("/account", &fields).header("Cookie", &browser.cookie)
    };
    for forged in ["", "AAAAAAAAAAAAAAAAAAAAAA", &other.csrf] {
        assert_eq!(status(&daemon, out(forged)).await, 403, "{forged}");
    }
    assert_eq!(whoami(&daemon, &other).await, 200);
    assert_eq!(status(&daemon, out(&browser.csrf)).await, 303);
    assert_eq!(whoami(&daemon, &other).await, 401);
    assert_eq!(whoami(&daemon, &browser).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_a_session_that_is_renewed_keeps_its_end() {
    let (daemon, before) = set_up().await;
    let end = async |browser: &Browser| {
        let listed = send(&daemon, browser.get("/api/v1/auth/sessions")).await;
        let listed = listed.json();
        let sessions = listed["items"].as_array().unwrap().clone();
        let current = sessions.into_iter().find(|one| one["current"] == true);
        current.unwrap()["expires_at"].as_str().unwrap().to_owned()
    };
    let first = end(&before).await;
    daemon.clock.advance_seconds(3 * 3600);
    let (renewed, _, _) = enrol(&daemon, &before).await;
    assert_eq!(end(&renewed).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_an_invitation_ends_after_a_week_and_takes_no_account_over() {
    let (daemon, owner) = set_up().await;
    let (owner, secret, _) = enrol(&daemon, &owner).await;
    joined(&daemon, &owner, "jonas@hive.example", "member").await;
    let id = id_of(&daemon, &owner, "jonas@hive.example").await;
    let remove = format!("/api/v1/members/{id}/remove");
    assert_eq!(status(&daemon, empty(&owner, &remove)).await, 200);
    let invite = async |owner: &Browser| {
        let body = json!({ "address": "jonas@hive.example" });
        let made = send(&daemon, owner.post("/api/v1/invites").json(&body)).await;
        made.json()["token"].as_str().unwrap().to_owned()
    };
    let accept = async |token: &str, password: &str| {
        let body = json!({ "token": token, "name": "Mallory", "password": password });
        post(&daemon, "/api/v1/auth/invite", body).await.status
    };
    let token = invite(&owner).await;
    assert_eq!(accept(&token, "whoever has the letter").await, 401);
    assert_eq!(accept(&token, PASSWORD).await, 200, "it is his account");
    assert_eq!(accept(&token, PASSWORD).await, 401, "once");
    assert_eq!(status(&daemon, empty(&owner, &remove)).await, 200);
    let token = invite(&owner).await;
    daemon.clock.advance_seconds(7 * 86_400 + 1);
    assert_eq!(accept(&token, PASSWORD).await, 401, "a week later");
    assert!(!secret.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_a_reset_ends_after_an_hour() {
    let (daemon, before) = set_up().await;
    joined(&daemon, &before, "jonas@hive.example", "member").await;
    let (owner, _, _) = enrol(&daemon, &before).await;
    let id = id_of(&daemon, &owner, "jonas@hive.example").await;
    let asked = empty(&owner, &format!("/api/v1/members/{id}/reset"));
    let token = send(&daemon, asked).await.json()["token"].clone();
    daemon.clock.advance_seconds(3_601);
    let body = json!({ "token": token, "password": "seven quiet bees" });
    assert_eq!(post(&daemon, "/api/v1/auth/reset", body).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_a_new_setup_token_voids_the_one_before() {
    let daemon = TestDaemon::start().await;
    let first = daemon.app.renew_setup_token().await.unwrap().token;
    let next = daemon.app.renew_setup_token().await.unwrap().token;
    for (token, expected) in [(first, 401), (next, 200)] {
        let body = json!({ "token": token.expose(), "address": ADDRESS, "name": "Maria", "password": PASSWORD });
        let reply = post(&daemon, "/api/v1/setup", body).await;
        assert_eq!(reply.status, expected);
    }
}

/// A daemon for many, where nothing but the pages' own checks stands between a page of somebody
/// else and a browser that is logged in.
async fn team() -> (TestDaemon, Browser) {
    let site = Site {
        mode: Mode::Team,
        public_url: Some("https://skep.example.com".into()),
        ..Site::default()
    };
    let daemon = TestDaemon::start_at(site).await;
    let token = daemon.app.issue_setup_token().await.unwrap().unwrap();
    let body = json!({ "token": token.expose(), "address": ADDRESS, "name": "Maria", "password": PASSWORD });
    let browser = Browser::of(&post(&daemon, "/api/v1/setup", body).await);
    (daemon, browser)
}

#[tokio::test(flavor = "multi_thread")]
async fn a17_a_page_of_somebody_else_changes_nothing_and_logs_nobody_in_or_out() {
    let (daemon, browser) = team().await;
    let fields = "address=maria%40hive.example&password=plover+anvil+tuba";
    let login = json!({ "address": ADDRESS, "password": PASSWORD });
    let own = |path: &str, fields: &str| {
        let fields = format!("{fields}&csrf={}", browser.csrf);
        form(path, &fields).header("Cookie", &browser.cookie)
    };
    let token = daemon
        .app
        .authenticate_browser(browser.cookie.split_once('=').unwrap().1.as_bytes())
        .await;
    let token = daemon.app.form_token(&token.unwrap(), "review").unwrap();
    let device = form(
        "/oauth/device",
        &format!("do=review&user_code=BBBB-BBBB&token={token}"),
    );
    let invite = json!({ "address": "b@c.example" });
    let requests = [
        (
            "API login",
            Request::new("POST", "/api/v1/auth/login").json(&login),
            200,
        ),
        ("form login", form("/login", fields), 303),
        ("change", browser.post("/api/v1/invites").json(&invite), 200),
        ("device", device.header("Cookie", &browser.cookie), 400),
        ("account", own("/account", "do=nothing"), 303),
        ("logout", own("/logout", "do=out"), 303),
    ];
    for (what, request, expected) in requests {
        for (name, value) in [
            ("Origin", "https://evil.example"),
            ("Origin", "null"),
            ("Origin", "https://localhost.evil.example"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
        ] {
            let forged = request.clone().header(name, value);
            assert_eq!(
                status(&daemon, forged).await,
                403,
                "{what}, {name}: {value}"
            );
        }
        let same = request.header("Origin", "https://localhost");
        let same = same.header("Sec-Fetch-Site", "same-origin");
        assert_eq!(status(&daemon, same).await, expected, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_a_cookie_without_the_prefix_counts_under_this_machines_names_alone() {
    let (daemon, browser) = team().await;
    assert!(browser.cookie.starts_with("skep-local="));
    for (host, expected) in [
        ("localhost", 200),
        ("localhost:3850", 200),
        ("127.0.0.1", 200),
        ("[::1]:3850", 200),
        ("skep.example.com", 401),
        ("localhost.example.com", 401),
        ("a@localhost", 401),
    ] {
        let head = format!(
            "GET /api/v1/whoami HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nCookie: {}\r\n",
            browser.cookie
        );
        assert_eq!(
            status(&daemon, Request::verbatim(&head)).await,
            expected,
            "{host}"
        );
    }
}

/// What a browser is given by a daemon whose pages are reached over TLS.
#[tokio::test(flavor = "multi_thread")]
async fn a19_over_tls_the_cookie_is_kept_to_tls_and_to_this_host() {
    let scratch = Scratch::new();
    let clock = Arc::new(ManualClock::new());
    let root = MemoryRootKey::new(7);
    let store = open_store(&scratch.path().join("data"), &root, clock).await;
    let store = Arc::new(store.unwrap());
    Tenant::create(&store, "alpha").await.unwrap();
    let app = App::new(
        store,
        Arc::new(StaticEmbedder::built_in()),
        Arc::new(StoppedWatch),
        Settings::default(),
    );
    let app = Arc::new(app.with_people(PeopleSettings {
        party: passkey::RelyingParty::of("https://skep.example.org"),
        public_url: Some("https://skep.example.org".into()),
        cost: PasswordCost::LEAST,
        ..PeopleSettings::default()
    }));
    let edge = Arc::new(Edge {
        app: Arc::clone(&app),
        version: "test",
        limits: None,
        site: Site::default(),
        listeners: OnceLock::new(),
    });
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let listeners = Listeners {
        socket: UnixListener::bind(scratch.path().join("s")).unwrap(),
        tcp: Some(tcp),
    };
    let mut jobs = tokio::task::JoinSet::new();
    jobs.spawn(Serving::new(edge).run(listeners, std::future::pending()));
    jobs.spawn(AuditDesk::new(Arc::clone(&app)).run());
    let token = app.issue_setup_token().await.unwrap().unwrap();
    let body = json!({ "token": token.expose(), "address": ADDRESS, "name": "Maria", "password": PASSWORD });
    let request = Request::new("POST", "/api/v1/setup").json(&body);
    let reply = request.send(address).await.unwrap();
    assert!(cookie(&reply).unwrap().starts_with("__Host-skep=skep_bs_"));
    let line = reply.header("Set-Cookie");
    assert!(line.contains("; Secure"), "{line}");
    assert!(line.contains("; Path=/") && !line.contains("Domain"));
    let browser = Browser::of(&reply);
    let out = browser
        .post("/api/v1/auth/logout")
        .header("Content-Length", "0");
    let gone = out.send(address).await.unwrap().header("Set-Cookie");
    assert!(gone.starts_with("__Host-skep=;") && gone.contains("Max-Age=0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_nothing_that_lets_anybody_in_is_logged_at_any_level() {
    let log = log_everything();
    let (daemon, before) = set_up().await;
    let (browser, secret, recovery) = enrol(&daemon, &before).await;
    let mut needles = vec![PASSWORD.to_owned(), secret, recovery[0].clone()];
    let mut keep = |needle: &str| needles.push(needle.to_owned());
    for session in [&before, &browser] {
        keep(session.cookie.split_once('=').unwrap().1);
        keep(&session.csrf);
    }
    for (path, body) in [
        ("/api/v1/keys", json!({ "label": "a key" })),
        (
            "/api/v1/tokens",
            json!({ "label": "a token", "expires_at": "2026-02-01T00:00:00Z" }),
        ),
        (
            "/api/v1/invites",
            json!({ "address": "jonas@hive.example" }),
        ),
    ] {
        let made = send(&daemon, browser.post(path).json(&body)).await.json();
        let shown = made["secret"].as_str().or(made["token"].as_str());
        let shown = shown.unwrap_or_else(|| panic!("{path}: {made}"));
        keep(shown);
        let used = Request::new("GET", "/api/v1/whoami").bearer(shown);
        send(&daemon, used).await;
    }
    log_in(&daemon, ADDRESS, "zanzibar wrong password").await;
    keep("zanzibar wrong password");
    assert_eq!(second(&daemon, &recovery[0]).await.status, 200);
    let program = Program::new(&daemon);
    let device = Device::start(&daemon).await;
    program.poll(&daemon, &device).await;
    keep(&device.device_code);
    keep(&device.user_code);
    let said = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(said.contains("request"), "something is logged");
    for needle in needles {
        assert!(!said.contains(&needle), "{needle} is logged");
    }
}
