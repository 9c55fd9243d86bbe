//! Against an issuer that others wrote: `oidc-provider`, from npm.

use std::time::UNIX_EPOCH;

use skep_app::PeopleSettings;
use skep_test_support::{Issuer, TestDaemon, people};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::third_party::{installed, script};

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "programs of others bring the real time with them"
)]
async fn a19_people_sign_in_by_oidc_provider_with_each_client_and_algorithm() {
    let packages = [
        "install",
        "--no-audit",
        "--no-fund",
        "--prefix",
        ".",
        "oidc-provider@9.13.3",
    ];
    let folder = installed("oidc-provider", Command::new("npm").args(packages)).await;
    let copy = folder.join("provider.mjs");
    std::fs::copy(script("oidc_provider.mjs"), &copy).unwrap();
    for short in ["0", "1"] {
        let port = free_port().await;
        let people = PeopleSettings {
            issuers: Issuer::calls(&[&format!("http://127.0.0.1:{port}")]),
            ..people()
        };
        let daemon = TestDaemon::start_people(people).await;
        let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH);
        daemon.clock.set_millis(now.unwrap().as_millis() as i64);
        let owner = daemon.a.caller(&daemon.store, "owner").await;
        let named = daemon
            .app
            .name_organization(owner.authorize().unwrap(), "alpha");
        named.await.unwrap();
        let mut node = Command::new("node");
        let outcome = node
            .arg(&copy)
            .env("SKEP_ISSUER", format!("http://{}", daemon.address))
            .env("SKEP_TOKEN", daemon.a.token("owner"))
            .env("OIDC_PORT", port.to_string())
            .env("OIDC_SHORT", short)
            .kill_on_drop(true)
            .output();
        let outcome = outcome.await.unwrap();
        assert!(
            outcome.status.success(),
            "{}{}{:?}",
            String::from_utf8_lossy(&outcome.stdout),
            String::from_utf8_lossy(&outcome.stderr),
            daemon.record(&daemon.a.token("owner")).await.first()
        );
    }
}

/// A port that nobody listens on.
async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}
