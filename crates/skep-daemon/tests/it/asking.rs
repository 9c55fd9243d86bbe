//! Two daemons, of which one asks the other who somebody is: killed, stopped, back again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::home::{Daemon, Home};

/// The daemon that knows, one that asks it, and a key.
struct Pair {
    knows: Home,
    there: Daemon,
    asks: Home,
    _asking: Daemon,
    key: String,
}

fn home(settings: &str) -> Home {
    let home = Home::new();
    fs::write(home.path().join("skep.toml"), settings).unwrap();
    home
}

fn pair() -> Pair {
    let knows = home("[auth.grpc]\nlisten = \"unix:auth.sock\"");
    let there = knows.serve();
    let made = knows.post("/api/v1/keys", r#"{"label":"for the other one"}"#);
    let key = json(&made.unwrap())["secret"].as_str().unwrap().to_owned();
    let socket = knows.path().join("auth.sock");
    let asks = home(&format!("[auth]\nendpoint = \"unix:{}\"", socket.display()));
    let asking = asks.serve();
    Pair {
        knows,
        there,
        asks,
        _asking: asking,
        key,
    }
}

fn json(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long somebody waits is wall time"
)]
fn now() -> Instant {
    Instant::now()
}

impl Pair {
    /// Who the other daemon is told that the key proves, and how long that took.
    fn whoami(&self) -> (String, Duration) {
        let begun = now();
        let answer = self.asks.get_as("/api/v1/whoami", &self.key).unwrap();
        (answer, begun.elapsed())
    }

    /// Asks until the status is this one, which must be so in time; no answer takes long.
    fn becomes(&self, status: &str, within: Duration) -> String {
        let begun = now();
        loop {
            let (answer, took) = self.whoami();
            assert!(took < Duration::from_secs(1), "{took:?}: {answer}");
            if answer.starts_with(&format!("HTTP/1.1 {status}")) {
                return answer;
            }
            assert!(begun.elapsed() < within, "not {status} in time: {answer}");
        }
    }
}

fn assert_unavailable(answer: &str) {
    assert_eq!(json(answer)["error"]["code"], "AUTH_UNAVAILABLE");
    assert!(
        answer.to_lowercase().contains("\r\nretry-after: 1\r\n"),
        "{answer}"
    );
}

#[test]
fn f02_when_the_daemon_that_knows_is_killed_nobody_is_let_in_until_it_is_back() {
    let mut pair = pair();
    let vouched = pair.becomes("200", Duration::from_secs(5));
    let own = pair.knows.get_as("/api/v1/whoami", &pair.key).unwrap();
    assert_eq!(
        json(&vouched),
        json(&own),
        "in the words of the one that knows"
    );
    pair.there.0.kill().unwrap();
    pair.there.0.wait().unwrap();
    assert_unavailable(&pair.becomes("503", Duration::from_secs(1)));
    pair.there = pair.knows.serve();
    pair.becomes("200", Duration::from_secs(5));
}

#[test]
fn f02_when_the_daemon_that_knows_stands_still_answers_end_within_a_second() {
    let pair = pair();
    pair.becomes("200", Duration::from_secs(5));
    let pid = Pid::from_child(&pair.there.0);
    kill_process(pid, Signal::STOP).unwrap();
    // What is remembered counts a second; then one question costs its deadline.
    assert_unavailable(&pair.becomes("503", Duration::from_millis(1_500)));
    for _ in 0..10 {
        assert!(pair.whoami().0.starts_with("HTTP/1.1 503"));
    }
    kill_process(pid, Signal::CONT).unwrap();
    pair.becomes("200", Duration::from_secs(5));
}

#[test]
fn f02_a_key_that_is_revoked_there_is_refused_here_within_a_second() {
    let pair = pair();
    let own = json(&pair.becomes("200", Duration::from_secs(5)));
    // Until the news come, every question is asked; afterwards answers are remembered.
    pair.becomes("200", Duration::from_secs(1));
    let id = own["credential"].as_str().unwrap();
    let revoked = pair.knows.post(&format!("/api/v1/keys/{id}/revoke"), "");
    assert!(revoked.unwrap().starts_with("HTTP/1.1 200"));
    let answer = pair.becomes("401", Duration::from_secs(1));
    assert_eq!(json(&answer)["error"]["code"], "INVALID_CREDENTIAL");
}

#[test]
fn x05_the_socket_is_its_users_alone_shown_in_the_report_and_gone_with_the_daemon() {
    let knows = home("[auth.grpc]\nlisten = \"unix:auth.sock\"\nreflection = true");
    let daemon = knows.serve();
    let socket = knows.path().join("auth.sock");
    let mode = fs::symlink_metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let report = json(&knows.get("/api/v1/system/posture").unwrap());
    let listeners = report["listeners"].as_array().unwrap();
    let shown = format!("grpc unix:{}", socket.display());
    assert!(listeners.contains(&Value::from(shown)), "{listeners:?}");
    assert_eq!(report["credentials"], "checked here");
    let weak = report["weaknesses"].to_string();
    assert!(weak.contains("describes itself"), "{weak}");
    // Nobody else takes its place while it lives.
    let other = home(&format!(
        "[auth.grpc]\nlisten = \"unix:{}\"",
        socket.display()
    ));
    let refused = other.run("serve");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("is in use"),
        "{said}"
    );
    assert!(daemon.stop().success());
    assert!(!socket.exists());
}

#[test]
fn x05_a_place_or_a_key_that_others_may_touch_is_refused() {
    let folder = Home::new();
    let shared = folder.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "not a socket").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let tls = format!(
        "listen = \"https://127.0.0.1:0\"\ncertificate = \"{0}\"\nkey = \"{0}\"\nclient_ca = \"{0}\"",
        file.display()
    );
    for (settings, problem) in [
        (
            format!("listen = \"unix:{}/auth.sock\"", shared.display()),
            "is open to others",
        ),
        (
            format!("listen = \"unix:{}\"", file.display()),
            "is there and no socket",
        ),
        (tls, "chmod 600"),
    ] {
        let home = home(&format!("[auth.grpc]\n{settings}"));
        let refused = home.run("serve");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains(problem), "{said}");
    }
}
