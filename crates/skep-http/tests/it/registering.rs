//! Accounts that people make for themselves.

use std::sync::Arc;

use serde_json::{Value, json};
use skep_app::{MailDesk, PeopleSettings};
use skep_test_support::{Postbox, Reply, Request, TestDaemon, people};

use crate::logins::PASSWORD;

struct Stage {
    daemon: TestDaemon,
    postbox: Postbox,
}

impl Stage {
    async fn new(public_registration: bool) -> Self {
        let postbox = Postbox::start().await;
        let people = PeopleSettings {
            public_registration,
            mailer: Some(postbox.mailer()),
            ..people()
        };
        let daemon = TestDaemon::start_people(people).await;
        Self { daemon, postbox }
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        let request = Request::new("POST", &format!("/api/v1/auth/{path}")).json(body);
        request.send(self.daemon.address).await.unwrap()
    }

    async fn register(&self, address: &str) -> Reply {
        let body = json!({ "address": address, "name": "Maria", "password": PASSWORD });
        self.post("register", &body).await
    }

    async fn log_in(&self, address: &str) -> u16 {
        let body = json!({ "address": address, "password": PASSWORD });
        self.post("login", &body).await.status
    }

    /// The letters that went out by now.
    async fn letters(&self) -> Vec<String> {
        MailDesk::new(Arc::clone(&self.daemon.app)).empty().await;
        // What an answer to a job puts in line is sent with the next turn.
        MailDesk::new(Arc::clone(&self.daemon.app)).empty().await;
        // Lines that were too long for mail are joined again.
        let letters = self.postbox.letters().into_iter();
        letters.map(|letter| letter.replace("=\r\n", "")).collect()
    }
}

fn code(letter: &str) -> String {
    let words = letter.split_whitespace();
    let code = words
        .into_iter()
        .find(|word| word.starts_with("skep_confirm_"));
    code.unwrap_or_else(|| panic!("no code in {letter}"))
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_nothing_is_made_before_the_code_of_the_letter_comes_back() {
    let stage = Stage::new(true).await;
    assert_eq!(stage.register("maria@hive.example").await.status, 200);
    assert_eq!(
        stage.log_in("maria@hive.example").await,
        401,
        "no account yet"
    );
    let letters = stage.letters().await;
    assert!(
        letters.len() == 1 && letters[0].contains("maria@hive.example"),
        "{letters:?}"
    );
    assert_eq!(
        stage.log_in("maria@hive.example").await,
        401,
        "nor by the letter alone"
    );
    let code = json!({ "code": code(&letters[0]) });
    for bad in [
        "",
        "skep_confirm_",
        "skep_confirm_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let wrong = stage
            .post("register/confirm", &json!({ "code": bad }))
            .await;
        assert_eq!(wrong.status, 401, "{bad}");
    }
    let inside = stage.post("register/confirm", &code).await;
    assert_eq!(inside.status, 200, "{}", inside.text());
    let cookie = inside.header("set-cookie");
    let cookie = cookie.split(';').next().unwrap();
    let seen = Request::new("GET", "/api/v1/whoami").header("Cookie", cookie);
    let seen = seen.send(stage.daemon.address).await.unwrap().json();
    assert_eq!(seen["role"], "admin");
    let tenants = [stage.daemon.a.organization, stage.daemon.b.organization];
    let own = stage
        .daemon
        .app
        .authenticate_browser(cookie.split_once('=').unwrap().1.as_bytes());
    assert!(
        !tenants.contains(&own.await.unwrap().organization()),
        "an organization of its own"
    );
    assert_eq!(stage.log_in("maria@hive.example").await, 200);
    assert_ne!(
        stage.post("register/confirm", &code).await.status,
        200,
        "a second time"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s01_an_address_with_an_account_is_answered_like_one_without() {
    let stage = Stage::new(true).await;
    stage.register("maria@hive.example").await;
    let code = json!({ "code": code(&stage.letters().await[0]) });
    stage.post("register/confirm", &code).await;
    let bare = |reply: Reply| (reply.status, reply.text());
    let known = bare(stage.register("MARIA@hive.example").await);
    let unknown = bare(stage.register("jonas@hive.example").await);
    assert_eq!(known, unknown);
    let letters = stage.letters().await;
    assert_eq!(letters.len(), 3);
    let to = |address: &str| {
        letters[1..]
            .iter()
            .find(|letter| letter.contains(address))
            .unwrap()
    };
    assert!(to("<MARIA@hive.example>").contains("There is one"));
    assert!(!to("<MARIA@hive.example>").contains("skep_confirm_"));
    assert!(to("<jonas@hive.example>").contains("skep_confirm_"));
    // A bad password is refused before anything is looked up, for the one as for the other.
    for address in ["maria@hive.example", "nobody@hive.example"] {
        let short = json!({ "address": address, "name": "M", "password": "short" });
        assert_eq!(
            stage.post("register", &short).await.status,
            400,
            "{address}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_of_sixteen_who_enter_one_code_at_once_one_makes_the_account() {
    let stage = Stage::new(true).await;
    stage.register("maria@hive.example").await;
    let code = json!({ "code": code(&stage.letters().await[0]) });
    let before = stage.daemon.store.workspaces().await.unwrap().len();
    let all = (0..16).map(|_| stage.post("register/confirm", &code));
    let all = futures_util::future::join_all(all).await;
    let made = all.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(made, 1);
    assert!(
        all.iter()
            .all(|reply| [200, 401, 409].contains(&reply.status))
    );
    assert_eq!(
        stage.daemon.store.workspaces().await.unwrap().len(),
        before + 1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_where_it_is_off_nobody_makes_an_account() {
    let stage = Stage::new(false).await;
    assert_eq!(stage.register("maria@hive.example").await.status, 403);
    let code = json!({ "code": "skep_confirm_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" });
    assert_eq!(stage.post("register/confirm", &code).await.status, 403);
    for path in ["/register", "/register/confirm"] {
        let page = Request::new("GET", path)
            .send(stage.daemon.address)
            .await
            .unwrap();
        assert_eq!(page.status, 403, "{path}");
        let fields = [
            ("address", "a@b.example"),
            ("name", "A"),
            ("password", PASSWORD),
            ("code", "x"),
        ];
        let form = Request::new("POST", path)
            .form(&fields)
            .send(stage.daemon.address)
            .await;
        assert_eq!(form.unwrap().status, 403, "{path}");
    }
    assert!(stage.letters().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_by_pages_alone() {
    let stage = Stage::new(true).await;
    let form = async |path: &str, fields: &[(&str, &str)]| {
        let request = Request::new("POST", path).form(fields);
        request.send(stage.daemon.address).await.unwrap()
    };
    let fields = [
        ("address", "maria@hive.example"),
        ("name", "<b>Maria"),
        ("password", PASSWORD),
    ];
    let sent = form("/register", &fields).await;
    assert!(
        sent.status == 200 && sent.text().contains("on its way"),
        "{}",
        sent.text()
    );
    let wrong = form("/register/confirm", &[("code", "skep_confirm_x")]).await;
    assert_eq!(wrong.status, 401);
    let code = code(&stage.letters().await[0]);
    let inside = form("/register/confirm", &[("code", &code)]).await;
    assert_eq!(
        (inside.status, inside.header("location").as_str()),
        (303, "/account")
    );
    let short = [
        ("address", "a@b.example"),
        ("name", "A"),
        ("password", "short"),
    ];
    assert_eq!(form("/register", &short).await.status, 400);
}
