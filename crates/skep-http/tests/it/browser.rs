//! A real browser, which a page of somebody else drives: `cargo xtask browser` installs it and runs
//! this. Chromium and what it needs are half a gigabyte, so no other run does.

use std::path::Path;

use serde_json::json;
use skep_http::{Mode, Site};
use skep_test_support::{TestDaemon, program};
use tokio::process::Command;

use crate::logins::{ADDRESS, Browser, PASSWORD, post};
use crate::oauth::client::{Device, Program};
use crate::third_party::{installed, script};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo xtask browser"]
async fn a17_a_browser_shows_no_page_in_a_frame_and_sends_nothing_for_others() {
    let packages = [
        "install",
        "--no-audit",
        "--no-fund",
        "--prefix",
        ".",
        "playwright-core@1.65.1",
    ];
    let folder = installed("playwright", Command::new("npm").args(packages)).await;
    let copy = folder.join("browser.mjs");
    std::fs::copy(script("browser.mjs"), &copy).unwrap();
    // For many: nothing but the pages' own answers stands between them and others.
    let daemon = TestDaemon::start_at(Site {
        mode: Mode::Team,
        ..Site::default()
    })
    .await;
    let token = daemon.app.issue_setup_token().await.unwrap().unwrap();
    let body = json!({ "token": token.expose(), "address": ADDRESS, "name": "Maria", "password": PASSWORD });
    Browser::of(&post(&daemon, "/api/v1/setup", body).await);
    let program = Program::new(&daemon);
    for decide in [false, true] {
        let device = Device::start(&daemon).await;
        visit(&daemon, &copy, &device, decide).await;
        daemon.clock.advance_seconds(30);
        let (tokens, error) = program.poll(&daemon, &device).await;
        if decide {
            assert!(tokens["access_token"].is_string(), "{error}");
        } else {
            assert_eq!(error, "authorization_pending", "nothing was decided");
        }
    }
}

async fn visit(daemon: &TestDaemon, script: &Path, device: &Device, decide: bool) {
    let mut node = Command::new("node");
    node.arg(script)
        .env("SKEP_ISSUER", format!("http://{}", daemon.address))
        .env("SKEP_USER_CODE", &device.user_code)
        .env("SKEP_ADDRESS", ADDRESS)
        .env("SKEP_PASSWORD", PASSWORD)
        .env("SKEP_CHROMIUM", program::find("chromium", "chromium"))
        .kill_on_drop(true);
    if decide {
        node.env("SKEP_DECIDE", "1");
    }
    let outcome = node.output().await.unwrap();
    assert!(
        outcome.status.success(),
        "{}{}",
        String::from_utf8_lossy(&outcome.stdout),
        String::from_utf8_lossy(&outcome.stderr)
    );
}
