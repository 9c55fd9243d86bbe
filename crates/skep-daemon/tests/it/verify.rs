//! `skep verify secrets` against a daemon that serves: what it tries, what it finds, what it leaves.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::exec::stand::Stand;

/// The command line, which a build of the whole workspace puts beside the daemon.
fn verify(stand: &Stand, arguments: &[&str]) -> Output {
    command(stand, arguments).output().unwrap()
}

fn command(stand: &Stand, arguments: &[&str]) -> Command {
    let skep = Path::new(env!("CARGO_BIN_EXE_skepd")).with_file_name("skep");
    assert!(
        skep.exists(),
        "{}: build it first, with cargo build -p skep-cli",
        skep.display()
    );
    let mut command = Command::new(skep);
    command
        .args(["verify", "secrets"])
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", stand.home.path())
        .env("SKEP_HOME", stand.home.path());
    command
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// Outcome by promise and name of each try of a mode.
fn outcomes<'r>(report: &'r Value, mode: &str) -> Vec<(&'r str, bool, &'r str)> {
    let modes = report["modes"].as_array().unwrap();
    let found = modes.iter().find(|one| one["mode"] == mode);
    let attempts = found.unwrap_or_else(|| panic!("{mode}: {report}"))["attempts"].as_array();
    let attempts = attempts.unwrap().iter().map(|attempt| {
        (
            attempt["name"].as_str().unwrap(),
            attempt["promised"].as_bool().unwrap(),
            attempt["outcome"].as_str().unwrap(),
        )
    });
    attempts.collect()
}

#[test]
fn x01_x02_x03_x04_a_canary_does_not_come_out_of_a_daemon_that_serves() {
    let stand = Stand::new("");
    let _daemon = stand.home.serve();
    let output = verify(&stand, &["--json"]);
    let report = report(&output);
    for (mode, at_least) in [
        ("reading", 60),
        ("programs", 34),
        ("wire", 110),
        ("machine", 4),
    ] {
        let promised = outcomes(&report, mode)
            .into_iter()
            .filter(|(_, promised, _)| *promised);
        let promised: Vec<_> = promised.collect();
        assert!(promised.len() >= at_least, "{mode}: {}", promised.len());
        for (name, _, outcome) in promised {
            assert_eq!(outcome, "hidden", "{mode}: {name}: {report}");
        }
    }
    // What is said to be open is: a proof that finds nothing anywhere proves nothing.
    for (mode, open) in [
        ("programs", "rot13"),
        ("programs", "gzip"),
        ("wire", "an origin that writes rot13"),
    ] {
        let wanted = (open, false, "recovered");
        assert!(
            outcomes(&report, mode).contains(&wanted),
            "{open}: {report}"
        );
    }
    assert_eq!(report["sound"], true, "{report}");
    assert!(output.status.success());
    // Nothing stays behind.
    let (_, secrets) = stand.get("/api/v1/secrets");
    assert_eq!(secrets["items"], json!([]));
    let (_, templates) = stand.get("/api/v1/templates");
    assert_eq!(templates["items"], json!([]));
    let (_, leases) = stand.get("/api/v1/leases");
    assert_eq!(leases["items"], json!([]));
}

#[test]
fn x02_templates_that_were_approved_once_are_used_again_and_stay() {
    let stand = Stand::new("");
    let _daemon = stand.home.serve();
    // What a first run has drafted is approved by a human, who may as well be somebody else.
    assert!(
        verify(&stand, &["--only", "wire", "--json"])
            .status
            .success()
    );
    let (_, ended) = stand.get("/api/v1/templates?state=withdrawn");
    let text = &ended["items"][0]["text"];
    stand.approve(text);
    let output = verify(&stand, &["--only", "wire", "--json"]);
    assert!(output.status.success(), "{}", report(&output));
    let (_, templates) = stand.get("/api/v1/templates");
    assert_eq!(
        templates["items"].as_array().unwrap().len(),
        1,
        "{templates}"
    );
    let (_, ended) = stand.get("/api/v1/templates?state=withdrawn");
    assert_eq!(ended["items"].as_array().unwrap().len(), 1, "{ended}");
}

#[test]
fn x02_a_way_that_cannot_be_tried_is_no_success() {
    let stand = Stand::new("[exec]\nenabled = false\n");
    let _daemon = stand.home.serve();
    let output = verify(&stand, &["--only", "programs", "--json"]);
    let report = report(&output);
    assert_eq!(report["sound"], false, "{report}");
    assert_eq!(output.status.code(), Some(1));
}

fn items(stand: &Stand, what: &str) -> Vec<Value> {
    let (_, found) = stand.get(&format!("/api/v1/{what}"));
    found["items"].as_array().unwrap().clone()
}

#[test]
fn x02_what_a_killed_one_has_left_is_taken_away_by_the_next() {
    let stand = Stand::new("");
    let _daemon = stand.home.serve();
    let mut killed = command(&stand, &["--only", "programs"]);
    let quiet = killed.stdout(Stdio::null()).stderr(Stdio::null());
    let mut killed = quiet.spawn().unwrap();
    while items(&stand, "templates").is_empty() {
        assert!(killed.try_wait().unwrap().is_none(), "it has ended");
    }
    // A second one does not touch what the first has planted.
    let second = verify(&stand, &["--only", "reading", "--json"]);
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stdout).into_owned();
    assert!(said.contains("UNDER_WAY"), "{said}");
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(items(&stand, "secrets").len(), 1);
    assert_eq!(items(&stand, "templates").len(), 1);
    let next = verify(&stand, &["--only", "reading", "--json"]);
    assert!(next.status.success(), "{}", report(&next));
    assert!(items(&stand, "secrets").is_empty());
    assert!(items(&stand, "templates").is_empty());
}

#[test]
fn x02_a_secret_of_ones_own_by_the_canarys_name_stays() {
    let stand = Stand::new("");
    let _daemon = stand.home.serve();
    stand.set("Skep-Verify-Canary", "cny_0123456789abcdefABCDEF0123456789");
    let output = verify(&stand, &["--only", "reading", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("NAME_TAKEN"), "{said}");
    assert_eq!(items(&stand, "secrets").len(), 1);
}
