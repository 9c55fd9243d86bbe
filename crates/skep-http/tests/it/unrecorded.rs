//! A daemon whose record of decisions cannot be written.

use std::sync::{Arc, OnceLock};

use skep_app::{App, Settings};
use skep_http::{Edge, Listeners, Serving, Site};
use skep_index::StaticEmbedder;
use skep_test_support::{
    ManualClock, MemoryRootKey, Request, Scratch, StoppedWatch, Tenant, open_store,
};
use tokio::net::{TcpListener, UnixListener};

#[tokio::test(flavor = "multi_thread")]
async fn l03_a_change_that_cannot_be_recorded_is_not_made() {
    let scratch = Scratch::new();
    let root = MemoryRootKey::new(7);
    let clock = Arc::new(ManualClock::new());
    let store = open_store(&scratch.path().join("data"), &root, clock).await;
    let store = Arc::new(store.unwrap());
    let tenant = Tenant::create(&store, "alpha").await.unwrap();
    let embedder = Arc::new(StaticEmbedder::built_in());
    let watch = Arc::new(StoppedWatch);
    let edge = Arc::new(Edge {
        // Nobody writes the record down: as if its disk did not answer.
        app: Arc::new(App::new(store, embedder, watch, Settings::default())),
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

    let owner = tenant.token("owner");
    let write = Request::new("POST", "/api/v1/memories").bearer(&owner);
    let write = write.json(&serde_json::json!({ "text": "canary" }));
    let reply = write.send(address).await.unwrap();
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (503, "AUDIT_UNAVAILABLE")
    );
    assert!(
        reply.head.to_lowercase().contains("retry-after"),
        "{}",
        reply.head
    );
    let list = Request::new("GET", "/api/v1/memories").bearer(&owner);
    let reply = list.send(address).await.unwrap();
    assert_eq!(reply.status, 200, "reads go on");
    assert_eq!(
        reply.json()["items"],
        serde_json::json!([]),
        "nothing was stored"
    );
}
