//! People at the door: setup, login, second factors, browser sessions, invitations, resets.

use std::sync::Arc;

use serde_json::{Value, json};
use skep_app::{AppError, Credentials, FirstAdmin, LoginStep};
use skep_crypto::TotpSeed;
use skep_domain::{Clock, OrganizationRole, UserId};
use skep_store::{Mode, UserBody};
use skep_test_support::{Reply, Request, TestDaemon};

use crate::canary;

pub(crate) const PASSWORD: &str = "plover anvil tuba";
pub(crate) const ADDRESS: &str = "maria@hive.example";

/// A browser: its cookie, and what its pages told it to send beside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl Browser {
    /// What an answer that lets somebody in gives.
    pub(crate) fn of(reply: &Reply) -> Self {
        assert_eq!(
            reply.status,
            200,
            "{}",
            String::from_utf8_lossy(&reply.body)
        );
        let said = reply.json()["csrf_token"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        Self {
            cookie: cookie(reply).expect("a cookie"),
            csrf: said,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Request {
        Request::new("GET", path).header("Cookie", &self.cookie)
    }

    pub(crate) fn post(&self, path: &str) -> Request {
        Request::new("POST", path)
            .header("Cookie", &self.cookie)
            .header("X-CSRF-Token", &self.csrf)
    }
}

pub(crate) fn cookie(reply: &Reply) -> Option<String> {
    let line = reply
        .head
        .lines()
        .find(|line| line.to_lowercase().starts_with("set-cookie: "))?;
    for flag in ["; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(line.contains(flag), "{line}");
    }
    Some(line["set-cookie: ".len()..].split(';').next()?.to_owned())
}

pub(crate) async fn send(daemon: &TestDaemon, request: Request) -> Reply {
    request.send(daemon.address).await.unwrap()
}

pub(crate) async fn post(daemon: &TestDaemon, path: &str, body: Value) -> Reply {
    send(daemon, Request::new("POST", path).json(&body)).await
}

fn first(token: &str, n: usize) -> FirstAdmin {
    let address = if n == 0 {
        ADDRESS.into()
    } else {
        format!("n{n}@hive.example")
    };
    FirstAdmin::new(token.into(), address, "Maria".into(), PASSWORD.into())
}

/// A daemon with an owner, and the owner's browser.
pub(crate) async fn set_up() -> (TestDaemon, Browser) {
    let daemon = TestDaemon::start().await;
    let token = daemon.app.issue_setup_token().await.unwrap().unwrap();
    let body = json!({ "token": token.expose(), "address": ADDRESS, "name": "Maria", "password": PASSWORD });
    let reply = post(&daemon, "/api/v1/setup", body).await;
    let browser = Browser::of(&reply);
    (daemon, browser)
}

pub(crate) async fn log_in(daemon: &TestDaemon, address: &str, password: &str) -> Reply {
    let body = json!({ "address": address, "password": password });
    post(daemon, "/api/v1/auth/login", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_setup_is_raced_by_fifty_and_one_wins() {
    let daemon = TestDaemon::start().await;
    let token = daemon.app.issue_setup_token().await.unwrap().unwrap();
    assert!(
        daemon.app.issue_setup_token().await.unwrap().is_none(),
        "printed once"
    );
    let mut racers = tokio::task::JoinSet::new();
    for n in 0..50 {
        let (app, first) = (Arc::clone(&daemon.app), first(token.expose(), n));
        racers.spawn(async move { app.set_up(&first).await });
    }
    let (mut won, mut lost, mut waited) = (0, 0, 0);
    while let Some(outcome) = racers.join_next().await {
        match outcome.unwrap() {
            Ok(_) => won += 1,
            Err(AppError::Conflict(_)) => lost += 1,
            Err(AppError::Overloaded(_)) => waited += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((won, lost, waited), (1, 49, 0));
    let again = json!({ "token": token.expose(), "address": "x@y.example", "name": "X", "password": PASSWORD });
    let reply = post(&daemon, "/api/v1/setup", again).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (409, "CONFLICT"),
        "replayed"
    );
    assert!(
        daemon.app.issue_setup_token().await.unwrap().is_none(),
        "there is an administrator"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_setup_without_the_token_makes_nobody() {
    let daemon = TestDaemon::start().await;
    let token = daemon.app.issue_setup_token().await.unwrap().unwrap();
    let wrong = token.expose().replace(|c: char| c.is_ascii_digit(), "x");
    for bad in [
        "",
        "skep_setup_",
        &wrong,
        &format!("{wrong}{wrong}{wrong}{wrong}"),
    ] {
        let body =
            json!({ "token": bad, "address": ADDRESS, "name": "Maria", "password": PASSWORD });
        let reply = post(&daemon, "/api/v1/setup", body).await;
        assert_eq!(reply.status, 401, "{bad}");
    }
    let short = json!({ "token": token.expose(), "address": ADDRESS, "name": "Maria", "password": "short" });
    assert_eq!(post(&daemon, "/api/v1/setup", short).await.status, 400);
    daemon.clock.advance_seconds(24 * 3600 + 1);
    assert!(
        daemon.app.set_up(&first(token.expose(), 0)).await.is_err(),
        "a day later"
    );
    let next = daemon.app.issue_setup_token().await.unwrap().unwrap();
    daemon.app.set_up(&first(next.expose(), 0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_ten_thousand_guesses_at_an_account_are_five() {
    let (daemon, _) = set_up().await;
    for address in [ADDRESS, "nobody@hive.example"] {
        let (mut judged, mut shut) = (0, 0);
        for guess in 0..10_000 {
            let guess = Credentials::new(address.to_uppercase(), format!("guess number {guess}"));
            match daemon.app.log_in(&guess).await {
                Err(AppError::Denied(_)) => judged += 1,
                Err(AppError::RateLimited { retry_after_ms }) => {
                    assert!((1..=900_000).contains(&retry_after_ms), "{retry_after_ms}");
                    shut += 1;
                }
                other => panic!("{:?}", other.err()),
            }
        }
        assert_eq!((judged, shut), (5, 9_995), "{address}");
    }
    let right = Credentials::new(ADDRESS.into(), PASSWORD.into());
    let refused = daemon.app.log_in(&right).await;
    assert!(
        matches!(refused, Err(AppError::RateLimited { .. })),
        "the right one too"
    );
    daemon.clock.advance_seconds(15 * 60);
    let open = daemon.app.log_in(&right).await;
    assert!(
        matches!(open, Ok(LoginStep::In(_))),
        "a quarter of an hour later"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_guesses_at_once_are_no_more_than_one_after_the_other() {
    let (daemon, _) = set_up().await;
    let mut guessers = tokio::task::JoinSet::new();
    for guess in 0..60 {
        let app = Arc::clone(&daemon.app);
        let guess = Credentials::new(ADDRESS.into(), format!("guess number {guess}"));
        guessers.spawn(async move { matches!(app.log_in(&guess).await, Err(AppError::Denied(_))) });
    }
    let mut judged = 0;
    while let Some(was) = guessers.join_next().await {
        judged += usize::from(was.unwrap());
    }
    assert_eq!(judged, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn s01_logins_of_absent_and_present_accounts_answer_alike() {
    let (daemon, _) = set_up().await;
    let mut seen = Vec::new();
    for (address, password) in [
        (ADDRESS, "not the right one"),
        ("nobody@hive.example", PASSWORD),
        ("no address at all", ""),
        ("", &"x".repeat(2_000)),
    ] {
        let reply = log_in(&daemon, address, password).await;
        let mut body = reply.json();
        body["error"]["request_id"] = "".into();
        let head: Vec<String> = reply
            .head
            .lines()
            .filter(|line| !line.starts_with("x-request-id") && !line.starts_with("date"))
            .filter(|line| !line.to_lowercase().contains("ratelimit"))
            .map(str::to_owned)
            .collect();
        seen.push((reply.status, head, body.to_string()));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:#?}");
    assert_eq!(seen[0].0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_a_cookie_and_changes_need_more_than_that() {
    let (daemon, browser) = set_up().await;
    let who = send(&daemon, browser.get("/api/v1/whoami")).await;
    assert_eq!(who.json()["credential_kind"], "browser");
    assert_eq!(who.json()["role"], "admin");
    // A change needs the token of this session, from a page of ours.
    let body = json!({ "address": "b@c.example" });
    let other = Browser::of(&log_in(&daemon, ADDRESS, PASSWORD).await);
    let cases = [
        (
            Request::new("POST", "/api/v1/invites").header("Cookie", &browser.cookie),
            403,
        ),
        (
            browser
                .post("/api/v1/invites")
                .header("Sec-Fetch-Site", "same-site"),
            403,
        ),
        (
            Request::new("POST", "/api/v1/invites")
                .header("Cookie", &browser.cookie)
                .header("X-CSRF-Token", &other.csrf),
            403,
        ),
        (
            Request::new("POST", "/api/v1/invites")
                .header("Cookie", &browser.cookie)
                .header("X-CSRF-Token", ""),
            403,
        ),
        (browser.post("/api/v1/invites"), 200),
    ];
    for (request, status) in cases {
        let reply = send(&daemon, request.json(&body)).await;
        assert_eq!(reply.status, status, "{}", reply.head);
    }
    // Two cookies: nobody knows who planted which.
    let two = format!("{}; {}", browser.cookie, other.cookie);
    let reply = send(
        &daemon,
        Request::new("GET", "/api/v1/whoami").header("Cookie", &two),
    )
    .await;
    assert_eq!(reply.status, 401);
    // Out of one is not out of the other.
    let out = browser
        .post("/api/v1/auth/logout")
        .header("Content-Length", "0");
    assert_eq!(send(&daemon, out).await.status, 200);
    assert_eq!(
        send(&daemon, browser.get("/api/v1/whoami")).await.status,
        401
    );
    assert_eq!(send(&daemon, other.get("/api/v1/whoami")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_unused_after_twelve_hours_and_used_after_seven_days() {
    let (daemon, idle) = set_up().await;
    let used = Browser::of(&log_in(&daemon, ADDRESS, PASSWORD).await);
    let mut hours = 0;
    let status =
        async |browser: &Browser| send(&daemon, browser.get("/api/v1/whoami")).await.status;
    while hours < 7 * 24 - 6 {
        daemon.clock.advance_seconds(6 * 3600);
        hours += 6;
        assert_eq!(status(&used).await, 200, "after {hours} hours");
        // The use is noted within a moment; the next look is after that.
        until_noted(&daemon, &used).await;
        let expected = if hours < 12 { 200 } else { 401 };
        if hours != 6 {
            assert_eq!(status(&idle).await, expected, "after {hours} hours");
        }
    }
    daemon.clock.advance_seconds(6 * 3600);
    assert_eq!(status(&used).await, 401, "after seven days");
}

/// Waits until the record of a use is written.
async fn until_noted(daemon: &TestDaemon, browser: &Browser) {
    for _ in 0..200 {
        let listed = send(daemon, browser.get("/api/v1/auth/sessions"))
            .await
            .json();
        let now = daemon.clock.now().as_micros() / 1_000_000;
        let current = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|s| s["current"] == true);
        let used = current
            .and_then(|session| session["used_at"].as_str())
            .unwrap_or_default();
        let used: i64 = used
            .parse::<skep_api::Instant>()
            .map_or(0, |at| at.0.as_micros() / 1_000_000);
        if now - used < 300 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the use was never noted");
}

/// The code of a seed, now.
pub(crate) fn code(daemon: &TestDaemon, secret: &str) -> String {
    let seconds = (daemon.clock.now().as_micros() / 1_000_000).cast_unsigned();
    let bits = secret.bytes().fold(Vec::new(), |mut bits, c| {
        let five = if c.is_ascii_digit() {
            c - b'2' + 26
        } else {
            c - b'A'
        };
        bits.extend((0..5).rev().map(|at| five >> at & 1));
        bits
    });
    let bytes: Vec<u8> = bits
        .chunks(8)
        .map(|b| b.iter().fold(0, |n, bit| n << 1 | bit))
        .collect();
    let seed = TotpSeed::from_bytes(&bytes).unwrap();
    String::from_utf8(seed.code(seconds / 30).to_vec()).unwrap()
}

/// Enrols an app; gives the renewed browser, the secret and the recovery codes.
pub(crate) async fn enrol(
    daemon: &TestDaemon,
    browser: &Browser,
) -> (Browser, String, Vec<String>) {
    let asked = browser
        .post("/api/v1/auth/mfa/totp")
        .json(&json!({ "password": PASSWORD }));
    let new = send(daemon, asked).await;
    assert_eq!(new.status, 200, "{}", String::from_utf8_lossy(&new.body));
    let secret = new.json()["secret"].as_str().unwrap().to_owned();
    let confirm = json!({ "code": code(daemon, &secret) });
    let reply = send(
        daemon,
        browser.post("/api/v1/auth/mfa/totp/confirm").json(&confirm),
    )
    .await;
    let codes = reply.json()["recovery_codes"].as_array().unwrap().clone();
    let codes = codes
        .iter()
        .map(|code| code.as_str().unwrap().to_owned())
        .collect();
    (Browser::of(&reply), secret, codes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_a_second_factor_is_owed_and_each_code_is_good_once() {
    let (daemon, before) = set_up().await;
    // A session that was left open enrols nothing without the password.
    let bare = before.post("/api/v1/auth/mfa/totp").json(&json!({}));
    assert_eq!(send(&daemon, bare).await.status, 400);
    let wrong = before
        .post("/api/v1/auth/mfa/totp")
        .json(&json!({ "password": "not the right one" }));
    assert_eq!(send(&daemon, wrong).await.status, 400);
    let (browser, secret, recovery) = enrol(&daemon, &before).await;
    assert_eq!(recovery.len(), 10);
    assert_ne!(browser.cookie, before.cookie, "renewed when rights change");
    assert_eq!(
        send(&daemon, before.get("/api/v1/whoami")).await.status,
        401
    );
    // The code that confirmed it is used up.
    let owed = log_in(&daemon, ADDRESS, PASSWORD).await;
    assert_eq!(owed.json()["status"], "second_factor");
    assert_eq!(cookie(&owed), None, "nobody is in yet");
    let pending = owed.json()["pending"].as_str().unwrap().to_owned();
    let second = async |code: &str| {
        let body = json!({ "pending": pending, "code": code });
        post(&daemon, "/api/v1/auth/login/second", body).await
    };
    assert_eq!(second(&code(&daemon, &secret)).await.status, 401, "twice");
    assert_eq!(second("000000").await.status, 401);
    daemon.clock.advance_seconds(30);
    Browser::of(&second(&code(&daemon, &secret)).await);
    assert_eq!(
        second(&recovery[0]).await.status,
        401,
        "the pending login is used up"
    );
    let owed = log_in(&daemon, ADDRESS, PASSWORD).await;
    let again = json!({ "pending": owed.json()["pending"], "code": recovery[0].to_uppercase() });
    Browser::of(&post(&daemon, "/api/v1/auth/login/second", again).await);
    let owed = log_in(&daemon, ADDRESS, PASSWORD).await;
    let twice = json!({ "pending": owed.json()["pending"], "code": recovery[0] });
    assert_eq!(
        post(&daemon, "/api/v1/auth/login/second", twice)
            .await
            .status,
        401,
        "twice"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_guesses_at_a_second_factor_are_five() {
    let (daemon, before) = set_up().await;
    let (_, secret, _) = enrol(&daemon, &before).await;
    let owed = log_in(&daemon, ADDRESS, PASSWORD).await;
    let pending = owed.json()["pending"].as_str().unwrap().to_owned();
    daemon.clock.advance_seconds(31);
    let right = code(&daemon, &secret);
    let mut statuses = Vec::new();
    for guess in 0..7 {
        let guess = format!(
            "{:06}",
            (right.parse::<u32>().unwrap() + 1 + guess) % 1_000_000
        );
        let shown = skep_app::SecondFactor::code(guess);
        statuses.push(match daemon.app.log_in_second(&pending, &shown).await {
            Err(AppError::Denied(_)) => 401,
            Err(AppError::RateLimited { .. }) => 429,
            other => panic!("{:?}", other.err()),
        });
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    let shown = skep_app::SecondFactor::code(right);
    assert!(
        daemon.app.log_in_second(&pending, &shown).await.is_err(),
        "the right one too"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn step_up_lasts_five_minutes_and_is_asked_for() {
    let (daemon, before) = set_up().await;
    let key = json!({ "label": "a key" });
    let create = async |browser: &Browser| {
        let reply = send(&daemon, browser.post("/api/v1/keys").json(&key)).await;
        (reply.status, reply.code())
    };
    let refused = (403, "STEP_UP_REQUIRED".to_owned());
    assert_eq!(create(&before).await, refused, "no factor, no step-up");
    let (browser, secret, _) = enrol(&daemon, &before).await;
    assert_eq!(create(&browser).await.0, 200);
    daemon.clock.advance_seconds(301);
    assert_eq!(create(&browser).await, refused);
    let again = browser
        .post("/api/v1/auth/step-up")
        .json(&json!({ "code": code(&daemon, &secret) }));
    let stepped = Browser::of(&send(&daemon, again).await);
    assert_eq!(create(&stepped).await.0, 200);
    assert_eq!(
        send(&daemon, browser.get("/api/v1/whoami")).await.status,
        401,
        "the old cookie"
    );
}

/// Invites somebody and lets them accept.
pub(crate) async fn joined(
    daemon: &TestDaemon,
    owner: &Browser,
    address: &str,
    role: &str,
) -> Browser {
    let body = json!({ "address": address, "role": role });
    let made = send(daemon, owner.post("/api/v1/invites").json(&body)).await;
    assert_eq!(made.status, 200, "{}", String::from_utf8_lossy(&made.body));
    let body = json!({ "token": made.json()["token"], "name": "Jonas", "password": PASSWORD });
    let reply = post(daemon, "/api/v1/auth/invite", body.clone()).await;
    let again = post(daemon, "/api/v1/auth/invite", body).await;
    assert_eq!(again.status, 401, "an invitation is good once");
    Browser::of(&reply)
}

pub(crate) async fn id_of(daemon: &TestDaemon, owner: &Browser, address: &str) -> String {
    let listed = send(daemon, owner.get("/api/v1/members")).await.json();
    let found = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["address"] == address);
    found.expect("a member")["id"].as_str().unwrap().to_owned()
}

pub(crate) fn edit(browser: &Browser, id: &str, body: &Value) -> Request {
    Request::new("PATCH", &format!("/api/v1/members/{id}"))
        .header("Cookie", &browser.cookie)
        .header("X-CSRF-Token", &browser.csrf)
        .json(body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_a_suspended_or_removed_member_loses_everything_at_once() {
    let (daemon, owner) = set_up().await;
    let jonas = joined(&daemon, &owner, "jonas@hive.example", "member").await;
    assert_eq!(
        send(&daemon, jonas.get("/api/v1/memories")).await.status,
        200
    );
    assert_eq!(
        send(&daemon, jonas.get("/api/v1/members")).await.status,
        403
    );
    let id = id_of(&daemon, &owner, "jonas@hive.example").await;
    for (standing, status) in [("suspended", 401), ("active", 200), ("suspended", 401)] {
        let change = edit(&owner, &id, &json!({ "standing": standing }));
        assert_eq!(send(&daemon, change).await.status, 200);
        assert_eq!(
            send(&daemon, jonas.get("/api/v1/memories")).await.status,
            status,
            "{standing}"
        );
    }
    assert_eq!(
        log_in(&daemon, "jonas@hive.example", PASSWORD).await.status,
        401
    );
    // Another role lifts no suspension.
    let change = edit(&owner, &id, &json!({ "role": "admin" }));
    assert_eq!(send(&daemon, change).await.status, 200);
    assert_eq!(
        send(&daemon, jonas.get("/api/v1/memories")).await.status,
        401
    );
    let remove = owner
        .post(&format!("/api/v1/members/{id}/remove"))
        .header("Content-Length", "0");
    assert_eq!(send(&daemon, remove).await.status, 200);
    assert_eq!(
        send(&daemon, jonas.get("/api/v1/memories")).await.status,
        401
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_owner_makes_owners_and_one_always_stays() {
    let (daemon, owner) = set_up().await;
    let admin = joined(&daemon, &owner, "admin@hive.example", "admin").await;
    let (maria, id) = (
        id_of(&daemon, &owner, ADDRESS).await,
        id_of(&daemon, &owner, "admin@hive.example").await,
    );
    let invite = admin
        .post("/api/v1/invites")
        .json(&json!({ "address": "x@y.example", "role": "owner" }));
    assert_eq!(send(&daemon, invite).await.status, 403);
    for body in [
        json!({ "role": "member" }),
        json!({ "standing": "suspended" }),
    ] {
        assert_eq!(
            send(&daemon, edit(&admin, &maria, &body)).await.status,
            403,
            "{body}"
        );
        assert_eq!(
            send(&daemon, edit(&owner, &maria, &body)).await.status,
            409,
            "{body}"
        );
    }
    assert_eq!(
        send(&daemon, edit(&admin, &id, &json!({ "role": "owner" })))
            .await
            .status,
        403
    );
    assert_eq!(
        send(&daemon, edit(&owner, &id, &json!({ "role": "owner" })))
            .await
            .status,
        200
    );
    assert_eq!(
        send(&daemon, edit(&admin, &maria, &json!({ "role": "member" })))
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_gives_a_new_password_once_and_voids_all_else() {
    let (daemon, before) = set_up().await;
    let jonas = joined(&daemon, &before, "jonas@hive.example", "member").await;
    let (owner, _, _) = enrol(&daemon, &before).await;
    let id = id_of(&daemon, &owner, "jonas@hive.example").await;
    let asked = owner
        .post(&format!("/api/v1/members/{id}/reset"))
        .header("Content-Length", "0");
    let token = send(&daemon, asked).await.json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let reset = async |password: &str| {
        let body = json!({ "token": token, "password": password });
        post(&daemon, "/api/v1/auth/reset", body).await.status
    };
    assert_eq!(reset("jonas@hive.example").await, 400, "his own address");
    assert_eq!(reset("seven quiet bees").await, 200);
    assert_eq!(reset("seven louder bees").await, 401, "twice");
    assert_eq!(send(&daemon, jonas.get("/api/v1/whoami")).await.status, 401);
    assert_eq!(
        log_in(&daemon, "jonas@hive.example", PASSWORD).await.status,
        401
    );
    assert_eq!(
        log_in(&daemon, "jonas@hive.example", "seven quiet bees")
            .await
            .status,
        200
    );
    // Whoever asks for a letter learns nothing of who has an account.
    for address in [ADDRESS, "nobody@hive.example"] {
        let reply = post(&daemon, "/api/v1/auth/reset", json!({ "address": address })).await;
        assert_eq!(
            (reply.status, reply.body.as_slice()),
            (200, br#"{"status":"ok"}"#.as_slice())
        );
    }
}

/// One organization shall not get into another through a member of both.
#[tokio::test(flavor = "multi_thread")]
async fn t01_an_administrator_resets_nobody_who_belongs_elsewhere_too() {
    let (daemon, before) = set_up().await;
    joined(&daemon, &before, "jonas@hive.example", "member").await;
    let (owner, _, _) = enrol(&daemon, &before).await;
    let id = id_of(&daemon, &owner, "jonas@hive.example").await;
    let asked = owner
        .post(&format!("/api/v1/members/{id}/reset"))
        .header("Content-Length", "0");
    assert_eq!(send(&daemon, asked.clone()).await.status, 200);
    join_the_other(&daemon, "jonas@hive.example").await;
    assert_eq!(send(&daemon, asked).await.status, 403);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the other organization lets him in behind the edge"
)]
async fn join_the_other(daemon: &TestDaemon, address: &str) {
    let first = daemon.store.workspaces().await.unwrap()[0].0;
    let other = [&daemon.a, &daemon.b]
        .into_iter()
        .find(|tenant| tenant.organization != first);
    let mut tx = daemon.store.begin_door(Mode::Write).await.unwrap();
    let user = tx.get_user_of_address(address).await.unwrap().unwrap().id;
    let organization = other.unwrap().organization;
    tx.put_member(organization, user, OrganizationRole::Member)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_nothing_that_lets_anybody_in_is_on_the_disk_or_said_twice() {
    let (daemon, before) = set_up().await;
    let setup = "skep_setup_";
    let (browser, secret, recovery) = enrol(&daemon, &before).await;
    let invite = browser
        .post("/api/v1/invites")
        .json(&json!({ "address": "canary-7f3a@hive.example" }));
    let invite = send(&daemon, invite).await.json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut needles = vec![
        PASSWORD.to_owned(),
        ADDRESS.to_owned(),
        "canary-7f3a".into(),
        "maria@hive".into(),
        secret.clone(),
        invite,
    ];
    needles.extend(recovery);
    needles.push(browser.cookie.split('=').nth(1).unwrap().to_owned());
    needles.push(setup.to_owned());
    for path in [
        "/api/v1/auth/mfa",
        "/api/v1/auth/sessions",
        "/api/v1/invites",
        "/api/v1/audit",
        "/account",
    ] {
        let reply = send(&daemon, browser.get(path)).await;
        assert_eq!(reply.status, 200, "{path}");
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        for needle in needles
            .iter()
            .filter(|n| !n.contains('@') && !n.starts_with("canary"))
        {
            assert!(!text.contains(needle.as_str()), "{path} shows {needle}");
        }
    }
    for needle in &needles {
        for form in canary::forms(needle) {
            canary::walk(&daemon.data(), &mut |path, bytes| {
                let found = bytes.windows(form.len()).any(|window| window == form);
                assert!(!found, "{needle} in {}", path.display());
            });
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a17_pages_change_nothing_by_looking_and_let_nobody_frame_them() {
    let (daemon, browser) = set_up().await;
    for path in [
        "/login",
        "/setup",
        "/invite",
        "/reset",
        "/account",
        "/assets/skep.css",
        "/assets/passkey.js",
    ] {
        for request in [Request::new("GET", path), browser.get(path)] {
            let reply = send(&daemon, request).await;
            assert!(
                matches!(reply.status, 200 | 303),
                "{path}: {}",
                reply.status
            );
            if reply.status == 200 && !path.starts_with("/assets") {
                let head = reply.head.to_lowercase();
                for header in [
                    "content-security-policy: default-src 'none'",
                    "frame-ancestors 'none'",
                    "x-frame-options: deny",
                    "cache-control: no-store",
                    "referrer-policy: same-origin",
                ] {
                    assert!(head.contains(header), "{path}: {head}");
                }
                assert_eq!(cookie(&reply), None, "{path}");
            }
        }
    }
}

pub(crate) fn form(path: &str, fields: &str) -> Request {
    Request::new("POST", path).body("application/x-www-form-urlencoded", fields.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_by_pages_alone_with_everything_typed_escaped() {
    let (daemon, _) = set_up().await;
    let wrong = send(
        &daemon,
        form("/login", "address=maria%40hive.example&password=no"),
    )
    .await;
    assert_eq!(wrong.status, 401);
    assert!(String::from_utf8_lossy(&wrong.body).contains("not right"));
    let fields = "address=maria%40hive.example&password=plover+anvil+tuba";
    for header in [
        ("Origin", "http://evil.example"),
        ("Sec-Fetch-Site", "cross-site"),
    ] {
        let forged = form("/login", fields).header(header.0, header.1);
        assert_eq!(send(&daemon, forged).await.status, 403, "{header:?}");
    }
    let reply = send(&daemon, form("/login", fields)).await;
    assert_eq!(reply.status, 303);
    assert!(reply.head.to_lowercase().contains("location: /account"));
    let browser = Browser {
        cookie: cookie(&reply).unwrap(),
        csrf: String::new(),
    };
    let page = send(&daemon, browser.get("/account")).await;
    let page = String::from_utf8_lossy(&page.body).into_owned();
    let csrf = page
        .split("name=\"csrf\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let out =
        |csrf: &str| form("/logout", &format!("csrf={csrf}")).header("Cookie", &browser.cookie);
    assert_eq!(
        send(&daemon, out("AAAAAAAAAAAAAAAAAAAAAA")).await.status,
        403
    );
    assert_eq!(send(&daemon, out(csrf)).await.status, 303);
    assert_eq!(send(&daemon, browser.get("/account")).await.status, 303);
    let hostile = "token=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E&name=%3Cb%3E&password=x";
    for path in ["/invite", "/setup", "/reset"] {
        let reply = send(&daemon, form(path, hostile)).await;
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        assert!(
            !text.contains("<script>alert") && !text.contains("<b>"),
            "{path}: {text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_an_organization_gets_nowhere() {
    let (daemon, _) = set_up().await;
    lonely(&daemon).await;
    assert_eq!(
        log_in(&daemon, "lonely@hive.example", PASSWORD)
            .await
            .status,
        401
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "nothing at the edge makes such an account"
)]
async fn lonely(daemon: &TestDaemon) {
    let hash = skep_crypto::hash_password(PASSWORD.as_bytes(), &skep_crypto::SystemRandom).unwrap();
    let mut tx = daemon.store.begin_door(Mode::Write).await.unwrap();
    let body = UserBody {
        name: "Lonely".into(),
        address: Some("lonely@hive.example".into()),
        password: Some(hash.as_str().to_owned()),
        vouched: None,
    };
    let id: UserId = tx.mint();
    tx.put_user(id, &body).await.unwrap();
    tx.commit().await.unwrap();
}
