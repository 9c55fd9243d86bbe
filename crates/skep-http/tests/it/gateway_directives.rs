//! Standing texts: who says what counts, what models are given of it, and that drafts do nothing.

use serde_json::{Value, json};
use skep_app::{AppError, DirectivePlace};
use skep_authz::Authorized;
use skep_authz::rights::WorkspaceManage;
use skep_test_support::model::{ScriptedModel, Turn, openai};
use skep_test_support::{Reply, Request, TestDaemon, TestTimer};

use crate::gateway::{CHAT, set};

const RULE: &str = "Ask before you push. <b>No</b> secrets in \"logs\".";

struct House {
    daemon: TestDaemon,
    model: ScriptedModel,
    timer: TestTimer,
}

impl House {
    async fn new() -> Self {
        let (model, timer) = (ScriptedModel::start(Vec::new()), TestTimer::default());
        let daemon = TestDaemon::start_gateway_by(&[model.address], &timer).await;
        let url = format!("http://{}", model.address);
        let up = json!({ "name": "up", "kind": "compatible", "base_url": url });
        set(&daemon, up).await;
        Self {
            daemon,
            model,
            timer,
        }
    }

    async fn ask(&self, who: &str, (method, path): (&str, &str), body: Value) -> Reply {
        let request = Request::new(method, &format!("/api/v1/{path}"));
        let request = request.bearer(&self.daemon.a.token(who));
        let request = if body.is_null() {
            request
        } else {
            request.json(&body)
        };
        request.send(self.daemon.address).await.unwrap()
    }

    async fn draft(&self, of: &str, text: &str) {
        let body = json!({ "of": of, "text": text });
        let made = self.ask("owner", ("POST", "directives"), body).await;
        assert_eq!(made.status, 200, "{}", made.json());
        assert_eq!(made.json()["in_force"], false);
    }

    async fn promote(&self, who: &str, of: &str, version: u32) -> u16 {
        let body = json!({ "of": of, "version": version });
        self.ask(who, ("POST", "directives/promote"), body)
            .await
            .status
    }

    /// What the header says, and the content of the first message upstream.
    async fn call(&self, memory: &str, texts: &[&str]) -> (String, Vec<String>) {
        self.model.then(Turn::Write(openai("aye", 1, 1)));
        let said = texts
            .iter()
            .map(|text| json!({ "role": "user", "content": text }));
        let body = json!({ "model": "up/m", "messages": said.collect::<Vec<_>>() });
        let request = Request::new("POST", CHAT).bearer(&self.daemon.a.token("isolated"));
        let request = request.header("X-Skep-Memory", memory).json(&body);
        let reply = request.send(self.daemon.address).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.json());
        let sent: Value = serde_json::from_str(&self.model.asked().last().unwrap().body).unwrap();
        let sent = sent["messages"].as_array().unwrap().iter();
        let sent = sent.map(|message| message["content"].as_str().unwrap().to_owned());
        (reply.header("x-skep-context"), sent.collect())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_does_nothing_and_what_is_promoted_stands_in_every_call() {
    let house = House::new().await;
    house.draft("workspace", RULE).await;
    house.draft("workspace", "Second.").await;
    house.draft("organization", "Everywhere.").await;
    let plain = ("directive".to_owned(), vec!["hello".to_owned()]);
    assert_eq!(house.call("directive", &["hello"]).await, plain);
    assert_eq!(house.promote("owner", "workspace", 1).await, 200);
    assert_eq!(house.promote("owner", "organization", 1).await, 200);

    let (told, sent) = house.call("directive", &["hello"]).await;
    let given = sent[0].strip_prefix("hello\n\n").unwrap().to_owned();
    let lines: Vec<_> = given.split("</skep-directive>").collect();
    assert!(lines[0].starts_with("<skep-directive of=\"organization\" version=\"1\" sha256=\""));
    assert!(lines[0].ends_with("\">Everywhere."), "{given}");
    let escaped = "Ask before you push. &lt;b&gt;No&lt;/b&gt; secrets in &quot;logs&quot;.";
    assert!(lines[1].contains("of=\"workspace\" version=\"1\"") && lines[1].ends_with(escaped));
    assert_eq!((told.as_str(), lines.len()), ("directive", 3));
    // With memories as well, and where it stood: the same bytes in the next call of the conversation.
    let (told, sent) = house.call("on", &["hello", "more"]).await;
    assert_eq!(
        (told.as_str(), sent),
        ("0 blocks", vec![format!("hello\n\n{given}"), "more".into()])
    );
    let (_, other) = house.call("on", &["hi"]).await;
    assert_ne!(
        other[0],
        format!("hi\n\n{given}"),
        "a nonce of each conversation"
    );
    assert_eq!(house.call("off", &["hello"]).await.1, ["hello"]);

    // Late: it is there all the same.
    house.timer.set_over(true);
    house.daemon.clock.advance_seconds(60);
    let (told, sent) = house.call("on", &["hello"]).await;
    assert_eq!(
        (told.as_str(), &sent[0]),
        ("degraded", &format!("hello\n\n{given}"))
    );

    // Another version, at once after it was promoted: what counted before stands until that can be read.
    assert_eq!(house.promote("owner", "workspace", 2).await, 200);
    let (told, sent) = house.call("on", &["hello"]).await;
    assert_eq!(
        (told.as_str(), &sent[0]),
        ("degraded", &format!("hello\n\n{given}"))
    );
    house.timer.set_over(false);

    // None, and what is said of it.
    assert_eq!(house.promote("owner", "organization", 0).await, 200);
    let (_, sent) = house.call("directive", &["hello"]).await;
    assert!(
        sent[0].contains("version=\"2\"") && !sent[0].contains("Everywhere"),
        "{sent:?}"
    );
    assert_eq!(house.promote("owner", "workspace", 9).await, 404);
    let list = house
        .ask("reader", ("GET", "directives"), Value::Null)
        .await
        .json();
    let counts: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["in_force"] == true)
        .collect();
    assert_eq!(counts, [true, false]);
    let said: Vec<_> = list["promotions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["version"].as_u64())
        .collect();
    assert_eq!(said, [Some(2), Some(1)]);
    let one = house
        .ask(
            "reader",
            ("GET", "directives/version?version=1"),
            Value::Null,
        )
        .await
        .json();
    assert_eq!(
        (&one["text"], &one["in_force"]),
        (&json!(RULE), &json!(false))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_begins_with_what_stands_though_nothing_is_known() {
    let house = House::new().await;
    let start = async |moment: &str| {
        let body = json!({ "harness": "claude-code", "external_id": "s-1", "moment": moment, "prompt": "hello", "deadline_ms": 60_000 });
        house.ask("isolated", ("POST", "inject"), body).await.json()["text"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(start("session_start").await, "");
    house.draft("workspace", RULE).await;
    assert_eq!(house.promote("owner", "workspace", 1).await, 200);
    let given = skep_memory::parse(&start("session_start").await).unwrap();
    assert_eq!(
        (given.standing[0].text.as_str(), given.blocks.len()),
        (RULE, 0)
    );
    assert_eq!(start("prompt").await, "", "it is in the context already");
    assert_ne!(start("compacted").await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn m07_what_counts_is_said_by_whoever_runs_the_workspace() {
    let house = House::new().await;
    house.draft("workspace", RULE).await;
    house.draft("organization", RULE).await;
    for who in ["isolated", "reader", "colleague", "steward"] {
        assert_eq!(house.promote(who, "workspace", 1).await, 403, "{who}");
        assert_eq!(house.promote(who, "organization", 1).await, 403, "{who}");
    }
    for who in ["isolated", "reader"] {
        let draft = house
            .ask(who, ("POST", "directives"), json!({ "text": "x" }))
            .await;
        assert_eq!(draft.status, 403, "{who}");
    }
    assert_eq!(house.call("directive", &["hello"]).await.1, ["hello"]);
    for text in [
        "",
        " \n",
        &"x".repeat(3_001),
        "the key is ghp_x7Kq2mP9vR4tY8wZ1bN6cD3fG5hJ0sLaQeUo",
    ] {
        let draft = house
            .ask("owner", ("POST", "directives"), json!({ "text": text }))
            .await;
        assert_eq!(draft.status, 400, "{text}");
    }
    // Whoever manages a workspace does not speak for all of them.
    let owner = house.daemon.a.caller(&house.daemon.store, "owner").await;
    let right: Authorized<WorkspaceManage> = owner.authorize().unwrap();
    let everywhere = (DirectivePlace::Organization, 1);
    let denied = house
        .daemon
        .app
        .promote_directive(right, None, everywhere)
        .await;
    assert!(matches!(denied, Err(AppError::Denied(_))), "{denied:?}");
    // Of another organization's nothing is read, and nothing given.
    assert_eq!(house.promote("owner", "organization", 1).await, 200);
    let theirs = Request::new("GET", "/api/v1/directives?of=organization")
        .bearer(&house.daemon.b.token("owner"));
    let theirs = theirs.send(house.daemon.address).await.unwrap().json();
    assert_eq!(theirs, json!({ "items": [], "promotions": [] }));
    // Each act is in the record.
    let record = house
        .ask("owner", ("GET", "audit"), Value::Null)
        .await
        .json();
    let acts: Vec<_> = record["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["action"].as_str())
        .collect();
    for act in ["directive.draft", "directive.promote"] {
        assert!(acts.contains(&act), "{acts:?}");
    }
}
