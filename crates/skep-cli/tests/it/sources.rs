//! `skep source` against a real daemon: watching a folder, and a page by URL.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use skep_test_support::{Site, TestDaemon};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::program::{Ran, run};

async fn skep(home: &Path, arguments: &[&str]) -> Ran {
    let home = home.to_owned();
    let arguments: Vec<String> = arguments.iter().map(|one| (*one).into()).collect();
    let ran = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(&home, &arguments, &[])
    };
    tokio::task::spawn_blocking(ran).await.unwrap()
}

async fn recalled(home: &Path, question: &str) -> String {
    let ran = skep(home, &["recall", question, "--json"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()["items"].to_string()
}

/// `skep source watch --json`, its lines one by one.
struct Watching {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watching {
    fn start(home: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skep"));
        command
            .args(["source", "watch", "--json"])
            .env_clear()
            .env("SKEP_HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line that tells of this.
    async fn event(&mut self, name: &str) -> Value {
        let found = async {
            loop {
                let line = self.lines.next_line().await.unwrap();
                let line: Value = serde_json::from_str(&line.expect("it goes on")).unwrap();
                assert_ne!(line["event"], "failed", "{line}");
                if line["event"] == name {
                    return line;
                }
            }
        };
        timeout(Duration::from_mins(1), found).await.unwrap()
    }
}

async fn world(site: Option<&Site>) -> (TestDaemon, PathBuf) {
    let daemon = match site {
        Some(site) => TestDaemon::start_fetching(site.fetching()).await,
        None => TestDaemon::start().await,
    };
    daemon.socket_owner().await;
    let home = daemon.socket().parent().unwrap().to_owned();
    (daemon, home)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_note_is_recalled_and_a_folder_that_went_empties_nothing() {
    let (_daemon, home) = world(None).await;
    let root = tempfile::tempdir().unwrap();
    let vault = root.path().join("vault");
    fs::create_dir(&vault).unwrap();
    let note = vault.join("crane.md");
    fs::write(&note, "# Crane\nThe qxnorthwvzk crane lifts forty tonnes.").unwrap();
    let vault_name = vault.to_str().unwrap();
    let added = skep(&home, &["source", "add", vault_name, "--json"]).await;
    assert_eq!(added.json()["sync"]["new"], 1, "{added:?}");

    let mut watching = Watching::start(&home);
    watching.event("watching").await;
    // As an editor saves: a new file beside it, renamed over it.
    let beside = vault.join(".crane.md.swp");
    fs::write(
        &beside,
        "# Crane\nThe qxnorthwvzk crane lifts fifty tonnes.",
    )
    .unwrap();
    fs::rename(&beside, &note).unwrap();
    let synced = watching.event("synced").await;
    assert_eq!(
        (&synced["sync"]["new"], &synced["sync"]["gone"]),
        (&1.into(), &1.into())
    );
    let found = recalled(&home, "qxnorthwvzk crane").await;
    assert!(
        found.contains("fifty") && !found.contains("forty"),
        "{found}"
    );

    fs::rename(&vault, root.path().join("away")).unwrap();
    watching.event("missing").await;
    assert!(recalled(&home, "qxnorthwvzk crane").await.contains("fifty"));
    fs::rename(root.path().join("away"), &vault).unwrap();
    watching.event("watching").await;
    fs::create_dir(vault.join("new")).unwrap();
    fs::write(vault.join("new/tide.md"), "High water is at qxtidewvzk.").unwrap();
    assert_eq!(watching.event("synced").await["sync"]["new"], 1);
    assert!(recalled(&home, "qxtidewvzk").await.contains("High water"));

    let pid = watching.child.id().unwrap().to_string();
    let interrupted = Command::new("kill").args(["-INT", &pid]).status().await;
    assert!(interrupted.unwrap().success());
    watching.event("stopped").await;
    assert!(watching.child.wait().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn purge_rewind_and_erase_do_nothing_before_yes() {
    let (_daemon, home) = world(None).await;
    let root = tempfile::tempdir().unwrap();
    let note = root.path().join("crane.md");
    fs::write(&note, "# Crane\nThe qxnorthwvzk crane lifts forty tonnes.").unwrap();
    let added = skep(&home, &["source", "add", note.to_str().unwrap(), "--json"]).await;
    let id = added.json()["source"].as_str().unwrap().to_owned();
    let told = skep(&home, &["rewind", &id, "--dry-run"]).await;
    assert_eq!(told.code, 0, "{told:?}");
    for (asked, says) in [
        (
            vec!["rewind", &id],
            "would forget 1 memory of 1 session or source",
        ),
        (
            vec!["rewind", &id, "--erase"],
            "would erase 1 memory of 1 session or source",
        ),
        (vec!["source", "purge", &id], "1 memory of 1 document"),
    ] {
        let told = skep(&home, &asked).await;
        assert_eq!(told.code, 2, "{told:?}");
        assert!(told.stderr.contains(says), "{told:?}");
        let how = format!("skep {} --yes", asked.join(" "));
        assert!(told.stderr.contains(&how), "{told:?}");
    }
    let found = recalled(&home, "qxnorthwvzk crane").await;
    assert!(found.contains("forty"), "{found}");
    let done = skep(&home, &["rewind", &id, "--yes"]).await;
    assert!(
        done.code == 0 && done.stdout.contains("forgot 1 memory"),
        "{done:?}"
    );
    assert_eq!(recalled(&home, "qxnorthwvzk crane").await, "[]");
    let done = skep(&home, &["source", "purge", &id, "--yes"]).await;
    assert!(
        done.code == 0 && done.stdout.contains("erased: 1 memory"),
        "{done:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_memory_is_erased_in_every_version() {
    let (_daemon, home) = world(None).await;
    let kept = skep(&home, &["remember", "The lock code is 60123", "--json"]).await;
    let old = kept.json()["memory"]["id"].as_str().unwrap().to_owned();
    let edited = skep(&home, &["edit", &old, "The lock code is 60124", "--json"]).await;
    let new = edited.json()["memory"]["id"].as_str().unwrap().to_owned();
    let told = skep(&home, &["erase", &new]).await;
    assert!(
        told.code == 2 && told.stderr.contains("all 2 versions"),
        "{told:?}"
    );
    let done = skep(&home, &["erase", &new, "--yes"]).await;
    assert!(done.stdout.contains("all 2 versions"), "{done:?}");
    for id in [&old, &new] {
        assert_eq!(skep(&home, &["history", id]).await.code, 1, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_nothing_to_remember_leaves_no_source_behind() {
    let (_daemon, home) = world(None).await;
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    fs::create_dir_all(at("denied/secrets")).unwrap();
    fs::write(at("denied/secrets/a.md"), "The qxsecretwvzk code is 60123.").unwrap();
    fs::create_dir_all(at("packages/node_modules")).unwrap();
    fs::write(at("packages/node_modules/a.md"), "Install it.").unwrap();
    fs::create_dir(at("empty")).unwrap();
    fs::write(at("heading.md"), "# Only a heading\n").unwrap();
    fs::write(at("bytes.txt"), "a\0b").unwrap();
    fs::write(at("export.json"), "{\"no\": \"export\"}").unwrap();
    fs::write(at("none.json"), "[]").unwrap();
    for (name, issues, why) in [
        ("denied", false, "a rule keeps"),
        ("packages", false, "1 folder named"),
        ("empty", false, "no document"),
        ("heading.md", false, "a heading alone"),
        ("bytes.txt", false, "not text"),
        ("export.json", true, ""),
        ("none.json", true, "no document"),
    ] {
        let mut arguments = vec!["source", "add"];
        let place = at(name);
        arguments.push(place.to_str().unwrap());
        arguments.extend(issues.then_some("--issues"));
        let failed = skep(&home, &arguments).await;
        assert_eq!(failed.code, 1, "{failed:?}");
        assert!(failed.stderr.contains(why), "{failed:?}");
        let left = skep(&home, &["source", "list", "--json"]).await;
        assert_eq!(left.stdout.trim(), "[]", "{name}");
    }
    fs::write(
        at("denied/a.md"),
        "The qxopenwvzk crane lifts forty tonnes.",
    )
    .unwrap();
    let denied = at("denied");
    let added = skep(
        &home,
        &["source", "add", denied.to_str().unwrap(), "--json"],
    )
    .await;
    assert_eq!(added.json()["sync"]["new"], 1, "{added:?}");
    assert_eq!(added.json()["sync"]["withheld"], 1, "{added:?}");
    let found = recalled(&home, "qxsecretwvzk code").await;
    assert!(!found.contains("60123"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_added_synced_and_missed() {
    let site = Site::start().await;
    let (_daemon, home) = world(Some(&site)).await;
    let url = "http://docs.example/notes.md";
    let failed = skep(&home, &["source", "add", url]).await;
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.stderr.contains("404"), "{failed:?}");
    let listed = skep(&home, &["source", "list", "--json"]).await;
    assert_eq!(listed.json(), serde_json::json!([]), "it was not added");

    site.put(
        "/notes.md",
        "text/markdown",
        "\"1\"",
        "The qxgatewvzk gate opens at six.",
    );
    let added = skep(&home, &["source", "add", url, "--json"]).await.json();
    assert_eq!(added["found"], "changed");
    let id = added["source"].as_str().unwrap();
    assert!(recalled(&home, "qxgatewvzk gate").await.contains("at six"));
    let same = skep(&home, &["source", "sync", id, "--json"]).await;
    assert_eq!(same.json()["found"], "unchanged");
    site.put_status("/notes.md", 410);
    let gone = skep(&home, &["source", "sync", id]).await;
    assert_eq!(gone.code, 1);
    assert!(
        gone.stderr.contains("410") && gone.stderr.contains("--allow-empty"),
        "{gone:?}"
    );
    assert!(recalled(&home, "qxgatewvzk gate").await.contains("at six"));
    let believed = skep(&home, &["source", "sync", id, "--allow-empty", "--json"]).await;
    assert_eq!(believed.json()["sync"]["documents_gone"], 1);
    assert!(!recalled(&home, "qxgatewvzk gate").await.contains("at six"));

    for (arguments, code) in [
        (
            &["source", "add", "https://docs.example/x", "--mine"][..],
            1,
        ),
        (&["source", "add", "file:///etc/passwd"], 2),
        (&["source", "add", "http://127.0.0.1:1/"], 1),
        (&["source", "watch", id], 2),
        (&["source", "watch"], 2),
    ] {
        let ran = skep(&home, arguments).await;
        assert_eq!(ran.code, code, "{ran:?}");
    }
}
