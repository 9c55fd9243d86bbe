//! `skep template` and `skep access` against a real daemon.

use std::path::PathBuf;

use skep_test_support::TestDaemon;

use crate::program::{Ran, run_with_input};

struct World {
    _daemon: TestDaemon,
    home: PathBuf,
}

impl World {
    async fn start() -> Self {
        let daemon = TestDaemon::start().await;
        daemon.socket_owner().await;
        Self {
            home: daemon.socket().parent().unwrap().to_owned(),
            _daemon: daemon,
        }
    }

    async fn skep(&self, arguments: &[&str], input: &str) -> Ran {
        let (home, input) = (self.home.clone(), input.to_owned());
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
        let ran = move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            run_with_input(&home, &arguments, input.as_bytes())
        };
        tokio::task::spawn_blocking(ran).await.unwrap()
    }

    /// The example of a program, approved by who drafted it, for want of anybody else.
    async fn in_force(&self) {
        let example = self.skep(&["template", "example", "program"], "").await;
        let drafted = ["template", "draft", "-", "--json"];
        let made = self.skep(&drafted, &example.stdout).await.json();
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        let (id, digest) = (text("id"), text("digest"));
        let approved = ["template", "approve", &id, "--digest", &digest];
        let ran = self.skep(&approved, "").await;
        assert_eq!(ran.code, 0, "{ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_a_template_is_approved_by_its_digest() {
    let world = World::start().await;
    for form in ["program", "requests"] {
        let example = world.skep(&["template", "example", form], "").await;
        assert_eq!(example.code, 0, "{example:?}");
        let ran = world
            .skep(&["template", "draft", "-"], &example.stdout)
            .await;
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.stdout.contains("version 1 is drafted"), "{ran:?}");
    }
    let ran = world.skep(&["template", "list"], "").await;
    assert!(
        ran.stdout.starts_with("No template is approved."),
        "{ran:?}"
    );
    let shown = world.skep(&["template", "show", "deploy"], "").await;
    for says in [
        "runs       /usr/local/bin/deploy --to={place} --verbose",
        "secret     DEPLOY_KEY in the variable DEPLOY_KEY",
        "puts in    REGISTRY_TOKEN into requests to registry.example.com; headers authorization",
        "sends to   deploy.example.com, unread",
        "skep template approve tpl_",
    ] {
        assert!(shown.stdout.contains(says), "{says}: {shown:?}");
    }
    // Nobody can be asked here, so the digest is said; another one is refused.
    let ran = world.skep(&["template", "approve", "deploy"], "y\n").await;
    assert_eq!(ran.code, 2, "{ran:?}");
    let zeros = format!("sha256:{}", "0".repeat(64));
    let ran = world
        .skep(&["template", "approve", "deploy", "--digest", &zeros], "")
        .await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("look at it again"), "{ran:?}");
    let shown = world
        .skep(&["template", "show", "deploy", "--json"], "")
        .await;
    let digest = shown.json()["template"]["digest"].clone();
    let digest = digest.as_str().unwrap();
    let ran = world
        .skep(&["template", "approve", "deploy", "--digest", digest], "")
        .await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("nobody else could"), "{ran:?}");
    let ran = world.skep(&["template", "list"], "").await;
    assert!(ran.stdout.starts_with("deploy"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_drafted_next_is_shown_against_what_is_in_force() {
    let world = World::start().await;
    world.in_force().await;
    let example = world.skep(&["template", "example", "program"], "").await;
    let next = example.stdout.replace("seconds = 300", "seconds = 301");
    let ran = world
        .skep(&["template", "draft", "-", "--json"], &next)
        .await;
    let id = ran.json()["id"].as_str().unwrap().to_owned();
    let shown = world.skep(&["template", "show", &id], "").await;
    assert!(
        shown
            .stdout
            .contains("against version 1, which is in force"),
        "{shown:?}"
    );
    assert!(
        shown.stdout.contains("+at most    301 seconds"),
        "{shown:?}"
    );
    let ran = world
        .skep(&["template", "reject", &id, "--reason", "why longer?"], "")
        .await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = world
        .skep(&["template", "withdraw", "deploy", "--reason", "over"], "")
        .await;
    assert!(ran.stdout.contains("is withdrawn"), "{ran:?}");
    let ran = world.skep(&["template", "show", "deploy"], "").await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let ran = world.skep(&["template", "draft", "-"], "name = 1\n").await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("line 1"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn access_is_granted_listed_and_revoked() {
    let world = World::start().await;
    world.in_force().await;
    let ran = world.skep(&["access", "list"], "").await;
    assert_eq!(ran.stdout, "Nothing was asked for or granted.\n");
    let ran = world.skep(&["access", "grant", "deploy"], "").await;
    assert_eq!(ran.code, 2, "for whom? {ran:?}");
    let ran = world
        .skep(
            &["access", "grant", "deploy", "--every-agent", "--for", "8h"],
            "",
        )
        .await;
    assert!(ran.stdout.contains("deploy is granted until"), "{ran:?}");
    let ran = world.skep(&["access", "list", "--json"], "").await;
    let grant = ran.json()[0]["id"].as_str().unwrap().to_owned();
    let ran = world
        .skep(&["access", "revoke", &grant, "--reason", "over"], "")
        .await;
    assert!(ran.stdout.contains("is revoked"), "{ran:?}");
    let ran = world
        .skep(&["access", "ask", "deploy", "--reason", "to release"], "")
        .await;
    assert_eq!(ran.code, 1, "a human needs none: {ran:?}");
    assert!(ran.stderr.contains("needs no grant"), "{ran:?}");
}
