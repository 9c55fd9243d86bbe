//! A daemon whose record of decisions cannot be written.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use serde_json::json;
use skep_app::{App, AuditDesk, Decision, GatewaySettings, MeterDesk, Piece, Reads, Settings};
use skep_domain::{Id, MemoryId};
use skep_http::{Edge, Listeners, Serving, Site};
use skep_index::StaticEmbedder;
use skep_store::Store;
use skep_test_support::{
    ManualClock, MemoryRootKey, Reply, Request, Scratch, StoppedWatch, Tenant, TestTimer,
    open_store,
};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;

/// One without anybody who writes the record down: as if its disk did not answer.
struct Mute {
    scratch: Scratch,
    store: Arc<Store>,
    tenant: Tenant,
    app: Arc<App>,
    address: SocketAddr,
    jobs: JoinSet<()>,
}

async fn mute(reads: Reads) -> Mute {
    let scratch = Scratch::new();
    let root = MemoryRootKey::new(7);
    let clock = Arc::new(ManualClock::new());
    let store = open_store(&scratch.path().join("data"), &root, clock).await;
    let store = Arc::new(store.unwrap());
    let tenant = Tenant::create(&store, "alpha").await.unwrap();
    let embedder = Arc::new(StaticEmbedder::built_in());
    let watch = Arc::new(StoppedWatch);
    let app = App::new(Arc::clone(&store), embedder, watch, Settings::default());
    let app = app.with_gateway(GatewaySettings {
        mock: true,
        timer: Arc::new(TestTimer::default()),
        ..GatewaySettings::default()
    });
    let app = Arc::new(app.with_reads(reads));
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
    let mut jobs = JoinSet::new();
    jobs.spawn(Serving::new(edge).run(listeners, std::future::pending()));
    Mute {
        scratch,
        store,
        tenant,
        app,
        address,
        jobs,
    }
}

impl Mute {
    async fn send(&self, persona: &str, request: Request) -> Reply {
        let request = request.bearer(&self.tenant.token(persona));
        request.send(self.address).await.unwrap()
    }

    /// A memory of an agent's that people may read, and a model, put there while the record was written.
    async fn planted(&mut self) -> String {
        let desk = self.jobs.spawn(AuditDesk::new(Arc::clone(&self.app)).run());
        let write = Request::new("POST", "/api/v1/memories");
        let write = write.json(&json!({ "text": "The lock is open." }));
        let kept = self.send("shared", write).await.json();
        let mock = Request::new("POST", "/api/v1/providers");
        let mock = mock.json(&json!({ "name": "mock", "kind": "mock" }));
        assert_eq!(self.send("owner", mock).await.status, 200);
        desk.abort();
        while !desk.is_finished() {
            tokio::task::yield_now().await;
        }
        kept["memory"]["id"].as_str().unwrap().to_owned()
    }

    /// What a model was given that says it back, and what the answer says of that.
    async fn call(&self, persona: &str) -> (String, bool) {
        let said = json!([{ "role": "user", "content": "Is the lock open?" }]);
        let call = Request::new("POST", "/v1/chat/completions").header("X-Skep-Memory", "on");
        let call = call.json(&json!({ "model": "mock/echo", "messages": said }));
        let reply = self.send(persona, call).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let given = reply.text().contains("The lock is open.");
        (reply.header("x-skep-context"), given)
    }

    async fn get(&self, persona: &str, path: &str) -> Reply {
        self.send(persona, Request::new("GET", path)).await
    }
}

const REFUSED: (u16, &str) = (503, "AUDIT_UNAVAILABLE");

#[tokio::test(flavor = "multi_thread")]
async fn l03_a_change_that_cannot_be_recorded_is_not_made() {
    let mute = mute(Reads::Allow).await;
    let write = Request::new("POST", "/api/v1/memories").json(&json!({ "text": "canary" }));
    let reply = mute.send("owner", write).await;
    assert_eq!((reply.status, &*reply.code()), REFUSED);
    assert!(
        reply.head.to_lowercase().contains("retry-after"),
        "{}",
        reply.head
    );
    let reply = mute.get("owner", "/api/v1/memories").await;
    assert_eq!(reply.status, 200, "reads go on");
    assert_eq!(reply.json()["items"], json!([]), "nothing was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn l03_reads_that_cannot_be_recorded_are_bounded() {
    const MOST: usize = 4_096;
    let mut mute = mute(Reads::Allow).await;
    let memory = mute.planted().await;
    let path = format!("/api/v1/memories/{memory}");
    assert_eq!(mute.get("owner", &path).await.status, 200, "reads go on");
    let owner = mute.tenant.caller(&mute.store, "owner").await;
    let piece = [Piece::Memory(MemoryId::from_bytes([7; 16]))];
    for _ in 1..MOST {
        let why = Decision::of("content.read");
        mute.app.record_shown(why, &owner, &piece).await.unwrap();
    }
    let reply = mute.get("owner", &path).await;
    assert_eq!((reply.status, &*reply.code()), REFUSED);
    assert!(!reply.text().contains("lock"), "{}", reply.text());
    assert_eq!(mute.get("shared", &path).await.status, 200, "one's own");
    // Once it can be written, all of them are there.
    AuditDesk::new(Arc::clone(&mute.app)).write().await;
    assert_eq!(mute.get("owner", &path).await.status, 200);
    let (mut reads, mut query) = (0, String::new());
    loop {
        let page = mute
            .get("owner", &format!("/api/v1/audit?limit=200{query}"))
            .await;
        let page = page.json();
        let items = page["items"].as_array().unwrap();
        reads += items
            .iter()
            .filter(|entry| entry["action"] == "content.read")
            .count();
        let Some(next) = page["next"].as_str() else {
            break;
        };
        query = format!("&cursor={next}");
    }
    assert_eq!(reads, MOST);
    assert!(mute.scratch.path().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn l03_no_read_goes_unrecorded_where_that_is_asked_for() {
    let mut mute = mute(Reads::Deny).await;
    let memory = mute.planted().await;
    let path = format!("/api/v1/memories/{memory}");
    let reply = mute.get("owner", &path).await;
    assert_eq!((reply.status, &*reply.code()), REFUSED);
    assert!(!reply.text().contains("lock"), "{}", reply.text());
    assert_eq!(mute.get("shared", &path).await.status, 200, "one's own");
    mute.jobs.spawn(AuditDesk::new(Arc::clone(&mute.app)).run());
    assert_eq!(mute.get("owner", &path).await.status, 200);
    let seen = mute.get("shared", &format!("{path}/seen")).await.json();
    assert_eq!(seen["items"].as_array().unwrap().len(), 1, "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn l03_a_call_is_not_given_what_cannot_be_recorded() {
    let mut mute = mute(Reads::Deny).await;
    let memory = mute.planted().await;
    let tenant = (mute.tenant.organization, mute.tenant.workspace);
    mute.app.tend(tenant).await.unwrap();
    // What a call costs is written all the same.
    mute.jobs.spawn(MeterDesk::new(Arc::clone(&mute.app)).run());
    assert_eq!(mute.call("owner").await, ("degraded".to_owned(), false));
    let one = ("1 block".to_owned(), true);
    assert_eq!(mute.call("shared").await, one, "one's own");
    mute.jobs.spawn(AuditDesk::new(Arc::clone(&mute.app)).run());
    assert_eq!(mute.call("owner").await, one);
    let seen = format!("/api/v1/memories/{memory}/seen");
    let seen = mute.get("shared", &seen).await.json();
    let whys = seen["items"].as_array().unwrap().iter();
    assert!(
        whys.clone()
            .all(|entry| entry["reason"] == "POST /v1/chat/completions")
    );
    // Nobody is said to have read what was not given to them.
    assert_eq!(whys.count(), 1, "{seen}");
}
