//! An organization that asks everybody for a second factor, and every kind of credential of somebody
//! who has none.

use serde_json::{Value, json};
use skep_api::{Gate, ROUTES};
use skep_app::{KeyKind, NewKey};
use skep_domain::{AgentId, Bindings, OrganizationRole, Principal, Role};
use skep_test_support::{Newcomer, Reply, Request, TestDaemon, Visitor};

use crate::bodies::{self, request, seed};
use crate::logins::{PASSWORD, code};

/// A daemon, and Jonas: his session, what it says beside it, a token and a key of his.
struct Stage {
    daemon: TestDaemon,
    cookie: String,
    csrf: String,
    token: String,
    key: String,
}

async fn send(daemon: &TestDaemon, request: Request) -> Reply {
    request.send(daemon.address).await.unwrap()
}

impl Stage {
    async fn new() -> Self {
        let daemon = TestDaemon::start_patient().await;
        let owner = daemon.a.token("owner");
        let invite = json!({ "address": "jonas@hive.example", "role": "admin" });
        let invite = Request::new("POST", "/api/v1/invites")
            .bearer(&owner)
            .json(&invite);
        let invited = send(&daemon, invite).await.json();
        let body = json!({ "token": invited["token"], "name": "Jonas", "password": PASSWORD });
        let came = send(
            &daemon,
            Request::new("POST", "/api/v1/auth/invite").json(&body),
        )
        .await;
        let mut stage = Self {
            cookie: cookie(&came),
            csrf: came.json()["csrf_token"].as_str().unwrap().to_owned(),
            daemon,
            token: String::new(),
            key: String::new(),
        };
        let token = json!({ "label": "script", "expires_at": "2026-06-01T00:00:00Z" });
        stage.token = secret(&stage.post("/api/v1/tokens", &token).await);
        stage.key = stage.own_key().await;
        stage
    }

    /// A key that Jonas made, for himself and no agent.
    async fn own_key(&self) -> String {
        let cookie = self.cookie.split_once('=').unwrap().1.as_bytes();
        let app = &self.daemon.app;
        let caller = app.authenticate_browser(cookie).await.unwrap();
        let new = NewKey {
            kind: KeyKind::Api,
            agent: None,
            label: "harness".into(),
            bindings: Bindings::default(),
            projects: Vec::new(),
            expires_at: None,
        };
        let right = caller.authorize().unwrap();
        let made = app.create_key(right, &caller, new).await.unwrap();
        made.secret.expose().clone()
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        let request = Request::new("POST", path)
            .header("Cookie", &self.cookie)
            .header("X-CSRF-Token", &self.csrf);
        send(&self.daemon, request.json(body)).await
    }

    async fn ask(&self, required: bool) -> Value {
        let owner = self.daemon.a.token("owner");
        let rule = Request::new("POST", "/api/v1/second-factor").bearer(&owner);
        let reply = send(&self.daemon, rule.json(&json!({ "required": required }))).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    /// What each of Jonas's credentials gets where he may read.
    async fn statuses(&self) -> Vec<(u16, String)> {
        let read = || Request::new("GET", "/api/v1/memories");
        let requests = [
            read().header("Cookie", &self.cookie),
            read().bearer(&self.token),
            read().bearer(&self.key),
        ];
        let mut statuses = Vec::new();
        for request in requests {
            let reply = send(&self.daemon, request).await;
            statuses.push((reply.status, reply.code()));
        }
        statuses
    }
}

fn cookie(reply: &Reply) -> String {
    let line = reply.header("set-cookie");
    line.split(';').next().unwrap().to_owned()
}

fn secret(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["secret"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_without_a_factor_no_credential_of_a_human_counts_until_there_is_one() {
    let mut stage = Stage::new().await;
    let owed = vec![(403, "STEP_UP_REQUIRED".to_owned()); 3];
    let shown: Vec<_> = stage
        .statuses()
        .await
        .into_iter()
        .map(|(status, _)| status)
        .collect();
    assert_eq!(shown, [200; 3]);
    let rule = stage.ask(true).await;
    assert_eq!(rule["required"], true);
    let without = rule["without"].as_u64().unwrap();
    assert_eq!(stage.statuses().await, owed, "from the next request on");
    // Nor can he make himself something that counts.
    let token = json!({ "label": "another", "expires_at": "2026-06-01T00:00:00Z" });
    assert_eq!(stage.post("/api/v1/tokens", &token).await.status, 403);
    let page = Request::new("GET", "/account").header("Cookie", &stage.cookie);
    let page = send(&stage.daemon, page).await;
    assert!(page.status == 200 && page.text().contains("asks everybody for a second factor"));
    // A token enrols nothing; a person does.
    let enrol = json!({ "password": PASSWORD });
    let by_token = Request::new("POST", "/api/v1/auth/mfa/totp").bearer(&stage.token);
    assert_eq!(send(&stage.daemon, by_token.json(&enrol)).await.status, 403);
    let new = stage.post("/api/v1/auth/mfa/totp", &enrol).await;
    assert_eq!(new.status, 200, "{}", new.text());
    assert_eq!(stage.statuses().await, owed, "begun is not enrolled");
    let seed = new.json()["secret"].as_str().unwrap().to_owned();
    let first = json!({ "code": code(&stage.daemon, &seed) });
    let confirmed = stage.post("/api/v1/auth/mfa/totp/confirm", &first).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text());
    stage.cookie = cookie(&confirmed);
    stage.csrf = confirmed.json()["csrf_token"].as_str().unwrap().to_owned();
    let statuses = stage.statuses().await;
    assert!(
        statuses.iter().all(|(status, _)| *status == 200),
        "{statuses:?}"
    );
    assert_eq!(stage.ask(true).await["without"], without - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_waiving_it_lets_everybody_go_on_and_recovery_codes_are_no_factor() {
    let stage = Stage::new().await;
    stage.ask(true).await;
    assert!(
        stage
            .statuses()
            .await
            .iter()
            .all(|(status, _)| *status == 403)
    );
    stage.ask(false).await;
    assert!(
        stage
            .statuses()
            .await
            .iter()
            .all(|(status, _)| *status == 200)
    );
    // Another organization asks for what it likes.
    let reader = stage.daemon.b.token("owner");
    stage.ask(true).await;
    let read = Request::new("GET", "/api/v1/memories").bearer(&reader);
    assert_eq!(send(&stage.daemon, read).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_agents_and_the_installation_have_no_second_factor_and_are_asked_for_none() {
    let stage = Stage::new().await;
    let ids = seed(&stage.daemon, &stage.daemon.a).await;
    let owner = stage.daemon.a.caller(&stage.daemon.store, "owner").await;
    let tags = bodies::Tags(stage.daemon.app.id_tags(&owner));
    let agent: AgentId = skep_api::id::parse(&tags, &ids.agent).unwrap();
    let tenant = (stage.daemon.a.organization, stage.daemon.a.workspace);
    let agent = stage.daemon.admit_agent(tenant, agent).await;
    assert!(matches!(agent.principal, Principal::Agent(_)));
    stage.ask(true).await;
    for token in [agent.token, stage.daemon.a.token("owner")] {
        let read = Request::new("GET", "/api/v1/memories").bearer(&token);
        assert_eq!(send(&stage.daemon, read).await.status, 200);
    }
}

/// Whoever owes one may enrol it and log out: every other route of the table is shut.
#[tokio::test(flavor = "multi_thread")]
async fn a19_every_route_but_those_of_enrolment_is_shut_to_who_owes_a_factor() {
    let stage = Stage::new().await;
    let ids = seed(&stage.daemon, &stage.daemon.a).await;
    let tenant = (stage.daemon.a.organization, stage.daemon.a.workspace);
    let admin = Newcomer {
        organization: OrganizationRole::Admin,
        ..Newcomer::with(Role::Admin)
    };
    let pass = stage.daemon.admit(tenant, admin).await;
    stage.ask(true).await;
    for route in ROUTES.iter().filter(|route| route.gate != Gate::Public) {
        let reply = send(&stage.daemon, request(route, &ids).bearer(&pass.token)).await;
        // What only a human who logged in may do, this key may not with a factor either.
        let why = match route.gate {
            Gate::InPerson => "PERMISSION_DENIED",
            _ => "STEP_UP_REQUIRED",
        };
        let shut = (reply.status, reply.code()) == (403, why.into());
        let expected = !route.is_for_enrolment() && route.gate != Gate::Install;
        assert!(
            shut || !expected,
            "{} {}: {}",
            route.method.as_str(),
            route.path,
            reply.status
        );
        assert!(reply.status < 500, "{}", route.path);
    }
}

/// Nobody lets a program in who may do nothing themselves.
#[tokio::test(flavor = "multi_thread")]
async fn a17_whoever_owes_a_factor_lets_no_program_in() {
    let stage = Stage::new().await;
    let visitor = Visitor::of(&stage.daemon.store, &stage.daemon.a)
        .await
        .unwrap();
    let cookie = visitor.cookie.split_once('=').unwrap().1.as_bytes();
    let caller = stage.daemon.app.authenticate_browser(cookie).await.unwrap();
    assert!(stage.daemon.app.list_homes(&caller).await.is_ok());
    stage.ask(true).await;
    let caller = stage.daemon.app.authenticate_browser(cookie).await.unwrap();
    assert!(stage.daemon.app.list_homes(&caller).await.is_err());
}
