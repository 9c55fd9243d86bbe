//! Clients that others wrote, against this daemon. They are installed into the target directory at the
//! first run, from npm and from `PyPI`.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use skep_test_support::{TestDaemon, Visitor};
use tokio::process::Command;

/// A daemon whose clock is the clients' own, and a human at a browser.
#[expect(
    clippy::disallowed_methods,
    reason = "programs of others bring the real time with them"
)]
async fn house() -> (TestDaemon, Visitor) {
    let daemon = TestDaemon::start_quiet().await;
    let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH);
    daemon.clock.set_millis(now.unwrap().as_millis() as i64);
    let visitor = Visitor::of(&daemon.store, &daemon.a).await.unwrap();
    (daemon, visitor)
}

/// Where a client is installed, once.
pub(crate) async fn installed(name: &str, install: &mut Command) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mark = folder.join("installed");
    if !mark.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        let outcome = install.current_dir(&folder).output().await;
        let outcome = outcome.unwrap_or_else(|error| panic!("{name} cannot be installed: {error}"));
        assert!(
            outcome.status.success(),
            "{name} cannot be installed: {}",
            String::from_utf8_lossy(&outcome.stderr)
                .lines()
                .last()
                .unwrap_or_default()
        );
        std::fs::write(mark, "").unwrap();
    }
    folder
}

async fn run(client: &mut Command, daemon: &TestDaemon, visitor: &Visitor) {
    let client = client
        .env("SKEP_ISSUER", format!("http://{}", daemon.address))
        .env("SKEP_COOKIE", &visitor.cookie)
        .kill_on_drop(true);
    let outcome = client.output().await.unwrap();
    assert!(
        outcome.status.success(),
        "{}{}",
        String::from_utf8_lossy(&outcome.stdout),
        String::from_utf8_lossy(&outcome.stderr)
    );
}

pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients")
        .join(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a13_a14_openid_client_logs_in_by_code_and_by_device_with_proofs() {
    let packages = [
        "install",
        "--no-audit",
        "--no-fund",
        "--prefix",
        ".",
        "openid-client@6.8.9",
    ];
    let folder = installed("openid-client", Command::new("npm").args(packages)).await;
    let (daemon, visitor) = house().await;
    // Modules are looked for beside the script.
    let copy = folder.join("client.mjs");
    std::fs::copy(script("openid_client.mjs"), &copy).unwrap();
    run(Command::new("node").arg(copy), &daemon, &visitor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a14_authlib_logs_in_by_code_and_renews() {
    let packages = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--target",
        ".",
        "authlib==1.9.9",
        "requests==2.34.2",
    ];
    let folder = installed("authlib", Command::new("python3").args(packages)).await;
    let (daemon, visitor) = house().await;
    let mut python = Command::new("python3");
    let python = python
        .arg(script("authlib_client.py"))
        .env("PYTHONPATH", &folder)
        .env("AUTHLIB_INSECURE_TRANSPORT", "1");
    run(python, &daemon, &visitor).await;
}
