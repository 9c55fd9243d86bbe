//! An organization that keeps the key of its workspaces itself, with the real daemon and a real program.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::database::{body, is_kept, recall, remember, said};
use crate::home::Home;
use crate::keys::{key, knows, lived_in, tool};
use crate::moving::{PASSPHRASE, restore};

const QUESTION: &str = "which port does the harbour master of Zanzibarrow listen on";

/// A home whose organization is called `acme`, with a program that keeps a key for it.
pub(crate) fn kept() -> (Home, String) {
    let (home, _) = lived_in();
    let turn = "tr 'A-Za-z' 'N-ZA-Mn-za-m'";
    let wrap = tool(&home, "wrap", &format!("base64 | {turn}"));
    let gives = home.path().join("gives");
    fs::write(&gives, "").unwrap();
    let unwrap = format!(
        "[ -e {} ] || {{ echo refused >&2; exit 1; }}; {turn} | base64 -d",
        gives.display()
    );
    let unwrap = tool(&home, "unwrap", &unwrap);
    let settings = format!(
        "[organization_keys.acme]\nprovider = \"command\"\ncommand = [{unwrap:?}]\nwrap_command = [{wrap:?}]\n\
         ask_every_seconds = 5\n"
    );
    home.put("skep.toml", &settings);
    (home, settings)
}

fn name(home: &Home) {
    let named = "PATCH /api/v1/orgs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: \
                 application/json\r\nContent-Length: 15\r\n\r\n{\"name\":\"acme\"}";
    let answer = home.send(named).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

fn enclose(home: &Home) {
    name(home);
    let done = key(home, &["enclose", "acme"]);
    assert!(done.status.success(), "{}", said(&done));
    let told = printed(&done);
    assert!(
        told.contains("acme: open") && told.contains("1 of 1 data keys"),
        "{told}"
    );
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether nothing of the organization's content is answered.
fn is_closed(home: &Home) -> bool {
    let asked = [
        home.get("/api/v1/memories"),
        home.get("/api/v1/sessions"),
        home.get("/api/v1/secrets"),
        home.get("/api/v1/settings"),
        home.get("/api/v1/skills"),
        home.get("/api/v1/templates"),
        home.get("/api/v1/sources"),
        home.get("/api/v1/participants"),
        home.get("/api/v1/system/health"),
        home.post("/api/v1/memories", r#"{"text":"more"}"#),
        home.post(
            "/api/v1/secrets",
            r#"{"name":"X","value":"zanzibarrow-7412"}"#,
        ),
        home.post("/api/v1/workspaces", r#"{"name":"later"}"#),
        home.post("/api/v1/leases", "{}"),
        Some(recall(home, QUESTION)),
    ];
    let closed = asked.map(|answer| {
        let answer = answer.unwrap();
        let is_closed = answer.starts_with("HTTP/1.1 423") && answer.contains("KEY_WITHDRAWN");
        let told = answer.contains("port 7411") || answer.contains("zanzibarrow-7411");
        assert!(!told, "{answer}");
        if !is_closed {
            eprintln!("{answer}");
        }
        is_closed
    });
    closed.iter().all(|closed| *closed)
}

fn state(home: &Home) -> Value {
    let told = printed(&key(home, &["status", "--json"]));
    let told: Value = serde_json::from_str(&told).unwrap();
    told["organizations"][0].clone()
}

/// Waits for the program to be asked again, which takes no longer than its bound.
fn until(home: &Home, wanted: &str) {
    while state(home)["state"] != wanted {
        std::thread::yield_now();
    }
}

#[test]
fn x09_an_owner_withdraws_the_key_in_the_very_moment_and_gives_it_back() {
    let (home, _) = kept();
    let daemon = home.serve();
    enclose(&home);
    assert!(knows(&home));
    let withdrawn = home.post("/api/v1/orgs/key/withdraw", "").unwrap();
    assert!(withdrawn.starts_with("HTTP/1.1 200"), "{withdrawn}");
    assert_eq!(body(&withdrawn)["state"], "withdrawn");
    assert!(is_closed(&home));
    assert_eq!(state(&home)["state"], "withdrawn");
    // What is no content is answered, so that somebody can give it back.
    for path in [
        "/api/v1/whoami",
        "/api/v1/orgs",
        "/api/v1/workspaces",
        "/api/v1/audit",
        "/api/v1/orgs/key",
    ] {
        let answer = home.get(path).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
    let backup = r#"{"passphrase":"plover anvil tuba harbour"}"#;
    assert!(
        home.post_for_bytes("/api/v1/system/backup", backup)
            .is_some()
    );
    // Nor does a start change anything.
    assert!(daemon.stop().success());
    let daemon = home.serve();
    assert!(is_closed(&home));
    let restored = home.post("/api/v1/orgs/key/restore", "").unwrap();
    assert_eq!(body(&restored)["state"], "open", "{restored}");
    assert!(knows(&home));
    assert!(is_kept(remember(&home, "more").as_ref()));
    let record = home.get("/api/v1/audit").unwrap();
    for action in ["key.enclose", "org.key_withdraw", "org.key_restore"] {
        assert!(record.contains(action), "{action}: {record}");
    }
    assert!(daemon.stop().success());
}

#[test]
fn x09_a_program_that_says_no_closes_a_running_daemon_and_opens_it_again() {
    let (home, _) = kept();
    let daemon = home.serve();
    enclose(&home);
    assert!(knows(&home));
    fs::remove_file(home.path().join("gives")).unwrap();
    until(&home, "refused");
    assert!(is_closed(&home));
    let told = printed(&key(&home, &["status"]));
    assert!(
        told.contains("acme: refused") && told.contains("it said: refused"),
        "{told}"
    );
    fs::write(home.path().join("gives"), "").unwrap();
    until(&home, "open");
    assert!(knows(&home));
    let changed = key(&home, &["change", "acme"]);
    assert!(
        changed.status.success() && knows(&home),
        "{}",
        said(&changed)
    );
    assert!(daemon.stop().success());
}

#[test]
fn x09_a_copy_of_all_with_the_root_key_opens_nothing_without_the_program() {
    let (home, settings) = kept();
    let daemon = home.serve();
    enclose(&home);
    assert!(daemon.stop().success());
    // The data, the root key and the machine are here.
    home.put("skep.toml", "");
    let daemon = home.serve();
    assert!(is_closed(&home));
    assert_eq!(state(&home)["state"], "unnamed");
    assert!(!key(&home, &["release", "acme"]).status.success());
    assert!(daemon.stop().success());
    home.put("skep.toml", &settings);
    let daemon = home.serve();
    assert!(knows(&home));
    let released = key(&home, &["release", "acme"]);
    assert!(
        released.status.success() && knows(&home),
        "{}",
        said(&released)
    );
    assert!(daemon.stop().success());
    home.put("skep.toml", "");
    let daemon = home.serve();
    assert!(knows(&home));
    assert!(daemon.stop().success());
}

#[test]
fn x09_an_archive_of_a_withdrawn_organization_needs_its_key_as_well() {
    let (home, settings) = kept();
    let daemon = home.serve();
    enclose(&home);
    let withdrawn = home.post("/api/v1/orgs/key/withdraw", "").unwrap();
    assert!(withdrawn.starts_with("HTTP/1.1 200"), "{withdrawn}");
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    let order = format!("{{\"passphrase\":\"{PASSPHRASE}\"}}");
    let bytes = home.post_for_bytes("/api/v1/system/backup", &order);
    fs::write(&archive, bytes.unwrap()).unwrap();
    assert!(daemon.stop().success());
    let verified = restore(&home, &archive, PASSPHRASE, &["--verify", "--json"]);
    let told: Value = serde_json::from_str(&printed(&verified)).unwrap();
    assert_eq!(
        (&told["closed"], &told["workspaces"]),
        (&1.into(), &1.into())
    );

    let elsewhere = Home::new();
    let restored = restore(&elsewhere, &archive, PASSPHRASE, &[]);
    assert!(restored.status.success(), "{}", said(&restored));
    for (settings, state) in [("", "withdrawn"), (settings.as_str(), "withdrawn")] {
        elsewhere.put("skep.toml", settings);
        let daemon = elsewhere.serve();
        assert!(is_closed(&elsewhere));
        assert_eq!(self::state(&elsewhere)["state"], state);
        assert!(daemon.stop().success());
    }
    let daemon = elsewhere.serve();
    let answer = elsewhere.post("/api/v1/orgs/key/restore", "").unwrap();
    assert_eq!(body(&answer)["state"], "open", "{answer}");
    assert!(recall(&elsewhere, QUESTION).contains("port 7411"));
    assert!(daemon.stop().success());
}

#[test]
fn x09_a_kill_amid_enclosing_leaves_all_readable_and_it_goes_on() {
    let (home, _) = kept();
    let mut daemon = home.serve();
    name(&home);
    for number in 0..24 {
        let secret = format!(r#"{{"name":"HARBOUR_{number}","value":"zanzibarrow-{number}"}}"#);
        assert!(is_kept(home.post("/api/v1/secrets", &secret).as_ref()));
    }
    let failed = AtomicBool::new(false);
    // Killed later each time: before, amid and after what it does. Readers see nothing of it.
    for round in 0..8_u32 {
        std::thread::scope(|scope| {
            let (home, failed) = (&home, &failed);
            let asking = scope.spawn(move || key(home, &["enclose", "acme"]));
            for _ in 0..round * 2 {
                if !home
                    .get("/api/v1/secrets")
                    .unwrap()
                    .starts_with("HTTP/1.1 200")
                    || !recall(home, QUESTION).contains("port 7411")
                {
                    failed.store(true, Ordering::SeqCst);
                }
            }
            daemon.0.kill().unwrap();
            daemon.0.wait().unwrap();
            asking.join().unwrap();
        });
        assert!(
            !failed.load(Ordering::SeqCst),
            "a read failed in round {round}"
        );
        daemon = home.serve();
        assert!(knows(&home), "after round {round}");
    }
    let done = key(&home, &["enclose", "acme"]);
    assert!(done.status.success(), "{}", said(&done));
    while !all_enclosed(&home.path().join("vault")) {
        assert!(knows(&home));
    }
    assert_eq!(state(&home)["enclosed"], 1);
    assert!(knows(&home));
    assert!(daemon.stop().success());
}

/// Whether each record of the organization needs its key; the daemon's own have no organization.
fn all_enclosed(vault: &Path) -> bool {
    let places = fs::read_dir(vault)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let places = places.filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        path.is_dir() && !name.starts_with(&format!("o{}", "0".repeat(32)))
    });
    let mut files = places.flat_map(|place| fs::read_dir(place).unwrap());
    files.all(|entry| {
        fs::read(entry.unwrap().path())
            .unwrap()
            .starts_with(b"skepvlt2")
    })
}

/// A file of the worked example, between its fence and the next one.
fn example(name: &str) -> String {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/keys.md"));
    let page = page.unwrap();
    let (_, from) = page.split_once(&format!(" file={name}\n")).unwrap();
    let (text, _) = from.split_once("```").unwrap();
    text.to_owned()
}

#[test]
fn x09_the_worked_example_works_as_written() {
    let (home, _) = lived_in();
    // Only where things are is another place here.
    let here = home.path().display().to_string();
    let placed = |text: String| {
        text.replace("/etc/skep", &here)
            .replace("/usr/local/bin", &here)
    };
    for name in ["acme-key-wrap", "acme-key-give"] {
        let script = placed(example(name));
        let script = script.strip_prefix("#!/bin/sh\n").unwrap();
        tool(&home, name, script);
    }
    home.put("acme.secret", &format!("{}\n", "5a".repeat(32)));
    home.put("skep.toml", &placed(example("skep.toml")));
    let daemon = home.serve();
    enclose(&home);
    assert!(knows(&home));
    assert!(daemon.stop().success());
    // Taken away, and brought back.
    let (secret, away) = (home.path().join("acme.secret"), home.path().join("away"));
    fs::rename(&secret, &away).unwrap();
    let daemon = home.serve();
    assert!(is_closed(&home));
    let told = printed(&key(&home, &["status"]));
    assert!(
        told.contains("acme: refused") && told.contains("acme.secret was taken away"),
        "{told}"
    );
    assert!(daemon.stop().success());
    fs::rename(&away, &secret).unwrap();
    let daemon = home.serve();
    assert!(knows(&home));
    assert!(daemon.stop().success());
}
