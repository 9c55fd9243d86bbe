//! The program and a daemon on another machine: TLS alone, one login for each organization, and
//! nothing meant for one that reaches another.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};
use skep_test_support::{Tenant, TestDaemon, TlsFront, Visitor};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

/// A daemon in team mode behind a proxy that speaks TLS, and somebody who belongs to both its tenants.
struct Elsewhere {
    daemon: TestDaemon,
    front: TlsFront,
    visitor: Visitor,
    home: PathBuf,
    _folder: tempfile::TempDir,
}

impl Elsewhere {
    async fn start() -> Self {
        let mut front = TlsFront::bind().await;
        let daemon = TestDaemon::start_team(&front.url()).await;
        daemon.clock.set_millis(real_now());
        front.open(daemon.address).await;
        let visitor = Visitor::of(&daemon.store, &daemon.a).await.unwrap();
        visitor.joins(&daemon.store, &daemon.b).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self {
            daemon,
            front,
            visitor,
            home: folder.path().join("home"),
            _folder: folder,
        }
    }

    fn skep(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skep"));
        command
            .args(arguments)
            .arg("--json")
            .env_remove("SKEP_URL")
            .env_remove("SKEP_TOKEN_FILE")
            .env("SKEP_HOME", &self.home)
            .env("SSL_CERT_FILE", TlsFront::certificate())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// What a verb that goes well answers.
    async fn ask(&self, arguments: &[&str]) -> Value {
        let out = self.skep(arguments).output().await.unwrap();
        assert!(out.status.success(), "{arguments:?}: {out:?}");
        said(&out)
    }

    /// How a verb fails.
    async fn fail(&self, arguments: &[&str]) -> Value {
        let out = self.skep(arguments).output().await.unwrap();
        assert_eq!(out.status.code(), Some(1), "{arguments:?}: {out:?}");
        said(&out)["error"].take()
    }

    /// Logs in, and has it approved for an organization, whose id it gives.
    async fn log_in(&self, tenant: &Tenant) -> String {
        let url = self.front.url();
        let mut child = self.skep(&["login", &url, "--yes"]).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut code = String::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some(found) = line.strip_prefix("Type   ") {
                found.clone_into(&mut code);
                break;
            }
        }
        let app = &self.daemon.app;
        self.visitor.approve(app, &code, tenant).await;
        let out = child.wait_with_output().await.unwrap();
        assert!(out.status.success(), "{out:?}");
        text(&said(&out)["active"]["organization"])
    }

    async fn capture(&self, session: &str) -> Value {
        let arguments = ["capture", "--session", session, "--deadline", "60000"];
        let mut child = self.skep(&arguments).stdin(Stdio::piped()).spawn().unwrap();
        let turn = json!({
            "client_event_id": session, "role": "user", "at": "2026-01-01T00:00:00Z",
            "text": format!("the {session} opens at six"),
        });
        let mut stdin = child.stdin.take().unwrap();
        let line = format!("{turn}\n");
        stdin.write_all(line.as_bytes()).await.unwrap();
        drop(stdin);
        said(&child.wait_with_output().await.unwrap())
    }

    /// How many sessions the active organization holds.
    async fn sessions(&self) -> usize {
        let found = self.ask(&["sessions"]).await;
        found["items"].as_array().unwrap().len()
    }

    fn edit(&self, file: &str, change: impl FnOnce(&str) -> String) {
        let path = self.home.join(file);
        let text = change(&std::fs::read_to_string(&path).unwrap());
        std::fs::write(path, text).unwrap();
    }
}

fn said(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{out:?}"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program brings the real time with it"
)]
fn real_now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(now.unwrap().as_millis()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn n04_nothing_goes_to_another_machine_but_over_tls_to_whom_the_system_trusts() {
    let elsewhere = Elsewhere::start().await;
    let url = elsewhere.front.url();
    // Whose certificate nobody vouches for gets no request.
    let mut distrusting = elsewhere.skep(&["login", &url, "--yes"]);
    let out = distrusting.env_remove("SSL_CERT_FILE").output().await;
    let error = said(&out.unwrap())["error"].take();
    assert_eq!(error["code"], "UNREACHABLE", "{error}");
    assert!(text(&error["hint"]).contains("SSL_CERT_FILE"), "{error}");
    // Nor who shows one for another name.
    let other = url.replace("localhost", "127.0.0.2");
    let error = elsewhere.fail(&["login", &other, "--yes"]).await;
    assert_eq!(error["code"], "UNREACHABLE", "{error}");
    assert_eq!(elsewhere.front.secured(), 0);
    // Nor is a login begun under a name that the daemon does not have.
    let alias = url.replace("localhost", "127.0.0.1");
    let error = elsewhere.fail(&["login", &alias, "--yes"]).await;
    assert_eq!(error["hint"], format!("skep login {url}"), "{error}");
    let before = elsewhere.front.secured();
    // In clear, only this machine.
    let mut in_clear = elsewhere.skep(&["whoami", "--url", "http://192.0.2.1:3850"]);
    assert_eq!(in_clear.output().await.unwrap().status.code(), Some(2));
    // Without a login nothing is sent, and the install token never is.
    let error = elsewhere.fail(&["whoami", "--url", &url]).await;
    assert_eq!(error["code"], "NOT_LOGGED_IN", "{error}");
    assert_eq!(elsewhere.front.secured(), before);

    elsewhere.log_in(&elsewhere.daemon.a).await;
    let who = elsewhere.ask(&["whoami"]).await;
    assert_eq!(who["credential_kind"], "login", "{who}");
    assert!(elsewhere.front.secured() > before);
    assert_eq!(elsewhere.ask(&["status"]).await["server"], url.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a18_a_login_that_is_not_for_the_active_organization_is_refused() {
    let elsewhere = Elsewhere::start().await;
    let a = elsewhere.log_in(&elsewhere.daemon.a).await;
    let b = elsewhere.log_in(&elsewhere.daemon.b).await;
    let who = async || text(&elsewhere.ask(&["whoami"]).await["organization"]);
    assert_eq!(who().await, b, "the newest login is active");
    elsewhere.ask(&["org", "switch", &a]).await;
    assert_eq!(who().await, a);
    let logins = elsewhere.ask(&["org", "switch"]).await;
    let active = |n: usize| logins["items"][n]["active"].as_bool().unwrap();
    assert_eq!([active(0), active(1)].iter().filter(|on| **on).count(), 1);
    let error = elsewhere.fail(&["org", "switch", "nobody"]).await;
    assert_eq!(error["code"], "NOT_LOGGED_IN", "no silent login: {error}");

    // The file that says which one is active names one that there is no login for.
    elsewhere.edit("active.json", |text| text.replace(&a, "org_elsewhere"));
    assert_eq!(elsewhere.fail(&["whoami"]).await["code"], "ORG_MISMATCH");
    let doctor = elsewhere.skep(&["doctor"]).output().await.unwrap();
    let checks = said(&doctor)["checks"].take();
    let mut checks = checks.as_array().unwrap().iter();
    let login = checks.find(|check| check["name"] == "login").unwrap();
    assert_eq!(login["ok"], false, "{login}");
    elsewhere.ask(&["org", "switch", &a]).await;

    // Logins whose labels were swapped: the daemon knows better, stores nothing, and records it.
    let swap = |text: &str| text.replace(&a, "#").replace(&b, &a).replace('#', &b);
    elsewhere.edit("credentials.json", swap);
    let remember = ["remember", "the harbour opens at six"];
    let error = elsewhere.fail(&remember).await;
    assert_eq!(error["code"], "ORG_MISMATCH", "{error}");
    elsewhere.edit("credentials.json", swap);
    for (organization, entries) in [(&a, 0), (&b, 1)] {
        elsewhere.ask(&["org", "switch", organization]).await;
        let held = elsewhere.ask(&["recall", "harbour"]).await;
        assert_eq!(held["items"], json!([]), "{held}");
        let record = elsewhere.ask(&["audit", "list", "-n", "200"]).await;
        let items = record["items"].as_array().unwrap().iter();
        let found = items.filter(|entry| entry["reason"] == "ORG_MISMATCH");
        assert_eq!(found.count(), entries, "{record}");
    }
    let ended = elsewhere.ask(&["logout", "--all"]).await;
    assert_eq!(ended["ended"].as_array().map(Vec::len), Some(2), "{ended}");
    for file in ["active.json", "credentials.json"] {
        assert!(!elsewhere.home.join(file).exists(), "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a18_what_waits_for_one_organization_is_never_sent_to_another() {
    let mut elsewhere = Elsewhere::start().await;
    let a = elsewhere.log_in(&elsewhere.daemon.a).await;
    let b = elsewhere.log_in(&elsewhere.daemon.b).await;
    elsewhere.ask(&["org", "switch", &a]).await;
    elsewhere.front.shut().await;
    elsewhere.capture("harbour").await;
    let address = elsewhere.daemon.address;
    elsewhere.front.open(address).await;
    elsewhere.ask(&["org", "switch", &b]).await;
    elsewhere.capture("quay").await;
    assert_eq!(elsewhere.sessions().await, 1);
    elsewhere.ask(&["org", "switch", &a]).await;
    assert_eq!(elsewhere.sessions().await, 0, "it waits");
    elsewhere.ask(&["capture"]).await;
    assert_eq!(
        elsewhere.sessions().await,
        1,
        "and is sent where it belongs"
    );
}
