//! Modes over real sockets: from this machine, from another address, through a proxy, as another user.

use std::fmt::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use skep_app::{KeyKind, NewKey};
use skep_authz::rights::TokenManage;
use skep_http::{Mode, Site};
use skep_test_support::{Request, Scratch, TestDaemon, program};

fn site(mode: Mode, is_public: bool) -> Site {
    Site {
        mode,
        is_public,
        public_url: Some("https://skep.example.com".into()),
        ..Site::default()
    }
}

/// The daemon as another machine reaches it: by an address of ours that is not loopback, so that the
/// kernel reports it as the peer's too.
fn from_outside(daemon: &TestDaemon) -> SocketAddr {
    let route = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.255:9")?; // sends nothing
        socket.local_addr()
    });
    let own = route.map(|address| address.ip());
    let own = own
        .ok()
        .filter(|ip| !ip.is_loopback() && !ip.is_unspecified());
    let own = own.unwrap_or_else(|| {
        let given = Command::new("ip")
            .args(["addr", "replace", "198.18.7.1/32", "dev", "lo"])
            .status();
        assert!(given.is_ok_and(|status| status.success()), "this test needs an address that is not loopback: run `ip addr add 198.18.7.1/32 dev lo` as root");
        "198.18.7.1".parse().expect("an address")
    });
    SocketAddr::new(own, daemon.address.port())
}

/// A key of the first tenant's owner: a credential of its own, unlike the installation's.
async fn key(daemon: &TestDaemon) -> String {
    let owner = daemon.a.caller(&daemon.store, "owner").await;
    let right = owner.authorize::<TokenManage>().expect("an owner");
    // A key proves a member, and takes its role from the membership.
    daemon.app.ensure_owner(&owner).await.expect("a member");
    let new = NewKey {
        kind: KeyKind::Api,
        agent: None,
        label: "test".into(),
        projects: Vec::new(),
        bindings: skep_domain::Bindings::default(),
        expires_at: None,
    };
    let created = daemon.app.create_key(right, &owner, new).await;
    created.expect("a key").secret.expose().clone()
}

async fn status(at: SocketAddr, token: Option<&str>, headers: &[(&str, &str)]) -> u16 {
    let mut request = Request::new("GET", "/api/v1/memories");
    if let Some(token) = token {
        request = request.bearer(token);
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send(at).await.expect("an answer").status
}

#[tokio::test(flavor = "multi_thread")]
async fn n01_in_hybrid_no_header_makes_a_far_peer_a_near_one() {
    let daemon = TestDaemon::start_at(site(Mode::Hybrid, true)).await;
    let (near, far) = (daemon.address, from_outside(&daemon));
    let install = daemon.a.token("owner");
    let key = key(&daemon).await;
    assert_eq!(
        status(near, Some(&install), &[]).await,
        200,
        "near, and nobody in between"
    );
    assert_eq!(
        status(far, Some(&key), &[]).await,
        200,
        "a credential of one's own"
    );
    let claims: [&[(&str, &str)]; 6] = [
        &[],
        &[("X-Forwarded-For", "127.0.0.1")],
        &[("Forwarded", "for=127.0.0.1;host=localhost")],
        &[("X-Real-IP", "127.0.0.1")],
        &[
            ("X-Forwarded-Host", "localhost"),
            ("X-Forwarded-For", "::1"),
        ],
        &[("Via", "1.1 localhost")],
    ];
    for claim in claims {
        assert_eq!(status(far, Some(&install), claim).await, 401, "{claim:?}");
        assert_eq!(status(far, None, claim).await, 401, "{claim:?}");
        assert_eq!(status(far, Some(&key), claim).await, 200, "{claim:?}");
        let near_expected = if claim.is_empty() { 200 } else { 401 };
        assert_eq!(
            status(near, Some(&install), claim).await,
            near_expected,
            "{claim:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n01_in_team_the_installations_credentials_count_nowhere_and_host_names_mean_nothing() {
    let daemon = TestDaemon::start_at(site(Mode::Team, true)).await;
    let (near, far) = (daemon.address, from_outside(&daemon));
    let install = daemon.a.token("owner");
    let key = key(&daemon).await;
    for at in [near, far] {
        assert_eq!(status(at, Some(&install), &[]).await, 401);
        assert_eq!(status(at, None, &[]).await, 401);
        assert_eq!(status(at, Some(&key), &[]).await, 200);
        for host in ["localhost", "127.0.0.1", "skep.example.com", "evil.example"] {
            for (token, expected) in [(&key, 200), (&install, 401)] {
                let head = format!(
                    "GET /api/v1/memories HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n"
                );
                let reply = Request::verbatim(&head).send(at).await.expect("an answer");
                assert_eq!(reply.status, expected, "{host}");
            }
        }
    }
    // Who runs the daemon is known by the socket, and may not use it for what needs a person.
    daemon.socket_owner().await;
    let curl = Command::new("bash")
        .arg("-c")
        .arg(format!(
            "printf 'GET /api/v1/memories HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' | \
             python3 -c \"import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect('{}'); s.sendall(sys.stdin.buffer.read()); print(s.recv(20).decode())\"",
            daemon.socket().display()
        ))
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&curl.stdout);
    assert!(said.starts_with("HTTP/1.1 401"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn n04_local_turns_far_peers_away_before_routing_and_knows_mapped_loopback() {
    let daemon = TestDaemon::start_at(site(Mode::Local, true)).await;
    let (near, far) = (daemon.address, from_outside(&daemon));
    let install = daemon.a.token("owner");
    // The listener is one of IPv6: this peer is ::ffff:127.0.0.1.
    assert_eq!(status(near, Some(&install), &[]).await, 200);
    for path in ["/healthz", "/api/v1/memories", "/no/such/path"] {
        let request = Request::new("GET", path).bearer(&install);
        let reply = request.send(far).await.expect("an answer");
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (403, "PERMISSION_DENIED")
        );
    }
    let six = SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, near.port()));
    assert_eq!(status(six, Some(&install), &[]).await, 200);
}

/// A process of somebody else on this machine, and what a request of theirs is answered.
fn as_nobody(port: u16, headers: &str) -> String {
    let mut script = String::new();
    write!(
        script,
        "exec 3<>/dev/tcp/127.0.0.1/{port}; printf 'GET /api/v1/memories HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n{headers}\\r\\n' >&3; head -1 <&3"
    )
    .expect("a script");
    let output = Command::new("runuser")
        .args(["-u", "nobody", "--", "bash", "-c", &script])
        .output()
        .expect("this test needs runuser, of the package util-linux");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn n02_another_user_of_this_machine_is_let_in_by_nothing_but_a_credential() {
    for mode in [Mode::Local, Mode::Hybrid] {
        let daemon = TestDaemon::start_at(site(mode, false)).await;
        let port = daemon.address.port();
        assert!(as_nobody(port, "").starts_with("HTTP/1.1 401"), "{mode:?}");
        let socket = daemon.socket();
        let knock = Command::new("runuser")
            .args(["-u", "nobody", "--", "test", "-w"])
            .arg(&socket)
            .status()
            .expect("runuser");
        assert!(!knock.success(), "the socket is its owner's alone");
    }
}

/// A proxy on this machine, in front of one daemon.
struct Nginx {
    child: Child,
    port: u16,
    _scratch: Scratch,
}

impl Nginx {
    async fn start(upstream: &str, headers: &str) -> Self {
        let nginx = program::find("nginx", "nginx-light");
        let scratch = Scratch::new();
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("its number").port();
        drop(free);
        let at = scratch.path().display();
        let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .fold(String::new(), |mut paths, kind| {
                let _ = write!(paths, "{kind}_temp_path {at}/{kind};");
                paths
            });
        let config = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/error.log; events {{}} \
             http {{ access_log off; {paths} server {{ listen 127.0.0.1:{port}; \
             location / {{ proxy_pass {upstream}; {headers} }} }} }}"
        );
        let file = scratch.path().join("nginx.conf");
        std::fs::write(&file, config).expect("a configuration");
        let child = Command::new(nginx)
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx can be run");
        for _ in 0..500 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self {
            child,
            port,
            _scratch: scratch,
        }
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n02_a_proxy_on_this_machine_lends_nobody_its_place() {
    let daemon = TestDaemon::start_at(site(Mode::Hybrid, false)).await;
    let install = daemon.a.token("owner");
    let key = key(&daemon).await;
    let upstream = format!("http://{}", daemon.address);
    let socket = format!("http://unix:{}:", daemon.socket().display());
    let tells = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header Host localhost;";
    for upstream in [&upstream, &socket] {
        let proxy = Nginx::start(upstream, tells).await;
        assert_eq!(
            status(proxy.address(), Some(&install), &[]).await,
            401,
            "{upstream}"
        );
        assert_eq!(status(proxy.address(), None, &[]).await, 401, "{upstream}");
        assert_eq!(
            status(proxy.address(), Some(&key), &[]).await,
            200,
            "{upstream}"
        );
    }
    // One that says nothing of itself cannot be told from a process of this machine: what is left is
    // that a request needs a credential all the same.
    let silent = Nginx::start(&upstream, "proxy_set_header Host localhost;").await;
    assert_eq!(status(silent.address(), None, &[]).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_posture_report_says_how_the_daemon_stands() {
    let daemon = TestDaemon::start_at(site(Mode::Hybrid, true)).await;
    let request = Request::new("GET", "/api/v1/system/posture");
    let reply = request
        .clone()
        .bearer(&daemon.a.token("reader"))
        .send(daemon.address)
        .await;
    assert_eq!(reply.expect("an answer").status, 403, "diagnostics:read");
    let reply = request
        .bearer(&daemon.a.token("owner"))
        .send(daemon.address)
        .await;
    let posture = reply.expect("an answer").json();
    assert_eq!(posture["mode"], "hybrid");
    assert_eq!(posture["public_url"], "https://skep.example.com");
    let unaudited = serde_json::json!(skep_api::posture::unaudited());
    assert_eq!(posture["unaudited"], unaudited);
    let rows = posture["fails"].as_array().expect("a table");
    assert_eq!(rows.len(), skep_api::posture::FAILS.len());
    let weak = posture["weaknesses"].to_string();
    for word in ["plain HTTP", "no proxy is named", "tunnel"] {
        assert!(weak.contains(word), "{word} in {weak}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x09_the_posture_report_says_what_the_place_of_the_root_key_cannot_protect() {
    for (provider, word) in [
        (
            "file /var/lib/skep/root.key",
            Some("a copy of the disk has both"),
        ),
        ("environment, SKEP_ROOT_KEY", Some("comes in a variable")),
        ("credential skep-root", None),
    ] {
        let site = Site {
            key_provider: provider.into(),
            ..site(Mode::Local, false)
        };
        let daemon = TestDaemon::start_at(site).await;
        let request = Request::new("GET", "/api/v1/system/posture");
        let request = request.bearer(&daemon.a.token("owner"));
        let posture = request
            .send(daemon.address)
            .await
            .expect("an answer")
            .json();
        assert_eq!(posture["key_provider"], provider);
        let weak = posture["weaknesses"].to_string();
        for known in ["a copy of the disk has both", "comes in a variable"] {
            assert_eq!(
                weak.contains(known),
                word == Some(known),
                "{provider}: {weak}"
            );
        }
    }
}
