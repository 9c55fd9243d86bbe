//! `skep login` against a daemon in this process: the code is approved as its human would.

use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::UNIX_EPOCH;

use skep_test_support::{TestDaemon, Visitor};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

fn skep(daemon: &TestDaemon, home: &std::path::Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skep"));
    command
        .args(arguments)
        .env("SKEP_HOME", home)
        .env("SKEP_URL", format!("http://{}", daemon.address))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program brings the real time with it"
)]
#[tokio::test(flavor = "multi_thread")]
async fn a15_a18_a_program_logs_in_acts_renews_and_logs_out() {
    let daemon = TestDaemon::start_quiet().await;
    let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH);
    daemon.clock.set_millis(now.unwrap().as_millis() as i64);
    let visitor = Visitor::of(&daemon.store, &daemon.a).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");

    // Nothing is sent or written before somebody agreed.
    let refused = skep(&daemon, &home, &["login"]).output().await.unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(!home.exists());

    let mut child = skep(&daemon, &home, &["login", "--yes"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut code = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(found) = line.strip_prefix("Type   ") {
            found.clone_into(&mut code);
            break;
        }
    }
    let cookie = visitor.cookie.split_once('=').unwrap().1.as_bytes();
    let caller = daemon.app.authenticate_browser(cookie).await.unwrap();
    let tenant = (daemon.a.organization, daemon.a.workspace);
    let decided = daemon.app.decide_device(&caller, &code, Some(tenant));
    decided.await.unwrap();
    assert!(child.wait().await.unwrap().success());

    let facts = std::fs::metadata(home.join("credentials.json")).unwrap();
    assert_eq!(facts.mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&home).unwrap().mode() & 0o777, 0o700);
    let kept = || std::fs::read_to_string(home.join("credentials.json")).unwrap();
    let first = kept();
    assert!(!first.contains("access"), "access tokens stay in memory");
    // Several at once take turns, so that none is taken for a thief.
    let ask = || skep(&daemon, &home, &["whoami", "--json"]).output();
    let (a, b) = tokio::join!(ask(), ask());
    for answer in [a.unwrap(), b.unwrap()] {
        let said = String::from_utf8_lossy(&answer.stdout).into_owned();
        assert!(
            said.contains("\"credential_kind\":\"login\""),
            "{said}{answer:?}"
        );
    }
    assert_ne!(kept(), first, "each renewal keeps the next refresh token");
    let out = skep(&daemon, &home, &["logout"]).output().await.unwrap();
    assert!(out.status.success(), "{out:?}");
    assert!(!home.join("credentials.json").exists());
    // The login that was copied before is worth nothing now.
    std::fs::write(home.join("credentials.json"), first).unwrap();
    let only_ours = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(home.join("credentials.json"), only_ours).unwrap();
    let ended = ask().await.unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(said.contains("\"LOGIN_ENDED\""), "{said}");
    assert_eq!(ended.status.code(), Some(1));
}
