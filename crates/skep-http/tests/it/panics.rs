//! A panic in a handler: 500 with the request id, nothing of its text, and the daemon goes on.

use std::sync::{Arc, OnceLock};

use skep_app::{App, Settings, Stopwatch};
use skep_http::{Edge, Listeners, Serving, Site};
use skep_index::StaticEmbedder;
use skep_test_support::{ManualClock, MemoryRootKey, Request, Scratch, Tenant, open_store};
use tokio::net::{TcpListener, UnixListener};

struct Broken;

impl Stopwatch for Broken {
    fn micros(&self) -> u64 {
        panic!("the text of a panic may hold content")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panicking_handler_is_a_500_and_the_next_request_is_served() {
    let scratch = Scratch::new();
    let root = MemoryRootKey::new(1);
    let store = open_store(
        &scratch.path().join("data"),
        &root,
        Arc::new(ManualClock::new()),
    )
    .await
    .unwrap();
    let store = Arc::new(store);
    let tenant = Tenant::create(&store, "alpha").await.unwrap();
    let app = App::new(
        store,
        Arc::new(StaticEmbedder::built_in()),
        Arc::new(Broken),
        Settings::default(),
    );
    let edge = Arc::new(Edge {
        app: Arc::new(app),
        version: "test",
        limits: None,
        site: Site::default(),
        listeners: OnceLock::new(),
    });
    let socket = UnixListener::bind(scratch.path().join("s")).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let mut jobs = tokio::task::JoinSet::new();
    jobs.spawn(Serving::new(edge).run(
        Listeners {
            socket,
            tcp: Some(tcp),
        },
        std::future::pending(),
    ));

    let recall = Request::new("POST", "/api/v1/recall")
        .bearer(&tenant.token("owner"))
        .json(&serde_json::json!({ "query": "anything" }));
    let reply = recall.send(address).await.unwrap();
    assert_eq!((reply.status, reply.code().as_str()), (500, "INTERNAL"));
    assert!(!String::from_utf8_lossy(&reply.body).contains("may hold content"));
    let id = reply.json()["error"]["request_id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(reply.head.contains(&id));
    let after = Request::new("GET", "/healthz").send(address).await.unwrap();
    assert_eq!(after.status, 200);
}
