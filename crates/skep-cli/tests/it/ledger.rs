//! `skep audit` from the daemon to a file, and from the file to a verdict.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use skep_domain::Role;
use skep_test_support::{Newcomer, Request, Tenant, TestDaemon};

use crate::program::{Ran, run};

struct World {
    daemon: TestDaemon,
    tenant: Tenant,
    home: PathBuf,
    work: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        let daemon = TestDaemon::start().await;
        let tenant = daemon.socket_owner().await;
        Self {
            tenant,
            home: daemon.socket().parent().unwrap().to_owned(),
            daemon,
            work: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> String {
        let path = self.work.path().join(name);
        path.to_str().unwrap().to_owned()
    }

    async fn skep(&self, arguments: &[&str]) -> Ran {
        let home = self.home.clone();
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).into()).collect();
        let ran = move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            run(&home, &arguments, &[])
        };
        tokio::task::spawn_blocking(ran).await.unwrap()
    }

    async fn verdict(&self, lines: &[&str]) -> (i32, Value) {
        let file = self.path("changed.jsonl");
        fs::write(&file, lines.join("\n") + "\n").unwrap();
        let ran = self.skep(&["audit", "verify", &file, "--json"]).await;
        (ran.code, ran.json())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l01_an_export_is_verified_without_the_daemon_and_what_was_changed_is_named() {
    let world = World::start().await;
    for n in 0..4 {
        let text = format!("Lock {n} of the canal is {n} metres above the sea.");
        let kept = world.skep(&["remember", &text]).await;
        assert_eq!(kept.code, 0, "{kept:?}");
    }
    let file = world.path("audit.jsonl");
    let taken = world.skep(&["audit", "export", "--to", &file]).await;
    assert_eq!(taken.code, 0, "{taken:?}");
    let again = world.skep(&["audit", "export", "--to", &file]).await;
    assert_eq!(again.code, 1, "a file that is there: {again:?}");
    let shown = world.skep(&["audit", "checkpoint", "--json"]).await.json();
    let key = shown["key"].as_str().unwrap().to_owned();
    // From here on the daemon is not asked.
    let held = world.skep(&["audit", "verify", &file, "--key", &key]).await;
    assert_eq!(held.code, 0, "{held:?}");
    let held = world.skep(&["audit", "verify", &file, "--json"]).await;
    let verdict = held.json();
    let entries = verdict["entries"].as_u64().unwrap();
    assert!(verdict["holds"] == true && entries >= 5, "{verdict}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("\"action\":\"audit.export\""),
        "it is in itself"
    );
    let lines: Vec<&str> = text.lines().collect();
    let changed = lines[3].replacen("allowed", "denied", 1);
    assert_ne!(changed, lines[3]);
    let mut other = lines.clone();
    other[3] = &changed;
    let (code, verdict) = world.verdict(&other).await;
    assert_eq!((code, &verdict["entry"]), (1, &3.into()), "{verdict}");
    let mut dropped = lines.clone();
    dropped.remove(2);
    let (code, verdict) = world.verdict(&dropped).await;
    assert_eq!((code, &verdict["entry"]), (1, &2.into()), "{verdict}");
    let (code, verdict) = world.verdict(&lines[..lines.len() - 1]).await;
    assert_eq!((code, &verdict["holds"]), (1, &false.into()), "{verdict}");
    let foreign = "skep/00/x+00000000+AAAA";
    let refused = world
        .skep(&["audit", "verify", &file, "--key", foreign])
        .await;
    assert_eq!(refused.code, 2, "{refused:?}");
    let missing = world.skep(&["audit", "verify", &world.path("no")]).await;
    assert_eq!(missing.code, 1, "{missing:?}");
    // What was used is another log, in which there is nothing yet.
    let usage = world.path("usage.jsonl");
    let asked = ["audit", "export", "--log", "usage", "--to", &usage];
    let taken = world.skep(&asked).await;
    assert_eq!(taken.code, 0, "{taken:?}");
    let held = world.skep(&["audit", "verify", &usage, "--json"]).await;
    assert_eq!(held.json()["entries"], 0);
    drop(world.daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn l04_who_saw_a_memory_is_told_and_nobody_where_nobody_did() {
    let world = World::start().await;
    let text = "The lock of the canal is open.";
    let kept = world.skep(&["remember", text, "--json"]).await.json();
    let id = kept["memory"]["id"].as_str().unwrap().to_owned();
    let none = world.skep(&["audit", "who-saw", &id]).await;
    assert_eq!(none.code, 0, "{none:?}");
    assert!(none.stdout.contains("Nobody"), "{none:?}");
    let place = (world.tenant.organization, world.tenant.workspace);
    let reader = Newcomer::with(Role::Readonly);
    let reader = world.daemon.admit(place, reader).await;
    let get = Request::new("GET", &format!("/api/v1/memories/{id}")).bearer(&reader.token);
    let got = get.send(world.daemon.address).await.unwrap();
    assert_eq!(got.status, 200, "{}", got.text());
    world.daemon.record_now().await;
    let saw = world.skep(&["audit", "who-saw", &id]).await;
    let way = saw.stdout.contains("GET /api/v1/memories/{id}");
    assert!(saw.code == 0 && way, "{saw:?}");
    let saw = world.skep(&["audit", "who-saw", &id, "--json"]).await;
    assert_eq!(saw.json()["items"][0]["shown"], json!([id]), "{saw:?}");
    let foreign = world.skep(&["audit", "who-saw", "mem_nonsense"]).await;
    assert_eq!(foreign.code, 1, "{foreign:?}");
    let alerts = world.skep(&["audit", "alerts"]).await;
    assert!(
        alerts.code == 0 && alerts.stdout.contains("Nobody"),
        "{alerts:?}"
    );
    let alerts = world.skep(&["audit", "alerts", "--json"]).await;
    assert_eq!(alerts.json()["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn x01_a_receivers_address_is_no_daemons() {
    let world = World::start().await;
    let receiver = "https://siem.example.org/skep";
    let set = ["sink", "set", "siem", receiver, "--event", "alert.*"];
    let set = world.skep(&set).await;
    assert_eq!(set.code, 0, "{set:?}");
    assert!(set.stdout.contains("whsec_"), "{set:?}");
    let listed = world.skep(&["sink", "list", "--json"]).await.json();
    assert_eq!(listed["items"][0]["url"], receiver, "{listed}");
    let provider = [
        "provider",
        "add",
        "local",
        "--kind",
        "compatible",
        "--base-url",
    ];
    let provider = [
        &provider[..],
        &["https://models.example.org/v1", "--model", "m"],
    ]
    .concat();
    let added = world.skep(&provider).await;
    assert_eq!(added.code, 0, "{added:?}");
    for removal in [["sink", "remove", "siem"], ["provider", "remove", "local"]] {
        assert_eq!(world.skep(&removal).await.code, 0, "{removal:?}");
        assert_eq!(world.skep(&removal).await.code, 1, "{removal:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l07_an_entry_is_erased_only_when_it_was_meant_and_the_export_still_verifies() {
    let world = World::start().await;
    for n in 0..3 {
        let text = format!("Lock {n} of the canal is {n} metres above the sea.");
        assert_eq!(world.skep(&["remember", &text]).await.code, 0);
    }
    let erase = [
        "audit",
        "erase",
        "--log",
        "audit",
        "1",
        "3",
        "--reason",
        "article 17",
    ];
    // Nobody is there to ask.
    for more in [&[][..], &["--json"]] {
        let unasked = world.skep(&[&erase[..], more].concat()).await;
        assert_eq!(unasked.code, 2, "{unasked:?}");
    }
    let hint = world.skep(&erase).await.stderr;
    assert!(hint.contains("skep audit erase --log audit 1 3"), "{hint}");
    let listed = world.skep(&["audit", "list"]).await.stdout;
    assert!(!listed.contains("erased"), "{listed}");

    let done = world.skep(&[&erase[..], &["--yes"]].concat()).await;
    assert!(done.code == 0 && done.stdout == "erased: 1 3\n", "{done:?}");
    let again = world
        .skep(&[&erase[..], &["--yes", "--json"]].concat())
        .await;
    let again = again.json();
    assert_eq!(
        (&again["erased"], &again["already"]),
        (&json!([]), &json!([1, 3]))
    );
    let unknown = [
        "audit", "erase", "--log", "usage", "9", "--reason", "x", "--yes",
    ];
    let unknown = world.skep(&unknown).await;
    assert!(
        unknown.code == 1 && unknown.stderr.contains("no entry 9"),
        "{unknown:?}"
    );

    let listed = world.skep(&["audit", "list"]).await.stdout;
    let line = |seq: &str| listed.lines().find(|line| line.starts_with(seq)).unwrap();
    for (place, is_erased) in [("1 ", true), ("2 ", false), ("3 ", true)] {
        assert_eq!(line(place).ends_with("erased"), is_erased, "{listed}");
    }
    verifies_without(&world).await;
}

/// The export has two tombstones, and holds.
async fn verifies_without(world: &World) {
    let file = world.path("audit.jsonl");
    let taken = world.skep(&["audit", "export", "--to", &file]).await;
    assert_eq!(taken.code, 0, "{taken:?}");
    let held = world
        .skep(&["audit", "verify", &file, "--json"])
        .await
        .json();
    assert_eq!(
        (&held["holds"], &held["erased"]),
        (&true.into(), &2.into()),
        "{held}"
    );
    assert_eq!(held["unnamed"], 0, "{held}");
    let text = fs::read_to_string(&file).unwrap();
    let erased = text.lines().filter(|line| line.contains(",\"erased\":"));
    let erased: Vec<&str> = erased.map(|line| &line[line.len() - 11..]).collect();
    assert_eq!(erased, ["\"erased\":1}", "\"erased\":3}"]);
}
