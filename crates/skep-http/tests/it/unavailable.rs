//! A daemon whose store does not answer when a credential is to be checked.

use std::sync::{Arc, OnceLock};

use serde_json::json;
use skep_app::{App, AuditDesk, Settings};
use skep_http::{Edge, Listeners, Serving, Site};
use skep_index::StaticEmbedder;
use skep_store::Mode;
use skep_test_support::{
    ManualClock, MemoryRootKey, Request, Scratch, StoppedWatch, Tenant, Visitor,
    open_impatient_store,
};
use tokio::net::{TcpListener, UnixListener};

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "a test that stands in a door on purpose"
)]
async fn f02_a_credential_that_cannot_be_checked_is_no_bad_credential() {
    let scratch = Scratch::new();
    let clock = Arc::new(ManualClock::new());
    let root = MemoryRootKey::new(7);
    let store = open_impatient_store(&scratch.path().join("data"), &root, clock).await;
    let store = Arc::new(store.unwrap());
    let tenant = Tenant::create(&store, "alpha").await.unwrap();
    let visitor = Visitor::of(&store, &tenant).await.unwrap();
    let app = Arc::new(App::new(
        Arc::clone(&store),
        Arc::new(StaticEmbedder::built_in()),
        Arc::new(StoppedWatch),
        Settings::default(),
    ));
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
    jobs.spawn(AuditDesk::new(app).run());

    let owner = tenant.token("owner");
    let read = Request::new("GET", "/api/v1/memories").bearer(&owner);
    let write = Request::new("POST", "/api/v1/memories").bearer(&owner);
    let write = write.json(&json!({ "text": "canary" }));
    let browser = Request::new("GET", "/api/v1/whoami").header("Cookie", &visitor.cookie);
    assert_eq!(read.send(address).await.unwrap().status, 200);
    let mut held = store.begin_door(Mode::Read).await.unwrap();
    held.has_users().await.unwrap();
    // What was looked up counts as long as nothing has changed, and after that no more.
    assert_eq!(read.send(address).await.unwrap().status, 200);
    let mut change = store.begin_door(Mode::Write).await.unwrap();
    change.has_users().await.unwrap();
    change.commit().await.unwrap();
    for request in [&read, &write, &browser] {
        let reply = request.send(address).await.unwrap();
        let refused = (reply.status, reply.code());
        assert_eq!(refused, (503, "AUTH_UNAVAILABLE".to_owned()));
        assert!(!reply.header("Retry-After").is_empty(), "{}", reply.head);
        assert_eq!(reply.header("WWW-Authenticate"), "", "nobody logs in anew");
        let mut body = reply.json();
        body["error"]["request_id"] = "".into();
        assert!(!body.to_string().contains("transaction"), "{body}");
    }
    // What cannot have been ours is refused all the same: that needs no store.
    let bogus = Request::new("GET", "/api/v1/memories").bearer("skep_sk_bogus");
    assert_eq!(bogus.send(address).await.unwrap().status, 401);
    // Nor does a model call go anywhere, and its client is told in its own dialect.
    let model = Request::new("POST", "/v1/chat/completions").bearer(&owner);
    let model = model.json(&json!({ "model": "m", "messages": [] }));
    let reply = model.send(address).await.unwrap();
    let refused = (reply.status, reply.json()["error"]["type"].clone());
    assert_eq!(refused, (503, json!("server_error")), "sec2");
    drop(held);
    let reply = read.send(address).await.unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["items"], json!([]), "nothing was stored");
    assert_eq!(browser.send(address).await.unwrap().status, 200);
    // This one counts no calls either, and says so.
    let posture = Request::new("GET", "/api/v1/system/posture").bearer(&owner);
    let posture = posture.send(address).await.unwrap().json();
    assert!(posture["weaknesses"].to_string().contains("not counted"));
}
