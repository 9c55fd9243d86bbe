//! A daemon that asks another one: it never lets anybody in because nobody answered, and never for
//! long because somebody did.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use skep_crypto::SystemRandom;
use skep_domain::Role;
use skep_grpc::{Destination, Remote, ask};
use skep_test_support::{ManualClock, Reply, Request, Scratch, TestDaemon};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use crate::house::{House, Oddity};

/// The daemon that asks.
struct Node {
    daemon: TestDaemon,
    remote: Arc<Remote>,
    jobs: JoinSet<()>,
}

impl Node {
    /// Asks at a socket.
    async fn at(socket: &Path) -> Self {
        let channel = ask(&Destination::Unix(socket.to_owned())).unwrap();
        let clock = Arc::new(ManualClock::new());
        let remote = Remote::new(
            "there".into(),
            channel,
            Arc::clone(&clock) as _,
            &SystemRandom,
        );
        let remote = Arc::new(remote);
        let daemon = TestDaemon::start_asking(Arc::clone(&remote) as _, clock).await;
        Self {
            daemon,
            remote,
            jobs: JoinSet::new(),
        }
    }

    /// Hears the news from now on.
    fn watch(&mut self) {
        let remote = Arc::clone(&self.remote);
        self.jobs.spawn(async move { remote.watch().await });
    }

    async fn get(&self, path: &str, token: &str) -> Reply {
        let request = Request::new("GET", path).bearer(token);
        request.send(self.daemon.address).await.unwrap()
    }

    async fn whoami(&self, token: &str) -> Reply {
        self.get("/api/v1/whoami", token).await
    }
}

/// 503, in the stable envelope, with when to try again.
fn assert_unavailable(reply: &Reply) {
    assert_eq!(reply.status, 503, "{:?}", reply.json());
    let error = &reply.json()["error"];
    assert_eq!(error["code"], "AUTH_UNAVAILABLE");
    assert!(
        error["retry_after_ms"]
            .as_u64()
            .is_some_and(|millis| millis > 0)
    );
    assert!(error["request_id"].is_string());
    assert!(
        reply.head.to_lowercase().contains("retry-after: 1"),
        "{}",
        reply.head
    );
}

fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long somebody waits is wall time"
    )]
    Instant::now()
}

/// What stands between a node and the daemon it asks.
#[derive(Clone, Copy)]
enum Way {
    /// Takes whatever comes and passes nothing on.
    Silent,
    /// Passes each answer on after a while.
    Late(Duration),
}

/// A way to a socket that counts who goes it.
struct Relay {
    socket: PathBuf,
    met: Arc<AtomicUsize>,
    _jobs: JoinSet<()>,
    _folder: Scratch,
}

impl Relay {
    fn to(target: &Path, way: Way) -> Self {
        let folder = Scratch::new();
        let socket = folder.path().join("relay.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let met = Arc::new(AtomicUsize::new(0));
        let (counted, target) = (Arc::clone(&met), target.to_owned());
        let mut jobs = JoinSet::new();
        jobs.spawn(async move {
            let mut ways = JoinSet::new();
            loop {
                let (near, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                ways.spawn(pass(near, target.clone(), way));
            }
        });
        Self {
            socket,
            met,
            _jobs: jobs,
            _folder: folder,
        }
    }
}

async fn pass(near: UnixStream, target: PathBuf, way: Way) {
    let far = UnixStream::connect(target).await.unwrap();
    let ((mut near_in, mut near_out), (mut far_in, mut far_out)) =
        (near.into_split(), far.into_split());
    let there = async {
        let _ = tokio::io::copy(&mut near_in, &mut far_out).await;
    };
    let back = async {
        let mut bytes = [0; 4_096];
        while let Ok(read @ 1..) = far_in.read(&mut bytes).await {
            match way {
                Way::Silent => {}
                Way::Late(late) => {
                    tokio::time::sleep(late).await;
                    if near_out.write_all(&bytes[..read]).await.is_err() {
                        break;
                    }
                }
            }
        }
    };
    tokio::join!(there, back);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_says_who_somebody_is_as_the_daemon_that_knows_and_keeps_nothing_of_theirs() {
    let house = House::start().await;
    let node = Node::at(&house.socket).await;
    for role in Role::ALL {
        let pass = house.pass(*role).await;
        let request = Request::new("GET", "/api/v1/whoami").bearer(&pass.token);
        let known = request.send(house.daemon.address).await.unwrap().json();
        let vouched = node.whoami(&pass.token).await;
        assert_eq!(vouched.status, 200, "{:?}", vouched.json());
        assert_eq!(vouched.json(), known, "{role:?}");
        for path in [
            "/api/v1/memories",
            "/api/v1/tokens",
            "/api/v1/keys",
            "/api/v1/system/posture",
        ] {
            let refused = node.get(path, &pass.token).await;
            assert_eq!(refused.status, 403, "{path}");
            assert_eq!(refused.json()["error"]["code"], "NOT_SERVED_HERE", "{path}");
        }
    }
    // Its own tenants' people are known to nobody that it asks, and its doors make nobody known.
    let own = node.daemon.admit(
        (node.daemon.a.organization, node.daemon.a.workspace),
        skep_test_support::Newcomer::with(Role::Admin),
    );
    let refused = node.whoami(&own.await.token).await;
    assert_eq!(refused.json()["error"]["code"], "INVALID_CREDENTIAL");
    let install = node.daemon.a.token("owner");
    assert_eq!(
        node.get("/api/v1/memories", &install).await.status,
        200,
        "who runs it"
    );
    for path in [
        "/api/v1/keys",
        "/api/v1/auth/login",
        "/oauth/token",
        "/api/v1/setup",
    ] {
        let request = Request::new("POST", path)
            .bearer(&install)
            .json(&serde_json::json!({}));
        let refused = request.send(node.daemon.address).await.unwrap();
        assert_eq!(refused.json()["error"]["code"], "NOT_SERVED_HERE", "{path}");
    }
    let probe = Request::new("GET", "/healthz")
        .send(node.daemon.address)
        .await;
    assert_eq!(probe.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_the_daemon_that_knows_is_passed_on_as_it_is() {
    let quotas = vec![("api_credential", "2/h")];
    let house = House::with(Oddity {
        quotas,
        ..Oddity::default()
    })
    .await;
    let node = Node::at(&house.socket).await;
    let pass = house.pass(Role::Readonly).await;
    assert_eq!(node.whoami(&pass.token).await.status, 200);
    assert_eq!(node.whoami(&pass.token).await.status, 200);
    let refused = node.whoami(&pass.token).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].as_str()),
        (429, Some("RATE_LIMITED"))
    );
    let long = format!("{}{}", pass.token, "x".repeat(5_000));
    for bad in ["nonsense", "a.b.c", long.as_str(), "skep_it_x"] {
        let refused = node.whoami(bad).await;
        assert_eq!(refused.status, 401, "{bad}");
        assert_eq!(
            refused.json()["error"]["code"],
            "INVALID_CREDENTIAL",
            "{bad}"
        );
    }
    assert!(
        skep_app::Elsewhere::standing(&*node.remote).1,
        "an answer is an answer"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn f02_a_killed_service_is_503_at_once_and_one_that_came_back_is_asked_again() {
    let mut house = House::start().await;
    let node = Node::at(&house.socket).await;
    let pass = house.pass(Role::Operator).await;
    assert_eq!(node.whoami(&pass.token).await.status, 200);
    house.fall().await;
    let begun = now();
    for _ in 0..6 {
        assert_unavailable(&node.whoami(&pass.token).await);
    }
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    house.serve(&Oddity::default());
    assert_unavailable(&node.whoami(&pass.token).await);
    node.daemon.clock.advance_seconds(1);
    assert_eq!(
        node.whoami(&pass.token).await.status,
        200,
        "the trial closes it"
    );
    assert_eq!(node.whoami(&pass.token).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn f02_a_hanging_service_costs_its_deadline_three_times_and_then_nothing() {
    let house = House::start().await;
    let relay = Relay::to(&house.socket, Way::Silent);
    let node = Node::at(&relay.socket).await;
    let pass = house.pass(Role::Operator).await;
    let mut took = Vec::new();
    for _ in 0..20 {
        let begun = now();
        assert_unavailable(&node.whoami(&pass.token).await);
        took.push(begun.elapsed());
    }
    assert!(
        took.iter().all(|took| *took < Duration::from_secs(1)),
        "{took:?}"
    );
    assert!(
        took[..3]
            .iter()
            .all(|took| *took >= Duration::from_millis(200)),
        "{took:?}"
    );
    let rest: Duration = took[3..].iter().sum();
    assert!(rest < Duration::from_millis(17 * 100), "{took:?}");
    assert_eq!(relay.met.load(Ordering::SeqCst), 1, "one connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn f02_an_answer_after_the_deadline_lets_nobody_in_then_or_later() {
    let house = House::start().await;
    let relay = Relay::to(&house.socket, Way::Late(Duration::from_millis(400)));
    let mut node = Node::at(&relay.socket).await;
    node.watch();
    let pass = house.pass(Role::Operator).await;
    for _ in 0..4 {
        let begun = now();
        assert_unavailable(&node.whoami(&pass.token).await);
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f02_a_revocation_ends_a_remembered_answer_within_a_second() {
    let house = House::start().await;
    let mut node = Node::at(&house.socket).await;
    node.watch();
    let pass = house.pass(Role::Operator).await;
    remembered(&house, &node, &pass.token).await;
    house.daemon.revoke(&house.daemon.a, pass.credential).await;
    let begun = now();
    // The node's clock stands still, so only the news can end it.
    loop {
        let reply = node.whoami(&pass.token).await;
        if reply.status == 401 {
            break;
        }
        assert_eq!(reply.status, 200);
        assert!(begun.elapsed() < Duration::from_secs(1), "still remembered");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f02_when_the_news_stop_nothing_remembered_counts() {
    let mut house = House::start().await;
    let mut node = Node::at(&house.socket).await;
    node.watch();
    let pass = house.pass(Role::Operator).await;
    remembered(&house, &node, &pass.token).await;
    house.fall().await;
    let begun = now();
    loop {
        let reply = node.whoami(&pass.token).await;
        if reply.status == 503 {
            assert_unavailable(&reply);
            break;
        }
        assert_eq!(reply.status, 200);
        assert!(begun.elapsed() < Duration::from_secs(1), "still remembered");
    }
}

/// Asks until an answer came from memory: the daemon that knows counts nothing more.
async fn remembered(house: &House, node: &Node, token: &str) {
    let begun = now();
    loop {
        let before = house.validate(token).await.unwrap();
        assert_eq!(node.whoami(token).await.status, 200);
        assert_eq!(before.role, "operator");
        if node.remote.remembers(token) {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "nothing is remembered"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f02_a_node_that_hears_no_news_remembers_nothing() {
    let house = House::start().await;
    let node = Node::at(&house.socket).await;
    let pass = house.pass(Role::Operator).await;
    assert_eq!(node.whoami(&pass.token).await.status, 200);
    assert!(!node.remote.remembers(&pass.token));
    house.daemon.revoke(&house.daemon.a, pass.credential).await;
    assert_eq!(node.whoami(&pass.token).await.status, 401);
    let posture = node
        .get("/api/v1/system/posture", &node.daemon.a.token("owner"))
        .await;
    assert_eq!(posture.json()["credentials"], Value::from("asked of there"));
}
